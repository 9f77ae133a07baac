//! What rules say of assets.

use treasury_core::policy::{Risk, RiskBand, Unusual};
use treasury_core::replay::replay;
use treasury_core::state::Archived;

use super::*;

/// Danger: what policy delays is paid at once, because there is no escrow for it.
#[test]
fn what_policy_delays_is_denied_in_words_and_never_paid_without_the_delay() {
    let mut w = world(&[("warm", "9000")]);
    let p = propose(&mut w, "warm", "shop", "2000");
    assert_eq!((w.word(p), amounts(&w.sent())), ("denied", vec![]));
    assert_eq!(w.proposal(p).decision.rule(), format!("large euros, {NO_ESCROW}"));
    assert!(w.proposal(p).plan.is_none());
    // Whoever asks what the table lets through is told the same.
    let leaves = |above: &str| {
        let query = Query { outcome: Outcome::Leaves, above: Some(eur(above)), ..Query::default() };
        prove(&w.config, &w.config.policy, w.state.now(), &query).unwrap().is_some()
    };
    assert!(leaves("999") && !leaves("1000"));

    // A draft that waits, and another policy that delays it: the same.
    let tickets = w.state.accounts[&id("warm")].tickets.clone();
    let gone = |ticket: &u32| Change::TicketDeleted { account: id("warm"), ticket: *ticket };
    w.change(tickets.iter().map(gone).collect());
    let p = propose(&mut w, "warm", "shop", "500");
    assert_eq!(w.word(p), "drafted");
    let mut rules = w.config.policy.rules().to_vec();
    let large = rules.iter().find(|rule| rule.name == "large euros").unwrap().action.clone();
    rules.iter_mut().find(|rule| rule.name == "middling euros").unwrap().action = large;
    w.config.policy = Policy::new(rules);
    w.change(vec![Change::TicketCreated { account: id("warm"), ticket: 77 }]);
    assert_eq!((w.word(p), amounts(&w.sent())), ("denied", vec![]));
    assert!(w.proposal(p).decision.rule().ends_with(NO_ESCROW));
}

/// Danger: a table that was written when XRP alone was paid lets something else leave, or whoever asks is not told of it.
#[test]
fn what_a_rule_is_for_is_told_by_its_assets_and_an_allow_that_names_none_is_for_xrp() {
    let allow = |assets: &[Asset]| Rule {
        kinds: Some(vec![IntentKind::Pay]),
        assets: (!assets.is_empty()).then(|| assets.iter().copied().collect()),
        ..Rule::new("allowed", Action::Allow)
    };
    let deny = |assets: &[Asset]| Rule { action: Action::Deny, name: "denied".to_owned(), ..allow(assets) };
    let two = Approvers { weight: Weight(2), roles: [Role::Approver].into(), ..Approvers::default() };
    let approve = Rule { action: Action::Approve(two), name: "signed".to_owned(), ..allow(&[]) };
    let (xrp, euros, both) = (Asset::Xrp, euro(), [Asset::Xrp, euro()]);
    for (rules, [of_xrp, of_euros, of_others]) in [
        (vec![allow(&[])], ["validated", "denied", "no"]),
        (vec![allow(&[xrp])], ["validated", "denied", "no"]),
        (vec![allow(&[euros])], ["denied", "validated", "no"]),
        (vec![allow(&both)], ["validated", "validated", "no"]),
        (vec![approve.clone()], ["collecting", "collecting", "approve"]),
        (vec![allow(&both), approve.clone()], ["collecting", "collecting", "approve"]),
        (vec![allow(&both), deny(&[euros])], ["validated", "denied", "no"]),
        (vec![approve, deny(&both)], ["denied", "denied", "approve"]),
        (vec![allow(&both), deny(&[])], ["denied", "denied", "no"]),
    ] {
        let mut w = world(&[("hot", "500")]);
        w.config.policy = Policy::new(rules.clone());
        let p = w.propose("hot", 5);
        w.settle();
        assert_eq!(w.word(p), of_xrp, "{rules:?}");
        let p = propose(&mut w, "hot", "shop", "5");
        w.settle();
        assert_eq!(w.word(p), of_euros, "{rules:?}");
        // Whoever asks what the table lets through is told of what no rule names as well.
        let leaves = |assets: &[Asset]| {
            let mut policy = rules.clone();
            policy.push(Rule { name: "aside".to_owned(), ..deny(assets) });
            let query = Query { outcome: Outcome::Leaves, ..Query::default() };
            prove(&w.config, &Policy::new(policy), w.state.now(), &query).unwrap()
        };
        let other = leaves(&both);
        let said = other.as_ref().map_or("no", |found| found.obligations.word());
        assert_eq!(said, of_others, "{rules:?}");
        if let Some(found) = other {
            assert!(
                found.example.words(&w.config).contains("to pay an issued currency that no rule names from")
            );
        }
        let or_denied = |leaves: bool| if leaves { "leaves" } else { "denied" };
        let expected = |word: &'static str| or_denied(word != "denied");
        if of_others == "no" {
            assert_eq!(or_denied(leaves(&[euros]).is_some()), expected(of_xrp), "{rules:?}");
            assert_eq!(or_denied(leaves(&[xrp]).is_some()), expected(of_euros), "{rules:?}");
        }
    }
}

/// Danger: what is usual of XRP is looked at, and a theft of euros looks like any other day.
#[test]
fn what_is_usual_is_known_of_each_asset_by_itself() {
    let mut w = world(&[("hot", "50000")]);
    let unusual = Some(Unusual { weight: 60, times: 5, payments: 4 });
    let rules = vec![
        Rule { assets: Some([Asset::Xrp, euro()].into()), ..Rule::new("all", Action::Allow) },
        Rule { risk: Some(RiskBand { above: Some(50), max: None }), ..Rule::new("odd", Action::Deny) },
    ];
    w.config.policy = Policy::new(rules).with_risk(Risk { unusual_amount: unusual, ..Risk::default() });
    for cents in ["0.04", "0.05", "0.05", "0.06"] {
        let p = propose(&mut w, "hot", "shop", cents);
        w.settle();
        assert_eq!(w.word(p), "validated");
    }
    // Of XRP nothing was paid before, so nobody knows what is usual of it.
    let p = w.propose("hot", 500);
    w.settle();
    assert_eq!(w.word(p), "validated");
    // Half are within 0 of 0.05, so a tenth of that counts as apart.
    for (value, expected) in [("0.0750000000000001", "denied"), ("10", "denied"), ("0.075", "validated")] {
        let p = propose(&mut w, "hot", "shop", value);
        w.settle();
        assert_eq!(w.word(p), expected, "{value}");
    }
    let p = propose(&mut w, "hot", "shop", "10");
    let words = |value: &str| eur(value).words();
    // Of 0.04, 0.05, 0.05, 0.06 and 0.075 half are within 0.01 of the middle one.
    let said =
        format!("half are within {} of {}; up to {} is usual", words("0.01"), words("0.05"), words("0.1"));
    let risk = w.proposal(p).decision.inputs.risk.clone().unwrap();
    assert!(risk.seen.iter().any(|seen| seen.evidence.contains(&said)), "{said}: {risk:?}");
}

/// Danger: a replay counts nothing of what left in euros against the limits of accounts, and says that a stricter table changes less.
#[test]
fn a_replay_counts_what_left_of_each_asset() {
    let mut w = world(&[("hot", "50000")]);
    let ids: Vec<ProposalId> = (0..3)
        .map(|_| {
            let p = propose(&mut w, "hot", "shop", "90");
            w.settle();
            p
        })
        .collect();
    let rolling =
        Rolling { period_seconds: DAY, per: Per::Account, amount_above: None, amount_max: Some(eur("200")) };
    let policy = Policy::new(vec![Rule { rolling: Some(rolling), ..Rule::new("less", Action::Allow) }]);
    let past: Vec<Archived> =
        ids.iter().map(|id| Archived { proposal: w.proposal(*id).clone(), escrow: None }).collect();
    let replayed = replay(&w.config, &policy, &past, RippleTime(0));
    let changed: Vec<ProposalId> = replayed.changed.iter().map(|changed| changed.proposal).collect();
    assert_eq!(changed, ids[2..]);
}

/// Danger: of a line with so much on it that small payments change no digit, any number of them leaves.
#[test]
fn a_limit_counts_what_was_paid_where_the_line_does_not_show_it() {
    let mut w = world(&[("hot", "9000000000000000")]);
    w.config.policy = {
        let most = Some(eur("3"));
        let rolling =
            Rolling { period_seconds: DAY, per: Per::Account, amount_above: None, amount_max: most };
        Policy::new(vec![Rule { rolling: Some(rolling), ..Rule::new("three a day", Action::Allow) }])
    };
    for number in 1..=8 {
        let p = propose(&mut w, "hot", "shop", "0.4");
        w.settle();
        assert_eq!(w.word(p), if number <= 7 { "validated" } else { "denied" }, "{number}");
    }
    assert_eq!(counted(&w, "hot")[0], eur("0"), "the line shows nothing of it");
}

/// Danger: whoever may ask for payments makes up currencies, and the store keeps each for ever.
#[test]
fn what_nothing_was_paid_of_is_not_kept() {
    let mut w = world(&[("hot", "500")]);
    let kept = |w: &World| {
        let book = serde_json::to_value(&w.state.book).unwrap();
        book["payments"]["assets"].as_object().map_or(0, |assets| assets.len())
    };
    let made_up = |w: &mut World, number: u32| {
        let amount = Amount::from_words(&format!("1 USD.{}", id(&format!("issuer {number}")))).unwrap();
        let propose = Propose { amount, ..w.payment("warm", 1) };
        match w.command("alice", Command::Propose(propose)).unwrap() {
            Answer::Proposed { proposal } => proposal,
            other => panic!("{other:?}"),
        }
    };
    let before = kept(&w);
    for number in 0..5 {
        let p = made_up(&mut w, number);
        assert_eq!(w.word(p), "denied");
    }
    let mut rules = w.config.policy.rules().to_vec();
    let two = Approvers { weight: Weight(2), roles: [Role::Approver].into(), ..Approvers::default() };
    rules.push(Rule::new("anything", Action::Approve(two)));
    w.config.policy = Policy::new(rules);
    for number in 0..5 {
        let proposal = made_up(&mut w, number);
        assert_ne!(w.word(proposal), "denied");
        w.command("alice", Command::Withdraw { proposal }).unwrap();
    }
    for _ in 0..2_000 {
        w.close(&[]);
        if kept(&w) == before {
            break;
        }
    }
    assert_eq!((kept(&w), w.state.open.len()), (before, 0), "once none of it can be applied any more");
    let p = propose(&mut w, "hot", "shop", "5");
    w.settle();
    assert_eq!((w.word(p), kept(&w)), ("collecting", before + 1));
}

/// Danger: payments of one asset use up the limit of another, or none.
#[test]
fn limits_are_of_each_asset_by_itself() {
    let mut w = world(&[("hot", "5000")]);
    for _ in 0..3 {
        let p = propose(&mut w, "hot", "shop", "100");
        w.settle();
        assert_eq!(w.word(p), "validated");
    }
    let p = propose(&mut w, "hot", "shop", "0.01");
    assert_eq!(w.word(p), "denied", "300 within a day");
    let p = w.propose("hot", 100);
    w.settle();
    assert_eq!(w.word(p), "validated", "XRP is another matter");
    assert_eq!(counted(&w, "hot"), [eur("300"), amount(100 * XRP)]);
    w.jump(DAY + 60);
    let p = propose(&mut w, "hot", "shop", "100");
    w.settle();
    assert_eq!(w.word(p), "validated");
}
