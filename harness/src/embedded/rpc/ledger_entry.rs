//! `ledger_entry`: one entry, named by its index or by what it is about.

use xrpl_wire::{Hash256, LedgerEntryType, sf};

use super::error::{Failure, RpcError, RpcResult};
use super::keys::PARSERS;
use super::{Call, entry, select};
use crate::embedded::Ledger;

pub(super) fn ledger_entry<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let mut named = PARSERS.iter().filter(|parser| call.params.has(parser.name));
    let (asked, second) = (named.next(), named.next());
    if second.is_some() {
        return Err(Failure::with_message(RpcError::InvalidParams, "Too many fields provided."));
    }
    let view = select::select(ledger, call)?;
    let mut result = view.describe();
    let Some(parser) = asked else {
        if call.api_version > 1 {
            return Err(Failure::with_message(RpcError::InvalidParams, "No ledger_entry params provided."));
        }
        result.insert("error".to_owned(), "unknownOption".into());
        return Err(Failure(result));
    };
    let key = (parser.parse)(call.params.get(parser.name), parser.name)?;
    let failed = |error: RpcError| {
        if !ledger.rules().generation().says_where_no_entry_is() {
            return Failure::from(error);
        }
        let mut found = view.describe();
        found.insert("index".to_owned(), key.to_string().into());
        Failure::with_fields(found, error)
    };
    let object = view.entry(&key).filter(|_| key != Hash256::ZERO);
    let object = object.ok_or_else(|| failed(RpcError::EntryNotFound))?;
    if parser.kind.is_some_and(|kind: LedgerEntryType| object.u16(sf::LedgerEntryType) != Some(kind.code())) {
        return Err(failed(RpcError::UnexpectedLedgerType));
    }
    if call.params.flag("binary") {
        let blob = object.encode().unwrap_or_default();
        result.insert("node_binary".to_owned(), hex::encode_upper(blob).into());
    } else {
        result.insert("node".to_owned(), entry::entry(&key, object));
    }
    result.insert("index".to_owned(), key.to_string().into());
    Ok(result)
}
