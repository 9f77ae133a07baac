//! Everything that a proposal waits for, for people: what is missing, and what the gate has against it.

use crate::model::config::{Signing, Treasury};
use crate::model::proposal::{Proposal, Status};
use crate::model::signing::GuardRefusal;
use crate::model::state::State;
use crate::model::units::{AccountId, ProposalId};
use crate::model::wait::Wait;
use crate::rules::gate::{self, Act};
use crate::rules::{lacking, multisign, sealing};

/// Everything a proposal waits for now, for people. Empty once it has ended.
#[must_use]
pub fn waits(config: &Treasury, state: &State, proposal: &Proposal) -> Vec<Wait> {
    let mut waits = match &proposal.status {
        Status::Drafted => sealing::make_plan(config, state, proposal).err().into_iter().collect(),
        Status::Assessed => std::iter::once(Wait::Condition).chain(guard(state, proposal.id)).collect(),
        Status::Collecting => {
            let mut waits = vec![lacking::of(config, state, proposal)];
            waits.extend(unable(config, state, proposal));
            waits.extend(guarded(state, proposal));
            waits
        }
        Status::InFlight(_) => vec![Wait::Ledger],
        Status::Ready => Vec::new(),
        _ => return Vec::new(),
    };
    for against in gate::may_leave(config, state, Act::of(proposal)) {
        if !waits.contains(&against) {
            waits.push(against);
        }
    }
    waits
}

/// What the guard said against the escrow that this proposal makes or made, when it was asked last.
#[must_use]
pub fn guard(state: &State, maker: ProposalId) -> Option<Wait> {
    let GuardRefusal { code, reason, answered } = state.guard_refusals.get(&maker)?.clone();
    Some(if answered { Wait::GuardRefuses(code, reason) } else { Wait::GuardSilent(reason) })
}

/// The same of the escrow that this proposal would release.
fn guarded(state: &State, proposal: &Proposal) -> Option<Wait> {
    let escrow = state.escrows.get(&proposal.intent.released_escrow()?)?;
    guard(state, escrow.guard.proposal()?)
}

/// The daemon's own signers that the proposal is for and that do not sign.
fn unable(config: &Treasury, state: &State, proposal: &Proposal) -> Vec<Wait> {
    let single =
        config.accounts.get(&proposal.account).is_some_and(|account| account.signing == Signing::Single);
    let asked: Vec<AccountId> = match (single, multisign::signer_list(state, &proposal.account)) {
        (true, _) => vec![proposal.account],
        (false, Some(list)) if proposal.decision.obligations.agents_sign() => config
            .agents
            .iter()
            .filter(|agent| list.entries.contains_key(*agent) && !proposal.approvals.contains_key(*agent))
            .copied()
            .collect(),
        (false, _) => Vec::new(),
    };
    let reason = |signer: AccountId| Some(Wait::Signer(signer, state.unable.get(&signer)?.clone()));
    asked.into_iter().filter_map(reason).collect()
}
