//! The way from an agreed ledger back to the one taken last: hashes, each proven by the header of the
//! ledger after it.

use treasury_core::observe::LedgerPoint;
use treasury_core::units::{Hash256, LedgerIndex, RippleTime};
use xrpl_wire::LedgerHeader;

/// Ledgers that wait to be taken, by their hashes. What is in it has been agreed on by way of its top.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Index of the first of `steps`.
    top: u32,
    /// From the agreed ledger down.
    steps: Vec<Step>,
    /// A chain that was given up, because it was no longer sure that its top was agreed on. Where a new one
    /// comes to one of its hashes, the way down from there is known already.
    before: (u32, Vec<Step>),
}

#[derive(Clone, Copy, Debug)]
struct Step {
    hash: Hash256,
    /// Known once the header was read.
    close_time: Option<RippleTime>,
}

impl Chain {
    /// Begins anew, at a ledger that was agreed on. Whatever lies at or below `floor` is not gone to.
    pub(super) fn begin(&mut self, index: LedgerIndex, hash: Hash256, floor: LedgerIndex) {
        (self.top, self.steps) = (index.0, vec![Step { hash, close_time: None }]);
        self.join(floor);
    }

    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The lowest ledger: the next to take, once the chain reaches down to the cursor.
    pub(super) fn lowest(&self) -> Option<(u32, Hash256)> {
        let below = u32::try_from(self.steps.len().checked_sub(1)?).ok()?;
        Some((self.top.checked_sub(below)?, self.steps.last()?.hash))
    }

    /// The top.
    pub(super) fn highest(&self) -> Option<(u32, Hash256)> {
        Some((self.top, self.steps.first()?.hash))
    }

    /// Notes the header of the lowest ledger, whose hash has been checked, and goes on to its parent
    /// unless that is at or below `floor`.
    pub(super) fn descend(&mut self, header: &LedgerHeader, floor: LedgerIndex) {
        let below = header.index.saturating_sub(1);
        if let Some(lowest) = self.steps.last_mut() {
            lowest.close_time = Some(header.close_time);
        }
        if below > floor.0 {
            self.steps.push(Step { hash: header.parent_hash, close_time: None });
            self.join(floor);
        }
    }

    /// Goes on along the chain that was given up, where the lowest ledger is one of its.
    fn join(&mut self, floor: LedgerIndex) {
        let Some((index, hash)) = self.lowest() else { return };
        let (top, steps) = &self.before;
        let Some(at) = top.checked_sub(index).and_then(|above| usize::try_from(above).ok()) else { return };
        if steps.get(at).is_none_or(|step| step.hash != hash) {
            return;
        }
        let above_floor = usize::try_from(index.saturating_sub(floor.0)).unwrap_or(usize::MAX);
        self.steps.pop();
        self.steps.extend(steps.iter().skip(at).take(above_floor));
        self.before = (0, Vec::new());
    }

    /// The lowest ledgers whose headers were read, ascending, at most so many.
    pub(super) fn lowest_points(&self, most: usize) -> Vec<LedgerPoint> {
        let Some((lowest, _)) = self.lowest() else { return Vec::new() };
        let steps = self.steps.iter().rev().take(most).zip(lowest..);
        steps
            .map_while(|(step, index)| {
                let close_time = step.close_time?;
                Some(LedgerPoint { index: LedgerIndex(index), hash: step.hash, close_time })
            })
            .collect()
    }

    /// The lowest was taken.
    pub(super) fn pop(&mut self) {
        self.steps.pop();
    }

    /// Gives up what was agreed on. What it leads to stays known: a chain of hashes is as it is, whoever names
    /// its top.
    pub(super) fn clear(&mut self) {
        if !self.steps.is_empty() {
            self.before = (self.top, std::mem::take(&mut self.steps));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of a history in which each ledger's hash is its number and the history's.
    fn header(history: u8, index: u32) -> LedgerHeader {
        LedgerHeader {
            index,
            total_drops: 0,
            parent_hash: hash(history, index - 1),
            transaction_hash: Hash256::ZERO,
            account_hash: Hash256::ZERO,
            parent_close_time: RippleTime(0),
            close_time: RippleTime(index),
            close_time_resolution: 10,
            close_flags: 0,
        }
    }

    /// Histories are one up to ledger 20.
    fn hash(history: u8, index: u32) -> Hash256 {
        let mut bytes = [if index <= 20 { 0 } else { history }; 32];
        bytes[28..].copy_from_slice(&index.to_be_bytes());
        Hash256(bytes)
    }

    /// Down to the floor; how many headers were asked for.
    fn descend(chain: &mut Chain, history: u8, floor: u32) -> u32 {
        let mut asked = 0;
        while let Some((lowest, found)) = chain.lowest().filter(|(lowest, _)| *lowest > floor + 1) {
            assert_eq!(found, hash(history, lowest));
            chain.descend(&header(history, lowest), LedgerIndex(floor));
            asked += 1;
        }
        assert_eq!(chain.lowest(), Some((floor + 1, hash(history, floor + 1))));
        asked
    }

    #[test]
    fn a_chain_that_is_given_up_is_not_walked_again() {
        let mut chain = Chain::default();
        let begin = |chain: &mut Chain, history, top, floor| {
            chain.begin(LedgerIndex(top), hash(history, top), LedgerIndex(floor));
            descend(chain, history, floor)
        };
        assert_eq!(begin(&mut chain, 1, 60, 5), 54);
        chain.clear();
        assert!(chain.is_empty());
        // Some were taken meanwhile, and some have come.
        assert_eq!(begin(&mut chain, 1, 63, 8), 3);
        assert_eq!(chain.len(), 55);
        assert!(chain.lowest_points(100).iter().all(|point| point.close_time.0 == point.index.0));
        chain.clear();
        // Another history has another way, as far as it is another.
        assert_eq!(begin(&mut chain, 2, 40, 8), 20);
        assert_eq!(chain.len(), 32);
        chain.clear();
        chain.clear();
        assert_eq!(begin(&mut chain, 2, 40, 8), 0);
    }

    #[test]
    fn a_chain_that_was_given_up_half_way_is_gone_on_with() {
        let mut chain = Chain::default();
        chain.begin(LedgerIndex(60), hash(1, 60), LedgerIndex(5));
        for index in (31..=60).rev() {
            chain.descend(&header(1, index), LedgerIndex(5));
        }
        chain.clear();
        chain.begin(LedgerIndex(61), hash(1, 61), LedgerIndex(5));
        assert_eq!(descend(&mut chain, 1, 5), 1 + 24);
    }
}
