//! Which transactions may concern an account, told without decoding them.

use std::collections::{BTreeSet, HashMap};

use treasury_core::units::AccountId;
use xrpl_wire::index;

use super::reply::TxData;

const NEEDLE_BYTES: usize = 20;

/// What is asked of the sieves at a place: so many bytes from there on.
const GRAIN_BYTES: usize = 8;

/// How far the places are apart that are looked at. Wherever a needle begins, one of them lies so far in it that a
/// grain of it follows.
const STRIDE: usize = 8;

/// Bits of the coarse sieve for each grain that may stand at a place, and of the fine one for each beginning of a
/// needle: about one in so many of a stranger's passes.
const COARSE_BITS: usize = 8;
const FINE_BITS: usize = 32;

/// Tells transactions that may concern an account apart from those that cannot.
///
/// Whatever sends from, pays, or changes an entry of an account holds its 20 bytes somewhere, except for a
/// change of its SignerList, which is found by the entry's index. So a transaction of a type that this
/// program does not know, between strangers, is passed over, and one that concerns the treasury is not.
///
/// Every transaction of the network is asked about, and nearly none holds a needle: so few of its places are looked
/// at, and nearly all of those are answered from a few cache lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Interest {
    needles: HashMap<[u8; NEEDLE_BYTES], AccountId>,
    /// What of a needle may stand at a place that is looked at.
    coarse: Sieve,
    /// How needles begin.
    fine: Sieve,
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
        let mut coarse = Sieve::for_so_many(needles.len().saturating_mul(STRIDE), COARSE_BITS);
        let mut fine = Sieve::for_so_many(needles.len(), FINE_BITS);
        for needle in needles.keys() {
            grains(needle).take(STRIDE).for_each(|grain| coarse.add(grain));
            grains(needle).take(1).for_each(|grain| fine.add(grain));
        }
        Self { needles, coarse, fine }
    }

    pub(super) fn concerns(&self, tx: &TxData) -> bool {
        let holds = |bytes| self.accounts(bytes).next().is_some();
        holds(&tx.tx_blob.0) || holds(&tx.meta_blob.0)
    }

    /// The accounts that these bytes name.
    pub(super) fn named(&self, bytes: &[u8]) -> BTreeSet<AccountId> {
        self.accounts(bytes).collect()
    }

    fn accounts<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = AccountId> + 'a {
        let places = bytes.windows(GRAIN_BYTES).step_by(STRIDE).enumerate();
        let hits =
            places.filter(|(_, grain)| grain.first_chunk().is_some_and(|grain| self.coarse.may_hold(*grain)));
        hits.flat_map(move |(nth, _)| {
            let at = nth.saturating_mul(STRIDE);
            (at.saturating_sub(STRIDE - 1)..=at).filter_map(move |begin| self.at(bytes, begin))
        })
    }

    /// The account whose needle begins there.
    fn at(&self, bytes: &[u8], begin: usize) -> Option<AccountId> {
        let needle: &[u8; NEEDLE_BYTES] = bytes.get(begin..)?.first_chunk()?;
        let grain = grains(needle).next()?;
        if self.fine.may_hold(grain) { self.needles.get(needle).copied() } else { None }
    }
}

/// The bytes from each place on.
fn grains(bytes: &[u8]) -> impl Iterator<Item = [u8; GRAIN_BYTES]> {
    bytes.windows(GRAIN_BYTES).filter_map(|window| window.first_chunk().copied())
}

/// Tells most of what was not put into it apart from what was.
#[derive(Clone, Debug, Default)]
struct Sieve {
    words: Vec<u64>,
    /// How far a hash is shifted to number a bit.
    shift: u32,
}

impl Sieve {
    fn for_so_many(grains: usize, bits_each: usize) -> Self {
        let words = (grains.saturating_mul(bits_each) / 64).next_power_of_two().min(1 << 25);
        Self { words: vec![0; words], shift: 64 - words.ilog2() - 6 }
    }

    fn add(&mut self, grain: [u8; GRAIN_BYTES]) {
        let (word, bit) = self.place(grain);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    fn may_hold(&self, grain: [u8; GRAIN_BYTES]) -> bool {
        let (word, bit) = self.place(grain);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The word and the bit in it.
    fn place(&self, grain: [u8; GRAIN_BYTES]) -> (usize, u64) {
        // Multiplicative hashing: the high bits of the product depend on all of the bytes.
        let hash = u64::from_le_bytes(grain).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift;
        (usize::try_from(hash >> 6).unwrap_or(usize::MAX), 1 << (hash & 63))
    }
}

const _: () =
    assert!(STRIDE - 1 + GRAIN_BYTES <= NEEDLE_BYTES, "a grain at any such place lies within the needle");

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
