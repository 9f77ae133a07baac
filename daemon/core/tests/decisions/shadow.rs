//! A second policy that decides beside the one in force: nothing follows from it, and every difference is counted.

use std::collections::BTreeSet;

use treasury_core::Event;
use treasury_core::config::Role;
use treasury_core::list::List;
use treasury_core::policy::{Action, Approvers, Policy, Risk, RiskBand, Rule, Told, Turn};
use treasury_core::shadow::{DIFFERENCES_MAX, Shadowing};
use treasury_core::units::{ProposalId, Weight};

use crate::world::{World, XRP, amount, config, id};

fn two(role: Role) -> Action {
    let roles = BTreeSet::from([role]);
    Action::Approve(Approvers { weight: Weight(2), roles, ..Approvers::default() })
}

fn above(name: &str, xrp: u64, action: Action) -> Rule {
    Rule { amount_above: Some(amount(xrp * XRP)), ..Rule::new(name, action) }
}

fn up_to(name: &str, xrp: u64, action: Action) -> Rule {
    Rule { amount_max: Some(amount(xrp * XRP)), ..Rule::new(name, action) }
}

/// Up to ten by agents, above by two approvers.
fn in_force() -> Policy {
    Policy::new(vec![up_to("small", 10, Action::Allow), above("large", 10, two(Role::Approver))])
}

fn world(policy: Policy) -> World {
    World::with(treasury_core::Treasury { policy, ..config() })
}

fn said(w: &World) -> &Shadowing {
    w.state.shadowing.as_ref().unwrap()
}

#[test]
fn what_a_second_policy_would_have_decided_is_counted_and_listed() {
    let shadow = Policy::new(vec![
        up_to("small", 5, Action::Allow),
        above("some", 5, two(Role::Approver)),
        above("most", 20, Action::Allow),
        Rule {
            amount_above: Some(amount(30 * XRP)),
            amount_max: Some(amount(40 * XRP)),
            ..Rule::new("none", Action::Deny)
        },
    ]);
    let mut w = world(in_force().with_shadow(Some(shadow.clone())));
    assert_eq!(w.state.shadowing, None, "nothing was asked");
    let same = w.propose("hot", 5);
    let stricter = w.propose("hot", 6);
    let also_same = w.propose("hot", 20);
    let denied = w.propose("hot", 31);
    let all = said(&w);
    assert_eq!((all.policy_hash, all.decided), (shadow.hash(), 4));
    assert_eq!((all.stricter, all.laxer, all.otherwise), (2, 0, 0));
    let listed: Vec<(ProposalId, &str, &str, Turn)> = all
        .last
        .iter()
        .map(|one| (one.proposal, one.would.0.as_str(), one.would.1.as_str(), one.turn))
        .collect();
    assert_eq!(
        listed,
        [(stricter, "approve", "some", Turn::Stricter), (denied, "deny", "some, most, none", Turn::Stricter)]
    );
    assert_eq!(all.last[0].was, ("allow".to_owned(), "small".to_owned()));
    assert_eq!((all.last[0].account, all.last[0].amount), (id("hot"), Some(amount(6 * XRP))));
    // And what is in force has happened.
    assert_eq!(
        [same, stricter, also_same, denied].map(|p| w.word(p)),
        ["in_flight", "in_flight", "collecting", "collecting"]
    );
    let kept = |p: ProposalId| w.proposal(p).decision.shadow.clone().unwrap().would;
    assert_eq!((kept(same), kept(also_same)), (None, None));
    assert_eq!(kept(stricter).unwrap().rules, ["some"]);
    assert_eq!(w.proposal(stricter).decision.policy_hash, in_force().hash(), "the shadow has no part in it");
}

#[test]
fn laxer_is_told_from_stricter_and_from_what_is_neither() {
    let shadow = Policy::new(vec![
        up_to("all", 20, Action::Allow),
        above("others", 20, two(Role::Security)),
        Rule { amount_max: Some(amount(XRP)), ..Rule::new("told", Action::Notify(Told::default())) },
    ]);
    let mut w = world(in_force().with_shadow(Some(shadow)));
    let (told, lax, other) = (w.propose("hot", 1), w.propose("hot", 20), w.propose("hot", 21));
    let turns: Vec<_> = said(&w).last.iter().map(|one| (one.proposal, one.turn)).collect();
    assert_eq!(turns, [(told, Turn::Otherwise), (lax, Turn::Laxer), (other, Turn::Otherwise)]);
    assert_eq!((said(&w).stricter, said(&w).laxer, said(&w).otherwise), (0, 1, 2));
    let told = Turn::ALL.map(|turn| (turn.word(), said(&w).so_many(turn)));
    assert_eq!(told, [("stricter", 0), ("laxer", 1), ("otherwise", 2)]);
    assert_eq!(w.word(lax), "collecting", "two have to sign it all the same");
}

/// Danger: what is only tried moves money, or keeps it.
#[test]
fn all_that_happens_is_the_same_with_and_without_it() {
    let story = |policy: Policy| {
        let mut w = world(policy);
        let p = w.propose("warm", 300);
        w.approve("alice", p).unwrap();
        w.approve("bob", p).unwrap();
        w.settle();
        let q = w.propose("hot", 7);
        w.settle();
        let r = w.propose("cold", 4_000);
        w.approve("bob", r).unwrap();
        let ids = [p, q, r];
        let words = ids.map(|id| w.word(id));
        let proposals = ids.map(|id| {
            let mut proposal = w.proposal(id).clone();
            proposal.decision.shadow = None;
            proposal
        });
        let mut state = w.state.clone();
        state.shadowing = None;
        let state = (state.slots, state.book, state.open, state.findings, state.stops);
        (words, proposals, format!("{state:?}"))
    };
    let denies = Policy::new(vec![above("never", 0, Action::Deny)]);
    let allows = Policy::new(vec![Rule::new("any", Action::Allow)]);
    let without = story(in_force());
    assert_eq!(story(in_force().with_shadow(Some(denies))), without);
    assert_eq!(story(in_force().with_shadow(Some(allows))), without);
}

#[test]
fn another_second_policy_begins_anew_and_none_leaves_what_was_counted() {
    let deny = |name: &str| Policy::new(vec![above(name, 0, Action::Deny)]);
    let mut w = world(in_force().with_shadow(Some(deny("one"))));
    w.propose("hot", 1);
    w.propose("hot", 2);
    assert_eq!(said(&w).decided, 2);
    w.config.policy = in_force().with_shadow(Some(deny("other")));
    let p = w.propose("hot", 3);
    let all = said(&w).clone();
    assert_eq!((all.policy_hash, all.decided, all.stricter), (deny("other").hash(), 1, 1));
    assert_eq!(all.since, w.proposal(p).decision.inputs.at);
    w.config.policy = in_force();
    let q = w.propose("hot", 4);
    assert_eq!((w.proposal(q).decision.shadow.as_ref(), said(&w)), (None, &all));
}

/// Danger: a table that decides nearly everything otherwise fills the memory.
#[test]
fn only_the_last_differences_are_kept_and_all_are_counted() {
    let allows = Policy::new(vec![Rule::new("any", Action::Allow)]);
    let mut w = world(Policy::new(vec![]).with_shadow(Some(allows)));
    let many = u64::try_from(DIFFERENCES_MAX).unwrap() + 3;
    let mut proposals = Vec::new();
    for xrp in 1..=many {
        // Of what comes to nothing, one person may ask for some dozens an hour.
        if xrp % 50 == 0 {
            w.jump(4_000);
        }
        proposals.push(w.propose("hot", xrp));
    }
    let all = said(&w);
    assert_eq!((all.decided, all.laxer, all.last.len()), (many, many, DIFFERENCES_MAX));
    assert_eq!(all.last.front().map(|one| one.proposal), proposals.get(3).copied());
    assert_eq!(all.last.back().map(|one| one.proposal), proposals.last().copied());
}

#[test]
fn it_looks_at_its_own_signs_of_risk_and_at_the_lists_that_there_are() {
    let shop = || List::new("watched", vec![id("shop")], None);
    let risky = Risk { new_destination: Some(31), ..Risk::default() };
    let rules = vec![
        Rule::new("any", Action::Allow),
        Rule { risk: Some(RiskBand { above: Some(20), max: None }), ..Rule::new("risky", Action::Deny) },
        Rule { listed: Some(BTreeSet::from(["watched".to_owned()])), ..Rule::new("listed", Action::Deny) },
    ];
    let shadow = Policy::new(rules).with_lists([shop()]).with_risk(risky);
    let mut w = world(Policy::new(vec![Rule::new("any", Action::Allow)]).with_shadow(Some(shadow)));
    let p = w.propose("hot", 1);
    let would = w.proposal(p).decision.shadow.clone().unwrap().would.unwrap();
    assert_eq!(would.rules, ["any", "risky", "listed"]);
    assert_eq!(w.proposal(p).decision.inputs.risk, None, "the one in force asked for none");
}

/// Danger: what was decided beside once is counted again with every change of the policy in force.
#[test]
fn what_is_asked_about_again_is_counted_once() {
    let mut w = world(in_force().with_shadow(Some(Policy::new(vec![Rule::new("any", Action::Allow)]))));
    w.config.tickets.low_water = 2;
    let many: Vec<ProposalId> = (0..11).map(|_| w.propose("warm", 50)).collect();
    let (last, before) = (many[10], said(&w).clone());
    assert_eq!((w.word(last), before.decided, before.laxer), ("drafted", 11, 11));
    w.close(&[]);
    let refill = w.sent();
    let first = w.proposal(last).decision.shadow.clone();
    let security = Rule::new("security", two(Role::Security));
    w.config.policy = Policy::new(vec![security]).with_shadow(w.config.policy.shadow().cloned());
    w.close(&refill);
    assert_eq!(w.proposal(last).decision.rules, ["security", "large"], "it was decided on again");
    assert_eq!(said(&w), &before);
    assert_eq!(w.proposal(last).decision.shadow, first);
}

#[test]
fn records_of_earlier_versions_have_none_and_are_read() {
    let mut w = world(in_force().with_shadow(Some(Policy::new(vec![Rule::new("any", Action::Allow)]))));
    let p = w.propose("hot", 50);
    let proposal = Box::new(w.proposal(p).clone());
    let mut json = serde_json::to_value(Event::ProposalDrafted { proposal, idempotency_key: None }).unwrap();
    assert!(json["proposal"]["decision"]["shadow"]["would"].is_object(), "{json}");
    json["proposal"]["decision"].as_object_mut().unwrap().remove("shadow");
    let Event::ProposalDrafted { proposal, .. } = serde_json::from_value(json).unwrap() else { panic!() };
    assert_eq!(proposal.decision.shadow, None);
}
