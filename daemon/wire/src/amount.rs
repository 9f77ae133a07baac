//! Amounts: XRP in drops, issued currencies, multi-purpose tokens.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{AccountId, IouValue};

/// An amount of XRP: 0 to 10^17 drops, a millionth of an XRP each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Drops(u64);

/// All XRP there has ever been: 100 billion XRP.
const MAX_DROPS: u64 = 100_000_000_000_000_000;
/// One XRP.
const DROPS_PER_XRP: u64 = 1_000_000;

/// A number or text that is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// More than 10^17 drops.
    #[error("more XRP than there is")]
    TooMuch,
    /// Not a decimal number, or more digits after the point than an amount has.
    #[error("not an amount")]
    Syntax,
    /// Not a currency code.
    #[error("not a currency code")]
    Currency,
}

impl AmountError {
    /// A stable name of the error, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            AmountError::TooMuch => "amount_too_large",
            AmountError::Syntax => "amount_syntax",
            AmountError::Currency => "bad_currency",
        }
    }
}

impl Drops {
    /// No XRP.
    pub const ZERO: Drops = Drops(0);
    /// All XRP: 10^17 drops.
    pub const MAX: Drops = Drops(MAX_DROPS);

    /// So many drops.
    ///
    /// # Errors
    /// [`AmountError::TooMuch`] above 10^17.
    pub const fn new(drops: u64) -> Result<Drops, AmountError> {
        if drops > MAX_DROPS { Err(AmountError::TooMuch) } else { Ok(Drops(drops)) }
    }

    /// The number of drops.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether there are none.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum; none above 10^17.
    pub fn checked_add(self, other: Drops) -> Option<Drops> {
        Drops::new(self.0.checked_add(other.0)?).ok()
    }

    /// The difference; none below zero.
    pub fn checked_sub(self, other: Drops) -> Option<Drops> {
        self.0.checked_sub(other.0).map(Drops)
    }

    /// So many times as much; none above 10^17.
    pub fn checked_mul(self, times: u64) -> Option<Drops> {
        Drops::new(self.0.checked_mul(times)?).ok()
    }

    /// The difference, or zero.
    #[must_use]
    pub fn saturating_sub(self, other: Drops) -> Drops {
        Drops(self.0.saturating_sub(other.0))
    }

    /// In XRP, without zeros at the end: `1.5`, `0.00001`.
    pub fn to_xrp_string(self) -> String {
        let (whole, part) = (self.0 / DROPS_PER_XRP, self.0 % DROPS_PER_XRP);
        if part == 0 {
            return whole.to_string();
        }
        let part = format!("{part:06}");
        format!("{whole}.{}", part.trim_end_matches('0'))
    }

    /// From a decimal number of XRP with up to six digits after the point.
    ///
    /// # Errors
    /// [`AmountError::Syntax`] for anything else, [`AmountError::TooMuch`] above 100 billion XRP.
    pub fn from_xrp_str(text: &str) -> Result<Drops, AmountError> {
        let (whole, part) = match text.split_once('.') {
            Some((whole, part)) if (1..=6).contains(&part.len()) => (whole, part),
            Some(_) => return Err(AmountError::Syntax),
            None => (text, ""),
        };
        let whole = parse_digits(whole)?;
        let part = if part.is_empty() { 0 } else { parse_digits(&format!("{part:0<6}"))? };
        let drops = whole
            .checked_mul(DROPS_PER_XRP)
            .and_then(|drops| drops.checked_add(part))
            .ok_or(AmountError::TooMuch)?;
        Drops::new(drops)
    }
}

/// One or more ASCII digits: `str::parse` alone would take a sign too.
fn parse_digits(text: &str) -> Result<u64, AmountError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AmountError::Syntax);
    }
    text.parse().map_err(|_| AmountError::TooMuch)
}

/// The number of drops, in decimal.
impl fmt::Display for Drops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Drops {
    type Err = AmountError;

    /// From a decimal number of drops.
    fn from_str(text: &str) -> Result<Drops, AmountError> {
        Drops::new(parse_digits(text)?)
    }
}

impl TryFrom<u64> for Drops {
    type Error = AmountError;

    fn try_from(drops: u64) -> Result<Drops, AmountError> {
        Drops::new(drops)
    }
}

impl Serialize for Drops {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Drops {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Drops, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The code of a currency: twenty bytes. All zero is XRP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Currency(pub [u8; 20]);

impl Currency {
    /// XRP's: all zero.
    pub const XRP: Currency = Currency([0; 20]);
    /// The number one: no currency, written `1`.
    pub const NONE: Currency = Currency(AccountId::ONE.0);

    /// Whether it is XRP's.
    pub fn is_xrp(&self) -> bool {
        *self == Currency::XRP
    }

    /// The three characters of a standard code; none for others.
    fn standard(&self) -> Option<&str> {
        let (head, code, tail) = (self.0.get(..12)?, self.0.get(12..15)?, self.0.get(15..)?);
        let plain = head.iter().chain(tail).all(|byte| *byte == 0);
        let text = std::str::from_utf8(code).ok()?;
        // Three letters that say XRP without being it are shown in hex.
        (plain && code.iter().all(is_code_byte) && text != "XRP").then_some(text)
    }
}

/// The characters of standard currency codes.
fn is_code_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"<>(){}[]|?!@#$%^&*".contains(byte)
}

/// `XRP`, three characters, or forty hex digits.
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, self.standard()) {
            (Currency::XRP, _) => f.pad("XRP"),
            (Currency::NONE, _) => f.pad("1"),
            (_, Some(code)) => f.pad(code),
            (_, None) => f.pad(&hex::encode_upper(self.0)),
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Currency {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Currency, AmountError> {
        let mut bytes = [0; 20];
        match text.as_bytes() {
            b"XRP" => return Ok(Currency::XRP),
            b"1" => return Ok(Currency::NONE),
            code @ [a, b, c] if code.iter().all(is_code_byte) => {
                for (to, from) in bytes.iter_mut().skip(12).zip([a, b, c]) {
                    *to = *from;
                }
            }
            _ => hex::decode_to_slice(text, &mut bytes).map_err(|_| AmountError::Currency)?,
        }
        Ok(Currency(bytes))
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What an asset is, without how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Issue {
    /// XRP.
    Xrp,
    /// A currency and who issues it.
    Issued {
        /// The currency; never XRP.
        currency: Currency,
        /// The issuer.
        issuer: AccountId,
    },
    /// A multi-purpose token: the number of its issuance and its issuer.
    Mpt([u8; 24]),
}

/// An amount of an issued currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IssuedAmount {
    /// How much.
    pub value: IouValue,
    /// Of which currency; never XRP.
    pub currency: Currency,
    /// Issued by whom.
    pub issuer: AccountId,
}

/// An amount of a multi-purpose token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MptAmount {
    /// Whether it is less than zero; never with a zero value.
    pub negative: bool,
    /// How many units, up to 2^63 - 1.
    pub value: u64,
    /// The issuance: its number (4 bytes) and the issuer's account id.
    pub issuance_id: [u8; 24],
}

/// An amount that the binary format can write and no account can have. Servers read it and refuse what holds it;
/// only [`Transaction::decode_as_server`](crate::Transaction::decode_as_server) reads it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OddAmount {
    /// Less than no XRP, or more than there is.
    Xrp {
        /// Whether it is less than nothing.
        negative: bool,
        /// How many drops.
        drops: u64,
    },
    /// More of a token than there can be, or less than none of it.
    Mpt(MptAmount),
}

/// An amount of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Amount {
    /// XRP.
    Xrp(Drops),
    /// An issued currency.
    Issued(IssuedAmount),
    /// A multi-purpose token.
    Mpt(MptAmount),
}

impl Amount {
    /// The drops, if it is XRP.
    pub fn drops(&self) -> Option<Drops> {
        match self {
            Amount::Xrp(drops) => Some(*drops),
            _ => None,
        }
    }

    /// Whether it is XRP.
    pub fn is_xrp(&self) -> bool {
        matches!(self, Amount::Xrp(_))
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        match self {
            Amount::Xrp(drops) => drops.is_zero(),
            Amount::Issued(issued) => issued.value.is_zero(),
            Amount::Mpt(mpt) => mpt.value == 0,
        }
    }

    /// Whether it is less than nothing.
    pub fn is_negative(&self) -> bool {
        match self {
            Amount::Xrp(_) => false,
            Amount::Issued(issued) => issued.value.is_negative(),
            Amount::Mpt(mpt) => mpt.negative,
        }
    }

    /// What it is an amount of.
    pub fn issue(&self) -> Issue {
        match self {
            Amount::Xrp(_) => Issue::Xrp,
            Amount::Issued(issued) => Issue::Issued { currency: issued.currency, issuer: issued.issuer },
            Amount::Mpt(mpt) => Issue::Mpt(mpt.issuance_id),
        }
    }
}

impl From<Drops> for Amount {
    fn from(drops: Drops) -> Amount {
        Amount::Xrp(drops)
    }
}

impl From<IssuedAmount> for Amount {
    fn from(amount: IssuedAmount) -> Amount {
        Amount::Issued(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_stay_within_all_the_xrp_there_is() {
        let all = Drops::new(MAX_DROPS).unwrap();
        assert_eq!(Drops::new(MAX_DROPS + 1), Err(AmountError::TooMuch));
        assert_eq!(all.checked_add(Drops::new(1).unwrap()), None);
        assert_eq!(all.checked_mul(2), None);
        assert_eq!(Drops::ZERO.checked_sub(all), None);
        assert_eq!(Drops::ZERO.saturating_sub(all), Drops::ZERO);
        assert_eq!("100000000000000001".parse::<Drops>(), Err(AmountError::TooMuch));
        assert_eq!("99999999999999999999999".parse::<Drops>(), Err(AmountError::TooMuch));
    }

    #[test]
    fn xrp_reads_and_writes_with_six_places() {
        for (xrp, drops) in
            [("0", 0), ("1", 1_000_000), ("1.5", 1_500_000), ("0.000001", 1), ("25.07", 25_070_000)]
        {
            assert_eq!(Drops::from_xrp_str(xrp).unwrap().get(), drops);
            assert_eq!(Drops::new(drops).unwrap().to_xrp_string(), xrp);
        }
        for bad in ["", ".", "1.", ".5", "1.0000001", "+1", "-1", "1e3", " 1", "1,5"] {
            assert_eq!(Drops::from_xrp_str(bad), Err(AmountError::Syntax), "{bad}");
        }
        assert_eq!(Drops::from_xrp_str("100000000000.000001"), Err(AmountError::TooMuch));
    }

    #[test]
    fn drops_are_text_in_json() {
        let drops = Drops::new(12).unwrap();
        assert_eq!(serde_json::to_string(&drops).unwrap(), "\"12\"");
        assert_eq!(serde_json::from_str::<Drops>("\"12\"").unwrap(), drops);
        assert!(serde_json::from_str::<Drops>("12").is_err());
    }

    #[test]
    fn currencies_read_and_write_as_the_server_does() {
        for text in ["XRP", "1", "USD", "usd", "$$$", "0158415500000000C1F76FF6ECB0BAC600000000"] {
            assert_eq!(text.parse::<Currency>().unwrap().to_string(), text);
        }
        let false_xrp = "0000000000000000000000005852500000000000";
        assert_eq!(false_xrp.parse::<Currency>().unwrap().to_string(), false_xrp);
        let usd = "0000000000000000000000005553440000000000";
        assert_eq!(usd.parse::<Currency>().unwrap().to_string(), "USD");
        for bad in ["", "US", "USDT", "U D", "éa"] {
            assert_eq!(bad.parse::<Currency>(), Err(AmountError::Currency), "{bad}");
        }
    }
}
