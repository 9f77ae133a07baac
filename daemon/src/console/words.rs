//! Times and amounts as pages show them. What is said of things stands with the API's types.

use jiff::Timestamp;
use treasury_tools::text::clean;
use xrpl_wire::{Amount, Drops};

use crate::http::api::AmountView;

/// How long from one time to another, such as `in 5 h 20 min` or `3 d 2 h ago`; empty where one is no time.
pub(super) fn until(now: &str, then: &str) -> String {
    let (Ok(now), Ok(then)) = (now.parse::<Timestamp>(), then.parse::<Timestamp>()) else {
        return String::new();
    };
    let seconds = then.as_second().saturating_sub(now.as_second());
    let length = length(seconds.unsigned_abs());
    if seconds >= 0 { format!("in {length}") } else { format!("{length} ago") }
}

/// A length of time, as the API has it.
pub(super) fn seconds(seconds: &u32) -> String {
    length(u64::from(*seconds))
}

/// A length of time in its two largest units.
pub(super) fn length(seconds: u64) -> String {
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let from = parts.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let shown = parts.iter().skip(from).take(2).filter(|(count, _)| *count > 0);
    let text: Vec<String> = shown.map(|(count, unit)| format!("{count} {unit}")).collect();
    if text.is_empty() { "0 s".to_owned() } else { text.join(" ") }
}

/// `then` between two times, in thousandths.
pub(super) fn between(from: &str, then: &str, to: &str) -> Option<u128> {
    let second = |text: &str| text.parse::<Timestamp>().ok().map(|at| at.as_second());
    let (from, then, to) = (second(from)?, second(then)?, second(to)?);
    let passed = u128::try_from(then.saturating_sub(from).max(0)).ok()?;
    let whole = u128::try_from(to.checked_sub(from)?).ok()?;
    thousandths(passed, whole)
}

/// A part of a whole in thousandths, at most all of it.
pub(super) fn thousandths(part: u128, whole: u128) -> Option<u128> {
    part.checked_mul(1_000)?.checked_div(whole).map(|found| found.min(1_000))
}

/// An amount as a whole number, to compare it with others of its asset in a picture: millionths of it. Nothing is
/// decided by it.
pub(super) fn millionths(amount: &AmountView) -> Option<u128> {
    let (negative, value) = match amount.value.strip_prefix('-') {
        Some(value) => (true, value),
        None => (false, amount.value.as_str()),
    };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let found: u128 = format!("{whole}{fraction}").parse().ok()?;
    Some(if negative { 0 } else { found })
}

/// The beginning of what somebody wrote, for lists.
pub(super) fn beginning(text: &str) -> String {
    const LETTERS: usize = 80;
    let begin: String = text.chars().take(LETTERS).collect();
    if begin.len() < text.len() { format!("{begin}…") } else { begin }
}

/// XRP by drops.
pub(super) fn xrp(drops: &str) -> String {
    drops
        .parse::<Drops>()
        .map_or_else(|_| format!("{drops} drops"), |drops| format!("{} XRP", drops.to_xrp_string()))
}

/// What people write as an amount: `300 XRP`, or a number alone, which is XRP.
pub(super) fn amount(text: &str) -> Option<Amount> {
    let text = text.trim();
    Amount::from_words(text).or_else(|_| Amount::from_words(&format!("{text} XRP"))).ok()
}

/// A cell of a CSV file: never what a spreadsheet would compute.
pub(super) fn cell(text: &str) -> String {
    let text = clean(text);
    let guard = if text.starts_with(['=', '+', '-', '@', '\t']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_two_units() {
        for (seconds, text) in
            [(0, "0 s"), (59, "59 s"), (3_600, "1 h"), (3_660, "1 h 1 min"), (180_000, "2 d 2 h")]
        {
            assert_eq!(length(seconds), text);
        }
        assert_eq!(until("2026-01-01T00:00:00Z", "2026-01-01T05:20:01Z"), "in 5 h 20 min");
        assert_eq!(until("2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z"), "1 s ago");
        assert_eq!(until("", "2026-01-01T00:00:00Z"), "");
    }

    #[test]
    fn places_between_are_within_and_nothing_divides_by_nothing() {
        let (from, to) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z");
        assert_eq!(between(from, "2026-01-01T00:00:05Z", to), Some(500));
        assert_eq!(between(from, "2027-01-01T00:00:05Z", to), Some(1_000));
        assert_eq!(between(from, "2025-01-01T00:00:05Z", to), Some(0));
        assert_eq!(between(from, to, from), None);
        let amount = |value: &str| AmountView { asset: "XRP".to_owned(), value: value.to_owned() };
        assert_eq!(millionths(&amount("1.5")), Some(1_500_000));
        assert_eq!(millionths(&amount("-1.5")), Some(0));
        assert_eq!(millionths(&amount("1e80")), None);
    }

    #[test]
    fn a_cell_is_text_and_no_formula() {
        assert_eq!(cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(cell("invoice, 12\n13"), "\"invoice, 12\\n13\"");
    }
}
