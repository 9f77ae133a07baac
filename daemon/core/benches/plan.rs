//! How long the planner takes over all links of a treasury of a thousand accounts: one cold, nine warm, and hot ones that
//! the warm ones fill, with ten thousand commitments: proposals that may still pay, and escrows that wait. One thread, wall
//! time; half as many of both beside it, because the cost is to grow with them and no quicker.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

use treasury_core::config::{AccountConfig, FeeConfig, Keeps, Signing, TicketConfig, Tier, TierLink, Timing};
use treasury_core::observe::{EscrowView, LedgerPoint, RootView};
use treasury_core::policy::{Action, Policy, Rule};
use treasury_core::state::{AccountView, Guard, Reached, TrackedEscrow};
use treasury_core::tiers::Planner;
use treasury_core::units::{Asset, Drops, EscrowKey, ProposalId};
use treasury_core::{State, Treasury};

use common::{NOW, account, draft, drops, measure, pay};

const WARM: u32 = 9;

/// From cold to each warm account, and from one of them to each hot one.
fn link(number: u32) -> TierLink {
    TierLink {
        name: format!("to {number}"),
        from: if number <= WARM { account(0) } else { account(1 + number % WARM) },
        to: account(number),
        asset: Asset::Xrp,
        keeps: Keeps::Filled { floor: drops(5_000_000), target: drops(9_000_000) },
        source_floor: drops(1_000_000),
        move_min: drops(1),
        move_max: drops(1_000_000_000),
        period_max: drops(1_000_000_000),
        period_seconds: 86_400,
        limits: Vec::new(),
        hours: None,
    }
}

fn treasury(accounts: u32) -> Treasury {
    let tier = |number| match number {
        0 => Tier::Cold,
        1..=WARM => Tier::Warm,
        _ => Tier::Hot,
    };
    let declared = |number: u32| {
        let name = format!("account {number}");
        (
            account(number),
            AccountConfig {
                name,
                tier: tier(number),
                signing: Signing::Multi,
                signers: None,
                settings: Default::default(),
            },
        )
    };
    Treasury {
        network_id: None,
        accounts: (0..accounts).map(declared).collect(),
        people: BTreeMap::new(),
        agents: BTreeSet::new(),
        runner: None,
        destinations: BTreeMap::new(),
        policy: Policy::new(vec![Rule::new("moves", Action::Allow)]),
        links: (1..accounts).map(link).collect(),
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

/// Half of the commitments are payments of the accounts in turn, half escrows that pay them.
fn state(accounts: u32, commitments: u32, balance: u64) -> State {
    let mut state = State::default();
    let at = LedgerPoint { close_time: NOW, ..LedgerPoint::ZERO };
    let root = RootView {
        balance: Drops::new(balance).unwrap_or_default(),
        sequence: 1,
        owner_count: 0,
        flags: 0,
        regular_key: None,
        transfer_rate: Some(0),
    };
    for number in 0..accounts {
        let view = AccountView { root: Some(root), ..AccountView::default() };
        state.accounts.insert(account(number), view);
    }
    for number in 1..=commitments / 2 {
        let payment = pay(1_000_000 + number, 10);
        draft(&mut state, u64::from(number), account(number % accounts), payment, "alice");
        let key = EscrowKey { owner: account(0), sequence: number };
        let destination = account(number % accounts);
        let view = EscrowView {
            key,
            destination,
            destination_tag: None,
            amount: Some(drops(10)),
            finish_after: Some(NOW),
            cancel_after: None,
            condition: None,
        };
        let guard = Guard::Locked { proposal: ProposalId(1), preparing: None };
        state.standing.insert(key);
        state.by_finish_after.insert((NOW, key));
        state.by_destination.insert((destination, key));
        state.escrows.insert(key, TrackedEscrow { view, seen: at, seen_at: NOW, guard });
    }
    state
}

fn main() {
    println!("| figure | median | best | target |\n|---|---|---|---|");
    let enough = 8_000_000;
    for (what, balance, scheduled) in [
        ("all within their bounds", enough, false),
        ("the same where schedules have asked for something", enough, true),
        ("all below their floors", 2_000_000, false),
    ] {
        for (accounts, commitments) in [(500, 5_000), (1_000, 10_000)] {
            let (config, mut state) = (treasury(accounts), state(accounts, commitments, balance));
            if scheduled {
                let reached = Reached { through: NOW, day: None, gone: false };
                state.scheduled.insert("a schedule".to_owned(), reached);
            }
            measure(
                &format!("plan of all links, {accounts} accounts, {commitments} commitments, {what}"),
                if accounts == 1_000 { "≤ 1 ms" } else { "" },
                200,
                |_| {
                    let planner = Planner::new(&config);
                    for link in &config.links {
                        black_box(planner.plan(&state, link, NOW));
                    }
                },
            );
        }
    }
}
