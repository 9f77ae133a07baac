//! People who sign show that they still have their keys: by what they sign anyway, or when they are asked to.

use std::collections::BTreeSet;

use crate::world::{World, config, id, key};
use treasury_core::Event;
use treasury_core::command::{Answer, Command, CommandError};
use treasury_core::config::{Drills, FindingKind, Treasury};
use treasury_core::drill::Proof;
use treasury_core::drills;
use treasury_core::observe::{Change, SignerListView};
use treasury_core::units::{AccountId, HexBytes, Weight};

const DAY: u32 = 86_400;

fn drilled() -> Treasury {
    let mut config = config();
    config.alarms.drills = Drills { every_seconds: Some(90 * DAY), answer_seconds: 5 * DAY };
    config
}

fn asked(w: &World) -> Vec<AccountId> {
    w.state.drills.keys().copied().collect()
}

fn answer(w: &mut World, person: &str, with: &str) -> Result<Answer, CommandError> {
    let signer = id(person);
    let challenge = w.state.drills.get(&signer).map(|drill| drill.challenge).unwrap_or_default();
    let key = key(with);
    let signature = HexBytes(xrpl_wire::drill::sign(&signer, &challenge, &key));
    w.command(person, Command::AnswerDrill { signing_pub_key: key.public_key(), signature })
}

fn found(w: &World) -> Vec<String> {
    let found = w.state.findings.values().filter(|finding| finding.kind == FindingKind::DrillOverdue);
    found.map(|finding| finding.evidence.clone()).collect()
}

#[test]
fn nobody_is_asked_where_nothing_is_said_and_then_everybody_of_whom_nothing_is_known() {
    let mut w = World::new();
    w.jump(400 * DAY);
    assert_eq!(asked(&w), []);
    w.config = drilled();
    w.runtime.declared_anew();
    w.close(&[]);
    let mut all: Vec<AccountId> = ["alice", "bob", "carol", "dave"].map(id).into();
    all.sort();
    assert_eq!(asked(&w), all, "no agent is asked");
    let challenges: BTreeSet<_> = w.state.drills.values().map(|drill| drill.challenge).collect();
    assert_eq!(challenges.len(), 4);
    w.jump(DAY);
    assert_eq!(w.events.iter().filter(|event| matches!(event, Event::DrillAsked { .. })).count(), 4, "once");
}

#[test]
fn a_drill_is_answered_by_the_key_that_may_sign_over_what_was_asked_and_moves_nothing() {
    let mut w = World::with(drilled());
    let before = w.state.drills[&id("alice")];
    let book = w.state.book.clone();
    assert_eq!(answer(&mut w, "alice", "bob").unwrap_err().code(), "KEY_NOT_ALLOWED");
    let stale = HexBytes(xrpl_wire::drill::sign(&id("bob"), &before.challenge, &key("alice")));
    let public = key("alice").public_key();
    for signature in [stale, HexBytes(Vec::new()), HexBytes(vec![1; 64])] {
        let events = w.events.len();
        let refused = w.command("alice", Command::AnswerDrill { signing_pub_key: public, signature });
        assert_eq!(refused.unwrap_err().code(), "BAD_DRILL_SIGNATURE");
        assert_eq!(w.events.len(), events);
    }
    assert_eq!(answer(&mut w, "alice", "alice"), Ok(Answer::Done { changed: true }));
    assert!(!asked(&w).contains(&id("alice")));
    let at = w.state.ledger.unwrap();
    let proof = Proof { key: id("alice"), at, approved: None };
    assert_eq!(drills::last(&w.state, &id("alice")), Some(&proof));
    assert_eq!(answer(&mut w, "alice", "alice"), Err(CommandError::NoDrill), "it counts once");
    assert_eq!((&w.state.book, w.submitted.len(), w.state.slots.len()), (&book, 0, 0));
    // Until the next time.
    w.jump(90 * DAY - 1);
    assert!(!asked(&w).contains(&id("alice")));
    w.jump(601);
    assert!(asked(&w).contains(&id("alice")));
    assert_ne!(w.state.drills[&id("alice")].challenge, before.challenge);
}

#[test]
fn what_somebody_signs_anyway_answers_a_drill_and_puts_the_next_one_off() {
    let mut w = World::with(drilled());
    w.signer_answers = false;
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    assert!(!asked(&w).contains(&id("alice")) && asked(&w).contains(&id("bob")));
    let proof = *drills::last(&w.state, &id("alice")).unwrap();
    assert_eq!((proof.approved, proof.key), (Some(p), id("alice")));
    w.command("alice", Command::Retract { proposal: p }).unwrap();
    assert!(drills::last(&w.state, &id("alice")).is_some(), "what was signed was signed");
    let now = w.state.now().0;
    w.jump(proof.at.close_time.0 + 90 * DAY - 700 - now);
    assert!(!asked(&w).contains(&id("alice")));
    w.jump(1_300);
    assert!(asked(&w).contains(&id("alice")));
}

#[test]
fn who_does_not_answer_is_found_once_for_each_time_with_what_they_sign_for() {
    let mut w = World::with(drilled());
    for person in ["bob", "carol", "dave"] {
        answer(&mut w, person, person).unwrap();
    }
    w.jump(5 * DAY - 60);
    assert_eq!(found(&w), Vec::<String>::new());
    w.jump(DAY);
    w.jump(DAY);
    let all = found(&w);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].starts_with("alice (") && all[0].contains("nothing that it signed is known"), "{all:?}");
    assert!(["cold", "warm", "hot"].iter().all(|account| all[0].contains(account)), "{all:?}");
    w.restart();
    w.close(&[]);
    w.reconcile();
    w.jump(DAY);
    assert_eq!(found(&w).len(), 1);
    answer(&mut w, "alice", "alice").unwrap();
    w.jump(90 * DAY);
    w.jump(6 * DAY);
    assert_eq!(found(&w).iter().filter(|evidence| evidence.starts_with("alice (")).count(), 2);
}

#[test]
fn a_person_may_be_asked_more_often_and_whoever_signs_no_more_is_not_waited_for() {
    let mut w = World::with(drilled());
    w.config.people.get_mut("alice").unwrap().drill_seconds = Some(7 * DAY);
    for person in ["alice", "bob", "carol", "dave"] {
        answer(&mut w, person, person).unwrap();
    }
    w.jump(8 * DAY);
    assert_eq!(asked(&w), [id("alice")]);
    w.config.people.get_mut("alice").unwrap().signer = None;
    w.runtime.declared_anew();
    w.close(&[]);
    assert_eq!(asked(&w), []);
    assert_eq!(answer(&mut w, "alice", "alice"), Err(CommandError::NoDrill));
}

#[test]
fn a_signer_is_asked_for_every_account_that_lists_them_or_should() {
    let mut w = World::with(drilled());
    let of = |w: &World, name: &str| -> BTreeSet<AccountId> {
        drills::accounts_of(&w.config, &w.state, &id(name)).collect()
    };
    assert_eq!(of(&w, "alice"), ["cold", "warm", "hot"].map(id).into());
    assert_eq!(of(&w, "erin"), BTreeSet::new());
    let list = Some(SignerListView { quorum: Weight(1), entries: [(id("erin"), 1)].into() });
    w.change(vec![Change::SignerList { account: id("cold"), list }]);
    assert_eq!(of(&w, "alice"), ["cold", "warm", "hot"].map(id).into(), "she should be on its list");
    assert_eq!(of(&w, "erin"), [id("cold")].into());
}

#[test]
fn a_drill_is_overdue_after_the_time_for_an_answer_and_not_at_its_end() {
    let mut w = World::with(drilled());
    let drill = w.state.drills[&id("alice")];
    for (now, overdue) in [(5 * DAY, false), (5 * DAY + 1, true)] {
        w.jump(drill.at.close_time.0 + now - w.state.now().0);
        assert_eq!(drills::is_overdue(&w.config, &w.state, &drill), overdue);
    }
}

#[test]
fn it_is_looked_who_is_to_be_asked_every_ten_minutes() {
    let mut w = World::new();
    w.runtime.declared_anew();
    w.close(&[]);
    w.config = drilled();
    w.jump(599);
    assert_eq!(asked(&w), []);
    w.jump(1);
    assert_eq!(asked(&w).len(), 4);
}

/// Danger: a key was changed, and what the old one signed is taken for the new one's.
#[test]
fn what_a_key_signed_that_may_sign_no_more_shows_nothing() {
    let mut w = World::with(drilled());
    w.stranger("alice", Some(0));
    w.answers_readings = true;
    answer(&mut w, "alice", "alice").unwrap();
    assert!(drills::last(&w.state, &id("alice")).is_some());
    w.change_stranger(id("alice"), Some(0x0010_0000));
    assert!(drills::last(&w.state, &id("alice")).is_none(), "its master key is disabled");
    w.jump(700);
    assert!(asked(&w).contains(&id("alice")));
}
