//! What is unusual about a payment: how it weighs in what policy decides, what is found, and what is held.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::world::{World, XRP, amount, config, id, key, signatures_of};
use treasury_core::Event;
use treasury_core::command::{Answer, Command, CommandError, Propose};
use treasury_core::config::{FindingKind, Role, Severity};
use treasury_core::list::List;
use treasury_core::policy::{Action, Policy, Risk, RiskBand, Rule, Sign, Times, Unusual, Velocity, Zone};
use treasury_core::prove::{Outcome, Query, prove};
use treasury_core::state::{FINDINGS_MAX, Finding};
use treasury_core::units::{Amount, Asset, FindingId, ProposalId};

const HOUR: u32 = 3_600;

/// Everything that can be looked for, each of another weight.
fn risk() -> Risk {
    let office = Times { zone: Arc::new(Zone::utc()), weekdays: None, from_minute: 360, until_minute: 720 };
    Risk {
        new_destination: Some(1),
        large_to_new: Some((2, amount(500 * XRP))),
        unusual_amount: Some(Unusual { weight: 4, times: 5, payments: 8 }),
        velocity: Some(Velocity { weight: 8, period_seconds: HOUR, above: 3 }),
        listed: Some((16, BTreeSet::from(["fraud".to_owned()]))),
        odd_time: Some((32, office)),
        new_asker: Some(3),
        ..Risk::default()
    }
}

/// Everything is allowed, and decisions ask how risky it is.
fn world(risk: Risk) -> World {
    let rules = vec![
        Rule { risk: Some(RiskBand { above: None, max: Some(60) }), ..Rule::new("usual", Action::Allow) },
        Rule { risk: Some(RiskBand { above: Some(60), max: None }), ..Rule::new("risky", Action::Deny) },
    ];
    let mut config = config();
    config.policy =
        Policy::new(rules).with_lists([List::new("fraud", vec![id("thief")], None)]).with_risk(risk);
    config.people.get_mut("bob").unwrap().roles.insert(Role::Proposer);
    World::with(config)
}

fn pay(w: &mut World, xrp: u64) {
    let p = w.propose("warm", xrp);
    w.settle();
    // Where there was no Ticket, one was made first.
    w.settle();
    w.settle();
    assert_eq!(w.word(p), "validated");
}

fn signs(w: &World, p: ProposalId) -> Vec<Sign> {
    let risk = w.proposal(p).decision.inputs.risk.as_ref().expect("a rule asked");
    risk.seen.iter().map(|seen| seen.sign).collect()
}

fn score(w: &World, p: ProposalId) -> u8 {
    w.proposal(p).decision.inputs.risk.as_ref().expect("a rule asked").score
}

fn found(w: &World, kind: FindingKind) -> Vec<String> {
    let all = w.state.findings.values().filter(|finding| finding.kind == kind);
    all.map(|finding| finding.evidence.clone()).collect()
}

#[test]
fn each_sign_weighs_what_it_is_given_and_is_shown_with_its_evidence() {
    let mut w = world(risk());
    // It is 06:13 in UTC on a Thursday, within the office's hours.
    let p = w.propose("warm", 501);
    assert_eq!(signs(&w, p), [Sign::NewDestination, Sign::LargeToNew, Sign::NewAsker]);
    assert_eq!(score(&w, p), 6);
    let words = w.proposal(p).decision.inputs.risk.as_ref().unwrap().to_string();
    assert_eq!(
        words,
        "6 of 100: new_destination (1): the destination is not in the address book and was never paid; large_to_new (2): \
         501 XRP to a new destination, above 500 XRP; new_asker (3): nothing that alice asked for was ever paid"
    );
    w.settle();
    let p = w.propose("warm", 501);
    assert_eq!(
        (signs(&w, p), score(&w, p)),
        (vec![], 0),
        "the shop has been paid, and alice has had it paid"
    );
    w.settle();
    pay(&mut w, 500);
    let p = w.propose("warm", 500);
    assert_eq!(signs(&w, p), [Sign::Velocity], "the fourth within an hour");
    let propose = Propose { destination: id("thief"), ..w.payment("warm", 1) };
    let Answer::Proposed { proposal: p } = w.command("alice", Command::Propose(propose)).unwrap() else {
        panic!()
    };
    assert_eq!(signs(&w, p), [Sign::NewDestination, Sign::Velocity, Sign::Listed]);
    w.jump(6 * HOUR);
    let p = w.propose("warm", 500);
    assert_eq!(signs(&w, p), [Sign::OddTime], "12:13");
}

#[test]
fn a_rule_is_for_scores_above_and_up_to_its_bounds() {
    for (weight, decided) in [(59, "usual"), (60, "usual"), (61, "risky"), (255, "risky")] {
        let mut w = world(Risk { new_destination: Some(weight), ..Risk::default() });
        let p = w.propose("warm", 1);
        assert_eq!(w.proposal(p).decision.rule(), decided, "{weight}");
        assert_eq!(score(&w, p), weight.min(100));
    }
}

#[test]
fn an_amount_is_unusual_far_above_the_median_of_what_the_account_has_paid_and_a_few_far_out_do_not_move_it() {
    let unusual = Some(Unusual { weight: 4, times: 5, payments: 8 });
    let mut w = world(Risk { new_destination: None, unusual_amount: unusual, ..Risk::default() });
    for xrp in [40, 60, 50, 45, 55, 50, 90] {
        pay(&mut w, xrp);
    }
    let p = w.propose("warm", 1_000);
    assert_eq!(signs(&w, p), [], "seven payments are too few to know what is usual");
    w.settle();
    // Of 40, 45, 50, 50, 55, 60, 90 and 1,000 the lower middle is 50, and of what they are apart from it, 0, 0, 5, 5, 10, 10, 40
    // and 950, it is 5: ten times that from a tenth of the median on.
    for (xrp, expected) in [(75, vec![]), (76, vec![Sign::UnusualAmount])] {
        let p = w.propose("warm", xrp);
        assert_eq!(signs(&w, p), expected, "{xrp}");
        w.command("alice", Command::Withdraw { proposal: p }).unwrap_or(Answer::Done { changed: false });
    }
    let p = w.propose("hot", 1_000);
    assert_eq!(signs(&w, p), [], "another account has a history of its own");
    let seen = found(&w, FindingKind::UnusualAmount);
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].contains("half are within 5 XRP of 50 XRP; up to 75 XRP is usual"), "{seen:?}");
}

#[test]
fn where_all_payments_were_the_same_a_tenth_of_them_is_the_least_that_counts_as_apart() {
    let unusual = Some(Unusual { weight: 4, times: 5, payments: 4 });
    let mut w = world(Risk { new_destination: None, unusual_amount: unusual, ..Risk::default() });
    (0..4).for_each(|_| pay(&mut w, 40));
    for (xrp, expected) in [(60, vec![]), (61, vec![Sign::UnusualAmount])] {
        let p = w.propose("warm", xrp);
        assert_eq!(signs(&w, p), expected, "{xrp}");
        w.command("alice", Command::Withdraw { proposal: p }).unwrap_or(Answer::Done { changed: false });
    }
}

#[test]
fn what_is_found_of_a_payment_with_the_severity_hold_is_held_before_anything_of_it_leaves_and_others_are_not()
{
    let mut w = world(risk());
    let propose = Propose { destination: id("thief"), ..w.payment("warm", 1) };
    let Answer::Proposed { proposal: p } = w.command("alice", Command::Propose(propose)).unwrap() else {
        panic!()
    };
    assert_eq!(found(&w, FindingKind::ListedDestination), [format!("{p}: the destination is on fraud")]);
    w.close(&[]);
    w.close(&[]);
    assert!(w.submitted.is_empty());
    pay(&mut w, 1);
    assert_eq!(w.word(p), "collecting", "the other went its way, and this one waits");
    // Security looks, and lets it go.
    w.lift_all();
    w.settle();
    assert_eq!(w.word(p), "validated");
}

#[test]
fn a_busy_hour_is_found_once_where_it_only_alerts_and_each_payment_of_it_where_it_holds() {
    for (severity, expected) in [(Severity::Alert, 1), (Severity::Hold, 3)] {
        let mut w = world(risk());
        w.config.severities.insert(FindingKind::Velocity, severity);
        for _ in 0..6 {
            w.propose("warm", 1);
            w.settle();
        }
        assert_eq!(found(&w, FindingKind::Velocity).len(), expected, "{severity:?}");
        assert_eq!(w.state.stops.all().count(), if severity == Severity::Hold { 3 } else { 0 });
        w.jump(HOUR + 1);
        w.propose("warm", 1);
        let later = found(&w, FindingKind::Velocity).len();
        assert!(later <= expected + 1, "{later}");
    }
}

#[test]
fn what_is_busy_for_longer_than_the_period_is_found_again_when_that_is_over() {
    let mut w = world(risk());
    let payments = |w: &mut World, so_many: usize| {
        for _ in 0..so_many {
            w.propose("warm", 1);
            w.settle();
        }
    };
    payments(&mut w, 4);
    let first = w.state.findings.values().next_back().unwrap().at.close_time.0;
    w.jump(first + HOUR - 60 - w.state.now().0);
    payments(&mut w, 3);
    assert_eq!(found(&w, FindingKind::Velocity).len(), 1);
    w.jump(first + HOUR - 1 - w.state.now().0);
    w.propose("warm", 1);
    assert_eq!(found(&w, FindingKind::Velocity).len(), 1);
    w.jump(1);
    w.propose("warm", 1);
    assert_eq!(found(&w, FindingKind::Velocity).len(), 2);
}

#[test]
fn a_busy_hour_of_one_account_says_nothing_of_another() {
    let mut w = world(risk());
    w.config.severities.insert(FindingKind::Velocity, Severity::Alert);
    for account in ["warm", "hot", "warm", "hot"] {
        for _ in 0..4 {
            let p = w.propose(account, 1);
            w.settle();
            w.command("alice", Command::Withdraw { proposal: p }).unwrap_or(Answer::Done { changed: false });
        }
    }
    assert_eq!(found(&w, FindingKind::Velocity).len(), 2);
}

#[test]
fn of_several_fulfillments_that_left_each_is_found() {
    let mut w = World::new();
    w.escrow();
    w.escrow();
    w.jump(50 * HOUR);
    w.jump(70);
    w.jump(70);
    assert_eq!(found(&w, FindingKind::RevealPending).len(), 2);
}

#[test]
fn a_large_payment_to_a_new_destination_is_found_and_one_to_a_known_one_is_not() {
    let mut w = world(risk());
    w.config.destinations.insert(id("exchange"), "exchange".to_owned());
    for (to, xrp, expected) in [("exchange", 501, 0), ("shop", 500, 0), ("shop", 501, 1)] {
        let propose = Propose { destination: id(to), ..w.payment("warm", xrp) };
        w.command("alice", Command::Propose(propose)).unwrap();
        assert_eq!(found(&w, FindingKind::LargeToNew).len(), expected, "{to} {xrp}");
    }
}

#[test]
fn moves_along_links_and_what_is_denied_are_not_looked_at() {
    let mut w =
        world(Risk { new_destination: Some(100), large_to_new: Some((1, amount(1))), ..Risk::default() });
    let p = w.propose("warm", 501);
    assert_eq!(w.word(p), "denied");
    assert_eq!(found(&w, FindingKind::LargeToNew).len(), 0);
}

#[test]
fn five_rejections_of_what_one_person_asked_for_within_a_day_are_found_once_a_day() {
    let reject = |w: &mut World, p: ProposalId| {
        w.command("bob", Command::Reject { proposal: p, reason: "no".to_owned() }).unwrap();
        found(w, FindingKind::ManyRejections).len()
    };
    let mut w = World::new();
    for number in 1..=12 {
        let p = w.propose("warm", 500);
        assert_eq!(reject(&mut w, p), usize::from(number >= 5), "after {number}");
    }
    let seen = &found(&w, FindingKind::ManyRejections)[0];
    assert!(seen.starts_with("what alice asked for was rejected 5 times within 86400 s"), "{seen}");
    w.jump(24 * HOUR);
    for number in 1..=5 {
        let p = w.propose("hot", 500);
        assert_eq!(reject(&mut w, p), 1 + number / 5, "after {number} more");
    }
    // Slowly, it is nothing.
    let mut w = World::new();
    for _ in 1..=8 {
        let p = w.propose("warm", 500);
        assert_eq!(reject(&mut w, p), 0);
        w.jump(6 * HOUR);
    }
    // And somebody who says it again has said it.
    let mut w = World::new();
    let p = w.propose("cold", 500);
    for _ in 0..6 {
        assert_eq!(reject(&mut w, p), 0);
    }
}

#[test]
fn three_signatures_of_one_person_that_are_refused_within_an_hour_are_found_once_an_hour_and_good_ones_are_not_counted()
 {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let refuse = |w: &mut World| {
        let mut given = signatures_of("bob", &w.rungs(p));
        given.signing_pub_key = key("carol").public_key();
        let refused = w.command("bob", Command::Approve { proposal: p, signatures: given });
        assert!(matches!(refused, Err(CommandError::KeyNotAllowed { .. })), "{refused:?}");
        found(w, FindingKind::SignaturesRefused).len()
    };
    for number in 1..=9 {
        assert_eq!(refuse(&mut w), usize::from(number >= 3));
        if number == 1 {
            w.approve("bob", p).unwrap();
        }
    }
    let seen = &found(&w, FindingKind::SignaturesRefused)[0];
    assert_eq!(*seen, format!("3 signatures of bob were refused within 3600 s, the last one for {p}"));
}

#[test]
fn a_fulfillment_that_has_left_and_is_not_validated_is_found_once() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.jump(49 * HOUR);
    assert_eq!(w.sent().len(), 1, "it is released");
    w.jump(60);
    assert_eq!(found(&w, FindingKind::RevealPending).len(), 0);
    for _ in 0..3 {
        w.jump(4);
        let seen = found(&w, FindingKind::RevealPending);
        assert_eq!(seen.len(), 1);
        assert!(seen[0].starts_with(&format!("escrow {key}: its fulfillment left at ")), "{seen:?}");
    }
    // One that lands is none.
    let mut w = World::new();
    w.escrow();
    w.jump(49 * HOUR);
    w.settle();
    w.jump(120);
    assert_eq!(found(&w, FindingKind::RevealPending).len(), 0);
}

#[test]
fn the_prover_takes_every_score_that_the_signs_can_make() {
    let at = |w: &World, outcome| {
        let query = Query { outcome, ..Query::default() };
        prove(&w.config, &w.config.policy, w.state.now(), &query).unwrap()
    };
    let w = world(risk());
    let denied = at(&w, Outcome::Denied).expect("66 of all signs is above 60");
    assert_eq!((denied.rules, denied.example.risk), (vec!["risky".to_owned()], 61));
    assert!(denied.example.words(&w.config).contains(", of risk 61"));
    let few = Risk { odd_time: None, ..risk() };
    assert_eq!(at(&world(few), Outcome::Denied), None, "without odd times the highest score is 34");
}

#[test]
fn what_was_usual_is_remembered_over_a_restart_and_not_for_ever() {
    let mut w = world(risk());
    w.config.tickets.low_water = 4;
    for number in 0..120 {
        pay(&mut w, 10 + number % 3);
    }
    w.restart();
    let recent: Vec<Amount> = w.state.book.payments().recent(&id("warm"), Asset::Xrp).collect();
    assert_eq!(recent.len(), 100);
    assert_eq!(recent.last(), Some(&amount((10 + 119 % 3) * XRP)));
}

/// Danger: who may ask for payments asks for a thousand that are found, takes each back, and what was found of a theft is on
/// no page any more.
#[test]
fn who_causes_findings_pushes_out_their_own_and_none_of_others() {
    let mut w = world(risk());
    w.signer_answers = false;
    crate::stops::rob_hot(&mut w);
    let theft = w.state.findings.values().find(|found| found.kind == FindingKind::SpendWithoutProposal);
    let theft = theft.unwrap().id;
    let p = w.propose("warm", 501);
    assert_eq!(found(&w, FindingKind::LargeToNew).len(), 1, "{p}");
    let (known, alike) = (w.state.findings.len(), w.state.findings.values().next_back().unwrap().clone());
    for number in 1..=1_050 {
        let finding = Finding { id: FindingId(alike.id.0 + number), ..alike.clone() };
        w.record(Event::Found { finding });
    }
    assert_eq!(w.state.findings.len(), FINDINGS_MAX);
    let others = w.state.findings.values().filter(|found| found.kind != FindingKind::LargeToNew);
    assert_eq!(others.count(), known - 1);
    let seen = Command::Acknowledge { findings: [theft].into(), reason: "the police know".to_owned() };
    assert_eq!(w.command("dave", seen), Ok(Answer::Done { changed: true }));
    // What an earlier version still knew can have been acknowledged, and what there never was cannot.
    let acknowledged = w.state.findings[&theft].acknowledged.clone().unwrap();
    let event = |id| Event::FindingAcknowledged { id, acknowledged: acknowledged.clone() };
    assert!(!w.state.findings.contains_key(&alike.id));
    w.record(event(alike.id));
    assert!(w.state.apply(&event(FindingId(w.state.last_finding + 1))).is_err());
}
