//! Quorum: who may sign now, whether a signature holds, and the smallest set that suffices.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use xrpl_wire::{PublicKey, Signer, Transaction};

use crate::model::command::CommandError;
use crate::model::config::{Person, Treasury};
use crate::model::intent::Asker;
use crate::model::observe::SignerListView;
use crate::model::policy::{Approvers, Obligations};
use crate::model::proposal::{Approval, Plan, Proposal};
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
    may_sign(state, signer, key.account_id())
}

/// The same of a key by the account that it is the master key of.
///
/// # Errors
/// Says why not.
pub fn may_sign(state: &State, signer: &AccountId, key_account: AccountId) -> Result<(), CommandError> {
    let view = state.accounts.get(signer).ok_or(CommandError::AccountNotSeen(*signer))?;
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
    let void = plan.void_rungs();
    if given.void_signatures.len() != void.len() {
        let got = given.void_signatures.len();
        return Err(CommandError::WrongVoidCount { expected: void.len(), got });
    }
    let pay = plan
        .rungs
        .iter()
        .zip(&given.signatures)
        .enumerate()
        .map(|(rung, signed)| (signed, CommandError::BadSignature { signer: given.signer, rung }));
    let void = void
        .iter()
        .zip(&given.void_signatures)
        .enumerate()
        .map(|(rung, signed)| (signed, CommandError::BadVoidSignature { signer: given.signer, rung }));
    for ((blob, signature), bad) in pay.chain(void) {
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

/// A signer who could be in the set.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    account: AccountId,
    weight: u16,
    /// Of each of policy's demands, whether it counts towards that.
    counts: Vec<bool>,
}

/// One of policy's demands: weight of people who count for it, and how many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The weight that has come.
    pub weight: Weight,
    /// The weight that is asked for.
    pub asked: Weight,
    /// The people who have come.
    pub people: u32,
    /// The people who are asked for.
    pub people_asked: u32,
}

impl Demand {
    /// How far they have come, in words.
    #[must_use]
    pub fn words(&self, approvers: &Approvers) -> String {
        let Self { weight, asked, people, people_asked } = self;
        let whose = match approvers.people.is_empty() {
            true => format!("of role {}", approvers.who()),
            false => format!("of {}", approvers.who()),
        };
        match (asked, people_asked) {
            (Weight(0), asked) => format!("{whose} {people} of {asked} signatures"),
            (asked, 0) => format!("{whose} {weight} of {asked}"),
            (asked, most) => format!("{whose} {weight} of {asked} and {people} of {most} signatures"),
        }
    }

    pub(crate) fn asks(&self) -> bool {
        self.asked > Weight(0) || self.people_asked > 0
    }

    fn is_met(&self) -> bool {
        self.weight >= self.asked && self.people >= self.people_asked
    }
}

/// How far signatures have come: towards the ledger's quorum, and towards each of policy's demands. Who asks whether they
/// suffice, how many are needed or which are taken asks this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Sum of the weights of all signers.
    pub weight: Weight,
    /// SignerQuorum of the account.
    pub quorum: Weight,
    /// Policy's demands, each.
    pub demands: Vec<Demand>,
    candidates: Vec<Candidate>,
}

/// Counts signers against the ledger's quorum and policy's demands. Who asked may be excluded from the latter.
#[must_use]
pub fn tally<'a>(
    config: &Treasury,
    list: &SignerListView,
    demanded: &[Approvers],
    asker: &Asker,
    signers: impl Iterator<Item = &'a AccountId>,
) -> Tally {
    let counts = |person: &Person, demand: &Approvers| {
        // Who asked under a name that is declared no more cannot be told from who signs under another.
        let may_have_asked = |name: &str| name == person.name || !config.people.contains_key(name);
        let excluded = demand.exclude_asker && matches!(asker, Asker::Person(name) if may_have_asked(name));
        !excluded && is_one_of(demand, person)
    };
    let candidates = signers.filter_map(|signer| {
        let person = config.person_of(signer);
        Some(Candidate {
            account: *signer,
            weight: *list.entries.get(signer)?,
            counts: demanded
                .iter()
                .map(|demand| person.is_some_and(|person| counts(person, demand)))
                .collect(),
        })
    });
    Tally::of(
        candidates.collect(),
        list.quorum,
        demanded.iter().map(|demand| (demand.weight, demand.signatures)),
    )
}

/// Whether this person's signature counts; whether the person asked is looked at elsewhere.
#[must_use]
pub fn is_one_of(demand: &Approvers, person: &Person) -> bool {
    let has_role = !person.roles.is_disjoint(&demand.roles);
    let is_named = demand.people.contains(&person.name);
    match (demand.roles.is_empty(), demand.people.is_empty()) {
        (true, _) => is_named,
        (false, true) => has_role,
        (false, false) => is_named && has_role,
    }
}

/// Who counts, by name.
#[must_use]
pub fn names(demand: &Approvers, config: &Treasury) -> Vec<String> {
    let counted = config.people.values().filter(|person| is_one_of(demand, person));
    counted.map(|person| person.name.clone()).collect()
}

/// How many of these people count.
#[must_use]
pub fn count<'a>(demand: &Approvers, people: impl IntoIterator<Item = &'a Person>) -> u32 {
    let counted = people.into_iter().filter(|person| is_one_of(demand, person));
    counted.fold(0, |count, _| count.saturating_add(1))
}

/// How far the approvals of a proposal have come.
#[must_use]
pub fn of_proposal(config: &Treasury, list: &SignerListView, proposal: &Proposal) -> Tally {
    let demanded = proposal.plan.as_ref().map_or(&[][..], |plan| &plan.approvers);
    tally(config, list, demanded, &proposal.asker, proposal.approvals.keys())
}

impl Tally {
    fn of(candidates: Vec<Candidate>, quorum: Weight, asked: impl Iterator<Item = (Weight, u32)>) -> Self {
        let weight = candidates.iter().fold(Weight(0), |sum, candidate| sum.plus(candidate.weight));
        let demands = asked.enumerate().map(|(number, (asked, people_asked))| {
            let counted = || candidates.iter().filter(|candidate| counts_for(candidate, number));
            Demand {
                weight: counted().fold(Weight(0), |sum, candidate| sum.plus(candidate.weight)),
                asked,
                people: counted().fold(0, |people, _| people.saturating_add(1)),
                people_asked,
            }
        });
        let demands = demands.collect();
        Self { weight, quorum, demands, candidates }
    }

    /// Whether they suffice.
    #[must_use]
    pub fn suffices(&self) -> bool {
        self.weight >= self.quorum && self.demands.iter().all(Demand::is_met)
    }

    /// The smallest set of them that suffices; `None` where all of them together do not.
    ///
    /// Fewest signatures, because each one costs a reference fee. The answer depends on nothing but who signed: among
    /// equal sizes the one with fewer people who count, among equal weights the lower AccountID.
    #[must_use]
    pub fn smallest_set(&self) -> Option<Vec<AccountId>> {
        if !self.suffices() {
            return None;
        }
        // Who counts for the same demands differs by weight alone: of each such group the heaviest are taken. Those who
        // count for nothing come last.
        let mut groups: BTreeMap<Reverse<Vec<bool>>, Vec<&Candidate>> = BTreeMap::new();
        for candidate in &self.candidates {
            groups.entry(Reverse(candidate.counts.clone())).or_default().push(candidate);
        }
        let mut groups: Vec<Vec<&Candidate>> = groups.into_values().collect();
        for group in &mut groups {
            group.sort_by(|a, b| b.weight.cmp(&a.weight).then(a.account.cmp(&b.account)));
        }
        let mut left = Needed { missing: vec![self.quorum.0] };
        left.missing.extend(self.demands.iter().flat_map(|demand| [demand.asked.0, demand.people_asked]));
        let mut levels: Vec<Level<'_>> = Vec::new();
        while !groups.is_empty() {
            levels.push(Level::of(&groups, left.missing.len()));
            groups.remove(0);
        }
        let mut best = None;
        choose(&levels, &left, &mut Vec::new(), &mut best);
        best
    }

    /// The size that a smallest set has at most, whichever of these signers sign; `None` where all of them together do not
    /// suffice.
    ///
    /// Nobody can be left out of a smallest set. Either somebody in it is needed for the quorum, and then all others of it
    /// stay below the quorum; or each is needed for one of the demands, and of those who are needed for the same one all
    /// but one stay below what is asked. As many as can stay below are the lightest.
    #[must_use]
    pub fn most_needed(&self) -> Option<usize> {
        if !self.suffices() {
            return None;
        }
        let below = |limit: u32, number: usize| {
            let mut brought: Vec<u16> = self
                .candidates
                .iter()
                .map(|candidate| brings(candidate, number))
                .filter(|one| *one > 0)
                .collect();
            brought.sort_unstable();
            let sums = brought.iter().scan(0_u32, |sum, one| {
                *sum = sum.saturating_add(u32::from(*one));
                Some(*sum)
            });
            sums.take_while(|sum| *sum < limit).count().saturating_add(1)
        };
        let for_quorum = below(self.quorum.0, 0);
        let asked = self.demands.iter().flat_map(|demand| [demand.asked.0, demand.people_asked]);
        // Nobody is needed for what is not asked.
        let for_demands = (1_usize..)
            .zip(asked)
            .filter(|(_, asked)| *asked > 0)
            .map(|(number, asked)| below(asked, number))
            .fold(0, usize::saturating_add);
        Some(for_quorum.max(for_demands).min(self.candidates.len()))
    }
}

fn counts_for(candidate: &Candidate, demand: usize) -> bool {
    candidate.counts.get(demand).copied().unwrap_or(false)
}

/// What is still missing: weight for the quorum, and for each demand weight and people.
#[derive(Clone)]
struct Needed {
    missing: Vec<u32>,
}

impl Needed {
    fn without(&self, candidate: &Candidate) -> Self {
        let missing = self.missing.iter().enumerate();
        let brings = |number| u32::from(brings(candidate, number));
        Self { missing: missing.map(|(number, missing)| missing.saturating_sub(brings(number))).collect() }
    }

    fn is_nothing(&self) -> bool {
        self.missing.iter().all(|missing| *missing == 0)
    }
}

/// What a candidate brings towards something that is missing. Everybody brings weight towards the quorum, which is the
/// first; then comes, for each demand, weight, and one of the people.
fn brings(candidate: &Candidate, number: usize) -> u16 {
    match number.checked_sub(1) {
        None => candidate.weight,
        Some(number) if !counts_for(candidate, number / 2) => 0,
        Some(number) if number % 2 == 0 => candidate.weight,
        Some(_) => 1,
    }
}

/// A group, and what it and those after it can bring.
struct Level<'a> {
    group: Vec<&'a Candidate>,
    /// Of each thing that is missing: what the heaviest bring, the heaviest two, three and so on.
    brings: Vec<Vec<u32>>,
}

impl<'a> Level<'a> {
    fn of(groups: &[Vec<&'a Candidate>], things: usize) -> Self {
        let sums = |number: usize| {
            let brought = groups.iter().flatten().map(|candidate| brings(candidate, number));
            let mut heaviest: Vec<u16> = brought.filter(|one| *one > 0).collect();
            heaviest.sort_unstable_by_key(|weight| Reverse(*weight));
            let sums = heaviest.into_iter().scan(0_u32, |sum, weight| {
                *sum = sum.saturating_add(u32::from(weight));
                Some(*sum)
            });
            sums.collect()
        };
        let group = groups.first().cloned().unwrap_or_default();
        Self { group, brings: (0..things).map(sums).collect() }
    }

    /// How many of these signers are needed at least; `None` where all of them do not suffice.
    fn least(&self, needed: &Needed) -> Option<usize> {
        let mut of_each = needed.missing.iter().zip(&self.brings).map(|(missing, sums)| match missing {
            0 => Some(0),
            missing => sums.iter().position(|sum| sum >= missing)?.checked_add(1),
        });
        of_each.try_fold(0, |most, least| Some(most.max(least?)))
    }
}

/// Tries every number of signers of each group, the heaviest of it first, and keeps the first of the smallest sets. What
/// can come to no smaller set is not tried.
fn choose(
    levels: &[Level<'_>],
    needed: &Needed,
    chosen: &mut Vec<AccountId>,
    best: &mut Option<Vec<AccountId>>,
) {
    let is_smaller = |size: usize| best.as_ref().is_none_or(|best| size < best.len());
    if needed.is_nothing() {
        if is_smaller(chosen.len()) {
            *best = Some(chosen.clone());
        }
        return;
    }
    let Some((level, others)) = levels.split_first() else { return };
    let least = level.least(needed).map(|least| chosen.len().saturating_add(least));
    if !least.is_some_and(is_smaller) {
        return;
    }
    let before = chosen.len();
    let mut needed = needed.clone();
    choose(others, &needed, chosen, best);
    for candidate in &level.group {
        needed = needed.without(candidate);
        chosen.push(candidate.account);
        choose(others, &needed, chosen, best);
    }
    chosen.truncate(before);
}

/// Those of the list who can sign what was decided like this: people, and the daemon's agents where policy lets them.
/// Nobody brings the signature of a listed account that is neither.
fn can_sign<'a>(
    config: &'a Treasury,
    list: &'a SignerListView,
    obligations: &Obligations,
) -> impl Iterator<Item = &'a AccountId> {
    let agents_sign = obligations.agents_sign();
    list.entries.keys().filter(move |signer| {
        config.person_of(signer).is_some() || (agents_sign && config.agents.contains(*signer))
    })
}

/// Whether the quorum can still be reached when these signers do not sign.
#[must_use]
pub fn reachable_without(
    config: &Treasury,
    list: &SignerListView,
    obligations: &Obligations,
    asker: &Asker,
    against: &BTreeSet<AccountId>,
) -> bool {
    let willing = can_sign(config, list, obligations).filter(|signer| !against.contains(*signer));
    tally(config, list, &obligations.approvals, asker, willing).suffices()
}

/// Whether the daemon's agents reach the quorum, where policy lets them sign.
#[must_use]
pub fn agents_suffice(config: &Treasury, list: &SignerListView, obligations: &Obligations) -> bool {
    let agents = list.entries.iter().filter(|(signer, _)| config.agents.contains(*signer));
    obligations.agents_sign() && agents.fold(Weight(0), |sum, (_, weight)| sum.plus(*weight)) >= list.quorum
}

/// How many signatures a transaction of that list may come to need, whoever of those who can sign does so; all that
/// the list has where they cannot reach it.
#[must_use]
pub fn signatures_needed(
    config: &Treasury,
    list: &SignerListView,
    obligations: &Obligations,
    asker: &Asker,
) -> usize {
    let signers = can_sign(config, list, obligations);
    let tally = tally(config, list, &obligations.approvals, asker, signers);
    tally.most_needed().unwrap_or(list.entries.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn account(n: u8) -> AccountId {
        AccountId([n; 20])
    }

    fn tally_of(signers: &[(u16, Vec<bool>)], quorum: u32, asked: &[u32]) -> Tally {
        let candidates = signers.iter().zip(1_u8..).map(|((weight, counts), n)| Candidate {
            account: account(n),
            weight: *weight,
            counts: counts.clone(),
        });
        Tally::of(candidates.collect(), Weight(quorum), asked.iter().map(|asked| (Weight(*asked), 0)))
    }

    fn counting(signers: &[(u16, Vec<bool>)], quorum: u32, asked: &[(u32, u32)]) -> Tally {
        let candidates = tally_of(signers, quorum, &[]).candidates;
        let asked = asked.iter().map(|(weight, people)| (Weight(*weight), *people));
        Tally::of(candidates, Weight(quorum), asked)
    }

    #[test]
    fn the_set_is_the_smallest_and_honours_the_approvers() {
        let all = [(1, vec![true]), (1, vec![true]), (3, vec![false]), (1, vec![false])];
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
            assert_eq!(tally_of(&all, quorum, &[approvers]).smallest_set(), expected, "{quorum}/{approvers}");
        }
    }

    #[test]
    fn people_are_counted_and_not_their_weights_where_people_are_asked_for() {
        let all = [(5, vec![true]), (1, vec![true]), (9, vec![false])];
        let set = |weight, people| counting(&all, 1, &[(weight, people)]).smallest_set();
        assert_eq!(set(0, 1), Some(vec![account(1)]));
        assert_eq!(set(0, 2), Some(vec![account(1), account(2)]), "two of them, though one weighs five");
        assert_eq!(set(0, 3), None, "the third does not count, however much it weighs");
        assert_eq!(set(6, 1), Some(vec![account(1), account(2)]), "weight is asked for besides");
        let demand = counting(&all, 1, &[(6, 3)]).demands[0];
        assert_eq!((demand.weight, demand.people, demand.people_asked), (Weight(6), 2, 3));
    }

    #[test]
    fn one_signature_can_satisfy_several_demands() {
        let both = [(1, vec![true, false]), (1, vec![false, true]), (1, vec![true, true])];
        assert_eq!(tally_of(&both, 1, &[1, 1]).smallest_set(), Some(vec![account(3)]));
        assert_eq!(tally_of(&both[..2], 1, &[1, 1]).smallest_set(), Some(vec![account(1), account(2)]));
        assert_eq!(tally_of(&both[..1], 1, &[1, 1]).smallest_set(), None);
    }

    #[test]
    fn a_full_list_of_signers_who_each_count_for_something_else_is_searched_at_once() {
        // As many sets as 32 bits can tell apart: whoever tried them all would not be done today.
        let counts = |n: u16| (0..5).map(|demand| n >> demand & 1 == 1).collect();
        let signers: Vec<(u16, Vec<bool>)> = (0..32).map(|n| (1 + n % 3, counts(n))).collect();
        for (quorum, asked, size) in [
            (0, [1; 5], 1),
            (40, [20; 5], 15),
            (40, [6, 7, 8, 9, 10], 15),
            (63, [1; 5], 32),
            (1, [31; 5], 30),
        ] {
            let set = tally_of(&signers, quorum, &asked).smallest_set();
            assert_eq!(set.map(|set| set.len()), Some(size), "{quorum} {asked:?}");
        }
    }

    proptest! {
        #[test]
        fn no_subset_is_smaller(
            signers in prop::collection::vec((1_u16..6, prop::collection::vec(any::<bool>(), 2)), 0..9),
            quorum in 1_u32..20,
            asked in prop::collection::vec((0_u32..8, 0_u32..4), 2),
        ) {
            let subsets = || (0_u32..1 << signers.len()).map(|mask| {
                let taken = signers.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1);
                taken.map(|(_, signer)| signer.clone()).collect::<Vec<_>>()
            });
            let suffices = |set: &[(u16, Vec<bool>)]| {
                let weights = |counted: &dyn Fn(&Vec<bool>) -> bool| -> Vec<u32> {
                    let counted = set.iter().filter(|(_, counts)| counted(counts));
                    counted.map(|(weight, _)| u32::from(*weight)).collect()
                };
                weights(&|_| true).iter().sum::<u32>() >= quorum
                    && (0..2).all(|demand| {
                        let (weight, people) = asked[demand];
                        let come = weights(&|counts| counts[demand]);
                        come.iter().sum::<u32>() >= weight && come.len() >= usize::try_from(people).unwrap()
                    })
            };
            let least = subsets().filter(|set| suffices(set)).map(|set| set.len()).min();
            let all = counting(&signers, quorum, &asked);
            let found = all.smallest_set();
            prop_assert_eq!(found.as_ref().map(Vec::len), least);
            prop_assert_eq!(all.suffices(), least.is_some());
            if let Some(found) = found {
                let chosen = signers.iter().zip(1_u8..).filter(|(_, n)| found.contains(&account(*n)));
                let set: Vec<_> = chosen.map(|(signer, _)| signer.clone()).collect();
                prop_assert!(suffices(&set));
            }
            let largest = subsets()
                .filter_map(|set| Some(counting(&set, quorum, &asked).smallest_set()?.len()))
                .max();
            let most = all.most_needed();
            prop_assert_eq!(most.is_some(), largest.is_some());
            prop_assert!(most >= largest, "{:?} signatures may be needed, {:?} are counted", largest, most);
        }
    }
}
