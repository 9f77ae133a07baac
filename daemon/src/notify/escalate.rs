//! Alerts that somebody has to answer: what nobody answers in time goes on to the next, through the channels that a route
//! names, one after the other, until somebody does or what it is about is over.
//!
//! Which steps were taken lies in the outbox, so that a restart neither forgets nor repeats one. What is over is looked up in
//! the state: a finding by its acknowledgement, everything else by its end. That somebody looks after it is a record of the
//! store, and noted in the outbox when that is told.

use serde::{Deserialize, Serialize};
use treasury_api::notice::{Kind, Severity};
use treasury_api::types::Notice;
use treasury_core::config::Treasury;
use treasury_core::proposal::Status;
use treasury_core::state::Sight;
use treasury_core::units::{EscrowKey, FindingId, ProposalId, StopId};
use treasury_core::{State, proposal::Proposal};

use super::when::HELD_MS_MAX;
use super::{host, remind, who};

/// How far a clock that keeps time is set back at once: nothing is taken early for that, and no step waits longer by more.
const SET_BACK_MS_MAX: u64 = 60_000;

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
    /// As it was told first, or first as grave as it is.
    pub(super) notice: Notice,
    pub(super) escalation: Escalation,
    /// Since when it can be answered: when it was sent first. Milliseconds of UTC.
    pub(super) since_ms: u64,
    /// How many steps were taken.
    pub(super) steps: usize,
    /// The channels that got one of them, since it is as grave as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) went: Vec<String>,
    /// Who looks after it. It stays until it is over, so that what is told again of it wakes nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answered: Option<Answered>,
}

/// Who looks after an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) by: String,
    pub(super) reason: String,
    /// When, by the ledger.
    pub(super) at: String,
    /// How grave what they saw was: what is graver they have not seen.
    pub(super) severity: Severity,
}

impl Alert {
    /// The step that is due by now, if one is, and the channel that it goes through. Each comes after the one before it
    /// has had its time; a clock that jumped ahead takes one of them at a time.
    pub(super) fn due(&self, now_ms: u64) -> Option<(Notice, &str)> {
        let channel = self.escalation.to.get(self.steps).filter(|_| self.answered.is_none())?;
        if now_ms < self.next_ms() && !self.is_ahead(now_ms) {
            return None;
        }
        // Longer than it had to be answered in, where quiet hours came in between.
        let waited = now_ms.saturating_sub(self.since_ms) / 60_000;
        let minutes = waited.max(u64::from(self.escalation.after_seconds / 60));
        let step = self.steps.saturating_add(1);
        let mut notice = self.notice.clone();
        notice.id = format!("{}-step-{step}", self.notice.id);
        notice.says =
            format!("Nobody has answered this for {minutes} min, so it comes to you: {}", self.notice.says);
        Some((notice, channel))
    }

    /// When its time for an answer is over.
    pub(super) fn next_ms(&self) -> u64 {
        self.since_ms.saturating_add(u64::from(self.escalation.after_seconds).saturating_mul(1_000))
    }

    /// Whether it is of the same matter as a notice.
    pub(super) fn is_of(&self, notice: &Notice) -> bool {
        let about = about(&self.notice);
        about.is_some() && about == self::about(notice)
    }

    /// What is stored when that is told, where this is known of the same name; `None`: all stays as it is. Who looks after one
    /// does so until it is graver than what they saw. One that nobody has answered says what is gravest of it, and goes on at
    /// the first of the times, from the step that it has come to.
    pub(super) fn with(known: Option<&Self>, told: &Self) -> Option<Self> {
        let Some(known) = known else { return Some(told.clone()) };
        if let Some(answered) = &known.answered {
            return (answered.severity < told.notice.severity).then(|| told.clone());
        }
        // Who was told of less is told of this.
        if known.steps > 0 && known.notice.severity < told.notice.severity {
            return Some(told.clone());
        }
        let first = if told.next_ms() < known.next_ms() { told } else { known };
        let gravest = if told.notice.severity > known.notice.severity { told } else { known };
        let after = Self {
            notice: gravest.notice.clone(),
            escalation: first.escalation.clone(),
            since_ms: first.since_ms,
            ..known.clone()
        };
        (after != *known).then_some(after)
    }

    /// Whether it begins later than any can: by a clock that was ahead then and has been set back since. How much of its time
    /// is over nobody knows, so all of it is: else it would wait for as long as that clock was ahead. The first step may wait
    /// for quiet hours, the others for nothing.
    fn is_ahead(&self, now_ms: u64) -> bool {
        let most_ms = if self.steps == 0 { HELD_MS_MAX } else { SET_BACK_MS_MAX };
        self.since_ms > now_ms.saturating_add(most_ms)
    }

    /// Whether that channel has got a step of this matter, by this list, and no less grave than the other says it is.
    pub(super) fn went_to(&self, channel: &str, other: &Self) -> bool {
        self.is_of(&other.notice)
            && self.notice.severity >= other.notice.severity
            && self.went.iter().any(|went| went == channel)
    }

    /// As it is after a step that went to this channel, or to nobody, because whoever it was for has had it.
    pub(super) fn stepped(&self, to: Option<&str>, now_ms: u64) -> Self {
        let mut after = Self { steps: self.steps.saturating_add(1), since_ms: now_ms, ..self.clone() };
        after.went.extend(to.map(str::to_owned));
        after
    }
}

/// The name of an alert: the same for everything that is told of the same matter, so that each step is taken once. `None`:
/// nobody has to answer it.
pub(super) fn name(notice: &Notice, escalation: &Escalation) -> Option<String> {
    about(notice).map(|about| format!("{about} > {}", escalation.to.join(" > ")))
}

/// What a notice is about that somebody has to answer.
pub(super) fn about(notice: &Notice) -> Option<String> {
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
        _ => of_host(notice)?,
    };
    Some(about)
}

/// Whether what a notice tells is the end of what an alert is about that can come again under the same name. It is then no
/// longer what somebody looked after.
pub(super) fn ends(notice: &Notice, alert: &Alert) -> bool {
    let Some(about) = about(&alert.notice) else { return false };
    let account = notice.account.as_ref().map(|account| account.address.as_str());
    match (notice.kind, account) {
        (Kind::SightClear, _) => about == "sight",
        (Kind::SignerAble, _) => about == format!("signer {}", account.unwrap_or("all")),
        (Kind::BreakerClosed, Some(account)) => about == format!("breaker {account}"),
        // That closes them all.
        (Kind::BreakerClosed, None) => about.starts_with("breaker "),
        (Kind::Quorum, _) => notice.proposal.as_ref() == Some(&about),
        _ => false,
    }
}

/// The matter of the host's, or of the telling's, that a notice is about.
pub(super) fn of_host(notice: &Notice) -> Option<String> {
    match notice.kind {
        Kind::ChannelGaveUp => notice.channel.as_deref().map(host::of_channel),
        Kind::DiskLow => Some(host::DISK.to_owned()),
        _ => None,
    }
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
            let id: Option<StopId> = parsed(notice.stop.as_ref());
            id.is_some_and(|id| state.stops.get(id).is_some())
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
