//! What anomaly rules look at, and what a hold still stops.

use crate::model::config::Treasury;
use crate::model::intent::Intent;
use crate::model::observe::SignerListView;
use crate::model::proposal::{Proposal, Status};
use crate::model::state::{Guard, State};
use crate::model::units::{AccountId, ProposalId};

/// Whether a hold on this proposal still stops something: its submission, its being sent again, or its
/// escrow's release.
#[must_use]
pub fn can_be_held(state: &State, id: ProposalId) -> bool {
    let Some(proposal) = state.proposals.get(&id) else { return false };
    match &proposal.status {
        Status::Drafted | Status::Assessed | Status::Collecting | Status::Ready => true,
        // It may not have reached a server yet; then it is not sent again.
        Status::InFlight(_) => !reveals(state, proposal),
        Status::Validated(_) => proposal.release_inputs().is_some_and(|inputs| {
            state
                .escrows
                .get(&inputs.escrow)
                .is_some_and(|escrow| matches!(escrow.guard, Guard::Locked { .. }))
        }),
        _ => false,
    }
}

/// Whether a fulfillment left with it.
fn reveals(state: &State, proposal: &Proposal) -> bool {
    let Intent::FinishEscrow { escrow } = &proposal.intent else { return false };
    state.escrows.get(escrow).is_some_and(|tracked| !matches!(tracked.guard, Guard::Locked { .. }))
}

/// In words, how the account's SignerList differs from what is declared; `None` where it does not.
#[must_use]
pub fn drift(config: &Treasury, state: &State, account: &AccountId) -> Option<String> {
    let declared = config.accounts.get(account)?.signers.as_ref()?;
    let view = state.accounts.get(account)?;
    let Some(SignerListView { quorum, entries }) = &view.signer_list else {
        return Some("the account has no SignerList on the ledger".to_owned());
    };
    let mut words = Vec::new();
    if *quorum != declared.quorum {
        words.push(format!("SignerQuorum is {quorum}, declared {}", declared.quorum));
    }
    let name = |account: &AccountId| match config.name_of(account) {
        Some(name) => format!("{name} ({account})"),
        None => account.to_string(),
    };
    for (signer, weight) in entries {
        match declared.entries.get(signer) {
            None => words.push(format!("{} signs with weight {weight}, not declared", name(signer))),
            Some(should) if should != weight => {
                words.push(format!("{} has weight {weight}, declared {should}", name(signer)));
            }
            Some(_) => {}
        }
    }
    words.extend(
        declared
            .entries
            .keys()
            .filter(|signer| !entries.contains_key(*signer))
            .map(|signer| format!("{} is missing", name(signer))),
    );
    (!words.is_empty()).then(|| words.join("; "))
}
