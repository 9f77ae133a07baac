//! What anomaly rules see, by kinds, and what follows from each.

use serde::{Deserialize, Serialize};

/// What an anomaly rule saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A transaction of a treasury account that no proposal asked for.
    SpendWithoutProposal,
    /// An escrow of a treasury account that no proposal asked for.
    ForeignEscrow,
    /// A SignerList differs from what is declared.
    SignerListDrift,
    /// A Ticket that a proposal held was used by another transaction.
    TicketTaken,
    /// The full reconcile found the daemon's view different from the ledger.
    ViewDiffers,
    /// A transaction was refused for a reason that will not pass.
    SubmissionRefused,
    /// No endpoint has ledgers that the daemon did not take in: what the account did in them is not known.
    HistoryMissing,
    /// A transaction that this program cannot read whole touched the account.
    OpaqueTransaction,
    /// A proposal's transaction was sent by somebody else: before the daemon sent it, after it had ended, or
    /// with other signers than the daemon put together.
    SentElsewhere,
    /// The daemon's own keys signed what it did not ask for: another daemon has them, or this one's store is of before.
    KeysElsewhere,
    /// A key that the daemon holds did not sign, or the ledger does not let it sign for its account.
    AgentCannotSign,
    /// A key can sign for an account beside its SignerList: its master key is enabled, or it has a RegularKey.
    KeyBesideList,
    /// Of the declared signers some cannot sign, and one more loss would leave the SignerQuorum out of reach.
    FewSigners,
    /// The runner cannot pay for many more EscrowFinish and EscrowCancel transactions.
    RunnerPoor,
    /// The destination of an escrow that waits was deleted, or has other keys or settings than before.
    RecipientChanged,
    /// A payment is asked for that is far above what the account has paid of late.
    UnusualAmount,
    /// A large payment to a new destination is asked for.
    LargeToNew,
    /// An account pays often.
    Velocity,
    /// A payment to somebody on a list is asked for.
    ListedDestination,
    /// Much of what somebody asks for is rejected.
    ManyRejections,
    /// Signatures of somebody are refused again and again.
    SignaturesRefused,
    /// A fulfillment has left, and its EscrowFinish is in no validated ledger.
    RevealPending,
    /// A scheduled payment could not be asked for in time.
    ScheduleMissed,
    /// The guard refuses its part of what makes or releases an escrow.
    GuardRefused,
    /// The guard does not answer, and the window of an escrow that it guards closes.
    GuardSilent,
    /// An account that nothing fills, with all that is filled from it, will run out of money soon.
    RunwayShort,
    /// The loss of one key, person, vendor or place would lock the account.
    OneLossLocks,
    /// Logins or tokens from one origin are refused again and again.
    FailedLogins,
    /// The host's clock and the ledger's are apart.
    ClockSkew,
    /// The validated ledger was not seen for long.
    Blind,
    /// A rule is switched off, or tells of what it finds to nobody.
    RuleSilenced,
    /// Somebody was asked to show that they have their key, and has not.
    DrillOverdue,
    /// Flags, Domain, TransferRate or trust lines of an account differ from what is declared.
    SettingsDrift,
}

impl FindingKind {
    /// Every kind, for configuration and docs.
    pub const ALL: [Self; 33] = [
        Self::SpendWithoutProposal,
        Self::ForeignEscrow,
        Self::SignerListDrift,
        Self::TicketTaken,
        Self::ViewDiffers,
        Self::SubmissionRefused,
        Self::HistoryMissing,
        Self::OpaqueTransaction,
        Self::SentElsewhere,
        Self::KeysElsewhere,
        Self::AgentCannotSign,
        Self::KeyBesideList,
        Self::FewSigners,
        Self::RunnerPoor,
        Self::RecipientChanged,
        Self::UnusualAmount,
        Self::LargeToNew,
        Self::Velocity,
        Self::ListedDestination,
        Self::ManyRejections,
        Self::SignaturesRefused,
        Self::RevealPending,
        Self::ScheduleMissed,
        Self::GuardRefused,
        Self::GuardSilent,
        Self::RunwayShort,
        Self::OneLossLocks,
        Self::FailedLogins,
        Self::ClockSkew,
        Self::Blind,
        Self::RuleSilenced,
        Self::DrillOverdue,
        Self::SettingsDrift,
    ];

    /// The word for it, in configuration, metrics and the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SpendWithoutProposal => "spend_without_proposal",
            Self::ForeignEscrow => "foreign_escrow",
            Self::SignerListDrift => "signer_list_drift",
            Self::TicketTaken => "ticket_taken",
            Self::ViewDiffers => "view_differs",
            Self::SubmissionRefused => "submission_refused",
            Self::HistoryMissing => "history_missing",
            Self::OpaqueTransaction => "opaque_transaction",
            Self::SentElsewhere => "sent_elsewhere",
            Self::KeysElsewhere => "keys_elsewhere",
            Self::AgentCannotSign => "agent_cannot_sign",
            Self::KeyBesideList => "key_beside_list",
            Self::FewSigners => "few_signers",
            Self::RunnerPoor => "runner_poor",
            Self::RecipientChanged => "recipient_changed",
            Self::UnusualAmount => "unusual_amount",
            Self::LargeToNew => "large_to_new",
            Self::Velocity => "velocity",
            Self::ListedDestination => "listed_destination",
            Self::ManyRejections => "many_rejections",
            Self::SignaturesRefused => "signatures_refused",
            Self::RevealPending => "reveal_pending",
            Self::ScheduleMissed => "schedule_missed",
            Self::GuardRefused => "guard_refused",
            Self::GuardSilent => "guard_silent",
            Self::RunwayShort => "runway_short",
            Self::OneLossLocks => "one_loss_locks",
            Self::FailedLogins => "failed_logins",
            Self::ClockSkew => "clock_skew",
            Self::Blind => "blind",
            Self::RuleSilenced => "rule_silenced",
            Self::DrillOverdue => "drill_overdue",
            Self::SettingsDrift => "settings_drift",
        }
    }

    /// What follows where the configuration says nothing. What points at a stolen key holds the
    /// account's escrows; what may be a colleague's doing alerts. Settings are changed by the account's own keys alone, and
    /// what they should be is declared: whoever changed them was not asked to, or the configuration is late.
    #[must_use]
    pub fn default_severity(self) -> Severity {
        match self {
            Self::SentElsewhere | Self::KeysElsewhere => Severity::Freeze,
            Self::SpendWithoutProposal
            | Self::SignerListDrift
            | Self::SettingsDrift
            | Self::TicketTaken
            | Self::ListedDestination => Severity::Hold,
            Self::ForeignEscrow
            | Self::ViewDiffers
            | Self::SubmissionRefused
            | Self::HistoryMissing
            | Self::OpaqueTransaction
            | Self::AgentCannotSign
            | Self::KeyBesideList
            | Self::FewSigners
            | Self::RunnerPoor
            | Self::RecipientChanged
            | Self::UnusualAmount
            | Self::LargeToNew
            | Self::Velocity
            | Self::ManyRejections
            | Self::SignaturesRefused
            | Self::RevealPending
            | Self::ScheduleMissed
            | Self::GuardRefused
            | Self::GuardSilent
            | Self::RunwayShort
            | Self::OneLossLocks
            | Self::FailedLogins
            | Self::ClockSkew
            | Self::Blind
            | Self::RuleSilenced
            | Self::DrillOverdue => Severity::Alert,
        }
    }
}

/// What follows from a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It is written down.
    Log,
    /// People are told.
    Alert,
    /// Nothing leaves the account, enters it from the treasury's others, or is released from its escrows
    /// until someone lifts the hold.
    Hold,
    /// As a hold; and nothing more is sent for what is revealed already.
    Freeze,
}

impl Severity {
    /// The word for it, in configuration and for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Alert => "alert",
            Self::Hold => "hold",
            Self::Freeze => "freeze",
        }
    }
}
