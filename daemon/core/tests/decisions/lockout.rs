//! Whose loss locks an account, and whose collusion spends it.

use std::collections::BTreeSet;

use treasury_core::config::{FindingKind, KeyLabels, Treasury};
use treasury_core::lockout::{By, Needs, needs};
use treasury_core::observe::{Change, SignerListView};
use treasury_core::units::Weight;

use crate::world::{World, config, id};

/// Two of the four people have their keys in one place, made by one vendor.
fn labelled() -> Treasury {
    let label = |vendor: &str, place: &str| KeyLabels {
        vendor: Some(vendor.to_owned()),
        place: Some(place.to_owned()),
    };
    let key_labels = [
        (id("alice"), label("one", "zurich")),
        (id("bob"), label("one", "zurich")),
        (id("carol"), label("two", "bern")),
    ];
    Treasury { key_labels: key_labels.into(), ..config() }
}

fn of(w: &World, account: &str, by: By) -> Needs {
    let all = needs(&w.config, &w.state, &id(account)).unwrap();
    all.into_iter().find(|needs| needs.by == by).unwrap()
}

fn sets(sets: &[Vec<String>]) -> BTreeSet<BTreeSet<&str>> {
    sets.iter().map(|set| set.iter().map(String::as_str).collect()).collect()
}

fn found(w: &World) -> Vec<String> {
    let found = w.state.findings.values().filter(|finding| finding.kind == FindingKind::OneLossLocks);
    found.map(|finding| finding.evidence.clone()).collect()
}

/// Cold is 3 of 4 people; warm is 2 of 4 people and 2 agents.
#[test]
fn the_daemon_is_one_of_the_people_and_keys_with_one_label_count_as_one() {
    let w = World::with(labelled());
    let cold = of(&w, "cold", By::People);
    assert_eq!((cold.locks.size, cold.locks.sets.len()), (2, 6));
    assert_eq!(cold.spends.map(|spends| (spends.size, spends.sets.len())), Some((3, 4)));
    let warm = of(&w, "warm", By::People).spends.unwrap();
    assert_eq!(sets(&warm.sets), [["treasuryd"].into()].into(), "its agents reach the quorum by themselves");
    assert_eq!(of(&w, "warm", By::Keys).spends.unwrap().size, 2);
    let places = of(&w, "cold", By::Places);
    assert_eq!(sets(&places.locks.sets), [["zurich"].into()].into());
    let spends = places.spends.unwrap();
    assert_eq!(
        sets(&spends.sets),
        [["zurich", "bern"].into(), ["zurich", "dave's, not declared"].into()].into()
    );
    assert_eq!(sets(&of(&w, "cold", By::Vendors).locks.sets), [["one"].into()].into());
    for (by, name) in [(By::Vendors, "treasuryd's keystore"), (By::Places, "treasuryd's host")] {
        let spends = of(&w, "warm", by).spends.unwrap();
        assert_eq!((spends.size, sets(&spends.sets).contains(&[name].into())), (1, true), "{spends:?}");
    }
    assert!(needs(&w.config, &w.state, &id("runner")).is_none());
}

#[test]
fn that_one_loss_locks_an_account_is_found_at_the_start_and_when_it_comes_to_be_so() {
    let w = World::with(labelled());
    let text = "the loss of one alone would lock the account: by vendors: one; by places: zurich";
    assert_eq!(found(&w), [text], "of cold");
    let mut w = World::new();
    assert_eq!(found(&w), [""; 0]);
    let entries = ["alice", "bob"].map(|name| (id(name), 1)).into();
    let list = Some(SignerListView { quorum: Weight(2), entries });
    w.change(vec![Change::SignerList { account: id("cold"), list }]);
    let [told] = found(&w).try_into().unwrap();
    assert!(told.contains("by keys: alice, bob; by people: alice, bob;"), "{told}");
    w.close(&[]);
    w.reconcile();
    assert_eq!(found(&w).len(), 1, "and once");
}

#[test]
fn a_key_that_does_not_sign_is_lost_already() {
    let mut w = World::new();
    assert_eq!(of(&w, "warm", By::Keys).locks.size, 5);
    w.state.unable.insert(id("agent-1"), "its key is missing".to_owned());
    assert_eq!(of(&w, "warm", By::Keys).locks.size, 4);
    for name in ["agent-2", "alice", "bob", "carol"] {
        w.state.unable.insert(id(name), "gone".to_owned());
    }
    let locked = of(&w, "warm", By::Keys);
    assert_eq!(locked.locks.size, 0, "it is locked");
    assert_eq!(locked.locks.sets, [Vec::<String>::new()], "without that anything else is lost");
    assert_eq!(locked.spends.map(|spends| spends.size), Some(2), "whoever has such keys can sign with them");
}
