use std::os::unix::fs::PermissionsExt;

use xrpl_harness::network::At;
use xrpl_wire::{LedgerEntry, flags, index};

use super::seen::balance;
use super::story::{self, Stage};
use super::*;
use crate::daemon::Daemon;

async fn sandbox(dir: &std::path::Path) -> Sandbox {
    Sandbox::start(dir, Options::default()).await.unwrap()
}

#[tokio::test]
async fn the_treasury_on_the_ledger_is_the_one_in_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    let config = sandbox.daemon_config().unwrap();
    let closed = sandbox.world().embedded().unwrap().validated();
    let entry = |key| closed.state.object(&key).map(|object| LedgerEntry::from_object(object).unwrap());
    for (account, declared) in &config.treasury.accounts {
        let Some(LedgerEntry::AccountRoot(root)) = entry(index::account_root(account)) else {
            panic!("{} is not on the ledger", declared.name);
        };
        assert_eq!(
            root.has_flag(flags::lsfDisableMaster),
            declared.signers.is_some(),
            "master key of {}",
            declared.name
        );
        let is_board = declared.name == "board";
        assert_eq!(root.has_flag(flags::lsfDepositAuth), is_board, "DepositAuth of {}", declared.name);
        assert_eq!(root.ticket_count, if is_board { 0 } else { 10 }, "Tickets of {}", declared.name);
        let Some(signers) = &declared.signers else { continue };
        let Some(LedgerEntry::SignerList(list)) = entry(index::signer_list(account)) else {
            panic!("{} has no SignerList", declared.name);
        };
        assert_eq!(list.quorum, signers.quorum.0);
        let entries = list.entries.iter().map(|entry| (entry.account, entry.weight)).collect();
        assert_eq!(signers.entries, entries, "{}", declared.name);
    }
    let board = sandbox.account("board").unwrap();
    for (name, member) in [("alice", true), ("bob", true), ("carol", false), ("dave", true)] {
        let key = index::deposit_preauth(&board, &sandbox.account(name).unwrap());
        assert_eq!(closed.state.object(&key).is_some(), member, "{name}");
    }
    for agent in &config.treasury.agents {
        assert_eq!(
            balance(sandbox.world(), agent, At::Validated).await.unwrap(),
            xrpl_wire::Drops::ZERO,
            "agents are phantom signers"
        );
    }
    for secret in ["passphrase", "keystore.age", "alice.seed", "alice.token", "bob.seed"] {
        let mode = std::fs::metadata(sandbox.dir().join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
}

#[tokio::test]
async fn a_directory_that_holds_a_treasury_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let first = sandbox(dir.path()).await;
    let config = std::fs::read(first.config_path()).unwrap();
    let error = Sandbox::start(dir.path(), Options::default()).await.unwrap_err();
    assert!(matches!(error, DevError::Occupied { .. }), "{error}");
    assert_eq!(std::fs::read(first.config_path()).unwrap(), config);
}

/// Danger: scenes that pass because ledgers close all the time. Method: here none closes unless a scene waits.
#[tokio::test(flavor = "multi_thread")]
async fn the_story_holds_on_a_ledger_that_closes_on_demand() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    let daemon = Daemon::start(sandbox.daemon_config().unwrap()).await.unwrap();
    sandbox.daemon_has_seen(sandbox.begun_at()).await.unwrap();
    let mut stage = Stage::over(&sandbox);
    assert_eq!(story::refill(&mut stage).await.unwrap().len(), 3);
    assert_eq!(story::middling(&mut stage).await.unwrap().len(), 3);
    let killed = story::large_with_kills(&mut stage).await.unwrap_err();
    assert!(matches!(killed, DevError::Daemon(_)), "a daemon of somebody else's is not killed: {killed}");
    daemon.shutdown().await;
}

#[tokio::test]
async fn what_does_not_come_is_named_together_with_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let patience = std::time::Duration::from_millis(50);
    let sandbox = Sandbox::start(dir.path(), Options { patience, ..Options::default() }).await.unwrap();
    let error = sandbox.until::<()>("snow", || Err("rain".to_owned())).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("snow") && text.contains("rain"), "{text}");
}

#[tokio::test]
async fn the_books_notice_every_drop_and_every_transaction_that_nobody_expected() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    let world = sandbox.world();
    let server = world.embedded().unwrap();
    let (exchange, supplier) = (sandbox.account("exchange").unwrap(), sandbox.account("supplier").unwrap());
    let books = Books::open(world).await.unwrap();
    server.fund(&exchange, xrp(3)).unwrap();
    server.close_ledger();
    let none = xrpl_wire::Drops::ZERO;
    books.settle(world, "exchange", &exchange, xrp(3), none, &[]).await.unwrap();
    for (came, went) in [(xrp(2), none), (none, none), (xrp(3), xrp(1))] {
        let error = books.settle(world, "exchange", &exchange, came, went, &[]).await.unwrap_err();
        assert!(matches!(error, DevError::Wrong { .. }), "{error}");
    }
    let key = sandbox.cast().identity("supplier").unwrap().key().clone();
    let paid =
        server.with_ledger(|ledger| xrpl_harness::server::payment(ledger, &key, &exchange, xrp(1))).unwrap();
    server.submit(&paid);
    server.close_ledger();
    let payment = xrpl_wire::TransactionType::Payment;
    books.settle(world, "supplier", &supplier, none, xrp(1), &[payment]).await.unwrap();
    for sent in [&[][..], &[payment, payment], &[xrpl_wire::TransactionType::EscrowCreate]] {
        assert!(books.settle(world, "supplier", &supplier, none, xrp(1), sent).await.is_err(), "{sent:?}");
    }
}

/// Danger: a tour that says yes whatever happens. Method: nobody flags, or the daemon is gone; the scenes must fail.
#[tokio::test(flavor = "multi_thread")]
async fn a_scene_fails_when_the_ledger_shows_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let patience = std::time::Duration::from_secs(2);
    let sandbox = Sandbox::start(dir.path(), Options { patience, ..Options::default() }).await.unwrap();
    let daemon = Daemon::start(sandbox.daemon_config().unwrap()).await.unwrap();
    sandbox.daemon_has_seen(sandbox.begun_at()).await.unwrap();
    let mut stage = Stage::over(&sandbox);
    let nothing_happened = story::whole(&mut stage, &[("hot", "Payment", 1)]).await.unwrap_err();
    assert!(matches!(nothing_happened, DevError::Wrong { .. }), "{nothing_happened}");
    // Dave freezes everything, so the payment that policy allows does not come.
    let dave = sandbox.people().get("dave").unwrap();
    dave.client().freeze(None, "a drill").await.unwrap();
    let frozen = story::small(&mut stage).await.unwrap_err();
    assert!(matches!(frozen, DevError::NotSeen { .. }), "{frozen}");
    daemon.shutdown().await;
    assert!(matches!(story::small(&mut stage).await.unwrap_err(), DevError::Client(_)));
}
