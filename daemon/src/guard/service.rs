//! The guard itself: it makes conditions, gives shares, and is stopped.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use treasury_core::units::HexBytes;
use zeroize::Zeroizing;

use super::declined::Declined;
use super::key::Keys;
use super::metrics::GuardMetrics;
use super::policy::Policy;
use super::sight::{Seen, Sight};
use super::stops::{Stop, StopId, Subject};
use super::store::{Book, Record};
use super::terms::Terms;
use crate::clock;
use crate::lines;
use crate::store::StoreError;

/// Conditions that are kept at most: a daemon that asks for them without end fills no disk.
const RECORDS_MAX: usize = 100_000;

/// Conditions of one escrow's key at most: a Ticket is planned with again where nothing came of it.
const RECORDS_OF_KEY_MAX: usize = 256;

/// Records are kept so long beyond CancelAfter and every period: for people who look back.
const KEPT_SECONDS: u32 = 31 * 86_400;

/// The guard.
pub struct Guard {
    policy: Policy,
    sight: Sight,
    keys: Keys,
    lift_by_another: bool,
    book: Mutex<Book>,
    metrics: GuardMetrics,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Why a stop was not lifted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLifted {
    /// There is none.
    #[error("no stop {0} stands")]
    Unknown(StopId),
    /// Whoever set it may not lift it.
    #[error("{0} was set by you, and somebody else has to lift it")]
    Own(StopId),
    /// The store does not take it.
    #[error("the guard's store failed")]
    Store,
}

impl Guard {
    /// One with this policy, these servers, keys and store.
    #[must_use]
    pub fn new(
        policy: Policy,
        sight: Sight,
        keys: Keys,
        lift_by_another: bool,
        book: Book,
        metrics: GuardMetrics,
    ) -> Self {
        let guard = Self { policy, sight, keys, lift_by_another, book: Mutex::new(book), metrics };
        guard.count(&guard.book());
        guard
    }

    /// What can be measured.
    #[must_use]
    pub fn metrics(&self) -> &GuardMetrics {
        &self.metrics
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Each change is whole or not there, whoever panics.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, book: &Book) {
        self.metrics.standing(book.records().count(), book.stops().count());
    }

    /// The condition of an escrow with these terms; the same whenever it is asked for. Blocks.
    ///
    /// # Errors
    /// Why there is none.
    pub fn condition(&self, terms: &Terms) -> Result<HexBytes, Declined> {
        let made = self.make_condition(terms);
        self.metrics.condition(made.as_ref().map(drop).map_err(Declined::code));
        match &made {
            Ok(condition) => {
                lines::guard_condition_made(terms.key(), terms.amount.words(), terms.destination, condition)
            }
            Err(declined) => lines::guard_declined("condition", terms.key(), declined.code(), declined),
        }
        made
    }

    fn make_condition(&self, terms: &Terms) -> Result<HexBytes, Declined> {
        let mut book = self.book();
        if let Some(stop) = book.stopped(terms) {
            return Err(Declined::Stopped(stop.clone()));
        }
        self.policy.of_terms(terms)?;
        if let Some(record) = book.record(terms) {
            return Ok(record.condition.clone());
        }
        let kept = KEPT_SECONDS.saturating_add(self.policy.longest_period_seconds());
        let before = treasury_core::units::RippleTime(clock::utc().0.saturating_sub(kept));
        book.prune(before).map_err(failed)?;
        let of_key = book.records_of(terms.key()).count();
        if book.records().count() >= RECORDS_MAX || of_key >= RECORDS_OF_KEY_MAX {
            return Err(Declined::Full);
        }
        let key_version = self.keys.newest();
        let condition = self.keys.condition(terms, key_version)?;
        let record = Record { terms: terms.clone(), condition: condition.clone(), key_version, given: None };
        book.put(record).map_err(failed)?;
        self.count(&book);
        Ok(condition)
    }

    /// The guard's share for the release of the escrow with these terms.
    ///
    /// # Errors
    /// Why it is not given.
    pub async fn share(self: &std::sync::Arc<Self>, terms: Terms) -> Result<Zeroizing<[u8; 32]>, Declined> {
        let shared = self.look_and_share(&terms).await;
        self.metrics.share(shared.as_ref().map(drop).map_err(Declined::code));
        match &shared {
            Ok(_) => lines::guard_share_given(terms.key(), terms.amount.words(), terms.destination),
            Err(declined) => lines::guard_declined("share", terms.key(), declined.code(), declined),
        }
        shared
    }

    async fn look_and_share(
        self: &std::sync::Arc<Self>,
        terms: &Terms,
    ) -> Result<Zeroizing<[u8; 32]>, Declined> {
        // What needs no look at the ledger is answered without one.
        self.known(&self.book(), terms)?;
        let seen = self.sight.look(terms.key(), &self.policy.owners).await?;
        let (guard, terms) = (std::sync::Arc::clone(self), terms.clone());
        let given = tokio::task::spawn_blocking(move || guard.give(&terms, &seen)).await;
        given.map_err(|_| Declined::Store)?
    }

    /// The record of these terms, where nothing is stopped and policy has nothing against them.
    fn known<'a>(&self, book: &'a Book, terms: &Terms) -> Result<&'a Record, Declined> {
        if let Some(stop) = book.stopped(terms) {
            return Err(Declined::Stopped(stop.clone()));
        }
        let record = book.record(terms).ok_or_else(|| {
            let key = terms.key();
            if book.knows(key) { Declined::OtherTerms(key) } else { Declined::Unknown(key) }
        })?;
        self.policy.of_terms(terms)?;
        Ok(record)
    }

    /// Everything once more, with what was seen, and alone: what comes at the same time waits, and so does whoever stops it.
    fn give(&self, terms: &Terms, seen: &Seen) -> Result<Zeroizing<[u8; 32]>, Declined> {
        let mut book = self.book();
        let record = self.known(&book, terms)?.clone();
        let (escrow, made_at) = seen.escrow.as_ref().ok_or_else(|| Declined::NoEscrow(terms.key()))?;
        if let Some(differs) = terms.differs(escrow, &record.condition) {
            return Err(Declined::Differs(differs));
        }
        if let Some(other) = seen.shared {
            return Err(Declined::Shared(other));
        }
        self.policy.of_times(terms, *made_at, seen.now)?;
        let share = self.keys.share(terms, record.key_version)?;
        // Given once, it is given again: the answer may have been lost, and it is counted.
        if record.given.is_none() {
            self.policy.of_sums(&terms.amount, seen.now, book.given())?;
            book.put(Record { given: Some(seen.now), ..record }).map_err(failed)?;
        }
        Ok(share)
    }

    /// Stops something. It binds when this returns. Blocks.
    ///
    /// # Errors
    /// Where it could not be made durable.
    pub fn stop(&self, subject: Subject, reason: &str, by: &str) -> Result<Stop, StoreError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut book = self.book();
        let stop = book.stop(subject, reason.to_owned(), by.to_owned(), now)?;
        self.count(&book);
        drop(book);
        lines::guard_stopped(stop.id, stop.subject, by, reason);
        Ok(stop)
    }

    /// Lifts a stop. Blocks.
    ///
    /// # Errors
    /// Why it stays.
    pub fn lift(&self, id: StopId, by: &str) -> Result<(), NotLifted> {
        let mut book = self.book();
        let stop = book.stop_of(id).ok_or(NotLifted::Unknown(id))?;
        if self.lift_by_another && stop.by == by {
            return Err(NotLifted::Own(id));
        }
        book.lift(id).map_err(|error| {
            let _ = failed(error);
            NotLifted::Store
        })?;
        self.count(&book);
        drop(book);
        lines::guard_lifted(id, by);
        Ok(())
    }

    /// The stops that stand.
    #[must_use]
    pub fn stops(&self) -> Vec<Stop> {
        self.book().stops().cloned().collect()
    }

    /// The conditions that were made for an escrow, or all of them.
    #[must_use]
    pub fn records(&self, of: Option<treasury_core::units::EscrowKey>) -> Vec<Record> {
        let book = self.book();
        match of {
            Some(escrow) => book.records_of(escrow).cloned().collect(),
            None => book.records().cloned().collect(),
        }
    }
}

fn failed(error: StoreError) -> Declined {
    tracing::error!(%error, "the guard's store failed");
    Declined::Store
}
