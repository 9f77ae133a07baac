//! The ledger's time.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Seconds since 2000-01-01T00:00:00Z, the ledger's epoch. Reaches to 2136-02-07.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RippleTime(pub u32);

/// 2000-01-01T00:00:00Z in seconds since 1970.
const EPOCH_UNIX_SECONDS: i64 = 946_684_800;

impl RippleTime {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn to_unix(self) -> i64 {
        i64::from(self.0) + EPOCH_UNIX_SECONDS
    }

    /// From seconds since 1970; none before 2000 and after 2136.
    pub fn from_unix(seconds: i64) -> Option<RippleTime> {
        u32::try_from(seconds.checked_sub(EPOCH_UNIX_SECONDS)?).ok().map(RippleTime)
    }

    /// So many seconds later; none past the end of the range.
    pub fn checked_add_seconds(self, seconds: u32) -> Option<RippleTime> {
        self.0.checked_add(seconds).map(RippleTime)
    }

    /// So many seconds earlier; none before 2000.
    pub fn checked_sub_seconds(self, seconds: u32) -> Option<RippleTime> {
        self.0.checked_sub(seconds).map(RippleTime)
    }
}

/// ISO 8601 in UTC, to the second: `2026-11-21T08:11:20Z`.
impl fmt::Display for RippleTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0 / 86_400, self.0 % 86_400);
        // Howard Hinnant's civil_from_days, counted from 0000-03-01 so that the leap day ends a year.
        // 730,425 days lie between 0000-03-01 and 2000-01-01.
        let z = days + 730_425;
        let era = z / 146_097;
        let day_of_era = z % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = era * 400 + year_of_era + u32::from(month <= 2);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        f.pad(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_in_iso_8601() {
        for (seconds, text) in [
            (0, "2000-01-01T00:00:00Z"),
            (86_399, "2000-01-01T23:59:59Z"),
            (5_097_600, "2000-02-29T00:00:00Z"),
            (5_184_000, "2000-03-01T00:00:00Z"),
            (848_563_870, "2026-11-21T08:11:10Z"),
            (u32::MAX, "2136-02-07T06:28:15Z"),
        ] {
            assert_eq!(RippleTime(seconds).to_string(), text);
        }
    }

    #[test]
    fn unix_seconds_convert_both_ways_within_the_range() {
        assert_eq!(RippleTime(0).to_unix(), 946_684_800);
        assert_eq!(RippleTime::from_unix(946_684_799), None);
        assert_eq!(RippleTime::from_unix(i64::MIN), None);
        assert_eq!(RippleTime::from_unix(i64::MAX), None);
        assert_eq!(RippleTime::from_unix(RippleTime(u32::MAX).to_unix()), Some(RippleTime(u32::MAX)));
        assert_eq!(RippleTime(u32::MAX).checked_add_seconds(1), None);
        assert_eq!(RippleTime(0).checked_sub_seconds(1), None);
        assert_eq!(RippleTime(7).checked_add_seconds(3), Some(RippleTime(10)));
    }
}
