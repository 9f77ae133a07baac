//! Tier links: an account that falls below its floor is refilled from another, within limits.

use crate::config::TierLink;
use crate::flow::{self, Draft};
use crate::gate::{self, Act};
use crate::intent::{Asker, Intent};
use crate::policy::{self, Action};
use crate::proposal::{Proposal, Status};
use crate::state::State;
use crate::step::Cx;
use crate::units::{Drops, RippleTime};

/// Proposes the moves that the links ask for.
pub(crate) fn refill(cx: &mut Cx<'_>) {
    let config = cx.config;
    for link in &config.links {
        if rests(cx, link) {
            continue;
        }
        let Some(amount) = wanted(cx.state, link, cx.now()) else { continue };
        let intent = Intent::Move { link: link.name.clone(), destination: link.to, amount };
        // Not into an account that is stopped or was robbed, and not out of one.
        if !gate::may_leave(cx.config, cx.state, Act::errand(link.from, &intent)).is_empty() {
            continue;
        }
        let decision = policy::decide(cx.config, cx.state, link.from, &Asker::Daemon, &intent, cx.now());
        let deadline_seconds = match decision.action {
            Action::Delay { .. } => {
                cx.config.timing.deadline_seconds.min(cx.config.timing.delayed_deadline_max_seconds)
            }
            _ => cx.config.timing.deadline_seconds,
        };
        let draft = Draft {
            account: link.from,
            intent,
            asker: Asker::Daemon,
            note: format!("{} below its floor", link.name),
            deadline_seconds,
            decision,
            idempotency_key: None,
        };
        flow::draft(cx, draft);
    }
}

fn moves<'a>(state: &'a State, link: &'a TierLink) -> impl Iterator<Item = &'a Proposal> {
    state.moves.get(&link.name).into_iter().flatten().rev().filter_map(|id| state.proposals.get(id))
}

/// Whether the link rests: a move is under way, or the last one came to nothing a short while ago. So it
/// never refills twice for one need, and does not ask a policy that said no at every ledger.
fn rests(cx: &Cx<'_>, link: &TierLink) -> bool {
    let Some(last) = moves(cx.state, link).next() else { return false };
    if !last.status.is_final() {
        return true;
    }
    // Signatures over a move that people rejected or took back may still be sent by whoever has them.
    let may_come_yet = cx.state.holds_slot(last);
    let rest_until = last.drafted.close_time.0.saturating_add(cx.config.timing.retry_seconds);
    may_come_yet || (last.status.ended_without_effect() && cx.now().0 < rest_until)
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
    let oldest = since.saturating_sub(policy::DRAFT_LIFE_MAX_SECONDS);
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
