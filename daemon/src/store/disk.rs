//! The store on disk: the newest records in the journal and the storage engine, older ones in files, snapshots
//! of the state, and the second log.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use treasury_core::{Event, State};

use super::intents::{IntentLog, Opened, Position};
use super::journal::Journal;
use super::mover::Mover;
use super::record::Raw;
use super::seam::{Disk, Ground};
use super::segments::Segments;
use super::tail::Tail;
use super::{
    Archive, Host, Openings, Record, Resumed, Store, StoreError, add_up, files, opened, snapshot, version,
};

/// Records between two snapshots, and in a file of older records. A start reads at most these few one by
/// one, which takes about a tenth of a second; a snapshot of a large treasury takes about a second to
/// write, and comes every ten hours or so.
pub const SNAPSHOT_RECORDS: u64 = 10_000;

/// Records until a snapshot is tried again that could not be written.
const RETRY_RECORDS: u64 = 500;

/// The store on disk, with the lock that keeps other processes away.
pub struct DiskStore {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    // Ends before anything else is let go of.
    mover: Mover,
    journal: Journal,
    tail: Arc<Tail>,
    segments: Segments,
    intents: IntentLog,
    archive: Arc<Archive>,
    /// `None` until the state has been read: entries of the second log say what was new in a step.
    position: Option<Position>,
    last: u64,
    /// An append has failed: what comes after it would have its number.
    is_broken: bool,
    snapshot_every: u64,
    next_snapshot: u64,
    _lock: Box<dyn Any + Send>,
}

impl DiskStore {
    /// Opens the store of a data directory, or makes both; a store of an older layout is brought up to
    /// this one. What a crash left half-written at the end is taken away: nothing followed from it,
    /// because its append never returned.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where another process has it open, [`StoreError::Version`] where a newer
    /// treasuryd made it; otherwise what went wrong with the files, or what is damaged.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        Self::open_on(&Ground::system(), data_dir)
    }

    /// As [`DiskStore::open`], on this ground.
    ///
    /// # Errors
    /// As there.
    pub fn open_on(ground: &Ground, data_dir: &Path) -> Result<Self, StoreError> {
        let disk = &ground.disk;
        files::make_dir(&**disk, data_dir)?;
        let lock = disk.lock(data_dir)?;
        disk.tighten(data_dir)?;
        let found = version::find(&**disk, data_dir)?;
        for part in [files::RECORDS, files::SNAPSHOTS] {
            files::make_dir(&**disk, &data_dir.join(part))?;
        }
        let segments = Segments::open(disk, data_dir.join(files::RECORDS))?;
        let tail = Tail::open_on(&*ground.engine, &data_dir.join(files::TAIL))?;
        // A crash after they were written to a file and before they were removed here.
        tail.remove_through(segments.last())?;
        let next = segments.last().saturating_add(1);
        let mut last = tail.settle()?.unwrap_or_else(|| segments.last());
        let mut journal = Journal::open(&**disk, &data_dir.join(files::JOURNAL), ground.journal_half_bytes)?;
        // What the last process had not moved, unless it ended in order.
        let left = journal.beyond(last)?;
        tail.append(&left)?;
        last = left.last().map_or(last, |record| record.number);
        journal.clear()?;
        if let Some(first) = tail.first()?
            && first != next
        {
            return Err(StoreError::Gap { expected: next, found: first });
        }
        if found.is_none_or(|found| found < version::PRESENT) {
            version::migrate(disk, data_dir, found, &segments, &tail)?;
        }
        let path = data_dir.join(files::INTENTS);
        let Opened { log, was_torn } = IntentLog::open(&**disk, &path)?;
        let latest =
            snapshot::numbers(&**disk, &data_dir.join(files::SNAPSHOTS))?.last().copied().unwrap_or(0);
        for (known, by) in [(log.last(), files::INTENTS), (latest, files::SNAPSHOTS)] {
            if known > last {
                return Err(StoreError::Lost { stored: last, known, by });
            }
        }
        let tail = Arc::new(tail);
        let half = ground.journal_half_bytes;
        let mover = if ground.is_threaded {
            Mover::start(Arc::clone(&tail), half)?
        } else {
            Mover::inline(Arc::clone(&tail), half)
        };
        let mut store = Self {
            disk: Arc::clone(disk),
            dir: data_dir.to_owned(),
            mover,
            journal,
            tail,
            segments,
            intents: log,
            archive: Arc::new(Archive::open(&**disk, &data_dir.join(files::ARCHIVE))?),
            position: None,
            last,
            is_broken: false,
            snapshot_every: ground.snapshot_records,
            next_snapshot: latest.saturating_add(ground.snapshot_records),
            _lock: lock,
        };
        store.complete_log(was_torn)?;
        Ok(store)
    }

    /// Number of the last record; 0: none.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Writes down that a daemon on this host opened it, and answers with all such openings. Who copies, exports or
    /// checks a store opens it, too, and does not count.
    ///
    /// # Errors
    /// What cannot be read or written.
    pub fn note_opening(&self, host: Host) -> Result<Openings, StoreError> {
        opened::note(&self.disk, &self.dir, host)
    }

    /// Writes a snapshot of the state after the last record. Where the storage engine has enough records for
    /// a file, they are moved to one.
    ///
    /// # Errors
    /// What could not be written. The store is as whole as before.
    pub fn snapshot(&mut self, number: u64, state: &State) -> Result<(), StoreError> {
        if number != self.last {
            return Err(StoreError::Gap { expected: self.last, found: number });
        }
        self.mover.finish_all()?;
        // A start from this snapshot does not look at what has left the state before it.
        self.archive.sync()?;
        snapshot::write(&self.disk, &self.dir.join(files::SNAPSHOTS), number, state)?;
        self.next_snapshot = number.saturating_add(self.snapshot_every);
        if self.last.saturating_sub(self.segments.last()) < self.snapshot_every {
            return Ok(());
        }
        self.segments.seal(self.tail.raw(self.segments.last()))?;
        self.tail.remove_through(self.segments.last())
    }

    /// The newest snapshot that can be used: the number of its record, and the state after it. Says in the
    /// log why others cannot.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub fn latest_snapshot(&self) -> Result<Option<(u64, State)>, StoreError> {
        let dir = self.dir.join(files::SNAPSHOTS);
        for number in snapshot::numbers(&*self.disk, &dir)?.into_iter().rev() {
            match snapshot::read(&*self.disk, &dir, number) {
                Ok(state) => return Ok(Some((number, state))),
                Err(problem) => tracing::warn!(
                    snapshot = number,
                    %problem,
                    "a snapshot cannot be used; the records before it are read instead"
                ),
            }
        }
        Ok(None)
    }

    /// Makes a record durable: in the journal, from which it goes to the storage engine by and by, or there at
    /// once where it is too large.
    fn keep(&mut self, record: Raw) -> Result<(), StoreError> {
        if self.journal.holds(&record) {
            self.mover.finish(self.journal.needs(&record))?;
            self.journal.append(&record)?;
            return self.mover.take(record);
        }
        self.mover.finish_all()?;
        self.tail.append([&record])
    }

    /// Adds to the second log what a crash kept from it. Only the last record's entry can be missing,
    /// unless the log's own end was damaged.
    fn complete_log(&mut self, was_torn: bool) -> Result<(), StoreError> {
        let from =
            if was_torn { self.intents.last() } else { self.intents.last().max(self.last.saturating_sub(1)) };
        if from >= self.last {
            return Ok(());
        }
        // What was new in a step is known only from what came before; here it may be named once too often,
        // which costs a rebuild one more reading.
        let mut position = self.cursor_at(from)?;
        let mut after = from;
        while after < self.last {
            for record in self.read(after, super::REPLAY_PAGE)? {
                after = record.number;
                if let Some(entry) = position.step(record.number, &record.events) {
                    self.intents.write(&entry)?;
                }
            }
        }
        self.intents.sync()
    }

    /// The cursor after a record: that of the last one before it that moved it.
    fn cursor_at(&self, record: u64) -> Result<Position, StoreError> {
        let mut from = record;
        while from > 0 {
            let before = from.saturating_sub(64);
            let mut position = Position::default();
            let limit = usize::try_from(from.saturating_sub(before)).unwrap_or(usize::MAX);
            for record in self.read(before, limit)? {
                position.step(record.number, &record.events);
            }
            if position.has_cursor() {
                return Ok(position);
            }
            from = before;
        }
        Ok(Position::default())
    }

    #[cfg(test)]
    pub(super) fn tree(&mut self) -> &sled::Tree {
        self.mover.finish_all().unwrap();
        self.tail.tree()
    }

    /// Snapshots every `records`.
    #[cfg(test)]
    pub(super) fn snapshot_every(&mut self, records: u64) {
        self.snapshot_every = records;
        self.next_snapshot = self.last.saturating_add(records);
    }

    /// From now on the second log finds the disk full.
    #[cfg(test)]
    pub(crate) fn fill_log_disk(&mut self) {
        self.intents.fill_disk();
    }

    /// Halves of the journal of so many bytes.
    #[cfg(test)]
    pub(super) fn shrink_journal(&mut self, half_bytes: u64) {
        self.journal.shrink(half_bytes);
    }

    /// Whether the second log is durable up to its end.
    #[cfg(test)]
    pub(super) fn is_secured(&self) -> bool {
        self.intents.is_synced()
    }

    /// From now on the journal finds the disk full.
    #[cfg(test)]
    pub(crate) fn fill_journal_disk(&mut self) {
        self.journal.fill_disk();
    }

    /// From now on the storage engine takes nothing.
    #[cfg(test)]
    pub(super) fn fail_tail(&self) {
        self.tail.fail();
    }

    /// As after reading an empty store.
    #[cfg(test)]
    pub(super) fn position_at_start(&mut self) {
        self.position = Some(Position::default());
    }

    /// Adds a record without its entry, as a crash between the two would.
    #[cfg(test)]
    pub(super) fn append_without_entry(&mut self, events: &[Event]) -> Result<(), StoreError> {
        self.keep(Raw::new(self.last.saturating_add(1), events)?)
    }

    /// Everything the storage engine has, in a file of its own.
    #[cfg(test)]
    pub(super) fn seal_only(&mut self) -> Result<(), StoreError> {
        self.mover.finish_all()?;
        self.segments.seal(self.tail.raw(self.segments.last()))
    }
}

impl Store for DiskStore {
    fn append(&mut self, events: &[Event]) -> Result<u64, StoreError> {
        if self.position.is_none() {
            self.resume(&mut |_| {})?;
        }
        if self.is_broken {
            return Err(StoreError::Engine("an earlier append failed".to_owned()));
        }
        let number = self.last.saturating_add(1);
        let record = Raw::new(number, events)?;
        self.is_broken = true;
        // No more than one entry may be missing after a crash.
        self.intents.sync()?;
        self.keep(record)?;
        let entry = self.position.as_mut().and_then(|position| position.step(number, events));
        if let Some(entry) = entry {
            self.intents.write(&entry)?;
        }
        self.last = number;
        self.is_broken = false;
        Ok(number)
    }

    fn secure(&mut self) -> Result<(), StoreError> {
        self.intents.sync()
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let mut records = self.segments.read(after, limit)?;
        // The storage engine may be getting what is in the journal at this moment.
        let pending = self.mover.pending().next().map_or(u64::MAX, |first| first.number);
        let rest = limit.saturating_sub(records.len());
        if rest > 0 {
            records.extend(self.tail.read(after.max(self.segments.last()), pending, rest)?);
        }
        let rest = limit.saturating_sub(records.len());
        let newest = self.mover.pending().filter(|record| record.number > after).take(rest);
        for record in newest {
            records.push(record.parse()?);
        }
        Ok(records)
    }

    fn resume(&mut self, visit: &mut dyn FnMut(&Record)) -> Result<Resumed, StoreError> {
        let (from, state) = self.latest_snapshot()?.unwrap_or_default();
        let resumed = add_up(self, &self.archive, state, from, visit)?;
        let archived = resumed.state.archived.values().copied().fold(0, u64::saturating_add);
        if u64::try_from(self.archive.len()).unwrap_or(u64::MAX) < archived {
            tracing::warn!(
                archived,
                found = self.archive.len(),
                "the archive is made again from the records"
            );
            add_up(self, &self.archive, State::default(), 0, &mut |_| {})?;
        }
        self.position = Some(Position::of(&resumed.state));
        tracing::info!(records = resumed.last, snapshot = from, "the store has been read");
        Ok(resumed)
    }

    fn archive(&self) -> Arc<Archive> {
        Arc::clone(&self.archive)
    }

    fn settled(&mut self, number: u64, state: &State) {
        if number < self.next_snapshot {
            return;
        }
        // A disk that lost what it had taken may say so once and never again. The records have it all; nothing is added
        // to them by whoever believes otherwise.
        if let Err(error) = self.archive.sync() {
            tracing::error!(%error, "the archive cannot be made durable");
            self.is_broken = true;
            return;
        }
        // A snapshot saves time at the next start. Without one the daemon is as safe as with it, so this is
        // no reason to stop; a disk that is full will stop it at the next append.
        if let Err(error) = self.snapshot(number, state) {
            tracing::warn!(%error, "a snapshot was not written");
            self.next_snapshot = number.saturating_add(RETRY_RECORDS.min(self.snapshot_every));
        }
    }

    fn tidy(&mut self) {
        self.mover.give();
    }

    fn close(&mut self, state: &State) {
        // What cannot be moved now is moved at the next start.
        let emptied = self.intents.sync().and_then(|()| self.mover.finish_all());
        if let Err(error) = emptied.and_then(|()| self.journal.clear()) {
            tracing::warn!(%error, "the journal was not emptied; the next start does it");
            return;
        }
        let is_new = self.next_snapshot.saturating_sub(self.snapshot_every) < self.last;
        if self.position.is_some()
            && is_new
            && let Err(error) = self.snapshot(self.last, state)
        {
            tracing::warn!(%error, "no snapshot was written at the end; the next start reads more records");
        }
    }
}

/// Records in the order in which they were stored, from the files and from the storage engine.
pub(super) fn all<'a>(
    segments: &'a Segments,
    tail: &'a Tail,
) -> impl Iterator<Item = Result<Record, StoreError>> + 'a {
    segments.records().chain(tail.raw(segments.last()).map(|raw| raw.and_then(|raw| raw.parse())))
}
