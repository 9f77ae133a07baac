//! The file that a server's ledger is saved to and loaded from.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

use crate::embedded::{Ledger, LoadError};

/// Why a ledger cannot be saved or loaded.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds no ledger.
    #[error("{}: {source}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// Why.
        source: LoadError,
    },
    /// The server was started without a file.
    #[error("the server was started without a file to keep its ledger in")]
    None,
}

/// Writes a ledger to a file, which is whole at every moment, whoever else saves to it: the old one or the new one.
///
/// # Errors
/// [`FileError::Write`]
pub fn save(ledger: &Ledger, path: &Path) -> Result<(), FileError> {
    let text = ledger.save();
    let new = beside(path);
    let written = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path));
    written.map_err(|source| {
        // Half of a ledger is of no use to anybody.
        let _ = std::fs::remove_file(&new);
        FileError::Write { path: path.to_owned(), source }
    })
}

/// Whether a ledger could be saved to a file, for who would rather know before there is one to be lost.
///
/// # Errors
/// [`FileError::Write`]
pub fn check(path: &Path) -> Result<(), FileError> {
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    if path.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let new = beside(path);
    std::fs::write(&new, []).and_then(|()| std::fs::remove_file(&new)).map_err(failed)
}

/// A file beside another that nobody else writes, now or in another process.
fn beside(path: &Path) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{number}.new", std::process::id()));
    path.with_file_name(name)
}

/// Reads a ledger from a file that [`save`] wrote.
///
/// # Errors
/// [`FileError::Read`], [`FileError::Load`]
pub fn load(path: &Path) -> Result<Ledger, FileError> {
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    Ledger::load(&text).map_err(|source| FileError::Load { path: path.to_owned(), source })
}
