//! Typed ledger entries and the indexes they stand at, against the real server's state.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use support::{bytes, steps, stories};
use xrpl_wire::entry::{EntryError, FeeSettings};
use xrpl_wire::{
    AccountId, Currency, Drops, Hash256, Issue, LedgerEntry, LedgerEntryType, Metadata, NodeKind, Object,
    Transaction, TransactionType, Value, index, sf,
};

fn state(json: &Json) -> Vec<(Hash256, Object)> {
    let entries = json.as_array().unwrap().iter();
    entries
        .map(|entry| {
            let index = entry["index"].as_str().unwrap().parse().unwrap();
            (index, Object::decode(&bytes(&entry["data"])).unwrap())
        })
        .collect()
}

/// The index an entry should have, from its own contents; none where they do not say.
fn index_of(object: &Object, accounts: &BTreeSet<AccountId>, at: Hash256) -> Option<Hash256> {
    Some(match LedgerEntry::from_object(object).unwrap() {
        LedgerEntry::AccountRoot(entry) => index::account_root(&entry.account),
        LedgerEntry::Ticket(entry) => index::ticket(&entry.account, entry.ticket_sequence),
        LedgerEntry::FeeSettings(_) => index::fee_settings(),
        LedgerEntry::RippleState(entry) => {
            assert!(entry.low_limit.issuer < entry.high_limit.issuer);
            index::trust_line(&entry.high_limit.issuer, &entry.low_limit.issuer, &entry.balance.currency)
        }
        LedgerEntry::DepositPreauth(entry) => match entry.authorize {
            Some(authorized) => index::deposit_preauth(&entry.account, &authorized),
            None => {
                let listed = object.array(sf::AuthorizeCredentials)?;
                let credentials: Option<Vec<(AccountId, &[u8])>> = listed
                    .iter()
                    .map(|(_, credential)| {
                        Some((credential.account(sf::Issuer)?, credential.blob(sf::CredentialType)?))
                    })
                    .collect();
                index::deposit_preauth_credentials(&entry.account, &credentials?)
            }
        },
        // The entry does not name its owner.
        LedgerEntry::SignerList(_) => accounts.iter().map(index::signer_list).find(|index| *index == at)?,
        LedgerEntry::Escrow(_) => return None,
        LedgerEntry::Other(object) => match LedgerEntryType::from_code(object.u16(sf::LedgerEntryType)?)? {
            LedgerEntryType::Amendments => index::amendments(),
            LedgerEntryType::LedgerHashes => {
                let long = index::skip_list_for(object.u32(sf::LastLedgerSequence)?);
                [index::skip_list(), long].into_iter().find(|index| *index == at)?
            }
            LedgerEntryType::Check => index::check(&object.account(sf::Account)?, object.u32(sf::Sequence)?),
            LedgerEntryType::PayChannel => index::payment_channel(
                &object.account(sf::Account)?,
                &object.account(sf::Destination)?,
                object.u32(sf::Sequence)?,
            ),
            LedgerEntryType::Offer => index::offer(&object.account(sf::Account)?, object.u32(sf::Sequence)?),
            LedgerEntryType::Credential => index::credential(
                &object.account(sf::Subject)?,
                &object.account(sf::Issuer)?,
                object.blob(sf::CredentialType)?,
            ),
            LedgerEntryType::PermissionedDomain => {
                index::permissioned_domain(&object.account(sf::Owner)?, object.u32(sf::Sequence)?)
            }
            LedgerEntryType::MPTokenIssuance => {
                index::mpt_issuance(&index::mpt_id(object.u32(sf::Sequence)?, &object.account(sf::Issuer)?))
            }
            LedgerEntryType::MPToken => index::mptoken(&mpt_of(&object)?, &object.account(sf::Account)?),
            LedgerEntryType::Delegate => {
                index::delegate(&object.account(sf::Account)?, &object.account(sf::Authorize)?)
            }
            LedgerEntryType::TransactionProposal => {
                let proposed = object.object(sf::ProposedTransaction)?;
                index::transaction_proposal(
                    &proposed.account(sf::Account)?,
                    proposed.u32(sf::TicketSequence)?,
                )
            }
            LedgerEntryType::DirectoryNode => {
                let root = match object.account(sf::Owner) {
                    Some(owner) => index::owner_dir(&owner),
                    None => book_of(&object)?,
                };
                assert_eq!(object.hash256(sf::RootIndex), Some(root));
                // The page's number stands in its neighbours alone.
                (0..20).map(|page| index::dir_page(&root, page)).find(|index| *index == at)?
            }
            _ => return None,
        },
    })
}

/// The token of an MPToken.
fn mpt_of(object: &Object) -> Option<[u8; 24]> {
    match object.get(sf::MPTokenIssuanceID)? {
        Value::Hash192(id) => Some(*id),
        _ => None,
    }
}

/// The directory that a page of an order book belongs to.
fn book_of(object: &Object) -> Option<Hash256> {
    let hash = |field| match object.get(field) {
        Some(Value::Hash160(bytes)) => Some(*bytes),
        _ => None,
    };
    let side = |currency, issuer| match (Currency(hash(currency)?), AccountId(hash(issuer)?)) {
        (Currency::XRP, AccountId::ZERO) => Some(Issue::Xrp),
        (currency, issuer) => Some(Issue::Issued { currency, issuer }),
    };
    let pays = side(sf::TakerPaysCurrency, sf::TakerPaysIssuer)?;
    let gets = side(sf::TakerGetsCurrency, sf::TakerGetsIssuer)?;
    let book = index::book(&pays, &gets, object.hash256(sf::DomainID).as_ref());
    let root = index::book_quality(&book, object.u64(sf::ExchangeRate)?);
    assert_eq!(index::quality_of(&root), object.u64(sf::ExchangeRate)?);
    Some(root)
}

#[test]
fn every_recorded_entry_is_where_its_contents_say() {
    let mut seen = BTreeMap::new();
    for (name, story) in stories() {
        for json in [&story["genesis"]["state"], &story["final_state"]] {
            let state = state(json);
            let accounts = state.iter().filter_map(|(_, object)| match LedgerEntry::from_object(object) {
                Ok(LedgerEntry::AccountRoot(entry)) => Some(entry.account),
                _ => None,
            });
            let accounts: BTreeSet<AccountId> = accounts.collect();
            for (at, object) in &state {
                let code = object.u16(sf::LedgerEntryType).unwrap();
                let entry_type = LedgerEntryType::from_code(code).unwrap();
                match index_of(object, &accounts, *at) {
                    Some(index) => assert_eq!(index, *at, "{name} {entry_type}"),
                    None => assert!(entry_type == LedgerEntryType::Escrow, "{name} {entry_type} {at}"),
                }
                let read = LedgerEntry::from_object(object).unwrap();
                if !matches!(read, LedgerEntry::Other(_)) {
                    let shown = LedgerEntry::from_json_lenient(entry_type, &object.to_json());
                    assert_eq!(shown, Ok(read), "{name} {entry_type}");
                }
                *seen.entry(entry_type).or_insert(0) += 1;
            }
        }
    }
    for entry_type in [
        LedgerEntryType::AccountRoot,
        LedgerEntryType::SignerList,
        LedgerEntryType::Ticket,
        LedgerEntryType::RippleState,
        LedgerEntryType::FeeSettings,
        LedgerEntryType::DepositPreauth,
        LedgerEntryType::Amendments,
        LedgerEntryType::LedgerHashes,
        LedgerEntryType::DirectoryNode,
    ] {
        assert!(seen.contains_key(&entry_type), "no {entry_type} in the vectors: {seen:?}");
    }
}

#[test]
fn every_created_escrow_is_at_the_index_of_its_creators_sequence_or_ticket() {
    let (mut by_sequence, mut by_ticket) = (0, 0);
    for (name, story) in stories() {
        let closed = steps(&story, "close").filter_map(|step| step["expect"]["transactions"].as_array());
        for entry in closed.flatten() {
            let tx = Transaction::decode(&bytes(&entry["tx_blob"])).unwrap();
            if tx.tx_type() != TransactionType::EscrowCreate {
                continue;
            }
            let meta = Metadata::decode(&bytes(&entry["meta"])).unwrap();
            let created = meta
                .nodes
                .iter()
                .filter(|node| node.kind == NodeKind::Created && node.entry_type == LedgerEntryType::Escrow);
            for node in created {
                assert_eq!(index::escrow(&tx.account(), tx.seq().value()), node.index, "{name}");
                *if tx.seq().is_ticket() { &mut by_ticket } else { &mut by_sequence } += 1;
            }
        }
    }
    assert!(by_sequence > 20 && by_ticket > 0, "{by_sequence} by sequence, {by_ticket} by ticket");
}

#[test]
fn recorded_escrows_say_what_their_creators_said() {
    let mut count = 0;
    for (_, story) in stories() {
        for (_, object) in state(&story["final_state"]) {
            let Ok(LedgerEntry::Escrow(escrow)) = LedgerEntry::from_object(&object) else { continue };
            assert!(escrow.finish_after.is_some() || escrow.condition.is_some());
            assert!(escrow.finish_after.is_some() || escrow.cancel_after.is_some());
            assert!(escrow.previous.is_some());
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn signer_lists_are_sorted_by_account_id_bytes() {
    let mut count = 0;
    for (_, story) in stories() {
        for (_, object) in state(&story["final_state"]) {
            let Ok(LedgerEntry::SignerList(list)) = LedgerEntry::from_object(&object) else { continue };
            assert!(list.entries.is_sorted_by_key(|entry| entry.account));
            let total: u32 = list.entries.iter().map(|entry| u32::from(entry.weight)).sum();
            assert!(list.quorum > 0 && list.quorum <= total);
            assert_eq!(list.weight_of(&list.entries[0].account), Some(list.entries[0].weight));
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn both_generations_of_fee_settings_read_the_same() {
    let drops = |drops| Drops::new(drops).unwrap();
    let expected = FeeSettings {
        base_fee: drops(10),
        reserve_base: drops(1_000_000),
        reserve_increment: drops(200_000),
    };
    let new = Object::new()
        .with(sf::LedgerEntryType, LedgerEntryType::FeeSettings)
        .with(sf::BaseFeeDrops, drops(10))
        .with(sf::ReserveBaseDrops, drops(1_000_000))
        .with(sf::ReserveIncrementDrops, drops(200_000));
    let old = Object::new()
        .with(sf::LedgerEntryType, LedgerEntryType::FeeSettings)
        .with(sf::BaseFee, 10_u64)
        .with(sf::ReferenceFeeUnits, 10_u32)
        .with(sf::ReserveBase, 1_000_000_u32)
        .with(sf::ReserveIncrement, 200_000_u32);
    for object in [new, old] {
        assert_eq!(LedgerEntry::from_object(&object), Ok(LedgerEntry::FeeSettings(expected)));
    }
}

#[test]
fn entries_without_their_fields_are_refused_by_name() {
    assert_eq!(LedgerEntry::from_object(&Object::new()), Err(EntryError::NotAnEntry));
    let unknown = Object::new().with(sf::LedgerEntryType, 1_u16);
    assert_eq!(LedgerEntry::from_object(&unknown), Err(EntryError::UnknownType { code: 1 }));
    let empty = Object::new().with(sf::LedgerEntryType, LedgerEntryType::Ticket);
    assert_eq!(
        LedgerEntry::from_object(&empty),
        Err(EntryError::MissingField { entry_type: LedgerEntryType::Ticket, field: sf::Account })
    );
}
