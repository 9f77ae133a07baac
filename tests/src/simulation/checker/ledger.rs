//! What the ledger itself must show.

use treasury_core::config::Keeps;
use treasury_core::units::{AccountId, Asset, EscrowKey};
use xrpl_harness::embedded::{ClosedLedger, ClosedTx};
use xrpl_wire::entry::LedgerEntry;
use xrpl_wire::typed::Payment;
use xrpl_wire::{Amount, IssuedAmount, LedgerEntryType, TransactionType, TxBody, flags, sf, sign};

use super::money::Flow;
use super::{Checker, Outflow, Rule, units_of};
use crate::simulation::cast::{
    Cast, DELAYED_SOURCE, ISSUER, MIDDLING_XRP, PEOPLE, ROLLING_SECONDS, ROLLING_XRP, SMALL_XRP, XRP,
};

/// The slowest pace of ledgers that deadlines are reckoned with, in seconds.
const PACE_SECONDS: u32 = 5;

impl Checker {
    /// The network has closed a ledger.
    pub fn ledger(&mut self, closed: &ClosedLedger) {
        self.drops(closed);
        self.issues(closed);
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

    /// All that is issued is somebody's: it comes by payments of the issuer, and goes by payments to it.
    fn issues(&mut self, closed: &ClosedLedger) {
        if closed.transactions.is_empty() {
            return;
        }
        let (euro, issuer) = (self.cast.euro(), self.cast.id(ISSUER));
        let mut expected = self.issued;
        for tx in closed.transactions.iter().filter(|tx| tx.result.is_tes()) {
            let Ok(TxBody::Payment(payment)) = TxBody::parse_lossy(tx.tx()) else { continue };
            if payment.amount.issue() != euro {
                continue;
            }
            let units = i128::from(units_of(payment.amount));
            expected += if tx.tx().account() == issuer { units } else { 0 };
            expected -= if payment.destination == issuer { units } else { 0 };
        }
        self.issued = issued(&self.cast, closed);
        if self.issued != expected {
            let (index, held) = (closed.header.index, self.issued);
            let what = format!("ledger {index}: trust lines hold {held} millionths of a euro of {expected}");
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
        let (from, now, amount) = (tx.tx().account(), closed.header.close_time.0, payment.amount);
        let whole = units_of(amount);
        let Some(tag) = payment.destination_tag else {
            if !self.foreign.contains(&tx.id) {
                self.moved(payment.destination, tx, (now, amount), false);
            }
            return;
        };
        if payment.send_max.is_some() || payment.deliver_min.is_some() || has_ways(tx) {
            self.broken(
                Rule::NothingUnasked,
                format!("{} may take more than intent {tag}, or pay less", tx.id),
            );
        }
        if !self.applies(tag, tx, payment.destination, amount) {
            return;
        }
        if tx.result.is_tes() {
            self.flows(Flow::Asked(tag), from, Some(payment.destination), amount);
            if !amount.is_xrp() {
                self.reached.push("an issued asset is paid by a daemon");
            }
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
                let outflows = self.unattended.entry((self.sender(tx), from, amount.issue())).or_default();
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
    pub(super) fn applies(
        &mut self,
        tag: u32,
        tx: &ClosedTx,
        destination: AccountId,
        amount: Amount,
    ) -> bool {
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
        if (intent.account, intent.destination, intent.amount) != (tx.tx().account(), destination, amount) {
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
    pub(super) fn moved(
        &mut self,
        to: AccountId,
        tx: &ClosedTx,
        (now, moved): (u32, Amount),
        by_escrow: bool,
    ) {
        let (from, amount) = (tx.tx().account(), units_of(moved));
        let along = (from, to, moved.issue());
        let Some(link) = self.treasury.links.iter().find(|link| (link.from, link.to, link.asset) == along)
        else {
            let what = format!("{} moves {} where there is no link", tx.id, moved.words());
            self.broken(Rule::NothingUnasked, what);
            return;
        };
        let (most, period, seconds) =
            (units_of(link.move_max), units_of(link.period_max), link.period_seconds);
        let name = link.name.clone();
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
        self.flows(Flow::Move(daemon), from, Some(to).filter(|_| filled), moved);
        if !moved.is_xrp() {
            self.reached.push("an issued asset is moved along a link");
        }
        let outflows = self.moves.entry((daemon, name)).or_default();
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

/// What everybody has of the issued asset by trust lines, less what anybody owes.
pub(super) fn issued(cast: &Cast, closed: &ClosedLedger) -> i128 {
    let (euro, issuer) = (cast.euro(), cast.id(ISSUER));
    let lines = closed.state.iter().filter_map(|(_, entry)| match entry.entry_type() {
        Some(LedgerEntryType::RippleState) => match LedgerEntry::from_object(entry.object()) {
            Ok(LedgerEntry::RippleState(line)) => Some(line),
            _ => None,
        },
        _ => None,
    });
    let sides = lines.flat_map(|line| {
        let balance = line.balance;
        let (low, high) = (line.low_limit.issuer, line.high_limit.issuer);
        [(low, high, balance.currency, balance.value), (high, low, balance.currency, balance.value.negated())]
    });
    let held = sides.filter(|(_, other, currency, _)| {
        *other == issuer && euro == Asset::Issued { currency: *currency, issuer }
    });
    held.map(|(_, _, currency, value)| {
        let negative = value.is_negative();
        let value = if negative { value.negated() } else { value };
        let units = i128::from(units_of(Amount::Issued(IssuedAmount { value, currency, issuer })));
        if negative { -units } else { units }
    })
    .sum()
}

/// Whether a payment says by which ways it may go, or that it may be a part of what it says.
fn has_ways(tx: &ClosedTx) -> bool {
    let fields = tx.tx().object();
    fields.get(sf::Paths).is_some()
        || fields.u32(sf::Flags).unwrap_or_default() & flags::tfPartialPayment != 0
}

/// What the last period's outflows sum up to, if that is above the limit. The newest comes last.
pub(super) fn above(outflows: &[Outflow], seconds: u32, limit: u64) -> Option<u64> {
    let now = outflows.last()?.0;
    let within = outflows.iter().rev().take_while(|(at, _)| now.saturating_sub(*at) < seconds);
    let sum: u64 = within.map(|(_, amount)| amount).sum();
    (sum > limit).then_some(sum)
}
