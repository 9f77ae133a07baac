//! What all ports of one server share: the ledger, its clock, the sockets, the faults.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use serde_json::Value;
use tokio::sync::{Notify, watch};
use xrpl_wire::{RippleTime, Transaction};

use super::control;
use super::events::{Event, Events, Sender};
use super::faults::Faults;
use super::file::{self, FileError};
use super::hub::{Hub, Way};
use super::pursuit::Pursued;
use super::view::View;
use crate::embedded::rpc::error::{Failure, RpcError};
use crate::embedded::rpc::{self, Effects, Outcome, Port, Request, ServerFacts};
use crate::embedded::{CloseTime, ClosedLedger, Ledger, SubmitOutcome};

/// Locks are taken in the order of the fields, and those behind the ledger for a moment only. A ledger that closes is told to
/// subscribers before its lock is given back, so that nobody can see it first and subscribe too late.
#[derive(Debug)]
pub(super) struct Shared {
    saving: Mutex<()>,
    ledger: RwLock<Ledger>,
    ledger_one: Mutex<Option<Arc<ClosedLedger>>>,
    view: Mutex<View>,
    faults: Mutex<Faults>,
    hub: Mutex<Hub>,
    snapshots: Mutex<Vec<Ledger>>,
    pursued: Mutex<Vec<Pursued>>,
    pursuit: Notify,
    close_on_submit: AtomicBool,
    auto_close_paused: AtomicBool,
    events: Sender,
    file: Option<PathBuf>,
    started: Instant,
    close_step_seconds: u32,
    send_queue_frames: usize,
    ports: Vec<Port>,
    stop: watch::Sender<bool>,
}

/// Snapshots share what they can with one another; this many are more than a test needs.
const SNAPSHOTS_MAX: usize = 1000;

/// What does not change while a server runs.
pub(super) struct Settings {
    pub(super) close_step_seconds: u32,
    pub(super) send_queue_frames: usize,
    pub(super) close_on_submit: bool,
    pub(super) file: Option<PathBuf>,
    pub(super) ports: Vec<Port>,
}

#[cfg(test)]
impl Shared {
    /// A fresh ledger that nobody can reach but the test.
    pub(super) fn alone(close_on_submit: bool) -> Self {
        let settings = Settings {
            close_step_seconds: 4,
            send_queue_frames: 1,
            close_on_submit,
            file: None,
            ports: Vec::new(),
        };
        Self::new(Ledger::genesis(crate::embedded::GenesisConfig::default()), settings)
    }
}

impl Shared {
    pub(super) fn new(ledger: Ledger, settings: Settings) -> Self {
        Self {
            saving: Mutex::default(),
            ledger_one: Mutex::new(rpc::ledger_one(&ledger)),
            view: Mutex::new(View::of(&ledger)),
            ledger: RwLock::new(ledger),
            faults: Mutex::default(),
            hub: Mutex::default(),
            snapshots: Mutex::default(),
            pursued: Mutex::default(),
            pursuit: Notify::new(),
            close_on_submit: AtomicBool::new(settings.close_on_submit),
            auto_close_paused: AtomicBool::new(false),
            events: Sender::new(),
            file: settings.file,
            started: Instant::now(),
            close_step_seconds: settings.close_step_seconds,
            send_queue_frames: settings.send_queue_frames,
            ports: settings.ports,
            stop: watch::Sender::new(false),
        }
    }

    // A handler cannot panic while it holds a lock; should a closure of a test, the data is still whole.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Ledger> {
        self.ledger.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Ledger> {
        self.ledger.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger_one(&self) -> MutexGuard<'_, Option<Arc<ClosedLedger>>> {
        self.ledger_one.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pursued(&self) -> MutexGuard<'_, Vec<Pursued>> {
        self.pursued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the ledger as it is now to a file, and answers with what was written. One after the other, so that the
    /// newest is what stays.
    pub(super) fn save(&self, path: &Path) -> Result<Ledger, FileError> {
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let ledger = self.read().clone();
        file::save(&ledger, path)?;
        Ok(ledger)
    }

    /// The file that the ledger is kept in.
    pub(super) fn file(&self) -> Result<&Path, FileError> {
        self.file.as_deref().ok_or(FileError::None)
    }

    /// The events from now on.
    pub(super) fn events(&self) -> Events {
        self.events.subscribe()
    }

    /// Whether ledgers close for what is submitted.
    pub(super) fn set_close_on_submit(&self, enabled: bool) {
        self.close_on_submit.store(enabled, Ordering::Relaxed);
        if !enabled {
            self.pursued().clear();
        }
    }

    /// Waits until there is something to close ledgers for.
    pub(super) async fn pursuit_begins(&self) {
        self.pursuit.notified().await;
    }

    /// Whether there is something to close ledgers for. What is in one by now, whoever closed it, is no such thing.
    pub(super) fn is_pursuing(&self) -> bool {
        if self.pursued().is_empty() {
            return false;
        }
        let ledger = self.read();
        let mut pursued = self.pursued();
        pursued.retain(|pursued| pursued.is_open(&ledger));
        !pursued.is_empty()
    }

    /// Closes a ledger for what was submitted and has not had one yet. What needs more than that is left to
    /// [`pursue`](super::pursuit::pursue), so that others who ask do not hurry it.
    pub(super) fn close_for_submitted(&self) {
        if !self.is_pursuing() || !self.is_fresh() {
            return;
        }
        let mut ledger = self.write();
        // Another may have closed it meanwhile. Whoever finds that done finds it closed, too: both happen while nobody
        // can look at the ledger.
        if self.is_fresh() {
            self.close_for_pursued(&mut ledger);
        }
    }

    /// The same for what has waited since the last time: what came since then is about to be answered, and that comes
    /// first.
    pub(super) fn close_for_waiting(&self) {
        if self.is_pursuing() && self.have_waited() {
            self.close_for_pursued(&mut self.write());
        }
    }

    /// Whether there is something that no ledger was closed for yet.
    fn is_fresh(&self) -> bool {
        self.pursued().iter().any(|one| !one.had_ledger())
    }

    fn close_for_pursued(&self, ledger: &mut Ledger) {
        self.pursued().iter_mut().for_each(Pursued::has_ledger);
        let at = self.facts(ledger).accept;
        self.close_locked(ledger, at);
    }

    /// Notes that all that is pursued has waited. Whether any of it had before, or has had a ledger.
    fn have_waited(&self) -> bool {
        let mut any = false;
        for one in self.pursued().iter_mut() {
            any |= one.has_waited();
        }
        any
    }

    pub(super) fn is_silent(&self) -> bool {
        self.faults().silent
    }

    pub(super) fn send_queue_frames(&self) -> usize {
        self.send_queue_frames
    }

    /// Waits until the server stops.
    pub(super) async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // The sender lives as long as this does, so waiting cannot fail.
        drop(stop.wait_for(|stopped| *stopped).await);
    }

    /// Stops everything that waits for it.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// The reply to a request; none if the server is silent.
    pub(super) fn serve(&self, request: &Request) -> Option<Value> {
        let answered = |result| Outcome { result, effects: Effects::default() };
        let submits = matches!(request.method.as_str(), "submit" | "submit_multisigned");
        let mut lost = false;
        let outcome = match (control::serve(self, request), self.refusal(submits)) {
            (Some(result), _) => answered(result),
            (None, Some(failure)) => answered(Err(failure)),
            _ if rpc::changes_ledger(&request.method) => {
                lost = submits && Faults::take(&mut self.faults().lose_submit_replies);
                self.serve_change(request, submits)
            }
            _ => {
                let ledger = self.read();
                let shown = self.view().shown().cloned();
                let seen = shown.as_deref().unwrap_or(&ledger);
                rpc::handle_read(seen, None, request, &self.facts(seen))
            }
        };
        (!lost && !self.is_silent()).then(|| request.reply(outcome))
    }

    fn serve_change(&self, request: &Request, submits: bool) -> Outcome {
        let mut ledger = self.write();
        let facts = self.facts(&ledger);
        let swallowed = submits && Faults::take(&mut self.faults().swallow_submits);
        if swallowed {
            return rpc::handle(&mut ledger.clone(), None, request, &facts);
        }
        let mut outcome = rpc::handle(&mut ledger, None, request, &facts);
        self.publish(&ledger, &outcome.effects);
        self.tell_shown(&mut outcome);
        outcome
    }

    /// A server that is behind does not know of a later ledger when it answers a submission either.
    fn tell_shown(&self, outcome: &mut Outcome) {
        if let (Some(shown), Ok(result)) = (self.view().shown(), &mut outcome.result)
            && let Some(index) = result.get_mut("validated_ledger_index")
        {
            *index = shown.validated().header.index.into();
        }
    }

    /// Subscribes a socket and queues the reply before anything that happens next.
    pub(super) fn serve_subscription(&self, id: u64, request: &Request) {
        let refusal = self.refusal(false);
        let ledger = self.read();
        let shown = self.view().shown().cloned();
        let seen = shown.as_deref().unwrap_or(&ledger);
        let facts = self.facts(seen);
        let silent = self.is_silent();
        let mut hub = self.hub();
        let outcome = match (refusal, hub.subscription(id)) {
            (Some(failure), _) => Outcome { result: Err(failure), effects: Effects::default() },
            (None, subscription) => rpc::handle_read(seen, subscription, request, &facts),
        };
        if silent {
            return;
        }
        hub.send(id, request.reply(outcome).to_string().into());
        if hub.subscription(id).is_some_and(|subscription| subscription.awaits_paths()) {
            hub.publish_paths(id, seen);
        }
    }

    fn refusal(&self, submits: bool) -> Option<Failure> {
        let faults = self.faults();
        faults.refuse_all.or(faults.refuse_submits.filter(|_| submits)).map(RpcError::into)
    }

    /// What the server knows beside its ledger, at this moment.
    pub(super) fn facts(&self, ledger: &Ledger) -> ServerFacts {
        let now = ledger.validated().header.close_time;
        ServerFacts {
            uptime_seconds: self.started.elapsed().as_secs(),
            first_ledger: ledger.first_index(),
            ledger_one: self.ledger_one().clone(),
            hidden_below: self.faults().hide_history_below,
            network_id: ledger.rules().configured_network_id(),
            now,
            accept: CloseTime::At(later(now, self.close_step_seconds)),
            entropy: rand::random(),
            ports: self.ports.clone(),
        }
    }

    /// Closes a ledger one step after the last.
    pub(super) fn close(&self) -> Arc<ClosedLedger> {
        let mut ledger = self.write();
        let at = self.facts(&ledger).accept;
        self.close_locked(&mut ledger, at)
    }

    /// Closes a ledger so many seconds after the last.
    pub(super) fn close_after(&self, seconds: u32) -> Arc<ClosedLedger> {
        let mut ledger = self.write();
        let at = later(ledger.validated().header.close_time, seconds);
        self.close_locked(&mut ledger, CloseTime::At(at))
    }

    /// Closes a ledger at a time.
    pub(super) fn close_at(&self, at: RippleTime) -> Arc<ClosedLedger> {
        let mut ledger = self.write();
        self.close_locked(&mut ledger, CloseTime::At(at))
    }

    fn close_locked(&self, ledger: &mut Ledger, at: CloseTime) -> Arc<ClosedLedger> {
        let closed = ledger.close(at);
        let effects = Effects { closed: vec![Arc::clone(&closed)], ..Effects::default() };
        self.publish(ledger, &effects);
        closed
    }

    /// Submits a transaction as method `submit` does, and tells subscribers.
    pub(super) fn submit(&self, blob: &[u8]) -> SubmitOutcome {
        self.submit_locked(&mut self.write(), blob, false)
    }

    /// Makes a transaction from the ledger and submits it before anybody else submits another. If it does not succeed at
    /// once it never will: who made it says that it failed.
    pub(super) fn submit_made<E>(
        &self,
        make: impl FnOnce(&Ledger) -> Result<Transaction, E>,
    ) -> Result<SubmitOutcome, E> {
        let mut ledger = self.write();
        let tx = make(&ledger)?;
        let outcome = self.submit_locked(&mut ledger, &tx.encode(), true);
        if !outcome.applied {
            self.pursued().retain(|pursued| !pursued.is(&outcome.id));
        }
        Ok(outcome)
    }

    fn submit_locked(&self, ledger: &mut Ledger, blob: &[u8], fail_hard: bool) -> SubmitOutcome {
        let mut effects = Effects::default();
        let outcome = rpc::submit(ledger, blob, fail_hard, &mut effects);
        self.publish(ledger, &effects);
        outcome
    }

    /// Runs something on the ledger, which nobody else sees meanwhile and nobody is told of.
    pub(super) fn with_ledger<T>(&self, run: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut ledger = self.write();
        let value = run(&mut ledger);
        self.look_again(&ledger);
        value
    }

    /// The ledger is another than it was, and nobody is told.
    fn look_again(&self, ledger: &Ledger) {
        let faults = self.faults().clone();
        let mut view = self.view();
        view.reset();
        view.follow(ledger, &faults);
    }

    /// Keeps the ledger as it is, and says by which number; none if there are too many.
    pub(super) fn take_snapshot(&self) -> Option<u32> {
        let ledger = self.read().clone();
        let mut snapshots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        if snapshots.len() >= SNAPSHOTS_MAX {
            return None;
        }
        snapshots.push(ledger);
        u32::try_from(snapshots.len()).ok()
    }

    /// Puts the ledger back to a snapshot, if there is such a one.
    pub(super) fn restore_snapshot(&self, id: u32) -> bool {
        let snapshots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        let at = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        let kept = at.and_then(|at| snapshots.get(at)).cloned();
        drop(snapshots);
        kept.map(|kept| self.restore(kept)).is_some()
    }

    /// Makes another ledger the current one.
    pub(super) fn restore(&self, ledger: Ledger) {
        let mut current = self.write();
        let claims = current.claims_left();
        *current = ledger;
        // What goes wrong goes on, whatever did when the other ledger was kept.
        let factor = self.faults().fee_factor;
        current.set_load_factor(factor);
        current.claim_only(claims);
        // What was submitted to the other ledger nobody waits for in this one.
        self.pursued().clear();
        let mut one = self.ledger_one();
        *one = ledger_one(&current, one.take());
        drop(one);
        self.look_again(&current);
    }

    pub(super) fn pause_auto_close(&self, paused: bool) {
        self.auto_close_paused.store(paused, Ordering::Relaxed);
    }

    pub(super) fn auto_close_paused(&self) -> bool {
        self.auto_close_paused.load(Ordering::Relaxed)
    }

    /// Whether a closed ledger is told of, and how.
    fn way(&self) -> (bool, Way) {
        let mut faults = self.faults();
        let skip = Faults::take(&mut faults.skip_closes);
        let way = Way {
            duplicate: faults.duplicate_frames,
            reorder: faults.reorder_frames,
            truncate: !skip && Faults::take(&mut faults.truncate_closes),
        };
        (skip, way)
    }

    /// Sets what goes wrong, and lets in who waited for a lower fee.
    pub(super) fn set_faults(&self, faults: Faults) {
        let mut ledger = self.write();
        let mut effects = Effects::default();
        rpc::set_load_factor(&mut ledger, faults.fee_factor, &mut effects);
        ledger.claim_only(faults.claim_only);
        *self.faults() = faults;
        self.view().reset();
        self.publish(&ledger, &effects);
    }

    /// Tells subscribers of the ledgers that come into sight, and of what the open ledger took.
    fn publish(&self, ledger: &Ledger, effects: &Effects) {
        for outcome in &effects.submitted {
            self.events.tell(|| Event::Submitted(Arc::clone(outcome)));
        }
        for closed in &effects.closed {
            self.events.tell(|| Event::Closed(Arc::clone(closed)));
        }
        if self.close_on_submit.load(Ordering::Relaxed) {
            let fresh: Vec<Pursued> =
                effects.submitted.iter().filter_map(|outcome| Pursued::of(outcome)).collect();
            if !fresh.is_empty() {
                self.pursued().extend(fresh);
                // Whoever submitted it closes the ledger once it has its reply. Should it never take that, others
                // may be waiting all the same.
                self.pursuit.notify_one();
            }
        }
        let faults = self.faults().clone();
        let (fresh, shown) = {
            let mut view = self.view();
            (view.follow(ledger, &faults), view.shown().cloned())
        };
        if (fresh.is_empty() && effects.proposed.is_empty()) || faults.silent {
            return;
        }
        if !fresh.is_empty() {
            let facts = self.facts(shown.as_deref().unwrap_or(ledger));
            let mut told = false;
            for closed in &fresh {
                let (skip, way) = self.way();
                if !skip {
                    self.hub().publish_closed(closed, &facts, way);
                    told = true;
                }
            }
            if told {
                self.hub().publish_all_paths(shown.as_deref().unwrap_or(ledger));
            }
        }
        let mut hub = self.hub();
        effects.proposed.iter().for_each(|proposed| hub.publish_proposed(proposed));
    }
}

/// The ledger before the first that this one holds: the one that is known, if that is it.
fn ledger_one(ledger: &Ledger, known: Option<Arc<ClosedLedger>>) -> Option<Arc<ClosedLedger>> {
    let parent = ledger.closed(2).map(|second| second.header.parent_hash);
    known.filter(|known| parent == Some(known.hash)).or_else(|| rpc::ledger_one(ledger))
}

/// A later time; the end of time stays where it is.
fn later(time: RippleTime, seconds: u32) -> RippleTime {
    time.checked_add_seconds(seconds).unwrap_or(RippleTime(u32::MAX))
}
