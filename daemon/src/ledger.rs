//! The ledger port: the only part that talks to ledger servers.
//!
//! ```text
//! server ── connection ── follower: fetch N+1 → prove → observe ──→ inputs
//!                │            └ at the cursor: read accounts ─────→ inputs
//!                └──── submit ←──────────────────────────────────── driver
//! ```
//!
//! A `ledgerClosed` frame only says that there is something to fetch. Each ledger is then fetched whole,
//! and proven before it is handed on: its header hashes to its hash, follows the ledger taken last, and
//! its transactions hash to the root that the header names. So live and backfilled ledgers go the same
//! way, and nothing between two ledgers can be missed or made up. What this does not prove is that the
//! network validated the chain (the server's word) and the accounts' state as read (likewise, and compared
//! with what the proven ledgers say).

mod connection;
mod error;
mod follow;
mod history;
pub mod observe;
mod prove;
mod reply;
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

use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use treasury_core::Input;
use treasury_core::input::SubmitReply;
use treasury_core::observe::LedgerPoint;
use treasury_core::units::{AccountId, EscrowKey, Hash256, HexBytes};

use crate::clock::Clock;
use crate::config::NetworkConfig;
use connection::WebSocket;
use server::Server;

pub use history::{History, HistoryError};
pub use reply::Announced;
pub use transport::{BoxFuture, Link, Opened, RequestError, Transport};

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
        let (share, server) = watch::channel(None);
        let (reconciles, asked) = mpsc::channel(RECONCILES_MAX);
        let ground = follow::Ground { transport, clock, jitter_seed };
        let follower = follow::Follower::new(ground, network, start, inputs, asked, share);
        let task = tokio::spawn(follower.run());
        PortHandle { inner: Arc::new(Inner { server, reconciles, task: Mutex::new(Some(task)) }) }
    }
}

/// Speaks to the port. When the last clone is dropped, the port ends.
#[derive(Clone)]
pub struct PortHandle {
    inner: Arc<Inner>,
}

struct Inner {
    server: watch::Receiver<Option<Server>>,
    reconciles: mpsc::Sender<Vec<AccountId>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(task) = self.take_task() {
            task.abort();
        }
    }
}

impl Inner {
    fn take_task(&self) -> Option<JoinHandle<()>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for PortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortHandle").finish_non_exhaustive()
    }
}

impl PortHandle {
    /// Sends a signed transaction over the present connection, and says what the server said of it. It
    /// does not wait for ledgers that are being fetched.
    pub fn submit(
        &self,
        tx_id: Hash256,
        blob: &HexBytes,
    ) -> impl Future<Output = SubmitReply> + Send + use<> {
        let server = self.inner.server.borrow().clone();
        let params = json!({ "tx_blob": blob.to_string() });
        async move {
            let Some(server) = server else {
                return SubmitReply::Unknown("no connection to a ledger server".to_owned());
            };
            match server.request("submit", params).await {
                Ok(reply) => reply::submit(&reply, tx_id),
                Err(RequestError::Server { code, message, .. }) => reply::submit_refused(&code, &message),
                Err(error) => SubmitReply::Unknown(error.to_string()),
            }
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

    /// Ends the port. Nothing comes from it afterwards.
    pub async fn shutdown(&self) {
        if let Some(task) = self.inner.take_task() {
            task.abort();
            // Either cancelled or ended before.
            let _ = task.await;
        }
    }
}
