//! How long a freeze takes when everything else is full. Asked for by name:
//! `cargo test --release -p treasuryd --lib -- --ignored --nocapture answers_a_freeze`.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use treasury_core::{Actor, Command};

use super::*;
use crate::console::out;
use crate::store::DiskStore;

/// Clients of each kind.
const CLIENTS: usize = 1_000;

/// Who hands over commands all the time: more than the queue has places.
const COMMANDERS: usize = 1_200;

/// Freezes that are timed.
const FREEZES: usize = 100;

/// What ninety-nine in a hundred of them may take.
const ANSWERED_WITHIN: Duration = Duration::from_millis(10);

/// Danger: thousands of clients that are slow, and a queue of commands that is never empty, hold up the one that stops
/// the treasury. Method: a store on disk; a thousand clients that never end their head and a thousand that never end
/// their body, each back a second after it is cut; commands without end; and freezes, each on a connection of its own.
#[test]
#[ignore = "a measurement: it needs thousands of descriptors and a machine of its own"]
fn the_api_answers_a_freeze_within_ten_milliseconds_whatever_else_is_full() {
    let files = getrlimit(Resource::Nofile);
    let most = rustix::process::Rlimit { current: files.maximum, maximum: files.maximum };
    setrlimit(Resource::Nofile, most).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let api = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let store = DiskStore::open(dir.path()).unwrap();
    let served = api.block_on(async {
        let served = Served::on(store, MemoryStore::new(), Limits::within(1_024, 1)).await;
        testing::look(&served.handle).await;
        served
    });
    let address = served.url.trim_start_matches("http://").to_owned();
    let over = Arc::new(AtomicBool::new(false));
    let (cut, commands) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let others = Others { address: address.clone(), over: Arc::clone(&over), cut: Arc::clone(&cut) };
    let handle = served.handle.clone();
    let carried = Arc::clone(&commands);
    let pressing = std::thread::spawn(move || others.press(handle, carried));

    let clients = Builder::new_current_thread().enable_all().build().unwrap();
    let mut took = clients.block_on(async {
        // Everybody has come, and those that there is no room for have been cut.
        while cut.load(Ordering::Relaxed) < CLIENTS || commands.load(Ordering::Relaxed) < COMMANDERS {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut took = Vec::with_capacity(FREEZES);
        for number in 0..FREEZES {
            let began = std::time::Instant::now();
            let answer = freeze(&address, number).await;
            took.push(began.elapsed());
            assert!(answer.contains("HTTP/1.1 200"), "{answer}");
            let lift = Command::Unfreeze { account: None, reason: "over".to_owned() };
            let adam = Actor { person: "adam".to_owned() };
            served.handle.command(adam, lift).await.unwrap().unwrap();
        }
        took
    });
    over.store(true, Ordering::Relaxed);
    pressing.join().unwrap();
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)];
    let carried = commands.load(Ordering::Relaxed);
    out!(
        "a freeze is answered in {:?} (median), {:?} (p99), {:?} (most); {} connections were cut and {carried} \
         commands carried out meanwhile",
        at(50),
        at(99),
        took[took.len() - 1],
        cut.load(Ordering::Relaxed)
    )
    .unwrap();
    assert!(at(99) <= ANSWERED_WITHIN, "{:?}", at(99));
}

/// One freeze, from the connection to the end of the answer. Whoever is cut while it has not said anything yet asks
/// again, as people's tools do, and its time goes on.
async fn freeze(address: &str, number: usize) -> String {
    let body = format!("{{\"reason\":\"round {number}\"}}");
    let text = format!(
        "POST /v1/freeze HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\ncontent-length: \
         {}\r\n\r\n{body}",
        token_of("sue"),
        body.len()
    );
    loop {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let mut answer = String::new();
        if socket.write_all(text.as_bytes()).await.is_ok()
            && socket.read_to_string(&mut answer).await.is_ok()
            && !answer.is_empty()
        {
            return answer;
        }
    }
}

/// Everybody else, on a thread of their own.
struct Others {
    address: String,
    over: Arc<AtomicBool>,
    cut: Arc<AtomicUsize>,
}

impl Others {
    fn press(self, handle: EngineHandle, commands: Arc<AtomicUsize>) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let this = Arc::new(self);
        runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            let body = format!(
                "POST /v1/proposals HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 60000\r\n\r\n{{",
                token_of("alice")
            );
            for text in ["GET /v1/status HTTP/1.1\r\nhost: x\r\nauthoriz".to_owned(), body] {
                for _ in 0..CLIENTS {
                    tasks.spawn(Arc::clone(&this).stay(text.clone()));
                }
            }
            for _ in 0..COMMANDERS {
                let (handle, commands, this) = (handle.clone(), Arc::clone(&commands), Arc::clone(&this));
                tasks.spawn(async move {
                    while !this.over.load(Ordering::Relaxed) {
                        let bob = Actor { person: "bob".to_owned() };
                        // Nobody's proposal: it is looked at and refused, which costs the engine a step.
                        let id = treasury_core::units::ProposalId(u64::MAX);
                        let asked = Command::Clear { proposal: id, reason: "no".to_owned() };
                        // It ends before this does, where the test fails.
                        let Ok(_) = handle.command(bob, asked).await else { return };
                        commands.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            while !this.over.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            tasks.shutdown().await;
        });
    }

    /// A client that sends half of something, and comes back when it is cut.
    async fn stay(self: Arc<Self>, text: String) {
        while !self.over.load(Ordering::Relaxed) {
            if let Ok(mut socket) = TcpStream::connect(&self.address).await {
                let _ = socket.write_all(text.as_bytes()).await;
                let mut rest = Vec::new();
                let _ = socket.read_to_end(&mut rest).await;
                self.cut.fetch_add(1, Ordering::Relaxed);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}
