//! What people ask of what they are told.

use rand::Rng;
use treasury_api::notice::{Kind, Severity};
use treasury_api::types::{ChannelView, DeliveryView, Notice};

use super::Desk;
use super::outbox::{Addressed, Listed, OutboxError, Stage};
use crate::clock;

/// Which notices are to be sent again.
pub(crate) enum Asked {
    /// The one with this id.
    One(String),
    /// Those from one number to another.
    Range(u64, u64),
}

impl Desk {
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

    /// Sends again what was delivered or given up. Says how many deliveries that is; `None` where there is no such
    /// notice.
    ///
    /// # Errors
    /// What the outbox says.
    pub(crate) fn redeliver(
        &self,
        notices: &Asked,
        channel: Option<&str>,
        stage: Option<Stage>,
    ) -> Result<Option<usize>, OutboxError> {
        let mut outbox = self.outbox();
        let range = match notices {
            Asked::One(id) => match outbox.number(id) {
                Some(number) => (number, number),
                None => return Ok(None),
            },
            Asked::Range(first, last) => (*first, *last),
        };
        let count = outbox.redeliver(range, channel, stage, self.clock.now_ms())?;
        drop(outbox);
        self.wake_all();
        Ok(Some(count))
    }

    /// Puts a test message into a channel.
    ///
    /// # Errors
    /// What the outbox says.
    pub(crate) fn try_out(&self, channel: &str, person: &str) -> Result<Notice, OutboxError> {
        let mut outbox = self.outbox();
        let id = format!("n-{}-test-{:08x}", outbox.series(), rand::rng().random::<u32>());
        let says = crate::lines::shown(&format!("{person} tries whether notices come through this channel."));
        let notice = Notice::new(id, Kind::Test, Severity::Info, clock::utc().to_string(), says);
        let now_ms = self.clock.now_ms();
        let Addressed { notice, .. } = self.config.address(notice, now_ms);
        // Whoever tries a channel looks at it now: no quiet hours, and no batch.
        outbox.add(Addressed::to(notice.clone(), channel, now_ms), None)?;
        drop(outbox);
        self.wake_all();
        Ok(notice)
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
