//! Native proposals as a server recorded them: their bytes, and what is signed of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;

use serde_json::Value as Json;
use xrpl_wire::proposal::{self, Role};
use xrpl_wire::{AccountId, Object, PublicKey, Transaction, TransactionType, index, sf};

/// What was submitted in a story and taken: the transactions, in their order.
fn taken(story: &Json) -> Vec<Transaction> {
    let steps = story["steps"].as_array().unwrap().iter().filter(|step| step["op"] == "submit");
    let taken = steps.filter(|step| step["expect"]["engine_result"] == "tesSUCCESS");
    taken
        .map(|step| {
            let blob = hex::decode(step["tx_blob"].as_str().unwrap()).unwrap();
            let tx = Transaction::decode(&blob).unwrap();
            assert_eq!(tx.encode(), blob);
            assert_eq!(Transaction::from_json(&tx.to_json()).unwrap().encode(), blob);
            tx
        })
        .collect()
}

/// As what somebody signs, told from the payload alone.
fn role(payload: &Object, account: AccountId) -> Role {
    let initiator = payload.account(sf::Delegate).or_else(|| payload.account(sf::Account));
    if initiator == Some(account) {
        Role::Initiator
    } else if proposal::participants(payload).contains(&account) {
        Role::Participant
    } else {
        Role::Counterparty
    }
}

#[test]
fn every_share_that_a_server_took_is_over_these_bytes() {
    let mut verified: BTreeMap<Role, usize> = BTreeMap::new();
    for story in recordings::in_folder("cosigner").unwrap() {
        let mut payloads = BTreeMap::new();
        for tx in taken(&story.load().unwrap()) {
            let object = tx.object();
            if tx.tx_type() == TransactionType::TransactionProposalCreate {
                let payload = object.object(sf::ProposedTransaction).unwrap().clone();
                let target = payload.account(sf::Account).unwrap();
                let at = index::transaction_proposal(&target, payload.u32(sf::TicketSequence).unwrap());
                payloads.insert(at, payload);
            }
            if tx.tx_type() != TransactionType::TransactionProposalSign {
                continue;
            }
            let id = object.hash256(sf::ProposalID).unwrap();
            let payload = payloads.get_mut(&id).unwrap();
            let account = object.account(sf::SigningFor).unwrap();
            let share = object.object(sf::ProposalSignature).unwrap();
            let signer = share.account(sf::Account).unwrap();
            let key = share.blob(sf::SigningPubKey).unwrap();
            let role = role(payload, account);
            let proposed = Transaction::from_object(payload.clone()).unwrap();
            let other = (signer != account).then_some(&signer);
            let bytes = proposal::signing_bytes(&proposed, role, &account, other, key).unwrap();
            let signature = share.blob(sf::TxnSignature).unwrap();
            PublicKey::from_slice(key).unwrap().verify(&bytes, signature).unwrap();
            if role == Role::Initiator && other.is_none() {
                payload.set(sf::SigningPubKey, key.to_vec());
            }
            *verified.entry(role).or_default() += 1;
        }
    }
    let count = |role| verified.get(&role).copied().unwrap_or_default();
    assert!(count(Role::Initiator) >= 100, "{verified:?}");
    assert!(count(Role::Participant) >= 8 && count(Role::Counterparty) >= 1, "{verified:?}");
}

#[test]
fn a_transaction_stays_the_same_whoever_signs_it_and_nothing_else_changes() {
    let payload = Object::from_json(&serde_json::json!({
        "TransactionType": "Payment", "Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "Amount": "5", "Fee": "10",
        "Destination": "rrrrrrrrrrrrrrrrrrrrBZbvji", "Sequence": 0, "TicketSequence": 3, "SigningPubKey": "",
    }))
    .unwrap();
    let signed = payload.clone().with(sf::SigningPubKey, vec![2; 33]).with(sf::TxnSignature, vec![1]);
    assert!(proposal::is_same(&payload, &signed));
    for other in [
        payload.clone().with(sf::Flags, 0_u32),
        payload.clone().with(sf::LastLedgerSequence, 9_u32),
        payload.clone().with(sf::TicketSequence, 4_u32),
    ] {
        assert!(!proposal::is_same(&payload, &other));
    }
    assert_eq!(proposal::owner_count(&payload), 5);
}
