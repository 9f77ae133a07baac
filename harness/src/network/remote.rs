//! A standalone server at a URL: the public server, or `xrpl-standalone`, which can do more.
//!
//! Ledgers are read in binary and decoded here. Validated ledgers do not change, so each is read once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;
use xrpl_wire::{Drops, Hash256, LedgerHeader, Metadata, Object, RippleTime, Transaction, TxResult};

use super::socket::{CallError, PATIENCE, Socket, result};
use super::{At, Capabilities, Capability, Contents, Included, Network, NetworkError, Snapshot, Validated};
use crate::embedded::Fees;
use crate::server::Faults;

/// `ledger_accept`s on their way at the same time, while time is moved. Enough to keep the server busy; below the 100
/// ledgers by which the public server's publishing may fall behind before it leaves some out.
const ACCEPTS_AT_ONCE: u32 = 64;

/// How often a ledger that was just closed is asked for.
const POLL: Duration = Duration::from_millis(5);

/// A standalone server at URLs.
#[derive(Debug)]
pub struct Remote {
    ws_url: String,
    rpc_url: String,
    /// Whether it takes the `standalone_…` methods.
    control: bool,
    socket: tokio::sync::Mutex<Option<Socket>>,
    known: Mutex<Known>,
}

/// What was read of validated ledgers.
#[derive(Debug, Default)]
struct Known {
    contents: BTreeMap<u32, Arc<Contents>>,
    /// Ledgers without transactions, of which nothing else was read: time moves through many of them.
    empty: BTreeSet<u32>,
}

impl Remote {
    /// Connects, and finds out what the server can do.
    ///
    /// `control: false` uses nothing that the public server does not have.
    ///
    /// # Errors
    /// [`NetworkError::Call`] where it cannot be reached or is no administrator's port.
    pub async fn connect(ws_url: &str, rpc_url: &str, control: bool) -> Result<Self, NetworkError> {
        let mut socket = Socket::open(ws_url).await?;
        // Without its parameter the method does nothing, and the error tells whether there is such a method.
        let probe = socket.call("standalone_close_at", Map::new()).await;
        let control = match probe {
            _ if !control => false,
            Err(error @ CallError::Refused { .. }) => error.token() == Some("invalidParams"),
            Err(error) => return Err(error.into()),
            Ok(_) => true,
        };
        Ok(Self {
            ws_url: ws_url.to_owned(),
            rpc_url: rpc_url.to_owned(),
            control,
            socket: tokio::sync::Mutex::new(Some(socket)),
            known: Mutex::default(),
        })
    }

    /// Asks over the kept websocket, and once more over a new one where that has ended: tests cut sockets.
    async fn call(&self, method: &'static str, params: Value) -> Result<Value, CallError> {
        self.call_told(method, params).await.map(|(reply, _)| reply)
    }

    /// The same, and whether it was asked more than once: the first time may have been done, and its reply lost.
    async fn call_told(&self, method: &'static str, params: Value) -> Result<(Value, bool), CallError> {
        let Value::Object(params) = params else {
            return Err(CallError::Ended { method: method.to_owned() });
        };
        let mut kept = self.socket.lock().await;
        if let Some(socket) = kept.as_mut() {
            match socket.call(method, params.clone()).await {
                Err(CallError::Ended { .. } | CallError::TimedOut { .. }) => *kept = None,
                answered => return answered.map(|reply| (reply, false)),
            }
        }
        let socket = kept.insert(Socket::open(&self.ws_url).await?);
        socket.call(method, params).await.map(|reply| (reply, true))
    }

    /// Whether the server has a transaction, in a closed ledger or in the open one.
    async fn has(&self, id: Hash256) -> Result<bool, NetworkError> {
        match self.call("tx", json!({ "transaction": id.to_string() })).await {
            Ok(_) => Ok(true),
            Err(error) if error.token() == Some("txnNotFound") => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn needs_control(&self, capability: Capability) -> Result<(), NetworkError> {
        if self.control { Ok(()) } else { Err(NetworkError::Lacks(capability)) }
    }

    fn known<T>(&self, with: impl FnOnce(&mut Known) -> T) -> T {
        // What is written under the lock is whole after every statement.
        with(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn header(&self, index: Value) -> Result<LedgerHeader, NetworkError> {
        const METHOD: &str = "ledger";
        let reply = self.call(METHOD, json!({ "ledger_index": index, "binary": true })).await?;
        header(METHOD, &reply)
    }

    /// Waits until a ledger is validated, which on the public server is a moment after it is closed.
    async fn validated_at(&self, index: u32) -> Result<Validated, NetworkError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let validated = self.validated().await?;
            if validated.index >= index {
                return Ok(validated);
            }
            if Instant::now() > deadline {
                return Err(NetworkError::NoLedger(index));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Moves time as far as a server lets it that knows no other way: ledger by ledger, each at least a second after
    /// its parent. The stream says which ledgers hold no transaction, so that nobody has to read them.
    async fn accept_until(&self, from: Validated, target: RippleTime) -> Result<(), NetworkError> {
        const METHOD: &str = "ledger_accept";
        let mut socket = Socket::open(&self.ws_url).await?;
        let streams = json!({ "streams": ["ledger"] });
        socket.call("subscribe", streams.as_object().cloned().unwrap_or_default()).await?;
        let (mut seen, mut at, mut sent) = (from.index, from.close_time, 0_u32);
        let mut moved = Instant::now();
        loop {
            let left = target.0.saturating_sub(at.0);
            if left == 0 {
                return Ok(());
            }
            // Each of those on their way moves time by a second at least: with as many as there are seconds left, time
            // goes no further than it must.
            let on_their_way = sent.saturating_sub(seen.saturating_sub(from.index));
            for _ in on_their_way..left.min(ACCEPTS_AT_ONCE) {
                socket.ask(METHOD, Map::new()).await?;
                sent = sent.saturating_add(1);
            }
            let mut frame = socket.frame(METHOD).await?;
            if frame.get("type").and_then(Value::as_str) == Some("ledgerClosed") {
                let number = |name: &'static str| {
                    let value = frame.get(name).and_then(Value::as_u64);
                    value.and_then(|value| u32::try_from(value).ok())
                };
                let malformed = |what| NetworkError::Malformed { method: "subscribe", what };
                seen = seen.max(number("ledger_index").ok_or(malformed("ledger_index"))?);
                at = at.max(RippleTime(number("ledger_time").ok_or(malformed("ledger_time"))?));
                if number("txn_count") == Some(0) {
                    self.known(|known| known.empty.insert(seen));
                }
                moved = Instant::now();
            } else {
                result(METHOD, &mut frame)?;
            }
            if moved.elapsed() > PATIENCE {
                return Err(NetworkError::Stuck { at, target, seconds: PATIENCE.as_secs() });
            }
        }
    }
}

impl Network for Remote {
    fn ws_url(&self) -> String {
        self.ws_url.clone()
    }

    fn rpc_url(&self) -> String {
        self.rpc_url.clone()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { time: self.control, snapshot: self.control, faults: self.control }
    }

    async fn submit(&self, tx: &Transaction) -> Result<TxResult, NetworkError> {
        const METHOD: &str = "submit";
        let reply = self.call_told(METHOD, json!({ "tx_blob": hex::encode_upper(tx.encode()) })).await;
        let (reply, is_again) = match reply {
            Err(CallError::Refused { token, message, .. }) if token == "invalidTransaction" => {
                return Err(NetworkError::Refused(message));
            }
            reply => reply?,
        };
        let name = reply.get("engine_result").and_then(Value::as_str);
        let result = name
            .and_then(TxResult::from_name)
            .ok_or(NetworkError::Malformed { method: METHOD, what: "engine_result that is known" })?;
        // It was taken the first time, and what is said of it now is that it is there already.
        let is_there = is_again && result.is_tef() && self.has(tx.id()).await?;
        Ok(if is_there { TxResult::tesSUCCESS } else { result })
    }

    async fn close_ledger(&self) -> Result<Validated, NetworkError> {
        const METHOD: &str = "ledger_accept";
        let reply = self.call(METHOD, json!({})).await?;
        let open = number(METHOD, &reply, "ledger_current_index")?;
        self.validated_at(open.saturating_sub(1)).await
    }

    async fn advance_time(&self, seconds: u32) -> Result<Validated, NetworkError> {
        const METHOD: &str = "standalone_advance_time";
        if self.control {
            let reply = self.call(METHOD, json!({ "seconds": seconds })).await?;
            return self.validated_at(number(METHOD, &reply, "ledger_index")?).await;
        }
        let from = self.validated().await?;
        let target = from.close_time.checked_add_seconds(seconds.max(1)).unwrap_or(RippleTime(u32::MAX));
        self.accept_until(from, target).await?;
        self.validated().await
    }

    async fn validated(&self) -> Result<Validated, NetworkError> {
        let header = self.header("validated".into()).await?;
        Ok(Validated { index: header.index, hash: header.hash(), close_time: header.close_time })
    }

    async fn fees(&self) -> Result<Fees, NetworkError> {
        const METHOD: &str = "server_state";
        let reply = self.call(METHOD, json!({})).await?;
        let drops = |name: &'static str| {
            reply
                .pointer("/state/validated_ledger")
                .and_then(|ledger| ledger.get(name)?.as_u64())
                .and_then(|drops| Drops::new(drops).ok())
                .ok_or(NetworkError::Malformed { method: METHOD, what: name })
        };
        Ok(Fees {
            base_fee: drops("base_fee")?,
            reserve_base: drops("reserve_base")?,
            reserve_inc: drops("reserve_inc")?,
        })
    }

    async fn entry(&self, key: Hash256, at: At) -> Result<Option<Object>, NetworkError> {
        const METHOD: &str = "ledger_entry";
        let ledger = match at {
            At::Open => json!("current"),
            At::Validated => json!("validated"),
            At::Ledger(index) => json!(index),
        };
        let params = json!({ "index": key.to_string(), "ledger_index": ledger, "binary": true });
        let reply = match self.call(METHOD, params).await {
            Err(error) if error.token() == Some("entryNotFound") => return Ok(None),
            Err(error) if error.token() == Some("lgrNotFound") => {
                return match at {
                    At::Ledger(index) => Err(NetworkError::NoLedger(index)),
                    At::Open | At::Validated => Err(error.into()),
                };
            }
            reply => reply?,
        };
        let bytes = bytes(METHOD, &reply, "node_binary")?;
        Object::decode(&bytes).map(Some).map_err(|source| NetworkError::Codec { method: METHOD, source })
    }

    async fn ledger(&self, index: u32) -> Result<Arc<Contents>, NetworkError> {
        const METHOD: &str = "ledger";
        if let Some(contents) = self.known(|known| known.contents.get(&index).cloned()) {
            return Ok(contents);
        }
        let params = json!({ "ledger_index": index, "transactions": true, "expand": true, "binary": true });
        let reply = match self.call(METHOD, params).await {
            Err(error) if error.token() == Some("lgrNotFound") => return Err(NetworkError::NoLedger(index)),
            reply => reply?,
        };
        // The open ledger has a number too, and it changes.
        if reply.get("validated").and_then(Value::as_bool) != Some(true) {
            return Err(NetworkError::NoLedger(index));
        }
        let contents = Arc::new(contents(METHOD, &reply)?);
        self.known(|known| known.contents.insert(index, Arc::clone(&contents)));
        Ok(contents)
    }

    async fn transactions(
        &self,
        after: u32,
        wanted: impl Fn(&Transaction) -> bool + Send,
    ) -> Result<Vec<Included>, NetworkError> {
        let last = self.validated().await?.index;
        let mut found = Vec::new();
        for index in after.saturating_add(1)..=last {
            if self.known(|known| known.empty.contains(&index)) {
                continue;
            }
            let contents = self.ledger(index).await?;
            found.extend(contents.transactions.iter().filter(|included| wanted(&included.tx)).cloned());
        }
        Ok(found)
    }

    async fn pause_auto_close(&self) -> Result<(), NetworkError> {
        // The public server in standalone mode closes none by itself.
        if self.control {
            self.call("standalone_auto_close", json!({ "enabled": false })).await?;
        }
        Ok(())
    }

    async fn resume_auto_close(&self) -> Result<(), NetworkError> {
        if self.control {
            self.call("standalone_auto_close", json!({ "enabled": true })).await?;
        }
        Ok(())
    }

    async fn set_faults(&self, faults: Faults) -> Result<(), NetworkError> {
        const METHOD: &str = "standalone_faults";
        self.needs_control(Capability::Faults)?;
        let parameters = serde_json::to_value(&faults)
            .map_err(|_| NetworkError::Malformed { method: METHOD, what: "parameters" })?;
        self.call(METHOD, parameters).await?;
        Ok(())
    }

    async fn drop_connections(&self) -> Result<(), NetworkError> {
        self.needs_control(Capability::Faults)?;
        let mut socket = self.socket.lock().await;
        let mut own = match socket.take() {
            Some(own) => own,
            None => Socket::open(&self.ws_url).await?,
        };
        match own.call("standalone_drop_connections", Map::new()).await {
            // This connection is one of those that it closes.
            Ok(_) | Err(CallError::Ended { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn snapshot(&self) -> Result<Snapshot, NetworkError> {
        const METHOD: &str = "standalone_snapshot";
        self.needs_control(Capability::Snapshot)?;
        let reply = self.call(METHOD, json!({})).await?;
        Ok(Snapshot::Number(number(METHOD, &reply, "snapshot")?))
    }

    async fn restore(&self, snapshot: Snapshot) -> Result<(), NetworkError> {
        self.needs_control(Capability::Snapshot)?;
        let Snapshot::Number(number) = snapshot else {
            return Err(NetworkError::Lacks(Capability::Snapshot));
        };
        self.call("standalone_restore", json!({ "snapshot": number })).await?;
        self.known(|known| *known = Known::default());
        Ok(())
    }
}

fn number(method: &'static str, reply: &Value, name: &'static str) -> Result<u32, NetworkError> {
    reply
        .get(name)
        .and_then(Value::as_u64)
        .and_then(|number| u32::try_from(number).ok())
        .ok_or(NetworkError::Malformed { method, what: name })
}

fn bytes(method: &'static str, reply: &Value, name: &'static str) -> Result<Vec<u8>, NetworkError> {
    reply
        .get(name)
        .and_then(Value::as_str)
        .and_then(|text| hex::decode(text).ok())
        .ok_or(NetworkError::Malformed { method, what: name })
}

fn header(method: &'static str, reply: &Value) -> Result<LedgerHeader, NetworkError> {
    let ledger = reply.get("ledger").ok_or(NetworkError::Malformed { method, what: "ledger" })?;
    LedgerHeader::decode(&bytes(method, ledger, "ledger_data")?)
        .map_err(|source| NetworkError::Codec { method, source })
}

fn contents(method: &'static str, reply: &Value) -> Result<Contents, NetworkError> {
    let header = header(method, reply)?;
    let listed = reply
        .pointer("/ledger/transactions")
        .and_then(Value::as_array)
        .ok_or(NetworkError::Malformed { method, what: "transactions" })?;
    let mut transactions = Vec::with_capacity(listed.len());
    for entry in listed {
        let tx = Transaction::decode(&bytes(method, entry, "tx_blob")?)?;
        let meta = Metadata::decode(&bytes(method, entry, "meta_blob")?)
            .map_err(|source| NetworkError::Codec { method, source })?;
        let included = Included { id: tx.id(), ledger_index: header.index, tx, result: meta.result };
        transactions.push((meta.transaction_index, included));
    }
    // The server lists them in the order of their ids.
    transactions.sort_by_key(|(index, _)| *index);
    Ok(Contents { header, transactions: transactions.into_iter().map(|(_, included)| included).collect() })
}
