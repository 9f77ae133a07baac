//! The methods that sign and submit JSON: what they fill in, what they show, and in which words they refuse.

use serde_json::{Value, json};
use xrpl_harness::embedded::{GENESIS_ACCOUNT, GENESIS_SEED, Generation, GenesisConfig};
use xrpl_harness::{EmbeddedConfig, EmbeddedServer};
use xrpl_wire::{KeyPair, sf};

use crate::support::{account, call, start, xrp};

/// A server on which these accounts have 1,000 XRP each.
async fn funded(names: &[&str]) -> (EmbeddedServer, Vec<(KeyPair, String)>) {
    funded_as(Generation::default(), names).await
}

/// The same with a server of a generation.
async fn funded_as(generation: Generation, names: &[&str]) -> (EmbeddedServer, Vec<(KeyPair, String)>) {
    let config = EmbeddedConfig { genesis: GenesisConfig::of(generation), ..EmbeddedConfig::default() };
    let server = EmbeddedServer::start(config).await.unwrap();
    let people: Vec<(KeyPair, String)> = names
        .iter()
        .map(|name| {
            let (keys, account) = account(name);
            server.fund(&account, xrp(1000)).unwrap();
            (keys, account.to_string())
        })
        .collect();
    server.close_ledger();
    (server, people)
}

/// The seed of a test's own account, as `support::account` makes it.
fn seed(name: &str) -> String {
    let mut entropy = [7; 16];
    name.bytes().zip(entropy.iter_mut()).for_each(|(from, to)| *to = from);
    xrpl_wire::Seed::from_entropy(entropy, xrpl_wire::KeyType::Ed25519).to_base58().to_string()
}

fn payment(to: &str, more: Value) -> Value {
    let mut json = json!({"TransactionType": "Payment", "Account": GENESIS_ACCOUNT.to_string(),
        "Destination": to, "Amount": "5000000"});
    json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json
}

async fn sign(server: &EmbeddedServer, tx_json: Value) -> Value {
    call(&server.rpc_url(), "sign", json!({"secret": GENESIS_SEED, "tx_json": tx_json})).await
}

#[tokio::test]
async fn the_fee_filled_in_is_what_the_transaction_costs() {
    let (server, people) = funded(&["alice"]).await;
    let alice = &people[0].1;
    let genesis = GENESIS_ACCOUNT.to_string();
    let of = |kind: &str, more: Value| {
        let mut json = json!({"TransactionType": kind, "Account": genesis});
        json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json
    };
    let (condition, fulfillment) =
        (format!("A0258020{}810120", "AB".repeat(32)), format!("A0228020{}", "CD".repeat(32)));
    let finish =
        json!({"Owner": alice, "OfferSequence": 1, "Condition": condition, "Fulfillment": fulfillment});
    for (json, fee) in [
        (payment(alice, json!({})), "10"),
        (of("AccountDelete", json!({"Destination": alice})), "200000"),
        (of("EscrowFinish", finish), "350"),
    ] {
        let signed = sign(&server, json.clone()).await;
        assert_eq!(signed["tx_json"]["Fee"], fee, "{signed}");
        let simulated = call(&server.rpc_url(), "simulate", json!({"tx_json": json})).await;
        assert_eq!(simulated["tx_json"]["Fee"], fee, "{simulated}");
    }
}

#[tokio::test]
async fn a_fee_over_the_callers_limit_is_refused_and_one_under_it_is_filled_in() {
    let (server, people) = funded(&["alice"]).await;
    let url = server.rpc_url();
    let tx = payment(&people[0].1, json!({}));
    server.with_ledger(|ledger| ledger.set_load_factor(50));
    let refused = sign(&server, tx.clone()).await;
    assert_eq!(refused["error"], "highFee");
    assert_eq!(refused["error_message"], "Fee of 500 exceeds the requested tx limit of 100");
    assert_eq!(call(&url, "simulate", json!({"tx_json": tx})).await["error"], "highFee");
    let generous = json!({"secret": GENESIS_SEED, "fee_mult_max": 100, "tx_json": tx});
    assert_eq!(call(&url, "sign", generous).await["tx_json"]["Fee"], "500");
    for (name, value, error) in [
        ("fee_mult_max", json!(-1), "invalidParams"),
        ("fee_div_max", json!(0), "invalidParams"),
        ("fee_mult_max", json!("x"), "highFee"),
    ] {
        let mut params = json!({"secret": GENESIS_SEED, "tx_json": tx});
        params[name] = value;
        assert_eq!(call(&url, "sign", params).await["error"], error, "{name}");
    }
}

#[tokio::test]
async fn the_sequence_filled_in_comes_after_what_waits_in_the_queue() {
    let (server, people) = funded(&["alice"]).await;
    let url = server.rpc_url();
    let tx = payment(&people[0].1, json!({"Fee": "10"}));
    server.with_ledger(|ledger| ledger.set_load_factor(50));
    let first = call(&url, "submit", json!({"secret": GENESIS_SEED, "tx_json": tx})).await;
    let second = call(&url, "submit", json!({"secret": GENESIS_SEED, "tx_json": tx})).await;
    assert_eq!(
        (&first["engine_result"], &second["engine_result"]),
        (&json!("terQUEUED"), &json!("terQUEUED"))
    );
    assert_eq!((&first["tx_json"]["Sequence"], &second["tx_json"]["Sequence"]), (&json!(2), &json!(3)));
    let ticket = sign(&server, payment(&people[0].1, json!({"Fee": "10", "TicketSequence": 9}))).await;
    assert_eq!(ticket["tx_json"]["Sequence"], 0);
}

#[tokio::test]
async fn the_amount_of_a_payment_may_stand_in_deliver_max_and_is_shown_by_the_version() {
    let (server, people) = funded(&["alice"]).await;
    let url = server.rpc_url();
    let mut tx = payment(&people[0].1, json!({"DeliverMax": "7"}));
    let differing = sign(&server, tx.clone()).await;
    assert_eq!(differing["error_message"], "Cannot specify differing 'Amount' and 'DeliverMax'");
    tx.as_object_mut().unwrap().remove("Amount");
    let old = sign(&server, tx.clone()).await;
    assert_eq!((&old["tx_json"]["Amount"], &old["tx_json"]["DeliverMax"]), (&json!("7"), &json!("7")));
    assert!(old["tx_json"]["hash"].is_string() && old["hash"].is_null());
    let ask = json!({"secret": GENESIS_SEED, "tx_json": tx, "api_version": 2});
    let new = call(&url, "submit", ask).await;
    assert_eq!((&new["tx_json"]["Amount"], &new["tx_json"]["DeliverMax"]), (&Value::Null, &json!("7")));
    assert_eq!((&new["hash"], &new["tx_json"]["hash"]), (&old["tx_json"]["hash"], &Value::Null));
    assert_eq!(new["engine_result"], "tesSUCCESS");
}

#[tokio::test]
async fn a_transaction_that_does_not_read_is_refused_in_the_servers_words() {
    let (server, people) = funded(&["alice"]).await;
    let alice = &people[0].1;
    let deep = (0..12).fold(json!({}), |inner, _| json!({"Memo": inner}));
    for (more, message) in [
        (json!({"Nonsense": 1}), "Field 'tx_json.Nonsense' is unknown."),
        (json!({"SourceTag": "x"}), "Field 'tx_json.SourceTag' has invalid data."),
        (json!({"SourceTag": [1]}), "Field 'tx_json.SourceTag' has bad type."),
        (json!({"InvoiceID": 5}), "Field 'tx_json.InvoiceID' has bad type."),
        (json!({"Memos": {}}), "Field 'tx_json.Memos' must be a JSON array."),
        (
            json!({"Memos": [{}]}),
            "Field 'tx_json.Memos[0]' must be an object with a single field/object value.",
        ),
        (json!({"Memos": [{"Memo": 1}]}), "Field 'tx_json.Memos.[0].Memo' is not a JSON object."),
        (json!({"Memos": [{"Memo": {"X": 1}}]}), "Field 'tx_json.Memos.[0].Memo.X' is unknown."),
        (
            json!({"Memos": [deep]}),
            "Field 'tx_json.Memos.[0].Memo.Memo.Memo.Memo.Memo.Memo.Memo.Memo.Memo.Memo' exceeds nesting depth limit.",
        ),
        (json!({"Owner": alice}), "Field 'Owner' found in disallowed location."),
        (json!({"Amount": 5.5}), "Invalid field 'tx_json.Amount'."),
        (json!({"Destination": "x"}), "Invalid field 'tx_json.Destination'."),
        (
            json!({"Memos": [{"Memo": {"MemoType": "00"}}]}),
            "The MemoType and MemoFormat fields may only contain characters that are allowed in URLs under RFC 3986.",
        ),
        (
            json!({"Memos": [{"Memo": {"MemoData": "00".repeat(1100)}}]}),
            "The memo exceeds the maximum allowed size.",
        ),
        (json!({"TransactionType": "TrustSet", "Amount": null}), "Field 'tx_json.Amount' has invalid data."),
    ] {
        let refused = sign(&server, payment(alice, more.clone())).await;
        assert_eq!(refused["error"], "invalidParams", "{more}");
        assert_eq!(refused["error_message"], message, "{more}");
    }
    let missing =
        json!({"TransactionType": "EscrowCancel", "Account": GENESIS_ACCOUNT.to_string(), "Owner": alice});
    assert_eq!(
        sign(&server, missing).await["error_message"],
        "Field 'OfferSequence' is required but missing."
    );
    let offline =
        json!({"secret": GENESIS_SEED, "offline": true, "tx_json": payment(alice, json!({"Fee": "10"}))});
    let offline = call(&server.rpc_url(), "sign", offline).await;
    assert_eq!(offline["error_message"], "Missing field 'tx_json.Sequence'.");
    let paths = json!({"secret": GENESIS_SEED, "build_path": true, "tx_json": payment(alice, json!({}))});
    let paths = call(&server.rpc_url(), "sign", paths).await;
    assert_eq!(paths["error_message"], "Cannot build XRP to XRP paths.");
}

#[tokio::test]
async fn one_way_of_signing_refuses_the_marks_of_the_other() {
    let (server, people) = funded(&["alice"]).await;
    let signers = payment(&people[0].1, json!({"Signers": []}));
    assert_eq!(sign(&server, signers).await["error"], "alreadyMultisig");
    let single = payment(&people[0].1, json!({"Sequence": 2, "Fee": "30", "TxnSignature": "00"}));
    let ask = json!({"account": people[0].1, "secret": seed("alice"), "tx_json": single});
    assert_eq!(call(&server.rpc_url(), "sign_for", ask).await["error"], "alreadySingleSig");
}

/// A payment of the genesis account for others to sign.
fn for_signers(to: &str) -> Value {
    payment(to, json!({"Sequence": 3, "Fee": "40", "SigningPubKey": ""}))
}

#[tokio::test]
async fn signers_sign_for_an_account_that_is_there_and_not_for_themselves() {
    let (server, people) = funded(&["alice", "bob"]).await;
    let url = server.rpc_url();
    let own = json!({"account": GENESIS_ACCOUNT.to_string(), "secret": GENESIS_SEED, "tx_json": for_signers(&people[0].1)});
    let own = call(&url, "sign_for", own).await;
    assert_eq!(own["error"], "invalidParams");
    let message = format!("A Signer may not be the transaction's Account ({GENESIS_ACCOUNT}).");
    assert_eq!(own["error_message"], message);
    let nobody = account("nobody").1.to_string();
    let mut unfunded = for_signers(&people[0].1);
    unfunded["Account"] = json!(nobody);
    let unfunded = json!({"account": people[0].1, "secret": seed("alice"), "tx_json": unfunded});
    assert_eq!(call(&url, "sign_for", unfunded).await["error"], "srcActNotFound");
    let mut tx = for_signers(&people[0].1);
    for name in ["alice", "alice"] {
        let ask = json!({"account": people[0].1, "secret": seed(name), "tx_json": tx});
        let signed = call(&url, "sign_for", ask).await;
        if tx["Signers"].is_null() {
            tx = signed["tx_json"].clone();
        } else {
            let message =
                format!("Duplicate Signers:Signer:Account entries ({}) are not allowed.", people[0].1);
            assert_eq!(signed["error_message"], message);
        }
    }
}

#[tokio::test]
async fn a_multi_signed_transaction_is_sorted_checked_and_submitted() {
    let (server, people) = funded(&["alice", "bob"]).await;
    let url = server.rpc_url();
    let entries: Vec<Value> = people
        .iter()
        .map(|(_, account)| json!({"SignerEntry": {"Account": account, "SignerWeight": 1}}))
        .collect();
    let list = json!({"TransactionType": "SignerListSet", "Account": GENESIS_ACCOUNT.to_string(),
        "SignerQuorum": 2, "SignerEntries": entries});
    let set = call(&url, "submit", json!({"secret": GENESIS_SEED, "tx_json": list})).await;
    assert_eq!(set["engine_result"], "tesSUCCESS");
    let sequence = set["tx_json"]["Sequence"].as_u64().unwrap() + 1;
    server.close_ledger();
    let mut tx = payment(&people[0].1, json!({"Sequence": sequence, "Fee": "40", "SigningPubKey": ""}));
    for (name, (_, account)) in ["alice", "bob"].iter().zip(&people) {
        let ask = json!({"account": account, "secret": seed(name), "tx_json": tx});
        tx = call(&url, "sign_for", ask).await["tx_json"].take();
    }
    let submit = |tx: &Value| json!({"tx_json": tx});
    for (field, value, message) in [
        ("SigningPubKey", json!("00"), "When multi-signing 'tx_json.SigningPubKey' must be empty."),
        ("Fee", json!("0"), "Invalid Fee field.  Fees must be greater than zero."),
        ("TxnSignature", json!("00"), "Signing of transaction is malformed."),
        ("Signers", json!([]), "tx_json.Signers array may not be empty."),
        ("Amount", json!("5000001"), "Invalid signature."),
    ] {
        let mut wrong = tx.clone();
        wrong[field] = value;
        wrong.as_object_mut().unwrap().remove("DeliverMax");
        let refused = call(&url, "submit_multisigned", submit(&wrong)).await;
        assert_eq!(refused["error_message"], message, "{refused}");
    }
    for missing in ["Sequence", "SigningPubKey", "TransactionType", "Fee", "Signers"] {
        let mut wrong = tx.clone();
        wrong.as_object_mut().unwrap().remove(missing);
        let refused = call(&url, "submit_multisigned", submit(&wrong)).await;
        assert_eq!(refused["error_message"], format!("Missing field 'tx_json.{missing}'."));
    }
    assert_eq!(
        call(&url, "submit_multisigned", json!({})).await["error_message"],
        "Missing field 'tx_json'."
    );
    let mut own_entry = tx.clone();
    own_entry["Signers"][0]["Signer"].as_object_mut().unwrap().remove("TxnSignature");
    let refused = call(&url, "submit_multisigned", submit(&own_entry)).await;
    let message = "Object 'Signer' contents did not meet requirements for that type.";
    assert_eq!(refused["error_message"], message);
    // In the wrong order, as hands collect them: the server sorts.
    tx["Signers"].as_array_mut().unwrap().reverse();
    let done = call(&url, "submit_multisigned", submit(&tx)).await;
    assert_eq!(done["engine_result"], "tesSUCCESS", "{done}");
    assert_eq!(server.close_ledger().transactions.len(), 1);
    let again = call(&url, "submit_multisigned", submit(&tx)).await;
    assert_eq!(again["engine_result"], "tefPAST_SEQ");
    assert_eq!(again["tx_json"]["inLedger"], server.validated().header.index, "where it is already");
    assert!(again["tx_json"]["ctid"].is_string());
}

#[tokio::test]
async fn what_is_simulated_is_answered_as_the_queue_would_and_changes_nothing() {
    let (server, people) = funded_as(Generation::V3_1, &["alice"]).await;
    let url = server.rpc_url();
    let simulate = async |more: Value| {
        call(&url, "simulate", json!({"tx_json": payment(&people[0].1, more), "ledger_index": "validated"}))
            .await
    };
    assert_eq!(simulate(json!({})).await["engine_result"], "tesSUCCESS", "whatever ledger is named");
    let key = xrpl_harness::server::genesis_keys().unwrap().public_key().to_string();
    let both = json!({"SigningPubKey": key, "Signers": [{"Signer": {"Account": people[0].1}}]});
    assert_eq!(simulate(both).await["engine_result"], "temINVALID");
    server.with_ledger(|ledger| ledger.set_load_factor(50));
    assert_eq!(simulate(json!({"Fee": "10"})).await["engine_result"], "terQUEUED");
    assert_eq!(simulate(json!({"Fee": "500"})).await["engine_result"], "tesSUCCESS");
    assert_eq!(call(&url, "fee", json!({})).await["current_queue_size"], "0");
    assert_eq!(server.close_ledger().transactions.len(), 0);
}

#[tokio::test]
async fn a_wallet_is_proposed_with_its_seed_in_words() {
    let server = start().await;
    let url = server.rpc_url();
    let words = "I IRE BOND BOW TRIO LAID SEAT GOAL HEN IBIS IBIS DARE";
    for given in [
        json!({"passphrase": "masterpassphrase"}),
        json!({"passphrase": words}),
        json!({"seed": GENESIS_SEED}),
    ] {
        let proposed = call(&url, "wallet_propose", given.clone()).await;
        assert_eq!(proposed["master_key"], words, "{given}");
        assert_eq!(proposed["account_id"], GENESIS_ACCOUNT.to_string());
        assert_eq!(proposed["warning"].is_string(), given["passphrase"] == "masterpassphrase");
    }
    // The words and the plain seed say nothing of the kind of key.
    let ed25519 = call(&url, "wallet_propose", json!({"seed": seed("alice")})).await;
    assert_eq!(ed25519["key_type"], "ed25519");
    let plain = ed25519["master_seed"].as_str().unwrap();
    assert!(!plain.starts_with("sEd"), "{plain}");
    let again = json!({"seed": plain, "key_type": "ed25519"});
    assert_eq!(call(&url, "wallet_propose", again).await["account_id"], ed25519["account_id"]);
}

#[tokio::test]
async fn later_servers_want_the_networks_number_from_signers_and_queue_no_trial() {
    let mut genesis = GenesisConfig::of(Generation::V3_2);
    genesis.server.network_id = Some(21_337);
    let config = EmbeddedConfig { genesis, ..EmbeddedConfig::default() };
    let server = EmbeddedServer::start(config).await.unwrap();
    let url = server.rpc_url();
    let signer = account("alice").1.to_string();
    for (network, message) in [
        (Value::Null, "Missing field 'tx_json.NetworkID'."),
        (json!(9), "Invalid field 'tx_json.NetworkID'."),
        (json!(21_337), ""),
    ] {
        let mut tx = for_signers(&signer);
        if !network.is_null() {
            tx["NetworkID"] = network;
        }
        let ask = json!({"account": signer, "secret": seed("alice"), "tx_json": tx});
        let signed = call(&url, "sign_for", ask).await;
        assert_eq!(signed["error_message"].as_str().unwrap_or_default(), message);
    }
    assert_eq!(sign(&server, payment(&signer, json!({}))).await["tx_json"]["NetworkID"], 21_337);
    let genesis = GenesisConfig::of(Generation::V3_2);
    let plain = EmbeddedServer::start(EmbeddedConfig { genesis, ..EmbeddedConfig::default() }).await.unwrap();
    let too_low = json!({"tx_json": payment(&signer, json!({"Fee": "1"}))});
    assert_eq!(call(&plain.rpc_url(), "simulate", too_low).await["engine_result"], "telCAN_NOT_QUEUE");
}

#[tokio::test]
async fn switches_of_requests_are_booleans_since_3_2() {
    for (generation, refused) in [(Generation::V3_1, false), (Generation::V3_2, true)] {
        let (server, people) = funded_as(generation, &["alice"]).await;
        let url = server.rpc_url();
        for (method, mut params, switch) in [
            ("ledger_data", json!({"ledger_index": "validated"}), "binary"),
            (
                "submit",
                json!({"secret": GENESIS_SEED, "tx_json": payment(&people[0].1, json!({}))}),
                "fail_hard",
            ),
        ] {
            params[switch] = json!("yes");
            let reply = call(&url, method, params).await;
            let message = format!("Invalid field '{switch}', not boolean.");
            assert_eq!(reply["error_message"] == message.as_str(), refused, "{method}: {reply}");
        }
        // One method does not say which of its switches is none, and looks at them before it looks at a ledger.
        for switch in ["full", "transactions", "accounts", "expand", "binary", "owner_funds", "queue"] {
            let reply = call(&url, "ledger", json!({switch: ""})).await;
            let said = reply["error_message"].as_str();
            assert_eq!(said == Some("Invalid parameters."), refused, "{switch}: {reply}");
        }
    }
}

#[tokio::test]
async fn a_second_party_signs_in_its_own_place_what_the_account_has_signed() {
    let (server, people) = funded(&["alice"]).await;
    let alice = &people[0].1;
    let loan = json!({"TransactionType": "LoanSet", "Account": alice, "LoanBrokerID": "0".repeat(63) + "1",
        "PrincipalRequested": "100", "Counterparty": GENESIS_ACCOUNT.to_string()});
    let ask = async |more: Value| {
        let mut params = json!({"secret": seed("alice"), "tx_json": loan});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call(&server.rpc_url(), "sign", params).await
    };
    let first = ask(json!({})).await["tx_json"].take();
    let place = "CounterpartySignature";
    let second = json!({"secret": "somebody else", "signature_target": place, "tx_json": first});
    let signed = ask(second).await["tx_json"].take();
    let tx = xrpl_wire::Transaction::from_json(&signed).unwrap();
    assert_eq!(
        tx.object().blob(sf::TxnSignature).unwrap(),
        hex::decode(first["TxnSignature"].as_str().unwrap()).unwrap()
    );
    let slot = tx.object().object(sf::CounterpartySignature).unwrap();
    let key = xrpl_wire::PublicKey::from_slice(slot.blob(sf::SigningPubKey).unwrap()).unwrap();
    assert_eq!(key.verify(&tx.signing_bytes(), slot.blob(sf::TxnSignature).unwrap()), Ok(()), "{signed}");
    assert_ne!(key.account_id().to_string(), *alice);

    let refusals = [
        (
            json!({"signature_target": place}),
            "invalidParams",
            "Field 'SigningPubKey' is required but missing.",
        ),
        (
            json!({"signature_target": place, "tx_json": payment(alice, json!({"SigningPubKey": ""}))}),
            "invalidParams",
            "Field 'CounterpartySignature' found in disallowed location.",
        ),
        (json!({"signature_target": "Memo"}), "invalidParams", "Memo"),
        (json!({"signature_target": "nothing"}), "invalidParams", ""),
        (json!({"signature_target": place, "tx_json": with_fee(&first)}), "internal", "Invalid signature."),
    ];
    for (more, error, message) in refusals {
        let reply = ask(more.clone()).await;
        assert_eq!((&reply["error"], &reply["error_message"]), (&json!(error), &json!(message)), "{more}");
    }
}

/// The same transaction with another fee, which its signature is not over.
fn with_fee(signed: &Value) -> Value {
    let mut other = signed.clone();
    other["Fee"] = json!("11");
    other
}
