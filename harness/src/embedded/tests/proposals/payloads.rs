//! Batches, and what accounts let others send, as what is proposed: what may be, who signs it, and what comes of it.

use super::batched::{inner, next, of, own_batch, pays};
use super::*;

/// The transactions of the ledger that closed last, in their order: the batch itself, and the results of those within.
fn applied(desk: &Desk) -> (Arc<ClosedTx>, Vec<TxResult>) {
    let closed = desk.world.ledger.validated();
    let (outer, within) = closed.transactions.split_first().unwrap();
    assert_eq!(outer.tx().tx_type(), TransactionType::Batch);
    for (place, tx) in within.iter().enumerate() {
        assert_eq!(tx.meta().hash256(sf::ParentBatchID), Some(outer.id));
        assert_eq!(usize::try_from(tx.index).unwrap(), place + 1);
    }
    (Arc::clone(outer), within.iter().map(|tx| tx.result).collect())
}

/// The indexes that metadata says are gone.
fn removed(tx: &ClosedTx) -> Vec<Hash256> {
    let meta = xrpl_wire::Metadata::decode(&tx.meta_blob).unwrap();
    let gone = meta.nodes.iter().filter(|node| node.kind == xrpl_wire::NodeKind::Deleted);
    gone.map(|node| node.index).collect()
}

const TOO_MUCH: u64 = 90_000_000_000_000_000;

#[test]
fn a_batch_that_was_proposed_is_applied_as_any_other() {
    const TEC: TxResult = TxResult::tecUNFUNDED_PAYMENT;
    const TES: TxResult = TxResult::tesSUCCESS;
    for (mode, amounts, expected) in [
        (flags::tfAllOrNothing, [1, 2, 3], vec![TES, TES, TES]),
        (flags::tfAllOrNothing, [1, TOO_MUCH, 3], vec![]),
        (flags::tfOnlyOne, [TOO_MUCH, 2, 3], vec![TEC, TES]),
        (flags::tfUntilFailure, [1, TOO_MUCH, 3], vec![TES, TEC]),
        (flags::tfIndependent, [1, TOO_MUCH, 3], vec![TES, TEC, TES]),
    ] {
        let mut desk = Desk::new();
        // The proposal itself takes the target's next number.
        let first = next(&desk, TARGET) + 1;
        let within = (first..).zip(amounts).map(|(number, amount)| pays(&desk, TARGET, amount, number));
        let payload = of(desk.payload_of(TransactionType::Batch), mode, within.collect());
        let id = desk.proposed_as(TARGET, &payload);
        assert_eq!(desk.signs(&id, TARGET, TARGET), TES);
        let (stored, paid) = (desk.stored(&id), desk.world.drops_of(DEST));
        assert_eq!(desk.submits(&stored), TES);
        let (outer, results) = applied(&desk);
        assert_eq!(results, expected, "{mode:#x} {amounts:?}");
        assert_eq!(outer.id, Transaction::from_object(stored).unwrap().id());
        let sum = amounts.iter().zip(&expected).filter(|(_, result)| **result == TES);
        assert_eq!(desk.world.drops_of(DEST) - paid, sum.map(|(amount, _)| amount).sum::<u64>());
        // Ticket and proposal go with the batch itself, whatever becomes of what is within.
        let ticket = index::ticket(&desk.world.id(TARGET), desk.ticket);
        let gone = removed(&outer);
        assert!(gone.contains(&id) && gone.contains(&ticket));
        assert_eq!((desk.entry(&id), desk.owns(TARGET)), (None, 2));
    }
}

#[test]
fn a_batch_whose_numbers_are_used_before_it_comes_does_nothing_and_is_gone() {
    let mut desk = Desk::new();
    let id = desk.proposed_as(TARGET, &own_batch(&desk, &[TARGET, BOB]));
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    assert_eq!(desk.signs_as(&id, Role::Participant, BOB, BOB), TxResult::tesSUCCESS);
    let tx = desk.world.tx(TransactionType::AccountSet, BOB);
    desk.world.must(BOB, tx);
    let paid = desk.world.drops_of(DEST);
    assert_eq!(desk.submits(&desk.stored(&id)), TxResult::tesSUCCESS);
    assert_eq!(applied(&desk).1, []);
    assert_eq!((desk.world.drops_of(DEST), desk.entry(&id), desk.owns(TARGET)), (paid, None, 2));
}

#[test]
fn who_takes_part_in_a_batch_may_not_propose_or_cancel_it() {
    let mut desk = Desk::new();
    assert_eq!(desk.tries(BOB, &own_batch(&desk, &[TARGET, BOB])), TxResult::tecNO_PERMISSION);
    let id = desk.proposed_as(TARGET, &own_batch(&desk, &[TARGET, BOB]));
    assert_eq!(desk.cancels(BOB, &id), TxResult::tecNO_PERMISSION);
    assert_eq!(desk.owns(TARGET), 3 + 10);
    assert_eq!(desk.cancels(TARGET, &id), TxResult::tesSUCCESS);
    assert_eq!(desk.owns(TARGET), 3);
}

#[test]
fn nobody_can_be_given_what_rules_an_account_by_a_proposal_either() {
    let desk = Desk::new();
    let sends_for = |tx: Object| desk.tries(TARGET, &tx.with(sf::Delegate, desk.world.id(BOB)));
    assert_eq!(sends_for(desk.payload_of(TransactionType::SetRegularKey)), TxResult::temINVALID);
    let leave = desk.payload_of(TransactionType::AccountDelete).with(sf::Destination, desk.world.id(DEST));
    assert_eq!(sends_for(leave), TxResult::temINVALID);
    assert_eq!(sends_for(own_batch(&desk, &[TARGET, BOB])), TxResult::temINVALID);
    let oneself = desk.payload().with(sf::Delegate, desk.world.id(TARGET));
    assert_eq!(desk.tries(TARGET, &oneself), TxResult::temBAD_SIGNER);
}

#[test]
fn without_delegation_nothing_is_proposed_that_needs_it() {
    let mut config = GenesisConfig::of(Generation::V3_3);
    config.server.features = vec![Amendment::Cosign];
    config.server.forgets = vec![Amendment::PermissionDelegationV1_1];
    let desk = Desk::of(config);
    let payload = desk.payload().with(sf::Delegate, desk.world.id(BOB));
    assert_eq!(desk.tries(TARGET, &payload), TxResult::temDISABLED);
    // As any transaction of proposals that names a Delegate itself.
    let create = desk.create(TARGET, &desk.payload()).with(sf::Delegate, desk.world.id(BOB));
    assert_eq!(desk.world.tries(&create), TxResult::temDISABLED);
}

#[test]
fn permission_to_send_is_asked_for_when_it_is_sent() {
    let mut desk = Desk::new();
    desk.grant(TARGET, BOB, &["Payment"]);
    let id = desk.proposed_as(BOB, &desk.payload().with(sf::Delegate, desk.world.id(BOB)));
    assert_eq!(desk.signs(&id, BOB, BOB), TxResult::tesSUCCESS);
    let stored = desk.stored(&id);
    for given in [&[][..], &["TrustSet", "PaymentMint"]] {
        desk.grant(TARGET, BOB, given);
        assert_eq!(desk.submits(&stored), TxResult::terNO_DELEGATE_PERMISSION);
        assert!(desk.entry(&id).is_some() && desk.has_ticket(desk.ticket));
        // It waits for a while: it is let go before the permission is there again.
        (0..10).for_each(|_| drop(desk.world.ledger.close(CloseTime::Next)));
    }
    desk.grant(TARGET, BOB, &["Payment"]);
    let before = [TARGET, BOB, DEST].map(|who| desk.world.drops_of(who));
    assert_eq!(desk.submits(&stored), TxResult::tesSUCCESS);
    let after = [TARGET, BOB, DEST].map(|who| desk.world.drops_of(who));
    assert_eq!(after, [before[0] - 1_000_000, before[1] - 30, before[2] + 1_000_000]);
    assert!(desk.entry(&id).is_none() && !desk.has_ticket(desk.ticket));
    assert_eq!(desk.owns(BOB), 0);
}

#[test]
fn the_account_itself_does_not_send_what_another_was_to_send() {
    let mut desk = Desk::new();
    desk.grant(TARGET, BOB, &["Payment"]);
    let payload = desk.payload().with(sf::Delegate, desk.world.id(BOB));
    let id = desk.proposed_as(TARGET, &payload);
    assert_eq!(desk.submits_by(payload.clone(), TARGET), TxResult::tefBAD_AUTH);
    let mut own = payload.clone();
    own.remove(sf::Delegate);
    assert_eq!(desk.submits_by(own, TARGET), TxResult::terTICKET_RESERVED);
    assert!(desk.entry(&id).is_some());
    assert_eq!(desk.submits_by(payload, BOB), TxResult::tesSUCCESS);
}

#[test]
fn a_part_that_was_given_is_proposed_signed_and_sent() {
    let mut desk = Desk::new();
    desk.world.set(ALICE, flags::asfRequireAuth);
    let usd = |desk: &Desk, who, value| desk.world.of_currency("USD", who, value);
    let line = desk.world.tx(TransactionType::TrustSet, CAROL).with(sf::LimitAmount, usd(&desk, ALICE, "9"));
    desk.world.must(CAROL, line);
    let tickets = desk.world.tx(TransactionType::TicketCreate, ALICE).with(sf::TicketCount, 1_u32);
    let ticket = desk.world.must(ALICE, tickets) + 1;
    desk.grant(ALICE, BOB, &["TrustlineAuthorize"]);
    let payload = desk
        .payload_of(TransactionType::TrustSet)
        .with(sf::Account, desk.world.id(ALICE))
        .with(sf::TicketSequence, ticket)
        .with(sf::LimitAmount, usd(&desk, CAROL, "0"))
        .with(sf::Flags, flags::tfSetfAuth)
        .with(sf::Delegate, desk.world.id(BOB));
    assert_eq!(desk.proposes(BOB, &payload), TxResult::tesSUCCESS);
    let id = index::transaction_proposal(&desk.world.id(ALICE), ticket);
    assert_eq!(desk.signs(&id, BOB, BOB), TxResult::tesSUCCESS);
    desk.grant(ALICE, BOB, &["TrustlineFreeze"]);
    assert_eq!(desk.reasons(&id), ["no_delegate_permission"]);
    let stored = desk.stored(&id);
    assert_eq!(desk.submits(&stored), TxResult::terNO_DELEGATE_PERMISSION);
    (0..10).for_each(|_| drop(desk.world.ledger.close(CloseTime::Next)));
    desk.grant(ALICE, BOB, &["TrustlineFreeze", "TrustlineAuthorize"]);
    assert_eq!(desk.submits(&stored), TxResult::tesSUCCESS);
    let [alice, carol] = [ALICE, CAROL].map(|who| desk.world.id(who));
    let Amount::Issued(IssuedAmount { currency, .. }) = usd(&desk, ALICE, "0") else { panic!("issued") };
    let flag = if alice < carol { flags::lsfLowAuth } else { flags::lsfHighAuth };
    let line = desk.entry(&index::trust_line(&alice, &carol, &currency)).unwrap();
    assert_eq!(line.u32(sf::Flags).unwrap() & flag, flag);
}

/// A batch of the target on its first Ticket: a payment of its own, and one of Carol that Bob sends for her.
fn with_delegated(desk: &Desk) -> Object {
    let delegated = pays(desk, CAROL, 5, next(desk, CAROL)).with(sf::Delegate, desk.world.id(BOB));
    let within = vec![pays(desk, TARGET, 7, next(desk, TARGET) + 1), delegated];
    of(desk.payload_of(TransactionType::Batch), flags::tfAllOrNothing, within)
}

#[test]
fn who_sends_for_another_within_a_proposed_batch_signs_and_the_other_does_not() {
    let mut desk = Desk::new();
    desk.grant(CAROL, BOB, &["Payment"]);
    let id = desk.proposed_as(TARGET, &with_delegated(&desk));
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    assert_eq!(desk.signs_as(&id, Role::Participant, CAROL, CAROL), TxResult::tecNO_PERMISSION);
    let unsigned = desk.stored(&id);
    let tx = Transaction::from_object(unsigned.clone()).unwrap();
    let carol = xrpl_wire::batch::sign(&tx, desk.world.id(CAROL), desk.world.key(CAROL)).unwrap();
    let by_carol = unsigned.with(sf::BatchSigners, Value::Array(vec![carol]));
    assert_eq!(desk.submits(&by_carol), TxResult::temBAD_SIGNER);
    assert_eq!(desk.signs_as(&id, Role::Participant, BOB, BOB), TxResult::tesSUCCESS);
    assert_eq!(desk.reasons(&id), ["-", "-"]);
    let before = [TARGET, CAROL, BOB].map(|who| desk.world.drops_of(who));
    assert_eq!(desk.submits(&desk.stored(&id)), TxResult::tesSUCCESS);
    assert_eq!(applied(&desk).1, [TxResult::tesSUCCESS; 2]);
    let after = [TARGET, CAROL, BOB].map(|who| desk.world.drops_of(who));
    assert_eq!(after, [before[0] - 7 - 100, before[1] - 5, before[2]]);
}

#[test]
fn permission_within_a_proposed_batch_is_asked_for_when_it_is_applied() {
    let mut desk = Desk::new();
    // It is not asked for when the batch is proposed or signed.
    let id = desk.proposed_as(TARGET, &with_delegated(&desk));
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    assert_eq!(desk.signs_as(&id, Role::Participant, BOB, BOB), TxResult::tesSUCCESS);
    assert_eq!(desk.reasons(&id), ["-", "no_delegate_permission"]);
    let paid = desk.world.drops_of(DEST);
    assert_eq!(desk.submits(&desk.stored(&id)), TxResult::tesSUCCESS);
    assert_eq!((applied(&desk).1, desk.world.drops_of(DEST), desk.entry(&id)), (vec![], paid, None));
}

#[test]
fn a_permission_can_be_given_and_used_within_one_proposed_batch() {
    let mut desk = Desk::new();
    let value = xrpl_wire::permission::value("Payment").unwrap();
    let permission = (sf::Permission, Object::new().with(sf::PermissionValue, value));
    let first = next(&desk, CAROL);
    let grant = desk
        .world
        .tx(TransactionType::DelegateSet, CAROL)
        .with(sf::Authorize, desk.world.id(BOB))
        .with(sf::Permissions, Value::Array(vec![permission]));
    let used = pays(&desk, CAROL, 5, first + 1).with(sf::Delegate, desk.world.id(BOB));
    let payload =
        of(desk.payload_of(TransactionType::Batch), flags::tfAllOrNothing, vec![inner(grant, first), used]);
    let id = desk.proposed_as(TARGET, &payload);
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    for participant in [CAROL, BOB] {
        let signed = desk.signs_as(&id, Role::Participant, participant, participant);
        assert_eq!(signed, TxResult::tesSUCCESS);
    }
    let paid = desk.world.drops_of(DEST);
    assert_eq!(desk.submits(&desk.stored(&id)), TxResult::tesSUCCESS);
    assert_eq!(applied(&desk).1, [TxResult::tesSUCCESS; 2]);
    assert_eq!(desk.world.drops_of(DEST), paid + 5);
}
