//! The daemon's own store on the simulated disk: journal, files of older records, snapshots and second log are the
//! real ones. The storage engine, whose threads and files are its own, is behind its port another one that keeps its
//! promise: what was applied is durable as a whole.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use treasury_core::{Event, State};
use treasuryd::store::seam::{Disk, DiskFile, Engine, Ground, OpenAs, Pair};
use treasuryd::store::{Archive, DiskStore, Record, Resumed, Store, StoreError};

use super::disk::SimDisk;

/// Bytes of each half of the journal: so few that it goes round all the time.
const JOURNAL_HALF_BYTES: u64 = 96 * 1_024;

/// Records between two snapshots: several of them, and of the files of older records, in a run.
const SNAPSHOT_RECORDS: u64 = 1_000;

/// The storage engine's file is written anew beyond this, if most of it is of no use any more.
const COMPACT_BYTES: u64 = 256 * 1_024;

/// What the store stands on.
fn ground(disk: &SimDisk) -> Ground {
    let engine_disk = disk.clone();
    Ground {
        disk: Arc::new(disk.clone()),
        engine: Arc::new(move |dir| Ok(Box::new(SimEngine::open(&engine_disk, dir)?))),
        is_threaded: false,
        journal_half_bytes: JOURNAL_HALF_BYTES,
        snapshot_records: SNAPSHOT_RECORDS,
    }
}

/// Events that became durable and that nobody has looked at.
#[derive(Clone, Default)]
pub struct Fresh(Arc<Mutex<Vec<Event>>>);

impl Fresh {
    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes them.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.events())
    }
}

/// The real store, and what becomes durable in it.
pub struct SimStore {
    store: DiskStore,
    fresh: Fresh,
}

impl SimStore {
    /// Opens the store of a disk, for a process that starts on it.
    ///
    /// # Errors
    /// What the store says.
    pub fn open(disk: &SimDisk, fresh: &Fresh) -> Result<Self, StoreError> {
        fresh.events().clear();
        let store = DiskStore::open_on(&ground(disk), Path::new("/data"))?;
        Ok(Self { store, fresh: fresh.clone() })
    }

    /// Number of the last record.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.store.last()
    }
}

impl Store for SimStore {
    fn append(&mut self, events: &[Event]) -> Result<u64, StoreError> {
        let number = self.store.append(events)?;
        self.fresh.events().extend_from_slice(events);
        Ok(number)
    }

    fn secure(&mut self) -> Result<(), StoreError> {
        self.store.secure()
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.store.read(after, limit)
    }

    fn resume(&mut self, visit: &mut dyn FnMut(&Record)) -> Result<Resumed, StoreError> {
        self.store.resume(visit)
    }

    fn archive(&self) -> Arc<Archive> {
        self.store.archive()
    }

    fn settled(&mut self, number: u64, state: &State) {
        self.store.settled(number, state);
    }

    fn tidy(&mut self) {
        self.store.tidy();
    }

    fn close(&mut self, state: &State) {
        self.store.close(state);
    }
}

/// The storage engine's stand-in: a log of changes, each in a frame with a length and a checksum, and all of them
/// added up in memory.
struct SimEngine {
    disk: SimDisk,
    path: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    file: Box<dyn DiskFile>,
    pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    bytes: u64,
    live_bytes: u64,
}

impl SimEngine {
    fn open(disk: &SimDisk, dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("log");
        disk.make_dirs(dir).map_err(failed)?;
        let is_new = !disk.exists(&path);
        let mut file = disk.open(&path, OpenAs::InPlace).map_err(failed)?;
        if is_new {
            disk.sync_dir(dir).map_err(failed)?;
        }
        let mut log = Vec::new();
        file.read_to_end(&mut log).map_err(failed)?;
        let mut inner = Inner { file, pairs: BTreeMap::new(), bytes: 0, live_bytes: 0 };
        let mut at = 0;
        while let Some((changes, next)) = frame(&log, at) {
            inner.take(changes);
            at = next;
        }
        inner.bytes = u64::try_from(at).unwrap_or(u64::MAX);
        if at < log.len() {
            // A frame that a crash left half-written: what it said was never promised.
            inner.file.set_len(inner.bytes).and_then(|()| inner.file.sync_all()).map_err(failed)?;
        }
        Ok(Self { disk: disk.clone(), path, inner: Mutex::new(inner) })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the log anew, with nothing in it but what is there.
    fn compact(&self, inner: &mut Inner) -> Result<(), StoreError> {
        let unfinished = self.path.with_extension("new");
        let bytes = encode(inner.pairs.iter().map(|(key, value)| (key.as_slice(), Some(value.as_slice()))));
        let mut file = self.disk.open(&unfinished, OpenAs::New).map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        self.disk.rename(&unfinished, &self.path).map_err(failed)?;
        self.disk.sync_dir(self.path.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
        (inner.file, inner.bytes) = (file, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

impl Inner {
    fn take<'a>(&mut self, changes: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>) {
        let size = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        for (key, value) in changes {
            let before = match value {
                Some(value) => {
                    self.live_bytes += size(value);
                    self.pairs.insert(key.to_vec(), value.to_vec())
                }
                None => self.pairs.remove(key),
            };
            self.live_bytes -= before.map_or(0, |value| size(&value));
        }
    }
}

impl Engine for SimEngine {
    fn last(&self) -> Result<Option<Pair>, StoreError> {
        Ok(self.inner().pairs.last_key_value().map(|(key, value)| (key.clone(), value.clone())))
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        let inner = self.inner();
        let within = inner.pairs.range(from.to_vec()..to.to_vec().max(from.to_vec())).take(limit);
        Ok(within.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn apply(&self, puts: Vec<Pair>, removals: Vec<Vec<u8>>) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let put = puts.iter().map(|(key, value)| (key.as_slice(), Some(value.as_slice())));
        let changes: Vec<(&[u8], Option<&[u8]>)> =
            put.chain(removals.iter().map(|key| (key.as_slice(), None))).collect();
        let bytes = encode(changes.iter().copied());
        let at = inner.bytes;
        let file = &mut inner.file;
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.write_all(&bytes))
            .and_then(|()| file.sync_data())
            .map_err(failed)?;
        inner.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        inner.take(changes);
        if inner.bytes > COMPACT_BYTES && inner.bytes > inner.live_bytes * 2 {
            self.compact(&mut inner)?;
        }
        Ok(())
    }
}

fn failed(error: std::io::Error) -> StoreError {
    StoreError::Engine(error.to_string())
}

/// A frame: its length and checksum, then for each change the key's length, the key, the value's length and the
/// value; [`GONE`] where there is none any more.
fn encode<'a>(changes: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> Vec<u8> {
    let mut body = Vec::new();
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(GONE).to_be_bytes();
    for (key, value) in changes {
        body.extend(length(key));
        body.extend(key);
        body.extend(value.map_or(GONE.to_be_bytes(), length));
        body.extend(value.unwrap_or_default());
    }
    let mut frame = length(&body).to_vec();
    frame.extend(crc32fast::hash(&body).to_be_bytes());
    frame.extend(body);
    frame
}

/// The length of a value that is none.
const GONE: u32 = u32::MAX;

type Changes<'a> = Vec<(&'a [u8], Option<&'a [u8]>)>;

/// The changes of the frame that begins at a place, and where the next one does.
fn frame(log: &[u8], at: usize) -> Option<(Changes<'_>, usize)> {
    let mut rest = log.get(at..)?;
    let length = usize::try_from(number(&mut rest)?).ok()?;
    let sum = number(&mut rest)?;
    let mut body = rest.get(..length)?;
    if crc32fast::hash(body) != sum {
        return None;
    }
    let mut changes = Vec::new();
    while !body.is_empty() {
        let key = bytes(&mut body)?;
        let value = if body.starts_with(&GONE.to_be_bytes()) {
            body = body.get(4..)?;
            None
        } else {
            Some(bytes(&mut body)?)
        };
        changes.push((key, value));
    }
    Some((changes, at + 8 + length))
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}

fn bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::simulation::faults::Fault;

    fn event(failures: u32) -> Event {
        Event::BreakerCounted { account: None, cause: treasury_core::failure::Cause::Errand, failures }
    }

    fn open(disk: &SimDisk) -> Result<SimStore, StoreError> {
        SimStore::open(disk, &Fresh::default())
    }

    fn numbers(store: &mut SimStore) -> Vec<u32> {
        let read = |event: &Event| match event {
            Event::BreakerCounted { failures, .. } => *failures,
            other => panic!("{other:?}"),
        };
        let records = store.read(0, 10_000).unwrap();
        records.iter().flat_map(|record| &record.events).map(read).collect()
    }

    #[test]
    fn what_was_acknowledged_survives_every_death_and_of_the_rest_only_whole_records() {
        let kinds =
            [Fault::CrashBeforeWrite, Fault::CrashLostWrite, Fault::CrashKeptWrite, Fault::CrashTornWrite];
        let mut kept = [0, 0];
        for seed in 0..400 {
            let mut rng = StdRng::seed_from_u64(seed);
            let disk = SimDisk::default();
            let mut acknowledged: Vec<u32> = Vec::new();
            for crash in kinds {
                disk.crash_at(crash, rng.random_range(1..40));
                let mut asked = acknowledged.clone();
                if let Ok(mut store) = open(&disk) {
                    while !disk.is_dead() {
                        let next = asked.last().copied().unwrap_or(0) + 1;
                        asked.push(next);
                        let done = store.append(&[event(next)]).and_then(|_| store.secure());
                        if done.is_ok() {
                            acknowledged.push(next);
                        }
                        if rng.random_range(0..4) == 0 {
                            store.tidy();
                        }
                    }
                }
                disk.power_cut(&mut rng);
                let left = numbers(&mut open(&disk).unwrap());
                assert!(asked.starts_with(&left), "seed {seed}, {crash:?}: {left:?}");
                assert!(left.starts_with(&acknowledged), "seed {seed}, {crash:?}: {left:?}");
                kept[usize::from(left.len() > acknowledged.len())] += 1;
                acknowledged = left;
            }
        }
        assert!(kept.iter().all(|count| *count > 50), "{kept:?}");
    }

    #[test]
    fn damage_to_what_was_durable_is_told() {
        for at in [2, 30] {
            let disk = SimDisk::default();
            let mut store = open(&disk).unwrap();
            store.append(&[event(1)]).unwrap();
            store.append(&[event(2)]).unwrap();
            drop(store);
            disk.damage("journal", at);
            assert!(open(&disk).is_err());
        }
    }

    #[test]
    fn a_disk_has_one_process() {
        let disk = SimDisk::default();
        let store = open(&disk).unwrap();
        assert!(matches!(open(&disk), Err(StoreError::Locked { .. })));
        drop(store);
        open(&disk).unwrap();
    }
}
