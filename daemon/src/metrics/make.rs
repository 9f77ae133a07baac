//! How metrics are made, and what goes into them.

use prometheus::core::Collector;
use prometheus::{GaugeVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use super::Metric;

pub(super) fn gauge(registry: &Registry, metric: Metric) -> Result<IntGauge, prometheus::Error> {
    register(registry, IntGauge::new(metric.name, metric.help)?)
}

pub(super) fn gauges(registry: &Registry, metric: Metric) -> Result<IntGaugeVec, prometheus::Error> {
    register(registry, IntGaugeVec::new(Opts::new(metric.name, metric.help), metric.labels)?)
}

pub(super) fn float_gauges(registry: &Registry, metric: Metric) -> Result<GaugeVec, prometheus::Error> {
    register(registry, GaugeVec::new(Opts::new(metric.name, metric.help), metric.labels)?)
}

pub(super) fn counters(registry: &Registry, metric: Metric) -> Result<IntCounterVec, prometheus::Error> {
    register(registry, IntCounterVec::new(Opts::new(metric.name, metric.help), metric.labels)?)
}

pub(super) fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: C,
) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

/// Drops are at most 10^17 and counts far less; a gauge that stuck at its greatest would be seen.
pub(super) fn clamp(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn count(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
