//! What the ledger itself must show.

use treasury_core::units::{AccountId, EscrowKey};
use xrpl_harness::embedded::{ClosedLedger, ClosedTx};
use xrpl_wire::typed::{EscrowCreate, Payment};
use xrpl_wire::{Amount, LedgerEntryType, TransactionType, TxBody, sf, sign};

use super::{Checker, Outflow, Rule};
use crate::simulation::cast::{
    DELAY_SECONDS, LARGE_XRP, MIDDLING_XRP, PEOPLE, ROLLING_SECONDS, ROLLING_XRP, SMALL_XRP, WINDOW_SECONDS,
    XRP,
};

/// The slowest pace of ledgers that deadlines are reckoned with, in seconds.
const PACE_SECONDS: u32 = 5;

/// How many ledgers a transaction of people's may wait: their longest deadline at that pace.
const LIFE_LEDGERS: u32 = 240;

impl Checker {
    /// The network has closed a ledger.
    pub fn ledger(&mut self, closed: &ClosedLedger) {
        self.drops(closed);
        if closed.header.close_time.0.saturating_sub(self.close_time) > PACE_SECONDS {
            self.steady_since = closed.header.index;
        }
        self.close_time = closed.header.close_time.0;
        for tx in &closed.transactions {
            self.transaction(closed, tx);
        }
    }

    /// All XRP is in accounts and escrows, and what is missing was burned.
    fn drops(&mut self, closed: &ClosedLedger) {
        let fees: u64 = closed.transactions.iter().map(|tx| tx.tx().fee().get()).sum();
        let (index, total) = (closed.header.index, closed.header.total_drops);
        if total.checked_add(fees) != Some(self.total_drops) {
            let what = format!("ledger {index}: {} drops less {fees} in fees are {total}", self.total_drops);
            self.broken(Rule::DropsConserved, what);
        }
        self.total_drops = total;
        if closed.transactions.is_empty() {
            return;
        }
        let in_entry = |entry: &xrpl_harness::embedded::Entry| match entry.entry_type() {
            Some(LedgerEntryType::AccountRoot) => entry.object().drops(sf::Balance),
            Some(LedgerEntryType::Escrow) => entry.object().drops(sf::Amount),
            _ => None,
        };
        let held: u64 =
            closed.state.iter().filter_map(|(_, entry)| in_entry(entry)).map(|drops| drops.get()).sum();
        if held != total {
            let what = format!("ledger {index}: accounts and escrows hold {held} drops of {total}");
            self.broken(Rule::DropsConserved, what);
        }
    }

    fn transaction(&mut self, closed: &ClosedLedger, tx: &ClosedTx) {
        let account = tx.tx().account();
        let succeeded = tx.result.is_tes();
        let kind = tx.tx().tx_type();
        if succeeded {
            self.signers_change(account, kind);
        }
        let body = TxBody::parse_lossy(tx.tx());
        if let (Ok(TxBody::EscrowFinish(finish)), true) = (&body, succeeded) {
            self.finished(EscrowKey { owner: finish.owner, sequence: finish.offer_sequence });
        }
        if !self.treasury.accounts.contains_key(&account) {
            return;
        }
        if !self.sent.contains_key(&tx.id) && !self.foreign.contains(&tx.id) {
            let what =
                format!("{} {} of {} was sent by nobody", kind.name(), tx.id, self.cast.name(&account));
            self.broken(Rule::NothingUnasked, what);
        }
        match body {
            Ok(TxBody::Payment(payment)) => self.payment(closed, tx, &payment),
            Ok(TxBody::EscrowCreate(create)) => self.escrow_create(closed, tx, &create),
            _ => {}
        }
    }

    /// Signatures die with the SignerList or the key that made them count; nobody demands them any longer.
    fn signers_change(&mut self, account: AccountId, kind: TransactionType) {
        match kind {
            TransactionType::SignerListSet => {
                let intents = &self.intents;
                self.approvals.retain(|(daemon, proposal, _)| {
                    intents.values().any(|intent| {
                        (intent.daemon, intent.proposal) == (*daemon, Some(*proposal))
                            && intent.account != account
                    })
                });
            }
            TransactionType::SetRegularKey | TransactionType::AccountSet => {
                self.approvals.retain(|(_, _, signer)| *signer != account);
            }
            _ => {}
        }
    }

    /// The money of an escrow has gone to its destination.
    fn finished(&mut self, key: EscrowKey) {
        let Some(intent) = self.escrows.get(&key).and_then(|tag| self.intents.get(tag)) else { return };
        if let Some(proposal) = intent.proposal
            && self.is_flagged(intent.daemon, proposal)
        {
            self.broken(
                Rule::FlaggedNotFinished,
                format!("{key} of {proposal} is flagged, and was finished"),
            );
        }
    }

    fn payment(&mut self, closed: &ClosedLedger, tx: &ClosedTx, payment: &Payment) {
        let Amount::Xrp(amount) = payment.amount else { return };
        let (from, now, whole) = (tx.tx().account(), closed.header.close_time.0, amount.get());
        let Some(tag) = payment.destination_tag else {
            if !self.foreign.contains(&tx.id) {
                self.moved(from, payment.destination, tx, (now, whole));
            }
            return;
        };
        if !self.applies(tag, tx, payment.destination, whole) {
            return;
        }
        let people = self.people_in(tx);
        if whole > MIDDLING_XRP * XRP {
            self.broken(
                Rule::PolicyKept,
                format!("{whole} drops of intent {tag} were paid without an escrow"),
            );
        } else if people < 2 {
            let unattended = whole <= SMALL_XRP * XRP && from != self.cast.id("cold");
            if !unattended {
                let what = format!("{whole} drops of intent {tag} with {people} people's signatures");
                self.broken(Rule::PolicyKept, what);
            } else if tx.result.is_tes() {
                let outflows = self.unattended.entry((self.sender(tx), from)).or_default();
                outflows.push((now, whole));
                if let Some(sum) = above(outflows, ROLLING_SECONDS, ROLLING_XRP * XRP) {
                    let what =
                        format!("{sum} drops left {} unattended within the period", self.cast.name(&from));
                    self.broken(Rule::LimitsKept, what);
                }
            }
        }
    }

    fn escrow_create(&mut self, closed: &ClosedLedger, tx: &ClosedTx, create: &EscrowCreate) {
        let (Amount::Xrp(amount), Some(tag)) = (&create.amount, create.destination_tag) else { return };
        let whole = amount.get();
        if !self.applies(tag, tx, create.destination, whole) {
            return;
        }
        let people = self.people_in(tx);
        if people < 2 || whole > LARGE_XRP * XRP {
            let what =
                format!("an escrow of {whole} drops for intent {tag} with {people} people's signatures");
            self.broken(Rule::PolicyKept, what);
        }
        let now = closed.header.close_time.0;
        let (finish, cancel) = (create.finish_after.map(|at| at.0), create.cancel_after.map(|at| at.0));
        // A network that stood still let the deadline pass before LastLedgerSequence.
        let steady = self.steady_since.saturating_add(LIFE_LEDGERS) < closed.header.index;
        let early = steady && finish.is_none_or(|finish| finish < now.saturating_add(DELAY_SECONDS));
        let terms = finish.zip(cancel);
        let window = terms.is_some_and(|(finish, cancel)| cancel == finish.saturating_add(WINDOW_SECONDS));
        if create.condition.is_none() || early || !window {
            let condition = create.condition.is_some();
            let what = format!("the escrow of intent {tag} at {now}: Condition {condition}, times {terms:?}");
            self.broken(Rule::PolicyKept, what);
        }
        if tx.result.is_tes() {
            let key = EscrowKey { owner: tx.tx().account(), sequence: tx.tx().seq().value() };
            self.escrows.insert(key, tag);
        }
    }

    /// An intent's transaction is in a ledger: the first, and what was asked for. False where the tag is
    /// nobody's.
    fn applies(&mut self, tag: u32, tx: &ClosedTx, destination: AccountId, amount: u64) -> bool {
        let Some(intent) = self.intents.get(&tag) else {
            if !self.foreign.contains(&tx.id) {
                let what = format!("{} pays with tag {tag}, which nobody asked for", tx.id);
                self.broken(Rule::NothingUnasked, what);
            }
            return false;
        };
        if (intent.account, intent.destination, intent.amount.get())
            != (tx.tx().account(), destination, amount)
        {
            let what = format!("{} pays something else than intent {tag} asked for", tx.id);
            self.broken(Rule::NothingUnasked, what);
        }
        let applied = self.applied.entry(tag).or_default();
        applied.push(tx.id);
        if applied.len() > 1 {
            let what = format!("intent {tag} was applied as {applied:?}");
            self.broken(Rule::OncePerIntent, what);
        }
        true
    }

    /// The daemon that sent it first; the first one where somebody else did.
    fn sender(&self, tx: &ClosedTx) -> usize {
        self.sent.get(&tx.id).copied().unwrap_or_default()
    }

    /// How many people signed.
    fn people_in(&self, tx: &ClosedTx) -> usize {
        let signers = sign::signers(tx.tx()).unwrap_or_default();
        signers.iter().filter(|signer| PEOPLE.contains(&self.cast.name(&signer.account))).count()
    }

    /// A payment without a tag is a move of the daemon's along a link.
    fn moved(&mut self, from: AccountId, to: AccountId, tx: &ClosedTx, (now, amount): Outflow) {
        let Some(link) = self.treasury.links.iter().find(|link| (link.from, link.to) == (from, to)) else {
            let what = format!("{} moves {amount} drops where there is no link", tx.id);
            self.broken(Rule::NothingUnasked, what);
            return;
        };
        let (most, period, seconds) = (link.move_max.get(), link.period_max.get(), link.period_seconds);
        if from == self.cast.id("cold") && self.people_in(tx) < 2 {
            self.broken(Rule::PolicyKept, format!("{} moves {amount} drops without people", tx.id));
        }
        if !tx.result.is_tes() {
            return;
        }
        let outflows = self.moves.entry((self.sender(tx), from, to)).or_default();
        outflows.push((now, amount));
        let sum = above(outflows, seconds, period);
        if amount > most || sum.is_some() {
            let what = format!(
                "{} moves {amount} drops of {most}; the period's sum is above {period}: {sum:?}",
                tx.id
            );
            self.broken(Rule::LimitsKept, what);
        }
    }
}

/// What the last period's outflows sum up to, if that is above the limit. The newest comes last.
fn above(outflows: &[Outflow], seconds: u32, limit: u64) -> Option<u64> {
    let now = outflows.last()?.0;
    let within = outflows.iter().rev().take_while(|(at, _)| now.saturating_sub(*at) < seconds);
    let sum: u64 = within.map(|(_, amount)| amount).sum();
    (sum > limit).then_some(sum)
}
