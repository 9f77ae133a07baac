//! Who may take a proposal back, and when.

use super::*;

#[test]
fn what_is_no_proposal_is_not_cancelled() {
    let desk = Desk::new();
    let tries = |id: Hash256| desk.world.tries(&desk.cancel(TARGET, &id));
    // X02, X04
    assert_eq!(tries(Hash256::ZERO), TxResult::temMALFORMED);
    assert_eq!(tries(Hash256([9; 32])), TxResult::tecNO_ENTRY);
    assert_eq!(tries(index::ticket(&desk.world.id(TARGET), desk.ticket)), TxResult::tecNO_ENTRY);
    let flagged = desk.cancel(TARGET, &Hash256([9; 32])).with(sf::Flags, 1_u32);
    assert_eq!(desk.world.tries(&flagged), TxResult::temINVALID_FLAG);
}

#[test]
fn whoever_cancels_the_owners_reserve_is_freed_and_the_ticket_stays() {
    let mut desk = Desk::new();
    // X08
    let id = desk.proposed(TARGET);
    assert_eq!(desk.cancels(TARGET, &id), TxResult::tesSUCCESS);
    assert_eq!(desk.owns(TARGET), 3);
    desk.list(TARGET, 1, &[(ALICE, 1), (CAROL, 1)]);
    // X05, X06
    let id = desk.proposed(ALICE);
    assert_eq!(desk.cancels(ALICE, &id), TxResult::tesSUCCESS);
    assert_eq!((desk.owns(ALICE), desk.owns(TARGET)), (0, 4));
    assert!(desk.has_ticket(desk.ticket));
    assert_eq!(desk.cancels(ALICE, &id), TxResult::tecNO_ENTRY);
    assert_eq!(desk.proposed(ALICE), id);
    // X10, X11
    for nobody in [DEST, CAROL, STRANGER] {
        assert_eq!(desk.cancels(nobody, &id), TxResult::tecNO_PERMISSION);
    }
    assert_eq!(desk.owns(ALICE), 5);
    assert_eq!(desk.cancels(TARGET, &id), TxResult::tesSUCCESS);
    assert_eq!(desk.owns(ALICE), 0);
}

#[test]
fn signers_of_the_target_cancel_together_and_with_other_tickets() {
    let mut desk = Desk::new();
    desk.list(TARGET, 2, &[(ALICE, 1), (CAROL, 1), (BOB, 1)]);
    let id = desk.proposed(ALICE);
    // X12
    let tx = desk.together(&desk.cancel(TARGET, &id), &[CAROL, BOB]);
    assert_eq!(desk.submits(&tx), TxResult::tesSUCCESS);
    assert!(desk.entry(&id).is_none());
    // X18
    let id = desk.proposed(ALICE);
    let other = desk.cancel(TARGET, &id).with(sf::Sequence, 0_u32);
    let held = other.clone().with(sf::TicketSequence, desk.ticket);
    assert_eq!(desk.world.tries(&held), TxResult::terTICKET_RESERVED);
    let free = other.with(sf::TicketSequence, desk.ticket + 1);
    assert_eq!(desk.submits_by(free, TARGET), TxResult::tesSUCCESS);
    assert!(desk.entry(&id).is_none());
}

#[test]
fn what_is_over_anybody_cancels() {
    let mut desk = Desk::new();
    let end = desk.world.now() + 20;
    let create = desk.create(TARGET, &desk.payload()).with(sf::Expiration, end);
    desk.world.must(TARGET, create);
    let id = desk.id(desk.ticket);
    // X14
    desk.world.ledger.close(CloseTime::At(RippleTime(end - 1)));
    assert_eq!(desk.world.tries(&desk.cancel(BOB, &id)), TxResult::tecNO_PERMISSION);
    desk.world.ledger.close(CloseTime::At(RippleTime(end)));
    // X16
    assert_eq!(desk.world.tries(&desk.cancel(TARGET, &id)), TxResult::tesSUCCESS);
    assert_eq!(desk.cancels(BOB, &id), TxResult::tesSUCCESS);
    assert_eq!(desk.owns(TARGET), 3);
}

#[test]
fn the_last_ledger_of_what_is_proposed_is_not_yet_past() {
    let mut desk = Desk::new();
    let last = desk.world.ledger.open().index() + 2;
    let id = desk.proposed_as(TARGET, &desk.payload().with(sf::LastLedgerSequence, last));
    // X15: as the draft has it.
    for expected in [TxResult::tecNO_PERMISSION, TxResult::tecNO_PERMISSION, TxResult::tesSUCCESS] {
        assert_eq!(desk.cancels(BOB, &id), expected);
    }
}

#[test]
fn a_proposal_on_a_later_page_leaves_that_page() {
    let mut desk = Desk::new();
    desk.list(TARGET, 1, &[(ALICE, 1)]);
    let tx = desk.world.tx(TransactionType::TicketCreate, ALICE).with(sf::TicketCount, 32_u32);
    desk.world.must(ALICE, tx);
    let id = desk.proposed(ALICE);
    // X26
    assert_eq!(desk.entry(&id).unwrap().u64(sf::OwnerNode), Some(1));
    let page = index::dir_page(&index::owner_dir(&desk.world.id(ALICE)), 1);
    assert!(desk.entry(&page).is_some());
    assert_eq!(desk.cancels(ALICE, &id), TxResult::tesSUCCESS);
    assert_eq!((desk.owns(ALICE), desk.entry(&page)), (32, None));
}

#[test]
fn a_counterparty_has_no_right_to_cancel_and_a_delegate_has() {
    let mut desk = Desk::new();
    let loan = super::create::loan(&desk).with(sf::Counterparty, desk.world.id(CAROL));
    let id = desk.proposed_as(TARGET, &loan);
    // X28
    assert_eq!(desk.cancels(CAROL, &id), TxResult::tecNO_PERMISSION);
    assert_eq!(desk.cancels(TARGET, &id), TxResult::tesSUCCESS);
    let id = desk.proposed_as(TARGET, &desk.payload().with(sf::Delegate, desk.world.id(BOB)));
    assert_eq!(desk.cancels(BOB, &id), TxResult::tesSUCCESS);
}
