//! What nothing depends on any more, so that memory and the cost of a step grow with what is open and not with what
//! ever was.

use crate::model::config::Treasury;
use crate::model::proposal::{Proposal, Status};
use crate::model::state::{Guard, State, TrackedEscrow};
use crate::model::units::{AccountId, Asset, RippleTime};

/// Ended proposals stay at hand for so long, in seconds of ledger time.
pub const KEPT_SECONDS: u32 = 86_400;

/// And no more than so many of them, but for those that something still depends on.
pub const KEPT_MAX: usize = 1_000;

/// Whether this proposal, which ended at that time, may leave the state with those that do already.
pub(crate) fn may_retire(state: &State, proposal: &Proposal, ended: RippleTime, leaving: usize) -> bool {
    let made = proposal.release_inputs().map(|inputs| &inputs.escrow);
    // A delayed payment is over when its escrow is.
    let escrow_ended = made.and_then(|escrow| ended_at(state.escrows.get(escrow)?));
    let is_old = is_old(state, escrow_ended.map_or(ended, |at| at.max(ended)));
    let escrow_stands = made.is_some_and(|escrow| state.standing.contains(escrow));
    // It may be on the ledger and not have been seen yet; then it is known by the proposal that made it.
    let escrow_may_come = matches!(proposal.status, Status::Validated(_))
        && made.is_some_and(|escrow| !state.escrows.contains_key(escrow));
    (is_old || (state.ended.len().saturating_sub(leaving) > KEPT_MAX && !escrow_may_come))
        && !escrow_stands
        && !state.holds_slot(proposal)
        && !is_newest_of_link(state, proposal)
        && !may_be_made_late(state, proposal)
}

/// Whether the next move of a link waits on what became of this one.
fn is_newest_of_link(state: &State, proposal: &Proposal) -> bool {
    let Some(link) = proposal.intent.link() else { return false };
    state.moves.get(link).is_some_and(|moves| moves.last().is_some_and(|last| *last == proposal.id))
}

/// Whether signers can still make the escrow of a delayed payment that ended otherwise: with a later LastLedgerSequence
/// it has the same terms. It is then known by the proposal that was to make it, and by what was decided about that.
fn may_be_made_late(state: &State, proposal: &Proposal) -> bool {
    !matches!(proposal.status, Status::Validated(_))
        && proposal.release_inputs().is_some_and(|inputs| state.now() <= inputs.cancel_after)
}

/// Whether this escrow has ended long ago, and no proposal in the state made it.
pub(crate) fn may_forget(state: &State, tracked: &TrackedEscrow) -> bool {
    let maker = tracked.guard.proposal();
    ended_at(tracked).is_some_and(|at| is_old(state, at))
        && maker.is_none_or(|maker| !state.proposals.contains_key(&maker))
}

/// Accounts that nobody declares, that sign for none of the treasury's, and that nothing open and no standing escrow pays.
/// What is asked of ledger servers must not grow with everybody who was ever paid.
pub(crate) fn unneeded(config: &Treasury, state: &State) -> Vec<AccountId> {
    let mut needed = config.watched();
    let lists =
        config.accounts.keys().filter_map(|account| state.accounts.get(account)?.signer_list.as_ref());
    needed.extend(lists.flat_map(|list| list.entries.keys()));
    let open = || state.open.iter().filter_map(|id| state.proposals.get(id));
    needed.extend(open().filter_map(|proposal| proposal.intent.destination()));
    // Who has issued it may freeze all of it meanwhile.
    needed.extend(open().filter_map(|proposal| match proposal.intent.amount()?.issue() {
        Asset::Issued { issuer, .. } => Some(issuer),
        Asset::Xrp | Asset::Mpt(_) => None,
    }));
    let others = state.accounts.keys().filter(|account| !needed.contains(*account));
    let idle = others.filter(|account| {
        state.own_escrows_for(account).next().is_none() && state.standing_of(account).next().is_none()
    });
    idle.copied().collect()
}

fn ended_at(tracked: &TrackedEscrow) -> Option<RippleTime> {
    match &tracked.guard {
        Guard::Foreign | Guard::Locked { .. } | Guard::Releasing { .. } => None,
        Guard::Released { at, .. } | Guard::Cancelled { at, .. } | Guard::Gone { at, .. } => {
            Some(at.close_time)
        }
    }
}

fn is_old(state: &State, ended: RippleTime) -> bool {
    state.now().0.saturating_sub(ended.0) > KEPT_SECONDS
}
