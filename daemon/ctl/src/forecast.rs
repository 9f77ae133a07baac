//! How long the money lasts, and what there is, as tables.

use std::collections::BTreeSet;

use treasury_api::types::{ForecastView, PricesView, TokenRunwayView};

use treasury_tools::console;
use treasury_tools::text::clean;

use crate::show::{Rows, short, xrp_number};

/// The whole of it.
pub(super) fn shown(forecast: &ForecastView) -> String {
    let mut text = String::new();
    let mut table =
        Rows::new(["account", "with", "lasts", "until", "has XRP", "promised", "scheduled", "a day", ""]);
    for account in &forecast.accounts {
        let with: Vec<String> = account.fills.iter().map(short).collect();
        table.row([
            format!("{} ({})", short(&account.account), account.tier),
            with.join(" "),
            account.lasts.clone(),
            account.ends.clone().unwrap_or_else(|| "-".to_owned()),
            xrp_number(&account.has_drops),
            xrp_number(&account.promised_drops),
            xrp_number(&account.scheduled_drops),
            xrp_number(&account.usual_drops_per_day),
            remark(account.below_days, account.is_source),
        ]);
    }
    text.push_str(&table.shown(console::width()));
    text.push_str(&tokens(&forecast.tokens, console::width()));
    if !forecast.pipeline.is_empty() {
        let mut table =
            Rows::new(["may leave", "from", "amount", "at the soonest", "signed until", "likely"]);
        for expected in &forecast.pipeline {
            table.row([
                expected.proposal.clone(),
                short(&expected.account),
                expected.amount.words(),
                expected.soonest.clone(),
                expected.deadline.clone().unwrap_or_else(|| "-".to_owned()),
                percent(expected.permille),
            ]);
        }
        text.push('\n');
        text.push_str(&table.shown(console::width()));
        if forecast.pipeline_more > 0 {
            text.push_str(&format!("and {} more\n", forecast.pipeline_more));
        }
    }
    let mut table = Rows::new(["tier", "has", "in escrows", "promised", "worth"]);
    for position in &forecast.positions {
        table.row([
            position.tier.clone(),
            position.has.words(),
            position.escrowed.words(),
            position.promised.words(),
            position.worth.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    text.push('\n');
    text.push_str(&table.shown(console::width()));
    if let Some(prices) = &forecast.prices {
        text.push('\n');
        text.push_str(&format!("{}\n", clean(&priced(prices))));
    }
    for worth in &forecast.worth {
        let whose = worth.tier.as_deref().unwrap_or("all together");
        let currency = forecast.prices.as_ref().map_or("", |prices| prices.currency.as_str());
        let mut line = format!("{whose}: {} {currency}", worth.worth);
        if !worth.unpriced.is_empty() {
            line.push_str(&format!(", without {}, which have no price", worth.unpriced.join(", ")));
        }
        text.push_str(&format!("{}\n", clean(&line)));
    }
    text
}

/// The same of each other asset, which has a table of its own: its whole name is long, and only the whole of it says which it is.
fn tokens(all: &[TokenRunwayView], columns: Option<usize>) -> String {
    let assets: BTreeSet<&str> = all.iter().map(|token| token.asset.as_str()).collect();
    let mut text = String::new();
    for asset in assets {
        let mut table =
            Rows::new(["account", "with", "lasts", "until", "has", "promised", "scheduled", "a day", ""]);
        for token in all.iter().filter(|token| token.asset == asset) {
            let with: Vec<String> = token.fills.iter().map(short).collect();
            let mut remarks = vec![remark(token.below_days, token.is_source)];
            if token.frozen.value != "0" {
                remarks.push(format!("{} FROZEN", token.frozen.value));
            }
            remarks.retain(|remark| !remark.is_empty());
            table.row([
                format!("{} ({})", short(&token.account), token.tier),
                with.join(" "),
                token.lasts.clone(),
                token.ends.clone().unwrap_or_else(|| "-".to_owned()),
                token.has.value.clone(),
                token.promised.value.clone(),
                token.scheduled.value.clone(),
                token.usual_per_day.value.clone(),
                remarks.join("; "),
            ]);
        }
        text.push_str(&format!("\n{}\n{}", clean(asset), table.shown(columns)));
    }
    text
}

fn remark(below_days: Option<u32>, is_source: bool) -> String {
    match (below_days, is_source) {
        (Some(days), _) => format!("BELOW {days} d"),
        (None, false) => "is filled by a link".to_owned(),
        (None, true) => String::new(),
    }
}

/// Of a thousand, in hundredths.
fn percent(permille: u32) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

fn priced(prices: &PricesView) -> String {
    let of = prices.at.as_deref().unwrap_or("an unknown time");
    match (&prices.problem, prices.stale) {
        (Some(problem), _) => format!("NO PRICES: {problem}"),
        (None, true) => format!("PRICES OF {of} ARE TOO OLD: nothing is told in {}", prices.currency),
        (None, false) => {
            format!(
                "prices in {} of {of}, SHA-256 {}",
                prices.currency,
                prices.sha256.as_deref().unwrap_or("-")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use treasury_api::types::{AmountView, ExpectedView, PartyView, PositionView, RunwayView, WorthView};

    use super::*;

    fn party(name: &str) -> PartyView {
        PartyView { address: "rhub8VRN55s94qWKDv6jmDy1pUykJzF3wq".to_owned(), name: Some(name.to_owned()) }
    }

    fn xrp(drops: &str) -> AmountView {
        AmountView { asset: "XRP".to_owned(), value: drops.to_owned() }
    }

    fn forecast(prices: Option<PricesView>) -> ForecastView {
        ForecastView {
            at: Some("2026-11-27T00:00:00Z".to_owned()),
            accounts: vec![RunwayView {
                account: party("cold"),
                tier: "cold".to_owned(),
                fills: vec![party("warm"), party("hot")],
                is_source: true,
                has_drops: "5000000000".to_owned(),
                promised_drops: "1000000".to_owned(),
                scheduled_drops: "0".to_owned(),
                usual_drops_per_day: "800000000".to_owned(),
                ends: Some("2026-12-03T06:00:00Z".to_owned()),
                seconds: Some(540_000),
                lasts: "about 6 d 6 h".to_owned(),
                below_days: Some(7),
            }],
            tokens: Vec::new(),
            pipeline: vec![ExpectedView {
                proposal: "P12".to_owned(),
                account: party("warm"),
                amount: xrp("1000000"),
                soonest: "2026-11-27T00:00:00Z".to_owned(),
                deadline: None,
                permille: 905,
            }],
            pipeline_more: 3,
            positions: vec![PositionView {
                tier: "cold".to_owned(),
                has: xrp("5000000000"),
                escrowed: xrp("0"),
                promised: xrp("1000000"),
                worth: None,
            }],
            prices,
            worth: Vec::new(),
        }
    }

    fn prices() -> PricesView {
        PricesView {
            currency: "EUR".to_owned(),
            at: Some("2026-11-20T00:00:00Z".to_owned()),
            sha256: Some("AB".to_owned()),
            stale: false,
            problem: None,
        }
    }

    #[test]
    fn it_says_how_long_what_lasts_what_may_leave_and_what_there_is() {
        let text = shown(&forecast(None));
        for part in ["cold (cold)", "warm hot", "about 6 d 6 h", "BELOW 7 d", "P12", "90.5 %", "and 3 more"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("EUR"), "{text}");
    }

    /// Danger: of two assets with one currency's name people see one; or what is frozen seems to be gone.
    #[test]
    fn each_asset_has_a_table_under_its_whole_name() {
        let usd = |issuer: &str| format!("USD.{issuer}");
        let token = |issuer: &str, has: &str, frozen: &str| {
            let of = |value: &str| AmountView { asset: usd(issuer), value: value.to_owned() };
            TokenRunwayView {
                account: party("cold"),
                tier: "cold".to_owned(),
                asset: usd(issuer),
                fills: vec![party("hot")],
                is_source: true,
                has: of(has),
                frozen: of(frozen),
                promised: of("0"),
                scheduled: of("0"),
                usual_per_day: of("12.5"),
                ends: Some("2026-12-03T06:00:00Z".to_owned()),
                seconds: Some(540_000),
                lasts: "about 6 d 6 h".to_owned(),
                below_days: Some(7),
            }
        };
        let (one, other) = ("rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B", "rhub8VRN55s94qWKDv6jmDy1pUykJzF3wq");
        let tokens = vec![token(one, "75.25", "0"), token(other, "0", "300")];
        let text = shown(&ForecastView { tokens: tokens.clone(), ..forecast(None) });
        for part in [usd(one), usd(other), "75.25".to_owned(), "12.5".to_owned()] {
            assert!(text.contains(&part), "{part}: {text}");
        }
        assert_eq!((text.matches("BELOW 7 d").count(), text.matches("FROZEN").count()), (3, 1), "{text}");
        let narrow = super::tokens(&tokens, Some(80));
        assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
        for part in [usd(one), usd(other)] {
            assert!(narrow.contains(&part), "whole: {narrow}");
        }
    }

    /// Danger: somebody decides by what money was worth last week.
    #[test]
    fn old_prices_are_told_as_old_and_nothing_by_them() {
        let text = shown(&forecast(Some(PricesView { stale: true, ..prices() })));
        assert!(text.contains("PRICES OF 2026-11-20T00:00:00Z ARE TOO OLD"), "{text}");
        let problem = Some("prices.txt cannot be read".to_owned());
        let text = shown(&forecast(Some(PricesView { problem, at: None, sha256: None, ..prices() })));
        assert!(text.contains("NO PRICES: prices.txt cannot be read"), "{text}");
        let worth =
            vec![WorthView { tier: None, worth: "7.00".to_owned(), unpriced: vec!["USD.r".to_owned()] }];
        let text = shown(&ForecastView { worth, ..forecast(Some(prices())) });
        for part in ["prices in EUR of 2026-11-20", "all together: 7.00 EUR, without USD.r"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
