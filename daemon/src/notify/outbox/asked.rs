//! What people ask of the outbox: what became of notices, and to send them again.

use std::collections::BTreeSet;

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
    /// all of these, and only those of a stage where one is named. What was given up in a channel that is none of these goes
    /// through the one that is named. Says how many there are; `None`: there are only such, and no channel is named.
    ///
    /// # Errors
    /// What the storage engine says; some may then be put back.
    pub(in crate::notify) fn redeliver(
        &mut self,
        (first, last): (Number, Number),
        channel: Option<&str>,
        stage: Option<Stage>,
        channels: &[&str],
        now_ms: u64,
    ) -> Result<Option<usize>, OutboxError> {
        if first > last {
            return Ok(Some(0));
        }
        let (mut chosen, mut gone) = (Vec::new(), Vec::new());
        for (number, held) in self.held.range(first..=last) {
            for (name, (now, _)) in &held.stages {
                if *now == Stage::Waiting || stage.is_some_and(|stage| stage != *now) {
                    continue;
                }
                if !channels.contains(&name.as_str()) {
                    let is_there = channel.is_some_and(|channel| held.stages.contains_key(channel));
                    if *now == Stage::Dead && !is_there {
                        gone.push((*number, name.clone()));
                    }
                } else if channel.is_none_or(|channel| channel == name) {
                    chosen.push((*number, name.clone()));
                }
            }
        }
        let moved = match channel {
            Some(channel) => self.redeliver_through(channel, &gone, now_ms)?,
            None if chosen.is_empty() && !gone.is_empty() => return Ok(None),
            None => 0,
        };
        for batch in chosen.chunks(BATCH_MAX) {
            let (mut puts, mut after) = (Vec::new(), Vec::new());
            for (number, name) in batch {
                // Of one that was given up those get it who lack it; of one that all have, all.
                let before = self.delivery(name, *number)?.map(|(_, before)| (before.has, before.labels));
                let (has, labels) = before.unwrap_or_default();
                let again = Delivery { has, labels, ..Delivery::due(now_ms) };
                puts.push((delivery_key(*number, name), json(&again)?));
                after.push((*number, name, again));
            }
            self.engine.apply(puts, Vec::new())?;
            after.iter().for_each(|(number, name, again)| self.remember(*number, name, again));
        }
        Ok(Some(chosen.len().saturating_add(moved)))
    }

    /// Has what was given up in channels that are configured no more go through this one. Says how many notices there are.
    fn redeliver_through(
        &mut self,
        channel: &str,
        gone: &[(Number, String)],
        now_ms: u64,
    ) -> Result<usize, OutboxError> {
        let numbers: BTreeSet<Number> = gone.iter().map(|(number, _)| *number).collect();
        for (number, name) in gone {
            let Some((_, before)) = self.delivery(name, *number)? else { continue };
            let after = [(name.as_str(), before.moved(now_ms, channel)), (channel, Delivery::due(now_ms))];
            let puts = after.iter().map(|(name, after)| Ok((delivery_key(*number, name), json(after)?)));
            self.engine.apply(puts.collect::<Result<_, OutboxError>>()?, Vec::new())?;
            after.iter().for_each(|(name, after)| self.remember(*number, name, after));
        }
        Ok(numbers.len())
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
