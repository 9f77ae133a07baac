//! Takes what waits in one channel to its receiver. Each channel has a worker of its own, so whoever hangs keeps nobody
//! else waiting.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::Desk;
use super::channel::Channel;
use super::outbox::{Delivery, Number, Outbox, OutboxError, Stage};
use super::post::PostError;
use crate::lines;

/// Seconds before each further attempt: at once after a hiccup, and on for about eight hours, in which somebody comes
/// to work and sees that a receiver is down.
pub(super) const WAITS: [u64; 8] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400];

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

/// Whether an attempt that was put off until then is to be made now.
fn is_due(due_ms: u64, now_ms: u64) -> bool {
    due_ms <= now_ms || due_ms - now_ms > PUT_OFF_MS_MAX
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    let mut failures: u64 = 0;
    loop {
        let wake = desk.wake(&channel.name).notified();
        let next = desk.outbox().next(&channel.name);
        let now = desk.clock.now_ms();
        match next {
            None => wake.await,
            Some((due, _)) if !is_due(due, now) => {
                let rest = Duration::from_millis(due.saturating_sub(now));
                tokio::select! {
                    () = wake => {}
                    () = tokio::time::sleep(rest) => {}
                }
            }
            Some((_, number)) => match attempt(desk, channel, number).await {
                Ok(End::Delivered) => failures = 0,
                Ok(End::Failed | End::Dead) => {
                    failures = failures.saturating_add(1);
                    tokio::time::sleep(Duration::from_secs(failures.min(REST_SECONDS_MAX))).await;
                }
                Err(error) => {
                    desk.stuck(Some(&error.to_string()));
                    tokio::time::sleep(AFTER_TROUBLE).await;
                }
            },
        }
    }
}

/// Tries once, and puts down what came of it.
async fn attempt(desk: &Desk, channel: &Channel, number: Number) -> Result<End, OutboxError> {
    let Some((notice, before)) = desk.outbox().delivery(&channel.name, number)? else {
        return Ok(End::Delivered);
    };
    let request = channel.request(&notice, desk.clock.now_ms() / 1_000);
    let answered = match request {
        Ok(request) => desk.post.post(&channel.receiver, request).await,
        Err(error) => Err(error),
    };
    let now = desk.clock.now_ms();
    let (end, after) = outcome(&before, answered, now, (desk.jitter)());
    if let Some(problem) = &after.problem {
        let (channel, id) = (&channel.name, &notice.id);
        match end {
            End::Dead => lines::notice_given_up(channel, id, problem),
            _ => tracing::warn!(channel, id, problem, "a notice was not delivered and is tried again"),
        }
    }
    desk.outbox().set(&channel.name, number, &after)?;
    desk.metrics.delivery(&channel.name, end.word());
    desk.show(&channel.name);
    Ok(end)
}

/// What follows from an answer. `jitter` is between 0 and 1000.
fn outcome(before: &Delivery, answered: Result<u16, PostError>, now_ms: u64, jitter: u64) -> (End, Delivery) {
    let attempts = before.attempts.saturating_add(1);
    let (problem, is_gone) = match answered {
        Ok(200..=299) => {
            let delivered = Delivery { stage: Stage::Delivered, attempts, at_ms: now_ms, problem: None };
            return (End::Delivered, delivered);
        }
        Ok(status @ 300..=399) => (format!("answered with {status}; redirects are not followed"), false),
        Ok(status) => (format!("answered with {status}"), status == GONE),
        Err(error) => (error.to_string(), false),
    };
    let wait = usize::try_from(before.attempts).ok().and_then(|tried| WAITS.get(tried)).filter(|_| !is_gone);
    match wait {
        Some(seconds) => {
            // From four fifths to six fifths of it: receivers that come back are not all met at one moment.
            let wait_ms = seconds.saturating_mul(800_u64.saturating_add(jitter.min(1_000) * 2 / 5));
            let at_ms = now_ms.saturating_add(wait_ms);
            (End::Failed, Delivery { stage: Stage::Waiting, attempts, at_ms, problem: Some(problem) })
        }
        None => (End::Dead, Delivery { stage: Stage::Dead, attempts, at_ms: now_ms, problem: Some(problem) }),
    }
}

impl Desk {
    /// The outbox. What panics while it holds it leaves at most a delivery that is done twice.
    pub(super) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(attempts: u32) -> Delivery {
        Delivery { stage: Stage::Waiting, attempts, at_ms: 0, problem: None }
    }

    #[test]
    fn what_fails_is_tried_for_about_eight_hours_and_then_given_up() {
        for (jitter, hours) in [(0, 6..7), (500, 7..8), (1_000, 9..10)] {
            let (mut now, mut delivery) = (0, waiting(0));
            let mut ends = Vec::new();
            while delivery.stage == Stage::Waiting {
                let (end, after) = outcome(&delivery, Ok(500), now, jitter);
                (now, delivery) = (after.at_ms, after);
                ends.push(end);
            }
            assert_eq!(ends.pop(), Some(End::Dead));
            assert_eq!(ends, vec![End::Failed; WAITS.len()]);
            assert!(hours.contains(&(now / 3_600_000)), "{jitter}: {now}");
        }
    }

    /// Danger: the host's clock was a month ahead for an hour, and what could not be delivered then is told in a month.
    #[test]
    fn what_a_wrong_clock_put_off_is_tried_when_the_clock_is_right_again() {
        let month = 31 * 86_400_000;
        let (_, put_off) = outcome(&waiting(7), Ok(500), month, 1_000);
        assert!(!is_due(put_off.at_ms, month), "it is the last and longest wait");
        assert!(!is_due(put_off.at_ms, month + PUT_OFF_MS_MAX - 1));
        assert!(is_due(put_off.at_ms, month + PUT_OFF_MS_MAX));
        assert!(is_due(put_off.at_ms, 7), "the clock was set back");
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
        ] {
            let (end, after) = outcome(&waiting(0), answered.clone(), 7, 0);
            assert_eq!(end, expected, "{answered:?}");
            assert_eq!(after.problem.is_some(), end != End::Delivered);
            assert_eq!(after.attempts, 1);
        }
    }
}
