//! Goal: killed at any step, the daemon goes on where the ledger is, and does nothing twice.
//! Danger: a record that was not durable before something was sent; a restart that trusts its memory.
//! Method: the same payment and the same escrow, with SIGKILL after each step in turn. Afterwards the ledger
//! must hold exactly one transaction of each kind, and every balance must be right to the drop.

use treasuryd::dev::seen::{self, Books};
use treasuryd::dev::story::Stage;
use treasuryd::dev::xrp;
use xrpl_harness::Network;
use xrpl_wire::{Drops, RippleTime, TransactionType};

use crate::scene::Scene;

/// Kills and restarts if this is the step to do it at.
async fn crash(stage: &mut Stage<'_>, step: usize, at: usize) {
    if step == at {
        stage.kill().await.unwrap();
        stage.restart().await.unwrap();
    }
}

pub(crate) async fn a_payment_survives_a_kill_at_every_step() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let mut stage = scene.stage().await;
    let (warm, supplier) = (sandbox.account("warm").unwrap(), sandbox.account("supplier").unwrap());
    for at in 0..6 {
        let books = Books::open(sandbox.world()).await.unwrap();
        let alice = sandbox.people().get("alice").unwrap();
        let bob = sandbox.people().get("bob").unwrap();
        let id = alice.propose("warm", "supplier", xrp(300), &format!("killed at step {at}")).await.unwrap();
        crash(&mut stage, 0, at).await;
        stage.can_be_signed(&id).await.unwrap();
        crash(&mut stage, 1, at).await;
        alice.approve(&id).await.unwrap();
        crash(&mut stage, 2, at).await;
        // Answered means durable; whether it was sent is open. No ledger closes in between.
        bob.approve(&id).await.unwrap();
        crash(&mut stage, 3, at).await;
        if at == 4 {
            // Validated while the daemon is dead: it learns of it only from the ledger.
            stage.kill().await.unwrap();
            sandbox.world().close_ledger().await.unwrap();
            sandbox.world().close_ledger().await.unwrap();
            stage.restart().await.unwrap();
        }
        stage.first_sent("warm", &warm, books.since(), TransactionType::Payment).await.unwrap();
        crash(&mut stage, 5, at).await;
        sandbox.let_pass(3).await.unwrap();
        books
            .settle(sandbox.world(), "warm", &warm, Drops::ZERO, xrp(300), &[TransactionType::Payment])
            .await
            .unwrap_or_else(|error| panic!("killed at step {at}: {error}"));
        books.settle(sandbox.world(), "supplier", &supplier, xrp(300), Drops::ZERO, &[]).await.unwrap();
        assert_eq!(alice.client().proposal(&id).await.unwrap().status, "validated");
    }
}

/// One delayed payment, killed at one step. `flagged`: security flags it, and it must come back.
async fn escrow_killed_at(stage: &mut Stage<'_>, scene: &Scene, at: usize, flagged: bool) {
    let sandbox = &scene.sandbox;
    let world = sandbox.world();
    let warm = sandbox.account("warm").unwrap();
    let supplier = sandbox.account("supplier").unwrap();
    let runner = sandbox.account("runner").unwrap();
    let books = Books::open(sandbox.world()).await.unwrap();
    let people = sandbox.people();
    let (alice, bob, dave) =
        (people.get("alice").unwrap(), people.get("bob").unwrap(), people.get("dave").unwrap());
    let paid = xrp(2_000);
    let id = alice.propose("warm", "supplier", paid, &format!("killed at {at}")).await.unwrap();
    crash(stage, 0, at).await;
    stage.can_be_signed(&id).await.unwrap();
    alice.approve(&id).await.unwrap();
    crash(stage, 1, at).await;
    bob.approve(&id).await.unwrap();
    crash(stage, 2, at).await;
    let create = stage.first_sent("warm", &warm, books.since(), TransactionType::EscrowCreate).await.unwrap();
    let sequence = create.tx.seq().value();
    crash(stage, 3, at).await;
    let entry = seen::escrow(world, &warm, sequence).await.unwrap().unwrap();
    let (finish_after, cancel_after) = (entry.finish_after.unwrap(), entry.cancel_after.unwrap());
    sandbox.let_pass(1).await.unwrap();
    if flagged {
        dave.flag(&id, "a drill").await.unwrap();
        crash(stage, 4, at).await;
    }
    sandbox.advance_to(RippleTime(finish_after.0 + 1)).await.unwrap();
    crash(stage, 5, at).await;
    let how = if flagged {
        sandbox.let_pass(3).await.unwrap();
        let ends = seen::ends_of_escrow(world, &warm, sequence, books.since()).await.unwrap();
        assert!(ends.is_empty(), "flagged and killed at step {at}: {ends:?}");
        sandbox.advance_to(RippleTime(cancel_after.0 + 1)).await.unwrap();
        crash(stage, 6, at).await;
        TransactionType::EscrowCancel
    } else {
        TransactionType::EscrowFinish
    };
    stage.first_sent("runner", &runner, books.since(), how).await.unwrap();
    crash(stage, 7, at).await;
    sandbox.let_pass(3).await.unwrap();
    let (gone, came) = if flagged { (Drops::ZERO, Drops::ZERO) } else { (paid, paid) };
    let what = format!("flagged {flagged}, killed at step {at}");
    let ends = seen::ends_of_escrow(world, &warm, sequence, books.since()).await.unwrap();
    assert_eq!(ends.len(), 1, "{what}: {ends:?}");
    assert!(ends[0].did(how), "{what}: {ends:?}");
    books
        .settle(sandbox.world(), "warm", &warm, Drops::ZERO, gone, &[TransactionType::EscrowCreate])
        .await
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    books.settle(sandbox.world(), "supplier", &supplier, came, Drops::ZERO, &[]).await.unwrap();
}

pub(crate) async fn a_release_survives_a_kill_at_every_step() {
    let scene = Scene::start().await;
    let mut stage = scene.stage().await;
    for at in [0, 1, 2, 3, 5, 7] {
        escrow_killed_at(&mut stage, &scene, at, false).await;
    }
}

pub(crate) async fn a_flag_survives_a_kill_at_every_step() {
    let scene = Scene::start().await;
    let mut stage = scene.stage().await;
    for at in [3, 4, 5, 6, 7] {
        escrow_killed_at(&mut stage, &scene, at, true).await;
    }
}
