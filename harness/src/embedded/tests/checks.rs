//! Checks, beyond what was recorded.

use super::world::World;
use super::*;

fn check(world: &World, from: usize, to: usize, most: impl Into<Value>) -> Object {
    world.tx(TransactionType::CheckCreate, from).with(sf::Destination, world.id(to)).with(sf::SendMax, most)
}

fn cash(world: &World, by: usize, check: Hash256, field: Field, amount: Amount) -> Object {
    world.tx(TransactionType::CheckCash, by).with(sf::CheckID, check).with(field, amount)
}

fn xrp(amount: u64) -> Amount {
    Amount::Xrp(drops(amount))
}

#[test]
fn a_check_counts_for_who_writes_it_and_is_listed_for_both_until_it_is_gone() {
    let mut world = World::new();
    let tx = check(&world, 0, 1, drops(1_000));
    let number = world.must(0, tx);
    let at = index::check(&world.id(0), number);
    assert_eq!((world.owns(0), world.owns(1)), (1, 0));
    assert_eq!((world.listed(0), world.listed(1)), (1, 1));
    world.age();
    for (leaver, to) in [(0, 2), (1, 2)] {
        assert_eq!(world.tries(&world.leave(leaver, to)), TxResult::tecHAS_OBLIGATIONS);
    }
    let tx = cash(&world, 1, at, sf::Amount, xrp(400));
    let before = world.drops_of(1);
    world.must(1, tx);
    assert_eq!(world.drops_of(1), before + 400 - 2_000);
    assert_eq!((world.owns(0), world.listed(0), world.listed(1)), (0, 0, 0));
    assert!(world.entry(&at).is_none());
    let tx = world.leave(0, 2);
    assert_eq!(world.does(0, tx), TxResult::tesSUCCESS);
}

#[test]
fn what_is_wrong_with_a_check_is_found_in_the_servers_order() {
    let mut world = World::new();
    let (now, nobody) = (world.now(), keys(99).account_id());
    let tx = check(&world, 0, 1, drops(1_000));
    let own = (sf::Destination, Value::from(world.id(0)));
    let nothing = (sf::SendMax, Value::from(drops(0)));
    let never = (sf::Expiration, Value::from(0_u32));
    assert_eq!(world.tries_with(&tx, [own, nothing.clone()]), TxResult::temREDUNDANT);
    assert_eq!(world.tries_with(&tx, [nothing, never.clone()]), TxResult::temBAD_AMOUNT);
    assert_eq!(world.tries_with(&tx, [never]), TxResult::temBAD_EXPIRATION);
    let past = (sf::Expiration, Value::from(now));
    let absent = (sf::Destination, Value::from(nobody));
    assert_eq!(world.tries_with(&tx, [past.clone(), absent]), TxResult::tecNO_DST);
    assert_eq!(world.tries_with(&tx, [past.clone()]), TxResult::tecEXPIRED);
    world.set(1, flags::asfRequireDest);
    let tx = check(&world, 0, 1, drops(1_000));
    assert_eq!(world.tries_with(&tx, [past.clone()]), TxResult::tecDST_TAG_NEEDED);
    world.set(1, flags::asfDisallowIncomingCheck);
    let tx = check(&world, 0, 1, drops(1_000));
    assert_eq!(world.tries_with(&tx, [past]), TxResult::tecNO_PERMISSION);
}

#[test]
fn who_may_cash_a_check_and_for_how_much() {
    let mut world = World::new();
    let end = world.now() + 50;
    let tx = check(&world, 0, 1, drops(1_000)).with(sf::Expiration, end);
    let number = world.must(0, tx);
    let at = index::check(&world.id(0), number);
    let cash = |world: &World, by, amount| cash(world, by, at, sf::Amount, amount);
    let both = cash(&world, 1, xrp(1)).with(sf::DeliverMin, drops(1));
    assert_eq!(world.tries(&both), TxResult::temMALFORMED);
    assert_eq!(world.tries(&cash(&world, 1, xrp(0))), TxResult::temBAD_AMOUNT);
    assert_eq!(world.tries(&cash(&world, 2, xrp(1))), TxResult::tecNO_PERMISSION);
    assert_eq!(world.tries(&cash(&world, 0, xrp(1))), TxResult::tecNO_PERMISSION);
    assert_eq!(world.tries(&cash(&world, 1, world.usd("1"))), TxResult::temMALFORMED);
    assert_eq!(world.tries(&cash(&world, 1, xrp(1_001))), TxResult::tecPATH_PARTIAL);
    let other = cash(&world, 1, xrp(1)).with(sf::CheckID, index::check(&world.id(1), number));
    assert_eq!(world.tries(&other), TxResult::tecNO_ENTRY);
    let cancel = world.tx(TransactionType::CheckCancel, 2).with(sf::CheckID, at);
    assert_eq!(world.tries(&cancel), TxResult::tecNO_PERMISSION);
    world.wait(60);
    assert_eq!(world.tries(&cash(&world, 1, xrp(1_001))), TxResult::tecEXPIRED);
    // Anybody clears away what has expired.
    let cancel = world.tx(TransactionType::CheckCancel, 2).with(sf::CheckID, at);
    assert_eq!(world.does(2, cancel), TxResult::tesSUCCESS);
    assert_eq!((world.owns(0), world.listed(0), world.listed(1)), (0, 0, 0));
}

#[test]
fn a_check_pays_at_least_what_is_asked_and_all_that_can_be_had_above_the_reserve() {
    let mut world = World::new();
    let tx = check(&world, 0, 1, drops(100_000_000));
    let number = world.must(0, tx);
    let at = index::check(&world.id(0), number);
    let fees = world.ledger.validated().fees;
    // The reserve for the Check itself is free.
    let free = world.drops_of(0) - fees.account_reserve(0);
    assert_eq!(world.tries(&cash(&world, 1, at, sf::Amount, xrp(free + 1))), TxResult::tecPATH_PARTIAL);
    let tx = cash(&world, 1, at, sf::DeliverMin, xrp(5));
    let closed = world.closes(1, tx);
    assert_eq!(closed.result, TxResult::tesSUCCESS);
    assert_eq!(closed.meta().amount(sf::DeliveredAmount), Some(xrp(free)));
    assert_eq!(world.drops_of(0), fees.account_reserve(0));
}

#[test]
fn a_check_in_an_issued_currency_makes_the_line_it_needs_and_the_writer_pays_the_fee() {
    let mut world = World::new();
    world.issue_usd(&[(1, "100")]);
    let rate = world.tx(TransactionType::AccountSet, 0).with(sf::TransferRate, 1_100_000_000_u32);
    world.must(0, rate);
    let tx = check(&world, 1, 2, world.usd("50"));
    let number = world.must(1, tx);
    let at = index::check(&world.id(1), number);
    let too_much = cash(&world, 2, at, sf::Amount, world.usd("46"));
    assert_eq!(world.tries(&too_much), TxResult::tecPATH_PARTIAL, "the fee is part of what is sent");
    let tx = cash(&world, 2, at, sf::Amount, world.usd("40"));
    world.must(2, tx);
    assert_eq!((world.dollars(1), world.dollars(2)), ("56".to_owned(), "40".to_owned()));
    assert_eq!((world.owns(1), world.owns(2)), (1, 1));
    let line =
        world.entry(&index::trust_line(&world.id(2), &world.id(0), &currency(&world.usd("0")))).unwrap();
    let side = if world.id(2) < world.id(0) { sf::LowLimit } else { sf::HighLimit };
    assert!(line.amount(side).unwrap().is_zero(), "the limit it was cashed with does not stay");
}

#[test]
fn a_check_that_uses_up_a_line_leaves_nothing_of_it_behind() {
    let mut world = World::new();
    // The first person holds some of the second's dollars, and wants no more of them.
    let of_second = |world: &World, value: &str| world.of_currency("USD", 1, value);
    let (limit, gift) = (of_second(&world, "100"), of_second(&world, "11"));
    world.trust(0, limit, gift);
    let no_more = world
        .tx(TransactionType::TrustSet, 0)
        .with(sf::LimitAmount, of_second(&world, "0"))
        .with(sf::Flags, flags::tfSetNoRipple);
    world.must(0, no_more);
    let tx = check(&world, 0, 1, world.usd("50"));
    let number = world.must(0, tx);
    let at = index::check(&world.id(0), number);
    let more = cash(&world, 1, at, sf::DeliverMin, world.usd("12"));
    assert_eq!(world.tries(&more), TxResult::tecPATH_PARTIAL, "there is no line for more");
    let tx = cash(&world, 1, at, sf::Amount, world.usd("11"));
    world.must(1, tx);
    assert_eq!(world.holds(0, &of_second(&world, "0")), None);
    assert_eq!((world.owns(0), world.owns(1), world.listed(0), world.listed(1)), (0, 0, 0, 0));
}

fn currency(amount: &Amount) -> Currency {
    let Amount::Issued(issued) = amount else { panic!("an issued currency") };
    issued.currency
}

#[test]
fn checks_hold_no_tokens() {
    let world = World::new();
    let token = Amount::Mpt(xrpl_wire::MptAmount { negative: false, value: 1, issuance_id: [7; 24] });
    let tx = check(&world, 0, 1, token);
    assert_eq!(world.tries(&tx), TxResult::temDISABLED);
}
