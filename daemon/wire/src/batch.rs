//! Batches: what the participants sign, and the transactions within.

use crate::account::AccountId;
use crate::error::CodecError;
use crate::field::{Field, sf};
use crate::hash::{Hash256, sha512_half};
use crate::keys::KeyPair;
use crate::object::Object;
use crate::prefix;
use crate::tx::Transaction;

/// The fewest and the most transactions that a batch holds.
pub const INNER: std::ops::RangeInclusive<usize> = 2..=8;

/// The ids of the transactions within a batch, in its order.
///
/// # Errors
/// As [`Object::encode`].
pub fn inner_ids(batch: &Transaction) -> Result<Vec<Hash256>, CodecError> {
    inner(batch).iter().map(|(_, tx)| inner_id(tx)).collect()
}

/// The id of one transaction within a batch: that of a transaction by itself.
///
/// # Errors
/// As [`Object::encode`].
pub fn inner_id(tx: &Object) -> Result<Hash256, CodecError> {
    Ok(sha512_half(&[&prefix::TRANSACTION_ID, &tx.encode()?]))
}

/// The bytes that a participant signs with one key: who sends the batch and in which turn, how it is applied, which
/// transactions are in it and in which order, and the participant's own account. A signature is good for nothing else.
///
/// # Errors
/// As [`Object::encode`].
pub fn signing_bytes(batch: &Transaction, participant: &AccountId) -> Result<Vec<u8>, CodecError> {
    let ids = inner_ids(batch)?;
    // There are at most as many as one object may have bytes.
    let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    let mut bytes = prefix::BATCH.to_vec();
    bytes.extend(batch.account().0);
    bytes.extend(batch.seq().value().to_be_bytes());
    bytes.extend(batch.flags().to_be_bytes());
    bytes.extend(count.to_be_bytes());
    ids.iter().for_each(|id| bytes.extend(id.0));
    bytes.extend(participant.0);
    Ok(bytes)
}

/// The bytes that one of a participant's signers signs, where the participant is multi-signed.
///
/// # Errors
/// As [`Object::encode`].
pub fn multi_signing_bytes(
    batch: &Transaction,
    participant: &AccountId,
    signer: &AccountId,
) -> Result<Vec<u8>, CodecError> {
    let mut bytes = signing_bytes(batch, participant)?;
    bytes.extend(signer.0);
    Ok(bytes)
}

/// The entry of BatchSigners for a participant that signs with one key.
///
/// # Errors
/// As [`Object::encode`].
pub fn sign(
    batch: &Transaction,
    participant: AccountId,
    key: &KeyPair,
) -> Result<(Field, Object), CodecError> {
    let signature = key.sign(&signing_bytes(batch, &participant)?);
    let entry = Object::new()
        .with(sf::Account, participant)
        .with(sf::SigningPubKey, key.public_key().as_bytes().to_vec())
        .with(sf::TxnSignature, signature);
    Ok((sf::BatchSigner, entry))
}

fn inner(batch: &Transaction) -> &[(Field, Object)] {
    batch.object().array(sf::RawTransactions).unwrap_or_default()
}
