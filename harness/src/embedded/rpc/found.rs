//! Transactions looked up in other ways: `transaction_entry` in one ledger, `tx_history` among the newest.

use serde_json::Value;

use super::error::{Failure, RpcError, RpcResult};
use super::select::{View, select};
use super::tx_json;
use super::{Call, fields, params};
use crate::embedded::Ledger;

/// Transactions on a page of `tx_history`, and how far back anybody may begin.
const HISTORY_PAGE: usize = 20;
const HISTORY_START_MAX: u32 = 10_000;

pub(super) fn transaction_entry<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let view = select(ledger, call)?;
    let mut result = view.describe();
    // These errors are words without a number.
    let fail = |word: &str| {
        let mut found = view.describe();
        found.insert("error".to_owned(), word.into());
        Failure(found)
    };
    if !call.params.has("tx_hash") {
        return Err(fail("fieldNotFoundTransaction"));
    }
    let View::Closed(closed) = view else { return Err(fail("notYetImplemented")) };
    let id = call.params.get("tx_hash").as_str().and_then(params::hash);
    let id = id.ok_or_else(|| fail("malformedRequest"))?;
    let tx = closed.transactions.iter().find(|tx| tx.id == id).ok_or_else(|| fail("transactionNotFound"))?;
    let mut json = tx_json::transaction(tx.tx());
    tx_json::insert_deliver_max(&mut json, tx.tx().tx_type(), call.api_version);
    let hash = Value::from(tx.id.to_string());
    let meta = if call.api_version > 1 {
        result.insert("hash".to_owned(), hash);
        result.insert("close_time_iso".to_owned(), closed.header.close_time.to_string().into());
        "meta"
    } else {
        json.insert("hash".to_owned(), hash);
        "metadata"
    };
    result.insert("tx_json".to_owned(), Value::Object(json));
    result.insert(meta.to_owned(), tx.meta().to_json());
    Ok(result)
}

pub(super) fn tx_history<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    if !call.params.has("start") {
        return Err(RpcError::InvalidParams.into());
    }
    let start = params::as_u32(call.params.get("start"))?;
    if start > HISTORY_START_MAX && !call.admin {
        return Err(RpcError::NoPermission.into());
    }
    let last = ledger.validated().header.index;
    let newest = (call.facts.first_held()..=last).rev().filter_map(|index| ledger.closed(index));
    let transactions: Vec<Value> = newest
        .flat_map(|closed| closed.transactions.iter().rev().map(move |tx| (closed, tx)))
        .skip(usize::try_from(start).unwrap_or(usize::MAX))
        .take(HISTORY_PAGE)
        .map(|(closed, tx)| {
            // The server's database tells it the ledger alone.
            let mut json = tx_json::transaction(tx.tx());
            tx_json::insert_deliver_max(&mut json, tx.tx().tx_type(), call.api_version);
            json.insert("hash".to_owned(), tx.id.to_string().into());
            for name in ["inLedger", "ledger_index"] {
                json.insert(name.to_owned(), closed.header.index.into());
            }
            Value::Object(json)
        })
        .collect();
    let transactions = if transactions.is_empty() { Value::Null } else { transactions.into() };
    Ok(fields([("index", start.into()), ("txs", transactions)]))
}
