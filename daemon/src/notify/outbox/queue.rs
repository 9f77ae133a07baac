//! What waits in each channel, in the order in which it goes. Of what is due what is critical goes first, and of that who or
//! what causes notices take turns, so that nobody can make a freeze wait behind what they tell in great number. The rest goes by
//! when it is due: it is what people read as a story.
//!
//! What it does not guard against: whoever speaks with the tokens of many people has the turns of all of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use treasury_api::types::Notice;

use super::{BATCH_MAX, Delivery, Number, Outbox, Stage};

/// Who or what caused a notice. There are no more of them than people, accounts that have a name, and two besides: what goes
/// next is looked for among them, and not among all that waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// The daemon or its host, and what is about no account.
    #[default]
    Daemon,
    /// Accounts that nobody has given a name: whoever makes many of those has one turn.
    Strangers,
    /// What was found or happens on this account.
    Account(String),
    /// A person, by name.
    Person(String),
}

impl Cause {
    pub(super) fn of(notice: &Notice) -> Self {
        match (&notice.by, &notice.account) {
            (Some(name), _) => Self::Person(name.clone()),
            (None, Some(account)) if account.name.is_some() => Self::Account(account.address.clone()),
            (None, Some(_)) => Self::Strangers,
            (None, None) => Self::Daemon,
        }
    }
}

/// What of one cause waits, by when it is due.
type Lane = BTreeSet<(u64, Number)>;

/// What waits, and whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    all: BTreeSet<(u64, Number)>,
    lanes: BTreeMap<Cause, Lane>,
    /// When each had its last turn; those that are not here have had none. Kept where nothing of it waits, too: else whoever
    /// comes one by one would be new each time, and always first.
    turns: BTreeMap<Cause, u64>,
    turn: u64,
    /// Those that were tried in vain, with when they were first.
    failed: BTreeMap<Number, u64>,
    failed_since: Lane,
    /// When something went through last, in milliseconds of UTC.
    went_ms: u64,
    /// Since when something was to go through and nothing has, in milliseconds of UTC.
    owed_since: Option<u64>,
}

impl Lanes {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(u64, Number)> {
        self.all.iter()
    }

    fn insert(&mut self, cause: &Cause, at: (u64, Number), failed_since: Option<u64>) {
        self.all.insert(at);
        self.lanes.entry(cause.clone()).or_default().insert(at);
        if let Some(since) = failed_since {
            self.failed.insert(at.1, since);
            self.failed_since.insert((since, at.1));
        }
    }

    fn remove(&mut self, cause: &Cause, at: (u64, Number)) {
        self.all.remove(&at);
        if let Some(since) = self.failed.remove(&at.1) {
            self.failed_since.remove(&(since, at.1));
        }
        if let Some(lane) = self.lanes.get_mut(cause) {
            lane.remove(&at);
            if lane.is_empty() {
                self.lanes.remove(cause);
            }
        }
    }

    /// What of each cause waits, those first that have waited longest for their turn; of those that have had none yet, what is
    /// due first.
    fn in_turn(&self) -> Vec<&Lane> {
        let turn = |(cause, lane): (&Cause, &'_ Lane)| {
            (self.turns.get(cause).copied().unwrap_or_default(), lane.first().copied())
        };
        let mut lanes: Vec<(&Cause, &Lane)> = self.lanes.iter().collect();
        lanes.sort_by_cached_key(|of| turn(*of));
        lanes.into_iter().map(|(_, lane)| lane).collect()
    }

    /// The first of each cause, by their turns.
    fn firsts(&self) -> Vec<(u64, Number)> {
        self.in_turn().into_iter().filter_map(|lane| lane.first().copied()).collect()
    }

    /// What is due at the same time as the first of a cause, at most so many: that one, then one of each other cause whose
    /// first is due then, and so on. Nothing of a cause overtakes what comes before it.
    fn together(&self, first: (u64, Number), most: usize) -> Vec<Number> {
        let (at_ms, number) = first;
        let of_then = |lane: &Lane| {
            let range = lane.range((at_ms, 0)..=(at_ms, Number::MAX));
            range.take(most).map(|(_, number)| *number).collect::<VecDeque<Number>>()
        };
        let lanes = self.in_turn().into_iter();
        let lanes = lanes.filter(|lane| lane.first().is_some_and(|(due_ms, _)| *due_ms == at_ms));
        let (mut lanes, others): (Vec<_>, Vec<_>) = lanes.partition(|lane| lane.first() == Some(&first));
        lanes.extend(others);
        let mut lanes: Vec<VecDeque<Number>> = lanes.into_iter().map(of_then).collect();
        // Where something of its cause is due before it, it goes alone.
        let mut together =
            if lanes.iter().any(|lane| lane.front() == Some(&number)) { Vec::new() } else { vec![number] };
        while together.len() < most && lanes.iter().any(|lane| !lane.is_empty()) {
            let round: Vec<Number> = lanes.iter_mut().filter_map(VecDeque::pop_front).collect();
            together.extend(round.into_iter().take(most.saturating_sub(together.len())));
        }
        together
    }

    fn had_turn(&mut self, cause: &Cause) {
        self.turn = self.turn.saturating_add(1);
        self.turns.insert(cause.clone(), self.turn);
    }

    /// Since when it owes something and nothing has gone through: what was due by then, or was tried in vain. By what is stored,
    /// so that whoever starts the daemon anew again and again hides nothing.
    fn owes(&mut self, now_ms: u64) -> Option<u64> {
        let due = self.all.first().map(|(due_ms, _)| *due_ms).filter(|due_ms| *due_ms <= now_ms);
        let failed = self.failed_since.first().map(|(since, _)| *since);
        let first = due.into_iter().chain(failed).min();
        let since = |first: u64| match first.max(self.went_ms).min(now_ms) {
            // That of one that the disk has damaged is not known.
            ..1_000 => now_ms,
            since => since,
        };
        self.owed_since = first.map(|first| self.owed_since.unwrap_or_else(|| since(first)));
        self.owed_since
    }

    fn went(&mut self, at_ms: u64) {
        self.went_ms = self.went_ms.max(at_ms);
        self.owed_since = None;
    }
}

/// What waits in a channel.
#[derive(Debug, Default)]
pub(super) struct Queue {
    critical: Lanes,
    pub(super) rest: Lanes,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.critical.len().saturating_add(self.rest.len())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (u64, Number)> {
        self.critical.iter().chain(self.rest.iter()).copied()
    }

    fn of(&mut self, is_critical: bool) -> &mut Lanes {
        if is_critical { &mut self.critical } else { &mut self.rest }
    }
}

impl Outbox {
    /// What may go first in a channel, and when it is due: of what is critical the first of each cause, in the order of their
    /// turns, and the first of the rest.
    pub(in crate::notify) fn firsts(&self, channel: &str) -> Vec<(u64, Number)> {
        let Some(queue) = self.due.get(channel) else { return Vec::new() };
        let mut firsts = queue.critical.firsts();
        firsts.extend(queue.rest.all.first());
        firsts
    }

    /// What waits in a channel for the same time as this notice, which goes first there, and is critical or not as it is; it
    /// itself first, and nothing beyond so many.
    pub(in crate::notify) fn next_together(&self, channel: &str, number: Number, most: usize) -> Vec<Number> {
        let found = self.held.get(&number).and_then(|held| Some((held, held.stages.get(channel)?)));
        let Some((held, (_, at_ms))) = found else { return Vec::new() };
        let Some(queue) = self.due.get(channel) else { return Vec::new() };
        let most = most.min(BATCH_MAX);
        if held.is_critical {
            return queue.critical.together((*at_ms, number), most);
        }
        let together = queue.rest.all.range((*at_ms, number)..=(*at_ms, Number::MAX));
        together.map(|(_, number)| *number).take(most).collect()
    }

    /// Whether a notice that waits in a channel was not tried there yet.
    pub(in crate::notify) fn is_first(&self, channel: &str, number: Number) -> bool {
        let is_failed =
            |queue: &Queue| [&queue.critical, &queue.rest].iter().any(|of| of.failed.contains_key(&number));
        !self.due.get(channel).is_some_and(is_failed)
    }

    /// Notes that those who caused what is critical of these have had their turn in a channel.
    pub(in crate::notify) fn had_turn(&mut self, channel: &str, numbers: impl Iterator<Item = Number>) {
        let Some(queue) = self.due.get_mut(channel) else { return };
        let held = numbers.filter_map(|number| self.held.get(&number));
        let causes: BTreeSet<&Cause> = held.filter(|held| held.is_critical).map(|held| &held.cause).collect();
        causes.into_iter().for_each(|cause| queue.critical.had_turn(cause));
    }

    /// Since when what is critical, and the rest, was to go through a channel and nothing of it has; `None`: nothing is to.
    pub(in crate::notify) fn owed(&mut self, channel: &str, now_ms: u64) -> (Option<u64>, Option<u64>) {
        let Some(queue) = self.due.get_mut(channel) else { return (None, None) };
        (queue.critical.owes(now_ms), queue.rest.owes(now_ms))
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
            due.remove(&held.cause, (at_ms, number));
            *dead = dead.saturating_sub(usize::from(stage == Stage::Dead));
        }
        match delivery.stage {
            Stage::Waiting => {
                let failed_since = delivery.failed_since(held.is_critical);
                due.insert(&held.cause, (delivery.at_ms, number), failed_since);
            }
            Stage::Dead => *dead = dead.saturating_add(1),
            Stage::Delivered => due.went(delivery.at_ms),
        }
    }
}
