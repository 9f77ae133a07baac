//! Ledger entries as the server prints them, and the names of their types.

use serde_json::Value;
use xrpl_wire::{Hash256, LedgerEntryType, Object, index, sf};

use super::error::Failure;
use super::params::Params;
use crate::embedded::{Generation, format};

/// An entry with its index.
pub(super) fn entry(key: &Hash256, object: &Object) -> Value {
    let mut json = format::to_json(object);
    if let Value::Object(fields) = &mut json {
        if let Some(id) = issuance_id(object) {
            fields.insert("mpt_issuance_id".to_owned(), id.into());
        }
        fields.insert("index".to_owned(), key.to_string().into());
    }
    json
}

/// The id of the token that an entry is the issuance of, if it is one.
fn issuance_id(object: &Object) -> Option<String> {
    if object.u16(sf::LedgerEntryType) != Some(LedgerEntryType::MPTokenIssuance.code()) {
        return None;
    }
    token_id(object)
}

/// The id of the token that these fields of an MPTokenIssuance are of.
pub(super) fn token_id(fields: &Object) -> Option<String> {
    let id = index::mpt_id(fields.u32(sf::Sequence)?, &fields.account(sf::Issuer)?);
    Some(hex::encode_upper(id))
}

/// An AccountRoot, with the picture that its EmailHash names.
pub(super) fn account_root(key: &Hash256, object: &Object, generation: Generation) -> Value {
    let mut json = entry(key, object);
    if let (Value::Object(fields), Some(xrpl_wire::Value::Hash128(email))) =
        (&mut json, object.get(sf::EmailHash))
    {
        let url = format!("{}{}", generation.pictures(), hex::encode(email));
        fields.insert("urlgravatar".to_owned(), url.into());
    }
    json
}

/// The name a request may give a type: the server's own, or its short form. In pairs.
const TYPE_NAMES: &[(LedgerEntryType, &str)] = &[
    (LedgerEntryType::AccountRoot, "account"),
    (LedgerEntryType::AMM, "amm"),
    (LedgerEntryType::Amendments, "amendments"),
    (LedgerEntryType::Bridge, "bridge"),
    (LedgerEntryType::Check, "check"),
    (LedgerEntryType::Credential, "credential"),
    (LedgerEntryType::DID, "did"),
    (LedgerEntryType::Delegate, "delegate"),
    (LedgerEntryType::DepositPreauth, "deposit_preauth"),
    (LedgerEntryType::DirectoryNode, "directory"),
    (LedgerEntryType::Escrow, "escrow"),
    (LedgerEntryType::FeeSettings, "fee"),
    (LedgerEntryType::LedgerHashes, "hashes"),
    (LedgerEntryType::Loan, "loan"),
    (LedgerEntryType::LoanBroker, "loan_broker"),
    (LedgerEntryType::MPToken, "mptoken"),
    (LedgerEntryType::MPTokenIssuance, "mpt_issuance"),
    (LedgerEntryType::NFTokenOffer, "nft_offer"),
    (LedgerEntryType::NFTokenPage, "nft_page"),
    (LedgerEntryType::NegativeUNL, "nunl"),
    (LedgerEntryType::Offer, "offer"),
    (LedgerEntryType::Oracle, "oracle"),
    (LedgerEntryType::PayChannel, "payment_channel"),
    (LedgerEntryType::PermissionedDomain, "permissioned_domain"),
    (LedgerEntryType::RippleState, "state"),
    (LedgerEntryType::SignerList, "signer_list"),
    (LedgerEntryType::Ticket, "ticket"),
    (LedgerEntryType::TransactionProposal, "transaction_proposal"),
    (LedgerEntryType::Vault, "vault"),
    (LedgerEntryType::XChainOwnedClaimID, "xchain_owned_claim_id"),
    (LedgerEntryType::XChainOwnedCreateAccountClaimID, "xchain_owned_create_account_claim_id"),
];

/// The type that parameter `type` asks for: by its own name in any case, or by its short name.
pub(super) fn type_filter(params: &Params<'_>) -> Result<Option<LedgerEntryType>, Failure> {
    if !params.has("type") {
        return Ok(None);
    }
    let name = params.get("type").as_str().ok_or_else(|| Failure::expected_field("type", "string"))?;
    TYPE_NAMES
        .iter()
        .find(|(kind, short)| kind.name().eq_ignore_ascii_case(name) || *short == name)
        .map(|(kind, _)| Some(*kind))
        .ok_or_else(|| Failure::invalid_field("type"))
}

/// The short name of a type.
pub(super) fn short_name(kind: LedgerEntryType) -> Option<&'static str> {
    TYPE_NAMES.iter().find(|(named, _)| *named == kind).map(|(_, short)| *short)
}
