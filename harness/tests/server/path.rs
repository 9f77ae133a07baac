//! What a client sees over a real websocket.

use crate::support::{Ws, account, start, xrp};
use serde_json::{Value, json};
use xrpl_harness::server::payment;
use xrpl_wire::tree::transaction_tree_root;
use xrpl_wire::{LedgerHeader, Metadata, Transaction, TxResult};

/// The treasury daemon's whole path: subscribe, fund, close, read back, submit, see it validated.
#[tokio::test]
async fn an_account_is_funded_closed_and_read_back_over_one_socket() {
    let server = start().await;
    let mut ws = Ws::connect(&server.ws_url()).await;
    let subscribed = ws.ask("subscribe", json!({"streams": ["ledger"]})).await;
    assert_eq!(subscribed["ledger_index"], 2);
    assert_eq!(subscribed["validated_ledgers"], "2");
    assert_eq!(subscribed["reserve_base"], 1_000_000);

    let (keys, alice) = account("alice");
    let (_, bob) = account("bob");
    server.fund(&alice, xrp(1000)).unwrap();
    let closed = server.close_ledger();
    let frame = ws.frame().await;
    assert_eq!(frame["type"], "ledgerClosed");
    assert_eq!(frame["ledger_index"], 3);
    assert_eq!(frame["ledger_hash"], closed.hash.to_string());
    assert_eq!(frame["ledger_time"], closed.header.close_time.0);
    assert_eq!((&frame["txn_count"], &frame["validated_ledgers"]), (&json!(1), &json!("2-3")));

    let info = ws
        .ask("account_info", json!({"account": alice.to_string(), "signer_lists": true, "ledger_index": 3}))
        .await;
    assert_eq!(info["account_data"]["Balance"], "1000000000");
    assert_eq!((&info["signer_lists"], &info["validated"]), (&json!([]), &json!(true)));
    let objects = ws
        .ask("account_objects", json!({"account": alice.to_string(), "ledger_index": 3, "limit": 10}))
        .await;
    assert_eq!(objects["account_objects"], json!([]));

    let tx = server.with_ledger(|ledger| payment(ledger, &keys, &bob, xrp(20)).unwrap());
    let blob = hex::encode_upper(tx.encode());
    let submitted = ws.ask("submit", json!({"tx_blob": blob})).await;
    assert_eq!(submitted["engine_result"], "tesSUCCESS");
    assert_eq!(submitted["tx_json"]["hash"], tx.id().to_string());
    let pending = ws.ask("tx", json!({"transaction": tx.id().to_string()})).await;
    assert_eq!(pending["validated"], false);

    server.close_ledger();
    assert_eq!(ws.frame().await["ledger_index"], 4);
    let found = ws.ask("tx", json!({"transaction": tx.id().to_string()})).await;
    assert_eq!((&found["validated"], &found["ledger_index"]), (&json!(true), &json!(4)));
    assert_eq!(found["meta"]["delivered_amount"], "20000000");
    assert_eq!(found["tx_json"]["DeliverMax"], "20000000");

    let state = ws.ask("server_state", json!({})).await;
    assert_eq!(state["state"]["validated_ledger"]["seq"], 4);
    let info = ws.ask("server_info", json!({})).await;
    assert_eq!(info["info"]["complete_ledgers"], "2-4");
    let fee = ws.ask("fee", json!({})).await;
    assert_eq!(fee["drops"]["open_ledger_fee"], "10");
    assert_eq!(ws.ask("ping", json!({})).await["role"], "admin");
    server.shutdown().await;
}

/// A ledger read in binary is enough to prove its own hash.
#[tokio::test]
async fn an_expanded_binary_ledger_proves_itself() {
    let server = start().await;
    let mut ws = Ws::connect(&server.ws_url()).await;
    for name in ["alice", "bob", "carol", "dave"] {
        server.fund(&account(name).1, xrp(100)).unwrap();
    }
    let closed = server.close_ledger();
    let reply = ws
        .ask("ledger", json!({"ledger_index": 3, "transactions": true, "expand": true, "binary": true}))
        .await;
    assert_eq!((&reply["ledger_index"], &reply["validated"]), (&json!(3), &json!(true)));
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let header = LedgerHeader::decode(&bytes(&reply["ledger"]["ledger_data"])).unwrap();
    assert_eq!(header.hash(), closed.hash);
    let transactions = reply["ledger"]["transactions"].as_array().unwrap();
    assert_eq!(transactions.len(), 4);
    let pairs: Vec<_> =
        transactions.iter().map(|tx| (bytes(&tx["tx_blob"]), bytes(&tx["meta_blob"]))).collect();
    for ((blob, meta), tx) in pairs.iter().zip(transactions) {
        assert_eq!(Transaction::decode(blob).unwrap().id().to_string(), tx["hash"]);
        assert_eq!(Metadata::decode(meta).unwrap().result, TxResult::tesSUCCESS);
    }
    assert_eq!(transaction_tree_root(pairs), header.transaction_hash);
}
