//! What a proposal waits for, and what keeps it from being sent.

use std::fmt;

use crate::config::{Signing, Treasury};
use crate::intent::{Asker, Intent};
use crate::policy::Approvers;
use crate::proposal::{Proposal, Status};
use crate::state::{Sight, State};
use crate::units::Weight;
use crate::{escrow, flow, multisign};

/// Something a proposal waits for, or that keeps it from being sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Sight of the validated ledger, lost for this reason.
    Sight(String),
    /// A free Ticket in the account's pool.
    Ticket,
    /// The account's SignerList, which is not on the ledger.
    SignerList,
    /// The network's fee is above the configured most.
    FeeAboveCap,
    /// The escrow's condition.
    Condition,
    /// Signatures: weight so far and asked for, then those of the rule's approvers.
    Signatures(Weight, Weight, Weight, Weight),
    /// The signer of the daemon's own keys.
    OwnKey,
    /// Holds on it, or on the escrow it would release.
    Holds(usize),
    /// A freeze, turned on by this person.
    Freeze(String),
    /// The circuit breaker, open for this reason.
    Breaker(String),
    /// The deadline has passed; it expires when LastLedgerSequence has passed too.
    Deadline,
    /// A validated ledger.
    Ledger,
    /// CancelAfter: the payment had ended otherwise when its escrow came to be.
    Unwanted(&'static str),
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sight(reason) => write!(f, "sight of the validated ledger ({reason})"),
            Self::Ticket => f.write_str("a free Ticket of the account"),
            Self::SignerList => f.write_str("the account's SignerList, which is not on the ledger"),
            Self::FeeAboveCap => f.write_str("a lower network fee: it is above fees.fee_max"),
            Self::Condition => f.write_str("the escrow's condition"),
            Self::Signatures(weight, quorum, people, asked) => {
                write!(f, "signatures: weight {weight} of {quorum}")?;
                if asked.0 > 0 { write!(f, ", of approvers {people} of {asked}") } else { Ok(()) }
            }
            Self::OwnKey => f.write_str("the daemon's own key to sign"),
            Self::Holds(count) => write!(f, "{count} hold(s) to be cleared"),
            Self::Freeze(by) => write!(f, "the freeze by {by} to be lifted"),
            Self::Breaker(reason) => write!(f, "the circuit breaker to be closed ({reason})"),
            Self::Deadline => f.write_str("LastLedgerSequence to pass: the deadline is over"),
            Self::Ledger => f.write_str("a validated ledger"),
            Self::Unwanted(status) => write!(f, "CancelAfter: its proposal is {status}"),
        }
    }
}

/// Everything a proposal waits for now, for people. Empty once it has ended.
#[must_use]
pub fn waits(config: &Treasury, state: &State, proposal: &Proposal) -> Vec<Wait> {
    let mut waits = match &proposal.status {
        Status::Drafted => flow::make_plan(config, state, proposal).err().into_iter().collect(),
        Status::Assessed => vec![Wait::Condition],
        Status::Collecting => vec![missing(config, state, proposal)],
        Status::InFlight(_) => return vec![Wait::Ledger],
        Status::Ready => Vec::new(),
        _ => return Vec::new(),
    };
    for block in blocks(config, state, proposal) {
        if !waits.contains(&block) {
            waits.push(block);
        }
    }
    waits
}

fn missing(config: &Treasury, state: &State, proposal: &Proposal) -> Wait {
    let single =
        config.accounts.get(&proposal.account).is_some_and(|account| account.signing == Signing::Single);
    match (single, multisign::signer_list(state, &proposal.account)) {
        (true, _) => Wait::OwnKey,
        (false, None) => Wait::SignerList,
        (false, Some(list)) => {
            let approvers: Option<&Approvers> =
                proposal.plan.as_ref().and_then(|plan| plan.approvers.as_ref());
            let (tally, _) = multisign::tally(config, list, approvers, proposal.approvals.keys());
            Wait::Signatures(tally.weight, tally.quorum, tally.approver_weight, tally.approver_quorum)
        }
    }
}

/// What keeps a proposal from being signed by the daemon and from being sent. Nothing does only when
/// this is empty.
#[must_use]
pub fn blocks(config: &Treasury, state: &State, proposal: &Proposal) -> Vec<Wait> {
    let mut blocks = Vec::new();
    if let Sight::Lost(reason) = &state.sight {
        blocks.push(Wait::Sight(reason.clone()));
    }
    if let Some(freeze) = state.freeze_of(&proposal.account) {
        blocks.push(Wait::Freeze(freeze.by.clone()));
    }
    if !proposal.holds.is_empty() {
        blocks.push(Wait::Holds(proposal.holds.len()));
    }
    if let (Asker::Daemon, Some((_, reason))) = (&proposal.asker, &state.breaker.open) {
        blocks.push(Wait::Breaker(reason.clone()));
    }
    if proposal.plan.as_ref().is_some_and(|plan| state.now() > plan.deadline) {
        blocks.push(Wait::Deadline);
    }
    if let Intent::FinishEscrow { escrow } | Intent::CancelEscrow { escrow } = &proposal.intent {
        let finish = matches!(proposal.intent, Intent::FinishEscrow { .. });
        blocks.extend(escrow::blocks(config, state, escrow, finish));
    }
    blocks
}
