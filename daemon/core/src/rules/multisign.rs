//! Quorum: who may sign now, whether a signature holds, and the smallest set that suffices.

use std::collections::BTreeSet;

use xrpl_wire::{PublicKey, Signer, Transaction};

use crate::model::command::CommandError;
use crate::model::config::{Person, Treasury};
use crate::model::intent::Asker;
use crate::model::observe::SignerListView;
use crate::model::policy::{Action, Approvers};
use crate::model::proposal::{Approval, Plan};
use crate::model::signing::RungSignatures;
use crate::model::state::State;
use crate::model::units::{AccountId, Weight};

/// Whether the ledger lets this key sign for that signer account, as of the cursor.
///
/// An account that is not on the ledger signs with its master key; one that is, with its master key
/// unless that is disabled, or with its RegularKey.
///
/// # Errors
/// Says why not.
pub fn key_allowed(state: &State, signer: &AccountId, key: &PublicKey) -> Result<(), CommandError> {
    let view = state.accounts.get(signer).ok_or(CommandError::AccountNotSeen(*signer))?;
    let key_account = key.account_id();
    let is_master = key_account == *signer;
    let refuse = |problem| Err(CommandError::KeyNotAllowed { signer: *signer, problem });
    match view.root {
        None if is_master => Ok(()),
        None => refuse("the signer's account is not on the ledger, so only its master key may sign"),
        Some(root) if is_master && root.master_disabled() => refuse("its master key is disabled"),
        Some(_) if is_master => Ok(()),
        Some(root) if root.regular_key == Some(key_account) => Ok(()),
        Some(_) => refuse("it is neither the master key nor the RegularKey"),
    }
}

/// Checks an approval whole: listed signer, allowed key, and a signature over every rung.
///
/// # Errors
/// The first thing that is wrong. Nothing is changed by asking.
pub fn check(
    state: &State,
    account: &AccountId,
    plan: &Plan,
    given: &RungSignatures,
) -> Result<(), CommandError> {
    let list = signer_list(state, account).ok_or(CommandError::NotASigner(given.signer))?;
    if !list.entries.contains_key(&given.signer) {
        return Err(CommandError::NotASigner(given.signer));
    }
    key_allowed(state, &given.signer, &given.signing_pub_key)?;
    if given.signatures.len() != plan.rungs.len() || plan.rungs.is_empty() {
        return Err(CommandError::WrongRungCount { expected: plan.rungs.len(), got: given.signatures.len() });
    }
    for (rung, (blob, signature)) in plan.rungs.iter().zip(&given.signatures).enumerate() {
        let bad = CommandError::BadSignature { signer: given.signer, rung };
        let Ok(tx) = Transaction::decode(&blob.0) else { return Err(bad) };
        let signer = Signer {
            account: given.signer,
            public_key: given.signing_pub_key,
            signature: signature.0.clone(),
        };
        xrpl_wire::sign::verify_signer(&tx, &signer).map_err(|_| bad)?;
    }
    Ok(())
}

/// Whether an approval that was once good would still be taken by the ledger of the cursor.
///
/// # Errors
/// Why not.
pub fn still_good(state: &State, account: &AccountId, approval: &Approval) -> Result<(), CommandError> {
    let listed = signer_list(state, account).is_some_and(|list| list.entries.contains_key(&approval.signer));
    if !listed {
        return Err(CommandError::NotASigner(approval.signer));
    }
    key_allowed(state, &approval.signer, &approval.signing_pub_key)
}

/// The account's SignerList as of the cursor.
#[must_use]
pub fn signer_list<'a>(state: &'a State, account: &AccountId) -> Option<&'a SignerListView> {
    state.accounts.get(account).and_then(|view| view.signer_list.as_ref())
}

/// A signer who could be in the set: account, weight, and whether it counts for the rule's approvers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The signer account.
    pub account: AccountId,
    /// Its SignerWeight.
    pub weight: u16,
    /// Whether a person with one of the asked roles signs with it.
    pub approver: bool,
}

/// The smallest set of candidates whose weights reach the quorum and whose approvers' weights reach
/// `approver_weight`; `None` where all of them together do not.
///
/// Fewest signatures, because each one costs a reference fee. The answer depends on nothing but its
/// arguments: among equal weights the lower AccountID is taken.
#[must_use]
pub fn smallest_set(
    candidates: &[Candidate],
    quorum: Weight,
    approver_weight: Weight,
) -> Option<Vec<AccountId>> {
    let by_weight = |approver: bool| {
        let mut side: Vec<Candidate> =
            candidates.iter().filter(|candidate| candidate.approver == approver).copied().collect();
        side.sort_by(|a, b| b.weight.cmp(&a.weight).then(a.account.cmp(&b.account)));
        side
    };
    let approvers = by_weight(true);
    let others = by_weight(false);
    let mut best: Option<Vec<AccountId>> = None;
    // A smallest set takes, for some number of approvers, the heaviest ones, and then the heaviest of the
    // others; so trying every number of approvers finds one.
    for taken in 0..=approvers.len() {
        let chosen = approvers.iter().take(taken);
        let weight = chosen.clone().fold(Weight(0), |sum, candidate| sum.plus(candidate.weight));
        if weight < approver_weight {
            continue;
        }
        let mut set: Vec<AccountId> = chosen.map(|candidate| candidate.account).collect();
        let mut total = weight;
        for other in &others {
            if total >= quorum {
                break;
            }
            total = total.plus(other.weight);
            set.push(other.account);
        }
        if total >= quorum && best.as_ref().is_none_or(|known| set.len() < known.len()) {
            best = Some(set);
        }
    }
    best
}

/// How far the approvals of a proposal have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Sum of the weights of all approvals.
    pub weight: Weight,
    /// SignerQuorum of the account.
    pub quorum: Weight,
    /// Sum of the weights of approvals that count for the rule's approvers.
    pub approver_weight: Weight,
    /// What the rule asks of them.
    pub approver_quorum: Weight,
}

/// Counts the approvals of a proposal against the ledger's quorum and the rule's approvers. Who asked may be excluded
/// from the latter.
#[must_use]
pub fn tally<'a>(
    config: &Treasury,
    list: &SignerListView,
    approvers: Option<&Approvers>,
    asker: &Asker,
    approvals: impl Iterator<Item = &'a AccountId>,
) -> (Tally, Vec<Candidate>) {
    let counts = |person: &Person| {
        approvers.is_some_and(|asked| {
            let excluded =
                asked.exclude_asker && matches!(asker, Asker::Person(name) if *name == person.name);
            !excluded && !person.roles.is_disjoint(&asked.roles)
        })
    };
    let candidates: Vec<Candidate> = approvals
        .filter_map(|signer| {
            Some(Candidate {
                account: *signer,
                weight: *list.entries.get(signer)?,
                approver: config.person_of(signer).is_some_and(counts),
            })
        })
        .collect();
    let sum = |only_approvers: bool| {
        candidates
            .iter()
            .filter(|candidate| !only_approvers || candidate.approver)
            .fold(Weight(0), |sum, candidate| sum.plus(candidate.weight))
    };
    let tally = Tally {
        weight: sum(false),
        quorum: list.quorum,
        approver_weight: sum(true),
        approver_quorum: approvers.map_or(Weight(0), |asked| asked.weight),
    };
    (tally, candidates)
}

/// Those of the list who can sign what was decided like this: people, and the daemon's agents where policy lets them.
/// Nobody brings the signature of a listed account that is neither.
fn can_sign<'a>(
    config: &'a Treasury,
    list: &'a SignerListView,
    action: &Action,
) -> impl Iterator<Item = &'a AccountId> {
    let agents_sign = *action == Action::Allow;
    list.entries.keys().filter(move |signer| {
        config.person_of(signer).is_some() || (agents_sign && config.agents.contains(*signer))
    })
}

/// Whether the quorum can still be reached when these signers do not sign.
#[must_use]
pub fn reachable_without(
    config: &Treasury,
    list: &SignerListView,
    action: &Action,
    asker: &Asker,
    against: &BTreeSet<AccountId>,
) -> bool {
    let willing = can_sign(config, list, action).filter(|signer| !against.contains(*signer));
    let (tally, candidates) = tally(config, list, action.approvers(), asker, willing);
    smallest_set(&candidates, tally.quorum, tally.approver_quorum).is_some()
}

/// Whether the daemon's agents reach the quorum, where policy lets them sign.
#[must_use]
pub fn agents_suffice(config: &Treasury, list: &SignerListView, action: &Action) -> bool {
    let agents = list.entries.iter().filter(|(signer, _)| config.agents.contains(*signer));
    *action == Action::Allow && agents.fold(Weight(0), |sum, (_, weight)| sum.plus(*weight)) >= list.quorum
}

/// How many signatures a transaction of that list may come to need, whoever of those who can sign does so; all that
/// the list has where they cannot reach it.
#[must_use]
pub fn signatures_needed(config: &Treasury, list: &SignerListView, action: &Action, asker: &Asker) -> usize {
    let signers = can_sign(config, list, action);
    let (tally, candidates) = tally(config, list, action.approvers(), asker, signers);
    most_needed(&candidates, tally.quorum, tally.approver_quorum).unwrap_or(list.entries.len())
}

/// The size that a smallest set has at most, whichever of the candidates sign; `None` where all of them together
/// do not reach it.
///
/// Nobody can be left out of a smallest set. Either somebody in it is needed for the quorum, and then all others of it
/// stay below the quorum; or it consists of approvers, of whom all but one stay below what is asked of them. As many
/// as can stay below are the lightest.
#[must_use]
pub fn most_needed(candidates: &[Candidate], quorum: Weight, approver_weight: Weight) -> Option<usize> {
    smallest_set(candidates, quorum, approver_weight)?;
    let below = |only_approvers: bool, limit: Weight| {
        let counted = candidates.iter().filter(|candidate| !only_approvers || candidate.approver);
        let mut weights: Vec<u16> = counted.map(|candidate| candidate.weight).collect();
        weights.sort_unstable();
        let sums = weights.iter().scan(Weight(0), |sum, weight| {
            *sum = sum.plus(*weight);
            Some(*sum)
        });
        sums.take_while(|sum| *sum < limit).count()
    };
    let most = below(false, quorum).max(below(true, approver_weight)).saturating_add(1);
    Some(most.min(candidates.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn account(n: u8) -> AccountId {
        AccountId([n; 20])
    }

    #[test]
    fn the_set_is_the_smallest_and_honours_the_approvers() {
        let candidate = |n, weight, approver| Candidate { account: account(n), weight, approver };
        let all =
            [candidate(1, 1, true), candidate(2, 1, true), candidate(3, 3, false), candidate(4, 1, false)];
        for (quorum, approvers, set) in [
            (3, 0, Some(vec![3])),
            // As many signatures with an approver as without: the daemon's own do.
            (1, 0, Some(vec![3])),
            (3, 1, Some(vec![1, 3])),
            (4, 2, Some(vec![1, 2, 3])),
            (2, 2, Some(vec![1, 2])),
            (7, 0, None),
            (1, 3, None),
        ] {
            let expected = set.map(|set| set.into_iter().map(account).collect::<Vec<_>>());
            assert_eq!(
                smallest_set(&all, Weight(quorum), Weight(approvers)),
                expected,
                "{quorum}/{approvers}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_subset_is_smaller(
            weights in prop::collection::vec((1_u16..6, any::<bool>()), 0..9),
            quorum in 1_u32..20,
            approvers in 0_u32..8,
        ) {
            let candidates: Vec<Candidate> = weights
                .iter()
                .zip(1_u8..)
                .map(|((weight, approver), n)| Candidate { account: account(n), weight: *weight, approver: *approver })
                .collect();
            let suffices = |set: &[&Candidate]| {
                let total: u32 = set.iter().map(|c| u32::from(c.weight)).sum();
                let people: u32 = set.iter().filter(|c| c.approver).map(|c| u32::from(c.weight)).sum();
                total >= quorum && people >= approvers
            };
            let least = (0_u32..1 << candidates.len())
                .filter_map(|mask| {
                    let set: Vec<&Candidate> = candidates
                        .iter()
                        .enumerate()
                        .filter(|(i, _)| mask >> i & 1 == 1)
                        .map(|(_, c)| c)
                        .collect();
                    suffices(&set).then_some(set.len())
                })
                .min();
            let most = most_needed(&candidates, Weight(quorum), Weight(approvers));
            let sizes = (0_u32..1 << candidates.len()).filter_map(|mask| {
                let signed: Vec<Candidate> =
                    candidates.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, c)| *c).collect();
                Some(smallest_set(&signed, Weight(quorum), Weight(approvers))?.len())
            });
            let largest = sizes.max();
            prop_assert_eq!(most.is_some(), largest.is_some());
            prop_assert!(most >= largest, "{:?} signatures may be needed, {:?} are counted", largest, most);
            let found = smallest_set(&candidates, Weight(quorum), Weight(approvers));
            prop_assert_eq!(found.as_ref().map(Vec::len), least);
            if let Some(found) = found {
                let set: Vec<&Candidate> = candidates.iter().filter(|c| found.contains(&c.account)).collect();
                prop_assert!(suffices(&set));
            }
        }
    }
}
