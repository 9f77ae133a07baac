//! The alerts that somebody has to answer.

use std::collections::{BTreeMap, BTreeSet};

use treasury_api::types::Notice;

use super::{Addressed, BATCH_MAX, Number, Outbox, OutboxError, alert_key, json};
use crate::notify::escalate::{Alert, Answered};

impl Outbox {
    /// Alerts that nobody has answered, by name.
    pub(in crate::notify) fn alerts(&self) -> &BTreeMap<String, Alert> {
        &self.alerts
    }

    /// Takes the next step of an alert, where one is due: the notice of it and that it was taken are stored together. Whoever has
    /// had a step of the same matter by another list gets none by this one, which goes on in its time all the same.
    ///
    /// # Errors
    /// What the storage engine says. The step is then taken another time.
    pub(in crate::notify) fn step(&mut self, name: &str, now_ms: u64) -> Result<(), OutboxError> {
        let Some(alert) = self.alerts.get(name) else { return Ok(()) };
        let Some((notice, channel)) = alert.due(now_ms) else { return Ok(()) };
        let others = self.alerts.iter().filter(|(other, _)| *other != name);
        if others.map(|(_, other)| other).any(|other| other.went_to(channel, alert)) {
            let after = alert.stepped(None, now_ms);
            return self.put_alerts(&[(name.to_owned(), after)]);
        }
        let mut notice = notice;
        // Another route's people have had their step of the same notice.
        if self.numbers.contains_key(&notice.id) {
            notice.id = format!("{}-{channel}", notice.id);
        }
        let (next, after) = (Addressed::to(notice, channel, now_ms), alert.stepped(Some(channel), now_ms));
        let put = (alert_key(name), json(&after)?);
        self.put_in(vec![next], |_| Ok(Some(put)))?;
        self.alerts.insert(name.to_owned(), after);
        self.purge()
    }

    /// Notes who looks after the alerts of the matters of these notices. Says how many those are. Notices that are kept no
    /// more are left out, and so are alerts that have become graver than what was seen.
    ///
    /// # Errors
    /// What the storage engine says, or what is damaged. It is noted another time then.
    pub(in crate::notify) fn answer(
        &mut self,
        ids: &[String],
        answered: &Answered,
    ) -> Result<usize, OutboxError> {
        let seen = self.seen(ids)?;
        let mut after = Vec::new();
        for (name, alert) in self.alerts.iter().filter(|(_, alert)| alert.answered.is_none()) {
            let of_it =
                seen.iter().filter(|seen| self.is_seen(alert, seen)).map(|(_, notice)| notice.severity);
            if let Some(severity) = of_it.max() {
                let severity = severity.max(alert.notice.severity);
                let answered = Some(Answered { severity, ..answered.clone() });
                after.push((name.clone(), Alert { answered, ..alert.clone() }));
            }
        }
        self.put_alerts(&after)?;
        Ok(after.len())
    }

    /// The notices of these ids that are kept, with their numbers.
    ///
    /// # Errors
    /// What the storage engine says, or what is damaged.
    pub(in crate::notify) fn seen(&self, ids: &[String]) -> Result<Vec<(Number, Notice)>, OutboxError> {
        let mut seen = Vec::new();
        for id in ids {
            if let Some(notice) = self.notice(id)? {
                seen.push((self.number(id).unwrap_or_default(), notice));
            }
        }
        Ok(seen)
    }

    /// Whether who has seen that notice knows of the alert as it is: whoever has only seen what came before it became graver
    /// does not.
    pub(in crate::notify) fn is_seen(&self, alert: &Alert, (number, notice): &(Number, Notice)) -> bool {
        let is_later = || self.number(&alert.notice.id).is_none_or(|told| told < *number);
        alert.is_of(notice) && (notice.severity >= alert.notice.severity || is_later())
    }

    fn put_alerts(&mut self, alerts: &[(String, Alert)]) -> Result<(), OutboxError> {
        for batch in alerts.chunks(BATCH_MAX) {
            let puts = batch.iter().map(|(name, alert)| Ok((alert_key(name), json(alert)?)));
            self.engine.apply(puts.collect::<Result<_, OutboxError>>()?, Vec::new())?;
            self.alerts.extend(batch.iter().cloned());
        }
        Ok(())
    }

    /// Has these alerts and no others. Where the power goes in between, there are some of before beside them.
    ///
    /// # Errors
    /// What the storage engine says.
    pub(in crate::notify) fn set_alerts(
        &mut self,
        alerts: BTreeMap<String, Alert>,
    ) -> Result<(), OutboxError> {
        let over: Vec<String> =
            self.alerts.keys().filter(|name| !alerts.contains_key(*name)).cloned().collect();
        let changed: Vec<(String, Alert)> =
            alerts.into_iter().filter(|(name, alert)| self.alerts.get(name) != Some(alert)).collect();
        self.put_alerts(&changed)?;
        self.forget_alerts(&over)
    }

    /// The numbers of the notices that alerts name: as they were told, and each step of them.
    pub(super) fn named_by_alerts(&self) -> BTreeSet<Number> {
        let ids = self.alerts.values().flat_map(|alert| {
            let id = &alert.notice.id;
            let steps = (1..=alert.steps).flat_map(move |step| {
                let to = step.checked_sub(1).and_then(|step| alert.escalation.to.get(step));
                let by_list = to.map(|to| format!("{id}-step-{step}-{to}"));
                std::iter::once(format!("{id}-step-{step}")).chain(by_list)
            });
            std::iter::once(id.clone()).chain(steps)
        });
        ids.filter_map(|id| self.number(&id)).collect()
    }

    /// The notice of this id, where it is kept, or an alert is of it.
    ///
    /// # Errors
    /// What the storage engine says, or what is damaged.
    pub(in crate::notify) fn notice(&self, id: &str) -> Result<Option<Notice>, OutboxError> {
        let Some(number) = self.number(id) else {
            let of_alert = self.alerts.values().map(|alert| &alert.notice).find(|notice| notice.id == id);
            return Ok(of_alert.cloned());
        };
        self.notice_at(number)
    }

    /// Forgets alerts that were answered, or that are over.
    ///
    /// # Errors
    /// What the storage engine says.
    pub(in crate::notify) fn forget_alerts(&mut self, names: &[String]) -> Result<(), OutboxError> {
        for batch in names.chunks(BATCH_MAX) {
            self.engine.apply(Vec::new(), batch.iter().map(|name| alert_key(name)).collect())?;
            batch.iter().for_each(|name| drop(self.alerts.remove(name)));
        }
        Ok(())
    }
}
