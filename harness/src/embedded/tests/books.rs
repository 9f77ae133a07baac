//! What order books tell to who follows them.

use serde_json::{Value as Json, json};

use super::rpc::stream::{frames_for, proposed_frame};
use super::rpc::{self, Request, ServerFacts, Subscription};
use super::world::World;
use super::*;

/// The first person issues dollars; the second and third have 1,000 each.
fn market() -> World {
    let mut world = World::new();
    world.issue_usd(&[(1, "1000"), (2, "1000")]);
    world
}

fn xrp(drops: u64) -> Amount {
    Amount::Xrp(Drops::new(drops).unwrap())
}

/// An offer that takes the first and gives the second.
fn offer(world: &World, person: usize, pays: Amount, gets: Amount) -> Object {
    world.tx(TransactionType::OfferCreate, person).with(sf::TakerPays, pays).with(sf::TakerGets, gets)
}

/// A book as requests name it.
fn book(world: &World, pays_dollars: bool, more: Json) -> Json {
    let usd = json!({"currency": "USD", "issuer": world.id(0).to_string()});
    let xrp = json!({"currency": "XRP"});
    let (pays, gets) = if pays_dollars { (usd, xrp) } else { (xrp, usd) };
    let mut book = json!({"taker_pays": pays, "taker_gets": gets});
    book.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    book
}

/// Asks over a websocket: the result, or the error's word and text.
fn asks(
    world: &World,
    subscription: &mut Subscription,
    command: &str,
    mut params: Json,
) -> Result<Json, (String, String)> {
    params["command"] = json!(command);
    let request = Request::from_ws(&params.to_string(), true).unwrap();
    let outcome = rpc::handle_read(&world.ledger, Some(subscription), &request, &ServerFacts::default());
    outcome.result.map(Json::Object).map_err(|failure| {
        let text = |name: &str| failure.0.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        (text("error"), text("error_message"))
    })
}

/// How many frames a subscription gets of the newest ledger.
fn hears(world: &World, subscription: &Subscription) -> usize {
    frames_for(world.ledger.validated(), subscription, &ServerFacts::default()).len()
}

#[test]
fn who_follows_one_side_of_a_book_hears_of_the_offers_of_the_other() {
    let mut world = market();
    let mut subscription = Subscription::default();
    let params = json!({"books": [book(&world, true, json!({}))]});
    asks(&world, &mut subscription, "subscribe", params).unwrap();
    let ask = offer(&world, 1, xrp(700), world.usd("100"));
    let sequence = world.must(1, ask);
    assert_eq!(hears(&world, &subscription), 1, "it takes XRP and gives dollars");
    let bid = offer(&world, 2, world.usd("100"), xrp(75));
    world.must(2, bid);
    assert_eq!(hears(&world, &subscription), 0, "it takes dollars and gives XRP");
    let part = offer(&world, 2, world.usd("10"), xrp(70));
    world.must(2, part);
    assert_eq!(hears(&world, &subscription), 1, "it took of the first");
    let cancel = world.tx(TransactionType::OfferCancel, 1).with(sf::OfferSequence, sequence);
    world.must(1, cancel);
    assert_eq!(hears(&world, &subscription), 1, "the first is gone");
}

#[test]
fn what_fails_is_no_news_of_a_book_whatever_offers_went_with_it() {
    let mut world = market();
    let ask = offer(&world, 1, xrp(1_000), world.usd("1000"));
    world.must(1, ask);
    assert_eq!(world.pay(1, 0, world.usd("1000")), TxResult::tesSUCCESS);
    let mut subscription = Subscription::default();
    let params = json!({"books": [book(&world, true, json!({"both": true}))]});
    asks(&world, &mut subscription, "subscribe", params).unwrap();
    let take = offer(&world, 2, world.usd("10"), xrp(10)).with(sf::Flags, flags::tfFillOrKill);
    let closed = world.closes(2, take);
    assert_eq!(closed.result, TxResult::tecKILLED);
    let gone = xrpl_wire::Metadata::from_object(closed.meta()).unwrap();
    assert!(gone.nodes.iter().any(|node| node.entry_type == LedgerEntryType::Offer), "nobody could take it");
    assert_eq!(hears(&world, &subscription), 0);
}

#[test]
fn bids_are_the_side_that_is_named_and_asks_the_other() {
    let mut world = market();
    let ask = offer(&world, 1, xrp(500), world.usd("100"));
    world.must(1, ask);
    let bid = offer(&world, 2, world.usd("100"), xrp(200));
    world.must(2, bid);
    let told = |more: Json| {
        let params = json!({"books": [book(&world, true, more)]});
        asks(&world, &mut Subscription::default(), "subscribe", params).unwrap()
    };
    for more in [json!({"both": true, "snapshot": true}), json!({"both_sides": true, "state_now": true})] {
        let both = told(more);
        assert_eq!(both["bids"][0]["TakerGets"], "200");
        assert_eq!(both["asks"][0]["TakerPays"], "500");
        assert_eq!((both["bids"].as_array().map(Vec::len), both.get("offers")), (Some(1), None));
    }
    assert_eq!(told(json!({"snapshot": true}))["offers"][0]["TakerGets"], "200");
    let shown = |pays_dollars| book(&world, pays_dollars, json!({"snapshot": true}));
    let two = json!({"books": [shown(true), shown(false)]});
    let two = asks(&world, &mut Subscription::default(), "subscribe", two).unwrap();
    assert_eq!(two["offers"].as_array().map(Vec::len), Some(2), "of both books in one list");
}

#[test]
fn what_is_wrong_with_a_book_that_is_followed_has_one_word() {
    let world = market();
    let good = book(&world, true, json!({}));
    let usd = &good["taker_pays"];
    let xrp = json!({"currency": "XRP"});
    let with = |pays: Json, gets: Json| json!({"taker_pays": pays, "taker_gets": gets});
    for (wrong, error, text) in [
        (json!(5), "invalidParams", "Invalid parameters."),
        (json!({"taker_pays": usd}), "invalidParams", "Invalid parameters."),
        (with(json!("USD"), xrp.clone()), "invalidParams", "Invalid parameters."),
        (with(json!({}), xrp.clone()), "srcCurMalformed", "Source currency is malformed."),
        (
            with(json!({"currency": "DOLLAR"}), xrp.clone()),
            "srcCurMalformed",
            "Source currency is malformed.",
        ),
        (with(json!({"currency": "USD"}), json!({})), "srcIsrMalformed", "Source issuer is malformed."),
        (with(xrp.clone(), json!({})), "dstAmtMalformed", "Destination amount/currency/issuer is malformed."),
        (
            with(xrp.clone(), json!({"currency": "USD"})),
            "dstIsrMalformed",
            "Destination issuer is malformed.",
        ),
        (with(usd.clone(), usd.clone()), "badMarket", "No such market."),
        (with(json!({"currency": "1"}), xrp.clone()), "srcCurMalformed", "Source currency is malformed."),
        (book(&world, true, json!({"taker": "x"})), "actMalformed", "Account malformed."),
        (book(&world, true, json!({"taker": 5})), "actMalformed", "Account malformed."),
        (book(&world, true, json!({"domain": "x"})), "domainMalformed", "Domain is malformed."),
    ] {
        let mut subscription = Subscription::default();
        let params = json!({"books": [good, wrong]});
        let refused = asks(&world, &mut subscription, "subscribe", params.clone());
        assert_eq!(refused, Err((error.to_owned(), text.to_owned())), "{wrong}");
        assert_eq!(subscription.books.len(), 1, "the one before it is followed");
        // Nobody is asked who looks where nothing is shown.
        let is_taker = error == "actMalformed";
        let ended = asks(&world, &mut subscription, "unsubscribe", params);
        assert_eq!(ended.is_ok(), is_taker, "{wrong}");
        assert!(subscription.books.is_empty());
    }
}

#[test]
fn an_issuer_may_be_named_by_its_digits_and_nobody_by_a_word_for_no_currency() {
    let mut world = market();
    let bid = offer(&world, 1, world.usd("10"), xrp(70));
    world.must(1, bid);
    let named = book(&world, true, json!({}));
    let issuer: AccountId = named["taker_pays"]["issuer"].as_str().unwrap().parse().unwrap();
    let mut digits = named.clone();
    digits["taker_pays"]["issuer"] = hex::encode_upper(issuer.0).into();
    digits["taker_gets"]["currency"] = "".into();
    let mut subscription = Subscription::default();
    let mut offers = |asked: &Json| asks(&world, &mut subscription, "book_offers", asked.clone());
    let told = offers(&digits).unwrap();
    assert_eq!(told["offers"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told, offers(&named).unwrap());
    let mut nothing = named.clone();
    nothing["taker_pays"]["currency"] = "1".into();
    let (error, text) = offers(&nothing).unwrap_err();
    assert_eq!(error, "srcCurMalformed");
    assert_eq!(text, "Invalid field 'taker_pays.currency', bad currency.");
    asks(&world, &mut subscription, "subscribe", json!({"books": [digits]})).unwrap();
    asks(&world, &mut subscription, "unsubscribe", json!({"books": [named]})).unwrap();
    assert!(subscription.books.is_empty(), "they are one book");
}

#[test]
fn who_ends_the_history_of_an_account_names_the_account() {
    let world = market();
    let account = book(&world, true, json!({}))["taker_pays"]["issuer"].clone();
    let mut subscription = Subscription::default();
    let mut ends = |history: Json| {
        asks(&world, &mut subscription, "unsubscribe", json!({"account_history_tx_stream": history}))
    };
    for good in [json!({"account": account}), json!({"account": account, "stop_history_tx_only": true})] {
        assert!(ends(good).is_ok());
    }
    for wrong in [
        json!(5),
        json!({}),
        json!({"account": "x"}),
        json!({"account": 5}),
        json!({"account": account, "stop_history_tx_only": 1}),
    ] {
        let refused = ends(wrong.clone()).unwrap_err();
        assert_eq!(refused.0, "invalidParams", "{wrong}");
    }
}

#[test]
fn the_changes_of_books_cannot_be_unsubscribed_from() {
    let world = market();
    let mut subscription = Subscription::default();
    let params = json!({"streams": ["ledger", "book_changes", "transactions"]});
    asks(&world, &mut subscription, "subscribe", params.clone()).unwrap();
    let refused = asks(&world, &mut subscription, "unsubscribe", params).unwrap_err();
    assert_eq!(refused.0, "malformedStream");
    assert_eq!(subscription.streams.len(), 2, "what comes before it is ended");
}

#[test]
fn an_offer_is_told_of_with_what_its_maker_has() {
    let mut world = market();
    let mut subscription = Subscription::default();
    let streams = json!({"streams": ["transactions"], "api_version": 2});
    asks(&world, &mut subscription, "subscribe", streams).unwrap();
    let told = |world: &World, subscription: &Subscription| {
        let frames = frames_for(world.ledger.validated(), subscription, &ServerFacts::default());
        frames[0]["tx_json"]["owner_funds"].clone()
    };
    let gives_dollars = offer(&world, 1, xrp(500), world.usd("1200"));
    world.must(1, gives_dollars);
    assert_eq!(told(&world, &subscription), "1000");
    let gives_xrp = offer(&world, 3, world.usd("1"), xrp(500));
    world.must(3, gives_xrp);
    let reserve = world.ledger.validated().fees.account_reserve(world.owns(3));
    assert_eq!(told(&world, &subscription), (world.drops_of(3) - reserve).to_string());
    let issues = offer(&world, 0, xrp(500), world.usd("1200"));
    world.must(0, issues);
    assert_eq!(told(&world, &subscription), Json::Null, "who issues has as much as it likes");
    world.set(3, flags::asfDefaultRipple);
    assert_eq!(told(&world, &subscription), Json::Null);
    // The same before the ledger closes, and of a ledger where that is asked for.
    let tx = offer(&world, 2, xrp(900), world.usd("7"));
    let blob = signed(tx, world.key(2));
    let mut effects = rpc::Effects::default();
    rpc::submit(&mut world.ledger, &blob, false, &mut effects);
    assert_eq!(proposed_frame(&effects.proposed[0], 1)["transaction"]["owner_funds"], "1000");
    world.ledger.close(CloseTime::Next);
    for (version, more, expected) in [
        (1, json!({"owner_funds": true}), json!("1000")),
        (2, json!({"owner_funds": true, "binary": true}), json!("1000")),
        (2, json!({}), Json::Null),
    ] {
        let mut asked = json!({"ledger_index": "validated", "transactions": true, "expand": true});
        asked["api_version"] = json!(version);
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let shown = asks(&world, &mut subscription, "ledger", asked).unwrap();
        assert_eq!(shown["ledger"]["transactions"][0]["owner_funds"], expected);
    }
}

#[test]
fn nothing_has_been_traded_in_a_ledger_that_is_open() {
    let world = market();
    let changes = asks(&world, &mut Subscription::default(), "book_changes", json!({})).unwrap();
    let parent = world.ledger.validated();
    assert_eq!(
        changes,
        json!({
            "type": "bookChanges", "validated": false, "ledger_index": parent.header.index + 1,
            "ledger_hash": parent.hash.to_string(), "ledger_time": parent.header.close_time.0, "changes": [],
        })
    );
}
