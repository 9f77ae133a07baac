//! The hash trees of a ledger: one of its transactions, one of its entries.

use crate::{Hash256, encode, prefix, sha512_half};

/// How many levels a tree has at most: a level for each of a key's 64 hex digits.
const MAX_LEVEL: usize = 64;

/// The id of a transaction: the hash of its bytes.
pub fn transaction_id(tx_blob: &[u8]) -> Hash256 {
    sha512_half(&[&prefix::TRANSACTION_ID, tx_blob])
}

/// The leaf of a transaction and its metadata. Zero for bytes longer than a length can say (918,744), which
/// no ledger holds: a root over it matches no header.
pub fn transaction_leaf(id: &Hash256, tx_blob: &[u8], meta_blob: &[u8]) -> Hash256 {
    let mut bytes = Vec::with_capacity(tx_blob.len() + meta_blob.len() + 6);
    match encode::vl(&mut bytes, tx_blob).and_then(|()| encode::vl(&mut bytes, meta_blob)) {
        Ok(()) => sha512_half(&[&prefix::TRANSACTION_NODE, &bytes, &id.0]),
        Err(_) => Hash256::ZERO,
    }
}

/// The leaf of a ledger entry.
pub fn state_leaf(index: &Hash256, entry: &[u8]) -> Hash256 {
    sha512_half(&[&prefix::STATE_NODE, entry, &index.0])
}

/// The hash of an inner node.
pub fn inner_node(children: &[Hash256; 16]) -> Hash256 {
    let mut parts: [&[u8]; 17] = [&prefix::INNER_NODE; 17];
    for (part, child) in parts.iter_mut().skip(1).zip(children) {
        *part = &child.0;
    }
    sha512_half(&parts)
}

/// The root of the tree of a ledger's transactions, in any order.
pub fn transaction_tree_root<T, M>(transactions: impl IntoIterator<Item = (T, M)>) -> Hash256
where
    T: AsRef<[u8]>,
    M: AsRef<[u8]>,
{
    let mut leaves: Vec<(Hash256, Hash256)> = transactions
        .into_iter()
        .map(|(tx_blob, meta_blob)| {
            let id = transaction_id(tx_blob.as_ref());
            (id, transaction_leaf(&id, tx_blob.as_ref(), meta_blob.as_ref()))
        })
        .collect();
    leaves.sort_unstable();
    shamap_root(&leaves)
}

/// The root of the tree of a ledger's entries, in any order.
pub fn state_tree_root<E: AsRef<[u8]>>(entries: impl IntoIterator<Item = (Hash256, E)>) -> Hash256 {
    let mut leaves: Vec<(Hash256, Hash256)> =
        entries.into_iter().map(|(index, entry)| (index, state_leaf(&index, entry.as_ref()))).collect();
    leaves.sort_unstable();
    shamap_root(&leaves)
}

/// The root of the tree of transactions without metadata, whose leaves are their ids: a set that is to be
/// applied, in any order.
pub fn transaction_set_root(ids: impl IntoIterator<Item = Hash256>) -> Hash256 {
    let mut leaves: Vec<(Hash256, Hash256)> = ids.into_iter().map(|id| (id, id)).collect();
    leaves.sort_unstable();
    shamap_root(&leaves)
}

/// The root over leaves (key and hash) sorted by key, no key twice: an inner node always, or zero for no
/// leaves at all.
pub fn shamap_root(leaves: &[(Hash256, Hash256)]) -> Hash256 {
    if leaves.is_empty() { Hash256::ZERO } else { inner(leaves, 0) }
}

/// The inner node over leaves whose keys agree up to a level.
fn inner(leaves: &[(Hash256, Hash256)], level: usize) -> Hash256 {
    let mut children = [Hash256::ZERO; 16];
    let mut rest = leaves;
    while let [(key, hash), ..] = rest {
        let digit = nibble(key, level);
        let length = rest.partition_point(|(key, _)| nibble(key, level) <= digit);
        // At least the first is taken, sorted or not, so that this ends on any input.
        let (branch, after) = rest.split_at(length.clamp(1, rest.len()));
        if let Some(child) = children.get_mut(usize::from(digit)) {
            // One leaf stands for its branch; so does the first of equal keys, which must not be.
            *child =
                if branch.len() == 1 || level + 1 == MAX_LEVEL { *hash } else { inner(branch, level + 1) };
        }
        rest = after;
    }
    inner_node(&children)
}

/// One hex digit of a key.
fn nibble(key: &Hash256, level: usize) -> u8 {
    let byte = key.0.get(level / 2).copied().unwrap_or(0);
    if level.is_multiple_of(2) { byte >> 4 } else { byte & 0x0F }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(first: u8, last: u8) -> Hash256 {
        let mut bytes = [0; 32];
        (bytes[0], bytes[31]) = (first, last);
        Hash256(bytes)
    }

    #[test]
    fn an_empty_tree_is_zero_and_a_root_is_always_an_inner_node() {
        assert_eq!(shamap_root(&[]), Hash256::ZERO);
        let leaf = Hash256([9; 32]);
        let mut children = [Hash256::ZERO; 16];
        children[0xA] = leaf;
        assert_eq!(shamap_root(&[(key(0xA5, 0), leaf)]), inner_node(&children));
    }

    #[test]
    fn a_single_leaf_stands_for_its_branch_and_shared_digits_make_inner_nodes() {
        let (a, b, c) = (Hash256([1; 32]), Hash256([2; 32]), Hash256([3; 32]));
        let mut below = [Hash256::ZERO; 16];
        (below[1], below[2]) = (a, b);
        let mut top = [Hash256::ZERO; 16];
        (top[1], top[0xF]) = (inner_node(&below), c);
        assert_eq!(shamap_root(&[(key(0x11, 0), a), (key(0x12, 0), b), (key(0xF0, 0), c)]), inner_node(&top));
    }

    #[test]
    fn keys_that_differ_in_the_last_digit_only_and_equal_keys_end_too() {
        let (a, b) = (Hash256([1; 32]), Hash256([2; 32]));
        assert_ne!(shamap_root(&[(key(0, 1), a), (key(0, 2), b)]), Hash256::ZERO);
        assert_ne!(shamap_root(&[(key(0, 1), a), (key(0, 1), b)]), Hash256::ZERO);
        assert_ne!(shamap_root(&[(key(7, 1), a), (key(0, 1), b)]), Hash256::ZERO);
    }
}
