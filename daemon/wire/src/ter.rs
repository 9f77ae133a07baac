//! What became of a transaction: the server's result codes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Declares the table of results and a const for each.
macro_rules! results {
    ($($name:ident = $code:literal, $message:literal;)*) => {
        #[allow(non_upper_case_globals, missing_docs)]
        impl TxResult {
            $(pub const $name: TxResult = TxResult($code);)*
        }

        /// Every result, by code.
        pub(super) static TABLE: &[Row] = &[
            $(Row { code: $code, name: stringify!($name), message: $message },)*
        ];
    };
}

mod table;

/// A result code of the server's table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxResult(i16);

/// One row of the table.
#[derive(Debug)]
struct Row {
    code: i16,
    name: &'static str,
    message: &'static str,
}

impl TxResult {
    /// The number.
    pub fn code(self) -> i32 {
        i32::from(self.0)
    }

    /// The name, as it stands in JSON.
    pub fn name(self) -> &'static str {
        self.row().map_or("-", |row| row.name)
    }

    /// The server's sentence about it.
    pub fn message(self) -> &'static str {
        self.row().map_or("-", |row| row.message)
    }

    /// Of a name.
    pub fn from_name(name: &str) -> Option<TxResult> {
        table::TABLE.iter().find(|row| row.name == name).map(|row| TxResult(row.code))
    }

    /// Of a number.
    pub fn from_code(code: i32) -> Option<TxResult> {
        let result = TxResult(i16::try_from(code).ok()?);
        result.row().map(|_| result)
    }

    /// Every result, by code.
    pub fn all() -> impl Iterator<Item = TxResult> {
        table::TABLE.iter().map(|row| TxResult(row.code))
    }

    /// Applied, and did what it says.
    pub fn is_tes(self) -> bool {
        self.0 == 0
    }

    /// Applied, and did nothing but take the fee and the Sequence or Ticket.
    pub fn is_tec(self) -> bool {
        self.0 >= 100
    }

    /// Not applied now; may be later.
    pub fn is_ter(self) -> bool {
        (-99..0).contains(&self.0)
    }

    /// Not applied, and never will be on this ledger.
    pub fn is_tef(self) -> bool {
        (-199..-99).contains(&self.0)
    }

    /// Malformed: cannot be applied to any ledger.
    pub fn is_tem(self) -> bool {
        (-299..-199).contains(&self.0)
    }

    /// Refused by this server for reasons of its own.
    pub fn is_tel(self) -> bool {
        (-399..-299).contains(&self.0)
    }

    fn row(self) -> Option<&'static Row> {
        let at = table::TABLE.binary_search_by_key(&self.0, |row| row.code).ok()?;
        table::TABLE.get(at)
    }
}

impl fmt::Display for TxResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for TxResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for TxResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for TxResult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TxResult, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        TxResult::from_name(&name).ok_or_else(|| serde::de::Error::custom("no result code"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_is_found_and_belongs_to_the_class_its_name_says() {
        for result in TxResult::all() {
            assert_eq!(TxResult::from_code(result.code()), Some(result));
            assert_eq!(TxResult::from_name(result.name()), Some(result));
            let classes = [
                ("tes", result.is_tes()),
                ("tec", result.is_tec()),
                ("ter", result.is_ter()),
                ("tef", result.is_tef()),
                ("tem", result.is_tem()),
                ("tel", result.is_tel()),
            ];
            for (prefix, is) in classes {
                assert_eq!(result.name().starts_with(prefix), is, "{result} {prefix}");
            }
        }
        assert_eq!(TxResult::tecUNFUNDED_PAYMENT.message(), "Insufficient XRP balance to send.");
        assert_eq!(TxResult::from_code(1), None);
        assert_eq!(TxResult::from_code(70_000), None);
    }
}
