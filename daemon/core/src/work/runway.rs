//! Accounts that nothing fills and that will soon be empty, with all that is filled from them: said once for each limit, and
//! again when it has been better meanwhile.

use crate::model::config::FindingKind;
use crate::model::event::Event;
use crate::model::units::{AccountId, Amount, Asset, RippleTime};
use crate::rules::forecast::{self, Runway};
use crate::work::anomaly::find;
use crate::work::cx::Cx;

/// It is looked at so many seconds of ledger time after the last look: the least limit is a day.
const EVERY_SECONDS: u32 = 3_600;

/// Accounts and assets that are looked at with one ledger: of each everything is added up that it fills, and nothing else happens
/// meanwhile.
const AT_ONCE: usize = 16;

/// Looks at every account that people have to bring money to, at some with each ledger.
pub(crate) fn drive(cx: &mut Cx<'_>) {
    begin(cx);
    for _ in 0..AT_ONCE {
        let Some((account, asset)) = cx.runtime.runways.pop() else { return };
        look(cx, account, asset);
    }
}

/// Begins to look, where it is time for it.
fn begin(cx: &mut Cx<'_>) {
    let is_short = !cx.state.short.is_empty() || !cx.state.short_tokens.is_empty();
    if cx.config.outlook.warn_days.is_empty() && !is_short {
        return;
    }
    let now = cx.now();
    let next = cx.runtime.forecast.map(|last| RippleTime(last.0.saturating_add(EVERY_SECONDS)));
    if next.is_some_and(|next| now < next) {
        return;
    }
    cx.runtime.forecast = Some(now);
    let sources = forecast::sources(cx.config, cx.state);
    // Of what is looked at no more, the account, the asset or the limit, nothing is kept.
    let limits = &cx.config.outlook.warn_days;
    let xrp = cx.state.short.iter().map(|(account, limit)| (*account, Asset::Xrp, *limit));
    let tokens = cx
        .state
        .short_tokens
        .iter()
        .flat_map(|(account, short)| short.iter().map(|(asset, limit)| (*account, *asset, *limit)));
    let is_gone = |(account, asset, limit): &(AccountId, Asset, u32)| {
        !sources.contains(&(*account, *asset)) || !limits.contains(limit)
    };
    let gone: Vec<(AccountId, Asset, u32)> = xrp.chain(tokens).filter(is_gone).collect();
    for (account, asset, _) in gone {
        cx.emit(Event::RunwayChanged { account, asset, below_days: None });
    }
    // The last of them is taken first.
    cx.runtime.runways = sources.into_iter().rev().collect();
}

fn look(cx: &mut Cx<'_>, account: AccountId, asset: Asset) {
    let runway = forecast::runway(cx.config, cx.state, &account, asset);
    let outlook = &cx.config.outlook;
    let (known, below) = (cx.state.below_days(&account, asset), outlook.below(runway.days()));
    // Of what goes up and down around a limit people are told once: it has to be a quarter above it before it counts as better.
    let better = known.filter(|_| known != below && below.is_none_or(|below| Some(below) > known));
    let is_better =
        |known: u32| runway.days() >= known.saturating_add(known.div_ceil(4)).min(forecast::HORIZON_DAYS);
    if better.is_some_and(|known| !is_better(known)) || below == known {
        return;
    }
    cx.emit(Event::RunwayChanged { account, asset, below_days: below });
    if let Some(limit) = below.filter(|below| known.is_none_or(|known| *below < known)) {
        find(cx, FindingKind::RunwayShort, account, evidence(&runway, limit));
    }
}

fn evidence(runway: &Runway, limit: u32) -> String {
    let others = match runway.group.len() {
        0 | 1 => String::new(),
        several => format!(", with the {} accounts that are filled from it,", several.saturating_sub(1)),
    };
    let [has, usual, promised, scheduled] =
        [&runway.has, &runway.usual, &runway.promised, &runway.scheduled].map(Amount::words);
    let (above, frozen) = match runway.asset {
        Asset::Xrp => (" above its reserves", String::new()),
        _ if runway.frozen.is_zero() => ("", String::new()),
        _ => ("", format!("; {}, which its issuer has frozen, counts for nothing", runway.frozen.words())),
    };
    format!(
        "the account{others} has {has}{above}, which lasts {}, less than {limit} d: {usual} usually leave in a day, {promised} are \
         promised, and schedules take {scheduled} within a year{frozen}",
        runway.lasts(),
    )
}
