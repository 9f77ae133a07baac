//! Trust lines as whoever looks for paths sees them.

use std::collections::BTreeMap;

use xrpl_wire::{AccountId, Amount, Currency, IouValue, LedgerEntryType, Object, index, sf};

use crate::embedded::apply::{directory, shared, trust};
use crate::embedded::state::StateMap;

/// A trust line from one of its ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) peer: AccountId,
    pub(super) currency: Currency,
    /// What this end holds; negative is what it owes.
    pub(super) balance: IouValue,
    /// How much it takes at most.
    pub(super) limit: IouValue,
    /// How much the peer takes at most.
    pub(super) limit_peer: IouValue,
    /// Whether this end has authorized the peer.
    pub(super) authorizes: bool,
    pub(super) no_ripple: bool,
    pub(super) no_ripple_peer: bool,
    pub(super) frozen_by_peer: bool,
}

impl Line {
    fn new(account: &AccountId, entry: &Object) -> Option<Line> {
        let (Some(Amount::Issued(low)), Some(Amount::Issued(high))) =
            (entry.amount(sf::LowLimit), entry.amount(sf::HighLimit))
        else {
            return None;
        };
        let peer = if low.issuer == *account { high.issuer } else { low.issuer };
        let (mine, theirs) = (trust::side(account, &peer), trust::side(&peer, account));
        Some(Line {
            peer,
            currency: low.currency,
            balance: trust::balance_of(entry, account, &peer),
            limit: trust::value(entry, mine.limit),
            limit_peer: trust::value(entry, theirs.limit),
            authorizes: shared::has_flag(entry, mine.auth),
            no_ripple: shared::has_flag(entry, mine.no_ripple),
            no_ripple_peer: shared::has_flag(entry, theirs.no_ripple),
            frozen_by_peer: shared::has_flag(entry, theirs.freeze),
        })
    }

    /// Whether this end holds some.
    pub(super) fn has_some(&self) -> bool {
        self.balance > IouValue::ZERO
    }

    /// Whether this end can send some: it holds some, or the peer trusts it with more.
    pub(super) fn can_be_sent(&self) -> bool {
        self.has_some() || (!self.limit_peer.is_zero() && self.balance.negated() < self.limit_peer)
    }

    /// Whether value can leave over the line to the peer, who may have to be authorized.
    pub(super) fn leads_out(&self, must_authorize: bool) -> bool {
        self.has_some() || (self.can_be_sent() && (!must_authorize || self.authorizes))
    }
}

/// The lines of accounts, read once.
#[derive(Debug)]
pub(super) struct Lines<'l> {
    state: &'l StateMap,
    read: BTreeMap<AccountId, Vec<Line>>,
}

impl<'l> Lines<'l> {
    pub(super) fn of(state: &'l StateMap) -> Lines<'l> {
        Lines { state, read: BTreeMap::new() }
    }

    /// All lines of an account, in the order of its directory.
    pub(super) fn all(&mut self, account: &AccountId) -> &[Line] {
        let state = self.state;
        self.read.entry(*account).or_insert_with(|| {
            let owned = directory::list(state, &index::owner_dir(account));
            let entries = owned.iter().filter_map(|at| state.object(at));
            let lines = entries.filter_map(|entry| {
                shared::of_kind(Some(entry), LedgerEntryType::RippleState)?;
                Line::new(account, entry)
            });
            lines.collect()
        })
    }
}
