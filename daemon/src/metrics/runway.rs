//! How long the money lasts.

use std::sync::{Mutex, PoisonError};

use prometheus::{IntGaugeVec, Registry};
use treasury_core::Treasury;
use treasury_core::forecast;
use treasury_core::state::State;
use treasury_core::units::RippleTime;

use super::accounts;
use super::{Metric, clamp, gauges};

pub(super) const RUNWAY: Metric = Metric::gauge(
    "treasuryd_runway_seconds",
    &["account"],
    "Seconds that the money of a cold, warm or hot account lasts, with all that is filled from it, if nothing comes: by what is promised, scheduled, and usually leaves; 31622400 where it lasts for a year. Looked at once in five minutes of ledger time, of the first two hundred accounts by tier and name.",
);
pub(super) const USUAL: Metric = Metric::gauge(
    "treasuryd_usual_outflow_drops",
    &["account"],
    "Drops that usually leave such an account and all that is filled from it in a day, without what schedules pay.",
);

/// What it says changes slowly, and looking takes time.
const EVERY_SECONDS: u32 = 300;

#[derive(Debug)]
pub(super) struct Runways {
    runway: IntGaugeVec,
    usual: IntGaugeVec,
    looked: Mutex<Option<RippleTime>>,
}

impl Runways {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            runway: gauges(registry, RUNWAY)?,
            usual: gauges(registry, USUAL)?,
            looked: Mutex::new(None),
        })
    }

    pub(super) fn show(&self, treasury: &Treasury, state: &State) {
        let now = state.now();
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.is_some_and(|at| (at.0..at.0.saturating_add(EVERY_SECONDS)).contains(&now.0)) {
            return;
        }
        *looked = Some(now);
        let is_shown = accounts::shown(treasury);
        for account in forecast::accounts(treasury) {
            let declared = treasury.accounts.get(&account).filter(|declared| is_shown(declared));
            let Some(declared) = declared else { continue };
            let label = &[declared.name.as_str()];
            let runway = forecast::runway(treasury, state, &account);
            self.runway.with_label_values(label).set(i64::from(runway.seconds()));
            self.usual.with_label_values(label).set(clamp(runway.usual.get()));
        }
    }
}
