//! What the prover tries: whatever a rule can ask about, a payment that is so and one that is not; and every way in which
//! rules with several sums and counts can match together.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use treasury_core::Treasury;
use treasury_core::config::Role;
use treasury_core::config::Tier;
use treasury_core::example::{Example, Recipient};
use treasury_core::intent::{Asker, IntentKind};
use treasury_core::list::List;
use treasury_core::policy::{
    Action, Count, DestinationMatch, PaidFor, Per, Policy, RiskBand, Rolling, Rule, Times, Zone,
};
use treasury_core::prove::{Outcome, Query, each, prove};
use treasury_core::units::{Amount, RippleTime};

use crate::world::{XRP, amount, config, id};

/// 10:00 in UTC.
const NOW: RippleTime = RippleTime(9_259 * 86_400 + 36_000);

const USD: &str = "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B";

/// Two people who may ask, of whom one may approve.
fn declared() -> Treasury {
    let mut config = config();
    config.people.get_mut("carol").unwrap().roles = BTreeSet::from([Role::Proposer]);
    config.destinations.insert(id("shop"), "shop".to_owned());
    config
}

fn list() -> [List; 1] {
    [List::new("watched", vec![id("thief")], None)]
}

fn named() -> Option<BTreeSet<String>> {
    Some(BTreeSet::from(["watched".to_owned()]))
}

/// Danger: what the prover does not try, it proves; and a table that lets it through is believed to be safe.
#[test]
fn of_whatever_a_rule_asks_a_payment_is_tried_that_is_so_and_one_that_is_not() {
    type Is = fn(&Example) -> bool;
    let rule = |change: fn(&mut Rule)| {
        let mut rule = Rule::new("rule", Action::Allow);
        change(&mut rule);
        rule
    };
    let table: [(Rule, Is); 17] = [
        (rule(|rule| rule.askers = Some(vec![Asker::Person("carol".to_owned())])), |tried| {
            tried.asker == Asker::Person("carol".to_owned())
        }),
        (rule(|rule| rule.asker_roles = Some(BTreeSet::from([Role::Approver]))), |tried| {
            tried.asker == Asker::Person("alice".to_owned())
        }),
        (rule(|rule| rule.accounts = Some(vec![id("hot")])), |tried| tried.account == id("hot")),
        (rule(|rule| rule.tiers = Some(BTreeSet::from([Tier::Hot]))), |tried| tried.account == id("hot")),
        (rule(|rule| rule.amount_above = Some(amount(7))), |tried| tried.amount > amount(7)),
        (rule(|rule| rule.amount_min = Some(amount(7))), |tried| tried.amount >= amount(7)),
        (rule(|rule| rule.amount_max = Some(amount(7))), |tried| tried.amount <= amount(7)),
        (rule(|rule| rule.amount_min = Amount::from_words(&format!("7 {USD}")).ok()), |tried| {
            Amount::from_words(&format!("7 {USD}")).is_ok_and(|least| tried.amount >= least)
        }),
        (rule(|rule| rule.destination = Some(DestinationMatch::Treasury)), |tried| tried.recipient.own),
        (rule(|rule| rule.destination = Some(DestinationMatch::Known)), |tried| {
            tried.recipient.own || tried.recipient.account == Some(id("shop"))
        }),
        (rule(|rule| rule.destination = Some(DestinationMatch::Accounts(vec![id("baker")]))), |tried| {
            tried.recipient.account == Some(id("baker"))
        }),
        (rule(|rule| rule.listed = named()), |tried| tried.recipient.account == Some(id("thief"))),
        (rule(|rule| rule.unlisted = named()), |tried| tried.recipient.account != Some(id("thief"))),
        (
            rule(|rule| {
                rule.paid_for = Some(PaidFor { least_seconds: Some(60), below_seconds: Some(90) });
            }),
            |tried| tried.paid_for.is_some_and(|seconds| (60..90).contains(&seconds)),
        ),
        (
            rule(|rule| {
                let zone = Arc::new(Zone::utc());
                rule.during = Some(Times { zone, weekdays: None, from_minute: 1_439, until_minute: 1_440 });
            }),
            |tried| tried.at.0 % 86_400 >= 86_340,
        ),
        (
            rule(|rule| {
                let per = Per::Destination;
                rule.count = Some(Count { period_seconds: 60, per, above: Some(3), max: Some(5) });
            }),
            |tried| tried.counts.get(&(Per::Destination, 60)).is_some_and(|others| (3..5).contains(others)),
        ),
        (rule(|rule| rule.risk = Some(RiskBand { above: Some(29), max: Some(59) })), |tried| {
            (30..60).contains(&tried.risk)
        }),
    ];
    let config = declared();
    for (rule, is) in table {
        let policy = Policy::new(vec![rule.clone()]).with_lists(list());
        for (outcome, expected) in [(Outcome::Leaves, true), (Outcome::Unmatched, false)] {
            let query = Query { outcome, ..Query::default() };
            let found = prove(&config, &policy, NOW, &query).unwrap();
            let tried = found.unwrap_or_else(|| panic!("{rule:?}: none is tried that is {expected}")).example;
            assert_eq!(is(&tried), expected, "{rule:?}: {tried:?}");
        }
    }
}

/// Every set of rules that can match together, by their names.
fn together(rules: Vec<Rule>) -> BTreeSet<String> {
    let policy = Policy::new(rules);
    let mut sets = BTreeSet::new();
    each(&declared(), &policy, NOW, &Query::default(), |set, _| {
        let names = policy.rules().iter().enumerate().filter(|(number, _)| set.has(*number));
        sets.insert(names.map(|(_, rule)| rule.name.as_str()).collect::<String>());
        ControlFlow::Continue(())
    })
    .unwrap();
    sets
}

#[test]
fn sums_and_counts_of_different_kinds_are_tried_apart_and_a_longer_period_has_no_less_than_a_shorter_one() {
    let sum = |name: &str, per, period_seconds| {
        let (amount_above, amount_max) = (Some(amount(7)), None);
        let rolling = Some(Rolling { period_seconds, per, amount_above, amount_max });
        Rule { rolling, ..Rule::new(name, Action::Deny) }
    };
    let count = |name: &str, per, period_seconds| {
        let count = Some(Count { period_seconds, per, above: Some(3), max: None });
        Rule { count, ..Rule::new(name, Action::Deny) }
    };
    let (a, d) = (Per::Asker, Per::Destination);
    let apart = BTreeSet::from(["", "A", "B", "AB"].map(str::to_owned));
    for (one, other) in [((a, 60), (d, 60)), ((a, 60), (d, 90)), ((a, 90), (d, 60))] {
        assert_eq!(together(vec![count("A", one.0, one.1), count("B", other.0, other.1)]), apart);
        // More than the sum's bound is paid at once by a payment alone, and then both hold.
        assert_eq!(together(vec![sum("A", one.0, one.1), sum("B", other.0, other.1)]), apart);
    }
    let longer = BTreeSet::from(["", "B", "AB"].map(str::to_owned));
    assert_eq!(together(vec![count("A", a, 60), count("B", a, 90)]), longer);
    assert_eq!(together(vec![sum("A", a, 60), sum("B", a, 90)]), longer);
}

#[test]
fn amounts_of_tokens_and_currencies_are_tried_on_both_sides_of_a_bound() {
    let token = "00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8";
    let at = |many: &str, asset: &str| Amount::from_words(&format!("{many} {asset}")).unwrap();
    let exactly = |bound: Amount, most: Amount| {
        let rule = |name: &str, above, max| Rule {
            amount_above: above,
            amount_max: max,
            ..Rule::new(name, Action::Allow)
        };
        vec![rule("below", None, Some(bound)), rule("above", Some(most), None)]
    };
    for (bound, most, between) in [
        (at("5", token), at("7", token), at("6", token)),
        (at("100", USD), at("100.0000000000002", USD), at("100.0000000000001", USD)),
        (at("99.9", USD), at("100", USD), at("99.90000000000001", USD)),
    ] {
        let query = Query { outcome: Outcome::Unmatched, above: Some(bound), ..Query::default() };
        let found = prove(&config(), &Policy::new(exactly(bound, most)), NOW, &query).unwrap();
        assert_eq!(found.map(|found| found.example.amount), Some(between));
    }
    // And of what is less than any bound.
    for (bound, least) in [(at("5", token), at("1", token)), (at("100", USD), at("0.000001", USD))] {
        let rule = Rule { amount_min: Some(bound), ..Rule::new("from", Action::Allow) };
        let query =
            Query { outcome: Outcome::Unmatched, above: Some(bound.issue().nothing()), ..Query::default() };
        let found = prove(&config(), &Policy::new(vec![rule]), NOW, &query).unwrap();
        assert_eq!(found.map(|found| found.example.amount), Some(least));
    }
}

#[test]
fn the_hours_of_a_zone_are_tried_as_its_clocks_show_them() {
    let ahead = |ahead_seconds, changes| Arc::new(Zone { name: "x".to_owned(), ahead_seconds, changes });
    for zone in [ahead(7_200, Vec::new()), ahead(0, vec![(RippleTime(NOW.0 - 1), 7_200)])] {
        // One minute of local time, which in UTC is from 17:00.
        let times = Times { zone, weekdays: None, from_minute: 1_140, until_minute: 1_141 };
        let rule = Rule { during: Some(times), ..Rule::new("minute", Action::Allow) };
        let query = Query { outcome: Outcome::Leaves, ..Query::default() };
        let found = prove(&config(), &Policy::new(vec![rule]), NOW, &query).unwrap();
        assert_eq!(found.map(|found| found.example.at.0 % 86_400), Some(17 * 3_600));
    }
}

#[test]
fn an_example_is_told_with_what_else_there_is_and_nothing_that_is_not() {
    let mut example = Example {
        asker: Asker::Person("alice".to_owned()),
        roles: BTreeSet::new(),
        account: id("warm"),
        tier: Some(Tier::Warm),
        kind: IntentKind::Pay,
        recipient: Recipient::default(),
        paid_for: None,
        amount: amount(5 * XRP),
        at: NOW,
        sums: BTreeMap::from([((Per::Account, 60), amount(0)), ((Per::Asker, 60), amount(XRP))]),
        counts: BTreeMap::from([((Per::Account, 60), 0), ((Per::Asker, 90), 1)]),
        risk: 1,
    };
    let beginning = format!(
        "alice asks to pay 5 XRP from warm ({}) to a new destination on no list, never paid before",
        id("warm")
    );
    let more = ", 1 XRP more of the asker within 60 s, 1 more payments of the asker within 90 s, of risk 1";
    assert_eq!(example.words(&config()), format!("{beginning}{more}, at {NOW}"));
    (example.sums, example.counts, example.risk) = Default::default();
    assert_eq!(example.words(&config()), format!("{beginning}, at {NOW}"));
}

#[test]
fn a_year_ahead_is_tried_and_no_more() {
    let times = Times { zone: Arc::new(Zone::utc()), weekdays: None, from_minute: 600, until_minute: 601 };
    let rules = [Rule { during: Some(times), ..Rule::new("ten", Action::Allow) }];
    let instants = treasury_core::rules::bounds::instants(&rules, NOW);
    assert_eq!(instants.first(), Some(&NOW));
    assert!(instants.iter().all(|at| at.0 < NOW.0 + 366 * 86_400), "{:?}", instants.last());
}

#[test]
fn what_is_asked_of_one_account_or_one_recipient_is_tried_of_these() {
    let policy = Policy::new(vec![Rule::new("any", Action::Allow)]);
    let query = Query {
        outcome: Outcome::Leaves,
        account: Some(id("hot")),
        destination: Some(DestinationMatch::Accounts(vec![id("nobody in a rule")])),
        ..Query::default()
    };
    let tried = prove(&config(), &policy, NOW, &query).unwrap().unwrap().example;
    assert_eq!((tried.account, tried.recipient.account), (id("hot"), Some(id("nobody in a rule"))));
    let unknown = Query { account: Some(id("nobody in a rule")), ..Query::default() };
    assert_eq!(prove(&config(), &policy, NOW, &unknown).unwrap(), None);
}
