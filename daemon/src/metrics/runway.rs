//! How long the money lasts.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use prometheus::{GaugeVec, IntGaugeVec, Registry};
use treasury_core::Treasury;
use treasury_core::forecast;
use treasury_core::state::State;
use treasury_core::units::{Asset, Drops, RippleTime};

use super::accounts;
use super::{Metric, clamp, float_gauges, gauges};

pub(super) const RUNWAY: Metric = Metric::gauge(
    "treasuryd_runway_seconds",
    &["account", "asset"],
    "Seconds that the money of a cold, warm or hot account lasts, with all that is filled from it, if nothing comes: by what is promised, scheduled, and usually leaves; 31622400 where it lasts for a year. Of XRP, and of each asset that links or schedules name for the account. Looked at once in five minutes of ledger time, of the first two hundred accounts by tier and name.",
);
pub(super) const USUAL: Metric = Metric::gauge(
    "treasuryd_usual_outflow_drops",
    &["account"],
    "Drops that usually leave such an account and all that is filled from it in a day, without what schedules pay.",
);
pub(super) const USUAL_TOKENS: Metric = Metric::gauge(
    "treasuryd_usual_outflow_tokens",
    &["account", "asset"],
    "The same of each other asset that links or schedules name for the account, as the ledger counts it.",
);

/// What it says changes slowly, and looking takes time.
const EVERY_SECONDS: u32 = 300;

#[derive(Debug)]
pub(super) struct Runways {
    runway: IntGaugeVec,
    usual: IntGaugeVec,
    usual_tokens: GaugeVec,
    looked: Mutex<Looked>,
}

/// When it was looked at last, and which assets besides XRP have series, by account.
#[derive(Debug, Default)]
struct Looked {
    at: Option<RippleTime>,
    tokens: BTreeSet<(String, String)>,
}

impl Runways {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            runway: gauges(registry, RUNWAY)?,
            usual: gauges(registry, USUAL)?,
            usual_tokens: float_gauges(registry, USUAL_TOKENS)?,
            looked: Mutex::default(),
        })
    }

    pub(super) fn show(&self, treasury: &Treasury, state: &State) {
        let now = state.now();
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.at.is_some_and(|at| (at.0..at.0.saturating_add(EVERY_SECONDS)).contains(&now.0)) {
            return;
        }
        looked.at = Some(now);
        let mut tokens = BTreeSet::new();
        let (is_shown, named) = (accounts::shown(treasury), forecast::named(treasury));
        for account in forecast::accounts(treasury) {
            let declared = treasury.accounts.get(&account).filter(|declared| is_shown(declared));
            let Some(declared) = declared else { continue };
            let name = declared.name.as_str();
            let runway = forecast::runway(treasury, state, &account, Asset::Xrp);
            let xrp = Asset::Xrp.to_string();
            self.runway.with_label_values(&[name, xrp.as_str()]).set(i64::from(runway.seconds()));
            let usual = runway.usual.drops().unwrap_or(Drops::MAX);
            self.usual.with_label_values(&[name]).set(clamp(usual.get()));
            // What nobody has named has no series: whoever can make an account pay may choose what.
            let known = forecast::assets(&named, state, &account);
            for asset in named.get(&account).into_iter().flatten().filter(|asset| known.contains(asset)) {
                let runway = forecast::runway(treasury, state, &account, *asset);
                let asset = asset.to_string();
                let label = &[name, asset.as_str()];
                self.runway.with_label_values(label).set(i64::from(runway.seconds()));
                // A gauge is looked at and decides nothing.
                let usual = runway.usual.value_text().parse().unwrap_or(f64::NAN);
                self.usual_tokens.with_label_values(label).set(usual);
                tokens.insert((name.to_owned(), asset));
            }
        }
        for (name, asset) in looked.tokens.difference(&tokens) {
            let label = &[name.as_str(), asset.as_str()];
            // There is nothing to take away where there never was anything.
            let _ = self.runway.remove_label_values(label);
            let _ = self.usual_tokens.remove_label_values(label);
        }
        looked.tokens = tokens;
    }
}
