//! What has been settled since it was told and before it goes to people: held by quiet hours, gathered with others, or put off
//! because its receiver was away. It still goes, so that nobody wonders what became of it, but as one line that asks nothing of
//! anybody. Programs get their documents as they are.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use treasury_api::notice::Severity;
use treasury_api::types::Notice;
use treasury_core::State;
use treasury_core::config::Treasury;
use treasury_core::proposal::{Proposal, Status};
use treasury_core::state::Sight;

use super::channel::Form;
use super::outbox::Number;
use super::{Desk, escalate, remind, who};

/// What was not settled when it was looked last.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// The last notice that was told by then: of those after it nothing is known yet.
    upto: Number,
    /// The matters, by the names that alerts have.
    matters: BTreeSet<String>,
}

impl Open {
    pub(super) fn new(upto: Number, matters: BTreeSet<String>) -> Self {
        Self { upto, matters }
    }
}

/// Everything of the treasury's that an alert can be about and that is not over.
pub(super) fn open_matters(treasury: &Treasury, state: &State) -> BTreeSet<String> {
    let mut open = BTreeSet::new();
    let findings = state.findings.values().filter(|finding| finding.acknowledged.is_none());
    open.extend(findings.map(|finding| finding.id.to_string()));
    open.extend(state.stops.all().map(|stop| stop.id.to_string()));
    open.extend(state.standing.iter().filter(|key| remind::is_closing(state, key)).map(ToString::to_string));
    let proposals = state.open.iter().filter_map(|id| state.proposals.get(id));
    let waits = |proposal: &&Proposal| {
        proposal.status == Status::Collecting && !who::can_sign(treasury, state, proposal).is_empty()
    };
    open.extend(proposals.filter(waits).map(|proposal| proposal.id.to_string()));
    if matches!(state.sight, Sight::Lost(_)) {
        open.insert("sight".to_owned());
    }
    open.extend(state.unable.keys().map(|signer| format!("signer {signer}")));
    let breakers = state.breakers.iter().filter(|(_, breaker)| breaker.open.is_some());
    open.extend(breakers.map(|(key, _)| match &key.account {
        Some(account) => format!("breaker {account}"),
        None => "breaker all".to_owned(),
    }));
    open
}

impl Form {
    /// Whether people read what comes in this form, and no program.
    fn is_for_people(&self) -> bool {
        match self {
            Self::Slack | Self::Teams | Self::Matrix { .. } | Self::Email(_) => true,
            Self::Webhook { .. } | Self::Alertmanager { .. } => false,
        }
    }
}

impl Desk {
    /// Notes what is not settled.
    pub(super) fn note_open(&self, open: Open) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = open;
    }

    /// The notice as it goes in this form by now.
    pub(super) fn as_of_now(&self, form: &Form, number: Number, notice: Notice) -> Notice {
        match self.settled(number, &notice).filter(|_| form.is_for_people()) {
            Some(how) => settled(notice, &how),
            None => notice,
        }
    }

    /// How what a notice is about has been settled; `None`: it has not, or it is nothing that can be.
    fn settled(&self, number: Number, notice: &Notice) -> Option<String> {
        let about = escalate::about(notice)?;
        let outbox = self.outbox();
        let answered = outbox.alerts().values().filter(|alert| alert.is_of(notice));
        let by = answered.filter_map(|alert| alert.answered.as_ref());
        if let Some(by) = by.filter(|by| by.severity >= notice.severity).map(|by| &by.by).next() {
            return Some(format!("{by} looks after this by now"));
        }
        let is_over = if let Some(what) = escalate::of_host(notice) {
            outbox.reminded(&what).is_none()
        } else {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            number <= open.upto && !open.matters.contains(&about)
        };
        is_over.then(|| "Settled meanwhile".to_owned())
    }
}

/// One line of it.
fn settled(notice: Notice, how: &str) -> Notice {
    Notice {
        severity: Severity::Info,
        says: format!("{how}: {}", notice.says),
        deadline: None,
        signers: Vec::new(),
        can_do: Vec::new(),
        link: None,
        ledger: None,
        ..notice
    }
}
