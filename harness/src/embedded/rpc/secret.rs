//! The secrets of requests: seeds in every form the server reads, and the keys that follow from them.

use std::str::FromStr;

use xrpl_wire::{KeyPair, KeyType, PublicKey, Seed, sha512_half};

use super::english;
use super::error::{Failure, RpcError};
use super::params::{self, Params};

/// The keys of a request's secret.
pub(super) fn key_pair(params: &Params<'_>, api_version: u32) -> Result<KeyPair, Failure> {
    let given: Vec<&str> =
        ["passphrase", "secret", "seed", "seed_hex"].into_iter().filter(|name| params.has(name)).collect();
    match given.as_slice() {
        [] => return Err(Failure::missing_field("secret")),
        [_] => {}
        _ => {
            let message =
                "Exactly one of the following must be specified: passphrase, secret, seed or seed_hex";
            return Err(Failure::with_message(RpcError::InvalidParams, message));
        }
    }
    if !params.has("key_type") {
        let secret = params.get("secret").as_str();
        let secret = secret.ok_or_else(|| Failure::expected_field("secret", "string"))?;
        let bad = || Failure::with_message(RpcError::BadSeed, "Invalid field 'secret'.");
        return Ok(KeyPair::from_seed(&generic_seed(secret, None).ok_or_else(bad)?));
    }
    let name =
        params.get("key_type").as_str().ok_or_else(|| Failure::expected_field("key_type", "string"))?;
    let kind = key_type(name).ok_or_else(|| match api_version {
        1 => Failure::invalid_field("key_type"),
        _ => RpcError::BadKeyType.into(),
    })?;
    if params.has("secret") {
        let message = "The secret field is not allowed if key_type is used.";
        return Err(Failure::with_message(RpcError::InvalidParams, message));
    }
    Ok(KeyPair::from_seed(&seed(params, Some(kind))?))
}

/// The kind of key of a name.
pub(super) fn key_type(name: &str) -> Option<KeyType> {
    [KeyType::Secp256k1, KeyType::Ed25519].into_iter().find(|kind| kind.name() == name)
}

/// The seed of `passphrase`, `seed` or `seed_hex`, of which there must be one.
pub(super) fn seed(params: &Params<'_>, kind: Option<KeyType>) -> Result<Seed, Failure> {
    let given: Vec<&str> =
        ["passphrase", "seed", "seed_hex"].into_iter().filter(|name| params.has(name)).collect();
    let [name] = given.as_slice() else {
        let message = "Exactly one of the following must be specified: passphrase, seed or seed_hex";
        return Err(Failure::with_message(RpcError::InvalidParams, message));
    };
    let text = params.get(name).as_str().ok_or_else(|| Failure::expected_field(name, "string"))?;
    let seed = match *name {
        "passphrase" => generic_seed(text, kind),
        "seed" => base58_seed(text, kind),
        _ => hex_seed(text, kind),
    };
    seed.ok_or_else(|| RpcError::BadSeed.into())
}

/// A seed in any form: base58, 32 hexadecimal digits, twelve words, or a passphrase, which is hashed.
fn generic_seed(text: &str, kind: Option<KeyType>) -> Option<Seed> {
    // An address in the place of a secret is a mistake, not a passphrase.
    if text.is_empty() || params::account(text).is_some() {
        return None;
    }
    base58_seed(text, kind).or_else(|| hex_seed(text, kind)).or_else(|| {
        let entropy = english::to_seed(text).or_else(|| {
            let hash = sha512_half(&[text.as_bytes()]);
            hash.0.first_chunk::<16>().copied()
        })?;
        Some(Seed::from_entropy(entropy, kind.unwrap_or(KeyType::Secp256k1)))
    })
}

/// A seed in base58; the kind asked for may not contradict the one it is written as, unless the form says nothing.
fn base58_seed(text: &str, kind: Option<KeyType>) -> Option<Seed> {
    let seed = Seed::from_str(text).ok()?;
    match (seed.key_type(), kind) {
        (KeyType::Secp256k1, Some(KeyType::Ed25519)) => {
            Some(Seed::from_entropy(entropy(&seed)?, KeyType::Ed25519))
        }
        (KeyType::Ed25519, Some(KeyType::Secp256k1)) => None,
        _ => Some(seed),
    }
}

/// The 16 bytes of a seed.
pub(super) fn entropy(seed: &Seed) -> Option<[u8; 16]> {
    let text = seed.to_base58();
    let bytes =
        bs58::decode(text.as_str()).with_alphabet(bs58::Alphabet::RIPPLE).with_check(None).into_vec().ok()?;
    bytes.last_chunk::<16>().copied()
}

fn hex_seed(text: &str, kind: Option<KeyType>) -> Option<Seed> {
    let entropy: [u8; 16] = hex::decode(text).ok()?.try_into().ok()?;
    Some(Seed::from_entropy(entropy, kind.unwrap_or(KeyType::Secp256k1)))
}

/// The bytes that make keys in base58 begin with an `a`, for accounts, and with an `n`, for servers.
const ACCOUNT_PUBLIC: u8 = 0x23;
const NODE_PUBLIC: u8 = 0x1C;

/// An account's public key in base58: `a…`.
pub(super) fn write_account_public(key: &[u8]) -> String {
    let payload = [&[ACCOUNT_PUBLIC], key].concat();
    bs58::encode(payload).with_alphabet(bs58::Alphabet::RIPPLE).with_check().into_string()
}

/// The account's public key of a text.
pub(super) fn account_public(text: &str) -> Option<PublicKey> {
    public(text, ACCOUNT_PUBLIC)
}

/// The server's public key of a text.
pub(super) fn node_public(text: &str) -> Option<PublicKey> {
    public(text, NODE_PUBLIC)
}

fn public(text: &str, kind: u8) -> Option<PublicKey> {
    let bytes =
        bs58::decode(text).with_alphabet(bs58::Alphabet::RIPPLE).with_check(Some(kind)).into_vec().ok()?;
    // The byte of the kind is still there.
    PublicKey::from_slice(bytes.get(1..)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of the genesis account, as every standalone server proposes it for its seed.
    #[test]
    fn keys_are_written_as_the_servers_and_read_back() {
        let text = "aBQG8RQAzjs1eTKFEAQXr2gS4utcDiEC9wmi7pfUPTi27VCahwgw";
        let key = hex::decode("0330E7FC9D56BB25D6893BA3F317AE5BCF33B3291BD63DB32654A313222F7FD020").unwrap();
        assert_eq!(write_account_public(&key), text);
        assert_eq!(account_public(text).map(|read| read.as_bytes().to_vec()), Some(key));
        assert_eq!(node_public(text), None);
        assert!(node_public(super::super::server::PUBKEY_NODE).is_some());
    }
}
