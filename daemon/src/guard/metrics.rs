//! What can be measured of a guard. docs/reference/guard.md names it.

use prometheus::{Encoder, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

/// The guard's metrics.
#[derive(Clone, Debug)]
pub struct GuardMetrics {
    registry: Registry,
    conditions: IntCounterVec,
    shares: IntCounterVec,
    tokens_refused: IntCounterVec,
    records: IntGauge,
    stops: IntGauge,
}

impl GuardMetrics {
    /// New ones, in a registry of their own.
    ///
    /// # Errors
    /// Where two have the same name, which would be a defect.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, label: &str| {
            let counter = IntCounterVec::new(Opts::new(name, help), &[label])?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        Ok(Self {
            conditions: counter(
                "treasuryd_guard_conditions_total",
                "Conditions that were asked for, by what came of it: given, or the code of the refusal.",
                "outcome",
            )?,
            shares: counter(
                "treasuryd_guard_shares_total",
                "Shares that were asked for, by what came of it: given, or the code of the refusal.",
                "outcome",
            )?,
            tokens_refused: counter(
                "treasuryd_guard_tokens_refused_total",
                "Requests without a token that is known, by who may use what they asked for.",
                "who",
            )?,
            records: gauge("treasuryd_guard_records", "Conditions that are kept.")?,
            stops: gauge("treasuryd_guard_stops", "Stops that stand.")?,
            registry,
        })
    }

    pub(super) fn condition(&self, outcome: Result<(), &'static str>) {
        self.conditions.with_label_values(&[outcome.err().unwrap_or("given")]).inc();
    }

    pub(super) fn share(&self, outcome: Result<(), &'static str>) {
        self.shares.with_label_values(&[outcome.err().unwrap_or("given")]).inc();
    }

    pub(super) fn token_refused(&self, who: &'static str) {
        self.tokens_refused.with_label_values(&[who]).inc();
    }

    pub(super) fn standing(&self, records: usize, stops: usize) {
        self.records.set(i64::try_from(records).unwrap_or(i64::MAX));
        self.stops.set(i64::try_from(stops).unwrap_or(i64::MAX));
    }

    /// All of them as text.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
