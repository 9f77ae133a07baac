//! What people ask of a policy before they make it the one that decides: what would happen to a payment and why, what
//! would have happened to those of the past, and what of the table nobody may have meant.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::world::{World, XRP, amount, config, id};
use treasury_core::analysis::analyse;
use treasury_core::command::Command;
use treasury_core::config::{Role, Tier};
use treasury_core::decide::Question;
use treasury_core::example::UNNAMED;
use treasury_core::explain::{Explanation, explain};
use treasury_core::intent::{Asker, Intent, IntentKind, Pay};
use treasury_core::list::List;
use treasury_core::matching::Matcher;
use treasury_core::policy::{
    Action, Approvers, Count, DestinationMatch, PaidFor, Per, Policy, RiskBand, Rolling, Rule, Times, Zone,
};
use treasury_core::replay::{Replayed, replay};
use treasury_core::state::Archived;
use treasury_core::units::{Asset, ProposalId, RippleTime, Weight};

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

fn two() -> Action {
    Action::Approve(Approvers {
        weight: Weight(2),
        roles: BTreeSet::from([Role::Approver]),
        exclude_asker: false,
        ..Default::default()
    })
}

fn any() -> Rule {
    Rule::new("any", Action::Allow)
}

fn explained(w: &World, xrp: u64) -> Explanation {
    let intent =
        Intent::Pay(Pay { destination: id("shop"), destination_tag: None, amount: amount(xrp * XRP) });
    let asker = Asker::Person("alice".to_owned());
    explain(&w.config, Question::new(&w.config, &w.state, id("warm"), &asker, &intent, w.state.now()))
}

#[test]
fn of_each_rule_is_said_what_does_not_hold() {
    let always = Times { zone: Arc::new(Zone::utc()), weekdays: None, from_minute: 0, until_minute: 1_440 };
    let never = Times { from_minute: 0, until_minute: 1, ..always.clone() };
    let lists = |name: &str| Some(BTreeSet::from([name.to_owned()]));
    let sum = |most| Rolling {
        period_seconds: HOUR,
        per: Per::Asker,
        amount_above: None,
        amount_max: Some(amount(most)),
    };
    let nothing = Rule {
        askers: Some(vec![Asker::Daemon]),
        asker_roles: Some(BTreeSet::from([Role::Admin])),
        accounts: Some(vec![id("hot")]),
        tiers: Some(BTreeSet::from([Tier::Hot])),
        kinds: Some(vec![IntentKind::Move]),
        assets: Some([UNNAMED].into()),
        amount_above: Some(amount(70 * XRP)),
        amount_min: Some(amount(60 * XRP)),
        amount_max: Some(amount(XRP)),
        destination: Some(DestinationMatch::Known),
        listed: lists("staff"),
        unlisted: lists("shops"),
        paid_for: Some(PaidFor { least_seconds: Some(DAY), below_seconds: None }),
        during: Some(never),
        outside: Some(always),
        rolling: Some(sum(5)),
        count: Some(Count { period_seconds: HOUR, per: Per::Account, above: Some(3), max: None }),
        risk: Some(RiskBand { above: Some(40), max: Some(60) }),
        ..Rule::new("nothing", Action::Deny)
    };
    let mut config = config();
    let on = [List::new("shops", vec![id("shop")], None), List::new("staff", vec![], None)];
    config.policy = Policy::new(vec![any(), nothing]).with_lists(on);
    let w = World::with(config);
    let explanation = explained(&w, 50);
    assert_eq!((explanation.decision.rule(), explanation.rules[0].matches()), ("any".to_owned(), true));
    let misses = &explanation.rules[1].misses;
    let keys: BTreeSet<&str> = misses.iter().map(|miss| miss.key).collect();
    assert_eq!(keys, Matcher::ALL.iter().map(|matcher| matcher.key()).collect());
    let why = |key: &str| &misses.iter().find(|miss| miss.key == key).unwrap().why;
    for (key, expected) in [
        ("askers", "alice asks, and the rule is for treasuryd"),
        ("asker_roles", "alice has none of the roles, and the rule is for admin"),
        ("accounts", "warm pays, and the rule is for hot"),
        ("tiers", "the account is of the warm tier, and the rule is for hot"),
        ("kinds", "it is a pay, and the rule is for move"),
        ("assets", "it is of XRP, and the rule is for 1.rrrrrrrrrrrrrrrrrrrrBZbvji"),
        ("amount_max", "the amount is 50 XRP, and the rule is for up to 1 XRP"),
        ("paid_for", "it was never paid, and the rule is for at least 86400 s"),
        ("unlisted", "the destination is on shops, and the rule is for none of shops"),
        ("count", "it would be payment 1 within 3600 s by account, and the rule is for more than 3"),
        ("rolling", "within 3600 s it would be 50 XRP by asker, and the rule is for up to 0.000005 XRP"),
        ("risk", "its risk is 30, and the rule is for above 40 and up to 60"),
        ("during", "it is thu 06:13 in UTC, and the rule is for 00:00 to 00:01 on every day"),
    ] {
        assert_eq!(why(key), expected);
    }
}

/// What an explanation shows is what happens.
#[test]
fn what_is_explained_is_what_is_then_decided() {
    let mut w = World::new();
    for xrp in [50, 100, 101, 1_000, 1_001, 5_000, 5_001] {
        let explanation = explained(&w, xrp);
        let p = w.propose("warm", xrp);
        assert_eq!(explanation.decision, w.proposal(p).decision);
        let matching = explanation.rules.iter().filter(|rule| rule.matches());
        let names: Vec<&str> = matching.map(|rule| rule.rule.as_str()).collect();
        let decided = w.proposal(p).decision.rule();
        assert_eq!(if names.is_empty() { "no match".to_owned() } else { names.join(", ") }, decided);
    }
}

fn history(w: &World) -> Vec<Archived> {
    let proposals = w.state.proposals.values().map(|proposal| {
        let made = proposal.release_inputs().map(|inputs| inputs.escrow);
        Archived {
            proposal: proposal.clone(),
            escrow: made.and_then(|key| w.state.escrows.get(&key).cloned()),
        }
    });
    w.archived.values().cloned().chain(proposals).collect()
}

fn replayed(w: &World, rules: Vec<Rule>, since: RippleTime) -> Replayed {
    replay(&w.config, &Policy::new(rules), &history(w), since)
}

#[test]
fn under_the_same_policy_nothing_would_have_been_otherwise() {
    let mut w = World::new();
    let beyond = Rolling {
        period_seconds: DAY,
        per: Per::Account,
        amount_above: Some(amount(60 * XRP)),
        amount_max: None,
    };
    let mut rules = w.config.policy.rules().to_vec();
    rules.push(Rule { rolling: Some(beyond), ..Rule::new("busy", two()) });
    let often = Count { period_seconds: DAY, per: Per::Destination, above: Some(3), max: None };
    rules.push(Rule { count: Some(often), ..Rule::new("often", two()) });
    let new = PaidFor { least_seconds: None, below_seconds: Some(DAY) };
    rules.push(Rule { paid_for: Some(new), amount_above: Some(amount(80 * XRP)), ..Rule::new("new", two()) });
    w.config.policy = Policy::new(rules.clone());
    for xrp in [10, 20, 30, 90, 2_000, 6_000, 1] {
        w.propose("warm", xrp);
        w.settle();
        w.jump(7 * HOUR);
    }
    let replayed = replayed(&w, rules, RippleTime(0));
    assert_eq!(replayed.changed, [], "of {:?}", replayed.sums);
    assert_eq!(replayed.sums.values().map(|sum| sum.count).sum::<u64>(), 7);
}

#[test]
fn what_would_have_been_otherwise_is_counted_with_its_money() {
    let mut w = World::new();
    let p = w.propose("warm", 50);
    w.settle();
    let q = w.propose("warm", 60);
    w.settle();
    let denied = w.propose("warm", 9_000);
    let withdrawn = w.propose("warm", 500);
    w.command("alice", Command::Withdraw { proposal: withdrawn }).unwrap();
    let later = w.state.now();
    w.jump(60);
    let late = w.propose("warm", 55);
    let rules = vec![any(), Rule { amount_above: Some(amount(50 * XRP)), ..Rule::new("more", two()) }];
    let all = replayed(&w, rules.clone(), RippleTime(0));
    let ids: Vec<ProposalId> = all.changed.iter().map(|changed| changed.proposal).collect();
    assert_eq!(ids, [q, denied, late]);
    assert!(!ids.contains(&p) && !ids.contains(&withdrawn), "two for what asked for two");
    let sum = &all.sums[&("allow", "approve")];
    assert_eq!((sum.count, sum.money[&Asset::Xrp]), (2, amount(115 * XRP)));
    assert_eq!(all.sums[&("deny", "approve")].money[&Asset::Xrp], amount(9_000 * XRP));
    let [first, freed, _] = &all.changed[..] else { panic!("{all:?}") };
    assert_eq!((first.words, first.stricter, first.left), (("allow", "approve"), true, true));
    assert_eq!((first.was.as_str(), first.would.as_str()), ("small", "any, more"));
    assert_eq!((freed.words, freed.stricter, freed.left), (("deny", "approve"), false, false));
    let recent = replayed(&w, rules, RippleTime(later.0 + 1));
    assert_eq!(recent.changed.len(), 1);
}

/// Rules that never match, those that change nothing and what covers them, and the number of gaps.
type Analysed = (Vec<String>, Vec<(String, Option<String>)>, usize);

fn analysed(rules: Vec<Rule>) -> Analysed {
    let analysis = analyse(&config(), &Policy::new(rules), RippleTime(800_000_000)).unwrap();
    (analysis.unreachable, analysis.covered, analysis.gaps.len())
}

#[test]
fn a_rule_that_can_never_match_is_unreachable() {
    let by_bob = Rule { askers: Some(vec![Asker::Person("bob".to_owned())]), ..Rule::new("bob", two()) };
    let own = Rule { amount_max: Some(amount(5)), ..any() };
    let sum =
        Rolling { period_seconds: HOUR, per: Per::Account, amount_above: None, amount_max: Some(amount(4)) };
    let less = Rule { amount_above: Some(amount(4)), rolling: Some(sum), ..Rule::new("less", two()) };
    let (unreachable, covered, gaps) = analysed(vec![any(), by_bob, less, own]);
    assert_eq!(unreachable, ["bob", "less"], "bob may not propose, and no sum is less than its part");
    assert_eq!(covered, [("any".to_owned(), Some("any".to_owned()))]);
    assert_eq!(gaps, 0);
}

#[test]
fn a_rule_is_covered_where_another_asks_for_as_much_wherever_it_matches() {
    let some = Rule { amount_above: Some(amount(5)), ..Rule::new("some", two()) };
    let all = Rule::new("all", two());
    let wait = Action::Delay {
        delay_seconds: DAY,
        window_seconds: DAY,
        approvers: Approvers {
            weight: Weight(2),
            roles: BTreeSet::from([Role::Approver]),
            exclude_asker: false,
            ..Default::default()
        },
    };
    let (_, covered, _) = analysed(vec![all.clone(), some.clone()]);
    assert_eq!(covered, [("some".to_owned(), Some("all".to_owned()))]);
    let delayed = Rule { amount_above: Some(amount(5)), ..Rule::new("delayed", wait) };
    let (_, covered, _) = analysed(vec![all.clone(), delayed]);
    assert_eq!(covered, []);
    let (_, covered, _) = analysed(vec![all, Rule { void: true, ..some.clone() }]);
    assert_eq!(covered, [], "it asks for a void");
    let security = Rule::new(
        "security",
        Action::Approve(Approvers {
            weight: Weight(1),
            roles: BTreeSet::from([Role::Security]),
            exclude_asker: false,
            ..Default::default()
        }),
    );
    let (_, covered, _) = analysed(vec![some, security]);
    assert_eq!(covered, []);
}

#[test]
fn what_falls_to_the_default_denial_is_shown_by_examples() {
    let low = Rule { amount_max: Some(amount(5)), ..any() };
    let high = Rule { amount_above: Some(amount(7)), ..Rule::new("high", Action::Deny) };
    let config = config();
    let policy = Policy::new(vec![low, high]);
    let analysis = analyse(&config, &policy, RippleTime(800_000_000)).unwrap();
    let shown: Vec<String> = analysis.gaps.iter().map(|gap| gap.words(&config)).collect();
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].starts_with("alice asks to pay 0.000006 XRP from "), "{shown:?}");
}

/// Danger: what a policy would have said of the past is judged by sums that never end, or by none.
#[test]
fn in_the_past_a_payment_counts_from_when_it_was_asked_for_until_its_period_is_over_or_it_came_to_nothing() {
    let day = Rolling {
        period_seconds: DAY,
        per: Per::Account,
        amount_above: Some(amount(100 * XRP)),
        amount_max: None,
    };
    let rules = || vec![any(), Rule { rolling: Some(day), ..Rule::new("busy", two()) }];
    let changed = |w: &World| {
        let changed = replayed(w, rules(), RippleTime(0)).changed;
        changed.into_iter().map(|changed| changed.proposal).collect::<Vec<_>>()
    };
    let mut config = config();
    config.policy = Policy::new(vec![any()]);
    let world = || World::with(config.clone());
    // Paid, and within a day of another; and after it.
    let mut w = world();
    w.propose("hot", 60);
    w.settle();
    w.jump(DAY / 2);
    let busy = w.propose("hot", 70);
    w.settle();
    w.jump(2 * DAY);
    w.propose("hot", 80);
    w.settle();
    assert_eq!(changed(&w), [busy]);
    // Failed: nothing of it left.
    let mut w = world();
    w.propose("hot", 60);
    let sent = w.sent();
    w.close_at(4, &sent, "tecUNFUNDED_PAYMENT");
    w.propose("hot", 70);
    w.settle();
    assert_eq!(changed(&w), []);
    // Asked for and withdrawn: it counts as long as somebody could send it.
    let mut w = world();
    w.command("dave", Command::Freeze { account: None, reason: "look".to_owned() }).unwrap();
    let p = w.propose("hot", 60);
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    let meanwhile = w.propose("hot", 70);
    w.command("alice", Command::Withdraw { proposal: meanwhile }).unwrap();
    w.jump(DAY / 2);
    let later = w.propose("hot", 80);
    w.command("alice", Command::Withdraw { proposal: later }).unwrap();
    assert_eq!(changed(&w), [meanwhile]);
}

#[test]
fn in_the_past_a_destination_is_known_by_what_an_escrow_brought_it() {
    let new = PaidFor { least_seconds: None, below_seconds: Some(HOUR) };
    let rules = vec![any(), Rule { paid_for: Some(new), ..Rule::new("new", two()) }];
    let mut w = World::new();
    w.propose("hot", 10);
    let (_, key) = w.escrow();
    w.jump(50 * HOUR);
    w.settle();
    assert!(matches!(w.guard(key), treasury_core::state::Guard::Released { .. }));
    w.jump(2 * HOUR);
    let last = w.propose("hot", 20);
    let replayed = replayed(&w, rules, RippleTime(0));
    assert!(replayed.changed.iter().all(|changed| changed.proposal != last), "{replayed:?}");
}
