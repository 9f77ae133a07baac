//! Clawback, beyond what was recorded.

use super::world::World;
use super::*;

fn clawback(world: &World, by: usize, amount: Amount) -> Object {
    world.tx(TransactionType::Clawback, by).with(sf::Amount, amount)
}

/// So much of the issuer's dollars, in a holder's name, as a clawback says it.
fn of_holder(world: &World, holder: usize, value: &str) -> Amount {
    world.of_currency("USD", holder, value)
}

#[test]
fn an_issuer_takes_back_what_it_asks_for_and_all_where_that_is_more_than_there_is() {
    let mut world = World::new();
    world.set(0, flags::asfAllowTrustLineClawback);
    world.issue_usd(&[(1, "100")]);
    let tx = clawback(&world, 0, of_holder(&world, 1, "30"));
    world.must(0, tx);
    assert_eq!(world.dollars(1), "70");
    let freeze = world
        .tx(TransactionType::TrustSet, 0)
        .with(sf::LimitAmount, of_holder(&world, 1, "0"))
        .with(sf::Flags, flags::tfSetFreeze);
    world.must(0, freeze);
    let tx = clawback(&world, 0, of_holder(&world, 1, "1000"));
    world.must(0, tx);
    assert_eq!(world.dollars(1), "0", "what is frozen can be taken back too");
    assert_eq!((world.owns(0), world.owns(1)), (1, 1), "both still want something of the line");
    let again = clawback(&world, 0, of_holder(&world, 1, "1"));
    assert_eq!(world.tries(&again), TxResult::tecINSUFFICIENT_FUNDS);
}

#[test]
fn what_is_wrong_with_a_clawback_is_found_in_the_servers_order() {
    let mut world = World::new();
    let xrp = clawback(&world, 0, Amount::Xrp(drops(1)));
    assert_eq!(world.tries(&xrp), TxResult::temBAD_AMOUNT);
    let good = clawback(&world, 0, of_holder(&world, 1, "1"));
    assert_eq!(world.tries_with(&good, [(sf::Holder, world.id(1).into())]), TxResult::temMALFORMED);
    assert_eq!(world.tries(&clawback(&world, 0, of_holder(&world, 0, "1"))), TxResult::temBAD_AMOUNT);
    assert_eq!(world.tries(&clawback(&world, 0, of_holder(&world, 1, "0"))), TxResult::temBAD_AMOUNT);
    assert_eq!(world.tries(&clawback(&world, 0, of_holder(&world, 1, "-1"))), TxResult::temBAD_AMOUNT);
    assert_eq!(world.tries(&good), TxResult::tecNO_PERMISSION, "the issuer has not asked for it in time");
    world.set(0, flags::asfAllowTrustLineClawback);
    let good = clawback(&world, 0, of_holder(&world, 1, "1"));
    assert_eq!(world.tries(&good), TxResult::tecNO_LINE);
    world.issue_usd(&[(1, "5")]);
    world.set(1, flags::asfDefaultRipple);
    let backwards = clawback(&world, 1, of_holder(&world, 0, "1"));
    assert_eq!(world.tries(&backwards), TxResult::tecNO_PERMISSION);
}
