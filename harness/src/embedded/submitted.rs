//! A transaction that came in: read, its signatures verified, and remembered so that neither is done again.

use std::sync::{Arc, OnceLock};

use xrpl_wire::{
    AccountId, CodecError, Hash256, Object, PublicKey, Transaction, TxError, TxResult, condition, flags,
    index, sf,
};

use super::amendment::Amendment;
use super::batch;
use super::format;
use super::generation::Generation;
use super::keys::Keys;
use super::local;
use super::rules::Rules;

/// The bytes a serialized transaction has at least and at most.
const TRANSACTION_BYTES: std::ops::RangeInclusive<usize> = 32..=1_048_576;

/// The signers a multi-signed transaction may have.
const SIGNERS: std::ops::RangeInclusive<usize> = 1..=32;

/// A transaction whose signatures have been verified.
#[derive(Debug)]
pub(super) struct Submitted {
    /// The transaction.
    pub(super) tx: Transaction,
    /// Its id.
    pub(super) id: Hash256,
    /// Where the sender's AccountRoot is. Hashing it once is noticed: every check asks for it.
    pub(super) account_index: Hash256,
    /// Where the AccountRoot of who pays the fee and signs is: the same, unless there is a Delegate.
    pub(super) sender_index: Hash256,
    /// The batch that it is within.
    pub(super) batch: Option<Hash256>,
    /// Not sent, but proposed: the signatures are still to come.
    pub(super) proposed: bool,
    /// Taken without regard to signatures, as a test asks.
    pub(super) impersonated: bool,
    /// The same for the Destination, if it has one.
    destination: Option<(AccountId, Hash256)>,
    signer: OnceLock<Option<AccountId>>,
    fulfillment: OnceLock<bool>,
    preflight: OnceLock<(Rules, Result<(), TxResult>)>,
    within: OnceLock<Result<Vec<Arc<Submitted>>, TxError>>,
}

/// Why a transaction is refused before any ledger is asked. The texts are the server's `error_exception`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The bytes are no transaction.
    Unreadable(String),
    /// A signature is wrong.
    Signature(String),
    /// It breaks a rule that a server keeps for what it relays.
    Local(String),
}

impl Refusal {
    /// The server's `error_exception`.
    pub(super) fn exception(&self) -> String {
        match self {
            Refusal::Unreadable(text) => text.clone(),
            Refusal::Signature(text) | Refusal::Local(text) => format!("fails local checks: {text}"),
        }
    }
}

impl Submitted {
    /// Reads a transaction as a generation of the server does, which has never heard of what came later.
    ///
    /// # Errors
    /// [`Refusal::Unreadable`].
    pub(super) fn read(blob: &[u8], generation: Generation) -> Result<Submitted, Refusal> {
        if !TRANSACTION_BYTES.contains(&blob.len()) {
            return Err(Refusal::Unreadable("Transaction length invalid".to_owned()));
        }
        let tx =
            Transaction::decode_as_server(blob).map_err(|error| Refusal::Unreadable(unreadable(&error)))?;
        if !format::knows_transaction(generation, tx.tx_type()) {
            return Err(Refusal::Unreadable(format!("Invalid transaction type {}", tx.tx_type().code())));
        }
        if format::unknown_field(generation, tx.object()).is_some() {
            return Err(Refusal::Unreadable("Unknown field".to_owned()));
        }
        Ok(Submitted::trusted(tx))
    }

    /// A transaction whose signatures need no verifying.
    pub(super) fn trusted(tx: Transaction) -> Submitted {
        let account_index = index::account_root(&tx.account());
        Submitted {
            id: tx.id(),
            account_index,
            sender_index: match tx.sender() {
                sender if sender == tx.account() => account_index,
                delegate => index::account_root(&delegate),
            },
            batch: None,
            destination: tx.object().account(sf::Destination).map(|to| (to, index::account_root(&to))),
            tx,
            proposed: false,
            impersonated: false,
            signer: OnceLock::new(),
            fulfillment: OnceLock::new(),
            preflight: OnceLock::new(),
            within: OnceLock::new(),
        }
    }

    /// A transaction within a batch, which signed for it.
    pub(super) fn within_batch(tx: Transaction, batch: Hash256) -> Submitted {
        Submitted { batch: Some(batch), ..Submitted::trusted(tx) }
    }

    /// A transaction that somebody proposes.
    pub(super) fn proposed(tx: Transaction) -> Submitted {
        Submitted { proposed: true, ..Submitted::trusted(tx) }
    }

    /// Verifies the signatures, then checks what a server checks before it lets a transaction in.
    ///
    /// # Errors
    /// [`Refusal::Signature`], [`Refusal::Local`].
    pub(super) fn verify(&self, keys: &mut Keys, rules: &Rules) -> Result<(), Refusal> {
        if self.tx.flags() & flags::tfInnerBatchTxn != 0 && rules.enabled(Amendment::BatchV1_1) {
            let text = "Batch inner transactions are never considered validly signed.";
            return Err(Refusal::Signature(text.to_owned()));
        }
        let object = self.tx.object();
        match object.blob(sf::SigningPubKey).unwrap_or_default() {
            [] => verify_signers(object, Some(self.tx.sender()), keys, |account| {
                Ok(self.tx.multi_signing_bytes(account))
            }),
            key => verify_one(object, key, self.tx.signing_blob(), keys).map(|signer| {
                self.signer.get_or_init(|| Some(signer));
            }),
        }
        .and_then(|()| self.verify_counterparty(keys))
        .and_then(|()| batch::verify(&self.tx, keys))
        .map_err(Refusal::Signature)?;
        local::check(&self.tx, rules.generation()).map_err(|text| Refusal::Local(text.into_owned()))
    }

    /// Verifies what a second party has signed, if there is one.
    fn verify_counterparty(&self, keys: &mut Keys) -> Result<(), String> {
        let Some(slot) = self.tx.object().object(sf::CounterpartySignature) else { return Ok(()) };
        match slot.blob(sf::SigningPubKey).unwrap_or_default() {
            [] => verify_signers(slot, None, keys, |account| Ok(self.tx.multi_signing_bytes(account))),
            key => verify_one(slot, key, self.tx.signing_blob(), keys).map(|_| ()),
        }
        .map_err(|text| format!("Counterparty: {text}"))
    }

    /// The transactions within, if it is a batch. Read once.
    ///
    /// # Errors
    /// One that is no transaction.
    pub(super) fn within(&self) -> Result<&[Arc<Submitted>], &TxError> {
        self.within.get_or_init(|| batch::submitted(&self.tx, self.id)).as_ref().map(Vec::as_slice)
    }

    /// Where the AccountRoot of an account is; known already for those of the transaction.
    pub(super) fn root_index(&self, account: &AccountId) -> Hash256 {
        match &self.destination {
            Some((destination, at)) if destination == account => *at,
            _ if *account == self.tx.account() => self.account_index,
            _ => index::account_root(account),
        }
    }

    /// The account of the key that signed, if one key did. Computed once.
    pub(super) fn signer(&self) -> Option<AccountId> {
        *self.signer.get_or_init(|| {
            let key = self.tx.object().blob(sf::SigningPubKey).unwrap_or_default();
            PublicKey::from_slice(key).ok().map(|key| key.account_id())
        })
    }

    /// Whether the Fulfillment is that of the Condition. Computed once.
    pub(super) fn fulfillment_matches(&self) -> bool {
        *self.fulfillment.get_or_init(|| {
            let object = self.tx.object();
            match (object.blob(sf::Fulfillment), object.blob(sf::Condition)) {
                (Some(fulfillment), Some(condition)) => {
                    condition::fulfillment_matches(fulfillment, condition)
                }
                _ => false,
            }
        })
    }

    /// What the checks of the transaction alone say under these rules: remembered, unless other rules were asked
    /// about first.
    pub(super) fn preflighted(
        &self,
        rules: &Rules,
        check: impl FnOnce() -> Result<(), TxResult>,
    ) -> Result<(), TxResult> {
        let mut check = Some(check);
        let (of, result) =
            self.preflight.get_or_init(|| (*rules, check.take().map_or(Ok(()), |check| check())));
        match check {
            Some(check) if of != rules => check(),
            _ => *result,
        }
    }
}

/// Verifies the one signature of a transaction, or of one who takes part in a batch. Answers with whose key it is.
///
/// # Errors
/// The server's words for what is wrong.
pub(super) fn verify_one(
    object: &Object,
    key: &[u8],
    signed: &[u8],
    keys: &mut Keys,
) -> Result<AccountId, String> {
    if object.has(sf::Signers) {
        return Err("Cannot both single- and multi-sign.".to_owned());
    }
    let signature = object.blob(sf::TxnSignature).unwrap_or_default();
    keys.signer(key, signed, signature).ok_or_else(|| "Invalid signature.".to_owned())
}

/// Verifies the Signers of a transaction, or of one who takes part in a batch: each over bytes of its own.
///
/// # Errors
/// The server's words for what is wrong.
pub(super) fn verify_signers(
    object: &Object,
    not: Option<AccountId>,
    keys: &mut Keys,
    signed: impl Fn(&AccountId) -> Result<Vec<u8>, String>,
) -> Result<(), String> {
    let Some(signers) = object.array(sf::Signers) else {
        return Err("Empty SigningPubKey.".to_owned());
    };
    if object.has(sf::TxnSignature) {
        return Err("Cannot both single- and multi-sign.".to_owned());
    }
    if !SIGNERS.contains(&signers.len()) {
        return Err("Invalid Signers array size.".to_owned());
    }
    let mut last = AccountId::ZERO;
    for (_, signer) in signers {
        let account = signer.account(sf::Account).unwrap_or(AccountId::ZERO);
        if not == Some(account) {
            return Err("Invalid multisigner.".to_owned());
        }
        if account == last {
            return Err("Duplicate Signers not allowed.".to_owned());
        }
        if account < last {
            return Err("Unsorted Signers array.".to_owned());
        }
        last = account;
        let key = signer.blob(sf::SigningPubKey).unwrap_or_default();
        let signature = signer.blob(sf::TxnSignature).unwrap_or_default();
        if keys.signer(key, &signed(&account)?, signature).is_none() {
            return Err(format!("Invalid signature on account {account}."));
        }
    }
    Ok(())
}

/// The server's words for bytes that are no transaction, where it has some for the case.
pub(super) fn unreadable(error: &TxError) -> String {
    match error {
        TxError::MissingField { field, .. } | TxError::InnerMissing { field } => {
            format!("Field '{}' is required but missing.", field.name())
        }
        TxError::UnknownField { field, .. } | TxError::InnerUnknown { field } => {
            format!("Field '{}' found in disallowed location.", field.name())
        }
        TxError::Codec(CodecError::Invalid { what, .. }) => match *what {
            CodecError::ISSUED_XRP => "invalid native currency".to_owned(),
            CodecError::ISSUED_BY_NOBODY => "invalid native account".to_owned(),
            CodecError::ISSUED_NOT_NORMAL => "invalid currency value".to_owned(),
            CodecError::NEGATIVE_ZERO => "negative zero is not canonical".to_owned(),
            _ => error.to_string(),
        },
        TxError::UnknownType { code } => format!("Invalid transaction type {code}"),
        error => error.to_string(),
    }
}
