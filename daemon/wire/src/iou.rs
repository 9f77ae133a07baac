//! The value of an issued currency: sixteen decimal digits and an exponent.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of an issued currency without its currency: zero, or ±mantissa × 10^exponent with a mantissa of
/// exactly sixteen digits and an exponent from -96 to 80.
///
/// Sums, products and quotients round half to even, first to 64 bits and then to sixteen digits, as the ledger
/// does; what is smaller than the smallest value becomes zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct IouValue {
    negative: bool,
    /// Zero, or [`MIN_MANTISSA`]..=[`MAX_MANTISSA`].
    mantissa: u64,
    exponent: i32,
}

/// The least mantissa of a value that is not zero: sixteen digits.
pub const MIN_MANTISSA: u64 = 1_000_000_000_000_000;
/// The greatest mantissa.
pub const MAX_MANTISSA: u64 = 9_999_999_999_999_999;
/// The least exponent.
pub const MIN_EXPONENT: i32 = -96;
/// The greatest exponent.
pub const MAX_EXPONENT: i32 = 80;

/// A number that is no value of an issued currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IouError {
    /// The text is not a decimal number, or has too many digits.
    #[error("not a decimal number")]
    Syntax,
    /// Larger than 9999999999999999e80.
    #[error("too large for an issued currency")]
    Overflow,
    /// Divided by zero.
    #[error("division by zero")]
    DivisionByZero,
}

impl IouError {
    /// A stable name of the error, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            IouError::Syntax => "iou_syntax",
            IouError::Overflow => "iou_overflow",
            IouError::DivisionByZero => "iou_division_by_zero",
        }
    }
}

impl IouValue {
    /// Nothing.
    pub const ZERO: IouValue = IouValue { negative: false, mantissa: 0, exponent: 0 };

    /// ±mantissa × 10^exponent, brought to sixteen digits.
    ///
    /// # Errors
    /// [`IouError::Overflow`] above the greatest value.
    pub fn new(negative: bool, mantissa: u64, exponent: i32) -> Result<IouValue, IouError> {
        normalize(negative, u128::from(mantissa), exponent, false)
    }

    /// Exactly this mantissa and exponent; none if they are not in normal form.
    pub fn from_normal(negative: bool, mantissa: u64, exponent: i32) -> Option<IouValue> {
        let normal = (MIN_MANTISSA..=MAX_MANTISSA).contains(&mantissa)
            && (MIN_EXPONENT..=MAX_EXPONENT).contains(&exponent);
        normal.then_some(IouValue { negative, mantissa, exponent })
    }

    /// The sixteen digits, or zero.
    pub fn mantissa(&self) -> u64 {
        self.mantissa
    }

    /// The power of ten; 0 for zero.
    pub fn exponent(&self) -> i32 {
        self.exponent
    }

    /// Whether it is less than zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.mantissa == 0
    }

    /// The same with the other sign; zero stays zero.
    #[must_use]
    pub fn negated(self) -> IouValue {
        IouValue { negative: !self.negative && self.mantissa != 0, ..self }
    }

    /// The sum, rounded half to even.
    ///
    /// # Errors
    /// [`IouError::Overflow`] above the greatest value.
    pub fn checked_add(self, other: IouValue) -> Result<IouValue, IouError> {
        if self.is_zero() {
            return Ok(other);
        }
        if other.is_zero() {
            return Ok(self);
        }
        let (large, small) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        // Up to 18 places the sum is exact: 10^16 × 10^18 is far below 2^127. Beyond that the smaller one is
        // less than a hundredth of the last digit, even after a borrow, and only tips ties.
        let places = large.exponent.saturating_sub(small.exponent).unsigned_abs();
        let shift = places.min(18);
        let scale = i128::from(10_u64.pow(shift));
        let mut sum = large.signed_mantissa() * scale;
        let mut inexact = false;
        if places <= 18 {
            sum += small.signed_mantissa();
        } else {
            // One unit below the digits that are kept stands for the smaller one.
            let divisor = 10_u128.checked_pow(places - 18).unwrap_or(u128::MAX);
            let part = u128::from(small.mantissa) / divisor;
            inexact = u128::from(small.mantissa) % divisor != 0;
            let part = i128::try_from(part).map_err(|_| IouError::Overflow)?;
            sum += if small.negative { -part } else { part };
            if inexact && small.negative != large.negative {
                // What was cut off pulls towards zero: count one unit less and let the rest be a surplus.
                sum += if small.negative { -1 } else { 1 };
            }
        }
        let exponent = large.exponent.saturating_sub(i32::try_from(shift).unwrap_or(i32::MAX));
        let (mut digits, mut exponent, mut surplus) = (sum.unsigned_abs(), exponent, inexact);
        if self.negative != other.negative && digits > MAX_INTERMEDIATE {
            // A difference keeps as many digits as the larger one came with, and is rounded to them first, even
            // where that is one more than fits.
            let extra = shift.saturating_sub(INTERMEDIATE_DIGITS - DIGITS);
            let unit = 10_u128.pow(extra);
            if digits / unit > MAX_INTERMEDIATE {
                digits = round_off(digits, unit, surplus);
                exponent = exponent.saturating_add(i32::try_from(extra).unwrap_or(i32::MAX));
                surplus = false;
            }
        }
        normalize(sum < 0, digits, exponent, surplus)
    }

    /// The difference, rounded half to even.
    ///
    /// # Errors
    /// [`IouError::Overflow`] above the greatest value.
    pub fn checked_sub(self, other: IouValue) -> Result<IouValue, IouError> {
        self.checked_add(other.negated())
    }

    /// The product, rounded half to even.
    ///
    /// # Errors
    /// [`IouError::Overflow`] above the greatest value.
    pub fn checked_mul(self, other: IouValue) -> Result<IouValue, IouError> {
        let product = u128::from(self.mantissa) * u128::from(other.mantissa);
        normalize(
            self.negative != other.negative,
            product,
            self.exponent.saturating_add(other.exponent),
            false,
        )
    }

    /// The quotient: computed to twenty-two digits after the first, then rounded half to even, as the ledger
    /// does.
    ///
    /// # Errors
    /// [`IouError::DivisionByZero`]; [`IouError::Overflow`] above the greatest value.
    pub fn checked_div(self, other: IouValue) -> Result<IouValue, IouError> {
        // In two steps: 10^16 × 10^22 and its quotient fit in 128 bits, but only just.
        const FIRST: u128 = 100_000_000_000_000_000;
        const SECOND: u128 = 100_000;
        if other.is_zero() {
            return Err(IouError::DivisionByZero);
        }
        let (numerator, denominator) = (u128::from(self.mantissa) * FIRST, u128::from(other.mantissa));
        let quotient = numerator / denominator * SECOND + numerator % denominator * SECOND / denominator;
        let exponent = self.exponent.saturating_sub(other.exponent).saturating_sub(22);
        normalize(self.negative != other.negative, quotient, exponent, false)
    }

    fn signed_mantissa(self) -> i128 {
        let mantissa = i128::from(self.mantissa);
        if self.negative { -mantissa } else { mantissa }
    }
}

/// What the ledger computes with: a 64-bit number with a sign. Every result is rounded to it first and to
/// sixteen digits then, so that rarely (a 5 left by the first rounding) the last digit differs from rounding
/// once. The server does so since it knows vaults and loans (3.1, amendments SingleAssetVault and
/// LendingProtocol); before, it rounded once.
const MAX_INTERMEDIATE: u128 = 9_223_372_036_854_775_807;

/// How many digits a value has, and how many what the ledger computes with.
const DIGITS: u32 = 16;
const INTERMEDIATE_DIGITS: u32 = 19;

/// Brings a number to sixteen digits. `surplus` says that a little more than the mantissa is meant.
fn normalize(negative: bool, mantissa: u128, exponent: i32, surplus: bool) -> Result<IouValue, IouError> {
    if mantissa == 0 {
        return Ok(IouValue::ZERO);
    }
    let (mantissa, exponent) = round_to(MAX_INTERMEDIATE, mantissa, exponent, surplus);
    let (mut mantissa, mut exponent) = round_to(u128::from(MAX_MANTISSA), mantissa, exponent, false);
    while mantissa < u128::from(MIN_MANTISSA) {
        mantissa *= 10;
        exponent = exponent.saturating_sub(1);
    }
    if exponent < MIN_EXPONENT {
        return Ok(IouValue::ZERO);
    }
    if exponent > MAX_EXPONENT {
        return Err(IouError::Overflow);
    }
    let mantissa = u64::try_from(mantissa).map_err(|_| IouError::Overflow)?;
    Ok(IouValue { negative, mantissa, exponent })
}

/// In units of a power of ten, rounded half to even. `surplus` says that a little more is meant.
fn round_off(number: u128, unit: u128, surplus: bool) -> u128 {
    let (whole, rest) = (number / unit, number % unit);
    let up = match (rest * 2).cmp(&unit) {
        Ordering::Less => false,
        Ordering::Equal => surplus || whole % 2 == 1,
        Ordering::Greater => true,
    };
    if up { whole + 1 } else { whole }
}

/// Cuts digits off until the mantissa is at most `max`, and rounds half to even.
fn round_to(max: u128, mut mantissa: u128, mut exponent: i32, surplus: bool) -> (u128, i32) {
    // The last digit cut off, and whether anything but zeros was cut off before it.
    let (mut last, mut rest) = (0, surplus);
    while mantissa > max {
        rest |= last != 0;
        last = mantissa % 10;
        mantissa /= 10;
        exponent = exponent.saturating_add(1);
    }
    if last > 5 || (last == 5 && (rest || mantissa % 2 == 1)) {
        mantissa += 1;
        if mantissa > max {
            mantissa /= 10;
            exponent = exponent.saturating_add(1);
        }
    }
    (mantissa, exponent)
}

impl Ord for IouValue {
    fn cmp(&self, other: &IouValue) -> Ordering {
        // A rank of the sign first: then among equals the magnitude, turned round below zero.
        let rank = |value: &IouValue| match (value.is_zero(), value.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let magnitude = (self.exponent, self.mantissa).cmp(&(other.exponent, other.mantissa));
        rank(self).cmp(&rank(other)).then(if self.negative { magnitude.reverse() } else { magnitude })
    }
}

impl PartialOrd for IouValue {
    fn partial_cmp(&self, other: &IouValue) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As the server writes it: plain between 1e-9 or so and 1e11, with an exponent beyond.
impl fmt::Display for IouValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        let sign = if self.negative { "-" } else { "" };
        let digits = self.mantissa.to_string();
        if self.exponent != 0 && !(-25..=-5).contains(&self.exponent) {
            return write!(f, "{sign}{digits}e{}", self.exponent);
        }
        let places = usize::try_from(self.exponent.unsigned_abs()).unwrap_or(usize::MAX);
        let (whole, fraction) = match digits.len().checked_sub(places) {
            Some(at) if at > 0 => {
                let (whole, fraction) = digits.split_at(at);
                (whole.to_owned(), fraction.to_owned())
            }
            _ => ("0".to_owned(), format!("{digits:0>places$}")),
        };
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

impl FromStr for IouValue {
    type Err = IouError;

    /// An optional sign, digits without leading zeros, an optional fraction, an optional exponent.
    fn from_str(text: &str) -> Result<IouValue, IouError> {
        /// As many digits as the server takes.
        const MAX_DIGITS: usize = 32;
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            _ => (false, text),
        };
        let (number, exponent) = match rest.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, parse_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(IouError::Syntax),
            None => (number, ""),
        };
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !all_digits(whole) || !all_digits(fraction) {
            return Err(IouError::Syntax);
        }
        if whole.len() + fraction.len() > MAX_DIGITS {
            return Err(IouError::Syntax);
        }
        // The server reads the digits as a 64-bit number and refuses more.
        let mantissa: u64 = format!("{whole}{fraction}").parse().map_err(|_| IouError::Syntax)?;
        let places = i32::try_from(fraction.len()).map_err(|_| IouError::Syntax)?;
        IouValue::new(negative, mantissa, exponent.saturating_sub(places))
    }
}

impl Serialize for IouValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IouValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<IouValue, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Digits with an optional sign.
fn parse_exponent(text: &str) -> Result<i32, IouError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(IouError::Syntax);
    }
    text.parse().map_err(|_| IouError::Syntax)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iou(text: &str) -> IouValue {
        text.parse().unwrap()
    }

    #[test]
    fn values_print_as_the_server_prints_them() {
        for (text, printed) in [
            ("0", "0"),
            ("-0", "0"),
            ("1", "1"),
            ("-1.50", "-1.5"),
            ("100", "100"),
            ("0.000001", "0.000001"),
            ("99999999999", "99999999999"),
            ("100000000000", "1000000000000000e-4"),
            ("123456789012345.6", "1234567890123456e-1"),
            ("1234567890123456", "1234567890123456"),
            ("1e80", "1000000000000000e65"),
            ("9999999999999999e80", "9999999999999999e80"),
            ("1e-10", "0.0000000001"),
            ("1e-11", "1000000000000000e-26"),
            ("1e-97", "0"),
            ("12345678901234565", "1234567890123456e1"),
            ("12345678901234575", "1234567890123458e1"),
            ("99999999999999995", "1000000000000000e2"),
        ] {
            assert_eq!(iou(text).to_string(), printed, "{text}");
            assert_eq!(iou(printed), iou(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_number_is_refused() {
        for text in ["", "-", "+", "01", ".5", "1.", "1e", "1e+", "--1", "1 ", "1e999999999", "x", "0x1", "é"]
        {
            assert_eq!(text.parse::<IouValue>(), Err(IouError::Syntax), "{text}");
        }
        assert_eq!("1e96".parse::<IouValue>(), Err(IouError::Overflow));
        assert_eq!("111111111111111111111".parse::<IouValue>(), Err(IouError::Syntax));
    }

    #[test]
    fn sums_round_half_to_even() {
        for (a, b, sum) in [
            ("1", "2", "3"),
            ("1", "-1", "0"),
            ("0", "-5", "-5"),
            ("1", "0.000000000000001", "1.000000000000001"),
            ("1", "0.0000000000000005", "1"),
            ("1.000000000000001", "0.0000000000000005", "1.000000000000002"),
            ("1", "0.00000000000000051", "1.000000000000001"),
            ("1", "-0.00000000000000005", "1"),
            ("1", "-1e-16", "0.9999999999999999"),
            ("1", "-1e-40", "1"),
            ("1", "1e-40", "1"),
            ("9999999999999999", "1", "1e16"),
            // A tie is all that the first rounding leaves of a little more.
            ("1", "0.0000000000000005000001", "1"),
            ("1", "0.000000000000000501", "1.000000000000001"),
            ("5e15", "5e15", "1e16"),
            // A difference is rounded to nineteen digits first, and where that is too much for 63 bits to eighteen.
            ("9400000000000000", "-0.5052796039409254", "9400000000000000"),
            ("9400000000000000", "-0.5062796039409254", "9399999999999999"),
            ("9200000000000000", "-0.5052796039409254", "9199999999999999"),
            ("-9400000000000000", "0.5052796039409254", "-9400000000000000"),
            ("9400000000000000", "0.4952796039409254", "9400000000000000"),
            ("9400000000000000", "-0.9999999999999999", "9399999999999999"),
        ] {
            assert_eq!(iou(a).checked_add(iou(b)), Ok(iou(sum)), "{a} + {b}");
            assert_eq!(iou(b).checked_add(iou(a)), Ok(iou(sum)), "{b} + {a}");
            assert_eq!(iou(a).checked_sub(iou(b).negated()), Ok(iou(sum)), "{a} - -{b}");
        }
        assert_eq!(iou("9999999999999999e80").checked_add(iou("1e80")), Err(IouError::Overflow));
    }

    #[test]
    fn products_and_quotients_round_half_to_even() {
        assert_eq!(iou("3").checked_mul(iou("-2")), Ok(iou("-6")));
        assert_eq!(iou("1e-60").checked_mul(iou("1e-60")), Ok(IouValue::ZERO));
        assert_eq!(iou("1e60").checked_mul(iou("1e60")), Err(IouError::Overflow));
        assert_eq!(iou("1").checked_div(iou("3")), Ok(iou("0.3333333333333333")));
        assert_eq!(iou("2").checked_div(iou("3")), Ok(iou("0.6666666666666667")));
        assert_eq!(iou("9999999999999999").checked_div(iou("1e-20")), Ok(iou("9999999999999999e20")));
        assert_eq!(iou("1e80").checked_div(iou("9999999999999999")), Ok(iou("1.0000000000000001e64")));
        assert_eq!(iou("1").checked_div(IouValue::ZERO), Err(IouError::DivisionByZero));
        assert_eq!(IouValue::ZERO.checked_div(iou("7")), Ok(IouValue::ZERO));
    }

    #[test]
    fn values_are_ordered_by_size() {
        let sorted: Vec<IouValue> =
            ["-1e20", "-2", "-1", "-1e-80", "0", "1e-80", "1", "2", "1e20"].map(iou).to_vec();
        assert!(sorted.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
