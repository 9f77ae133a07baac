//! Transactions: an [`Object`] that is known to fit the template of its type.

use core::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::account::AccountId;
use crate::amount::{Amount, Drops};
use crate::error::CodecError;
use crate::field::{Field, sf};
use crate::hash::{Hash256, sha512_half};
use crate::memo::{self, MEMOS_MAX_BYTES};
use crate::object::Object;
use crate::prefix;
use crate::template::{self, InnerFault, Presence};
use crate::types::TransactionType;
use crate::value::Value;
use crate::{decode, encode};

/// Why an object, bytes or JSON are not a transaction, or why a transaction cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TxError {
    /// Not readable or writable in the ledger's format.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// No transaction type has this number.
    #[error("{code} is not a transaction type")]
    UnknownType {
        /// The number.
        code: u16,
    },
    /// A field that every transaction of the type needs is missing.
    #[error("{tx_type} needs the field {}", field.name())]
    MissingField {
        /// The transaction's type.
        tx_type: TransactionType,
        /// The missing field.
        field: Field,
    },
    /// A field that the type does not have.
    #[error("{tx_type} does not have the field {}", field.name())]
    UnknownField {
        /// The transaction's type.
        tx_type: TransactionType,
        /// The field.
        field: Field,
    },
    /// A field that an object within the transaction must have, such as a signer's signature, is missing.
    #[error("an object within needs the field {}", field.name())]
    InnerMissing {
        /// The missing field.
        field: Field,
    },
    /// A field that an object within the transaction does not have.
    #[error("an object within does not have the field {}", field.name())]
    InnerUnknown {
        /// The field.
        field: Field,
    },
    /// A field whose value a transaction cannot have.
    #[error("{}: {what}", field.name())]
    BadField {
        /// The field.
        field: Field,
        /// What is wrong with it.
        what: &'static str,
    },
    /// No TransactionType at all.
    #[error("not a transaction: TransactionType is missing")]
    NotATransaction,
    /// Another type than asked for, or one that has no typed form.
    #[error("{tx_type} has no typed form")]
    NotTyped {
        /// The transaction's type.
        tx_type: TransactionType,
    },
    /// A field that the typed form cannot hold; reading it would lose part of what is signed.
    #[error("the typed form of {tx_type} cannot hold the field {}", field.name())]
    FieldNotTyped {
        /// The transaction's type.
        tx_type: TransactionType,
        /// The field.
        field: Field,
    },
    /// Memos over [`MEMOS_MAX_BYTES`].
    #[error("the memos take {length_bytes} bytes, more than {MEMOS_MAX_BYTES}")]
    MemosTooLong {
        /// Their serialized length, in bytes.
        length_bytes: usize,
    },
    /// A MemoType or MemoFormat with a character that a URL may not have.
    #[error("{} holds a character that URLs do not have", field.name())]
    MemoCharacter {
        /// MemoType or MemoFormat.
        field: Field,
    },
    /// Something in Memos that is not a memo.
    #[error("a memo is malformed")]
    MemoMalformed,
}

impl TxError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Codec(error) => error.code(),
            Self::UnknownType { .. } => "tx_unknown_type",
            Self::MissingField { .. } => "tx_missing_field",
            Self::UnknownField { .. } => "tx_unknown_field",
            Self::InnerMissing { .. } => "tx_inner_missing_field",
            Self::InnerUnknown { .. } => "tx_inner_unknown_field",
            Self::BadField { .. } => "tx_bad_field",
            Self::NotATransaction => "tx_not_a_transaction",
            Self::NotTyped { .. } => "tx_not_typed",
            Self::FieldNotTyped { .. } => "tx_field_not_typed",
            Self::MemosTooLong { .. } => "tx_memos_too_long",
            Self::MemoCharacter { .. } => "tx_memo_character",
            Self::MemoMalformed => "tx_memo_malformed",
        }
    }
}

/// What orders a transaction within its account, and makes sure it is applied at most once.
///
/// All Sequences come before all Tickets, as the ledger applies them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SeqProxy {
    /// The account's Sequence.
    Sequence(u32),
    /// A TicketSequence; Sequence is then 0.
    Ticket(u32),
}

impl fmt::Display for SeqProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sequence(value) => write!(f, "Sequence {value}"),
            Self::Ticket(value) => write!(f, "Ticket {value}"),
        }
    }
}

impl SeqProxy {
    /// What a transaction with these fields takes. Where there are both, which no server applies, it is the Sequence.
    pub(crate) fn of(sequence: u32, ticket: Option<u32>) -> Self {
        match ticket {
            Some(ticket) if sequence == 0 => Self::Ticket(ticket),
            _ => Self::Sequence(sequence),
        }
    }

    /// The number itself. It names what the transaction makes: an Escrow's OfferSequence, for one.
    #[must_use]
    pub fn value(self) -> u32 {
        match self {
            Self::Sequence(value) | Self::Ticket(value) => value,
        }
    }

    /// Whether it is a Ticket.
    #[must_use]
    pub fn is_ticket(self) -> bool {
        matches!(self, Self::Ticket(_))
    }
}

/// A transaction, signed or not, whose fields fit its type.
///
/// It fits the ledger's *format*. Whether the ledger would apply it (both a Sequence and a Ticket, a zero amount, a
/// wrong signature) is not said, so that every transaction a server can receive can be represented.
///
/// A clone shares everything: transactions are handed around a lot and never change.
#[derive(Clone, PartialEq, Eq)]
pub struct Transaction(Arc<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    object: Object,
    // Worked out once: writing a checked object cannot fail later, and hashing is what is asked for most.
    blob: Vec<u8>,
    /// What a single signature is over, prefix and all.
    signing: Vec<u8>,
    id: Hash256,
    tx_type: TransactionType,
    account: AccountId,
    fee: Drops,
    seq: SeqProxy,
}

impl Transaction {
    /// Checks an object against the template of its transaction type.
    ///
    /// # Errors
    /// `InnerMissing`, `InnerUnknown`, `NotATransaction`, `UnknownType`, `MissingField`, `UnknownField`, `BadField`,
    /// `Codec` of [`TxError`].
    pub fn from_object(object: Object) -> Result<Self, TxError> {
        let checked = Checked::of(&object, false)?;
        // Of what somebody else's ledger holds, nothing may be signed or submitted that is not understood.
        if let Some(field) = object.not_understood() {
            return Err(CodecError::Invalid { field, what: "not understood" }.into());
        }
        let mut signing = prefix::SIGN.to_vec();
        let blob = encode::object_and_signing(&object, &mut signing)?;
        Ok(checked.into_transaction(object, blob, signing))
    }

    /// Reads a serialized transaction.
    ///
    /// # Errors
    /// As [`Transaction::from_object`].
    pub fn decode(blob: &[u8]) -> Result<Self, TxError> {
        Self::read(blob, false)
    }

    /// Reads a serialized transaction as a server does, which takes in amounts that nobody can have, and a fee in
    /// any currency, to answer what is wrong with them. Such a fee reads as none; Fee in the fields says what it is.
    ///
    /// # Errors
    /// As [`Transaction::from_object`].
    pub fn decode_as_server(blob: &[u8]) -> Result<Self, TxError> {
        Self::read(blob, true)
    }

    fn read(blob: &[u8], as_server: bool) -> Result<Self, TxError> {
        let mut signing = Vec::with_capacity(prefix::SIGN.len() + blob.len());
        signing.extend(prefix::SIGN);
        let object = decode::object_and_signing(blob, as_server, &mut signing)?;
        Ok(Checked::of(&object, as_server)?.into_transaction(object, blob.to_vec(), signing))
    }

    /// Reads a transaction from JSON in the ledger server's form. A `hash`, which only JSON has, is left out.
    ///
    /// # Errors
    /// As [`Transaction::from_object`].
    pub fn from_json(json: &serde_json::Value) -> Result<Self, TxError> {
        let mut object = Object::from_json(json)?;
        object.remove(sf::hash);
        Self::from_object(object)
    }

    /// The transaction as the ledger server writes it in JSON, without its hash.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.0.object.to_json()
    }

    /// The transaction as it is submitted.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.0.blob.clone()
    }

    /// The bytes of [`Transaction::encode`], without a copy.
    #[must_use]
    pub fn blob(&self) -> &[u8] {
        &self.0.blob
    }

    /// The fields.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.0.object
    }

    /// The fields, to be changed.
    #[must_use]
    pub fn into_object(self) -> Object {
        Arc::unwrap_or_clone(self.0).object
    }

    /// The TransactionType.
    #[must_use]
    pub fn tx_type(&self) -> TransactionType {
        self.0.tx_type
    }

    /// The Account it acts for. It pays the fee and signs, unless there is a Delegate.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.0.account
    }

    /// Who pays the fee and signs: the Delegate, or the Account where there is none.
    #[must_use]
    pub fn sender(&self) -> AccountId {
        self.0.object.account(sf::Delegate).unwrap_or(self.0.account)
    }

    /// The Sequence or Ticket. Where there are both, which no server applies, it is the Sequence.
    #[must_use]
    pub fn seq(&self) -> SeqProxy {
        self.0.seq
    }

    /// The Fee.
    #[must_use]
    pub fn fee(&self) -> Drops {
        self.0.fee
    }

    /// The last ledger that may hold it.
    #[must_use]
    pub fn last_ledger_sequence(&self) -> Option<u32> {
        self.0.object.u32(sf::LastLedgerSequence)
    }

    /// The Flags, 0 where there are none.
    #[must_use]
    pub fn flags(&self) -> u32 {
        self.0.object.u32(sf::Flags).unwrap_or(0)
    }

    /// Whether it carries Signers, and an empty SigningPubKey. Says nothing about the signatures.
    #[must_use]
    pub fn is_multisigned(&self) -> bool {
        self.0.object.has(sf::Signers) && self.0.object.blob(sf::SigningPubKey).is_some_and(<[u8]>::is_empty)
    }

    /// The transaction's id, over everything in it, signatures included: other signers, another id.
    #[must_use]
    pub fn id(&self) -> Hash256 {
        self.0.id
    }

    /// The bytes that a single signature is over. They hold the SigningPubKey.
    #[must_use]
    pub fn signing_bytes(&self) -> Vec<u8> {
        self.0.signing.clone()
    }

    /// The bytes of [`Transaction::signing_bytes`], without a copy.
    #[must_use]
    pub fn signing_blob(&self) -> &[u8] {
        &self.0.signing
    }

    /// The bytes that `signer`'s signature is over, where the SigningPubKey is empty. Each signer signs others.
    #[must_use]
    pub fn multi_signing_bytes(&self, signer: &AccountId) -> Vec<u8> {
        let signed = self.0.signing.get(prefix::SIGN.len()..).unwrap_or_default();
        [&prefix::MULTI_SIGN[..], signed, &signer.0].concat()
    }

    /// Checks the Memos as a server does before it takes a transaction in.
    ///
    /// # Errors
    /// `MemosTooLong`, `MemoCharacter`, `MemoMalformed` of [`TxError`].
    pub fn check_memos(&self) -> Result<(), TxError> {
        memo::check_memos(&self.0.object)
    }
}

/// Names it and no more: until an EscrowFinish is sent, its Fulfillment is a secret that no log should hold.
impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("tx_type", &self.0.tx_type)
            .field("account", &self.0.account)
            .field("seq", &self.seq())
            .field("id", &self.0.id)
            .finish_non_exhaustive()
    }
}

/// As the serialized transaction in upper hex, which is what a submission carries.
impl Serialize for Transaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode_upper(&self.0.blob))
    }
}

impl<'de> Deserialize<'de> for Transaction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::decode(&hex::decode(text).map_err(de::Error::custom)?).map_err(de::Error::custom)
    }
}

/// What the common fields of a checked object say.
struct Checked {
    tx_type: TransactionType,
    account: AccountId,
    fee: Drops,
    seq: SeqProxy,
}

impl Checked {
    fn of(object: &Object, as_server: bool) -> Result<Self, TxError> {
        template::check_inner(object).map_err(|fault| match fault {
            InnerFault::Missing(field) => TxError::InnerMissing { field },
            InnerFault::Unknown(field) => TxError::InnerUnknown { field },
        })?;
        let code = object.u16(sf::TransactionType).ok_or(TxError::NotATransaction)?;
        let tx_type = TransactionType::from_code(code).ok_or(TxError::UnknownType { code })?;
        check_template(tx_type, object)?;
        let missing = |field| TxError::MissingField { tx_type, field };
        let account = match object.get(sf::Account) {
            Some(Value::Account(account)) => *account,
            // What validators agree on by themselves is nobody's, and servers have written that in both ways.
            Some(Value::AccountEmpty) if tx_type.is_pseudo() => AccountId::ZERO,
            _ => return Err(missing(sf::Account)),
        };
        let sequence = object.u32(sf::Sequence).ok_or(missing(sf::Sequence))?;
        let seq = SeqProxy::of(sequence, object.u32(sf::TicketSequence));
        let fee = match object.amount(sf::Fee) {
            Some(Amount::Xrp(fee)) => fee,
            _ if as_server && object.has(sf::Fee) => Drops::ZERO,
            Some(_) => return Err(TxError::BadField { field: sf::Fee, what: "a fee is paid in XRP" }),
            None => return Err(missing(sf::Fee)),
        };
        Ok(Self { tx_type, account, fee, seq })
    }

    fn into_transaction(self, object: Object, blob: Vec<u8>, signing: Vec<u8>) -> Transaction {
        let Self { tx_type, account, fee, seq } = self;
        let id = sha512_half(&[&prefix::TRANSACTION_ID, &blob]);
        Transaction(Arc::new(Parts { object, blob, signing, id, tx_type, account, fee, seq }))
    }
}

/// Whether all fields are the type's, and all that it needs are there.
fn check_template(tx_type: TransactionType, object: &Object) -> Result<(), TxError> {
    if let Some(field) = template::required(tx_type).find(|field| !object.has(*field)) {
        return Err(TxError::MissingField { tx_type, field });
    }
    let own = template::template(tx_type);
    for (field, value) in object.iter() {
        match template::presence_in(own, field) {
            None => return Err(TxError::UnknownField { tx_type, field }),
            // The one field of this kind is Paths.
            Some(Presence::Default) if *value == Value::PathSet(Vec::new()) => {
                return Err(TxError::BadField { field, what: "left out where it is empty" });
            }
            Some(_) => {}
        }
    }
    Ok(())
}
