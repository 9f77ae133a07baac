//! The books of what is promised and traded: offers, checks, channels, credentials, domains and tokens.

use std::collections::BTreeMap;

use xrpl_harness::embedded::StateMap;
use xrpl_wire::{AccountId, Field, Hash256, LedgerEntryType, Object, Value, flags, index, sf};

/// Whether an entry is of a type of this file.
pub(super) fn is_one(kind: LedgerEntryType) -> bool {
    matches!(
        kind,
        LedgerEntryType::Offer
            | LedgerEntryType::Check
            | LedgerEntryType::PayChannel
            | LedgerEntryType::Credential
            | LedgerEntryType::PermissionedDomain
            | LedgerEntryType::MPTokenIssuance
            | LedgerEntryType::MPToken
    )
}

/// Who counts an entry as owned, and where it must stand.
pub(super) fn owner_and_key(kind: LedgerEntryType, at: &Hash256, object: &Object) -> (AccountId, Hash256) {
    let who = |field| object.account(field).expect("an account");
    let sequence = object.u32(sf::Sequence).unwrap_or(0);
    let account = || who(sf::Account);
    match kind {
        LedgerEntryType::Offer => {
            for side in [sf::TakerPays, sf::TakerGets] {
                let amount = object.amount(side).expect("a side of an offer");
                assert!(!amount.is_zero() && !amount.is_negative(), "an offer of nothing");
            }
            (account(), index::offer(&account(), sequence))
        }
        LedgerEntryType::Check => (account(), index::check(&account(), sequence)),
        LedgerEntryType::PayChannel => {
            (account(), index::payment_channel(&account(), &who(sf::Destination), sequence))
        }
        LedgerEntryType::Credential => {
            let (subject, issuer) = (who(sf::Subject), who(sf::Issuer));
            let accepted = object.u32(sf::Flags).unwrap_or(0) & flags::lsfAccepted != 0;
            let kind = object.blob(sf::CredentialType).expect("a type");
            (if accepted { subject } else { issuer }, index::credential(&subject, &issuer, kind))
        }
        LedgerEntryType::PermissionedDomain => {
            assert!(credentials(object, sf::AcceptedCredentials).is_sorted(), "credentials out of order");
            (who(sf::Owner), index::permissioned_domain(&who(sf::Owner), sequence))
        }
        LedgerEntryType::MPTokenIssuance => {
            let id = index::mpt_id(sequence, &who(sf::Issuer));
            (who(sf::Issuer), index::mpt_issuance(&id))
        }
        LedgerEntryType::MPToken => (account(), index::mptoken(&token(object), &account())),
        other => panic!("{other} at {at} is of another file"),
    }
}

fn token(object: &Object) -> [u8; 24] {
    match object.get(sf::MPTokenIssuanceID) {
        Some(Value::Hash192(id)) => *id,
        other => panic!("a token is {other:?}"),
    }
}

/// The credentials that an entry lists.
pub(super) fn credentials(object: &Object, field: Field) -> Vec<(AccountId, &[u8])> {
    let listed = object.array(field).expect("a list of credentials").iter();
    listed
        .map(|(_, credential)| {
            let issuer = credential.account(sf::Issuer).expect("an issuer");
            (issuer, credential.blob(sf::CredentialType).expect("a type"))
        })
        .collect()
}

/// The books that list an offer, and the page in each.
pub(super) fn books(kind: Option<LedgerEntryType>, object: &Object) -> Vec<(Hash256, u64)> {
    if kind != Some(LedgerEntryType::Offer) {
        return Vec::new();
    }
    let place = |of: &Object| {
        let book = of.hash256(sf::BookDirectory).expect("an offer's book");
        (book, of.u64(sf::BookNode).expect("a page"))
    };
    let more = object.array(sf::AdditionalBooks).unwrap_or_default();
    std::iter::once(place(object)).chain(more.iter().map(|(_, book)| place(book))).collect()
}

/// A directory of a book says its rate, as its index does.
pub(super) fn check_directory(root: &Hash256, page: &Object) {
    let rate = page.u64(sf::ExchangeRate).expect("a rate, where there is no owner");
    assert_eq!(index::quality_of(root), rate, "the rate of a book");
}

/// Of each token as much is outstanding as is held and locked, and no more than there may be.
pub(super) fn check_tokens(state: &StateMap) {
    let number = |object: &Object, field| object.u64(field).unwrap_or(0);
    let mut held: BTreeMap<[u8; 24], (u64, u64)> = BTreeMap::new();
    for (_, entry) in state.iter().filter(|(_, entry)| entry.entry_type() == Some(LedgerEntryType::MPToken)) {
        let object = entry.object();
        let (amount, locked) = held.entry(token(object)).or_default();
        *amount += number(object, sf::MPTAmount);
        *locked += number(object, sf::LockedAmount);
    }
    for (at, entry) in state.iter() {
        if entry.entry_type() != Some(LedgerEntryType::MPTokenIssuance) {
            continue;
        }
        let object = entry.object();
        let issuer = object.account(sf::Issuer).expect("an issuer");
        let id = index::mpt_id(object.u32(sf::Sequence).expect("a number"), &issuer);
        let (amount, locked) = held.remove(&id).unwrap_or_default();
        let outstanding = number(object, sf::OutstandingAmount);
        assert_eq!(outstanding, amount + locked, "what is outstanding of {at}");
        assert_eq!(number(object, sf::LockedAmount), locked, "what is locked of {at}");
        assert!(outstanding <= object.u64(sf::MaximumAmount).unwrap_or(u64::MAX >> 1));
    }
    // What is left belongs to tokens that are gone: nobody has any of them.
    assert!(held.values().all(|left| *left == (0, 0)), "tokens of no issuance");
}
