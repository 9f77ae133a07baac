//! What is kept of old notices, and what is given up where too many wait.

use super::{BATCH_MAX, Delivery, Held, Number, Outbox, OutboxError, Stage, delivery_key, notice_key};

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(in crate::notify) struct Limits {
    /// Deliveries that wait at most, in all channels together.
    pub(in crate::notify) waiting: usize,
    /// Notices that are kept at least, to be looked at and sent again.
    pub(in crate::notify) least: usize,
    /// Notices at most, those too that were given up. A notice takes about a kilobyte.
    pub(in crate::notify) most: usize,
}

/// Ten thousand are some months of a busy treasury. Half of what is kept may wait, so that what is given up can be seen and
/// sent again until as many have come anew.
impl Default for Limits {
    fn default() -> Self {
        Self { waiting: 100_000, least: 10_000, most: 200_000 }
    }
}

/// Old notices that are taken away at a time: more than are told at a time.
const PURGED_AT_ONCE: usize = 500;

/// Batches of deliveries that are given up at a time.
const BATCHES_AT_ONCE: usize = 10;

impl Outbox {
    /// Takes the oldest notices away that everybody has; and where there are far too many, those that nobody waits for though
    /// somebody was not told. What waits stays; so do what an alert names that somebody has to answer, by the ids that they
    /// answer with, and what an Alertmanager was told last of what has an end.
    pub(super) fn purge(&mut self) -> Result<(), OutboxError> {
        let over = self.held.len().saturating_sub(self.limits.least).min(PURGED_AT_ONCE);
        if over == 0 {
            return Ok(());
        }
        let far_over = self.held.len() > self.limits.most;
        let named = self.named_by_alerts();
        let may_go = |number: Number, held: &Held| {
            if named.contains(&number) || self.is_last_of_alert(number, held.told.as_ref()) {
                return false;
            }
            let mut stages = held.stages.values().map(|(stage, _)| *stage);
            stages.all(|stage| stage == Stage::Delivered || (far_over && stage == Stage::Dead))
        };
        let gone = self.held.iter().filter(|(number, held)| may_go(**number, held));
        let gone: Vec<Number> = gone.take(over).map(|(number, _)| *number).collect();
        let mut gone = gone.into_iter().peekable();
        while gone.peek().is_some() {
            let (mut removals, mut batch) = (Vec::new(), Vec::new());
            while let Some(held) = gone.peek().and_then(|number| self.held.get(number)) {
                let more = held.stages.len().saturating_add(1);
                if !removals.is_empty() && removals.len().saturating_add(more) > BATCH_MAX {
                    break;
                }
                let Some(number) = gone.next() else { break };
                removals.push(notice_key(number));
                removals.extend(held.stages.keys().map(|channel| delivery_key(number, channel)));
                batch.push(number);
            }
            self.engine.apply(Vec::new(), removals)?;
            batch.into_iter().for_each(|number| self.let_go(number));
        }
        Ok(())
    }

    fn let_go(&mut self, number: Number) {
        let Some(held) = self.held.remove(&number) else { return };
        self.numbers.remove(&held.id);
        if let Some(told) = &held.told
            && let Some(numbers) = self.told.get_mut(&told.of)
        {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.told.remove(&told.of);
            }
        }
        for (channel, (stage, _)) in &held.stages {
            if let Some(dead) = self.dead.get_mut(channel).filter(|_| *stage == Stage::Dead) {
                *dead = dead.saturating_sub(1);
            }
        }
    }

    /// Gives deliveries up where too many wait: those that are due first in the channel where most do, and nothing that is
    /// critical. They are dead letters then. Says which, by the channel and the notice's id, with why.
    ///
    /// # Errors
    /// What the storage engine says. The rest is given up another time.
    pub(in crate::notify) fn give_up_what_is_too_much(
        &mut self,
        now_ms: u64,
    ) -> Result<Vec<(String, String, String)>, OutboxError> {
        let mut given_up = Vec::new();
        for _ in 0..BATCHES_AT_ONCE {
            let waiting = self.due.values().fold(0_usize, |all, queue| all.saturating_add(queue.len()));
            let over = waiting.saturating_sub(self.limits.waiting).min(BATCH_MAX);
            let fullest = self.due.iter().max_by_key(|(_, queue)| queue.rest.len());
            let Some((channel, queue)) = fullest.filter(|(_, queue)| over > 0 && !queue.rest.is_empty())
            else {
                break;
            };
            let (channel, problem) = (channel.clone(), format!("too many wait ({waiting})"));
            let dead = Delivery::given_up(now_ms, problem.clone());
            let numbers: Vec<Number> = queue.rest.iter().take(over).map(|(_, number)| *number).collect();
            let after: Vec<(Number, Delivery)> =
                numbers.iter().map(|number| (*number, dead.clone())).collect();
            self.set_all(&channel, &after)?;
            let held = numbers.iter().filter_map(|number| self.held.get(number));
            given_up.extend(held.map(|held| (channel.clone(), held.id.clone(), problem.clone())));
        }
        Ok(given_up)
    }
}
