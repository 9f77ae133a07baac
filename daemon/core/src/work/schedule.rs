//! Scheduled payments: what is due is asked for in time, once, and what nobody could ask for in time is said.
//!
//! A schedule asks in the name of the person who stands for it, by the same policy as if that person had asked: it gives
//! no right of its own. What it has come to is a fact in the state, written in the step that drafts the payment, so no
//! restart asks for one twice.

use crate::model::config::{Due, FindingKind, Schedule};
use crate::model::event::Event;
use crate::model::intent::{Asker, Intent, Pay};
use crate::model::proposal::Occurrence;
use crate::model::state::Reached;
use crate::model::stops::Subject;
use crate::model::units::RippleTime;
use crate::rules::{decide, schedule};
use crate::work::anomaly::find_about;
use crate::work::cx::Cx;
use crate::work::flow::{self, Draft};
use crate::work::people::{PLACES_MAX, PLACES_OF_ONE_MAX};

/// Asks for every payment whose time to be asked for has come.
pub(crate) fn drive(cx: &mut Cx<'_>) {
    let config = cx.config;
    let now = cx.now();
    let declared = |name: &str| config.schedules.iter().any(|schedule| schedule.name == name);
    let left = cx.state.scheduled.iter().filter(|(name, reached)| !reached.gone && !declared(name));
    for schedule in left.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
        cx.emit(Event::ScheduleGone { schedule });
    }
    for schedule in &config.schedules {
        let known = cx.state.scheduled.get(&schedule.name).copied();
        let reached = match known {
            Some(reached) if !reached.gone => reached,
            // Nobody knows whether what was due while it was not declared has been paid. What has been asked for has been.
            _ => {
                let day = known.and_then(|reached| reached.day);
                reach(cx, schedule, now, day);
                Reached { through: now, day, gone: false }
            }
        };
        let (late, due) = schedule::due(schedule, reached, now);
        if let (Some(first), Some(last)) = (late.first(), late.last()) {
            reach(cx, schedule, last.at, Some(last.day));
            let reason = format!("came to be more than {} s late before", schedule.late_max_seconds);
            missed(cx, schedule, first.at, late.len(), &reason);
        }
        for due in due {
            let (mut of_account, mut of_schedules) = (0, 0);
            for proposal in cx.state.taking_a_place(schedule.from) {
                of_account += 1;
                of_schedules += usize::from(proposal.occurrence.is_some());
            }
            if of_account >= PLACES_MAX || of_schedules >= PLACES_OF_ONE_MAX {
                // The other places are for people. It is asked for as soon as there is room, as long as it is not late.
                break;
            }
            ask(cx, schedule, due);
        }
    }
}

fn reach(cx: &mut Cx<'_>, schedule: &Schedule, through: RippleTime, day: Option<u32>) {
    cx.emit(Event::ScheduleReached { schedule: schedule.name.clone(), through, day });
}

fn missed(cx: &mut Cx<'_>, schedule: &Schedule, first: RippleTime, times: usize, reason: &str) {
    let evidence = format!(
        "{times} of schedule \"{}\" {reason} they could be asked for, the first due at {first}: nothing is paid for them \
         unless somebody proposes it",
        schedule.name
    );
    find_about(cx, FindingKind::ScheduleMissed, schedule.from, Subject::Account(schedule.from), evidence);
}

fn ask(cx: &mut Cx<'_>, schedule: &Schedule, due: Due) {
    reach(cx, schedule, due.at, Some(due.day));
    let intent = Intent::Pay(Pay {
        destination: schedule.to,
        destination_tag: schedule.destination_tag,
        amount: schedule.amount,
    });
    let asker = Asker::Person(schedule.by.clone());
    let decision = decide::decide(cx.config, cx.state, schedule.from, &asker, &intent, cx.now());
    let timing = &cx.config.timing;
    let until = RippleTime(due.at.0.saturating_add(schedule.late_max_seconds));
    let deadline_seconds = match decision.obligations.delay {
        // FinishAfter is counted from the deadline: what is left of the time before it is due is for signatures.
        Some(delay) => due
            .at
            .0
            .saturating_sub(cx.now().0)
            .saturating_sub(delay.delay_seconds)
            .max(timing.deadline_seconds)
            .min(timing.delayed_deadline_max_seconds),
        None => until.0.saturating_sub(cx.now().0).min(timing.deadline_max_seconds),
    };
    let is_denied = decision.obligations.deny;
    let draft = Draft {
        account: schedule.from,
        intent,
        asker,
        note: schedule.note.clone(),
        deadline_seconds,
        decision,
        idempotency_key: None,
        inquiry: Default::default(),
        occurrence: Some(Occurrence { schedule: schedule.name.clone(), due: due.at, until }),
    };
    let id = flow::draft(cx, draft);
    if is_denied {
        let evidence = format!(
            "policy denies {id} of schedule \"{}\", due at {}: nothing is paid for it",
            schedule.name, due.at
        );
        let subject = Subject::Proposal(id);
        find_about(cx, FindingKind::ScheduleMissed, schedule.from, subject, evidence);
    }
}
