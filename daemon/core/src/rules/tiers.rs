//! The planner: what tier links should move now, over all links at once.
//!
//! What is promised to an account, in flight to it or waiting for it in an escrow counts as if it had come, so two
//! links into one account never fill it twice, and a delayed move is not made again while it waits. What is promised
//! out of a source counts as if it had left, so a source never ends below its floor.

use crate::model::config::{TierLink, Treasury};
use crate::model::policy::Action;
use crate::model::proposal::{Proposal, Status};
use crate::model::state::{Guard, State};
use crate::model::units::{AccountId, Drops, RippleTime};
use crate::rules::escrow::not_before;

/// The moves of a link, newest first.
pub(crate) fn moves<'a>(state: &'a State, link: &'a TierLink) -> impl Iterator<Item = &'a Proposal> {
    state.moves.get(&link.name).into_iter().flatten().rev().filter_map(|id| state.proposals.get(id))
}

/// What the link should move now: from below the floor up to the target, as far as the limits of the move,
/// of the period and of the source allow.
#[must_use]
pub fn wanted(config: &Treasury, state: &State, link: &TierLink, now: RippleTime) -> Option<Drops> {
    let expected = expected(state, &link.to)?;
    if expected >= link.floor {
        return None;
    }
    let amount = link
        .target
        .saturating_sub(expected)
        .min(link.move_max)
        .min(link.period_max.saturating_sub(moved(state, link, now)))
        .min(spare(config, state, &link.from));
    (amount > Drops::ZERO).then_some(amount)
}

/// What an account will have when everything that is on its way to it has come. `None`: it is not on the ledger.
#[must_use]
pub fn expected(state: &State, account: &AccountId) -> Option<Drops> {
    let balance = state.accounts.get(account)?.root?.balance;
    let escrowed = state.standing.iter().filter_map(|key| state.escrows.get(key)).filter(|tracked| {
        let ours = matches!(tracked.guard, Guard::Locked { .. } | Guard::Releasing { .. });
        // What can be released no more comes back to where it was.
        let may_come = tracked.view.cancel_after.is_none_or(|cancel| {
            state.now() <= cancel && not_before(state, tracked).is_none_or(|from| from < cancel)
        });
        ours && may_come && tracked.view.destination == *account
    });
    let escrowed = escrowed.filter_map(|tracked| tracked.view.amount);
    Some(escrowed.chain([state.book.coming(account)]).fold(balance, saturating_add))
}

/// What an account can give: what it has, without what is promised out of it, what may burn as a fee, and the highest
/// floor that any link sets for it.
#[must_use]
pub fn spare(config: &Treasury, state: &State, account: &AccountId) -> Drops {
    let floors = config.links.iter().filter(|link| link.from == *account).map(|link| link.source_floor);
    let floor = floors.max().unwrap_or(Drops::ZERO);
    state
        .balance(account)
        .saturating_sub(state.book.leaving(account, None))
        .saturating_sub(config.fees.fee_max)
        .saturating_sub(floor)
}

/// What the link has moved, or may still move, within its period. It counts from when the money moved: a move may have
/// waited for long.
fn moved(state: &State, link: &TierLink, now: RippleTime) -> Drops {
    let since = RippleTime(now.0.saturating_sub(link.period_seconds));
    moves(state, link)
        .filter(|proposal| !matches!(proposal.status, Status::Validated(_)))
        .filter(|proposal| !proposal.status.is_final() || state.holds_slot(proposal))
        .map(|proposal| proposal.intent.amount())
        .fold(state.book.moved_by(&link.name, since), saturating_add)
}

/// Whether policy has said no to what the link wants, and is still the same policy.
#[must_use]
pub fn is_denied(config: &Treasury, state: &State, link: &TierLink) -> bool {
    moves(state, link).next().is_some_and(|last| {
        last.status == Status::Denied
            && last.decision.action == Action::Deny
            && last.decision.policy_hash == config.policy.hash()
    })
}

fn saturating_add(sum: Drops, more: Drops) -> Drops {
    sum.checked_add(more).unwrap_or(Drops::MAX)
}
