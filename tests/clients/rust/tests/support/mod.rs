//! What the comparison with xrpl-wire needs.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Map, Value as Json};

/// What xrpl-rust answers; its errors and its panics as text.
pub(crate) fn guarded<T, E: Debug>(ask: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(ask)) {
        Ok(answer) => answer.map_err(|error| format!("{error:?}")),
        Err(_) => Err("panic".to_owned()),
    }
}

/// JSON without what xrpl-rust writes in other words than servers do: 64-bit numbers with leading zeros and in
/// capitals, token amounts in scientific notation, steps of paths without their type.
pub(crate) fn normal(json: &Json) -> Json {
    match json {
        Json::Object(fields) => {
            let step = fields.keys().all(|name| ["account", "currency", "issuer", "type"].contains(&&**name));
            let fields = fields.iter().filter(|(name, _)| !(step && *name == "type"));
            Json::Object(
                fields.map(|(name, value)| (name.clone(), normal_field(name, value))).collect::<Map<_, _>>(),
            )
        }
        Json::Array(list) => list.iter().map(normal).collect(),
        other => other.clone(),
    }
}

fn normal_field(name: &str, value: &Json) -> Json {
    const LINKS: [&str; 4] = ["Node", "IndexNext", "IndexPrevious", "ExchangeRate"];
    match value.as_str() {
        Some(text) if name == "value" => decimal(text).into(),
        Some(text) if LINKS.iter().any(|link| name.ends_with(link)) => {
            text.trim_start_matches('0').to_uppercase().into()
        }
        _ => normal(value),
    }
}

/// A decimal number in one form: its digits without zeros at either end, and its exponent.
fn decimal(text: &str) -> String {
    let text = text.to_lowercase();
    let (number, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{}{part}", whole.trim_start_matches('-'));
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).unwrap();
    let exponent = exponent.parse::<i64>().unwrap() - i64::try_from(part.len()).unwrap() + zeros;
    match significant.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => format!("{}{digits}e{exponent}", if number.starts_with('-') { "-" } else { "" }),
    }
}
