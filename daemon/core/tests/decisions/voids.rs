//! The void: a second transaction on the same Ticket, signed with the payment, that makes it worthless. And the panic,
//! which uses it.

use treasury_core::command::{Answer, Command, CommandError, Panicked};
use treasury_core::input::SubmitReply;
use treasury_core::payments::Whose;
use treasury_core::policy::{Action, Policy, Rule};
use treasury_core::proposal::{Plan, Status};
use treasury_core::signing::Purpose;
use treasury_core::state::Guard;
use treasury_core::stops::{StopKind, Subject};
use treasury_core::units::{Asset, HexBytes, ProposalId, RippleTime, Weight};
use xrpl_wire::{Transaction, TransactionType, sf};

use crate::world::{World, XRP, amount, config, id, signatures_of, signatures_with_void};

const HOUR: u32 = 3_600;

/// A world whose every payment is signed with its void.
fn world() -> World {
    let mut config = config();
    let mut rules = config.policy.rules().to_vec();
    rules.iter_mut().for_each(|rule| rule.void = true);
    config.policy = Policy::new(rules);
    World::with(config)
}

fn plan(w: &World, p: ProposalId) -> &Plan {
    w.proposal(p).plan.as_ref().unwrap()
}

fn void(w: &mut World, p: ProposalId) -> Result<Answer, CommandError> {
    w.command("dave", Command::Void { proposal: p, reason: "not ours".to_owned() })
}

fn panic(w: &mut World) -> Panicked {
    match w.command("dave", Command::Panic { reason: "keys are out".to_owned() }) {
        Ok(Answer::Panicked(found)) => found,
        other => panic!("{other:?}"),
    }
}

/// A payment that two people signed and that is under way.
fn in_flight(w: &mut World) -> ProposalId {
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    assert_eq!(w.word(p), "in_flight");
    p
}

#[test]
fn a_void_is_a_transaction_without_effect_on_the_same_ticket_a_quarter_dearer_rung_by_rung() {
    let mut w = world();
    let p = w.propose("warm", 500);
    let plan = plan(&w, p);
    let void = plan.void.as_ref().unwrap();
    assert_eq!((void.rungs.len(), void.digests.len()), (plan.rungs.len(), plan.rungs.len()));
    for (number, (pay, void)) in plan.rungs.iter().zip(&void.rungs).enumerate() {
        let (pay, void) = (Transaction::decode(&pay.0).unwrap(), Transaction::decode(&void.0).unwrap());
        assert_eq!(void.tx_type(), TransactionType::AccountSet);
        assert_eq!((void.account(), void.seq()), (pay.account(), pay.seq()));
        assert_eq!(void.object().u32(sf::LastLedgerSequence), pay.object().u32(sf::LastLedgerSequence));
        assert_eq!(void.fee().get(), (pay.fee().get() * 5).div_ceil(4), "rung {number}");
        let same: Vec<_> = void.object().iter().filter(|(field, _)| !pay.object().has(*field)).collect();
        assert!(same.is_empty(), "no setting: {same:?}");
    }
}

#[test]
fn without_the_rule_there_is_no_void_and_none_can_be_sent() {
    let mut w = World::new();
    let p = in_flight(&mut w);
    assert!(plan(&w, p).void.is_none());
    assert_eq!(void(&mut w, p).unwrap_err().code(), "NO_VOID");
    assert_eq!(w.word(p), "in_flight");
}

#[test]
fn a_payment_under_way_is_voided_and_whichever_comes_first_ends_it() {
    for first in [Purpose::Void, Purpose::Pay] {
        let mut w = world();
        let p = in_flight(&mut w);
        let paid = w.sent().pop().unwrap();
        assert_eq!(void(&mut w, p), Ok(Answer::Done { changed: true }));
        let voids = w.sent().pop().unwrap();
        assert_eq!(voids.tx_type(), TransactionType::AccountSet);
        assert!(
            voids.fee().get() * 4 >= paid.fee().get() * 5,
            "a queue takes it in the place of the payment"
        );
        assert_eq!(void(&mut w, p), Ok(Answer::Done { changed: false }));
        let ticket = plan(&w, p).slot;
        match first {
            Purpose::Void => {
                w.close(&[voids]);
                assert_eq!(w.word(p), "voided");
            }
            Purpose::Pay => {
                w.close(&[paid]);
                assert_eq!(
                    w.word(p),
                    "validated",
                    "the void came too late, and the payment is told as what it is"
                );
            }
        }
        assert!(!w.state.holds_slot(w.proposal(p)), "{ticket:?}");
        assert!(w.state.findings.is_empty(), "{:?}", w.state.findings);
    }
}

#[test]
fn a_void_is_sent_again_with_every_ledger_until_one_has_it() {
    let mut w = world();
    let p = in_flight(&mut w);
    void(&mut w, p).unwrap();
    let first = w.sent().pop().unwrap();
    w.reply_with(p, SubmitReply::Unknown("it broke".to_owned()));
    w.close(&[]);
    let again = w.sent().pop().unwrap();
    assert_eq!(again.id(), first.id());
    w.close(&[again]);
    assert_eq!(w.word(p), "voided");
}

#[test]
fn what_is_signed_and_waits_is_voided_before_it_ever_left() {
    let mut w = world();
    w.command("dave", Command::Freeze { account: Some(id("warm")), reason: "look".to_owned() }).unwrap();
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    assert_eq!(void(&mut w, p).unwrap_err().code(), "NO_VOID", "one of two signatures");
    w.approve("bob", p).unwrap();
    assert!(w.sent().is_empty(), "the account is frozen");
    void(&mut w, p).unwrap();
    let sent = w.sent();
    assert_eq!(sent.len(), 1, "no freeze stops a void");
    assert_eq!(sent[0].tx_type(), TransactionType::AccountSet);
    w.close(&sent);
    assert_eq!(w.word(p), "voided");
    let spoke = &w.proposal(p).rejections["dave"];
    assert_eq!((spoke.reason.as_str(), spoke.signer), ("not ours", None), "who and why is kept");
}

#[test]
fn an_approval_without_the_void_or_with_another_s_is_refused() {
    let mut w = world();
    let p = w.propose("warm", 500);
    let (rungs, void) = (w.rungs(p), plan(&w, p).void_rungs().to_vec());
    let mut approve = |signatures| w.command("alice", Command::Approve { proposal: p, signatures });
    let without = signatures_of("alice", &rungs);
    assert_eq!(approve(without).unwrap_err().code(), "WRONG_VOID_COUNT");
    let mut swapped = signatures_with_void("alice", &rungs, &void);
    swapped.void_signatures.swap(0, 1);
    assert_eq!(approve(swapped).unwrap_err().code(), "BAD_VOID_SIGNATURE");
    let mut cut = signatures_with_void("alice", &rungs, &void);
    cut.void_signatures[0] = HexBytes(vec![]);
    assert_eq!(approve(cut).unwrap_err().code(), "BAD_VOID_SIGNATURE");
    approve(signatures_with_void("alice", &rungs, &void)).unwrap();
}

#[test]
fn agents_sign_the_void_of_what_they_may_sign_alone() {
    let mut w = world();
    let p = w.propose("hot", 50);
    assert_eq!(w.word(p), "in_flight");
    w.sent();
    void(&mut w, p).unwrap();
    let sent = w.settle();
    assert_eq!(sent[0].tx_type(), TransactionType::AccountSet);
    assert_eq!(w.word(p), "voided");
}

#[test]
fn only_security_voids_and_what_has_ended_is_not_voided() {
    let mut w = world();
    let p = in_flight(&mut w);
    let asked = Command::Void { proposal: p, reason: "mine".to_owned() };
    assert_eq!(w.command("alice", asked).unwrap_err().code(), "ROLE_MISSING");
    w.settle();
    assert_eq!(w.word(p), "validated");
    assert_eq!(void(&mut w, p).unwrap_err().code(), "WRONG_STATE");
}

#[test]
fn what_is_being_voided_takes_no_hold_and_after_a_restart_the_void_goes_on() {
    let mut w = world();
    let p = in_flight(&mut w);
    void(&mut w, p).unwrap();
    let flag = Command::Flag { proposal: p, reason: "too late".to_owned() };
    assert_eq!(w.command("dave", flag).unwrap_err().code(), "WRONG_STATE");
    w.sent();
    w.restart();
    w.reconcile();
    let again = w.settle();
    assert_eq!(again[0].tx_type(), TransactionType::AccountSet);
    assert_eq!(w.word(p), "voided");
}

#[test]
fn a_void_whose_signer_left_the_list_is_put_together_anew_from_the_others() {
    let mut w = world();
    let p = w.propose("warm", 500);
    // Three sign before it is ready to leave.
    w.command("dave", Command::Freeze { account: None, reason: "look".to_owned() }).unwrap();
    for person in ["alice", "bob", "carol"] {
        w.approve(person, p).unwrap();
    }
    void(&mut w, p).unwrap();
    let Status::InFlight(submission) = &w.proposal(p).status else { panic!() };
    let gone = submission.signers[0];
    let (mut list, sent) = (w.state.accounts[&id("warm")].signer_list.clone().unwrap(), w.sent());
    list.entries.remove(&gone);
    w.change(vec![treasury_core::observe::Change::SignerList { account: id("warm"), list: Some(list) }]);
    // The change is a finding that freezes the account, and what is called back is sent with the next ledger.
    w.close(&[]);
    let again = w.sent().pop().unwrap();
    assert_ne!(again.id(), sent[0].id());
    assert_eq!(again.tx_type(), TransactionType::AccountSet);
    w.close(&[again]);
    assert_eq!(w.word(p), "voided");
}

#[test]
fn a_hold_on_a_destination_binds_what_stands_and_what_comes_and_nobody_else() {
    let mut w = World::new();
    let standing = w.propose("warm", 500);
    let to = w.proposal(standing).intent.destination().unwrap();
    let asked = Command::FlagDestination { destination: to, reason: "a forged invoice".to_owned() };
    assert_eq!(w.command("alice", asked.clone()).unwrap_err().code(), "ROLE_MISSING");
    let Ok(Answer::Stopped { stop, changed: true, .. }) = w.command("dave", asked.clone()) else { panic!() };
    assert!(
        matches!(w.command("dave", asked), Ok(Answer::Stopped { stop: same, changed: false, .. }) if same == stop)
    );
    let later = w.propose("hot", 50);
    for p in [standing, later] {
        assert!(
            w.waits(p).iter().any(|wait| wait.contains("the hold S1 by dave on destination")),
            "{:?}",
            w.waits(p)
        );
    }
    w.approve("alice", standing).unwrap();
    w.approve("bob", standing).unwrap();
    assert!(w.sent().is_empty());
    let mut elsewhere = w.payment("hot", 50);
    elsewhere.destination = id("mallory");
    w.command("alice", Command::Propose(elsewhere)).unwrap();
    assert_eq!(w.sent().len(), 1, "others are paid");
}

#[test]
fn a_panic_stops_everything_and_says_what_became_of_each() {
    let mut w = world();
    let (_, locked) = w.escrow();
    let sent = in_flight(&mut w);
    let signed = w.propose("warm", 600);
    w.approve("alice", signed).unwrap();
    w.sent();
    let found = panic(&mut w);
    assert_eq!(found.withheld, [locked]);
    assert_eq!((&found.voiding[..], &found.ended[..]), (&[sent][..], &[signed][..]));
    assert!(found.under_way.is_empty() && found.revealed.is_empty(), "{found:?}");
    let stops = |subject| w.state.stops.on(&subject).map(|stop| (stop.id, stop.kind)).collect::<Vec<_>>();
    assert_eq!(stops(Subject::Everything), [(found.freeze, StopKind::Freeze)]);
    assert_eq!(stops(Subject::Escrow(locked)).len(), 1);
    let left = w.settle();
    assert!(left.iter().all(|tx| tx.tx_type() == TransactionType::AccountSet), "{left:?}");
    assert_eq!((w.word(sent), w.word(signed)), ("voided", "withdrawn"));
    // Who lifts the freeze has not looked at the escrow.
    w.command("dave", Command::Unfreeze { account: None, reason: "it is over".to_owned() }).unwrap();
    w.jump(50 * HOUR);
    assert!(w.sent().is_empty());
    assert!(matches!(w.guard(locked), Guard::Locked { .. }));
    w.jump(30 * HOUR);
    w.settle();
    assert!(matches!(w.guard(locked), Guard::Cancelled { .. }), "the money comes back");
}

#[test]
fn a_panic_without_voids_names_what_may_be_applied_all_the_same_and_twice_changes_nothing_more() {
    let mut w = World::new();
    let p = in_flight(&mut w);
    let found = panic(&mut w);
    assert_eq!(found.under_way, [p]);
    w.sent();
    let events = w.events.len();
    let again = panic(&mut w);
    assert_eq!((again.freeze, again.under_way), (found.freeze, vec![p]));
    assert_eq!(w.events.len(), events);
    w.close(&[]);
    assert!(w.sent().is_empty(), "it is not sent again");
    let refused = w.command("alice", Command::Panic { reason: String::new() }).unwrap_err();
    assert_eq!(refused.code(), "ROLE_MISSING");
}

/// Danger: the voids that a panic sends are called back by the holds that it sets, and whoever has the signatures is quicker.
#[test]
fn a_panic_sends_its_voids_after_everything_that_it_stops() {
    let mut w = world();
    let voided = in_flight(&mut w);
    let rules = w.config.policy.rules().iter().cloned().map(|rule| Rule { void: false, ..rule });
    w.config.policy = Policy::new(rules.collect());
    let held = in_flight(&mut w);
    let found = panic(&mut w);
    assert_eq!((found.voiding, found.under_way), (vec![voided], vec![held]));
    // That nothing is called back that the step has sent, the world looks at after each step.
    let sent = w.sent().pop().unwrap();
    assert_eq!(sent.tx_type(), TransactionType::AccountSet);
}

/// Danger: a payment that no server had taken when somebody panicked leaves as soon as the freeze is lifted.
#[test]
fn after_a_panic_a_payment_under_way_is_not_sent_again_until_somebody_has_looked_at_it() {
    for reply in [SubmitReply::NotSent, SubmitReply::Busy("tooBusy".to_owned())] {
        let mut w = World::new();
        let p = in_flight(&mut w);
        w.sent();
        let found = panic(&mut w);
        assert_eq!(found.under_way, [p]);
        w.reply_with(p, reply);
        let reason = "it is over".to_owned();
        w.command("dave", Command::Unfreeze { account: None, reason: reason.clone() }).unwrap();
        w.jump(8);
        assert!(w.sent().is_empty(), "nobody has looked at it");
        w.command("dave", Command::Clear { proposal: p, reason }).unwrap();
        w.jump(8);
        assert_eq!(w.settle().len(), 1);
        assert_eq!(w.word(p), "validated");
    }
}

#[test]
fn a_delayed_payment_that_is_quicker_than_its_void_or_a_panic_is_withheld_until_somebody_has_looked() {
    for (mut w, panics) in [(world(), false), (world(), true), (World::new(), true)] {
        let p = w.propose("warm", 2_000);
        w.approve("alice", p).unwrap();
        w.approve("bob", p).unwrap();
        let paid = w.sent().pop().unwrap();
        if panics {
            panic(&mut w);
            let reason = "it is over".to_owned();
            w.command("dave", Command::Unfreeze { account: None, reason }).unwrap();
        } else {
            void(&mut w, p).unwrap();
            let flag = Command::Flag { proposal: p, reason: "and this".to_owned() };
            assert!(matches!(w.command("dave", flag), Ok(Answer::Stopped { changed: true, .. })));
        }
        w.close(&[paid]);
        assert_eq!(w.word(p), "validated");
        let key = w.proposal(p).release_inputs().unwrap().escrow;
        w.sent();
        w.jump(50 * HOUR);
        assert!(w.sent().is_empty());
        assert!(matches!(w.guard(key), Guard::Locked { .. }), "{:?}", w.guard(key));
    }
}

#[test]
fn what_has_not_left_is_called_back_before_its_void_is_sent() {
    let mut w = world();
    let p = in_flight(&mut w);
    let recalls = w.recalls;
    void(&mut w, p).unwrap();
    assert_eq!(w.recalls, recalls + 1);
}

#[test]
fn what_is_signed_is_voided_when_it_is_taken_back_so_that_its_signatures_are_worthless() {
    let mut w = world();
    w.command("dave", Command::Freeze { account: Some(id("warm")), reason: "look".to_owned() }).unwrap();
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    for changed in [true, false] {
        assert_eq!(w.command("alice", Command::Withdraw { proposal: p }), Ok(Answer::Done { changed }));
    }
    ends_voided(&mut w, p);
}

#[test]
fn what_is_signed_is_voided_when_too_many_speak_against_it() {
    let mut w = world();
    let mut rules = w.config.policy.rules().to_vec();
    for rule in &mut rules {
        if let Action::Approve(approvers) = &mut rule.action {
            approvers.weight = Weight(3);
        }
    }
    w.config.policy = Policy::new(rules);
    let p = w.propose("warm", 500);
    // Two reach the SignerQuorum; policy wants a third, who says no.
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    assert_eq!(w.word(p), "collecting");
    w.command("carol", Command::Reject { proposal: p, reason: "no".to_owned() }).unwrap();
    ends_voided(&mut w, p);
}

/// Danger: both who signed say no, one after the other; their signatures over the payment are in other hands, and the void
/// that they signed with it is not sent because none of them counts as having signed any more.
#[test]
fn what_those_who_signed_reject_or_retract_is_voided_with_what_they_signed() {
    let reject = |p| Command::Reject { proposal: p, reason: "no".to_owned() };
    let retract = |p| Command::Retract { proposal: p };
    let withdraw = |p| Command::Withdraw { proposal: p };
    let void = |p| Command::Void { proposal: p, reason: "theirs".to_owned() };
    // It is the first that is asked for.
    let p = ProposalId(1);
    for story in [
        [("alice", reject(p)), ("bob", reject(p))],
        [("bob", retract(p)), ("alice", withdraw(p))],
        [("bob", retract(p)), ("dave", void(p))],
    ] {
        let mut w = world();
        w.command("dave", Command::Freeze { account: Some(id("warm")), reason: "look".to_owned() }).unwrap();
        assert_eq!(w.propose("warm", 500), p);
        w.approve("alice", p).unwrap();
        w.approve("bob", p).unwrap();
        for (person, asked) in story {
            w.command(person, asked).unwrap();
        }
        ends_voided(&mut w, p);
    }
    // With too few it ends as before, and what was taken back never pays.
    let mut w = world();
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    w.command("alice", Command::Retract { proposal: p }).unwrap();
    w.approve("bob", p).unwrap();
    assert_eq!(w.word(p), "collecting");
    w.command("bob", reject(p)).unwrap();
    w.command("carol", reject(p)).unwrap();
    ends_voided(&mut w, p);
}

/// Danger: what was signed for the void alone is taken for an approval.
#[test]
fn who_took_an_approval_back_and_gives_it_again_has_signed_once() {
    let mut w = world();
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    w.command("alice", Command::Retract { proposal: p }).unwrap();
    w.approve("alice", p).unwrap();
    assert_eq!(w.word(p), "collecting");
    assert_eq!(void(&mut w, p).unwrap_err().code(), "NO_VOID", "one of two");
    w.approve("bob", p).unwrap();
    w.settle();
    assert_eq!(w.word(p), "validated");
}

fn ends_voided(w: &mut World, p: ProposalId) {
    let sent = w.settle();
    assert_eq!(sent[0].tx_type(), TransactionType::AccountSet);
    assert_eq!(w.word(p), "voided");
    assert!(!w.state.holds_slot(w.proposal(p)));
}

/// One transaction of a proposal's, put together by people past the daemon.
fn past_the_daemon(blob: &HexBytes) -> Transaction {
    let tx = Transaction::decode(&blob.0).unwrap();
    let signer = |name| {
        let given = signatures_of(name, std::slice::from_ref(blob));
        xrpl_wire::Signer {
            account: given.signer,
            public_key: given.signing_pub_key,
            signature: given.signatures[0].0.clone(),
        }
    };
    xrpl_wire::sign::assemble(&tx, vec![signer("alice"), signer("bob")]).unwrap()
}

#[test]
fn a_void_of_what_had_ended_that_others_send_is_told_as_what_it_is() {
    let mut w = world();
    let p = w.propose("warm", 500);
    let void = past_the_daemon(&plan(&w, p).void_rungs()[0].clone());
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    w.close(&[void]);
    let found = w.state.findings.values().next_back().unwrap();
    assert!(found.evidence.contains("the void of P1 had ended as withdrawn"), "{}", found.evidence);
    assert!(found.evidence.contains("it moved nothing"), "{}", found.evidence);
}

#[test]
fn a_payment_that_others_send_after_it_was_taken_back_counts_in_every_sum() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let to = w.proposal(p).intent.destination().unwrap();
    let paid = past_the_daemon(&w.rungs(p)[0].clone());
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    w.close(&[paid]);
    let since = RippleTime(w.state.now().0 - HOUR);
    for whose in [Whose::Destination(to), Whose::Asker("alice"), Whose::Asset(Asset::Xrp)] {
        let sum = w.state.book.payments().sum(whose, Asset::Xrp, since, None);
        assert_eq!(sum, amount(500 * XRP));
    }
}

/// Danger: somebody panics while much is open, and whoever had asked for it can ask for nothing when it is over.
#[test]
fn what_a_panic_has_ended_counts_against_nobody_who_asked_for_it() {
    let mut w = World::new();
    for _ in 0..99 {
        let p = w.propose("hot", 1_000_000);
        assert_eq!(w.word(p), "denied");
    }
    let open = w.propose("warm", 500);
    w.command("dave", Command::Panic { reason: "a thief".to_owned() }).unwrap();
    assert_eq!(w.word(open), "withdrawn");
    let payment = w.payment("warm", 500);
    assert!(w.command("alice", Command::Propose(payment)).is_ok());
    // By herself it is another matter.
    let payment = w.payment("warm", 501);
    let Ok(Answer::Proposed { proposal }) = w.command("alice", Command::Propose(payment)) else {
        panic!("refused")
    };
    w.command("alice", Command::Withdraw { proposal }).unwrap();
    let payment = w.payment("warm", 502);
    assert_eq!(w.command("alice", Command::Propose(payment)), Err(CommandError::TooManyForNothing(100)));
}

/// Danger: two people see the same and stop it one after the other, and the second keeps the void of the first back for a ledger.
#[test]
fn a_void_that_another_stop_called_back_is_sent_at_once() {
    let mut w = world();
    let p = in_flight(&mut w);
    w.reply(p, "terQUEUED");
    w.sent();
    panic(&mut w);
    let sent = w.sent();
    assert_eq!(sent.len(), 1);
    let freeze = Command::Freeze { account: None, reason: "I see it, too".to_owned() };
    w.command("dave", freeze).unwrap();
    w.reply_with(p, SubmitReply::NotSent);
    assert_eq!(w.sent(), sent, "nothing else goes");
}

/// Danger: the servers that are connected lie, or one alone is, and what makes a stolen payment worthless is sent no more.
#[test]
fn a_void_is_sent_with_each_ledger_whatever_servers_say_of_it_and_a_payment_is_not() {
    let mut w = world();
    let p = in_flight(&mut w);
    w.sent();
    w.reply(p, "temMALFORMED");
    w.close(&[]);
    assert!(w.sent().is_empty());
    panic(&mut w);
    let void = w.sent();
    assert_eq!(void.len(), 1);
    for _ in 0..3 {
        w.reply(p, "temMALFORMED");
        w.close(&[]);
        assert_eq!(w.sent(), void);
    }
    let told: Vec<&str> = w.state.findings.values().map(|finding| finding.evidence.as_str()).collect();
    assert!(
        told.iter().any(|said| said.starts_with(&format!("no server takes {p}: temMALFORMED"))),
        "{told:?}"
    );
    assert!(
        told.iter().any(|said| said.starts_with(&format!("no server takes the void of {p}"))),
        "{told:?}"
    );
}
