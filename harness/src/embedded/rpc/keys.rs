//! The parameters of `ledger_entry` that name an entry, and the index that each comes to.

use serde_json::{Map, Value};
use xrpl_wire::{AccountId, Hash256, LedgerEntryType, index};

use super::error::{Failure, expected_field_message, missing_field_message};
use super::params;

/// A parameter that names an entry.
pub(super) struct Parser {
    /// Its name.
    pub(super) name: &'static str,
    /// How it is read; it is handed the name again for its errors.
    pub(super) parse: fn(&Value, &'static str) -> Result<Hash256, Failure>,
    /// The type the entry must be of.
    pub(super) kind: Option<LedgerEntryType>,
}

/// Builds the table from rows.
macro_rules! parsers {
    ($($name:literal, $parse:ident, $kind:ident;)*) => {
        /// All parameters that name an entry of one type, and `index`, which names any.
        pub(super) const PARSERS: &[Parser] = &[
            Parser { name: "index", parse: by_index, kind: None },
            $(Parser { name: $name, parse: $parse, kind: Some(LedgerEntryType::$kind) },)*
        ];
    };
}

parsers! {
    "account", account_root, AccountRoot;
    "account_root", account_root, AccountRoot;
    "amendments", amendments, Amendments;
    "amm", by_index, AMM;
    "bridge", by_index, Bridge;
    "check", by_index, Check;
    "credential", credential, Credential;
    "delegate", delegate, Delegate;
    "deposit_preauth", deposit_preauth, DepositPreauth;
    "did", did, DID;
    "directory", directory, DirectoryNode;
    "escrow", escrow, Escrow;
    "fee", fee, FeeSettings;
    "hashes", hashes, LedgerHashes;
    "loan", by_index, Loan;
    "loan_broker", by_index, LoanBroker;
    "mpt_issuance", mpt_issuance, MPTokenIssuance;
    "mptoken", mptoken, MPToken;
    "nft_offer", by_index, NFTokenOffer;
    "nft_page", by_index, NFTokenPage;
    "nunl", nunl, NegativeUNL;
    "offer", offer, Offer;
    "oracle", by_index, Oracle;
    "payment_channel", by_index, PayChannel;
    "permissioned_domain", permissioned_domain, PermissionedDomain;
    "ripple_state", ripple_state, RippleState;
    "signer_list", by_index, SignerList;
    "state", ripple_state, RippleState;
    "ticket", ticket, Ticket;
    "transaction_proposal", transaction_proposal, TransactionProposal;
    "vault", by_index, Vault;
    "xchain_owned_claim_id", by_index, XChainOwnedClaimID;
    "xchain_owned_create_account_claim_id", by_index, XChainOwnedCreateAccountClaimID;
}

fn by_index(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    value.as_str().and_then(params::hash).ok_or_else(|| invalid("malformedRequest", name, "hex string"))
}

fn account_root(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let account = as_account(value).ok_or_else(|| invalid("malformedAddress", name, "AccountID"))?;
    Ok(index::account_root(&account))
}

fn ticket(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    let account = required_account(fields, "account", "malformedAddress")?;
    let sequence = required_number(fields, "ticket_seq", "malformedRequest")?;
    Ok(index::ticket(&account, sequence))
}

fn transaction_proposal(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    proposal_of_ticket(fields)
}

/// The proposal that holds a Ticket, named by whose that is and its number.
pub(super) fn proposal_of_ticket(fields: &Map<String, Value>) -> Result<Hash256, Failure> {
    let account = required_account(fields, "account", "malformedAddress")?;
    let sequence = required_number(fields, "ticket_seq", "malformedRequest")?;
    Ok(index::transaction_proposal(&account, sequence))
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
    if let Some(list) = fields.get("authorized_credentials") {
        let list = authorized_credentials(list)?;
        let pairs: Vec<(AccountId, &[u8])> = list.iter().map(|(issuer, kind)| (*issuer, &**kind)).collect();
        return Ok(index::deposit_preauth_credentials(&owner, &pairs));
    }
    let authorized = fields.get("authorized").and_then(as_account);
    let authorized = authorized.ok_or_else(|| invalid("malformedAuthorized", "authorized", "AccountID"))?;
    Ok(index::deposit_preauth(&owner, &authorized))
}

/// No more credentials than this can be named together.
const CREDENTIALS_MAX: usize = 8;

/// Issuers and types of credentials, in the ledger's order.
fn authorized_credentials(value: &Value) -> Result<Vec<(AccountId, Vec<u8>)>, Failure> {
    const TOKEN: &str = "malformedAuthorizedCredentials";
    let says = |what: &str| Failure::malformed(TOKEN, what);
    let list = value.as_array().ok_or_else(|| invalid(TOKEN, "authorized_credentials", "array"))?;
    if list.len() > CREDENTIALS_MAX {
        return Err(says(&format!(
            "Invalid field 'authorized_credentials', array too long. Max length is {CREDENTIALS_MAX}."
        )));
    }
    if list.is_empty() {
        return Err(says("Invalid field 'authorized_credentials', array empty."));
    }
    let mut credentials = Vec::new();
    for item in list {
        let fields = item.as_object();
        let fields =
            fields.ok_or_else(|| says("Invalid field 'authorized_credentials', not an array of objects."))?;
        let issuer = required_account(fields, "issuer", TOKEN)?;
        let kind = required_blob(fields, "credential_type", TOKEN)?;
        credentials.push((issuer, kind));
    }
    credentials.sort();
    if credentials.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
        return Err(says("Invalid field 'authorized_credentials', has duplicates."));
    }
    Ok(credentials)
}

fn credential(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    let subject = required_account(fields, "subject", "malformedRequest")?;
    let issuer = required_account(fields, "issuer", "malformedRequest")?;
    let kind = required_blob(fields, "credential_type", "malformedRequest")?;
    Ok(index::credential(&subject, &issuer, &kind))
}

fn delegate(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    let account = required_account(fields, "account", "malformedAddress")?;
    let authorize = required_account(fields, "authorize", "malformedAddress")?;
    Ok(index::delegate(&account, &authorize))
}

/// An account has one DID, and here it has none: no entry has the index zero.
fn did(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    as_account(value).map(|_| Hash256::ZERO).ok_or_else(|| invalid("malformedAddress", name, "AccountID"))
}

fn offer(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    let account = required_account(fields, "account", "malformedAddress")?;
    let sequence = required_number(fields, "seq", "malformedRequest")?;
    Ok(index::offer(&account, sequence))
}

fn permissioned_domain(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    let account = required_account(fields, "account", "malformedAddress")?;
    let sequence = required_number(fields, "seq", "malformedRequest")?;
    Ok(index::permissioned_domain(&account, sequence))
}

fn issuance_id(value: &Value) -> Option<[u8; 24]> {
    hex::decode(value.as_str()?).ok()?.try_into().ok()
}

fn mpt_issuance(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let id = issuance_id(value).ok_or_else(|| invalid("malformedMPTokenIssuance", name, "Hash192"))?;
    Ok(index::mpt_issuance(&id))
}

fn mptoken(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    let id = issuance_id(required(fields, "mpt_issuance_id")?)
        .ok_or_else(|| invalid("malformedMPTIssuanceID", "mpt_issuance_id", "Hash192"))?;
    let account = required_account(fields, "account", "malformedAccount")?;
    Ok(index::mptoken(&id, &account))
}

/// The one entry of its type may be asked for with `true`.
fn only(value: &Value, name: &'static str, at: Hash256) -> Result<Hash256, Failure> {
    if *value == Value::Bool(true) { Ok(at) } else { by_index(value, name) }
}

fn amendments(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    only(value, name, index::amendments())
}

fn fee(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    only(value, name, index::fee_settings())
}

fn hashes(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    only(value, name, index::skip_list())
}

/// The entry of validators that are off line, which a standalone ledger never has.
fn nunl(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    only(value, name, NEGATIVE_UNL)
}

/// Where the NegativeUNL entry stands.
const NEGATIVE_UNL: Hash256 = Hash256([
    0x2E, 0x8A, 0x59, 0xAA, 0x9D, 0x3B, 0x5B, 0x18, 0x6B, 0x0B, 0x9E, 0x0F, 0x62, 0xE6, 0xC0, 0x25, 0x87,
    0xCA, 0x74, 0xA4, 0xD7, 0x78, 0x93, 0x8E, 0x95, 0x7B, 0x63, 0x57, 0xD3, 0x64, 0xB2, 0x44,
]);

fn directory(value: &Value, name: &'static str) -> Result<Hash256, Failure> {
    let Value::Object(fields) = value else { return by_index(value, name) };
    let page = match fields.get("sub_index") {
        None => 0,
        Some(Value::Bool(_)) => return Err(invalid("malformedRequest", "sub_index", "number")),
        Some(page) => params::as_u32(page).map_err(|_| invalid("malformedRequest", "sub_index", "number"))?,
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
        .filter(|text| !text.is_empty())
        .and_then(params::currency)
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

fn required_blob(fields: &Map<String, Value>, name: &str, token: &str) -> Result<Vec<u8>, Failure> {
    // As long as a credential's type may be.
    const BYTES: std::ops::RangeInclusive<usize> = 1..=64;
    let blob = required(fields, name)?.as_str().and_then(|text| hex::decode(text).ok());
    blob.filter(|blob| BYTES.contains(&blob.len())).ok_or_else(|| invalid(token, name, "hex string"))
}

fn required<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a Value, Failure> {
    fields.get(name).ok_or_else(|| Failure::malformed("malformedRequest", missing_field_message(name)))
}

fn invalid(token: &str, name: &str, kind: &str) -> Failure {
    Failure::malformed(token, expected_field_message(name, kind))
}
