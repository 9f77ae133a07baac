//! `sign` and `sign_for`: the server signs with a secret it is handed. For administrators alone.

use std::str::FromStr;

use serde_json::{Map, Value};
use xrpl_wire::{
    AccountId, KeyPair, KeyType, Object, Seed, Transaction, TxError, flags, index, sf, sha512_half, sign,
};

use super::error::{Failure, RpcError, RpcResult};
use super::params::{self, Params};
use super::{Call, fields, tx_json};
use crate::embedded::Ledger;

const DEPRECATED: &str = "This command has been deprecated and will be removed in a future version of the server. \
                          Please migrate to a standalone signing tool.";

pub(super) fn sign<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    may_sign(call)?;
    deprecate(signed(ledger, call).map(|tx| signed_fields(&tx)), DEPRECATED)
}

pub(super) fn sign_for<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    may_sign(call)?;
    deprecate(signed_for(ledger, call).map(|tx| signed_fields(&tx)), DEPRECATED)
}

/// The notice goes with errors as well.
pub(super) fn deprecate(result: RpcResult, notice: &str) -> RpcResult {
    let add = |mut json: Map<String, Value>| {
        json.insert("deprecated".to_owned(), notice.into());
        json
    };
    result.map(add).map_err(|failure| Failure(add(failure.0)))
}

pub(super) fn may_sign(call: &Call<'_>) -> Result<(), Failure> {
    if call.admin {
        return Ok(());
    }
    Err(Failure::with_message(RpcError::NotSupported, "Signing is not supported by this server."))
}

fn signed_fields(tx: &Transaction) -> Map<String, Value> {
    let mut json = tx_json::transaction(tx);
    json.insert("hash".to_owned(), tx.id().to_string().into());
    fields([("tx_blob", hex::encode_upper(tx.encode()).into()), ("tx_json", Value::Object(json))])
}

/// The transaction of the request, filled in and signed with its secret.
pub(super) fn signed<'a>(ledger: &'a Ledger, call: &Call<'a>) -> Result<Transaction, Failure> {
    let keys = key_pair(&call.params, call.api_version)?;
    let (mut json, account) = unsigned(call)?;
    if json.contains_key("Signers") {
        return Err(RpcError::TxSigned.into());
    }
    let root = ledger.open().state().object(&index::account_root(&account));
    if !call.params.flag("offline") {
        let root = root.ok_or(RpcError::SrcActNotFound)?;
        if !json.contains_key("Sequence") {
            let sequence = if json.contains_key("TicketSequence") { 0 } else { next_sequence(root) };
            json.insert("Sequence".to_owned(), sequence.into());
        }
        if !json.contains_key("Fee") {
            json.insert("Fee".to_owned(), ledger.validated().fees.base_fee.to_string().into());
        }
        may_act(root, &account, &keys)?;
    }
    json.insert("SigningPubKey".to_owned(), keys.public_key().to_string().into());
    json.remove("TxnSignature");
    let tx = Transaction::from_json(&Value::Object(json)).map_err(|error| invalid(&error))?;
    sign::sign_single(&tx, &keys).map_err(|_| RpcError::Internal.into())
}

fn signed_for(ledger: &Ledger, call: &Call<'_>) -> Result<Transaction, Failure> {
    if !call.params.has("account") {
        return Err(Failure::missing_field("account"));
    }
    let signer = call
        .params
        .get("account")
        .as_str()
        .and_then(params::account)
        .ok_or_else(|| Failure::with_message(RpcError::SrcActMalformed, "Invalid field 'account'."))?;
    let keys = key_pair(&call.params, call.api_version)?;
    let (mut json, _) = unsigned(call)?;
    for name in ["Sequence", "Fee"] {
        if !json.contains_key(name) {
            return Err(Failure::missing_field(&format!("tx_json.{name}")));
        }
    }
    match json.get("SigningPubKey") {
        None => json.insert("SigningPubKey".to_owned(), "".into()),
        Some(Value::String(key)) if key.is_empty() => None,
        Some(_) => {
            let message = "When multi-signing 'tx_json.SigningPubKey' must be empty.";
            return Err(Failure::with_message(RpcError::InvalidParams, message));
        }
    };
    if json.contains_key("TxnSignature") {
        return Err(Failure::with_message(RpcError::SigningMalformed, RpcError::SigningMalformed.message()));
    }
    // An unfunded signer is a phantom, whose master key signs.
    match ledger.open().state().object(&index::account_root(&signer)) {
        Some(root) => may_act(root, &signer, &keys)?,
        None if keys.account_id() == signer => {}
        None => return Err(RpcError::BadSecret.into()),
    }
    let with_others =
        Transaction::from_json(&Value::Object(json.clone())).map_err(|error| invalid(&error))?;
    let mut signers = if json.contains_key("Signers") {
        sign::signers(&with_others).map_err(|_| Failure::invalid_field("tx_json.Signers"))?
    } else {
        Vec::new()
    };
    let mut bare = with_others.into_object();
    bare.remove(sf::Signers);
    let bare = Transaction::from_object(bare).map_err(|error| invalid(&error))?;
    signers.push(sign::sign_for(&bare, signer, &keys).map_err(|_| RpcError::Internal)?);
    sign::assemble(&bare, signers)
        .map_err(|error| Failure::with_message(RpcError::InvalidParams, error.to_string()))
}

/// The account's next Sequence.
pub(super) fn next_sequence(root: &Object) -> u32 {
    root.u32(sf::Sequence).unwrap_or_default()
}

/// The fields of `tx_json`, with an account in them.
fn unsigned(call: &Call<'_>) -> Result<(Map<String, Value>, AccountId), Failure> {
    if !call.params.has("tx_json") {
        return Err(Failure::missing_field("tx_json"));
    }
    let Value::Object(json) = call.params.get("tx_json") else {
        return Err(Failure::expected_field("tx_json", "object"));
    };
    if !json.contains_key("TransactionType") {
        return Err(Failure::missing_field("tx_json.TransactionType"));
    }
    let Some(account) = json.get("Account") else {
        let message = "Missing field 'tx_json.Account'.";
        return Err(Failure::with_message(RpcError::SrcActMissing, message));
    };
    let account = account.as_str().and_then(params::account).ok_or_else(|| {
        Failure::with_message(RpcError::SrcActMalformed, "Invalid field 'tx_json.Account'.")
    })?;
    Ok((json.clone(), account))
}

/// Whether a key may act for an account now: its master key unless disabled, or its RegularKey.
fn may_act(root: &Object, account: &AccountId, keys: &KeyPair) -> Result<(), Failure> {
    let signer = keys.account_id();
    let disabled = root.u32(sf::Flags).unwrap_or_default() & flags::lsfDisableMaster != 0;
    if signer == *account && disabled {
        return Err(RpcError::MasterDisabled.into());
    }
    if signer == *account || root.account(sf::RegularKey) == Some(signer) {
        return Ok(());
    }
    Err(RpcError::BadSecret.into())
}

/// What the server says of a transaction that it cannot read.
pub(super) fn invalid(error: &TxError) -> Failure {
    Failure::token_only("invalidTransaction", Some(&exception(error)))
}

/// The server's words for what is wrong with a transaction, where it has some of its own.
pub(super) fn exception(error: &TxError) -> String {
    match error {
        TxError::MissingField { field, .. } => format!("Field '{}' is required but missing.", field.name()),
        TxError::UnknownField { field, .. } => {
            format!("Field '{}' found in disallowed location.", field.name())
        }
        other => other.to_string(),
    }
}

/// The keys of a request's secret.
fn key_pair(params: &Params<'_>, api_version: u32) -> Result<KeyPair, Failure> {
    let given: Vec<&str> =
        ["passphrase", "secret", "seed", "seed_hex"].into_iter().filter(|name| params.has(name)).collect();
    match given.as_slice() {
        [] => return Err(Failure::missing_field("secret")),
        [_] => {}
        _ => {
            let message =
                "Exactly one of the following must be specified: passphrase, secret, seed or seed_hex";
            return Err(Failure::with_message(RpcError::InvalidParams, message));
        }
    }
    if !params.has("key_type") {
        let secret = params.get("secret").as_str();
        let secret = secret.ok_or_else(|| Failure::expected_field("secret", "string"))?;
        let bad = || Failure::with_message(RpcError::BadSeed, "Invalid field 'secret'.");
        return Ok(KeyPair::from_seed(&generic_seed(secret, None).ok_or_else(bad)?));
    }
    let name =
        params.get("key_type").as_str().ok_or_else(|| Failure::expected_field("key_type", "string"))?;
    let kind = key_type(name).ok_or_else(|| match api_version {
        1 => Failure::invalid_field("key_type"),
        _ => RpcError::BadKeyType.into(),
    })?;
    if params.has("secret") {
        let message = "The secret field is not allowed if key_type is used.";
        return Err(Failure::with_message(RpcError::InvalidParams, message));
    }
    Ok(KeyPair::from_seed(&seed(params, Some(kind))?))
}

/// The kind of key of a name.
pub(super) fn key_type(name: &str) -> Option<KeyType> {
    [KeyType::Secp256k1, KeyType::Ed25519].into_iter().find(|kind| kind.name() == name)
}

/// The seed of `passphrase`, `seed` or `seed_hex`, of which there must be one.
pub(super) fn seed(params: &Params<'_>, kind: Option<KeyType>) -> Result<Seed, Failure> {
    let given: Vec<&str> =
        ["passphrase", "seed", "seed_hex"].into_iter().filter(|name| params.has(name)).collect();
    let [name] = given.as_slice() else {
        let message = "Exactly one of the following must be specified: passphrase, seed or seed_hex";
        return Err(Failure::with_message(RpcError::InvalidParams, message));
    };
    let text = params.get(name).as_str().ok_or_else(|| Failure::expected_field(name, "string"))?;
    let seed = match *name {
        "passphrase" => generic_seed(text, kind),
        "seed" => base58_seed(text, kind),
        _ => hex_seed(text, kind),
    };
    seed.ok_or_else(|| RpcError::BadSeed.into())
}

/// A seed in any form: base58, 32 hexadecimal digits, or a passphrase, which is hashed.
fn generic_seed(text: &str, kind: Option<KeyType>) -> Option<Seed> {
    // An address in the place of a secret is a mistake, not a passphrase.
    if text.is_empty() || params::account(text).is_some() {
        return None;
    }
    base58_seed(text, kind).or_else(|| hex_seed(text, kind)).or_else(|| {
        let hash = sha512_half(&[text.as_bytes()]);
        let entropy = hash.0.first_chunk::<16>()?;
        Some(Seed::from_entropy(*entropy, kind.unwrap_or(KeyType::Secp256k1)))
    })
}

/// A seed in base58; the kind asked for may not contradict the one it is written as, unless the form says nothing.
fn base58_seed(text: &str, kind: Option<KeyType>) -> Option<Seed> {
    let seed = Seed::from_str(text).ok()?;
    match (seed.key_type(), kind) {
        (KeyType::Secp256k1, Some(KeyType::Ed25519)) => {
            Some(Seed::from_entropy(seed_entropy(text)?, KeyType::Ed25519))
        }
        (KeyType::Ed25519, Some(KeyType::Secp256k1)) => None,
        _ => Some(seed),
    }
}

/// The bytes of a seed written with the `s` prefix: one byte of type, 16 of seed.
pub(super) fn seed_entropy(text: &str) -> Option<[u8; 16]> {
    let bytes = bs58::decode(text).with_alphabet(bs58::Alphabet::RIPPLE).with_check(None).into_vec().ok()?;
    bytes.last_chunk::<16>().copied()
}

fn hex_seed(text: &str, kind: Option<KeyType>) -> Option<Seed> {
    let entropy: [u8; 16] = hex::decode(text).ok()?.try_into().ok()?;
    Some(Seed::from_entropy(entropy, kind.unwrap_or(KeyType::Secp256k1)))
}
