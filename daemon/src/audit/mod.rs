//! The audit log: what became durable, who asked for it and how, in a chain that an outsider can check.
//!
//! ```text
//! engine → store ──→ follower: records → texts with commitments ─┐
//! API, console ────→ knocks: refused, logins, nothing changed ───┴→ book: hash chain, files
//! ```
//!
//! It runs on a thread of its own and only reads what has become durable: who asked for a step stands in its own record, so
//! nothing is lost in a crash, and the engine writes and waits for nothing more. See decision 17.
//!
//! What it does not guard against: whoever holds the machine can write the whole chain anew. Note its head down elsewhere.

pub(crate) mod book;
mod configured;
mod form;
pub(crate) mod keep;
pub(crate) mod knocks;
pub(crate) mod look;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior};
use treasury_api::types::{AuditChain, AuditEntry};
use treasury_core::Event;
use treasury_core::observe::LedgerPoint;
use treasury_core::units::{Hash256, LedgerIndex, RippleTime};
use treasury_verify::audit::Checker;

use self::book::{Book, Draft, FOLDER, Shelf};
use self::knocks::{Knock, Knocks};
use crate::clock::{self, Clock};
use crate::config::Prints;
use crate::engine::{EngineError, EngineHandle};
use crate::lines;
use crate::metrics::Metrics;
use crate::store::{Record, StoreError};

pub use book::AuditError;
#[cfg(test)]
pub(crate) use keep::Taken;
pub(crate) use keep::{against, behind, say_taken};

/// Records that are written down at a time.
const PAGE: usize = 64;

/// Between two writings: what comes together is made durable together, and no disk is kept busy beside the journal's.
const REST: Duration = Duration::from_millis(500);

/// How often it is looked whether a period of refused requests is over.
const LOOK: Duration = Duration::from_secs(5);

/// How long it rests after something could not be read or written.
const AFTER_TROUBLE: Duration = Duration::from_secs(30);

/// The whole chain is proven so often, or less where it is so long that this would take more than a thousandth of the time.
const PROVE: Duration = Duration::from_secs(600);

/// How often it is said in the log that it was.
const DAY: Duration = Duration::from_secs(24 * 3_600);

const DAY_SECONDS: u32 = 86_400;

/// What the follower and the API share.
#[derive(Debug)]
pub(crate) struct Audit {
    book: Mutex<Book>,
    place: Mutex<Place>,
    proven: Mutex<Proven>,
    /// What the configuration was when it was written down last.
    configured: Mutex<Option<Prints>>,
    /// What became no record.
    pub(crate) knocks: Knocks,
    metrics: Arc<Metrics>,
    /// Has a place for each search that may read the log now.
    pub(crate) searches: Arc<Semaphore>,
}

/// How far the records have been written down.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    record: u64,
    ledger: Option<LedgerPoint>,
    /// The last record that was there when the daemon started.
    start: u64,
    /// When the newest ledger closed that was taken in since.
    closed: Option<RippleTime>,
}

impl Place {
    /// After this record, too.
    fn move_on(&mut self, record: &Record) {
        self.record = record.number;
        for event in &record.events {
            if let Event::LedgerTaken { observation, .. } = event
                && record.number > self.start
            {
                self.closed = Some(observation.point.close_time);
            }
        }
    }
}

/// What the last proof came to.
#[derive(Clone, Debug, Default)]
struct Proven {
    at: Option<String>,
    /// When it was said last, and how long the proof took.
    said: Option<Instant>,
    took: Duration,
    count: Option<u64>,
    problem: Option<String>,
}

/// Writes down until it is stopped.
#[derive(Debug)]
pub(crate) struct Auditor {
    audit: Arc<Audit>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

/// What keeps something from being written down.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("cannot start the thread that writes the audit log: {0}")]
    Thread(std::io::Error),
}

impl Auditor {
    /// Opens the audit log of a data directory and writes down what comes after what was written last; texts are kept for
    /// so many days, or for ever. What goes wrong keeps no daemon from guarding the treasury: it is said, and the log has a
    /// gap. Blocks.
    pub(crate) fn start(
        data_dir: &Path,
        engine: EngineHandle,
        metrics: &Arc<Metrics>,
        keep_days: Option<u32>,
        prints: Prints,
    ) -> Option<Self> {
        let started = Self::try_start(data_dir, engine, metrics, keep_days, prints).inspect_err(|error| {
            metrics.audit_fault(true);
            lines::audit_stuck(error);
        });
        started.ok()
    }

    fn try_start(
        data_dir: &Path,
        engine: EngineHandle,
        metrics: &Arc<Metrics>,
        keep_days: Option<u32>,
        prints: Prints,
    ) -> Result<Self, Trouble> {
        let audit = Audit::open(&data_dir.join(FOLDER), Clock::system(), Arc::clone(metrics))?;
        let audit = Arc::new(audit);
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Trouble::Thread)?;
        let last = *engine.records().borrow();
        let at_work = Arc::clone(&audit);
        let thread = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || runtime.block_on(follow(&at_work, &engine, (last, &prints), keep_days, stopped)))
            .map_err(Trouble::Thread)?;
        Ok(Self { audit, stop, thread })
    }

    /// For whoever reads it, and whoever has something to be counted.
    pub(crate) fn audit(&self) -> Arc<Audit> {
        Arc::clone(&self.audit)
    }

    /// Writes down what is left, and stops.
    pub(crate) async fn shutdown(self) {
        let _ = self.stop.send(true);
        let thread = self.thread;
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}

/// Writes down what becomes durable, until the engine ends or somebody says stop.
async fn follow(
    audit: &Arc<Audit>,
    engine: &EngineHandle,
    (last, prints): (u64, &Prints),
    keep_days: Option<u32>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut records = engine.records();
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut has_begun, mut proven_at, mut trimmed_at) = (false, None::<Instant>, None::<Instant>);
    loop {
        let done = async {
            if !has_begun {
                audit.begin(engine, last).await?;
                audit.say_configuration(engine, prints)?;
            }
            has_begun = true;
            audit.write_down(engine).await?;
            audit.settle(engine, false)?;
            let days = keep_days.filter(|_| trimmed_at.is_none_or(|at| at.elapsed() >= DAY));
            if let Some(before) = days.and_then(|days| audit.end_of_keeping(days, clock::utc())) {
                audit.trim(engine, before)?;
                trimmed_at = Some(Instant::now());
            }
            Ok(())
        };
        match done.await {
            Err(Trouble::Engine(EngineError::Stopped)) => return,
            Err(trouble) => {
                audit.metrics.audit_fault(true);
                lines::audit_stuck(&trouble);
                tokio::select! {
                    _ = stopped.wait_for(|stop| *stop) => return,
                    () = tokio::time::sleep(AFTER_TROUBLE) => continue,
                }
            }
            Ok(()) => audit.show(),
        }
        if proven_at.is_none_or(|at| at.elapsed() >= audit.between_proofs()) {
            proven_at = Some(Instant::now());
            let audit = Arc::clone(audit);
            // On another thread: it takes some seconds for each million entries.
            tokio::task::spawn_blocking(move || audit.prove());
        }
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            changed = records.changed() => if changed.is_err() { return },
            _ = looks.tick() => {}
        }
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            () = tokio::time::sleep(REST) => {}
        }
    }
    // Nobody is served any more, so this is the last of it.
    let rest = async {
        audit.write_down(engine).await?;
        audit.settle(engine, true)?;
        audit.say(engine, json!({ "kind": "stopped" }))
    };
    if let Err(trouble) = rest.await {
        lines::audit_stuck(&trouble);
    }
}

impl Audit {
    /// Opens the log in this folder.
    pub(crate) fn open(dir: &Path, clock: Clock, metrics: Arc<Metrics>) -> Result<Self, AuditError> {
        let book = Book::open(dir)?;
        Ok(Self {
            book: Mutex::new(book),
            place: Mutex::default(),
            proven: Mutex::default(),
            configured: Mutex::default(),
            knocks: Knocks::by(clock),
            metrics,
            searches: Arc::new(Semaphore::new(look::SEARCHES)),
        })
    }

    /// Finds out where to go on: after the last record that was written down. A new log, and one of a store that was built
    /// anew since, goes on after the last record that was there when the daemon started, and says so.
    pub(crate) async fn begin(&self, engine: &EngineHandle, last: u64) -> Result<(), Trouble> {
        let shelf = self.book().shelf();
        let known = last_record(&shelf)?;
        let reason = match &known {
            None if last == 0 => "the store is new".to_owned(),
            None => "what came before was stored by a version without one, or the log was lost".to_owned(),
            Some((record, ..)) => {
                let found = match record.checked_sub(1) {
                    Some(before) => engine.events(before, 1).await??.pop(),
                    None => None,
                };
                let is_same = match (&found, known.as_ref().and_then(|(.., facts)| facts.as_ref())) {
                    (Some(found), Some((name, salt))) => form::is_record(found, salt, name),
                    // What would tell was removed.
                    (Some(_), None) => true,
                    (None, _) => *record == 0,
                };
                if is_same {
                    String::new()
                } else {
                    "the store's records are others than those before".to_owned()
                }
            }
        };
        let (record, ledger) = match known {
            Some((record, ledger, _)) if reason.is_empty() => (record, ledger),
            _ => (last, engine.query(|state, _| state.ledger).await?),
        };
        *self.place() = Place { record, ledger, start: last, closed: None };
        if !reason.is_empty() {
            self.say(engine, json!({ "kind": "began", "record": record, "reason": reason }))?;
        }
        let (version, policy) = (env!("CARGO_PKG_VERSION"), engine.treasury().policy.hash().to_string());
        self.say(engine, json!({ "kind": "started", "version": version, "policy": policy }))
    }

    /// Writes the records down that are not yet.
    pub(crate) async fn write_down(&self, engine: &EngineHandle) -> Result<(), Trouble> {
        loop {
            let mut place = *self.place();
            let records = engine.events(place.record, PAGE).await??;
            if records.is_empty() {
                return Ok(());
            }
            let treasury = engine.treasury();
            let (mut drafts, mut places) = (Vec::new(), Vec::new());
            for record in &records {
                let draft = form::record(record, &mut place.ledger, &treasury);
                place.move_on(record);
                if let Some(draft) = draft {
                    drafts.push(draft);
                    places.push(place);
                }
            }
            self.add(drafts, &places)?;
            *self.place() = place;
            if records.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// Adds the drafts of records. Where not all of them become durable, it goes on after the last that did.
    fn add(&self, drafts: Vec<Draft>, places: &[Place]) -> Result<(), AuditError> {
        let mut book = self.book();
        let before = book.head().0;
        let added = book.add(drafts);
        let durable = book.head().0.saturating_sub(before);
        drop(book);
        let last = usize::try_from(durable).ok().and_then(|durable| durable.checked_sub(1));
        if let Some(place) = last.and_then(|last| places.get(last)) {
            *self.place() = *place;
        }
        added
    }

    /// Writes down what became no record, where it is time.
    pub(crate) fn settle(&self, engine: &EngineHandle, is_end: bool) -> Result<(), Trouble> {
        let Some(rows) = self.knocks.take(is_end) else { return Ok(()) };
        let said = self.say(engine, rows.clone());
        if said.is_err() {
            self.knocks.put_back(rows);
        }
        said
    }

    /// Writes down what is no record.
    pub(crate) fn say(&self, engine: &EngineHandle, mut text: Value) -> Result<(), Trouble> {
        let place = *self.place();
        if let Value::Object(fields) = &mut text {
            fields.entry("at").or_insert_with(|| clock::utc().to_string().into());
            fields.entry("record").or_insert_with(|| place.record.into());
            fields
                .entry("ledger")
                .or_insert_with(|| place.ledger.map(|point| form::point_json(&point)).into());
            fields.entry("who").or_insert_with(|| json!({ "origin": "daemon" }));
        }
        let draft = form::other(text, &engine.treasury());
        Ok(self.book().add(vec![draft])?)
    }

    /// Counts a request that became no record.
    pub(crate) fn knock(&self, knock: Knock) {
        self.knocks.note(knock);
    }

    /// Texts of before are kept no longer, where they are kept for so many days. A host's clock that is ahead must take
    /// nothing away, so this goes by a ledger that was taken in since the daemon started, too; none before there is one.
    pub(crate) fn end_of_keeping(&self, days: u32, utc: RippleTime) -> Option<RippleTime> {
        let closed = self.place().closed?;
        let now = if closed.0 < utc.0 { closed } else { utc };
        Some(RippleTime(now.0.saturating_sub(days.saturating_mul(DAY_SECONDS))))
    }

    /// Takes texts away of before. The newest file, to which is being written, is left alone.
    pub(crate) fn trim(&self, engine: &EngineHandle, before: RippleTime) -> Result<(), Trouble> {
        let before = before.to_string();
        let what = format!("texts of before {before}");
        self.shelf().trim(&before, true, |taken| self.say(engine, taken.text(&what)))?;
        Ok(())
    }

    /// Proves the whole chain, and notes what came of it. Blocks.
    pub(crate) fn prove(&self) {
        let began = Instant::now();
        let (shelf, head) = {
            let book = self.book();
            (book.shelf(), book.head().1.to_owned())
        };
        let count = shelf.count();
        let checker = if count > 0 { Checker::whole().noted(count, &head) } else { Checker::whole() };
        let problem = match shelf.check(checker) {
            Ok(checker) => Some(checker.unaccounted().join("; ")).filter(|gone| !gone.is_empty()),
            Err(error) => Some(error.to_string()),
        };
        let mut proven = self.proven();
        let is_time = proven.said.is_none_or(|said| said.elapsed() >= DAY);
        match &problem {
            Some(problem) => lines::audit_broken(problem),
            None if is_time => {
                lines::audit_proven(count, &head);
                proven.said = Some(began);
            }
            None => {}
        }
        (proven.at, proven.count) = (Some(clock::utc().to_string()), Some(count));
        (proven.problem, proven.took) = (problem, began.elapsed());
        drop(proven);
        self.show();
    }

    /// How long to wait before it is proven again.
    fn between_proofs(&self) -> Duration {
        PROVE.max(self.proven().took.saturating_mul(1_000))
    }

    /// Sets what the metrics say of it.
    fn show(&self) {
        let is_fault = self.proven().problem.is_some();
        self.metrics.audit_fault(is_fault);
    }

    fn proven(&self) -> MutexGuard<'_, Proven> {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the chain has come.
    pub(crate) fn chain(&self) -> AuditChain {
        let (count, head) = {
            let book = self.book();
            let (count, head) = book.head();
            (count, head.to_owned())
        };
        let proven = self.proven().clone();
        AuditChain { count, head, verified: proven.at, verified_count: proven.count, problem: proven.problem }
    }

    /// What can be read now.
    pub(crate) fn shelf(&self) -> Shelf {
        self.book().shelf()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // It is changed in one piece, after the disk has taken what comes.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record that was written down: its number, the ledger of then, and what it was committed to with.
type Known = (u64, Option<LedgerPoint>, Option<(String, String)>);

/// The last record that the log knows of.
fn last_record(shelf: &Shelf) -> Result<Option<Known>, AuditError> {
    let says = |entry: &AuditEntry| record_of(entry).is_some();
    let (found, _) = shelf.back(u64::MAX, 1, usize::MAX, &says)?;
    Ok(found.first().and_then(record_of))
}

fn record_of(entry: &AuditEntry) -> Option<Known> {
    let said: Value = serde_json::from_str(entry.text.as_deref()?).ok()?;
    let is_place = matches!(said.get("kind").and_then(Value::as_str), Some("facts" | "began"));
    let record = said.get("record").and_then(Value::as_u64).filter(|_| is_place)?;
    let ledger = said.get("ledger").and_then(|ledger| {
        let field = |name: &str| ledger.get(name).and_then(Value::as_str);
        Some(LedgerPoint {
            index: LedgerIndex(ledger.get("index").and_then(Value::as_u64)?.try_into().ok()?),
            hash: field("hash")?.parse::<Hash256>().ok()?,
            close_time: time(field("closed")?)?,
        })
    });
    let facts = said.get("facts").and_then(Value::as_str).and_then(|facts| {
        let name = facts.strip_prefix('#')?;
        Some((name.to_owned(), entry.open.get(name)?.salt.clone()))
    });
    Some((record, ledger, facts))
}

fn time(text: &str) -> Option<RippleTime> {
    let seconds = text.parse::<jiff::Timestamp>().ok()?.as_second();
    Some(clock::unix(seconds.try_into().ok()?))
}

#[cfg(test)]
pub(crate) mod tests;
