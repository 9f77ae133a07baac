//! A batch as it comes in: the transactions within, and the signatures of those who take part.

use std::sync::Arc;

use xrpl_wire::{AccountId, Hash256, Object, Transaction, TransactionType, TxError, batch, sf};

use super::keys::Keys;
use super::submitted::{self, Submitted};

/// The participants that may sign a batch: three for each transaction it can hold.
pub(super) const SIGNERS_MAX: usize = 24;

/// The transactions within a batch.
///
/// # Errors
/// The first that is none.
pub(super) fn transactions(outer: &Transaction) -> Result<Vec<Transaction>, TxError> {
    let raw = outer.object().array(sf::RawTransactions).unwrap_or_default();
    raw.iter().map(|(_, fields)| transaction(fields)).collect()
}

fn transaction(fields: &Object) -> Result<Transaction, TxError> {
    Transaction::decode_as_server(&fields.encode()?)
}

/// The transactions within, ready to be applied as that batch's.
pub(super) fn submitted(outer: &Transaction, id: Hash256) -> Result<Vec<Arc<Submitted>>, TxError> {
    let within = transactions(outer)?;
    Ok(within.into_iter().map(|tx| Arc::new(Submitted::within_batch(tx, id))).collect())
}

/// What a server looks for in a batch before it lets it in.
///
/// # Errors
/// The server's words for what is wrong.
pub(super) fn check_local(outer: &Transaction) -> Result<(), String> {
    if outer.tx_type() != TransactionType::Batch {
        return Ok(());
    }
    let object = outer.object();
    if object.array(sf::BatchSigners).is_some_and(|signers| signers.len() > SIGNERS_MAX) {
        return Err("Batch Signers array exceeds max entries.".to_owned());
    }
    let raw = object.array(sf::RawTransactions).unwrap_or_default();
    if raw.len() > *batch::INNER.end() {
        return Err("Raw Transactions array exceeds max entries.".to_owned());
    }
    for (_, fields) in raw {
        if fields.u16(sf::TransactionType) == Some(TransactionType::Batch.code()) {
            return Err("Raw Transactions may not contain batch transactions.".to_owned());
        }
        transaction(fields).map_err(|error| submitted::unreadable(&error))?;
    }
    Ok(())
}

/// Verifies what the participants of a batch signed. Whether they are the right ones is another question.
///
/// # Errors
/// The server's words for what is wrong.
pub(super) fn verify(outer: &Transaction, keys: &mut Keys) -> Result<(), String> {
    let signers = outer.object().array(sf::BatchSigners).unwrap_or_default();
    signers.iter().try_for_each(|(_, signer)| verify_participant(outer, signer, keys))
}

fn verify_participant(outer: &Transaction, signer: &Object, keys: &mut Keys) -> Result<(), String> {
    let unwritable = |_| "Internal batch signature check failure.".to_owned();
    let participant = signer.account(sf::Account).unwrap_or(AccountId::ZERO);
    match signer.blob(sf::SigningPubKey).unwrap_or_default() {
        [] => submitted::verify_signers(signer, None, keys, |account| {
            batch::multi_signing_bytes(outer, &participant, account).map_err(unwritable)
        }),
        key => {
            let signed = batch::signing_bytes(outer, &participant).map_err(unwritable)?;
            submitted::verify_one(signer, key, &signed, keys).map(|_| ())
        }
    }
}
