//! What waits for channels that are configured no more: somebody has renamed them, or taken them out.

use std::collections::BTreeMap;

use treasury_api::notice::Kind;
use treasury_api::types::Notice;

use super::{CHANNELS_OF_NOTICE_MAX, Delivery, Number, Outbox, OutboxError, alert_key, delivery_key, json};
use crate::notify::escalate::Alert;
use crate::store::seam::Pair;

/// What became of what waited for a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::notify) struct Closed {
    pub(in crate::notify) channel: String,
    /// How many were given up there.
    pub(in crate::notify) given_up: usize,
    /// How many of them no other channel has, or gets.
    pub(in crate::notify) lost: usize,
}

/// What the configuration says now.
pub(in crate::notify) struct ByNow<'a> {
    pub(in crate::notify) channels: &'a [&'a str],
    pub(in crate::notify) now_ms: u64,
    /// Where a notice goes.
    pub(in crate::notify) address: &'a dyn Fn(Notice) -> Vec<(String, u64)>,
    /// To whom an alert of this name goes on.
    pub(in crate::notify) again: &'a dyn Fn(&str, &Alert) -> BTreeMap<String, Alert>,
}

impl Outbox {
    /// Gives up what waits for all channels but those of now. Each notice goes through those that the routes give instead, but
    /// for those that it goes through already; a step goes to whom the list of now has in its place; a test is of its channel
    /// alone.
    ///
    /// # Errors
    /// What the storage engine says. What is left waits until the next start.
    pub(in crate::notify) fn close_all_but(&mut self, now: &ByNow<'_>) -> Result<Vec<Closed>, OutboxError> {
        let waits = self.due.iter().map(|(channel, queue)| {
            (channel.clone(), queue.all().map(|(_, number)| number).collect::<Vec<Number>>())
        });
        let gone: Vec<(String, Vec<Number>)> = waits
            .filter(|(channel, numbers)| !numbers.is_empty() && !now.channels.contains(&channel.as_str()))
            .collect();
        let mut closed = Vec::new();
        for (channel, numbers) in gone {
            let mut lost = 0_usize;
            for number in &numbers {
                lost = lost.saturating_add(usize::from(self.close(&channel, *number, now)?));
            }
            closed.push(Closed { channel, given_up: numbers.len(), lost });
        }
        Ok(closed)
    }

    /// Whether no other channel has it, or gets it.
    fn close(&mut self, channel: &str, number: Number, now: &ByNow<'_>) -> Result<bool, OutboxError> {
        let notice = self.notice_at(number)?.filter(|notice| notice.kind != Kind::Test);
        if let Some((name, alert, again)) =
            notice.as_ref().and_then(|notice| self.step_of(notice, channel, now))
        {
            let (to, after) = self.take_back(channel, &name, &alert, &again, now);
            let is_lost = to.is_none() && after.went.is_empty() && after.steps >= again.escalation.to.len();
            self.send_elsewhere(channel, number, to.map(|to| (to, now.now_ms)), Some((name, after)), now)?;
            return Ok(is_lost);
        }
        let mut again = notice.map(now.address).unwrap_or_default();
        let stages = self.held.get(&number).map(|held| &held.stages);
        again.retain(|(to, _)| stages.is_none_or(|stages| !stages.contains_key(to)));
        again.truncate(CHANNELS_OF_NOTICE_MAX);
        let has =
            stages.is_some_and(|stages| stages.keys().any(|other| now.channels.contains(&other.as_str())));
        let is_lost = again.is_empty() && !has;
        self.send_elsewhere(channel, number, again, None, now)?;
        Ok(is_lost)
    }

    /// The alert of which a notice is the step that went to this channel, where somebody still has to answer it: its name, as it
    /// is, and as it goes on by the lists of now.
    fn step_of(&self, notice: &Notice, channel: &str, now: &ByNow<'_>) -> Option<(String, Alert, Alert)> {
        let is_step = |alert: &Alert| {
            let step = notice.id.strip_prefix(&alert.notice.id).and_then(|rest| rest.strip_prefix("-step-"));
            let step = step.and_then(|rest| rest.split('-').next()?.parse::<usize>().ok()?.checked_sub(1));
            let to = step.and_then(|step| alert.escalation.to.get(step).filter(|_| step < alert.steps));
            to.is_some_and(|to| to == channel)
        };
        let open = self.alerts.iter().filter(|(_, alert)| alert.answered.is_none());
        let (name, alert) = open.into_iter().find(|(_, alert)| is_step(alert))?;
        let mut by_now = (now.again)(name, alert);
        let again = by_now.remove(name).or_else(|| by_now.into_values().next())?;
        Some((name.clone(), alert.clone(), again))
    }

    /// Whom a step goes to by the list of now that waits for a channel that is no more: who is in that one's place, or else who
    /// has been passed over. Where there is nobody, whoever is next has it at once.
    fn take_back(
        &self,
        channel: &str,
        name: &str,
        alert: &Alert,
        again: &Alert,
        now: &ByNow<'_>,
    ) -> (Option<String>, Alert) {
        let (before, list) = (&alert.escalation.to, &again.escalation.to);
        let others: Vec<&Alert> =
            self.alerts.iter().filter(|(other, _)| *other != name).map(|(_, other)| other).collect();
        let is_free = |to: &&String| {
            now.channels.contains(&to.as_str())
                && !alert.went.contains(*to)
                && !others.iter().any(|other| other.went_to(to, alert))
        };
        let place = before.iter().position(|to| to == channel);
        let in_place = place.and_then(|place| list.get(place)).filter(is_free);
        let to = in_place.or_else(|| list.iter().take(alert.steps).find(is_free)).cloned();
        let mut after = Alert { since_ms: now.now_ms, ..alert.clone() };
        after.went.retain(|went| went != channel);
        match &to {
            Some(to) => after.went.push(to.clone()),
            None => {
                let wait_ms = u64::from(again.escalation.after_seconds).saturating_mul(1_000);
                after.since_ms = alert.since_ms.min(now.now_ms.saturating_sub(wait_ms));
            }
        }
        (to, after)
    }

    fn send_elsewhere(
        &mut self,
        channel: &str,
        number: Number,
        to: impl IntoIterator<Item = (String, u64)>,
        alert: Option<(String, Alert)>,
        now: &ByNow<'_>,
    ) -> Result<(), OutboxError> {
        let dead = Delivery::given_up(now.now_ms, "the channel is configured no more".to_owned());
        let after = to.into_iter().map(|(to, due_ms)| (to, Delivery::due(due_ms)));
        let after: Vec<(String, Delivery)> = after.chain([(channel.to_owned(), dead)]).collect();
        let puts = after.iter().map(|(to, delivery)| Ok((delivery_key(number, to), json(delivery)?)));
        let mut puts = puts.collect::<Result<Vec<Pair>, OutboxError>>()?;
        if let Some((name, alert)) = &alert {
            puts.push((alert_key(name), json(alert)?));
        }
        self.engine.apply(puts, Vec::new())?;
        after.iter().for_each(|(to, delivery)| self.remember(number, to, delivery));
        self.alerts.extend(alert);
        Ok(())
    }
}
