//! What policy asks for: of every rule that matches, the strictest of each.

use std::collections::BTreeSet;

use crate::world::{PEOPLE, World, XRP, amount, config, id};
use proptest::prelude::*;
use treasury_core::Event;
use treasury_core::command::{Answer, Command, Propose};
use treasury_core::config::Role;
use treasury_core::decide::outflow;
use treasury_core::intent::Asker;
use treasury_core::multisign::tally;
use treasury_core::observe::{Change, SignerListView};
use treasury_core::policy::{
    Action, Approvers, Decision, Delay, DestinationMatch, Obligations, Outflow, Per, Policy, Rolling, Rule,
};
use treasury_core::units::{AccountId, Amount, Drops, Hash256, ProposalId, Weight};

const HOUR: u32 = 3_600;

fn approvers(weight: u32, role: Role) -> Approvers {
    Approvers { weight: Weight(weight), roles: BTreeSet::from([role]), ..Default::default() }
}

fn delay(delay_seconds: u32, window_seconds: u32, weight: u32) -> Action {
    Action::Delay { delay_seconds, window_seconds, approvers: approvers(weight, Role::Approver) }
}

/// A rule for payments above so many XRP.
fn above(name: &str, xrp: u64, action: Action) -> Rule {
    Rule { amount_above: (xrp > 0).then(|| amount(xrp * XRP)), ..Rule::new(name, action) }
}

fn world(rules: Vec<Rule>) -> World {
    let mut config = config();
    config.policy = Policy::new(rules);
    World::with(config)
}

fn decided(w: &World, p: ProposalId) -> &Decision {
    &w.proposal(p).decision
}

#[test]
fn what_every_rule_that_matches_asks_for_holds() {
    let new = Rule {
        destination: Some(DestinationMatch::New),
        ..above("new", 0, Action::Approve(approvers(1, Role::Security)))
    };
    let mut w = world(vec![
        above("any", 0, Action::Allow),
        above("two", 100, Action::Approve(approvers(2, Role::Approver))),
        new,
        above("wait", 1_000, delay(24 * HOUR, HOUR, 1)),
        above("wait longer", 2_000, delay(48 * HOUR, HOUR / 2, 1)),
    ]);
    let p = w.propose("warm", 50);
    assert_eq!(decided(&w, p).rules, ["any", "new"]);
    let security = approvers(1, Role::Security);
    assert_eq!(decided(&w, p).obligations.approvals, std::slice::from_ref(&security));
    let p = w.propose("warm", 3_000);
    assert_eq!(decided(&w, p).rule(), "any, two, new, wait, wait longer");
    let obligations = &decided(&w, p).obligations;
    assert_eq!(obligations.delay, Some(Delay { delay_seconds: 48 * HOUR, window_seconds: HOUR }));
    // Whoever brings the two has brought the one that the delays ask for.
    assert_eq!(obligations.approvals, [approvers(2, Role::Approver), security]);
    assert_eq!(obligations.word(), "delay");
}

#[test]
fn people_of_each_demand_sign_before_anything_leaves() {
    let mut w = world(vec![
        above("two", 0, Action::Approve(approvers(2, Role::Approver))),
        above("security", 100, Action::Approve(approvers(1, Role::Security))),
    ]);
    let p = w.propose("warm", 500);
    for person in ["alice", "bob", "carol"] {
        w.approve(person, p).unwrap();
        assert_eq!(w.word(p), "collecting", "after {person}");
    }
    let waits = w.waits(p);
    assert!(
        waits.iter().any(|wait| wait.contains("of role approver 3 of 2, of role security 0 of 1")),
        "{waits:?}"
    );
    w.approve("dave", p).unwrap();
    assert_eq!(w.word(p), "in_flight");
    let signers: Vec<_> = w.sent()[0].object().array(xrpl_wire::sf::Signers).unwrap_or_default().to_vec();
    assert_eq!(signers.len(), 3, "two approvers and security, and nobody too many");
}

/// Two of three people, whoever else signs and however much the others weigh.
fn two_of_three() -> Approvers {
    let people = ["bob", "carol", "dave"].map(str::to_owned).into();
    Approvers { signatures: 2, people, ..Default::default() }
}

#[test]
fn so_many_of_the_people_who_are_named_sign_whatever_their_roles_and_weights() {
    let mut config = config();
    config.policy = Policy::new(vec![above("two of three", 0, Action::Approve(two_of_three()))]);
    let warm = config.accounts.get_mut(&id("warm")).unwrap();
    warm.signers.as_mut().unwrap().entries.insert(id("bob"), 9);
    let mut w = World::with(config);
    let p = w.propose("warm", 500);
    for person in ["alice", "bob"] {
        w.approve(person, p).unwrap();
        assert_eq!(w.word(p), "collecting", "after {person}: bob is one, though he weighs nine");
    }
    let waits = w.waits(p);
    assert!(waits.iter().any(|wait| wait.contains("of bob or carol or dave 1 of 2 signatures")), "{waits:?}");
    w.approve("dave", p).unwrap();
    assert_eq!(w.word(p), "in_flight", "dave is no approver by role, and is named");
    let signers: Vec<_> = w.sent()[0].object().array(xrpl_wire::sf::Signers).unwrap_or_default().to_vec();
    assert_eq!(signers.len(), 2, "alice's signature costs a fee and is not needed");
}

#[test]
fn who_is_named_and_speaks_against_it_can_end_it() {
    let mut w = world(vec![above("two of three", 0, Action::Approve(two_of_three()))]);
    let p = w.propose("warm", 500);
    for (person, status) in [("bob", "collecting"), ("carol", "rejected")] {
        w.command(person, Command::Reject { proposal: p, reason: String::new() }).unwrap();
        assert_eq!(w.word(p), status, "after {person}");
    }
}

#[test]
fn who_is_named_and_asks_is_not_counted_where_the_asker_is_left_out() {
    let people = ["alice", "bob"].map(str::to_owned).into();
    let asked = Approvers { signatures: 1, people, exclude_asker: true, ..Default::default() };
    let mut w = world(vec![above("one other", 0, Action::Approve(asked))]);
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    w.approve("carol", p).unwrap();
    assert_eq!(w.word(p), "collecting", "alice asked, and carol is not named");
    w.approve("bob", p).unwrap();
    assert_eq!(w.word(p), "in_flight");
}

#[test]
fn a_role_beside_names_narrows_them() {
    let people = ["alice", "dave"].map(str::to_owned).into();
    let roles = BTreeSet::from([Role::Security]);
    let asked = Approvers { signatures: 1, people, roles, ..Default::default() };
    assert_eq!(asked.words(), "1 of alice or dave, as security, signs");
    let mut w = world(vec![above("security", 0, Action::Approve(asked))]);
    let p = w.propose("warm", 500);
    for person in ["alice", "bob", "carol"] {
        w.approve(person, p).unwrap();
        assert_eq!(w.word(p), "collecting", "after {person}");
    }
    w.approve("dave", p).unwrap();
    assert_eq!(w.word(p), "in_flight");
}

#[test]
fn a_demand_for_nobody_is_not_waited_for_in_words() {
    let mut w = world(vec![
        above("two", 0, Action::Approve(approvers(2, Role::Approver))),
        above("nobody", 0, Action::Approve(approvers(0, Role::Security))),
    ]);
    let p = w.propose("warm", 500);
    let waits = w.waits(p);
    assert!(waits.contains(&"signatures: weight 0 of 2, of role approver 0 of 2".to_owned()), "{waits:?}");
}

#[test]
fn when_those_of_one_demand_speak_against_it_the_proposal_ends() {
    let mut w = world(vec![
        above("two", 0, Action::Approve(approvers(2, Role::Approver))),
        above("security", 0, Action::Approve(approvers(1, Role::Security))),
    ]);
    let p = w.propose("warm", 500);
    w.command("dave", Command::Reject { proposal: p, reason: String::new() }).unwrap();
    assert_eq!(w.word(p), "rejected", "nobody else is of security");
}

#[test]
fn a_denial_outranks_every_other_answer_wherever_it_stands() {
    let exchange = DestinationMatch::Accounts(vec![id("shop")]);
    let listed = Rule { destination: Some(exchange), ..above("listed", 0, Action::Deny) };
    for rules in [
        vec![above("any", 0, Action::Allow), listed.clone()],
        vec![listed.clone(), above("any", 0, Action::Allow)],
    ] {
        let mut w = world(rules);
        let p = w.propose("warm", 5);
        assert_eq!(w.word(p), "denied");
        assert!(decided(&w, p).obligations.deny);
    }
}

#[test]
fn what_no_rule_matches_is_denied() {
    let mut w = world(vec![above("more", 100, Action::Allow)]);
    let p = w.propose("warm", 100);
    assert_eq!((w.word(p), decided(&w, p).rule()), ("denied", "no match".to_owned()));
    let q = w.propose("warm", 101);
    assert_eq!(decided(&w, q).rules, ["more"]);
}

#[test]
fn bands_meet_without_a_gap_and_without_a_drop_in_both() {
    let mut w = World::new();
    let ask = |w: &mut World, drops: u64| {
        let propose = Propose {
            account: id("warm"),
            destination: id("exchange"),
            destination_tag: None,
            amount: amount(drops),
            note: String::new(),
            deadline_seconds: None,
            idempotency_key: None,
            inquiry: Default::default(),
        };
        w.command("alice", Command::Propose(propose)).unwrap();
        let (_, last) = w.state.proposals.last_key_value().unwrap();
        last.decision.rule()
    };
    assert_eq!(ask(&mut w, 100 * XRP), "small");
    assert_eq!(ask(&mut w, 100 * XRP + 1), "middling");
    assert_eq!(ask(&mut w, 5_000 * XRP), "large");
    assert_eq!(ask(&mut w, 5_000 * XRP + 1), "no match");
}

#[test]
fn a_rule_asks_for_more_beyond_a_sum_of_a_day() {
    let beyond = Rolling {
        period_seconds: 24 * HOUR,
        per: Per::Account,
        amount_above: Some(amount(100 * XRP)),
        amount_max: None,
    };
    let busy =
        Rule { rolling: Some(beyond), ..above("busy", 0, Action::Approve(approvers(1, Role::Approver))) };
    let mut w = world(vec![above("any", 0, Action::Allow), busy]);
    let p = w.propose("warm", 60);
    assert_eq!(decided(&w, p).rules, ["any"]);
    let q = w.propose("warm", 40);
    assert_eq!(decided(&w, q).rules, ["any"], "a hundred is not beyond a hundred");
    let r = w.propose("warm", 1);
    assert_eq!(decided(&w, r).rules, ["any", "busy"]);
}

#[test]
fn amounts_of_another_asset_match_no_band() {
    let euros = "1000 EUR.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B";
    let euros = treasury_core::units::Amount::from_words(euros).unwrap();
    let rule = above("euros", 0, Action::Allow);
    let bands = [
        Rule { amount_max: Some(euros), ..rule.clone() },
        Rule { amount_min: Some(euros.issue().nothing()), ..rule.clone() },
        Rule { amount_above: Some(euros.issue().nothing()), ..rule.clone() },
        Rule {
            rolling: Some(Rolling {
                period_seconds: HOUR,
                per: Per::Account,
                amount_above: None,
                amount_max: Some(euros),
            }),
            ..rule
        },
    ];
    for band in bands {
        let mut w = world(vec![band]);
        let p = w.propose("warm", 5);
        assert_eq!(decided(&w, p).rule(), "no match");
    }
}

#[test]
fn obligations_of_a_decision_made_by_an_earlier_version_are_the_same() {
    let earlier = r#"{"rule":"large","policy_hash":"0000000000000000000000000000000000000000000000000000000000000007",
        "action":{"action":"delay","delay_seconds":5,"window_seconds":7,"approvers":{"weight":2,"roles":["approver"]}},
        "inputs":{"destination_known":true,"outflows":[[60,"5"]],"at":9}}"#;
    let decision: Decision = serde_json::from_str(earlier).unwrap();
    assert_eq!(decision.rules, ["large"]);
    assert_eq!(decision.obligations, Obligations::of([&delay(5, 7, 2)]));
    let again = serde_json::to_string(&decision).unwrap();
    assert_eq!(serde_json::from_str::<Decision>(&again).unwrap(), decision);
    let both = again.replace("\"rules\"", "\"rule\":\"small\",\"rules\"");
    assert!(serde_json::from_str::<Decision>(&both).is_err(), "{both}");
}

#[test]
fn what_asks_for_more_than_before_is_stricter_and_what_asks_for_less_is_not() {
    let of = |actions: Vec<Action>| Obligations::of(&actions);
    let two = Action::Approve(approvers(2, Role::Approver));
    let one = Action::Approve(approvers(1, Role::Approver));
    let security = Action::Approve(approvers(1, Role::Security));
    let others = Action::Approve(Approvers { exclude_asker: true, ..approvers(1, Role::Approver) });
    let day = delay(24 * HOUR, HOUR, 1);
    let rising: [Vec<Action>; 6] = [
        vec![Action::Allow],
        vec![one.clone()],
        vec![two.clone()],
        vec![two.clone(), security.clone()],
        vec![two.clone(), security.clone(), day.clone()],
        vec![Action::Deny],
    ];
    for (at, less) in rising.iter().enumerate() {
        for (and, more) in rising.iter().enumerate() {
            assert_eq!(
                of(more.clone()).is_stricter_than(&of(less.clone())),
                and > at,
                "{more:?} after {less:?}"
            );
        }
    }
    assert!(of(vec![others.clone()]).is_stricter_than(&of(vec![one.clone()])), "it excludes who asks");
    assert!(!of(vec![one]).is_stricter_than(&of(vec![others])));
    assert!(of(vec![security]).is_stricter_than(&of(vec![two])), "other people");
    assert!(of(vec![delay(25 * HOUR, HOUR, 1)]).is_stricter_than(&of(vec![day])));
}

fn pay(w: &mut World, from: &str, amount: Amount) -> ProposalId {
    let propose = Propose { amount, ..w.payment(from, 1) };
    match w.command("alice", Command::Propose(propose)).unwrap() {
        Answer::Proposed { proposal } => proposal,
        other => panic!("{other:?}"),
    }
}

fn tickets(w: &mut World, account: &str, there: bool) {
    let account = id(account);
    let changes = (11..=20).map(|ticket| match there {
        true => Change::TicketCreated { account, ticket },
        false => Change::TicketDeleted { account, ticket },
    });
    w.change(changes.collect());
}

#[test]
fn who_asked_does_not_approve_under_another_name_where_others_have_to() {
    let mut config = config();
    let others = Approvers { exclude_asker: true, ..approvers(1, Role::Approver) };
    config.policy = Policy::new(vec![above("others", 0, Action::Approve(others))]);
    let mut w = World::with(config);
    let p = w.propose("warm", 500);
    w.approve("dave", p).unwrap();
    w.approve("alice", p).unwrap();
    let mut renamed = w.config.people.remove("alice").unwrap();
    renamed.name = "alicia".to_owned();
    w.config.people.insert("alicia".to_owned(), renamed);
    w.jump(10);
    assert_eq!(w.word(p), "collecting");
    assert!(w.sent().is_empty());
}

#[test]
fn a_sum_that_cannot_be_written_matches_no_rule_of_another_asset() {
    let mut config = config();
    let euros = Some(Amount::from_words("1 EUR.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B").unwrap());
    let beyond = Rolling { period_seconds: HOUR, per: Per::Account, amount_above: euros, amount_max: None };
    let all = Amount::Xrp(Drops::MAX);
    config.policy = Policy::new(vec![
        Rule { amount_min: Some(all), ..above("all", 0, Action::Approve(approvers(1, Role::Approver))) },
        Rule { rolling: Some(beyond), ..above("many euros", 0, Action::Allow) },
    ]);
    let mut w = World::with(config);
    let p = pay(&mut w, "warm", all);
    assert_eq!(w.proposal(p).decision.rules, ["all"]);
    let q = pay(&mut w, "warm", amount(5 * XRP));
    assert_eq!(w.proposal(q).decision.rule(), "no match");
}

#[test]
fn what_no_account_can_have_beside_its_reserve_is_not_sent() {
    let mut config = config();
    config.policy = Policy::new(vec![above("any", 0, Action::Allow)]);
    let mut w = World::with(config);
    let p = pay(&mut w, "warm", Amount::Xrp(Drops::MAX));
    assert!(w.waits(p).iter().any(|wait| wait.contains("keep its reserve")), "{:?}", w.waits(p));
    assert!(w.sent().is_empty());
}

#[test]
fn a_draft_of_which_a_new_policy_asks_something_else_keeps_what_was_asked_of_it_before() {
    let mut w = World::new();
    tickets(&mut w, "warm", false);
    let p = w.propose("warm", 2_000);
    let before = w.proposal(p).decision.obligations.clone();
    assert_eq!(before.delay, Some(Delay { delay_seconds: 48 * HOUR, window_seconds: 24 * HOUR }));
    let security = approvers(1, Role::Security);
    w.config.policy = Policy::new(vec![above("security", 0, Action::Approve(security.clone()))]);
    tickets(&mut w, "warm", true);
    let decision = &w.proposal(p).decision;
    assert_eq!(decision.policy_hash, w.config.policy.hash());
    assert!(decision.obligations.approvals.contains(&security), "{decision:?}");
    assert!(!before.is_stricter_than(&decision.obligations), "{decision:?}");
    w.approve("dave", p).unwrap();
    w.approve("alice", p).unwrap();
    assert_eq!(w.word(p), "collecting", "one of the two approvers is missing");
    w.approve("bob", p).unwrap();
    assert_eq!(w.settle()[0].tx_type().name(), "EscrowCreate");
}

#[test]
fn what_an_earlier_version_let_pass_is_asked_about_again_where_every_rule_counts_by_now() {
    let mut config = config();
    let two = approvers(2, Role::Approver);
    config.policy = Policy::new(vec![above("any", 0, Action::Allow), above("two", 0, Action::Approve(two))]);
    let mut w = World::with(config);
    // Of such a table earlier versions read no further than its first rule.
    let hash = earlier_hash(&w.config.policy);
    let earlier = format!(
        r#"{{"rule":"any","policy_hash":"{hash}","action":{{"action":"allow"}},
            "inputs":{{"destination_known":false,"outflows":[],"at":800000000}}}}"#
    );
    tickets(&mut w, "warm", false);
    let p = w.propose("warm", 500);
    let decision: Decision = serde_json::from_str(&earlier).unwrap();
    w.record(Event::Redecided { proposal: p, decision });
    tickets(&mut w, "warm", true);
    assert!(w.sent().is_empty(), "agents have sent it");
    assert_eq!(w.proposal(p).decision.rule(), "any, two");
}

/// Names a table as the versions did of which its first rule that matched decided.
fn earlier_hash(policy: &Policy) -> Hash256 {
    let text = serde_json::to_value(policy.rules()).unwrap().to_string();
    xrpl_wire::sha512_half(&[b"treasuryd policy", text.as_bytes()])
}

fn any_approvers() -> impl Strategy<Value = Approvers> {
    let role = prop::sample::select(vec![Role::Proposer, Role::Approver, Role::Security]);
    let roles = prop::collection::btree_set(role, 1..3);
    let people = prop::collection::btree_set(prop::sample::select(PEOPLE.to_vec()), 0..4);
    let named = (roles, people, any::<bool>());
    (0_u32..5, 0_u32..4, named, any::<bool>()).prop_map(
        |(weight, signatures, (roles, people, any_role), exclude_asker)| Approvers {
            weight: Weight(weight),
            signatures,
            // Only where people are named may the roles be left out.
            roles: if any_role && !people.is_empty() { BTreeSet::new() } else { roles },
            people: people.into_iter().map(str::to_owned).collect(),
            exclude_asker,
        },
    )
}

proptest! {
    #[test]
    fn who_satisfies_what_was_merged_has_satisfied_each_rule_and_who_satisfies_each_has_satisfied_that(
        demands in prop::collection::vec(any_approvers(), 1..5),
        before in prop::collection::vec(any_approvers(), 0..4),
        weights in prop::collection::vec(1_u16..4, 4),
        signed in prop::sample::subsequence(PEOPLE.to_vec(), 0..=4),
        asker in prop::sample::select(PEOPLE.to_vec()),
    ) {
        let config = config();
        let entries = PEOPLE.iter().map(|name| id(name)).zip(weights).collect();
        let list = SignerListView { quorum: Weight(1), entries };
        let signers: Vec<AccountId> = signed.iter().map(|name| id(name)).collect();
        let asker = Asker::Person(asker.to_owned());
        let suffice = |demands: &[Approvers]| tally(&config, &list, demands, &asker, signers.iter()).suffices();
        let of = |demands: &[Approvers]| {
            Obligations::of(&demands.iter().cloned().map(Action::Approve).collect::<Vec<_>>())
        };
        let (now, before) = (of(&demands), of(&before));
        prop_assert_eq!(suffice(&now.approvals), suffice(&demands));
        if !now.is_stricter_than(&before) && suffice(&before.approvals) {
            prop_assert!(suffice(&now.approvals), "{:?} is stricter than {:?}", now, before);
        }
        let both = now.and(&before);
        prop_assert_eq!(suffice(&both.approvals), suffice(&now.approvals) && suffice(&before.approvals));
        prop_assert!(!now.is_stricter_than(&both) && !before.is_stricter_than(&both));
    }
}

#[test]
fn a_sum_that_many_rules_look_at_is_recorded_once_and_is_what_they_would_each_have_counted() {
    let periods = [HOUR, 24 * HOUR, HOUR, 7 * 24 * HOUR, 24 * HOUR, HOUR];
    let rules = (0_u32..).zip(periods).map(|(number, period_seconds)| {
        let beyond = Rolling {
            period_seconds,
            per: Per::Account,
            amount_above: Some(amount(number.into())),
            amount_max: None,
        };
        Rule { rolling: Some(beyond), ..above(&format!("{number}"), 0, Action::Allow) }
    });
    let mut w = world(rules.collect());
    let open = [w.propose("warm", 30), w.propose("warm", 12)];
    let last = w.propose("warm", 5);
    // What is promised counts in every period.
    let counted: Amount = amount(42 * XRP);
    assert_eq!(open.map(|p| decided(&w, p).rules.len()), [6, 6]);
    let expected = [HOUR, 24 * HOUR, 7 * 24 * HOUR].map(|period| Outflow::Account(period, counted));
    assert_eq!(decided(&w, last).inputs.outflows, expected);
    for period in periods {
        let without = Some(last);
        let out = outflow(&w.state, id("warm"), counted.issue(), w.state.now(), period, without);
        assert_eq!(out, counted);
    }
}
