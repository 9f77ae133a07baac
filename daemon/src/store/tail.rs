//! The newest records: one sled tree.

use std::fs::{File, OpenOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::files::{parent, sync_dir};
use super::record::{Assembler, Raw, chunk, key};
use super::{Record, StoreError};
use crate::private;

/// The tree that holds the records.
const TREE: &str = "events";

/// The most chunks in one batch and flush: at a thousand the engine was seen to deadlock, at a hundred
/// never. A longer record goes in several; it counts only when its last chunk is there.
const BATCH_CHUNKS: usize = 100;

/// The newest records.
pub(super) struct Tail {
    tree: sled::Tree,
    db: sled::Db,
    /// The storage engine's log file. Its own flush hands the bytes to the system but never syncs them
    /// to the disk, so that is done here.
    log: File,
    log_path: PathBuf,
    #[cfg(test)]
    fails: std::sync::atomic::AtomicBool,
}

impl Tail {
    /// Opens the tree in `dir`, or makes it.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        let fresh = !dir.exists();
        let config = sled::Config::new()
            .path(dir)
            .mode(sled::Mode::HighThroughput)
            // Every append flushes; a timer would only add another writer.
            .flush_every_ms(None);
        // The storage engine does not answer every damaged file with an error.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let db = config.open()?;
            let tree = db.open_tree(TREE)?;
            Ok((db, tree))
        }));
        let (db, tree) = match opened {
            Ok(opened) => opened.map_err(engine)?,
            Err(_) => return Err(StoreError::Engine("it panicked over its files".to_owned())),
        };
        private::tighten(dir).map_err(StoreError::io("keep others out of", dir))?;
        let log_path = dir.join("db");
        let log = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&log_path)
            .map_err(StoreError::io("open", &log_path))?;
        let tail = Self {
            tree,
            db,
            log,
            log_path,
            #[cfg(test)]
            fails: false.into(),
        };
        if fresh {
            tail.sync()?;
            let blobs = dir.join("blobs");
            for path in [Some(blobs.as_path()), Some(dir), parent(dir)] {
                let Some(path) = path.filter(|path| path.exists()) else { continue };
                sync_dir(path)?;
            }
        }
        Ok(tail)
    }

    /// Number of the last whole record, if there is any. A torn one after it is removed: its append never
    /// returned, so nothing followed from it.
    pub(super) fn settle(&self) -> Result<Option<u64>, StoreError> {
        let Some((last_key, last_value)) = self.tree.last().map_err(engine)? else { return Ok(None) };
        let last = chunk(&last_key, &last_value, 0)?;
        if last.chunk.saturating_add(1) == last.of {
            return Ok(Some(last.record));
        }
        tracing::warn!(record = last.record, "removing a record that a crash left half-written");
        let torn: Vec<sled::IVec> =
            self.tree.range(key(last.record, 0)..).keys().collect::<Result<_, _>>().map_err(engine)?;
        for key in torn {
            self.tree.remove(key).map_err(engine)?;
        }
        self.sync()?;
        Ok(last.record.checked_sub(1))
    }

    /// Number of the first record.
    pub(super) fn first(&self) -> Result<Option<u64>, StoreError> {
        match self.tree.first().map_err(engine)? {
            Some((key, value)) => Ok(Some(chunk(&key, &value, 0)?.record)),
            None => Ok(None),
        }
    }

    /// Adds records; they are durable when this returns.
    pub(super) fn append<'a>(&self, records: impl IntoIterator<Item = &'a Raw>) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        let mut chunks = 0;
        for record in records {
            for (key, value) in record.chunks()? {
                batch.insert(&key, value);
                chunks += 1;
                if chunks == BATCH_CHUNKS {
                    self.write(std::mem::take(&mut batch))?;
                    chunks = 0;
                }
            }
        }
        if chunks > 0 { self.write(batch) } else { Ok(()) }
    }

    fn write(&self, batch: sled::Batch) -> Result<(), StoreError> {
        #[cfg(test)]
        if self.fails.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(StoreError::Injected);
        }
        self.tree.apply_batch(batch).map_err(engine)?;
        self.sync()
    }

    /// Records above `after` and below `end`, at most `limit`.
    pub(super) fn read(&self, after: u64, end: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        raw(after, self.tree.range(key(after.saturating_add(1), 0)..key(end, 0)))
            .take(limit)
            .map(|raw| raw?.parse())
            .collect()
    }

    /// Records above `after` as they are stored. After an error nothing more comes.
    pub(super) fn raw(&self, after: u64) -> impl Iterator<Item = Result<Raw, StoreError>> + use<> {
        raw(after, self.tree.range(key(after.saturating_add(1), 0)..))
    }

    /// Removes all records up to this one, which are durable elsewhere.
    pub(super) fn remove_through(&self, last: u64) -> Result<(), StoreError> {
        loop {
            let mut batch = sled::Batch::default();
            let mut some = false;
            for entry in self.tree.range(..key(last.saturating_add(1), 0)).keys().take(BATCH_CHUNKS) {
                batch.remove(entry.map_err(engine)?);
                some = true;
            }
            if !some {
                return Ok(());
            }
            self.tree.apply_batch(batch).map_err(engine)?;
            self.sync()?;
        }
    }

    /// Makes everything written so far survive a power cut.
    fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(engine)?;
        self.log.sync_data().map_err(StoreError::io("sync", &self.log_path))
    }

    /// From now on every write fails.
    #[cfg(test)]
    pub(super) fn fail(&self) {
        self.fails.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn tree(&self) -> &sled::Tree {
        &self.tree
    }
}

/// Puts the entries of the records above `after` together.
fn raw(after: u64, mut entries: sled::Iter) -> impl Iterator<Item = Result<Raw, StoreError>> {
    let mut assembler = Assembler::new(after);
    let mut over = false;
    std::iter::from_fn(move || {
        while !over {
            let Some(entry) = entries.next() else {
                over = true;
                return assembler.finish().err().map(Err);
            };
            let taken = entry.map_err(engine).and_then(|(key, value)| assembler.take_raw(&key, &value));
            over = taken.is_err();
            if let Some(raw) = taken.transpose() {
                return Some(raw);
            }
        }
        None
    })
}

fn engine(error: sled::Error) -> StoreError {
    StoreError::Engine(error.to_string())
}
