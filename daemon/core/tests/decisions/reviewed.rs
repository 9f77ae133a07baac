//! Stories in which a guard was asked about less than what it guards.

use treasury_core::command::{Answer, Command, Propose};
use treasury_core::config::{FindingKind, Keeps, Severity, TierLink};
use treasury_core::fits::left_behind;
use treasury_core::input::SubmitReply;
use treasury_core::observe::{Change, EscrowView, ObservedTx, OpaqueTx, intent_digest, signers_of};
use treasury_core::policy::{Per, Policy, Rolling};
use treasury_core::state::Guard;
use treasury_core::stops::Subject;
use treasury_core::units::{Asset, EscrowKey, HexBytes, ProposalId, RippleTime};
use treasury_core::{CommandError, Event};
use xrpl_wire::{Transaction, TransactionType, sf};

use crate::world::{World, XRP, amount, config, hash, id};

const HOUR: u32 = 3_600;
const DAY: u32 = 86_400;

fn finishes(sent: &[Transaction]) -> usize {
    sent.iter().filter(|tx| tx.tx_type() == TransactionType::EscrowFinish).count()
}

fn pay(w: &mut World, from: &str, to: &str, amount_xrp: u64) -> ProposalId {
    let propose = Propose { destination: id(to), ..w.payment(from, amount_xrp) };
    match w.command("alice", Command::Propose(propose)).unwrap() {
        Answer::Proposed { proposal } => proposal,
        other => panic!("{other:?}"),
    }
}

fn sign(w: &mut World, p: ProposalId) {
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
}

#[test]
fn a_withdrawn_slot_that_something_unreadable_used_is_no_broken_rule() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let tx = Transaction::decode(&w.rungs(p)[0].0).unwrap();
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    let mut observation = w.next_ledger(4);
    observation.transactions.push(ObservedTx {
        signers: signers_of(tx.object()),
        id: tx.id(),
        account: tx.account(),
        slot: tx.seq(),
        tx_type: "Payment".to_owned(),
        result: "tesSUCCESS".to_owned(),
        digest: intent_digest(&tx).unwrap(),
        fee: tx.fee(),
    });
    let accounts = [id("warm")].into();
    observation.opaque.push(OpaqueTx { id: tx.id(), accounts, reason: "its metadata".to_owned() });
    w.hand_on(observation);
    assert_eq!(w.word(p), "withdrawn");
    assert!(w.state.slots.is_empty());
}

#[test]
fn a_later_attempt_that_was_called_back_makes_nothing_secret_again() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    w.jump(50 * HOUR);
    let sent = w.sent();
    assert_eq!(finishes(&sent), 1);
    w.close_at(4, &sent[..1], "tecNO_TARGET");
    w.jump(200);
    assert_eq!(finishes(&w.sent()), 1);
    let Guard::Releasing { attempt: Some(second), .. } = *w.guard(key) else { panic!("{:?}", w.guard(key)) };
    w.command("dave", Command::Freeze { account: Some(id("warm")), reason: String::new() }).unwrap();
    w.reply_with(second, SubmitReply::NotSent);
    let flagged = w.command("dave", Command::Flag { proposal: p, reason: "odd".to_owned() });
    assert_eq!(flagged.unwrap_err(), CommandError::Revealed { escrow: key });
    for _ in 0..30 {
        w.close(&[]);
    }
    assert!(matches!(w.guard(key), Guard::Releasing { .. }), "its fulfillment is on the ledger");
}

#[test]
fn a_stop_on_an_account_that_nobody_declared_binds_too() {
    let mut w = World::new();
    w.config.severities.insert(FindingKind::ViewDiffers, Severity::Hold);
    w.misread(id("shop"), |read| read.root.as_mut().unwrap().flags = 1);
    assert!(!w.state.sees());
    w.close(&[]);
    w.reconcile();
    assert!(w.state.sees());
    let p = w.propose("hot", 50);
    assert!(w.sent().is_empty());
    assert!(w.waits(p).iter().any(|wait| wait.contains("hold S1")), "{:?}", w.waits(p));
    // Nobody could declare the account so that it starts again.
    assert_eq!(left_behind(&w.config, &w.state), Vec::<String>::new());
    w.lift_all();
    assert!(!w.sent().is_empty());
}

#[test]
fn a_frozen_account_that_is_declared_no_more_gets_nothing() {
    let mut w = World::new();
    let p = pay(&mut w, "warm", "hot", 2_000);
    sign(&mut w, p);
    w.settle();
    w.command("dave", Command::Freeze { account: Some(id("hot")), reason: "stolen".to_owned() }).unwrap();
    w.config.accounts.remove(&id("hot"));
    w.restart();
    w.close(&[]);
    w.reconcile();
    w.jump(50 * HOUR);
    w.reconcile();
    assert_eq!(finishes(&w.sent()), 0, "hot is frozen");
    pay(&mut w, "warm", "hot", 50);
    assert!(w.sent().is_empty());
}

#[test]
fn an_escrow_whose_fulfillment_never_left_and_that_was_finished_freezes_its_owner() {
    let mut w = World::new();
    let (p, key) = w.escrow();
    w.command("dave", Command::Flag { proposal: p, reason: "fraud".to_owned() }).unwrap();
    w.jump(50 * HOUR);
    assert!(w.sent().is_empty());
    w.change(vec![Change::EscrowDeleted { key, tx_id: hash("theirs"), tx_type: "EscrowFinish".to_owned() }]);
    let finding = w.state.findings.values().next_back().unwrap();
    assert_eq!((finding.kind, finding.severity), (FindingKind::KeysElsewhere, Severity::Freeze));
    assert!(finding.evidence.contains("release key"), "{}", finding.evidence);
    assert_eq!(w.state.freezes_of(&id("warm")).count(), 1);
}

#[test]
fn what_recipients_own_is_not_followed() {
    let mut w = World::new();
    let view = |sequence| EscrowView {
        key: EscrowKey { owner: id("shop"), sequence },
        destination: id("mallory"),
        destination_tag: None,
        amount: Some(amount(1)),
        finish_after: None,
        cancel_after: Some(RippleTime(4_000_000_000)),
        condition: Some(HexBytes(vec![1; 39])),
    };
    w.propose("hot", 5);
    w.settle();
    w.change((1..=200).map(|sequence| Change::EscrowCreated { escrow: view(sequence) }).collect());
    w.close(&[]);
    assert!(w.state.escrows.is_empty() && w.state.standing.is_empty());
}

#[test]
fn what_a_link_moved_counts_though_it_was_out_of_the_configuration() {
    let mut config = config();
    let link = TierLink {
        name: "warm-hot".to_owned(),
        from: id("warm"),
        to: id("hot"),
        asset: Asset::Xrp,
        keeps: Keeps::Filled { floor: amount(1_000 * XRP), target: amount(1_500 * XRP) },
        source_floor: amount(0),
        move_min: amount(0),
        move_max: amount(500 * XRP),
        period_max: amount(500 * XRP),
        period_seconds: 30 * DAY,
        limits: Vec::new(),
        hours: None,
    };
    config.links = vec![link.clone()];
    let mut w = World::with(config);
    w.change_balance("hot", 900);
    w.settle();
    w.change_balance("hot", 900);
    w.close(&[]);
    w.settle();
    w.jump(DAY);
    w.reconcile();
    w.close(&[]);
    assert!(w.sent().is_empty(), "the period's limit is used up");
    w.config.links.clear();
    w.jump(2 * DAY);
    w.reconcile();
    for _ in 0..10 {
        w.close(&[]);
    }
    w.config.links = vec![link];
    w.close(&[]);
    w.close(&[]);
    assert!(w.sent().is_empty());
}

#[test]
fn what_people_rejected_is_known_as_that_for_as_long_as_signers_can_still_make_its_escrow() {
    let mut w = World::new();
    let p = w.propose("warm", 2_000);
    let tx = Transaction::decode(&w.rungs(p)[0].0).unwrap();
    w.command("dave", Command::Flag { proposal: p, reason: "fraud".to_owned() }).unwrap();
    for person in ["alice", "bob", "carol", "dave"] {
        if w.word(p) == "collecting" {
            let _ = w.command(person, Command::Reject { proposal: p, reason: "fraud".to_owned() });
        }
    }
    assert_eq!(w.word(p), "rejected");
    while !w.state.slots.is_empty() {
        w.close(&[]);
    }
    w.jump(40 * HOUR);
    w.close(&[]);
    assert!(!w.archived.contains_key(&p));
    // The same terms with a later LastLedgerSequence.
    let mut object = tx.into_object();
    object.set(sf::LastLedgerSequence, 9_999_999_u32);
    let tx = Transaction::from_object(object).unwrap();
    w.close(std::slice::from_ref(&tx));
    let key = EscrowKey { owner: id("warm"), sequence: tx.seq().value() };
    assert!(matches!(w.guard(key), Guard::Locked { proposal, .. } if *proposal == p), "{:?}", w.guard(key));
    w.lift_all();
    let finish_after = w.state.escrows[&key].view.finish_after.unwrap();
    w.jump(finish_after.0.saturating_sub(w.state.now().0) + 1);
    assert_eq!(finishes(&w.sent()), 0, "what people rejected is taken back");
}

#[test]
fn a_release_does_not_count_its_own_payment_again_when_the_policy_changes_elsewhere() {
    let mut config = config();
    let mut rules = config.policy.rules().to_vec();
    let week = Rolling {
        period_seconds: 7 * DAY,
        per: Per::Account,
        amount_above: None,
        amount_max: Some(amount(3_000 * XRP)),
    };
    rules.last_mut().unwrap().rolling = Some(week);
    config.policy = Policy::new(rules.clone());
    let mut w = World::with(config);
    w.escrow();
    rules[1].amount_max = Some(amount(99 * XRP));
    w.config.policy = Policy::new(rules);
    w.restart();
    w.close(&[]);
    w.reconcile();
    w.jump(50 * HOUR);
    w.reconcile();
    let mut sent = w.sent();
    sent.dedup_by_key(|tx| tx.id());
    assert_eq!(finishes(&sent), 1, "nothing else was paid");
}

#[test]
fn nobody_signs_a_delayed_payment_to_an_account_that_is_not_there() {
    let mut w = World::new();
    w.stranger("nobody", None);
    pay(&mut w, "warm", "nobody", 2_000);
    w.close(&[]);
    let p = pay(&mut w, "warm", "nobody", 2_000);
    assert_eq!(w.word(p), "drafted");
    assert!(w.waits(p).iter().any(|wait| wait.contains("an escrow needs one that is")), "{:?}", w.waits(p));
}

#[test]
fn without_a_runner_no_escrow_is_taken_on_that_nobody_could_end() {
    let mut before = World::new();
    let (_, key) = before.escrow();
    let view = before.state.escrows[&key].view.clone();
    let mut config = config();
    config.runner = None;
    config.accounts.remove(&id("runner"));
    let mut w = World::with(config);
    w.change(vec![Change::EscrowCreated { escrow: view }]);
    assert_eq!(w.guard(key), &Guard::Foreign);
    assert!(left_behind(&w.config, &w.state).is_empty(), "the same configuration starts again");
}

#[test]
fn clearing_what_expired_lifts_nothing_of_what_took_its_ticket() {
    let mut w = World::new();
    let p = w.propose("warm", 2_000);
    while !w.state.slots.is_empty() {
        w.close(&[]);
    }
    assert_eq!(w.word(p), "expired");
    let (_, key) = w.escrow();
    assert_eq!(w.proposal(p).release_inputs().unwrap().escrow, key, "the same Ticket");
    w.signer_answers = false;
    w.jump(52 * HOUR);
    let Guard::Locked { preparing: Some(attempt), .. } = *w.guard(key) else { panic!("{:?}", w.guard(key)) };
    w.command("dave", Command::Flag { proposal: attempt, reason: "fraud".to_owned() }).unwrap();
    let cleared = w.command("dave", Command::Clear { proposal: p, reason: "tidying up".to_owned() });
    assert!(!matches!(&cleared, Ok(Answer::Lifted { lifted, .. }) if !lifted.is_empty()), "{cleared:?}");
    assert_eq!(w.state.stops.on(&Subject::Escrow(key)).count(), 1);
    let lifted = w.events.iter().filter(|event| matches!(event, Event::StopLifted { .. })).count();
    assert_eq!(lifted, 0);
}
