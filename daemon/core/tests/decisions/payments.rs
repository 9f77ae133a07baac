//! Payments: from a proposal to its validated end, and everything that must not happen on the way.

use crate::world::{World, amount, config, drops, hash, id, signatures_of};
use treasury_core::command::{Answer, Command, CommandError};
use treasury_core::config::{FindingKind, Role, Severity};
use treasury_core::input::{Input, SubmitReply};
use treasury_core::observe::{Change, LedgerObservation, OpaqueTx, SignerListView};
use treasury_core::proposal::Status;
use treasury_core::units::{Asset, Hash256, HexBytes, Weight};

#[test]
fn a_small_payment_is_signed_by_agents_alone() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    assert_eq!(w.word(p), "in_flight");
    assert_eq!(w.proposal(p).decision.rules, ["small"]);
    let sent = w.settle();
    assert_eq!(sent.len(), 1);
    assert_eq!(w.word(p), "validated");
}

#[test]
fn a_middling_payment_waits_for_two_people_and_survives_a_retraction() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    assert_eq!(w.word(p), "collecting");
    w.approve("alice", p).unwrap();
    assert_eq!(w.command("alice", Command::Retract { proposal: p }), Ok(Answer::Done { changed: true }));
    w.approve("bob", p).unwrap();
    assert_eq!(w.word(p), "collecting", "one is not two");
    assert!(w.sent().is_empty());
    w.approve("carol", p).unwrap();
    assert_eq!(w.word(p), "in_flight");
    w.settle();
    assert_eq!(w.word(p), "validated");
    assert!(matches!(
        w.command("bob", Command::Retract { proposal: p }),
        Err(CommandError::WrongState { .. })
    ));
}

#[test]
fn agents_do_not_sign_what_policy_gives_to_people() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    w.close(&[]);
    assert!(w.proposal(p).approvals.is_empty());
    assert!(w.sent().is_empty());
}

#[test]
fn a_weight_of_approvers_is_asked_for_beside_the_quorum() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    // dave signs on the ledger but is no approver: the quorum of 2 is reached, the rule's 2 is not.
    w.approve("dave", p).unwrap();
    w.approve("alice", p).unwrap();
    assert_eq!(w.word(p), "collecting");
    w.approve("bob", p).unwrap();
    assert_eq!(w.word(p), "in_flight");
    let sent = w.sent();
    assert_eq!(xrpl_wire::sign::signers(&sent[0]).unwrap().len(), 2, "the smallest set that suffices");
}

#[test]
fn what_no_rule_allows_is_denied_and_takes_no_ticket() {
    let mut w = World::new();
    let p = w.propose("warm", 50_000);
    assert_eq!(w.word(p), "denied");
    assert_eq!(w.proposal(p).decision.rules, ["no match"]);
    assert!(w.proposal(p).plan.is_none());
    assert!(w.state.slots.is_empty());
}

#[test]
fn a_bad_approval_changes_nothing() {
    let mut w = World::new();
    // Some are found where they come one after the other; of that elsewhere.
    w.config.alarms.refused_signatures.above = 100;
    let p = w.propose("warm", 500);
    let other = w.propose("warm", 600);
    let rungs = w.rungs(p);
    let good = signatures_of("bob", &rungs);
    let mut wrong_key = good.clone();
    wrong_key.signing_pub_key = crate::world::key("mallory").public_key();
    let mut truncated = good.clone();
    truncated.signatures[1].0.truncate(20);
    let mut short = good.clone();
    short.signatures.pop();
    let mut flipped = good.clone();
    flipped.signatures[0].0[10] ^= 1;
    let over_other = signatures_of("bob", &w.rungs(other));
    let alices = signatures_of("alice", &rungs);
    for (what, given, code) in [
        ("another's key", wrong_key, "KEY_NOT_ALLOWED"),
        ("a cut signature", truncated, "BAD_SIGNATURE"),
        ("a rung missing", short, "WRONG_RUNG_COUNT"),
        ("a flipped bit", flipped, "BAD_SIGNATURE"),
        ("another transaction", over_other, "BAD_SIGNATURE"),
        ("another's signer", alices, "NOT_YOUR_SIGNER"),
    ] {
        let before = w.state.clone();
        let error = w.command("bob", Command::Approve { proposal: p, signatures: given }).unwrap_err();
        assert_eq!(error.code(), code, "{what}");
        assert!(!error.advice().is_empty());
        assert_eq!(w.state, before, "{what}");
    }
    let mut config = config();
    config.people.get_mut("bob").unwrap().signer = Some(id("stranger"));
    w.config = config;
    let stranger = signatures_of("stranger", &rungs);
    let error = w.command("bob", Command::Approve { proposal: p, signatures: stranger }).unwrap_err();
    assert_eq!(error.code(), "NOT_A_SIGNER");
}

#[test]
fn the_same_approval_again_changes_nothing() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    assert_eq!(w.approve("alice", p), Ok(Answer::Done { changed: true }));
    let before = w.state.clone();
    assert_eq!(w.approve("alice", p), Ok(Answer::Done { changed: false }));
    assert_eq!(w.state, before);
}

#[test]
fn an_idempotency_key_never_makes_a_second_payment() {
    let mut w = World::new();
    let mut propose = w.payment("warm", 500);
    propose.idempotency_key = Some("k1".to_owned());
    let first = w.command("alice", Command::Propose(propose.clone())).unwrap();
    assert_eq!(w.command("alice", Command::Propose(propose.clone())), Ok(first));
    propose.amount = amount(1);
    let error = w.command("alice", Command::Propose(propose)).unwrap_err();
    assert_eq!(error.code(), "IDEMPOTENCY_CONFLICT");
    assert_eq!(w.state.proposals.len(), 1);
}

#[test]
fn bad_requests_are_refused_by_name() {
    let mut w = World::new();
    let good = w.payment("warm", 500);
    let mut cases = Vec::new();
    let mut case = |code, person, change: &dyn Fn(&mut treasury_core::command::Propose)| {
        let mut propose = good.clone();
        change(&mut propose);
        cases.push((code, person, propose));
    };
    case("BAD_VALUE", "alice", &|p| p.amount = amount(0));
    case("BAD_VALUE", "alice", &|p| p.destination = p.account);
    case("BAD_VALUE", "alice", &|p| p.note = "x".repeat(501));
    case("BAD_VALUE", "alice", &|p| p.note = "\u{1b}[31m".to_owned());
    case("BAD_VALUE", "alice", &|p| p.deadline_seconds = Some(5));
    case("BAD_VALUE", "alice", &|p| p.deadline_seconds = Some(u32::MAX));
    case("BAD_VALUE", "alice", &|p| p.idempotency_key = Some(String::new()));
    case("UNKNOWN_ACCOUNT", "alice", &|p| p.account = id("runner"));
    case("UNKNOWN_ACCOUNT", "alice", &|p| p.account = id("stranger"));
    case("ROLE_MISSING", "bob", &|_| {});
    case("UNKNOWN_PERSON", "mallory", &|_| {});
    let before = w.state.clone();
    for (code, person, propose) in cases {
        let error = w.command(person, Command::Propose(propose.clone())).unwrap_err();
        assert_eq!(error.code(), code, "{propose:?}");
    }
    assert_eq!(w.state, before);
}

#[test]
fn a_rejection_that_makes_the_quorum_unreachable_ends_it() {
    let mut w = World::new();
    let p = w.propose("cold", 500);
    let reject = || Command::Reject { proposal: p, reason: "not ours".to_owned() };
    w.approve("carol", p).unwrap();
    w.command("alice", reject()).unwrap();
    assert_eq!(w.word(p), "collecting", "three of four can still sign");
    w.command("carol", reject()).unwrap();
    assert_eq!(w.word(p), "rejected");
    assert_eq!(w.state.slots.len(), 1, "carol's signature binds its Ticket until it expires");
    let last = w.proposal(p).plan.as_ref().unwrap().last_ledger_sequence;
    while w.state.ledger.unwrap().index < last {
        w.close(&[]);
    }
    assert!(w.state.slots.is_empty());
}

/// Danger: who may speak against something says so a thousand times, and the log and everybody's mailbox fill.
#[test]
fn what_somebody_speaks_against_twice_is_one_record_until_they_sign_again() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let reject = |w: &mut World, reason: &str| {
        w.command("bob", Command::Reject { proposal: p, reason: reason.to_owned() })
    };
    assert_eq!(reject(&mut w, "not ours"), Ok(Answer::Rejected { ended: false }));
    let events = w.events.len();
    assert_eq!(reject(&mut w, "really not"), Ok(Answer::Done { changed: false }));
    assert_eq!(w.events.len(), events);
    w.approve("bob", p).unwrap();
    assert_eq!(reject(&mut w, "not ours"), Ok(Answer::Rejected { ended: false }));
}

/// Danger: a stolen token asks for what is denied, and again, and what matters waits behind a hundred thousand notices.
#[test]
fn whoever_asks_again_and_again_for_what_comes_to_nothing_waits_an_hour() {
    let mut w = World::new();
    for _ in 0..100 {
        let p = w.propose("hot", 1_000_000);
        assert_eq!(w.word(p), "denied");
    }
    let events = w.events.len();
    let ask = |w: &mut World, person: &str| {
        let payment = w.payment("hot", 50);
        w.command(person, Command::Propose(payment)).map(drop)
    };
    assert_eq!(ask(&mut w, "alice"), Err(CommandError::TooManyForNothing(100)));
    assert_eq!(w.events.len(), events);
    w.config.people.get_mut("bob").unwrap().roles.insert(Role::Proposer);
    assert_eq!(ask(&mut w, "bob"), Ok(()), "others are not kept");
    w.jump(3_599);
    assert_eq!(ask(&mut w, "alice"), Err(CommandError::TooManyForNothing(100)));
    w.jump(1);
    assert_eq!(ask(&mut w, "alice"), Ok(()));
}

#[test]
fn a_payment_without_approvals_expires_by_the_ledger_and_frees_its_ticket() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let last = w.proposal(p).plan.as_ref().unwrap().last_ledger_sequence;
    w.jump(4_000);
    assert_eq!(w.approve("alice", p), Err(CommandError::DeadlinePassed(p)));
    assert_eq!(w.word(p), "collecting", "the deadline alone frees nothing");
    while w.state.ledger.unwrap().index < last {
        assert_eq!(w.word(p), "collecting");
        w.close(&[]);
    }
    assert_eq!(w.word(p), "expired");
    assert!(w.state.slots.is_empty());
}

#[test]
fn what_is_in_flight_is_sent_again_until_a_validated_ledger_decides() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    let first = w.sent();
    w.input(Input::SubmitAnswered {
        proposal: p,
        tx_id: first[0].id(),
        reply: SubmitReply::Unknown("connection closed".to_owned()),
    });
    w.close(&[]);
    let again = w.sent();
    assert_eq!(again, first, "the same bytes");
    w.restart();
    w.reconcile();
    assert_eq!(w.sent(), first, "after a restart too");
    w.close_at(4, &first, "tecUNFUNDED_PAYMENT");
    assert_eq!(w.word(p), "failed");
    w.close(&[]);
    assert!(w.sent().is_empty(), "a tec in a validated ledger is final");
}

#[test]
fn a_dearer_rung_is_sent_where_the_network_asks_for_one() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    let cheap = w.sent().remove(0);
    assert_eq!(cheap.fee(), drops(30), "two signers have to sign");
    w.reply(p, "telINSUF_FEE_P");
    let dearer = w.sent().remove(0);
    assert_eq!(dearer.fee(), drops(900));
    assert_eq!(dearer.seq(), cheap.seq(), "one slot: only one of them can be applied");
    w.input(Input::OpenLedgerFee { fee: drops(5_000) });
    w.reply(p, "terQUEUED");
    w.close(&[]);
    assert_eq!(w.sent().remove(0).fee(), drops(30_000));
    w.close(&[cheap]);
    assert_eq!(w.word(p), "validated", "whichever rung it was");
}

#[test]
fn a_refusal_for_good_is_not_repeated_and_opens_the_breaker_in_time() {
    let mut w = World::new();
    w.config.timing.breaker_failures = 2;
    for expected in [false, true] {
        let p = w.propose("hot", 50);
        w.sent();
        w.reply(p, "tefMASTER_DISABLED");
        w.close(&[]);
        assert!(w.sent().is_empty());
        assert_eq!(w.word(p), "in_flight", "only the ledger ends it");
        assert_eq!(w.state.breakers.values().any(|breaker| breaker.open.is_some()), expected);
    }
    assert_eq!(
        w.command("alice", Command::CloseBreaker { account: None }).unwrap_err().code(),
        "ROLE_MISSING"
    );
    w.command("dave", Command::CloseBreaker { account: None }).unwrap();
    assert!(w.state.breakers.is_empty());
}

#[test]
fn signers_who_put_the_transaction_together_themselves_are_recognised_and_freeze_the_account() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let blob = w.rungs(p).remove(0);
    let tx = xrpl_wire::Transaction::decode(&blob.0).unwrap();
    let signed = ["alice", "dave"]
        .map(|name| xrpl_wire::sign::sign_for(&tx, id(name), &crate::world::key(name)).unwrap());
    let outside = xrpl_wire::sign::assemble(&tx, signed.to_vec()).unwrap();
    w.close(&[outside]);
    assert_eq!(w.word(p), "validated");
    let finding = w.state.findings.values().next().unwrap();
    assert_eq!((finding.kind, finding.severity), (FindingKind::SentElsewhere, Severity::Freeze));
    assert!(w.state.freezes_of(&id("warm")).next().is_some());
    w.propose("warm", 50);
    assert!(w.sent().is_empty(), "whoever has these signatures may have others");
}

#[test]
fn another_transaction_on_the_ticket_supersedes_and_is_found() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let waiting = w.propose("warm", 600);
    let mut other = xrpl_wire::Transaction::decode(&w.rungs(p)[0].0).unwrap().into_object();
    other.set(xrpl_wire::sf::Amount, xrpl_wire::Amount::Xrp(drops(9)));
    w.close(&[xrpl_wire::Transaction::from_object(other).unwrap()]);
    assert_eq!(w.word(p), "superseded");
    let finding = w.state.findings.values().next().unwrap();
    assert_eq!((finding.kind, finding.severity), (FindingKind::TicketTaken, Severity::Hold));
    w.approve("alice", waiting).unwrap();
    w.approve("bob", waiting).unwrap();
    assert_eq!(w.word(waiting), "ready", "held: something signs for this account that should not");
    w.lift_all();
    assert_eq!(w.word(waiting), "in_flight");
}

#[test]
fn a_spend_that_nobody_asked_for_is_found() {
    let mut w = World::new();
    let mut other = xrpl_wire::Transaction::decode(&{
        let p = w.propose("warm", 500);
        w.rungs(p)[0].0.clone()
    })
    .unwrap()
    .into_object();
    other.set(xrpl_wire::sf::TicketSequence, 19_u32);
    w.close(&[xrpl_wire::Transaction::from_object(other).unwrap()]);
    let kinds: Vec<_> = w.state.findings.values().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::SpendWithoutProposal]);
}

#[test]
fn a_changed_signer_list_drops_dead_signatures_and_keeps_the_rest() {
    let mut w = World::new();
    w.config.severities.insert(FindingKind::SignerListDrift, Severity::Alert);
    w.config.accounts.get_mut(&id("cold")).unwrap().signers = None;
    let p = w.propose("cold", 500);
    w.approve("alice", p).unwrap();
    w.approve("bob", p).unwrap();
    let entries = ["bob", "carol", "dave"].map(|name| (id(name), 1)).into_iter().collect();
    let list = Some(SignerListView { quorum: Weight(2), entries });
    w.change(vec![Change::SignerList { account: id("cold"), list }]);
    assert_eq!(w.proposal(p).approvals.keys().copied().collect::<Vec<_>>(), [id("bob")]);
    assert_eq!(w.word(p), "collecting");
    w.approve("carol", p).unwrap();
    assert_eq!(w.word(p), "in_flight");
}

#[test]
fn a_rotated_regular_key_kills_signatures_already_given() {
    let mut w = World::new();
    let mut root = w.state.accounts[&id("warm")].root.unwrap();
    root.regular_key = Some(id("alice-2"));
    root.flags = 0x0010_0000;
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    w.change(vec![Change::Root { account: id("alice"), root: Some(root) }]);
    assert!(w.proposal(p).approvals.is_empty());
    assert_eq!(w.approve("alice", p).unwrap_err().code(), "KEY_NOT_ALLOWED");
    let mut signatures = signatures_of("alice-2", &w.rungs(p));
    // The new key signs for the old account.
    let tx = |rung: &HexBytes| xrpl_wire::Transaction::decode(&rung.0).unwrap();
    signatures.signer = id("alice");
    signatures.signatures = w
        .rungs(p)
        .iter()
        .map(|rung| {
            HexBytes(
                xrpl_wire::sign::sign_for(&tx(rung), id("alice"), &crate::world::key("alice-2"))
                    .unwrap()
                    .signature,
            )
        })
        .collect();
    w.command("alice", Command::Approve { proposal: p, signatures }).unwrap();
    assert_eq!(w.proposal(p).approvals.len(), 1);
}

#[test]
fn a_full_pool_makes_proposals_wait_and_refills_itself() {
    let mut w = World::new();
    w.config.tickets.low_water = 2;
    let many: Vec<_> = (0..11).map(|_| w.propose("warm", 500)).collect();
    let last = many[10];
    assert_eq!(w.word(last), "drafted");
    assert!(w.state.free_tickets(&id("warm")).next().is_none());
    w.close(&[]);
    let refill = w.sent();
    assert_eq!(refill.len(), 1, "one refill, however many wait");
    w.close(&[]);
    assert_eq!(w.sent(), refill);
    w.close(&refill);
    assert_eq!(w.word(last), "collecting");
}

#[test]
fn nothing_is_signed_or_sent_while_frozen() {
    let mut w = World::new();
    let freeze = Command::Freeze { account: None, reason: "drill".to_owned() };
    assert_eq!(w.command("alice", freeze.clone()).unwrap_err().code(), "ROLE_MISSING");
    w.command("dave", freeze).unwrap();
    let small = w.propose("hot", 50);
    let middling = w.propose("warm", 500);
    w.approve("alice", middling).unwrap();
    w.approve("bob", middling).unwrap();
    w.close(&[]);
    assert_eq!((w.word(small), w.word(middling)), ("collecting", "ready"));
    assert!(w.sent().is_empty());
    w.command("dave", Command::Unfreeze { account: None, reason: String::new() }).unwrap();
    w.close(&[]);
    assert_eq!((w.word(small), w.word(middling)), ("in_flight", "in_flight"));
}

#[test]
fn silence_loses_sight_and_the_next_reconcile_restores_it() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    w.approve("alice", p).unwrap();
    w.silence(60);
    assert!(!w.state.sees());
    w.approve("bob", p).unwrap();
    assert_eq!(w.word(p), "ready");
    let error = w.command("alice", Command::Propose(w.payment("warm", 500))).unwrap_err();
    assert_eq!(error.code(), "NO_SIGHT");
    w.close(&[]);
    assert!(!w.state.sees(), "one ledger after a silence is not the whole view");
    assert!(w.sent().is_empty());
    w.reconcile();
    assert!(w.state.sees());
    assert_eq!(w.word(p), "in_flight");
}

#[test]
fn a_ledger_that_does_not_follow_is_not_taken() {
    let mut w = World::new();
    let cursor = w.state.ledger;
    let mut gap = w.next_ledger(4);
    gap.point.index = gap.point.index.plus(1);
    w.hand_on(gap);
    assert_eq!(w.state.ledger, cursor);
    assert!(!w.state.sees());
    let mut forged = w.next_ledger(4);
    forged.parent_hash = Hash256::ZERO;
    w.hand_on(forged);
    assert_eq!(w.state.ledger, cursor);
}

#[test]
fn history_that_nobody_has_is_found_for_every_account_and_stops_everything() {
    let mut w = World::new();
    let cursor = w.state.ledger.unwrap();
    let (first, last) = (cursor.index.plus(1), cursor.index.plus(40));
    w.input(Input::HistoryMissing { first, last, reason: "history is missing: ledgers 1..2".to_owned() });
    assert!(!w.state.sees());
    assert_eq!(w.state.ledger, Some(cursor), "the hole is not skipped");
    let missing: Vec<_> =
        w.state.findings.values().filter(|finding| finding.kind == FindingKind::HistoryMissing).collect();
    assert_eq!(missing.len(), w.config.accounts.len());
    assert!(missing.iter().all(|finding| finding.severity == Severity::Alert));
    assert!(missing.iter().all(|finding| finding.evidence.contains("ledgers 1..2")));
}

#[test]
fn a_transaction_that_cannot_be_read_is_found_for_the_accounts_it_touches_and_costs_no_sight() {
    let mut w = World::new();
    let mut observation = w.next_ledger(4);
    let accounts = [id("warm"), id("alice")].into();
    observation.opaque.push(OpaqueTx { id: hash("odd"), accounts, reason: "type 200".to_owned() });
    w.hand_on(observation);
    assert!(w.state.sees());
    let found: Vec<_> = w.state.findings.values().map(|finding| (finding.kind, finding.account)).collect();
    assert_eq!(found, [(FindingKind::OpaqueTransaction, Some(id("warm")))]);
    assert!(w.state.findings.values().all(|finding| finding.evidence.contains("type 200")));
}

#[test]
fn a_ledger_without_opaque_transactions_is_stored_as_it_always_was() {
    let w = World::new();
    let mut observation = w.next_ledger(4);
    let stored = serde_json::to_value(&observation).unwrap();
    assert!(stored.get("opaque").is_none());
    assert_eq!(serde_json::from_value::<LedgerObservation>(stored).unwrap(), observation);
    let reason = "type 200".to_owned();
    observation.opaque.push(OpaqueTx { id: hash("odd"), accounts: [id("warm")].into(), reason });
    let stored = serde_json::to_value(&observation).unwrap();
    assert_eq!(serde_json::from_value::<LedgerObservation>(stored).unwrap(), observation);
}

#[test]
fn a_withdrawn_payment_that_is_sent_all_the_same_is_found() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let tx = xrpl_wire::Transaction::decode(&w.rungs(p)[0].0).unwrap();
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    assert_eq!(w.proposal(p).status, Status::Withdrawn);
    w.close(&[tx]);
    assert_eq!(w.state.findings.len(), 1);
    assert!(w.state.slots.is_empty());
}

#[test]
fn a_freeze_after_sending_stops_every_further_sending() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    w.sent();
    w.command("dave", Command::Freeze { account: Some(id("hot")), reason: "drill".to_owned() }).unwrap();
    w.close(&[]);
    assert!(w.sent().is_empty());
    assert_eq!(w.word(p), "in_flight", "it may have arrived; only the ledger says");
}

#[test]
fn a_reply_that_asks_for_a_dearer_rung_sends_nothing_without_sight() {
    let mut w = World::new();
    let p = w.propose("hot", 50);
    w.sent();
    w.silence(60);
    w.reply(p, "telINSUF_FEE_P");
    assert!(w.sent().is_empty());
    w.close(&[]);
    w.reconcile();
    assert_eq!(w.sent().remove(0).fee(), drops(900));
}

#[test]
fn sight_comes_back_with_a_new_ledger_and_not_with_the_old_one_read_again() {
    let mut w = World::new();
    w.propose("hot", 50);
    w.sent();
    w.silence(60);
    for _ in 0..3 {
        w.reconcile();
        assert!(!w.state.sees(), "the network may have gone on without us");
    }
    w.close(&[]);
    assert!(w.sent().is_empty(), "the accounts have not been read at the new ledger");
    w.silence(60);
    w.reconcile();
    assert!(!w.state.sees(), "they were read too late");
    w.close(&[]);
    w.reconcile();
    assert!(w.state.sees() && !w.sent().is_empty());
    // Nor is the clock of silence put back by reading.
    w.silence(15);
    w.reconcile();
    w.silence(15);
    assert!(!w.state.sees());
}

#[test]
fn a_withdrawn_payment_counts_as_outflow_until_its_ticket_is_free() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    let out = |w: &World| {
        treasury_core::decide::outflow(&w.state, id("warm"), Asset::Xrp, w.state.now(), 86_400, None)
    };
    assert_eq!(out(&w), amount(500_000_000));
    w.command("alice", Command::Withdraw { proposal: p }).unwrap();
    assert_eq!(out(&w), amount(500_000_000), "its signatures, if there are any, still bind");
    let last = w.proposal(p).plan.as_ref().unwrap().last_ledger_sequence;
    while w.state.ledger.unwrap().index < last {
        w.close(&[]);
    }
    assert_eq!(out(&w), amount(0));
}
