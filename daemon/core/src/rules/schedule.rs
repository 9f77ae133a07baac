//! When a schedule's payments are due, and which of them are to be asked for.

use crate::model::config::{Due, Schedule};
use crate::model::state::Reached;
use crate::model::units::RippleTime;

/// Of the times that have not been asked for, those that are too late now, and those that are to be asked for now. What lies
/// between two ledgers is asked for at the later one.
#[must_use]
pub fn due(schedule: &Schedule, reached: Reached, now: RippleTime) -> (Vec<Due>, Vec<Due>) {
    let horizon = now.0.saturating_add(schedule.lead_seconds);
    let coming = after(schedule, reached).take_while(|due| due.at.0 <= horizon);
    coming.partition(|due| due.at.0.saturating_add(schedule.late_max_seconds) < now.0)
}

/// The times at which it is due and that have not been asked for.
pub fn after(schedule: &Schedule, reached: Reached) -> impl Iterator<Item = Due> {
    let from = schedule.due.partition_point(|due| due.at <= reached.through);
    let coming = schedule.due.get(from..).unwrap_or_default();
    coming.iter().copied().filter(move |due| reached.day.is_none_or(|day| due.day > day))
}
