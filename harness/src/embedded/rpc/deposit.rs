//! `deposit_authorized`: whether one account may pay another that asks to be asked.

use serde_json::{Map, Value};
use xrpl_wire::{AccountId, LedgerEntryType, flags, index, sf};

use super::Call;
use super::error::{Failure, RpcError, RpcResult};
use super::params;
use super::select::{View, select};
use crate::embedded::Ledger;

/// As many credentials as a payment may name.
const CREDENTIALS_MAX: usize = 8;

/// An issuer and the type of what it attests.
type Credential = (AccountId, Vec<u8>);

pub(super) fn deposit_authorized<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let party = |name| -> Result<(String, AccountId), Failure> {
        if !call.params.has(name) {
            return Err(Failure::missing_field(name));
        }
        let text = call.params.get(name).as_str().ok_or_else(|| Failure::expected_field(name, "a string"))?;
        let account = params::account(text).ok_or(RpcError::ActMalformed)?;
        Ok((text.to_owned(), account))
    };
    let (source_text, source) = party("source_account")?;
    let (destination_text, destination) = party("destination_account")?;
    let view = select(ledger, call)?;
    let mut result = view.describe();
    if view.entry(&index::account_root(&source)).is_none() {
        return Err(Failure::with_fields(result, RpcError::SrcActNotFound));
    }
    let Some(root) = view.entry(&index::account_root(&destination)) else {
        return Err(Failure::with_fields(result, RpcError::DstActNotFound));
    };
    let credentials = match call.params.has("credentials") {
        false => Vec::new(),
        true => credentials(&view, call.params.get("credentials"), &source, &result)?,
    };
    let asks = root.u32(sf::Flags).unwrap_or_default() & flags::lsfDepositAuth != 0 && source != destination;
    let by_credentials = || {
        let pairs: Vec<(AccountId, &[u8])> =
            credentials.iter().map(|(issuer, kind)| (*issuer, kind.as_slice())).collect();
        !pairs.is_empty() && view.entry(&index::deposit_preauth_credentials(&destination, &pairs)).is_some()
    };
    let authorized =
        !asks || view.entry(&index::deposit_preauth(&destination, &source)).is_some() || by_credentials();
    result.insert("source_account".to_owned(), source_text.into());
    result.insert("destination_account".to_owned(), destination_text.into());
    result.insert("deposit_authorized".to_owned(), authorized.into());
    if call.params.has("credentials") {
        result.insert("credentials".to_owned(), call.params.get("credentials").clone());
    }
    Ok(result)
}

/// The credentials of a request in the ledger's order, all of them good ones of the source.
fn credentials(
    view: &View<'_>,
    value: &Value,
    source: &AccountId,
    described: &Map<String, Value>,
) -> Result<Vec<Credential>, Failure> {
    let list = value.as_array().filter(|list| !list.is_empty()).ok_or_else(|| {
        Failure::expected_field("credentials", "is non-empty array of CredentialID(hash256)")
    })?;
    if list.len() > CREDENTIALS_MAX {
        return Err(Failure::expected_field("credentials", "array too long"));
    }
    let bad = |why: &str| Failure::with_fields_and_message(described.clone(), RpcError::BadCredentials, why);
    let mut credentials: Vec<Credential> = Vec::new();
    for item in list {
        let id = item.as_str().and_then(params::hash);
        let id =
            id.ok_or_else(|| Failure::expected_field("credentials", "an array of CredentialID(hash256)"))?;
        let entry =
            view.entry_of(&id, LedgerEntryType::Credential).ok_or_else(|| bad("credentials don't exist"))?;
        if entry.u32(sf::Flags).unwrap_or_default() & flags::lsfAccepted == 0 {
            return Err(bad("credentials aren't accepted"));
        }
        if entry.u32(sf::Expiration).is_some_and(|expires| view.parent_close_time().0 > expires) {
            return Err(bad("credentials are expired"));
        }
        if entry.account(sf::Subject) != Some(*source) {
            return Err(bad("credentials doesn't belong to the root account"));
        }
        let kind = entry.blob(sf::CredentialType).unwrap_or_default().to_vec();
        let credential = (entry.account(sf::Issuer).unwrap_or(AccountId::ZERO), kind);
        if credentials.contains(&credential) {
            return Err(bad("duplicates in credentials"));
        }
        credentials.push(credential);
    }
    credentials.sort();
    Ok(credentials)
}
