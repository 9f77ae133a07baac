//! What an ended proposal means, in one place.

use crate::model::event::Event;
use crate::model::intent::IntentKind;
use crate::model::proposal::Status;
use crate::model::units::{ProposalId, RippleTime};
use crate::work::breaker;
use crate::work::cx::Cx;

/// Ends a proposal, and does all that follows from that: its signer is waited for no more, the breakers count it,
/// and where it came to nothing the errand that it was on rests for a while.
pub(crate) fn end(cx: &mut Cx<'_>, id: ProposalId, status: Status, frees_slot: bool) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let (intent, account, asker) = (proposal.intent.clone(), proposal.account, proposal.asker.clone());
    cx.runtime.asked.remove(&id);
    cx.runtime.counted.retain(|(counted, _)| *counted != id);
    cx.runtime.signed_short.remove(&id);
    breaker::count_end(cx, account, &asker, &intent, &status);
    let effective = matches!(status, Status::Validated(_));
    cx.emit(Event::ProposalEnded { proposal: id, status, frees_slot });
    if effective {
        return;
    }
    let retry = RippleTime(cx.now().0.saturating_add(cx.config.timing.retry_seconds));
    if let Some(escrow) = intent.ended_escrow().filter(|escrow| cx.state.standing.contains(escrow)) {
        cx.runtime.escrow_retry.insert(escrow, retry);
    }
    if intent.kind() == IntentKind::CreateTickets {
        cx.runtime.ticket_retry.insert(account, retry);
    }
}
