//! Seeds in words, as RFC 1751 writes keys: six short English words for each eight bytes.

/// The 2,048 words of the RFC, in its order.
const WORDS: &str = include_str!("words.txt");

/// Bits that one word says.
const WORD_BITS: u32 = 11;
/// Words for eight bytes and their two bits of parity.
const WORDS_OF_HALF: usize = 6;

/// The words of a seed. The server reads the bytes of a seed from their end.
pub(super) fn from_seed(entropy: [u8; 16]) -> String {
    let number = u128::from_be_bytes(entropy).swap_bytes().to_be_bytes();
    let (first, second) = number.split_at(8);
    let words: Vec<&str> = [first, second].into_iter().flat_map(half_words).collect();
    words.join(" ")
}

/// The seed that twelve words say; none if they are not such words, or one of them is wrong.
pub(super) fn to_seed(text: &str) -> Option<[u8; 16]> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() != 2 * WORDS_OF_HALF {
        return None;
    }
    let (first, second) = words.split_at(WORDS_OF_HALF);
    let number = (u128::from(half(first)?) << 64) | u128::from(half(second)?);
    Some(number.swap_bytes().to_be_bytes())
}

fn half_words(bytes: &[u8]) -> impl Iterator<Item = &'static str> + use<> {
    let number = bytes.iter().fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
    // 64 bits and 2 of parity are six words of 11 bits.
    let coded = (number << 2) | u128::from(parity(number));
    (0..6_u32).rev().filter_map(move |place| {
        let index = (coded >> (WORD_BITS * place)) & 0x7FF;
        WORDS.split_ascii_whitespace().nth(usize::try_from(index).ok()?)
    })
}

fn half(words: &[&str]) -> Option<u64> {
    let mut coded = 0_u128;
    for word in words {
        // As written by hand: in any case, and with digits that look like letters.
        let standard: String = word
            .chars()
            .map(|letter| match letter.to_ascii_uppercase() {
                '1' => 'L',
                '0' => 'O',
                '5' => 'S',
                letter => letter,
            })
            .collect();
        let index = WORDS.split_ascii_whitespace().position(|known| known == standard)?;
        coded = (coded << WORD_BITS) | u128::try_from(index).ok()?;
    }
    let number = coded >> 2;
    let right = u128::from(parity(number)) == coded & 3;
    right.then(|| u64::try_from(number).ok()).flatten()
}

/// The sum of the pairs of bits, of which two bits are kept.
fn parity(number: u128) -> u8 {
    let sum: u128 = (0..32).map(|pair| (number >> (2 * pair)) & 3).sum();
    u8::try_from(sum & 3).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The genesis account's seed, as every server proposes it.
    const GENESIS: [u8; 16] =
        [0xDE, 0xDC, 0xE9, 0xCE, 0x67, 0xB4, 0x51, 0xD8, 0x52, 0xFD, 0x4E, 0x84, 0x6F, 0xCD, 0xE3, 0x1C];
    const GENESIS_WORDS: &str = "I IRE BOND BOW TRIO LAID SEAT GOAL HEN IBIS IBIS DARE";

    #[test]
    fn a_seed_is_written_in_words_and_read_back() {
        assert_eq!(from_seed(GENESIS), GENESIS_WORDS);
        let by_hand = "I ire B0ND BOW TRIO 1AID 5EAT GOAL HEN IBIS IBIS DARE";
        for text in [GENESIS_WORDS, &GENESIS_WORDS.to_lowercase(), by_hand] {
            assert_eq!(to_seed(text), Some(GENESIS), "{text}");
        }
        for entropy in [[0; 16], [0xFF; 16], *b"sixteen bytes ok"] {
            assert_eq!(to_seed(&from_seed(entropy)), Some(entropy));
        }
    }

    #[test]
    fn words_with_a_mistake_are_no_seed() {
        for wrong in [
            "",
            "I IRE BOND BOW TRIO LAID SEAT GOAL HEN IBIS IBIS",
            "I IRE BOND BOW TRIO LAID SEAT GOAL HEN IBIS IBIS DART",
            "XYZZY IRE BOND BOW TRIO LAID SEAT GOAL HEN IBIS IBIS DARE",
        ] {
            assert_eq!(to_seed(wrong), None, "{wrong}");
        }
        assert_eq!(WORDS.split_ascii_whitespace().count(), 2048);
    }
}
