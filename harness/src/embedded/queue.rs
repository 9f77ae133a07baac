//! The queue: when the open ledger is full, the fee to get in rises, and what pays less waits here.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use xrpl_wire::{AccountId, Drops, Hash256, SeqProxy, TransactionType, TxResult, index, sf};

use super::apply::{ApplyFlags, base_fee, ordinary_fee, preclaim, preflight};
use super::closed::ClosedLedger;
use super::escalation::{BASE_LEVEL, FeeLevels, QueueMetrics, QueueSetup, count, mul_div};
use super::open::OpenLedger;
use super::queued::{is_blocker, next_after, potential_spend};
use super::state::{Entry, StateMap};
use super::submitted::Submitted;

/// How often a queued transaction is tried before it is dropped.
const RETRIES: u32 = 10;

/// A transaction that waits.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) tx: Arc<Submitted>,
    pub(super) fee_level: u64,
    pub(super) retries: u32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    transactions: BTreeMap<SeqProxy, Candidate>,
    pub(super) retry_penalty: bool,
    pub(super) drop_penalty: bool,
}

/// The dearest first; those that pay the same in an order that changes with every ledger.
type FeeKey = (Reverse<u64>, Hash256);

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    setup: QueueSetup,
    pub(super) accounts: BTreeMap<AccountId, Waiting>,
    by_fee: BTreeMap<FeeKey, (AccountId, SeqProxy)>,
    pub(super) salt: Hash256,
    pub(super) levels: FeeLevels,
    pub(super) max_size: Option<u64>,
    /// How many times the least fee a transaction pays at least to get in at once, however empty the ledger is.
    load_factor: u32,
}

impl Queue {
    pub(super) fn new(setup: QueueSetup) -> Queue {
        Queue {
            setup,
            accounts: BTreeMap::new(),
            by_fee: BTreeMap::new(),
            salt: Hash256::ZERO,
            levels: FeeLevels::new(&setup),
            max_size: None,
            load_factor: 1,
        }
    }

    pub(super) fn metrics(&self, open: &OpenLedger) -> QueueMetrics {
        let full = self.is_full(100);
        let cheapest = self.by_fee.keys().next_back().map_or(0, |(Reverse(level), _)| *level);
        QueueMetrics {
            queue_size: count(self.by_fee.len()),
            queue_size_max: self.max_size,
            ledger_size: count(open.transactions().len()),
            ledger_size_expected: self.levels.expected,
            minimum_level: if full { cheapest.saturating_add(1) } else { BASE_LEVEL },
            median_level: self.levels.multiplier,
            open_ledger_level: self.required_level(open),
        }
    }

    pub(super) fn setup(&self) -> QueueSetup {
        self.setup
    }

    pub(super) fn load_factor(&self) -> u32 {
        self.load_factor
    }

    pub(super) fn set_load_factor(&mut self, factor: u32) {
        self.load_factor = factor.max(1);
    }

    /// What waits, the dearest first.
    pub(super) fn by_fee(&self) -> impl Iterator<Item = &Candidate> {
        self.by_fee.values().filter_map(|(account, seq)| self.accounts.get(account)?.transactions.get(seq))
    }

    /// What an account has waiting, in the order it will be applied.
    pub(super) fn of_account(&self, account: &AccountId) -> impl Iterator<Item = &Candidate> {
        self.accounts.get(account).into_iter().flat_map(|waiting| waiting.transactions.values())
    }

    /// The fee, in drops, that gets a transaction into the open ledger.
    pub(super) fn required_fee(&self, open: &OpenLedger, tx: &Submitted) -> u64 {
        mul_div(self.required_level(open), base_fee(open.state(), &open.info, tx), BASE_LEVEL)
    }

    /// The first Sequence of an account that nothing in the ledger or the queue uses.
    pub(super) fn next_sequence(&self, state: &StateMap, account: &AccountId) -> u32 {
        let Some(root) = state.object(&index::account_root(account)) else { return 0 };
        self.first_free(root.u32(sf::Sequence).unwrap_or(0), account)
    }

    /// The same for an account whose next Sequence in the ledger is known.
    pub(super) fn first_free(&self, next: u32, account: &AccountId) -> u32 {
        let Some(waiting) = self.accounts.get(account) else { return next };
        let mut free = SeqProxy::Sequence(next);
        if !waiting.transactions.contains_key(&free) {
            return next;
        }
        for (seq, candidate) in waiting.transactions.range(SeqProxy::Sequence(next)..) {
            if free < *seq {
                break;
            }
            free = next_after(&candidate.tx);
        }
        free.value()
    }

    /// Applies a transaction to the open ledger, or queues it, or refuses it.
    pub(super) fn apply(
        &mut self,
        open: &mut OpenLedger,
        tx: &Arc<Submitted>,
        flags: ApplyFlags,
    ) -> (TxResult, bool) {
        if let Err(result) = preflight(&open.info, tx) {
            return (result, false);
        }
        let account = tx.tx.account();
        let seq = tx.tx.seq();
        let Some(root) = open.state().object(&tx.account_index) else {
            return (TxResult::terNO_ACCOUNT, false);
        };
        let next = SeqProxy::Sequence(root.u32(sf::Sequence).unwrap_or(0));
        let paid = fee_level(open, tx);
        if (seq.is_ticket() || seq == next) && paid >= self.required_level(open) {
            let (result, applied) = open.apply(tx, flags);
            if applied {
                // It may have been waiting here, or another version of it.
                self.remove(&account, seq);
            }
            return (result, applied);
        }
        match self.admit(open, tx, flags, paid, next) {
            Ok(Some(result)) => (result, true),
            Ok(None) => (TxResult::terQUEUED, false),
            Err(result) => (result, false),
        }
    }

    /// What a transaction that is only tried would be answered, if it would not go straight into the open ledger.
    pub(super) fn would_answer(
        &self,
        open: &OpenLedger,
        tx: &Arc<Submitted>,
        flags: ApplyFlags,
    ) -> Option<TxResult> {
        if let Err(result) = preflight(&open.info, tx) {
            return Some(result);
        }
        let object = tx.tx.object();
        if object.has(sf::Signers) && object.blob(sf::SigningPubKey).is_some_and(|key| !key.is_empty()) {
            return Some(TxResult::temINVALID);
        }
        let Some(root) = open.state().object(&tx.account_index) else {
            return Some(TxResult::terNO_ACCOUNT);
        };
        let next = SeqProxy::Sequence(root.u32(sf::Sequence).unwrap_or(0));
        let in_turn = tx.tx.seq().is_ticket() || tx.tx.seq() == next;
        if in_turn && fee_level(open, tx) >= self.required_level(open) {
            return None;
        }
        // Later servers refuse to queue what is only tried, before they look at anything else.
        if open.info.rules.generation().queues_no_trial() {
            return Some(TxResult::telCAN_NOT_QUEUE);
        }
        Some(self.clone().apply(&mut open.clone(), tx, flags).0)
    }

    /// Takes a transaction into the queue, or applies it together with what waits before it.
    fn admit(
        &mut self,
        open: &mut OpenLedger,
        tx: &Arc<Submitted>,
        flags: ApplyFlags,
        paid: u64,
        next: SeqProxy,
    ) -> Result<Option<TxResult>, TxResult> {
        let account = tx.tx.account();
        let seq = tx.tx.seq();
        if let SeqProxy::Ticket(ticket) = seq
            && !open.state().contains(&index::ticket(&account, ticket))
        {
            let past = ticket < next.value();
            return Err(if past { TxResult::tefNO_TICKET } else { TxResult::terPRE_TICKET });
        }
        let waiting: Vec<(SeqProxy, Candidate)> = match self.accounts.get(&account) {
            Some(waiting) => waiting.transactions.range(next..).map(|(seq, it)| (*seq, it.clone())).collect(),
            None => Vec::new(),
        };
        let only = match waiting.as_slice() {
            [(seq, candidate)] => Some((*seq, candidate)),
            _ => None,
        };
        if is_blocker(tx) && (waiting.len() > 1 || only.is_some_and(|(other, _)| other != seq)) {
            return Err(TxResult::telCAN_NOT_QUEUE_BLOCKS);
        }
        let replaced =
            self.accounts.get(&account).and_then(|waiting| waiting.transactions.get(&seq)).cloned();
        if only.is_some_and(|(other, candidate)| other != seq && is_blocker(&candidate.tx)) {
            return Err(TxResult::telCAN_NOT_QUEUE_BLOCKED);
        }
        if let Some(replaced) = &replaced
            && !waiting.is_empty()
            && paid <= mul_div(replaced.fee_level, self.setup.retry_sequence_percent.saturating_add(100), 100)
        {
            return Err(TxResult::telCAN_NOT_QUEUE_FEE);
        }
        if !seq.is_ticket() && seq < next {
            return Err(TxResult::tefPAST_SEQ);
        }
        let mut trial = None;
        if waiting.is_empty() {
            if !seq.is_ticket() && seq > next {
                return Err(TxResult::terPRE_SEQ);
            }
        } else if waiting.len() > 1 || replaced.is_none() {
            self.can_be_held(open, tx, flags, replaced.is_some())?;
            self.check_place(open, tx, next, replaced.is_some())?;
            trial = Some(self.trial_state(open, tx, &waiting)?);
        }
        // A transaction that could not even pay its fee is not worth keeping. Those that wait before it are
        // taken to have been applied.
        let state = trial.as_ref().unwrap_or(open.state());
        if let Err(result) = preclaim(state, &open.info, tx, flags)
            && (!result.is_tec() || flags.retry)
        {
            return Err(result);
        }
        let required = self.required_level(open);
        let untried = waiting.first().is_some_and(|(_, candidate)| candidate.retries == RETRIES);
        if !seq.is_ticket()
            && trial.is_some()
            && untried
            && paid > required
            && required > BASE_LEVEL
            && let Some(result) = self.clear_up_to(open, tx, flags, paid, &waiting)
        {
            return Ok(Some(result));
        }
        if trial.is_none() {
            self.can_be_held(open, tx, flags, replaced.is_some())?;
        }
        if replaced.is_none() && self.is_full(100) {
            self.make_room(&account, paid)?;
        }
        self.remove(&account, seq);
        self.insert(Candidate { tx: Arc::clone(tx), fee_level: paid, retries: RETRIES });
        Ok(None)
    }

    /// Whether a transaction may wait at all.
    fn can_be_held(
        &self,
        open: &OpenLedger,
        tx: &Submitted,
        flags: ApplyFlags,
        replaces: bool,
    ) -> Result<(), TxResult> {
        let object = tx.tx.object();
        let least = open.index().saturating_add(self.setup.minimum_last_ledger_buffer);
        if object.has(sf::PreviousTxnID)
            || object.has(sf::AccountTxnID)
            || object.has(sf::Delegate)
            || tx.tx.tx_type() == TransactionType::Batch
            || flags.fail_hard
            || tx.tx.last_ledger_sequence().is_some_and(|last| last < least)
        {
            return Err(TxResult::telCAN_NOT_QUEUE);
        }
        let account = tx.tx.account();
        let Some(waiting) = self.accounts.get(&account) else { return Ok(()) };
        if replaces || waiting.transactions.len() < self.setup.maximum_txn_per_account {
            return Ok(());
        }
        // Over the limit only what fills a real gap in the Sequences is taken.
        let free = SeqProxy::Sequence(self.next_sequence(open.state(), &account));
        let after = (Bound::Excluded(free), Bound::Unbounded);
        let gap = waiting.transactions.range(after).next().is_some_and(|(seq, _)| !seq.is_ticket());
        if tx.tx.seq() == free && gap { Ok(()) } else { Err(TxResult::telCAN_NOT_QUEUE_FULL) }
    }

    /// Whether a Sequence follows what waits without a gap.
    fn check_place(
        &self,
        open: &OpenLedger,
        tx: &Submitted,
        next: SeqProxy,
        replaces: bool,
    ) -> Result<(), TxResult> {
        let account = tx.tx.account();
        let seq = tx.tx.seq();
        if seq.is_ticket() {
            return Ok(());
        }
        let first = self.accounts.get(&account).and_then(|waiting| waiting.transactions.keys().next());
        let at_the_front = first.is_none_or(|first| seq <= *first);
        if at_the_front {
            return if seq > next { Err(TxResult::terPRE_SEQ) } else { Ok(()) };
        }
        if !replaces && self.next_sequence(open.state(), &account) != seq.value() {
            return Err(TxResult::telCAN_NOT_QUEUE);
        }
        Ok(())
    }

    /// The state as it will be for the transaction at worst, once those that wait before it are applied.
    fn trial_state(
        &self,
        open: &OpenLedger,
        tx: &Submitted,
        waiting: &[(SeqProxy, Candidate)],
    ) -> Result<StateMap, TxResult> {
        let account = tx.tx.account();
        let seq = tx.tx.seq();
        let (mut spend, mut fees) = (0u64, 0u64);
        for (place, (other, candidate)) in waiting.iter().enumerate() {
            let counted = if *other != seq {
                &candidate.tx
            } else if place + 1 < waiting.len() {
                tx
            } else {
                continue;
            };
            fees = fees.saturating_add(counted.tx.fee().get());
            spend = spend.saturating_add(potential_spend(counted));
        }
        let root_index = tx.account_index;
        let mut root = open.state().object(&root_index).cloned().ok_or(TxResult::tefINTERNAL)?;
        let balance = root.drops(sf::Balance).map_or(0, Drops::get);
        let reserve = open.fees().reserve_base.get();
        let base = open.fees().base_fee.get();
        if fees >= balance || (reserve > base.saturating_mul(10) && fees >= reserve) {
            return Err(TxResult::telCAN_NOT_QUEUE_BALANCE);
        }
        let spent = fees.saturating_add(spend.min(balance.saturating_sub(reserve)));
        let left = Drops::new(balance.saturating_sub(spent)).map_err(|_| TxResult::tefINTERNAL)?;
        root.set(sf::Balance, left);
        let sequence = match seq {
            SeqProxy::Sequence(sequence) => sequence,
            SeqProxy::Ticket(_) => self.next_sequence(open.state(), &account),
        };
        root.set(sf::Sequence, sequence);
        let mut state = open.state().clone();
        state.insert(root_index, Entry::new(root));
        Ok(state)
    }

    /// Applies all that waits before a transaction and the transaction itself, if together they pay enough.
    fn clear_up_to(
        &mut self,
        open: &mut OpenLedger,
        tx: &Arc<Submitted>,
        flags: ApplyFlags,
        paid: u64,
        waiting: &[(SeqProxy, Candidate)],
    ) -> Option<TxResult> {
        let account = tx.tx.account();
        let before: Vec<&(SeqProxy, Candidate)> =
            waiting.iter().filter(|(seq, _)| *seq < tx.tx.seq()).collect();
        let series = count(before.len()).saturating_add(1);
        let required = self.levels.required_by_series(count(open.transactions().len()), series)?;
        let required = required.max(self.load_level().saturating_mul(series));
        let total = before.iter().fold(paid, |sum, (_, candidate)| sum.saturating_add(candidate.fee_level));
        if total < required {
            return None;
        }
        let mut sandbox = open.clone();
        let later = open.index().saturating_add(1);
        for (seq, candidate) in &before {
            let (result, applied) = sandbox.apply_at(later, &candidate.tx, ApplyFlags::default());
            if let Some(tried) = self.candidate_mut(&account, *seq) {
                tried.retries = tried.retries.saturating_sub(1);
            }
            if !applied && result != TxResult::tefNO_TICKET {
                return None;
            }
        }
        let (result, applied) = sandbox.apply_at(later, tx, flags);
        if !applied {
            return None;
        }
        for (seq, _) in &before {
            self.remove(&account, *seq);
        }
        self.remove(&account, tx.tx.seq());
        *open = sandbox;
        Some(result)
    }

    /// Drops the last transaction of the account that pays least, for one that pays more.
    fn make_room(&mut self, account: &AccountId, paid: u64) -> Result<(), TxResult> {
        let last = self.by_fee.iter().rev().find(|(_, (of, _))| of != account);
        let Some(((Reverse(level), _), (of, _))) = last else {
            return Err(TxResult::telCAN_NOT_QUEUE_FULL);
        };
        let (level, of) = (*level, *of);
        let Some(waiting) = self.accounts.get(&of) else { return Err(TxResult::telCAN_NOT_QUEUE_FULL) };
        let number = count(waiting.transactions.len()).max(1);
        let effective = if level > paid || number == 1 {
            level
        } else {
            let levels = waiting.transactions.values().map(|candidate| u128::from(candidate.fee_level));
            u64::try_from(levels.sum::<u128>() / u128::from(number)).unwrap_or(u64::MAX)
        };
        let Some(seq) = waiting.transactions.keys().next_back().copied() else { return Ok(()) };
        if paid <= effective {
            return Err(TxResult::telCAN_NOT_QUEUE_FULL);
        }
        self.remove(&of, seq);
        Ok(())
    }

    /// Learns from a closed ledger what the next will take and ask for, and drops what has expired.
    pub(super) fn learn(&mut self, closed: &ClosedLedger, open: &OpenLedger) {
        let paid = closed.transactions.iter().map(|tx| fee_level_in(&closed.state, open, tx.submitted()));
        self.levels.learn(paid.collect(), &self.setup);
        let most = self.levels.expected.saturating_mul(self.setup.ledgers_in_queue);
        self.max_size = Some(most.max(self.setup.queue_size_min));

        let expired: Vec<(AccountId, SeqProxy)> = self
            .accounts
            .iter()
            .flat_map(|(account, waiting)| {
                waiting.transactions.iter().map(move |(seq, it)| (account, seq, it))
            })
            .filter(|(_, _, it)| {
                it.tx.tx.last_ledger_sequence().is_some_and(|last| last <= closed.header.index)
            })
            .map(|(account, seq, _)| (*account, *seq))
            .collect();
        for (account, seq) in expired {
            if let Some(waiting) = self.accounts.get_mut(&account) {
                waiting.drop_penalty = true;
            }
            self.remove(&account, seq);
        }
        self.accounts.retain(|_, waiting| !waiting.transactions.is_empty());
    }

    /// Moves what pays enough from the queue to a new open ledger, the dearest first.
    pub(super) fn drain(&mut self, open: &mut OpenLedger) {
        let mut at = self.by_fee.keys().next().copied();
        while let Some(key) = at {
            let after = (Bound::Excluded(key), Bound::Unbounded);
            let following = self.by_fee.range(after).next().map(|(key, _)| *key);
            at = following;
            let Some((account, seq)) = self.by_fee.get(&key).copied() else { continue };
            let Some(waiting) = self.accounts.get(&account) else { continue };
            let Some(candidate) = waiting.transactions.get(&seq).cloned() else { continue };
            // Sequences are applied in their order.
            if !seq.is_ticket() && waiting.transactions.keys().next().is_some_and(|first| seq > *first) {
                continue;
            }
            if candidate.fee_level < self.required_level(open) {
                break;
            }
            let (result, applied) = open.apply(&candidate.tx, ApplyFlags::default());
            if applied || result.is_tef() || result.is_tem() || candidate.retries == 0 {
                let own_next = self.next_of_account(&account, seq);
                if let Some(waiting) = self.accounts.get_mut(&account)
                    && !applied
                {
                    let penalty = if candidate.retries == 0 {
                        &mut waiting.retry_penalty
                    } else {
                        &mut waiting.drop_penalty
                    };
                    *penalty = true;
                }
                self.remove(&account, seq);
                // The account's next may have been passed over before.
                at = match (own_next, following) {
                    (Some(own), Some(following)) => Some(own.min(following)),
                    (own, following) => own.or(following),
                };
                continue;
            }
            let nearly_full = self.is_full(95);
            let Some(waiting) = self.accounts.get_mut(&account) else { continue };
            let penalized = waiting.retry_penalty;
            let crowded = waiting.drop_penalty && waiting.transactions.len() > 1 && nearly_full;
            let last = waiting.transactions.keys().next_back().copied();
            if let Some(tried) = waiting.transactions.get_mut(&seq) {
                tried.retries =
                    if penalized && tried.retries > 2 { 1 } else { tried.retries.saturating_sub(1) };
            }
            if crowded {
                let dropped = if seq.is_ticket() { Some(seq) } else { last.filter(|last| *last != seq) };
                if let Some(dropped) = dropped {
                    self.remove(&account, dropped);
                }
                at = self.by_fee.range(after).next().map(|(key, _)| *key);
            }
        }
        self.resort(open.parent_hash());
    }

    /// Sorts anew, so that those who pay the same stand in another order for each ledger.
    fn resort(&mut self, salt: Hash256) {
        self.salt = salt;
        let keys: Vec<(FeeKey, (AccountId, SeqProxy))> = self
            .accounts
            .iter()
            .flat_map(|(account, waiting)| {
                waiting.transactions.iter().map(move |(seq, it)| (account, seq, it))
            })
            .map(|(account, seq, it)| (fee_key(it, &salt), (*account, *seq)))
            .collect();
        self.by_fee = keys.into_iter().collect();
    }

    /// The account's transaction after this one, in the order of fees.
    fn next_of_account(&self, account: &AccountId, seq: SeqProxy) -> Option<FeeKey> {
        let waiting = self.accounts.get(account)?;
        let after = (Bound::Excluded(seq), Bound::Unbounded);
        waiting.transactions.range(after).next().map(|(_, candidate)| fee_key(candidate, &self.salt))
    }

    fn candidate_mut(&mut self, account: &AccountId, seq: SeqProxy) -> Option<&mut Candidate> {
        self.accounts.get_mut(account)?.transactions.get_mut(&seq)
    }

    pub(super) fn insert(&mut self, candidate: Candidate) {
        let place = (candidate.tx.tx.account(), candidate.tx.tx.seq());
        self.by_fee.insert(fee_key(&candidate, &self.salt), place);
        let (account, seq) = place;
        self.accounts.entry(account).or_default().transactions.insert(seq, candidate);
    }

    /// Removes a transaction. The account's penalties stay until a ledger closes without it in the queue.
    fn remove(&mut self, account: &AccountId, seq: SeqProxy) {
        let Some(waiting) = self.accounts.get_mut(account) else { return };
        if let Some(candidate) = waiting.transactions.remove(&seq) {
            self.by_fee.remove(&fee_key(&candidate, &self.salt));
        }
    }

    fn is_full(&self, percent: u64) -> bool {
        self.max_size.is_some_and(|most| count(self.by_fee.len()) >= most.saturating_mul(percent) / 100)
    }

    /// The fee level that the load asks for, whatever the ledger's size.
    fn load_level(&self) -> u64 {
        BASE_LEVEL.saturating_mul(u64::from(self.load_factor))
    }

    /// The fee level that gets a transaction into the open ledger now.
    fn required_level(&self, open: &OpenLedger) -> u64 {
        self.levels.required(count(open.transactions().len())).max(self.load_level())
    }
}

/// The fee level a transaction pays: its fee, in 256ths of its least fee.
fn fee_level(open: &OpenLedger, tx: &Submitted) -> u64 {
    fee_level_in(open.state(), open, tx)
}

fn fee_level_in(state: &StateMap, open: &OpenLedger, tx: &Submitted) -> u64 {
    let least = base_fee(state, &open.info, tx);
    // What is free counts as if the ordinary fee were both asked and paid on top.
    let free = if least > 0 { 0 } else { ordinary_fee(&open.info, tx).max(1) };
    let (least, paid) = (least.saturating_add(free), tx.tx.fee().get().saturating_add(free));
    mul_div(paid, BASE_LEVEL, least)
}

fn fee_key(candidate: &Candidate, salt: &Hash256) -> FeeKey {
    let mut bytes = candidate.tx.id.0;
    for (byte, salt) in bytes.iter_mut().zip(salt.0) {
        *byte ^= salt;
    }
    (Reverse(candidate.fee_level), Hash256(bytes))
}
