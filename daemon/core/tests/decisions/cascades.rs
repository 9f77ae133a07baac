//! Links one after the other: where hot is short and warm cannot fill it, cold fills warm with as much as both need; and what
//! keeps a link from moving is not wanted for it.

use std::sync::Arc;

use treasury_core::config::{FindingKind, Keeps, LinkLimit, Severity, TierLink};
use treasury_core::intent::IntentKind;
use treasury_core::policy::{Action, Policy, Rule, Times, Zone};
use treasury_core::tiers::{By, Planner};
use treasury_core::units::Asset;

use crate::stops::rob_hot;
use crate::world::{World, XRP, amount, config, id};

const HOUR: u32 = 3_600;

pub(crate) fn fill(from: &str, to: &str, [floor, target, source_floor]: [u64; 3]) -> TierLink {
    TierLink {
        name: format!("{from}-to-{to}"),
        from: id(from),
        to: id(to),
        asset: Asset::Xrp,
        keeps: Keeps::Filled { floor: amount(floor * XRP), target: amount(target * XRP) },
        source_floor: amount(source_floor * XRP),
        move_min: amount(1),
        move_max: amount(50_000 * XRP),
        period_max: amount(100_000 * XRP),
        period_seconds: 24 * HOUR,
        limits: Vec::new(),
        hours: None,
    }
}

/// Cold fills warm below 5,000 up to 8,000, and warm fills hot below 1,000 up to 2,000 and keeps 1,000.
fn links() -> Vec<TierLink> {
    vec![fill("warm", "hot", [1_000, 2_000, 1_000]), fill("cold", "warm", [5_000, 8_000, 0])]
}

/// A world with these links, in which warm and hot have so much XRP.
fn world(warm: u64, hot: u64) -> World {
    let mut config = config();
    let moves = Rule { kinds: Some(vec![IntentKind::Move]), ..Rule::new("moves", Action::Allow) };
    let others = config.policy.rules().iter().filter(|rule| rule.name != "moves").cloned();
    config.policy = Policy::new(others.chain([moves]).collect());
    let mut w = World::with(config);
    w.change_balance("warm", warm);
    w.change_balance("hot", hot);
    w.config.links = links();
    w
}

fn plan(w: &World, link: usize) -> (u64, By) {
    let plan = Planner::new(&w.config).plan(&w.state, &w.config.links[link], w.state.now());
    let treasury_core::units::Amount::Xrp(drops) = plan.amount else { panic!("{plan:?}") };
    (drops.get() / XRP, plan.by)
}

#[test]
fn cold_fills_warm_with_as_much_as_hot_needs_as_well_in_one_move() {
    for (warm, hot, expected) in [
        // Neither is short.
        (6_000, 1_000, (0, By::Enough)),
        // Warm alone.
        (4_999, 1_000, (3_001, By::Need)),
        // Hot is short by 1,500, which warm has, and after which it is not short itself.
        (6_500, 500, (0, By::Enough)),
        // And after which it is: it is to have 8,000 when hot has its 1,500.
        (6_499, 500, (3_001, By::Need)),
        // Warm could give nothing at all.
        (1_000, 500, (8_500, By::Need)),
    ] {
        let w = world(warm, hot);
        assert_eq!(plan(&w, 1), expected, "warm {warm}, hot {hot}");
    }
}

#[test]
fn a_move_that_is_under_way_to_hot_counts_as_gone_from_warm_whichever_link_was_asked_first() {
    for turned in [false, true] {
        let mut w = world(6_499, 500);
        if turned {
            w.config.links.reverse();
        }
        w.close(&[]);
        let moves: Vec<(String, String)> = w
            .state
            .open
            .iter()
            .map(|id| &w.state.proposals[id])
            .map(|proposal| {
                let link = proposal.intent.link().unwrap().to_owned();
                (link, proposal.intent.amount().unwrap().words())
            })
            .collect();
        let both = [("warm-to-hot", "1500 XRP"), ("cold-to-warm", "3001 XRP")];
        for (link, moved) in both {
            assert!(moves.contains(&(link.to_owned(), moved.to_owned())), "{turned}: {moves:?}");
        }
        assert_eq!(moves.len(), 2);
        // The first lands; nothing more is wanted.
        w.settle();
        w.close(&[]);
        assert_eq!(w.state.balance(&id("hot")).get(), 2_000 * XRP);
        assert_eq!(w.state.open.len(), 1, "cold's people have not signed yet");
    }
}

#[test]
fn a_link_keeps_its_floor_for_what_it_takes_when_it_passes_money_on() {
    let mut w = world(6_000, 500);
    w.config.links[0].source_floor = amount(9_000 * XRP);
    assert_eq!(plan(&w, 0), (0, By::Source));
    assert_eq!(plan(&w, 1), (4_502, By::Need), "9,000 to keep, 1,500 to pass on, and 2 that may burn");
    w.change_balance("hot", 1_000);
    assert_eq!(plan(&w, 1), (0, By::Enough));
}

#[test]
fn what_a_stop_policy_hours_or_limits_keep_a_link_from_moving_is_not_wanted_for_it() {
    let wants = |w: &World| Planner::new(&w.config).onward(&w.state, &id("warm"), Asset::Xrp) != amount(0);
    let mut w = world(1_000, 500);
    assert!(wants(&w));
    w.config.links[0].move_min = amount(1_501 * XRP);
    assert!(!wants(&w));
    w.config.links = links();
    w.config.links[0].period_max = amount(0);
    assert!(!wants(&w));
    w.config.links = links();
    w.config.links[0].limits = vec![LinkLimit { most: amount(0), period_seconds: HOUR }];
    assert!(!wants(&w));
    w.config.links = links();
    let night = Times { zone: Arc::new(Zone::utc()), weekdays: None, from_minute: 0, until_minute: 60 };
    w.config.links[0].hours = Some(night);
    assert!(!wants(&w));
    w.config.links = links();
    w.command(
        "dave",
        treasury_core::command::Command::Freeze { account: Some(id("hot")), reason: "stolen".to_owned() },
    )
    .unwrap();
    assert!(!wants(&w));
    assert_eq!(plan(&w, 1), (7_000, By::Need), "warm's own need is filled");
    w.lift_all();
    assert!(wants(&w));
    w.config.policy = Policy::new(Vec::new());
    assert!(!wants(&w));
}

/// Money that goes to warm for an account that was robbed would lie in warm.
#[test]
fn what_was_robbed_wants_nothing_from_further_back() {
    let mut w = world(6_000, 2_000);
    w.config.severities.insert(FindingKind::SpendWithoutProposal, Severity::Alert);
    rob_hot(&mut w);
    assert!(w.state.robbed.contains_key(&id("hot")) && w.state.stops.is_empty());
    assert_eq!(Planner::new(&w.config).onward(&w.state, &id("warm"), Asset::Xrp), amount(0));
    assert_eq!(plan(&w, 1), (0, By::Enough));
}

#[test]
fn a_second_way_to_an_account_is_taken_where_nothing_goes_by_the_first_and_both_are_one_need() {
    let night = Times { zone: Arc::new(Zone::utc()), weekdays: None, from_minute: 0, until_minute: 60 };
    for turned in [false, true] {
        let mut w = world(1_000, 500);
        let second = TierLink { name: "second".to_owned(), ..links().remove(0) };
        w.config.links.push(second);
        let wanted = |w: &World| Planner::new(&w.config).onward(&w.state, &id("warm"), Asset::Xrp);
        if turned {
            w.config.links.reverse();
        }
        assert_eq!(wanted(&w), amount(1_500 * XRP), "{turned}");
        let first = w.config.links.iter_mut().find(|link| link.name != "second" && link.to == id("hot"));
        first.unwrap().hours = Some(night.clone());
        assert_eq!(wanted(&w), amount(1_500 * XRP), "{turned}: by the second");
    }
}

#[test]
fn an_account_in_the_middle_keeps_its_floor_however_far_back_it_is_asked_from() {
    let mut w = world(1_000, 500);
    w.config.links =
        vec![fill("warm", "hot", [1_000, 2_000, 3_000]), fill("cold", "warm", [1_000, 1_500, 0])];
    let wanted = Planner::new(&w.config).onward(&w.state, &id("cold"), Asset::Xrp);
    // Warm is to keep 3,000 and what may burn, and to pass 1,500 on.
    assert_eq!(wanted, amount(3_502 * XRP));
    assert_eq!(plan(&w, 1), (3_502, By::Need), "as much as the link itself moves");
}

#[test]
fn what_is_to_be_passed_on_is_not_swept_back() {
    let mut w = world(9_000, 500);
    let sweep = TierLink {
        name: "warm-to-cold".to_owned(),
        from: id("warm"),
        to: id("cold"),
        keeps: Keeps::Swept { ceiling: amount(8_000 * XRP), target: amount(8_000 * XRP) },
        ..fill("warm", "cold", [0, 0, 0])
    };
    w.config.links.push(sweep);
    assert_eq!(plan(&w, 2), (0, By::Enough), "1,500 of it go on to hot");
    w.config.links.remove(0);
    assert_eq!(plan(&w, 1), (1_000, By::Need));
}

/// Danger: a sweep takes what a refill is to pass on, the refill brings it back, and so on.
#[test]
fn a_sweep_leaves_what_is_to_be_passed_on_above_the_floor_of_that_link() {
    let sweep = TierLink {
        name: "warm-to-cold".to_owned(),
        from: id("warm"),
        to: id("cold"),
        keeps: Keeps::Swept { ceiling: amount(8_000 * XRP), target: amount(1_000 * XRP) },
        ..fill("warm", "cold", [0, 0, 0])
    };
    for last in [false, true] {
        let mut w = world(10_000, 500);
        w.config.links = vec![sweep.clone(), fill("warm", "hot", [1_000, 2_000, 5_000])];
        if last {
            w.config.links.reverse();
        }
        w.close(&[]);
        w.settle();
        assert_eq!(w.state.balance(&id("hot")).get(), 2_000 * XRP, "the sweep comes last: {last}");
    }
}

#[test]
fn links_that_go_round_want_nothing_for_ever() {
    let mut w = world(1_000, 500);
    w.config.links.push(fill("hot", "cold", [90_000, 200_000, 0]));
    w.config.links[2].move_max = amount(10 * XRP);
    assert_eq!(plan(&w, 1), (8_500, By::Need));
    assert!(plan(&w, 0).0 <= 3_000);
}

#[test]
fn every_limit_of_a_link_binds_by_what_was_moved_within_its_period() {
    let mut w = world(50_000, 500);
    w.config.links.truncate(1);
    w.config.links[0].limits = vec![
        LinkLimit { most: amount(1_000 * XRP), period_seconds: HOUR },
        LinkLimit { most: amount(1_700 * XRP), period_seconds: 10 * HOUR },
    ];
    assert_eq!(plan(&w, 0), (1_000, By::PeriodMax));
    w.close(&[]);
    w.settle();
    assert_eq!(w.state.balance(&id("hot")).get(), 1_500 * XRP);
    w.change_balance("hot", 100);
    assert_eq!(plan(&w, 0), (0, By::PeriodMax), "the hour's is used up");
    w.jump(HOUR);
    w.settle();
    assert_eq!(w.state.balance(&id("hot")).get(), 800 * XRP, "what is left of ten hours");
    w.jump(HOUR);
    assert_eq!(plan(&w, 0), (0, By::PeriodMax));
    w.jump(8 * HOUR);
    w.settle();
    assert_eq!(
        w.state.balance(&id("hot")).get(),
        1_800 * XRP,
        "the first of them is of before, the second is not"
    );
}

#[test]
fn a_link_moves_within_its_hours_and_waits_outside_of_them() {
    let mut w = world(50_000, 1_000);
    w.config.links.truncate(1);
    // It is 06:13 in UTC.
    let morning = Times { zone: Arc::new(Zone::utc()), weekdays: None, from_minute: 480, until_minute: 540 };
    w.config.links[0].hours = Some(morning);
    w.change_balance("hot", 500);
    assert_eq!(plan(&w, 0), (0, By::Hours));
    w.jump(2 * HOUR);
    assert_eq!(w.settle().len(), 1);
    assert_eq!(w.state.balance(&id("hot")).get(), 2_000 * XRP);
}

/// The runner burns fees and is paid by nobody: a link fills it as it fills any account, and what the link may carry within
/// its periods is all that it can burn.
#[test]
fn the_runner_is_filled_along_a_link_and_has_no_more_than_the_links_budget() {
    let mut w = world(50_000, 1_500);
    w.config.links = vec![TierLink {
        name: "warm-to-runner".to_owned(),
        period_max: amount(25 * XRP),
        move_max: amount(20 * XRP),
        ..fill("warm", "runner", [10, 20, 1_000])
    }];
    w.change_balance("runner", 9);
    w.settle();
    assert_eq!(w.state.balance(&id("runner")).get(), 20 * XRP);
    // Whatever empties it again: a day has 25 XRP for it.
    w.change_balance("runner", 3);
    w.settle();
    assert_eq!(w.state.balance(&id("runner")).get(), 17 * XRP);
    w.change_balance("runner", 3);
    assert_eq!(plan(&w, 0), (0, By::PeriodMax));
    let poor = treasury_core::config::FindingKind::RunnerPoor;
    assert!(w.state.findings.values().any(|finding| finding.kind == poor), "people are told that it is poor");
    w.jump(24 * HOUR);
    w.settle();
    assert_eq!(w.state.balance(&id("runner")).get(), 20 * XRP);
}
