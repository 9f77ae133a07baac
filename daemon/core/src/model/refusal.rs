//! Why a command was refused, by a stable code.

use crate::model::role::Role;
use crate::model::units::{AccountId, EscrowKey, FindingId, Hash256, ProposalId, StopId};

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
    /// No such destination is in the address book, or nobody needs to confirm it.
    #[error("{0} is no entry of the address book that people confirm")]
    UnknownDestination(AccountId),
    /// Others confirm entries of the address book.
    #[error("entries of the address book are confirmed by {0}")]
    NotAConfirmer(String),
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
    /// Somebody has asked for stops that were to be lifted, since that was asked for; none: has stopped everything.
    #[error("since you asked for this, somebody has asked for {}", asked_since(.0))]
    StoppedSince(Vec<StopId>),
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
    /// Too many proposals take a place of the account.
    #[error("{0} proposals of the account are open or have a Ticket, the most there may be")]
    TooManyOpen(usize),
    /// Those of who asks take too many places of the account; others can still ask.
    #[error(
        "{0} of your proposals of the account are open or have a Ticket, the most that one person may have"
    )]
    TooManyOpenOfYours(usize),
    /// So many proposals of the same person came to nothing within the last hour.
    #[error("{0} of your proposals were denied, withdrawn or rejected within an hour, or have expired")]
    TooManyForNothing(usize),
    /// So many destinations are held back by the same person, and nothing that is under way pays this one.
    #[error(
        "{0} destinations are held back by you, the most that one person may hold back of those that nothing under way pays"
    )]
    TooManyHeld(usize),
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

fn asked_since(stops: &[StopId]) -> String {
    match stops {
        [] => "everything to be stopped".to_owned(),
        stops => format!("what it would lift: {}", listed(stops)),
    }
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
            Self::UnknownDestination(_) => "UNKNOWN_DESTINATION",
            Self::NotAConfirmer(_) => "NOT_A_CONFIRMER",
            Self::SeveralStops { .. } => "SEVERAL_STOPS",
            Self::StoppedSince(_) => "STOPPED_SINCE",
            Self::BadValue { .. } => "BAD_VALUE",
            Self::IdempotencyConflict(_) => "IDEMPOTENCY_CONFLICT",
            Self::ArchiveUnreadable(_) => "ARCHIVE_UNREADABLE",
            Self::TooManyOpen(_) => "TOO_MANY_OPEN",
            Self::TooManyOpenOfYours(_) => "TOO_MANY_OPEN_OF_YOURS",
            Self::TooManyForNothing(_) => "TOO_MANY_FOR_NOTHING",
            Self::TooManyHeld(_) => "TOO_MANY_HELD",
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
                "POST /v1/policy/check without a table says which one waits; it may be in force by now, or another may wait. Where the \
                 policy has no [activation], its file is in force when the configuration is read."
            }
            Self::UnknownDestination(_) => {
                "GET /v1/destinations has the entries that there are; where the configuration has no [confirmation], all of them \
                 are known."
            }
            Self::NotAConfirmer(_) => "Ask one of them: GET /v1/destinations says who they are.",
            Self::NotAnActivator(_) => "Ask one of them: POST /v1/policy/check says who they are.",
            Self::StoppedSince(_) => {
                "Look with GET /v1/stops at what stands now and why, and lift by id what is settled all the same."
            }
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
            Self::TooManyOpenOfYours(_) | Self::TooManyOpen(_) => {
                "Wait until some have ended. What is withdrawn or rejected keeps its Ticket until its deadline has passed: \
                 somebody may have signed it."
            }
            Self::TooManyHeld(_) => {
                "Lift those that are settled; whom never to pay belongs on a list of [screening], which a rule of the policy names."
            }
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
                "Ask with GET /v1/drill what is to be signed now, and sign exactly its text."
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
            | Self::NotAConfirmer(_)
            | Self::NotASigner(_)
            | Self::NotYourSigner(_)
            | Self::KeyNotAllowed { .. } => Refusal::Forbidden,
            Self::UnknownAccount(_)
            | Self::UnknownProposal(_)
            | Self::UnknownStop(_)
            | Self::UnknownPolicy(_)
            | Self::UnknownDestination(_)
            | Self::UnknownFinding(_) => Refusal::Missing,
            Self::SeveralStops { .. }
            | Self::StoppedSince(_)
            | Self::IdempotencyConflict(_)
            | Self::TooManyOpen(_)
            | Self::TooManyOpenOfYours(_)
            | Self::TooManyForNothing(_)
            | Self::TooManyHeld(_)
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
