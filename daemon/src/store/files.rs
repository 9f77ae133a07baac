//! What a data directory holds, and how files get there whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::seam::{Disk, DiskFile, OpenAs};
use super::{StoreError, swap};
use crate::private;

/// The storage engine's directory: the newest records.
pub(super) const TAIL: &str = "store";
/// Older records, in files that are never changed again.
pub(super) const RECORDS: &str = "records";
/// Snapshots of the state.
pub(super) const SNAPSHOTS: &str = "snapshots";
/// The second log.
pub(super) const INTENTS: &str = "intents.log";
/// The newest records, on their way to the storage engine.
pub(super) const JOURNAL: &str = "journal";
/// Ended proposals that have left the state.
pub(super) const ARCHIVE: &str = "archive";
/// The layout's version.
pub(super) const VERSION: &str = "version";

/// Which hosts have opened it. No part of the store: without it, it is as whole.
pub(super) const OPENED: &str = "opened";

/// The audit log. No part of the store: it is made of its records, and keeps what they do not.
pub(super) const AUDIT: &str = "audit";

/// Everything that makes up a store. The version comes last wherever these are made or moved: where it
/// is, the rest is.
pub(super) const PARTS: [&str; 7] = [TAIL, RECORDS, SNAPSHOTS, INTENTS, JOURNAL, ARCHIVE, VERSION];

/// What a file is called until it is whole.
const UNFINISHED: &str = "part";

/// The directory, made and kept if it was missing.
pub(super) fn make_dir(disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
    if disk.exists(path) {
        return Ok(());
    }
    disk.make_dirs(path).map_err(StoreError::io("create", path))?;
    match parent(path) {
        Some(parent) => sync_dir(disk, parent),
        None => Ok(()),
    }
}

/// Makes a store its owner's alone. Earlier versions left that to the umask of whoever started them. What is not a
/// store's stays as it is; the directory itself is closed in any case, because the storage engine makes files, too.
pub(super) fn tighten(data_dir: &Path) -> Result<(), StoreError> {
    let close = |path: &Path| private::tighten(path).map_err(StoreError::io("keep others out of", path));
    private::tighten_one(data_dir).map_err(StoreError::io("keep others out of", data_dir))?;
    for part in PARTS {
        close(&data_dir.join(part))?;
    }
    for entry in fs::read_dir(data_dir).map_err(StoreError::io("read", data_dir))? {
        let name = entry.map_err(StoreError::io("read", data_dir))?.file_name();
        if name
            .to_str()
            .is_some_and(|name| name == "lock" || name == OPENED || name == AUDIT || swap::is_ours(name))
        {
            close(&data_dir.join(&name))?;
        }
    }
    Ok(())
}

/// Makes the names in a directory survive a power cut: a file that is synced is still lost if the
/// directory that names it is not.
pub(super) fn sync_dir(disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
    disk.sync_dir(path).map_err(StoreError::io("sync", path))
}

/// The directory that a path is in.
pub(super) fn parent(path: &Path) -> Option<&Path> {
    path.parent().filter(|parent| !parent.as_os_str().is_empty())
}

/// A file that gets its name only when it is whole and durable. One that is dropped before that leaves at
/// most a file that nobody reads, and the next one of that name replaces it.
pub(super) struct NewFile {
    disk: Arc<dyn Disk>,
    out: BufWriter<Box<dyn DiskFile>>,
    unfinished: PathBuf,
}

impl NewFile {
    pub(super) fn create(disk: &Arc<dyn Disk>, dir: &Path, name: &str) -> Result<Self, StoreError> {
        let unfinished = dir.join(format!("{name}.{UNFINISHED}"));
        let file = disk.open(&unfinished, OpenAs::New).map_err(StoreError::io("create", &unfinished))?;
        Ok(Self { disk: Arc::clone(disk), out: BufWriter::with_capacity(1 << 16, file), unfinished })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.out.write_all(bytes).map_err(StoreError::io("write", &self.unfinished))
    }

    /// Where the file is as long as it is not finished.
    pub(super) fn out(&mut self) -> &mut impl Write {
        &mut self.out
    }

    /// Makes it durable and gives it its name.
    pub(super) fn finish(mut self, path: &Path) -> Result<(), StoreError> {
        self.out
            .flush()
            .and_then(|()| self.out.get_ref().sync_all())
            .map_err(StoreError::io("sync", &self.unfinished))?;
        self.disk.rename(&self.unfinished, path).map_err(StoreError::io("rename", &self.unfinished))?;
        match parent(path) {
            Some(dir) => sync_dir(&*self.disk, dir),
            None => Ok(()),
        }
    }
}

/// A small file, whole or not at all.
pub(super) fn write_whole(disk: &Arc<dyn Disk>, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let dir = parent(path).unwrap_or(Path::new("."));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut file = NewFile::create(disk, dir, &name)?;
    file.write(bytes)?;
    file.finish(path)
}

/// Names of the files in a directory that end in `suffix`, in order; what is left of unfinished ones is
/// taken away.
pub(super) fn names(disk: &dyn Disk, dir: &Path, suffix: &str) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for name in disk.names(dir).map_err(StoreError::io("read", dir))? {
        if name.ends_with(&format!(".{UNFINISHED}")) {
            let path = dir.join(name);
            disk.remove(&path).map_err(StoreError::io("remove", &path))?;
        } else if let Some(stem) = name.strip_suffix(suffix) {
            names.push(stem.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Copies a file or a whole directory, durably.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    if !from.is_dir() {
        let mut original = File::open(from).map_err(StoreError::io("open", from))?;
        let mut copy = private::create(to).map_err(StoreError::io("create", to))?;
        io::copy(&mut original, &mut copy).map_err(StoreError::io("copy", from))?;
        return copy.sync_all().map_err(StoreError::io("sync", to));
    }
    private::create_dir(to).map_err(StoreError::io("create", to))?;
    for entry in fs::read_dir(from).map_err(StoreError::io("read", from))? {
        let entry = entry.map_err(StoreError::io("read", from))?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    sync_dir(&*super::seam::system(), to)
}
