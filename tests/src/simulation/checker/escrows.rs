//! What escrows must show: the form that policy asks for, the delay that was promised, and that what is not
//! released comes back.

use treasury_core::units::{AccountId, EscrowKey, ProposalId};
use xrpl_harness::embedded::{ClosedLedger, ClosedTx};
use xrpl_wire::Amount;
use xrpl_wire::typed::EscrowCreate;

use super::money::Flow;
use super::{Checker, Rule};
use crate::simulation::cast::{CLOCK_SECONDS, DELAY_SECONDS, LARGE_XRP, WINDOW_SECONDS, XRP};

/// How many ledgers a transaction of people's may wait: their longest deadline at the slowest pace.
const LIFE_LEDGERS: u32 = 240;

/// Ledgers that a daemon may see an escrow stand after its CancelAfter. An attempt lives for twenty ledgers, what
/// is lost on its way is sent again in the next, and under the highest fees nothing gets through for thirty; so
/// ten attempts may come to nothing before something is wrong.
pub const TAKE_BACK_LEDGERS: u32 = 200;

/// An escrow that a daemon made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// Whose it is to release or to take back.
    daemon: usize,
    /// The intent that it came of; `None`: a move along a link.
    pub(super) tag: Option<u32>,
    /// The proposal of a schedule's that it came of.
    pub(super) proposal: Option<ProposalId>,
    pub(super) destination: AccountId,
    amount: u64,
    /// When it came to be, in true time.
    at_ms: u64,
    cancel_after: Option<u32>,
    stands: bool,
    /// Ledgers in which its daemon could have taken it back.
    overdue: u32,
}

impl Made {
    /// How much too early it would be released now; `None` where it is not.
    pub(super) fn delay_left_ms(&self, now_ms: u64) -> Option<u64> {
        // The delay is counted by the network's clock, which may be wrong at its begin and at its end.
        let promised = u64::from(DELAY_SECONDS - 2 * CLOCK_SECONDS) * 1_000;
        (self.at_ms + promised).checked_sub(now_ms).filter(|left| *left > 0)
    }
}

impl Checker {
    pub(super) fn escrow_create(&mut self, closed: &ClosedLedger, tx: &ClosedTx, create: &EscrowCreate) {
        let Amount::Xrp(amount) = &create.amount else {
            if !self.foreign.contains(&tx.id) {
                self.broken(Rule::PolicyKept, format!("{} is an escrow of {}", tx.id, create.amount.words()));
            }
            return;
        };
        let whole = amount.get();
        let now = closed.header.close_time.0;
        match create.destination_tag {
            Some(tag) => {
                if !self.applies(tag, tx, create.destination, create.amount) {
                    return;
                }
                if tx.result.is_tes() {
                    self.flows(Flow::Asked(tag), tx.tx().account(), None, create.amount);
                }
            }
            None if self.foreign.contains(&tx.id) => return,
            None => self.moved(create.destination, tx, (now, create.amount), true),
        }
        let people = self.people_in(tx);
        if people < 2 || whole > LARGE_XRP * XRP {
            let what = format!("{} is an escrow of {whole} drops with {people} people's signatures", tx.id);
            self.broken(Rule::PolicyKept, what);
        }
        let (finish, cancel) = (create.finish_after.map(|at| at.0), create.cancel_after.map(|at| at.0));
        // A network that stood still let the deadline pass before LastLedgerSequence.
        let steady = self.steady_since.saturating_add(LIFE_LEDGERS) < closed.header.index;
        let early = steady && finish.is_none_or(|finish| finish < now.saturating_add(DELAY_SECONDS));
        let terms = finish.zip(cancel);
        let window = terms.is_some_and(|(finish, cancel)| cancel == finish.saturating_add(WINDOW_SECONDS));
        if create.condition.is_none() || early || !window {
            let condition = create.condition.is_some();
            let what = format!("the escrow of {} at {now}: Condition {condition}, times {terms:?}", tx.id);
            self.broken(Rule::PolicyKept, what);
        }
        if tx.result.is_tes() {
            let key = EscrowKey { owner: tx.tx().account(), sequence: tx.tx().seq().value() };
            let intent = create.destination_tag.and_then(|tag| self.intents.get(&tag));
            let made = Made {
                daemon: intent.map_or_else(|| self.sender(tx), |intent| intent.daemon),
                tag: create.destination_tag,
                proposal: self.proposal_sent(tx.id),
                destination: create.destination,
                amount: whole,
                at_ms: self.now_ms,
                cancel_after: cancel,
                stands: true,
                overdue: 0,
            };
            self.escrows.insert(key, made);
            self.is_made_with_guard(key, create.condition.as_ref());
        }
    }

    /// The money of an escrow has gone to its destination.
    pub(super) fn finished(&mut self, key: EscrowKey) {
        let Some(made) = self.is_over(key) else { return };
        self.is_given(key, "was finished");
        let flow = made.tag.map_or(Flow::Move(made.daemon), Flow::Asked);
        if made.tag.is_none() {
            self.reached.push("a delayed move came");
        }
        self.flows_in(flow, made.destination, made.amount);
        let proposal = made.proposal.or_else(|| self.proposal_of(made.tag?));
        if let Some(proposal) = proposal
            && self.is_flagged(made.daemon, proposal)
        {
            let what = format!("{key} of {proposal} is flagged, and was finished");
            self.broken(Rule::FlaggedNotFinished, what);
        }
        if let Some(left) = made.delay_left_ms(self.now_ms) {
            self.broken(Rule::DelayKept, format!("{key} was finished {left} ms before its delay was over"));
        }
    }

    /// The escrow stands no more.
    pub(super) fn is_over(&mut self, key: EscrowKey) -> Option<Made> {
        let made = self.escrows.get_mut(&key)?;
        made.stands = false;
        Some(made.clone())
    }

    /// A daemon lives and has sight of the newest ledger, so it can take back what is over, whatever is stopped.
    pub fn can_act(&mut self, daemon: usize) {
        let mut late = Vec::new();
        for (key, made) in self.escrows.iter_mut().filter(|(_, made)| made.stands && made.daemon == daemon) {
            if made.cancel_after.is_some_and(|cancel_after| cancel_after < self.close_time) {
                made.overdue += 1;
                late.extend((made.overdue == TAKE_BACK_LEDGERS).then_some(*key));
            }
        }
        for key in late {
            let what = format!(
                "daemon {daemon} has seen {key} stand for {TAKE_BACK_LEDGERS} ledgers after its CancelAfter"
            );
            self.broken(Rule::TakesBack, what);
        }
    }

    /// The most ledgers that an escrow stood while it could have been taken back.
    #[must_use]
    pub fn overdue_most(&self) -> u32 {
        self.escrows.values().map(|made| made.overdue).max().unwrap_or(0)
    }
}
