//! What somebody says for something that waits for people.

use serde::{Deserialize, Serialize};

use crate::model::observe::LedgerPoint;

/// Somebody wants a table in force, or confirms an entry of the address book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endorsement {
    /// Why, in their words.
    pub reason: String,
    /// When.
    pub at: LedgerPoint,
}
