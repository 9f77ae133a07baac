//! What methods answer, down to the field.

use serde_json::{Value as Json, json};

use super::rpc::subscribe::Stream;
use super::rpc::{self, Request, ServerFacts, Subscription};
use super::world::World;
use super::*;

/// Asks over a websocket that is nobody's in particular.
fn asks(world: &World, subscription: &mut Subscription, mut params: Json, command: &str) -> Json {
    params["command"] = json!(command);
    let request = Request::from_ws(&params.to_string(), false).unwrap();
    let outcome = rpc::handle_read(&world.ledger, Some(subscription), &request, &ServerFacts::default());
    Json::Object(outcome.result.unwrap_or_else(|failure| failure.0))
}

fn tells(world: &World, command: &str, params: Json) -> Json {
    asks(world, &mut Subscription::default(), params, command)
}

#[test]
fn a_page_of_account_tx_is_no_longer_than_what_is_looked_for_at_once() {
    let mut world = World::new();
    for _ in 0..201 {
        let nothing = world.tx(TransactionType::AccountSet, 0);
        world.must(0, nothing);
    }
    let account = world.id(0).to_string();
    let asked = json!({"account": account, "limit": 400});
    let page = tells(&world, "account_tx", asked.clone());
    let count = |page: &Json| page["transactions"].as_array().map(Vec::len);
    assert_eq!((count(&page), &page["limit"]), (Some(200), &json!(400)), "it says what it was asked for");
    assert!(page["marker"].is_object());
    let mut binary = asked;
    binary["binary"] = true.into();
    assert!(count(&tells(&world, "account_tx", binary)) > Some(200), "those pages are longer");
    let text = json!({"account": account, "marker": {"ledger": "3", "seq": "0"}});
    assert_eq!(tells(&world, "account_tx", text)["error"], "invalidParams");
    let numbers = json!({"account": account, "marker": page["marker"]});
    assert!(count(&tells(&world, "account_tx", numbers)) > Some(0));
}

#[test]
fn fees_that_are_only_told_of_are_rounded_down() {
    let mut world = World::new();
    // 257 of 256 parts of the least fee, 10 drops, are a little more than that.
    let queue =
        QueueSetup { minimum_escalation_multiplier: 257, minimum_txn_in_ledger: 1, ..QueueSetup::default() };
    world.ledger.set_queue(queue);
    let fee = tells(&world, "fee", json!({}));
    assert_eq!((&fee["levels"]["median_level"], &fee["drops"]["median_fee"]), (&json!("257"), &json!("10")));
    for _ in 0..2 {
        let nothing = world.tx(TransactionType::AccountSet, 1);
        let applied = world.ledger.submit(&signed(nothing, world.key(1)));
        assert_eq!(applied.result, TxResult::tesSUCCESS);
    }
    let fee = tells(&world, "fee", json!({}));
    let level: u64 = fee["levels"]["open_ledger_level"].as_str().unwrap().parse().unwrap();
    assert!(!(level * 10).is_multiple_of(256), "{fee}");
    assert_eq!(fee["drops"]["open_ledger_fee"], (level * 10 / 256 + 1).to_string(), "it has to be enough");
}

#[test]
fn a_ledger_that_is_older_than_can_be_is_of_no_age() {
    let world = World::new();
    let closed = world.ledger.validated().header.close_time.0;
    for (since, age) in [(0, 0), (999_999, 999_999), (1_000_000, 0)] {
        let facts = ServerFacts { now: RippleTime(closed + since), ..ServerFacts::default() };
        let request = Request::json_rpc("server_info", serde_json::Map::new(), false).unwrap();
        let told = rpc::handle_read(&world.ledger, None, &request, &facts).result.unwrap();
        assert_eq!(told["info"]["validated_ledger"]["age"], age);
    }
}

#[test]
fn a_method_that_is_named_twice_is_named_the_same() {
    let world = World::new();
    for (inside, error) in [(json!("ping"), None), (json!("fee"), Some("unknownCmd"))] {
        let params = serde_json::Map::from_iter([("method".to_owned(), inside)]);
        let request = Request::json_rpc("ping", params, false).unwrap();
        let told = rpc::handle_read(&world.ledger, None, &request, &ServerFacts::default()).result;
        assert_eq!(told.err().as_ref().map(|failure| failure.token().to_owned()).as_deref(), error);
    }
}

#[test]
fn a_passphrase_is_warned_of_by_what_it_takes_to_guess() {
    let world = World::new();
    let proposes = |params: Json| {
        let Json::Object(params) = params else { panic!("an object") };
        let request = Request::json_rpc("wallet_propose", params, true).unwrap();
        let told = rpc::handle_read(&world.ledger, None, &request, &ServerFacts::default()).result;
        Json::Object(told.unwrap_or_else(|failure| failure.0))
    };
    let warning = |passphrase: &str| {
        let told = proposes(json!({"passphrase": passphrase}));
        assert!(told["master_seed"].is_string(), "{told}");
        told["warning"].as_str().map(|text| text.contains("low entropy"))
    };
    assert_eq!(warning("masterpassphrase"), Some(true));
    assert_eq!(warning(&"a".repeat(100)), Some(true), "long, and one letter alone");
    assert_eq!(warning("the quick brown fox jumps over a lazy dog"), Some(false));
    assert_eq!(warning("sEdTM1uX8pu2do5XvTnutH6HsouMaM2"), None, "a seed");
    for version in [1, 2] {
        let told = proposes(json!({"key_type": "x", "api_version": version}));
        assert_eq!(told["error"], "invalidParams");
    }
}

#[test]
fn urls_are_an_administrators_and_none_is_ever_told() {
    let world = World::new();
    let url = serde_json::Map::from_iter([("url".to_owned(), json!("http://127.0.0.1:1/"))]);
    let asks = |method: &str, params: &serde_json::Map<String, Json>, admin| {
        let request = Request::json_rpc(method, params.clone(), admin).unwrap();
        let told = rpc::handle_read(&world.ledger, None, &request, &ServerFacts::default()).result;
        told.err().map(|failure| failure.token().to_owned())
    };
    for (method, as_admin) in [("subscribe", Some("notSupported")), ("unsubscribe", None)] {
        assert_eq!(asks(method, &url, false).as_deref(), Some("noPermission"));
        assert_eq!(asks(method, &url, true).as_deref(), as_admin);
        assert_eq!(asks(method, &serde_json::Map::new(), true).as_deref(), Some("invalidParams"));
    }
}

#[test]
fn a_side_of_a_book_that_is_null_has_no_currency() {
    let world = World::new();
    let told = tells(&world, "book_offers", json!({"taker_pays": null, "taker_gets": {"currency": "XRP"}}));
    assert_eq!(told["error_message"], "Missing field 'taker_pays.currency'.");
    let told = tells(&world, "book_offers", json!({"taker_pays": 5, "taker_gets": {"currency": "XRP"}}));
    assert_eq!(told["error_message"], "Invalid field 'taker_pays', not object.");
}

#[test]
fn who_looks_for_paths_chooses_the_version_of_all_its_frames() {
    let world = World::new();
    let mut subscription = Subscription::default();
    asks(&world, &mut subscription, json!({"streams": ["ledger"], "api_version": 2}), "subscribe");
    assert_eq!(subscription.api_version, 2);
    let refused = asks(&world, &mut subscription, json!({}), "path_find");
    assert_eq!((&refused["error"], subscription.api_version), (&json!("invalidParams"), 2));
    let refused = asks(&world, &mut subscription, json!({"subcommand": "status"}), "path_find");
    assert_eq!((&refused["error"], subscription.api_version), (&json!("noPathRequest"), 1));
    assert!(subscription.wants(Stream::Ledger));
}
