//! What was decided about destinations, people and links as they were declared then, and are no more.

use std::collections::BTreeSet;

use crate::world::{World, XRP, amount, config, id};
use treasury_core::command::Command;
use treasury_core::config::{Keeps, Role, TierLink, Treasury};
use treasury_core::observe::Change;
use treasury_core::policy::{Action, Approvers, Delay, DestinationMatch, Obligations, Policy, Rule};
use treasury_core::state::Guard;
use treasury_core::units::{Asset, ProposalId, Weight};

const HOUR: u32 = 3_600;

fn two() -> Approvers {
    Approvers { weight: Weight(2), roles: BTreeSet::from([Role::Approver]), ..Default::default() }
}

/// Known destinations are paid, after a delay where it is much; others are not.
fn known_only() -> World {
    let known = |name, action| Rule { destination: Some(DestinationMatch::Known), ..Rule::new(name, action) };
    let delay = Action::Delay { delay_seconds: 24 * HOUR, window_seconds: 24 * HOUR, approvers: two() };
    let mut config = config();
    config.policy = Policy::new(vec![
        known("known", Action::Approve(two())),
        Rule { amount_above: Some(amount(1_000 * XRP)), ..known("much", delay) },
    ]);
    config.destinations.insert(id("shop"), "shop".to_owned());
    World::with(config)
}

/// The configuration is read anew.
fn declare(w: &mut World, change: impl FnOnce(&mut Treasury)) {
    change(&mut w.config);
    w.jump(4);
}

fn tickets(w: &mut World, there: bool) {
    let account = id("warm");
    let changes = (11..=20).map(|ticket| match there {
        true => Change::TicketCreated { account, ticket },
        false => Change::TicketDeleted { account, ticket },
    });
    w.change(changes.collect());
}

fn waits_for(w: &World, p: ProposalId, what: &str) -> bool {
    w.waits(p).iter().any(|wait| wait.contains(what))
}

/// Danger: a destination turns out to be a thief's and is taken out of the address book; what people had asked to pay it
/// before is approved and sent as if it stood there still.
#[test]
fn what_waits_to_pay_a_destination_that_is_known_no_more_is_asked_about_again() {
    let mut w = known_only();
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    declare(&mut w, |config| config.destinations.clear());
    w.approve("bob", p).unwrap();
    w.jump(4);
    assert!(w.sent().is_empty(), "{}", w.word(p));
    assert!(waits_for(&w, p, "policy"), "{:?}", w.waits(p));
    declare(&mut w, |config| drop(config.destinations.insert(id("shop"), "shop".to_owned())));
    assert_eq!(w.settle().len(), 1, "it is known again");
}

#[test]
fn an_escrow_to_a_destination_that_is_known_no_more_is_not_released() {
    let mut w = known_only();
    let (_, key) = w.escrow();
    declare(&mut w, |config| config.destinations.clear());
    w.jump(30 * HOUR);
    w.jump(4);
    assert!(w.sent().is_empty());
    assert!(matches!(w.guard(key), Guard::Locked { .. }));
    w.jump(30 * HOUR);
    w.settle();
    assert!(matches!(w.guard(key), Guard::Cancelled { .. }), "the money comes back");
}

#[test]
fn a_draft_to_a_destination_that_is_known_no_more_is_denied() {
    let mut w = known_only();
    tickets(&mut w, false);
    let p = w.propose("warm", 500);
    declare(&mut w, |config| config.destinations.clear());
    assert_eq!(w.word(p), "denied");
}

/// Danger: somebody is a treasurer no more, and what they asked for as one leaves without anybody else.
#[test]
fn what_somebody_asked_for_in_a_role_that_is_taken_away_is_asked_about_again() {
    let rule =
        |role, action| Rule { asker_roles: Some(BTreeSet::from([role])), ..Rule::new("by role", action) };
    let mut config = config();
    config.policy =
        Policy::new(vec![rule(Role::Approver, Action::Allow), rule(Role::Proposer, Action::Allow)]);
    let mut w = World::with(config);
    w.command("dave", Command::Freeze { account: None, reason: "look".to_owned() }).unwrap();
    let p = w.propose("hot", 50);
    assert_eq!(w.word(p), "collecting");
    declare(&mut w, |config| {
        // By what is left of her roles she may ask for nothing.
        let roles = &mut config.people.get_mut("alice").unwrap().roles;
        *roles = BTreeSet::from([Role::Security]);
    });
    w.lift_all();
    w.jump(4);
    assert!(w.sent().is_empty());
    assert!(waits_for(&w, p, "no match"), "{:?}", w.waits(p));
}

/// Danger: asking again counts what was decided on since, and a payment that was within a limit waits for ever behind
/// others that came after it.
#[test]
fn what_is_declared_as_it_was_is_not_asked_about_again() {
    let mut w = known_only();
    let p = w.propose("warm", 500);
    declare(&mut w, |config| {
        config.destinations.insert(id("baker"), "baker".to_owned());
        config.people.get_mut("bob").unwrap().roles.insert(Role::Security);
    });
    assert!(treasury_core::decide::stands(&w.config, &w.state, w.proposal(p)));
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    assert_eq!(w.settle().len(), 1);
}

/// Danger: a draft waits for a Ticket while policy comes to ask for voids, and is sealed without one.
#[test]
fn a_draft_of_which_policy_comes_to_ask_for_a_void_is_sealed_with_one() {
    let mut w = World::new();
    tickets(&mut w, false);
    let p = w.propose("warm", 2_000);
    let delay = Some(Delay { delay_seconds: 48 * HOUR, window_seconds: 24 * HOUR });
    let before = w.proposal(p).decision.obligations.clone();
    let rules = w.config.policy.rules().iter().map(|rule| Rule { void: true, ..rule.clone() });
    w.config.policy = Policy::new(rules.collect());
    tickets(&mut w, true);
    assert!(w.proposal(p).plan.as_ref().unwrap().void.is_some());
    assert_eq!(w.proposal(p).decision.obligations, Obligations { void: true, delay, ..before });
}

fn refill() -> TierLink {
    TierLink {
        name: "warm to hot".to_owned(),
        from: id("warm"),
        to: id("hot"),
        asset: Asset::Xrp,
        keeps: Keeps::Filled { floor: amount(150_000 * XRP), target: amount(150_500 * XRP) },
        source_floor: amount(0),
        move_min: amount(XRP),
        move_max: amount(800 * XRP),
        period_max: amount(10_000 * XRP),
        period_seconds: 24 * HOUR,
        limits: Vec::new(),
        hours: None,
    }
}

/// Danger: a link is taken out of the configuration, or made to move less, and what it asked for before goes on.
#[test]
fn a_move_along_a_link_that_is_declared_no_more_or_moves_less_does_not_leave() {
    for (changed, leaves) in [
        (None, false),
        (Some(TierLink { move_max: amount(100 * XRP), ..refill() }), false),
        (Some(TierLink { to: id("cold"), ..refill() }), false),
        (Some(TierLink { move_max: amount(900 * XRP), ..refill() }), true),
    ] {
        let mut config = config();
        config.links = vec![refill()];
        config.policy = Policy::new(vec![Rule::new("two", Action::Approve(two()))]);
        let mut w = World::with(config);
        let p = *w.state.open.first().unwrap();
        declare(&mut w, |config| config.links = changed.clone().into_iter().collect());
        w.approve("alice", p).unwrap();
        w.approve("bob", p).unwrap();
        assert_eq!(w.sent().len(), usize::from(leaves), "{changed:?}: {:?}", w.waits(p));
        assert_eq!(waits_for(&w, p, "the link warm to hot"), !leaves);
    }
}
