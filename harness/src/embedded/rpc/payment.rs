//! What the signing methods look at first where a transaction is a Payment.

use serde_json::{Map, Value};
use xrpl_wire::{Amount, Object, sf};

use super::Call;
use super::error::{Failure, RpcError};
use super::params;

/// Checks a Payment before it is read as a whole, and puts the amount of `DeliverMax` where ledgers have it.
pub(super) fn check(call: &Call<'_>, json: &mut Map<String, Value>, may_build: bool) -> Result<(), Failure> {
    if json.get("TransactionType").and_then(Value::as_str) != Some("Payment") {
        return Ok(());
    }
    if let Some(most) = json.remove("DeliverMax") {
        match json.get("Amount") {
            Some(amount) if *amount != most => {
                return Err(invalid("Cannot specify differing 'Amount' and 'DeliverMax'"));
            }
            _ => json.insert("Amount".to_owned(), most),
        };
    }
    let amount = json.get("Amount").ok_or_else(|| Failure::missing_field("tx_json.Amount"))?;
    let amount = amount_of(amount).ok_or_else(|| Failure::invalid_field("tx_json.Amount"))?;
    let destination = json.get("Destination").ok_or_else(|| Failure::missing_field("tx_json.Destination"))?;
    if destination.as_str().and_then(params::account).is_none() {
        return Err(Failure::invalid_field("tx_json.Destination"));
    }
    if !call.params.has("build_path") {
        return Ok(());
    }
    if !may_build || matches!(amount, Amount::Mpt(_)) {
        return Err(invalid("Field 'build_path' not allowed in this context."));
    }
    if json.contains_key("Paths") {
        return Err(invalid("Cannot specify both 'tx_json.Paths' and 'build_path'"));
    }
    let sends_xrp = match json.get("SendMax") {
        None => amount.is_xrp(),
        Some(most) => amount_of(most).ok_or_else(|| Failure::invalid_field("tx_json.SendMax"))?.is_xrp(),
    };
    if sends_xrp && amount.is_xrp() {
        return Err(invalid("Cannot build XRP to XRP paths."));
    }
    Ok(())
}

/// The amount that a value says.
pub(super) fn amount_of(value: &Value) -> Option<Amount> {
    let single = Map::from_iter([("Amount".to_owned(), value.clone())]);
    Object::from_json(&Value::Object(single)).ok()?.amount(sf::Amount)
}

fn invalid(message: &str) -> Failure {
    Failure::with_message(RpcError::InvalidParams, message)
}
