//! Which ledger a request asks about, and reading entries of it.

use std::sync::Arc;

use serde_json::{Map, Value};
use xrpl_wire::{Hash256, LedgerEntryType, LedgerHeader, Object, RippleTime, index, sf};

use super::error::{Failure, RpcError};
use super::params::{self, Params};
use super::{Call, fields};
use crate::embedded::state::StateMap;
use crate::embedded::{ClosedLedger, Fees, Ledger};

/// The ledger that a request asks about.
#[derive(Clone, Copy)]
pub(super) enum View<'a> {
    Closed(&'a Arc<ClosedLedger>),
    Open(&'a Ledger),
}

impl<'a> View<'a> {
    /// The entry at an index.
    pub(super) fn entry(&self, key: &Hash256) -> Option<&'a Object> {
        match self {
            View::Closed(closed) => closed.state.object(key),
            View::Open(ledger) => ledger.open().state().object(key),
        }
    }

    /// The entry at an index if it is of the given type.
    pub(super) fn entry_of(&self, key: &Hash256, kind: LedgerEntryType) -> Option<&'a Object> {
        self.entry(key).filter(|entry| entry.u16(sf::LedgerEntryType) == Some(kind.code()))
    }

    /// The whole state.
    pub(super) fn state(&self) -> &'a StateMap {
        match self {
            View::Closed(closed) => &closed.state,
            View::Open(ledger) => ledger.open().state(),
        }
    }

    /// What the ledger asks for fees and reserves.
    pub(super) fn fees(&self) -> &'a Fees {
        match self {
            View::Closed(closed) => &closed.fees,
            View::Open(ledger) => ledger.open().fees(),
        }
    }

    /// The ledger's index.
    pub(super) fn index(&self) -> u32 {
        match self {
            View::Closed(closed) => closed.header.index,
            View::Open(ledger) => ledger.open().index(),
        }
    }

    /// The entries from an index on, itself included, in order.
    pub(super) fn entries_from(
        &self,
        start: &Hash256,
    ) -> Box<dyn Iterator<Item = (Hash256, &'a Object)> + 'a> {
        match self {
            View::Closed(closed) => {
                Box::new(closed.state.iter_from(start).map(|(key, entry)| (*key, entry.object())))
            }
            View::Open(ledger) => {
                Box::new(ledger.open().state().iter_from(start).map(|(key, entry)| (*key, entry.object())))
            }
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, View::Open(_))
    }

    /// The close time of the ledger before it.
    pub(super) fn parent_close_time(&self) -> RippleTime {
        match self {
            View::Closed(closed) => closed.header.parent_close_time,
            View::Open(ledger) => ledger.open().parent_close_time(),
        }
    }

    /// The fields by which a reply names the ledger.
    pub(super) fn describe(&self) -> Map<String, Value> {
        match self {
            View::Closed(closed) => fields([
                ("ledger_hash", closed.hash.to_string().into()),
                ("ledger_index", closed.header.index.into()),
                ("validated", true.into()),
            ]),
            View::Open(_) => {
                fields([("ledger_current_index", self.index().into()), ("validated", false.into())])
            }
        }
    }
}

/// The ledger named by `ledger_index`, `ledger_hash` or the old `ledger`; the open one where none is.
pub(super) fn select<'a>(ledger: &'a Ledger, call: &Call<'a>) -> Result<View<'a>, Failure> {
    if ledger.rules().generation().names_ledgers_strictly() {
        return select_strictly(ledger, call);
    }
    let params = call.params;
    let mut hash = params.get("ledger_hash");
    let mut index = params.get("ledger_index");
    // A legacy `ledger` names either: nothing shorter than 13 characters is a hash.
    let legacy = params.get("ledger");
    if params::as_bool(legacy) || legacy.is_number() {
        if params::as_string(legacy)?.len() > 12 {
            hash = legacy;
        } else {
            index = legacy;
        }
    }
    if !hash.is_null() {
        let text = hash.as_str().ok_or_else(|| invalid("ledgerHashNotString"))?;
        let hash = params::hash(text).ok_or_else(|| invalid("ledgerHashMalformed"))?;
        return by_hash(ledger, call, &hash);
    }
    let malformed = || invalid("ledgerIndexMalformed");
    if matches!(index, Value::Array(_) | Value::Object(_)) {
        return Err(malformed());
    }
    match params::as_string(index)?.as_str() {
        "" | "current" => Ok(View::Open(ledger)),
        "validated" | "closed" => Ok(View::Closed(ledger.validated())),
        number => {
            let index = number.parse().map_err(|_| malformed())?;
            by_index(ledger, call, index).ok_or_else(not_found)
        }
    }
}

/// As [`select`], by the rules of newer servers: named once, by a string or a whole number.
fn select_strictly<'a>(ledger: &'a Ledger, call: &Call<'a>) -> Result<View<'a>, Failure> {
    let params = call.params;
    let mut named = ["ledger", "ledger_hash", "ledger_index"].into_iter().filter(|name| params.has(name));
    let Some(name) = named.next() else { return Ok(View::Open(ledger)) };
    if named.next().is_some() {
        return Err(invalid(if name == "ledger" {
            "Exactly one of 'ledger', 'ledger_hash', or 'ledger_index' can be specified."
        } else {
            "Exactly one of 'ledger_hash' or 'ledger_index' can be specified."
        }));
    }
    let value = params.get(name);
    let by_text =
        value.as_str().filter(|text| name == "ledger_hash" || (name == "ledger" && text.len() == 64));
    if let Some(text) = by_text {
        let hash = params::hash(text).ok_or_else(|| Failure::expected_field(name, "hex string"))?;
        return by_hash(ledger, call, &hash);
    }
    if name == "ledger_hash" {
        return Err(Failure::expected_field(name, "hex string"));
    }
    let expected = || Failure::expected_field(name, "string or number");
    let index = match value {
        Value::String(text) => match text.as_str() {
            "" | "current" => return Ok(View::Open(ledger)),
            "validated" | "closed" => return Ok(View::Closed(ledger.validated())),
            text => text.parse().map_err(|_| expected())?,
        },
        number => number.as_u64().and_then(|number| u32::try_from(number).ok()).ok_or_else(expected)?,
    };
    by_index(ledger, call, index).ok_or_else(not_found)
}

/// The closed ledger of a hash, if it is not hidden.
fn by_hash<'a>(ledger: &'a Ledger, call: &Call<'a>, hash: &Hash256) -> Result<View<'a>, Failure> {
    let first = call.facts.ledger_one.as_ref().filter(|first| first.hash == *hash);
    ledger
        .closed_by_hash(hash)
        .or(first)
        .filter(|closed| closed.header.index >= call.facts.hidden_below)
        .map(View::Closed)
        .ok_or_else(not_found)
}

/// The ledger of an index: a closed one that is not hidden, or the open one.
pub(super) fn by_index<'a>(ledger: &'a Ledger, call: &Call<'a>, index: u32) -> Option<View<'a>> {
    if ledger.open().index() == index {
        return Some(View::Open(ledger));
    }
    closed(ledger, call, index).map(View::Closed)
}

/// The closed ledger of an index if it is not hidden.
pub(super) fn closed<'a>(ledger: &'a Ledger, call: &Call<'a>, index: u32) -> Option<&'a Arc<ClosedLedger>> {
    let first = call.facts.ledger_one.as_ref().filter(|_| index == 1);
    ledger.closed(index).or(first).filter(|closed| closed.header.index >= call.facts.hidden_below)
}

/// Ledger 1, which the server makes before the one that everything starts from, and goes on serving. It is ledger 2
/// without the list of hashes; none where ledger 2 says that its parent was another.
#[must_use]
pub fn ledger_one(ledger: &Ledger) -> Option<Arc<ClosedLedger>> {
    let second = ledger.closed(2).filter(|_| ledger.first_index() == 2)?;
    let mut state = second.state.clone();
    state.remove(&index::skip_list());
    let header = LedgerHeader {
        index: 1,
        parent_hash: Hash256::ZERO,
        account_hash: state.root_hash(),
        parent_close_time: RippleTime(0),
        close_time: RippleTime(0),
        ..second.header
    };
    let hash = header.hash();
    let one = ClosedLedger { header, hash, state, transactions: Vec::new(), fees: second.fees };
    (hash == second.header.parent_hash).then(|| Arc::new(one))
}

/// Whether the request names a ledger at all.
pub(super) fn names_ledger(params: &Params<'_>) -> bool {
    ["ledger", "ledger_hash", "ledger_index"].iter().any(|name| params.has(name))
}

fn invalid(message: &str) -> Failure {
    Failure::with_message(RpcError::InvalidParams, message)
}

fn not_found() -> Failure {
    Failure::with_message(RpcError::LgrNotFound, "ledgerNotFound")
}
