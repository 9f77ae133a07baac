//! A preimage in two parts, made so that nobody needs both before it is revealed.
//!
//! SHA-256 takes its input in blocks of 64 bytes and carries nothing from one block to the next but a digest of 32. The
//! first part is exactly one block, the second is what follows it. Whoever holds the first part gives that digest away, and
//! not the part: from the digest and the second part comes the condition. So the condition is known before anybody has seen
//! both parts. To get a part from what the other side has seen is to find a preimage of SHA-256.

use sha2::compress256;
use sha2::digest::generic_array::GenericArray;
use zeroize::{Zeroize, Zeroizing};

use crate::condition::condition_for_digest;

/// Length of the first part: a block of SHA-256.
pub const FIRST_BYTES: usize = 64;

/// Length of the second part. With it the preimage is well below what the ledger takes.
pub const SECOND_BYTES: usize = 32;

/// Length of the whole preimage.
pub const PREIMAGE_BYTES: usize = FIRST_BYTES + SECOND_BYTES;

/// Length of the fulfillment that carries such a preimage, serialized.
pub const FULFILLMENT_BYTES: usize = PREIMAGE_BYTES + 4;

/// What SHA-256 begins with (FIPS 180-4, 5.3.3).
const BEGINNING: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// What SHA-256 carries on after the first part: the only thing of it that the other side sees.
#[must_use]
pub fn digest_of_first(first: &[u8; FIRST_BYTES]) -> [u8; 32] {
    let mut state = BEGINNING;
    let mut block = GenericArray::from(*first);
    compress256(&mut state, std::slice::from_ref(&block));
    block.as_mut_slice().zeroize();
    bytes(state)
}

/// The serialized condition of the preimage whose first part has that digest, and whose second part this is.
#[must_use]
pub fn condition_of(digest_of_first: &[u8; 32], second: &[u8; SECOND_BYTES]) -> Vec<u8> {
    let mut state = words(digest_of_first);
    // The end of a message as SHA-256 pads it: a set bit, zeros, and the message's length in bits.
    let mut block = Zeroizing::new([0_u8; FIRST_BYTES]);
    let bits = u64::try_from(PREIMAGE_BYTES).unwrap_or(u64::MAX).saturating_mul(8).to_be_bytes();
    let parts = second.iter().chain([&0x80_u8]).chain(std::iter::repeat_n(&0, 23)).chain(&bits);
    block.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
    let mut last = GenericArray::from(*block);
    compress256(&mut state, std::slice::from_ref(&last));
    last.as_mut_slice().zeroize();
    condition_for_digest(&bytes(state), PREIMAGE_BYTES)
}

/// Both parts together. As secret as what it opens.
#[must_use]
pub fn preimage(first: &[u8; FIRST_BYTES], second: &[u8; SECOND_BYTES]) -> Zeroizing<[u8; PREIMAGE_BYTES]> {
    let mut whole = Zeroizing::new([0_u8; PREIMAGE_BYTES]);
    whole.iter_mut().zip(first.iter().chain(second)).for_each(|(to, from)| *to = *from);
    whole
}

fn bytes(state: [u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.chunks_exact_mut(4).zip(state).for_each(|(to, word)| to.copy_from_slice(&word.to_be_bytes()));
    bytes
}

fn words(bytes: &[u8; 32]) -> [u32; 8] {
    let mut words = [0; 8];
    for (word, from) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = from.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{condition_for_preimage, fulfillment_for_preimage, fulfillment_matches};

    fn part<const N: usize>(seed: u8) -> [u8; N] {
        let mut part = [0; N];
        for (at, byte) in part.iter_mut().zip(0_u8..).map(|(byte, at)| (at, byte)) {
            *byte = at.wrapping_mul(37).wrapping_add(seed);
        }
        part
    }

    #[test]
    fn the_condition_of_two_parts_is_that_of_the_whole_preimage() {
        for seed in 0..=255 {
            let (first, second) = (part::<FIRST_BYTES>(seed), part::<SECOND_BYTES>(seed.wrapping_mul(3)));
            let whole = preimage(&first, &second);
            assert_eq!(whole.as_slice(), [first.as_slice(), second.as_slice()].concat());
            let condition = condition_of(&digest_of_first(&first), &second);
            assert_eq!(condition, condition_for_preimage(whole.as_slice()));
            let fulfillment = fulfillment_for_preimage(whole.as_slice());
            assert_eq!(fulfillment.len(), FULFILLMENT_BYTES);
            assert!(fulfillment_matches(&fulfillment, &condition));
        }
    }

    #[test]
    fn another_part_gives_another_condition() {
        let condition = |first: u8, second: u8| condition_of(&digest_of_first(&part(first)), &part(second));
        assert_ne!(condition(1, 2), condition(3, 2));
        assert_ne!(condition(1, 2), condition(1, 3));
        assert_ne!(condition(1, 2), condition(2, 1));
    }
}
