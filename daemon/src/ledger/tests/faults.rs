//! Servers that fall silent, hang up, lag, or speak nonsense.

use serde_json::json;

use super::fake::{FakeServer, Says};
use super::*;
use crate::driver::Leave;

fn from(cursor: LedgerPoint) -> Start {
    Start { cursor: Some(cursor), ..Start::default() }
}

#[tokio::test]
async fn every_ledger_between_the_cursor_and_the_present_comes_once_and_in_order() {
    let server = FakeServer::start("tickets", 6).await;
    let mut port = spawn(network(&[server.url()]), from(server.point(1)));
    for closed in 2..=6 {
        assert_eq!(port.ledger().await.point, server.point(closed));
    }
    assert_eq!(port.reconciled().await.0, server.point(6));
    server.close();
    assert_eq!(port.ledger().await.point, server.point(7));
}

#[tokio::test]
async fn announcements_that_were_missed_are_made_up_for() {
    let server = FakeServer::start("tickets", 1).await;
    let mut port = spawn(network(&[server.url()]), from(server.point(1)));
    port.reconciled().await;
    // All at once: only the last may be noticed.
    for _ in 0..4 {
        server.close();
    }
    for closed in 2..=5 {
        assert_eq!(port.ledger().await.point, server.point(closed));
    }
}

#[tokio::test]
async fn without_a_cursor_it_begins_with_the_present_ledger() {
    let server = FakeServer::start("tickets", 4).await;
    let account = AccountId([1; 20]);
    let start = Start { watched: [account].into(), ..Start::default() };
    let mut port = spawn(network(&[server.url()]), start);
    let (at, accounts) = port.reconciled().await;
    assert_eq!(at, server.point(4));
    assert_eq!((accounts.len(), accounts[0].account, accounts[0].root), (1, account, None));
    server.close();
    assert_eq!(port.ledger().await.point, server.point(5));
}

#[tokio::test]
async fn a_ledger_that_one_server_lacks_comes_from_another() {
    let lacking = FakeServer::start("tickets", 4).await;
    let whole = FakeServer::start("tickets", 4).await;
    let missing = lacking.point(2).index.0;
    lacking.twist(move |request, says| {
        if request["command"] == "ledger" && request["ledger_index"] == missing {
            Says::Error("lgrNotFound")
        } else {
            says
        }
    });
    let mut port = spawn(network(&[lacking.url(), whole.url()]), from(whole.point(1)));
    for closed in 2..=4 {
        assert_eq!(port.ledger().await.point, whole.point(closed));
    }
}

#[tokio::test]
async fn a_socket_that_falls_silent_is_given_up() {
    let server = FakeServer::start("tickets", 2).await;
    let patience = NetworkConfig { silence_max: Duration::from_millis(50), ..network(&[server.url()]) };
    let mut port = spawn(patience, from(server.point(2)));
    // How often it is given up, before the accounts are read and after, is a matter of the machine's speed.
    let (mut read, mut silent) = (false, false);
    while !(read && silent) {
        match port.next().await {
            Input::Reconciled { at, .. } => {
                assert_eq!(at, server.point(2));
                read = true;
            }
            Input::SightLost { reason } => {
                assert!(reason.contains("no new validated ledger"), "{reason}");
                silent = true;
            }
            other => panic!("{other:?}"),
        }
    }
    server.close();
    // It connects again and goes on.
    loop {
        match port.next().await {
            Input::Ledger { observation, .. } => {
                assert_eq!(observation.point, server.point(3));
                break;
            }
            Input::SightLost { .. } | Input::Reconciled { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_request_without_a_reply_times_out() {
    let server = FakeServer::start("tickets", 2).await;
    server.twist(|request, says| if request["command"] == "ledger" { Says::Nothing } else { says });
    let mut port = spawn(impatient(server.url()), from(server.point(1)));
    assert!(port.sight_lost().await.contains("no reply to `ledger`"));
}

#[tokio::test]
async fn who_says_nonsense_or_hangs_up_is_left_and_connected_anew() {
    let server = FakeServer::start("tickets", 3).await;
    let malformed = r#"{"type":"ledgerClosed","ledger_index":"no number"}"#;
    for says in [Says::Raw("{not json"), Says::Raw(malformed), Says::HangUp] {
        let mut says = Some(says);
        server.twist(
            move |request, usual| {
                if request["command"] == "ledger" { says.take().unwrap_or(usual) } else { usual }
            },
        );
        let mut port = spawn(impatient(server.url()), from(server.point(1)));
        let reason = port.sight_lost().await;
        assert!(reason.contains("the connection ended"), "{reason}");
        assert_eq!(port.ledger().await.point, server.point(2));
        assert_eq!(port.ledger().await.point, server.point(3));
    }
}

#[tokio::test]
async fn a_reply_of_another_shape_is_named() {
    let server = FakeServer::start("tickets", 2).await;
    server.twist(
        |request, says| {
            if request["command"] == "ledger" { Says::Result(json!({ "ledger": 5 })) } else { says }
        },
    );
    let mut port = spawn(network(&[server.url()]), from(server.point(1)));
    assert!(port.sight_lost().await.contains("malformed reply to `ledger`"));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_gives_way_to_the_next() {
    let server = FakeServer::start("tickets", 2).await;
    // Nothing listens on port 1.
    let mut port = spawn(network(&["ws://127.0.0.1:1", server.url()]), from(server.point(1)));
    assert_eq!(port.ledger().await.point, server.point(2), "sight was never lost");
}

#[tokio::test]
async fn a_server_of_another_network_is_not_used() {
    let server = FakeServer::start("tickets", 2).await;
    let other = NetworkConfig { network_id: Some(1), ..network(&[server.url()]) };
    let mut port = spawn(other, from(server.point(1)));
    assert!(port.sight_lost().await.contains("is on network 0, not 1"));
    assert!(!server.requests().contains(&"ledger".to_owned()));
}

#[tokio::test]
async fn everything_is_read_anew_from_time_to_time() {
    let server = FakeServer::start("tickets", 1).await;
    let often = NetworkConfig { reread_ledgers: 2, ..network(&[server.url()]) };
    let mut port = spawn(often, from(server.point(1)));
    port.reconciled().await;
    for closed in [2, 4] {
        server.close();
        assert_eq!(port.ledger().await.point, server.point(closed));
        server.close();
        assert_eq!(port.ledger().await.point, server.point(closed + 1));
        assert_eq!(port.reconciled().await.0, server.point(closed + 1));
    }
}

#[tokio::test]
async fn an_account_that_was_asked_for_is_read_however_often_the_server_fails() {
    let server = FakeServer::start("tickets", 2).await;
    let mut port = spawn(network(&[server.url()]), from(server.point(2)));
    port.reconciled().await;
    let mut failures = 2;
    server.twist(move |request, says| {
        if request["command"] == "account_info" && failures > 0 {
            failures -= 1;
            return Says::HangUp;
        }
        says
    });
    port.handle.reconcile(vec![AccountId([5; 20])]).await;
    loop {
        match port.next().await {
            Input::Reconciled { at, accounts, .. } => {
                assert_eq!((at, accounts[0].account), (server.point(2), AccountId([5; 20])));
                break;
            }
            Input::SightLost { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_a_server_says_of_a_submission_is_told_apart() {
    let server = FakeServer::start("tickets", 1).await;
    let mut port = spawn(impatient(server.url()), from(server.point(1)));
    port.reconciled().await;
    let id = Hash256([3; 32]);
    let blob = HexBytes(vec![0x12, 0x00]);
    let engine = json!({ "engine_result": "terQUEUED", "tx_json": { "hash": id } });
    let other = json!({ "engine_result": "tesSUCCESS", "tx_json": { "hash": Hash256([4; 32]) } });
    for (says, expected) in [
        (Says::Result(engine), "Engine"),
        (Says::Result(other), "Unknown"),
        (Says::Result(json!({})), "Unknown"),
        (Says::Result(json!({ "engine_result": "tem".to_owned() + &"X".repeat(100_000) })), "Unknown"),
        (Says::Result(json!({ "engine_result": "tem, says the\nserver" })), "Unknown"),
        (Says::Error("tooBusy"), "Busy"),
        (Says::Error("invalidTransaction"), "Unknown"),
        (Says::Nothing, "Unknown"),
        (Says::HangUp, "Unknown"),
    ] {
        let mut says = Some(says);
        server.twist(
            move |request, usual| {
                if request["command"] == "submit" { says.take().unwrap_or(usual) } else { usual }
            },
        );
        let reply = port.handle.submit(id, &blob, Leave::default().permit()).await;
        let told = format!("{reply:?}");
        assert!(told.starts_with(expected) && told.len() < 1_000, "{expected}: {told}");
    }
}

#[tokio::test]
async fn without_a_connection_a_submission_is_unknown_and_does_not_wait() {
    let port = spawn(network(&["ws://127.0.0.1:1"]), Start::default());
    let reply = port.handle.submit(Hash256::ZERO, &HexBytes(vec![]), Leave::default().permit()).await;
    assert!(matches!(reply, SubmitReply::Unknown(_)));
    port.handle.shutdown().await;
}
