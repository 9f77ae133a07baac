//! Sight: what is proven outranks what one server says, and what is old is not of now.

use crate::world::{World, amount, config, drops, id};
use treasury_core::Event;
use treasury_core::command::Command;
use treasury_core::config::FindingKind;
use treasury_core::effect::Effect;
use treasury_core::input::Input;
use treasury_core::observe::{AccountSnapshot, Change, EscrowView, LedgerObservation, OpaqueTx};
use treasury_core::state::{Guard, Sight};
use treasury_core::units::{Amount, EscrowKey, Hash256, ProposalId, RippleTime};

#[test]
fn a_reading_that_differs_from_the_proven_ledgers_changes_nothing_and_costs_sight() {
    let mut w = World::new();
    let (proposal, key) = w.escrow();
    type Lie = fn(&mut AccountSnapshot);
    let lies: [(&str, Lie); 4] = [
        ("balance", |read| read.root.as_mut().unwrap().balance = drops(1)),
        ("ticket", |read| read.tickets.clear()),
        ("escrow", |read| read.escrows.clear()),
        ("list", |read| read.signer_list = None),
    ];
    for (what, lie) in lies {
        let (accounts, slots) = (w.state.accounts.clone(), w.state.slots.clone());
        w.misread(id("warm"), lie);
        assert!(!w.state.sees(), "{what}: one of the two is wrong");
        assert_eq!((&w.state.accounts, &w.state.slots), (&accounts, &slots), "{what}");
        assert!(matches!(w.guard(key), Guard::Locked { .. }), "{what}");
        w.propose_blind("warm");
        w.misread(id("warm"), lie);
        w.close(&[]);
        assert!(!w.state.sees(), "{what}: it was asked again, and not answered yet");
        w.reconcile();
        assert!(w.state.sees(), "{what}: another server agrees with the ledgers");
        let found = w.state.findings.values().filter(|finding| finding.kind == FindingKind::ViewDiffers);
        assert_eq!(found.count(), w.state.findings.len(), "{what}");
    }
    assert_eq!(w.state.findings.len(), lies.len(), "each lie is told once");
    assert_eq!(w.word(proposal), "validated");
}

#[test]
fn an_account_in_doubt_sends_nothing_until_it_has_been_read_anew() {
    for touched in ["warm", "alice", "agent-1"] {
        let mut w = World::new();
        w.answers_readings = false;
        let p = w.propose("warm", 500);
        w.approve("alice", p).unwrap();
        let mut observation = w.next_ledger(4);
        let accounts = [id(touched)].into();
        observation.opaque.push(OpaqueTx { id: Hash256::ZERO, accounts, reason: "type 200".to_owned() });
        w.hand_on(observation);
        w.approve("bob", p).unwrap();
        w.jump(4);
        assert!(w.state.sees(), "{touched}");
        assert!(w.sent().is_empty(), "{touched}: its keys or its Tickets may be others by now");
        assert_eq!(w.proposal(p).approvals.len(), 2, "{touched}: nothing is thrown away in doubt");
        assert!(
            w.unanswered
                .iter()
                .any(|effect| matches!(effect, Effect::Reconcile { accounts } if *accounts == [id(touched)]))
        );
        // What is read is believed, for there is nothing better.
        w.misread(id(touched), |read| read.root.as_mut().map_or((), |root| root.owner_count = 77));
        assert!(w.state.sees() && w.state.doubtful.is_empty(), "{touched}");
        assert_eq!(w.sent().len(), 1, "{touched}");
        let root = w.state.accounts[&id(touched)].root;
        assert!(root.is_none_or(|root| root.owner_count == 77), "{touched}");
    }
}

#[test]
fn sight_has_an_age() {
    // Ledgers come, each long after it closed: what they tell is of then.
    let mut w = World::new();
    let now = w.state.now().0;
    w.tick(RippleTime(now + 61));
    assert!(!w.state.sees());
    assert!(
        matches!(&w.state.sight, Sight::Lost(reason) if reason.contains("61 s ago")),
        "{:?}",
        w.state.sight
    );
    // One more of long ago does not mend it, and one of now does.
    w.tick(RippleTime(now + 100));
    let late = w.next_ledger(4);
    w.input(Input::Ledger { observation: late, wall_ms: 9_000 });
    w.reconcile();
    assert!(!w.state.sees());
    w.close_at(90, &[], "tesSUCCESS");
    w.reconcile();
    assert!(w.state.sees());
}

#[test]
fn after_a_start_sight_has_an_age_too() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.jump(50 * 3600);
    w.sent();
    assert!(matches!(w.guard(key), Guard::Releasing { .. }), "with sight it is released");
    let mut w = World::new();
    let (_, key) = w.escrow();
    let day = w.state.now().0 + 86_400;
    w.restart();
    w.tick(RippleTime(day));
    w.reconcile();
    assert!(!w.state.sees(), "no ledger for a day");
    w.runtime = treasury_core::Runtime::new();
    w.reconcile();
    assert!(!w.state.sees(), "nobody has said what time it is");
    assert!(matches!(w.guard(key), Guard::Locked { .. }));
    w.close_at(86_400, &[], "tesSUCCESS");
    w.reconcile();
    assert!(w.state.sees());
}

#[test]
fn where_the_ledger_keeps_a_time_of_its_own_utc_is_not_asked() {
    let mut config = config();
    config.timing.ledger_age_max_seconds = None;
    let mut w = World::with(config);
    w.clock_ahead = 365 * 86_400;
    let (p, key) = w.escrow();
    assert!(w.state.sees(), "a ledger of a year ago is of now");
    let terms = w.proposal(p).release_inputs().unwrap().clone();
    let now = w.state.now().0;
    w.jump(terms.finish_after.0 - now + 1);
    assert!(matches!(w.guard(key), Guard::Releasing { .. }), "the delay counts by the ledger's time");
    w.restart();
    w.reconcile();
    assert!(w.state.sees(), "after a start, too");
}

#[test]
fn a_recipient_that_was_read_wrong_at_first_costs_no_sight_unless_its_keys_or_flags_were() {
    let mut w = World::new();
    w.misread(id("shop"), |read| read.root.as_mut().unwrap().balance = drops(1));
    assert!(w.state.sees(), "nothing rests on what others own");
    w.misread(id("shop"), |read| read.root.as_mut().unwrap().flags = 0x0100_0000);
    assert!(!w.state.sees());
    w.close(&[]);
    w.reconcile();
    assert!(w.state.sees());
}

/// A payment that was sent, and ledgers past its end of which one server's word is all there is.
fn sent_before_a_gap() -> (World, ProposalId) {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    assert_eq!(w.word(p), "in_flight");
    w.sent();
    w.answers_readings = false;
    let last = w.proposal(p).plan.as_ref().unwrap().last_ledger_sequence;
    while w.state.ledger.unwrap().index <= last {
        let observation = LedgerObservation { unproven: true, ..w.next_ledger(4) };
        w.hand_on(observation);
    }
    assert!(!w.state.sees(), "what is not proven is not seen");
    (w, p)
}

#[test]
fn a_payment_that_a_gap_may_hide_is_not_expired_while_nobody_has_seen_its_ticket_stand() {
    let (mut w, p) = sent_before_a_gap();
    let slots = w.state.slots.clone();
    let ticket = *w.state.accounts[&id("hot")].tickets.first().unwrap();
    assert!(!slots.is_empty());
    let is_kept = |w: &World| {
        assert_eq!(w.word(p), "in_flight");
        assert_eq!(w.state.slots, slots, "its Ticket may be used, and is nobody's");
        assert!(!w.state.sees());
    };
    is_kept(&w);
    w.close(&[]);
    is_kept(&w);
    w.restart();
    w.close(&[]);
    is_kept(&w);
    // The server left it out, and another shows that the Ticket is gone.
    let was_paid = |read: &mut AccountSnapshot| {
        read.tickets.remove(&ticket);
    };
    w.misread(id("hot"), was_paid);
    is_kept(&w);
    assert!(w.state.findings.values().any(|finding| finding.kind == FindingKind::ViewDiffers));
    w.close(&[]);
    w.misread(id("hot"), was_paid);
    is_kept(&w);
}

#[test]
fn a_payment_that_a_gap_does_not_hide_is_expired_when_its_ticket_is_seen_to_stand() {
    let (mut w, p) = sent_before_a_gap();
    w.close(&[]);
    assert_eq!(w.word(p), "in_flight");
    w.reconcile();
    assert_eq!(w.word(p), "expired");
    assert!(w.state.sees() && !w.state.unproven);
    assert!(w.state.slots.is_empty());
    let is_blind = |finding: &treasury_core::state::Finding| finding.kind == FindingKind::Blind;
    assert!(w.state.findings.values().all(is_blind), "{:?}", w.state.findings);
}

#[test]
fn an_escrow_of_a_token_that_an_earlier_version_took_in_costs_no_sight() {
    let mut w = World::new();
    let escrow = EscrowView {
        key: EscrowKey { owner: id("warm"), sequence: 77 },
        destination: id("shop"),
        destination_tag: None,
        amount: None,
        finish_after: Some(RippleTime(900_000_000)),
        cancel_after: Some(RippleTime(900_000_001)),
        condition: None,
    };
    w.change(vec![Change::EscrowCreated { escrow }]);
    w.restart();
    w.close(&[]);
    let token = Amount::from_words("5 EUR.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B").unwrap();
    w.misread(id("warm"), |read| read.escrows[0].amount = Some(token));
    assert!(w.state.sees(), "{:?}", w.state.sight);
    w.misread(id("warm"), |read| read.escrows[0].amount = Some(amount(5)));
    assert!(!w.state.sees(), "XRP was told in every version");
}

/// A ledger that stands still can be read over and over.
#[test]
fn sight_that_was_lost_comes_back_with_a_new_ledger_and_not_with_a_reading_of_the_last_one() {
    let mut w = World::new();
    w.input(Input::SightLost { reason: "no server answers".to_owned() });
    for _ in 0..3 {
        w.reconcile();
        assert!(!w.state.sees());
    }
    w.close(&[]);
    w.reconcile();
    assert!(w.state.sees());
}

/// A clock is looked at with every tick; what it says between two of them goes on by wall time.
#[test]
fn a_ledger_is_too_old_by_the_clock_of_the_last_tick_and_the_wall_time_since() {
    for (seconds, sees) in [(0_u64, true), (5, true), (5_000, false)] {
        let mut w = World::new();
        let utc = RippleTime(w.state.now().0 + 4);
        w.input(Input::Tick { wall_ms: 4_000, utc });
        let wall_ms = 4_000 + seconds * 1_000;
        let observation = w.next_ledger(4);
        w.input(Input::Ledger { observation, wall_ms });
        assert_eq!(w.state.sees(), sees, "{seconds}");
    }
}

#[test]
fn a_lie_about_one_account_is_told_once_though_there_was_one_about_another_since() {
    let mut w = World::new();
    for (liar, told) in [("warm", 1), ("hot", 2), ("warm", 2), ("hot", 2)] {
        w.misread(id(liar), |read| read.signer_list = None);
        w.close(&[]);
        w.reconcile();
        assert!(w.state.sees());
        let found = w.state.findings.values().filter(|finding| finding.kind == FindingKind::ViewDiffers);
        assert_eq!(found.count(), told, "{liar}");
    }
}

/// An escrow that comes with a reading is known since then; of a reading without one there is nothing to keep the time for.
#[test]
fn a_reading_keeps_the_time_where_an_escrow_came_with_it_and_nowhere_else() {
    let taken = |w: &World| {
        let read = w.events.iter().rev().find_map(|event| match event {
            Event::AccountsRead { taken, .. } => Some(*taken),
            _ => None,
        });
        read.unwrap()
    };
    let mut w = World::new();
    let mut payment = w.payment("warm", 50);
    payment.destination = w.stranger("mallory", Some(0));
    w.command("alice", Command::Propose(payment)).unwrap();
    assert!(w.state.accounts.contains_key(&id("mallory")));
    assert_eq!(taken(&w), None);
}
