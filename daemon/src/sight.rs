//! Why the validated ledger is not seen, in words; and when it is more than a start that has to look first.

use treasury_core::state::Sight;
use treasury_core::units::RippleTime;
use treasury_core::{State, Treasury};

/// The reasons for which sight is lost at every start, every reading of the configuration and every other policy: nothing that
/// anybody has to be woken for, as long as it comes back.
pub(crate) const STARTING: &str = "starting";
pub(crate) const READ_ANEW: &str = "the configuration was read anew";
pub(crate) const OTHER_POLICY: &str = "another policy was put in force";

/// The least time that a start has to see in. Where the servers answer it sees within two ledgers, some ten seconds; whoever
/// is woken for less is woken by every restart on a slow host, for more is woken late.
const LOOKS_SECONDS: u32 = 60;

/// A newest ledger whose age shrinks by so much within that time is of a daemon that catches up, and gets as much again. By
/// less it would be behind for hours.
const CATCHES_UP_SECONDS: u32 = 30;

/// And at least by such a part of it.
const CATCHES_UP_PART: u32 = 4;

/// Whether sight is lost for what comes and goes with each start.
pub(crate) fn is_routine(reason: &str) -> bool {
    [STARTING, READ_ANEW, OTHER_POLICY].contains(&reason)
}

/// For what sight is lost where everything has to be looked at anew. What is wrong already is not hidden behind it: whoever
/// said that does not say the same again.
pub(crate) fn again(state: &State, routine: &str) -> String {
    match &state.sight {
        Sight::Lost(reason) => reason.clone(),
        Sight::Clear => routine.to_owned(),
    }
}

/// Waits for sight after a start.
#[derive(Debug, Default)]
pub(crate) struct Patience(Option<Since>);

/// Since when, and how old the newest ledger was then.
#[derive(Clone, Copy, Debug)]
struct Since {
    wall_ms: u64,
    age: Option<u32>,
}

impl Patience {
    /// Why sight is lost, where a start, or another routine, has had its time and the validated ledger is not seen yet: a server
    /// that lags, servers that disagree, readings that nobody gives. It is as grave from then on as it is in a daemon that has
    /// seen before.
    pub(crate) fn ends(
        &mut self,
        state: &State,
        treasury: &Treasury,
        wall_ms: u64,
        utc: RippleTime,
    ) -> Option<String> {
        let reason = match &state.sight {
            Sight::Lost(reason) if is_routine(reason) => reason,
            Sight::Lost(_) | Sight::Clear => {
                self.0 = None;
                return None;
            }
        };
        let age = state.ledger.map(|newest| utc.0.saturating_sub(newest.close_time.0));
        let now = Since { wall_ms, age };
        let since = *self.0.get_or_insert(now);
        let limit = treasury.timing.silence_max_seconds.max(LOOKS_SECONDS);
        if wall_ms.saturating_sub(since.wall_ms) <= u64::from(limit).saturating_mul(1_000) {
            return None;
        }
        // By a part of what it lags behind, so that a day is over in half an hour or is said.
        let catches_up = since
            .age
            .zip(age)
            .is_some_and(|(was, is)| is.saturating_add(CATCHES_UP_SECONDS.max(was / CATCHES_UP_PART)) <= was);
        if catches_up {
            self.0 = Some(now);
            return None;
        }
        let after = match reason.as_str() {
            STARTING => "the start",
            READ_ANEW => "the configuration was read anew",
            _ => "another policy was put in force",
        };
        let why = old(state, treasury, utc).unwrap_or_else(|| {
            "no reading of every account fits the newest ledger yet; the log says what the servers answer"
                .to_owned()
        });
        Some(format!("not seen within {limit} s after {after}: {why}"))
    }
}

/// What the state says of it, and, where ledgers come and are of long ago, that: a daemon that has never seen keeps the
/// reason that it began with. `None` while the ledger is seen.
pub(crate) fn why_not(state: &State, treasury: &Treasury, utc: RippleTime) -> Option<String> {
    let Sight::Lost(reason) = &state.sight else { return None };
    Some(match old(state, treasury, utc) {
        // Not a second time.
        Some(old) if !reason.contains("this host's clock") => format!("{reason}; {old}"),
        _ => reason.clone(),
    })
}

fn old(state: &State, treasury: &Treasury, utc: RippleTime) -> Option<String> {
    let limit = treasury.timing.ledger_age_max_seconds?;
    let newest = state.ledger?;
    let age = utc.0.checked_sub(newest.close_time.0)?;
    (age > limit).then(|| {
        format!(
            "the newest ledger taken in, {}, closed {}, more than {limit} s ago by this host's clock: it is catching up, or \
             the clock is wrong, or it is a test ledger with a time of its own (`timing.ledger_age_max`)",
            newest.index, newest.close_time
        )
    })
}

#[cfg(test)]
mod tests {
    use treasury_core::{Runtime, step};

    use super::*;
    use crate::testing;

    /// Danger: a server is an hour behind when the daemon starts, and nobody is woken, though in a daemon that runs they are.
    #[test]
    fn what_keeps_a_start_from_seeing_is_said_once_there_was_time_to_see() {
        let mut treasury = testing::treasury();
        treasury.timing.ledger_age_max_seconds = Some(60);
        treasury.timing.silence_max_seconds = 30;
        let (mut state, mut runtime) = (State::default(), Runtime::new());
        for input in [testing::reconciled(), testing::ledger(101)] {
            step(&treasury, &mut state, &mut runtime, input).unwrap();
        }
        let closed = state.ledger.unwrap().close_time.0;
        let told = |state: &State, ages: &dyn Fn(u64) -> u32| {
            let mut patience = Patience::default();
            (0..300).step_by(5).find_map(|second| {
                let utc = RippleTime(closed + ages(second));
                Some((second, patience.ends(state, &treasury, second * 1_000, utc)?))
            })
        };
        let lags = |second: u64| 3_600 + u32::try_from(second).unwrap();
        for (routine, after) in [
            (STARTING, "the start"),
            (READ_ANEW, "the configuration was read anew"),
            (OTHER_POLICY, "another policy was put in force"),
        ] {
            state.sight = Sight::Lost(routine.to_owned());
            let (second, reason) = told(&state, &lags).unwrap();
            assert_eq!(second, 65);
            let wanted =
                format!("not seen within 60 s after {after}: the newest ledger taken in, 101, closed ");
            assert!(reason.starts_with(&wanted) && !is_routine(&reason), "{reason}");
            let mut said = state.clone();
            said.sight = Sight::Lost(reason.clone());
            let later = RippleTime(closed + 9_999);
            assert_eq!(why_not(&said, &treasury, later), Some(reason), "it is not said twice");
        }
        // Its ledgers are of now, and what the servers say of accounts does not fit.
        let (_, reason) = told(&state, &|_| 4).unwrap();
        assert!(reason.contains("no reading of every account fits"), "{reason}");
        // It catches up.
        let catches_up = |second: u64| 3_600_u32.saturating_sub(u32::try_from(second).unwrap() * 20);
        assert_eq!(told(&state, &|second| catches_up(second.min(175))).unwrap().0, 260);
        // So slowly that it takes days.
        let hardly = |second: u64| 86_400_u32.saturating_sub(u32::try_from(second).unwrap());
        assert_eq!(told(&state, &hardly).unwrap().0, 65);
        state.sight = Sight::Lost("servers disagree".to_owned());
        assert_eq!(told(&state, &lags), None, "it is said already");
        assert_eq!(again(&state, READ_ANEW), "servers disagree");
        state.sight = Sight::Clear;
        assert_eq!(told(&state, &lags), None);
        assert_eq!(again(&state, READ_ANEW), READ_ANEW);
    }

    /// Danger: the first daemon that somebody runs on a test ledger says `starting`, for ever.
    #[test]
    fn a_daemon_whose_ledgers_are_of_long_ago_says_so() {
        let mut treasury = testing::treasury();
        treasury.timing.ledger_age_max_seconds = Some(60);
        let (mut state, mut runtime) = (State::default(), Runtime::new());
        assert_eq!(why_not(&state, &treasury, RippleTime(0)).as_deref(), Some("starting"));
        for input in [testing::reconciled(), testing::ledger(101)] {
            step(&treasury, &mut state, &mut runtime, input).unwrap();
        }
        let closed = state.ledger.unwrap().close_time;
        state.sight = Sight::Lost("starting".to_owned());
        let after = |seconds| RippleTime(closed.0 + seconds);
        assert_eq!(why_not(&state, &treasury, after(60)).as_deref(), Some("starting"));
        let said = why_not(&state, &treasury, after(61)).unwrap();
        let wanted =
            format!("starting; the newest ledger taken in, 101, closed {closed}, more than 60 s ago");
        assert!(said.starts_with(&wanted) && said.contains("timing.ledger_age_max"), "{said}");
        assert_eq!(
            why_not(&state, &treasury, RippleTime(0)).as_deref(),
            Some("starting"),
            "a clock that is behind"
        );
        treasury.timing.ledger_age_max_seconds = None;
        assert_eq!(why_not(&state, &treasury, after(9_999)).as_deref(), Some("starting"));
        state.sight = Sight::Clear;
        assert_eq!(why_not(&state, &treasury, after(0)), None);
    }
}
