//! What an account is and holds: `account_info`, `account_lines`, `account_currencies`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use xrpl_wire::{AccountId, Currency, Hash256, IouValue, LedgerEntryType, Object, flags, index, sf};

use super::error::{Failure, RpcError, RpcResult};
use super::params::{self, ACCOUNT_PAGE};
use super::select::{View, select};
use super::{Call, entry};
use crate::embedded::{Amendment, Ledger};

/// The flags that `account_info` spells out, by the server's names.
const ACCOUNT_FLAGS: &[(&str, u32)] = &[
    ("allowTrustLineClawback", flags::lsfAllowTrustLineClawback),
    ("allowTrustLineLocking", flags::lsfAllowTrustLineLocking),
    ("defaultRipple", flags::lsfDefaultRipple),
    ("depositAuth", flags::lsfDepositAuth),
    ("disableMasterKey", flags::lsfDisableMaster),
    ("disallowIncomingCheck", flags::lsfDisallowIncomingCheck),
    ("disallowIncomingNFTokenOffer", flags::lsfDisallowIncomingNFTokenOffer),
    ("disallowIncomingPayChan", flags::lsfDisallowIncomingPayChan),
    ("disallowIncomingTrustline", flags::lsfDisallowIncomingTrustline),
    ("disallowIncomingXRP", flags::lsfDisallowXRP),
    ("globalFreeze", flags::lsfGlobalFreeze),
    ("noFreeze", flags::lsfNoFreeze),
    ("passwordSpent", flags::lsfPasswordSpent),
    ("requireAuthorization", flags::lsfRequireAuth),
    ("requireDestinationTag", flags::lsfRequireDestTag),
];

/// Flags that came with an amendment.
const LATE_FLAGS: &[(&str, Amendment)] =
    &[("allowTrustLineClawback", Amendment::Clawback), ("allowTrustLineLocking", Amendment::TokenEscrow)];

pub(super) fn account_info<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let name = if !call.params.has("account") && call.params.has("ident") { "ident" } else { "account" };
    let ident = call.params.required_string(name)?;
    let view = select(ledger, call)?;
    let mut result = view.describe();
    let Some(account) = params::account(ident) else {
        return Err(Failure::with_fields(result, RpcError::ActMalformed));
    };
    let key = index::account_root(&account);
    let Some(root) = view.entry(&key) else {
        result.insert("account".to_owned(), account.to_string().into());
        return Err(Failure::with_fields(result, RpcError::ActNotFound));
    };
    let queue = call.params.flag("queue");
    if queue && !view.is_open() {
        return Err(Failure::with_fields(result, RpcError::InvalidParams));
    }
    let mut data = entry::account_root(&key, root, ledger.rules().generation());
    let set = root.u32(sf::Flags).unwrap_or_default();
    // Flags of an amendment that is not enabled are not spelled out.
    let known = |name: &str| {
        let late = LATE_FLAGS.iter().find(|(late, _)| *late == name);
        late.is_none_or(|(_, amendment)| ledger.rules().enabled(*amendment))
    };
    let names: Map<String, Value> = ACCOUNT_FLAGS
        .iter()
        .filter(|(name, _)| known(name))
        .map(|(name, flag)| ((*name).to_owned(), (set & flag != 0).into()))
        .collect();
    result.insert("account_flags".to_owned(), Value::Object(names));
    if call.params.has("signer_lists") {
        if call.api_version > 1 && !call.params.get("signer_lists").is_boolean() {
            result.insert("account_data".to_owned(), data);
            return Err(Failure::with_fields(result, RpcError::InvalidParams));
        }
        if call.params.flag("signer_lists") {
            let key = index::signer_list(&account);
            let lists: Vec<Value> =
                view.entry(&key).map(|list| entry::entry(&key, list)).into_iter().collect();
            // Version 1 put the lists inside of the account; version 2 where the documentation says.
            match &mut data {
                Value::Object(data) if call.api_version == 1 => {
                    data.insert("signer_lists".to_owned(), lists.into())
                }
                _ => result.insert("signer_lists".to_owned(), lists.into()),
            };
        }
    }
    result.insert("account_data".to_owned(), data);
    if queue {
        result.insert("queue_data".to_owned(), super::queue::queue_data(ledger, &account));
    }
    Ok(result)
}

/// A trust line as one of its two accounts sees it.
pub(super) struct Line {
    pub(super) peer: AccountId,
    pub(super) currency: Currency,
    pub(super) balance: IouValue,
    pub(super) limit: IouValue,
    limit_peer: IouValue,
    quality_in: u32,
    quality_out: u32,
    flags: u32,
    low: bool,
}

impl Line {
    /// The line that an entry is to one of its accounts; none if it is another kind of entry.
    pub(super) fn new(account: &AccountId, state: &Object) -> Option<Self> {
        if !is_kind(state, LedgerEntryType::RippleState) {
            return None;
        }
        let issued = |field| match state.amount(field) {
            Some(xrpl_wire::Amount::Issued(amount)) => Some(amount),
            _ => None,
        };
        let (balance, low_limit, high_limit) =
            (issued(sf::Balance)?, issued(sf::LowLimit)?, issued(sf::HighLimit)?);
        let low = low_limit.issuer == *account;
        if !low && high_limit.issuer != *account {
            return None;
        }
        let number =
            |low_field, high_field| state.u32(if low { low_field } else { high_field }).unwrap_or_default();
        let (own, other) = if low { (low_limit, high_limit) } else { (high_limit, low_limit) };
        Some(Self {
            peer: other.issuer,
            currency: balance.currency,
            // The balance is stored as the low account sees it.
            balance: if low { balance.value } else { balance.value.negated() },
            limit: own.value,
            limit_peer: other.value,
            quality_in: number(sf::LowQualityIn, sf::HighQualityIn),
            quality_out: number(sf::LowQualityOut, sf::HighQualityOut),
            flags: state.u32(sf::Flags).unwrap_or_default(),
            low,
        })
    }

    /// A flag of this side, or of the peer's.
    pub(super) fn has(&self, low: u32, high: u32, peer: bool) -> bool {
        self.flags & (if self.low != peer { low } else { high }) != 0
    }

    fn json(&self) -> Value {
        let mut json = super::fields([
            ("account", self.peer.to_string().into()),
            ("balance", self.balance.to_string().into()),
            ("currency", self.currency.to_string().into()),
            ("limit", self.limit.to_string().into()),
            ("limit_peer", self.limit_peer.to_string().into()),
            ("quality_in", self.quality_in.into()),
            ("quality_out", self.quality_out.into()),
        ]);
        let named = [
            ("authorized", flags::lsfLowAuth, flags::lsfHighAuth, false),
            ("peer_authorized", flags::lsfLowAuth, flags::lsfHighAuth, true),
            ("no_ripple", flags::lsfLowNoRipple, flags::lsfHighNoRipple, false),
            ("no_ripple_peer", flags::lsfLowNoRipple, flags::lsfHighNoRipple, true),
            ("freeze", flags::lsfLowFreeze, flags::lsfHighFreeze, false),
            ("freeze_peer", flags::lsfLowFreeze, flags::lsfHighFreeze, true),
            ("deep_freeze", flags::lsfLowDeepFreeze, flags::lsfHighDeepFreeze, false),
            ("deep_freeze_peer", flags::lsfLowDeepFreeze, flags::lsfHighDeepFreeze, true),
        ];
        for (name, low, high, peer) in named {
            if self.has(low, high, peer) {
                json.insert(name.to_owned(), true.into());
            }
        }
        Value::Object(json)
    }

    fn is_default(&self) -> bool {
        !self.has(flags::lsfLowReserve, flags::lsfHighReserve, false)
    }
}

pub(super) fn account_lines<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let ident = call.params.required_string("account")?;
    let view = select(ledger, call)?;
    let mut result = view.describe();
    let Some(account) = params::account(ident) else {
        return Err(Failure::with_fields(result, RpcError::ActMalformed));
    };
    if view.entry(&index::account_root(&account)).is_none() {
        return Err(RpcError::ActNotFound.into());
    }
    let peer = params::as_string(call.params.get("peer"))?;
    let peer = match (peer.is_empty(), params::account(&peer)) {
        (true, _) => None,
        (false, None) => return Err(Failure::with_fields(result, RpcError::ActMalformed)),
        (false, peer) => peer,
    };
    let limit = call.params.limit(ACCOUNT_PAGE, call.admin)?;
    let ignore_default = call.params.flag("ignore_default");
    let page = owned_page(&view, call, &account, limit, || RpcError::InvalidParams.into())?;
    let lines: Vec<Value> = page
        .entries
        .iter()
        .filter_map(|(_, object)| Line::new(&account, (*object)?))
        .filter(|line| !(ignore_default && line.is_default()) && peer.is_none_or(|peer| peer == line.peer))
        .map(|line| line.json())
        .collect();
    Page::insert_marker(&page, limit, &mut result);
    result.insert("account".to_owned(), account.to_string().into());
    result.insert("lines".to_owned(), lines.into());
    Ok(result)
}

/// A page of what stands in an account's directory.
pub(super) struct Page<'a> {
    /// The entries, of every kind: those that a method does not show count towards the length of its page.
    pub(super) entries: Vec<(Hash256, Option<&'a Object>)>,
    /// The last entry and the directory page it says it stands on, if more come after it.
    marker: Option<String>,
}

impl Page<'_> {
    /// Tells that there is more.
    pub(super) fn insert_marker(&self, limit: u32, result: &mut Map<String, Value>) {
        if let Some(marker) = &self.marker {
            result.insert("limit".to_owned(), limit.into());
            result.insert("marker".to_owned(), marker.as_str().into());
        }
    }
}

/// The page after the marker of a request. Methods differ in what they say of one that is `malformed`.
pub(super) fn owned_page<'a>(
    view: &View<'a>,
    call: &Call<'_>,
    account: &AccountId,
    limit: u32,
    malformed: fn() -> Failure,
) -> Result<Page<'a>, Failure> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut owned = owned_entries(view, account);
    if let Some(after) = line_marker(view, call, account, malformed)?
        && !owned.any(|(key, _)| key == after)
    {
        return Err(RpcError::InvalidParams.into());
    }
    let entries: Vec<_> = owned.by_ref().take(limit).collect();
    let marker = match (entries.last(), owned.next()) {
        (Some((key, object)), Some(_)) => {
            let hint = object.map_or(0, |object| start_hint(object, account));
            Some(format!("{key},{hint}"))
        }
        _ => None,
    };
    Ok(Page { entries, marker })
}

/// The entry after which a page starts: `index,page`, an entry of the account.
fn line_marker(
    view: &View<'_>,
    call: &Call<'_>,
    account: &AccountId,
    malformed: fn() -> Failure,
) -> Result<Option<Hash256>, Failure> {
    if !call.params.has("marker") {
        return Ok(None);
    }
    let text =
        call.params.get("marker").as_str().ok_or_else(|| Failure::expected_field("marker", "string"))?;
    let invalid = || Failure::from(RpcError::InvalidParams);
    let (key, hint) = text.split_once(',').ok_or_else(malformed)?;
    let key = params::hash(key).ok_or_else(malformed)?;
    hint.split(',').next().and_then(|hint| hint.parse::<u64>().ok()).ok_or_else(malformed)?;
    let entry = view.entry(&key).ok_or_else(invalid)?;
    if is_related(entry, &key, account) { Ok(Some(key)) } else { Err(invalid()) }
}

/// Whether an entry is one of the account's directory.
fn is_related(entry: &Object, key: &Hash256, account: &AccountId) -> bool {
    let issuer = |field| match entry.amount(field) {
        Some(xrpl_wire::Amount::Issued(amount)) => amount.issuer == *account,
        _ => false,
    };
    if is_kind(entry, LedgerEntryType::RippleState) {
        return issuer(sf::LowLimit) || issuer(sf::HighLimit);
    }
    if let Some(owner) = entry.account(sf::Account) {
        return owner == *account || entry.account(sf::Destination) == Some(*account);
    }
    is_kind(entry, LedgerEntryType::SignerList) && *key == index::signer_list(account)
}

/// The directory page on which an entry of the account stands.
fn start_hint(entry: &Object, account: &AccountId) -> u64 {
    let field = match Line::new(account, entry) {
        Some(line) if line.low => sf::LowNode,
        Some(_) => sf::HighNode,
        None => sf::OwnerNode,
    };
    entry.u64(field).unwrap_or_default()
}

pub(super) fn is_kind(entry: &Object, kind: LedgerEntryType) -> bool {
    entry.u16(sf::LedgerEntryType) == Some(kind.code())
}

/// What an account's directory lists, page by page, with the entries.
pub(super) fn owned_entries<'a>(
    view: &View<'a>,
    account: &AccountId,
) -> impl Iterator<Item = (Hash256, Option<&'a Object>)> {
    let view = *view;
    directory(view, index::owner_dir(account))
        .flat_map(|(_, page)| page.vector256(sf::Indexes).unwrap_or_default())
        .map(move |key| (*key, view.entry(key)))
}

/// The pages of a directory from its root, with their keys.
pub(super) fn directory<'a>(view: View<'a>, root: Hash256) -> impl Iterator<Item = (Hash256, &'a Object)> {
    let first = view.entry_of(&root, LedgerEntryType::DirectoryNode).map(|page| (root, page));
    std::iter::successors(first, move |(_, page)| {
        let next = page.u64(sf::IndexNext).filter(|next| *next != 0)?;
        let key = index::dir_page(&root, next);
        view.entry_of(&key, LedgerEntryType::DirectoryNode).map(|page| (key, page))
    })
    // A directory has no more pages than this; a chain that never ends is a broken ledger's.
    .take(DIRECTORY_PAGES_MAX)
}

/// The server's own bound on the pages of one directory.
const DIRECTORY_PAGES_MAX: usize = 262_144;

pub(super) fn account_currencies<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let name = if !call.params.has("account") && call.params.has("ident") { "ident" } else { "account" };
    let ident = call.params.required_string(name)?;
    let view = select(ledger, call)?;
    let mut result = view.describe();
    let Some(account) = params::account(ident) else {
        return Err(Failure::with_fields(result, RpcError::ActMalformed));
    };
    if view.entry(&index::account_root(&account)).is_none() {
        return Err(RpcError::ActNotFound.into());
    }
    let (mut send, mut receive) = (BTreeSet::new(), BTreeSet::new());
    for (_, object) in owned_entries(&view, &account) {
        let Some(line) = object
            .filter(|object| is_kind(object, LedgerEntryType::RippleState))
            .and_then(|object| Line::new(&account, object))
        else {
            continue;
        };
        if line.balance < line.limit {
            receive.insert(line.currency);
        }
        if line.balance.negated() < line.limit_peer {
            send.insert(line.currency);
        }
    }
    let list = |set: BTreeSet<Currency>| {
        Value::Array(set.iter().map(|currency| currency.to_string().into()).collect())
    };
    result.insert("send_currencies".to_owned(), list(send));
    result.insert("receive_currencies".to_owned(), list(receive));
    Ok(result)
}
