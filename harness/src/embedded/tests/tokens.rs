//! Multi-purpose tokens, beyond what was recorded.

use xrpl_wire::MptAmount;

use super::world::World;
use super::*;

type Id = [u8; 24];

const ALL: u32 = flags::tfMPTCanLock
    | flags::tfMPTCanEscrow
    | flags::tfMPTCanTrade
    | flags::tfMPTCanTransfer
    | flags::tfMPTCanClawback;

/// A token of the first person, with these flags.
fn make(world: &mut World, flags: u32) -> Id {
    let tx = world.tx(TransactionType::MPTokenIssuanceCreate, 0).with(sf::Flags, flags);
    make_of(world, tx)
}

fn make_of(world: &mut World, tx: Object) -> Id {
    let number = world.must(0, tx);
    index::mpt_id(number, &world.id(0))
}

fn of(id: Id, value: u64) -> Amount {
    Amount::Mpt(MptAmount { negative: false, value, issuance_id: id })
}

fn about(world: &World, kind: TransactionType, by: usize, id: Id) -> Object {
    world.tx(kind, by).with(sf::MPTokenIssuanceID, Value::Hash192(id))
}

fn authorize(world: &World, by: usize, id: Id) -> Object {
    about(world, TransactionType::MPTokenAuthorize, by, id)
}

/// Lets somebody hold a token, and gives it so many.
fn hold(world: &mut World, person: usize, id: Id, amount: u64) {
    let tx = authorize(world, person, id);
    world.must(person, tx);
    if amount > 0 {
        assert_eq!(world.pay(0, person, of(id, amount)), TxResult::tesSUCCESS);
    }
}

fn payment(world: &World, from: usize, to: usize, amount: Amount) -> Object {
    world.tx(TransactionType::Payment, from).with(sf::Destination, world.id(to)).with(sf::Amount, amount)
}

fn set(world: &World, id: Id) -> Object {
    about(world, TransactionType::MPTokenIssuanceSet, 0, id)
}

/// How many of a token somebody has.
fn has(world: &World, person: usize, id: Id) -> Option<u64> {
    let token = world.entry(&index::mptoken(&id, &world.id(person)))?;
    Some(token.u64(sf::MPTAmount).unwrap_or(0))
}

fn issuance(world: &World, id: Id, field: Field) -> u64 {
    world.entry(&index::mpt_issuance(&id)).and_then(|entry| entry.u64(field)).unwrap_or(0)
}

#[test]
fn a_token_lives_as_long_as_anybody_holds_it() {
    let mut world = World::new();
    let id = make(&mut world, ALL);
    assert_eq!((world.owns(0), world.listed(0)), (1, 1));
    hold(&mut world, 1, id, 100);
    hold(&mut world, 2, id, 0);
    assert_eq!((world.owns(1), world.owns(2)), (1, 1));
    assert_eq!(issuance(&world, id, sf::OutstandingAmount), 100);
    let destroy = |world: &World, by| about(world, TransactionType::MPTokenIssuanceDestroy, by, id);
    assert_eq!(world.tries(&destroy(&world, 1)), TxResult::tecNO_PERMISSION);
    assert_eq!(world.tries(&destroy(&world, 0)), TxResult::tecHAS_OBLIGATIONS);
    let give_up = |world: &World, by| authorize(world, by, id).with(sf::Flags, flags::tfMPTUnauthorize);
    assert_eq!(world.tries(&give_up(&world, 1)), TxResult::tecHAS_OBLIGATIONS);
    world.age();
    for (person, to) in [(0, 3), (1, 3), (2, 3)] {
        assert_eq!(world.tries(&world.leave(person, to)), TxResult::tecHAS_OBLIGATIONS);
    }
    assert_eq!(world.pay(1, 0, of(id, 100)), TxResult::tesSUCCESS);
    assert_eq!(has(&world, 1, id), Some(0));
    for person in [1, 2] {
        let tx = give_up(&world, person);
        world.must(person, tx);
        assert_eq!((has(&world, person, id), world.owns(person), world.listed(person)), (None, 0, 0));
    }
    let tx = destroy(&world, 0);
    world.must(0, tx);
    assert_eq!((world.owns(0), world.listed(0)), (0, 0));
    let tx = world.leave(0, 3);
    assert_eq!(world.does(0, tx), TxResult::tesSUCCESS);
}

#[test]
fn who_gives_up_a_token_whose_issuance_is_gone_is_rid_of_it() {
    let mut world = World::new();
    let id = make(&mut world, 0);
    hold(&mut world, 1, id, 0);
    let tx = about(&world, TransactionType::MPTokenIssuanceDestroy, 0, id);
    world.must(0, tx);
    let tx = authorize(&world, 1, id).with(sf::Flags, flags::tfMPTUnauthorize);
    world.must(1, tx);
    assert_eq!((has(&world, 1, id), world.owns(1)), (None, 0));
}

#[test]
fn between_holders_the_issuer_takes_its_fee_of_the_sender() {
    let mut world = World::new();
    let tx = world
        .tx(TransactionType::MPTokenIssuanceCreate, 0)
        .with(sf::Flags, ALL)
        .with(sf::TransferFee, 10_000_u16)
        .with(sf::MaximumAmount, 1_000_u64);
    let id = make_of(&mut world, tx);
    hold(&mut world, 1, id, 100);
    hold(&mut world, 2, id, 0);
    let beyond = payment(&world, 0, 1, of(id, 901));
    assert_eq!(world.tries(&beyond), TxResult::tecPATH_PARTIAL, "there may be a thousand");
    let tx = payment(&world, 1, 2, of(id, 50));
    assert_eq!(world.tries(&tx), TxResult::tecPATH_PARTIAL, "the fee comes on top, and nothing may be added");
    let tx = tx.with(sf::SendMax, of(id, 55));
    world.must(1, tx);
    assert_eq!((has(&world, 1, id), has(&world, 2, id)), (Some(45), Some(50)));
    assert_eq!(issuance(&world, id, sf::OutstandingAmount), 95);
    let tx = payment(&world, 1, 2, of(id, 100))
        .with(sf::Flags, flags::tfPartialPayment)
        .with(sf::SendMax, of(id, 22));
    let closed = world.closes(1, tx);
    assert_eq!(closed.result, TxResult::tesSUCCESS);
    assert_eq!(closed.meta().amount(sf::DeliveredAmount), Some(of(id, 20)));
    assert_eq!((has(&world, 1, id), has(&world, 2, id)), (Some(23), Some(70)));
    let short = payment(&world, 1, 2, of(id, 100))
        .with(sf::Flags, flags::tfPartialPayment)
        .with(sf::SendMax, of(id, 22))
        .with(sf::DeliverMin, of(id, 21));
    assert_eq!(world.tries(&short), TxResult::tecPATH_PARTIAL);
    let more = payment(&world, 1, 0, of(id, 24));
    assert_eq!(world.tries(&more), TxResult::tecPATH_PARTIAL);
    assert_eq!(world.pay(1, 0, of(id, 23)), TxResult::tesSUCCESS, "the issuer takes no fee of itself");
}

#[test]
fn what_is_locked_goes_nowhere_but_to_its_issuer() {
    let mut world = World::new();
    let id = make(&mut world, ALL);
    hold(&mut world, 1, id, 100);
    hold(&mut world, 2, id, 100);
    let one = set(&world, id).with(sf::Flags, flags::tfMPTLock).with(sf::Holder, world.id(1));
    world.must(0, one);
    assert_eq!(world.pay(1, 2, of(id, 1)), TxResult::tecLOCKED);
    assert_eq!(world.pay(2, 1, of(id, 1)), TxResult::tecLOCKED);
    assert_eq!(world.pay(1, 0, of(id, 1)), TxResult::tesSUCCESS);
    assert_eq!(world.pay(0, 1, of(id, 1)), TxResult::tesSUCCESS);
    let back = set(&world, id).with(sf::Flags, flags::tfMPTUnlock).with(sf::Holder, world.id(1));
    world.must(0, back);
    assert_eq!(world.pay(1, 2, of(id, 1)), TxResult::tesSUCCESS);
    let all = set(&world, id).with(sf::Flags, flags::tfMPTLock);
    world.must(0, all);
    assert_eq!(world.pay(1, 2, of(id, 1)), TxResult::tecLOCKED);
    let claw =
        world.tx(TransactionType::Clawback, 0).with(sf::Holder, world.id(1)).with(sf::Amount, of(id, 1_000));
    world.must(0, claw);
    assert_eq!(has(&world, 1, id), Some(0), "all there was");
    assert_eq!(issuance(&world, id, sf::OutstandingAmount), 101);
}

#[test]
fn a_token_may_ask_that_its_holders_be_authorized() {
    let mut world = World::new();
    let id = make(&mut world, ALL | flags::tfMPTRequireAuth);
    let tx = authorize(&world, 1, id);
    world.must(1, tx);
    assert_eq!(world.pay(0, 1, of(id, 5)), TxResult::tecNO_AUTH);
    let let_in = |world: &World, holder| authorize(world, 0, id).with(sf::Holder, world.id(holder));
    assert_eq!(world.tries(&let_in(&world, 2)), TxResult::tecOBJECT_NOT_FOUND);
    let tx = let_in(&world, 1);
    world.must(0, tx);
    assert_eq!(world.pay(0, 1, of(id, 5)), TxResult::tesSUCCESS);
    let out = let_in(&world, 1).with(sf::Flags, flags::tfMPTUnauthorize);
    world.must(0, out);
    assert_eq!(world.pay(1, 0, of(id, 5)), TxResult::tecNO_AUTH);
    let open = make(&mut world, ALL);
    assert_eq!(world.tries(&authorize(&world, 0, open)), TxResult::tecNO_PERMISSION);
    let pointless = authorize(&world, 0, open).with(sf::Holder, world.id(1));
    assert_eq!(world.tries(&pointless), TxResult::tecNO_AUTH);
}

#[test]
fn an_escrowed_token_stays_outstanding_and_pays_its_fee_when_it_is_finished() {
    let mut world = World::new();
    let tx = world
        .tx(TransactionType::MPTokenIssuanceCreate, 0)
        .with(sf::Flags, ALL)
        .with(sf::TransferFee, 10_000_u16);
    let id = make_of(&mut world, tx);
    hold(&mut world, 1, id, 100);
    let now = world.now();
    let create = |world: &World, to, amount| {
        world
            .tx(TransactionType::EscrowCreate, 1)
            .with(sf::Destination, world.id(to))
            .with(sf::Amount, of(id, amount))
            .with(sf::FinishAfter, now + 20)
            .with(sf::CancelAfter, now + 100)
    };
    assert_eq!(world.tries(&create(&world, 2, 101)), TxResult::tecINSUFFICIENT_FUNDS);
    let tx = create(&world, 2, 55);
    let first = world.must(1, tx);
    let tx = create(&world, 2, 40);
    let second = world.must(1, tx);
    assert_eq!((has(&world, 1, id), world.owns(1)), (Some(5), 3));
    let locked = [issuance(&world, id, sf::LockedAmount), issuance(&world, id, sf::OutstandingAmount)];
    assert_eq!(locked, [95, 100]);
    let give_up = authorize(&world, 1, id).with(sf::Flags, flags::tfMPTUnauthorize);
    assert_eq!(world.tries(&give_up), TxResult::tecHAS_OBLIGATIONS);

    world.wait(30);
    let finish = |world: &World, by, number: u32| {
        world
            .tx(TransactionType::EscrowFinish, by)
            .with(sf::Owner, world.id(1))
            .with(sf::OfferSequence, number)
    };
    assert_eq!(
        world.tries(&finish(&world, 3, first)),
        TxResult::tecNO_PERMISSION,
        "nobody takes it for another"
    );
    let tx = finish(&world, 2, first);
    world.must(2, tx);
    assert_eq!((has(&world, 2, id), world.owns(2), world.owns(1)), (Some(50), 1, 2));
    let left = [issuance(&world, id, sf::LockedAmount), issuance(&world, id, sf::OutstandingAmount)];
    assert_eq!(left, [40, 95], "the fee is gone");
    world.wait(100);
    let cancel = world
        .tx(TransactionType::EscrowCancel, 3)
        .with(sf::Owner, world.id(1))
        .with(sf::OfferSequence, second);
    world.must(3, cancel);
    assert_eq!((has(&world, 1, id), world.owns(1)), (Some(45), 1), "and nobody pays for what comes back");
    assert_eq!(issuance(&world, id, sf::LockedAmount), 0);
}

#[test]
fn what_is_wrong_with_a_token_is_found_in_the_servers_order() {
    let world = World::new();
    let good = world.tx(TransactionType::MPTokenIssuanceCreate, 0).with(sf::Flags, ALL);
    let with = |field, value: Value| world.tries_with(&good, [(field, value)]);
    assert_eq!(with(sf::TransferFee, 50_001_u16.into()), TxResult::temBAD_TRANSFER_FEE);
    assert_eq!(with(sf::MPTokenMetadata, Vec::<u8>::new().into()), TxResult::temMALFORMED);
    assert_eq!(with(sf::MPTokenMetadata, vec![1_u8; 1_025].into()), TxResult::temMALFORMED);
    assert_eq!(with(sf::MaximumAmount, 0_u64.into()), TxResult::temMALFORMED);
    assert_eq!(with(sf::MaximumAmount, (1_u64 << 63).into()), TxResult::temMALFORMED);
    assert_eq!(with(sf::DomainID, Hash256([1; 32]).into()), TxResult::temMALFORMED, "without authorization");
    assert_eq!(with(sf::Flags, flags::tfMPTCanHoldConfidentialBalance.into()), TxResult::temINVALID_FLAG);
    let fee = [(sf::Flags, Value::from(0_u32)), (sf::TransferFee, 1_u16.into())];
    assert_eq!(world.tries_with(&good, fee), TxResult::temMALFORMED, "what cannot be transferred has no fee");

    let id = index::mpt_id(7, &world.id(0));
    let pay = payment(&world, 1, 2, of(id, 1));
    assert_eq!(world.tries(&pay), TxResult::tecOBJECT_NOT_FOUND);
    let step = xrpl_wire::PathStep { currency: Some(Currency::XRP), ..Default::default() };
    let paths = Value::PathSet(vec![vec![step]]);
    assert_eq!(world.tries_with(&pay, [(sf::Paths, paths)]), TxResult::temMALFORMED);
    assert_eq!(world.tries_with(&pay, [(sf::SendMax, drops(1).into())]), TxResult::temMALFORMED);
    let limit = [(sf::Flags, Value::from(flags::tfLimitQuality))];
    assert_eq!(world.tries_with(&pay, limit), TxResult::temINVALID_FLAG);
    let offer = world
        .tx(TransactionType::OfferCreate, 1)
        .with(sf::TakerPays, of(id, 1))
        .with(sf::TakerGets, drops(1));
    assert_eq!(world.tries(&offer), TxResult::temDISABLED);
    let nothing = set(&world, id);
    assert_eq!(world.tries(&nothing), TxResult::temMALFORMED);
    let both = nothing.with(sf::Flags, flags::tfMPTLock | flags::tfMPTUnlock);
    assert_eq!(world.tries(&both), TxResult::temINVALID_FLAG);
}

#[test]
fn what_a_token_may_change_later_it_says_when_it_is_made_and_only_since_3_3() {
    const ENABLE_LOCK: u32 = 0x0000_0002;
    const CHANGE_METADATA: u32 = 0x0001_0000;
    const CHANGE_FEE: u32 = 0x0002_0000;
    const SET_LOCK: u32 = 0x0000_0001;
    const SET_ESCROW: u32 = 0x0000_0004;
    let make = |world: &World| {
        world
            .tx(TransactionType::MPTokenIssuanceCreate, 0)
            .with(sf::Flags, flags::tfMPTCanTransfer)
            .with(sf::ImmutableFlags, ENABLE_LOCK | CHANGE_METADATA | CHANGE_FEE)
    };
    let old = World::new();
    assert_eq!(old.tries(&make(&old)), TxResult::temDISABLED);

    let mut world = World::of(Generation::V3_3);
    let tx = make(&world);
    let id = make_of(&mut world, tx);
    let change = |world: &World, field, value: Value| set(world, id).with(field, value);
    let nothing = change(&world, sf::ImmutableFlags, 0_u32.into());
    assert_eq!(world.tries(&nothing), TxResult::temINVALID_FLAG);
    let escrow = change(&world, sf::ImmutableFlags, SET_ESCROW.into());
    assert_eq!(world.tries(&escrow), TxResult::tecNO_PERMISSION);
    let locked = change(&world, sf::ImmutableFlags, SET_LOCK.into()).with(sf::Flags, flags::tfMPTLock);
    assert_eq!(world.tries(&locked), TxResult::temMALFORMED);
    let tx = change(&world, sf::ImmutableFlags, SET_LOCK.into());
    world.must(0, tx);
    let at = index::mpt_issuance(&id);
    let flags_now = world.entry(&at).and_then(|entry| entry.u32(sf::Flags));
    assert_eq!(flags_now, Some(flags::lsfMPTCanLock | flags::lsfMPTCanTransfer));
    let tx = change(&world, sf::TransferFee, 5_000_u16.into()).with(sf::MPTokenMetadata, vec![7_u8]);
    world.must(0, tx);
    let fee = world.entry(&at).and_then(|entry| entry.u16(sf::TransferFee));
    assert_eq!(fee, Some(5_000));
    let tx = change(&world, sf::TransferFee, 0_u16.into()).with(sf::MPTokenMetadata, Vec::<u8>::new());
    world.must(0, tx);
    let entry = world.entry(&at).unwrap();
    assert!(!entry.has(sf::TransferFee) && !entry.has(sf::MPTokenMetadata));
}
