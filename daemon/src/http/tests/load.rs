//! The API under clients that take its connections, its places and its time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use treasury_core::Event;

use super::*;
use crate::store::{Archive, Record, Store, StoreError};

/// Limits of a process that may have few files open, so that the test itself needs few.
fn few() -> Limits {
    Limits { connections: 16, requests: 3, stops: 2, probes: 2, ..Limits::default() }
}

/// What a client sends that takes its time with the rest.
fn half_a_head() -> String {
    "GET /v1/status HTTP/1.1\r\nhost: x\r\nauthoriz".to_owned()
}

fn half_a_body() -> String {
    let token = token_of("alice");
    format!(
        "POST /v1/proposals HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 60000\r\n\r\n{{"
    )
}

async fn sending(served: &Served, text: &str) -> TcpStream {
    let mut socket = TcpStream::connect(served.url.trim_start_matches("http://")).await.unwrap();
    // Whoever is cut at once notices only when it reads.
    let _ = socket.write_all(text.as_bytes()).await;
    socket
}

/// Everything that comes until the other side ends.
async fn rest(mut socket: TcpStream) -> String {
    let mut all = Vec::new();
    // A connection that is cut may end with an error.
    let _ = socket.read_to_end(&mut all).await;
    String::from_utf8(all).unwrap()
}

/// Danger: a few hundred connections that say nothing, or say it slowly, and nobody can freeze anything any more, nor
/// see that the daemon lives; and the descriptors that the ledger connection needs are gone. Method: ten times as many
/// as there is room for, of both kinds, that stay.
#[tokio::test]
async fn a_stop_and_the_probes_get_through_when_slow_clients_take_every_connection() {
    let store = MemoryStore::new();
    let served = Served::on(store.clone(), store, few()).await;
    testing::look(&served.handle).await;
    let id = served.client("alice").propose(&payment(5_000_000)).await.unwrap().proposal;
    let mut slow = Vec::new();
    for round in 0..10 {
        for text in [half_a_head(), half_a_body()] {
            for _ in 0..8 {
                slow.push(sending(&served, &text).await);
            }
        }
        let sue = served.client("sue");
        assert!(sue.freeze(None, &format!("round {round}")).await.unwrap().changed);
        assert_eq!(served.client("adam").unfreeze(None, "over").await.unwrap().lifted.len(), 1);
        if round == 0 {
            assert!(sue.flag(&id, "the invoice is odd").await.unwrap().changed);
        }
        let probe = Client::new(&served.url, None).unwrap();
        assert!(probe.ready().await.unwrap());
        assert!(probe.metrics().await.unwrap().contains("treasuryd_sight 1"));
        assert_eq!(served.raw(Method::GET, "/healthz", None, "").await.0, 200);
    }
    // The oldest were cut, and never were there more than there is room for.
    let mut open = 0;
    for socket in &slow {
        let mut byte = [0];
        let waits = matches!(socket.try_read(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
        open += usize::from(waits);
    }
    assert!(open <= few().connections, "{open} of {} slow clients are still connected", slow.len());
    assert_eq!(rest(slow.remove(0)).await, "");
}

/// Danger: a burst is taken in faster than it is looked at, and whoever came first is cut unheard. Method: all of it
/// waits in the system before the API runs again, the honest one first.
#[tokio::test]
async fn whoever_comes_in_a_burst_is_heard_before_anybody_is_cut() {
    use std::io::{Read, Write};
    let store = MemoryStore::new();
    let served = Served::on(store.clone(), store, few()).await;
    // Nothing of the API runs meanwhile: it is on this thread.
    let burst = |text: &str| {
        let mut socket = std::net::TcpStream::connect(served.url.trim_start_matches("http://")).unwrap();
        socket.write_all(text.as_bytes()).unwrap();
        socket
    };
    let mut honest = burst("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let slow: Vec<_> = (0..60).map(|_| burst(&half_a_head())).collect();
    let said = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        honest.read_to_string(&mut said).unwrap();
        said
    });
    assert!(said.await.unwrap().starts_with("HTTP/1.1 200"));
    drop(slow);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_ends_the_connection() {
    let served = Served::blind().await;
    for text in [half_a_head(), String::new()] {
        let began = Instant::now();
        let said = rest(sending(&served, &text).await).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
        let took = began.elapsed();
        let limit = Limits::default().head;
        assert!(took >= limit && took < limit + Duration::from_secs(1), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_refused_in_time_and_ends_the_connection() {
    let served = Served::blind().await;
    let began = Instant::now();
    let said = rest(sending(&served, &half_a_body()).await).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(said.contains("BODY_TOO_SLOW") && said.contains("connection: close"), "{said}");
    assert!(began.elapsed() < Limits::default().head, "{:?}", began.elapsed());
}

/// A client that asks and never reads: its answers fill its buffers, and then its time is over.
#[tokio::test(start_paused = true)]
async fn a_client_that_takes_no_answer_is_left() {
    let served = Served::blind().await;
    let mut socket = sending(&served, "").await;
    let asks = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000);
    let began = Instant::now();
    while socket.write_all(asks.as_bytes()).await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(60), "it is still served");
    }
}

/// Waits in the append while it is shut.
#[derive(Clone, Default)]
struct Gate {
    inner: MemoryStore,
    shut: Arc<(Mutex<bool>, Condvar)>,
    /// Whether something waits, or has.
    reached: Arc<AtomicBool>,
}

impl Gate {
    fn shut(&self, shut: bool) {
        *self.shut.0.lock().unwrap() = shut;
        self.shut.1.notify_all();
    }
}

impl Store for Gate {
    fn append(&mut self, events: &[Event]) -> Result<u64, StoreError> {
        let shut = self.shut.0.lock().unwrap();
        self.reached.fetch_or(*shut, Ordering::SeqCst);
        drop(self.shut.1.wait_while(shut, |shut| *shut).unwrap());
        self.inner.append(events)
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.inner.read(after, limit)
    }

    fn archive(&self) -> Arc<Archive> {
        self.inner.archive()
    }
}

/// Danger: requests that are stuck fill the API, and a freeze is told that it is too much. Method: a disk that hangs, as
/// many requests of different people as there are places, and one that is too many; then the disk goes on.
#[tokio::test]
async fn a_stop_and_the_probes_have_places_that_stuck_requests_do_not_take() {
    let gate = Gate::default();
    let served = Arc::new(Served::on(gate.clone(), gate.inner.clone(), few()).await);
    testing::look(&served.handle).await;
    gate.shut(true);
    let propose = |served: &Arc<Served>| {
        let served = Arc::clone(served);
        tokio::spawn(async move { served.client("alice").propose(&payment(5_000_000)).await })
    };
    let look = |person: &'static str| {
        let served = Arc::clone(&served);
        tokio::spawn(async move { served.client(person).status().await })
    };
    let stuck = propose(&served);
    // A look that came before it would be answered, and its place free again.
    while !gate.reached.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    // One person's take no more than theirs.
    let looks = [look("bob"), look("sue")];
    while served.places.left() > 0 {
        tokio::task::yield_now().await;
    }
    let too_many = look("adam").await.unwrap().unwrap_err();
    assert_eq!(too_many.code(), Some("TOO_MANY_REQUESTS"));
    let again = propose(&served).await.unwrap().unwrap_err();
    assert_eq!(again.code(), Some("RATE_LIMITED"));
    assert_eq!(served.raw(Method::GET, "/healthz", None, "").await.0, 200);
    let freeze = {
        let served = Arc::clone(&served);
        tokio::spawn(async move { served.client("sue").freeze(None, "stop it").await })
    };
    let ready = {
        let served = Arc::clone(&served);
        tokio::spawn(async move { served.client("sue").ready().await })
    };
    gate.shut(false);
    assert!(freeze.await.unwrap().unwrap().changed);
    assert!(ready.await.unwrap().unwrap());
    stuck.await.unwrap().unwrap();
    for look in looks {
        look.await.unwrap().unwrap();
    }
}

/// Danger: whoever has a person's token asks for stops of nothing without a pause, and when the person stops something, that
/// is refused as too much. Method: their share of the places is taken while requests pile up, and then it is free.
#[tokio::test]
async fn a_stop_waits_for_its_turn_behind_all_that_the_same_token_asks_for() {
    let limits = Limits { connections: 64, requests: 3, stops: 8, probes: 2, ..Limits::default() };
    let store = MemoryStore::new();
    let served = Arc::new(Served::on(store.clone(), store, limits).await);
    testing::look(&served.handle).await;
    let share = [
        served.places.take(Class::Stop, "sue").await.unwrap(),
        served.places.take(Class::Stop, "sue").await.unwrap(),
    ];
    let withdraw = || {
        let served = Arc::clone(&served);
        tokio::spawn(async move { served.client("sue").withdraw("P999").await })
    };
    let thiefs: Vec<_> = (0..20).map(|_| withdraw()).collect();
    while served.places.stops_waiting() < thiefs.len() {
        assert!(!thiefs.iter().any(tokio::task::JoinHandle::is_finished), "one was refused");
        tokio::task::yield_now().await;
    }
    let own = {
        let served = Arc::clone(&served);
        tokio::spawn(async move { served.client("sue").freeze(None, "a thief").await })
    };
    while served.places.stops_waiting() <= thiefs.len() {
        assert!(!own.is_finished(), "it was refused");
        tokio::task::yield_now().await;
    }
    // Nobody else waits for what is hers.
    let alices = served.client("alice").withdraw("P999").await.unwrap_err();
    assert_eq!(alices.code(), Some("UNKNOWN_PROPOSAL"));
    drop(share);
    assert!(own.await.unwrap().unwrap().changed);
    for thief in thiefs {
        assert_eq!(thief.await.unwrap().unwrap_err().code(), Some("UNKNOWN_PROPOSAL"));
    }
}

/// Danger: those who may not stop anything ask for it all the same, and take the places of those who may.
#[tokio::test]
async fn a_stop_of_somebody_without_the_role_takes_no_place() {
    let store = MemoryStore::new();
    let served = Served::on(store.clone(), store, few()).await;
    let _all = [
        served.places.take(Class::Stop, "sue").await.unwrap(),
        served.places.take(Class::Stop, "adam").await.unwrap(),
    ];
    let alice = served.client("alice");
    for refused in [
        alice.freeze(None, "x").await.map(drop),
        alice.flag("P1", "x").await.map(drop),
        alice.panic("x").await.map(drop),
        alice.flag_destination("exchange", "x").await.map(drop),
        alice.void("P1", "x").await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code(), Some("ROLE_MISSING"));
    }
}

/// Nobody but a disk that hangs keeps a stop waiting for so long: then it is said, and not waited for.
#[tokio::test(start_paused = true)]
async fn a_stop_that_gets_no_turn_says_so() {
    let places = Places::new(&few());
    let held =
        (places.take(Class::Stop, "sue").await.unwrap(), places.take(Class::Stop, "adam").await.unwrap());
    let began = Instant::now();
    assert_eq!(places.take(Class::Stop, "alice").await.unwrap_err(), ApiError::TooManyRequests);
    assert_eq!(began.elapsed().as_secs(), 5);
    drop(held);
    assert!(places.take(Class::Stop, "alice").await.is_ok());
}
