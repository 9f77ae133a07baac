//! What people may do.

use serde::{Deserialize, Serialize};

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May propose payments.
    Proposer,
    /// Signatures count towards a rule that asks for approvers.
    Approver,
    /// May flag, clear and freeze.
    Security,
    /// May lift a freeze and close the circuit breaker.
    Admin,
}

impl Role {
    /// The word for it, in the configuration, texts and the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Proposer => "proposer",
            Self::Approver => "approver",
            Self::Security => "security",
            Self::Admin => "admin",
        }
    }
}
