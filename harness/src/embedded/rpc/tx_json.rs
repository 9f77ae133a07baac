//! Transactions and their metadata as the server prints them.

use serde_json::{Map, Value};
use xrpl_wire::{LedgerEntryType, Object, RippleTime, Transaction, TransactionType, TxResult, sf};

use super::{entry, text};
use crate::embedded::{ClosedLedger, ClosedTx, format};

/// Which transactions of a kind that can deliver show `delivered_amount`; the server's methods differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivered {
    /// Payments, checks cashed and accounts deleted.
    Any,
    /// Payments and checks cashed: method `ledger`.
    NotDeletion,
}

/// Ledgers before this one, closed before [`DELIVERED_SINCE_SECONDS`], had no `DeliveredAmount` in the
/// metadata of partial payments, so that the amount delivered cannot be told.
const DELIVERED_SINCE_LEDGER: u32 = 4_594_095;
const DELIVERED_SINCE_SECONDS: u32 = 446_000_000;

/// The fields of a transaction, without its hash.
pub(super) fn transaction(tx: &Transaction) -> Map<String, Value> {
    match format::to_json(tx.object()) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Adds `DeliverMax` to a payment, in place of `Amount` from version 2 on.
pub(super) fn insert_deliver_max(json: &mut Map<String, Value>, kind: TransactionType, api_version: u32) {
    if kind != TransactionType::Payment {
        return;
    }
    let amount = if api_version > 1 { json.remove("Amount") } else { json.get("Amount").cloned() };
    if let Some(amount) = amount {
        json.insert("DeliverMax".to_owned(), amount);
    }
}

/// Adds the three fields of a result.
pub(super) fn insert_engine_result(json: &mut Map<String, Value>, result: TxResult) {
    json.insert("engine_result".to_owned(), result.name().into());
    json.insert("engine_result_code".to_owned(), result.code().into());
    json.insert("engine_result_message".to_owned(), result.message().into());
}

/// Whether what a transaction of a ledger delivered can be told from its Amount.
pub(super) fn tells_delivered(ledger_index: u32, close_time: RippleTime) -> bool {
    ledger_index >= DELIVERED_SINCE_LEDGER || close_time.0 > DELIVERED_SINCE_SECONDS
}

/// The metadata with `delivered_amount`.
pub(super) fn metadata(ledger: &ClosedLedger, tx: &ClosedTx, which: Delivered) -> Value {
    let since = tells_delivered(ledger.header.index, ledger.header.close_time);
    let meta = tx.meta();
    let mut json = format::to_json(&meta);
    if let Value::Object(fields) = &mut json {
        insert_delivered(fields, tx.tx(), &meta, tx.result, since, which);
        insert_issuance_id(fields, tx.tx(), &meta);
    }
    json
}

/// Adds `mpt_issuance_id` where a token was made.
pub(super) fn insert_issuance_id(fields: &mut Map<String, Value>, tx: &Transaction, meta: &Object) {
    if tx.tx_type() != TransactionType::MPTokenIssuanceCreate {
        return;
    }
    let mut nodes = meta.array(sf::AffectedNodes).unwrap_or_default().iter();
    let made = nodes.find(|(kind, node)| {
        *kind == sf::CreatedNode
            && node.u16(sf::LedgerEntryType) == Some(LedgerEntryType::MPTokenIssuance.code())
    });
    if let Some(id) = made.and_then(|(_, node)| entry::token_id(node.object(sf::NewFields)?)) {
        fields.insert("mpt_issuance_id".to_owned(), id.into());
    }
}

/// Adds `delivered_amount` where the transaction could deliver and did.
pub(super) fn insert_delivered(
    fields: &mut Map<String, Value>,
    tx: &Transaction,
    meta: &Object,
    result: TxResult,
    since: bool,
    which: Delivered,
) {
    let kind = tx.tx_type();
    let delivers = matches!(kind, TransactionType::Payment | TransactionType::CheckCash)
        || (which == Delivered::Any && kind == TransactionType::AccountDelete);
    if !delivers || result != TxResult::tesSUCCESS {
        return;
    }
    let sent = || if since { tx.object().amount(sf::Amount) } else { None };
    let amount = meta
        .amount(sf::DeliveredAmount)
        .or_else(sent)
        .and_then(|amount| serde_json::to_value(amount).ok())
        .unwrap_or_else(|| "unavailable".into());
    fields.insert("delivered_amount".to_owned(), amount);
}

/// A validated transaction's fields as `tx` and `account_tx` print them: with the ledger, its date, the
/// CTID, and in version 1 the hash.
pub(super) fn transaction_in_ledger(
    ledger: &ClosedLedger,
    tx: &ClosedTx,
    network_id: u32,
    api_version: u32,
) -> Map<String, Value> {
    let mut json = transaction(tx.tx());
    if api_version == 1 {
        json.insert("hash".to_owned(), tx.id.to_string().into());
        json.insert("inLedger".to_owned(), ledger.header.index.into());
    }
    json.insert("ledger_index".to_owned(), ledger.header.index.into());
    json.insert("date".to_owned(), ledger.header.close_time.0.into());
    let network_id = tx.tx().object().u32(sf::NetworkID).unwrap_or(network_id);
    if let Some(ctid) = text::ctid(ledger.header.index, tx.index, network_id) {
        json.insert("ctid".to_owned(), ctid.into());
    }
    insert_deliver_max(&mut json, tx.tx().tx_type(), api_version);
    json
}
