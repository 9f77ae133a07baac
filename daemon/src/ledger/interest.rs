//! Which transactions may concern an account, told without decoding them.

use std::collections::{BTreeSet, HashMap};

use treasury_core::units::AccountId;
use xrpl_wire::index;

use super::reply::TxData;

const NEEDLE_BYTES: usize = 20;

/// Bits of the sieve for each needle: about one in so many places of a stranger's transaction then passes the
/// sieve and is looked up.
const BITS_PER_NEEDLE: usize = 32;

/// Tells transactions that may concern an account apart from those that cannot.
///
/// Whatever sends from, pays, or changes an entry of an account holds its 20 bytes somewhere, except for a
/// change of its SignerList, which is found by the entry's index. So a transaction of a type that this
/// program does not know, between strangers, is passed over, and one that concerns the treasury is not.
#[derive(Clone, Debug, Default)]
pub(super) struct Interest {
    needles: HashMap<[u8; NEEDLE_BYTES], AccountId>,
    /// A bit for the first bytes of every needle. Every place in every transaction of the network is asked
    /// about, and nearly none is a needle's; this answers nearly all of them from a few cache lines.
    sieve: Vec<u64>,
    /// How far a hash is shifted to number a bit of the sieve.
    shift: u32,
}

impl Interest {
    pub(super) fn in_accounts<'a>(accounts: impl IntoIterator<Item = &'a AccountId>) -> Self {
        let mut needles = HashMap::new();
        for account in accounts {
            needles.insert(account.0, *account);
            for entry in [index::signer_list(account), index::account_root(account)] {
                needles.extend(entry.0.first_chunk().map(|needle| (*needle, *account)));
            }
        }
        let words = (needles.len().saturating_mul(BITS_PER_NEEDLE) / 64).next_power_of_two().min(1 << 25);
        let mut interest = Self { needles, sieve: vec![0; words], shift: 64 - words.ilog2() - 6 };
        for needle in interest.needles.keys() {
            let (word, bit) = place(needle, interest.shift);
            if let Some(word) = interest.sieve.get_mut(word) {
                *word |= bit;
            }
        }
        interest
    }

    pub(super) fn concerns(&self, tx: &TxData) -> bool {
        let holds = |bytes| self.accounts(bytes).next().is_some();
        holds(&tx.tx_blob.0) || holds(&tx.meta_blob.0)
    }

    /// The accounts that these bytes name.
    pub(super) fn named(&self, bytes: &[u8]) -> BTreeSet<AccountId> {
        self.accounts(bytes).collect()
    }

    fn accounts(&self, bytes: &[u8]) -> impl Iterator<Item = AccountId> {
        bytes.windows(NEEDLE_BYTES).filter_map(|window| {
            let window = window.first_chunk()?;
            let (word, bit) = place(window, self.shift);
            if self.sieve.get(word)? & bit == 0 { None } else { self.needles.get(window).copied() }
        })
    }
}

/// The word of the sieve and the bit in it.
fn place(needle: &[u8; NEEDLE_BYTES], shift: u32) -> (usize, u64) {
    let [a, b, c, d, e, f, g, h, ..] = *needle;
    // Multiplicative hashing: the high bits of the product depend on all of the bytes.
    let hash = u64::from_le_bytes([a, b, c, d, e, f, g, h]).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> shift;
    (usize::try_from(hash >> 6).unwrap_or(usize::MAX), 1 << (hash & 63))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use treasury_core::units::HexBytes;

    use super::*;

    proptest! {
        #[test]
        fn the_sieve_lets_nothing_through_that_concerns_an_account_and_stops_the_rest(
            accounts in prop::collection::btree_set(any::<[u8; 20]>(), 0..200),
            stranger in any::<[u8; 20]>(),
            before in prop::collection::vec(any::<u8>(), 0..40),
            after in prop::collection::vec(any::<u8>(), 0..40),
            in_meta in any::<bool>(),
        ) {
            let accounts: Vec<AccountId> = accounts.into_iter().map(AccountId).collect();
            let interest = Interest::in_accounts(&accounts);
            let holding = |needle: &[u8]| {
                let bytes = HexBytes([&before, needle, &after].concat());
                let none = HexBytes(Vec::new());
                let named = interest.named(&bytes.0);
                let (tx_blob, meta_blob) = if in_meta { (none, bytes) } else { (bytes, none) };
                assert_eq!(interest.concerns(&TxData { tx_blob, meta_blob }), !named.is_empty());
                named
            };
            for account in &accounts {
                for needle in [&account.0[..], &index::signer_list(account).0, &index::account_root(account).0] {
                    prop_assert!(holding(needle).contains(account));
                }
            }
            prop_assert_eq!(!holding(&stranger).is_empty(), accounts.iter().any(|account| account.0 == stranger));
        }
    }
}
