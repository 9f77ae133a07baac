//! Goal: no socket, server or second daemon can make it act on what it does not see, or act twice.
//! Danger: a silent socket taken for a quiet ledger; a lost reply taken for a failure; two daemons that both
//! send.
//! Method: the embedded ledger's faults, and two real processes.

use treasuryd::dev::seen::{self, Books};
use treasuryd::dev::xrp;
use xrpl_harness::Faults;
use xrpl_wire::{Drops, RippleTime, TransactionType};

use crate::scene::{Scene, exe};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_socket_is_mended_and_nothing_is_missed() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let stage = scene.stage().await;
    let warm = sandbox.account("warm").unwrap();
    let books = Books::open(sandbox.server());
    let (alice, bob) = (sandbox.people().get("alice").unwrap(), sandbox.people().get("bob").unwrap());
    let id = alice.propose("warm", "supplier", xrp(300), "").await.unwrap();
    stage.can_be_signed(&id).await.unwrap();
    sandbox.server().drop_connections();
    alice.approve(&id).await.unwrap();
    for _ in 0..5 {
        sandbox.server().close_ledger();
    }
    sandbox.server().drop_connections();
    sandbox.let_pass(1).await.unwrap();
    bob.approve(&id).await.unwrap();
    sandbox.server().drop_connections();
    stage.first_sent("warm", &warm, books.since(), TransactionType::Payment).await.unwrap();
    sandbox.let_pass(3).await.unwrap();
    books
        .settle(sandbox.server(), "warm", &warm, Drops::ZERO, xrp(300), &[TransactionType::Payment])
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swallowed_submission_is_sent_again_and_applied_once() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let stage = scene.stage().await;
    let hot = sandbox.account("hot").unwrap();
    let books = Books::open(sandbox.server());
    sandbox.server().set_faults(Faults { swallow_submits: 3, ..Faults::default() });
    let alice = sandbox.people().get("alice").unwrap();
    alice.propose("hot", "exchange", xrp(25), "").await.unwrap();
    stage.first_sent("hot", &hot, books.since(), TransactionType::Payment).await.unwrap();
    sandbox.let_pass(4).await.unwrap();
    assert_eq!(sandbox.server().faults().swallow_submits, 0, "they were swallowed");
    books.settle(sandbox.server(), "hot", &hot, Drops::ZERO, xrp(25), &[TransactionType::Payment]).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_daemon_on_the_same_store_is_refused() {
    let scene = Scene::start().await;
    let stage = scene.stage().await;
    let output = std::process::Command::new(exe())
        .args(["run", "--config"])
        .arg(scene.sandbox.config_path())
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(said.contains("only one daemon may run on a store"), "{said}");
    drop(stage);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_daemons_with_one_treasury_pay_and_release_once() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let server = sandbox.server();
    let stage = scene.stage().await;
    // A second one, with a store of its own and the same keys.
    let text = std::fs::read_to_string(sandbox.config_path()).unwrap();
    let second = sandbox.dir().join("second.toml");
    let listen = sandbox.url().trim_start_matches("http://");
    let text = text.replace(listen, "127.0.0.1:0");
    let text: Vec<String> =
        text.lines()
            .map(|line| {
                if line.starts_with("data_dir") {
                    "data_dir = \"second\"".to_owned()
                } else {
                    line.to_owned()
                }
            })
            .collect();
    std::fs::write(&second, text.join("\n")).unwrap();
    let log = sandbox.dir().join("second.log");
    let mut other = treasuryd::dev::DaemonProcess::spawn(&exe(), &second, &log).unwrap();
    sandbox
        .until("the second daemon follows the ledger too", || {
            if server.connections() >= 2 {
                Ok(())
            } else {
                Err(format!("{} connections", server.connections()))
            }
        })
        .await
        .unwrap();
    let (warm, runner) = (sandbox.account("warm").unwrap(), sandbox.account("runner").unwrap());
    let books = Books::open(server);
    let people = sandbox.people();
    let id = people.get("alice").unwrap().propose("warm", "supplier", xrp(2_000), "").await.unwrap();
    stage.can_be_signed(&id).await.unwrap();
    people.get("alice").unwrap().approve(&id).await.unwrap();
    people.get("bob").unwrap().approve(&id).await.unwrap();
    let create = stage.first_sent("warm", &warm, books.since(), TransactionType::EscrowCreate).await.unwrap();
    let entry = seen::escrow(server, &warm, create.tx.seq().value()).unwrap();
    sandbox.advance_to(RippleTime(entry.finish_after.unwrap().0 + 1));
    stage.first_sent("runner", &runner, books.since(), TransactionType::EscrowFinish).await.unwrap();
    sandbox.let_pass(4).await.unwrap();
    other.check_running().unwrap();
    let ends = seen::ends_of_escrow(server, &warm, create.tx.seq().value(), books.since());
    assert_eq!(ends.iter().filter(|end| end.did(TransactionType::EscrowFinish)).count(), 1, "{ends:?}");
    books.settle(server, "warm", &warm, Drops::ZERO, xrp(2_000), &[TransactionType::EscrowCreate]).unwrap();
}
