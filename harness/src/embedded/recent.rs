//! What is remembered for a while: so much at most, whoever sends however much.

use xrpl_wire::Hash256;

use super::trie::Trie;

/// Values by key, of which the newest are kept: all of the last half of what it may hold, and of the half before that.
/// Clones share everything.
#[derive(Debug, Clone)]
pub(super) struct Recent<V> {
    young: Trie<V>,
    old: Trie<V>,
    /// What has been put into the young ones.
    load: usize,
    half: usize,
}

impl<V> Recent<V> {
    /// An empty one, which holds twice so much at most, in whatever the loads are told in.
    pub(super) fn new(half: usize) -> Recent<V> {
        Recent { young: Trie::new(), old: Trie::new(), load: 0, half }
    }

    /// The value of a key, unless it is forgotten.
    pub(super) fn get(&self, key: &Hash256) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Sets the value of a key, which is a load of so much.
    pub(super) fn insert(&mut self, key: Hash256, value: V, load: usize) {
        self.young.insert(key, value);
        self.load = self.load.saturating_add(load);
        if self.load >= self.half {
            self.old = std::mem::take(&mut self.young);
            self.load = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_the_oldest_are_forgotten() {
        let mut recent = Recent::new(10);
        let key = |number: u8| Hash256([number; 32]);
        for number in 0..25 {
            recent.insert(key(number), number, 1);
            assert_eq!(recent.get(&key(number)), Some(&number));
        }
        let kept = (0..25).filter(|number| recent.get(&key(*number)).is_some()).collect::<Vec<_>>();
        assert_eq!(kept, (10..25).collect::<Vec<_>>());
        recent.insert(key(24), 0, 100);
        assert_eq!((recent.get(&key(24)), recent.get(&key(10))), (Some(&0), None));
    }
}
