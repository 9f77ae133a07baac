//! Tier links: an account that falls below its floor is refilled from another, within limits.

use crate::model::config::TierLink;
use crate::model::intent::{Asker, Intent, Move};
use crate::rules::decide;
use crate::rules::gate::{self, Act};
use crate::rules::tiers::{is_denied, moves, wanted};
use crate::work::cx::Cx;
use crate::work::flow::{self, Draft};

/// Proposes the moves that the links ask for.
pub(crate) fn refill(cx: &mut Cx<'_>) {
    let config = cx.config;
    for link in &config.links {
        if rests(cx, link) {
            continue;
        }
        let Some(amount) = wanted(cx.config, cx.state, link, cx.now()) else { continue };
        let intent = Intent::Move(Move { link: link.name.clone(), destination: link.to, amount });
        // Not into an account that is stopped or was robbed, and not out of one.
        if !gate::may_leave(cx.config, cx.state, Act::errand(link.from, &intent)).is_empty() {
            continue;
        }
        let decision = decide::decide(cx.config, cx.state, link.from, &Asker::Daemon, &intent, cx.now());
        // It has been said once; what has not changed is not asked for again.
        if decision.obligations.deny && is_denied(cx.config, cx.state, link) {
            continue;
        }
        let timing = &cx.config.timing;
        let most = decision.obligations.delay.map(|_| timing.delayed_deadline_max_seconds);
        let deadline_seconds = most.unwrap_or(timing.deadline_seconds).min(timing.deadline_seconds);
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
