//! What makes a local ledger pleasant: it closes when somebody waits, gives XRP away, and tells what happens.

use serde_json::{Value, json};
use xrpl_harness::embedded::{GENESIS_ACCOUNT, GENESIS_SEED};
use xrpl_harness::server::Event;
use xrpl_harness::{EmbeddedConfig, EmbeddedServer};

use crate::support::{Ws, account, call, http, post, xrp};

async fn closing_on_submit() -> EmbeddedServer {
    let config = EmbeddedConfig { close_on_submit: true, ..EmbeddedConfig::default() };
    EmbeddedServer::start(config).await.unwrap()
}

fn payment(to: &str, more: Value) -> Value {
    let mut tx = json!({"TransactionType": "Payment", "Account": GENESIS_ACCOUNT.to_string(),
        "Destination": to, "Amount": "5000000"});
    tx.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"secret": GENESIS_SEED, "tx_json": tx})
}

#[tokio::test]
async fn a_submission_is_answered_and_then_in_a_ledger() {
    let server = closing_on_submit().await;
    let alice = account("alice").1.to_string();
    let mut ws = Ws::connect(&server.ws_url()).await;
    ws.ask("subscribe", json!({"streams": ["ledger"]})).await;
    let reply = ws.ask("submit", payment(&alice, json!({}))).await;
    assert_eq!(reply["engine_result"], "tesSUCCESS");
    assert_eq!(ws.frames.len(), 0, "the reply comes before the ledger");
    assert_eq!(ws.frame().await["txn_count"], 1);
    // Over JSON-RPC the next request finds it validated.
    let reply = call(&server.rpc_url(), "submit", payment(&alice, json!({}))).await;
    let found = call(&server.rpc_url(), "tx", json!({"transaction": reply["tx_json"]["hash"]})).await;
    assert_eq!(found["validated"], true);
    assert_eq!(server.validated().header.index, 4, "one ledger each");
}

#[tokio::test]
async fn ledgers_close_until_what_waits_is_in_one_or_cannot_be_any_more() {
    let server = closing_on_submit().await;
    let alice = account("alice").1.to_string();
    let mut ws = Ws::connect(&server.ws_url()).await;
    ws.ask("subscribe", json!({"streams": ["ledger"]})).await;
    // Nothing can ever apply this one, and whoever waits for it looks for the ledger after its last.
    let gone =
        ws.ask("submit", payment(&alice, json!({"Sequence": 9, "Fee": "10", "LastLedgerSequence": 6}))).await;
    assert_eq!(gone["engine_result"], "terPRE_SEQ");
    let mut last = 2;
    while last < 7 {
        last = ws.frame().await["ledger_index"].as_u64().unwrap();
    }
    ws.ask("standalone_close_on_submit", json!({"enabled": false})).await;
    let before = server.validated().header.index;
    let open = ws.ask("submit", payment(&alice, json!({}))).await;
    assert_eq!(open["engine_result"], "tesSUCCESS");
    ws.ask("ping", json!({})).await;
    assert_eq!(server.validated().header.index, before, "no ledger closes for it any more");
}

#[tokio::test]
async fn a_faucet_pays_whom_it_is_asked_to_and_makes_an_account_for_who_has_none() {
    let server = EmbeddedServer::start(EmbeddedConfig::default()).await.unwrap();
    let faucet = async |body: Value| {
        let address = server.rpc_url().trim_start_matches("http://").to_owned();
        let body = body.to_string();
        let request = format!(
            "POST /accounts HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let (status, body) = http(&address, &request).await;
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    let alice = account("alice").1.to_string();
    let (status, paid) = faucet(json!({"destination": alice, "userAgent": "a test"})).await;
    assert_eq!(
        (status, &paid["account"]["classicAddress"], &paid["amount"]),
        (200, &json!(alice), &json!(100))
    );
    let info = json!({"account": alice, "ledger_index": "validated"});
    let info = call(&server.rpc_url(), "account_info", info).await;
    assert_eq!(info["account_data"]["Balance"], "100000000", "validated already");
    let found = call(&server.rpc_url(), "tx", json!({"transaction": paid["transactionHash"]})).await;
    assert_eq!(found["validated"], true);
    let (_, more) = faucet(json!({"destination": alice, "xrpAmount": "2.5"})).await;
    assert_eq!(more["amount"], 2.5);

    let (status, made) = faucet(json!({})).await;
    let seed: xrpl_wire::Seed = made["seed"].as_str().unwrap().parse().unwrap();
    let address = xrpl_wire::KeyPair::from_seed(&seed).account_id().to_string();
    assert_eq!((status, &made["account"]["address"]), (200, &json!(address)));

    for (body, status, error) in [
        (json!([]), 400, "the body is not a JSON object"),
        (json!({"destination": "x"}), 400, "destination is not a classic address"),
        (json!({"destination": alice, "xrpAmount": "much"}), 400, "xrpAmount is not an amount of XRP"),
        (
            json!({"xrpAmount": 0.5}),
            422,
            "the payment failed: the ledger answers tecNO_DST_INSUF_XRP: Destination does not exist. Too little XRP sent to create it.",
        ),
    ] {
        let (was, told) = faucet(body.clone()).await;
        assert_eq!((was, told["error"].as_str().unwrap()), (status, error), "{body}");
    }
}

#[tokio::test]
async fn a_server_without_a_faucet_has_none() {
    let config = EmbeddedConfig { faucet: None, ..EmbeddedConfig::default() };
    let server = EmbeddedServer::start(config).await.unwrap();
    let url = server.rpc_url();
    let address = url.trim_start_matches("http://");
    let request = format!(
        "POST /accounts HTTP/1.1\r\nHost: {address}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    assert_eq!(http(address, &request).await.0, 400, "a JSON-RPC request, and a bad one");
    assert_eq!(post(&url, r#"{"method":"ping"}"#).await.0, 200);
}

#[tokio::test]
async fn whoever_watches_hears_of_submissions_and_ledgers() {
    let server = EmbeddedServer::start(EmbeddedConfig::default()).await.unwrap();
    let mut events = server.events();
    let id = server.fund(&account("alice").1, xrp(100)).unwrap();
    server.close_ledger();
    match events.next().await {
        Some(Event::Submitted(outcome)) => assert_eq!((outcome.id, outcome.applied), (id, true)),
        other => panic!("{other:?}"),
    }
    match events.next().await {
        Some(Event::Closed(closed)) => assert_eq!((closed.header.index, closed.transactions[0].id), (3, id)),
        other => panic!("{other:?}"),
    }
    server.shutdown().await;
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let server = EmbeddedServer::start(EmbeddedConfig::default()).await.unwrap();
    let taken = server.rpc_url().trim_start_matches("http://").parse().unwrap();
    let config = EmbeddedConfig { ws_addr: taken, ..EmbeddedConfig::default() };
    let error = EmbeddedServer::start(config).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {taken}: the port is in use"));
}
