//! What is found of how accounts stand: keys beside a list, too few signers, a poor runner, recipients that change. And
//! findings that somebody has looked at.

use std::collections::BTreeSet;

use treasury_core::Event;
use treasury_core::command::{Answer, Command};
use treasury_core::config::{FindingKind, Role};
use treasury_core::observe::{Change, RootView};
use treasury_core::units::{AccountId, FindingId};

use crate::world::{AGENTS, World, XRP, drops, id};

const MASTER_DISABLED: u32 = 0x0010_0000;
const DEPOSIT_AUTH: u32 = 0x0100_0000;

fn root(w: &World, account: AccountId) -> RootView {
    w.state.accounts[&account].root.unwrap()
}

/// An account becomes like this.
fn becomes(w: &mut World, account: AccountId, root: Option<RootView>) {
    w.change(vec![Change::Root { account, root }]);
}

fn found(w: &World, kind: FindingKind) -> Vec<(AccountId, String)> {
    let findings = w.state.findings.values().filter(|finding| finding.kind == kind);
    findings.map(|finding| (finding.account.unwrap(), finding.evidence.clone())).collect()
}

#[test]
fn a_key_that_signs_beside_a_list_is_found_when_it_comes_and_at_the_start_and_once() {
    let mut w = World::new();
    assert_eq!(found(&w, FindingKind::KeyBesideList), []);
    let before = root(&w, id("warm"));
    becomes(&mut w, id("warm"), Some(RootView { flags: 0, ..before }));
    let seen = found(&w, FindingKind::KeyBesideList);
    assert_eq!(seen.len(), 1);
    assert!(seen[0].1.contains("its master key can sign"), "{seen:?}");
    w.close(&[]);
    w.restart();
    w.reconcile();
    assert_eq!(found(&w, FindingKind::KeyBesideList).len(), 1, "what was found is not found again");
    becomes(&mut w, id("warm"), Some(RootView { flags: 0, regular_key: Some(id("mallory")), ..before }));
    let seen = found(&w, FindingKind::KeyBesideList);
    assert!(seen.len() == 2 && seen[1].1.contains("its master key and its RegularKey"), "{seen:?}");
    becomes(&mut w, id("warm"), Some(before));
    becomes(&mut w, id("warm"), Some(RootView { regular_key: Some(id("mallory")), ..before }));
    let seen = found(&w, FindingKind::KeyBesideList);
    assert!(seen[2].1.starts_with("its RegularKey"), "{seen:?}");
    let runner = root(&w, id("runner"));
    becomes(&mut w, id("runner"), Some(RootView { regular_key: Some(id("alice")), ..runner }));
    assert_eq!(found(&w, FindingKind::KeyBesideList).len(), 3, "the runner has no list");
}

#[test]
fn too_few_signers_are_found_where_some_are_lost_and_not_where_few_were_declared() {
    let mut w = World::new();
    assert_eq!(found(&w, FindingKind::FewSigners), [], "cold's three of three are what was declared");
    let list = |w: &World, without: &[&str]| {
        let mut list = w.state.accounts[&id("warm")].signer_list.clone().unwrap();
        list.entries.retain(|signer, _| !without.iter().any(|name| id(name) == *signer));
        vec![Change::SignerList { account: id("warm"), list: Some(list) }]
    };
    let two = list(&w, &["alice", "bob"]);
    w.change(two);
    assert_eq!(found(&w, FindingKind::FewSigners), [], "four can sign, and two are enough");
    let three = list(&w, &["carol", AGENTS[0]]);
    w.change(three);
    let seen = found(&w, FindingKind::FewSigners);
    assert_eq!(seen.len(), 1);
    assert!(seen[0].1.contains("weight 2 of the declared 6"), "{seen:?}");
}

#[test]
fn a_runner_that_cannot_pay_two_transactions_is_found_each_time_that_it_comes_to_be_so() {
    let mut w = World::new();
    let before = root(&w, id("runner"));
    let fees = w.state.fees.unwrap();
    let reserve = fees.reserve_base.get() + u64::from(before.owner_count) * fees.reserve_inc.get();
    let has = |spare: u64| Some(RootView { balance: drops(reserve + spare), ..before });
    becomes(&mut w, id("runner"), has(4 * XRP));
    assert_eq!(found(&w, FindingKind::RunnerPoor), [], "two times the most that a transaction may burn");
    for _ in 0..2 {
        becomes(&mut w, id("runner"), has(4 * XRP - 1));
        becomes(&mut w, id("runner"), has(3 * XRP));
        becomes(&mut w, id("runner"), has(9 * XRP));
    }
    assert_eq!(found(&w, FindingKind::RunnerPoor).len(), 2);
    // Nor is it by what is read anew, and by what it has paid since.
    for spare in [XRP, XRP - 1] {
        becomes(&mut w, id("runner"), has(spare));
        w.reconcile();
    }
    assert_eq!(found(&w, FindingKind::RunnerPoor).len(), 3);
}

#[test]
fn a_recipient_that_changes_while_an_escrow_waits_for_it_is_found() {
    type Becomes = fn(RootView) -> Option<RootView>;
    let changes: [(&str, Becomes); 5] = [
        ("was deleted", |_| None),
        ("DepositAuth", |root| Some(RootView { flags: root.flags | DEPOSIT_AUTH, ..root })),
        ("DestinationTag", |root| Some(RootView { flags: root.flags | 0x0002_0000, ..root })),
        ("master key is disabled", |root| Some(RootView { flags: root.flags | MASTER_DISABLED, ..root })),
        ("its RegularKey is", |root| Some(RootView { regular_key: Some(id("mallory")), ..root })),
    ];
    for (words, change) in changes {
        let mut w = World::new();
        let (p, _) = w.escrow();
        let to = w.proposal(p).intent.destination().unwrap();
        let before = root(&w, to);
        becomes(&mut w, to, Some(RootView { balance: drops(XRP), ..before }));
        assert_eq!(found(&w, FindingKind::RecipientChanged), [], "what it has is its own matter");
        let now = change(root(&w, to));
        becomes(&mut w, to, now);
        let seen = found(&w, FindingKind::RecipientChanged);
        assert_eq!(seen.len(), 1, "{words}");
        assert!(seen[0].0 == to && seen[0].1.contains(words), "{words}: {seen:?}");
    }
    let mut w = World::new();
    let shop = id("shop");
    let before = root(&w, shop);
    becomes(&mut w, shop, Some(RootView { regular_key: Some(id("mallory")), ..before }));
    assert_eq!(found(&w, FindingKind::RecipientChanged), [], "nothing waits for it");
}

#[test]
fn a_finding_is_acknowledged_with_a_reason_and_stays() {
    let mut w = World::new();
    let before = root(&w, id("warm"));
    becomes(&mut w, id("warm"), Some(RootView { flags: 0, ..before }));
    let finding = *w.state.findings.keys().next_back().unwrap();
    let acknowledge = |findings: &[FindingId], reason: &str| Command::Acknowledge {
        findings: findings.iter().copied().collect::<BTreeSet<_>>(),
        reason: reason.to_owned(),
    };
    let mut refused = |person, command| w.command(person, command).unwrap_err().code();
    assert_eq!(refused("alice", acknowledge(&[finding], "seen")), "ROLE_MISSING");
    assert_eq!(refused("dave", acknowledge(&[finding], " ")), "BAD_VALUE");
    let unknown = FindingId(finding.0 + 9);
    assert_eq!(refused("dave", acknowledge(&[finding, unknown], "seen")), "UNKNOWN_FINDING");
    assert!(w.state.findings[&finding].acknowledged.is_none(), "all of them or none");
    w.command("dave", acknowledge(&[finding], "we rotate keys today")).unwrap();
    w.command("dave", acknowledge(&[finding], "again")).unwrap();
    let seen = w.state.findings[&finding].acknowledged.clone().unwrap();
    assert_eq!((seen.by.as_str(), seen.reason.as_str()), ("dave", "we rotate keys today"));
}

/// Danger: somebody who may only ask for payments keeps others from being woken; or an id becomes a text of its own.
#[test]
fn notices_are_acknowledged_by_those_who_may_be_woken_and_change_nothing_that_is_decided() {
    let mut w = World::new();
    let acknowledge = |notices: &[&str], reason: &str| Command::AcknowledgeNotices {
        notices: notices.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>(),
        reason: reason.to_owned(),
    };
    let many: Vec<String> = (0..101).map(|number| format!("n-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let long = "n".repeat(201);
    for (notices, reason) in [
        (&["n-1"][..], " "),
        (&[], "seen"),
        (&[""], "seen"),
        (&["n 1"], "seen"),
        (&["n-1\n"], "seen"),
        (&["n-\u{202e}1"], "seen"),
        (&[long.as_str()], "seen"),
        (&many[..], "seen"),
    ] {
        let refused = w.command("dave", acknowledge(notices, reason)).unwrap_err();
        assert_eq!(refused.code(), "BAD_VALUE", "{notices:?} {reason:?}");
    }
    w.config.people.get_mut("alice").unwrap().roles = BTreeSet::from([Role::Proposer]);
    assert_eq!(w.command("alice", acknowledge(&["n-1"], "seen")).unwrap_err().code(), "ROLE_MISSING");
    for role in [Role::Approver, Role::Security, Role::Admin] {
        w.config.people.get_mut("alice").unwrap().roles = BTreeSet::from([role]);
        let (before, known) = (w.state.clone(), w.events.len());
        assert_eq!(w.command("alice", acknowledge(&many[1..], "on it")), Ok(Answer::Done { changed: true }));
        assert_eq!(w.state, before);
        let Event::NoticesAcknowledged { notices, acknowledged } = &w.events[known] else {
            panic!("{role:?}")
        };
        assert_eq!(
            (notices.len(), acknowledged.by.as_str(), acknowledged.reason.as_str()),
            (100, "alice", "on it")
        );
    }
}

#[test]
fn one_more_or_one_less_signer_decides_whether_too_few_are_left() {
    let few = |names: &[&str], quorum: u32, declared: usize| {
        let mut w = World::new();
        let account = w.config.accounts.get_mut(&id("warm")).unwrap();
        let signers = account.signers.as_mut().unwrap();
        signers.entries = crate::world::PEOPLE.iter().take(declared).map(|name| (id(name), 1)).collect();
        let mut list = w.state.accounts[&id("warm")].signer_list.clone().unwrap();
        list.quorum = treasury_core::units::Weight(quorum);
        list.entries = names.iter().map(|name| (id(name), 1)).collect();
        w.change(vec![Change::SignerList { account: id("warm"), list: Some(list) }]);
        found(&w, FindingKind::FewSigners).len()
    };
    assert_eq!(few(&["alice", "bob", "carol"], 3, 3), 0, "all who were declared");
    assert_eq!(few(&["alice", "bob", "carol"], 3, 4), 1);
    assert_eq!(few(&["alice", "bob", "carol"], 2, 4), 0, "without one, two are enough");
    assert_eq!(few(&["alice", "bob"], 2, 4), 1);
}

#[test]
fn an_agent_whose_key_is_lost_may_be_one_too_many() {
    let mut w = World::new();
    let mut list = w.state.accounts[&id("hot")].signer_list.clone().unwrap();
    list.entries.retain(|signer, _| [id("alice"), id(AGENTS[0]), id(AGENTS[1])].contains(signer));
    w.change(vec![Change::SignerList { account: id("hot"), list: Some(list) }]);
    assert_eq!(found(&w, FindingKind::FewSigners), []);
    w.lift_all();
    w.without_key.insert(AGENTS[0]);
    w.propose("hot", 50);
    let seen = found(&w, FindingKind::FewSigners);
    assert!(seen.len() == 1 && seen[0].0 == id("hot"), "{seen:?}");
    assert!(seen[0].1.contains("weight 2 of the declared 6"), "{seen:?}");
    // It signs again, and is lost again as it was: that is found again.
    for (is_lost, times) in [(false, 1), (true, 2)] {
        w.lift_all();
        if is_lost {
            w.without_key.insert(AGENTS[0])
        } else {
            w.without_key.remove(AGENTS[0])
        };
        w.propose("hot", 50);
        assert_eq!(found(&w, FindingKind::FewSigners).len(), times, "{is_lost}");
    }
}
