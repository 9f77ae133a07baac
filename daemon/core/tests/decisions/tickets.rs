//! Ticket pools: when they are refilled, with how many, and when not.

use treasury_core::config::{TicketConfig, Tier};
use treasury_core::intent::Intent;
use treasury_core::observe::{Change, RootView};
use xrpl_wire::{Transaction, TxBody};

use crate::world::{World, config, drops, id};

/// How many Tickets a sent transaction of the hot account asks for.
fn asked_for(sent: &[Transaction]) -> Vec<u32> {
    sent.iter()
        .filter(|tx| tx.account() == id("hot"))
        .filter_map(|tx| match TxBody::parse(tx).unwrap() {
            TxBody::TicketCreate(create) => Some(create.count),
            _ => None,
        })
        .collect()
}

/// A world whose accounts hold ten Tickets each.
fn pool(low_water: u32, target: u32) -> World {
    let mut config = config();
    config.tickets = TicketConfig { low_water, target };
    World::with(config)
}

#[test]
fn a_pool_below_its_low_water_is_filled_to_the_target() {
    assert_eq!(asked_for(&pool(11, 15).sent()), [5]);
    assert!(asked_for(&pool(10, 15).sent()).is_empty(), "ten are not below ten");
    assert_eq!(asked_for(&pool(11, 10).sent()), [0; 0], "the target is there");
}

#[test]
fn no_account_holds_more_than_250() {
    assert_eq!(asked_for(&pool(250, 300).sent()), [240]);
}

#[test]
fn a_board_needs_no_tickets() {
    let mut config = config();
    config.tickets = TicketConfig { low_water: 11, target: 15 };
    config.accounts.get_mut(&id("hot")).unwrap().tier = Tier::Board;
    assert!(asked_for(&World::with(config).sent()).is_empty());
}

/// What the hot account asks for when this many drops are left above reserve and the dearest fee.
fn with_spare(spare: u64, owner_count: u32) -> Vec<u32> {
    let mut w = World::new();
    w.config.tickets = TicketConfig { low_water: 11, target: 20 };
    let fees = w.state.fees.unwrap();
    let reserve = fees.reserve_base.get() + fees.reserve_inc.get() * u64::from(owner_count);
    let balance = drops(reserve + w.config.fees.fee_max.get() + spare);
    let root = RootView { balance, owner_count, ..w.state.accounts[&id("hot")].root.unwrap() };
    w.change(vec![Change::Root { account: id("hot"), root: Some(root) }]);
    asked_for(&w.sent())
}

#[test]
fn only_what_the_reserve_leaves_is_set_aside() {
    let inc = World::new().state.fees.unwrap().reserve_inc.get();
    assert_eq!(with_spare(3 * inc, 11), [3]);
    assert_eq!(with_spare(3 * inc - 1, 11), [2]);
    assert_eq!(with_spare(3 * inc, 40), [3]);
    assert_eq!(with_spare(inc - 1, 11), [0; 0]);
    assert_eq!(with_spare(100 * inc, 11), [10]);
}

fn refills(w: &World) -> usize {
    let of_hot = w.state.proposals.values().filter(|proposal| proposal.account == id("hot"));
    of_hot.filter(|proposal| matches!(proposal.intent, Intent::CreateTickets { .. })).count()
}

#[test]
fn one_refill_is_under_way_at_a_time() {
    let mut w = pool(11, 15);
    for _ in 0..5 {
        w.close(&[]);
    }
    assert_eq!(refills(&w), 1);
    let sent = w.settle();
    assert!(sent.iter().any(|tx| tx.account() == id("hot")));
    w.close(&[]);
    assert_eq!(refills(&w), 1, "it is full now");
}

#[test]
fn a_failed_refill_is_tried_again_after_retry_seconds_and_not_before() {
    let mut w = pool(11, 15);
    let sent: Vec<Transaction> = w.sent().into_iter().filter(|tx| tx.account() == id("hot")).collect();
    w.close_at(4, &sent[..1], "tecINSUFFICIENT_RESERVE");
    let failed_at = w.state.now().0;
    w.sent();
    w.jump(w.config.timing.retry_seconds - 1);
    assert!(asked_for(&w.sent()).is_empty(), "a second early");
    assert_eq!(refills(&w), 1);
    w.jump(1);
    assert_eq!(w.state.now().0, failed_at + w.config.timing.retry_seconds);
    assert_eq!(refills(&w), 2);
}

#[test]
fn an_open_breaker_stops_refills_until_it_is_closed() {
    let mut w = World::new();
    w.config.timing.breaker_failures = 1;
    let p = w.propose("hot", 50);
    w.sent();
    w.reply(p, "tefMASTER_DISABLED");
    assert!(w.state.breakers.values().any(|breaker| breaker.open.is_some()));
    w.config.tickets = TicketConfig { low_water: 11, target: 15 };
    w.close(&[]);
    assert_eq!(refills(&w), 0);
    w.command("dave", treasury_core::Command::CloseBreaker { account: None }).unwrap();
    w.close(&[]);
    assert_eq!(refills(&w), 1);
}
