//! A ledger is believed only when its hashes prove it.

use treasury_core::observe::LedgerPoint;
use treasury_core::units::{Hash256, LedgerIndex};
use xrpl_wire::{LedgerHeader, tree};

use super::error::{Trouble, malformed};
use super::reply::{LedgerReply, TxData};

/// A ledger whose header hashes to its hash and whose transactions hash to the header's root.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) point: LedgerPoint,
    pub(super) header: LedgerHeader,
    pub(super) transactions: Vec<TxData>,
}

/// Proves a ledger: that it is the one of this hash where one is known, follows `after`, and has these
/// transactions.
pub(super) fn prove(
    index: LedgerIndex,
    hash: Option<Hash256>,
    after: &LedgerPoint,
    reply: LedgerReply,
) -> Result<Proven, Trouble> {
    let proven = prove_header(index, reply)?;
    let unproven = |what, wanted, found| Err(Trouble::Unproven { index, what, wanted, found });
    if proven.header.parent_hash != after.hash {
        return unproven("its parent's hash", after.hash, proven.header.parent_hash);
    }
    if let Some(hash) = hash.filter(|hash| *hash != proven.point.hash) {
        return unproven("its hash", hash, proven.point.hash);
    }
    let blobs = proven.transactions.iter().map(|tx| (&tx.tx_blob.0, &tx.meta_blob.0));
    let root = tree::transaction_tree_root(blobs);
    if root != proven.header.transaction_hash {
        return unproven("the hash of its transactions", proven.header.transaction_hash, root);
    }
    Ok(proven)
}

/// Proves the header alone.
pub(super) fn prove_header(index: LedgerIndex, reply: LedgerReply) -> Result<Proven, Trouble> {
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
    let point = LedgerPoint { index, hash, close_time: header.close_time };
    Ok(Proven { point, header, transactions: reply.ledger.transactions })
}
