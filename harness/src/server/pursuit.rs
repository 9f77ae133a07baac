//! Closing ledgers for what was submitted, so that whoever waits for it never waits in vain.
//!
//! A transaction that is taken is in the ledger that closes right after its reply. One that is queued, or comes too
//! early, or cannot be taken at all needs further ledgers: until it is in one, or none can have it any more. Clients
//! that submit and wait look at just that, and would wait for ever on a ledger that stands still.

use std::time::Duration;

use xrpl_wire::Hash256;

use super::shared::Shared;
use crate::embedded::{FoundTx, Ledger, SubmitOutcome};

/// Between two such ledgers; real ones take forty times as long.
const PACE: Duration = Duration::from_millis(100);

/// A transaction without LastLedgerSequence is tried by the ledger itself for so many ledgers.
const LEDGERS: u32 = 6;

/// A client that names a last ledger far away gets this many at most: after them it is on its own.
const LEDGERS_MAX: u32 = 64;

/// A transaction that somebody waits for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pursued {
    id: Hash256,
    /// Once a ledger of this index is closed it is given up.
    last: u32,
}

impl Pursued {
    /// What there is to wait for after a submission; nothing if it was no transaction.
    pub(super) fn of(outcome: &SubmitOutcome) -> Option<Pursued> {
        let tx = outcome.tx.as_ref().filter(|_| outcome.refused.is_none())?;
        let now = outcome.validated_ledger_index;
        // The ledger after the last one shows that the transaction is too late.
        let last =
            tx.last_ledger_sequence().map_or(now.saturating_add(LEDGERS), |last| last.saturating_add(1));
        Some(Pursued { id: tx.id(), last: last.min(now.saturating_add(LEDGERS_MAX)) })
    }

    /// Whether it is still worth closing a ledger.
    pub(super) fn is_open(&self, ledger: &Ledger) -> bool {
        ledger.validated().header.index < self.last
            && !matches!(ledger.transaction(&self.id), Some(FoundTx::Closed(..)))
    }
}

/// Closes ledgers for what is pursued, until the server stops.
pub(super) async fn pursue(shared: &Shared) {
    loop {
        tokio::select! {
            () = shared.pursuit_begins() => {}
            () = shared.stopped() => return,
        }
        while shared.is_pursuing() {
            tokio::select! {
                () = tokio::time::sleep(PACE) => shared.close_for_submitted(),
                () = shared.stopped() => return,
            }
        }
    }
}
