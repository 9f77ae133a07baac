//! Requests that became no record: refused ones, logins, and what changed nothing.
//!
//! Whoever has no token can send as many as the network carries, so they are counted and not written down one by one: a row
//! for each source and what it asked for, so many rows at most, the rest together in one. Rows are written when a period
//! is over, and a period becomes longer as long as more come. So a flood costs a few kilobytes an hour of disk, a lock that
//! is held for less than a microsecond, and no money waits for it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::clock::{self, Clock};

/// Rows of a period. Who fills them hides others among the rest; each of those is in the metrics all the same.
const ROWS_MAX: usize = 64;

/// The first period, in milliseconds.
const PERIOD_MS: u64 = 60_000;

/// The longest.
const PERIOD_MAX_MS: u64 = 3_600_000;

/// The longest text that is taken over from outside.
const TEXT_MAX: usize = 64;

/// What somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Knock {
    /// The person, where the token was somebody's.
    pub(crate) person: Option<String>,
    /// `http` or `console`.
    pub(crate) origin: &'static str,
    /// Where it came from.
    pub(crate) source: Option<String>,
    /// What for.
    pub(crate) operation: &'static str,
    /// What came of it: an error's code, `DONE` or `UNCHANGED`.
    pub(crate) code: String,
}

#[derive(Debug)]
struct Row {
    times: u64,
    first: String,
    last: String,
}

/// What has come in the present period.
#[derive(Debug)]
pub(crate) struct Knocks {
    inner: Mutex<Inner>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct Inner {
    rows: BTreeMap<Knock, Row>,
    begun: Option<u64>,
    period: u64,
    /// When the last period ended.
    ended: Option<u64>,
    /// What came, and could not be written down.
    unsaid: Option<Value>,
}

impl Default for Knocks {
    fn default() -> Self {
        Self::by(Clock::system())
    }
}

impl Knocks {
    /// Periods by this clock.
    pub(super) fn by(clock: Clock) -> Self {
        Self { inner: Mutex::default(), clock }
    }

    /// Counts one.
    pub(crate) fn note(&self, mut knock: Knock) {
        let (now, utc) = (self.clock.now_ms(), clock::utc().to_string());
        knock.code.truncate(TEXT_MAX);
        let mut inner = self.inner();
        if inner.begun.is_none() {
            let is_anew = inner.ended.is_none_or(|ended| now.saturating_sub(ended) > inner.period);
            inner.period = if is_anew { PERIOD_MS } else { (inner.period * 2).min(PERIOD_MAX_MS) };
            inner.begun = Some(now);
        }
        // Strangers take no place from those who are known: of these there are as many as people, operations and codes.
        let strangers = || inner.rows.keys().filter(|row| row.person.is_none()).count();
        let is_full = knock.person.is_none() && !inner.rows.contains_key(&knock) && strangers() >= ROWS_MAX;
        let key = if is_full {
            Knock { person: None, source: Some("others".to_owned()), operation: "anything", ..knock }
        } else {
            knock
        };
        // The rest is told apart by origin and code, of which there are few.
        let row = inner.rows.entry(key);
        let row = row.or_insert_with(|| Row { times: 0, first: utc.clone(), last: String::new() });
        row.times = row.times.saturating_add(1);
        row.last = utc;
    }

    /// What has come, where the period is over; or in any case, where no more will come.
    pub(super) fn take(&self, is_end: bool) -> Option<Value> {
        let now = self.clock.now_ms();
        let mut inner = self.inner();
        if let Some(unsaid) = inner.unsaid.take() {
            return Some(unsaid);
        }
        let begun = inner.begun?;
        if !is_end && now.saturating_sub(begun) < inner.period {
            return None;
        }
        let rows: Vec<Value> = std::mem::take(&mut inner.rows)
            .into_iter()
            .map(|(knock, row)| {
                json!({
                    "person": knock.person,
                    "origin": knock.origin,
                    "address": knock.source,
                    "operation": knock.operation,
                    "code": knock.code,
                    "times": row.times,
                    "first": row.first,
                    "last": row.last,
                })
            })
            .collect();
        (inner.begun, inner.ended) = (None, Some(now));
        Some(json!({ "at": clock::utc().to_string(), "kind": "knocks", "rows": rows }))
    }

    /// Keeps what was taken and could not be written down, for the next try.
    pub(super) fn put_back(&self, rows: Value) {
        self.inner().unsaid = Some(rows);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Counts are changed in one piece, whatever panics around them.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a connection came from, as far as sources are told apart: in IPv6 one of them has a whole network of addresses.
pub(crate) fn source(peer: IpAddr) -> String {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn knocks() -> (Knocks, Arc<AtomicU64>) {
        let now = Arc::new(AtomicU64::new(1_000));
        let read = Arc::clone(&now);
        (Knocks::by(Clock::new(move || read.load(Ordering::Relaxed))), now)
    }

    fn knock(source: &str) -> Knock {
        Knock {
            person: None,
            origin: "http",
            source: Some(source.to_owned()),
            operation: "status",
            code: "TOKEN_WRONG".to_owned(),
        }
    }

    #[test]
    fn a_flood_from_everywhere_is_a_few_rows_and_no_count_is_lost() {
        let (knocks, now) = knocks();
        for n in 0..100_000_u32 {
            knocks.note(knock(&format!("192.0.2.{}/{}", n % 250, n % 400)));
        }
        assert_eq!(knocks.take(false), None, "the period is not over");
        now.fetch_add(PERIOD_MS, Ordering::Relaxed);
        let taken = knocks.take(false).unwrap();
        let rows = taken["rows"].as_array().unwrap();
        assert_eq!(rows.len(), ROWS_MAX + 1);
        assert_eq!(rows.iter().map(|row| row["times"].as_u64().unwrap()).sum::<u64>(), 100_000);
        assert!(taken.to_string().len() < 16_384);
        assert_eq!(knocks.take(true), None, "nothing came since");
    }

    /// Danger: strangers knock until every place is theirs, and what is known of people's own tries becomes nameless.
    #[test]
    fn strangers_take_no_place_from_those_who_are_known() {
        let (knocks, _) = knocks();
        for n in 0..10_000_u32 {
            knocks.note(knock(&format!("192.0.2.{}/{n}", n % 250)));
        }
        knocks.note(Knock { person: Some("alice".to_owned()), code: "DONE".to_owned(), ..knock("10.0.0.1") });
        let taken = knocks.take(true).unwrap();
        let rows = taken["rows"].as_array().unwrap();
        let of_alice = |row: &&Value| row["person"] == "alice";
        let known = rows.iter().find(of_alice).unwrap();
        assert_eq!((&known["address"], &known["operation"]), (&json!("10.0.0.1"), &json!("status")));
        assert_eq!(rows.len(), ROWS_MAX + 2);
    }

    /// Danger: the log cannot be written for a moment, and an hour of refusals is gone.
    #[test]
    fn what_could_not_be_written_down_is_taken_again() {
        let (knocks, _) = knocks();
        knocks.note(knock("192.0.2.7"));
        let rows = knocks.take(true).unwrap();
        knocks.put_back(rows.clone());
        knocks.note(knock("192.0.2.8"));
        assert_eq!(knocks.take(false), Some(rows));
        assert!(knocks.take(true).unwrap().to_string().contains("192.0.2.8"));
    }

    #[test]
    fn periods_become_longer_as_long_as_more_come_and_short_again_after_a_rest() {
        let (knocks, now) = knocks();
        let mut ends = 0_u32;
        for _ in 0..24 * 3_600 {
            knocks.note(knock("192.0.2.7"));
            now.fetch_add(1_000, Ordering::Relaxed);
            ends += u32::from(knocks.take(false).is_some());
        }
        assert!(ends < 32, "a day of it is {ends} entries");
        now.fetch_add(2 * PERIOD_MAX_MS, Ordering::Relaxed);
        knocks.take(false);
        now.fetch_add(2 * PERIOD_MAX_MS, Ordering::Relaxed);
        knocks.note(knock("192.0.2.7"));
        now.fetch_add(PERIOD_MS, Ordering::Relaxed);
        assert!(knocks.take(false).is_some());
    }

    #[test]
    fn an_attacker_with_a_network_of_addresses_is_one_source() {
        let of = |text: &str| source(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2:ffff::1"));
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }
}
