//! The store on disk: one sled tree.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use treasury_core::Event;

use super::record::{Assembler, chunk, encode, key};
use super::{Record, Store, StoreError, StoreLock};

/// The tree that holds the records.
const TREE: &str = "events";

/// The most chunks in one batch and flush: at a thousand the engine was seen to deadlock, at a hundred
/// never. A longer record goes in several; it counts only when its last chunk is there.
const BATCH_CHUNKS: usize = 100;

/// The store on disk, with the lock that keeps other processes away.
pub struct DiskStore {
    tree: sled::Tree,
    db: sled::Db,
    /// The storage engine's log file. Its own flush hands the bytes to the system but never syncs them
    /// to the disk, so that is done here.
    log: File,
    log_path: PathBuf,
    last: u64,
    _lock: StoreLock,
}

impl DiskStore {
    /// Opens the store of a data directory, or makes both. What a crash left half-written at the end is
    /// taken away: nothing followed from it, because its append never returned.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where another process has it open; otherwise what went wrong with the
    /// files, or which record is damaged.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(data_dir).map_err(StoreError::io("create", data_dir))?;
        let lock = StoreLock::take(data_dir)?;
        let dir = data_dir.join("store");
        let fresh = !dir.exists();
        let db = sled::Config::new()
            .path(&dir)
            .mode(sled::Mode::HighThroughput)
            // Every append flushes; a timer would only add another writer.
            .flush_every_ms(None)
            .open()
            .map_err(engine)?;
        let tree = db.open_tree(TREE).map_err(engine)?;
        let log_path = dir.join("db");
        let log = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&log_path)
            .map_err(StoreError::io("open", &log_path))?;
        let mut store = Self { tree, db, log, log_path, last: 0, _lock: lock };
        if fresh {
            // A file that is synced is still lost if the directory that names it is not.
            store.sync()?;
            let blobs = dir.join("blobs");
            for path in [Some(blobs.as_path()), Some(dir.as_path()), Some(data_dir), parent(data_dir)] {
                let Some(path) = path.filter(|path| path.exists()) else { continue };
                File::open(path).and_then(|dir| dir.sync_all()).map_err(StoreError::io("sync", path))?;
            }
        }
        store.last = store.settle_tail()?;
        Ok(store)
    }

    /// Number of the last record; 0: none.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Finds the last whole record and removes a torn one after it.
    fn settle_tail(&mut self) -> Result<u64, StoreError> {
        let Some((last_key, last_value)) = self.tree.last().map_err(engine)? else { return Ok(0) };
        let last = chunk(&last_key, &last_value, 0)?;
        if last.chunk.saturating_add(1) == last.of {
            return Ok(last.record);
        }
        tracing::warn!(record = last.record, "removing a record that a crash left half-written");
        let torn: Vec<sled::IVec> =
            self.tree.range(key(last.record, 0)..).keys().collect::<Result<_, _>>().map_err(engine)?;
        for key in torn {
            self.tree.remove(key).map_err(engine)?;
        }
        let previous = last.record.saturating_sub(1);
        self.sync()?;
        Ok(previous)
    }

    /// Makes everything written so far survive a power cut.
    fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(engine)?;
        self.log.sync_data().map_err(StoreError::io("sync", &self.log_path))
    }

    #[cfg(test)]
    pub(super) fn tree(&self) -> &sled::Tree {
        &self.tree
    }
}

impl Store for DiskStore {
    fn append(&mut self, events: &[Event]) -> Result<u64, StoreError> {
        let number = self.last.saturating_add(1);
        let mut chunks = encode(number, events)?.into_iter().peekable();
        while chunks.peek().is_some() {
            let mut batch = sled::Batch::default();
            for (key, value) in chunks.by_ref().take(BATCH_CHUNKS) {
                batch.insert(&key, value);
            }
            self.tree.apply_batch(batch).map_err(engine)?;
            self.sync()?;
        }
        self.last = number;
        Ok(number)
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let mut assembler = Assembler::new(after);
        let mut records = Vec::new();
        for entry in self.tree.range(key(after.saturating_add(1), 0)..) {
            if records.len() == limit {
                return Ok(records);
            }
            let (key, value) = entry.map_err(engine)?;
            records.extend(assembler.take(&key, &value)?);
        }
        assembler.finish()?;
        Ok(records)
    }
}

fn engine(error: sled::Error) -> StoreError {
    StoreError::Engine(error.to_string())
}

fn parent(path: &Path) -> Option<&Path> {
    path.parent().filter(|parent| !parent.as_os_str().is_empty())
}
