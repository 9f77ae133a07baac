//! Nothing that comes over a socket stops the server or goes unanswered.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use xrpl_harness::embedded::rpc::{self, Request, ServerFacts, Subscription};
use xrpl_harness::embedded::{GENESIS_ACCOUNT, GenesisConfig, Ledger};

use crate::support::{Ws, call, http, post, start};

#[tokio::test]
async fn http_that_is_no_request_is_refused_in_the_servers_words() {
    let server = start().await;
    let url = server.rpc_url();
    for (body, status, text) in [
        ("nonsense", 400, "Unable to parse request: \r\n"),
        ("{}", 400, "Unable to parse request: \r\n"),
        (r#"{"params":[]}"#, 400, "Null method\r\n"),
        (r#"{"method":"ping","params":[{"api_version":99}]}"#, 400, "invalid_API_version\r\n"),
        (r#"{"method":"ping","params":[[]]}"#, 400, "params unparsable\r\n"),
    ] {
        assert_eq!(post(&url, body).await, (status, text.to_owned()), "{body}");
    }
    let long = format!(r#"{{"method":"ping","x":"{}"}}"#, "x".repeat(1_000_001));
    assert_eq!(post(&url, &long).await.0, 400);
    let address = url.trim_start_matches("http://");
    let get = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    assert_eq!(http(address, &get).await.0, 200);
    let put = format!("PUT /x HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert_eq!(http(address, &put).await.0, 400);
    assert_eq!(call(&url, "ping", json!({})).await["status"], "success");
}

#[tokio::test]
async fn frames_that_are_no_request_are_answered_and_the_socket_stays() {
    let server = start().await;
    let mut ws = Ws::connect(&server.ws_url()).await;
    for (frame, error) in [
        ("nonsense", "jsonInvalid"),
        ("[]", "jsonInvalid"),
        ("{}", "missingCommand"),
        (r#"{"command":"ping","api_version":3}"#, "invalid_API_version"),
        (r#"{"command":"nosuch"}"#, "unknownCmd"),
        (r#"{"command":"subscribe","streams":7}"#, "invalidParams"),
        (r#"{"command":"subscribe","streams":["nosuch"]}"#, "malformedStream"),
        (r#"{"command":"subscribe","accounts":["r"]}"#, "actMalformed"),
        (r#"{"command":"subscribe","books":[5]}"#, "invalidParams"),
        (r#"{"command":"subscribe","url":"http://localhost"}"#, "notSupported"),
    ] {
        ws.send_text(frame).await;
        assert_eq!(ws.receive().await.unwrap()["error"], error, "{frame}");
    }
    let deep = format!(r#"{{"command":"ping","x":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    ws.send_text(&deep).await;
    assert_eq!(ws.receive().await.unwrap()["error"], "jsonInvalid");
    assert_eq!(ws.ask("ping", json!({})).await["role"], "admin");
}

#[tokio::test]
async fn blobs_that_are_no_transactions_are_answered() {
    let server = start().await;
    let url = server.rpc_url();
    for (blob, error) in [
        (json!(""), "invalidParams"),
        (json!("zz"), "invalidParams"),
        (json!("ABC"), "invalidTransaction"),
        (json!(5), "invalidTransaction"),
        (json!([1]), "internal"),
        (json!("00"), "invalidTransaction"),
        (json!("12".repeat(4000)), "invalidTransaction"),
        (json!("E0".repeat(400)), "invalidTransaction"),
    ] {
        assert_eq!(call(&url, "submit", json!({"tx_blob": blob})).await["error"], error, "{blob}");
    }
}

/// Names that handlers look at, so that random parameters hit them.
const NAMES: &[&str] = &[
    "account",
    "ledger_index",
    "ledger_hash",
    "ledger",
    "limit",
    "marker",
    "type",
    "binary",
    "expand",
    "transactions",
    "accounts",
    "streams",
    "tx_blob",
    "tx_json",
    "secret",
    "key_type",
    "seed",
    "transaction",
    "ctid",
    "min_ledger",
    "max_ledger",
    "index",
    "ticket",
    "escrow",
    "ripple_state",
    "directory",
    "feature",
    "ledger_index_min",
    "ledger_index_max",
    "forward",
    "signer_lists",
    "queue",
    "peer",
    "source_account",
    "destination_account",
    "full",
    "account_root",
    "deposit_preauth",
    "seed_hex",
    "passphrase",
    "deletion_blockers_only",
    "api_version",
    "offline",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "[0-9A-F]{0,70}".prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!(GENESIS_ACCOUNT.to_string())),
        Just(json!("validated")),
        Just(json!("current")),
        Just(json!(2)),
        Just(json!({"TransactionType": "Payment", "Account": GENESIS_ACCOUNT.to_string(), "Amount": "1"})),
        Just(json!("masterpassphrase")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(
                (
                    prop::sample::select(
                        &["account", "owner", "seq", "ticket_seq", "ledger", "accounts", "currency"][..]
                    ),
                    inner
                ),
                0..4
            )
            .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

static FRESH: LazyLock<Ledger> = LazyLock::new(|| Ledger::genesis(GenesisConfig::default()));

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// No parameters make a handler panic, and every answer is an answer.
    #[test]
    fn any_parameters_are_answered(
        method in prop::sample::select(rpc::methods().collect::<Vec<_>>()),
        pairs in prop::collection::vec((prop::sample::select(NAMES), value()), 0..6),
        version in prop::sample::select(&[1_u32, 2][..]),
        admin: bool,
    ) {
        let mut params: Map<String, Value> =
            pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        params.insert("api_version".to_owned(), version.into());
        params.insert("command".to_owned(), method.into());
        let request = Request::from_ws_object(params, admin).unwrap();
        let mut ledger = FRESH.clone();
        let mut subscription = Subscription::default();
        let facts = ServerFacts { first_ledger: 2, ..ServerFacts::default() };
        let outcome = rpc::handle(&mut ledger, Some(&mut subscription), &request, &facts);
        let reply = request.reply(outcome);
        prop_assert!(reply["status"] == "success" || reply["error"].is_string(), "{}", reply);
    }
}
