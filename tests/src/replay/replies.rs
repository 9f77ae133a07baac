//! The server's side of a story: the ledger, the methods over it, and the sockets that listen.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use xrpl_harness::embedded::rpc::stream::frames_for;
use xrpl_harness::embedded::rpc::{self, Request, ServerFacts, Subscription};
use xrpl_harness::embedded::{CloseTime, ClosedLedger, Ledger};

/// What `server_info` and `server_state` say of the ledger; all else is the machine's and the moment's.
const LEDGER_FIGURES: [&str; 4] = ["complete_ledgers", "network_id", "server_state", "validated_ledger"];

/// The fields of a reply to `submit` that recordings have.
const SUBMIT_FIELDS: [&str; 7] = [
    "engine_result",
    "engine_result_code",
    "engine_result_message",
    "error",
    "error_code",
    "error_message",
    "error_exception",
];

/// What a recording keeps of a reply to `submit`.
pub fn kept(reply: &Value) -> Value {
    let mut kept: Map<String, Value> = SUBMIT_FIELDS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), reply.get(name)?.clone())))
        .collect();
    if let Some(hash) = reply.pointer("/tx_json/hash") {
        kept.insert("hash".to_owned(), hash.clone());
    }
    kept.into()
}

/// A server without sockets.
pub struct Server {
    ledger: Ledger,
    sockets: BTreeMap<String, Socket>,
}

#[derive(Default)]
struct Socket {
    subscription: Subscription,
    frames: Vec<Value>,
}

impl Server {
    pub fn new(ledger: Ledger) -> Server {
        Server { ledger, sockets: BTreeMap::new() }
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Closes the ledger, and tells those who subscribe.
    pub fn close(&mut self, at: CloseTime) -> Arc<ClosedLedger> {
        let closed = self.ledger.close(at);
        let facts = self.facts();
        for socket in self.sockets.values_mut() {
            socket.frames.extend(frames_for(&closed, &socket.subscription, &facts));
        }
        closed
    }

    /// What a step other than a close is answered, and what was recorded: both without what depends on the
    /// machine and the moment.
    pub fn answer(&mut self, step: &Value) -> (Value, Value) {
        let expected = step["expect"].clone();
        let answered = match step["op"].as_str() {
            Some("submit") => kept(&self.call("submit", json!({"tx_blob": step["tx_blob"]}))),
            Some("query") => self.call(step["method"].as_str().unwrap(), step["params"].clone()),
            Some("ws") => self.frame(step),
            Some("ws_frames") => {
                let socket = self.sockets.entry(step["socket"].as_str().unwrap().to_owned()).or_default();
                std::mem::take(&mut socket.frames).into()
            }
            other => panic!("a recording with an unknown step: {other:?}"),
        };
        (stable(step, answered), stable(step, expected))
    }

    /// A call over JSON-RPC.
    fn call(&mut self, method: &str, params: Value) -> Value {
        let facts = self.facts();
        let body = json!({"method": method, "params": [params]}).to_string();
        match Request::from_json_rpc(body.as_bytes(), true) {
            Ok(request) => {
                let outcome = rpc::handle(&mut self.ledger, None, &request, &facts);
                request.reply(outcome)["result"].take()
            }
            Err(refusal) => {
                json!({"http_status": refusal.status, "http_body": format!("{}\r\n", refusal.body)})
            }
        }
    }

    /// A request over a websocket: the frames that had come, and the reply.
    fn frame(&mut self, step: &Value) -> Value {
        let facts = self.facts();
        let socket = self.sockets.entry(step["socket"].as_str().unwrap().to_owned()).or_default();
        let reply = match Request::from_ws(&step["request"].to_string(), true) {
            Ok(request) => {
                let subscription = Some(&mut socket.subscription);
                let outcome = rpc::handle(&mut self.ledger, subscription, &request, &facts);
                request.reply(outcome)
            }
            Err(reply) => reply,
        };
        socket.frames.push(reply);
        std::mem::take(&mut socket.frames).into()
    }

    fn facts(&self) -> ServerFacts {
        ServerFacts {
            first_ledger: self.ledger.first_index(),
            ledger_one: rpc::ledger_one(&self.ledger),
            network_id: self.ledger.rules().configured_network_id(),
            ..ServerFacts::default()
        }
    }
}

fn stable(step: &Value, mut reply: Value) -> Value {
    match step["method"].as_str() {
        Some("server_info" | "server_state") => {
            for part in ["info", "state"] {
                if let Some(fields) = reply.get_mut(part).and_then(Value::as_object_mut) {
                    fields.retain(|name, _| LEDGER_FIGURES.contains(&name.as_str()));
                    if let Some(ledger) = fields.get_mut("validated_ledger").and_then(Value::as_object_mut) {
                        ledger.remove("age");
                    }
                }
            }
        }
        // Where no secret is named that it knows, the server proposes a random one.
        Some("wallet_propose")
            if ["passphrase", "seed", "seed_hex"].iter().all(|name| step["params"].get(name).is_none()) =>
        {
            if let Some(fields) = reply.as_object_mut() {
                fields.retain(|name, _| ["error", "key_type", "status"].contains(&name.as_str()));
            }
        }
        Some("fee") => {
            if let Some(fields) = reply.as_object_mut() {
                fields.remove("levels");
            }
        }
        _ => {}
    }
    if let Some(fields) = reply.as_object_mut() {
        fields.remove("warnings");
        fields.remove("warning");
    }
    reply
}
