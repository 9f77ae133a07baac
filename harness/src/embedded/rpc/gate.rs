//! A server whose ledger is full, for tests of fees: what pays too little for the moment waits.
//!
//! The ledger itself has room for everything. This stands before it and asks for a multiple of the fee, as the real
//! server's escalation does, but by a factor that the test sets instead of one that the crowd makes.

use xrpl_wire::{SeqProxy, Transaction, TxResult};

use super::{Effects, Proposed};
use crate::embedded::{Ledger, SubmitOutcome};

/// How many transactions of one account may wait, as on the real server.
const WAITING_OF_ACCOUNT_MAX: usize = 10;

/// A queued transaction gives way to another of the same Sequence or Ticket that pays this many percent of its fee.
const REPLACES_PERCENT: u64 = 125;

/// What a server asks for the way into its open ledger, and who waits outside.
#[derive(Debug, Clone, Default)]
pub struct FeeGate {
    /// How many times the usual fee it asks; 0 and 1 for no more than usual.
    factor: u32,
    waiting: Vec<Transaction>,
}

impl FeeGate {
    /// How many times the usual fee it asks, at least 1.
    #[must_use]
    pub fn factor(&self) -> u32 {
        self.factor.max(1)
    }

    /// How many transactions wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Asks another multiple of the fee from now on, and lets in who pays it.
    pub fn set_factor(&mut self, factor: u32, ledger: &mut Ledger, effects: &mut Effects) {
        self.factor = factor;
        self.let_in(ledger, effects);
    }

    /// Forgets who waits: the ledger they waited for is gone.
    pub fn forget_waiting(&mut self) {
        self.waiting.clear();
    }

    /// Submits a transaction to the ledger if it pays enough for the moment, or keeps it waiting.
    pub fn submit(
        &mut self,
        ledger: &mut Ledger,
        blob: &[u8],
        fail_hard: bool,
        effects: &mut Effects,
    ) -> SubmitOutcome {
        if self.factor() == 1 && self.waiting.is_empty() {
            return pass(ledger, blob, fail_hard, effects);
        }
        // Only what the ledger would take can wait for it; all else is answered as ever.
        let mut outcome = ledger.clone().submit_as(blob, fail_hard);
        let Some(tx) = outcome.tx.clone().filter(|_| outcome.applied) else {
            return pass(ledger, blob, fail_hard, effects);
        };
        let slot = self.waiting.iter().position(|other| slot_of(other) == slot_of(&tx));
        let asked = self.asks(ledger, &tx);
        if tx.fee().get() >= asked {
            if let Some(slot) = slot {
                self.waiting.remove(slot);
            }
            outcome = pass(ledger, blob, fail_hard, effects);
            outcome.open_ledger_cost = asked;
            return outcome;
        }
        outcome.open_ledger_cost = asked;
        outcome.applied = false;
        outcome.kept = false;
        outcome.result = self.enqueue(tx, slot);
        outcome.queued = outcome.result == TxResult::terQUEUED;
        outcome.broadcast = outcome.queued;
        outcome
    }

    /// Lets in who pays enough by now, the dearest first, and forgets who came too late.
    pub fn let_in(&mut self, ledger: &mut Ledger, effects: &mut Effects) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_by_key(|tx| std::cmp::Reverse(tx.fee()));
        for tx in waiting {
            if tx.last_ledger_sequence().is_some_and(|last| last < ledger.open().index()) {
                continue;
            }
            if tx.fee().get() >= self.asks(ledger, &tx) {
                pass(ledger, &tx.encode(), false, effects);
            } else {
                self.waiting.push(tx);
            }
        }
    }

    fn enqueue(&mut self, tx: Transaction, slot: Option<usize>) -> TxResult {
        let of_account = self.waiting.iter().filter(|other| other.account() == tx.account()).count();
        match slot.and_then(|slot| self.waiting.get_mut(slot)) {
            Some(other) => {
                let least = u128::from(other.fee().get()) * u128::from(REPLACES_PERCENT);
                if u128::from(tx.fee().get()) * 100 < least {
                    return TxResult::telCAN_NOT_QUEUE_FEE;
                }
                *other = tx;
            }
            None if of_account >= WAITING_OF_ACCOUNT_MAX => return TxResult::telCAN_NOT_QUEUE_FULL,
            None => self.waiting.push(tx),
        }
        TxResult::terQUEUED
    }

    /// What a transaction must pay now, in drops.
    fn asks(&self, ledger: &Ledger, tx: &Transaction) -> u64 {
        ledger.required_fee(tx).saturating_mul(u64::from(self.factor()))
    }
}

/// What two versions of one intent share.
fn slot_of(tx: &Transaction) -> (xrpl_wire::AccountId, SeqProxy) {
    (tx.account(), tx.seq())
}

/// Submits to the ledger, and notes what subscribers want to know.
fn pass(ledger: &mut Ledger, blob: &[u8], fail_hard: bool, effects: &mut Effects) -> SubmitOutcome {
    let outcome = ledger.submit_as(blob, fail_hard);
    if let (true, Some(tx)) = (outcome.applied, &outcome.tx) {
        let ledger_index = ledger.open().index();
        effects.proposed.push(Proposed { tx: tx.clone(), result: outcome.result, ledger_index });
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use xrpl_wire::{Drops, KeyPair, Seed, sign};

    use super::*;
    use crate::embedded::{CloseTime, GENESIS_SEED, GenesisConfig};

    /// A signed payment of the genesis account, with this fee in drops.
    fn payment(sequence: u32, fee: u64) -> Vec<u8> {
        let keys = KeyPair::from_seed(&Seed::from_str(GENESIS_SEED).unwrap());
        let json = serde_json::json!({"TransactionType": "Payment", "Account": keys.account_id().to_string(),
            "Destination": "r9EPYxLYfjUfNqe385KJtFV35Ti4P347pR", "Amount": "5000000", "Sequence": sequence,
            "Fee": Drops::new(fee).unwrap(), "SigningPubKey": keys.public_key().to_string()});
        sign::sign_single(&Transaction::from_json(&json).unwrap(), &keys).unwrap().encode()
    }

    #[test]
    fn what_pays_too_little_waits_and_gives_way_to_what_pays_enough() {
        let mut ledger = Ledger::genesis(GenesisConfig::default());
        let (mut gate, mut effects) = (FeeGate::default(), Effects::default());
        gate.set_factor(1000, &mut ledger, &mut effects);
        for (fee, result) in [
            (10, TxResult::terQUEUED),
            (12, TxResult::telCAN_NOT_QUEUE_FEE),
            (100, TxResult::terQUEUED),
            (10_000, TxResult::tesSUCCESS),
        ] {
            let outcome = gate.submit(&mut ledger, &payment(1, fee), false, &mut effects);
            assert_eq!((outcome.result, outcome.open_ledger_cost), (result, 10_000), "{fee}");
        }
        assert_eq!((gate.waiting(), effects.proposed.len()), (0, 1));
        assert_eq!(ledger.close(CloseTime::Next).transactions.len(), 1);
    }

    #[test]
    fn what_waits_is_let_in_when_the_fee_falls_unless_it_is_too_late() {
        let mut ledger = Ledger::genesis(GenesisConfig::default());
        let (mut gate, mut effects) = (FeeGate::default(), Effects::default());
        gate.set_factor(50, &mut ledger, &mut effects);
        let queued = gate.submit(&mut ledger, &payment(1, 10), false, &mut effects);
        assert!(queued.queued && !queued.applied);
        let malformed = gate.submit(&mut ledger, b"x", false, &mut effects);
        assert!(malformed.refused.is_some());
        ledger.close(CloseTime::Next);
        gate.let_in(&mut ledger, &mut effects);
        assert_eq!(gate.waiting(), 1);
        gate.set_factor(1, &mut ledger, &mut effects);
        assert_eq!((gate.waiting(), effects.proposed.len()), (0, 1));
        assert_eq!(ledger.close(CloseTime::Next).transactions.len(), 1);
    }
}
