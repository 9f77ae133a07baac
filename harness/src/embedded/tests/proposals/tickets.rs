//! A Ticket that a proposal holds, and what becomes of the proposal when it is spent.

use super::*;

#[test]
fn a_held_ticket_is_spent_by_what_is_proposed_and_by_nothing_else() {
    let mut desk = Desk::new();
    let id = desk.proposed(TARGET);
    let payload = desk.payload();
    // A01
    for other in [
        desk.other(),
        payload.clone().with(sf::Amount, drops(2_000_000)),
        payload.clone().with(sf::Destination, desk.world.id(BOB)),
        payload.clone().with(sf::Fee, drops(20)),
    ] {
        assert_eq!(desk.world.tries(&other), TxResult::terTICKET_RESERVED);
    }
    // A02
    let settings = desk.world.tx(TransactionType::AccountSet, TARGET);
    assert_eq!(desk.submits_by(settings, TARGET), TxResult::tesSUCCESS);
    let free = desk.other().with(sf::TicketSequence, desk.ticket + 1);
    assert_eq!(desk.submits_by(free, TARGET), TxResult::tesSUCCESS);
    assert!(desk.entry(&id).is_some());
    assert_eq!(desk.submits_by(payload, TARGET), TxResult::tesSUCCESS);
    assert!(desk.entry(&id).is_none() && !desk.has_ticket(desk.ticket));
    assert_eq!(desk.owns(TARGET), 1);
}

#[test]
fn it_does_not_matter_who_signs_what_is_proposed() {
    let mut desk = Desk::new();
    desk.list(TARGET, 2, &[(ALICE, 1), (BOB, 1), (CAROL, 1)]);
    let id = desk.proposed(TARGET);
    assert_eq!(desk.signs(&id, TARGET, ALICE), TxResult::tesSUCCESS);
    // A04
    let tx = desk.together(&desk.payload(), &[BOB, CAROL]);
    assert_eq!(desk.submits(&tx), TxResult::tesSUCCESS);
    assert!(desk.entry(&id).is_none());
    assert_eq!(desk.owns(TARGET), 2 + 1);
}

#[test]
fn a_cancelled_proposal_lets_its_ticket_go() {
    let mut desk = Desk::new();
    let id = desk.proposed(TARGET);
    // A05
    assert_eq!(desk.cancels(TARGET, &id), TxResult::tesSUCCESS);
    assert_eq!(desk.submits_by(desk.other(), TARGET), TxResult::tesSUCCESS);
    // A06: what was held back comes by itself.
    let payload = desk.payload().with(sf::TicketSequence, desk.ticket + 1);
    let id = desk.proposed_as(TARGET, &payload);
    let held = desk.other().with(sf::TicketSequence, desk.ticket + 1);
    let held = signed(held, desk.world.key(TARGET));
    assert_eq!(desk.world.ledger.submit(&held).result, TxResult::terTICKET_RESERVED);
    assert_eq!(desk.cancels(TARGET, &id), TxResult::tesSUCCESS);
    desk.world.ledger.close(CloseTime::Next);
    assert!(!desk.has_ticket(desk.ticket + 1));
}

#[test]
fn a_ticket_of_the_same_number_is_another_ticket() {
    let mut desk = Desk::new();
    let next = desk.world.root(BOB).and_then(|root| root.u32(sf::Sequence)).unwrap();
    // Bob's Tickets begin behind the number that he makes them with.
    let number = desk.ticket;
    for _ in next + 1..number {
        let tx = desk.world.tx(TransactionType::AccountSet, BOB);
        desk.world.must(BOB, tx);
    }
    let tx = desk.world.tx(TransactionType::TicketCreate, BOB).with(sf::TicketCount, 5_u32);
    let first = desk.world.must(BOB, tx) + 1;
    let number = number.max(first).min(desk.ticket + 2);
    let id = desk.proposed_as(TARGET, &desk.payload().with(sf::TicketSequence, number));
    // A08
    let tx = desk.world.tx(TransactionType::AccountSet, BOB).with(sf::Sequence, 0_u32);
    let spent = desk.submits_by(tx.with(sf::TicketSequence, number), BOB);
    assert_eq!(spent, TxResult::tesSUCCESS);
    assert!(desk.entry(&id).is_some());
}

#[test]
fn what_fails_and_pays_spends_the_ticket_and_the_proposal_too() {
    let mut desk = Desk::new();
    let payload = desk.payload().with(sf::Amount, drops(90_000_000_000_000));
    let id = desk.proposed_as(TARGET, &payload);
    // A15, with a payment that cannot be made.
    assert_eq!(desk.submits_by(payload, TARGET), TxResult::tecUNFUNDED_PAYMENT);
    assert!(desk.entry(&id).is_none() && !desk.has_ticket(desk.ticket));
    assert_eq!(desk.owns(TARGET), 2);
}

#[test]
fn a_loan_that_nobody_lends_is_refused_and_all_stays() {
    let mut desk = Desk::new();
    let payload = super::create::loan(&desk).with(sf::Counterparty, desk.world.id(CAROL));
    let id = desk.proposed_as(TARGET, &payload);
    assert_eq!(desk.signs(&id, TARGET, TARGET), TxResult::tesSUCCESS);
    let stands = |desk: &Desk| (desk.entry(&id).cloned(), desk.owns(TARGET), desk.world.drops_of(TARGET));
    let before = stands(&desk);
    // A16
    assert_eq!(desk.submits(&desk.stored(&id)), TxResult::temBAD_SIGNER);
    assert_eq!(stands(&desk), before);
    // A15 as it is without loans: what both have signed is refused by the name of its type, where the server would take
    // the fee for a broker that is not there.
    assert_eq!(desk.signs_as(&id, Role::Counterparty, CAROL, CAROL), TxResult::tesSUCCESS);
    let signed = desk.stored(&id);
    assert_eq!(desk.submits(&signed), TxResult::temUNKNOWN);
    assert_eq!((desk.stored(&id), desk.has_ticket(desk.ticket)), (signed, true));
}

#[test]
fn what_is_refused_leaves_everything_as_it_is() {
    let mut desk = Desk::new();
    desk.list(TARGET, 2, &[(ALICE, 1), (BOB, 1), (CAROL, 1)]);
    let id = desk.proposed(TARGET);
    let payload = desk.payload();
    let untouched = |desk: &Desk| desk.entry(&id).is_some() && desk.has_ticket(desk.ticket);
    // A30
    assert_eq!(desk.submits_by(payload.clone(), BOB), TxResult::tefBAD_AUTH);
    assert!(untouched(&desk));
    // A28
    let two = desk.together(&payload, &[BOB, CAROL]);
    desk.list(TARGET, 2, &[(ALICE, 1), (BOB, 1)]);
    assert_eq!(desk.submits(&two), TxResult::tefBAD_SIGNATURE);
    assert!(untouched(&desk));
    let two = desk.together(&payload, &[ALICE, BOB]);
    assert_eq!(desk.submits(&two), TxResult::tesSUCCESS);
    assert!(!untouched(&desk));
}

#[test]
fn the_master_key_does_not_sign_where_it_is_switched_off() {
    let mut desk = Desk::new();
    desk.proposed(TARGET);
    let payload = desk.payload();
    let key = desk.world.id(BOB);
    let tx = desk.world.tx(TransactionType::SetRegularKey, TARGET).with(sf::RegularKey, key);
    desk.world.must(TARGET, tx);
    desk.world.set(TARGET, flags::asfDisableMaster);
    // A31
    assert_eq!(desk.submits_by(payload.clone(), TARGET), TxResult::tefMASTER_DISABLED);
    assert_eq!(desk.submits_by(payload, BOB), TxResult::tesSUCCESS);
}

#[test]
fn an_expired_proposal_holds_its_ticket_until_it_is_removed() {
    let mut desk = Desk::new();
    let create = desk.create(TARGET, &desk.payload()).with(sf::Expiration, desk.world.now() + 1);
    desk.world.must(TARGET, create);
    let id = desk.id(desk.ticket);
    desk.world.wait(100);
    // A21
    assert_eq!(desk.world.tries(&desk.other()), TxResult::terTICKET_RESERVED);
    // A22
    assert_eq!(desk.submits_by(desk.payload(), TARGET), TxResult::tesSUCCESS);
    assert!(desk.entry(&id).is_none());
}

#[test]
fn with_the_target_go_all_proposals_to_it_and_each_owner_is_freed() {
    let mut desk = Desk::new();
    desk.list(TARGET, 1, &[(ALICE, 1), (BOB, 1)]);
    let first = desk.proposed(ALICE);
    let second = desk.proposed_as(BOB, &desk.payload().with(sf::TicketSequence, desk.ticket + 1));
    desk.world.age();
    // Who owns a proposal stays.
    let leave = desk.world.leave(ALICE, DEST);
    assert_eq!(desk.world.tries(&leave), TxResult::tecHAS_OBLIGATIONS);
    let blockers = json!({"account": desk.world.id(ALICE).to_string(), "deletion_blockers_only": true});
    let blockers = desk.ask("account_objects", blockers);
    assert_eq!(blockers["account_objects"].as_array().unwrap().len(), 1);
    // A25, A26
    let leave = desk.world.leave(TARGET, DEST);
    assert_eq!(desk.world.does(TARGET, leave), TxResult::tesSUCCESS);
    assert!(desk.world.root(TARGET).is_none());
    for (id, owner) in [(first, ALICE), (second, BOB)] {
        assert!(desk.entry(&id).is_none());
        assert_eq!(desk.owns(owner), 0);
    }
}

#[test]
fn what_is_proposed_waits_in_the_queue_as_anything_does() {
    let mut desk = Desk::new();
    let id = desk.proposed_as(TARGET, &desk.payload().with(sf::Fee, drops(10)));
    desk.world.ledger.set_load_factor(1_000);
    let blob = signed(desk.stored(&id), desk.world.key(TARGET));
    // A32
    assert_eq!(desk.world.ledger.submit(&blob).result, TxResult::terQUEUED);
    desk.world.ledger.set_load_factor(1);
    desk.world.ledger.close(CloseTime::Next);
    desk.world.ledger.close(CloseTime::Next);
    assert!(desk.entry(&id).is_none() && !desk.has_ticket(desk.ticket));
}
