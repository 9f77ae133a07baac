//! The texts that people write values as, in the configuration and on command lines.

use xrpl_wire::{AccountId, Amount, Drops};

/// An amount: `"250 XRP"`, `"0.5 XRP"` or `"12 drops"`.
///
/// # Errors
/// What is wrong with it, in words.
pub fn amount(text: &str) -> Result<Drops, String> {
    let wrong = || {
        format!("\"{text}\" is not an amount; write a number and a unit, such as \"250 XRP\" or \"12 drops\"")
    };
    let (number, unit) = text.split_once(' ').ok_or_else(wrong)?;
    match unit {
        "XRP" => Drops::from_xrp_str(number).map_err(|_| wrong()),
        "drops" => number.parse().map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

/// An amount that is not zero.
///
/// # Errors
/// What is wrong with it, in words.
pub fn some_amount(text: &str) -> Result<Drops, String> {
    match amount(text)? {
        Drops::ZERO => Err("must be more than nothing".to_owned()),
        drops => Ok(drops),
    }
}

/// An amount of any asset: as [`amount`], or of an issued currency or multi-purpose token as `"20 USD.rIssuer…"`.
///
/// # Errors
/// What is wrong with it, in words.
pub fn any_amount(text: &str) -> Result<Amount, String> {
    match Amount::from_words(text) {
        Ok(amount) => Ok(amount),
        Err(_) => amount(text).map(Amount::Xrp),
    }
}

/// A duration in whole seconds: `"90s"`, `"15m"`, `"48h"` or `"7d"`. Never zero.
///
/// # Errors
/// What is wrong with it, in words.
pub fn duration(text: &str) -> Result<u32, String> {
    let wrong = || {
        format!(
            "\"{text}\" is not a duration; write a number and a unit, such as \"90s\", \"15m\", \"48h\" or \"7d\""
        )
    };
    let at = text.len().saturating_sub(1);
    let (number, unit) = text.split_at_checked(at).ok_or_else(wrong)?;
    let seconds: u32 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    match number.parse::<u32>().ok().and_then(|number| number.checked_mul(seconds)) {
        Some(0) => Err("must be longer than nothing".to_owned()),
        Some(seconds) => Ok(seconds),
        None => Err(format!("\"{text}\" is longer than the ledger's clock can count")),
    }
}

/// A classic address.
///
/// # Errors
/// What is wrong with it, in words.
pub fn address(text: &str) -> Result<AccountId, String> {
    text.parse().map_err(|error| format!("\"{text}\" is not an address: {error}"))
}

/// A short name: what lists, logs and metrics call something.
///
/// # Errors
/// What is wrong with it, in words.
pub fn name(text: &str) -> Result<String, String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if text.is_empty() || text.len() > 64 || !text.chars().all(plain) {
        return Err(format!(
            "\"{text}\" is not a name; use 1 to 64 letters, digits, hyphens, underscores or dots"
        ));
    }
    Ok(text.to_owned())
}

/// The SHA-256 of a token, as 64 hexadecimal digits.
///
/// # Errors
/// What is wrong with it, in words.
pub fn digest(text: &str) -> Result<[u8; 32], String> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).map(|()| digest).map_err(|_| {
        "is not a SHA-256 digest of 64 hexadecimal digits; write that of the token, never the token"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_number_and_a_unit() {
        for (text, drops) in [
            ("250 XRP", Some(250_000_000)),
            ("0.5 XRP", Some(500_000)),
            ("12 drops", Some(12)),
            ("0 drops", Some(0)),
            ("250", None),
            ("250XRP", None),
            ("250 xrp", None),
            ("-1 XRP", None),
            ("0.0000001 XRP", None),
            ("1.5 drops", None),
            ("1e3 XRP", None),
            ("200000000000 XRP", None),
            ("", None),
        ] {
            assert_eq!(amount(text).ok().map(Drops::get), drops, "{text}");
        }
    }

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("15m", Some(900)),
            ("48h", Some(172_800)),
            ("7d", Some(604_800)),
            ("0s", None),
            ("48", None),
            ("h", None),
            ("+1h", None),
            ("1.5h", None),
            ("1 h", None),
            ("1µ", None),
            ("µ", None),
            ("99999d", None),
            ("99999999999s", None),
            ("", None),
        ] {
            assert_eq!(duration(text).ok(), seconds, "{text}");
        }
    }
}
