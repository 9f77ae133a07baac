//! What proposals have paid and may still pay, by whom, to whom and of what: the sums and counts of a rule that are not
//! an account's outflow, and since when a destination has been paid.
//!
//! What others take out of an account is in the book of commitments and not here: nobody asked for
//! it, and it has no destination that a rule could name.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::model::intent::Movement;
use crate::model::matchers::Per;
use crate::model::moved::{Moved, grow, grown};
use crate::model::promises::Promises;
use crate::model::proposal::Proposal;
use crate::model::units::{AccountId, Amount, Asset, ProposalId, RippleTime};

/// Destinations that are remembered. At 250 new ones every day it takes a year to come to so many, and then those who
/// have not been paid for longest are forgotten: they count as never paid, of which rules ask for more.
pub const DESTINATIONS_MAX: usize = 100_000;

/// The last payments of one asset of an account that are remembered one by one, to know what is usual.
pub const RECENT_MAX: usize = 100;

/// Whose payments a sum or a count is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose<'a> {
    /// Those of an account.
    Account(AccountId),
    /// Those to a destination.
    Destination(AccountId),
    /// Those that somebody asked for, by the name.
    Asker(&'a str),
    /// Those of every account, moves along links aside.
    Asset(Asset),
}

impl Whose<'_> {
    /// By what it tells payments apart.
    #[must_use]
    pub fn per(&self) -> Per {
        match self {
            Self::Account(_) => Per::Account,
            Self::Destination(_) => Per::Destination,
            Self::Asker(_) => Per::Asker,
            Self::Asset(_) => Per::Asset,
        }
    }
}

/// Payments, by each of what a rule can ask about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payments {
    accounts: BTreeMap<AccountId, Flow>,
    destinations: BTreeMap<AccountId, Recipient>,
    /// By the asker's name, as lists show it; nobody can have the daemon's.
    askers: BTreeMap<String, Flow>,
    assets: BTreeMap<Asset, Flow>,
    /// What accounts have paid last of each asset, moves along links aside; the newest at the end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    recent: BTreeMap<AccountId, BTreeMap<Asset, VecDeque<Amount>>>,
}

/// Payments of one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Flow {
    /// What may still be paid.
    open: Promises,
    /// What was paid.
    sums: BTreeMap<Asset, Moved>,
    /// How many payments there were until then, in all.
    counts: BTreeMap<RippleTime, u128>,
}

/// A destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipient {
    /// When money of a proposal came to it first, in a validated ledger.
    first: Option<RippleTime>,
    flow: Flow,
}

impl Payments {
    /// How much of an asset was paid in ledgers that closed at `since` or later, and may still be paid; without this
    /// proposal's own part.
    #[must_use]
    pub fn sum(
        &self,
        whose: Whose<'_>,
        asset: Asset,
        since: RippleTime,
        without: Option<ProposalId>,
    ) -> Amount {
        let Some(flow) = self.flow(whose) else { return asset.nothing() };
        let open = flow.open.sum(asset, without);
        let paid = flow.sums.get(&asset).map_or(asset.nothing(), |paid| paid.within(asset, since));
        open.checked_add(&paid).unwrap_or(asset.most())
    }

    /// How many payments there were in ledgers that closed at `since` or later, and how many there may still be; without
    /// this proposal.
    #[must_use]
    pub fn count(&self, whose: Whose<'_>, since: RippleTime, without: Option<ProposalId>) -> u32 {
        let Some(flow) = self.flow(whose) else { return 0 };
        let own = without.is_some_and(|id| flow.open.has(id));
        let open = u64::try_from(flow.open.len()).unwrap_or(u64::MAX).saturating_sub(u64::from(own));
        let paid = grown(&flow.counts, since).unwrap_or(u64::MAX);
        u32::try_from(open.saturating_add(paid)).unwrap_or(u32::MAX)
    }

    /// When money of a proposal came to the destination first, as far as is remembered.
    #[must_use]
    pub fn first_paid(&self, destination: &AccountId) -> Option<RippleTime> {
        self.destinations.get(destination)?.first
    }

    /// What the account has paid last of an asset, moves along links aside; at most [`RECENT_MAX`].
    pub fn recent(&self, account: &AccountId, asset: Asset) -> impl Iterator<Item = Amount> {
        self.recent.get(account).and_then(|of| of.get(&asset)).into_iter().flatten().copied()
    }

    /// Whether anything was paid that this person, or the daemon, asked for, within what is remembered.
    #[must_use]
    pub fn has_paid(&self, asker: &str) -> bool {
        self.askers.get(asker).is_some_and(|flow| !flow.counts.is_empty())
    }

    pub(crate) fn promise(&mut self, proposal: &Proposal) {
        self.of_each(proposal, |flow, amount| {
            flow.open.insert(proposal.id, amount);
        });
    }

    /// Nothing of the proposal can be paid any more, or what could was paid.
    pub(crate) fn settle(&mut self, proposal: &Proposal) {
        self.of_each(proposal, |flow, _| {
            flow.open.remove(proposal.id);
        });
        self.forget_empty(proposal);
    }

    /// The proposal's transaction is in a validated ledger that closed then. Where it made an escrow, the money has left
    /// and not come to anybody.
    pub(crate) fn paid(&mut self, proposal: &Proposal, at: RippleTime) {
        self.of_each(proposal, |flow, amount| {
            let asset = amount.issue();
            flow.open.remove(proposal.id);
            flow.sums.entry(asset).or_insert_with(|| Moved::none_of(asset)).add(at, amount);
            grow(&mut flow.counts, at, 1);
        });
        if let Some(amount) = proposal.intent.amount().filter(|_| proposal.intent.link().is_none()) {
            let recent = self.recent.entry(proposal.account).or_default().entry(amount.issue()).or_default();
            recent.push_back(amount);
            while recent.len() > RECENT_MAX {
                recent.pop_front();
            }
        }
        if proposal.release_inputs().is_none()
            && let Some(destination) = proposal.intent.destination()
        {
            self.received(destination, at);
        }
    }

    /// The destination has money that a proposal sent to it.
    pub(crate) fn received(&mut self, destination: AccountId, at: RippleTime) {
        self.destinations.entry(destination).or_default().first.get_or_insert(at);
        if self.destinations.len() > DESTINATIONS_MAX {
            let idle = self.destinations.iter().filter(|(_, recipient)| recipient.flow.open.is_empty());
            let oldest = idle.min_by_key(|(_, recipient)| recipient.last()).map(|(account, _)| *account);
            if let Some(oldest) = oldest {
                self.destinations.remove(&oldest);
            }
        }
    }

    fn of_each(&mut self, proposal: &Proposal, mut act: impl FnMut(&mut Flow, Amount)) {
        let Some(movement) = proposal.intent.movement() else { return };
        let amount = movement.amount;
        act(self.accounts.entry(proposal.account).or_default(), amount);
        act(&mut self.destinations.entry(movement.destination).or_default().flow, amount);
        act(self.askers.entry(proposal.asker.to_string()).or_default(), amount);
        if movement.link.is_none() {
            act(self.assets.entry(amount.issue()).or_default(), amount);
        }
    }

    /// What nothing was ever paid of is not kept: anybody may ask for payments to any number of destinations, and of any number of
    /// assets.
    fn forget_empty(&mut self, proposal: &Proposal) {
        let Some(Movement { destination: to, amount, .. }) = proposal.intent.movement() else { return };
        let asset = amount.issue();
        if self.assets.get(&asset).is_some_and(|known| *known == Flow::default()) {
            self.assets.remove(&asset);
        }
        if self.destinations.get(&to).is_some_and(|known| *known == Recipient::default()) {
            self.destinations.remove(&to);
        }
    }

    fn flow(&self, whose: Whose<'_>) -> Option<&Flow> {
        match whose {
            Whose::Account(account) => self.accounts.get(&account),
            Whose::Destination(account) => self.destinations.get(&account).map(|recipient| &recipient.flow),
            Whose::Asker(name) => self.askers.get(name),
            Whose::Asset(asset) => self.assets.get(&asset),
        }
    }
}

impl Recipient {
    /// When it was paid last.
    fn last(&self) -> Option<RippleTime> {
        self.flow.counts.last_key_value().map(|(at, _)| *at).max(self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Danger: destinations without end fill the memory; or it is not the idlest that is forgotten.
    #[test]
    fn of_more_destinations_than_are_remembered_the_one_that_was_paid_longest_ago_is_forgotten() {
        let most = u32::try_from(DESTINATIONS_MAX).unwrap();
        let account = |number: u32| {
            let mut bytes = [0; 20];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            AccountId(bytes)
        };
        let mut payments = Payments::default();
        // The highest number is the idlest.
        (0..most).for_each(|number| payments.received(account(number), RippleTime(1_000 + most - number)));
        assert_eq!(payments.destinations.len(), DESTINATIONS_MAX, "as many as are remembered");
        payments.received(account(most), RippleTime(500_000));
        assert_eq!(payments.destinations.len(), DESTINATIONS_MAX);
        assert_eq!(payments.first_paid(&account(most - 1)), None);
        assert_eq!(payments.first_paid(&account(most)), Some(RippleTime(500_000)));
        assert!(payments.first_paid(&account(0)).is_some());
    }
}
