//! Another table of rules than the one in force: it waits for people, and no file alone makes it decide.

use std::collections::BTreeSet;
use std::sync::Arc;

use treasury_core::charter::{Charter, Table};
use treasury_core::command::{Answer, Command, CommandError, Propose};
use treasury_core::config::{Keeps, Role, Tier, TierLink};
use treasury_core::decide::is_known;
use treasury_core::fits::left_behind;
use treasury_core::input::Input;
use treasury_core::list::List;
use treasury_core::observe::LedgerPoint;
use treasury_core::policy::{Action, Approvers, DestinationMatch, Policy, Risk, Rule, Times, Zone};
use treasury_core::units::{Asset, Hash256, RippleTime};
use treasury_core::{Event, Treasury};

use crate::world::{World, XRP, amount, config, hash, id};

/// Two of bob, carol and dave.
fn terms() -> Approvers {
    let people = ["bob", "carol", "dave"].map(str::to_owned).into();
    Approvers { signatures: 2, people, ..Approvers::default() }
}

fn up_to(xrp: u64) -> Policy {
    let small = Rule { amount_max: Some(amount(xrp * XRP)), ..Rule::new("small", Action::Allow) };
    Policy::new(vec![small])
}

fn asked(xrp: u64) -> Policy {
    up_to(xrp).with_activation(Some(terms()))
}

/// A treasury that decides by a policy which people put in force.
fn world(policy: Policy) -> World {
    let mut w = World::with(Treasury { policy: policy.clone(), ..config() });
    configure(&mut w, &policy);
    w
}

/// As the daemon does with another configuration: what is in force decides.
fn configure(w: &mut World, policy: &Policy) {
    let configured = Treasury { policy: policy.clone(), ..w.config.clone() };
    w.input(Input::Configured { table: Box::new(Table::of(&configured)) });
    w.config = w.state.charter.in_force(&configured);
}

/// The policy in force where this one is configured.
fn in_force(w: &World, policy: &Policy) -> Policy {
    w.state.charter.in_force(&Treasury { policy: policy.clone(), ..config() }).policy
}

fn table_of(policy: &Policy) -> Table {
    Table::of(&Treasury { policy: policy.clone(), ..config() })
}

fn activate(w: &mut World, person: &str, policy: Hash256) -> Result<Answer, CommandError> {
    w.command(person, Command::ActivatePolicy { policy, reason: "as agreed on Monday".to_owned() })
}

fn waits(w: &World) -> Option<Hash256> {
    w.state.charter.candidate.as_ref().map(|candidate| candidate.hash)
}

fn named(policy: &Policy) -> Hash256 {
    table_of(policy).hash()
}

#[test]
fn nothing_is_kept_and_nobody_is_asked_where_the_configuration_does_not_say_so() {
    let mut w = world(up_to(10));
    configure(&mut w, &up_to(20));
    assert_eq!(w.state.charter, Charter::default());
    assert_eq!(w.config.policy, up_to(20));
    let refused = activate(&mut w, "dave", named(&up_to(20))).unwrap_err();
    assert_eq!(refused.code(), "UNKNOWN_POLICY");
}

/// Danger: whoever can write a file lets out what nobody has allowed.
#[test]
fn a_changed_table_decides_once_so_many_people_have_put_it_in_force_and_not_before() {
    let mut w = world(asked(10));
    assert_eq!(w.state.charter.active.as_ref().map(|active| active.hash), Some(named(&asked(10))));
    let next = asked(1_000);
    configure(&mut w, &next);
    assert_eq!((waits(&w), w.config.policy.clone()), (Some(named(&next)), asked(10)));
    let denied = w.propose("hot", 11);
    assert_eq!(w.word(denied), "denied");
    assert_eq!(
        activate(&mut w, "bob", named(&next)),
        Ok(Answer::Endorsed { changed: true, in_force: false, has: 1, wants: 2 })
    );
    // Twice the same person is one.
    assert_eq!(
        activate(&mut w, "bob", named(&next)),
        Ok(Answer::Endorsed { changed: false, in_force: false, has: 1, wants: 2 })
    );
    assert_eq!(in_force(&w, &next), asked(10));
    assert_eq!(
        activate(&mut w, "dave", named(&next)),
        Ok(Answer::Endorsed { changed: true, in_force: true, has: 2, wants: 2 })
    );
    assert_eq!((waits(&w), in_force(&w, &next)), (None, next.clone()));
    let active = w.state.charter.active.clone().unwrap();
    let by: Vec<(&str, &str)> =
        active.by.iter().map(|(by, given)| (by.as_str(), given.reason.as_str())).collect();
    assert_eq!(by, [("bob", "as agreed on Monday"), ("dave", "as agreed on Monday")]);
    w.config.policy = in_force(&w, &next);
    let paid = w.propose("hot", 11);
    assert_eq!(w.word(paid), "in_flight");
    // An answer that was lost can be asked for again.
    assert_eq!(
        activate(&mut w, "carol", named(&next)),
        Ok(Answer::Endorsed { changed: false, in_force: true, has: 2, wants: 2 })
    );
    let words: Vec<&str> =
        w.events.iter().map(Event::word).filter(|word| word.starts_with("policy")).collect();
    assert_eq!(
        words,
        ["policy_adopted", "policy_proposed", "policy_endorsed", "policy_endorsed", "policy_activated"]
    );
}

#[test]
fn what_is_in_force_stays_so_over_a_restart_whatever_stands_in_the_file() {
    let mut w = world(asked(10));
    configure(&mut w, &asked(1_000));
    activate(&mut w, "bob", named(&asked(1_000))).unwrap();
    w.restart();
    // The same file again: what was said for it counts.
    let before = w.state.charter.clone();
    configure(&mut w, &asked(1_000));
    assert_eq!(w.state.charter, before);
    // Another file: that waits, and nobody has said anything of it.
    configure(&mut w, &asked(2_000));
    assert_eq!((waits(&w), w.config.policy.clone()), (Some(named(&asked(2_000))), asked(10)));
    let after = activate(&mut w, "dave", named(&asked(2_000))).unwrap();
    assert_eq!(after, Answer::Endorsed { changed: true, in_force: false, has: 1, wants: 2 });
    assert_eq!(activate(&mut w, "carol", named(&asked(1_000))).unwrap_err().code(), "UNKNOWN_POLICY");
    // And the file as it was: nothing waits any more.
    configure(&mut w, &asked(10));
    assert_eq!((waits(&w), w.config.policy.clone()), (None, asked(10)));
    assert_eq!(activate(&mut w, "carol", named(&asked(2_000))).unwrap_err().code(), "UNKNOWN_POLICY");
}

#[test]
fn others_and_whoever_says_nothing_are_refused_and_change_nothing() {
    let mut w = world(asked(10));
    let next = asked(1_000);
    configure(&mut w, &next);
    let before = w.state.charter.clone();
    let refused = activate(&mut w, "alice", named(&next)).unwrap_err();
    assert_eq!(refused, CommandError::NotAnActivator("2 of bob or carol or dave".to_owned()));
    assert_eq!(refused.refusal(), treasury_core::command::Refusal::Forbidden);
    let unknown = activate(&mut w, "bob", hash("another")).unwrap_err();
    assert_eq!(
        (unknown.code(), unknown.refusal()),
        ("UNKNOWN_POLICY", treasury_core::command::Refusal::Missing)
    );
    for reason in ["", " \n", "\u{1b}[2J"] {
        let command = Command::ActivatePolicy { policy: named(&next), reason: reason.to_owned() };
        assert_eq!(w.command("bob", command).unwrap_err().code(), "BAD_VALUE", "{reason:?}");
    }
    let long = Command::ActivatePolicy { policy: named(&next), reason: "x".repeat(501) };
    assert_eq!(w.command("bob", long).unwrap_err().code(), "BAD_VALUE");
    assert_eq!(w.state.charter, before);
}

#[test]
fn whoever_has_lost_what_made_them_count_does_not_count() {
    let admins = Approvers { signatures: 2, roles: BTreeSet::from([Role::Admin]), ..Approvers::default() };
    let policy = |xrp| up_to(xrp).with_activation(Some(admins.clone()));
    let mut w = World::with(Treasury { policy: policy(10), ..config() });
    for person in ["bob", "carol"] {
        w.config.people.get_mut(person).unwrap().roles.insert(Role::Admin);
    }
    configure(&mut w, &policy(10));
    let next = policy(1_000);
    configure(&mut w, &next);
    activate(&mut w, "bob", named(&next)).unwrap();
    w.config.people.get_mut("bob").unwrap().roles.remove(&Role::Admin);
    assert_eq!(
        activate(&mut w, "carol", named(&next)),
        Ok(Answer::Endorsed { changed: true, in_force: false, has: 1, wants: 2 })
    );
    assert_eq!(activate(&mut w, "bob", named(&next)).unwrap_err().code(), "NOT_AN_ACTIVATOR");
    assert_eq!(activate(&mut w, "dave", named(&next)).map(|_| waits(&w)), Ok(None));
}

/// Danger: who may change the rules is changed by the file, and then the rules are.
#[test]
fn who_puts_tables_in_force_is_changed_by_those_who_do_so_now() {
    let mut w = world(asked(10));
    let alice = Approvers { signatures: 1, people: ["alice".to_owned()].into(), ..Approvers::default() };
    let hers = up_to(10).with_activation(Some(alice));
    configure(&mut w, &hers);
    assert_eq!(waits(&w), Some(named(&hers)), "though the rules are the same");
    assert_eq!(activate(&mut w, "alice", named(&hers)).unwrap_err().code(), "NOT_AN_ACTIVATOR");
    // Without the table of the configuration, too.
    configure(&mut w, &up_to(1_000));
    assert_eq!((waits(&w), w.config.policy.clone()), (Some(named(&up_to(1_000))), asked(10)));
    activate(&mut w, "bob", named(&up_to(1_000))).unwrap();
    activate(&mut w, "carol", named(&up_to(1_000))).unwrap();
    assert_eq!(w.state.charter, Charter::default(), "from now on whoever changes the file decides");
    configure(&mut w, &up_to(2_000));
    assert_eq!(w.config.policy, up_to(2_000));
}

/// Danger: people are taken out of the configuration, and the policy can never be changed again.
#[test]
fn a_configuration_with_which_nobody_could_change_the_policy_any_more_is_refused() {
    let w = world(asked(10));
    assert_eq!(left_behind(&w.config, &w.state), Vec::<String>::new());
    let mut config = w.config.clone();
    config.people.remove("bob");
    assert_eq!(left_behind(&config, &w.state), Vec::<String>::new(), "two are left");
    config.people.remove("carol");
    let left = left_behind(&config, &w.state);
    assert_eq!(
        left,
        [
            "another policy is put in force by 2 of bob or carol or dave, of whom 1 are declared: nobody could change it any more"
        ]
    );
}

/// Danger: a list is taken out of the file, and whom it stops is let through.
#[test]
fn a_list_that_is_not_configured_any_more_counts_as_one_that_cannot_be_read() {
    let sanctions = || List::new("sanctions", vec![crate::world::id("thief")], None);
    let listed = Rule {
        listed: Some(BTreeSet::from(["sanctions".to_owned()])),
        ..Rule::new("sanctioned", Action::Deny)
    };
    let any = Rule::new("any", Action::Allow);
    let policy =
        Policy::new(vec![any.clone(), listed]).with_lists([sanctions()]).with_activation(Some(terms()));
    let mut w = world(policy);
    let next = Policy::new(vec![any]).with_activation(Some(terms()));
    configure(&mut w, &next);
    let p = w.propose("hot", 1);
    let decision = &w.proposal(p).decision;
    assert_eq!((w.word(p), decision.rule().as_str()), ("denied", "any, list sanctions is not good"));
    // With the list there again it is as before.
    configure(&mut w, &next.clone().with_lists([sanctions()]));
    let p = w.propose("hot", 1);
    assert_eq!(w.word(p), "in_flight");
}

/// Danger: a newer release knows newer clocks, and nobody's change waits for people.
#[test]
fn what_clocks_show_somewhere_is_no_other_table_and_anything_else_is() {
    let zone = |ahead_seconds| {
        let changes = vec![(RippleTime(7), ahead_seconds)];
        Arc::new(Zone { name: "Europe/Zurich".to_owned(), ahead_seconds, changes })
    };
    let at = |zone, from_minute| {
        let during = Some(Times { zone, weekdays: None, from_minute, until_minute: 60 });
        Policy::new(vec![Rule { during, ..Rule::new("office", Action::Allow) }])
    };
    assert_eq!(named(&at(zone(3_600), 0)), named(&at(zone(7_200), 0)));
    assert_ne!(named(&at(zone(3_600), 0)), named(&at(zone(3_600), 1)));
    let risk = Risk { new_destination: Some(31), ..Risk::default() };
    let tables = [up_to(10), up_to(11), up_to(10).with_risk(risk), asked(10)];
    let hashes: BTreeSet<Hash256> = tables.iter().map(named).collect();
    assert_eq!(hashes.len(), tables.len());
    // Who is on lists is no part of it.
    assert_eq!(named(&up_to(10).with_lists([List::new("some", vec![], None)])), named(&up_to(10)));
}

#[test]
fn in_what_two_tables_differ_is_said() {
    let rule = |name: &str, action| Rule::new(name, action);
    let one = table_of(&Policy::new(vec![rule("a", Action::Allow), rule("b", Action::Deny)]));
    let risk = Risk { new_destination: Some(31), ..Risk::default() };
    let rules = vec![rule("a", Action::Deny), rule("c", Action::Deny)];
    let other = table_of(&Policy::new(rules).with_risk(risk).with_activation(Some(terms())));
    assert_eq!(
        other.differs_from(&one),
        [
            "rule \"a\" is changed",
            "rule \"c\" is new",
            "rule \"b\" is gone",
            "the signs of risk are changed",
            "another table is put in force by 2 of bob or carol or dave"
        ]
    );
    assert_eq!(one.differs_from(&one), Vec::<String>::new());
    // Where the same people put tables in force as before, nothing is said of them.
    assert_eq!(table_of(&asked(20)).differs_from(&table_of(&asked(10))), ["rule \"small\" is changed"]);
    assert!(
        one.differs_from(&other).contains(&"whoever changes the configuration changes the rules".to_owned())
    );
}

#[test]
fn records_that_do_not_fit_are_refused_and_change_nothing() {
    let mut w = world(asked(10));
    let (at, policy) = (LedgerPoint::ZERO, hash("another"));
    let table = || Box::new(table_of(&asked(20)));
    let before = w.state.charter.clone();
    for event in [
        Event::PolicyAdopted { table: table(), at },
        Event::PolicyActivated { policy, at },
        Event::PolicyWithdrawn { policy },
    ] {
        let error = w.state.apply(&event).unwrap_err();
        assert_eq!((error.event, &w.state.charter), (event.word(), &before));
    }
    let mut fresh = treasury_core::State::default();
    assert!(fresh.apply(&Event::PolicyProposed { table: table(), at }).is_err());
}

/// Danger: whoever can write the file declares their own account as the treasury's, and a link that fills it.
#[test]
fn accounts_links_and_screening_of_a_file_alone_make_nobody_the_treasury_s_own() {
    let own = Rule { destination: Some(DestinationMatch::Treasury), ..Rule::new("own", Action::Allow) };
    let policy = Policy::new(vec![own]).with_activation(Some(terms()));
    let mut first = Treasury { policy, screening: true, ..config() };
    first.accounts.remove(&id("cold"));
    let mut w = World::with(first.clone());
    w.input(Input::Configured { table: Box::new(Table::of(&first)) });
    let mut file = Treasury { screening: false, ..config() };
    file.policy = first.policy.clone();
    file.accounts.get_mut(&id("hot")).unwrap().tier = Tier::Cold;
    let link = TierLink {
        name: "more".to_owned(),
        from: id("warm"),
        to: id("cold"),
        asset: Asset::Xrp,
        keeps: Keeps::Filled { floor: amount(1_000 * XRP), target: amount(2_000 * XRP) },
        move_min: amount(1),
        source_floor: amount(0),
        move_max: amount(1_000 * XRP),
        period_max: amount(1_000 * XRP),
        period_seconds: 60,
        limits: Vec::new(),
        hours: None,
    };
    file.links.push(link.clone());
    w.input(Input::Configured { table: Box::new(Table::of(&file)) });
    let decides = w.state.charter.in_force(&file);
    assert_eq!(decides.newcomers, BTreeSet::from([id("cold")]));
    assert!(decides.accounts.contains_key(&id("cold")), "it is looked after, and nobody's as a destination");
    assert!(!decides.is_own(&id("cold")) && decides.is_own(&id("hot")));
    assert!(!is_known(&decides, &w.state, &id("cold"), w.state.now()));
    assert_eq!(decides.accounts[&id("hot")].tier, Tier::Hot);
    assert!(decides.links.iter().all(|link| link.name != "more") && decides.screening);
    let waits = w.state.charter.candidate.clone().unwrap();
    let differs = waits.table.differs_from(&w.state.charter.active.as_ref().unwrap().table);
    let cold = id("cold");
    assert_eq!(
        differs,
        [
            format!("account {cold} (cold) is the treasury's own"),
            format!("account {} is cold, and was hot", id("hot")),
            format!(
                "link \"more\" is new: from {} to {cold}, fills it below 1000 XRP up to 2000 XRP, 0.000001 XRP to 1000 XRP at a \
                 time, at most 1000 XRP in 60 s, and leaves 0 XRP",
                id("warm")
            ),
            "new destinations are screened no more".to_owned()
        ]
    );
    // A payment to it is one to a stranger.
    w.config = decides;
    let payment = Propose { destination: cold, destination_tag: None, ..w.payment("hot", 1) };
    let Ok(Answer::Proposed { proposal }) = w.command("alice", Command::Propose(payment)) else { panic!() };
    assert_eq!(w.word(proposal), "denied");
    // And with people it is as configured.
    for person in ["bob", "carol"] {
        activate(&mut w, person, Table::of(&file).hash()).unwrap();
    }
    let decides = w.state.charter.in_force(&file);
    assert!(decides.is_own(&cold) && decides.links.contains(&link) && !decides.screening);
    // Nothing goes along it where either end is the treasury's no more.
    for gone in [cold, id("warm")] {
        let mut file = file.clone();
        file.accounts.remove(&gone);
        let decides = w.state.charter.in_force(&file);
        assert!(
            decides.links.iter().all(|link| ![link.from, link.to].contains(&gone)),
            "{:?}",
            decides.links
        );
    }
}

/// Danger: what the one before let go leaves after people have been told that another is in force.
#[test]
fn what_waits_to_be_sent_is_called_back_before_anybody_is_told_that_another_policy_is_in_force() {
    let mut w = world(asked(10));
    configure(&mut w, &asked(5));
    activate(&mut w, "bob", named(&asked(5))).unwrap();
    let before = w.recalls;
    activate(&mut w, "dave", named(&asked(5))).unwrap();
    assert_eq!(w.recalls, before + 1, "in the step of the answer");
}

/// Danger: a name in the file is another's than it was, and people put in force what they have not read.
#[test]
fn whom_a_changed_rule_pays_is_shown_by_address() {
    let pays = |name: &str| {
        let destination = Some(DestinationMatch::Accounts(vec![id(name)]));
        table_of(&Policy::new(vec![Rule { destination, ..Rule::new("supplier", Action::Allow) }]))
    };
    let words = |who: &str| format!("rule \"supplier\" is changed, and is for payments to {}", id(who));
    assert_eq!(pays("shop").differs_from(&pays("other")), [words("shop")]);
    let new = format!("rule \"supplier\" is new, for payments to {}", id("shop"));
    assert_eq!(pays("shop").differs_from(&table_of(&Policy::new(vec![]))), [new]);
    let two = |one: &str, other: &str| {
        table_of(&Policy::new(vec![Rule::new(one, Action::Deny), Rule::new(other, Action::Deny)]))
    };
    assert_eq!(two("a", "b").differs_from(&two("b", "a")), ["rules or links stand in another order"]);
}

/// Danger: the file drops the runner, and what the table in force delays is never released.
#[test]
fn a_configuration_without_a_runner_is_refused_where_the_table_in_force_delays() {
    let delay =
        Action::Delay { delay_seconds: 3_600, window_seconds: 7_200, approvers: Approvers::default() };
    let policy = Policy::new(vec![Rule::new("all", delay)]).with_activation(Some(terms()));
    let w = world(policy);
    let without = Treasury { policy: asked(10), runner: None, ..config() };
    let left = left_behind(&without, &w.state);
    assert!(
        left.iter().any(|why| why.contains("rule \"all\" of the policy in force delays payments")),
        "{left:?}"
    );
    assert!(left_behind(&Treasury { policy: asked(10), ..config() }, &w.state).is_empty());
}

fn link(name: &str, to: &str, move_max: u64) -> TierLink {
    TierLink {
        name: name.to_owned(),
        from: id("warm"),
        to: id(to),
        asset: Asset::Xrp,
        keeps: Keeps::Filled { floor: amount(10 * XRP), target: amount(20 * XRP) },
        move_min: amount(1),
        source_floor: amount(500 * XRP),
        move_max: amount(move_max * XRP),
        period_max: amount(100 * XRP),
        period_seconds: 60,
        limits: Vec::new(),
        hours: None,
    }
}

/// Danger: one link of the file is changed or taken out, and the floor that it kept for all links falls with it.
#[test]
fn links_are_as_people_have_put_them_in_force_with_their_floors() {
    let mut first = Treasury { policy: asked(10), ..config() };
    first.links = vec![link("one", "hot", 50), link("two", "cold", 50)];
    let mut w = World::with(first.clone());
    w.input(Input::Configured { table: Box::new(Table::of(&first)) });
    for links in
        [vec![link("one", "hot", 5_000), link("two", "cold", 50)], vec![link("two", "cold", 50)], vec![]]
    {
        let file = Treasury { links, ..first.clone() };
        w.input(Input::Configured { table: Box::new(Table::of(&file)) });
        assert_eq!(w.state.charter.in_force(&file).links, first.links);
    }
    let turned = Treasury { links: first.links.iter().rev().cloned().collect(), ..first.clone() };
    let order = Table::of(&turned).differs_from(&Table::of(&first));
    assert_eq!(order, ["rules or links stand in another order"]);
    let gone = w.state.charter.candidate.as_ref().unwrap().table.differs_from(&Table::of(&first));
    assert_eq!(gone, ["link \"one\" is gone", "link \"two\" is gone"]);
    let changed =
        Treasury { links: vec![link("one", "hot", 5_000), link("two", "cold", 50)], ..first.clone() };
    let differs = Table::of(&changed).differs_from(&Table::of(&first)).join("");
    assert!(differs.contains("to 5000 XRP at a time") && differs.contains("; it was from"), "{differs}");
}

/// Danger: a label becomes a list, or a list a label, and the rules that ask for it mean somebody else.
#[test]
fn a_name_that_is_of_another_kind_than_in_force_counts_as_a_list_that_cannot_be_read() {
    let listed =
        |name: &str, action| Rule { listed: Some([name.to_owned()].into()), ..Rule::new(name, action) };
    let rules = || vec![listed("exchange", Action::Allow), listed("sanctions", Action::Deny)];
    let with = |exchange: List, sanctions: List| {
        Policy::new(rules()).with_lists([exchange, sanctions]).with_activation(Some(terms()))
    };
    let first =
        with(List::label("exchange", vec![id("shop")]), List::new("sanctions", vec![id("other")], None));
    let mut w = world(first.clone());
    let turned =
        with(List::new("exchange", vec![id("stranger")], None), List::label("sanctions", vec![id("shop")]));
    configure(&mut w, &turned);
    assert!(waits(&w).is_some(), "people are asked");
    let decides = in_force(&w, &turned);
    for name in ["exchange", "sanctions"] {
        assert!(decides.lists()[name].is_unread(), "{name}");
    }
    let differs = table_of(&turned).differs_from(&table_of(&first));
    assert_eq!(differs, ["\"exchange\" is no label", "\"sanctions\" is a label of the address book"]);
    // Who is on them changes as ever.
    let more = with(List::label("exchange", vec![]), List::new("sanctions", vec![id("shop")], None));
    assert_eq!(named(&more), named(&first));
}
