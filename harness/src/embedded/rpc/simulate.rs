//! `simulate`: what a transaction would do, without its signature.

use serde_json::{Map, Value};

use xrpl_wire::TransactionType;

use super::error::{Failure, RpcError, RpcResult};
use super::parsed::{self, Unparsed};
use super::tx_json::{self, Delivered};
use super::{Call, autofill, fields, params, sign};
use crate::embedded::{Ledger, format};

pub(super) fn simulate<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let params = call.params;
    if params.has("binary") && !params.get("binary").is_boolean() {
        return Err(Failure::invalid_field("binary"));
    }
    for name in ["secret", "seed", "seed_hex", "passphrase"] {
        if params.has(name) {
            return Err(Failure::invalid_field(name));
        }
    }
    let mut json = match (params.has("tx_json"), params.has("tx_blob")) {
        (true, true) => return Err(invalid("Can only include one of `tx_blob` and `tx_json`.")),
        (false, false) => return Err(invalid("Neither `tx_blob` nor `tx_json` included.")),
        (true, false) => match params.get("tx_json") {
            Value::Object(json) => json.clone(),
            _ => return Err(Failure::expected_field("tx_json", "object")),
        },
        (false, true) => from_blob(call).ok_or_else(|| Failure::invalid_field("tx_blob"))?,
    };
    for name in ["TransactionType", "Account"] {
        if !json.contains_key(name) {
            return Err(Failure::missing_field(&format!("tx.{name}")));
        }
    }
    fill_in(ledger, call, &mut json)?;
    let tx =
        parsed::transaction(ledger.rules().generation(), "tx_json", &json).map_err(|error| match error {
            Unparsed::Field(failure) => failure,
            Unparsed::Template(error) => {
                Failure::token_only("invalidTransaction", Some(&sign::exception(&error)))
            }
        })?;
    if tx.tx_type() == TransactionType::Batch {
        return Err(RpcError::NotImpl.into());
    }
    let simulated = ledger.simulate(&tx);

    let open = ledger.open();
    let mut result = fields([("applied", false.into()), ("ledger_index", open.index().into())]);
    tx_json::insert_engine_result(&mut result, simulated.result);
    if simulated.result.is_tes() {
        let message = "The simulated transaction would have been applied.";
        result.insert("engine_result_message".to_owned(), message.into());
    }
    let binary = params.flag("binary");
    if let Some(meta) = &simulated.meta {
        if binary {
            let blob = meta.encode().unwrap_or_default();
            result.insert("meta_blob".to_owned(), hex::encode_upper(blob).into());
        } else {
            let mut json = format::to_json(meta);
            if let Value::Object(fields) = &mut json {
                let since = tx_json::tells_delivered(open.index(), open.parent_close_time());
                tx_json::insert_delivered(fields, &tx, meta, simulated.result, since, Delivered::Any);
                tx_json::insert_issuance_id(fields, &tx, meta);
            }
            result.insert("meta".to_owned(), json);
        }
    }
    if binary {
        result.insert("tx_blob".to_owned(), hex::encode_upper(tx.encode()).into());
    } else {
        let mut json = tx_json::transaction(&tx);
        json.insert("hash".to_owned(), tx.id().to_string().into());
        result.insert("tx_json".to_owned(), Value::Object(json));
    }
    Ok(result)
}

fn invalid(message: &str) -> Failure {
    Failure::with_message(RpcError::InvalidParams, message)
}

fn from_blob(call: &Call<'_>) -> Option<Map<String, Value>> {
    let blob = params::blob(call.params.get("tx_blob").as_str()?)?;
    match xrpl_wire::Object::decode(&blob).ok().as_ref().map(format::to_json)? {
        Value::Object(json) => Some(json),
        _ => None,
    }
}

/// Fills in what is missing, as the server does before it simulates.
fn fill_in(ledger: &Ledger, call: &Call<'_>, json: &mut Map<String, Value>) -> Result<(), Failure> {
    if !json.contains_key("Fee") {
        let fee = autofill::usual_fee(ledger, json)?;
        json.insert("Fee".to_owned(), fee.to_string().into());
    }
    json.entry("SigningPubKey").or_insert_with(|| "".into());
    if let Some(signers) = json.get_mut("Signers") {
        let signers = signers.as_array_mut().ok_or_else(|| Failure::invalid_field("tx.Signers"))?;
        for (at, signer) in signers.iter_mut().enumerate() {
            let fields = signer
                .get_mut("Signer")
                .and_then(Value::as_object_mut)
                .ok_or_else(|| Failure::invalid_field(&format!("tx.Signers[{at}]")))?;
            fields.entry("SigningPubKey").or_insert_with(|| "".into());
            unsigned(fields)?;
        }
    }
    unsigned(json)?;
    let account = json.get("Account").and_then(Value::as_str).and_then(params::account);
    let account = account
        .ok_or_else(|| Failure::with_message(RpcError::SrcActMalformed, "Invalid field 'tx.Account'."))?;
    autofill::sequence(ledger, &account, json)?;
    autofill::network_id(call, json);
    Ok(())
}

/// A signature has no place here, and an empty one stands for it.
fn unsigned(fields: &mut Map<String, Value>) -> Result<(), Failure> {
    match fields.entry("TxnSignature").or_insert_with(|| "".into()).as_str() {
        Some("") => Ok(()),
        _ => Err(RpcError::TxSigned.into()),
    }
}
