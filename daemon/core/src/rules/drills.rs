//! Who has to show that they have their key.

use std::collections::BTreeMap;

use crate::model::config::{Person, Treasury};
use crate::model::drill::{Drill, Proof};
use crate::model::state::State;
use crate::model::units::AccountId;
use crate::rules::multisign::may_sign;

/// The people whose keys some account of the treasury needs, by their signers: those in a SignerList, on the ledger or as it
/// should be.
#[must_use]
pub fn signers<'a>(config: &'a Treasury, state: &State) -> BTreeMap<AccountId, &'a Person> {
    let people = config.people.values().filter_map(|person| Some((person.signer?, person)));
    people.filter(|(signer, _)| accounts_of(config, state, signer).next().is_some()).collect()
}

/// The accounts that this signer signs for.
pub fn accounts_of<'a>(
    config: &'a Treasury,
    state: &'a State,
    signer: &'a AccountId,
) -> impl Iterator<Item = AccountId> + 'a {
    let listed = move |account: &AccountId| {
        let view = state.accounts.get(account).and_then(|view| view.signer_list.as_ref());
        view.is_some_and(|list| list.entries.contains_key(signer))
    };
    let declared = move |(account, declared): (&'a AccountId, &'a crate::model::config::AccountConfig)| {
        let should = declared.signers.as_ref().is_some_and(|should| should.entries.contains_key(signer));
        (should || listed(account)).then_some(*account)
    };
    config.accounts.iter().filter_map(declared)
}

/// What the signer's key has signed last, where the ledger still lets that key sign.
#[must_use]
pub fn last<'a>(state: &'a State, signer: &AccountId) -> Option<&'a Proof> {
    let proof = state.proofs.get(signer)?;
    // Of an account that was not read nothing is known to have changed.
    let unknown = !state.accounts.contains_key(signer);
    (unknown || may_sign(state, signer, proof.key).is_ok()).then_some(proof)
}

/// Signers who have shown nothing for too long and are not asked yet.
#[must_use]
pub fn due(config: &Treasury, state: &State) -> Vec<AccountId> {
    let now = state.now();
    let is_due = |signer: &AccountId, person: &Person| {
        let Some(every) = person.drill_seconds.or(config.alarms.drills.every_seconds) else { return false };
        last(state, signer).is_none_or(|proof| proof.at.close_time.0.saturating_add(every) <= now.0)
    };
    let signers = signers(config, state).into_iter();
    let due = signers.filter(|(signer, person)| !state.drills.contains_key(signer) && is_due(signer, person));
    due.map(|(signer, _)| signer).collect()
}

/// Whether the drill should have been answered by now.
#[must_use]
pub fn is_overdue(config: &Treasury, state: &State, drill: &Drill) -> bool {
    drill.at.close_time.0.saturating_add(config.alarms.drills.answer_seconds) < state.now().0
}
