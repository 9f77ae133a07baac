//! Who asks, who of those who can sign still may, and what a request that is repeated gets.

use treasury_core::command::{Answer, Command, CommandError, Propose};
use treasury_core::config::Person;
use treasury_core::intent::Origin;
use treasury_core::observe::{Change, ObservedTx, intent_digest};
use treasury_core::policy::{Action, Approvers, Policy};
use treasury_core::state::Guard;
use treasury_core::stops::Subject;
use treasury_core::units::{ProposalId, Weight};

use crate::world::{World, amount, config, id};

fn reject(w: &mut World, person: &str, p: ProposalId) {
    w.command(person, Command::Reject { proposal: p, reason: "not ours".to_owned() }).unwrap();
}

/// Danger: what people have rejected lingers and holds its place, because agents who never sign it are thought able to.
#[test]
fn a_payment_that_nobody_can_complete_any_more_ends_with_the_rejection() {
    let mut w = World::new();
    // Quorum 2 on the warm account, agents among its signers; the rule wants two of the three approvers.
    let p = w.propose("warm", 500);
    reject(&mut w, "alice", p);
    assert_eq!(w.word(p), "collecting", "bob and carol can");
    reject(&mut w, "bob", p);
    assert_eq!(w.word(p), "rejected", "carol is one");

    // Where any person would do, the agents' weight is no weight: the rule gives the payment to people.
    let mut config = config();
    let rules = config.policy.rules().iter().cloned().map(|mut rule| {
        if let Action::Approve(approvers) = &mut rule.action {
            approvers.weight = Weight(1);
        }
        rule
    });
    config.policy = Policy::new(rules.collect());
    let mut w = World::with(config);
    let p = w.propose("warm", 500);
    for person in ["alice", "bob"] {
        reject(&mut w, person, p);
        assert_eq!(w.word(p), "collecting", "after {person}");
    }
    reject(&mut w, "dave", p);
    assert_eq!(
        w.word(p),
        "rejected",
        "carol and two agents would reach the quorum, and agents do not sign this"
    );
}

#[test]
fn agents_count_where_policy_lets_them_sign() {
    let mut w = World::new();
    w.signer_answers = false;
    let p = w.propose("hot", 50);
    for person in ["alice", "bob", "carol", "dave"] {
        reject(&mut w, person, p);
        assert_eq!(w.word(p), "collecting", "the agents alone suffice");
    }
}

fn excluding() -> World {
    let mut config = config();
    let rules = config.policy.rules().iter().cloned().map(|mut rule| {
        if let Action::Approve(approvers) | Action::Delay { approvers, .. } = &mut rule.action {
            approvers.exclude_asker = true;
        }
        rule
    });
    config.policy = Policy::new(rules.collect());
    World::with(config)
}

/// Danger: of the two who have to agree one is the person who asks.
#[test]
fn who_asks_is_none_of_the_two_who_approve() {
    let mut w = excluding();
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    assert_eq!(w.word(p), "collecting", "alice has asked for it");
    let waits = treasury_core::waits::waits(&w.config, &w.state, w.proposal(p));
    assert_eq!(waits[0].to_string(), "signatures: weight 2 of 2, of role approver 1 of 2");
    w.approve("carol", p).unwrap();
    assert_eq!(w.word(p), "in_flight");
    let sent = w.sent().remove(0);
    assert_eq!(xrpl_wire::sign::signers(&sent).unwrap().len(), 2, "bob's and carol's suffice");
}

#[test]
fn who_asks_still_counts_towards_the_ledgers_quorum_and_a_rejection_knows_who_is_left() {
    let mut w = excluding();
    let p = w.propose("cold", 500);
    for person in ["alice", "bob", "carol"] {
        w.approve(person, p).unwrap();
    }
    assert_eq!(w.word(p), "in_flight", "three of three, two of them approvers who did not ask");
    let p = w.propose("warm", 500);
    reject(&mut w, "bob", p);
    assert_eq!(w.word(p), "rejected", "carol is the only approver left who did not ask");
}

/// A decision that was stored before says nothing of the asker, who counted then.
#[test]
fn a_decision_of_an_earlier_version_counts_who_asked() {
    let w = excluding();
    let decision = &w.config.policy.rules()[2].action;
    let mut stored = serde_json::to_value(decision).unwrap();
    assert_eq!(stored["exclude_asker"], true);
    stored.as_object_mut().unwrap().remove("exclude_asker");
    let Action::Approve(Approvers { exclude_asker, .. }) = serde_json::from_value(stored).unwrap() else {
        panic!("it is an approval")
    };
    assert!(!exclude_asker);
}

#[test]
fn a_key_that_was_used_for_something_else_is_refused_whatever_differs() {
    let mut w = World::new();
    let mut first = w.payment("warm", 500);
    first.idempotency_key = Some("k1".to_owned());
    let Answer::Proposed { proposal } = w.command("alice", Command::Propose(first.clone())).unwrap() else {
        panic!("proposed")
    };
    let mut others = vec![first.clone(); 6];
    others[0].note = "invoice 13".to_owned();
    others[1].destination_tag = None;
    others[2].deadline_seconds = Some(7_200);
    others[3].amount = amount(1);
    others[4].account = id("hot");
    others[5].destination = id("elsewhere");
    for other in others {
        let error = w.command("alice", Command::Propose(other.clone())).unwrap_err();
        assert_eq!(error.code(), "IDEMPOTENCY_CONFLICT", "{other:?}");
    }
    assert_eq!(w.command("alice", Command::Propose(first)), Ok(Answer::Proposed { proposal }));
    assert_eq!(w.state.proposals.len(), 1);

    let mut timed = w.payment("warm", 400);
    (timed.idempotency_key, timed.deadline_seconds) = (Some("k2".to_owned()), Some(7_200));
    let answer = w.command("alice", Command::Propose(timed.clone()));
    assert_eq!(w.command("alice", Command::Propose(timed.clone())), answer);
    timed.deadline_seconds = None;
    let error = w.command("alice", Command::Propose(timed)).unwrap_err();
    assert_eq!(error.code(), "IDEMPOTENCY_CONFLICT", "no deadline was not what was asked for");
}

/// Danger: a request is sent again because its answer was lost, the configuration has changed, it is refused, and
/// whoever sent it asks for a second payment in other words.
#[test]
fn a_repeated_request_gets_its_payment_whatever_has_changed_meanwhile() {
    let mut w = World::new();
    let mut first = w.payment("warm", 500);
    (first.idempotency_key, first.deadline_seconds) = (Some("k1".to_owned()), Some(7_200));
    let answer = w.command("alice", Command::Propose(first.clone()));
    w.config.timing.deadline_max_seconds = 600;
    w.config.accounts.remove(&id("warm"));
    w.config.people.get_mut("alice").unwrap().roles.clear();
    w.silence(60);
    assert!(!w.state.sees());
    assert_eq!(w.command("alice", Command::Propose(first)), answer);

    let mut w = World::new();
    let mut plain = w.payment("warm", 500);
    plain.idempotency_key = Some("k1".to_owned());
    let answer = w.command("alice", Command::Propose(plain.clone()));
    w.config.timing.deadline_seconds = 7_200;
    assert_eq!(
        w.command("alice", Command::Propose(plain)),
        answer,
        "the default has changed, the request has not"
    );
}

#[test]
fn what_ended_leaves_the_state_and_is_found_by_its_id_and_its_idempotency_key() {
    let mut w = World::new();
    let asked = Propose { idempotency_key: Some("inv-1".to_owned()), ..w.payment("hot", 5) };
    let Answer::Proposed { proposal } = w.command("alice", Command::Propose(asked.clone())).unwrap() else {
        panic!()
    };
    w.settle();
    assert_eq!(w.word(proposal), "validated");
    w.close(&[]);
    assert!(w.state.proposals.contains_key(&proposal), "people look at what has just ended");
    w.jump(86_401);
    w.close(&[]);
    assert!(!w.state.proposals.contains_key(&proposal));
    assert!(w.state.idempotency.is_empty() && w.state.ended.is_empty());
    assert_eq!(w.state.archived["validated"], 1);
    assert_eq!(w.archived[&proposal].proposal.idempotency_key.as_deref(), Some("inv-1"));
    let again = w.command("alice", Command::Propose(asked.clone())).unwrap();
    assert_eq!(again, Answer::Proposed { proposal }, "the same request is the same payment for ever");
    let other = Propose { amount: amount(6_000_000), ..asked.clone() };
    let refused = w.command("alice", Command::Propose(other)).unwrap_err();
    assert_eq!(refused, CommandError::IdempotencyConflict(proposal));
    let flagged = w.command("dave", Command::Flag { proposal, reason: String::new() }).unwrap_err();
    assert!(matches!(flagged, CommandError::WrongState { status: "validated", .. }), "{flagged}");
    let withdrawn = w.command("alice", Command::Withdraw { proposal }).unwrap_err();
    assert!(matches!(withdrawn, CommandError::WrongState { status: "validated", .. }), "{withdrawn}");
    assert!(w.sent().is_empty());
}

#[test]
fn no_more_than_a_thousand_ended_proposals_stay_and_what_something_depends_on_does() {
    let mut w = World::new();
    let paid = w.propose("hot", 50);
    w.settle();
    let (made, key) = w.escrow();
    // Its EscrowCreate is validated, and the escrow was not seen yet.
    let unseen = w.propose("warm", 2_000);
    w.approve("alice", unseen).unwrap();
    w.approve("bob", unseen).unwrap();
    let tx = w.sent().pop().unwrap();
    let mut observation = w.next_ledger(4);
    observation.transactions.push(ObservedTx {
        signers: xrpl_wire::sign::signers(&tx).unwrap().iter().map(|signer| signer.account).collect(),
        id: tx.id(),
        account: tx.account(),
        slot: tx.seq(),
        tx_type: "EscrowCreate".to_owned(),
        result: "tesSUCCESS".to_owned(),
        digest: intent_digest(&tx).unwrap(),
        fee: tx.fee(),
    });
    w.hand_on(observation);
    assert_eq!(w.word(unseen), "validated");
    // What no rule allows ends at once.
    w.config.policy = Policy::new(Vec::new());
    for n in 0..1_100 {
        let denied = Propose { note: n.to_string(), ..w.payment("hot", 5) };
        let name = format!("asker-{}", n / 100);
        let asker = Person { name: name.clone(), ..w.config.people["alice"].clone() };
        w.config.people.insert(name.clone(), asker);
        w.command(&name, Command::Propose(denied)).unwrap();
    }
    assert!(w.state.ended.len() > 1_100);
    for _ in 0..10 {
        w.close(&[]);
    }
    assert_eq!(w.state.ended.len(), 1_000, "the oldest left first");
    assert!(w.state.proposals.contains_key(&made), "its escrow stands");
    assert!(matches!(w.guard(key), Guard::Locked { .. }));
    assert!(w.state.proposals.contains_key(&unseen), "its escrow may be seen yet");
    assert!(
        !w.state.proposals.contains_key(&paid) && !w.state.proposals.contains_key(&ProposalId(unseen.0 + 1))
    );
}

/// Danger: people sign, and the ledger refuses what it was known to refuse.
#[test]
fn a_payment_that_the_recipient_cannot_get_is_refused_or_says_so_before_anybody_signs() {
    const REQUIRE_DEST_TAG: u32 = 0x0002_0000;
    let mut w = World::new();
    let ask = |w: &mut World, to, tag, amount_xrp: u64| {
        let propose = Propose { destination: to, destination_tag: tag, ..w.payment("warm", amount_xrp) };
        w.command("alice", Command::Propose(propose))
    };
    for last in [0, 1] {
        let mut nobody = [0; 20];
        nobody[19] = last;
        let refused = ask(&mut w, treasury_core::units::AccountId(nobody), None, 500).unwrap_err();
        assert!(matches!(&refused, CommandError::BadValue { field: "destination", .. }), "{refused}");
    }
    // Of a recipient that was never looked at nothing is known; it is looked at when the payment is drafted.
    let asks = w.stranger("asks for a tag", Some(REQUIRE_DEST_TAG));
    let Answer::Proposed { proposal } = ask(&mut w, asks, None, 500).unwrap() else { panic!() };
    w.close(&[]);
    let said = w.waits(proposal);
    assert!(
        said.iter().any(|wait| wait.contains("it asks for a DestinationTag, and there is none")),
        "{said:?}"
    );
    w.approve("alice", proposal).unwrap();
    w.approve("bob", proposal).unwrap();
    assert!(w.sent().is_empty(), "it would only burn its fee");
    let refused = ask(&mut w, asks, None, 400).unwrap_err();
    assert!(refused.to_string().contains("DestinationTag"), "{refused}");
    ask(&mut w, asks, Some(7), 400).unwrap();
    // Half an XRP creates no account.
    let absent = w.stranger("not there", None);
    ask(&mut w, absent, None, 5).unwrap();
    w.close(&[]);
    let little = Propose { destination: absent, amount: amount(500_000), ..w.payment("hot", 1) };
    let refused = w.command("alice", Command::Propose(little)).unwrap_err();
    assert!(refused.to_string().contains("does not create it"), "{refused}");
}

#[test]
fn a_payment_of_more_than_there_is_waits_for_the_money_and_says_how_much() {
    let mut w = World::new();
    let change = w.pay(id("hot"), |_| 60_000_000).unwrap();
    w.change(vec![change]);
    let p = w.propose("hot", 60);
    assert!(w.sent().is_empty(), "it would burn its fee, and an agent signs nothing for that");
    let said = w.waits(p);
    assert!(said.iter().any(|wait| wait.contains("XRP more on")), "{said:?}");
    let change = w.pay(id("hot"), |has| has + 100_000_000).unwrap();
    w.change(vec![change]);
    assert!(!w.sent().is_empty(), "{:?}", w.waits(p));
}

#[test]
fn nobody_can_fill_an_account_with_open_proposals_and_lock_the_others_out() {
    let mut w = World::new();
    for n in 0..100 {
        let ask = Propose { note: n.to_string(), ..w.payment("warm", 500) };
        w.command("alice", Command::Propose(ask)).unwrap();
    }
    let ask = w.payment("warm", 500);
    let refused = w.command("alice", Command::Propose(ask.clone())).unwrap_err();
    assert_eq!(refused, CommandError::TooManyOpenOfYours(100));
    let hot = w.payment("hot", 5);
    w.command("alice", Command::Propose(hot)).unwrap();
    w.config.people.get_mut("bob").unwrap().roles.insert(treasury_core::config::Role::Proposer);
    for _ in 0..100 {
        w.command("bob", Command::Propose(ask.clone())).unwrap();
    }
    let refused = w.command("bob", Command::Propose(ask)).unwrap_err();
    assert_eq!(refused, CommandError::TooManyOpen(200));
}

/// Danger: a proposer who asks and withdraws takes every Ticket that an account may have, and nothing leaves it until their deadlines
/// have passed.
#[test]
fn what_was_withdrawn_and_has_its_ticket_takes_a_place() {
    let mut w = World::new();
    let account = id("warm");
    w.change((21..=260).map(|ticket| Change::TicketCreated { account, ticket }).collect());
    let ask = |w: &World| Propose { deadline_seconds: Some(60), ..w.payment("warm", 500) };
    for _ in 0..100 {
        let asked = w.command("alice", Command::Propose(ask(&w))).unwrap();
        let Answer::Proposed { proposal } = asked else { panic!("{asked:?}") };
        w.command("alice", Command::Withdraw { proposal }).unwrap();
    }
    let code = |w: &mut World, person: &str| {
        w.command(person, Command::Propose(ask(w))).map(|_| ()).map_err(|refused| refused.code())
    };
    w.jump(3_601);
    assert!(w.state.open.is_empty());
    assert_eq!(w.state.free_tickets(&account).count(), 150);
    assert_eq!(code(&mut w, "alice"), Err("TOO_MANY_OPEN_OF_YOURS"));
    let elsewhere = w.payment("hot", 5);
    w.command("alice", Command::Propose(elsewhere)).unwrap();
    w.config.people.get_mut("bob").unwrap().roles.insert(treasury_core::config::Role::Proposer);
    assert_eq!(code(&mut w, "bob"), Ok(()));
    // One ledger has closed since. Until so many have, what somebody may have signed can be applied.
    let last =
        w.state.proposals.values().filter_map(|proposal| Some(proposal.plan.as_ref()?.last_ledger_sequence));
    let last = last.max().unwrap();
    while w.state.ledger.unwrap().index <= last {
        w.close(&[]);
    }
    assert_eq!(code(&mut w, "alice"), Ok(()));
}

#[test]
fn what_is_asked_for_and_said_keeps_by_which_way_it_came() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    w.approve("bob", p).unwrap();
    w.command("carol", Command::Reject { proposal: p, reason: String::new() }).unwrap();
    w.command("dave", Command::Flag { proposal: p, reason: String::new() }).unwrap();
    let proposal = w.proposal(p);
    let approval = proposal.approvals.values().next().unwrap();
    let rejection = proposal.rejections.values().next().unwrap();
    let stop = w.state.stops.on(&Subject::Proposal(p)).next().unwrap();
    for origin in [proposal.origin, approval.origin, rejection.origin, stop.origin] {
        assert_eq!(origin, Some(Origin::Http));
    }
    // What the daemon drafts in the same step, and what its agents sign, is its own.
    let q = w.propose("hot", 50);
    let agents: Vec<_> = w.proposal(q).approvals.values().map(|approval| approval.origin).collect();
    assert_eq!(agents, [Some(Origin::Daemon); 2]);
}
