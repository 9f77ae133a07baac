//! The circuit breakers: one for each account and cause.

use std::collections::BTreeSet;

use crate::model::event::Event;
use crate::model::failure::{self, Cause};
use crate::model::intent::{Asker, Intent, IntentKind};
use crate::model::proposal::Status;
use crate::model::state::BreakerKey;
use crate::model::units::AccountId;
use crate::work::cx::Cx;

/// Counts a failure towards the account's circuit breaker for this cause.
pub(crate) fn count_failure(cx: &mut Cx<'_>, account: AccountId, cause: Cause, reason: &str) {
    let key = BreakerKey { account: Some(account), cause };
    let known = cx.state.breakers.get(&key).cloned().unwrap_or_default();
    let failures = known.failures.saturating_add(1);
    let account = Some(account);
    cx.emit(Event::BreakerCounted { account, cause, failures });
    if failures >= cx.config.timing.breaker_failures && known.open.is_none() {
        let at = cx.point();
        cx.emit(Event::BreakerOpened { account, cause, at, reason: reason.to_owned() });
    }
}

/// Lets automated submissions go on: of one account, or of all. Whether any were stopped.
///
/// Each is closed by its account, so that whoever was told that it is open is told the same way that it is not.
pub(crate) fn close(cx: &mut Cx<'_>, by: &str, account: Option<AccountId>) -> bool {
    let meant = cx.state.breakers.iter().filter(|(key, _)| account.is_none() || key.account == account);
    let (open, counted): (Vec<_>, Vec<_>) = meant.partition(|(_, breaker)| breaker.open.is_some());
    let accounts: BTreeSet<Option<AccountId>> = open.iter().map(|(key, _)| key.account).collect();
    let counted: Vec<BreakerKey> =
        counted.iter().map(|(key, _)| **key).filter(|key| !accounts.contains(&key.account)).collect();
    if accounts.is_empty() {
        return false;
    }
    for BreakerKey { account, cause } in counted {
        cx.emit(Event::BreakerCounted { account, cause, failures: 0 });
    }
    // That of every account, which earlier versions had, last: its end is that of all.
    for account in accounts.into_iter().rev() {
        cx.emit(Event::BreakerClosed { account, by: by.to_owned() });
    }
    true
}

/// What an ended proposal means for the account's circuit breakers. Only the daemon's own errands show that
/// submitting works again. A recipient's refusal is the recipient's matter: it stops nobody else.
pub(crate) fn count_end(
    cx: &mut Cx<'_>,
    account: AccountId,
    asker: &Asker,
    intent: &Intent,
    status: &Status,
) {
    let recipients =
        |result: &str| intent.kind() != IntentKind::CreateTickets && failure::is_recipients(result);
    match status {
        Status::Validated(_) if *asker == Asker::Daemon => {
            let counted: Vec<BreakerKey> = cx
                .state
                .breakers
                .iter()
                .filter(|(key, breaker)| {
                    key.account.is_none_or(|counted| counted == account)
                        && breaker.failures > 0
                        && breaker.open.is_none()
                })
                .map(|(key, _)| *key)
                .collect();
            for BreakerKey { account, cause } in counted {
                cx.emit(Event::BreakerCounted { account, cause, failures: 0 });
            }
        }
        Status::Failed(outcome) if !recipients(&outcome.result) => {
            if let Some(class) = failure::of_outcome(&outcome.result).filter(|class| class.counts(asker)) {
                let cause = Cause::of(&outcome.result);
                count_failure(cx, account, cause, &format!("{} ({class})", outcome.result));
            }
        }
        _ => {}
    }
}
