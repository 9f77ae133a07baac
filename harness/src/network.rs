//! The one trait that tests are written against, whatever ledger stands behind it.

use std::future::Future;
use std::sync::Arc;

use thiserror::Error;
use xrpl_wire::{AccountId, Drops, Hash256, RippleTime, Transaction, TxResult};

use crate::server::{EmbeddedServer, ServerError};

/// What a network can do beyond taking transactions; a test that needs more skips, and says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Time moves in one step, at once. Else by many small closes.
    pub time: bool,
    /// The ledger can be put back to where it was.
    pub snapshot: bool,
    /// Sockets and submissions can be made to fail.
    pub faults: bool,
}

/// A validated ledger, by what every network knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validated {
    /// Its index.
    pub index: u32,
    /// Its hash.
    pub hash: Hash256,
    /// Its close time.
    pub close_time: RippleTime,
}

/// Why a network did not do what a test asked.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// The embedded server refused.
    #[error(transparent)]
    Embedded(#[from] ServerError),
    /// The bytes were no transaction for the server.
    #[error("the server refuses the transaction: {0}")]
    Refused(String),
}

/// A ledger for tests: standalone, so that it closes when told.
pub trait Network: Send + Sync {
    /// Where to open websockets.
    fn ws_url(&self) -> String;

    /// Where to post JSON-RPC.
    fn rpc_url(&self) -> String;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Pays a new or old account from the one that holds everything, and closes until that is validated.
    fn fund(
        &self,
        account: AccountId,
        amount: Drops,
    ) -> impl Future<Output = Result<Hash256, NetworkError>> + Send;

    /// Submits a transaction; the result is provisional.
    fn submit(&self, tx: &Transaction) -> impl Future<Output = Result<TxResult, NetworkError>> + Send;

    /// Closes a ledger.
    fn close_ledger(&self) -> impl Future<Output = Result<Validated, NetworkError>> + Send;

    /// Moves ledger time on by at least so many seconds; at least one ledger closes.
    fn advance_time(&self, seconds: u32) -> impl Future<Output = Result<Validated, NetworkError>> + Send;

    /// The last validated ledger. Its close time is the network's time.
    fn validated(&self) -> impl Future<Output = Result<Validated, NetworkError>> + Send;

    /// The network's time.
    fn now(&self) -> impl Future<Output = Result<RippleTime, NetworkError>> + Send {
        async { Ok(self.validated().await?.close_time) }
    }
}

impl Network for EmbeddedServer {
    fn ws_url(&self) -> String {
        Self::ws_url(self)
    }

    fn rpc_url(&self) -> String {
        Self::rpc_url(self)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { time: true, snapshot: true, faults: true }
    }

    async fn fund(&self, account: AccountId, amount: Drops) -> Result<Hash256, NetworkError> {
        let id = Self::fund(self, &account, amount)?;
        Self::close_ledger(self);
        Ok(id)
    }

    async fn submit(&self, tx: &Transaction) -> Result<TxResult, NetworkError> {
        let outcome = Self::submit(self, tx);
        match outcome.refused {
            Some(exception) => Err(NetworkError::Refused(exception)),
            None => Ok(outcome.result),
        }
    }

    async fn close_ledger(&self) -> Result<Validated, NetworkError> {
        Ok(of(&Self::close_ledger(self)))
    }

    async fn advance_time(&self, seconds: u32) -> Result<Validated, NetworkError> {
        Ok(of(&Self::advance_time(self, seconds)))
    }

    async fn validated(&self) -> Result<Validated, NetworkError> {
        Ok(of(&Self::validated(self)))
    }
}

fn of(closed: &Arc<crate::embedded::ClosedLedger>) -> Validated {
    Validated { index: closed.header.index, hash: closed.hash, close_time: closed.header.close_time }
}
