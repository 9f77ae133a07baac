//! Notices on their way to people.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::{Metric, Metrics, count, counters, gauge, gauges, register};

pub(super) const DELIVERIES: Metric = Metric::counter(
    "treasuryd_deliveries_total",
    &["channel", "outcome"],
    "Attempts to deliver a notice since the process started: `delivered`, `failed` (and tried again), or `dead` (given up).",
);
pub(super) const DELIVERIES_WAITING: Metric = Metric::gauge(
    "treasuryd_deliveries_waiting",
    &["channel"],
    "Notices that wait to be delivered, those that failed and are tried again included.",
);
pub(super) const DELIVERIES_DEAD: Metric = Metric::gauge(
    "treasuryd_deliveries_dead",
    &["channel"],
    "Notices that were given up and that nobody has sent again: people have not been told. `treasuryctl deliveries redeliver` sends them again.",
);

pub(super) const NOTICES_STUCK: Metric = Metric::gauge(
    "treasuryd_notices_stuck",
    &[],
    "1 while notices cannot be kept, because the outbox cannot be read or written: nobody is told of what happens. Otherwise 0.",
);

pub(super) const RECORDS_UNTOLD: Metric = Metric::counter(
    "treasuryd_records_untold_total",
    &[],
    "Records of the store that could not be read when they were to be told, since the process started: nobody was told of what they say.",
);

pub(super) const NOTICES_UNANSWERED: Metric = Metric::gauge(
    "treasuryd_notices_unanswered",
    &[],
    "Alerts that somebody has to answer and nobody has yet: those of routes with `escalate_to`, steps that were taken included.",
);

pub(super) const STREAMS: Metric = Metric::gauge(
    "treasuryd_streams",
    &[],
    "Programs that listen to what is told (`GET /v1/notices/stream`).",
);

#[derive(Debug)]
pub(super) struct Deliveries {
    total: IntCounterVec,
    waiting: IntGaugeVec,
    dead: IntGaugeVec,
    stuck: IntGauge,
    untold: IntCounter,
    unanswered: IntGauge,
    streams: IntGauge,
}

impl Deliveries {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            total: counters(registry, DELIVERIES)?,
            waiting: gauges(registry, DELIVERIES_WAITING)?,
            dead: gauges(registry, DELIVERIES_DEAD)?,
            stuck: gauge(registry, NOTICES_STUCK)?,
            untold: register(registry, IntCounter::new(RECORDS_UNTOLD.name, RECORDS_UNTOLD.help)?)?,
            unanswered: gauge(registry, NOTICES_UNANSWERED)?,
            streams: gauge(registry, STREAMS)?,
        })
    }
}

impl Metrics {
    /// Whether notices cannot be kept.
    pub fn notices_stuck(&self, is_stuck: bool) {
        self.deliveries.stuck.set(i64::from(is_stuck));
    }

    /// So many records could not be read, and were told to nobody.
    pub fn untold(&self, records: u64) {
        self.deliveries.untold.inc_by(records);
    }

    /// How many alerts nobody has answered yet.
    pub fn unanswered(&self, alerts: usize) {
        self.deliveries.unanswered.set(count(alerts));
    }

    /// One more program listens, or one less.
    pub fn streams(&self, more: i64) {
        self.deliveries.streams.add(more);
    }

    /// A delivery was tried.
    pub fn delivery(&self, channel: &str, outcome: &str) {
        self.deliveries.total.with_label_values(&[channel, outcome]).inc();
    }

    /// How many notices wait for a channel and how many were given up. The channel is there from the first time on, so
    /// that `rate` and alerts see its counters rise.
    pub fn deliveries(&self, channel: &str, waiting: usize, dead: usize) {
        for outcome in ["delivered", "failed", "dead"] {
            self.deliveries.total.with_label_values(&[channel, outcome]).inc_by(0);
        }
        self.deliveries.waiting.with_label_values(&[channel]).set(count(waiting));
        self.deliveries.dead.with_label_values(&[channel]).set(count(dead));
    }
}
