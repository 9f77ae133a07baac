//! 256-bit hashes: the first half of SHA-512.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha512};

/// A 256-bit hash: a transaction id, a ledger hash, the index of a ledger entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash256(pub [u8; 32]);

/// A text that is not 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 64 hex digits")]
pub struct HashError;

impl HashError {
    /// A stable name of the error, for machines.
    pub fn code(&self) -> &'static str {
        "bad_hash"
    }
}

impl Hash256 {
    /// Thirty-two zero bytes: the hash of nothing.
    pub const ZERO: Hash256 = Hash256([0; 32]);

    /// The hash of 32 bytes; none of any other number.
    pub fn from_slice(bytes: &[u8]) -> Option<Hash256> {
        bytes.try_into().ok().map(Hash256)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether all bytes are zero.
    pub fn is_zero(&self) -> bool {
        *self == Hash256::ZERO
    }
}

/// The first half of the SHA-512 of the parts, one after another.
pub fn sha512_half(parts: &[&[u8]]) -> Hash256 {
    let mut hasher = Sha512::new();
    for part in parts {
        hasher.update(part);
    }
    let mut half = [0; 32];
    // A SHA-512 has 64 bytes: zip takes the first 32.
    for (to, from) in half.iter_mut().zip(hasher.finalize()) {
        *to = from;
    }
    Hash256(half)
}

/// The two digits of every byte, in capitals.
const HEX_DIGITS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [DIGITS[byte / 16], DIGITS[byte % 16]];
        byte += 1;
    }
    pairs
};

/// Bytes as the server writes them. `hex::encode_upper` makes them character by character, for which listing many
/// entries waits.
pub(crate) fn upper_hex(bytes: &[u8]) -> String {
    let mut text = vec![0; bytes.len().saturating_mul(2)];
    for (digits, byte) in text.as_chunks_mut().0.iter_mut().zip(bytes) {
        *digits = HEX_DIGITS[usize::from(*byte)];
    }
    String::from_utf8(text).unwrap_or_else(|_| hex::encode_upper(bytes))
}

impl fmt::Display for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [[0; 2]; 32];
        for (digits, byte) in text.iter_mut().zip(self.0) {
            *digits = HEX_DIGITS[usize::from(byte)];
        }
        f.pad(std::str::from_utf8(text.as_flattened()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash256 {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Hash256, HashError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| HashError)?;
        Ok(Hash256(bytes))
    }
}

impl Serialize for Hash256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash256, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_capitals() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(upper_hex(&all), hex::encode_upper(&all));
        assert_eq!(upper_hex(&[]), "");
    }

    #[test]
    fn a_hash_reads_and_writes_as_upper_hex() {
        let text = "DB571E8A6FF37C1B9B4A52140F39B8AF1D5B3CEDA56FAA113ECE3CC806D96961";
        let hash: Hash256 = text.parse().unwrap();
        assert_eq!(hash.to_string(), text);
        assert_eq!(text.to_lowercase().parse(), Ok(hash));
        assert_eq!(serde_json::to_string(&hash).unwrap(), format!("\"{text}\""));
        for bad in ["", "00", &text[1..], &format!("{text}0"), &text.replace('D', "G")] {
            assert_eq!(bad.parse::<Hash256>(), Err(HashError), "{bad}");
        }
    }

    #[test]
    fn parts_hash_like_their_concatenation() {
        assert_eq!(sha512_half(&[b"ab", b"", b"c"]), sha512_half(&[b"abc"]));
        // SHA-512 of "abc" begins so.
        assert_eq!(
            sha512_half(&[b"abc"]).to_string(),
            "DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A"
        );
    }
}
