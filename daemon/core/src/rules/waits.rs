//! Everything that a proposal waits for, for people: what is missing, and what the gate has against it.

use crate::model::config::{Signing, Treasury};
use crate::model::policy::Approvers;
use crate::model::proposal::{Proposal, Status};
use crate::model::state::State;
use crate::model::wait::Wait;
use crate::rules::gate::{self, Act};
use crate::rules::{multisign, sealing};

/// Everything a proposal waits for now, for people. Empty once it has ended.
#[must_use]
pub fn waits(config: &Treasury, state: &State, proposal: &Proposal) -> Vec<Wait> {
    let mut waits = match &proposal.status {
        Status::Drafted => sealing::make_plan(config, state, proposal).err().into_iter().collect(),
        Status::Assessed => vec![Wait::Condition],
        Status::Collecting => vec![missing(config, state, proposal)],
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

fn missing(config: &Treasury, state: &State, proposal: &Proposal) -> Wait {
    let single =
        config.accounts.get(&proposal.account).is_some_and(|account| account.signing == Signing::Single);
    match (single, multisign::signer_list(state, &proposal.account)) {
        (true, _) => Wait::OwnKey,
        (false, None) => Wait::SignerList,
        (false, Some(list)) => {
            let approvers: Option<&Approvers> =
                proposal.plan.as_ref().and_then(|plan| plan.approvers.as_ref());
            let (tally, _) = multisign::tally(config, list, approvers, proposal.approvals.keys());
            Wait::Signatures(tally.weight, tally.quorum, tally.approver_weight, tally.approver_quorum)
        }
    }
}
