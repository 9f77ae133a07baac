//! Seeds: the 16 secret bytes a key pair is derived from.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A seed's entropy, in bytes.
pub const SEED_BYTES: usize = 16;

/// Version byte of a family seed; in base58 it shows as a leading `s`.
const FAMILY_SEED: [u8; 1] = [33];
/// Version bytes of a seed for an ed25519 key; in base58 they show as a leading `sEd`.
const ED25519_SEED: [u8; 3] = [0x01, 0xE1, 0x4B];

/// Longest decoded form: three version bytes, the entropy, four bytes of checksum.
const DECODED_MAX_BYTES: usize = ED25519_SEED.len() + SEED_BYTES + 4;

/// An `sEd` seed has 31 characters. Longer texts are refused before decoding, whose cost is quadratic.
const TEXT_MAX_BYTES: usize = 40;

/// Which signature scheme a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// ECDSA over secp256k1.
    Secp256k1,
    /// EdDSA over edwards25519.
    Ed25519,
}

impl KeyType {
    /// The name the ledger server uses for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Secp256k1 => "secp256k1",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is not a seed. It never holds any of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SeedError {
    /// Not base58 in the ledger's alphabet, or of an impossible length.
    #[error("the seed is not base58 text of a seed's length")]
    Malformed,
    /// The checksum does not fit: most likely a typing error.
    #[error("the seed's checksum is wrong")]
    Checksum,
    /// Well-formed base58, of something that is not a seed.
    #[error("the text is not a seed")]
    NotASeed,
}

impl SeedError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "seed_malformed",
            Self::Checksum => "seed_checksum",
            Self::NotASeed => "seed_not_a_seed",
        }
    }
}

/// 16 secret bytes and the type of key derived from them. Wiped from memory when dropped.
///
/// A seed written with the `s` prefix says nothing about its key type; as everywhere on the ledger it is read as
/// secp256k1. Use [`Seed::from_entropy`] for the other reading.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seed {
    entropy: [u8; SEED_BYTES],
    #[zeroize(skip)]
    key_type: KeyType,
}

impl Seed {
    /// A seed of the given bytes, which the caller draws at random.
    #[must_use]
    pub fn from_entropy(entropy: [u8; SEED_BYTES], key_type: KeyType) -> Self {
        Self { entropy, key_type }
    }

    /// The type of key derived from it.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The same secret bytes, read as a seed of the other type of key: the one a person may have meant where the
    /// text did not say.
    #[must_use]
    pub fn other_reading(&self) -> Self {
        let key_type = match self.key_type {
            KeyType::Secp256k1 => KeyType::Ed25519,
            KeyType::Ed25519 => KeyType::Secp256k1,
        };
        Self { entropy: self.entropy, key_type }
    }

    /// The secret bytes.
    pub(crate) fn entropy(&self) -> &[u8; SEED_BYTES] {
        &self.entropy
    }

    /// The seed as the ledger's tools write it: `sEd…` for ed25519, `s…` for secp256k1.
    #[must_use]
    pub fn to_base58(&self) -> Zeroizing<String> {
        let mut payload = Zeroizing::new(Vec::with_capacity(DECODED_MAX_BYTES));
        match self.key_type {
            KeyType::Secp256k1 => payload.extend_from_slice(&FAMILY_SEED),
            KeyType::Ed25519 => payload.extend_from_slice(&ED25519_SEED),
        }
        payload.extend_from_slice(&self.entropy);
        Zeroizing::new(
            bs58::encode(payload.as_slice()).with_alphabet(bs58::Alphabet::RIPPLE).with_check().into_string(),
        )
    }
}

impl FromStr for Seed {
    type Err = SeedError;

    fn from_str(text: &str) -> Result<Self, SeedError> {
        if text.is_empty() || text.len() > TEXT_MAX_BYTES {
            return Err(SeedError::Malformed);
        }
        let mut buffer = Zeroizing::new([0_u8; DECODED_MAX_BYTES]);
        let length = bs58::decode(text)
            .with_alphabet(bs58::Alphabet::RIPPLE)
            .with_check(None)
            .onto(&mut buffer[..])
            .map_err(|error| match error {
                bs58::decode::Error::InvalidChecksum { .. } => SeedError::Checksum,
                // The library's error names characters of the text, so it goes no further.
                _ => SeedError::Malformed,
            })?;
        let payload = buffer.get(..length).ok_or(SeedError::Malformed)?;
        let (entropy, key_type) = if let Some(entropy) = payload.strip_prefix(&ED25519_SEED) {
            (entropy, KeyType::Ed25519)
        } else if let Some(entropy) = payload.strip_prefix(&FAMILY_SEED) {
            (entropy, KeyType::Secp256k1)
        } else {
            return Err(SeedError::NotASeed);
        };
        let entropy = entropy.try_into().map_err(|_| SeedError::NotASeed)?;
        Ok(Self::from_entropy(entropy, key_type))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seed").field("key_type", &self.key_type).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_known_seeds_read_and_write() {
        for (text, entropy, key_type) in [
            ("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", "DEDCE9CE67B451D852FD4E846FCDE31C", KeyType::Secp256k1),
            ("sp6JS7f14BuwFY8Mw6bTtLKWauoUs", "00000000000000000000000000000000", KeyType::Secp256k1),
            ("saGwBRReqUNKuWNLpUAq8i8NkXEPN", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", KeyType::Secp256k1),
            ("sEdSJHS4oiAdz7w2X2ni1gFiqtbJHqE", "00000000000000000000000000000000", KeyType::Ed25519),
            ("sEdV19BLfeQeKdEXyYA4NhjPJe6XBfG", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", KeyType::Ed25519),
        ] {
            let seed: Seed = text.parse().unwrap();
            assert_eq!(hex::encode_upper(seed.entropy()), entropy, "{text}");
            assert_eq!(seed.key_type(), key_type, "{text}");
            assert_eq!(*seed.to_base58(), text);
        }
    }

    #[test]
    fn texts_that_are_not_seeds_are_refused_by_kind() {
        for (text, error) in [
            ("", SeedError::Malformed),
            ("s", SeedError::Malformed),
            ("snoPBrXtMeMyMHUVTgbuqAfg1SUT0", SeedError::Malformed),
            ("snoPBrXtMeMyMHUVTgbuqAfg1SUTc", SeedError::Checksum),
            ("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", SeedError::Malformed),
            ("rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr", SeedError::Malformed),
        ] {
            assert_eq!(text.parse::<Seed>().map(|_| ()), Err(error), "{text}");
        }
        let short = bs58::encode([33; 16]).with_alphabet(bs58::Alphabet::RIPPLE).with_check().into_string();
        assert_eq!(short.parse::<Seed>().map(|_| ()), Err(SeedError::NotASeed));
        let other = bs58::encode([34; 17]).with_alphabet(bs58::Alphabet::RIPPLE).with_check().into_string();
        assert_eq!(other.parse::<Seed>().map(|_| ()), Err(SeedError::NotASeed));
    }

    proptest! {
        #[test]
        fn every_seed_reads_back(entropy in any::<[u8; 16]>(), ed in any::<bool>()) {
            let key_type = if ed { KeyType::Ed25519 } else { KeyType::Secp256k1 };
            let text = Seed::from_entropy(entropy, key_type).to_base58();
            let prefix = if ed { "sEd" } else { "s" };
            prop_assert!(text.starts_with(prefix));
            let read: Seed = text.parse().unwrap();
            prop_assert_eq!(read.entropy(), &entropy);
            prop_assert_eq!(read.key_type(), key_type);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,50}", base58 in "[1-9A-HJ-NP-Za-km-z]{0,45}") {
            let _ = text.parse::<Seed>();
            let _ = base58.parse::<Seed>();
        }
    }
}
