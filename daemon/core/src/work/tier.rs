//! Tier links: an account that falls below its floor is refilled from another, and what is above a ceiling is swept to
//! another, within limits.

use crate::model::config::Keeps;
use crate::model::intent::Asker;
use crate::rules::decide;
use crate::rules::gate::{self, Act};
use crate::rules::tiers::{Planner, intent, is_denied};
use crate::work::cx::Cx;
use crate::work::flow::{self, Draft};

/// Proposes the moves that the links ask for.
pub(crate) fn drive(cx: &mut Cx<'_>) {
    let config = cx.config;
    let planner = Planner::new(config);
    for link in &config.links {
        let amount = planner.plan(cx.state, link, cx.now()).amount;
        if amount.is_zero() {
            continue;
        }
        let intent = intent(link, amount);
        // Not into an account that is stopped or was robbed, and not out of one.
        if !gate::may_leave(cx.config, cx.state, Act::along(link, &intent)).is_empty() {
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
            note: match link.keeps {
                Keeps::Filled { .. } => format!("{} below its floor", link.name),
                Keeps::Swept { .. } => format!("{} above its ceiling", link.name),
            },
            deadline_seconds,
            decision,
            idempotency_key: None,
            occurrence: None,
            inquiry: Default::default(),
        };
        flow::draft(cx, draft);
    }
}
