//! Looks at everything in a store and says exactly what is damaged.

use std::path::{Path, PathBuf};

use treasury_core::state::Archived;
use treasury_core::{State, invariant};

use super::intents::{Entries, Entry, Position};
use super::journal;
use super::record::Raw;
use super::seam::system;
use super::segments::{self, Segments};
use super::snapshot::Unusable;
use super::tail::Tail;
use super::{
    Archive, Openings, REBUILD, Record, StoreError, StoreLock, add_one, files, opened, snapshot, version,
};
use crate::private::Scratch;

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// The last record that anything knows of, damaged or not; 0: none.
    pub last: u64,
    /// Whole records from the first on, without a gap, that fit each other.
    pub whole: u64,
    /// Events in them.
    pub events: u64,
    /// Proposals in the archive that are whole, and as the records have them.
    pub archived: u64,
    /// Snapshots that can be used, by the number of their record.
    pub snapshots: Vec<u64>,
    /// Entries of the second log that are whole.
    pub entries: u64,
    /// Entries among them that belong to records beyond [`Report::whole`]: what a rebuild applies.
    pub entries_beyond: u64,
    /// The ledgers that a rebuild has to fetch, first and last.
    pub ledgers_to_fetch: Option<(u32, u32)>,
    /// Whether the second log is whole.
    pub log_whole: bool,
    /// Which hosts have opened it.
    pub opened: Openings,
    /// What is damaged, piece by piece.
    pub damage: Vec<String>,
    /// What the whole records add up to.
    pub state: State,
}

impl Report {
    /// Whether nothing is damaged.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.damage.is_empty()
    }

    /// Whether `treasuryd rebuild` can restore everything, given the ledger's history.
    #[must_use]
    pub fn can_be_rebuilt(&self) -> bool {
        self.log_whole || self.whole == self.last
    }
}

/// Reads every record, snapshot and entry of a store that no daemon is running on, and compares them with
/// each other.
///
/// # Errors
/// Where it cannot be looked at: it is in use, of another version, or cannot be read at all.
pub fn inspect(data_dir: &Path) -> Result<Report, StoreError> {
    let _lock = StoreLock::take(data_dir)?;
    let disk = system();
    let mut report = Report { opened: opened::read(&*disk, data_dir)?, ..Report::default() };
    let is_old = version::find(&*disk, data_dir)?.is_some_and(|found| found < version::WITH_LOG);
    let (segments, gap) = Segments::open_prefix(&disk, data_dir.join(files::RECORDS))?;
    report.damage.extend(gap.map(|gap| bare(&gap)));
    report.last = segments.last();
    for span in segments.spans() {
        let file = segments::path(&data_dir.join(files::RECORDS), *span);
        let problems = segments::problems(&*disk, &data_dir.join(files::RECORDS), *span);
        let named = problems.iter().map(|problem| format!("{}: {}", file.display(), bare(problem)));
        report.damage.extend(named);
    }
    // Opening the storage engine's files changes them where they are damaged; looking must not.
    let copies = Scratch::new().map_err(StoreError::io("copy", data_dir))?;
    let tail = match copy_of_tail(data_dir, copies.path()) {
        Ok(tail) => Some(tail),
        Err(error) => {
            report.damage.push(bare(&error));
            None
        }
    };
    if let Some(tail) = &tail {
        look_at_tail(tail, segments.last(), &mut report);
    }
    let journal = look_at_journal(data_dir, tail.as_ref(), segments.last(), &mut report);
    let newest = tail.iter().flat_map(|tail| tail.raw(segments.last())).chain(journal.into_iter().map(Ok));
    let records = segments.records().chain(newest.map(|raw| raw.and_then(|raw| raw.parse())));
    let mut walk = Walk::begin(data_dir, copies.path(), report)?;
    for record in records {
        // What is wrong with it has been said.
        let Ok(record) = record else { break };
        if !walk.step(&record) {
            break;
        }
    }
    Ok(walk.finish(is_old))
}

/// The newest records, from a copy of the storage engine's files.
pub(super) fn copy_of_tail(data_dir: &Path, to: &Path) -> Result<Tail, StoreError> {
    let original = data_dir.join(files::TAIL);
    if !original.is_dir() {
        return Err(StoreError::Engine(format!("{} is missing", original.display())));
    }
    let copy = to.join(files::TAIL);
    files::copy(&original, &copy)?;
    Tail::open(&copy)
}

/// Reads the storage engine's records one by one, so that one that is damaged does not hide the others.
fn look_at_tail(tail: &Tail, sealed: u64, report: &mut Report) {
    match tail.settle() {
        Ok(last) => report.last = report.last.max(last.unwrap_or(0)),
        Err(error) => report.damage.push(bare(&error)),
    }
    for number in sealed.saturating_add(1)..=report.last {
        let read = tail.raw(number.saturating_sub(1)).next();
        if let Some(Err(error)) = read.map(|raw| raw.and_then(|raw| raw.parse())) {
            report.damage.push(bare(&error));
        }
    }
}

/// The journal's records beyond the storage engine's last. Where that one cannot be read, the journal is not
/// known to follow anything.
fn look_at_journal(data_dir: &Path, tail: Option<&Tail>, sealed: u64, report: &mut Report) -> Vec<Raw> {
    let path = data_dir.join(files::JOURNAL);
    let Some(Ok(last)) = tail.map(Tail::settle) else {
        report.last = report.last.max(journal::last_in(&*system(), &path));
        return Vec::new();
    };
    match journal::read_beyond(&*system(), &path, last.unwrap_or(sealed)) {
        Ok(records) => {
            report.last = records.last().map_or(report.last, |record| report.last.max(record.number));
            records
        }
        Err(error) => {
            report.damage.push(bare(&error));
            report.last = report.last.max(journal::last_in(&*system(), &path));
            Vec::new()
        }
    }
}

/// An error without the advice, which a list of damage gives once.
fn bare(error: &StoreError) -> String {
    let text = error.to_string();
    let text = text.split(REBUILD).next().unwrap_or_default();
    let text = text.strip_suffix(". If it stays so: ").unwrap_or(text);
    text.strip_suffix("; ").unwrap_or(text).to_owned()
}

/// Adds up the whole records, and holds snapshots and the second log against them.
struct Walk {
    report: Report,
    snapshots_dir: PathBuf,
    snapshots: Vec<u64>,
    newest_snapshot: u64,
    log: Option<Entries>,
    log_problem: Option<String>,
    /// An entry that was read and belongs to no record seen so far.
    ahead: Option<Entry>,
    position: Position,
    archive: Option<Archive>,
}

impl Walk {
    fn begin(data_dir: &Path, copies: &Path, report: Report) -> Result<Self, StoreError> {
        let snapshots_dir = data_dir.join(files::SNAPSHOTS);
        let snapshots =
            if snapshots_dir.is_dir() { snapshot::numbers(&*system(), &snapshots_dir)? } else { Vec::new() };
        let newest_snapshot = snapshots.last().copied().unwrap_or_default();
        let mut walk = Self {
            report,
            snapshots_dir,
            snapshots,
            newest_snapshot,
            log: None,
            log_problem: None,
            ahead: None,
            position: Position::default(),
            archive: None,
        };
        walk.open_archive(data_dir, copies);
        match Entries::open(&*system(), &data_dir.join(files::INTENTS)) {
            Ok(log) => walk.log = Some(log),
            Err(error) => walk.log_problem = Some(bare(&error)),
        }
        walk.advance_log();
        Ok(walk)
    }

    /// Opening it mends what a crash left at its end; looking must not. Layouts from before there was one have none.
    fn open_archive(&mut self, data_dir: &Path, copies: &Path) {
        let original = data_dir.join(files::ARCHIVE);
        if !original.is_dir() {
            return;
        }
        let copy = copies.join(files::ARCHIVE);
        match files::copy(&original, &copy).and_then(|()| Archive::open(&*system(), &copy)) {
            Ok(archive) => self.archive = Some(archive),
            Err(error) => self.report.damage.push(bare(&error)),
        }
    }

    /// Compares what left the state with what the archive has. What a crash kept from it comes with the next start, which
    /// reads the records behind the newest snapshot.
    fn hold_against_archive(&mut self, number: u64, retired: Vec<Archived>) {
        let comes_back = number > self.newest_snapshot || number >= self.report.last;
        for one in retired {
            let id = one.proposal.id;
            match self.archive.as_ref().map(|archive| archive.get(id)) {
                Some(Ok(Some(kept))) if kept == one => {
                    self.report.archived = self.report.archived.saturating_add(1);
                }
                Some(Ok(Some(_))) => {
                    self.report.damage.push(format!("{id} in the archive is not what the records add up to"));
                }
                Some(Err(_) | Ok(None)) | None if comes_back => {}
                Some(Err(error)) => self.report.damage.push(bare(&error)),
                Some(Ok(None)) | None => self.report.damage.push(format!("the archive lacks {id}")),
            }
        }
    }

    fn advance_log(&mut self) {
        self.ahead = match self.log.as_mut().and_then(Iterator::next) {
            Some(Ok(entry)) => {
                self.report.entries = self.report.entries.saturating_add(1);
                Some(entry)
            }
            Some(Err(error)) => {
                self.log_problem.get_or_insert(bare(&error));
                None
            }
            None => None,
        };
    }

    /// Takes the next record; whether the one after it can be taken too.
    fn step(&mut self, record: &Record) -> bool {
        let report = &mut self.report;
        if record.number != report.whole.saturating_add(1) {
            let gap = StoreError::Gap { expected: report.whole.saturating_add(1), found: record.number };
            report.damage.push(bare(&gap));
            return false;
        }
        let fits = add_one(&mut report.state, record).and_then(|()| {
            invariant::check_after(&report.state, &record.events)
                .map_err(|error| StoreError::DoesNotFit { record: record.number, problem: error.to_string() })
        });
        if let Err(error) = fits {
            report.damage.push(bare(&error));
            return false;
        }
        let retired = report.state.take_retired();
        report.whole = record.number;
        report.events = report.events.saturating_add(u64::try_from(record.events.len()).unwrap_or(0));
        if self.snapshots.contains(&record.number) {
            match snapshot::read(&*system(), &self.snapshots_dir, record.number) {
                Ok(state) if state == report.state => report.snapshots.push(record.number),
                Ok(_) => {
                    let what = "is not what the records before it add up to";
                    report.damage.push(format!("snapshot {} {what}", record.number));
                }
                // The records are whole so far, and say all that it says.
                Err(Unusable::OtherForm(_)) => {}
                Err(problem) => report.damage.push(format!("snapshot {}: {problem}", record.number)),
            }
        }
        self.hold_against_archive(record.number, retired);
        if let Some(wanted) = self.position.step(record.number, &record.events) {
            self.hold_against_log(&wanted);
        }
        true
    }

    fn hold_against_log(&mut self, wanted: &Entry) {
        if self.log_problem.is_some() {
            return;
        }
        match self.ahead.take() {
            // Which accounts were new is told anew after a crash; that more are named harms nothing.
            Some(entry)
                if (entry.record, &entry.cursor, &entry.events)
                    == (wanted.record, &wanted.cursor, &wanted.events) =>
            {
                self.advance_log();
            }
            Some(entry) if entry.record == wanted.record => {
                let what = "says something else in the second log than in the store";
                self.log_problem = Some(format!("record {} {what}", wanted.record));
            }
            _ => self.log_problem = Some(format!("the second log lacks record {}", wanted.record)),
        }
    }

    fn finish(mut self, is_old: bool) -> Report {
        let mut last_ledger = None;
        while let Some(entry) = self.ahead.take() {
            if entry.record > self.report.whole {
                self.report.entries_beyond = self.report.entries_beyond.saturating_add(1);
                self.report.last = self.report.last.max(entry.record);
                last_ledger = entry.cursor.map(|point| point.index.0).or(last_ledger);
            }
            self.advance_log();
        }
        let mut report = self.report;
        for number in self.snapshots.iter().filter(|number| **number > report.whole) {
            report.last = report.last.max(*number);
            if let Err(problem) = snapshot::read(&*system(), &self.snapshots_dir, *number) {
                report.damage.push(format!("snapshot {number}: {problem}"));
            }
        }
        if report.whole < report.last {
            let first = report.whole.saturating_add(1);
            report.damage.push(format!("records {first} to {} are damaged or lost", report.last));
        }
        report.ledgers_to_fetch = last_ledger.and_then(|last| {
            let first = report.state.ledger.map_or(last, |point| point.index.plus(1).0);
            (first <= last).then_some((first, last))
        });
        // A layout from before the second log has none; the next start writes it.
        report.log_whole = self.log_problem.is_none() || is_old;
        if !is_old {
            report.damage.extend(self.log_problem);
        }
        report
    }
}
