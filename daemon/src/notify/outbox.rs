//! What is to be told, until it has been: notices, and of each channel how far it has come with each.
//!
//! It has a storage engine of its own beside the store. A notice is put in together with the mark up to which the
//! store's records have been told, and a delivery is crossed out only when the receiver has answered; so a crash at any
//! point forgets nothing and repeats at most what was under way, under the same id.

mod alerts;
mod asked;
mod closed;
mod delivery;
mod ends;
mod forget;
mod purge;
mod queue;
mod told;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use treasury_api::notice::Severity;
use treasury_api::types::Notice;

use self::delivery::unknown;
use self::queue::{Cause, Queue};
use super::alertmanager::Told;
use super::escalate::{self, Alert};
use crate::lines;
use crate::redact;
use crate::store::StoreError;
use crate::store::seam::{Engine, Pair};

pub(super) use asked::Listed;
pub(super) use closed::{ByNow, Closed};
pub(crate) use delivery::Stage;
#[cfg(test)]
pub(super) use delivery::WAITS;
pub(super) use delivery::{Delivery, waits};
pub(crate) use forget::forget;
pub(super) use forget::put_back;
pub(super) use told::Place;

/// Version of what is stored here.
const FORMAT: u32 = 1;

/// Changes in one batch: at a thousand the storage engine was seen to deadlock, at a hundred never.
const BATCH_MAX: usize = 90;

/// Channels of one notice: it is stored with all of them in one batch.
const CHANNELS_OF_NOTICE_MAX: usize = BATCH_MAX / 2;

/// Alerts that begin or end with one notice, in the same batch.
const ALERTS_MAX: usize = BATCH_MAX / 2 - 2;

/// The place of a notice in the order in which they were told; from 1.
pub(super) type Number = u64;

/// How far the store's records have been told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Number of the last record that has been told.
    pub(super) record: u64,
    /// A digest of it: a store that was built anew numbers its records anew.
    pub(super) digest: String,
    /// The newest validated ledger of the records up to there.
    pub(super) ledger: Option<treasury_core::observe::LedgerPoint>,
}

/// What is known of the outbox as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Meta {
    format: u32,
    /// What the ids of notices begin with: another one whenever records are numbered anew.
    series: String,
    /// `None`: nothing has been told yet.
    mark: Option<Mark>,
}

/// A notice, the channels that it goes to, and when; and the alerts that somebody has to answer, by name.
#[derive(Clone, Debug)]
pub(super) struct Addressed {
    pub(super) notice: Notice,
    pub(super) channels: Vec<(String, u64)>,
    pub(super) alerts: Vec<(String, Alert)>,
}

impl Addressed {
    /// One that goes to a channel then, and that nobody has to answer.
    pub(super) fn to(notice: Notice, channel: &str, due_ms: u64) -> Self {
        Self { notice, channels: vec![(channel.to_owned(), due_ms)], alerts: Vec::new() }
    }

    /// What does not fit into one batch is left out, and said. The configuration has no more channels than fit.
    fn cut(&mut self) {
        let left_out = self.channels.len().saturating_sub(CHANNELS_OF_NOTICE_MAX);
        let left_out = left_out.saturating_add(self.alerts.len().saturating_sub(ALERTS_MAX));
        if left_out > 0 {
            lines::notice_cut(&self.notice.id, left_out);
        }
        self.channels.truncate(CHANNELS_OF_NOTICE_MAX);
        self.alerts.truncate(ALERTS_MAX);
    }
}

/// Why the outbox cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The storage engine.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A newer treasuryd made it.
    #[error("the outbox has format {0}; this treasuryd reads format {FORMAT}")]
    Format(u32),
    /// What is stored there is not what was written.
    #[error("the outbox is damaged at {0}")]
    Damaged(String),
}

/// What is kept in memory of a notice.
#[derive(Debug, Default)]
struct Held {
    id: String,
    is_critical: bool,
    /// What it tells of an alert of an Alertmanager, where the end of that is told.
    told: Option<Told>,
    cause: Cause,
    /// Its channels, with the stages of their deliveries and when they are due.
    stages: BTreeMap<String, (Stage, u64)>,
}

/// See the head of this file.
pub(super) struct Outbox {
    engine: Box<dyn Engine>,
    meta: Meta,
    last: Number,
    held: BTreeMap<Number, Held>,
    numbers: BTreeMap<String, Number>,
    /// Those of the same alert of an Alertmanager, by what that is.
    told: BTreeMap<String, BTreeSet<Number>>,
    /// What waits in each channel.
    due: BTreeMap<String, Queue>,
    /// How many are dead in each channel.
    dead: BTreeMap<String, usize>,
    /// Up to which step each proposal, escrow or matter of the host's was told of.
    reminded: BTreeMap<String, u32>,
    /// Alerts that nobody has answered, by name.
    alerts: BTreeMap<String, Alert>,
    /// Keys of what is damaged, once that was said.
    damaged: RefCell<BTreeSet<Vec<u8>>>,
    /// The mark that is not stored yet, because nothing was told up to there.
    unsaved: u64,
    /// How much is kept.
    pub(super) limits: purge::Limits,
}

const META: &[u8] = b"m";
const NOTICE: u8 = b'n';
const DELIVERY: u8 = b'd';
const REMINDED: u8 = b'r';
const ALERT: u8 = b'a';

/// Records without anything to tell, after which the mark is stored all the same: a start looks at no more than these
/// again.
const MARK_RECORDS: u64 = 256;

impl Outbox {
    /// Opens it on a storage engine. A new one gets this series.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub(super) fn open(engine: Box<dyn Engine>, series: &str) -> Result<Self, OutboxError> {
        let stored = engine.range(META, b"n", 1)?.pop();
        let meta = match stored {
            Some((_, value)) => {
                #[derive(Deserialize)]
                struct Version {
                    format: u32,
                }
                let Version { format } = read(&value, "its head")?;
                if format != FORMAT {
                    return Err(OutboxError::Format(format));
                }
                read(&value, "its head")?
            }
            None => Meta { format: FORMAT, series: series.to_owned(), mark: None },
        };
        let mut outbox = Self {
            engine,
            meta,
            last: 0,
            held: BTreeMap::new(),
            numbers: BTreeMap::new(),
            told: BTreeMap::new(),
            due: BTreeMap::new(),
            dead: BTreeMap::new(),
            reminded: BTreeMap::new(),
            alerts: BTreeMap::new(),
            damaged: RefCell::default(),
            unsaved: 0,
            limits: purge::Limits::default(),
        };
        outbox.look()?;
        Ok(outbox)
    }

    /// Reads what is kept in memory.
    fn look(&mut self) -> Result<(), OutboxError> {
        for (key, value) in self.all(NOTICE)? {
            let number = key.get(1..).and_then(number_of).ok_or_else(|| damaged("a notice's key"))?;
            self.last = self.last.max(number);
            if let Some(notice) = self.whole(&key, &value, "a notice") {
                self.hold(number, notice);
            }
        }
        for (key, value) in self.all(DELIVERY)? {
            let place = key.get(1..).and_then(|key| Some((number_of(key.get(..8)?)?, key.get(8..)?)));
            let (number, channel) = place.ok_or_else(|| damaged("a delivery's key"))?;
            let channel = String::from_utf8_lossy(channel).into_owned();
            let delivery = self.whole(&key, &value, "a delivery").unwrap_or_else(unknown);
            self.remember(number, &channel, &delivery);
        }
        for (key, value) in self.all(REMINDED)? {
            let what = String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into_owned();
            if let Some(times) = self.whole(&key, &value, "a reminder") {
                self.reminded.insert(what, times);
            }
        }
        for (key, value) in self.all(ALERT)? {
            let name = String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into_owned();
            if let Some(alert) = self.whole(&key, &value, "an alert") {
                self.alerts.insert(name, alert);
            }
        }
        Ok(())
    }

    /// An entry, if it is what was written. One that is damaged keeps nobody from what else there is: it is said, once, and
    /// left out.
    fn whole<T: DeserializeOwned>(&self, key: &[u8], value: &[u8], what: &str) -> Option<T> {
        let entry = read(value, what);
        if let Err(error) = &entry
            && self.damaged.borrow_mut().insert(key.to_vec())
        {
            lines::outbox_entry_damaged(hex::encode(key), error);
        }
        entry.ok()
    }

    /// The notice of that number, if it is there and whole.
    ///
    /// # Errors
    /// What the storage engine says.
    fn notice_at(&self, number: Number) -> Result<Option<Notice>, OutboxError> {
        let key = notice_key(number);
        let value = self.value(&key)?.unwrap_or_default();
        let Some(mut notice) = self.whole::<serde_json::Value>(&key, &value, "a notice") else {
            return Ok(None);
        };
        // An earlier version stored what somebody typed.
        redact::seeds(&mut notice);
        Ok(self.whole(&key, notice.to_string().as_bytes(), "a notice"))
    }

    /// Every entry of a sort, in order.
    fn all(&self, sort: u8) -> Result<Vec<Pair>, OutboxError> {
        let (mut from, to) = (vec![sort], [sort.saturating_add(1)]);
        let mut found = Vec::new();
        loop {
            let page = self.engine.range(&from, &to, 1_000)?;
            let Some((last, _)) = page.last() else { return Ok(found) };
            from.clone_from(last);
            from.push(0);
            found.extend(page);
        }
    }

    /// What ids of notices begin with.
    pub(super) fn series(&self) -> &str {
        &self.meta.series
    }

    /// How far the store's records have been told; `None` before the first time.
    pub(super) fn mark(&self) -> Option<&Mark> {
        self.meta.mark.as_ref()
    }

    /// Tells what comes after this mark, and nothing before it, under ids of this series.
    ///
    /// # Errors
    /// What the storage engine says.
    pub(super) fn begin(&mut self, series: &str, mark: Mark) -> Result<(), OutboxError> {
        let meta = Meta { format: FORMAT, series: series.to_owned(), mark: Some(mark) };
        self.engine.apply(vec![(META.to_vec(), json(&meta)?)], Vec::new())?;
        (self.meta, self.unsaved) = (meta, 0);
        Ok(())
    }

    /// Tells what comes after this mark, under ids of the same series.
    ///
    /// # Errors
    /// What the storage engine says.
    pub(super) fn begin_after(&mut self, mark: Mark) -> Result<(), OutboxError> {
        let series = self.meta.series.clone();
        self.begin(&series, mark)
    }

    /// Takes notices in, and with them the mark up to which everything has been told now.
    ///
    /// # Errors
    /// What the storage engine says. What was not taken in is then told again from the stored mark on.
    pub(super) fn take(&mut self, notices: Vec<Addressed>, mark: Mark) -> Result<(), OutboxError> {
        let moved = self.meta.mark.as_ref().map_or(0, |known| mark.record.saturating_sub(known.record));
        let unsaved = self.unsaved.saturating_add(moved);
        let meta = Meta { mark: Some(mark), ..self.meta.clone() };
        let mut is_saved = false;
        let with = |nothing_told: bool| {
            is_saved = !nothing_told || unsaved >= MARK_RECORDS;
            if is_saved { Ok(Some((META.to_vec(), json(&meta)?))) } else { Ok(None) }
        };
        self.put_in(notices, with)?;
        self.unsaved = if is_saved { 0 } else { unsaved };
        self.meta = meta;
        self.purge()
    }

    /// Takes a notice in that follows from no record: a reminder, with what it is of and up to which step, or a test.
    ///
    /// # Errors
    /// What the storage engine says.
    pub(super) fn add(
        &mut self,
        notice: Addressed,
        reminded: Option<(String, u32)>,
    ) -> Result<(), OutboxError> {
        let put = match &reminded {
            Some((what, times)) => Some((reminder_key(what), json(times)?)),
            None => None,
        };
        self.put_in(vec![notice], |_| Ok(put))?;
        self.reminded.extend(reminded);
        self.purge()
    }

    /// Stores notices, the last batch of them together with what goes with them. Notices that are here already, from a
    /// batch before a crash, are left out.
    fn put_in(
        &mut self,
        notices: Vec<Addressed>,
        with: impl FnOnce(bool) -> Result<Option<Pair>, OutboxError>,
    ) -> Result<(), OutboxError> {
        let (mut puts, mut removals) = (Vec::<Pair>::new(), Vec::<Vec<u8>>::new());
        let mut entries: Vec<(Addressed, Vec<String>)> = Vec::new();
        let mut told: BTreeMap<String, Alert> = BTreeMap::new();
        let mut over: BTreeSet<String> = BTreeSet::new();
        let mut number = self.last;
        for mut entry in notices {
            if self.numbers.contains_key(&entry.notice.id) {
                continue;
            }
            let ended = self.ended_by(&entry.notice, &told);
            over.extend(ended.iter().cloned());
            let alerts = std::mem::take(&mut entry.alerts).into_iter().filter_map(|(name, alert)| {
                let known = self.alerts.get(&name).filter(|_| !over.contains(&name));
                Alert::with(told.get(&name).or(known), &alert).map(|after| (name, after))
            });
            entry.alerts = alerts.collect();
            entry.cut();
            told.extend(entry.alerts.iter().cloned());
            let more = [entry.channels.len(), entry.alerts.len(), ended.len(), removals.len(), 1];
            if puts.len().saturating_add(more.iter().sum()) >= BATCH_MAX {
                self.engine.apply(std::mem::take(&mut puts), std::mem::take(&mut removals))?;
                self.keep(std::mem::take(&mut entries));
            }
            removals.extend(ended.iter().map(|name| alert_key(name)));
            number = number.saturating_add(1);
            puts.push((notice_key(number), json(&entry.notice)?));
            for (channel, due_ms) in &entry.channels {
                puts.push((delivery_key(number, channel), json(&Delivery::due(*due_ms))?));
            }
            for (name, alert) in &entry.alerts {
                // One that ended in the same batch and is there again.
                removals.retain(|key| *key != alert_key(name));
                puts.push((alert_key(name), json(alert)?));
            }
            entries.push((entry, ended));
        }
        puts.extend(with(puts.is_empty())?);
        if !puts.is_empty() {
            self.engine.apply(puts, removals)?;
            self.keep(entries);
        }
        Ok(())
    }

    /// The alerts that somebody looks after and that are over with this notice. What nobody has answered goes on until it is
    /// looked whether it lasts: else what comes and goes would begin anew each time, and never come to the next.
    fn ended_by(&self, notice: &Notice, told: &BTreeMap<String, Alert>) -> Vec<String> {
        let answered =
            self.alerts.iter().filter(|(name, alert)| alert.answered.is_some() && !told.contains_key(*name));
        let ended = answered.filter(|(_, alert)| escalate::ends(notice, alert));
        ended.map(|(name, _)| name.clone()).take(ALERTS_MAX).collect()
    }

    /// Remembers what is stored now: notices, and the alerts that ended with each.
    fn keep(&mut self, entries: Vec<(Addressed, Vec<String>)>) {
        for (Addressed { notice, channels, alerts }, ended) in entries {
            ended.iter().for_each(|name| drop(self.alerts.remove(name)));
            self.last = self.last.saturating_add(1);
            let number = self.last;
            self.hold(number, notice);
            for (channel, due_ms) in &channels {
                self.remember(number, channel, &Delivery::due(*due_ms));
            }
            self.alerts.extend(alerts);
        }
    }

    fn hold(&mut self, number: Number, notice: Notice) {
        self.numbers.insert(notice.id.clone(), number);
        let is_critical = notice.severity >= Severity::Critical;
        let told = Told::of(&notice);
        if let Some(told) = &told {
            self.told.entry(told.of.clone()).or_default().insert(number);
        }
        let (cause, stages) = (Cause::of(&notice), BTreeMap::new());
        self.held.insert(number, Held { id: notice.id, is_critical, told, cause, stages });
    }

    /// Up to which step something was told of that waits or lasts.
    pub(super) fn reminded(&self, what: &str) -> Option<u32> {
        self.reminded.get(what).copied()
    }

    /// Notes that a matter of the host's is less by now than when it was told of: it is told again when it grows, and asks anew
    /// then, whoever has looked after it.
    ///
    /// # Errors
    /// What the storage engine says.
    pub(super) fn fall(&mut self, what: &str, step: u32) -> Result<(), OutboxError> {
        if self.reminded(what).is_none_or(|told| told <= step) {
            return Ok(());
        }
        let is_of_it = |alert: &Alert| escalate::of_host(&alert.notice).as_deref() == Some(what);
        let answered = self.alerts.iter().filter(|(_, alert)| alert.answered.is_some() && is_of_it(alert));
        let over: Vec<String> = answered.map(|(name, _)| name.clone()).take(ALERTS_MAX).collect();
        let removals = over.iter().map(|name| alert_key(name)).collect();
        self.engine.apply(vec![(reminder_key(what), json(&step)?)], removals)?;
        self.reminded.insert(what.to_owned(), step);
        over.iter().for_each(|name| drop(self.alerts.remove(name)));
        Ok(())
    }

    /// Forgets the reminders of what waits no more.
    ///
    /// # Errors
    /// What the storage engine says.
    pub(super) fn forget_reminders(&mut self, waits: impl Fn(&str) -> bool) -> Result<(), OutboxError> {
        let over: Vec<String> =
            self.reminded.keys().filter(|what| !waits(what)).take(BATCH_MAX).cloned().collect();
        if over.is_empty() {
            return Ok(());
        }
        self.engine.apply(Vec::new(), over.iter().map(|what| reminder_key(what)).collect())?;
        self.reminded.retain(|what, _| !over.contains(what));
        Ok(())
    }

    /// A notice, and how far a channel has come with it; `None` where there is no such notice, or it is damaged.
    ///
    /// # Errors
    /// What the storage engine says.
    pub(super) fn delivery(
        &self,
        channel: &str,
        number: Number,
    ) -> Result<Option<(Notice, Delivery)>, OutboxError> {
        let key = delivery_key(number, channel);
        let Some(value) = self.value(&key)? else { return Ok(None) };
        let delivery = self.whole(&key, &value, "a delivery").unwrap_or_else(unknown);
        Ok(self.notice_at(number)?.map(|notice| (notice, delivery)))
    }

    /// Puts down how far a channel has come with a notice.
    ///
    /// # Errors
    /// What the storage engine says. It counts as not having come further then.
    pub(super) fn set(
        &mut self,
        channel: &str,
        number: Number,
        delivery: &Delivery,
    ) -> Result<(), OutboxError> {
        self.set_all(channel, &[(number, delivery.clone())])
    }

    /// The same of notices that went together, at most as many as [`Self::next_together`] gives: all of them or none.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub(super) fn set_all(
        &mut self,
        channel: &str,
        deliveries: &[(Number, Delivery)],
    ) -> Result<(), OutboxError> {
        let puts =
            deliveries.iter().map(|(number, after)| Ok((delivery_key(*number, channel), json(after)?)));
        self.engine.apply(puts.collect::<Result<_, OutboxError>>()?, Vec::new())?;
        deliveries.iter().for_each(|(number, after)| self.remember(*number, channel, after));
        Ok(())
    }

    /// The number of the notice with this id.
    pub(super) fn number(&self, id: &str) -> Option<Number> {
        self.numbers.get(id).copied()
    }

    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, OutboxError> {
        let mut above = key.to_vec();
        above.push(0);
        Ok(self.engine.range(key, &above, 1)?.pop().map(|(_, value)| value))
    }
}

fn notice_key(number: Number) -> Vec<u8> {
    [&[NOTICE], number.to_be_bytes().as_slice()].concat()
}

fn delivery_key(number: Number, channel: &str) -> Vec<u8> {
    [&[DELIVERY], number.to_be_bytes().as_slice(), channel.as_bytes()].concat()
}

fn reminder_key(what: &str) -> Vec<u8> {
    [&[REMINDED], what.as_bytes()].concat()
}

fn alert_key(name: &str) -> Vec<u8> {
    [&[ALERT], name.as_bytes()].concat()
}

fn number_of(bytes: &[u8]) -> Option<Number> {
    bytes.try_into().ok().map(Number::from_be_bytes)
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, OutboxError> {
    serde_json::to_vec(value).map_err(|error| damaged(&error.to_string()))
}

fn read<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, OutboxError> {
    serde_json::from_slice(bytes).map_err(|error| damaged(&format!("{what}: {error}")))
}

fn damaged(what: &str) -> OutboxError {
    OutboxError::Damaged(what.to_owned())
}

#[cfg(test)]
pub(in crate::notify) mod tests;
