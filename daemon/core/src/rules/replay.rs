//! What a changed policy would have said of every payment that was ever proposed.
//!
//! Each is judged at the time at which it was proposed, with the sums and counts of the proposals before it as they really
//! went. Who is in the address book, who has which role and what is on lists are those of now; and what others took out of
//! accounts, without a proposal, is not counted.

use std::collections::BTreeMap;

use crate::model::config::Treasury;
use crate::model::intent::AskedBy;
use crate::model::policy::Policy;
use crate::model::proposal::{Proposal, Status};
use crate::model::state::{Archived, Guard, State};
use crate::model::units::{AccountId, Amount, Asset, ProposalId, RippleTime};
use crate::rules::decide::Question;
use crate::rules::matching::Payment;

/// A payment of which another policy would have said something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Which.
    pub proposal: ProposalId,
    /// When it was proposed.
    pub at: RippleTime,
    /// How much it was.
    pub amount: Amount,
    /// The words for what was asked of it, and what would have been.
    pub words: (&'static str, &'static str),
    /// The rules then.
    pub was: String,
    /// The rules that would have matched.
    pub would: String,
    /// Whether more would have been asked; else less, or something else.
    pub stricter: bool,
    /// Whether its money left.
    pub left: bool,
}

/// How many there are of one change, and how much money.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Payments.
    pub count: u64,
    /// How much, of each asset.
    pub money: BTreeMap<Asset, Amount>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// By what was asked and what would have been: `allow`, `approve`, `delay`, `deny`.
    pub sums: BTreeMap<(&'static str, &'static str), Sum>,
    /// Each of which something else would have been said, oldest first.
    pub changed: Vec<Changed>,
}

/// Asks a policy about every payment and move that was proposed since then. The order of the proposals says nothing.
#[must_use]
pub fn replay(config: &Treasury, policy: &Policy, proposals: &[Archived], since: RippleTime) -> Replayed {
    // Whoever is in the address book now is taken for known, as in everything else that is declared.
    let declared = config.policy.clone().with_confirmation(None);
    let config = &Treasury { policy: declared, ..config.clone() };
    let mut history = History::of(proposals);
    let mut replayed = Replayed::default();
    for archived in history.in_order.clone() {
        let proposal = &archived.proposal;
        let at = proposal.decision.inputs.at.max(proposal.drafted.close_time);
        history.go_to(at);
        if at >= since
            && let Some(amount) = proposal.intent.amount()
        {
            let question = Question::new(
                config,
                &history.state,
                proposal.account,
                &proposal.asker,
                &proposal.intent,
                at,
            );
            replayed.add(proposal, amount, question.with(&proposal.inquiry).under(policy));
        }
        history.propose(archived);
    }
    replayed
}

impl Replayed {
    fn add(&mut self, proposal: &Proposal, amount: Amount, question: Question<'_>) {
        let at = question.at();
        let now = question.decide();
        let before = &proposal.decision.obligations;
        let words = (before.word(), now.obligations.word());
        let sum = self.sums.entry(words).or_default();
        sum.count = sum.count.saturating_add(1);
        let asset = amount.issue();
        let money = sum.money.entry(asset).or_insert_with(|| asset.nothing());
        *money = money.checked_add(&amount).unwrap_or(asset.most());
        if now.obligations != *before {
            self.changed.push(Changed {
                proposal: proposal.id,
                at,
                amount,
                words,
                was: proposal.decision.rule(),
                would: now.rule(),
                stricter: now.obligations.is_stricter_than(before),
                left: matches!(proposal.status, Status::Validated(_)),
            });
        }
    }
}

/// What happened, as far as proposals tell.
struct History<'a> {
    in_order: Vec<&'a Archived>,
    /// What ends when.
    ends: BTreeMap<(RippleTime, ProposalId), End<'a>>,
    state: State,
}

#[derive(Clone, Copy)]
enum End<'a> {
    /// It is in a validated ledger.
    Paid(&'a Proposal),
    /// Nothing of it can be applied any more.
    Nothing(&'a Proposal),
    /// Its escrow's money came to the destination.
    Released(AccountId),
}

impl<'a> History<'a> {
    fn of(proposals: &'a [Archived]) -> Self {
        let decided = |archived: &&Archived| archived.proposal.intent.row().asked_by != AskedBy::Errands;
        let mut in_order: Vec<&Archived> = proposals.iter().filter(decided).collect();
        in_order.sort_by_key(|archived| archived.proposal.id);
        Self { in_order, ends: BTreeMap::new(), state: State::default() }
    }

    /// Takes in what ended until then.
    fn go_to(&mut self, now: RippleTime) {
        while let Some(first) = self.ends.first_entry() {
            let ((at, _), end) = (*first.key(), *first.get());
            if at > now {
                return;
            }
            first.remove();
            match end {
                End::Paid(proposal) => {
                    self.state.book.settle(proposal);
                    self.state.book.paid(proposal, at);
                    if let Some(amount) = proposal.intent.amount() {
                        self.state.book.leaves(proposal.account, at, amount);
                    }
                }
                End::Nothing(proposal) => self.state.book.settle(proposal),
                End::Released(destination) => self.state.book.received(destination, at),
            }
        }
    }

    /// From now on it may be paid, until it ends.
    fn propose(&mut self, archived: &'a Archived) {
        let proposal = &archived.proposal;
        if proposal.status == Status::Denied {
            return;
        }
        self.state.book.promise(proposal);
        let deadline = proposal.plan.as_ref().map(|plan| plan.deadline);
        let asked_until = proposal.drafted.close_time.checked_add_seconds(proposal.deadline_seconds);
        let over = deadline.or(asked_until).unwrap_or(proposal.drafted.close_time);
        match &proposal.status {
            Status::Validated(outcome) => {
                self.ends.insert((outcome.at.close_time, proposal.id), End::Paid(proposal));
            }
            Status::Failed(outcome) => {
                self.ends.insert((outcome.at.close_time, proposal.id), End::Nothing(proposal));
            }
            status if status.is_final() => {
                self.ends.insert((over, proposal.id), End::Nothing(proposal));
            }
            _ => {}
        }
        if let Some(escrow) = &archived.escrow
            && let Guard::Released { at, .. } = &escrow.guard
        {
            // After the payment that made it, should both be of one ledger: ids of proposals end before this one.
            let place = (at.close_time, ProposalId(u64::MAX - proposal.id.0));
            self.ends.insert(place, End::Released(escrow.view.destination));
        }
    }
}
