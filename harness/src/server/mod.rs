//! A server around an embedded ledger: JSON-RPC and websocket, on loopback, on ports the system chooses.

mod control;
mod events;
mod explorer;
mod faucet;
mod faults;
pub mod file;
mod http;
mod hub;
mod outbox;
mod pursuit;
mod shared;
mod view;
pub mod words;
mod ws;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use xrpl_wire::{
    AccountId, Amount, Drops, Hash256, KeyPair, LedgerHeader, RippleTime, Seed, SeqProxy, SignError,
    Transaction, TxBody, TxCommon, TxError, TxResult, index, sf,
};

pub use self::control::{CONTROL_METHODS, ControlMethod};
pub use self::events::{Event, Events};
pub use self::faults::Faults;
pub use self::file::FileError;
use self::shared::{Settings, Shared};
use crate::embedded::rpc::{Port, ServerFacts};
use crate::embedded::{
    BASE_LEVEL, ClosedLedger, GENESIS_SEED, GenesisConfig, Ledger, MoreThanAllXrp, SubmitOutcome,
};

/// How long a socket or a port may take to close before it is left behind.
const GOODBYE: Duration = Duration::from_millis(500);

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// Where it listens for websockets; port 0 lets the system choose.
    pub ws_addr: SocketAddr,
    /// Where it listens for JSON-RPC; port 0 lets the system choose. Both ports serve both.
    pub rpc_addr: SocketAddr,
    /// One more port for strangers, without administrators' methods; none by default.
    pub public_addr: Option<SocketAddr>,
    /// Whether callers of the first two ports are administrators.
    pub admin: bool,
    /// The ledger it starts from.
    pub genesis: GenesisConfig,
    /// Closes a ledger so often by itself; none by default.
    pub auto_close: Option<Duration>,
    /// Closes a ledger for each submission, once it is answered, and more until the transaction is in one or none can
    /// have it any more; off by default.
    pub close_on_submit: bool,
    /// Ledger time between two ledgers, in seconds, at least 1. Wall time does not enter.
    pub close_step_seconds: u32,
    /// What the faucet (`POST /accounts`) pays who does not say how much; none for no faucet.
    pub faucet: Option<Drops>,
    /// The file that `standalone_save` writes and `standalone_load` reads; without one they are refused. Nothing else
    /// reads or writes it.
    pub file: Option<PathBuf>,
    /// How many frames may wait for one client before it is dropped as too slow; at least 1.
    pub send_queue_frames: usize,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            ws_addr: any_port,
            rpc_addr: any_port,
            public_addr: None,
            admin: true,
            genesis: GenesisConfig::default(),
            auto_close: None,
            close_on_submit: false,
            // The public network closes a ledger every 3 to 5 seconds.
            close_step_seconds: 4,
            // As much as an account of the test networks begins with.
            faucet: Drops::new(100_000_000).ok(),
            file: None,
            // Enough for a ledger of several thousand transactions while the client is busy with the one before.
            send_queue_frames: 8192,
        }
    }
}

/// Why a server cannot start, or cannot do what a test asks.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on {addr}: {}", reason(source))]
    Listen {
        /// Where.
        addr: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The account that pays is not on the ledger.
    #[error("{account} is not on the ledger")]
    NoSuchAccount {
        /// The account.
        account: AccountId,
    },
    /// The transaction cannot be written.
    #[error(transparent)]
    Transaction(#[from] TxError),
    /// The transaction cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The ledger did not take it.
    #[error("the ledger answers {result}: {}", result.message())]
    Refused {
        /// What it said.
        result: TxResult,
    },
    /// The genesis seed does not read; cannot happen.
    #[error("the genesis seed: {0}")]
    GenesisSeed(#[from] xrpl_wire::SeedError),
}

/// A server around an embedded ledger. Dropping it stops it; [`shutdown`](Self::shutdown) also waits.
#[derive(Debug)]
pub struct EmbeddedServer {
    shared: Arc<Shared>,
    ws_addr: SocketAddr,
    rpc_addr: SocketAddr,
    public_addr: Option<SocketAddr>,
    has_faucet: bool,
    tasks: Vec<JoinHandle<()>>,
}

impl EmbeddedServer {
    /// Starts a server on a fresh ledger. It answers when this returns.
    ///
    /// # Errors
    /// [`ServerError::Listen`].
    pub async fn start(config: EmbeddedConfig) -> Result<Self, ServerError> {
        let ledger = Ledger::genesis(config.genesis.clone());
        Self::start_with(ledger, config).await
    }

    /// Starts a server on a given ledger, whatever the genesis of the configuration.
    ///
    /// # Errors
    /// [`ServerError::Listen`].
    pub async fn start_with(ledger: Ledger, config: EmbeddedConfig) -> Result<Self, ServerError> {
        let (ws, ws_addr) = listen(config.ws_addr).await?;
        let (rpc, rpc_addr) = listen(config.rpc_addr).await?;
        let public = match config.public_addr {
            Some(addr) => Some(listen(addr).await?),
            None => None,
        };
        let settings = Settings {
            close_step_seconds: config.close_step_seconds.max(1),
            send_queue_frames: config.send_queue_frames.max(1),
            close_on_submit: config.close_on_submit,
            file: config.file.clone(),
            ports: ports(&config, rpc_addr, public.as_ref().map(|(_, addr)| *addr), ws_addr),
        };
        let shared = Arc::new(Shared::new(ledger, settings));
        let port = |shared: &Arc<Shared>, admin| http::Port {
            shared: Arc::clone(shared),
            admin,
            faucet: config.faucet,
        };
        let mut tasks = vec![serve(ws, port(&shared, config.admin)), serve(rpc, port(&shared, config.admin))];
        let pursuing = Arc::clone(&shared);
        tasks.push(tokio::spawn(async move { pursuit::pursue(&pursuing).await }));
        let public_addr = public.as_ref().map(|(_, addr)| *addr);
        if let Some((listener, _)) = public {
            tasks.push(serve(listener, port(&shared, false)));
        }
        if let Some(interval) = config.auto_close {
            tasks.push(tokio::spawn(close_regularly(Arc::clone(&shared), interval)));
        }
        tracing::info!(%ws_addr, %rpc_addr, "the embedded ledger is up");
        let has_faucet = config.faucet.is_some();
        Ok(Self { shared, ws_addr, rpc_addr, public_addr, has_faucet, tasks })
    }

    /// Where to open websockets: `ws://127.0.0.1:port`.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.ws_addr)
    }

    /// Where to post JSON-RPC: `http://127.0.0.1:port`.
    #[must_use]
    pub fn rpc_url(&self) -> String {
        format!("http://{}", self.rpc_addr)
    }

    /// The address of the public port, if there is one.
    #[must_use]
    pub fn public_addr(&self) -> Option<SocketAddr> {
        self.public_addr
    }

    /// Stops listening, closes all sockets, and waits for both.
    pub async fn shutdown(mut self) {
        self.halt().await;
    }

    /// As [`shutdown`](Self::shutdown), but the ledger is still there: to be looked at, or saved, once nobody can
    /// submit to it any more.
    pub async fn halt(&mut self) {
        self.stop();
        // A client that holds a connection open must not hold up the end.
        let deadline = tokio::time::Instant::now() + 2 * GOODBYE;
        for mut task in std::mem::take(&mut self.tasks) {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                tracing::debug!("a port did not close in time");
                task.abort();
            }
        }
    }

    fn stop(&self) {
        self.shared.stop();
        self.shared.hub().hang_up_all();
    }

    /// Closes a ledger, one step of ledger time after the last.
    pub fn close_ledger(&self) -> Arc<ClosedLedger> {
        self.shared.close()
    }

    /// Closes a ledger at a time; a time not after the last ledger's becomes the next second.
    pub fn close_ledger_at(&self, at: RippleTime) -> Arc<ClosedLedger> {
        self.shared.close_at(at)
    }

    /// Moves ledger time on by closing one ledger so many seconds after the last.
    pub fn advance_time(&self, seconds: u32) -> Arc<ClosedLedger> {
        self.shared.close_after(seconds)
    }

    /// The ledger's time: the close time of the last validated ledger.
    #[must_use]
    pub fn now(&self) -> RippleTime {
        self.validated_header().close_time
    }

    /// The last validated ledger.
    #[must_use]
    pub fn validated(&self) -> Arc<ClosedLedger> {
        Arc::clone(self.shared.read().validated())
    }

    fn validated_header(&self) -> LedgerHeader {
        self.shared.read().validated().header
    }

    /// What a server knows beside its ledger, as [`rpc::handle`](crate::embedded::rpc::handle) wants it.
    #[must_use]
    pub fn facts(&self) -> ServerFacts {
        self.shared.facts(&self.shared.read())
    }

    /// Runs something on the ledger itself, while nobody else sees it; what it runs must not call this server. Subscribers are not told of ledgers closed
    /// in it.
    pub fn with_ledger<T>(&self, run: impl FnOnce(&mut Ledger) -> T) -> T {
        self.shared.with_ledger(run)
    }

    /// The ledger as it is now, for [`restore`](Self::restore). Costs nothing: everything is shared.
    #[must_use]
    pub fn snapshot(&self) -> Ledger {
        self.shared.read().clone()
    }

    /// Makes an earlier ledger the current one. Clients see ledger indexes go back, as no network's would.
    pub fn restore(&self, ledger: Ledger) {
        self.shared.restore(ledger);
    }

    /// Writes the whole ledger to a file.
    ///
    /// # Errors
    /// [`FileError::Write`]
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        self.shared.save(path).map(|_| ())
    }

    /// Puts the ledger to what a file holds. Clients see ledger indexes jump, as no network's would.
    ///
    /// # Errors
    /// [`FileError::Read`], [`FileError::Load`]: then the ledger stays what it was.
    pub fn load(&self, path: &Path) -> Result<(), FileError> {
        self.restore(file::load(path)?);
        Ok(())
    }

    /// Submits a transaction to the open ledger.
    pub fn submit(&self, tx: &Transaction) -> SubmitOutcome {
        let outcome = self.shared.submit(&tx.encode());
        self.shared.close_for_submitted();
        outcome
    }

    /// Whether it has a faucet: `POST /accounts` at each of its ports.
    #[must_use]
    pub fn has_faucet(&self) -> bool {
        self.has_faucet
    }

    /// What happens from now on, for whoever watches.
    #[must_use]
    pub fn events(&self) -> Events {
        self.shared.events()
    }

    /// Closes ledgers for what is submitted from now on, or does not any more.
    pub fn set_close_on_submit(&self, enabled: bool) {
        self.shared.set_close_on_submit(enabled);
    }

    /// Pays an account from the one that holds everything. The payment is in the open ledger; close it to have it
    /// validated.
    ///
    /// # Errors
    /// What the ledger said instead of `tesSUCCESS`: an amount below the reserve of a new account, for one.
    pub fn fund(&self, account: &AccountId, amount: Drops) -> Result<Hash256, ServerError> {
        let id = fund(&self.shared, account, amount)?;
        self.shared.close_for_submitted();
        Ok(id)
    }

    /// Stops closing ledgers by itself, if it does.
    pub fn pause_auto_close(&self) {
        self.shared.pause_auto_close(true);
    }

    /// Goes on closing ledgers by itself, if it did.
    pub fn resume_auto_close(&self) {
        self.shared.pause_auto_close(false);
    }

    /// Sets what goes wrong from now on; `Faults::default()` heals everything.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.set_faults(faults);
    }

    /// What goes wrong.
    #[must_use]
    pub fn faults(&self) -> Faults {
        let ledger = self.shared.read();
        Faults { claim_only: ledger.claims_left(), ..self.shared.faults().clone() }
    }

    /// Sets the balance of an account, which is made if it is not there. The next ledger has it, though no transaction
    /// tells of it; see [`Ledger::set_balance`].
    ///
    /// # Errors
    /// [`MoreThanAllXrp`].
    pub fn set_balance(&self, account: &AccountId, balance: Drops) -> Result<(), MoreThanAllXrp> {
        self.shared.with_ledger(|ledger| ledger.set_balance(account, balance))
    }

    /// Takes transactions of an account whoever signed them, or nobody; off for all accounts at the start.
    pub fn impersonate(&self, account: AccountId, enabled: bool) {
        self.shared.with_ledger(|ledger| ledger.impersonate(account, enabled));
    }

    /// Closes all websockets.
    pub fn drop_connections(&self) {
        self.shared.hub().hang_up_all();
    }

    /// How many websockets are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.hub().len()
    }

    /// How many clients were dropped because they read too slowly.
    #[must_use]
    pub fn dropped_slow(&self) -> u64 {
        self.shared.hub().dropped_slow()
    }
}

impl Drop for EmbeddedServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The keys of the account that holds everything on a fresh ledger.
///
/// # Errors
/// None in practice: the seed is a constant.
pub fn genesis_keys() -> Result<KeyPair, ServerError> {
    Ok(KeyPair::from_seed(&Seed::from_str(GENESIS_SEED)?))
}

/// A signed payment of XRP with the next Sequence and the base fee.
///
/// # Errors
/// [`ServerError::NoSuchAccount`] where the payer is not on the ledger.
pub fn payment(
    ledger: &Ledger,
    payer: &KeyPair,
    destination: &AccountId,
    amount: Drops,
) -> Result<Transaction, ServerError> {
    payment_for(ledger, payer, destination, amount, ledger.validated().fees.base_fee)
}

/// The same for a fee.
fn payment_for(
    ledger: &Ledger,
    payer: &KeyPair,
    destination: &AccountId,
    amount: Drops,
    fee: Drops,
) -> Result<Transaction, ServerError> {
    let account = payer.account_id();
    let sequence = ledger
        .open()
        .state()
        .object(&index::account_root(&account))
        .and_then(|root| root.u32(sf::Sequence))
        .ok_or(ServerError::NoSuchAccount { account })?;
    let common = TxCommon {
        account,
        seq: SeqProxy::Sequence(sequence),
        fee,
        last_ledger_sequence: None,
        source_tag: None,
        // Networks above 1024 must be named, and others must not.
        network_id: Some(ledger.rules().network_id()).filter(|id| *id > 1024),
        memos: Vec::new(),
        flags: 0,
    };
    let body = TxBody::Payment(xrpl_wire::typed::Payment {
        destination: *destination,
        destination_tag: None,
        amount: Amount::Xrp(amount),
        send_max: None,
        deliver_min: None,
    });
    Ok(xrpl_wire::sign::sign_single(&xrpl_wire::typed::build(&common, &body)?, payer)?)
}

/// A payment that the open ledger takes at once, however full it is: with what it costs then.
fn immediate_payment(
    ledger: &Ledger,
    payer: &KeyPair,
    destination: &AccountId,
    amount: Drops,
) -> Result<Transaction, ServerError> {
    let base_fee = ledger.validated().fees.base_fee;
    let is_full = ledger.queue_metrics().open_ledger_level > BASE_LEVEL;
    // What the payer has waiting has the same Sequence, and would be pushed out.
    let waits = !ledger.queued(&payer.account_id()).is_empty();
    // What the server calls the fee of a full ledger is a drop too little where the level ends so.
    let fee = match Drops::new(ledger.escalated_fee().saturating_add(1)) {
        Ok(fee) if is_full && !waits => base_fee.max(fee),
        _ => base_fee,
    };
    payment_for(ledger, payer, destination, amount, fee)
}

fn fund(shared: &Shared, account: &AccountId, amount: Drops) -> Result<Hash256, ServerError> {
    let keys = genesis_keys()?;
    let outcome = shared.submit_made(|ledger| immediate_payment(ledger, &keys, account, amount))?;
    if outcome.result == TxResult::tesSUCCESS {
        Ok(outcome.id)
    } else {
        Err(ServerError::Refused { result: outcome.result })
    }
}

/// Why a port cannot be had, without the system's numbers where its words are plain.
fn reason(source: &std::io::Error) -> String {
    match source.kind() {
        std::io::ErrorKind::AddrInUse => "the port is in use".to_owned(),
        std::io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        std::io::ErrorKind::PermissionDenied => "the system does not allow it".to_owned(),
        _ => source.to_string(),
    }
}

/// The ports as the server tells of them: each serves JSON-RPC and websockets, and is meant for one of the two.
fn ports(config: &EmbeddedConfig, rpc: SocketAddr, public: Option<SocketAddr>, ws: SocketAddr) -> Vec<Port> {
    let rpc = Port { number: rpc.port(), protocol: "http", admin: config.admin };
    let public = public.map(|addr| Port { number: addr.port(), protocol: "ws", admin: false });
    let ws = Port { number: ws.port(), protocol: "ws", admin: config.admin };
    [Some(rpc), public, Some(ws)].into_iter().flatten().collect()
}

async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), ServerError> {
    let listener = TcpListener::bind(addr).await.map_err(|source| ServerError::Listen { addr, source })?;
    let local = listener.local_addr().map_err(|source| ServerError::Listen { addr, source })?;
    Ok((listener, local))
}

fn serve(listener: TcpListener, port: http::Port) -> JoinHandle<()> {
    // Replies are small and wait for one another: Nagle's algorithm would cost 40 ms each.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a socket keeps Nagle's algorithm");
        }
    });
    tokio::spawn(async move {
        let shared = Arc::clone(&port.shared);
        let router = http::router(port);
        let stopped = async move { shared.stopped().await };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "a port stopped");
        }
    })
}

async fn close_regularly(shared: Arc<Shared>, interval: Duration) {
    let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
    // The first tick is at once; the first ledger is after one interval.
    ticks.tick().await;
    // A machine that was busy closes fewer ledgers, not many at once.
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shared.stopped() => return,
        }
        if !shared.auto_close_paused() {
            shared.close();
        }
    }
}
