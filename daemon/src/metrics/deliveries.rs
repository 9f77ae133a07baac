//! Notices on their way to people.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::{Metric, Metrics, clamp, count, counters, gauge, gauges, register};

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

pub(super) const DELIVERIES_OWED: Metric = Metric::gauge(
    "treasuryd_deliveries_owed_since_seconds",
    &["channel", "what"],
    "Since when notices wait that were due, or were tried in vain, and none of them was delivered, in seconds since 1970 by the host's clock; 0 where none do. `what` is `critical` or `rest`. What waits for quiet hours, or for others, is not due.",
);

pub(super) const NOTICES_LOOKED: Metric = Metric::gauge(
    "treasuryd_notices_looked_seconds",
    &[],
    "When it was last looked at what waits for people, in seconds since 1970 by the host's clock: every half minute. 0 before the first time.",
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
    owed: IntGaugeVec,
    looked: IntGauge,
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
            owed: gauges(registry, DELIVERIES_OWED)?,
            looked: gauge(registry, NOTICES_LOOKED)?,
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

    /// It was looked then at what waits for people, in milliseconds of UTC.
    pub fn notices_looked(&self, at_ms: u64) {
        self.deliveries.looked.set(clamp(at_ms / 1_000));
    }

    /// Since when a channel owes what is critical, and the rest, in milliseconds of UTC.
    pub fn owed(&self, channel: &str, critical: Option<u64>, rest: Option<u64>) {
        for (what, since) in [("critical", critical), ("rest", rest)] {
            let since = since.unwrap_or_default() / 1_000;
            self.deliveries.owed.with_label_values(&[channel, what]).set(clamp(since));
        }
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
