//! What is not proven is not taken.

use serde_json::{Value, json};

use super::fake::{FakeServer, Says};
use super::*;
use crate::ledger::error::Trouble;
use crate::ledger::prove::Prover;
use crate::ledger::reply;
use crate::ledger::vectors::{Recorded, story};
use treasury_core::units::LedgerIndex;

/// A ledger with several transactions, and its parent's place.
fn ledger_and_parent() -> (Recorded, LedgerPoint) {
    let story = story("payments");
    let at = story.ledgers.iter().rposition(|ledger| ledger.transactions.len() > 1).unwrap();
    assert!(at > 0);
    let parent = &story.ledgers[at - 1];
    let point = LedgerPoint {
        index: LedgerIndex(parent.header.index),
        hash: parent.hash,
        close_time: parent.header.close_time,
    };
    (story.ledgers[at].clone(), point)
}

/// The outcome after something was changed in a true reply.
fn proven_after(change: impl FnOnce(&mut Value)) -> Result<(), Trouble> {
    let (ledger, parent) = ledger_and_parent();
    let mut reply = ledger.reply();
    change(&mut reply);
    let reply = reply::parse("ledger", reply)?;
    Prover::default()
        .prove(parent.index.plus(1), Some(ledger.hash), &parent, reply, &Arc::default())
        .map(|_| ())
}

fn flip(text: &mut Value) {
    let mut bytes = hex::decode(text.as_str().unwrap()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    *text = json!(hex::encode_upper(bytes));
}

#[test]
fn a_true_ledger_is_proven() {
    proven_after(|_| {}).unwrap();
}

#[test]
fn one_changed_bit_anywhere_is_noticed() {
    for path in [
        "/ledger/ledger_data",
        "/ledger/transactions/0/tx_blob",
        "/ledger/transactions/1/meta_blob",
        "/ledger_hash",
    ] {
        let outcome = proven_after(|reply| flip(reply.pointer_mut(path).unwrap()));
        assert!(matches!(&outcome, Err(trouble) if trouble.is_grave()), "{path}: {outcome:?}");
    }
}

#[test]
fn a_transaction_that_is_left_out_or_added_is_noticed() {
    let left_out = proven_after(|reply| {
        reply["ledger"]["transactions"].as_array_mut().unwrap().pop();
    });
    assert!(left_out.unwrap_err().is_grave());
    let none = proven_after(|reply| {
        reply["ledger"].as_object_mut().unwrap().remove("transactions");
    });
    assert!(none.unwrap_err().is_grave());
    let other = &story("tickets").ledgers[0].transactions[0];
    let added = proven_after(|reply| {
        let more = json!({ "tx_blob": other.0, "meta_blob": other.1 });
        reply["ledger"]["transactions"].as_array_mut().unwrap().push(more);
    });
    assert!(added.unwrap_err().is_grave());
}

#[test]
fn a_ledger_that_does_not_follow_the_last_one_is_noticed() {
    let (ledger, parent) = ledger_and_parent();
    let stranger = LedgerPoint { hash: Hash256([7; 32]), ..parent };
    let reply = reply::parse("ledger", ledger.reply()).unwrap();
    let trouble = Prover::default()
        .prove(parent.index.plus(1), Some(ledger.hash), &stranger, reply, &Arc::default())
        .unwrap_err();
    assert!(trouble.is_grave() && trouble.to_string().contains("its parent's hash"), "{trouble}");
    let reply = reply::parse("ledger", ledger.reply()).unwrap();
    let other_index =
        Prover::default().prove(parent.index.plus(2), Some(ledger.hash), &parent, reply, &Arc::default());
    assert!(other_index.is_err(), "another index than was asked for");
    let reply = reply::parse("ledger", ledger.reply()).unwrap();
    let trouble = Prover::default()
        .prove(parent.index.plus(1), Some(parent.hash), &parent, reply, &Arc::default())
        .unwrap_err();
    assert!(trouble.is_grave() && trouble.to_string().contains("its hash"), "{trouble}");
}

#[test]
fn what_is_not_validated_is_not_taken() {
    for change in [json!(false), Value::Null] {
        let outcome = proven_after(|reply| {
            if change.is_null() {
                reply.as_object_mut().unwrap().remove("validated");
            } else {
                reply["validated"] = change;
            }
        });
        assert!(outcome.unwrap_err().to_string().contains("not validated"));
    }
}

#[tokio::test]
async fn a_tampered_ledger_loses_sight_with_its_server_and_index_and_is_taken_when_true() {
    let server = FakeServer::start("tickets", 3).await;
    let cursor = server.point(2);
    server.twist(|request, says| match says {
        Says::Result(mut result) if request["command"] == "ledger" => {
            flip(result.pointer_mut("/ledger/transactions/0/meta_blob").unwrap());
            Says::Result(result)
        }
        says => says,
    });
    let start = Start { cursor: Some(cursor), ..Start::default() };
    let mut port = spawn(network(&[server.url()]), start);
    let reason = port.sight_lost().await;
    assert!(reason.contains(server.url()), "{reason}");
    assert!(reason.contains(&format!("ledger {}", cursor.index.plus(1))), "{reason}");
    server.behave();
    assert_eq!(port.ledger().await.point, server.point(3));
    assert_eq!(port.reconciled().await.0, server.point(3), "all is read anew after sight was lost");
}

#[tokio::test]
async fn a_cursor_of_another_history_is_never_followed() {
    let server = FakeServer::start("tickets", 3).await;
    let cursor = LedgerPoint { hash: Hash256([9; 32]), ..server.point(2) };
    let mut port = spawn(network(&[server.url()]), Start { cursor: Some(cursor), ..Start::default() });
    assert!(port.sight_lost().await.contains("its parent's hash"));
    let mut same_index = spawn(
        network(&[server.url()]),
        Start { cursor: Some(LedgerPoint { hash: Hash256([9; 32]), ..server.point(3) }), ..Start::default() },
    );
    let reason = same_index.sight_lost().await;
    assert!(reason.contains("two validated ledgers") && reason.contains("was taken before"), "{reason}");
}
