//! The server that is compared with, over JSON-RPC.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use thiserror::Error;
use tokio::runtime::Runtime;
use xrpl_wire::RippleTime;

use crate::replay::entries;

/// How long a ledger may take to be validated once it is closed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked for.
const POLL: Duration = Duration::from_millis(5);

/// Ledgers after which a server has forgotten what it could not apply.
const SETTLING_LEDGERS: usize = 12;

/// What is compared of a ledger's header.
const HEADER: [&str; 10] = [
    "account_hash",
    "close_flags",
    "close_time",
    "close_time_resolution",
    "ledger_hash",
    "ledger_index",
    "parent_close_time",
    "parent_hash",
    "total_coins",
    "transaction_hash",
];

/// Why a server cannot be compared with.
#[derive(Debug, Error)]
pub enum OpponentError {
    /// It is not reached.
    #[error("{method}: {source}")]
    Unreached {
        /// What was asked.
        method: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// It answers with an error where it should not.
    #[error("{method}: {reply}")]
    Refused {
        /// What was asked.
        method: String,
        /// The answer.
        reply: Value,
    },
    /// A ledger was closed and is not validated.
    #[error("ledger {0} was closed and never validated")]
    NeverValidated(u32),
    /// Something in an answer is not what servers send.
    #[error("{method}: {what} is not there, or not as servers send it")]
    Strange {
        /// What was asked.
        method: &'static str,
        /// What is strange.
        what: &'static str,
    },
    /// The runtime did not start.
    #[error("no runtime: {0}")]
    Runtime(#[from] std::io::Error),
}

/// A server in standalone mode, at an administrator's port.
#[derive(Debug)]
pub struct Opponent {
    runtime: Runtime,
    client: reqwest::Client,
    url: String,
    /// The version whose rules it follows.
    server: String,
    network_id: u64,
    /// What it was started with, and does not tell.
    features: Map<String, Value>,
    /// Where it can be put back to.
    snapshot: Option<u64>,
    moves_time: bool,
    lives: u64,
}

impl Opponent {
    /// Asks the server what it is. `server` is the version to compare it with where it says another one; `features` are
    /// the amendments that it was started with, though no ledger lists them.
    ///
    /// # Errors
    /// [`OpponentError`].
    pub fn connect(
        url: &str,
        server: Option<String>,
        features: &[String],
    ) -> Result<Opponent, OpponentError> {
        // Twice does no harm, and somebody else may have.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let features = features.iter().map(|name| (name.clone(), Value::Null)).collect();
        let mut opponent = Opponent {
            runtime,
            client: reqwest::Client::new(),
            url: url.to_owned(),
            server: String::new(),
            network_id: 0,
            features,
            snapshot: None,
            moves_time: false,
            lives: 0,
        };
        let info = opponent.good("server_info", json!({}))?;
        let version = info["info"]["build_version"].as_str().map(ToOwned::to_owned);
        let strange = OpponentError::Strange { method: "server_info", what: "build_version" };
        opponent.server = server.or(version).ok_or(strange)?;
        opponent.network_id = info["info"]["network_id"].as_u64().unwrap_or(0);
        opponent.settle()?;
        // What only some servers can do: without its parameter the first method does nothing.
        opponent.moves_time = opponent.call("standalone_close_at", json!({}))?["error"] == "invalidParams";
        opponent.snapshot = opponent.call("standalone_snapshot", json!({}))?["snapshot"].as_u64();
        Ok(opponent)
    }

    /// What a server of this version answers, error or not.
    ///
    /// # Errors
    /// [`OpponentError::Unreached`].
    pub fn call(&self, method: &str, params: Value) -> Result<Value, OpponentError> {
        let body = json!({"method": method, "params": [params]});
        let asked = async {
            let reply = self.client.post(&self.url).json(&body).send().await?;
            reply.json::<Value>().await
        };
        let reply = self.runtime.block_on(asked);
        let reply = reply.map_err(|source| OpponentError::Unreached { method: method.to_owned(), source })?;
        Ok(reply["result"].clone())
    }

    fn good(&self, method: &str, params: Value) -> Result<Value, OpponentError> {
        let reply = self.call(method, params)?;
        if reply["status"] == "success" {
            return Ok(reply);
        }
        Err(OpponentError::Refused { method: method.to_owned(), reply })
    }

    /// Makes the server ready for a life: put back to where it was, or at rest. Answers with a number for the people of
    /// it: the same where everything is as before, else one that was not used before.
    pub(super) fn begin(&mut self) -> Result<u64, OpponentError> {
        if let Some(snapshot) = self.snapshot {
            self.good("standalone_restore", json!({ "snapshot": snapshot }))?;
            return Ok(1);
        }
        self.settle()?;
        self.lives += 1;
        // Another run of the differ on the same server is to have other people too.
        let validated = self.good("ledger", json!({"ledger_index": "validated"}))?;
        let index = validated["ledger_index"].as_u64().unwrap_or(0);
        Ok((index << 16) | (self.lives & 0xFFFF))
    }

    /// Closes ledgers until nothing waits for one any more.
    fn settle(&self) -> Result<(), OpponentError> {
        for _ in 0..SETTLING_LEDGERS {
            let closed = self.good("ledger_accept", json!({}))?;
            let open = closed["ledger_current_index"].as_u64().and_then(|open| u32::try_from(open).ok());
            self.await_ledger(open.unwrap_or(1).saturating_sub(1))?;
        }
        Ok(())
    }

    /// What the server's last ledger is, in the form in which recorded stories begin.
    pub(super) fn genesis(&self) -> Result<Value, OpponentError> {
        let ledger = self.good("ledger", json!({"ledger_index": "validated"}))?["ledger"].take();
        let state = self.state(&ledger["ledger_index"])?;
        Ok(json!({
            "server": self.server,
            "server_settings": {
                "FEATURES": self.features.keys().cloned().collect::<Vec<_>>().join(" "),
                "NETWORK_ID": self.network_id.to_string(),
            },
            "forced_amendments": self.features,
            "ledger": ledger,
            "state": state,
        }))
    }

    /// The whole state of a ledger, by index.
    pub(super) fn state(&self, index: &Value) -> Result<Value, OpponentError> {
        let index: Value = match index.as_str().and_then(|text| text.parse::<u32>().ok()) {
            Some(number) => number.into(),
            None => index.clone(),
        };
        let mut state = Vec::new();
        let mut marker = Value::Null;
        loop {
            let mut params = json!({"ledger_index": index, "binary": true, "limit": 2048});
            if !marker.is_null() {
                params["marker"] = marker;
            }
            let mut page = self.good("ledger_data", params)?;
            for entry in page["state"].as_array_mut().into_iter().flatten() {
                state.push(json!({"index": entry["index"].take(), "data": entry["data"].take()}));
            }
            marker = page["marker"].take();
            if marker.is_null() {
                let state = Value::Array(state);
                // They are the bytes that everything else is compared from.
                debug_assert!(!entries(&state).is_empty());
                return Ok(state);
            }
        }
    }

    /// Closes a ledger at a time, where it can be told; answers with the step that a recording would have.
    pub(super) fn close(&self, index: u32, at: RippleTime) -> Result<Value, OpponentError> {
        if self.moves_time {
            self.good("standalone_close_at", json!({ "close_time": at.0 }))?;
        } else {
            self.good("ledger_accept", json!({}))?;
        }
        let ledger = self.await_ledger(index)?;
        let mut expect: Map<String, Value> =
            HEADER.iter().map(|name| ((*name).to_owned(), ledger[*name].clone())).collect();
        expect.insert("ledger_index".to_owned(), index.into());
        let params = json!({"ledger_index": index, "binary": true, "expand": true, "transactions": true});
        let mut whole = self.good("ledger", params)?;
        let transactions = whole["ledger"]["transactions"].take();
        let strange = OpponentError::Strange { method: "ledger", what: "transactions" };
        let mut transactions = match transactions {
            Value::Array(transactions) => transactions,
            Value::Null => Vec::new(),
            _ => return Err(strange),
        };
        for tx in &mut transactions {
            *tx = json!({"tx_blob": tx["tx_blob"].take(), "meta": tx["meta"].take()});
        }
        expect.insert("transactions".to_owned(), transactions.into());
        Ok(json!({"op": "close", "note": "", "expect": expect}))
    }

    /// A ledger once it is validated, which with some servers takes a moment.
    fn await_ledger(&self, index: u32) -> Result<Value, OpponentError> {
        let began = Instant::now();
        loop {
            let mut reply = self.call("ledger", json!({ "ledger_index": index }))?;
            if reply["validated"] == true {
                return Ok(reply["ledger"].take());
            }
            if began.elapsed() > PATIENCE {
                return Err(OpponentError::NeverValidated(index));
            }
            std::thread::sleep(POLL);
        }
    }
}
