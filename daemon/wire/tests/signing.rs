//! Keys, ids and signatures against everything the real server recorded.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod support;

use std::collections::HashMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value as Json;
use support::{bytes, steps, stories};
use xrpl_wire::sign::{assemble, sign_for, sign_single, signers, verify_signatures};
use xrpl_wire::{AccountId, KeyPair, PublicKey, Seed, SignError, Transaction, TxBody, TxCommon, TxError, sf};

fn keys(story: &Json) -> HashMap<PublicKey, KeyPair> {
    let keys = story["keys"].as_object().unwrap().values();
    keys.map(|key| {
        let pair = KeyPair::from_seed(&key["seed"].as_str().unwrap().parse().unwrap());
        (pair.public_key(), pair)
    })
    .collect()
}

/// Every recorded blob that is a transaction, with the answer to its submission where there was one.
fn transactions(story: &Json) -> Vec<(Transaction, Option<&Json>)> {
    let submitted = story["steps"].as_array().unwrap().iter().filter(|step| step["op"] == "submit");
    let submitted = submitted.filter(|step| {
        // Two were sent to see that no server takes them.
        !["not a transaction", "not hex"].contains(&step["note"].as_str().unwrap_or(""))
    });
    let submitted = submitted.map(|step| (bytes(&step["tx_blob"]), Some(&step["expect"])));
    let closed = steps(story, "close").filter_map(|step| step["expect"]["transactions"].as_array());
    let closed = closed.flatten().map(|entry| (bytes(&entry["tx_blob"]), None));
    submitted.chain(closed).map(|(blob, expect)| (Transaction::decode(&blob).unwrap(), expect)).collect()
}

#[test]
fn every_recorded_seed_derives_its_key_and_address() {
    let mut count = 0;
    for (name, story) in stories() {
        for (who, key) in story["keys"].as_object().unwrap() {
            let text = key["seed"].as_str().unwrap();
            let seed: Seed = text.parse().unwrap();
            assert_eq!(*seed.to_base58(), text, "{name} {who}");
            let pair = KeyPair::from_seed(&seed);
            assert_eq!(pair.public_key().to_string(), key["public_key"].as_str().unwrap(), "{name} {who}");
            assert_eq!(pair.account_id().to_string(), key["address"].as_str().unwrap(), "{name} {who}");
            count += 1;
        }
    }
    assert!(count > 150, "only {count} keys");
}

#[test]
fn every_recorded_transaction_has_the_recorded_id() {
    let mut count = 0;
    for (name, story) in stories() {
        for (tx, expect) in transactions(&story) {
            if let Some(hash) = expect.and_then(|expect| expect["hash"].as_str()) {
                assert_eq!(tx.id().to_string(), hash, "{name}");
                count += 1;
            }
        }
    }
    assert!(count > 700, "only {count} ids");
}

/// The server's words for what this crate calls by code.
fn expected_code(expect: &Json) -> Option<&'static str> {
    let exception = expect["error_exception"].as_str()?;
    Some(match exception.trim_start_matches("fails local checks: ") {
        "Duplicate Signers not allowed." => "sign_duplicate_signer",
        "Unsorted Signers array." => "sign_signer_order",
        "Invalid multisigner." => "sign_self_signer",
        "Invalid Signers array size." => "sign_signer_count",
        "Invalid signature." => "signature_mismatch",
        // Memos are another check, and the last is the memory of one that failed.
        "The memo exceeds the maximum allowed size."
        | "The MemoType and MemoFormat fields may only contain characters that are allowed in URLs under RFC 3986."
        | "Local checks failed." => return None,
        other => panic!("an unknown exception: {other}"),
    })
}

#[test]
fn signatures_verify_exactly_where_the_server_found_them_good() {
    let (mut single, mut multi, mut refused) = (0, 0, 0);
    for (name, story) in stories() {
        for (tx, expect) in transactions(&story) {
            let verified = verify_signatures(&tx).map_err(|error| error.code());
            match expect.and_then(expected_code) {
                Some(code) => {
                    assert_eq!(verified, Err(code), "{name} {}", tx.id());
                    refused += 1;
                }
                None => {
                    assert_eq!(verified, Ok(()), "{name} {}", tx.id());
                    *if tx.is_multisigned() { &mut multi } else { &mut single } += 1;
                }
            }
        }
    }
    assert!(single > 1000 && multi > 30 && refused == 5, "{single} single, {multi} multi, {refused} refused");
}

#[test]
fn memos_are_refused_exactly_where_the_server_refused_them() {
    let mut refused = HashMap::new();
    for (name, story) in stories() {
        for (tx, expect) in transactions(&story) {
            let exception = expect.and_then(|expect| expect["error_exception"].as_str()).unwrap_or("");
            let code = tx.check_memos().map_err(|error| error.code());
            if exception.contains("memo exceeds") {
                assert_eq!(code, Err("tx_memos_too_long"), "{name}");
            } else if exception.contains("MemoType") {
                assert_eq!(code, Err("tx_memo_character"), "{name}");
            } else if !exception.contains("Local checks failed.") {
                assert_eq!(code, Ok(()), "{name} {}", tx.id());
            }
            if let Err(code) = code {
                *refused.entry(code).or_insert(0) += 1;
            }
        }
    }
    assert!(refused["tx_memos_too_long"] >= 5 && refused["tx_memo_character"] == 1, "{refused:?}");
}

#[test]
fn signing_again_with_the_recorded_keys_gives_the_recorded_bytes() {
    let (mut single, mut multi) = (0, 0);
    for (name, story) in stories() {
        let keys = keys(&story);
        for (tx, _) in transactions(&story) {
            // Broken on purpose, or signed by a key that was not recorded.
            if verify_signatures(&tx).is_err() {
                continue;
            }
            if tx.is_multisigned() {
                let recorded = signers(&tx).unwrap();
                let mut again = Vec::new();
                for signer in &recorded {
                    if let Some(key) = keys.get(&signer.public_key) {
                        let mut unsigned = tx.object().clone();
                        unsigned.remove(sf::Signers);
                        let unsigned = Transaction::from_object(unsigned).unwrap();
                        assert_eq!(sign_for(&unsigned, signer.account, key).unwrap(), *signer, "{name}");
                        again.push(signer.clone());
                    }
                }
                if again.len() == recorded.len() {
                    again.reverse();
                    assert_eq!(assemble(&tx, again).unwrap(), tx, "{name}");
                    multi += 1;
                }
            } else {
                let key = PublicKey::from_slice(tx.object().blob(sf::SigningPubKey).unwrap()).unwrap();
                if let Some(key) = keys.get(&key) {
                    let mut unsigned = tx.object().clone();
                    unsigned.set(sf::SigningPubKey, Vec::<u8>::new());
                    unsigned.remove(sf::TxnSignature);
                    let unsigned = Transaction::from_object(unsigned).unwrap();
                    assert_eq!(sign_single(&unsigned, key).unwrap().encode(), tx.encode(), "{name}");
                    single += 1;
                }
            }
        }
    }
    assert!(single > 1000 && multi > 30, "{single} single, {multi} multi");
}

/// A recorded multi-signed transaction with at least two signers that the server applied.
fn multi_signed() -> Transaction {
    for (_, story) in stories() {
        for (tx, expect) in transactions(&story) {
            let applied = expect.is_some_and(|expect| expect["engine_result"] == "tesSUCCESS");
            if applied && tx.is_multisigned() && signers(&tx).unwrap().len() >= 2 {
                return tx;
            }
        }
    }
    panic!("no multi-signed transaction in the vectors");
}

#[test]
fn a_signature_holds_for_its_own_transaction_and_signer_alone() {
    let tx = multi_signed();
    let good = signers(&tx).unwrap();
    let other = tx.object().clone().with(sf::LastLedgerSequence, 99_999_u32);
    let other = Transaction::from_object(other).unwrap();
    let refused = |error: SignError| assert_eq!(error.code(), "signature_mismatch", "{error}");
    refused(assemble(&other, good.clone()).unwrap_err());
    refused(verify_signatures(&other).unwrap_err());

    // The same signature under another signer's name.
    let mut renamed = good.clone();
    renamed[0].account = AccountId([7; 20]);
    refused(assemble(&tx, renamed).unwrap_err());

    // One bad signature among good ones.
    for index in 0..good.len() {
        let mut swapped = good.clone();
        swapped[index].signature = good[(index + 1) % good.len()].signature.clone();
        assert!(
            matches!(assemble(&tx, swapped), Err(SignError::Signature { account, .. }) if account == good[index].account)
        );
    }
}

/// One recorded, good transaction of each way of signing: secp256k1, ed25519, several signers.
fn one_of_each() -> Vec<Transaction> {
    let mut secp256k1 = None;
    let mut ed25519 = None;
    for (_, story) in stories() {
        for (tx, _) in transactions(&story) {
            let key = tx.object().blob(sf::SigningPubKey).unwrap();
            let slot = match key.first() {
                Some(0xED) => &mut ed25519,
                Some(_) => &mut secp256k1,
                None => continue,
            };
            if slot.is_none() && verify_signatures(&tx) == Ok(()) {
                *slot = Some(tx);
            }
        }
    }
    vec![secp256k1.unwrap(), ed25519.unwrap(), multi_signed()]
}

#[test]
fn no_bit_of_a_signed_transaction_can_change() {
    for tx in one_of_each() {
        let blob = tx.encode();
        for index in 0..blob.len() {
            for bit in 0..8 {
                let mut changed = blob.clone();
                changed[index] ^= 1 << bit;
                if let Ok(changed) = Transaction::decode(&changed) {
                    assert!(verify_signatures(&changed).is_err(), "byte {index}, bit {bit} of {}", tx.id());
                }
            }
        }
    }
}

#[test]
fn a_transaction_is_stored_as_its_blob() {
    for tx in one_of_each() {
        let json = serde_json::to_value(&tx).unwrap();
        assert_eq!(json, hex::encode_upper(tx.encode()));
        assert_eq!(serde_json::from_value::<Transaction>(json).unwrap(), tx);
    }
    assert!(serde_json::from_str::<Transaction>("\"1200\"").is_err());
}

proptest! {
    #[test]
    fn no_mutation_makes_anything_panic(
        which in 0..3_usize,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        static ORIGINALS: LazyLock<Vec<Transaction>> = LazyLock::new(one_of_each);
        let mut blob = ORIGINALS[which].encode();
        for (at, byte) in edits {
            let index = at.index(blob.len());
            blob[index] = byte;
        }
        if cut {
            blob.truncate(end.index(blob.len()));
        }
        if let Ok(tx) = Transaction::decode(&blob) {
            prop_assert_eq!(tx.encode(), blob);
            let _ = verify_signatures(&tx);
            let _ = tx.check_memos();
            let _ = TxBody::parse(&tx);
            let _ = TxCommon::parse(&tx);
            let _ = tx.to_json();
        }
    }
}

#[test]
fn assembling_refuses_duplicates_the_account_itself_none_and_too_many() {
    let tx = multi_signed();
    let good = signers(&tx).unwrap();
    let code = |signers| assemble(&tx, signers).map(|_| ()).map_err(|error| error.code());
    assert_eq!(code(vec![good[0].clone(), good[0].clone()]), Err("sign_duplicate_signer"));
    assert_eq!(code(vec![]), Err("sign_signer_count"));
    let mut own = good.clone();
    own[0].account = tx.account();
    assert_eq!(code(own), Err("sign_self_signer"));

    let mut many = Vec::new();
    for number in 0..33_u8 {
        let key = KeyPair::from_seed(&Seed::from_entropy([number; 16], xrpl_wire::KeyType::Ed25519));
        many.push(sign_for(&tx, key.account_id(), &key).unwrap());
    }
    assert_eq!(code(many.clone()), Err("sign_signer_count"));
    many.pop();
    let assembled = assemble(&tx, many).unwrap();
    assert_eq!(verify_signatures(&assembled), Ok(()));
    assert_eq!(signers(&assembled).unwrap().len(), 32);
    assert!(signers(&assembled).unwrap().is_sorted_by_key(|signer| signer.account));
    assert_ne!(assembled.id(), tx.id(), "another set of signers is another id");
}

#[test]
fn the_two_ways_of_signing_do_not_mix() {
    let key = KeyPair::from_seed(&"snoPBrXtMeMyMHUVTgbuqAfg1SUTb".parse().unwrap());
    let multi = multi_signed();
    assert_eq!(sign_single(&multi, &key), Err(SignError::SingleAndMulti));
    let mut unsigned = multi.object().clone();
    unsigned.remove(sf::Signers);
    let unsigned = Transaction::from_object(unsigned).unwrap();
    assert_eq!(verify_signatures(&unsigned), Err(SignError::NotSigned));
    assert_eq!(
        sign_for(&unsigned, unsigned.account(), &key),
        Err(SignError::SelfSigner { account: unsigned.account() })
    );
    let single = sign_single(&unsigned, &key).unwrap();
    assert_eq!(verify_signatures(&single), Ok(()));
    assert_eq!(sign_for(&single, key.account_id(), &key), Err(SignError::NotForMultiSigning));
    assert_eq!(assemble(&single, signers(&multi).unwrap()), Err(SignError::NotForMultiSigning));
    let both = single.object().clone().with(sf::Signers, multi.object().get(sf::Signers).unwrap().clone());
    let both = Transaction::from_object(both).unwrap();
    assert_eq!(verify_signatures(&both), Err(SignError::SingleAndMulti));
}

#[test]
fn a_signer_is_written_with_the_ledgers_own_field_names() {
    let signer = signers(&multi_signed()).unwrap().remove(0);
    let json = serde_json::to_value(&signer).unwrap();
    assert_eq!(json["account"], signer.account.to_string());
    assert_eq!(json["signing_pub_key"], signer.public_key.to_string());
    assert_eq!(json["txn_signature"], hex::encode_upper(&signer.signature));
    assert_eq!(serde_json::from_value::<xrpl_wire::Signer>(json).unwrap(), signer);
}

#[test]
fn fields_that_do_not_belong_or_are_missing_are_named() {
    let key = KeyPair::from_seed(&"snoPBrXtMeMyMHUVTgbuqAfg1SUTb".parse().unwrap());
    let tx = Transaction::from_json(&serde_json::json!({
        "TransactionType": "Payment",
        "Account": key.account_id(),
        "Destination": "rrrrrrrrrrrrrrrrrrrrBZbvji",
        "Amount": "1",
        "Fee": "10",
        "Sequence": 1,
        "SigningPubKey": "",
    }))
    .unwrap();
    let strange = tx.object().clone().with(sf::TicketCount, 3_u32);
    assert_eq!(
        Transaction::from_object(strange),
        Err(TxError::UnknownField { tx_type: tx.tx_type(), field: sf::TicketCount })
    );
    for field in [sf::Account, sf::Fee, sf::Sequence, sf::SigningPubKey, sf::Destination] {
        let mut object = tx.object().clone();
        object.remove(field);
        assert_eq!(
            Transaction::from_object(object),
            Err(TxError::MissingField { tx_type: tx.tx_type(), field })
        );
    }
    let mut object = tx.object().clone();
    object.remove(sf::TransactionType);
    assert_eq!(Transaction::from_object(object), Err(TxError::NotATransaction));
}
