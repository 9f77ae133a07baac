//! The ledger's decimal numbers as text.

use std::fmt;

use crate::Number;

/// Mantissas have sixteen digits, or nineteen where a value needs them.
const DIGITS: usize = 16;
const LONG_DIGITS: usize = 19;

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

/// From decimal text, in normal form; none for what is no number or does not fit.
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
    let width = if trimmed.len() <= DIGITS { DIGITS } else { LONG_DIGITS };
    let added = i32::try_from(width.checked_sub(trimmed.len())?).ok()?;
    let mantissa: i64 = format!("{trimmed:0<width$}").parse().ok()?;
    let mantissa = if unsigned.len() < text.len() { -mantissa } else { mantissa };
    Some(Number { mantissa, exponent: exponent - places + cut - added })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_and_write() {
        for (text, mantissa, exponent) in [
            ("0", 0, i32::MIN),
            ("1", 1_000_000_000_000_000, -15),
            ("-2.5", -2_500_000_000_000_000, -15),
            ("1000000000000000e-4", 1_000_000_000_000_000, -4),
            ("1234567890123456e20", 1_234_567_890_123_456, 20),
            ("0.0000000001", 1_000_000_000_000_000, -25),
            ("1.234567890123456789", 1_234_567_890_123_456_789, -18),
        ] {
            let number = Number { mantissa, exponent };
            assert_eq!(number.to_string(), text);
            assert_eq!(parse(text), Some(number));
        }
        for bad in ["", "-", ".", "1.", ".5", "1e", "1e99999999", "x", "--1", "12345678901234567891"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        let extreme = Number { mantissa: i64::MIN, exponent: i32::MAX };
        assert_eq!(extreme.to_string(), "-9223372036854775808e2147483647");
    }
}
