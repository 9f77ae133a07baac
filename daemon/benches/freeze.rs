//! How long a freeze takes when everything else is full: a thousand clients that never end their head, a thousand that
//! never end their body, each back a second after it is cut, and a queue of commands that is never empty. Each freeze
//! comes on a connection of its own, from a process of its own: what attackers cost themselves is not the daemon's.
//!
//! `cargo bench -p treasuryd --bench freeze [-- FREEZES]`. Wants some thousand file descriptors.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement stops at what goes wrong")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command as Process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use treasury_core::units::ProposalId;
use treasury_core::{Actor, Command};
use treasuryd::daemon::Daemon;
use treasuryd::dev::{Options, Sandbox};

/// Clients of each kind.
const CLIENTS: usize = 1_000;

/// Who hands over commands all the time: more than the queue has places.
const COMMANDERS: usize = 1_200;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "attack", address, token] => attack(address, token),
        _ => measure(args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(1_000)),
    }
}

fn raise_files() {
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum }).unwrap();
}

fn measure(freezes: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let sandbox = runtime.block_on(Sandbox::start(dir.path(), Options::default())).unwrap();
    let daemon = runtime.block_on(Daemon::start(sandbox.daemon_config().unwrap())).unwrap();
    let address = daemon.http_addr().to_string();
    let token = |name: &str| token(sandbox.dir(), name);
    let carried = Arc::new(AtomicU64::new(0));
    for _ in 0..COMMANDERS {
        let (engine, carried) = (daemon.engine().clone(), Arc::clone(&carried));
        runtime.spawn(async move {
            loop {
                // Nobody's proposal: it is looked at and refused, which costs the engine a step.
                let asked = Command::Clear { proposal: ProposalId(u64::MAX), reason: "no".to_owned() };
                let person = Actor { person: "dave".to_owned(), origin: treasury_core::intent::Origin::Http };
                let Ok(_) = engine.command(person, asked).await else { return };
                carried.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let mut attacker = Process::new(std::env::current_exe().unwrap())
        .args(["attack", &address, &token("alice")])
        .spawn()
        .unwrap();
    // Everybody has come, and those that there is no room for have been cut.
    std::thread::sleep(Duration::from_secs(5));
    let before = carried.load(Ordering::Relaxed);
    let began = Instant::now();
    let (mut took, mut again) = (Vec::with_capacity(freezes), 0);
    for number in 0..freezes {
        let began = Instant::now();
        again += freeze(&address, &token("dave"), number);
        took.push(began.elapsed());
    }
    let commands = carried.load(Ordering::Relaxed).saturating_sub(before);
    let seconds = began.elapsed();
    attacker.kill().unwrap();
    attacker.wait().unwrap();
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    println!(
        "{freezes} freezes under {CLIENTS} half-open and {CLIENTS} slow clients: median {:?}, p99 {:?}, longest {:?}; {again} \
         connections of theirs were cut; {commands} commands in {seconds:?} meanwhile",
        at(50),
        at(99),
        took[took.len() - 1],
    );
    runtime.block_on(async {
        daemon.shutdown().await;
        sandbox.shutdown().await;
    });
}

fn token(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(format!("{name}.token"))).unwrap().trim().to_owned()
}

/// One freeze, from the connection to the end of the answer; answers with how often its connection was cut before that
/// and made again, as people's tools do. Its time goes on.
fn freeze(address: &str, token: &str, number: usize) -> usize {
    let body = format!("{{\"reason\":\"round {number}\"}}");
    let text = format!(
        "POST /v1/freeze HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\ncontent-length: \
         {}\r\n\r\n{body}",
        body.len()
    );
    let mut again = 0;
    loop {
        let mut socket = TcpStream::connect(address).unwrap();
        let mut answer = String::new();
        let asked = socket.write_all(text.as_bytes()).and_then(|()| socket.read_to_string(&mut answer));
        if asked.is_ok() && !answer.is_empty() {
            assert!(answer.contains("200 OK") && answer.contains("\"changed\":true"), "{answer}");
            return again;
        }
        again += 1;
    }
}

/// Everybody else, until this process is ended.
fn attack(address: &str, token: &str) {
    raise_files();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let body = format!(
        "POST /v1/proposals HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 60000\r\n\r\n{{"
    );
    let head = "GET /v1/status HTTP/1.1\r\nhost: x\r\nauthoriz".to_owned();
    runtime.block_on(async {
        let mut clients = tokio::task::JoinSet::new();
        for text in [head, body] {
            for _ in 0..CLIENTS {
                clients.spawn(stay(address.to_owned(), text.clone()));
            }
        }
        clients.join_all().await;
    });
}

/// A client that sends half of something, and comes back when it is cut.
async fn stay(address: String, text: String) {
    loop {
        if let Ok(mut socket) = tokio::net::TcpStream::connect(&address).await {
            let _ = socket.write_all(text.as_bytes()).await;
            let mut rest = Vec::new();
            let _ = socket.read_to_end(&mut rest).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
