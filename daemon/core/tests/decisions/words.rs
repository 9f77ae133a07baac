//! What is written and shown: words that are stored or that people act on, hashes that name what was decided by, and secrets
//! that are in no text.

use std::collections::BTreeSet;

use treasury_core::analysis::{GAPS_MAX, analyse};
use treasury_core::command::CommandError;
use treasury_core::config::FindingKind;
use treasury_core::doomed::is_black_hole;
use treasury_core::effect::{Opening, Unsent};
use treasury_core::failure::Cause;
use treasury_core::intent::{CreateTickets, Intent, Origin};
use treasury_core::list::{Dated, List};
use treasury_core::payments::Whose;
use treasury_core::policy::{Action, Obligations, Per, Policy, Risk, Rolling, Rule};
use treasury_core::proposal::Submission;
use treasury_core::signing::Purpose;
use treasury_core::stops::{LIFTED_MAX, Stop, StopKind, StopSource, Subject};
use treasury_core::units::{AccountId, Amount, Asset, EscrowKey, HexBytes, LedgerIndex, RippleTime, StopId};
use treasury_core::{Event, units};

use crate::world::{World, XRP, amount, config, id};

#[test]
fn the_words_for_people_are_those_that_are_stored() {
    for kind in FindingKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
    }
    for origin in [Origin::Http, Origin::Console, Origin::Ledger, Origin::Daemon] {
        assert_eq!(serde_json::to_value(origin).unwrap(), origin.word());
    }
    assert_eq!(LedgerIndex(7).to_string(), "7");
}

#[test]
fn several_stops_are_named_and_whoever_lifts_is_told_to_look_at_each() {
    let stops = vec![StopId(1), StopId(7)];
    let refusal = CommandError::SeveralStops { subject: "account hot".to_owned(), stops };
    assert_eq!(refusal.to_string(), "2 stops stand on account hot: S1, S7");
    assert_eq!(
        refusal.advice(),
        "Look at each with GET /v1/stops, and lift by id those that are settled; the others stay."
    );
}

#[test]
fn a_result_points_at_what_has_to_be_mended() {
    for (cause, codes) in [
        (Cause::Funds, &["terINSUF_FEE_B", "terNO_ACCOUNT", "tecINSUFF_FEE", "tecINSUFFICIENT_RESERVE"][..]),
        (Cause::Keys, &["tefBAD_AUTH", "tefMASTER_DISABLED", "tefBAD_QUORUM", "tefNOT_MULTI_SIGNING"]),
        (Cause::Network, &["temDISABLED", "temUNKNOWN", "telWRONG_NETWORK", "telREQUIRES_NETWORK_ID"]),
        (Cause::Errand, &["tecNO_PERMISSION", "temMALFORMED"]),
    ] {
        codes.iter().for_each(|code| assert_eq!(Cause::of(code), cause, "{code}"));
    }
}

#[test]
fn an_intent_to_make_tickets_says_how_many() {
    assert_eq!(Intent::CreateTickets(CreateTickets { count: 4 }).ticket_count(), Some(4));
    let w = World::new();
    let payment = w.payment("warm", 5);
    let pay = treasury_core::intent::Pay {
        destination: payment.destination,
        destination_tag: None,
        amount: payment.amount,
    };
    assert_eq!(Intent::Pay(pay).ticket_count(), None);
}

#[test]
fn payments_are_summed_by_what_tells_them_apart() {
    for (whose, per) in [
        (Whose::Account(id("hot")), Per::Account),
        (Whose::Destination(id("shop")), Per::Destination),
        (Whose::Asker("alice"), Per::Asker),
        (Whose::Asset(Asset::Xrp), Per::Asset),
    ] {
        assert_eq!(whose.per(), per);
    }
}

#[test]
fn nothing_that_opens_an_escrow_or_was_signed_is_in_a_debug_text() {
    let opening = Opening {
        escrow: EscrowKey { owner: id("warm"), sequence: 11 },
        condition: HexBytes(vec![0xC0, 0xDE]),
        fulfillment: HexBytes(vec![0x5E, 0xC2, 0xE7]),
    };
    let text = format!("{opening:?}");
    assert!(text.contains("C0DE") && text.contains("11") && !text.contains("5EC2E7"), "{text}");
    assert_eq!(format!("{:?}", Unsent(vec![opening.fulfillment])), "1 signed");
    assert_eq!(format!("{:?}", HexBytes(vec![0, 0xFF])), "00FF");
    let wrong = serde_json::from_str::<HexBytes>("7").unwrap_err().to_string();
    assert!(wrong.contains("expected hexadecimal text"), "{wrong}");
}

#[test]
fn what_a_record_says_nothing_of_is_not_in_it() {
    let w = World::new();
    let observation = w.next_ledger(4);
    let json = serde_json::to_value(Event::LedgerTaken { observation, taken: None }).unwrap();
    assert_eq!(json["observation"].get("unproven"), None);
    let submission = Submission {
        purpose: Purpose::Pay,
        rungs: Vec::new(),
        signers: Vec::new(),
        current: 0,
        since: w.state.ledger.unwrap(),
        last_reply: None,
        earlier: Vec::new(),
    };
    assert_eq!(serde_json::to_value(&submission).unwrap().get("purpose"), None);
    let golden = serde_json::json!({
        "id": units::Hash256([1; 32]), "account": id("hot"), "slot": xrpl_wire::SeqProxy::Sequence(1),
        "tx_type": "Payment", "result": "tesSUCCESS", "digest": units::Hash256([2; 32]),
    });
    let read: treasury_core::observe::ObservedTx = serde_json::from_value(golden.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), golden, "no fee and no signers");
}

#[test]
fn a_list_that_goes_bad_is_another_list_once_and_says_what_is_wrong() {
    let now = RippleTime(800_000_000);
    let list = List::new("shops", vec![id("shop")], None);
    assert_eq!((list.fault(now), list.is_good(now), list.dated()), (None, true, None));
    let bad = list.clone().gone_bad("its file is damaged");
    assert_eq!(bad.fault(now).as_deref(), Some("its file is damaged"));
    assert!(!bad.is_good(now) && bad.has(&id("shop")) && bad.hash() != list.hash());
    let worse = bad.clone().gone_bad("its file is gone");
    assert_eq!((worse.fault(now).as_deref(), worse.hash()), (Some("its file is gone"), bad.hash()));

    let dated = |at| List::new("shops", Vec::new(), Some(Dated { at: RippleTime(at), age_max_seconds: 60 }));
    assert_eq!(dated(now.0).dated().map(|dated| dated.at), Some(now));
    for (at, words) in [
        (now.0 - 61, Some("older than it may be")),
        (now.0 - 60, None),
        (now.0, None),
        (now.0 + 86_400, None),
        (now.0 + 86_401, Some("which is to come")),
    ] {
        let fault = dated(at).fault(now);
        assert_eq!(fault.is_none(), words.is_none(), "{at}: {fault:?}");
        assert!(words.is_none_or(|words| fault.is_some_and(|fault| fault.contains(words))), "{at}");
    }
    // One of now that is not believed for another reason is not of another day.
    let same = List::new("shops", Vec::new(), Some(Dated { at: now, age_max_seconds: 0 }));
    assert_eq!(same.fault(RippleTime(now.0 + 1)).map(|fault| fault.contains("older")), Some(true));
}

#[test]
fn policies_that_ask_about_other_sums_or_signs_are_other_policies() {
    let of = |per| {
        let rolling = Rolling { period_seconds: 60, per, amount_above: None, amount_max: Some(amount(XRP)) };
        Policy::new(vec![Rule { rolling: Some(rolling), ..Rule::new("sum", Action::Allow) }])
    };
    let hashes: BTreeSet<_> = Per::ALL.into_iter().map(|per| of(per).hash()).collect();
    assert_eq!(hashes.len(), Per::ALL.len());
    let plain = of(Per::Account);
    assert_eq!(plain.clone().with_risk(Risk::default()).hash(), plain.hash());
    let other = Risk { new_asker: Some(7), ..Risk::default() };
    assert_ne!(plain.clone().with_risk(other).hash(), plain.hash());
}

#[test]
fn what_two_decisions_ask_for_together_is_what_either_asks_for() {
    for (deny, void) in [(false, false), (false, true), (true, false), (true, true)] {
        let one = Obligations { deny, void, ..Obligations::default() };
        let nothing = Obligations::default();
        assert_eq!(one.and(&nothing), one);
        assert_eq!(nothing.and(&one), one);
    }
}

#[test]
fn nobody_has_the_keys_of_two_accounts_and_of_no_other() {
    let with = |first: u8, last: u8| {
        let mut account = [0; 20];
        (account[0], account[19]) = (first, last);
        is_black_hole(&AccountId(account))
    };
    assert!(with(0, 0) && with(0, 1));
    assert!(!with(0, 2) && !with(1, 0) && !with(1, 1) && !with(1, 2));
}

#[test]
fn the_last_thousand_lifted_stops_stay_to_be_looked_at() {
    let mut w = World::new();
    assert!(w.state.stops.is_empty());
    let at = w.state.ledger.unwrap();
    for number in 0..=LIFTED_MAX {
        let (id, subject) = (w.state.stops.next_id(), Subject::Everything);
        let source = StopSource::Person("dave".to_owned());
        let (kind, reason) = (StopKind::Hold, String::new());
        let stop = Stop { id, subject, kind, source, origin: None, reason, at };
        w.state.apply(&Event::StopSet { stop }).unwrap();
        assert!(!w.state.stops.is_empty());
        let lifted = Event::StopLifted { id, by: "dave".to_owned(), reason: String::new(), at };
        w.state.apply(&lifted).unwrap();
        assert_eq!(w.state.stops.lifted().count(), (number + 1).min(LIFTED_MAX));
    }
    assert_eq!(w.state.stops.lifted().next().map(|lifted| lifted.stop.id), Some(StopId(2)));
}

#[test]
fn a_rule_that_changes_nothing_is_named_with_one_that_asks_for_as_much() {
    let void = |name: &str| Rule { void: true, ..Rule::new(name, Action::Allow) };
    let policy = Policy::new(vec![Rule::new("plain", Action::Allow), void("one"), void("other")]);
    let found = analyse(&config(), &policy, RippleTime(0)).unwrap();
    let by = |name: &str| found.covered.iter().find(|(rule, _)| rule == name).and_then(|(_, by)| by.clone());
    assert_eq!(by("one").as_deref(), Some("other"));
    assert_eq!(by("other").as_deref(), Some("one"));
    assert_eq!(by("plain").as_deref(), Some("one"));
}

#[test]
fn no_more_than_five_gaps_are_shown() {
    let bands = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG"].map(|currency| {
        let most = Amount::from_words(&format!("1 {currency}.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B")).unwrap();
        Rule { amount_max: Some(most), ..Rule::new(currency, Action::Allow) }
    });
    let found = analyse(&config(), &Policy::new(bands.to_vec()), RippleTime(0)).unwrap();
    assert_eq!(found.gaps.len(), GAPS_MAX, "more of each currency than 1, and XRP");
}

#[test]
fn what_an_errand_does_is_told_in_words() {
    use treasury_core::intent::{CancelEscrow, FinishEscrow};
    let escrow = EscrowKey { owner: id("warm"), sequence: 11 };
    let name = |_: &AccountId| "warm".to_owned();
    for (intent, word) in [
        (Intent::FinishEscrow(FinishEscrow { escrow }), "finish"),
        (Intent::CancelEscrow(CancelEscrow { escrow }), "cancel"),
    ] {
        let words = intent.words(&name);
        assert!(words.contains(word) && words.contains("11"), "{words}");
    }
}

#[test]
fn an_explanation_names_what_each_rule_does_and_who_receives() {
    use treasury_core::decide::Question;
    use treasury_core::explain::explain;
    use treasury_core::intent::{Asker, Pay};
    use treasury_core::policy::DestinationMatch;
    let mut w = World::new();
    w.config.destinations.insert(id("shop"), "shop".to_owned());
    let wants = |name: &str, wanted| Rule {
        destination: Some(wanted),
        ..Rule::new(name, w.config.policy.rules()[3].action.clone())
    };
    let rules = vec![
        Rule::new("a", Action::Allow),
        Rule::new("b", w.config.policy.rules()[2].action.clone()),
        wants("own", DestinationMatch::Treasury),
        wants("known", DestinationMatch::Known),
        wants("new", DestinationMatch::New),
        wants("some", DestinationMatch::Accounts(vec![id("hot")])),
        Rule::new("d", Action::Deny),
    ];
    w.config.policy = Policy::new(rules);
    let why = |to: &str| {
        let pay = Pay { destination: id(to), destination_tag: None, amount: amount(XRP) };
        let (asker, intent) = (Asker::Person("alice".to_owned()), Intent::Pay(pay));
        let question = Question::new(&w.config, &w.state, id("cold"), &asker, &intent, w.state.now());
        let explained = explain(&w.config, question);
        let actions: Vec<&str> = explained.rules.iter().map(|rule| rule.action).collect();
        assert_eq!(actions, ["allow", "approve", "delay", "delay", "delay", "delay", "deny"]);
        explained.rules.into_iter().flat_map(|rule| rule.misses).map(|miss| miss.why).collect::<Vec<_>>()
    };
    let stranger = id("stranger");
    assert_eq!(
        why("stranger"),
        [
            format!("{stranger} receives, which is new, and the rule is for the treasury's own accounts"),
            format!("{stranger} receives, which is new, and the rule is for known destinations"),
            format!("{stranger} receives, which is new, and the rule is for hot"),
        ]
    );
    assert_eq!(
        why("hot"),
        ["hot receives, which is one of the treasury's, and the rule is for new destinations"]
    );
    let shop = why("shop");
    assert!(
        shop[0].contains("receives, which is in the address book, and the rule is for the treasury's own")
    );
}
