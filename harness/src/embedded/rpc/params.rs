//! Reading parameters as the server's JSON library reads them.
//!
//! The server converts between kinds more freely than JSON needs, and callers lean on it: a string
//! is a boolean, a decimal string is a number. Where it cannot convert it answers `internal`.

use std::str::FromStr;

use serde_json::{Map, Value};
use xrpl_wire::{AccountId, Currency, Hash256};

use super::error::{Failure, RpcError};
use crate::embedded::Generation;

static NULL: Value = Value::Null;

/// The parameters of one request.
#[derive(Debug, Clone, Copy)]
pub struct Params<'a>(pub &'a Map<String, Value>);

/// The least, usual and greatest page length of a method.
#[derive(Debug, Clone, Copy)]
pub struct LimitRange {
    /// What a caller who is not an administrator gets when asking for less.
    pub least: u32,
    /// What a caller gets who does not ask.
    pub usual: u32,
    /// What a caller who is not an administrator gets when asking for more.
    pub most: u32,
}

/// The server's page lengths for `account_lines`, `account_objects` and their like.
pub const ACCOUNT_PAGE: LimitRange = LimitRange { least: 10, usual: 200, most: 400 };

/// No page is longer than this even for an administrator, for whom the server itself has no limit:
/// one request must not be able to ask for an unbounded reply.
pub const PAGE_MOST: usize = 100_000;

impl<'a> Params<'a> {
    /// Whether the request has this parameter, be it `null`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The parameter, or `null` where it is missing.
    #[must_use]
    pub fn get(&self, name: &str) -> &'a Value {
        self.0.get(name).unwrap_or(&NULL)
    }

    /// The parameter as a boolean; missing is false.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        as_bool(self.get(name))
    }

    /// The parameter as a boolean; missing is false. As a switch of newer servers it must be one.
    ///
    /// # Errors
    /// `invalidParams`.
    pub(crate) fn switch(&self, name: &str, generation: Generation) -> Result<bool, Failure> {
        if generation.switches_are_booleans() && self.has(name) && !self.get(name).is_boolean() {
            return Err(Failure::expected_field(name, "boolean"));
        }
        Ok(self.flag(name))
    }

    /// A required parameter that must be a string.
    ///
    /// # Errors
    /// `invalidParams`, in the words the server has for missing and for wrong.
    pub fn required_string(&self, name: &str) -> Result<&'a str, Failure> {
        if !self.has(name) {
            return Err(Failure::missing_field(name));
        }
        self.get(name).as_str().ok_or_else(|| Failure::invalid_field(name))
    }

    /// The page length.
    ///
    /// # Errors
    /// `invalidParams` where it is not a number from 1.
    pub fn limit(&self, range: LimitRange, unlimited: bool) -> Result<u32, Failure> {
        let value = self.get("limit");
        if !self.has("limit") || value.is_null() {
            return Ok(range.usual);
        }
        let limit = value.as_u64().ok_or_else(|| Failure::expected_field("limit", "unsigned integer"))?;
        if limit == 0 {
            return Err(Failure::invalid_field("limit"));
        }
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        Ok(if unlimited {
            limit.min(u32::try_from(PAGE_MOST).unwrap_or(u32::MAX))
        } else {
            limit.clamp(range.least, range.most)
        })
    }
}

/// A value as a boolean, by the server's rules: whatever is not empty, zero or `null` is true.
#[must_use]
pub fn as_bool(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// A value as a string, by the server's rules.
///
/// # Errors
/// `internal` for an array or an object.
pub fn as_string(value: &Value) -> Result<String, Failure> {
    match value {
        Value::Null => Ok(String::new()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text.clone()),
        Value::Array(_) | Value::Object(_) => Err(RpcError::Internal.into()),
    }
}

/// A value as an unsigned number, by the server's rules.
///
/// # Errors
/// `internal` for what is not one.
pub fn as_u32(value: &Value) -> Result<u32, Failure> {
    match value {
        Value::Null => Some(0),
        Value::Bool(flag) => Some(u32::from(*flag)),
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        Value::Array(_) | Value::Object(_) => None,
    }
    .ok_or_else(|| RpcError::Internal.into())
}

/// Whether the server says that a value would convert to an unsigned number. It says so of no text, though it converts
/// those with digits.
#[must_use]
pub fn is_u32(value: &Value) -> bool {
    !value.is_string() && as_u32(value).is_ok()
}

/// A classic address; other base58 forms are not accounts.
#[must_use]
pub fn account(text: &str) -> Option<AccountId> {
    AccountId::from_str(text).ok()
}

/// Bytes in hex, as servers read them: of an odd number of digits, the first stands alone. None for no digits.
#[must_use]
pub fn blob(text: &str) -> Option<Vec<u8>> {
    let bytes =
        if text.len().is_multiple_of(2) { hex::decode(text) } else { hex::decode(format!("0{text}")) };
    bytes.ok().filter(|bytes| !bytes.is_empty())
}

/// A hash of exactly 64 hexadecimal digits, or a single 0 for the one of zeros.
#[must_use]
pub fn hash(text: &str) -> Option<Hash256> {
    digits(text).map(Hash256)
}

/// A currency as methods read one: no text at all stands for XRP, and there is no word for "no currency".
#[must_use]
pub fn currency(text: &str) -> Option<Currency> {
    match text {
        "" => Some(Currency::XRP),
        code if code.len() == 3 => Currency::from_str(code).ok(),
        code => digits(code).map(Currency),
    }
}

/// An issuer as methods read one: a classic address, or its 40 hexadecimal digits.
#[must_use]
pub fn issuer(text: &str) -> Option<AccountId> {
    digits(text).map(AccountId).or_else(|| account(text))
}

/// Bytes in hex, neither more nor fewer; a single 0 stands for zeros.
fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text != "0" {
        hex::decode_to_slice(text, &mut bytes).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_and_issuers_are_read_as_methods_of_servers_read_them() {
        let usd = "0000000000000000000000005553440000000000";
        for (text, read) in [
            ("", Some(Currency::XRP)),
            ("XRP", Some(Currency::XRP)),
            ("0", Some(Currency::XRP)),
            ("USD", Currency::from_str("USD").ok()),
            (usd, Currency::from_str("USD").ok()),
            ("1", None),
            ("US", None),
            ("USDX", None),
            ("U.D", None),
        ] {
            assert_eq!(currency(text), read, "{text}");
        }
        let root = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
        let hex_root = "B5F762798A53D543A014CAF8B297CFF8F2F937E8";
        assert_eq!((issuer(hex_root), issuer(root)), (account(root), account(root)));
        assert!(issuer(root).is_some());
        assert_eq!((issuer("0"), account("0")), (Some(AccountId::ZERO), None));
        assert_eq!((issuer(""), issuer("x"), account(hex_root)), (None, None, None));
        assert_eq!((hash("0"), hash("00")), (Some(Hash256::ZERO), None));
    }
}
