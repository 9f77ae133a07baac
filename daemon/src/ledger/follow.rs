//! Follows the network: from the cursor to what enough endpoints agree on, one proven ledger after
//! another.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use treasury_core::Input;
use treasury_core::observe::{Change, LedgerObservation, LedgerPoint, NetworkFees};
use treasury_core::units::{AccountId, EscrowKey, Hash256, LedgerIndex};

use super::Start;
use super::backoff::Backoff;
use super::bench::News;
use super::board::{Board, Missing, Reason};
use super::chain::Chain;
use super::dispute::Dispute;
use super::error::Trouble;
use super::fetch;
use super::observe::Watch;
use super::prove::Prover;
use super::readings::Readings;
use super::reply::Announced;
use super::seat::Shared;
use crate::clock::Clock;
use crate::config::NetworkConfig;
use crate::lines;

/// Something that was announced, or that a server had a moment ago, may not be where it is asked for: a moment's lag
/// of a cluster. After this, in which some three ledgers close, it is said to be missing.
const LAG_MAX: Duration = Duration::from_secs(12);

/// The longest wait before a ledger is asked for again that may come at any moment.
pub(super) const LAG_RETRY: Duration = Duration::from_secs(2);

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
    pub(super) clock: Clock,
    inputs: mpsc::Sender<Input>,
    asked: mpsc::Receiver<Vec<AccountId>>,
    pub(super) watch: Arc<Watch>,
    pub(super) prover: Prover,
    pub(super) escrows: BTreeSet<EscrowKey>,
    pub(super) cursor: Option<LedgerPoint>,
    /// What has been agreed on and not been taken yet.
    pub(super) chain: Chain,
    /// Fees and reserves as the last agreed ledger's endpoints announced them.
    pub(super) fees: Option<NetworkFees>,
    /// What has to be read, and who read what.
    pub(super) readings: Readings,
    /// What was said last about lost sight, without numbers that go on; the same is not said twice.
    pub(super) lost: Option<String>,
    /// Endpoints contradict each other, and it has been said.
    disputed: bool,
    /// The first ledger that nobody has, as it was said last.
    missing: Option<u32>,
    /// The first ledger that nobody gives, and since when.
    lacking: Option<(u32, Instant)>,
    /// The ledger that this program cannot read, and when it is looked at again.
    unreadable: Option<(u32, Instant)>,
    /// When a ledger was taken last, or endpoints came back after all were gone.
    pub(super) fresh: Instant,
    dark: bool,
    /// Waits between questions about what nobody has, or nobody can read.
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
            readings: Readings::new(start.known),
            lost: None,
            disputed: false,
            missing: None,
            lacking: None,
            unreadable: None,
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
            } else {
                self.say_far_behind().await?;
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
        if self.retry.is_some_and(|retry| retry <= Instant::now()) {
            self.retry = None;
            self.shared.board(|board| board.forget_lacks());
        }
        loop {
            while let Ok(accounts) = self.asked.try_recv() {
                self.want(accounts);
            }
            self.shared.board(Board::settle);
            self.tell_news();
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
                if !self.contend(dispute).await? {
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
                    Some(cursor) => self.chain.begin(tip.index(), tip.ledger_hash, cursor.index),
                }
            }
            if self.is_top_made_up() {
                self.chain.clear();
                continue;
            }
            if let Some(missing) = self.missing_history() {
                return self.say_missing(missing).await;
            }
            if !self.take_chain().await? {
                return Ok(());
            }
        }
    }

    /// Says who is left out, and who is back. What was agreed on may have been so with a voice that is gone.
    fn tell_news(&mut self) {
        for News { endpoint, why } in self.shared.board(Board::take_news) {
            match why {
                Some(why) => {
                    self.chain.clear();
                    tracing::warn!(
                        endpoint,
                        why,
                        "the ledger server is left out until it agrees with the others"
                    );
                }
                None => {
                    tracing::info!(endpoint, "the ledger server agrees with the others and is used again")
                }
            }
        }
    }

    /// Has a dispute settled by those who have not spoken yet, as far as there are any. Where nobody can settle it any
    /// more, or takes too long, sight is lost. Whether it is over.
    async fn contend(&mut self, dispute: Dispute) -> Result<bool, Ended> {
        let Dispute { index, text, open_until } = dispute;
        let now = Instant::now();
        if let Some(until) = open_until.filter(|until| !self.disputed && now < *until) {
            let settled = timeout_at(until, fetch::recount(&self.shared, index)).await.unwrap_or(false);
            if !settled {
                self.wait_for(until.saturating_duration_since(Instant::now()));
            }
            return Ok(settled);
        }
        // Where two histories go on, each of their ledgers is in dispute: one reason is enough.
        if !self.disputed {
            self.disputed = true;
            self.lose_sight(text).await?;
        }
        Ok(fetch::recount(&self.shared, index).await)
    }

    /// Whether the chain has nothing but a top that nobody gives, while another ledger is agreed on that somebody does.
    fn is_top_made_up(&self) -> bool {
        let (Some(cursor), Some((top, _)), 1) = (self.cursor, self.chain.highest(), self.chain.len()) else {
            return false;
        };
        self.shared.board(|board| {
            !board.may_give(top)
                && board.agreed(cursor.index.0.saturating_add(1)).is_some_and(|tip| tip.ledger_index < top)
        })
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
        if self.is_to_wait_with(index.0) {
            return Ok(false);
        }
        let Some((number, server)) = self.shared.board(|board| board.best(index.0)) else {
            self.try_again_within(LAG_RETRY);
            return Ok(false);
        };
        let header = fetch::header(&server, index).await.map_err(Over::of(number))?;
        self.shared.board(|board| board.hear(number, index.0, header.hash()));
        let point = LedgerPoint { index, hash: header.hash(), close_time: header.close_time };
        // Where somebody has said otherwise, that comes first.
        if self.shared.board(|board| board.must_look()) {
            return Ok(true);
        }
        if !self.read_everything(point).await? {
            return Ok(false);
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
        self.readings.doubt(observation.opaque.iter().flat_map(|opaque| &opaque.accounts));
        let point = observation.point;
        self.send(Input::Ledger { observation, wall_ms: self.clock.now_ms() }).await?;
        self.chain.pop();
        self.shared.board(|board| board.take(point.index.0, point.hash));
        (self.cursor, self.fresh) = (Some(point), Instant::now());
        (self.missing, self.lacking, self.unreadable, self.retry) = (None, None, None, None);
        self.backoff.reset();
        self.readings.took_ledger(self.network.reread_ledgers);
        Ok(())
    }

    fn want(&mut self, accounts: Vec<AccountId>) {
        Arc::make_mut(&mut self.watch).add(accounts.iter().copied());
        self.readings.want(accounts);
    }

    /// An endpoint failed. Another takes its place, unless what it did was no outage: then nothing more is
    /// believed until everything has been read anew.
    async fn trouble(&mut self, number: usize, trouble: &Trouble) -> Result<(), Ended> {
        let endpoint = self.shared.board(|board| board.endpoint(number).to_owned());
        match trouble {
            Trouble::Lacks(index) => {
                self.shared.board(|board| board.lacks(number, index.0));
                return Ok(());
            }
            Trouble::Busy(_) | Trouble::Late(_) => {
                tracing::warn!(endpoint, %trouble, "the ledger server is left alone for a while");
                let wait = self.backoff.next();
                self.shared.board(|board| board.rest(number, Instant::now() + wait));
                self.wait_for(wait);
                return Ok(());
            }
            // No server can help that. What was proven on the way to it stays.
            Trouble::Unreadable { index, hash, .. } if self.is_agreed(*index, *hash) => {
                let again = Instant::now() + self.backoff.next();
                (self.unreadable, self.retry) = (Some((index.0, again)), Some(again));
                return self.lose_sight(trouble.to_string()).await;
            }
            // Who announced it says otherwise when asked, or others do: they are looked at first, each of them.
            Trouble::Unproven { index, wanted, .. }
                if self.chain.highest() == Some((index.0, *wanted))
                    && self.shared.board(|board| board.must_look()) =>
            {
                self.chain.clear();
                return Ok(());
            }
            _ => {}
        }
        lines::endpoint_left(&endpoint, trouble);
        self.shared.blame(number, trouble);
        if trouble.is_grave() {
            self.chain.clear();
            self.lose_sight(format!("{endpoint}: {trouble}")).await?;
        }
        Ok(())
    }

    /// Whether it is the ledger that the chain leads to.
    fn is_agreed(&self, index: LedgerIndex, hash: Hash256) -> bool {
        self.chain.lowest() == Some((index.0, hash)) || (self.cursor.is_none() && self.chain.is_empty())
    }

    pub(super) fn is_unreadable(&self) -> bool {
        self.unreadable.is_some()
    }

    /// Whether it is not worth asking for that ledger now.
    pub(super) fn is_to_wait_with(&mut self, index: u32) -> bool {
        let Some((unreadable, until)) = self.unreadable else { return false };
        let wait = until.saturating_duration_since(Instant::now());
        // Without a cursor the newest is begun with, whichever that is.
        if wait.is_zero() || (unreadable != index && self.cursor.is_some()) {
            return false;
        }
        self.wait_for(wait);
        true
    }

    /// Something may be there in a moment: wakes up to ask again, soon and then ever more seldom.
    pub(super) fn try_again_within(&mut self, most: Duration) {
        if self.retry.is_none() {
            let wait = self.backoff.next().min(most);
            self.wait_for(wait);
        }
    }

    /// Wakes up after this at the latest.
    pub(super) fn wait_for(&mut self, wait: Duration) {
        let at = Instant::now() + wait;
        self.retry = Some(self.retry.map_or(at, |retry| retry.min(at)));
    }

    fn missing_history(&self) -> Option<Missing> {
        let cursor = self.cursor?;
        let (top, _) = self.chain.highest()?;
        // Nothing is missing below a ledger that is not known to be one.
        let unseen = self.chain.len() == 1 && top > cursor.index.0.saturating_add(1);
        if unseen && self.shared.board(|board| board.best(top)).is_some() {
            return None;
        }
        self.shared.board(|board| board.missing(cursor.index.0.saturating_add(1), top))
    }

    /// Ledgers that nobody gives are asked for again. Where nobody has anything newer either, that is all: it is no
    /// hole, and when it lasts, silence is what is said. A hole is said once for each place where it begins; at
    /// once where everybody says so, and where one may be a moment behind, after that moment.
    async fn say_missing(&mut self, missing: Missing) -> Result<(), Over> {
        let Missing { first, last, text, newest, may_come } = missing;
        let now = Instant::now();
        let since = match self.lacking {
            Some((lacking, since)) if lacking == first => since,
            _ => now,
        };
        self.lacking = Some((first, since));
        let is_lag = newest || (may_come && now < since + LAG_MAX);
        self.try_again_within(if is_lag { LAG_RETRY } else { Duration::MAX });
        if is_lag && self.missing != Some(first) {
            return Ok(());
        }
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
        let said = self.missing.is_some() || self.unreadable.is_some();
        if said || self.shared.board(|board| board.dispute().is_some()) {
            return Ok(());
        }
        let seconds = self.network.silence_max.as_secs();
        let cursor = self.cursor.map_or(0, |cursor| cursor.index.0);
        let reason = self.shared.board(|board| {
            let whole = board.all_down().or_else(|| board.withheld(cursor)).map(Reason::from);
            whole.or_else(|| board.behind(cursor)).or_else(|| board.too_few(cursor))
        });
        let silence = || Reason::from(format!("no new validated ledger for {seconds} s"));
        self.lose_sight_for(reason.unwrap_or_else(silence)).await
    }

    /// Where nothing is seen anyway, it is not waited with that every server is far behind.
    async fn say_far_behind(&mut self) -> Result<(), Ended> {
        let Some(cursor) = self.cursor.filter(|_| self.readings.is_all()) else { return Ok(()) };
        let cursor = cursor.index.0;
        let behind = |board: &mut Board| board.behind(cursor).filter(|_| board.is_far_behind(cursor));
        match self.shared.board(behind) {
            Some(reason) => self.lose_sight_for(reason).await,
            None => Ok(()),
        }
    }

    pub(super) async fn lose_sight(&mut self, reason: String) -> Result<(), Ended> {
        self.lose_sight_for(Reason::from(reason)).await
    }

    async fn lose_sight_for(&mut self, reason: Reason) -> Result<(), Ended> {
        let Reason { text: reason, key } = reason;
        self.readings.read_all();
        if self.lost.as_ref() == Some(&key) {
            return Ok(());
        }
        // The line of the log comes with the fact.
        tracing::debug!(reason, "sight is lost");
        self.lost = Some(key);
        self.send(Input::SightLost { reason }).await
    }

    pub(super) async fn send(&self, input: Input) -> Result<(), Ended> {
        self.inputs.send(input).await.map_err(|_| Ended)
    }
}
