//! `ledger_entry`: one entry, named by its index or by what it is about.

use std::str::FromStr;

use serde_json::{Map, Value};
use xrpl_wire::{AccountId, Currency, Hash256, LedgerEntryType, index, sf};

use super::error::{Failure, RpcError, RpcResult, expected_field_message, missing_field_message};
use super::{Call, entry, params, select};
use crate::embedded::Ledger;

type Parser = fn(&Value, &'static str) -> Result<Hash256, Failure>;

/// The parameters that name an entry, how each is read, and the type it must be of.
const PARSERS: &[(&str, Parser, Option<LedgerEntryType>)] = &[
    ("nft_offer", by_index, Some(LedgerEntryType::NFTokenOffer)),
    ("check", by_index, Some(LedgerEntryType::Check)),
    ("did", by_index, Some(LedgerEntryType::DID)),
    ("nunl", by_index, Some(LedgerEntryType::NegativeUNL)),
    ("nft_page", by_index, Some(LedgerEntryType::NFTokenPage)),
    ("signer_list", signer_list, Some(LedgerEntryType::SignerList)),
    ("ticket", ticket, Some(LedgerEntryType::Ticket)),
    ("account", account_root, Some(LedgerEntryType::AccountRoot)),
    ("directory", directory, Some(LedgerEntryType::DirectoryNode)),
    ("amendments", by_index, Some(LedgerEntryType::Amendments)),
    ("hashes", by_index, Some(LedgerEntryType::LedgerHashes)),
    ("bridge", by_index, Some(LedgerEntryType::Bridge)),
    ("offer", by_index, Some(LedgerEntryType::Offer)),
    ("deposit_preauth", deposit_preauth, Some(LedgerEntryType::DepositPreauth)),
    ("state", ripple_state, Some(LedgerEntryType::RippleState)),
    ("fee", by_index, Some(LedgerEntryType::FeeSettings)),
    ("escrow", escrow, Some(LedgerEntryType::Escrow)),
    ("payment_channel", by_index, Some(LedgerEntryType::PayChannel)),
    ("amm", by_index, Some(LedgerEntryType::AMM)),
    ("mpt_issuance", by_index, Some(LedgerEntryType::MPTokenIssuance)),
    ("mptoken", by_index, Some(LedgerEntryType::MPToken)),
    ("oracle", by_index, Some(LedgerEntryType::Oracle)),
    ("credential", by_index, Some(LedgerEntryType::Credential)),
    ("permissioned_domain", by_index, Some(LedgerEntryType::PermissionedDomain)),
    ("delegate", by_index, Some(LedgerEntryType::Delegate)),
    ("vault", by_index, Some(LedgerEntryType::Vault)),
    ("index", by_index, None),
    ("account_root", account_root, Some(LedgerEntryType::AccountRoot)),
    ("ripple_state", ripple_state, Some(LedgerEntryType::RippleState)),
];

pub(super) fn ledger_entry<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let mut named = PARSERS.iter().filter(|(name, ..)| call.params.has(name));
    let (asked, second) = (named.next(), named.next());
    if second.is_some() {
        return Err(Failure::with_message(RpcError::InvalidParams, "Too many fields provided."));
    }
    let view = select::select(ledger, call)?;
    let mut result = view.describe();
    let Some((name, parser, kind)) = asked else {
        if call.api_version > 1 {
            return Err(Failure::with_message(RpcError::InvalidParams, "No ledger_entry params provided."));
        }
        result.insert("error".to_owned(), "unknownOption".into());
        return Err(Failure(result));
    };
    let key = parser(call.params.get(name), name)?;
    let object = view.entry(&key).filter(|_| key != Hash256::ZERO).ok_or(RpcError::EntryNotFound)?;
    if kind.is_some_and(|kind| object.u16(sf::LedgerEntryType) != Some(kind.code())) {
        return Err(RpcError::UnexpectedLedgerType.into());
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

fn by_index(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    value.as_str().and_then(params::hash).ok_or_else(|| invalid("malformedRequest", name, "hex string"))
}

fn account_root(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let account = as_account(value).ok_or_else(|| invalid("malformedAddress", name, "AccountID"))?;
    Ok(index::account_root(&account))
}

fn signer_list(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    // The server takes the index alone; the owner's address is taken too, for it is the one thing known.
    match as_account(value) {
        Some(owner) => Ok(index::signer_list(&owner)),
        None => by_index(value, name),
    }
}

fn ticket(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    let account = required_account(fields, "account", "malformedAddress")?;
    let sequence = required_number(fields, "ticket_seq", "malformedRequest")?;
    Ok(index::ticket(&account, sequence))
}

fn escrow(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    let owner = required_account(fields, "owner", "malformedOwner")?;
    let sequence = required_number(fields, "seq", "malformedSeq")?;
    Ok(index::escrow(&owner, sequence))
}

fn deposit_preauth(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    if fields.contains_key("authorized") == fields.contains_key("authorized_credentials") {
        return Err(Failure::malformed(
            "malformedRequest",
            "Must have exactly one of `authorized` and `authorized_credentials`.",
        ));
    }
    let owner = required_account(fields, "owner", "malformedOwner")?;
    let Some(authorized) = fields.get("authorized") else {
        return Err(invalid("malformedAuthorizedCredentials", "authorized_credentials", "array"));
    };
    let authorized =
        as_account(authorized).ok_or_else(|| invalid("malformedAuthorized", "authorized", "AccountID"))?;
    Ok(index::deposit_preauth(&owner, &authorized))
}

fn directory(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    let page = match fields.get("sub_index") {
        None => 0,
        Some(Value::Bool(_)) => return Err(invalid("malformedRequest", "sub_index", "integer")),
        Some(page) => {
            params::as_u32(page).map_err(|_| invalid("malformedRequest", "sub_index", "integer"))?
        }
    };
    let root = match (fields.get("owner"), fields.get("dir_root")) {
        (Some(owner), None) => {
            let owner = as_account(owner).ok_or_else(|| invalid("malformedAddress", "owner", "AccountID"))?;
            index::owner_dir(&owner)
        }
        (None, Some(root)) => root
            .as_str()
            .and_then(params::hash)
            .ok_or_else(|| invalid("malformedDirRoot", "dir_root", "hash"))?,
        _ => {
            return Err(Failure::malformed(
                "malformedRequest",
                "Must have exactly one of `owner` and `dir_root` fields.",
            ));
        }
    };
    Ok(index::dir_page(&root, u64::from(page)))
}

fn ripple_state(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    for field in ["currency", "accounts"] {
        if fields.get(field).is_none_or(Value::is_null) {
            return Err(Failure::malformed("malformedRequest", missing_field_message(field)));
        }
    }
    let pair = fields.get("accounts").and_then(Value::as_array).map(Vec::as_slice);
    let Some([first, second]) = pair else {
        return Err(invalid("malformedRequest", "accounts", "length-2 array of Accounts"));
    };
    let (Some(first), Some(second)) = (as_account(first), as_account(second)) else {
        return Err(invalid("malformedAddress", "accounts", "array of Accounts"));
    };
    if first == second {
        return Err(Failure::malformed("malformedRequest", "Cannot have a trustline to self."));
    }
    let currency = fields
        .get("currency")
        .and_then(Value::as_str)
        .and_then(|text| Currency::from_str(text).ok())
        .ok_or_else(|| invalid("malformedCurrency", "currency", "Currency"))?;
    Ok(index::trust_line(&first, &second, &currency))
}

/// An address, but not that of account zero.
fn as_account(value: &Value) -> Option<AccountId> {
    value.as_str().and_then(params::account).filter(|account| *account != AccountId::ZERO)
}

fn required_account(fields: &Map<String, Value>, name: &str, token: &str) -> Result<AccountId, Failure> {
    let value = required(fields, name)?;
    as_account(value).ok_or_else(|| invalid(token, name, "AccountID"))
}

fn required_number(fields: &Map<String, Value>, name: &str, token: &str) -> Result<u32, Failure> {
    match required(fields, name)? {
        value @ (Value::Number(_) | Value::String(_)) => params::as_u32(value).ok(),
        _ => None,
    }
    .ok_or_else(|| invalid(token, name, "number"))
}

fn required<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a Value, Failure> {
    fields.get(name).ok_or_else(|| Failure::malformed("malformedRequest", missing_field_message(name)))
}

fn invalid(token: &str, name: &str, kind: &str) -> Failure {
    Failure::malformed(token, expected_field_message(name, kind))
}
