//! What must hold is looked for: each violation is forged once, and found.

use treasury_core::invariant::{Violation, check_step};
use treasury_core::observe::LedgerPoint;
use treasury_core::proposal::Status;
use treasury_core::state::Guard;
use treasury_core::stops::{Stop, StopKind, StopSource, Subject};
use treasury_core::units::{ProposalId, RippleTime};
use treasury_core::{Command, Event};

use crate::world::{World, id};

fn stop(w: &World, subject: Subject) -> Stop {
    let at = w.state.ledger.unwrap();
    let source = StopSource::Person("dave".to_owned());
    Stop {
        id: w.state.stops.next_id(),
        subject,
        kind: StopKind::Hold,
        source,
        origin: None,
        reason: String::new(),
        at,
    }
}

#[test]
fn what_is_sent_through_a_stop_that_stood_before_is_found() {
    for subject in [
        Subject::Everything,
        Subject::Account(id("hot")),
        Subject::Destination(id("shop")),
        Subject::Account(id("shop")),
    ] {
        let mut w = World::new();
        let p = w.propose("hot", 50);
        let Status::InFlight(submission) = w.proposal(p).status.clone() else { panic!() };
        let sent = Event::SubmissionRecorded { proposal: p, submission };
        check_step(&w.state, std::slice::from_ref(&sent)).unwrap();
        let set = Event::StopSet { stop: stop(&w, subject) };
        w.state.apply(&set).unwrap();
        let error = check_step(&w.state, std::slice::from_ref(&sent)).unwrap_err();
        assert!(matches!(error, Violation::ThroughStop { proposal, .. } if proposal == p), "{error}");
        check_step(&w.state, &[sent, set]).unwrap();
    }
}

#[test]
fn an_attempt_that_is_over_or_for_something_else_is_found() {
    let mut w = World::new();
    let (made, key) = w.escrow();
    let hot = w.propose("hot", 50);
    for wrong in [made, hot, ProposalId(99)] {
        let event = Event::AttemptChanged { escrow: key, attempt: Some(wrong) };
        let mut state = w.state.clone();
        state.apply(&event).unwrap();
        let error = check_step(&state, &[Event::AttemptChanged { escrow: key, attempt: None }]);
        assert!(
            matches!(error, Err(Violation::Attempt { attempt, .. }) if attempt == wrong),
            "{wrong}: {error:?}"
        );
    }
    assert!(matches!(w.guard(key), Guard::Locked { preparing: None, .. }));
}

#[test]
fn a_slot_that_is_free_while_what_was_signed_can_be_applied_is_found() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    let freed = Event::SlotFreed { proposal: p, paid: None };
    let mut state = w.state.clone();
    state.apply(&freed).unwrap();
    assert_eq!(check_step(&state, &[freed]).unwrap_err(), Violation::EarlyFree(p));
}

#[test]
fn a_draft_beyond_its_deadline_is_found() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let observation = w.next_ledger(4);
    let mut state = w.state.clone();
    let proposal = state.proposals.get_mut(&p).unwrap();
    (proposal.status, proposal.deadline_seconds) = (Status::Drafted, 0);
    proposal.drafted = LedgerPoint { close_time: RippleTime(1), ..proposal.drafted };
    proposal.plan = None;
    state.slots.clear();
    let error = check_step(&state, &[Event::LedgerTaken { observation, taken: None }]);
    assert_eq!(error.unwrap_err(), Violation::LateDraft(p));
}
