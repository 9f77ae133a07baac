//! The values that fields hold.

use std::fmt;

use crate::{
    AccountId, Amount, Currency, Drops, Field, FieldType, Hash256, Issue, IssuedAmount, Object, OddAmount,
};

/// What a field holds. Its variant must be that of the field's type, or the object cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// 8 bits.
    U8(u8),
    /// 16 bits.
    U16(u16),
    /// 32 bits.
    U32(u32),
    /// 64 bits.
    U64(u64),
    /// 32 bits with a sign.
    I32(i32),
    /// 64 bits with a sign.
    I64(i64),
    /// 16 bytes.
    Hash128([u8; 16]),
    /// 20 bytes.
    Hash160([u8; 20]),
    /// 24 bytes.
    Hash192([u8; 24]),
    /// 32 bytes.
    Hash256(Hash256),
    /// An amount of XRP, of an issued currency or of a token.
    Amount(Amount),
    /// An amount that nobody can have.
    OddAmount(OddAmount),
    /// Any bytes.
    Blob(Vec<u8>),
    /// An account.
    Account(AccountId),
    /// The account field of no account: the format has it, with length zero.
    AccountEmpty,
    /// A decimal number.
    Number(Number),
    /// Fields within a field.
    Object(Object),
    /// A list of objects, each under the field that names it.
    Array(Vec<(Field, Object)>),
    /// Payment paths.
    PathSet(Vec<Vec<PathStep>>),
    /// A list of hashes.
    Vector256(Vec<Hash256>),
    /// A currency.
    Currency(Currency),
    /// An asset.
    Issue(Issue),
    /// A bridge between two ledgers. Rare, and twice as large as everything else: hence the box.
    XChainBridge(Box<XChainBridge>),
    /// What [`Object::decode_lenient`] could tell the end of and not the meaning.
    Raw(RawValue),
}

/// A value as it was written, of a length that its type tells: of a type that no known field has, or one that its
/// type did not allow when this program was written. Comes of [`Object::decode_lenient`] alone.
#[derive(Clone, PartialEq, Eq)]
pub struct RawValue {
    pub(crate) kind: FieldType,
    /// All that follows the field's header, a length before it included.
    pub(crate) bytes: Vec<u8>,
}

impl RawValue {
    /// All that follows the field's header.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for RawValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({} bytes)", self.kind, self.bytes.len())
    }
}

/// A decimal number as the ledger stores it: mantissa × 10^exponent. Zero is 0 and `i32::MIN`. Others than
/// [normal](Number::is_normal) ones cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    /// The digits and the sign.
    pub mantissa: i64,
    /// The power of ten.
    pub exponent: i32,
}

/// One step of a payment path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PathStep {
    /// Rippling through this account.
    pub account: Option<AccountId>,
    /// Changing to this currency; not together with `mpt`.
    pub currency: Option<Currency>,
    /// Changing to this token; not together with `currency`.
    pub mpt: Option<[u8; 24]>,
    /// Changing to this issuer.
    pub issuer: Option<AccountId>,
}

/// A bridge: an account and an asset on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct XChainBridge {
    /// The account on the side where assets are locked.
    pub locking_chain_door: AccountId,
    /// What is locked.
    pub locking_chain_issue: Issue,
    /// The account on the side where assets are issued.
    pub issuing_chain_door: AccountId,
    /// What is issued.
    pub issuing_chain_issue: Issue,
}

impl Number {
    /// Zero.
    pub const ZERO: Number = Number { mantissa: 0, exponent: i32::MIN };
}

impl Value {
    /// The field type whose value this is.
    pub fn field_type(&self) -> FieldType {
        match self {
            Value::U8(_) => FieldType::U8,
            Value::U16(_) => FieldType::U16,
            Value::U32(_) => FieldType::U32,
            Value::U64(_) => FieldType::U64,
            Value::I32(_) => FieldType::I32,
            Value::I64(_) => FieldType::I64,
            Value::Hash128(_) => FieldType::Hash128,
            Value::Hash160(_) => FieldType::Hash160,
            Value::Hash192(_) => FieldType::Hash192,
            Value::Hash256(_) => FieldType::Hash256,
            Value::Amount(_) | Value::OddAmount(_) => FieldType::Amount,
            Value::Blob(_) => FieldType::Blob,
            Value::Account(_) | Value::AccountEmpty => FieldType::Account,
            Value::Number(_) => FieldType::Number,
            Value::Object(_) => FieldType::Object,
            Value::Array(_) => FieldType::Array,
            Value::PathSet(_) => FieldType::PathSet,
            Value::Vector256(_) => FieldType::Vector256,
            Value::Currency(_) => FieldType::Currency,
            Value::Issue(_) => FieldType::Issue,
            Value::XChainBridge(_) => FieldType::XChainBridge,
            Value::Raw(raw) => raw.kind,
        }
    }
}

/// Declares `From` for the types that are some variant's and only that one's.
macro_rules! from {
    ($($from:ty => $variant:ident,)*) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Value {
                Value::$variant(value)
            }
        })*
    };
}

from! {
    u8 => U8,
    u16 => U16,
    u32 => U32,
    u64 => U64,
    i32 => I32,
    i64 => I64,
    [u8; 16] => Hash128,
    [u8; 20] => Hash160,
    [u8; 24] => Hash192,
    Hash256 => Hash256,
    Amount => Amount,
    Vec<u8> => Blob,
    AccountId => Account,
    Number => Number,
    Object => Object,
    Vec<(Field, Object)> => Array,
    Vec<Vec<PathStep>> => PathSet,
    Vec<Hash256> => Vector256,
    Currency => Currency,
    Issue => Issue,
}

impl From<XChainBridge> for Value {
    fn from(bridge: XChainBridge) -> Value {
        Value::XChainBridge(Box::new(bridge))
    }
}

impl From<Drops> for Value {
    fn from(drops: Drops) -> Value {
        Value::Amount(Amount::Xrp(drops))
    }
}

impl From<IssuedAmount> for Value {
    fn from(amount: IssuedAmount) -> Value {
        Value::Amount(Amount::Issued(amount))
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value::Blob(bytes.to_vec())
    }
}

impl From<crate::RippleTime> for Value {
    fn from(time: crate::RippleTime) -> Value {
        Value::U32(time.0)
    }
}

impl From<crate::TransactionType> for Value {
    fn from(kind: crate::TransactionType) -> Value {
        Value::U16(kind.code())
    }
}

impl From<crate::LedgerEntryType> for Value {
    fn from(kind: crate::LedgerEntryType) -> Value {
        Value::U16(kind.code())
    }
}
