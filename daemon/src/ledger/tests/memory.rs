//! Servers of recorded ledgers in memory, under virtual time: what takes a server a minute takes a test
//! nothing, and comes out the same every time.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use treasury_core::units::LedgerIndex;
use xrpl_wire::LedgerHeader;

use super::*;
use crate::ledger::reply::TxData;
use crate::ledger::vectors::{Recorded, story};

/// The longest that anything here takes, in virtual time.
const LONGEST: Duration = Duration::from_secs(600);

/// What is said in place of the usual; `None`: the usual.
type Twist = Box<dyn FnMut(&'static str, &Value) -> Option<Result<Value, &'static str>> + Send>;

/// Changes what is announced.
type Shows = Box<dyn FnMut(&mut Value) + Send>;

/// How one server behaves. The default is that it does.
pub(super) struct Host {
    /// The genesis ledger and those after it.
    pub(super) ledgers: Vec<Recorded>,
    /// How many have closed.
    pub(super) closed: usize,
    /// The first that it has.
    pub(super) first: usize,
    /// Whether it says what it has.
    pub(super) says_ranges: bool,
    pub(super) reachable: bool,
    /// Announces nothing.
    pub(super) mute: bool,
    /// How long each reply takes.
    pub(super) delay: Duration,
    /// What it answers so much later.
    pub(super) slow: Option<(&'static str, Duration)>,
    /// Answers this method never.
    pub(super) swallows: Option<&'static str>,
    /// Gives transactions with one bit changed.
    pub(super) tampers: bool,
    pub(super) network_id: u32,
    /// Changes what it says to requests.
    pub(super) twist: Option<Twist>,
    /// Changes what it announces.
    pub(super) shows: Option<Shows>,
    /// Transactions in a page of `account_tx`.
    pub(super) page: usize,
    /// When it was connected to, or was tried to.
    pub(super) opened: Vec<Instant>,
    pub(super) requests: Vec<Value>,
    announce: Option<watch::Sender<Option<Announced>>>,
    connection: usize,
}

/// One server.
#[derive(Clone)]
pub(super) struct Memory(Arc<Mutex<Host>>);

/// All servers, named `a`, `b`, `c`…
#[derive(Clone)]
pub(super) struct Net(Vec<Memory>);

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

impl Net {
    /// So many servers of a story of which so many ledgers have closed.
    pub(super) fn new(servers: usize, name: &str, closed: usize) -> Self {
        let story = story(name);
        let genesis =
            Recorded { hash: story.genesis.hash(), header: story.genesis, transactions: Vec::new() };
        let ledgers: Vec<Recorded> = std::iter::once(genesis).chain(story.ledgers).collect();
        let memory = |_| {
            Memory(Arc::new(Mutex::new(Host {
                ledgers: ledgers.clone(),
                closed,
                first: 0,
                says_ranges: true,
                reachable: true,
                mute: false,
                delay: Duration::from_millis(20),
                slow: None,
                swallows: None,
                tampers: false,
                network_id: 0,
                twist: None,
                shows: None,
                page: 1_000,
                opened: Vec::new(),
                requests: Vec::new(),
                announce: None,
                connection: 0,
            })))
        };
        Self((0..servers).map(memory).collect())
    }

    pub(super) fn at(&self, number: usize) -> &Memory {
        &self.0[number]
    }

    /// The network of all of them; `read_quorum` and patience are small.
    pub(super) fn config(&self, read_quorum: usize) -> NetworkConfig {
        NetworkConfig {
            read_quorum,
            silence_max: Duration::from_secs(20),
            request_timeout: Duration::from_secs(4),
            ..NetworkConfig::new(NAMES[..self.0.len()].iter().map(|name| Endpoint::named(name)).collect())
        }
    }

    pub(super) fn spawn(&self, network: NetworkConfig, start: Start) -> Virtual {
        let (sender, inputs) = mpsc::channel(1_024);
        let origin = Instant::now();
        let clock = Clock::new(move || u64::try_from(origin.elapsed().as_millis()).unwrap());
        let handle = Port::spawn_on(Arc::new(self.clone()), clock, 7, network, start, sender);
        Virtual { handle, inputs }
    }

    /// Each server closes the next ledger and announces it.
    pub(super) fn close(&self) {
        self.0.iter().for_each(Memory::close);
    }

    /// The place of the ledger after so many have closed, as the first server has it.
    pub(super) fn point(&self, closed: usize) -> LedgerPoint {
        self.0[0].point(closed)
    }

    /// Adds empty ledgers after those of the story.
    pub(super) fn grow(&self, ledgers: usize) {
        for memory in &self.0 {
            memory.set(|host| {
                for _ in 0..ledgers {
                    let last = host.ledgers.last().unwrap();
                    let (index, parent_hash) = (last.header.index + 1, last.hash);
                    let transaction_hash = Hash256::ZERO;
                    let header = LedgerHeader { index, parent_hash, transaction_hash, ..last.header };
                    host.ledgers.push(Recorded { header, hash: header.hash(), transactions: Vec::new() });
                }
            });
        }
    }

    /// Puts one more transaction into a ledger of every server, which changes all that follow.
    pub(super) fn put(&self, closed: usize, tx: &TxData) {
        for memory in &self.0 {
            memory.set(|host| {
                let mut parent = host.ledgers[closed - 1].hash;
                for (number, ledger) in host.ledgers.iter_mut().enumerate().skip(closed) {
                    if number == closed {
                        ledger.add(tx);
                    }
                    ledger.header.parent_hash = parent;
                    (ledger.hash, parent) = (ledger.header.hash(), ledger.header.hash());
                }
            });
        }
    }

    /// Begins after so many ledgers.
    pub(super) fn from(&self, closed: usize) -> Start {
        Start { cursor: Some(self.point(closed)), ..Start::default() }
    }
}

impl Memory {
    pub(super) fn set<T>(&self, change: impl FnOnce(&mut Host) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn close(&self) {
        self.set(|host| {
            host.closed += 1;
            host.announce();
        });
    }

    /// Closes its connection.
    pub(super) fn hang_up(&self) {
        self.set(|host| host.announce = None);
    }

    /// From this ledger on it has another history, whole in itself; the answer is the true one.
    pub(super) fn fork(&self, closed: usize) -> Vec<Recorded> {
        self.set(|host| {
            let truth = host.ledgers.clone();
            let mut parent = None;
            for ledger in host.ledgers.iter_mut().skip(closed) {
                match parent {
                    None => ledger.header.account_hash = Hash256([0x66; 32]),
                    Some(parent) => ledger.header.parent_hash = parent,
                }
                ledger.hash = ledger.header.hash();
                parent = Some(ledger.hash);
            }
            truth
        })
    }

    pub(super) fn point(&self, closed: usize) -> LedgerPoint {
        self.set(|host| {
            let header = host.ledgers[closed].header;
            LedgerPoint {
                index: LedgerIndex(header.index),
                hash: header.hash(),
                close_time: header.close_time,
            }
        })
    }

    /// How often it was asked for this.
    pub(super) fn asked(&self, method: &str) -> usize {
        self.set(|host| host.requests.iter().filter(|request| request["command"] == method).count())
    }
}

impl Host {
    fn announced(&mut self) -> Value {
        let tip = &self.ledgers[self.closed];
        let mut json = json!({
            "fee_base": 10, "reserve_base": 1_000_000, "reserve_inc": 200_000, "network_id": self.network_id,
            "ledger_hash": tip.hash, "ledger_index": tip.header.index,
        });
        if self.says_ranges {
            let first = self.ledgers[self.first].header.index;
            json["validated_ledgers"] = json!(format!("{first}-{}", tip.header.index));
        }
        if let Some(shows) = &mut self.shows {
            shows(&mut json);
        }
        json
    }

    fn announce(&mut self) {
        let announced = self.announced();
        if let Some(announce) = self.announce.as_ref().filter(|_| !self.mute) {
            announce.send_replace(Some(Announced::from_json(announced).unwrap()));
        }
    }

    fn answer(&mut self, method: &'static str, params: &Value) -> Result<Value, &'static str> {
        if let Some(said) = self.twist.as_mut().and_then(|twist| twist(method, params)) {
            return said;
        }
        if method == "subscribe" {
            return Ok(self.announced());
        }
        let held = self.ledgers[..=self.closed].iter().skip(self.first);
        match method {
            "ledger" => {
                let found = held.clone().find(|ledger| params["ledger_index"] == ledger.header.index);
                let mut reply = found.ok_or("lgrNotFound")?.reply();
                if self.tampers
                    && let Some(meta) = reply.pointer_mut("/ledger/transactions/0/meta_blob")
                {
                    let text = meta.as_str().unwrap();
                    let flipped = if text.ends_with('0') { "1" } else { "0" };
                    *meta = json!(format!("{}{flipped}", &text[..text.len() - 1]));
                }
                Ok(reply)
            }
            "fee" => Ok(json!({ "drops": { "open_ledger_fee": "12" } })),
            "account_info" => Err("actNotFound"),
            "account_tx" => {
                let whom: AccountId = params["account"].as_str().unwrap().parse().unwrap();
                let wanted = |key: &str| u32::try_from(params[key].as_u64().unwrap()).unwrap();
                let lowest = self.ledgers[self.first].header.index;
                let first = wanted("ledger_index_min").max(lowest);
                let last = wanted("ledger_index_max");
                let whom = hex::encode_upper(whom.0);
                let all: Vec<Value> = held
                    .filter(|ledger| (first..=last).contains(&ledger.header.index))
                    .flat_map(|ledger| ledger.transactions.iter().map(|tx| (ledger.header.index, tx)))
                    .filter(|(_, (tx, meta))| tx.contains(&whom) || meta.contains(&whom))
                    .map(|(index, (tx, meta))| {
                        json!({ "tx_blob": tx, "meta_blob": meta, "ledger_index": index, "validated": true })
                    })
                    .collect();
                let from = params["marker"]["seq"].as_u64().map_or(0, |seq| usize::try_from(seq).unwrap());
                let to = (from + self.page).min(all.len());
                let mut reply = json!({
                    "ledger_index_min": first, "ledger_index_max": last, "transactions": all[from..to],
                });
                if to < all.len() {
                    reply["marker"] = json!({ "ledger": 1, "seq": to });
                }
                Ok(reply)
            }
            "submit" => Ok(json!({ "engine_result": "tesSUCCESS" })),
            _ => Err("unknownCmd"),
        }
    }
}

impl Transport for Net {
    fn open<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, Result<Opened, RequestError>> {
        let number = NAMES.iter().position(|name| *name == endpoint.label()).unwrap();
        let memory = self.0[number].clone();
        Box::pin(async move {
            let (announce, announced) = watch::channel(None);
            let connection = memory.set(|host| {
                host.opened.push(Instant::now());
                if !host.reachable {
                    return None;
                }
                host.connection += 1;
                host.announce = Some(announce);
                Some(host.connection)
            });
            let connection = connection.ok_or_else(|| RequestError::Unreachable("refused".to_owned()))?;
            let link: Arc<dyn Link> = Arc::new(MemoryLink { memory, connection });
            Ok((link, announced))
        })
    }
}

struct MemoryLink {
    memory: Memory,
    connection: usize,
}

impl Link for MemoryLink {
    fn request<'a>(
        &'a self,
        method: &'static str,
        params: Value,
    ) -> BoxFuture<'a, Result<Body, RequestError>> {
        Box::pin(async move {
            let (delay, answer) = self.memory.set(|host| {
                let mut request = params.clone();
                request["command"] = json!(method);
                host.requests.push(request);
                if host.connection != self.connection || host.announce.is_none() {
                    return (Duration::ZERO, Err(RequestError::Closed));
                }
                let slow =
                    host.slow.filter(|(slow, _)| *slow == method).map_or(host.delay, |(_, delay)| delay);
                let delay = if host.swallows == Some(method) { LONGEST } else { slow };
                let answer = host.answer(method, &params).map_err(|code| RequestError::Server {
                    method,
                    code: code.to_owned(),
                    message: String::new(),
                });
                (delay, answer)
            });
            sleep(delay).await;
            answer.map(Body::from)
        })
    }
}

/// A port under virtual time, and what it says.
pub(super) struct Virtual {
    pub(super) handle: PortHandle,
    pub(super) inputs: mpsc::Receiver<Input>,
}

impl Virtual {
    /// The endpoints that are left out, and why.
    pub(super) fn left_out(&self) -> Vec<(String, String)> {
        self.handle.endpoints().into_iter().filter_map(|(name, why)| Some((name, why?))).collect()
    }

    /// The next input, fees aside.
    pub(super) async fn next(&mut self) -> Input {
        loop {
            match timeout(LONGEST, self.inputs.recv()).await {
                Ok(Some(Input::OpenLedgerFee { .. })) => {}
                Ok(Some(input)) => return input,
                other => panic!("the port says nothing more: {other:?}"),
            }
        }
    }

    /// The next input, if one comes within this.
    pub(super) async fn within(&mut self, wait: Duration) -> Option<Input> {
        let deadline = Instant::now() + wait;
        loop {
            match tokio::time::timeout_at(deadline, self.inputs.recv()).await {
                Ok(Some(Input::OpenLedgerFee { .. })) => {}
                Ok(input) => return input,
                Err(_) => return None,
            }
        }
    }

    /// Nothing is said for so many seconds.
    pub(super) async fn quiet(&mut self, seconds: u64) {
        let said = self.within(Duration::from_secs(seconds)).await;
        assert!(said.is_none(), "{said:?}");
    }

    pub(super) async fn ledger(&mut self) -> LedgerPoint {
        match self.next().await {
            Input::Ledger { observation, .. } => observation.point,
            other => panic!("not a ledger: {other:?}"),
        }
    }

    pub(super) async fn reconciled(&mut self) -> LedgerPoint {
        match self.next().await {
            Input::Reconciled { at, .. } => at,
            other => panic!("not accounts: {other:?}"),
        }
    }

    pub(super) async fn lost(&mut self) -> String {
        match self.next().await {
            Input::SightLost { reason } => reason,
            other => panic!("not lost sight: {other:?}"),
        }
    }
}
