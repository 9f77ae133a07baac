//! A simulated disk, and the daemon's store on it.
//!
//! The disk is one append-only file that remembers how much of it was synced. A process that dies leaves the
//! synced part whole; of the rest, chance decides. The store writes the real store's chunks into frames with a
//! length and a checksum, so what comes back after a crash is a prefix of whole records: what the real storage
//! engine promises too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::Rng;
use treasury_core::Event;
use treasuryd::store::record::{Assembler, Key, encode};
use treasuryd::store::{Archive, Record, Store, StoreError};

use super::faults::Fault;

const FRAME_HEADER: usize = 8;
const KEY_BYTES: usize = 10;

/// The disk under one daemon's store. Clones are the same disk.
#[derive(Clone, Default)]
pub struct Disk {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    bytes: Vec<u8>,
    synced: usize,
    /// Where each record begins; record 1 first.
    records: Vec<usize>,
    /// Where the process is to die in the next append.
    crash: Option<Fault>,
    full: bool,
    /// The events of records that became durable since somebody looked.
    fresh: Vec<Event>,
}

/// What a disk held when a process started on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Whole records.
    pub records: u64,
    /// Bytes that were written and never synced, and are gone.
    pub dropped_bytes: usize,
    /// Whether something that had been synced is damaged, which a disk must not do.
    pub damaged: bool,
}

impl Disk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process dies at this point of its next append.
    pub fn crash_at(&self, point: Fault) {
        self.inner().crash = Some(point);
    }

    /// The point at which the process is to die, while that is still to come.
    #[must_use]
    pub fn crash(&self) -> Option<Fault> {
        self.inner().crash
    }

    /// Whether a crash is still to come.
    #[must_use]
    pub fn crash_is_due(&self) -> bool {
        self.inner().crash.is_some()
    }

    /// Takes no more, or takes again.
    pub fn set_full(&self, full: bool) {
        self.inner().full = full;
    }

    /// Nothing happens to it any more.
    pub fn heal(&self) {
        let mut inner = self.inner();
        (inner.full, inner.crash) = (false, None);
    }

    /// The events of records that became durable since the last call.
    pub fn take_fresh(&self) -> Vec<Event> {
        std::mem::take(&mut self.inner().fresh)
    }

    /// The process is dead: decides what is left of what was never synced. `kind` says how a crash that was
    /// asked for leaves it; otherwise chance decides.
    pub fn power_cut(&self, kind: Option<Fault>, rng: &mut impl Rng) {
        let mut inner = self.inner();
        inner.crash = None;
        let unsynced = inner.bytes.len() - inner.synced;
        if unsynced == 0 {
            return;
        }
        let kept = match kind {
            Some(Fault::CrashLostWrite | Fault::CrashBeforeWrite) => 0,
            Some(Fault::CrashKeptWrite) => unsynced,
            _ => rng.random_range(0..unsynced),
        };
        // A part may also be there with a hole in it: sectors are written in any order.
        let hole = kept > 0 && kind == Some(Fault::CrashTornWrite) && rng.random_bool(0.5);
        let end = inner.synced + kept;
        if hole {
            let at = inner.synced + rng.random_range(0..kept);
            if let Some(byte) = inner.bytes.get_mut(at) {
                *byte ^= 0x5A;
            }
        } else {
            inner.bytes.truncate(end);
        }
    }

    /// Finds the whole records, and cuts off what follows them.
    pub fn recover(&self) -> Recovered {
        let mut inner = self.inner();
        inner.fresh.clear();
        let before = inner.bytes.len();
        let mut records = Vec::new();
        let (mut at, mut begin) = (0, 0);
        while let Some((key, value, next)) = frame(&inner.bytes, at) {
            at = next;
            if ends_record(&key, value) {
                records.push(begin);
                begin = next;
            }
        }
        inner.records = records;
        inner.bytes.truncate(begin);
        let damaged = begin < inner.synced;
        inner.synced = begin;
        Recovered {
            records: u64::try_from(inner.records.len()).unwrap_or(u64::MAX),
            dropped_bytes: before - begin,
            damaged,
        }
    }

    /// A store for a process that starts on this disk.
    #[must_use]
    pub fn store(&self) -> SimStore {
        SimStore { disk: self.clone(), archive: Arc::new(Archive::in_memory()) }
    }
}

/// The frame at a place: key, value, and where the next one begins.
fn frame(bytes: &[u8], at: usize) -> Option<(Key, &[u8], usize)> {
    let header = bytes.get(at..at.checked_add(FRAME_HEADER)?)?;
    let (length, sum) = header.split_at(4);
    let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
    let sum = u32::from_be_bytes(sum.try_into().ok()?);
    let begin = at + FRAME_HEADER;
    let body = bytes.get(begin..begin.checked_add(length)?)?;
    if crc32fast::hash(body) != sum {
        return None;
    }
    let (key, value) = body.split_at_checked(KEY_BYTES)?;
    Some((key.try_into().ok()?, value, begin + length))
}

/// Whether a chunk is its record's last: the chunk's number ends the key, how many there are is in the value
/// after the format's version. Replay looks at the rest.
fn ends_record(key: &Key, value: &[u8]) -> bool {
    let chunk = u16::from_be_bytes([key[8], key[9]]);
    let of = value.get(2..4).and_then(|of| of.try_into().ok()).map_or(0, u16::from_be_bytes);
    chunk.checked_add(1) == Some(of)
}

/// The daemon's store on a [`Disk`].
pub struct SimStore {
    disk: Disk,
    /// Made from the records anew with each process.
    archive: Arc<Archive>,
}

impl Store for SimStore {
    fn append(&mut self, events: &[Event]) -> Result<u64, StoreError> {
        let mut inner = self.disk.inner();
        let crash = inner.crash;
        if crash == Some(Fault::CrashBeforeWrite) {
            return Err(StoreError::Injected);
        }
        if inner.full {
            let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(StoreError::Io { action: "write", path: "simulated".into(), source });
        }
        let number = u64::try_from(inner.records.len()).unwrap_or(u64::MAX).saturating_add(1);
        let begin = inner.bytes.len();
        for (key, value) in encode(number, events)? {
            let length = u32::try_from(key.len() + value.len()).map_err(|_| StoreError::Injected)?;
            let mut hasher = crc32fast::Hasher::new();
            hasher.update(&key);
            hasher.update(&value);
            inner.bytes.extend(length.to_be_bytes());
            inner.bytes.extend(hasher.finalize().to_be_bytes());
            inner.bytes.extend(key);
            inner.bytes.extend(value);
        }
        if matches!(crash, Some(Fault::CrashLostWrite | Fault::CrashTornWrite | Fault::CrashKeptWrite)) {
            return Err(StoreError::Injected);
        }
        inner.synced = inner.bytes.len();
        inner.records.push(begin);
        inner.fresh.extend_from_slice(events);
        Ok(number)
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let inner = self.disk.inner();
        let first = usize::try_from(after).unwrap_or(usize::MAX);
        let Some(mut at) = inner.records.get(first).copied() else { return Ok(Vec::new()) };
        let mut assembler = Assembler::new(after);
        let mut records = Vec::new();
        while records.len() < limit {
            let Some((key, value, next)) = frame(&inner.bytes, at) else { break };
            records.extend(assembler.take(&key, value)?);
            at = next;
        }
        Ok(records)
    }

    fn archive(&self) -> Arc<Archive> {
        Arc::clone(&self.archive)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn event(failures: u32) -> Event {
        Event::BreakerCounted { account: None, cause: treasury_core::failure::Cause::Errand, failures }
    }

    fn numbers(disk: &Disk) -> Vec<u32> {
        let read = |event: &Event| match event {
            Event::BreakerCounted { failures, .. } => *failures,
            other => panic!("{other:?}"),
        };
        disk.store().read(0, 100).unwrap().iter().flat_map(|record| &record.events).map(read).collect()
    }

    #[test]
    fn what_was_synced_survives_and_of_the_rest_only_whole_records() {
        for seed in 0..200 {
            let mut rng = StdRng::seed_from_u64(seed);
            for (crash, survives) in [
                (Fault::CrashBeforeWrite, Some(false)),
                (Fault::CrashLostWrite, Some(false)),
                (Fault::CrashKeptWrite, Some(true)),
                (Fault::CrashTornWrite, None),
            ] {
                let disk = Disk::default();
                let mut store = disk.store();
                store.append(&[event(1)]).unwrap();
                store.append(&[event(2), event(3)]).unwrap();
                disk.crash_at(crash);
                store.append(&[event(4)]).unwrap_err();
                disk.power_cut(Some(crash), &mut rng);
                let recovered = disk.recover();
                assert!(!recovered.damaged);
                let left = numbers(&disk);
                let whole = vec![1, 2, 3, 4];
                match survives {
                    Some(true) => assert_eq!(left, whole),
                    Some(false) => assert_eq!(left, whole[..3]),
                    None => assert!(whole.starts_with(&left) && left.len() >= 3, "{left:?}"),
                }
                let next = if left.len() == 4 { 4 } else { 3 };
                assert_eq!(disk.store().append(&[event(5)]).unwrap(), next);
            }
        }
    }

    #[test]
    fn damage_to_what_was_synced_is_told() {
        let disk = Disk::default();
        disk.store().append(&[event(1)]).unwrap();
        disk.inner().bytes[12] ^= 1;
        assert!(disk.recover().damaged);
    }
}
