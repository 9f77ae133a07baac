//! A configuration that no longer has what is under way.

use treasury_core::Command;
use treasury_core::fits::left_behind;

use crate::world::{World, config, id};

#[test]
fn an_account_is_not_taken_out_while_something_of_it_is_open() {
    let mut w = World::new();
    assert!(left_behind(&w.config, &w.state).is_empty());
    let p = w.propose("warm", 500);
    let mut without = config();
    without.accounts.remove(&id("warm"));
    let left = left_behind(&without, &w.state);
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].contains(&id("warm").to_string()) && left[0].contains(&p.to_string()), "{left:?}");
    // Withdrawn, what people have signed binds until its LastLedgerSequence.
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    assert_eq!(left_behind(&without, &w.state).len(), 1);
    while !w.state.slots.is_empty() {
        w.close(&[]);
    }
    assert!(left_behind(&without, &w.state).is_empty());
}

#[test]
fn neither_an_escrows_owner_nor_the_runner_is_taken_out_while_it_stands() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    let mut without = config();
    without.accounts.remove(&id("warm"));
    let left = left_behind(&without, &w.state);
    assert!(left.iter().any(|text| text.contains(&format!("escrow {key} of it stands"))), "{left:?}");
    let mut without = config();
    without.accounts.remove(&id("runner"));
    without.runner = None;
    let left = left_behind(&without, &w.state);
    assert!(left.iter().any(|text| text.contains("no runner is declared")), "{left:?}");
    w.jump(50 * 3_600);
    w.settle();
    assert!(left_behind(&without, &w.state).is_empty());
}

#[test]
fn a_payment_that_would_make_an_escrow_is_not_left_without_a_runner_to_end_it() {
    let mut w = World::new();
    let p = w.propose("warm", 2_000);
    let mut config = w.config.clone();
    config.runner = None;
    config.accounts.remove(&id("runner"));
    let left = left_behind(&config, &w.state);
    assert!(left.iter().any(|what| what.contains(&format!("{p} makes an escrow"))), "{left:?}");
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    assert!(!left_behind(&config, &w.state).is_empty(), "somebody may have signed it");
    while !w.state.slots.is_empty() {
        w.close(&[]);
    }
    assert!(left_behind(&config, &w.state).is_empty());
}

#[test]
fn without_a_runner_only_what_makes_an_escrow_is_left_behind() {
    let mut w = World::new();
    let at_once = w.propose("warm", 500);
    let delayed = w.propose("warm", 2_000);
    assert!(left_behind(&w.config, &w.state).is_empty());
    let mut config = w.config.clone();
    config.runner = None;
    let left = left_behind(&config, &w.state);
    assert!(left.len() == 1 && left[0].contains(&delayed.to_string()), "{left:?}");
    assert!(!left[0].contains(&format!("{at_once} ")), "{left:?}");
}
