//! Ledgers of the past, one at a time: for building the store again.
//!
//! They are fetched, proven and observed as the follower does it; what is missing is the following.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;
use treasury_core::State;
use treasury_core::observe::{AccountSnapshot, LedgerObservation, LedgerPoint, NetworkFees};
use treasury_core::units::{AccountId, EscrowKey, Hash256, LedgerIndex};

use super::connection::WebSocket;
use super::error::Trouble;
use super::fetch::{header, whole};
use super::observe::{Watch, observation};
use super::prove::{Proven, Prover};
use super::reply::Announced;
use super::seat::subscribe;
use super::server::Server;
use super::snapshot;
use crate::config::NetworkConfig;

/// Why the past cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// No server can be used. Each is named with its reason.
    #[error("no ledger server can be used: {0}")]
    NoServer(String),
    /// The server lacks a ledger.
    #[error(
        "ledger {index} is needed, and {endpoint} has only {has}; add a server that has it to the endpoints"
    )]
    Missing {
        /// Which ledger.
        index: LedgerIndex,
        /// Which server.
        endpoint: String,
        /// Its `complete_ledgers`.
        has: String,
    },
    /// The server's chain is not the one that the store was made on.
    #[error("ledger {index} of {endpoint} is {found}, not {wanted}: it is another network's")]
    OtherChain {
        /// Which ledger.
        index: LedgerIndex,
        /// Which server.
        endpoint: String,
        /// As recorded.
        wanted: Hash256,
        /// The server's.
        found: Hash256,
    },
    /// Something else is wrong with the server or what it said.
    #[error("{endpoint} {what}")]
    Server {
        /// Which server.
        endpoint: String,
        /// What is wrong.
        what: String,
    },
}

/// A server's past.
#[derive(Debug)]
pub struct History {
    server: Server,
    endpoint: String,
    /// Dropped with the connection.
    _announced: watch::Receiver<Option<Announced>>,
    fees: NetworkFees,
    /// What the daemon watched at that moment: an account from when it was first read, and not before.
    watch: Arc<Watch>,
    prover: Prover,
    own: BTreeSet<AccountId>,
    escrows: BTreeSet<EscrowKey>,
}

impl History {
    /// Connects to the first server that has the ledgers from `first` to `last`. What concerns the accounts
    /// that the state knows is looked at from the beginning, others from when they are read; `own` are the
    /// treasury's.
    ///
    /// # Errors
    /// [`HistoryError::Missing`] where no server has them, [`HistoryError::NoServer`] where none can be
    /// reached.
    pub async fn open(
        network: &NetworkConfig,
        first: LedgerIndex,
        last: LedgerIndex,
        state: &State,
        own: BTreeSet<AccountId>,
    ) -> Result<Self, HistoryError> {
        let transport = WebSocket { wait: network.request_timeout };
        let mut missing = None;
        let mut unusable = Vec::new();
        for endpoint in &network.endpoints {
            let opened = async {
                let (server, announced) =
                    Server::open(&transport, endpoint, network.request_timeout, rand::random()).await?;
                let tip = subscribe(&server, network).await?;
                Ok::<_, Trouble>((server, announced, tip))
            };
            let (server, announced, tip) = match opened.await {
                Ok(opened) => opened,
                Err(trouble) => {
                    unusable.push(format!("{endpoint} {trouble}"));
                    continue;
                }
            };
            let Some(fees) = tip.fees() else {
                unusable.push(format!("{endpoint} has fees or reserves beyond all XRP"));
                continue;
            };
            let mut history = Self {
                server,
                endpoint: endpoint.label().to_owned(),
                _announced: announced,
                fees,
                watch: Arc::default(),
                prover: Prover::default(),
                own: own.clone(),
                escrows: state.standing.clone(),
            };
            history.watch(state.accounts.keys().copied());
            match history.has(first).await.and(history.has(last).await) {
                Ok(()) => return Ok(history),
                Err(error @ HistoryError::Missing { .. }) => missing = Some(error),
                Err(error) => unusable.push(error.to_string()),
            }
        }
        Err(missing.unwrap_or_else(|| HistoryError::NoServer(unusable.join("; "))))
    }

    /// Makes sure that the server's ledger of that index is this one.
    ///
    /// # Errors
    /// [`HistoryError::OtherChain`], and as [`History::after`].
    pub async fn confirm(&self, point: &LedgerPoint) -> Result<(), HistoryError> {
        let found = self.header(point.index).await?;
        self.same(point, &found)
    }

    /// The ledger after this one, proven to follow it.
    ///
    /// # Errors
    /// What the server lacks, or what is wrong with what it gave.
    pub async fn after(&mut self, cursor: &LedgerPoint) -> Result<LedgerObservation, HistoryError> {
        let index = cursor.index.plus(1);
        let observed = async {
            let reply = whole(self.server.clone(), index).await?;
            let proven = self.prover.prove(index, None, cursor, reply, &self.watch)?;
            let Proven { point, header, seen } = proven;
            Ok::<_, Trouble>(observation(point, header.parent_hash, self.fees, seen))
        };
        match observed.await {
            Ok(observation) => Ok(observation),
            Err(trouble) => Err(self.error(trouble).await),
        }
    }

    /// Accounts as they are at this ledger. They are watched from here on.
    ///
    /// # Errors
    /// As [`History::after`].
    pub async fn read(
        &mut self,
        at: &LedgerPoint,
        accounts: &BTreeSet<AccountId>,
    ) -> Result<Vec<AccountSnapshot>, HistoryError> {
        let read = match snapshot::read(&self.server, at, accounts, &self.own, &self.escrows).await {
            (mut read, Ok(())) => {
                read.sort_by_key(|account| account.account);
                read
            }
            (_, Err(trouble)) => return Err(self.error(trouble).await),
        };
        self.escrows.extend(read.iter().flat_map(|account| &account.escrows).map(|escrow| escrow.key));
        self.watch(accounts.iter().copied());
        Ok(read)
    }

    fn watch(&mut self, accounts: impl Iterator<Item = AccountId> + Clone) {
        let watch = Arc::make_mut(&mut self.watch);
        watch.treasury.extend(accounts.clone().filter(|account| self.own.contains(account)));
        watch.add(accounts);
    }

    /// Makes sure that this ledger is the one that was recorded.
    ///
    /// # Errors
    /// [`HistoryError::OtherChain`].
    pub fn same(&self, wanted: &LedgerPoint, found: &LedgerPoint) -> Result<(), HistoryError> {
        if wanted == found {
            return Ok(());
        }
        Err(HistoryError::OtherChain {
            index: wanted.index,
            endpoint: self.endpoint.clone(),
            wanted: wanted.hash,
            found: found.hash,
        })
    }

    async fn has(&self, index: LedgerIndex) -> Result<(), HistoryError> {
        self.header(index).await.map(|_| ())
    }

    async fn header(&self, index: LedgerIndex) -> Result<LedgerPoint, HistoryError> {
        match header(&self.server, index).await {
            Ok(header) => Ok(LedgerPoint { index, hash: header.hash(), close_time: header.close_time }),
            Err(trouble) => Err(self.error(trouble).await),
        }
    }

    /// The reason with what helps to do something about it.
    async fn error(&self, trouble: Trouble) -> HistoryError {
        let endpoint = self.endpoint.clone();
        let Trouble::Lacks(index) = trouble else {
            return HistoryError::Server { endpoint, what: trouble.to_string() };
        };
        let info = self.server.request("server_info", json!({})).await;
        let info = info.ok().and_then(|info| info.read::<Value>().ok()).unwrap_or_default();
        let has = info.pointer("/info/complete_ledgers").and_then(Value::as_str);
        HistoryError::Missing { index, endpoint, has: has.unwrap_or("others").to_owned() }
    }
}
