//! `account_objects`: what stands in an account's directory, page by page.

use serde_json::{Map, Value};
use xrpl_wire::{AccountId, Hash256, LedgerEntryType, index, sf};

use super::error::{Failure, RpcError, RpcResult};
use super::params::{self, ACCOUNT_PAGE};
use super::select::{View, select};
use super::{Call, account, entry};
use crate::embedded::Ledger;

/// What keeps an account from being deleted.
const DELETION_BLOCKERS: &[LedgerEntryType] = &[
    LedgerEntryType::Check,
    LedgerEntryType::Escrow,
    LedgerEntryType::NFTokenPage,
    LedgerEntryType::PayChannel,
    LedgerEntryType::RippleState,
    LedgerEntryType::XChainOwnedClaimID,
    LedgerEntryType::XChainOwnedCreateAccountClaimID,
    LedgerEntryType::Bridge,
    LedgerEntryType::MPTokenIssuance,
    LedgerEntryType::MPToken,
    LedgerEntryType::PermissionedDomain,
    LedgerEntryType::Vault,
    LedgerEntryType::TransactionProposal,
];

/// Types that no account owns.
const UNOWNED: &[LedgerEntryType] = &[
    LedgerEntryType::Amendments,
    LedgerEntryType::DirectoryNode,
    LedgerEntryType::FeeSettings,
    LedgerEntryType::LedgerHashes,
    LedgerEntryType::NegativeUNL,
];

pub(super) fn account_objects<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let ident = call.params.required_string("account")?;
    let view = select(ledger, call)?;
    let mut result = view.describe();
    let Some(account) = params::account(ident) else {
        return Err(Failure::with_fields(result, RpcError::ActMalformed));
    };
    if view.entry(&index::account_root(&account)).is_none() {
        return Err(RpcError::ActNotFound.into());
    }
    let kinds = kinds(call)?;
    let limit = call.params.limit(ACCOUNT_PAGE, call.admin)?;
    let marker = marker(call)?;
    page(&view, &account, kinds.as_deref(), limit, marker, &mut result)
        .ok_or_else(|| Failure::invalid_field("marker"))?;
    result.insert("account".to_owned(), account.to_string().into());
    Ok(result)
}

fn kinds(call: &Call<'_>) -> Result<Option<Vec<LedgerEntryType>>, Failure> {
    if call.params.flag("deletion_blockers_only") {
        let wanted = call.params.has("type").then(|| call.params.get("type"));
        let named = |kind: &LedgerEntryType| {
            wanted.is_none_or(|wanted| {
                wanted.as_str().is_some_and(|name| entry::short_name(*kind) == Some(name))
            })
        };
        return Ok(Some(DELETION_BLOCKERS.iter().copied().filter(named).collect()));
    }
    match entry::type_filter(&call.params)? {
        Some(kind) if UNOWNED.contains(&kind) => Err(Failure::invalid_field("type")),
        kind => Ok(kind.map(|kind| vec![kind])),
    }
}

/// A marker names a directory page and the entry on it that comes next.
fn marker(call: &Call<'_>) -> Result<Option<(Hash256, Hash256)>, Failure> {
    if !call.params.has("marker") {
        return Ok(None);
    }
    let text =
        call.params.get("marker").as_str().ok_or_else(|| Failure::expected_field("marker", "string"))?;
    text.split_once(',')
        .and_then(|(page, next)| Some(Some((params::hash(page)?, params::hash(next)?))))
        .ok_or_else(|| Failure::invalid_field("marker"))
}

/// One page. Entries of other types than asked for count towards its length, as on the server: a page may
/// be empty and still have a marker. None where the marker points nowhere.
fn page(
    view: &View<'_>,
    account: &AccountId,
    kinds: Option<&[LedgerEntryType]>,
    limit: u32,
    marker: Option<(Hash256, Hash256)>,
    result: &mut Map<String, Value>,
) -> Option<()> {
    let root = index::owner_dir(account);
    let (first_page, mut first_entry) = match marker {
        None => (root, None),
        Some((page, _)) if page == Hash256::ZERO => (root, None),
        Some((page, next)) => (page, Some(next)),
    };
    let mut objects = Vec::new();
    let mut seen = 0_u32;
    let mut started = false;
    'pages: for (page_key, page) in account::directory(*view, root) {
        started |= page_key == first_page;
        if !started {
            continue;
        }
        let mut keys = page.vector256(sf::Indexes).unwrap_or_default();
        if let Some(first) = first_entry.take() {
            keys = keys.get(keys.iter().position(|key| *key == first)?..)?;
        }
        for key in keys {
            if seen == limit {
                result.insert("limit".to_owned(), limit.into());
                result.insert("marker".to_owned(), format!("{page_key},{key}").into());
                break 'pages;
            }
            seen = seen.saturating_add(1);
            let Some(object) = view.entry(key) else { continue };
            if kinds.is_none_or(|kinds| kinds.iter().any(|kind| account::is_kind(object, *kind))) {
                objects.push(entry::entry(key, object));
            }
        }
    }
    // A directory that is not there has nothing to list, unless a marker said that it had.
    if !started && marker.is_some_and(|(page, _)| page != Hash256::ZERO) {
        return None;
    }
    result.insert("account_objects".to_owned(), objects.into());
    Some(())
}
