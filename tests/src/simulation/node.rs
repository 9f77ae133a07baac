//! One daemon: the engine's own machine on a simulated disk, with the real ledger port, and no threads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc;
use treasury_core::command::Command;
use treasury_core::state::State;
use treasury_core::units::RequestId;
use treasury_core::{Input, Treasury};
use treasuryd::clock::Clock;
use treasuryd::config::NetworkConfig;
use treasuryd::driver::Leave;
use treasuryd::engine::{EngineStartError, Machine};
use treasuryd::ledger::{Port, PortHandle, Start};
use treasuryd::metrics::Metrics;
use treasuryd::store::Archive;

use super::cast::SILENCE_MAX_SECONDS;
use super::disk::SimDisk;
use super::network::Network;
use super::store::{Fresh, SimStore};
use super::transport::{Shared, SimTransport};

/// As many inputs as wait for the daemon's own engine.
const INPUTS_MAX: usize = 1_024;

/// Ledgers between two readings of everything.
const REREAD_LEDGERS: u32 = 250;

/// What somebody asked and has no answer to yet.
pub struct Pending {
    /// The DestinationTag of the intent, where it is one.
    pub tag: Option<u32>,
    /// What was asked.
    pub command: Command,
}

/// A daemon, dead or alive.
pub struct Node {
    /// Its number.
    pub number: usize,
    /// Its disk, which outlives it.
    pub disk: SimDisk,
    /// What became durable in its store and was not looked at.
    pub fresh: Fresh,
    /// How often it was started. What belongs to an earlier start comes too late.
    pub incarnation: u32,
    /// Who waits for an answer.
    pub pending: BTreeMap<RequestId, Pending>,
    /// What it knew when it died, if all of that was durable.
    pub before: Option<State>,
    /// It has not taken in a ledger with sight since it started.
    pub(super) has_just_started: bool,
    life: Option<Life>,
    requests: u64,
    /// Ends what has not left when somebody stops something.
    pub(super) leave: Leave,
}

struct Life {
    machine: Machine,
    port: PortHandle,
    inputs: mpsc::Receiver<Input>,
}

impl Node {
    /// A daemon that has never been started.
    #[must_use]
    pub fn new(number: usize) -> Self {
        Self {
            number,
            disk: SimDisk::default(),
            fresh: Fresh::default(),
            incarnation: 0,
            pending: BTreeMap::new(),
            before: None,
            has_just_started: false,
            life: None,
            requests: 0,
            leave: Leave::default(),
        }
    }

    /// Starts it on what is on its disk. Answers with the number of its last record.
    ///
    /// # Errors
    /// Where the store does not open.
    pub fn boot(
        &mut self,
        treasury: &Arc<Treasury>,
        metrics: &Arc<Metrics>,
        shared: &Shared,
        jitter_seed: u64,
    ) -> Result<u64, EngineStartError> {
        let store = SimStore::open(&self.disk, &self.fresh)?;
        let records = store.last();
        let machine = Machine::open(Arc::clone(treasury), Box::new(store), Arc::clone(metrics))?;
        let state = machine.state();
        let start = Start {
            watched: treasury.watched().into_iter().chain(state.accounts.keys().copied()).collect(),
            treasury: treasury.accounts.keys().copied().collect(),
            known: state.accounts.keys().copied().collect(),
            cursor: state.ledger,
            escrows: state.standing.clone(),
        };
        let mut network = NetworkConfig::new(Network::endpoints());
        // One server lies at a time: two that say the same are believed.
        network.read_quorum = 2;
        network.request_timeout = Duration::from_secs(5);
        network.silence_max = Duration::from_secs(SILENCE_MAX_SECONDS.into());
        network.reread_ledgers = REREAD_LEDGERS;
        let (sender, inputs) = mpsc::channel(INPUTS_MAX);
        let clock = {
            let shared = shared.clone();
            Clock::new(move || shared.now_ms())
        };
        let transport = Arc::new(SimTransport { daemon: self.number, shared: shared.clone() });
        let port = Port::spawn_on(transport, clock, jitter_seed, network, start, sender);
        self.has_just_started = self.incarnation > 0;
        self.incarnation += 1;
        self.life = Some(Life { machine, port, inputs });
        Ok(records)
    }

    /// Its process ends. Nobody who waits gets an answer.
    pub async fn die(&mut self) {
        if let Some(life) = self.life.take() {
            life.port.shutdown().await;
        }
        self.pending.clear();
    }

    /// Its engine, while it lives.
    pub fn machine(&mut self) -> Option<&mut Machine> {
        self.life.as_mut().map(|life| &mut life.machine)
    }

    /// What it shows, while it lives, and where it has what has left that.
    #[must_use]
    pub fn known(&self) -> Option<(&State, &Archive)> {
        self.life.as_ref().map(|life| (life.machine.state(), life.machine.archive().as_ref()))
    }

    /// What it shows, while it lives.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        self.life.as_ref().map(|life| life.machine.state())
    }

    /// Its ledger port, while it lives.
    #[must_use]
    pub fn port(&self) -> Option<&PortHandle> {
        self.life.as_ref().map(|life| &life.port)
    }

    /// The number of a new request.
    pub fn request(&mut self, pending: Pending) -> RequestId {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.pending.insert(request, pending);
        request
    }

    /// The next input from its port.
    pub fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        match self.life.as_mut().map(|life| life.inputs.poll_recv(cx)) {
            Some(Poll::Ready(Some(input))) => Poll::Ready(input),
            _ => Poll::Pending,
        }
    }
}
