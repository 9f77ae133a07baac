//! Rules that tell people: they match beside others, and let nothing leave.

use std::collections::BTreeSet;

use treasury_core::analysis::analyse;
use treasury_core::config::Role;
use treasury_core::decide::Question;
use treasury_core::explain::explain;
use treasury_core::intent::{Asker, Intent, Pay};
use treasury_core::policy::{Action, Approvers, Obligations, Policy, Rule, Told};
use treasury_core::prove::{Outcome, Query, prove};
use treasury_core::replay::replay;
use treasury_core::state::Archived;
use treasury_core::units::{RippleTime, Weight};

use crate::world::{World, XRP, amount, config, id};

fn told(people: &[&str], roles: &[Role]) -> Told {
    Told {
        people: people.iter().map(|name| (*name).to_owned()).collect(),
        roles: roles.iter().copied().collect(),
    }
}

fn tells(name: &str, above: u64, told: Told) -> Rule {
    Rule { amount_above: (above > 0).then(|| amount(above * XRP)), ..Rule::new(name, Action::Notify(told)) }
}

fn two() -> Action {
    let roles = BTreeSet::from([Role::Approver]);
    Action::Approve(Approvers { weight: Weight(2), roles, ..Approvers::default() })
}

fn up_to(name: &str, xrp: u64, action: Action) -> Rule {
    Rule { amount_max: Some(amount(xrp * XRP)), ..Rule::new(name, action) }
}

fn world(rules: Vec<Rule>) -> World {
    let mut config = config();
    config.policy = Policy::new(rules);
    World::with(config)
}

#[test]
fn whoever_is_named_is_told_and_nothing_is_asked_for_by_that() {
    let mut w = world(vec![
        up_to("any", 1_000, Action::Allow),
        tells("dave", 10, told(&["dave"], &[])),
        tells("security", 50, told(&[], &[Role::Security])),
        tells("readers", 0, Told::default()),
    ]);
    let p = w.propose("hot", 5);
    let decision = &w.proposal(p).decision;
    assert_eq!(decision.rules, ["any", "readers"]);
    assert_eq!(decision.obligations, Obligations { told: Some(Told::default()), ..Obligations::default() });
    assert_eq!(w.word(p), "in_flight", "agents sign it");
    let q = w.propose("hot", 60);
    let decision = &w.proposal(q).decision;
    assert_eq!(decision.rules, ["any", "dave", "security", "readers"]);
    assert_eq!(decision.obligations.told, Some(told(&["dave"], &[Role::Security])));
    assert_eq!((decision.obligations.word(), w.word(q)), ("allow", "in_flight"));
}

/// Danger: whoever writes a rule that tells people lets something leave that nobody had allowed.
#[test]
fn what_only_rules_that_tell_people_match_stays_denied() {
    let mut w = world(vec![up_to("small", 10, Action::Allow), tells("large", 10, told(&["dave"], &[]))]);
    let p = w.propose("hot", 11);
    let decision = &w.proposal(p).decision;
    assert_eq!((w.word(p), decision.rule().as_str()), ("denied", "large, no match"));
    assert_eq!(decision.obligations.told, Some(told(&["dave"], &[])), "and dave is told of it");
    let leaves = |outcome, above| {
        let query = Query { outcome, above: Some(amount(above * XRP)), ..Query::default() };
        prove(&w.config, &w.config.policy, w.state.now(), &query).unwrap()
    };
    assert_eq!(leaves(Outcome::Leaves, 10), None);
    assert_eq!(leaves(Outcome::Denied, 10), None, "no rule denies it");
    let unmatched = leaves(Outcome::Unmatched, 10).unwrap();
    assert_eq!((unmatched.rules, unmatched.obligations.deny), (vec!["large".to_owned()], true));
    let intent =
        Intent::Pay(Pay { destination: id("shop"), destination_tag: None, amount: amount(11 * XRP) });
    let asker = Asker::Person("alice".to_owned());
    let question = Question::new(&w.config, &w.state, id("hot"), &asker, &intent, w.state.now());
    let explained = explain(&w.config, question);
    let words: Vec<_> = explained.rules.iter().map(|rule| (rule.action, rule.matches())).collect();
    assert_eq!(words, [("allow", false), ("notify", true)]);
    assert_eq!(explained.decision.obligations.word(), "deny");
}

#[test]
fn a_rule_that_tells_people_covers_none_that_decides_and_is_covered_by_one_that_tells_the_same() {
    let looked = |rules| {
        let policy = Policy::new(rules);
        analyse(&config(), &policy, RippleTime(800_000_000)).unwrap()
    };
    let any = || Rule::new("any", Action::Allow);
    let dave = || tells("dave", 0, told(&["dave"], &[]));
    let found = looked(vec![any(), dave()]);
    assert_eq!((found.covered, found.gaps), (vec![], vec![]), "each changes something");
    let found = looked(vec![any(), dave(), tells("again", 10, told(&["dave"], &[]))]);
    assert_eq!(found.covered, [("again".to_owned(), Some("dave".to_owned()))]);
    let found = looked(vec![dave(), any(), Rule::new("two", two())]);
    assert_eq!(found.covered, [("any".to_owned(), Some("two".to_owned()))], "not by dave's");
    let found = looked(vec![dave(), up_to("small", 10, Action::Allow)]);
    assert!(
        !found.gaps.is_empty() && found.gaps.iter().all(|gap| gap.amount > amount(10 * XRP)),
        "{found:?}"
    );
    let found = looked(vec![dave(), Rule::new("never", Action::Deny)]);
    assert_eq!(found.covered, [], "who is told of a denial is told of something");
}

#[test]
fn a_replay_counts_it_as_no_other_outcome_and_says_that_it_differs() {
    let mut w = world(vec![Rule::new("any", Action::Allow)]);
    let p = w.propose("hot", 5);
    let history: Vec<Archived> = vec![Archived { proposal: w.proposal(p).clone(), escrow: None }];
    let rules = vec![Rule::new("any", Action::Allow), tells("dave", 0, told(&["dave"], &[]))];
    let replayed = replay(&w.config, &Policy::new(rules), &history, RippleTime(0));
    assert_eq!(replayed.sums.keys().copied().collect::<Vec<_>>(), [("allow", "allow")]);
    let [changed] = replayed.changed.as_slice() else { panic!("{replayed:?}") };
    assert_eq!((changed.would.as_str(), changed.stricter), ("any, dave", false));
}

#[test]
fn both_are_told_where_two_decisions_come_together() {
    let asks = |told| Obligations { told, ..Obligations::default() };
    let both = asks(Some(told(&["dave"], &[]))).and(&asks(Some(told(&["bob"], &[Role::Admin]))));
    assert_eq!(both.told, Some(told(&["bob", "dave"], &[Role::Admin])));
    assert_eq!(asks(None).and(&both), both);
    assert!(!both.is_stricter_than(&asks(None)), "nothing is asked for");
    assert_eq!(both.told.unwrap().words(), "bob, dave, whoever is admin are told");
    assert_eq!(told(&["bob"], &[]).words(), "bob is told");
    assert_eq!(Told::default().words(), "people are told");
}
