//! What daemons may send, and when.

use treasury_core::units::EscrowKey;
use xrpl_wire::{Transaction, TransactionType, TxBody};

use super::{Checker, Rule};
use crate::simulation::cast::SILENCE_MAX_SECONDS;

/// What a daemon can have heard of the ledger when it sends something.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// Milliseconds of wall time since its port last handed it a ledger that was new to it.
    pub silence_ms: u64,
    /// Whether it has read every treasury account since its process started.
    pub read_all: bool,
}

/// How much longer than its patience a daemon may take to notice silence: it is told the time once in a while.
const NOTICE_MS: u64 = 3_000;

impl Checker {
    /// A daemon sends a transaction: its effect has been released.
    pub fn released(&mut self, daemon: usize, tx: &Transaction, heard: Heard) {
        let name = format!("{} {}", tx.tx_type().name(), tx.id());
        self.sent.insert(tx.id(), daemon);
        if heard.silence_ms > u64::from(SILENCE_MAX_SECONDS) * 1_000 + NOTICE_MS {
            let what = format!("daemon {daemon} sent {name} after {} ms of silence", heard.silence_ms);
            self.broken(Rule::BlindNotSent, what);
        }
        if !heard.read_all {
            let what = format!("daemon {daemon} sent {name} before it had read the accounts");
            self.broken(Rule::BlindNotSent, what);
        }
        let everything = self.frozen.contains(&(daemon, None));
        let frozen = |account| everything || self.frozen.contains(&(daemon, Some(account)));
        let account = tx.account();
        if tx.tx_type() != TransactionType::EscrowFinish {
            if frozen(account) {
                self.broken(Rule::FrozenNotSent, format!("daemon {daemon} sent {name} of a frozen account"));
            }
            return;
        }
        let Ok(TxBody::EscrowFinish(finish)) = TxBody::parse_lossy(tx) else { return };
        let key = EscrowKey { owner: finish.owner, sequence: finish.offer_sequence };
        if !self.revealed.contains(&key) && (frozen(account) || frozen(key.owner)) {
            self.broken(Rule::FrozenNotSent, format!("daemon {daemon} revealed {key} under a freeze"));
        }
        self.revealed.insert(key);
        let Some(intent) = self.escrows.get(&key).and_then(|tag| self.intents.get(tag)) else {
            let what = format!("daemon {daemon} releases {key}, which came of no intent");
            self.broken(Rule::NothingUnasked, what);
            return;
        };
        if let Some(proposal) = intent.proposal
            && self.flagged.contains(&(daemon, proposal))
        {
            let what = format!("daemon {daemon} released {key}; {proposal} is flagged");
            self.broken(Rule::FlaggedNotFinished, what);
        }
    }
}
