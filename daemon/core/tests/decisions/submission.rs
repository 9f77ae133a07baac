//! Every answer that a server may give to a submission, and what comes of it.

use treasury_core::failure::{self, FailureClass};
use treasury_core::input::{Input, SubmitReply};
use treasury_core::intent::Asker;
use treasury_core::units::ProposalId;

use crate::world::{World, drops, id};

/// A payment of the agent's own limit, and what was sent for it.
fn in_flight(w: &mut World) -> ProposalId {
    let p = w.propose("hot", 50);
    assert_eq!(w.word(p), "in_flight");
    p
}

fn says(w: &mut World, p: ProposalId, reply: SubmitReply) {
    let tx_id = w.sent().last().expect("it was sent").id();
    w.input(Input::SubmitAnswered { proposal: p, tx_id, reply });
}

fn engine(code: &str) -> SubmitReply {
    SubmitReply::Engine(code.to_owned())
}

/// Takes in ledgers without it up to LastLedgerSequence.
fn wait_out(w: &mut World, p: ProposalId) {
    let last = w.proposal(p).plan.as_ref().unwrap().last_ledger_sequence;
    while w.state.ledger.unwrap().index < last {
        assert_eq!(w.word(p), "in_flight", "nothing but LastLedgerSequence ends it");
        w.close(&[]);
    }
}

/// Answers that change nothing: it is sent again with the next ledger, and only the ledger ends it.
const SENT_AGAIN: [&str; 14] = [
    "tesSUCCESS",
    "terQUEUED",
    "terPRE_SEQ",
    "terPRE_TICKET",
    "terRETRY",
    "telCAN_NOT_QUEUE",
    "telCAN_NOT_QUEUE_FULL",
    "telINSUF_FEE_P",
    "tecPATH_DRY",
    "tefPAST_SEQ",
    "tefNO_TICKET",
    "tefALREADY",
    "tefMAX_LEDGER",
    "terINSUF_FEE_B",
];

#[test]
fn what_may_come_good_is_sent_with_every_ledger_until_a_validated_one_has_it() {
    for code in SENT_AGAIN {
        let mut w = World::new();
        let p = in_flight(&mut w);
        let first = w.submitted.last().unwrap().clone();
        says(&mut w, p, engine(code));
        w.sent();
        w.close(&[]);
        assert_eq!(w.word(p), "in_flight", "{code}");
        assert_eq!(w.sent().len(), 1, "{code}: one sending a ledger");
        w.close(std::slice::from_ref(&first));
        assert_eq!(w.word(p), "validated", "{code}: what the server said was not the last word");
        w.close(&[]);
        assert!(w.sent().is_empty(), "{code}");
    }
}

#[test]
fn what_never_arrives_ends_only_when_last_ledger_sequence_has_passed_and_frees_its_ticket() {
    for code in ["tesSUCCESS", "terQUEUED", "tefPAST_SEQ", "temMALFORMED"] {
        let mut w = World::new();
        let p = in_flight(&mut w);
        says(&mut w, p, engine(code));
        let slot = w.proposal(p).plan.as_ref().unwrap().slot;
        wait_out(&mut w, p);
        assert_eq!(w.word(p), "expired", "{code}");
        assert!(!w.state.slots.values().any(|holder| *holder == p), "{code}: {slot:?} is free");
    }
}

#[test]
fn without_an_answer_or_with_a_busy_server_the_same_bytes_go_out_again() {
    for reply in [
        SubmitReply::Unknown("the connection ended".to_owned()),
        SubmitReply::Busy("slowDown".to_owned()),
        SubmitReply::Busy("noNetwork".to_owned()),
    ] {
        let mut w = World::new();
        let p = in_flight(&mut w);
        let first = w.submitted.clone();
        says(&mut w, p, reply.clone());
        assert!(w.sent().is_empty(), "not before the next ledger: {reply:?}");
        w.close(&[]);
        assert_eq!(w.sent(), first, "{reply:?}");
        assert_eq!(failure::of_reply(&reply), Some(FailureClass::Transient));
        assert_eq!(counted(&w), 0);
    }
}

#[test]
fn an_answer_about_another_rung_changes_nothing() {
    let mut w = World::new();
    let p = in_flight(&mut w);
    let cheap = w.sent().remove(0);
    w.reply(p, "telINSUF_FEE_P");
    let before = w.state.clone();
    w.input(Input::SubmitAnswered { proposal: p, tx_id: cheap.id(), reply: engine("temMALFORMED") });
    assert_eq!(w.state, before);
}

#[test]
fn the_dearest_rung_stays_where_the_network_asks_for_more() {
    let mut w = World::new();
    let p = in_flight(&mut w);
    let rungs = w.proposal(p).plan.as_ref().unwrap().fees.clone();
    for _ in 0..rungs.len() {
        w.reply(p, "telINSUF_FEE_P");
    }
    w.sent();
    w.close(&[]);
    assert_eq!(w.sent().remove(0).fee(), *rungs.last().unwrap());
}

#[test]
fn after_a_refusal_of_its_signatures_the_same_bytes_stay_at_home() {
    for code in ["tefBAD_SIGNATURE", "tefBAD_QUORUM", "tefNOT_MULTI_SIGNING", "tefBAD_AUTH", "temBAD_FEE"] {
        let mut w = World::new();
        let p = in_flight(&mut w);
        says(&mut w, p, engine(code));
        w.close(&[]);
        assert!(w.sent().is_empty(), "{code}");
        let refused = w.state.findings.values().filter(|finding| finding.evidence.contains(code)).count();
        assert_eq!(refused, 1, "{code}: people are told once");
    }
}

#[test]
fn a_tec_that_is_validated_is_the_end() {
    let mut w = World::new();
    let p = in_flight(&mut w);
    let sent = w.sent();
    w.close_at(4, &sent, "tecUNFUNDED_PAYMENT");
    assert_eq!(w.word(p), "failed");
    w.close(&[]);
    assert!(w.sent().is_empty());
    assert_eq!(failure::of_outcome("tecUNFUNDED_PAYMENT"), Some(FailureClass::Partial));
}

#[test]
fn classes_follow_from_what_would_have_to_change() {
    use FailureClass::{Permanent, Systemic, Transient};
    for (code, class) in [
        ("tesSUCCESS", None),
        ("terQUEUED", None),
        ("terPRE_SEQ", Some(Transient)),
        ("terINSUF_FEE_B", Some(Systemic)),
        ("telINSUF_FEE_P", Some(Transient)),
        ("telWRONG_NETWORK", Some(Systemic)),
        ("tefMAX_LEDGER", Some(Transient)),
        ("tefNO_TICKET", Some(Transient)),
        ("tefMASTER_DISABLED", Some(Systemic)),
        ("tefBAD_QUORUM", Some(Systemic)),
        ("tecUNFUNDED_PAYMENT", Some(Transient)),
        ("tecINSUFF_FEE", Some(Systemic)),
        ("temBAD_AMOUNT", Some(Permanent)),
        ("temDISABLED", Some(Systemic)),
        ("a word of its own", Some(Transient)),
    ] {
        assert_eq!(failure::of_reply(&engine(code)), class, "{code}");
    }
    assert_eq!(failure::of_outcome("tesSUCCESS"), None);
    assert_eq!(failure::of_outcome("tecINSUFFICIENT_RESERVE"), Some(Systemic));
}

#[test]
fn the_breaker_counts_systemic_failures_and_those_of_the_daemons_own_errands() {
    let person = Asker::Person("alice".to_owned());
    for (class, persons, errands) in [
        (FailureClass::Transient, false, false),
        (FailureClass::Permanent, false, true),
        (FailureClass::Partial, false, true),
        (FailureClass::Systemic, true, true),
    ] {
        assert_eq!(class.counts(&person), persons, "{class}");
        assert_eq!(class.counts(&Asker::Daemon), errands, "{class}");
    }
    let mut w = World::new();
    for (code, failures) in [("temMALFORMED", 0), ("tefBAD_AUTH", 1), ("slow", 1), ("tefBAD_QUORUM", 2)] {
        let p = in_flight(&mut w);
        says(&mut w, p, engine(code));
        assert_eq!(counted(&w), failures, "{code}");
        w.close(&[]);
        w.sent();
    }
}

#[test]
fn the_rung_is_the_cheapest_that_the_open_ledger_takes_now() {
    // Three reference transactions' worth at 10 drops each: rungs of 30, 900 and 30,000 drops.
    for (open_ledger_fee, fee) in
        [(10, 30), (11, 900), (300, 900), (301, 30_000), (10_000, 30_000), (1_000_000, 30_000)]
    {
        let mut w = World::new();
        w.input(Input::OpenLedgerFee { fee: drops(open_ledger_fee) });
        in_flight(&mut w);
        assert_eq!(w.sent().remove(0).fee(), drops(fee), "open ledger at {open_ledger_fee} drops");
    }
}

fn rungs_chosen(w: &World) -> usize {
    w.events.iter().filter(|event| event.word() == "rung_chosen").count()
}

#[test]
fn a_dearer_rung_waits_two_ledgers_unless_the_server_has_queued_it() {
    let mut w = World::new();
    let p = in_flight(&mut w);
    w.input(Input::OpenLedgerFee { fee: drops(100) });
    w.close(&[]);
    assert_eq!(w.sent().last().unwrap().fee(), drops(30), "it may be in the ledger that is open now");
    w.close(&[]);
    assert_eq!(w.sent().last().unwrap().fee(), drops(900));
    assert_eq!(rungs_chosen(&w), 1);
    w.close(&[]);
    w.input(Input::OpenLedgerFee { fee: drops(10) });
    w.close(&[]);
    assert_eq!(w.sent().last().unwrap().fee(), drops(900), "never back to a cheaper one");
    assert_eq!(rungs_chosen(&w), 1);
    assert_eq!(w.word(p), "in_flight");

    let mut w = World::new();
    let p = in_flight(&mut w);
    w.reply(p, "terQUEUED");
    w.input(Input::OpenLedgerFee { fee: drops(100) });
    w.sent();
    w.close(&[]);
    assert_eq!(w.sent().last().unwrap().fee(), drops(900));
}

#[test]
fn without_need_no_rung_is_chosen() {
    let mut w = World::new();
    in_flight(&mut w);
    for _ in 0..5 {
        w.close(&[]);
    }
    assert_eq!(rungs_chosen(&w), 0);
}

/// The breaker's count after refills of the hot account's Tickets that ended like this, one after the other.
fn count_after(results: &[&str]) -> u32 {
    let mut config = crate::world::config();
    config.tickets = treasury_core::config::TicketConfig { low_water: 11, target: 15 };
    let mut w = World::with(config);
    for result in results {
        let sent: Vec<_> = w.sent().into_iter().filter(|tx| tx.account() == id("hot")).take(1).collect();
        assert_eq!(sent.len(), 1, "before {result}");
        w.close_at(4, &sent, result);
        w.sent();
        w.jump(w.config.timing.retry_seconds);
    }
    counted(&w)
}

#[test]
fn an_errand_that_succeeds_ends_the_count_and_one_that_fails_adds_to_it() {
    assert_eq!(count_after(&["tesSUCCESS"]), 0);
    assert_eq!(count_after(&["tecNO_PERMISSION"]), 1);
    assert_eq!(count_after(&["tecINSUFFICIENT_RESERVE", "tecNO_PERMISSION"]), 2);
    assert_eq!(count_after(&["tecNO_PERMISSION", "tesSUCCESS"]), 0);
}

#[test]
fn what_people_asked_for_counts_only_where_it_is_systemic() {
    for (result, before, after) in
        [("tesSUCCESS", 1, 1), ("tecUNFUNDED_PAYMENT", 0, 0), ("tecINSUFF_FEE", 0, 1)]
    {
        let mut w = World::new();
        if before > 0 {
            let p = in_flight(&mut w);
            says(&mut w, p, engine("tefBAD_AUTH"));
            w.sent();
        }
        let p = in_flight(&mut w);
        let sent = w.sent();
        w.close_at(4, &sent[sent.len() - 1..], result);
        assert!(w.proposal(p).status.is_final());
        assert_eq!(counted(&w), after, "{result}");
    }
}

/// The failures that all breakers count.
fn counted(w: &World) -> u32 {
    w.state.breakers.values().map(|breaker| breaker.failures).sum()
}

/// Danger: one server's word is taken for that of all, or that it was called back from one for that it left nowhere, and money that is on
/// its way out counts as here.
#[test]
fn of_what_several_servers_say_no_single_one_ends_it_and_none_hides_that_it_may_have_left() {
    let engine = |word: &str| SubmitReply::Engine(word.to_owned());
    let (refused, not_sent) = (|| engine("temMALFORMED"), || SubmitReply::NotSent);
    let unknown = || SubmitReply::Unknown("no reply".to_owned());
    let word = |reply: SubmitReply| match reply {
        SubmitReply::Engine(word) => word,
        SubmitReply::Busy(_) => "busy".to_owned(),
        SubmitReply::NotSent => "not sent".to_owned(),
        SubmitReply::Unknown(_) => "unknown".to_owned(),
    };
    for (said, all, expected) in [
        (vec![], true, "unknown"),
        (vec![refused(), engine("tesSUCCESS")], false, "tesSUCCESS"),
        (vec![refused(), engine("tefNO_TICKET"), unknown()], true, "tefNO_TICKET"),
        (vec![refused(), refused()], true, "temMALFORMED"),
        (vec![refused(), refused()], false, "unknown"),
        (vec![refused(), not_sent()], true, "unknown"),
        (vec![refused(), unknown()], true, "unknown"),
        (vec![not_sent(), not_sent()], true, "not sent"),
        (vec![not_sent(), not_sent()], false, "unknown"),
        (vec![not_sent(), unknown()], true, "unknown"),
        (vec![not_sent(), SubmitReply::Busy("slowDown".to_owned())], true, "busy"),
    ] {
        let told = format!("{said:?}, all {all}");
        for said in [said.clone(), said.into_iter().rev().collect()] {
            assert_eq!(word(failure::together(said, all)), expected, "{told}");
        }
    }
}
