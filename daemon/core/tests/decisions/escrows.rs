//! The escrow guard: released in time and once; never while a hold stands; taken back when its time is
//! over.

use crate::world::{World, XRP, amount, drops, hash, id, opening};
use treasury_core::Input;
use treasury_core::command::{Command, CommandError};
use treasury_core::config::{Keeps, TierLink};
use treasury_core::effect::{Effect, Opening, ReleaseInputs, Unsent};
use treasury_core::observe::{Change, EscrowView};
use treasury_core::state::Guard;
use treasury_core::stops::Subject;
use treasury_core::units::{Asset, EscrowKey, HexBytes, RippleTime};
use xrpl_wire::{Transaction, TransactionType, sf};

const HOUR: u32 = 3_600;

fn finishes(sent: &[Transaction]) -> usize {
    sent.iter().filter(|tx| tx.tx_type() == TransactionType::EscrowFinish).count()
}

fn flag(w: &mut World, proposal: treasury_core::units::ProposalId) -> Result<(), CommandError> {
    w.command("dave", Command::Flag { proposal, reason: "looks wrong".to_owned() }).map(|_| ())
}

#[test]
fn a_large_payment_waits_its_delay_and_is_released_once() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    let terms = w.proposal(p).release_inputs().unwrap().clone();
    let deadline = w.proposal(p).plan.as_ref().unwrap().deadline;
    assert_eq!(terms.finish_after.0, deadline.0 + 48 * HOUR, "the delay counts from the deadline");
    w.jump(47 * HOUR);
    assert!(w.sent().is_empty());
    // Exactly at FinishAfter it is still too early: the ledger compares strictly.
    let now = w.state.now().0;
    w.jump(terms.finish_after.0 - now);
    assert!(w.sent().is_empty());
    w.jump(1);
    assert!(matches!(w.guard(key), Guard::Releasing { .. }));
    let sent = w.settle();
    assert_eq!(finishes(&sent), 1);
    assert!(matches!(w.guard(key), Guard::Released { .. }));
    w.jump(100 * HOUR);
    assert!(w.sent().is_empty());
}

#[test]
fn an_escrow_is_released_with_the_release_key_that_it_was_made_with() {
    let mut w = World::new();
    w.key_version = 2;
    let (p, key) = w.escrow();
    assert_eq!(w.proposal(p).release_inputs().unwrap().key_version, 2);
    // Drawn while it waits.
    w.key_version = 3;
    w.jump(50 * HOUR);
    assert_eq!(finishes(&w.settle()), 1);
    assert!(matches!(w.guard(key), Guard::Released { .. }));
}

#[test]
fn a_flagged_escrow_is_never_finished_and_is_taken_back() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    w.jump(12 * HOUR);
    flag(&mut w, p).unwrap();
    assert_eq!(flag(&mut w, p), Ok(()), "the same hold again changes nothing");
    assert_eq!(w.stops_on(&Subject::Proposal(p)).len(), 1);
    w.jump(37 * HOUR + 10);
    for _ in 0..20 {
        w.jump(HOUR);
        assert!(w.sent().is_empty());
        assert!(matches!(w.guard(key), Guard::Locked { .. }));
    }
    w.jump(5 * HOUR);
    let sent = w.settle();
    assert_eq!(sent[0].tx_type(), TransactionType::EscrowCancel);
    assert!(matches!(w.guard(key), Guard::Cancelled { .. }));
    assert_eq!(
        flag(&mut w, p).unwrap_err().code(),
        "ESCROW_ENDED",
        "what there is to say is what became of it"
    );
}

#[test]
fn a_cleared_hold_lets_the_release_go_on() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    flag(&mut w, p).unwrap();
    w.jump(50 * HOUR);
    assert!(w.sent().is_empty());
    let clear = Command::Clear { proposal: p, reason: String::new() };
    assert_eq!(w.command("alice", clear.clone()).unwrap_err().code(), "ROLE_MISSING");
    w.command("dave", clear).unwrap();
    w.close(&[]);
    assert_eq!(finishes(&w.settle()), 1);
    assert!(matches!(w.guard(key), Guard::Released { .. }));
}

#[test]
fn a_hold_that_comes_while_the_release_is_being_signed_still_stops_it() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    w.signer_answers = false;
    w.jump(50 * HOUR);
    let asked = w.unanswered.pop().unwrap();
    assert!(matches!(asked, Effect::DeriveFulfillment { .. }));
    w.sign(asked);
    let asked = w.unanswered.pop().unwrap();
    assert!(matches!(asked, Effect::SignSingle { opening: Some(_), .. }));
    flag(&mut w, p).unwrap();
    w.sign(asked);
    assert!(w.sent().is_empty());
    assert!(matches!(w.guard(key), Guard::Locked { preparing: None, .. }));
}

#[test]
fn what_opens_an_escrow_is_not_signed_where_a_hold_came_before_it() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    w.signer_answers = false;
    w.jump(50 * HOUR);
    let asked = w.unanswered.pop().unwrap();
    assert!(matches!(asked, Effect::DeriveFulfillment { .. }));
    flag(&mut w, p).unwrap();
    w.sign(asked);
    assert!(w.unanswered.iter().all(|effect| !matches!(effect, Effect::SignSingle { .. })));
    assert!(matches!(w.guard(key), Guard::Locked { preparing: None, .. }));
}

#[test]
fn what_does_not_open_the_escrow_is_not_signed() {
    for (other, about) in [(true, "of another escrow"), (false, "with another fulfillment")] {
        let mut w = World::new();
        let (_, key) = w.escrow();
        w.signer_answers = false;
        w.jump(50 * HOUR);
        let Some(Effect::DeriveFulfillment { proposal, inputs }) = w.unanswered.pop() else { panic!() };
        let sequence = inputs.escrow.sequence + 1;
        let elsewhere = ReleaseInputs { escrow: EscrowKey { sequence, ..inputs.escrow }, ..inputs.clone() };
        let opening = if other {
            opening(&elsewhere)
        } else {
            Opening { fulfillment: opening(&elsewhere).fulfillment, ..opening(&inputs) }
        };
        w.input(Input::FulfillmentDerived { proposal, party: inputs.party, opening });
        assert!(w.unanswered.is_empty(), "{about}: {:?}", w.unanswered);
        assert!(matches!(w.guard(key), Guard::Locked { preparing: None, .. }), "{about}");
    }
}

#[test]
fn a_freeze_that_comes_while_the_release_is_being_signed_still_stops_it() {
    for account in [None, Some("warm"), Some("runner")] {
        let mut w = World::new();
        let (_, key) = w.escrow();
        w.signer_answers = false;
        w.jump(50 * HOUR);
        let asked = w.unanswered.pop().unwrap();
        let freeze = Command::Freeze { account: account.map(id), reason: "drill".to_owned() };
        w.command("dave", freeze).unwrap();
        w.sign(asked);
        assert!(w.sent().is_empty(), "{account:?}");
        assert!(matches!(w.guard(key), Guard::Locked { .. }));
    }
}

#[test]
fn nothing_is_released_without_sight() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.silence(60);
    w.jump(50 * HOUR);
    assert!(w.sent().is_empty());
    assert!(matches!(w.guard(key), Guard::Locked { .. }));
    w.reconcile();
    assert_eq!(finishes(&w.settle()), 1);
}

#[test]
fn too_late_is_said_plainly() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    w.jump(50 * HOUR);
    w.close(&[]);
    assert_eq!(flag(&mut w, p), Err(CommandError::Revealed { escrow: key }));
    w.settle();
    assert_eq!(flag(&mut w, p), Err(CommandError::EscrowEnded { escrow: key, how: "released" }));
}

#[test]
fn a_release_that_expires_is_tried_again_with_a_fresh_transaction() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.jump(50 * HOUR);
    let first = w.sent().remove(0);
    for _ in 0..60 {
        w.close(&[]);
    }
    let last = w.sent().pop().unwrap();
    assert_eq!(last.tx_type(), TransactionType::EscrowFinish);
    assert_ne!(last.id(), first.id());
    assert!(last.last_ledger_sequence() > first.last_ledger_sequence());
    w.close(&[last]);
    assert!(matches!(w.guard(key), Guard::Released { .. }));
}

#[test]
fn a_restart_in_the_wait_loses_nothing_and_repeats_nothing() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.restart();
    w.reconcile();
    assert!(w.sent().is_empty());
    w.jump(50 * HOUR);
    let sent = w.sent();
    w.restart();
    w.reconcile();
    assert_eq!(w.sent(), sent, "the same release, not another one");
    w.close(&sent);
    assert!(matches!(w.guard(key), Guard::Released { .. }));
}

#[test]
fn a_signer_that_gives_something_else_is_not_believed() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.signer_answers = false;
    w.jump(50 * HOUR);
    let asked = w.unanswered.pop().unwrap();
    w.sign(asked);
    let Some(Effect::SignSingle { proposal, rungs, .. }) = w.unanswered.pop() else { panic!() };
    // Signed, but without the fulfillment.
    let blobs = rungs
        .iter()
        .map(|rung| {
            let tx = Transaction::decode(&rung.0).unwrap();
            HexBytes(xrpl_wire::sign::sign_single(&tx, &crate::world::key("runner")).unwrap().encode())
        })
        .collect();
    w.input(Input::SingleSigned { proposal, blobs: Unsent(blobs) });
    assert!(w.sent().is_empty());
    assert!(matches!(w.guard(key), Guard::Locked { preparing: None, .. }));
}

#[test]
fn an_escrow_that_nobody_proposed_is_found_and_never_touched() {
    let mut w = World::new();
    let key = EscrowKey { owner: id("warm"), sequence: 77 };
    let escrow = EscrowView {
        key,
        destination: id("mallory"),
        destination_tag: None,
        amount: Some(amount(5 * XRP)),
        finish_after: Some(RippleTime(1)),
        cancel_after: None,
        condition: None,
    };
    w.change(vec![Change::EscrowCreated { escrow }]);
    assert_eq!(w.guard(key), &Guard::Foreign);
    let finding = w.state.findings.values().next().unwrap();
    assert!(finding.evidence.contains("nobody can stop it"), "{}", finding.evidence);
    w.jump(1_000 * HOUR);
    assert!(w.sent().is_empty());
    assert_eq!(w.guard(key), &Guard::Foreign, "it is remembered as long as it stands");
    w.change(vec![Change::EscrowDeleted { key, tx_id: hash("a"), tx_type: "EscrowFinish".to_owned() }]);
    w.close(&[]);
    assert!(
        matches!(w.state.escrows[&key].guard, Guard::Released { .. }),
        "people look at what has just ended"
    );
    w.jump(24 * HOUR + 1);
    assert!(w.state.escrows.is_empty(), "and one that ended a day ago is in the log alone");
}

#[test]
fn the_fulfillment_is_in_nothing_before_the_reveal_is_recorded() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    w.signer_answers = false;
    w.jump(50 * HOUR);
    let derived = w.unanswered.pop().unwrap();
    w.sign(derived);
    let asked = w.unanswered.pop().unwrap();
    let before: String = w.events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    w.sign(asked);
    let sent = w.sent();
    let fulfillment = HexBytes(sent[0].object().blob(sf::Fulfillment).unwrap().to_vec()).to_string();
    assert!(!before.contains(&fulfillment[8..]), "the preimage is in no event before the reveal");
    assert!(matches!(w.guard(key), Guard::Releasing { .. }));
    assert!(w.stops_on(&Subject::Proposal(p)).is_empty());
}

fn link() -> TierLink {
    TierLink {
        name: "warm-to-hot".to_owned(),
        from: id("warm"),
        to: id("hot"),
        asset: Asset::Xrp,
        keeps: Keeps::Filled { floor: amount(500 * XRP), target: amount(1_000 * XRP) },
        source_floor: amount(100 * XRP),
        move_min: amount(0),
        move_max: amount(1_000 * XRP),
        period_max: amount(1_500 * XRP),
        period_seconds: 24 * HOUR,
        limits: Vec::new(),
        hours: None,
    }
}

#[test]
fn a_hot_account_below_its_floor_is_refilled_once_and_within_limits() {
    let mut w = World::new();
    w.config.links = vec![link()];
    let low = |w: &mut World, xrp: u64| {
        let change = w.pay(id("hot"), |_| xrp * XRP).unwrap();
        w.change(vec![change]);
    };
    low(&mut w, 500);
    assert!(w.sent().is_empty(), "at its floor it is not below it");
    low(&mut w, 200);
    let first = w.sent();
    assert_eq!(first[0].object().amount(sf::Amount), Some(xrpl_wire::Amount::Xrp(drops(800 * XRP))));
    w.close(&[]);
    assert_eq!(w.sent(), first, "in flight: the same one again, never a second");
    w.close(&first);
    assert_eq!(w.state.balance(&id("hot")), drops(1_000 * XRP));
    low(&mut w, 200);
    let second = w.sent();
    assert_eq!(
        second[0].object().amount(sf::Amount),
        Some(xrpl_wire::Amount::Xrp(drops(700 * XRP))),
        "the period's rest"
    );
    w.close(&second);
    low(&mut w, 200);
    assert!(w.sent().is_empty(), "the period is used up");
    w.jump(25 * HOUR);
    assert_eq!(w.settle().len(), 1);
}

#[test]
fn a_move_that_waited_long_counts_from_when_it_was_made() {
    let mut w = World::new();
    w.config.timing.deadline_seconds = 3 * HOUR;
    w.config.timing.agent_ledgers = 10_000;
    w.config.links = vec![TierLink { period_max: amount(800 * XRP), period_seconds: HOUR, ..link() }];
    let low = |w: &mut World| {
        let change = w.pay(id("hot"), |_| 200 * XRP).unwrap();
        w.change(vec![change]);
    };
    w.signer_answers = false;
    low(&mut w);
    w.jump(2 * HOUR);
    w.signer_answers = true;
    let asked = std::mem::take(&mut w.unanswered);
    asked.into_iter().for_each(|effect| w.sign(effect));
    assert_eq!(w.settle().len(), 1);
    low(&mut w);
    assert!(w.sent().is_empty(), "the period's money moved a moment ago");
    w.jump(2 * HOUR);
    assert_eq!(w.settle().len(), 1);
}

#[test]
fn a_move_that_policy_denies_is_not_asked_for_at_every_ledger() {
    let mut w = World::new();
    w.config.links = vec![TierLink {
        keeps: Keeps::Filled { floor: amount(500 * XRP), target: amount(9_000 * XRP) },
        move_max: amount(9_000 * XRP),
        period_max: amount(90_000 * XRP),
        ..link()
    }];
    let change = w.pay(id("hot"), |_| 0).unwrap();
    w.change(vec![change]);
    for _ in 0..10 {
        w.close(&[]);
    }
    assert_eq!(w.state.proposals.len(), 1);
    assert_eq!(w.state.proposals.values().next().unwrap().status.word(), "denied");
}

#[test]
fn an_escrow_of_a_payment_that_was_withdrawn_is_not_released() {
    let mut w = World::new();
    let p = w.propose("warm", 2_000);
    let tx = Transaction::decode(&w.rungs(p)[0].0).unwrap();
    let signed = ["alice", "bob"]
        .map(|name| xrpl_wire::sign::sign_for(&tx, id(name), &crate::world::key(name)).unwrap());
    let outside = xrpl_wire::sign::assemble(&tx, signed.to_vec()).unwrap();
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    w.close(&[outside]);
    let key = EscrowKey { owner: id("warm"), sequence: tx.seq().value() };
    assert!(matches!(w.guard(key), Guard::Locked { .. }));
    w.jump(60 * HOUR);
    assert!(w.sent().is_empty());
    w.jump(20 * HOUR);
    assert_eq!(w.settle()[0].tx_type(), TransactionType::EscrowCancel);
}

#[test]
fn a_daemon_that_has_just_started_releases_nothing_on_what_the_last_one_saw() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    w.restart();
    w.jump(50 * HOUR);
    assert!(w.sent().is_empty());
    assert!(matches!(w.guard(key), Guard::Locked { .. }));
    let at = w.state.ledger.unwrap();
    w.input(treasury_core::Input::Reconciled { at, accounts: Vec::new(), from: String::new(), wall_ms: 1 });
    assert!(!w.state.sees(), "a part is not the whole");
    w.reconcile();
    assert_eq!(finishes(&w.settle()), 1);
    assert_eq!(w.word(p), "validated");
}

#[test]
fn a_release_that_was_called_back_is_asked_about_again_under_another_policy() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.jump(50 * HOUR);
    assert_eq!(finishes(&w.sent()), 1);
    let Guard::Releasing { attempt: Some(attempt), .. } = w.guard(key).clone() else { panic!() };
    w.input(Input::SightLost { reason: "the configuration was read anew".to_owned() });
    w.reply_with(attempt, treasury_core::input::SubmitReply::NotSent);
    let mut rules = w.config.policy.rules().to_vec();
    rules.push(treasury_core::policy::Rule::new("closed", treasury_core::policy::Action::Deny));
    w.config.policy = treasury_core::policy::Policy::new(rules);
    w.close(&[]);
    w.reconcile();
    w.close(&[]);
    assert_eq!(finishes(&w.sent()), 0);
}

/// Danger: what is remembered of each escrow that there ever was fills the memory of a process that runs for years.
#[test]
fn nothing_is_remembered_of_the_tries_to_end_an_escrow_once_it_has_ended() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    let foreign = EscrowView {
        key: EscrowKey { owner: id("warm"), sequence: 90 },
        ..w.state.escrows[&key].view.clone()
    };
    w.change(vec![Change::EscrowCreated { escrow: foreign.clone() }]);
    w.lift_all();
    w.jump(50 * HOUR);
    for _ in 0..25 {
        w.close(&[]);
    }
    let remembered = |w: &World| format!("{:?}", w.runtime);
    assert!(!remembered(&w).contains("escrow_retry: {}"), "the first try came to nothing");
    assert!(!remembered(&w).contains("looked_at: {}"));
    w.sent();
    w.jump(200);
    w.settle();
    assert!(matches!(w.guard(key), Guard::Released { .. }), "{:?}", w.guard(key));
    let (tx_id, tx_type) = (hash("theirs"), "EscrowCancel".to_owned());
    w.change(vec![Change::EscrowDeleted { key: foreign.key, tx_id, tx_type }]);
    assert!(remembered(&w).contains("escrow_retry: {}"), "{}", remembered(&w));
    assert!(remembered(&w).contains("looked_at: {}"), "{}", remembered(&w));
}
