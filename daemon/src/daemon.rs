//! A whole daemon: store, engine, ledger port, signer, driver and HTTP, put together and taken apart in
//! the right order.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use treasury_core::state::AccountView;
use treasury_core::units::AccountId;
use treasury_core::{State, Treasury};

use crate::audit::Auditor;
use crate::clock;
use crate::config::{DaemonConfig, PassphraseError, warnings};
use crate::control::{self, Control};
use crate::driver::{self, GuardPort};
use crate::engine::{Engine, EngineHandle, EngineStartError, Fatal};
use crate::guard::client::GuardClient;
use crate::http::{self, App, Limits, Serving, Tokens};
use crate::ledger::{Port, PortHandle, Start};
use crate::lines;
use crate::metrics::Metrics;
use crate::notify::Notifier;
use crate::signer::{Keystore, KeystoreError, MissingKeys, Signer, check_keys};
use crate::store::{DiskStore, Host, Openings, Store, StoreError};

use lists::ListFiles;

/// How long requests under way may take to end when the daemon is shut down.
const GRACE: Duration = Duration::from_secs(5);

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    http_addr: SocketAddr,
    engine: EngineHandle,
    port: PortHandle,
    fatal: oneshot::Receiver<Fatal>,
    http: Serving,
    tokens: Tokens,
    control: Option<Control>,
    /// What the daemon was started with.
    begun_with: Box<DaemonConfig>,
    now: tokio::sync::Mutex<Now>,
    driver: JoinHandle<()>,
    /// Looks whether many logins are refused.
    logins: JoinHandle<()>,
    notifier: Option<Notifier>,
    auditor: Option<Auditor>,
    engine_thread: std::thread::JoinHandle<()>,
}

/// Why a daemon did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineStartError),
    /// The keystore's passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// Keys that the configuration asks for are not in it.
    #[error(transparent)]
    MissingKeys(#[from] MissingKeys),
    /// The address to listen on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// `daemon.listen`.
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

/// Why a configuration was not taken while the daemon runs.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// It differs in what only a start takes.
    #[error("only a start of the daemon changes {0}")]
    Fixed(String),
    /// What is under way would be lost sight of.
    #[error("{0}")]
    UnderWay(String),
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}

/// What it decides by now, beside what only a start takes.
#[derive(Debug)]
struct Now {
    config: DaemonConfig,
    lists: ListFiles,
}

impl Now {
    fn of(config: DaemonConfig) -> Self {
        Self { lists: ListFiles::new(&config.list_files), config }
    }
}

/// Accounts of which the proven ledgers say more than one server may. What is in doubt, or is declared otherwise than it was read, is
/// believed as little as what nobody knows.
fn known(state: &State, treasury: &Treasury) -> BTreeSet<AccountId> {
    let otherwise = state.declared_otherwise(|account| treasury.accounts.contains_key(account));
    // An earlier version did not read all of it.
    let is_whole = |account: &AccountId, view: &AccountView| {
        !treasury.accounts.contains_key(account) || (view.trust_lines.is_some() && view.settings.is_some())
    };
    let known = state.accounts.iter().filter(|(account, view)| {
        !otherwise.contains(*account) && !state.doubtful.contains(*account) && is_whole(account, view)
    });
    known.map(|(account, _)| *account).collect()
}

impl Daemon {
    /// Starts a daemon on the store in its data directory.
    ///
    /// # Errors
    /// What cannot be opened, and why. Nothing runs then.
    pub async fn start(config: DaemonConfig) -> Result<Self, StartError> {
        let data_dir = config.data_dir.clone();
        let (store, openings) = tokio::task::spawn_blocking(move || -> Result<_, StoreError> {
            let store = DiskStore::open(&data_dir)?;
            let openings = store.note_opening(Host::this())?;
            Ok((store, openings))
        })
        .await??;
        Self::begin(config, Box::new(store), openings).await
    }

    /// Starts a daemon on a given store.
    ///
    /// # Errors
    /// As [`Daemon::start`].
    pub async fn start_on(config: DaemonConfig, store: Box<dyn Store>) -> Result<Self, StartError> {
        Self::begin(config, store, Openings::default()).await
    }

    async fn begin(
        config: DaemonConfig,
        store: Box<dyn Store>,
        openings: Openings,
    ) -> Result<Self, StartError> {
        // Everybody's wall time counts from here.
        let _ = clock::wall_ms();
        let metrics = Arc::new(Metrics::new()?);
        // The port is taken first: it is what fails most often, and cheapest to find out.
        let listener = http::listen(config.listen)
            .map_err(|source| StartError::Listen { address: config.listen, source })?;
        let http_addr =
            listener.local_addr().map_err(|source| StartError::Listen { address: config.listen, source })?;

        let asked = config.clone();
        let signer = tokio::task::spawn_blocking(move || -> Result<Signer, StartError> {
            // Deriving the key takes about a second on purpose.
            let passphrase = asked.passphrase.read()?;
            let keystore = Keystore::open(&asked.keystore, &passphrase)?;
            check_keys(&asked, &keystore)?;
            Ok(Signer::new(keystore))
        })
        .await??;

        let (say_fatal, fatal) = oneshot::channel();
        let on_fatal = Box::new(move |error| {
            // Nobody listens: then the daemon is being dropped anyway.
            let _ = say_fatal.send(error);
        });
        let treasury = config.treasury.clone();
        let engine_metrics = Arc::clone(&metrics);
        let engine =
            tokio::task::spawn_blocking(move || Engine::start(treasury, store, engine_metrics, on_fatal))
                .await??;

        let start = engine
            .handle
            .query(|state, treasury| Start {
                // Signers that nobody declared, and that were read in an earlier run, are looked at on.
                watched: treasury.watched().into_iter().chain(state.accounts.keys().copied()).collect(),
                treasury: treasury.accounts.keys().copied().collect(),
                known: known(state, treasury),
                cursor: state.ledger,
                escrows: state.standing.clone(),
            })
            .await
            .map_err(|_| EngineStartError::Invariant("the engine stopped at once".to_owned()))?;
        let notifier = {
            let (notify, data_dir) = (config.notify.clone(), config.data_dir.clone());
            let (handle, metrics) = (engine.handle.clone(), Arc::clone(&metrics));
            tokio::task::spawn_blocking(move || Notifier::start(notify, &data_dir, handle, &metrics)).await?
        };
        let auditor = {
            let (data_dir, keep_days) = (config.data_dir.clone(), config.audit_keep_days);
            let (handle, metrics, prints) =
                (engine.handle.clone(), Arc::clone(&metrics), config.prints.clone());
            tokio::task::spawn_blocking(move || {
                Auditor::start(&data_dir, handle, &metrics, keep_days, prints)
            })
            .await?
        };
        let limits = Limits {
            rate: config.requests_per_second,
            ..Limits::of_this_process(config.network.endpoints.len())
        };
        let port = Port::spawn(config.network.clone(), start, engine.handle.inputs());
        let tokens = Tokens::new(&config.tokens);
        tokens.replace_logins(&config.logins);
        tokens.replace_passkeys(&config.passkeys);
        let network_id = config.network.network_id;
        let guard = config.guard.as_ref().map(|guard| -> Arc<dyn GuardPort> {
            Arc::new(GuardClient::new(guard, network_id, tokens.clone()))
        });
        let driver = driver::spawn(
            engine.effects,
            engine.handle.clone(),
            Arc::new(port.clone()),
            Arc::new(signer),
            guard,
        );
        let app = App::new(engine.handle.clone(), metrics, tokens.clone(), limits)
            .with_port(port.clone())
            .with_desk(notifier.as_ref().map(Notifier::desk))
            .with_console(config.console.clone())
            .with_prices(config.prices.clone())
            .with_surroundings(config.surroundings())
            .with_screening(config.screening.clone())
            .with_audit(auditor.as_ref().map(Auditor::audit))
            .with_openings(openings.clone());
        let logins = http::watch_logins(app.attempts(), engine.handle.clone());
        let http = Serving::start(listener, app)
            .map_err(|source| StartError::Listen { address: config.listen, source })?;
        let control = control::open(&config.data_dir, engine.handle.clone())
            .inspect_err(|error| {
                tracing::warn!(%error, "the store cannot be copied while the daemon runs: no socket for it");
            })
            .ok();
        let (policy, accounts) = (engine.handle.treasury().policy.hash(), config.treasury.accounts.len());
        let (now, before) = openings.last_two();
        let host = now.map_or("none", |now| now.host.name.as_str());
        let generation = openings.generation();
        lines::started(env!("CARGO_PKG_VERSION"), http_addr, policy, accounts, generation, host);
        if let Some(before) = before.filter(|_| openings.changed_hosts()) {
            lines::store_of_another_host(host, generation, &before.host.name, before.last);
        }
        for warning in warnings::of(&config) {
            lines::config_warning(&warning.key, &warning.what);
        }
        Ok(Self {
            http_addr,
            engine: engine.handle,
            port,
            fatal,
            http,
            tokens,
            control,
            now: tokio::sync::Mutex::new(Now::of(config.clone())),
            begun_with: Box::new(config),
            driver,
            logins,
            notifier,
            auditor,
            engine_thread: engine.thread,
        })
    }

    /// Decides by this configuration from now on: people, tokens, destinations, links, policy, limits, deadlines and
    /// severities. Where people put policies in force (`[activation]`), another policy waits for them. Refused whole where
    /// anything else in it differs from what the daemon was started with, or where something that is under way would be lost
    /// sight of.
    ///
    /// # Errors
    /// [`ReloadError`]. Nothing has changed then.
    pub async fn reload(&self, config: &DaemonConfig) -> Result<(), ReloadError> {
        let fixed = config.differs_for_good(&self.begun_with);
        if !fixed.is_empty() {
            return Err(ReloadError::Fixed(fixed.join(", ")));
        }
        let mut now = self.now.lock().await;
        let mut config = config.clone();
        config.keep_lists_of(&now.config);
        let config = config;
        let declared = self.engine.declare(config.treasury.clone()).await;
        declared.map_err(|_| ReloadError::Stopped)?.map_err(ReloadError::UnderWay)?;
        self.tokens.replace(&config.tokens);
        self.tokens.replace_logins(&config.logins);
        self.tokens.replace_passkeys(&config.passkeys);
        *now = Now::of(config.clone());
        lines::config_reloaded(self.engine.treasury().policy.hash(), config.treasury.accounts.len());
        self.note_policy(&config);
        for warning in warnings::of(&config) {
            lines::config_warning(&warning.key, &warning.what);
        }
        Ok(())
    }

    /// Has the audit log say by what is decided from now on.
    fn note_policy(&self, config: &DaemonConfig) {
        if let Some(auditor) = &self.auditor {
            let audit = auditor.audit();
            let policy = self.engine.treasury().policy.hash().to_string();
            let text = serde_json::json!({ "kind": "configured", "policy": policy });
            let said = audit.say(&self.engine, text);
            if let Err(trouble) = said.and_then(|()| audit.say_configuration(&self.engine, &config.prints)) {
                lines::audit_stuck(trouble);
            }
        }
    }

    /// Looks whether the files of lists are others than before, or a list has become older than it may be, and decides by
    /// them from then on. What cannot be read any more keeps those who were on it, and nothing leaves to a new destination.
    ///
    /// # Errors
    /// [`ReloadError`]. Nothing has changed then, and it is tried again the next time.
    pub async fn reload_lists(&self) -> Result<(), ReloadError> {
        let mut now = self.now.lock().await;
        let known = now.config.treasury.policy.lists();
        let (stamps, changed) = now.lists.look(known, clock::utc()).await;
        if changed.is_empty() {
            now.lists.are(stamps);
            return Ok(());
        }
        let mut config = now.config.clone();
        config.take_lists(changed);
        let declared = self.engine.declare(config.treasury.clone()).await;
        declared.map_err(|_| ReloadError::Stopped)?.map_err(ReloadError::UnderWay)?;
        lines::config_reloaded(self.engine.treasury().policy.hash(), config.treasury.accounts.len());
        self.note_policy(&config);
        for warning in warnings::of(&config).iter().filter(|warning| warning.key.starts_with("list")) {
            lines::config_warning(&warning.key, &warning.what);
        }
        now.config = config;
        now.lists.are(stamps);
        Ok(())
    }

    /// Where the API listens.
    #[must_use]
    pub fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    /// The API's address for a client.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.http_addr)
    }

    /// Speaks to the engine.
    #[must_use]
    pub fn engine(&self) -> &EngineHandle {
        &self.engine
    }

    /// Waits until the engine stops by itself, and says why. The process should end then: what it knew
    /// is in the store, and nothing else of it can be trusted.
    pub async fn stopped(&mut self) -> String {
        if !self.fatal.is_terminated()
            && let Ok(fatal) = (&mut self.fatal).await
        {
            return fatal.to_string();
        }
        "the engine ended".to_owned()
    }

    /// Stops: no new requests, no new ledgers, the last inputs to their end.
    pub async fn shutdown(self) {
        drop(self.control);
        self.http.shutdown(GRACE).await;
        self.logins.abort();
        self.port.shutdown().await;
        if let Some(notifier) = self.notifier {
            notifier.shutdown().await;
        }
        if let Some(auditor) = self.auditor {
            auditor.shutdown().await;
        }
        self.engine.stop().await;
        // The driver ends with the engine's queue of effects; its tasks' answers have nowhere to go then.
        let stop_driver = self.driver.abort_handle();
        if tokio::time::timeout(GRACE, self.driver).await.is_err() {
            stop_driver.abort();
        }
        let thread = self.engine_thread;
        // The thread owns the store: only when it has ended may another daemon open it.
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        lines::stopped();
    }
}

mod lists;
#[cfg(test)]
mod tests;
