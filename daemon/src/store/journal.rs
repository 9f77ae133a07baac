//! The newest records on their way to the storage engine: one file that is written in place.
//!
//! Making a record durable in the storage engine takes a wake of its threads and two waits for the disk, half a
//! millisecond or more, and a decision waits for it twice. Here it takes one write over space that is allocated
//! already, and one sync. A thread moves what has come together to the storage engine, and only then is its
//! space used again.
//!
//! A frame begins at a block's begin and fills whole blocks, so a write never touches what was made durable
//! before: the head (magic, format version, record number, length of the JSON, CRC-32 of these three and the JSON,
//! all big-endian), the JSON of the record's events, zeros up to the block's end. The file has two halves that
//! are filled in turn, each from its begin. What an earlier turn left in a half has numbers that the storage engine
//! has long had; so has everything that is found after a crash before it was removed here. A frame that is torn
//! is no frame: its append never returned. Frames beyond the storage engine's last record must follow it without
//! a gap, or one that counted has been damaged.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use treasury_core::event::FORMAT_VERSION;

use super::record::Raw;
use super::seam::{Disk, DiskFile, OpenAs};
use super::{StoreError, files};

/// What disks and file systems write at once.
const BLOCK_BYTES: u64 = 4_096;

/// Bytes of each half. The records of a second fit into it, however busy: then they are moved.
pub(super) const HALF_BYTES: u64 = 16 * 1_024 * 1_024;

const MAGIC: [u8; 6] = *b"TRJRNL";
const HEAD_BYTES: usize = 24;

/// The journal, open for writing.
pub(super) struct Journal {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    half_bytes: u64,
    is_allocated: bool,
    /// Where the half begins that is written to now, and where in it the next frame goes.
    half: u64,
    at: u64,
    /// Number of the last record, and of the last one in the other half; 0: none.
    last: u64,
    other_half: u64,
}

impl Journal {
    /// Opens the journal, or makes an empty one.
    pub(super) fn open(disk: &dyn Disk, path: &Path, half_bytes: u64) -> Result<Self, StoreError> {
        let is_new = !disk.exists(path);
        let file = disk.open(path, OpenAs::InPlace).map_err(StoreError::io("open", path))?;
        if is_new {
            files::sync_dir(disk, files::parent(path).unwrap_or(Path::new(".")))?;
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            half_bytes,
            is_allocated: false,
            half: 0,
            at: 0,
            last: 0,
            other_half: 0,
        })
    }

    /// The records beyond `last`, which follow it without a gap.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where one is not what was written, [`StoreError::Format`].
    pub(super) fn beyond(&mut self, last: u64) -> Result<Vec<Raw>, StoreError> {
        beyond(&mut *self.file, &self.path, last)
    }

    /// Forgets everything, which must be durable elsewhere.
    pub(super) fn clear(&mut self) -> Result<(), StoreError> {
        (self.is_allocated, self.half, self.at, self.last, self.other_half) = (false, 0, 0, 0, 0);
        let shorten = |file: &dyn DiskFile| match file.len()? {
            0 => Ok(()),
            _ => file.set_len(0).and_then(|()| file.sync_all()),
        };
        shorten(&*self.file).map_err(StoreError::io("shorten", &self.path))
    }

    /// Whether a record can go here at all. Others go to the storage engine at once.
    pub(super) fn holds(&self, record: &Raw) -> bool {
        frame_bytes(record) <= self.half_bytes
    }

    /// The record that the storage engine must have before this one can be written, in whose place it goes; 0:
    /// none.
    pub(super) fn needs(&self, record: &Raw) -> u64 {
        if self.has_room(record) { 0 } else { self.other_half }
    }

    /// Adds a record; it is durable when this returns. What stood in its place must not be needed any more.
    pub(super) fn append(&mut self, record: &Raw) -> Result<(), StoreError> {
        if !self.is_allocated {
            self.allocate().map_err(StoreError::io("allocate", &self.path))?;
            self.is_allocated = true;
        }
        if !self.has_room(record) {
            (self.half, self.at) = (if self.half == 0 { self.half_bytes } else { 0 }, 0);
            self.other_half = self.last;
        }
        let frame = frame(record)?;
        self.file
            .seek(SeekFrom::Start(self.half.saturating_add(self.at)))
            .and_then(|_| self.file.write_all(&frame))
            .and_then(|()| self.file.sync_data())
            .map_err(StoreError::io("write", &self.path))?;
        self.at = self.at.saturating_add(frame_bytes(record));
        self.last = record.number;
        Ok(())
    }

    /// Space that is there already needs no entry in the file system's own journal to be written to, and a disk
    /// that is full says so here. A file system that cannot set space aside still takes what is written.
    fn allocate(&self) -> io::Result<()> {
        self.file.allocate(2 * self.half_bytes)?;
        self.file.sync_all()
    }

    /// Whether the present half has room for the record.
    fn has_room(&self, record: &Raw) -> bool {
        self.at.saturating_add(frame_bytes(record)) <= self.half_bytes
    }

    /// Halves of so many bytes.
    #[cfg(test)]
    pub(super) fn shrink(&mut self, half_bytes: u64) {
        self.half_bytes = half_bytes;
    }

    /// Puts a file in the journal's place on which writing fails as it does on a full disk.
    #[cfg(test)]
    pub(super) fn fill_disk(&mut self) {
        self.file = Box::new(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        self.is_allocated = true;
    }
}

/// The records of a journal beyond `last`, without changing it; none where there is no journal.
pub(super) fn read_beyond(disk: &dyn Disk, path: &Path, last: u64) -> Result<Vec<Raw>, StoreError> {
    match disk.open(path, OpenAs::Read) {
        Ok(mut file) => beyond(&mut *file, path, last),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(StoreError::io("open", path)(error)),
    }
}

/// Number of the last record that a journal knows of, whether or not those before it are there; 0: none.
pub(super) fn last_in(disk: &dyn Disk, path: &Path) -> u64 {
    let found = disk.open(path, OpenAs::Read).and_then(|mut file| frames(&mut *file));
    found.unwrap_or_default().last().map_or(0, |frame| frame.record.number)
}

fn beyond(file: &mut dyn DiskFile, path: &Path, last: u64) -> Result<Vec<Raw>, StoreError> {
    let found = frames(file).map_err(StoreError::io("read", path))?;
    let found = found.into_iter().filter(|frame| frame.record.number > last);
    let follows = |(Frame { format, record }, expected): (Frame, u64)| {
        if record.number != expected {
            let problem = format!("{} has record {} in its place", path.display(), record.number);
            return Err(StoreError::Damaged { record: expected, problem });
        }
        if format != FORMAT_VERSION {
            return Err(StoreError::Format { record: expected, version: format, known: FORMAT_VERSION });
        }
        Ok(record)
    };
    found.zip(last.saturating_add(1)..).map(follows).collect()
}

/// A record as it was found.
struct Frame {
    format: u16,
    record: Raw,
}

/// Every whole frame, in the order of the records' numbers.
fn frames(file: &mut dyn DiskFile) -> io::Result<Vec<Frame>> {
    let length = file.len()?;
    let mut found = Vec::new();
    let mut at = 0;
    while at < length {
        match read_frame(file, at..length)? {
            Some(frame) => {
                at = at.saturating_add(frame_bytes(&frame.record));
                found.push(frame);
            }
            None => at = at.saturating_add(BLOCK_BYTES),
        }
    }
    found.sort_by_key(|frame| frame.record.number);
    Ok(found)
}

/// The frame that begins where the range does; none where the bytes are no frame.
fn read_frame(mut file: &mut dyn DiskFile, range: Range<u64>) -> io::Result<Option<Frame>> {
    let left = range.end.saturating_sub(range.start);
    if left < BLOCK_BYTES {
        return Ok(None);
    }
    let mut head = [0; HEAD_BYTES];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut head)?;
    let Some(head) = Head::parse(&head) else { return Ok(None) };
    if u64::from(head.length) > left {
        return Ok(None);
    }
    let mut events = Vec::new();
    (&mut file).take(head.length.into()).read_to_end(&mut events)?;
    let is_whole = head.checksum == checksum(head.format, head.number, head.length, &events);
    let record = Raw { number: head.number, events };
    Ok(is_whole.then_some(Frame { format: head.format, record }))
}

struct Head {
    format: u16,
    number: u64,
    length: u32,
    checksum: u32,
}

impl Head {
    fn parse(bytes: &[u8; HEAD_BYTES]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (format, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (checksum, _) = rest.split_first_chunk()?;
        Some(Self {
            format: u16::from_be_bytes(*format),
            number: u64::from_be_bytes(*number),
            length: u32::from_be_bytes(*length),
            checksum: u32::from_be_bytes(*checksum),
        })
    }
}

fn frame(record: &Raw) -> Result<Vec<u8>, StoreError> {
    let too_large = |_| StoreError::TooLarge(record.events.len());
    let length = u32::try_from(record.events.len()).map_err(too_large)?;
    let bytes = usize::try_from(frame_bytes(record)).map_err(too_large)?;
    let mut frame = Vec::with_capacity(bytes);
    frame.extend(MAGIC);
    frame.extend(FORMAT_VERSION.to_be_bytes());
    frame.extend(record.number.to_be_bytes());
    frame.extend(length.to_be_bytes());
    frame.extend(checksum(FORMAT_VERSION, record.number, length, &record.events).to_be_bytes());
    frame.extend(&record.events);
    frame.resize(bytes, 0);
    Ok(frame)
}

/// Bytes of the blocks that a record fills.
pub(super) fn frame_bytes(record: &Raw) -> u64 {
    let bytes = record.events.len().saturating_add(HEAD_BYTES);
    // Nothing in memory is near that; whatever is does not fit the journal.
    u64::try_from(bytes).unwrap_or(u64::MAX / 2).next_multiple_of(BLOCK_BYTES)
}

fn checksum(format: u16, number: u64, length: u32, events: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&format.to_be_bytes());
    hasher.update(&number.to_be_bytes());
    hasher.update(&length.to_be_bytes());
    hasher.update(events);
    hasher.finalize()
}
