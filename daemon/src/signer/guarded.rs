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
