//! Arithmetic, order and text of amounts of any asset.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::de;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::IouValue;
use crate::amount::{Amount, AmountError, Currency, Drops, Issue, IssuedAmount, MptAmount};
use crate::iou::{MAX_EXPONENT, MAX_MANTISSA};

/// The most units of a multi-purpose token that there can be.
const MPT_MAX: u64 = (1 << 63) - 1;

impl Issue {
    /// None of it.
    #[must_use]
    pub fn nothing(self) -> Amount {
        self.amount(IouValue::ZERO, 0)
    }

    /// More of it than anybody can have: what stands for a sum that cannot be written.
    #[must_use]
    pub fn most(self) -> Amount {
        let value = IouValue::from_normal(false, MAX_MANTISSA, MAX_EXPONENT).unwrap_or_default();
        self.amount(value, MPT_MAX)
    }

    fn amount(self, value: IouValue, units: u64) -> Amount {
        match self {
            Issue::Xrp if units == 0 => Amount::Xrp(Drops::ZERO),
            Issue::Xrp => Amount::Xrp(Drops::MAX),
            Issue::Issued { currency, issuer } => Amount::Issued(IssuedAmount { value, currency, issuer }),
            Issue::Mpt(issuance_id) => Amount::Mpt(MptAmount { negative: false, value: units, issuance_id }),
        }
    }

    /// Whether it is XRP.
    #[must_use]
    pub fn is_xrp(&self) -> bool {
        *self == Issue::Xrp
    }
}

/// `XRP`, `USD.rIssuer…`, or the 48 hex digits of an MPTokenIssuanceID.
impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Issue::Xrp => f.write_str("XRP"),
            Issue::Issued { currency, issuer } => write!(f, "{currency}.{issuer}"),
            Issue::Mpt(id) => f.write_str(&hex::encode_upper(id)),
        }
    }
}

impl FromStr for Issue {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Issue, AmountError> {
        if text == "XRP" {
            return Ok(Issue::Xrp);
        }
        // A currency code may hold no dot: the characters of codes leave it out.
        let Some((currency, issuer)) = text.split_once('.') else {
            let mut id = [0; 24];
            hex::decode_to_slice(text, &mut id).map_err(|_| AmountError::Currency)?;
            return Ok(Issue::Mpt(id));
        };
        let currency: Currency = currency.parse()?;
        let issuer = issuer.parse().map_err(|_| AmountError::Currency)?;
        if currency.is_xrp() {
            return Err(AmountError::Currency);
        }
        Ok(Issue::Issued { currency, issuer })
    }
}

impl Serialize for Issue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Issue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Issue, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Amount {
    /// The sum; none of different assets, and none where there cannot be so much.
    #[must_use]
    pub fn checked_add(&self, other: &Amount) -> Option<Amount> {
        match (self, other) {
            (Amount::Xrp(a), Amount::Xrp(b)) => a.checked_add(*b).map(Amount::Xrp),
            (Amount::Issued(a), Amount::Issued(b)) if self.issue() == other.issue() => {
                let value = a.value.checked_add(b.value).ok()?;
                Some(Amount::Issued(IssuedAmount { value, ..*a }))
            }
            (Amount::Mpt(a), Amount::Mpt(b)) if self.issue() == other.issue() => {
                let sum = units(a).checked_add(units(b))?;
                let value = u64::try_from(sum.unsigned_abs()).ok().filter(|value| *value <= MPT_MAX)?;
                Some(Amount::Mpt(MptAmount { negative: sum < 0, value, ..*a }))
            }
            _ => None,
        }
    }

    /// What is left of it without the other, and nothing where that is more; none of different assets.
    #[must_use]
    pub fn less(&self, other: &Amount) -> Option<Amount> {
        if self.partial_cmp(other)? != Ordering::Greater {
            return Some(self.issue().nothing());
        }
        match (self, other) {
            (Amount::Xrp(a), Amount::Xrp(b)) => a.checked_sub(*b).map(Amount::Xrp),
            (Amount::Issued(a), Amount::Issued(b)) => {
                let value = a.value.checked_sub(b.value).ok()?;
                Some(Amount::Issued(IssuedAmount { value, ..*a }))
            }
            (Amount::Mpt(a), Amount::Mpt(b)) => {
                let value = u64::try_from(units(a).checked_sub(units(b))?).ok()?;
                Some(Amount::Mpt(MptAmount { negative: false, value, ..*a }))
            }
            _ => None,
        }
    }

    /// The number alone, as the ledger writes it: drops, a decimal number, or units.
    #[must_use]
    pub fn value_text(&self) -> String {
        match self {
            Amount::Xrp(drops) => drops.to_string(),
            Amount::Issued(issued) => issued.value.to_string(),
            Amount::Mpt(mpt) => units(mpt).to_string(),
        }
    }

    /// So much of an asset, with the number as [`Amount::value_text`] writes it.
    ///
    /// # Errors
    /// [`AmountError`] for what is no such number, and for less than nothing.
    pub fn of(asset: Issue, value: &str) -> Result<Amount, AmountError> {
        let amount = match asset {
            Issue::Xrp => Amount::Xrp(value.parse()?),
            Issue::Issued { currency, issuer } => {
                // What it would be rounded to is not what was asked for.
                if significant(value) > DIGITS {
                    return Err(AmountError::Syntax);
                }
                let value = value.parse().map_err(|_| AmountError::Syntax)?;
                Amount::Issued(IssuedAmount { value, currency, issuer })
            }
            Issue::Mpt(issuance_id) => {
                let digits = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty();
                let value = Some(value).filter(|_| digits).ok_or(AmountError::Syntax)?.parse();
                let value = value.ok().filter(|units| *units <= MPT_MAX).ok_or(AmountError::TooMuch)?;
                Amount::Mpt(MptAmount { negative: false, value, issuance_id })
            }
        };
        if amount.is_negative() { Err(AmountError::Syntax) } else { Ok(amount) }
    }

    /// As people write it: `1.5 XRP`, `20 USD.rIssuer…`.
    #[must_use]
    pub fn words(&self) -> String {
        let asset = self.issue();
        match self {
            Amount::Xrp(drops) => format!("{} {asset}", drops.to_xrp_string()),
            other => format!("{} {asset}", other.value_text()),
        }
    }

    /// From a number of XRP, of an issued currency or of units of a multi-purpose token, and its asset, as
    /// [`Amount::words`] writes it.
    ///
    /// # Errors
    /// [`AmountError`] for anything else, and for less than nothing.
    pub fn from_words(text: &str) -> Result<Amount, AmountError> {
        let (number, asset) = text.trim().split_once(' ').ok_or(AmountError::Syntax)?;
        match asset.trim_start().parse::<Issue>()? {
            Issue::Xrp => Drops::from_xrp_str(number).map(Amount::Xrp),
            other => Amount::of(other, number),
        }
    }
}

/// Digits that an amount of an issued currency keeps.
const DIGITS: usize = 16;

/// How many digits a number has, zeros before and behind them aside.
fn significant(number: &str) -> usize {
    let digits = number.split(['e', 'E']).next().unwrap_or_default().bytes().filter(u8::is_ascii_digit);
    let digits: Vec<u8> = digits.skip_while(|digit| *digit == b'0').collect();
    digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1)
}

fn units(mpt: &MptAmount) -> i128 {
    let value = i128::from(mpt.value);
    if mpt.negative { -value } else { value }
}

/// Amounts of different assets have no order.
impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Amount) -> Option<Ordering> {
        match (self, other) {
            (Amount::Xrp(a), Amount::Xrp(b)) => Some(a.cmp(b)),
            (Amount::Issued(a), Amount::Issued(b)) if self.issue() == other.issue() => {
                Some(a.value.cmp(&b.value))
            }
            (Amount::Mpt(a), Amount::Mpt(b)) if self.issue() == other.issue() => {
                Some(units(a).cmp(&units(b)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATE: &str = "rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B";
    const TOKEN: &str = "00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8";

    fn amount(text: &str) -> Amount {
        Amount::from_words(text).unwrap()
    }

    #[test]
    fn amounts_are_read_and_written_in_words() {
        for text in ["0 XRP", "1.5 XRP", &format!("20.25 USD.{GATE}"), &format!("7 {TOKEN}")] {
            assert_eq!(amount(text).words(), *text);
        }
        let (negative, long) = (format!("-1 USD.{GATE}"), format!("9223372036854775808 {TOKEN}"));
        for bad in [
            "",
            "1",
            "XRP",
            "1 EUR",
            "1 XRP.",
            "-1 XRP",
            &negative,
            &long,
            &format!("1.5 {TOKEN}"),
            &format!("1 XRP.{GATE}"),
        ] {
            assert!(Amount::from_words(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn json_is_that_of_the_ledger_and_that_of_drops_for_xrp() {
        let usd = format!(r#"{{"value":"20.25","currency":"USD","issuer":"{GATE}"}}"#);
        let token = format!(r#"{{"value":"7","mpt_issuance_id":"{TOKEN}"}}"#);
        for (text, json) in [
            ("0.000012 XRP".to_owned(), "\"12\""),
            (format!("20.25 USD.{GATE}"), &usd),
            (format!("7 {TOKEN}"), &token),
        ] {
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_value(amount(&text)).unwrap(), value);
            assert_eq!(serde_json::from_str::<Amount>(json).unwrap(), amount(&text));
        }
        for bad in [
            "null",
            "\"-1\"",
            "{}",
            r#"{"value":"1"}"#,
            &token.replace("\"7\"", "\"1.5\""),
            &token.replace('{', r#"{"currency":"USD","#),
        ] {
            assert!(serde_json::from_str::<Amount>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_amounts_of_one_asset_are_added_and_compared() {
        let (xrp, usd, token) =
            (amount("1 XRP"), amount(&format!("1 USD.{GATE}")), amount(&format!("1 {TOKEN}")));
        for (a, b) in [(xrp, usd), (usd, token), (token, xrp)] {
            assert_eq!(a.checked_add(&b), None);
            assert_eq!(a.less(&b), None);
            assert_eq!(a.partial_cmp(&b), None);
            assert!(!(a >= b || a < b));
        }
        for whole in [xrp, token] {
            assert_eq!(whole.issue().most().checked_add(&whole), None);
        }
        for one in [xrp, usd, token] {
            let two = one.checked_add(&one).unwrap();
            assert_eq!(
                (one.partial_cmp(&two), two.partial_cmp(&one)),
                (Some(Ordering::Less), Some(Ordering::Greater))
            );
            assert_eq!(two.less(&one), Some(one));
            assert_eq!(one.less(&two), Some(one.issue().nothing()));
            assert!(one.issue().most() > two && one.issue().nothing() < one);
        }
    }

    /// Danger: more is paid, or let through, than what somebody wrote.
    #[test]
    fn an_amount_with_more_digits_than_are_kept_is_refused_and_not_rounded() {
        let usd: Issue = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B".parse().unwrap();
        for (text, is_taken) in [
            ("1234567890123456", true),
            ("1234567890123456000", true),
            ("0.0000123456789012345600", true),
            ("1.234567890123456e-5", true),
            ("12345678901234567", false),
            ("99999999999999999", false),
            ("0.12345678901234567", false),
            ("1.2345678901234567e3", false),
        ] {
            assert_eq!(Amount::of(usd, text).is_ok(), is_taken, "{text}");
            assert_eq!(Amount::from_words(&format!("{text} {usd}")).is_ok(), is_taken, "{text}");
        }
    }

    #[test]
    fn assets_are_read_as_they_are_written() {
        for text in ["XRP", TOKEN, &format!("USD.{GATE}"), &format!("{}.{GATE}", "AB".repeat(20))] {
            assert_eq!(text.parse::<Issue>().unwrap().to_string(), *text);
        }
        for bad in ["", "USD", "xrp", ".", "USD.r", &format!("XRP.{GATE}"), &TOKEN[1..]] {
            assert_eq!(bad.parse::<Issue>(), Err(AmountError::Currency), "{bad}");
        }
    }
}
