//! How long pages of the console take with a thousand open proposals and a million ended ones: from the request to the last byte of the answer, on
//! one connection after the other, as a browser on this machine waits for them.
//!
//! `cargo bench -p treasuryd --bench console [-- PAGES [ENDED]]`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement stops at what goes wrong")]

mod common;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use treasury_core::Command;
use treasury_core::command::{Actor, Propose};
use treasury_core::config::{AccountConfig, Person};
use treasury_core::intent::{Asker, Intent, Origin, Pay};
use treasury_core::observe::LedgerPoint;
use treasury_core::policy::{Decision, DecisionInputs, Obligations};
use treasury_core::proposal::{Proposal, Status};
use treasury_core::units::{AccountId, Amount, Drops, Hash256, LedgerIndex, ProposalId, RippleTime};
use treasuryd::daemon::Daemon;
use treasuryd::dev::{Options, Sandbox};
use treasuryd::store::StoreBuilder;

/// Open proposals. One account and one person may have so many, so there are some of each.
const OPEN: u64 = 1_000;

/// The console is to answer within this.
const TARGET: &str = "≤ 50 ms";

fn main() {
    let mut numbers = std::env::args().filter_map(|arg| arg.parse::<u64>().ok());
    let pages = numbers.next().unwrap_or(101);
    let ended = numbers.next().unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let sandbox = runtime.block_on(Sandbox::start(dir.path(), Options::default())).unwrap();
    let mut config = sandbox.daemon_config().unwrap();
    // What one person may ask in a second is not what is measured.
    config.requests_per_second = 1_000_000;
    let treasury = &mut config.treasury;
    let (warm, alice) = (sandbox.account("warm").unwrap(), treasury.people["alice"].clone());
    let declared = treasury.accounts[&warm].clone();
    let other = |n: u64| AccountId([110 + u8::try_from(n % 10).unwrap(); 20]);
    for n in 0..10 {
        let name = format!("warm-{n}");
        treasury.accounts.insert(other(n), AccountConfig { name, ..declared.clone() });
        let name = format!("asker-{n}");
        treasury.people.insert(name.clone(), Person { name, signer: None, ..alice.clone() });
    }
    past(&config.data_dir, ended, other, &alice.name);
    let treasury = &config.treasury;
    let destination = *treasury.destinations.keys().next().unwrap();
    let daemon = runtime.block_on(Daemon::start(config)).unwrap();
    runtime.block_on(async {
        for n in 0..OPEN {
            let asked = Propose {
                account: other(n),
                destination,
                destination_tag: None,
                amount: Amount::Xrp(Drops::new(1_000_000 * (1 + n % 90)).unwrap()),
                note: "an invoice of some length, as people write them".to_owned(),
                deadline_seconds: None,
                idempotency_key: None,
                inquiry: Default::default(),
            };
            let asker = Actor { person: format!("asker-{}", n % 10), origin: Origin::Http };
            loop {
                let asked = Command::Propose(asked.clone());
                let answer = daemon.engine().command(asker.clone(), asked).await.unwrap();
                // It may not have caught up with the ledger yet.
                if !answer.as_ref().is_err_and(|error| error.code() == "NO_SIGHT") {
                    answer.unwrap();
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    let address = Arc::new(daemon.http_addr().to_string());
    let token = std::fs::read_to_string(sandbox.dir().join("alice.token")).unwrap();
    let cookie = login(&address, token.trim());
    println!("| page, {OPEN} open proposals, {ended} ended | median | longest | target |\n|---|---|---|---|");
    let newest = ended + OPEN;
    for path in [
        "/console",
        "/console/proposals",
        &format!("/console/proposals/P{newest}"),
        "/console/proposals?which=all",
        "/console/history",
        "/console/history?text=invoice+7",
        &format!("/console/history?before=P{}", ended / 2),
        "/console/accounts",
        "/console/escrows",
        "/console/findings",
        "/console/audit",
        "/console/deliveries",
        "/console/system",
    ] {
        let mut took: Vec<Duration> = (0..pages)
            .map(|_| {
                let began = Instant::now();
                let page = ask(
                    &address,
                    &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"),
                );
                let took = began.elapsed();
                assert!(page.starts_with("HTTP/1.1 200"), "{path}: {page}");
                took
            })
            .collect();
        took.sort_unstable();
        println!("| `{path}` | {:.1?} | {:.1?} | {TARGET} |", took[took.len() / 2], took[took.len() - 1]);
    }
    runtime.block_on(async {
        daemon.shutdown().await;
        sandbox.shutdown().await;
    });
}

/// A store with this past.
fn past(dir: &Path, ended: u64, account: impl Fn(u64) -> AccountId, asker: &str) {
    let mut builder = StoreBuilder::begin_empty(dir).unwrap();
    common::add_ended(&mut builder, ended, |id| draft(id, account(id), asker));
    builder.install().unwrap();
}

fn draft(id: u64, account: AccountId, asker: &str) -> Proposal {
    let close_time = RippleTime(800_000_000);
    let drafted = LedgerPoint { index: LedgerIndex(1), hash: Hash256::ZERO, close_time };
    let amount = Amount::Xrp(Drops::new(1_000_000 + id).unwrap());
    Proposal {
        id: ProposalId(id),
        account,
        intent: Intent::Pay(Pay { destination: AccountId([9; 20]), destination_tag: None, amount }),
        asker: Asker::Person(asker.to_owned()),
        origin: Some(Origin::Http),
        occurrence: None,
        inquiry: Default::default(),
        note: format!("invoice {id}"),
        deadline_seconds: 86_400,
        deadline_asked: None,
        idempotency_key: Some(format!("invoice-{id}")),
        drafted,
        decision: Decision {
            rules: vec!["small".to_owned()],
            policy_hash: Hash256::ZERO,
            obligations: Obligations::default(),
            inputs: DecisionInputs {
                destination_known: true,
                outflows: Vec::new(),
                risk: None,
                at: close_time,
                declared: None,
            },
            shadow: None,
        },
        plan: None,
        approvals: BTreeMap::new(),
        kept_for_void: BTreeMap::new(),
        rejections: BTreeMap::new(),
        status: Status::Drafted,
    }
}

/// The session's cookie.
fn login(address: &str, token: &str) -> String {
    let body = format!("token={token}");
    let answer = ask(
        address,
        &format!(
            "POST /console/login HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\ncontent-type: \
             application/x-www-form-urlencoded\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

fn ask(address: &str, text: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}
