//! The ledger itself: `ledger`, `ledger_closed`, `ledger_current`, `ledger_data`, `ledger_header`.

use std::sync::Arc;

use serde_json::{Map, Value};
use xrpl_wire::{Hash256, Transaction, TxResult, sf};

use super::error::{Failure, RpcError, RpcResult};
use super::select::{View, names_ledger, select};
use super::tx_json::{self, Delivered};
use super::{Call, entry, fields, funds, params, text};
use crate::embedded::{ClosedLedger, ClosedTx, Ledger, QueuedTx};

/// The server's page lengths for `ledger_data`: entries in binary, entries in JSON.
const PAGE_BINARY: usize = 2048;
const PAGE_JSON: usize = 256;

/// What the caller wants of a ledger.
#[derive(Clone, Copy, Default)]
struct Fill {
    full: bool,
    transactions: bool,
    state: bool,
    expand: bool,
    binary: bool,
    owner_funds: bool,
    queue: bool,
}

impl Fill {
    /// What the switches of a request say. Newer servers want each of them true or false, and do not say which is not.
    fn of(ledger: &Ledger, call: &Call<'_>) -> Result<Fill, Failure> {
        let strict = ledger.rules().generation().switches_are_booleans();
        let switch = |name| {
            if strict && call.params.has(name) && !call.params.get(name).is_boolean() {
                return Err(Failure::from(RpcError::InvalidParams));
            }
            Ok(call.params.flag(name))
        };
        Ok(Fill {
            full: switch("full")?,
            transactions: switch("transactions")?,
            state: switch("accounts")?,
            expand: switch("expand")?,
            binary: switch("binary")?,
            owner_funds: switch("owner_funds")?,
            queue: switch("queue")?,
        })
    }
}

pub(super) fn ledger<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let params = call.params;
    let fill = Fill::of(ledger, call)?;
    let mut result = if names_ledger(&params) {
        let view = select(ledger, call)?;
        if (fill.full || fill.state) && !call.admin {
            return Err(RpcError::NoPermission.into());
        }
        if fill.queue && !view.is_open() {
            return Err(RpcError::InvalidParams.into());
        }
        let mut result = view.describe();
        result.insert("ledger".to_owned(), ledger_json(&view, call, fill));
        if fill.queue
            && let waiting = queue(&view, ledger, call, fill)
            && !waiting.is_empty()
        {
            result.insert("queue_data".to_owned(), waiting.into());
        }
        result
    } else {
        let plain =
            |view: View<'_>| Value::Object(fields([("ledger", ledger_json(&view, call, Fill::default()))]));
        fields([("closed", plain(View::Closed(ledger.validated()))), ("open", plain(View::Open(ledger)))])
    };
    if params.has("type") {
        let text = "Some fields from your request are deprecated. Please check the documentation at \
                    https://xrpl.org/docs/references/http-websocket-apis/ and update your request. Field \
                    `type` is deprecated.";
        let warning = Value::Object(fields([("id", 2004.into()), ("message", text.into())]));
        result.insert("warnings".to_owned(), vec![warning].into());
    }
    Ok(result)
}

fn ledger_json(view: &View<'_>, call: &Call<'_>, fill: Fill) -> Value {
    let mut json = match (view, fill.binary) {
        (View::Closed(closed), true) => fields([
            ("closed", true.into()),
            ("ledger_data", hex::encode_upper(closed.header.encode()).into()),
        ]),
        (View::Open(_), true) => fields([("closed", false.into())]),
        (View::Closed(closed), false) => header_json(closed, call.api_version),
        (View::Open(ledger), false) => fields([
            ("closed", false.into()),
            ("ledger_index", index_json(view.index(), call.api_version)),
            ("parent_hash", ledger.validated().hash.to_string().into()),
        ]),
    };
    if fill.full || fill.transactions {
        json.insert("transactions".to_owned(), transactions(view, call, fill));
    }
    if fill.full || fill.state {
        json.insert("accountState".to_owned(), state(view, fill));
    }
    Value::Object(json)
}

/// Version 1 wrote the index as text.
fn index_json(index: u32, api_version: u32) -> Value {
    if api_version > 1 { index.into() } else { index.to_string().into() }
}

fn header_json(closed: &ClosedLedger, api_version: u32) -> Map<String, Value> {
    let header = &closed.header;
    let mut json = fields([
        ("account_hash", header.account_hash.to_string().into()),
        ("close_flags", header.close_flags.into()),
        ("close_time", header.close_time.0.into()),
        ("close_time_resolution", header.close_time_resolution.into()),
        ("closed", true.into()),
        ("ledger_hash", closed.hash.to_string().into()),
        ("ledger_index", index_json(header.index, api_version)),
        ("parent_close_time", header.parent_close_time.0.into()),
        ("parent_hash", header.parent_hash.to_string().into()),
        ("total_coins", header.total_drops.to_string().into()),
        ("transaction_hash", header.transaction_hash.to_string().into()),
    ]);
    if header.close_time.0 != 0 {
        json.insert("close_time_human".to_owned(), text::human_time(header.close_time).into());
        json.insert("close_time_iso".to_owned(), header.close_time.to_string().into());
        // The lowest flag says that the network did not agree on the time.
        if header.close_flags & 1 != 0 {
            json.insert("close_time_estimated".to_owned(), true.into());
        }
    }
    json
}

fn transactions(view: &View<'_>, call: &Call<'_>, fill: Fill) -> Value {
    let expand = fill.full || fill.expand;
    match view {
        View::Closed(closed) => {
            // The server walks the transaction tree: in the order of the hashes, not of application.
            let order = closed.transactions_by_id().into_iter();
            order
                .map(|tx| with_funds(view, fill, tx.tx(), transaction(closed, tx, call, expand, fill.binary)))
                .collect()
        }
        View::Open(ledger) => {
            let order = ledger.open().transactions();
            order
                .map(|tx| with_funds(view, fill, tx.tx(), unvalidated(tx.tx(), call, expand, fill.binary)))
                .collect()
        }
    }
}

/// A transaction as it is shown, with what who makes an offer has of what it gives, where that is asked for.
fn with_funds(view: &View<'_>, fill: Fill, tx: &Transaction, mut shown: Value) -> Value {
    if fill.owner_funds
        && let Some(json) = shown.as_object_mut()
        && let Some(funds) = funds::of_offer(view.state(), view.fees(), tx)
    {
        json.insert("owner_funds".to_owned(), funds.into());
    }
    shown
}

fn transaction(closed: &ClosedLedger, tx: &ClosedTx, call: &Call<'_>, expand: bool, binary: bool) -> Value {
    if !expand {
        return tx.id.to_string().into();
    }
    let version = call.api_version;
    let blob = |bytes: &[u8]| Value::from(hex::encode_upper(bytes));
    Value::Object(match (binary, version) {
        (true, 1) => fields([("tx_blob", blob(tx.blob())), ("meta", blob(&tx.meta_blob))]),
        (true, _) => fields([
            ("tx_blob", blob(tx.blob())),
            ("meta_blob", blob(&tx.meta_blob)),
            ("hash", tx.id.to_string().into()),
        ]),
        (false, 1) => {
            let mut json = tx_json::transaction(tx.tx());
            tx_json::insert_deliver_max(&mut json, tx.tx().tx_type(), version);
            json.insert("hash".to_owned(), tx.id.to_string().into());
            let meta = tx_json::metadata(closed, tx, Delivered::NotDeletion);
            json.insert("metaData".to_owned(), meta);
            json
        }
        (false, _) => {
            let mut json = tx_json::transaction(tx.tx());
            tx_json::insert_deliver_max(&mut json, tx.tx().tx_type(), version);
            fields([
                ("close_time_iso", closed.header.close_time.to_string().into()),
                ("hash", tx.id.to_string().into()),
                ("ledger_hash", closed.hash.to_string().into()),
                ("ledger_index", closed.header.index.into()),
                ("meta", tx_json::metadata(closed, tx, Delivered::NotDeletion)),
                ("tx_json", Value::Object(json)),
                ("validated", true.into()),
            ])
        }
    })
}

/// What waits for a later ledger.
fn queue(view: &View<'_>, ledger: &Ledger, call: &Call<'_>, fill: Fill) -> Vec<Value> {
    let one = |queued: QueuedTx| {
        let mut json = super::queue::queued_json(&queued);
        json.insert("account".to_owned(), queued.tx.account().to_string().into());
        json.insert("retries_remaining".to_owned(), queued.retries.into());
        json.insert("preflight_result".to_owned(), TxResult::tesSUCCESS.name().into());
        let shown = unvalidated(&queued.tx, call, fill.full || fill.expand, fill.binary);
        let shown = with_funds(view, fill, &queued.tx, shown);
        match shown {
            Value::Object(fields) if call.api_version > 1 => json.extend(fields),
            shown => {
                json.insert("tx".to_owned(), shown);
            }
        }
        Value::Object(json)
    };
    ledger.queue().into_iter().map(one).collect()
}

fn unvalidated(tx: &Transaction, call: &Call<'_>, expand: bool, binary: bool) -> Value {
    let id = Value::from(tx.id().to_string());
    if !expand {
        return id;
    }
    let version = call.api_version;
    if binary {
        let mut json = fields([("tx_blob", hex::encode_upper(tx.blob()).into())]);
        if version > 1 {
            json.insert("hash".to_owned(), id);
        }
        return Value::Object(json);
    }
    let mut json = tx_json::transaction(tx);
    tx_json::insert_deliver_max(&mut json, tx.tx_type(), version);
    if version > 1 {
        return Value::Object(fields([
            ("hash", id),
            ("tx_json", Value::Object(json)),
            ("validated", false.into()),
        ]));
    }
    json.insert("hash".to_owned(), id);
    Value::Object(json)
}

fn state(view: &View<'_>, fill: Fill) -> Value {
    view.entries_from(&Hash256::ZERO)
        .map(|(key, object)| {
            if fill.binary {
                let blob = object.encode().unwrap_or_default();
                Value::Object(fields([
                    ("hash", key.to_string().into()),
                    ("tx_blob", hex::encode_upper(blob).into()),
                ]))
            } else if fill.full || fill.expand {
                entry::entry(&key, object)
            } else {
                key.to_string().into()
            }
        })
        .collect()
}

pub(super) fn ledger_closed(ledger: &Ledger, _: &Call<'_>) -> RpcResult {
    let closed: &Arc<ClosedLedger> = ledger.validated();
    Ok(fields([
        ("ledger_hash", closed.hash.to_string().into()),
        ("ledger_index", closed.header.index.into()),
    ]))
}

pub(super) fn ledger_current(ledger: &Ledger, _: &Call<'_>) -> RpcResult {
    Ok(fields([("ledger_current_index", ledger.open().index().into())]))
}

pub(super) fn ledger_header<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let view = select(ledger, call)?;
    let mut result = view.describe();
    if let View::Closed(closed) = view {
        result.insert("ledger_data".to_owned(), hex::encode_upper(closed.header.encode()).into());
    }
    result.insert("ledger".to_owned(), ledger_json(&view, call, Fill::default()));
    Ok(result)
}

pub(super) fn ledger_data<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let view = select(ledger, call)?;
    let mut result = view.describe();
    let marker = if call.params.has("marker") {
        let key = call.params.get("marker").as_str().and_then(params::hash);
        Some(key.ok_or_else(|| Failure::expected_field("marker", "valid"))?)
    } else {
        None
    };
    let binary = call.params.switch("binary", ledger.rules().generation())?;
    let most = if binary { PAGE_BINARY } else { PAGE_JSON };
    let limit = if call.params.has("limit") {
        let limit = call.params.get("limit");
        if !limit.is_i64() && !limit.is_u64() {
            return Err(Failure::expected_field("limit", "integer"));
        }
        // Below zero asks for the longest page; an administrator may have longer ones.
        match limit.as_u64().and_then(|limit| usize::try_from(limit).ok()) {
            Some(limit) if call.admin || limit <= most => limit.min(params::PAGE_MOST),
            _ => most,
        }
    } else {
        most
    };
    if view.is_open() {
        // An open ledger goes by the hash that it began with, its parent's.
        let parent = ledger.validated().hash.to_string();
        result.extend(fields([("ledger_hash", parent.into()), ("ledger_index", view.index().into())]));
    }
    let kind = entry::type_filter(&call.params)?;
    if marker.is_none() {
        let fill = Fill { binary, ..Fill::default() };
        result.insert("ledger".to_owned(), ledger_json(&view, call, fill));
    }
    let mut state = Vec::new();
    let start = marker.map_or(Some(Hash256::ZERO), |marker| neighbour(&marker, true));
    let entries = start.into_iter().flat_map(|start| view.entries_from(&start));
    for (seen, (key, object)) in entries.enumerate() {
        if seen >= limit {
            // The marker is the key before the next one, so that the next one comes first again.
            let before = neighbour(&key, false).unwrap_or(Hash256::ZERO);
            result.insert("marker".to_owned(), before.to_string().into());
            break;
        }
        if kind.is_some_and(|kind| object.u16(sf::LedgerEntryType) != Some(kind.code())) {
            continue;
        }
        state.push(if binary {
            let data = object.encode().unwrap_or_default();
            Value::Object(fields([
                ("data", hex::encode_upper(data).into()),
                ("index", key.to_string().into()),
            ]))
        } else {
            entry::entry(&key, object)
        });
    }
    result.insert("state".to_owned(), state.into());
    Ok(result)
}

/// The index after or before; none past the ends.
fn neighbour(key: &Hash256, after: bool) -> Option<Hash256> {
    let mut bytes = key.0;
    for byte in bytes.iter_mut().rev() {
        let (next, carries) = if after { byte.overflowing_add(1) } else { byte.overflowing_sub(1) };
        *byte = next;
        if !carries {
            return Some(Hash256(bytes));
        }
    }
    None
}
