//! Fields: the codes, names and kinds of everything the ledger writes.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// Declares the table of fields and a const for each.
macro_rules! fields {
    ($($kind:ident: $($nth:literal $name:ident $use:ident,)* ;)*) => {
        /// A const for every field, spelled as XRPL spells it.
        #[allow(non_upper_case_globals, missing_docs)]
        pub mod sf {
            use super::{Field, FieldType};
            $($(pub const $name: Field = Field::of(FieldType::$kind, $nth);)*)*
        }

        /// Every field, in canonical order.
        pub(super) static TABLE: &[FieldInfo] = &[
            $($(FieldInfo {
                field: Field::of(FieldType::$kind, $nth),
                name: stringify!($name),
                kind: FieldType::$kind,
                usage: Use::$use,
            },)*)*
        ];
    };
}

mod table;

pub use table::sf;

/// A field: its type's code in the upper half, its number in the lower. Ordered as the ledger writes fields.
/// Only fields of the server's table exist.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(u32);

/// What a field holds, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of the values")]
pub enum FieldType {
    U8,
    U16,
    U32,
    U64,
    I32,
    I64,
    Hash128,
    Hash160,
    Hash192,
    Hash256,
    Amount,
    Blob,
    Account,
    Number,
    Object,
    Array,
    PathSet,
    Vector256,
    Currency,
    Issue,
    XChainBridge,
}

/// Where a field is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Written, and part of what is signed.
    Signed,
    /// Written, never part of what is signed.
    Unsigned,
    /// In JSON alone.
    Virtual,
}

/// One row of the table.
#[derive(Debug)]
struct FieldInfo {
    field: Field,
    name: &'static str,
    kind: FieldType,
    usage: Use,
}

static BY_NAME: LazyLock<HashMap<&'static str, Field>> =
    LazyLock::new(|| table::TABLE.iter().map(|info| (info.name, info.field)).collect());

impl Field {
    /// Of a type and a number below 65536.
    const fn of(kind: FieldType, nth: u32) -> Field {
        Field(kind.code() << 16 | nth)
    }

    fn info(self) -> Option<&'static FieldInfo> {
        let at = table::TABLE.binary_search_by_key(&self, |info| info.field).ok()?;
        table::TABLE.get(at)
    }

    /// The name, as it stands in JSON.
    pub fn name(self) -> &'static str {
        // Every Field comes from the table, so there always is a row.
        self.info().map_or("", |info| info.name)
    }

    /// What it holds.
    pub fn field_type(self) -> FieldType {
        self.info().map_or(FieldType::Blob, |info| info.kind)
    }

    /// Whether it is part of what is signed.
    pub fn is_signing(self) -> bool {
        self.info().is_some_and(|info| info.usage == Use::Signed)
    }

    /// Whether it is written at all, rather than shown in JSON alone.
    pub fn is_serialized(self) -> bool {
        self.info().is_some_and(|info| info.usage != Use::Virtual)
    }

    /// Whether a length is written before the value.
    pub fn is_vl(self) -> bool {
        matches!(self.field_type(), FieldType::Blob | FieldType::Account | FieldType::Vector256)
    }

    /// The type's code in the upper 16 bits, the field's number in the lower.
    pub fn code(self) -> u32 {
        self.0
    }

    /// The number within its type.
    pub fn nth(self) -> u32 {
        self.0 & 0xFFFF
    }

    /// The field of a name.
    pub fn from_name(name: &str) -> Option<Field> {
        BY_NAME.get(name).copied()
    }

    /// The field of a code.
    pub fn from_code(code: u32) -> Option<Field> {
        Field(code).info().map(|info| info.field)
    }

    /// Every field, in canonical order.
    pub fn all() -> impl Iterator<Item = Field> {
        table::TABLE.iter().map(|info| info.field)
    }
}

impl FieldType {
    /// The number of the type in field headers.
    pub const fn code(self) -> u32 {
        match self {
            FieldType::U16 => 1,
            FieldType::U32 => 2,
            FieldType::U64 => 3,
            FieldType::Hash128 => 4,
            FieldType::Hash256 => 5,
            FieldType::Amount => 6,
            FieldType::Blob => 7,
            FieldType::Account => 8,
            FieldType::Number => 9,
            FieldType::I32 => 10,
            FieldType::I64 => 11,
            FieldType::Object => 14,
            FieldType::Array => 15,
            FieldType::U8 => 16,
            FieldType::Hash160 => 17,
            FieldType::PathSet => 18,
            FieldType::Vector256 => 19,
            FieldType::Hash192 => 21,
            FieldType::Issue => 24,
            FieldType::XChainBridge => 25,
            FieldType::Currency => 26,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_canonical_order_and_found_by_name_and_code() {
        let all: Vec<Field> = Field::all().collect();
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(all.len() > 340);
        for field in all {
            assert_eq!(Field::from_name(field.name()), Some(field));
            assert_eq!(Field::from_code(field.code()), Some(field));
            assert_eq!(field.field_type().code(), field.code() >> 16);
        }
        assert_eq!(Field::from_name("NoSuchField"), None);
        assert_eq!(Field::from_code(0), None);
        assert_eq!(Field::from_code(u32::MAX), None);
    }

    #[test]
    fn signatures_are_written_and_not_signed() {
        for field in [sf::TxnSignature, sf::Signers, sf::Signature, sf::BatchSigners] {
            assert!(field.is_serialized() && !field.is_signing(), "{field}");
        }
        assert!(sf::SigningPubKey.is_signing());
        assert!(!sf::hash.is_serialized());
        assert_eq!(sf::TicketSequence.code(), 0x0002_0029);
    }
}
