//! Who may propose what.

use super::batched::{inner, next, of, pays};
use super::*;

#[test]
fn proposals_are_off_until_they_are_switched_on() {
    let desk = Desk::with(&[]);
    // C01, S01, X01
    assert_eq!(desk.tries(TARGET, &desk.payload()), TxResult::temDISABLED);
    let id = desk.id(desk.ticket);
    assert_eq!(desk.world.tries(&desk.cancel(TARGET, &id)), TxResult::temDISABLED);
    let nobody = Object::new()
        .with(sf::Account, desk.world.id(ALICE))
        .with(sf::SigningPubKey, vec![1])
        .with(sf::TxnSignature, vec![1]);
    let sign = desk
        .world
        .tx(TransactionType::TransactionProposalSign, ALICE)
        .with(sf::ProposalID, id)
        .with(sf::SigningFor, desk.world.id(TARGET))
        .with(sf::ProposalSignature, Value::Object(nobody));
    assert_eq!(desk.world.tries(&sign), TxResult::temDISABLED);
    for older in [Generation::V3_1, Generation::V3_2] {
        assert!(!crate::embedded::format::knows_transaction(
            older,
            TransactionType::TransactionProposalCreate
        ));
        assert!(!crate::embedded::format::knows_entry(older, LedgerEntryType::TransactionProposal));
        assert!(!crate::embedded::format::knows_field(older, sf::ProposedTransaction));
    }
}

#[test]
fn what_is_proposed_stands_on_the_ledger_as_it_was_sent() {
    let mut desk = Desk::new();
    let expiration = desk.world.now() + 100;
    // C02
    let id = desk.proposed(TARGET);
    let entry = desk.entry(&id).unwrap();
    assert_eq!(entry.account(sf::Owner), Some(desk.world.id(TARGET)));
    assert_eq!(entry.u32(sf::Expiration), Some(expiration));
    assert_eq!(desk.stored(&id), desk.payload());
    assert_eq!(desk.owns(TARGET), 3 + 5);
    // C50: on another Ticket there is room for another.
    let other = desk.payload().with(sf::TicketSequence, desk.ticket + 1);
    desk.proposed_as(TARGET, &other);
    assert_eq!(desk.owns(TARGET), 3 + 10);
    assert_eq!(desk.tries(TARGET, &other), TxResult::tecDUPLICATE);
}

#[test]
fn what_is_no_transaction_is_not_proposed() {
    let desk = Desk::new();
    let good = desk.payload();
    let tries = |payload: &Object| desk.tries(TARGET, payload);
    let kind = |code: u16| good.clone().with(sf::TransactionType, code);
    let without = |field| {
        let mut payload = good.clone();
        payload.remove(field);
        payload
    };
    // C04, C05, C08, C20
    assert_eq!(tries(&kind(65_535)), TxResult::temMALFORMED);
    assert_eq!(tries(&kind(TransactionType::EnableAmendment.code())), TxResult::temMALFORMED);
    assert_eq!(tries(&kind(TransactionType::TransactionProposalCreate.code())), TxResult::temMALFORMED);
    assert_eq!(tries(&without(sf::SigningPubKey)), TxResult::temMALFORMED);
    // C06
    let inner = good.clone().with(sf::Flags, flags::tfInnerBatchTxn);
    assert_eq!(tries(&inner), TxResult::temINVALID_INNER_BATCH);
    // C15, C16
    assert_eq!(tries(&without(sf::TicketSequence)), TxResult::temSEQ_AND_TICKET);
    assert_eq!(tries(&good.clone().with(sf::Sequence, 1_u32)), TxResult::temSEQ_AND_TICKET);
    // Its own checks say what they would say.
    assert_eq!(tries(&good.clone().with(sf::Amount, drops(0))), TxResult::temBAD_AMOUNT);
    assert_eq!(tries(&good.clone().with(sf::SigningPubKey, vec![1, 2])), TxResult::temBAD_SIGNATURE);
    assert_eq!(tries(&good.clone().with(sf::AccountTxnID, Hash256([1; 32]))), TxResult::temINVALID);
    assert_eq!(
        tries(&good.clone().with(sf::NetworkID, 5_u32)),
        TxResult::telNETWORK_ID_MAKES_TX_NON_CANONICAL
    );
    for missing in [sf::Sequence, sf::Fee, sf::Account, sf::Destination, sf::TransactionType] {
        assert_eq!(tries(&without(missing)), TxResult::temMALFORMED, "{}", missing.name());
    }
    assert_eq!(tries(&good.clone().with(sf::OfferSequence, 1_u32)), TxResult::temMALFORMED);
    // What a server checks before it lets a transaction in.
    let long = Object::new().with(sf::MemoData, vec![0; 1_100]);
    let memos = good.clone().with(sf::Memos, Value::Array(vec![(sf::Memo, long)]));
    assert_eq!(tries(&memos), TxResult::temMALFORMED);
    // What only the network itself sends has a check of its own, too.
    let amendment = desk
        .payload_of(TransactionType::EnableAmendment)
        .with(sf::Amendment, Hash256([1; 32]))
        .with(sf::LedgerSequence, 5_u32);
    assert_eq!(tries(&amendment), TxResult::temBAD_SRC_ACCOUNT);
    let never = desk.create(TARGET, &good).with(sf::Expiration, 0_u32);
    assert_eq!(desk.world.tries(&never), TxResult::temBAD_EXPIRATION);
    let flagged = desk.create(TARGET, &good).with(sf::Flags, 1_u32);
    assert_eq!(desk.world.tries(&flagged), TxResult::temINVALID_FLAG);
}

#[test]
fn proposals_are_not_proposed_or_sent_for_others() {
    let desk = Desk::new();
    // C10
    let sign = desk
        .payload_of(TransactionType::TransactionProposalSign)
        .with(sf::ProposalID, desk.id(desk.ticket))
        .with(sf::SigningFor, desk.world.id(ALICE))
        .with(
            sf::ProposalSignature,
            Value::Object(
                Object::new()
                    .with(sf::Account, desk.world.id(ALICE))
                    .with(sf::SigningPubKey, desk.world.key(ALICE).public_key().as_bytes().to_vec())
                    .with(sf::TxnSignature, vec![1]),
            ),
        );
    assert_eq!(desk.tries(TARGET, &sign), TxResult::temINVALID);
    let cancel = desk
        .payload_of(TransactionType::TransactionProposalCancel)
        .with(sf::ProposalID, desk.id(desk.ticket));
    assert_eq!(desk.tries(TARGET, &cancel), TxResult::temINVALID);
    let create =
        desk.payload_of(TransactionType::TransactionProposalCreate).with(sf::Expiration, 1_u32).with(
            sf::ProposedTransaction,
            Value::Object(desk.payload().with(sf::TicketSequence, desk.ticket + 1)),
        );
    assert_eq!(desk.tries(TARGET, &create), TxResult::temINVALID);
    let delegated = desk.create(TARGET, &desk.payload()).with(sf::Delegate, desk.world.id(ALICE));
    assert_eq!(desk.world.tries(&delegated), TxResult::temINVALID);
    let value = xrpl_wire::permission::of_type(TransactionType::TransactionProposalSign);
    let permission = (sf::Permission, Object::new().with(sf::PermissionValue, value));
    let grant = desk
        .world
        .tx(TransactionType::DelegateSet, TARGET)
        .with(sf::Authorize, desk.world.id(ALICE))
        .with(sf::Permissions, Value::Array(vec![permission]));
    assert_eq!(desk.world.tries(&grant), TxResult::temMALFORMED);
}

#[test]
fn what_is_signed_already_is_not_proposed() {
    let desk = Desk::new();
    let key = desk.world.key(TARGET).public_key().as_bytes().to_vec();
    let good = desk.payload();
    let tries = |payload: Object| desk.tries(TARGET, &payload);
    // C21, C22
    assert_eq!(tries(good.clone().with(sf::SigningPubKey, key.clone())), TxResult::temBAD_SIGNER);
    let signed = good.clone().with(sf::TxnSignature, vec![1, 2]);
    assert_eq!(tries(signed.clone()), TxResult::temINVALID);
    assert_eq!(tries(signed.with(sf::SigningPubKey, key.clone())), TxResult::temINVALID);
    assert_eq!(tries(good.clone().with(sf::TxnSignature, Vec::<u8>::new())), TxResult::temBAD_SIGNER);
    assert_eq!(tries(good.with(sf::Signers, Value::Array(Vec::new()))), TxResult::temBAD_SIGNER);
    // C24, C25
    let loan = |slot: Object| tries(loan(&desk).with(sf::CounterpartySignature, Value::Object(slot)));
    let only_key = Object::new().with(sf::SigningPubKey, key);
    assert_eq!(loan(only_key.clone().with(sf::TxnSignature, vec![1])), TxResult::temINVALID);
    assert_eq!(loan(only_key), TxResult::temBAD_SIGNER);
    assert_eq!(loan(Object::new()), TxResult::temBAD_SIGNER);
}

/// A loan that names no counterparty, of a broker that is not there.
pub(super) fn loan(desk: &Desk) -> Object {
    let tx = desk.payload_of(TransactionType::LoanSet).with(sf::LoanBrokerID, Hash256([0xAB; 32]));
    let principal = Object::from_json(&json!({"PrincipalRequested": "1000000"})).unwrap();
    tx.with(sf::PrincipalRequested, principal.get(sf::PrincipalRequested).unwrap().clone())
}

#[test]
fn what_could_never_be_sent_is_not_proposed() {
    let mut desk = Desk::new();
    let good = desk.payload();
    let current = desk.world.ledger.open().index();
    // C28
    let late = desk.create(TARGET, &good).with(sf::Expiration, desk.world.now());
    assert_eq!(desk.world.tries(&late), TxResult::tecEXPIRED);
    // C30, C31
    let until = |last: u32| good.clone().with(sf::LastLedgerSequence, last);
    assert_eq!(desk.tries(TARGET, &until(current)), TxResult::tecEXPIRED);
    assert_eq!(desk.tries(TARGET, &until(current + 1)), TxResult::tesSUCCESS);
    // C32
    let nobody = good.clone().with(sf::Account, keys(99).account_id());
    assert_eq!(desk.tries(TARGET, &nobody), TxResult::tecNO_TARGET);
    // C48
    let ticket = good.clone().with(sf::TicketSequence, desk.ticket + 100);
    assert_eq!(desk.tries(TARGET, &ticket), TxResult::tefNO_TICKET);
    let create = desk.create(TARGET, &good).with(sf::Sequence, 0_u32);
    let own = create.clone().with(sf::TicketSequence, desk.ticket);
    assert_eq!(desk.world.tries(&own), TxResult::temMALFORMED);
    // C18
    let paid = create.with(sf::TicketSequence, desk.ticket + 1);
    assert_eq!(desk.world.does(TARGET, paid), TxResult::tesSUCCESS);
    assert!(!desk.has_ticket(desk.ticket + 1));
    assert_eq!(desk.owns(TARGET), 2 + 5);
}

#[test]
fn the_target_and_those_in_its_list_propose_and_nobody_else() {
    let mut desk = Desk::new();
    let payload = desk.payload();
    // C36
    assert_eq!(desk.tries(STRANGER, &payload), TxResult::tecNO_PERMISSION);
    desk.list(TARGET, 1, &[(ALICE, 1)]);
    // C35
    assert_eq!(desk.proposes(STRANGER, &payload), TxResult::tecNO_PERMISSION);
    assert_eq!(desk.owns(STRANGER), 0);
    // C34
    let id = desk.proposed(ALICE);
    assert_eq!(desk.entry(&id).unwrap().account(sf::Owner), Some(desk.world.id(ALICE)));
    assert_eq!((desk.owns(ALICE), desk.owns(TARGET)), (5, 3 + 1));
    // C38
    desk.list(TARGET, 1, &[(BOB, 1)]);
    let other = payload.with(sf::TicketSequence, desk.ticket + 1);
    assert_eq!(desk.tries(ALICE, &other), TxResult::tecNO_PERMISSION);
}

#[test]
fn who_may_send_for_the_target_may_propose_that_too() {
    let mut desk = Desk::new();
    let payload = desk.payload().with(sf::Delegate, desk.world.id(BOB));
    // C40
    assert_eq!(desk.tries(BOB, &payload), TxResult::tecNO_PERMISSION);
    desk.grant(TARGET, BOB, &["Payment"]);
    desk.list(BOB, 1, &[(CAROL, 1), (ALICE, 1)]);
    // C41, C42, C44: as the branch has it.
    assert_eq!(desk.tries(BOB, &payload), TxResult::tesSUCCESS);
    assert_eq!(desk.tries(CAROL, &payload), TxResult::tesSUCCESS);
    assert_eq!(desk.tries(TARGET, &payload), TxResult::tesSUCCESS);
    assert_eq!(desk.tries(STRANGER, &payload), TxResult::tecNO_PERMISSION);
    assert_eq!(desk.tries(BOB, &desk.payload()), TxResult::tecNO_PERMISSION);
    let id = desk.proposed_as(BOB, &payload);
    assert_eq!(desk.entry(&id).unwrap().account(sf::Owner), Some(desk.world.id(BOB)));
}

#[test]
fn who_may_send_a_part_may_propose_that_part() {
    let mut desk = Desk::new();
    // The issuer is somebody who owns nothing yet, as it must be to ask for authorization.
    desk.world.set(ALICE, flags::asfRequireAuth);
    let limit = desk.world.of_currency("USD", ALICE, "1000");
    let line = desk.world.tx(TransactionType::TrustSet, CAROL).with(sf::LimitAmount, limit);
    desk.world.must(CAROL, line);
    let tickets = desk.world.tx(TransactionType::TicketCreate, ALICE).with(sf::TicketCount, 1_u32);
    let ticket = desk.world.must(ALICE, tickets) + 1;
    desk.grant(ALICE, BOB, &["TrustlineAuthorize"]);
    let payload = desk
        .payload_of(TransactionType::TrustSet)
        .with(sf::Account, desk.world.id(ALICE))
        .with(sf::TicketSequence, ticket)
        .with(sf::LimitAmount, desk.world.of_currency("USD", CAROL, "0"))
        .with(sf::Delegate, desk.world.id(BOB));
    // C45, C46
    let with = |flag: u32| payload.clone().with(sf::Flags, flag);
    assert_eq!(desk.tries(BOB, &with(flags::tfSetfAuth)), TxResult::tesSUCCESS);
    assert_eq!(desk.tries(BOB, &with(flags::tfSetFreeze)), TxResult::tecNO_PERMISSION);
}

#[test]
fn a_proposal_takes_the_reserve_of_five_and_a_batch_that_of_ten() {
    let mut desk = Desk::new();
    desk.list(TARGET, 1, &[(ALICE, 1)]);
    let payload = desk.payload();
    let fees = desk.world.ledger.validated().fees;
    // C51
    let rest = desk.world.drops_of(ALICE) - (fees.account_reserve(5) - 1) - 2_000;
    assert_eq!(desk.world.pay(ALICE, DEST, Amount::Xrp(drops(rest))), TxResult::tesSUCCESS);
    assert_eq!(desk.proposes(ALICE, &payload), TxResult::tecINSUFFICIENT_RESERVE);
    assert_eq!(desk.world.pay(DEST, ALICE, Amount::Xrp(drops(10_000_000))), TxResult::tesSUCCESS);
    assert_eq!(desk.proposes(ALICE, &payload), TxResult::tesSUCCESS);
}

#[test]
fn types_that_are_not_there_can_be_proposed_and_not_sent() {
    let mut desk = Desk::new();
    // C54
    let entry = Object::new().with(sf::Account, desk.world.id(ALICE)).with(sf::SignerWeight, 1_u16);
    let usd = desk.world.of_currency("USD", ALICE, "5");
    let payloads = [
        desk.payload_of(TransactionType::AccountSet),
        desk.payload_of(TransactionType::OfferCreate).with(sf::TakerPays, drops(5)).with(sf::TakerGets, usd),
        desk.payload_of(TransactionType::TrustSet).with(sf::LimitAmount, usd),
        desk.payload_of(TransactionType::SignerListSet)
            .with(sf::SignerQuorum, 1_u32)
            .with(sf::SignerEntries, Value::Array(vec![(sf::SignerEntry, entry)])),
        desk.payload_of(TransactionType::DepositPreauth).with(sf::Authorize, desk.world.id(ALICE)),
        desk.payload_of(TransactionType::NFTokenMint).with(sf::NFTokenTaxon, 0_u32),
        // C55
        loan(&desk),
    ];
    for payload in &payloads {
        assert_eq!(desk.tries(TARGET, payload), TxResult::tesSUCCESS);
    }
    let mint = payloads[5].clone();
    desk.proposed_as(TARGET, &mint);
    assert_eq!(desk.submits_by(mint, TARGET), TxResult::temUNKNOWN);
}

/// C26, C56 to C62, S16, S20 to S22, X24, X25, A20, A24 and R25 are about sponsors, which no generation here knows: as
/// from a server that has never heard of them, fields are refused by name and types are no transactions.
#[test]
fn sponsors_stay_out_of_proposals() {
    let mut desk = Desk::new();
    let backer = desk.world.id(ALICE);
    let payload = desk.payload();
    let create = desk.create(TARGET, &payload);
    let transfer = desk.payload_of(TransactionType::SponsorshipTransfer);
    let refused = |desk: &Desk, tx: Object| {
        let outcome = desk.world.ledger.clone().submit(&signed(tx, desk.world.key(TARGET)));
        (outcome.result, outcome.refused)
    };
    let unknown = (TxResult::temINVALID, Some("Unknown field".to_owned()));
    for tx in [
        // C26, C56
        desk.create(TARGET, &payload.clone().with(sf::Sponsor, backer)),
        desk.create(TARGET, &payload.clone().with(sf::SponsorSignature, Value::Object(Object::new()))),
        desk.create(TARGET, &transfer.clone().with(sf::Sponsor, backer)),
        // C59, C60: whose reserve is another's. C61: whose fee is.
        create.clone().with(sf::Sponsor, backer).with(sf::SponsorFlags, 2_u32),
        create
            .clone()
            .with(sf::Sponsor, backer)
            .with(sf::SponsorFlags, 1_u32)
            .with(sf::Fee, drops(1_000_000)),
    ] {
        assert_eq!(refused(&desk, tx), unknown);
    }
    // C62
    let reassign = transfer.clone().with(sf::Sponsor, backer).with(sf::ObjectID, desk.id(desk.ticket));
    let no_type = format!("Invalid transaction type {}", TransactionType::SponsorshipTransfer.code());
    assert_eq!(refused(&desk, reassign), (TxResult::temINVALID, Some(no_type)));
    // What names no sponsor, C58 within a batch, is not read as a transaction at all.
    assert_eq!(desk.tries(TARGET, &transfer), TxResult::temMALFORMED);
    let transfers =
        inner(desk.world.tx(TransactionType::SponsorshipTransfer, TARGET), next(&desk, TARGET) + 1);
    let batch = desk.payload_of(TransactionType::Batch);
    let batch =
        of(batch, flags::tfAllOrNothing, vec![pays(&desk, TARGET, 1, next(&desk, TARGET)), transfers]);
    assert_eq!(desk.tries(TARGET, &batch), TxResult::temMALFORMED);
    // Nothing of it has changed anything, and the same without a sponsor is proposed.
    let balances = [TARGET, ALICE].map(|who| desk.world.drops_of(who));
    assert_eq!((desk.entry(&desk.id(desk.ticket)), desk.owns(TARGET)), (None, 3));
    assert_eq!(desk.proposes(TARGET, &payload), TxResult::tesSUCCESS);
    let fee = create.drops(sf::Fee).unwrap().get();
    assert_eq!([TARGET, ALICE].map(|who| desk.world.drops_of(who)), [balances[0] - fee, balances[1]]);
}
