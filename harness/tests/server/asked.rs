//! Methods that client libraries call beside the everyday ones.

use serde_json::{Value, json};
use xrpl_harness::EmbeddedServer;
use xrpl_harness::embedded::{GENESIS_ACCOUNT, GENESIS_SEED};

use crate::support::{account, call, start, xrp};

const ISSUER: &str = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";

/// The genesis account has issued 7 USD to alice and 5 to bob, and holds 3 EUR of bob's. Answers with the hash of the
/// last payment.
async fn with_money() -> (EmbeddedServer, String, String, Value) {
    let server = start().await;
    let url = server.rpc_url();
    let (alice, bob) = (account("alice").1, account("bob").1);
    for person in [alice, bob] {
        server.fund(&person, xrp(1000)).unwrap();
        server.impersonate(person, true);
    }
    server.close_ledger();
    let (alice, bob) = (alice.to_string(), bob.to_string());
    let submit = async |from: &str, more: Value| {
        let mut tx = json!({"Account": from, "Fee": "10", "SigningPubKey": ""});
        tx.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        if from == ISSUER {
            tx.as_object_mut().unwrap().remove("SigningPubKey");
            let done = call(&url, "submit", json!({"secret": GENESIS_SEED, "tx_json": tx})).await;
            assert_eq!(done["engine_result"], "tesSUCCESS", "{done}");
            return done["tx_json"]["hash"].clone();
        }
        let info = call(&url, "account_info", json!({"account": from})).await;
        tx["Sequence"] = info["account_data"]["Sequence"].clone();
        let tx = xrpl_wire::Transaction::from_json(&tx).unwrap();
        let done = call(&url, "submit", json!({"tx_blob": hex::encode(tx.encode())})).await;
        assert_eq!(done["engine_result"], "tesSUCCESS", "{done}");
        done["tx_json"]["hash"].clone()
    };
    let amount = |value: &str, currency: &str, issuer: &str| json!({"currency": currency, "issuer": issuer, "value": value});
    let trust = |limit: Value| json!({"TransactionType": "TrustSet", "LimitAmount": limit});
    let pay =
        |to: &str, amount: Value| json!({"TransactionType": "Payment", "Destination": to, "Amount": amount});
    submit(&alice, trust(amount("100", "USD", ISSUER))).await;
    submit(&bob, trust(amount("100", "USD", ISSUER))).await;
    submit(ISSUER, trust(amount("100", "EUR", &bob))).await;
    submit(ISSUER, pay(&alice, amount("7", "USD", ISSUER))).await;
    submit(ISSUER, pay(&bob, amount("5", "USD", ISSUER))).await;
    let last = submit(&bob, pay(ISSUER, amount("3", "EUR", &bob))).await;
    server.close_ledger();
    (server, alice, bob, last)
}

#[tokio::test]
async fn an_issuers_obligations_assets_and_hot_wallets_are_added_up() {
    let (server, alice, bob, _) = with_money().await;
    let url = server.rpc_url();
    let all = call(&url, "gateway_balances", json!({"account": ISSUER})).await;
    assert_eq!(all["obligations"], json!({"USD": "12"}));
    assert_eq!(all["assets"], json!({&bob: [{"currency": "EUR", "value": "3"}]}));
    let hot = json!({"account": ISSUER, "hotwallet": alice, "ledger_index": "validated"});
    let hot = call(&url, "gateway_balances", hot).await;
    assert_eq!(hot["balances"], json!({&alice: [{"currency": "USD", "value": "7"}]}));
    assert_eq!((&hot["obligations"], &hot["validated"]), (&json!({"USD": "5"}), &json!(true)));
    for (version, error) in [(1, "invalidHotWallet"), (2, "invalidParams")] {
        let wrong = json!({"account": ISSUER, "hotwallet": ["x"], "api_version": version});
        assert_eq!(call(&url, "gateway_balances", wrong).await["error"], error);
    }
    // Nobody has this account. Only version 2 says so.
    let nobody = account("nobody").1.to_string();
    for (version, error) in [(1, Value::Null), (2, json!("actNotFound"))] {
        let asked = json!({"account": nobody, "api_version": version});
        let told = call(&url, "gateway_balances", asked).await;
        assert_eq!((&told["error"], &told["account"]), (&error, &json!(nobody)));
    }
}

#[tokio::test]
async fn lines_that_ripple_as_they_should_not_are_named_with_what_mends_them() {
    let (server, alice, _, _) = with_money().await;
    let url = server.rpc_url();
    let user = json!({"account": alice, "role": "user", "transactions": true});
    let user = call(&url, "noripple_check", user).await;
    let problem = format!("You should probably set the no ripple flag on your USD line to {ISSUER}");
    assert_eq!(user["problems"], json!([problem]));
    assert_eq!(
        (&user["transactions"][0]["Flags"], &user["transactions"][0]["Fee"]),
        (&json!(131_072), &json!(10))
    );
    assert_eq!(user["transactions"][0]["LimitAmount"]["value"], "100");
    let gateway =
        call(&url, "noripple_check", json!({"account": ISSUER, "role": "gateway", "transactions": true}))
            .await;
    assert_eq!(gateway["problems"][0], "You should immediately set your default ripple flag");
    assert_eq!(gateway["transactions"][0]["SetFlag"], 8);
    let malformed = json!({"account": "x", "role": "user", "transactions": true});
    let malformed = call(&url, "noripple_check", malformed).await;
    assert_eq!((&malformed["error"], &malformed["transactions"]), (&json!("actMalformed"), &json!([])));
    let plain = call(&url, "noripple_check", json!({"account": "x", "role": "user"})).await;
    assert_eq!((&plain["error"], &plain["transactions"]), (&json!("actMalformed"), &Value::Null));
    for (ask, message) in [
        (json!({"role": "user"}), "Missing field 'account'."),
        (json!({"account": alice}), "Missing field 'role'."),
        (json!({"account": alice, "role": "x"}), "Invalid field 'role'."),
    ] {
        assert_eq!(call(&url, "noripple_check", ask).await["error_message"], message);
    }
}

#[tokio::test]
async fn a_transaction_is_found_in_the_ledger_named_and_among_the_newest() {
    let (server, _, _, last) = with_money().await;
    let url = server.rpc_url();
    let found = call(&url, "transaction_entry", json!({"tx_hash": last, "ledger_index": "validated"})).await;
    assert_eq!((&found["tx_json"]["hash"], &found["validated"]), (&last, &json!(true)));
    assert_eq!(found["metadata"]["TransactionResult"], "tesSUCCESS");
    let new = json!({"tx_hash": last, "ledger_index": "validated", "api_version": 2});
    let new = call(&url, "transaction_entry", new).await;
    assert_eq!((&new["hash"], &new["tx_json"]["hash"]), (&last, &Value::Null));
    assert!(new["close_time_iso"].is_string() && new["meta"].is_object());
    for (ask, error) in [
        (json!({"tx_hash": last, "ledger_index": 2}), "transactionNotFound"),
        (json!({"tx_hash": last}), "notYetImplemented"),
        (json!({"ledger_index": "validated"}), "fieldNotFoundTransaction"),
        (json!({"tx_hash": "00", "ledger_index": "validated"}), "malformedRequest"),
    ] {
        assert_eq!(call(&url, "transaction_entry", ask).await["error"], error);
    }
    let newest = call(&url, "tx_history", json!({"start": 0})).await;
    let ledgers: Vec<u64> =
        newest["txs"].as_array().unwrap().iter().map(|tx| tx["ledger_index"].as_u64().unwrap()).collect();
    assert_eq!((ledgers.len(), ledgers[0], ledgers[7]), (8, 4, 3));
    // That database keeps neither a date nor a CTID beside them.
    let first = &newest["txs"][0];
    assert_eq!((&first["inLedger"], &first["date"], &first["ctid"]), (&json!(4), &Value::Null, &Value::Null));
    assert!(first["hash"].is_string());
    assert_eq!(call(&url, "tx_history", json!({"start": 8})).await["txs"], Value::Null);
    assert_eq!(call(&url, "tx_history", json!({"start": 7})).await["txs"].as_array().unwrap().len(), 1);
    assert_eq!(call(&url, "tx_history", json!({})).await["error"], "invalidParams");
    assert_eq!(call(&url, "tx_history", json!({"start": 0, "api_version": 2})).await["error"], "unknownCmd");
}

#[tokio::test]
async fn a_claim_on_a_channel_is_signed_and_verified() {
    let server = start().await;
    let url = server.rpc_url();
    let channel = "AB".repeat(32);
    let ask = json!({"secret": GENESIS_SEED, "channel_id": channel, "amount": "1000000"});
    let signature = call(&url, "channel_authorize", ask).await["signature"].take();
    let hex_key = "0330E7FC9D56BB25D6893BA3F317AE5BCF33B3291BD63DB32654A313222F7FD020";
    for (key, amount, good) in [
        (hex_key, "1000000", true),
        ("aBQG8RQAzjs1eTKFEAQXr2gS4utcDiEC9wmi7pfUPTi27VCahwgw", "1000000", true),
        (hex_key, "1000001", false),
    ] {
        let claim =
            json!({"public_key": key, "channel_id": channel, "amount": amount, "signature": signature});
        assert_eq!(call(&url, "channel_verify", claim).await["signature_verified"], good);
    }
    // Half a byte is read as the first of the signature's, which is then no good one.
    let cut = json!({"public_key": hex_key, "channel_id": channel, "amount": "1", "signature": "304"});
    assert_eq!(call(&url, "channel_verify", cut).await["signature_verified"], false);
    for (method, ask, error) in [
        (
            "channel_authorize",
            json!({"secret": GENESIS_SEED, "channel_id": "x", "amount": "1"}),
            "channelMalformed",
        ),
        (
            "channel_authorize",
            json!({"secret": GENESIS_SEED, "channel_id": channel, "amount": "-1"}),
            "channelAmtMalformed",
        ),
        ("channel_authorize", json!({"channel_id": channel, "amount": "1"}), "invalidParams"),
        (
            "channel_verify",
            json!({"public_key": "zz", "channel_id": channel, "amount": "1", "signature": "AB"}),
            "publicMalformed",
        ),
        (
            "channel_verify",
            json!({"public_key": hex_key, "channel_id": channel, "amount": "1", "signature": ""}),
            "invalidParams",
        ),
    ] {
        assert_eq!(call(&url, method, ask.clone()).await["error"], error, "{method} {ask}");
    }
}

#[tokio::test]
async fn what_an_account_does_not_have_is_an_empty_list_with_its_pages() {
    let (server, alice, _, _) = with_money().await;
    let url = server.rpc_url();
    for (method, list) in
        [("account_offers", "offers"), ("account_channels", "channels"), ("account_nfts", "account_nfts")]
    {
        let none = call(&url, method, json!({"account": alice})).await;
        assert_eq!((&none[list], &none["account"]), (&json!([]), &json!(alice)), "{method}");
        let nobody = json!({"account": account("nobody").1.to_string()});
        assert_eq!(call(&url, method, nobody).await["error"], "actNotFound");
        assert_eq!(call(&url, method, json!({"account": "x"})).await["error"], "actMalformed");
        assert_eq!(call(&url, method, json!({})).await["error_message"], "Missing field 'account'.");
    }
    // What is not shown counts towards the page, as on the server.
    let first = call(&url, "account_channels", json!({"account": ISSUER, "limit": 1})).await;
    assert_eq!((&first["channels"], &first["limit"]), (&json!([]), &json!(1)));
    let second = json!({"account": ISSUER, "limit": 10, "marker": first["marker"]});
    assert_eq!(call(&url, "account_channels", second).await["marker"], Value::Null);
    for (marker, message) in [
        (json!(1), "Invalid field 'marker', not string."),
        (json!("x"), "Invalid field 'marker'."),
        (json!("AB".repeat(32)), "Invalid field 'marker'."),
    ] {
        let asked = json!({"account": alice, "marker": marker});
        assert_eq!(call(&url, "account_nfts", asked).await["error_message"], message, "{marker}");
    }
    let invalid = "Invalid parameters.";
    for (method, malformed) in [
        ("account_offers", "Invalid field 'marker'."),
        ("account_channels", invalid),
        ("account_lines", invalid),
    ] {
        let said = async |marker: &str| {
            let asked = json!({"account": ISSUER, "marker": marker});
            call(&url, method, asked).await["error_message"].clone()
        };
        let nothing = format!("{},0", "0".repeat(64));
        assert_eq!((said("x").await, said(&nothing).await), (json!(malformed), json!(invalid)), "{method}");
    }
}

#[tokio::test]
async fn there_is_no_amm_and_no_validator() {
    let server = start().await;
    let url = server.rpc_url();
    let usd = json!({"currency": "USD", "issuer": ISSUER});
    for (ask, error) in [
        (json!({"asset": {"currency": "XRP"}, "asset2": usd}), "actNotFound"),
        (json!({"amm_account": ISSUER}), "actNotFound"),
        (json!({"asset": usd}), "invalidParams"),
        (json!({}), "invalidParams"),
        (json!({"asset": {"currency": "USD"}, "asset2": usd}), "issueMalformed"),
        (json!({"amm_account": "x"}), "actMalformed"),
        (json!({"amm_account": account("nobody").1.to_string()}), "actMalformed"),
        (json!({"amm_account": ISSUER, "account": "x"}), "actNotFound"),
        (
            json!({"asset": {"currency": "XRP"}, "asset2": usd, "account": account("nobody").1.to_string()}),
            "actMalformed",
        ),
    ] {
        assert_eq!(call(&url, "amm_info", ask.clone()).await["error"], error, "{ask}");
    }
    let key = "n9L6mAa1rSwjxxwRnAgosQTXLuq7xTi7Wfit4suRjnKg7eC2SHrM";
    let known = call(&url, "manifest", json!({"public_key": key})).await;
    assert_eq!((&known["requested"], &known["manifest"]), (&json!(key), &Value::Null));
    assert_eq!(call(&url, "manifest", json!({"public_key": "x"})).await["error"], "invalidParams");
    assert_eq!(GENESIS_ACCOUNT.to_string(), ISSUER);
}
