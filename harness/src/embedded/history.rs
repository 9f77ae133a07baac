//! The closed ledgers, and where their transactions are.

use std::sync::Arc;

use xrpl_wire::{AccountId, Hash256};

use super::closed::{ClosedLedger, ClosedTx};
use super::trie::Trie;

/// Where a transaction is: the ledger's index and the position in it.
pub type TxPlace = (u32, u32);

/// All closed ledgers, cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct History {
    ledgers: Arc<Vec<Arc<ClosedLedger>>>,
    last: Arc<ClosedLedger>,
    by_hash: Trie<u32>,
    by_id: Trie<TxPlace>,
    by_account: Trie<Arc<Vec<TxPlace>>>,
}

impl History {
    pub(super) fn new(first: Arc<ClosedLedger>) -> History {
        let mut history = History {
            ledgers: Arc::new(Vec::new()),
            last: Arc::clone(&first),
            by_hash: Trie::new(),
            by_id: Trie::new(),
            by_account: Trie::new(),
        };
        history.push(first);
        history
    }

    /// Adds the ledger after the last.
    pub(super) fn push(&mut self, ledger: Arc<ClosedLedger>) {
        self.by_hash.insert(ledger.hash, ledger.header.index);
        for tx in &ledger.transactions {
            let place = (tx.ledger_index, tx.index);
            self.by_id.insert(tx.id, place);
            for account in tx.affected_accounts() {
                let key = account_key(account);
                match self.by_account.get_mut(&key) {
                    Some(places) => Arc::make_mut(places).push(place),
                    None => {
                        self.by_account.insert(key, Arc::new(vec![place]));
                    }
                }
            }
        }
        Arc::make_mut(&mut self.ledgers).push(Arc::clone(&ledger));
        self.last = ledger;
    }

    pub(super) fn last(&self) -> &Arc<ClosedLedger> {
        &self.last
    }

    pub(super) fn first_index(&self) -> u32 {
        self.ledgers.first().map_or(0, |ledger| ledger.header.index)
    }

    pub(super) fn by_index(&self, index: u32) -> Option<&Arc<ClosedLedger>> {
        let at = index.checked_sub(self.first_index())?;
        self.ledgers.get(usize::try_from(at).ok()?)
    }

    pub(super) fn by_hash(&self, hash: &Hash256) -> Option<&Arc<ClosedLedger>> {
        self.by_hash.get(hash).and_then(|index| self.by_index(*index))
    }

    pub(super) fn at(&self, place: TxPlace) -> Option<(&Arc<ClosedLedger>, &Arc<ClosedTx>)> {
        let (ledger_index, index) = place;
        let ledger = self.by_index(ledger_index)?;
        Some((ledger, ledger.transactions.get(usize::try_from(index).ok()?)?))
    }

    pub(super) fn transaction(&self, id: &Hash256) -> Option<(&Arc<ClosedLedger>, &Arc<ClosedTx>)> {
        self.by_id.get(id).and_then(|place| self.at(*place))
    }

    pub(super) fn of_account(&self, account: &AccountId) -> &[TxPlace] {
        self.by_account.get(&account_key(account)).map_or(&[], |places| places.as_slice())
    }
}

fn account_key(account: &AccountId) -> Hash256 {
    let mut bytes = [0; 32];
    for (byte, of_account) in bytes.iter_mut().zip(account.0) {
        *byte = of_account;
    }
    Hash256(bytes)
}
