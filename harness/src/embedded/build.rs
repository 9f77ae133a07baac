//! Building a closed ledger from the one before it and a set of transactions.

use std::sync::Arc;

use xrpl_wire::{
    Hash256, LedgerEntryType, LedgerHeader, Object, RippleTime, TransactionType, TxResult, Value, index, sf,
};

use super::apply::{Applied, ApplyFlags, LedgerInfo, apply, run_batch};
use super::canonical::CanonicalSet;
use super::closed::{self, ClosedLedger, ClosedTx};
use super::control::Control;
use super::pool::{outcome, run_passes};
use super::rules::Rules;
use super::state::{Entry, StateMap};
use super::submitted::Submitted;

/// How often the transactions of a set are gone through.
pub(super) const PASSES: u32 = 3;

/// How many hashes a LedgerHashes entry holds, and how far apart the ledgers of the long ones are.
const SKIP_LIST_LEN: usize = 256;

/// Applies the set to the state of the parent. What may be applied later stays in the set.
pub(super) fn build(
    parent: &ClosedLedger,
    set: &mut CanonicalSet,
    close_time: RippleTime,
    rules: Rules,
    control: &mut Control,
) -> ClosedLedger {
    let info = LedgerInfo {
        index: parent.header.index.saturating_add(1),
        parent_close_time: parent.header.close_time.0,
        fees: parent.fees,
        rules,
        open: false,
    };
    // What the ledger is built on is the one before it, unless a test has changed that.
    let (mut state, total_drops) = match control.base.take() {
        Some(base) => (base.state, base.total_drops),
        None => (parent.state.clone(), parent.header.total_drops),
    };
    let mut transactions: Vec<Arc<ClosedTx>> = Vec::new();
    let mut burned = 0u64;
    run_passes(set, |tx, retry| {
        let position = u32::try_from(transactions.len()).unwrap_or(u32::MAX);
        let flags = ApplyFlags { retry, claim: control.claims > 0, ..ApplyFlags::default() };
        let applied = apply(&mut state, &info, tx, flags, position);
        if let Some(meta) = applied.meta
            && applied.applied
        {
            if flags.claim && applied.result == TxResult::tecINVARIANT_FAILED {
                control.claims -= 1;
            }
            burned = burned.saturating_add(applied.fee);
            let closed = ClosedTx::new(Arc::clone(tx), info.index, position, &meta, applied.result);
            transactions.push(Arc::new(closed));
            if applied.result.is_tes() && tx.tx.tx_type() == TransactionType::Batch {
                let within = run_batch(&mut state, &info, tx, position.saturating_add(1));
                transactions
                    .extend(within.into_iter().map(|(tx, applied)| within_batch(tx, info.index, applied)));
            }
        }
        outcome((applied.result, applied.applied))
    });
    if rules.lists_hashes() {
        skip_list(&mut state, info.index, &parent.hash);
    }
    let header = LedgerHeader {
        index: info.index,
        total_drops: total_drops.saturating_sub(burned),
        parent_hash: parent.hash,
        transaction_hash: closed::transaction_hash(&transactions),
        account_hash: state.root_hash(),
        parent_close_time: parent.header.close_time,
        close_time,
        // There is always agreement here, so the finest resolution stays.
        close_time_resolution: parent.header.close_time_resolution,
        close_flags: 0,
    };
    ClosedLedger { header, hash: header.hash(), state, transactions, fees: parent.fees }
}

/// A transaction that a batch brought into the ledger.
fn within_batch(tx: Arc<Submitted>, ledger_index: u32, applied: Applied) -> Arc<ClosedTx> {
    // What is applied to a ledger that is not open has metadata, and that says its place.
    let meta = applied.meta.unwrap_or_default();
    let position = meta.u32(sf::TransactionIndex).unwrap_or(0);
    Arc::new(ClosedTx::new(tx, ledger_index, position, &meta, applied.result))
}

/// Adds the parent's hash to the list of the last 256, and every 256th to a list that stays.
pub(super) fn skip_list(state: &mut StateMap, ledger_index: u32, parent_hash: &Hash256) {
    let Some(parent_index) = ledger_index.checked_sub(1) else { return };
    if parent_index.is_multiple_of(256) {
        append(state, index::skip_list_for(parent_index), parent_index, parent_hash);
    }
    append(state, index::skip_list(), parent_index, parent_hash);
}

fn append(state: &mut StateMap, at: Hash256, parent_index: u32, parent_hash: &Hash256) {
    let mut entry = state.object(&at).cloned().unwrap_or_else(|| {
        Object::new().with(sf::LedgerEntryType, LedgerEntryType::LedgerHashes.code()).with(sf::Flags, 0u32)
    });
    let mut hashes = entry.vector256(sf::Hashes).map(<[Hash256]>::to_vec).unwrap_or_default();
    if hashes.len() >= SKIP_LIST_LEN {
        hashes.remove(0);
    }
    hashes.push(*parent_hash);
    entry.set(sf::Hashes, Value::Vector256(hashes));
    entry.set(sf::LastLedgerSequence, parent_index);
    state.insert(at, Entry::new(entry));
}
