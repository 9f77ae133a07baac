//! What reading methods and streams tell beyond the ordinary: kinds of entries, credentials, amendments, and where one
//! generation of the server answers otherwise than another.

use serde_json::{Value, json};
use xrpl_harness::embedded::{Amendment, Generation, GenesisConfig};
use xrpl_harness::{EmbeddedConfig, EmbeddedServer};

use crate::support::{Ws, account, call, start, xrp};

async fn of(generation: Generation) -> EmbeddedServer {
    let genesis = GenesisConfig::of(generation);
    EmbeddedServer::start(EmbeddedConfig { genesis, ..EmbeddedConfig::default() }).await.unwrap()
}

#[tokio::test]
async fn an_issuer_hears_of_its_currency_and_a_double_subscriber_hears_twice() {
    let server = start().await;
    let (alice, bob, issuer) = (account("alice").1, account("bob").1, account("issuer").1);
    server.fund(&alice, xrp(100)).unwrap();
    server.impersonate(alice, true);
    let sequence = server.close_ledger().header.index;
    let mut ws = Ws::connect(&server.ws_url()).await;
    ws.ask("subscribe", json!({"accounts_proposed": [issuer.to_string()]})).await;
    let mut both = Ws::connect(&server.ws_url()).await;
    let wanted = json!({"streams": ["transactions_proposed"], "accounts_proposed": [alice.to_string()]});
    both.ask("subscribe", wanted).await;
    let amount = json!({"currency": "USD", "issuer": issuer.to_string(), "value": "1"});
    let json = json!({"TransactionType": "Payment", "Account": alice.to_string(), "Destination": bob.to_string(),
        "Amount": amount, "SendMax": "1000000", "Sequence": sequence, "Fee": "10", "SigningPubKey": ""});
    let tx = xrpl_wire::Transaction::from_json(&json).unwrap();
    let outcome = server.submit(&tx);
    assert!(outcome.applied, "{}", outcome.result);
    assert_eq!(ws.frame().await["hash"], tx.id().to_string());
    for _ in 0..2 {
        assert_eq!(both.frame().await["hash"], tx.id().to_string());
    }
    both.ask("ping", json!({})).await;
    assert_eq!(both.frames.len(), 0, "and no third time");
}

#[tokio::test]
async fn every_kind_of_entry_may_be_asked_for() {
    let server = start().await;
    let url = server.rpc_url();
    let alice = account("alice").1;
    server.fund(&alice, xrp(100)).unwrap();
    server.close_ledger();
    for kind in ["loan", "loan_broker", "xchain_owned_claim_id", "xchain_owned_create_account_claim_id"] {
        let listed = call(&url, "account_objects", json!({"account": alice.to_string(), "type": kind})).await;
        assert_eq!(listed["account_objects"], json!([]), "{kind}");
        let mut ask = json!({});
        ask[kind] = json!("AB".repeat(32));
        assert_eq!(call(&url, "ledger_entry", ask).await["error"], "entryNotFound", "{kind}");
    }
    for (ask, found) in [
        (json!({"fee": true}), true),
        (json!({"amendments": true}), true),
        (json!({"hashes": true}), true),
        (json!({"nunl": true}), false),
    ] {
        let reply = call(&url, "ledger_entry", ask.clone()).await;
        assert_eq!(reply["status"] == "success", found, "{ask}");
    }
    let owner = alice.to_string();
    for (ask, error, message) in [
        (
            json!({"directory": {"owner": owner, "sub_index": "x"}}),
            "malformedRequest",
            "Invalid field 'sub_index', not number.",
        ),
        (json!({"signer_list": owner}), "malformedRequest", "Invalid field 'signer_list', not hex string."),
        (
            json!({"mpt_issuance": "zz"}),
            "malformedMPTokenIssuance",
            "Invalid field 'mpt_issuance', not Hash192.",
        ),
        (json!({"offer": {"account": owner}}), "malformedRequest", "Missing field 'seq'."),
        (json!({"delegate": {"account": owner}}), "malformedRequest", "Missing field 'authorize'."),
        (
            json!({"credential": {"subject": owner, "issuer": owner, "credential_type": "zz"}}),
            "malformedRequest",
            "Invalid field 'credential_type', not hex string.",
        ),
        (
            json!({"deposit_preauth": {"owner": owner, "authorized_credentials": []}}),
            "malformedAuthorizedCredentials",
            "Invalid field 'authorized_credentials', array empty.",
        ),
    ] {
        let reply = call(&url, "ledger_entry", ask.clone()).await;
        assert_eq!((&reply["error"], &reply["error_message"]), (&json!(error), &json!(message)), "{ask}");
    }
    for named in [
        json!({"offer": {"account": owner, "seq": 1}}),
        json!({"permissioned_domain": {"account": owner, "seq": 1}}),
        json!({"credential": {"subject": owner, "issuer": owner, "credential_type": "4142"}}),
        json!({"mptoken": {"account": owner, "mpt_issuance_id": "00".repeat(24)}}),
        json!({"did": owner}),
        json!({"deposit_preauth": {"owner": owner, "authorized_credentials": [{"issuer": owner, "credential_type": "4142"}]}}),
    ] {
        assert_eq!(call(&url, "ledger_entry", named.clone()).await["error"], "entryNotFound", "{named}");
    }
}

#[tokio::test]
async fn credentials_of_a_deposit_are_refused_in_the_servers_words() {
    let server = start().await;
    let url = server.rpc_url();
    let (alice, bob) = (account("alice").1, account("bob").1);
    for account in [&alice, &bob] {
        server.fund(account, xrp(100)).unwrap();
    }
    server.close_ledger();
    let ask = async |credentials: Value| {
        let params = json!({"source_account": alice.to_string(), "destination_account": bob.to_string(),
            "credentials": credentials});
        call(&url, "deposit_authorized", params).await
    };
    let empty = "Invalid field 'credentials', not is non-empty array of CredentialID(hash256).";
    for (credentials, error, message) in [
        (json!([]), "invalidParams", empty),
        (json!("x"), "invalidParams", empty),
        (json!([1]), "invalidParams", "Invalid field 'credentials', not an array of CredentialID(hash256)."),
        (
            json!(vec!["AB".repeat(32); 9]),
            "invalidParams",
            "Invalid field 'credentials', not array too long.",
        ),
        (json!(["AB".repeat(32)]), "badCredentials", "credentials don't exist"),
    ] {
        let reply = ask(credentials.clone()).await;
        assert_eq!(
            (&reply["error"], &reply["error_message"]),
            (&json!(error), &json!(message)),
            "{credentials}"
        );
    }
}

#[tokio::test]
async fn amendments_are_told_with_those_that_are_in_force_anyway_or_came_to_nothing() {
    for (generation, supported, enabled) in [(Generation::V3_1, 99, 79), (Generation::V3_2, 98, 46)] {
        let server = of(generation).await;
        let url = server.rpc_url();
        let told = call(&url, "feature", json!({})).await["features"].take();
        let told = told.as_object().unwrap();
        let on = told.values().filter(|feature| feature["enabled"] == true).count();
        assert_eq!((told.len(), on), (supported, enabled), "{generation}");
        assert!(told.values().all(|feature| feature["supported"] == true && feature["name"].is_string()));
        let retired = call(&url, "feature", json!({"feature": "Escrow"})).await;
        let retired = &retired[Amendment::Escrow.id().to_string()];
        assert_eq!((&retired["enabled"], &retired["vetoed"]), (&json!(false), &json!("Obsolete")));
        for unknown in ["Batch", "nosuch"] {
            assert_eq!(call(&url, "feature", json!({"feature": unknown})).await["error"], "badFeature");
        }
    }
}

#[tokio::test]
async fn later_servers_say_more_of_what_they_did_not_find() {
    let index = "AB".repeat(32);
    let old = of(Generation::V3_1).await;
    let new = of(Generation::V3_2).await;
    let ask = json!({"index": index, "ledger_index": "validated"});
    let (before, after) = (
        call(&old.rpc_url(), "ledger_entry", ask.clone()).await,
        call(&new.rpc_url(), "ledger_entry", ask).await,
    );
    assert_eq!((&before["error"], &after["error"]), (&json!("entryNotFound"), &json!("entryNotFound")));
    assert_eq!((&before["index"], &after["index"]), (&Value::Null, &json!(index)));
    assert_eq!((&after["ledger_index"], &after["validated"]), (&json!(2), &json!(true)));
    let wrong = json!({"account": xrpl_harness::embedded::GENESIS_ACCOUNT.to_string(), "ledger_index": "x"});
    for (server, message) in
        [(&old, "ledgerIndexMalformed"), (&new, "Invalid field 'ledger_index', not string or number.")]
    {
        let reply = call(&server.rpc_url(), "account_info", wrong.clone()).await;
        assert_eq!(reply["error_message"], message);
    }
    let many = json!({"account": xrpl_harness::embedded::GENESIS_ACCOUNT.to_string(), "limit": "many"});
    for (server, error, usual) in [(&old, "internal", 0), (&new, "invalidParams", 200)] {
        assert_eq!(call(&server.rpc_url(), "account_tx", many.clone()).await["error"], error);
        let plain = json!({"account": xrpl_harness::embedded::GENESIS_ACCOUNT.to_string()});
        assert_eq!(call(&server.rpc_url(), "account_tx", plain).await["limit"], usual);
    }
}

#[tokio::test]
async fn a_transaction_that_is_remembered_is_found_whatever_range_is_searched() {
    let server = start().await;
    let url = server.rpc_url();
    let id = server.fund(&account("alice").1, xrp(100)).unwrap().to_string();
    let index = server.close_ledger().header.index;
    let elsewhere = json!({"transaction": id, "min_ledger": 1, "max_ledger": 2});
    assert_eq!(call(&url, "tx", elsewhere).await["ledger_index"], index);
}
