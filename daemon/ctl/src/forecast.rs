//! How long the money lasts, and what there is, as tables.

use treasury_api::types::{ForecastView, PricesView, RunwayView};

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
            remark(account),
        ]);
    }
    text.push_str(&table.shown(console::width()));
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

fn remark(account: &RunwayView) -> String {
    match (account.below_days, account.is_source) {
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
    use treasury_api::types::{AmountView, ExpectedView, PartyView, PositionView, WorthView};

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
