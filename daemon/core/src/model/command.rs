//! What people may ask for, and the answers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use xrpl_wire::PublicKey;

use crate::model::inquiry::Inquiry;
use crate::model::intent::Origin;
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

/// Why a command was refused. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such person is declared.
    #[error("{0} is not a declared person")]
    UnknownPerson(String),
    /// The person lacks the role.
    #[error("this needs the role `{}`", .0.word())]
    RoleMissing(Role),
    /// Not one of the treasury's accounts that people may pay from.
    #[error("{0} is not a treasury account that can be asked to pay")]
    UnknownAccount(AccountId),
    /// No such proposal.
    #[error("there is no proposal {0}")]
    UnknownProposal(ProposalId),
    /// No such stop stands.
    #[error("no stop {0} stands")]
    UnknownStop(StopId),
    /// No such table of rules waits to be put in force.
    #[error("no table {0} waits to be put in force")]
    UnknownPolicy(Hash256),
    /// The table in force leaves it to others to put another in its place.
    #[error("another table is put in force by {0}")]
    NotAnActivator(String),
    /// No such finding is remembered.
    #[error("no finding {0} is remembered")]
    UnknownFinding(FindingId),
    /// Several stops stand where one was to be lifted without saying which.
    #[error("{} stops stand on {subject}: {}", stops.len(), listed(stops))]
    SeveralStops {
        /// On what, in words.
        subject: String,
        /// Their ids.
        stops: Vec<StopId>,
    },
    /// A value is out of its range.
    #[error("{field}: {problem}")]
    BadValue {
        /// Which.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The idempotency key was used with other content.
    #[error("this idempotency key belongs to {0}, which asks for something else")]
    IdempotencyConflict(ProposalId),
    /// The archive of ended proposals cannot be read, so whether the request was made before is not known.
    #[error("the archive of ended proposals cannot be read: {0}")]
    ArchiveUnreadable(String),
    /// Too many open proposals on the account.
    #[error("the account has {0} open proposals, the most there may be")]
    TooManyOpen(usize),
    /// Who asks has too many open proposals on the account; others can still ask.
    #[error("you have {0} open proposals on the account, the most that one person may have")]
    TooManyOpenOfYours(usize),
    /// So many proposals of the same person came to nothing within the last hour.
    #[error("{0} of your proposals were denied, withdrawn or rejected within an hour, or have expired")]
    TooManyForNothing(usize),
    /// The proposal's state does not allow it.
    #[error("{proposal} is {status}: {problem}")]
    WrongState {
        /// Which.
        proposal: ProposalId,
        /// The word for its state.
        status: &'static str,
        /// What that means for the request.
        problem: &'static str,
    },
    /// The deadline has passed.
    #[error("the deadline of {0} has passed")]
    DeadlinePassed(ProposalId),
    /// The signer is not in the SignerList.
    #[error("{0} is not in the account's SignerList")]
    NotASigner(AccountId),
    /// The signer account is not the speaker's own.
    #[error("{0} is not your signer account")]
    NotYourSigner(AccountId),
    /// The ledger does not let this key sign for that account now.
    #[error("the ledger does not let this key sign for {signer}: {problem}")]
    KeyNotAllowed {
        /// The signer account.
        signer: AccountId,
        /// Why.
        problem: &'static str,
    },
    /// A signature does not verify.
    #[error("signature {rung} of {signer} does not verify over this proposal's transaction at that fee")]
    BadSignature {
        /// The signer account.
        signer: AccountId,
        /// The rung, from 0.
        rung: usize,
    },
    /// Too few or too many signatures.
    #[error("a signature for each of the {expected} rungs is needed, {got} came")]
    WrongRungCount {
        /// Rungs of the proposal.
        expected: usize,
        /// Signatures that came.
        got: usize,
    },
    /// A signature over the void does not verify.
    #[error("signature {rung} of {signer} over the void does not verify")]
    BadVoidSignature {
        /// The signer account.
        signer: AccountId,
        /// The rung, from 0.
        rung: usize,
    },
    /// Too few or too many signatures over the void.
    #[error("a signature for each of the {expected} rungs of the void is needed, {got} came")]
    WrongVoidCount {
        /// Rungs of the void.
        expected: usize,
        /// Signatures that came.
        got: usize,
    },
    /// Nobody has asked for that.
    #[error("you are not asked to show that you have your key")]
    NoDrill,
    /// The signature over a drill does not verify.
    #[error("the signature of {signer} does not verify over the drill that it is asked for")]
    BadDrillSignature {
        /// The signer account.
        signer: AccountId,
    },
    /// There is no void that could be sent.
    #[error("{proposal} cannot be voided: {problem}")]
    NoVoid {
        /// Which.
        proposal: ProposalId,
        /// Why.
        problem: &'static str,
    },
    /// The state of that account has not been read yet.
    #[error("the ledger's state of {0} is not known yet; try again shortly")]
    AccountNotSeen(AccountId),
    /// The daemon cannot see the validated ledger.
    #[error("the daemon has no sight of the validated ledger: {0}")]
    NoSight(String),
    /// The fulfillment has been sent.
    #[error("the fulfillment of {escrow} has been revealed; its release can no longer be stopped")]
    Revealed {
        /// Which escrow.
        escrow: EscrowKey,
    },
    /// The escrow has ended.
    #[error("{escrow} has ended: {how}")]
    EscrowEnded {
        /// Which escrow.
        escrow: EscrowKey,
        /// `released` or `cancelled`.
        how: &'static str,
    },
}

fn listed(stops: &[StopId]) -> String {
    stops.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What sort of refusal it is, for whoever translates it to HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request is wrong in itself (400).
    Invalid,
    /// The speaker may not (403).
    Forbidden,
    /// There is no such thing (404).
    Missing,
    /// It does not fit the present state (409).
    Conflict,
    /// Not now (503).
    Unavailable,
}

impl CommandError {
    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownPerson(_) => "UNKNOWN_PERSON",
            Self::RoleMissing(_) => "ROLE_MISSING",
            Self::UnknownAccount(_) => "UNKNOWN_ACCOUNT",
            Self::UnknownProposal(_) => "UNKNOWN_PROPOSAL",
            Self::UnknownStop(_) => "UNKNOWN_STOP",
            Self::UnknownFinding(_) => "UNKNOWN_FINDING",
            Self::UnknownPolicy(_) => "UNKNOWN_POLICY",
            Self::NotAnActivator(_) => "NOT_AN_ACTIVATOR",
            Self::SeveralStops { .. } => "SEVERAL_STOPS",
            Self::BadValue { .. } => "BAD_VALUE",
            Self::IdempotencyConflict(_) => "IDEMPOTENCY_CONFLICT",
            Self::ArchiveUnreadable(_) => "ARCHIVE_UNREADABLE",
            Self::TooManyOpen(_) => "TOO_MANY_OPEN",
            Self::TooManyOpenOfYours(_) => "TOO_MANY_OPEN_OF_YOURS",
            Self::TooManyForNothing(_) => "TOO_MANY_FOR_NOTHING",
            Self::WrongState { .. } => "WRONG_STATE",
            Self::DeadlinePassed(_) => "DEADLINE_PASSED",
            Self::NotASigner(_) => "NOT_A_SIGNER",
            Self::NotYourSigner(_) => "NOT_YOUR_SIGNER",
            Self::KeyNotAllowed { .. } => "KEY_NOT_ALLOWED",
            Self::BadSignature { .. } => "BAD_SIGNATURE",
            Self::WrongRungCount { .. } => "WRONG_RUNG_COUNT",
            Self::BadVoidSignature { .. } => "BAD_VOID_SIGNATURE",
            Self::WrongVoidCount { .. } => "WRONG_VOID_COUNT",
            Self::NoVoid { .. } => "NO_VOID",
            Self::NoDrill => "NO_DRILL",
            Self::BadDrillSignature { .. } => "BAD_DRILL_SIGNATURE",
            Self::AccountNotSeen(_) => "ACCOUNT_NOT_SEEN",
            Self::NoSight(_) => "NO_SIGHT",
            Self::Revealed { .. } => "REVEALED",
            Self::EscrowEnded { .. } => "ESCROW_ENDED",
        }
    }

    /// What to do about it, in a sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::UnknownPerson(_) => "Add the person to the configuration and restart the daemon.",
            Self::RoleMissing(_) => "Ask somebody who has the role, or change the configuration.",
            Self::UnknownAccount(_) => {
                "Use the name or address of a cold, warm or hot account of GET /v1/accounts."
            }
            Self::UnknownProposal(_) => "List the proposals with GET /v1/proposals.",
            Self::UnknownStop(_) => "List what stands with GET /v1/stops; it may have been lifted already.",
            Self::UnknownFinding(_) => "List them with GET /v1/findings: the last thousand are remembered.",
            Self::UnknownPolicy(_) => {
                "POST /v1/policy/check without a table says which one waits; it may be in force by now, or another may wait."
            }
            Self::NotAnActivator(_) => "Ask one of them: POST /v1/policy/check says who they are.",
            Self::SeveralStops { .. } => {
                "Look at each with GET /v1/stops, and lift by id those that are settled; the others stay."
            }
            Self::BadValue { .. } => "Correct the value and send the request again.",
            Self::IdempotencyConflict(_) => "Use a new idempotency key for a new payment.",
            Self::ArchiveUnreadable(_) => {
                "`treasuryd store check` says what is damaged, `treasuryd rebuild` restores it."
            }
            Self::TooManyForNothing(_) => {
                "Look why they come to nothing, with `policy explain`; wait an hour."
            }
            Self::TooManyOpenOfYours(_) => "Wait until some of yours have ended, or withdraw some.",
            Self::TooManyOpen(_) => "Wait until some have ended, or withdraw some.",
            Self::WrongState { .. } => "Look at the proposal again; its state has moved on.",
            Self::DeadlinePassed(_) => "Propose the payment anew.",
            Self::NotASigner(_) => "Sign with an account of the SignerList, or change the list.",
            Self::NotYourSigner(_) => "Approve with your own token and your own signer account.",
            Self::KeyNotAllowed { .. } => {
                "Sign with the signer's RegularKey, or its master key where that is enabled."
            }
            Self::BadSignature { .. } => {
                "Fetch the proposal and sign exactly its rungs, each for your signer account."
            }
            Self::WrongRungCount { .. } => "Sign every rung of the proposal, in order.",
            Self::BadVoidSignature { .. } | Self::WrongVoidCount { .. } => {
                "Fetch the proposal and sign every rung of its void as well, in order, each for your signer account."
            }
            Self::NoDrill => "There is nothing to do: you are told when you are asked.",
            Self::BadDrillSignature { .. } => {
                "Ask with GET /v1/drill what is to be signed now, and sign exactly its text: `treasuryctl drill`."
            }
            Self::NoVoid { .. } => {
                "Withdraw, reject or flag it; what others hold signatures of binds until LastLedgerSequence."
            }
            Self::AccountNotSeen(_) => "The daemon is reading it; send the request again in a few seconds.",
            Self::NoSight(_) => "Wait until /readyz answers 200; nothing was changed.",
            Self::Revealed { .. } => "Nothing can stop this escrow now; watch where the money goes.",
            Self::EscrowEnded { .. } => "There is nothing left to do for this escrow.",
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::BadValue { .. }
            | Self::BadSignature { .. }
            | Self::WrongRungCount { .. }
            | Self::BadVoidSignature { .. }
            | Self::WrongVoidCount { .. }
            | Self::BadDrillSignature { .. } => Refusal::Invalid,
            Self::UnknownPerson(_)
            | Self::RoleMissing(_)
            | Self::NotAnActivator(_)
            | Self::NotASigner(_)
            | Self::NotYourSigner(_)
            | Self::KeyNotAllowed { .. } => Refusal::Forbidden,
            Self::UnknownAccount(_)
            | Self::UnknownProposal(_)
            | Self::UnknownStop(_)
            | Self::UnknownPolicy(_)
            | Self::UnknownFinding(_) => Refusal::Missing,
            Self::SeveralStops { .. }
            | Self::IdempotencyConflict(_)
            | Self::TooManyOpen(_)
            | Self::TooManyOpenOfYours(_)
            | Self::TooManyForNothing(_)
            | Self::WrongState { .. }
            | Self::NoVoid { .. }
            | Self::NoDrill
            | Self::DeadlinePassed(_)
            | Self::Revealed { .. }
            | Self::EscrowEnded { .. } => Refusal::Conflict,
            Self::AccountNotSeen(_) | Self::NoSight(_) | Self::ArchiveUnreadable(_) => Refusal::Unavailable,
        }
    }
}
