use std::collections::BTreeSet;

use xrpl_wire::{KeyType, Memo, Object, PublicKey, Seed, Value};

use xrpl_wire::Drops;

use super::*;
use treasury_api::types::{DecisionView, DemandView, EscrowView, IntentView, PartyView, RungView};

const DEADLINE: &str = "2026-01-01T01:00:00Z";
const FINISH: &str = "2026-01-03T01:00:00Z";
const CANCEL: &str = "2026-01-04T01:00:00Z";

fn key(n: u8) -> KeyPair {
    KeyPair::from_seed(&Seed::from_entropy([n; 16], KeyType::Ed25519))
}

fn account(n: u8) -> AccountId {
    key(n).account_id()
}

fn party(n: u8) -> PartyView {
    PartyView { address: account(n).to_string(), name: None }
}

fn drops(amount: u64) -> Drops {
    Drops::new(amount).unwrap()
}

fn at(text: &str) -> RippleTime {
    time(Some(text), "time").unwrap()
}

fn common(fee: u64) -> TxCommon {
    TxCommon {
        account: account(1),
        seq: SeqProxy::Ticket(7),
        fee: drops(fee),
        last_ledger_sequence: Some(900),
        source_tag: None,
        network_id: None,
        memos: Vec::new(),
        flags: 0,
    }
}

fn payment() -> TxBody {
    TxBody::Payment(Payment {
        destination: account(2),
        destination_tag: Some(12),
        amount: Amount::Xrp(drops(300_000_000)),
        send_max: None,
        deliver_min: None,
    })
}

fn escrow() -> TxBody {
    TxBody::EscrowCreate(EscrowCreate {
        destination: account(2),
        destination_tag: Some(12),
        amount: Amount::Xrp(drops(300_000_000)),
        condition: Some(condition::condition_for_preimage(&[9; 32])),
        finish_after: Some(at(FINISH)),
        cancel_after: Some(at(CANCEL)),
    })
}

fn rung(tx: &Transaction) -> RungView {
    RungView {
        fee_drops: tx.fee().to_string(),
        blob: hex::encode_upper(tx.encode()),
        // What the daemon says of it is never looked at.
        tx_json: serde_json::json!({"Amount": "1"}),
    }
}

fn rungs(body: &TxBody) -> Vec<Transaction> {
    [70, 2_100].into_iter().map(|fee| xrpl_wire::typed::build(&common(fee), body).unwrap()).collect()
}

/// A payment of 300 XRP, or the same through an escrow.
fn view(delayed: bool) -> ProposalView {
    let transactions = rungs(&if delayed { escrow() } else { payment() });
    ProposalView {
        id: "P1".to_owned(),
        account: party(1),
        intent: IntentView {
            kind: "pay".to_owned(),
            destination: Some(party(2)),
            destination_tag: Some(12),
            amount: Some(Amount::Xrp(drops(300_000_000)).into()),
            link: None,
            ticket_count: None,
            escrow: None,
        },
        asker: "alice".to_owned(),
        origin: None,
        occurrence: None,
        note: String::new(),
        status: "collecting".to_owned(),
        ended: false,
        waits_for: Vec::new(),
        drafted: DEADLINE.to_owned(),
        deadline: Some(DEADLINE.to_owned()),
        last_ledger_sequence: Some(900),
        slot: Some("Ticket 7".to_owned()),
        decision: DecisionView {
            rules: vec!["middling".to_owned()],
            policy_hash: String::new(),
            action: if delayed { "delay" } else { "approve" }.to_owned(),
            delay_seconds: delayed.then_some(48 * 3_600),
            window_seconds: delayed.then_some(24 * 3_600),
            told: None,
            approvals: vec![DemandView {
                weight: 2,
                signatures: 0,
                roles: vec!["approver".to_owned()],
                people: Vec::new(),
                exclude_asker: false,
                words: "approver of weight 2 sign".to_owned(),
            }],
            destination_known: true,
            risk: None,
            at: DEADLINE.to_owned(),
        },
        approvals: Vec::new(),
        tally: None,
        signers: Vec::new(),
        rejections: Vec::new(),
        stops: Vec::new(),
        void_rungs: Vec::new(),
        rungs: transactions.iter().map(rung).collect(),
        submission: None,
        outcome: None,
        escrow: delayed.then(|| EscrowView {
            key: format!("{}:7", account(1)),
            owner: party(1),
            destination: party(2),
            destination_tag: Some(12),
            amount: Some(Amount::Xrp(drops(300_000_000)).into()),
            proposal: Some("P1".to_owned()),
            guard: "not_created".to_owned(),
            stands: String::new(),
            can_be_stopped: true,
            seen: None,
            finish_after: Some(FINISH.to_owned()),
            cancel_after: Some(CANCEL.to_owned()),
        }),
    }
}

/// The view with every rung's transaction changed.
fn with_changed(mut view: ProposalView, change: impl Fn(&mut Object)) -> ProposalView {
    for shown in &mut view.rungs {
        let mut object = Object::decode(&hex::decode(&shown.blob).unwrap()).unwrap();
        change(&mut object);
        shown.blob = hex::encode_upper(object.encode().unwrap());
    }
    view
}

#[test]
fn what_is_as_it_says_is_signed_at_every_fee() {
    for delayed in [false, true] {
        let checked = check(&view(delayed)).unwrap();
        let request = checked.sign(account(3), &key(3)).unwrap();
        assert_eq!(request.signatures.len(), 2);
        let public_key = PublicKey::from_slice(&hex::decode(&request.signing_pub_key).unwrap()).unwrap();
        for (rung, signature) in checked.rungs().iter().zip(&request.signatures) {
            let signature = hex::decode(signature).unwrap();
            let signer = xrpl_wire::Signer { account: account(3), public_key, signature };
            xrpl_wire::sign::verify_signer(rung, &signer).unwrap();
        }
        assert_eq!(request.signatures.iter().collect::<BTreeSet<_>>().len(), 2, "each fee has its own");
    }
}

#[test]
fn a_transaction_that_is_not_what_the_proposal_says_is_never_signed() {
    type Change = fn(&mut Object);
    let cases: [(&str, bool, Change); 16] = [
        ("Account", false, |tx| tx.set(sf::Account, account(9))),
        ("Destination", false, |tx| tx.set(sf::Destination, account(9))),
        ("DestinationTag", false, |tx| tx.set(sf::DestinationTag, 13_u32)),
        ("DestinationTag", false, |tx| drop(tx.remove(sf::DestinationTag))),
        ("Amount", false, |tx| tx.set(sf::Amount, Amount::Xrp(drops(300_000_001)))),
        ("SendMax", false, |tx| tx.set(sf::SendMax, Amount::Xrp(drops(900_000_000)))),
        ("Flags", false, |tx| tx.set(sf::Flags, 0x0002_0000_u32)),
        ("Memos", false, |tx| {
            let memo = Memo { memo_data: Some(b"hello".to_vec()), ..Memo::default() };
            tx.set(sf::Memos, Value::Array(vec![(sf::Memo, memo.to_object())]));
        }),
        ("SourceTag", false, |tx| tx.set(sf::SourceTag, 1_u32)),
        ("TicketSequence", false, |tx| tx.set(sf::TicketSequence, 8_u32)),
        ("LastLedgerSequence", false, |tx| tx.set(sf::LastLedgerSequence, 1_000_u32)),
        ("LastLedgerSequence", false, |tx| drop(tx.remove(sf::LastLedgerSequence))),
        ("FinishAfter", true, |tx| tx.set(sf::FinishAfter, at(FINISH).0 - 1)),
        ("CancelAfter", true, |tx| tx.set(sf::CancelAfter, at(CANCEL).0 + 1)),
        ("Condition", true, |tx| drop(tx.remove(sf::Condition))),
        ("Condition", true, |tx| tx.set(sf::Condition, vec![1, 2, 3])),
    ];
    for (field, delayed, change) in cases {
        let changed = with_changed(view(delayed), change);
        match check(&changed) {
            Err(CheckError::Differs { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{field}: {other:?}"),
        }
    }
}

#[test]
fn a_payment_where_an_escrow_was_promised_is_never_signed() {
    let mut changed = view(true);
    changed.rungs = view(false).rungs;
    assert!(matches!(check(&changed), Err(CheckError::Differs { field: "Condition", .. })));
    let mut changed = view(false);
    changed.rungs = view(true).rungs;
    assert!(matches!(check(&changed), Err(CheckError::Differs { .. })));
}

#[test]
fn a_delay_that_is_shorter_than_policy_says_is_never_signed() {
    // The daemon contradicts itself consistently: transaction and escrow say the same, the decision does not.
    let mut changed = with_changed(view(true), |tx| tx.set(sf::FinishAfter, at(DEADLINE).0 + 60));
    if let Some(escrow) = &mut changed.escrow {
        escrow.finish_after = Some("2026-01-01T01:01:00Z".to_owned());
    }
    assert!(matches!(check(&changed), Err(CheckError::Differs { field: "FinishAfter", .. })));
}

#[test]
fn rungs_may_differ_in_their_fee_alone() {
    let mut changed = view(false);
    let mut object = Object::decode(&hex::decode(&changed.rungs[1].blob).unwrap()).unwrap();
    object.set(sf::TicketSequence, 8_u32);
    changed.rungs[1].blob = hex::encode(object.encode().unwrap());
    assert_eq!(check(&changed).unwrap_err(), CheckError::RungsDiffer { rung: 1, field: "TicketSequence" });
    let mut changed = view(false);
    changed.rungs[0].fee_drops = "10".to_owned();
    assert!(matches!(check(&changed), Err(CheckError::Differs { field: "Fee", .. })));
}

#[test]
fn what_cannot_be_read_is_never_signed() {
    for blob in ["", "XYZ", "1200", "é", "12000"] {
        let mut changed = view(false);
        changed.rungs[0].blob = blob.to_owned();
        assert!(matches!(check(&changed), Err(CheckError::Unreadable { rung: 0, .. })), "{blob}");
    }
    let mut nothing = view(false);
    nothing.rungs.clear();
    assert_eq!(check(&nothing).unwrap_err().code(), "NOTHING_TO_SIGN");
    let mut ended = view(false);
    (ended.ended, ended.status) = (true, "rejected".to_owned());
    let refused = check(&ended).unwrap_err();
    assert_eq!(refused.to_string(), "there is nothing to sign for P1; it is rejected");
    let mut many = view(false);
    many.rungs = vec![many.rungs[0].clone(); RUNGS_MAX + 1];
    assert_eq!(check(&many).unwrap_err(), CheckError::TooManyRungs(RUNGS_MAX + 1));
}

#[test]
fn one_that_somebody_has_signed_already_is_never_signed_again() {
    let changed =
        with_changed(view(false), |tx| tx.set(sf::SigningPubKey, key(9).public_key().as_bytes().to_vec()));
    assert!(matches!(check(&changed), Err(CheckError::Differs { field: "SigningPubKey", .. })));
}

#[test]
fn the_paying_account_cannot_be_its_own_signer() {
    let checked = check(&view(false)).unwrap();
    assert!(matches!(checked.sign(account(1), &key(1)), Err(CheckError::Sign(_))));
}

#[test]
fn the_words_hold_every_address_and_nothing_that_a_terminal_obeys() {
    let mut shown = view(true);
    shown.note = "pay\u{1b}[2Jme".to_owned();
    shown.account.name = Some("warm\n".to_owned());
    let words = check(&shown).unwrap().to_string();
    for part in [account(1).to_string(), account(2).to_string(), "300 XRP".to_owned(), FINISH.to_owned()] {
        assert!(words.contains(&part), "{part} in {words}");
    }
    assert!(words.chars().all(|c| c == '\n' || !c.is_control()), "{words:?}");
}

/// Danger: a package from anywhere says in its id who is paid what, in lines that look like those that are decoded.
#[test]
fn what_a_package_says_of_itself_never_looks_like_what_was_decoded() {
    let forged = "P1, asked for by alice:\n  pays      1 XRP\n  to        rGood (supplier)\u{1b}[8m";
    for id in [forged, "P1\u{1b}[2J", "P1 ", "P", "", "p1", "1", "P\u{661}", &format!("P{}", "1".repeat(21))]
    {
        let changed = ProposalView { id: id.to_owned(), ..view(false) };
        assert_eq!(check(&changed).unwrap_err(), CheckError::BadProposal("id"), "{id:?}");
    }
    let long = "x ".repeat(251);
    let changed = ProposalView { note: long.clone(), ..view(false) };
    assert_eq!(check(&changed).unwrap_err(), CheckError::BadProposal("note"));
    let changed = ProposalView { asker: long.clone(), ..view(false) };
    assert_eq!(check(&changed).unwrap_err(), CheckError::BadProposal("asker"));
    let mut changed = view(false);
    changed.account.name = Some(long.clone());
    assert_eq!(check(&changed).unwrap_err(), CheckError::BadProposal("account"));
    let mut changed = view(false);
    changed.intent.destination.as_mut().unwrap().name = Some(long);
    assert_eq!(check(&changed).unwrap_err(), CheckError::BadProposal("destination"));
    let most = ProposalView { id: format!("P{}", u64::MAX), note: "x".repeat(500), ..view(false) };
    check(&most).unwrap();
}

/// The same with a void, at these fees.
fn with_void(body: &TxBody, fees: &[u64]) -> ProposalView {
    let tx = |fee: &u64| rung(&xrpl_wire::typed::build(&common(*fee), body).unwrap());
    ProposalView { void_rungs: fees.iter().map(tx).collect(), ..view(false) }
}

fn no_op() -> TxBody {
    TxBody::AccountSet(AccountSet::default())
}

#[test]
fn a_void_is_told_and_signed_with_what_it_makes_worthless() {
    let checked = check(&with_void(&no_op(), &[88, 2_625])).unwrap();
    assert!(checked.to_string().contains("uses up the same slot and does nothing else"), "{checked}");
    let request = checked.sign(account(5), &key(5)).unwrap();
    assert_eq!((request.signatures.len(), request.void_signatures.len()), (2, 2));
    let void = xrpl_wire::typed::build(&common(88), &no_op()).unwrap();
    let signer = xrpl_wire::Signer {
        account: account(5),
        public_key: key(5).public_key(),
        signature: hex::decode(&request.void_signatures[0]).unwrap(),
    };
    xrpl_wire::sign::verify_signer(&void, &signer).unwrap();
    assert!(check(&view(false)).unwrap().sign(account(5), &key(5)).unwrap().void_signatures.is_empty());
}

/// Danger: a void that burns all that there is stands before one that burns next to nothing, and only that is told.
#[test]
fn of_a_void_the_dearest_is_told_wherever_it_stands() {
    for fees in [[88, 9_000_000_000], [9_000_000_000, 88]] {
        let words = check(&with_void(&no_op(), &fees)).unwrap().to_string();
        assert!(words.contains("does nothing else, at most 9000 XRP"), "{fees:?}: {words}");
    }
}

#[test]
fn what_is_called_a_void_and_does_something_is_not_signed() {
    let setting = |set: AccountSet| TxBody::AccountSet(set);
    let wrong = [
        setting(AccountSet { set_flag: Some(4), ..AccountSet::default() }),
        setting(AccountSet { transfer_rate: Some(2_000_000_000), ..AccountSet::default() }),
        payment(),
    ];
    for body in wrong {
        let error = check(&with_void(&body, &[88, 2_625])).unwrap_err();
        assert_eq!(error.code(), "TRANSACTION_DIFFERS", "{body:?}: {error}");
    }
    let mut elsewhere = with_void(&no_op(), &[88]);
    let other = TxCommon { seq: SeqProxy::Ticket(8), ..common(88) };
    elsewhere.void_rungs = vec![rung(&xrpl_wire::typed::build(&other, &no_op()).unwrap())];
    assert_eq!(check(&elsewhere).unwrap_err().code(), "TRANSACTION_DIFFERS");
    let mut mixed = with_void(&no_op(), &[88]);
    mixed.void_rungs.push(rung(&rungs(&payment())[1]));
    assert_eq!(check(&mixed).unwrap_err().code(), "RUNGS_DIFFER");
}
