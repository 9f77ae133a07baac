//! What was asked elsewhere about whom a payment goes to, before it was asked for. It is stored with the proposal, so that what
//! was decided by it can be decided again.

use serde::{Deserialize, Serialize};

use crate::model::observe::RootView;
use crate::model::units::LedgerIndex;

/// What is known of a destination that is in nobody's book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inquiry {
    /// Its account; `None`: it was not read, or could not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountRead>,
}

impl Inquiry {
    /// Whether nothing was asked, or nothing was answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An account as it was in a validated ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRead {
    /// In which.
    pub at: LedgerIndex,
    /// `None`: it was not there.
    pub root: Option<RootView>,
}
