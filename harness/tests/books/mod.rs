//! The books of closed ledgers, checked from their bytes and the format's rules alone: drops, owner counts,
//! directories, hashes, metadata. Property tests and fuzzing share it; it knows nothing of how a ledger is made.

mod market;

use std::collections::{BTreeMap, BTreeSet};

use xrpl_harness::embedded::{ClosedLedger, StateMap};
use xrpl_wire::{
    AccountId, Amount, Currency, Field, Hash256, LedgerEntryType, Metadata, NodeKind, Object, flags, index,
    sf, tree,
};

/// How many entries a directory page holds at most.
const PAGE_ENTRIES: usize = 32;

/// Checks a closed ledger by itself, and as the child of the one before it.
pub(crate) fn check(parent: Option<&ClosedLedger>, closed: &ClosedLedger) {
    check_hashes(closed);
    check_drops(closed);
    check_owners(&closed.state);
    check_directories(&closed.state);
    market::check_tokens(&closed.state);
    if let Some(parent) = parent {
        check_succession(parent, closed);
        check_metadata(parent, closed);
    }
}

/// Every hash follows from the bytes it covers.
fn check_hashes(closed: &ClosedLedger) {
    for (index, entry) in closed.state.iter() {
        assert_eq!(Object::decode(entry.blob()).as_ref(), Ok(entry.object()), "entry {index}");
    }
    let entries = closed.state.iter().map(|(index, entry)| (*index, entry.blob()));
    assert_eq!(closed.header.account_hash, tree::state_tree_root(entries), "account_hash");
    let transactions = closed.transactions.iter().map(|tx| (tx.blob(), &tx.meta_blob));
    assert_eq!(closed.header.transaction_hash, tree::transaction_tree_root(transactions), "transaction_hash");
    assert_eq!(closed.hash, closed.header.hash(), "ledger_hash");
}

/// What accounts hold, escrows lock and channels still owe is all there is.
fn check_drops(closed: &ClosedLedger) {
    let mut held: u64 = 0;
    for (index, entry) in closed.state.iter() {
        let field = match entry.entry_type() {
            Some(LedgerEntryType::AccountRoot) => sf::Balance,
            Some(LedgerEntryType::Escrow | LedgerEntryType::PayChannel) => sf::Amount,
            _ => continue,
        };
        if is(entry.entry_type(), LedgerEntryType::PayChannel) {
            // What has been paid out of it is elsewhere.
            held = held.wrapping_sub(entry.object().drops(sf::Balance).expect("what was paid").get());
        }
        match entry.object().amount(field) {
            Some(Amount::Xrp(drops)) => held = held.wrapping_add(drops.get()),
            Some(_) if field == sf::Amount => {}
            other => panic!("entry {index} holds {other:?}"),
        }
    }
    assert_eq!(held, closed.header.total_drops, "total drops");
}

/// Every account's OwnerCount and TicketCount are how many entries it owns; every entry is where its key says.
fn check_owners(state: &StateMap) {
    let mut owned: BTreeMap<AccountId, u32> = BTreeMap::new();
    let mut tickets: BTreeMap<AccountId, u32> = BTreeMap::new();
    let mut own = |account: AccountId| *owned.entry(account).or_default() += 1;
    for (at, entry) in state.iter() {
        let object = entry.object();
        let account = || object.account(sf::Account).expect("an account");
        let key = match entry.entry_type().expect("a known type of entry") {
            LedgerEntryType::AccountRoot => index::account_root(&account()),
            kind if market::is_one(kind) => {
                let (owner, key) = market::owner_and_key(kind, at, object);
                own(owner);
                key
            }
            LedgerEntryType::Ticket => {
                own(account());
                *tickets.entry(account()).or_default() += 1;
                index::ticket(&account(), object.u32(sf::TicketSequence).expect("a Ticket's number"))
            }
            LedgerEntryType::TransactionProposal => {
                let owner = object.account(sf::Owner).expect("an owner");
                let proposed = object.object(sf::ProposedTransaction).expect("what is proposed");
                (0..xrpl_wire::proposal::owner_count(proposed)).for_each(|_| own(owner));
                let target = proposed.account(sf::Account).expect("a target");
                let ticket = proposed.u32(sf::TicketSequence).expect("a Ticket");
                assert!(state.contains(&index::ticket(&target, ticket)), "a proposal without its Ticket");
                index::transaction_proposal(&target, ticket)
            }
            LedgerEntryType::Delegate => {
                own(account());
                index::delegate(&account(), &object.account(sf::Authorize).expect("a delegate"))
            }
            LedgerEntryType::DepositPreauth => {
                own(account());
                match object.account(sf::Authorize) {
                    Some(authorized) => index::deposit_preauth(&account(), &authorized),
                    None => {
                        let listed = market::credentials(object, sf::AuthorizeCredentials);
                        index::deposit_preauth_credentials(&account(), &listed)
                    }
                }
            }
            LedgerEntryType::SignerList => {
                let owner = object.account(sf::Owner).expect("an owner");
                own(owner);
                index::signer_list(&owner)
            }
            LedgerEntryType::RippleState => {
                let (low, high) = (side(object, sf::LowLimit), side(object, sf::HighLimit));
                let flags = object.u32(sf::Flags).unwrap_or(0);
                if flags & flags::lsfLowReserve != 0 {
                    own(low.0);
                }
                if flags & flags::lsfHighReserve != 0 {
                    own(high.0);
                }
                assert!(low.0 < high.0, "the low account comes first");
                index::trust_line(&low.0, &high.0, &low.1)
            }
            LedgerEntryType::Escrow => {
                own(account());
                // Made with a Ticket or a Sequence; either is written down with the amendment in force.
                object.u32(sf::Sequence).map_or(*at, |sequence| index::escrow(&account(), sequence))
            }
            LedgerEntryType::DirectoryNode
            | LedgerEntryType::FeeSettings
            | LedgerEntryType::Amendments
            | LedgerEntryType::LedgerHashes => continue,
            other => panic!("{other} is nothing this ledger makes"),
        };
        assert_eq!(*at, key, "an entry is not where its key says: {object:?}");
    }
    for (_, entry) in state.iter().filter(|(_, entry)| is(entry.entry_type(), LedgerEntryType::AccountRoot)) {
        let account = entry.object().account(sf::Account).expect("an account");
        let count = |field| entry.object().u32(field).unwrap_or(0);
        assert_eq!(count(sf::OwnerCount), owned.remove(&account).unwrap_or(0), "OwnerCount of {account}");
        assert_eq!(count(sf::TicketCount), tickets.remove(&account).unwrap_or(0), "TicketCount of {account}");
    }
    assert!(owned.is_empty(), "owners without an account: {owned:?}");
}

/// Directories of owners and of books: pages are linked both ways, none is empty or too full, and each lists exactly
/// the entries that point back at it.
fn check_directories(state: &StateMap) {
    let mut listed: BTreeSet<(Hash256, u64, Hash256)> = BTreeSet::new();
    let mut pages = 0;
    for (at, entry) in
        state.iter().filter(|(_, entry)| is(entry.entry_type(), LedgerEntryType::DirectoryNode))
    {
        pages += 1;
        let root = entry.object().hash256(sf::RootIndex).expect("a page's root");
        match entry.object().account(sf::Owner) {
            Some(owner) => assert_eq!(root, index::owner_dir(&owner), "an owner's directory"),
            None => market::check_directory(&root, entry.object()),
        }
        if *at == root {
            listed.extend(walk(state, at));
        }
    }
    let walked: BTreeSet<(Hash256, u64)> = listed.iter().map(|(root, page, _)| (*root, *page)).collect();
    // Empty roots list nothing, so the walk over them shows nothing of them.
    let empty_roots = state.iter().filter(|(_, entry)| {
        is(entry.entry_type(), LedgerEntryType::DirectoryNode)
            && entry.object().vector256(sf::Indexes).is_some_and(<[Hash256]>::is_empty)
    });
    assert_eq!(walked.len() + empty_roots.count(), pages, "pages that no root leads to");

    let mut expected: BTreeSet<(Hash256, u64, Hash256)> = BTreeSet::new();
    for (at, entry) in state.iter() {
        let owners = places(entry.entry_type(), entry.object()).into_iter();
        let owners = owners.map(|(owner, page)| (index::owner_dir(&owner), page));
        for (root, page) in owners.chain(market::books(entry.entry_type(), entry.object())) {
            assert!(expected.insert((root, page, *at)), "entry {at} is listed twice");
        }
    }
    assert_eq!(listed, expected, "what directories list, and what says that it is listed");
}

/// What a directory lists: root, page, entry.
fn walk(state: &StateMap, root: &Hash256) -> Vec<(Hash256, u64, Hash256)> {
    let page = |number| state.object(&index::dir_page(root, number)).expect("a linked page");
    let link = |page: &Object, field| page.u64(field).unwrap_or(0);
    let (mut all, mut number, mut previous) = (Vec::new(), 0, 0);
    let last = link(page(0), sf::IndexPrevious);
    loop {
        let object = page(number);
        assert_eq!(object.hash256(sf::RootIndex), Some(*root), "a page's root");
        if number != 0 {
            assert_eq!(link(object, sf::IndexPrevious), previous, "the link back from page {number}");
        }
        let entries = object.vector256(sf::Indexes).expect("a page's entries");
        assert!(entries.len() <= PAGE_ENTRIES, "page {number} holds {}", entries.len());
        // The server leaves an empty root standing where a Ticket or an Escrow was the last to go.
        assert!(!entries.is_empty() || number == 0, "page {number} is empty");
        // Books list the oldest first, owners by index.
        assert!(!object.has(sf::Owner) || entries.is_sorted(), "page {number} is out of order");
        assert!(object.has(sf::Owner) || !entries.is_empty(), "an empty page of a book");
        all.extend(entries.iter().map(|entry| (*root, number, *entry)));
        let next = link(object, sf::IndexNext);
        if next == 0 {
            assert_eq!(number, last, "the root's link to the last page");
            return all;
        }
        assert!(next > number, "pages ascend");
        (previous, number) = (number, next);
    }
}

/// The owners' directories that list an entry, and the page in each.
fn places(kind: Option<LedgerEntryType>, object: &Object) -> Vec<(AccountId, u64)> {
    let page = |field| object.u64(field);
    let at = |account: Field, node| Some((object.account(account)?, page(node)?));
    match kind {
        Some(LedgerEntryType::Ticket | LedgerEntryType::DepositPreauth) => {
            at(sf::Account, sf::OwnerNode).into_iter().collect()
        }
        Some(
            LedgerEntryType::SignerList
            | LedgerEntryType::PermissionedDomain
            | LedgerEntryType::TransactionProposal,
        ) => at(sf::Owner, sf::OwnerNode).into_iter().collect(),
        Some(LedgerEntryType::Offer | LedgerEntryType::MPToken) => {
            at(sf::Account, sf::OwnerNode).into_iter().collect()
        }
        Some(LedgerEntryType::MPTokenIssuance) => at(sf::Issuer, sf::OwnerNode).into_iter().collect(),
        Some(LedgerEntryType::Credential) => {
            let own = [at(sf::Issuer, sf::IssuerNode), at(sf::Subject, sf::SubjectNode)];
            own.into_iter().flatten().collect()
        }
        Some(LedgerEntryType::Check | LedgerEntryType::PayChannel) => {
            let own = [at(sf::Account, sf::OwnerNode), at(sf::Destination, sf::DestinationNode)];
            own.into_iter().flatten().collect()
        }
        Some(LedgerEntryType::Delegate) => {
            let own = [at(sf::Account, sf::OwnerNode), at(sf::Authorize, sf::DestinationNode)];
            own.into_iter().flatten().collect()
        }
        Some(LedgerEntryType::Escrow) => {
            let issuer = match object.amount(sf::Amount) {
                Some(Amount::Issued(amount)) => page(sf::IssuerNode).map(|page| (amount.issuer, page)),
                _ => None,
            };
            let own = [at(sf::Account, sf::OwnerNode), at(sf::Destination, sf::DestinationNode), issuer];
            own.into_iter().flatten().collect()
        }
        Some(LedgerEntryType::RippleState) => {
            let low = page(sf::LowNode).map(|page| (side(object, sf::LowLimit).0, page));
            let high = page(sf::HighNode).map(|page| (side(object, sf::HighLimit).0, page));
            [low, high].into_iter().flatten().collect()
        }
        _ => Vec::new(),
    }
}

/// A ledger follows its parent: link, times, fees burned, the parent's hash remembered.
fn check_succession(parent: &ClosedLedger, closed: &ClosedLedger) {
    let (before, after) = (&parent.header, &closed.header);
    assert_eq!((after.index, after.parent_hash), (before.index + 1, parent.hash), "the parent");
    assert_eq!(after.parent_close_time, before.close_time);
    assert!(after.close_time > before.close_time || before.close_time.0 == u32::MAX, "time goes on");
    let fees: u64 = closed.transactions.iter().map(|tx| tx.tx().fee().get()).sum();
    assert_eq!(after.total_drops + fees, before.total_drops, "nothing is burned but fees");
    let hashes = closed.state.object(&index::skip_list()).and_then(|list| list.vector256(sf::Hashes));
    assert_eq!(hashes.and_then(<[Hash256]>::last), Some(&parent.hash), "the skip list");
}

/// Metadata says exactly what changed.
fn check_metadata(parent: &ClosedLedger, closed: &ClosedLedger) {
    let mut told: BTreeMap<Hash256, Option<Object>> = BTreeMap::new();
    for (position, tx) in closed.transactions.iter().enumerate() {
        let meta = Metadata::decode(&tx.meta_blob).expect("metadata");
        assert_eq!(usize::try_from(meta.transaction_index), Ok(position), "TransactionIndex");
        assert_eq!(meta.result, tx.result);
        assert!(tx.result.is_tes() || tx.result.is_tec(), "{} is in a ledger", tx.result);
        assert!(meta.nodes.windows(2).all(|pair| pair[0].index < pair[1].index), "nodes by index");
        for node in meta.nodes {
            let left = (node.kind != NodeKind::Deleted).then_some(node.final_fields);
            told.insert(node.index, left);
        }
    }
    let untold = [index::skip_list(), index::skip_list_for(parent.header.index)];
    let indexes = |state: &StateMap| state.iter().map(|(index, _)| *index).collect::<BTreeSet<_>>();
    for at in indexes(&parent.state).union(&indexes(&closed.state)).filter(|at| !untold.contains(at)) {
        let (before, after) = (parent.state.get(at), closed.state.get(at));
        let same = before.map(|entry| entry.blob()) == after.map(|entry| entry.blob());
        assert!(same || told.contains_key(at), "no metadata tells that {at} changed");
    }
    for (at, fields) in told {
        let after = closed.state.object(&at);
        match fields {
            // The last word on an entry is what it is. New entries leave out what is a default.
            Some(fields) => {
                let after = after.unwrap_or_else(|| panic!("{at} should be there"));
                for (field, value) in fields.iter() {
                    assert_eq!(after.get(field), Some(value), "{} of {at}", field.name());
                }
            }
            None => assert!(after.is_none(), "{at} should be gone"),
        }
    }
}

/// A side of a trust line: the account and the currency.
fn side(object: &Object, field: Field) -> (AccountId, Currency) {
    match object.amount(field) {
        Some(Amount::Issued(limit)) => (limit.issuer, limit.currency),
        other => panic!("a limit is {other:?}"),
    }
}

fn is(kind: Option<LedgerEntryType>, wanted: LedgerEntryType) -> bool {
    kind == Some(wanted)
}
