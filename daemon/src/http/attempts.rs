//! Logins that were refused, counted by where they came from, for the core to look at.
//!
//! Whoever has no token can send as many as the network carries. So they cost a lock that is held for less than a microsecond
//! and a row for each origin, so many at most; and the core, and with it the store, hears of all of them together at most
//! once in the period in which they are counted, and only of those that are many.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use treasury_core::Input;
use treasury_core::config::Burst;
use treasury_core::input::RefusedLogins;

use crate::audit::knocks::source;
use crate::clock::Clock;
use crate::engine::EngineHandle;

/// Origins that are told apart. Who fills them hides others among the rest, and is found for it.
const ROWS_MAX: usize = 64;

/// How often it is looked whether there are many.
const LOOK: Duration = Duration::from_secs(1);

/// Where somebody who was refused came from, and as whom they were logged in.
type Origin = (String, Option<String>);

/// What has been refused of late.
#[derive(Debug)]
pub(crate) struct Attempts {
    inner: Mutex<Inner>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct Inner {
    rows: BTreeMap<Origin, Row>,
    told_ms: Option<u64>,
}

#[derive(Debug)]
struct Row {
    times: u32,
    since_ms: u64,
}

impl Default for Attempts {
    fn default() -> Self {
        Self::by(Clock::system())
    }
}

impl Attempts {
    fn by(clock: Clock) -> Self {
        Self { inner: Mutex::default(), clock }
    }

    /// Counts one.
    pub(super) fn note(&self, peer: Option<IpAddr>, person: Option<&str>) {
        let from = peer.map_or_else(|| "this host".to_owned(), source);
        let (since_ms, mut inner) = (self.clock.now_ms(), self.inner());
        let mut origin = (from, person.map(str::to_owned));
        if inner.rows.len() >= ROWS_MAX && !inner.rows.contains_key(&origin) {
            origin = ("others".to_owned(), None);
        }
        let row = inner.rows.entry(origin).or_insert(Row { times: 0, since_ms });
        row.times = row.times.saturating_add(1);
    }

    /// Those of which there are many by now; nothing where the core has been told within the period.
    fn take(&self, burst: Burst) -> Vec<RefusedLogins> {
        let (now, mut inner) = (self.clock.now_ms(), self.inner());
        let period_ms = u64::from(burst.period_seconds).saturating_mul(1_000);
        let is_over = |since_ms: u64| now.saturating_sub(since_ms) >= period_ms;
        inner.rows.retain(|_, row| row.times > burst.above || !is_over(row.since_ms));
        let is_due = inner.told_ms.is_none_or(is_over);
        if !is_due || inner.rows.values().all(|row| row.times <= burst.above) {
            return Vec::new();
        }
        inner.told_ms = Some(now);
        let many = inner.rows.extract_if(.., |_, row| row.times > burst.above);
        many.map(|((from, person), row)| RefusedLogins { from, person, times: row.times }).collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Counts are changed in one piece, whatever panics around them.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the core where there are many. Ends with the engine.
pub(crate) fn watch(attempts: Arc<Attempts>, engine: EngineHandle) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            look.tick().await;
            let burst = engine.treasury().alarms.failed_logins;
            let refused = attempts.take(burst);
            let input = Input::LoginsRefused { refused, seconds: burst.period_seconds };
            let is_some = matches!(&input, Input::LoginsRefused { refused, .. } if !refused.is_empty());
            if is_some && engine.input(input).await.is_err() {
                return;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const BURST: Burst = Burst { above: 3, period_seconds: 60 };

    fn attempts() -> (Attempts, Arc<AtomicU64>) {
        let now = Arc::new(AtomicU64::new(1_000));
        let read = Arc::clone(&now);
        (Attempts::by(Clock::new(move || read.load(Ordering::Relaxed))), now)
    }

    fn address(n: u32) -> Option<IpAddr> {
        Some(IpAddr::from(n.to_be_bytes()))
    }

    fn told(attempts: &Attempts) -> Vec<(String, u32)> {
        attempts.take(BURST).into_iter().map(|origin| (origin.from, origin.times)).collect()
    }

    #[test]
    fn what_is_many_from_one_origin_is_told_once_in_a_period_and_few_are_forgotten() {
        let (attempts, now) = attempts();
        let note = |from: u32, times: u32| (0..times).for_each(|_| attempts.note(address(from), None));
        note(7, 3);
        assert_eq!(told(&attempts), []);
        note(7, 1);
        assert_eq!(told(&attempts), [("0.0.0.7".to_owned(), 4)]);
        note(7, 9);
        note(8, 5);
        note(9, 3);
        assert_eq!(told(&attempts), [], "it was told in this period");
        now.fetch_add(60_000, Ordering::Relaxed);
        assert_eq!(told(&attempts), [("0.0.0.7".to_owned(), 9), ("0.0.0.8".to_owned(), 5)]);
        note(9, 3);
        now.fetch_add(60_000, Ordering::Relaxed);
        assert_eq!(told(&attempts), [], "three in one period and three in the next are not six");
    }

    /// Danger: whoever has no token fills the memory, the queue or the store.
    #[test]
    fn a_flood_from_everywhere_is_a_few_rows_and_one_message() {
        let (attempts, now) = attempts();
        for n in 0..100_000 {
            attempts.note(address(n), None);
        }
        assert_eq!(attempts.inner().rows.len(), ROWS_MAX + 1);
        assert_eq!(told(&attempts), [("others".to_owned(), 100_000 - 64)]);
        let mut messages = 0;
        for n in 0..24 * 3_600_u32 {
            attempts.note(address(n % 5), None);
            now.fetch_add(1_000, Ordering::Relaxed);
            messages += u32::from(!told(&attempts).is_empty());
        }
        assert!(messages <= 24 * 60, "{messages} in a day");
        assert!(attempts.inner().rows.len() <= 5);
    }
}
