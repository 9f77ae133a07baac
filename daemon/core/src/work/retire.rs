//! Lets what has ended leave the state, a little with each ledger.

use std::ops::Bound;

use crate::model::event::Event;
use crate::model::units::{EscrowKey, ProposalId};
use crate::rules::retiring::{KEPT_MAX, may_forget, may_retire, unneeded};
use crate::work::cx::Cx;

/// The most that leave with one ledger: a store of earlier versions holds everything that ever was.
const LEAVING_MAX: usize = 64;

/// The most that are looked at with one ledger: what may not leave yet must not be in the way of what may.
const LOOKED_AT_MAX: usize = 256;

/// Accounts that nothing rests on are looked for every so many ledgers, some quarter of an hour.
const LEDGERS_BETWEEN: u32 = 256;

/// And so few where no more are kept than may be: then only time makes them leave, and there is much of it.
const LOOKED_AT: usize = LEAVING_MAX;

/// Looks at the next of what has ended.
pub(crate) fn drive(cx: &mut Cx<'_>) {
    proposals(cx);
    escrows(cx);
    accounts(cx);
}

/// Looks at all of them, and so not with each ledger.
fn accounts(cx: &mut Cx<'_>) {
    let looks = cx.state.ledger.is_some_and(|point| point.index.0.is_multiple_of(LEDGERS_BETWEEN));
    // What has been asked for is about to be needed.
    if !looks || !cx.state.sees() || !cx.runtime.reading.is_empty() {
        return;
    }
    let accounts = unneeded(cx.config, cx.state);
    if !accounts.is_empty() {
        cx.emit(Event::AccountsForgotten { accounts });
    }
}

fn proposals(cx: &mut Cx<'_>) {
    let from = cx.runtime.retired_to.take().map_or(Bound::Unbounded, Bound::Excluded);
    let most = if cx.state.ended.len() > KEPT_MAX { LOOKED_AT_MAX } else { LOOKED_AT };
    let mut leaving = Vec::new();
    for (looked_at, (id, ended)) in cx.state.ended.range((from, Bound::Unbounded)).enumerate() {
        if looked_at == most || leaving.len() == LEAVING_MAX {
            break;
        }
        cx.runtime.retired_to = Some(*id);
        let proposal = cx.state.proposals.get(id);
        if proposal.is_some_and(|proposal| may_retire(cx.state, proposal, *ended, leaving.len())) {
            leaving.push(*id);
        }
    }
    // At the end it begins again.
    let last: Option<ProposalId> = cx.state.ended.keys().next_back().copied();
    if cx.runtime.retired_to == last {
        cx.runtime.retired_to = None;
    }
    for proposal in leaving {
        cx.emit(Event::ProposalArchived { proposal });
    }
}

fn escrows(cx: &mut Cx<'_>) {
    if cx.state.escrows.len() == cx.state.standing.len() {
        return;
    }
    let from = cx.runtime.forgotten_to.take().map_or(Bound::Unbounded, Bound::Excluded);
    let next = cx.state.escrows.range((from, Bound::Unbounded)).take(LOOKED_AT_MAX);
    let (mut leaving, mut last): (Vec<EscrowKey>, Option<EscrowKey>) = (Vec::new(), None);
    for (key, tracked) in next {
        last = Some(*key);
        if may_forget(cx.state, tracked) {
            leaving.push(*key);
        }
    }
    cx.runtime.forgotten_to = last;
    for escrow in leaving {
        cx.emit(Event::EscrowForgotten { escrow });
    }
}
