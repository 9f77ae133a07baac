//! What fresh eyes found: stops that were outrun, words that said something else than the state, sums and views that
//! were told half of a thing.

use crate::world::{World, XRP, drops, escrow_view, id};
use treasury_core::command::{Answer, Command};
use treasury_core::config::{FindingKind, Severity};
use treasury_core::input::{Input, SubmitReply};
use treasury_core::observe::{Change, EscrowView, ObservedTx, OpaqueTx, intent_digest};
use treasury_core::state::Guard;
use treasury_core::stops::Subject;
use treasury_core::units::{EscrowKey, Hash256, ProposalId};
use xrpl_wire::{Transaction, TransactionType, TxBody, sf};

const HOUR: u32 = 3_600;

/// A payment of the account's that no proposal asked for, on its last Ticket.
fn theft(w: &mut World, account: &str, amount_xrp: u64) {
    let p = w.propose(account, 500);
    let mut object = Transaction::decode(&w.rungs(p)[0].0).unwrap().into_object();
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    object.set(sf::TicketSequence, *w.state.accounts[&id(account)].tickets.iter().next_back().unwrap());
    object.set(sf::Amount, xrpl_wire::Amount::Xrp(drops(amount_xrp * XRP)));
    w.close(&[Transaction::from_object(object).unwrap()]);
}

fn finishes(sent: &[Transaction]) -> usize {
    sent.iter().filter(|tx| tx.tx_type() == TransactionType::EscrowFinish).count()
}

fn releasing(w: &World, key: EscrowKey) -> ProposalId {
    let Guard::Releasing { attempt: Some(attempt), .. } = *w.guard(key) else { panic!("not releasing") };
    attempt
}

fn flag(w: &mut World, proposal: ProposalId) -> Result<Answer, treasury_core::CommandError> {
    w.command("dave", Command::Flag { proposal, reason: "looks wrong".to_owned() })
}

#[test]
fn a_reveal_that_was_called_back_in_time_is_stopped_by_a_hold() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    w.jump(50 * HOUR);
    assert_eq!(finishes(&w.sent()), 1);
    let attempt = releasing(&w, key);
    theft(&mut w, "warm", 1_000);
    assert_eq!(finishes(&w.sent()), 0, "it is not sent again in the step that called it back");
    w.reply_with(attempt, SubmitReply::NotSent);
    w.jump(4);
    assert_eq!(finishes(&w.sent()), 0);
    assert!(flag(&mut w, p).is_ok(), "nothing is revealed, so it can still be held");
    for _ in 0..30 {
        w.close(&[]);
    }
    assert!(matches!(w.guard(key), Guard::Locked { .. }), "nor when the attempt is over");
    w.lift_all();
    w.jump(200);
    assert_eq!(finishes(&w.sent()), 1, "lifted, it goes on");
}

#[test]
fn a_reveal_that_may_have_left_is_pressed_whatever_a_later_sending_says() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.jump(50 * HOUR);
    w.sent();
    let attempt = releasing(&w, key);
    w.close(&[]);
    assert_eq!(finishes(&w.sent()), 1, "nothing was said of the first, so it is sent again");
    w.reply_with(attempt, SubmitReply::NotSent);
    theft(&mut w, "warm", 1_000);
    w.sent();
    w.close(&[]);
    assert_eq!(finishes(&w.sent()), 1, "the first may have left");
    let late = flag(&mut w, attempt).unwrap_err();
    assert_eq!(late.code(), "REVEALED");
}

#[test]
fn what_never_left_is_not_sent_after_its_deadline() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    w.sent();
    w.command("dave", Command::Freeze { account: Some(id("hot")), reason: String::new() }).unwrap();
    w.reply_with(p, SubmitReply::NotSent);
    w.jump(2 * HOUR);
    w.lift_all();
    w.jump(4);
    assert!(w.sent().is_empty());
}

#[test]
fn lost_sight_calls_back_what_has_not_left() {
    let mut w = World::new();
    w.input(Input::SightLost { reason: "two hashes".to_owned() });
    w.input(Input::SightLost { reason: "two others".to_owned() });
    assert_eq!(w.recalls, 1);
}

#[test]
fn a_list_that_drifts_again_is_found_again() {
    let mut w = World::new();
    let good = w.state.accounts[&id("hot")].signer_list.clone();
    let mut bad = good.clone().unwrap();
    bad.entries.insert(id("mallory"), 3);
    let set = |w: &mut World, list| w.change(vec![Change::SignerList { account: id("hot"), list }]);
    for times in 1..=2 {
        set(&mut w, Some(bad.clone()));
        assert_eq!(w.stops_on(&Subject::Account(id("hot"))).len(), 1, "{times}");
        set(&mut w, good.clone());
        w.lift_all();
    }
    assert_eq!(w.state.findings.len(), 2);
}

/// An escrow of warm's with these terms, as the ledger shows it.
fn on_ledger(tx: &Transaction) -> EscrowView {
    let TxBody::EscrowCreate(create) = TxBody::parse(tx).unwrap() else { panic!("no escrow") };
    escrow_view(tx, create)
}

#[test]
fn an_own_escrow_that_is_first_seen_in_a_reading_is_our_own() {
    let mut w = World::new();
    let p = w.propose("warm", 2_000);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    let tx = w.sent().remove(0);
    let view = on_ledger(&tx);
    let stranger =
        EscrowView { key: EscrowKey { owner: id("warm"), sequence: 20 }, condition: None, ..view.clone() };
    w.mirror(&Change::EscrowCreated { escrow: view.clone() });
    w.mirror(&Change::EscrowCreated { escrow: stranger.clone() });
    let mut observation = w.next_ledger(4);
    observation.transactions.push(ObservedTx {
        signers: Vec::new(),
        id: tx.id(),
        account: tx.account(),
        slot: tx.seq(),
        tx_type: "EscrowCreate".to_owned(),
        result: "tesSUCCESS".to_owned(),
        digest: intent_digest(&tx).unwrap(),
        fee: tx.fee(),
    });
    let accounts = [id("warm")].into();
    observation.opaque.push(OpaqueTx { id: tx.id(), accounts, reason: "its metadata".to_owned() });
    w.hand_on(observation);
    assert_eq!(w.word(p), "validated");
    assert!(w.state.doubtful.is_empty(), "it has been read anew");
    assert!(matches!(w.guard(view.key), Guard::Locked { proposal, .. } if *proposal == p));
    assert!(matches!(w.guard(stranger.key), Guard::Foreign));
    let foreign = w.state.findings.values().filter(|finding| finding.kind == FindingKind::ForeignEscrow);
    assert_eq!(foreign.count(), 1, "what somebody else made is found in a reading, too");
}

#[test]
fn a_reading_that_lies_about_one_account_is_believed_about_none() {
    let mut w = World::new();
    w.answers_readings = false;
    let mut observation = w.next_ledger(4);
    let accounts = [id("alice")].into();
    observation.opaque.push(OpaqueTx { id: Hash256::ZERO, accounts, reason: "type 200".to_owned() });
    w.hand_on(observation);
    w.misread(id("hot"), |read| read.root.as_mut().unwrap().balance = drops(1));
    assert!(!w.state.sees());
    assert!(w.state.doubtful.contains(&id("alice")), "and not about her keys either");
}

#[test]
fn nothing_is_planned_for_an_account_in_doubt() {
    let mut w = World::new();
    w.answers_readings = false;
    let mut observation = w.next_ledger(4);
    let accounts = [id("hot")].into();
    observation.opaque.push(OpaqueTx { id: Hash256::ZERO, accounts, reason: "type 200".to_owned() });
    w.hand_on(observation);
    let p = w.propose("hot", 50);
    assert_eq!(w.word(p), "drafted", "its Tickets may be others by now");
    w.reconcile();
    assert_eq!(w.word(p), "in_flight");
}

#[test]
fn a_freeze_names_what_is_under_way_to_its_subject_and_nothing_that_never_left() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.jump(50 * HOUR);
    w.sent();
    let attempt = releasing(&w, key);
    let never = w.propose("warm", 50);
    w.reply_with(never, SubmitReply::NotSent);
    let freeze = Command::Freeze { account: Some(id("warm")), reason: String::new() };
    let Ok(Answer::Stopped { warning: Some(warning), .. }) = w.command("dave", freeze) else { panic!() };
    assert!(
        warning.contains(&attempt.to_string()),
        "the runner sends it, and the money is warm's: {warning}"
    );
    assert!(!warning.contains(&never.to_string()), "{warning}");
}

#[test]
fn a_flag_is_refused_where_it_would_change_nothing() {
    let mut w = World::new();
    let (p, _) = w.escrow();
    w.jump(80 * HOUR);
    assert_eq!(w.sent().len(), 1, "it is taken back");
    let cancel = *w.state.open.iter().next_back().unwrap();
    assert_eq!(flag(&mut w, cancel).unwrap_err().code(), "WRONG_STATE");
    assert_eq!(flag(&mut w, p).unwrap_err().code(), "WRONG_STATE");
}

#[test]
fn two_answers_in_turn_are_one_failure() {
    let mut w = World::new();
    w.config.timing.breaker_failures = 3;
    let p = w.propose("hot", 50);
    for _ in 0..5 {
        w.reply(p, "terINSUF_FEE_B");
        w.reply_with(p, SubmitReply::Busy("tooBusy".to_owned()));
    }
    assert!(w.state.breakers.values().all(|breaker| breaker.open.is_none()), "{:?}", w.state.breakers);
}

#[test]
fn what_becomes_of_one_payment_makes_no_second_failure_of_another() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    let answered = |w: &mut World| {
        for _ in 0..2 {
            w.reply(p, "terINSUF_FEE_B");
            w.reply_with(p, SubmitReply::Busy("tooBusy".to_owned()));
        }
        let failures: Vec<u32> = w.state.breakers.values().map(|breaker| breaker.failures).collect();
        failures
    };
    let once = answered(&mut w);
    assert!(!once.is_empty() && once.iter().all(|failures| *failures == 1), "{once:?}");
    let other = w.propose("warm", 50);
    let sent: Vec<_> = w.sent().into_iter().filter(|tx| tx.account() == id("warm")).collect();
    w.close(&sent);
    assert_eq!((w.word(p), w.word(other)), ("in_flight", "validated"));
    assert_eq!(answered(&mut w), once);
}

#[test]
fn a_robbery_is_remembered_until_somebody_has_looked() {
    let mut w = World::new();
    w.config.severities.insert(FindingKind::SpendWithoutProposal, Severity::Alert);
    theft(&mut w, "hot", 99_000);
    assert!(w.state.robbed.contains_key(&id("hot")));
    let mut observation = w.next_ledger(4);
    for n in 0..1_100_u16 {
        let mut tx_id = Hash256::ZERO;
        tx_id.0[..2].copy_from_slice(&n.to_be_bytes());
        let reason = "type 200".to_owned();
        observation.opaque.push(OpaqueTx { id: tx_id, accounts: [id("cold")].into(), reason });
    }
    w.hand_on(observation);
    assert!(w.state.robbed.contains_key(&id("hot")), "whatever else is found");
}

#[test]
fn an_earlier_hold_on_an_attempt_binds_the_escrow() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.signer_answers = false;
    w.jump(50 * HOUR);
    let Guard::Locked { preparing: Some(attempt), .. } = *w.guard(key) else { panic!("not preparing") };
    let at = serde_json::to_string(&w.state.ledger.unwrap()).unwrap();
    let record = format!(
        r#"{{"event":"hold_placed","proposal":{},"id":1,"hold":{{"source":{{"person":"dave"}},"reason":"odd","at":{at}}}}}"#,
        attempt.0
    );
    w.state.apply(&serde_json::from_str(&record).unwrap()).unwrap();
    assert_eq!(w.stops_on(&Subject::Escrow(key)).len(), 1);
}

/// A hold comes too late for what is public: the money is pressed on for, attempt after attempt, and no rule of the
/// daemon's own is broken by that.
#[test]
fn after_the_reveal_a_new_attempt_follows_under_a_hold_and_an_old_one_can_still_be_flagged() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    let finish_after = w.state.escrows[&key].view.finish_after.unwrap();
    w.jump(finish_after.0 - w.state.now().0 + 1);
    assert_eq!(w.sent().len(), 1);
    let Guard::Releasing { attempt: Some(first), .. } = *w.guard(key) else { panic!() };
    w.close(&[]);
    w.command("dave", Command::Flag { proposal: first, reason: "too late".to_owned() }).unwrap_err();
    let at = w.state.ledger.unwrap();
    let stop = treasury_core::stops::Stop {
        id: w.state.stops.next_id(),
        subject: Subject::Account(id("warm")),
        kind: treasury_core::stops::StopKind::Hold,
        source: treasury_core::stops::StopSource::Daemon,
        origin: None,
        reason: String::new(),
        at,
    };
    w.record(treasury_core::Event::StopSet { stop });
    for _ in 0..60 {
        w.close(&[]);
    }
    let Guard::Releasing { attempt: Some(second), .. } = *w.guard(key) else { panic!("{:?}", w.guard(key)) };
    assert!(second > first && w.word(second) == "in_flight", "{}", w.word(second));
}
