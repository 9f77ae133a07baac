//! Whether a configuration still has what is under way.

use std::collections::BTreeSet;

use crate::model::config::Treasury;
use crate::model::rule::Action;
use crate::model::state::{Guard, State};
use crate::model::units::AccountId;
use crate::rules::multisign;

/// What is under way and would be lost sight of with this configuration, in words: an account that is no longer
/// declared while something of it can still be applied, an escrow of the daemon's own that nobody would end. Empty:
/// nothing. What it names is to be waited for or ended with the configuration as it was. Stops need no configuration: the
/// gate asks for those on whatever an act touches, and anomaly rules set some on accounts that were never declared.
#[must_use]
pub fn left_behind(config: &Treasury, state: &State) -> Vec<String> {
    let known = |account: &AccountId| config.accounts.contains_key(account);
    let mut left = BTreeSet::new();
    let slots = state.slots.iter().map(|((account, _), id)| (account, id));
    let open = state.open.iter().filter_map(|id| Some((&state.proposals.get(id)?.account, id)));
    for (account, id) in slots.chain(open) {
        if !known(account) {
            left.insert(format!("{account} is not declared, and {id} of it is open or can still be applied"));
        }
        let proposal = state.proposals.get(id);
        let delayed = proposal.is_some_and(|proposal| proposal.decision.obligations.delay.is_some());
        if delayed && config.runner.is_none() {
            left.insert(format!("no runner is declared, and {id} makes an escrow, which only one can end"));
        }
    }
    let standing = state.standing.iter().filter_map(|key| Some((key, state.escrows.get(key)?)));
    let own = standing
        .filter(|(_, tracked)| matches!(tracked.guard, Guard::Locked { .. } | Guard::Releasing { .. }));
    for (key, _) in own {
        if !known(&key.owner) {
            left.insert(format!("{} is not declared, and escrow {key} of it stands", key.owner));
        } else if config.runner.is_none() {
            left.insert(format!("no runner is declared, and escrow {key} stands, which only one can end"));
        }
    }
    // Rules of the file are held against its runner when it is read; those in force may be others.
    let in_force = state.charter.active.iter().flat_map(|active| &active.table.rules);
    let delays = in_force.filter(|rule| matches!(rule.action, Action::Delay { .. }));
    if config.runner.is_none()
        && let Some(rule) = delays.into_iter().next()
    {
        left.insert(format!(
            "no runner is declared, and rule \"{}\" of the policy in force delays payments, which only one can release",
            rule.name
        ));
    }
    if let Some(terms) = state.charter.activation() {
        let count = multisign::count(terms, config.people.values());
        if count < terms.signatures {
            left.insert(format!(
                "another policy is put in force by {}, of whom {count} are declared: nobody could change it any more",
                terms.so_many()
            ));
        }
    }
    left.into_iter().collect()
}
