//! The escrow guard: releases what may be released, withholds what is held, takes back what was withheld.
//!
//! Before CancelAfter nobody can cancel an escrow, so *cancel on anomaly* means to keep the fulfillment
//! back until then. Once it has been sent to any server the preimage is public and there is no way back;
//! so everything that speaks against it is looked at once more in the step that records the sending.

use crate::model::event::Event;
use crate::model::intent::{Asker, Intent};
use crate::model::proposal::Status;
use crate::model::state::Guard;
use crate::model::units::{AccountId, EscrowKey, ProposalId};
use crate::rules::release;
use crate::work::cx::Cx;
use crate::work::flow::{self, Draft};
use crate::work::{behaviour, ending, guarded};

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
        behaviour::still_revealed(cx, &key);
        guarded::still_silent(cx, &key);
        let wanted = release::wanted(cx.config, cx.state, &key);
        match (attempt, wanted) {
            (None, Some(intent)) => start(cx, key, intent),
            (Some(attempt), wanted) => withdraw_unsent(cx, attempt, wanted.as_ref()),
            (None, None) => {}
        }
    }
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
        occurrence: None,
        inquiry: Default::default(),
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
        ending::end(cx, attempt, Status::Withdrawn, true);
    }
}
