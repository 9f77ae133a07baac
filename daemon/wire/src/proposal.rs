//! Native proposals: transactions that stand on the ledger while they collect their signatures.

use std::collections::BTreeSet;

use crate::account::AccountId;
use crate::batch;
use crate::error::CodecError;
use crate::field::{Field, sf};
use crate::object::Object;
use crate::prefix;
use crate::tx::Transaction;
use crate::types::TransactionType;

/// What of a transaction is a signature, as far as a proposal collects it.
pub const SIGNATURES: [Field; 5] =
    [sf::TxnSignature, sf::Signers, sf::BatchSigners, sf::CounterpartySignature, sf::SponsorSignature];

/// As what an account signs a proposed transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// As who sends it: the Delegate, or the Account where there is none.
    Initiator,
    /// As its Counterparty.
    Counterparty,
    /// As its Sponsor.
    Sponsor,
    /// As one who takes part in a batch.
    Participant,
}

/// The owned objects that a proposal counts as: more where it is a batch, which takes more room.
#[must_use]
pub fn owner_count(proposed: &Object) -> u32 {
    if proposed.u16(sf::TransactionType) == Some(TransactionType::Batch.code()) { 10 } else { 5 }
}

/// The accounts whose signatures a batch needs beside that of its own account: of each transaction within the Delegate,
/// or the Account where there is none, and the Counterparty.
#[must_use]
pub fn participants(batch: &Object) -> BTreeSet<AccountId> {
    let within = batch.array(sf::RawTransactions).unwrap_or_default();
    let signs = |tx: &Object| tx.account(sf::Delegate).or_else(|| tx.account(sf::Account));
    let all = within.iter().flat_map(|(_, tx)| [signs(tx), tx.account(sf::Counterparty)]).flatten();
    all.filter(|account| batch.account(sf::Account) != Some(*account)).collect()
}

/// The bytes that `account` signs of a proposed transaction with one key, or that `signer` signs for it.
///
/// Where the initiator signs with one key, that key becomes part of the transaction, and is part of what is signed.
///
/// # Errors
/// As [`Object::encode`].
pub fn signing_bytes(
    proposed: &Transaction,
    role: Role,
    account: &AccountId,
    signer: Option<&AccountId>,
    key: &[u8],
) -> Result<Vec<u8>, CodecError> {
    match (role, signer) {
        (Role::Participant, None) => batch::signing_bytes(proposed, account),
        (Role::Participant, Some(signer)) => batch::multi_signing_bytes(proposed, account, signer),
        (_, Some(signer)) => Ok(proposed.multi_signing_bytes(signer)),
        (Role::Initiator, None) => {
            let named = proposed.object().clone().with(sf::SigningPubKey, key.to_vec());
            Ok([&prefix::SIGN[..], &named.encode_signing()?].concat())
        }
        (_, None) => Ok(proposed.signing_bytes()),
    }
}

/// Whether two transactions are the same but for who has signed them: it is that for which a proposal keeps a Ticket.
#[must_use]
pub fn is_same(one: &Object, other: &Object) -> bool {
    let signed =
        |object: &Object| object.clone().with(sf::SigningPubKey, Vec::<u8>::new()).encode_signing().ok();
    let bytes = signed(one);
    bytes.is_some() && bytes == signed(other)
}
