//! What rules can ask about a payment beyond its own words: sums and counts of others, and the time of day somewhere.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::units::{Amount, RippleTime};

/// By what payments are summed or counted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Those of the paying account. A sum counts all that left it, whoever made it leave.
    #[default]
    Account,
    /// Those to the destination, of any account.
    Destination,
    /// Those that the same person, or the daemon, asked for.
    Asker,
    /// Those of the asset, of any account, moves along links aside.
    Asset,
}

impl Per {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Account, Self::Destination, Self::Asker, Self::Asset];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Destination => "destination",
            Self::Asker => "asker",
            Self::Asset => "asset",
        }
    }

    pub(crate) fn is_account(&self) -> bool {
        *self == Self::Account
    }
}

/// A rolling sum: what leaves within a period, this payment included. Matches only what is of the asset of its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rolling {
    /// Length of the period, in seconds of ledger time.
    pub period_seconds: u32,
    /// Of which payments.
    #[serde(default, skip_serializing_if = "Per::is_account")]
    pub per: Per,
    /// Where it is more than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_above: Option<Amount>,
    /// Where it is no more than this.
    pub amount_max: Option<Amount>,
}

/// How many payments there are within a period, this one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Length of the period, in seconds of ledger time.
    pub period_seconds: u32,
    /// Of which payments.
    pub per: Per,
    /// Where there are more than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<u32>,
    /// Where there are no more than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// For how long a destination has been paid: since the first validated payment of a proposal to it. One that was never
/// paid has been for less than any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidFor {
    /// At least so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_seconds: Option<u32>,
    /// Less than so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below_seconds: Option<u32>,
}

impl PaidFor {
    /// Whether so many seconds are within it; `None`: never paid.
    #[must_use]
    pub fn holds(&self, seconds: Option<u32>) -> bool {
        self.least_seconds.is_none_or(|least| seconds.is_some_and(|seconds| seconds >= least))
            && self.below_seconds.is_none_or(|below| seconds.is_none_or(|seconds| seconds < below))
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// All of them, Monday first.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

/// Minutes of a day.
pub const DAY_MINUTES: u16 = 1_440;

/// A time of day and days of the week, where a clock shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Where.
    pub zone: Arc<Zone>,
    /// On these days; `None`: on any.
    pub weekdays: Option<BTreeSet<Weekday>>,
    /// From this minute of the day.
    pub from_minute: u16,
    /// Until before this minute, at most [`DAY_MINUTES`]. Where it is not after the first, over midnight: the hours after
    /// it belong to the day on which they are.
    pub until_minute: u16,
}

impl Times {
    /// Whether the clock shows a time within these.
    #[must_use]
    pub fn holds(&self, at: RippleTime) -> bool {
        let local = self.zone.local(at);
        let within = if self.from_minute < self.until_minute {
            (self.from_minute..self.until_minute).contains(&local.minute)
        } else {
            local.minute >= self.from_minute || local.minute < self.until_minute
        };
        within && self.weekdays.as_ref().is_none_or(|days| days.contains(&local.weekday))
    }
}

/// What clocks show somewhere, as data: how far ahead of UTC they are, and when that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its name, such as `Europe/Zurich`.
    pub name: String,
    /// Seconds ahead of UTC before the first change.
    pub ahead_seconds: i32,
    /// From then on so many seconds ahead, ascending.
    pub changes: Vec<(RippleTime, i32)>,
}

/// What a clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local {
    /// The day of the week.
    pub weekday: Weekday,
    /// The minute of the day.
    pub minute: u16,
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}", self.weekday.word(), self.minute / 60, self.minute % 60)
    }
}

impl Zone {
    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), ahead_seconds: 0, changes: Vec::new() }
    }

    /// What clocks there show then.
    #[must_use]
    pub fn local(&self, at: RippleTime) -> Local {
        let known = self.changes.partition_point(|(since, _)| *since <= at);
        let change = known.checked_sub(1).and_then(|last| self.changes.get(last));
        let ahead = change.map_or(self.ahead_seconds, |(_, ahead)| *ahead);
        let seconds = i64::from(at.0).saturating_add(i64::from(ahead));
        let minute = u16::try_from(seconds.rem_euclid(86_400) / 60).unwrap_or_default();
        // The ledger's first day, 2000-01-01, was a Saturday.
        let day = usize::try_from((seconds.div_euclid(86_400) + 5).rem_euclid(7)).unwrap_or_default();
        Local { weekday: Weekday::ALL.get(day).copied().unwrap_or(Weekday::Mon), minute }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-26T23:30:00Z, a Thursday.
    const LATE: RippleTime = RippleTime(849_051_000);

    fn zurich() -> Zone {
        // From 2026-10-25T01:00:00Z an hour ahead, two before.
        Zone { name: "x".to_owned(), ahead_seconds: 7_200, changes: vec![(RippleTime(846_205_200), 3_600)] }
    }

    #[test]
    fn a_clock_shows_the_time_of_its_zone_on_both_sides_of_a_change() {
        assert_eq!(LATE.to_string(), "2026-11-26T23:30:00Z");
        assert_eq!(Zone::utc().local(LATE).to_string(), "thu 23:30");
        assert_eq!(zurich().local(LATE).to_string(), "fri 00:30");
        let change = RippleTime(846_205_200);
        assert_eq!(change.to_string(), "2026-10-25T01:00:00Z");
        assert_eq!(zurich().local(RippleTime(change.0 - 1)).to_string(), "sun 02:59");
        assert_eq!(zurich().local(change).to_string(), "sun 02:00");
        let west = Zone { ahead_seconds: -3_600, changes: Vec::new(), ..zurich() };
        assert_eq!(west.local(RippleTime(0)).to_string(), "fri 23:00", "the day before the ledger's first");
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_on_which_they_are() {
        let on = |days: &[Weekday], from_minute, until_minute| Times {
            zone: Arc::new(Zone::utc()),
            weekdays: (!days.is_empty()).then(|| days.iter().copied().collect()),
            from_minute,
            until_minute,
        };
        let at = |minutes: u32| RippleTime(LATE.0 - 23 * 3_600 - 1_800 + minutes * 60);
        for (times, held) in [
            (on(&[], 540, 1_020), [(539, false), (540, true), (1_019, true), (1_020, false)]),
            // From a minute until the same one: all day.
            (on(&[], 600, 600), [(0, true), (599, true), (600, true), (601, true)]),
            (on(&[], 1_320, 360), [(0, true), (359, true), (360, false), (1_320, true)]),
            (on(&[Weekday::Thu], 1_320, 360), [(0, true), (1_439, true), (1_440, false), (2_880, false)]),
            (
                on(&[Weekday::Fri], 0, DAY_MINUTES),
                [(1_439, false), (1_440, true), (2_879, true), (2_880, false)],
            ),
        ] {
            for (minute, holds) in held {
                assert_eq!(times.holds(at(minute)), holds, "{times:?} at {minute}");
            }
        }
    }

    #[test]
    fn who_was_never_paid_has_been_for_less_than_any_time() {
        let below = PaidFor { least_seconds: None, below_seconds: Some(60) };
        let least = PaidFor { least_seconds: Some(60), below_seconds: None };
        for (seconds, young) in [(None, true), (Some(0), true), (Some(59), true), (Some(60), false)] {
            assert_eq!((below.holds(seconds), least.holds(seconds)), (young, !young), "{seconds:?}");
        }
    }
}
