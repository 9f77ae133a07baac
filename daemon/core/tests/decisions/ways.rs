//! The way from what is asked for to what leaves, where something comes twice, too late, in another order, or is nearly right.

use std::collections::BTreeSet;

use treasury_core::Event;
use treasury_core::command::{Actor, Answer, Command, NOTE_MAX, Propose};
use treasury_core::config::{FindingKind, Role, Severity, TicketConfig};
use treasury_core::effect::{Derived, Effect, Party};
use treasury_core::failure::Cause;
use treasury_core::input::{Input, SubmitReply};
use treasury_core::intent::Origin;
use treasury_core::observe::{Change, RootView};
use treasury_core::policy::{Action, Policy, Rule};
use treasury_core::proposal::Status;
use treasury_core::state::Guard;
use treasury_core::units::{HexBytes, ProposalId, RequestId};
use xrpl_wire::{Transaction, TransactionType};

use crate::world::{World, XRP, config, drops, hash, id, opening};

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

fn tickets(w: &mut World, there: bool) {
    let account = id("warm");
    let changes = (11..=20).map(|ticket| match there {
        true => Change::TicketCreated { account, ticket },
        false => Change::TicketDeleted { account, ticket },
    });
    w.change(changes.collect());
}

fn approve(w: &mut World, p: ProposalId, people: &[&str]) {
    people.iter().for_each(|person| drop(w.approve(person, p).unwrap()));
}

fn finishes(sent: &[Transaction]) -> usize {
    sent.iter().filter(|tx| tx.tx_type() == TransactionType::EscrowFinish).count()
}

#[test]
fn a_draft_that_a_new_policy_asks_no_more_of_keeps_its_decision_and_one_of_which_it_asks_more_has_the_new_rules_only()
 {
    let rule = |name: &str, action: &Action| Rule::new(name, action.clone());
    let two = config().policy.rules()[2].action.clone();
    let mut w = World::new();
    tickets(&mut w, false);
    let p = w.propose("warm", 50);
    let before = w.proposal(p).decision.clone();
    assert_eq!(before.rules, ["small"]);
    w.config.policy = Policy::new(vec![rule("other", &Action::Allow)]);
    let draft = w.state.clone();
    tickets(&mut w, true);
    assert_eq!(w.proposal(p).decision, before, "as much is asked as before");
    assert!(!draft.proposals[&p].decision.obligations.deny);

    let mut w = World::new();
    tickets(&mut w, false);
    let p = w.propose("warm", 50);
    w.config.policy = Policy::new(vec![rule("more", &two)]);
    tickets(&mut w, true);
    assert_eq!(w.proposal(p).decision.rules, ["more"], "nothing of what was asked before is beside it");

    let mut w = World::new();
    tickets(&mut w, false);
    let p = w.propose("warm", 2_000);
    let mut approvers = two;
    let Action::Approve(asked) = &mut approvers else { panic!() };
    asked.roles = BTreeSet::from([Role::Security]);
    asked.weight = treasury_core::units::Weight(1);
    w.config.policy = Policy::new(vec![rule("security", &approvers)]);
    tickets(&mut w, true);
    assert_eq!(w.proposal(p).decision.rules, ["security", "large"], "the delay of before is beside it");
}

#[test]
fn a_condition_is_asked_for_once_and_taken_once() {
    let mut w = World::new();
    w.signer_answers = false;
    let p = w.propose("warm", 2_000);
    w.close(&[]);
    w.close(&[]);
    let asked: Vec<Effect> = w.unanswered.clone();
    let derives = |effect: &&Effect| matches!(effect, Effect::DeriveCondition { .. });
    assert_eq!(asked.iter().filter(derives).count(), 1);
    let wrong = Derived { condition: HexBytes(vec![1, 2]), key_version: 1, party: Party::Own };
    w.input(Input::ConditionDerived { proposal: p, party: Party::Own, derived: wrong });
    assert_eq!(w.word(p), "assessed", "that is no condition");
    let Effect::DeriveCondition { inputs, .. } = asked.into_iter().find(|effect| derives(&effect)).unwrap()
    else {
        panic!()
    };
    let right = crate::world::derive(&inputs);
    w.input(Input::ConditionDerived { proposal: p, party: Party::Own, derived: right.clone() });
    assert_eq!(w.word(p), "collecting");
    let rungs = w.rungs(p);
    w.input(Input::ConditionDerived { proposal: p, party: Party::Own, derived: right });
    assert_eq!((w.word(p), w.rungs(p)), ("collecting", rungs));
}

#[test]
fn what_waits_to_leave_collects_again_at_once_where_an_approval_is_taken_back() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    w.freeze("dave", "warm", "look");
    approve(&mut w, p, &["alice", "bob"]);
    assert_eq!(w.word(p), "ready");
    w.command("alice", Command::Retract { proposal: p }).unwrap();
    assert_eq!(w.word(p), "collecting");
}

#[test]
fn a_breaker_is_closed_by_name_and_all_are_without_one() {
    let mut w = World::new();
    let at = w.state.ledger.unwrap();
    let close = |w: &mut World, account: Option<&str>| {
        let close = Command::CloseBreaker { account: account.map(id) };
        w.command("dave", close).unwrap() == Answer::Done { changed: true }
    };
    for counted in ["hot", "cold"] {
        let (account, cause) = (Some(id(counted)), Cause::Errand);
        w.record(Event::BreakerCounted { account, cause, failures: 2 });
    }
    assert!(!close(&mut w, None) && !close(&mut w, Some("hot")), "counted, and not open");
    let (account, cause) = (Some(id("warm")), Cause::Keys);
    let open = Event::BreakerOpened { account, cause, at, reason: "no key".to_owned() };
    w.record(open.clone());
    assert!(!close(&mut w, Some("hot")));
    assert!(close(&mut w, Some("warm")));
    assert!(!close(&mut w, Some("warm")));
    w.record(open);
    w.record(Event::BreakerOpened { account: Some(id("hot")), cause, at, reason: "no key".to_owned() });
    let before = w.events.len();
    assert!(close(&mut w, None));
    // Whoever was told of each as that of its account is told of its end in the same way.
    let closed = w.events[before..].iter().filter_map(|event| match event {
        Event::BreakerClosed { account, .. } => Some(account.unwrap()),
        _ => None,
    });
    let closed: BTreeSet<_> = closed.collect();
    assert_eq!(closed, BTreeSet::from([id("hot"), id("warm")]));
    assert!(w.state.breakers.is_empty(), "what was only counted is forgotten, too");
}

/// Danger: somebody's payment is taken for that of another who chose the same key.
#[test]
fn a_key_of_somebody_else_in_the_archive_is_another_key() {
    let mut w = World::new();
    let propose = Propose { idempotency_key: Some("inv-1".to_owned()), ..w.payment("hot", 50) };
    let Answer::Proposed { proposal: first } = w.command("alice", Command::Propose(propose.clone())).unwrap()
    else {
        panic!()
    };
    w.config.people.get_mut("bob").unwrap().roles.insert(Role::Proposer);
    let archived = Some(Box::new(w.proposal(first).clone()));
    let ask = |w: &mut World, person: &str, propose: Propose| {
        let actor = Actor { person: person.to_owned(), origin: Origin::Http };
        let (request, command, archived) = (RequestId(900), Command::Propose(propose), archived.clone());
        match w.input(Input::Command { request, actor, command, archived, asked: None }).unwrap().unwrap() {
            Answer::Proposed { proposal } => proposal,
            other => panic!("{other:?}"),
        }
    };
    assert_ne!(ask(&mut w, "bob", propose.clone()), first);
    let other = Propose { idempotency_key: Some("inv-2".to_owned()), ..propose.clone() };
    assert_ne!(ask(&mut w, "alice", other), first);
    assert_eq!(ask(&mut w, "alice", propose), first);
}

#[test]
fn texts_keys_and_deadlines_may_be_as_long_as_is_said_and_no_longer() {
    let mut w = World::new();
    let mut code = |change: &dyn Fn(&mut Propose)| {
        let mut propose = w.payment("warm", 2_000);
        change(&mut propose);
        let answer = w.command("alice", Command::Propose(propose));
        answer.map(|_| "").unwrap_or_else(|refused| refused.code())
    };
    for (length, expected) in [(99, ""), (100, ""), (101, "BAD_VALUE"), (150, "BAD_VALUE")] {
        assert_eq!(code(&|propose| propose.idempotency_key = Some("k".repeat(length))), expected, "{length}");
    }
    for (length, expected) in [(NOTE_MAX, ""), (NOTE_MAX + 1, "BAD_VALUE"), (2 * NOTE_MAX, "BAD_VALUE")] {
        assert_eq!(code(&|propose| propose.note = "n".repeat(length)), expected, "{length}");
    }
    for (seconds, expected) in [(DAY - 1, ""), (DAY, ""), (DAY + 1, "BAD_VALUE"), (2 * DAY, "BAD_VALUE")] {
        assert_eq!(code(&|propose| propose.deadline_seconds = Some(seconds)), expected, "{seconds}");
    }
    // The default is shortened where it is too long.
    for (default, taken) in [(DAY - 1, DAY - 1), (DAY, DAY), (DAY + 1, DAY), (3 * DAY, DAY)] {
        w.config.timing.deadline_seconds = default;
        let p = w.propose("warm", 2_000);
        assert_eq!(w.proposal(p).deadline_seconds, taken);
        w.command("alice", Command::Withdraw { proposal: p }).unwrap();
        assert_eq!(
            w.command("alice", Command::Withdraw { proposal: p }),
            Ok(Answer::Done { changed: false })
        );
    }
}

/// Danger: what people approved goes on with the signature of somebody whom policy does not count.
#[test]
fn what_dies_in_flight_is_not_put_together_anew_without_those_whom_policy_asks_for() {
    let mut w = World::new();
    let p = w.propose("hot", 500);
    approve(&mut w, p, &["dave", "alice", "bob"]);
    assert_eq!((w.word(p), w.sent().len()), ("in_flight", 1));
    w.reply(p, "tefBAD_SIGNATURE");
    let root = RootView {
        balance: drops(20_000_000),
        sequence: 3,
        owner_count: 0,
        flags: 0x0010_0000,
        regular_key: Some(id("another")),
        transfer_rate: Some(0),
    };
    w.change(vec![Change::Root { account: id("bob"), root: Some(root) }]);
    w.close(&[]);
    assert!(w.sent().is_empty(), "dave's signature is enough for the quorum, and not for policy");
}

#[test]
fn an_escrow_is_finished_at_a_fee_for_all_that_its_fulfillment_costs() {
    for (open_ledger, least) in [(10, 350), (11, 385)] {
        let mut w = World::new();
        w.escrow();
        w.input(Input::OpenLedgerFee { fee: drops(open_ledger) });
        w.jump(50 * HOUR);
        let sent = w.sent();
        assert_eq!(finishes(&sent), 1);
        let fee = sent.last().unwrap().fee().get();
        assert!(fee >= least && (open_ledger > 10 || fee == least), "{fee} drops of {least}");
    }
}

#[test]
fn a_network_without_fees_is_paid_on() {
    let mut w = World::new();
    let mut observation = w.next_ledger(4);
    observation.fees.base_fee = drops(0);
    w.hand_on(observation);
    let p = w.propose("hot", 50);
    assert_eq!((w.word(p), w.sent().len()), ("in_flight", 1));
}

#[test]
fn what_is_sent_after_it_was_called_back_may_have_left() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    w.reply_with(p, SubmitReply::NotSent);
    let may_have_left = |w: &World| match &w.proposal(p).status {
        Status::InFlight(submission) => submission.may_have_left(),
        other => panic!("{other:?}"),
    };
    assert!(!may_have_left(&w));
    w.sent();
    w.close(&[]);
    assert_eq!(w.sent().len(), 1);
    assert!(may_have_left(&w));
}

/// The runner is asked for what opens an escrow, and has not answered.
fn asked_to_finish() -> (World, Effect) {
    let mut w = World::new();
    w.escrow();
    w.signer_answers = false;
    w.jump(50 * HOUR);
    let derive = |effect: &Effect| matches!(effect, Effect::DeriveFulfillment { .. });
    let at = w.unanswered.iter().position(derive).unwrap();
    let effect = w.unanswered.remove(at);
    (w, effect)
}

fn to_sign(w: &World) -> usize {
    w.unanswered.iter().filter(|effect| matches!(effect, Effect::SignSingle { .. })).count()
}

/// Danger: somebody freezes everything while a signature is on its way, and the fulfillment leaves all the same.
#[test]
fn what_is_frozen_while_its_key_signs_is_neither_signed_nor_revealed() {
    let (mut w, derive) = asked_to_finish();
    let key = w.state.standing.iter().next().copied().unwrap();
    w.freeze("dave", "warm", "look");
    w.sign(derive);
    assert_eq!(to_sign(&w), 0);
    assert!(matches!(w.guard(key), Guard::Locked { .. }));

    let (mut w, derive) = asked_to_finish();
    w.sign(derive);
    assert_eq!(to_sign(&w), 1);
    w.freeze("dave", "warm", "look");
    let sign = w.unanswered.pop().unwrap();
    w.sign(sign);
    assert!(matches!(w.guard(key), Guard::Locked { .. }));
    assert_eq!(finishes(&w.sent()), 0);
}

#[test]
fn a_key_that_answers_twice_has_signed_once() {
    let (mut w, derive) = asked_to_finish();
    let again = derive.clone();
    w.sign(derive);
    let sign = w.unanswered.pop().unwrap();
    w.sign(sign.clone());
    assert_eq!(finishes(&w.sent()), 1);
    w.sign(sign);
    w.sign(again);
    assert_eq!((finishes(&w.sent()), to_sign(&w)), (0, 0));
}

#[test]
fn what_opens_another_escrow_or_none_is_not_signed() {
    for wrong in 0..4 {
        let (mut w, derive) = asked_to_finish();
        let Effect::DeriveFulfillment { proposal, inputs } = derive else { panic!() };
        let mut opens = opening(&inputs);
        match wrong {
            0 => opens.escrow.sequence += 1,
            1 => opens.condition.0[5] ^= 1,
            2 => opens.fulfillment.0[5] ^= 1,
            _ => {}
        }
        w.input(Input::FulfillmentDerived { proposal, party: inputs.party, opening: opens });
        assert_eq!(to_sign(&w), usize::from(wrong == 3), "{wrong}");
    }
}

#[test]
fn what_the_runners_key_put_into_a_transaction_has_to_open_the_escrow() {
    let (mut w, derive) = asked_to_finish();
    let key = w.state.standing.iter().next().copied().unwrap();
    w.sign(derive);
    let Some(Effect::SignSingle { proposal, account, rungs, opening: Some(mut opens) }) = w.unanswered.pop()
    else {
        panic!()
    };
    opens.fulfillment.0[5] ^= 1;
    w.sign(Effect::SignSingle { proposal, account, rungs, opening: Some(opens) });
    assert!(matches!(w.guard(key), Guard::Locked { .. }));
    assert_eq!(finishes(&w.sent()), 0);
}

#[test]
fn a_flag_on_what_was_taken_back_says_that_it_was() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    w.command("dave", Command::Flag { proposal: p, reason: "look".to_owned() }).unwrap();
    w.jump(80 * HOUR);
    w.settle();
    assert!(matches!(w.guard(key), Guard::Cancelled { .. }));
    let late = w.command("dave", Command::Flag { proposal: p, reason: "again".to_owned() }).unwrap_err();
    assert_eq!(late.code(), "ESCROW_ENDED");
    assert!(late.to_string().contains("cancelled"), "{late}");
}

#[test]
fn a_finding_is_acknowledged_once() {
    let mut w = World::new();
    let finding = treasury_core::state::Finding {
        id: treasury_core::units::FindingId(w.state.last_finding + 1),
        kind: FindingKind::Velocity,
        severity: Severity::Log,
        account: Some(id("hot")),
        evidence: "often".to_owned(),
        at: w.state.ledger.unwrap(),
        acknowledged: None,
        over: None,
        about: None,
    };
    let findings = BTreeSet::from([finding.id]);
    w.record(Event::Found { finding });
    for changed in [true, false] {
        let (findings, reason) = (findings.clone(), "pay day".to_owned());
        let acknowledge = Command::Acknowledge { findings, reason };
        assert_eq!(w.command("dave", acknowledge), Ok(Answer::Done { changed }));
    }
}

#[test]
fn the_same_ledger_again_is_nothing_new_and_another_of_its_number_costs_sight() {
    let mut w = World::new();
    let before = w.next_ledger(4);
    w.hand_on(before.clone());
    let same = w.next_ledger(4);
    w.hand_on(same.clone());
    for known in [same.clone(), before.clone()] {
        w.hand_on(known);
        assert!(w.state.sees());
        assert_eq!(w.state.ledger, Some(same.point));
    }
    let mut older = before;
    older.point.hash = hash("another history");
    w.hand_on(older);
    assert!(w.state.sees(), "what is below the cursor was proven when it was taken in");
    let mut other = same;
    other.point.hash = hash("another");
    w.hand_on(other);
    assert!(!w.state.sees());
}

#[test]
fn silence_and_age_are_borne_as_long_as_is_said_and_no_longer() {
    let mut w = World::new();
    w.config.timing.ledger_age_max_seconds = None;
    w.silence(20);
    assert!(w.state.sees());
    w.silence(1);
    assert!(!w.state.sees());
    for (age, sees) in [(60, true), (61, false)] {
        let mut w = World::new();
        let closed = w.state.now().0;
        w.tick(treasury_core::units::RippleTime(closed + age));
        assert_eq!(w.state.sees(), sees, "{age}");
    }
}

#[test]
fn an_escrow_that_others_finish_is_found_where_its_fulfillment_was_called_back_and_not_where_it_left() {
    for (left, found) in [(false, 1), (true, 0)] {
        let mut w = World::new();
        let (_, key) = w.escrow();
        w.jump(50 * HOUR);
        let Guard::Releasing { attempt: Some(attempt), .. } = *w.guard(key) else { panic!("not releasing") };
        let reply = if left { SubmitReply::Unknown("it broke".to_owned()) } else { SubmitReply::NotSent };
        w.freeze("dave", "runner", "look");
        w.reply_with(attempt, reply);
        let (tx_id, tx_type) = (hash("its end"), "EscrowFinish".to_owned());
        w.change(vec![Change::EscrowDeleted { key, tx_id, tx_type }]);
        let seen = w.state.findings.values().filter(|finding| finding.kind == FindingKind::KeysElsewhere);
        assert_eq!(seen.count(), found, "{left}");
    }
}

#[test]
fn a_list_that_drifts_is_found_once_for_each_account_and_again_when_it_drifts_further() {
    let mut w = World::new();
    let found = |w: &World| {
        let drifts = w.state.findings.values().filter(|finding| finding.kind == FindingKind::SignerListDrift);
        drifts.count()
    };
    let without = |w: &World, account: &str, names: &[&str]| {
        let mut list = w.state.accounts[&id(account)].signer_list.clone().unwrap();
        list.entries.retain(|signer, _| !names.iter().any(|name| id(name) == *signer));
        Change::SignerList { account: id(account), list: Some(list) }
    };
    let both = vec![without(&w, "warm", &["alice"]), without(&w, "hot", &["bob"])];
    w.change(both);
    assert_eq!(found(&w), 2);
    w.reconcile();
    w.reconcile();
    assert_eq!(found(&w), 2, "read anew it is what is known");
    let mut weights = w.state.accounts[&id("warm")].signer_list.clone().unwrap();
    weights.entries.insert(id("bob"), 7);
    w.change(vec![Change::SignerList { account: id("warm"), list: Some(weights) }]);
    assert_eq!(found(&w), 3);
    let last = w.state.findings.values().next_back().unwrap();
    assert!(last.evidence.contains("has weight 7, declared 1"), "{}", last.evidence);
}

#[test]
fn only_whom_an_escrow_waits_to_pay_is_looked_at_when_accounts_change() {
    let mut w = World::new();
    w.escrow();
    let found = |w: &World| {
        let seen = w.state.findings.values().filter(|finding| finding.kind == FindingKind::RecipientChanged);
        seen.count()
    };
    let root = |flags| RootView {
        balance: drops(XRP),
        sequence: 3,
        owner_count: 0,
        flags,
        regular_key: None,
        transfer_rate: Some(0),
    };
    w.stranger("other", Some(0));
    let mut propose = w.payment("hot", 50);
    propose.destination = id("other");
    w.command("alice", Command::Propose(propose)).unwrap();
    w.close(&[]);
    w.change(vec![Change::Root { account: id("other"), root: Some(root(0x0100_0000)) }]);
    assert_eq!(found(&w), 0);
    w.change_stranger(id("shop"), Some(0x0100_0000));
    assert_eq!(found(&w), 1);
}

#[test]
fn a_proposal_that_takes_the_last_spare_ticket_has_the_pool_filled_with_the_next_ledger() {
    let mut config = config();
    config.tickets = TicketConfig { low_water: 9, target: 12 };
    let mut w = World::with(config);
    w.sent();
    w.propose("warm", 500);
    w.propose("warm", 600);
    w.close(&[]);
    let made = w.sent().into_iter().filter(|tx| tx.tx_type() == TransactionType::TicketCreate);
    assert_eq!(made.map(|tx| tx.account()).collect::<Vec<_>>(), [id("warm")]);
}

#[test]
fn what_ended_stays_a_day_and_no_second_longer() {
    let mut w = World::new();
    let denied = w.propose("hot", 9_000);
    let ended = w.state.now().0;
    w.jump(DAY);
    assert_eq!(w.state.now().0, ended + DAY);
    assert!(w.state.proposals.contains_key(&denied), "just a day");
    w.jump(1);
    assert!(!w.state.proposals.contains_key(&denied));
}

#[test]
fn no_more_than_sixty_four_leave_with_one_ledger() {
    let mut w = World::new();
    w.config.policy = Policy::new(Vec::new());
    for number in 0..100 {
        let propose = Propose { note: number.to_string(), ..w.payment("hot", 5) };
        w.command("alice", Command::Propose(propose)).unwrap();
    }
    w.jump(2 * DAY);
    assert_eq!(w.archived.len(), 64);
    w.close(&[]);
    assert_eq!(w.archived.len(), 100);
}
