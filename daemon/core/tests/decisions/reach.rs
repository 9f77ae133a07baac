//! How far one person gets with the policy alone: what is told keeps to the drop to what rules say, and not above it.

use treasury_core::config::{Role, Treasury};
use treasury_core::policy::{Action, Per, Policy, Rolling, Rule, Told};
use treasury_core::reach::{Payee, Reach, reach};
use treasury_core::units::{Amount, Asset};

use crate::world::{XRP, amount, config, id};

const HOUR: u32 = 3_600;
const DAY: u32 = 86_400;

fn xrp(so_many: u64) -> Amount {
    amount(so_many * XRP)
}

fn allow() -> Rule {
    Rule::new("", Action::Allow)
}

fn deny() -> Rule {
    Rule::new("", Action::Deny)
}

fn above(bound: Amount, per: Per) -> Option<Rolling> {
    Some(Rolling { period_seconds: HOUR, per, amount_above: Some(bound), amount_max: None })
}

/// What is told of alice and hot by these rules.
fn told(rules: &[Rule], payee: Payee) -> Option<Reach> {
    let named = rules.iter().enumerate().map(|(n, rule)| Rule { name: format!("rule {n}"), ..rule.clone() });
    let treasury = Treasury { policy: Policy::new(named.collect()), ..config() };
    reach(&treasury, "alice", &id("hot"), Asset::Xrp, payee)
}

#[test]
fn what_is_denied_in_any_case_bounds_one_payment_whoever_is_paid() {
    let rules = [allow(), Rule { amount_above: Some(xrp(50)), ..deny() }];
    for payee in [Payee::New, Payee::Anybody] {
        assert_eq!(told(&rules, payee), Some(Reach { one: Some(xrp(50)), periods: Vec::new() }), "{payee:?}");
    }
}

/// Danger: people are told of what is large, and what a thief can take is said to be little.
#[test]
fn a_rule_that_only_tells_people_keeps_nothing_back_and_lets_nothing_through() {
    let told_of = Told { roles: [Role::Security].into(), ..Told::default() };
    let notify = Rule { amount_above: Some(xrp(10)), ..Rule::new("", Action::Notify(told_of)) };
    let rules = [Rule { amount_max: Some(xrp(50)), ..allow() }, notify.clone()];
    assert_eq!(told(&rules, Payee::Anybody), Some(Reach { one: Some(xrp(50)), periods: Vec::new() }));
    assert_eq!(told(&[notify], Payee::Anybody), None);
}

#[test]
fn a_rule_lets_amounts_through_from_its_least_to_its_most() {
    let rules = [Rule { amount_min: Some(xrp(20)), amount_max: Some(xrp(50)), ..allow() }];
    assert_eq!(told(&rules, Payee::Anybody), Some(Reach { one: Some(xrp(50)), periods: Vec::new() }));
}

#[test]
fn a_rule_for_roles_lets_those_through_who_have_one_of_them() {
    for (role, gets) in [(Role::Proposer, true), (Role::Security, false)] {
        let rules = [Rule { asker_roles: Some([role].into()), ..allow() }];
        assert_eq!(told(&rules, Payee::Anybody).is_some(), gets, "{role:?}");
    }
}

#[test]
fn sums_in_another_asset_neither_let_xrp_through_nor_keep_it_back() {
    let euro = Amount::from_words(&format!("5 EUR.{}", id("bank"))).unwrap();
    let most =
        Rolling { period_seconds: HOUR, per: Per::Account, amount_above: None, amount_max: Some(euro) };
    assert_eq!(told(&[Rule { rolling: Some(most), ..allow() }], Payee::Anybody), None);
    let rules = [allow(), Rule { rolling: above(euro, Per::Account), ..deny() }];
    assert_eq!(told(&rules, Payee::Anybody), Some(Reach { one: None, periods: Vec::new() }));
}

/// Danger: a denial above a sum is taken for one that may be got round with a single payment, or for one of less than it says.
#[test]
fn a_payment_above_a_sum_is_above_it_by_itself() {
    let rules = [allow(), Rule { rolling: above(xrp(50), Per::Account), ..deny() }];
    assert_eq!(
        told(&rules, Payee::Anybody),
        Some(Reach { one: Some(xrp(50)), periods: vec![(HOUR, xrp(50))] })
    );
}

#[test]
fn of_two_sums_over_the_same_time_the_lesser_bounds_whichever_it_is() {
    for (account, asker) in [(40, 30), (30, 40)] {
        let rules = [
            allow(),
            Rule { rolling: above(xrp(account), Per::Account), ..deny() },
            Rule { rolling: above(xrp(asker), Per::Asker), ..deny() },
        ];
        assert_eq!(
            told(&rules, Payee::Anybody),
            Some(Reach { one: Some(xrp(30)), periods: vec![(HOUR, xrp(30))] })
        );
    }
}

#[test]
fn whichever_period_lets_less_through_bounds_what_leaves_within_a_time() {
    let reach = Reach { one: None, periods: vec![(60, xrp(10)), (DAY, xrp(100))] };
    for (seconds, most) in [(0, 10), (60, 10), (61, 20), (600, 100), (601, 100), (DAY, 100), (DAY + 1, 200)] {
        assert_eq!(reach.within(seconds), Some(xrp(most)), "{seconds}");
    }
    assert_eq!(Reach { one: None, periods: Vec::new() }.within(DAY), None);
}
