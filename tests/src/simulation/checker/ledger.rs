//! What the ledger itself must show.

use treasury_core::config::Keeps;
use treasury_core::units::{AccountId, EscrowKey};
use xrpl_harness::embedded::{ClosedLedger, ClosedTx};
use xrpl_wire::typed::Payment;
use xrpl_wire::{Amount, LedgerEntryType, TransactionType, TxBody, sf, sign};

use super::money::Flow;
use super::{Checker, Outflow, Rule, drops_of};
use crate::simulation::cast::{
    DELAYED_SOURCE, MIDDLING_XRP, PEOPLE, ROLLING_SECONDS, ROLLING_XRP, SMALL_XRP, XRP,
};

/// The slowest pace of ledgers that deadlines are reckoned with, in seconds.
const PACE_SECONDS: u32 = 5;

impl Checker {
    /// The network has closed a ledger.
    pub fn ledger(&mut self, closed: &ClosedLedger) {
        self.drops(closed);
        if closed.header.close_time.0.saturating_sub(self.close_time) > PACE_SECONDS {
            self.steady_since = closed.header.index;
        }
        (self.index, self.close_time) = (closed.header.index, closed.header.close_time.0);
        self.keeps_time();
        for tx in &closed.transactions {
            self.transaction(closed, tx);
        }
        self.turn(closed);
        self.stand(closed);
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
            self.signers_change(None, account, kind);
            self.signers_changed.entry(self.index).or_default().push((account, kind));
        }
        let body = TxBody::parse_lossy(tx.tx());
        match &body {
            Ok(TxBody::EscrowFinish(finish)) if succeeded => {
                self.finished(EscrowKey { owner: finish.owner, sequence: finish.offer_sequence });
            }
            Ok(TxBody::EscrowCancel(cancel)) if succeeded => {
                let made = self.is_over(EscrowKey { owner: cancel.owner, sequence: cancel.offer_sequence });
                if made.is_some() {
                    self.went_back(EscrowKey { owner: cancel.owner, sequence: cancel.offer_sequence });
                }
                if made.is_some_and(|made| made.tag.is_none()) {
                    self.reached.push("a delayed move was taken back");
                }
            }
            _ => {}
        }
        if !self.treasury.accounts.contains_key(&account) {
            return;
        }
        if !self.sent.contains_key(&tx.id) && !self.foreign.contains(&tx.id) {
            let what =
                format!("{} {} of {} was sent by nobody", kind.name(), tx.id, self.cast.name(&account));
            self.broken(Rule::NothingUnasked, what);
        }
        self.goes(tx, &body);
        self.was_taken(closed, tx, &body);
        self.signed(tx);
        match body {
            Ok(TxBody::Payment(payment)) => self.payment(closed, tx, &payment),
            Ok(TxBody::EscrowCreate(create)) => self.escrow_create(closed, tx, &create),
            _ => {}
        }
    }

    /// Signatures die with the SignerList or the key that made them count; nobody demands them any longer, of one
    /// daemon or of all.
    pub(super) fn signers_change(&mut self, of: Option<usize>, account: AccountId, kind: TransactionType) {
        let concerns = |daemon: usize| of.is_none_or(|of| of == daemon);
        match kind {
            TransactionType::SignerListSet => {
                let intents = &self.intents;
                self.approvals.retain(|(daemon, proposal, _)| {
                    !concerns(*daemon)
                        || intents.values().any(|intent| {
                            (intent.daemon, intent.proposal) == (*daemon, Some(*proposal))
                                && intent.account != account
                        })
                });
            }
            TransactionType::SetRegularKey | TransactionType::AccountSet => {
                self.approvals.retain(|(daemon, _, signer)| !concerns(*daemon) || *signer != account);
            }
            _ => {}
        }
    }

    fn payment(&mut self, closed: &ClosedLedger, tx: &ClosedTx, payment: &Payment) {
        let Amount::Xrp(amount) = payment.amount else { return };
        let (from, now, whole) = (tx.tx().account(), closed.header.close_time.0, amount.get());
        let Some(tag) = payment.destination_tag else {
            if !self.foreign.contains(&tx.id) {
                self.moved(payment.destination, tx, (now, whole), false);
            }
            return;
        };
        if !self.applies(tag, tx, payment.destination, whole) {
            return;
        }
        if tx.result.is_tes() {
            self.flows(Flow::Asked(tag), from, Some(payment.destination), whole);
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

    /// An intent's transaction is in a ledger: the first, and what was asked for. False where the tag is
    /// nobody's.
    pub(super) fn applies(&mut self, tag: u32, tx: &ClosedTx, destination: AccountId, amount: u64) -> bool {
        if self.schedule_of(tag).is_some() {
            self.pays_date(tag, tx, destination, amount);
            return true;
        }
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
    pub(super) fn sender(&self, tx: &ClosedTx) -> usize {
        self.sent.get(&tx.id).copied().unwrap_or_default()
    }

    /// How many people signed.
    pub(super) fn people_in(&self, tx: &ClosedTx) -> usize {
        let signers = sign::signers(tx.tx()).unwrap_or_default();
        signers.iter().filter(|signer| PEOPLE.contains(&self.cast.name(&signer.account))).count()
    }

    /// A payment or an escrow without a tag is a move of the daemon's along a link.
    pub(super) fn moved(&mut self, to: AccountId, tx: &ClosedTx, (now, amount): Outflow, by_escrow: bool) {
        let from = tx.tx().account();
        let Some(link) = self.treasury.links.iter().find(|link| (link.from, link.to) == (from, to)) else {
            let what = format!("{} moves {amount} drops where there is no link", tx.id);
            self.broken(Rule::NothingUnasked, what);
            return;
        };
        let (most, period, seconds) =
            (drops_of(link.move_max), drops_of(link.period_max), link.period_seconds);
        let fills = matches!(link.keeps, Keeps::Filled { .. });
        let delayed = from == self.cast.id(DELAYED_SOURCE);
        if (from == self.cast.id("cold") || delayed) && self.people_in(tx) < 2 {
            self.broken(Rule::PolicyKept, format!("{} moves {amount} drops without people", tx.id));
        }
        if delayed != by_escrow {
            let what = format!("{} moves {amount} drops; by escrow: {by_escrow}", tx.id);
            self.broken(Rule::PolicyKept, what);
        }
        if !tx.result.is_tes() {
            return;
        }
        let daemon = self.sender(tx);
        // What is swept into an account is more than it was to be filled with, and no fault of whoever fills it.
        let filled = fills && !by_escrow;
        self.flows(Flow::Move(daemon), from, Some(to).filter(|_| filled), amount);
        let outflows = self.moves.entry((daemon, from, to)).or_default();
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
pub(super) fn above(outflows: &[Outflow], seconds: u32, limit: u64) -> Option<u64> {
    let now = outflows.last()?.0;
    let within = outflows.iter().rev().take_while(|(at, _)| now.saturating_sub(*at) < seconds);
    let sum: u64 = within.map(|(_, amount)| amount).sum();
    (sum > limit).then_some(sum)
}
