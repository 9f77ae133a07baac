//! Public keys that signed lately, with their points worked out.

use std::sync::Arc;

use xrpl_wire::{AccountId, PreparedKey, PublicKey};

/// How many keys are remembered: each by its last byte, which is as good as random.
const PLACES: usize = 256;

/// A key, and what is worked out from it.
#[derive(Debug, Clone)]
struct Known {
    key: PublicKey,
    point: PreparedKey,
    account: AccountId,
}

/// Remembers keys by their bytes, one in each place: a new one takes the place of the old. Working out a point costs
/// a tenth of verifying a signature, and accounts sign again and again with the same keys. What is remembered has no
/// part in any outcome, so a clone may share it.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    places: Arc<[Option<Known>]>,
}

impl Keys {
    pub(super) fn new() -> Keys {
        Keys { places: std::iter::repeat_n(None, PLACES).collect() }
    }

    /// The account whose master key this is, if the signature is by the key over the message.
    pub(super) fn signer(&mut self, key: &[u8], message: &[u8], signature: &[u8]) -> Option<AccountId> {
        let key = PublicKey::from_slice(key).ok()?;
        let [.., last] = *key.as_bytes();
        let place = usize::from(last) % PLACES;
        if let Some(Some(known)) = self.places.get(place)
            && known.key == key
        {
            return known.point.verify(message, signature).ok().map(|()| known.account);
        }
        let point = key.prepare().ok()?;
        point.verify(message, signature).ok()?;
        // Only now: a key that signed nothing must not push out one that did.
        let account = key.account_id();
        if let Some(known) = Arc::make_mut(&mut self.places).get_mut(place) {
            *known = Some(Known { key, point, account });
        }
        Some(account)
    }
}

#[cfg(test)]
mod tests {
    use xrpl_wire::{KeyPair, KeyType, Seed};

    use super::*;

    #[test]
    fn a_remembered_key_verifies_what_it_signed_and_nothing_else() {
        let mut keys = Keys::new();
        // More pairs than places, so that some share one.
        let pairs: Vec<KeyPair> = (0..300_u16)
            .map(|number| {
                let mut entropy = [3; 16];
                entropy[..2].copy_from_slice(&number.to_be_bytes());
                let kind = if number % 5 == 0 { KeyType::Ed25519 } else { KeyType::Secp256k1 };
                KeyPair::from_seed(&Seed::from_entropy(entropy, kind))
            })
            .collect();
        for round in [b"one", b"two"] {
            for pair in &pairs {
                let signature = pair.sign(round);
                let key = pair.public_key();
                let account = Some(pair.account_id());
                assert_eq!(keys.signer(key.as_bytes(), round, &signature), account);
                assert_eq!(keys.signer(key.as_bytes(), round, &signature), account, "remembered");
                assert_eq!(keys.signer(key.as_bytes(), b"six", &signature), None);
            }
        }
        let taken = keys.places.iter().flatten().count();
        assert!((150..=PLACES).contains(&taken), "{taken} places taken");
    }

    #[test]
    fn a_key_that_verified_nothing_is_not_remembered() {
        let mut keys = Keys::new();
        let pair = KeyPair::from_seed(&Seed::from_entropy([1; 16], KeyType::Secp256k1));
        assert_eq!(keys.signer(pair.public_key().as_bytes(), b"one", &pair.sign(b"two")), None);
        assert_eq!(keys.signer(&[2; 33], b"one", &pair.sign(b"one")), None);
        assert_eq!(keys.signer(&[], b"one", &pair.sign(b"one")), None);
        assert_eq!(keys.places.iter().flatten().count(), 0);
    }
}
