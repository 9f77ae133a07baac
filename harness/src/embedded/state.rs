//! The state of a ledger: its entries by index.

use std::sync::OnceLock;

use xrpl_wire::{CodecError, Hash256, LedgerEntryType, Object, sf, sha512_half};

use super::trie::{self, Trie};

/// The prefix of a state leaf's hash: `MLN` and a zero byte.
const LEAF_PREFIX: &[u8] = b"MLN\0";

/// A ledger entry: its fields, and its bytes once somebody asks for them.
#[derive(Debug)]
pub struct Entry {
    object: Object,
    blob: OnceLock<Box<[u8]>>,
}

impl Entry {
    /// An entry of fields.
    pub fn new(object: Object) -> Entry {
        Entry { object, blob: OnceLock::new() }
    }

    /// An entry from its bytes.
    ///
    /// # Errors
    /// The bytes are no ledger object.
    pub fn decode(blob: Vec<u8>) -> Result<Entry, CodecError> {
        let object = Object::decode(&blob)?;
        Ok(Entry { object, blob: OnceLock::from(blob.into_boxed_slice()) })
    }

    /// The fields.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The serialized entry.
    pub fn blob(&self) -> &[u8] {
        // Entries are decoded ones, or those with a few fields set to values of the same type: both encode.
        self.blob.get_or_init(|| self.object.encode().unwrap_or_default().into_boxed_slice())
    }

    /// The kind of entry; none if it is one of later servers.
    pub fn entry_type(&self) -> Option<LedgerEntryType> {
        self.object.u16(sf::LedgerEntryType).and_then(LedgerEntryType::from_code)
    }
}

/// The entries of a ledger by index: the state SHAMap. A clone shares everything and is a snapshot.
#[derive(Debug, Clone, Default)]
pub struct StateMap {
    entries: Trie<Entry>,
}

impl StateMap {
    /// No entries.
    pub fn new() -> StateMap {
        StateMap::default()
    }

    /// The entry at an index.
    pub fn get(&self, index: &Hash256) -> Option<&Entry> {
        self.entries.get(index)
    }

    /// The fields of the entry at an index.
    pub fn object(&self, index: &Hash256) -> Option<&Object> {
        self.get(index).map(Entry::object)
    }

    /// Whether there is an entry at an index.
    pub fn contains(&self, index: &Hash256) -> bool {
        self.entries.contains(index)
    }

    /// Sets the entry at an index.
    pub fn insert(&mut self, index: Hash256, entry: Entry) {
        self.entries.insert(index, entry);
    }

    /// Removes the entry at an index.
    pub fn remove(&mut self, index: &Hash256) {
        self.entries.remove(index);
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All entries in the order of their indexes.
    pub fn iter(&self) -> trie::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// The entries from an index on, itself included, in order.
    pub fn iter_from(&self, start: &Hash256) -> trie::Iter<'_, Entry> {
        self.entries.iter_from(start)
    }

    /// The indexes of what was changed between another state and this one, ascending. What both share is not looked at,
    /// and what is an entry of its own in each may be the same all the same.
    pub(super) fn differing(&self, other: &StateMap) -> Vec<Hash256> {
        self.entries.differing(&other.entries)
    }

    /// The state hash (`account_hash`). Only what changed since it was last asked is hashed.
    pub fn root_hash(&self) -> Hash256 {
        self.entries.root_hash(|index, entry| sha512_half(&[LEAF_PREFIX, entry.blob(), &index.0]))
    }
}
