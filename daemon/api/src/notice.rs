//! What notices are about, and how much they matter.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::types::Notice;

/// Version of the document. Fields and kinds may be added under the same number; what changes otherwise gets another one.
pub const NOTICE_VERSION: u32 = 1;

/// Version of the document that says what is kept no more. As with a notice's.
pub const TRIMMED_VERSION: u32 = 1;

/// What that is called.
pub const TRIMMED: &str = "trimmed";

/// Before the first of all that are kept, in the place of an id.
pub const START: &str = "start";

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look at it today.
    Warning,
    /// Somebody should be woken.
    Critical,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The severity of that word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.word() == word)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

macro_rules! kinds {
    ($($(#[doc = $says:literal])+ $variant:ident $word:literal,)+) => {
        /// What a notice is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[doc = $says])+ #[serde(rename = $word)] $variant,)+
        }

        impl Kind {
            /// All of them, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word for it.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// When it comes, in words.
            #[must_use]
            pub fn says(self) -> String {
                let lines: &[&str] = match self {
                    $(Self::$variant => &[$($says),+],)+
                };
                lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
            }
        }
    };
}

kinds! {
    /// Somebody, or the daemon itself, asks for something, and policy has decided.
    Created "created",
    /// Policy said no.
    Denied "denied",
    /// Policy asks for more than when it was drafted.
    Redecided "redecided",
    /// A rule of the policy with the action `notify` matches what is asked for; for those whom it names.
    RuleMatched "rule_matched",
    /// The transaction is fixed and people are asked to sign it.
    Wanted "signatures_wanted",
    /// It still waits for signatures; comes to those who can still sign.
    Reminder "reminder",
    /// A checked approval came in.
    Approved "approval_added",
    /// An approval counts no more: taken back, or dead by a change on the ledger.
    ApprovalDropped "approval_dropped",
    /// Somebody spoke against it.
    Objection "objection",
    /// Approvals suffice.
    Quorum "quorum_met",
    /// Approvals suffice no more: others have to sign.
    QuorumLost "quorum_lost",
    /// A transaction is about to be sent.
    Submitted "submitted",
    /// What is in flight was put together anew from the approvals that the ledger still takes.
    Renewed "salvaged",
    /// It is in a validated ledger and did what it was for.
    Validated "validated",
    /// It is in a validated ledger and has only cost its fee.
    Failed "failed",
    /// Its time is over; it can never be applied.
    Expired "expired",
    /// Enough weight spoke against it.
    Rejected "rejected",
    /// Its asker took it back.
    Withdrawn "withdrawn",
    /// Its void has used its Ticket: what was signed of it is worthless.
    Voided "voided",
    /// Another transaction has used its Ticket; it can never be applied.
    Superseded "superseded",
    /// An escrow of a treasury account came to be.
    EscrowSeen "escrow_seen",
    /// The fulfillment of an escrow is about to be sent: there is no way back.
    EscrowRevealed "escrow_revealed",
    /// The window in which an escrow can be released is half gone, or half of what was left: more often as it ends.
    WindowClosing "window_closing",
    /// An escrow is gone from the ledger: paid, or taken back.
    EscrowEnded "escrow_ended",
    /// An anomaly rule saw something.
    Finding "finding",
    /// A hold was set.
    StopSet "stop_set",
    /// A freeze was set.
    Freeze "freeze_set",
    /// A stop was lifted.
    StopLifted "stop_lifted",
    /// A circuit breaker stops the automated submissions of an account.
    BreakerOpened "breaker_opened",
    /// They may go on.
    BreakerClosed "breaker_closed",
    /// Another policy is configured than the one in force, and waits for those whom it is for.
    PolicyCandidate "policy_candidate",
    /// Another policy is in force.
    PolicyActivated "policy_activated",
    /// An entry has come to the address book and waits for those who confirm it.
    DestinationWaits "destination_waits",
    /// Enough of them have.
    DestinationConfirmed "destination_confirmed",
    /// The validated ledger cannot be seen: nothing is signed, sent or released meanwhile.
    SightLost "sight_lost",
    /// It can be seen again.
    SightClear "sight_clear",
    /// A signer whose key the daemon holds does not sign, or the ledger does not take it.
    SignerUnable "signer_unable",
    /// It signs again.
    SignerAble "signer_able",
    /// Somebody who signs is asked to show that they have their key.
    DrillAsked "drill_asked",
    /// Notices were given up: whoever reads this channel was not told.
    ChannelGaveUp "channel_gave_up",
    /// The disk of the data directory is nearly full.
    DiskLow "disk_low",
    /// The host's clock is behind the ledger's.
    ClockBehind "clock_behind",
    /// Somebody looks after what was told, or has looked at findings.
    Acknowledged "acknowledged",
    /// Somebody tries a channel.
    Test "test",
}

impl Kind {
    /// The kind of that word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|kind| kind.word() == word).copied()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Notice {
    /// One that says nothing yet but what it is about.
    #[must_use]
    pub fn new(id: String, kind: Kind, severity: Severity, timestamp: String, says: String) -> Self {
        Self {
            id,
            version: NOTICE_VERSION,
            kind,
            severity,
            timestamp,
            ledger: None,
            by: None,
            account: None,
            destination: None,
            amount: None,
            proposal: None,
            escrow: None,
            finding: None,
            stop: None,
            channel: None,
            deadline: None,
            signers: Vec::new(),
            people: Vec::new(),
            says,
            can_do: Vec::new(),
            link: None,
        }
    }

    /// The document as it goes over the wire, the same by every way.
    ///
    /// # Errors
    /// None, as far as anybody knows: a notice is plain data.
    pub fn document(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// All of it on a few lines, for channels of people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![format!("[{}] {}", self.severity, self.says)];
        if let Some(deadline) = &self.deadline {
            lines.push(format!("Until {deadline}, by the ledger's clock."));
        }
        if !self.signers.is_empty() {
            lines.push(format!("Can still sign: {}.", self.signers.join(", ")));
        }
        lines.extend(self.can_do.iter().cloned());
        lines.extend(self.link.clone());
        if let Some(ledger) = &self.ledger {
            lines.push(format!("Ledger {} of {}; told {}.", ledger.index, ledger.close_time, self.timestamp));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_and_severity_has_a_word_of_its_own_that_is_the_one_that_is_sent() {
        let words: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
        assert_eq!(words.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
            assert_eq!(Kind::of(kind.word()), Some(*kind));
            assert!(kind.says().ends_with('.'), "{kind}");
        }
        for severity in Severity::ALL {
            assert_eq!(serde_json::to_value(severity).unwrap(), severity.word());
            assert_eq!(Severity::of(severity.word()), Some(severity));
        }
        assert_eq!((Kind::of("nothing"), Severity::of("nothing")), (None, None));
    }

    #[test]
    fn a_notice_comes_back_as_it_was_written_and_leaves_out_what_it_does_not_say() {
        let mut notice = Notice::new(
            "n-1".to_owned(),
            Kind::Wanted,
            Severity::Warning,
            "2026-01-01T00:00:00Z".to_owned(),
            "warm wants to pay".to_owned(),
        );
        let json = serde_json::to_value(&notice).unwrap();
        assert_eq!(json["type"], "signatures_wanted");
        assert!(json.get("escrow").is_none() && json.get("signers").is_none());
        notice.signers = vec!["alice".to_owned()];
        notice.deadline = Some("2026-01-02T00:00:00Z".to_owned());
        let text = serde_json::to_string(&notice).unwrap();
        assert_eq!(serde_json::from_str::<Notice>(&text).unwrap(), notice);
        assert!(notice.text().contains("Can still sign: alice."), "{}", notice.text());
    }
}
