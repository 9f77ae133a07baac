//! When a schedule's payments are due, and which of them are to be asked for.

use crate::model::config::Schedule;
use crate::model::units::RippleTime;

/// Of the times after `through`, those that are too late now, and those that are to be asked for now. What lies between
/// two ledgers is asked for at the later one.
#[must_use]
pub fn due(schedule: &Schedule, through: RippleTime, now: RippleTime) -> (&[RippleTime], &[RippleTime]) {
    let coming = after(schedule, through);
    let horizon = now.0.saturating_add(schedule.lead_seconds);
    let (reached, _) = coming.split_at(coming.partition_point(|due| due.0 <= horizon));
    reached.split_at(reached.partition_point(|due| due.0.saturating_add(schedule.late_max_seconds) < now.0))
}

/// The times after this one at which it is due.
#[must_use]
pub fn after(schedule: &Schedule, time: RippleTime) -> &[RippleTime] {
    schedule.due.get(schedule.due.partition_point(|due| *due <= time)..).unwrap_or_default()
}
