//! How long people have, and what what they are shown is worth.

use treasury_core::command::Command;
use treasury_core::config::TicketConfig;
use treasury_core::observe::Change;
use treasury_core::policy::{Action, Approvers, Policy, Rule};
use treasury_core::proposal::Plan;
use treasury_core::units::{ProposalId, Weight};

use crate::world::{World, config, id};

fn plan(w: &World, p: ProposalId) -> &Plan {
    w.proposal(p).plan.as_ref().unwrap()
}

/// Every account wants Tickets, and nothing has been signed yet.
fn refill_of(w: &World, account: &str) -> ProposalId {
    let mut open = w.state.open.iter().copied();
    open.find(|p| w.proposal(*p).account == id(account)).unwrap()
}

/// Danger: a refill that only people can sign has the few ledgers of what the daemon signs by itself, dies, and is
/// proposed again for ever.
#[test]
fn a_refill_that_only_people_can_sign_gives_them_the_time_that_they_are_shown() {
    let mut config = config();
    config.tickets = TicketConfig { low_water: 11, target: 15 };
    let mut w = World::with(config);
    let p = refill_of(&w, "cold");
    assert_eq!(w.word(p), "collecting");
    let (slot, deadline) = (plan(&w, p).slot, plan(&w, p).deadline);
    assert!(deadline.0 >= w.state.now().0 + 3_590, "an hour");
    while w.state.now().0 + 8 < deadline.0 {
        w.close(&[]);
    }
    assert_eq!((refill_of(&w, "cold"), plan(&w, p).slot), (p, slot), "it is the same one until the end");
    for person in ["alice", "bob", "carol"] {
        w.approve(person, p).unwrap();
    }
    assert_eq!(w.word(p), "in_flight");
}

#[test]
fn what_agents_sign_is_over_after_a_few_ledgers_and_says_so() {
    let mut config = config();
    config.tickets = TicketConfig { low_water: 11, target: 15 };
    let mut w = World::with(config);
    let p = refill_of(&w, "hot");
    assert_eq!(w.word(p), "in_flight");
    let shown = plan(&w, p).deadline.0 - w.proposal(p).drafted.close_time.0;
    let ledgers = plan(&w, p).last_ledger_sequence.0 - w.proposal(p).drafted.index.0;
    assert_eq!((shown, ledgers), (60, 20));
    w.sent();
}

/// Danger: ledgers come faster than was thought, LastLedgerSequence passes, and who signs within the time that was
/// shown signs for nothing.
#[test]
fn last_ledger_sequence_does_not_come_before_the_deadline_that_was_shown() {
    for seconds in [3, 4, 10] {
        let mut w = World::new();
        let p = w.propose("warm", 500);
        w.approve("alice", p).unwrap();
        let deadline = plan(&w, p).deadline;
        while w.state.now().0 + seconds <= deadline.0 {
            w.close_at(seconds, &[], "tesSUCCESS");
        }
        assert_eq!(w.word(p), "collecting", "ledgers of {seconds} s");
        w.approve("bob", p).unwrap();
        assert_eq!(w.word(p), "in_flight", "ledgers of {seconds} s: the last moment counts");
        assert_eq!(w.settle().len(), 1);
        assert_eq!(w.word(p), "validated", "ledgers of {seconds} s");
    }
}

#[test]
fn after_the_deadline_nothing_is_begun_though_the_ledger_would_still_take_it() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    let (deadline, last) = (plan(&w, p).deadline, plan(&w, p).last_ledger_sequence);
    while w.state.now() <= deadline {
        w.close(&[]);
    }
    assert!(w.state.ledger.unwrap().index < last);
    assert_eq!(w.approve("bob", p).unwrap_err().code(), "DEADLINE_PASSED");
    assert!(w.sent().is_empty());
    assert!(w.state.holds_slot(w.proposal(p)), "alice's signature can still be used");
}

/// Danger: a draft with a week to sign waits for a Ticket, policy comes to ask for a delay, and the escrow waits for a week
/// longer than any may.
#[test]
fn a_draft_of_which_policy_comes_to_ask_for_a_delay_has_no_more_time_than_a_delayed_payment_has() {
    let mut w = World::new();
    let account = id("warm");
    w.change((11..=20).map(|ticket| Change::TicketDeleted { account, ticket }).collect());
    let mut payment = w.payment("warm", 500);
    payment.deadline_seconds = Some(7 * 86_400);
    w.command("alice", Command::Propose(payment)).unwrap();
    let p = ProposalId(1);
    let nobody =
        Approvers { weight: Weight(0), roles: [].into(), exclude_asker: false, ..Default::default() };
    let delay = Action::Delay { delay_seconds: 3_600, window_seconds: 3_600, approvers: nobody };
    w.config.policy = Policy::new(vec![Rule::new("wait", delay)]);
    w.change(vec![Change::TicketCreated { account, ticket: 11 }]);
    let most = w.config.timing.delayed_deadline_max_seconds;
    assert_eq!(plan(&w, p).deadline.0, w.state.now().0 + most);
    assert_eq!(w.proposal(p).release_inputs().unwrap().finish_after.0, w.state.now().0 + most + 3_600);
}
