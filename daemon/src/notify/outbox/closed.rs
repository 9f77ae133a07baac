//! What waits for channels that are configured no more: somebody has renamed them, or taken them out.

use treasury_api::notice::Kind;
use treasury_api::types::Notice;

use super::{CHANNELS_OF_NOTICE_MAX, Delivery, Number, Outbox, OutboxError, delivery_key, json};
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

impl Outbox {
    /// Gives up what waits for all but these channels. Each notice goes through those that `address` gives instead, but for
    /// those that it goes through already; a test is of its channel alone.
    ///
    /// # Errors
    /// What the storage engine says. What is left waits until the next start.
    pub(in crate::notify) fn close_all_but(
        &mut self,
        channels: &[&str],
        now_ms: u64,
        address: &dyn Fn(Notice) -> Vec<(String, u64)>,
    ) -> Result<Vec<Closed>, OutboxError> {
        let waits = self.due.iter().map(|(channel, queue)| {
            (channel.clone(), queue.all().map(|(_, number)| number).collect::<Vec<Number>>())
        });
        let gone: Vec<(String, Vec<Number>)> = waits
            .filter(|(channel, numbers)| !numbers.is_empty() && !channels.contains(&channel.as_str()))
            .collect();
        let mut closed = Vec::new();
        for (channel, numbers) in gone {
            let mut lost = 0_usize;
            for number in &numbers {
                lost = lost
                    .saturating_add(usize::from(self.close(&channel, *number, channels, now_ms, address)?));
            }
            closed.push(Closed { channel, given_up: numbers.len(), lost });
        }
        Ok(closed)
    }

    /// Whether no other channel has it, or gets it.
    fn close(
        &mut self,
        channel: &str,
        number: Number,
        channels: &[&str],
        now_ms: u64,
        address: &dyn Fn(Notice) -> Vec<(String, u64)>,
    ) -> Result<bool, OutboxError> {
        let notice = self.notice_at(number)?.filter(|notice| notice.kind != Kind::Test);
        let mut again = notice.map(address).unwrap_or_default();
        let stages = self.held.get(&number).map(|held| &held.stages);
        again.retain(|(to, _)| stages.is_none_or(|stages| !stages.contains_key(to)));
        again.truncate(CHANNELS_OF_NOTICE_MAX);
        let has = stages.is_some_and(|stages| stages.keys().any(|other| channels.contains(&other.as_str())));
        let is_lost = again.is_empty() && !has;
        let dead = Delivery::given_up(now_ms, "the channel is configured no more".to_owned());
        let after = again.into_iter().map(|(to, due_ms)| (to, Delivery::due(due_ms)));
        let after: Vec<(String, Delivery)> = after.chain([(channel.to_owned(), dead)]).collect();
        let puts = after.iter().map(|(to, delivery)| Ok((delivery_key(number, to), json(delivery)?)));
        self.engine.apply(puts.collect::<Result<Vec<Pair>, OutboxError>>()?, Vec::new())?;
        after.iter().for_each(|(to, delivery)| self.remember(number, to, delivery));
        Ok(is_lost)
    }
}
