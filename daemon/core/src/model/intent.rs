//! What somebody wants done, and who.

use serde::{Deserialize, Serialize};

use crate::model::units::{AccountId, Drops, EscrowKey};

/// What somebody wants done. How it is done (at once, or through an escrow) is policy's to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Intent {
    /// Pay XRP to somebody.
    Pay {
        /// Who is paid.
        destination: AccountId,
        /// `DestinationTag`, where the recipient asks for one.
        destination_tag: Option<u32>,
        /// How much, in drops.
        amount: Drops,
    },
    /// Move XRP between two of the treasury's accounts along a tier link.
    Move {
        /// The link's name.
        link: String,
        /// The account that receives.
        destination: AccountId,
        /// How much, in drops.
        amount: Drops,
    },
    /// Put Tickets into the account's pool.
    CreateTickets {
        /// How many, 1 to 250.
        count: u32,
    },
    /// Release an escrow: EscrowFinish with the fulfillment. Sent by the runner.
    FinishEscrow {
        /// Which.
        escrow: EscrowKey,
    },
    /// Take an escrow back: EscrowCancel. Sent by the runner.
    CancelEscrow {
        /// Which.
        escrow: EscrowKey,
    },
}

impl Intent {
    /// The word that policy, metrics and lists use for it.
    #[must_use]
    pub fn kind(&self) -> IntentKind {
        match self {
            Self::Pay { .. } => IntentKind::Pay,
            Self::Move { .. } => IntentKind::Move,
            Self::CreateTickets { .. } => IntentKind::CreateTickets,
            Self::FinishEscrow { .. } => IntentKind::FinishEscrow,
            Self::CancelEscrow { .. } => IntentKind::CancelEscrow,
        }
    }

    /// The XRP that leaves the account by it, fees aside.
    #[must_use]
    pub fn amount(&self) -> Drops {
        match self {
            Self::Pay { amount, .. } | Self::Move { amount, .. } => *amount,
            _ => Drops::ZERO,
        }
    }

    /// Who receives.
    #[must_use]
    pub fn destination(&self) -> Option<AccountId> {
        match self {
            Self::Pay { destination, .. } | Self::Move { destination, .. } => Some(*destination),
            _ => None,
        }
    }
}

/// The kinds of [`Intent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentKind {
    /// See [`Intent::Pay`].
    Pay,
    /// See [`Intent::Move`].
    Move,
    /// See [`Intent::CreateTickets`].
    CreateTickets,
    /// See [`Intent::FinishEscrow`].
    FinishEscrow,
    /// See [`Intent::CancelEscrow`].
    CancelEscrow,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asker {
    /// A person, by name.
    Person(String),
    /// The daemon itself: tier links, Ticket pools, the escrow guard.
    Daemon,
}

impl std::fmt::Display for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::Daemon => f.write_str("treasuryd"),
        }
    }
}
