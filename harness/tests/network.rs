//! Goal: a test sees the same ledger whether it stands in the same process or at a URL.
//! Danger: a read that is nearly right, a jump in time that goes too far, a capability that is not there.
//! Method: one embedded server, read in its own process and through its websocket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

use std::time::Duration;

use xrpl_harness::network::{At, Capability, Network, NetworkError, Remote};
use xrpl_harness::{EmbeddedConfig, EmbeddedServer, Faults};
use xrpl_wire::{AccountId, Drops, KeyPair, KeyType, Seed, index};

async fn both(control: bool, close_step_seconds: u32) -> (EmbeddedServer, Remote) {
    let config = EmbeddedConfig { close_step_seconds, ..EmbeddedConfig::default() };
    let server = EmbeddedServer::start(config).await.unwrap();
    let remote = Remote::connect(&server.ws_url(), &server.rpc_url(), control).await.unwrap();
    (server, remote)
}

fn account(number: u8) -> AccountId {
    KeyPair::from_seed(&Seed::from_entropy([number; 16], KeyType::Ed25519)).account_id()
}

fn xrp(text: &str) -> Drops {
    Drops::from_xrp_str(text).unwrap()
}

#[tokio::test]
async fn a_remote_ledger_reads_as_the_embedded_one() {
    let (server, remote) = both(true, 4).await;
    let begun = Network::validated(&server).await.unwrap();
    assert_eq!(remote.validated().await.unwrap(), begun);
    assert_eq!(remote.fees().await.unwrap(), Network::fees(&server).await.unwrap());
    // Several in one ledger, so that there is an order.
    for number in 1..=5 {
        remote.pay(account(number), xrp("100")).await.unwrap();
    }
    let root = index::account_root(&account(1));
    assert!(remote.entry(root, At::Open).await.unwrap().is_some());
    assert_eq!(remote.entry(root, At::Validated).await.unwrap(), None);
    let closed = Network::close_ledger(&remote).await.unwrap();
    assert_eq!(closed, Network::validated(&server).await.unwrap());
    assert_eq!(remote.entry(root, At::Ledger(begun.index)).await.unwrap(), None);
    for at in [At::Open, At::Validated, At::Ledger(closed.index)] {
        let found = remote.entry(root, at).await.unwrap();
        assert!(found.is_some());
        assert_eq!(found, server.entry(root, at).await.unwrap(), "{at:?}");
    }
    let ids = |contents: &xrpl_harness::network::Contents| {
        contents.transactions.iter().map(|tx| (tx.id, tx.result)).collect::<Vec<_>>()
    };
    let (there, here) =
        (remote.ledger(closed.index).await.unwrap(), server.ledger(closed.index).await.unwrap());
    assert_eq!(there.header, here.header);
    assert_eq!(ids(&there).len(), 5);
    assert_eq!(ids(&there), ids(&here), "in the order of their application");
    let after = |index| remote.transactions(index, |_| true);
    assert_eq!(after(begun.index).await.unwrap().len(), 5);
    assert!(after(closed.index).await.unwrap().is_empty());
    let open = closed.index + 1;
    assert!(matches!(remote.ledger(open).await, Err(NetworkError::NoLedger(index)) if index == open));
    server.shutdown().await;
}

#[tokio::test]
async fn time_moves_by_many_ledgers_where_a_server_knows_no_other_way() {
    let (server, remote) = both(false, 1).await;
    assert_eq!(remote.capabilities(), Default::default());
    let begun = Network::validated(&server).await.unwrap();
    remote.pay(account(1), xrp("100")).await.unwrap();
    let moved = Network::advance_time(&remote, 1_000).await.unwrap();
    assert_eq!(moved.close_time.0, begun.close_time.0 + 1_000, "as far as it was told, and no further");
    assert_eq!(moved.index, begun.index + 1_000);
    let found = remote.transactions(begun.index, |_| true).await.unwrap();
    assert_eq!(found.len(), 1, "the one transaction among a thousand ledgers");
    assert_eq!(found[0].ledger_index, begun.index + 1);
    server.shutdown().await;
}

#[tokio::test]
async fn time_moves_in_one_close_where_a_server_can() {
    let (server, remote) = both(true, 4).await;
    let begun = Network::validated(&server).await.unwrap();
    let moved = Network::advance_time(&remote, 30 * 86_400).await.unwrap();
    assert_eq!(moved.close_time.0, begun.close_time.0 + 30 * 86_400);
    assert_eq!(moved.index, begun.index + 1);
    server.shutdown().await;
}

#[tokio::test]
async fn faults_reach_the_server_and_cut_sockets_are_mended() {
    let (server, remote) = both(true, 4).await;
    let faults = Faults {
        delay: Duration::from_millis(1),
        duplicate_frames: true,
        swallow_submits: 3,
        fee_factor: 2,
        ..Faults::default()
    };
    Network::set_faults(&remote, faults.clone()).await.unwrap();
    assert_eq!(server.faults(), faults);
    Network::set_faults(&remote, Faults::default()).await.unwrap();
    assert_eq!(server.faults(), Faults::default());
    for _ in 0..3 {
        Network::drop_connections(&remote).await.unwrap();
        Network::close_ledger(&remote).await.unwrap();
    }
    server.drop_connections();
    Network::close_ledger(&remote).await.unwrap();
    server.shutdown().await;
}

#[tokio::test]
async fn a_remote_ledger_is_put_back() {
    let (server, remote) = both(true, 4).await;
    let begun = remote.validated().await.unwrap();
    let snapshot = Network::snapshot(&remote).await.unwrap();
    remote.fund(account(1), xrp("100")).await.unwrap();
    let root = index::account_root(&account(1));
    assert!(remote.ledger(begun.index + 1).await.is_ok());
    Network::restore(&remote, snapshot).await.unwrap();
    assert_eq!(remote.validated().await.unwrap(), begun);
    assert_eq!(remote.entry(root, At::Validated).await.unwrap(), None);
    assert!(remote.ledger(begun.index + 1).await.is_err(), "what was read before does not count");
    server.shutdown().await;
}

#[tokio::test]
async fn what_a_server_cannot_do_is_said() {
    let (server, remote) = both(false, 1).await;
    let lacks = |result: Result<(), NetworkError>, capability| {
        assert!(matches!(result, Err(NetworkError::Lacks(lacking)) if lacking == capability));
    };
    lacks(Network::set_faults(&remote, Faults::default()).await, Capability::Faults);
    lacks(Network::drop_connections(&remote).await, Capability::Faults);
    lacks(Network::snapshot(&remote).await.map(drop), Capability::Snapshot);
    assert_eq!(remote.capabilities().lacks(&[Capability::Time]), Some(Capability::Time));
    assert_eq!(server.capabilities().lacks(&[Capability::Time, Capability::Faults]), None);
    server.shutdown().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let (server, _) = both(true, 4).await;
    let url = server.ws_url();
    server.shutdown().await;
    let error = Remote::connect(&url, "", true).await.unwrap_err();
    assert!(error.to_string().contains(&url), "{error}");
}

/// Danger: the reply is lost with its socket, the same transaction is sent again, and who sent it is told that it failed.
#[tokio::test]
async fn a_submission_whose_reply_was_lost_with_its_socket_is_what_it_was() {
    let (server, remote) = both(true, 4).await;
    Network::set_faults(&remote, Faults { lose_submit_replies: 1, ..Faults::default() }).await.unwrap();
    let to = account(7);
    let paid = Network::pay(&remote, to, xrp("50"));
    let cut = async {
        // It was taken: now its reply can come no more.
        while Network::entry(&server, index::account_root(&to), At::Open).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        server.drop_connections();
    };
    let (paid, ()) = tokio::join!(paid, cut);
    let closed = Network::close_ledger(&server).await.unwrap();
    let contents = Network::ledger(&server, closed.index).await.unwrap();
    assert_eq!(
        contents.transactions.iter().map(|included| included.tx.id()).collect::<Vec<_>>(),
        [paid.unwrap()]
    );
    // What failed has failed, also where it is said again.
    assert!(matches!(Network::pay(&remote, to, xrp("0")).await, Err(NetworkError::NotPaid(_))));
    server.shutdown().await;
}
