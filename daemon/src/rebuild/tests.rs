use std::fs;
use std::path::Path;

use treasury_core::state::Sight;
use xrpl_harness::{Faults, Network};
use xrpl_wire::{RippleTime, TransactionType};

use super::*;
use crate::daemon::Daemon;
use crate::dev::seen::{self, Books};
use crate::dev::story::Stage;
use crate::dev::{Options, Sandbox, xrp};
use crate::store::{DiskStore, Store};

async fn daemon(sandbox: &Sandbox) -> Daemon {
    let daemon = Daemon::start(sandbox.daemon_config().unwrap()).await.unwrap();
    let now = sandbox.world().validated().await.unwrap().index;
    sandbox.daemon_has_seen(now).await.unwrap();
    daemon
}

/// What the store adds up to. What a process saw is not what the next one sees.
fn stored(data_dir: &Path) -> State {
    let mut state = DiskStore::open(data_dir).unwrap().resume(&mut |_| {}).unwrap().state;
    state.sight = Sight::default();
    state
}

/// A payment that went through, an escrow that was flagged while it waits, and a payment with one approval of two;
/// the daemon has stopped. Answers with the escrow's Ticket and CancelAfter, and the payment that waits.
async fn lived(sandbox: &Sandbox) -> (u32, RippleTime, String) {
    let running = daemon(sandbox).await;
    let stage = Stage::over(sandbox);
    let (alice, bob, dave) = ["alice", "bob", "dave"].map(|name| sandbox.people().get(name).unwrap()).into();
    let warm = sandbox.account("warm").unwrap();
    let books = Books::open(sandbox.world()).await.unwrap();
    let paid = alice.propose("hot", "supplier", xrp(300), "parts").await.unwrap();
    stage.can_be_signed(&paid).await.unwrap();
    alice.approve(&paid).await.unwrap();
    bob.approve(&paid).await.unwrap();
    let hot = sandbox.account("hot").unwrap();
    stage.first_sent("hot", &hot, books.since(), TransactionType::Payment).await.unwrap();
    let held = alice.propose("warm", "supplier", xrp(5_000), "machines").await.unwrap();
    stage.can_be_signed(&held).await.unwrap();
    alice.approve(&held).await.unwrap();
    bob.approve(&held).await.unwrap();
    let create = stage.first_sent("warm", &warm, books.since(), TransactionType::EscrowCreate).await.unwrap();
    let ticket = create.tx.seq().value();
    dave.flag(&held, "nobody knows these machines").await.unwrap();
    let waiting = bob.propose("warm", "exchange", xrp(5_000), "still to be signed").await.unwrap();
    stage.can_be_signed(&waiting).await.unwrap();
    alice.approve(&waiting).await.unwrap();
    sandbox.let_pass(3).await.unwrap();
    running.shutdown().await;
    let entry = seen::escrow(sandbox.world(), &warm, ticket).await.unwrap().unwrap();
    (ticket, entry.cancel_after.unwrap(), waiting)
}

fn assert_same(rebuilt: &State, before: &State) {
    assert_eq!(rebuilt.proposals, before.proposals);
    assert_eq!(rebuilt.open, before.open);
    assert_eq!(rebuilt.escrows, before.escrows);
    assert_eq!(rebuilt.standing, before.standing);
    assert_eq!(rebuilt.slots, before.slots);
    assert_eq!(rebuilt.stops, before.stops);
    assert_eq!(rebuilt.findings, before.findings);
    assert_eq!(rebuilt.idempotency, before.idempotency);
    assert!(!before.stops.is_empty());
}

/// Danger: a disk is lost, and with it what people asked for, approved and flagged; or the daemon that starts on
/// the rebuilt store does something twice. Method: a life, the store destroyed, rebuilt from the second log and the
/// ledger, and the flow played to its end by a new daemon.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_store_comes_back_and_the_daemon_goes_on_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(dir.path(), Options::default()).await.unwrap();
    let (ticket, cancel_after, waiting) = lived(&sandbox).await;
    let config = sandbox.daemon_config().unwrap();
    let before = stored(&config.data_dir);
    let log = fs::read(config.data_dir.join("intents.log")).unwrap();
    fs::remove_dir_all(&config.data_dir).unwrap();
    fs::create_dir_all(&config.data_dir).unwrap();
    fs::write(config.data_dir.join("intents.log"), &log).unwrap();
    let error = Daemon::start(sandbox.daemon_config().unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("treasuryd rebuild"), "{error}");

    let rebuilt = rebuild(&config, |_, _| {}).await.unwrap();
    assert_eq!(rebuilt.read, 0);
    assert!(rebuilt.ledgers >= 2 && rebuilt.entries > 10, "{} ledgers", rebuilt.ledgers);
    assert_same(&stored(&config.data_dir), &before);
    let aside = rebuilt.aside.unwrap();
    assert_eq!(fs::read(aside.join("intents.log")).unwrap(), log, "what was there is moved, not deleted");

    let running = daemon(&sandbox).await;
    let warm = sandbox.account("warm").unwrap();
    // Alice's approval from before is one of the two that this takes.
    let since = sandbox.world().validated().await.unwrap().index;
    sandbox.people().get("bob").unwrap().approve(&waiting).await.unwrap();
    let stage = Stage::over(&sandbox);
    stage.first_sent("warm", &warm, since, TransactionType::EscrowCreate).await.unwrap();
    sandbox.advance_to(RippleTime(cancel_after.0 + 1)).await.unwrap();
    sandbox
        .until_told("the flagged escrow is cancelled", || async {
            let ends = seen::ends_of_escrow(sandbox.world(), &warm, ticket, 0).await;
            match ends.map_err(|error| error.to_string())?.as_slice() {
                [end] if end.did(TransactionType::EscrowCancel) => Ok(()),
                others => Err(format!("{} transactions ended it", others.len())),
            }
        })
        .await
        .unwrap();
    running.shutdown().await;
}

/// Whatever is destroyed, and whatever is still there, the same comes out.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_store_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(dir.path(), Options::default()).await.unwrap();
    lived(&sandbox).await;
    let config = sandbox.daemon_config().unwrap();
    let data = &config.data_dir;
    let before = stored(data);
    let last = DiskStore::open(data).unwrap().last();

    // The log alone is lost: every record is there, and no server is asked.
    fs::remove_file(data.join("intents.log")).unwrap();
    let rebuilt = rebuild(&config, |_, _| {}).await.unwrap();
    assert_eq!((rebuilt.read, rebuilt.ledgers, rebuilt.problem), (last, 0, None));
    assert_same(&stored(data), &before);

    // A record in the middle is damaged: those before it are kept, the rest comes from the log.
    let file = fs::read_dir(data.join("records")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let rebuilt = rebuild(&config, |_, _| {}).await.unwrap();
    assert!(rebuilt.read > 5 && rebuilt.read < last && rebuilt.ledgers > 0, "{rebuilt:?}");
    assert!(rebuilt.problem.unwrap().contains("is damaged"));
    assert_same(&stored(data), &before);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_that_does_not_reach_back_is_named_and_nothing_changes() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(dir.path(), Options::default()).await.unwrap();
    lived(&sandbox).await;
    let config = sandbox.daemon_config().unwrap();
    fs::remove_dir_all(config.data_dir.join("records")).unwrap();
    fs::remove_dir_all(config.data_dir.join("store")).unwrap();
    let now = sandbox.world().validated().await.unwrap().index;
    let faults = Faults { hide_history_below: now, ..Faults::default() };
    sandbox.world().embedded().unwrap().set_faults(faults);
    let error = rebuild(&config, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, RebuildError::History(HistoryError::Missing { .. })), "{error}");
    let text = error.to_string();
    assert!(text.contains("is needed") && text.contains(&format!("has only {now}")), "{text}");
    assert!(config.data_dir.join("intents.log").exists() && !config.data_dir.join("version.part").exists());
}
