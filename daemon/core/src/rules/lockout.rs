//! Whose loss locks an account, and whose collusion spends it: the smallest sets of keys, people, vendors and places.
//!
//! By the SignerList on the ledger, and by what is declared of who has which key, made by whom and kept where. A vendor's fault or
//! a fire takes everything that has its label at once, so keys with one label count as one.

use std::collections::BTreeMap;

use crate::model::config::{KeyLabels, Treasury};
use crate::model::observe::SignerListView;
use crate::model::state::State;
use crate::model::units::AccountId;

/// Sets that are listed; there can be half a thousand million of one size.
pub const SETS_MAX: usize = 50;

/// What is lost, or colludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Single keys.
    Keys,
    /// Those who have keys. The daemon is one of them.
    People,
    /// Who made what the keys are in.
    Vendors,
    /// Where they are.
    Places,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Keys, Self::People, Self::Vendors, Self::Places];

    /// The word for lists.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::People => "people",
            Self::Vendors => "vendors",
            Self::Places => "places",
        }
    }
}

/// The smallest sets that suffice for something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Smallest {
    /// How many are in each; 0: none is needed.
    pub size: usize,
    /// The sets, each in the order of weights; at most [`SETS_MAX`].
    pub sets: Vec<Vec<String>>,
    /// Whether there are more of that size than are listed.
    pub cut: bool,
}

/// What it takes, by one kind of thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Of what the sets are.
    pub by: By,
    /// The smallest sets without which the others do not reach the SignerQuorum.
    pub locks: Smallest,
    /// The smallest sets that reach it by themselves; `None`: not even all together do.
    pub spends: Option<Smallest>,
}

/// What it takes to lock an account and to spend it; `None` where no SignerList of it is known. Signers whose keys the daemon
/// holds and that do not sign are lost already, and may be in other hands.
#[must_use]
pub fn needs(config: &Treasury, state: &State, account: &AccountId) -> Option<[Needs; 4]> {
    let list = state.accounts.get(account)?.signer_list.as_ref()?;
    Some(By::ALL.map(|by| {
        let groups = groups(config, list, by, |signer| !state.unable.contains_key(signer));
        let all: u64 = groups.iter().map(|group| group.1).fold(0, u64::saturating_add);
        let quorum = u64::from(list.quorum.0);
        let locks = match all.checked_sub(quorum) {
            None => Smallest { sets: vec![Vec::new()], ..Smallest::default() },
            // Without more than what is above the quorum it is out of reach; all together are always enough.
            Some(above) => smallest(&groups, above.saturating_add(1)).unwrap_or_default(),
        };
        // A key that does not sign here may sign where somebody else has it.
        let everybody = self::groups(config, list, by, |_| true);
        Needs { by, locks, spends: smallest(&everybody, quorum) }
    }))
}

/// Where the loss of a single one locks the account: of what, and which.
#[must_use]
pub fn one_loss_locks(config: &Treasury, state: &State, account: &AccountId) -> Vec<(By, Vec<String>)> {
    let needs = needs(config, state, account).into_iter().flatten();
    let single = needs.filter(|needs| needs.locks.size == 1);
    single.map(|needs| (needs.by, needs.locks.sets.into_iter().flatten().collect())).collect()
}

/// Names and weights of those who sign together, the heaviest first.
fn groups(
    config: &Treasury,
    list: &SignerListView,
    by: By,
    counts: impl Fn(&AccountId) -> bool,
) -> Vec<(String, u64)> {
    let mut weights: BTreeMap<String, u64> = BTreeMap::new();
    for (signer, weight) in list.entries.iter().filter(|(signer, _)| counts(signer)) {
        let sum = weights.entry(group(config, signer, by)).or_default();
        *sum = sum.saturating_add(u64::from(*weight));
    }
    let mut groups: Vec<(String, u64)> = weights.into_iter().collect();
    groups.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    groups
}

/// What a key counts with. One of which that is not declared counts by itself.
fn group(config: &Treasury, signer: &AccountId, by: By) -> String {
    let is_agent = config.agents.contains(signer);
    let labels = config.key_labels.get(signer);
    let said = |label: fn(&KeyLabels) -> &Option<String>| labels.and_then(|labels| label(labels).clone());
    let person = config.person_of(signer).map(|person| person.name.clone());
    let own = person.clone().unwrap_or_else(|| signer.to_string());
    match by {
        By::Keys => match (is_agent, person) {
            (true, _) | (false, None) => signer.to_string(),
            (false, Some(person)) => person,
        },
        By::People if is_agent => "treasuryd".to_owned(),
        By::People => own,
        By::Vendors if is_agent => {
            said(|labels| &labels.vendor).unwrap_or_else(|| "treasuryd's keystore".to_owned())
        }
        By::Places if is_agent => {
            said(|labels| &labels.place).unwrap_or_else(|| "treasuryd's host".to_owned())
        }
        By::Vendors => said(|labels| &labels.vendor).unwrap_or_else(|| format!("{own}'s, not declared")),
        By::Places => said(|labels| &labels.place).unwrap_or_else(|| format!("{own}'s, not declared")),
    }
}

/// The smallest sets of them that weigh so much together; `None`: all together do not.
///
/// The heaviest make the size: nothing smaller can weigh more. Then every set of that size is looked for, and a way is left as
/// soon as the heaviest that are left do not suffice for it, so none is gone in vain and the work is that of writing the sets down.
fn smallest(groups: &[(String, u64)], needed: u64) -> Option<Smallest> {
    let mut sum = 0_u64;
    let size = if needed == 0 {
        0
    } else {
        1 + groups.iter().position(|(_, weight)| {
            sum = sum.saturating_add(*weight);
            sum >= needed
        })?
    };
    let mut found = Smallest { size, ..Smallest::default() };
    extend(groups, needed, 0, &mut Vec::with_capacity(size), &mut found);
    Some(found)
}

fn extend(groups: &[(String, u64)], needed: u64, from: usize, chosen: &mut Vec<usize>, found: &mut Smallest) {
    if chosen.len() == found.size {
        match found.sets.len() < SETS_MAX {
            true => found.sets.push(
                chosen.iter().filter_map(|place| groups.get(*place)).map(|(name, _)| name.clone()).collect(),
            ),
            false => found.cut = true,
        }
        return;
    }
    let missing = found.size - chosen.len();
    for place in from..groups.len() {
        let heaviest = groups.iter().skip(place).take(missing);
        if found.cut || heaviest.clone().count() < missing {
            return;
        }
        let best = heaviest.map(|(_, weight)| *weight).fold(0, u64::saturating_add);
        // Those behind it are lighter still.
        if best < needed {
            return;
        }
        let weight = groups.get(place).map_or(0, |(_, weight)| *weight);
        chosen.push(place);
        extend(groups, needed.saturating_sub(weight), place + 1, chosen, found);
        chosen.pop();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn groups_of(weights: &[u64]) -> Vec<(String, u64)> {
        let mut groups: Vec<(String, u64)> =
            weights.iter().enumerate().map(|(n, weight)| (format!("g{n:02}"), *weight)).collect();
        groups.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        groups
    }

    /// Every subset, one after the other.
    fn tried(groups: &[(String, u64)], needed: u64) -> Option<(usize, Vec<Vec<String>>)> {
        let subsets = (0_u32..1 << groups.len()).map(|bits| {
            let within = groups.iter().enumerate().filter(move |(n, _)| bits & (1 << n) != 0);
            within.map(|(_, group)| group.clone()).collect::<Vec<_>>()
        });
        let enough: Vec<Vec<(String, u64)>> =
            subsets.filter(|set| set.iter().map(|group| group.1).sum::<u64>() >= needed).collect();
        let size = enough.iter().map(Vec::len).min()?;
        let least = enough.into_iter().filter(|set| set.len() == size);
        let mut sets: Vec<Vec<String>> =
            least.map(|set| set.into_iter().map(|group| group.0).collect()).collect();
        sets.sort();
        Some((size, sets))
    }

    #[test]
    fn of_thirty_two_alike_the_size_is_exact_and_the_list_is_cut_and_says_so() {
        let found = smallest(&groups_of(&[1; 32]), 16).unwrap();
        assert_eq!((found.size, found.sets.len(), found.cut), (16, SETS_MAX, true));
        assert_eq!(smallest(&groups_of(&[1; 32]), 33), None);
        let all = smallest(&groups_of(&[1; 32]), 32).unwrap();
        assert_eq!((all.size, all.sets.len(), all.cut), (32, 1, false));
        let none = smallest(&[], 0).unwrap();
        assert_eq!((none.size, none.sets), (0, vec![Vec::<String>::new()]));
    }

    proptest! {
        /// Whoever tries every subset comes to the same sets.
        #[test]
        fn the_smallest_sets_are_those_that_trying_every_subset_finds(
            weights in prop::collection::vec(0..9_u64, 0..11),
            needed in 0..60_u64,
        ) {
            let groups = groups_of(&weights);
            let found = smallest(&groups, needed);
            let expected = tried(&groups, needed);
            prop_assert_eq!(found.as_ref().map(|found| found.size), expected.as_ref().map(|found| found.0));
            if let (Some(found), Some((_, expected))) = (found, expected) {
                let mut sets = found.sets.clone();
                sets.iter_mut().for_each(|set| set.sort());
                sets.sort();
                let mut expected = expected;
                expected.iter_mut().for_each(|set| set.sort());
                expected.sort();
                if found.cut {
                    prop_assert!(expected.len() > SETS_MAX && sets.iter().all(|set| expected.contains(set)));
                } else {
                    prop_assert_eq!(sets, expected);
                }
            }
        }
    }
}
