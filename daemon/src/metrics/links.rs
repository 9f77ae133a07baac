//! The tier links: between which bounds each keeps its account, and what it does about it now.

use prometheus::{GaugeVec, Registry};
use treasury_core::Treasury;
use treasury_core::config::Keeps;
use treasury_core::state::State;
use treasury_core::tiers::{self, Planner};
use treasury_core::units::Amount;

use super::{Metric, float_gauges};

const LABELS: &[&str] = &["link", "keeps", "asset"];

pub(super) const LINK_BOUND: Metric = Metric::gauge(
    "treasuryd_link_bound",
    LABELS,
    "Floor (`keeps` is `filled`) or ceiling (`swept`) of a tier link, in whole units of the asset: XRP, not drops.",
);
pub(super) const LINK_TARGET: Metric = Metric::gauge(
    "treasuryd_link_target",
    LABELS,
    "What a move of a tier link fills up or sweeps down to, in whole units.",
);
pub(super) const LINK_HAS: Metric = Metric::gauge(
    "treasuryd_link_has",
    LABELS,
    "What the account that a tier link keeps counts as having: with what is on its way where it is filled, without what is promised where it is swept; in whole units. Not there where the account is not on the ledger.",
);
pub(super) const LINK_MOVES: Metric =
    Metric::gauge("treasuryd_link_moves", LABELS, "What a tier link would move now, in whole units.");
pub(super) const LINK_MOVED: Metric = Metric::gauge(
    "treasuryd_link_moved",
    LABELS,
    "What a tier link has moved within its period, moves under way included, in whole units.",
);
pub(super) const LINK_MOVED_MAX: Metric = Metric::gauge(
    "treasuryd_link_moved_max",
    LABELS,
    "The most that a tier link may move within its period, in whole units.",
);

#[derive(Debug)]
pub(super) struct Links {
    bound: GaugeVec,
    target: GaugeVec,
    has: GaugeVec,
    moves: GaugeVec,
    moved: GaugeVec,
    moved_max: GaugeVec,
}

impl Links {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            bound: float_gauges(registry, LINK_BOUND)?,
            target: float_gauges(registry, LINK_TARGET)?,
            has: float_gauges(registry, LINK_HAS)?,
            moves: float_gauges(registry, LINK_MOVES)?,
            moved: float_gauges(registry, LINK_MOVED)?,
            moved_max: float_gauges(registry, LINK_MOVED_MAX)?,
        })
    }

    pub(super) fn show(&self, treasury: &Treasury, state: &State) {
        // A link may be gone from the configuration.
        for gauges in [&self.bound, &self.target, &self.has, &self.moves, &self.moved, &self.moved_max] {
            gauges.reset();
        }
        let (planner, now) = (Planner::new(treasury), state.now());
        for link in &treasury.links {
            let (keeps, bound, target, has) = match link.keeps {
                Keeps::Filled { floor, target } => {
                    ("filled", floor, target, tiers::expected(state, &link.to, link.asset))
                }
                Keeps::Swept { ceiling, target } => {
                    ("swept", ceiling, target, tiers::unpromised(state, &link.from, link.asset))
                }
            };
            let asset = link.asset.to_string();
            let set = |gauges: &GaugeVec, amount: Amount| {
                gauges.with_label_values(&[link.name.as_str(), keeps, asset.as_str()]).set(whole(amount));
            };
            set(&self.bound, bound);
            set(&self.target, target);
            set(&self.moves, planner.plan(state, link, now).amount);
            set(&self.moved, tiers::moved(state, link, now));
            set(&self.moved_max, link.period_max);
            if let Some(has) = has {
                set(&self.has, has);
            }
        }
    }
}

/// In whole units. A gauge is looked at and decides nothing.
fn whole(amount: Amount) -> f64 {
    let text = amount.drops().map_or_else(|| amount.value_text(), |drops| drops.to_xrp_string());
    text.parse().unwrap_or(f64::NAN)
}
