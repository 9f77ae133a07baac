//! The Store port: facts in order, durable before anything follows from them.
//!
//! One *record* holds all events of one step, so a step is stored whole or not at all. Records are
//! numbered from 1 without gaps.

mod disk;
mod lock;
mod memory;
mod record;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use treasury_core::{Event, State};

pub use disk::DiskStore;
pub use lock::StoreLock;
pub use memory::MemoryStore;

/// Where facts are kept. One writer; the engine's thread owns it.
pub trait Store: Send {
    /// Adds one step's events as one record, and returns its number once it is durable. Whoever gets an
    /// error must stop: what is in memory is then ahead of what is stored.
    ///
    /// # Errors
    /// Where the record could not be made durable.
    fn append(&mut self, events: &[Event]) -> Result<u64, StoreError>;

    /// Records with numbers above `after`, in order, at most `limit`; fewer only at the end.
    ///
    /// # Errors
    /// Where one of them is damaged or missing, which the error names.
    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError>;
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
    let mut state = State::default();
    let mut after = 0;
    loop {
        let page = store.read(after, REPLAY_PAGE)?;
        for record in &page {
            for event in &record.events {
                state.apply(event).map_err(|error| StoreError::DoesNotFit {
                    record: record.number,
                    problem: error.to_string(),
                })?;
            }
            after = record.number;
            visit(record);
        }
        if page.len() < REPLAY_PAGE {
            return Ok(state);
        }
    }
}

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
    #[error("the storage engine failed: {0}")]
    Engine(String),
    /// A record's bytes are not what was written.
    #[error("record {record} is damaged: {problem}")]
    Damaged {
        /// Its number.
        record: u64,
        /// What is wrong.
        problem: String,
    },
    /// A record is missing.
    #[error("record {expected} is missing: record {found} comes in its place")]
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
    /// A record contradicts the ones before it.
    #[error("record {record} does not fit what came before: {problem}")]
    DoesNotFit {
        /// Its number.
        record: u64,
        /// What is wrong.
        problem: String,
    },
    /// The step's events are more than a record holds.
    #[error("a step of {0} bytes is more than a record holds")]
    TooLarge(usize),
    /// The events could not be written as JSON.
    #[error("events cannot be written as JSON: {0}")]
    Json(String),
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
            Self::DoesNotFit { .. } => "STORE_DOES_NOT_FIT",
            Self::TooLarge(_) => "STORE_TOO_LARGE",
            Self::Json(_) => "STORE_JSON",
            Self::Injected => "STORE_INJECTED",
        }
    }

    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

#[cfg(test)]
mod tests;
