//! What participants of batches sign, against the batches that a real server took.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod support;

use support::{bytes, steps};
use xrpl_wire::{Object, PublicKey, Transaction, TransactionType, batch, sf};

/// Every batch of the recorded stories that came into a ledger, with what came into it from within.
fn applied() -> Vec<(Transaction, Vec<Transaction>)> {
    let mut batches = Vec::new();
    for recording in recordings::in_folder("3.3").unwrap() {
        if !recording.name().starts_with("batch") {
            continue;
        }
        let story = recording.load().unwrap();
        for closed in steps(&story, "close") {
            let found = closed["expect"]["transactions"].as_array().into_iter().flatten();
            let all: Vec<(Transaction, Object)> = found
                .map(|tx| {
                    let meta = Object::decode(&bytes(&tx["meta"])).unwrap();
                    (Transaction::decode(&bytes(&tx["tx_blob"])).unwrap(), meta)
                })
                .collect();
            for (outer, _) in all.iter().filter(|(tx, _)| tx.tx_type() == TransactionType::Batch) {
                let within =
                    all.iter().filter(|(_, meta)| meta.hash256(sf::ParentBatchID) == Some(outer.id()));
                batches.push((outer.clone(), within.map(|(tx, _)| tx.clone()).collect()));
            }
        }
    }
    batches
}

#[test]
fn what_a_batch_brings_into_the_ledger_has_the_ids_that_it_names() {
    let mut count = 0;
    for (outer, within) in applied() {
        let ids = batch::inner_ids(&outer).unwrap();
        assert!(within.iter().all(|tx| ids.contains(&tx.id())));
        count += within.len();
    }
    assert!(count > 100, "only {count} transactions");
}

#[test]
fn every_participant_signed_these_bytes_and_no_others() {
    let verifies = |entry: &Object, signed: &[u8]| {
        let key = PublicKey::from_slice(entry.blob(sf::SigningPubKey).unwrap()).unwrap();
        key.verify(signed, entry.blob(sf::TxnSignature).unwrap()).is_ok()
    };
    let (mut alone, mut together) = (0, 0);
    for (outer, _) in applied() {
        for (_, entry) in outer.object().array(sf::BatchSigners).unwrap_or_default() {
            let participant = entry.account(sf::Account).unwrap();
            let Some(signers) = entry.array(sf::Signers) else {
                alone += 1;
                assert!(verifies(entry, &batch::signing_bytes(&outer, &participant).unwrap()));
                assert!(!verifies(entry, &batch::signing_bytes(&outer, &outer.account()).unwrap()));
                continue;
            };
            for (_, signer) in signers {
                let account = signer.account(sf::Account).unwrap();
                together += 1;
                let signed = batch::multi_signing_bytes(&outer, &participant, &account).unwrap();
                assert!(verifies(signer, &signed));
            }
        }
    }
    assert!(alone > 20 && together > 5, "only {alone} and {together} signatures");
}
