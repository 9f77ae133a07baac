//! Waits that grow, with jitter.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// The first wait after something has failed; doubled each time.
const FIRST: Duration = Duration::from_millis(250);

/// The longest wait. A server that comes back is used within this.
const LONGEST: Duration = Duration::from_secs(10);

/// Waits between one try and the next.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    wait: Duration,
    jitter: StdRng,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        Self::from(FIRST, seed)
    }

    /// With another first wait.
    pub(super) fn from(first: Duration, seed: u64) -> Self {
        Self { first, wait: first, jitter: StdRng::seed_from_u64(seed) }
    }

    /// Begins with the shortest again.
    pub(super) fn reset(&mut self) {
        self.wait = self.first;
    }

    /// The next wait: between half and the whole of it, so that many daemons do not come back at the
    /// same moment.
    pub(super) fn next(&mut self) -> Duration {
        let half = self.wait / 2;
        self.wait = self.wait.saturating_mul(2).min(LONGEST);
        let most = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
        half.saturating_add(Duration::from_millis(self.jitter.random_range(0..=most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew() {
        let mut backoff = Backoff::new(1);
        let mut whole = FIRST;
        for _ in 0..10 {
            let wait = backoff.next();
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
            whole = (whole * 2).min(LONGEST);
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
