//! What people may do, and what places accounts have.

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

/// An account's place in the treasury.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Most of the money; people alone sign.
    Cold,
    /// Pays large amounts and fills the hot account.
    Warm,
    /// Pays small amounts by itself.
    Hot,
    /// The notice board for messages on the ledger.
    Board,
    /// Pays the fees of EscrowFinish and EscrowCancel; has no authority over the treasury.
    Runner,
}

impl Tier {
    /// The word for it, in the configuration, texts and the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Warm => "warm",
            Self::Hot => "hot",
            Self::Board => "board",
            Self::Runner => "runner",
        }
    }
}
