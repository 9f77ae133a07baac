//! Ticket pools: every proposal takes a Ticket, and the pools refill themselves.

use crate::model::config::Tier;
use crate::model::intent::{Asker, CreateTickets, Intent, IntentKind};
use crate::model::units::AccountId;
use crate::rules::gate::{self, Act};
use crate::work::cx::Cx;
use crate::work::flow::{self, Draft};

/// The most Tickets that an account may hold.
const TICKETS_MAX: u32 = 250;

/// Proposes a refill for every account whose pool is low. Only where something has changed since the last
/// look can a pool have become low, or a refill possible.
pub(crate) fn refill(cx: &mut Cx<'_>) {
    if cx.config.tickets.low_water == 0 {
        return;
    }
    let config = cx.config;
    let now = cx.now();
    let mut due = std::mem::take(&mut cx.runtime.touched);
    let retries = cx.runtime.ticket_retry.iter().filter(|(_, not_before)| now >= **not_before);
    due.extend(retries.map(|(account, _)| *account));
    if !std::mem::replace(&mut cx.runtime.looked_at_all, true) {
        due.extend(config.accounts.keys());
    }
    cx.runtime.ticket_retry.retain(|_, not_before| now < *not_before);
    // Few have a pool, and with a ledger of a treasury of many accounts most that is touched has none.
    let pools = cx.runtime.pools.get_or_insert_with(|| {
        let pools = config.accounts.iter().filter(|(_, declared)| declared.tier != Tier::Board);
        pools.map(|(account, _)| *account).collect()
    });
    due.retain(|account| pools.contains(account));
    for account in due {
        // Few pools are low, and what is open is much: so it is looked through last.
        if let Some(count) = wanted(cx, &account)
            && !under_way(cx, &account)
        {
            let intent = Intent::CreateTickets(CreateTickets { count });
            if !gate::may_leave(cx.config, cx.state, Act::errand(account, &intent)).is_empty() {
                // What stops it may go without a word about this account: it is looked at again.
                cx.runtime.touched.insert(account);
                continue;
            }
            let decision = flow::built_in(cx, "ticket pool");
            let draft = Draft {
                account,
                intent,
                asker: Asker::Daemon,
                note: String::new(),
                deadline_seconds: cx.config.timing.deadline_seconds,
                decision,
                idempotency_key: None,
                occurrence: None,
                inquiry: Default::default(),
            };
            flow::draft(cx, draft);
        }
    }
}

/// Whether Tickets for this account are already on the way.
fn under_way(cx: &Cx<'_>, account: &AccountId) -> bool {
    let mut open = cx.state.open.iter().filter_map(|id| cx.state.proposals.get(id));
    open.any(|proposal| proposal.account == *account && proposal.intent.kind() == IntentKind::CreateTickets)
}

/// How many Tickets to create for this account now, if any: up to the target, at most 250 held, and no
/// more than the reserve allows.
fn wanted(cx: &Cx<'_>, account: &AccountId) -> Option<u32> {
    let now = cx.now();
    if cx.runtime.ticket_retry.get(account).is_some_and(|not_before| now < *not_before) {
        return None;
    }
    let view = cx.state.accounts.get(account)?;
    let (root, fees) = (view.root?, cx.state.fees?);
    let free = u32::try_from(cx.state.free_tickets(account).count()).unwrap_or(u32::MAX);
    if free >= cx.config.tickets.low_water {
        return None;
    }
    let held = u32::try_from(view.tickets.len()).unwrap_or(u32::MAX);
    let room = TICKETS_MAX.saturating_sub(held);
    let reserve =
        fees.reserve_inc.checked_mul(u64::from(root.owner_count))?.checked_add(fees.reserve_base)?;
    let spare = root.balance.checked_sub(reserve)?.checked_sub(cx.config.fees.fee_max)?;
    let affordable = match fees.reserve_inc.get() {
        0 => u32::MAX,
        each => u32::try_from(spare.get() / each).unwrap_or(u32::MAX),
    };
    let count = cx.config.tickets.target.saturating_sub(free).min(room).min(affordable);
    (count > 0).then_some(count)
}
