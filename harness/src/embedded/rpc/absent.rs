//! Methods about what this ledger never has, answered as a server does that has none: `account_nfts`, `amm_info`,
//! `manifest`.

use serde_json::{Map, Value};
use xrpl_wire::{Object, index, sf};

use super::error::{Failure, RpcError, RpcResult};
use super::params::{self, ACCOUNT_PAGE};
use super::select::select;
use super::{Call, fields, secret};
use crate::embedded::Ledger;

pub(super) fn account_nfts<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let ident = call.params.required_string("account")?;
    let account = params::account(ident).ok_or(RpcError::ActMalformed)?;
    let view = select(ledger, call)?;
    let mut result = view.describe();
    if view.entry(&index::account_root(&account)).is_none() {
        return Err(RpcError::ActNotFound.into());
    }
    call.params.limit(ACCOUNT_PAGE, call.admin)?;
    if call.params.has("marker") {
        // There is no token to go on after.
        let marker = call.params.get("marker");
        return Err(match marker.as_str() {
            None => Failure::expected_field("marker", "string"),
            Some(_) => Failure::invalid_field("marker"),
        });
    }
    result.insert("account".to_owned(), account.to_string().into());
    result.insert("account_nfts".to_owned(), Vec::<Value>::new().into());
    Ok(result)
}

/// There is no AMM, so that a whole question is answered with its absence, and any other with what is wrong with it.
pub(super) fn amm_info<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let has = |name| call.params.has(name);
    let view = select(ledger, call)?;
    let fail = |error| Err(Failure::with_fields(view.describe(), error));
    if has("asset") != has("asset2") || has("asset") == has("amm_account") {
        return fail(RpcError::InvalidParams);
    }
    for name in ["asset", "asset2"] {
        if has(name) && !is_issue(call.params.get(name)) {
            return fail(RpcError::IssueMalformed);
        }
    }
    // Whoever is not in the ledger is as malformed as what is no address.
    let stands = |name| {
        let account = call.params.get(name).as_str().and_then(params::account);
        account.is_some_and(|account| view.entry(&index::account_root(&account)).is_some())
    };
    if has("amm_account") {
        return fail(if stands("amm_account") { RpcError::ActNotFound } else { RpcError::ActMalformed });
    }
    if has("account") && !stands("account") {
        return fail(RpcError::ActMalformed);
    }
    fail(RpcError::ActNotFound)
}

fn is_issue(value: &Value) -> bool {
    let single = Map::from_iter([(sf::Asset.name().to_owned(), value.clone())]);
    Object::from_json(&Value::Object(single)).is_ok()
}

/// A server that has heard of no validator knows no key but the one it is asked about.
pub(super) fn manifest<'a>(_: &'a Ledger, call: &Call<'a>) -> RpcResult {
    if !call.params.has("public_key") {
        return Err(Failure::missing_field("public_key"));
    }
    let asked = params::as_string(call.params.get("public_key"))?;
    let result = fields([("requested", asked.as_str().into())]);
    match secret::node_public(&asked) {
        Some(_) => Ok(result),
        None => Err(Failure::with_fields(result, RpcError::InvalidParams)),
    }
}
