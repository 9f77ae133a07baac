//! The escrow guard: releases what may be released, withholds what is held, takes back what was withheld.
//!
//! Before CancelAfter nobody can cancel an escrow, so *cancel on anomaly* means to keep the fulfillment
//! back until then. Once it has been sent to any server the preimage is public and there is no way back;
//! so everything that speaks against it is looked at once more in the step that records the sending.

use crate::config::Treasury;
use crate::event::Event;
use crate::flow::{self, Draft};
use crate::gate::{self, Act};
use crate::intent::{Asker, Intent};
use crate::policy::Action;
use crate::proposal::Status;
use crate::state::{Guard, State, TrackedEscrow};
use crate::step::Cx;
use crate::units::{AccountId, EscrowKey, ProposalId, RippleTime};

/// Seconds of ledger time that an EscrowFinish or EscrowCancel may wait for its own submission. Its
/// LastLedgerSequence ends it much sooner; this only keeps the deadline out of its way.
const ATTEMPT_SECONDS: u32 = 86_400;

/// Looks at every standing escrow of the daemon's own whose FinishAfter has passed.
pub(crate) fn drive(cx: &mut Cx<'_>) {
    let lowest = EscrowKey { owner: AccountId([0; 20]), sequence: 0 };
    let come: Vec<EscrowKey> =
        cx.state.by_finish_after.range(..(cx.now(), lowest)).map(|(_, key)| *key).collect();
    for key in come {
        let Some(tracked) = cx.state.escrows.get(&key) else { continue };
        let attempt = match &tracked.guard {
            Guard::Locked { preparing, .. } => *preparing,
            Guard::Releasing { attempt, .. } => *attempt,
            _ => continue,
        };
        let wanted = wanted(cx.config, cx.state, &key);
        match (attempt, wanted) {
            (None, Some(intent)) => start(cx, key, intent),
            (Some(attempt), wanted) => withdraw_unsent(cx, attempt, wanted.as_ref()),
            (None, None) => {}
        }
    }
}

/// What should be sent for this escrow now, if anything.
#[must_use]
pub fn wanted(config: &Treasury, state: &State, key: &EscrowKey) -> Option<Intent> {
    let intent = due(state, key)?;
    let runner = config.runner?;
    gate::may_leave(config, state, Act::errand(runner, &intent)).is_empty().then_some(intent)
}

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
        Phase::Open => Some(Intent::FinishEscrow { escrow: *key }),
        Phase::Over => Some(Intent::CancelEscrow { escrow: *key }),
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
    let promised = match maker.map(|maker| &maker.decision.action) {
        Some(Action::Delay { delay_seconds, .. }) => {
            Some(RippleTime(tracked.seen_at.0.saturating_add(*delay_seconds)))
        }
        _ => None,
    };
    promised.max(tracked.view.finish_after)
}

fn start(cx: &mut Cx<'_>, key: EscrowKey, intent: Intent) {
    let Some(runner) = cx.config.runner else { return };
    let now = cx.now();
    if cx.runtime.escrow_retry.get(&key).is_some_and(|not_before| now < *not_before) {
        return;
    }
    let decision = flow::built_in(cx, "escrow guard");
    let draft = Draft {
        account: runner,
        intent,
        asker: Asker::Daemon,
        note: String::new(),
        deadline_seconds: ATTEMPT_SECONDS,
        decision,
        idempotency_key: None,
    };
    let drafted = flow::draft(cx, draft);
    cx.emit(Event::AttemptChanged { escrow: key, attempt: Some(drafted) });
}

/// Gives up an attempt that has not been sent and is no longer what is wanted: a hold came, or
/// CancelAfter passed. Nothing signed for it has left the daemon, so its Ticket is free again.
fn withdraw_unsent(cx: &mut Cx<'_>, attempt: ProposalId, wanted: Option<&Intent>) {
    let Some(proposal) = cx.state.proposals.get(&attempt) else { return };
    let unsent =
        matches!(proposal.status, Status::Drafted | Status::Assessed | Status::Collecting | Status::Ready);
    if unsent && wanted != Some(&proposal.intent) {
        flow::end(cx, attempt, Status::Withdrawn, true);
    }
}

/// An EscrowFinish or EscrowCancel ended without effect: the next try is for later.
pub(crate) fn attempt_failed(cx: &mut Cx<'_>, attempt: ProposalId, escrow: EscrowKey) {
    let Some(tracked) = cx.state.escrows.get(&escrow) else { return };
    let current = match &tracked.guard {
        Guard::Locked { preparing, .. } => *preparing,
        Guard::Releasing { attempt, .. } => *attempt,
        _ => return,
    };
    if current == Some(attempt) {
        cx.emit(Event::AttemptChanged { escrow, attempt: None });
    }
    let retry = RippleTime(cx.now().0.saturating_add(cx.config.timing.retry_seconds));
    cx.runtime.escrow_retry.insert(escrow, retry);
}
