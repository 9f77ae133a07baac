//! Credentials, what they open, and the domains that accept them; beyond what was recorded.

use super::world::World;
use super::*;

const KIND: &[u8] = b"KYC";

/// By the first person, for somebody.
fn create(world: &World, subject: usize) -> Object {
    world
        .tx(TransactionType::CredentialCreate, 0)
        .with(sf::Subject, world.id(subject))
        .with(sf::CredentialType, KIND.to_vec())
}

fn accept(world: &World, subject: usize) -> Object {
    world
        .tx(TransactionType::CredentialAccept, subject)
        .with(sf::Issuer, world.id(0))
        .with(sf::CredentialType, KIND.to_vec())
}

fn index_of(world: &World, subject: usize) -> Hash256 {
    index::credential(&world.id(subject), &world.id(0), KIND)
}

/// Gives somebody a credential that it has accepted.
fn give(world: &mut World, subject: usize, expiration: Option<u32>) -> Hash256 {
    let tx = create(world, subject).with_some(sf::Expiration, expiration);
    world.must(0, tx);
    let tx = accept(world, subject);
    world.must(subject, tx);
    index_of(world, subject)
}

/// A list of accepted credentials: of the first person, and of others.
fn list(world: &World, issuers: &[usize]) -> Value {
    let credential = |issuer: &usize| {
        let fields =
            Object::new().with(sf::Issuer, world.id(*issuer)).with(sf::CredentialType, KIND.to_vec());
        (sf::Credential, fields)
    };
    Value::Array(issuers.iter().map(credential).collect())
}

fn payment_with(world: &World, from: usize, to: usize, ids: Vec<Hash256>) -> Object {
    world
        .tx(TransactionType::Payment, from)
        .with(sf::Destination, world.id(to))
        .with(sf::Amount, drops(5_000))
        .with(sf::CredentialIDs, Value::Vector256(ids))
}

#[test]
fn a_credential_counts_for_its_issuer_until_it_is_accepted_and_for_its_subject_then() {
    let mut world = World::new();
    let tx = create(&world, 1);
    world.must(0, tx);
    assert_eq!((world.owns(0), world.owns(1)), (1, 0));
    assert_eq!((world.listed(0), world.listed(1)), (1, 1));
    assert_eq!(world.tries(&create(&world, 1)), TxResult::tecDUPLICATE);
    let tx = accept(&world, 1);
    world.must(1, tx);
    assert_eq!((world.owns(0), world.owns(1)), (0, 1));
    assert_eq!(world.tries(&accept(&world, 1)), TxResult::tecDUPLICATE);
    // The issuer's own is accepted from the beginning.
    let tx = create(&world, 0);
    world.must(0, tx);
    assert_eq!((world.owns(0), world.listed(0)), (1, 2));
    // It goes with its subject's account, and out of the issuer's directory.
    world.age();
    let tx = world.leave(1, 2);
    world.must(1, tx);
    assert!(world.entry(&index_of(&world, 1)).is_none());
    assert_eq!((world.owns(0), world.listed(0)), (1, 1));
}

#[test]
fn accepting_what_has_expired_fails_and_takes_it_away() {
    let mut world = World::new();
    let end = world.now() + 50;
    let tx = create(&world, 1).with(sf::Expiration, end);
    world.must(0, tx);
    world.wait(60);
    let stranger = world
        .tx(TransactionType::CredentialDelete, 2)
        .with(sf::Subject, world.id(1))
        .with(sf::Issuer, world.id(0))
        .with(sf::CredentialType, KIND.to_vec());
    assert_eq!(world.tries(&stranger), TxResult::tesSUCCESS, "anybody may clear it away");
    let tx = accept(&world, 1);
    assert_eq!(world.does(1, tx), TxResult::tecEXPIRED);
    assert!(world.entry(&index_of(&world, 1)).is_none());
    assert_eq!((world.owns(0), world.owns(1)), (0, 0));
    assert_eq!((world.listed(0), world.listed(1)), (0, 0));
    assert_eq!(world.tries(&create(&world, 1).with(sf::Expiration, 5_u32)), TxResult::tecEXPIRED);
}

#[test]
fn what_is_wrong_with_a_credential_is_found_in_the_servers_order() {
    let mut world = World::new();
    let good = create(&world, 1);
    let with = |field, value: Value| world.tries_with(&good, [(field, value)]);
    assert_eq!(with(sf::Subject, AccountId::ZERO.into()), TxResult::temMALFORMED);
    assert_eq!(with(sf::CredentialType, Vec::<u8>::new().into()), TxResult::temMALFORMED);
    assert_eq!(with(sf::CredentialType, vec![1_u8; 65].into()), TxResult::temMALFORMED);
    assert_eq!(with(sf::URI, vec![1_u8; 257].into()), TxResult::temMALFORMED);
    assert_eq!(with(sf::Subject, keys(99).account_id().into()), TxResult::tecNO_TARGET);
    assert_eq!(world.tries(&accept(&world, 1)), TxResult::tecNO_ENTRY);
    let unknown = accept(&world, 1).with(sf::Issuer, keys(99).account_id());
    assert_eq!(world.tries(&unknown), TxResult::tecNO_ISSUER);
    let delete = world.tx(TransactionType::CredentialDelete, 2).with(sf::CredentialType, KIND.to_vec());
    assert_eq!(world.tries(&delete), TxResult::temMALFORMED);
    let delete = delete.with(sf::Subject, world.id(1)).with(sf::Issuer, world.id(0));
    assert_eq!(world.tries(&delete), TxResult::tecNO_ENTRY);
    let tx = create(&world, 1);
    world.must(0, tx);
    let delete = delete.with(sf::Sequence, sequence(&world.ledger, &world.id(2)));
    assert_eq!(world.tries(&delete), TxResult::tecNO_PERMISSION);
}

#[test]
fn credentials_open_a_guarded_account_to_who_shows_them() {
    let mut world = World::new();
    world.set(3, flags::asfDepositAuth);
    let preauth =
        world.tx(TransactionType::DepositPreauth, 3).with(sf::AuthorizeCredentials, list(&world, &[0]));
    world.must(3, preauth.clone());
    assert_eq!((world.owns(3), world.listed(3)), (1, 1));
    let again = preauth.with(sf::Sequence, sequence(&world.ledger, &world.id(3)));
    assert_eq!(world.tries(&again), TxResult::tecDUPLICATE);

    let end = world.now() + 100;
    let id = give(&mut world, 1, Some(end));
    let pay = |world: &World, ids: Vec<Hash256>| payment_with(world, 1, 3, ids);
    assert_eq!(world.tries(&pay(&world, vec![id])), TxResult::tesSUCCESS);
    assert_eq!(world.tries(&pay(&world, vec![])), TxResult::temMALFORMED);
    assert_eq!(world.tries(&pay(&world, vec![id, id])), TxResult::temMALFORMED);
    assert_eq!(world.tries(&pay(&world, vec![Hash256([1; 32])])), TxResult::tecBAD_CREDENTIALS);
    let others = payment_with(&world, 2, 3, vec![id]);
    assert_eq!(world.tries(&others), TxResult::tecBAD_CREDENTIALS);
    let mut none = pay(&world, vec![id]);
    none.remove(sf::CredentialIDs);
    // As the server does: who has next to nothing takes a little from anybody, but this is not so little.
    assert_eq!(world.tries(&none), TxResult::tecNO_PERMISSION);

    world.wait(150);
    let tx = pay(&world, vec![id]);
    assert_eq!(world.does(1, tx), TxResult::tecEXPIRED);
    assert!(world.entry(&id).is_none(), "what has expired is gone, though the payment failed");
    assert_eq!((world.owns(1), world.listed(0)), (0, 0));
}

#[test]
fn a_domain_is_its_owners_and_holds_its_list_in_order() {
    let mut world = World::new();
    let set = |world: &World, by, issuers: &[usize]| {
        world
            .tx(TransactionType::PermissionedDomainSet, by)
            .with(sf::AcceptedCredentials, list(world, issuers))
    };
    assert_eq!(world.tries(&set(&world, 0, &[])), TxResult::temARRAY_EMPTY);
    assert_eq!(world.tries(&set(&world, 0, &[1, 1])), TxResult::temMALFORMED);
    let tx = set(&world, 0, &[1, 2, 3]);
    let number = world.must(0, tx);
    let domain = index::permissioned_domain(&world.id(0), number);
    assert_eq!((world.owns(0), world.listed(0)), (1, 1));
    let entry = world.entry(&domain).unwrap();
    let issuers: Vec<_> = entry
        .array(sf::AcceptedCredentials)
        .unwrap()
        .iter()
        .filter_map(|(_, credential)| credential.account(sf::Issuer))
        .collect();
    assert!(issuers.is_sorted() && issuers.len() == 3);

    let change = |world: &World, by| set(world, by, &[2]).with(sf::DomainID, domain);
    assert_eq!(world.tries(&change(&world, 1)), TxResult::tecNO_PERMISSION);
    assert_eq!(
        world.tries_with(&change(&world, 0), [(sf::DomainID, Hash256([5; 32]).into())]),
        TxResult::tecNO_ENTRY
    );
    assert_eq!(
        world.tries_with(&change(&world, 0), [(sf::DomainID, Hash256::ZERO.into())]),
        TxResult::temMALFORMED
    );
    let tx = change(&world, 0);
    world.must(0, tx);
    assert_eq!(world.entry(&domain).unwrap().array(sf::AcceptedCredentials).unwrap().len(), 1);
    assert_eq!(world.owns(0), 1, "it is the same domain");
    world.age();
    assert_eq!(world.tries(&world.leave(0, 1)), TxResult::tecHAS_OBLIGATIONS);
    let delete = |world: &World, by| {
        world.tx(TransactionType::PermissionedDomainDelete, by).with(sf::DomainID, domain)
    };
    assert_eq!(world.tries(&delete(&world, 1)), TxResult::tecNO_PERMISSION);
    let tx = delete(&world, 0);
    world.must(0, tx);
    assert!(world.entry(&domain).is_none());
    assert_eq!((world.owns(0), world.listed(0)), (0, 0));
}

/// Until 3.1.3 a domain that is made with a Ticket has the number zero, which one domain of an account can have.
#[test]
fn a_second_domain_of_a_ticket_is_one_domain_too_many_for_an_older_server() {
    for (generation, second) in [
        (Generation::V3_1, TxResult::tefEXCEPTION),
        (Generation::V3_2, TxResult::tesSUCCESS),
        (Generation::V3_3, TxResult::tesSUCCESS),
    ] {
        let mut world = World::of(generation);
        let tickets = world.tx(TransactionType::TicketCreate, 0).with(sf::TicketCount, 2_u32);
        let first = world.must(0, tickets) + 1;
        let set = |world: &World, ticket: u32| {
            world
                .tx(TransactionType::PermissionedDomainSet, 0)
                .with(sf::Sequence, 0_u32)
                .with(sf::TicketSequence, ticket)
                .with(sf::AcceptedCredentials, list(world, &[1]))
        };
        let tx = set(&world, first);
        world.must(0, tx);
        assert_eq!((world.owns(0), world.listed(0)), (2, 2));
        assert_eq!(world.tries(&set(&world, first + 1)), second, "{generation}");
        let at = index::permissioned_domain(&world.id(0), 0);
        assert_eq!(world.entry(&at).is_some(), generation == Generation::V3_1);
    }
}

#[test]
fn an_account_is_deleted_in_favour_of_a_guarded_one_with_credentials() {
    let mut world = World::new();
    world.set(3, flags::asfDepositAuth);
    let preauth =
        world.tx(TransactionType::DepositPreauth, 3).with(sf::AuthorizeCredentials, list(&world, &[0]));
    world.must(3, preauth);
    let id = give(&mut world, 1, None);
    world.age();
    assert_eq!(world.tries(&world.leave(1, 3)), TxResult::tecNO_PERMISSION);
    let tx = world.leave(1, 3).with(sf::CredentialIDs, Value::Vector256(vec![id]));
    assert_eq!(world.does(1, tx), TxResult::tesSUCCESS);
    assert!(world.root(1).is_none() && world.entry(&id).is_none());
}
