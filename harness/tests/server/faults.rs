//! What goes wrong when a test asks for it, and that it heals.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xrpl_harness::embedded::GENESIS_ACCOUNT;
use xrpl_harness::embedded::rpc::error::RpcError;
use xrpl_harness::{EmbeddedServer, Faults};

use crate::support::{Ws, account, call, start, xrp};

const GENESIS: &str = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";

async fn subscribed(streams: Value) -> (EmbeddedServer, Ws) {
    let server = start().await;
    let mut ws = Ws::connect(&server.ws_url()).await;
    ws.ask("subscribe", json!({"streams": streams})).await;
    (server, ws)
}

/// A payment for the server to sign and submit, of so many drops, at this fee.
fn payment(amount: u64, fee: &str) -> Value {
    let destination = account("alice").1.to_string();
    json!({"secret": "masterpassphrase", "tx_json": {"TransactionType": "Payment", "Account": GENESIS,
        "Destination": destination, "Amount": amount.to_string(), "Fee": fee}})
}

#[tokio::test]
async fn submissions_are_swallowed_refused_or_never_answered() {
    let (server, mut ws) = subscribed(json!(["ledger"])).await;
    let url = server.rpc_url();
    server.set_faults(Faults { swallow_submits: 1, ..Faults::default() });
    assert_eq!(call(&url, "submit", payment(9_000_000, "10")).await["engine_result"], "tesSUCCESS");
    assert_eq!(server.close_ledger().transactions.len(), 0, "it was swallowed");
    assert_eq!(ws.frame().await["ledger_index"], 3);

    server.set_faults(Faults { refuse_submits: Some(RpcError::SlowDown), ..Faults::default() });
    assert_eq!(call(&url, "submit", payment(9_000_000, "10")).await["error"], "slowDown");
    assert_eq!(call(&url, "ping", json!({})).await["status"], "success");
    let refuse = json!({"refuse_all": "notSynced"});
    assert_eq!(call(&url, "standalone_faults", refuse).await["status"], "success");
    assert_eq!(call(&url, "ping", json!({})).await["error"], "notSynced");

    server.set_faults(Faults { lose_submit_replies: 1, ..Faults::default() });
    let mut lost = payment(9_000_000, "10");
    lost["command"] = json!("submit");
    lost["id"] = json!("lost");
    ws.send_text(&lost.to_string()).await;
    // The next reply is the next request's: the submission was done, and its own reply never comes.
    assert_eq!(ws.ask("ping", json!({})).await["role"], "admin");
    assert_eq!(ws.frames.len(), 0);
    assert_eq!(server.close_ledger().transactions.len(), 1);
}

#[tokio::test]
async fn ledgers_close_without_a_word() {
    let (server, mut ws) = subscribed(json!(["ledger"])).await;
    server.set_faults(Faults { skip_closes: 2, ..Faults::default() });
    (0..3).for_each(|_| drop(server.close_ledger()));
    assert_eq!(ws.frame().await["ledger_index"], 5);
    server.set_faults(Faults { silent: true, ..Faults::default() });
    server.close_ledger();
    server.set_faults(Faults::default());
    server.close_ledger();
    assert_eq!(ws.frame().await["ledger_index"], 7, "ledger 6 closed in silence");
}

#[tokio::test]
async fn frames_come_twice_or_in_another_order_or_late() {
    let (server, mut ws) = subscribed(json!(["ledger", "transactions"])).await;
    server.set_faults(Faults { duplicate_frames: true, reorder_frames: true, ..Faults::default() });
    server.fund(&account("alice").1, xrp(5)).unwrap();
    server.fund(&account("bob").1, xrp(5)).unwrap();
    server.close_ledger();
    let mut kinds = Vec::new();
    for _ in 0..6 {
        let frame = ws.frame().await;
        kinds.push(frame["meta"]["TransactionIndex"].as_u64());
    }
    assert_eq!(kinds, [Some(1), Some(1), Some(0), Some(0), None, None]);

    let delay = Duration::from_millis(40);
    server.set_faults(Faults { delay, ..Faults::default() });
    let began = Instant::now();
    ws.ask("ping", json!({})).await;
    assert!(began.elapsed() >= delay);
}

#[tokio::test]
async fn frames_are_cut_in_half() {
    let (server, mut ws) = subscribed(json!(["ledger"])).await;
    server.set_faults(Faults { truncate_closes: 1, ..Faults::default() });
    server.close_ledger();
    let text = ws.receive_text().await.unwrap();
    assert!(serde_json::from_str::<Value>(&text).is_err(), "{text}");
    server.close_ledger();
    assert_eq!(ws.frame().await["ledger_index"], 4);
}

#[tokio::test]
async fn history_is_lost_and_sockets_close() {
    let (server, mut ws) = subscribed(json!(["ledger"])).await;
    let url = server.rpc_url();
    server.close_ledger();
    server.set_faults(Faults { hide_history_below: 3, ..Faults::default() });
    assert_eq!(call(&url, "server_info", json!({})).await["info"]["complete_ledgers"], "3");
    assert_eq!(call(&url, "ledger", json!({"ledger_index": 2})).await["error"], "lgrNotFound");
    server.close_ledger();
    assert_eq!(ws.frame().await["validated_ledgers"], "2-3");
    assert_eq!(ws.frame().await["validated_ledgers"], "3-4");
    assert_eq!(server.connections(), 1);
    server.drop_connections();
    assert_eq!(ws.receive().await, None);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_full_ledger_lets_in_who_pays_and_the_others_when_it_empties() {
    let (server, mut ws) = subscribed(json!(["transactions_proposed"])).await;
    let url = server.rpc_url();
    assert_eq!(call(&url, "standalone_faults", json!({"fee_factor": 100})).await["status"], "success");
    let fee = call(&url, "fee", json!({})).await;
    assert_eq!(fee["drops"]["open_ledger_fee"], "1000");
    let info = call(&url, "server_info", json!({})).await;
    assert_eq!(info["info"]["load_factor"], 100);
    assert_eq!(info["info"]["load_factor_fee_escalation"], 100);
    let state = call(&url, "server_state", json!({})).await;
    assert_eq!((&state["state"]["load_factor"], &state["state"]["load_base"]), (&json!(25_600), &json!(256)));
    let queued = call(&url, "submit", payment(9_000_000, "10")).await;
    assert_eq!(queued["engine_result"], "terQUEUED");
    assert_eq!(call(&url, "fee", json!({})).await["current_queue_size"], "1");
    let account = json!({"account": GENESIS_ACCOUNT.to_string(), "queue": true});
    let waiting = call(&url, "account_info", account).await["queue_data"].take();
    assert_eq!((&waiting["txn_count"], &waiting["transactions"][0]["fee_level"]), (&json!(1), &json!("256")));
    for version in [1, 2] {
        let ask = json!({"ledger_index": "current", "queue": true, "expand": true, "api_version": version});
        let told = call(&url, "ledger", ask).await["queue_data"][0].take();
        assert_eq!((&told["retries_remaining"], &told["fee"]), (&json!(10), &json!("10")));
        let shown = if version == 1 { &told["tx"] } else { &told["tx_json"] };
        assert_eq!(shown["DeliverMax"], "9000000");
    }
    assert_eq!(server.close_ledger().transactions.len(), 0);
    // The same Sequence at a fee that is enough takes the place of the one that waits.
    let mut dearer = payment(9_000_001, "1000");
    dearer["tx_json"]["Sequence"] = queued["tx_json"]["Sequence"].clone();
    assert_eq!(call(&url, "submit", dearer).await["engine_result"], "tesSUCCESS");
    assert_eq!(ws.frame().await["tx_json"]["DeliverMax"], "9000001");
    assert_eq!(call(&url, "fee", json!({})).await["current_queue_size"], "0");
    assert_eq!(call(&url, "submit", payment(9_000_002, "10")).await["engine_result"], "terQUEUED");
    server.set_faults(Faults::default());
    assert_eq!(ws.frame().await["tx_json"]["DeliverMax"], "9000002");
    assert_eq!(server.close_ledger().transactions.len(), 2);
}
