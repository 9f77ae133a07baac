//! Escrows in which a second party has a part: nothing of them goes on without it, and all else does.

use treasury_core::Event;
use treasury_core::Input;
use treasury_core::Treasury;
use treasury_core::config::FindingKind;
use treasury_core::effect::{Effect, GuardRefusal, Opening, Party};
use treasury_core::observe::Change;
use treasury_core::proposal::Status;
use treasury_core::state::Guard;
use treasury_core::units::HexBytes;
use xrpl_wire::TransactionType;

use crate::world::{World, config, opening};

const HOUR: u32 = 3_600;

fn guarded() -> World {
    World::with(Treasury { new_escrows: Party::Guarded, ..config() })
}

fn refusal(code: &str, answered: bool) -> Option<GuardRefusal> {
    Some(GuardRefusal { code: code.to_owned(), reason: format!("because of {code}"), answered })
}

fn found(w: &World, kind: FindingKind) -> Vec<String> {
    let findings = w.state.findings.values().filter(|finding| finding.kind == kind);
    findings.map(|finding| finding.evidence.clone()).collect()
}

#[test]
fn a_guarded_escrow_is_released_for_the_fee_of_its_longer_fulfillment() {
    for (party, fee) in [(Party::Own, 350), (Party::Guarded, 390)] {
        let mut w = World::with(Treasury { new_escrows: party, ..config() });
        let (p, key) = w.escrow();
        assert_eq!(w.proposal(p).release_inputs().unwrap().party, party);
        w.jump(49 * HOUR);
        let sent = w.settle();
        assert_eq!((sent.len(), sent[0].tx_type()), (1, TransactionType::EscrowFinish));
        assert_eq!(sent[0].fee().get(), fee, "{party:?}");
        assert!(matches!(w.guard(key), Guard::Released { .. }));
        assert!(w.state.findings.is_empty() && w.state.guard_refusals.is_empty());
    }
}

#[test]
fn without_the_guards_condition_nothing_can_be_signed_and_nothing_else_waits() {
    let mut w = guarded();
    w.guard_refusal = refusal("guard_unreachable", false);
    let p = w.propose("warm", 5_000);
    assert_eq!(w.word(p), "assessed");
    assert_eq!(w.waits(p)[1], "the guard, which does not answer: because of guard_unreachable");
    w.jump(4);
    w.guard_refusal = refusal("guard_destination", true);
    w.jump(4);
    assert_eq!(w.waits(p)[1], "the guard, which refuses (guard_destination): because of guard_destination");
    assert_eq!(
        found(&w, FindingKind::GuardRefused),
        [format!("{p}: guard_destination: because of guard_destination")]
    );
    // What it said before is nothing new, whatever it says in between.
    for (code, answered) in [("guard_unreachable", false), ("guard_destination", true)] {
        w.guard_refusal = refusal(code, answered);
        w.jump(4);
    }
    assert_eq!(found(&w, FindingKind::GuardRefused).len(), 1);
    let small = w.propose("hot", 5);
    assert_eq!(w.word(small), "in_flight");
    w.settle();
    assert_eq!(w.word(small), "validated");
    assert_eq!(w.state.open_breakers(&w.proposal(p).account).count(), 0);
    w.guard_refusal = None;
    w.jump(4);
    assert_eq!(w.word(p), "collecting");
    assert!(w.state.guard_refusals.is_empty());
}

/// Danger: a guard that says the same with every ledger fills the log.
#[test]
fn what_the_guard_says_again_is_written_down_once_and_that_it_is_silent_is_something_else() {
    let mut w = guarded();
    let said = |w: &World| w.events.iter().filter(|event| matches!(event, Event::GuardSaid { .. })).count();
    for (answered, expected) in [(true, 1), (false, 2), (true, 3)] {
        w.guard_refusal = refusal("guard_stopped", answered);
        if expected == 1 {
            w.propose("warm", 5_000);
        }
        (0..5).for_each(|_| w.jump(4));
        assert_eq!(said(&w), expected);
    }
}

#[test]
fn what_the_guard_never_answers_ends_with_its_deadline() {
    let mut w = guarded();
    w.guard_refusal = refusal("guard_unreachable", false);
    let p = w.propose("warm", 5_000);
    let seconds = w.proposal(p).deadline_seconds;
    for _ in 0..seconds / 3 + 20 {
        w.jump(3);
    }
    assert_eq!(w.word(p), "expired");
    assert!(w.sent().is_empty());
}

#[test]
fn a_release_that_the_guard_refuses_keeps_no_ticket_and_opens_no_breaker() {
    let mut w = guarded();
    let (p, key) = w.escrow();
    let runner = w.config.runner.unwrap();
    let tickets = w.state.free_tickets(&runner).count();
    w.guard_refusal = refusal("guard_stopped", true);
    w.jump(49 * HOUR);
    for _ in 0..40 {
        w.jump(100);
    }
    assert!(w.sent().is_empty());
    assert_eq!(w.state.free_tickets(&runner).count(), tickets, "each attempt gave its Ticket back");
    assert_eq!(w.state.open_breakers(&runner).count(), 0);
    assert!(matches!(w.guard(key), Guard::Locked { .. }));
    assert_eq!(found(&w, FindingKind::GuardRefused).len(), 1, "once for a code");
    w.guard_refusal = refusal("guard_limit", true);
    w.jump(200);
    assert_eq!(found(&w, FindingKind::GuardRefused).len(), 2);
    assert_eq!(w.state.guard_refusals[&p].code, "guard_limit");
    w.guard_refusal = None;
    w.jump(200);
    w.settle();
    assert!(matches!(w.guard(key), Guard::Released { .. }));
    assert!(w.state.guard_refusals.is_empty());
}

#[test]
fn of_a_release_that_the_guard_is_asked_about_again_it_is_told_what_it_said_last() {
    let mut w = guarded();
    let (_, key) = w.escrow();
    w.guard_refusal = refusal("guard_stopped", true);
    w.jump(49 * HOUR);
    w.signer_answers = false;
    for _ in 0..4 {
        w.jump(100);
    }
    let Guard::Locked { preparing: Some(attempt), .. } = *w.guard(key) else { panic!("{:?}", w.guard(key)) };
    let said = "the guard, which refuses (guard_stopped): because of guard_stopped".to_owned();
    assert!(w.waits(attempt).contains(&said), "{:?}", w.waits(attempt));
}

/// Danger: the guard stops a release for a reason that kept the condition back days before, and nobody hears of it.
#[test]
fn a_release_that_is_refused_for_what_kept_the_condition_back_is_found_as_well() {
    let mut w = guarded();
    w.guard_refusal = refusal("guard_stopped", true);
    let p = w.propose("warm", 2_000);
    w.jump(4);
    w.guard_refusal = None;
    w.jump(4);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    w.settle();
    assert_eq!(w.word(p), "validated");
    w.guard_refusal = refusal("guard_stopped", true);
    w.jump(49 * HOUR);
    for _ in 0..4 {
        w.jump(100);
    }
    let because = "guard_stopped: because of guard_stopped";
    assert_eq!(
        found(&w, FindingKind::GuardRefused),
        [format!("{p}: {because}"), format!("{p}: the release: {because}")]
    );
}

#[test]
fn a_silent_guard_is_found_once_when_half_of_the_window_is_over_and_the_money_comes_back() {
    let mut w = guarded();
    let (p, key) = w.escrow();
    w.guard_refusal = refusal("guard_unreachable", false);
    let opens = w.proposal(p).release_inputs().unwrap().finish_after.0;
    w.jump(opens + 11 * HOUR - w.state.now().0);
    w.jump(200);
    w.jump(opens + 12 * HOUR - 1 - w.state.now().0);
    assert_eq!(found(&w, FindingKind::GuardSilent).len(), 0);
    w.jump(1);
    assert_eq!(found(&w, FindingKind::GuardSilent).len(), 1, "just half of it");
    for _ in 0..4 {
        w.jump(HOUR);
    }
    let seen = found(&w, FindingKind::GuardSilent);
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].starts_with(&format!("escrow {key}: the guard does not answer")), "{seen:?}");
    assert_eq!(found(&w, FindingKind::GuardRefused).len(), 0);
    w.jump(11 * HOUR);
    let sent = w.settle();
    assert_eq!((sent.len(), sent[0].tx_type()), (1, TransactionType::EscrowCancel));
    assert!(matches!(w.guard(key), Guard::Cancelled { .. }));
}

#[test]
fn an_answer_that_nobody_asked_that_party_for_is_not_taken() {
    let mut w = guarded();
    w.signer_answers = false;
    let p = w.propose("warm", 5_000);
    let Some(Effect::DeriveCondition { inputs, .. }) =
        w.unanswered.iter().find(|effect| matches!(effect, Effect::DeriveCondition { .. })).cloned()
    else {
        panic!("it is asked for")
    };
    let derived = crate::world::derive(&inputs);
    w.input(Input::ConditionDerived { proposal: p, party: Party::Own, derived: derived.clone() });
    assert_eq!(w.word(p), "assessed");
    w.input(Input::GuardRefused { proposal: p, refusal: refusal("guard_early", true).unwrap() });
    assert_eq!(w.state.guard_refusals.len(), 1);
    w.input(Input::ConditionDerived { proposal: p, party: Party::Guarded, derived });
    assert_eq!(w.word(p), "collecting");
    // A word that comes late changes nothing.
    w.input(Input::GuardRefused { proposal: p, refusal: refusal("guard_early", true).unwrap() });
    assert_eq!((w.word(p), w.state.guard_refusals.len()), ("collecting", 0));
}

#[test]
fn a_share_that_does_not_open_the_escrow_is_the_guards_refusal_and_nothing_is_revealed() {
    let mut w = guarded();
    let (p, key) = w.escrow();
    w.signer_answers = false;
    w.jump(49 * HOUR);
    let asked = w.unanswered.iter().find_map(|effect| match effect {
        Effect::DeriveFulfillment { proposal, inputs } => Some((*proposal, inputs.clone())),
        _ => None,
    });
    let (attempt, inputs) = asked.unwrap();
    let wrong = Opening { fulfillment: HexBytes(vec![0xA0, 2, 0x80, 0]), ..opening(&inputs) };
    w.input(Input::FulfillmentDerived { proposal: attempt, party: Party::Guarded, opening: wrong });
    assert_eq!(w.state.guard_refusals[&p].code, "guard_does_not_open");
    assert!(matches!(w.proposal(attempt).status, Status::Withdrawn));
    assert!(matches!(w.guard(key), Guard::Locked { .. }));
    assert!(w.sent().is_empty());
}

#[test]
fn a_guarded_escrow_is_recognised_after_a_total_loss_and_released_with_the_guard() {
    let mut before = guarded();
    let (_, key) = before.escrow();
    let view = before.state.escrows[&key].view.clone();
    let mut w = guarded();
    w.change(vec![Change::EscrowCreated { escrow: view.clone() }]);
    let Guard::Locked { proposal, .. } = *w.guard(key) else { panic!("{:?}", w.guard(key)) };
    assert_eq!(w.proposal(proposal).release_inputs().unwrap().party, Party::Guarded);
    w.lift_all();
    w.guard_refusal = refusal("guard_stopped", true);
    w.jump(view.finish_after.unwrap().0 - w.state.now().0 + 1);
    assert!(w.sent().is_empty());
    w.guard_refusal = None;
    w.jump(200);
    w.settle();
    assert!(matches!(w.guard(key), Guard::Released { .. }));
}

#[test]
fn an_escrow_stays_what_it_was_made_as_whatever_is_configured_since() {
    for (made, since) in [(Party::Own, Party::Guarded), (Party::Guarded, Party::Own)] {
        let mut w = World::with(Treasury { new_escrows: made, ..config() });
        let (p, key) = w.escrow();
        w.config.new_escrows = since;
        w.jump(49 * HOUR);
        assert_eq!(w.proposal(p).release_inputs().unwrap().party, made);
        w.settle();
        assert!(matches!(w.guard(key), Guard::Released { .. }), "{made:?}");
    }
}
