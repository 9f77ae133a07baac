//! The alerts that somebody has to answer.

use std::collections::BTreeMap;

use super::{Addressed, BATCH_MAX, Outbox, OutboxError, alert_key, json};
use crate::notify::escalate::Alert;

impl Outbox {
    /// Alerts that nobody has answered, by name.
    pub(in crate::notify) fn alerts(&self) -> &BTreeMap<String, Alert> {
        &self.alerts
    }

    /// Takes the next step of an alert, where one is due: the notice of it and that it was taken are stored together.
    ///
    /// # Errors
    /// What the storage engine says. The step is then taken another time.
    pub(in crate::notify) fn step(&mut self, name: &str, now_ms: u64) -> Result<(), OutboxError> {
        let Some(alert) = self.alerts.get(name) else { return Ok(()) };
        let Some((notice, channel)) = alert.due(now_ms) else { return Ok(()) };
        let (next, after) = (Addressed::to(notice, channel, now_ms), alert.stepped(now_ms));
        let put = (alert_key(name), json(&after)?);
        self.put_in(vec![next], |_| Ok(Some(put)))?;
        self.alerts.insert(name.to_owned(), after);
        self.purge()
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
