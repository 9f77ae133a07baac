//! What people ask of the outbox: what became of notices, and to send them again.

use treasury_api::types::Notice;

use super::{BATCH_MAX, Delivery, Number, Outbox, OutboxError, Stage, delivery_key, json};

/// A notice with one of its deliveries, for lists.
#[derive(Clone, Debug)]
pub(in crate::notify) struct Listed {
    pub(in crate::notify) number: Number,
    pub(in crate::notify) notice: Notice,
    pub(in crate::notify) channel: String,
    pub(in crate::notify) delivery: Delivery,
}

impl Outbox {
    /// Puts what was sent, or given up, back to be sent now: notices from one number to another, in one channel or in
    /// all, and only those of a stage where one is named. Says how many there are.
    ///
    /// # Errors
    /// What the storage engine says; some may then be put back.
    pub(in crate::notify) fn redeliver(
        &mut self,
        (first, last): (Number, Number),
        channel: Option<&str>,
        stage: Option<Stage>,
        now_ms: u64,
    ) -> Result<usize, OutboxError> {
        if first > last {
            return Ok(0);
        }
        let mut chosen = Vec::new();
        for (number, held) in self.held.range(first..=last) {
            for (name, (now, _)) in &held.stages {
                let wanted = channel.is_none_or(|channel| channel == name)
                    && *now != Stage::Waiting
                    && stage.is_none_or(|stage| stage == *now);
                if wanted {
                    chosen.push((*number, name.clone()));
                }
            }
        }
        for batch in chosen.chunks(BATCH_MAX) {
            let (mut puts, mut after) = (Vec::new(), Vec::new());
            for (number, name) in batch {
                // Of one that was given up those get it who lack it; of one that all have, all.
                let has = self.delivery(name, *number)?.map(|(_, before)| before.has).unwrap_or_default();
                let again = Delivery { has, ..Delivery::due(now_ms) };
                puts.push((delivery_key(*number, name), json(&again)?));
                after.push((*number, name, again));
            }
            self.engine.apply(puts, Vec::new())?;
            after.iter().for_each(|(number, name, again)| self.remember(*number, name, again));
        }
        Ok(chosen.len())
    }

    /// Deliveries, newest first: of notices below a number, of one channel or all, of one stage or all.
    ///
    /// # Errors
    /// What the storage engine says, or what is damaged.
    pub(in crate::notify) fn list(
        &self,
        before: Number,
        channel: Option<&str>,
        stage: Option<Stage>,
        limit: usize,
    ) -> Result<Vec<Listed>, OutboxError> {
        let mut listed = Vec::new();
        for (number, held) in self.held.range(..before).rev() {
            for (name, (now, _)) in &held.stages {
                let wanted =
                    channel.is_none_or(|channel| channel == name) && stage.is_none_or(|stage| stage == *now);
                if wanted && let Some((notice, delivery)) = self.delivery(name, *number)? {
                    listed.push(Listed { number: *number, notice, channel: name.clone(), delivery });
                }
            }
            // All of a notice, so that the next page can begin below its number.
            if listed.len() >= limit {
                break;
            }
        }
        Ok(listed)
    }
}
