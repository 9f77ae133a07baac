//! Whether a table can let something happen, asked of every payment that it tells apart.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::world::{XRP, amount, config, id};
use proptest::prelude::*;
use treasury_core::Treasury;
use treasury_core::config::{Keeps, Role, Tier, TierLink};
use treasury_core::example::{Example, Recipient};
use treasury_core::intent::{Asker, IntentKind};
use treasury_core::list::List;
use treasury_core::matching::{matching, misses};
use treasury_core::policy::{
    Action, Approvers, Count, DestinationMatch, Obligations, PaidFor, Per, Policy, Rolling, Rule, Times,
    Weekday, Zone,
};
use treasury_core::prove::{Outcome, Query, each, prove};
use treasury_core::units::{Amount, Asset, Drops, RippleTime, Weight};

const NOW: RippleTime = RippleTime(800_000_000);

fn two() -> Action {
    Action::Approve(Approvers {
        weight: Weight(2),
        roles: BTreeSet::from([Role::Approver]),
        exclude_asker: true,
        ..Default::default()
    })
}

fn xrp(many: u64) -> Option<Amount> {
    Some(amount(many * XRP))
}

/// What the query finds in a table of these rules: the amount and the rules.
fn found(rules: Vec<Rule>, query: &Query) -> Option<(Amount, Vec<String>)> {
    let policy = Policy::new(rules);
    let witness = prove(&config(), &policy, NOW, query).unwrap()?;
    for rule in policy.rules() {
        let matches = misses(rule, &witness.example).is_empty();
        assert_eq!(matches, witness.rules.contains(&rule.name), "{witness:?}");
    }
    Some((witness.example.amount, witness.rules))
}

fn query(outcome: Outcome, above: Option<Amount>) -> Query {
    Query { outcome, above, ..Query::default() }
}

#[test]
fn an_allow_above_an_amount_to_a_new_destination_is_shown_or_ruled_out() {
    let small = Rule { amount_max: xrp(100), ..Rule::new("small", Action::Allow) };
    let known = Rule { destination: Some(DestinationMatch::Known), ..Rule::new("known", Action::Allow) };
    let wanted = |above| Query { destination: Some(DestinationMatch::New), ..query(Outcome::Alone, above) };
    let rules = vec![small, known.clone()];
    let (paid, names) = found(rules.clone(), &wanted(xrp(99))).unwrap();
    assert_eq!(
        (paid > amount(99 * XRP), paid <= amount(100 * XRP), names),
        (true, true, vec!["small".to_owned()])
    );
    assert_eq!(found(rules.clone(), &wanted(xrp(100))), None);
    assert!(found(rules, &query(Outcome::Alone, xrp(100))).is_some(), "to a known one");
    let asks = Rule { destination: Some(DestinationMatch::New), ..Rule::new("asks", two()) };
    assert_eq!(found(vec![known, Rule::new("any", Action::Allow), asks], &wanted(None)), None);
}

#[test]
fn a_demand_beyond_a_sum_leaves_nothing_but_what_is_below_it() {
    let above = |amount_above, amount_max| Rolling {
        period_seconds: 60,
        per: Per::Account,
        amount_above,
        amount_max,
    };
    let any = Rule::new("any", Action::Allow);
    let busy = Rule { rolling: Some(above(xrp(10), None)), ..Rule::new("busy", two()) };
    let rules = vec![any, busy];
    assert_eq!(found(rules.clone(), &query(Outcome::Alone, xrp(10))), None);
    assert!(found(rules.clone(), &query(Outcome::Alone, xrp(9))).is_some());
    assert!(found(rules, &query(Outcome::AtOnce, xrp(10))).is_some());
    // A longer period has no less in it than a shorter one.
    let minute = Rule { rolling: Some(above(xrp(10), None)), ..Rule::new("minute", Action::Allow) };
    let longer = Rolling { period_seconds: 120, ..above(None, xrp(10)) };
    let policy =
        Policy::new(vec![minute, Rule { rolling: Some(longer), ..Rule::new("two minutes", Action::Deny) }]);
    let mut seen = BTreeSet::new();
    each(&config(), &policy, NOW, &Query::default(), |set, _| {
        seen.insert((set.has(0), set.has(1)));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(seen, BTreeSet::from([(false, false), (true, false), (false, true)]));
}

#[test]
fn a_gap_between_bands_is_found_to_the_drop() {
    let low = Rule { amount_max: xrp(100), ..Rule::new("low", Action::Allow) };
    let touching = Rule { amount_above: xrp(100), ..Rule::new("high", two()) };
    let apart = Rule { amount_above: Some(amount(100 * XRP + 1)), ..touching.clone() };
    assert_eq!(found(vec![low.clone(), touching], &query(Outcome::Unmatched, None)), None);
    let gap = found(vec![low, apart], &query(Outcome::Unmatched, None)).unwrap();
    assert_eq!(gap, (amount(100 * XRP + 1), vec![]));
}

#[test]
fn moves_are_tried_along_their_links_and_no_further() {
    let mut config = config();
    let link = |most| TierLink {
        name: "warm to hot".to_owned(),
        from: id("warm"),
        to: id("hot"),
        asset: Asset::Xrp,
        keeps: Keeps::Filled { floor: amount(1), target: amount(2) },
        move_min: amount(1),
        source_floor: amount(0),
        move_max: amount(most),
        period_max: amount(most),
        period_seconds: 60,
        limits: Vec::new(),
        hours: None,
    };
    config.links = vec![link(50 * XRP)];
    let moves = Rule { kinds: Some(vec![IntentKind::Move]), ..Rule::new("moves", Action::Allow) };
    let policy = Policy::new(vec![moves]);
    let ask = |config: &Treasury, above, asker| {
        let query = Query { asker, ..query(Outcome::Alone, above) };
        prove(config, &policy, NOW, &query).unwrap()
    };
    let witness = ask(&config, xrp(49), None).unwrap();
    assert_eq!((witness.example.asker, witness.example.account), (Asker::Daemon, id("warm")));
    assert!(ask(&config, xrp(50), None).is_none());
    assert!(ask(&config, None, Some(Asker::Person("alice".to_owned()))).is_none());
    config.links.clear();
    assert!(ask(&config, None, None).is_none());
}

#[test]
fn who_may_not_propose_is_not_tried() {
    let by_bob =
        Rule { askers: Some(vec![Asker::Person("bob".to_owned())]), ..Rule::new("bob", Action::Allow) };
    assert_eq!(found(vec![by_bob.clone()], &query(Outcome::Alone, None)), None, "he has no such role");
    let by_alice = Rule { askers: Some(vec![Asker::Person("alice".to_owned())]), ..by_bob };
    assert!(found(vec![by_alice], &query(Outcome::Alone, None)).is_some());
}

#[test]
fn office_hours_of_a_year_with_both_changes_of_the_clocks_are_tried() {
    // An hour ahead of UTC, two from 2025-10-26 to 2026-03-29, as if winter were summer.
    let zone = Zone {
        name: "somewhere".to_owned(),
        ahead_seconds: 3_600,
        changes: vec![(RippleTime(814_842_000), 7_200), (RippleTime(828_147_600), 3_600)],
    };
    let office = |from_minute, until_minute, days: &[Weekday]| Times {
        zone: Arc::new(zone.clone()),
        weekdays: Some(days.iter().copied().collect()),
        from_minute,
        until_minute,
    };
    let utc = Times { zone: Arc::new(Zone::utc()), ..office(480, 481, &Weekday::ALL) };
    let open = Rule { during: Some(office(600, 601, &[Weekday::Sun])), ..Rule::new("open", Action::Allow) };
    let shut = Rule { outside: Some(utc.clone()), ..Rule::new("shut", Action::Deny) };
    // 10:00 there is 08:00 UTC only while clocks are two hours ahead.
    let witness = found(vec![open.clone(), shut], &query(Outcome::Alone, None)).unwrap();
    assert_eq!(witness.1, ["open"]);
    let never = Rule {
        outside: Some(Times { from_minute: 420, until_minute: 421, ..utc }),
        ..Rule::new("shut", Action::Deny)
    };
    assert_eq!(found(vec![open, never], &query(Outcome::Alone, None)), None);
}

#[test]
fn of_a_list_with_many_entries_one_stands_for_all() {
    let entries = |many: u8| (1..=many).map(|number| treasury_core::units::AccountId([number; 20])).collect();
    let bad = Rule { listed: Some(BTreeSet::from(["bad".to_owned()])), ..Rule::new("bad", Action::Deny) };
    let policy = Policy::new(vec![Rule::new("any", Action::Allow), bad])
        .with_lists([List::new("bad", entries(250), None), List::new("other", entries(5), None)]);
    let ask = |listed: &str, outcome| {
        let query = Query { listed: Some(listed.to_owned()), ..query(outcome, None) };
        prove(&config(), &policy, NOW, &query).unwrap()
    };
    assert!(ask("bad", Outcome::Leaves).is_none());
    assert!(ask("bad", Outcome::Denied).is_some());
    assert!(ask("nobody", Outcome::Denied).is_none());
}

/// Amounts of a few drops.
fn few() -> impl Strategy<Value = Option<Amount>> {
    prop::option::weighted(0.3, (1_u64..4).prop_map(amount))
}

fn actions() -> impl Strategy<Value = Action> {
    let people = Approvers {
        weight: Weight(1),
        roles: BTreeSet::from([Role::Approver]),
        exclude_asker: false,
        ..Default::default()
    };
    let delay = Action::Delay { delay_seconds: 5, window_seconds: 5, approvers: people };
    prop::sample::select(vec![Action::Allow, Action::Allow, two(), delay, Action::Deny])
}

prop_compose! {
    fn rolling()(
        period_seconds in prop::sample::select(vec![60_u32, 120]),
        amount_above in few(),
        amount_max in few(),
        per in prop::sample::select(vec![Per::Account, Per::Account, Per::Asker]),
    ) -> Option<Rolling> {
        let some = amount_above.is_some() || amount_max.is_some();
        some.then_some(Rolling { period_seconds, per, amount_above, amount_max })
    }
}

prop_compose! {
    fn rules()(
        action in actions(),
        asker in prop::option::weighted(0.2, prop::sample::select(vec!["alice", "bob"])),
        admin in prop::bool::weighted(0.2),
        tier in prop::option::weighted(0.2, prop::sample::select(vec![Tier::Warm, Tier::Hot])),
        destination in prop::option::weighted(0.3, prop::sample::select(vec![
            DestinationMatch::New,
            DestinationMatch::Known,
            DestinationMatch::Treasury,
            DestinationMatch::Accounts(vec![id("exchange")]),
        ])),
        listed in prop::bool::weighted(0.2),
        unlisted in prop::bool::weighted(0.2),
        paid_for in prop::option::weighted(0.2, (prop::option::of(1_u32..3), prop::option::of(1_u32..3))),
        bands in (few(), few(), few()),
        rolling in rolling(),
        count in prop::option::weighted(0.3, (prop::option::of(1_u32..3), prop::option::of(1_u32..3))),
    ) -> Rule {
        let list = |wanted: bool| wanted.then(|| BTreeSet::from(["list".to_owned()]));
        Rule {
            askers: asker.map(|asker| vec![Asker::Person(asker.to_owned())]),
            asker_roles: admin.then(|| BTreeSet::from([Role::Admin])),
            tiers: tier.map(|tier| BTreeSet::from([tier])),
            destination,
            listed: list(listed),
            unlisted: list(unlisted),
            paid_for: paid_for.map(|(least_seconds, below_seconds)| PaidFor { least_seconds, below_seconds }),
            amount_above: bands.0,
            amount_min: bands.1,
            amount_max: bands.2,
            rolling,
            count: count.map(|(above, max)| Count { period_seconds: 60, per: Per::Account, above, max }),
            ..Rule::new("", action)
        }
    }
}

/// Two people, two accounts, and one payment after the other.
fn every_payment(config: &Treasury, mut visit: impl FnMut(&Example)) {
    let recipient = |name: &str, own, known, listed: bool| Recipient {
        account: Some(id(name)),
        own,
        known,
        lists: listed.then(|| "list".to_owned()).into_iter().collect(),
    };
    let recipients = [
        recipient("hot", true, true, false),
        recipient("exchange", false, true, true),
        recipient("thief", false, false, true),
        Recipient::default(),
    ];
    for person in ["alice", "bob"] {
        for account in ["warm", "hot"] {
            let mut example = Example {
                asker: Asker::Person(person.to_owned()),
                roles: config.people[person].roles.clone(),
                account: id(account),
                tier: Some(config.accounts[&id(account)].tier),
                kind: IntentKind::Pay,
                recipient: Recipient::default(),
                paid_for: None,
                amount: amount(1),
                at: NOW,
                sums: BTreeMap::new(),
                counts: BTreeMap::new(),
                risk: 0,
            };
            for recipient in &recipients {
                example.recipient = recipient.clone();
                for paid_for in [None, Some(0), Some(1), Some(2)] {
                    example.paid_for = paid_for;
                    every_amount(&mut example, &mut visit);
                }
            }
        }
    }
}

fn every_amount(example: &mut Example, visit: &mut impl FnMut(&Example)) {
    for paid in 1..=4 {
        example.amount = amount(paid);
        for within in 0..=4 {
            for longer in within..=4 {
                for of_asker in [0, 1, 2, 3, 4] {
                    let sums = [(60, within), (120, longer)]
                        .map(|(period, left)| ((Per::Account, period), amount(left)));
                    // One period of who asks is enough: they are looked at apart.
                    let own = [60, 120].map(|period| ((Per::Asker, period), amount(of_asker)));
                    example.sums = sums.into_iter().chain(own).collect();
                    for others in 0..=2 {
                        example.counts = BTreeMap::from([((Per::Account, 60), others)]);
                        visit(example);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Of who asks, the longer period has as much as the shorter one in the payments that are tried one by one, so that
    /// there are fewer: what they show, the prover has to find. What it rules out, none of them may be.
    #[test]
    fn what_is_found_is_what_trying_every_payment_finds(
        mut rules in prop::collection::vec(rules(), 1..4),
        above in few(),
    ) {
        let mut config = config();
        config.accounts.remove(&id("cold"));
        config.destinations.insert(id("exchange"), "exchange".to_owned());
        config.people.get_mut("bob").unwrap().roles.extend([Role::Proposer, Role::Admin]);
        let asks_of_asker = |rule: &Rule| rule.rolling.is_some_and(|rolling| rolling.per == Per::Asker);
        let mut seen = BTreeSet::new();
        // Two periods of who asks would have to be tried in pairs.
        rules.retain(|rule| !asks_of_asker(rule) || seen.insert(rule.rolling.map(|rolling| rolling.per)));
        for (number, rule) in rules.iter_mut().enumerate() {
            rule.name = number.to_string();
        }
        let policy = Policy::new(rules).with_lists([List::new("list", vec![id("exchange"), id("thief")], None)]);
        let (mut outcomes, mut differ) = (BTreeSet::new(), false);
        every_payment(&config, |example| {
            if above.is_some_and(|above| example.amount <= above) {
                return;
            }
            let each = policy.rules().iter().filter(|rule| misses(rule, example).is_empty());
            let each: Vec<&Rule> = each.collect();
            // Asked by what many rules say alike, and rule by rule.
            let matching = matching(&policy, example);
            differ |= matching != each;
            let asked = Obligations::of(matching.iter().map(|rule| &rule.action));
            let some = !matching.is_empty();
            for (holds, word) in [
                (some && asked.agents_sign(), "allow"),
                (some && !asked.deny && asked.delay.is_none(), "at_once"),
                (some && !asked.deny, "leave"),
                (some && asked.deny, "deny"),
                (!some, "no_match"),
            ] {
                if holds {
                    outcomes.insert(word);
                }
            }
        });
        prop_assert!(!differ);
        for outcome in Outcome::ALL {
            let answer = prove(&config, &policy, NOW, &query(outcome, above)).unwrap();
            prop_assert_eq!(answer.is_some(), outcomes.contains(outcome.word()), "{:?}: {:?}", outcome, answer);
            if let Some(witness) = answer {
                for rule in policy.rules() {
                    let matches = misses(rule, &witness.example).is_empty();
                    prop_assert_eq!(matches, witness.rules.contains(&rule.name));
                }
                prop_assert!(above.is_none_or(|above| witness.example.amount > above));
                prop_assert!(witness.example.amount <= Amount::Xrp(Drops::MAX));
            }
        }
    }
}

#[test]
fn a_destination_that_nothing_names_and_each_of_a_list_is_looked_at() {
    let policy = Policy::new(vec![Rule::new("any", Action::Allow)]);
    let policy = policy.with_lists([List::new("l", vec![id("m1"), id("m2")], None)]);
    for name in ["mallory", "m1", "m2"] {
        let destination = Some(DestinationMatch::Accounts(vec![id(name)]));
        let asked = Query { destination, ..query(Outcome::Alone, None) };
        assert!(prove(&config(), &policy, NOW, &asked).unwrap().is_some(), "{name}");
    }
}
