//! Older records, in files that are never changed again.
//!
//! The storage engine's file is read whole when it is opened, so it keeps only the newest records; the
//! others are moved, ten thousand at a time, into files of framed JSON lines. A file's name says which
//! records are in it, so nothing has to be read to know what there is.

use std::cell::RefCell;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use treasury_core::event::FORMAT_VERSION;

use super::files::{self, NewFile};
use super::frame::{Frames, Next, frame};
use super::record::Raw;
use super::seam::{Disk, DiskFile, OpenAs};
use super::{Record, StoreError};

const SUFFIX: &str = ".records";

/// Which records a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Span {
    fn name(self) -> String {
        format!("{:020}-{:020}{SUFFIX}", self.first, self.last)
    }

    fn parse(stem: &str) -> Option<Self> {
        let (first, last) = stem.split_once('-')?;
        let span = Self { first: first.parse().ok()?, last: last.parse().ok()? };
        Some(span).filter(|span| span.first >= 1 && span.first <= span.last)
    }
}

/// The first frame of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    file: String,
    format: u16,
}

/// All files of older records.
pub(super) struct Segments {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    spans: Vec<Span>,
    /// Where the last reading ended: pages are mostly asked for one after another.
    reading: RefCell<Option<Reading>>,
}

struct Reading {
    span: Span,
    next: u64,
    frames: Frames<BufReader<Box<dyn DiskFile>>>,
}

impl Segments {
    /// Looks at the names alone.
    pub(super) fn open(disk: &Arc<dyn Disk>, dir: PathBuf) -> Result<Self, StoreError> {
        match Self::open_prefix(disk, dir)? {
            (segments, None) => Ok(segments),
            (_, Some(gap)) => Err(gap),
        }
    }

    /// The files from the first on without a gap, and the gap after them if there is one.
    pub(super) fn open_prefix(
        disk: &Arc<dyn Disk>,
        dir: PathBuf,
    ) -> Result<(Self, Option<StoreError>), StoreError> {
        let (mut spans, mut gap) = (Vec::new(), None);
        let mut expected = 1;
        let names = if disk.exists(&dir) { files::names(&**disk, &dir, SUFFIX)? } else { Vec::new() };
        for span in names.iter().filter_map(|stem| Span::parse(stem)) {
            if span.first != expected {
                gap = Some(StoreError::Gap { expected, found: span.first });
                break;
            }
            expected = span.last.saturating_add(1);
            spans.push(span);
        }
        Ok((Self { disk: Arc::clone(disk), dir, spans, reading: RefCell::new(None) }, gap))
    }

    /// All records in the files. After an error nothing more comes.
    pub(super) fn records(&self) -> impl Iterator<Item = Result<Record, StoreError>> + '_ {
        let (mut after, mut over) = (0, false);
        std::iter::from_fn(move || {
            if over {
                return None;
            }
            let read = self.read(after, 1);
            over = read.is_err();
            match read {
                Ok(records) => {
                    let record = records.into_iter().next()?;
                    after = record.number;
                    Some(Ok(record))
                }
                Err(error) => Some(Err(error)),
            }
        })
    }

    /// Number of the last record in a file; 0: none.
    pub(super) fn last(&self) -> u64 {
        self.spans.last().map_or(0, |span| span.last)
    }

    /// The files, in order.
    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Records above `after`, at most `limit`, and fewer only at the end of the last file.
    pub(super) fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        let mut next = after.saturating_add(1);
        while records.len() < limit {
            let Some(span) = self.spans.iter().find(|span| span.first <= next && next <= span.last) else {
                break;
            };
            let mut reading = match self.reading.take().filter(|at| at.span == *span && at.next <= next) {
                Some(reading) => reading,
                None => Reading::open(&*self.disk, &self.dir, *span)?,
            };
            while reading.next <= span.last && records.len() < limit {
                match reading.record() {
                    Ok(record) if record.number >= next => records.push(record),
                    Ok(_) => {}
                    // One that is not asked for hides none of those that are.
                    Err(error) if reading.next < next && goes_on(&error) => reading.skip(),
                    Err(error) => return Err(error),
                }
            }
            next = reading.next;
            *self.reading.borrow_mut() = Some(reading);
        }
        Ok(records)
    }

    /// Writes these records, which follow the last one, into a file of their own. When this has returned,
    /// they are durable there.
    pub(super) fn seal(
        &mut self,
        records: impl Iterator<Item = Result<Raw, StoreError>>,
    ) -> Result<(), StoreError> {
        let mut writer = SegmentWriter::begin(&self.disk, &self.dir, self.last().saturating_add(1))?;
        for record in records {
            writer.push(&record?)?;
        }
        self.spans.extend(writer.finish()?);
        Ok(())
    }
}

impl Reading {
    fn open(disk: &dyn Disk, dir: &Path, span: Span) -> Result<Self, StoreError> {
        let path = dir.join(span.name());
        let file = disk.open(&path, OpenAs::Read).map_err(StoreError::io("open", &path))?;
        let mut frames = Frames::new(BufReader::with_capacity(1 << 16, file), 0);
        let damaged = |problem: &str| StoreError::Damaged { record: span.first, problem: problem.to_owned() };
        let Next::Json(head) = frames.next().map_err(StoreError::io("read", &path))? else {
            return Err(damaged("the head of its file cannot be read"));
        };
        let head: Head =
            serde_json::from_slice(&head).map_err(|_| damaged("the head of its file cannot be read"))?;
        if head.format != FORMAT_VERSION {
            return Err(StoreError::Format {
                record: span.first,
                version: head.format,
                known: FORMAT_VERSION,
            });
        }
        Ok(Self { span, next: span.first, frames })
    }

    /// Goes on after a record whose frame is damaged.
    fn skip(&mut self) {
        self.next = self.next.saturating_add(1);
    }

    fn record(&mut self) -> Result<Record, StoreError> {
        let number = self.next;
        let damaged = |problem: &str| StoreError::Damaged { record: number, problem: problem.to_owned() };
        let json = match self.frames.next().map_err(|error| damaged(&error.to_string()))? {
            Next::Json(json) => json,
            Next::Torn | Next::End => return Err(damaged("its file ends before it does")),
            Next::Damaged(problem) => return Err(damaged(problem)),
        };
        let record: Record = serde_json::from_slice(&json).map_err(|error| damaged(&error.to_string()))?;
        if record.number != number {
            return Err(StoreError::Gap { expected: number, found: record.number });
        }
        self.next = number.saturating_add(1);
        Ok(record)
    }
}

/// Checks one file, frame by frame, and says what is wrong with which record. A damaged frame does not
/// hide the ones behind it as long as lines end where they should.
pub(super) fn problems(disk: &dyn Disk, dir: &Path, span: Span) -> Vec<StoreError> {
    let mut reading = match Reading::open(disk, dir, span) {
        Ok(reading) => reading,
        Err(error) => return vec![error],
    };
    let mut problems = Vec::new();
    while reading.next <= span.last {
        let Err(error) = reading.record() else { continue };
        let goes_on = goes_on(&error);
        problems.push(error);
        if !goes_on {
            break;
        }
        reading.skip();
    }
    problems
}

/// Whether the frame behind the one that is damaged can be found.
fn goes_on(error: &StoreError) -> bool {
    matches!(error, StoreError::Damaged { problem, .. } if problem.contains("checksum is"))
}

/// Writes a file of records.
pub(super) struct SegmentWriter {
    dir: PathBuf,
    file: NewFile,
    span: Option<Span>,
    next: u64,
}

impl SegmentWriter {
    /// For the records from `first` on.
    pub(super) fn begin(disk: &Arc<dyn Disk>, dir: &Path, first: u64) -> Result<Self, StoreError> {
        let mut file = NewFile::create(disk, dir, &format!("{first:020}"))?;
        let head = Head { file: "records".to_owned(), format: FORMAT_VERSION };
        let head = serde_json::to_vec(&head).map_err(|error| StoreError::Json(error.to_string()))?;
        file.write(&frame(&head).ok_or(StoreError::TooLarge(head.len()))?)?;
        Ok(Self { dir: dir.to_owned(), file, span: None, next: first })
    }

    pub(super) fn push(&mut self, record: &Raw) -> Result<(), StoreError> {
        if record.number != self.next {
            return Err(StoreError::Gap { expected: self.next, found: record.number });
        }
        let line = record.line();
        self.file.write(&frame(&line).ok_or(StoreError::TooLarge(line.len()))?)?;
        let first = self.span.map_or(record.number, |span| span.first);
        self.span = Some(Span { first, last: record.number });
        self.next = record.number.saturating_add(1);
        Ok(())
    }

    /// How many records it has so far.
    pub(super) fn len(&self) -> u64 {
        self.span.map_or(0, |span| span.last.saturating_sub(span.first).saturating_add(1))
    }

    /// Makes the file durable; `None` where it would hold nothing.
    pub(super) fn finish(self) -> Result<Option<Span>, StoreError> {
        let Some(span) = self.span else { return Ok(None) };
        self.file.finish(&self.dir.join(span.name()))?;
        Ok(Some(span))
    }
}

/// The path of a file of records, for messages.
pub(super) fn path(dir: &Path, span: Span) -> PathBuf {
    dir.join(span.name())
}
