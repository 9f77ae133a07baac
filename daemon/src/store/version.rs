//! The layout's version, and the way from an older one to the present one.
//!
//! Version 1 had all records in the storage engine and nothing else. Version 2 has the newest there, older
//! ones in files, snapshots, and the second log. Version 3 has a journal before the storage engine. Version 4 has an
//! archive of ended proposals. Version 1 wrote no version: a store without one is that.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::intents::{IntentLog, entries_of};
use super::seam::{Disk, OpenAs};
use super::segments::Segments;
use super::tail::Tail;
use super::{StoreError, files};

/// The layout that this program reads and writes.
pub(super) const PRESENT: u32 = 4;

/// The first layout with a second log.
pub(super) const WITH_LOG: u32 = 2;

/// The version of a data directory's layout; `None`: there is no store yet.
pub(super) fn find(disk: &dyn Disk, data_dir: &Path) -> Result<Option<u32>, StoreError> {
    if super::swap::is_interrupted(disk, data_dir) {
        return Err(StoreError::Interrupted { path: data_dir.to_owned() });
    }
    let path = data_dir.join(files::VERSION);
    let mut text = String::new();
    let read = disk.open(&path, OpenAs::Read).and_then(|mut file| file.read_to_string(&mut text));
    let text = match read {
        Ok(_) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(disk.exists(&data_dir.join(files::TAIL)).then_some(1));
        }
        Err(error) => return Err(StoreError::io("read", &path)(error)),
    };
    match text.trim().parse::<u32>() {
        Ok(found @ 1..=PRESENT) => Ok(Some(found)),
        Ok(found) => {
            Err(StoreError::Version { found: found.to_string(), known: PRESENT, is_newer: found > PRESENT })
        }
        Err(_) => {
            Err(StoreError::Version { found: format!("{:?}", text.trim()), known: PRESENT, is_newer: false })
        }
    }
}

/// Brings a new store, or one of an older version, to the present version. The version is written last: a crash
/// before that finds the old layout again, and this is done anew. The records themselves stay where they
/// are until the first snapshot.
pub(super) fn migrate(
    disk: &Arc<dyn Disk>,
    data_dir: &Path,
    found: Option<u32>,
    segments: &Segments,
    tail: &Tail,
) -> Result<(), StoreError> {
    let log = data_dir.join(files::INTENTS);
    // A log that is there is never replaced: it may know what the store has lost.
    if found.is_none_or(|found| found < WITH_LOG) && !disk.exists(&log) {
        IntentLog::create(disk, &log, entries_of(super::disk::all(segments, tail)))?;
    }
    write(disk, data_dir)
}

/// Says that the directory holds a store of the present version.
pub(super) fn write(disk: &Arc<dyn Disk>, dir: &Path) -> Result<(), StoreError> {
    files::write_whole(disk, &dir.join(files::VERSION), format!("{PRESENT}\n").as_bytes())
}
