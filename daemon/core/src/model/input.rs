//! What the world tells the core. One closed enum drives everything.

use serde::{Deserialize, Serialize};

pub use crate::model::signing::{RungSignatures, Unsent};

use crate::model::charter::Table;
use crate::model::command::{Actor, Asked, Command};
use crate::model::observe::{AccountSnapshot, LedgerObservation, LedgerPoint};
use crate::model::proposal::Proposal;
use crate::model::signing::{Derived, GuardRefusal, Opening, Party, ReleaseInputs};
use crate::model::units::{AccountId, Drops, Hash256, LedgerIndex, ProposalId, RequestId, RippleTime};

/// One thing that happened outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody asks for something. Who that is has been proven already.
    Command {
        /// Ties the answer to it.
        request: RequestId,
        /// Who asks.
        actor: Actor,
        /// What.
        command: Command,
        /// What the archive has of the ended proposal that the command names, by its id or by its idempotency key,
        /// where that has left the state.
        archived: Option<Box<Proposal>>,
        /// How it came, to be written down with what comes of it.
        asked: Option<Box<Asked>>,
    },
    /// The next validated ledger, complete and in order: its index is the last one's plus one.
    Ledger {
        /// What it holds for the watched accounts.
        observation: LedgerObservation,
        /// When it came, in milliseconds of wall time.
        wall_ms: u64,
    },
    /// The state of accounts as read at one validated ledger: at the start, when asked for, and from
    /// time to time to prove that the view is true.
    Reconciled {
        /// The validated ledger it was read at.
        at: LedgerPoint,
        /// The accounts.
        accounts: Vec<AccountSnapshot>,
        /// Which servers said so, for people; holds no secret.
        from: String,
        /// When, in milliseconds of wall time.
        wall_ms: u64,
    },
    /// The port to the ledger cannot vouch for what comes next.
    SightLost {
        /// Why, for people.
        reason: String,
    },
    /// No endpoint has ledgers that were not taken in yet. Sight is lost until one has them; what happened
    /// in them is not known.
    HistoryMissing {
        /// The first of them.
        first: LedgerIndex,
        /// The last of them, as far as is known.
        last: LedgerIndex,
        /// Who has what, for people.
        reason: String,
    },
    /// Answer to [`crate::Effect::DeriveCondition`].
    ConditionDerived {
        /// For which proposal.
        proposal: ProposalId,
        /// Who says so.
        party: Party,
        /// The condition, with the release key of now.
        derived: Derived,
    },
    /// Answer to [`crate::Effect::DeriveFulfillment`].
    FulfillmentDerived {
        /// The proposal of the EscrowFinish.
        proposal: ProposalId,
        /// Who says so.
        party: Party,
        /// What opens the escrow.
        opening: Opening,
    },
    /// The guard gave nothing when it was asked for a condition or a share.
    GuardRefused {
        /// The proposal that it was asked for.
        proposal: ProposalId,
        /// Why.
        refusal: GuardRefusal,
    },
    /// Answer to [`crate::Effect::Recognise`].
    EscrowDerived {
        /// The terms.
        inputs: ReleaseInputs,
        /// The condition that they have with each release key that there has been.
        derived: Vec<Derived>,
    },
    /// Answer to [`crate::Effect::SignAsAgents`]. Checked like anybody's approval.
    AgentSigned {
        /// For which proposal.
        proposal: ProposalId,
        /// Of the agents that signed, each its own.
        signatures: Vec<RungSignatures>,
        /// Agents that did not sign, and why, for people; holds no secret.
        failed: Vec<(AccountId, String)>,
    },
    /// Answer to [`crate::Effect::SignSingle`].
    SingleSigned {
        /// For which proposal.
        proposal: ProposalId,
        /// The signed transaction of each rung, in the rungs' order.
        blobs: Unsent,
    },
    /// A signing or deriving effect could not be carried out.
    SignFailed {
        /// For which proposal.
        proposal: ProposalId,
        /// Why, for people; holds no secret.
        reason: String,
    },
    /// Answer to [`crate::Effect::Submit`]. Provisional, whatever it says.
    SubmitAnswered {
        /// For which proposal.
        proposal: ProposalId,
        /// The transaction that was sent.
        tx_id: Hash256,
        /// What the server said, if it said anything.
        reply: SubmitReply,
    },
    /// Wall time goes on.
    Tick {
        /// Milliseconds of wall time, from any fixed origin.
        wall_ms: u64,
        /// UTC by the host's clock.
        utc: RippleTime,
    },
    /// Logins and tokens were refused at the edge, more often than is usual. It comes at most once in the period in which
    /// they were counted, whatever arrives there.
    LoginsRefused {
        /// Where they came from, and how often.
        refused: Vec<RefusedLogins>,
        /// Within how long they were counted.
        seconds: u32,
    },
    /// This table of rules is configured, and the address book, where the table or the one in force says who may change either.
    Configured {
        /// The table.
        table: Box<Table>,
    },
    /// The network's present fee for a reference transaction to enter the open ledger at once.
    OpenLedgerFee {
        /// Drops, `open_ledger_fee` of the method `fee`.
        fee: Drops,
    },
}

/// Logins that were refused, of one origin. What was shown there is nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedLogins {
    /// The address that they came from, or the network, or the word for all others.
    pub from: String,
    /// The person who was logged in already, where one was.
    pub person: Option<String>,
    /// How many.
    pub times: u32,
}

/// What came of sending a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubmitReply {
    /// The server's `engine_result`.
    Engine(String),
    /// The server refused to look at it now (`slowDown`, `tooBusy`).
    Busy(String),
    /// It was not sent: a stop came first.
    NotSent,
    /// No reply: the connection broke or time ran out. It may have arrived.
    Unknown(String),
}
