//! Keeps one endpoint connected: connects, subscribes, listens, and comes back after every failure.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout_at};

use super::backoff::Backoff;
use super::board::Board;
use super::error::{Trouble, malformed};
use super::ranges::Ranges;
use super::reply::{self, Announced};
use super::server::Server;
use super::transport::Transport;
use crate::config::{Endpoint, NetworkConfig};
use crate::lines;

/// What the endpoints' tasks and the follower share.
#[derive(Debug)]
pub(super) struct Shared {
    board: Mutex<Board>,
    /// Something on the board has changed. Only the follower waits for it.
    pub(super) changed: Notify,
    /// One for each endpoint: its connection is to be given up.
    leave: Vec<watch::Sender<()>>,
}

impl Shared {
    pub(super) fn new(board: Board, endpoints: usize) -> Self {
        let leave = (0..endpoints).map(|_| watch::channel(()).0).collect();
        Self { board: Mutex::new(board), changed: Notify::new(), leave }
    }

    /// Looks at the board, or changes it.
    pub(super) fn board<T>(&self, look: impl FnOnce(&mut Board) -> T) -> T {
        look(&mut self.board.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The endpoint failed; its task connects anew after a while.
    pub(super) fn blame(&self, number: usize, trouble: &Trouble) {
        self.board(|board| board.blame(number, trouble.to_string()));
        if let Some(leave) = self.leave.get(number) {
            leave.send_replace(());
        }
    }

    fn change(&self, change: impl FnOnce(&mut Board)) {
        self.board(change);
        self.changed.notify_one();
    }
}

/// The task of one endpoint.
pub(super) struct Seat {
    shared: Arc<Shared>,
    transport: Arc<dyn Transport>,
    network: Arc<NetworkConfig>,
    number: usize,
    endpoint: Endpoint,
    backoff: Backoff,
    jitter_seed: u64,
    /// Where it fell silent. It is worth nothing until it has come further.
    stuck_at: Option<u32>,
}

/// Why a session is over.
enum Over {
    /// The endpoint itself.
    Trouble(Trouble),
    /// The follower has said why.
    Blamed,
}

impl<T: Into<Trouble>> From<T> for Over {
    fn from(trouble: T) -> Self {
        Self::Trouble(trouble.into())
    }
}

impl Seat {
    pub(super) fn new(
        shared: &Arc<Shared>,
        transport: &Arc<dyn Transport>,
        network: &Arc<NetworkConfig>,
        jitter_seed: u64,
        number: usize,
    ) -> Self {
        let jitter_seed = jitter_seed.wrapping_add(u64::try_from(number).unwrap_or_default());
        Self {
            shared: Arc::clone(shared),
            transport: Arc::clone(transport),
            network: Arc::clone(network),
            number,
            endpoint: network.endpoints.get(number).cloned().unwrap_or_else(|| Endpoint::named("")),
            // Endpoints that failed together do not come back together.
            backoff: Backoff::new(jitter_seed),
            jitter_seed,
            stuck_at: None,
        }
    }

    /// Never ends by itself.
    pub(super) async fn run(mut self) {
        loop {
            let mut news = false;
            let over = self.session(&mut news).await;
            if let Over::Trouble(trouble) = &over {
                lines::endpoint_left(self.endpoint.label(), trouble);
                self.shared.change(|board| board.down(self.number, trouble.to_string()));
            }
            let good = match over {
                Over::Trouble(_) => news,
                Over::Blamed => self.shared.board(|board| board.is_credited(self.number)),
            };
            if good {
                self.backoff.reset();
            }
            sleep(self.backoff.next()).await;
        }
    }

    async fn session(&mut self, news: &mut bool) -> Over {
        match self.listen(news).await {
            Ok(over) | Err(over) => over,
        }
    }

    /// Follows what the endpoint announces until something goes wrong with it.
    async fn listen(&mut self, news: &mut bool) -> Result<Over, Over> {
        let Some(leave) = self.shared.leave.get(self.number) else { return Ok(Over::Blamed) };
        let mut leave = leave.subscribe();
        let patience = self.network.request_timeout;
        let opened = Server::open(&*self.transport, &self.endpoint, patience, self.jitter_seed).await;
        let (server, mut announced) = opened?;
        let tip = subscribe(&server, &self.network).await?;
        let ranges = match &tip.validated_ledgers {
            Some(_) => None,
            None => complete_ledgers(&server).await,
        };
        lines::endpoint_connected(self.endpoint.label(), tip.ledger_index);
        let mut highest = tip.ledger_index;
        let mut live = self.stuck_at.is_none_or(|stuck| tip.ledger_index > stuck);
        if live {
            self.stuck_at = None;
            self.shared.change(|board| {
                board.up(self.number, server.clone(), tip);
                if ranges.is_some() {
                    board.has(self.number, ranges);
                }
            });
        }
        let mut deadline = Instant::now() + self.network.silence_max;
        loop {
            tokio::select! {
                biased;
                _ = leave.changed() => return Ok(Over::Blamed),
                changed = timeout_at(deadline, announced.changed()) => match changed {
                    Ok(Ok(())) => {
                        let Some(latest) = announced.borrow_and_update().clone() else { continue };
                        check(&latest, &self.network)?;
                        let further = latest.ledger_index > highest;
                        if further {
                            highest = latest.ledger_index;
                            deadline = Instant::now() + self.network.silence_max;
                            *news = true;
                        }
                        if live {
                            self.shared.change(|board| board.announce(self.number, latest));
                        } else if further {
                            (live, self.stuck_at) = (true, None);
                            self.shared.change(|board| board.up(self.number, server.clone(), latest));
                        }
                    }
                    Ok(Err(_)) => return Err(Trouble::Ended.into()),
                    Err(_) => {
                        self.stuck_at = Some(highest);
                        return Err(Trouble::Silent(self.network.silence_max.as_secs()).into());
                    }
                },
            }
        }
    }
}

/// Subscribes to the announcements; the reply is the first of them.
pub(super) async fn subscribe(server: &Server, network: &NetworkConfig) -> Result<Announced, Trouble> {
    let reply = server.request("subscribe", json!({ "streams": ["ledger"] })).await?;
    let reply: Value = reply::parse("subscribe", reply)?;
    if reply.get("ledger_index").is_none() {
        return Err(Trouble::NotSynced);
    }
    let tip: Announced = reply::parse("subscribe", reply)?;
    check(&tip, network)?;
    Ok(tip)
}

/// Whether it is of the network, and can be one of its ledgers.
fn check(announced: &Announced, network: &NetworkConfig) -> Result<(), Trouble> {
    if announced.fees().is_none() {
        return Err(malformed("subscribe", "fees or reserves beyond all XRP"));
    }
    match (network.network_id, announced.network_id) {
        (Some(wanted), Some(found)) if wanted != found => Err(Trouble::OtherNetwork { wanted, found }),
        _ => Ok(()),
    }
}

/// What the server has, where it says so. It is of use, and no more: an answer that cannot be read is none.
async fn complete_ledgers(server: &Server) -> Option<Ranges> {
    let reply: Value = server.request("server_info", json!({})).await.ok()?.read().ok()?;
    Ranges::parse(reply.pointer("/info/complete_ledgers").and_then(Value::as_str)?)
}
