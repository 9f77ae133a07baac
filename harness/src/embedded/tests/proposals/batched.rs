//! Batches that are proposed, and proposals within batches.

use super::*;

pub(super) fn next(desk: &Desk, person: usize) -> u32 {
    desk.world.root(person).and_then(|root| root.u32(sf::Sequence)).unwrap()
}

/// What somebody sends within a batch.
pub(super) fn inner(tx: Object, sequence: u32) -> Object {
    tx.with(sf::Sequence, sequence)
        .with(sf::Flags, flags::tfInnerBatchTxn)
        .with(sf::Fee, drops(0))
        .with(sf::SigningPubKey, Vec::<u8>::new())
}

pub(super) fn pays(desk: &Desk, from: usize, amount: u64, sequence: u32) -> Object {
    let to = desk.world.id(DEST);
    let tx = desk.world.tx(TransactionType::Payment, from).with(sf::Destination, to);
    inner(tx.with(sf::Amount, drops(amount)), sequence)
}

pub(super) fn of(batch: Object, mode: u32, within: Vec<Object>) -> Object {
    let within = within.into_iter().map(|tx| (sf::RawTransaction, tx)).collect();
    batch.with(sf::Flags, mode).with(sf::RawTransactions, Value::Array(within)).with(sf::Fee, drops(100))
}

/// A batch of the target on its first Ticket: a payment of each.
fn batch(desk: &Desk, people: &[usize]) -> Object {
    let mut target = next(desk, TARGET);
    let mut within = Vec::new();
    for person in people {
        let sequence = if *person == TARGET { target } else { next(desk, *person) };
        target += u32::from(*person == TARGET);
        within.push(pays(desk, *person, 1_000_000, sequence));
    }
    of(desk.payload_of(TransactionType::Batch), flags::tfAllOrNothing, within)
}

/// The same with the target's numbers as they are after it has proposed the batch itself.
pub(super) fn own_batch(desk: &Desk, people: &[usize]) -> Object {
    let mut batch = batch(desk, people);
    let mut within = batch.array(sf::RawTransactions).unwrap().to_vec();
    for (_, tx) in &mut within {
        if tx.account(sf::Account) == Some(desk.world.id(TARGET)) {
            let sequence = tx.u32(sf::Sequence).unwrap();
            tx.set(sf::Sequence, sequence + 1);
        }
    }
    batch.set(sf::RawTransactions, Value::Array(within));
    batch
}

#[test]
fn what_may_not_be_within_a_batch_is_not_proposed_in_one() {
    let desk = Desk::new();
    let good = pays(&desk, TARGET, 1, next(&desk, TARGET));
    let sequence = next(&desk, TARGET) + 1;
    let tries = |second: Object| {
        let batch = desk.payload_of(TransactionType::Batch);
        desk.tries(TARGET, &of(batch, flags::tfAllOrNothing, vec![good.clone(), second]))
    };
    // C11, C12
    let create = desk.create(TARGET, &desk.payload().with(sf::TicketSequence, desk.ticket + 1));
    assert_eq!(tries(inner(create, sequence)), TxResult::temINVALID);
    let cancel = desk.cancel(TARGET, &desk.id(desk.ticket));
    assert_eq!(tries(inner(cancel, sequence)), TxResult::temINVALID);
    // C14, and a batch in a batch.
    let mut typeless = good.clone();
    typeless.remove(sf::TransactionType);
    assert_eq!(tries(typeless), TxResult::temMALFORMED);
    assert_eq!(tries(batch(&desk, &[TARGET, BOB])), TxResult::temMALFORMED);
    let signer = (sf::BatchSigner, Object::new().with(sf::Account, desk.world.id(BOB)));
    let signed = batch(&desk, &[TARGET, BOB]).with(sf::BatchSigners, Value::Array(vec![signer]));
    assert_eq!(desk.tries(TARGET, &signed), TxResult::temBAD_SIGNER);
    let off = Desk::with(&[Amendment::Cosign]);
    assert_eq!(off.tries(TARGET, &batch(&off, &[TARGET, BOB])), TxResult::temDISABLED);
    assert_eq!(
        off.tries(TARGET, &off.payload().with(sf::Flags, flags::tfInnerBatchTxn)),
        TxResult::temINVALID_FLAG
    );
}

#[test]
fn all_who_take_part_in_a_batch_sign_it_one_by_one() {
    let mut desk = Desk::new();
    desk.list(TARGET, 1, &[(ALICE, 1)]);
    desk.list(CAROL, 1, &[(STRANGER, 1)]);
    let before = desk.owns(TARGET);
    let id = desk.proposed_as(TARGET, &own_batch(&desk, &[TARGET, BOB, CAROL]));
    // C52
    assert_eq!(desk.owns(TARGET), before + 10);
    // S36, S40
    assert_eq!(desk.signs(&id, TARGET, ALICE), TxResult::tesSUCCESS);
    assert_eq!(desk.signs_as(&id, Role::Participant, BOB, BOB), TxResult::tesSUCCESS);
    assert_eq!(desk.signs_as(&id, Role::Participant, BOB, BOB), TxResult::tecDUPLICATE);
    assert_eq!(desk.signs_as(&id, Role::Participant, DEST, DEST), TxResult::tecNO_PERMISSION);
    assert_eq!(desk.signs_as(&id, Role::Participant, TARGET, TARGET), TxResult::tecNO_PERMISSION);
    assert_eq!(desk.signs_as(&id, Role::Participant, CAROL, STRANGER), TxResult::tesSUCCESS);
    let stored = desk.stored(&id);
    let signers = stored.array(sf::BatchSigners).unwrap();
    assert_eq!((stored.array(sf::Signers).unwrap().len(), signers.len()), (1, 2));
    assert!(signers[0].1.account(sf::Account) < signers[1].1.account(sf::Account));
    assert_eq!(desk.status(&id)["proposal_status"], "complete");
    let paid = desk.world.drops_of(DEST);
    assert_eq!(desk.submits(&stored), TxResult::tesSUCCESS);
    assert_eq!(desk.world.drops_of(DEST), paid + 3_000_000);
    assert!(desk.entry(&id).is_none());
    assert_eq!(desk.owns(TARGET), before - 1);
}

#[test]
fn who_is_made_by_a_batch_signs_it_before() {
    let mut desk = Desk::new();
    let fresh = keys(55);
    let to = desk.world.tx(TransactionType::Payment, TARGET).with(sf::Destination, fresh.account_id());
    let make = inner(to.with(sf::Amount, drops(10_000_000)), next(&desk, TARGET) + 1);
    let spend = pays(&desk, TARGET, 1, 50).with(sf::Account, fresh.account_id());
    let payload = of(desk.payload_of(TransactionType::Batch), flags::tfAllOrNothing, vec![make, spend]);
    let id = desk.proposed_as(TARGET, &payload);
    let account = fresh.account_id();
    // S38
    let other = desk.share(&id, Role::Participant, account, account, desk.world.key(BOB));
    assert_eq!(desk.world.does(STRANGER, other), TxResult::tecNO_PERMISSION);
    let own = desk.share(&id, Role::Participant, account, account, &fresh);
    assert_eq!(desk.world.does(STRANGER, own), TxResult::tesSUCCESS);
    // R26, where an earlier payment makes it.
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    assert_eq!(desk.reasons(&id), ["-", "-"]);
}

#[test]
fn a_proposed_batch_holds_its_ticket_from_other_batches() {
    let mut desk = Desk::new();
    let payload = own_batch(&desk, &[TARGET, TARGET]);
    let id = desk.proposed_as(TARGET, &payload);
    // A10
    let first = next(&desk, TARGET);
    let others = vec![pays(&desk, TARGET, 5, first), pays(&desk, TARGET, 5, first + 1)];
    let other = of(desk.payload_of(TransactionType::Batch), flags::tfAllOrNothing, others);
    assert_eq!(desk.submits_by(other, TARGET), TxResult::terTICKET_RESERVED);
    // A11
    let paid = desk.world.drops_of(DEST);
    assert_eq!(desk.submits_by(payload, TARGET), TxResult::tesSUCCESS);
    assert_eq!(desk.world.drops_of(DEST), paid + 2_000_000);
    assert!(desk.entry(&id).is_none());
    assert_eq!(desk.owns(TARGET), 2);
}

#[test]
fn what_is_within_a_batch_is_never_what_was_proposed() {
    let mut desk = Desk::new();
    let id = desk.proposed(TARGET);
    let first = next(&desk, TARGET);
    let ticketed = desk.payload().with(sf::Flags, flags::tfInnerBatchTxn).with(sf::Fee, drops(0));
    let within = vec![pays(&desk, TARGET, 5, first + 1), ticketed];
    let tx = of(desk.world.tx(TransactionType::Batch, TARGET), flags::tfAllOrNothing, within);
    let paid = desk.world.drops_of(DEST);
    // A12
    assert_eq!(desk.submits_by(tx, TARGET), TxResult::tesSUCCESS);
    assert_eq!(desk.world.drops_of(DEST), paid);
    assert!(desk.entry(&id).is_some() && desk.has_ticket(desk.ticket));
    assert_eq!(desk.submits_by(desk.payload(), TARGET), TxResult::tesSUCCESS);
}

#[test]
fn a_proposed_batch_is_sent_with_the_right_signers_and_fee_or_not_at_all() {
    let mut desk = Desk::new();
    let payload = own_batch(&desk, &[TARGET, BOB, CAROL]);
    let id = desk.proposed_as(TARGET, &payload);
    let unsigned = Transaction::from_object(payload.clone()).unwrap();
    let by = |who: usize| xrpl_wire::batch::sign(&unsigned, desk.world.id(who), desk.world.key(who)).unwrap();
    let mut right = vec![by(BOB), by(CAROL)];
    right.sort_by_key(|(_, entry)| entry.account(sf::Account));
    let mut wrong = [right.clone(), right.clone(), right.clone()];
    wrong[0].push(by(TARGET));
    wrong[1].push(right[1].clone());
    wrong[2].reverse();
    // A14
    for signers in wrong {
        let tx = payload.clone().with(sf::BatchSigners, Value::Array(signers));
        assert_eq!(desk.submits_by(tx, TARGET), TxResult::temBAD_SIGNER);
        assert!(desk.entry(&id).is_some());
    }
    let tx = payload.with(sf::BatchSigners, Value::Array(right));
    assert_eq!(desk.submits_by(tx, TARGET), TxResult::tesSUCCESS);
    // A18
    let poor =
        own_batch(&desk, &[TARGET, BOB]).with(sf::Fee, drops(40)).with(sf::TicketSequence, desk.ticket + 1);
    let id = desk.proposed_as(TARGET, &poor);
    assert_eq!(desk.signs_as(&id, Role::Participant, BOB, BOB), TxResult::tecINSUFF_FEE);
    let unsigned = Transaction::from_object(poor.clone()).unwrap();
    let bob = xrpl_wire::batch::sign(&unsigned, desk.world.id(BOB), desk.world.key(BOB)).unwrap();
    let tx = poor.with(sf::BatchSigners, Value::Array(vec![bob]));
    assert_eq!(desk.submits_by(tx, TARGET), TxResult::telINSUF_FEE_P);
    assert!(desk.entry(&id).is_some());
}

#[test]
fn cancels_stand_in_batches() {
    let mut desk = Desk::new();
    let id = desk.proposed(TARGET);
    let cancel = |desk: &Desk, sequence| inner(desk.cancel(TARGET, &id), sequence);
    let sends = |desk: &mut Desk, mode: u32, within: Vec<Object>| {
        let tx = of(desk.world.tx(TransactionType::Batch, TARGET), mode, within);
        assert_eq!(desk.submits_by(tx, TARGET), TxResult::tesSUCCESS);
        desk.world.ledger.validated().transactions.iter().skip(1).map(|tx| tx.result).collect::<Vec<_>>()
    };
    // X20
    let first = next(&desk, TARGET);
    let held = cancel(&desk, 0).with(sf::TicketSequence, desk.ticket);
    let within = vec![held, pays(&desk, TARGET, 5, first + 1)];
    assert_eq!(sends(&mut desk, flags::tfAllOrNothing, within), []);
    // X22
    let first = next(&desk, TARGET);
    let within = vec![cancel(&desk, first + 1), cancel(&desk, first + 2)];
    assert_eq!(sends(&mut desk, flags::tfAllOrNothing, within), []);
    assert!(desk.entry(&id).is_some() && desk.has_ticket(desk.ticket));
    let first = next(&desk, TARGET);
    let within = vec![cancel(&desk, first + 1), cancel(&desk, first + 2)];
    let results = sends(&mut desk, flags::tfIndependent, within);
    assert_eq!(results, [TxResult::tesSUCCESS, TxResult::tecNO_ENTRY]);
    // X21
    let id = desk.proposed(TARGET);
    let within =
        vec![pays(&desk, BOB, 5, next(&desk, BOB) + 1), inner(desk.cancel(TARGET, &id), next(&desk, TARGET))];
    let tx = of(desk.world.tx(TransactionType::Batch, BOB), flags::tfAllOrNothing, within);
    let unsigned = Transaction::from_object(tx.clone()).unwrap();
    let share = xrpl_wire::batch::sign(&unsigned, desk.world.id(TARGET), desk.world.key(TARGET)).unwrap();
    let tx = tx.with(sf::BatchSigners, Value::Array(vec![share]));
    assert_eq!(desk.submits_by(tx, BOB), TxResult::tesSUCCESS);
    assert!(desk.entry(&id).is_none());
}

#[test]
fn proposals_are_made_signed_and_cancelled_within_batches() {
    let mut desk = Desk::new();
    let payload = desk.payload();
    let key = desk.world.key(TARGET);
    let unsigned = Transaction::from_object(payload.clone()).unwrap();
    let public = key.public_key().as_bytes().to_vec();
    let account = desk.world.id(TARGET);
    let bytes = proposal::signing_bytes(&unsigned, Role::Initiator, &account, None, &public).unwrap();
    let share = Object::new()
        .with(sf::Account, account)
        .with(sf::SigningPubKey, public)
        .with(sf::TxnSignature, key.sign(&bytes));
    let id = desk.id(desk.ticket);
    let sign = desk
        .world
        .tx(TransactionType::TransactionProposalSign, TARGET)
        .with(sf::ProposalID, id)
        .with(sf::SigningFor, account)
        .with(sf::ProposalSignature, Value::Object(share));
    let sends = |desk: &mut Desk, within: Vec<Object>| {
        let first = next(desk, TARGET) + 1;
        let within = (first..).zip(within).map(|(number, tx)| inner(tx, number)).collect();
        let tx = of(desk.world.tx(TransactionType::Batch, TARGET), flags::tfAllOrNothing, within);
        assert_eq!(desk.submits_by(tx, TARGET), TxResult::tesSUCCESS);
        assert_eq!(desk.world.ledger.validated().transactions.len(), 3);
    };
    let create = desk.create(TARGET, &payload);
    sends(&mut desk, vec![create.clone(), sign]);
    assert_eq!((desk.owns(TARGET), desk.reasons(&id)), (3 + 5, vec!["-".to_owned()]));
    let cancel = desk.cancel(TARGET, &id);
    sends(&mut desk, vec![cancel, create]);
    assert_eq!((desk.owns(TARGET), desk.reasons(&id)), (3 + 5, vec!["inadequate_signatures".to_owned()]));
}

#[test]
fn the_method_says_whose_turn_in_a_batch_is_gone() {
    let mut desk = Desk::new();
    desk.list(TARGET, 1, &[(ALICE, 1)]);
    let id = desk.proposed_as(ALICE, &batch(&desk, &[TARGET, BOB]));
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    assert_eq!(desk.signs_as(&id, Role::Participant, BOB, BOB), TxResult::tesSUCCESS);
    assert_eq!(desk.reasons(&id), ["-", "-"]);
    let tx = desk.world.tx(TransactionType::AccountSet, BOB);
    desk.world.must(BOB, tx);
    assert_eq!(desk.reasons(&id), ["-", "sequence_mismatch"]);
    // One whose Ticket another proposal holds, and one whose account is not there.
    let held = desk.proposed_as(ALICE, &desk.payload().with(sf::TicketSequence, desk.ticket + 1));
    let on_ticket = pays(&desk, TARGET, 5, 0).with(sf::TicketSequence, desk.ticket + 1);
    let absent = pays(&desk, TARGET, 5, 7).with(sf::Account, keys(66).account_id());
    let payload = of(desk.payload_of(TransactionType::Batch), flags::tfIndependent, vec![on_ticket, absent]);
    let id = desk.proposed_as(ALICE, &payload.with(sf::TicketSequence, desk.ticket + 2));
    // R26
    assert_eq!(desk.reasons(&id), ["ticket_reserved", "account_not_found"]);
    assert_eq!(desk.reasons(&held), ["inadequate_signatures"]);
}

#[test]
fn the_method_says_who_may_not_send_for_others_in_a_batch() {
    let mut desk = Desk::new();
    desk.list(TARGET, 1, &[(ALICE, 1)]);
    let first = next(&desk, TARGET);
    let delegated = pays(&desk, CAROL, 5, next(&desk, CAROL)).with(sf::Delegate, desk.world.id(BOB));
    let within = vec![pays(&desk, TARGET, 5, first), delegated];
    let payload = of(desk.payload_of(TransactionType::Batch), flags::tfAllOrNothing, within);
    let id = desk.proposed_as(ALICE, &payload);
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    assert_eq!(desk.signs_as(&id, Role::Participant, BOB, BOB), TxResult::tesSUCCESS);
    // R24
    assert_eq!(desk.reasons(&id), ["-", "no_delegate_permission"]);
    let status = desk.status(&id);
    assert_eq!(status["signing_status"][1]["account"], desk.world.id(BOB).to_string());
}
