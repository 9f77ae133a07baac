//! Methods that change the ledger: `submit`, `submit_multisigned`, `ledger_accept`.

use serde_json::{Map, Value};
use xrpl_wire::{Transaction, index, sf};

use super::error::{Failure, RpcError, RpcResult};
use super::{Call, Change, fields, params, sign, tx_json};
use crate::embedded::{Ledger, SubmitOutcome};

const DEPRECATED: &str = "Signing support in the 'submit' command has been deprecated and will be removed in a future \
                          version of the server. Please migrate to a standalone signing tool.";

pub(super) fn submit(ledger: &mut Ledger, call: &Call<'_>, change: &mut Change<'_>) -> RpcResult {
    if !call.params.has("tx_blob") {
        sign::may_sign(call)?;
        let result = sign::signed(ledger, call).and_then(|tx| {
            let outcome = change.submit(ledger, &tx.encode(), call.params.flag("fail_hard"));
            reply(&outcome).map(short)
        });
        return sign::deprecate(result, DEPRECATED);
    }
    let blob = params::as_string(call.params.get("tx_blob"))?;
    let blob = hex::decode(blob).ok().filter(|blob| !blob.is_empty()).ok_or(RpcError::InvalidParams)?;
    let outcome = change.submit(ledger, &blob, call.params.flag("fail_hard"));
    reply(&outcome)
}

pub(super) fn submit_multisigned(ledger: &mut Ledger, call: &Call<'_>, change: &mut Change<'_>) -> RpcResult {
    if !call.params.has("tx_json") {
        return Err(Failure::missing_field("tx_json"));
    }
    let Value::Object(json) = call.params.get("tx_json") else {
        return Err(Failure::expected_field("tx_json", "object"));
    };
    let mut json = json.clone();
    for name in ["TransactionType", "Account", "Sequence", "Fee", "SigningPubKey", "Signers"] {
        if !json.contains_key(name) {
            return Err(Failure::missing_field(&format!("tx_json.{name}")));
        }
    }
    if json.get("SigningPubKey").and_then(Value::as_str) != Some("") {
        let message = "Invalid field 'tx_json.SigningPubKey'. It must be empty when multi-signing.";
        return Err(Failure::with_message(RpcError::InvalidParams, message));
    }
    let account = json.get("Account").and_then(Value::as_str).and_then(params::account);
    let account = account.ok_or(RpcError::SrcActMalformed)?;
    if ledger.open().state().object(&index::account_root(&account)).is_none() {
        return Err(RpcError::SrcActNotFound.into());
    }
    json.remove("hash");
    let tx = Transaction::from_json(&Value::Object(json)).map_err(|error| sign::invalid(&error))?;
    if tx.object().array(sf::Signers).is_none_or(<[_]>::is_empty) {
        let message = "tx_json.Signers array may not be empty.";
        return Err(Failure::with_message(RpcError::InvalidParams, message));
    }
    let outcome = change.submit(ledger, &tx.encode(), call.params.flag("fail_hard"));
    reply(&outcome).map(short)
}

fn reply(outcome: &SubmitOutcome) -> RpcResult {
    if let Some(exception) = &outcome.refused {
        return Err(Failure::token_only("invalidTransaction", Some(exception)));
    }
    let Some(tx) = &outcome.tx else {
        return Err(Failure::token_only("invalidTransaction", None));
    };
    let mut json = tx_json::transaction(tx);
    json.insert("hash".to_owned(), tx.id().to_string().into());
    let accepted = outcome.applied || outcome.broadcast || outcome.queued || outcome.kept;
    let mut result = fields([
        ("accepted", accepted.into()),
        ("account_sequence_available", outcome.account_sequence_available.into()),
        ("account_sequence_next", outcome.account_sequence_next.into()),
        ("applied", outcome.applied.into()),
        ("broadcast", outcome.broadcast.into()),
        ("kept", outcome.kept.into()),
        ("open_ledger_cost", outcome.open_ledger_cost.to_string().into()),
        ("queued", outcome.queued.into()),
        ("tx_blob", hex::encode_upper(tx.encode()).into()),
        ("tx_json", Value::Object(json)),
        ("validated_ledger_index", outcome.validated_ledger_index.into()),
    ]);
    tx_json::insert_engine_result(&mut result, outcome.result);
    Ok(result)
}

/// The shorter reply of the methods that take JSON.
fn short(result: Map<String, Value>) -> Map<String, Value> {
    let kept = ["tx_blob", "tx_json", "engine_result", "engine_result_code", "engine_result_message"];
    result.into_iter().filter(|(name, _)| kept.contains(&name.as_str())).collect()
}

pub(super) fn ledger_accept(ledger: &mut Ledger, call: &Call<'_>, change: &mut Change<'_>) -> RpcResult {
    let closed = ledger.close(call.facts.accept);
    change.effects.closed.push(closed);
    change.gate.let_in(ledger, change.effects);
    Ok(fields([("ledger_current_index", ledger.open().index().into())]))
}
