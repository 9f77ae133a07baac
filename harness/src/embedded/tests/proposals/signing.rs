//! Who signs, as what, and how often.

use super::*;

#[test]
fn a_share_that_cannot_be_one_is_refused_before_anything_is_looked_up() {
    let mut desk = Desk::new();
    let id = desk.proposed(TARGET);
    let good = desk.sign_tx(&id, Role::Initiator, TARGET, TARGET);
    let with = |field, bytes: Vec<u8>| {
        let share = good.object(sf::ProposalSignature).unwrap().clone().with(field, bytes);
        desk.world.tries(&good.clone().with(sf::ProposalSignature, Value::Object(share)))
    };
    // S02, S05
    assert_eq!(desk.world.tries(&good.clone().with(sf::ProposalID, Hash256::ZERO)), TxResult::temMALFORMED);
    assert_eq!(desk.world.tries(&good.clone().with(sf::ProposalID, Hash256([7; 32]))), TxResult::tecNO_ENTRY);
    let ticket = index::ticket(&desk.world.id(TARGET), desk.ticket);
    assert_eq!(desk.world.tries(&good.clone().with(sf::ProposalID, ticket)), TxResult::tecNO_ENTRY);
    // S04: as the branch has it.
    assert_eq!(with(sf::SigningPubKey, vec![0]), TxResult::temMALFORMED);
    assert_eq!(with(sf::SigningPubKey, Vec::new()), TxResult::temMALFORMED);
    assert_eq!(with(sf::TxnSignature, Vec::new()), TxResult::temMALFORMED);
    // S28: as the branch has it.
    assert_eq!(with(sf::TxnSignature, vec![1, 2, 3]), TxResult::tecNO_PERMISSION);
    assert_eq!(desk.world.tries(&good.clone().with(sf::Flags, 1_u32)), TxResult::temINVALID_FLAG);
}

#[test]
fn what_signers_have_signed_can_be_sent_as_it_stands() {
    let mut desk = Desk::new();
    desk.list(TARGET, 6, &[(ALICE, 4), (BOB, 3)]);
    let id = desk.proposed(TARGET);
    // S06
    assert_eq!(desk.signs(&id, TARGET, ALICE), TxResult::tesSUCCESS);
    let stored = desk.stored(&id);
    assert_eq!(stored.array(sf::Signers).unwrap().len(), 1);
    assert_eq!(stored.blob(sf::SigningPubKey), Some(&[][..]));
    assert_eq!(desk.signs(&id, TARGET, ALICE), TxResult::tecDUPLICATE);
    // S30
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tecNO_PERMISSION);
    assert_eq!(desk.signs(&id, TARGET, BOB), TxResult::tesSUCCESS);
    // S08
    let before = desk.world.drops_of(DEST);
    assert_eq!(desk.submits(&desk.stored(&id)), TxResult::tesSUCCESS);
    assert_eq!(desk.world.drops_of(DEST), before + 1_000_000);
    assert!(desk.entry(&id).is_none() && !desk.has_ticket(desk.ticket));
}

#[test]
fn for_what_is_sent_in_its_place_the_delegate_signs_and_the_target_does_not() {
    let mut desk = Desk::new();
    desk.grant(TARGET, BOB, &["Payment"]);
    desk.list(BOB, 1, &[(CAROL, 1)]);
    let payload = desk.payload().with(sf::Delegate, desk.world.id(BOB));
    let id = desk.proposed_as(TARGET, &payload);
    // S11
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tecNO_PERMISSION);
    assert_eq!(desk.stored(&id), payload);
    // S10
    assert_eq!(desk.signs(&id, BOB, CAROL), TxResult::tesSUCCESS);
    let before = desk.world.drops_of(BOB);
    assert_eq!(desk.submits(&desk.stored(&id)), TxResult::tesSUCCESS);
    assert_eq!(desk.world.drops_of(BOB), before - 30);
}

/// A loan with a counterparty, which has to sign beside the borrower.
fn loan(desk: &Desk, counterparty: usize) -> Object {
    super::create::loan(desk).with(sf::Counterparty, desk.world.id(counterparty))
}

#[test]
fn a_counterparty_signs_beside_the_initiator() {
    let mut desk = Desk::new();
    let id = desk.proposed_as(TARGET, &loan(&desk, BOB));
    desk.list(BOB, 1, &[(CAROL, 1)]);
    // S12
    assert_eq!(desk.signs_as(&id, Role::Counterparty, BOB, BOB), TxResult::tesSUCCESS);
    let stored = desk.stored(&id);
    let slot = stored.object(sf::CounterpartySignature).unwrap();
    assert!(slot.has(sf::SigningPubKey) && slot.has(sf::TxnSignature) && !slot.has(sf::Signers));
    assert!(!stored.has(sf::TxnSignature) && !stored.has(sf::Signers));
    // As S21 has it for a sponsor.
    assert_eq!(desk.signs_as(&id, Role::Counterparty, BOB, BOB), TxResult::tecDUPLICATE);
    assert_eq!(desk.signs_as(&id, Role::Counterparty, BOB, CAROL), TxResult::tecNO_PERMISSION);
    // S41: as the draft has it. The key would become part of what is signed already.
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tecNO_PERMISSION);
}

#[test]
fn who_signs_after_the_initiator_signs_its_key_too() {
    let mut desk = Desk::new();
    let id = desk.proposed_as(TARGET, &loan(&desk, BOB));
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    // S42
    assert_eq!(desk.signs_as(&id, Role::Counterparty, BOB, BOB), TxResult::tesSUCCESS);
    let stored = Transaction::from_object(desk.stored(&id)).unwrap();
    let slot = stored.object().object(sf::CounterpartySignature).unwrap();
    let key = desk.world.key(BOB).public_key();
    key.verify(stored.signing_blob(), slot.blob(sf::TxnSignature).unwrap()).unwrap();
    assert_eq!(desk.status(&id)["proposal_status"], "complete");
}

#[test]
fn nobody_is_the_counterparty_of_a_broker_that_is_not_there() {
    let mut desk = Desk::new();
    let id = desk.proposed_as(TARGET, &super::create::loan(&desk));
    // S15, and S14 for want of brokers.
    assert_eq!(desk.signs_as(&id, Role::Counterparty, BOB, BOB), TxResult::tecNO_PERMISSION);
    assert!(!desk.stored(&id).has(sf::CounterpartySignature));
    // R30
    assert_eq!(desk.reasons(&id), ["inadequate_signatures", "counterparty_unresolvable"]);
    let status = desk.status(&id);
    assert!(status["signing_status"][1].get("account").is_none());
}

#[test]
fn one_account_is_not_two_parties() {
    let mut desk = Desk::new();
    let id = desk.proposed_as(TARGET, &loan(&desk, TARGET));
    // S18: as the branch has it; such a proposal is never complete.
    for role in [Role::Initiator, Role::Counterparty] {
        assert_eq!(desk.signs_as(&id, role, TARGET, TARGET), TxResult::tecNO_PERMISSION);
    }
}

#[test]
fn what_has_expired_is_cleared_away_by_the_next_who_would_sign() {
    for good in [true, false] {
        let mut desk = Desk::new();
        desk.list(TARGET, 1, &[(ALICE, 1)]);
        let payload = desk.payload();
        let create = desk.create(TARGET, &payload).with(sf::Expiration, desk.world.now() + 1);
        desk.world.must(TARGET, create);
        let id = desk.id(desk.ticket);
        desk.world.wait(10);
        let owned = desk.owns(TARGET);
        // S24, S25
        let mut tx = desk.sign_tx(&id, Role::Initiator, TARGET, ALICE);
        if !good {
            let share = tx.object(sf::ProposalSignature).unwrap().clone().with(sf::TxnSignature, vec![1]);
            tx.set(sf::ProposalSignature, Value::Object(share));
        }
        let before = desk.world.drops_of(STRANGER);
        assert_eq!(desk.world.does(STRANGER, tx), TxResult::tecEXPIRED);
        assert!(desk.entry(&id).is_none() && desk.has_ticket(desk.ticket));
        assert_eq!(desk.owns(TARGET), owned - 5);
        assert_eq!(desk.world.drops_of(STRANGER), before - 2_000);
    }
}

#[test]
fn the_last_ledger_of_what_is_proposed_still_takes_shares() {
    let mut desk = Desk::new();
    desk.list(TARGET, 1, &[(ALICE, 1)]);
    let last = desk.world.ledger.open().index() + 1;
    let id = desk.proposed_as(TARGET, &desk.payload().with(sf::LastLedgerSequence, last));
    assert_eq!(desk.world.ledger.open().index(), last);
    // S45: as the draft has it.
    let other = desk.sign_tx(&id, Role::Initiator, TARGET, ALICE);
    assert_eq!(desk.world.does(STRANGER, other), TxResult::tesSUCCESS);
    // S46
    assert_eq!(desk.signs(&id, TARGET, BOB), TxResult::tecEXPIRED);
    assert!(desk.entry(&id).is_none());
}

#[test]
fn only_keys_that_are_somebodys_own_sign_for_it() {
    let mut desk = Desk::new();
    let id = desk.proposed(TARGET);
    // S34
    assert_eq!(desk.signs(&id, TARGET, STRANGER), TxResult::tecNO_PERMISSION);
    desk.list(TARGET, 1, &[(ALICE, 1)]);
    // S26
    assert_eq!(desk.signs(&id, TARGET, STRANGER), TxResult::tecNO_PERMISSION);
    // S32
    let [target, alice] = [TARGET, ALICE].map(|who| desk.world.id(who));
    let tx = desk.share(&id, Role::Initiator, target, alice, desk.world.key(BOB));
    assert_eq!(desk.world.does(STRANGER, tx), TxResult::tecNO_PERMISSION);
    assert_eq!(desk.signs(&id, ALICE, ALICE), TxResult::tecNO_PERMISSION);
    // S31
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tecDUPLICATE);
    assert_eq!(desk.signs(&id, TARGET, ALICE), TxResult::tecNO_PERMISSION);
}

#[test]
fn a_member_that_is_not_on_the_ledger_signs_with_its_master_key() {
    let mut desk = Desk::new();
    let ghost = keys(77);
    desk.list_of(TARGET, 1, &[(ghost.account_id(), 1)]);
    let id = desk.proposed(TARGET);
    let target = desk.world.id(TARGET);
    // S35
    let by_other = desk.share(&id, Role::Initiator, target, ghost.account_id(), desk.world.key(BOB));
    assert_eq!(desk.world.does(STRANGER, by_other), TxResult::tecNO_PERMISSION);
    let tx = desk.share(&id, Role::Initiator, target, ghost.account_id(), &ghost);
    assert_eq!(desk.world.does(STRANGER, tx), TxResult::tesSUCCESS);
    assert_eq!(desk.submits(&desk.stored(&id)), TxResult::tesSUCCESS);
}

#[test]
fn no_more_sign_than_the_fee_pays_for() {
    let mut desk = Desk::new();
    desk.list(TARGET, 2, &[(ALICE, 1), (BOB, 1)]);
    let id = desk.proposed_as(TARGET, &desk.payload().with(sf::Fee, drops(20)));
    assert_eq!(desk.signs(&id, TARGET, ALICE), TxResult::tesSUCCESS);
    // S44: as the draft has it.
    assert_eq!(desk.signs(&id, TARGET, BOB), TxResult::tecINSUFF_FEE);
    assert_eq!(desk.stored(&id).array(sf::Signers).unwrap().len(), 1);
    // A counterparty that has to sign costs a base fee from the start, and one for each of several signers.
    desk.list(CAROL, 2, &[(ALICE, 1), (BOB, 1)]);
    let poor = loan(&desk, CAROL).with(sf::Fee, drops(10)).with(sf::TicketSequence, desk.ticket + 1);
    let id = desk.proposed_as(TARGET, &poor);
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tecINSUFF_FEE);
    assert_eq!(desk.signs_as(&id, Role::Counterparty, CAROL, CAROL), TxResult::tecINSUFF_FEE);
    let enough = poor.with(sf::Fee, drops(20)).with(sf::TicketSequence, desk.ticket + 2);
    let id = desk.proposed_as(TARGET, &enough);
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    assert_eq!(desk.signs_as(&id, Role::Counterparty, CAROL, ALICE), TxResult::tesSUCCESS);
    assert_eq!(desk.signs_as(&id, Role::Counterparty, CAROL, BOB), TxResult::tecINSUFF_FEE);
    // One that nobody can name yet will have to sign as well.
    desk.cancels(TARGET, &id);
    let unnamed =
        super::create::loan(&desk).with(sf::Fee, drops(10)).with(sf::TicketSequence, desk.ticket + 2);
    let id = desk.proposed_as(TARGET, &unnamed);
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tecINSUFF_FEE);
}

#[test]
fn no_more_sign_for_an_account_than_may() {
    let mut desk = Desk::new();
    let signers: Vec<KeyPair> = (100..133).map(keys).collect();
    let ids: Vec<(AccountId, u16)> = signers.iter().map(|key| (key.account_id(), 1)).collect();
    let (last, first) = ids.split_last().unwrap();
    desk.list_of(TARGET, 32, first);
    let id = desk.proposed_as(TARGET, &desk.payload().with(sf::Fee, drops(1_000)));
    let target = desk.world.id(TARGET);
    let signs = |desk: &mut Desk, key: &KeyPair| {
        let tx = desk.share(&id, Role::Initiator, target, key.account_id(), key);
        desk.world.does(STRANGER, tx)
    };
    for key in &signers[..32] {
        assert_eq!(signs(&mut desk, key), TxResult::tesSUCCESS);
    }
    assert_eq!(desk.status(&id)["proposal_status"], "complete");
    desk.list_of(TARGET, 1, &[*last]);
    assert_eq!(signs(&mut desk, &signers[32]), TxResult::tecOVERSIZE);
    // Whoever has signed is told that, however many there are.
    desk.list_of(TARGET, 32, first);
    assert_eq!(signs(&mut desk, &signers[0]), TxResult::tecDUPLICATE);
    assert_eq!(desk.stored(&id).array(sf::Signers).unwrap().len(), 32);
}

#[test]
fn the_three_transactions_are_sent_by_nobody_for_another() {
    let mut desk = Desk::new();
    let id = desk.proposed(TARGET);
    let sign = desk.sign_tx(&id, Role::Initiator, TARGET, TARGET);
    for tx in [sign, desk.cancel(TARGET, &id)] {
        assert_eq!(desk.world.tries(&tx.with(sf::Delegate, desk.world.id(ALICE))), TxResult::temINVALID);
    }
}
