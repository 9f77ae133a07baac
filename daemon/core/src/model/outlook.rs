//! How far ahead is looked, and from when on people are told that an account runs short.

use std::collections::BTreeSet;

/// What a forecast takes for likely, and when it wakes somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// A finding when an account lasts for less than so many days, once for each; none: nobody is told.
    pub warn_days: BTreeSet<u32>,
    /// How likely what waits for people is to leave before anybody has signed, of a thousand.
    pub unsigned_permille: u32,
    /// The same of what is stopped, or has ended with signatures that may be in other hands.
    pub stopped_permille: u32,
}

impl Default for Outlook {
    /// Nobody is told: what a treasury calls short is its own.
    fn default() -> Self {
        Self { warn_days: BTreeSet::new(), unsigned_permille: 800, stopped_permille: 200 }
    }
}

impl Outlook {
    /// The least of the limits that so many whole days are below of; `None`: of none.
    #[must_use]
    pub fn below(&self, days: u32) -> Option<u32> {
        self.warn_days.iter().copied().find(|limit| days < *limit)
    }

    /// How many of the limits are crossed.
    #[must_use]
    pub fn crossed(&self, days: u32) -> u32 {
        let crossed = self.warn_days.iter().filter(|limit| days < **limit).count();
        u32::try_from(crossed).unwrap_or(u32::MAX)
    }
}
