//! The one clock that the daemon's inputs carry: milliseconds since the process first asked.
//!
//! The core compares the wall time of a ledger with that of a tick, so both have to be counted from the
//! same origin, and by a clock that nobody sets back.

use std::sync::OnceLock;
use std::time::Instant;

static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// Milliseconds of wall time since the first call in this process. Never goes back.
#[must_use]
pub fn wall_ms() -> u64 {
    let origin = ORIGIN.get_or_init(Instant::now);
    // 2^64 milliseconds are half a billion years.
    u64::try_from(origin.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_clock_never_goes_back() {
        let first = super::wall_ms();
        assert!(super::wall_ms() >= first);
    }
}
