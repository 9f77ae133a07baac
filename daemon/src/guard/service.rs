//! The guard itself: it makes conditions, gives shares, and is stopped.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use treasury_core::units::{HexBytes, RippleTime};
use zeroize::Zeroizing;

use super::declined::Declined;
use super::key::Keys;
use super::metrics::GuardMetrics;
use super::policy::Policy;
use super::sight::{Seen, Sight};
use super::stops::{Stop, StopId, Subject};
use super::store::{Book, Deed, Record};
use super::terms::Terms;
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
                lines::guard_condition_made(terms.key(), terms.amount.words(), terms.recipient(), condition)
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
        let of_key = book.records_of(terms.key()).count();
        if of_key >= RECORDS_OF_KEY_MAX {
            // A Ticket is planned with again only where nothing came of it before, so what nothing was given for makes room.
            // Were it there all the same, its money would come back.
            book.drop_oldest(terms.key()).map_err(failed)?;
        }
        if book.records().count() >= RECORDS_MAX || book.records_of(terms.key()).count() >= RECORDS_OF_KEY_MAX
        {
            return Err(Declined::Full);
        }
        let key_version = self.keys.newest();
        let condition = self.keys.condition(terms, key_version, book.nonce())?;
        let record = Record { terms: terms.clone(), condition: condition.clone(), key_version, given: None };
        book.put(record).map_err(failed)?;
        self.count(&book);
        Ok(condition)
    }

    /// The condition that was made of these terms before: for a daemon that has lost its records. Blocks.
    ///
    /// # Errors
    /// [`Declined::Unknown`] and [`Declined::OtherTerms`].
    pub fn known_condition(&self, terms: &Terms) -> Result<HexBytes, Declined> {
        recorded(&self.book(), terms).map(|record| record.condition.clone())
    }

    /// The guard's share for the release of the escrow with these terms.
    ///
    /// # Errors
    /// Why it is not given.
    pub async fn share(self: &std::sync::Arc<Self>, terms: Terms) -> Result<Zeroizing<[u8; 32]>, Declined> {
        let shared = self.look_and_share(&terms).await;
        self.metrics.share(shared.as_ref().map(drop).map_err(Declined::code));
        match &shared {
            Ok(_) => lines::guard_share_given(terms.key(), terms.amount.words(), terms.recipient()),
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
        let record = recorded(book, terms)?;
        self.policy.of_terms(terms)?;
        Ok(record)
    }

    /// Everything once more, with what was seen, and alone: what comes at the same time waits, and so does whoever stops it.
    fn give(&self, terms: &Terms, seen: &Seen) -> Result<Zeroizing<[u8; 32]>, Declined> {
        let mut book = self.book();
        // By the ledger's time, on which the servers agree: a clock of this host that is wrong must forget nothing.
        let kept = KEPT_SECONDS.saturating_add(self.policy.longest_period_seconds());
        book.prune(RippleTime(seen.now.0.saturating_sub(kept))).map_err(failed)?;
        let record = self.known(&book, terms)?.clone();
        let (escrow, made_at) = seen.escrow.as_ref().ok_or_else(|| Declined::NoEscrow(terms.key()))?;
        if let Some(differs) = terms.differs(escrow, &record.condition) {
            return Err(Declined::Differs(differs));
        }
        if let Some(other) = seen.shared {
            return Err(Declined::Shared(other));
        }
        self.policy.of_times(terms, *made_at, seen.now)?;
        let share = self.keys.share(terms, record.key_version, book.nonce())?;
        // Given once, it is given again: the answer may have been lost, and it is counted.
        if record.given.is_none() {
            self.policy.of_sums(&terms.amount, seen.now, book.given())?;
            book.give(record, seen.now, unix_now()).map_err(failed)?;
        }
        Ok(share)
    }

    /// Stops something. It binds when this returns. Blocks.
    ///
    /// # Errors
    /// Where it could not be made durable.
    pub fn stop(&self, subject: Subject, reason: &str, by: &str) -> Result<Stop, StoreError> {
        let mut book = self.book();
        let stop = book.stop(subject, reason.to_owned(), by.to_owned(), unix_now())?;
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
        let stop = book.stop_of(id).ok_or(NotLifted::Unknown(id))?.clone();
        if self.lift_by_another && stop.by == by {
            return Err(NotLifted::Own(id));
        }
        book.lift(&stop, by, unix_now()).map_err(|error| {
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

    /// What was done before the deed of that number, or last, newest first.
    ///
    /// # Errors
    /// What the store says.
    pub fn deeds(&self, before: Option<u64>, most: usize) -> Result<Vec<Deed>, StoreError> {
        self.book().deeds(before, most)
    }

    /// The conditions whose shares were not given before the others, of each those first that can be released first; at most
    /// so many.
    #[must_use]
    pub fn list(&self, most: usize) -> Vec<Record> {
        let book = self.book();
        let mut records: Vec<&Record> = book.records().collect();
        records.sort_unstable_by_key(|record| {
            let given = record.given.map(std::cmp::Reverse);
            (given.is_some(), given, record.terms.finish_after, record.terms.key())
        });
        records.into_iter().take(most).cloned().collect()
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

fn recorded<'a>(book: &'a Book, terms: &Terms) -> Result<&'a Record, Declined> {
    book.record(terms).ok_or_else(|| {
        let key = terms.key();
        if book.knows(key) { Declined::OtherTerms(key) } else { Declined::Unknown(key) }
    })
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn failed(error: StoreError) -> Declined {
    tracing::error!(%error, "the guard's store failed");
    Declined::Store
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use secrecy::SecretString;
    use treasury_core::observe::EscrowView;
    use treasury_core::units::{AccountId, Amount, Drops, EscrowKey, Hash256, RippleTime};

    use super::super::policy::Limit;
    use super::super::store::What;
    use super::*;
    use crate::signer::{Keystore, WorkFactor};

    const DAY: u32 = 86_400;

    fn xrp(amount: u64) -> Amount {
        Amount::Xrp(Drops::new(amount * 1_000_000).unwrap())
    }

    fn terms(sequence: u32) -> Terms {
        Terms {
            network_id: None,
            owner: AccountId([1; 20]),
            sequence,
            destination: AccountId([2; 20]),
            destination_tag: None,
            amount: xrp(100),
            finish_after: RippleTime(1_000 * DAY),
            cancel_after: RippleTime(30_000 * DAY),
            first_digest: Hash256([3; 32]),
        }
    }

    /// On a store and with keys that stay.
    pub(in super::super) fn guard(dir: &tempfile::TempDir) -> Arc<Guard> {
        let (path, passphrase) = (dir.path().join("guard.age"), SecretString::from("x"));
        let keystore = if path.exists() {
            Keystore::open(&path, &passphrase)
        } else {
            Keystore::create(&path, &passphrase, WorkFactor::Quick)
        };
        let policy = Policy {
            network_id: None,
            owners: BTreeSet::from([AccountId([1; 20])]),
            destinations: None,
            escrow_max: vec![xrp(100)],
            limits: vec![Limit { most: xrp(300), period_seconds: DAY }],
            delay_min_seconds: 2 * DAY,
        };
        let sight =
            Sight { endpoints: Vec::new(), patience: std::time::Duration::ZERO, age_max_seconds: None };
        let book = Book::open(&dir.path().join("data")).unwrap();
        let metrics = GuardMetrics::new().unwrap();
        Arc::new(Guard::new(policy, sight, Keys::of(&keystore.unwrap()), true, book, metrics))
    }

    /// The escrow as it was agreed.
    fn agreed(guard: &Guard, terms: &Terms) -> Seen {
        let condition = guard.condition(terms).unwrap();
        let view = EscrowView {
            key: terms.key(),
            destination: terms.destination,
            destination_tag: terms.destination_tag,
            amount: Some(terms.amount),
            finish_after: Some(terms.finish_after),
            cancel_after: Some(terms.cancel_after),
            condition: Some(condition),
        };
        Seen { now: RippleTime(1_001 * DAY), escrow: Some((view, RippleTime(990 * DAY))), shared: None }
    }

    #[test]
    fn every_field_of_the_escrow_is_looked_at_and_what_is_refused_counts_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let guard = guard(&dir);
        let terms = terms(7);
        let good = agreed(&guard, &terms);
        let other = |change: &dyn Fn(&mut EscrowView)| {
            let (mut view, made_at) = good.escrow.clone().unwrap();
            change(&mut view);
            Seen { escrow: Some((view, made_at)), ..good.clone() }
        };
        let differing = [
            other(&|view| view.key.sequence = 8),
            other(&|view| view.destination = AccountId([9; 20])),
            other(&|view| view.destination_tag = Some(0)),
            other(&|view| view.amount = Some(xrp(99))),
            other(&|view| view.finish_after = None),
            other(&|view| view.cancel_after = None),
            other(&|view| view.condition = None),
        ];
        for seen in &differing {
            assert_eq!(guard.give(&terms, seen).unwrap_err().code(), "guard_escrow_differs", "{seen:?}");
        }
        let key = EscrowKey { owner: AccountId([1; 20]), sequence: 99 };
        for (seen, code) in [
            (Seen { escrow: None, ..good.clone() }, "guard_no_escrow"),
            (Seen { shared: Some(key), ..good.clone() }, "guard_condition_shared"),
            (Seen { now: terms.finish_after, ..good.clone() }, "guard_early"),
            (Seen { now: RippleTime(30_001 * DAY), ..good.clone() }, "guard_over"),
        ] {
            assert_eq!(guard.give(&terms, &seen).unwrap_err().code(), code);
        }
        assert!(guard.records(None).iter().all(|record| record.given.is_none()));
        let share = guard.give(&terms, &good).unwrap();
        assert_eq!(guard.give(&terms, &good).unwrap(), share, "the answer may have been lost");
        assert_eq!(guard.records(None)[0].given, Some(good.now));
    }

    #[test]
    fn no_limit_is_passed_at_once_or_by_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let one = guard(&dir);
        let all: Vec<(Terms, Seen)> = (0..6).map(|at| (terms(at), agreed(&one, &terms(at)))).collect();
        let given: usize = std::thread::scope(|scope| {
            let asked: Vec<_> = all
                .iter()
                .map(|(terms, seen)| scope.spawn(|| usize::from(one.give(terms, seen).is_ok())))
                .collect();
            asked.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(given, 3);
        drop(one);
        let again = guard(&dir);
        let codes: Vec<_> =
            all.iter().map(|(terms, seen)| again.give(terms, seen).map_err(|error| error.code())).collect();
        assert_eq!(codes.iter().filter(|code| code.is_ok()).count(), 3, "those that were given");
        assert_eq!(codes.iter().filter(|code| matches!(code, Err("guard_limit"))).count(), 3);
    }

    #[test]
    fn a_stop_binds_what_was_agreed_before_it_stays_over_a_restart_and_another_lifts_it() {
        let dir = tempfile::tempdir().unwrap();
        let one = guard(&dir);
        let (terms, free) = (terms(7), terms(8));
        let seen = agreed(&one, &terms);
        let stop = one.stop(Subject::Escrow(terms.key()), "look", "gina").unwrap();
        assert_eq!(one.give(&terms, &seen).unwrap_err().code(), "guard_stopped");
        assert_eq!(one.condition(&terms).unwrap_err().code(), "guard_stopped");
        assert!(one.condition(&free).is_ok(), "it is on that escrow alone");
        drop(one);
        let again = guard(&dir);
        assert_eq!(again.stops(), std::slice::from_ref(&stop));
        assert_eq!(again.lift(stop.id, "gina"), Err(NotLifted::Own(stop.id)));
        assert_eq!(again.lift(StopId(9), "hugo"), Err(NotLifted::Unknown(StopId(9))));
        assert_eq!(again.give(&terms, &seen).unwrap_err().code(), "guard_stopped");
        again.lift(stop.id, "hugo").unwrap();
        assert!(again.give(&terms, &seen).is_ok());
        drop(again);
        let last = guard(&dir);
        assert_eq!(last.stops(), []);
        // Who did what stays when the stop is gone, and comes in pages.
        let deeds = last.deeds(None, 10).unwrap();
        let told: Vec<_> = deeds.iter().map(|deed| (deed.number, deed.by.as_str())).collect();
        assert_eq!(told, [(3, "daemon"), (2, "hugo"), (1, "gina")]);
        let (escrow, destination, amount) = (terms.key(), terms.destination, terms.amount);
        assert_eq!(deeds[0].what, What::Given { escrow, destination, amount });
        assert_eq!(deeds[1].what, What::Lifted { stop: stop.id, subject: stop.subject });
        assert!(matches!(&deeds[2].what, What::Stopped { reason, .. } if reason == "look"));
        assert_eq!(last.deeds(Some(3), 1).unwrap(), deeds[1..2]);
        assert_eq!(last.deeds(Some(1), 10).unwrap(), []);
        // What can still be released comes first.
        let listed: Vec<_> = last.list(10).iter().map(|record| record.terms.key()).collect();
        assert_eq!(listed, [free.key(), terms.key()]);
        assert_eq!(last.stop(Subject::Everything, "x", "gina").unwrap().id, StopId(2), "no id comes twice");
    }

    #[test]
    fn no_share_is_in_what_is_shown_stored_or_measured() {
        let dir = tempfile::tempdir().unwrap();
        let guard = guard(&dir);
        let terms = terms(7);
        let seen = agreed(&guard, &terms);
        let share = hex::encode(guard.give(&terms, &seen).unwrap().as_slice());
        let records = guard.records(None);
        let stored = serde_json::to_string(&records).unwrap();
        let shown = format!("{guard:?} {records:?} {stored} {}", guard.metrics().text().unwrap());
        assert!(stored.contains(&records[0].condition.to_string()), "what is stored is looked at");
        assert!(!shown.to_lowercase().contains(&share));
    }

    #[test]
    fn what_was_made_with_an_earlier_key_is_released_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let one = guard(&dir);
        let (terms, later) = (terms(7), terms(8));
        let seen = agreed(&one, &terms);
        let before = one.give(&terms, &seen).unwrap();
        drop(one);
        let passphrase = SecretString::from("x");
        let mut keystore = Keystore::open(&dir.path().join("guard.age"), &passphrase).unwrap();
        assert_eq!(keystore.rotate_release_key().unwrap(), 2);
        let again = guard(&dir);
        assert_eq!(again.give(&terms, &seen).unwrap(), before);
        assert_eq!(
            again.known_condition(&terms).as_ref(),
            Ok(seen.escrow.unwrap().0.condition.as_ref().unwrap())
        );
        assert_eq!(again.known_condition(&later).unwrap_err().code(), "guard_unknown_terms");
        again.condition(&later).unwrap();
        let versions: Vec<u32> = again.records(None).iter().map(|record| record.key_version).collect();
        assert_eq!(versions, [1, 2]);
    }

    /// Danger: its store goes, its keys stay, and whoever has captured the daemon has the same condition made anew: what was
    /// stopped would be released.
    #[test]
    fn a_guard_that_lost_its_store_gives_nothing_of_what_the_old_one_made() {
        let dir = tempfile::tempdir().unwrap();
        let seen = agreed(&guard(&dir), &terms(7));
        std::fs::remove_dir_all(dir.path().join("data")).unwrap();
        let guard = guard(&dir);
        assert_eq!(guard.give(&terms(7), &seen).unwrap_err().code(), "guard_unknown_terms");
        let (made, _) = seen.escrow.clone().unwrap();
        assert_ne!(Some(guard.condition(&terms(7)).unwrap()), made.condition);
        assert_eq!(guard.give(&terms(7), &seen).unwrap_err().code(), "guard_escrow_differs");
    }

    /// Danger: the host's clock jumps, and the guard forgets what it has given.
    #[test]
    fn only_the_ledgers_time_makes_it_forget() {
        let dir = tempfile::tempdir().unwrap();
        let guard = guard(&dir);
        // By any clock of a host these are over for long.
        let old = Terms { finish_after: RippleTime(4 * DAY), cancel_after: RippleTime(9 * DAY), ..terms(7) };
        let view = agreed(&guard, &old);
        guard.condition(&terms(8)).unwrap();
        assert!(guard.known_condition(&old).is_ok());
        let now = |days: u32| Seen { now: RippleTime(days * DAY), ..view.clone() };
        let (escrow, _) = view.escrow.clone().unwrap();
        let in_time = Seen { escrow: Some((escrow, RippleTime(DAY))), ..now(5) };
        assert!(guard.give(&old, &in_time).is_ok());
        assert!(guard.give(&terms(8), &now(40)).is_err());
        assert!(guard.known_condition(&old).is_ok());
        assert!(guard.give(&terms(8), &now(1_000)).is_err());
        assert!(guard.known_condition(&old).is_err());
    }
}
