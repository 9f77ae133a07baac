//! Store and second log are lost: the ledger and the keys are what there is.

use treasury_core::Command;
use treasury_core::observe::{Change, EscrowView};
use treasury_core::policy::{Action, Per, Policy, Rolling, Rule};
use treasury_core::state::Guard;
use treasury_core::stops::{StopSource, Subject};
use treasury_core::units::EscrowKey;

use crate::world::{World, XRP, amount, id};

/// A daemon that knows nothing and reads a ledger on which another life's escrow stands.
fn without_records() -> (World, EscrowKey, EscrowView) {
    let mut before = World::new();
    let (_, key) = before.escrow();
    let view = before.state.escrows[&key].view.clone();
    let mut w = World::new();
    w.change(vec![Change::EscrowCreated { escrow: view.clone() }]);
    (w, key, view)
}

#[test]
fn an_own_escrow_is_recognised_by_its_terms_held_and_released_when_somebody_has_looked_at_it() {
    let (mut w, key, view) = without_records();
    let Guard::Locked { proposal, .. } = *w.guard(key) else { panic!("{:?}", w.guard(key)) };
    let made = w.proposal(proposal);
    assert_eq!((made.account, made.status.word()), (id("warm"), "validated"));
    assert_eq!(made.release_inputs().unwrap().amount, view.amount.unwrap());
    let stop = w.state.stops.on(&Subject::Escrow(key)).next().unwrap().clone();
    assert_eq!(stop.source, StopSource::Daemon);
    let later = view.finish_after.unwrap().0 - w.state.now().0 + 1;
    w.jump(later);
    assert!(w.sent().is_empty(), "whether somebody had stopped it is not known");
    w.restart();
    w.reconcile();
    w.command("dave", Command::Lift { stops: [stop.id].into(), reason: "asked alice".to_owned() }).unwrap();
    w.close(&[]);
    let sent = w.settle();
    assert_eq!(sent.len(), 1);
    assert!(matches!(w.guard(key), Guard::Released { .. }));
}

#[test]
fn an_own_escrow_is_recognised_whichever_release_key_it_was_made_with() {
    for (made_with, newest) in [(1, 3), (2, 3), (3, 3)] {
        let mut before = World::new();
        before.key_version = made_with;
        let (_, key) = before.escrow();
        let view = before.state.escrows[&key].view.clone();
        let mut w = World::new();
        w.key_version = newest;
        w.change(vec![Change::EscrowCreated { escrow: view }]);
        let Guard::Locked { proposal, .. } = *w.guard(key) else { panic!("{:?}", w.guard(key)) };
        assert_eq!(w.proposal(proposal).release_inputs().unwrap().key_version, made_with);
    }
}

#[test]
fn a_recognised_escrow_that_nobody_looks_at_is_taken_back() {
    let (mut w, key, view) = without_records();
    w.jump(view.cancel_after.unwrap().0 - w.state.now().0 + 1);
    let sent = w.settle();
    assert_eq!(sent[0].tx_type().name(), "EscrowCancel");
    assert!(matches!(w.guard(key), Guard::Cancelled { .. }));
}

#[test]
fn an_escrow_with_other_terms_than_its_condition_was_made_for_stays_somebody_elses() {
    let (_, key, view) = without_records();
    let mut w = World::new();
    let other = EscrowView { destination: id("mallory"), ..view };
    w.change(vec![Change::EscrowCreated { escrow: other }]);
    assert_eq!(w.guard(key), &Guard::Foreign);
    w.restart();
    w.reconcile();
    w.close(&[]);
    assert_eq!(w.guard(key), &Guard::Foreign, "asked again after a start, with the same answer");
    assert!(w.state.proposals.is_empty());
}

#[test]
fn what_others_paid_counts_beside_a_recognised_escrow_whose_payment_nobody_here_saw() {
    for (most, released) in [(2_050, false), (2_100, true)] {
        let (mut w, key, view) = without_records();
        w.lift_all();
        let p = w.propose("warm", 90);
        w.settle();
        assert_eq!(w.word(p), "validated");
        let mut rules = w.config.policy.rules().to_vec();
        let most = Some(amount(most * XRP));
        let week =
            Rolling { period_seconds: 7 * 86_400, per: Per::Account, amount_above: most, amount_max: None };
        let any = Rule { kinds: None, askers: None, amount_max: None, ..rules[0].clone() };
        rules.push(Rule {
            name: "busy".to_owned(),
            rolling: Some(week),
            action: Action::Deny,
            ..any.clone()
        });
        rules.push(any);
        w.config.policy = Policy::new(rules);
        w.jump(view.finish_after.unwrap().0 - w.state.now().0 + 1);
        w.settle();
        assert_eq!(matches!(w.guard(key), Guard::Released { .. }), released, "2,000 and 90 of {most:?}");
    }
}
