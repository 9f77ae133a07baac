//! What waits for people, and has waited for a while: reminders to those who can still sign, and escrows whose window
//! closes. Computed from the state and the ledger's clock alone, so that a restart neither forgets nor repeats one.

use std::collections::{BTreeMap, BTreeSet};

use treasury_api::notice::{Kind, Severity};
use treasury_api::types::Notice;
use treasury_core::config::Treasury;
use treasury_core::escrow::{due, not_before};
use treasury_core::proposal::{Proposal, Status};
use treasury_core::units::{EscrowKey, RippleTime};
use treasury_core::{State, waits};

use super::tell::{Teller, ledger_time};
use super::{runway, who};

/// The shortest time between two reminders, however near the deadline is.
const LEAST_SECONDS: u32 = 900;

/// How long before CancelAfter people are woken: time to act.
const CLOSING_SECONDS: u32 = 3_600;

/// Something to remind of.
pub(super) struct Due {
    /// What it is of: the same for every reminder of it.
    pub(super) what: String,
    /// How far it has come: told where that is further than what was told last.
    pub(super) step: u32,
    pub(super) notice: Notice,
}

/// Everything that waits for people now: what is due of it, and the names of all of it.
pub(super) struct Waiting {
    pub(super) due: Vec<Due>,
    pub(super) all: BTreeSet<String>,
}

/// Looks at everything that is open.
pub(super) fn look(
    treasury: &Treasury,
    state: &State,
    every_seconds: u32,
    series: &str,
    utc: &str,
) -> Waiting {
    let archived = BTreeMap::new();
    let teller = Teller { treasury, state, archived: &archived, answered: &BTreeMap::new(), series, utc };
    let mut waiting = Waiting { due: Vec::new(), all: BTreeSet::new() };
    if every_seconds > 0 {
        let open = state.open.iter().filter_map(|id| state.proposals.get(id));
        for proposal in open.filter(|proposal| proposal.status == Status::Collecting) {
            waiting.all.insert(proposal.id.to_string());
            waiting.due.extend(reminder(&teller, proposal, every_seconds));
        }
    }
    for key in &state.standing {
        if let Some(due) = closing(&teller, key) {
            waiting.all.insert(due.what.clone());
            waiting.due.push(due);
        }
    }
    for due in &mut waiting.due {
        due.notice.ledger = state.ledger.map(ledger_time);
        due.notice.id = format!("n-{series}-{}-{}-{}", due.what.replace(':', "-"), due.notice.kind, due.step);
    }
    waiting
}

fn reminder(teller: &Teller<'_>, proposal: &Proposal, every_seconds: u32) -> Option<Due> {
    let (treasury, state) = (teller.treasury, teller.state);
    let plan = proposal.plan.as_ref().filter(|_| who::needs_people(treasury, state, proposal))?;
    let began = RippleTime(plan.deadline.0.saturating_sub(proposal.deadline_seconds));
    let short = runway::of_move(treasury, state, proposal);
    let every_seconds = more_often(every_seconds, short.as_ref().map_or(0, |short| short.crossed));
    let (times, at) = last(began, plan.deadline, every_seconds, state.now());
    let signers = who::can_sign(treasury, state, proposal);
    if times == 0 || signers.is_empty() {
        return None;
    }
    let waits: Vec<String> =
        waits::waits(treasury, state, proposal).iter().map(ToString::to_string).collect();
    let lasts = short.map_or_else(String::new, |short| short.words);
    let what = format!("still waits for {}{lasts}", waits.join("; "));
    let mut notice = teller.of_proposal(proposal, Kind::Reminder, Severity::Warning, &what);
    notice.deadline = Some(plan.deadline.to_string());
    notice.signers = signers;
    let id = proposal.id;
    notice.can_do = vec![format!(
        "Look at it and sign it: `treasuryctl approve {id}`; or speak against it: `treasuryctl reject {id} --reason …`."
    )];
    // Not how many there were: of a shorter time between them there were more, and it may be longer again.
    Some(Due { what: id.to_string(), step: at.0, notice })
}

/// Twice as often with each limit that what the move is for is below of.
fn more_often(every_seconds: u32, crossed: u32) -> u32 {
    every_seconds.checked_shr(crossed).unwrap_or_default().max(LEAST_SECONDS.min(every_seconds))
}

/// How many reminders are due by now: one after each `every_seconds` of waiting, or after half of the time that is left
/// where that is less, until the deadline is near.
fn times(began: RippleTime, deadline: RippleTime, every_seconds: u32, now: RippleTime) -> u32 {
    last(began, deadline, every_seconds, now).0
}

/// The same, and when the last of them was due.
fn last(began: RippleTime, deadline: RippleTime, every_seconds: u32, now: RippleTime) -> (u32, RippleTime) {
    let (mut at, mut times) = (began.0, 0_u32);
    loop {
        let wait = every_seconds.min(deadline.0.saturating_sub(at) / 2);
        let next = at.saturating_add(wait);
        if wait < LEAST_SECONDS || next > now.0 {
            return (times, RippleTime(at));
        }
        (at, times) = (next, times.saturating_add(1));
    }
}

/// Whether an escrow could be released by now, and can be for some time yet.
pub(super) fn is_closing(state: &State, key: &EscrowKey) -> bool {
    let closes = state.escrows.get(key).and_then(|escrow| escrow.view.cancel_after);
    let can_be = due(state, key).and_then(|end| end.released_escrow()).is_some();
    can_be && closes.is_some_and(|closes| closes > state.now())
}

/// An escrow that could be released, and is not though half of its window is gone: said then, at half of what is left, and
/// so on; and once more as soon as people have to be woken.
fn closing(teller: &Teller<'_>, key: &EscrowKey) -> Option<Due> {
    let (state, now) = (teller.state, teller.state.now());
    let escrow = state.escrows.get(key)?;
    due(state, key).and_then(|end| end.released_escrow())?;
    let closes = escrow.view.cancel_after?;
    let opened = not_before(state, escrow).unwrap_or(escrow.seen_at);
    let (step, severity) = alarms(opened, closes, now)?;
    let says = format!(
        "Escrow {key} is not released, and can be until {closes} only, by the ledger's clock; then its money goes back."
    );
    let mut notice = teller.notice(Kind::WindowClosing, severity, &says);
    teller.of_escrow(&mut notice, &escrow.view);
    notice.deadline = Some(closes.to_string());
    notice.can_do =
        vec!["See `treasuryctl escrows` for what it waits for, and `treasuryctl stops`.".to_owned()];
    Some(Due { what: key.to_string(), step, notice })
}

/// How many alarms of a window are due by now, and how grave the last one is; `None`: none, or it is over.
fn alarms(opened: RippleTime, closes: RippleTime, now: RippleTime) -> Option<(u32, Severity)> {
    let left = closes.0.checked_sub(now.0).filter(|left| *left > 0)?;
    let wakes = left < CLOSING_SECONDS;
    let times = times(opened, closes, u32::MAX, now).saturating_add(u32::from(wakes));
    let severity = if wakes { Severity::Critical } else { Severity::Warning };
    (times > 0).then_some((times, severity))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u32 = 3_600;

    fn at(hours: u32) -> RippleTime {
        RippleTime(1_000_000 + hours * HOUR)
    }

    #[test]
    fn reminders_come_every_six_hours_and_more_often_as_the_deadline_nears() {
        let due = |hours: u32| times(at(0), at(48), 6 * HOUR, at(hours));
        assert_eq!((due(0), due(5), due(6), due(11), due(12)), (0, 0, 1, 1, 2));
        // From 36 hours on half of what is left is six hours or less: 42, 45, 46.5, …
        assert_eq!((due(36), due(41), due(42), due(44), due(45)), (6, 6, 7, 7, 8));
        let last = times(at(0), at(48), 6 * HOUR, at(48));
        assert_eq!(times(at(0), at(48), 6 * HOUR, at(1_000)), last, "none comes after the deadline");
        assert_eq!(last, 11);
    }

    /// Danger: an account runs dry while a move waits for people who were told of it six hours ago.
    #[test]
    fn reminders_come_more_often_with_each_limit_that_is_crossed() {
        let every = |crossed| more_often(6 * HOUR, crossed);
        assert_eq!([0, 1, 2, 4].map(every), [6 * HOUR, 3 * HOUR, 90 * 60, 1_350]);
        assert_eq!([5, 31, 32, u32::MAX].map(every), [LEAST_SECONDS; 4]);
        assert_eq!(more_often(60, 9), 60, "never less often than was asked for");
        let due = |crossed| times(at(0), at(48), every(crossed), at(12));
        assert_eq!((due(0), due(1), due(2)), (2, 4, 8));
    }

    #[test]
    fn alarms_of_a_window_come_at_half_of_what_is_left_and_wake_people_within_the_hour() {
        let day = |minutes: u32| alarms(at(0), at(24), RippleTime(at(0).0 + minutes * 60));
        let (warns, wakes) = (Severity::Warning, Severity::Critical);
        for (minutes, expected) in [
            (0, None),
            (719, None),
            (720, Some((1, warns))),
            (1_079, Some((1, warns))),
            (1_080, Some((2, warns))),
            (1_260, Some((3, warns))),
            (1_350, Some((4, warns))),
            (1_380, Some((4, warns))),
            (1_381, Some((5, wakes))),
            (1_395, Some((6, wakes))),
            (1_440, None),
        ] {
            assert_eq!(day(minutes), expected, "after {minutes} min");
        }
        let short =
            |minutes: u32| alarms(at(0), RippleTime(at(0).0 + 1_200), RippleTime(at(0).0 + minutes * 60));
        assert_eq!((short(0), short(19), short(20)), (Some((1, wakes)), Some((1, wakes)), None));
    }

    #[test]
    fn what_is_urgent_from_the_start_is_reminded_of_at_half_of_its_time() {
        let minutes = |minutes: u32| RippleTime(at(0).0 + minutes * 60);
        let due = |now: u32| times(at(0), minutes(60), 6 * HOUR, minutes(now));
        assert_eq!((due(29), due(30), due(44), due(45), due(60)), (0, 1, 1, 2, 2));
        assert_eq!(times(at(0), minutes(20), 6 * HOUR, minutes(20)), 0, "there is no time to remind anybody");
    }
}
