//! What single facts change, and what they leave alone: a book, a view or a stop that is wrong after one is wrong for ever.

use treasury_core::Event;
use treasury_core::command::{Actor, Asked, Command, Propose};
use treasury_core::config::{FindingKind, Severity, Treasury};
use treasury_core::effect::Party;
use treasury_core::failure::Cause;
use treasury_core::input::Input;
use treasury_core::intent::Origin;
use treasury_core::observe::{AccountSnapshot, Change, ObservedTx, TrustLineView};
use treasury_core::state::{BreakerKey, FINDINGS_MAX, Finding, Guard};
use treasury_core::stops::Subject;
use treasury_core::units::{Amount, Asset, FindingId, ProposalId, RequestId, RippleTime, SeqProxy};
use xrpl_wire::entry::RippleState;

use crate::world::{World, XRP, config, drops, hash, id};

const DAY: u32 = 86_400;

fn moved(w: &World, account: &str) -> u64 {
    w.state.book.moved(&id(account), Asset::Xrp, RippleTime(0)).drops().unwrap().get()
}

fn read(w: &mut World, account: &str, change: impl FnOnce(&mut AccountSnapshot)) {
    let view = w.state.accounts[&id(account)].clone();
    let mut snapshot = AccountSnapshot {
        account: id(account),
        root: view.root,
        signer_list: view.signer_list,
        tickets: view.tickets,
        escrows: w.state.standing_of(&id(account)).map(|key| w.state.escrows[&key].view.clone()).collect(),
        trust_lines: view.trust_lines,
        settings: view.settings,
    };
    change(&mut snapshot);
    let at = w.state.ledger.unwrap();
    w.record(Event::AccountsRead { at, accounts: vec![snapshot], taken: None });
}

fn finding(w: &World, kind: FindingKind, severity: Severity) -> Finding {
    Finding {
        id: FindingId(w.state.last_finding + 1),
        kind,
        severity,
        account: Some(id("hot")),
        evidence: "seen".to_owned(),
        at: w.state.ledger.unwrap(),
        acknowledged: None,
        over: None,
        about: None,
    }
}

#[test]
fn what_is_gone_when_an_account_is_read_anew_has_left_it_and_what_is_there_has_not() {
    let mut w = World::new();
    let before = w.state.book.clone();
    read(&mut w, "hot", |_| {});
    assert_eq!(w.state.book, before, "nothing is gone");
    read(&mut w, "hot", |read| read.root.as_mut().unwrap().balance = drops(200_000 * XRP));
    assert_eq!(w.state.book, before, "what came has not left");
    read(&mut w, "hot", |read| read.root.as_mut().unwrap().balance = drops(199_995 * XRP));
    assert_eq!(moved(&w, "hot"), 5 * XRP);
    read(&mut w, "hot", |read| read.root = None);
    assert_eq!(moved(&w, "hot"), 200_000 * XRP, "an account that is no more has lost all it had");
}

#[test]
fn an_escrow_that_is_not_there_when_its_owner_is_read_is_gone_and_the_others_stand() {
    let mut w = World::new();
    let (_, first) = w.escrow();
    let (_, second) = w.escrow();
    read(&mut w, "warm", |read| read.escrows.retain(|escrow| escrow.key == first));
    assert!(matches!(w.guard(first), Guard::Locked { .. }), "{:?}", w.guard(first));
    assert!(matches!(w.guard(second), Guard::Gone { .. }), "{:?}", w.guard(second));
    assert_eq!(w.state.standing_of(&id("warm")).collect::<Vec<_>>(), [first]);
}

/// A ledger with a transaction of an account's that costs a fee of 12 drops, after which it has less by this.
fn spend(w: &mut World, account: &str, less: u64) {
    let mut root = w.state.accounts[&id(account)].root.unwrap();
    root.balance = drops(root.balance.get() - less);
    let tx = ObservedTx {
        signers: Default::default(),
        id: hash("a transaction"),
        account: id(account),
        slot: SeqProxy::Sequence(100),
        tx_type: "Payment".to_owned(),
        result: "tesSUCCESS".to_owned(),
        digest: hash("what it wants"),
        fee: drops(12),
    };
    let mut observation = w.next_ledger(4);
    observation.transactions.push(tx);
    observation.changes = vec![Change::Root { account: id(account), root: Some(root) }];
    w.record(Event::LedgerTaken { observation, taken: None });
}

#[test]
fn a_ledger_in_which_nothing_leaves_but_a_fee_adds_nothing_to_what_has_left() {
    let mut w = World::new();
    let before = w.state.book.clone();
    spend(&mut w, "hot", 12);
    assert_eq!(w.state.book, before);
    spend(&mut w, "hot", 13);
    assert_eq!(moved(&w, "hot"), 1);
}

#[test]
fn what_an_account_sends_leaves_it_also_where_it_has_no_list_no_tickets_and_no_proposals() {
    let mut w = World::new();
    read(&mut w, "runner", |read| read.tickets.clear());
    assert!(!w.state.by_account.contains_key(&id("runner")));
    spend(&mut w, "runner", 7 * XRP + 12);
    assert_eq!(moved(&w, "runner"), 7 * XRP);
}

#[test]
fn an_approval_takes_back_what_the_same_signer_said_against_it_and_nothing_that_others_said() {
    let mut w = World::new();
    let p = w.propose("warm", 500);
    for person in ["bob", "dave"] {
        let reason = "not ours".to_owned();
        w.command(person, Command::Reject { proposal: p, reason }).unwrap();
    }
    w.approve("bob", p).unwrap();
    let against: Vec<&String> = w.proposal(p).rejections.keys().collect();
    assert_eq!(against, ["dave"]);
}

#[test]
fn only_what_is_lost_to_what_nobody_proposed_counts_as_robbery() {
    let robs = [
        FindingKind::SpendWithoutProposal,
        FindingKind::SentElsewhere,
        FindingKind::KeysElsewhere,
        FindingKind::TicketTaken,
    ];
    for kind in FindingKind::ALL {
        for severity in [Severity::Log, Severity::Alert, Severity::Hold, Severity::Freeze] {
            let mut w = World::new();
            let finding = finding(&w, kind, severity);
            w.record(Event::Found { finding });
            let expected = robs.contains(&kind) && severity != Severity::Log;
            assert_eq!(w.state.robbed.contains_key(&id("hot")), expected, "{kind:?} {severity:?}");
        }
    }
}

#[test]
fn the_newest_thousand_findings_stay_and_all_are_counted() {
    let mut w = World::new();
    for _ in 0..=FINDINGS_MAX {
        let finding = finding(&w, FindingKind::Velocity, Severity::Log);
        w.record(Event::Found { finding });
        assert!(w.state.findings.len() <= FINDINGS_MAX);
    }
    assert_eq!(w.state.findings.len(), FINDINGS_MAX);
    assert_eq!(w.state.findings.keys().next(), Some(&FindingId(2)));
    assert_eq!(w.state.findings_by_kind[&FindingKind::Velocity], 1_001);
}

#[test]
fn closing_the_breakers_of_one_account_leaves_those_of_others_open_as_earlier_records_have_it() {
    let mut w = World::new();
    let at = w.state.ledger.unwrap();
    for account in ["hot", "warm"] {
        let (account, cause, reason) = (Some(id(account)), Cause::Network, "no reply".to_owned());
        w.record(Event::BreakerOpened { account, cause, at, reason });
    }
    let open =
        |w: &World| w.state.breakers.keys().filter_map(|key: &BreakerKey| key.account).collect::<Vec<_>>();
    w.record(Event::BreakerClosed { account: Some(id("hot")), by: "dave".to_owned() });
    assert_eq!(open(&w), [id("warm")]);
    w.record(Event::BreakerClosed { account: None, by: "dave".to_owned() });
    assert!(open(&w).is_empty(), "and of every account");
}

#[test]
fn an_escrow_that_came_back_has_paid_nobody() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    assert_eq!(w.state.book.payments().first_paid(&id("shop")), None, "its money has come to nobody yet");
    for (tx_type, expected) in [("EscrowCancel", false), ("EscrowFinish", true)] {
        let mut state = w.state.clone();
        let mut observation = w.next_ledger(4);
        let (tx_id, tx_type) = (hash("its end"), tx_type.to_owned());
        observation.changes = vec![Change::EscrowDeleted { key, tx_id, tx_type }];
        state.apply(&Event::LedgerTaken { observation, taken: None }).unwrap();
        assert_eq!(state.book.payments().first_paid(&id("shop")).is_some(), expected);
    }
}

#[test]
fn a_strangers_escrow_to_somebody_counts_as_no_payment_of_ours() {
    let mut w = World::new();
    let (_, key) = w.escrow();
    w.state.escrows.get_mut(&key).unwrap().guard = Guard::Foreign;
    let mut observation = w.next_ledger(4);
    let (tx_id, tx_type) = (hash("its end"), "EscrowFinish".to_owned());
    observation.changes = vec![Change::EscrowDeleted { key, tx_id, tx_type }];
    w.state.apply(&Event::LedgerTaken { observation, taken: None }).unwrap();
    assert_eq!(w.state.book.payments().first_paid(&id("shop")), None);
}

#[test]
fn nothing_that_is_open_or_can_still_be_applied_leaves_the_state() {
    let mut w = World::new();
    let open = w.propose("warm", 500);
    let withdrawn = w.propose("warm", 600);
    w.command("alice", Command::Withdraw { proposal: withdrawn }).unwrap();
    let ended_early = w.propose("warm", 9_000);
    assert_eq!(w.word(ended_early), "denied");
    for kept in [open, withdrawn, ProposalId(99)] {
        let before = w.state.clone();
        w.state.apply(&Event::ProposalArchived { proposal: kept }).unwrap_err();
        assert_eq!(w.state, before, "{kept}");
    }
    w.record(Event::ProposalArchived { proposal: ended_early });
    assert!(!w.state.proposals.contains_key(&ended_early));
}

#[test]
fn a_delayed_payment_leaves_with_its_escrow_and_the_stops_on_both() {
    let mut w = World::new();
    let (made, key) = w.escrow();
    w.command("dave", Command::Flag { proposal: made, reason: "late".to_owned() }).unwrap();
    assert_eq!(w.stops_on(&Subject::Proposal(made)).len(), 1);
    w.jump(4 * DAY);
    w.settle();
    assert!(matches!(w.guard(key), Guard::Cancelled { .. }), "{:?}", w.guard(key));
    w.jump(2 * DAY);
    w.close(&[]);
    assert!(!w.state.proposals.contains_key(&made) && !w.state.escrows.contains_key(&key));
    let archived = w.archived[&made].escrow.as_ref().unwrap();
    assert_eq!(archived.view.key, key);
    assert!(w.state.stops.is_empty(), "nothing is left for it to stop");
}

#[test]
fn severities_have_the_words_that_the_configuration_takes() {
    let all = [Severity::Log, Severity::Alert, Severity::Hold, Severity::Freeze];
    assert_eq!(all.map(Severity::word), ["log", "alert", "hold", "freeze"]);
    for severity in all {
        assert_eq!(serde_json::to_value(severity).unwrap(), severity.word());
    }
}

/// Danger: a newer store is larger than it need be, and an earlier program cannot read what says nothing new.
#[test]
fn what_a_proposal_has_none_of_is_not_written_down() {
    let stored = |party| {
        let mut w = World::with(Treasury { new_escrows: party, ..config() });
        let p = w.propose("warm", 2_000);
        serde_json::to_value(w.proposal(p)).unwrap()
    };
    let own = stored(Party::Own);
    assert_eq!(own.get("inquiry"), None);
    assert!(!own.to_string().contains("\"party\""), "{own}");
    assert!(stored(Party::Guarded).to_string().contains("\"party\":\"guarded\""));
}

/// Danger: what is known of everybody who was ever paid stays in memory, and is asked of ledger servers.
#[test]
fn a_recipient_that_nothing_rests_on_any_more_is_let_go_of() {
    let mut w = World::new();
    let mut payment = w.payment("warm", 50);
    payment.destination = w.stranger("mallory", Some(0));
    w.command("alice", Command::Propose(payment)).unwrap();
    assert!(w.state.accounts.contains_key(&id("mallory")));
    w.settle();
    (0..256).for_each(|_| w.close(&[]));
    assert!(!w.state.accounts.contains_key(&id("mallory")));
    assert!(w.state.accounts.contains_key(&id("warm")));
    // Of whom an escrow waits to pay everything is followed: what becomes of them may speak against its release.
    w.escrow();
    (0..256).for_each(|_| w.close(&[]));
    assert!(w.state.accounts.contains_key(&id("shop")));
}

#[test]
fn each_side_of_a_trust_line_has_it_where_it_keeps_a_reserve_frozen_where_the_other_side_froze_it() {
    let issued = |value: &str, issuer: &str| {
        let words = format!("{value} EUR.{}", id(issuer));
        let Amount::Issued(issued) = Amount::from_words(&words).unwrap() else { panic!("{words}") };
        issued
    };
    let (low, high) = if id("hot") < id("bank") { ("hot", "bank") } else { ("bank", "hot") };
    let line = |flags: u32| RippleState {
        balance: issued("7", low),
        low_limit: issued("100", low),
        high_limit: issued("0", high),
        flags,
        previous: None,
    };
    let of = |name: &str| -> Asset { format!("EUR.{}", id(name)).parse().unwrap() };
    let view = |balance: &str, limit: &str, frozen, deep_frozen| TrustLineView {
        balance: balance.parse().unwrap(),
        limit: limit.parse().unwrap(),
        frozen,
        deep_frozen,
        no_ripple: Some(false),
    };
    // lsfLowReserve, lsfHighReserve; lsfLowFreeze, lsfHighFreeze; lsfLowDeepFreeze, lsfHighDeepFreeze.
    let flags = [0x0001_0000, 0x0002_0000, 0x0040_0000, 0x0080_0000, 0x0200_0000, 0x0400_0000];
    for bits in 0..64_u32 {
        let has = |bit: usize| bits & (1 << bit) != 0;
        let set = (0..6).filter(|bit| has(*bit)).map(|bit| flags[bit]).sum();
        let expected = [
            (id(low), of(high), has(0).then(|| view("7", "100", has(3), has(5)))),
            (id(high), of(low), has(1).then(|| view("-7", "0", has(2), has(4)))),
        ];
        assert_eq!(TrustLineView::sides(&line(set)), expected, "{bits:b}");
    }
}

/// Danger: the audit log names nobody for what was done, or somebody for what never came to be.
#[test]
fn who_asked_stands_before_all_that_followed_and_nowhere_where_nothing_did() {
    let mut w = World::new();
    let asked = Asked {
        operation: "propose".to_owned(),
        person: "alice".to_owned(),
        origin: Origin::Http,
        token: None,
        address: None,
        request: None,
        utc: w.state.now(),
    };
    let mut ask = |propose: Propose| {
        let before = w.events.len();
        let answer = w.input(Input::Command {
            request: RequestId(900),
            actor: Actor { person: "alice".to_owned(), origin: Origin::Http },
            command: Command::Propose(propose),
            archived: None,
            asked: Some(Box::new(asked.clone())),
        });
        (answer.unwrap().is_ok(), w.events[before..].to_vec())
    };
    let propose = World::new().payment("hot", 50);
    let propose = Propose { idempotency_key: Some("k".to_owned()), ..propose };
    let (taken, events) = ask(propose.clone());
    assert!(taken && events.len() > 1);
    assert_eq!(events[0], Event::CommandTaken { asked: asked.clone() });
    assert!(!events[1..].iter().any(|event| matches!(event, Event::CommandTaken { .. })));
    assert_eq!(ask(propose.clone()), (true, Vec::new()), "the same again");
    assert_eq!(ask(Propose { account: id("nobody"), ..propose }), (false, Vec::new()));
}
