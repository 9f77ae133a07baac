//! What a transaction that is not made yet has to reckon with: fees, the next Sequence, what servers refuse.

use std::borrow::Cow;
use std::collections::BTreeSet;

use xrpl_wire::{AccountId, Hash256, Transaction};

use super::apply::base_fee;
use super::escalation::{BASE_LEVEL, mul_div};
use super::ledger::Ledger;
use super::local;
use super::open::OpenTx;
use super::queued::QueuedTx;
use super::submitted::Submitted;

impl Ledger {
    /// The least fee of a transaction, in drops, however full the open ledger is.
    pub fn least_fee(&self, tx: &Transaction) -> u64 {
        base_fee(self.open.state(), &self.open.info, &Submitted::trusted(tx.clone()))
    }

    /// The fee, in drops, that gets the reference transaction into the open ledger now. What costs more by its type
    /// gets in for it too, if it pays at least [`Ledger::least_fee`].
    pub fn escalated_fee(&self) -> u64 {
        let level = self.queue_metrics().open_ledger_level;
        let base = self.open.fees().base_fee.get();
        // The least fee whose level is not below the one asked for.
        mul_div(level.saturating_sub(1), base, BASE_LEVEL).saturating_add(1)
    }

    /// How many times its least fee a transaction pays at least to get into the open ledger at once; 1 unless
    /// somebody has set it.
    pub fn load_factor(&self) -> u32 {
        self.pool.queue.load_factor()
    }

    /// Asks so many times the least fee from now on, as a server does whose ledger is full: what pays less waits in the
    /// queue. Answers with what got in from there because less is asked than before.
    pub fn set_load_factor(&mut self, factor: u32) -> Vec<OpenTx> {
        self.pool.queue.set_load_factor(factor);
        let before: BTreeSet<Hash256> = self.open.transactions().map(OpenTx::id).collect();
        self.pool.queue.drain(&mut self.open);
        self.open.transactions().filter(|tx| !before.contains(&tx.id())).cloned().collect()
    }

    /// All that waits in the queue, the dearest first.
    pub fn queue(&self) -> Vec<QueuedTx> {
        self.pool.queue.by_fee().map(QueuedTx::of).collect()
    }

    /// The first Sequence of an account that nothing in the open ledger or the queue uses; 0 if it is not there.
    pub fn next_sequence(&self, account: &AccountId) -> u32 {
        self.pool.queue.next_sequence(self.open.state(), account)
    }

    /// What a server checks of a transaction before it lets it in, whatever its signatures and its type.
    ///
    /// # Errors
    /// The server's reason.
    pub fn local_checks(&self, tx: &Transaction) -> Result<(), Cow<'static, str>> {
        local::check(tx, self.rules.generation())
    }
}
