//! What tier links ask for.

use crate::model::config::TierLink;
use crate::model::proposal::{Proposal, Status};
use crate::model::state::State;
use crate::model::units::{Drops, RippleTime};
use crate::rules::decide;

/// The moves of a link, newest first.
pub(crate) fn moves<'a>(state: &'a State, link: &'a TierLink) -> impl Iterator<Item = &'a Proposal> {
    state.moves.get(&link.name).into_iter().flatten().rev().filter_map(|id| state.proposals.get(id))
}

/// What the link should move now: from below the floor up to the target, as far as the limits of the move,
/// of the period and of the source allow.
#[must_use]
pub fn wanted(state: &State, link: &TierLink, now: RippleTime) -> Option<Drops> {
    let balance = state.accounts.get(&link.to)?.root?.balance;
    if balance >= link.floor {
        return None;
    }
    let since = now.0.saturating_sub(link.period_seconds);
    let oldest = since.saturating_sub(decide::DRAFT_LIFE_MAX_SECONDS);
    let moved = moves(state, link)
        .take_while(|proposal| proposal.drafted.close_time.0 >= oldest)
        .filter(|proposal| match &proposal.status {
            // It counts from when the money moved: a move may have waited for long.
            Status::Validated(outcome) => outcome.at.close_time.0 >= since,
            status => !status.is_final() || state.holds_slot(proposal),
        })
        .map(|proposal| proposal.intent.amount())
        .fold(Drops::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(Drops::MAX));
    let amount = link
        .target
        .saturating_sub(balance)
        .min(link.move_max)
        .min(link.period_max.saturating_sub(moved))
        .min(state.balance(&link.from).saturating_sub(link.source_floor));
    (amount > Drops::ZERO).then_some(amount)
}
