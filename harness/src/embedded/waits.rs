//! What waits for a ledger, as a saved ledger has it: what is in the queue, what is held for its turn, and what was
//! submitted here and is tried again for some ledgers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xrpl_wire::{AccountId, Hash256};

use super::canonical::CanonicalSet;
use super::escalation::FeeLevels;
use super::pool::{Local, Pool};
use super::queue::Candidate;
use super::submitted::Submitted;

/// All of it, in a form that can be written. Transactions are their bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Waits {
    /// With the fee level that it was taken in for and how often it will be tried yet, the dearest first.
    queued: Vec<(String, u64, u32)>,
    /// Whose transactions have failed in the queue, or were dropped from it.
    penalized: Vec<(String, bool, bool)>,
    queue_salt: String,
    levels: FeeLevels,
    queue_size_max: Option<u64>,
    /// With whether it was held before, without being new.
    held: Vec<(String, bool)>,
    held_salt: String,
    /// With the last ledger whose close it survives.
    kept: Vec<(String, u32)>,
}

fn text(tx: &Submitted) -> String {
    hex::encode_upper(tx.tx.blob())
}

fn salt(text: &str) -> Result<Hash256, String> {
    text.parse().map_err(|_| format!("{text} is not a hash"))
}

impl Pool {
    /// All transactions that wait here, some of them more than once.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Arc<Submitted>> {
        let kept = self.locals.iter().map(|local| &local.tx);
        self.queue.by_fee().map(|one| &one.tx).chain(self.held.iter()).chain(kept)
    }

    /// What waits here.
    pub(super) fn waits(&self) -> Waits {
        let queue = &self.queue;
        let penalized = queue.accounts.iter().filter(|(_, of)| of.retry_penalty || of.drop_penalty);
        Waits {
            queued: queue.by_fee().map(|one| (text(&one.tx), one.fee_level, one.retries)).collect(),
            penalized: penalized
                .map(|(account, of)| (account.to_string(), of.retry_penalty, of.drop_penalty))
                .collect(),
            queue_salt: queue.salt.to_string(),
            levels: queue.levels.clone(),
            queue_size_max: queue.max_size,
            held: self.held.iter().map(|tx| (text(tx), self.recall(&tx.id).held)).collect(),
            held_salt: self.held.salt().to_string(),
            kept: self.locals.iter().map(|local| (text(&local.tx), local.expires)).collect(),
        }
    }

    /// Takes up what waited in another, which this one then is like. `read` makes transactions of their bytes.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(super) fn wait_again(
        &mut self,
        waits: &Waits,
        read: impl Fn(&str) -> Result<Arc<Submitted>, String>,
    ) -> Result<(), String> {
        self.queue.salt = salt(&waits.queue_salt)?;
        self.queue.levels = waits.levels.clone();
        self.queue.max_size = waits.queue_size_max;
        for (tx, fee_level, retries) in &waits.queued {
            self.queue.insert(Candidate { tx: read(tx)?, fee_level: *fee_level, retries: *retries });
        }
        for (account, retry_penalty, drop_penalty) in &waits.penalized {
            let account: AccountId = account.parse().map_err(|_| format!("{account} is not an account"))?;
            let of = self.queue.accounts.entry(account).or_default();
            (of.retry_penalty, of.drop_penalty) = (*retry_penalty, *drop_penalty);
        }
        self.held = CanonicalSet::new(salt(&waits.held_salt)?);
        for (tx, before) in &waits.held {
            let tx = read(tx)?;
            self.remember_held(&tx.id, *before);
            self.held.insert(tx);
        }
        let mut kept = Vec::new();
        for (tx, expires) in &waits.kept {
            kept.push(Local { tx: read(tx)?, expires: *expires });
        }
        self.locals = Arc::new(kept);
        Ok(())
    }
}
