//! How long policy takes to decide, with a table and lists of the size that a large treasury has. One thread, wall time.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use treasury_core::config::{AccountConfig, FeeConfig, Person, Role, Signing, TicketConfig, Tier, Timing};
use treasury_core::decide::decide;
use treasury_core::intent::{Asker, Intent, Pay};
use treasury_core::list::List;
use treasury_core::observe::LedgerPoint;
use treasury_core::policy::{
    Action, Approvers, Count, Decision, DecisionInputs, DestinationMatch, Obligations, PaidFor, Per, Policy,
    Rolling, Rule, Times, Zone,
};
use treasury_core::proposal::{Proposal, Status};
use treasury_core::prove::{Outcome, Query, prove};
use treasury_core::units::{AccountId, Amount, Drops, Hash256, ProposalId, RippleTime, Weight};
use treasury_core::{Event, State, Treasury};

const RULES: u64 = 500;
const ENTRIES: u32 = 100_000;
const OPEN: u64 = 1_000;
const NOW: RippleTime = RippleTime(849_000_000);

fn account(number: u32) -> AccountId {
    let mut bytes = [0; 20];
    // Spread, as addresses are.
    for (place, byte) in bytes.iter_mut().zip(number.wrapping_mul(2_654_435_761).to_be_bytes()) {
        *place = byte;
    }
    AccountId(bytes)
}

fn drops(amount: u64) -> Amount {
    Amount::Xrp(Drops::new(amount).unwrap_or_default())
}

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
    let hot = AccountConfig { name: "hot".into(), tier: Tier::Hot, signing: Signing::Multi, signers: None };
    let roles = BTreeSet::from([Role::Proposer]);
    let alice = Person { name: "alice".into(), signer: None, roles };
    Treasury {
        network_id: None,
        accounts: BTreeMap::from([(AccountId([1; 20]), hot)]),
        people: BTreeMap::from([("alice".into(), alice)]),
        agents: BTreeSet::new(),
        runner: None,
        destinations: BTreeMap::new(),
        policy: table(),
        links: Vec::new(),
        fees: FeeConfig::default(),
        tickets: TicketConfig { low_water: 0, target: 0 },
        timing: Timing::default(),
        severities: BTreeMap::new(),
        alarms: Default::default(),
    }
}

/// A thousand proposals that may still be paid, each to somebody else.
fn state() -> State {
    let mut state = State::default();
    let at = LedgerPoint { close_time: NOW, ..LedgerPoint::ZERO };
    for number in 1..=OPEN {
        let proposal = Proposal {
            id: ProposalId(number),
            account: AccountId([1; 20]),
            intent: pay(u32::try_from(number).unwrap_or_default(), number),
            asker: Asker::Person(format!("person {}", number % 20)),
            origin: None,
            note: String::new(),
            deadline_seconds: 3_600,
            deadline_asked: None,
            idempotency_key: None,
            drafted: at,
            decision: Decision {
                rules: Vec::new(),
                policy_hash: Hash256::ZERO,
                obligations: Obligations::default(),
                inputs: DecisionInputs {
                    destination_known: true,
                    outflows: Vec::new(),
                    risk: None,
                    at: NOW,
                    declared: None,
                },
            },
            plan: None,
            approvals: BTreeMap::new(),
            kept_for_void: BTreeMap::new(),
            rejections: BTreeMap::new(),
            status: Status::Drafted,
        };
        let drafted = Event::ProposalDrafted { proposal: Box::new(proposal), idempotency_key: None };
        if let Err(error) = state.apply(&drafted) {
            println!("{error}");
        }
    }
    state
}

fn pay(to: u32, amount: u64) -> Intent {
    Intent::Pay(Pay { destination: account(to), destination_tag: None, amount: drops(amount * 1_000_000) })
}

/// The median and the best of many runs.
fn measure(what: &str, runs: u32, mut run: impl FnMut(u32)) {
    let mut times: Vec<Duration> = (0..runs)
        .map(|number| {
            let began = Instant::now();
            run(number);
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("| {what} | {median:.1?} | {:.1?} |", times.first().copied().unwrap_or_default());
}

fn main() {
    let (config, state) = (treasury(), state());
    let alice = Asker::Person("alice".to_owned());
    let hot = AccountId([1; 20]);
    println!("| figure | median | best |\n|---|---|---|");
    for (what, amount) in [("of which a few match", 20), ("of which half match", 10_000)] {
        measure(
            &format!("decision, {RULES} rules, {ENTRIES} entries of lists, {OPEN} open proposals, {what}"),
            5_000,
            |n| {
                let intent = pay(n * 31, amount);
                black_box(decide(&config, &state, hot, &alice, &intent, NOW));
            },
        );
    }
    measure("whether that table can let something leave without people, no", 5, |_| {
        let query = Query { outcome: Outcome::Alone, ..Query::default() };
        let answer = prove(&config, &config.policy, NOW, &query);
        black_box(answer.is_ok_and(|witness| witness.is_none()));
    });
}
