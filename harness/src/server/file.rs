//! The file that a server's ledger is saved to and loaded from.

use std::io;
use std::path::{Path, PathBuf};

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

/// Writes a ledger to a file, which is whole at every moment: the old one or the new one.
///
/// # Errors
/// [`FileError::Write`]
pub fn save(ledger: &Ledger, path: &Path) -> Result<(), FileError> {
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    std::fs::write(&new, ledger.save()).map_err(failed)?;
    std::fs::rename(&new, path).map_err(failed)
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
