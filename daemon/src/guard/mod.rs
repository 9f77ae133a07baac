//! The second party: a process of its own that holds a part of the preimage of each guarded escrow, and gives it for the
//! release only where its own look at the ledger, its own policy and its own people have nothing against it. It can refuse
//! and be silent, and the money comes back; it can neither pay nor change where a payment goes.
//!
//! ```text
//! daemon: first part ─digest─► guard: second part, condition ─► daemon: EscrowCreate
//!            │                            │
//!            └── whole preimage ◄─share── looks at the ledger, policy, stops   (after FinishAfter)
//! ```
//!
//! Neither has seen the other's part before the release; docs/decisions/0018 has what a capture of each can do.

pub mod cli;
pub(crate) mod client;
pub mod config;
mod declined;
mod http;
mod key;
mod metrics;
mod policy;
mod service;
mod sight;
mod stops;
mod store;
mod terms;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use client::GuardConfig;
pub use config::{GuardSettings, SettingsError};
pub use declined::Declined;
pub use http::{ConditionAnswer, GuardTokens, RecordAnswer, ShareAnswer, StatusAnswer, StopRequest};
pub use key::Keys;
pub use metrics::GuardMetrics;
pub use policy::{Limit, Policy};
pub use service::{Guard, NotLifted};
pub use sight::{Seen, Sight};
pub use stops::{BadSubject, Stop, StopId, Subject};
pub use store::{Book, Deed, Record, What};
pub use terms::Terms;

use crate::config::PassphraseError;
use crate::http::{self as api, Limits, Serving};
use crate::lines;
use crate::signer::{Keystore, KeystoreError};
use crate::store::StoreError;

/// How long requests under way may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// A running guard.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    serving: Serving,
}

/// Why a guard did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keystore's passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The address to listen on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// `guard.listen`.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The metrics.
    #[error("the metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    /// A thread that was to open something panicked.
    #[error("starting failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl Running {
    /// Starts a guard.
    ///
    /// # Errors
    /// What cannot be opened, and why. Nothing runs then.
    pub async fn start(settings: GuardSettings) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen { address: settings.listen, source };
        let listener = api::listen(settings.listen).map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let (keystore, passphrase) = (settings.keystore.clone(), settings.passphrase.clone());
        let data_dir = settings.data_dir.clone();
        let (keys, book) = tokio::task::spawn_blocking(move || -> Result<_, StartError> {
            let keys = Keys::of(&Keystore::open(&keystore, &passphrase.read()?)?);
            Ok((keys, Book::open(&data_dir)?))
        })
        .await??;
        let endpoints = settings.sight.endpoints.len();
        let metrics = GuardMetrics::new()?;
        let guard =
            Guard::new(settings.policy, settings.sight, keys, settings.lift_by_another, book, metrics);
        let router = http::router(Arc::new(guard), settings.tokens);
        let serving = Serving::of(listener, router, Limits::of_this_process(endpoints)).map_err(listen)?;
        lines::guard_started(env!("CARGO_PKG_VERSION"), addr, endpoints);
        Ok(Self { addr, serving })
    }

    /// Its API's address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Takes no new requests, and lets those under way end.
    pub async fn shutdown(self) {
        self.serving.shutdown(GRACE).await;
        lines::stopped();
    }
}
