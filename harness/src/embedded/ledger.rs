//! The ledger as a value.

use std::sync::Arc;

use xrpl_wire::{
    AccountId, Amount, CodecError, Drops, Hash256, LedgerEntryType, LedgerHeader, Object, RippleTime,
    Transaction, TxResult, Value, index, sf,
};

use super::amendment::Amendment;
use super::apply::{ApplyFlags, apply};
use super::build::{build, skip_list};
use super::canonical::CanonicalSet;
use super::closed::{ClosedLedger, ClosedTx};
use super::control::Control;
use super::escalation::{QueueMetrics, QueueSetup};
use super::generation::Generation;
use super::history::{History, TxPlace};
use super::open::{OpenLedger, OpenTx};
use super::pool::Pool;
use super::queue::Queue;
use super::queued::QueuedTx;
use super::rules::{self, Fees, Rules, ServerSetup};
use super::state::{Entry, StateMap};
use super::submitted::{Refusal, Submitted};

/// All XRP there will ever be, in drops.
pub(super) const ALL_DROPS: u64 = 100_000_000_000_000_000;

/// Close times are rounded to so many seconds. The server begins with them, and where all agree stays there.
const CLOSE_TIME_RESOLUTION_SECONDS: u8 = 10;

/// The account that holds all XRP of a fresh ledger: that of the passphrase `masterpassphrase`, whose secret
/// everybody knows.
pub const GENESIS_ACCOUNT: AccountId = AccountId([
    0xB5, 0xF7, 0x62, 0x79, 0x8A, 0x53, 0xD5, 0x43, 0xA0, 0x14, 0xCA, 0xF8, 0xB2, 0x97, 0xCF, 0xF8, 0xF2,
    0xF9, 0x37, 0xE8,
]);

/// The secret of [`GENESIS_ACCOUNT`], public knowledge.
pub const GENESIS_SEED: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";

/// How a fresh ledger begins.
#[derive(Debug, Clone)]
pub struct GenesisConfig {
    /// When ledger 2, the first that is closed, closes.
    pub close_time: RippleTime,
    /// Fees and reserves.
    pub fees: Fees,
    /// Who holds all XRP.
    pub account: AccountId,
    /// Whose rules it follows.
    pub server: ServerSetup,
    /// Amendments that the ledger lists beside those of its generation.
    pub amendments: Vec<Amendment>,
    /// Amendments of its generation that the ledger does not list.
    pub without: Vec<Amendment>,
}

impl GenesisConfig {
    /// A fresh ledger as a generation of the server begins it.
    #[must_use]
    pub fn of(generation: Generation) -> GenesisConfig {
        GenesisConfig {
            server: ServerSetup { generation, ..ServerSetup::default() },
            ..GenesisConfig::default()
        }
    }

    /// What the Amendments entry lists.
    fn listed(&self) -> Vec<Hash256> {
        let mut ids = self.server.generation.genesis_amendments();
        ids.extend(self.amendments.iter().map(|amendment| amendment.id()));
        let without: Vec<Hash256> = self.without.iter().map(|amendment| amendment.id()).collect();
        ids.retain(|id| !without.contains(id));
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

impl Default for GenesisConfig {
    /// As the server begins in standalone mode, on 2026-01-01.
    fn default() -> GenesisConfig {
        let drops = |drops| Drops::new(drops).unwrap_or(Drops::ZERO);
        GenesisConfig {
            close_time: RippleTime(820_540_800),
            fees: Fees { base_fee: drops(10), reserve_base: drops(1_000_000), reserve_inc: drops(200_000) },
            account: GENESIS_ACCOUNT,
            server: ServerSetup::default(),
            amendments: Vec::new(),
            without: Vec::new(),
        }
    }
}

/// When a ledger closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseTime {
    /// A second after the ledger before.
    Next,
    /// As the server closes at this moment: rounded to the resolution, but after the ledger before.
    Now(RippleTime),
    /// At this time exactly, but after the ledger before.
    At(RippleTime),
}

/// What the server says of a submitted transaction.
#[derive(Debug, Clone)]
pub struct SubmitOutcome {
    /// The provisional result.
    pub result: TxResult,
    /// The transaction, if the bytes are one.
    pub tx: Option<Transaction>,
    /// Its id; zero if the bytes are no transaction.
    pub id: Hash256,
    /// Set where the server answers with `invalidTransaction` instead of a result, to its `error_exception`.
    pub refused: Option<String>,
    /// Applied to the open ledger.
    pub applied: bool,
    /// Passed on to other servers, were there any.
    pub broadcast: bool,
    /// In the queue for a later ledger.
    pub queued: bool,
    /// Kept, to be tried again.
    pub kept: bool,
    /// The next Sequence of the account in the open ledger; 0 if it is not there.
    pub account_sequence_next: u32,
    /// The first Sequence that nothing in the ledger or the queue uses.
    pub account_sequence_available: u32,
    /// What it costs, in drops, to get this transaction into the open ledger.
    pub open_ledger_cost: u64,
    /// The index of the last validated ledger.
    pub validated_ledger_index: u32,
}

/// A transaction that was looked up.
#[derive(Debug, Clone)]
pub enum FoundTx {
    /// In a closed ledger.
    Closed(Arc<ClosedLedger>, Arc<ClosedTx>),
    /// In the open ledger.
    Open(OpenTx),
    /// In none: it was submitted, and not applied so far.
    Stray(OpenTx),
}

/// What a transaction would do.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// The result.
    pub result: TxResult,
    /// The metadata, where the result has some.
    pub meta: Option<Object>,
    /// The index of the ledger it was tried in.
    pub ledger_index: u32,
}

/// A whole standalone ledger: history, open ledger, transactions held for later.
///
/// `Clone` is the snapshot: it shares everything and costs next to nothing. Nothing in it reads a clock, does IO
/// or draws random numbers; the same calls give the same hashes.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(super) history: History,
    pub(super) open: OpenLedger,
    pub(super) rules: Rules,
    pub(super) pool: Pool,
    pub(super) control: Control,
}

impl Ledger {
    /// A fresh ledger: ledger 1 with all XRP in one account, and the empty ledger 2 after it.
    pub fn genesis(config: GenesisConfig) -> Ledger {
        let mut state = StateMap::new();
        let root = Object::new()
            .with(sf::LedgerEntryType, LedgerEntryType::AccountRoot.code())
            .with(sf::Flags, 0u32)
            .with(sf::Sequence, 1u32)
            .with(sf::PreviousTxnLgrSeq, 0u32)
            .with(sf::OwnerCount, 0u32)
            .with(sf::PreviousTxnID, Hash256::ZERO)
            .with(sf::Balance, Amount::Xrp(Drops::new(ALL_DROPS).unwrap_or(Drops::ZERO)))
            .with(sf::Account, config.account);
        state.insert(index::account_root(&config.account), Entry::new(root));
        state.insert(index::fee_settings(), Entry::new(rules::fee_settings_entry(&config.fees)));
        let ids = config.listed();
        if !ids.is_empty() {
            let amendments = Object::new()
                .with(sf::LedgerEntryType, LedgerEntryType::Amendments.code())
                .with(sf::Flags, 0u32)
                .with(sf::Amendments, Value::Vector256(ids));
            state.insert(index::amendments(), Entry::new(amendments));
        }
        let first = LedgerHeader {
            index: 1,
            total_drops: ALL_DROPS,
            parent_hash: Hash256::ZERO,
            transaction_hash: Hash256::ZERO,
            account_hash: state.root_hash(),
            parent_close_time: RippleTime(0),
            close_time: RippleTime(0),
            close_time_resolution: CLOSE_TIME_RESOLUTION_SECONDS,
            close_flags: 0,
        };
        skip_list(&mut state, 2, &first.hash());
        let header = LedgerHeader {
            index: 2,
            parent_hash: first.hash(),
            account_hash: state.root_hash(),
            close_time: config.close_time,
            ..first
        };
        Ledger::begin(header, state, &config.server)
    }

    /// A ledger that begins with a recorded one: its header and its whole state by index, and the server that goes
    /// on with it.
    ///
    /// # Errors
    /// An entry that is no ledger object.
    pub fn from_recorded(
        header: LedgerHeader,
        state: impl IntoIterator<Item = (Hash256, Vec<u8>)>,
        server: &ServerSetup,
    ) -> Result<Ledger, CodecError> {
        let mut map = StateMap::new();
        for (index, blob) in state {
            map.insert(index, Entry::decode(blob)?);
        }
        Ok(Ledger::begin(header, map, server))
    }

    fn begin(header: LedgerHeader, state: StateMap, server: &ServerSetup) -> Ledger {
        let rules = Rules::of(&state, server);
        let fees = Fees::read(&state);
        let first =
            Arc::new(ClosedLedger { header, hash: header.hash(), state, transactions: Vec::new(), fees });
        Ledger {
            open: OpenLedger::after(&first, rules),
            history: History::new(first),
            rules,
            pool: Pool::new(QueueSetup::default()),
            control: Control::default(),
        }
    }

    /// Takes a signed transaction, as the method `submit` does: reads it, verifies its signatures, applies it
    /// provisionally to the open ledger, or holds it until its turn comes.
    pub fn submit(&mut self, tx_blob: &[u8]) -> SubmitOutcome {
        self.submit_as(tx_blob, false)
    }

    /// As [`Ledger::submit`]. With `fail_hard` a transaction that would not succeed at once is neither applied
    /// nor kept.
    pub fn submit_as(&mut self, tx_blob: &[u8], fail_hard: bool) -> SubmitOutcome {
        let mut submitted = match Submitted::read(tx_blob, self.rules.generation()) {
            Ok(submitted) => submitted,
            Err(refusal) => return self.refused(None, refusal),
        };
        submitted.impersonated = self.control.impersonates(&submitted.tx.account());
        let submitted = Arc::new(submitted);
        if !submitted.impersonated
            && let Err(refusal) = self.pool.verify(&submitted, &self.rules)
        {
            return self.refused(Some(&submitted), refusal);
        }
        self.pool.submit(&mut self.open, &submitted, fail_hard, self.history.last().header.index)
    }

    fn refused(&self, submitted: Option<&Submitted>, refusal: Refusal) -> SubmitOutcome {
        SubmitOutcome {
            result: TxResult::temINVALID,
            tx: submitted.map(|submitted| submitted.tx.clone()),
            id: submitted.map_or(Hash256::ZERO, |submitted| submitted.id),
            refused: Some(refusal.exception()),
            applied: false,
            broadcast: false,
            queued: false,
            kept: false,
            account_sequence_next: 0,
            account_sequence_available: 0,
            open_ledger_cost: 0,
            validated_ledger_index: self.history.last().header.index,
        }
    }

    /// Closes the open ledger: builds it anew from its transactions in canonical order, on the ledger before.
    pub fn close(&mut self, at: CloseTime) -> Arc<ClosedLedger> {
        let parent = Arc::clone(self.history.last());
        self.pool.apply_held(&mut self.open);
        let ids = self.open.transactions().map(OpenTx::id);
        let mut set = CanonicalSet::new(xrpl_wire::tree::transaction_set_root(ids));
        for tx in self.open.transactions() {
            set.insert(Arc::clone(&tx.submitted));
        }
        let close_time = close_time(&parent.header, at);
        let closed = Arc::new(build(&parent, &mut set, close_time, self.rules, &mut self.control));
        self.history.push(Arc::clone(&closed));
        self.open = self.pool.reopen(&self.open, &closed, set, self.rules);
        closed
    }

    /// By which rules transactions are judged.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The last closed ledger, which is validated.
    pub fn validated(&self) -> &Arc<ClosedLedger> {
        self.history.last()
    }

    /// The index of the first ledger there is.
    pub fn first_index(&self) -> u32 {
        self.history.first_index()
    }

    /// A closed ledger by its index.
    pub fn closed(&self, index: u32) -> Option<&Arc<ClosedLedger>> {
        self.history.by_index(index)
    }

    /// A closed ledger by its hash.
    pub fn closed_by_hash(&self, hash: &Hash256) -> Option<&Arc<ClosedLedger>> {
        self.history.by_hash(hash)
    }

    /// The open ledger.
    pub fn open(&self) -> &OpenLedger {
        &self.open
    }

    /// A transaction by its id: in a closed ledger, in the open one, or in none though it was submitted.
    pub fn transaction(&self, id: &Hash256) -> Option<FoundTx> {
        if let Some((ledger, tx)) = self.history.transaction(id) {
            return Some(FoundTx::Closed(Arc::clone(ledger), Arc::clone(tx)));
        }
        if let Some(tx) = self.open.transaction(id) {
            return Some(FoundTx::Open(tx.clone()));
        }
        self.pool.stray(id).cloned().map(FoundTx::Stray)
    }

    /// Where the transactions are that concern an account, oldest first: ledger index and position in it.
    pub fn account_transactions(&self, account: &AccountId) -> &[TxPlace] {
        self.history.of_account(account)
    }

    /// The ledger and the transaction at a place.
    pub fn at(&self, place: TxPlace) -> Option<(&Arc<ClosedLedger>, &Arc<ClosedTx>)> {
        self.history.at(place)
    }

    /// What a transaction would do to the open ledger now. Signatures may be missing, and are not looked at.
    pub fn simulate(&self, tx: &Transaction) -> Simulated {
        let submitted = Arc::new(Submitted::trusted(tx.clone()));
        let flags = ApplyFlags { dry_run: true, ..ApplyFlags::default() };
        let ledger_index = self.open.index();
        if let Some(result) = self.pool.queue.would_answer(&self.open, &submitted, flags) {
            return Simulated { result, meta: None, ledger_index };
        }
        let mut state = self.open.state().clone();
        let position = u32::try_from(self.open.transactions().len()).unwrap_or(u32::MAX);
        let applied = apply(&mut state, &self.open.info, &submitted, flags, position);
        Simulated { result: applied.result, meta: applied.meta, ledger_index }
    }

    /// The fee, in drops, that gets a transaction into the open ledger now. It is the least fee until the open
    /// ledger is full.
    pub fn required_fee(&self, tx: &Transaction) -> u64 {
        self.pool.queue.required_fee(&self.open, &Submitted::trusted(tx.clone()))
    }

    /// How full the open ledger and the queue are, and what they ask for.
    pub fn queue_metrics(&self) -> QueueMetrics {
        self.pool.queue.metrics(&self.open)
    }

    /// What an account has waiting in the queue, in the order it will be applied.
    pub fn queued(&self, account: &AccountId) -> Vec<QueuedTx> {
        self.pool.queue.of_account(account).map(QueuedTx::of).collect()
    }

    /// Sets the queue up anew, and forgets what waits in it.
    pub fn set_queue(&mut self, setup: QueueSetup) {
        self.pool.queue = Queue::new(setup);
    }
}

/// The time a ledger closes at: always after its parent.
fn close_time(parent: &LedgerHeader, at: CloseTime) -> RippleTime {
    let least = RippleTime(parent.close_time.0.saturating_add(1));
    match at {
        CloseTime::Next => least,
        CloseTime::At(time) => time.max(least),
        CloseTime::Now(now) => {
            let resolution = u32::from(parent.close_time_resolution).max(1);
            let halfway = now.0.saturating_add(resolution / 2);
            RippleTime(halfway - halfway % resolution).max(least)
        }
    }
}
