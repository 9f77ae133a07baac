//! Follows the network: from the cursor to what enough endpoints agree on, one proven ledger after
//! another.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use treasury_core::Input;
use treasury_core::observe::{Change, LedgerObservation, LedgerPoint, NetworkFees};
use treasury_core::units::{AccountId, EscrowKey, LedgerIndex};

use super::Start;
use super::board::Missing;
use super::chain::Chain;
use super::error::Trouble;
use super::fetch;
use super::observe::Watch;
use super::prove::Prover;
use super::reply::Announced;
use super::seat::{Backoff, Shared};
use super::server::Server;
use super::snapshot;
use crate::clock::Clock;
use crate::config::NetworkConfig;

/// Why the present work was broken off.
pub(super) enum Over {
    /// An endpoint failed.
    Trouble(usize, Trouble),
    /// The engine has ended: nobody takes inputs any more.
    Ended,
}

impl Over {
    /// This endpoint's trouble.
    pub(super) fn of(number: usize) -> impl FnOnce(Trouble) -> Self {
        move |trouble| Self::Trouble(number, trouble)
    }
}

/// The engine has ended.
pub(super) struct Ended;

impl From<Ended> for Over {
    fn from(_: Ended) -> Self {
        Self::Ended
    }
}

/// What the follower is given, beside where to start.
pub(super) struct Ground {
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    pub(super) jitter_seed: u64,
    pub(super) network: Arc<NetworkConfig>,
    pub(super) inputs: mpsc::Sender<Input>,
    pub(super) asked: mpsc::Receiver<Vec<AccountId>>,
}

pub(super) struct Follower {
    pub(super) shared: Arc<Shared>,
    pub(super) network: Arc<NetworkConfig>,
    clock: Clock,
    inputs: mpsc::Sender<Input>,
    asked: mpsc::Receiver<Vec<AccountId>>,
    pub(super) watch: Arc<Watch>,
    pub(super) prover: Prover,
    escrows: BTreeSet<EscrowKey>,
    pub(super) cursor: Option<LedgerPoint>,
    /// What has been agreed on and not been taken yet.
    pub(super) chain: Chain,
    /// Fees and reserves as the last agreed ledger's endpoints announced them.
    pub(super) fees: Option<NetworkFees>,
    /// Accounts that somebody asked to read, and that have not been read yet.
    wanted: BTreeSet<AccountId>,
    /// Everything has to be read anew: after the start, whenever sight was lost, and from time to time.
    read_all: bool,
    /// Ledgers taken since everything was read.
    unread: u32,
    /// What was said last about lost sight; the same is not said twice.
    lost: Option<String>,
    /// Endpoints contradict each other, and it has been said.
    disputed: bool,
    /// The first ledger that nobody has, as it was said last.
    missing: Option<u32>,
    /// When a ledger was taken last, or endpoints came back after all were gone.
    fresh: Instant,
    dark: bool,
    /// Waits between questions about what nobody has.
    backoff: Backoff,
    retry: Option<Instant>,
}

impl Follower {
    pub(super) fn new(ground: Ground, start: Start) -> Self {
        let watch = Arc::new(Watch::new(start.watched, start.treasury));
        if let Some(cursor) = start.cursor {
            ground.shared.board(|board| board.take(cursor.index.0, cursor.hash));
        }
        Self {
            shared: ground.shared,
            network: ground.network,
            clock: ground.clock,
            inputs: ground.inputs,
            asked: ground.asked,
            watch,
            prover: Prover::default(),
            escrows: start.escrows,
            cursor: start.cursor,
            chain: Chain::default(),
            fees: None,
            wanted: BTreeSet::new(),
            read_all: true,
            unread: 0,
            lost: None,
            disputed: false,
            missing: None,
            fresh: Instant::now(),
            dark: true,
            backoff: Backoff::new(ground.jitter_seed),
            retry: None,
        }
    }

    /// Follows until nobody listens any more.
    pub(super) async fn run(mut self) {
        // It ends only when nobody takes inputs.
        let _ = self.follow().await;
    }

    async fn follow(&mut self) -> Result<(), Ended> {
        if self.network.endpoints.is_empty() {
            return self.lose_sight("no ledger server is configured".to_owned()).await;
        }
        loop {
            match self.work().await {
                Ok(()) => {}
                Err(Over::Ended) => return Ok(()),
                Err(Over::Trouble(number, trouble)) => {
                    self.trouble(number, &trouble).await?;
                    continue;
                }
            }
            let silence = self.fresh + self.network.silence_max;
            let silent = Instant::now() >= silence;
            if silent {
                self.say_silence().await?;
            }
            let wake = match (self.retry, silent) {
                (Some(retry), true) => Some(retry),
                (Some(retry), false) => Some(retry.min(silence)),
                (None, false) => Some(silence),
                (None, true) => None,
            };
            tokio::select! {
                biased;
                () = self.shared.changed.notified() => {}
                asked = self.asked.recv() => match asked {
                    Some(accounts) => self.want(accounts),
                    None => return Ok(()),
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            }
        }
    }

    /// Does what can be done now.
    async fn work(&mut self) -> Result<(), Over> {
        let retry = self.retry.take();
        loop {
            while let Ok(accounts) = self.asked.try_recv() {
                self.want(accounts);
            }
            if let Some(reason) = self.shared.board(|board| board.all_down()) {
                self.dark = true;
                return Ok(self.lose_sight(reason).await?);
            }
            if self.dark && self.shared.board(|board| board.any_live()) {
                (self.dark, self.fresh) = (false, Instant::now());
            }
            if let Some(dispute) = self.shared.board(|board| board.dispute()) {
                // It may have been agreed on by way of what is in dispute now.
                self.chain.clear();
                // Where two histories go on, each of their ledgers is in dispute: one reason is enough.
                if !self.disputed {
                    self.disputed = true;
                    self.lose_sight(dispute.text).await?;
                }
                if !fetch::recount(&self.shared, dispute.index).await {
                    return Ok(());
                }
                continue;
            }
            self.disputed = false;
            if self.chain.is_empty() {
                let from = self.cursor.map_or(0, |cursor| cursor.index.0);
                let Some(tip) = self.agree(from).await else { return Ok(()) };
                self.fees = tip.fees();
                match self.cursor {
                    None => {
                        if !self.begin(tip.index()).await? {
                            return Ok(());
                        }
                        continue;
                    }
                    // Still a dispute, where the hash is another.
                    Some(cursor) if cursor.index == tip.index() => return self.read_wanted(cursor).await,
                    Some(_) => self.chain = Chain::from_top(tip.index(), tip.ledger_hash),
                }
            }
            if let Some(missing) = self.missing_history() {
                return self.say_missing(missing, retry).await;
            }
            if !self.take_chain().await? {
                return Ok(());
            }
        }
    }

    /// What enough endpoints agree on, asking those whose word is missing.
    async fn agree(&mut self, from: u32) -> Option<Announced> {
        let agreed = |shared: &Shared| shared.board(|board| board.agreed(from));
        if let Some(tip) = agreed(&self.shared) {
            return Some(tip);
        }
        fetch::canvass(&self.shared, from).await;
        agreed(&self.shared)
    }

    /// Begins with the network's present ledger: nothing before it is known or asked for. `false` where
    /// nobody can be asked at the moment.
    async fn begin(&mut self, index: LedgerIndex) -> Result<bool, Over> {
        let Some((number, server)) = self.shared.board(|board| board.best(index.0)) else {
            return Ok(false);
        };
        let header = fetch::header(&server, index).await.map_err(Over::of(number))?;
        self.shared.board(|board| board.hear(number, index.0, header.hash()));
        let point = LedgerPoint { index, hash: header.hash(), close_time: header.close_time };
        // Where somebody has said otherwise, that comes first.
        if self.shared.board(|board| board.dispute()).is_some()
            || !self.read_everything(number, &server, point).await?
        {
            return Ok(true);
        }
        self.shared.board(|board| board.take(index.0, point.hash));
        (self.cursor, self.fresh) = (Some(point), Instant::now());
        Ok(true)
    }

    /// Hands a ledger on, and makes it the cursor.
    pub(super) async fn take(&mut self, observation: LedgerObservation) -> Result<(), Ended> {
        for change in &observation.changes {
            match change {
                Change::EscrowCreated { escrow } => self.escrows.insert(escrow.key),
                Change::EscrowDeleted { key, .. } => self.escrows.remove(key),
                _ => false,
            };
        }
        let point = observation.point;
        self.send(Input::Ledger { observation, wall_ms: self.clock.now_ms() }).await?;
        self.chain.pop();
        self.shared.board(|board| board.take(point.index.0, point.hash));
        (self.cursor, self.fresh, self.missing) = (Some(point), Instant::now(), None);
        self.backoff.reset();
        self.unread = self.unread.saturating_add(1);
        if self.unread >= self.network.reread_ledgers {
            self.read_all = true;
        }
        Ok(())
    }

    /// Reads what has been asked for, at the cursor.
    async fn read_wanted(&mut self, cursor: LedgerPoint) -> Result<(), Over> {
        let silent = self.fresh.elapsed() >= self.network.silence_max;
        if silent || (!self.read_all && self.wanted.is_empty()) {
            return Ok(());
        }
        let best = self.shared.board(|board| board.best(cursor.index.0));
        // Nobody has the cursor's state any more: with the next ledger there is another.
        let Some((number, server)) = best else { return Ok(()) };
        if self.read_all {
            self.read_everything(number, &server, cursor).await?;
        } else {
            self.read(number, &server, cursor, self.wanted.clone()).await?;
        }
        Ok(())
    }

    /// Reads every watched account. `false` where that is worth nothing by now.
    async fn read_everything(
        &mut self,
        number: usize,
        server: &Server,
        at: LedgerPoint,
    ) -> Result<bool, Over> {
        let read = self.read(number, server, at, self.watch.watched.clone()).await?;
        if read {
            (self.read_all, self.unread) = (false, 0);
            self.lost = None;
        }
        Ok(read)
    }

    /// Reads these accounts. `false` where endpoints have come to contradict each other meanwhile: then
    /// nothing is said that would let the daemon act.
    async fn read(
        &mut self,
        number: usize,
        server: &Server,
        at: LedgerPoint,
        accounts: BTreeSet<AccountId>,
    ) -> Result<bool, Over> {
        let read = snapshot::read(server, &at, &accounts, &self.escrows).await.map_err(Over::of(number))?;
        let disputed = self.shared.board(|board| {
            board.credit(number);
            board.dispute().is_some()
        });
        if disputed {
            // To look at it again.
            self.shared.changed.notify_one();
            return Ok(false);
        }
        self.escrows.extend(read.iter().flat_map(|account| &account.escrows).map(|escrow| escrow.key));
        let from = self.shared.board(|board| board.endpoint(number).to_owned());
        self.send(Input::Reconciled { at, accounts: read, from, wall_ms: self.clock.now_ms() }).await?;
        self.wanted.retain(|account| !accounts.contains(account));
        Ok(true)
    }

    fn want(&mut self, accounts: Vec<AccountId>) {
        Arc::make_mut(&mut self.watch).add(accounts.iter().copied());
        self.wanted.extend(accounts);
    }

    /// An endpoint failed. Another takes its place, unless what it did was no outage: then nothing more is
    /// believed until everything has been read anew.
    async fn trouble(&mut self, number: usize, trouble: &Trouble) -> Result<(), Ended> {
        if let Trouble::Lacks(index) = trouble {
            self.shared.board(|board| board.lacks(number, index.0));
            return Ok(());
        }
        let endpoint = self.shared.board(|board| board.endpoint(number).to_owned());
        tracing::warn!(endpoint, %trouble, "the ledger server is left");
        self.shared.blame(number, trouble);
        if trouble.is_grave() {
            self.chain.clear();
            self.lose_sight(format!("{endpoint}: {trouble}")).await?;
        }
        Ok(())
    }

    fn missing_history(&self) -> Option<Missing> {
        let cursor = self.cursor?;
        let (top, _) = self.chain.highest()?;
        self.shared.board(|board| board.missing(cursor.index.0.saturating_add(1), top))
    }

    /// Says what nobody has, once for each place where it begins. After a while endpoints are asked again
    /// for what they lacked.
    async fn say_missing(&mut self, missing: Missing, retry: Option<Instant>) -> Result<(), Over> {
        let now = Instant::now();
        if retry.is_some_and(|retry| retry <= now) {
            self.shared.board(|board| board.forget_lacks());
            self.shared.changed.notify_one();
            return Ok(());
        }
        self.retry = Some(retry.unwrap_or_else(|| now + self.backoff.next()));
        let Missing { first, last, text } = missing;
        let said = self.missing.replace(first) == Some(first);
        if !said || self.lost.is_none() {
            self.lose_sight(text.clone()).await?;
        }
        if !said {
            let (first, last) = (LedgerIndex(first), LedgerIndex(last));
            self.send(Input::HistoryMissing { first, last, reason: text }).await?;
        }
        Ok(())
    }

    async fn say_silence(&mut self) -> Result<(), Ended> {
        // Something is wrong that has been said already.
        if self.missing.is_some() || self.shared.board(|board| board.dispute().is_some()) {
            return Ok(());
        }
        let seconds = self.network.silence_max.as_secs();
        let cursor = self.cursor.map_or(0, |cursor| cursor.index.0);
        let reason = self.shared.board(|board| board.all_down().or_else(|| board.too_few(cursor)));
        let reason = reason.unwrap_or_else(|| format!("no new validated ledger for {seconds} s"));
        self.lose_sight(reason).await
    }

    async fn lose_sight(&mut self, reason: String) -> Result<(), Ended> {
        self.read_all = true;
        if self.lost.as_ref() == Some(&reason) {
            return Ok(());
        }
        tracing::warn!(reason, "sight is lost");
        self.lost = Some(reason.clone());
        self.send(Input::SightLost { reason }).await
    }

    pub(super) async fn send(&self, input: Input) -> Result<(), Ended> {
        self.inputs.send(input).await.map_err(|_| Ended)
    }
}
