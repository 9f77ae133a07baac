//! What a later server puts into a ledger, to the treasury's accounts and past them.

use xrpl_wire::Value;

use super::*;
use crate::ledger::vectors::{PAYEE, PAYER, account, later};

/// Whom the payments of the folder pay, and who sends them.
fn payee() -> AccountId {
    account(PAYEE)
}

fn payer() -> AccountId {
    account(PAYER)
}

/// Whom the escrow of the folder is for, and whose it is.
fn recipient() -> AccountId {
    account("002B848C22933AF6ABD0F7A6BFA0FB1E4F8F7373")
}

fn owner() -> AccountId {
    account("95D1CAE8FBAC73CE26525E61F0DC7BB430CEFA15")
}

fn watch(treasury: AccountId) -> Watch {
    Watch::new(BTreeSet::from([treasury]), BTreeSet::from([treasury]))
}

fn look(data: &TxData, watch: &Watch) -> Result<Seen, String> {
    assert!(watch.concerns(data), "it is not passed over");
    see(tree::transaction_id(&data.tx_blob.0), data, watch)
}

fn seen(data: &TxData, treasury: AccountId) -> Seen {
    look(data, &watch(treasury)).unwrap()
}

/// The same with one of its nodes' fields changed.
fn changed(mut data: TxData, change: impl FnOnce(&mut Vec<(xrpl_wire::Field, Object)>)) -> TxData {
    let mut meta = Object::decode_lenient(&data.meta_blob.0).unwrap();
    let Some(Value::Array(nodes)) = meta.get_mut(sf::AffectedNodes) else { panic!("no nodes") };
    change(nodes);
    data.meta_blob = HexBytes(meta.encode().unwrap());
    data
}

/// The node of an entry.
fn node(nodes: &mut [(xrpl_wire::Field, Object)], place: Hash256) -> &mut Object {
    let found = nodes.iter_mut().find(|(_, node)| node.hash256(sf::LedgerIndex) == Some(place));
    &mut found.unwrap().1
}

/// Fields that only a later server has: a UInt8 of number 40.
fn more() -> Object {
    Object::decode_lenient(&[0x00, 0x10, 0x28, 0x05]).unwrap()
}

/// Metadata of escrows as servers wrote it before their entries said which they are.
pub(super) fn without_sequences(mut meta: Object) -> Object {
    let Some(Value::Array(nodes)) = meta.get_mut(sf::AffectedNodes) else { panic!("no nodes") };
    let escrow = LedgerEntryType::Escrow.code();
    for (_, node) in nodes.iter_mut().filter(|(_, node)| node.u16(sf::LedgerEntryType) == Some(escrow)) {
        for fields in [sf::NewFields, sf::FinalFields] {
            if let Some(Value::Object(fields)) = node.get_mut(fields) {
                fields.remove(sf::Sequence);
            }
        }
    }
    meta
}

fn is_root(change: &Change, of: AccountId) -> bool {
    matches!(change, Change::Root { account, root: Some(_) } if *account == of)
}

#[test]
fn a_stranger_s_payment_of_an_unknown_type_or_with_an_unknown_field_is_read_by_what_it_does() {
    for data in [later!("payment_of_an_unknown_type"), later!("payment_with_an_unknown_field")] {
        // To a treasury account, and to a signer's.
        let signer = Watch::new(BTreeSet::from([payee()]), BTreeSet::new());
        for watch in [watch(payee()), signer] {
            let seen = look(&data, &watch).unwrap();
            assert!(seen.tx.is_none() && seen.opaque.is_none(), "{seen:?}");
            // What else is set of it is told of the treasury's own.
            let ours = usize::from(watch.treasury.contains(&payee()));
            assert!(seen.changes.len() == 1 + ours && is_root(&seen.changes[0], payee()), "{seen:?}");
        }
    }
}

#[test]
fn a_transaction_of_the_treasury_s_of_an_unknown_type_is_reported_by_its_number() {
    let seen = seen(&later!("payment_of_an_unknown_type"), payer());
    let tx = seen.tx.unwrap();
    assert_eq!((tx.tx_type.as_str(), tx.result.as_str()), ("type200", "tesSUCCESS"));
    assert_eq!((tx.account, tx.slot), (payer(), SeqProxy::Sequence(14)));
}

#[test]
fn an_unknown_result_is_reported_by_its_number_and_is_no_success() {
    let tx = seen(&later!("finish_that_fails_with_201"), owner()).tx.unwrap();
    assert!(tx.result == "tec201" && !tx.succeeded(), "{}", tx.result);
    assert!(seen(&later!("finish_that_fails_with_201"), recipient()).tx.is_none());
}

#[test]
fn a_stranger_s_later_escrow_to_the_treasury_is_nothing_to_it_and_one_of_its_own_is_opaque() {
    let data = later!("smart_escrow");
    let theirs = seen(&data, recipient());
    assert!(theirs.opaque.is_none() && theirs.changes.is_empty(), "{theirs:?}");
    let ours = seen(&data, owner());
    let opaque = ours.opaque.unwrap();
    assert_eq!(opaque.accounts, BTreeSet::from([owner()]));
    assert!(opaque.reason.contains("of its Escrow"), "{}", opaque.reason);
    assert!(ours.changes.iter().any(|change| matches!(change, Change::EscrowCreated { .. })), "and followed");
    assert!(ours.tx.is_some());
}

#[test]
fn a_new_field_in_every_account_puts_nothing_in_doubt_and_one_in_a_signer_list_does() {
    let place = index::account_root(&payee());
    let data = changed(later!("payment_of_an_unknown_type"), |nodes| {
        let Some(Value::Object(fields)) = node(nodes, place).get_mut(sf::FinalFields) else {
            panic!("no fields")
        };
        fields.extend(more());
    });
    let with_more = seen(&data, payee());
    assert_eq!(with_more.changes, seen(&later!("payment_of_an_unknown_type"), payee()).changes);
    assert!(with_more.opaque.is_none());

    let entry = Object::new().with(sf::Account, payer()).with(sf::SignerWeight, 1_u16);
    let list = Object::new()
        .with(sf::SignerQuorum, 1_u32)
        .with(sf::SignerEntries, vec![(sf::SignerEntry, entry)])
        .with(sf::SignerListID, 0_u32);
    for (fields, opaque) in [(list.clone(), false), (list.into_iter().chain(more()).collect(), true)] {
        let data = changed(later!("payment_of_an_unknown_type"), |nodes| {
            let created = Object::new()
                .with(sf::LedgerEntryType, LedgerEntryType::SignerList)
                .with(sf::LedgerIndex, index::signer_list(&payee()))
                .with(sf::NewFields, fields);
            nodes.push((sf::CreatedNode, created));
        });
        let seen = seen(&data, payee());
        assert!(seen.changes.iter().any(|change| matches!(change, Change::SignerList { list: Some(_), .. })));
        assert_eq!(seen.opaque.is_some(), opaque, "{seen:?}");
    }
}

#[test]
fn a_node_of_an_unknown_type_is_opaque_to_those_it_names_and_nothing_to_others() {
    for (names, of) in [(payee(), Some(payee())), (AccountId([7; 20]), None)] {
        let data = changed(later!("payment_of_an_unknown_type"), |nodes| {
            let created = Object::new()
                .with(sf::LedgerEntryType, 0x5A5A_u16)
                .with(sf::LedgerIndex, Hash256([5; 32]))
                .with(sf::NewFields, Object::new().with(sf::Owner, names));
            nodes.push((sf::CreatedNode, created));
        });
        let seen = seen(&data, payee());
        assert!(is_root(&seen.changes[0], payee()), "what can be read is read");
        assert_eq!(seen.opaque.as_ref().map(|opaque| opaque.accounts.clone()), of.map(|of| [of].into()));
        if let Some(opaque) = seen.opaque {
            assert_eq!(opaque.reason, "an entry of type 23130");
        }
    }
}

#[test]
fn an_account_whose_entry_is_not_as_it_was_is_opaque_and_no_zero_is_made_up() {
    let place = index::account_root(&payee());
    // A RegularKey of three bytes.
    let odd = Object::decode_lenient(&hex::decode("8803010203").unwrap()).unwrap();
    let data = changed(later!("payment_of_an_unknown_type"), |nodes| {
        let Some(Value::Object(fields)) = node(nodes, place).get_mut(sf::FinalFields) else {
            panic!("no fields")
        };
        fields.extend(odd);
    });
    let seen = seen(&data, payee());
    assert!(seen.changes.is_empty());
    assert!(seen.opaque.unwrap().reason.contains("the RegularKey of its AccountRoot"));
}

/// A field of type 27, of which nobody knows how long it is, and which stands behind all others.
const UNFRAMED: [u8; 4] = [0x01, 27, 9, 9];

#[test]
fn a_transaction_that_cannot_be_framed_is_opaque_and_its_metadata_is_read_all_the_same() {
    let mut data = later!("payment_of_an_unknown_type");
    data.tx_blob.0.extend(UNFRAMED);
    let seen = seen(&data, payee());
    assert!(is_root(&seen.changes[0], payee()));
    let opaque = seen.opaque.unwrap();
    assert_eq!(opaque.id, tree::transaction_id(&data.tx_blob.0));
    assert_eq!(opaque.accounts, BTreeSet::from([payee()]));
    assert!(opaque.reason.contains("type 27"), "{}", opaque.reason);
}

#[test]
fn what_became_of_a_payment_is_told_by_metadata_that_cannot_be_read_or_the_ledger_is_not_taken() {
    // Behind the nodes and before the result stands nothing that can be told the end of.
    let unframed = |result: &[u8]| {
        let mut data = later!("payment_of_an_unknown_type");
        let nodes = data.meta_blob.0.len() - 3;
        data.meta_blob.0.truncate(nodes - 1);
        data.meta_blob.0.extend([&UNFRAMED[..], &[0xF1], result].concat());
        data
    };
    let ours = seen(&unframed(&[0x03, 0x10, 0x00]), payer());
    assert_eq!(ours.tx.unwrap().result, "tesSUCCESS");
    assert_eq!(ours.opaque.unwrap().accounts, BTreeSet::from([payer()]));
    assert_eq!(seen(&unframed(&[0x03, 0x10, 104]), payer()).tx.unwrap().result, "tecUNFUNDED_PAYMENT");
    // To whom it is not, it is opaque and no more; where it is the treasury's own, everything hangs on it.
    for result in [&[0x04, 0x10, 0x00][..], &[0x03, 0x10, 50], &[]] {
        assert!(seen(&unframed(result), payee()).opaque.is_some());
        assert!(look(&unframed(result), &watch(payer())).is_err(), "{result:?}");
    }
}

#[test]
fn an_escrow_of_the_treasury_that_an_unknown_transaction_ends_is_gone() {
    let story = story("escrow-condition");
    let (tx, meta) = story
        .ledgers
        .iter()
        .flat_map(Recorded::decoded)
        .find(|(tx, meta)| {
            tx.tx_type() == TransactionType::EscrowFinish
                && meta.nodes.iter().any(|node| node.entry_type == LedgerEntryType::Escrow)
        })
        .unwrap();
    let owner = tx.object().account(sf::Owner).unwrap();
    let sequence = tx.object().u32(sf::OfferSequence).unwrap();
    let old = without_sequences(meta.object().clone());
    let end = |fields: Object, meta: &Object| {
        let meta_blob = HexBytes(meta.encode().unwrap());
        let tx_blob = HexBytes(fields.encode().unwrap());
        seen(&TxData { tx_blob, meta_blob }, owner)
    };
    let unknown = tx.object().clone().with(sf::TransactionType, 200_u16);
    let mut nameless = unknown.clone();
    nameless.remove(sf::OfferSequence);
    let key = EscrowKey { owner, sequence };
    for ended in [end(unknown, &old), end(nameless.clone(), meta.object())] {
        let is_it = |change: &Change| {
            matches!(change, Change::EscrowDeleted { key: of, tx_type, .. }
                if *of == key && tx_type == "type200")
        };
        assert!(ended.changes.iter().any(is_it) && ended.opaque.is_none(), "{ended:?}");
    }
    // Nothing says which it was: somebody has to look.
    let ended = end(nameless, &old);
    assert!(!ended.changes.iter().any(|change| matches!(change, Change::EscrowDeleted { .. })));
    assert_eq!(ended.opaque.unwrap().accounts, BTreeSet::from([owner]));
}
