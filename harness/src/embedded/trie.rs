//! A persistent radix tree over 256-bit keys, shaped as the ledger's SHAMap is.
//!
//! Sixteen children to an inner node, one nibble of the key to a level; a subtree with one leaf is
//! that leaf, and the root is always an inner node. Clones share everything, so a clone is a snapshot
//! that costs one reference; a change copies only the path from the root to the leaf. Hashes are
//! computed when asked for and kept in the nodes, so only changed paths are ever hashed again.

use std::sync::{Arc, OnceLock};

use xrpl_wire::{Hash256, sha512_half};

/// The prefix of an inner node's hash: `MIN` and a zero byte.
const INNER_PREFIX: &[u8] = b"MIN\0";

/// A map from 256-bit keys to values, cheap to clone.
#[derive(Debug)]
pub struct Trie<V> {
    root: Arc<Inner<V>>,
    len: usize,
}

#[derive(Debug)]
struct Inner<V> {
    children: [Slot<V>; 16],
    hash: OnceLock<Hash256>,
}

#[derive(Debug)]
enum Slot<V> {
    Empty,
    Leaf(Arc<Leaf<V>>),
    Inner(Arc<Inner<V>>),
}

#[derive(Debug, Clone)]
struct Leaf<V> {
    key: Hash256,
    value: V,
    hash: OnceLock<Hash256>,
}

// Written by hand: sharing asks nothing of the values.
impl<V> Clone for Trie<V> {
    fn clone(&self) -> Trie<V> {
        Trie { root: Arc::clone(&self.root), len: self.len }
    }
}

impl<V> Clone for Inner<V> {
    fn clone(&self) -> Inner<V> {
        // A node is copied to be changed, so its hash is not worth keeping.
        Inner { children: self.children.clone(), hash: OnceLock::new() }
    }
}

impl<V> Clone for Slot<V> {
    fn clone(&self) -> Slot<V> {
        match self {
            Slot::Empty => Slot::Empty,
            Slot::Leaf(leaf) => Slot::Leaf(Arc::clone(leaf)),
            Slot::Inner(inner) => Slot::Inner(Arc::clone(inner)),
        }
    }
}

impl<V> Default for Trie<V> {
    fn default() -> Trie<V> {
        Trie::new()
    }
}

impl<V> Inner<V> {
    fn empty() -> Inner<V> {
        Inner { children: [const { Slot::Empty }; 16], hash: OnceLock::new() }
    }
}

impl<V> Trie<V> {
    /// An empty map.
    pub fn new() -> Trie<V> {
        Trie { root: Arc::new(Inner::empty()), len: 0 }
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of a key.
    pub fn get(&self, key: &Hash256) -> Option<&V> {
        let mut node = &self.root;
        for depth in 0..64 {
            match node.children.get(nibble(key, depth))? {
                Slot::Empty => return None,
                Slot::Leaf(leaf) => return (leaf.key == *key).then_some(&leaf.value),
                Slot::Inner(inner) => node = inner,
            }
        }
        None
    }

    /// The value of a key, to be changed in place. The values are cloned where a snapshot shares them.
    pub fn get_mut(&mut self, key: &Hash256) -> Option<&mut V>
    where
        V: Clone,
    {
        // Looked up first, so that nothing is copied for a key that is not there.
        if !self.contains(key) {
            return None;
        }
        find_mut(Arc::make_mut(&mut self.root), 0, key)
    }

    /// Whether it holds the key.
    pub fn contains(&self, key: &Hash256) -> bool {
        self.get(key).is_some()
    }

    /// Sets the value of a key. True if the key is new.
    pub fn insert(&mut self, key: Hash256, value: V) -> bool {
        let leaf = Arc::new(Leaf { key, value, hash: OnceLock::new() });
        let new = put(Arc::make_mut(&mut self.root), 0, leaf);
        self.len += usize::from(new);
        new
    }

    /// Removes a key. True if it was there.
    pub fn remove(&mut self, key: &Hash256) -> bool {
        // Looked up first, so that nothing is copied for a key that is not there.
        if !self.contains(key) {
            return false;
        }
        take(Arc::make_mut(&mut self.root), 0, key);
        self.len -= 1;
        true
    }

    /// All values, in the order of their keys.
    pub fn iter(&self) -> Iter<'_, V> {
        self.iter_from(&Hash256::ZERO)
    }

    /// The values from a key on, itself included, in the order of their keys.
    pub fn iter_from(&self, start: &Hash256) -> Iter<'_, V> {
        let mut stack = Vec::with_capacity(8);
        let mut node = self.root.as_ref();
        for depth in 0..64 {
            let at = nibble(start, depth);
            match node.children.get(at) {
                Some(Slot::Inner(inner)) => {
                    stack.push((node, at + 1));
                    node = inner;
                }
                Some(Slot::Leaf(leaf)) if leaf.key >= *start => {
                    stack.push((node, at));
                    break;
                }
                _ => {
                    stack.push((node, at + 1));
                    break;
                }
            }
        }
        Iter { stack }
    }

    /// The keys of all that is not the same in another, ascending, where one was made of the other; and perhaps of what
    /// stands beside that in the tree. What both share is not looked at.
    pub fn differing(&self, other: &Trie<V>) -> Vec<Hash256> {
        let mut keys = Vec::new();
        differ_inner(&self.root, &other.root, &mut keys);
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The root's hash, each leaf hashed by `leaf_hash`. An empty tree hashes to zero.
    ///
    /// One tree must always be asked with the same `leaf_hash`, since what it answers is kept.
    pub fn root_hash(&self, leaf_hash: impl Fn(&Hash256, &V) -> Hash256) -> Hash256 {
        if self.len == 0 {
            return Hash256::ZERO;
        }
        hash_inner(&self.root, &leaf_hash)
    }
}

/// Iterates over keys and values, ascending.
#[derive(Debug)]
pub struct Iter<'a, V> {
    stack: Vec<(&'a Inner<V>, usize)>,
}

impl<'a, V> Iterator for Iter<'a, V> {
    type Item = (&'a Hash256, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (node, at) = self.stack.last_mut()?;
            let Some(slot) = node.children.get(*at) else {
                self.stack.pop();
                continue;
            };
            *at += 1;
            match slot {
                Slot::Empty => {}
                Slot::Leaf(leaf) => return Some((&leaf.key, &leaf.value)),
                Slot::Inner(inner) => self.stack.push((inner, 0)),
            }
        }
    }
}

/// The nibble of a key at a depth; 16, which no node has, past the end.
fn nibble(key: &Hash256, depth: usize) -> usize {
    match key.0.get(depth / 2) {
        Some(byte) if depth.is_multiple_of(2) => usize::from(byte >> 4),
        Some(byte) => usize::from(byte & 15),
        None => 16,
    }
}

/// Puts a leaf below a node. True if its key is new.
fn put<V>(node: &mut Inner<V>, depth: usize, leaf: Arc<Leaf<V>>) -> bool {
    node.hash = OnceLock::new();
    let Some(slot) = node.children.get_mut(nibble(&leaf.key, depth)) else {
        // Deeper than a key is long: two leaves would have to have the same key.
        return false;
    };
    match slot {
        Slot::Empty => {
            *slot = Slot::Leaf(leaf);
            true
        }
        Slot::Inner(inner) => put(Arc::make_mut(inner), depth + 1, leaf),
        Slot::Leaf(old) if old.key == leaf.key => {
            *slot = Slot::Leaf(leaf);
            false
        }
        Slot::Leaf(old) => {
            let mut inner = Inner::empty();
            put(&mut inner, depth + 1, Arc::clone(old));
            put(&mut inner, depth + 1, leaf);
            *slot = Slot::Inner(Arc::new(inner));
            true
        }
    }
}

fn find_mut<'a, V: Clone>(node: &'a mut Inner<V>, depth: usize, key: &Hash256) -> Option<&'a mut V> {
    node.hash = OnceLock::new();
    match node.children.get_mut(nibble(key, depth))? {
        Slot::Empty => None,
        Slot::Inner(inner) => find_mut(Arc::make_mut(inner), depth + 1, key),
        Slot::Leaf(leaf) => {
            let leaf = Arc::make_mut(leaf);
            leaf.hash = OnceLock::new();
            Some(&mut leaf.value)
        }
    }
}

/// Takes a key, which is there, out from below a node.
fn take<V>(node: &mut Inner<V>, depth: usize, key: &Hash256) {
    node.hash = OnceLock::new();
    let Some(slot) = node.children.get_mut(nibble(key, depth)) else { return };
    match slot {
        Slot::Empty => {}
        Slot::Leaf(_) => *slot = Slot::Empty,
        Slot::Inner(inner) => {
            let inner = Arc::make_mut(inner);
            take(inner, depth + 1, key);
            let mut left = inner.children.iter().filter(|child| !matches!(child, Slot::Empty));
            let only = match (left.next(), left.next()) {
                (None, _) => Some(Slot::Empty),
                (Some(Slot::Leaf(leaf)), None) => Some(Slot::Leaf(Arc::clone(leaf))),
                _ => None,
            };
            if let Some(only) = only {
                *slot = only;
            }
        }
    }
}

fn differ_inner<V>(one: &Arc<Inner<V>>, other: &Arc<Inner<V>>, keys: &mut Vec<Hash256>) {
    if !Arc::ptr_eq(one, other) {
        one.children.iter().zip(&other.children).for_each(|(one, other)| differ(one, other, keys));
    }
}

fn differ<V>(one: &Slot<V>, other: &Slot<V>, keys: &mut Vec<Hash256>) {
    match (one, other) {
        (Slot::Inner(one), Slot::Inner(other)) => differ_inner(one, other, keys),
        (Slot::Leaf(one), Slot::Leaf(other)) if Arc::ptr_eq(one, other) => {}
        _ => {
            for slot in [one, other] {
                match slot {
                    Slot::Empty => {}
                    Slot::Leaf(leaf) => keys.push(leaf.key),
                    Slot::Inner(inner) => {
                        keys.extend(Iter { stack: vec![(inner.as_ref(), 0)] }.map(|(key, _)| *key));
                    }
                }
            }
        }
    }
}

fn hash_inner<V>(node: &Inner<V>, leaf_hash: &impl Fn(&Hash256, &V) -> Hash256) -> Hash256 {
    *node.hash.get_or_init(|| {
        let mut bytes = [0; 16 * 32];
        for (to, slot) in bytes.chunks_exact_mut(32).zip(&node.children) {
            let hash = match slot {
                Slot::Empty => continue,
                Slot::Leaf(leaf) => *leaf.hash.get_or_init(|| leaf_hash(&leaf.key, &leaf.value)),
                Slot::Inner(inner) => hash_inner(inner, leaf_hash),
            };
            to.copy_from_slice(&hash.0);
        }
        sha512_half(&[INNER_PREFIX, &bytes])
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn key(n: u64) -> Hash256 {
        // Few distinct leading nibbles, so that deep shared prefixes occur.
        let mut bytes = [0; 32];
        bytes[0] = u8::try_from(n % 3).unwrap();
        bytes[30] = u8::try_from(n % 7).unwrap();
        bytes[31] = u8::try_from(n % 251).unwrap();
        Hash256(bytes)
    }

    fn hash(trie: &Trie<u64>) -> Hash256 {
        trie.root_hash(|key, value| sha512_half(&[&value.to_be_bytes(), &key.0]))
    }

    #[test]
    fn it_holds_what_an_ordered_map_holds() {
        let mut trie = Trie::new();
        let mut model = BTreeMap::new();
        let mut n = 7u64;
        for step in 0..5_000 {
            n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = key(n >> 33);
            if step % 3 == 2 {
                assert_eq!(trie.remove(&key), model.remove(&key).is_some());
            } else {
                assert_eq!(trie.insert(key, n), model.insert(key, n).is_none());
            }
            assert_eq!(trie.len(), model.len());
        }
        assert!(trie.iter().eq(model.iter()));
        for start in model.keys().copied().chain([Hash256::ZERO, Hash256([255; 32]), key(1)]) {
            assert!(trie.iter_from(&start).eq(model.range(start..)), "{start}");
        }
    }

    #[test]
    fn the_hash_depends_on_the_contents_alone() {
        let mut one = Trie::new();
        for n in 0..400 {
            one.insert(key(n), n % 251);
            if n % 5 == 0 {
                hash(&one);
            }
        }
        let snapshot = one.clone();
        let before = hash(&one);
        for n in 0..200 {
            one.remove(&key(n));
            hash(&one);
        }
        for n in (0..400).rev() {
            one.insert(key(n), n % 251);
        }
        let mut fresh = Trie::new();
        for (key, value) in one.iter() {
            fresh.insert(*key, *value);
        }
        assert_eq!(hash(&fresh), hash(&one));
        assert_eq!(hash(&snapshot), before);
        assert_eq!(hash(&Trie::new()), Hash256::ZERO);
    }

    #[test]
    fn it_tells_from_another_what_was_changed_and_little_else() {
        let mut n = 7u64;
        let mut random = |most: u64| {
            n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (n >> 33) % most
        };
        let mut before = Trie::new();
        for _ in 0..2_000 {
            before.insert(key(random(1 << 20)), 0);
        }
        assert!(before.len() > 1_000);
        for touched in [0, 1, 2, 10, 100, 2_000] {
            let mut after = before.clone();
            for number in 0..touched {
                let key = key(random(1 << 20));
                if random(2) == 0 {
                    after.remove(&key);
                } else {
                    after.insert(key, number + 1);
                }
            }
            let told = after.differing(&before);
            assert_eq!(told, before.differing(&after));
            assert!(told.is_sorted() && told.len() <= usize::try_from(2 * touched).unwrap());
            let other = |key: &Hash256| before.get(key) != after.get(key);
            let all: BTreeMap<Hash256, u64> =
                before.iter().chain(after.iter()).map(|(key, value)| (*key, *value)).collect();
            assert!(all.keys().filter(|key| other(key)).all(|key| told.binary_search(key).is_ok()));
        }
    }
}
