//! How long it takes from a validated ledger to a webhook on the wire while a thousand deliveries wait for a receiver that
//! hangs, and how long a scrape takes with ten thousand accounts.
//!
//! `cargo bench -p treasuryd --bench told [-- ROUNDS]`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement stops at what goes wrong")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path as Of, State};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use treasury_core::Event;
use treasury_core::config::AccountConfig;
use treasury_core::observe::{AccountSnapshot, LedgerPoint, RootView};
use treasury_core::units::{AccountId, Amount, Drops, Hash256, LedgerIndex, RippleTime};
use treasuryd::client::Client;
use treasuryd::daemon::Daemon;
use treasuryd::dev::{Options, Sandbox};
use treasuryd::store::StoreBuilder;
use xrpl_harness::network::Network;
use xrpl_wire::typed::{Payment, TxBody};

/// Deliveries that wait for a receiver that hangs.
const WAITING: usize = 1_000;

/// Accounts of the scrape.
const ACCOUNTS: u32 = 10_000;

/// What came, and when its last byte was there.
type Came = (Instant, Value);

fn main() {
    let rounds = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(500);
    println!("| figure | median | p99 | longest | target |\n|---|---|---|---|---|");
    runtime().block_on(wire(rounds));
    runtime().block_on(scrape(rounds));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn row(what: &str, mut took: Vec<Duration>, target: &str) {
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    println!("| {what} | {:.1?} | {:.1?} | {:.1?} | {target} |", at(50), at(99), took[took.len() - 1]);
}

/// The receiver of both channels: one that is never answered, and one that is at once.
async fn receiver() -> (String, mpsc::UnboundedReceiver<Came>) {
    let (tell, told) = mpsc::unbounded_channel();
    let take = |State(tell): State<mpsc::UnboundedSender<Came>>, Of(channel): Of<String>, body: String| async move {
        let at = Instant::now();
        if channel == "hung" {
            std::future::pending::<()>().await;
        }
        tell.send((at, serde_json::from_str(&body).unwrap())).unwrap();
    };
    let app = Router::new().route("/{channel}", post(take)).with_state(tell);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, told)
}

fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// From before a ledger closes in which an account pays somebody whom nobody proposed, to the finding at the receiver.
async fn wire(rounds: usize) {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(dir.path(), Options::default()).await.unwrap();
    let (url, mut told) = receiver().await;
    private(&sandbox.dir().join("secrets"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    let mut text = std::fs::read_to_string(sandbox.config_path()).unwrap();
    for name in ["hung", "ops"] {
        text.push_str(&format!(
            "\n[[channel]]\nname = \"{name}\"\nurl = \"{url}/{name}\"\nsecrets_file = \"secrets\"\nallow_private = true\n"
        ));
    }
    text.push_str("\n[[route]]\nchannels = [\"ops\"]\n");
    std::fs::write(sandbox.config_path(), text).unwrap();
    let mut config = sandbox.daemon_config().unwrap();
    config.requests_per_second = 1_000_000;
    let daemon = Daemon::start(config).await.unwrap();
    sandbox.daemon_has_seen(sandbox.begun_at()).await.unwrap();
    let carol: &Client = sandbox.people().get("carol").unwrap().client();
    for _ in 0..WAITING {
        carol.test_channel("hung").await.unwrap();
    }
    let runner = sandbox.cast().identity("runner").unwrap();
    let stranger = sandbox.account("stranger").unwrap();
    sandbox.world().fund(runner.id(), Drops::new(1_000_000_000).unwrap()).await.unwrap();
    let mut took = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let body = TxBody::Payment(Payment {
            destination: stranger,
            destination_tag: None,
            amount: Amount::Xrp(Drops::new(1_000 + u64::try_from(round).unwrap()).unwrap()),
            send_max: None,
            deliver_min: None,
        });
        sandbox.world().send(runner.key(), &body).await.unwrap();
        while told.try_recv().is_ok() {}
        let began = Instant::now();
        let ledger = sandbox.world().close_ledger().await.unwrap();
        loop {
            let (at, notice) = told.recv().await.unwrap();
            if notice["type"] == "finding" && notice["ledger"]["index"] == ledger.index {
                took.push(at.duration_since(began));
                break;
            }
        }
    }
    let waiting: usize = carol.channels().await.unwrap().iter().map(|channel| channel.waiting).sum();
    assert!(waiting >= WAITING, "{waiting}");
    row(
        &format!("a ledger closes to the webhook with its finding on the wire, {waiting} deliveries waiting"),
        took,
        "p99 ≤ 100 ms",
    );
    daemon.shutdown().await;
    sandbox.shutdown().await;
}

/// A scrape on a connection of its own, to the last byte.
async fn scrape(rounds: usize) {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(dir.path(), Options::default()).await.unwrap();
    let mut config = sandbox.daemon_config().unwrap();
    let declared = config.treasury.accounts[&sandbox.account("warm").unwrap()].clone();
    // Nobody tells of these accounts: they are as the store has them.
    sandbox.shutdown().await;
    let mut builder = StoreBuilder::begin_empty(&config.data_dir).unwrap();
    for thousand in 0..ACCOUNTS / 1_000 {
        let accounts: Vec<AccountSnapshot> =
            (0..1_000).map(|number| seen(account(thousand * 1_000 + number), &declared)).collect();
        builder.push(&[Event::AccountsRead { at: point(), accounts, taken: None }]).unwrap();
    }
    builder.install().unwrap();
    config.treasury.accounts.extend((0..ACCOUNTS).map(|number| {
        let name = format!("account-{number:05}");
        (account(number), AccountConfig { name, ..declared.clone() })
    }));
    let daemon = Daemon::start(config).await.unwrap();
    let address = daemon.http_addr().to_string();
    let (took, size, series) = tokio::task::spawn_blocking(move || {
        let (mut took, mut text) = (Vec::with_capacity(rounds), String::new());
        for _ in 0..rounds {
            text.clear();
            let began = Instant::now();
            let mut socket = TcpStream::connect(&address).unwrap();
            socket.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
            socket.read_to_string(&mut text).unwrap();
            took.push(began.elapsed());
            assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        }
        let series = text.lines().filter(|line| line.starts_with("treasuryd_")).count();
        (took, text.len(), series)
    })
    .await
    .unwrap();
    row(&format!("scrape with {ACCOUNTS} accounts: {series} series, {} kB", size / 1_000), took, "≤ 10 ms");
    daemon.shutdown().await;
}

fn account(number: u32) -> AccountId {
    AccountId(*xrpl_wire::sha512_half(&[&number.to_be_bytes()]).0.first_chunk().unwrap())
}

fn point() -> LedgerPoint {
    LedgerPoint { index: LedgerIndex(100), hash: Hash256([7; 32]), close_time: RippleTime(700_000_000) }
}

fn seen(account: AccountId, declared: &AccountConfig) -> AccountSnapshot {
    let balance = Drops::new(5_000_000_000).unwrap();
    let signers = declared.signers.as_ref().unwrap();
    let entries: BTreeMap<AccountId, u16> = signers.entries.clone();
    AccountSnapshot {
        account,
        root: Some(RootView {
            balance,
            sequence: 50,
            owner_count: 6,
            flags: 0,
            regular_key: None,
            transfer_rate: Some(0),
        }),
        signer_list: Some(treasury_core::observe::SignerListView { quorum: signers.quorum, entries }),
        tickets: BTreeSet::from([10, 11, 12, 13, 14]),
        escrows: Vec::new(),
        trust_lines: None,
        settings: None,
    }
}
