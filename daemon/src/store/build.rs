//! Builds a whole store at once: for imports and rebuilding, where nothing counts before everything does.

use std::path::{Path, PathBuf};

use treasury_core::{Event, State, invariant};

use super::intents::{LogWriter, Position};
use super::journal::{self, Journal};
use super::record::Raw;
use super::seam::system;
use super::segments::SegmentWriter;
use super::swap::{self, Stage};
use super::tail::Tail;
use super::{Archive, SNAPSHOT_RECORDS, StoreError, StoreLock, files, snapshot, version};

/// A store under construction beside the one that is in place. Every record is replayed as it comes, so
/// what does not fit is found at once. Dropped before [`StoreBuilder::install`], it leaves the data
/// directory's store as it was.
pub struct StoreBuilder {
    data_dir: PathBuf,
    stage: Stage,
    state: State,
    number: u64,
    segment: SegmentWriter,
    log: LogWriter,
    position: Position,
    archive: Archive,
    rewrite: Option<Rewrite>,
    _lock: StoreLock,
}

/// Gets each record's number and events, and answers with others where they are to be others.
pub(super) type Rewrite = Box<dyn FnMut(u64, &[Event]) -> Result<Option<Vec<Event>>, StoreError>>;

/// What was built.
#[derive(Debug)]
pub struct Built {
    /// Number of the last record; 0: none.
    pub records: u64,
    /// Where the store went that was there before, if one was.
    pub aside: Option<PathBuf>,
    /// The state that the records add up to.
    pub state: State,
}

impl StoreBuilder {
    /// Begins to build in a data directory, which no daemon may be using.
    ///
    /// # Errors
    /// [`StoreError::Locked`]; what cannot be written; [`StoreError::Interrupted`] where a finished store
    /// waits to be put in place by [`StoreBuilder::finish_interrupted`].
    pub fn begin(data_dir: &Path) -> Result<Self, StoreError> {
        let disk = system();
        files::make_dir(&*disk, data_dir)?;
        let lock = StoreLock::take(data_dir)?;
        files::tighten(data_dir)?;
        if swap::is_interrupted(&*system(), data_dir) {
            return Err(StoreError::Interrupted { path: data_dir.to_owned() });
        }
        let stage = Stage::begin(data_dir)?;
        for part in [files::RECORDS, files::SNAPSHOTS] {
            files::make_dir(&*disk, &stage.path().join(part))?;
        }
        Ok(Self {
            data_dir: data_dir.to_owned(),
            segment: SegmentWriter::begin(&disk, &stage.path().join(files::RECORDS), 1)?,
            archive: Archive::open(&*disk, &stage.path().join(files::ARCHIVE))?,
            log: LogWriter::begin(&disk, &stage.path().join(files::INTENTS))?,
            stage,
            state: State::default(),
            number: 0,
            position: Position::default(),
            rewrite: None,
            _lock: lock,
        })
    }

    /// The same, and records are written as this says.
    pub(super) fn rewriting(self, rewrite: Rewrite) -> Self {
        Self { rewrite: Some(rewrite), ..self }
    }

    /// As [`StoreBuilder::begin`], where nothing may be there yet.
    ///
    /// # Errors
    /// [`StoreError::Occupied`], and as there.
    pub fn begin_empty(data_dir: &Path) -> Result<Self, StoreError> {
        match files::PARTS.iter().map(|part| data_dir.join(part)).find(|path| path.exists()) {
            Some(path) => Err(StoreError::Occupied { path }),
            None => Self::begin(data_dir),
        }
    }

    /// Puts a store in place that was finished when an earlier process was interrupted; answers with where
    /// the one before it went.
    ///
    /// # Errors
    /// [`StoreError::Locked`]; what cannot be moved.
    pub fn finish_interrupted(data_dir: &Path) -> Result<Option<Option<PathBuf>>, StoreError> {
        if !swap::is_interrupted(&*system(), data_dir) {
            return Ok(None);
        }
        let _lock = StoreLock::take(data_dir)?;
        swap::finish(data_dir).map(Some)
    }

    /// What the records so far add up to.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Number of the last record so far.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// A place for files that are needed only while building.
    pub(super) fn scratch(&self) -> PathBuf {
        self.stage.path().join("scratch")
    }

    /// Adds a record and answers with its number.
    ///
    /// # Errors
    /// [`StoreError::DoesNotFit`] where an event contradicts what came before, or breaks an invariant; what
    /// cannot be written. The builder must not be used any more.
    pub fn push(&mut self, events: &[Event]) -> Result<u64, StoreError> {
        let number = self.number.saturating_add(1);
        let rewritten = match &mut self.rewrite {
            Some(rewrite) => rewrite(number, events)?,
            None => None,
        };
        let events = rewritten.as_deref().unwrap_or(events);
        let does_not_fit = |problem: String| StoreError::DoesNotFit { record: number, problem };
        for event in events {
            self.state.apply(event).map_err(|error| does_not_fit(error.to_string()))?;
        }
        invariant::check_after(&self.state, events).map_err(|error| does_not_fit(error.to_string()))?;
        self.archive.add(&self.state.take_retired())?;
        self.segment.push(&Raw::new(number, events)?)?;
        if let Some(entry) = self.position.step(number, events) {
            self.log.push(&entry)?;
        }
        self.number = number;
        if self.segment.len() >= SNAPSHOT_RECORDS {
            let next = SegmentWriter::begin(
                &system(),
                &self.stage.path().join(files::RECORDS),
                number.saturating_add(1),
            )?;
            std::mem::replace(&mut self.segment, next).finish()?;
        }
        Ok(number)
    }

    /// Makes it whole and durable and puts it in place; what was there goes aside.
    ///
    /// # Errors
    /// What cannot be written or moved, or the invariant that the whole state breaks.
    pub fn install(self) -> Result<Built, StoreError> {
        // Whoever comes next must find the stage gone when the lock is free: what is named last is dropped first.
        let Self { _lock, stage, data_dir, state, number, segment, log, archive, .. } = self;
        invariant::check(&state)
            .map_err(|error| StoreError::DoesNotFit { record: number, problem: error.to_string() })?;
        let disk = system();
        segment.finish()?;
        archive.sync()?;
        log.finish(&stage.path().join(files::INTENTS))?;
        if number > 0 {
            snapshot::write(&disk, &stage.path().join(files::SNAPSHOTS), number, &state)?;
        }
        drop(Tail::open(&stage.path().join(files::TAIL))?);
        // An empty one: what stands in the old one must not come after what was built.
        Journal::open(&*disk, &stage.path().join(files::JOURNAL), journal::HALF_BYTES)?.clear()?;
        version::write(&disk, stage.path())?;
        let aside = swap::install(&data_dir)?;
        Ok(Built { records: number, aside, state })
    }
}
