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
    /// It was waited for already.
    waited: bool,
    /// A ledger was closed for it already.
    had_ledger: bool,
}

impl Pursued {
    /// What there is to wait for after a submission; nothing if it was no transaction.
    pub(super) fn of(outcome: &SubmitOutcome) -> Option<Pursued> {
        let tx = outcome.tx.as_ref().filter(|_| outcome.refused.is_none())?;
        let now = outcome.validated_ledger_index;
        // The ledger after the last one shows that the transaction is too late.
        let last =
            tx.last_ledger_sequence().map_or(now.saturating_add(LEDGERS), |last| last.saturating_add(1));
        let last = last.min(now.saturating_add(LEDGERS_MAX));
        Some(Pursued { id: tx.id(), last, waited: false, had_ledger: false })
    }

    /// Whether it is the transaction of an id.
    pub(super) fn is(&self, id: &Hash256) -> bool {
        self.id == *id
    }

    /// Notes that a ledger closes for it.
    pub(super) fn has_ledger(&mut self) {
        self.had_ledger = true;
    }

    /// Whether one did already.
    pub(super) fn had_ledger(&self) -> bool {
        self.had_ledger
    }

    /// Notes that it has been waited for, and says whether it had been before, if only by the close of a ledger.
    pub(super) fn has_waited(&mut self) -> bool {
        std::mem::replace(&mut self.waited, true) || self.had_ledger
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
                () = tokio::time::sleep(PACE) => shared.close_for_waiting(),
                () = shared.stopped() => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use xrpl_wire::{AccountId, Drops};

    use super::*;
    use crate::embedded::Ledger;
    use crate::server::{Event, genesis_keys, payment};

    fn closing_on_submit() -> Shared {
        Shared::alone(true)
    }

    fn to_somebody(ledger: &Ledger) -> xrpl_wire::Transaction {
        let drops = Drops::new(5_000_000).unwrap();
        payment(ledger, &genesis_keys().unwrap(), &AccountId([5; 20]), drops).unwrap()
    }

    #[tokio::test]
    async fn a_submission_whose_reply_nobody_takes_gets_its_ledger() {
        let shared = closing_on_submit();
        let mut events = shared.events();
        let tx = to_somebody(&shared.read());
        // As of a socket that was cut before the reply could leave.
        assert!(shared.submit(tx.blob()).applied);
        let closed = async {
            loop {
                match events.next().await {
                    Some(Event::Closed(closed)) => break closed,
                    Some(_) => {}
                    None => panic!("the server is gone"),
                }
            }
        };
        tokio::select! {
            () = pursue(&shared) => panic!("it stopped"),
            closed = tokio::time::timeout(100 * PACE, closed) => {
                assert_eq!(closed.expect("a ledger").transactions[0].id, tx.id());
            }
        }
    }

    /// One who waits may look at any moment, also between a submission and its reply.
    #[test]
    fn a_submission_gets_its_ledger_with_its_reply_whenever_it_was_waited_for() {
        let shared = closing_on_submit();
        let tx = to_somebody(&shared.read());
        assert!(shared.submit(tx.blob()).applied);
        shared.close_for_waiting();
        assert_eq!(shared.read().validated().header.index, 2, "its reply comes first");
        shared.close_for_submitted();
        assert_eq!(shared.read().validated().transactions.len(), 1);
        assert!(!shared.is_pursuing());
        shared.close_for_submitted();
        assert_eq!(shared.read().validated().header.index, 3);
    }

    #[test]
    fn nobody_waits_in_a_ledger_that_is_put_back_for_what_came_after_it() {
        let shared = closing_on_submit();
        let fresh = shared.read().clone();
        let first = to_somebody(&fresh);
        shared.submit(first.blob());
        shared.close();
        // Too late for a ledger, and pursued for some to come.
        let late = to_somebody(&fresh);
        shared.submit(late.blob());
        assert!(!shared.is_pursuing(), "it is in one already");
        let drops = Drops::new(7_000_000).unwrap();
        let other = payment(&fresh, &genesis_keys().unwrap(), &AccountId([6; 20]), drops).unwrap();
        shared.submit(other.blob());
        assert!(shared.is_pursuing());
        shared.restore(fresh);
        shared.close_for_submitted();
        assert!(!shared.is_pursuing());
        assert_eq!(shared.read().validated().header.index, 2);
    }
}
