//! A simulated disk under the daemon's own store.
//!
//! It remembers what was not made durable: bytes of a file that were written since the file was synced, and names
//! that were changed since their directory was. A process that dies leaves all of it; when the power goes, chance
//! decides how much of it is there: some writes and not the later ones, and of the last of them some sectors.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::Rng;
use rand::rngs::StdRng;
use treasuryd::store::StoreError;
use treasuryd::store::seam::{Disk, DiskFile, OpenAs};

use super::faults::Fault;

/// What a disk writes at once or not at all.
const SECTOR: usize = 512;

/// The disk under one daemon's store. Clones are the same disk.
#[derive(Clone, Default)]
pub struct SimDisk {
    inner: Arc<Mutex<Inner>>,
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimDisk").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Inner {
    dirs: BTreeSet<PathBuf>,
    names: BTreeMap<PathBuf, usize>,
    nodes: Vec<Node>,
    /// Names that were changed and are not durable, oldest first: how they were before.
    renamed: Vec<(PathBuf, Option<usize>)>,
    /// Where the process is to die: how, and in how many operations.
    crash: Option<(Fault, u32)>,
    /// The process is dead: nothing that it still does has an effect.
    is_dead: bool,
    is_full: bool,
    is_locked: bool,
}

/// What is in a file.
#[derive(Default)]
struct Node {
    bytes: Vec<u8>,
    /// What was changed and is not durable, oldest first: where, what was there, and how long the file was.
    changed: Vec<(usize, Vec<u8>, usize)>,
}

impl Node {
    fn write(&mut self, at: usize, bytes: &[u8]) {
        let (before, end) = (self.bytes.len(), at + bytes.len());
        let old = self.bytes.get(at..end.min(before)).unwrap_or_default().to_vec();
        self.changed.push((at, old, before));
        if end > before {
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(bytes);
    }

    fn resize(&mut self, len: usize) {
        let before = self.bytes.len();
        let old = self.bytes.get(len..).unwrap_or_default().to_vec();
        self.changed.push((len.min(before), old, before));
        self.bytes.resize(len, 0);
    }

    /// Keeps the first so many changes that are not durable, and of the one after them some sectors.
    fn keep(&mut self, changes: usize, mut torn: Option<&mut StdRng>) {
        while self.changed.len() > changes {
            let Some((at, old, len)) = self.changed.pop() else { break };
            // Only what was written in place can be there in part.
            let in_place = len == self.bytes.len();
            let after = self.bytes.get(at..at + old.len()).filter(|_| in_place).unwrap_or_default().to_vec();
            self.bytes.resize(len, 0);
            self.bytes[at..at + old.len()].copy_from_slice(&old);
            if self.changed.len() == changes
                && let Some(rng) = torn.take()
            {
                for (sector, there) in after.chunks(SECTOR).enumerate() {
                    let begin = at + sector * SECTOR;
                    if rng.random_bool(0.5) {
                        self.bytes[begin..begin + there.len()].copy_from_slice(there);
                    }
                }
            }
        }
        self.changed.clear();
    }
}

impl Inner {
    /// Something is about to be changed or made durable. `Ok(true)`: it happens; `Ok(false)`: it happens, and the
    /// process learns nothing of it any more.
    fn operation(&mut self) -> io::Result<bool> {
        if self.is_dead {
            return Err(dead());
        }
        let Some((fault, left)) = &mut self.crash else { return Ok(true) };
        if matches!(fault, Fault::CrashAfterSync | Fault::CrashBetweenEffects) {
            return Ok(true);
        }
        *left = left.saturating_sub(1);
        if *left > 0 {
            return Ok(true);
        }
        self.is_dead = true;
        if *fault == Fault::CrashBeforeWrite { Err(dead()) } else { Ok(false) }
    }

    fn has_room(&self) -> io::Result<()> {
        if self.is_full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn name(&mut self, path: &Path, node: Option<usize>) {
        let before = match node {
            Some(node) => self.names.insert(path.to_owned(), node),
            None => self.names.remove(path),
        };
        self.renamed.push((path.to_owned(), before));
    }
}

/// What an operation says that the process does not live to hear.
fn told(heard: bool) -> io::Result<()> {
    if heard { Ok(()) } else { Err(dead()) }
}

fn dead() -> io::Error {
    io::Error::other("the process is dead")
}

impl SimDisk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process dies in this way: in so many operations of the disk, where it is one of the disk's.
    pub fn crash_at(&self, point: Fault, operations: u32) {
        self.inner().crash = Some((point, operations));
    }

    /// The way in which the process is to die or has died, while it is not dealt with.
    #[must_use]
    pub fn crash(&self) -> Option<Fault> {
        self.inner().crash.map(|(fault, _)| fault)
    }

    /// The process died in an operation of the disk.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.inner().is_dead
    }

    /// Takes no more, or takes again.
    pub fn set_full(&self, full: bool) {
        self.inner().is_full = full;
    }

    /// Whether it takes no more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.inner().is_full
    }

    /// Nothing happens to it any more.
    pub fn heal(&self) {
        let mut inner = self.inner();
        inner.is_full = false;
        if !inner.is_dead {
            inner.crash = None;
        }
    }

    /// The process is dead, and everything that it did is there.
    pub fn process_ends(&self) {
        let mut inner = self.inner();
        (inner.crash, inner.is_dead) = (None, false);
    }

    /// The process is dead and the power is gone: decides what is left of what was never made durable. The crash that
    /// was asked for says how; otherwise chance decides.
    pub fn power_cut(&self, rng: &mut StdRng) {
        let mut inner = self.inner();
        let kind = inner.crash.take().map(|(fault, _)| fault);
        inner.is_dead = false;
        let kept = |changes: usize, rng: &mut StdRng| match kind {
            Some(Fault::CrashLostWrite | Fault::CrashBeforeWrite) => 0,
            Some(Fault::CrashKeptWrite) => changes,
            _ => rng.random_range(0..=changes),
        };
        let torn =
            !matches!(kind, Some(Fault::CrashLostWrite | Fault::CrashBeforeWrite | Fault::CrashKeptWrite));
        let names = kept(inner.renamed.len(), rng);
        while inner.renamed.len() > names {
            let Some((path, before)) = inner.renamed.pop() else { break };
            match before {
                Some(node) => inner.names.insert(path, node),
                None => inner.names.remove(&path),
            };
        }
        inner.renamed.clear();
        for node in inner.nodes.iter_mut().filter(|node| !node.changed.is_empty()) {
            let changes = kept(node.changed.len(), rng);
            node.keep(changes, torn.then_some(&mut *rng));
        }
    }

    /// Changes one byte of the file, which a disk must not do.
    #[cfg(test)]
    pub(super) fn damage(&self, name: &str, at: usize) {
        let mut inner = self.inner();
        let node = inner.names.iter().find(|(path, _)| path.ends_with(name)).map(|(_, node)| *node).unwrap();
        inner.nodes[node].bytes[at] ^= 1;
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, how: OpenAs) -> io::Result<Box<dyn DiskFile>> {
        let mut inner = self.inner();
        let known = inner.names.get(path).copied();
        let node = match (known, how) {
            (Some(node), OpenAs::Read | OpenAs::Append | OpenAs::AppendOrNew | OpenAs::InPlace) => node,
            (None, OpenAs::Read | OpenAs::Append) => return Err(io::ErrorKind::NotFound.into()),
            (None, OpenAs::AppendOrNew | OpenAs::InPlace) | (_, OpenAs::New) => {
                let heard = inner.operation()?;
                inner.has_room()?;
                let node = inner.nodes.len();
                inner.nodes.push(Node::default());
                inner.name(path, Some(node));
                told(heard)?;
                node
            }
        };
        let appends = matches!(how, OpenAs::Append | OpenAs::AppendOrNew);
        Ok(Box::new(SimFile { disk: self.clone(), node, at: 0, appends }))
    }

    fn exists(&self, path: &Path) -> bool {
        let inner = self.inner();
        inner.names.contains_key(path) || inner.dirs.contains(path)
    }

    fn make_dirs(&self, path: &Path) -> io::Result<()> {
        // The store syncs what is above a new directory at once, and has nothing in it before.
        let mut inner = self.inner();
        inner.dirs.extend(path.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        let inner = self.inner();
        let within = inner.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(within.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        let node = inner.names.get(from).copied().ok_or(io::ErrorKind::NotFound)?;
        let heard = inner.operation()?;
        inner.name(to, Some(node));
        inner.name(from, None);
        told(heard)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        if !inner.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let heard = inner.operation()?;
        inner.name(path, None);
        told(heard)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        // Where the process dies in it, nothing was made durable yet.
        told(inner.operation()?)?;
        inner.renamed.retain(|(path, _)| path.parent() != Some(dir));
        Ok(())
    }

    fn lock(&self, data_dir: &Path) -> Result<Box<dyn Any + Send>, StoreError> {
        if std::mem::replace(&mut self.inner().is_locked, true) {
            let holder = "another process".to_owned();
            return Err(StoreError::Locked { path: data_dir.to_owned(), holder });
        }
        Ok(Box::new(Lock(self.clone())))
    }

    fn tighten(&self, _data_dir: &Path) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Lock(SimDisk);

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.inner().is_locked = false;
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    node: usize,
    at: usize,
    appends: bool,
}

impl SimFile {
    fn change(&self, grows_to: usize, change: impl FnOnce(&mut Node, bool)) -> io::Result<()> {
        let mut inner = self.disk.inner();
        let heard = inner.operation()?;
        let node = inner.nodes.get(self.node).map_or(0, |node| node.bytes.len());
        if grows_to > node {
            inner.has_room()?;
        }
        if let Some(node) = inner.nodes.get_mut(self.node) {
            change(node, heard);
        }
        told(heard)
    }
}

impl Read for SimFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let inner = self.disk.inner();
        let bytes = inner.nodes.get(self.node).map(|node| node.bytes.as_slice()).unwrap_or_default();
        let rest = bytes.get(self.at..).unwrap_or_default();
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        self.at += read;
        Ok(read)
    }
}

impl Write for SimFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let at = if self.appends { usize::try_from(self.len()?).unwrap_or(usize::MAX) } else { self.at };
        self.change(at + bytes.len(), |node, _| node.write(at, bytes))?;
        self.at = at + bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SimFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let from = |base: u64, by: i64| base.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput);
        let at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => from(self.len()?, by)?,
            SeekFrom::Current(by) => from(u64::try_from(self.at).unwrap_or(u64::MAX), by)?,
        };
        self.at = usize::try_from(at).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(at)
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        let inner = self.disk.inner();
        Ok(inner.nodes.get(self.node).map_or(0, |node| u64::try_from(node.bytes.len()).unwrap_or(u64::MAX)))
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let bytes = usize::try_from(bytes).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.change(bytes, |node, _| node.resize(bytes))
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        if self.len()? < bytes { self.set_len(bytes) } else { Ok(()) }
    }

    fn sync_data(&self) -> io::Result<()> {
        // Where the process dies in it, nothing was made durable yet.
        self.change(0, |node, heard| {
            if heard {
                node.changed.clear();
            }
        })
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }
}
