//! The guard's key: from it, the terms and what the daemon showed of its part comes the guard's share, always the same.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use treasury_core::effect::FIRST_KEY;
use treasury_core::units::{Hash256, HexBytes};
use xrpl_wire::split::{self, SECOND_BYTES};
use zeroize::Zeroizing;

use super::declined::Declined;
use super::terms::Terms;
use crate::signer::{Keystore, ReleaseKeys};

/// Keeps shares apart from anything else that the key may ever be used for.
const DOMAIN: &[u8] = b"treasuryd guard share 1\0";

/// The guard's keys, by version. New conditions are made with the newest.
pub struct Keys(ReleaseKeys);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("versions", &self.0.len()).finish_non_exhaustive()
    }
}

impl Keys {
    /// Those of an open keystore.
    #[must_use]
    pub fn of(keystore: &Keystore) -> Self {
        Self(keystore.release_keys().clone())
    }

    /// The version that new conditions are made with.
    #[must_use]
    pub fn newest(&self) -> u32 {
        self.0.keys().next_back().copied().unwrap_or(FIRST_KEY)
    }

    /// The guard's share of these terms' preimage, for a store with this nonce.
    ///
    /// # Errors
    /// [`Declined::NoKey`].
    pub fn share(
        &self,
        terms: &Terms,
        version: u32,
        nonce: Hash256,
    ) -> Result<Zeroizing<[u8; SECOND_BYTES]>, Declined> {
        let key = self.0.get(&version).ok_or(Declined::NoKey { version })?;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key.as_slice()).map_err(|_| Declined::NoKey { version })?;
        mac.update(DOMAIN);
        mac.update(&nonce.0);
        mac.update(&terms.bytes());
        Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
    }

    /// The condition of these terms, for a store with this nonce.
    ///
    /// # Errors
    /// [`Declined::NoKey`].
    pub fn condition(&self, terms: &Terms, version: u32, nonce: Hash256) -> Result<HexBytes, Declined> {
        let share = self.share(terms, version, nonce)?;
        Ok(HexBytes(split::condition_of(&terms.first_digest.0, &share)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use treasury_core::units::{AccountId, Amount, Drops, Hash256, RippleTime};

    use super::*;

    #[test]
    fn the_derivation_of_a_share_never_changes() {
        // What was made with it waits on the ledger.
        let keys = Keys(BTreeMap::from([(FIRST_KEY, Zeroizing::new([7; 32]))]));
        let terms = Terms {
            network_id: None,
            owner: AccountId([1; 20]),
            sequence: 0x0102_0304,
            destination: AccountId([2; 20]),
            destination_tag: Some(9),
            amount: Amount::Xrp(Drops::new(1_500_000).unwrap()),
            finish_after: RippleTime(3),
            cancel_after: RippleTime(4),
            first_digest: Hash256([8; 32]),
        };
        let mut message = b"treasuryd guard share 1\0".to_vec();
        message.extend([6; 32]);
        message.extend(b"treasuryd guarded terms 1\0");
        message.extend([0, 0, 0, 0, 0]);
        message.extend([1; 20]);
        message.extend([1, 2, 3, 4]);
        message.extend([2; 20]);
        message.extend([1, 0, 0, 0, 9]);
        message.extend([0, 0, 0, 3, 0, 0, 0, 4]);
        message.extend([8; 32]);
        message.extend(b"1.5 XRP");
        let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        mac.update(&message);
        let nonce = Hash256([6; 32]);
        let share = keys.share(&terms, FIRST_KEY, nonce).unwrap();
        assert_eq!(share.as_slice(), mac.finalize().into_bytes().as_slice());
        assert_eq!(keys.share(&terms, 2, nonce).unwrap_err().code(), "guard_no_key");
        assert_eq!(format!("{keys:?}"), "Keys { versions: 1, .. }");
    }
}
