//! Delegation, beyond what was recorded.

use super::world::World;
use super::*;

fn world() -> World {
    World::of(Generation::V3_3)
}

/// A DelegateSet by which somebody lets another do this.
fn grant(world: &World, by: usize, to: usize, permissions: &[&str]) -> Object {
    let one = |name: &&str| {
        let value = xrpl_wire::permission::value(name).unwrap();
        (sf::Permission, Object::new().with(sf::PermissionValue, value))
    };
    world
        .tx(TransactionType::DelegateSet, by)
        .with(sf::Authorize, world.id(to))
        .with(sf::Permissions, Value::Array(permissions.iter().map(one).collect()))
}

/// A payment of one for whom another sends it.
fn delegated(world: &World, from: usize, delegate: usize, amount: Amount) -> Object {
    world
        .tx(TransactionType::Payment, from)
        .with(sf::Delegate, world.id(delegate))
        .with(sf::Destination, world.id(2))
        .with(sf::Amount, amount)
}

#[test]
fn the_delegate_signs_and_pays_the_fee_and_the_account_pays_the_rest() {
    let mut world = world();
    world.must(0, grant(&world, 0, 1, &["Payment"]));
    let before = [world.drops_of(0), world.drops_of(1)];
    let tx = delegated(&world, 0, 1, Amount::Xrp(drops(700)));
    let fee = tx.drops(sf::Fee).unwrap().get();
    assert_eq!(world.does(1, tx), TxResult::tesSUCCESS);
    assert_eq!([world.drops_of(0), world.drops_of(1)], [before[0] - 700, before[1] - fee]);
    let failing = delegated(&world, 0, 1, Amount::Xrp(drops(90_000_000_000_000_000)));
    assert_eq!(world.does(1, failing), TxResult::tecUNFUNDED_PAYMENT);
    assert_eq!([world.drops_of(0), world.drops_of(1)], [before[0] - 700, before[1] - 2 * fee]);
}

#[test]
fn the_accounts_own_key_does_not_sign_for_its_delegate() {
    let mut world = world();
    world.must(0, grant(&world, 0, 1, &["Payment"]));
    let tx = delegated(&world, 0, 1, Amount::Xrp(drops(700)));
    let blob = signed(tx, world.key(0));
    assert_eq!(world.ledger.submit(&blob).result, TxResult::tefBAD_AUTH);
}

#[test]
fn nobody_sends_what_was_not_given_and_it_costs_nothing() {
    let mut world = world();
    let tx = delegated(&world, 0, 1, Amount::Xrp(drops(700)));
    assert_eq!(world.tries(&tx), TxResult::terNO_DELEGATE_PERMISSION);
    world.must(0, grant(&world, 0, 1, &["CheckCreate", "PaymentMint"]));
    let tx = delegated(&world, 0, 1, Amount::Xrp(drops(700)));
    assert_eq!(world.tries(&tx), TxResult::terNO_DELEGATE_PERMISSION);
    let oneself = tx.clone().with(sf::Delegate, world.id(0));
    assert_eq!(world.tries(&oneself), TxResult::temBAD_SIGNER);
    let key = world
        .tx(TransactionType::SetRegularKey, 0)
        .with(sf::Delegate, world.id(1))
        .with(sf::RegularKey, world.id(3));
    assert_eq!(world.tries(&key), TxResult::temINVALID, "nobody can be given that");
}

#[test]
fn a_permission_to_make_money_is_none_to_end_it_or_to_move_it() {
    let mut world = world();
    world.issue_usd(&[(2, "100")]);
    world.must(0, grant(&world, 0, 1, &["PaymentMint"]));
    world.must(2, grant(&world, 2, 3, &["PaymentBurn"]));
    let mint = delegated(&world, 0, 1, world.usd("5"));
    assert_eq!(world.tries(&mint), TxResult::tesSUCCESS);
    let partial = mint.clone().with(sf::Flags, flags::tfPartialPayment);
    assert_eq!(world.tries(&partial), TxResult::terNO_DELEGATE_PERMISSION);
    let other = mint.with(sf::SendMax, drops(1_000_000));
    assert_eq!(world.tries(&other), TxResult::terNO_DELEGATE_PERMISSION);
    let burn = delegated(&world, 2, 3, world.usd("5")).with(sf::Destination, world.id(0));
    assert_eq!(world.tries(&burn), TxResult::tesSUCCESS);
    let moved = burn.with(sf::Destination, world.id(4));
    assert_eq!(world.tries(&moved), TxResult::terNO_DELEGATE_PERMISSION);
}

#[test]
fn what_is_given_is_replaced_and_taken_back_and_goes_with_either_account() {
    let mut world = world();
    let before = world.owns(0);
    world.must(0, grant(&world, 0, 1, &["Payment", "TrustSet"]));
    assert_eq!((world.owns(0), world.listed(0), world.listed(1)), (before + 1, 1, 1));
    world.must(0, grant(&world, 0, 1, &["TrustSet"]));
    let tx = delegated(&world, 0, 1, Amount::Xrp(drops(1)));
    assert_eq!(world.tries(&tx), TxResult::terNO_DELEGATE_PERMISSION);
    assert_eq!(world.owns(0), before + 1);
    world.must(0, grant(&world, 0, 1, &[]));
    assert_eq!((world.owns(0), world.listed(0), world.listed(1)), (before, 0, 0));
    assert_eq!(world.tries(&grant(&world, 0, 1, &[])), TxResult::tecNO_ENTRY);
    world.must(0, grant(&world, 0, 1, &["Payment"]));
    world.must(2, grant(&world, 2, 0, &["Payment"]));
    world.age();
    world.must(0, world.leave(0, 3));
    assert_eq!((world.owns(2), world.listed(1), world.listed(2)), (0, 0, 0));
}

#[test]
fn what_is_wrong_with_a_delegate_set_is_found_in_the_servers_order() {
    let world = world();
    let tries = |permissions: &[&str]| world.tries(&grant(&world, 0, 1, permissions));
    assert_eq!(tries(&["Payment", "Payment"]), TxResult::temMALFORMED);
    for not_given in ["AccountSet", "SetRegularKey", "SignerListSet", "AccountDelete", "DelegateSet", "Batch"]
    {
        assert_eq!(tries(&[not_given]), TxResult::temMALFORMED, "{not_given}");
    }
    assert_eq!(world.tries(&grant(&world, 0, 0, &["Payment"])), TxResult::temMALFORMED);
    let nobody = grant(&world, 0, 1, &["Payment"]).with(sf::Authorize, AccountId([9; 20]));
    assert_eq!(world.tries(&nobody), TxResult::tecNO_TARGET);
    let many: Vec<&str> = TransactionType::ALL.iter().map(|kind| kind.name()).take(11).collect();
    assert_eq!(tries(&many), TxResult::temARRAY_TOO_LARGE);
}

#[test]
fn what_a_delegate_sends_never_waits_in_the_queue() {
    let mut world = world();
    world.must(0, grant(&world, 0, 1, &["Payment"]));
    world.ledger.set_load_factor(1_000);
    let tx = delegated(&world, 0, 1, Amount::Xrp(drops(5)));
    let blob = signed(tx, world.key(1));
    assert_eq!(world.ledger.submit(&blob).result, TxResult::telCAN_NOT_QUEUE);
}
