//! What a validated ledger may hold and this program does not know: read as far as it goes, kept, written back as
//! it was, and never signed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::json;
use xrpl_wire::entry::EntryError;
use xrpl_wire::{
    AccountId, CodecError, Field, LedgerEntry, LedgerEntryType, LedgerTx, Metadata, NodeKind, Object,
    SeqProxy, Transaction, TransactionType, TxError, Value, sf, tree,
};

/// The bytes under `key` of one of the files in `later`.
fn bytes(text: &str, key: &str) -> Vec<u8> {
    let story: serde_json::Value = serde_json::from_str(text).unwrap();
    hex::decode(story[key].as_str().unwrap()).unwrap()
}

macro_rules! later {
    ($name:literal) => {{
        let text = include_str!(concat!("later/", $name, ".json"));
        (bytes(text, "tx_blob"), bytes(text, "meta_blob"))
    }};
}

fn treasury() -> AccountId {
    let mut id = [0; 20];
    hex::decode_to_slice("A8EA04BACE21F9869660AF44455E92E6F3F0AD91", &mut id).unwrap();
    AccountId(id)
}

#[test]
fn a_transaction_of_an_unknown_type_is_told_by_its_number() {
    let (tx_blob, meta_blob) = later!("payment_of_an_unknown_type");
    assert_eq!(Transaction::decode(&tx_blob), Err(TxError::UnknownType { code: 200 }));
    let tx = LedgerTx::decode(&tx_blob).unwrap();
    assert_eq!((tx.tx_type(), tx.type_code(), &*tx.type_name()), (None, 200, "type200"));
    assert_eq!((tx.seq(), tx.id()), (SeqProxy::Sequence(14), tree::transaction_id(&tx_blob)));
    assert_eq!(tx.object().account(sf::Destination), Some(treasury()));
    assert_ne!(tx.account(), treasury());
    assert_eq!(tx.object().encode().unwrap(), tx_blob);
    let meta = Metadata::decode(&meta_blob).unwrap();
    assert_eq!(Metadata::decode_lenient(&meta_blob).unwrap(), meta, "its metadata is of today");
}

#[test]
fn an_unknown_field_is_kept_and_written_back_and_cannot_be_signed() {
    let (tx_blob, _) = later!("payment_with_an_unknown_field");
    let refused = Transaction::decode(&tx_blob).unwrap_err();
    assert_eq!(refused.code(), "codec_unknown_field");
    let tx = LedgerTx::decode(&tx_blob).unwrap();
    assert_eq!(tx.tx_type(), Some(TransactionType::Payment));
    let (field, value) = tx.object().iter().last().unwrap();
    assert_eq!((field.name(), field.is_known(), value), ("UInt8.40", false, &Value::U8(5)));
    assert_eq!(tx.object().not_understood(), Some(field));
    assert_eq!(tx.object().encode().unwrap(), tx_blob);
    assert_eq!(tx.object().to_json()["UInt8.40"], 5);
    let refused = Transaction::from_object(tx.object().clone()).unwrap_err();
    assert_eq!(refused, TxError::UnknownField { tx_type: TransactionType::Payment, field });
    assert!(Object::from_json(&tx.object().to_json()).is_err(), "nor made from its JSON");
}

#[test]
fn next_year_s_escrow_is_read_with_what_it_has_more() {
    let (tx_blob, meta_blob) = later!("smart_escrow");
    assert!(Transaction::decode(&tx_blob).is_err() && Metadata::decode(&meta_blob).is_err());
    let tx = LedgerTx::decode(&tx_blob).unwrap();
    assert_eq!(tx.object().encode().unwrap(), tx_blob);
    assert!(tx.object().iter().any(|(field, _)| field.name() == "Blob.47"));
    let meta = Metadata::decode_lenient(&meta_blob).unwrap();
    assert_eq!((meta.result.name(), meta.unknown_nodes.len()), ("tesSUCCESS", 0));
    assert_eq!(meta.encode().unwrap(), meta_blob);
    let escrow = meta.nodes.iter().find(|node| node.entry_type == LedgerEntryType::Escrow).unwrap();
    assert_eq!(escrow.kind, NodeKind::Created);
    assert!(escrow.final_fields.not_understood().is_some());
    let mut entry = escrow.final_fields.clone();
    entry.set(sf::LedgerEntryType, LedgerEntryType::Escrow);
    let Ok(LedgerEntry::Escrow(escrow)) = LedgerEntry::from_object(&entry) else { panic!("no escrow") };
    assert_eq!(escrow.sequence, Some(tx.seq().value()));
}

#[test]
fn an_unknown_result_is_its_number() {
    let (tx_blob, meta_blob) = later!("finish_that_fails_with_201");
    assert_eq!(Metadata::decode(&meta_blob).unwrap_err().code(), "codec_invalid_value");
    let meta = Metadata::decode_lenient(&meta_blob).unwrap();
    assert_eq!((meta.result.code(), meta.result.name(), meta.result.is_tec()), (201, "tec201", true));
    assert_eq!(meta.encode().unwrap(), meta_blob);
    assert_eq!(LedgerTx::decode(&tx_blob).unwrap().tx_type(), Some(TransactionType::EscrowFinish));
}

#[test]
fn a_node_of_an_unknown_type_is_set_aside() {
    let (_, meta_blob) = later!("payment_of_an_unknown_type");
    let mut object = Object::decode(&meta_blob).unwrap();
    let Some(Value::Array(nodes)) = object.get_mut(sf::AffectedNodes) else { panic!("no nodes") };
    nodes[0].1.set(sf::LedgerEntryType, 0x5A5A_u16);
    let changed = object.encode().unwrap();
    assert!(Metadata::decode(&changed).is_err());
    let meta = Metadata::decode_lenient(&changed).unwrap();
    assert_eq!((meta.nodes.len(), meta.unknown_nodes.len()), (1, 1));
    assert_eq!(meta.encode().unwrap(), changed);
}

#[test]
fn the_transactions_of_validators_are_nobody_s_in_both_ways_of_writing_that() {
    let blob = bytes(include_str!("later/unl_modify.json"), "tx_blob");
    let tx = Transaction::decode(&blob).unwrap();
    assert_eq!((tx.tx_type(), tx.account()), (TransactionType::UNLModify, AccountId::ZERO));
    assert_eq!(tx.blob(), blob);
    assert_eq!(LedgerTx::decode(&blob).unwrap(), LedgerTx::from(&tx));
    let zero = tx.into_object().with(sf::Account, AccountId::ZERO);
    assert_eq!(Transaction::from_object(zero).unwrap().account(), AccountId::ZERO);
    // What somebody signs is somebody's.
    let (payment, _) = later!("payment_of_an_unknown_type");
    let mut payment = Object::decode(&payment).unwrap().with(sf::TransactionType, TransactionType::Payment);
    payment.set(sf::Account, Value::AccountEmpty);
    let refused = Transaction::from_object(payment).unwrap_err();
    let (tx_type, field) = (TransactionType::Payment, sf::Account);
    assert_eq!(refused, TxError::MissingField { tx_type, field });
}

#[test]
fn a_field_of_an_unknown_type_cannot_be_read_past() {
    // Type 27, number 1: nothing says how long it is.
    let blob = [hex::decode("1200C8").unwrap(), vec![0x01, 27, 5, 6, 7]].concat();
    let unknown = CodecError::UnknownFieldCode { type_code: 27, nth: 1, offset: 3 };
    assert_eq!(Object::decode_lenient(&blob), Err(unknown.clone()));
    assert_eq!(LedgerTx::decode(&blob), Err(unknown));
}

#[test]
fn a_value_that_its_type_does_not_allow_is_kept_where_its_end_is_told() {
    for (what, field, value) in [
        ("XRP below zero", "61", "00000000000003E8"),
        ("a number that is not in normal form", "93", "000000000000000100000000"),
        ("a path of no steps", "0112", "FF00"),
        ("an account of three bytes", "81", "03010203"),
        ("bits that tokens do not have", "61", &format!("21{}", "00".repeat(32))),
    ] {
        let bytes = hex::decode(format!("{field}{value}")).unwrap();
        assert!(Object::decode(&bytes).is_err(), "{what}");
        let read = Object::decode_lenient(&bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
        let (field, raw) = read.iter().next().unwrap();
        let Value::Raw(raw) = raw else { panic!("{what}: {raw:?}") };
        assert_eq!(hex::encode_upper(raw.as_bytes()), value, "{what}");
        assert!(field.is_known() && read.not_understood() == Some(field), "{what}");
        assert_eq!(read.encode().unwrap(), bytes, "{what}");
    }
    // A kind of path step that does not exist may be of any length.
    assert!(Object::decode_lenient(&hex::decode("01120400").unwrap()).is_err());
}

#[test]
fn what_is_not_understood_within_a_transaction_is_not_signed() {
    let (tx_blob, _) = later!("payment_of_an_unknown_type");
    let payment = Object::decode(&tx_blob).unwrap().with(sf::TransactionType, TransactionType::Payment);
    Transaction::from_object(payment.clone()).unwrap();
    let odd = Object::decode_lenient(&hex::decode("6100000000000003E8").unwrap()).unwrap();
    let negative = odd.get(sf::Amount).unwrap().clone();
    let refused = Transaction::from_object(payment.clone().with(sf::Amount, negative)).unwrap_err();
    assert_eq!(refused.code(), "codec_invalid_value");
    let memo = Object::decode_lenient(&hex::decode("00102805").unwrap()).unwrap();
    let memos = vec![(sf::Memo, memo)];
    let refused = Transaction::from_object(payment.with(sf::Memos, memos)).unwrap_err();
    assert_eq!(refused.to_string(), "field UInt8.40: not understood");
}

#[test]
fn an_entry_is_read_from_the_json_of_a_later_server() {
    let account = treasury();
    let root = json!({
        "LedgerEntryType": "AccountRoot", "Account": account.to_string(), "Balance": "1000", "Sequence": 5,
        "OwnerCount": 2, "Flags": 0, "RecoveryDelay2027": 5, "AMMID": { "not": "what it was" },
        "index": "00", "signer_lists": [],
    });
    assert!(Object::from_json(&root).is_err());
    let Ok(LedgerEntry::AccountRoot(read)) =
        LedgerEntry::from_json_lenient(LedgerEntryType::AccountRoot, &root)
    else {
        panic!("no root")
    };
    assert_eq!((read.account, read.balance.get(), read.owner_count), (account, 1000, 2));
    // What is read has to be there, and as it is known.
    for (name, value) in [("Balance", json!({})), ("RegularKey", json!([])), ("Sequence", json!(null))] {
        let mut changed = root.clone();
        changed[name] = value;
        let error = LedgerEntry::from_json_lenient(LedgerEntryType::AccountRoot, &changed).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    let list = json!({ "SignerQuorum": 3, "SignerEntries": [{ "SignerEntry": {
        "Account": account.to_string(), "SignerWeight": 2, "WeightUntil2028": 9,
    } }] });
    let Ok(LedgerEntry::SignerList(read)) =
        LedgerEntry::from_json_lenient(LedgerEntryType::SignerList, &list)
    else {
        panic!("no list")
    };
    assert_eq!((read.quorum, read.weight_of(&account)), (3, Some(2)));
    let empty = json!({ "SignerQuorum": 3 });
    let error = LedgerEntry::from_json_lenient(LedgerEntryType::SignerList, &empty).unwrap_err();
    assert_eq!(error.code(), "entry_missing_field");
    let other = json!({ "SignerQuorum": 3, "SignerEntries": [{ "Committee2028": {} }] });
    assert!(
        LedgerEntry::from_json_lenient(LedgerEntryType::SignerList, &other).is_err(),
        "weights are missed"
    );
}

#[test]
fn a_value_that_is_not_understood_does_not_pass_for_one_that_is_not_there() {
    // A RegularKey of three bytes.
    let fields = Object::decode_lenient(&hex::decode("8803010203").unwrap()).unwrap();
    let fields = fields.with(sf::LedgerEntryType, LedgerEntryType::AccountRoot);
    let error = LedgerEntry::from_object(&fields).unwrap_err();
    let entry_type = LedgerEntryType::AccountRoot;
    assert_eq!(error, EntryError::BadField { entry_type, field: sf::RegularKey });
}

/// The header of a field, of any type and number.
fn header(kind: u8, nth: u8) -> Vec<u8> {
    match (kind < 16, nth < 16) {
        (true, true) => vec![kind << 4 | nth],
        (true, false) => vec![kind << 4, nth],
        (false, true) => vec![nth, kind],
        (false, false) => vec![0, kind, nth],
    }
}

/// Bytes that end where their type says.
fn framed(kind: u8) -> BoxedStrategy<Vec<u8>> {
    let fixed = |length| vec(any::<u8>(), length).boxed();
    let prefixed = || {
        vec(any::<u8>(), 0..60)
            .prop_map(|bytes| [vec![u8::try_from(bytes.len()).unwrap()], bytes].concat())
            .boxed()
    };
    match kind {
        1 => fixed(2),
        2 | 10 => fixed(4),
        3 | 11 => fixed(8),
        4 => fixed(16),
        5 => fixed(32),
        6 => prop_oneof![
            vec(any::<u8>(), 48).prop_map(|mut bytes| {
                bytes[0] |= 0x80;
                bytes
            }),
            vec(any::<u8>(), 33).prop_map(|mut bytes| {
                bytes[0] = bytes[0] & 0x7F | 0x20;
                bytes
            }),
            vec(any::<u8>(), 8).prop_map(|mut bytes| {
                bytes[0] &= 0x5F;
                bytes
            }),
        ]
        .boxed(),
        7 | 8 | 19 => prefixed(),
        9 | 20 => fixed(12),
        14 => Just(vec![0xE1]).boxed(),
        15 => Just(vec![0xF1]).boxed(),
        16 => fixed(1),
        17 | 26 => fixed(20),
        18 => vec(vec(any::<u8>(), 20), 0..3)
            .prop_map(|steps| {
                let steps = steps.into_iter().flat_map(|step| [vec![0x01], step].concat());
                steps.chain([0]).collect()
            })
            .boxed(),
        21 => fixed(24),
        22 => fixed(48),
        23 => fixed(64),
        24 => vec(any::<u8>(), 19)
            .prop_flat_map(|first| {
                vec(1_u8.., 20).prop_map(move |second| [vec![1], first.clone(), second].concat())
            })
            .boxed(),
        25 => (prefixed(), prefixed())
            .prop_map(|(locking, issuing)| [locking, vec![0; 20], issuing, vec![0; 20]].concat())
            .boxed(),
        _ => unreachable!("{kind}"),
    }
}

const KINDS: [u8; 24] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn any_fields_of_known_types_are_read_and_written_back(
        fields in btree_map(
            (proptest::sample::select(&KINDS[..]), 2..=255_u8),
            any::<proptest::sample::Index>(),
            0..8,
        ).prop_flat_map(|fields| {
            let values: Vec<_> = fields
                .into_keys()
                .map(|(kind, nth)| (Just((kind, nth)), framed(kind)))
                .collect();
            values
        })
    ) {
        let fields: BTreeMap<(u8, u8), Vec<u8>> = fields.into_iter().collect();
        let bytes: Vec<u8> = fields.iter().flat_map(|((kind, nth), value)| [header(*kind, *nth), value.clone()].concat()).collect();
        let read = Object::decode_lenient(&bytes).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(read.len(), fields.len());
        prop_assert_eq!(read.encode().unwrap(), bytes.clone());
        match Object::decode(&bytes) {
            Ok(strict) => prop_assert!(strict == read && read.not_understood().is_none()),
            Err(_) => prop_assert!(read.not_understood().is_some()),
        }
        let names: Vec<&str> = read.iter().map(|(field, _)| field.name()).collect();
        let json = read.to_json();
        prop_assert_eq!(json.as_object().unwrap().len(), names.len(), "{:?}", names);
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..300)) {
        let _ = LedgerTx::decode(&bytes);
        let _ = Metadata::decode_lenient(&bytes);
        if let Ok(read) = Object::decode_lenient(&bytes) {
            prop_assert_eq!(read.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn what_reads_strictly_reads_the_same_leniently(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        for mut bytes in [later!("smart_escrow").1, later!("payment_with_an_unknown_field").0, later!("smart_escrow").0] {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let (strict, lenient) = (Object::decode(&bytes), Object::decode_lenient(&bytes));
            if let Ok(strict) = strict {
                prop_assert_eq!(Ok(&strict), lenient.as_ref());
            }
            if let Ok(lenient) = lenient {
                prop_assert_eq!(lenient.encode().unwrap(), bytes);
            }
        }
    }
}

#[test]
fn every_field_of_the_table_is_known_and_no_name_is_an_unknown_one_s() {
    assert!(Field::all().all(|field| field.is_known() && !field.name().contains('.')));
}
