//! What waits in each channel, in the order in which it goes: by when it is due, and of what is due what is critical first, so
//! that nobody can make a freeze wait behind what they have told in great number.

use std::collections::BTreeSet;

use super::{BATCH_MAX, Delivery, Number, Outbox, Stage};

/// What waits in a channel, by when it is due.
#[derive(Debug, Default)]
pub(super) struct Queue {
    critical: BTreeSet<(u64, Number)>,
    pub(super) rest: BTreeSet<(u64, Number)>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.critical.len().saturating_add(self.rest.len())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (u64, Number)> {
        self.critical.iter().chain(&self.rest).copied()
    }

    pub(super) fn of(&mut self, is_critical: bool) -> &mut BTreeSet<(u64, Number)> {
        if is_critical { &mut self.critical } else { &mut self.rest }
    }
}

impl Outbox {
    /// What is due first in a channel, and when: of what is critical, then of the rest.
    pub(in crate::notify) fn firsts(&self, channel: &str) -> Vec<(u64, Number)> {
        let Some(queue) = self.due.get(channel) else { return Vec::new() };
        queue.critical.first().into_iter().chain(queue.rest.first()).copied().collect()
    }

    /// What waits in a channel for the same time as this notice, is critical or not as it is, and comes after it; it itself,
    /// and nothing beyond so many.
    pub(in crate::notify) fn next_together(&self, channel: &str, number: Number, most: usize) -> Vec<Number> {
        let found = self.held.get(&number).and_then(|held| Some((held, held.stages.get(channel)?)));
        let Some((held, (_, at_ms))) = found else { return Vec::new() };
        let Some(queue) = self.due.get(channel) else { return Vec::new() };
        let waiting = if held.is_critical { &queue.critical } else { &queue.rest };
        let together = waiting.range((*at_ms, number)..=(*at_ms, Number::MAX));
        together.map(|(_, number)| *number).take(most.min(BATCH_MAX)).collect()
    }

    /// How many wait in a channel.
    pub(in crate::notify) fn waiting(&self, channel: &str) -> usize {
        self.due.get(channel).map_or(0, Queue::len)
    }

    /// How many are dead in a channel.
    pub(in crate::notify) fn dead(&self, channel: &str) -> usize {
        self.dead.get(channel).copied().unwrap_or_default()
    }

    pub(super) fn remember(&mut self, number: Number, channel: &str, delivery: &Delivery) {
        let Some(held) = self.held.get_mut(&number) else { return };
        let before = held.stages.insert(channel.to_owned(), (delivery.stage, delivery.at_ms));
        let due = self.due.entry(channel.to_owned()).or_default().of(held.is_critical);
        let dead = self.dead.entry(channel.to_owned()).or_default();
        if let Some((stage, at_ms)) = before {
            due.remove(&(at_ms, number));
            *dead = dead.saturating_sub(usize::from(stage == Stage::Dead));
        }
        match delivery.stage {
            Stage::Waiting => drop(due.insert((delivery.at_ms, number))),
            Stage::Dead => *dead = dead.saturating_add(1),
            Stage::Delivered => {}
        }
    }
}
