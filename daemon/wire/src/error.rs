//! The one error of reading and writing the ledger's formats.

use crate::Field;

/// Why bytes or JSON are not what the ledger would write, or why an object cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes stop in the middle of a value.
    #[error("truncated at byte {offset}: {needed} more bytes needed")]
    Truncated {
        /// Where the missing bytes should begin.
        offset: usize,
        /// How many are missing at least.
        needed: usize,
    },
    /// Bytes follow the end of the object.
    #[error("trailing bytes from byte {offset}")]
    Trailing {
        /// The first byte too many.
        offset: usize,
    },
    /// A field code the table does not hold.
    #[error("unknown field: type {type_code}, field {nth}, at byte {offset}")]
    UnknownFieldCode {
        /// The code of the field's type.
        type_code: u32,
        /// The field's number within its type.
        nth: u32,
        /// Where its header begins.
        offset: usize,
    },
    /// A field name the table does not hold.
    #[error("unknown field `{0}`")]
    UnknownFieldName(String),
    /// A field header or a length that could have been written shorter.
    #[error("a header or length is not in its shortest form at byte {offset}")]
    NotShortest {
        /// Where it begins.
        offset: usize,
    },
    /// A field comes after one that sorts behind it.
    #[error("field {} out of canonical order at byte {offset}", field.name())]
    Order {
        /// The field.
        field: Field,
        /// Where its header begins.
        offset: usize,
    },
    /// A field comes twice in one object.
    #[error("field {} comes twice, at byte {offset}", field.name())]
    Duplicate {
        /// The field.
        field: Field,
        /// Where the second begins.
        offset: usize,
    },
    /// An end marker where none belongs.
    #[error("unexpected end marker at byte {offset}")]
    UnexpectedEnd {
        /// Where it is.
        offset: usize,
    },
    /// Objects in arrays in objects, deeper than [`crate::MAX_DEPTH`].
    #[error("nested deeper than {} levels", crate::MAX_DEPTH)]
    TooDeep,
    /// More bytes than [`crate::MAX_BYTES`], or a blob longer than a length can say.
    #[error("too large: {0} bytes")]
    TooLarge(usize),
    /// A value that its type does not allow.
    #[error("field {}: {what}", field.name())]
    Invalid {
        /// The field it stands in.
        field: Field,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A value of another type than the field's.
    #[error("field {} cannot hold a {found}", field.name())]
    TypeMismatch {
        /// The field.
        field: Field,
        /// The type of the value.
        found: &'static str,
    },
    /// JSON of another kind than asked for.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A field that must be there is not.
    #[error("field {} is missing", .0.name())]
    Missing(Field),
}

impl CodecError {
    /// What is wrong with an issued amount whose currency is XRP's.
    pub const ISSUED_XRP: &'static str = "an issued amount of XRP";
    /// What is wrong with an issued amount that account zero would have issued.
    pub const ISSUED_BY_NOBODY: &'static str = "an issued amount of no issuer";
    /// What is wrong with an issued amount that could be written shorter, or is too large.
    pub const ISSUED_NOT_NORMAL: &'static str = "an issued amount that is not in normal form";
    /// What is wrong with a zero that says it is less than nothing.
    pub const NEGATIVE_ZERO: &'static str = "a zero below zero";

    /// A stable name of the error, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            CodecError::Truncated { .. } => "codec_truncated",
            CodecError::Trailing { .. } => "codec_trailing_bytes",
            CodecError::UnknownFieldCode { .. } | CodecError::UnknownFieldName(_) => "codec_unknown_field",
            CodecError::NotShortest { .. } => "codec_not_shortest",
            CodecError::Order { .. } => "codec_field_order",
            CodecError::Duplicate { .. } => "codec_duplicate_field",
            CodecError::UnexpectedEnd { .. } => "codec_unexpected_end",
            CodecError::TooDeep => "codec_too_deep",
            CodecError::TooLarge(_) => "codec_too_large",
            CodecError::Invalid { .. } => "codec_invalid_value",
            CodecError::TypeMismatch { .. } => "codec_type_mismatch",
            CodecError::Expected(_) => "codec_unexpected_json",
            CodecError::Missing(_) => "codec_missing_field",
        }
    }
}
