//! People and programs are told of what happens, from an outbox that survives crashes.
//!
//! ```text
//! engine → store → intake: facts → notices ─┐            ┌→ worker of a channel → its receiver
//!       look: what waits, unanswered, when ─┴→ outbox ───┼→ worker of a channel → its receiver
//!                                                        └→ …
//! ```
//!
//! It runs on a thread of its own and only reads what has become durable, as whoever asks the API does. The engine waits
//! for nothing of it, and a receiver that hangs keeps nobody waiting but itself.
//!
//! What it does not guard against: whoever runs a receiver can drop what it has said that it took.

mod address;
mod alertmanager;
mod asked;
mod bounds;
pub(crate) mod channel;
#[cfg(test)]
pub(crate) mod documents;
mod escalate;
mod host;
pub(crate) mod mail;
mod notifier;
mod outbox;
mod policies;
pub(crate) mod post;
mod records;
mod remind;
mod route;
mod runway;
mod settled;
mod sign;
pub(crate) mod smtp;
mod stream;
mod tell;
pub(crate) mod when;
mod who;
mod worker;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Notify as Wake, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};
use treasury_api::types::Notice;
use treasury_core::{State, Treasury};

use self::escalate::{Alert, Answered};
use self::host::{Room, Seen, Time};
use self::outbox::{Addressed, ByNow, Closed, Mark, Outbox};
use self::post::{Parcel, Post, PostError};
use self::records::{Next, answers, digest, digest_at, notices};
use self::settled::{Open, open_matters};
use crate::apart::Apart;
use crate::clock::{self, Clock};
use crate::engine::{EngineError, EngineHandle};
use crate::lines;
use crate::metrics::Metrics;
use crate::store::StoreError;

pub use treasury_api::notice::{Kind, Severity};

pub(crate) use asked::{Asked, Redelivered, Standing};
pub use channel::Channel;
pub use escalate::Escalation;
pub(crate) use notifier::Notifier;
pub use outbox::OutboxError;
pub(crate) use outbox::Stage;
pub(crate) use outbox::forget as forget_in_outbox;
pub(crate) use route::REMIND_SECONDS;
pub use route::{NotifyConfig, Route};
pub(crate) use stream::Listener;
pub(crate) use who::{can_sign, told_of};

/// The outbox's folder in the data directory.
const FOLDER: &str = "outbox";

/// Records that are told at a time: reading so many takes the engine less than a step.
const PAGE: usize = 64;

/// How often it is looked at what waits for people.
const LOOK: Duration = Duration::from_secs(30);

/// How long it rests after records or the outbox could not be read or written.
const AFTER_TROUBLE: Duration = Duration::from_secs(30);

/// What the intake, the workers and the API share.
pub(crate) struct Desk {
    config: NotifyConfig,
    outbox: Mutex<Outbox>,
    wakes: BTreeMap<String, Wake>,
    /// The number of the last notice, for whoever listens.
    told: watch::Sender<u64>,
    /// Milliseconds of UTC.
    clock: Clock,
    post: Box<dyn Post>,
    /// Puts together what carries notices, with secrets that are in files. Blocks.
    pack: Arc<Pack>,
    /// Where that is done, for each channel.
    reads: BTreeMap<String, Apart>,
    /// What is free of the disk of the data directory.
    room: Box<dyn Fn() -> Option<Room> + Send + Sync>,
    /// A chance between 0 and 1000.
    jitter: Box<dyn Fn() -> u64 + Send + Sync>,
    metrics: Arc<Metrics>,
    /// What was not settled when it was looked last.
    open: Mutex<Open>,
    /// What cannot read or write the outbox now.
    troubles: Mutex<BTreeSet<Source>>,
    /// Places for whoever asks by the API: a question may read much of the disk.
    pub(crate) questions: Arc<Semaphore>,
}

/// See [`Channel::parcel`].
type Pack = dyn Fn(&Channel, &[Notice], &str, u64, &[Value]) -> Result<Parcel, PostError> + Send + Sync;

/// Questions at a time.
const QUESTIONS: usize = 2;

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Runs the intake and every worker until the engine ends or somebody says stop.
async fn work(desk: Arc<Desk>, engine: EngineHandle, last: u64, mut stopped: watch::Receiver<bool>) {
    let mut tasks = JoinSet::new();
    for channel in desk.config.channels.clone() {
        desk.show(&channel.name);
        let desk = Arc::clone(&desk);
        tasks.spawn(async move { worker::run(&desk, &channel).await });
    }
    tokio::select! {
        _ = stopped.wait_for(|stop| *stop) => {}
        EngineError::Stopped = take_in(&desk, &engine, last) => {}
    }
}

/// Tells what becomes durable, and from time to time what waits, until the engine ends.
async fn take_in(desk: &Desk, engine: &EngineHandle, last: u64) -> EngineError {
    let mut records = engine.records();
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut has_begun = false;
    loop {
        let done = if has_begun { desk.tell(engine).await } else { desk.begin(engine, last).await };
        let again = match done {
            Err(Trouble::Engine(stopped)) => return stopped,
            Err(trouble) => {
                desk.stuck(&Source::Tell, &trouble);
                Some(Instant::now() + AFTER_TROUBLE)
            }
            Ok(is_all) => {
                desk.goes_on(&Source::Tell);
                if !has_begun || !is_all {
                    has_begun = true;
                    continue;
                }
                None
            }
        };
        // What waits is looked at in any trouble with what is to be told.
        tokio::select! {
            () = sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => {}
            changed = records.changed(), if again.is_none() => if changed.is_err() { return EngineError::Stopped },
            _ = looks.tick(), if has_begun => {
                match desk.look(engine).await {
                    Err(Trouble::Engine(stopped)) => return stopped,
                    Err(trouble) => desk.stuck(&Source::Look, &trouble),
                    Ok(()) => desk.goes_on(&Source::Look),
                }
                desk.metrics.notices_looked(desk.clock.now_ms());
            }
        }
    }
}

/// What reads and writes the outbox, and may have trouble with it though the others have none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// What tells records.
    Tell,
    /// What looks at what waits.
    Look,
    /// The worker of a channel.
    Channel(String),
}

/// What keeps notices from being taken in.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Outbox(#[from] OutboxError),
}

impl Desk {
    fn new(
        config: NotifyConfig,
        outbox: Outbox,
        clock: Clock,
        post: Box<dyn Post>,
        jitter: Box<dyn Fn() -> u64 + Send + Sync>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let wakes = config.channels.iter().map(|channel| (channel.name.clone(), Wake::new())).collect();
        let reads = config.channels.iter().map(|channel| (channel.name.clone(), Apart::default())).collect();
        let told = watch::Sender::new(outbox.last());
        let room = Box::new(|| None);
        let questions = Arc::new(Semaphore::new(QUESTIONS));
        Self {
            config,
            outbox: Mutex::new(outbox),
            wakes,
            told,
            clock,
            post,
            pack: Arc::new(Channel::parcel),
            reads,
            room,
            jitter,
            metrics,
            open: Mutex::default(),
            troubles: Mutex::default(),
            questions,
        }
    }

    /// What wakes the worker of a channel.
    fn wake(&self, channel: &str) -> &Wake {
        static NOBODY: Wake = Wake::const_new();
        self.wakes.get(channel).unwrap_or(&NOBODY)
    }

    fn wake_all(&self) {
        self.told.send_replace(self.outbox().last());
        self.wakes.iter().for_each(|(channel, wake)| {
            self.show(channel);
            wake.notify_one();
        });
    }

    /// Says that notices cannot be kept, and why.
    fn stuck(&self, source: &Source, why: &dyn fmt::Display) {
        self.troubles(|troubles| troubles.insert(source.clone()));
        lines::notices_stuck(why);
    }

    /// Says that something can be kept again that could not.
    fn goes_on(&self, source: &Source) {
        self.troubles(|troubles| troubles.remove(source));
    }

    fn troubles(&self, change: impl FnOnce(&mut BTreeSet<Source>) -> bool) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut troubles);
        self.metrics.notices_stuck(!troubles.is_empty());
    }

    /// Sets what the metrics say of a channel.
    fn show(&self, channel: &str) {
        let mut outbox = self.outbox();
        self.metrics.deliveries(channel, outbox.waiting(channel), outbox.dead(channel));
        let (critical, rest) = outbox.owed(channel, self.clock.now_ms());
        self.metrics.owed(channel, critical, rest);
    }

    /// Finds out where to go on. A new outbox, and one of a store that was built anew since, goes on after the
    /// last record that was there when the daemon started: what happened before has been told, or nobody had asked for it.
    async fn begin(&self, engine: &EngineHandle, last: u64) -> Result<bool, Trouble> {
        let newest = *engine.records().borrow();
        let known = self.outbox().mark().cloned();
        let channels: Vec<&str> = self.config.channels.iter().map(|channel| channel.name.as_str()).collect();
        self.close_all_but(&channels)?;
        if let Some(mark) = &known
            && mark.record <= newest
            && is_same(mark, digest_at(engine, mark.record).await?.as_deref())
        {
            return Ok(true);
        }
        if known.is_some() {
            tracing::warn!(
                "the store's records are not those that were told of: from now on notices are of new ones"
            );
        }
        let digest = digest_at(engine, last).await?.unwrap_or_default();
        let ledger = engine.query(|state, _| state.ledger).await?;
        self.outbox().begin(&notifier::new_series(), Mark { record: last, digest, ledger })?;
        Ok(true)
    }

    /// Tells the next records. Says whether that was all.
    async fn tell(&self, engine: &EngineHandle) -> Result<bool, Trouble> {
        let (mark, series) = {
            let outbox = self.outbox();
            (outbox.mark().cloned().unwrap_or_default(), outbox.series().to_owned())
        };
        let (records, is_all) = match records::next(engine, mark.record).await? {
            Next::Records { records, is_all } => (Arc::new(records), is_all),
            Next::Unread { last, reason } => return self.pass_over(mark, last, &reason).map(|()| false),
        };
        let Some(last) = records.last() else { return Ok(true) };
        let digest = digest(last);
        let number = last.number;
        let answers = answers(&records);
        let answered = self.severities(&answers)?;
        let (notices, ledger) = notices(engine, records, answered, series, mark.ledger).await?;
        let now_ms = self.clock.now_ms();
        // Before the mark: after a crash in between it is noted again.
        self.note_answers(&answers)?;
        let addressed = self.addressed(notices, now_ms);
        let mark = Mark { record: number, digest, ledger };
        self.outbox().take(addressed, mark)?;
        self.wake_all();
        self.give_up_what_is_too_much()?;
        Ok(is_all)
    }

    /// Where notices go that come now. The end of what an Alertmanager was told of goes there by whatever way that came.
    fn addressed(&self, notices: Vec<Notice>, now_ms: u64) -> Vec<Addressed> {
        let addressed = notices.into_iter().map(|notice| self.config.address(notice, now_ms));
        let mut addressed: Vec<Addressed> = addressed.collect();
        let is_one = |name: &str| self.config.channel(name).is_some_and(Channel::is_alertmanager);
        self.outbox().lead_ends(&mut addressed, &is_one, now_ms);
        addressed
    }

    /// Goes on after records that cannot be read, and says so.
    fn pass_over(&self, mark: Mark, last: u64, reason: &StoreError) -> Result<(), Trouble> {
        let (first, count) = (mark.record.saturating_add(1), last.saturating_sub(mark.record));
        self.outbox().begin_after(Mark { record: last, digest: String::new(), ledger: mark.ledger })?;
        lines::records_untold(first, last, reason);
        self.metrics.untold(count);
        Ok(())
    }

    /// Gives up what waits for channels that there are no more, says so, and has it go by the routes of now.
    fn close_all_but(&self, channels: &[&str]) -> Result<(), OutboxError> {
        let now_ms = self.clock.now_ms();
        let by_now = ByNow {
            channels,
            now_ms,
            address: &|notice| self.config.address(notice, now_ms).channels,
            again: &|name, alert| self.config.address_again(name, alert),
        };
        let closed = self.outbox().close_all_but(&by_now)?;
        for Closed { channel, given_up, lost } in &closed {
            lines::channel_gone(channel, given_up, lost);
        }
        if !closed.is_empty() {
            self.wake_all();
        }
        Ok(())
    }

    /// How grave the notices are that these answer, where they are kept.
    fn severities(
        &self,
        answers: &[(Vec<String>, Answered)],
    ) -> Result<BTreeMap<String, Severity>, OutboxError> {
        let ids: Vec<String> = answers.iter().flat_map(|(ids, _)| ids.iter().cloned()).collect();
        let seen = self.outbox().seen(&ids)?;
        Ok(seen.into_iter().map(|(_, notice)| (notice.id, notice.severity)).collect())
    }

    fn give_up_what_is_too_much(&self) -> Result<(), OutboxError> {
        let given_up = self.outbox().give_up_what_is_too_much(self.clock.now_ms())?;
        for (channel, id, problem) in &given_up {
            lines::notice_given_up(channel, id, problem);
            self.metrics.delivery(channel, worker::End::Dead.word());
            self.show(channel);
        }
        Ok(())
    }

    /// Looks at what waits for people, and at what nobody has answered.
    async fn look(&self, engine: &EngineHandle) -> Result<(), Trouble> {
        let (every, series, utc) =
            (self.config.remind_seconds, self.outbox().series().to_owned(), clock::utc().to_string());
        // Asked of a daemon that is blind, too: what waits does so by the last ledger that it saw.
        let told_as = series.clone();
        let look = move |state: &State, treasury: &Treasury| {
            let now = clock::utc();
            let seen = state.ledger.filter(|_| state.sees());
            let skew = seen.and_then(|ledger| treasury_core::clock::skew(treasury, ledger, now));
            let time = Time { utc: now, ledger: seen, skew };
            (remind::look(treasury, state, every, &series, &utc), time, open_matters(treasury, state))
        };
        // What is told by now is in the state that is asked next.
        let upto = self.outbox().last();
        let (mut waiting, time, matters) = engine.query(look).await?;
        self.note_open(Open::new(upto, matters));
        let room = (self.room)();
        self.look_at_host(&mut waiting, room, time, &told_as)?;
        self.remind(waiting)?;
        self.escalate(engine).await?;
        self.wake_all();
        Ok(())
    }

    /// Looks at what is no matter of the treasury's. What is less by now than what was told of it counts from there.
    fn look_at_host(
        &self,
        waiting: &mut remind::Waiting,
        room: Option<Room>,
        time: Time,
        series: &str,
    ) -> Result<(), OutboxError> {
        let mut outbox = self.outbox();
        let names = self.config.channels.iter().map(|channel| channel.name.as_str());
        let dead = names.map(|channel| (channel, outbox.dead(channel))).collect();
        let told = |what: &str| outbox.reminded(what);
        let (due, lasts) = host::look(&Seen { room, time, dead, told: &told }, series);
        for due in &due {
            outbox.fall(&due.what, due.step)?;
        }
        waiting.all.extend(due.iter().map(|due| due.what.clone()).chain(lasts));
        waiting.due.extend(due);
        Ok(())
    }

    /// Tells of what waits, where that has not been told.
    fn remind(&self, waiting: remind::Waiting) -> Result<(), OutboxError> {
        let mut outbox = self.outbox();
        outbox.forget_reminders(|what| waiting.all.contains(what))?;
        for due in waiting.due {
            if outbox.reminded(&due.what).is_none_or(|before| before < due.step) {
                let addressed = self.config.address(due.notice, self.clock.now_ms());
                outbox.add(addressed, Some((due.what, due.step)))?;
            }
        }
        Ok(())
    }

    /// Has alerts that nobody has answered go on to the next, and forgets those that were answered or are over.
    async fn escalate(&self, engine: &EngineHandle) -> Result<(), Trouble> {
        let alerts = self.outbox().alerts().clone();
        self.show_unanswered();
        if alerts.is_empty() {
            return Ok(());
        }
        let asked = alerts.clone();
        let standing = engine.query(move |state, treasury| {
            let stand =
                asked.into_iter().filter(|(_, alert)| escalate::stands(treasury, state, &alert.notice));
            stand.map(|(name, _)| name).collect::<BTreeSet<String>>()
        });
        let mut standing = standing.await?;
        // What is no matter of the treasury's is over when it is told of no more.
        let told = alerts.iter().filter(|(_, alert)| {
            let what = escalate::of_host(&alert.notice);
            what.is_some_and(|what| self.outbox().reminded(&what).is_some())
        });
        standing.extend(told.map(|(name, _)| name.clone()));
        let mut stand: BTreeMap<String, Alert> = BTreeMap::new();
        let mut outbox = self.outbox();
        // As they are by now: what was told, answered or stepped while the state was asked stays so.
        for (name, alert) in outbox.alerts() {
            if !alerts.contains_key(name) {
                stand.insert(name.clone(), alert.clone());
            }
            if !standing.contains(name) {
                continue;
            }
            // By the routes of now. One that there is under the other name already has steps and times of its own.
            for (of, again) in self.config.address_again(name, alert) {
                if of == *name || !standing.contains(&of) {
                    stand.entry(of).or_insert(again);
                }
            }
        }
        let names: Vec<String> = stand.keys().cloned().collect();
        outbox.set_alerts(stand)?;
        for name in &names {
            let now_ms = self.clock.now_ms();
            let held = |alert| self.config.step_held_until(name, alert, now_ms).is_some();
            if !outbox.alerts().get(name).is_some_and(held) {
                outbox.step(name, now_ms)?;
            }
        }
        drop(outbox);
        self.show_unanswered();
        Ok(())
    }

    fn show_unanswered(&self) {
        let unanswered = self.outbox().alerts().values().filter(|alert| alert.answered.is_none()).count();
        self.metrics.unanswered(unanswered);
    }
}

/// Whether the record that was told last is the one that there is now. Of one that cannot be read, now or then, nobody knows
/// better.
fn is_same(mark: &Mark, digest: Option<&str>) -> bool {
    let is_unread = mark.record > 0 && mark.digest.is_empty();
    is_unread || digest.is_none_or(|digest| digest == mark.digest)
}

#[cfg(test)]
mod tests;
