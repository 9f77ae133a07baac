//! The daemon's part of the preimages that the guard has a part in, too. Of it nothing leaves the signer but a digest, until
//! the guard has given its own.

use treasury_core::effect::{FIRST_KEY, Opening, ReleaseInputs};
use xrpl_wire::split::{self, FIRST_BYTES, SECOND_BYTES};
use zeroize::Zeroizing;

use super::{Signer, SignerError, opening};

/// Keep the two halves of the first part apart from each other, and from all else that the release key is used for.
const FIRST_DOMAINS: [&[u8]; 2] = [b"treasuryd guarded escrow 1 a\0", b"treasuryd guarded escrow 1 b\0"];

/// What the guard is shown of the daemon's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstPart {
    /// What SHA-256 carries on after it: says nothing of the part itself.
    pub digest: [u8; 32],
    /// The release key that it was derived with.
    pub key_version: u32,
}

impl Signer {
    /// The daemon's part of a guarded escrow's preimage with the newest release key, as far as the guard sees it.
    ///
    /// # Errors
    /// [`SignerError::ReleaseKey`].
    pub fn first_part(&self, inputs: &ReleaseInputs) -> Result<FirstPart, SignerError> {
        let newest = self.release_keys.keys().next_back().copied().unwrap_or(FIRST_KEY);
        self.first_part_of(&ReleaseInputs { key_version: newest, ..inputs.clone() })
    }

    /// The same with the release key that the escrow was made with.
    ///
    /// # Errors
    /// [`SignerError::NoReleaseKey`] and [`SignerError::ReleaseKey`].
    pub fn first_part_of(&self, inputs: &ReleaseInputs) -> Result<FirstPart, SignerError> {
        let first = self.first(inputs)?;
        Ok(FirstPart { digest: split::digest_of_first(&first), key_version: inputs.key_version })
    }

    /// The same with each release key that there has been.
    ///
    /// # Errors
    /// [`SignerError::ReleaseKey`].
    pub fn first_parts(&self, inputs: &ReleaseInputs) -> Result<Vec<FirstPart>, SignerError> {
        let with = |version: &u32| ReleaseInputs { key_version: *version, ..inputs.clone() };
        self.release_keys.keys().map(|version| self.first_part_of(&with(version))).collect()
    }

    /// What opens a guarded escrow, with the share that the guard gave for it. Whether it does open it is for whoever has the
    /// condition to see.
    ///
    /// # Errors
    /// [`SignerError::NoReleaseKey`] and [`SignerError::ReleaseKey`].
    pub fn opening_with(
        &self,
        inputs: &ReleaseInputs,
        share: &[u8; SECOND_BYTES],
    ) -> Result<Opening, SignerError> {
        let whole = split::preimage(&*self.first(inputs)?, share);
        Ok(opening(inputs.escrow, whole.as_slice()))
    }

    fn first(&self, inputs: &ReleaseInputs) -> Result<Zeroizing<[u8; FIRST_BYTES]>, SignerError> {
        let mut first = Zeroizing::new([0; FIRST_BYTES]);
        for (half, domain) in first.chunks_exact_mut(FIRST_BYTES / 2).zip(FIRST_DOMAINS) {
            half.copy_from_slice(self.derived(domain, inputs)?.as_slice());
        }
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, Mac};
    use sha2::{Digest, Sha256};
    use treasury_core::effect::Party;
    use treasury_core::units::{AccountId, Amount, Drops, EscrowKey, RippleTime};
    use xrpl_wire::condition::fulfillment_matches;

    use super::*;

    fn signer() -> Signer {
        Signer::with_keys(&[], Zeroizing::new([7; 32]))
    }

    fn inputs() -> ReleaseInputs {
        ReleaseInputs {
            escrow: EscrowKey { owner: AccountId([1; 20]), sequence: 0x0102_0304 },
            destination: AccountId([2; 20]),
            destination_tag: Some(9),
            amount: Amount::Xrp(Drops::new(1).unwrap()),
            finish_after: RippleTime(3),
            cancel_after: RippleTime(4),
            key_version: FIRST_KEY,
            party: Party::Guarded,
        }
    }

    #[test]
    fn the_derivation_of_the_daemons_part_never_changes() {
        // Escrows on the ledger outlive releases of this program: another derivation would lose them.
        let half = |domain: &[u8]| {
            let mut message = domain.to_vec();
            message.extend([1; 20]);
            message.extend([1, 2, 3, 4]);
            message.extend([2; 20]);
            message.extend([1, 0, 0, 0, 9]);
            message.extend([0, 0, 0, 0, 0, 0, 0, 1]);
            message.extend([0, 0, 0, 3, 0, 0, 0, 4]);
            let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
            mac.update(&message);
            mac.finalize().into_bytes().to_vec()
        };
        let share = [5; SECOND_BYTES];
        let whole = [
            half(b"treasuryd guarded escrow 1 a\0"),
            half(b"treasuryd guarded escrow 1 b\0"),
            share.to_vec(),
        ];
        let opening = signer().opening_with(&inputs(), &share).unwrap();
        let preimage = whole.concat();
        assert_eq!(xrpl_wire::condition::parse_fulfillment(&opening.fulfillment.0), Ok(preimage.as_slice()));
        let condition = xrpl_wire::condition::parse_condition(&opening.condition.0).unwrap();
        assert_eq!(condition.fingerprint, <[u8; 32]>::from(Sha256::digest(&preimage)));
        // What the guard makes of the digest and its share is the condition of both.
        let first = signer().first_part(&inputs()).unwrap();
        assert_eq!(split::condition_of(&first.digest, &share), opening.condition.0);
        assert!(fulfillment_matches(&opening.fulfillment.0, &opening.condition.0));
    }

    #[test]
    fn what_is_guarded_is_opened_by_no_other_way() {
        let error = signer().opening(&inputs()).unwrap_err();
        assert_eq!(error.code(), "signer_guarded");
        assert_eq!(signer().condition(&inputs()).unwrap_err().code(), "signer_guarded");
        let later = ReleaseInputs { key_version: 2, ..inputs() };
        assert_eq!(signer().first_part_of(&later).unwrap_err().code(), "signer_no_release_key");
        let first = signer().first_part(&inputs()).unwrap();
        assert_eq!(signer().first_parts(&inputs()).unwrap(), [first]);
    }
}
