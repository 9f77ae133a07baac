//! What subscribers are told.

use serde_json::json;
use xrpl_harness::embedded::GENESIS_ACCOUNT;
use xrpl_harness::server::{genesis_keys, payment};

use crate::support::{Ws, account, start, xrp};

#[tokio::test]
async fn each_transaction_follows_its_ledger_in_the_version_asked_for() {
    let server = start().await;
    let mut old = Ws::connect(&server.ws_url()).await;
    let reply = old.request("subscribe", json!({"streams": ["ledger", "transactions"]})).await;
    assert_eq!(reply["result"]["ledger_index"], 2);
    let mut new = Ws::connect(&server.ws_url()).await;
    new.ask("subscribe", json!({"streams": ["ledger", "transactions"]})).await;
    for name in ["alice", "bob"] {
        server.fund(&account(name).1, xrp(10)).unwrap();
    }
    server.close_ledger();
    for ws in [&mut old, &mut new] {
        assert_eq!(ws.frame().await["txn_count"], 2);
    }
    for index in 0..2 {
        let frame = old.frame().await;
        assert_eq!(frame["meta"]["TransactionIndex"], index);
        assert_eq!(frame["transaction"]["Amount"], frame["transaction"]["DeliverMax"]);
        let frame = new.frame().await;
        assert_eq!(
            (&frame["tx_json"]["Amount"], &frame["tx_json"]["DeliverMax"]),
            (&json!(null), &json!("10000000"))
        );
        assert_eq!((&frame["status"], &frame["validated"]), (&json!("closed"), &json!(true)));
    }
}

#[tokio::test]
async fn an_account_is_followed_until_it_is_not() {
    let server = start().await;
    let mut ws = Ws::connect(&server.ws_url()).await;
    let (_, alice) = account("alice");
    let accounts = json!({"accounts": [alice.to_string()]});
    assert_eq!(ws.ask("subscribe", accounts.clone()).await, json!({}));
    server.fund(&account("bob").1, xrp(10)).unwrap();
    let id = server.fund(&alice, xrp(10)).unwrap();
    server.close_ledger();
    assert_eq!(ws.frame().await["hash"], id.to_string());
    ws.ask("unsubscribe", accounts).await;
    server.fund(&alice, xrp(10)).unwrap();
    server.close_ledger();
    ws.ask("ping", json!({})).await;
    assert!(ws.frames.is_empty(), "{:?}", ws.frames);
}

#[tokio::test]
async fn proposed_transactions_come_at_once_and_again_when_validated() {
    let server = start().await;
    let mut ws = Ws::connect(&server.ws_url()).await;
    ws.ask("subscribe", json!({"streams": ["transactions_proposed"]})).await;
    let (_, alice) = account("alice");
    let tx = server.with_ledger(|ledger| payment(ledger, &genesis_keys().unwrap(), &alice, xrp(5))).unwrap();
    server.submit(&tx);
    let frame = ws.frame().await;
    assert_eq!((&frame["validated"], &frame["status"]), (&json!(false), &json!("proposed")));
    assert_eq!((&frame["ledger_current_index"], &frame["hash"]), (&json!(3), &json!(tx.id().to_string())));
    server.close_ledger();
    assert_eq!(ws.frame().await["validated"], true);
}

#[tokio::test]
async fn no_ledger_is_missed_between_the_reply_and_the_first_frame() {
    let server = start().await;
    for _ in 0..20 {
        let mut ws = Ws::connect(&server.ws_url()).await;
        let closing = async {
            server.close_ledger();
            tokio::task::yield_now().await;
            server.close_ledger();
        };
        let (reply, ()) = tokio::join!(ws.ask("subscribe", json!({"streams": ["ledger"]})), closing);
        let mut next = reply["ledger_index"].as_u64().unwrap() + 1;
        server.close_ledger();
        let last = u64::from(server.validated().header.index);
        while next <= last {
            assert_eq!(ws.frame().await["ledger_index"], next);
            next += 1;
        }
    }
}

#[tokio::test]
async fn who_looks_for_a_way_to_pay_is_told_at_once_and_with_every_ledger_until_it_is_done() {
    let server = start().await;
    let (_, alice) = account("alice");
    server.fund(&alice, xrp(100)).unwrap();
    server.close_ledger();
    let mut ws = Ws::connect(&server.ws_url()).await;
    let asked = json!({
        "subcommand": "create", "source_account": GENESIS_ACCOUNT, "destination_account": alice.to_string(),
        "destination_amount": "100",
    });
    let created = ws.ask("path_find", asked).await;
    assert_eq!(created["full_reply"], false);
    let expected = json!({
        "type": "path_find", "id": created["id"], "alternatives": [], "full_reply": true,
        "source_account": GENESIS_ACCOUNT, "destination_account": alice.to_string(), "destination_amount": "100",
    });
    assert_eq!(ws.frame().await, expected, "what was answered was preliminary");
    server.close_ledger();
    assert_eq!(ws.frame().await, expected);
    assert_eq!(ws.ask("path_find", json!({"subcommand": "status"})).await["full_reply"], true);
    assert_eq!(ws.ask("path_find", json!({"subcommand": "close"})).await["closed"], true);
    server.close_ledger();
    ws.ask("ping", json!({})).await;
    assert!(ws.frames.is_empty(), "{:?}", ws.frames);
}
