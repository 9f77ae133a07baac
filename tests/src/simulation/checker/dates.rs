//! What is due at set times is paid for each of them once, in time, as it was declared.

use std::collections::BTreeMap;

use treasury_core::State;
use treasury_core::config::Schedule;
use treasury_core::units::{AccountId, Amount, Asset, Hash256, ProposalId, RippleTime};
use xrpl_harness::embedded::ClosedTx;

use super::{Checker, Rule, units_of};

/// A date of a schedule: its name, and when it is due.
type Date = (String, u32);

/// What schedules asked for, and what was paid for them.
#[derive(Default)]
pub(super) struct Dates {
    /// By daemon and proposal, as its daemon says.
    asked: BTreeMap<(usize, ProposalId), Date>,
    /// The other way round.
    proposals: BTreeMap<(usize, Date), ProposalId>,
    /// What was sent for which proposal.
    sent_for: BTreeMap<Hash256, (usize, ProposalId)>,
    /// What is in ledgers.
    paid: BTreeMap<Date, Hash256>,
}

impl Checker {
    /// A daemon has a proposal of a schedule's, for this date.
    pub fn dated(&mut self, daemon: usize, proposal: ProposalId, schedule: &str, due: RippleTime) {
        let declared = self.treasury.schedules.iter().find(|declared| declared.name == schedule);
        if !declared.is_some_and(|declared| declared.due.iter().any(|date| date.at == due)) {
            let what =
                format!("daemon {daemon} asks for {proposal} of \"{schedule}\", and nothing is due at {due}");
            self.broken(Rule::OncePerDate, what);
        }
        let date = (schedule.to_owned(), due.0);
        let known = self.dates.proposals.insert((daemon, date.clone()), proposal);
        if let Some(known) = known.filter(|known| *known != proposal) {
            let what = format!(
                "daemon {daemon} asks for {proposal} for the date {date:?}, which was {known} already"
            );
            self.broken(Rule::OncePerDate, what);
        }
        self.dates.asked.insert((daemon, proposal), date);
    }

    /// A daemon starts with what it stored: also what it stored in the step in which it died, of which nobody heard.
    pub fn dates_known(&mut self, daemon: usize, state: &State) {
        for proposal in state.proposals.values() {
            if let Some(occurrence) = &proposal.occurrence {
                self.dated(daemon, proposal.id, &occurrence.schedule, occurrence.due);
            }
        }
    }

    /// A transaction is sent for a proposal.
    pub fn is_of(&mut self, tx_id: Hash256, daemon: usize, proposal: ProposalId) {
        if self.dates.asked.contains_key(&(daemon, proposal)) {
            self.dates.sent_for.insert(tx_id, (daemon, proposal));
        }
    }

    /// A daemon sends what a schedule asked for: not before it is due. An escrow keeps the time itself.
    pub(super) fn is_due(&mut self, daemon: usize, tx_id: Hash256, finish_after: Option<RippleTime>) {
        let Some((_, due)) = self.dates.sent_for.get(&tx_id).and_then(|of| self.dates.asked.get(of)) else {
            return;
        };
        let due = *due;
        if finish_after.map_or(self.close_time, |after| after.0) < due {
            let what = format!("daemon {daemon} sends {tx_id} before {due}, when it is due");
            self.broken(Rule::OncePerDate, what);
        }
    }

    /// The proposal of a schedule's that a transaction was sent for.
    pub(super) fn proposal_sent(&self, tx_id: Hash256) -> Option<ProposalId> {
        self.dates.sent_for.get(&tx_id).map(|(_, proposal)| *proposal)
    }

    /// Whose payments have this DestinationTag.
    pub(super) fn schedule_of(&self, tag: u32) -> Option<&Schedule> {
        self.treasury.schedules.iter().find(|schedule| schedule.destination_tag == Some(tag))
    }

    /// What is in a ledger with a schedule's DestinationTag is that schedule's, and the only one for its date.
    pub(super) fn pays_date(&mut self, tag: u32, tx: &ClosedTx, destination: AccountId, amount: Amount) {
        let Some(schedule) = self.schedule_of(tag) else { return };
        let (name, account) = (schedule.name.clone(), tx.tx().account());
        if (schedule.from, schedule.to, schedule.amount) != (account, destination, amount) {
            self.broken(Rule::NothingUnasked, format!("{} pays something else than \"{name}\"", tx.id));
        }
        let date = self.dates.sent_for.get(&tx.id).and_then(|of| self.dates.asked.get(of));
        let Some(date) = date.filter(|(of, _)| *of == name).cloned() else {
            let what = format!("{} pays with the tag of \"{name}\", and is for none of its dates", tx.id);
            self.broken(Rule::OncePerDate, what);
            return;
        };
        if !tx.result.is_tes() {
            return;
        }
        self.reached.push("a schedule's payment came");
        if !amount.is_xrp() {
            self.reached.push("a schedule pays an issued asset");
        }
        if let Some(first) = self.dates.paid.insert(date.clone(), tx.id) {
            self.broken(Rule::OncePerDate, format!("{date:?} was paid by {first} and {}", tx.id));
        }
    }

    /// What links may have filled an account with for what schedules asked for since that time, and for what they did not
    /// get yet.
    pub(super) fn filled_for_dates(&self, account: AccountId, asset: Asset, since: u32) -> u64 {
        let ours = |schedule: &&Schedule| schedule.from == account && schedule.amount.issue() == asset;
        let schedules = self.treasury.schedules.iter().filter(ours);
        let each = schedules.map(|schedule| {
            let open = |due: u32| {
                let (from, until) = (due - schedule.lead_seconds, due + schedule.late_max_seconds);
                from <= self.close_time && until >= since
            };
            let dates = schedule.due.iter().filter(|date| open(date.at.0)).count();
            units_of(schedule.amount) * u64::try_from(dates).unwrap_or(u64::MAX)
        });
        each.sum()
    }
}
