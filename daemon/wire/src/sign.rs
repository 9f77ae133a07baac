//! Signing, collecting and verifying signatures.
//!
//! Which key may sign for which account is a fact of the ledger at the moment a transaction is applied (master key,
//! RegularKey, SignerList) and none of this module's business: it says only whether a signature is by the key that
//! it names, over the bytes that key had to sign.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::account::AccountId;
use crate::field::sf;
use crate::keys::{KeyPair, PublicKey, PublicKeyError};
use crate::object::Object;
use crate::signature::SignatureError;
use crate::tx::{Transaction, TxError};
use crate::value::Value;

/// The most Signers one transaction can carry.
pub const SIGNERS_MAX: usize = 32;

/// Why a transaction cannot be signed or assembled, or why its signatures do not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    /// The signed transaction is not one that can be written.
    #[error(transparent)]
    Transaction(#[from] TxError),
    /// Neither a SigningPubKey nor Signers.
    #[error("the transaction is not signed")]
    NotSigned,
    /// Parts of both ways of signing in one transaction.
    #[error("the transaction is both single- and multi-signed")]
    SingleAndMulti,
    /// Multi-signing needs an empty SigningPubKey, which every signer signs.
    #[error("a transaction with a SigningPubKey cannot be multi-signed")]
    NotForMultiSigning,
    /// Fewer than 1 or more than [`SIGNERS_MAX`] Signers.
    #[error("{found} Signers; allowed are 1 to {SIGNERS_MAX}")]
    SignerCount {
        /// How many there are.
        found: usize,
    },
    /// Whom the Signers sign for among them: the transaction's Delegate, or its Account.
    #[error("{account} cannot be a signer of its own transaction")]
    SelfSigner {
        /// The Delegate or the Account.
        account: AccountId,
    },
    /// Two Signers of one account.
    #[error("two signatures of signer {account}")]
    DuplicateSigner {
        /// The signer.
        account: AccountId,
    },
    /// Signers not in ascending order of their AccountID bytes.
    #[error("signer {account} is out of order")]
    SignerOrder {
        /// The first signer that should come earlier.
        account: AccountId,
    },
    /// An entry of Signers without one of its three fields.
    #[error("an entry of Signers is malformed")]
    SignerMalformed,
    /// A SigningPubKey that is no public key.
    #[error("the SigningPubKey of {account}: {error}")]
    PublicKey {
        /// Whose it is: the signer, or the Account of a single-signed transaction.
        account: AccountId,
        /// What is wrong with it.
        error: PublicKeyError,
    },
    /// A signature that does not verify.
    #[error("the signature of {account}: {error}")]
    Signature {
        /// Whose it is: the signer, or the Account of a single-signed transaction.
        account: AccountId,
        /// What is wrong with it.
        error: SignatureError,
    },
}

impl SignError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Transaction(error) => error.code(),
            Self::NotSigned => "sign_not_signed",
            Self::SingleAndMulti => "sign_single_and_multi",
            Self::NotForMultiSigning => "sign_not_for_multi_signing",
            Self::SignerCount { .. } => "sign_signer_count",
            Self::SelfSigner { .. } => "sign_self_signer",
            Self::DuplicateSigner { .. } => "sign_duplicate_signer",
            Self::SignerOrder { .. } => "sign_signer_order",
            Self::SignerMalformed => "sign_signer_malformed",
            Self::PublicKey { error, .. } => error.code(),
            Self::Signature { error, .. } => error.code(),
        }
    }
}

/// One signer's signature over a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signer {
    /// The account that signs; what a SignerList lists.
    pub account: AccountId,
    /// The key it signs with.
    #[serde(rename = "signing_pub_key")]
    pub public_key: PublicKey,
    /// The signature over that signer's own bytes, in hex.
    #[serde(rename = "txn_signature", with = "hex_bytes")]
    pub signature: Vec<u8>,
}

impl Signer {
    /// The entry that stands for it in a transaction's Signers.
    #[must_use]
    pub fn to_object(&self) -> Object {
        Object::new()
            .with(sf::Account, self.account)
            .with(sf::SigningPubKey, self.public_key.as_bytes().to_vec())
            .with(sf::TxnSignature, self.signature.clone())
    }

    /// Reads an entry of a transaction's Signers.
    ///
    /// # Errors
    /// [`SignError::SignerMalformed`], [`SignError::PublicKey`].
    pub fn from_object(object: &Object) -> Result<Self, SignError> {
        let account = object.account(sf::Account).ok_or(SignError::SignerMalformed)?;
        let public_key = object.blob(sf::SigningPubKey).ok_or(SignError::SignerMalformed)?;
        let signature = object.blob(sf::TxnSignature).ok_or(SignError::SignerMalformed)?;
        let public_key =
            PublicKey::from_slice(public_key).map_err(|error| SignError::PublicKey { account, error })?;
        Ok(Self { account, public_key, signature: signature.to_vec() })
    }
}

/// Signs `tx` with the one key that acts for its Account. A signature already there is replaced.
///
/// # Errors
/// [`SignError::SingleAndMulti`] where there are Signers, [`SignError::Transaction`].
pub fn sign_single(tx: &Transaction, key: &KeyPair) -> Result<Transaction, SignError> {
    if tx.object().has(sf::Signers) {
        return Err(SignError::SingleAndMulti);
    }
    // The key is part of what is signed, so it goes in first.
    let named = tx.object().clone().with(sf::SigningPubKey, key.public_key().as_bytes().to_vec());
    let named = Transaction::from_object(named)?;
    let signature = key.sign(&named.signing_bytes());
    Ok(Transaction::from_object(named.into_object().with(sf::TxnSignature, signature))?)
}

/// Signs `tx` as one of several signers, for `account`.
///
/// Signers that `tx` already has are no part of what is signed.
///
/// # Errors
/// [`SignError::NotForMultiSigning`], [`SignError::SingleAndMulti`], [`SignError::SelfSigner`].
pub fn sign_for(tx: &Transaction, account: AccountId, key: &KeyPair) -> Result<Signer, SignError> {
    check_for_multi_signing(tx)?;
    check_not_self(tx, account)?;
    let signature = key.sign(&tx.multi_signing_bytes(&account));
    Ok(Signer { account, public_key: key.public_key(), signature })
}

/// Checks one signer's signature against that signer's own bytes of `tx`.
///
/// # Errors
/// [`SignError::NotForMultiSigning`], [`SignError::SingleAndMulti`], [`SignError::SelfSigner`],
/// [`SignError::Signature`].
pub fn verify_signer(tx: &Transaction, signer: &Signer) -> Result<(), SignError> {
    check_for_multi_signing(tx)?;
    check_not_self(tx, signer.account)?;
    signer
        .public_key
        .verify(&tx.multi_signing_bytes(&signer.account), &signer.signature)
        .map_err(|error| SignError::Signature { account: signer.account, error })
}

/// Checks every signature of a signed transaction, and for a multi-signed one the number and order of its Signers.
///
/// # Errors
/// Every [`SignError`] except `NotForMultiSigning`.
pub fn verify_signatures(tx: &Transaction) -> Result<(), SignError> {
    let object = tx.object();
    let account = tx.sender();
    match object.blob(sf::SigningPubKey) {
        Some([]) | None => {
            if !object.has(sf::Signers) {
                return Err(SignError::NotSigned);
            }
            check_signers(tx, &signers(tx)?)
        }
        Some(public_key) => {
            if object.has(sf::Signers) {
                return Err(SignError::SingleAndMulti);
            }
            let signature = object.blob(sf::TxnSignature).ok_or(SignError::NotSigned)?;
            PublicKey::from_slice(public_key)
                .map_err(|error| SignError::PublicKey { account, error })?
                .verify(&tx.signing_bytes(), signature)
                .map_err(|error| SignError::Signature { account, error })
        }
    }
}

/// The Signers of a transaction, in their order; empty where there are none. Nothing is verified.
///
/// # Errors
/// [`SignError::SignerMalformed`], [`SignError::PublicKey`].
pub fn signers(tx: &Transaction) -> Result<Vec<Signer>, SignError> {
    tx.object()
        .array(sf::Signers)
        .unwrap_or_default()
        .iter()
        .map(
            |(field, entry)| {
                if *field == sf::Signer {
                    Signer::from_object(entry)
                } else {
                    Err(SignError::SignerMalformed)
                }
            },
        )
        .collect()
}

/// Makes `tx` multi-signed by exactly `signers`, in the ledger's order whatever theirs. Signers that `tx` already
/// has are replaced. Every signature is verified first, because one bad one spoils the whole transaction.
///
/// # Errors
/// Every [`SignError`] except `NotSigned`, `SignerOrder` and `SignerMalformed`.
pub fn assemble(tx: &Transaction, mut signers: Vec<Signer>) -> Result<Transaction, SignError> {
    signers.sort_by_key(|signer| signer.account);
    check_signers(tx, &signers)?;
    let entries = signers.iter().map(|signer| (sf::Signer, signer.to_object())).collect();
    Ok(Transaction::from_object(tx.object().clone().with(sf::Signers, Value::Array(entries)))?)
}

fn check_signers(tx: &Transaction, signers: &[Signer]) -> Result<(), SignError> {
    check_for_multi_signing(tx)?;
    if signers.is_empty() || signers.len() > SIGNERS_MAX {
        return Err(SignError::SignerCount { found: signers.len() });
    }
    for (before, signer) in signers.iter().zip(signers.iter().skip(1)) {
        if before.account == signer.account {
            return Err(SignError::DuplicateSigner { account: signer.account });
        }
        if before.account > signer.account {
            return Err(SignError::SignerOrder { account: signer.account });
        }
    }
    signers.iter().try_for_each(|signer| verify_signer(tx, signer))
}

fn check_for_multi_signing(tx: &Transaction) -> Result<(), SignError> {
    if tx.object().blob(sf::SigningPubKey).is_none_or(|key| !key.is_empty()) {
        return Err(SignError::NotForMultiSigning);
    }
    if tx.object().has(sf::TxnSignature) {
        return Err(SignError::SingleAndMulti);
    }
    Ok(())
}

fn check_not_self(tx: &Transaction, account: AccountId) -> Result<(), SignError> {
    if tx.sender() == account { Err(SignError::SelfSigner { account }) } else { Ok(()) }
}

/// Bytes as upper hex text.
mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode_upper(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        hex::decode(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
