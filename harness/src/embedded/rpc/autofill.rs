//! What the server fills in where a transaction leaves it out: Fee, Sequence, NetworkID.

use serde_json::{Map, Value};
use xrpl_wire::{AccountId, index};

use super::error::{Failure, RpcError};
use super::params::Params;
use super::{Call, parsed};
use crate::embedded::Ledger;

/// A fee is filled in up to so many times the least fee, unless the request says otherwise.
const FEE_MULTIPLE_MAX: u32 = 10;

/// Networks above this number want it in every transaction.
const LEGACY_NETWORK_MAX: u32 = 1024;

/// Adds the Fee, if there is none.
pub(super) fn fee(
    ledger: &Ledger,
    params: &Params<'_>,
    json: &mut Map<String, Value>,
) -> Result<(), Failure> {
    if json.contains_key("Fee") {
        return Ok(());
    }
    let multiple = bound(params, "fee_mult_max", FEE_MULTIPLE_MAX, 0)?;
    let divisor = bound(params, "fee_div_max", 1, 1)?;
    let fee = network_fee(ledger, json, multiple, divisor)?;
    json.insert("Fee".to_owned(), fee.to_string().into());
    Ok(())
}

/// The fee that gets a transaction into the open ledger now, unless it is more than so many times its least fee.
pub(super) fn usual_fee(ledger: &Ledger, json: &Map<String, Value>) -> Result<u64, Failure> {
    network_fee(ledger, json, FEE_MULTIPLE_MAX, 1)
}

fn network_fee(
    ledger: &Ledger,
    json: &Map<String, Value>,
    multiple: u32,
    divisor: u32,
) -> Result<u64, Failure> {
    let least = least_fee(ledger, json);
    let fee = least.max(ledger.escalated_fee());
    let most = u128::from(least) * u128::from(multiple) / u128::from(divisor.max(1));
    if u128::from(fee) > most {
        let message = format!("Fee of {fee} exceeds the requested tx limit of {most}");
        return Err(Failure::with_message(RpcError::HighFee, message));
    }
    Ok(fee)
}

/// The least fee of what is not a whole transaction yet. What does not read at all pays the base.
fn least_fee(ledger: &Ledger, json: &Map<String, Value>) -> u64 {
    let mut trial = json.clone();
    for (name, value) in [("Fee", "0"), ("SigningPubKey", ""), ("TxnSignature", "")] {
        trial.entry(name).or_insert_with(|| value.into());
    }
    trial.entry("Sequence").or_insert_with(|| 0.into());
    let signers = trial.get_mut("Signers").and_then(Value::as_array_mut);
    for signer in signers.into_iter().flatten() {
        if let Some(fields) = signer.get_mut("Signer").and_then(Value::as_object_mut) {
            for name in ["SigningPubKey", "TxnSignature"] {
                fields.entry(name).or_insert_with(|| "".into());
            }
        }
    }
    match parsed::transaction(ledger.rules().generation(), "tx_json", &trial) {
        Ok(tx) => ledger.least_fee(&tx),
        Err(_) => ledger.open().fees().base_fee.get(),
    }
}

fn bound(params: &Params<'_>, name: &str, usual: u32, least: u32) -> Result<u32, Failure> {
    if !params.has(name) {
        return Ok(usual);
    }
    let message = super::error::expected_field_message(name, "a positive integer");
    let number = params.get(name).as_i64().and_then(|number| i32::try_from(number).ok());
    let number = number.ok_or_else(|| Failure::with_message(RpcError::HighFee, message.clone()))?;
    u32::try_from(number)
        .ok()
        .filter(|number| *number >= least)
        .ok_or_else(|| Failure::with_message(RpcError::InvalidParams, message))
}

/// Adds the Sequence, if there is none: the first that nothing in the ledger or the queue uses, or 0 beside a Ticket.
pub(super) fn sequence(
    ledger: &Ledger,
    account: &AccountId,
    json: &mut Map<String, Value>,
) -> Result<(), Failure> {
    if json.contains_key("Sequence") {
        return Ok(());
    }
    let sequence = if json.contains_key("TicketSequence") {
        0
    } else if ledger.open().state().contains(&index::account_root(account)) {
        ledger.next_sequence(account)
    } else {
        return Err(RpcError::SrcActNotFound.into());
    };
    json.insert("Sequence".to_owned(), sequence.into());
    Ok(())
}

/// Adds the NetworkID, if there is none and the network wants one.
pub(super) fn network_id(call: &Call<'_>, json: &mut Map<String, Value>) {
    let network_id = call.facts.network_id();
    if network_id > LEGACY_NETWORK_MAX {
        json.entry("NetworkID").or_insert_with(|| network_id.into());
    }
}

/// Refuses what signers are to sign without the NetworkID of a network that wants one.
pub(super) fn require_network_id(call: &Call<'_>, json: &Map<String, Value>) -> Result<(), Failure> {
    let network_id = call.facts.network_id();
    if network_id <= LEGACY_NETWORK_MAX {
        return Ok(());
    }
    let given = json.get("NetworkID").ok_or_else(|| Failure::missing_field("tx_json.NetworkID"))?;
    if super::params::as_u32(given).is_ok_and(|given| given == network_id) {
        Ok(())
    } else {
        Err(Failure::invalid_field("tx_json.NetworkID"))
    }
}
