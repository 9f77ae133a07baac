//! A ledger is believed only when its hashes prove it.

use std::sync::Arc;

use treasury_core::observe::LedgerPoint;
use treasury_core::units::{Hash256, LedgerIndex};
use xrpl_wire::{LedgerHeader, header, tree};

use super::error::{Trouble, malformed};
use super::helper::Helper;
use super::observe::{Seen, Watch, see};
use super::reply::{LedgerReply, TxData};

/// A ledger whose header hashes to its hash and whose transactions hash to the header's root.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) point: LedgerPoint,
    pub(super) header: LedgerHeader,
    /// What its transactions are to the accounts that are looked at.
    pub(super) seen: Vec<Seen>,
}

/// Proves ledgers, with a helper for large ones: a decision waits for this.
#[derive(Debug, Default)]
pub(super) struct Prover {
    helper: Helper,
}

impl Prover {
    /// Proves a ledger: that it is the one of this hash where one is known, follows `after`, and has these
    /// transactions; and sees what they are to the accounts that are looked at.
    pub(super) fn prove(
        &mut self,
        index: LedgerIndex,
        hash: Option<Hash256>,
        after: &LedgerPoint,
        reply: LedgerReply,
        watch: &Arc<Watch>,
    ) -> Result<Proven, Trouble> {
        let header = prove_header(index, &reply)?;
        let unproven = |what, wanted, found| Err(Trouble::Unproven { index, what, wanted, found });
        if header.parent_hash != after.hash {
            return unproven("its parent's hash", after.hash, header.parent_hash);
        }
        if let Some(hash) = hash.filter(|hash| *hash != reply.ledger_hash) {
            return unproven("its hash", hash, reply.ledger_hash);
        }
        let watch = Arc::clone(watch);
        let looked = self.helper.share(reply.ledger.transactions, move |tx| look(tx, &watch));
        let mut leaves: Vec<(Hash256, Hash256)> = looked.iter().map(|tx| (tx.id, tx.leaf)).collect();
        leaves.sort_unstable();
        let root = tree::shamap_root(&leaves);
        if root != header.transaction_hash {
            return unproven("the hash of its transactions", header.transaction_hash, root);
        }
        // What cannot be read is told only of what is proven.
        let mut all_seen = Vec::new();
        for Looked { id, seen, .. } in looked {
            let hash = reply.ledger_hash;
            let wrong = |what| Trouble::Unreadable { index, hash, what: format!("transaction {id}: {what}") };
            all_seen.extend(seen.transpose().map_err(wrong)?);
        }
        let point = LedgerPoint { index, hash: reply.ledger_hash, close_time: header.close_time };
        Ok(Proven { point, header, seen: all_seen })
    }
}

/// Proves the header alone.
pub(super) fn prove_header(index: LedgerIndex, reply: &LedgerReply) -> Result<LedgerHeader, Trouble> {
    if !reply.validated {
        return Err(malformed("ledger", format!("ledger {index} is not validated")));
    }
    let data = &reply.ledger.ledger_data.0;
    let header = LedgerHeader::decode(data).map_err(|error| {
        // A later ledger may have another header. That it is one, its hash says.
        if header::hash_of(data) == reply.ledger_hash {
            let what = format!("its header: {error}");
            return Trouble::Unreadable { index, hash: reply.ledger_hash, what };
        }
        malformed("ledger", format!("the header: {error}"))
    })?;
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
    seen: Option<Result<Seen, String>>,
}

fn look(tx: &TxData, watch: &Watch) -> Looked {
    let id = tree::transaction_id(&tx.tx_blob.0);
    let seen = watch.concerns(tx).then(|| see(id, tx, watch));
    Looked { id, leaf: tree::transaction_leaf(&id, &tx.tx_blob.0, &tx.meta_blob.0), seen }
}
