//! Whose an escrow is that came to be, and by what it is found.

use crate::model::observe::{EscrowView, LedgerPoint};
use crate::model::proposal::Proposal;
use crate::model::signing::Slot;
use crate::model::state::{Guard, State, TrackedEscrow};
use crate::model::units::{EscrowKey, RippleTime};

impl State {
    /// An escrow is the daemon's only if a proposal of its own has the slot that made it *and* every term
    /// is the one that was frozen, the condition included: only then can the preimage be derived.
    pub(super) fn track(&mut self, at: LedgerPoint, seen_at: RippleTime, view: &EscrowView) {
        let key = view.key;
        let proposal = [Slot::Ticket(key.sequence), Slot::Sequence(key.sequence)]
            .into_iter()
            .find_map(|slot| self.slots.get(&(key.owner, slot)))
            .and_then(|id| self.proposals.get(id))
            .filter(|proposal| made(proposal, view))
            // Its EscrowCreate may have been seen before the escrow was, and have freed the slot.
            .or_else(|| {
                let of_owner = self.by_account.get(&key.owner)?.iter().rev();
                of_owner.filter_map(|id| self.proposals.get(id)).find(|proposal| made(proposal, view))
            });
        let guard = proposal
            .map_or(Guard::Foreign, |proposal| Guard::Locked { proposal: proposal.id, preparing: None });
        self.no_longer_stands(&key);
        self.standing.insert(key);
        if matches!(guard, Guard::Locked { .. }) {
            self.stands_as_own(view);
        }
        self.escrows.insert(key, TrackedEscrow { view: view.clone(), seen: at, seen_at, guard });
    }

    pub(super) fn stands_as_own(&mut self, view: &EscrowView) {
        self.by_finish_after.insert(view.finish_order());
        self.by_destination.insert((view.destination, view.key));
    }

    pub(super) fn no_longer_stands(&mut self, key: &EscrowKey) {
        self.standing.remove(key);
        if let Some(tracked) = self.escrows.get(key) {
            self.by_finish_after.remove(&tracked.view.finish_order());
            self.by_destination.remove(&(tracked.view.destination, *key));
        }
    }
}

fn made(proposal: &Proposal, view: &EscrowView) -> bool {
    let Some(plan) = &proposal.plan else { return false };
    let Some(delay) = &plan.delay else { return false };
    delay.escrow == view.key
        && delay.destination == view.destination
        && delay.destination_tag == view.destination_tag
        && Some(delay.amount) == view.amount
        && Some(delay.finish_after) == view.finish_after
        && Some(delay.cancel_after) == view.cancel_after
        && plan.condition.is_some()
        && plan.condition == view.condition
}
