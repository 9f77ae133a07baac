//! Why a server cannot be followed, in words for people.

use treasury_core::units::{Hash256, LedgerIndex};
use treasury_tools::text::clean;

use super::reply::{is_busy, is_ledger_missing};
use super::transport::RequestError;

/// Why a server cannot be followed at the moment.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// It cannot be reached, or the request failed.
    #[error(transparent)]
    Request(RequestError),
    /// It has no validated ledger yet.
    #[error("has no validated ledger yet")]
    NotSynced,
    /// It is on another network.
    #[error("is on network {found}, not {wanted}")]
    OtherNetwork {
        /// The one configured.
        wanted: u32,
        /// Its own.
        found: u32,
    },
    /// It does not have a ledger that is needed.
    #[error("does not have ledger {0}")]
    Lacks(LedgerIndex),
    /// A reply is not what it should be.
    #[error("gave a malformed reply to `{method}`: {what}")]
    Malformed {
        /// The method.
        method: &'static str,
        /// What is wrong.
        what: String,
    },
    /// What it gave is not proven by its hashes, or does not follow.
    #[error("ledger {index} is not proven: {what} is {found}, not {wanted}")]
    Unproven {
        /// Which ledger.
        index: LedgerIndex,
        /// Which hash.
        what: &'static str,
        /// As computed or required.
        wanted: Hash256,
        /// As given.
        found: Hash256,
    },
    /// It answers, and reading accounts takes too long.
    #[error("has not let accounts be read within {0} s: its answers come too late, or do not end")]
    Late(u64),
    /// It asks to be asked less.
    #[error("is busy and asks to be asked less ({0})")]
    Busy(String),
    /// Proven, and this program cannot read it: its own fault, and no server's.
    #[error("this release cannot read ledger {index}, and a newer one may: {what}")]
    Unreadable {
        /// Which ledger.
        index: LedgerIndex,
        /// Its hash.
        hash: Hash256,
        /// What of it.
        what: String,
    },
    /// No ledger beyond the one taken last.
    #[error("no new validated ledger for {0} s")]
    Silent(u64),
    /// The connection has ended.
    #[error("the connection ended")]
    Ended,
}

impl From<RequestError> for Trouble {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Server { code, .. } if is_busy(&code) => Self::Busy(code),
            error => Self::Request(error),
        }
    }
}

impl Trouble {
    /// Whether it is a lie or a defect rather than an outage: nothing more is believed until it is settled.
    pub(super) fn is_grave(&self) -> bool {
        matches!(self, Self::Unproven { .. })
    }

    /// What the failure of a request about this ledger means.
    pub(super) fn about(index: LedgerIndex) -> impl FnOnce(RequestError) -> Self {
        move |error| match error {
            RequestError::Server { code, .. } if is_ledger_missing(&code) => Self::Lacks(index),
            error => error.into(),
        }
    }
}

/// So much is kept of what a server says in words.
const SAID_MAX_CHARS: usize = 200;

/// What a server says in words, or what quotes it: it is logged, stored and told.
pub(super) fn in_short(text: &str) -> String {
    clean(&text.chars().take(SAID_MAX_CHARS).collect::<String>())
}

/// What a reply should have been and is not.
pub(super) fn malformed(method: &'static str, what: impl ToString) -> Trouble {
    Trouble::Malformed { method, what: in_short(&what.to_string()) }
}
