//! What amounts are worth in a reference currency, by prices that somebody wrote down. Nothing is decided by it.
//!
//! In whole billionths of the reference currency, rounded down; never a guess: what has no price, or one that is too old, has no
//! worth here.

use std::collections::BTreeMap;

use crate::model::units::{Amount, Asset, Hash256, RippleTime};

/// Billionths of the reference currency in one.
pub const BILLIONTHS: u64 = 1_000_000_000;

/// The highest price: a thousand million of the reference currency for one of an asset. More is a mistake.
pub const PRICE_MAX: u64 = 1_000_000_000 * BILLIONTHS;

/// Prices of a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices {
    /// What they are in, such as `EUR`.
    pub currency: String,
    /// Of when they are.
    pub at: RippleTime,
    /// From then on for so many seconds they count.
    pub age_max_seconds: u32,
    /// SHA-256 of the file that they are from.
    pub sha256: Hash256,
    /// Billionths of the reference currency for one of the asset: one XRP, one of an issued currency, one unit of a
    /// multi-purpose token.
    pub of: BTreeMap<Asset, u64>,
}

impl Prices {
    /// Whether they are too old, or of a time to come.
    #[must_use]
    pub fn are_stale(&self, now: RippleTime) -> bool {
        // An hour for clocks that differ.
        let ahead = self.at.0 > now.0.saturating_add(3_600);
        ahead || now.0.saturating_sub(self.at.0) > self.age_max_seconds
    }

    /// What an amount is worth by them, in billionths; `None`: it has no price, is negative, or worth more than can be written.
    #[must_use]
    pub fn worth(&self, amount: &Amount) -> Option<u128> {
        let price = u128::from(*self.of.get(&amount.issue())?);
        match amount {
            _ if amount.is_negative() => None,
            Amount::Xrp(drops) => Some(u128::from(drops.get()).checked_mul(price)? / 1_000_000),
            Amount::Mpt(mpt) => u128::from(mpt.value).checked_mul(price),
            Amount::Issued(issued) => {
                let whole = u128::from(issued.value.mantissa()).checked_mul(price)?;
                let power = 10_u128.checked_pow(issued.value.exponent().unsigned_abs());
                match issued.value.exponent() {
                    // Less than can be told.
                    exponent if exponent < 0 => Some(power.map_or(0, |power| whole / power)),
                    _ if whole == 0 => Some(0),
                    _ => whole.checked_mul(power?),
                }
            }
        }
    }
}

/// A price as people write it: at most nine digits behind the point, more than nothing.
#[must_use]
pub fn price(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let dotted = text.contains('.');
    if whole.is_empty() || (dotted && fraction.is_empty()) || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    if fraction.len() > 9 {
        return None;
    }
    let price = whole.parse::<u64>().ok()?.checked_mul(BILLIONTHS)?.checked_add(digits.parse().ok()?)?;
    (1..=PRICE_MAX).contains(&price).then_some(price)
}

/// Billionths as a number with two digits behind the point, rounded down.
#[must_use]
pub fn words(billionths: u128) -> String {
    let one = u128::from(BILLIONTHS);
    format!("{}.{:02}", billionths / one, billionths % one / 10_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USD: &str = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B";
    const TOKEN: &str = "00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8";

    #[test]
    fn amounts_are_worth_what_prices_say_to_the_last_digit_and_nothing_else_is_worth_anything() {
        let of = [("XRP", "2.1734"), (USD, "0.92"), (TOKEN, "1000000000")];
        let of = of.map(|(asset, text)| (asset.parse().unwrap(), price(text).unwrap())).into();
        let at = RippleTime(1_000_000);
        let prices =
            Prices { currency: "EUR".to_owned(), at, age_max_seconds: 60, sha256: Hash256::ZERO, of };
        for (amount, expected) in [
            ("100000000000 XRP".to_owned(), "217340000000.00"),
            ("0.000001 XRP".to_owned(), "0.00"),
            ("1.5 XRP".to_owned(), "3.26"),
            (format!("1234.5 {USD}"), "1135.74"),
            (format!("0.0000000000000001 {USD}"), "0.00"),
            (format!("1e-80 {USD}"), "0.00"),
            (format!("999999999999999e10 {USD}"), "9199999999999990800000000.00"),
            (format!("0 {USD}"), "0.00"),
            (format!("7 {TOKEN}"), "7000000000.00"),
        ] {
            let worth = prices.worth(&Amount::from_words(&amount).unwrap()).map(words);
            assert_eq!(worth.as_deref(), Some(expected), "{amount}");
        }
        let euro = "1 EUR.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B".to_owned();
        for amount in [format!("1e70 {USD}"), euro] {
            assert_eq!(prices.worth(&Amount::from_words(&amount).unwrap()), None, "{amount}");
        }
        let Amount::Issued(one) = Amount::from_words(&format!("1 {USD}")).unwrap() else { panic!("issued") };
        let owed = Amount::Issued(xrpl_wire::IssuedAmount { value: one.value.negated(), ..one });
        assert_eq!(prices.worth(&owed), None, "what is owed is worth nothing to whoever owes it");
        let nothing = Prices { of: [(USD.parse().unwrap(), 0)].into(), ..prices.clone() };
        assert_eq!(nothing.worth(&Amount::from_words(&format!("1e70 {USD}")).unwrap()), Some(0));
        for (later, stale) in [(0, false), (60, false), (61, true)] {
            assert_eq!(prices.are_stale(RippleTime(at.0 + later)), stale);
        }
        assert!(!prices.are_stale(RippleTime(at.0 - 3_600)));
        assert!(prices.are_stale(RippleTime(at.0 - 3_601)), "of a time to come");
    }

    #[test]
    fn a_price_is_a_plain_number_above_nothing() {
        for (text, expected) in [
            ("1", Some(BILLIONTHS)),
            ("0.000000001", Some(1)),
            ("1000000000", Some(PRICE_MAX)),
            ("1000000000.000000001", None),
            ("0", None),
            ("0.0000000001", None),
            ("-1", None),
            ("1e3", None),
            ("1.", None),
            (".5", None),
            ("", None),
            ("1,5", None),
            ("+1", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(price(text), expected, "{text}");
        }
        assert_eq!((words(0), words(1_999_999_999)), ("0.00".to_owned(), "1.99".to_owned()));
    }
}
