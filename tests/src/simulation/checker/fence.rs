//! One keystore, one daemon: whoever sees that its own keys signed what it never sent stands still, because another
//! one spends what it has promised.

use treasury_core::units::AccountId;
use xrpl_harness::embedded::ClosedTx;
use xrpl_wire::{Transaction, TxBody, sign};

use super::sent::is_void;
use super::{Checker, Rule};
use crate::simulation::cast::AGENTS;

/// Ledgers after which nobody takes a ledger in any more that it has not taken.
const LEDGERS_KEPT: u32 = 20_000;

impl Checker {
    /// A transaction of a treasury account is in a ledger.
    pub(super) fn signed(&mut self, tx: &ClosedTx) {
        if self.foreign.contains(&tx.id) || !self.sent.contains_key(&tx.id) {
            return;
        }
        let account = tx.tx().account();
        let signers = sign::signers(tx.tx()).unwrap_or_default();
        let agents = AGENTS.map(|name| self.cast.id(name));
        let by_agents = signers.iter().any(|signer| agents.contains(&signer.account));
        if by_agents || self.treasury.runner == Some(account) {
            self.by_own_keys.entry(self.index).or_default().push((account, tx.id));
        }
        while self.by_own_keys.first_key_value().is_some_and(|(at, _)| at + LEDGERS_KEPT < self.index) {
            self.by_own_keys.pop_first();
        }
    }

    /// A daemon takes a ledger in.
    pub fn takes(&mut self, daemon: usize, index: u32) {
        // What people signed since then counted for the list that the daemon still knew.
        for (account, kind) in self.signers_changed.get(&index).cloned().unwrap_or_default() {
            self.signers_change(Some(daemon), account, kind);
        }
        let strange: Vec<AccountId> = self
            .by_own_keys
            .get(&index)
            .into_iter()
            .flatten()
            .filter(|(_, id)| !self.sent_by.contains(&(daemon, *id)))
            .map(|(account, _)| *account)
            .collect();
        for account in strange {
            self.reached.push("a daemon is fenced");
            self.fenced.insert((daemon, account));
        }
    }

    /// Somebody lifts something at a daemon: what he lets go on is his to answer for.
    pub(super) fn looked_after(&mut self, daemon: usize) {
        self.fenced.retain(|(of, _)| *of != daemon);
    }

    /// What may leave from a fenced account: what brings money back, and nothing else.
    pub(super) fn is_not_fenced(&mut self, daemon: usize, tx: &Transaction, body: &TxBody) {
        let account = tx.account();
        let takes_back = match body {
            TxBody::EscrowCancel(_) => true,
            TxBody::TicketCreate(_) => self.treasury.runner == Some(account),
            _ => is_void(tx, body),
        };
        if !takes_back && self.fenced.contains(&(daemon, account)) {
            let what = format!(
                "daemon {daemon} sent {} {} of {}, whose keys it has seen at work elsewhere",
                tx.tx_type().name(),
                tx.id(),
                self.cast.name(&account)
            );
            self.broken(Rule::Fenced, what);
        }
    }
}
