//! Goal: with a guard no escrow is released by the daemon alone, or by the guard alone.
//! Danger: whoever takes over one of the two has what the other has; a guard that is gone keeps the money; a guard's word
//! that nobody hears.
//! Method: a real guard beside the daemon, with servers, key, store and people of its own; and both from within.

mod captured;
mod here;
mod refuses;

pub(crate) use captured::*;
pub(crate) use refuses::*;

use treasuryd::dev::seen::Books;
use treasuryd::dev::story;
use xrpl_wire::condition::parse_condition;
use xrpl_wire::split::PREIMAGE_BYTES;
use xrpl_wire::{Drops, RippleTime, TransactionType};

use self::here::{DAEMON, GINA, GuardHere, Guarded, HUGO};
use crate::scene::Scene;

pub(crate) async fn a_guarded_payment_is_released_with_the_guards_share() {
    let scene = Scene::start().await;
    let guard = GuardHere::start(&scene).await;
    let mut stage = scene.stage().await;
    let evidence = story::large_with_kills(&mut stage).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(!evidence.is_empty());
    let status = guard.status().await;
    assert_eq!((status["given"].as_u64(), status["records"].as_u64()), (Some(1), Some(1)), "{status}");
    // Those who guard see what was made and given; nobody else does.
    let (_, listed) = guard.ask(Some(GINA), "/v1/escrows", None).await;
    let escrow =
        format!("{}:{}", listed[0]["terms"]["owner"].as_str().unwrap(), listed[0]["terms"]["sequence"]);
    assert!(listed[0]["given"].is_number() && listed[1].is_null(), "{listed}");
    let (_, history) = guard.ask(Some(HUGO), "/v1/history?limit=1", None).await;
    assert_eq!(history[0]["what"]["given"]["escrow"], escrow, "{history}");
    assert_eq!(guard.ask(Some(GINA), "/v1/history?before=1", None).await, (200, serde_json::json!([])));
    assert_eq!(guard.ask(Some(GINA), "/v1/history?limit=all", None).await.0, 400);
    for token in [None, Some(DAEMON)] {
        assert_eq!(guard.ask(token, "/v1/history", None).await.0, 401);
        assert_eq!(guard.ask(token, "/v1/escrows", None).await.0, 401);
    }
}

pub(crate) async fn a_silent_guard_gives_the_money_back() {
    let scene = Scene::start().await;
    let mut guard = GuardHere::start(&scene).await;
    let stage = scene.stage().await;
    let sandbox = &scene.sandbox;
    let (world, alice) = (sandbox.world(), sandbox.people().get("alice").unwrap());
    let (warm, supplier) = (sandbox.account("warm").unwrap(), sandbox.account("supplier").unwrap());
    let books = Books::open(world).await.unwrap();
    let made = Guarded::make(&stage, &books).await;
    let condition = parse_condition(&made.entry.condition.clone().unwrap()).unwrap();
    assert_eq!(usize::try_from(condition.cost), Ok(PREIMAGE_BYTES), "it is one of both parts");
    guard.kill().await;
    sandbox.advance_to(RippleTime(made.finish_after().0 + 1)).await.unwrap();
    sandbox
        .until_told("the daemon says why it waits", || async {
            let shown = alice.client().proposal(&made.id).await.map_err(|error| error.to_string())?;
            let waits = shown.waits_for.join("; ");
            if waits.contains("the guard, which does not answer") { Ok(()) } else { Err(waits) }
        })
        .await
        .unwrap();
    let half = made.finish_after().0 + (made.cancel_after().0 - made.finish_after().0) / 2;
    sandbox.advance_to(RippleTime(half + 1)).await.unwrap();
    sandbox.let_pass(4).await.unwrap();
    let found = alice.client().findings().await.unwrap();
    assert!(found.iter().any(|finding| finding.kind == "guard_silent"), "{found:?}");
    sandbox.advance_to(RippleTime(made.cancel_after().0 + 1)).await.unwrap();
    made.ended(&stage, &books, TransactionType::EscrowCancel).await;
    sandbox.let_pass(3).await.unwrap();
    books
        .settle(world, "warm", &warm, Drops::ZERO, Drops::ZERO, &[TransactionType::EscrowCreate])
        .await
        .unwrap();
    books.settle(world, "supplier", &supplier, Drops::ZERO, Drops::ZERO, &[]).await.unwrap();
}

pub(crate) async fn a_guard_that_was_killed_in_between_gives_its_share() {
    let scene = Scene::start().await;
    let mut guard = GuardHere::start(&scene).await;
    let stage = scene.stage().await;
    let sandbox = &scene.sandbox;
    let books = Books::open(sandbox.world()).await.unwrap();
    let made = Guarded::make(&stage, &books).await;
    guard.kill().await;
    sandbox.advance_to(RippleTime(made.finish_after().0 + 1)).await.unwrap();
    sandbox.let_pass(3).await.unwrap();
    made.stands(&stage).await;
    guard.restart(&scene.sandbox).await;
    made.ended(&stage, &books, TransactionType::EscrowFinish).await;
}
