//! Snapshots of the state, so that a start does not have to read everything that ever happened.
//!
//! A snapshot is a shortcut and never the truth: the records are. One that is missing, damaged, half
//! written, of another format or of another program is passed over, for the one before it or for all
//! records. The file is a framed line that says what it is, the state in CBOR, and the CRC-32 of all that.

use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use treasury_core::State;

use super::StoreError;
use super::files::{self, NewFile};
use super::frame::{Frames, Next, frame};
use super::seam::{Disk, DiskFile, OpenAs};

const SUFFIX: &str = ".snapshot";

/// Version of the file's form.
const FORMAT: u16 = 3;

/// Snapshots kept: the newest, and one to fall back to.
const KEPT: usize = 2;

/// The first line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    file: String,
    format: u16,
    /// The version, and the sources that added it up: what another program added up is not taken on trust, it may have
    /// added up differently.
    program: String,
    number: u64,
}

impl Head {
    fn of(number: u64) -> Self {
        Self {
            file: "snapshot".to_owned(),
            format: FORMAT,
            program: format!("{} of core {}", env!("CARGO_PKG_VERSION"), treasury_core::SOURCES),
            number,
        }
    }
}

/// Writes the state after record `number`, and takes away snapshots that are older than the one before.
pub(super) fn write(disk: &Arc<dyn Disk>, dir: &Path, number: u64, state: &State) -> Result<(), StoreError> {
    let name = format!("{number:020}{SUFFIX}");
    let mut file = NewFile::create(disk, dir, &name)?;
    let mut out = Summing { inner: file.out(), sum: crc32fast::Hasher::new() };
    let head = serde_json::to_vec(&Head::of(number)).map_err(|error| StoreError::Json(error.to_string()))?;
    let path = dir.join(&name);
    let failed = StoreError::io("write", &path);
    let written = out
        .write_all(&frame(&head).ok_or(StoreError::TooLarge(head.len()))?)
        .and_then(|()| {
            ciborium::into_writer(state, &mut out).map_err(|error| match error {
                ciborium::ser::Error::Io(error) => error,
                ciborium::ser::Error::Value(what) => io::Error::other(what),
            })
        })
        .and_then(|()| {
            let sum = out.sum.clone().finalize();
            out.inner.write_all(&sum.to_be_bytes())
        });
    written.map_err(failed)?;
    file.finish(&path)?;
    let all = numbers(&**disk, dir)?;
    for old in all.iter().rev().skip(KEPT) {
        let path = path_of(dir, *old);
        disk.remove(&path).map_err(StoreError::io("remove", &path))?;
    }
    Ok(())
}

/// Numbers of the records that there are snapshots of, ascending.
pub(super) fn numbers(disk: &dyn Disk, dir: &Path) -> Result<Vec<u64>, StoreError> {
    Ok(files::names(disk, dir, SUFFIX)?.iter().filter_map(|stem| stem.parse().ok()).collect())
}

/// The path of a snapshot.
pub(super) fn path_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:020}{SUFFIX}"))
}

/// Why a snapshot cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    /// It is whole, and in the form of another release, which had other words for the state. The records say the same.
    #[error("{0}")]
    OtherForm(String),
    /// It is not what was written.
    #[error("{0}")]
    Damaged(String),
}

/// Reads a snapshot; the error says why it cannot be used.
pub(super) fn read(disk: &dyn Disk, dir: &Path, number: u64) -> Result<State, Unusable> {
    let frames = proven(disk, dir, number).map_err(Unusable::Damaged)?;
    // What was written is known from here on; what does not fit is of another release.
    body(frames, number).map_err(Unusable::OtherForm)
}

/// The file from its beginning, after its checksum was found to be right.
fn proven(disk: &dyn Disk, dir: &Path, number: u64) -> Result<Frames<BufReader<Box<dyn DiskFile>>>, String> {
    let path = path_of(dir, number);
    let text = |error: io::Error| error.to_string();
    let mut file = BufReader::with_capacity(1 << 16, disk.open(&path, OpenAs::Read).map_err(text)?);
    let length = file.get_ref().len().map_err(text)?;
    let body = length.checked_sub(4).ok_or("it is too short")?;
    // Proven before anything of it is believed: the decoder never sees bytes that nobody wrote.
    let mut sum = crc32fast::Hasher::new();
    let mut left = body;
    while left > 0 {
        let buffer = file.fill_buf().map_err(text)?;
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(part) = buffer.get(..take).filter(|part| !part.is_empty()) else {
            return Err("it ends early".to_owned());
        };
        sum.update(part);
        file.consume(take);
        left = left.saturating_sub(u64::try_from(take).unwrap_or(u64::MAX));
    }
    let mut wanted = [0; 4];
    file.read_exact(&mut wanted).map_err(text)?;
    if sum.finalize() != u32::from_be_bytes(wanted) {
        return Err("its checksum is wrong".to_owned());
    }
    file.rewind().map_err(text)?;
    Ok(Frames::new(file, 0))
}

fn body(mut frames: Frames<BufReader<Box<dyn DiskFile>>>, number: u64) -> Result<State, String> {
    let head = frames.next().map_err(|error| error.to_string())?;
    let Next::Json(head) = head else { return Err("it has no head".to_owned()) };
    let head: Head = serde_json::from_slice(&head).map_err(|error| error.to_string())?;
    if head != Head::of(number) {
        return Err(format!(
            "it is one of record {}, format {}, by treasuryd {}",
            head.number, head.format, head.program
        ));
    }
    ciborium::from_reader(frames.into_inner()).map_err(|error| error.to_string())
}

/// Adds up what goes through it.
struct Summing<'a, W> {
    inner: &'a mut W,
    sum: crc32fast::Hasher,
}

impl<W: Write> Write for Summing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sum.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
