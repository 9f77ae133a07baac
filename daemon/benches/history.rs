//! What a long past costs: what ended proposals take of the memory and of a start, and what recent payments take of a
//! decision of policy.
//!
//! `cargo bench -p treasuryd --bench history [-- NUMBER]`. The process starts itself again for each store, so that the
//! memory it reports is that of a daemon's machine alone.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement stops at what goes wrong")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use treasury_core::config::{AccountConfig, FeeConfig, Person, Role, Signing, TicketConfig, Tier, Timing};
use treasury_core::intent::{Asker, Intent, Origin, Pay};
use treasury_core::observe::{
    AccountSnapshot, Change, LedgerObservation, LedgerPoint, NetworkFees, RootView,
};
use treasury_core::policy::{Action, Decision, DecisionInputs, Obligations, Per, Policy, Rolling, Rule};
use treasury_core::proposal::{Proposal, Status};
use treasury_core::units::{AccountId, Amount, Drops, Hash256, LedgerIndex, ProposalId, RippleTime};
use treasury_core::{Event, State, Treasury, decide};
use treasuryd::engine::Machine;
use treasuryd::metrics::Metrics;
use treasuryd::store::{DiskStore, StoreBuilder};

/// Accounts that have proposed.
const ACCOUNTS: u64 = 50;

/// Rules of the policy: all of the account that asks, each with a sum to look at.
const RULES: u32 = 500;

/// Proposals of the account that are open when it asks.
const OPEN: u64 = 20;

const DAY: u32 = 86_400;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "fill", dir, proposals] => fill(Path::new(dir), proposals.parse().unwrap()),
        [_, "open", dir] => open(Path::new(dir)),
        _ => {
            let number = args.iter().find_map(|arg| arg.parse::<u32>().ok()).unwrap_or(1_000_000);
            println!("| figure | value | target |\n|---|---|---|");
            past(number);
            decisions(number);
        }
    }
}

fn run(args: &[&str]) -> Vec<u64> {
    let done = Command::new(std::env::current_exe().unwrap()).args(args).output().unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).unwrap();
    text.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

/// Memory and start with so many ended proposals, and with none.
fn past(proposals: u32) {
    let dir = tempfile::tempdir().unwrap();
    let opened = [0, proposals].map(|proposals| {
        let data = dir.path().join(proposals.to_string());
        let data = data.to_str().unwrap();
        run(&["fill", data, &proposals.to_string()]);
        // The second time, as after any start but the first.
        run(&["open", data]);
        run(&["open", data])
    });
    let [without, with] = &opened;
    println!(
        "| memory that {proposals} ended proposals take | {} MiB ({} and {} MiB in all) | ≤ 150 MiB |",
        (with[0] - without[0]) >> 10,
        with[0] >> 10,
        without[0] >> 10
    );
    println!("| start with them | {} ms ({} ms without) | ≤ 1 s |", with[1], without[1]);
}

fn fill(dir: &Path, proposals: u64) {
    let mut builder = StoreBuilder::begin_empty(dir).unwrap();
    builder.push(&[accounts_read()]).unwrap();
    common::add_ended(&mut builder, proposals, |id| draft(id, account(id % ACCOUNTS)));
    builder.install().unwrap();
}

/// Opens a store as a daemon does, and prints the resident KiB and the milliseconds.
fn open(dir: &Path) {
    let began = Instant::now();
    let store = Box::new(DiskStore::open(dir).unwrap());
    let metrics = Arc::new(Metrics::new().unwrap());
    let machine = Machine::open(Arc::new(treasury(Vec::new())), store, metrics).unwrap();
    let took = began.elapsed().as_millis();
    black_box(machine.state());
    println!("{} {took}", resident_kib());
}

/// A decision about a payment of an account from which many have gone of late.
fn decisions(payments: u32) {
    let state = busy(payments);
    for (what, periods) in [("six periods", 6), ("a period for each rule", RULES)] {
        let treasury = treasury(rules(periods));
        let intent = pay(7_000_000);
        let asker = Asker::Person("alice".to_owned());
        let mut took: Vec<Duration> = (0..2_000)
            .map(|_| {
                let began = Instant::now();
                let decision =
                    decide::decide(&treasury, &state, account(0), &asker, black_box(&intent), state.now());
                let took = began.elapsed();
                assert_eq!(decision.rules.len(), 5, "{:?}", decision.rules);
                took
            })
            .collect();
        took.sort_unstable();
        println!(
            "| decision by {RULES} rules, {what}, {payments} recent payments | {:.1?}, p99 {:.1?} | ≤ 20 µs |",
            took[took.len() / 2],
            took[took.len() * 99 / 100]
        );
    }
}

/// Rules that all look at a sum of the account's, of which five match.
fn rules(periods: u32) -> Vec<Rule> {
    let rule = |number: u32| Rule {
        askers: Some(vec![Asker::Person("alice".to_owned()), Asker::Person("bob".to_owned())]),
        accounts: Some(vec![account(1), account(0)]),
        amount_min: Some(Amount::Xrp(Drops::new(1_000_000).unwrap())),
        rolling: Some(Rolling {
            period_seconds: 3_600 + number % periods * (30 * DAY / periods),
            per: Per::Account,
            amount_above: (!number.is_multiple_of(100)).then_some(Amount::Xrp(Drops::MAX)),
            amount_max: None,
        }),
        ..Rule::new(format!("rule-{number}"), Action::Allow)
    };
    (0..RULES).map(rule).collect()
}

/// A state in which a payment left the account with each of so many ledgers, and some are under way.
fn busy(payments: u32) -> State {
    let mut state = State::default();
    state.apply(&accounts_read()).unwrap();
    for number in 1..=payments {
        let balance = Drops::new(90_000_000_000_000_000 - u64::from(number) * 1_000).unwrap();
        let root = Some(RootView { balance, ..root() });
        let observation = LedgerObservation {
            point: point(100 + number),
            parent_hash: point(99 + number).hash,
            fees: NetworkFees {
                base_fee: Drops::new(10).unwrap(),
                reserve_base: Drops::new(1_000_000).unwrap(),
                reserve_inc: Drops::new(200_000).unwrap(),
            },
            transactions: Vec::new(),
            changes: vec![Change::Root { account: account(0), root }],
            opaque: Vec::new(),
            unproven: false,
        };
        state.apply(&Event::LedgerTaken { observation, taken: None }).unwrap();
    }
    for id in 1..=OPEN {
        let proposal = Box::new(draft(id, account(0)));
        let idempotency_key = proposal.idempotency_key.clone();
        state.apply(&Event::ProposalDrafted { proposal, idempotency_key }).unwrap();
    }
    let asset = Amount::Xrp(Drops::ZERO).issue();
    let moved = state.book.moved(&account(0), asset, RippleTime(0));
    assert_eq!(moved, Amount::Xrp(Drops::new(u64::from(payments) * 1_000).unwrap()));
    state
}

fn pay(drops: u64) -> Intent {
    Intent::Pay(Pay {
        destination: account(1),
        destination_tag: None,
        amount: Amount::Xrp(Drops::new(drops).unwrap()),
    })
}

fn draft(id: u64, account: AccountId) -> Proposal {
    Proposal {
        id: ProposalId(id),
        account,
        intent: pay(1_000_000 + id),
        asker: Asker::Person("alice".to_owned()),
        origin: Some(Origin::Http),
        occurrence: None,
        inquiry: Default::default(),
        note: format!("invoice {id}"),
        deadline_seconds: DAY,
        deadline_asked: None,
        idempotency_key: Some(format!("invoice-{id}")),
        drafted: point(100),
        decision: Decision {
            rules: vec!["small".to_owned()],
            policy_hash: Hash256::ZERO,
            obligations: Obligations::default(),
            inputs: DecisionInputs {
                destination_known: true,
                outflows: Vec::new(),
                risk: None,
                at: point(100).close_time,
                declared: None,
            },
            shadow: None,
        },
        plan: None,
        approvals: BTreeMap::new(),
        kept_for_void: BTreeMap::new(),
        rejections: BTreeMap::new(),
        status: Status::Drafted,
    }
}

fn treasury(rules: Vec<Rule>) -> Treasury {
    let declared = |number| AccountConfig {
        name: format!("account-{number}"),
        tier: Tier::Warm,
        signing: Signing::Multi,
        signers: None,
        settings: Default::default(),
    };
    let alice = Person {
        name: "alice".into(),
        signer: None,
        roles: BTreeSet::from([Role::Proposer]),
        drill_seconds: None,
    };
    Treasury {
        network_id: None,
        accounts: (0..ACCOUNTS).map(|number| (account(number), declared(number))).collect(),
        people: BTreeMap::from([("alice".into(), alice)]),
        agents: BTreeSet::new(),
        runner: None,
        destinations: BTreeMap::new(),
        policy: Policy::new(rules),
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

fn accounts_read() -> Event {
    let read = |number| AccountSnapshot {
        account: account(number),
        root: Some(root()),
        signer_list: None,
        tickets: BTreeSet::from([10]),
        escrows: Vec::new(),
        trust_lines: None,
        settings: None,
    };
    Event::AccountsRead { at: point(100), accounts: (0..ACCOUNTS).map(read).collect(), taken: None }
}

fn root() -> RootView {
    let balance = Drops::new(90_000_000_000_000_000).unwrap();
    RootView { balance, sequence: 50, owner_count: 0, flags: 0, regular_key: None, transfer_rate: Some(0) }
}

fn account(number: u64) -> AccountId {
    AccountId(*xrpl_wire::sha512_half(&[&number.to_be_bytes()]).0.first_chunk().unwrap())
}

fn point(index: u32) -> LedgerPoint {
    let hash = xrpl_wire::sha512_half(&[&index.to_be_bytes(), &[1]]);
    LedgerPoint { index: LedgerIndex(index), hash, close_time: RippleTime(700_000_000 + index * 4) }
}

/// What the process holds, as Linux counts it.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse().expect("a number of kB")
}
