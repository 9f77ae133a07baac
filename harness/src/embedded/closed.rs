//! A closed ledger.

use std::sync::Arc;

use xrpl_wire::{AccountId, Amount, Hash256, LedgerHeader, Object, Transaction, TxResult, Value, sf, tree};

use super::rules::Fees;
use super::state::StateMap;
use super::submitted::Submitted;

/// A closed ledger. In standalone mode it is validated the moment it is closed.
#[derive(Debug)]
pub struct ClosedLedger {
    /// The header.
    pub header: LedgerHeader,
    /// The ledger's hash.
    pub hash: Hash256,
    /// The state.
    pub state: StateMap,
    /// The transactions in the order they were applied: the position is the TransactionIndex. The server lists
    /// them by id instead, see [`ClosedLedger::transactions_by_id`].
    pub transactions: Vec<Arc<ClosedTx>>,
    /// The fees and reserves.
    pub fees: Fees,
}

/// A transaction of a closed ledger.
#[derive(Debug)]
pub struct ClosedTx {
    /// The id.
    pub id: Hash256,
    /// The index of the ledger.
    pub ledger_index: u32,
    /// The place in the order of application.
    pub index: u32,
    /// The serialized metadata.
    pub meta_blob: Box<[u8]>,
    /// The result.
    pub result: TxResult,
    affected: Box<[AccountId]>,
    submitted: Arc<Submitted>,
}

impl ClosedLedger {
    /// The transactions by ascending id: the order of the server's `ledger` method.
    pub fn transactions_by_id(&self) -> Vec<&Arc<ClosedTx>> {
        let mut sorted: Vec<&Arc<ClosedTx>> = self.transactions.iter().collect();
        sorted.sort_unstable_by_key(|tx| tx.id);
        sorted
    }
}

impl ClosedTx {
    pub(super) fn new(
        submitted: Arc<Submitted>,
        ledger_index: u32,
        index: u32,
        meta: &Object,
        result: TxResult,
    ) -> ClosedTx {
        // Metadata is made of entries' fields and numbers, which all encode.
        let meta_blob = meta.encode().unwrap_or_default().into_boxed_slice();
        let affected = affected_accounts(meta);
        ClosedTx { id: submitted.id, ledger_index, index, meta_blob, result, affected, submitted }
    }

    pub(super) fn submitted(&self) -> &Submitted {
        &self.submitted
    }

    /// The transaction.
    pub fn tx(&self) -> &Transaction {
        &self.submitted.tx
    }

    /// The serialized transaction.
    pub fn blob(&self) -> &[u8] {
        self.submitted.tx.blob()
    }

    /// The metadata. Read anew from its bytes each time: few ask, and fields take ten times as much memory.
    pub fn meta(&self) -> Object {
        // They were written from an object.
        Object::decode(&self.meta_blob).unwrap_or_default()
    }

    /// The accounts it concerns: those named in the entries it made, changed or removed, ascending.
    pub fn affected_accounts(&self) -> &[AccountId] {
        &self.affected
    }
}

fn affected_accounts(meta: &Object) -> Box<[AccountId]> {
    let mut accounts = Vec::new();
    for (kind, node) in meta.array(sf::AffectedNodes).unwrap_or_default() {
        let fields = if *kind == sf::CreatedNode { sf::NewFields } else { sf::FinalFields };
        let Some(fields) = node.object(fields) else { continue };
        for (field, value) in fields.iter() {
            match value {
                Value::Account(account) => accounts.push(*account),
                Value::Amount(Amount::Issued(amount))
                    if [sf::LowLimit, sf::HighLimit, sf::TakerPays, sf::TakerGets].contains(&field)
                        && amount.issuer != AccountId::ZERO =>
                {
                    accounts.push(amount.issuer);
                }
                Value::Hash192(id) if field == sf::MPTokenIssuanceID => accounts.extend(issuer_of(id)),
                _ => {}
            }
        }
    }
    accounts.sort_unstable();
    accounts.dedup();
    accounts.into_boxed_slice()
}

/// Who issues a token: its id ends with that.
fn issuer_of(id: &[u8; 24]) -> Option<AccountId> {
    let issuer = id.last_chunk::<20>().map(|issuer| AccountId(*issuer))?;
    (issuer != AccountId::ZERO).then_some(issuer)
}

/// The `transaction_hash` of transactions.
pub(super) fn transaction_hash(transactions: &[Arc<ClosedTx>]) -> Hash256 {
    let mut leaves: Vec<(Hash256, Hash256)> = transactions
        .iter()
        .map(|tx| (tx.id, tree::transaction_leaf(&tx.id, tx.blob(), &tx.meta_blob)))
        .collect();
    leaves.sort_unstable();
    tree::shamap_root(&leaves)
}
