//! A copy of a store that is proven before it gets its name.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::seam::system;
use super::{DiskStore, Record, Resumed, Store, StoreBuilder, StoreError, files, inspect};
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
    let unfinished = unfinished(to)?;
    // Held until the copy is proven: nobody changes the store meanwhile.
    let mut store = DiskStore::open(data_dir)?;
    let original = store.resume(&mut |_| {})?;
    if let Some(parent) = files::parent(to) {
        files::make_dir(&*system(), parent)?;
    }
    let copied =
        copy_parts(data_dir, &unfinished).and_then(|()| copy_opened(data_dir, &unfinished)).and_then(|()| {
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

/// Builds a copy from the records of a daemon that runs on a data directory, in a directory that must not exist: each is
/// replayed as it comes, and the whole copy is checked before it gets its name. What comes after the last record that was read is not in
/// it.
///
/// # Errors
/// [`StoreError::Occupied`]; [`StoreError::DoesNotFit`] where a record is none, is not the next one, or contradicts those
/// before it; [`StoreError::CutOff`] where the records end before their end; what cannot be written.
pub fn backup_of_records(records: impl BufRead, data_dir: &Path, to: &Path) -> Result<Resumed, StoreError> {
    let unfinished = unfinished(to)?;
    if let Some(parent) = files::parent(to) {
        files::make_dir(&*system(), parent)?;
    }
    let built = build(records, &unfinished).and_then(|last| {
        copy_opened(data_dir, &unfinished)?;
        let report = inspect(&unfinished)?;
        if !report.is_whole() {
            let what = report.damage.join("; ");
            return Err(StoreError::CopyDiffers { path: unfinished.clone(), what });
        }
        let lock = unfinished.join("lock");
        fs::remove_file(&lock).map_err(StoreError::io("remove", &lock))?;
        Ok(Resumed { last, state: report.state })
    });
    if built.is_err() {
        let _ = fs::remove_dir_all(&unfinished);
    }
    let built = built?;
    fs::rename(&unfinished, to).map_err(StoreError::io("rename", &unfinished))?;
    files::sync_dir(&*system(), files::parent(to).unwrap_or(Path::new(".")))?;
    Ok(built)
}

fn build(records: impl BufRead, to: &Path) -> Result<u64, StoreError> {
    private::create_dir(to).map_err(StoreError::io("create", to))?;
    let mut builder = StoreBuilder::begin_empty(to)?;
    for line in records.lines() {
        let line = line.map_err(StoreError::io("read records for", to))?;
        if line.is_empty() {
            return Ok(builder.install()?.records);
        }
        let number = builder.number().saturating_add(1);
        let record: Record = serde_json::from_str(&line)
            .map_err(|error| StoreError::DoesNotFit { record: number, problem: error.to_string() })?;
        if record.number != number {
            let problem = format!("it is record {}", record.number);
            return Err(StoreError::DoesNotFit { record: number, problem });
        }
        builder.push(&record.events)?;
    }
    Err(StoreError::CutOff { record: builder.number() })
}

/// The name that a copy has before it is proven.
fn unfinished(to: &Path) -> Result<PathBuf, StoreError> {
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    let taken = [to, &unfinished].into_iter().find(|path| path.exists()).map(Path::to_owned);
    match taken {
        Some(path) => Err(StoreError::Occupied { path }),
        None => Ok(unfinished),
    }
}

fn copy_parts(data_dir: &Path, to: &Path) -> Result<(), StoreError> {
    private::create_dir(to).map_err(StoreError::io("create", to))?;
    for part in files::PARTS {
        files::copy(&data_dir.join(part), &to.join(part))?;
        compare(&data_dir.join(part), &to.join(part))?;
    }
    files::sync_dir(&*system(), to)
}

/// Who opens the copy is to know who opened the original, and who did what.
fn copy_opened(data_dir: &Path, to: &Path) -> Result<(), StoreError> {
    let original = data_dir.join(files::OPENED);
    if original.exists() {
        files::copy(&original, &to.join(files::OPENED))?;
    }
    copy_audit(&data_dir.join(files::AUDIT), &to.join(files::AUDIT))
}

/// The audit log, which a daemon may be writing to: what was not whole when it was copied is taken away when the copy is
/// opened. Its files are listed first, so that none is without the end of the one before it.
fn copy_audit(original: &Path, to: &Path) -> Result<(), StoreError> {
    if !original.is_dir() {
        return Ok(());
    }
    let mut names = system().names(original).map_err(StoreError::io("read", original))?;
    names.sort();
    private::create_dir(to).map_err(StoreError::io("create", to))?;
    for name in names.iter().filter(|name| name.ends_with(".jsonl")) {
        files::copy(&original.join(name), &to.join(name))?;
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
