//! Signatures: whether they have the one form that the ledger accepts, and whether they are a key's.

use secp256k1::Message;
use thiserror::Error;

use crate::keys::{CONTEXT, half_sha512};
use crate::seed::KeyType;

/// Why a signature does not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// The public key is no point of its curve, so nothing can be signed with it.
    #[error("the public key is not a point of its curve")]
    BadPublicKey,
    /// Not in the one form the ledger accepts: strict DER with a low S, or 64 bytes with a reduced S.
    #[error("the signature is not canonical")]
    NotCanonical,
    /// Well-formed, and not by this key over these bytes.
    #[error("the signature is not by this key over these bytes")]
    Mismatch,
}

impl SignatureError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadPublicKey => "signature_bad_public_key",
            Self::NotCanonical => "signature_not_canonical",
            Self::Mismatch => "signature_mismatch",
        }
    }
}

/// A public key whose point of the curve is worked out; see [`PublicKey::prepare`](crate::PublicKey::prepare).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedKey(Point);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Point {
    Secp256k1(secp256k1::PublicKey),
    // Several times as large as the other.
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
}

impl PreparedKey {
    pub(crate) fn of(point: Point) -> Self {
        Self(point)
    }

    /// As [`PublicKey::verify`](crate::PublicKey::verify).
    ///
    /// # Errors
    /// [`SignatureError::NotCanonical`], [`SignatureError::Mismatch`].
    pub fn verify(&self, msg: &[u8], sig: &[u8]) -> Result<(), SignatureError> {
        let key_type = match self.0 {
            Point::Secp256k1(_) => KeyType::Secp256k1,
            Point::Ed25519(_) => KeyType::Ed25519,
        };
        self.verify_checked(msg, &CheckedSignature::read(key_type, sig)?)
    }

    pub(crate) fn verify_checked(
        &self,
        msg: &[u8],
        signature: &CheckedSignature,
    ) -> Result<(), SignatureError> {
        match (&self.0, signature) {
            (Point::Secp256k1(key), CheckedSignature::Secp256k1(signature)) => CONTEXT
                .verify_ecdsa(&Message::from_digest(half_sha512(&[msg])), signature, key)
                .map_err(|_| SignatureError::Mismatch),
            // Not `verify_strict`: it refuses small-order keys, which the ledger accepts.
            (Point::Ed25519(key), CheckedSignature::Ed25519(signature)) => {
                ed25519_dalek::Verifier::verify(&**key, msg, signature).map_err(|_| SignatureError::Mismatch)
            }
            _ => Err(SignatureError::Mismatch),
        }
    }
}

/// A signature in the one form that the ledger accepts.
pub(crate) enum CheckedSignature {
    Secp256k1(secp256k1::ecdsa::Signature),
    Ed25519(ed25519_dalek::Signature),
}

impl CheckedSignature {
    pub(crate) fn read(key_type: KeyType, sig: &[u8]) -> Result<Self, SignatureError> {
        match key_type {
            KeyType::Secp256k1 => {
                let signature =
                    secp256k1::ecdsa::Signature::from_der(sig).map_err(|_| SignatureError::NotCanonical)?;
                // The library's parser takes some of what the ledger refuses; writing it out again shows it.
                let mut normalized = signature;
                normalized.normalize_s();
                if normalized != signature || *signature.serialize_der() != *sig {
                    return Err(SignatureError::NotCanonical);
                }
                Ok(Self::Secp256k1(signature))
            }
            KeyType::Ed25519 => {
                let signature: &[u8; 64] = sig.try_into().map_err(|_| SignatureError::NotCanonical)?;
                let (_, scalar) = signature.split_at(32);
                if !is_below_ed25519_order(scalar) {
                    return Err(SignatureError::NotCanonical);
                }
                Ok(Self::Ed25519(ed25519_dalek::Signature::from_bytes(signature)))
            }
        }
    }
}

/// Whether a little-endian number is below the order of the ed25519 group, 2^252 + 27742317777372353535851937790883648493.
fn is_below_ed25519_order(scalar: &[u8]) -> bool {
    const ORDER: [u8; 32] = [
        0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    scalar.iter().rev().lt(ORDER.iter().rev())
}
