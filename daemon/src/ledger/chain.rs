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
}

#[derive(Clone, Copy, Debug)]
struct Step {
    hash: Hash256,
    /// Known once the header was read.
    close_time: Option<RippleTime>,
}

impl Chain {
    /// Of a ledger that was agreed on.
    pub(super) fn from_top(index: LedgerIndex, hash: Hash256) -> Self {
        Self { top: index.0, steps: vec![Step { hash, close_time: None }] }
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
        }
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

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.steps.clear();
    }
}
