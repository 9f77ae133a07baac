//! What people and findings stop: how often, for how long it is the same, and what stands when some of it is lifted.

use std::collections::BTreeSet;
use std::sync::Arc;

use treasury_core::command::{Answer, Command, NOTE_MAX};
use treasury_core::config::{FindingKind, Role, Schedule, Severity};
use treasury_core::state::Finding;
use treasury_core::stops::{
    FINDING_STOPS_MAX, PERSON_DESTINATIONS_MAX, PERSON_STOPS_MAX, SAME_STOP_SECONDS, Stop, StopKind,
    StopSource, Subject,
};
use treasury_core::units::{AccountId, FindingId, ProposalId, StopId};
use treasury_core::{Event, Input};

use crate::world::{World, amount, hash, id};

/// Danger: somebody types a long reason, or pastes one with signs that are no letters, and is left with money going out.
#[test]
fn a_stop_is_never_refused_for_its_words() {
    let long = "я".repeat(300);
    for (said, kept) in [
        (long.as_str(), &long[..NOTE_MAX]),
        ("keys are out\r\nsee\u{1b}[31m above\u{85}", "keys are out\nsee [31m above "),
        (&format!("n{long}"), &format!("n{}", &long[..NOTE_MAX - 2])),
        ("", ""),
    ] {
        let mut w = World::new();
        let (p, rejected) = (w.propose("warm", 2_000), w.propose("warm", 2_000));
        let reason = || said.to_owned();
        let stops = [
            Command::Freeze { account: Some(id("hot")), reason: reason() },
            Command::Flag { proposal: p, reason: reason() },
            Command::FlagDestination { destination: id("supplier"), reason: reason() },
            Command::Panic { reason: reason() },
        ];
        w.command("alice", Command::Reject { proposal: rejected, reason: reason() }).unwrap();
        assert_eq!(w.proposal(rejected).rejections["alice"].reason, kept);
        for stop in stops {
            w.command("dave", stop).unwrap();
        }
        let subjects = [
            Subject::Account(id("hot")),
            Subject::Proposal(p),
            Subject::Destination(id("supplier")),
            Subject::Everything,
        ];
        for subject in subjects {
            let reasons: Vec<&str> = w.state.stops.on(&subject).map(|stop| stop.reason.as_str()).collect();
            assert_eq!(reasons, [kept], "{subject}");
        }
    }
    let mut w = World::new();
    let (stop, _) = w.freeze("dave", "hot", "look");
    let lift = Command::Lift { stops: BTreeSet::from([stop]), reason: "x".repeat(NOTE_MAX + 1) };
    assert_eq!(w.command("dave", lift).unwrap_err().code(), "BAD_VALUE", "what lifts something is no stop");
}

/// Danger: whoever has somebody's token sets thousands of stops on one subject, and nobody can lift them or see what else
/// there is.
#[test]
fn so_many_stops_of_one_person_stand_on_a_subject_and_one_more_stops_nothing_more() {
    let mut w = World::new();
    let all: Vec<(StopId, bool)> =
        (0..PERSON_STOPS_MAX + 5).map(|n| w.freeze("dave", "hot", &format!("reason {n}"))).collect();
    let (kept, more) = all.split_at(PERSON_STOPS_MAX);
    assert!(kept.iter().all(|(_, changed)| *changed));
    let newest = kept[PERSON_STOPS_MAX - 1].0;
    assert!(more.iter().all(|answer| *answer == (newest, false)), "{more:?}");
    let again = Command::Freeze { account: Some(id("hot")), reason: "another".to_owned() };
    let Ok(Answer::Stopped { warning: Some(warning), .. }) = w.command("dave", again) else { panic!() };
    assert!(warning.contains("20 of your stops stand on it"), "{warning}");
    // One that was said before is that one, and nothing is to be added about it.
    let said = Command::Freeze { account: Some(id("hot")), reason: "reason 3".to_owned() };
    let known = Answer::Stopped { stop: kept[3].0, changed: false, warning: None };
    assert_eq!(w.command("dave", said), Ok(known));
    // Others', another subject, and another kind have their own.
    w.config.people.get_mut("bob").unwrap().roles.insert(Role::Security);
    assert!(w.freeze("bob", "hot", "mine").1);
    assert!(w.freeze("dave", "warm", "reason 0").1);
    assert_eq!(w.stops_on(&Subject::Account(id("hot"))).len(), PERSON_STOPS_MAX + 1);
    // A place that was given back can be taken.
    let lift = Command::Lift { stops: BTreeSet::from([newest]), reason: "looked".to_owned() };
    w.command("dave", lift).unwrap();
    assert!(w.freeze("dave", "hot", "another").1);
}

#[test]
fn a_stop_is_the_same_only_where_the_same_person_gives_the_same_reason() {
    let mut w = World::new();
    w.config.people.get_mut("bob").unwrap().roles.insert(Role::Security);
    let (first, _) = w.freeze("dave", "hot", "stolen");
    assert_eq!(w.freeze("dave", "hot", "stolen"), (first, false));
    let (second, changed) = w.freeze("dave", "hot", "lost");
    assert!(changed && second != first);
    let (third, changed) = w.freeze("bob", "hot", "stolen");
    assert!(changed && third != first && third != second);
    assert_eq!(w.stops_on(&Subject::Account(id("hot"))).len(), 3);
}

#[test]
fn findings_stop_a_subject_so_many_times_and_what_people_set_is_not_counted() {
    let mut w = World::new();
    let people = 3;
    for number in 0..people {
        w.freeze("dave", "hot", &format!("reason {number}"));
    }
    w.config.severities.insert(FindingKind::OpaqueTransaction, Severity::Freeze);
    (0..FINDING_STOPS_MAX + 5).for_each(|number| touched(&mut w, number));
    assert_eq!(w.stops_on(&Subject::Account(id("hot"))).len(), FINDING_STOPS_MAX + people);
}

/// What cannot be read touches the account, in the next ledger.
fn touched(w: &mut World, number: usize) {
    let mut observation = w.next_ledger(4);
    observation.opaque.push(treasury_core::observe::OpaqueTx {
        id: hash(&number.to_string()),
        accounts: BTreeSet::from([id("hot")]),
        reason: "unknown".to_owned(),
    });
    w.hand_on(observation);
    w.reconcile();
}

/// Danger: a thief makes so many findings that none sets a stop any more, takes the money, and whoever lifts the stops of what they
/// have looked at lets go of what they have not.
#[test]
fn who_lifts_the_stops_that_they_have_looked_at_does_not_let_go_of_what_was_found_since() {
    for looked in [false, true] {
        let mut w = World::new();
        w.config.severities.insert(FindingKind::OpaqueTransaction, Severity::Freeze);
        (0..FINDING_STOPS_MAX).for_each(|number| touched(&mut w, number));
        let hot = Subject::Account(id("hot"));
        let stops = w.stops_on(&hot);
        assert_eq!(stops.len(), FINDING_STOPS_MAX);
        (100..103).for_each(|number| touched(&mut w, number));
        assert_eq!(w.stops_on(&hot), stops);
        let newest = w.state.findings.keys().rev().take(3).rev().copied().map(StopSource::Finding);
        let newest: Vec<StopSource> = newest.collect();
        if looked {
            let findings = w.state.findings.keys().copied().collect();
            let reason = "a new kind of transaction".to_owned();
            w.command("dave", Command::Acknowledge { findings, reason }).unwrap();
        }
        let lifted = w.command("dave", Command::Lift { stops, reason: "looked at".to_owned() }).unwrap();
        let standing: Vec<StopSource> = w.state.stops.on(&hot).map(|stop| stop.source.clone()).collect();
        let Answer::Lifted { standing: told, .. } = lifted else { panic!("{lifted:?}") };
        assert_eq!(told.len(), standing.len(), "and it is said");
        assert_eq!(standing, if looked { vec![] } else { newest });
    }
    // Where there was room each has had its own.
    let mut w = World::new();
    w.config.severities.insert(FindingKind::OpaqueTransaction, Severity::Freeze);
    touched(&mut w, 0);
    let stops = w.stops_on(&Subject::Account(id("hot")));
    touched(&mut w, 1);
    w.command("dave", Command::Lift { stops, reason: "looked at".to_owned() }).unwrap();
    assert_eq!(w.stops_on(&Subject::Account(id("hot"))).len(), 1);
}

/// Danger: what somebody has looked at and lifted by its id comes back with the next lift, and people lift without looking.
#[test]
fn what_was_lifted_by_its_id_does_not_come_back() {
    let mut w = World::new();
    w.config.severities.insert(FindingKind::OpaqueTransaction, Severity::Freeze);
    (0..FINDING_STOPS_MAX + 5).for_each(|number| touched(&mut w, number));
    let hot = Subject::Account(id("hot"));
    let lift = |w: &mut World, stop| {
        let stops = BTreeSet::from([stop]);
        w.command("dave", Command::Lift { stops, reason: "looked at".to_owned() }).unwrap();
    };
    let first = *w.stops_on(&hot).first().unwrap();
    lift(&mut w, first);
    assert_eq!(w.stops_on(&hot).len(), FINDING_STOPS_MAX + 4, "the five that were crowded out, for the one");
    for left in (0..FINDING_STOPS_MAX + 4).rev() {
        let newest = *w.stops_on(&hot).last().unwrap();
        lift(&mut w, newest);
        assert_eq!(w.stops_on(&hot).len(), left);
    }
}

/// Danger: while nothing is seen no time passes by the ledger, and what somebody sees hours later is taken for what they saw first.
#[test]
fn without_sight_the_same_words_are_another_stop() {
    let mut w = World::new();
    let (first, _) = w.freeze("dave", "hot", "look");
    assert_eq!(w.freeze("dave", "hot", "look"), (first, false));
    w.input(Input::SightLost { reason: "silence".to_owned() });
    let (second, changed) = w.freeze("dave", "hot", "look");
    assert!(changed && second != first);
    let lift = Command::Lift { stops: BTreeSet::from([first]), reason: "looked".to_owned() };
    w.command("dave", lift).unwrap();
    assert_eq!(w.stops_on(&Subject::Account(id("hot"))), BTreeSet::from([second]));
}

/// Danger: what was found of something else, or is settled, stands in for what was found of the same and nobody has looked at.
#[test]
fn what_was_found_since_stops_the_same_subject_where_nobody_has_looked_at_it() {
    let hot = Some(id("hot"));
    let proposal = Subject::Proposal(ProposalId(1));
    let of_all = || (None, None, Subject::Everything);
    let of_hot = || (hot, None, Subject::Account(id("hot")));
    let of_proposal = || (hot, Some(proposal.clone()), proposal.clone());
    for (this, others) in [
        (of_all(), [of_hot(), of_proposal()]),
        (of_hot(), [of_all(), of_proposal()]),
        (of_proposal(), [of_all(), of_hot()]),
    ] {
        let mut w = World::new();
        w.propose("hot", 500);
        let found = |w: &mut World,
                     of: &(Option<AccountId>, Option<Subject>, Subject),
                     severity,
                     stops: bool| {
            let (account, about, subject) = of.clone();
            let id = FindingId(w.state.last_finding + 1);
            let at = w.state.ledger.unwrap();
            let (kind, evidence) = (FindingKind::ClockSkew, format!("the {}th", id.0));
            let (reason, acknowledged, over) = (evidence.clone(), None, None);
            let finding = Finding { id, kind, severity, account, evidence, at, acknowledged, over, about };
            assert_eq!(finding.subject(), subject);
            w.record(Event::Found { finding });
            if stops {
                let (source, kind, id) = (StopSource::Finding(id), StopKind::Freeze, w.state.stops.next_id());
                w.record(Event::StopSet {
                    stop: Stop { id, subject, kind, source, origin: None, reason, at },
                });
            }
            id
        };
        for _ in 0..FINDING_STOPS_MAX {
            found(&mut w, &this, Severity::Freeze, true);
        }
        let wanted = found(&mut w, &this, Severity::Freeze, false);
        let settled = found(&mut w, &this, Severity::Freeze, false);
        let acknowledge =
            Command::Acknowledge { findings: BTreeSet::from([settled]), reason: "a test".to_owned() };
        w.command("dave", acknowledge).unwrap();
        for other in &others {
            found(&mut w, other, Severity::Freeze, false);
        }
        found(&mut w, &this, Severity::Hold, false);
        found(&mut w, &this, Severity::Alert, false);
        let stops = w.stops_on(&this.2);
        w.command("dave", Command::Lift { stops, reason: "looked at".to_owned() }).unwrap();
        let standing: Vec<(Subject, StopSource)> =
            w.state.stops.all().map(|stop| (stop.subject.clone(), stop.source.clone())).collect();
        assert_eq!(standing, [(this.2, StopSource::Finding(wanted))]);
    }
}

/// Danger: somebody freezes an account again for what they see now, with the words of last week, and whoever has looked at last
/// week's lifts both.
#[test]
fn the_same_words_a_while_later_are_another_stop() {
    let mut w = World::new();
    let (first, _) = w.freeze("dave", "hot", "look");
    w.jump(SAME_STOP_SECONDS);
    assert_eq!(w.freeze("dave", "hot", "look"), (first, false), "an answer may have been lost");
    w.jump(1);
    let (second, changed) = w.freeze("dave", "hot", "look");
    assert!(changed);
    assert_eq!(w.freeze("dave", "hot", "look"), (second, false));
    let lift = Command::Lift { stops: BTreeSet::from([first]), reason: "looked at".to_owned() };
    w.command("dave", lift).unwrap();
    assert_eq!(w.stops_on(&Subject::Account(id("hot"))), BTreeSet::from([second]));
}

/// Danger: whoever has a token that may stop something fills the memory with holds on addresses that nobody pays; or the bound on
/// that lets a payment go.
#[test]
fn so_many_destinations_are_held_back_by_one_person_and_always_one_that_is_paid() {
    let mut w = World::new();
    let paid = w.propose("warm", 2_000);
    let destination = w.proposal(paid).intent.destination().unwrap();
    w.config.destinations.insert(id("exchange"), "exchange".to_owned());
    let flag = |w: &mut World, person: &str, destination| {
        let flag = Command::FlagDestination { destination, reason: "strange".to_owned() };
        w.command(person, flag).map(|_| ()).map_err(|refused| refused.code())
    };
    let other = |number: usize| {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&u64::try_from(number).unwrap().to_be_bytes());
        bytes[19] = 9;
        AccountId(bytes)
    };
    for number in 0..PERSON_DESTINATIONS_MAX {
        assert_eq!(flag(&mut w, "dave", other(number)), Ok(()));
    }
    assert_eq!(flag(&mut w, "dave", other(PERSON_DESTINATIONS_MAX)), Err("TOO_MANY_HELD"));
    assert_eq!(flag(&mut w, "dave", other(0)), Ok(()), "that is held already");
    assert_eq!(flag(&mut w, "dave", destination), Ok(()), "something that is under way pays it");
    for declared in ["exchange", "cold"] {
        assert_eq!(flag(&mut w, "dave", id(declared)), Ok(()), "{declared}");
    }
    w.config.schedules = vec![Schedule {
        name: "rent".to_owned(),
        from: id("hot"),
        to: other(PERSON_DESTINATIONS_MAX),
        destination_tag: None,
        amount: amount(1),
        by: "alice".to_owned(),
        note: String::new(),
        due: Arc::default(),
        lead_seconds: 0,
        late_max_seconds: 0,
    }];
    assert_eq!(flag(&mut w, "dave", other(PERSON_DESTINATIONS_MAX)), Ok(()), "a schedule pays it");
    w.config.schedules.clear();
    w.config.people.get_mut("bob").unwrap().roles.insert(Role::Security);
    assert_eq!(flag(&mut w, "bob", other(PERSON_DESTINATIONS_MAX)), Ok(()), "others have their own");
}
