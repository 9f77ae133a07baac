//! The one trait that tests are written against, whatever ledger stands behind it.
//!
//! Three worlds implement it: [`EmbeddedServer`](crate::EmbeddedServer) in this process, [`Remote`] at URLs, and a container (feature
//! `containers`), which is a [`Remote`] once it runs. [`World`] is whichever of them the environment names.

#[cfg(feature = "containers")]
pub mod container;
mod embedded;
mod remote;
mod socket;
mod world;

use std::future::Future;
use std::sync::Arc;

use thiserror::Error;
use xrpl_wire::{
    AccountId, Amount, CodecError, Drops, Hash256, KeyPair, LedgerHeader, Object, RippleTime, SeqProxy,
    Transaction, TxBody, TxCommon, TxError, TxResult, index, sf,
};

pub use self::remote::Remote;
pub use self::socket::CallError;
pub use self::world::{PUBLIC_IMAGE, Place, PlaceError, World};
use crate::embedded::{Fees, Ledger};
use crate::server::{Faults, ServerError, genesis_keys};

/// What a network can do beyond taking transactions; a test that needs more skips, and says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Time moves in one step, at once. Else by many small closes, one second each or more.
    pub time: bool,
    /// The ledger can be put back to where it was.
    pub snapshot: bool,
    /// Sockets and submissions can be made to fail.
    pub faults: bool,
}

/// One of the [`Capabilities`], for a test to say what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// [`Capabilities::time`].
    Time,
    /// [`Capabilities::snapshot`].
    Snapshot,
    /// [`Capabilities::faults`].
    Faults,
}

impl Capability {
    /// What it is called in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Snapshot => "snapshot",
            Self::Faults => "faults",
        }
    }
}

impl Capabilities {
    /// The first of `needed` that is not there.
    #[must_use]
    pub fn lacks(&self, needed: &[Capability]) -> Option<Capability> {
        needed.iter().copied().find(|capability| match capability {
            Capability::Time => !self.time,
            Capability::Snapshot => !self.snapshot,
            Capability::Faults => !self.faults,
        })
    }
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

/// Which ledger a read is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The open one, with everything that was submitted since the last close.
    Open,
    /// The last validated one.
    Validated,
    /// The validated one of this index.
    Ledger(u32),
}

/// A transaction of a validated ledger.
#[derive(Debug, Clone)]
pub struct Included {
    /// Its id.
    pub id: Hash256,
    /// The ledger.
    pub ledger_index: u32,
    /// The transaction.
    pub tx: Transaction,
    /// Its final result.
    pub result: TxResult,
}

/// A validated ledger with its transactions in the order of their application.
#[derive(Debug, Clone)]
pub struct Contents {
    /// The header.
    pub header: LedgerHeader,
    /// The transactions.
    pub transactions: Vec<Included>,
}

/// A ledger to come back to.
#[derive(Debug, Clone)]
pub enum Snapshot {
    /// The ledger itself.
    Ledger(Box<Ledger>),
    /// The number by which a server keeps it.
    Number(u32),
}

/// Why a network did not do what a test asked.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// The embedded server refused.
    #[error(transparent)]
    Embedded(#[from] ServerError),
    /// The server was not reached, or said no.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The bytes were no transaction for the server.
    #[error("the server refuses the transaction: {0}")]
    Refused(String),
    /// The ledger did not take a payment out of the genesis account.
    #[error("the ledger answers {0}: {message}", message = .0.message())]
    NotPaid(TxResult),
    /// A reply without what it should hold.
    #[error("the reply to {method} holds no {what}")]
    Malformed {
        /// The method.
        method: &'static str,
        /// What is missing or does not read.
        what: &'static str,
    },
    /// Bytes of the server that do not decode.
    #[error("bytes in the reply to {method}: {source}")]
    Codec {
        /// The method.
        method: &'static str,
        /// Why.
        source: CodecError,
    },
    /// A transaction cannot be built or read.
    #[error(transparent)]
    Transaction(#[from] TxError),
    /// The ledger is not there.
    #[error("there is no ledger {0}")]
    NoLedger(u32),
    /// An account is not on the ledger.
    #[error("{0} is not on the ledger")]
    NoAccount(AccountId),
    /// This network cannot do that; see [`Capabilities`].
    #[error("this network cannot do that: it lacks the capability `{}`", .0.name())]
    Lacks(Capability),
    /// Time did not come as far as it was to be moved.
    #[error("ledger time stands at {at} on its way to {target}: no ledger closed in {seconds} s")]
    Stuck {
        /// Where it stands.
        at: RippleTime,
        /// Where it was to be.
        target: RippleTime,
        /// How long it stood.
        seconds: u64,
    },
}

/// A ledger for tests: standalone, so that it closes when told.
pub trait Network: Send + Sync {
    /// Where to open websockets.
    fn ws_url(&self) -> String;

    /// Where to post JSON-RPC.
    fn rpc_url(&self) -> String;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Submits a transaction; the result is provisional.
    fn submit(&self, tx: &Transaction) -> impl Future<Output = Result<TxResult, NetworkError>> + Send;

    /// Closes a ledger.
    fn close_ledger(&self) -> impl Future<Output = Result<Validated, NetworkError>> + Send;

    /// Moves ledger time on by at least so many seconds; at least one ledger closes.
    fn advance_time(&self, seconds: u32) -> impl Future<Output = Result<Validated, NetworkError>> + Send;

    /// The last validated ledger. Its close time is the network's time.
    fn validated(&self) -> impl Future<Output = Result<Validated, NetworkError>> + Send;

    /// Fee and reserves, as the last validated ledger has them.
    fn fees(&self) -> impl Future<Output = Result<Fees, NetworkError>> + Send;

    /// An entry of a ledger's state, by its index; `None` where there is none.
    fn entry(
        &self,
        key: Hash256,
        at: At,
    ) -> impl Future<Output = Result<Option<Object>, NetworkError>> + Send;

    /// A validated ledger, whole.
    fn ledger(&self, index: u32) -> impl Future<Output = Result<Arc<Contents>, NetworkError>> + Send;

    /// Every transaction of the validated ledgers after `after` that `wanted` wants, in their order.
    fn transactions(
        &self,
        after: u32,
        wanted: impl Fn(&Transaction) -> bool + Send,
    ) -> impl Future<Output = Result<Vec<Included>, NetworkError>> + Send;

    /// Stops ledgers from closing by themselves; nothing to do where they do not.
    fn pause_auto_close(&self) -> impl Future<Output = Result<(), NetworkError>> + Send;

    /// Lets ledgers close by themselves again, if they did.
    fn resume_auto_close(&self) -> impl Future<Output = Result<(), NetworkError>> + Send;

    /// Sets what goes wrong from now on. Needs [`Capability::Faults`].
    fn set_faults(&self, faults: Faults) -> impl Future<Output = Result<(), NetworkError>> + Send;

    /// Closes all websockets. Needs [`Capability::Faults`].
    fn drop_connections(&self) -> impl Future<Output = Result<(), NetworkError>> + Send;

    /// The ledger as it is now. Needs [`Capability::Snapshot`].
    fn snapshot(&self) -> impl Future<Output = Result<Snapshot, NetworkError>> + Send;

    /// Makes an earlier ledger the current one; indexes go back with it. Needs [`Capability::Snapshot`].
    fn restore(&self, snapshot: Snapshot) -> impl Future<Output = Result<(), NetworkError>> + Send;

    /// The network's time.
    fn now(&self) -> impl Future<Output = Result<RippleTime, NetworkError>> + Send {
        async { Ok(self.validated().await?.close_time) }
    }

    /// The next Sequence of an account in the open ledger, where several of its transactions may wait already.
    fn sequence(&self, account: AccountId) -> impl Future<Output = Result<u32, NetworkError>> + Send {
        async move {
            let root = self.entry(index::account_root(&account), At::Open).await?;
            root.and_then(|root| root.u32(sf::Sequence)).ok_or(NetworkError::NoAccount(account))
        }
    }

    /// Signs a transaction with the account's next Sequence and the network's base fee, and submits it. Answers with
    /// its id and the provisional result.
    fn send(
        &self,
        key: &KeyPair,
        body: &TxBody,
    ) -> impl Future<Output = Result<(Hash256, TxResult), NetworkError>> + Send {
        async move {
            let account = key.account_id();
            let common = TxCommon::new(
                account,
                SeqProxy::Sequence(self.sequence(account).await?),
                self.fees().await?.base_fee,
            );
            let tx = xrpl_wire::sign::sign_single(&xrpl_wire::typed::build(&common, body)?, key)
                .map_err(ServerError::from)?;
            Ok((tx.id(), self.submit(&tx).await?))
        }
    }

    /// Pays an account from the one that holds everything on a fresh ledger. The payment is in the open ledger; close
    /// it to have it validated.
    fn pay(
        &self,
        account: AccountId,
        amount: Drops,
    ) -> impl Future<Output = Result<Hash256, NetworkError>> + Send {
        async move {
            let body = TxBody::Payment(xrpl_wire::typed::Payment {
                destination: account,
                destination_tag: None,
                amount: Amount::Xrp(amount),
                send_max: None,
                deliver_min: None,
            });
            match self.send(&genesis_keys()?, &body).await? {
                (id, TxResult::tesSUCCESS) => Ok(id),
                (_, result) => Err(NetworkError::NotPaid(result)),
            }
        }
    }

    /// Pays a new or old account from the one that holds everything, and closes until that is validated.
    fn fund(
        &self,
        account: AccountId,
        amount: Drops,
    ) -> impl Future<Output = Result<Hash256, NetworkError>> + Send {
        async move {
            let id = self.pay(account, amount).await?;
            self.close_ledger().await?;
            Ok(id)
        }
    }
}
