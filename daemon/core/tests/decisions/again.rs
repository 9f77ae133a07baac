//! What policy looks at, and what it says when it is asked again: each of those whom a payment concerns, and every sum
//! without the payment's own part.

use std::collections::BTreeSet;

use treasury_core::command::{Command, Propose};
use treasury_core::config::{Role, Tier};
use treasury_core::decide::{self, Question};
use treasury_core::intent::{Asker, Intent, IntentKind, Pay};
use treasury_core::list::List;
use treasury_core::observe::Change;
use treasury_core::policy::{
    Action, Approvers, Count, DestinationMatch, Outflow, Per, Policy, Rolling, Rule,
};
use treasury_core::units::{Asset, ProposalId, Weight};

use crate::commitments::link;
use crate::world::{World, XRP, amount, config, id};

const DAY: u32 = 86_400;

fn delay() -> Action {
    let roles = BTreeSet::from([Role::Approver]);
    let approvers = Approvers { weight: Weight(2), roles, ..Default::default() };
    Action::Delay { delay_seconds: 2 * DAY, window_seconds: DAY, approvers }
}

fn pay_to(to: &str, xrp: u64) -> Intent {
    Intent::Pay(Pay { destination: id(to), destination_tag: None, amount: amount(xrp * XRP) })
}

/// What a decision has asked about: sums in XRP and counts, by what.
fn asked(w: &World, p: ProposalId) -> Vec<(Per, u64)> {
    let decision = decide::again_in_escrow(&w.config, &w.state, w.proposal(p));
    let known = decision.inputs.outflows.into_iter().map(|outflow| match outflow {
        Outflow::Account(_, sum) => (Per::Account, sum.drops().unwrap().get() / XRP),
        Outflow::Sum { per, sum, .. } => (per, sum.drops().unwrap().get() / XRP),
        Outflow::Count { per, count, .. } => (per, u64::from(count)),
    });
    known.collect()
}

/// Rules that look at every sum and every count of a day, and delay whatever is asked for.
fn all_sums() -> Policy {
    let sum =
        |per| Rolling { period_seconds: DAY, per, amount_above: None, amount_max: Some(Asset::Xrp.most()) };
    let count = |per| Count { period_seconds: DAY, per, above: None, max: Some(1_000) };
    let rules = Per::ALL.into_iter().flat_map(|per| {
        [
            Rule { rolling: Some(sum(per)), ..Rule::new(format!("sum {}", per.word()), delay()) },
            Rule { count: Some(count(per)), ..Rule::new(format!("count {}", per.word()), delay()) },
        ]
    });
    Policy::new(rules.collect())
}

fn approve(w: &mut World, p: ProposalId) {
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    w.settle();
    assert_eq!(w.word(p), "validated");
}

#[test]
fn a_payment_in_an_escrow_is_no_part_of_any_sum_or_count_that_it_is_asked_about() {
    let mut w = World::with(treasury_core::Treasury { policy: all_sums(), ..config() });
    let p = w.propose("warm", 2_000);
    approve(&mut w, p);
    for (per, sum) in asked(&w, p) {
        assert_eq!(sum, 0, "{per:?}");
    }
    let other = w.propose("warm", 700);
    approve(&mut w, other);
    let expected = Per::ALL.map(|per| (per, 700));
    let counted = Per::ALL.map(|per| (per, 1));
    assert_eq!(asked(&w, p), expected.into_iter().chain(counted).collect::<Vec<_>>());
}

/// Moves are not among the payments of an asset: what they moved is not taken off these.
#[test]
fn a_move_in_an_escrow_takes_nothing_off_what_others_paid_of_its_asset() {
    let link = link("warm to hot", "warm", "hot", [1_000, 1_900, 0]);
    let mut w = World::with(treasury_core::Treasury { policy: all_sums(), ..config() });
    let paid = w.propose("cold", 5_000);
    w.approve("carol", paid).unwrap();
    approve(&mut w, paid);
    w.config.links = vec![link];
    w.change_balance("hot", 900);
    let is_move = |w: &World, p: &ProposalId| w.state.proposals[p].intent.kind() == IntentKind::Move;
    let p = *w.state.open.iter().find(|p| is_move(&w, p)).unwrap();
    approve(&mut w, p);
    let asked = asked(&w, p);
    let of = |per| asked.iter().filter(|(of, _)| *of == per).map(|(_, sum)| *sum).collect::<Vec<_>>();
    assert_eq!(of(Per::Asset), [5_000, 1]);
    for per in [Per::Account, Per::Destination, Per::Asker] {
        assert_eq!(of(per), [0, 0], "{per:?}");
    }
}

#[test]
fn a_rule_for_the_treasurys_own_accounts_is_for_these_alone() {
    let mut w = World::new();
    let rule = Rule { destination: Some(DestinationMatch::Treasury), ..Rule::new("own", Action::Allow) };
    w.config.policy = Policy::new(vec![rule]);
    w.config.destinations.insert(id("shop"), "shop".to_owned());
    for (to, rule) in [("hot", "own"), ("shop", "no match"), ("alice", "no match")] {
        let (asker, intent) = (Asker::Person("alice".to_owned()), pay_to(to, 5));
        let decision = decide::decide(&w.config, &w.state, id("warm"), &asker, &intent, w.state.now());
        assert_eq!(decision.rule(), rule, "{to}");
    }
}

/// Danger: what was known of a payment under one policy is taken for what another one says.
#[test]
fn a_question_that_is_put_to_another_policy_is_answered_by_its_lists_and_its_signs() {
    let w = World::new();
    let rule =
        Rule { listed: Some(BTreeSet::from(["watched".to_owned()])), ..Rule::new("watched", Action::Deny) };
    let weighs = |weight| treasury_core::policy::Risk {
        new_destination: Some(weight),
        ..treasury_core::policy::Risk::default()
    };
    let policy = |on: Vec<_>, weight| {
        Policy::new(vec![rule.clone(), Rule::new("any", Action::Allow)])
            .with_lists([List::new("watched", on, None)])
            .with_risk(weighs(weight))
    };
    let (one, other) = (policy(Vec::new(), 7), policy(vec![id("shop")], 9));
    let (asker, intent) = (Asker::Person("alice".to_owned()), pay_to("shop", 5));
    let config = treasury_core::Treasury { policy: one.clone(), ..config() };
    let question = || {
        let question = Question::new(&config, &w.state, id("warm"), &asker, &intent, w.state.now());
        assert_eq!(question.assess().score, 7);
        assert_eq!(treasury_core::matching::matching(&one, &question).len(), 1);
        question
    };
    assert_eq!(question().under(&other).assess().score, 9);
    assert!(question().under(&other).decide().obligations.deny);
    assert!(!question().under(&one).decide().obligations.deny);
}

#[test]
fn what_was_decided_stands_only_while_all_whom_it_concerns_are_declared_as_they_were() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let stands = |w: &World| decide::stands(&w.config, &w.state, w.proposal(p));
    assert!(stands(&w));
    let before = w.config.clone();
    w.config.accounts.get_mut(&id("warm")).unwrap().tier = Tier::Hot;
    assert!(!stands(&w), "the account is another one's");
    w.config = before.clone();
    w.config.people.get_mut("alice").unwrap().roles.insert(Role::Admin);
    assert!(!stands(&w), "who asks has another role");
    w.config = before.clone();
    let hot = before.accounts[&id("hot")].clone();
    w.config.accounts.insert(id("shop"), hot);
    w.config.destinations.insert(id("shop"), "shop".to_owned());
    assert!(!stands(&w), "the destination is the treasury's own");
    w.config = before;
    assert!(stands(&w));
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
}

/// Danger: a payment that policy allowed is denied when its Ticket comes, because others were asked for meanwhile.
#[test]
fn what_others_ask_for_since_is_no_reason_to_decide_anew() {
    let mut w = World::new();
    w.config.destinations.insert(id("exchange"), "exchange".to_owned());
    let two = Approvers { weight: Weight(2), roles: [Role::Approver].into(), ..Default::default() };
    let above = Rolling {
        period_seconds: DAY,
        per: Per::Account,
        amount_above: Some(amount(600 * XRP)),
        amount_max: None,
    };
    let new = Rule {
        destination: Some(DestinationMatch::New),
        rolling: Some(above),
        ..Rule::new("much to new ones", Action::Deny)
    };
    w.config.policy = Policy::new(vec![Rule::new("all", Action::Approve(two)), new]);
    let known = |w: &mut World, xrp: u64| {
        let payment = Propose { destination: id("exchange"), ..w.payment("warm", xrp) };
        w.command("alice", Command::Propose(payment)).unwrap();
    };
    (0..10).for_each(|_| known(&mut w, 1));
    let p = w.propose("warm", 500);
    assert_eq!(w.word(p), "drafted", "there is no Ticket left");
    known(&mut w, 400);
    w.change(vec![Change::TicketCreated { account: id("warm"), ticket: 31 }]);
    assert_eq!(w.word(p), "collecting");
    let over = w.propose("warm", 500);
    assert_eq!(w.word(over), "denied");
}
