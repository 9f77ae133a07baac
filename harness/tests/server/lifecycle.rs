//! Starting, stopping, closing by itself, going back, and going wrong.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use xrpl_harness::{EmbeddedConfig, EmbeddedServer, Network};
use xrpl_wire::{RippleTime, TxResult};

use crate::support::{Ws, account, call, post, start, xrp};

#[tokio::test]
async fn a_server_stops_though_clients_hold_on() {
    let server = start().await;
    let mut ws = Ws::connect(&server.ws_url()).await;
    ws.ask("ping", json!({})).await;
    let mut idle = TcpStream::connect(server.rpc_url().trim_start_matches("http://")).await.unwrap();
    idle.write_all(b"POST / HTTP/1.1\r\n").await.unwrap();
    let address = server.rpc_url();
    let began = Instant::now();
    server.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(ws.receive().await, None);
    assert!(TcpStream::connect(address.trim_start_matches("http://")).await.is_err());
}

#[tokio::test]
async fn ledgers_close_by_themselves_at_the_interval_until_paused() {
    let config = EmbeddedConfig { auto_close: Some(Duration::from_millis(5)), ..EmbeddedConfig::default() };
    let server = EmbeddedServer::start(config).await.unwrap();
    let mut ws = Ws::connect(&server.ws_url()).await;
    let now = ws.ask("subscribe", json!({"streams": ["ledger"]})).await["ledger_time"].as_u64().unwrap();
    assert_eq!(ws.frame().await["ledger_time"], now + 4);
    assert_eq!(ws.frame().await["ledger_time"], now + 8);
    call(&server.rpc_url(), "standalone_auto_close", json!({"enabled": false})).await;
    let paused = server.validated().header.index;
    for _ in 0..500 {
        ws.ask("ping", json!({})).await;
    }
    assert!(server.validated().header.index <= paused + 1, "at most the close under way when it was paused");
    server.resume_auto_close();
    let last = server.validated().header.index;
    while ws.frame().await["ledger_index"].as_u64().unwrap() <= u64::from(last) {}
}

#[tokio::test]
async fn time_moves_thirty_days_in_one_ledger() {
    let server = start().await;
    let before = server.now();
    let closed = server.advance_time(30 * 86_400);
    assert_eq!(closed.header.close_time, before.checked_add_seconds(30 * 86_400).unwrap());
    assert_eq!(closed.header.index, 3);
    let at = RippleTime(server.now().0 + 17);
    assert_eq!(server.close_ledger_at(at).header.close_time, at);
    let earlier = server.close_ledger_at(before);
    assert_eq!(earlier.header.close_time.0, at.0 + 1, "time never goes back");
    let url = server.rpc_url();
    let moved = call(&url, "standalone_advance_time", json!({"seconds": 100})).await;
    assert_eq!((&moved["ledger_index"], &moved["close_time"]), (&json!(6), &json!(at.0 + 101)));
}

#[tokio::test]
async fn a_snapshot_brings_everything_back() {
    let server = start().await;
    let url = server.rpc_url();
    let (_, alice) = account("alice");
    server.fund(&alice, xrp(10)).unwrap();
    let hash = server.close_ledger().hash;
    let kept = server.snapshot();
    let number = call(&url, "standalone_snapshot", json!({})).await["snapshot"].clone();
    let funded = call(&url, "standalone_fund", json!({"account": alice.to_string(), "drops": "7"})).await;
    assert_eq!(funded["ledger_index"], 4);
    server.restore(kept);
    assert_eq!(server.validated().hash, hash);
    server.close_ledger();
    assert_eq!(call(&url, "standalone_restore", json!({"snapshot": number})).await["status"], "success");
    assert_eq!(server.validated().hash, hash);
    assert_eq!(call(&url, "standalone_restore", json!({"snapshot": 99})).await["error"], "invalidParams");
}

#[tokio::test]
async fn the_same_calls_give_the_same_ledgers() {
    let mut hashes = Vec::new();
    for _ in 0..2 {
        let server = start().await;
        Network::fund(&server, account("alice").1, xrp(10)).await.unwrap();
        Network::advance_time(&server, 1000).await.unwrap();
        hashes.push(Network::close_ledger(&server).await.unwrap().hash);
    }
    assert_eq!(hashes[0], hashes[1]);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_and_others_are_not() {
    let config = EmbeddedConfig { send_queue_frames: 16, ..EmbeddedConfig::default() };
    let server = EmbeddedServer::start(config).await.unwrap();
    let mut slow = Ws::connect(&server.ws_url()).await;
    slow.ask("subscribe", json!({"streams": ["ledger"]})).await;
    // It asks and asks, and reads no answer: the kernel's buffers take some, then the queue fills.
    let ask = json!({"command": "ping", "id": "x".repeat(500_000)}).to_string();
    let asking = tokio::spawn(async move { while slow.try_send_text(&ask).await {} });
    let mut good = Ws::connect(&server.ws_url()).await;
    good.ask("subscribe", json!({"streams": ["ledger"]})).await;
    while server.dropped_slow() == 0 {
        let index = server.close_ledger().header.index;
        assert_eq!(good.frame().await["ledger_index"], index);
    }
    asking.await.unwrap();
    assert_eq!(server.connections(), 1);
    assert_eq!(good.ask("ping", json!({})).await["role"], "admin");
}

/// A reply repeats the id of its request: half a megabyte each, of which a client may have thousands waiting.
#[tokio::test]
async fn a_client_that_does_not_read_is_not_answered_without_end() {
    const ASKED: u32 = 200;
    let server = start().await;
    let mut slow = Ws::connect(&server.ws_url()).await;
    let ask = json!({"command": "ledger_accept", "id": "x".repeat(500_000)}).to_string();
    let asking = tokio::spawn(async move {
        for _ in 0..ASKED {
            assert!(slow.try_send_text(&ask).await);
        }
    });
    let mut other = Ws::connect(&server.ws_url()).await;
    // Until nothing happens any more while others are served.
    let (mut last, mut quiet) = (0, 0);
    while quiet < 300 {
        other.ask("ping", json!({})).await;
        let index = server.validated().header.index;
        quiet = if index == last && index > 2 { quiet + 1 } else { 0 };
        last = index;
    }
    assert!(last < ASKED / 2, "{last} ledgers");
    asking.abort();
    assert_eq!(other.ask("ping", json!({})).await["role"], "admin");
    server.shutdown().await;
}

#[tokio::test]
async fn strangers_have_no_administrators_methods() {
    let any = EmbeddedConfig::default().ws_addr;
    let config = EmbeddedConfig { public_addr: Some(any), ..EmbeddedConfig::default() };
    let server = EmbeddedServer::start(config).await.unwrap();
    let public = server.public_addr().unwrap();
    let url = format!("http://{public}");
    assert_eq!(post(&url, r#"{"method":"ledger_accept"}"#).await, (403, "Forbidden\r\n".to_owned()));
    assert_eq!(call(&url, "ping", json!({})).await, json!({"status": "success"}));
    assert_eq!(call(&url, "sign", json!({"secret": "x"})).await["error"], "notSupported");
    assert_eq!(
        call(&url, "ledger", json!({"ledger_index": 2, "accounts": true})).await["error"],
        "noPermission"
    );
    assert_eq!(call(&url, "standalone_snapshot", json!({})).await["error"], "forbidden");
    let mut ws = Ws::connect(&format!("ws://{public}")).await;
    for command in ["ledger_accept", "wallet_propose", "standalone_fund"] {
        assert_eq!(ws.request(command, json!({})).await["error"], "forbidden", "{command}");
    }
}

#[tokio::test]
async fn the_trait_tells_what_the_ledger_says() {
    let server = start().await;
    let (keys, alice) = account("alice");
    let error = Network::fund(&server, alice, xrpl_wire::Drops::new(1).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("tecNO_DST_INSUF_XRP"), "{error}");
    Network::fund(&server, alice, xrp(100)).await.unwrap();
    let tx = server
        .with_ledger(|ledger| xrpl_harness::server::payment(ledger, &keys, &account("bob").1, xrp(5)))
        .unwrap();
    assert_eq!(Network::submit(&server, &tx).await.unwrap(), TxResult::tesSUCCESS);
    let closed = Network::close_ledger(&server).await.unwrap();
    assert_eq!(Network::validated(&server).await.unwrap(), closed);
    assert_eq!(Network::now(&server).await.unwrap(), closed.close_time);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payments_made_at_once_do_not_get_into_one_anothers_way() {
    let server = Arc::new(start().await);
    let funding = (0..8).map(|number| {
        let server = Arc::clone(&server);
        tokio::spawn(async move { server.fund(&account(&number.to_string()).1, xrp(5)).unwrap() })
    });
    for task in funding.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(server.close_ledger().transactions.len(), 8);
}
