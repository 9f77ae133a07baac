//! What became of a transaction: the server's result codes.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Declares the table of results and a const for each.
macro_rules! results {
    ($($name:ident = $code:expr, $message:literal;)*) => {
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

/// A result code: a number first, and a name where the server's table of this program's time has one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxResult(i16);

/// Names for numbers that metadata may hold and the table does not have.
static UNKNOWN_NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    (0..=u8::MAX).map(|code| format!("{}{code}", if code < 100 { "result" } else { "tec" })).collect()
});

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

    /// The name, as it stands in JSON; such as `tec201` for a number that the table does not have.
    pub fn name(self) -> &'static str {
        match self.row() {
            Some(row) => row.name,
            None => {
                let code = usize::try_from(self.0).ok();
                code.and_then(|code| UNKNOWN_NAMES.get(code)).map_or("-", String::as_str)
            }
        }
    }

    /// The server's sentence about it.
    pub fn message(self) -> &'static str {
        self.row().map_or("Not known to this release.", |row| row.message)
    }

    /// Of the number in a validated ledger, which may be younger than the table.
    pub fn of_ledger(code: u8) -> TxResult {
        TxResult(i16::from(code))
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
        let unknown = || (0..=u8::MAX).map(TxResult::of_ledger).find(|result| result.name() == name);
        TxResult::from_name(&name).or_else(unknown).ok_or_else(|| serde::de::Error::custom("no result code"))
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

    #[test]
    fn a_number_that_the_table_does_not_have_has_a_class_and_a_name() {
        let result = TxResult::of_ledger(201);
        assert_eq!((result.code(), result.name()), (201, "tec201"));
        assert!(result.is_tec() && !result.is_tes());
        let stored = serde_json::to_string(&result).unwrap();
        assert_eq!(serde_json::from_str::<TxResult>(&stored).unwrap(), result);
        let odd = TxResult::of_ledger(7);
        assert_eq!((odd.name(), odd.is_tes(), odd.is_tec()), ("result7", false, false));
        assert_eq!(TxResult::of_ledger(0), TxResult::tesSUCCESS);
        assert_eq!(TxResult::from_name("tec201"), None, "what a server says is the table's or nothing");
        assert!(serde_json::from_str::<TxResult>("\"tec1\"").is_err());
    }
}
