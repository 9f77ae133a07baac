//! What a full ledger asks for: the fee levels, and how they follow from the ledgers before.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The fee level of a transaction that pays exactly its least fee.
pub const BASE_LEVEL: u64 = 256;

/// How the queue is set up. The default is the server's in standalone mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueSetup {
    /// Transactions a ledger takes at least before the fee rises.
    pub minimum_txn_in_ledger: u64,
    /// Transactions a ledger is expected to take where all goes well.
    pub target_txn_in_ledger: u64,
    /// By how much more than a large ledger the next may be, in percent.
    pub normal_consensus_increase_percent: u64,
    /// The least fee level, in 256ths of the base fee, that a full ledger asks for.
    pub minimum_escalation_multiplier: u64,
    /// How many ledgers' transactions the queue holds.
    pub ledgers_in_queue: u64,
    /// Transactions the queue holds at least.
    pub queue_size_min: u64,
    /// By how much a fee must be higher to replace a queued transaction, in percent.
    pub retry_sequence_percent: u64,
    /// Transactions one account may have in the queue.
    pub maximum_txn_per_account: usize,
    /// How many ledgers a queued transaction must be good for.
    pub minimum_last_ledger_buffer: u32,
}

impl Default for QueueSetup {
    fn default() -> QueueSetup {
        QueueSetup {
            minimum_txn_in_ledger: 1_000,
            target_txn_in_ledger: 256,
            normal_consensus_increase_percent: 20,
            minimum_escalation_multiplier: BASE_LEVEL * 500,
            ledgers_in_queue: 20,
            queue_size_min: 2_000,
            retry_sequence_percent: 25,
            maximum_txn_per_account: 10,
            minimum_last_ledger_buffer: 2,
        }
    }
}

/// How full ledger and queue are. Fee levels are in 256ths of the base fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueMetrics {
    /// Transactions in the queue.
    pub queue_size: u64,
    /// Transactions the queue holds at most; none before the first close.
    pub queue_size_max: Option<u64>,
    /// Transactions in the open ledger.
    pub ledger_size: u64,
    /// Transactions the open ledger takes before the fee rises.
    pub ledger_size_expected: u64,
    /// The least fee level the queue takes.
    pub minimum_level: u64,
    /// The median fee level of the last ledger, or the least escalation.
    pub median_level: u64,
    /// The fee level that gets a transaction into the open ledger.
    pub open_ledger_level: u64,
}

/// What the fee is reckoned from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FeeLevels {
    /// Transactions the open ledger takes before the fee rises.
    pub(super) expected: u64,
    /// What the median transaction of the last ledger paid, or the least escalation.
    pub(super) multiplier: u64,
    recent: VecDeque<u64>,
}

impl FeeLevels {
    pub(super) fn new(setup: &QueueSetup) -> FeeLevels {
        FeeLevels {
            expected: setup.minimum_txn_in_ledger,
            multiplier: setup.minimum_escalation_multiplier,
            recent: VecDeque::new(),
        }
    }

    /// Learns from what the transactions of a closed ledger paid.
    pub(super) fn learn(&mut self, mut paid: Vec<u64>, setup: &QueueSetup) {
        paid.sort_unstable();
        let size = count(paid.len());
        let target = setup.target_txn_in_ledger.max(setup.minimum_txn_in_ledger);
        if size > self.expected || size > target {
            let percent = setup.normal_consensus_increase_percent.saturating_add(100);
            self.recent.push_back(mul_div(size, percent, 100));
            while count(self.recent.len()) > setup.ledgers_in_queue.max(1) {
                self.recent.pop_front();
            }
            let largest = self.recent.iter().max().copied().unwrap_or(size);
            // Grow at once, shrink slowly.
            self.expected = if largest >= self.expected {
                largest
            } else {
                self.expected.saturating_mul(9).saturating_add(largest) / 10
            };
        }
        let middle = |at: usize| paid.get(at).copied().unwrap_or(0);
        let median = match paid.len() {
            0 => 0,
            len => middle(len / 2).saturating_add(middle((len - 1) / 2)).saturating_add(1) / 2,
        };
        self.multiplier = median.max(setup.minimum_escalation_multiplier);
    }

    /// The level that gets a transaction into an open ledger of this size: it rises with the square of how much
    /// fuller than expected that is.
    pub(super) fn required(&self, size: u64) -> u64 {
        if size <= self.expected {
            return BASE_LEVEL;
        }
        let expected = self.expected.max(1);
        mul_div(self.multiplier, size.saturating_mul(size), expected.saturating_mul(expected))
    }

    /// The levels that so many transactions, one after another, need in sum.
    pub(super) fn required_by_series(&self, size: u64, series: u64) -> Option<u64> {
        // Beyond this the sum of squares is past what counts.
        let squares = |upto: u64| (upto < 1 << 21).then(|| upto * (upto + 1) * (2 * upto + 1) / 6);
        let last = size.checked_add(series)?.checked_sub(1)?;
        let sum = squares(last)?.checked_sub(squares(size.saturating_sub(1))?)?;
        let expected = self.expected.max(1);
        Some(mul_div(self.multiplier, sum, expected.saturating_mul(expected)))
    }
}

pub(super) fn mul_div(value: u64, by: u64, of: u64) -> u64 {
    let product = u128::from(value) * u128::from(by);
    u64::try_from(product / u128::from(of.max(1))).unwrap_or(u64::MAX)
}

pub(super) fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_rises_with_the_square_of_what_is_over_the_expected_number() {
        let setup = QueueSetup { minimum_txn_in_ledger: 4, ..QueueSetup::default() };
        let mut levels = FeeLevels::new(&setup);
        // As recorded of the real server.
        for (size, level) in [(0, 256), (4, 256), (5, 200_000), (6, 288_000)] {
            assert_eq!(levels.required(size), level, "{size}");
        }
        assert_eq!(levels.required_by_series(5, 2), Some(200_000 + 288_000));
        levels.learn(vec![256; 10], &setup);
        assert_eq!((levels.expected, levels.required(12)), (12, 256));
        levels.learn(vec![1_000_000; 3], &setup);
        assert_eq!((levels.expected, levels.multiplier), (12, 1_000_000));
        levels.learn(Vec::new(), &setup);
        assert_eq!(levels.multiplier, setup.minimum_escalation_multiplier);
    }
}
