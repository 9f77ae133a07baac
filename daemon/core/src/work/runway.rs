//! Accounts that nothing fills and that will soon be empty, with all that is filled from them: said once for each limit, and
//! again when it has been better meanwhile.

use crate::model::config::FindingKind;
use crate::model::event::Event;
use crate::model::units::{AccountId, RippleTime};
use crate::rules::forecast::{self, Runway};
use crate::work::anomaly::find;
use crate::work::cx::Cx;

/// It is looked at so many seconds of ledger time after the last look: the least limit is a day.
const EVERY_SECONDS: u32 = 3_600;

/// Looks at every account that people have to bring money to.
pub(crate) fn drive(cx: &mut Cx<'_>) {
    if cx.config.outlook.warn_days.is_empty() && cx.state.short.is_empty() {
        return;
    }
    let now = cx.now();
    let next = cx.runtime.forecast.map(|last| RippleTime(last.0.saturating_add(EVERY_SECONDS)));
    if next.is_some_and(|next| now < next) {
        return;
    }
    cx.runtime.forecast = Some(now);
    // Of what is not declared any more, neither the account nor the limit, nothing is kept.
    let (accounts, limits) = (&cx.config.accounts, &cx.config.outlook.warn_days);
    let gone = cx
        .state
        .short
        .iter()
        .filter(|(account, limit)| !accounts.contains_key(account) || !limits.contains(limit));
    let gone: Vec<AccountId> = gone.map(|(account, _)| *account).collect();
    for account in gone {
        cx.emit(Event::RunwayChanged { account, below_days: None });
    }
    for account in forecast::accounts(cx.config) {
        if forecast::is_source(cx.config, &account) {
            look(cx, account);
        }
    }
}

fn look(cx: &mut Cx<'_>, account: AccountId) {
    let runway = forecast::runway(cx.config, cx.state, &account);
    let outlook = &cx.config.outlook;
    let (known, below) = (cx.state.short.get(&account).copied(), outlook.below(runway.days()));
    // Of what goes up and down around a limit people are told once: it has to be a quarter above it before it counts as better.
    let better = known.filter(|_| known != below && below.is_none_or(|below| Some(below) > known));
    if better.is_some_and(|known| runway.days() < known.saturating_add(known.div_ceil(4))) || below == known {
        return;
    }
    cx.emit(Event::RunwayChanged { account, below_days: below });
    if let Some(limit) = below.filter(|below| known.is_none_or(|known| *below < known)) {
        find(cx, FindingKind::RunwayShort, account, evidence(&runway, limit));
    }
}

fn evidence(runway: &Runway, limit: u32) -> String {
    let others = match runway.group.len() {
        0 | 1 => String::new(),
        several => format!(", with the {} accounts that are filled from it,", several.saturating_sub(1)),
    };
    format!(
        "the account{others} has {} XRP above its reserves, which lasts {}, less than {limit} d: {} XRP usually leave in a day, \
         {} XRP are promised, and schedules take {} XRP within a year",
        runway.has.to_xrp_string(),
        runway.lasts(),
        runway.usual.to_xrp_string(),
        runway.promised.to_xrp_string(),
        runway.scheduled.to_xrp_string(),
    )
}
