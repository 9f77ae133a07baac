//! Stops bind their subject: whatever it is that would leave, and whenever it is asked for.

use std::collections::BTreeSet;

use crate::commitments::link;
use crate::world::{World, XRP, amount, config, drops, id};
use treasury_core::command::{Answer, Command};
use treasury_core::config::{FindingKind, Severity, TierLink};
use treasury_core::state::Guard;
use treasury_core::stops::{StopKind, Subject};
use treasury_core::units::{AccountId, ProposalId, StopId};
use treasury_core::waits::waits;
use xrpl_wire::{Transaction, TransactionType};

const HOUR: u32 = 3_600;

fn freeze(w: &mut World, account: Option<&str>) -> StopId {
    let freeze = Command::Freeze { account: account.map(id), reason: "keys stolen".to_owned() };
    match w.command("dave", freeze).unwrap() {
        Answer::Stopped { stop, changed: true, .. } => stop,
        other => panic!("{other:?}"),
    }
}

fn flag(w: &mut World, proposal: ProposalId) -> StopId {
    let flag = Command::Flag { proposal, reason: "looks wrong".to_owned() };
    match w.command("dave", flag).unwrap() {
        Answer::Stopped { stop, changed: true, .. } => stop,
        other => panic!("{other:?}"),
    }
}

fn lift(w: &mut World, stops: &[StopId]) -> Vec<StopId> {
    let lift = Command::Lift { stops: stops.iter().copied().collect(), reason: "settled".to_owned() };
    match w.command("dave", lift).unwrap() {
        Answer::Lifted { standing, .. } => standing,
        other => panic!("{other:?}"),
    }
}

/// A world where warm fills hot whenever hot is below 1,000 XRP.
fn with_link() -> World {
    let mut config = config();
    let link = link("warm to hot", "warm", "hot", [1_000, 1_900, 0]);
    config.links = vec![TierLink { move_max: amount(1_000 * XRP), ..link }];
    World::with(config)
}

/// Hot loses nearly all it has, by a transaction that no proposal asked for.
pub(crate) fn rob_hot(w: &mut World) {
    let blob = {
        let p = w.propose("hot", 500);
        let blob = w.rungs(p)[0].0.clone();
        w.command("alice", Command::Withdraw { proposal: p }).unwrap();
        blob
    };
    let mut theft = Transaction::decode(&blob).unwrap().into_object();
    let used = w.state.accounts[&id("hot")].tickets.iter().next_back().copied().unwrap();
    theft.set(xrpl_wire::sf::TicketSequence, used);
    let left = w.state.balance(&id("hot")).get() - 10 * XRP;
    theft.set(xrpl_wire::sf::Amount, xrpl_wire::Amount::Xrp(drops(left)));
    w.close(&[Transaction::from_object(theft).unwrap()]);
}

fn payments_into(sent: &[Transaction], to: AccountId) -> usize {
    let into = sent.iter().filter(|tx| tx.object().account(xrpl_wire::sf::Destination) == Some(to));
    into.map(Transaction::id).collect::<BTreeSet<_>>().len()
}

#[test]
fn nothing_is_moved_into_a_frozen_account() {
    let mut w = with_link();
    freeze(&mut w, Some("hot"));
    w.change_balance("hot", 10);
    w.jump(10);
    assert_eq!(payments_into(&w.sent(), id("hot")), 0);
    // Nor by a person who asks for it.
    let mut propose = w.payment("warm", 50);
    propose.destination = id("hot");
    propose.destination_tag = None;
    let Ok(Answer::Proposed { proposal }) = w.command("alice", Command::Propose(propose)) else { panic!() };
    w.jump(10);
    assert_eq!(payments_into(&w.sent(), id("hot")), 0);
    let why: Vec<String> =
        waits(&w.config, &w.state, w.proposal(proposal)).iter().map(ToString::to_string).collect();
    assert!(why.iter().any(|why| why.contains("freeze S1 by dave")), "{why:?}");
    w.lift_all();
    w.jump(10);
    assert_eq!(payments_into(&w.sent(), id("hot")), 2, "the refill and the payment go on");
}

#[test]
fn a_robbed_account_is_not_refilled() {
    for severity in [Severity::Hold, Severity::Alert] {
        let mut w = with_link();
        w.config.severities.insert(FindingKind::SpendWithoutProposal, severity);
        rob_hot(&mut w);
        assert!(w.state.balance(&id("hot")) < drops(11 * XRP));
        assert_eq!(w.state.findings.values().next().unwrap().kind, FindingKind::SpendWithoutProposal);
        for _ in 0..5 {
            w.jump(HOUR);
            assert_eq!(payments_into(&w.sent(), id("hot")), 0, "{severity:?}");
        }
        if severity == Severity::Hold {
            w.lift_all();
            w.jump(10);
            assert_eq!(payments_into(&w.sent(), id("hot")), 1, "somebody has looked at it");
        }
    }
}

#[test]
fn a_hold_of_a_finding_binds_what_is_asked_for_later() {
    let mut w = World::new();
    rob_hot(&mut w);
    let p = w.propose("hot", 5);
    w.jump(10);
    assert!(w.sent().is_empty(), "the agents do not sign for an account that is held");
    assert_eq!(w.word(p), "collecting");
    w.lift_all();
    assert_eq!(w.word(p), "in_flight");
}

#[test]
fn several_stops_stand_side_by_side_and_are_lifted_by_id() {
    let mut w = World::new();
    let drill = freeze(&mut w, Some("hot"));
    w.config.severities.insert(FindingKind::SpendWithoutProposal, Severity::Freeze);
    rob_hot(&mut w);
    let both = w.stops_on(&Subject::Account(id("hot")));
    assert_eq!(both.len(), 2);
    let unfreeze = Command::Unfreeze { account: Some(id("hot")), reason: String::new() };
    assert_eq!(w.command("dave", unfreeze.clone()).unwrap_err().code(), "SEVERAL_STOPS");
    let standing = lift(&mut w, &[drill]);
    assert_eq!(standing.len(), 1);
    w.propose("hot", 50);
    w.jump(10);
    assert!(w.sent().is_empty(), "the drill is over, the theft is not");
    assert!(
        matches!(w.command("dave", unfreeze), Ok(Answer::Lifted { standing, .. }) if standing.is_empty())
    );
    let lifted: Vec<_> = w.state.stops.lifted().map(|lifted| lifted.stop.id).collect();
    assert_eq!(lifted, both.into_iter().collect::<Vec<_>>(), "what was lifted stays to be looked at");
}

#[test]
fn lifting_one_stop_says_what_stands_all_the_same() {
    let mut w = World::new();
    let everything = freeze(&mut w, None);
    freeze(&mut w, Some("hot"));
    let unfreeze = Command::Unfreeze { account: Some(id("hot")), reason: String::new() };
    let Ok(Answer::Lifted { lifted, standing }) = w.command("dave", unfreeze.clone()) else { panic!() };
    assert_eq!((lifted.len(), standing), (1, vec![everything]));
    let Ok(Answer::Lifted { lifted, standing }) = w.command("dave", unfreeze) else { panic!() };
    assert_eq!((lifted, standing), (vec![], vec![everything]));
    let unknown = Command::Unfreeze { account: Some(id("shop")), reason: String::new() };
    assert_eq!(w.command("dave", unknown).unwrap_err().code(), "UNKNOWN_ACCOUNT");
}

#[test]
fn who_may_lift_depends_on_what_stands() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let (frozen, held) = (freeze(&mut w, None), flag(&mut w, p));
    w.config.people.get_mut("bob").unwrap().roles.insert(treasury_core::config::Role::Security);
    let lift =
        |stops: &[StopId]| Command::Lift { stops: stops.iter().copied().collect(), reason: String::new() };
    assert_eq!(w.command("bob", lift(&[held, frozen])).unwrap_err().code(), "ROLE_MISSING");
    assert_eq!(w.state.stops.all().count(), 2, "all or none");
    assert_eq!(w.command("alice", lift(&[held])).unwrap_err().code(), "ROLE_MISSING");
    assert!(w.command("bob", lift(&[held])).is_ok());
    assert_eq!(w.command("bob", lift(&[StopId(99)])).unwrap_err().code(), "UNKNOWN_STOP");
    assert!(w.command("dave", lift(&[frozen])).is_ok());
    assert!(w.state.stops.is_empty());
}

#[test]
fn a_flag_on_an_attempt_to_release_binds_the_escrow() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.signer_answers = false;
    w.jump(50 * HOUR);
    let Guard::Locked { preparing: Some(attempt), .. } = *w.guard(key) else { panic!("not preparing") };
    flag(&mut w, attempt);
    assert_eq!(w.stops_on(&Subject::Escrow(key)).len(), 1);
    w.signer_answers = true;
    for _ in 0..10 {
        w.jump(HOUR);
        assert!(w.sent().is_empty(), "no other attempt takes its place");
    }
    w.jump(16 * HOUR);
    let sent = w.settle();
    assert_eq!(sent[0].tx_type(), TransactionType::EscrowCancel);
}

#[test]
fn taking_back_is_never_stopped() {
    for account in [None, Some("warm"), Some("runner")] {
        let mut w = World::new();
        let (p, key) = w.escrow();
        freeze(&mut w, account);
        w.jump(50 * HOUR);
        assert!(w.sent().is_empty(), "{account:?}");
        let attempt = waits(&w.config, &w.state, w.proposal(p));
        assert!(attempt.is_empty(), "it has ended; its escrow waits: {attempt:?}");
        w.jump(30 * HOUR);
        let sent = w.settle();
        assert_eq!(sent.len(), 1, "{account:?}");
        assert_eq!(sent[0].tx_type(), TransactionType::EscrowCancel, "{account:?}");
        assert!(matches!(w.guard(key), Guard::Cancelled { .. }));
    }
}

#[test]
fn taking_back_gets_its_tickets_while_everything_is_frozen() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.config.tickets.low_water = 3;
    let gone: Vec<_> = w.state.accounts[&id("runner")].tickets.iter().copied().collect();
    let gone = gone.into_iter();
    freeze(&mut w, None);
    w.change(
        gone.map(|ticket| treasury_core::observe::Change::TicketDeleted { account: id("runner"), ticket })
            .collect(),
    );
    assert!(w.sent().is_empty(), "nothing waits to be taken back yet");
    w.jump(80 * HOUR);
    assert_eq!(w.settle()[0].tx_type(), TransactionType::TicketCreate);
    w.close(&[]);
    assert_eq!(w.settle()[0].tx_type(), TransactionType::EscrowCancel);
    assert!(matches!(w.guard(key), Guard::Cancelled { .. }));
}

#[test]
fn a_recipients_refusal_stops_nobody_else_and_is_seen_before_the_reveal() {
    const DEPOSIT_AUTH: u32 = 0x0100_0000;
    let mut w = World::new();
    let payee = w.stranger("payee", Some(0));
    let mut propose = w.payment("warm", 2_000);
    propose.destination = payee;
    let Ok(Answer::Proposed { proposal }) = w.command("alice", Command::Propose(propose)) else { panic!() };
    w.approve("alice", proposal).unwrap();
    w.approve("bob", proposal).unwrap();
    w.settle();
    let refusing = w.proposal(proposal).release_inputs().unwrap().escrow;
    let (_, other) = w.escrow();
    w.jump(48 * HOUR);
    w.change_stranger(payee, Some(DEPOSIT_AUTH));
    w.sent();
    w.jump(2 * HOUR);
    let sent = w.settle();
    assert_eq!(sent.len(), 1, "the other escrow is released");
    assert!(matches!(w.guard(other), Guard::Released { .. }));
    assert!(matches!(w.guard(refusing), Guard::Locked { .. }), "nothing was revealed to no end");
    // It changes its mind: then it is released.
    w.change_stranger(payee, Some(0));
    assert_eq!(w.settle().len(), 1);
    assert!(matches!(w.guard(refusing), Guard::Released { .. }));
}

#[test]
fn a_recipient_that_refuses_after_the_reveal_opens_no_breaker_and_the_money_comes_back() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.jump(50 * HOUR);
    for _ in 0..6 {
        let sent = w.sent();
        w.close_at(4, &sent, "tecNO_PERMISSION");
        w.jump(w.config.timing.retry_seconds);
    }
    assert!(w.state.breakers.is_empty(), "{:?}", w.state.breakers);
    assert!(matches!(w.guard(key), Guard::Releasing { .. }));
    w.jump(30 * HOUR);
    // What is under way has to expire first.
    let mut sent = Vec::new();
    for _ in 0..60 {
        w.close(&[]);
        sent.extend(w.sent());
    }
    assert!(sent.iter().any(|tx| tx.tx_type() == TransactionType::EscrowCancel), "{sent:?}");
}

#[test]
fn the_breaker_of_one_account_stops_no_other() {
    let mut w = with_link();
    w.config.timing.breaker_failures = 1;
    let p = w.propose("cold", 2_000);
    for person in ["alice", "bob", "carol"] {
        w.approve(person, p).unwrap();
    }
    w.reply(p, "tefBAD_AUTH");
    let open: Vec<_> = w.state.open_breakers(&id("cold")).map(|(key, ..)| key.cause.word()).collect();
    assert_eq!(open, ["keys"]);
    assert_eq!(w.state.open_breakers(&id("warm")).count(), 0);
    w.sent();
    w.change_balance("hot", 10);
    assert_eq!(payments_into(&w.sent(), id("hot")), 1);
}

#[test]
fn what_may_not_have_arrived_can_still_be_stopped() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    w.sent();
    let busy = treasury_core::input::SubmitReply::Busy("tooBusy".to_owned());
    w.reply_with(p, busy);
    let flagged = w.command("dave", Command::Flag { proposal: p, reason: String::new() }).unwrap();
    let Answer::Stopped { changed: true, warning: Some(warning), .. } = flagged else {
        panic!("{flagged:?}")
    };
    assert!(warning.contains("tooBusy") && warning.contains("may be applied"), "{warning}");
    let again = w.command("dave", Command::Flag { proposal: p, reason: String::new() }).unwrap();
    assert!(matches!(again, Answer::Stopped { changed: false, warning: Some(said), .. } if said == warning));
    w.jump(10);
    w.jump(10);
    assert!(w.sent().is_empty());
    w.lift_all();
    w.jump(10);
    assert_eq!(w.sent().len(), 1);
}

#[test]
fn after_the_reveal_a_hold_comes_too_late_and_a_freeze_ends_the_sending() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    w.jump(50 * HOUR);
    w.sent();
    w.close(&[]);
    assert_eq!(w.sent().len(), 1, "it is pressed");
    let late = w.command("dave", Command::Flag { proposal: p, reason: String::new() }).unwrap_err();
    assert_eq!(late.code(), "REVEALED");
    freeze(&mut w, Some("warm"));
    w.close(&[]);
    assert!(w.sent().is_empty());
    assert!(matches!(w.guard(key), Guard::Releasing { .. }));
}

#[test]
fn the_delay_is_counted_from_when_the_escrow_was_seen() {
    // The network stands still before it takes the EscrowCreate in: FinishAfter is then near.
    let mut w = World::new();
    let p = w.propose("warm", 2_000);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    let sent = w.sent();
    w.close_at(48 * HOUR, &sent, "tesSUCCESS");
    let key = w.proposal(p).release_inputs().unwrap().escrow;
    w.jump(2 * HOUR);
    assert!(w.sent().is_empty(), "FinishAfter has passed, and nobody has had the promised 48 hours to look");
    let tracked = &w.state.escrows[&key];
    let until = treasury_core::escrow::not_before(&w.state, tracked).unwrap().0;
    assert_eq!(until, tracked.seen.close_time.0 + 48 * HOUR);
    assert!(until > tracked.view.cancel_after.unwrap().0, "so it is taken back");
    w.jump(24 * HOUR);
    let sent = w.settle();
    assert_eq!(sent[0].tx_type(), TransactionType::EscrowCancel);
}

#[test]
fn stops_of_earlier_records_are_stops() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let at = w.state.ledger.unwrap();
    let json = |text: &str| {
        let at = serde_json::to_string(&at).unwrap();
        serde_json::from_str(&text.replace("AT", &at).replace("HOT", &id("hot").to_string())).unwrap()
    };
    for text in [
        r#"{"event":"hold_placed","proposal":1,"id":1,"hold":{"source":{"person":"dave"},"reason":"odd","at":AT}}"#,
        r#"{"event":"frozen","account":"HOT","freeze":{"by":"treasuryd","reason":"drained","at":AT}}"#,
        r#"{"event":"frozen","account":null,"freeze":{"by":"dave","reason":"drill","at":AT}}"#,
        r#"{"event":"hold_placed","proposal":1,"id":2,"hold":{"source":{"finding":1},"reason":"odd","at":AT}}"#,
        r#"{"event":"hold_cleared","proposal":1,"id":1,"by":"dave"}"#,
        r#"{"event":"unfrozen","account":null,"by":"alice"}"#,
        r#"{"event":"breaker_counted","failures":4}"#,
        r#"{"event":"breaker_opened","at":AT,"reason":"tefBAD_AUTH"}"#,
    ] {
        w.state.apply(&json(text)).unwrap();
    }
    let standing: Vec<_> = w.state.stops.all().map(|stop| (stop.subject.clone(), stop.kind)).collect();
    assert_eq!(
        standing,
        [(Subject::Account(id("hot")), StopKind::Freeze), (Subject::Proposal(p), StopKind::Hold),]
    );
    assert_eq!(w.state.stops.lifted().count(), 2);
    assert_eq!(w.state.open_breakers(&id("cold")).count(), 1, "it stops every account, as it did");
    w.state.apply(&json(r#"{"event":"breaker_closed","by":"dave"}"#)).unwrap();
    assert!(w.state.breakers.is_empty());
    let bad = w.state.apply(&json(r#"{"event":"hold_cleared","proposal":1,"id":1,"by":"dave"}"#));
    assert!(bad.unwrap_err().to_string().contains("no such hold"));
}

#[test]
fn what_was_called_back_is_sent_when_nothing_stops_it_any_more() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    let other = w.propose("warm", 50);
    w.sent();
    freeze(&mut w, Some("hot"));
    assert_eq!(w.recalls, 1);
    for id in [p, other] {
        w.reply_with(id, treasury_core::input::SubmitReply::NotSent);
    }
    assert!(w.state.breakers.is_empty(), "nobody has failed");
    w.jump(10);
    let sent = w.sent();
    assert_eq!(sent.len(), 1, "the gate is asked again, about each");
    assert_eq!(sent[0].account(), id("warm"));
    let flagged = w.command("dave", Command::Flag { proposal: p, reason: String::new() }).unwrap();
    assert!(matches!(flagged, Answer::Stopped { warning: None, .. }), "it has not left: {flagged:?}");
    w.lift_all();
    w.jump(10);
    assert!(w.sent().iter().any(|tx| tx.account() == id("hot")));
}

/// Danger: one of two stops is lifted, the answer names none that is left, and somebody waits for a payment in vain.
#[test]
fn who_lifts_a_stop_is_told_of_every_other_that_binds_the_same() {
    let mut w = World::new();
    let (p, _) = w.escrow();
    let on_escrow = flag(&mut w, p);
    let on_account = freeze(&mut w, Some("warm"));
    let elsewhere = freeze(&mut w, Some("hot"));
    let waiting = w.propose("warm", 500);
    let on_proposal = flag(&mut w, waiting);
    // Of the account: what it held is held by these, and hot is another matter.
    assert_eq!(lift(&mut w, &[on_account]), [on_escrow, on_proposal]);
    let on_account = freeze(&mut w, Some("warm"));
    assert_eq!(lift(&mut w, &[on_escrow]), [on_account]);
    assert_eq!(lift(&mut w, &[on_proposal]), [on_account]);
    assert_eq!(lift(&mut w, &[on_account]), []);
    assert_eq!(lift(&mut w, &[elsewhere]), []);
}
