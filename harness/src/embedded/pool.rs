//! What has been submitted and is not yet in a closed ledger: held for its turn, or kept to be tried again.

use std::sync::Arc;

use xrpl_wire::{Hash256, SeqProxy, TxResult, index, sf};

use super::apply::ApplyFlags;
use super::build::PASSES;
use super::canonical::CanonicalSet;
use super::closed::ClosedLedger;
use super::escalation::QueueSetup;
use super::keys::Keys;
use super::ledger::SubmitOutcome;
use super::open::{OpenLedger, OpenTx};
use super::queue::Queue;
use super::recent::Recent;
use super::rules::Rules;
use super::state::StateMap;
use super::submitted::{Refusal, Submitted};

/// For how many ledgers a transaction submitted here is tried again.
const KEPT_LEDGERS: u32 = 5;

/// How many held transactions one success lets follow.
const MAX_POPPED: usize = 10;

/// Half of how many ids something is remembered of.
const MEMORY_HALF: usize = 500_000;

/// Half of how many bytes of transactions that are in no ledger are remembered. Their fields take several times as much.
const STRAYS_HALF_BYTES: usize = 8 << 20;

/// What such a transaction counts for beside its bytes.
const STRAY_BYTES: usize = 512;

/// What is remembered of a transaction's id.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Memory {
    /// Malformed once, malformed for ever: the server answers so without looking again.
    bad: bool,
    /// A signature was wrong.
    bad_signature: bool,
    /// Some other rule for incoming transactions was broken.
    bad_local: bool,
    /// Its signatures were verified.
    good: bool,
    /// Held once already without being new.
    pub(super) held: bool,
    /// Passed on to other servers.
    relayed: bool,
}

/// A transaction submitted here.
#[derive(Debug, Clone)]
pub(super) struct Local {
    pub(super) tx: Arc<Submitted>,
    /// The last ledger whose close it survives.
    pub(super) expires: u32,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    pub(super) held: CanonicalSet,
    pub(super) locals: Arc<Vec<Local>>,
    memory: Recent<Memory>,
    /// What was taken in and is in no ledger: a server remembers the transaction itself, for a while.
    strays: Recent<OpenTx>,
    keys: Keys,
    pub(super) queue: Queue,
}

/// A transaction of a batch, and what became of it.
struct Status {
    tx: Arc<Submitted>,
    local: bool,
    fail_hard: bool,
    result: TxResult,
    applied: bool,
    kept: bool,
    broadcast: bool,
}

impl Status {
    fn new(tx: Arc<Submitted>, local: bool, fail_hard: bool) -> Status {
        let result = TxResult::temUNCERTAIN;
        Status { tx, local, fail_hard, result, applied: false, kept: false, broadcast: false }
    }
}

impl Pool {
    pub(super) fn new(queue: QueueSetup) -> Pool {
        Pool {
            held: CanonicalSet::new(Hash256::ZERO),
            locals: Arc::default(),
            memory: Recent::new(MEMORY_HALF),
            strays: Recent::new(STRAYS_HALF_BYTES),
            keys: Keys::new(),
            queue: Queue::new(queue),
        }
    }

    /// Verifies the signatures of a transaction, unless that was done before.
    pub(super) fn verify(&mut self, tx: &Arc<Submitted>, rules: &Rules) -> Result<(), Refusal> {
        let memory = self.recall(&tx.id);
        if memory.bad_signature {
            return Err(Refusal::Signature("Transaction has bad signature.".to_owned()));
        }
        if memory.bad_local {
            return Err(Refusal::Local("Local checks failed.".to_owned()));
        }
        if memory.good {
            return Ok(());
        }
        let verified = tx.verify(&mut self.keys, rules);
        let memory = match &verified {
            Ok(()) => Memory { good: true, ..memory },
            Err(Refusal::Local(_)) => Memory { bad_local: true, ..memory },
            Err(_) => Memory { bad_signature: true, ..memory },
        };
        self.memory.insert(tx.id, memory, 1);
        verified
    }

    /// Applies a new transaction, and whatever was waiting for it.
    pub(super) fn submit(
        &mut self,
        open: &mut OpenLedger,
        tx: &Arc<Submitted>,
        fail_hard: bool,
        validated_ledger_index: u32,
    ) -> SubmitOutcome {
        let (status, mut following) = if self.recall(&tx.id).bad {
            let status = Status::new(Arc::clone(tx), true, fail_hard);
            (Status { result: TxResult::temBAD_SIGNATURE, ..status }, Vec::new())
        } else {
            let mut batch = vec![Status::new(Arc::clone(tx), true, fail_hard)];
            let following = self.apply_batch(open, &mut batch);
            (batch.swap_remove(0), following)
        };
        if !status.applied {
            let bytes = tx.tx.blob().len().saturating_add(STRAY_BYTES);
            self.strays.insert(tx.id, OpenTx::stray(Arc::clone(tx), status.result), bytes);
        }
        // The reply tells of the moment before those that follow are applied.
        let next = open.state().object(&tx.account_index).and_then(|root| root.u32(sf::Sequence));
        let outcome = SubmitOutcome {
            result: status.result,
            tx: Some(tx.tx.clone()),
            id: tx.id,
            refused: None,
            applied: status.applied,
            broadcast: status.broadcast,
            queued: status.result == TxResult::terQUEUED,
            kept: status.kept,
            account_sequence_next: next.unwrap_or(0),
            account_sequence_available: next.map_or(0, |next| self.queue.first_free(next, &tx.tx.account())),
            open_ledger_cost: self.queue.required_fee(open, tx),
            validated_ledger_index,
        };
        while !following.is_empty() {
            following = self.apply_batch(open, &mut following);
        }
        outcome
    }

    /// A transaction that was taken in and not applied then, with its result of then.
    pub(super) fn stray(&self, id: &Hash256) -> Option<&OpenTx> {
        self.strays.get(id)
    }

    /// Tries what is held once more, just before the ledger closes.
    pub(super) fn apply_held(&mut self, open: &mut OpenLedger) {
        let held = std::mem::replace(&mut self.held, CanonicalSet::new(open.parent_hash()));
        let mut batch: Vec<Status> = held
            .iter()
            .filter(|tx| !self.recall(&tx.id).bad)
            .map(|tx| Status::new(Arc::clone(tx), false, false))
            .collect();
        while !batch.is_empty() {
            batch = self.apply_batch(open, &mut batch);
        }
    }

    /// The open ledger after a close: what was left over, what was in the old one and not applied, and what was
    /// submitted here lately.
    pub(super) fn reopen(
        &mut self,
        old: &OpenLedger,
        closed: &ClosedLedger,
        mut left_over: CanonicalSet,
        rules: Rules,
    ) -> OpenLedger {
        let mut open = OpenLedger::after(closed, rules);
        self.queue.learn(closed, &open);
        let mut in_closed: Vec<Hash256> = closed.transactions.iter().map(|tx| tx.id).collect();
        in_closed.sort_unstable();
        let is_closed = |id: &Hash256| in_closed.binary_search(id).is_ok();
        // What is in the ledger cannot be applied again, so it needs no trying.
        if self.locals.iter().any(|local| is_closed(&local.tx.id)) {
            Arc::make_mut(&mut self.locals).retain(|local| !is_closed(&local.tx.id));
        }
        if old.transactions().len() > 0 {
            let retry = ApplyFlags { retry: true, ..ApplyFlags::default() };
            for tx in old.transactions().filter(|tx| !is_closed(&tx.id())) {
                if outcome(open.apply(&tx.submitted, retry)) == Outcome::Retry {
                    left_over.insert(Arc::clone(&tx.submitted));
                }
            }
            run_passes(&mut left_over, |tx, retry| {
                outcome(open.apply(tx, ApplyFlags { retry, ..ApplyFlags::default() }))
            });
        }
        self.queue.drain(&mut open);
        let mut locals = CanonicalSet::new(Hash256::ZERO);
        for local in self.locals.iter() {
            locals.insert(Arc::clone(&local.tx));
        }
        for tx in locals.iter() {
            self.queue.apply(&mut open, tx, ApplyFlags::default());
        }
        self.sweep(closed);
        open
    }

    /// Applies a batch, then decides what to keep. Answers with the held transactions that may follow now.
    fn apply_batch(&mut self, open: &mut OpenLedger, batch: &mut [Status]) -> Vec<Status> {
        for status in batch.iter_mut() {
            let flags = ApplyFlags { fail_hard: status.fail_hard, ..ApplyFlags::default() };
            (status.result, status.applied) = self.queue.apply(open, &status.tx, flags);
        }
        let mut following: Vec<Status> = Vec::new();
        for status in batch.iter_mut() {
            let result = status.result;
            let mut memory = self.recall(&status.tx.id);
            let before = memory;
            if result.is_tem() {
                memory.bad = true;
            }
            if result.is_tes() {
                for popped in 0..=MAX_POPPED {
                    let Some(next) = self.held.pop_next(&status.tx) else { break };
                    // The server takes out one more than it goes on with, and has to do with that only when it
                    // tries again what was submitted here.
                    if popped < MAX_POPPED {
                        following.push(Status::new(next, false, false));
                    }
                }
            } else if result == TxResult::terQUEUED {
                // It could be pushed out of the queue, and is then to be put back.
                self.held.insert(Arc::clone(&status.tx));
                status.kept = true;
            } else if result != TxResult::tefPAST_SEQ
                && (result.is_ter() || result.is_tel() || result.is_tef())
                && !status.fail_hard
            {
                let soon = status
                    .tx
                    .tx
                    .last_ledger_sequence()
                    .is_some_and(|last| last.wrapping_sub(open.index()) <= KEPT_LEDGERS);
                let again = status.local || soon || !memory.held;
                if !status.local && !soon {
                    memory.held = true;
                }
                if again {
                    self.held.insert(Arc::clone(&status.tx));
                    status.kept = true;
                }
            }
            let enforced = status.fail_hard && !result.is_tes();
            if status.local && !enforced {
                self.keep(&status.tx, open.index());
                status.kept = true;
            }
            if (status.applied || result == TxResult::terQUEUED) && !enforced && !memory.relayed {
                memory.relayed = true;
                status.broadcast = true;
            }
            if !same(memory, before) {
                self.memory.insert(status.tx.id, memory, 1);
            }
        }
        following
    }

    fn keep(&mut self, tx: &Arc<Submitted>, open_index: u32) {
        let expires = open_index.saturating_add(KEPT_LEDGERS);
        let expires = match tx.tx.last_ledger_sequence() {
            Some(last) => expires.min(last.saturating_add(1)),
            None => expires,
        };
        Arc::make_mut(&mut self.locals).push(Local { tx: Arc::clone(tx), expires });
    }

    /// Forgets what is in the ledger, can no longer be, or has been tried long enough.
    fn sweep(&mut self, closed: &ClosedLedger) {
        if self.locals.is_empty() {
            return;
        }
        Arc::make_mut(&mut self.locals).retain(|local| {
            local.expires >= closed.header.index && may_still_apply(&closed.state, &local.tx)
        });
    }

    /// Remembers whether a transaction was held without being new.
    pub(super) fn remember_held(&mut self, id: &Hash256, held: bool) {
        self.memory.insert(*id, Memory { held, ..self.recall(id) }, 1);
    }

    pub(super) fn recall(&self, id: &Hash256) -> Memory {
        self.memory.get(id).copied().unwrap_or_default()
    }
}

fn same(one: Memory, other: Memory) -> bool {
    let flat = |m: Memory| [m.bad, m.bad_signature, m.bad_local, m.good, m.held, m.relayed];
    flat(one) == flat(other)
}

fn may_still_apply(state: &StateMap, tx: &Submitted) -> bool {
    let account = tx.tx.account();
    let Some(root) = state.object(&tx.account_index) else { return true };
    let next = root.u32(sf::Sequence).unwrap_or(0);
    match tx.tx.seq() {
        SeqProxy::Sequence(sequence) => next <= sequence,
        SeqProxy::Ticket(ticket) => next <= ticket || state.contains(&index::ticket(&account, ticket)),
    }
}

/// What a try means for the passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Applied,
    Failed,
    Retry,
}

/// Of a result, and whether it was applied.
pub(super) fn outcome((result, applied): (TxResult, bool)) -> Outcome {
    if applied || result == TxResult::terQUEUED {
        Outcome::Applied
    } else if result.is_tef() || result.is_tem() || result.is_tel() {
        Outcome::Failed
    } else {
        Outcome::Retry
    }
}

/// Tries the transactions of a set in order, again and again: first leaving to later what fails, at last not.
/// What could not be applied and may yet be stays in the set.
pub(super) fn run_passes(set: &mut CanonicalSet, mut apply: impl FnMut(&Arc<Submitted>, bool) -> Outcome) {
    let mut retry = true;
    for pass in 0..PASSES {
        let mut changes = 0u32;
        for key in set.keys() {
            let Some(tx) = set.get(&key) else { continue };
            match apply(tx, retry) {
                Outcome::Applied => changes += 1,
                Outcome::Failed => {}
                Outcome::Retry => continue,
            }
            set.remove(&key);
        }
        if changes == 0 && !retry {
            return;
        }
        // The second pass is the last in which failures may wait.
        if changes == 0 || pass >= 1 {
            retry = false;
        }
    }
}
