//! Where several things meet: a full ledger and a faucet, a ledger that is put back and one that closes for what was
//! submitted, many who save at once, an end with many connections.

use serde_json::{Value, json};
use xrpl_harness::embedded::{GENESIS_ACCOUNT, GENESIS_SEED, GenesisConfig, QueueSetup};
use xrpl_harness::server::file;
use xrpl_harness::{EmbeddedConfig, EmbeddedServer, Faults};
use xrpl_wire::{Drops, RippleTime, index, sf};

use crate::support::{Ws, account, call, http, start, xrp};

async fn faucet(server: &EmbeddedServer, body: Value) -> (u16, Value) {
    let address = server.rpc_url().trim_start_matches("http://").to_owned();
    let body = body.to_string();
    let request = format!(
        "POST /accounts HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    let (status, body) = http(&address, &request).await;
    (status, serde_json::from_str(&body).unwrap())
}

fn balance(server: &EmbeddedServer, name: &str) -> u64 {
    let root = index::account_root(&account(name).1);
    let closed = server.validated();
    closed.state.object(&root).and_then(|root| root.drops(sf::Balance)).map_or(0, Drops::get)
}

/// What pays too little for a full ledger waits, and comes in later: an error would say that it never does.
#[tokio::test]
async fn a_full_ledger_does_not_keep_an_account_from_being_funded() {
    let server = start().await;
    let url = server.rpc_url();
    server.set_faults(Faults { fee_factor: 100, ..Faults::default() });
    let alice = account("alice").1.to_string();
    let (status, paid) = faucet(&server, json!({"destination": alice})).await;
    assert_eq!((status, &paid["amount"]), (200, &json!(100)), "{paid}");
    let funded = call(&url, "standalone_fund", json!({"account": alice, "drops": "5000000"})).await;
    assert_eq!(funded["status"], "success", "{funded}");
    assert_eq!(balance(&server, "alice"), 105_000_000);
    server.fund(&account("bob").1, xrp(7)).unwrap();
    assert_eq!(server.close_ledger().transactions.len(), 1);
    assert_eq!(balance(&server, "bob"), 7_000_000);
    assert_eq!(call(&url, "fee", json!({})).await["current_queue_size"], "0", "nothing comes later");

    // A ledger may also be full of what funds accounts.
    server.set_faults(Faults::default());
    let few = QueueSetup { minimum_txn_in_ledger: 7, target_txn_in_ledger: 7, ..QueueSetup::default() };
    server.with_ledger(|ledger| ledger.set_queue(few));
    for number in 0..60 {
        server.fund(&account(&format!("{number}")).1, xrp(2)).unwrap();
    }
    assert_eq!(server.close_ledger().transactions.len(), 60);

    // What the same account has waiting is not pushed out for it.
    server.set_faults(Faults { fee_factor: 100, ..Faults::default() });
    let tx = json!({"TransactionType": "Payment", "Account": GENESIS_ACCOUNT.to_string(), "Destination": alice,
        "Amount": "1000000", "Fee": "10"});
    let ask = json!({"secret": GENESIS_SEED, "tx_json": tx});
    assert_eq!(call(&url, "submit", ask).await["engine_result"], "terQUEUED");
    assert!(server.fund(&account("carol").1, xrp(7)).is_err());
    server.set_faults(Faults::default());
    server.close_ledger();
    assert_eq!((balance(&server, "alice"), balance(&server, "carol")), (106_000_000, 0));
}

#[tokio::test]
async fn a_ledger_closes_once_for_what_is_funded_and_never_for_who_only_reads() {
    let config = EmbeddedConfig { close_on_submit: true, ..EmbeddedConfig::default() };
    let server = EmbeddedServer::start(config).await.unwrap();
    let url = server.rpc_url();
    let alice = account("alice").1.to_string();
    let last = async || call(&url, "ledger_closed", json!({})).await["ledger_index"].as_u64().unwrap();
    assert_eq!(faucet(&server, json!({"destination": alice})).await.0, 200);
    assert_eq!((last().await, last().await), (3, 3));
    let funded = call(&url, "standalone_fund", json!({"account": alice, "drops": "5"})).await;
    assert_eq!((&funded["ledger_index"], last().await, last().await), (&json!(4), 4, 4));
}

/// What comes too early is waited for at a pace that leaves time for what it waits for, however much others ask.
#[tokio::test]
async fn who_only_reads_closes_no_ledger_for_what_others_wait_for() {
    let config = EmbeddedConfig { close_on_submit: true, ..EmbeddedConfig::default() };
    let server = EmbeddedServer::start(config).await.unwrap();
    let url = server.rpc_url();
    let last = server.validated().header.index;
    let pay = async |sequence: u32| {
        let tx = json!({"TransactionType": "Payment", "Account": GENESIS_ACCOUNT.to_string(), "Fee": "10",
            "Sequence": sequence, "Destination": account("alice").1.to_string(), "Amount": "5000000",
            "LastLedgerSequence": last + 60});
        call(&url, "submit", json!({"secret": GENESIS_SEED, "tx_json": tx})).await["engine_result"].take()
    };
    assert_eq!(pay(2).await, "terPRE_SEQ");
    let began = std::time::Instant::now();
    let mut reader = Ws::connect(&server.ws_url()).await;
    for _ in 0..50 {
        reader.ask("ping", json!({})).await;
    }
    // One at once, and one for each tenth of a second.
    let closed = server.validated().header.index - last;
    assert!(u128::from(closed) <= 2 + began.elapsed().as_millis() / 100, "{closed} ledgers closed");
    assert_eq!(pay(1).await, "tesSUCCESS");
    while balance(&server, "alice") < 10_000_000 {
        reader.ask("ping", json!({})).await;
        assert!(server.validated().header.index < last + 60, "it is too late");
    }
}

#[tokio::test]
async fn a_ledger_that_is_loaded_has_a_first_ledger_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let late = GenesisConfig { close_time: RippleTime(900_000_000), ..GenesisConfig::default() };
    let reserve = xrpl_harness::embedded::Fees { reserve_base: xrp(10), ..late.fees };
    let other =
        EmbeddedConfig { genesis: GenesisConfig { fees: reserve, ..late }, ..EmbeddedConfig::default() };
    EmbeddedServer::start(other).await.unwrap().save(&path).unwrap();

    let server = EmbeddedServer::start(EmbeddedConfig { file: Some(path), ..EmbeddedConfig::default() })
        .await
        .unwrap();
    let url = server.rpc_url();
    let first = async || {
        let second = call(&url, "ledger", json!({"ledger_index": 2})).await["ledger"]["parent_hash"].take();
        (second, call(&url, "ledger", json!({"ledger_index": 1})).await["ledger_hash"].take())
    };
    let (named, shown) = first().await;
    assert_eq!(named, shown);
    let fresh = server.snapshot();
    assert_eq!(call(&url, "standalone_load", json!({})).await["status"], "success");
    let (loaded, shown) = first().await;
    assert_eq!(loaded, shown);
    assert_ne!(loaded, named);
    server.restore(fresh);
    assert_eq!(first().await, (named.clone(), named));
}

#[test]
fn whoever_saves_at_once_saves_a_whole_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let ledger = xrpl_harness::embedded::Ledger::genesis(GenesisConfig::default());
    file::save(&ledger, &path).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    file::save(&ledger, &path).unwrap();
                    assert!(file::load(&path).is_ok(), "half of it was there");
                }
            });
        }
    });
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["ledger"]);
}

/// A ledger that is put back brings nothing with it of what went wrong when it was kept, and heals nothing.
#[tokio::test]
async fn what_goes_wrong_goes_on_whatever_ledger_is_put_back() {
    let server = start().await;
    let fails = Faults { claim_only: 1, ..Faults::default() };
    let healthy = server.snapshot();
    server.set_faults(fails.clone());
    let failing = server.snapshot();
    server.restore(healthy);
    assert_eq!(server.faults(), fails);
    server.set_faults(Faults::default());
    server.restore(failing);
    assert_eq!(server.faults(), Faults::default());
    server.fund(&account("alice").1, xrp(7)).unwrap();
    server.close_ledger();
    assert_eq!(balance(&server, "alice"), 7_000_000);
}
