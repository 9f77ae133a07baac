//! Fields: the codes, names and kinds of everything the ledger writes.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use crate::encode::type_name;

/// Declares the table of fields and a const for each.
macro_rules! fields {
    ($($kind:ident { $($nth:tt $name:ident $use:ident,)* })*) => {
        /// A const for every field, spelled as XRPL spells it.
        #[allow(non_upper_case_globals, missing_docs)]
        pub mod sf {
            use super::{Field, FieldType, Use};
            #[allow(unused_imports, reason = "the numbers that can still move")]
            use crate::cosign::*;
            $($(pub const $name: Field = Field::of(FieldType::$kind, $nth, Use::$use);)*)*
        }

        /// Every field, in canonical order.
        pub(super) static TABLE: &[FieldInfo] = &[
            $($(FieldInfo {
                field: Field::of(FieldType::$kind, $nth, Use::$use),
                name: stringify!($name),
                #[cfg(test)]
                kind: FieldType::$kind,
            },)*)*
        ];
    };
}

mod table;

pub use table::sf;

/// A field: its type's code in the upper byte, its number in the two below, and in the last how it is used, so
/// that writing an object looks nothing up. Ordered as the ledger writes fields. Fields that are not in the table
/// come of [`Object::decode_lenient`](crate::Object::decode_lenient) alone.
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
    /// No field of the table has it, nor the next two; how long they are is known all the same.
    U96,
    U384,
    U512,
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
    #[cfg(test)]
    kind: FieldType,
}

/// More than any number of a field: each type has so many places in [`BY_CODE`].
const NUMBERS: usize = 260;

/// The rows by type and number. Every field that is read is looked up here, so it is a table and not a search.
static BY_CODE: LazyLock<Vec<Option<&'static FieldInfo>>> = LazyLock::new(|| {
    let mut rows = vec![None; 27 * NUMBERS];
    for info in table::TABLE {
        if let Some(row) = place(info.field.code()).and_then(|at| rows.get_mut(at)) {
            *row = Some(info);
        }
    }
    rows
});

/// Where the row of a code stands in [`BY_CODE`].
fn place(code: u32) -> Option<usize> {
    let (kind, nth) = (usize::try_from(code >> 16).ok()?, usize::try_from(code & 0xFFFF).ok()?);
    (nth < NUMBERS).then(|| kind * NUMBERS + nth)
}

/// The bit of fields that are written, and that of those that are signed too.
const WRITTEN: u32 = 1;
const SIGNED: u32 = 2;

/// Names of fields that the table does not hold, by type and number: `Blob.47` for a Blob that has the number 47.
/// No field of the table has a name with a dot.
static UNKNOWN_NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let name = |(kind, nth): (u32, usize)| match FieldType::from_code(kind) {
        Some(kind) => format!("{}.{nth}", type_name(kind)),
        None => String::new(),
    };
    (0..27).flat_map(|kind| (0..NUMBERS).map(move |nth| (kind, nth))).map(name).collect()
});

static BY_NAME: LazyLock<HashMap<&'static str, Field>> =
    LazyLock::new(|| table::TABLE.iter().map(|info| (info.name, info.field)).collect());

impl Field {
    /// Of a type and a number below 65536.
    const fn of(kind: FieldType, nth: u32, usage: Use) -> Field {
        let usage = match usage {
            Use::Virtual => 0,
            Use::Unsigned => WRITTEN,
            Use::Signed => WRITTEN | SIGNED,
        };
        Field(kind.code() << 24 | nth << 8 | usage)
    }

    /// A field that the table does not hold. It is taken to be signed, as nearly all are.
    pub(crate) fn unknown(kind: FieldType, nth: u8) -> Field {
        Field::of(kind, u32::from(nth), Use::Signed)
    }

    /// Whether the table holds it.
    pub fn is_known(self) -> bool {
        self.info().is_some()
    }

    fn info(self) -> Option<&'static FieldInfo> {
        *BY_CODE.get(place(self.code())?)?
    }

    /// The name, as it stands in JSON.
    pub fn name(self) -> &'static str {
        match self.info() {
            Some(info) => info.name,
            // A number of a read field is a byte, so it has a place.
            None => place(self.code()).and_then(|at| UNKNOWN_NAMES.get(at)).map_or("", String::as_str),
        }
    }

    /// What it holds.
    pub fn field_type(self) -> FieldType {
        // Every Field is made of a type.
        FieldType::from_code(self.0 >> 24).unwrap_or(FieldType::Blob)
    }

    /// Whether it is part of what is signed.
    pub fn is_signing(self) -> bool {
        self.0 & SIGNED != 0
    }

    /// Whether it is written at all, rather than shown in JSON alone.
    pub fn is_serialized(self) -> bool {
        self.0 & WRITTEN != 0
    }

    /// Whether a length is written before the value.
    pub fn is_vl(self) -> bool {
        matches!(self.field_type(), FieldType::Blob | FieldType::Account | FieldType::Vector256)
    }

    /// The type's code in the upper 16 bits, the field's number in the lower.
    pub fn code(self) -> u32 {
        self.0 >> 24 << 16 | self.nth()
    }

    /// The number within its type.
    pub fn nth(self) -> u32 {
        self.0 >> 8 & 0xFFFF
    }

    /// The field of a name.
    pub fn from_name(name: &str) -> Option<Field> {
        BY_NAME.get(name).copied()
    }

    /// The field of a code.
    pub fn from_code(code: u32) -> Option<Field> {
        BY_CODE.get(place(code)?)?.map(|info| info.field)
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
            FieldType::U96 => 20,
            FieldType::Hash192 => 21,
            FieldType::U384 => 22,
            FieldType::U512 => 23,
            FieldType::Issue => 24,
            FieldType::XChainBridge => 25,
            FieldType::Currency => 26,
        }
    }

    /// The type of a number.
    pub(crate) const fn from_code(code: u32) -> Option<FieldType> {
        Some(match code {
            1 => FieldType::U16,
            2 => FieldType::U32,
            3 => FieldType::U64,
            4 => FieldType::Hash128,
            5 => FieldType::Hash256,
            6 => FieldType::Amount,
            7 => FieldType::Blob,
            8 => FieldType::Account,
            9 => FieldType::Number,
            10 => FieldType::I32,
            11 => FieldType::I64,
            14 => FieldType::Object,
            15 => FieldType::Array,
            16 => FieldType::U8,
            17 => FieldType::Hash160,
            18 => FieldType::PathSet,
            19 => FieldType::Vector256,
            20 => FieldType::U96,
            21 => FieldType::Hash192,
            22 => FieldType::U384,
            23 => FieldType::U512,
            24 => FieldType::Issue,
            25 => FieldType::XChainBridge,
            26 => FieldType::Currency,
            _ => return None,
        })
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
            assert_eq!(field.info().map(|info| info.kind), Some(field.field_type()));
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
