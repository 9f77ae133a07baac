//! A store in memory: for tests and for trying things out. It keeps the same bytes as the one on disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use treasury_core::Event;

use super::record::{Assembler, Key, encode, key};
use super::{Archive, Record, Store, StoreError};

/// A store in memory. Its clones share what they hold, so a test can look at what an engine stored, or
/// start another engine on it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    values: BTreeMap<Key, Vec<u8>>,
    last: u64,
    appends_left: Option<u64>,
    archive: Option<Arc<Archive>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `appends` more succeed; every later one fails without storing anything.
    pub fn fail_after(&self, appends: u64) {
        self.shared().appends_left = Some(appends);
    }

    /// Number of the last record; 0: none.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.shared().last
    }

    /// Changes one stored byte, to see whether that is found.
    #[cfg(test)]
    pub(crate) fn damage(&self, record: u64, chunk: u16, byte: usize) {
        if let Some(value) = self.shared().values.get_mut(&key(record, chunk)) {
            value[byte] ^= 1;
        }
    }

    /// Puts a record there as it is.
    #[cfg(test)]
    pub(super) fn put(&self, chunks: Vec<(Key, Vec<u8>)>) {
        let mut shared = self.shared();
        shared.values.extend(chunks);
        shared.last += 1;
    }

    /// Takes one chunk away.
    #[cfg(test)]
    pub(super) fn lose(&self, record: u64, chunk: u16) {
        self.shared().values.remove(&key(record, chunk));
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // Nothing in here can panic half-way through a change.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn append(&mut self, events: &[Event]) -> Result<u64, StoreError> {
        let mut shared = self.shared();
        match &mut shared.appends_left {
            Some(0) => return Err(StoreError::Injected),
            Some(left) => *left -= 1,
            None => {}
        }
        let number = shared.last.saturating_add(1);
        shared.values.extend(encode(number, events)?);
        shared.last = number;
        Ok(number)
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let shared = self.shared();
        let mut assembler = Assembler::new(after);
        let mut records = Vec::new();
        for (key, value) in shared.values.range(key(after.saturating_add(1), 0)..) {
            if records.len() == limit {
                return Ok(records);
            }
            records.extend(assembler.take(key, value)?);
        }
        assembler.finish()?;
        Ok(records)
    }

    fn archive(&self) -> Arc<Archive> {
        Arc::clone(self.shared().archive.get_or_insert_with(|| Arc::new(Archive::in_memory())))
    }
}
