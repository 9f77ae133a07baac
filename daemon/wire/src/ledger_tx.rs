//! Transactions of validated ledgers, which may be younger than this program.

use std::borrow::Cow;
use std::fmt;

use crate::{
    AccountId, CodecError, Hash256, Object, SeqProxy, Transaction, TransactionType, Value, prefix, sf,
    sha512_half,
};

/// A transaction as a validated ledger holds it: read for what it says about accounts, not to be signed or sent.
///
/// Its type, its fields and their values may be unknown, and no template is asked for: the ledger has applied it.
/// What must be told of it is whose it is, its type's number, its Sequence or Ticket, and its id.
#[derive(Clone, PartialEq, Eq)]
pub struct LedgerTx {
    object: Object,
    id: Hash256,
    type_code: u16,
    account: AccountId,
    seq: SeqProxy,
}

impl LedgerTx {
    /// Reads a transaction.
    ///
    /// # Errors
    /// [`CodecError::UnknownFieldCode`] for a field of a type that is not known, which hides all that follows
    /// it; [`CodecError::Missing`] without TransactionType, Account or Sequence; as [`Object::decode_lenient`].
    pub fn decode(blob: &[u8]) -> Result<LedgerTx, CodecError> {
        LedgerTx::decode_known(sha512_half(&[&prefix::TRANSACTION_ID, blob]), blob)
    }

    /// The same, of a transaction whose id has been worked out already: that is most of the work.
    ///
    /// # Errors
    /// As [`LedgerTx::decode`].
    pub fn decode_known(id: Hash256, blob: &[u8]) -> Result<LedgerTx, CodecError> {
        let object = Object::decode_lenient(blob)?;
        let type_code = object.u16(sf::TransactionType).ok_or(CodecError::Missing(sf::TransactionType))?;
        let account = match object.get(sf::Account) {
            Some(Value::Account(account)) => *account,
            // Nobody's.
            Some(Value::AccountEmpty) => AccountId::ZERO,
            _ => return Err(CodecError::Missing(sf::Account)),
        };
        let sequence = object.u32(sf::Sequence).ok_or(CodecError::Missing(sf::Sequence))?;
        let seq = SeqProxy::of(sequence, object.u32(sf::TicketSequence));
        Ok(LedgerTx { object, id, type_code, account, seq })
    }

    /// The fields.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The transaction's id.
    #[must_use]
    pub fn id(&self) -> Hash256 {
        self.id
    }

    /// Its type; none where this program does not know it.
    #[must_use]
    pub fn tx_type(&self) -> Option<TransactionType> {
        TransactionType::from_code(self.type_code)
    }

    /// The number of its type.
    #[must_use]
    pub fn type_code(&self) -> u16 {
        self.type_code
    }

    /// The name of its type; such as `type200` for one that is not known.
    #[must_use]
    pub fn type_name(&self) -> Cow<'static, str> {
        match self.tx_type() {
            Some(known) => Cow::Borrowed(known.name()),
            None => Cow::Owned(format!("type{}", self.type_code)),
        }
    }

    /// The Account it acted for; [`AccountId::ZERO`] for what validators agreed on by themselves.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The Sequence or Ticket.
    #[must_use]
    pub fn seq(&self) -> SeqProxy {
        self.seq
    }
}

impl From<&Transaction> for LedgerTx {
    fn from(tx: &Transaction) -> LedgerTx {
        LedgerTx {
            object: tx.object().clone(),
            id: tx.id(),
            type_code: tx.tx_type().code(),
            account: tx.account(),
            seq: tx.seq(),
        }
    }
}

/// Names it and no more, as that of a [`Transaction`].
impl fmt::Debug for LedgerTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerTx")
            .field("tx_type", &self.type_name())
            .field("account", &self.account)
            .field("seq", &self.seq)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
