//! How long the money lasts, as the API tells it.

use std::path::Path;

use treasury_core::observe::TrustLineView as Line;
use treasury_core::units::Asset;

use super::*;
use crate::config::PriceFile;

const EURO: &str = "EUR.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B";

fn priced(dir: &Path) -> (PriceFile, std::path::PathBuf) {
    let path = dir.join("prices.txt");
    (PriceFile { currency: "EUR".to_owned(), path: path.clone(), age_max_seconds: 3_600 }, path)
}

/// The treasury with a trust line of warm's, and prices.
async fn served(prices: PriceFile) -> Served {
    let (mut engine, metrics, _) = testing::engine(MemoryStore::new());
    testing::carry_nothing_out(&mut engine);
    let Engine { handle, .. } = engine;
    let Input::Reconciled { at, mut accounts, from, wall_ms } = testing::reconciled() else { panic!() };
    let asset: Asset = EURO.parse().unwrap();
    for read in accounts.iter_mut().filter(|read| read.account == testing::warm()) {
        let (balance, limit) = ("250.5".parse().unwrap(), "1000".parse().unwrap());
        let line = Line { balance, limit, frozen: true, deep_frozen: false, no_ripple: Some(false) };
        read.trust_lines = Some([(asset, line)].into());
    }
    handle.input(Input::Reconciled { at, accounts, from, wall_ms }).await.unwrap();
    handle.input(testing::ledger(101)).await.unwrap();
    let app = App::new(handle.clone(), metrics, Tokens::new(&testing::tokens()), Limits::default());
    let app = app.with_prices(Some(prices));
    Served::of(app, handle, MemoryStore::new()).await
}

#[tokio::test]
async fn it_tells_what_waits_what_lasts_and_what_there_is_and_changes_nothing() {
    let served = Served::new().await;
    let alice = served.client("alice");
    alice.propose(&payment(50_000_000)).await.unwrap();
    let stored = served.store.last();
    let forecast = alice.forecast().await.unwrap();
    assert_eq!(served.store.last(), stored);
    let [warm] = forecast.accounts.as_slice() else { panic!("{forecast:?}") };
    assert_eq!(
        (warm.account.name.as_deref(), warm.tier.as_str(), warm.is_source),
        (Some("warm"), "warm", true)
    );
    assert_eq!((warm.lasts.as_str(), warm.seconds), ("more than a year", None));
    assert_eq!(warm.promised_drops, "50000000");
    let [payment] = forecast.pipeline.as_slice() else { panic!("{forecast:?}") };
    assert_eq!((payment.proposal.as_str(), payment.permille), ("P1", 800));
    let tiers: Vec<&str> = forecast.positions.iter().map(|position| position.tier.as_str()).collect();
    assert_eq!(tiers, ["warm", "runner"]);
    assert!(forecast.prices.is_none() && forecast.worth.is_empty());
    assert!(forecast.positions.iter().all(|position| position.worth.is_none()));
}

/// Danger: what there was last week is told as what there is.
#[tokio::test]
async fn prices_count_while_they_are_of_now_and_whole_and_are_told_of_in_any_case() {
    let dir = tempfile::tempdir().unwrap();
    let (file, path) = priced(dir.path());
    let served = served(file).await;
    let alice = served.client("alice");
    let told = async |text: &str| {
        std::fs::write(&path, text).unwrap();
        let forecast = alice.forecast().await.unwrap();
        (forecast.prices.unwrap(), forecast.worth, forecast.positions)
    };
    let utc = crate::clock::utc();
    let (prices, worth, positions) = told(&format!("# date: {utc}\nXRP 2.5\n{EURO} 1\n")).await;
    assert_eq!((prices.currency.as_str(), prices.stale, prices.problem), ("EUR", false, None));
    assert_eq!(prices.at, Some(utc.to_string()));
    assert_eq!(prices.sha256.unwrap().len(), 64);
    let sums: Vec<_> = worth.iter().map(|one| (one.tier.as_deref(), one.worth.as_str())).collect();
    assert_eq!(sums, [(Some("warm"), "25250.50"), (Some("runner"), "25000.00"), (None, "50250.50")]);
    assert_eq!(positions[0].worth.as_deref(), Some("25000.00"));
    // What has no price is in no sum, and is named.
    let (_, worth, _) = told(&format!("# date: {utc}\nXRP 2.5\n")).await;
    assert_eq!((worth[2].worth.as_str(), worth[2].unpriced.as_slice()), ("50000.00", &[EURO.to_owned()][..]));
    let long_ago = treasury_core::units::RippleTime(utc.0 - 7_200);
    let (prices, worth, positions) = told(&format!("# date: {long_ago}\nXRP 2.5\n")).await;
    assert_eq!((prices.stale, prices.at), (true, Some(long_ago.to_string())));
    assert!(worth.is_empty() && positions.iter().all(|position| position.worth.is_none()));
    let (prices, worth, _) = told("XRP 2.5").await;
    assert!(prices.problem.unwrap().contains("has no `# date:`") && prices.at.is_none() && worth.is_empty());
    std::fs::remove_file(&path).unwrap();
    let prices = alice.forecast().await.unwrap().prices.unwrap();
    assert!(prices.problem.unwrap().contains("cannot be read"));
}

/// Danger: what programs know of XRP changes when a treasury comes to have something else.
#[tokio::test]
async fn what_an_account_has_by_a_trust_line_and_pays_out_is_told_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let served = served(priced(dir.path()).0).await;
    let alice = served.client("alice");
    let before = alice.forecast().await.unwrap();
    assert!(before.tokens.is_empty(), "nothing moves it");
    let line = |balance: &str| {
        let (balance, limit) = (balance.parse().unwrap(), "1000".parse().unwrap());
        let (account, asset) = (testing::warm(), EURO.parse().unwrap());
        let line = Some(Line { balance, limit, frozen: false, deep_frozen: false, no_ripple: Some(false) });
        treasury_core::observe::Change::TrustLine { account, asset, line }
    };
    let mut ledger = testing::ledger(102);
    let Input::Ledger { observation, .. } = &mut ledger else { panic!("a ledger") };
    observation.changes = vec![line("200.25"), line("300"), line("150")];
    served.handle.input(ledger).await.unwrap();
    let forecast = alice.forecast().await.unwrap();
    let [warm] = forecast.tokens.as_slice() else { panic!("{forecast:?}") };
    let (name, asset) = (warm.account.name.as_deref(), warm.asset.as_str());
    assert_eq!((name, warm.tier.as_str(), asset, warm.is_source), (Some("warm"), "warm", EURO, true));
    let euro = |value: &str| AmountView { asset: EURO.to_owned(), value: value.to_owned() };
    assert_eq!((&warm.has, &warm.frozen, &warm.usual_per_day), (&euro("150"), &euro("0"), &euro("0")));
    assert_eq!((warm.lasts.as_str(), warm.seconds, warm.below_days), ("more than a year", None, None));
    assert_eq!(forecast.accounts, before.accounts);
}

#[tokio::test]
async fn trust_lines_stand_with_their_account() {
    let dir = tempfile::tempdir().unwrap();
    let served = served(priced(dir.path()).0).await;
    let accounts = served.client("alice").accounts().await.unwrap();
    let lines = accounts[0].trust_lines.as_ref().unwrap();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(line.balance, AmountView { asset: EURO.to_owned(), value: "250.5".to_owned() });
    assert_eq!((line.limit.value.as_str(), line.frozen, line.deep_frozen), ("1000", true, false));
    assert_eq!(accounts[1].trust_lines, Some(Vec::new()), "it has none");
}
