//! What each single captured thing can take at most.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use treasury_core::config::{AccountConfig, Keeps, LinkLimit, Role, Tier, TierLink, Treasury};
use treasury_core::effect::Party;
use treasury_core::exposure::{
    Captured, Exposure, Most, Power, Surroundings, Take, Until, Way, by_keys, exposure, exposures,
};
use treasury_core::intent::{Asker, IntentKind};
use treasury_core::matching::{matching, obligations};
use treasury_core::observe::{Change, SignerListView};
use treasury_core::policy::{Action, Approvers, DestinationMatch, Per, Policy, Rolling, Rule, Told};
use treasury_core::prove::{Outcome, Query, prove};
use treasury_core::reach::{Payee, Reach, reach};
use treasury_core::units::{AccountId, Amount, Asset, RippleTime, Weight};

use crate::world::{AGENTS, PEOPLE, World, XRP, amount, config, id};

fn around(servers: usize, read_quorum: usize) -> Surroundings {
    let servers = (1..=servers).map(|n| format!("wss://server-{n}")).collect();
    Surroundings { servers, read_quorum, has_guard: true }
}

fn of(w: &World, captured: Captured) -> Exposure {
    exposure(&w.config, &w.state, &around(3, 2), &captured)
}

fn take<'a>(found: &'a Exposure, account: &str) -> Option<&'a Take> {
    found.takes.iter().find(|take| take.account == id(account))
}

fn whole(found: &Exposure) -> BTreeSet<AccountId> {
    let whole = found.takes.iter().filter(|take| matches!(take.most, Most::Everything { .. }));
    whole.map(|take| take.account).collect()
}

fn ids(names: &[&str]) -> BTreeSet<AccountId> {
    names.iter().map(|name| id(name)).collect()
}

/// Warm and hot are 2 of four people and two agents; cold is 3 of the people.
#[test]
fn one_agents_key_takes_nothing_and_all_of_them_whatever_they_reach_the_quorum_of() {
    let w = World::new();
    assert_eq!(of(&w, Captured::AgentKey(id("agent-1"))).takes, []);
    let all = of(&w, Captured::AgentKeys);
    assert_eq!(whole(&all), ids(&["warm", "hot"]));
    let hot = take(&all, "hot").unwrap();
    assert_eq!(hot.way, Way::Quorum { weight: 2, quorum: 2 });
    assert_eq!(hot.until, Until::OtherSigners);
    let has = vec![amount(100_000 * XRP)];
    assert_eq!(hot.most, Most::Everything { has, comes: Vec::new() });
    assert_eq!(
        hot.words(),
        "EVERYTHING, at once (100000 XRP): keys of weight 2 reach the quorum of 2; no stop binds it; it is seen with its \
         ledger, and the other signers can change the SignerList"
    );
    assert_eq!(whole(&of(&w, Captured::Daemon)), ids(&["warm", "hot", "runner"]));
    assert_eq!(whole(&of(&w, Captured::Runner(id("runner")))), ids(&["runner"]));
}

/// Danger: a signer's RegularKey is one of the agents', and what a thief of that one key takes is said to be nothing.
#[test]
fn a_key_that_may_sign_for_another_signer_counts_for_both() {
    let mut w = World::new();
    let mut root = w.state.accounts[&id("warm")].root.unwrap();
    root.regular_key = Some(id("agent-1"));
    w.change(vec![Change::Root { account: id("alice"), root: Some(root) }]);
    let one = of(&w, Captured::AgentKey(id("agent-1")));
    assert_eq!(whole(&one), ids(&["warm", "hot"]));
}

#[test]
fn what_links_bring_in_the_meantime_is_told_by_the_least_of_their_limits() {
    let link = TierLink {
        name: "warm to hot".to_owned(),
        from: id("warm"),
        to: id("hot"),
        asset: Asset::Xrp,
        keeps: Keeps::Filled { floor: amount(100 * XRP), target: amount(200 * XRP) },
        source_floor: amount(0),
        move_min: amount(0),
        move_max: amount(500 * XRP),
        period_max: amount(900 * XRP),
        period_seconds: 86_400,
        limits: vec![LinkLimit { most: amount(300 * XRP), period_seconds: 3_600 }],
        hours: None,
    };
    let comes = |link: &TierLink| {
        let w = World::with(Treasury { links: vec![link.clone()], ..config() });
        let all = of(&w, Captured::AgentKeys);
        let Most::Everything { comes, .. } = &take(&all, "hot").unwrap().most else { panic!("{all:?}") };
        let [(name, most, seconds)] = comes.as_slice() else { panic!("{comes:?}") };
        assert_eq!(name, "warm to hot");
        (*most, *seconds)
    };
    assert_eq!(comes(&link), (amount(300 * XRP), 3_600));
    // As much over a longer time is less.
    for (period_seconds, other) in [(3_600, 7_200), (7_200, 3_600)] {
        let limits = vec![LinkLimit { most: amount(900 * XRP), period_seconds: other }];
        let link = TierLink { period_seconds, limits, ..link.clone() };
        assert_eq!(comes(&link), (amount(900 * XRP), 7_200));
    }
}

#[test]
fn a_signer_list_on_the_ledger_counts_and_a_key_beside_it() {
    let mut w = World::new();
    let list = Some(SignerListView { quorum: Weight(1), entries: [(id("agent-1"), 1)].into() });
    w.change(vec![Change::SignerList { account: id("cold"), list }]);
    let one = of(&w, Captured::AgentKey(id("agent-1")));
    assert_eq!(whole(&one), ids(&["cold"]));
    assert_eq!(take(&one, "cold").unwrap().until, Until::Nobody, "nobody else is on the list");
    let mut root = w.state.accounts[&id("hot")].root.unwrap();
    root.regular_key = Some(id("bob"));
    w.change(vec![Change::Root { account: id("hot"), root: Some(root) }]);
    let bob = of(&w, Captured::Person("bob".to_owned()));
    assert_eq!(take(&bob, "hot").unwrap().way, Way::Alone);
}

#[test]
fn a_person_who_may_ask_takes_what_policy_lets_agents_sign_and_no_more() {
    let w = World::new();
    let alice = of(&w, Captured::Person("alice".to_owned()));
    assert_eq!(whole(&alice), BTreeSet::new());
    let small = Reach { one: Some(amount(100 * XRP)), periods: Vec::new() };
    for account in ["warm", "hot"] {
        let most =
            Most::Limited { asset: Asset::Xrp, to_new: Some(small.clone()), to_anybody: small.clone() };
        let taken = take(&alice, account).unwrap();
        assert_eq!((taken.way, &taken.most), (Way::Policy, &most));
        assert_eq!(taken.until, Until::Stop(vec!["dave".to_owned()]));
        assert!(
            taken.words().contains("100 XRP a payment, again and again, WITHOUT A LIMIT"),
            "{}",
            taken.words()
        );
    }
    assert_eq!(take(&alice, "cold"), None, "no agent signs for it");
    assert_eq!(alice.powers, [Power::Asks, Power::Signs]);
    let bob = of(&w, Captured::Person("bob".to_owned()));
    assert_eq!(bob.takes, [], "he may not ask");
    let dave = of(&w, Captured::Person("dave".to_owned()));
    assert_eq!(dave.powers, [Power::Signs, Power::Stops, Power::LiftsHolds, Power::LiftsFreezes]);
}

#[test]
fn who_stops_others_does_not_count_against_themselves() {
    let mut config = config();
    config.people.get_mut("dave").unwrap().roles.insert(Role::Proposer);
    let w = World::with(config);
    let dave = of(&w, Captured::Person("dave".to_owned()));
    let hot = take(&dave, "hot").unwrap();
    assert_eq!(hot.until, Until::Stop(Vec::new()));
    assert!(hot.words().ends_with("nobody else may stop it"), "{}", hot.words());
}

#[test]
fn one_server_of_several_that_agree_takes_nothing_and_one_that_is_believed_alone_hides_what_speaks_against_a_release()
 {
    let mut w = World::new();
    w.escrow();
    let server = || Captured::Server("wss://server-1".to_owned());
    let told = |servers, read_quorum| exposure(&w.config, &w.state, &around(servers, read_quorum), &server());
    assert_eq!((told(3, 2).takes, told(3, 2).powers), (Vec::new(), Vec::new()));
    assert_eq!((told(2, 2).takes, told(2, 2).powers), (Vec::new(), vec![Power::Blinds]));
    let alone = told(3, 1);
    assert_eq!(alone.powers, [Power::Deceives]);
    let [warm] = alone.takes.as_slice() else { panic!("{alone:?}") };
    assert_eq!((warm.way, &warm.until), (Way::Escrows { count: 1 }, &Until::Stop(vec!["dave".to_owned()])));
}

#[test]
fn what_waits_in_escrows_is_released_by_a_captured_daemon_which_asks_a_guard_for_its_part_as_well() {
    let escrows = |party, captured| {
        let mut w = World::with(Treasury { new_escrows: party, ..config() });
        w.escrow();
        let found = of(&w, captured);
        let waiting = found.takes.into_iter().find(|take| matches!(take.way, Way::Escrows { .. }));
        waiting.map(|take| (take.account, take.most))
    };
    let waits = |found: Option<(AccountId, Most)>| match found {
        Some((account, Most::Waiting(amounts))) => account == id("warm") && amounts.len() == 1,
        _ => false,
    };
    assert!(waits(escrows(Party::Own, Captured::Daemon)));
    assert_eq!(escrows(Party::Own, Captured::Guard), None);
    assert!(waits(escrows(Party::Guarded, Captured::Guard)));
    assert!(waits(escrows(Party::Guarded, Captured::Daemon)));
    assert_eq!(escrows(Party::Own, Captured::AgentKeys), None);
}

#[test]
fn every_single_thing_is_told_once() {
    let w = World::new();
    let all = exposures(&w.config, &w.state, &around(3, 2));
    let words: Vec<&str> = all.iter().map(|found| found.captured.word()).collect();
    let mut expected = vec!["agent_key", "agent_key", "agent_keys", "runner", "daemon"];
    expected.extend(["person"; 4]);
    expected.extend(["server"; 3]);
    expected.push("guard");
    assert_eq!(words, expected);
}

#[test]
fn the_key_of_an_account_itself_takes_it_unless_it_may_not_sign() {
    let mut config = config();
    config.people.get_mut("bob").unwrap().signer = Some(id("hot"));
    let mut w = World::with(config);
    let bob = |w: &World| whole(&of(w, Captured::Person("bob".to_owned())));
    assert_eq!(bob(&w), BTreeSet::new(), "its master key is disabled");
    let mut root = w.state.accounts[&id("hot")].root.unwrap();
    root.flags = 0;
    w.change(vec![Change::Root { account: id("hot"), root: Some(root) }]);
    assert_eq!(bob(&w), ids(&["hot"]));
}

#[test]
fn an_account_that_is_not_on_the_ledger_yet_counts_as_it_is_declared() {
    let mut w = World::new();
    let hot = w.state.accounts.get_mut(&id("hot")).unwrap();
    (hot.root, hot.signer_list) = (None, None);
    let all = of(&w, Captured::AgentKeys);
    assert_eq!(whole(&all), ids(&["warm", "hot"]));
    assert_eq!(take(&all, "hot").unwrap().most, Most::Everything { has: Vec::new(), comes: Vec::new() });
}

#[test]
fn what_a_key_opens_by_itself_is_not_told_once_more_as_what_policy_lets_through() {
    let mut w = World::new();
    let mut root = w.state.accounts[&id("hot")].root.unwrap();
    root.regular_key = Some(id("alice"));
    w.change(vec![Change::Root { account: id("hot"), root: Some(root) }]);
    let alice = of(&w, Captured::Person("alice".to_owned()));
    let ways: Vec<(AccountId, Way)> = alice.takes.iter().map(|take| (take.account, take.way)).collect();
    assert_eq!(ways, [(id("warm"), Way::Policy), (id("hot"), Way::Alone)]);
}

#[test]
fn of_an_account_that_pays_nobody_nothing_is_got_by_asking() {
    let mut config = config();
    let hot = config.accounts[&id("hot")].clone();
    let board = AccountConfig { name: "board".to_owned(), tier: Tier::Board, ..hot };
    config.accounts.insert(id("board"), board);
    let w = World::with(config);
    let alice = of(&w, Captured::Person("alice".to_owned()));
    let asked: BTreeSet<AccountId> = alice.takes.iter().map(|take| take.account).collect();
    assert_eq!(asked, ids(&["warm", "hot"]));
}

#[test]
fn what_is_taken_is_told_in_the_order_of_tiers() {
    let mut config = config();
    config.people.get_mut("bob").unwrap().signer = None;
    let cold = config.accounts.get_mut(&id("cold")).unwrap();
    cold.signers.as_mut().unwrap().entries = [(id("agent-1"), 3)].into();
    let w = World::with(config);
    let daemon = of(&w, Captured::Daemon);
    let taken: Vec<AccountId> = daemon.takes.iter().map(|take| take.account).collect();
    assert_eq!(taken, ["cold", "warm", "hot", "runner"].map(id));
}

#[test]
fn what_is_taken_is_told_in_words_that_leave_nothing_out() {
    let xrp = |xrp: u64| amount(xrp * XRP);
    let reach = |one: Option<u64>, periods: &[(u32, u64)]| Reach {
        one: one.map(xrp),
        periods: periods.iter().map(|(seconds, most)| (*seconds, xrp(*most))).collect(),
    };
    let comes = vec![("fill".to_owned(), xrp(300), 3_600), ("other".to_owned(), xrp(5), 90)];
    let stop = |names: &[&str]| Until::Stop(names.iter().map(|name| (*name).to_owned()).collect());
    let small = reach(Some(10), &[(60, 20), (172_800, 50)]);
    for (way, most, until, expected) in [
        (
            Way::Alone,
            Most::Everything { has: Vec::new(), comes },
            Until::Nobody,
            "EVERYTHING, at once (not known), and up to 300 XRP within 1 h that \"fill\" brings, and up to 5 XRP within 90 s \
             that \"other\" brings: its key needs no other; nobody can stop it",
        ),
        (
            Way::Policy,
            Most::Limited { asset: Asset::Xrp, to_new: None, to_anybody: reach(None, &[(0, 40)]) },
            stop(&["dave", "erin"]),
            "nothing to a new destination; to others whatever it has with one payment, 40 XRP within 0 s: by asking for what \
             agents sign; until a stop of dave or erin, at once",
        ),
        (
            Way::Policy,
            Most::Limited { asset: Asset::Xrp, to_new: Some(small.clone()), to_anybody: small.clone() },
            stop(&[]),
            "10 XRP a payment, 20 XRP within 60 s and 50 XRP within 2 d: by asking for what agents sign; nobody else may stop it",
        ),
        (
            Way::Policy,
            Most::Limited { asset: Asset::Xrp, to_new: Some(small), to_anybody: reach(Some(100), &[]) },
            stop(&["dave"]),
            "10 XRP a payment, 20 XRP within 60 s and 50 XRP within 2 d to a new destination; 100 XRP a payment, again and \
             again, WITHOUT A LIMIT to others: by asking for what agents sign; until a stop of dave, at once",
        ),
        (
            Way::Escrows { count: 3 },
            Most::Waiting(vec![xrp(2_000), xrp(1)]),
            Until::Nobody,
            "2000 XRP, 1 XRP: 3 that wait, to whom they were made for; nobody can stop it",
        ),
    ] {
        let take = Take { account: id("hot"), way, most, until };
        assert_eq!(take.words(), expected);
    }
}

#[test]
fn things_and_ways_and_ends_have_the_words_that_programs_go_by() {
    let w = World::new();
    let which = |captured: Captured| captured.which();
    assert_eq!(which(Captured::AgentKey(id("agent-1"))), Some(id("agent-1").to_string()));
    assert_eq!(which(Captured::Person("bob".to_owned())).as_deref(), Some("bob"));
    assert_eq!(which(Captured::Server("wss://one".to_owned())).as_deref(), Some("wss://one"));
    for only in [Captured::AgentKeys, Captured::Runner(id("runner")), Captured::Daemon, Captured::Guard] {
        assert_eq!(which(only), None);
    }
    let ways = [Way::Quorum { weight: 2, quorum: 2 }, Way::Alone, Way::Policy, Way::Escrows { count: 1 }];
    assert_eq!(ways.map(Way::word), ["quorum", "alone", "policy", "escrows"]);
    let ends = [Until::OtherSigners, Until::Nobody, Until::Stop(Vec::new())];
    assert_eq!(ends.map(|until| until.word()), ["other_signers", "nobody", "stop"]);
    let words: BTreeSet<&str> = exposures(&w.config, &w.state, &around(1, 1))
        .iter()
        .flat_map(|found| &found.powers)
        .map(|power| power.words())
        .collect();
    let expected = [
        "asks for payments that others have to sign",
        "keeps its part back: what waits in guarded escrows comes back",
        "lifts freezes",
        "lifts holds",
        "shows another ledger: what would hold an escrow back is not seen",
        "signs what others ask for, and is one of several who have to",
        "stops everything",
        "takes sight away: nothing leaves as long as it likes",
    ];
    assert_eq!(words, expected.into());
}

fn rule(name: usize, above: u64, most: u64, action: Action) -> Rule {
    let bound = |xrp: u64| (xrp > 0).then(|| amount(xrp * XRP));
    Rule { amount_above: bound(above), amount_max: bound(most), ..Rule::new(format!("rule {name}"), action) }
}

#[test]
fn a_new_destination_gets_what_rules_for_new_ones_let_through() {
    let known = Rule { destination: Some(DestinationMatch::Known), ..rule(1, 0, 500, Action::Allow) };
    let rolling = Some(Rolling {
        period_seconds: 86_400,
        per: Per::Account,
        amount_above: None,
        amount_max: Some(amount(40 * XRP)),
    });
    let new = Rule { destination: Some(DestinationMatch::New), rolling, ..rule(2, 0, 0, Action::Allow) };
    let treasury = Treasury { policy: Policy::new(vec![known, new]), ..config() };
    let to = |payee| reach(&treasury, "alice", &id("hot"), Asset::Xrp, payee);
    let day = |xrp: u64| vec![(86_400, amount(xrp * XRP))];
    assert_eq!(to(Payee::New), Some(Reach { one: Some(amount(40 * XRP)), periods: day(40) }));
    assert_eq!(to(Payee::Anybody), Some(Reach { one: Some(amount(500 * XRP)), periods: Vec::new() }));
    assert_eq!(
        reach(&treasury, "alice", &id("hot"), Asset::Xrp, Payee::New).unwrap().within(3 * 86_400),
        Some(amount(120 * XRP))
    );
    let none = Treasury { policy: Policy::new(vec![]), ..treasury };
    assert_eq!(
        reach(&none, "alice", &id("hot"), Asset::Xrp, Payee::Anybody),
        None,
        "no rule lets anything through"
    );
}

fn an_action() -> impl Strategy<Value = Action> {
    let two = Approvers { weight: Weight(2), roles: [Role::Approver].into(), ..Default::default() };
    let told = Told { roles: [Role::Security].into(), ..Told::default() };
    prop_oneof![
        4 => Just(Action::Allow),
        1 => Just(Action::Approve(two)),
        1 => Just(Action::Deny),
        1 => Just(Action::Notify(told)),
    ]
}

fn a_rolling() -> impl Strategy<Value = Option<Rolling>> {
    let bound = || prop::option::of((1..60_u64).prop_map(|xrp| amount(xrp * XRP)));
    let per = prop_oneof![Just(Per::Account), Just(Per::Asker), Just(Per::Destination)];
    let rolling = (prop::sample::select(vec![60_u32, 600]), per, bound(), bound());
    prop::option::of(rolling.prop_map(|(period_seconds, per, amount_above, amount_max)| Rolling {
        period_seconds,
        per,
        amount_above,
        amount_max,
    }))
}

fn a_rule() -> impl Strategy<Value = Rule> {
    let destination = prop_oneof![
        3 => Just(None),
        1 => Just(Some(DestinationMatch::Known)),
        1 => Just(Some(DestinationMatch::New)),
        1 => Just(Some(DestinationMatch::Treasury)),
    ];
    let askers = prop_oneof![3 => Just(None), 1 => Just(Some("alice")), 1 => Just(Some("bob"))];
    let kinds = prop_oneof![3 => Just(None), 1 => Just(Some(vec![IntentKind::Pay])), 1 => Just(Some(vec![IntentKind::Move]))];
    (0..30_u64, 0..60_u64, destination, askers, kinds, a_rolling(), an_action()).prop_map(
        |(above, most, destination, asker, kinds, rolling, action)| Rule {
            destination,
            askers: asker.map(|name| vec![Asker::Person(name.to_owned())]),
            kinds,
            rolling,
            ..rule(0, above, most, action)
        },
    )
}

fn a_policy() -> impl Strategy<Value = Policy> {
    prop::collection::vec(a_rule(), 1..6).prop_map(|rules| {
        let named = rules.into_iter().enumerate().map(|(n, rule)| Rule { name: format!("rule {n}"), ..rule });
        Policy::new(named.collect())
    })
}

proptest! {
    /// The prover, which tries every payment, finds none that agents sign above what is told.
    #[test]
    fn no_payment_that_policy_lets_through_is_above_what_is_told(policy in a_policy()) {
        let treasury = Treasury { policy, destinations: [(id("shop"), "shop".to_owned())].into(), ..config() };
        for (payee, destination) in [(Payee::New, Some(DestinationMatch::New)), (Payee::Anybody, None)] {
            let told = reach(&treasury, "alice", &id("hot"), Asset::Xrp, payee);
            let above = match &told {
                None => None,
                Some(Reach { one: Some(one), .. }) => Some(*one),
                Some(Reach { one: None, .. }) => continue,
            };
            let query = Query {
                outcome: Outcome::Alone,
                above,
                destination,
                account: Some(id("hot")),
                asker: Some(Asker::Person("alice".to_owned())),
                ..Query::default()
            };
            let found = prove(&treasury, &treasury.policy, RippleTime(0), &query).unwrap();
            let found = found.filter(|found| above.is_some() || found.example.amount.issue().is_xrp());
            prop_assert!(found.is_none(), "told {told:?} to {payee:?}: {:?}", found.map(|found| found.example.words(&treasury)));
        }
    }

    /// Whoever asks for payment after payment gets no more out of an account within a period than is told.
    #[test]
    fn payment_after_payment_takes_no_more_within_a_period_than_is_told(
        policy in a_policy(),
        asked in prop::collection::vec(1..60_u64, 1..20),
    ) {
        let treasury = Treasury { policy, ..config() };
        let told = reach(&treasury, "alice", &id("hot"), Asset::Xrp, Payee::New);
        // Everything within one period of each length, and to one destination: all sums are the same.
        let mut gone = 0;
        for xrp in asked {
            let query = Query { asker: Some(Asker::Person("alice".to_owned())), account: Some(id("hot")), ..Query::default() };
            let payment = an_example(&query, xrp, gone);
            if !obligations(&matching(&treasury.policy, &payment)).agents_sign() {
                continue;
            }
            gone += xrp;
            let told = told.as_ref();
            prop_assert!(told.is_some(), "{xrp} left");
            for (period, most) in &told.unwrap().periods {
                prop_assert!(amount(gone * XRP) <= *most, "{gone} left within {period} s, told {most:?}");
            }
        }
    }

    /// Danger: that a key more seems to take less, or from another account.
    #[test]
    fn one_key_more_never_takes_less(
        lists in prop::collection::vec((1..6_u32, prop::collection::vec(0..4_u16, 6)), 3),
        keys in prop::collection::vec(any::<bool>(), 6),
        more in 0..6_usize,
    ) {
        let names: Vec<&str> = PEOPLE.into_iter().chain(AGENTS).collect();
        let mut w = World::new();
        for (account, (quorum, weights)) in ["cold", "warm", "hot"].into_iter().zip(lists) {
            let entries = names.iter().zip(weights).filter(|(_, weight)| *weight > 0);
            let entries = entries.map(|(name, weight)| (id(name), weight)).collect();
            let list = Some(SignerListView { quorum: Weight(quorum), entries });
            w.state.accounts.get_mut(&id(account)).unwrap().signer_list = list;
        }
        let had: BTreeSet<AccountId> = names.iter().zip(&keys).filter(|(_, has)| **has).map(|(name, _)| id(name)).collect();
        let mut has = had.clone();
        has.insert(id(names[more]));
        let taken = |keys: &BTreeSet<AccountId>| -> BTreeMap<AccountId, Most> {
            by_keys(&w.config, &w.state, keys).into_iter().map(|take| (take.account, take.most)).collect()
        };
        let (before, after) = (taken(&had), taken(&has));
        for (account, most) in &before {
            prop_assert_eq!(after.get(account), Some(most));
        }
        for account in after.keys() {
            // And by nobody who does not reach the quorum.
            let list = w.state.accounts[account].signer_list.as_ref().unwrap();
            let weight: u32 = list.entries.iter().filter(|(signer, _)| has.contains(*signer)).map(|(_, weight)| u32::from(*weight)).sum();
            prop_assert!(weight >= list.quorum.0);
        }
        // The daemon has what all agents have, and those what each has.
        let whole_of = |captured| whole(&of(&w, captured));
        let all = whole_of(Captured::AgentKeys);
        prop_assert!(whole_of(Captured::AgentKey(id("agent-1"))).is_subset(&all));
        prop_assert!(all.is_subset(&whole_of(Captured::Daemon)));
    }
}

fn an_example(query: &Query, xrp: u64, gone: u64) -> treasury_core::example::Example {
    let mut sums = BTreeMap::new();
    for per in [Per::Account, Per::Asker, Per::Destination] {
        for period in [60, 600] {
            sums.insert((per, period), amount(gone * XRP));
        }
    }
    treasury_core::example::Example {
        asker: query.asker.clone().unwrap(),
        roles: [Role::Proposer, Role::Approver].into(),
        account: query.account.unwrap(),
        tier: Some(treasury_core::config::Tier::Hot),
        kind: IntentKind::Pay,
        recipient: Default::default(),
        paid_for: None,
        amount: Amount::Xrp(crate::world::drops(xrp * XRP)),
        at: RippleTime(0),
        sums,
        counts: BTreeMap::new(),
        risk: 0,
    }
}
