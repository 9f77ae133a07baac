//! What people ask of what they are told.

use rand::Rng;
use treasury_api::notice::{Kind, Severity};
use treasury_api::types::{AcknowledgedView, AlertView, ChannelView, DeliveryView, Notice};

use super::Desk;
use super::escalate::{Alert, Answered};
use super::outbox::{Addressed, Listed, OutboxError, Stage};
use crate::clock;

/// Which notices are to be sent again.
pub(crate) enum Asked {
    /// The one with this id.
    One(String),
    /// Those from one number to another.
    Range(u64, u64),
}

/// What came of sending again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Redelivered {
    /// There is no such notice, or it is kept no more.
    Unknown,
    /// There is no channel of the name that was given, or of those through which they went, and none was given.
    NoChannel,
    /// So many deliveries.
    Done(usize),
}

/// How it stands with notices that somebody says they look after.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// One that is kept no more, or never was.
    Unknown(String),
    /// One of this finding, which is acknowledged by itself.
    Finding(String),
    /// What they are of has become graver since, and nobody has said that they saw that.
    Outgrown,
    /// Whether nobody looks after one of them yet.
    Known { unanswered: bool },
}

impl Desk {
    /// How it stands with these.
    ///
    /// # Errors
    /// What the outbox says.
    pub(crate) fn standing(&self, ids: &[String]) -> Result<Standing, OutboxError> {
        let outbox = self.outbox();
        for id in ids {
            let Some(notice) = outbox.notice(id)? else { return Ok(Standing::Unknown(id.clone())) };
            if let Some(finding) = notice.finding.as_ref().filter(|_| notice.kind == Kind::Finding) {
                return Ok(Standing::Finding(finding.clone()));
            }
        }
        let seen = outbox.seen(ids)?;
        let open = outbox.alerts().values().filter(|alert| alert.answered.is_none());
        let of_them: Vec<&Alert> =
            open.filter(|alert| seen.iter().any(|(_, notice)| alert.is_of(notice))).collect();
        let unanswered = of_them.iter().any(|alert| seen.iter().any(|seen| outbox.is_seen(alert, seen)));
        if !of_them.is_empty() && !unanswered {
            return Ok(Standing::Outgrown);
        }
        Ok(Standing::Known { unanswered })
    }

    /// Notes who looks after what, as the store's records say.
    ///
    /// # Errors
    /// What the outbox says. It is noted another time then.
    pub(super) fn note_answers(&self, answers: &[(Vec<String>, Answered)]) -> Result<(), OutboxError> {
        if answers.is_empty() {
            return Ok(());
        }
        let mut outbox = self.outbox();
        answers.iter().try_for_each(|(ids, answered)| outbox.answer(ids, answered).map(drop))?;
        drop(outbox);
        self.show_unanswered();
        Ok(())
    }

    /// Alerts that somebody has to answer or looks after, the oldest first.
    pub(crate) fn alerts(&self) -> Vec<AlertView> {
        let outbox = self.outbox();
        let mut alerts: Vec<(&String, &Alert)> = outbox.alerts().iter().collect();
        alerts.sort_by_key(|(_, alert)| (alert.answered.is_some(), alert.since_ms));
        let now_ms = self.clock.now_ms();
        alerts.into_iter().map(|(name, one)| alert(one, self.config.step_at(name, one, now_ms))).collect()
    }

    /// Whether there is a channel of this name.
    pub(crate) fn has(&self, channel: &str) -> bool {
        self.config.channel(channel).is_some()
    }

    /// The channels, and what waits there.
    pub(crate) fn channels(&self) -> Vec<ChannelView> {
        let outbox = self.outbox();
        let view = |channel: &super::Channel| ChannelView {
            name: channel.name.clone(),
            form: channel.form.word().to_owned(),
            receiver: channel.label().to_owned(),
            waiting: outbox.waiting(&channel.name),
            dead: outbox.dead(&channel.name),
        };
        self.config.channels.iter().map(view).collect()
    }

    /// Deliveries, newest first.
    ///
    /// # Errors
    /// What the outbox says.
    pub(crate) fn list(
        &self,
        before: u64,
        channel: Option<&str>,
        stage: Option<Stage>,
        limit: usize,
    ) -> Result<Vec<DeliveryView>, OutboxError> {
        let listed = self.outbox().list(before, channel, stage, limit)?;
        Ok(listed.into_iter().map(view).collect())
    }

    /// Sends again what was delivered or given up.
    ///
    /// # Errors
    /// What the outbox says.
    pub(crate) fn redeliver(
        &self,
        notices: &Asked,
        channel: Option<&str>,
        stage: Option<Stage>,
    ) -> Result<Redelivered, OutboxError> {
        if channel.is_some_and(|channel| !self.has(channel)) {
            return Ok(Redelivered::NoChannel);
        }
        let channels: Vec<&str> = self.config.channels.iter().map(|channel| channel.name.as_str()).collect();
        let mut outbox = self.outbox();
        let range = match notices {
            Asked::One(id) => match outbox.number(id) {
                Some(number) => (number, number),
                None => return Ok(Redelivered::Unknown),
            },
            Asked::Range(first, last) => (*first, *last),
        };
        let done = outbox.redeliver(range, channel, stage, &channels, self.clock.now_ms())?;
        drop(outbox);
        self.wake_all();
        Ok(done.map_or(Redelivered::NoChannel, Redelivered::Done))
    }

    /// Puts a test message into a channel.
    ///
    /// # Errors
    /// What the outbox says.
    pub(crate) fn try_out(&self, channel: &str, person: &str) -> Result<Notice, OutboxError> {
        let mut outbox = self.outbox();
        let id = format!("n-{}-test-{:016x}", outbox.series(), rand::rng().random::<u64>());
        let says = crate::lines::shown(&format!("{person} tries whether notices come through this channel."));
        let mut notice = Notice::new(id, Kind::Test, Severity::Info, clock::utc().to_string(), says);
        notice.by = Some(person.to_owned());
        let now_ms = self.clock.now_ms();
        let Addressed { notice, .. } = self.config.address(notice, now_ms);
        // Whoever tries a channel looks at it now: no quiet hours, and no batch.
        outbox.add(Addressed::to(notice.clone(), channel, now_ms), None)?;
        drop(outbox);
        self.wake_all();
        Ok(notice)
    }
}

fn alert(alert: &Alert, next_ms: u64) -> AlertView {
    let to = &alert.escalation.to;
    let (went, goes) = to.split_at(alert.steps.min(to.len()));
    let next = clock::unix(next_ms / 1_000).to_string();
    let acknowledged = alert.answered.as_ref().map(|answered| AcknowledgedView {
        by: answered.by.clone(),
        reason: answered.reason.clone(),
        at: answered.at.clone(),
    });
    let is_over = goes.is_empty() || acknowledged.is_some();
    AlertView {
        notice: alert.notice.clone(),
        went_to: went.to_vec(),
        goes_to: goes.to_vec(),
        next: (!is_over).then_some(next),
        acknowledged,
    }
}

fn view(listed: Listed) -> DeliveryView {
    let Listed { number, notice, channel, delivery } = listed;
    DeliveryView {
        number,
        channel,
        stage: delivery.stage.word().to_owned(),
        attempts: delivery.attempts,
        at: clock::unix(delivery.at_ms / 1_000).to_string(),
        problem: delivery.problem,
        notice,
    }
}
