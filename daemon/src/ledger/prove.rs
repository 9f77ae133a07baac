//! A ledger is believed only when its hashes prove it.

use std::thread;

use treasury_core::observe::LedgerPoint;
use treasury_core::units::{Hash256, LedgerIndex};
use xrpl_wire::{LedgerHeader, Metadata, Transaction, tree};

use super::error::{Trouble, malformed};
use super::interest::Interest;
use super::observe::ObserveError;
use super::reply::{LedgerReply, TxData};

/// Transactions from which on a ledger is looked at by two threads. Hashing and decoding one takes some five
/// microseconds and starting a thread some fifty, so fewer are done sooner by one.
const SHARED_FROM: usize = 64;

/// A ledger whose header hashes to its hash and whose transactions hash to the header's root.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) point: LedgerPoint,
    pub(super) header: LedgerHeader,
    /// Those of its transactions that may concern an account that somebody looks at.
    pub(super) concerning: Vec<(Transaction, Metadata)>,
}

/// Proves a ledger: that it is the one of this hash where one is known, follows `after`, and has these
/// transactions; and decodes those that are of interest.
pub(super) fn prove(
    index: LedgerIndex,
    hash: Option<Hash256>,
    after: &LedgerPoint,
    reply: &LedgerReply,
    interest: &Interest,
) -> Result<Proven, Trouble> {
    let header = prove_header(index, reply)?;
    let unproven = |what, wanted, found| Err(Trouble::Unproven { index, what, wanted, found });
    if header.parent_hash != after.hash {
        return unproven("its parent's hash", after.hash, header.parent_hash);
    }
    if let Some(hash) = hash.filter(|hash| *hash != reply.ledger_hash) {
        return unproven("its hash", hash, reply.ledger_hash);
    }
    let looked = look_at_all(&reply.ledger.transactions, interest);
    let mut leaves: Vec<(Hash256, Hash256)> = looked.iter().map(|tx| (tx.id, tx.leaf)).collect();
    leaves.sort_unstable();
    let root = tree::shamap_root(&leaves);
    if root != header.transaction_hash {
        return unproven("the hash of its transactions", header.transaction_hash, root);
    }
    // What cannot be read is told only of what is proven.
    let mut concerning = Vec::new();
    for Looked { id, decoded, .. } in looked {
        let wrong = |what| ObserveError { index, tx_id: id, what };
        concerning.extend(decoded.transpose().map_err(wrong)?);
    }
    let point = LedgerPoint { index, hash: reply.ledger_hash, close_time: header.close_time };
    Ok(Proven { point, header, concerning })
}

/// Proves the header alone.
pub(super) fn prove_header(index: LedgerIndex, reply: &LedgerReply) -> Result<LedgerHeader, Trouble> {
    if !reply.validated {
        return Err(malformed("ledger", format!("ledger {index} is not validated")));
    }
    let header = LedgerHeader::decode(&reply.ledger.ledger_data.0)
        .map_err(|error| malformed("ledger", format!("the header: {error}")))?;
    if header.index != index.0 {
        return Err(malformed("ledger", format!("asked for ledger {index}, got {}", header.index)));
    }
    let hash = header.hash();
    if hash != reply.ledger_hash {
        return Err(Trouble::Unproven {
            index,
            what: "the hash of its header",
            wanted: hash,
            found: reply.ledger_hash,
        });
    }
    Ok(header)
}

/// What one transaction is to the proof, and to those who look at accounts.
struct Looked {
    id: Hash256,
    leaf: Hash256,
    /// Nothing where it concerns nobody; or why it cannot be read.
    decoded: Option<Result<(Transaction, Metadata), String>>,
}

fn look(tx: &TxData, interest: &Interest) -> Looked {
    let (tx_blob, meta_blob) = (&tx.tx_blob.0, &tx.meta_blob.0);
    let id = tree::transaction_id(tx_blob);
    Looked {
        id,
        leaf: tree::transaction_leaf(&id, tx_blob, meta_blob),
        decoded: interest.concerns(tx).then(|| decode(tx)),
    }
}

/// Looks at all of them, in any order: a decision waits for this, so a second thread takes half of many.
fn look_at_all(transactions: &[TxData], interest: &Interest) -> Vec<Looked> {
    let look_at = |some: &[TxData]| some.iter().map(|tx| look(tx, interest)).collect::<Vec<_>>();
    if transactions.len() < SHARED_FROM {
        return look_at(transactions);
    }
    let (ours, others) = transactions.split_at(transactions.len() / 2);
    thread::scope(|scope| {
        let helper = thread::Builder::new().name("prover".to_owned());
        let helper = helper.spawn_scoped(scope, || look_at(others));
        let mut looked = look_at(ours);
        match helper.map(|helper| helper.join()) {
            Ok(Ok(others)) => looked.extend(others),
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // The system gives no thread.
            Err(_) => looked.extend(look_at(others)),
        }
        looked
    })
}

/// Decodes a transaction and its metadata, or says why that cannot be done.
pub(super) fn decode(data: &TxData) -> Result<(Transaction, Metadata), String> {
    let tx = Transaction::decode(&data.tx_blob.0).map_err(|error| error.to_string())?;
    let meta = Metadata::decode(&data.meta_blob.0).map_err(|error| error.to_string())?;
    Ok((tx, meta))
}
