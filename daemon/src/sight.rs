//! Why the validated ledger is not seen, in words.

use treasury_core::state::Sight;
use treasury_core::units::RippleTime;
use treasury_core::{State, Treasury};

/// What the state says of it, and, where ledgers come and are of long ago, that: a daemon that has never seen keeps the
/// reason that it began with. `None` while the ledger is seen.
pub(crate) fn why_not(state: &State, treasury: &Treasury, utc: RippleTime) -> Option<String> {
    let Sight::Lost(reason) = &state.sight else { return None };
    Some(match old(state, treasury, utc) {
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
