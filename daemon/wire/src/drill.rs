//! What somebody signs to show that they have a key, and that no ledger takes for anything.
//!
//! What a ledger takes is signed over bytes that begin with three letters and a zero (`STX`, `SMT`, `CLM` and others). This is a
//! text, and begins with another fourth byte, so no signature over it is one over a transaction.

use crate::{AccountId, Hash256, KeyPair, PublicKey, SignatureError};

/// The text that is signed: it says what it is for, and for whom.
#[must_use]
pub fn text(signer: &AccountId, challenge: &Hash256) -> String {
    format!(
        "treasuryd drill: this moves nothing and approves nothing\nsigner {signer}\nchallenge {challenge}\n"
    )
}

/// Signs it.
#[must_use]
pub fn sign(signer: &AccountId, challenge: &Hash256, key: &KeyPair) -> Vec<u8> {
    key.sign(text(signer, challenge).as_bytes())
}

/// Whether that key has signed it.
///
/// # Errors
/// Every [`SignatureError`].
pub fn verify(
    signer: &AccountId,
    challenge: &Hash256,
    key: &PublicKey,
    signature: &[u8],
) -> Result<(), SignatureError> {
    key.verify(text(signer, challenge).as_bytes(), signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyType, Seed};

    #[test]
    fn only_the_same_key_signer_and_challenge_verify_and_no_transaction_begins_so() {
        for kind in [KeyType::Ed25519, KeyType::Secp256k1] {
            let key = KeyPair::from_seed(&Seed::from_entropy([1; 16], kind));
            let other = KeyPair::from_seed(&Seed::from_entropy([2; 16], kind));
            let (signer, challenge) = (key.account_id(), Hash256([7; 32]));
            let signature = sign(&signer, &challenge, &key);
            assert_eq!(verify(&signer, &challenge, &key.public_key(), &signature), Ok(()));
            assert!(verify(&other.account_id(), &challenge, &key.public_key(), &signature).is_err());
            assert!(verify(&signer, &Hash256([8; 32]), &key.public_key(), &signature).is_err());
            assert!(verify(&signer, &challenge, &other.public_key(), &signature).is_err());
            assert!(verify(&signer, &challenge, &key.public_key(), &[]).is_err());
        }
        let text = text(&AccountId([0; 20]), &Hash256([0; 32]));
        assert!(text.starts_with("treasuryd drill: "));
        assert_ne!(text.as_bytes()[3], 0, "what a ledger takes has a zero there");
    }
}
