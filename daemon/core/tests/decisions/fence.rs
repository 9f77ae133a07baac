//! One keystore, one daemon: what the daemon's own keys sign elsewhere is seen, and stops what they could sign next.

use treasury_core::config::{FindingKind, Severity};
use treasury_core::state::{Finding, Guard};

use crate::world::{World, config, id};

fn of_kind(w: &World, kind: FindingKind) -> Vec<&Finding> {
    w.state.findings.values().filter(|finding| finding.kind == kind).collect()
}

#[test]
fn agents_at_work_elsewhere_freeze_the_account_and_are_named() {
    let mut other = World::new();
    other.propose("hot", 50);
    let sent = other.sent();
    let mut w = World::new();
    w.close(&sent);
    let found = of_kind(&w, FindingKind::KeysElsewhere);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].account, found[0].severity), (Some(id("hot")), Severity::Freeze));
    assert!(found[0].evidence.contains(&id("agent-1").to_string()), "{}", found[0].evidence);
    assert!(of_kind(&w, FindingKind::SpendWithoutProposal).is_empty(), "one thing is found once");
    w.propose("hot", 50);
    assert!(w.sent().is_empty());
    let warm = w.propose("warm", 50);
    assert!(!w.sent().is_empty(), "{:?}", w.proposal(warm).status);
}

#[test]
fn a_restored_store_stops_where_its_keys_have_gone_on_without_it() {
    // What the copy knows, and what happened after it was made: a second payment over the same Ticket.
    let mut copy = World::new();
    let mut real = World::new();
    real.propose("hot", 50);
    let first = real.settle();
    let p = copy.propose("hot", 60);
    assert!(!copy.sent().is_empty());
    copy.close(&first);
    assert_eq!(copy.word(p), "superseded");
    let found = of_kind(&copy, FindingKind::KeysElsewhere);
    assert_eq!(found.len(), 1, "{:?}", copy.state.findings);
    assert_eq!(copy.state.freezes_of(&id("hot")).count(), 1);
}

#[test]
fn a_runner_at_work_elsewhere_is_seen_too() {
    let mut other = World::new();
    let (_, _) = other.escrow();
    let mut w = World::new();
    let (_, key) = w.escrow();
    let finish_after = w.state.escrows[&key].view.finish_after.unwrap();
    let later = finish_after.0 - w.state.now().0 + 1;
    other.jump(later);
    let finish = other.sent();
    w.signer_answers = false;
    w.jump(later);
    assert!(w.sent().is_empty());
    w.close(&finish);
    assert!(matches!(w.guard(key), Guard::Released { .. }));
    let found = of_kind(&w, FindingKind::KeysElsewhere);
    assert_eq!(found.len(), 2, "{:?}", w.state.findings);
    assert!(
        found
            .iter()
            .any(|finding| finding.account == Some(id("runner")) && finding.evidence.contains("runner"))
    );
    assert!(
        found.iter().any(|finding| finding.account == Some(id("warm"))),
        "its fulfillment had not left this one"
    );
    assert_eq!(w.state.freezes_of(&id("runner")).count(), 1);
}

#[test]
fn what_people_sign_elsewhere_is_not_the_daemons_keys() {
    let mut other = World::new();
    let p = other.propose("warm", 500);
    other.approve("alice", p).unwrap();
    other.approve("bob", p).unwrap();
    let sent = other.sent();
    let mut w = World::new();
    w.close(&sent[..1]);
    assert!(of_kind(&w, FindingKind::KeysElsewhere).is_empty(), "{:?}", w.state.findings);
    assert_eq!(of_kind(&w, FindingKind::SpendWithoutProposal).len(), 1);
}

#[test]
fn two_daemons_on_purpose_are_a_line_in_the_log() {
    let mut config = config();
    config.severities.insert(FindingKind::KeysElsewhere, Severity::Log);
    let mut w = World::with(config);
    let mut other = World::new();
    other.propose("hot", 50);
    w.close(&other.sent());
    assert_eq!(of_kind(&w, FindingKind::KeysElsewhere).len(), 1);
    w.propose("hot", 40);
    assert!(!w.sent().is_empty());
}
