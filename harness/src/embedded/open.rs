//! The open ledger: what has come in since the last close, applied provisionally.

use std::collections::BTreeMap;
use std::sync::Arc;

use xrpl_wire::{Hash256, RippleTime, Transaction, TxResult};

use super::apply::{ApplyFlags, LedgerInfo, apply};
use super::canonical::CanonicalSet;
use super::closed::ClosedLedger;
use super::pool::{Outcome, outcome, run_passes};
use super::rules::{Fees, Rules};
use super::state::StateMap;
use super::submitted::Submitted;

/// The open ledger.
#[derive(Debug, Clone)]
pub struct OpenLedger {
    pub(super) info: LedgerInfo,
    parent_hash: Hash256,
    pub(super) state: StateMap,
    transactions: BTreeMap<Hash256, OpenTx>,
}

/// A transaction in the open ledger, or one that was tried there.
#[derive(Debug, Clone)]
pub struct OpenTx {
    /// The result so far; the close may find another.
    pub result: TxResult,
    pub(super) submitted: Arc<Submitted>,
    /// Its place in the order in which they were applied.
    place: usize,
    /// The index of the ledger that it was applied to: not always the one to come, see [`OpenLedger::apply_at`].
    at: u32,
}

impl OpenTx {
    /// One that is in no ledger.
    pub(super) fn stray(submitted: Arc<Submitted>, result: TxResult) -> OpenTx {
        OpenTx { result, submitted, place: 0, at: 0 }
    }

    /// The transaction.
    pub fn tx(&self) -> &Transaction {
        &self.submitted.tx
    }

    /// Its id.
    pub fn id(&self) -> Hash256 {
        self.submitted.id
    }

    /// Its bytes.
    pub fn blob(&self) -> &[u8] {
        self.submitted.tx.blob()
    }
}

impl OpenLedger {
    /// The empty open ledger after a closed one.
    pub(super) fn after(parent: &ClosedLedger, rules: Rules) -> OpenLedger {
        OpenLedger {
            info: LedgerInfo {
                index: parent.header.index.saturating_add(1),
                parent_close_time: parent.header.close_time.0,
                fees: parent.fees,
                rules,
                open: true,
            },
            parent_hash: parent.hash,
            state: parent.state.clone(),
            transactions: BTreeMap::new(),
        }
    }

    /// The index it will have when it closes.
    pub fn index(&self) -> u32 {
        self.info.index
    }

    /// The hash of the ledger before it.
    pub fn parent_hash(&self) -> Hash256 {
        self.parent_hash
    }

    /// When the ledger before it closed.
    pub fn parent_close_time(&self) -> RippleTime {
        RippleTime(self.info.parent_close_time)
    }

    /// The fees and reserves.
    pub fn fees(&self) -> &Fees {
        &self.info.fees
    }

    /// The state, with the transactions applied so far.
    pub fn state(&self) -> &StateMap {
        &self.state
    }

    /// The transactions applied so far, by id.
    pub fn transactions(&self) -> impl ExactSizeIterator<Item = &OpenTx> {
        self.transactions.values()
    }

    /// The transactions in the order in which they were applied, with the index that they were applied at: nothing else
    /// says what came before what.
    pub(super) fn as_applied(&self) -> Vec<(Arc<Submitted>, u32)> {
        let mut transactions: Vec<&OpenTx> = self.transactions.values().collect();
        transactions.sort_unstable_by_key(|tx| tx.place);
        transactions.into_iter().map(|tx| (Arc::clone(&tx.submitted), tx.at)).collect()
    }

    /// Applies transactions that were applied already, as they were: one after the other, and what fails now once more
    /// behind the others.
    pub(super) fn apply_again(&mut self, transactions: Vec<(Arc<Submitted>, u32)>) {
        let mut failed = CanonicalSet::new(Hash256::ZERO);
        for (tx, at) in transactions {
            if outcome(self.apply_at(at, &tx, ApplyFlags::default())) == Outcome::Retry {
                failed.insert(tx);
            }
        }
        run_passes(&mut failed, |tx, retry| {
            outcome(self.apply(tx, ApplyFlags { retry, ..ApplyFlags::default() }))
        });
    }

    /// One of the transactions.
    pub fn transaction(&self, id: &Hash256) -> Option<&OpenTx> {
        self.transactions.get(id)
    }

    /// Applies a transaction provisionally. Answers with the result and whether it was applied.
    pub(super) fn apply(&mut self, tx: &Arc<Submitted>, flags: ApplyFlags) -> (TxResult, bool) {
        // Metadata is not made here, so the position does not matter.
        let applied = apply(&mut self.state, &self.info, tx, flags, 0);
        if applied.applied {
            let place = self.transactions.len();
            let at = self.info.index;
            let entry = OpenTx { result: applied.result, submitted: Arc::clone(tx), place, at };
            self.transactions.insert(tx.id, entry);
        }
        (applied.result, applied.applied)
    }
    /// Applies a transaction as if the ledger had another index. The server tries what an account has waiting on a view
    /// over the open ledger, and takes that for the ledger after it: who is made there begins with its index, until the
    /// close makes it right.
    pub(super) fn apply_at(&mut self, at: u32, tx: &Arc<Submitted>, flags: ApplyFlags) -> (TxResult, bool) {
        let index = std::mem::replace(&mut self.info.index, at);
        let applied = self.apply(tx, flags);
        self.info.index = index;
        applied
    }
}
