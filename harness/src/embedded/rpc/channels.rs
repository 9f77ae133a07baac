//! Payment channels: `account_channels`, and claims signed and verified: `channel_authorize`, `channel_verify`.

use serde_json::{Map, Value};
use xrpl_wire::{Hash256, LedgerEntryType, Object, PublicKey, index, sf};

use super::account::{Page, is_kind, owned_page};
use super::error::{Failure, RpcError, RpcResult};
use super::params::{self, ACCOUNT_PAGE};
use super::select::select;
use super::{Call, fields, secret, sign};
use crate::embedded::Ledger;

/// What a claim is signed over begins with: `CLM` and a zero byte.
const CLAIM_PREFIX: &[u8] = b"CLM\0";

pub(super) fn account_channels<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let ident = call.params.required_string("account")?;
    let view = select(ledger, call)?;
    let mut result = view.describe();
    let account = params::account(ident).ok_or(RpcError::ActMalformed)?;
    if view.entry(&index::account_root(&account)).is_none() {
        return Err(RpcError::ActNotFound.into());
    }
    let to = params::as_string(call.params.get("destination_account"))?;
    let to = match to.as_str() {
        "" => None,
        text => Some(params::account(text).ok_or(RpcError::ActMalformed)?),
    };
    let limit = call.params.limit(ACCOUNT_PAGE, call.admin)?;
    let page = owned_page(&view, call, &account, limit, || RpcError::InvalidParams.into())?;
    let channels: Vec<Value> = page
        .entries
        .iter()
        .filter_map(|(key, object)| Some((key, (*object)?)))
        .filter(|(_, object)| is_kind(object, LedgerEntryType::PayChannel))
        .filter(|(_, object)| object.account(sf::Account) == Some(account))
        .filter(|(_, object)| to.is_none() || object.account(sf::Destination) == to)
        .map(|(key, object)| channel(key, object))
        .collect();
    result.insert("account".to_owned(), account.to_string().into());
    result.insert("channels".to_owned(), channels.into());
    Page::insert_marker(&page, limit, &mut result);
    Ok(result)
}

fn channel(key: &Hash256, object: &Object) -> Value {
    let mut json = fields([("channel_id", key.to_string().into())]);
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            json.insert(name.to_owned(), value);
        }
    };
    let drops = |field| object.drops(field).map(|drops| Value::from(drops.to_string()));
    let account = |field| object.account(field).map(|account| Value::from(account.to_string()));
    let number = |field| object.u32(field).map(Value::from);
    set("account", account(sf::Account));
    set("destination_account", account(sf::Destination));
    set("amount", drops(sf::Amount));
    set("balance", drops(sf::Balance));
    let key = object.blob(sf::PublicKey).filter(|key| PublicKey::from_slice(key).is_ok());
    set("public_key", key.map(|key| secret::write_account_public(key).into()));
    set("public_key_hex", key.map(|key| hex::encode_upper(key).into()));
    set("settle_delay", number(sf::SettleDelay));
    set("expiration", number(sf::Expiration));
    set("cancel_after", number(sf::CancelAfter));
    set("source_tag", number(sf::SourceTag));
    set("destination_tag", number(sf::DestinationTag));
    Value::Object(json)
}

/// The channel and the drops of a claim.
fn claim(params: &Map<String, Value>) -> Result<Vec<u8>, Failure> {
    let text = |name: &str| params.get(name).and_then(Value::as_str);
    let channel = text("channel_id").and_then(params::hash).ok_or(RpcError::ChannelMalformed)?;
    let drops: u64 =
        text("amount").and_then(|text| text.parse().ok()).ok_or(RpcError::ChannelAmtMalformed)?;
    Ok([CLAIM_PREFIX, &channel.0, &drops.to_be_bytes()].concat())
}

pub(super) fn channel_authorize<'a>(_: &'a Ledger, call: &Call<'a>) -> RpcResult {
    sign::may_sign(call)?;
    for name in ["channel_id", "amount"] {
        if !call.params.has(name) {
            return Err(Failure::missing_field(name));
        }
    }
    if !call.params.has("key_type") && !call.params.has("secret") {
        return Err(Failure::missing_field("secret"));
    }
    let keys = secret::key_pair(&call.params, call.api_version)?;
    let claim = claim(call.params.0)?;
    Ok(fields([("signature", hex::encode_upper(keys.sign(&claim)).into())]))
}

pub(super) fn channel_verify<'a>(_: &'a Ledger, call: &Call<'a>) -> RpcResult {
    for name in ["public_key", "channel_id", "amount", "signature"] {
        if !call.params.has(name) {
            return Err(Failure::missing_field(name));
        }
    }
    let text = params::as_string(call.params.get("public_key"))?;
    let by_hex = || PublicKey::from_slice(&params::blob(&text)?).ok();
    let key = secret::account_public(&text).or_else(by_hex).ok_or(RpcError::PublicMalformed)?;
    let claim = claim(call.params.0)?;
    let signature = params::as_string(call.params.get("signature"))?;
    let signature = params::blob(&signature).ok_or(RpcError::InvalidParams)?;
    Ok(fields([("signature_verified", key.verify(&claim, &signature).is_ok().into())]))
}
