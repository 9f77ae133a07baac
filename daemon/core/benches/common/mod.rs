//! What the measurements of the core have in common.

use std::time::{Duration, Instant};

use treasury_core::intent::{Asker, Intent, Pay};
use treasury_core::observe::LedgerPoint;
use treasury_core::policy::{Decision, DecisionInputs, Obligations};
use treasury_core::proposal::{Proposal, Status};
use treasury_core::units::{AccountId, Amount, Drops, Hash256, ProposalId, RippleTime};
use treasury_core::{Event, State};

pub(crate) const NOW: RippleTime = RippleTime(849_000_000);

pub(crate) fn account(number: u32) -> AccountId {
    let mut bytes = [0; 20];
    // Spread, as addresses are.
    for (place, byte) in bytes.iter_mut().zip(number.wrapping_mul(2_654_435_761).to_be_bytes()) {
        *place = byte;
    }
    AccountId(bytes)
}

pub(crate) fn drops(amount: u64) -> Amount {
    Amount::Xrp(Drops::new(amount).unwrap_or_default())
}

pub(crate) fn pay(to: u32, amount: u64) -> Intent {
    Intent::Pay(Pay { destination: account(to), destination_tag: None, amount: drops(amount) })
}

/// Puts a proposal into the state that may still pay.
pub(crate) fn draft(state: &mut State, number: u64, account: AccountId, intent: Intent, asker: &str) {
    let proposal = Proposal {
        id: ProposalId(number),
        account,
        intent,
        asker: Asker::Person(asker.to_owned()),
        origin: None,
        note: String::new(),
        deadline_seconds: 3_600,
        deadline_asked: None,
        idempotency_key: None,
        occurrence: None,
        inquiry: Default::default(),
        drafted: LedgerPoint { close_time: NOW, ..LedgerPoint::ZERO },
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
            shadow: None,
        },
        plan: None,
        approvals: Default::default(),
        kept_for_void: Default::default(),
        rejections: Default::default(),
        status: Status::Drafted,
    };
    let drafted = Event::ProposalDrafted { proposal: Box::new(proposal), idempotency_key: None };
    if let Err(error) = state.apply(&drafted) {
        println!("{error}");
    }
}

/// The median and the best of many runs, and what they are to be beside.
pub(crate) fn measure(what: &str, target: &str, runs: u32, mut run: impl FnMut(u32)) {
    let mut times: Vec<Duration> = (0..runs)
        .map(|number| {
            let began = Instant::now();
            run(number);
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("| {what} | {median:.1?} | {:.1?} | {target} |", times.first().copied().unwrap_or_default());
}
