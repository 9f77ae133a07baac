//! A simulated network: one ledger that is the truth, and servers that show it to the daemons, more or less
//! well. Everything is answered by the embedded ledger's own methods; what is wrong with an answer is put in
//! here and counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use treasury_core::units::{AccountId, Hash256};
use treasuryd::config::Endpoint;
use treasuryd::ledger::Announced;
use xrpl_harness::embedded::rpc::{Request, ServerFacts, handle, handle_read};
use xrpl_harness::embedded::{CloseTime, ClosedLedger, Ledger};
use xrpl_wire::RippleTime;

use super::faults::{Allowed, Fault};
use super::record::Record;

/// Servers that the daemons know.
pub const SERVERS: usize = 3;

/// Submissions that a server keeps for itself before it passes them on.
const LATE_MAX: usize = 64;

/// One of the servers, and what is wrong with it. Times are indexes of the truth's ledgers.
#[derive(Debug, Default)]
struct Server {
    /// The last ledger that it has shown.
    shown: u32,
    /// By how many ledgers it is behind, and until when.
    lag: (u32, u32),
    silent_until: u32,
    unreachable_until: u32,
    busy_until: u32,
    slow_down_until: u32,
    hidden_below: u32,
    hidden_until: u32,
    /// Shows another ledger at this index; 0: none.
    lie: u32,
    lie_until: u32,
    stale: Option<Announced>,
    connections: Vec<Connection>,
}

#[derive(Debug)]
struct Connection {
    id: u64,
    announce: watch::Sender<Option<Announced>>,
    closed: watch::Sender<bool>,
}

/// What comes of a request, decided at the moment it is made.
pub enum Reply {
    /// Now.
    Now(Result<Value, (String, String)>),
    /// After so long.
    After(Duration, Result<Value, (String, String)>),
    /// Never.
    Never,
}

/// The network: what all daemons share.
pub struct Network {
    ledger: Ledger,
    servers: Vec<Server>,
    next_connection: u64,
    allowed: Allowed,
    /// Of a thousand requests, how many something happens to.
    permille: u32,
    /// Faults are over: everything heals.
    healed: bool,
    late: Vec<(u32, Vec<u8>)>,
    escalated_until: u32,
    facts: ServerFacts,
    rng: StdRng,
    /// What happened.
    pub record: Record,
    /// For each daemon: when it was last handed a ledger that was new to it (milliseconds), and which.
    pub told: BTreeMap<usize, (u64, u32)>,
    /// For each daemon: accounts that it has read since it started.
    pub read: BTreeMap<usize, BTreeSet<AccountId>>,
}

impl Network {
    /// A network on a ledger.
    #[must_use]
    pub fn new(ledger: Ledger, allowed: Allowed, permille: u32, rng: StdRng, record: Record) -> Self {
        let shown = ledger.validated().header.index;
        Self {
            ledger,
            servers: (0..SERVERS).map(|_| Server { shown, ..Server::default() }).collect(),
            next_connection: 0,
            allowed,
            permille,
            healed: false,
            late: Vec::new(),
            escalated_until: 0,
            facts: ServerFacts::default(),
            rng,
            record,
            told: BTreeMap::new(),
            read: BTreeMap::new(),
        }
    }

    /// The addresses of its servers.
    #[must_use]
    pub fn endpoints() -> Vec<Endpoint> {
        (0..SERVERS).map(|server| Endpoint::named(&format!("ws://server-{server}"))).collect()
    }

    /// The truth.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether a fault of this kind happens now, so often in a thousand times; counted if it does.
    pub fn strikes(&mut self, fault: Fault, permille: u32) -> bool {
        let strikes = !self.healed && self.allowed.has(fault) && self.rng.random_range(0..1000) < permille;
        if strikes {
            self.record.fault(fault);
        }
        strikes
    }

    /// A number from the run's chance.
    pub fn chance(&mut self, range: std::ops::Range<u32>) -> u32 {
        self.rng.random_range(range)
    }

    /// Submits past all servers and faults, as somebody with a server of their own does.
    pub fn submit_directly(&mut self, blob: &[u8]) -> String {
        let outcome = self.ledger.submit(blob);
        outcome.result.name().to_owned()
    }

    /// Closes the next ledger, and tells of it.
    pub fn close(&mut self, at: RippleTime) -> Arc<ClosedLedger> {
        let closed = self.ledger.close(CloseTime::At(at));
        let index = closed.header.index;
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|(when, _)| *when <= index);
        self.late = late;
        for (_, blob) in due {
            self.ledger.submit(&blob);
        }
        if self.escalated_until == index {
            self.ledger.set_load_factor(1);
        }
        self.record.mix(&closed.hash.0);
        self.ail(index);
        for server in 0..self.servers.len() {
            self.show(server, index);
        }
        closed
    }

    /// Servers fall ill, and get well again.
    fn ail(&mut self, index: u32) {
        if self.healed {
            return;
        }
        let permille = self.permille / 4;
        for number in 0..self.servers.len() {
            let long = index + self.rng.random_range(2..40);
            if self.strikes(Fault::Silence, permille) {
                self.servers[number].silent_until = long;
            }
            if self.strikes(Fault::Close, permille * 2) {
                self.hang_up(number);
            }
            if self.strikes(Fault::Unreachable, permille) {
                self.hang_up(number);
                self.servers[number].unreachable_until = long;
            }
            if self.strikes(Fault::TooBusy, permille) {
                self.servers[number].busy_until = long;
            }
            if self.strikes(Fault::SlowDown, permille) {
                self.servers[number].slow_down_until = long;
            }
            if self.strikes(Fault::Lag, permille) {
                self.servers[number].lag = (self.rng.random_range(1..30), long);
            }
            if self.strikes(Fault::LostHistory, permille) {
                let below = index.saturating_sub(self.rng.random_range(0..20));
                // Now and then none of them has it.
                let all = self.rng.random_range(0..4) == 0;
                for (other, server) in self.servers.iter_mut().enumerate() {
                    if all || other == number {
                        (server.hidden_below, server.hidden_until) = (below, long);
                    }
                }
            }
            let honest = self.servers.iter().all(|server| server.lie == 0);
            if honest && self.strikes(Fault::FalseLedger, permille) {
                let at = index + self.rng.random_range(0..4);
                (self.servers[number].lie, self.servers[number].lie_until) = (at, long);
            }
        }
        if self.ledger.load_factor() == 1 && self.strikes(Fault::Escalation, permille) {
            let factor = [2, 20, 200, 900][self.rng.random_range(0..4)];
            self.ledger.set_load_factor(factor);
            self.escalated_until = index + self.rng.random_range(2..30);
        }
        if self.strikes(Fault::ClaimedFee, permille) {
            self.ledger.claim_only(1);
        }
    }

    /// Ends all faults.
    pub fn heal(&mut self) {
        self.healed = true;
        for server in &mut self.servers {
            let connections = std::mem::take(&mut server.connections);
            *server = Server { shown: server.shown, connections, ..Server::default() };
        }
        self.ledger.claim_only(0);
        self.ledger.set_load_factor(1);
        for (_, blob) in std::mem::take(&mut self.late) {
            self.ledger.submit(&blob);
        }
        let index = self.ledger.validated().header.index;
        (0..self.servers.len()).for_each(|server| self.show(server, index));
    }

    /// A server announces what has come into its sight.
    fn show(&mut self, number: usize, index: u32) {
        let lost = self.strikes(Fault::LostAnnouncement, self.permille);
        let stale = self.strikes(Fault::StaleAnnouncement, self.permille);
        let server = &mut self.servers[number];
        if server.hidden_until <= index {
            server.hidden_below = 0;
        }
        if server.lie_until <= index {
            server.lie = 0;
        }
        let lag = if server.lag.1 > index { server.lag.0 } else { 0 };
        let shown = index.saturating_sub(lag).max(server.shown);
        let fresh = shown > server.shown;
        server.shown = shown;
        if !fresh || server.silent_until > index || lost || server.connections.is_empty() {
            return;
        }
        let frame = self.announcement(number).and_then(|frame| Announced::from_json(frame).ok());
        let server = &mut self.servers[number];
        let last = server.stale.take();
        for connection in &server.connections {
            connection.announce.send_replace(frame.clone());
            if stale && last.is_some() {
                connection.announce.send_replace(last.clone());
            }
        }
        server.stale = frame;
    }

    /// The validated ledger as a server announces it.
    fn announcement(&self, number: usize) -> Option<Value> {
        let server = &self.servers[number];
        let closed = self.seen_by(number, server.shown)?;
        Some(json!({
            "ledger_index": closed.header.index, "ledger_hash": closed.hash.to_string(),
            "ledger_time": closed.header.close_time.0, "network_id": 0,
            "fee_base": closed.fees.base_fee.get(), "reserve_base": closed.fees.reserve_base.get(),
            "reserve_inc": closed.fees.reserve_inc.get(), "txn_count": closed.transactions.len(),
            "validated_ledgers": format!("{}-{}", server.hidden_below.max(2), closed.header.index),
        }))
    }

    /// The ledger of an index as a server has it.
    fn seen_by(&self, number: usize, index: u32) -> Option<Arc<ClosedLedger>> {
        let server = &self.servers[number];
        if index > server.shown || index < server.hidden_below {
            return None;
        }
        let other = if index == server.lie { self.ledger.other_at(index) } else { None };
        other.or_else(|| self.ledger.closed(index).cloned())
    }

    fn hang_up(&mut self, number: usize) {
        for connection in self.servers[number].connections.drain(..) {
            connection.closed.send_replace(true);
        }
    }

    /// Opens a connection; `None` where the server cannot be reached.
    pub fn connect(&mut self, number: usize) -> Option<(u64, Opened)> {
        let index = self.ledger.validated().header.index;
        let server = self.servers.get_mut(number)?;
        if server.unreachable_until > index {
            return None;
        }
        self.next_connection += 1;
        let (announce, announced) = watch::channel(None);
        let (closed, closing) = watch::channel(false);
        server.connections.push(Connection { id: self.next_connection, announce, closed });
        Some((self.next_connection, (announced, closing)))
    }

    /// The daemon closes a connection.
    pub fn disconnect(&mut self, number: usize, id: u64) {
        if let Some(server) = self.servers.get_mut(number) {
            server.connections.retain(|connection| connection.id != id);
        }
    }

    /// A request of a daemon to a server.
    pub fn request(
        &mut self,
        daemon: usize,
        number: usize,
        method: &str,
        params: Value,
        now_ms: u64,
    ) -> Reply {
        let index = self.ledger.validated().header.index;
        if self.servers[number].silent_until > index {
            return Reply::Never;
        }
        if self.servers[number].busy_until > index {
            return Reply::Now(Err(("tooBusy".to_owned(), "The server is too busy.".to_owned())));
        }
        let Value::Object(mut params) = params else { return Reply::Never };
        params.insert("command".to_owned(), method.into());
        params.insert("api_version".to_owned(), 2.into());
        let result = match method {
            "subscribe" => self.announcement(number).ok_or_else(not_found),
            "submit" => return self.submit(number, params),
            "ledger" => self.show_ledger(number, params),
            "account_info" => self.show_account(daemon, number, params, now_ms),
            "account_objects" => self.show_objects(number, params),
            _ => self.read(number, params),
        };
        let garbled = self.strikes(Fault::GarbledReply, self.permille / 8);
        let late = self.strikes(Fault::LateReply, self.permille);
        let lost = self.strikes(Fault::LostReply, self.permille / 8);
        let result = if garbled { Ok(json!({ "validated": 7, "ledger_index": "x" })) } else { result };
        if lost {
            Reply::Never
        } else if late {
            Reply::After(Duration::from_millis(self.rng.random_range(1..9_000)), result)
        } else {
            Reply::Now(result)
        }
    }

    /// A daemon's port hands a ledger on. False where that is not the network's.
    pub fn taken(&mut self, daemon: usize, index: u32, hash: &Hash256, now_ms: u64) -> bool {
        let told = self.told.entry(daemon).or_default();
        if index > told.1 {
            *told = (now_ms, index);
        }
        self.ledger.closed(index).is_some_and(|closed| closed.hash == *hash)
    }

    fn read(&mut self, number: usize, params: Map<String, Value>) -> Result<Value, (String, String)> {
        let server = &self.servers[number];
        let asked = params.get("ledger_index").and_then(Value::as_u64);
        if asked.is_some_and(|asked| asked > u64::from(server.shown)) {
            return Err(not_found());
        }
        self.facts.hidden_below = server.hidden_below;
        let request = Request::from_ws_object(params, false).map_err(|_| malformed())?;
        handle_read(&self.ledger, None, &request, &self.facts).result.map(Value::Object).map_err(|failure| {
            let text = |key: &str| failure.0.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("error"), text("error_message"))
        })
    }

    fn show_ledger(&mut self, number: usize, params: Map<String, Value>) -> Result<Value, (String, String)> {
        let asked =
            params.get("ledger_index").and_then(Value::as_u64).and_then(|asked| u32::try_from(asked).ok());
        let Some(index) = asked else { return self.read(number, params) };
        let closed = self.seen_by(number, index).ok_or_else(not_found)?;
        let transactions: Vec<Value> = closed
            .transactions_by_id()
            .into_iter()
            .map(|tx| json!({ "tx_blob": hex::encode_upper(tx.blob()), "meta_blob": hex::encode_upper(&tx.meta_blob) }))
            .collect();
        Ok(json!({
            "ledger": {
                "closed": true, "ledger_data": hex::encode_upper(closed.header.encode()),
                "transactions": transactions,
            },
            "ledger_hash": closed.hash.to_string(), "ledger_index": index, "validated": true,
        }))
    }

    fn show_account(
        &mut self,
        daemon: usize,
        number: usize,
        params: Map<String, Value>,
        now_ms: u64,
    ) -> Result<Value, (String, String)> {
        let account = params.get("account").and_then(Value::as_str).and_then(|account| account.parse().ok());
        let mut reply = self.read(number, params);
        let exists = reply.as_ref().map_or_else(|(code, _)| code == "actNotFound", |_| true);
        if let Some(account) = account.filter(|_| exists) {
            let read = self.read.entry(daemon).or_default();
            if read.is_empty() {
                // The first that a process hears is as new as anything can be to it.
                self.told.entry(daemon).or_default().0 = now_ms;
            }
            read.insert(account);
        }
        if self.strikes(Fault::FalseAccount, self.permille / 16) {
            let misread =
                [Misread::Richer, Misread::Poorer, Misread::Sequence, Misread::Flags, Misread::Gone];
            let misread = misread[self.rng.random_range(0..misread.len())];
            if misread == Misread::Gone {
                return Err(("actNotFound".to_owned(), "Account not found.".to_owned()));
            }
            if let Ok(reply) = &mut reply {
                misread.put_into(reply);
            }
        }
        reply
    }

    /// What an account owns; a server that misreads it leaves something out.
    fn show_objects(&mut self, number: usize, params: Map<String, Value>) -> Result<Value, (String, String)> {
        let mut reply = self.read(number, params);
        if self.strikes(Fault::FalseAccount, self.permille / 16)
            && let Ok(reply) = &mut reply
            && let Some(Value::Array(objects)) = reply.get_mut("account_objects")
            && !objects.is_empty()
        {
            let left_out = self.rng.random_range(0..objects.len());
            objects.remove(left_out);
        }
        reply
    }

    fn submit(&mut self, number: usize, params: Map<String, Value>) -> Reply {
        let index = self.ledger.validated().header.index;
        if self.servers[number].slow_down_until > index {
            return Reply::Now(Err(("slowDown".to_owned(), "You are placing too much load.".to_owned())));
        }
        let permille = self.permille;
        let blob = params.get("tx_blob").and_then(Value::as_str).and_then(|blob| hex::decode(blob).ok());
        if self.strikes(Fault::SwallowedSubmit, permille) {
            return Reply::Now(Ok(json!({ "engine_result": "tesSUCCESS" })));
        }
        if self.strikes(Fault::FalseRefusal, permille / 4) {
            let word = ["temMALFORMED", "tefBAD_AUTH", "tefBAD_SIGNATURE"][self.rng.random_range(0..3)];
            return Reply::Now(Ok(json!({ "engine_result": word })));
        }
        if let Some(blob) = &blob
            && self.late.len() < LATE_MAX
            && self.strikes(Fault::LateSubmit, permille)
        {
            let when = index + self.rng.random_range(2..400);
            self.late.push((when, blob.clone()));
            return Reply::Now(Ok(json!({ "engine_result": "terQUEUED" })));
        }
        let Ok(request) = Request::from_ws_object(params, false) else { return Reply::Never };
        let outcome = handle(&mut self.ledger, None, &request, &self.facts);
        if self.strikes(Fault::DoubledSubmit, permille) {
            handle(&mut self.ledger, None, &request, &self.facts);
        }
        let result = outcome.result.map(Value::Object).map_err(|failure| {
            let text = |key: &str| failure.0.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("error"), text("error_message"))
        });
        if self.strikes(Fault::LostReply, permille) {
            return Reply::Never;
        }
        Reply::Now(result)
    }
}

/// What a connection shows: announcements, and whether it was closed.
pub type Opened = (watch::Receiver<Option<Announced>>, watch::Receiver<bool>);

/// What a server says of an account that is not so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Misread {
    Richer,
    Poorer,
    Sequence,
    Flags,
    Gone,
}

impl Misread {
    fn put_into(self, reply: &mut Value) {
        let field = match self {
            Self::Richer | Self::Poorer => "Balance",
            Self::Sequence => "Sequence",
            Self::Flags => "Flags",
            Self::Gone => return,
        };
        let Some(told) = reply.pointer_mut(&format!("/account_data/{field}")) else { return };
        let text = told.as_str().and_then(|text| text.parse().ok());
        let Some(number) = told.as_u64().or(text) else { return };
        *told = match self {
            Self::Richer => (number + 1).to_string().into(),
            Self::Poorer => (number / 2).to_string().into(),
            Self::Sequence => (number + 1).into(),
            Self::Flags | Self::Gone => (number ^ u64::from(xrpl_wire::flags::lsfDepositAuth)).into(),
        };
    }
}

fn not_found() -> (String, String) {
    ("lgrNotFound".to_owned(), "ledgerNotFound".to_owned())
}

fn malformed() -> (String, String) {
    ("invalidParams".to_owned(), "Invalid parameters.".to_owned())
}
