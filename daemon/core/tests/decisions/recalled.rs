//! What was recorded for sending, and was called back before it left.

use std::collections::BTreeSet;

use treasury_core::Input;
use treasury_core::command::{Answer, Command};
use treasury_core::config::{FindingKind, Role, Severity};
use treasury_core::input::SubmitReply;
use treasury_core::intent::IntentKind;
use treasury_core::policy::{Action, Approvers, Policy, Rule};
use treasury_core::state::Guard;
use treasury_core::stops::Subject;
use treasury_core::units::{EscrowKey, ProposalId, Weight};
use xrpl_wire::{Transaction, TransactionType, sf};

use crate::world::{World, amount, config, drops, id};

const HOUR: u32 = 3_600;

fn finishes(sent: &[Transaction]) -> usize {
    sent.iter().filter(|tx| tx.tx_type() == TransactionType::EscrowFinish).count()
}

/// An escrow whose EscrowFinish was handed to the driver, which has not begun it.
fn releasing(w: &mut World) -> (ProposalId, EscrowKey, ProposalId) {
    let (p, key) = w.escrow();
    w.jump(50 * HOUR);
    assert_eq!(finishes(&w.sent()), 1);
    let Guard::Releasing { attempt: Some(attempt), .. } = *w.guard(key) else { panic!("not releasing") };
    (p, key, attempt)
}

/// A payment that two people signed, recorded for sending, that a freeze called back.
fn called_back(w: &mut World) -> ProposalId {
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    assert_eq!(w.sent().len(), 1);
    w.freeze("dave", "warm", "look");
    w.reply_with(p, SubmitReply::NotSent);
    w.close(&[]);
    p
}

/// Danger: a panic calls a release back, holds nothing of it, and whoever lifts the freeze lets it go.
#[test]
fn a_panic_holds_what_it_calls_back() {
    let mut w = World::new();
    let (_, key, attempt) = releasing(&mut w);
    let answer = w.command("dave", Command::Panic { reason: "fraud".to_owned() }).unwrap();
    let Answer::Panicked(panicked) = answer else { panic!("{answer:?}") };
    assert_eq!(panicked.revealed, [key], "it may have left");
    w.reply_with(attempt, SubmitReply::NotSent);
    let hold = w.stops_on(&Subject::Escrow(key));
    assert_eq!(hold.len(), 1);
    let lift = Command::Lift { stops: BTreeSet::from([panicked.freeze]), reason: "a drill".to_owned() };
    let Answer::Lifted { standing, .. } = w.command("dave", lift).unwrap() else { panic!() };
    assert_eq!(standing.into_iter().collect::<BTreeSet<_>>(), hold);
    (0..5).for_each(|_| w.jump(20));
    assert_eq!(finishes(&w.sent()), 0);
}

/// Danger: somebody is told that a flag comes too late, and a hold would have stopped it.
#[test]
fn a_flag_holds_what_no_server_has_said_anything_of() {
    for is_out in [false, true] {
        let mut w = World::new();
        let (p, _, attempt) = releasing(&mut w);
        let before = w.recalls;
        let flagged = w.command("dave", Command::Flag { proposal: p, reason: "fraud".to_owned() }).unwrap();
        let Answer::Stopped { changed: true, warning: Some(warning), .. } = flagged else {
            panic!("{flagged:?}")
        };
        assert!(warning.contains("can be released all the same"), "{warning}");
        assert_eq!(w.recalls, before + 1);
        if is_out {
            w.reply(attempt, "tesSUCCESS");
            let again = Command::Flag { proposal: p, reason: "fraud, too".to_owned() };
            assert_eq!(w.command("dave", again).unwrap_err().code(), "REVEALED");
        } else {
            w.reply_with(attempt, SubmitReply::NotSent);
        }
        (0..5).for_each(|_| w.jump(20));
        assert_eq!(finishes(&w.sent()) > 0, is_out, "what is out is pressed");
        assert_eq!(w.state.stops.all().count(), 1);
    }
}

/// Danger: somebody is told that a hold may come in time, and the fulfillment has been public for long.
#[test]
fn a_flag_of_a_later_attempt_is_said_to_be_too_late() {
    let mut w = World::new();
    let (_, key, first) = releasing(&mut w);
    let mut attempt = first;
    for _ in 0..200 {
        w.close(&[]);
        let Guard::Releasing { attempt: Some(now), .. } = *w.guard(key) else { continue };
        if now != first {
            attempt = now;
            break;
        }
    }
    assert_ne!(attempt, first, "the first was in no ledger and has expired");
    let flag = Command::Flag { proposal: attempt, reason: "fraud".to_owned() };
    assert_eq!(w.command("dave", flag).unwrap_err().code(), "REVEALED");
}

/// Danger: somebody's approval counts no more, and what it was given for leaves with it when a stop is lifted.
#[test]
fn what_was_called_back_leaves_with_no_approval_of_somebody_who_counts_no_more() {
    for counts in [true, false] {
        let mut w = World::new();
        let p = called_back(&mut w);
        if !counts {
            w.config.people.get_mut("bob").unwrap().roles.clear();
        }
        w.runtime.declared_anew();
        w.input(Input::SightLost { reason: "the configuration was read anew".to_owned() });
        w.close(&[]);
        w.reconcile();
        w.lift_all();
        w.close(&[]);
        assert_eq!(w.sent().len(), usize::from(counts));
        let lacks = w.waits(p).iter().any(|wait| wait.contains("approver 1 of 2"));
        assert_eq!(lacks, !counts, "{:?}", w.waits(p));
    }
}

/// Danger: nothing of it has left, and nobody can end it.
#[test]
fn what_was_called_back_can_be_ended_and_approvals_taken_back() {
    let ways = [
        ("alice", Command::Withdraw { proposal: ProposalId(1) }),
        ("dave", Command::Withdraw { proposal: ProposalId(1) }),
        ("bob", Command::Retract { proposal: ProposalId(1) }),
        ("bob", Command::Reject { proposal: ProposalId(1), reason: "not me".to_owned() }),
    ];
    for (who, way) in ways {
        let mut w = World::new();
        let p = called_back(&mut w);
        assert_eq!(p, ProposalId(1));
        w.command(who, way.clone()).unwrap();
        w.lift_all();
        (0..3).for_each(|_| w.close(&[]));
        assert!(w.sent().is_empty(), "{who}: {way:?}, {}", w.word(p));
    }
    // What may have left is another matter.
    let mut w = World::new();
    let p = called_back(&mut w);
    w.lift_all();
    w.close(&[]);
    assert_eq!(w.sent().len(), 1);
    let refused = w.command("alice", Command::Withdraw { proposal: p }).unwrap_err();
    assert_eq!(refused.code(), "WRONG_STATE");
}

/// Danger: an account was robbed, and what is released into it goes the same way.
#[test]
fn a_delayed_move_is_not_released_into_an_account_that_was_robbed() {
    for robbed in [false, true] {
        let mut config = config();
        config.severities.insert(FindingKind::SpendWithoutProposal, Severity::Alert);
        let roles = BTreeSet::from([Role::Approver]);
        let approvers = Approvers { weight: Weight(2), roles, ..Default::default() };
        let delay = Action::Delay { delay_seconds: HOUR, window_seconds: 24 * HOUR, approvers };
        let moves = Rule { kinds: Some(vec![IntentKind::Move]), ..Rule::new("moves", delay) };
        let others = config.policy.rules().iter().filter(|rule| rule.name != "moves").cloned();
        config.policy = Policy::new(others.chain([moves]).collect());
        let mut w = World::with(config);
        let mut link = crate::cascades::fill("warm", "hot", [150_000, 160_000, 1_000]);
        link.period_seconds = 7 * 24 * HOUR;
        (link.move_max, link.period_max) = (amount(50_000_000_000), amount(500_000_000_000));
        w.config.links = vec![link];
        w.close(&[]);
        let p = *w.state.open.iter().next().expect("a move");
        w.approve("alice", p).unwrap();
        w.approve("bob", p).unwrap();
        w.settle();
        if robbed {
            let other = w.propose("hot", 500);
            let mut object = Transaction::decode(&w.rungs(other)[0].0).unwrap().into_object();
            w.command("alice", Command::Withdraw { proposal: other }).unwrap();
            let last = *w.state.accounts[&id("hot")].tickets.iter().next_back().unwrap();
            object.set(sf::TicketSequence, last);
            object.set(sf::Amount, xrpl_wire::Amount::Xrp(drops(1_000_000_000)));
            w.close(&[Transaction::from_object(object).unwrap()]);
        }
        assert_eq!(w.state.robbed.contains_key(&id("hot")), robbed);
        w.sent();
        w.jump(10 * HOUR);
        (0..5).for_each(|_| w.jump(10));
        assert_eq!(finishes(&w.sent()) > 0, !robbed);
    }
}

/// Danger: whoever may ask for payments asks for one into an account that is to be filled, nobody signs it, and it runs dry.
#[test]
fn what_nobody_has_signed_keeps_no_account_from_being_filled() {
    for signed in [None, Some(false), Some(true)] {
        let mut config = config();
        let moves = Rule { kinds: Some(vec![IntentKind::Move]), ..Rule::new("moves", Action::Allow) };
        let others = config.policy.rules().iter().filter(|rule| rule.name != "moves").cloned();
        config.policy = Policy::new(others.chain([moves]).collect());
        let mut w = World::with(config);
        w.change_balance("hot", 1_500);
        w.config.links = vec![crate::cascades::fill("warm", "hot", [1_000, 2_000, 1_000])];
        w.close(&[]);
        if let Some(signed) = signed {
            let mut pay = w.payment("warm", 700);
            pay.destination = id("hot");
            let asked = w.command("alice", Command::Propose(pay)).unwrap();
            let Answer::Proposed { proposal } = asked else { panic!("{asked:?}") };
            if signed {
                w.approve("alice", proposal).unwrap();
                w.approve("bob", proposal).unwrap();
                assert_eq!(w.word(proposal), "in_flight");
            }
        }
        w.change_balance("hot", 300);
        (0..2).for_each(|_| w.close(&[]));
        let moves = w.state.proposals.values().filter(|known| known.intent.kind() == IntentKind::Move);
        assert_eq!(moves.count(), usize::from(signed != Some(true)), "{signed:?}");
    }
}

/// Danger: what takes money back is ended by somebody who does not like that.
#[test]
fn nobody_rejects_the_cancel_of_an_escrow() {
    let mut w = World::new();
    let (p, _) = w.escrow();
    w.command("dave", Command::Flag { proposal: p, reason: "fraud".to_owned() }).unwrap();
    w.signer_answers = false;
    w.jump(80 * HOUR);
    w.close(&[]);
    let attempt = *w.state.open.iter().next().unwrap();
    assert_eq!(w.proposal(attempt).intent.kind(), IntentKind::CancelEscrow);
    let reject = Command::Reject { proposal: attempt, reason: "no".to_owned() };
    assert_eq!(w.command("bob", reject).unwrap_err().code(), "WRONG_STATE");
    assert!(w.state.open.contains(&attempt));
}
