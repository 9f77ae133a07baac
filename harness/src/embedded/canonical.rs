//! The order in which a ledger's transactions are applied.

use std::collections::BTreeMap;
use std::sync::Arc;

use xrpl_wire::{AccountId, Hash256, SeqProxy};

use super::submitted::Submitted;

/// Account (padded, and mixed with the salt), Sequence or Ticket, id: ascending.
pub(super) type Key = (Hash256, SeqProxy, Hash256);

/// Transactions in an order that nobody can choose, and everybody computes alike: the salt is not known while
/// the transactions are made, and within an account they stay in the order of their Sequences.
#[derive(Debug, Clone)]
pub(super) struct CanonicalSet {
    salt: Hash256,
    transactions: BTreeMap<Key, Arc<Submitted>>,
}

impl CanonicalSet {
    pub(super) fn new(salt: Hash256) -> CanonicalSet {
        CanonicalSet { salt, transactions: BTreeMap::new() }
    }

    /// What accounts are mixed with.
    pub(super) fn salt(&self) -> Hash256 {
        self.salt
    }

    pub(super) fn insert(&mut self, tx: Arc<Submitted>) {
        let key = (self.account_key(&tx.tx.account()), tx.tx.seq(), tx.id);
        self.transactions.entry(key).or_insert(tx);
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        self.transactions.keys().copied().collect()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Submitted>> {
        self.transactions.get(key)
    }

    pub(super) fn remove(&mut self, key: &Key) {
        self.transactions.remove(key);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Submitted>> {
        self.transactions.values()
    }

    /// Takes out the transaction of the same account that comes next: the one with the next Sequence, or the
    /// first with a Ticket.
    pub(super) fn pop_next(&mut self, tx: &Submitted) -> Option<Arc<Submitted>> {
        let account = self.account_key(&tx.tx.account());
        let after = (account, tx.tx.seq(), Hash256::ZERO);
        let (key, _) = self.transactions.range(after..).next()?;
        let (of, seq, _) = *key;
        let follows = match seq {
            SeqProxy::Sequence(sequence) => sequence == tx.tx.seq().value().wrapping_add(1),
            SeqProxy::Ticket(_) => true,
        };
        if of != account || !follows {
            return None;
        }
        let key = *key;
        self.transactions.remove(&key)
    }

    fn account_key(&self, account: &AccountId) -> Hash256 {
        let mut bytes = self.salt.0;
        for (byte, of_account) in bytes.iter_mut().zip(account.0) {
            *byte ^= of_account;
        }
        Hash256(bytes)
    }
}
