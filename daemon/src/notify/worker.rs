//! Takes what waits in one channel to its receiver. Each channel has a worker of its own, so whoever hangs keeps nobody
//! else waiting.

use std::borrow::Cow;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use treasury_api::notice::Severity;
use treasury_api::types::Notice;

use super::alertmanager::Told;
use super::channel::Channel;
use super::outbox::{Delivery, Number, Outbox, OutboxError, Stage, waits};
use super::post::{Parcel, PostError};
use super::when::HELD_MS_MAX;
use super::{Desk, Source};
use crate::apart::{READ_FOR, Unread};
use crate::lines;

/// How long the outbox is left alone after it could not be written: what was delivered must not be sent again and again
/// meanwhile.
const AFTER_TROUBLE: Duration = Duration::from_secs(30);

/// The longest rest of a channel after failures in a row: a receiver that is down, or that many notices come to at once,
/// is not met by all that waits at one moment.
const REST_SECONDS_MAX: u64 = 30;

/// A receiver that says so wants nothing more of this kind: what is tried again would only annoy it.
const GONE: u16 = 410;

/// The longest that any attempt is put off, in milliseconds. What is due later than that was put off by a clock that has
/// been set back since, and would wait for as long as that was ahead.
const PUT_OFF_MS_MAX: u64 = 14_400 * 1_200;

/// Notices in one message at most: what people take of it. What receivers take is in [`super::bounds`].
const TOGETHER_MAX: usize = 20;

/// Whether an attempt that was put off until then is to be made now. The first one may be put off by quiet hours.
fn is_due(due_ms: u64, now_ms: u64, is_first: impl FnOnce() -> bool) -> bool {
    let Some(ahead) = due_ms.checked_sub(now_ms).filter(|ahead| *ahead > 0) else { return true };
    ahead > HELD_MS_MAX || (ahead > PUT_OFF_MS_MAX && !is_first())
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// The receiver has it.
    Delivered,
    /// It is tried again.
    Failed,
    /// It is not.
    Dead,
}

impl End {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dead => "dead",
        }
    }
}

/// Works until it is dropped.
pub(super) async fn run(desk: &Desk, channel: &Channel) {
    let source = Source::Channel(channel.name.clone());
    let mut failures: u64 = 0;
    loop {
        let wake = desk.wake(&channel.name).notified();
        match desk.next(&channel.name, desk.clock.now_ms()) {
            None => wake.await,
            Some((rest, _)) if !rest.is_zero() => {
                tokio::select! {
                    () = wake => {}
                    () = tokio::time::sleep(rest) => {}
                }
            }
            Some((_, number)) => match attempt(desk, channel, number).await {
                Ok(End::Delivered) => {
                    desk.goes_on(&source);
                    failures = 0;
                }
                Ok(End::Failed | End::Dead) => {
                    desk.goes_on(&source);
                    failures = failures.saturating_add(1);
                    tokio::time::sleep(Duration::from_secs(failures.min(REST_SECONDS_MAX))).await;
                }
                Err(error) => {
                    desk.stuck(&source, &error);
                    tokio::time::sleep(AFTER_TROUBLE).await;
                }
            },
        }
    }
}

/// Tries once, and puts down what came of it: of a notice, or of all that a channel gathers until the same time.
async fn attempt(desk: &Desk, channel: &Channel, number: Number) -> Result<End, OutboxError> {
    if channel.is_alertmanager() && pass_over(desk, &channel.name, number)? {
        return Ok(End::Delivered);
    }
    let message = message(desk, channel, number)?;
    desk.show(&channel.name);
    let Some(message) = message else { return Ok(End::Dead) };
    desk.outbox().had_turn(&channel.name, message.before.iter().map(|(number, _)| *number));
    let Message { notices, before } = message;
    let has = before.first().map(|(_, delivery)| delivery.has.as_slice()).unwrap_or_default();
    let (known_by, labels) = known_by(desk, channel, &notices, &before)?;
    let parcel = parcel(desk, channel, &notices, known_by).await;
    let answered = match parcel.map(|parcel| parcel.without(has)) {
        Ok(Some(parcel)) => desk.post.post(&channel.receiver, parcel).await,
        // Everybody has it who is to have it by now.
        Ok(None) => Ok(200),
        Err(error) => Err(error),
    };
    let (now, jitter) = (desk.clock.now_ms(), (desk.jitter)());
    let (mut worst, mut after) = (End::Delivered, Vec::new());
    for (notice, (number, before)) in notices.iter().zip(&before) {
        let (end, delivery) = outcome(before, notice.severity, &answered, now, jitter);
        let delivery = Delivery { labels: labels.clone(), ..delivery };
        if let Some(problem) = &delivery.problem {
            let (channel, id) = (&channel.name, &notice.id);
            match end {
                End::Dead => lines::notice_given_up(channel, id, problem),
                _ => tracing::warn!(channel, id, problem, "a notice was not delivered and is tried again"),
            }
        }
        worst = worst.max(end);
        after.push((*number, end, delivery));
    }
    let ends: Vec<End> = after.iter().map(|(_, end, _)| *end).collect();
    let after: Vec<(Number, Delivery)> =
        after.into_iter().map(|(number, _, delivery)| (number, delivery)).collect();
    desk.outbox().set_all(&channel.name, &after)?;
    ends.iter().for_each(|end| desk.metrics.delivery(&channel.name, end.word()));
    desk.show(&channel.name);
    Ok(worst)
}

/// What an Alertmanager knows a notice by, and what of that is kept: of what has an end, so that this comes under the same.
fn known_by(
    desk: &Desk,
    channel: &Channel,
    notices: &[Notice],
    before: &[(Number, Delivery)],
) -> Result<(Vec<Value>, Option<Value>), OutboxError> {
    let first = notices.first().zip(before.first());
    let Some((notice, (number, delivery))) = first.filter(|_| channel.is_alertmanager()) else {
        return Ok((Vec::new(), None));
    };
    // What was tried under other labels may be there under them.
    let known = match &delivery.labels {
        Some(labels) => vec![labels.clone()],
        None => desk.outbox().known_by(&channel.name, *number, notice, desk.config.instance.as_deref())?,
    };
    let has_end = Told::of(notice).is_some_and(|told| !told.is_end);
    let labels = known.first().filter(|_| has_end).cloned();
    Ok((known, labels))
}

/// What carries them. The file of a secret may be where nothing answers any more, such as on another host: it is read where
/// that keeps nobody else waiting, and for no longer than [`READ_FOR`].
async fn parcel(
    desk: &Desk,
    channel: &Channel,
    notices: &[Notice],
    known_by: Vec<Value>,
) -> Result<Parcel, PostError> {
    let (pack, own, notices) = (Arc::clone(&desk.pack), channel.clone(), notices.to_vec());
    let (id, unix_seconds) = (id_of(&notices).into_owned(), desk.clock.now_ms() / 1_000);
    let Some(apart) = desk.reads.get(&channel.name) else { return Err(PostError::BadRequest) };
    let read = apart.read(READ_FOR, move || pack(&own, &notices, &id, unix_seconds, &known_by));
    read.await.map_err(|unread| match unread {
        Unread::Hangs => PostError::SecretHangs,
        Unread::Panicked => PostError::BadRequest,
    })?
}

/// Leaves out what an Alertmanager has, or gets, something later of: an alert would open again after its end, or end though it has
/// opened again.
fn pass_over(desk: &Desk, channel: &str, number: Number) -> Result<bool, OutboxError> {
    let mut outbox = desk.outbox();
    if !outbox.is_overtaken(channel, number) {
        return Ok(false);
    }
    let Some((_, before)) = outbox.delivery(channel, number)? else { return Ok(false) };
    outbox.set(channel, number, &before.overtaken(desk.clock.now_ms()))?;
    drop(outbox);
    desk.show(channel);
    Ok(true)
}

/// Notices that go together, with their numbers and how far they have come.
pub(super) struct Message {
    pub(super) notices: Vec<Notice>,
    before: Vec<(Number, Delivery)>,
}

/// What goes with the notice of that number, if it can be read. One that cannot is given up: it would keep all others waiting.
pub(super) fn message(
    desk: &Desk,
    channel: &Channel,
    number: Number,
) -> Result<Option<Message>, OutboxError> {
    let mut outbox = desk.outbox();
    let numbers = match channel.batch {
        Some(_) => outbox.next_together(&channel.name, number, TOGETHER_MAX),
        None => vec![number],
    };
    let (mut notices, mut before) = (Vec::new(), Vec::<(Number, Delivery)>::new());
    for number in numbers {
        let Some((notice, delivery)) = outbox.delivery(&channel.name, number)? else {
            let dead =
                Delivery::given_up(desk.clock.now_ms(), "the notice is damaged on the disk".to_owned());
            outbox.set(&channel.name, number, &dead)?;
            desk.metrics.delivery(&channel.name, End::Dead.word());
            continue;
        };
        // Those that others lack go in another message.
        if before.first().is_none_or(|(_, first)| first.has == delivery.has) {
            notices.push(notice);
            before.push((number, delivery));
        }
    }
    drop(outbox);
    let numbered = before.iter().map(|(number, _)| *number).zip(notices);
    let mut notices: Vec<Notice> =
        numbered.map(|(number, notice)| desk.as_of_now(&channel.form, number, notice)).collect();
    // What is more than the receiver takes at once goes in the next message.
    while notices.len() > 1 && !channel.takes(&notices) {
        notices.pop();
        before.pop();
    }
    // In the order in which they were told, so that it is the same message when it goes again.
    let mut both: Vec<_> = before.into_iter().zip(notices).collect();
    both.sort_by_key(|((number, _), _)| *number);
    let (before, notices): (Vec<_>, Vec<_>) = both.into_iter().unzip();
    Ok((!notices.is_empty()).then_some(Message { notices, before }))
}

/// The id of a message: the notice's, or that of several which go together, the same as often as they do.
fn id_of(notices: &[Notice]) -> Cow<'_, str> {
    match notices {
        [notice] => Cow::Borrowed(&notice.id),
        several => {
            let ids: Vec<&str> = several.iter().map(|notice| notice.id.as_str()).collect();
            let digest = hex::encode(Sha256::digest(ids.join(" ")));
            Cow::Owned(format!("b-{}", digest.get(..32).unwrap_or_default()))
        }
    }
}

/// What follows from an answer. `jitter` is between 0 and 1000.
fn outcome(
    before: &Delivery,
    severity: Severity,
    answered: &Result<u16, PostError>,
    now_ms: u64,
    jitter: u64,
) -> (End, Delivery) {
    let attempts = before.attempts.saturating_add(1);
    let (problem, is_gone) = match answered {
        Ok(200..=299) => {
            let delivered = Delivery { stage: Stage::Delivered, attempts, ..Delivery::due(now_ms) };
            return (End::Delivered, delivered);
        }
        Ok(status @ 300..=399) => (format!("answered with {status}; redirects are not followed"), false),
        Ok(status) => (format!("answered with {status}"), *status == GONE),
        Err(error) => (error.to_string(), error.is_for_good()),
    };
    let mut has = before.has.clone();
    if let Err(PostError::Partly { has: more, .. }) = answered {
        has.extend(more.iter().cloned());
    }
    let problem = Some(problem);
    let wait = waits(severity == Severity::Critical, before.attempts).filter(|_| !is_gone);
    match wait {
        Some(seconds) => {
            // From four fifths to six fifths of it: receivers that come back are not all met at one moment.
            let wait_ms = seconds.saturating_mul(800_u64.saturating_add(jitter.min(1_000) * 2 / 5));
            let at_ms = now_ms.saturating_add(wait_ms);
            (End::Failed, Delivery { stage: Stage::Waiting, attempts, at_ms, problem, has, labels: None })
        }
        None => {
            (End::Dead, Delivery { stage: Stage::Dead, attempts, at_ms: now_ms, problem, has, labels: None })
        }
    }
}

impl Desk {
    /// What goes next in a channel, and how long until then: of what is due now what is critical, and of that what has waited
    /// longest for its turn; else what is due first.
    fn next(&self, channel: &str, now_ms: u64) -> Option<(Duration, Number)> {
        let outbox = self.outbox();
        let firsts = outbox.firsts(channel);
        let is_now = |due_ms, number| is_due(due_ms, now_ms, || outbox.is_first(channel, number));
        let now = firsts.iter().find(|(due_ms, number)| is_now(*due_ms, *number));
        let later = || firsts.iter().min().map(|(due_ms, number)| (due_ms.saturating_sub(now_ms), *number));
        let (rest_ms, number) = now.map(|(_, number)| (0, *number)).or_else(later)?;
        Some((Duration::from_millis(rest_ms), number))
    }

    /// The outbox. What panics while it holds it leaves at most a delivery that is done twice.
    pub(super) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::outbox::WAITS;
    use super::*;

    fn waiting(attempts: u32) -> Delivery {
        Delivery { attempts, ..Delivery::due(0) }
    }

    /// Danger: a receiver was down for a night, takes everything again, and what was critical waits for hours.
    #[test]
    fn what_fails_is_tried_for_about_eight_hours_and_then_given_up_and_what_is_critical_every_ten_minutes() {
        let of = |severity, tries, wait_max: u64| {
            for (jitter, hours) in [(0, 6..7), (500, 7..8), (1_000, 9..10)] {
                let (mut now, mut delivery) = (0, waiting(0));
                let mut ends = Vec::new();
                while delivery.stage == Stage::Waiting {
                    let (end, after) = outcome(&delivery, severity, &Ok(500), now, jitter);
                    assert!(after.at_ms - now <= wait_max * 1_200, "{after:?}");
                    (now, delivery) = (after.at_ms, after);
                    ends.push(end);
                }
                assert_eq!(ends.pop(), Some(End::Dead));
                assert_eq!(ends, vec![End::Failed; tries]);
                assert!(hours.contains(&(now / 3_600_000)), "{jitter}: {now}");
            }
        };
        of(Severity::Warning, WAITS.len(), 14_400);
        of(Severity::Critical, 3 + 1 + 3 + 6 + 12 + 24, 600);
    }

    /// Danger: the host's clock was a month ahead for an hour, and what could not be delivered then is told in a month.
    #[test]
    fn what_a_wrong_clock_put_off_is_tried_when_the_clock_is_right_again() {
        let month = 31 * 86_400_000;
        let (_, put_off) = outcome(&waiting(7), Severity::Warning, &Ok(500), month, 1_000);
        let again = |now| is_due(put_off.at_ms, now, || false);
        assert!(!again(month), "it is the last and longest wait");
        assert!(!again(month + PUT_OFF_MS_MAX - 1));
        assert!(again(month + PUT_OFF_MS_MAX));
        assert!(again(7), "the clock was set back");
        assert!(!is_due(HELD_MS_MAX, 0, || true), "quiet hours may be longer");
        assert!(is_due(HELD_MS_MAX + 1, 0, || true) && is_due(HELD_MS_MAX, 0, || false));
    }

    #[test]
    fn only_a_status_of_success_is_a_delivery() {
        for (answered, expected) in [
            (Ok(200), End::Delivered),
            (Ok(204), End::Delivered),
            (Ok(301), End::Failed),
            (Ok(400), End::Failed),
            (Ok(410), End::Dead),
            (Ok(500), End::Failed),
            (Ok(199), End::Failed),
            (Err(PostError::TimedOut), End::Failed),
            (Err(PostError::PutOff(451)), End::Failed),
            (Err(PostError::Cut), End::Failed),
            (
                Err(PostError::Partly { refused: 1, all: 2, code: 451, for_good: false, has: Vec::new() }),
                End::Failed,
            ),
            (
                Err(PostError::Partly { refused: 1, all: 2, code: 550, for_good: true, has: Vec::new() }),
                End::Dead,
            ),
            (Err(PostError::Refused(550)), End::Dead),
        ] {
            let (end, after) = outcome(&waiting(0), Severity::Info, &answered, 7, 0);
            assert_eq!(end, expected, "{answered:?}");
            assert_eq!(after.problem.is_some(), end != End::Delivered);
            assert_eq!(after.attempts, 1);
        }
    }
}
