//! Facts. Each is stored before anything follows from it, and the state is nothing but their sum.
//!
//! The JSON of [`Event`] is the stored format; [`FORMAT_VERSION`] goes with every record and names how it is framed.
//! What a kind of event holds is told by its word: a word keeps its meaning and its fields for ever, but for fields
//! that are added with a default. What has to change otherwise gets a new word, and the old one stays here to be read.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::charter::{Endorsement, Table};
use crate::model::command::Asked;
use crate::model::drill::{Drill, Proof};
use crate::model::failure::Cause;
use crate::model::intent::Origin;
use crate::model::observe::{AccountSnapshot, LedgerObservation, LedgerPoint};
use crate::model::policy::Decision;
use crate::model::proposal::{Approval, Ladder, Plan, Proposal, Rejection, Status, Submission};
use crate::model::signing::{GuardRefusal, first_key, is_first_key};
use crate::model::state::{Acknowledged, Finding, Sight};
use crate::model::stops::Stop;
use crate::model::units::{
    AccountId, Asset, EscrowKey, FindingId, Hash256, HexBytes, HoldId, ProposalId, RippleTime, StopId,
};

/// Version of the stored format.
pub const FORMAT_VERSION: u16 = 1;

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Somebody asked for what the other facts of its record say. First in its record, and of no consequence for the
    /// state.
    CommandTaken {
        /// Who, by which way, and when.
        asked: Asked,
    },
    /// A validated ledger was taken in; moves the cursor.
    LedgerTaken {
        /// What it held.
        observation: LedgerObservation,
        /// UTC when it was taken in, where that matters: when an escrow came to be in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken: Option<RippleTime>,
    },
    /// Accounts were read anew at a validated ledger; moves the cursor if there was none or if it is
    /// newer.
    AccountsRead {
        /// The ledger.
        at: LedgerPoint,
        /// The accounts as they are there.
        accounts: Vec<AccountSnapshot>,
        /// UTC when they were taken in, where an escrow came with them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken: Option<RippleTime>,
    },
    /// Sight came or went.
    SightChanged {
        /// How it is now.
        sight: Sight,
    },
    /// A proposal came to be, with policy's decision on it.
    ProposalDrafted {
        /// The whole proposal.
        proposal: Box<Proposal>,
        /// The asker's idempotency key.
        idempotency_key: Option<String>,
    },
    /// Policy asks for more than when it was drafted.
    Redecided {
        /// Which.
        proposal: ProposalId,
        /// What policy says now.
        decision: Decision,
    },
    /// It has its slot and its terms; takes the slot.
    ProposalPlanned {
        /// Which.
        proposal: ProposalId,
        /// The plan; without rungs where a condition is still to be derived.
        plan: Plan,
    },
    /// The transaction of each rung is fixed; signatures may be collected.
    RungsFrozen {
        /// Which.
        proposal: ProposalId,
        /// Unsigned, serialized.
        rungs: Vec<HexBytes>,
        /// Their digests.
        digests: Vec<Hash256>,
        /// The condition in them, for an EscrowCreate.
        condition: Option<HexBytes>,
        /// The release key that it was derived with.
        #[serde(default = "first_key", skip_serializing_if = "is_first_key")]
        key_version: u32,
        /// The void, where policy asks for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        void: Option<Ladder>,
    },
    /// A checked approval came in, or replaced the signer's earlier one.
    Approved {
        /// Of which proposal.
        proposal: ProposalId,
        /// The approval.
        approval: Approval,
    },
    /// An approval is gone: taken back, or dead by a change on the ledger.
    ApprovalDropped {
        /// Of which proposal.
        proposal: ProposalId,
        /// Whose.
        signer: AccountId,
        /// Why.
        reason: String,
    },
    /// Somebody spoke against it.
    Objected {
        /// Against which proposal.
        proposal: ProposalId,
        /// Who.
        person: String,
        /// What was said.
        rejection: Rejection,
    },
    /// A key that the daemon holds did not sign, or the ledger would not take its signature; or it signs again.
    SignerUnable {
        /// The agent, or the account that the key is of.
        signer: AccountId,
        /// Why; `None`: it signs again.
        reason: Option<String>,
    },
    /// The guard gave nothing for what a proposal makes or made, or it has given since.
    GuardSaid {
        /// The proposal that makes the escrow, or made it.
        proposal: ProposalId,
        /// Why; `None`: it has given.
        refusal: Option<GuardRefusal>,
    },
    /// Approvals suffice, or no longer do.
    StatusChanged {
        /// Which.
        proposal: ProposalId,
        /// `Collecting` or `Ready`.
        ready: bool,
    },
    /// The record of what is about to be sent.
    SubmissionRecorded {
        /// Of which proposal.
        proposal: ProposalId,
        /// The record.
        submission: Submission,
    },
    /// What is in flight was put together anew from the approvals that the ledger still takes: the record of what is
    /// about to be sent in its place.
    SubmissionRenewed {
        /// Of which proposal.
        proposal: ProposalId,
        /// The record; it names what was sent before.
        submission: Submission,
    },
    /// Another rung is sent from now on.
    RungChosen {
        /// Of which proposal.
        proposal: ProposalId,
        /// Its number, from 0.
        rung: usize,
    },
    /// A server said something new about it.
    SubmitReplied {
        /// Of which proposal.
        proposal: ProposalId,
        /// What.
        reply: String,
    },
    /// A proposal ended.
    ProposalEnded {
        /// Which.
        proposal: ProposalId,
        /// How; a final status.
        status: Status,
        /// Whether its slot is free again: nothing signed over it can be applied any more.
        frees_slot: bool,
    },
    /// A slot whose proposal ended earlier is free now.
    SlotFreed {
        /// The proposal that had it.
        proposal: ProposalId,
        /// The ledger in which it did what it was asked for all the same: somebody else had its signatures, and sent it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paid: Option<LedgerPoint>,
    },
    /// An ended proposal that nothing depends on leaves the state, with the escrow that it made. Whoever keeps the
    /// records keeps it where it can be found.
    ProposalArchived {
        /// Which.
        proposal: ProposalId,
    },
    /// An escrow that ended and that no proposal in the state made leaves it.
    EscrowForgotten {
        /// Which.
        escrow: EscrowKey,
    },
    /// Something must not leave from now on.
    StopSet {
        /// What, why, by whom.
        stop: Stop,
    },
    /// A stop was lifted.
    StopLifted {
        /// Which.
        id: StopId,
        /// By whom.
        by: String,
        /// Why.
        reason: String,
        /// When.
        at: LedgerPoint,
    },
    /// A hold was put on a proposal. Of earlier versions.
    HoldPlaced {
        /// Which.
        proposal: ProposalId,
        /// Its id.
        id: HoldId,
        /// The hold.
        hold: Hold,
    },
    /// A hold was lifted. Of earlier versions.
    HoldCleared {
        /// Of which proposal.
        proposal: ProposalId,
        /// Which.
        id: HoldId,
        /// By whom.
        by: String,
    },
    /// An escrow of which there is no record has the condition that only this daemon's release key gives to its terms: it
    /// is the daemon's own, and the proposal that made it is written anew from the ledger.
    EscrowRecognised {
        /// Which.
        escrow: EscrowKey,
        /// What is known of the proposal that made it.
        proposal: Box<Proposal>,
    },
    /// An EscrowFinish or EscrowCancel is being prepared, or no longer is.
    AttemptChanged {
        /// For which escrow.
        escrow: EscrowKey,
        /// The proposal; `None`: given up.
        attempt: Option<ProposalId>,
    },
    /// The fulfillment is about to be sent. Recorded before it is.
    EscrowRevealed {
        /// Of which escrow.
        escrow: EscrowKey,
        /// The EscrowFinish.
        attempt: ProposalId,
        /// When.
        at: LedgerPoint,
    },
    /// A kill switch was turned on. Of earlier versions.
    Frozen {
        /// On this account; `None`: on everything.
        account: Option<AccountId>,
        /// By whom and why.
        freeze: Freeze,
    },
    /// A kill switch was turned off. Of earlier versions.
    Unfrozen {
        /// On this account; `None`: the one on everything.
        account: Option<AccountId>,
        /// By whom.
        by: String,
    },
    /// An anomaly rule saw something.
    Found {
        /// What.
        finding: Finding,
    },
    /// Somebody has looked at a finding.
    FindingAcknowledged {
        /// Which.
        id: FindingId,
        /// Who, and what came of it.
        acknowledged: Acknowledged,
    },
    /// What was found is so no longer. What it stopped stays stopped.
    FindingOver {
        /// Which.
        id: FindingId,
        /// When.
        at: LedgerPoint,
    },
    /// Somebody looks after what notices told of. Of no consequence for the state.
    NoticesAcknowledged {
        /// Which, by their ids.
        notices: Vec<String>,
        /// Who, what is done about it, and when.
        acknowledged: Acknowledged,
    },
    /// A submission failed for a reason that concerns the account, or one went through.
    BreakerCounted {
        /// Whose; `None` in records of earlier versions, which counted for all accounts together.
        #[serde(default)]
        account: Option<AccountId>,
        /// What for.
        #[serde(default)]
        cause: Cause,
        /// Failures in a row now.
        failures: u32,
    },
    /// Automated submissions are stopped.
    BreakerOpened {
        /// Whose; `None` in records of earlier versions: of every account.
        #[serde(default)]
        account: Option<AccountId>,
        /// What for.
        #[serde(default)]
        cause: Cause,
        /// Since when.
        at: LedgerPoint,
        /// The failure that did it.
        reason: String,
    },
    /// They may go on.
    BreakerClosed {
        /// Whose; `None`: of every account.
        #[serde(default)]
        account: Option<AccountId>,
        /// Who said so.
        by: String,
    },
    /// A signer is asked to show that they have their key.
    DrillAsked {
        /// Who.
        signer: AccountId,
        /// What they are to sign.
        drill: Drill,
    },
    /// They have shown it, or are a signer no more.
    DrillEnded {
        /// Who.
        signer: AccountId,
        /// What they have signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
    /// Of a schedule, all that was due until then has been asked for, or given up.
    ScheduleReached {
        /// Its name.
        schedule: String,
        /// Until when.
        through: RippleTime,
        /// The last day that was asked for, counted from 2000-01-01.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        day: Option<u32>,
    },
    /// An account, with what it fills, lasts for so short a time that people are told, or no longer so.
    RunwayChanged {
        /// The account.
        account: AccountId,
        /// With which asset.
        #[serde(default = "xrp", skip_serializing_if = "Asset::is_xrp")]
        asset: Asset,
        /// The least of the declared limits that it is below of, in days; `None`: of none.
        below_days: Option<u32>,
    },
    /// What is known of these accounts is let go, and is read anew where it is needed again: nobody declares them and nothing rests
    /// on them any more, or they are declared otherwise than they were when they were read.
    AccountsForgotten {
        /// The accounts.
        accounts: Vec<AccountId>,
    },
    /// A schedule is not declared any more.
    ScheduleGone {
        /// Its name.
        schedule: String,
    },
    /// What was configured when tables came to be put in force by people is the first one in force.
    PolicyAdopted {
        /// The table.
        table: Box<Table>,
        /// When.
        at: LedgerPoint,
    },
    /// Another table is configured than the one in force, and waits for people. One that waited before waits no more.
    PolicyProposed {
        /// The table.
        table: Box<Table>,
        /// When.
        at: LedgerPoint,
    },
    /// Somebody wants it in force.
    PolicyEndorsed {
        /// Which.
        policy: Hash256,
        /// Who.
        by: String,
        /// Why, and when.
        endorsement: Endorsement,
        /// By which way it was said.
        origin: Origin,
    },
    /// Enough of them do: it is in force.
    PolicyActivated {
        /// Which.
        policy: Hash256,
        /// When.
        at: LedgerPoint,
    },
    /// The one in force is configured again, and the other waits no more.
    PolicyWithdrawn {
        /// Which waited.
        policy: Hash256,
    },
    /// What was in the address book when people came to confirm its entries is known.
    DestinationsAdopted {
        /// Which.
        destinations: BTreeSet<AccountId>,
        /// When.
        at: LedgerPoint,
    },
    /// An entry has come to the address book, and waits for people.
    DestinationProposed {
        /// Whose.
        destination: AccountId,
        /// When.
        at: LedgerPoint,
    },
    /// Somebody says that it is whose it is said to be.
    DestinationConfirmed {
        /// Whose.
        destination: AccountId,
        /// Who.
        by: String,
        /// Why, and when.
        endorsement: Endorsement,
        /// By which way it was said.
        origin: Origin,
    },
    /// Enough of them do: it is known when it has cooled.
    DestinationAdmitted {
        /// Whose.
        destination: AccountId,
        /// When.
        at: LedgerPoint,
    },
    /// It is in the address book no more.
    DestinationWithdrawn {
        /// Whose.
        destination: AccountId,
    },
}

/// What records of earlier versions are about, which name no asset.
fn xrp() -> Asset {
    Asset::Xrp
}

impl Event {
    /// The word for logs and errors.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::CommandTaken { .. } => "command_taken",
            Self::LedgerTaken { .. } => "ledger_taken",
            Self::AccountsRead { .. } => "accounts_read",
            Self::SightChanged { .. } => "sight_changed",
            Self::ProposalDrafted { .. } => "proposal_drafted",
            Self::Redecided { .. } => "redecided",
            Self::ProposalPlanned { .. } => "proposal_planned",
            Self::RungsFrozen { .. } => "rungs_frozen",
            Self::Approved { .. } => "approved",
            Self::ApprovalDropped { .. } => "approval_dropped",
            Self::Objected { .. } => "objected",
            Self::SignerUnable { .. } => "signer_unable",
            Self::GuardSaid { .. } => "guard_said",
            Self::StatusChanged { .. } => "status_changed",
            Self::SubmissionRecorded { .. } => "submission_recorded",
            Self::SubmissionRenewed { .. } => "submission_renewed",
            Self::RungChosen { .. } => "rung_chosen",
            Self::SubmitReplied { .. } => "submit_replied",
            Self::ProposalEnded { .. } => "proposal_ended",
            Self::SlotFreed { .. } => "slot_freed",
            Self::ProposalArchived { .. } => "proposal_archived",
            Self::EscrowForgotten { .. } => "escrow_forgotten",
            Self::StopSet { .. } => "stop_set",
            Self::StopLifted { .. } => "stop_lifted",
            Self::HoldPlaced { .. } => "hold_placed",
            Self::HoldCleared { .. } => "hold_cleared",
            Self::EscrowRecognised { .. } => "escrow_recognised",
            Self::AttemptChanged { .. } => "attempt_changed",
            Self::EscrowRevealed { .. } => "escrow_revealed",
            Self::Frozen { .. } => "frozen",
            Self::Unfrozen { .. } => "unfrozen",
            Self::Found { .. } => "found",
            Self::FindingAcknowledged { .. } => "finding_acknowledged",
            Self::FindingOver { .. } => "finding_over",
            Self::NoticesAcknowledged { .. } => "notices_acknowledged",
            Self::BreakerCounted { .. } => "breaker_counted",
            Self::BreakerOpened { .. } => "breaker_opened",
            Self::BreakerClosed { .. } => "breaker_closed",
            Self::DrillAsked { .. } => "drill_asked",
            Self::DrillEnded { .. } => "drill_ended",
            Self::ScheduleReached { .. } => "schedule_reached",
            Self::RunwayChanged { .. } => "runway_changed",
            Self::AccountsForgotten { .. } => "accounts_forgotten",
            Self::ScheduleGone { .. } => "schedule_gone",
            Self::PolicyAdopted { .. } => "policy_adopted",
            Self::PolicyProposed { .. } => "policy_proposed",
            Self::PolicyEndorsed { .. } => "policy_endorsed",
            Self::PolicyActivated { .. } => "policy_activated",
            Self::PolicyWithdrawn { .. } => "policy_withdrawn",
            Self::DestinationsAdopted { .. } => "destinations_adopted",
            Self::DestinationProposed { .. } => "destination_proposed",
            Self::DestinationConfirmed { .. } => "destination_confirmed",
            Self::DestinationAdmitted { .. } => "destination_admitted",
            Self::DestinationWithdrawn { .. } => "destination_withdrawn",
        }
    }
}

/// A reason not to submit a proposal and not to release its escrow. Of earlier versions; now a [`Stop`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who or what holds.
    pub source: HoldSource,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: LedgerPoint,
}

/// Who or what holds. Of earlier versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldSource {
    /// A person with the role `security`.
    Person(String),
    /// An anomaly rule, by its finding.
    Finding(FindingId),
}

/// A kill switch that is on. Of earlier versions; now a [`Stop`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// Who turned it: a person's name, or `treasuryd` for an anomaly rule.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: LedgerPoint,
}
