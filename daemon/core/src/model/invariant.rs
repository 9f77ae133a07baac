//! What must hold of every state, in production too. A violation is a defect: the process stops before
//! anything follows from such a state.

use crate::model::event::Event;
use crate::model::intent::Intent;
use crate::model::observe::Change;
use crate::model::proposal::{Proposal, Status};
use crate::model::state::{Guard, Sight, State};
use crate::model::units::{EscrowKey, ProposalId, RippleTime};

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
            | Event::SlotFreed { proposal: id } => {
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
            Event::SightChanged { .. }
            | Event::EscrowForgotten { .. }
            | Event::StopSet { .. }
            | Event::StopLifted { .. }
            | Event::HoldPlaced { .. }
            | Event::HoldCleared { .. }
            | Event::Frozen { .. }
            | Event::Unfrozen { .. }
            | Event::SignerUnable { .. }
            | Event::Found { .. }
            | Event::BreakerCounted { .. }
            | Event::BreakerOpened { .. }
            | Event::BreakerClosed { .. } => {}
        }
    }
    Ok(())
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
    if let Intent::FinishEscrow { escrow } = &proposal.intent
        && let Some(tracked) = state.escrows.get(escrow)
        && matches!(tracked.guard, Guard::Locked { .. })
    {
        return Err(Violation::UnrecordedReveal { attempt: id, escrow: *escrow });
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
    let finish_after = tracked.view.finish_after.unwrap_or(RippleTime(0));
    if stands != state.standing.contains(key) || own != state.by_finish_after.contains(&(finish_after, *key))
    {
        return Err(Violation::StandingIndex(*key));
    }
    Ok(())
}
