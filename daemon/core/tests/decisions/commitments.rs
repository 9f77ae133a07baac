//! The book of commitments: what rolling sums, tier links and policy rest on; and policy that is asked again.

use crate::world::{World, XRP, amount, config, drops, id};
use treasury_core::command::{Answer, Command};
use treasury_core::config::{Keeps, TierLink, Treasury};
use treasury_core::decide::outflow;
use treasury_core::intent::{Asker, IntentKind};
use treasury_core::observe::Change;
use treasury_core::policy::{Action, Outflow, Per, Policy, Rolling, Rule};
use treasury_core::state::Guard;
use treasury_core::units::{Asset, ProposalId};
use treasury_core::waits::waits;
use xrpl_wire::{Transaction, TransactionType, sf};

const HOUR: u32 = 3_600;
const DAY: u32 = 86_400;

/// A link that fills an account, by large moves.
pub(crate) fn link(name: &str, from: &str, to: &str, [floor, target, source_floor]: [u64; 3]) -> TierLink {
    TierLink {
        name: name.to_owned(),
        from: id(from),
        to: id(to),
        asset: Asset::Xrp,
        keeps: Keeps::Filled { floor: amount(floor * XRP), target: amount(target * XRP) },
        source_floor: amount(source_floor * XRP),
        move_min: amount(0),
        move_max: amount(10_000 * XRP),
        period_max: amount(50_000 * XRP),
        period_seconds: DAY,
        limits: Vec::new(),
        hours: None,
    }
}

/// Moves up to 10,000 XRP decided like this.
fn config_with(links: Vec<TierLink>, action: Action) -> Treasury {
    let mut config = config();
    config.links = links;
    let mut rules = config.policy.rules().to_vec();
    let moves = rules.iter_mut().find(|rule| rule.kinds == Some(vec![IntentKind::Move])).unwrap();
    (moves.amount_max, moves.action) = (Some(amount(10_000 * XRP)), action);
    config.policy = Policy::new(rules);
    config
}

fn amounts(sent: &[Transaction], from: &str) -> Vec<u64> {
    let mut seen = std::collections::BTreeSet::new();
    sent.iter()
        .filter(|tx| tx.account() == id(from) && seen.insert(tx.id()))
        .filter_map(|tx| Some(tx.object().drops(sf::Amount)?.get() / XRP))
        .collect()
}

fn out(w: &World, account: &str) -> u64 {
    let out = outflow(&w.state, id(account), Asset::Xrp, w.state.now(), DAY, None);
    out.drops().unwrap().get() / XRP
}

/// A payment of the account's that no proposal asked for.
fn foreign(w: &mut World, account: &str, amount_xrp: u64) {
    let p = w.propose(account, 900);
    let mut object = Transaction::decode(&w.rungs(p)[0].0).unwrap().into_object();
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    let ticket = *w.state.accounts[&id(account)].tickets.iter().next_back().unwrap();
    object.set(sf::TicketSequence, ticket);
    object.set(sf::Amount, xrpl_wire::Amount::Xrp(drops(amount_xrp * XRP)));
    w.close(&[Transaction::from_object(object).unwrap()]);
}

#[test]
fn sums_count_what_moved_whoever_moved_it() {
    let mut w = World::new();
    let p = w.propose("hot", 90);
    assert_eq!(out(&w, "hot"), 90, "promised");
    w.settle();
    assert_eq!((w.word(p), out(&w, "hot")), ("validated", 90), "moved");
    foreign(&mut w, "hot", 300);
    // The withdrawn one of 900 XRP still binds: somebody may have signed it.
    assert_eq!(out(&w, "hot"), 90 + 300 + 900);
    w.jump(DAY - 10);
    w.lift_all();
    while !w.state.slots.is_empty() {
        w.close(&[]);
    }
    assert_eq!(out(&w, "hot"), 0, "and all of it is of another day");
}

#[test]
fn a_withdrawn_payment_that_is_sent_all_the_same_stays_in_the_sums() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let tx = Transaction::decode(&w.rungs(p)[0].0).unwrap();
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    w.close(&[tx]);
    assert_eq!(w.word(p), "withdrawn");
    assert_eq!(out(&w, "warm"), 500);
}

#[test]
fn sums_cost_the_same_after_a_long_life_and_survive_a_restart() {
    let mut w = World::new();
    for _ in 0..12 {
        let p = w.propose("hot", 10);
        w.settle();
        assert_eq!(w.word(p), "validated");
        w.jump(HOUR);
        let change = (11..=20)
            .map(|ticket| treasury_core::observe::Change::TicketCreated { account: id("hot"), ticket });
        w.change(change.collect());
    }
    assert_eq!(out(&w, "hot"), 120);
    w.jump(13 * HOUR);
    let left = out(&w, "hot");
    assert!(left < 120 && left > 0, "the first are of another day: {left}");
    w.restart();
    assert_eq!(out(&w, "hot"), left);
}

#[test]
fn two_links_into_one_account_fill_it_once() {
    let links =
        vec![link("a", "warm", "hot", [1_000, 1_800, 900]), link("b", "cold", "hot", [1_000, 1_800, 900])];
    let mut w = World::with(config_with(links, Action::Allow));
    w.change_balance("hot", 100);
    w.jump(4);
    let cold = w.state.proposals.values().filter(|proposal| proposal.account == id("cold")).count();
    assert_eq!(amounts(&w.sent(), "warm"), [1_700]);
    assert_eq!(cold, 0, "what is on its way counts");
}

#[test]
fn a_source_never_ends_below_its_floor() {
    let links =
        vec![link("a", "warm", "hot", [1_000, 2_000, 900]), link("b", "warm", "cold", [1_000, 2_000, 0])];
    let mut w = World::with(config_with(links, Action::Allow));
    w.change_balance("cold", 100);
    w.change_balance("warm", 3_000);
    w.change_balance("hot", 100);
    w.jump(4);
    // What burns as a fee at most stays behind, too.
    let mut sent = w.sent();
    let moved: u64 = amounts(&sent, "warm").iter().sum();
    assert_eq!(moved, 2_098, "{sent:?}");
    let mut once = std::collections::BTreeSet::new();
    sent.retain(|tx| once.insert(tx.id()));
    w.close(&sent);
    for _ in 0..5 {
        w.jump(HOUR);
    }
    assert!(w.state.balance(&id("warm")) >= drops(900 * XRP));
}

#[test]
fn a_move_that_waits_in_an_escrow_is_in_flight() {
    let two = treasury_core::policy::Approvers {
        weight: treasury_core::units::Weight(2),
        roles: [treasury_core::config::Role::Approver].into(),
        exclude_asker: false,
        ..Default::default()
    };
    let delay = Action::Delay { delay_seconds: 48 * HOUR, window_seconds: 24 * HOUR, approvers: two };
    let links = vec![link("a", "warm", "hot", [1_000, 1_900, 0])];
    let mut w = World::with(config_with(links, delay));
    w.change_balance("hot", 100);
    let p = *w.state.open.iter().next().unwrap();
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    w.settle();
    assert_eq!(w.word(p), "validated");
    for _ in 0..40 {
        w.jump(HOUR);
    }
    assert_eq!(w.state.proposals.len(), 1, "no second escrow for the same need");
    // It comes back: then the need is there again.
    let key = w.proposal(p).release_inputs().unwrap().escrow;
    w.command("dave", Command::Flag { proposal: p, reason: String::new() }).unwrap();
    w.jump(35 * HOUR);
    let sent = w.settle();
    assert!(sent.iter().any(|tx| tx.tx_type() == TransactionType::EscrowCancel));
    assert!(matches!(w.guard(key), Guard::Cancelled { .. }));
    w.jump(HOUR);
    let moves = w.state.proposals.values().filter(|proposal| proposal.intent.kind() == IntentKind::Move);
    assert_eq!(moves.count(), 2);
}

#[test]
fn a_denied_link_asks_once_until_policy_changes() {
    let links = vec![link("a", "warm", "hot", [1_000, 1_900, 0])];
    let mut w = World::with(config_with(links, Action::Deny));
    w.change_balance("hot", 100);
    for _ in 0..50 {
        w.jump(HOUR);
    }
    assert_eq!(w.state.proposals.len(), 1);
    let links = w.config.links.clone();
    w.config = config_with(links, Action::Allow);
    w.jump(10);
    assert_eq!(amounts(&w.sent(), "warm"), [1_800]);
}

/// Everything is denied from now on.
fn deny_all(w: &mut World) {
    let deny = Rule {
        kinds: None,
        amount_max: None,
        name: "closed".to_owned(),
        ..w.config.policy.rules()[0].clone()
    };
    let deny = Rule { askers: None, action: Action::Deny, ..deny };
    w.config.policy = Policy::new(vec![deny]);
}

fn why(w: &World, p: ProposalId) -> String {
    waits(&w.config, &w.state, w.proposal(p)).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_draft_expires_at_its_deadline() {
    let mut w = World::new();
    let none = treasury_core::observe::Change::TicketDeleted { account: id("hot"), ticket: 11 };
    let gone = (11..=20).map(|ticket| match &none {
        treasury_core::observe::Change::TicketDeleted { account, .. } => {
            treasury_core::observe::Change::TicketDeleted { account: *account, ticket }
        }
        other => other.clone(),
    });
    w.change(gone.collect());
    let mut propose = w.payment("hot", 50);
    propose.deadline_seconds = Some(60);
    let Ok(Answer::Proposed { proposal }) = w.command("alice", Command::Propose(propose)) else { panic!() };
    assert_eq!(w.word(proposal), "drafted");
    w.jump(60);
    assert_eq!(w.word(proposal), "drafted");
    w.jump(1);
    assert_eq!(w.word(proposal), "expired");
    w.change(vec![treasury_core::observe::Change::TicketCreated { account: id("hot"), ticket: 30 }]);
    w.jump(33 * DAY);
    assert!(w.sent().is_empty(), "nothing is paid a month later");
    assert_eq!(out(&w, "hot"), 0);
}

#[test]
fn a_draft_is_sealed_under_the_policy_of_that_moment() {
    let mut w = World::new();
    let tickets = |w: &mut World, there: bool| {
        let account = id("hot");
        let changes = (11..=20).map(|ticket| match there {
            true => treasury_core::observe::Change::TicketCreated { account, ticket },
            false => treasury_core::observe::Change::TicketDeleted { account, ticket },
        });
        w.change(changes.collect());
    };
    tickets(&mut w, false);
    let p = w.propose("hot", 50);
    deny_all(&mut w);
    tickets(&mut w, true);
    assert_eq!(w.word(p), "denied");
    assert_eq!(w.proposal(p).decision.rules, ["closed"], "and the rule that did it is named");
    assert!(w.sent().is_empty());
}

#[test]
fn what_policy_denies_by_now_is_neither_signed_nor_sent_nor_released() {
    let mut w = World::new();
    let (paid, key) = w.escrow();
    let waiting = w.propose("warm", 500);
    w.approve("alice", waiting).unwrap();
    deny_all(&mut w);
    w.approve("bob", waiting).unwrap();
    assert_eq!(w.word(waiting), "ready");
    assert!(why(&w, waiting).contains("rule \"closed\""), "{}", why(&w, waiting));
    w.jump(50 * HOUR);
    assert!(w.sent().is_empty());
    assert!(matches!(w.guard(key), Guard::Locked { .. }), "{paid} is not released");
    w.jump(25 * HOUR);
    assert_eq!(w.settle()[0].tx_type(), TransactionType::EscrowCancel);
}

#[test]
fn a_laxer_policy_changes_nothing_for_what_was_decided() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let mut rules = w.config.policy.rules().to_vec();
    rules.iter_mut().for_each(|rule| rule.action = Action::Allow);
    w.config.policy = Policy::new(rules);
    w.jump(10);
    assert_eq!(w.word(p), "collecting", "it asks for the two people that it asked for");
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    assert_eq!(w.word(p), "in_flight");
}

#[test]
fn a_rolling_limit_counts_foreign_spends() {
    let mut w = World::new();
    let mut rules = w.config.policy.rules().to_vec();
    let small = rules.iter_mut().find(|rule| rule.name == "small").unwrap();
    let limit = Some(amount(1_400 * XRP));
    small.rolling =
        Some(Rolling { period_seconds: DAY, per: Per::Account, amount_above: None, amount_max: limit });
    let beyond = Rolling { period_seconds: DAY, per: Per::Account, amount_above: limit, amount_max: None };
    let busy = Rule { name: "busy".to_owned(), rolling: Some(beyond), action: Action::Deny, ..small.clone() };
    rules.push(busy);
    w.config.policy = Policy::new(rules);
    assert_eq!(w.config.policy.rules()[0].askers, Some(vec![Asker::Daemon]));
    foreign(&mut w, "hot", 450);
    w.lift_all();
    let p = w.propose("hot", 50);
    assert_eq!(w.proposal(p).decision.rules, ["small"]);
    let q = w.propose("hot", 60);
    assert_eq!(w.proposal(q).decision.rules, ["busy"], "450 and 900 and 50 are gone or promised");
    let Outflow::Account(_, left) = w.proposal(q).decision.inputs.outflows[0] else {
        panic!("no sum of the account")
    };
    assert!(amount(0) < left);
}

#[test]
fn what_others_take_out_of_an_account_has_left_it() {
    let mut w = World::new();
    // A check that signers had made is cashed by somebody else, in a transaction of theirs.
    w.change_balance("hot", 99_500);
    assert_eq!(out(&w, "hot"), 500);
    w.change_balance("hot", 99_700);
    w.restart();
    assert_eq!(out(&w, "hot"), 500, "what comes in takes nothing off it");
    // Of an account, too, of which nothing was proposed yet and whose Tickets are used up.
    let tickets = w.state.accounts[&id("cold")].tickets.clone();
    let used = tickets.iter().map(|ticket| Change::TicketDeleted { account: id("cold"), ticket: *ticket });
    w.change(used.collect());
    w.change_balance("cold", 99_000);
    assert_eq!(out(&w, "cold"), 1_000);
}

/// Danger: a recipient is an exchange whose account has a SignerList and spends in every ledger, and the book of that grows
/// for as long as it remembers.
#[test]
fn nothing_is_kept_of_what_a_recipient_spends_whoever_signs_for_it() {
    let mut w = World::new();
    let exchange = w.stranger("exchange", Some(0));
    let list = w.state.accounts[&id("cold")].signer_list.clone();
    w.mirror(&Change::SignerList { account: exchange, list: list.clone() });
    let mut payment = w.payment("warm", 500);
    payment.destination = exchange;
    w.command("alice", Command::Propose(payment)).unwrap();
    w.change_balance("exchange", 15);
    w.change(vec![Change::SignerList { account: exchange, list }]);
    w.change_balance("exchange", 10);
    assert_eq!(w.state.balance(&exchange), drops(10 * XRP), "it is followed");
    assert_eq!(out(&w, "exchange"), 0);
}
