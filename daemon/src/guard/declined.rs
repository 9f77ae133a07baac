//! Why the guard gives nothing.

use treasury_core::units::{AccountId, Amount, EscrowKey, RippleTime};

use super::stops::Stop;

/// Why the guard refuses. Nothing has changed then. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Declined {
    /// Somebody has stopped it.
    #[error("{subject} is stopped ({id}) by {by}: {reason}", subject = .0.subject, id = .0.id, by = .0.by, reason = .0.reason)]
    Stopped(Stop),
    /// The guard has made no condition for these terms.
    #[error("no condition was made here for these terms of {0}")]
    Unknown(EscrowKey),
    /// It has made one for other terms.
    #[error("a condition was made here for other terms of {0}")]
    OtherTerms(EscrowKey),
    /// The terms are of another network.
    #[error("the terms are of another network than the guard is on")]
    Network,
    /// The terms make no sense.
    #[error("{0}")]
    BadTerms(&'static str),
    /// The owner is not among those that are guarded.
    #[error("{0} is none of the owners that are guarded here")]
    Owner(AccountId),
    /// The destination is not allowed.
    #[error("{0} is none of the destinations that are allowed here")]
    Destination(AccountId),
    /// More than one escrow may hold.
    #[error("an escrow may hold at most {}", .0.words())]
    Amount(Amount),
    /// The asset is none that is allowed.
    #[error("no amount of {0} is allowed here")]
    Asset(String),
    /// With it more would have been given within a period than may be.
    #[error("at most {} may be released within {period_seconds} s, and {} was given", most.words(), given.words())]
    Limit {
        /// What may be.
        most: Amount,
        /// Within so long.
        period_seconds: u32,
        /// What was.
        given: Amount,
    },
    /// The guard's own servers do not let it see.
    #[error("the ledger is not seen: {0}")]
    Blind(String),
    /// There is no such escrow.
    #[error("{0} is not on the validated ledger")]
    NoEscrow(EscrowKey),
    /// What is on the ledger is not what was agreed.
    #[error("the escrow on the ledger differs from what was agreed in {0}")]
    Differs(String),
    /// Another escrow would be opened by the same preimage.
    #[error("{0} has the same Condition")]
    Shared(EscrowKey),
    /// FinishAfter has not passed.
    #[error("it may not be finished before {0} has passed")]
    Early(RippleTime),
    /// CancelAfter has passed.
    #[error("CancelAfter ({0}) has passed")]
    Over(RippleTime),
    /// The delay that was promised has not been kept.
    #[error("it has stood for {stood_seconds} s; at least {least_seconds} s are asked for")]
    Delay {
        /// How long it has stood, by the ledgers' close times.
        stood_seconds: u32,
        /// How long it has to.
        least_seconds: u32,
    },
    /// The keystore lacks a key.
    #[error("the guard's keystore has no key {version}; restore a backup that has it")]
    NoKey {
        /// Its version.
        version: u32,
    },
    /// There are as many as may be.
    #[error("there are as many conditions as are kept")]
    Full,
    /// The store does not take it.
    #[error("the guard's store failed")]
    Store,
}

impl Declined {
    /// Every code, in the order of the reference.
    pub const CODES: [&'static str; 20] = [
        "guard_stopped",
        "guard_unknown_terms",
        "guard_other_terms",
        "guard_network",
        "guard_bad_terms",
        "guard_owner",
        "guard_destination",
        "guard_amount",
        "guard_asset",
        "guard_limit",
        "guard_blind",
        "guard_no_escrow",
        "guard_escrow_differs",
        "guard_condition_shared",
        "guard_early",
        "guard_over",
        "guard_delay",
        "guard_no_key",
        "guard_full",
        "guard_store",
    ];

    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Stopped(_) => "guard_stopped",
            Self::Unknown(_) => "guard_unknown_terms",
            Self::OtherTerms(_) => "guard_other_terms",
            Self::Network => "guard_network",
            Self::BadTerms(_) => "guard_bad_terms",
            Self::Owner(_) => "guard_owner",
            Self::Destination(_) => "guard_destination",
            Self::Amount(_) => "guard_amount",
            Self::Asset(_) => "guard_asset",
            Self::Limit { .. } => "guard_limit",
            Self::Blind(_) => "guard_blind",
            Self::NoEscrow(_) => "guard_no_escrow",
            Self::Differs(_) => "guard_escrow_differs",
            Self::Shared(_) => "guard_condition_shared",
            Self::Early(_) => "guard_early",
            Self::Over(_) => "guard_over",
            Self::Delay { .. } => "guard_delay",
            Self::NoKey { .. } => "guard_no_key",
            Self::Full => "guard_full",
            Self::Store => "guard_store",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Stopped(_) => "whoever guards lifts it, or the money comes back after CancelAfter",
            Self::Unknown(_) | Self::OtherTerms(_) | Self::Differs(_) | Self::Shared(_) => {
                "this does not pass; look at the escrow and at the daemon, and let the money come back"
            }
            Self::Network | Self::BadTerms(_) => "see what the daemon and the guard are configured for",
            Self::Owner(_) | Self::Destination(_) | Self::Amount(_) | Self::Asset(_) | Self::Limit { .. } => {
                "the guard's [policy] says so; it is changed by whoever runs the guard"
            }
            Self::Blind(_) => "see the guard's ledger servers and its clock",
            Self::NoEscrow(_) => "it has ended, or was not made yet",
            Self::Early(_) | Self::Delay { .. } => "wait",
            Self::Over(_) => "it is taken back now",
            Self::NoKey { .. } | Self::Full | Self::Store => "see the guard's keystore, store and disk",
        }
    }
}
