//! What clocks show in the zones of the IANA time zone database, as the data that rules hold.
//!
//! The database comes with the release: whether a payment leaves must not depend on which files a machine has. Where a
//! country changes its clocks, a release has to follow; the policy's hash then changes, too, and what waits is asked
//! about again.

use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use treasury_core::policy::Zone;
use treasury_core::units::RippleTime;

/// The zone of that name.
pub(super) fn named(name: &str) -> Result<Zone, String> {
    if name == "UTC" {
        return Ok(Zone::utc());
    }
    let wrong = || {
        format!("\"{name}\" is not a zone of the IANA database; write it as \"Europe/Zurich\", or \"UTC\"")
    };
    let zone = TimeZoneDatabase::bundled().get(name).map_err(|_| wrong())?;
    let begin = Timestamp::from_second(RippleTime(0).to_unix()).map_err(|_| wrong())?;
    let ahead_seconds = zone.to_offset(begin).seconds();
    // A change after the ledger's time ends is never shown by any clock here.
    let changes = zone.following(begin).map_while(|change| {
        let at = RippleTime::from_unix(change.timestamp().as_second())?;
        Some((at, change.offset().seconds()))
    });
    Ok(Zone { name: zone.iana_name().unwrap_or(name).to_owned(), ahead_seconds, changes: changes.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_change_when_those_of_the_zone_do() {
        let shown = |name: &str, at: u32| named(name).unwrap().local(RippleTime(at)).to_string();
        // 2026-10-25T01:00:00Z, when clocks in Europe go back.
        let change = 846_205_200;
        assert_eq!(shown("Europe/Zurich", change - 1), "sun 02:59");
        assert_eq!(shown("Europe/Zurich", change), "sun 02:00");
        assert_eq!(shown("America/New_York", change), "sat 21:00");
        assert_eq!(shown("Asia/Kolkata", change), "sun 06:30");
        assert_eq!(shown("UTC", change), "sun 01:00");
        // 2100-07-01T12:00:00Z: the rule goes on.
        let far = RippleTime::from_unix(4_118_126_400).unwrap();
        assert_eq!(far.to_string(), "2100-07-01T12:00:00Z");
        assert_eq!(shown("Europe/Zurich", far.0), "thu 14:00");
    }

    #[test]
    fn a_zone_that_is_none_is_refused() {
        for name in ["", "Zurich", "europe", "+02:00", "CEST", "Europe/Zürich"] {
            assert!(named(name).is_err(), "{name}");
        }
    }
}
