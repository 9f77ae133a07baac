//! What the server shows of the ledger: all of it, unless it is behind or lies.

use std::sync::Arc;

use super::faults::Faults;
use crate::embedded::{ClosedLedger, Ledger};

/// The ledger as clients see it.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The last validated ledger that was shown.
    index: u32,
    /// What is shown where it is not the ledger itself.
    shown: Option<Arc<Ledger>>,
}

impl View {
    /// The ledger itself.
    pub(super) fn of(ledger: &Ledger) -> View {
        View { index: ledger.validated().header.index, shown: None }
    }

    /// What is shown instead of the ledger; none where it is the ledger itself.
    pub(super) fn shown(&self) -> Option<&Arc<Ledger>> {
        self.shown.as_ref()
    }

    /// Goes as far as the faults allow, and answers with the ledgers that come into sight, oldest first.
    pub(super) fn follow(&mut self, ledger: &Ledger, faults: &Faults) -> Vec<Arc<ClosedLedger>> {
        let last = ledger.validated().header.index;
        let before = self.index.min(last);
        // What was shown once stays shown.
        let now = last.saturating_sub(faults.lag).max(before);
        let lies = faults.lie != 0 && faults.lie <= now;
        let told = |index| {
            let other = if index == faults.lie { ledger.other_at(index) } else { None };
            other.or_else(|| ledger.closed(index).cloned())
        };
        let fresh: Vec<Arc<ClosedLedger>> = (before.saturating_add(1)..=now).filter_map(told).collect();
        self.index = now;
        self.shown = match self.shown.take() {
            _ if now == last && !lies => None,
            Some(mut shown) => {
                let follower = Arc::make_mut(&mut shown);
                fresh.iter().for_each(|closed| follower.follow(Arc::clone(closed)));
                Some(shown)
            }
            None => Some(Arc::new(anew(ledger, now, lies.then_some(faults.lie)))),
        };
        fresh
    }

    /// The faults have changed: what is shown is made anew, as far as it went.
    pub(super) fn reset(&mut self) {
        self.shown = None;
    }
}

/// The ledger up to an index, with another in the place of the one that is lied about.
fn anew(ledger: &Ledger, last: u32, lie: Option<u32>) -> Ledger {
    let Some((lie, other)) = lie.and_then(|lie| Some((lie, ledger.other_at(lie)?))) else {
        return ledger.as_of(last);
    };
    let mut shown = ledger.as_of(lie.saturating_sub(1));
    shown.follow(other);
    (lie.saturating_add(1)..=last)
        .filter_map(|index| ledger.closed(index))
        .for_each(|closed| shown.follow(Arc::clone(closed)));
    shown
}
