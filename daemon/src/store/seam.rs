//! What a store stands on: a disk, and a storage engine for its newest records. In production these are the
//! system's files and sled; the simulator puts others in their place, which lose what was not made durable.

use std::any::Any;
use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FallocateFlags, fallocate};

use super::sled_engine::SledEngine;
use super::{StoreError, StoreLock, files};
use crate::private;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenAs {
    /// For reading; it has to be there.
    Read,
    /// For reading, and for writing at its end; it has to be there.
    Append,
    /// The same, made where it is not there.
    AppendOrNew,
    /// For reading and writing in place; made where it is not there.
    InPlace,
    /// Empty, for writing.
    New,
}

/// Files by their names. Nothing that is done here survives a power cut before it was synced: what is in a file
/// by the file, its name by the directory.
pub trait Disk: Send + Sync {
    /// Opens a file.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::NotFound`] where it has to be there and is not.
    fn open(&self, path: &Path, how: OpenAs) -> io::Result<Box<dyn DiskFile>>;

    /// Whether there is a file or a directory of this name.
    fn exists(&self, path: &Path) -> bool;

    /// Makes a directory, and what is missing above it.
    ///
    /// # Errors
    /// What the system says.
    fn make_dirs(&self, path: &Path) -> io::Result<()>;

    /// Names of what is in a directory, in any order.
    ///
    /// # Errors
    /// What the system says.
    fn names(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Gives a file another name, in the place of whatever has that.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Takes a file away.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// What the system says.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Keeps other processes away from a data directory as long as what it returns lives.
    ///
    /// # Errors
    /// [`StoreError::Locked`]; what the system says.
    fn lock(&self, data_dir: &Path) -> Result<Box<dyn Any + Send>, StoreError>;

    /// Keeps other accounts of the machine out of a data directory.
    ///
    /// # Errors
    /// What the system says.
    fn tighten(&self, data_dir: &Path) -> Result<(), StoreError>;
}

/// An open file. What was written is durable when it was synced.
#[expect(clippy::len_without_is_empty, reason = "nobody asks whether a file is empty")]
pub trait DiskFile: Read + Write + Seek + Debug + Send {
    /// Its length in bytes.
    ///
    /// # Errors
    /// What the system says.
    fn len(&self) -> io::Result<u64>;

    /// Cuts it off, or fills it up with zeros.
    ///
    /// # Errors
    /// What the system says.
    fn set_len(&self, bytes: u64) -> io::Result<()>;

    /// Takes so much space for it that writing there needs no more.
    ///
    /// # Errors
    /// What the system says.
    fn allocate(&self, bytes: u64) -> io::Result<()>;

    /// Makes what is in it durable.
    ///
    /// # Errors
    /// What the system says.
    fn sync_data(&self) -> io::Result<()>;

    /// Makes what is in it and its length durable.
    ///
    /// # Errors
    /// What the system says.
    fn sync_all(&self) -> io::Result<()>;
}

/// Key and value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The storage engine's port: keys in order.
pub trait Engine: Send + Sync {
    /// The last key and its value.
    ///
    /// # Errors
    /// What the engine says.
    fn last(&self) -> Result<Option<Pair>, StoreError>;

    /// Keys from `from` on and below `to`, in order, at most `limit`.
    ///
    /// # Errors
    /// What the engine says.
    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError>;

    /// Puts these in and takes those out, all of it or nothing; durable when this returns.
    ///
    /// # Errors
    /// What the engine says.
    fn apply(&self, puts: Vec<Pair>, removals: Vec<Vec<u8>>) -> Result<(), StoreError>;

    /// The engine's own tree, to damage it.
    #[cfg(test)]
    fn tree(&self) -> &sled::Tree;
}

/// Opens the storage engine of a directory.
pub type OpenEngine = dyn Fn(&Path) -> Result<Box<dyn Engine>, StoreError> + Send + Sync;

/// What a store stands on, and how it is laid out there.
#[derive(Clone)]
pub struct Ground {
    /// Where its files are.
    pub disk: Arc<dyn Disk>,
    /// Where its newest records go.
    pub engine: Arc<OpenEngine>,
    /// Whether records are moved to the storage engine on a thread of their own.
    pub is_threaded: bool,
    /// Bytes of each half of the journal.
    pub journal_half_bytes: u64,
    /// Records between two snapshots.
    pub snapshot_records: u64,
}

impl Ground {
    /// The system's.
    #[must_use]
    pub fn system() -> Self {
        Self {
            disk: system(),
            engine: Arc::new(|dir| Ok(Box::new(SledEngine::open(dir)?))),
            is_threaded: true,
            journal_half_bytes: super::journal::HALF_BYTES,
            snapshot_records: super::SNAPSHOT_RECORDS,
        }
    }
}

/// The system's files.
pub(super) fn system() -> Arc<dyn Disk> {
    Arc::new(System)
}

/// See [`system`].
#[derive(Clone, Copy, Debug)]
struct System;

impl Disk for System {
    fn open(&self, path: &Path, how: OpenAs) -> io::Result<Box<dyn DiskFile>> {
        let file = match how {
            OpenAs::Read => File::open(path),
            OpenAs::Append => fs::OpenOptions::new().read(true).append(true).open(path),
            OpenAs::AppendOrNew => private::options().read(true).append(true).create(true).open(path),
            OpenAs::InPlace => {
                private::options().read(true).write(true).create(true).truncate(false).open(path)
            }
            OpenAs::New => private::create(path),
        };
        Ok(Box::new(file?))
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn make_dirs(&self, path: &Path) -> io::Result<()> {
        private::create_dir_all(path)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn lock(&self, data_dir: &Path) -> Result<Box<dyn Any + Send>, StoreError> {
        Ok(Box::new(StoreLock::take(data_dir)?))
    }

    fn tighten(&self, data_dir: &Path) -> Result<(), StoreError> {
        files::tighten(data_dir)
    }
}

impl DiskFile for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        Self::set_len(self, bytes)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        // Where the file system cannot set space aside, the file grows as it is written.
        match fallocate(self, FallocateFlags::empty(), 0, bytes).map_err(io::Error::from) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Self::set_len(self, bytes),
            allocated => allocated,
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn sync_all(&self) -> io::Result<()> {
        Self::sync_all(self)
    }
}
