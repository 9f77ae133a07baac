//! What benchmarks of a store have in common.

use treasury_core::Event;
use treasury_core::proposal::{Proposal, Status};
use treasuryd::store::StoreBuilder;

/// Proposals to a record.
const AT_ONCE: u64 = 250;

/// Adds so many proposals that ended and have left the state.
pub(crate) fn add_ended(builder: &mut StoreBuilder, so_many: u64, draft: impl Fn(u64) -> Proposal) {
    let mut first = 1;
    while first <= so_many {
        let (mut events, mut leave) = (Vec::new(), Vec::new());
        for id in first..=so_many.min(first + AT_ONCE - 1) {
            let proposal = draft(id);
            let (id, idempotency_key) = (proposal.id, proposal.idempotency_key.clone());
            events.push(Event::ProposalDrafted { proposal: Box::new(proposal), idempotency_key });
            let status = Status::Withdrawn;
            events.push(Event::ProposalEnded { proposal: id, status, frees_slot: true });
            leave.push(Event::ProposalArchived { proposal: id });
        }
        builder.push(&events).unwrap();
        builder.push(&leave).unwrap();
        first += AT_ONCE;
    }
}
