//! A SignerList that is not as it is declared.

use treasury_core::config::FindingKind;
use treasury_core::findings::drift;
use treasury_core::observe::{Change, SignerListView};
use treasury_core::units::Weight;

use crate::world::{World, id};

/// Danger: the quorum is lowered, or somebody is exchanged, and nothing is said of it.
#[test]
fn each_way_in_which_a_signer_list_differs_is_told_and_one_that_is_as_declared_is_not() {
    let people = [("alice", 1), ("bob", 1), ("carol", 1), ("dave", 1)];
    let [alice, bob] = ["alice", "bob"].map(|name| format!("{name} ({})", id(name)));
    for (quorum, entries, expected) in [
        (3, people.to_vec(), None),
        (2, people.to_vec(), Some("SignerQuorum is 2, declared 3".to_owned())),
        (
            3,
            [("alice", 2)].into_iter().chain(people[1..].iter().copied()).collect(),
            Some(format!("{alice} has weight 2, declared 1")),
        ),
        (3, people[1..].to_vec(), Some(format!("{alice} is missing"))),
        (
            3,
            people.into_iter().chain([("mallory", 3)]).collect(),
            Some(format!("{} signs with weight 3, not declared", id("mallory"))),
        ),
        (
            1,
            [("bob", 7)].into_iter().chain(people[2..].iter().copied()).collect(),
            Some(format!(
                "SignerQuorum is 1, declared 3; {bob} has weight 7, declared 1; {alice} is missing"
            )),
        ),
    ] {
        let mut w = World::new();
        let entries = entries.into_iter().map(|(name, weight)| (id(name), weight)).collect();
        let list = Some(SignerListView { quorum: Weight(quorum), entries });
        w.change(vec![Change::SignerList { account: id("cold"), list }]);
        assert_eq!(drift(&w.config, &w.state, &id("cold")), expected);
        let found = w.state.findings.values().filter(|finding| finding.kind == FindingKind::SignerListDrift);
        let found: Vec<_> = found.map(|finding| (finding.account, finding.evidence.clone())).collect();
        let expected: Vec<_> = expected.into_iter().map(|words| (Some(id("cold")), words)).collect();
        assert_eq!(found, expected);
    }
    let mut w = World::new();
    w.change(vec![Change::SignerList { account: id("cold"), list: None }]);
    assert_eq!(
        drift(&w.config, &w.state, &id("cold")).as_deref(),
        Some("the account has no SignerList on the ledger")
    );
}
