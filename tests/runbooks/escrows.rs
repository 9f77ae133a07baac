//! An escrow that nobody wanted.

use treasuryd::dev::seen::{self, Books};
use treasuryd::dev::xrp;
use xrpl_harness::network::Network;
use xrpl_wire::typed::EscrowCreate;
use xrpl_wire::{Amount, Drops, RippleTime, TransactionType, TxBody, TxResult};

use crate::incident::Incident;

#[tokio::test(flavor = "multi_thread")]
async fn a_strange_escrow_is_withheld_and_its_money_comes_back() {
    let mut at = Incident::of("strange-escrow").await;
    let books = Books::open(at.world()).await.unwrap();
    let id = at.signed("warm", "stranger", 4_000, &["alice", "carol"]).await;
    let (sequence, finish_after, cancel_after) = at.escrow(books.since()).await;
    at.say("P7", &id);
    at.say("rSTRANGE", at.account("stranger"));

    let seen = at.step().await;
    assert!(seen.contains("locked") && seen.contains(&id), "{seen}");
    assert!(at.step().await.contains("held: S"));
    let withheld = at.step().await;
    assert!(withheld.contains("held: S") && withheld.contains("withheld"), "{withheld}");
    // What comes later to the same recipient is held, too.
    let next = at.signed("warm", "stranger", 200, &[]).await;
    assert!(
        at.client("alice").proposal(&next).await.unwrap().waits_for.iter().any(|why| why.contains("hold"))
    );
    at.pass_to(finish_after).await;
    let warm = at.account("warm");
    let ends = seen::ends_of_escrow(at.world(), &warm, sequence, books.since()).await.unwrap();
    assert!(ends.is_empty(), "a flagged escrow was ended: {ends:?}");
    at.pass_to(cancel_after).await;
    at.sent("runner", books.since(), TransactionType::EscrowCancel).await;
    at.sandbox.let_pass(2).await.unwrap();
    let looked = at.step().await;
    assert!(looked.contains("cancelled") && looked.contains("alice") && looked.contains("carol"), "{looked}");
    let sent = [TransactionType::EscrowCreate];
    books.settle(at.world(), "warm", &warm, Drops::ZERO, Drops::ZERO, &sent).await.unwrap();

    // Somebody with the agents' keys makes one that no proposal asked for.
    let now = at.world().validated().await.unwrap().close_time;
    let escrow = EscrowCreate {
        destination: at.account("stranger"),
        destination_tag: None,
        amount: Amount::Xrp(xrp(100)),
        finish_after: Some(RippleTime(now.0 + 3_600)),
        cancel_after: None,
        condition: None,
    };
    let made = at.beside("warm", &at.agents(), &TxBody::EscrowCreate(escrow)).await;
    assert_eq!(made, TxResult::tesSUCCESS);
    at.sandbox.let_pass(1).await.unwrap();
    let found = at.step().await;
    assert!(found.contains("foreign_escrow") && found.contains("nobody can stop it"), "{found}");
    assert!(found.contains("frozen: S"), "{found}");
    at.done().await;
}
