//! Every method over JSON-RPC, by what a caller learns from it.

use serde_json::{Value, json};
use xrpl_harness::EmbeddedServer;
use xrpl_harness::embedded::GENESIS_SEED;
use xrpl_harness::embedded::rpc;
use xrpl_wire::typed::TicketCreate;
use xrpl_wire::{SeqProxy, TxBody, TxCommon, sign, typed};

use crate::support::{account, call, start, xrp};

/// A server on which alice has 1000 XRP and three Tickets, in ledgers 3 and 4.
async fn with_tickets() -> (EmbeddedServer, String) {
    let server = start().await;
    let (keys, alice) = account("alice");
    server.fund(&alice, xrp(1000)).unwrap();
    let created = server.close_ledger().header.index;
    let common = TxCommon::new(alice, SeqProxy::Sequence(created), xrpl_wire::Drops::new(10).unwrap());
    let tx = typed::build(&common, &TxBody::TicketCreate(TicketCreate { count: 3 })).unwrap();
    let outcome = server.submit(&sign::sign_single(&tx, &keys).unwrap());
    assert_eq!(outcome.result.name(), "tesSUCCESS");
    server.close_ledger();
    (server, alice.to_string())
}

#[tokio::test]
async fn account_info_tells_the_account_in_the_ledger_asked_for() {
    let (server, alice) = with_tickets().await;
    let url = server.rpc_url();
    let now = call(&url, "account_info", json!({"account": alice})).await;
    assert_eq!(now["account_data"]["TicketCount"], 3);
    assert_eq!((&now["ledger_current_index"], &now["validated"]), (&json!(5), &json!(false)));
    let before = call(&url, "account_info", json!({"account": alice, "ledger_index": 3})).await;
    assert_eq!(before["account_data"]["TicketCount"], Value::Null);
    let by_hash = json!({"account": alice, "ledger_hash": before["ledger_hash"], "api_version": 2, "signer_lists": true});
    let by_hash = call(&url, "account_info", by_hash).await;
    assert_eq!((&by_hash["ledger_index"], &by_hash["signer_lists"]), (&json!(3), &json!([])));
    let wrong = json!({"account": alice, "signer_lists": "yes", "api_version": 2});
    assert_eq!(call(&url, "account_info", wrong).await["error"], "invalidParams");
    let queue = json!({"account": alice, "queue": true});
    assert_eq!(call(&url, "account_info", queue).await["queue_data"]["txn_count"], 0);
}

#[tokio::test]
async fn account_objects_pages_by_its_marker() {
    let (server, alice) = with_tickets().await;
    let url = server.rpc_url();
    let ask = |marker: Value| {
        let mut params = json!({"account": alice, "ledger_index": "validated", "limit": 2, "type": "ticket"});
        if !marker.is_null() {
            params["marker"] = marker;
        }
        params
    };
    let first = call(&url, "account_objects", ask(Value::Null)).await;
    assert_eq!(first["account_objects"].as_array().unwrap().len(), 2);
    let second = call(&url, "account_objects", ask(first["marker"].clone())).await;
    assert_eq!(second["account_objects"].as_array().unwrap().len(), 1);
    assert_eq!(second["marker"], Value::Null);
    let elsewhere = format!("{},{}", "AB".repeat(32), "CD".repeat(32));
    assert_eq!(call(&url, "account_objects", ask(json!(elsewhere))).await["error"], "invalidParams");
    let blockers = json!({"account": alice, "deletion_blockers_only": true});
    assert_eq!(call(&url, "account_objects", blockers).await["account_objects"], json!([]));
}

#[tokio::test]
async fn account_tx_pages_forward_and_back() {
    let (server, alice) = with_tickets().await;
    let url = server.rpc_url();
    let ask = json!({"account": alice, "limit": 1, "api_version": 2});
    let newest = call(&url, "account_tx", ask).await;
    assert_eq!(newest["transactions"][0]["tx_json"]["TransactionType"], "TicketCreate");
    let mut ask = json!({"account": alice, "limit": 1, "binary": true, "api_version": 2});
    ask["marker"] = newest["marker"].clone();
    let older = call(&url, "account_tx", ask).await;
    assert_eq!((&older["transactions"][0]["ledger_index"], &older["marker"]), (&json!(3), &Value::Null));
    let forward = call(&url, "account_tx", json!({"account": alice, "forward": true})).await;
    assert_eq!(forward["transactions"][0]["tx"]["TransactionType"], "Payment");
    for (wrong, error) in [
        (json!({"account": alice, "marker": {"ledger": 3}}), "invalidParams"),
        (json!({"account": "r"}), "actMalformed"),
        (json!({"account": alice, "ledger_index_min": 9, "api_version": 2}), "invalidLgrRange"),
        (json!({"account": alice, "ledger_index_max": 9, "api_version": 2}), "lgrIdxMalformed"),
        (json!({"account": alice, "ledger_index": "current"}), "lgrNotValidated"),
        (json!({"account": alice, "forward": 1, "api_version": 2}), "invalidParams"),
    ] {
        assert_eq!(call(&url, "account_tx", wrong.clone()).await["error"], error, "{wrong}");
    }
}

#[tokio::test]
async fn ledger_entry_finds_what_it_is_asked_by_name_or_index() {
    let (server, alice) = with_tickets().await;
    let url = server.rpc_url();
    for named in [
        json!({"account_root": alice}),
        json!({"ticket": {"account": alice, "ticket_seq": 4}}),
        json!({"directory": {"owner": alice}}),
        json!({"fee": "4BC50C9B0D8515D3EAAE1E74B29A95804346C491EE1A95BF25E4AAB854A6A651"}),
    ] {
        let found = call(&url, "ledger_entry", named.clone()).await;
        assert_eq!(found["status"], "success", "{named} {found}");
        let same = call(&url, "ledger_entry", json!({"index": found["index"], "binary": true})).await;
        assert!(same["node_binary"].is_string());
    }
    for (wrong, error) in [
        (json!({"ticket": {"account": alice}}), "malformedRequest"),
        (json!({"ticket": {"account": 5, "ticket_seq": 4}}), "malformedAddress"),
        (json!({"ticket": {"account": alice, "ticket_seq": 99}}), "entryNotFound"),
        (json!({"escrow": {"owner": alice, "seq": "x"}}), "malformedSeq"),
        (
            json!({"check": "4BC50C9B0D8515D3EAAE1E74B29A95804346C491EE1A95BF25E4AAB854A6A651"}),
            "unexpectedLedgerType",
        ),
        (json!({"index": "zz"}), "malformedRequest"),
        (json!({"index": "", "fee": ""}), "invalidParams"),
        (json!({"api_version": 2}), "invalidParams"),
        (json!({"ripple_state": {"accounts": [alice, alice], "currency": "USD"}}), "malformedRequest"),
    ] {
        assert_eq!(call(&url, "ledger_entry", wrong.clone()).await["error"], error, "{wrong}");
    }
}

#[tokio::test]
async fn ledger_data_walks_the_whole_state_once() {
    let (server, _) = with_tickets().await;
    let url = server.rpc_url();
    let mut indexes = Vec::new();
    let mut ask = json!({"ledger_index": "validated", "limit": 3, "binary": true});
    loop {
        let page = call(&url, "ledger_data", ask.clone()).await;
        let entries = page["state"].as_array().unwrap().iter();
        indexes.extend(entries.map(|entry| entry["index"].as_str().unwrap().to_owned()));
        assert_eq!(page["ledger"].is_object(), ask["marker"].is_null());
        if page["marker"].is_null() {
            break;
        }
        ask["marker"] = page["marker"].clone();
    }
    let state: Vec<String> = server.validated().state.iter().map(|(index, _)| index.to_string()).collect();
    assert_eq!(indexes, state);
    // Who names no ledger is told of the open one, which goes by its parent's hash.
    let open = call(&url, "ledger_data", json!({"limit": 1})).await;
    let index = server.validated().header.index;
    assert_eq!(open["ledger_hash"], server.validated().hash.to_string(), "{open}");
    assert_eq!(
        (&open["ledger_index"], &open["ledger_current_index"]),
        (&json!(index + 1), &json!(index + 1))
    );
    assert_eq!(open["validated"], false);
}

#[tokio::test]
async fn a_transaction_is_found_by_hash_and_by_ctid() {
    let (server, alice) = with_tickets().await;
    let url = server.rpc_url();
    let listed = call(&url, "account_tx", json!({"account": alice, "limit": 1})).await;
    let tx = &listed["transactions"][0]["tx"];
    let by_hash = call(&url, "tx", json!({"transaction": tx["hash"]})).await;
    let by_ctid = call(&url, "tx", json!({"ctid": tx["ctid"]})).await;
    assert_eq!(by_hash, by_ctid);
    let binary = call(&url, "tx", json!({"transaction": tx["hash"], "binary": true, "api_version": 2})).await;
    assert!(binary["tx_blob"].is_string() && binary["meta_blob"].is_string());
    let missing = "AB".repeat(32);
    let ranged = json!({"transaction": missing, "min_ledger": 2, "max_ledger": 4});
    let ranged = call(&url, "tx", ranged).await;
    assert_eq!((&ranged["error"], &ranged["searched_all"]), (&json!("txnNotFound"), &json!(true)));
    for (wrong, error) in [
        (json!({"transaction": missing, "ctid": "C"}), "invalidParams"),
        (json!({"ctid": "C"}), "invalidParams"),
        (json!({"ctid": "C000000300000007"}), "wrongNetwork"),
        (json!({"transaction": missing, "min_ledger": 4, "max_ledger": 2}), "invalidLgrRange"),
        (json!({"transaction": missing, "min_ledger": 1, "max_ledger": 2000}), "excessiveLgrRange"),
    ] {
        assert_eq!(call(&url, "tx", wrong.clone()).await["error"], error, "{wrong}");
    }
}

#[tokio::test]
async fn a_transaction_is_signed_submitted_and_simulated_by_the_server() {
    let (server, alice) = with_tickets().await;
    let url = server.rpc_url();
    let payment = json!({"TransactionType": "Payment", "Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
        "Destination": alice, "Amount": "5"});
    let simulated = call(&url, "simulate", json!({"tx_json": payment})).await;
    assert_eq!(simulated["meta"]["delivered_amount"], "5");
    let signed = call(&url, "sign", json!({"tx_json": payment, "secret": GENESIS_SEED})).await;
    let blob = signed["tx_blob"].clone();
    let submitted = call(&url, "submit", json!({"tx_blob": blob})).await;
    assert_eq!((&submitted["engine_result"], &submitted["applied"]), (&json!("tesSUCCESS"), &json!(true)));
    let again = call(&url, "submit", json!({"tx_json": payment, "secret": "masterpassphrase"})).await;
    assert_eq!(again["engine_result"], "tesSUCCESS");
    assert!(again["deprecated"].is_string());
    assert_eq!(call(&url, "ledger_accept", json!({})).await["ledger_current_index"], 6);
    let wrong = json!({"tx_json": payment, "secret": "somebody else"});
    assert_eq!(call(&url, "sign", wrong).await["error"], "badSecret");
    let stranger =
        json!({"tx_json": {"TransactionType": "Payment", "Account": "rrrrrrrrrrrrrrrrrrrrBZbvji"}});
    assert_eq!(call(&url, "simulate", stranger).await["error"], "srcActNotFound");
}

#[tokio::test]
async fn a_multi_signed_transaction_is_collected_and_submitted_in_json() {
    let server = start().await;
    let url = server.rpc_url();
    let (_, alice) = account("alice");
    server.fund(&alice, xrp(100)).unwrap();
    server.close_ledger();
    let seed = |byte: u8| hex::encode_upper([byte; 16]);
    let wallet = |byte: u8| json!({"seed_hex": seed(byte), "key_type": "ed25519"});
    let mut signers = Vec::new();
    for byte in [1, 2] {
        signers.push(call(&url, "wallet_propose", wallet(byte)).await["account_id"].clone());
    }
    let entries: Vec<Value> = signers
        .iter()
        .map(|account| json!({"SignerEntry": {"Account": account, "SignerWeight": 1}}))
        .collect();
    let genesis = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
    let list = json!({"TransactionType": "SignerListSet", "Account": genesis, "SignerQuorum": 2, "SignerEntries": entries});
    let set = call(&url, "submit", json!({"tx_json": list, "secret": GENESIS_SEED})).await;
    assert_eq!(set["engine_result"], "tesSUCCESS", "{set}");
    server.close_ledger();
    let mut tx = json!({"TransactionType": "Payment", "Account": genesis, "Destination": alice.to_string(),
        "Amount": "1", "Fee": "30", "Sequence": 3});
    for (byte, signer) in [1, 2].into_iter().zip(&signers) {
        let mut ask = wallet(byte);
        ask["account"] = signer.clone();
        ask["tx_json"] = tx.clone();
        let signed = call(&url, "sign_for", ask).await;
        assert_eq!(signed["status"], "success", "{signed}");
        tx = signed["tx_json"].clone();
    }
    let submitted = call(&url, "submit_multisigned", json!({"tx_json": tx})).await;
    assert_eq!(submitted["engine_result"], "tesSUCCESS", "{submitted}");
    tx["Signers"] = json!([]);
    assert_eq!(call(&url, "submit_multisigned", json!({"tx_json": tx})).await["error"], "invalidParams");
}

#[tokio::test]
async fn the_server_tells_about_itself() {
    let (server, alice) = with_tickets().await;
    let url = server.rpc_url();
    let empty = json!({});
    assert_eq!(call(&url, "ledger_current", empty.clone()).await["ledger_current_index"], 5);
    assert_eq!(call(&url, "ledger_closed", empty.clone()).await["ledger_index"], 4);
    assert!(call(&url, "ledger_header", json!({"ledger_index": 4})).await["ledger_data"].is_string());
    let gone = json!({"ledger_index": 4, "api_version": 2});
    assert_eq!(call(&url, "ledger_header", gone).await["error"], "unknownCmd");
    assert!(call(&url, "ledger", empty.clone()).await["open"]["ledger"]["parent_hash"].is_string());
    assert_eq!(call(&url, "fee", empty.clone()).await["levels"]["reference_level"], "256");
    assert_eq!(call(&url, "server_info", empty.clone()).await["info"]["complete_ledgers"], "2-4");
    assert_eq!(call(&url, "server_state", empty.clone()).await["state"]["validated_ledger"]["base_fee"], 10);
    assert_eq!(call(&url, "version", empty.clone()).await["version"]["good"], "1.0.0");
    assert_eq!(call(&url, "version", json!({"api_version": 2})).await["version"]["last"], 2);
    assert_eq!(call(&url, "random", empty.clone()).await["random"].as_str().unwrap().len(), 64);
    let feature = call(&url, "feature", json!({"feature": "TokenEscrow"})).await;
    assert!(feature.as_object().unwrap().values().any(|value| value["enabled"] == true), "{feature}");
    assert_eq!(call(&url, "feature", json!({"feature": "Nonsense"})).await["error"], "badFeature");
    let definitions = call(&url, "server_definitions", empty.clone()).await;
    assert_eq!(definitions["TRANSACTION_TYPES"]["EscrowFinish"], 2);
    assert_eq!(definitions["TYPES"]["AccountID"], 8);
    let same = call(&url, "server_definitions", json!({"hash": definitions["hash"]})).await;
    assert_eq!(same["FIELDS"], Value::Null);
    let lines = call(&url, "account_lines", json!({"account": alice, "limit": 1})).await;
    assert_eq!((&lines["lines"], lines["marker"].is_string()), (&json!([]), true));
    let rest = call(&url, "account_lines", json!({"account": alice, "marker": lines["marker"]})).await;
    assert_eq!(rest["marker"], Value::Null);
    let pair = json!({"source_account": alice, "destination_account": alice});
    assert_eq!(call(&url, "deposit_authorized", pair).await["deposit_authorized"], true);
    let currencies = call(&url, "account_currencies", json!({"account": alice})).await;
    assert_eq!(currencies["send_currencies"], json!([]));
}

/// A method that exists answers something else than `unknownCmd`, whatever else it thinks of no parameters.
#[tokio::test]
async fn every_method_answers_without_parameters() {
    let server = start().await;
    for method in rpc::methods() {
        let reply = call(&server.rpc_url(), method, json!({})).await;
        assert_ne!(reply["error"], "unknownCmd", "{method}");
        assert!(["success", "error"].contains(&reply["status"].as_str().unwrap()), "{method}: {reply}");
    }
}
