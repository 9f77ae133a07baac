//! Scheduled payments: what is due is asked for in time, once, and what nobody could ask for in time is said.
//!
//! A schedule asks in the name of the person who stands for it, by the same policy as if that person had asked: it gives
//! no right of its own. What it has come to is a fact in the state, written in the step that drafts the payment, so no
//! restart asks for one twice.

use crate::model::config::{FindingKind, Schedule};
use crate::model::event::Event;
use crate::model::intent::{Asker, Intent, Pay};
use crate::model::proposal::Occurrence;
use crate::model::stops::Subject;
use crate::model::units::RippleTime;
use crate::rules::{decide, schedule};
use crate::work::anomaly::find_about;
use crate::work::cx::Cx;
use crate::work::flow::{self, Draft};
use crate::work::people::OPEN_MAX;

/// Asks for every payment whose time to be asked for has come.
pub(crate) fn drive(cx: &mut Cx<'_>) {
    let config = cx.config;
    for schedule in &config.schedules {
        let now = cx.now();
        let known = cx.state.scheduled.get(&schedule.name).copied();
        let through = known.unwrap_or_else(|| {
            // Nobody knows whether what was due before this schedule was declared has been paid.
            cx.emit(Event::ScheduleReached { schedule: schedule.name.clone(), through: now });
            now
        });
        let (late, due) = schedule::due(schedule, through, now);
        if let (Some(first), Some(last)) = (late.first(), late.last()) {
            cx.emit(Event::ScheduleReached { schedule: schedule.name.clone(), through: *last });
            missed(cx, schedule, *first, late.len());
        }
        for due in due {
            let open = cx.state.open.iter().filter_map(|id| cx.state.proposals.get(id));
            if open.filter(|proposal| proposal.account == schedule.from).count() >= OPEN_MAX {
                // It is asked for as soon as there is room, as long as it is not late.
                break;
            }
            ask(cx, schedule, *due);
        }
    }
}

fn missed(cx: &mut Cx<'_>, schedule: &Schedule, first: RippleTime, times: usize) {
    let evidence = format!(
        "{times} of schedule \"{}\" came to be more than {} s late before they could be asked for, the first due at {first}: \
         nothing is paid for them unless somebody proposes it",
        schedule.name, schedule.late_max_seconds
    );
    find_about(cx, FindingKind::ScheduleMissed, schedule.from, Subject::Account(schedule.from), evidence);
}

fn ask(cx: &mut Cx<'_>, schedule: &Schedule, due: RippleTime) {
    cx.emit(Event::ScheduleReached { schedule: schedule.name.clone(), through: due });
    let intent = Intent::Pay(Pay {
        destination: schedule.to,
        destination_tag: schedule.destination_tag,
        amount: schedule.amount,
    });
    let asker = Asker::Person(schedule.by.clone());
    let decision = decide::decide(cx.config, cx.state, schedule.from, &asker, &intent, cx.now());
    let timing = &cx.config.timing;
    let until_due = due.0.saturating_sub(cx.now().0);
    let deadline_seconds = match decision.obligations.delay {
        // FinishAfter is counted from the deadline: what is left of the time before it is due is for signatures.
        Some(delay) => until_due
            .saturating_sub(delay.delay_seconds)
            .max(timing.deadline_seconds)
            .min(timing.delayed_deadline_max_seconds),
        None => until_due.saturating_add(schedule.late_max_seconds).min(timing.deadline_max_seconds),
    };
    let draft = Draft {
        account: schedule.from,
        intent,
        asker,
        note: schedule.note.clone(),
        deadline_seconds,
        decision,
        idempotency_key: None,
        occurrence: Some(Occurrence { schedule: schedule.name.clone(), due }),
    };
    flow::draft(cx, draft);
}
