//! What tests may do to the ledger, and that the same calls give the same ledger.

use serde_json::json;
use xrpl_harness::embedded::GENESIS_ACCOUNT;
use xrpl_harness::server::{genesis_keys, payment};
use xrpl_harness::{EmbeddedServer, Faults};
use xrpl_wire::{
    AccountId, Drops, KeyPair, Object, SeqProxy, Transaction, TxBody, TxCommon, TxResult, typed,
};
use xrpl_wire::{Amount, KeyType, Seed, sf};

use crate::support::{account, call, start, xrp};

fn balance(server: &EmbeddedServer, account: &AccountId) -> Option<u64> {
    let root = xrpl_wire::index::account_root(account);
    server.validated().state.object(&root).and_then(|root| root.drops(sf::Balance)).map(Drops::get)
}

fn all_balances(server: &EmbeddedServer) -> u64 {
    server
        .validated()
        .state
        .iter()
        .filter_map(|(_, entry)| entry.object().drops(sf::Balance))
        .map(Drops::get)
        .sum()
}

#[tokio::test]
async fn a_balance_is_set_and_what_is_open_is_applied_on_top() {
    let server = start().await;
    let (alice, bob) = (account("alice").1, account("bob").1);
    server.fund(&alice, xrp(5)).unwrap();
    server.set_balance(&bob, xrp(77)).unwrap();
    server.fund(&alice, xrp(1)).unwrap();
    server.set_balance(&alice, xrp(100)).unwrap();
    let closed = server.close_ledger();
    assert_eq!(closed.transactions.len(), 2);
    assert_eq!((balance(&server, &alice), balance(&server, &bob)), (Some(106_000_000), Some(77_000_000)));
    assert_eq!(all_balances(&server), closed.header.total_drops, "the difference came from somewhere");
    assert_eq!(closed.header.total_drops, Drops::MAX.get() - 20, "but for two fees");

    let url = server.rpc_url();
    let params = json!({"account": alice.to_string(), "drops": "0"});
    let set = call(&url, "standalone_set_balance", params).await;
    assert_eq!((&set["status"], &set["ledger_index"]), (&json!("success"), &json!(4)));
    assert_eq!(balance(&server, &alice), Some(0));
    assert_eq!(all_balances(&server), server.validated().header.total_drops);
    // Nobody holds what would have to go: there is less of it then.
    server.set_balance(&GENESIS_ACCOUNT, xrp(1)).unwrap();
    server.close_ledger();
    assert_eq!(server.validated().header.total_drops, 78_000_000);
    server.set_balance(&alice, xrp(1_000)).unwrap();
    server.close_ledger();
    assert_eq!(all_balances(&server), 1_078_000_000);
    assert_eq!(server.validated().header.total_drops, 1_078_000_000);
    let too_much = json!({"account": alice.to_string(), "drops": Drops::MAX.to_string()});
    assert_eq!(call(&url, "standalone_set_balance", too_much).await["error"], "invalidParams");
}

/// A payment without a signature.
fn unsigned(from: AccountId, to: AccountId, sequence: u32) -> Transaction {
    let common = TxCommon::new(from, SeqProxy::Sequence(sequence), Drops::new(10).unwrap());
    let body = TxBody::Payment(typed::Payment {
        destination: to,
        destination_tag: None,
        amount: Amount::Xrp(xrp(3)),
        send_max: None,
        deliver_min: None,
    });
    let object: Object = typed::build(&common, &body).unwrap().object().clone();
    Transaction::from_object(object.with(sf::SigningPubKey, Vec::<u8>::new())).unwrap()
}

#[tokio::test]
async fn nobody_acts_for_another_until_a_test_says_so() {
    let server = start().await;
    let (alice, bob) = (account("alice").1, account("bob").1);
    for account in [&alice, &bob] {
        server.fund(account, xrp(50)).unwrap();
    }
    server.close_ledger();
    let sequence = server.validated().header.index;
    let tx = unsigned(alice, bob, sequence);
    assert!(server.submit(&tx).refused.is_some(), "off at the start");

    let url = server.rpc_url();
    let on = json!({"account": alice.to_string(), "enabled": true});
    assert_eq!(call(&url, "standalone_impersonate", on).await["status"], "success");
    let submitted = call(&url, "submit", json!({"tx_blob": hex::encode_upper(tx.encode())})).await;
    assert_eq!(submitted["engine_result"], "tesSUCCESS");
    assert_eq!(server.close_ledger().transactions[0].result, TxResult::tesSUCCESS);
    assert_eq!(balance(&server, &bob), Some(53_000_000));
    let others = unsigned(bob, alice, sequence);
    assert!(server.submit(&others).refused.is_some(), "for this account alone");

    server.impersonate(alice, false);
    assert!(server.submit(&unsigned(alice, bob, sequence + 1)).refused.is_some());
}

#[tokio::test]
async fn a_transaction_looks_fine_and_only_pays_its_fee_once_its_ledger_closes() {
    let server = start().await;
    let url = server.rpc_url();
    let alice = account("alice").1;
    server.fund(&alice, xrp(50)).unwrap();
    server.close_ledger();
    let before = server.validated().header.total_drops;
    assert_eq!(call(&url, "standalone_faults", json!({"claim_only": 2})).await["status"], "success");
    let ids: Vec<_> = (0..3).map(|_| server.fund(&alice, xrp(1)).unwrap().to_string()).collect();
    let closed = server.close_ledger();
    let results: Vec<TxResult> = closed.transactions.iter().map(|tx| tx.result).collect();
    let failed = TxResult::tecINVARIANT_FAILED;
    assert_eq!(results, [failed, failed, TxResult::tesSUCCESS]);
    assert_eq!(balance(&server, &alice), Some(51_000_000));
    assert_eq!(before - closed.header.total_drops, 30, "all three paid");
    let told = call(&url, "tx", json!({"transaction": ids[0]})).await;
    assert_eq!(told["meta"]["TransactionResult"], "tecINVARIANT_FAILED");
    assert_eq!(server.faults(), Faults::default(), "it heals by itself");

    server.set_faults(Faults { claim_only: 1, ..Faults::default() });
    assert_eq!(server.faults().claim_only, 1);
    server.set_faults(Faults::default());
    server.fund(&alice, xrp(1)).unwrap();
    assert_eq!(server.close_ledger().transactions[0].result, TxResult::tesSUCCESS, "it can be healed");
}

/// A story that a number tells: accounts derived from it, payments of amounts derived from it, some time between.
fn story(server: &EmbeddedServer, seed: u64) -> String {
    let mut state = seed;
    let mut roll = |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    let people: Vec<KeyPair> = (0..4)
        .map(|_| {
            let mut entropy = [0; 16];
            entropy[..8].copy_from_slice(&roll(u64::MAX).to_be_bytes());
            KeyPair::from_seed(&Seed::from_entropy(entropy, KeyType::Secp256k1))
        })
        .collect();
    let genesis = genesis_keys().unwrap();
    for person in &people {
        server.fund(&person.account_id(), xrp(100)).unwrap();
    }
    server.close_ledger();
    for _ in 0..30 {
        let payer = people.get(usize::try_from(roll(5)).unwrap()).unwrap_or(&genesis);
        let payee = people[usize::try_from(roll(4)).unwrap()].account_id();
        let tx = server
            .with_ledger(|ledger| payment(ledger, payer, &payee, Drops::new(1 + roll(1_000_000)).unwrap()))
            .unwrap();
        server.submit(&tx);
        if roll(4) == 0 {
            server.advance_time(u32::try_from(1 + roll(100_000)).unwrap());
        }
    }
    server.close_ledger().hash.to_string()
}

#[tokio::test]
async fn the_same_seed_and_calls_give_the_same_hash() {
    let (one, other) = (start().await, start().await);
    let hash = story(&one, 7);
    assert_eq!(hash, story(&other, 7));
    assert_eq!(
        hash, "95A734283A932B7D77F279DC7F92D82F927420404FDE8C100968444D38749D6A",
        "on every machine, always"
    );
    assert_ne!(hash, story(&start().await, 8));
    // What happened before and was reverted leaves no trace.
    let server = start().await;
    let fresh = server.snapshot();
    story(&server, 9);
    server.restore(fresh);
    assert_eq!(story(&server, 7), hash);
}
