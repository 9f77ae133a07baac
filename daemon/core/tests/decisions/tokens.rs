//! How long what accounts have by trust lines lasts, each asset by itself.

use std::collections::BTreeSet;

use proptest::prelude::*;
use treasury_core::config::{Due, FindingKind, Keeps, Schedule, TierLink, Treasury};
use treasury_core::forecast::{self, DAY_SECONDS, Runway};
use treasury_core::observe::*;
use treasury_core::outlook::Outlook;
use treasury_core::units::*;

use crate::world::{World, config, id};

fn euro() -> Asset {
    format!("EUR.{}", id("bank")).parse().unwrap()
}

fn eur(value: &str) -> Amount {
    Amount::of(euro(), value).unwrap()
}

fn line(balance: &str) -> TrustLineView {
    let limit = "1000000000".parse().unwrap();
    TrustLineView {
        balance: balance.parse().unwrap(),
        limit,
        frozen: false,
        deep_frozen: false,
        no_ripple: Some(false),
    }
}

fn has(account: &str, balance: &str) -> Change {
    Change::TrustLine { account: id(account), asset: euro(), line: Some(line(balance)) }
}

/// A world in which accounts have so many euros.
fn world(config: Treasury, lines: &[(&str, &str)]) -> World {
    let mut w = World::with(config);
    w.change(lines.iter().map(|(account, balance)| has(account, balance)).collect());
    w
}

fn runway(w: &World, account: &str) -> Runway {
    forecast::runway(&w.config, &w.state, &id(account), euro())
}

fn filled(name: &str, from: &str, to: &str, asset: Asset) -> TierLink {
    let some = Amount::of(asset, "1").unwrap();
    TierLink {
        name: name.to_owned(),
        from: id(from),
        to: id(to),
        asset,
        keeps: Keeps::Filled { floor: some, target: some },
        source_floor: asset.nothing(),
        move_min: some,
        move_max: some,
        period_max: some,
        period_seconds: DAY_SECONDS,
        limits: Vec::new(),
        hours: None,
    }
}

fn schedule(from: &str, to: &str, amount: Amount, due: &[RippleTime]) -> Schedule {
    Schedule {
        name: format!("{from} to {to}"),
        from: id(from),
        to: id(to),
        destination_tag: None,
        amount,
        by: "alice".to_owned(),
        note: String::new(),
        due: due.iter().map(|at| Due { at: *at, day: at.0 / DAY_SECONDS }).collect(),
        lead_seconds: 3_600,
        late_max_seconds: 3_600,
    }
}

/// So much leaves on each of so many days. Their digits are those of cents.
fn drain(w: &mut World, account: &str, from_cents: u64, each_cents: u64, days: u64) -> u64 {
    let mut left = from_cents;
    for _ in 0..days {
        w.jump(DAY_SECONDS);
        left -= each_cents;
        w.change(vec![has(account, &format!("{}.{:02}", left / 100, left % 100))]);
    }
    left
}

#[test]
fn what_an_account_has_by_a_trust_line_lasts_at_the_pace_at_which_it_usually_leaves() {
    let mut w = world(config(), &[("hot", "1000.5")]);
    assert_eq!(runway(&w, "hot").ends, None);
    drain(&mut w, "hot", 100_050, 1_005, 10);
    let hot = runway(&w, "hot");
    assert_eq!((hot.has, hot.usual, hot.days()), (eur("900"), eur("10.05"), 89));
    assert_eq!(hot.ends.unwrap().0 - w.state.now().0, 7_737_313, "900 / 10.05 days");
    // Of XRP nothing has left, and of another account no euro.
    let xrp = forecast::runway(&w.config, &w.state, &id("hot"), Asset::Xrp);
    assert_eq!((xrp.ends, xrp.usual), (None, Asset::Xrp.nothing()));
    assert_eq!(runway(&w, "warm").usual, eur("0"));
    // One payment, however large, is never what is usual, and costs what it took.
    w.change(vec![has("hot", "500")]);
    let hot = runway(&w, "hot");
    assert_eq!((hot.has, hot.usual, hot.days()), (eur("500"), eur("10.05"), 49));
    // What comes counts when it is there.
    w.change(vec![has("hot", "2000")]);
    assert_eq!((runway(&w, "hot").usual, runway(&w, "hot").days()), (eur("10.05"), 199));
}

/// Danger: several changes of one ledger are taken for one, or a debt for money.
#[test]
fn what_leaves_by_a_line_is_counted_once_for_each_change_whether_the_line_stays_or_goes() {
    let mut w = world(config(), &[("hot", "100")]);
    let moved = |w: &World| w.state.book.moved(&id("hot"), euro(), RippleTime(0)).words();
    let words = |value: &str| eur(value).words();
    w.change(vec![has("hot", "90"), has("hot", "95"), has("hot", "70.5")]);
    assert_eq!(moved(&w), words("34.5"));
    w.change(vec![has("hot", "-20")]);
    assert_eq!(moved(&w), words("105"), "below nothing it owes, and has lost what it had");
    w.change(vec![has("hot", "-80")]);
    assert_eq!(moved(&w), words("105"), "to issue more takes nothing away");
    w.change(vec![has("hot", "10")]);
    w.change(vec![Change::TrustLine { account: id("hot"), asset: euro(), line: None }]);
    assert_eq!(moved(&w), words("115"), "with the line all that it had is gone");
    w.change(vec![has("hot", "5")]);
    w.reconcile();
    w.restart();
    assert_eq!(moved(&w), words("115"), "and what is read anew has not moved");
    let scheduled = w.state.book.moved(&id("hot"), Asset::Xrp, RippleTime(0));
    assert!(scheduled.is_zero());
}

/// Danger: money that pays nobody is said to last.
#[test]
fn what_the_issuer_has_frozen_lasts_for_nothing_and_is_said_to_be_there() {
    let mut w = world(config(), &[("hot", "1000")]);
    drain(&mut w, "hot", 100_000, 1_000, 4);
    assert_eq!(runway(&w, "hot").days(), 96);
    for (frozen, deep_frozen) in [(true, false), (false, true), (true, true)] {
        let line = TrustLineView { frozen, deep_frozen, ..line("960") };
        w.change(vec![Change::TrustLine { account: id("hot"), asset: euro(), line: Some(line) }]);
        let hot = runway(&w, "hot");
        assert_eq!((hot.has, hot.frozen, hot.seconds()), (eur("0"), eur("960"), 0));
        assert_eq!(hot.usual, eur("10"), "what left is known all the same");
    }
    w.change(vec![has("hot", "960")]);
    assert_eq!((runway(&w, "hot").frozen, runway(&w, "hot").days()), (eur("0"), 96));
    w.change(vec![Change::TrustLine { account: id("hot"), asset: euro(), line: None }]);
    assert_eq!((runway(&w, "hot").has, runway(&w, "hot").seconds()), (eur("0"), 0));
}

/// Danger: the links of one asset make accounts seem to have what others have of another.
#[test]
fn accounts_count_together_by_the_links_of_that_asset_alone() {
    let links = vec![filled("euros", "cold", "hot", euro()), filled("xrp", "warm", "hot", Asset::Xrp)];
    let mut w = world(config(), &[("cold", "500"), ("warm", "70"), ("hot", "30")]);
    w.config.links = links;
    let group = |name: &str, asset| forecast::runway(&w.config, &w.state, &id(name), asset).group;
    assert_eq!(group("cold", euro()), ["cold", "hot"].map(id).into());
    assert_eq!(group("cold", Asset::Xrp), [id("cold")].into());
    assert_eq!(group("warm", euro()), [id("warm")].into());
    assert_eq!(group("warm", Asset::Xrp), ["warm", "hot"].map(id).into());
    assert_eq!((runway(&w, "cold").has, runway(&w, "warm").has), (eur("530"), eur("70")));
    for (name, asset, expected) in
        [("hot", euro(), false), ("hot", Asset::Xrp, false), ("cold", euro(), true), ("warm", euro(), true)]
    {
        assert_eq!(forecast::is_source(&w.config, &id(name), asset), expected, "{name} {asset}");
    }
    let sources = forecast::sources(&w.config, &w.state);
    // Of warm's euros nothing moves any.
    assert_eq!(sources, [(id("cold"), Asset::Xrp), (id("cold"), euro()), (id("warm"), Asset::Xrp)].into());
}

#[test]
fn what_schedules_take_of_an_asset_counts_for_that_asset_alone() {
    let mut w = world(config(), &[("hot", "100")]);
    let days = |w: &World, days: u32| RippleTime(w.state.now().0 + days * DAY_SECONDS);
    w.config.schedules = vec![schedule("hot", "shop", eur("40"), &[3, 6, 9, 12].map(|n| days(&w, n)))];
    let hot = runway(&w, "hot");
    assert_eq!((hot.scheduled, hot.ends), (eur("160"), Some(days(&w, 9))));
    let xrp = forecast::runway(&w.config, &w.state, &id("hot"), Asset::Xrp);
    assert_eq!((xrp.scheduled, xrp.ends), (Asset::Xrp.nothing(), None));
    // With what leaves every day besides, it is less.
    drain(&mut w, "hot", 10_000, 500, 2);
    w.config.schedules = vec![schedule("hot", "shop", eur("100"), &[days(&w, 30)])];
    assert_eq!(runway(&w, "hot").ends, Some(days(&w, 30)), "twice is not usual yet");
    drain(&mut w, "hot", 9_000, 500, 2);
    assert_eq!(runway(&w, "hot").ends, Some(days(&w, 16)));
}

#[test]
fn an_asset_is_looked_at_where_something_moves_it_and_lines_are_known() {
    let mut w = world(config(), &[("hot", "100"), ("warm", "100")]);
    let assets = |w: &World, name: &str| forecast::assets(&forecast::named(&w.config), &w.state, &id(name));
    let both: BTreeSet<Asset> = [Asset::Xrp, euro()].into();
    assert_eq!(assets(&w, "hot"), [Asset::Xrp].into(), "nothing moves it");
    w.change(vec![has("hot", "99")]);
    assert_eq!((assets(&w, "hot"), assets(&w, "warm")), (both.clone(), [Asset::Xrp].into()));
    w.config.links = vec![filled("euros", "cold", "warm", euro())];
    assert_eq!((assets(&w, "warm"), assets(&w, "cold")), (both.clone(), both.clone()), "without a line, too");
    let token: Asset = "00000001B5F762798A53D543A014CAF8B297CFF8F2F937E8".parse().unwrap();
    w.config.links = vec![filled("tokens", "cold", "warm", token)];
    assert_eq!(assets(&w, "warm"), [Asset::Xrp].into(), "of these no trust line says anything");
    w.config.links = Vec::new();
    w.config.schedules = vec![schedule("cold", "shop", eur("40"), &[])];
    assert_eq!(assets(&w, "cold"), both);
    w.jump(90 * DAY_SECONDS);
    assert_eq!(assets(&w, "hot"), [Asset::Xrp].into(), "it was long ago");
    // As long as lines were not read, nothing is said of them.
    w.state.accounts.get_mut(&id("cold")).unwrap().trust_lines = None;
    assert_eq!(assets(&w, "cold"), [Asset::Xrp].into());
}

fn found(w: &World) -> Vec<String> {
    let found = w.state.findings.values().filter(|finding| finding.kind == FindingKind::RunwayShort);
    found.map(|finding| finding.evidence.clone()).collect()
}

/// Danger: people are told of an account once, for XRP, and then not that its euros run out; or every hour.
#[test]
fn people_are_told_of_each_asset_by_itself_once_at_each_limit_and_again_after_it_has_been_better() {
    let outlook = Outlook { warn_days: [14, 7].into(), ..Outlook::default() };
    let mut w = world(Treasury { outlook, ..config() }, &[("hot", "150")]);
    w.checks_forms = true;
    let left = drain(&mut w, "hot", 15_000, 1_000, 4);
    w.jump(3_600);
    let told = found(&w);
    assert_eq!(told.len(), 1, "{told:?}");
    let says = |value: &str| eur(value).words();
    for part in [
        format!("the account has {}, which lasts about 1", says("110")),
        "less than 14 d".to_owned(),
        format!("{} usually leave in a day", says("10")),
        format!("schedules take {} within a year", says("0")),
    ] {
        assert!(told[0].contains(&part), "{part}: {}", told[0]);
    }
    assert!(!told[0].contains("reserves") && !told[0].contains("frozen"), "{}", told[0]);
    assert_eq!((w.state.below_days(&id("hot"), euro()), w.state.short.len()), (Some(14), 0));
    for _ in 0..5 {
        w.jump(3_600);
    }
    w.restart();
    w.reconcile();
    w.jump(3_600);
    assert_eq!(found(&w).len(), 1, "once, and a restart changes nothing");
    let left = drain(&mut w, "hot", left, 1_000, 5);
    w.jump(3_600);
    assert_eq!(found(&w).len(), 2);
    assert!(found(&w)[1].contains("less than 7 d"), "{:?}", found(&w));
    // XRP runs short as well, which is another matter.
    let soon = RippleTime(w.state.now().0 + 2 * DAY_SECONDS);
    w.config.schedules = vec![schedule("hot", "shop", Amount::from_words("200000 XRP").unwrap(), &[soon])];
    w.jump(3_600);
    assert_eq!(found(&w).len(), 3);
    assert_eq!(w.state.short.get(&id("hot")), Some(&7));
    w.config.schedules = Vec::new();
    w.change(vec![has("hot", "5000")]);
    w.jump(3_600);
    assert!(w.state.short.is_empty() && w.state.short_tokens.is_empty(), "both are better");
    let short = TrustLineView { frozen: true, ..line(&format!("{}", left / 100)) };
    w.change(vec![Change::TrustLine { account: id("hot"), asset: euro(), line: Some(short) }]);
    w.jump(3_600);
    let told = found(&w);
    assert_eq!(told.len(), 4, "anew");
    assert!(told[3].contains("which its issuer has frozen, counts for nothing"), "{}", told[3]);
    // What nothing moves any more is not looked at, and nothing is kept of it.
    w.jump(90 * DAY_SECONDS);
    w.jump(3_600);
    assert_eq!((w.state.short_tokens.len(), found(&w).len()), (0, 4));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// However many digits amounts have: whatever leaves besides, nothing lasts longer for it, and what usually leaves is no less.
    #[test]
    fn more_that_leaves_never_makes_an_asset_last_longer(
        days in prop::collection::vec((0..10_000_000_u64, -6..6_i32), 8..24),
        more in (1..10_000_000_u64, -9..6_i32),
        on in 0..8_usize,
    ) {
        let value = |(digits, exponent): (u64, i32)| format!("{digits}e{exponent}");
        // What leaves comes just before it does, so that as much is there in the end.
        let lasts = |besides: Option<(u64, i32)>| {
            let mut w = world(config(), &[("hot", "250000000000")]);
            w.checks_forms = false;
            for (day, much) in days.iter().enumerate() {
                w.jump(DAY_SECONDS);
                for much in [Some(*much), besides.filter(|_| day == on)].into_iter().flatten() {
                    w.change(vec![has("warm", &value(much)), has("warm", "0")]);
                }
            }
            w.config.links = vec![filled("euros", "hot", "warm", euro())];
            runway(&w, "hot")
        };
        let (before, then) = (lasts(None), lasts(Some(more)));
        prop_assert_eq!(before.has, then.has);
        prop_assert!(then.usual >= before.usual, "{:?} {:?}", before, then);
        prop_assert!(then.seconds() <= before.seconds(), "{:?} {:?}", before, then);
    }
}
