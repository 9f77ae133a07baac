//! What must hold is looked for: each violation is forged once, and found.

use treasury_core::invariant::{Violation, check, check_after, check_step};
use treasury_core::observe::{AccountSnapshot, Change, LedgerPoint};
use treasury_core::proposal::{Proposal, Rejection, Status};
use treasury_core::state::{Guard, Sight, State};
use treasury_core::stops::{Stop, StopKind, StopSource, Subject};
use treasury_core::units::{LedgerIndex, ProposalId, RippleTime, SeqProxy};
use treasury_core::{Command, Event};

use crate::world::{World, hash, id};

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

/// What is found after `forge` has changed the state by hand, when this event concerns it, and when everything is looked at.
fn found(w: &World, forge: impl FnOnce(&mut State), event: Event) -> [Option<Violation>; 2] {
    let mut state = w.state.clone();
    check_after(&state, std::slice::from_ref(&event)).unwrap();
    forge(&mut state);
    [check_after(&state, &[event]).err(), check(&state).err()]
}

#[test]
fn an_open_proposal_that_is_in_no_index_is_found_by_whatever_concerns_it() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let proposal = Box::new(w.proposal(p).clone());
    let Proposal { decision, plan, .. } = w.proposal(p).clone();
    let reason = String::new();
    w.approve("alice", p).unwrap();
    let approval = w.proposal(p).approvals.values().next().unwrap().clone();
    let rejection = Rejection {
        signer: None,
        reason: String::new(),
        origin: None,
        panic: false,
        at: w.state.ledger.unwrap(),
    };
    let events = [
        Event::ProposalDrafted { proposal, idempotency_key: None },
        Event::Redecided { proposal: p, decision },
        Event::ProposalPlanned { proposal: p, plan: plan.unwrap() },
        Event::Approved { proposal: p, approval },
        Event::ApprovalDropped { proposal: p, signer: id("alice"), reason },
        Event::Objected { proposal: p, person: "bob".to_owned(), rejection },
        Event::StatusChanged { proposal: p, ready: true },
        Event::RungChosen { proposal: p, rung: 0 },
        Event::SubmitReplied { proposal: p, reply: String::new() },
        Event::ProposalEnded { proposal: p, status: Status::Expired, frees_slot: true },
        Event::SlotFreed { proposal: p, paid: None },
    ];
    for event in events {
        let lost = Some(Violation::OpenIndex(p));
        let [of_it, of_all] = found(
            &w,
            |state| {
                state.open.remove(&p);
            },
            event.clone(),
        );
        assert_eq!(of_it, lost, "{event:?}");
        assert_eq!(of_all, None, "what is in no index is looked at where something concerns it");
        let ended = RippleTime(1);
        let [of_it, of_all] = found(
            &w,
            |state| {
                state.ended.insert(p, ended);
            },
            event.clone(),
        );
        assert_eq!((of_it, of_all), (lost.clone(), lost.clone()), "{event:?}");
        let [of_it, _] = found(&w, |state| drop(state.proposals.remove(&p)), event);
        assert_eq!(of_it, lost);
    }
}

#[test]
fn what_left_the_state_and_is_still_pointed_to_is_found() {
    let mut w = World::new();
    let p = w.propose("warm", 9_000);
    assert_eq!(w.word(p), "denied");
    let proposal = w.proposal(p).clone();
    let archived = Event::ProposalArchived { proposal: p };
    w.record(archived.clone());
    let _ = w.state.take_retired();
    let forge = |forge: &dyn Fn(&mut State)| {
        let mut state = w.state.clone();
        forge(&mut state);
        check_after(&state, std::slice::from_ref(&archived)).err()
    };
    assert_eq!(forge(&|_| {}), None);
    let lost = Some(Violation::OpenIndex(p));
    assert_eq!(
        forge(&|state| {
            state.open.insert(p);
        }),
        lost
    );
    assert_eq!(
        forge(&|state| {
            state.ended.insert(p, RippleTime(1));
        }),
        lost
    );
    assert_eq!(forge(&|state| drop(state.proposals.insert(p, proposal.clone()))), lost);
    assert_eq!(
        forge(&|state| {
            state.slots.insert((id("warm"), SeqProxy::Ticket(11)), p);
        }),
        lost
    );
    // What else comes of it in the same step is no violation where it leaves with that.
    let mut step = vec![Event::StatusChanged { proposal: p, ready: true }, archived];
    check_after(&w.state, &step).unwrap();
    step.pop();
    assert_eq!(check_after(&w.state, &step).err(), lost);
}

#[test]
fn a_slot_of_another_or_of_nobody_is_found() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let event = || Event::StatusChanged { proposal: p, ready: true };
    let slot = (id("warm"), w.proposal(p).plan.as_ref().unwrap().slot);
    let [of_it, of_all] = found(
        &w,
        |state| {
            state.slots.remove(&slot);
        },
        event(),
    );
    assert_eq!((of_it, of_all), (Some(Violation::LostSlot(p)), Some(Violation::LostSlot(p))));
    for other in [(id("warm"), SeqProxy::Ticket(20)), (id("hot"), slot.1)] {
        let [of_it, of_all] = found(
            &w,
            |state| {
                state.slots.insert(other, p);
            },
            event(),
        );
        assert_eq!((of_it, of_all), (None, Some(Violation::ForeignSlot(p))));
    }
    let nobody = ProposalId(99);
    let [_, of_all] = found(
        &w,
        |state| {
            state.slots.insert((id("hot"), slot.1), nobody);
        },
        event(),
    );
    assert_eq!(of_all, Some(Violation::ForeignSlot(nobody)));
}

#[test]
fn what_is_sent_without_a_rung_and_money_that_is_in_no_book_is_found() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    let event = || Event::RungChosen { proposal: p, rung: 0 };
    let past = |state: &mut State| {
        let Status::InFlight(submission) = &mut state.proposals.get_mut(&p).unwrap().status else { panic!() };
        submission.current = submission.rungs.len();
    };
    let empty = Some(Violation::EmptySubmission(p));
    assert_eq!(found(&w, past, event()), [empty.clone(), empty]);
    let lost = Some(Violation::Book(p));
    assert_eq!(found(&w, |state| state.book = Default::default(), event()), [lost.clone(), lost]);
    // What has ended and gave its slot back stands in the book no more.
    let mut ended = World::new();
    let q = ended.propose("warm", 500);
    ended.command("alice", Command::Withdraw { proposal: q }).unwrap();
    let slots = |state: &mut State| state.slots.clear();
    let event = Event::SubmitReplied { proposal: q, reply: String::new() };
    assert_eq!(found(&ended, slots, event), [Some(Violation::Book(q)), None]);
}

#[test]
fn an_escrow_that_indexes_disagree_about_is_found_by_whatever_concerns_it() {
    let mut w = World::new();
    let (made, key) = w.escrow();
    let at = w.state.ledger.unwrap();
    let view = w.state.escrows[&key].view.clone();
    let mut created = w.next_ledger(4);
    created.changes = vec![Change::EscrowCreated { escrow: view }];
    let mut deleted = w.next_ledger(4);
    let (tx_id, tx_type) = (hash("its end"), "EscrowFinish".to_owned());
    deleted.changes = vec![Change::EscrowDeleted { key, tx_id, tx_type }];
    let read = AccountSnapshot {
        account: id("warm"),
        root: None,
        signer_list: None,
        tickets: Default::default(),
        escrows: Vec::new(),
        trust_lines: None,
        settings: None,
    };
    let proposal = Box::new(w.proposal(made).clone());
    let events = [
        Event::LedgerTaken { observation: created, taken: None },
        Event::LedgerTaken { observation: deleted, taken: None },
        Event::AccountsRead { at, accounts: vec![read], taken: None },
        Event::AttemptChanged { escrow: key, attempt: None },
        Event::EscrowRecognised { escrow: key, proposal },
        Event::EscrowRevealed { escrow: key, attempt: made, at },
        Event::SightChanged { sight: Sight::Clear },
    ];
    let wrong = Some(Violation::StandingIndex(key));
    for event in events {
        let [of_it, _] = found(&w, |state| state.by_finish_after.clear(), event.clone());
        assert_eq!(of_it, wrong, "{event:?}");
        let [of_it, _] = found(&w, |state| state.by_destination.clear(), event.clone());
        assert_eq!(of_it, wrong, "{event:?}");
        let [of_it, of_all] = found(&w, |state| drop(state.escrows.remove(&key)), event.clone());
        assert_eq!((of_it, of_all), (wrong.clone(), wrong.clone()), "{event:?}");
        if !matches!(event, Event::AccountsRead { .. } | Event::SightChanged { .. }) {
            let [of_it, _] = found(&w, |state| state.standing.clear(), event.clone());
            assert_eq!(of_it, wrong, "{event:?}");
        }
    }
    let gone = Guard::Gone { proposal: Some(made), at };
    let forge = |state: &mut State| state.escrows.get_mut(&key).unwrap().guard = gone;
    let [_, of_all] = found(&w, forge, Event::SightChanged { sight: Sight::Clear });
    assert_eq!(of_all, wrong, "it stands in an index and has ended");
    let forge = |state: &mut State| state.escrows.get_mut(&key).unwrap().guard = Guard::Foreign;
    let [_, of_all] = found(&w, forge, Event::SightChanged { sight: Sight::Clear });
    assert_eq!(of_all, wrong, "somebody else's, and among those that are released");
}

#[test]
fn a_fulfillment_on_its_way_that_is_not_recorded_as_revealed_is_found() {
    let mut w = World::new();
    let (made, key) = w.escrow();
    w.jump(50 * 3_600);
    let Guard::Releasing { attempt: Some(attempt), .. } = *w.guard(key) else { panic!("not releasing") };
    let forge = |state: &mut State| {
        state.escrows.get_mut(&key).unwrap().guard =
            Guard::Locked { proposal: made, preparing: Some(attempt) };
    };
    let unrecorded = Some(Violation::UnrecordedReveal { attempt, escrow: key });
    let event = Event::RungChosen { proposal: attempt, rung: 0 };
    assert_eq!(found(&w, forge, event), [unrecorded.clone(), unrecorded]);
}

#[test]
fn a_slot_may_be_free_where_nothing_signed_over_it_can_be_applied() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    let freed = Event::SlotFreed { proposal: p, paid: None };
    let mut early = w.state.clone();
    early.apply(&freed).unwrap();
    let plan = w.proposal(p).plan.clone().unwrap();
    let SeqProxy::Ticket(ticket) = plan.slot else { panic!("a Ticket") };
    let last = plan.last_ledger_sequence;
    let checked = |forge: &dyn Fn(&mut State)| {
        let mut state = early.clone();
        forge(&mut state);
        check_step(&state, std::slice::from_ref(&freed)).err()
    };
    let found = Some(Violation::EarlyFree(p));
    let cursor = |state: &mut State, index| state.ledger.as_mut().unwrap().index = index;
    assert_eq!(checked(&|state| cursor(state, LedgerIndex(last.0 - 1))), found);
    assert_eq!(checked(&|state| cursor(state, last)), None, "its last ledger is past");
    assert_eq!(
        checked(&|state| {
            state.doubtful.insert(id("warm"));
        }),
        None,
        "nothing is sure of it"
    );
    let used = |state: &mut State| {
        state.accounts.get_mut(&id("warm")).unwrap().tickets.remove(&ticket);
    };
    assert_eq!(checked(&used), None, "its Ticket is used");
    let unseen = |state: &mut State| {
        state.proposals.get_mut(&p).unwrap().plan.as_mut().unwrap().rungs.clear();
    };
    assert_eq!(checked(&unseen), None, "it was shown to nobody");
    let by_ledger = |state: &mut State| state.proposals.get_mut(&p).unwrap().status = Status::Expired;
    assert_eq!(checked(&by_ledger), None);
    // Of an account whose next Sequence it is.
    for (next, found) in [(99, found.clone()), (100, found.clone()), (101, None)] {
        let sequence = |state: &mut State| {
            state.proposals.get_mut(&p).unwrap().plan.as_mut().unwrap().slot = SeqProxy::Sequence(100);
            state.accounts.get_mut(&id("warm")).unwrap().root.as_mut().unwrap().sequence = next;
        };
        assert_eq!(checked(&sequence), found, "{next}");
    }
}

#[test]
fn a_draft_may_wait_until_its_deadline_and_no_longer() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let observation = w.next_ledger(4);
    for (late, expected) in [(0, None), (1, Some(Violation::LateDraft(p)))] {
        let mut state = w.state.clone();
        let now = state.now();
        let proposal = state.proposals.get_mut(&p).unwrap();
        (proposal.status, proposal.deadline_seconds, proposal.plan) = (Status::Drafted, 60, None);
        proposal.drafted.close_time = RippleTime(now.0 - 60 - late);
        state.slots.clear();
        let event = Event::LedgerTaken { observation: observation.clone(), taken: None };
        assert_eq!(check_step(&state, &[event]).err(), expected);
    }
}

#[test]
fn a_hold_ends_no_sending_of_what_is_revealed_and_a_freeze_does() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.jump(50 * 3_600);
    let Guard::Releasing { attempt: Some(attempt), .. } = *w.guard(key) else { panic!("not releasing") };
    let Status::InFlight(submission) = w.proposal(attempt).status.clone() else { panic!() };
    let at = w.state.ledger.unwrap();
    let sent = Event::SubmissionRecorded { proposal: attempt, submission };
    let revealed = Event::EscrowRevealed { escrow: key, attempt, at };
    for subject in [
        Subject::Everything,
        Subject::Account(id("runner")),
        Subject::Account(id("warm")),
        Subject::Escrow(key),
        Subject::Proposal(attempt),
    ] {
        for (kind, before, with_reveal) in [(StopKind::Hold, false, true), (StopKind::Freeze, true, true)] {
            let mut state = w.state.clone();
            let set = Event::StopSet { stop: Stop { kind, ..stop(&w, subject.clone()) } };
            state.apply(&set).unwrap();
            let found = |events: &[Event]| check_step(&state, events).is_err();
            assert_eq!(found(std::slice::from_ref(&sent)), before, "{subject:?} {kind:?}");
            assert_eq!(found(&[revealed.clone(), sent.clone()]), with_reveal, "{subject:?} {kind:?}");
            assert!(!found(&[sent.clone(), set]), "it came later");
        }
    }
}
