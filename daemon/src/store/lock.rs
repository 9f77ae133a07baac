//! One daemon per data directory.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use fs2::FileExt;

use super::StoreError;
use crate::private;

/// Held while a process works on a data directory; the system lets go of it when the process ends,
/// however it ends. Two daemons on machines that share a directory over a network are not kept apart
/// where that file system has no locks.
#[derive(Debug)]
pub struct StoreLock {
    file: File,
}

impl StoreLock {
    /// Takes the lock of a data directory, which must exist, and leaves the process id in it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the holder's process id, or an I/O error.
    pub fn take(data_dir: &Path) -> Result<Self, StoreError> {
        let path = data_dir.join("lock");
        let mut file = private::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(StoreError::io("open the lock file", &path))?;
        if let Err(error) = FileExt::try_lock_exclusive(&file) {
            if error.raw_os_error() != fs2::lock_contended_error().raw_os_error() {
                return Err(StoreError::Io { action: "lock", path, source: error });
            }
            let mut text = String::new();
            // Whoever cannot read the id still has to be told that the store is in use.
            let _ = file.read_to_string(&mut text);
            let holder = match text.trim().parse::<u32>() {
                Ok(id) => format!("process {id}"),
                Err(_) => "another process".to_owned(),
            };
            return Err(StoreError::Locked { path, holder });
        }
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()))
            .and_then(|()| file.sync_data())
            .map_err(StoreError::io("write the lock file", &path))?;
        Ok(Self { file })
    }
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        // Closing the file lets go of the lock in any case.
        let _ = FileExt::unlock(&self.file);
    }
}
