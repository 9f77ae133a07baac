//! What rules can ask about a payment besides its own words: who asks with what role, the account's tier, lists, for how
//! long a destination has been paid, sums and counts of others, and the time of day.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::world::{World, XRP, amount, config, id};
use treasury_core::command::{Answer, Command, Propose};
use treasury_core::config::{Role, Tier};
use treasury_core::list::{Dated, List};
use treasury_core::payments::Whose;
use treasury_core::policy::{
    Action, Approvers, Count, DestinationMatch, Outflow, PaidFor, Per, Policy, Risk, RiskBand, Rolling, Rule,
    Times, Weekday, Zone,
};
use treasury_core::state::Guard;
use treasury_core::units::{AccountId, Asset, ProposalId, RippleTime, Weight};

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

fn any() -> Rule {
    Rule::new("any", Action::Allow)
}

fn world(rules: Vec<Rule>) -> World {
    with_lists(rules, Vec::new())
}

fn with_lists(rules: Vec<Rule>, lists: Vec<List>) -> World {
    let mut config = config();
    config.policy = Policy::new(rules).with_lists(lists);
    config.people.get_mut("bob").unwrap().roles.insert(Role::Proposer);
    World::with(config)
}

fn ask(w: &mut World, person: &str, account: &str, to: AccountId, xrp: u64) -> ProposalId {
    let propose = Propose { destination: to, ..w.payment(account, xrp) };
    match w.command(person, Command::Propose(propose)).unwrap() {
        Answer::Proposed { proposal } => proposal,
        other => panic!("{other:?}"),
    }
}

/// A payment of which nothing can be applied any more after a minute.
fn brief(w: &mut World) -> ProposalId {
    let propose = Propose { deadline_seconds: Some(60), ..w.payment("warm", 1) };
    match w.command("alice", Command::Propose(propose)).unwrap() {
        Answer::Proposed { proposal } => proposal,
        other => panic!("{other:?}"),
    }
}

/// A few minutes pass.
fn pass(w: &mut World) {
    for _ in 0..60 {
        w.jump(4);
    }
}

fn matched(w: &World, p: ProposalId) -> String {
    w.proposal(p).decision.rule()
}

#[test]
fn a_rule_looks_at_the_roles_of_who_asks_and_the_daemon_has_none() {
    let security = Rule {
        asker_roles: Some(BTreeSet::from([Role::Admin, Role::Security])),
        ..Rule::new("security", Action::Deny)
    };
    let mut w = world(vec![any(), security]);
    let p = ask(&mut w, "alice", "warm", id("shop"), 1);
    assert_eq!(matched(&w, p), "any");
    w.config.people.get_mut("alice").unwrap().roles.insert(Role::Admin);
    let p = ask(&mut w, "alice", "warm", id("shop"), 1);
    assert_eq!((matched(&w, p), w.word(p)), ("any, security".to_owned(), "denied"));
    let p = ask(&mut w, "bob", "warm", id("shop"), 1);
    assert_eq!(matched(&w, p), "any");
}

#[test]
fn a_rule_looks_at_the_tier_of_the_account_that_pays() {
    let hot = Rule { tiers: Some(BTreeSet::from([Tier::Hot, Tier::Cold])), ..Rule::new("hot", Action::Deny) };
    let mut w = world(vec![any(), hot]);
    for (account, rules) in [("warm", "any"), ("hot", "any, hot"), ("cold", "any, hot")] {
        let p = ask(&mut w, "alice", account, id("shop"), 1);
        assert_eq!(matched(&w, p), rules, "{account}");
    }
}

#[test]
fn a_rule_looks_at_lists_that_the_destination_is_on_and_is_not_on() {
    let on = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
    let rules = vec![
        any(),
        Rule { listed: on(&["sanctions", "fraud"]), ..Rule::new("bad", Action::Deny) },
        Rule { unlisted: on(&["staff"]), ..Rule::new("not staff", Action::Allow) },
        Rule { listed: on(&["no such list"]), ..Rule::new("never", Action::Deny) },
    ];
    let lists = vec![
        List::new("sanctions", vec![id("thief"), id("exchange")], None),
        List::new("fraud", vec![], None),
        List::new("staff", vec![id("shop")], None),
    ];
    let mut w = with_lists(rules, lists);
    for (to, matching) in [("shop", "any"), ("exchange", "any, bad, not staff"), ("hot", "any, not staff")] {
        let p = ask(&mut w, "alice", "warm", id(to), 1);
        assert_eq!(matched(&w, p), matching, "{to}");
    }
}

/// Danger: a destination comes to stand on a list while a payment to it waits, and the payment leaves.
#[test]
fn what_was_decided_before_somebody_came_to_stand_on_a_list_is_asked_about_again() {
    let listed = Some(BTreeSet::from(["sanctions".to_owned()]));
    let rules = vec![
        Rule::new(
            "people",
            Action::Approve(Approvers {
                weight: Weight(2),
                roles: BTreeSet::from([Role::Approver]),
                exclude_asker: false,
                ..Default::default()
            }),
        ),
        Rule { listed, ..Rule::new("bad", Action::Deny) },
    ];
    let policy = Policy::new(rules);
    let mut w = World::new();
    w.config.policy = policy.clone().with_lists([List::new("sanctions", vec![id("thief")], None)]);
    let p = w.propose("warm", 5);
    w.approve("alice", p).unwrap();
    w.config.policy = policy.with_lists([List::new("sanctions", vec![id("thief"), id("shop")], None)]);
    w.approve("bob", p).unwrap();
    w.jump(10);
    assert!(w.sent().is_empty(), "{}", w.word(p));
    let waits = w.waits(p);
    assert!(waits.iter().any(|wait| wait.contains("bad")), "{waits:?}");
}

/// Danger: the list of sanctions is gone, or nobody has renewed it, and the next new destination is one that would
/// stand on it by now.
#[test]
fn where_a_list_is_unreadable_or_stale_nothing_leaves_to_a_new_destination() {
    let start = World::new().state.now();
    let dated = |age_max_seconds| Some(Dated { at: start, age_max_seconds });
    for (list, later, denied) in [
        (List::new("sanctions", vec![], dated(DAY)), DAY / 2, false),
        (List::new("sanctions", vec![], dated(DAY)), DAY + 60, true),
        (List::new("sanctions", vec![], None), 300 * DAY, false),
        // Of a day that begins in the east, and of one that a slip of the pen made never to become old.
        (
            List::new(
                "sanctions",
                vec![],
                Some(Dated { at: RippleTime(start.0 + DAY), age_max_seconds: DAY }),
            ),
            0,
            false,
        ),
        (
            List::new(
                "sanctions",
                vec![],
                Some(Dated { at: RippleTime(start.0 + 2 * DAY), age_max_seconds: DAY }),
            ),
            0,
            true,
        ),
        (List::unreadable("sanctions", "permission denied"), 0, true),
    ] {
        let mut w = with_lists(vec![any()], vec![list.clone()]);
        w.config.destinations.insert(id("exchange"), "exchange".to_owned());
        w.jump(later);
        let p = ask(&mut w, "alice", "warm", id("shop"), 1);
        assert_eq!(w.word(p) == "denied", denied, "{list:?} after {later}: {}", matched(&w, p));
        assert_eq!(matched(&w, p).contains("list sanctions is not good"), denied);
        for known in ["exchange", "hot"] {
            let p = ask(&mut w, "alice", "warm", id(known), 1);
            assert_eq!(matched(&w, p), "any", "{known} is known");
        }
    }
}

/// Danger: the daemon starts while the list of sanctions is being written anew, and who is on it and in the address book is
/// paid as if on no list.
#[test]
fn where_a_list_that_a_rule_asks_about_was_never_read_no_destination_beside_the_treasury_is_paid() {
    let listed = Some(BTreeSet::from(["sanctions".to_owned()]));
    let never = List::unreadable("sanctions", "it ends in half an address");
    let empty = List::new("sanctions", vec![], None).gone_bad("it is gone");
    for (rule, list, denied) in [
        (Rule { listed: listed.clone(), ..Rule::new("bad", Action::Deny) }, never.clone(), true),
        (Rule { unlisted: listed.clone(), ..Rule::new("good", Action::Allow) }, never.clone(), true),
        (Rule::new("other", Action::Allow), never, false),
        (Rule { listed, ..Rule::new("bad", Action::Deny) }, empty, false),
    ] {
        let mut w = with_lists(vec![any(), rule], vec![list]);
        w.config.destinations.insert(id("exchange"), "exchange".to_owned());
        let p = ask(&mut w, "alice", "warm", id("exchange"), 1);
        assert_eq!(w.word(p) == "denied", denied, "{}", matched(&w, p));
        let p = ask(&mut w, "alice", "warm", id("hot"), 1);
        assert_ne!(w.word(p), "denied", "within the treasury");
    }
}

/// Danger: who is on a list that was never read weighs as if on none, and a rule that is for what is risky passes them over.
#[test]
fn where_a_list_that_is_a_sign_of_risk_was_never_read_no_destination_beside_the_treasury_is_paid() {
    let never = List::unreadable("fraud", "permission denied");
    let weighs = Risk { listed: Some((90, BTreeSet::from(["fraud".to_owned()]))), ..Risk::default() };
    let risky = RiskBand { above: Some(80), max: None };
    // Without a rule for scores, too: whoever is on it would be found, and the payment held.
    for risk in [Some(risky), None] {
        let mut w =
            with_lists(vec![any(), Rule { risk, ..Rule::new("risky", Action::Allow) }], vec![never.clone()]);
        w.config.policy = w.config.policy.clone().with_risk(weighs.clone());
        w.config.destinations.insert(id("exchange"), "exchange".to_owned());
        let p = ask(&mut w, "alice", "warm", id("exchange"), 1);
        assert_eq!(w.word(p), "denied", "{}", matched(&w, p));
    }
}

#[test]
fn the_hash_of_a_table_is_that_of_earlier_versions_unless_it_says_something_new() {
    let before = r#"[{"name":"small","askers":null,"accounts":null,"kinds":["pay"],"destination":"known",
        "amount_min":null,"amount_max":{"drops":"5"},
        "rolling":{"period_seconds":60,"amount_max":null},"action":{"action":"allow"}}]"#;
    let drops = serde_json::to_value(amount(5)).unwrap().to_string();
    let before = before.replace(r#"{"drops":"5"}"#, &drops);
    let rules: Vec<Rule> = serde_json::from_str(&before).unwrap();
    assert_eq!(rules[0].rolling.unwrap().per, Per::Account);
    let as_written: serde_json::Value = serde_json::from_str(&before).unwrap();
    assert_eq!(serde_json::to_value(&rules).unwrap(), as_written, "not a word more");
    let policy = Policy::new(rules.clone());
    assert_eq!(policy.clone().with_lists([]).hash(), policy.hash());
    let list = |accounts| policy.clone().with_lists([List::new("a", accounts, None)]).hash();
    assert_ne!(list(vec![]), policy.hash());
    assert_ne!(list(vec![id("shop")]), list(vec![]));
    assert_eq!(list(vec![id("shop"), id("hot")]), list(vec![id("hot"), id("shop"), id("hot")]));
    let tier = Rule { tiers: Some(BTreeSet::from([Tier::Hot])), ..rules[0].clone() };
    assert_ne!(Policy::new(vec![tier]).hash(), policy.hash());
}

#[test]
fn a_destination_has_been_paid_since_the_first_payment_that_a_validated_ledger_has() {
    let below = PaidFor { least_seconds: None, below_seconds: Some(7 * DAY) };
    let least = PaidFor { least_seconds: Some(7 * DAY), below_seconds: None };
    let mut w = world(vec![
        any(),
        Rule { paid_for: Some(below), ..Rule::new("young", Action::Allow) },
        Rule { paid_for: Some(least), ..Rule::new("old", Action::Allow) },
    ]);
    let p = w.propose("warm", 1);
    assert_eq!(matched(&w, p), "any, young", "never paid");
    assert_eq!(w.state.book.payments().first_paid(&id("shop")), None, "asked for and not paid");
    w.settle();
    let first = w.state.book.payments().first_paid(&id("shop"));
    assert!(first.is_some());
    w.jump(6 * DAY);
    let p = w.propose("warm", 1);
    assert_eq!(matched(&w, p), "any, young");
    w.settle();
    assert_eq!(w.state.book.payments().first_paid(&id("shop")), first, "the first counts, not the last");
    w.jump(2 * DAY);
    let p = w.propose("warm", 1);
    assert_eq!(matched(&w, p), "any, old");
    let p = ask(&mut w, "alice", "warm", id("hot"), 1);
    assert_eq!(matched(&w, p), "any, young", "another one");
}

/// Danger: money that waits in an escrow, or comes back from it, makes its destination one that was paid.
#[test]
fn an_escrow_pays_its_destination_when_it_is_released_and_not_before() {
    let mut w = World::new();
    let p = w.propose("warm", 2_000);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    w.settle();
    let key = w.proposal(p).release_inputs().unwrap().escrow;
    let first = |w: &World| w.state.book.payments().first_paid(&id("shop"));
    let counted =
        |w: &World| w.state.book.payments().count(Whose::Destination(id("shop")), RippleTime(0), None);
    assert_eq!((w.word(p), first(&w), counted(&w)), ("validated", None, 1));
    w.jump(48 * HOUR + 7 * HOUR);
    w.settle();
    let Guard::Released { at, .. } = w.guard(key) else { panic!("{:?}", w.guard(key)) };
    assert_eq!((first(&w), counted(&w)), (Some(at.close_time), 1));
}

#[test]
fn payments_are_counted_by_account_destination_asker_and_asset() {
    for (per, account, to, asker, expected) in [
        (Per::Account, "warm", "shop", "alice", 3),
        (Per::Account, "hot", "shop", "alice", 1),
        (Per::Destination, "cold", "shop", "bob", 3),
        (Per::Destination, "hot", "cold", "bob", 1),
        (Per::Asker, "hot", "cold", "alice", 3),
        (Per::Asker, "hot", "cold", "bob", 1),
        (Per::Asset, "hot", "cold", "bob", 4),
    ] {
        let count = Count { period_seconds: HOUR, per, above: Some(expected), max: Some(expected + 1) };
        let counted = Rule { count: Some(count), ..Rule::new("counted", Action::Allow) };
        let mut w = world(vec![any(), counted]);
        ask(&mut w, "alice", "warm", id("shop"), 1);
        w.settle();
        ask(&mut w, "alice", "warm", id("shop"), 1);
        ask(&mut w, "bob", "hot", id("shop"), 1);
        w.settle();
        ask(&mut w, "alice", "warm", id("cold"), 1);
        let p = ask(&mut w, asker, account, id(to), 1);
        assert_eq!(matched(&w, p), "any, counted", "{per:?} of {account} {to} {asker}");
        let seen = &w.proposal(p).decision.inputs.outflows;
        assert_eq!(seen, &[Outflow::Count { per, period_seconds: HOUR, count: expected }]);
        w.settle();
        w.jump(2 * HOUR);
        let p = ask(&mut w, asker, account, id(to), 1);
        assert_eq!(matched(&w, p), "any", "{per:?} out of the window");
    }
}

#[test]
fn what_was_denied_or_ended_without_effect_is_not_counted() {
    let count = Count { period_seconds: HOUR, per: Per::Asker, above: Some(1), max: None };
    let busy = Rule { count: Some(count), ..Rule::new("busy", Action::Deny) };
    let two = Approvers {
        weight: Weight(2),
        roles: BTreeSet::from([Role::Approver]),
        exclude_asker: false,
        ..Default::default()
    };
    let mut w = world(vec![Rule::new("two", Action::Approve(two)), busy]);
    let p = brief(&mut w);
    let q = brief(&mut w);
    assert_eq!((w.word(p), w.word(q)), ("collecting", "denied"));
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    let r = w.propose("warm", 1);
    assert_eq!(w.word(r), "denied", "signatures over what was withdrawn may be with somebody");
    pass(&mut w);
    let r = w.propose("warm", 1);
    assert_eq!(w.word(r), "collecting");
}

#[test]
fn sums_are_of_what_goes_to_a_destination_of_what_somebody_asks_for_and_of_an_asset() {
    for (per, account, to, asker, others) in [
        (Per::Destination, "cold", "shop", "bob", 30),
        (Per::Asker, "hot", "cold", "alice", 50),
        (Per::Asset, "hot", "cold", "bob", 60),
    ] {
        let beyond = |xrp| Rolling {
            period_seconds: HOUR,
            per,
            amount_above: Some(amount(xrp * XRP)),
            amount_max: None,
        };
        let mut w = world(vec![
            any(),
            Rule { rolling: Some(beyond(others)), ..Rule::new("beyond", Action::Allow) },
            Rule { rolling: Some(beyond(others + 1)), ..Rule::new("far", Action::Allow) },
        ]);
        ask(&mut w, "alice", "warm", id("shop"), 20);
        w.settle();
        ask(&mut w, "bob", "hot", id("shop"), 10);
        ask(&mut w, "alice", "warm", id("cold"), 30);
        let p = ask(&mut w, asker, account, id(to), 1);
        assert_eq!(matched(&w, p), "any, beyond", "{per:?}");
        let sum = amount(others * XRP);
        let seen = &w.proposal(p).decision.inputs.outflows;
        assert_eq!(seen, &[Outflow::Sum { per, period_seconds: HOUR, sum }]);
    }
}

#[test]
fn what_is_on_its_way_to_people_counts_once_when_policy_is_asked_about_it_again() {
    let most = Rolling {
        period_seconds: DAY,
        per: Per::Destination,
        amount_above: None,
        amount_max: Some(amount(2_000 * XRP)),
    };
    let count = Count { period_seconds: DAY, per: Per::Destination, above: None, max: Some(1) };
    let mut w = World::new();
    let p = w.propose("warm", 2_000);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    w.settle();
    let mut rules = w.config.policy.rules().to_vec();
    let large = rules.pop().unwrap();
    // A day is longer than the delay: the payment's own money has left within the period.
    let most = Rolling { period_seconds: 10 * DAY, ..most };
    let count = Count { period_seconds: 10 * DAY, ..count };
    w.config.policy = Policy::new(vec![Rule { rolling: Some(most), count: Some(count), ..large }]);
    let again = treasury_core::decide::again_in_escrow(&w.config, &w.state, w.proposal(p));
    assert_eq!(again.rule(), "large", "{:?}", again.inputs);
    let q = w.propose("warm", 2_000);
    assert_eq!(w.word(q), "denied", "another one counts beside it");
}

/// 2025-05-08T06:13:20Z, at which these worlds begin, was a Thursday.
#[test]
fn a_rule_looks_at_the_time_of_day_and_the_day_of_the_week_in_a_zone() {
    let zone = Zone { name: "two ahead".to_owned(), ahead_seconds: 7_200, changes: Vec::new() };
    let office = Times {
        zone: Arc::new(zone),
        weekdays: Some(Weekday::ALL[..5].iter().copied().collect()),
        from_minute: 9 * 60,
        until_minute: 17 * 60,
    };
    let mut w = world(vec![
        Rule { during: Some(office.clone()), ..Rule::new("office", Action::Allow) },
        Rule { outside: Some(office), ..Rule::new("night", Action::Deny) },
    ]);
    for (later, rule) in [
        (0, "night"),
        (HOUR, "office"),
        (8 * HOUR, "night"),
        (16 * HOUR, "office"),
        (DAY, "night"),
        (2 * DAY, "office"),
    ] {
        w.jump(later);
        let p = w.propose("warm", 1);
        assert_eq!(matched(&w, p), rule, "at {}", w.state.now());
    }
}

#[test]
fn a_new_destination_is_told_from_one_that_was_paid() {
    let both = Rule {
        destination: Some(DestinationMatch::New),
        paid_for: Some(PaidFor { least_seconds: Some(DAY), below_seconds: None }),
        ..Rule::new("tried", Action::Allow)
    };
    let small = Rule { amount_max: Some(amount(XRP)), ..any() };
    let mut w = world(vec![small, both]);
    let p = w.propose("warm", 50);
    assert_eq!(w.word(p), "denied");
    w.propose("warm", 1);
    w.settle();
    w.jump(DAY);
    let p = w.propose("warm", 50);
    assert_eq!(matched(&w, p), "tried");
}

#[test]
fn nothing_is_kept_of_destinations_to_which_nothing_was_ever_paid() {
    let two = Approvers {
        weight: Weight(2),
        roles: BTreeSet::from([Role::Approver]),
        exclude_asker: false,
        ..Default::default()
    };
    let mut w = world(vec![Rule::new("two", Action::Approve(two))]);
    let before = serde_json::to_string(w.state.book.payments()).unwrap();
    let p = brief(&mut w);
    assert_ne!(serde_json::to_string(w.state.book.payments()).unwrap(), before);
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    pass(&mut w);
    let shop = Whose::Destination(id("shop"));
    assert_eq!(w.state.book.payments().sum(shop, Asset::Xrp, RippleTime(0), None), amount(0));
    assert!(!serde_json::to_string(w.state.book.payments()).unwrap().contains(&id("shop").to_string()));
}
