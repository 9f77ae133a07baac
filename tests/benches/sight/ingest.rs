//! How many transactions a second go from the server's reply to durable state: JSON, proof of
//! the header and of the transactions' root, decoding, matching, stepping, appending.
//!
//! The port's own code runs over a transport that answers from memory. Every transaction pays a watched account,
//! which is the dearest case: none can be passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use treasury_core::Input;
use treasuryd::clock::Clock;
use treasuryd::config::{Endpoint, NetworkConfig};
use treasuryd::engine::Machine;
use treasuryd::ledger::{Announced, Body, BoxFuture, Link, Opened, Port, RequestError, Start, Transport};
use treasuryd::metrics::Metrics;
use treasuryd::store::DiskStore;
use xrpl_harness::embedded::rpc::{Request, ServerFacts, Transport as Way, handle_read};
use xrpl_harness::embedded::{CloseTime, Ledger};

use crate::ground::{ledger, payment, treasury, watched};

const LEDGERS: u32 = 60;
const PER_LEDGER: u32 = 200;

fn result_of(ledger: &Ledger, method: &str, params: Value) -> Value {
    let Value::Object(mut params) = params else { panic!("not an object") };
    params.insert("command".to_owned(), json!(method));
    let request =
        Request { method: method.to_owned(), params, api_version: 2, transport: Way::Ws, admin: true };
    let outcome = handle_read(ledger, None, &request, &ServerFacts::default());
    Value::Object(outcome.result.unwrap_or_else(|failure| panic!("{method}: {:?}", failure.0)))
}

fn announced(ledger: &Ledger, index: u32) -> Value {
    let hash = ledger.closed(index).unwrap().hash.to_string();
    json!({
        "ledger_index": index, "ledger_hash": hash, "fee_base": 10, "reserve_base": 1_000_000,
        "reserve_inc": 200_000, "network_id": 0, "validated_ledgers": format!("1-{index}"),
    })
}

struct Server {
    ledger: Ledger,
    first: u32,
    /// Replies to `ledger`, as the text that a socket would bring: reading it is part of the work.
    ledgers: BTreeMap<u32, String>,
    announce: watch::Sender<Option<Announced>>,
}

struct Connection(Arc<Server>);

struct InMemory(Arc<Server>);

impl Transport for InMemory {
    fn open<'a>(&'a self, _: &'a Endpoint) -> BoxFuture<'a, Result<Opened, RequestError>> {
        let link: Arc<dyn Link> = Arc::new(Connection(Arc::clone(&self.0)));
        let announced = self.0.announce.subscribe();
        Box::pin(async move { Ok((link, announced)) })
    }
}

impl Link for Connection {
    fn request<'a>(
        &'a self,
        method: &'static str,
        params: Value,
    ) -> BoxFuture<'a, Result<Body, RequestError>> {
        let server = &self.0;
        let index = params.get("ledger_index").and_then(Value::as_u64).unwrap_or_default() as u32;
        let reply = match method {
            "subscribe" => announced(&server.ledger, server.first).into(),
            // Without transactions only the header is asked for.
            "ledger" if params.get("transactions").is_some() => match server.ledgers.get(&index) {
                Some(text) => Body::Text(serde_json::from_str(text).unwrap()),
                None => result_of(&server.ledger, method, params).into(),
            },
            _ => result_of(&server.ledger, method, params).into(),
        };
        Box::pin(async move { Ok(reply) })
    }
}

fn processor_time() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(spent.tv_sec).unwrap(), u32::try_from(spent.tv_nsec).unwrap())
}

fn one(accounts: u32) {
    let mut ledger = ledger(accounts, &[]);
    let first = ledger.validated().header.index;
    let mut ledgers = BTreeMap::new();
    for number in 0..LEDGERS {
        for nth in 0..PER_LEDGER {
            let nth = number * PER_LEDGER + nth;
            let destination = watched(nth.wrapping_mul(40_503) % accounts);
            ledger.submit(&payment(nth, destination));
        }
        let closed = ledger.close(CloseTime::Next);
        assert_eq!(closed.transactions.len(), PER_LEDGER as usize);
        let index = closed.header.index;
        let params = json!({ "ledger_index": index, "transactions": true, "expand": true, "binary": true });
        ledgers.insert(index, result_of(&ledger, "ledger", params).to_string());
    }
    let last = ledger.validated().header.index;
    let server = Arc::new(Server { ledger, first, ledgers, announce: watch::Sender::new(None) });

    let dir = tempfile::tempdir().unwrap();
    let store = Box::new(DiskStore::open(dir.path()).unwrap());
    let config = Arc::new(treasury(accounts));
    let start = Start {
        watched: config.watched(),
        treasury: config.accounts.keys().copied().collect(),
        known: BTreeSet::new(),
        cursor: None,
        escrows: BTreeSet::new(),
    };
    let mut machine = Machine::open(config, store, Arc::new(Metrics::new().unwrap())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (wall, worked) = runtime.block_on(async {
        let (inputs, mut arrived) = mpsc::channel(1_024);
        let transport = Arc::new(InMemory(Arc::clone(&server)));
        let network = NetworkConfig::new(vec![Endpoint::named("memory")]);
        let _port = Port::spawn_on(transport, Clock::new(|| 0), 1, network, start, inputs);
        while !machine.state().sees() {
            machine.take(arrived.recv().await.unwrap()).unwrap();
        }
        let (began, worked) = (Instant::now(), processor_time());
        let tip = Announced::from_json(announced(&server.ledger, last)).unwrap();
        server.announce.send_replace(Some(tip));
        while machine.state().ledger.unwrap().index.0 < last {
            let input = arrived.recv().await.unwrap();
            assert!(!matches!(input, Input::SightLost { .. }), "{input:?}");
            machine.take(input).unwrap();
        }
        (began.elapsed(), processor_time() - worked)
    });
    let count = f64::from(LEDGERS * PER_LEDGER);
    let rate = |time: Duration| (count / time.as_secs_f64()).round();
    let micros = worked.as_secs_f64() * 1e6 / count;
    println!(
        "| transactions taken in, {accounts} watched accounts | {}/s wall, {}/s of processor time, {micros:.1} µs each | ≥ 20000/s |",
        rate(wall),
        rate(worked)
    );
}

pub(crate) fn run() {
    for accounts in [100, 10_000, 100_000] {
        one(accounts);
    }
}
