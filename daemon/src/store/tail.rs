//! The newest records, in the storage engine.

use std::collections::VecDeque;
use std::path::Path;

use super::record::{Assembler, Raw, chunk, key};
use super::seam::{Engine, OpenEngine, Pair};
use super::sled_engine::SledEngine;
use super::{Record, StoreError};

/// The most chunks in one batch and flush: at a thousand the engine was seen to deadlock, at a hundred
/// never. A longer record goes in several; it counts only when its last chunk is there.
const BATCH_CHUNKS: usize = 100;

/// Chunks read at a time.
const PAGE_CHUNKS: usize = 256;

/// Above the key of every chunk.
const ABOVE_ALL: [u8; 11] = [0xFF; 11];

/// The newest records.
pub(super) struct Tail {
    engine: Box<dyn Engine>,
    #[cfg(test)]
    fails: std::sync::atomic::AtomicBool,
}

impl Tail {
    /// Opens the system's storage engine in `dir`, or makes one.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_on(&|dir| Ok(Box::new(SledEngine::open(dir)?)), dir)
    }

    /// Opens this storage engine in `dir`, or makes one.
    pub(super) fn open_on(engine: &OpenEngine, dir: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            engine: engine(dir)?,
            #[cfg(test)]
            fails: false.into(),
        })
    }

    /// Number of the last whole record, if there is any. A torn one after it is removed: its append never
    /// returned, so nothing followed from it.
    pub(super) fn settle(&self) -> Result<Option<u64>, StoreError> {
        let Some((last_key, last_value)) = self.engine.last()? else { return Ok(None) };
        let last = chunk(&last_key, &last_value, 0)?;
        if last.chunk.saturating_add(1) == last.of {
            return Ok(Some(last.record));
        }
        tracing::warn!(record = last.record, "removing a record that a crash left half-written");
        let torn = self.engine.range(&key(last.record, 0), &ABOVE_ALL, usize::MAX)?;
        self.engine.apply(Vec::new(), torn.into_iter().map(|(key, _)| key).collect())?;
        Ok(last.record.checked_sub(1))
    }

    /// Number of the first record.
    pub(super) fn first(&self) -> Result<Option<u64>, StoreError> {
        match self.engine.range(&[], &ABOVE_ALL, 1)?.first() {
            Some((key, value)) => Ok(Some(chunk(key, value, 0)?.record)),
            None => Ok(None),
        }
    }

    /// Adds records; they are durable when this returns.
    pub(super) fn append<'a>(&self, records: impl IntoIterator<Item = &'a Raw>) -> Result<(), StoreError> {
        let mut batch = Vec::new();
        for record in records {
            for (key, value) in record.chunks()? {
                batch.push((key.to_vec(), value));
                if batch.len() == BATCH_CHUNKS {
                    self.write(std::mem::take(&mut batch))?;
                }
            }
        }
        if batch.is_empty() { Ok(()) } else { self.write(batch) }
    }

    fn write(&self, batch: Vec<Pair>) -> Result<(), StoreError> {
        #[cfg(test)]
        if self.fails.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(StoreError::Injected);
        }
        self.engine.apply(batch, Vec::new())
    }

    /// Records above `after` and below `end`, at most `limit`.
    pub(super) fn read(&self, after: u64, end: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let end = key(end, 0);
        raw(&*self.engine, after, end.to_vec()).take(limit).map(|raw| raw?.parse()).collect()
    }

    /// Records above `after` as they are stored. After an error nothing more comes.
    pub(super) fn raw(&self, after: u64) -> impl Iterator<Item = Result<Raw, StoreError>> {
        raw(&*self.engine, after, ABOVE_ALL.to_vec())
    }

    /// Removes all records up to this one, which are durable elsewhere.
    pub(super) fn remove_through(&self, last: u64) -> Result<(), StoreError> {
        loop {
            let some = self.engine.range(&[], &key(last.saturating_add(1), 0), BATCH_CHUNKS)?;
            if some.is_empty() {
                return Ok(());
            }
            self.engine.apply(Vec::new(), some.into_iter().map(|(key, _)| key).collect())?;
        }
    }

    /// From now on every write fails.
    #[cfg(test)]
    pub(super) fn fail(&self) {
        self.fails.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn tree(&self) -> &sled::Tree {
        self.engine.tree()
    }
}

/// Puts the entries of the records above `after` together, up to a key.
fn raw(engine: &dyn Engine, after: u64, to: Vec<u8>) -> impl Iterator<Item = Result<Raw, StoreError>> {
    let mut assembler = Assembler::new(after);
    let mut next = key(after.saturating_add(1), 0).to_vec();
    let mut page: VecDeque<Pair> = VecDeque::new();
    let (mut over, mut read_all) = (false, false);
    std::iter::from_fn(move || {
        while !over {
            if page.is_empty() && !read_all {
                match engine.range(&next, &to, PAGE_CHUNKS) {
                    Ok(read) => (read_all, page) = (read.len() < PAGE_CHUNKS, read.into()),
                    Err(error) => {
                        over = true;
                        return Some(Err(error));
                    }
                }
            }
            let Some((key, value)) = page.pop_front() else {
                over = true;
                return assembler.finish().err().map(Err);
            };
            // The least key above this one.
            next.clone_from(&key);
            next.push(0);
            let taken = assembler.take_raw(&key, &value);
            over = taken.is_err();
            if let Some(raw) = taken.transpose() {
                return Some(raw);
            }
        }
        None
    })
}
