//! What people may ask for, and the answers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use xrpl_wire::PublicKey;

use crate::model::inquiry::Inquiry;
use crate::model::intent::Origin;
pub use crate::model::refusal::{CommandError, Refusal};
use crate::model::role::Role;
use crate::model::signing::RungSignatures;
use crate::model::units::{
    AccountId, Amount, EscrowKey, FindingId, Hash256, HexBytes, ProposalId, RippleTime, StopId,
};

/// The most notices that are acknowledged at a time.
pub const NOTICES_MAX: usize = 100;

/// Who may say that they look after what was told.
pub const WHO_ARE_WOKEN: [Role; 3] = [Role::Security, Role::Approver, Role::Admin];

/// Who speaks. The daemon's edge has proven it (a token over HTTP).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Name of a declared person.
    pub person: String,
    /// By which way.
    pub origin: Origin,
}

/// How a command came, for whoever looks back at it. Nothing is decided by it, and nothing secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What was asked for, as the API calls it.
    pub operation: String,
    /// Who asked.
    pub person: String,
    /// By which way.
    pub origin: Origin,
    /// Which of the person's tokens it was: the beginning of its hash, as the configuration has that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Where the connection came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The request's own id, which its answer has too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// UTC by the host's clock.
    pub utc: RippleTime,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Draft a payment.
    Propose(Propose),
    /// Bring signatures.
    Approve {
        /// For which proposal.
        proposal: ProposalId,
        /// One signature per rung.
        signatures: RungSignatures,
    },
    /// Take one's own approval back, before submission.
    Retract {
        /// Of which proposal.
        proposal: ProposalId,
    },
    /// Speak against a proposal. Once the quorum cannot be reached any more it ends.
    Reject {
        /// Which.
        proposal: ProposalId,
        /// Why, for people.
        reason: String,
    },
    /// The one who asked takes the proposal back, before submission.
    Withdraw {
        /// Which.
        proposal: ProposalId,
    },
    /// Send the void of a proposal, which its signers signed with it: whichever gets into a ledger first, the other is
    /// worthless.
    Void {
        /// Which.
        proposal: ProposalId,
        /// Why, for people.
        reason: String,
    },
    /// Put a hold on whatever pays an account: on what stands, and on what comes later.
    FlagDestination {
        /// Which.
        destination: AccountId,
        /// Why, for people.
        reason: String,
    },
    /// Stop everything, and take back whatever can be taken back: a freeze on everything, a hold on every escrow that
    /// can be withheld, an end to every proposal, by its void where it has one.
    Panic {
        /// Why, for people.
        reason: String,
    },
    /// Put a hold on a proposal or on the escrow that came of it.
    Flag {
        /// Which.
        proposal: ProposalId,
        /// Why, for people.
        reason: String,
    },
    /// Say that findings were looked at, and what came of it. They stay.
    Acknowledge {
        /// Which.
        findings: BTreeSet<FindingId>,
        /// What came of it, for people.
        reason: String,
    },
    /// Say that notices were seen and by whom they are looked after, so that they go on to nobody else.
    AcknowledgeNotices {
        /// Which, by their ids. What they are is for whoever tells them to know.
        notices: BTreeSet<String>,
        /// What is done about it, for people.
        reason: String,
    },
    /// Lift stops, holds and freezes alike.
    Lift {
        /// Which.
        stops: BTreeSet<StopId>,
        /// Why, for people.
        reason: String,
    },
    /// Lift the one hold that stands on a proposal or on its escrow.
    Clear {
        /// Which proposal.
        proposal: ProposalId,
        /// Why, for people.
        reason: String,
    },
    /// Stop all automated signing, submission and release.
    Freeze {
        /// On this account; `None`: everywhere.
        account: Option<AccountId>,
        /// Why, for people.
        reason: String,
    },
    /// Lift the one freeze that stands.
    Unfreeze {
        /// On this account; `None`: the one on everything.
        account: Option<AccountId>,
        /// Why, for people.
        reason: String,
    },
    /// Show that one has one's key.
    AnswerDrill {
        /// The key.
        signing_pub_key: PublicKey,
        /// Its signature over what was asked.
        signature: HexBytes,
    },
    /// Let automated submissions go on after a circuit breaker opened.
    CloseBreaker {
        /// Of this account; `None`: of every one.
        account: Option<AccountId>,
    },
    /// Say that an entry of the address book is whose it is said to be, with others who say so.
    ConfirmDestination {
        /// Which.
        destination: AccountId,
        /// How that is known, for people.
        reason: String,
    },
    /// Put the table of rules in force that waits, with others who want that.
    ActivatePolicy {
        /// Which.
        policy: Hash256,
        /// Why, for people.
        reason: String,
    },
}

/// How a command names a proposal that may have ended long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// By its id.
    Proposal(ProposalId),
    /// By the idempotency key that whoever asks may have used before.
    Key(&'a str),
}

impl Command {
    /// The proposal that it is about, if it is about one that may be there already.
    #[must_use]
    pub fn names(&self) -> Option<Named<'_>> {
        match self {
            Self::Propose(propose) => propose.idempotency_key.as_deref().map(Named::Key),
            Self::Approve { proposal, .. }
            | Self::Retract { proposal }
            | Self::Reject { proposal, .. }
            | Self::Withdraw { proposal }
            | Self::Void { proposal, .. }
            | Self::Flag { proposal, .. }
            | Self::Clear { proposal, .. } => Some(Named::Proposal(*proposal)),
            Self::Lift { .. }
            | Self::Acknowledge { .. }
            | Self::AcknowledgeNotices { .. }
            | Self::FlagDestination { .. }
            | Self::Panic { .. }
            | Self::Freeze { .. }
            | Self::Unfreeze { .. }
            | Self::AnswerDrill { .. }
            | Self::ActivatePolicy { .. }
            | Self::ConfirmDestination { .. }
            | Self::CloseBreaker { .. } => None,
        }
    }
}

/// A payment asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Propose {
    /// The treasury account that pays.
    pub account: AccountId,
    /// Who is paid.
    pub destination: AccountId,
    /// `DestinationTag`.
    pub destination_tag: Option<u32>,
    /// How much.
    pub amount: Amount,
    /// What for. At most [`NOTE_MAX`] bytes; stays off the ledger.
    pub note: String,
    /// Seconds of ledger time that people have to approve; `None`: as configured.
    pub deadline_seconds: Option<u32>,
    /// The same key from the same person with the same content is the same proposal, so a request whose
    /// answer was lost can be sent again.
    pub idempotency_key: Option<String>,
    /// What was found out about the destination.
    pub inquiry: Inquiry,
}

/// The longest note or reason, in bytes.
pub const NOTE_MAX: usize = 500;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The proposal, new or already known under the idempotency key.
    Proposed {
        /// Its id.
        proposal: ProposalId,
    },
    /// Done. Where `changed` is false it had been so already.
    Done {
        /// Whether anything changed.
        changed: bool,
    },
    /// Somebody has spoken against a proposal.
    Rejected {
        /// Whether that is its end. Where not, its quorum can be reached without them, and it goes on.
        ended: bool,
    },
    /// Something is stopped.
    Stopped {
        /// The stop that stands.
        stop: StopId,
        /// Whether it is new.
        changed: bool,
        /// What it may come too late for, in words.
        warning: Option<String>,
    },
    /// Somebody has confirmed an entry of the address book.
    Confirmed {
        /// Whether that is new.
        changed: bool,
        /// Whether enough of them have.
        enough: bool,
        /// How many have who count.
        has: u32,
        /// How many it takes.
        wants: u32,
    },
    /// Somebody wants a table in force.
    Endorsed {
        /// Whether that is new.
        changed: bool,
        /// Whether it is in force now.
        in_force: bool,
        /// How many want it who count.
        has: u32,
        /// How many it takes.
        wants: u32,
    },
    /// Everything is stopped, and this is what became of what was under way.
    Panicked(Panicked),
    /// Stops were lifted.
    Lifted {
        /// Those that were.
        lifted: Vec<StopId>,
        /// Those that stand and bind the same subjects all the same.
        standing: Vec<StopId>,
    },
}

/// What a panic came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    /// The freeze on everything.
    pub freeze: StopId,
    /// Escrows that will not be released until somebody lifts their hold.
    pub withheld: Vec<EscrowKey>,
    /// Escrows whose fulfillment is out: nobody can stop them.
    pub revealed: Vec<EscrowKey>,
    /// Proposals that ended; signatures that were given away bind until LastLedgerSequence.
    pub ended: Vec<ProposalId>,
    /// Proposals whose void is recorded, and sent while the ledger can be seen.
    pub voiding: Vec<ProposalId>,
    /// Proposals that were sent, have no void that could be sent, and may be applied all the same.
    pub under_way: Vec<ProposalId>,
}
