//! Key pairs, public keys and signatures.
//!
//! What verifies here verifies on the ledger and the other way round: fully canonical DER with a low S for
//! secp256k1, a canonical S for ed25519. Nothing is normalized on the way in, because a signature that two parties
//! could write differently would give one transaction two ids.

use core::fmt;
use core::str::FromStr;
use std::sync::LazyLock;

use ed25519_dalek::Signer as _;
use ripemd::Ripemd160;
use secp256k1::{All, Message, Scalar, Secp256k1, SecretKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256, Sha512};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::account::AccountId;
use crate::recent::Recent;
use crate::seed::{KeyType, SEED_BYTES, Seed};
use crate::signature::{CheckedSignature, Point, PreparedKey, SignatureError};

/// A public key's length in bytes, of either type.
pub const PUBLIC_KEY_BYTES: usize = 33;

/// First byte of an ed25519 public key.
const ED25519_PREFIX: u8 = 0xED;

/// Building it costs more than a signature, and it holds no secrets.
pub(crate) static CONTEXT: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// Why bytes are not a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    /// Not hex text.
    #[error("the public key is not hex")]
    NotHex,
    /// Not 33 bytes.
    #[error("a public key has 33 bytes, not {length_bytes}")]
    Length {
        /// The length that was given, in bytes.
        length_bytes: usize,
    },
    /// The first byte names no key type.
    #[error("a public key begins with 02, 03 or ED, not {prefix:02X}")]
    Prefix {
        /// The first byte that was given.
        prefix: u8,
    },
}

impl PublicKeyError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotHex => "public_key_not_hex",
            Self::Length { .. } => "public_key_length",
            Self::Prefix { .. } => "public_key_prefix",
        }
    }
}

/// A public key as the ledger writes it: a compressed secp256k1 point, or `ED` and an ed25519 point.
///
/// Only length and first byte are checked when it is made, as the ledger server does; that the rest is a point of
/// the curve shows when a signature is verified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; PUBLIC_KEY_BYTES]);

impl PublicKey {
    /// Reads a public key from its 33 bytes.
    ///
    /// # Errors
    /// [`PublicKeyError::Length`] and [`PublicKeyError::Prefix`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        let bytes: [u8; PUBLIC_KEY_BYTES] =
            bytes.try_into().map_err(|_| PublicKeyError::Length { length_bytes: bytes.len() })?;
        match bytes {
            [0x02 | 0x03 | ED25519_PREFIX, ..] => Ok(Self(bytes)),
            [prefix, ..] => Err(PublicKeyError::Prefix { prefix }),
        }
    }

    /// Its 33 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.0
    }

    /// The signature scheme it belongs to.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        match self.0 {
            [ED25519_PREFIX, ..] => KeyType::Ed25519,
            _ => KeyType::Secp256k1,
        }
    }

    /// The account whose master key this is.
    #[must_use]
    pub fn account_id(&self) -> AccountId {
        thread_local!(static RECENT: Recent<PUBLIC_KEY_BYTES, AccountId> = const { Recent::new() });
        let work_out = || AccountId(Ripemd160::digest(Sha256::digest(self.0)).into());
        RECENT.with(|recent| recent.get(&self.0, work_out))
    }

    /// Checks that `sig` is a canonical signature by this key over `msg` (for secp256k1: over its SHA-512Half).
    ///
    /// # Errors
    /// Every [`SignatureError`].
    pub fn verify(&self, msg: &[u8], sig: &[u8]) -> Result<(), SignatureError> {
        // The signature's form is looked at first: of two errors the answer names that one.
        let signature = CheckedSignature::read(self.key_type(), sig)?;
        self.prepare()?.verify_checked(msg, &signature)
    }

    /// Works out the point of the curve, so that several signatures can be verified without doing it for each: for
    /// secp256k1 that is a tenth of a verification.
    ///
    /// # Errors
    /// [`SignatureError::BadPublicKey`].
    pub fn prepare(&self) -> Result<PreparedKey, SignatureError> {
        let bad = SignatureError::BadPublicKey;
        Ok(PreparedKey::of(match self.key_type() {
            KeyType::Secp256k1 => {
                Point::Secp256k1(secp256k1::PublicKey::from_slice(&self.0).map_err(|_| bad)?)
            }
            KeyType::Ed25519 => {
                let (_, point) = self.0.split_first_chunk::<1>().ok_or(bad)?;
                let key = ed25519_dalek::VerifyingKey::try_from(point).map_err(|_| bad)?;
                Point::Ed25519(Box::new(key))
            }
        }))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode_upper(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        // Bounded before decoding: the text comes from outside.
        if text.len() != 2 * PUBLIC_KEY_BYTES {
            return Err(PublicKeyError::Length { length_bytes: text.len() / 2 });
        }
        Self::from_slice(&hex::decode(text).map_err(|_| PublicKeyError::NotHex)?)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A secret key and its public key. The secret is wiped from memory when dropped, and never shown.
///
/// Copies that the compiler leaves on the stack while deriving and signing are out of reach, and nothing here
/// protects a process whose memory can be read: keys that matter belong in a signer of their own.
#[derive(Clone)]
pub struct KeyPair {
    secret: Secret,
    public_key: PublicKey,
}

#[derive(Clone)]
enum Secret {
    Secp256k1(Secp256k1Secret),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

/// The library's key is a plain copyable value that nobody wipes.
#[derive(Clone)]
struct Secp256k1Secret(SecretKey);

impl Drop for Secp256k1Secret {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

impl KeyPair {
    /// Derives the key pair of `seed`: for secp256k1 that of account 0 of the seed's family.
    #[must_use]
    pub fn from_seed(seed: &Seed) -> Self {
        match seed.key_type() {
            KeyType::Secp256k1 => Self::secp256k1(seed.entropy()),
            KeyType::Ed25519 => Self::ed25519(seed.entropy()),
        }
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// The account whose master key this is.
    #[must_use]
    pub fn account_id(&self) -> AccountId {
        self.public_key.account_id()
    }

    /// Signs `msg`: for secp256k1 its SHA-512Half, as DER with a low S; for ed25519 the bytes themselves. The same
    /// bytes always give the same signature (RFC 6979 and RFC 8032).
    #[must_use]
    pub fn sign(&self, msg: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Secp256k1(secret) => CONTEXT
                .sign_ecdsa(&Message::from_digest(half_sha512(&[msg])), &secret.0)
                .serialize_der()
                .to_vec(),
            Secret::Ed25519(secret) => secret.sign(msg).to_bytes().to_vec(),
        }
    }

    fn ed25519(entropy: &[u8; SEED_BYTES]) -> Self {
        let secret = Zeroizing::new(half_sha512(&[entropy]));
        let key = Box::new(ed25519_dalek::SigningKey::from_bytes(&secret));
        let mut public_key = [ED25519_PREFIX; PUBLIC_KEY_BYTES];
        for (to, from) in public_key.iter_mut().skip(1).zip(key.verifying_key().to_bytes()) {
            *to = from;
        }
        Self { secret: Secret::Ed25519(key), public_key: PublicKey(public_key) }
    }

    fn secp256k1(entropy: &[u8; SEED_BYTES]) -> Self {
        let root = derive_secret(&[entropy]);
        let family = root.0.public_key(&CONTEXT).serialize();
        let mut account_index = [0; 4];
        loop {
            let mut tweak = derive_secret(&[&family, &account_index]);
            let sum = root.0.add_tweak(&Scalar::from(tweak.0));
            tweak.0.non_secure_erase();
            // The sum is zero for one pair in 2^256; then the next index, so that every seed derives.
            if let Ok(secret) = sum {
                let public_key = PublicKey(secret.public_key(&CONTEXT).serialize());
                return Self { secret: Secret::Secp256k1(Secp256k1Secret(secret)), public_key };
            }
            account_index = u32::from_be_bytes(account_index).wrapping_add(1).to_be_bytes();
        }
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}

/// The first SHA-512Half of `parts` and a counter that is a secret key of the curve: all but one in 2^127 are.
fn derive_secret(parts: &[&[u8]]) -> Secp256k1Secret {
    let mut counter = 0_u32;
    loop {
        let counter_bytes = counter.to_be_bytes();
        let mut all = parts.to_vec();
        all.push(&counter_bytes);
        let candidate = Zeroizing::new(half_sha512(&all));
        if let Ok(secret) = SecretKey::from_byte_array(&candidate) {
            return Secp256k1Secret(secret);
        }
        counter = counter.wrapping_add(1);
    }
}

/// SHA-512Half whose intermediate digest is wiped, since the halves of some are secret keys.
pub(crate) fn half_sha512(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha512::new();
    for part in parts {
        hasher.update(part);
    }
    let mut digest = hasher.finalize();
    let mut half = [0; 32];
    for (to, from) in half.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    digest.as_mut_slice().zeroize();
    half
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn from_text(seed: &str) -> KeyPair {
        KeyPair::from_seed(&seed.parse().unwrap())
    }

    #[test]
    fn the_genesis_seed_gives_the_genesis_account() {
        let pair = from_text("snoPBrXtMeMyMHUVTgbuqAfg1SUTb");
        assert_eq!(pair.account_id().to_string(), "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh");
        assert_eq!(
            pair.public_key().to_string(),
            "0330E7FC9D56BB25D6893BA3F317AE5BCF33B3291BD63DB32654A313222F7FD020"
        );
    }

    #[test]
    fn the_genesis_entropy_gives_the_known_ed25519_key() {
        // The passphrase "masterpassphrase" as the ledger's own test vectors read it for ed25519.
        let Ok(seed) = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb".parse::<Seed>() else { panic!("the genesis seed") };
        let pair = KeyPair::from_seed(&Seed::from_entropy(*seed.entropy(), KeyType::Ed25519));
        assert_eq!(pair.account_id().to_string(), "rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf");
    }

    #[test]
    fn both_key_types_sign_deterministically_and_verify() {
        for key_type in [KeyType::Secp256k1, KeyType::Ed25519] {
            let pair = KeyPair::from_seed(&Seed::from_entropy([9; 16], key_type));
            assert_eq!(pair.public_key().key_type(), key_type);
            let signature = pair.sign(b"message");
            assert_eq!(pair.sign(b"message"), signature);
            assert_eq!(pair.public_key().verify(b"message", &signature), Ok(()));
            assert_eq!(pair.public_key().verify(b"massage", &signature), Err(SignatureError::Mismatch));
            let prepared = pair.public_key().prepare().unwrap();
            assert_eq!(prepared.verify(b"message", &signature), Ok(()));
            assert_eq!(prepared.verify(b"massage", &signature), Err(SignatureError::Mismatch));
            assert_eq!(prepared.verify(b"message", &signature[1..]), Err(SignatureError::NotCanonical));
            let other = KeyPair::from_seed(&Seed::from_entropy([8; 16], key_type));
            assert_eq!(other.public_key().verify(b"message", &signature), Err(SignatureError::Mismatch));
        }
    }

    #[test]
    fn every_secp256k1_seed_derives_leading_zeros_or_not() {
        let mut with_leading_zero_nibble = 0;
        for round in 0_u32..200 {
            let mut entropy: [u8; SEED_BYTES] =
                half_sha512(&[b"seeds", &round.to_be_bytes()])[..16].try_into().unwrap();
            match round % 4 {
                0 => entropy[0] &= 0x0F,
                1 => entropy[..4].fill(0),
                _ => {}
            }
            let pair = KeyPair::from_seed(&Seed::from_entropy(entropy, KeyType::Secp256k1));
            let Secret::Secp256k1(secret) = &pair.secret else { panic!("the key type asked for") };
            with_leading_zero_nibble += u32::from(secret.0.secret_bytes()[0] < 16);
            let signature = pair.sign(&entropy);
            assert_eq!(pair.public_key().verify(&entropy, &signature), Ok(()), "round {round}");
        }
        assert!(with_leading_zero_nibble > 3, "some secret keys begin with a zero nibble");
    }

    #[test]
    fn a_high_s_is_refused_though_the_curve_allows_it() {
        let pair = from_text("snoPBrXtMeMyMHUVTgbuqAfg1SUTb");
        let signature = secp256k1::ecdsa::Signature::from_der(&pair.sign(b"m")).unwrap();
        let mut compact = signature.serialize_compact();
        // n - s, the other signature of the same message.
        let s = SecretKey::from_slice(&compact[32..]).unwrap().negate();
        compact[32..].copy_from_slice(&s.secret_bytes());
        let high = secp256k1::ecdsa::Signature::from_compact(&compact).unwrap().serialize_der();
        assert_eq!(pair.public_key().verify(b"m", &high), Err(SignatureError::NotCanonical));
    }

    #[test]
    fn der_that_could_be_written_otherwise_is_refused() {
        let pair = from_text("snoPBrXtMeMyMHUVTgbuqAfg1SUTb");
        let good = pair.sign(b"m");
        let mut trailing = good.clone();
        trailing.push(0);
        let mut long_length = vec![0x30, 0x81];
        long_length.extend_from_slice(&good[1..]);
        let r_length = usize::from(good[3]);
        let mut padded_r = good.clone();
        padded_r[1] += 1;
        padded_r[3] += 1;
        padded_r.insert(4, 0);
        let mut negative_s = good.clone();
        negative_s[6 + r_length] |= 0x80;
        let zeros = [0x30, 6, 2, 1, 0, 2, 1, 0].to_vec();
        for bad in [trailing, long_length, padded_r, negative_s, good[..good.len() - 1].to_vec(), vec![]] {
            assert_eq!(pair.public_key().verify(b"m", &bad), Err(SignatureError::NotCanonical), "{bad:02X?}");
        }
        assert!(pair.public_key().verify(b"m", &zeros).is_err());
    }

    #[test]
    fn an_ed25519_s_that_is_not_reduced_is_refused() {
        let pair = KeyPair::from_seed(&Seed::from_entropy([5; 16], KeyType::Ed25519));
        let mut signature = pair.sign(b"m");
        // s + order, which an unchecked verifier takes for s.
        let order = hex::decode("EDD3F55C1A631258D69CF7A2DEF9DE1400000000000000000000000000000010").unwrap();
        let mut carry = 0;
        for (byte, add) in signature[32..].iter_mut().zip(&order) {
            let sum = u16::from(*byte) + u16::from(*add) + carry;
            *byte = u8::try_from(sum & 0xFF).unwrap();
            carry = sum >> 8;
        }
        assert_eq!(pair.public_key().verify(b"m", &signature), Err(SignatureError::NotCanonical));
        assert_eq!(pair.public_key().verify(b"m", &signature[..63]), Err(SignatureError::NotCanonical));
    }

    #[test]
    fn a_key_off_its_curve_verifies_nothing() {
        let secp = KeyPair::from_seed(&Seed::from_entropy([5; 16], KeyType::Secp256k1));
        let mut off = [0xFF; 33];
        off[0] = 2;
        let off = PublicKey::from_slice(&off).unwrap();
        assert_eq!(off.verify(b"m", &secp.sign(b"m")), Err(SignatureError::BadPublicKey));
        assert_eq!(off.prepare(), Err(SignatureError::BadPublicKey));
    }

    #[test]
    fn secrets_are_not_in_debug_output() {
        let seed = Seed::from_entropy([0xA7; 16], KeyType::Ed25519);
        assert_eq!(format!("{seed:?}"), "Seed { key_type: Ed25519, .. }");
        let pair = KeyPair::from_seed(&seed);
        assert_eq!(
            format!("{pair:?}"),
            format!("KeyPair {{ public_key: PublicKey({}), .. }}", pair.public_key())
        );
    }

    #[test]
    fn public_keys_read_back_from_text_and_refuse_the_rest() {
        let key = from_text("snoPBrXtMeMyMHUVTgbuqAfg1SUTb").public_key();
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!(serde_json::from_str::<PublicKey>(&serde_json::to_string(&key).unwrap()).unwrap(), key);
        assert_eq!(PublicKey::from_slice(&[]), Err(PublicKeyError::Length { length_bytes: 0 }));
        assert_eq!(PublicKey::from_slice(&[4; 33]), Err(PublicKeyError::Prefix { prefix: 4 }));
        assert_eq!("zz".repeat(33).parse::<PublicKey>(), Err(PublicKeyError::NotHex));
    }

    proptest! {
        #[test]
        fn no_bytes_make_public_keys_or_signatures_panic(
            key in proptest::collection::vec(any::<u8>(), 30..36),
            prefix in prop_oneof![Just(2_u8), Just(3), Just(0xED), any::<u8>()],
            signature in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let _ = PublicKey::from_slice(&key);
            let mut key = key;
            key.resize(33, 0);
            key[0] = prefix;
            if let Ok(key) = PublicKey::from_slice(&key) {
                prop_assert!(key.verify(b"m", &signature).is_err());
            }
        }

        #[test]
        fn no_text_makes_public_keys_panic(text in "\\PC{0,70}") {
            let _ = text.parse::<PublicKey>();
        }

        #[test]
        fn a_changed_signature_never_verifies(
            entropy in any::<[u8; 16]>(), ed in any::<bool>(), at in any::<prop::sample::Index>(), bit in 0..8_u32,
        ) {
            let key_type = if ed { KeyType::Ed25519 } else { KeyType::Secp256k1 };
            let pair = KeyPair::from_seed(&Seed::from_entropy(entropy, key_type));
            let mut signature = pair.sign(b"m");
            let index = at.index(signature.len());
            signature[index] ^= 1 << bit;
            prop_assert!(pair.public_key().verify(b"m", &signature).is_err());
        }
    }
}
