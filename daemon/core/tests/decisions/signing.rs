//! The daemon's own signers: what follows where one of them does not sign, or signs with a key that the ledger
//! does not take.

use treasury_core::config::FindingKind;
use treasury_core::effect::Effect;
use treasury_core::input::Input;
use treasury_core::observe::{Change, RootView};
use treasury_core::units::{ProposalId, Weight};

use crate::world::{World, config, drops, id, key};

/// The agent's account comes to be on the ledger with another RegularKey and no master key, or goes again.
fn rotate(w: &mut World, agent: &str, rotated: bool) {
    let root = rotated.then(|| RootView {
        balance: drops(20_000_000),
        sequence: 3,
        owner_count: 0,
        // lsfDisableMaster
        flags: 0x0010_0000,
        regular_key: Some(key("another").account_id()),
    });
    w.change(vec![Change::Root { account: id(agent), root }]);
}

fn found(w: &World) -> Vec<&str> {
    let findings = w.state.findings.values();
    let kind = findings.filter(|finding| finding.kind == FindingKind::AgentCannotSign);
    kind.map(|finding| finding.evidence.as_str()).collect()
}

/// Every account wants Tickets, and the signer has not answered yet.
fn low_on_tickets() -> World {
    let mut w = World::new();
    w.signer_answers = false;
    w.config.tickets = treasury_core::config::TicketConfig { low_water: 11, target: 15 };
    w.restart();
    w.close(&[]);
    w.reconcile();
    w
}

fn waits(w: &World, p: ProposalId) -> String {
    let waits = treasury_core::waits::waits(&w.config, &w.state, w.proposal(p));
    waits.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Danger: an agent's RegularKey is rotated, its signature is refused, and it is asked again at once, for ever.
#[test]
fn a_key_that_the_ledger_does_not_take_is_tried_once_a_ledger_and_people_are_told_once() {
    let mut w = World::new();
    rotate(&mut w, "agent-2", true);
    let p = w.propose("hot", 50);
    assert_eq!(w.rounds, 1);
    assert_eq!(w.word(p), "collecting");
    assert_eq!(found(&w).len(), 1, "at once: {:?}", found(&w));
    assert!(found(&w)[0].contains(&id("agent-2").to_string()) && found(&w)[0].contains("master key"));
    for ledgers in 1..=5 {
        w.close(&[]);
        assert_eq!(w.rounds, 1 + ledgers);
    }
    assert_eq!(found(&w).len(), 1, "and not again for the same reason");
    let waits = waits(&w, p);
    assert!(waits.contains(&id("agent-2").to_string()) && waits.contains("master key"), "{waits}");
    assert_eq!(w.proposal(p).approvals.len(), 1, "the other agent's signature stands");
}

#[test]
fn a_key_that_signs_again_is_asked_with_the_next_ledger_and_counts() {
    let mut w = World::new();
    rotate(&mut w, "agent-2", true);
    let p = w.propose("hot", 50);
    rotate(&mut w, "agent-2", false);
    assert_eq!(w.word(p), "in_flight");
    assert!(w.state.unable.is_empty());
    w.settle();
    assert_eq!(w.word(p), "validated");
}

#[test]
fn a_missing_key_takes_no_other_agents_signature_with_it() {
    let mut config = config();
    config.accounts.get_mut(&id("hot")).unwrap().signers.as_mut().unwrap().quorum = Weight(1);
    let mut w = World::with(config);
    w.without_key.insert("agent-1");
    let p = w.propose("hot", 50);
    assert_eq!(w.word(p), "in_flight", "the other agent suffices");
    assert_eq!(found(&w).len(), 1);
    assert!(found(&w)[0].contains("the keystore has no key"), "{:?}", found(&w));
    assert!(w.state.breakers.is_empty(), "what went on without it stops nothing");
}

#[test]
fn a_person_can_sign_in_the_place_of_an_agent_whose_key_is_missing() {
    let mut w = World::new();
    w.without_key.insert("agent-1");
    let p = w.propose("hot", 50);
    assert_eq!(w.word(p), "collecting");
    w.approve("carol", p).unwrap();
    assert_eq!(w.word(p), "in_flight");
}

/// Danger: people have signed what the daemon's signer then fails at, the slot is given to another payment, and both
/// sets of signatures are out.
#[test]
fn a_signer_that_fails_frees_no_slot_that_was_shown() {
    let mut w = low_on_tickets();
    let refill = |w: &World| {
        let mut open = w.state.open.iter().copied();
        open.find(|p| w.proposal(*p).account == id("hot")).unwrap()
    };
    let p = refill(&w);
    assert_eq!(w.word(p), "collecting");
    for _ in 0..3 {
        w.input(Input::SignFailed { proposal: p, reason: "the signer is gone".to_owned() });
        assert_eq!(w.word(p), "collecting");
        assert!(w.state.holds_slot(w.proposal(p)));
    }
    assert_eq!(
        w.state.breakers.values().map(|breaker| breaker.failures).sum::<u32>(),
        1,
        "one errand, one failure"
    );
    let last = w.proposal(p).plan.as_ref().unwrap().last_ledger_sequence;
    while w.state.ledger.unwrap().index < last {
        assert!(w.state.holds_slot(w.proposal(p)));
        w.close(&[]);
    }
    assert_eq!(w.word(p), "expired");
    assert!(!w.state.holds_slot(w.proposal(p)));
}

/// What only the daemon itself can have signed is given up at once, and tried anew.
#[test]
fn a_runner_whose_key_fails_is_named_and_its_slot_is_free_again() {
    let mut w = low_on_tickets();
    let runners = |w: &World| {
        let mut open = w.state.open.iter().copied();
        open.find(|p| w.proposal(*p).account == id("runner"))
    };
    let p = runners(&w).unwrap();
    assert!(
        w.unanswered
            .iter()
            .any(|effect| matches!(effect, Effect::SignSingle { proposal, .. } if *proposal == p))
    );
    w.input(Input::SignFailed { proposal: p, reason: "the keystore has no key".to_owned() });
    assert_eq!(w.word(p), "withdrawn");
    assert!(!w.state.holds_slot(w.proposal(p)));
    assert_eq!(found(&w).len(), 1);
    assert!(found(&w)[0].contains(&id("runner").to_string()));
}
