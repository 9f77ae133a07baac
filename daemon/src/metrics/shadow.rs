//! What a second policy says beside the one in force.

use prometheus::{IntGaugeVec, Registry};
use treasury_core::Treasury;
use treasury_core::policy::Turn;
use treasury_core::state::State;

use super::{Metric, clamp, gauges};

pub(super) const SHADOW: Metric = Metric::gauge(
    "treasuryd_shadow_decisions",
    &["turn"],
    "Payments and moves that the second policy was asked about, by how what it said differs from what was decided: `same`, `stricter`, `laxer`, `otherwise`. Begins anew with another second policy; not there without one.",
);

#[derive(Debug)]
pub(super) struct Shadows {
    decisions: IntGaugeVec,
}

impl Shadows {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self { decisions: gauges(registry, SHADOW)? })
    }

    pub(super) fn show(&self, treasury: &Treasury, state: &State) {
        self.decisions.reset();
        let Some(policy) = treasury.policy.shadow() else { return };
        let said = state.shadowing.as_ref().filter(|said| said.policy_hash == policy.hash());
        let mut same = said.map_or(0, |said| said.decided);
        for turn in Turn::ALL {
            let so_many = said.map_or(0, |said| said.so_many(turn));
            same = same.saturating_sub(so_many);
            self.decisions.with_label_values(&[turn.word()]).set(clamp(so_many));
        }
        self.decisions.with_label_values(&["same"]).set(clamp(same));
    }
}
