//! How long the money lasts.

use std::collections::BTreeSet;

use proptest::prelude::*;
use treasury_core::Event;
use treasury_core::command::Command;
use treasury_core::config::{Due, FindingKind, Keeps, Schedule, Tier, TierLink, Treasury};
use treasury_core::forecast::{self, DAY_SECONDS, HORIZON_DAYS, Runway, pipeline, positions};
use treasury_core::observe::*;
use treasury_core::outlook::Outlook;
use treasury_core::proposal::Status;
use treasury_core::state::State;
use treasury_core::units::*;

use crate::world::{World, XRP, amount, config, drops, hash, id};

const NOW: RippleTime = RippleTime(820_000_000);

fn link(name: &str, from: &str, to: &str, keeps: Keeps) -> TierLink {
    TierLink {
        name: name.to_owned(),
        from: id(from),
        to: id(to),
        asset: Asset::Xrp,
        keeps,
        source_floor: amount(0),
        move_min: amount(XRP),
        move_max: amount(50_000 * XRP),
        period_max: amount(1_000_000 * XRP),
        period_seconds: DAY_SECONDS,
        limits: Vec::new(),
        hours: None,
    }
}

fn filled(floor: u64, target: u64) -> Keeps {
    Keeps::Filled { floor: amount(floor * XRP), target: amount(target * XRP) }
}

/// Cold fills warm and warm fills hot.
fn chained() -> Treasury {
    let links = vec![
        link("cold to warm", "cold", "warm", filled(1, 2)),
        link("warm to hot", "warm", "hot", filled(1, 2)),
    ];
    Treasury { links, ..config() }
}

fn schedule(name: &str, from: &str, to: &str, xrp: u64, due: &[RippleTime]) -> Schedule {
    let due = due.iter().map(|at| Due { at: *at, day: at.0 / DAY_SECONDS });
    Schedule {
        name: name.to_owned(),
        from: id(from),
        to: id(to),
        destination_tag: None,
        amount: amount(xrp * XRP),
        by: "alice".to_owned(),
        note: String::new(),
        due: due.collect(),
        lead_seconds: DAY_SECONDS,
        late_max_seconds: 3_600,
    }
}

/// A state at [`NOW`] in which cold, warm and hot had so much each, and in which this has left them: so many seconds ago, by
/// whom, and how much of it.
fn after(has: u64, left: &[(u32, usize, u64)]) -> State {
    let names = ["cold", "warm", "hot"];
    let root = |balance| RootView {
        balance: drops(balance),
        sequence: 1,
        owner_count: 0,
        flags: 0,
        regular_key: None,
        transfer_rate: Some(0),
    };
    let point = |index: u32, at| LedgerPoint {
        index: LedgerIndex(index),
        hash: hash(&index.to_string()),
        close_time: at,
    };
    let first = NOW.0 - 400 * DAY_SECONDS;
    let list = SignerListView { quorum: Weight(1), entries: [(id("alice"), 1)].into() };
    let accounts = names.iter().map(|name| AccountSnapshot {
        account: id(name),
        root: Some(root(has)),
        signer_list: Some(list.clone()),
        tickets: BTreeSet::new(),
        escrows: Vec::new(),
        trust_lines: None,
        settings: None,
    });
    let mut state = State::default();
    let at = point(1, RippleTime(first));
    state.apply(&Event::AccountsRead { at, accounts: accounts.collect(), taken: None }).unwrap();
    let mut balances = [has; 3];
    let mut left: Vec<(u32, usize, u64)> = left.to_vec();
    left.sort_by_key(|(ago, ..)| std::cmp::Reverse(*ago));
    let end = [(0, 0, 0)];
    for (number, (ago, whose, much)) in left.iter().chain(&end).enumerate() {
        let index = u32::try_from(number).unwrap() + 2;
        balances[*whose] -= much;
        let change = Change::Root { account: id(names[*whose]), root: Some(root(balances[*whose])) };
        let none = drops(0);
        let observation = LedgerObservation {
            point: point(index, RippleTime(NOW.0 - ago)),
            parent_hash: hash(&(index - 1).to_string()),
            fees: NetworkFees { base_fee: drops(10), reserve_base: none, reserve_inc: none },
            transactions: Vec::new(),
            changes: vec![change],
            opaque: Vec::new(),
            unproven: false,
        };
        state.apply(&Event::LedgerTaken { observation, taken: None }).unwrap();
    }
    state
}

/// How long it lasts by XRP.
fn runway(config: &Treasury, state: &State, account: &AccountId) -> Runway {
    forecast::runway(config, state, account, Asset::Xrp)
}

fn xrp(amount: Amount) -> u64 {
    amount.drops().unwrap().get()
}

fn ends(runway: &Runway) -> RippleTime {
    runway.ends.unwrap_or(RippleTime(u32::MAX))
}

/// What left on every day of three months: so much from hot.
fn daily(much: u64) -> Vec<(u32, usize, u64)> {
    (0..84).map(|day| (day * DAY_SECONDS + 7, 2, much)).collect()
}

#[test]
fn an_account_lasts_for_as_long_as_its_money_at_the_pace_at_which_it_usually_leaves() {
    let (has, config) = (100_000 * XRP, config());
    let state = after(has, &daily(100 * XRP));
    let hot = runway(&config, &state, &id("hot"));
    assert_eq!(hot.usual, amount(100 * XRP));
    assert_eq!(hot.has, amount(has - 8_400 * XRP));
    assert_eq!((hot.days(), hot.promised, hot.scheduled), (366, amount(0), amount(0)));
    let state = after(10_000 * XRP, &daily(100 * XRP));
    let hot = runway(&config, &state, &id("hot"));
    assert_eq!((hot.days(), hot.lasts().as_str()), (16, "about 16 d"));
    assert_eq!(ends(&hot), RippleTime(NOW.0 + 16 * DAY_SECONDS));
    let warm = runway(&config, &state, &id("warm"));
    assert_eq!((warm.ends, warm.lasts().as_str()), (None, "more than a year"));
}

/// Danger: somebody is told that nothing is left because of one payment that will not come again.
#[test]
fn one_large_payment_does_not_shorten_the_runway_by_more_than_what_it_took() {
    let (has, config) = (100_000 * XRP, config());
    for day in [0, 1, 6, 7, 40, 83] {
        let mut left = daily(1_000 * XRP);
        left.push((day * DAY_SECONDS + 9, 2, 1_000 * XRP));
        let before = runway(&config, &after(has - 1_000 * XRP, &daily(1_000 * XRP)), &id("hot"));
        let now = runway(&config, &after(has, &left), &id("hot"));
        assert_eq!(before, now, "{day}");
    }
}

/// What goes from one account to another of the same chain leaves none of it.
#[test]
fn an_account_lasts_together_with_what_it_fills() {
    let config = chained();
    let state = after(10_000 * XRP, &daily(100 * XRP));
    let names = |runway: &Runway| runway.group.clone();
    let cold = runway(&config, &state, &id("cold"));
    assert_eq!(names(&cold), ["cold", "warm", "hot"].map(id).into());
    assert_eq!(cold.days(), (30_000 - 8_400) / 100);
    let warm = runway(&config, &state, &id("warm"));
    assert_eq!((names(&warm), warm.days()), (["warm", "hot"].map(id).into(), (20_000 - 8_400) / 100));
    for (name, expected) in [("cold", true), ("warm", false), ("hot", false)] {
        assert_eq!(forecast::is_source(&config, &id(name), Asset::Xrp), expected, "{name}");
    }
    // Round about: each fills the other, and the look ends.
    let mut round = chained();
    round.links.push(link("hot to cold", "hot", "cold", filled(1, 2)));
    assert_eq!(runway(&round, &state, &id("hot")).group.len(), 3);
}

/// Method: the life of one payment of a schedule, and where it is counted in each part of it.
#[test]
fn what_a_schedule_pays_is_counted_once_before_it_is_asked_for_while_it_waits_and_never_as_usual() {
    let mut w = World::with(config());
    let now = w.state.now();
    let days = |days: u32| RippleTime(now.0 + days * DAY_SECONDS);
    let times: Vec<RippleTime> = (1..40).map(|n| days(3 * n)).collect();
    w.config.schedules = vec![schedule("rent", "hot", "shop", 50, &times)];
    w.close(&[]);
    let counted = |w: &World| {
        let hot = runway(&w.config, &w.state, &id("hot"));
        (xrp(hot.promised) / XRP, xrp(hot.scheduled) / XRP, xrp(hot.usual))
    };
    assert_eq!(counted(&w), (0, 39 * 50, 0));
    // As often as there are Tickets, which is on two days of each week.
    for paid in 0..9_u64 {
        let due = times[usize::try_from(paid).unwrap()];
        w.jump(due.0 - DAY_SECONDS - w.state.now().0);
        assert_eq!(counted(&w), (50, (38 - paid) * 50, 0), "it is asked for");
        let one = pipeline(&w.config, &w.state);
        assert_eq!((one.len(), one[0].soonest, one[0].permille), (1, due, 1_000));
        w.jump(due.0 - w.state.now().0);
        w.settle();
        assert_eq!(counted(&w), (0, (38 - paid) * 50, 0), "it has left");
    }
    let left = w.state.book.moved(&id("hot"), Asset::Xrp, RippleTime(0));
    assert_eq!(left, amount(9 * 50 * XRP), "and has been seen to leave");
    assert_eq!(w.state.book.scheduled(&id("hot"), Asset::Xrp, RippleTime(0)), left);
}

#[test]
fn what_waits_is_counted_whole_and_likelier_with_each_signature_until_it_is_stopped() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let likely = |w: &World| pipeline(&w.config, &w.state)[0].permille;
    let promised = |w: &World| runway(&w.config, &w.state, &id("warm")).promised;
    assert_eq!((likely(&w), promised(&w)), (800, amount(500 * XRP)));
    w.approve("alice", p).unwrap();
    assert_eq!(likely(&w), 900);
    w.command("dave", Command::Flag { proposal: p, reason: "odd".to_owned() }).unwrap();
    assert_eq!((likely(&w), promised(&w)), (200, amount(500 * XRP)));
    // Whoever has the signatures can still send it: it may leave as long as its slot is taken.
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    assert!(matches!(w.proposal(p).status, Status::Withdrawn));
    assert_eq!((likely(&w), promised(&w)), (200, amount(500 * XRP)));
}

#[test]
fn a_move_within_a_chain_leaves_it_by_neither_its_promise_nor_its_past() {
    let mut w = World::with(chained());
    w.config.links[1].keeps = filled(100_050, 100_100);
    w.close(&[]);
    let moved = pipeline(&w.config, &w.state);
    assert_eq!((moved.len(), moved[0].account), (1, id("warm")), "warm fills hot");
    assert_eq!(runway(&w.config, &w.state, &id("warm")).promised, amount(0));
    assert_eq!(runway(&w.config, &w.state, &id("cold")).promised, amount(0));
    w.settle();
    assert_eq!(w.state.book.moved_by("warm to hot", Asset::Xrp, RippleTime(0)), amount(100 * XRP));
    let has = |name: &str| xrp(runway(&w.config, &w.state, &id(name)).has) / XRP;
    assert!(has("cold") > has("warm") && has("warm") > has("hot"));
    // On seven days it would be usual, and it is not.
    for day in 0..10_u64 {
        w.config.links[1].keeps = filled(100_150 + 100 * day, 100_200 + 100 * day);
        w.jump(DAY_SECONDS);
        w.settle();
    }
    assert!(w.state.book.moved(&id("warm"), Asset::Xrp, RippleTime(0)) >= amount(1_000 * XRP));
    assert_eq!(runway(&w.config, &w.state, &id("warm")).usual, amount(0));
}

#[test]
fn what_each_tier_has_counts_escrows_that_may_come_back_and_tokens_but_not_what_others_hold() {
    let mut w = World::new();
    let euro: Asset = format!("EUR.{}", id("bank")).parse().unwrap();
    let own: Asset = format!("ABC.{}", id("shop")).parse().unwrap();
    let line = |text: &str| TrustLineView {
        balance: text.parse().unwrap(),
        limit: "1000".parse().unwrap(),
        frozen: false,
        deep_frozen: false,
        no_ripple: Some(false),
    };
    let lines = [(euro, line("250.5")), (own, line("-70"))];
    let change = |(asset, line)| Change::TrustLine { account: id("hot"), asset, line: Some(line) };
    w.change(lines.map(change).to_vec());
    w.escrow();
    let all = positions(&w.config, &w.state);
    assert_eq!(all[&(Tier::Warm, Asset::Xrp)].escrowed, amount(2_000 * XRP));
    assert_eq!(all[&(Tier::Hot, euro)].has.words(), format!("250.5 {euro}"));
    assert!(!all.contains_key(&(Tier::Hot, own)));
    let tiers: BTreeSet<Tier> = all.keys().map(|(tier, _)| *tier).collect();
    assert_eq!(tiers, [Tier::Cold, Tier::Warm, Tier::Hot, Tier::Runner].into());
}

#[test]
fn how_long_it_lasts_is_told_more_closely_the_shorter_it_is() {
    let group = [id("hot")].into();
    let (asset, none) = (Asset::Xrp, amount(0));
    let runway = Runway {
        asset,
        group,
        has: none,
        frozen: none,
        promised: none,
        scheduled: none,
        usual: none,
        ends: Some(NOW),
        now: NOW,
    };
    let hour = 3_600;
    for (seconds, expected) in [
        (0, "about 0 h"),
        (hour - 1, "about 0 h"),
        (5 * hour + 59, "about 5 h"),
        (DAY_SECONDS - 1, "about 23 h"),
        (DAY_SECONDS, "about 1 d 0 h"),
        (10 * DAY_SECONDS - 1, "about 9 d 23 h"),
        (10 * DAY_SECONDS + 5 * hour, "about 10 d"),
    ] {
        let runway = Runway { ends: Some(RippleTime(NOW.0 + seconds)), ..runway.clone() };
        assert_eq!(runway.lasts(), expected);
    }
    assert_eq!(Runway { ends: None, ..runway }.lasts(), "more than a year");
}

fn swept(ceiling: u64, target: u64) -> Keeps {
    Keeps::Swept { ceiling: amount(ceiling * XRP), target: amount(target * XRP) }
}

#[test]
fn links_that_sweep_or_that_bring_tokens_fill_no_account_with_xrp() {
    let euro: Asset = format!("EUR.{}", id("bank")).parse().unwrap();
    let tokens = TierLink { asset: euro, ..link("tokens", "cold", "warm", filled(1, 2)) };
    let config = Treasury { links: vec![tokens, link("sweep", "warm", "hot", swept(2, 1))], ..config() };
    let state = after(10_000 * XRP, &[]);
    let xrp = ["cold", "warm", "hot"].map(|name| (id(name), Asset::Xrp));
    assert_eq!(forecast::sources(&config, &state), xrp.into(), "no line of tokens was read");
    for name in ["cold", "warm", "hot"] {
        assert_eq!(runway(&config, &state, &id(name)).group, [id(name)].into());
        assert!(forecast::is_source(&config, &id(name), Asset::Xrp), "{name}");
    }
}

/// Danger: money that goes back up is taken for money that is gone; or a move that nobody knows by its link any more for
/// money that stays.
#[test]
fn what_is_swept_up_is_no_promise_and_what_a_link_moves_that_is_gone_is_one() {
    let mut w = World::with(config());
    w.config.links = vec![link("sweep", "hot", "warm", swept(99_950, 99_900))];
    w.close(&[]);
    assert_eq!(pipeline(&w.config, &w.state).len(), 1);
    let promised = |w: &World| runway(&w.config, &w.state, &id("hot")).promised;
    assert_eq!(promised(&w), amount(0));
    w.config.links = vec![link("another", "warm", "cold", swept(900_000, 800_000))];
    assert_eq!(promised(&w), amount(100 * XRP));
}

/// Danger: what is swept away from one account makes another seem to pay less than it does.
#[test]
fn what_is_swept_from_another_account_does_not_make_what_usually_leaves_less() {
    let mut w = World::with(config());
    for day in 1..6 {
        let kept = 100_000 - 100 * day;
        w.config.links = vec![link("sweep", "warm", "cold", swept(kept + 50, kept))];
        w.jump(DAY_SECONDS);
        w.propose("hot", 50);
        w.settle();
        w.settle();
    }
    assert!(w.state.book.moved_by("sweep", Asset::Xrp, RippleTime(0)) > amount(499 * XRP));
    assert_eq!(runway(&w.config, &w.state, &id("hot")).usual, amount(50 * XRP));
    assert_eq!(runway(&w.config, &w.state, &id("warm")).usual, amount(0));
}

/// What policy delays is gone from the account when its escrow is made; and what was withdrawn with signatures in other hands
/// can be sent at once.
#[test]
fn what_a_schedule_asks_for_can_leave_before_it_is_due_where_it_is_delayed_or_withdrawn() {
    let asked = |xrp: u64| {
        let mut w = World::with(config());
        let due = RippleTime(w.state.now().0 + DAY_SECONDS);
        w.config.schedules = vec![schedule("rent", "hot", "shop", xrp, &[due])];
        w.close(&[]);
        (w, due)
    };
    let soonest = |w: &World| pipeline(&w.config, &w.state).first().map(|expected| expected.soonest);
    let (w, _) = asked(2_000);
    assert_eq!(soonest(&w), Some(w.state.now()));
    let (mut w, due) = asked(500);
    assert_eq!(soonest(&w), Some(due));
    let p = *w.state.open.first().unwrap();
    w.approve("alice", p).unwrap();
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    assert_eq!(soonest(&w), Some(w.state.now()));
}

#[test]
fn a_limit_is_crossed_below_it_and_not_at_it() {
    let outlook = Outlook { warn_days: [3, 7, 30].into(), ..Outlook::default() };
    for (days, below, crossed) in [
        (30, None, 0),
        (29, Some(30), 1),
        (7, Some(30), 1),
        (6, Some(7), 2),
        (3, Some(7), 2),
        (2, Some(3), 3),
    ] {
        assert_eq!((outlook.below(days), outlook.crossed(days)), (below, crossed), "{days}");
    }
}

fn warned(days: &[u32]) -> Treasury {
    Treasury {
        outlook: Outlook { warn_days: days.iter().copied().collect(), ..Outlook::default() },
        ..config()
    }
}

fn found(w: &World) -> Vec<(FindingKind, String)> {
    let kind = FindingKind::RunwayShort;
    let found = w.state.findings.values().filter(|finding| finding.kind == kind);
    found.map(|finding| (finding.kind, finding.evidence.clone())).collect()
}

/// Danger: people are told every hour, and look no more; or once, and not when it is grave.
#[test]
fn people_are_told_once_at_each_limit_and_again_after_it_has_been_better() {
    let mut w = World::with(warned(&[7, 3]));
    let now = w.state.now();
    let rent = |w: &World, days: u32| {
        vec![schedule("rent", "hot", "shop", 200_000, &[RippleTime(w.state.now().0 + days * DAY_SECONDS)])]
    };
    w.config.schedules = rent(&w, 10);
    w.jump(3_600);
    assert_eq!(found(&w), []);
    w.jump(3 * DAY_SECONDS);
    let first = found(&w);
    assert_eq!(first.len(), 1);
    for part in ["the account has 99", "lasts about 6 d", "less than 7 d", "schedules take 200000 XRP"] {
        assert!(first[0].1.contains(part), "{part}: {}", first[0].1);
    }
    for _ in 0..10 {
        w.jump(3_600);
    }
    w.restart();
    w.jump(3_600);
    w.reconcile();
    w.jump(3_600);
    assert!(w.state.sees());
    assert_eq!(found(&w).len(), 1, "once, and a restart changes nothing");
    w.jump(RippleTime(now.0 + 7 * DAY_SECONDS + 7_200).0 - w.state.now().0);
    let both = found(&w);
    assert_eq!(both.len(), 2);
    assert!(both[1].1.contains("less than 3 d"), "{}", both[1].1);
    // A little better is not better.
    w.config.schedules = rent(&w, 4);
    w.config.schedules[0].name = "another".to_owned();
    w.jump(7_200);
    assert_eq!(w.state.short[&id("hot")], 3);
    w.config.schedules = Vec::new();
    w.jump(3_600);
    assert!(w.state.short.is_empty());
    w.config.schedules = rent(&w, 6);
    w.config.schedules[0].name = "a third".to_owned();
    w.jump(7_200);
    assert_eq!(found(&w).len(), 3, "it is found anew");
    // Where nobody wants to know, nothing is kept of it.
    w.config.outlook = Outlook::default();
    w.jump(3_600);
    assert!(w.state.short.is_empty());
}

#[test]
fn what_is_filled_is_not_told_of_by_itself() {
    let mut w = World::with(Treasury { links: chained().links, ..warned(&[7]) });
    w.config.schedules =
        vec![schedule("rent", "hot", "shop", 200_000, &[RippleTime(w.state.now().0 + 4 * DAY_SECONDS)])];
    w.jump(3_600);
    assert_eq!(found(&w), [], "cold and warm have enough for it");
    w.config.schedules[0].amount = amount(300_000 * XRP);
    w.jump(3_600);
    let short: Vec<AccountId> = w.state.short.keys().copied().collect();
    assert_eq!(short, [id("cold")]);
    assert!(found(&w)[0].1.contains("with the 2 accounts that are filled from it"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever has left besides, whenever it did, from whichever account: nothing lasts longer for it. And what is promised or
    /// due besides makes nothing last longer either.
    #[test]
    fn more_that_leaves_never_makes_anything_last_longer(
        left in prop::collection::vec((0..90 * DAY_SECONDS, 0..3_usize, 0..1_000 * XRP), 0..60),
        more in (0..90 * DAY_SECONDS, 0..3_usize, 0..1_000_000 * XRP),
        due in prop::collection::vec((0..400 * DAY_SECONDS, 1..50_000_u64), 0..5),
        another in (0..400 * DAY_SECONDS, 1..50_000_u64),
    ) {
        let has = 1_100_000 * XRP;
        let mut config = chained();
        let mut scheduled = |name: &str, (later, xrp): (u32, u64)| {
            config.schedules.push(schedule(name, "hot", "shop", xrp, &[RippleTime(NOW.0 + later)]));
        };
        due.iter().enumerate().for_each(|(n, one)| scheduled(&format!("s{n}"), *one));
        let state = after(has, &left);
        let mut left = left;
        left.push(more);
        let drained = after(has, &left);
        for name in ["cold", "warm", "hot"] {
            let before = runway(&config, &state, &id(name));
            let then = runway(&config, &drained, &id(name));
            prop_assert!(ends(&then) <= ends(&before), "{name}: {before:?} {then:?}");
            prop_assert!(then.usual >= before.usual);
            let mut more = config.clone();
            more.schedules.push(schedule("more", "hot", "shop", another.1, &[RippleTime(NOW.0 + another.0)]));
            let with_more = runway(&more, &state, &id(name));
            prop_assert!(ends(&with_more) <= ends(&before));
            prop_assert_eq!(with_more.usual, before.usual);
        }
    }

    /// One payment, however large, on whichever day: where something has left every day, what usually leaves is the same.
    #[test]
    fn one_payment_more_is_never_what_is_usual(day in 0..84_u32, much in 1..900_000 * XRP, every in 1..1_000_u64) {
        let config = config();
        let has = 1_100_000 * XRP;
        let usual = |left: &[(u32, usize, u64)]| runway(&config, &after(has, left), &id("hot")).usual;
        let before = daily(every * XRP);
        let mut then = before.clone();
        then.push((day * DAY_SECONDS + 11, 2, much));
        prop_assert_eq!(usual(&before), usual(&then));
    }

    /// Every time at which a schedule is due is in just one place: promised, to come, or over.
    #[test]
    fn every_time_of_a_schedule_is_in_one_place(gaps in prop::collection::vec(1..20_u32, 1..12), steps in 1..40_u32) {
        let mut w = World::with(config());
        w.checks_forms = false;
        let mut at = w.state.now();
        let times: Vec<RippleTime> = gaps.iter().map(|days| { at = RippleTime(at.0 + days * DAY_SECONDS); at }).collect();
        w.config.schedules = vec![schedule("rent", "hot", "shop", 50, &times)];
        for _ in 0..steps {
            w.close(&[]);
            w.settle();
            let now = w.state.now();
            let hot = runway(&w.config, &w.state, &id("hot"));
            let over = w.state.book.scheduled(&id("hot"), Asset::Xrp, RippleTime(0));
            let in_reach = times.iter().filter(|at| at.0 <= now.0 + HORIZON_DAYS * DAY_SECONDS).count();
            let counted = xrp(hot.promised) + xrp(hot.scheduled) + xrp(over);
            prop_assert_eq!(counted, u64::try_from(in_reach).unwrap() * 50 * XRP);
            w.jump(DAY_SECONDS);
        }
    }
}

/// Danger: a link is given another source under its old name, what it moved out of the old one is taken off what usually leaves the new
/// one, and nobody is asked for money in time.
#[test]
fn what_a_link_moved_out_of_another_account_leaves_this_ones_forecast_alone() {
    let links = vec![link("top up", "warm", "hot", filled(1_000, 1_500))];
    let mut w = World::with(Treasury { links, ..config() });
    w.checks_forms = false;
    let mut done = BTreeSet::new();
    let mut next = |w: &mut World| {
        let mut sent = w.sent();
        sent.retain(|tx| done.insert(tx.id()));
        w.close_at(4, &sent, "tesSUCCESS");
    };
    w.change_balance("hot", 1_500);
    w.jump(90 * DAY_SECONDS);
    w.reconcile();
    let mut cold = 40_000;
    w.change_balance("cold", cold);
    for _ in 0..10 {
        cold -= 400;
        w.change_balance("cold", cold);
        w.change_balance("hot", 900);
        (0..3).for_each(|_| next(&mut w));
        w.jump(DAY_SECONDS - 40);
        w.reconcile();
    }
    assert!(w.state.book.moved_by("top up", Asset::Xrp, RippleTime(0)) >= amount(5_000 * XRP));
    let days = |w: &World, name: &str| {
        let mut config = w.config.clone();
        (config.links[0].from, config.links[0].name) = (id("cold"), name.to_owned());
        runway(&config, &w.state, &id("cold")).days()
    };
    assert_eq!(days(&w, "top up"), days(&w, "top up from cold"));
}
