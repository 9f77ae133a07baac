//! What the second party says, who holds a part of the preimages of guarded escrows.
//!
//! Without it no guarded escrow is made, and none is released: it is asked again, and where it stays silent or refuses
//! until CancelAfter the money comes back. Nothing else waits for it.

use crate::model::config::FindingKind;
use crate::model::event::Event;
use crate::model::proposal::{Proposal, Status};
use crate::model::signing::{GuardRefusal, Party};
use crate::model::state::Guard;
use crate::model::stops::Subject;
use crate::model::units::{EscrowKey, ProposalId};
use crate::rules::escrow::{Phase, phase};
use crate::work::anomaly::{find_about, is_found};
use crate::work::cx::Cx;
use crate::work::ending;

/// The code of a share that does not fit.
const DOES_NOT_OPEN: &str = "guard_does_not_open";

/// What is said where both parts together do not open the escrow.
pub(crate) fn does_not_open() -> GuardRefusal {
    GuardRefusal {
        code: DOES_NOT_OPEN.to_owned(),
        reason: "its share and the daemon's part together do not open the escrow".to_owned(),
        answered: true,
    }
}

/// The guard gave nothing. What makes an escrow asks again with the next ledger; what would release one gives its Ticket
/// back at once and begins anew after a while, so that a guard that is silent takes nothing that others need.
pub(crate) fn refused(cx: &mut Cx<'_>, id: ProposalId, refusal: GuardRefusal) {
    cx.runtime.asked.remove(&id);
    let index = cx.point().index;
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let escrow = proposal.intent.released_escrow();
    let is_waiting = match escrow {
        Some(_) => proposal.status == Status::Collecting,
        None => proposal.status == Status::Assessed,
    };
    let Some(maker) = maker(cx, proposal).filter(|_| is_waiting) else { return };
    note(cx, maker, escrow.is_some(), refusal);
    match escrow {
        Some(_) => ending::end(cx, id, Status::Withdrawn, true),
        None => {
            cx.runtime.signed_short.insert(id, index);
        }
    }
}

/// The proposal that makes the escrow, or made it, where the guard has a part in that.
fn maker(cx: &Cx<'_>, proposal: &Proposal) -> Option<ProposalId> {
    let maker = match proposal.intent.released_escrow() {
        Some(escrow) => cx.state.escrows.get(&escrow)?.guard.proposal()?,
        None => proposal.id,
    };
    let inputs = cx.state.proposals.get(&maker)?.release_inputs()?;
    (inputs.party == Party::Guarded).then_some(maker)
}

/// Writes down what it said. People are told once of each code, and of each anew where it is the release that is refused; a
/// reason in other words is nothing new.
fn note(cx: &mut Cx<'_>, maker: ProposalId, releases: bool, refusal: GuardRefusal) {
    let known = cx.state.guard_refusals.get(&maker);
    if known.is_some_and(|known| known.code == refusal.code && known.answered == refusal.answered) {
        return;
    }
    let Some(proposal) = cx.state.proposals.get(&maker) else { return };
    let account = proposal.account;
    let what = if releases { "the release: " } else { "" };
    let (kind, name) = (FindingKind::GuardRefused, format!("{maker}: {what}{}: ", refusal.code));
    let is_new = refusal.answered && !is_found(cx, kind, &name);
    let evidence = format!("{name}{}", refusal.reason);
    cx.emit(Event::GuardSaid { proposal: maker, refusal: Some(refusal) });
    if is_new {
        find_about(cx, kind, account, Subject::Proposal(maker), evidence);
    }
}

/// The guard gave what it was asked for.
pub(crate) fn gave(cx: &mut Cx<'_>, maker: ProposalId, party: Party) {
    if party == Party::Guarded && cx.state.guard_refusals.contains_key(&maker) {
        cx.emit(Event::GuardSaid { proposal: maker, refusal: None });
    }
}

/// An escrow could be released, the guard does not answer, and half of the window is over: said once.
pub(crate) fn still_silent(cx: &mut Cx<'_>, key: &EscrowKey) {
    let Some(tracked) = cx.state.escrows.get(key) else { return };
    if !matches!(tracked.guard, Guard::Locked { .. }) {
        return;
    }
    let Some(maker) = tracked.guard.proposal() else { return };
    let Some(refusal) = cx.state.guard_refusals.get(&maker).filter(|refusal| !refusal.answered) else {
        return;
    };
    let times = tracked.view.finish_after.zip(tracked.view.cancel_after);
    let Some((opens, closes)) = times.filter(|_| phase(cx.state, tracked) == Phase::Open) else { return };
    let now = cx.now().0;
    if now.saturating_sub(opens.0) < closes.0.saturating_sub(now) {
        return;
    }
    let name = format!("escrow {key}:");
    let kind = FindingKind::GuardSilent;
    if is_found(cx, kind, &name) {
        return;
    }
    let evidence = format!(
        "{name} the guard does not answer ({}); unless it does before {closes}, the money goes back",
        refusal.reason
    );
    find_about(cx, kind, key.owner, Subject::Escrow(*key), evidence);
}
