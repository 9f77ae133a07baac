//! Ways to pay, beyond what was recorded.

use serde_json::{Value as Json, json};

use super::rpc::{self, Request, ServerFacts, Subscription};
use super::world::World;
use super::*;

/// Two issuers, somebody who has dollars of one, somebody who takes euros of the other, and an offer between.
fn market() -> World {
    let mut world = World::new();
    world.issue_usd(&[(2, "1000"), (4, "0")]);
    world.set(1, flags::asfDefaultRipple);
    let eur = |value: &str, world: &World| world.of_currency("EUR", 1, value);
    for (person, gift) in [(3, "0"), (4, "500")] {
        let (limit, gift) = (eur("10000", &world), eur(gift, &world));
        world.trust(person, limit, gift);
    }
    let offer = world
        .tx(TransactionType::OfferCreate, 4)
        .with(sf::TakerPays, world.usd("200"))
        .with(sf::TakerGets, eur("100", &world));
    world.must(4, offer);
    world
}

/// A request that the second holder gets euros of the first.
fn wish(world: &World, value: &str) -> Json {
    let (from, to, issuer) = (world.id(2), world.id(3), world.id(1));
    json!({
        "source_account": from.to_string(),
        "destination_account": to.to_string(),
        "destination_amount": {"currency": "EUR", "issuer": issuer.to_string(), "value": value},
    })
}

fn with(mut wish: Json, name: &str, value: Json) -> Json {
    wish[name] = value;
    wish
}

fn asks(world: &World, params: &Json) -> Json {
    let params = params.as_object().unwrap().clone();
    let request = Request::json_rpc("ripple_path_find", params, true).unwrap();
    let outcome = rpc::handle_read(&world.ledger, None, &request, &ServerFacts::default());
    request.reply(outcome)["result"].take()
}

#[test]
fn what_a_path_is_said_to_cost_is_what_a_payment_over_it_costs() {
    let mut world = market();
    let found = asks(&world, &wish(&world, "40"));
    let [alternative] = found["alternatives"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(alternative["source_amount"]["value"], "80");
    let paths = Object::from_json(&json!({"Paths": alternative["paths_computed"]})).unwrap();
    let most: Amount = serde_json::from_value(alternative["source_amount"].clone()).unwrap();
    let eur = world.of_currency("EUR", 1, "40");
    let tx = world
        .tx(TransactionType::Payment, 2)
        .with(sf::Destination, world.id(3))
        .with(sf::Amount, eur)
        .with(sf::SendMax, most)
        .with(sf::Paths, paths.get(sf::Paths).unwrap().clone());
    world.must(2, tx);
    assert_eq!((world.dollars(2), world.holds(3, &eur)), ("920".to_owned(), Some("40".to_owned())));
}

#[test]
fn no_way_is_told_of_that_does_not_deliver_all() {
    let world = market();
    assert_eq!(asks(&world, &wish(&world, "101"))["alternatives"], json!([]), "the offer gives 100");
    let all = asks(&world, &wish(&world, "-1"));
    assert_eq!(all["alternatives"][0]["destination_amount"]["value"], "100", "{all}");
    assert_eq!(all["alternatives"][0]["source_amount"]["value"], "200");
}

#[test]
fn a_limit_is_for_those_who_want_all_that_it_buys() {
    let world = market();
    let limit = json!({"currency": "USD", "issuer": world.id(0).to_string(), "value": "50"});
    let found = asks(&world, &with(wish(&world, "-1"), "send_max", limit.clone()));
    assert_eq!(found["alternatives"][0]["destination_amount"]["value"], "25", "{found}");
    let refused = asks(&world, &with(wish(&world, "5"), "send_max", limit));
    assert_eq!(refused["error"], "dstAmtMalformed");
}

#[test]
fn only_what_the_source_names_is_sent() {
    let world = market();
    let xrp = with(wish(&world, "5"), "source_currencies", json!([{"currency": "XRP"}]));
    assert_eq!(asks(&world, &xrp)["alternatives"], json!([]), "nobody gives euros for XRP");
    let usd = with(wish(&world, "5"), "source_currencies", json!([{"currency": "USD"}]));
    assert_eq!(asks(&world, &usd)["alternatives"].as_array().map(Vec::len), Some(1));
    let xrp_of_somebody = json!([{"currency": "XRP", "issuer": world.id(0).to_string()}]);
    let refused = asks(&world, &with(wish(&world, "5"), "source_currencies", xrp_of_somebody));
    assert_eq!(refused["error"], "srcCurMalformed");
    assert_eq!(
        asks(&world, &with(wish(&world, "5"), "source_currencies", json!([])))["error"],
        "srcCurMalformed"
    );
}

#[test]
fn a_frozen_way_is_none() {
    let mut world = market();
    world.set(1, flags::asfGlobalFreeze);
    assert_eq!(asks(&world, &wish(&world, "5"))["alternatives"], json!([]));
}

#[test]
fn a_new_account_is_paid_in_xrp_and_enough_of_it() {
    let world = market();
    let nobody = AccountId([9; 20]).to_string();
    let to_nobody = with(wish(&world, "5"), "destination_account", nobody.into());
    assert_eq!(asks(&world, &to_nobody)["error"], "actNotFound");
    let little = with(to_nobody.clone(), "destination_amount", "999999".into());
    assert_eq!(asks(&world, &little)["error"], "dstAmtMalformed");
    let enough = with(to_nobody, "destination_amount", "1000000".into());
    assert_eq!(asks(&world, &enough)["alternatives"], json!([]), "XRP for XRP needs no path");
}

#[test]
fn a_socket_looks_for_one_thing_at_a_time_until_it_says_that_it_is_done() {
    let world = market();
    let mut subscription = Subscription::default();
    let mut ask = |world: &World, subcommand: &str, wish: &Json| {
        let asked = with(with(wish.clone(), "command", "path_find".into()), "subcommand", subcommand.into());
        let request = Request::from_ws(&asked.to_string(), true).unwrap();
        let facts = ServerFacts::default();
        let outcome = rpc::handle_read(&world.ledger, Some(&mut subscription), &request, &facts);
        request.reply(outcome)
    };
    let nothing = json!({});
    assert_eq!(ask(&world, "status", &nothing)["error"], "noPathRequest");
    let request = wish(&world, "40");
    let created = ask(&world, "create", &request)["result"].clone();
    assert_eq!(created["full_reply"], false);
    assert_eq!(created["alternatives"][0]["source_amount"]["value"], "80", "{created}");
    assert_eq!(ask(&world, "status", &nothing)["result"]["alternatives"], created["alternatives"]);
    assert_eq!(ask(&world, "close", &nothing)["result"]["closed"], true);
    assert_eq!(ask(&world, "close", &nothing)["error"], "noPathRequest");
}

#[test]
fn a_socket_hears_of_each_ledger_what_a_payment_costs_now_and_when_there_can_be_none() {
    let mut world = market();
    let asked = with(with(wish(&world, "40"), "command", "path_find".into()), "subcommand", "create".into());
    let request = Request::from_ws(&asked.to_string(), true).unwrap();
    let mut subscription = Subscription::default();
    assert_eq!(subscription.look_for_paths(&world.ledger), None, "nothing was asked for");
    rpc::handle_read(&world.ledger, Some(&mut subscription), &request, &ServerFacts::default())
        .result
        .unwrap();
    assert!(subscription.awaits_paths());
    let frame = subscription.look_for_paths(&world.ledger).unwrap();
    assert_eq!((&frame["type"], &frame["full_reply"]), (&json!("path_find"), &json!(true)));
    assert_eq!(frame["alternatives"][0]["source_amount"]["value"], "80", "{frame}");
    assert!(!subscription.awaits_paths() && subscription.follows_paths());
    world.set(1, flags::asfGlobalFreeze);
    let frame = subscription.look_for_paths(&world.ledger).unwrap();
    assert_eq!(frame["alternatives"], json!([]), "the way is frozen meanwhile");
    let elsewhere = Ledger::genesis(GenesisConfig::default());
    let frame = subscription.look_for_paths(&elsewhere).unwrap();
    assert_eq!((&frame["type"], &frame["error"]), (&json!("path_find"), &json!("srcActNotFound")));
}
