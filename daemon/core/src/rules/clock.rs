//! How far the host's clock is from the ledger's.

use std::fmt;

use crate::model::config::Treasury;
use crate::model::observe::LedgerPoint;
use crate::model::units::RippleTime;

/// The host's clock beside the newest validated ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skew {
    /// By it the ledger closes so many seconds from now: it is behind.
    Behind(u32),
    /// By it the ledger closed so many seconds ago: it is ahead, or the ledger is old.
    Ahead(u32),
}

impl Skew {
    /// How far, in seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        match self {
            Self::Behind(seconds) | Self::Ahead(seconds) => seconds,
        }
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behind(seconds) => write!(f, "{seconds} s behind"),
            Self::Ahead(seconds) => write!(f, "{seconds} s ahead of"),
        }
    }
}

/// Where the clock is further from the ledger's than the configuration takes. `None` also where the ledger keeps a time of its
/// own.
#[must_use]
pub fn skew(config: &Treasury, ledger: LedgerPoint, utc: RippleTime) -> Option<Skew> {
    config.timing.ledger_age_max_seconds?;
    let (closed, now) = (ledger.close_time.0, utc.0);
    let skew = if closed > now { Skew::Behind(closed - now) } else { Skew::Ahead(now - closed) };
    (skew.seconds() > config.alarms.clock.above_seconds).then_some(skew)
}
