//! The daemon's machine in wrong hands, and its disk in nobody's.

use treasuryd::dev::seen::{self, Books};
use treasuryd::dev::xrp;
use xrpl_harness::network::Network;
use xrpl_wire::{Drops, TransactionType, TxResult};

use crate::incident::Incident;
use crate::keys::{self, Fresh};

#[tokio::test(flavor = "multi_thread")]
async fn a_captured_daemon_is_left_behind_with_keys_that_are_worth_nothing() {
    let mut at = Incident::of("captured-daemon").await;
    keys::name_everybody(&mut at);
    let books = Books::open(at.world()).await.unwrap();
    at.signed("warm", "supplier", 2_000, &["alice", "carol"]).await;
    let (sequence, finish_after, cancel_after) = at.escrow(books.since()).await;
    at.types("", "treasuryd store backup --data-dir data --to backup");
    assert_eq!(at.theft("hot", &at.agents()).await, TxResult::tesSUCCESS);

    at.step().await;
    for account in ["warm", "hot"] {
        if account == "hot" {
            at.again(4);
        }
        keys::change_list(&mut at, account, 2, true, &["alice", "bob"]).await;
        assert_eq!(at.theft(account, &at.agents()).await, TxResult::tefBAD_SIGNATURE, "{account}");
    }
    // Another machine: nothing of the old one but the configuration and the backup.
    at.types("", "mkdir captured && mv data keystore.age captured/ && cp -a backup data");
    let agents = keys::new_agents(&mut at);
    let runner = Fresh::new(83);
    runner.write(&at, "runner.seed");
    at.say("rRUNNER2", runner.id());
    at.world().fund(runner.id(), xrp(50)).await.unwrap();
    let made = at.step().await;
    assert!(made.contains(&runner.id().to_string()), "{made}");
    for account in ["warm", "hot"] {
        if account == "hot" {
            at.again(3);
        }
        keys::change_list(&mut at, account, 2, false, &["alice", "bob"]).await;
        assert!(at.signer_list(account).await.1.contains(&agents[0].id()));
    }
    for agent in ["agent-1", "agent-2"] {
        let lines = at.toml();
        at.configure("[[agent]]", agent, &lines);
    }
    let lines = at.toml();
    at.configure("[[account]]", "runner", &lines);
    at.step().await;
    let looked = at.step().await;
    assert!(looked.contains("spend_without_proposal") && looked.contains("withheld"), "{looked}");
    keys::name_what_stands(&mut at).await;
    assert!(at.step().await.contains("lifted: S"));
    // It cannot be released with the new keystore, and comes back by the new runner.
    at.pass_to(finish_after).await;
    let warm = at.account("warm");
    let ends = seen::ends_of_escrow(at.world(), &warm, sequence, books.since()).await.unwrap();
    assert!(ends.is_empty(), "{ends:?}");
    at.pass_to(cancel_after).await;
    at.sandbox.let_pass(2).await.unwrap();
    let ends = seen::ends_of_escrow(at.world(), &warm, sequence, books.since()).await.unwrap();
    assert!(ends.len() == 1 && ends[0].did(TransactionType::EscrowCancel), "{ends:?}");
    assert_eq!(ends[0].tx.account(), runner.id());
    at.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_disk_loses_no_flag_and_no_money() {
    let mut at = Incident::of("lost-disk").await;
    let books = Books::open(at.world()).await.unwrap();
    let id = at.signed("warm", "stranger", 2_000, &["alice", "carol"]).await;
    let (sequence, finish_after, cancel_after) = at.escrow(books.since()).await;
    at.types("", "treasuryd store backup --data-dir data --to backup");
    at.client("dave").flag(&id, "not ours").await.unwrap();
    at.say("P7", &id);
    // The second log is on a disk of its own, and the other one dies under the daemon.
    at.kill().await;
    at.types("", "mkdir second-disk && mv data/intents.log second-disk/ && rm -r data && mkdir data");

    at.step().await;
    let rebuilt = at.step().await;
    assert!(!rebuilt.is_empty());
    let looked = at.step().await;
    assert!(looked.contains("not ours") && looked.contains("withheld"), "{looked}");
    at.pass_to(finish_after).await;

    // And once more, with nothing but the backup, which knows of no flag and of an escrow that is due.
    at.say("ws://ledger-server:6006", at.world().ws_url());
    let lines = at.toml();
    at.configure("[network]", "", &lines);
    let restored = at.step().await;
    assert!(restored.contains("whole"), "{restored}");
    assert!(at.step().await.contains("frozen: S"));
    let lines = at.toml();
    at.configure("[network]", "", &lines);
    at.step().await;
    at.sandbox.let_pass(3).await.unwrap();
    let flagged = at.step().await;
    assert!(flagged.contains("held: S") && flagged.contains("withheld"), "{flagged}");
    assert!(at.step().await.contains("lifted: S"));
    at.sandbox.let_pass(3).await.unwrap();
    at.pass_to(cancel_after).await;
    at.sandbox.let_pass(2).await.unwrap();
    let warm = at.account("warm");
    let ends = seen::ends_of_escrow(at.world(), &warm, sequence, books.since()).await.unwrap();
    assert!(ends.len() == 1 && ends[0].did(TransactionType::EscrowCancel), "{ends:?}");
    let sent = [TransactionType::EscrowCreate];
    books.settle(at.world(), "warm", &warm, Drops::ZERO, Drops::ZERO, &sent).await.unwrap();
    at.done().await;
}
