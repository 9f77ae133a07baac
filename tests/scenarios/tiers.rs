//! Goal: no account has too little, and none too much.
//! Danger: a sweep that a refill undoes, or that is made twice.
//! Method: somebody pays the hot account far above its ceiling.

use treasuryd::dev::seen::{self, Books};
use treasuryd::dev::xrp;
use xrpl_harness::Network;
use xrpl_harness::network::At;
use xrpl_wire::TransactionType;

use crate::scene::Scene;

pub(crate) async fn what_hot_has_too_much_of_is_swept_back_to_warm_once() {
    let scene = Scene::start().await;
    let sandbox = &scene.sandbox;
    let stage = scene.stage().await;
    let (world, alice) = (sandbox.world(), sandbox.people().get("alice").unwrap());
    let hot = sandbox.account("hot").unwrap();
    // Whatever it lacks at the start has come.
    sandbox.let_pass(4).await.unwrap();
    let books = Books::open(world).await.unwrap();
    world.pay(hot, xrp(5_000)).await.unwrap();
    stage.first_sent("hot", &hot, books.since(), TransactionType::Payment).await.unwrap();
    let until = sandbox.let_pass(6).await.unwrap();
    let sent = seen::sent_by(world, &hot, books.since()).await.unwrap();
    assert_eq!(sent.len(), 1, "{sent:?}");
    let left = seen::balance(world, &hot, At::Ledger(until)).await.unwrap();
    assert!((xrp(1_499)..=xrp(1_500)).contains(&left), "{left} drops are left");
    let links = alice.client().tiers().await.unwrap();
    let sweep = links.iter().find(|link| link.name == "hot-to-warm").unwrap();
    assert_eq!((sweep.keeps.as_str(), sweep.by.as_str()), ("swept", "within its bounds"), "{sweep:?}");
    assert_eq!(sweep.moves.value, "0");
    assert_ne!(sweep.moved.value, "0");
}
