//! Goal: what is signed can be made worthless, and one word stops everything.
//! Danger: a void that a freeze holds up, or that costs more than its fee; a panic that is answered before it holds.
//! Method: a payment that its signers have signed and a freeze keeps here; a panic over what is open.

use treasuryd::dev::seen::Books;
use treasuryd::dev::xrp;
use xrpl_wire::{Drops, TransactionType};

use crate::scene::Scene;

pub(crate) async fn what_is_signed_is_made_worthless_under_a_freeze() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let stage = scene.stage().await;
    let (world, people) = (sandbox.world(), sandbox.people());
    let warm = sandbox.account("warm").unwrap();
    let (alice, bob, dave) =
        (people.get("alice").unwrap(), people.get("bob").unwrap(), people.get("dave").unwrap());
    let books = Books::open(world).await.unwrap();
    dave.client().freeze(Some("warm"), "let me look").await.unwrap();
    let id = alice.propose("warm", "supplier", xrp(300), "").await.unwrap();
    stage.can_be_signed(&id).await.unwrap();
    let early = dave.client().void(&id, "not ours").await.unwrap_err();
    assert!(early.to_string().contains("SignerQuorum"), "{early}");
    alice.approve(&id).await.unwrap();
    bob.approve(&id).await.unwrap();
    sandbox.let_pass(3).await.unwrap();
    assert_eq!(alice.client().proposal(&id).await.unwrap().status, "ready");
    assert!(dave.client().void(&id, "not ours").await.unwrap().changed);
    stage.first_sent("warm", &warm, books.since(), TransactionType::AccountSet).await.unwrap();
    sandbox.let_pass(2).await.unwrap();
    let shown = alice.client().proposal(&id).await.unwrap();
    assert_eq!(shown.status, "voided", "{shown:?}");
    assert_eq!(shown.rejections[0].reason, "not ours");
    books
        .settle(world, "warm", &warm, Drops::ZERO, Drops::ZERO, &[TransactionType::AccountSet])
        .await
        .unwrap();
}

pub(crate) async fn a_panic_stops_everything_before_it_is_answered() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let stage = scene.stage().await;
    let (world, people) = (sandbox.world(), sandbox.people());
    let (warm, hot) = (sandbox.account("warm").unwrap(), sandbox.account("hot").unwrap());
    let (alice, dave) = (people.get("alice").unwrap(), people.get("dave").unwrap());
    let waiting = alice.propose("warm", "supplier", xrp(300), "").await.unwrap();
    stage.can_be_signed(&waiting).await.unwrap();
    alice.approve(&waiting).await.unwrap();
    let found = dave.client().panic("keys are out").await.unwrap();
    assert_eq!((&found.ended, found.withheld.len()), (&vec![waiting.clone()], 0), "{found:?}");
    let books = Books::open(world).await.unwrap();
    let small = alice.propose("hot", "exchange", xrp(25), "").await.unwrap();
    sandbox.let_pass(6).await.unwrap();
    let shown = alice.client().proposal(&small).await.unwrap();
    assert!(shown.waits_for.iter().any(|wait| wait.contains("freeze")), "{:?}", shown.waits_for);
    assert_eq!(alice.client().proposal(&waiting).await.unwrap().status, "withdrawn");
    for (name, account) in [("warm", &warm), ("hot", &hot)] {
        books.settle(world, name, account, Drops::ZERO, Drops::ZERO, &[]).await.unwrap();
    }
    let admin = people.get("carol").unwrap();
    admin.client().unfreeze(None, "a false alarm").await.unwrap();
    stage.first_sent("hot", &hot, books.since(), TransactionType::Payment).await.unwrap();
}
