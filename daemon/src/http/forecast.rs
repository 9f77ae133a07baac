//! How long the money lasts, and what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State as Shared;
use treasury_core::State;
use treasury_core::config::{Tier, Treasury};
use treasury_core::forecast::{self, Position, Runway};
use treasury_core::units::{AccountId, Asset, RippleTime};
use treasury_core::worth::{self, Prices};

use super::App;
use super::api::{
    ExpectedView, ForecastView, PositionView, PricesView, RunwayView, TokenRunwayView, WorthView,
};
use super::auth::Speaker;
use super::error::ApiError;
use super::shown::Shown;
use super::view::{party, tier_word};
use crate::apart::{Apart, READ_FOR};
use crate::config::PriceFile;

/// Payments under way that are shown.
const PIPELINE_MAX: usize = 200;

/// What is looked at of the state; what it is worth follows.
struct Looked {
    view: ForecastView,
    now: RippleTime,
    positions: BTreeMap<(Tier, Asset), Position>,
    accounts: Vec<AccountId>,
}

/// Accounts that are looked at in one question to the engine, which takes no stop meanwhile.
pub(super) const ACCOUNTS_AT_ONCE: usize = 20;

pub(super) async fn forecast(Shared(app): Shared<App>, _: Speaker) -> Result<Shown<ForecastView>, ApiError> {
    let Looked { mut view, now, positions, accounts } = app.engine.query(look).await?;
    for some in accounts.chunks(ACCOUNTS_AT_ONCE) {
        let some = some.to_vec();
        let look = move |state: &State, treasury: &Treasury| runways(state, treasury, &some);
        let (accounts, tokens) = app.engine.query(look).await?;
        view.accounts.extend(accounts);
        view.tokens.extend(tokens);
    }
    let prices = match app.prices.clone() {
        Some(prices) => Some(load(prices).await),
        None => None,
    };
    let known = prices.as_ref().map(|(file, loaded)| prices_view(&file.0, loaded, now));
    // What is too old is told as that, and never in money.
    let counting = prices.and_then(|(_, loaded)| loaded.ok()).filter(|prices| !prices.are_stale(now));
    view.prices = known;
    view.positions = positions.iter().map(|(key, position)| one(*key, position, counting.as_ref())).collect();
    view.worth = counting.map(|prices| sums(&positions, &prices)).unwrap_or_default();
    Ok(Shown(view))
}

type Loaded = (Arc<(PriceFile, Apart)>, Result<Prices, String>);

async fn load(prices: Arc<(PriceFile, Apart)>) -> Loaded {
    let read = Arc::clone(&prices);
    let loaded = prices.1.read(READ_FOR, move || read.0.load()).await;
    (prices, loaded.unwrap_or_else(|unread| Err(format!("the file {}", unread.words()))))
}

fn look(state: &State, treasury: &Treasury) -> Looked {
    let mut accounts: Vec<AccountId> = forecast::accounts(treasury).collect();
    accounts
        .sort_by_key(|account| treasury.accounts.get(account).map(|known| (known.tier, known.name.clone())));
    let pipeline = forecast::pipeline(treasury, state);
    let expected = pipeline.iter().take(PIPELINE_MAX).map(|expected| ExpectedView {
        proposal: expected.proposal.to_string(),
        account: party(treasury, &expected.account),
        amount: expected.amount.into(),
        soonest: expected.soonest.to_string(),
        deadline: expected.deadline.map(|deadline| deadline.to_string()),
        permille: expected.permille,
    });
    let view = ForecastView {
        at: state.ledger.map(|ledger| ledger.close_time.to_string()),
        accounts: Vec::new(),
        tokens: Vec::new(),
        pipeline: expected.collect(),
        pipeline_more: pipeline.len().saturating_sub(PIPELINE_MAX),
        positions: Vec::new(),
        prices: None,
        worth: Vec::new(),
    };
    Looked { view, now: state.now(), positions: forecast::positions(treasury, state), accounts }
}

fn runways(
    state: &State,
    treasury: &Treasury,
    accounts: &[AccountId],
) -> (Vec<RunwayView>, Vec<TokenRunwayView>) {
    let named = forecast::named(treasury);
    let (mut of_xrp, mut of_tokens) = (Vec::new(), Vec::new());
    for account in accounts {
        for asset in forecast::assets(&named, state, account) {
            let runway = forecast::runway(treasury, state, account, asset);
            if asset.is_xrp() {
                of_xrp.push(of_account(state, treasury, account, &runway));
            } else {
                of_tokens.push(of_token(state, treasury, account, &runway));
            }
        }
    }
    (of_xrp, of_tokens)
}

fn of_token(state: &State, treasury: &Treasury, account: &AccountId, runway: &Runway) -> TokenRunwayView {
    let fills = runway.group.iter().filter(|other| *other != account);
    TokenRunwayView {
        account: party(treasury, account),
        tier: treasury.accounts.get(account).map_or("", |known| tier_word(known.tier)).to_owned(),
        asset: runway.asset.to_string(),
        fills: fills.map(|other| party(treasury, other)).collect(),
        is_source: forecast::is_source(treasury, account, runway.asset),
        has: runway.has.into(),
        frozen: runway.frozen.into(),
        promised: runway.promised.into(),
        scheduled: runway.scheduled.into(),
        usual_per_day: runway.usual.into(),
        ends: runway.ends.map(|ends| ends.to_string()),
        seconds: runway.ends.map(|_| runway.seconds()),
        lasts: runway.lasts(),
        below_days: state.below_days(account, runway.asset),
    }
}

fn of_account(state: &State, treasury: &Treasury, account: &AccountId, runway: &Runway) -> RunwayView {
    let fills = runway.group.iter().filter(|other| *other != account);
    RunwayView {
        account: party(treasury, account),
        tier: treasury.accounts.get(account).map_or("", |known| tier_word(known.tier)).to_owned(),
        fills: fills.map(|other| party(treasury, other)).collect(),
        is_source: forecast::is_source(treasury, account, runway.asset),
        has_drops: runway.has.value_text(),
        promised_drops: runway.promised.value_text(),
        scheduled_drops: runway.scheduled.value_text(),
        usual_drops_per_day: runway.usual.value_text(),
        ends: runway.ends.map(|ends| ends.to_string()),
        seconds: runway.ends.map(|_| runway.seconds()),
        lasts: runway.lasts(),
        below_days: state.below_days(account, runway.asset),
    }
}

fn one((tier, _): (Tier, Asset), position: &Position, prices: Option<&Prices>) -> PositionView {
    PositionView {
        tier: tier_word(tier).to_owned(),
        has: position.has.into(),
        escrowed: position.escrowed.into(),
        promised: position.promised.into(),
        worth: prices.and_then(|prices| prices.worth(&position.has)).map(worth::words),
    }
}

fn prices_view(file: &PriceFile, loaded: &Result<Prices, String>, now: RippleTime) -> PricesView {
    let prices = loaded.as_ref().ok();
    PricesView {
        currency: file.currency.clone(),
        at: prices.map(|prices| prices.at.to_string()),
        sha256: prices.map(|prices| prices.sha256.to_string()),
        stale: prices.is_some_and(|prices| prices.are_stale(now)),
        problem: loaded.as_ref().err().cloned(),
    }
}

/// What each tier and the whole has that has a price, and what has none.
fn sums(positions: &BTreeMap<(Tier, Asset), Position>, prices: &Prices) -> Vec<WorthView> {
    let tiers: BTreeSet<Tier> = positions.keys().map(|(tier, _)| *tier).collect();
    let of = |wanted: Option<Tier>| {
        let (mut sum, mut unpriced) = (0_u128, BTreeSet::new());
        for ((tier, asset), position) in positions {
            if wanted.is_some_and(|wanted| wanted != *tier) || position.has.is_zero() {
                continue;
            }
            match prices.worth(&position.has).and_then(|worth| sum.checked_add(worth)) {
                Some(added) => sum = added,
                None => drop(unpriced.insert(asset.to_string())),
            }
        }
        WorthView {
            tier: wanted.map(|tier| tier_word(tier).to_owned()),
            worth: worth::words(sum),
            unpriced: unpriced.into_iter().collect(),
        }
    };
    tiers.into_iter().map(Some).chain([None]).map(of).collect()
}
