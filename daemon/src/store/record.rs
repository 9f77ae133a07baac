//! How a record is laid out in keys and values.
//!
//! A record's JSON is cut into chunks. Chunk `c` of record `n` has the key `n` (u64) ‖ `c` (u16) and the
//! value format version (u16) ‖ number of chunks (u16) ‖ CRC-32 (u32) ‖ bytes, all big-endian. The
//! checksum covers key, version, number of chunks and bytes, so a value in the wrong place is found too.

use treasury_core::Event;
use treasury_core::event::FORMAT_VERSION;

use super::{Record, StoreError};

/// Bytes of a chunk. The storage engine puts values beyond an eighth of a megabyte into files of their
/// own, which it never syncs; a quarter of that leaves room for what it stores around them.
pub const CHUNK_BYTES: usize = 32 * 1024;

/// Names a chunk: record number, chunk number.
pub type Key = [u8; 10];

const HEADER_BYTES: usize = 8;

pub(super) fn key(number: u64, chunk: u16) -> Key {
    let mut key = [0; 10];
    let (front, back) = key.split_at_mut(8);
    front.copy_from_slice(&number.to_be_bytes());
    back.copy_from_slice(&chunk.to_be_bytes());
    key
}

/// The keys and values of a record, in the keys' order.
///
/// # Errors
/// [`StoreError::Json`], [`StoreError::TooLarge`].
pub fn encode(number: u64, events: &[Event]) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
    Raw::new(number, events)?.chunks()
}

fn checksum(key: &[u8], version: u16, of: u16, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(&version.to_be_bytes());
    hasher.update(&of.to_be_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// A checked chunk.
pub(super) struct Chunk<'a> {
    pub(super) record: u64,
    pub(super) chunk: u16,
    pub(super) of: u16,
    bytes: &'a [u8],
}

/// Checks one key and value. `next` is the record that is being read, to name it where the key is bad.
pub(super) fn chunk<'a>(key: &[u8], value: &'a [u8], next: u64) -> Result<Chunk<'a>, StoreError> {
    let damaged = |record, problem: &str| StoreError::Damaged { record, problem: problem.to_owned() };
    let (record, chunk) = match key {
        [a, b, c, d, e, f, g, h, i, j] => {
            (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), u16::from_be_bytes([*i, *j]))
        }
        _ => return Err(damaged(next, "a key has the wrong length")),
    };
    let [v0, v1, n0, n1, c0, c1, c2, c3, bytes @ ..] = value else {
        return Err(damaged(record, "a chunk is too short"));
    };
    let version = u16::from_be_bytes([*v0, *v1]);
    let of = u16::from_be_bytes([*n0, *n1]);
    if checksum(key, version, of, bytes) != u32::from_be_bytes([*c0, *c1, *c2, *c3]) {
        return Err(damaged(record, "its checksum is wrong"));
    }
    if version != FORMAT_VERSION {
        return Err(StoreError::Format { record, version, known: FORMAT_VERSION });
    }
    Ok(Chunk { record, chunk, of, bytes })
}

/// A record as it is stored: its number, and the JSON of its events.
pub(super) struct Raw {
    pub(super) number: u64,
    pub(super) events: Vec<u8>,
}

impl Raw {
    pub(super) fn new(number: u64, events: &[Event]) -> Result<Self, StoreError> {
        let events = serde_json::to_vec(events).map_err(|error| StoreError::Json(error.to_string()))?;
        Ok(Self { number, events })
    }

    /// The keys and values of the record, in the keys' order.
    pub(super) fn chunks(&self) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let chunks = self.events.chunks(CHUNK_BYTES);
        let of = u16::try_from(chunks.len()).map_err(|_| StoreError::TooLarge(self.events.len()))?;
        // `of` chunks are numbered below `of`, so the zip ends with them.
        let laid_out = chunks.zip(0..of).map(|(bytes, chunk)| {
            let key = key(self.number, chunk);
            let mut value = Vec::with_capacity(HEADER_BYTES + bytes.len());
            value.extend(FORMAT_VERSION.to_be_bytes());
            value.extend(of.to_be_bytes());
            value.extend(checksum(&key, FORMAT_VERSION, of, bytes).to_be_bytes());
            value.extend(bytes);
            (key, value)
        });
        Ok(laid_out.collect())
    }

    pub(super) fn parse(&self) -> Result<Record, StoreError> {
        let events: Vec<Event> = serde_json::from_slice(&self.events).map_err(|error| {
            let problem = error.to_string();
            // The checksum was right, so it is what was written: by a program that knows more.
            match problem.split('`').nth(1).filter(|_| problem.starts_with("unknown variant")) {
                Some(word) => StoreError::UnknownEvent { record: self.number, word: word.to_owned() },
                None => StoreError::Damaged { record: self.number, problem },
            }
        })?;
        Ok(Record { number: self.number, events })
    }

    /// The JSON of the [`Record`].
    pub(super) fn line(&self) -> Vec<u8> {
        let mut line = format!("{{\"number\":{},\"events\":", self.number).into_bytes();
        line.extend(&self.events);
        line.push(b'}');
        line
    }
}

/// Puts chunks together, in order.
#[derive(Debug)]
pub struct Assembler {
    number: u64,
    chunks: u16,
    of: u16,
    json: Vec<u8>,
}

impl Assembler {
    /// Expects the record after `after` first.
    #[must_use]
    pub fn new(after: u64) -> Self {
        Self { number: after.saturating_add(1), chunks: 0, of: 0, json: Vec::new() }
    }

    /// Takes the next key and value; answers with the record that it completes.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Gap`], [`StoreError::Format`].
    pub fn take(&mut self, key: &[u8], value: &[u8]) -> Result<Option<Record>, StoreError> {
        self.take_raw(key, value)?.map(|raw| raw.parse()).transpose()
    }

    /// As [`Assembler::take`], without reading the JSON.
    pub(super) fn take_raw(&mut self, key: &[u8], value: &[u8]) -> Result<Option<Raw>, StoreError> {
        let next = chunk(key, value, self.number)?;
        if next.record != self.number {
            self.finish()?;
            return Err(StoreError::Gap { expected: self.number, found: next.record });
        }
        if next.chunk != self.chunks || next.of == 0 || (self.chunks > 0 && next.of != self.of) {
            return Err(self.incomplete());
        }
        self.of = next.of;
        self.chunks = next.chunk.saturating_add(1);
        self.json.extend(next.bytes);
        if self.chunks < self.of {
            return Ok(None);
        }
        let raw = Raw { number: self.number, events: std::mem::take(&mut self.json) };
        *self = Self::new(self.number);
        Ok(Some(raw))
    }

    /// Nothing follows: an error where a record is only half there.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn finish(&self) -> Result<(), StoreError> {
        if self.chunks == 0 { Ok(()) } else { Err(self.incomplete()) }
    }

    fn incomplete(&self) -> StoreError {
        StoreError::Damaged { record: self.number, problem: "a part of it is missing".to_owned() }
    }
}
