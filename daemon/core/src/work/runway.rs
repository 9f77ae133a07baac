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

/// Accounts that are looked at with one ledger: of each everything is added up that it fills, and nothing else happens
/// meanwhile.
const AT_ONCE: usize = 16;

/// Looks at every account that people have to bring money to, at some with each ledger.
pub(crate) fn drive(cx: &mut Cx<'_>) {
    begin(cx);
    for _ in 0..AT_ONCE {
        let Some(account) = cx.runtime.runways.pop() else { return };
        look(cx, account);
    }
}

/// Begins to look, where it is time for it.
fn begin(cx: &mut Cx<'_>) {
    if cx.config.outlook.warn_days.is_empty() && cx.state.short.is_empty() {
        return;
    }
    let now = cx.now();
    let next = cx.runtime.forecast.map(|last| RippleTime(last.0.saturating_add(EVERY_SECONDS)));
    if next.is_some_and(|next| now < next) {
        return;
    }
    cx.runtime.forecast = Some(now);
    let sources = forecast::sources(cx.config);
    // Of what is looked at no more, the account or the limit, nothing is kept.
    let limits = &cx.config.outlook.warn_days;
    let is_gone =
        |(account, limit): &(&AccountId, &u32)| !sources.contains(account) || !limits.contains(limit);
    let gone: Vec<AccountId> = cx.state.short.iter().filter(is_gone).map(|(account, _)| *account).collect();
    for account in gone {
        cx.emit(Event::RunwayChanged { account, below_days: None });
    }
    // The last of them is taken first.
    cx.runtime.runways = sources.into_iter().rev().collect();
}

fn look(cx: &mut Cx<'_>, account: AccountId) {
    let runway = forecast::runway(cx.config, cx.state, &account);
    let outlook = &cx.config.outlook;
    let (known, below) = (cx.state.short.get(&account).copied(), outlook.below(runway.days()));
    // Of what goes up and down around a limit people are told once: it has to be a quarter above it before it counts as better.
    let better = known.filter(|_| known != below && below.is_none_or(|below| Some(below) > known));
    let is_better =
        |known: u32| runway.days() >= known.saturating_add(known.div_ceil(4)).min(forecast::HORIZON_DAYS);
    if better.is_some_and(|known| !is_better(known)) || below == known {
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
