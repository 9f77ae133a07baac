//! What must hold of every state, in production too. A violation is a defect: the process stops before
//! anything follows from such a state.

use crate::intent::Intent;
use crate::proposal::Status;
use crate::state::{Guard, State};
use crate::units::{EscrowKey, ProposalId};

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
    /// The index of standing escrows and the escrows disagree.
    #[error("{0} is in the index of standing escrows and has ended, or is not known")]
    StandingIndex(EscrowKey),
}

/// Checks the state. Its cost grows with what is open, not with what has ended.
///
/// # Errors
/// The first violation found.
pub fn check(state: &State) -> Result<(), Violation> {
    for id in &state.open {
        let open = state.proposals.get(id).filter(|proposal| !proposal.status.is_final());
        let Some(proposal) = open else { return Err(Violation::OpenIndex(*id)) };
        if let Some(plan) = &proposal.plan
            && state.slots.get(&(proposal.account, plan.slot)) != Some(id)
        {
            return Err(Violation::LostSlot(*id));
        }
        if let Status::InFlight(submission) = &proposal.status {
            if submission.rungs.get(submission.current).is_none() {
                return Err(Violation::EmptySubmission(*id));
            }
            if let Intent::FinishEscrow { escrow } = &proposal.intent {
                let locked = state
                    .escrows
                    .get(escrow)
                    .is_some_and(|tracked| matches!(tracked.guard, Guard::Locked { .. }));
                if locked {
                    return Err(Violation::UnrecordedReveal { attempt: *id, escrow: *escrow });
                }
            }
        }
    }
    for ((account, slot), id) in &state.slots {
        let named = state.proposals.get(id).is_some_and(|proposal| {
            proposal.account == *account && proposal.plan.as_ref().is_some_and(|plan| plan.slot == *slot)
        });
        if !named {
            return Err(Violation::ForeignSlot(*id));
        }
    }
    for key in &state.standing {
        let stands = state.escrows.get(key).is_some_and(|tracked| {
            matches!(tracked.guard, Guard::Foreign | Guard::Locked { .. } | Guard::Releasing { .. })
        });
        if !stands {
            return Err(Violation::StandingIndex(*key));
        }
    }
    Ok(())
}
