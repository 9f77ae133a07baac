//! The storage engine: one sled tree.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StoreError;
use super::files::{parent, sync_dir};
use super::seam::{Engine, Pair, system};
use crate::private;

/// How often an engine that is being closed is looked at again, and after how long.
const CLOSING_TRIES: u32 = 250;
const CLOSING_PAUSE: Duration = Duration::from_millis(20);

/// The tree that holds the records.
const TREE: &str = "events";

/// See [`Engine`].
pub(super) struct SledEngine {
    tree: sled::Tree,
    db: sled::Db,
    /// The storage engine's log file. Its own flush hands the bytes to the system but never syncs them
    /// to the disk, so that is done here.
    log: File,
    log_path: PathBuf,
}

impl SledEngine {
    /// Opens the tree in `dir`, or makes it.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        let fresh = !dir.exists();
        let config = sled::Config::new()
            .path(dir)
            .mode(sled::Mode::HighThroughput)
            // Every append flushes; a timer would only add another writer.
            .flush_every_ms(None);
        // The storage engine does not answer every damaged file with an error.
        let open = || {
            catch_unwind(AssertUnwindSafe(|| {
                let db = config.open()?;
                let tree = db.open_tree(TREE)?;
                Ok((db, tree))
            }))
        };
        // The store's own lock is held, so nobody works on these files. What can hold the engine's is a thread of an
        // engine that this process has just closed, or a child of it that is about to become another program.
        let mut opened = open();
        for _ in 0..CLOSING_TRIES {
            match &opened {
                Ok(Err(sled::Error::Io(error))) if error.kind() == ErrorKind::WouldBlock => {}
                _ => break,
            }
            std::thread::sleep(CLOSING_PAUSE);
            opened = open();
        }
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
        let opened = Self { tree, db, log, log_path };
        if fresh {
            opened.sync()?;
            let blobs = dir.join("blobs");
            for path in [Some(blobs.as_path()), Some(dir), parent(dir)] {
                let Some(path) = path.filter(|path| path.exists()) else { continue };
                sync_dir(&*system(), path)?;
            }
        }
        Ok(opened)
    }

    /// Makes everything written so far survive a power cut.
    fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(engine)?;
        self.log.sync_data().map_err(StoreError::io("sync", &self.log_path))
    }
}

impl Engine for SledEngine {
    fn last(&self) -> Result<Option<Pair>, StoreError> {
        Ok(self.tree.last().map_err(engine)?.map(pair))
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        let found = self.tree.range(from..to).take(limit);
        found.map(|entry| entry.map(pair).map_err(engine)).collect()
    }

    fn apply(&self, puts: Vec<Pair>, removals: Vec<Vec<u8>>) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in puts {
            batch.insert(key, value);
        }
        for key in removals {
            batch.remove(key);
        }
        self.tree.apply_batch(batch).map_err(engine)?;
        self.sync()
    }

    #[cfg(test)]
    fn tree(&self) -> &sled::Tree {
        &self.tree
    }
}

fn pair((key, value): (sled::IVec, sled::IVec)) -> Pair {
    (key.to_vec(), value.to_vec())
}

fn engine(error: sled::Error) -> StoreError {
    StoreError::Engine(error.to_string())
}
