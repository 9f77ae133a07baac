//! The planner: what tier links should move now, over all links at once.
//!
//! What is promised to an account, in flight to it or waiting for it in an escrow counts as if it had come, so two
//! links into one account never fill it twice, and a delayed move is not made again while it waits. What is promised
//! out of a source counts as if it had left, so a source never ends below its floor.

use crate::model::config::{TierLink, Treasury};
use crate::model::proposal::{Proposal, Status};
use crate::model::state::{Guard, State};
use crate::model::units::{AccountId, Amount, Asset, RippleTime};
use crate::rules::escrow::not_before;

/// The moves of a link, newest first.
pub(crate) fn moves<'a>(state: &'a State, link: &'a TierLink) -> impl Iterator<Item = &'a Proposal> {
    state.moves.get(&link.name).into_iter().flatten().rev().filter_map(|id| state.proposals.get(id))
}

/// What the link should move now: from below the floor up to the target, as far as the limits of the move,
/// of the period and of the source allow.
#[must_use]
pub fn wanted(config: &Treasury, state: &State, link: &TierLink, now: RippleTime) -> Option<Amount> {
    let expected = expected(state, &link.to, link.asset)?;
    if expected >= link.floor {
        return None;
    }
    let limits = [
        link.move_max,
        link.period_max.less(&moved(state, link, now))?,
        spare(config, state, &link.from, link.asset)?,
    ];
    let amount = limits.into_iter().try_fold(link.target.less(&expected)?, least)?;
    (amount > link.asset.nothing()).then_some(amount)
}

/// What an account will have of an asset when everything that is on its way to it has come. `None`: it is not on the
/// ledger, or that asset is not followed.
#[must_use]
pub fn expected(state: &State, account: &AccountId, asset: Asset) -> Option<Amount> {
    let balance = state.holding(account, asset)?;
    let escrowed = state.standing.iter().filter_map(|key| state.escrows.get(key)).filter(|tracked| {
        let ours = matches!(tracked.guard, Guard::Locked { .. } | Guard::Releasing { .. });
        // What can be released no more comes back to where it was.
        let may_come = tracked.view.cancel_after.is_none_or(|cancel| {
            state.now() <= cancel && not_before(state, tracked).is_none_or(|from| from < cancel)
        });
        ours && may_come && tracked.view.destination == *account
    });
    let escrowed = escrowed.filter_map(|tracked| tracked.view.amount).filter(|held| held.issue() == asset);
    Some(escrowed.chain([state.book.coming(account, asset)]).fold(balance, saturating_add))
}

/// What an account can give of an asset: what it has, without what is promised out of it, what may burn as a fee, and
/// the highest floor that any link sets for it. `None`: that asset is not followed.
#[must_use]
pub fn spare(config: &Treasury, state: &State, account: &AccountId, asset: Asset) -> Option<Amount> {
    let nothing = asset.nothing();
    let from = config.links.iter().filter(|link| link.from == *account && link.asset == asset);
    let floor = from.map(|link| link.source_floor).try_fold(nothing, most)?;
    let fee = if asset.is_xrp() { Amount::Xrp(config.fees.fee_max) } else { nothing };
    let promised = state.book.leaving(account, asset, None);
    let has = state.holding(account, asset).unwrap_or(nothing);
    [promised, fee, floor].iter().try_fold(has, |left, kept| left.less(kept))
}

/// The lesser of two; none of different assets.
fn least(one: Amount, other: Amount) -> Option<Amount> {
    Some(if one.partial_cmp(&other)?.is_le() { one } else { other })
}

/// The greater of two; none of different assets.
fn most(one: Amount, other: Amount) -> Option<Amount> {
    Some(if one.partial_cmp(&other)?.is_ge() { one } else { other })
}

/// What the link has moved, or may still move, within its period. It counts from when the money moved: a move may have
/// waited for long.
fn moved(state: &State, link: &TierLink, now: RippleTime) -> Amount {
    let since = RippleTime(now.0.saturating_sub(link.period_seconds));
    moves(state, link)
        .filter(|proposal| !matches!(proposal.status, Status::Validated(_)))
        .filter(|proposal| !proposal.status.is_final() || state.holds_slot(proposal))
        .filter_map(|proposal| proposal.intent.amount())
        .filter(|amount| amount.issue() == link.asset)
        .fold(state.book.moved_by(&link.name, link.asset, since), saturating_add)
}

/// Whether policy has said no to what the link wants, and is still the same policy.
#[must_use]
pub fn is_denied(config: &Treasury, state: &State, link: &TierLink) -> bool {
    moves(state, link).next().is_some_and(|last| {
        last.status == Status::Denied
            && last.decision.obligations.deny
            && last.decision.policy_hash == config.policy.hash()
    })
}

fn saturating_add(sum: Amount, more: Amount) -> Amount {
    sum.checked_add(&more).unwrap_or(sum.issue().most())
}
