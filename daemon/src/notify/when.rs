//! When a notice is sent: at once, when the quiet hours of a route end, or with others.

use treasury_api::notice::Severity;
use treasury_core::policy::Times;

use crate::clock;

const MINUTE: u64 = 60;

/// The longest that quiet hours can hold a notice: a long weekend.
const QUIET_MINUTES_MAX: u64 = 4 * 1_440;

/// The longest that a notice can be gathered with others.
pub(crate) const BATCH_SECONDS_MAX: u32 = 86_400;

/// The longest that any notice waits before its first attempt, in milliseconds.
pub(super) const HELD_MS_MAX: u64 = QUIET_MINUTES_MAX * MINUTE * 1_000 + 86_400_000;

/// What a channel gathers into one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) period_seconds: u32,
    /// Less severe than this.
    pub(crate) below: Severity,
}

/// When a notice that comes now is sent, in milliseconds of UTC. Quiet hours hold what is not critical, and what was held
/// goes out when they end; a batch goes out at the end of its period, the same for all of it and whoever asks.
pub(super) fn due(severity: Severity, quiet: Option<&Times>, batch: Option<Batch>, now_ms: u64) -> u64 {
    if let Some(end) = held_until(severity, quiet, now_ms) {
        return end;
    }
    match batch {
        Some(batch) if severity < batch.below => {
            let period_ms = u64::from(batch.period_seconds.max(1)).saturating_mul(1_000);
            (now_ms / period_ms).saturating_add(1).saturating_mul(period_ms)
        }
        _ => now_ms,
    }
}

/// Until when quiet hours hold what is so severe; `None`: they do not.
pub(super) fn held_until(severity: Severity, quiet: Option<&Times>, now_ms: u64) -> Option<u64> {
    quiet.filter(|_| severity < Severity::Critical).and_then(|quiet| quiet_until(quiet, now_ms))
}

/// When quiet hours end; `None`: there are none now. Looked for minute by minute, as clocks show them: one that goes
/// forward or back in between is one that people get up by.
fn quiet_until(quiet: &Times, now_ms: u64) -> Option<u64> {
    let now = now_ms / 1_000;
    if !quiet.holds(clock::unix(now)) {
        return None;
    }
    let minute = |number: u64| (now / MINUTE).saturating_add(number).saturating_mul(MINUTE);
    let end = (1..=QUIET_MINUTES_MAX).map(minute).find(|second| !quiet.holds(clock::unix(*second)));
    Some(end.unwrap_or_else(|| minute(QUIET_MINUTES_MAX)).saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use treasury_core::policy::{Weekday, Zone};
    use treasury_core::units::RippleTime;

    use super::*;

    /// 2026-11-26T23:30:00Z, a Thursday.
    const LATE: u64 = 849_051_000 + 946_684_800;
    const HOUR: u64 = 3_600;

    fn quiet(from: u16, until: u16, weekdays: Option<BTreeSet<Weekday>>) -> Times {
        // An hour ahead of UTC.
        let zone = Arc::new(Zone { name: "x".to_owned(), ahead_seconds: 3_600, changes: Vec::new() });
        Times { zone, weekdays, from_minute: from * 60, until_minute: until * 60 }
    }

    fn held(severity: Severity, quiet: &Times, at: u64) -> u64 {
        due(severity, Some(quiet), None, at * 1_000) - at * 1_000
    }

    #[test]
    fn quiet_hours_hold_what_is_not_critical_until_they_end_by_the_clock_of_their_zone() {
        let night = quiet(22, 7, None);
        // Half past midnight there.
        assert_eq!(held(Severity::Warning, &night, LATE), (6 * HOUR + 1_800) * 1_000);
        assert_eq!(held(Severity::Info, &night, LATE + 6 * HOUR), 1_800_000);
        assert_eq!(held(Severity::Critical, &night, LATE), 0);
        let morning = LATE + 6 * HOUR + 1_800;
        assert_eq!(held(Severity::Info, &night, morning), 0, "07:00 is no part of them");
        assert_eq!(held(Severity::Info, &night, morning - 1), 1_000);
    }

    #[test]
    fn quiet_days_hold_until_the_next_day_that_is_none_and_never_for_ever() {
        let weekend = quiet(0, 24, Some([Weekday::Sat, Weekday::Sun].into()));
        let saturday = LATE + 24 * HOUR;
        assert_eq!(held(Severity::Warning, &weekend, LATE), 0);
        assert_eq!(held(Severity::Warning, &weekend, saturday), (47 * HOUR + 1_800) * 1_000);
        let always = quiet(0, 24, None);
        assert_eq!(held(Severity::Warning, &always, LATE), QUIET_MINUTES_MAX * MINUTE * 1_000);
    }

    /// Danger: clocks go back at night, and people are told an hour before they get up, or an hour late.
    #[test]
    fn quiet_hours_end_when_clocks_say_so_though_they_go_back_in_between() {
        // 2026-10-25T01:00:00Z, when clocks in Europe go back from two hours ahead to one.
        let back = 846_205_200 + 946_684_800;
        let change = RippleTime(846_205_200);
        let zone =
            Arc::new(Zone { name: "x".to_owned(), ahead_seconds: 7_200, changes: vec![(change, 3_600)] });
        let night = Times { zone, weekdays: None, from_minute: 22 * 60, until_minute: 7 * 60 };
        assert_eq!(held(Severity::Info, &night, back - 2 * HOUR), 7 * HOUR * 1_000);
    }

    #[test]
    fn a_batch_ends_at_the_same_time_for_all_of_it() {
        let batch = Some(Batch { period_seconds: 900, below: Severity::Critical });
        let at = |second: u64, severity| due(severity, None, batch, second * 1_000) / 1_000;
        let whole = LATE / 900 * 900;
        for (second, expected) in [(whole, 900), (whole + 1, 900), (whole + 899, 900), (whole + 900, 1_800)] {
            assert_eq!(at(second, Severity::Warning), whole + expected);
        }
        assert_eq!(at(whole + 1, Severity::Critical), whole + 1);
    }
}
