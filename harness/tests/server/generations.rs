//! What a server answers depends on its generation.

use serde_json::{Value, json};
use xrpl_harness::embedded::{GENESIS_ACCOUNT, Generation, GenesisConfig};
use xrpl_harness::{EmbeddedConfig, EmbeddedServer};

use crate::support::call;

async fn server(generation: Generation, network_id: Option<u32>) -> EmbeddedServer {
    let mut genesis = GenesisConfig::of(generation);
    genesis.server.network_id = network_id;
    EmbeddedServer::start(EmbeddedConfig { genesis, ..EmbeddedConfig::default() }).await.unwrap()
}

#[tokio::test]
async fn a_server_tells_its_version_its_network_and_what_is_in_force() {
    for (generation, version, listed) in [
        (Generation::V3_1, "3.1.2", true),
        (Generation::V3_2, "3.2.0", false),
        (Generation::V3_3, "3.3.0-b0", false),
    ] {
        let server = server(generation, Some(21_337)).await;
        let url = server.rpc_url();
        let info = call(&url, "server_info", json!({})).await;
        assert_eq!(
            (&info["info"]["build_version"], &info["info"]["network_id"]),
            (&json!(version), &json!(21_337))
        );
        let entry =
            call(&url, "ledger_entry", json!({"index": amendments(), "ledger_index": "validated"})).await;
        let checks = xrpl_harness::embedded::Amendment::Checks.id().to_string();
        let in_ledger = entry["node"]["Amendments"].as_array().unwrap().contains(&json!(checks));
        assert_eq!(in_ledger, listed, "retired amendments stand in no ledger: {version}");
    }
}

#[tokio::test]
async fn a_server_tells_of_network_0_only_if_it_is_configured_with_it() {
    for (configured, told) in [(None, Value::Null), (Some(0), json!(0)), (Some(1), json!(1))] {
        let server = server(Generation::V3_2, configured).await;
        let url = server.rpc_url();
        let (info, state) =
            (call(&url, "server_info", json!({})).await, call(&url, "server_state", json!({})).await);
        assert_eq!((&info["info"]["network_id"], &state["state"]["network_id"]), (&told, &told));
    }
}

fn amendments() -> String {
    xrpl_wire::index::amendments().to_string()
}

#[tokio::test]
async fn a_request_names_its_ledger_once_since_3_2() {
    let account = GENESIS_ACCOUNT.to_string();
    let ask = |more: Value| {
        let mut params = json!({"account": account});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        params
    };
    let old = server(Generation::V3_1, None).await;
    let new = server(Generation::V3_2, None).await;
    let hash = |server: &EmbeddedServer| server.validated().hash.to_string();
    for (more, message) in [
        (json!({"ledger_index": "bogus"}), "Invalid field 'ledger_index', not string or number."),
        (json!({"ledger_index": 2.5}), "Invalid field 'ledger_index', not string or number."),
        (json!({"ledger_index": null}), "Invalid field 'ledger_index', not string or number."),
        (json!({"ledger_hash": "00"}), "Invalid field 'ledger_hash', not hex string."),
        (json!({"ledger_hash": 7}), "Invalid field 'ledger_hash', not hex string."),
        (json!({"ledger": []}), "Invalid field 'ledger', not string or number."),
        (
            json!({"ledger_hash": hash(&new), "ledger_index": 2}),
            "Exactly one of 'ledger_hash' or 'ledger_index' can be specified.",
        ),
        (
            json!({"ledger": "closed", "ledger_index": 2}),
            "Exactly one of 'ledger', 'ledger_hash', or 'ledger_index' can be specified.",
        ),
    ] {
        let answered = call(&new.rpc_url(), "account_info", ask(more.clone())).await;
        assert_eq!(answered["error_message"], message, "{more}");
    }
    for (at, more) in [
        (&old, json!({"ledger_hash": hash(&old), "ledger_index": 1})),
        (&old, json!({"ledger": hash(&old)})),
        (&old, json!({"ledger": "2"})),
        (&new, json!({"ledger": hash(&new)})),
        (&new, json!({"ledger": "2"})),
        (&new, json!({"ledger_index": "2"})),
        (&new, json!({"ledger_index": "validated"})),
    ] {
        let answered = call(&at.rpc_url(), "account_info", ask(more.clone())).await;
        assert_eq!((&answered["ledger_index"], &answered["validated"]), (&json!(2), &json!(true)), "{more}");
    }
    let bogus = call(&old.rpc_url(), "account_info", ask(json!({"ledger_index": "bogus"}))).await;
    assert_eq!(bogus["error_message"], "ledgerIndexMalformed");
}

#[tokio::test]
async fn pages_of_account_tx_have_limits_and_missing_entries_a_place_since_3_2() {
    let account = GENESIS_ACCOUNT.to_string();
    for (generation, limit, wrong, index) in [
        (Generation::V3_1, json!(0), "internal", Value::Null),
        (Generation::V3_2, json!(200), "invalidParams", json!("0".repeat(64))),
    ] {
        let server = server(generation, None).await;
        let url = server.rpc_url();
        let page = call(&url, "account_tx", json!({"account": account})).await;
        assert_eq!(page["limit"], limit);
        let bad = call(&url, "account_tx", json!({"account": account, "limit": "many"})).await;
        assert_eq!(bad["error"], wrong);
        let none = json!({"index": "0".repeat(64), "ledger_index": "validated"});
        let missing = call(&url, "ledger_entry", none).await;
        assert_eq!((&missing["error"], &missing["index"]), (&json!("entryNotFound"), &index));
    }
}

#[tokio::test]
async fn whoever_is_paid_from_genesis_is_paid_on_a_network_that_must_be_named_too() {
    for network_id in [0, 1_024, 1_025, 63_456] {
        let server = server(Generation::default(), Some(network_id)).await;
        let account = xrpl_wire::AccountId([7; 20]);
        server.fund(&account, xrpl_wire::Drops::new(20_000_000).unwrap()).unwrap();
    }
}
