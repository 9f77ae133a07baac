//! A copy of a store that is proven before it gets its name.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::seam::system;
use super::{DiskStore, Resumed, Store, StoreError, files, inspect};
use crate::private;

/// Copies the store of a data directory, on which no daemon may be running, to a directory that must not
/// exist. Every file is read back and compared, and every record, snapshot and entry of the copy is checked,
/// before it gets its name; answers with what it adds up to. The copy can be used as a data directory as it
/// is.
///
/// # Errors
/// [`StoreError::Locked`], [`StoreError::Occupied`], [`StoreError::CopyDiffers`]; [`StoreError::NotWhole`]
/// where something in the store is damaged; what cannot be written.
pub fn backup(data_dir: &Path, to: &Path) -> Result<Resumed, StoreError> {
    if to.exists() {
        return Err(StoreError::Occupied { path: to.to_owned() });
    }
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    if unfinished.exists() {
        return Err(StoreError::Occupied { path: unfinished });
    }
    // Held until the copy is proven: nobody changes the store meanwhile.
    let mut store = DiskStore::open(data_dir)?;
    let original = store.resume(&mut |_| {})?;
    if let Some(parent) = files::parent(to) {
        files::make_dir(&*system(), parent)?;
    }
    let copied = copy_parts(data_dir, &unfinished).and_then(|()| {
        let report = inspect(&unfinished)?;
        if !report.is_whole() {
            let damage = report.damage.join("; ");
            return Err(StoreError::NotWhole { path: data_dir.to_owned(), damage });
        }
        if report.state != original.state {
            let what = format!("it ends at record {}, not {}", report.last, original.last);
            return Err(StoreError::CopyDiffers { path: unfinished.clone(), what });
        }
        // The lock of whoever looked at it is no part of it.
        let lock = unfinished.join("lock");
        fs::remove_file(&lock).map_err(StoreError::io("remove", &lock))
    });
    if let Err(error) = copied {
        // A copy that is not proven must not look like one. Whatever keeps it from going is the lesser evil.
        let _ = fs::remove_dir_all(&unfinished);
        return Err(error);
    }
    fs::rename(&unfinished, to).map_err(StoreError::io("rename", &unfinished))?;
    files::sync_dir(&*system(), files::parent(to).unwrap_or(Path::new(".")))?;
    Ok(original)
}

fn copy_parts(data_dir: &Path, to: &Path) -> Result<(), StoreError> {
    private::create_dir(to).map_err(StoreError::io("create", to))?;
    for part in files::PARTS {
        files::copy(&data_dir.join(part), &to.join(part))?;
        compare(&data_dir.join(part), &to.join(part))?;
    }
    files::sync_dir(&*system(), to)
}

/// Reads both sides. The system may answer from memory what it has not written well; `treasuryd store check`
/// on the copy, later and elsewhere, reads it from the disk.
fn compare(original: &Path, copy: &Path) -> Result<(), StoreError> {
    if original.is_dir() {
        for entry in fs::read_dir(original).map_err(StoreError::io("read", original))? {
            let entry = entry.map_err(StoreError::io("read", original))?;
            compare(&entry.path(), &copy.join(entry.file_name()))?;
        }
        return Ok(());
    }
    let open = |path: &Path| {
        File::open(path)
            .map(|file| BufReader::with_capacity(1 << 16, file))
            .map_err(StoreError::io("open", path))
    };
    let (mut left, mut right) = (open(original)?, open(copy)?);
    let mut buffers = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let read = read_full(&mut left, &mut buffers.0).map_err(StoreError::io("read", original))?;
        let copied = read_full(&mut right, &mut buffers.1).map_err(StoreError::io("read", copy))?;
        if buffers.0.get(..read) != buffers.1.get(..copied) {
            let what = format!("{} is not the same", copy.display());
            return Err(StoreError::CopyDiffers { path: copy.to_owned(), what });
        }
        if read == 0 {
            return Ok(());
        }
    }
}

fn read_full(from: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest)? {
            0 => break,
            read => filled = filled.saturating_add(read),
        }
    }
    Ok(filled)
}
