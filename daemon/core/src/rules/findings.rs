//! What anomaly rules look at, and what a hold still stops.

use crate::model::config::Treasury;
use crate::model::observe::SignerListView;
use crate::model::proposal::{Proposal, Status};
use crate::model::signing::Purpose;
use crate::model::state::{Guard, State, TrackedEscrow};
use crate::model::units::AccountId;
use crate::rules::escrow::{Phase, is_revealed, phase};

/// Whether a hold on this proposal still stops something: its submission, its being sent again, or its
/// escrow's release.
#[must_use]
pub fn can_be_held(state: &State, proposal: &Proposal) -> bool {
    // An attempt to end an escrow is one of many: what counts is what has become of the escrow.
    if let Some(escrow) = proposal.intent.ended_escrow() {
        return state.escrows.get(&escrow).is_some_and(|tracked| can_be_withheld(state, tracked));
    }
    match &proposal.status {
        Status::Drafted | Status::Assessed | Status::Collecting | Status::Ready => true,
        // It may not have reached a server yet; then it is not sent again. Its void is never stopped.
        Status::InFlight(submission) => submission.purpose == Purpose::Pay,
        Status::Validated(_) => proposal.release_inputs().is_some_and(|inputs| {
            state.escrows.get(&inputs.escrow).is_some_and(|tracked| can_be_withheld(state, tracked))
        }),
        _ => false,
    }
}

/// Whether the escrow's fulfillment can still be held back, and holding it back changes where the money goes.
#[must_use]
pub fn can_be_withheld(state: &State, tracked: &TrackedEscrow) -> bool {
    match tracked.guard {
        Guard::Locked { .. } => phase(state, tracked) != Phase::Over,
        Guard::Releasing { .. } => !is_revealed(state, tracked),
        _ => false,
    }
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
