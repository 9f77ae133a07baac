//! Puts a newly built store in the place of another, so that a crash at any moment leaves one or the
//! other, or a directory that says what to do.

use std::fs;
use std::path::{Path, PathBuf};

use super::seam::{Disk, system};
use super::{StoreError, files};

/// Where a new store is built.
const STAGE: &str = "incoming";

/// In it, when it is whole: the name of the directory that the old store goes to.
const WHOLE: &str = "whole";

/// What the directory that an old store goes to is called, before a number.
const ASIDE: &str = "replaced-";

/// Whether it is a directory that is made here.
pub(super) fn is_ours(name: &str) -> bool {
    name == STAGE || name.starts_with(ASIDE)
}

/// Whether a whole new store waits to be put in place.
pub(super) fn is_interrupted(disk: &dyn Disk, data_dir: &Path) -> bool {
    disk.exists(&data_dir.join(STAGE).join(WHOLE))
}

/// A directory to build in. Dropped before what is in it is whole, it goes away.
#[derive(Debug)]
pub(super) struct Stage {
    path: PathBuf,
}

impl Stage {
    /// An empty one. What an interrupted attempt left there goes away; it was never in use.
    pub(super) fn begin(data_dir: &Path) -> Result<Self, StoreError> {
        let path = data_dir.join(STAGE);
        if path.exists() {
            fs::remove_dir_all(&path).map_err(StoreError::io("remove", &path))?;
        }
        files::make_dir(&*system(), &path)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.path.join(WHOLE).exists() {
            // What cannot be removed now is removed by the next attempt.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Puts the staged store in place. What was there is moved aside, never deleted; answers with where to, if
/// there was anything.
pub(super) fn install(data_dir: &Path) -> Result<Option<PathBuf>, StoreError> {
    let stage = data_dir.join(STAGE);
    let aside = (1..)
        .map(|number: u32| format!("{ASIDE}{number}"))
        .find(|name| !data_dir.join(name).exists())
        .unwrap_or_default();
    files::write_whole(&system(), &stage.join(WHOLE), aside.as_bytes())?;
    finish(data_dir)
}

/// Does what is left to do of [`install`]. A part that is still staged is not in place yet: what is in its
/// place is the old one.
pub(super) fn finish(data_dir: &Path) -> Result<Option<PathBuf>, StoreError> {
    let stage = data_dir.join(STAGE);
    let mark = stage.join(WHOLE);
    let name = fs::read_to_string(&mark).map_err(StoreError::io("read", &mark))?;
    let aside = data_dir.join(name.trim());
    let rename = |from: &Path, to: &Path| fs::rename(from, to).map_err(StoreError::io("rename", from));
    for part in files::PARTS {
        let (staged, place) = (stage.join(part), data_dir.join(part));
        if !staged.exists() {
            continue;
        }
        if place.exists() {
            files::make_dir(&*system(), &aside)?;
            rename(&place, &aside.join(part))?;
            files::sync_dir(&*system(), &aside)?;
        }
        rename(&staged, &place)?;
        files::sync_dir(&*system(), data_dir)?;
    }
    fs::remove_dir_all(&stage).map_err(StoreError::io("remove", &stage))?;
    files::sync_dir(&*system(), data_dir)?;
    Ok(aside.exists().then_some(aside))
}
