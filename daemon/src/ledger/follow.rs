//! Follows the network: from the cursor to the present, one proven ledger after another, over one server
//! at a time.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};
use treasury_core::Input;
use treasury_core::observe::{Change, LedgerPoint, NetworkFees};
use treasury_core::units::{AccountId, EscrowKey, LedgerIndex};
use xrpl_wire::{Metadata, Transaction};

use super::Start;
use super::error::{Trouble, malformed};
use super::observe::{ObserveError, Watch, observe};
use super::prove::{Interest, Proven, prove, prove_header};
use super::reply::{self, Announced, LedgerReply};
use super::server::Server;
use super::snapshot;
use super::transport::{RequestError, Transport};
use crate::clock::Clock;
use crate::config::NetworkConfig;

/// The first wait after every server has failed; doubled each time.
const BACKOFF_FIRST: Duration = Duration::from_millis(250);

/// The longest wait. A server that comes back is used within this.
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// The engine has ended: nobody takes inputs any more.
struct Ended;

/// Why a session with a server is over.
enum Over {
    /// Something is wrong with the server.
    Trouble(Trouble),
    /// Nobody listens.
    Ended,
}

impl From<Trouble> for Over {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<RequestError> for Over {
    fn from(error: RequestError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<Ended> for Over {
    fn from(_: Ended) -> Self {
        Self::Ended
    }
}

/// What the follower runs on: the way to the servers, the time, and chance.
pub(super) struct Ground {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Clock,
    pub(super) jitter_seed: u64,
}

pub(super) struct Follower {
    transport: Arc<dyn Transport>,
    clock: Clock,
    jitter: StdRng,
    network: NetworkConfig,
    watch: Watch,
    interest: Interest,
    escrows: BTreeSet<EscrowKey>,
    cursor: Option<LedgerPoint>,
    inputs: mpsc::Sender<Input>,
    asked: mpsc::Receiver<Vec<AccountId>>,
    share: watch::Sender<Option<Server>>,
    /// Accounts that somebody asked to read, and that have not been read yet.
    wanted: BTreeSet<AccountId>,
    /// Everything has to be read anew: after the start, whenever sight was lost, and from time to time.
    read_all: bool,
    /// Ledgers taken since everything was read.
    unread: u32,
    /// What was said last about lost sight; the same is not said twice.
    lost: Option<String>,
}

impl Follower {
    pub(super) fn new(
        ground: Ground,
        network: NetworkConfig,
        start: Start,
        inputs: mpsc::Sender<Input>,
        asked: mpsc::Receiver<Vec<AccountId>>,
        share: watch::Sender<Option<Server>>,
    ) -> Self {
        let watch = Watch::new(start.watched, start.treasury);
        let interest = Interest::in_accounts(&watch.watched);
        Self {
            transport: ground.transport,
            clock: ground.clock,
            jitter: StdRng::seed_from_u64(ground.jitter_seed),
            network,
            watch,
            interest,
            escrows: start.escrows,
            cursor: start.cursor,
            inputs,
            asked,
            share,
            wanted: BTreeSet::new(),
            read_all: true,
            unread: 0,
            lost: None,
        }
    }

    /// Goes round the servers until nobody listens any more.
    pub(super) async fn run(mut self) {
        let mut endpoints: VecDeque<String> = self.network.endpoints.iter().cloned().collect();
        let mut backoff = BACKOFF_FIRST;
        let mut failed = 0;
        loop {
            let Some(endpoint) = endpoints.front().cloned() else {
                let _ = self.lose_sight("no ledger server is configured".to_owned()).await;
                return;
            };
            endpoints.rotate_left(1);
            let before = self.cursor;
            let over = self.session(&endpoint).await;
            self.share.send_replace(None);
            let Err(Over::Trouble(trouble)) = over else { return };
            tracing::warn!(endpoint, %trouble, "the ledger server is left");
            if self.cursor != before {
                (backoff, failed) = (BACKOFF_FIRST, 0);
            }
            failed += 1;
            // One server's outage is no loss of sight while another may take over; a false hash is.
            if (trouble.is_grave() || failed >= endpoints.len())
                && self.lose_sight(format!("{endpoint}: {trouble}")).await.is_err()
            {
                return;
            }
            if failed >= endpoints.len() {
                failed = 0;
                sleep(jittered(backoff, &mut self.jitter)).await;
                backoff = backoff.saturating_mul(2).min(BACKOFF_MAX);
            }
        }
    }

    /// Follows one server until something goes wrong with it.
    async fn session(&mut self, endpoint: &str) -> Result<(), Over> {
        let (server, mut announced) =
            Server::open(&*self.transport, endpoint, self.network.request_timeout).await?;
        let mut tip = self.subscribe(&server).await?;
        tracing::info!(endpoint, ledger = tip.ledger_index, "following");
        self.share.send_replace(Some(server.clone()));
        self.check_tip(&tip)?;
        let mut fees = fees_of(&tip)?;
        if self.cursor.is_none() {
            self.begin(&server, tip.index()).await?;
        }
        let mut deadline = Instant::now() + self.network.silence_max;
        loop {
            while let Some(cursor) = self.cursor.filter(|cursor| cursor.index < tip.index()) {
                self.advance(&server, &cursor, &tip, fees).await?;
                deadline = Instant::now() + self.network.silence_max;
                if let Some(latest) = latest(&mut announced) {
                    fees = fees_of(&latest)?;
                    tip = latest;
                }
            }
            self.read_wanted(&server).await?;
            tokio::select! {
                biased;
                changed = timeout_at(deadline, announced.changed()) => match changed {
                    Ok(Ok(())) => {
                        if let Some(latest) = latest(&mut announced) {
                            fees = fees_of(&latest)?;
                            tip = latest;
                        }
                        self.check_tip(&tip)?;
                    }
                    Ok(Err(_)) => return Err(Trouble::Ended(endpoint.to_owned()).into()),
                    Err(_) => return Err(Trouble::Silent(self.network.silence_max.as_secs()).into()),
                },
                asked = self.asked.recv() => match asked {
                    Some(accounts) => self.want(accounts),
                    None => return Err(Over::Ended),
                },
            }
        }
    }

    /// Subscribes to the announcements; the reply is the first of them.
    async fn subscribe(&self, server: &Server) -> Result<Announced, Over> {
        let reply = server.request("subscribe", json!({ "streams": ["ledger"] })).await?;
        if reply.get("ledger_index").is_none() {
            return Err(Trouble::NotSynced.into());
        }
        let tip: Announced = reply::parse("subscribe", reply)?;
        match (self.network.network_id, tip.network_id) {
            (Some(wanted), Some(found)) if wanted != found => {
                Err(Trouble::OtherNetwork { wanted, found }.into())
            }
            _ => Ok(tip),
        }
    }

    /// Begins with the network's present ledger: nothing before it is known or asked for.
    async fn begin(&mut self, server: &Server, index: LedgerIndex) -> Result<(), Over> {
        let params = json!({ "ledger_index": index.0, "binary": true });
        let reply = fetch(server, index, params).await?;
        let point = prove_header(index, reply)?.point;
        self.read_everything(server, point).await?;
        self.cursor = Some(point);
        Ok(())
    }

    /// Takes the ledger after the cursor.
    async fn advance(
        &mut self,
        server: &Server,
        cursor: &LedgerPoint,
        tip: &Announced,
        fees: NetworkFees,
    ) -> Result<(), Over> {
        let index = cursor.index.plus(1);
        let params = json!({ "ledger_index": index.0, "transactions": true, "expand": true, "binary": true });
        let reply = fetch(server, index, params).await?;
        let proven = prove(index, Some(cursor), reply)?;
        let point = proven.point;
        let live = index == tip.index();
        if live && tip.ledger_hash != point.hash {
            let what = "the hash that was announced";
            let trouble = Trouble::Unproven { index, what, wanted: point.hash, found: tip.ledger_hash };
            return Err(trouble.into());
        }
        let observation =
            observe(&proven.header, fees, &self.decode(&proven)?, &self.watch).map_err(Trouble::from)?;
        for change in &observation.changes {
            match change {
                Change::EscrowCreated { escrow } => self.escrows.insert(escrow.key),
                Change::EscrowDeleted { key, .. } => self.escrows.remove(key),
                _ => false,
            };
        }
        if live {
            self.tell_open_ledger_fee(server).await?;
        }
        self.send(Input::Ledger { observation, wall_ms: self.clock.now_ms() }).await?;
        self.cursor = Some(point);
        self.unread = self.unread.saturating_add(1);
        if self.unread >= self.network.reread_ledgers {
            self.read_all = true;
        }
        Ok(())
    }

    /// Decodes the transactions that may concern a watched account.
    fn decode(&self, proven: &Proven) -> Result<Vec<(Transaction, Metadata)>, Trouble> {
        let concerning = proven.transactions.iter().filter(|tx| self.interest.concerns(tx));
        let decoded = concerning.map(|data| {
            let wrong = |what: String| ObserveError {
                index: proven.point.index,
                tx_id: xrpl_wire::tree::transaction_id(&data.tx_blob.0),
                what,
            };
            let tx = Transaction::decode(&data.tx_blob.0).map_err(|error| wrong(error.to_string()))?;
            let meta = Metadata::decode(&data.meta_blob.0).map_err(|error| wrong(error.to_string()))?;
            Ok((tx, meta))
        });
        Ok(decoded.collect::<Result<_, ObserveError>>()?)
    }

    /// The fee is advice: a server that does not give it is still good for ledgers.
    async fn tell_open_ledger_fee(&self, server: &Server) -> Result<(), Over> {
        let asked = server.request("fee", json!({})).await.map_err(Trouble::from);
        match asked.and_then(reply::open_ledger_fee) {
            Ok(fee) => Ok(self.send(Input::OpenLedgerFee { fee }).await?),
            Err(trouble) => {
                tracing::warn!(%trouble, "the fee of the open ledger is not known");
                Ok(())
            }
        }
    }

    /// Reads what has been asked for, at the cursor.
    async fn read_wanted(&mut self, server: &Server) -> Result<(), Over> {
        while let Ok(accounts) = self.asked.try_recv() {
            self.want(accounts);
        }
        let Some(cursor) = self.cursor else { return Ok(()) };
        if self.read_all {
            return self.read_everything(server, cursor).await;
        }
        if self.wanted.is_empty() {
            return Ok(());
        }
        self.read(server, cursor, self.wanted.clone()).await
    }

    async fn read_everything(&mut self, server: &Server, at: LedgerPoint) -> Result<(), Over> {
        self.read(server, at, self.watch.watched.clone()).await?;
        (self.read_all, self.unread) = (false, 0);
        self.lost = None;
        Ok(())
    }

    async fn read(
        &mut self,
        server: &Server,
        at: LedgerPoint,
        accounts: BTreeSet<AccountId>,
    ) -> Result<(), Over> {
        let read = snapshot::read(server, &at, &accounts, &self.escrows).await?;
        self.escrows.extend(read.iter().flat_map(|account| &account.escrows).map(|escrow| escrow.key));
        self.send(Input::Reconciled { at, accounts: read, wall_ms: self.clock.now_ms() }).await?;
        self.wanted.retain(|account| !accounts.contains(account));
        Ok(())
    }

    fn want(&mut self, accounts: Vec<AccountId>) {
        self.watch.add(accounts.iter().copied());
        self.interest = Interest::in_accounts(&self.watch.watched);
        self.wanted.extend(accounts);
    }

    /// The network must not have two validated ledgers of one index.
    fn check_tip(&self, tip: &Announced) -> Result<(), Trouble> {
        match self.cursor.filter(|cursor| cursor.index == tip.index() && cursor.hash != tip.ledger_hash) {
            Some(cursor) => Err(Trouble::Unproven {
                index: cursor.index,
                what: "the hash that was announced",
                wanted: cursor.hash,
                found: tip.ledger_hash,
            }),
            None => Ok(()),
        }
    }

    async fn lose_sight(&mut self, reason: String) -> Result<(), Ended> {
        self.read_all = true;
        if self.lost.as_ref() == Some(&reason) {
            return Ok(());
        }
        self.lost = Some(reason.clone());
        self.send(Input::SightLost { reason }).await
    }

    async fn send(&self, input: Input) -> Result<(), Ended> {
        self.inputs.send(input).await.map_err(|_| Ended)
    }
}

async fn fetch(
    server: &Server,
    index: LedgerIndex,
    params: serde_json::Value,
) -> Result<LedgerReply, Trouble> {
    let reply = server.request("ledger", params).await.map_err(|error| match error {
        RequestError::Server { code, .. } if code == "lgrNotFound" => Trouble::Lacks(index),
        error => error.into(),
    })?;
    reply::parse("ledger", reply)
}

fn latest(announced: &mut watch::Receiver<Option<Announced>>) -> Option<Announced> {
    announced.borrow_and_update().clone()
}

fn fees_of(announced: &Announced) -> Result<NetworkFees, Trouble> {
    announced.fees().ok_or_else(|| malformed("subscribe", "fees or reserves beyond all XRP"))
}

/// Between half and the whole of it, so that many daemons do not come back at the same moment.
fn jittered(wait: Duration, rng: &mut StdRng) -> Duration {
    let half = wait / 2;
    let most = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
    half.saturating_add(Duration::from_millis(rng.random_range(0..=most)))
}
