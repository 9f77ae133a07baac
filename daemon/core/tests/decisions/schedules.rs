//! Payments that are due at set times.

use std::collections::BTreeMap;

use treasury_core::Event;
use treasury_core::command::{Answer, Command, CommandError};
use treasury_core::config::{Due, FindingKind, Role, Schedule, Severity};
use treasury_core::failure::Cause;
use treasury_core::gate::{Act, may_leave};
use treasury_core::proposal::Status;
use treasury_core::tiers::Planner;
use treasury_core::units::{ProposalId, RippleTime};
use treasury_core::wait::Wait;
use xrpl_wire::sf;

use crate::world::{World, amount, config, id};

const XRP: u64 = 1_000_000;
const DAY: u32 = 86_400;
const HOUR: u32 = 3_600;

/// So many seconds from now, each for another day.
fn occurs(now: RippleTime, seconds: u32) -> Due {
    Due { at: RippleTime(now.0 + seconds), day: 100 + seconds / DAY }
}

/// What a schedule of so much from hot, due so many seconds after now, comes to; it is asked for a day before.
fn salary(now: RippleTime, xrp: u64, due: &[u32]) -> Schedule {
    Schedule {
        name: "salary".to_owned(),
        from: id("hot"),
        to: id("shop"),
        destination_tag: Some(7),
        amount: amount(xrp * XRP),
        by: "alice".to_owned(),
        note: "salary of alice".to_owned(),
        due: due.iter().map(|seconds| occurs(now, *seconds)).collect(),
        lead_seconds: DAY,
        late_max_seconds: HOUR,
    }
}

fn world(xrp: u64, due: &[u32]) -> World {
    let mut w = World::with(config());
    let now = w.state.now();
    w.config.schedules = vec![salary(now, xrp, due)];
    w.close(&[]);
    w
}

/// What was asked for by the schedule, by when it is due.
fn asked(w: &World) -> BTreeMap<RippleTime, ProposalId> {
    let all = w.state.proposals.values().chain(w.archived.values().map(|archived| &archived.proposal));
    all.filter_map(|proposal| Some((proposal.occurrence.as_ref()?.due, proposal.id))).collect()
}

fn one(w: &World) -> (RippleTime, ProposalId) {
    let asked = asked(w);
    assert_eq!(asked.len(), 1, "{asked:?}");
    asked.into_iter().next().unwrap()
}

fn until(w: &mut World, time: RippleTime) {
    w.jump(time.0 - w.state.now().0);
}

#[test]
fn a_payment_is_asked_for_a_lead_before_it_is_due_and_leaves_when_it_is() {
    let mut w = world(50, &[3 * DAY]);
    w.jump(2 * DAY - 60);
    assert!(asked(&w).is_empty());
    w.jump(120);
    let (due, p) = one(&w);
    assert_eq!(w.word(p), "collecting");
    assert_eq!(w.waits(p).last().unwrap(), &format!("ledger time to pass {due}, when it is due"));
    until(&mut w, RippleTime(due.0 - 1));
    assert!(w.sent().is_empty());
    until(&mut w, due);
    assert_eq!(w.word(p), "in_flight");
    let sent = w.settle();
    let object = sent[0].object();
    assert_eq!(
        (object.account(sf::Destination), object.u32(sf::DestinationTag)),
        (Some(id("shop")), Some(7))
    );
    assert_eq!(w.word(p), "validated");
    assert_eq!(w.proposal(p).note, "salary of alice");
}

#[test]
fn people_sign_before_it_is_due_and_it_leaves_no_sooner() {
    let mut w = world(500, &[DAY]);
    let (due, p) = one(&w);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    assert_eq!(w.word(p), "ready");
    until(&mut w, RippleTime(due.0 - 1));
    assert_eq!((w.word(p), w.sent().len()), ("ready", 0));
    until(&mut w, due);
    assert_eq!((w.word(p), w.sent().len()), ("in_flight", 1));
}

/// Policy decides on it as on what the person asks for who stands for it.
#[test]
fn a_schedule_gives_no_right_that_its_person_does_not_have() {
    let mut w = world(6_000, &[DAY]);
    let (_, p) = one(&w);
    assert!(matches!(w.proposal(p).status, Status::Denied));
    // Nobody looks at a proposal that was over as soon as it was made.
    let finding = w.state.findings.values().next().unwrap();
    assert_eq!((finding.kind, w.state.findings.len()), (FindingKind::ScheduleMissed, 1));
    assert!(
        finding.evidence.starts_with(&format!("policy denies {p} of schedule \"salary\"")),
        "{}",
        finding.evidence
    );
    w.jump(2 * DAY);
    assert!(w.sent().is_empty());
    assert_eq!(asked(&w).len(), 1);
}

#[test]
fn what_policy_delays_is_in_its_escrow_before_and_is_released_no_sooner_than_it_is_due() {
    let mut w = World::with(config());
    let now = w.state.now();
    w.config.schedules = vec![Schedule { lead_seconds: 5 * DAY, ..salary(now, 2_000, &[5 * DAY]) }];
    w.close(&[]);
    w.close(&[]);
    let (due, p) = one(&w);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    let sent = w.settle();
    let object = sent[0].object();
    assert!(w.state.now() < due);
    assert_eq!(object.u32(sf::FinishAfter), Some(due.0));
    assert!(object.u32(sf::CancelAfter) > Some(due.0));
}

#[test]
fn a_delay_that_is_longer_than_what_is_left_is_kept_all_the_same() {
    let w = world(2_000, &[DAY]);
    let (due, p) = one(&w);
    let plan = w.proposal(p).plan.as_ref().unwrap();
    let delay = plan.delay.as_ref().unwrap();
    assert!(delay.finish_after > due);
    assert!(delay.finish_after.0 >= w.state.now().0 + 48 * HOUR);
}

#[test]
fn it_is_asked_for_once_whatever_ends_it_and_however_often_the_process_starts() {
    let mut w = world(500, &[DAY, 30 * DAY]);
    let (_, p) = one(&w);
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    assert_eq!(w.word(p), "withdrawn");
    w.restart();
    w.reconcile();
    w.jump(DAY);
    w.jump(DAY);
    assert_eq!(asked(&w).len(), 1);
    w.jump(27 * DAY);
    assert_eq!(asked(&w).len(), 2);
}

/// Danger: a schedule that is new, or was left out for a while, pays for all the months before.
#[test]
fn what_was_due_before_the_schedule_was_known_is_not_paid() {
    let mut w = World::with(config());
    let now = w.state.now();
    w.jump(100 * DAY);
    let schedule = salary(now, 50, &[10 * DAY, 20 * DAY, 100 * DAY + HOUR]);
    w.config.schedules = vec![schedule];
    w.close(&[]);
    w.close(&[]);
    assert_eq!(one(&w).0, RippleTime(now.0 + 100 * DAY + HOUR));
    assert!(w.state.findings.is_empty());
}

#[test]
fn what_could_not_be_asked_for_in_time_is_said_and_not_paid() {
    let mut w = world(50, &[DAY * 10, DAY * 20, DAY * 30]);
    let first = w.config.schedules[0].due[0].at;
    w.jump(28 * DAY);
    assert!(asked(&w).is_empty());
    let mut found = w.state.findings.values();
    let finding = found.next().unwrap();
    assert_eq!(
        (finding.kind, finding.account, finding.severity),
        (FindingKind::ScheduleMissed, Some(id("hot")), Severity::Alert)
    );
    assert!(finding.evidence.starts_with("2 of schedule \"salary\""), "{}", finding.evidence);
    assert!(finding.evidence.contains(&format!("the first due at {first}")), "{}", finding.evidence);
    assert!(found.next().is_none());
    // It is said once, and the next one is asked for as ever.
    w.jump(DAY);
    assert_eq!((asked(&w).len(), w.state.findings.len()), (1, 1));
}

/// A day's outage is no reason to owe a salary.
#[test]
fn what_is_late_within_bounds_is_asked_for_and_leaves_at_once() {
    let mut w = world(50, &[10 * DAY]);
    w.jump(10 * DAY + HOUR - 60);
    let (_, p) = one(&w);
    assert_eq!(w.word(p), "in_flight");
    w.settle();
    assert_eq!(w.word(p), "validated");
}

#[test]
fn a_stop_on_the_account_holds_it_until_it_is_lifted_or_too_late() {
    let mut w = world(50, &[DAY]);
    let (due, p) = one(&w);
    w.command("dave", Command::Freeze { account: Some(id("hot")), reason: "looking".to_owned() }).unwrap();
    until(&mut w, due);
    assert!(w.sent().is_empty());
    until(&mut w, RippleTime(due.0 + 2 * HOUR));
    // The freeze may have been lifted after that: what is too late is not paid any more.
    w.command("dave", Command::Unfreeze { account: Some(id("hot")), reason: "looked".to_owned() }).unwrap();
    w.close(&[]);
    assert!(w.waits(p).contains(&"LastLedgerSequence to pass: the deadline is over".to_owned()));
    assert!(w.sent().is_empty());
}

/// Danger: somebody puts the hour right, and the salary is paid twice.
#[test]
fn another_hour_of_the_same_day_is_the_same_payment() {
    let mut w = world(50, &[DAY, 31 * DAY]);
    let (due, _) = one(&w);
    let moved = w.config.schedules[0].due.iter().map(|due| Due { at: RippleTime(due.at.0 + 600), ..*due });
    w.config.schedules[0].due = moved.collect();
    until(&mut w, RippleTime(due.0 + 700));
    assert_eq!((asked(&w).len(), w.sent().len()), (1, 1));
    until(&mut w, RippleTime(due.0 + 30 * DAY));
    assert_eq!(asked(&w).len(), 2, "the next month is asked for");
}

/// Danger: it is taken out because it is paid by hand this time, and pays once more when it is put back.
#[test]
fn a_schedule_that_was_taken_out_begins_anew_and_repeats_nothing() {
    let mut w = world(50, &[DAY, 3 * DAY, 6 * DAY]);
    let (due, _) = one(&w);
    let schedules = std::mem::take(&mut w.config.schedules);
    w.close(&[]);
    w.config.schedules = schedules.clone();
    w.close(&[]);
    assert_eq!(asked(&w).len(), 1, "what was asked for is not asked for again");
    until(&mut w, due);
    w.settle();
    w.config.schedules.clear();
    w.jump(2 * DAY + 60);
    w.config.schedules = schedules;
    w.close(&[]);
    assert_eq!(asked(&w).len(), 1, "what was due meanwhile was left out on purpose");
    assert!(w.state.findings.is_empty());
    w.jump(2 * DAY);
    assert_eq!(asked(&w).len(), 2);
}

/// A Ticket that comes late does not make more time of it.
#[test]
fn nothing_is_sent_later_than_was_said() {
    let w = world(500, &[DAY]);
    let (due, p) = one(&w);
    assert_eq!(w.proposal(p).plan.as_ref().unwrap().deadline, RippleTime(due.0 + HOUR));
    let mut late = world(500, &[10 * DAY]);
    late.jump(10 * DAY + HOUR - 100);
    let (due, p) = one(&late);
    assert_eq!(late.proposal(p).plan.as_ref().unwrap().deadline, RippleTime(due.0 + HOUR));
}

/// Danger: somebody says no, is told that it is rejected, and the agents send it all the same.
#[test]
fn one_rejection_ends_what_agents_alone_would_sign_and_elsewhere_it_goes_on_and_says_so() {
    let reject = |proposal| Command::Reject { proposal, reason: "not this month".to_owned() };
    let mut w = world(50, &[DAY]);
    let (due, p) = one(&w);
    assert_eq!(w.command("bob", reject(p)), Ok(Answer::Rejected { ended: true }));
    until(&mut w, due);
    w.jump(HOUR);
    assert_eq!((w.word(p), w.sent().len(), asked(&w).len()), ("rejected", 0, 1));
    let mut w = world(500, &[DAY]);
    let (_, p) = one(&w);
    assert_eq!(w.command("bob", reject(p)), Ok(Answer::Rejected { ended: false }));
    assert_eq!(w.word(p), "collecting");
}

/// Danger: submissions of an account fail one after the other, people are told that what needs nobody is stopped, and the next
/// salary leaves.
#[test]
fn an_open_breaker_stops_what_a_schedule_asks_for() {
    let mut w = world(50, &[DAY]);
    let (due, p) = one(&w);
    let (account, cause, at) = (Some(id("hot")), Cause::Network, w.state.ledger.unwrap());
    w.record(Event::BreakerOpened { account, cause, at, reason: "no reply".to_owned() });
    until(&mut w, due);
    assert!(w.sent().is_empty(), "{}", w.word(p));
    w.command("dave", Command::CloseBreaker { account }).unwrap();
    w.close(&[]);
    assert_eq!((w.word(p), w.sent().len()), ("in_flight", 1));
}

#[test]
fn what_is_as_late_as_it_may_be_is_asked_for_and_a_second_later_it_is_missed() {
    for (late, times) in [(HOUR, 1), (HOUR + 1, 0)] {
        let mut w = world(50, &[10 * DAY]);
        let due = w.config.schedules[0].due[0].at;
        until(&mut w, RippleTime(due.0 + late));
        assert_eq!((asked(&w).len(), w.state.findings.len()), (times, 1 - times), "{late}");
    }
}

/// Its transaction may be on its way, and is not sent once more.
#[test]
fn nothing_is_sent_again_after_the_last_moment_and_all_is_until_then() {
    let mut w = world(50, &[DAY]);
    let (due, p) = one(&w);
    until(&mut w, due);
    assert_eq!(w.word(p), "in_flight");
    let now = w.state.now().0;
    for (last, over) in [(now - 1, true), (now, false), (now + 1, false)] {
        let mut proposal = w.proposal(p).clone();
        proposal.occurrence.as_mut().unwrap().until = RippleTime(last);
        let against = may_leave(&w.config, &w.state, Act::of(&proposal));
        assert_eq!(against.contains(&Wait::Deadline), over, "{against:?}");
    }
}

/// Danger: a program that asks for payment after payment of an account keeps its salaries out.
#[test]
fn one_person_takes_no_place_of_a_schedule_and_where_all_are_taken_it_takes_the_first_that_is_free() {
    let full = |people: &[&str]| {
        let mut w = World::with(config());
        w.checks_forms = false;
        w.config.people.get_mut("bob").unwrap().roles.insert(Role::Proposer);
        let mut last = ProposalId(0);
        for person in people {
            for _ in 0..100 {
                let ask = w.payment("hot", 500);
                let asked = w.command(person, Command::Propose(ask)).unwrap();
                let Answer::Proposed { proposal } = asked else { panic!("{asked:?}") };
                last = proposal;
            }
        }
        w.config.schedules = vec![salary(w.state.now(), 50, &[DAY])];
        w.close(&[]);
        (w, last)
    };
    let (mut w, _) = full(&["alice"]);
    assert_eq!(asked(&w).len(), 1);
    let ask = w.payment("hot", 500);
    let refused = w.command("alice", Command::Propose(ask)).unwrap_err();
    assert_eq!(
        refused,
        CommandError::TooManyOpenOfYours(100),
        "what a schedule asks for in her name is not hers"
    );
    let (mut w, last) = full(&["alice", "bob"]);
    assert!(asked(&w).is_empty());
    w.command("bob", Command::Withdraw { proposal: last }).unwrap();
    w.close(&[]);
    assert_eq!(asked(&w).len(), 1);
    assert!(w.state.findings.is_empty());
}

/// Danger: schedules keep people out.
#[test]
fn schedules_take_so_many_places_of_an_account() {
    let mut w = World::with(config());
    w.checks_forms = false;
    let now = w.state.now();
    let one = |n: u32| Schedule { name: format!("salary {n}"), ..salary(now, 500, &[DAY]) };
    w.config.schedules = (0..101).map(one).collect();
    w.close(&[]);
    assert_eq!(asked(&w).len(), 1, "one time");
    let of_schedules = w.state.proposals.values().filter(|proposal| proposal.occurrence.is_some());
    assert_eq!(of_schedules.count(), 100);
    let ask = w.payment("hot", 500);
    w.command("alice", Command::Propose(ask)).unwrap();
}

/// Danger: the page says that accounts are filled for what is due, and on the day there is too little.
#[test]
fn an_account_is_filled_for_what_a_schedule_has_asked_for_and_not_for_what_people_ask_for() {
    let filled = |w: &World| {
        let plan = Planner::new(&w.config).plan(&w.state, &w.config.links[0], w.state.now());
        plan.amount.drops().unwrap().get() / XRP
    };
    let mut w = world(90, &[3 * DAY]);
    w.config.links = vec![crate::cascades::fill("warm", "hot", [30, 60, 0])];
    w.change_balance("hot", 70);
    let by_hand = w.propose("hot", 110);
    assert_eq!((asked(&w).len(), w.word(by_hand), filled(&w)), (0, "collecting", 0));
    w.command("alice", Command::Withdraw { proposal: by_hand }).unwrap();
    w.jump(2 * DAY);
    let (due, p) = one(&w);
    let moved: Vec<_> = w.state.moves.values().flatten().copied().collect();
    assert_eq!(moved.len(), 1, "it is moved as soon as it is asked for");
    let amount = w.proposal(moved[0]).intent.amount().unwrap().drops().unwrap().get() / XRP;
    assert!((80..=81).contains(&amount), "60 are kept and 90 leave, of 70: {amount}");
    w.settle();
    until(&mut w, due);
    assert_eq!(w.word(p), "in_flight");
}
