//! Texts the server writes: dates, CTIDs, ranges of ledgers.

use xrpl_wire::RippleTime;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The server's date for people: `2026-Nov-21 08:12:31.000000000 UTC`.
#[must_use]
pub fn human_time(time: RippleTime) -> String {
    let (date, clock) = date_and_clock(time);
    format!("{date} {clock}.000000000 UTC")
}

/// The server's date in `server_info`: microseconds where ledgers have nanoseconds.
#[must_use]
pub fn human_time_micros(time: RippleTime) -> String {
    let (date, clock) = date_and_clock(time);
    format!("{date} {clock}.000000 UTC")
}

/// `2026-Nov-21` and `08:12:31`.
fn date_and_clock(time: RippleTime) -> (String, String) {
    let iso = time.to_string();
    let (date, clock) = iso.split_once('T').unwrap_or_default();
    let mut parts = date.splitn(3, '-');
    let year = parts.next().unwrap_or_default();
    let month = parts
        .next()
        .and_then(|number| number.parse::<usize>().ok())
        .and_then(|number| MONTHS.get(number.wrapping_sub(1)))
        .copied()
        .unwrap_or_default();
    let day = parts.next().unwrap_or_default();
    (format!("{year}-{month}-{day}"), clock.trim_end_matches('Z').to_owned())
}

/// The compact transaction identifier (XLS-15): ledger, position in it, network.
/// None where one of them does not fit.
#[must_use]
pub fn ctid(ledger_index: u32, transaction_index: u32, network_id: u32) -> Option<String> {
    let fits = ledger_index < 0x0FFF_FFFF && transaction_index <= 0xFFFF && network_id <= 0xFFFF;
    fits.then(|| format!("C{ledger_index:07X}{transaction_index:04X}{network_id:04X}"))
}

/// A CTID taken apart: ledger index, position, network. None where it is not one.
#[must_use]
pub fn parse_ctid(text: &str) -> Option<(u32, u32, u32)> {
    let digits = text.strip_prefix(['C', 'c'])?;
    if digits.len() != 15 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let number =
        |range: std::ops::Range<usize>| digits.get(range).and_then(|part| u32::from_str_radix(part, 16).ok());
    Some((number(0..7)?, number(7..11)?, number(11..15)?))
}

/// The range of ledgers held: `2-7`, `2` for a single one, `empty` for none.
#[must_use]
pub fn complete_ledgers(first: u32, last: u32) -> String {
    match first.cmp(&last) {
        std::cmp::Ordering::Less => format!("{first}-{last}"),
        std::cmp::Ordering::Equal => first.to_string(),
        std::cmp::Ordering::Greater => "empty".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_as_the_servers() {
        let time = RippleTime(848_563_951);
        assert_eq!(human_time(time), "2026-Nov-21 08:12:31.000000000 UTC");
        assert_eq!(human_time_micros(RippleTime(0)), "2000-Jan-01 00:00:00.000000 UTC");
    }

    #[test]
    fn ctids_round_trip_and_refuse_what_does_not_fit() {
        assert_eq!(ctid(3, 1, 0).as_deref(), Some("C000000300010000"));
        assert_eq!(parse_ctid("C000000300010000"), Some((3, 1, 0)));
        assert_eq!(ctid(0x0FFF_FFFF, 0, 0), None);
        assert_eq!(ctid(1, 0x1_0000, 0), None);
        for wrong in ["", "C", "D000000300010000", "C00000030001000", "C00000030001000Z", "Cöäü"] {
            assert_eq!(parse_ctid(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ranges_of_ledgers_read_as_the_servers() {
        assert_eq!(complete_ledgers(2, 7), "2-7");
        assert_eq!(complete_ledgers(2, 2), "2");
        assert_eq!(complete_ledgers(3, 2), "empty");
    }
}
