//! The Store port: facts in order, durable before anything follows from them.
//!
//! One *record* holds all events of one step, so a step is stored whole or not at all. Records are
//! numbered from 1 without gaps.

mod archive;
mod backup;
mod build;
mod disk;
mod files;
mod forget;
mod frame;
mod inspect;
mod intents;
mod journal;
mod lock;
mod memory;
mod mover;
mod opened;
pub mod record;
mod salvage;
pub mod seam;
mod segments;
mod sled_engine;
mod snapshot;
mod swap;
mod tail;
mod version;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use treasury_core::{Event, State};

pub use archive::Archive;
pub use backup::{backup, backup_of_records};
pub use build::{Built, StoreBuilder};
pub use disk::{DiskStore, SNAPSHOT_RECORDS};
pub use forget::forget;
pub(crate) use forget::names;
pub use inspect::{Report, inspect};
pub use intents::Entry;
pub use lock::StoreLock;
pub use memory::MemoryStore;
pub use opened::{Host, Openings, Stretch};
pub use salvage::{Salvage, salvage};

/// Where facts are kept. One writer; the engine's thread owns it.
pub trait Store: Send {
    /// Adds one step's events as one record, and returns its number once it is durable. Whoever gets an
    /// error must stop: what is in memory is then ahead of what is stored.
    ///
    /// # Errors
    /// Where the record could not be made durable.
    fn append(&mut self, events: &[Event]) -> Result<u64, StoreError>;

    /// Makes the second copy durable of what the last append wrote down twice. Whoever is told that something of
    /// theirs has been taken is told after this; for the rest it may follow at once.
    ///
    /// # Errors
    /// Where that fails. Whoever gets an error must stop.
    fn secure(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Records with numbers above `after`, in order, at most `limit`; fewer only at the end.
    ///
    /// # Errors
    /// Where one of them is damaged or missing, which the error names.
    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError>;

    /// The state that all records add up to. A store that keeps snapshots reads only the records after the
    /// newest; `visit` gets those that were read.
    ///
    /// # Errors
    /// Where a record is damaged or missing, or does not fit the state before it.
    fn resume(&mut self, visit: &mut dyn FnMut(&Record)) -> Result<Resumed, StoreError> {
        add_up(self, &self.archive(), State::default(), 0, visit)
    }

    /// Where ended proposals are that have left the state.
    fn archive(&self) -> Arc<Archive>;

    /// Told after an append: the state that now follows from all records up to `number`. The time for a
    /// snapshot; what goes wrong with one is no reason to stop.
    fn settled(&mut self, _number: u64, _state: &State) {}

    /// Told about once a second, when nobody waits: the time for what has to be done some time.
    fn tidy(&mut self) {}

    /// Told once, when the engine ends in order: the state that all records add up to.
    fn close(&mut self, _state: &State) {}
}

/// What a store adds up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// Number of the last record; 0: none.
    pub last: u64,
    /// The state after it.
    pub state: State,
}

/// All events of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without gaps.
    pub number: u64,
    /// At least one.
    pub events: Vec<Event>,
}

/// Records read at a time while replaying: bounds memory, costs nothing.
const REPLAY_PAGE: usize = 256;

/// Adds up all records, handing each to `visit` after it was applied.
///
/// # Errors
/// Where a record is damaged or missing, or does not fit the state before it.
pub fn replay(store: &dyn Store, mut visit: impl FnMut(&Record)) -> Result<State, StoreError> {
    add_up(store, &Archive::in_memory(), State::default(), 0, &mut visit).map(|resumed| resumed.state)
}

/// Adds the records above `after` to the state after that one. What leaves the state by them goes to the archive,
/// where a crash kept it from that.
fn add_up(
    store: &(impl Store + ?Sized),
    archive: &Archive,
    mut state: State,
    mut after: u64,
    visit: &mut dyn FnMut(&Record),
) -> Result<Resumed, StoreError> {
    loop {
        let page = store.read(after, REPLAY_PAGE)?;
        for record in &page {
            add_one(&mut state, record)?;
            after = record.number;
            visit(record);
        }
        archive.complete(state.take_retired())?;
        if page.len() < REPLAY_PAGE {
            return Ok(Resumed { last: after, state });
        }
    }
}

fn add_one(state: &mut State, record: &Record) -> Result<(), StoreError> {
    record.events.iter().try_for_each(|event| {
        state
            .apply(event)
            .map_err(|error| StoreError::DoesNotFit { record: record.number, problem: error.to_string() })
    })
}

/// What an error says that a new store helps against.
const REBUILD: &str = "`treasuryd rebuild` restores the store, `treasuryd store check` lists all damage";

/// Why facts could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the store open.
    #[error("{} is in use by {holder}; only one daemon may run on a store", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who holds it: `process 123`, or `another process`.
        holder: String,
    },
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The storage engine failed.
    #[error("the storage engine failed: {0}. If it stays so: {REBUILD}")]
    Engine(String),
    /// A record's bytes are not what was written.
    #[error("record {record} is damaged: {problem}; {REBUILD}")]
    Damaged {
        /// Its number.
        record: u64,
        /// What is wrong.
        problem: String,
    },
    /// A record is missing.
    #[error("record {expected} is missing: record {found} comes in its place; {REBUILD}")]
    Gap {
        /// The number that should be next.
        expected: u64,
        /// The number that is.
        found: u64,
    },
    /// A record was written by another version of the format.
    #[error("record {record} has format {version}; this treasuryd reads format {known}")]
    Format {
        /// Its number.
        record: u64,
        /// Its format.
        version: u16,
        /// The format that is understood.
        known: u16,
    },
    /// A record holds an event that this program does not know.
    #[error("record {record} holds `{word}`, which this treasuryd does not know; use a newer one")]
    UnknownEvent {
        /// Its number.
        record: u64,
        /// The event's word, or a word in it.
        word: String,
    },
    /// A record contradicts the ones before it.
    #[error("record {record} does not fit what came before: {problem}; {REBUILD}")]
    DoesNotFit {
        /// Its number.
        record: u64,
        /// What is wrong.
        problem: String,
    },
    /// A proposal in the archive is not what was written.
    #[error("{proposal} in the archive is damaged: {problem}; {REBUILD}")]
    ArchiveDamaged {
        /// Which, or where it is.
        proposal: String,
        /// What is wrong.
        problem: String,
    },
    /// The step's events are more than a record holds.
    #[error("a step of {0} bytes is more than a record holds")]
    TooLarge(usize),
    /// The events could not be written as JSON.
    #[error("events cannot be written as JSON: {0}")]
    Json(String),
    /// The store ends before something that it had acknowledged.
    #[error("the store ends at record {stored}, but {by} knows record {known}: records are lost; {REBUILD}")]
    Lost {
        /// Its last record.
        stored: u64,
        /// A record that there must have been.
        known: u64,
        /// What knows of it.
        by: &'static str,
    },
    /// The second log is not there.
    #[error("{} is missing; {REBUILD}", path.display())]
    LogMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The second log is not what was written.
    #[error("{} is damaged {problem}; {REBUILD}", path.display())]
    LogDamaged {
        /// Which file.
        path: PathBuf,
        /// Where and how.
        problem: String,
    },
    /// Another treasuryd made the store.
    #[error("the store has layout {found}; this treasuryd reads layouts 1 to {known}{}",
        if *is_newer { "; use a newer one".to_owned() } else { format!(". Where the file is damaged: {REBUILD}") })]
    Version {
        /// What its file says.
        found: String,
        /// The newest that is understood.
        known: u32,
        /// Whether it is one that may come to be.
        is_newer: bool,
    },
    /// A new store was built and not put in place before the process ended.
    #[error("{} holds a new store that is not in place yet; give the command again that made it: `treasuryd rebuild`, or `treasuryd audit \
             forget --store`", path.display())]
    Interrupted {
        /// The data directory.
        path: PathBuf,
    },
    /// Something is where something new was to be made.
    #[error("{} exists; nothing is overwritten", path.display())]
    Occupied {
        /// What exists.
        path: PathBuf,
    },
    /// The records of a daemon that runs ended before their end.
    #[error("the daemon ended after record {record}, before all was copied; copy again")]
    CutOff {
        /// The last that came.
        record: u64,
    },
    /// A copy is not what it was made from.
    #[error("the copy {} differs from its original: {what}", path.display())]
    CopyDiffers {
        /// The copy.
        path: PathBuf,
        /// In what.
        what: String,
    },
    /// What was to be copied is damaged.
    #[error("{} is damaged: {damage}; {REBUILD}", path.display())]
    NotWhole {
        /// The data directory.
        path: PathBuf,
        /// What is damaged.
        damage: String,
    },
    /// A failure that a test asked for.
    #[error("append failed on purpose")]
    Injected,
}

impl StoreError {
    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "STORE_LOCKED",
            Self::Io { .. } => "STORE_IO",
            Self::Engine(_) => "STORE_ENGINE",
            Self::Damaged { .. } => "STORE_DAMAGED",
            Self::Gap { .. } => "STORE_GAP",
            Self::Format { .. } => "STORE_FORMAT",
            Self::UnknownEvent { .. } => "STORE_UNKNOWN_EVENT",
            Self::DoesNotFit { .. } => "STORE_DOES_NOT_FIT",
            Self::ArchiveDamaged { .. } => "STORE_ARCHIVE_DAMAGED",
            Self::TooLarge(_) => "STORE_TOO_LARGE",
            Self::Json(_) => "STORE_JSON",
            Self::Lost { .. } => "STORE_LOST",
            Self::LogMissing { .. } => "STORE_LOG_MISSING",
            Self::LogDamaged { .. } => "STORE_LOG_DAMAGED",
            Self::Version { .. } => "STORE_VERSION",
            Self::Interrupted { .. } => "STORE_INTERRUPTED",
            Self::Occupied { .. } => "STORE_OCCUPIED",
            Self::CutOff { .. } => "STORE_CUT_OFF",
            Self::CopyDiffers { .. } => "STORE_COPY_DIFFERS",
            Self::NotWhole { .. } => "STORE_NOT_WHOLE",
            Self::Injected => "STORE_INJECTED",
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

#[cfg(test)]
mod tests;
