//! `sign` and `sign_for`: the server signs with a secret it is handed. For administrators alone.

use serde_json::{Map, Value};
use xrpl_wire::{
    AccountId, Field, KeyPair, Object, Signer, Transaction, TxError, Value as FieldValue, flags, index, sf,
    sign, template,
};

use super::error::{Failure, RpcError, RpcResult};
use super::params;
use super::parsed::{self, Unparsed};
use super::{Call, autofill, fields, payment, secret, tx_json};
use crate::embedded::{Ledger, format};

const DEPRECATED: &str = "This command has been deprecated and will be removed in a future version of the server. \
                          Please migrate to a standalone signing tool.";

pub(super) fn sign<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    may_sign(call)?;
    deprecate(signed(ledger, call).map(|tx| signed_fields(&tx, call.api_version)), DEPRECATED)
}

pub(super) fn sign_for<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    may_sign(call)?;
    deprecate(signed_for(ledger, call).map(|tx| signed_fields(&tx, call.api_version)), DEPRECATED)
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

/// A transaction as the signing methods show it: in version 2 with its hash beside it.
pub(super) fn signed_fields(tx: &Transaction, api_version: u32) -> Map<String, Value> {
    let mut json = tx_json::transaction(tx);
    tx_json::insert_deliver_max(&mut json, tx.tx_type(), api_version);
    let hash = Value::from(tx.id().to_string());
    let mut result = fields([("tx_blob", hex::encode_upper(tx.encode()).into())]);
    if api_version > 1 {
        result.insert("hash".to_owned(), hash);
    } else {
        json.insert("hash".to_owned(), hash);
    }
    result.insert("tx_json".to_owned(), Value::Object(json));
    result
}

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    /// The account itself: what is missing is filled in.
    Account,
    /// A second party, in a place of its own within what the account has signed. Whose key that is, the ledger says later.
    Counterparty,
    /// One of several signers, who sign what is there.
    Signer,
}

/// The transaction of the request, filled in and signed with its secret.
pub(super) fn signed<'a>(ledger: &'a Ledger, call: &Call<'a>) -> Result<Transaction, Failure> {
    let keys = secret::key_pair(&call.params, call.api_version)?;
    let place = signature_target(ledger, call)?;
    let json = tx_json_of(call)?;
    let Some(place) = place else {
        let tx = prepared(ledger, call, json, &keys, As::Account)?;
        return sign::sign_single(&tx, &keys).map_err(|_| RpcError::Internal.into());
    };
    let tx = prepared(ledger, call, json, &keys, As::Counterparty)?;
    signed_within(&tx, place, &keys)
}

/// Where within the transaction a second party signs, if the request names a place.
fn signature_target(ledger: &Ledger, call: &Call<'_>) -> Result<Option<Field>, Failure> {
    if !call.params.has("signature_target") {
        return Ok(None);
    }
    let name = params::as_string(call.params.get("signature_target"))?;
    let field = format::field_named(&name);
    let field = field.filter(|field| format::knows_field(ledger.rules().generation(), *field));
    let signs = |field: &Field| {
        let inner = template::inner(*field).unwrap_or_default();
        [sf::SigningPubKey, sf::TxnSignature].iter().all(|part| inner.iter().any(|(there, _)| there == part))
    };
    match field.filter(signs) {
        Some(place) => Ok(Some(place)),
        // The server's words are the field's name, and that of a field that it does not know is empty.
        None => Err(Failure::with_message(RpcError::InvalidParams, field.map_or("", Field::name))),
    }
}

/// The transaction with the signature of a second party in its place.
fn signed_within(tx: &Transaction, place: Field, keys: &KeyPair) -> Result<Transaction, Failure> {
    let slot = tx.object().object(place).cloned().unwrap_or_default();
    let slot = slot
        .with(sf::SigningPubKey, keys.public_key().as_bytes().to_vec())
        .with(sf::TxnSignature, keys.sign(&tx.signing_bytes()));
    let tx = Transaction::from_object(tx.object().clone().with(place, slot))
        .map_err(|error| Failure::with_message(RpcError::InvalidParams, exception(&error)))?;
    match sign::verify_signatures(&tx) {
        Ok(()) => Ok(tx),
        Err(_) => Err(Failure::with_message(RpcError::Internal, "Invalid signature.")),
    }
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
    let mut json = tx_json_of(call)?.clone();
    json.entry("SigningPubKey").or_insert_with(|| "".into());
    check_multi_signing(&json)?;
    let keys = secret::key_pair(&call.params, call.api_version)?;
    let tx = prepared(ledger, call, &json, &keys, As::Signer)?;
    let signature = keys.sign(&tx.multi_signing_bytes(&signer));
    // An unfunded signer is a phantom, whose master key signs.
    match ledger.open().state().object(&index::account_root(&signer)) {
        Some(root) => may_act(root, &signer, &keys)?,
        None if keys.account_id() == signer => {}
        None => return Err(RpcError::BadSecret.into()),
    }
    let entry = Signer { account: signer, public_key: keys.public_key(), signature };
    let mut signers = tx.object().array(sf::Signers).map(<[_]>::to_vec).unwrap_or_default();
    signers.push((sf::Signer, entry.to_object()));
    multi_signed(&tx, signers)
}

/// What both methods of multi-signing want before they read the transaction.
pub(super) fn check_multi_signing(json: &Map<String, Value>) -> Result<(), Failure> {
    for name in ["Sequence", "SigningPubKey"] {
        if !json.contains_key(name) {
            return Err(Failure::missing_field(&format!("tx_json.{name}")));
        }
    }
    if !params::as_string(json.get("SigningPubKey").unwrap_or(&Value::Null))?.is_empty() {
        let message = "When multi-signing 'tx_json.SigningPubKey' must be empty.";
        return Err(Failure::with_message(RpcError::InvalidParams, message));
    }
    Ok(())
}

/// The transaction with these Signers in the ledger's order, if they are such as it can have.
pub(super) fn multi_signed(
    tx: &Transaction,
    mut signers: Vec<(xrpl_wire::Field, Object)>,
) -> Result<Transaction, Failure> {
    let invalid = |message: String| Failure::with_message(RpcError::InvalidParams, message);
    let account_of = |signer: &Object| signer.account(sf::Account).unwrap_or(AccountId::ZERO);
    signers.sort_by_key(|(_, signer)| account_of(signer));
    let accounts: Vec<AccountId> = signers.iter().map(|(_, signer)| account_of(signer)).collect();
    let twice = accounts.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    });
    if let Some(account) = twice {
        let message = format!("Duplicate Signers:Signer:Account entries ({account}) are not allowed.");
        return Err(invalid(message));
    }
    if accounts.contains(&tx.account()) {
        let message = format!("A Signer may not be the transaction's Account ({}).", tx.account());
        return Err(invalid(message));
    }
    let object = tx.object().clone().with(sf::Signers, FieldValue::Array(signers));
    let tx = Transaction::from_object(object).map_err(|_| RpcError::Internal)?;
    match sign::verify_signatures(&tx) {
        Ok(()) => Ok(tx),
        Err(_) => Err(Failure::with_message(RpcError::Internal, "Invalid signature.")),
    }
}

/// The `tx_json` of a request.
pub(super) fn tx_json_of<'a>(call: &Call<'a>) -> Result<&'a Map<String, Value>, Failure> {
    if !call.params.has("tx_json") {
        return Err(Failure::missing_field("tx_json"));
    }
    call.params.get("tx_json").as_object().ok_or_else(|| Failure::expected_field("tx_json", "object"))
}

/// The account of a transaction that names its type and account.
pub(super) fn source_account(json: &Map<String, Value>) -> Result<AccountId, Failure> {
    if !json.contains_key("TransactionType") {
        return Err(Failure::missing_field("tx_json.TransactionType"));
    }
    let Some(account) = json.get("Account") else {
        let message = "Missing field 'tx_json.Account'.";
        return Err(Failure::with_message(RpcError::SrcActMissing, message));
    };
    account
        .as_str()
        .and_then(params::account)
        .ok_or_else(|| Failure::with_message(RpcError::SrcActMalformed, "Invalid field 'tx_json.Account'."))
}

/// The transaction that is to be signed, with everything in it but the signature.
fn prepared(
    ledger: &Ledger,
    call: &Call<'_>,
    json: &Map<String, Value>,
    keys: &KeyPair,
    who: As,
) -> Result<Transaction, Failure> {
    let mut json = json.clone();
    let account = source_account(&json)?;
    let offline = call.params.flag("offline");
    if offline && !json.contains_key("Sequence") {
        return Err(Failure::missing_field("tx_json.Sequence"));
    }
    let root = ledger.open().state().object(&index::account_root(&account));
    if !offline && root.is_none() {
        return Err(RpcError::SrcActNotFound.into());
    }
    if who != As::Signer {
        autofill::sequence(ledger, &account, &mut json)?;
        autofill::network_id(call, &mut json);
    } else if ledger.rules().generation().signers_name_the_network() {
        autofill::require_network_id(call, &json)?;
    }
    let fills_in = who != As::Signer && !offline;
    if fills_in {
        autofill::fee(ledger, &call.params, &mut json)?;
    } else if !json.contains_key("Fee") {
        return Err(Failure::missing_field("tx_json.Fee"));
    }
    payment::check(call, &mut json, fills_in)?;
    match who {
        As::Signer if json.contains_key("TxnSignature") => return Err(RpcError::AlreadySingleSig.into()),
        As::Account | As::Counterparty if json.contains_key("Signers") => {
            return Err(RpcError::AlreadyMultisig.into());
        }
        _ => {}
    }
    if let (As::Account, false, Some(root)) = (who, offline, root) {
        match json.get("Delegate") {
            Some(delegate) => may_act_as_delegate(ledger, delegate, keys)?,
            None => may_act(root, &account, keys)?,
        }
    }
    parsed::object(ledger.rules().generation(), "tx_json", &json)?;
    if who != As::Counterparty {
        let key = if who == As::Account { keys.public_key().to_string() } else { String::new() };
        json.insert("SigningPubKey".to_owned(), key.into());
        json.remove("TxnSignature");
    }
    read(ledger, &json)
}

/// A transaction that can be read and that a server would relay, or what is wrong with it.
pub(super) fn read(ledger: &Ledger, json: &Map<String, Value>) -> Result<Transaction, Failure> {
    let tx =
        parsed::transaction(ledger.rules().generation(), "tx_json", json).map_err(|error| match error {
            Unparsed::Field(failure) => failure,
            Unparsed::Template(error) => Failure::with_message(RpcError::InvalidParams, exception(&error)),
        })?;
    match ledger.local_checks(&tx) {
        Ok(()) => Ok(tx),
        Err(reason) => Err(Failure::with_message(RpcError::InvalidParams, reason)),
    }
}

/// The same for a delegate that a transaction names.
fn may_act_as_delegate(ledger: &Ledger, delegate: &Value, keys: &KeyPair) -> Result<(), Failure> {
    let delegate = delegate.as_str().and_then(params::account).ok_or_else(|| {
        Failure::with_message(RpcError::SrcActMalformed, "Invalid field 'tx_json.Delegate'.")
    })?;
    let root = ledger.open().state().object(&index::account_root(&delegate));
    may_act(root.ok_or(RpcError::DelegateActNotFound)?, &delegate, keys)
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
