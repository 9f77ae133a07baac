//! The ledger's decimal numbers as text.

use std::fmt;

use crate::Number;

/// Servers write mantissas of nineteen digits, or of eighteen where nineteen do not fit. What was written before there were
/// such long ones has sixteen, and stays as it is.
const LONG_DIGITS: usize = 19;
const DIGITS: usize = 16;

/// What is below the largest mantissa that has nineteen digits and fits. Beyond it a mantissa has eighteen.
const LONGEST: u64 = i64::MAX.unsigned_abs();

/// The exponents that servers compute with.
const EXPONENTS: std::ops::RangeInclusive<i32> = -32_768..=32_768;

impl Number {
    /// Whether a server writes it so. What it reads in another form it puts into this one, so that no ledger holds
    /// any other.
    #[must_use]
    pub fn is_normal(&self) -> bool {
        let digits = self.mantissa.unsigned_abs();
        let mantissa_is_normal = match digits {
            0 => return *self == Number::ZERO,
            1_000_000_000_000_000..=9_999_999_999_999_999 => true,
            // With one digit more it would not fit.
            100_000_000_000_000_000..=999_999_999_999_999_999 => digits > LONGEST / 10,
            1_000_000_000_000_000_000..=LONGEST => true,
            _ => false,
        };
        mantissa_is_normal && EXPONENTS.contains(&self.exponent)
    }
}

/// As the server writes it: plain where the exponent is small, with an exponent beyond.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mantissa == 0 {
            return f.write_str("0");
        }
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs().to_string();
        // A mantissa of nineteen digits is plain over the same range of values as one of sixteen.
        let range = i64::try_from(digits.len().max(DIGITS)).unwrap_or(16);
        let exponent = i64::from(self.exponent);
        if exponent != 0 && (exponent < -(range + 9) || exponent > -(range - 11)) {
            return write!(f, "{sign}{digits}e{exponent}");
        }
        let places = usize::try_from(exponent.unsigned_abs()).unwrap_or(0);
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

/// From decimal text, in the form in which a server writes it; none for what is no number or does not fit.
pub(crate) fn parse(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (plain, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((plain, exponent)) if exponent.len() <= 7 => (plain, exponent.parse::<i32>().ok()?),
        Some(_) => return None,
        None => (unsigned, 0),
    };
    let (whole, fraction) = match plain.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (plain, ""),
    };
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || digits.len() > 64 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let places = i32::try_from(fraction.len()).ok()?;
    let significant = digits.trim_start_matches('0');
    let trimmed = significant.trim_end_matches('0');
    if trimmed.is_empty() {
        return Some(Number::ZERO);
    }
    let cut = i32::try_from(significant.len() - trimmed.len()).ok()?;
    // Sixteen only of what is so near to zero that its exponent would leave the range with more.
    let widths = [LONG_DIGITS, LONG_DIGITS - 1, DIGITS];
    let sign = if unsigned.len() < text.len() { "-" } else { "" };
    widths.into_iter().find_map(|width| {
        let added = i32::try_from(width.checked_sub(trimmed.len())?).ok()?;
        let mantissa: i64 = format!("{sign}{trimmed:0<width$}").parse().ok()?;
        let number = Number { mantissa, exponent: exponent - places + cut - added };
        number.is_normal().then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_and_write() {
        for (text, mantissa, exponent) in [
            ("0", 0, i32::MIN),
            ("1", 1_000_000_000_000_000_000, -18),
            ("-2.5", -2_500_000_000_000_000_000, -18),
            ("1000000", 1_000_000_000_000_000_000, -12),
            ("1000000000000000000e-4", 1_000_000_000_000_000_000, -4),
            ("1234567890123456000e20", 1_234_567_890_123_456_000, 20),
            ("0.0000000001", 1_000_000_000_000_000_000, -28),
            ("1000000000000000e-32768", 1_000_000_000_000_000, -32_768),
            ("1.234567890123456789", 1_234_567_890_123_456_789, -18),
            ("-9.223372036854775807", -i64::MAX, -18),
            ("0.922337203685477581", 922_337_203_685_477_581, -18),
            ("999999999999999999", 999_999_999_999_999_999, 0),
        ] {
            let number = Number { mantissa, exponent };
            assert_eq!(number.to_string(), text);
            assert_eq!(parse(text), Some(number));
            assert!(number.is_normal());
        }
        for bad in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "1e",
            "1e99999999",
            "x",
            "--1",
            "12345678901234567891",
            "9223372036854775809",
            "1e40000",
            "1e-40000",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        // What a server wrote of 1 in former times is normal still, and the same text.
        let short = Number { mantissa: 1_000_000_000_000_000, exponent: -15 };
        assert!(short.is_normal());
        assert_eq!(short.to_string(), "1");
        let extreme = Number { mantissa: i64::MIN, exponent: i32::MAX };
        assert_eq!(extreme.to_string(), "-9223372036854775808e2147483647");
    }

    #[test]
    fn what_no_server_writes_is_not_normal() {
        for (mantissa, exponent) in [
            (0, 0),
            (5, 0),
            (10_000_000_000_000_000, 0),
            (100_000_000_000_000_000, 0),
            (922_337_203_685_477_580, 0),
            (i64::MIN, 0),
            (1_000_000_000_000_000, 32_769),
            (-1_000_000_000_000_000, -32_769),
            (1_000_000_000_000_000, i32::MIN),
        ] {
            let number = Number { mantissa, exponent };
            assert!(!number.is_normal(), "{number:?}");
            let mut object = crate::Object::new();
            object.set(crate::sf::AssetsTotal, number);
            assert_eq!(object.encode().unwrap_err().code(), "codec_invalid_value", "{number:?}");
            // The header of the field, then the number as it is.
            object.set(crate::sf::AssetsTotal, Number::ZERO);
            let mut bytes = object.encode().unwrap();
            bytes.truncate(bytes.len() - 12);
            bytes.extend(mantissa.to_be_bytes());
            bytes.extend(exponent.to_be_bytes());
            assert_eq!(crate::Object::decode(&bytes).unwrap_err().code(), "codec_invalid_value");
        }
    }
}
