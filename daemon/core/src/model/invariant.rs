//! What must hold of every state, in production too. A violation is a defect: the process stops before
//! anything follows from such a state.

use crate::model::event::Event;
use crate::model::observe::Change;
use crate::model::proposal::{Proposal, Status};
use crate::model::signing::Slot;
use crate::model::state::{Guard, Sight, State};
use crate::model::stops::{Stop, StopKind, Subject};
use crate::model::units::{EscrowKey, ProposalId, StopId};

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The index of open proposals and the proposals disagree.
    #[error("{0} is in the index of open proposals and is not open, or the other way round")]
    OpenIndex(ProposalId),
    /// A slot is taken by a proposal that has another one.
    #[error("{0} has a slot that its plan does not name")]
    ForeignSlot(ProposalId),
    /// A proposal that may be applied has no slot to itself.
    #[error("{0} may be applied and does not hold its slot")]
    LostSlot(ProposalId),
    /// Something is in flight without a record of what was sent.
    #[error("{0} is in flight without a signed rung")]
    EmptySubmission(ProposalId),
    /// A fulfillment is on its way though the escrow counts as locked.
    #[error("{attempt} carries the fulfillment of {escrow}, which is not recorded as revealed")]
    UnrecordedReveal {
        /// The EscrowFinish.
        attempt: ProposalId,
        /// Its escrow.
        escrow: EscrowKey,
    },
    /// The book of commitments and the proposals disagree.
    #[error("{0} may move money and is not in the book of commitments, or the other way round")]
    Book(ProposalId),
    /// An escrow is being ended by what is over, or is something else.
    #[error("{attempt} is said to end {escrow}, and is not open or is for something else")]
    Attempt {
        /// What is said to end it.
        attempt: ProposalId,
        /// The escrow.
        escrow: EscrowKey,
    },
    /// A slot is free though what was signed over it may still be applied.
    #[error("{0} ended before it could be seen to, and its slot is free though it can still be applied")]
    EarlyFree(ProposalId),
    /// A draft has outlived its deadline.
    #[error("{0} waits for a slot beyond its deadline")]
    LateDraft(ProposalId),
    /// Something was recorded for sending that a stop was set on before.
    #[error("{proposal} was recorded for sending though {stop} stood on what it touches")]
    ThroughStop {
        /// What is sent.
        proposal: ProposalId,
        /// The stop.
        stop: StopId,
    },
    /// The index of standing escrows and the escrows disagree.
    #[error("{0} is in an index of standing escrows and has ended or is not known, or the other way round")]
    StandingIndex(EscrowKey),
}

/// Checks the whole state. Its cost grows with what is open and what stands, not with what has ended.
///
/// # Errors
/// The first violation found.
pub fn check(state: &State) -> Result<(), Violation> {
    state.open.iter().try_for_each(|id| proposal(state, *id))?;
    state.slots.iter().try_for_each(|((account, slot), id)| {
        let named = state.proposals.get(id).is_some_and(|proposal| {
            proposal.account == *account && proposal.plan.as_ref().is_some_and(|plan| plan.slot == *slot)
        });
        if named { Ok(()) } else { Err(Violation::ForeignSlot(*id)) }
    })?;
    state.standing.iter().try_for_each(|key| escrow(state, key))
}

/// Checks what the events of one step concern, of a state that was whole before it; so a step costs by
/// what it changes. When sight comes back, everything is checked.
///
/// # Errors
/// The first violation found.
pub fn check_after(state: &State, events: &[Event]) -> Result<(), Violation> {
    let archived = |id: ProposalId| {
        events.iter().any(|event| matches!(event, Event::ProposalArchived { proposal } if *proposal == id))
    };
    for event in events {
        match event {
            Event::SightChanged { sight: Sight::Clear } => return check(state),
            Event::LedgerTaken { observation, .. } => {
                observation.changes.iter().try_for_each(|change| match change {
                    Change::EscrowCreated { escrow: view } => escrow(state, &view.key),
                    Change::EscrowDeleted { key, .. } => escrow(state, key),
                    _ => Ok(()),
                })?;
            }
            Event::AccountsRead { accounts, .. } => {
                let standing = accounts.iter().flat_map(|read| state.standing_of(&read.account));
                standing.into_iter().try_for_each(|key| escrow(state, &key))?;
            }
            Event::AttemptChanged { escrow: key, attempt } => {
                escrow(state, key)?;
                attempt.map_or(Ok(()), |attempt| proposal(state, attempt))?;
            }
            Event::EscrowRecognised { escrow: key, proposal: made } => {
                escrow(state, key)?;
                proposal(state, made.id)?;
            }
            Event::EscrowRevealed { escrow: key, attempt, .. } => {
                escrow(state, key)?;
                proposal(state, *attempt)?;
            }
            Event::ProposalDrafted { proposal: drafted, .. } => proposal(state, drafted.id)?,
            Event::Redecided { proposal: id, .. }
            | Event::ProposalPlanned { proposal: id, .. }
            | Event::RungsFrozen { proposal: id, .. }
            | Event::Approved { proposal: id, .. }
            | Event::ApprovalDropped { proposal: id, .. }
            | Event::Objected { proposal: id, .. }
            | Event::StatusChanged { proposal: id, .. }
            | Event::SubmissionRecorded { proposal: id, .. }
            | Event::SubmissionRenewed { proposal: id, .. }
            | Event::RungChosen { proposal: id, .. }
            | Event::SubmitReplied { proposal: id, .. }
            | Event::ProposalEnded { proposal: id, .. }
            | Event::SlotFreed { proposal: id, .. } => {
                // What left the state in the same step is looked at when that is told.
                if state.proposals.contains_key(id) || !archived(*id) {
                    proposal(state, *id)?;
                }
            }
            Event::ProposalArchived { proposal: id } => {
                let is_known = state.open.contains(id) || state.ended.contains_key(id);
                if is_known || state.proposals.contains_key(id) || state.slots.values().any(|held| held == id)
                {
                    return Err(Violation::OpenIndex(*id));
                }
            }
            Event::CommandTaken { .. }
            | Event::SightChanged { .. }
            | Event::EscrowForgotten { .. }
            | Event::StopSet { .. }
            | Event::StopLifted { .. }
            | Event::HoldPlaced { .. }
            | Event::HoldCleared { .. }
            | Event::Frozen { .. }
            | Event::Unfrozen { .. }
            | Event::SignerUnable { .. }
            | Event::GuardSaid { .. }
            | Event::Found { .. }
            | Event::FindingAcknowledged { .. }
            | Event::FindingOver { .. }
            | Event::NoticesAcknowledged { .. }
            | Event::BreakerCounted { .. }
            | Event::BreakerOpened { .. }
            | Event::BreakerClosed { .. }
            | Event::DrillAsked { .. }
            | Event::DrillEnded { .. }
            | Event::ScheduleReached { .. }
            | Event::RunwayChanged { .. }
            | Event::AccountsForgotten { .. }
            | Event::PolicyAdopted { .. }
            | Event::PolicyProposed { .. }
            | Event::PolicyEndorsed { .. }
            | Event::PolicyActivated { .. }
            | Event::PolicyWithdrawn { .. }
            | Event::DestinationsAdopted { .. }
            | Event::DestinationProposed { .. }
            | Event::DestinationConfirmed { .. }
            | Event::DestinationAdmitted { .. }
            | Event::DestinationWithdrawn { .. }
            | Event::ScheduleGone { .. } => {}
        }
    }
    Ok(())
}

/// What this program keeps in each of its steps, and earlier ones did not: it is asked of what is decided now, and not
/// of what old records tell.
///
/// # Errors
/// The first violation found.
pub fn check_step(state: &State, events: &[Event]) -> Result<(), Violation> {
    check_after(state, events)?;
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::LedgerTaken { .. } => drafts(state)?,
            Event::AttemptChanged { escrow, .. } => attempt(state, escrow)?,
            Event::ProposalEnded { proposal, .. } | Event::SlotFreed { proposal, .. } => {
                ended(state, *proposal)?
            }
            Event::SubmissionRecorded { proposal, .. } => {
                through_stop(state, *proposal, events, at)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn drafts(state: &State) -> Result<(), Violation> {
    let open = state.open.iter().filter_map(|id| state.proposals.get(id));
    let late = open.filter(|proposal| proposal.status == Status::Drafted).find(|proposal| {
        state.now().0 > proposal.drafted.close_time.0.saturating_add(proposal.deadline_seconds)
    });
    late.map_or(Ok(()), |late| Err(Violation::LateDraft(late.id)))
}

/// What ends an escrow is open and is for that.
fn attempt(state: &State, escrow: &EscrowKey) -> Result<(), Violation> {
    let Some(tracked) = state.escrows.get(escrow) else { return Ok(()) };
    let (Guard::Locked { preparing: Some(attempt), .. } | Guard::Releasing { attempt: Some(attempt), .. }) =
        tracked.guard
    else {
        return Ok(());
    };
    let fits = state.open.contains(&attempt)
        && state.proposals.get(&attempt).is_some_and(|found| found.intent.ended_escrow() == Some(*escrow));
    if fits { Ok(()) } else { Err(Violation::Attempt { attempt, escrow: *escrow }) }
}

/// An ended proposal ends no escrow any more, and has given its slot back only where nothing signed over it can be
/// applied: because it was never shown, because the slot was used, or because its last ledger is past.
fn ended(state: &State, id: ProposalId) -> Result<(), Violation> {
    let Some(proposal) = state.proposals.get(&id) else { return Ok(()) };
    if let Some(escrow) = proposal.intent.ended_escrow() {
        return attempt(state, &escrow);
    }
    // Tickets move nothing, and an account that signs by itself shows them to nobody.
    let Some(plan) = proposal.plan.as_ref().filter(|_| proposal.intent.destination().is_some()) else {
        return Ok(());
    };
    let by_people = matches!(proposal.status, Status::Rejected | Status::Withdrawn);
    let was_shown = !plan.rungs.is_empty();
    // Of an account in doubt nothing is known so surely.
    let is_known = !state.doubtful.contains(&proposal.account);
    let can_be_applied = is_known
        && state.ledger.is_some_and(|cursor| cursor.index < plan.last_ledger_sequence)
        && state.accounts.get(&proposal.account).is_some_and(|view| match plan.slot {
            Slot::Ticket(ticket) => view.tickets.contains(&ticket),
            Slot::Sequence(sequence) => view.root.is_some_and(|root| root.sequence <= sequence),
        });
    if by_people && was_shown && can_be_applied && !state.holds_slot(proposal) {
        return Err(Violation::EarlyFree(id));
    }
    Ok(())
}

/// What is recorded for sending touches nothing that a stop stood on before.
fn through_stop(state: &State, id: ProposalId, events: &[Event], at: usize) -> Result<(), Violation> {
    let Some(proposal) = state.proposals.get(&id) else { return Ok(()) };
    // A void moves nothing, and is never stopped.
    if proposal.is_being_voided() {
        return Ok(());
    }
    let mut subjects = vec![Subject::Everything, Subject::Account(proposal.account), Subject::Proposal(id)];
    match (proposal.intent.movement(), proposal.intent.released_escrow()) {
        (Some(movement), _) => {
            let to = movement.destination;
            subjects.extend([Subject::Destination(to), Subject::Account(to)]);
            subjects.extend(movement.link.map(|link| Subject::Link(link.to_owned())));
        }
        (None, Some(escrow)) => {
            subjects.extend([Subject::Escrow(escrow), Subject::Account(escrow.owner)]);
        }
        // Taking money back, and the Tickets for it, is never stopped.
        (None, None) => return Ok(()),
    }
    let came_later = |stop: StopId| {
        let later = events.get(at..).unwrap_or_default();
        later.iter().any(|event| matches!(event, Event::StopSet { stop: set } if set.id == stop))
    };
    // What was revealed before this step is public, and only a freeze ends the sending of it.
    let reveals =
        events.iter().any(|event| matches!(event, Event::EscrowRevealed { attempt, .. } if *attempt == id));
    let public = proposal.intent.released_escrow().is_some() && !reveals;
    let binds = |stop: &&Stop| (!public || stop.kind == StopKind::Freeze) && !came_later(stop.id);
    let stood = subjects.iter().flat_map(|subject| state.stops.on(subject)).find(binds);
    stood.map_or(Ok(()), |stop| Err(Violation::ThroughStop { proposal: id, stop: stop.id }))
}

fn proposal(state: &State, id: ProposalId) -> Result<(), Violation> {
    let Some(proposal) = state.proposals.get(&id) else { return Err(Violation::OpenIndex(id)) };
    let is_final = proposal.status.is_final();
    if is_final == state.open.contains(&id) || is_final != state.ended.contains_key(&id) {
        return Err(Violation::OpenIndex(id));
    }
    book(state, proposal)?;
    if proposal.status.is_final() {
        return Ok(());
    }
    if let Some(plan) = &proposal.plan
        && state.slots.get(&(proposal.account, plan.slot)) != Some(&id)
    {
        return Err(Violation::LostSlot(id));
    }
    let Status::InFlight(submission) = &proposal.status else { return Ok(()) };
    if submission.rungs.get(submission.current).is_none() {
        return Err(Violation::EmptySubmission(id));
    }
    if let Some(escrow) = proposal.intent.released_escrow()
        && let Some(tracked) = state.escrows.get(&escrow)
        && matches!(tracked.guard, Guard::Locked { .. })
    {
        return Err(Violation::UnrecordedReveal { attempt: id, escrow });
    }
    Ok(())
}

/// What may still move stands in the book, and nothing else does.
fn book(state: &State, proposal: &Proposal) -> Result<(), Violation> {
    let moves = proposal.intent.destination().is_some();
    let may_move = moves && (!proposal.status.is_final() || state.holds_slot(proposal));
    if state.book.holds(proposal) == may_move { Ok(()) } else { Err(Violation::Book(proposal.id)) }
}

fn escrow(state: &State, key: &EscrowKey) -> Result<(), Violation> {
    let Some(tracked) = state.escrows.get(key) else {
        let stands = state.standing.contains(key);
        return if stands { Err(Violation::StandingIndex(*key)) } else { Ok(()) };
    };
    let own = matches!(tracked.guard, Guard::Locked { .. } | Guard::Releasing { .. });
    let stands = own || tracked.guard == Guard::Foreign;
    let in_order = state.by_finish_after.contains(&tracked.view.finish_order());
    let for_its_destination = state.by_destination.contains(&(tracked.view.destination, *key));
    if stands != state.standing.contains(key) || own != in_order || own != for_its_destination {
        return Err(Violation::StandingIndex(*key));
    }
    Ok(())
}
