//! The book of commitments: money that has been promised, is in flight, or has moved.
//!
//! Money enters it once, when a proposal is drafted or when the ledger shows that it left, and leaves it only by proof
//! that it cannot move any more, or when its time is past. Rolling sums and the planning of moves read this and
//! nothing else, at a cost that does not grow with history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::observe::{Change, LedgerObservation};
use crate::model::proposal::Proposal;
use crate::model::units::{AccountId, Drops, ProposalId, RippleTime};

/// How far back what has moved is remembered, in seconds: a leap year, longer than any window that a rule can have.
pub const WINDOW_MAX_SECONDS: u32 = 366 * 86_400;

/// Commitments, by account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// What may still leave an account.
    leaving: BTreeMap<AccountId, BTreeMap<ProposalId, Drops>>,
    /// What may still come to an account by proposals.
    coming: BTreeMap<AccountId, BTreeMap<ProposalId, Drops>>,
    /// What has left an account: the sum of all until then, by the close time of the ledger in which it left.
    moved: BTreeMap<AccountId, BTreeMap<RippleTime, u128>>,
    /// What tier links have moved, by their names, in the same way: it outlives the moves, and a link's absence from
    /// the configuration.
    by_link: BTreeMap<String, BTreeMap<RippleTime, u128>>,
}

impl Book {
    /// What open proposals, and signatures over those that ended, may still take out of the account; without this
    /// proposal's own part.
    #[must_use]
    pub fn leaving(&self, account: &AccountId, without: Option<ProposalId>) -> Drops {
        sum(self.leaving.get(account), without)
    }

    /// What they may still bring to the account.
    #[must_use]
    pub fn coming(&self, account: &AccountId) -> Drops {
        sum(self.coming.get(account), None)
    }

    /// What has left the account in ledgers that closed at `since` or later, whoever made it leave; fees aside.
    #[must_use]
    pub fn moved(&self, account: &AccountId, since: RippleTime) -> Drops {
        self.moved.get(account).map_or(Drops::ZERO, |moved| within(moved, since))
    }

    /// What the link has moved in ledgers that closed at `since` or later.
    #[must_use]
    pub fn moved_by(&self, link: &str, since: RippleTime) -> Drops {
        self.by_link.get(link).map_or(Drops::ZERO, |moved| within(moved, since))
    }

    /// Whether the proposal's money is in the book.
    #[must_use]
    pub fn holds(&self, proposal: &Proposal) -> bool {
        self.leaving.get(&proposal.account).is_some_and(|promised| promised.contains_key(&proposal.id))
    }

    pub(crate) fn promise(&mut self, proposal: &Proposal) {
        let Some(to) = proposal.intent.destination() else { return };
        let amount = proposal.intent.amount();
        self.leaving.entry(proposal.account).or_default().insert(proposal.id, amount);
        self.coming.entry(to).or_default().insert(proposal.id, amount);
    }

    /// Nothing of the proposal can move any more, or what could has moved and is counted as that.
    pub(crate) fn settle(&mut self, proposal: &Proposal) {
        remove(&mut self.leaving, &proposal.account, proposal.id);
        if let Some(to) = proposal.intent.destination() {
            remove(&mut self.coming, &to, proposal.id);
        }
    }

    /// Takes in what left accounts in a ledger. `balance` is what each had before it.
    pub(crate) fn take(
        &mut self,
        observation: &LedgerObservation,
        balance: impl Fn(&AccountId) -> Option<Drops>,
    ) {
        // Only what sends can lose money, fees aside.
        let mut lost: BTreeMap<AccountId, (u64, u64)> = BTreeMap::new();
        for tx in &observation.transactions {
            if let Some(had) = balance(&tx.account) {
                lost.entry(tx.account).or_insert((had.get(), 0));
            }
        }
        for change in &observation.changes {
            let Change::Root { account, root } = change else { continue };
            let Some((had, left)) = lost.get_mut(account) else { continue };
            let has = root.map_or(0, |root| root.balance.get());
            *left = left.saturating_add(had.saturating_sub(has));
            *had = has;
        }
        for tx in &observation.transactions {
            if let Some((_, left)) = lost.get_mut(&tx.account) {
                *left = left.saturating_sub(tx.fee.get());
            }
        }
        for (account, (_, left)) in lost.into_iter().filter(|(_, (_, left))| *left > 0) {
            self.left(account, observation.point.close_time, left);
        }
    }

    /// So much has left the account, as is seen now.
    pub(crate) fn left(&mut self, account: AccountId, at: RippleTime, drops: u64) {
        add(self.moved.entry(account).or_default(), at, drops);
    }

    /// So much has gone over the link.
    pub(crate) fn went(&mut self, link: &str, at: RippleTime, amount: Drops) {
        add(self.by_link.entry(link.to_owned()).or_default(), at, amount.get());
    }
}

fn add(moved: &mut BTreeMap<RippleTime, u128>, at: RippleTime, drops: u64) {
    let total = moved.values().next_back().copied().unwrap_or_default().saturating_add(u128::from(drops));
    moved.insert(at, total);
    // What is older than every window is needed only as the sum from which the newer ones go on.
    let oldest = RippleTime(at.0.saturating_sub(WINDOW_MAX_SECONDS));
    while moved.keys().nth(1).is_some_and(|second| *second < oldest) {
        moved.pop_first();
    }
}

fn within(moved: &BTreeMap<RippleTime, u128>, since: RippleTime) -> Drops {
    let total = moved.values().next_back().copied().unwrap_or_default();
    let before = moved.range(..since).next_back().map_or(0, |(_, total)| *total);
    let within = u64::try_from(total.saturating_sub(before)).ok().and_then(|within| Drops::new(within).ok());
    // More than there is: no limit allows for it.
    within.unwrap_or(Drops::MAX)
}

fn sum(promised: Option<&BTreeMap<ProposalId, Drops>>, without: Option<ProposalId>) -> Drops {
    let promised = promised.into_iter().flatten().filter(|(id, _)| Some(**id) != without);
    promised.fold(Drops::ZERO, |sum, (_, drops)| sum.checked_add(*drops).unwrap_or(Drops::MAX))
}

fn remove(book: &mut BTreeMap<AccountId, BTreeMap<ProposalId, Drops>>, account: &AccountId, id: ProposalId) {
    if let Some(promised) = book.get_mut(account) {
        promised.remove(&id);
        if promised.is_empty() {
            book.remove(account);
        }
    }
}
