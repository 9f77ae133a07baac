//! What a server shows that is behind, or that lies.

use serde_json::{Value, json};
use xrpl_harness::Faults;

use crate::support::{Ws, account, call, start, xrp};

async fn validated(url: &str) -> (u64, String) {
    let ledger = call(url, "ledger", json!({"ledger_index": "validated"})).await;
    (ledger["ledger_index"].as_u64().unwrap(), ledger["ledger_hash"].as_str().unwrap().to_owned())
}

async fn hash_at(url: &str, index: u32) -> Value {
    call(url, "ledger", json!({"ledger_index": index})).await["ledger_hash"].take()
}

#[tokio::test]
async fn a_server_that_lags_stands_still_then_follows_and_catches_up() {
    let server = start().await;
    let url = server.rpc_url();
    let mut ws = Ws::connect(&server.ws_url()).await;
    ws.ask("subscribe", json!({"streams": ["ledger"]})).await;
    server.close_ledger();
    assert_eq!(ws.frame().await["ledger_index"], 3);
    server.set_faults(Faults { lag: 2, ..Faults::default() });
    let alice = account("alice").1;
    let paid = server.fund(&alice, xrp(5)).unwrap().to_string();
    // Ledgers 4 and 5 close unseen.
    server.close_ledger();
    server.close_ledger();
    assert_eq!(validated(&url).await.0, 3, "what was shown stays shown");
    let info = call(&url, "server_info", json!({})).await;
    assert_eq!(info["info"]["complete_ledgers"], "2-3");
    assert_eq!(call(&url, "ledger", json!({"ledger_index": 4})).await["ledger"]["closed"], false);
    assert_eq!(call(&url, "ledger", json!({"ledger_index": 5})).await["error"], "lgrNotFound");
    assert_eq!(call(&url, "tx", json!({"transaction": paid})).await["error"], "txnNotFound");
    assert_eq!(
        call(&url, "account_info", json!({"account": alice.to_string()})).await["error"],
        "actNotFound"
    );
    // The third shows the first.
    let sixth = server.close_ledger();
    assert_eq!((ws.frame().await["ledger_index"].as_u64(), validated(&url).await.0), (Some(4), 4));
    assert_eq!(call(&url, "tx", json!({"transaction": paid})).await["validated"], true);
    server.set_faults(Faults { lag: 1, ..Faults::default() });
    assert_eq!(ws.frame().await["ledger_index"], 5);
    server.set_faults(Faults::default());
    assert_eq!(ws.frame().await["ledger_index"], 6);
    assert_eq!(validated(&url).await, (6, sixth.hash.to_string()));
}

#[tokio::test]
async fn submissions_reach_the_network_through_a_server_that_lags() {
    let server = start().await;
    let url = server.rpc_url();
    server.set_faults(Faults { lag: 5, ..Faults::default() });
    server.close_ledger();
    let payment = server.with_ledger(|ledger| {
        let keys = xrpl_harness::server::genesis_keys().unwrap();
        xrpl_harness::server::payment(ledger, &keys, &account("bob").1, xrp(7)).unwrap()
    });
    let answer = call(&url, "submit", json!({"tx_blob": hex::encode_upper(payment.encode())})).await;
    assert_eq!(answer["engine_result"], "tesSUCCESS");
    assert_eq!(answer["validated_ledger_index"], 2, "it knows no later one");
    assert_eq!(server.close_ledger().transactions.len(), 1);
}

#[tokio::test]
async fn a_lie_is_whole_in_itself_and_does_not_fit_the_next_ledger() {
    let server = start().await;
    let url = server.rpc_url();
    let mut ws = Ws::connect(&server.ws_url()).await;
    ws.ask("subscribe", json!({"streams": ["ledger", "transactions"]})).await;
    assert_eq!(call(&url, "standalone_faults", json!({"lie": 4})).await["status"], "success");
    let third = server.close_ledger();
    let paid = server.fund(&account("alice").1, xrp(5)).unwrap().to_string();
    let fourth = server.close_ledger();
    let fifth = server.close_ledger();
    let mut told = Vec::new();
    for _ in 3..=5 {
        told.push(ws.frame().await);
    }
    assert_eq!(told[0]["ledger_hash"], third.hash.to_string());
    let lie = told[1]["ledger_hash"].as_str().unwrap();
    assert_ne!(lie, fourth.hash.to_string());
    assert_eq!((&told[1]["txn_count"], &told[1]["ledger_index"]), (&json!(0), &json!(4)));
    assert_eq!(told[2]["ledger_hash"], fifth.hash.to_string(), "it comes back to the truth");

    let shown = call(&url, "ledger", json!({"ledger_index": 4, "transactions": true})).await;
    assert_eq!((&shown["ledger_hash"], &shown["ledger"]["transactions"]), (&json!(lie), &json!([])));
    assert_eq!(shown["ledger"]["parent_hash"], third.hash.to_string());
    let binary = call(&url, "ledger", json!({"ledger_index": 4, "binary": true})).await;
    let bytes = hex::decode(binary["ledger"]["ledger_data"].as_str().unwrap()).unwrap();
    assert_eq!(xrpl_wire::LedgerHeader::decode(&bytes).unwrap().hash().to_string(), lie);
    let next = call(&url, "ledger", json!({"ledger_index": 5})).await;
    assert_eq!(next["ledger"]["parent_hash"], fourth.hash.to_string());
    assert_eq!(
        call(&url, "ledger", json!({"ledger_hash": fourth.hash.to_string()})).await["error"],
        "lgrNotFound"
    );
    assert_eq!(call(&url, "tx", json!({"transaction": paid})).await["error"], "txnNotFound");

    // Told of a ledger that is long closed, and healed.
    server.set_faults(Faults { lie: 3, ..Faults::default() });
    assert_eq!(hash_at(&url, 4).await, fourth.hash.to_string());
    assert_ne!(hash_at(&url, 3).await, third.hash.to_string());
    server.set_faults(Faults::default());
    assert_eq!(hash_at(&url, 3).await, third.hash.to_string());
    assert_eq!(call(&url, "tx", json!({"transaction": paid})).await["validated"], true);
}

#[tokio::test]
async fn a_server_can_lag_and_lie_and_be_put_back() {
    let server = start().await;
    let url = server.rpc_url();
    server.close_ledger();
    let snapshot = server.snapshot();
    server.set_faults(Faults { lag: 1, lie: 4, ..Faults::default() });
    let fourth = server.close_ledger();
    server.close_ledger();
    let (index, hash) = validated(&url).await;
    assert_eq!(index, 4);
    assert_ne!(hash, fourth.hash.to_string());
    server.restore(snapshot);
    assert_eq!(validated(&url).await.0, 3);
    server.close_ledger();
    server.close_ledger();
    assert_eq!(validated(&url).await, (4, hash));
}
