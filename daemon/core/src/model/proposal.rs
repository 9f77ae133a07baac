//! A proposal: an intent, the transaction frozen for it, its approvals, and how far it has come.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use xrpl_wire::PublicKey;

use crate::model::drill::Proof;
use crate::model::inquiry::Inquiry;
use crate::model::intent::{Asker, Intent, Origin};
use crate::model::observe::LedgerPoint;
use crate::model::policy::{Approvers, Decision};
use crate::model::signing::{Purpose, ReleaseInputs, Slot};
use crate::model::units::{AccountId, Drops, Hash256, HexBytes, LedgerIndex, ProposalId, RippleTime};

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// The account that sends the transaction.
    pub account: AccountId,
    /// What is wanted.
    pub intent: Intent,
    /// Who asked.
    pub asker: Asker,
    /// By which way it came; `None` in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What for, in the asker's words.
    pub note: String,
    /// Seconds that people have to approve, counted from the freezing.
    pub deadline_seconds: u32,
    /// The deadline as it was asked for; `None`: the configured one, or a record of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_asked: Option<u32>,
    /// The asker's idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The time of a schedule that it is for; `None`: it was asked for by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<Occurrence>,
    /// What was found out about the destination before it was asked for.
    #[serde(default, skip_serializing_if = "Inquiry::is_empty")]
    pub inquiry: Inquiry,
    /// When it was drafted.
    pub drafted: LedgerPoint,
    /// What policy said.
    pub decision: Decision,
    /// The transaction, once it has a slot and (for an escrow) a condition.
    pub plan: Option<Plan>,
    /// Signatures that were checked, by signer account.
    pub approvals: BTreeMap<AccountId, Approval>,
    /// Of approvals that count no more, what was signed over the void: it can still make worthless what the same signers
    /// signed to pay, which may be in other hands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept_for_void: BTreeMap<AccountId, Approval>,
    /// Who spoke against it and why, by person.
    pub rejections: BTreeMap<String, Rejection>,
    /// How far it has come.
    pub status: Status,
}

/// One time at which a scheduled payment is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occurrence {
    /// The schedule's name.
    pub schedule: String,
    /// It reaches nobody before this time.
    pub due: RippleTime,
    /// Nothing is sent for it after this time.
    pub until: RippleTime,
}

impl Approval {
    /// That the signer has their key; of people: the daemon's own keys are another matter.
    #[must_use]
    pub fn proof(&self, approved: ProposalId) -> Option<Proof> {
        let key = self.signing_pub_key.account_id();
        self.person.as_ref().map(|_| Proof { key, at: self.at, approved: Some(approved) })
    }

    /// Its signatures over the ladder with that purpose.
    #[must_use]
    pub fn signatures_for(&self, purpose: Purpose) -> &[HexBytes] {
        match purpose {
            Purpose::Pay => &self.signatures,
            Purpose::Void => &self.void_signatures,
        }
    }
}

impl Proposal {
    /// Those of whom there are signatures over the ladder with that purpose. Who took an approval back has signed the void
    /// all the same.
    pub fn approvals_for(&self, purpose: Purpose) -> impl Iterator<Item = &Approval> {
        let kept = self.kept_for_void.values().filter(move |_| purpose == Purpose::Void);
        self.approvals.values().chain(kept)
    }

    /// Whether it is its void that is being sent.
    #[must_use]
    pub fn is_being_voided(&self) -> bool {
        matches!(&self.status, Status::InFlight(submission) if submission.purpose == Purpose::Void)
    }

    /// Whether it was recorded for sending and a stop called it back before it left: nothing of it is in other hands by that.
    #[must_use]
    pub fn was_called_back(&self) -> bool {
        matches!(&self.status, Status::InFlight(submission)
            if submission.purpose == Purpose::Pay && !submission.may_have_left())
    }

    /// Whether people can still end it: it has not been submitted.
    #[must_use]
    pub fn can_be_ended(&self) -> bool {
        let is_before =
            matches!(self.status, Status::Drafted | Status::Assessed | Status::Collecting | Status::Ready);
        is_before || self.was_called_back()
    }

    /// The escrow that this proposal creates or created, if it is a delayed payment.
    #[must_use]
    pub fn release_inputs(&self) -> Option<&ReleaseInputs> {
        self.plan.as_ref().and_then(|plan| plan.delay.as_ref())
    }
}

/// Everything that is fixed before the first signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The Ticket, or Sequence, it will use up.
    pub slot: Slot,
    /// After this ledger it can never be applied.
    pub last_ledger_sequence: LedgerIndex,
    /// After this ledger time the daemon takes no approval and starts no submission.
    pub deadline: RippleTime,
    /// The fee of each rung, ascending.
    pub fees: Vec<Drops>,
    /// For a delayed payment: the escrow's terms.
    pub delay: Option<ReleaseInputs>,
    /// The escrow's condition, once derived.
    pub condition: Option<HexBytes>,
    /// Who must sign besides the quorum, each of them. Records of earlier versions have one, or null.
    #[serde(deserialize_with = "one_or_several")]
    pub approvers: Vec<Approvers>,
    /// The unsigned transaction of each rung, serialized; empty while the condition is being derived,
    /// and for an EscrowFinish, whose transaction holds a secret until it is sent.
    pub rungs: Vec<HexBytes>,
    /// [`crate::model::observe::intent_digest`] of each rung, in order.
    pub digests: Vec<Hash256>,
    /// The ladder of the void, where policy asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<Ladder>,
}

/// The same transaction at several fees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// The fee of each rung, ascending.
    pub fees: Vec<Drops>,
    /// The unsigned transaction of each rung, serialized; empty until they are fixed.
    pub rungs: Vec<HexBytes>,
    /// [`crate::model::observe::intent_digest`] of each rung, in order.
    pub digests: Vec<Hash256>,
}

impl Plan {
    /// Fees and unsigned transactions of the ladder with that purpose; `None` where there is none.
    #[must_use]
    pub fn ladder(&self, purpose: Purpose) -> Option<(&[Drops], &[HexBytes])> {
        match (purpose, &self.void) {
            (Purpose::Pay, _) => Some((&self.fees, &self.rungs)),
            (Purpose::Void, void) => void.as_ref().map(|void| (void.fees.as_slice(), void.rungs.as_slice())),
        }
    }

    /// The unsigned transaction of each rung of the void; none where there is no void.
    #[must_use]
    pub fn void_rungs(&self) -> &[HexBytes] {
        self.ladder(Purpose::Void).map_or(&[], |(_, rungs)| rungs)
    }

    /// Which of its ladders has a rung with this digest.
    #[must_use]
    pub fn purpose_of(&self, digest: &Hash256) -> Option<Purpose> {
        let voids = |void: &Ladder| void.digests.contains(digest);
        if self.digests.contains(digest) {
            return Some(Purpose::Pay);
        }
        self.void.as_ref().is_some_and(voids).then_some(Purpose::Void)
    }
}

fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Approvers>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Several(Vec<Approvers>),
        One(Option<Approvers>),
    }
    Ok(match Stored::deserialize(deserializer)? {
        Stored::Several(approvers) => approvers,
        Stored::One(one) => one.into_iter().collect(),
    })
}

/// One signer's approval: signatures over all rungs, checked on arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The account in the SignerList.
    pub signer: AccountId,
    /// The key that signed.
    pub signing_pub_key: PublicKey,
    /// One `TxnSignature` per rung.
    pub signatures: Vec<HexBytes>,
    /// And one per rung of the void, where there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub void_signatures: Vec<HexBytes>,
    /// Who brought it: a person's name, or `None` for an agent of the daemon.
    pub person: Option<String>,
    /// By which way it came; `None` in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// When.
    pub at: LedgerPoint,
}

/// Somebody speaks against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The signer account whose weight is withheld, if the person has one.
    pub signer: Option<AccountId>,
    /// Why.
    pub reason: String,
    /// By which way it came; `None` in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Whether it came with a panic, which ends whatever is open: that says nothing about who asked for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub panic: bool,
    /// When.
    pub at: LedgerPoint,
}

/// How far a proposal has come. Each state carries what only it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// Waits for a free Ticket.
    Drafted,
    /// Has its slot; waits for the escrow's condition.
    Assessed,
    /// Policy said no. Final.
    Denied,
    /// Waits for signatures.
    Collecting,
    /// Has them, and waits for what keeps it from being submitted.
    Ready,
    /// Recorded and sent; only a validated ledger decides.
    InFlight(Submission),
    /// In a validated ledger with `tesSUCCESS`. Final.
    Validated(Outcome),
    /// In a validated ledger with another result, which is final: fee and slot are spent, nothing else.
    Failed(Outcome),
    /// LastLedgerSequence has passed without it. Final: it can never be applied.
    Expired,
    /// Enough weight spoke against it. The slot stays taken until LastLedgerSequence passes or it is
    /// seen to be used, because signatures may exist.
    Rejected,
    /// The asker took it back. As with `Rejected`, the slot may stay taken.
    Withdrawn,
    /// Another transaction used its slot. Final: it can never be applied.
    Superseded {
        /// That transaction.
        tx_id: Hash256,
    },
    /// Its void used its slot. Final: it can never be applied.
    Voided {
        /// The void.
        tx_id: Hash256,
    },
}

impl Status {
    /// The word for lists, metrics and the API.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Drafted => "drafted",
            Self::Assessed => "assessed",
            Self::Denied => "denied",
            Self::Collecting => "collecting",
            Self::Ready => "ready",
            Self::InFlight(_) => "in_flight",
            Self::Validated(_) => "validated",
            Self::Failed(_) => "failed",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Superseded { .. } => "superseded",
            Self::Voided { .. } => "voided",
        }
    }

    /// Every word, in the order of the flow.
    pub const WORDS: [&'static str; 13] = [
        "drafted",
        "assessed",
        "denied",
        "collecting",
        "ready",
        "in_flight",
        "validated",
        "failed",
        "expired",
        "rejected",
        "withdrawn",
        "superseded",
        "voided",
    ];

    /// Whether the daemon does nothing more for it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Drafted | Self::Assessed | Self::Collecting | Self::Ready | Self::InFlight(_))
    }

    /// Whether it ended and moved no money. A withdrawn or rejected proposal counts as ended here: the
    /// daemon will not submit it, though signatures that left their signers' hands bind until
    /// LastLedgerSequence.
    #[must_use]
    pub fn ended_without_effect(&self) -> bool {
        self.is_final() && !matches!(self, Self::Validated(_))
    }
}

/// The record that is durable before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// What it is sent for.
    #[serde(default, skip_serializing_if = "Purpose::is_pay")]
    pub purpose: Purpose,
    /// The signed transaction of each rung, fees ascending. At most one can ever be applied: they share
    /// a slot.
    pub rungs: Vec<SignedRung>,
    /// Whose signatures are in it; empty for a single-signed one.
    pub signers: Vec<AccountId>,
    /// The rung that is being sent now.
    pub current: usize,
    /// The last validated ledger when it was first sent.
    pub since: LedgerPoint,
    /// The last thing a server said about it. Provisional.
    pub last_reply: Option<String>,
    /// Transactions that were put together for it before: with signatures that the ledger no longer takes, or to pay where
    /// this is the void. Each may have been sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Hash256>,
}

/// What stands in the place of a server's reply where a stop came before the sending.
pub(crate) const NOT_SENT: &str = "not sent";

/// What stands there when it is sent after all.
pub(crate) const SENDING: &str = "sending";

/// What stands there when it was sent again before anything was said about the first sending.
pub(crate) const NO_REPLY_YET: &str = "no reply yet";

impl Submission {
    /// Whether it may have left the daemon. It has not where every sending was called back before.
    #[must_use]
    pub fn may_have_left(&self) -> bool {
        self.last_reply.as_deref() != Some(NOT_SENT) || !self.earlier.is_empty()
    }

    /// Whether it is being sent for the first time, and no server has said anything of it: what calls it back may come in time.
    #[must_use]
    pub fn is_on_its_way(&self) -> bool {
        self.earlier.is_empty() && self.last_reply.as_deref().is_none_or(|reply| reply == SENDING)
    }
}

/// A signed transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedRung {
    /// Its Fee.
    pub fee: Drops,
    /// Its id.
    pub tx_id: Hash256,
    /// Serialized.
    pub blob: HexBytes,
}

/// How it ended on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The transaction.
    pub tx_id: Hash256,
    /// Its final result.
    pub result: String,
    /// The validated ledger it is in.
    pub at: LedgerPoint,
}
