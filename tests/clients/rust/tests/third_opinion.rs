//! xrpl-rust as a third opinion beside xrpl-wire and the recorded servers: on the codec, addresses, keys, signatures
//! and ids of everything that was recorded.
//!
//! Where it differs, it differs for one of the reasons listed here, each of which a test in `known_faults.rs` shows
//! by itself. Another reason, or one that is gone, fails: then this list is no longer true.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use serde_json::Value as Json;
use support::{guarded, normal};
use xrpl::core::{addresscodec, binarycodec, keypairs};
use xrpl_wire::{AccountId, KeyPair, LedgerTx, Object, PublicKey, Seed, prefix, sf, sha512_half};

mod support;

/// Every different transaction, metadata and entry of all recorded stories, as hex.
static BLOBS: LazyLock<Vec<(Kind, String)>> = LazyLock::new(|| {
    let mut seen = HashSet::new();
    let mut blobs = Vec::new();
    let mut take = |kind, blob: &Json| {
        // One blob was sent to see what servers say of what is not hex.
        if let Some(blob) = blob.as_str().filter(|blob| hex::decode(blob).is_ok())
            && seen.insert(blob.to_owned())
        {
            blobs.push((kind, blob.to_owned()));
        }
    };
    for story in stories() {
        for step in story["steps"].as_array().unwrap() {
            take(Kind::Transaction, &step["tx_blob"]);
            let closed = if step["op"] == "close" { step["expect"]["transactions"].as_array() } else { None };
            for transaction in closed.into_iter().flatten() {
                take(Kind::Transaction, &transaction["tx_blob"]);
                take(Kind::Metadata, &transaction["meta"]);
            }
        }
        for entry in story["final_state"].as_array().unwrap() {
            take(Kind::Entry, &entry["data"]);
        }
    }
    blobs
});

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Transaction,
    Metadata,
    Entry,
}

fn stories() -> impl Iterator<Item = Json> {
    let folders = recordings::folders().unwrap().into_iter();
    let all = folders.flat_map(|folder| recordings::in_folder(&folder).unwrap());
    all.map(|recording| recording.load().unwrap())
}

/// Every recorded key once: seed, public key, address.
fn keys() -> Vec<[String; 3]> {
    let mut keys = HashSet::new();
    for story in stories() {
        for key in story["keys"].as_object().unwrap().values() {
            keys.insert(["seed", "public_key", "address"].map(|name| key[name].as_str().unwrap().to_owned()));
        }
    }
    keys.into_iter().collect()
}

/// Why xrpl-rust says otherwise: the fault, by the name of the test in `known_faults.rs` that shows it.
fn reason(error: &str) -> &'static str {
    match error {
        _ if error.contains("UnknownFieldName") => "what_it_does_not_know",
        // Proposals on the ledger, which no network has yet.
        _ if error.contains("TransactionProposal") => "what_it_does_not_know",
        _ if error.contains("UnknownTransactionType") => "names_of_permissions",
        _ if error.contains("precision too large") => "large_token_amounts",
        _ if error.contains("Invalid read from bytes value") => "large_token_amounts",
        _ if error.contains("Value is negative") => "negative_mpt_amounts",
        _ => panic!("xrpl-rust differs for a reason that is not listed: {error}"),
    }
}

/// The blobs that xrpl-wire understands wholly, with what it reads. Others are younger than it, or what no honest
/// encoder writes.
fn understood() -> impl Iterator<Item = (Kind, &'static str, Object)> {
    BLOBS.iter().filter_map(|(kind, blob)| {
        let object = Object::decode(&hex::decode(blob).unwrap()).ok()?;
        Some((*kind, blob.as_str(), object))
    })
}

/// The reasons that were met. There may be nothing recorded that xrpl-wire knows and xrpl-rust does not.
fn assert_reasons(other: BTreeMap<&'static str, usize>, expected: &[&str]) {
    let met = other.into_keys().filter(|reason| *reason != "what_it_does_not_know");
    assert_eq!(met.collect::<Vec<_>>(), expected);
}

fn count(counts: &mut BTreeMap<&'static str, usize>, what: &'static str) {
    *counts.entry(what).or_default() += 1;
}

#[test]
fn what_was_recorded_is_read_alike() {
    let (mut same, mut other) = (BTreeMap::new(), BTreeMap::new());
    for (kind, blob, object) in understood() {
        match guarded(|| binarycodec::decode(blob)) {
            Ok(theirs) if normal(&theirs) == normal(&object.to_json()) => {
                *same.entry(kind).or_insert(0) += 1;
            }
            Ok(theirs) if theirs.to_string().contains("PermissionValue") => {
                count(&mut other, "names_of_permissions");
            }
            Ok(theirs) => panic!("{blob}\n{}\n{theirs}", object.to_json()),
            Err(error) => count(&mut other, reason(&error)),
        }
    }
    assert!(same[&Kind::Transaction] > 4_000, "{same:?}");
    assert!(same[&Kind::Metadata] > 4_000, "{same:?}");
    assert!(same[&Kind::Entry] > 2_000, "{same:?}");
    println!("read alike: {same:?}, not: {other:?}");
    assert_reasons(other, &["large_token_amounts", "names_of_permissions"]);
}

#[test]
fn what_was_recorded_is_written_alike() {
    let (mut same, mut other) = (BTreeMap::new(), BTreeMap::new());
    for (kind, blob, object) in understood() {
        match guarded(|| binarycodec::encode(&object.to_json())) {
            Ok(theirs) if theirs == blob => *same.entry(kind).or_insert(0) += 1,
            // It leaves out what it has no name for, and says nothing.
            Ok(theirs) => {
                assert!(guarded(|| binarycodec::decode(blob)).is_err(), "{blob}\n{theirs}");
                assert!(theirs.len() < blob.len(), "{blob}\n{theirs}");
                count(&mut other, "what_it_does_not_know");
            }
            Err(error) => count(&mut other, reason(&error)),
        }
    }
    assert!(same[&Kind::Transaction] > 4_000, "{same:?}");
    assert!(same[&Kind::Metadata] > 4_000, "{same:?}");
    assert!(same[&Kind::Entry] > 2_000, "{same:?}");
    println!("written alike: {same:?}, not: {other:?}");
    assert_reasons(other, &["large_token_amounts", "names_of_permissions", "negative_mpt_amounts"]);
}

/// The bytes that a single signature is over, as xrpl-wire writes them.
fn signing_bytes(object: &Object) -> Vec<u8> {
    [&prefix::SIGN[..], &object.encode_signing().unwrap()].concat()
}

/// The bytes that one of several signatures is over, as xrpl-wire writes them.
fn multi_signing_bytes(object: &Object, signer: &AccountId) -> Vec<u8> {
    [&prefix::MULTI_SIGN[..], &object.encode_signing().unwrap(), signer.as_bytes()].concat()
}

/// The transactions that both write as they were recorded, and so can compare signatures over; with their JSON.
static SHARED: LazyLock<Vec<(&str, LedgerTx, Json)>> = LazyLock::new(|| {
    let transactions = understood().filter(|(kind, ..)| *kind == Kind::Transaction);
    let both = transactions.filter_map(|(_, blob, object)| {
        let json = object.to_json();
        let theirs = guarded(|| binarycodec::encode(&json));
        let transaction = LedgerTx::decode(&hex::decode(blob).unwrap()).ok()?;
        (theirs.as_deref() == Ok(blob)).then_some((blob, transaction, json))
    });
    both.collect()
});

#[test]
fn ids_are_alike() {
    let mut compared = 0;
    for (blob, transaction, json) in SHARED.iter() {
        let theirs = binarycodec::encode(json).unwrap();
        let theirs = sha512_half(&[&prefix::TRANSACTION_ID, &hex::decode(theirs).unwrap()]);
        assert_eq!(transaction.id(), theirs, "{blob}");
        compared += 1;
    }
    assert!(compared > 4_000, "only {compared}");
}

#[test]
fn single_signatures_are_over_the_same_bytes_and_judged_alike() {
    let (mut good, mut bad) = (0, 0);
    for (blob, transaction, json) in SHARED.iter() {
        let bytes = signing_bytes(transaction.object());
        assert_eq!(binarycodec::encode_for_signing(json).unwrap(), hex::encode_upper(&bytes), "{blob}");
        let (Some(key), Some(signature)) = (json["SigningPubKey"].as_str(), json["TxnSignature"].as_str())
        else {
            continue;
        };
        let Ok(ours) = PublicKey::from_slice(&hex::decode(key).unwrap()) else { continue };
        assert_eq!(keypairs::derive_classic_address(key).unwrap(), ours.account_id().to_string(), "{key}");
        let verified = ours.verify(&bytes, &hex::decode(signature).unwrap()).is_ok();
        assert_eq!(keypairs::is_valid_message(&bytes, signature, key), verified, "{blob}");
        *if verified { &mut good } else { &mut bad } += 1;
    }
    assert!(good > 3_000 && bad > 0, "{good} good, {bad} bad");
}

#[test]
fn multi_signatures_are_over_the_same_bytes_and_judged_alike() {
    let (mut good, mut bad) = (0, 0);
    for (blob, transaction, json) in SHARED.iter() {
        for signer in json["Signers"].as_array().into_iter().flatten() {
            let [account, key, signature] = ["Account", "SigningPubKey", "TxnSignature"]
                .map(|name| signer["Signer"][name].as_str().unwrap_or_default());
            let Ok(id) = account.parse::<AccountId>() else { continue };
            let bytes = multi_signing_bytes(transaction.object(), &id);
            let theirs = binarycodec::encode_for_multisigning(json, account.into()).unwrap();
            assert_eq!(theirs, hex::encode_upper(&bytes), "{blob}");
            let Ok(ours) = PublicKey::from_slice(&hex::decode(key).unwrap()) else { continue };
            let verified = ours.verify(&bytes, &hex::decode(signature).unwrap()).is_ok();
            assert_eq!(keypairs::is_valid_message(&bytes, signature, key), verified, "{blob}");
            *if verified { &mut good } else { &mut bad } += 1;
        }
    }
    assert!(good > 500 && bad > 0, "{good} good, {bad} bad");
}

#[test]
fn both_sign_with_the_recorded_keys_as_was_recorded() {
    let mut pairs = HashMap::new();
    for [seed, public_key, _] in keys() {
        // Where it has no keys, `secp256k1_keys_with_a_leading_zero` shows why.
        if let Ok((theirs, private)) = guarded(|| keypairs::derive_keypair(&seed, false)) {
            let ours = KeyPair::from_seed(&seed.parse::<Seed>().unwrap());
            assert_eq!(theirs, public_key);
            pairs.insert(public_key, (ours, private));
        }
    }
    let (mut single, mut multi) = (0, 0);
    for (blob, transaction, json) in SHARED.iter() {
        let object = transaction.object();
        let signed = |name: &Json, signature: &Json, bytes: Vec<u8>, counter: &mut usize| {
            let Some((ours, private)) = name.as_str().and_then(|key| pairs.get(key)) else { return };
            let theirs = keypairs::sign(&bytes, private).unwrap();
            assert_eq!(theirs, hex::encode_upper(ours.sign(&bytes)), "{blob}");
            // Some were spoiled on purpose after they were signed.
            *counter += usize::from(signature.as_str() == Some(&theirs));
        };
        signed(&json["SigningPubKey"], &json["TxnSignature"], signing_bytes(object), &mut single);
        for signer in object.array(sf::Signers).unwrap_or_default() {
            let Some(id) = signer.1.account(sf::Account) else { continue };
            let shown = signer.1.to_json();
            let bytes = multi_signing_bytes(object, &id);
            signed(&shown["SigningPubKey"], &shown["TxnSignature"], bytes, &mut multi);
        }
    }
    assert!(single > 3_000 && multi > 500, "{single} single, {multi} multi");
}

#[test]
fn addresses_and_keys_are_alike() {
    let mut missing = 0;
    let keys = keys();
    for [seed, public_key, address] in &keys {
        let id: AccountId = address.parse().unwrap();
        assert_eq!(addresscodec::decode_classic_address(address).unwrap(), id.as_bytes());
        assert_eq!(&addresscodec::encode_classic_address(id.as_bytes()).unwrap(), address);
        assert_eq!(&keypairs::derive_classic_address(public_key).unwrap(), address);
        match guarded(|| keypairs::derive_keypair(seed, false)) {
            Ok((theirs, _)) => assert_eq!(&theirs, public_key),
            Err(error) => {
                assert!(error.contains("InvalidSecretKey"), "{error}");
                missing += 1;
            }
        }
    }
    // No address is read that has a wrong letter.
    let wrong = keys[0][2].replace(&keys[0][2][5..6], "0");
    assert!(addresscodec::decode_classic_address(&wrong).is_err() && wrong.parse::<AccountId>().is_err());
    println!("{} keys, {missing} of which xrpl-rust cannot make", keys.len());
    assert!(keys.len() > 400 && missing > 0 && missing * 10 < keys.len(), "{missing} of {}", keys.len());
}
