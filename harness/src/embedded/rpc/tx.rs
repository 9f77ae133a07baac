//! `tx`: one transaction by its hash or its CTID.

use serde_json::Value;
use xrpl_wire::{Hash256, Transaction};

use super::error::{Failure, RpcError, RpcResult};
use super::tx_json::{self, Delivered};
use super::{Call, fields, params, select, text};
use crate::embedded::{ClosedLedger, ClosedTx, FoundTx, Ledger};

/// The widest range of ledgers that a search may name.
const RANGE_MAX: u32 = 1000;

pub(super) fn tx<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let params = call.params;
    let id = match (params.has("transaction"), params.has("ctid")) {
        (true, true) | (false, false) => return Err(RpcError::InvalidParams.into()),
        (true, false) => {
            let text = params::as_string(params.get("transaction"))?;
            Some(params::hash(&text).ok_or(RpcError::NotImpl)?)
        }
        (false, true) => by_ctid(ledger, call)?,
    };
    let range = range(call)?;
    let binary = params.flag("binary");
    let found = id.and_then(|id| find(ledger, call, &id));
    match (found, range) {
        (Some(FoundTx::Closed(closed, tx)), _) => Ok(validated(call, &closed, &tx, binary)),
        (Some(FoundTx::Open(tx) | FoundTx::Stray(tx)), _) => Ok(open(call, tx.tx(), binary)),
        (None, None) => Err(RpcError::TxnNotFound.into()),
        (None, Some((first, last))) => {
            let all = (first..=last).all(|index| select::closed(ledger, call, index).is_some());
            let found = fields([("searched_all", all.into())]);
            Err(Failure::with_fields(found, RpcError::TxnNotFound))
        }
    }
}

/// A transaction that is not hidden. A range of ledgers bounds where a server searches on its disk; what it remembers
/// it finds anyway, and this one remembers everything.
fn find(ledger: &Ledger, call: &Call<'_>, id: &Hash256) -> Option<FoundTx> {
    let found = ledger.transaction(id)?;
    let visible = match &found {
        FoundTx::Closed(closed, _) => closed.header.index >= call.facts.hidden_below,
        FoundTx::Open(_) | FoundTx::Stray(_) => true,
    };
    visible.then_some(found)
}

fn by_ctid<'a>(ledger: &'a Ledger, call: &Call<'a>) -> Result<Option<Hash256>, Failure> {
    let text = params::as_string(call.params.get("ctid"))?;
    let (index, position, network) = text::parse_ctid(&text).ok_or(RpcError::InvalidParams)?;
    if network != call.facts.network_id() {
        let message = format!(
            "Wrong network. You should submit this request to a node running on NetworkID: {network}"
        );
        return Err(Failure::with_message(RpcError::WrongNetwork, message));
    }
    let closed = select::closed(ledger, call, index);
    Ok(closed.and_then(|closed| closed.transactions.iter().find(|tx| tx.index == position).map(|tx| tx.id)))
}

fn range(call: &Call<'_>) -> Result<Option<(u32, u32)>, Failure> {
    if !call.params.has("min_ledger") || !call.params.has("max_ledger") {
        return Ok(None);
    }
    let bound =
        |name| params::as_u32(call.params.get(name)).map_err(|_| Failure::from(RpcError::InvalidLgrRange));
    let (first, last) = (bound("min_ledger")?, bound("max_ledger")?);
    match last.checked_sub(first) {
        None => Err(RpcError::InvalidLgrRange.into()),
        Some(width) if width > RANGE_MAX => Err(RpcError::ExcessiveLgrRange.into()),
        Some(_) => Ok(Some((first, last))),
    }
}

fn validated(
    call: &Call<'_>,
    closed: &ClosedLedger,
    tx: &ClosedTx,
    binary: bool,
) -> serde_json::Map<String, Value> {
    let (version, network_id) = (call.api_version, call.facts.network_id());
    let blob = |bytes: &[u8]| Value::from(hex::encode_upper(bytes));
    let mut result = match (version, binary) {
        (1, true) => fields([
            ("tx", blob(tx.blob())),
            ("meta", blob(&tx.meta_blob)),
            ("hash", tx.id.to_string().into()),
            ("inLedger", closed.header.index.into()),
            ("ledger_index", closed.header.index.into()),
            ("date", closed.header.close_time.0.into()),
        ]),
        (1, false) => {
            let mut json = tx_json::transaction_in_ledger(closed, tx, network_id, version);
            json.insert("meta".to_owned(), tx_json::metadata(closed, tx, Delivered::Any));
            json
        }
        (_, true) => fields([("tx_blob", blob(tx.blob())), ("meta_blob", blob(&tx.meta_blob))]),
        (_, false) => {
            let json = tx_json::transaction_in_ledger(closed, tx, network_id, version);
            fields([
                ("tx_json", Value::Object(json)),
                ("meta", tx_json::metadata(closed, tx, Delivered::Any)),
            ])
        }
    };
    if version > 1 {
        result.extend(fields([
            ("hash", tx.id.to_string().into()),
            ("ledger_hash", closed.hash.to_string().into()),
            ("ledger_index", closed.header.index.into()),
            ("close_time_iso", closed.header.close_time.to_string().into()),
        ]));
    }
    if let Some(ctid) = text::ctid(closed.header.index, tx.index, network_id) {
        result.insert("ctid".to_owned(), ctid.into());
    }
    result.insert("validated".to_owned(), true.into());
    result
}

fn open(call: &Call<'_>, tx: &Transaction, binary: bool) -> serde_json::Map<String, Value> {
    let version = call.api_version;
    let hash = Value::from(tx.id().to_string());
    let mut result = match (version, binary) {
        (1, true) => fields([("tx", hex::encode_upper(tx.encode()).into()), ("hash", hash)]),
        (1, false) => {
            let mut json = tx_json::transaction(tx);
            tx_json::insert_deliver_max(&mut json, tx.tx_type(), version);
            json.insert("hash".to_owned(), hash);
            json
        }
        (_, true) => fields([("tx_blob", hex::encode_upper(tx.encode()).into()), ("hash", hash)]),
        (_, false) => {
            let mut json = tx_json::transaction(tx);
            tx_json::insert_deliver_max(&mut json, tx.tx_type(), version);
            fields([("tx_json", Value::Object(json)), ("hash", hash)])
        }
    };
    result.insert("validated".to_owned(), false.into());
    result
}
