//! How long policy takes to decide, with a table and lists of the size that a large treasury has. One thread, wall time.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::sync::Arc;

use treasury_core::config::{AccountConfig, FeeConfig, Person, Role, Signing, TicketConfig, Tier, Timing};
use treasury_core::decide::decide;
use treasury_core::intent::Asker;
use treasury_core::list::List;
use treasury_core::policy::{
    Action, Approvers, Count, DestinationMatch, PaidFor, Per, Policy, Rolling, Rule, Times, Zone,
};
use treasury_core::prove::{Outcome, Query, prove};
use treasury_core::units::{AccountId, Weight};
use treasury_core::{State, Treasury};

use common::{NOW, account, draft, drops, measure, pay};

const RULES: u64 = 500;
const ENTRIES: u32 = 100_000;
const OPEN: u64 = 1_000;

/// A table in which every matcher is used, one in four by each rule.
fn table() -> Policy {
    let approvers = Approvers {
        weight: Weight(2),
        roles: BTreeSet::from([Role::Approver]),
        exclude_asker: true,
        ..Default::default()
    };
    let office = Times { zone: Arc::new(Zone::utc()), weekdays: None, from_minute: 540, until_minute: 1_020 };
    let list = |name: &str| Some(BTreeSet::from([name.to_owned()]));
    let rule = |number: u64| {
        let mut rule = Rule::new(format!("rule {number}"), Action::Approve(approvers.clone()));
        rule.amount_above = Some(drops(number * 1_000_000));
        match number % 8 {
            0 => rule.askers = Some(vec![Asker::Person("alice".to_owned())]),
            1 => rule.tiers = Some(BTreeSet::from([Tier::Hot])),
            2 => rule.destination = Some(DestinationMatch::New),
            3 => rule.listed = list("sanctions"),
            4 => rule.paid_for = Some(PaidFor { least_seconds: None, below_seconds: Some(86_400) }),
            5 => rule.during = Some(office.clone()),
            6 => {
                let period_seconds = if number % 16 == 6 { 86_400 } else { 3_600 };
                let per = if number.is_multiple_of(3) { Per::Destination } else { Per::Account };
                let amount_above = Some(drops(number * 1_000_000));
                rule.rolling = Some(Rolling { period_seconds, per, amount_above, amount_max: None });
            }
            _ => {
                let per = if number.is_multiple_of(3) { Per::Asker } else { Per::Destination };
                rule.count = Some(Count { period_seconds: 86_400, per, above: Some(5), max: None });
            }
        }
        rule
    };
    let entries = |from: u32, until: u32| (from..until).map(account).collect();
    Policy::new((0..RULES).map(rule).collect()).with_lists([
        List::new("sanctions", entries(0, ENTRIES / 2), None),
        List::new("exchanges", entries(ENTRIES / 2, ENTRIES), None),
    ])
}

fn treasury() -> Treasury {
    let hot = AccountConfig {
        name: "hot".into(),
        tier: Tier::Hot,
        signing: Signing::Multi,
        signers: None,
        settings: Default::default(),
    };
    let roles = BTreeSet::from([Role::Proposer]);
    let alice = Person { name: "alice".into(), signer: None, roles, drill_seconds: None };
    Treasury {
        network_id: None,
        accounts: BTreeMap::from([(AccountId([1; 20]), hot)]),
        people: BTreeMap::from([("alice".into(), alice)]),
        agents: BTreeSet::new(),
        runner: None,
        destinations: BTreeMap::new(),
        policy: table(),
        links: Vec::new(),
        schedules: Vec::new(),
        fees: FeeConfig::default(),
        tickets: TicketConfig { low_water: 0, target: 0 },
        timing: Timing::default(),
        severities: BTreeMap::new(),
        alarms: Default::default(),
        outlook: Default::default(),
        key_labels: Default::default(),
        screening: false,
        newcomers: Default::default(),
        new_escrows: Default::default(),
    }
}

/// A thousand proposals that may still be paid, each to somebody else.
fn state() -> State {
    let mut state = State::default();
    for number in 1..=OPEN {
        let intent = pay(u32::try_from(number).unwrap_or_default(), number * 1_000_000);
        draft(&mut state, number, AccountId([1; 20]), intent, &format!("person {}", number % 20));
    }
    state
}

fn main() {
    let (config, state) = (treasury(), state());
    let alice = Asker::Person("alice".to_owned());
    let hot = AccountId([1; 20]);
    println!("| figure | median | best | target |\n|---|---|---|---|");
    for (what, amount) in [("of which a few match", 20), ("of which half match", 10_000)] {
        measure(
            &format!("decision, {RULES} rules, {ENTRIES} entries of lists, {OPEN} open proposals, {what}"),
            "≤ 20 µs",
            5_000,
            |n| {
                let intent = pay(n * 31, amount * 1_000_000);
                black_box(decide(&config, &state, hot, &alice, &intent, NOW));
            },
        );
    }
    measure("whether that table can let something leave without people, no", "", 5, |_| {
        let query = Query { outcome: Outcome::Alone, ..Query::default() };
        let answer = prove(&config, &config.policy, NOW, &query);
        black_box(answer.is_ok_and(|witness| witness.is_none()));
    });
}
