//! What tests may do to a ledger that nobody can do to the server's: set balances, act for others, make what
//! would succeed fail, and look at it as a server would that is behind, or lies.

use std::collections::BTreeSet;
use std::sync::Arc;

use thiserror::Error;
use xrpl_wire::{AccountId, Amount, Drops, Hash256, LedgerEntryType, Object, RippleTime, index, sf};

use super::build::build;
use super::canonical::CanonicalSet;
use super::closed::ClosedLedger;
use super::history::History;
use super::ledger::{ALL_DROPS, GENESIS_ACCOUNT, Ledger};
use super::open::OpenLedger;
use super::state::{Entry, StateMap};

/// What tests have asked for. The default is nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    /// What the next ledger is built on, where that is not simply the ledger before it.
    pub(super) base: Option<Base>,
    /// How many of the transactions to come only pay their fee.
    pub(super) claims: u32,
    impersonated: Arc<BTreeSet<AccountId>>,
}

/// A state that no transaction made, and all XRP in it.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) state: StateMap,
    pub(super) total_drops: u64,
}

impl Control {
    pub(super) fn impersonates(&self, account: &AccountId) -> bool {
        self.impersonated.contains(account)
    }

    pub(super) fn impersonated(&self) -> impl Iterator<Item = &AccountId> {
        self.impersonated.iter()
    }
}

/// There would be more than all XRP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("that is more than all XRP there is")]
pub struct MoreThanAllXrp;

impl Ledger {
    /// Sets the balance of an account, which is made if it is not there. No transaction tells of it: the next ledger
    /// begins with it, and what is in the open ledger is applied again on top.
    ///
    /// The difference comes from [`GENESIS_ACCOUNT`], or goes to it, if that can be; else there is more or less XRP
    /// than before.
    ///
    /// # Errors
    /// [`MoreThanAllXrp`].
    pub fn set_balance(&mut self, account: &AccountId, balance: Drops) -> Result<(), MoreThanAllXrp> {
        let last = self.history.last();
        let mut base = self
            .control
            .base
            .clone()
            .unwrap_or_else(|| Base { state: last.state.clone(), total_drops: last.header.total_drops });
        let at = index::account_root(account);
        let old = base.state.object(&at).cloned();
        let before = old.as_ref().map_or(0, balance_of);
        let root = old.unwrap_or_else(|| {
            Object::new()
                .with(sf::LedgerEntryType, LedgerEntryType::AccountRoot.code())
                .with(sf::Flags, 0u32)
                .with(sf::Sequence, self.open.index())
                .with(sf::PreviousTxnLgrSeq, 0u32)
                .with(sf::OwnerCount, 0u32)
                .with(sf::PreviousTxnID, Hash256::ZERO)
                .with(sf::Account, *account)
        });
        let genesis_at = index::account_root(&GENESIS_ACCOUNT);
        let genesis = base.state.object(&genesis_at).filter(|_| *account != GENESIS_ACCOUNT).cloned();
        let left = genesis.as_ref().and_then(|genesis| {
            let left = balance_of(genesis).checked_add(before)?.checked_sub(balance.get())?;
            Drops::new(left).ok()
        });
        match (genesis, left) {
            (Some(genesis), Some(left)) => {
                base.state.insert(genesis_at, Entry::new(genesis.with(sf::Balance, Amount::Xrp(left))));
            }
            _ => {
                let total = base.total_drops.saturating_sub(before).checked_add(balance.get());
                base.total_drops = total.filter(|total| *total <= ALL_DROPS).ok_or(MoreThanAllXrp)?;
            }
        }
        base.state.insert(at, Entry::new(root.with(sf::Balance, Amount::Xrp(balance))));
        let mut open = OpenLedger::after(last, self.rules);
        open.state = base.state.clone();
        open.apply_again(self.open.as_applied());
        self.open = open;
        self.control.base = Some(base);
        Ok(())
    }

    /// Whether transactions of an account are taken without signatures, or with anybody's, from now on. A ledger
    /// with such a transaction is one that no network has.
    pub fn impersonate(&mut self, account: AccountId, enabled: bool) {
        let accounts = Arc::make_mut(&mut self.control.impersonated);
        if enabled {
            accounts.insert(account);
        } else {
            accounts.remove(&account);
        }
    }

    /// In the ledgers to come, so many transactions that would be `tesSUCCESS` are `tecINVARIANT_FAILED`: they pay
    /// their fee and do nothing. Until their ledger closes they look like the others.
    pub fn claim_only(&mut self, transactions: u32) {
        self.control.claims = transactions;
    }

    /// How many transactions are still to fail by [`Ledger::claim_only`].
    pub fn claims_left(&self) -> u32 {
        self.control.claims
    }

    /// The ledger as it was when the one of this index was the last: what a server knows that is behind. The open
    /// ledger is empty. An index out of range is the nearest in it.
    pub fn as_of(&self, index: u32) -> Ledger {
        let first = self.history.first_index();
        let last = index.clamp(first, self.history.last().header.index);
        let mut closed = (first..=last).filter_map(|index| self.history.by_index(index)).cloned();
        let start = closed.next().unwrap_or_else(|| Arc::clone(self.history.last()));
        let mut view = Ledger {
            open: OpenLedger::after(&start, self.rules),
            history: History::new(start),
            rules: self.rules,
            pool: self.pool.clone(),
            control: Control::default(),
        };
        closed.for_each(|closed| view.follow(closed));
        view
    }

    /// Takes a closed ledger of another as the next of this one, whether it fits or not.
    pub fn follow(&mut self, closed: Arc<ClosedLedger>) {
        self.open = OpenLedger::after(&closed, self.rules);
        self.history.push(closed);
    }

    /// What somebody who lies could show as the closed ledger of an index: one that follows the same ledger,
    /// closes a second later and leaves out all transactions. It is whole and its hashes are right, but the ledger
    /// after it names another parent. None where there is no ledger of that index and one before it.
    pub fn other_at(&self, index: u32) -> Option<Arc<ClosedLedger>> {
        let parent = self.history.by_index(index.checked_sub(1)?)?;
        let truth = self.history.by_index(index)?;
        let later = RippleTime(truth.header.close_time.0.saturating_add(1));
        let mut nothing = CanonicalSet::new(Hash256::ZERO);
        Some(Arc::new(build(parent, &mut nothing, later, self.rules, &mut Control::default())))
    }
}

fn balance_of(root: &Object) -> u64 {
    root.drops(sf::Balance).map_or(0, Drops::get)
}
