//! What a proposal lacks of signatures, for people and for the gate.

use crate::model::config::{Signing, Treasury};
use crate::model::proposal::Proposal;
use crate::model::state::State;
use crate::model::wait::Wait;
use crate::rules::multisign;

/// What a proposal that people sign lacks of their signatures.
pub(crate) fn of(config: &Treasury, state: &State, proposal: &Proposal) -> Wait {
    let single =
        config.accounts.get(&proposal.account).is_some_and(|account| account.signing == Signing::Single);
    match (single, multisign::signer_list(state, &proposal.account)) {
        (true, _) => Wait::OwnKey,
        (false, None) => Wait::SignerList,
        (false, Some(list)) => {
            let tally = multisign::of_proposal(config, list, proposal);
            let asked = proposal.plan.iter().flat_map(|plan| &plan.approvers);
            let missing = asked.zip(&tally.demands).filter(|(_, demand)| demand.asks());
            let demands = missing.map(|(approvers, demand)| demand.words(approvers)).collect();
            Wait::Signatures(tally.weight, tally.quorum, demands)
        }
    }
}
