//! The API's own types: what goes over HTTP, never what the core works with. Amounts are decimal text
//! in drops, times are ISO 8601 text in UTC, ids are text such as `P12`.

mod audit;
mod deliveries;
mod destinations;
mod drill;
mod exposure;
mod forecast;
mod lockout;
mod policy;
mod requests;
mod schedules;
mod status;
mod stream;
mod tiers;

use serde::{Deserialize, Serialize};

pub use audit::*;
pub use deliveries::*;
pub use destinations::*;
pub use drill::*;
pub use exposure::*;
pub use forecast::*;
pub use lockout::*;
pub use policy::*;
pub use requests::*;
pub use schedules::*;
pub use status::*;
pub use stream::*;
pub use tiers::*;

/// Every error's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorView,
}

/// An error. Nothing has changed where one is answered, except that after `TIMEOUT` and
/// `ENGINE_STOPPED` it is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorView {
    /// Stable, for programs.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
    /// What to do about it, for people.
    pub advice: String,
}

/// The proposal that came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedView {
    /// Its id.
    pub proposal: String,
}

/// What became of a request that changes something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoneView {
    /// Where it is false it had been so already.
    pub changed: bool,
    /// Of a rejection, whether the proposal has ended by it; where not, its quorum can be reached without whoever spoke
    /// against it, and it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<bool>,
}

/// A stop stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedView {
    /// Its id, by which it is lifted.
    pub stop: String,
    /// Where it is false you had set it already.
    pub changed: bool,
    /// What it may come too late for, in words.
    pub warning: Option<String>,
}

/// What a panic came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanicView {
    /// The freeze on everything.
    pub freeze: String,
    /// Escrows that will not be released until somebody lifts their hold: `owner:sequence`.
    pub withheld: Vec<String>,
    /// Escrows whose fulfillment is out: nobody can stop them.
    pub revealed: Vec<String>,
    /// Proposals that ended. Signatures that were given away bind until LastLedgerSequence.
    pub ended: Vec<String>,
    /// Proposals whose void is recorded, and sent while the ledger can be seen.
    pub voiding: Vec<String>,
    /// Proposals that were sent, have no void that could be sent, and may be applied all the same.
    pub under_way: Vec<String>,
}

/// Stops were lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiftedView {
    /// Those that were; empty where none stood.
    pub lifted: Vec<String>,
    /// Those that bind the same things all the same.
    pub standing: Vec<String>,
}

/// A reason why something must not leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopView {
    /// Its id.
    pub id: String,
    /// `hold`, lifted by the role `security`; or `freeze`, lifted by the role `admin`.
    pub kind: String,
    /// What is stopped, in words.
    pub subject: String,
    /// The account that is stopped, where it is one.
    pub account: Option<PartyView>,
    /// Who set it: a person, a finding, or `treasuryd`.
    pub by: String,
    /// By which way it came: `http`, `console`, `ledger` or `daemon`; `null` in records of earlier versions.
    pub origin: Option<String>,
    /// Why.
    pub reason: String,
    /// Since when, by the ledger.
    pub since: String,
}

/// A stop that was lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiftedStopView {
    /// The stop as it stood.
    pub stop: StopView,
    /// Who lifted it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When, by the ledger.
    pub at: String,
}

/// What stands, and what was lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopsView {
    /// Those that stand, by id.
    pub standing: Vec<StopView>,
    /// Those that were lifted, newest first; at most the last thousand.
    pub lifted: Vec<LiftedStopView>,
}

/// A validated ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerView {
    /// Its index.
    pub index: u32,
    /// Its hash.
    pub hash: String,
    /// Its close time.
    pub close_time: String,
}

/// An account with the name people know it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PartyView {
    /// Its address.
    pub address: String,
    /// Its name in the configuration, if it has one.
    pub name: Option<String>,
}

/// An amount of anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AmountView {
    /// `XRP`, an issued currency as `USD.rIssuer…`, or the 48 hex digits of an MPTokenIssuanceID.
    pub asset: String,
    /// How much, as decimal text: drops of XRP, the value of an issued currency, units of a multi-purpose token.
    pub value: String,
}

/// A treasury account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// `cold`, `warm`, `hot`, `board` or `runner`.
    pub tier: String,
    /// `multi` or `single`.
    pub signing: String,
    /// Whether it is on the ledger, as far as is known.
    pub on_ledger: bool,
    /// Its XRP.
    pub balance_drops: String,
    /// What proposals may still take out of it, by asset: those that are open, and those that ended and that somebody may
    /// hold signatures over.
    pub leaving: Vec<AmountView>,
    /// Its next Sequence.
    pub sequence: Option<u32>,
    /// Tickets that no proposal has taken.
    pub tickets_free: usize,
    /// Tickets that proposals have taken.
    pub tickets_taken: usize,
    /// Its SignerList on the ledger.
    pub signer_list: Option<SignerListView>,
    /// Whether that is what the configuration declares; `null` where it declares nothing.
    pub signer_list_as_declared: Option<bool>,
    /// Stops that bind it: its own, and those on everything.
    pub stops: Vec<StopView>,
    /// Trust lines that it keeps a reserve for, as the proven ledgers have them; `null` where they were not read yet.
    #[serde(default)]
    pub trust_lines: Option<Vec<TrustLineView>>,
    /// Whether Domain, TransferRate, flags and trust lines are what the configuration declares of them, as far as they are
    /// known; `null` where it declares nothing.
    #[serde(default)]
    pub settings_as_declared: Option<bool>,
    /// In words, how they differ; `null` where they do not.
    #[serde(default)]
    pub settings_drift: Option<String>,
}

/// A trust line, as an account has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustLineView {
    /// What it has by it; negative where it is the issuer to the other side.
    pub balance: AmountView,
    /// The other side: the issuer.
    pub issuer: PartyView,
    /// The most that it trusts the issuer for.
    pub limit: AmountView,
    /// Whether the issuer has frozen it: what is on it goes back to the issuer and nowhere else. A freeze of all that the issuer
    /// has issued is not told here.
    pub frozen: bool,
    /// Whether the issuer has frozen it so that nothing comes in by it either.
    pub deep_frozen: bool,
}

/// A SignerList.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignerListView {
    /// SignerQuorum.
    pub quorum: u32,
    /// SignerEntries.
    pub entries: Vec<SignerEntryView>,
}

/// A member of a SignerList.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignerEntryView {
    /// Who.
    pub signer: PartyView,
    /// SignerWeight.
    pub weight: u16,
    /// Whether the daemon holds its key.
    pub agent: bool,
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalView {
    /// Its id.
    pub id: String,
    /// The account that sends the transaction.
    pub account: PartyView,
    /// What is wanted.
    pub intent: IntentView,
    /// Who asked: a person, or `treasuryd`.
    pub asker: String,
    /// By which way it came: `http`, `console`, `ledger` or `daemon`; `null` in records of earlier versions.
    pub origin: Option<String>,
    /// What for, in the asker's words.
    pub note: String,
    /// The time of a schedule that it is for; `null`: it was asked for by itself.
    #[serde(default)]
    pub occurrence: Option<OccurrenceView>,
    /// How far it has come: `drafted`, `assessed`, `denied`, `collecting`, `ready`, `in_flight`,
    /// `validated`, `failed`, `expired`, `rejected`, `withdrawn`, `superseded` or `voided`.
    pub status: String,
    /// Whether it has ended.
    pub ended: bool,
    /// Everything it waits for, in words; empty once it has ended and no escrow of it stands.
    pub waits_for: Vec<String>,
    /// When it was drafted, by the ledger.
    pub drafted: String,
    /// After this ledger time no approval is taken and nothing is submitted.
    pub deadline: Option<String>,
    /// After this ledger it can never be applied.
    pub last_ledger_sequence: Option<u32>,
    /// `Ticket 12` or `Sequence 5`.
    pub slot: Option<String>,
    /// What policy decided.
    pub decision: DecisionView,
    /// The signatures so far.
    pub approvals: Vec<ApprovalView>,
    /// How far they go; `null` where no SignerList is known or no signatures are collected.
    pub tally: Option<TallyView>,
    /// The people who can still sign it, by name: nobody unless it is being collected for.
    #[serde(default)]
    pub signers: Vec<String>,
    /// Who spoke against it.
    pub rejections: Vec<RejectionView>,
    /// Stops that bind it now, or the escrow that came of it.
    pub stops: Vec<StopView>,
    /// The unsigned transactions to sign, one for each fee, ascending. In lists this is empty: ask for
    /// the one proposal.
    pub rungs: Vec<RungView>,
    /// Its void, to sign with it, where policy asks for one: a transaction that does nothing but use up the same slot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub void_rungs: Vec<RungView>,
    /// What was sent, once something was.
    pub submission: Option<SubmissionView>,
    /// How it ended on the ledger.
    pub outcome: Option<OutcomeView>,
    /// The escrow that it makes or made.
    pub escrow: Option<EscrowView>,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentView {
    /// `pay`, `move`, `create_tickets`, `finish_escrow` or `cancel_escrow`.
    pub kind: String,
    /// Who receives.
    pub destination: Option<PartyView>,
    /// `DestinationTag`.
    pub destination_tag: Option<u32>,
    /// How much leaves the account.
    pub amount: Option<AmountView>,
    /// The tier link it follows.
    pub link: Option<String>,
    /// How many Tickets.
    pub ticket_count: Option<u32>,
    /// Which escrow, as `owner:sequence`.
    pub escrow: Option<String>,
}

/// What policy decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionView {
    /// The rules that matched, by name.
    pub rules: Vec<String>,
    /// The policy they belong to.
    pub policy_hash: String,
    /// `allow`, `approve`, `delay` or `deny`: the strictest of what they ask for.
    pub action: String,
    /// For a delay: seconds from the deadline to FinishAfter.
    pub delay_seconds: Option<u32>,
    /// For a delay: seconds from FinishAfter to CancelAfter.
    pub window_seconds: Option<u32>,
    /// Who must sign besides the SignerQuorum, each of them.
    pub approvals: Vec<DemandView>,
    /// Who was told of it when it was proposed, in words, where a rule says so.
    #[serde(default)]
    pub told: Option<String>,
    /// Whether the destination was known.
    pub destination_known: bool,
    /// How unusual the payment looked, where a rule asked.
    #[serde(default)]
    pub risk: Option<RiskView>,
    /// When it was decided, by the ledger.
    pub at: String,
}

/// How unusual a payment looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskView {
    /// From 0 to 100: the weights of what was seen, together.
    pub score: u8,
    /// What was seen.
    pub signs: Vec<SignView>,
}

/// Something about a payment that is unusual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignView {
    /// A key of `[risk]`.
    pub sign: String,
    /// What it adds to the score.
    pub weight: u8,
    /// What shows it, in words.
    pub evidence: String,
}

/// What policy asks for of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemandView {
    /// Sum of SignerWeights that they must bring; 0 where they are only counted.
    pub weight: u32,
    /// How many of them must sign at least, whatever their weights.
    pub signatures: u32,
    /// The roles that count for it; none where the people are named.
    pub roles: Vec<String>,
    /// The people who count for it; none where anybody with one of the roles does.
    pub people: Vec<String>,
    /// Whether the signature of the person who asked does not count for it.
    pub exclude_asker: bool,
    /// All of that in words.
    pub words: String,
}

/// One signer's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalView {
    /// The account in the SignerList.
    pub signer: PartyView,
    /// Its weight there now.
    pub weight: u32,
    /// The key that signed.
    pub signing_pub_key: String,
    /// Who brought it; `null`: an agent of the daemon.
    pub person: Option<String>,
    /// By which way it came: `http`, `console`, `ledger` or `daemon`; `null` in records of earlier versions.
    pub origin: Option<String>,
    /// When, by the ledger.
    pub at: String,
}

/// How far the approvals go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TallyView {
    /// Sum of the weights so far.
    pub weight: u32,
    /// SignerQuorum.
    pub quorum: u32,
    /// The same of what policy asks for of people, each.
    pub demands: Vec<DemandTallyView>,
}

/// How far the approvals go towards one of policy's demands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemandTallyView {
    /// The roles whose signatures count for it; none where the people are named.
    pub roles: Vec<String>,
    /// The people whose signatures count for it; none where anybody's with one of the roles do.
    pub people: Vec<String>,
    /// Sum of the weights that count for it so far.
    pub weight: u32,
    /// The weight that is asked for; 0 where signatures are only counted.
    pub asked: u32,
    /// How many signatures count for it so far.
    pub signatures: u32,
    /// How many are asked for.
    pub signatures_asked: u32,
    /// How far they have come, in words.
    pub words: String,
}

/// Somebody speaks against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectionView {
    /// Who.
    pub person: String,
    /// Why.
    pub reason: String,
    /// By which way it came: `http`, `console`, `ledger` or `daemon`; `null` in records of earlier versions.
    pub origin: Option<String>,
    /// When, by the ledger.
    pub at: String,
}

/// The transaction at one fee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungView {
    /// Its Fee.
    pub fee_drops: String,
    /// The unsigned transaction, serialized, in hex. What is signed is this; check that it says what
    /// `tx_json` says.
    pub blob: String,
    /// The same, as the ledger server writes it.
    pub tx_json: serde_json::Value,
}

/// What was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionView {
    /// Which rung is sent now, from 0.
    pub rung: usize,
    /// Whether it is the void that is sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voids: bool,
    /// Its Fee.
    pub fee_drops: Option<String>,
    /// Its transaction id.
    pub tx_id: Option<String>,
    /// Since when, by the ledger.
    pub since: String,
    /// The last thing a server said about it. Provisional.
    pub last_reply: Option<String>,
}

/// How it ended on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeView {
    /// The transaction.
    pub tx_id: String,
    /// Its final result; `null` where another transaction took its slot.
    pub result: Option<String>,
    /// The validated ledger it is in.
    pub ledger: Option<LedgerView>,
}

/// An escrow of a treasury account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscrowView {
    /// `owner:sequence`.
    pub key: String,
    /// Whose money is in it.
    pub owner: PartyView,
    /// Who receives.
    pub destination: PartyView,
    /// `DestinationTag`.
    pub destination_tag: Option<u32>,
    /// What is in it; `null` where it holds a token that a record of an earlier version does not name.
    pub amount: Option<AmountView>,
    /// The proposal that made it; `null`: none of the daemon's.
    pub proposal: Option<String>,
    /// `not_created`, `foreign`, `locked`, `withheld`, `releasing`, `released`, `cancelled` or `gone`.
    pub guard: String,
    /// Where it stands, in words.
    pub stands: String,
    /// Whether its release can still be stopped.
    pub can_be_stopped: bool,
    /// When the daemon first saw it, by the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// It can be finished only after this.
    pub finish_after: Option<String>,
    /// It can be cancelled only after this, and not finished.
    pub cancel_after: Option<String>,
}

/// What an anomaly rule saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingView {
    /// Its id.
    pub id: String,
    /// Which rule.
    pub kind: String,
    /// `log`, `alert`, `hold` or `freeze`.
    pub severity: String,
    /// The account it concerns; absent where it concerns the daemon as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<PartyView>,
    /// What was seen.
    pub evidence: String,
    /// When, by the ledger.
    pub at: String,
    /// Who has looked at it, and what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<AcknowledgedView>,
    /// Since when, by the ledger, it is so no longer, of what is compared with what is declared; what it stopped stays stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
}

/// Somebody has looked at a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgedView {
    /// Who.
    pub by: String,
    /// What came of it.
    pub reason: String,
    /// When, by the ledger.
    pub at: String,
}

/// A page of what is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventsPage {
    /// The records, in order.
    pub records: Vec<RecordView>,
    /// `after` of the next page.
    pub next: u64,
}

/// One step's facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordView {
    /// Its number, from 1 without gaps.
    pub number: u64,
    /// The facts as they are stored, but for signatures and signed transactions, which are shown to nobody. The format
    /// is the store's and may grow with versions.
    pub events: Vec<serde_json::Value>,
}
