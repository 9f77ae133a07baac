//! The one clock that the daemon's inputs carry: milliseconds since the process first asked.
//!
//! The core compares the wall time of a ledger with that of a tick, so both have to be counted from the
//! same origin, and by a clock that nobody sets back.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use treasury_core::units::RippleTime;

static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// Milliseconds of wall time since the first call in this process. Never goes back.
#[must_use]
pub fn wall_ms() -> u64 {
    let origin = ORIGIN.get_or_init(Instant::now);
    // 2^64 milliseconds are half a billion years.
    u64::try_from(origin.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// UTC by this host's clock, as the ledger counts time; what lies before the year 2000 counts as 2000.
#[must_use]
pub fn utc() -> RippleTime {
    unix(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// Seconds of the Unix epoch, as the ledger counts time.
pub(crate) fn unix(seconds: u64) -> RippleTime {
    // Seconds between the Unix epoch and 2000-01-01T00:00:00Z.
    const RIPPLE_EPOCH: u64 = 946_684_800;
    RippleTime(u32::try_from(seconds.saturating_sub(RIPPLE_EPOCH)).unwrap_or(u32::MAX))
}

/// Where a part of the daemon reads wall time, so that it can be run on a time of somebody else's making.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// The process's own time: [`wall_ms`].
    #[must_use]
    pub fn system() -> Self {
        Self::new(wall_ms)
    }

    /// A time of the caller's: milliseconds from any origin, never going back.
    #[must_use]
    pub fn new(now_ms: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_ms))
    }

    /// Milliseconds since the clock's origin.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("now_ms", &self.now_ms()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_back() {
        let first = wall_ms();
        assert!(Clock::system().now_ms() >= first);
    }

    #[test]
    fn a_given_clock_says_what_it_is_given() {
        assert_eq!(Clock::new(|| 7).now_ms(), 7);
    }
}
