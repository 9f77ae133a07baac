//! Sweeps: what an account has above its ceiling goes on, down to the target, and is not filled up again.

use treasury_core::config::{Keeps, TierLink};
use treasury_core::intent::IntentKind;
use treasury_core::policy::{Action, Policy, Rule};
use treasury_core::tiers::{By, Planner, against, unpromised};
use treasury_core::units::{Asset, ProposalId};
use treasury_core::wait::Wait;
use xrpl_wire::{Transaction, TransactionType, TxBody};

use crate::world::{World, XRP, amount, config, id};

const DAY: u32 = 86_400;

/// Hot keeps at most 5,000 XRP, and is swept down to 3,000, into warm.
fn sweep() -> TierLink {
    TierLink {
        name: "hot-to-warm".to_owned(),
        from: id("hot"),
        to: id("warm"),
        asset: Asset::Xrp,
        keeps: Keeps::Swept { ceiling: amount(5_000 * XRP), target: amount(3_000 * XRP) },
        source_floor: amount(1_000 * XRP),
        move_min: amount(100 * XRP),
        move_max: amount(4_000 * XRP),
        period_max: amount(6_000 * XRP),
        period_seconds: DAY,
        limits: Vec::new(),
        hours: None,
    }
}

/// And below 1,000 it is filled from warm up to 2,000.
fn refill() -> TierLink {
    TierLink {
        name: "warm-to-hot".to_owned(),
        from: id("warm"),
        to: id("hot"),
        keeps: Keeps::Filled { floor: amount(1_000 * XRP), target: amount(2_000 * XRP) },
        source_floor: amount(0),
        ..sweep()
    }
}

/// A world with these links, in which hot has so much XRP.
fn world(links: Vec<TierLink>, hot: u64) -> World {
    let mut config = config();
    let moves = Rule { kinds: Some(vec![IntentKind::Move]), ..Rule::new("moves", Action::Allow) };
    let others = config.policy.rules().iter().filter(|rule| rule.name != "moves").cloned();
    config.policy = Policy::new(others.chain([moves]).collect());
    let mut w = World::with(config);
    has(&mut w, hot);
    w.config.links = links;
    has(&mut w, hot);
    w
}

/// Somebody changes what hot has.
fn has(w: &mut World, xrp: u64) {
    let change = w.pay(id("hot"), |_| xrp * XRP).unwrap();
    w.change(vec![change]);
}

/// What was moved since the last call, from where, in XRP.
fn moved(sent: &[Transaction]) -> Vec<(&'static str, u64)> {
    let payments = sent.iter().filter(|tx| tx.tx_type() == TransactionType::Payment);
    let mut moved: Vec<(&'static str, u64)> = payments
        .map(|tx| {
            let TxBody::Payment(payment) = TxBody::parse(tx).unwrap() else { panic!() };
            let from = if tx.account() == id("hot") { "hot" } else { "warm" };
            (from, payment.amount.drops().unwrap().get() / XRP)
        })
        .collect();
    moved.dedup();
    moved
}

fn by(w: &World, link: &TierLink) -> By {
    Planner::new(&w.config).plan(&w.state, link, w.state.now()).by
}

#[test]
fn what_is_above_the_ceiling_is_swept_down_to_the_target_once() {
    let mut w = world(vec![sweep()], 5_000);
    assert_eq!((moved(&w.sent()), by(&w, &sweep())), (vec![], By::Enough), "at the ceiling nothing moves");
    has(&mut w, 5_600);
    assert!(matches!(by(&w, &sweep()), By::UnderWay(ProposalId(_))));
    let sent = w.settle();
    assert_eq!(moved(&sent), [("hot", 2_600)]);
    for _ in 0..5 {
        w.close(&[]);
    }
    assert_eq!((moved(&w.sent()), by(&w, &sweep())), (vec![], By::Enough));
}

#[test]
fn limits_of_the_move_the_period_and_the_least_worth_moving_hold() {
    let mut w = world(vec![sweep()], 9_000);
    assert_eq!(moved(&w.settle()), [("hot", 4_000)], "move_max");
    has(&mut w, 9_000);
    assert_eq!(moved(&w.settle()), [("hot", 2_000)], "what is left of period_max");
    has(&mut w, 9_000);
    assert_eq!((moved(&w.sent()), by(&w, &sweep())), (vec![], By::PeriodMax));
    w.jump(DAY + 60);
    assert_eq!(moved(&w.settle()), [("hot", 4_000)]);

    let little = TierLink { move_min: amount(3_000 * XRP), ..sweep() };
    let w = world(vec![little.clone()], 5_500);
    assert_eq!(by(&w, &little), By::MoveMin, "2,500 would be moved");
}

#[test]
fn what_is_promised_is_not_swept_and_the_source_keeps_its_floor() {
    let mut w = world(vec![sweep()], 4_900);
    w.propose("hot", 500);
    has(&mut w, 5_300);
    assert_eq!((moved(&w.sent()), by(&w, &sweep())), (vec![], By::Enough), "4,800 of it are not promised");
    let low = TierLink {
        keeps: Keeps::Swept { ceiling: amount(5_000 * XRP), target: amount(XRP) },
        move_max: amount(6_000 * XRP),
        ..sweep()
    };
    let mut w = world(vec![low], 6_000);
    // The floor, and the most that the move's own fee may burn.
    assert_eq!(moved(&w.sent()), [("hot", 4_998)]);
}

#[test]
fn a_refill_and_a_sweep_of_one_account_do_not_undo_each_other() {
    let links = vec![sweep(), refill()];
    for start in [500, 1_500, 4_000, 9_000, 40_000] {
        let mut w = world(links.clone(), start);
        let mut moves = Vec::new();
        for _ in 0..40 {
            moves.extend(moved(&w.settle()));
            w.jump(3_600);
        }
        moves.extend(moved(&w.settle()));
        let from: std::collections::BTreeSet<&str> = moves.iter().map(|(from, _)| *from).collect();
        assert!(from.len() <= 1, "from {start}: {moves:?}");
    }
}

#[test]
fn a_frozen_end_is_not_swept_out_of_nor_into() {
    for frozen in ["hot", "warm"] {
        let mut w = world(vec![sweep()], 1_000);
        let freeze = treasury_core::Command::Freeze { account: Some(id(frozen)), reason: "look".to_owned() };
        w.command("dave", freeze).unwrap();
        has(&mut w, 9_000);
        w.close(&[]);
        assert_eq!(moved(&w.sent()), [], "{frozen}");
    }
}

#[test]
fn a_move_that_was_voided_is_not_made_again_at_once_however_long_ago_it_was_drafted() {
    let mut w = world(vec![sweep()], 1_000);
    let mut rules = w.config.policy.rules().to_vec();
    rules.iter_mut().for_each(|rule| rule.void = true);
    w.config.policy = Policy::new(rules);
    has(&mut w, 9_000);
    assert_eq!(moved(&w.sent()), [("hot", 4_000)]);
    let p = *w.state.open.first().unwrap();
    for _ in 0..4 {
        w.jump(60);
        w.sent();
    }
    let void = treasury_core::Command::Void { proposal: p, reason: "not now".to_owned() };
    w.command("dave", void).unwrap();
    let void = w.sent();
    w.close(&void);
    assert_eq!(w.word(p), "voided");
    assert!(matches!(by(&w, &sweep()), By::Rests(_)), "{:?}", by(&w, &sweep()));
    assert_eq!(moved(&w.sent()), []);
}

#[test]
fn what_is_promised_is_not_told_as_there_to_be_swept_and_what_speaks_against_a_move_is() {
    let mut w = world(vec![sweep()], 4_000);
    let there = |w: &World| unpromised(&w.state, &id("hot"), Asset::Xrp);
    let speaks = |w: &World| against(&w.config, &w.state, &sweep(), amount(100 * XRP));
    assert_eq!((there(&w), speaks(&w)), (Some(amount(4_000 * XRP)), Vec::new()));
    w.propose("hot", 50);
    assert_eq!(there(&w), Some(amount(3_950 * XRP)));
    w.config.policy = Policy::new(Vec::new());
    assert!(matches!(speaks(&w).as_slice(), [Wait::Policy(_)]), "{:?}", speaks(&w));
}
