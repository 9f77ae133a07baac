//! A server of recorded ledgers that misbehaves on request.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use treasury_core::observe::LedgerPoint;
use treasury_core::units::LedgerIndex;
use xrpl_wire::LedgerHeader;

use crate::ledger::vectors::{Recorded, Story, story};

/// What the server says to a request: a result, an error's word, raw text, or nothing.
pub(super) enum Says {
    Result(Value),
    Error(&'static str),
    Raw(&'static str),
    Nothing,
    HangUp,
}

/// Changes what would be said to a request.
type Twist = Box<dyn FnMut(&Value, Says) -> Says + Send>;

struct World {
    genesis: Recorded,
    ledgers: Vec<Recorded>,
    /// How many of the ledgers have closed.
    closed: usize,
    twist: Option<Twist>,
    requests: Vec<String>,
}

/// Serves until dropped.
pub(super) struct FakeServer {
    world: Arc<Mutex<World>>,
    frames: broadcast::Sender<String>,
    url: String,
    _tasks: JoinSet<()>,
}

impl FakeServer {
    /// Serves a story of which so many ledgers have closed.
    pub(super) async fn start(name: &str, closed: usize) -> Self {
        let Story { genesis, ledgers, .. } = story(name);
        let genesis = Recorded { header: genesis, hash: genesis.hash(), transactions: Vec::new() };
        let world = World { genesis, ledgers, closed, twist: None, requests: Vec::new() };
        let world = Arc::new(Mutex::new(world));
        let (frames, _) = broadcast::channel(64);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        let (serving, sending) = (Arc::clone(&world), frames.clone());
        tasks.spawn(async move {
            let mut sockets = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                sockets.spawn(serve(socket, Arc::clone(&serving), sending.subscribe()));
            }
        });
        Self { world, frames, url, _tasks: tasks }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Twists what is said from now on.
    pub(super) fn twist(&self, twist: impl FnMut(&Value, Says) -> Says + Send + 'static) {
        self.world.lock().unwrap().twist = Some(Box::new(twist));
    }

    pub(super) fn behave(&self) {
        self.world.lock().unwrap().twist = None;
    }

    /// Closes the next ledger and announces it.
    pub(super) fn close(&self) {
        let mut world = self.world.lock().unwrap();
        world.closed += 1;
        let mut frame = announced(world.tip());
        frame["type"] = json!("ledgerClosed");
        // Nobody may be connected at the moment.
        let _ = self.frames.send(frame.to_string());
    }

    /// The place of the ledger after so many have closed.
    pub(super) fn point(&self, closed: usize) -> LedgerPoint {
        let world = self.world.lock().unwrap();
        let header: LedgerHeader = world.at(closed).header;
        LedgerPoint { index: LedgerIndex(header.index), hash: header.hash(), close_time: header.close_time }
    }

    /// The methods asked for so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.world.lock().unwrap().requests.clone()
    }
}

impl World {
    fn at(&self, closed: usize) -> &Recorded {
        closed.checked_sub(1).map_or(&self.genesis, |last| &self.ledgers[last])
    }

    fn tip(&self) -> &Recorded {
        self.at(self.closed)
    }

    fn answer(&mut self, request: &Value) -> Says {
        self.requests.push(request["command"].as_str().unwrap().to_owned());
        let says = match request["command"].as_str().unwrap() {
            "subscribe" => Says::Result(announced(self.tip())),
            "ledger" => {
                let found = (0..=self.closed)
                    .map(|closed| self.at(closed))
                    .find(|ledger| request["ledger_index"] == ledger.header.index);
                found.map_or(Says::Error("lgrNotFound"), |ledger| Says::Result(ledger.reply()))
            }
            "fee" => Says::Result(json!({ "drops": { "open_ledger_fee": "12" } })),
            "account_info" => Says::Error("actNotFound"),
            _ => Says::Error("unknownCmd"),
        };
        match &mut self.twist {
            Some(twist) => twist(request, says),
            None => says,
        }
    }
}

fn announced(ledger: &Recorded) -> Value {
    json!({
        "fee_base": 10, "reserve_base": 1_000_000, "reserve_inc": 200_000, "network_id": 0,
        "ledger_hash": ledger.hash, "ledger_index": ledger.header.index,
        "ledger_time": ledger.header.close_time,
    })
}

async fn serve(socket: TcpStream, world: Arc<Mutex<World>>, mut frames: broadcast::Receiver<String>) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(socket).await else { return };
    loop {
        let text = tokio::select! {
            frame = frames.recv() => match frame {
                Ok(frame) => frame,
                Err(_) => return,
            },
            request = socket.next() => {
                let Some(Ok(request)) = request else { return };
                let Message::Text(request) = request else { continue };
                let request: Value = serde_json::from_str(&request).unwrap();
                let says = world.lock().unwrap().answer(&request);
                let id = &request["id"];
                match says {
                    Says::Result(result) => {
                        json!({ "id": id, "type": "response", "status": "success", "result": result }).to_string()
                    }
                    Says::Error(error) => {
                        json!({ "id": id, "type": "response", "status": "error", "error": error }).to_string()
                    }
                    Says::Raw(text) => text.to_owned(),
                    Says::Nothing => continue,
                    Says::HangUp => return,
                }
            }
        };
        if socket.send(Message::text(text)).await.is_err() {
            return;
        }
    }
}
