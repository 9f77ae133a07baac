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
    /// What whoever screens destinations says of it; `None`: nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screening: Option<Screening>,
}

impl Inquiry {
    /// Whether nothing was asked, or nothing was answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What came of asking whoever screens destinations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "screening", rename_all = "snake_case", deny_unknown_fields)]
pub enum Screening {
    /// An answer.
    Answered {
        /// Whether it must not be paid.
        deny: bool,
        /// How unusual it is, 0 to 100.
        score: u8,
        /// What it is, in a few words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        /// Where the answer is found with whoever gave it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// None, or one that is none.
    Failed {
        /// Why, for people; holds nothing of what was said.
        why: String,
    },
}

impl Screening {
    /// What was answered, in words.
    fn words(label: Option<&str>, reference: Option<&str>) -> String {
        match (label, reference) {
            (Some(label), Some(reference)) => format!("{label} ({reference})"),
            (Some(only), None) | (None, Some(only)) => only.to_owned(),
            (None, None) => "nothing else is said of it".to_owned(),
        }
    }

    /// Why nothing may leave to it; `None` where nothing speaks against it.
    #[must_use]
    pub fn against(&self) -> Option<String> {
        match self {
            Self::Answered { deny: true, label, reference, .. } => {
                Some(format!("is to be denied: {}", Self::words(label.as_deref(), reference.as_deref())))
            }
            Self::Answered { .. } => None,
            Self::Failed { why } => Some(format!("failed: {why}")),
        }
    }

    /// How unusual it is, where that was answered, and why.
    #[must_use]
    pub fn score(&self) -> Option<(u8, String)> {
        match self {
            Self::Answered { score, label, reference, .. } => {
                Some((*score, format!("screened: {}", Self::words(label.as_deref(), reference.as_deref()))))
            }
            Self::Failed { .. } => None,
        }
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
