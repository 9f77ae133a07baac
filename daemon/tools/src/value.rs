//! The texts that people write values as, in the configuration and on command lines.

use xrpl_wire::{AccountId, Amount, Drops};

use crate::text::{has_seed, is_hidden};

/// An X-address has so many letters, always.
const X_ADDRESS_LETTERS: usize = 47;

/// How X-addresses of the main network and of test networks begin, in bytes: as an X and as a T in letters.
const X_ADDRESS_NETWORKS: [[u8; 2]; 2] = [[0x05, 0x44], [0x04, 0x93]];

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

/// An amount of what the daemon pays: of XRP as [`amount`], or of an issued currency as `"100 USD.rIssuer…"`.
///
/// # Errors
/// What is wrong with it, in words.
pub fn payable(text: &str) -> Result<Amount, String> {
    let wrong = || {
        format!(
            "\"{text}\" is not an amount; write a number and a unit, such as \"250 XRP\", \"12 drops\" or \"100 USD.rIssuer…\""
        )
    };
    match any_amount(text).map_err(|_| wrong())? {
        Amount::Mpt(_) => Err(format!("\"{text}\" is of a multi-purpose token, and none is paid")),
        amount if amount.is_negative() => Err(wrong()),
        amount => Ok(amount),
    }
}

/// The same that is not nothing.
///
/// # Errors
/// What is wrong with it, in words.
pub fn some_payable(text: &str) -> Result<Amount, String> {
    payable(text).and_then(|amount| {
        if amount.is_zero() { Err("must be more than nothing".to_owned()) } else { Ok(amount) }
    })
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
    text.parse().map_err(|error| {
        instead_of_an_address(text).unwrap_or_else(|| format!("\"{text}\" is not an address: {error}"))
    })
}

/// What stands where an address belongs, where that can be told, and what to write instead. A seed is not repeated.
#[must_use]
pub fn instead_of_an_address(text: &str) -> Option<String> {
    if has_seed(text) {
        return Some(
            "this is a seed, and an address belongs here; whoever has seen it can sign with it, so use another key"
                .to_owned(),
        );
    }
    if let Some((account, tag)) = x_address(text) {
        let tag =
            tag.map_or_else(|| "it has no tag".to_owned(), |tag| format!("its DestinationTag is {tag}"));
        return Some(format!("\"{text}\" is an X-address; write {account}, and say the tag apart: {tag}"));
    }
    let trimmed = text.trim_matches(|letter: char| letter.is_whitespace() || is_hidden(letter));
    (trimmed != text && trimmed.parse::<AccountId>().is_ok()).then(|| {
        format!("\"{text}\" is an address with something around it that is not seen; write {trimmed}")
    })
}

/// The account and tag of an X-address, as some wallets and exchanges write them.
fn x_address(text: &str) -> Option<(AccountId, Option<u32>)> {
    if text.len() != X_ADDRESS_LETTERS {
        return None;
    }
    let bytes = bs58::decode(text).with_alphabet(bs58::Alphabet::RIPPLE).with_check(None).into_vec().ok()?;
    let (network, rest) = bytes.split_first_chunk::<2>()?;
    let (account, rest) = rest.split_first_chunk::<20>()?;
    // A flag, and a tag of 64 bits, the least significant byte first, of which 32 are in use.
    let (flag, tag) = rest.split_first()?;
    let (tag, unused) = tag.split_first_chunk::<4>()?;
    let tag = match (flag, unused) {
        (0, [0, 0, 0, 0]) if *tag == [0; 4] => None,
        (1, [0, 0, 0, 0]) => Some(u32::from_le_bytes(*tag)),
        _ => return None,
    };
    X_ADDRESS_NETWORKS.contains(network).then_some((AccountId(*account), tag))
}

/// A short name: what lists, logs and metrics call something.
///
/// # Errors
/// What is wrong with it, in words.
pub fn name(text: &str) -> Result<String, String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if has_seed(text) {
        return Err("there is a seed where a name belongs; use another key".to_owned());
    }
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

    /// Danger: a seed is pasted where somebody's name belongs, and stands in every record and notice that names them.
    #[test]
    fn a_seed_is_no_name() {
        for seed in ["sEdTM1uX8pu2do5XvTnutH6HsouMaM2", "snoPBrXtMeMyMHUVTgbuqAfg1SUTb"] {
            for text in [seed.to_owned(), format!("bob.{seed}")] {
                let refused = name(&text).unwrap_err();
                assert!(!refused.contains(seed) && refused.contains("seed"), "{refused}");
            }
        }
        assert_eq!(name("bob.salary").unwrap(), "bob.salary");
    }

    #[test]
    fn what_is_paid_is_of_xrp_or_of_an_issued_currency() {
        const USD: &str = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B";
        for (text, words) in [
            ("250 XRP".to_owned(), Some("250 XRP".to_owned())),
            ("12 drops".to_owned(), Some("0.000012 XRP".to_owned())),
            (format!("20.5 {USD}"), Some(format!("20.5 {USD}"))),
            (format!("-20.5 {USD}"), None),
            ("20 USD".to_owned(), None),
            (format!("20{USD}"), None),
            ("5 00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8".to_owned(), None),
        ] {
            assert_eq!(payable(&text).ok().map(|amount| amount.words()), words, "{text}");
            assert_eq!(some_payable(&text).is_ok(), words.is_some(), "{text}");
        }
        for nothing in ["0 XRP".to_owned(), format!("0 {USD}")] {
            assert!(payable(&nothing).unwrap().is_zero());
            assert_eq!(some_payable(&nothing).unwrap_err(), "must be more than nothing");
        }
        let token = payable("5 00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8").unwrap_err();
        assert!(token.contains("multi-purpose token"), "{token}");
    }

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

    /// Danger: what a wallet shows is pasted, and the answer does not say what is wrong with it, or repeats a seed.
    #[test]
    fn what_wallets_write_instead_of_an_address_is_told_apart() {
        let account = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
        for (text, part) in [
            ("XVPcpSm47b1CZkf5AkKM9a84dQHe3m4sBhsrA4XtnBECTAc", "write rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"),
            ("X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqZ", "write r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59"),
            ("XVPcpSm47b1CZkf5AkKM9a84dQHe3mS14LVdcxAFurk93tF", "its DestinationTag is 0"),
            ("XVPcpSm47b1CZkf5AkKM9a84dQHe3mTAxgxfLw2qYoe7Boa", "its DestinationTag is 12345"),
            ("TVK3SYvMLZR6rEtLDZh3saYHaqFSeMpn3Dz7EsmQC63VUwh", "it has no tag"),
            ("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", "this is a seed"),
            ("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\n", "write rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"),
            ("\u{200b}rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "that is not seen"),
            ("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTx", "is not an address"),
            ("XVPcpSm47b1CZkf5AkKM9a84dQHe3m4sBhsrA4XtnBECTAx", "is not an address"),
        ] {
            let said = address(text).unwrap_err();
            assert!(said.contains(part), "{text}: {said}");
            assert!(!said.contains("snoPBrXtMeMyMHUVTgbuqAfg1SUTb"));
        }
        assert!(address(account).is_ok() && instead_of_an_address(account).is_none());
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
