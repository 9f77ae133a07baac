//! Payment channels, beyond what was recorded.

use super::world::World;
use super::*;

/// A channel from the first person to the second, with so many drops and a day's delay.
fn open(world: &mut World, amount: u64) -> Hash256 {
    let tx = create(world, amount);
    let number = world.must(0, tx);
    index::payment_channel(&world.id(0), &world.id(1), number)
}

fn create(world: &World, amount: u64) -> Object {
    world
        .tx(TransactionType::PaymentChannelCreate, 0)
        .with(sf::Destination, world.id(1))
        .with(sf::Amount, drops(amount))
        .with(sf::SettleDelay, 100_u32)
        .with(sf::PublicKey, world.key(0).public_key().as_bytes().to_vec())
}

fn claim(world: &World, by: usize, channel: Hash256) -> Object {
    world.tx(TransactionType::PaymentChannelClaim, by).with(sf::Channel, channel)
}

/// A claim of so much in all, signed over so much by somebody.
fn signed_claim(world: &World, channel: Hash256, balance: u64, amount: u64, signer: usize) -> Object {
    let bytes = [b"CLM\0".as_slice(), &channel.0, &amount.to_be_bytes()].concat();
    claim(world, 1, channel)
        .with(sf::Balance, drops(balance))
        .with(sf::Amount, drops(amount))
        .with(sf::PublicKey, world.key(signer).public_key().as_bytes().to_vec())
        .with(sf::Signature, world.key(signer).sign(&bytes))
}

fn amount_of(world: &World, channel: &Hash256, field: Field) -> u64 {
    world.entry(channel).and_then(|entry| entry.drops(field)).map_or(0, Drops::get)
}

#[test]
fn a_channel_counts_for_who_opens_it_and_binds_both_until_it_is_closed() {
    let mut world = World::new();
    let before = world.drops_of(0);
    let channel = open(&mut world, 10_000);
    assert_eq!(before - world.drops_of(0), 10_000 + 2_000);
    assert_eq!((world.owns(0), world.owns(1)), (1, 0));
    assert_eq!((world.listed(0), world.listed(1)), (1, 1));
    world.age();
    for (leaver, to) in [(0, 2), (1, 2)] {
        assert_eq!(world.tries(&world.leave(leaver, to)), TxResult::tecHAS_OBLIGATIONS);
    }
    let tx = signed_claim(&world, channel, 400, 500, 0);
    let had = world.drops_of(1);
    world.must(1, tx);
    assert_eq!(world.drops_of(1), had + 400 - 2_000);
    assert_eq!(amount_of(&world, &channel, sf::Balance), 400);
    // The destination may close it at any time, and the rest goes back.
    let tx = claim(&world, 1, channel).with(sf::Flags, flags::tfClose);
    let had = world.drops_of(0);
    world.must(1, tx);
    assert_eq!(world.drops_of(0), had + 9_600);
    assert!(world.entry(&channel).is_none());
    assert_eq!((world.owns(0), world.listed(0), world.listed(1)), (0, 0, 0));
}

#[test]
fn who_opened_a_channel_closes_it_when_the_delay_is_over_and_may_think_again() {
    let mut world = World::new();
    let channel = open(&mut world, 10_000);
    let close = |world: &World, by| claim(world, by, channel).with(sf::Flags, flags::tfClose);
    let tx = close(&world, 0);
    let asked = world.now();
    world.must(0, tx);
    let expiration = world.entry(&channel).and_then(|entry| entry.u32(sf::Expiration));
    assert_eq!(expiration, Some(asked + 100));
    let renew = claim(&world, 1, channel).with(sf::Flags, flags::tfRenew);
    assert_eq!(world.tries(&renew), TxResult::tecNO_PERMISSION);
    let renew = claim(&world, 0, channel).with(sf::Flags, flags::tfRenew);
    world.must(0, renew);
    assert!(world.entry(&channel).is_some_and(|entry| !entry.has(sf::Expiration)));
    let tx = close(&world, 0);
    world.must(0, tx);
    world.wait(150);
    // Whoever touches it now closes it.
    let fund = world
        .tx(TransactionType::PaymentChannelFund, 2)
        .with(sf::Channel, channel)
        .with(sf::Amount, drops(1));
    let had = world.drops_of(2);
    world.must(2, fund);
    assert_eq!(had - world.drops_of(2), 2_000);
    assert!(world.entry(&channel).is_none());
    assert_eq!(world.owns(0), 0);
}

#[test]
fn what_is_wrong_with_a_claim_is_found_in_the_servers_order() {
    let mut world = World::new();
    let channel = open(&mut world, 10_000);
    let good = signed_claim(&world, channel, 400, 500, 0);
    assert_eq!(world.tries(&good), TxResult::tesSUCCESS);
    let with = |field, value: Value| world.tries_with(&good, [(field, value)]);
    assert_eq!(with(sf::Channel, Hash256::ZERO.into()), TxResult::temMALFORMED);
    assert_eq!(with(sf::Balance, drops(0).into()), TxResult::temBAD_AMOUNT);
    assert_eq!(with(sf::Balance, drops(501).into()), TxResult::temBAD_AMOUNT);
    assert_eq!(with(sf::Flags, (flags::tfClose | flags::tfRenew).into()), TxResult::temMALFORMED);
    assert_eq!(with(sf::Amount, drops(499).into()), TxResult::temBAD_SIGNATURE);
    assert_eq!(with(sf::Channel, Hash256([9; 32]).into()), TxResult::temBAD_SIGNATURE);
    let by_other = signed_claim(&world, channel, 400, 500, 2);
    assert_eq!(world.tries(&by_other), TxResult::tecNO_PERMISSION, "the key is not the channel's");
    let over = signed_claim(&world, channel, 10_001, 10_001, 0);
    assert_eq!(world.tries(&over), TxResult::tecUNFUNDED_PAYMENT);
    let unsigned = claim(&world, 1, channel).with(sf::Balance, drops(400));
    assert_eq!(world.tries(&unsigned), TxResult::tecNO_PERMISSION);
    let stranger = claim(&world, 2, channel).with(sf::Balance, drops(400));
    assert_eq!(world.tries(&stranger), TxResult::tecNO_PERMISSION);
    let absent = claim(&world, 1, Hash256([9; 32]));
    assert_eq!(world.tries(&absent), TxResult::tecNO_TARGET);
    // Who opened it pays without a signature.
    let gift = claim(&world, 0, channel).with(sf::Balance, drops(400));
    world.must(0, gift);
    assert_eq!(world.tries(&good), TxResult::tecUNFUNDED_PAYMENT, "it has been paid");
}

#[test]
fn until_3_2_a_claim_by_the_wrong_key_was_no_transaction_at_all() {
    let mut world = World::of(Generation::V3_1);
    let channel = open(&mut world, 10_000);
    let by_other = signed_claim(&world, channel, 400, 500, 2);
    assert_eq!(world.tries(&by_other), TxResult::temBAD_SIGNER);
    let unsigned = claim(&world, 1, channel).with(sf::Balance, drops(400));
    assert_eq!(world.tries(&unsigned), TxResult::temBAD_SIGNATURE);
}

#[test]
fn what_is_wrong_with_a_channel_is_found_in_the_servers_order() {
    let mut world = World::new();
    let good = create(&world, 10_000);
    let with = |world: &World, field, value: Value| world.tries_with(&good, [(field, value)]);
    assert_eq!(with(&world, sf::Amount, drops(0).into()), TxResult::temBAD_AMOUNT);
    assert_eq!(with(&world, sf::Amount, world.usd("1").into()), TxResult::temBAD_AMOUNT);
    assert_eq!(with(&world, sf::Destination, world.id(0).into()), TxResult::temDST_IS_SRC);
    assert_eq!(with(&world, sf::PublicKey, vec![4_u8; 33].into()), TxResult::temMALFORMED);
    let nobody = (sf::Destination, Value::from(keys(99).account_id()));
    let much = (sf::Amount, Value::from(drops(50_000_000)));
    assert_eq!(world.tries_with(&good, [nobody.clone(), much]), TxResult::tecUNFUNDED);
    assert_eq!(world.tries_with(&good, [nobody]), TxResult::tecNO_DST);
    assert_eq!(with(&world, sf::CancelAfter, 1_u32.into()), TxResult::tecEXPIRED);
    world.set(1, flags::asfRequireDest);
    assert_eq!(world.tries(&create(&world, 1)), TxResult::tecDST_TAG_NEEDED);
    world.set(1, flags::asfDisallowIncomingPayChan);
    assert_eq!(world.tries(&create(&world, 1)), TxResult::tecNO_PERMISSION);
}
