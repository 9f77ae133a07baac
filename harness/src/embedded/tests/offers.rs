//! Offers and payments across them, beyond what was recorded.

use super::world::World;
use super::*;

/// An offer of somebody: what it wants and what it gives.
fn offer(world: &World, by: usize, pays: Amount, gets: Amount) -> Object {
    world.tx(TransactionType::OfferCreate, by).with(sf::TakerPays, pays).with(sf::TakerGets, gets)
}

fn xrp(amount: u64) -> Amount {
    Amount::Xrp(drops(amount))
}

/// Dollars with the first person as their issuer, a thousand each for the second, third and fourth.
fn market() -> World {
    let mut world = World::new();
    world.issue_usd(&[(1, "1000"), (2, "1000"), (3, "1000")]);
    world
}

/// Somebody offers so many dollars for so many drops.
fn sell_usd(world: &mut World, by: usize, dollars: &str, for_drops: u64) -> Hash256 {
    let tx = offer(world, by, xrp(for_drops), world.usd(dollars));
    let number = world.must(by, tx);
    index::offer(&world.id(by), number)
}

fn gets(world: &World, offer: &Hash256) -> Option<Amount> {
    world.entry(offer).and_then(|entry| entry.amount(sf::TakerGets))
}

#[test]
fn an_offer_takes_the_best_rate_first_and_of_equal_ones_the_oldest() {
    let mut world = market();
    let dear = sell_usd(&mut world, 1, "10", 1_200);
    let old = sell_usd(&mut world, 2, "10", 1_000);
    let young = sell_usd(&mut world, 3, "10", 1_000);
    assert_eq!((world.owns(1), world.owns(2), world.listed(1)), (2, 2, 2));
    // Somebody without a line buys fifteen at the better rate.
    let before = world.drops_of(4);
    let tx = offer(&world, 4, world.usd("15"), xrp(1_500));
    world.must(4, tx);
    assert_eq!(before - world.drops_of(4), 1_500 + 2_000);
    assert_eq!(world.dollars(4), "15");
    assert_eq!(world.owns(4), 1, "the line, and no offer: all was had");
    assert_eq!(gets(&world, &dear), Some(world.usd("10")));
    assert_eq!(gets(&world, &old), None);
    assert_eq!(gets(&world, &young), Some(world.usd("5")));
    assert_eq!((world.owns(2), world.listed(2)), (1, 1));
    assert_eq!((world.dollars(2), world.dollars(3)), ("990".to_owned(), "995".to_owned()));
    // Who offers less than the book asks for stands in it.
    let tx = offer(&world, 4, world.usd("10"), xrp(900));
    let number = world.must(4, tx);
    assert!(world.entry(&index::offer(&world.id(4), number)).is_some());
}

#[test]
fn what_is_left_of_an_offer_stands_at_its_own_rate() {
    let mut world = market();
    sell_usd(&mut world, 1, "10", 500);
    let tx = offer(&world, 2, world.usd("30"), xrp(3_000));
    let number = world.must(2, tx);
    let entry = world.entry(&index::offer(&world.id(2), number)).unwrap();
    assert_eq!(entry.amount(sf::TakerPays), Some(world.usd("20")));
    assert_eq!(entry.amount(sf::TakerGets), Some(xrp(2_000)), "five hundred were saved");
    let book = index::book(&world.usd("0").issue(), &Amount::Xrp(drops(0)).issue(), None);
    let directory = entry.hash256(sf::BookDirectory).unwrap();
    assert_eq!(directory.0[..24], book.0[..24]);
    let page = world.entry(&directory).unwrap();
    assert_eq!(page.u64(sf::ExchangeRate), Some(index::quality_of(&directory)));
    let cancel = world.tx(TransactionType::OfferCancel, 2).with(sf::OfferSequence, number);
    world.must(2, cancel);
    assert!(world.entry(&directory).is_none(), "an empty directory goes with its last offer");
    assert_eq!(world.owns(2), 1);
    let again = world.tx(TransactionType::OfferCancel, 2).with(sf::OfferSequence, number);
    assert_eq!(world.does(2, again), TxResult::tesSUCCESS, "what is gone is cancelled");
}

#[test]
fn nobody_takes_its_own_offer_but_replaces_it() {
    let mut world = market();
    let own = sell_usd(&mut world, 1, "10", 1_000);
    let tx = offer(&world, 1, world.usd("10"), xrp(1_000));
    world.must(1, tx);
    assert!(world.entry(&own).is_none());
    assert_eq!((world.owns(1), world.dollars(1)), (2, "1000".to_owned()));
    // The same by name.
    let other = sell_usd(&mut world, 2, "10", 1_100);
    let number = world.entry(&other).and_then(|entry| entry.u32(sf::Sequence)).unwrap();
    let tx = offer(&world, 2, xrp(1_200), world.usd("10")).with(sf::OfferSequence, number);
    world.must(2, tx);
    assert_eq!((gets(&world, &other), world.owns(2)), (None, 2));
}

#[test]
fn all_or_nothing_leaves_no_offer_and_no_offers_that_are_of_no_use() {
    let mut world = market();
    let useless = sell_usd(&mut world, 1, "1000", 100);
    assert_eq!(world.pay(1, 0, world.usd("1000")), TxResult::tesSUCCESS);
    let real = sell_usd(&mut world, 2, "10", 1_000);
    let tx = offer(&world, 3, world.usd("20"), xrp(2_000)).with(sf::Flags, flags::tfFillOrKill);
    assert_eq!(world.does(3, tx), TxResult::tecKILLED);
    assert_eq!((world.dollars(3), world.owns(3)), ("1000".to_owned(), 1));
    assert_eq!(gets(&world, &useless), None, "found without funds, and gone though nothing else is done");
    assert_eq!(gets(&world, &real), Some(world.usd("10")));
    let tx = offer(&world, 3, world.usd("10"), xrp(1_000)).with(sf::Flags, flags::tfFillOrKill);
    world.must(3, tx);
    assert_eq!((world.dollars(3), gets(&world, &real)), ("1010".to_owned(), None));
}

#[test]
fn what_took_too_little_to_count_leaves_offers_of_no_use_where_they_are() {
    let mut world = market();
    let useless = sell_usd(&mut world, 1, "1000", 100);
    assert_eq!(world.pay(1, 0, world.usd("1000")), TxResult::tesSUCCESS);
    let real = sell_usd(&mut world, 2, "0.02", 1);
    // Two cents of a million billions are none: nothing was taken, as far as the digits go, so all of it is undone.
    let tx = offer(&world, 3, world.usd("1000000000000000"), xrp(90_000_000_000_000_000))
        .with(sf::Flags, flags::tfImmediateOrCancel);
    assert_eq!(world.does(3, tx), TxResult::tecKILLED);
    assert_eq!((world.dollars(3), gets(&world, &real)), ("1000".to_owned(), Some(world.usd("0.02"))));
    assert_eq!((gets(&world, &useless), world.owns(1)), (Some(world.usd("1000")), 2));
}

#[test]
fn at_once_or_never_takes_what_there_is() {
    let mut world = market();
    sell_usd(&mut world, 1, "10", 1_000);
    let now = |tx: Object| tx.with(sf::Flags, flags::tfImmediateOrCancel);
    let tx = now(offer(&world, 2, world.usd("30"), xrp(3_000)));
    world.must(2, tx);
    assert_eq!((world.dollars(2), world.owns(2)), ("1010".to_owned(), 1));
    let tx = now(offer(&world, 2, world.usd("30"), xrp(3_000)));
    assert_eq!(world.does(2, tx), TxResult::tecKILLED);
}

#[test]
fn a_sale_gives_all_and_takes_more_than_it_asked_for() {
    let mut world = market();
    sell_usd(&mut world, 1, "100", 1_000);
    let buy = offer(&world, 2, world.usd("20"), xrp(1_000));
    world.must(2, buy);
    assert_eq!(world.dollars(2), "1020", "a purchase takes what it wants");
    let sell = offer(&world, 3, world.usd("20"), xrp(600)).with(sf::Flags, flags::tfSell);
    world.must(3, sell);
    assert_eq!(world.dollars(3), "1060", "a sale gives what it has");
}

#[test]
fn a_passive_offer_stands_beside_what_it_could_take() {
    let mut world = market();
    let there = sell_usd(&mut world, 1, "10", 1_000);
    let tx = offer(&world, 2, world.usd("10"), xrp(1_000)).with(sf::Flags, flags::tfPassive);
    world.must(2, tx);
    assert_eq!((gets(&world, &there), world.owns(2)), (Some(world.usd("10")), 2));
    let better = offer(&world, 3, world.usd("10"), xrp(1_001)).with(sf::Flags, flags::tfPassive);
    world.must(3, better);
    assert_eq!((gets(&world, &there), world.owns(3)), (None, 1));
}

#[test]
fn a_rate_has_as_many_digits_as_its_issuer_lets_it() {
    let mut world = market();
    let tick = world.tx(TransactionType::AccountSet, 0).with(sf::TickSize, 3_u8);
    world.must(0, tick);
    let at = sell_usd(&mut world, 1, "3", 1_000_000);
    let entry = world.entry(&at).unwrap();
    assert_eq!(entry.amount(sf::TakerPays), Some(xrp(1_000_000)));
    let bits = index::quality_of(&entry.hash256(sf::BookDirectory).unwrap());
    assert_eq!(bits & ((1 << 56) - 1), 3_340_000_000_000_000, "rounded up from a third of a million");
}

#[test]
fn what_is_wrong_with_an_offer_is_found_in_the_servers_order() {
    let mut world = market();
    let good = offer(&world, 1, xrp(1_000), world.usd("10"));
    let with = |world: &World, field, value: Value| world.tries_with(&good, [(field, value)]);
    let killed = flags::tfImmediateOrCancel | flags::tfFillOrKill;
    assert_eq!(with(&world, sf::Flags, flags::tfHybrid.into()), TxResult::temINVALID_FLAG);
    assert_eq!(with(&world, sf::Flags, killed.into()), TxResult::temINVALID_FLAG);
    assert_eq!(with(&world, sf::DomainID, Hash256::ZERO.into()), TxResult::temMALFORMED);
    assert_eq!(with(&world, sf::Expiration, 0_u32.into()), TxResult::temBAD_EXPIRATION);
    assert_eq!(with(&world, sf::OfferSequence, 0_u32.into()), TxResult::temBAD_SEQUENCE);
    assert_eq!(with(&world, sf::TakerGets, drops(5).into()), TxResult::temBAD_OFFER);
    assert_eq!(with(&world, sf::TakerPays, drops(0).into()), TxResult::temBAD_OFFER);
    assert_eq!(with(&world, sf::TakerPays, world.usd("7").into()), TxResult::temREDUNDANT);
    let poor = offer(&world, 4, xrp(1_000), world.usd("10"));
    assert_eq!(world.tries_with(&poor, [(sf::Expiration, 1_u32.into())]), TxResult::tecUNFUNDED_OFFER);
    let next = sequence(&world.ledger, &world.id(1));
    let ahead = [(sf::OfferSequence, Value::from(next)), (sf::Expiration, 1_u32.into())];
    assert_eq!(world.tries_with(&good, ahead), TxResult::temBAD_SEQUENCE);
    assert_eq!(with(&world, sf::Expiration, 1_u32.into()), TxResult::tecEXPIRED);
    assert_eq!(with(&world, sf::DomainID, Hash256([1; 32]).into()), TxResult::tecNO_PERMISSION);
    let unknown = Amount::Issued(IssuedAmount {
        value: "1".parse().unwrap(),
        currency: Currency([7; 20]),
        issuer: keys(99).account_id(),
    });
    assert_eq!(with(&world, sf::TakerPays, unknown.into()), TxResult::tecNO_ISSUER);
    world.set(0, flags::asfGlobalFreeze);
    assert_eq!(with(&world, sf::Expiration, 1_u32.into()), TxResult::tecFROZEN);
}

#[test]
fn an_offer_needs_its_reserve_unless_it_took_something() {
    let mut world = market();
    let fees = world.ledger.validated().fees;
    let spare = world.drops_of(2) - fees.account_reserve(1) - 100_000;
    assert_eq!(world.pay(2, 4, xrp(spare)), TxResult::tesSUCCESS);
    let tx = offer(&world, 2, xrp(1_000), world.usd("10"));
    assert_eq!(world.does(2, tx), TxResult::tecINSUF_RESERVE_OFFER);
    let bid = offer(&world, 1, world.usd("5"), xrp(500));
    world.must(1, bid);
    let tx = offer(&world, 2, xrp(1_000), world.usd("10"));
    world.must(2, tx);
    assert_eq!((world.dollars(2), world.owns(2)), ("995".to_owned(), 1), "the rest is let go");
}

#[test]
fn offers_go_with_their_account_and_out_of_their_books() {
    let mut world = World::new();
    world.set(0, flags::asfDefaultRipple);
    let at = {
        // Who has no line yet may want what it does not hold.
        let tx = offer(&world, 4, world.usd("10"), xrp(1_000));
        let number = world.must(4, tx);
        index::offer(&world.id(4), number)
    };
    let directory = world.entry(&at).and_then(|entry| entry.hash256(sf::BookDirectory)).unwrap();
    assert_eq!(world.owns(4), 1);
    world.age();
    let tx = world.leave(4, 5);
    assert_eq!(world.does(4, tx), TxResult::tesSUCCESS);
    assert!(world.entry(&at).is_none() && world.entry(&directory).is_none());
}

#[test]
fn a_payment_changes_currencies_through_offers_and_takes_no_worse_rate_than_it_is_told() {
    let mut world = market();
    sell_usd(&mut world, 1, "10", 1_000);
    sell_usd(&mut world, 3, "10", 2_000);
    let pay = |world: &World, dollars: &str, most: u64| {
        world
            .tx(TransactionType::Payment, 4)
            .with(sf::Destination, world.id(2))
            .with(sf::Amount, world.usd(dollars))
            .with(sf::SendMax, drops(most))
    };
    assert_eq!(world.tries(&pay(&world, "20", 2_999)), TxResult::tecPATH_PARTIAL);
    let partly = pay(&world, "20", 2_000).with(sf::Flags, flags::tfPartialPayment | flags::tfLimitQuality);
    let mut outcome = world.ledger.simulate(&Transaction::from_object(partly).unwrap());
    let meta = outcome.meta.take().unwrap();
    assert_eq!(outcome.result, TxResult::tesSUCCESS);
    assert_eq!(meta.amount(sf::DeliveredAmount), Some(world.usd("10")), "the second is too dear");
    let direct = pay(&world, "5", 1_000).with(sf::Flags, flags::tfNoRippleDirect);
    assert_eq!(world.tries(&direct), TxResult::temRIPPLE_EMPTY);
    let before = world.drops_of(4);
    let tx = pay(&world, "15", 5_000);
    world.must(4, tx);
    assert_eq!(before - world.drops_of(4), 2_000 + 2_000);
    assert_eq!(world.dollars(2), "1015");
}

#[test]
fn a_payment_goes_over_two_books_where_there_is_none_between_two_currencies() {
    let mut world = market();
    world.set(5, flags::asfDefaultRipple);
    let eur = |world: &World, value: &str| world.of_currency("EUR", 5, value);
    for (person, gift) in [(1, "500"), (2, "0")] {
        let (limit, gift) = (eur(&world, "1000"), eur(&world, gift));
        world.trust(person, limit, gift);
    }
    let bid = offer(&world, 1, world.usd("10"), xrp(1_000));
    world.must(1, bid);
    let ask = offer(&world, 1, xrp(1_000), eur(&world, "8"));
    world.must(1, ask);
    let pay = |world: &World, amount: Amount| {
        world
            .tx(TransactionType::Payment, 3)
            .with(sf::Destination, world.id(2))
            .with(sf::Amount, amount)
            .with(sf::SendMax, world.usd("100"))
    };
    let without = pay(&world, eur(&world, "4"));
    assert_eq!(world.tries(&without), TxResult::tecPATH_PARTIAL);
    let step = xrpl_wire::PathStep { currency: Some(Currency::XRP), ..Default::default() };
    let path = |steps: usize| Value::PathSet(vec![vec![step; steps]]);
    let over = without.clone().with(sf::Paths, path(1));
    assert_eq!(world.tries_with(&without, [(sf::Paths, path(9))]), TxResult::telBAD_PATH_COUNT);
    world.must(3, over);
    assert_eq!(
        (world.dollars(3), world.holds(2, &eur(&world, "0"))),
        ("995".to_owned(), Some("4".to_owned()))
    );
    // A taker of EUR for USD finds the same way by itself.
    let tx = offer(&world, 3, eur(&world, "4"), world.usd("5"));
    world.must(3, tx);
    assert_eq!(world.holds(3, &eur(&world, "0")).as_deref(), Some("4"));
    assert_eq!(world.dollars(3), "990");
}

/// A domain that takes whom the issuer of dollars attests something, and its owner.
fn domain_of(world: &mut World, owner: usize) -> Hash256 {
    let accepted = Object::new().with(sf::Issuer, world.id(0)).with(sf::CredentialType, b"KYC".to_vec());
    let tx = world
        .tx(TransactionType::PermissionedDomainSet, owner)
        .with(sf::AcceptedCredentials, Value::Array(vec![(sf::Credential, accepted)]));
    let number = world.must(owner, tx);
    index::permissioned_domain(&world.id(owner), number)
}

/// The server says so at the end, when everything else was fine: it looks at which books have changed.
#[test]
fn an_offer_within_a_domain_cancels_none_that_stands_in_another() {
    for generation in Generation::ALL {
        let mut world = World::of(generation);
        world.issue_usd(&[(1, "1000")]);
        let (domain, other) = (domain_of(&mut world, 1), domain_of(&mut world, 1));
        let place = |world: &mut World, domain: Option<Hash256>, cancels: Option<u32>| {
            let tx = offer(world, 1, xrp(1_000), world.usd("10"));
            let tx = tx.with_some(sf::DomainID, domain).with_some(sf::OfferSequence, cancels);
            let closed = world.closes(1, tx);
            (closed.tx().seq().value(), closed.result)
        };
        let (regular, _) = place(&mut world, None, None);
        let (there, _) = place(&mut world, Some(other), None);
        let (here, _) = place(&mut world, Some(domain), None);
        let failed = TxResult::tecINVARIANT_FAILED;
        // Since 3.2 one of the open book may be cancelled.
        let allowed = if generation == Generation::V3_1 { failed } else { TxResult::tesSUCCESS };
        for (cancelled, result) in [(there, failed), (regular, allowed), (here, TxResult::tesSUCCESS)] {
            let tx = offer(&world, 1, xrp(1_000), world.usd("10"));
            let tx = tx.with(sf::DomainID, domain).with(sf::OfferSequence, cancelled);
            assert_eq!(world.tries(&tx), result, "{generation} {cancelled}");
            let before = world.owns(1);
            let (_, closed) = place(&mut world, Some(domain), Some(cancelled));
            assert_eq!(closed, result, "{generation} {cancelled}");
            let stands = world.entry(&index::offer(&world.id(1), cancelled)).is_some();
            assert_eq!((stands, world.owns(1)), (result == failed, before), "{generation} {cancelled}");
        }
        // It costs its fee also who wants nothing done by what fails.
        let tx = offer(&world, 1, xrp(1_000), world.usd("10"));
        let tx = tx.with(sf::DomainID, domain).with(sf::OfferSequence, there);
        let tried = world.ledger.submit_as(&signed(tx, world.key(1)), true);
        assert_eq!((tried.result, tried.applied), (failed, true), "{generation}");
        world.ledger.close(CloseTime::Next);
        // Outside of domains it may cancel what it likes.
        assert_eq!(place(&mut world, None, Some(there)).1, TxResult::tesSUCCESS);
    }
}

/// A hybrid offer that is taken in part before it stands is listed in the open book by the rate of the rest, until 3.2; the
/// directory there says the rate of the whole.
#[test]
fn what_is_left_of_a_hybrid_offer_stands_in_the_open_book_as_its_generation_has_it() {
    for generation in Generation::ALL {
        let mut world = World::of(generation);
        world.issue_usd(&[(1, "1000")]);
        let domain = domain_of(&mut world, 1);
        let attest = world
            .tx(TransactionType::CredentialCreate, 0)
            .with(sf::Subject, world.id(2))
            .with(sf::CredentialType, b"KYC".to_vec());
        world.must(0, attest);
        let accept = world
            .tx(TransactionType::CredentialAccept, 2)
            .with(sf::Issuer, world.id(0))
            .with(sf::CredentialType, b"KYC".to_vec());
        world.must(2, accept);
        let ask = offer(&world, 1, xrp(100), world.usd("10")).with(sf::DomainID, domain);
        world.must(1, ask);
        // Ten at a tenth of what it would pay: what is left is dearer than it asked for.
        let bid = offer(&world, 2, world.usd("30"), xrp(1_001)).with(sf::DomainID, domain);
        let number = world.must(2, bid.with(sf::Flags, flags::tfHybrid));
        let entry = world.entry(&index::offer(&world.id(2), number)).unwrap().clone();
        let closed = entry.hash256(sf::BookDirectory).unwrap();
        let open = entry.array(sf::AdditionalBooks).unwrap()[0].1.hash256(sf::BookDirectory).unwrap();
        let says = |directory: &Hash256| world.entry(directory).unwrap().u64(sf::ExchangeRate).unwrap();
        assert_eq!(says(&closed), index::quality_of(&closed));
        assert_eq!(says(&open), says(&closed), "{generation}");
        let same = index::quality_of(&open) == index::quality_of(&closed);
        assert_eq!(same, generation != Generation::V3_1, "{generation}");
    }
}

#[test]
fn a_domain_has_books_of_its_own_and_a_hybrid_offer_stands_in_both() {
    let mut world = market();
    let domain = domain_of(&mut world, 1);
    let within = |tx: Object| tx.with(sf::DomainID, domain);
    let outsider = within(offer(&world, 2, xrp(1_000), world.usd("10")));
    assert_eq!(world.tries(&outsider), TxResult::tecNO_PERMISSION);
    // The domain's owner is in it.
    let tx = within(offer(&world, 1, xrp(1_000), world.usd("10")));
    let closed_book = world.must(1, tx);
    let take = offer(&world, 3, world.usd("10"), xrp(1_000)).with(sf::Flags, flags::tfImmediateOrCancel);
    assert_eq!(world.tries(&take), TxResult::tecKILLED, "the open book is empty");
    let tx = within(offer(&world, 1, xrp(2_000), world.usd("20"))).with(sf::Flags, flags::tfHybrid);
    let hybrid = world.must(1, tx);
    let at = index::offer(&world.id(1), hybrid);
    let books = world.entry(&at).and_then(|entry| entry.array(sf::AdditionalBooks)).map(<[_]>::len);
    assert_eq!(books, Some(1));
    let tx = offer(&world, 3, world.usd("20"), xrp(2_000)).with(sf::Flags, flags::tfImmediateOrCancel);
    world.must(3, tx);
    assert!(world.entry(&at).is_none());
    let alone = index::offer(&world.id(1), closed_book);
    assert!(world.entry(&alone).is_some());
    let directory = world.entry(&alone).and_then(|entry| entry.hash256(sf::BookDirectory)).unwrap();
    let listed = world.entry(&directory).and_then(|page| page.vector256(sf::Indexes)).map(<[_]>::len);
    assert_eq!(listed, Some(1), "the hybrid is gone from this book too");
}

#[test]
fn a_sale_for_xrp_takes_as_much_as_there_is() {
    for given in
        [flags::tfSell, flags::tfSell | flags::tfFillOrKill, flags::tfSell | flags::tfImmediateOrCancel]
    {
        for generation in [Generation::V3_1, Generation::V3_2, Generation::V3_3] {
            let mut world = World::of(generation);
            world.issue_usd(&[(1, "1000")]);
            for price in ["10", "11"] {
                let bid = offer(&world, 2, world.usd(price), xrp(1_000_000));
                world.must(2, bid);
            }
            let before = world.drops_of(1);
            let tx = offer(&world, 1, xrp(1_400_000), world.usd("16")).with(sf::Flags, given);
            let fee = tx.drops(sf::Fee).unwrap().get();
            // What it gets of the second bid is rounded in favour of who made that.
            world.must(1, tx);
            assert_eq!((world.drops_of(1) + fee - before, world.dollars(1)), (1_545_454, "984".to_owned()));
        }
    }
}

#[test]
fn whoever_asks_for_all_xrp_there_is_gets_what_the_book_has() {
    let mut world = market();
    let bid = offer(&world, 4, world.usd("10"), xrp(1_000_000));
    world.must(4, bid);
    let all = Amount::Xrp(Drops::MAX);
    let tx = world
        .tx(TransactionType::Payment, 1)
        .with(sf::Destination, world.id(2))
        .with(sf::Amount, all)
        .with(sf::SendMax, world.usd("500"))
        .with(sf::Flags, flags::tfPartialPayment);
    let before = world.drops_of(2);
    world.must(1, tx);
    assert_eq!((world.drops_of(2) - before, world.dollars(1)), (1_000_000, "990".to_owned()));
}
