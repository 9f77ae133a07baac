//! Alerts that somebody has to answer: what nobody answers in time goes on to the next, through the channels that a route
//! names, one after the other, until somebody does or what it is about is over.
//!
//! Which steps were taken lies in the outbox, so that a restart neither forgets nor repeats one. What is answered is
//! looked up in the state: a finding by its acknowledgement, everything else by its end.

use serde::{Deserialize, Serialize};
use treasury_api::notice::{Kind, Severity};
use treasury_api::types::Notice;
use treasury_core::config::Treasury;
use treasury_core::proposal::Status;
use treasury_core::state::Sight;
use treasury_core::units::{EscrowKey, FindingId, ProposalId};
use treasury_core::{State, proposal::Proposal};

use super::{remind, who};

/// To whom an alert goes on, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// How long each has to answer.
    pub after_seconds: u32,
    /// Channels, in this order.
    pub to: Vec<String>,
}

/// An alert that nobody has answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Alert {
    /// As it was told first.
    pub(super) notice: Notice,
    pub(super) escalation: Escalation,
    /// Since when it can be answered: when it was sent first. Milliseconds of UTC.
    pub(super) since_ms: u64,
    /// How many steps were taken.
    pub(super) steps: usize,
}

impl Alert {
    /// The step that is due by now, if one is, and the channel that it goes through. Each comes after the one before it
    /// has had its time; a clock that jumped ahead takes one of them at a time.
    pub(super) fn due(&self, now_ms: u64) -> Option<(Notice, &str)> {
        let channel = self.escalation.to.get(self.steps)?;
        let after_ms = u64::from(self.escalation.after_seconds).saturating_mul(1_000);
        if now_ms < self.since_ms.saturating_add(after_ms) {
            return None;
        }
        let minutes = self.escalation.after_seconds / 60;
        let step = self.steps.saturating_add(1);
        let mut notice = self.notice.clone();
        notice.id = format!("{}-step-{step}", self.notice.id);
        notice.says =
            format!("Nobody has answered this for {minutes} min, so it comes to you: {}", self.notice.says);
        Some((notice, channel))
    }

    /// As it is after that step.
    pub(super) fn stepped(&self, now_ms: u64) -> Self {
        Self { steps: self.steps.saturating_add(1), since_ms: now_ms, ..self.clone() }
    }
}

/// The name of an alert: the same for everything that is told of the same matter, so that each step is taken once. `None`:
/// nobody has to answer it.
pub(super) fn name(notice: &Notice, escalation: &Escalation) -> Option<String> {
    if notice.severity < Severity::Warning {
        return None;
    }
    let account = || notice.account.as_ref().map_or("all", |account| account.address.as_str());
    let about = match notice.kind {
        Kind::Finding => notice.finding.clone()?,
        Kind::StopSet | Kind::Freeze => notice.stop.clone()?,
        Kind::WindowClosing => notice.escrow.clone()?,
        Kind::Wanted | Kind::Reminder | Kind::QuorumLost => notice.proposal.clone()?,
        Kind::SightLost => "sight".to_owned(),
        Kind::SignerUnable => format!("signer {}", account()),
        Kind::BreakerOpened => format!("breaker {}", account()),
        _ => return None,
    };
    Some(format!("{about} > {}", escalation.to.join(" > ")))
}

/// Whether an alert still waits for an answer.
pub(super) fn stands(treasury: &Treasury, state: &State, notice: &Notice) -> bool {
    let is_account =
        |address: &str| notice.account.as_ref().is_some_and(|account| account.address == address);
    match notice.kind {
        Kind::Finding => {
            let id: Option<FindingId> = parsed(notice.finding.as_ref());
            id.and_then(|id| state.findings.get(&id)).is_some_and(|finding| finding.acknowledged.is_none())
        }
        Kind::StopSet | Kind::Freeze => {
            notice.stop.as_ref().is_some_and(|id| state.stops.all().any(|stop| stop.id.to_string() == *id))
        }
        Kind::WindowClosing => {
            let key: Option<EscrowKey> = parsed(notice.escrow.as_ref());
            key.is_some_and(|key| remind::is_closing(state, &key))
        }
        Kind::Wanted | Kind::Reminder | Kind::QuorumLost => {
            let id: Option<ProposalId> = parsed(notice.proposal.as_ref());
            let waits = |proposal: &Proposal| {
                proposal.status == Status::Collecting && !who::can_sign(treasury, state, proposal).is_empty()
            };
            id.and_then(|id| state.proposals.get(&id)).is_some_and(waits)
        }
        Kind::SightLost => matches!(state.sight, Sight::Lost(_)),
        Kind::SignerUnable => state.unable.keys().any(|signer| is_account(&signer.to_string())),
        Kind::BreakerOpened => state.breakers.iter().any(|(key, breaker)| {
            let is_its = match &key.account {
                Some(account) => is_account(&account.to_string()),
                None => notice.account.is_none(),
            };
            is_its && breaker.open.is_some()
        }),
        _ => false,
    }
}

fn parsed<T: std::str::FromStr>(text: Option<&String>) -> Option<T> {
    text.and_then(|text| text.parse().ok())
}
