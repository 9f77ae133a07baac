//! The daemon's own signers: what follows where one of them does not sign, or signs with a key that the ledger
//! does not take.

use treasury_core::command::Command;
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
        transfer_rate: Some(0),
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

/// A payment that three have signed of whom two suffice, and that is on its way with two of them: it was held until
/// all three had.
fn sent_with_one_to_spare() -> (World, ProposalId, xrpl_wire::Transaction) {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    w.command("dave", Command::Flag { proposal: p, reason: "wait".to_owned() }).unwrap();
    for person in ["alice", "bob", "carol"] {
        w.approve(person, p).unwrap();
    }
    w.lift_all();
    assert_eq!(w.word(p), "in_flight");
    let first = w.sent().remove(0);
    assert_eq!(people(&first).len(), 2);
    (w, p, first)
}

fn people(of: &xrpl_wire::Transaction) -> Vec<&'static str> {
    let signers = xrpl_wire::sign::signers(of).unwrap();
    let among = |name: &str| signers.iter().any(|signer| signer.account == id(name));
    crate::world::PEOPLE.into_iter().filter(|name| among(name)).collect()
}

/// Danger: a signer's key dies in flight, enough others have signed, and nothing is sent until LastLedgerSequence; or
/// the transaction that was sent first is validated all the same, and is taken for somebody else's.
#[test]
fn what_dies_in_flight_is_put_together_anew_from_the_approvals_that_are_good() {
    for arrives in ["the first", "the second"] {
        let (mut w, p, first) = sent_with_one_to_spare();
        let dead = people(&first)[0];
        w.reply(p, "tefBAD_SIGNATURE");
        assert!(w.sent().is_empty());
        rotate(&mut w, dead, true);
        let second = w.sent().remove(0);
        assert!(!people(&second).contains(&dead) && people(&second).len() == 2);
        assert_eq!(second.seq(), first.seq(), "at most one of them is ever applied");
        w.restart();
        w.reconcile();
        w.close(&[]);
        assert_eq!(
            w.sent().last().map(|tx| tx.id()),
            Some(second.id()),
            "it goes on being sent, after a start too"
        );
        w.close(&[if arrives == "the first" { first } else { second }]);
        assert_eq!(w.word(p), "validated", "{arrives}");
        let elsewhere = w.state.findings.values().any(|finding| finding.kind == FindingKind::SentElsewhere);
        assert!(!elsewhere, "{arrives}: both are the daemon's own");
    }
}

#[test]
fn a_quorum_that_rises_in_flight_takes_the_approvals_that_were_to_spare_and_pays_for_them() {
    let (mut w, p, first) = sent_with_one_to_spare();
    assert_eq!(first.fee(), drops(30));
    let mut list = w.state.accounts[&id("warm")].signer_list.clone().unwrap();
    list.quorum = Weight(3);
    w.change(vec![Change::SignerList { account: id("warm"), list: Some(list) }]);
    w.lift_all();
    w.close(&[]);
    let second = w.sent().pop().unwrap();
    assert_eq!(people(&second), ["alice", "bob", "carol"]);
    assert_eq!(second.fee(), drops(900), "the first rung pays for two");
    w.close(&[second]);
    assert_eq!(w.word(p), "validated");
}

#[test]
fn without_enough_good_approvals_what_is_in_flight_stays_as_it_is() {
    let (mut w, p, first) = sent_with_one_to_spare();
    w.reply(p, "tefBAD_SIGNATURE");
    rotate(&mut w, "alice", true);
    w.sent();
    rotate(&mut w, "bob", true);
    assert_eq!(w.word(p), "in_flight");
    w.close(&[]);
    assert!(w.sent().iter().all(|tx| tx.id() != first.id()));
    let renewed = w.events.iter().filter(|event| event.word() == "submission_renewed").count();
    assert_eq!(renewed, 1);
}

/// Danger: a transaction costs what it would if everybody on the list signed it.
#[test]
fn the_least_fee_is_for_as_many_as_have_to_sign() {
    for (account, amount, least) in [("hot", 50, 30), ("warm", 500, 30), ("cold", 500, 40)] {
        let mut w = World::new();
        let p = w.propose(account, amount);
        assert_eq!(w.proposal(p).plan.as_ref().unwrap().fees[0], drops(least), "{account}");
    }
    // Whoever signs, it is enough: here one heavy signer would do, and many light ones may come instead.
    let mut config = config();
    let declared = config.accounts.get_mut(&id("warm")).unwrap().signers.as_mut().unwrap();
    declared.quorum = Weight(4);
    declared.entries.insert(id("dave"), 4);
    let mut w = World::with(config);
    let p = w.propose("warm", 500);
    assert_eq!(w.proposal(p).plan.as_ref().unwrap().fees[0], drops(50), "three of weight 1, and dave");
    for person in ["alice", "bob", "dave"] {
        w.approve(person, p).unwrap();
    }
    let sent = w.sent().remove(0);
    assert!(people(&sent).len() <= 4 && sent.fee() == drops(50));
}
