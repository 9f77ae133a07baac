//! What is found of the daemon itself: its clock, that it does not see, who is turned away, and rules that tell nobody.

use crate::world::{World, config};
use treasury_core::Event;
use treasury_core::command::Command;
use treasury_core::config::{FindingKind, Severity};
use treasury_core::input::{Input, RefusedLogins};
use treasury_core::stops::{StopKind, Subject};
use treasury_core::units::RippleTime;

fn found(w: &World, kind: FindingKind) -> Vec<String> {
    let all = w.state.findings.values().filter(|finding| finding.kind == kind);
    all.map(|finding| finding.evidence.clone()).collect()
}

/// So many ledgers of 4 s, with the host's clock apart from theirs.
fn live(w: &mut World, ledgers: u32, apart: i64) {
    w.clock_ahead = apart;
    (0..ledgers).for_each(|_| w.jump(4));
}

#[test]
fn a_clock_that_is_behind_is_found_once_when_it_has_lasted_and_again_when_it_comes_back() {
    let mut w = World::new();
    let kind = FindingKind::ClockSkew;
    live(&mut w, 40, -600);
    assert_eq!(found(&w, kind), Vec::<String>::new(), "ten minutes are taken");
    live(&mut w, 20, -601);
    assert_eq!(found(&w, kind), Vec::<String>::new(), "it may be of this moment");
    live(&mut w, 60, -605);
    let all = found(&w, kind);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(
        all[0].contains("is 605 s behind ledger") && all[0].contains("it has been apart since"),
        "{all:?}"
    );
    assert!(w.state.sees(), "a clock that is behind costs no sight");
    live(&mut w, 2, 0);
    live(&mut w, 60, -900);
    assert_eq!(found(&w, kind).len(), 2);
    let finding = w.state.findings.values().next().unwrap();
    assert_eq!((finding.account, finding.severity), (None, Severity::Alert));
}

/// What costs sight says so; that it is the clock is another thing to be mended.
#[test]
fn a_clock_that_is_ahead_is_found_while_ledgers_come_and_none_that_stand_still_or_are_caught_up_with() {
    let kind = FindingKind::ClockSkew;
    let mut w = World::new();
    live(&mut w, 60, 700);
    let all = found(&w, kind);
    assert!(all.len() == 1 && all[0].contains("is 700 s ahead of ledger"), "{all:?}");
    assert!(!w.state.sees());
    // Nothing comes.
    let mut w = World::new();
    for second in 1..2_000_u32 {
        let utc = RippleTime(w.state.now().0 + second);
        w.input(Input::Tick { wall_ms: 4_000 + u64::from(second) * 1_000, utc });
    }
    assert!(!w.state.sees());
    assert_eq!(found(&w, kind), Vec::<String>::new());
    // Ledgers of long ago come, one after another.
    let mut w = World::new();
    for ledger in 0..200 {
        live(&mut w, 1, 20_000 - 40 * ledger);
    }
    assert_eq!(found(&w, kind), Vec::<String>::new());
    // The ledger keeps a time of its own.
    let mut config = config();
    config.timing.ledger_age_max_seconds = None;
    let mut w = World::with(config);
    live(&mut w, 60, -9_000);
    live(&mut w, 60, 9_000);
    assert_eq!(found(&w, kind), Vec::<String>::new());
}

#[test]
fn blindness_is_found_once_while_it_lasts_with_since_when() {
    let mut w = World::new();
    let kind = FindingKind::Blind;
    let from = w.state.ledger.unwrap();
    w.input(Input::SightLost { reason: "no server answers".to_owned() });
    assert_eq!(w.state.blind_since, Some(from));
    for _ in 0..600 {
        w.silence(1);
    }
    assert_eq!(found(&w, kind), Vec::<String>::new(), "ten minutes are taken");
    for _ in 0..1_200 {
        w.silence(1);
    }
    let begins = format!(
        "the validated ledger was not seen from ledger {}, closed at {},",
        from.index, from.close_time
    );
    let all = found(&w, kind);
    assert!(all.len() == 1 && all[0].starts_with(&begins), "{all:?}");
    // Another process is as blind, of the same.
    w.restart();
    for _ in 0..1_200 {
        w.silence(1);
    }
    w.close_at(1_800, &[], "tesSUCCESS");
    w.reconcile();
    assert!(w.state.sees() && w.state.blind_since.is_none());
    assert_eq!(found(&w, kind).len(), 1, "it is found already");
    w.input(Input::SightLost { reason: "again".to_owned() });
    for _ in 0..602 {
        w.silence(1);
    }
    assert_eq!(found(&w, kind).len(), 2, "another time");
}

#[test]
fn blindness_while_the_daemon_did_not_run_is_found_when_it_sees_again_with_both_ends() {
    for (seconds, expected) in [(600_u32, 0), (601, 1)] {
        let mut w = World::new();
        let from = w.state.ledger.unwrap();
        w.restart();
        assert!(!w.state.sees());
        w.close_at(seconds, &[], "tesSUCCESS");
        w.reconcile();
        assert!(w.state.sees());
        let all = found(&w, FindingKind::Blind);
        assert_eq!(all.len(), expected, "{seconds}: {all:?}");
        let to = w.state.ledger.unwrap();
        let ends = format!(
            "to ledger {}, closed at {}: for {seconds} s by the ledger's clock",
            to.index, to.close_time
        );
        assert!(
            all.iter()
                .all(|one| one.contains(&format!("from ledger {}", from.index)) && one.ends_with(&ends))
        );
    }
}

fn refuse(w: &mut World, refused: &[(&str, Option<&str>, u32)]) {
    let refused = refused.iter().map(|(from, person, times)| RefusedLogins {
        from: (*from).to_owned(),
        person: person.map(str::to_owned),
        times: *times,
    });
    w.input(Input::LoginsRefused { refused: refused.collect(), seconds: 3_600 });
}

#[test]
fn refused_logins_are_found_by_their_origins_where_they_are_many() {
    let mut w = World::new();
    let kind = FindingKind::FailedLogins;
    let events = w.events.len();
    refuse(&mut w, &[("192.0.2.7", None, 20)]);
    refuse(&mut w, &[]);
    assert_eq!(w.events.len(), events, "twenty are taken");
    refuse(&mut w, &[("192.0.2.7", None, 21), ("192.0.2.8", Some("alice"), 400), ("192.0.2.9", None, 3)]);
    assert_eq!(
        found(&w, kind),
        ["refused logins and tokens within 3600 s: 400 of alice from 192.0.2.8, 21 from 192.0.2.7"]
    );
    let many: Vec<String> = (0..65).map(|n| format!("198.51.100.{n}")).collect();
    let many: Vec<_> = many.iter().map(|from| (from.as_str(), None, 30)).collect();
    refuse(&mut w, &many);
    let all = found(&w, kind);
    assert!(all[1].ends_with("30 from 198.51.100.4, and 60 origins more"), "{all:?}");
    assert!(w.state.stops.is_empty(), "an alert stops nothing");
}

#[test]
fn what_is_found_of_the_daemon_stops_everything_where_it_is_to_hold_and_security_lifts_it() {
    let mut config = config();
    config.severities.insert(FindingKind::FailedLogins, Severity::Hold);
    let mut w = World::with(config);
    refuse(&mut w, &[("192.0.2.7", None, 21)]);
    let stops: Vec<_> = w.state.stops.on(&Subject::Everything).map(|stop| (stop.id, stop.kind)).collect();
    assert_eq!(stops.len(), 1);
    assert_eq!(stops[0].1, StopKind::Hold);
    let p = w.propose("warm", 50);
    w.settle();
    assert_eq!(w.word(p), "collecting");
    let lift = Command::Lift { stops: [stops[0].0].into(), reason: "it was the scanner".to_owned() };
    w.command("dave", lift).unwrap();
    w.settle();
    w.settle();
    assert_eq!(w.word(p), "validated");
}

#[test]
fn a_rule_that_comes_to_tell_nobody_is_found_and_cannot_be_silenced_itself() {
    let mut w = World::new();
    let kind = FindingKind::RuleSilenced;
    w.silence(1);
    assert_eq!(found(&w, kind), Vec::<String>::new());
    let declare = |w: &mut World, kinds: &[FindingKind]| {
        w.config.severities = kinds.iter().map(|kind| (*kind, Severity::Log)).collect();
        w.runtime.declared_anew();
        w.silence(1);
    };
    declare(&mut w, &[FindingKind::Blind, FindingKind::SentElsewhere]);
    let both = "told to nobody by the configuration: sent_elsewhere (severity log), blind (severity log)";
    assert_eq!(found(&w, kind), [both]);
    declare(&mut w, &[FindingKind::Blind]);
    w.restart();
    w.silence(1);
    let blind = "told to nobody by the configuration: blind (severity log)";
    assert_eq!(found(&w, kind), [both, blind], "a start looks anew");
    w.restart();
    w.silence(1);
    assert_eq!(found(&w, kind).len(), 2, "and finds once what is as it was");
    declare(&mut w, &[]);
    declare(&mut w, &[FindingKind::Blind]);
    assert_eq!(found(&w, kind).len(), 3, "switched off again");
    declare(&mut w, &[kind]);
    let mut risk = w.config.policy.risk().clone();
    risk.unusual_amount = None;
    w.config.policy = w.config.policy.clone().with_risk(risk);
    w.silence(1);
    let last = w.state.findings.values().next_back().unwrap();
    assert_eq!(last.evidence, "told to nobody by the configuration: unusual_amount (not looked for)");
    assert_eq!(last.severity, Severity::Alert);
    let set = w.events.iter().filter(|event| matches!(event, Event::StopSet { .. }));
    assert_eq!(set.count(), 0);
}
