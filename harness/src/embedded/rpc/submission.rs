//! Methods that change the ledger: `submit`, `submit_multisigned`, `ledger_accept`.

use serde_json::{Map, Value};
use xrpl_wire::{Object, Transaction, index, sf};

use super::error::{Failure, RpcError, RpcResult};
use super::{Call, Change, fields, params, payment, sign, text, tx_json};
use crate::embedded::{FoundTx, Ledger, SubmitOutcome};

const DEPRECATED: &str = "Signing support in the 'submit' command has been deprecated and will be removed in a future \
                          version of the server. Please migrate to a standalone signing tool.";

pub(super) fn submit(ledger: &mut Ledger, call: &Call<'_>, change: &mut Change<'_>) -> RpcResult {
    let fail_hard = fail_hard(ledger, call)?;
    if !call.params.has("tx_blob") {
        sign::may_sign(call)?;
        let result = sign::signed(ledger, call).and_then(|tx| submit_made(ledger, call, change, &tx));
        return sign::deprecate(result, DEPRECATED);
    }
    let blob = params::as_string(call.params.get("tx_blob"))?;
    let blob = params::blob(&blob).ok_or(RpcError::InvalidParams)?;
    let outcome = change.submit(ledger, &blob, fail_hard);
    let Some(tx) = accepted(&outcome)? else {
        return Err(Failure::token_only("invalidTransaction", None));
    };
    let mut json = tx_json::transaction(tx);
    json.insert("hash".to_owned(), tx.id().to_string().into());
    insert_place(ledger, call, tx, 1, &mut json);
    let taken = outcome.applied || outcome.broadcast || outcome.queued || outcome.kept;
    let mut result = fields([
        ("accepted", taken.into()),
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

pub(super) fn submit_multisigned(ledger: &mut Ledger, call: &Call<'_>, change: &mut Change<'_>) -> RpcResult {
    let tx = multi_signed(ledger, call)?;
    submit_made(ledger, call, change, &tx)
}

/// The transaction of the request with its Signers in the ledger's order.
fn multi_signed(ledger: &Ledger, call: &Call<'_>) -> Result<Transaction, Failure> {
    let mut json = sign::tx_json_of(call)?.clone();
    sign::check_multi_signing(&json)?;
    let account = sign::source_account(&json)?;
    if !ledger.open().state().contains(&index::account_root(&account)) {
        return Err(RpcError::SrcActNotFound.into());
    }
    if !json.contains_key("Fee") {
        return Err(Failure::missing_field("tx_json.Fee"));
    }
    payment::check(call, &mut json, false)?;
    let tx = sign::read(ledger, &json)?;
    if tx.object().has(sf::TxnSignature) {
        return Err(RpcError::SigningMalformed.into());
    }
    let invalid = |message: &str| Failure::with_message(RpcError::InvalidParams, message);
    if tx.fee().get() == 0 {
        return Err(invalid("Invalid Fee field.  Fees must be greater than zero."));
    }
    let signers = tx.object().array(sf::Signers).ok_or_else(|| Failure::missing_field("tx_json.Signers"))?;
    if signers.is_empty() {
        return Err(invalid("tx_json.Signers array may not be empty."));
    }
    let whole = |signer: &Object| {
        let fields = [sf::Account, sf::SigningPubKey, sf::TxnSignature];
        fields.iter().all(|field| signer.has(*field)) && signer.len() == fields.len()
    };
    if !signers.iter().all(|(_, signer)| whole(signer)) {
        return Err(invalid("Signers array may only contain Signer entries."));
    }
    sign::multi_signed(&tx, signers.to_vec())
}

fn fail_hard(ledger: &Ledger, call: &Call<'_>) -> Result<bool, Failure> {
    call.params.switch("fail_hard", ledger.rules().generation())
}

/// Submits a transaction that came as JSON.
fn submit_made(ledger: &mut Ledger, call: &Call<'_>, change: &mut Change<'_>, tx: &Transaction) -> RpcResult {
    let fail_hard = fail_hard(ledger, call)?;
    let outcome = change.submit(ledger, &tx.encode(), fail_hard);
    accepted(&outcome)?;
    let mut result = sign::signed_fields(tx, call.api_version);
    if let Some(json) = result.get_mut("tx_json").and_then(Value::as_object_mut) {
        insert_place(ledger, call, tx, call.api_version, json);
    }
    tx_json::insert_engine_result(&mut result, outcome.result);
    Ok(result)
}

/// The transaction, unless it was refused before any ledger looked at it.
fn accepted(outcome: &SubmitOutcome) -> Result<Option<&Transaction>, Failure> {
    match &outcome.refused {
        Some(exception) => Err(Failure::token_only("invalidTransaction", Some(exception))),
        None => Ok(outcome.tx.as_ref()),
    }
}

/// Where a transaction is that was in a ledger already when it came again.
fn insert_place(
    ledger: &Ledger,
    call: &Call<'_>,
    tx: &Transaction,
    api_version: u32,
    json: &mut Map<String, Value>,
) {
    let Some(FoundTx::Closed(closed, found)) = ledger.transaction(&tx.id()) else { return };
    let index = closed.header.index;
    json.insert("ledger_index".to_owned(), index.into());
    if api_version == 1 {
        json.insert("inLedger".to_owned(), index.into());
    }
    let network_id = tx.object().u32(sf::NetworkID).unwrap_or(call.facts.network_id());
    if let Some(ctid) = text::ctid(index, found.index, network_id) {
        json.insert("ctid".to_owned(), ctid.into());
    }
}

pub(super) fn ledger_accept(ledger: &mut Ledger, call: &Call<'_>, change: &mut Change<'_>) -> RpcResult {
    let closed = ledger.close(call.facts.accept);
    change.effects.closed.push(closed);
    Ok(fields([("ledger_current_index", ledger.open().index().into())]))
}
