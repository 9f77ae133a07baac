//! Where ledger time stands for an escrow.

use crate::model::intent::{CancelEscrow, FinishEscrow, Intent};
use crate::model::proposal::Status;
use crate::model::state::{Guard, State, TrackedEscrow};
use crate::model::units::{EscrowKey, RippleTime};

/// What ledger time asks for, whatever speaks against it: to finish an escrow of the daemon's own, or to take
/// it back.
#[must_use]
pub fn due(state: &State, key: &EscrowKey) -> Option<Intent> {
    let tracked = state.escrows.get(key)?;
    if !matches!(tracked.guard, Guard::Locked { .. } | Guard::Releasing { .. }) {
        return None;
    }
    match phase(state, tracked) {
        Phase::Waiting => None,
        Phase::Open => Some(Intent::FinishEscrow(FinishEscrow { escrow: *key })),
        Phase::Over => Some(Intent::CancelEscrow(CancelEscrow { escrow: *key })),
    }
}

/// Where ledger time stands for an escrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// FinishAfter has not passed.
    Waiting,
    /// It can be finished, and not cancelled.
    Open,
    /// CancelAfter has passed: it can be cancelled, and not finished.
    Over,
}

/// The phase of an escrow for transactions that enter the next ledger: their times are compared with the
/// close time of the ledger before it, which is `now`. Both comparisons are strict.
#[must_use]
pub fn phase(state: &State, tracked: &TrackedEscrow) -> Phase {
    let now = state.now();
    if tracked.view.cancel_after.is_some_and(|cancel_after| now > cancel_after) {
        Phase::Over
    } else if not_before(state, tracked).is_none_or(|not_before| now > not_before) {
        Phase::Open
    } else {
        Phase::Waiting
    }
}

/// The time that has to pass before an escrow is finished: its FinishAfter, and the promised delay counted from
/// the moment in which the daemon saw it. A network that stood still before it took the EscrowCreate in would
/// otherwise eat the delay, in which people can look.
#[must_use]
pub fn not_before(state: &State, tracked: &TrackedEscrow) -> Option<RippleTime> {
    let maker = tracked.guard.proposal().and_then(|maker| state.proposals.get(&maker));
    let delay = maker.and_then(|maker| maker.decision.obligations.delay);
    let promised = delay.map(|delay| RippleTime(tracked.seen_at.0.saturating_add(delay.delay_seconds)));
    promised.max(tracked.view.finish_after)
}

/// Whether the escrow's fulfillment may have left the daemon. It is recorded as revealed before it is sent, and where
/// every sending was called back it has not been.
#[must_use]
pub fn is_revealed(state: &State, tracked: &TrackedEscrow) -> bool {
    let Guard::Releasing { attempt, revealed_at, .. } = tracked.guard else { return false };
    let attempt = attempt.and_then(|attempt| state.proposals.get(&attempt));
    // A later attempt says nothing about the one that revealed it.
    !attempt.is_some_and(|attempt| {
        matches!(&attempt.status, Status::InFlight(submission)
            if !submission.may_have_left() && submission.since == revealed_at)
    })
}
