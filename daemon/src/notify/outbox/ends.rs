//! What an Alertmanager was told of alerts whose end is told: of each only what came last holds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde_json::Value;
use treasury_api::types::Notice;

use super::{Addressed, Number, Outbox, OutboxError, Stage};
use crate::notify::alertmanager::{self, Told};

/// Begins that are looked through for the labels of an end: more than come and go while an Alertmanager is away.
const BEGINS_MAX: usize = 200;

impl Outbox {
    /// Has the end of what was told go through every channel of an Alertmanager that it went through, or waits in, at once:
    /// whatever leads there, the end may be less severe than what routes take, or come in quiet hours.
    pub(in crate::notify) fn lead_ends(
        &self,
        notices: &mut [Addressed],
        is_alertmanager: &dyn Fn(&str) -> bool,
        now_ms: u64,
    ) {
        let mut before: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for entry in notices {
            let Some(told) = Told::of(&entry.notice) else { continue };
            let of_it = before.entry(told.of.clone()).or_default();
            if told.is_end {
                let numbers = self.told.get(&told.of).into_iter().flatten();
                let held = numbers.filter_map(|number| self.held.get(number));
                of_it.extend(held.flat_map(|held| held.stages.keys().cloned()));
                for name in of_it.iter().filter(|name| is_alertmanager(name)) {
                    match entry.channels.iter_mut().find(|(to, _)| to == name) {
                        Some((_, due_ms)) => *due_ms = now_ms.min(*due_ms),
                        None => entry.channels.push((name.clone(), now_ms)),
                    }
                }
            }
            of_it.extend(entry.channels.iter().map(|(name, _)| name.clone()));
        }
    }

    /// Whether a channel has, or gets, what came after this notice of the same alert of an Alertmanager: the alert is as that
    /// says, and would be as it was before. What was given up overtakes what says the opposite: that is not so any more, and
    /// whoever sends it again must not have people believe it.
    pub(in crate::notify) fn is_overtaken(&self, channel: &str, number: Number) -> bool {
        let Some(told) = self.held.get(&number).and_then(|held| held.told.as_ref()) else { return false };
        let Some(numbers) = self.told.get(&told.of) else { return false };
        let later = numbers.range((Bound::Excluded(number), Bound::Unbounded));
        let later = later.filter_map(|later| self.held.get(later));
        later
            .filter_map(|held| Some((held.told.as_ref()?, held.stages.get(channel)?)))
            .any(|(later, (stage, _))| *stage != Stage::Dead || later.is_end != told.is_end)
    }

    /// What an Alertmanager knows the alerts by that a notice is of: its labels as they are now, and those of an end as they
    /// were when it was told of what is over, by another name of the daemon or by a version that gave none.
    ///
    /// # Errors
    /// What the storage engine says.
    pub(in crate::notify) fn known_by(
        &self,
        channel: &str,
        number: Number,
        notice: &Notice,
        instance: Option<&str>,
    ) -> Result<Vec<Value>, OutboxError> {
        let mut known = Vec::new();
        let told = Told::of(notice).filter(|told| told.is_end);
        let numbers = told.and_then(|told| self.told.get(&told.of));
        let before = numbers.into_iter().flat_map(|numbers| numbers.range(..number).rev());
        for before in before.take(BEGINS_MAX) {
            let is_end =
                self.held.get(before).and_then(|held| held.told.as_ref()).is_some_and(|told| told.is_end);
            let Some((notice, delivery)) = self.delivery(channel, *before)? else { continue };
            if is_end {
                // What began before that one is over by it, if it was sent.
                if delivery.stage == Stage::Delivered && delivery.problem.is_none() {
                    break;
                }
                continue;
            }
            let was_tried = delivery.attempts > 0 || delivery.stage == Stage::Delivered;
            let earlier = || was_tried.then(|| alertmanager::labels(&notice, None));
            known.extend(delivery.labels.or_else(earlier).filter(|labels| !known.contains(labels)));
        }
        if known.is_empty() {
            known.push(alertmanager::labels(notice, instance));
        }
        Ok(known)
    }

    /// Whether it is what came last of such an alert: while it is kept, nothing that came before can be sent again.
    pub(super) fn is_last_of_alert(&self, number: Number, told: Option<&Told>) -> bool {
        told.and_then(|told| self.told.get(&told.of)).is_some_and(|numbers| numbers.last() == Some(&number))
    }
}
