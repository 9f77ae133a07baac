//! Goal: no socket, server or second daemon can make it act on what it does not see, or act twice.
//! Danger: a silent socket taken for a quiet ledger; a lost reply taken for a failure; two daemons that both
//! send.
//! Method: the ledger's faults, where it has them, and two real processes.

use treasuryd::client::Client;
use treasuryd::dev::seen::{self, Books};
use treasuryd::dev::xrp;
use xrpl_harness::{Faults, Network};
use xrpl_wire::{Drops, RippleTime, TransactionType};

use crate::scene::{Scene, exe};

pub(crate) async fn a_cut_socket_is_mended_and_nothing_is_missed() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let stage = scene.stage().await;
    let warm = sandbox.account("warm").unwrap();
    let books = Books::open(sandbox.world()).await.unwrap();
    let (alice, bob) = (sandbox.people().get("alice").unwrap(), sandbox.people().get("bob").unwrap());
    let id = alice.propose("warm", "supplier", xrp(300), "").await.unwrap();
    stage.can_be_signed(&id).await.unwrap();
    sandbox.world().drop_connections().await.unwrap();
    alice.approve(&id).await.unwrap();
    for _ in 0..5 {
        sandbox.world().close_ledger().await.unwrap();
    }
    sandbox.world().drop_connections().await.unwrap();
    sandbox.let_pass(1).await.unwrap();
    bob.approve(&id).await.unwrap();
    sandbox.world().drop_connections().await.unwrap();
    stage.first_sent("warm", &warm, books.since(), TransactionType::Payment).await.unwrap();
    sandbox.let_pass(3).await.unwrap();
    books
        .settle(sandbox.world(), "warm", &warm, Drops::ZERO, xrp(300), &[TransactionType::Payment])
        .await
        .unwrap();
}

pub(crate) async fn a_swallowed_submission_is_sent_again_and_applied_once() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let stage = scene.stage().await;
    let hot = sandbox.account("hot").unwrap();
    let books = Books::open(sandbox.world()).await.unwrap();
    let faults = Faults { swallow_submits: 3, ..Faults::default() };
    sandbox.world().set_faults(faults).await.unwrap();
    let alice = sandbox.people().get("alice").unwrap();
    alice.propose("hot", "exchange", xrp(25), "").await.unwrap();
    stage.first_sent("hot", &hot, books.since(), TransactionType::Payment).await.unwrap();
    sandbox.let_pass(4).await.unwrap();
    if let Some(server) = sandbox.world().embedded() {
        assert_eq!(server.faults().swallow_submits, 0, "they were swallowed");
    }
    // Other scenarios may come after this one on the same ledger.
    sandbox.world().set_faults(Faults::default()).await.unwrap();
    books
        .settle(sandbox.world(), "hot", &hot, Drops::ZERO, xrp(25), &[TransactionType::Payment])
        .await
        .unwrap();
}

pub(crate) async fn a_second_daemon_on_the_same_store_is_refused() {
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

pub(crate) async fn two_daemons_with_one_treasury_pay_and_release_once() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let world = sandbox.world();
    let stage = scene.stage().await;
    // A second one, with a store of its own and the same keys.
    let text = std::fs::read_to_string(sandbox.config_path()).unwrap();
    let second = sandbox.dir().join("second.toml");
    let listen = sandbox.url().trim_start_matches("http://");
    let other_listen = treasuryd::dev::free_port(([127, 0, 0, 1], 0).into()).unwrap().to_string();
    let text = text.replace(listen, &other_listen);
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
    let other_client = &Client::new(&format!("http://{other_listen}"), None).unwrap();
    sandbox
        .until_told("the second daemon follows the ledger too", || async move {
            match other_client.readiness().await {
                Ok(ready) if ready.ready => Ok(()),
                Ok(ready) => Err(format!("{:?}", ready.reason)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
        .unwrap();
    let (warm, runner) = (sandbox.account("warm").unwrap(), sandbox.account("runner").unwrap());
    let books = Books::open(sandbox.world()).await.unwrap();
    let people = sandbox.people();
    let id = people.get("alice").unwrap().propose("warm", "supplier", xrp(2_000), "").await.unwrap();
    stage.can_be_signed(&id).await.unwrap();
    people.get("alice").unwrap().approve(&id).await.unwrap();
    people.get("bob").unwrap().approve(&id).await.unwrap();
    let create = stage.first_sent("warm", &warm, books.since(), TransactionType::EscrowCreate).await.unwrap();
    let entry = seen::escrow(world, &warm, create.tx.seq().value()).await.unwrap().unwrap();
    sandbox.advance_to(RippleTime(entry.finish_after.unwrap().0 + 1)).await.unwrap();
    stage.first_sent("runner", &runner, books.since(), TransactionType::EscrowFinish).await.unwrap();
    sandbox.let_pass(4).await.unwrap();
    other.check_running().unwrap();
    let ends = seen::ends_of_escrow(world, &warm, create.tx.seq().value(), books.since()).await.unwrap();
    assert_eq!(ends.iter().filter(|end| end.did(TransactionType::EscrowFinish)).count(), 1, "{ends:?}");
    books
        .settle(sandbox.world(), "warm", &warm, Drops::ZERO, xrp(2_000), &[TransactionType::EscrowCreate])
        .await
        .unwrap();
}
