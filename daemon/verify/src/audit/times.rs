//! Dates and times as people give them, to look for entries and to take old ones away.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// What is a date or time here.
pub const MOMENT: &str =
    "a date or a time, such as 2026-11-27 (in UTC), 2026-11-27T08:00:00Z or 2026-11-27T08:00:00+02:00";

/// The first second of a period that begins with this date or time, as entries have theirs.
///
/// # Errors
/// It is neither.
pub fn since(text: &str) -> Result<String, &'static str> {
    second(text, Time::midnight())
}

/// The last second of a period that ends with this date, the whole of it, or this time.
///
/// # Errors
/// It is neither.
pub fn until(text: &str) -> Result<String, &'static str> {
    second(text, Time::constant(23, 59, 59, 0))
}

fn second(text: &str, of_day: Time) -> Result<String, &'static str> {
    let read = match text.parse::<Date>() {
        Ok(date) if text.len() == "2026-11-27".len() => {
            date.to_datetime(of_day).to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        }
        _ => text.parse::<Timestamp>().ok(),
    };
    // Of four digits, as the texts are compared.
    let second = read.map(Timestamp::as_second).filter(|second| *second >= 0);
    let second = second.and_then(|second| Timestamp::from_second(second).ok()).ok_or(MOMENT)?;
    Ok(second.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_whole_day_and_a_time_is_in_utc() {
        assert_eq!(since("2026-11-27").unwrap(), "2026-11-27T00:00:00Z");
        assert_eq!(until("2026-11-27").unwrap(), "2026-11-27T23:59:59Z");
        for to in [since, until] {
            assert_eq!(to("2026-11-27T08:00:00+02:00").unwrap(), "2026-11-27T06:00:00Z");
            assert_eq!(to("2026-11-27T08:00:00.7Z").unwrap(), "2026-11-27T08:00:00Z");
        }
    }

    /// Danger: `yesterday` is later than every date, as texts are compared, and takes everything away.
    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "yesterday",
            "31.12.2018",
            "2026",
            "2026-11",
            "20261127",
            "2026-02-30",
            "2026-11-27T08:00:00",
            "2026-11-27 ",
            "-000001-01-01T00:00:00Z",
            "999999999999",
        ] {
            assert_eq!((since(text), until(text)), (Err(MOMENT), Err(MOMENT)), "{text}");
        }
    }
}
