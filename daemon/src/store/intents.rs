//! The second log: what the ledger cannot give back.
//!
//! Ledgers and accounts can be read again; what people asked for, approved and held back, and what was
//! about to be sent, cannot. So every event but those two kinds goes to an append-only file as well, with
//! the ledger it happened at. With it and the ledger's history the store can be built again.
//!
//! A record is made durable in the store first, and then written to this log. A crash in between leaves a
//! record that the log lacks: the next start adds it, because the store has it. The other way round it could
//! leave an entry that the store lacks, and nobody could tell a step that never counted from one that the
//! store has lost. So an entry beyond the store's end means one thing: the store has lost what counted.
//!
//! The log is synced before anybody is answered, and for the daemon's own steps right after their effects are
//! released: a decision does not wait for a second copy, which is of use only where the first is lost.

use std::collections::BTreeSet;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use treasury_core::observe::{AccountSnapshot, LedgerPoint};
use treasury_core::units::AccountId;
use treasury_core::{Event, State};

use super::files::{self, NewFile};
use super::frame::{Frames, Next, frame};
use super::seam::{Disk, DiskFile, OpenAs};
use super::{Record, StoreError};

/// Version of the log's form.
const FORMAT: u16 = 1;

/// One step's entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The number of the step's record.
    pub record: u64,
    /// The ledger that had been taken in when it happened; `None`: none yet.
    pub cursor: Option<LedgerPoint>,
    /// Accounts read for the first time in this step, at that ledger, and watched from there on; and those read anew because
    /// something that nobody could read had touched them: what came of that is in no ledger's event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<AccountId>,
    /// The step's events without those that ledgers and accounts give back.
    pub events: Vec<Event>,
}

/// What entries are made from besides a step's events.
#[derive(Clone, Debug, Default)]
pub(super) struct Position {
    cursor: Option<LedgerPoint>,
    known: BTreeSet<AccountId>,
    doubtful: BTreeSet<AccountId>,
}

impl Position {
    pub(super) fn of(state: &State) -> Self {
        let known = state.accounts.keys().copied().collect();
        Self { cursor: state.ledger, known, doubtful: state.doubtful.clone() }
    }

    /// Whether any ledger has been taken in.
    pub(super) fn has_cursor(&self) -> bool {
        self.cursor.is_some()
    }

    /// Moves on by one step; its entry, if there is anything to keep of it.
    pub(super) fn step(&mut self, record: u64, events: &[Event]) -> Option<Entry> {
        let mut entry = Entry { record, cursor: None, read: Vec::new(), events: Vec::new() };
        for event in events {
            match event {
                Event::LedgerTaken { observation, .. } => {
                    self.cursor = Some(observation.point);
                    let touched = observation.opaque.iter().flat_map(|opaque| &opaque.accounts);
                    self.doubtful.extend(touched.filter(|account| self.known.contains(*account)));
                }
                Event::AccountsRead { at, accounts, .. } => {
                    self.cursor.get_or_insert(*at);
                    for AccountSnapshot { account, .. } in accounts {
                        let (is_new, was_doubtful) =
                            (self.known.insert(*account), self.doubtful.remove(account));
                        if is_new || was_doubtful {
                            entry.read.push(*account);
                        }
                    }
                }
                Event::AccountsForgotten { accounts } => {
                    for account in accounts {
                        self.known.remove(account);
                        self.doubtful.remove(account);
                    }
                    entry.events.push(event.clone());
                }
                other => entry.events.push(other.clone()),
            }
        }
        entry.cursor = self.cursor;
        Some(entry).filter(|entry| !entry.events.is_empty() || !entry.read.is_empty())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    file: String,
    format: u16,
}

/// The open log.
pub(super) struct IntentLog {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    last: u64,
    is_synced: bool,
}

/// How the log was found.
pub(super) struct Opened {
    pub(super) log: IntentLog,
    /// Its end was cut off or damaged and is gone now; the store has to give it back.
    pub(super) was_torn: bool,
}

impl IntentLog {
    /// Writes a whole log at once.
    pub(super) fn create(
        disk: &Arc<dyn Disk>,
        path: &Path,
        entries: impl Iterator<Item = Result<Entry, StoreError>>,
    ) -> Result<(), StoreError> {
        let mut log = LogWriter::begin(disk, path)?;
        for entry in entries {
            log.push(&entry?)?;
        }
        log.finish(path)
    }

    /// Opens the log for appending, after reading its last entry alone: the file grows for years.
    pub(super) fn open(disk: &dyn Disk, path: &Path) -> Result<Opened, StoreError> {
        let io = |action| StoreError::io(action, path);
        let mut file = match disk.open(path, OpenAs::Append) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::LogMissing { path: path.to_owned() });
            }
            Err(error) => return Err(io("open")(error)),
        };
        let length = file.len().map_err(io("read"))?;
        let mut end = length;
        loop {
            let begin = line_before(&mut *file, end).map_err(io("read"))?;
            file.seek(SeekFrom::Start(begin)).map_err(io("read"))?;
            let line = BufReader::new((&mut file).take(end.saturating_sub(begin)));
            let next = Frames::new(line, begin).next().map_err(io("read"))?;
            let last = match (next, begin) {
                (Next::Json(json), 0) => Head::check(path, &json).map(|()| 0)?,
                (Next::Json(json), _) => parse(path, &json)?.record,
                // One frame can be cut off by a crash; a head cannot, since the file got its name whole.
                (_, begin) if begin > 0 && end == length => {
                    tracing::warn!(path = %path.display(), "the second log's end is torn and is written again");
                    end = begin;
                    continue;
                }
                _ => return Err(damaged(path, begin, "its end cannot be read")),
            };
            if end < length {
                file.set_len(end).and_then(|()| file.sync_all()).map_err(io("shorten"))?;
            }
            let log = Self { file, path: path.to_owned(), last, is_synced: true };
            return Ok(Opened { log, was_torn: end < length });
        }
    }

    /// The record of the last entry; 0: none.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Adds an entry; it is durable when [`IntentLog::sync`] has returned.
    pub(super) fn write(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.file.write_all(&line(entry)?).map_err(StoreError::io("write", &self.path))?;
        (self.last, self.is_synced) = (entry.record, false);
        Ok(())
    }

    /// Makes what was written durable.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        if !self.is_synced {
            self.file.sync_data().map_err(StoreError::io("sync", &self.path))?;
            self.is_synced = true;
        }
        Ok(())
    }

    /// Whether everything written is durable.
    #[cfg(test)]
    pub(super) fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// Puts a file in the log's place on which writing fails as it does on a full disk.
    #[cfg(test)]
    pub(super) fn fill_disk(&mut self) {
        self.file = Box::new(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    }
}

impl Head {
    fn line() -> Result<Vec<u8>, StoreError> {
        line(&Self { file: "intents".to_owned(), format: FORMAT })
    }

    fn check(path: &Path, json: &[u8]) -> Result<(), StoreError> {
        let head: Self =
            serde_json::from_slice(json).map_err(|error| damaged(path, 0, &error.to_string()))?;
        if head.format == FORMAT { Ok(()) } else { Err(damaged(path, 0, "it has another format")) }
    }
}

/// Writes a log that gets its name when it is whole.
pub(super) struct LogWriter {
    file: NewFile,
}

impl LogWriter {
    pub(super) fn begin(disk: &Arc<dyn Disk>, path: &Path) -> Result<Self, StoreError> {
        let mut file = NewFile::create(disk, files::parent(path).unwrap_or(Path::new(".")), files::INTENTS)?;
        file.write(&Head::line()?)?;
        Ok(Self { file })
    }

    pub(super) fn push(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.file.write(&line(entry)?)
    }

    pub(super) fn finish(self, path: &Path) -> Result<(), StoreError> {
        self.file.finish(path)
    }
}

/// Reads a whole log, entry by entry. An end cut off by a crash is no error: it never counted.
pub(super) struct Entries {
    path: PathBuf,
    frames: Frames<BufReader<Box<dyn DiskFile>>>,
    head: bool,
    over: bool,
    last: u64,
}

impl Entries {
    pub(super) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, StoreError> {
        let file = match disk.open(path, OpenAs::Read) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::LogMissing { path: path.to_owned() });
            }
            file => file.map_err(StoreError::io("open", path))?,
        };
        let frames = Frames::new(BufReader::with_capacity(1 << 16, file), 0);
        Ok(Self { path: path.to_owned(), frames, head: false, over: false, last: 0 })
    }

    fn take(&mut self) -> Result<Option<Entry>, StoreError> {
        loop {
            let offset = self.frames.offset();
            let json = match self.frames.next().map_err(StoreError::io("read", &self.path))? {
                Next::Json(json) => json,
                Next::Torn if self.head => return Ok(None),
                Next::Torn => return Err(damaged(&self.path, offset, "its head is cut off")),
                Next::End if self.head => return Ok(None),
                Next::End => return Err(damaged(&self.path, offset, "it is empty")),
                Next::Damaged(problem) => return Err(damaged(&self.path, offset, problem)),
            };
            if !self.head {
                Head::check(&self.path, &json)?;
                self.head = true;
                continue;
            }
            let entry = parse(&self.path, &json)?;
            if entry.record <= self.last {
                let problem = format!("record {} comes after record {}", entry.record, self.last);
                return Err(damaged(&self.path, offset, &problem));
            }
            self.last = entry.record;
            return Ok(Some(entry));
        }
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.take().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

/// The entries of records, in order.
pub(super) fn entries_of(
    records: impl Iterator<Item = Result<Record, StoreError>>,
) -> impl Iterator<Item = Result<Entry, StoreError>> {
    let mut position = Position::default();
    records.filter_map(move |record| {
        record.map(|record| position.step(record.number, &record.events)).transpose()
    })
}

fn line(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(value).map_err(|error| StoreError::Json(error.to_string()))?;
    frame(&json).ok_or(StoreError::TooLarge(json.len()))
}

fn parse(path: &Path, json: &[u8]) -> Result<Entry, StoreError> {
    serde_json::from_slice(json).map_err(|error| StoreError::LogDamaged {
        path: path.to_owned(),
        problem: format!("an entry cannot be read: {error}"),
    })
}

fn damaged(path: &Path, offset: u64, problem: &str) -> StoreError {
    StoreError::LogDamaged { path: path.to_owned(), problem: format!("at byte {offset}: {problem}") }
}

/// Where the line that ends at `end` begins; its own line feed does not count.
fn line_before(mut file: &mut dyn DiskFile, end: u64) -> std::io::Result<u64> {
    const STEP: u64 = 16 * 1024;
    let mut stop = end.saturating_sub(1);
    while stop > 0 {
        let start = stop.saturating_sub(STEP);
        let mut part = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        (&mut file).take(stop.saturating_sub(start)).read_to_end(&mut part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start.saturating_add(u64::try_from(at).unwrap_or(u64::MAX)).saturating_add(1));
        }
        stop = start;
    }
    Ok(0)
}
