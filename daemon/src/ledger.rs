//! The ledger port: the only part that talks to ledger servers.
//!
//! ```text
//! endpoint ── seat: connect, subscribe, listen ─┐
//! endpoint ── seat ─────────────────────────────┤ board: who says what, who has what
//! endpoint ── seat ─────────────────────────────┘   │
//!     ▲                                          follower: agree → chain of hashes → fetch → prove → inputs
//!     └── fetch, read accounts ─────────────────────┘            at the cursor: read accounts ─────→ inputs
//! ```
//!
//! Every endpoint is connected all the time, and what it announces is a voice for a ledger. A ledger that
//! `read_quorum` endpoints name is agreed on; from it the chain of parent hashes leads back to the ledger
//! taken last, and each ledger of the chain is then fetched whole from one endpoint and proven: its header
//! hashes to the chain's hash, and its transactions hash to the root that the header names. So live and
//! backfilled ledgers go the same way, and nothing between two ledgers can be missed or made up. What this
//! does not prove is that the network validated the chain (the endpoints' word, as many as `read_quorum`)
//! and the accounts' state as read (one server's word, compared with what the proven ledgers say).

mod asking;
mod backoff;
mod bench;
mod board;
mod chain;
mod confirm;
mod connection;
mod dispute;
mod error;
mod fetch;
mod follow;
mod gap;
mod helper;
mod history;
mod interest;
mod lookup;
pub mod observe;
mod prove;
mod ranges;
mod readings;
mod reply;
mod seat;
mod server;
mod snapshot;
#[cfg(test)]
mod tests;
mod transport;
#[cfg(test)]
mod vectors;

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use treasury_core::input::SubmitReply;
use treasury_core::observe::LedgerPoint;
use treasury_core::units::{AccountId, EscrowKey, Hash256, HexBytes};
use treasury_core::{Input, failure};

use crate::clock::Clock;
use crate::config::NetworkConfig;
use crate::driver::Permit;
use board::Board;
use connection::WebSocket;
use follow::{Follower, Ground};
use seat::{Seat, Shared};
use server::Server;

pub(crate) use asking::Asking;
pub use history::{History, HistoryError};
pub use reply::Announced;
pub use transport::{Body, BoxFuture, Link, Opened, RequestError, Transport};

/// Requests to read accounts that wait for the follower. One holds any number of accounts, and the core
/// asks for each once, so a few are plenty.
const RECONCILES_MAX: usize = 64;

/// Where to start from, and what to look at.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Accounts whose state decisions rest on.
    pub watched: BTreeSet<AccountId>,
    /// The treasury's own accounts: all their transactions are reported.
    pub treasury: BTreeSet<AccountId>,
    /// Accounts of which there is a view already. What is read of others has to be said by `read_quorum` servers.
    pub known: BTreeSet<AccountId>,
    /// The ledger taken last; `None`: begin with the network's present one.
    pub cursor: Option<LedgerPoint>,
    /// Escrows known already. An Escrow entry does not always say what its OfferSequence is; for others
    /// it is looked up in the transaction that created them.
    pub escrows: BTreeSet<EscrowKey>,
}

/// The ledger port.
#[derive(Debug)]
pub struct Port;

impl Port {
    /// Starts following the network by websocket, within a tokio runtime. All it sees goes to `inputs`,
    /// in order.
    #[must_use]
    pub fn spawn(network: NetworkConfig, start: Start, inputs: mpsc::Sender<Input>) -> PortHandle {
        let transport = Arc::new(WebSocket { wait: network.request_timeout });
        Self::spawn_on(transport, Clock::system(), rand::random(), network, start, inputs)
    }

    /// As [`Port::spawn`], over another transport and by another clock. On a runtime of one thread whose
    /// time is paused, everything that comes of it follows from the transport, the clock and the seed.
    #[must_use]
    pub fn spawn_on(
        transport: Arc<dyn Transport>,
        clock: Clock,
        jitter_seed: u64,
        network: NetworkConfig,
        start: Start,
        inputs: mpsc::Sender<Input>,
    ) -> PortHandle {
        let (reconciles, asked) = mpsc::channel(RECONCILES_MAX);
        let network = Arc::new(network);
        let board = Board::new(&network.endpoints, network.read_quorum);
        let shared = Arc::new(Shared::new(board, network.endpoints.len()));
        let mut tasks = JoinSet::new();
        for number in 0..network.endpoints.len() {
            tasks.spawn(Seat::new(&shared, &transport, &network, jitter_seed, number).run());
        }
        let jitter_seed = jitter_seed.wrapping_sub(1);
        let ground = Ground { shared: Arc::clone(&shared), clock, jitter_seed, network, inputs, asked };
        tasks.spawn(Follower::new(ground, start).run());
        PortHandle { inner: Arc::new(Inner { shared, reconciles, tasks: Mutex::new(tasks) }) }
    }
}

/// When one server has answered, the others are waited for so long: one that never answers must not keep what comes next waiting.
const OTHERS_ANSWER: Duration = Duration::from_secs(1);

async fn submit_to(server: Server, tx_id: Hash256, params: Value, permit: Permit) -> SubmitReply {
    match server.request_permitted("submit", params, permit).await {
        Ok(reply) => reply::submit(reply, tx_id),
        Err(RequestError::Server { code, message, .. }) => reply::submit_refused(&code, &message),
        Err(RequestError::NotPermitted) => SubmitReply::NotSent,
        Err(error) => SubmitReply::Unknown(error.to_string()),
    }
}

/// Speaks to the port. When the last clone is dropped, the port ends.
#[derive(Clone)]
pub struct PortHandle {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    reconciles: mpsc::Sender<Vec<AccountId>>,
    /// They end when this is dropped.
    tasks: Mutex<JoinSet<()>>,
}

impl fmt::Debug for PortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortHandle").finish_non_exhaustive()
    }
}

impl PortHandle {
    /// Sends a signed transaction to every connected server, and says what counts most of what they said of it: what one of them
    /// swallows, refuses or keeps for itself gets into the network by another. It does not wait for ledgers that are being fetched,
    /// nor, when one has taken it, for the others.
    pub fn submit(
        &self,
        tx_id: Hash256,
        blob: &HexBytes,
        permit: Permit,
    ) -> impl Future<Output = SubmitReply> + Send + use<> {
        let servers = self.inner.shared.board(|board| board.servers());
        let params = json!({ "tx_blob": blob.to_string() });
        let asked =
            servers.into_iter().map(move |server| submit_to(server, tx_id, params.clone(), permit.clone()));
        let mut asked: FuturesUnordered<_> = asked.collect();
        async move {
            let mut said = Vec::from_iter(asked.next().await);
            let until = Instant::now() + OTHERS_ANSWER;
            let all_answered = loop {
                if said.last().is_some_and(failure::is_taken) {
                    break false;
                }
                match timeout_at(until, asked.next()).await {
                    Ok(Some(reply)) => said.push(reply),
                    Ok(None) => break true,
                    Err(_) => break false,
                }
            };
            // Nobody is kept waiting for a slow one, and it is sent there all the same.
            tokio::spawn(async move { while asked.next().await.is_some() {} });
            failure::together(said, all_answered)
        }
    }

    /// Reads accounts anew, at the ledger that was taken last when it comes to it, and brings them as
    /// [`Input::Reconciled`]. They are watched from then on.
    pub fn reconcile(&self, accounts: Vec<AccountId>) -> impl Future<Output = ()> + Send + use<> {
        let reconciles = self.inner.reconciles.clone();
        async move {
            // The follower is gone only when the port is shut down.
            let _ = reconciles.send(accounts).await;
        }
    }

    /// Every endpoint by its label, and why it is left out where it is: it said what others contradict.
    #[must_use]
    pub fn endpoints(&self) -> Vec<(String, Option<String>)> {
        self.inner.shared.board(|board| board.left_out())
    }

    /// Ends the port. Nothing comes from it afterwards.
    pub async fn shutdown(&self) {
        let mut tasks = std::mem::take(&mut *self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }
}
