//! What has ended leaves the state, a little with each ledger, and what may not leave yet is not in the way of what may.

use treasury_core::command::Command;
use treasury_core::input::Input;
use treasury_core::proposal::Proposal;
use treasury_core::retiring::KEPT_MAX;
use treasury_core::units::{ProposalId, RippleTime};
use treasury_core::{Event, step};

use crate::world::World;

const DAY: u32 = 86_400;

/// How many leave with one ledger of so many that ended two days ago, of which the first hundred must stay: signers could
/// still make their escrows.
fn leave_at_once(ended: usize) -> usize {
    let mut w = World::new();
    let delayed = w.propose("warm", 2_000);
    w.approve("alice", delayed).unwrap();
    w.command("alice", Command::Withdraw { proposal: delayed }).unwrap();
    let denied = w.propose("hot", 1_000_000);
    let (stays, leaves) = (w.proposal(delayed).clone(), w.proposal(denied).clone());
    let mut state = w.state.clone();
    state.proposals.clear();
    state.ended.clear();
    let at = RippleTime(state.now().0 - 2 * DAY);
    for number in 1..=ended {
        let id = ProposalId(u64::try_from(number).unwrap());
        let of = if number <= 100 { &stays } else { &leaves };
        state.proposals.insert(id, Proposal { id, ..of.clone() });
        state.ended.insert(id, at);
    }
    let observation = w.next_ledger(4);
    let input = Input::Ledger { observation, wall_ms: 8_000 };
    let output = step(&w.config, &mut state, &mut w.runtime, input).unwrap();
    output.events.iter().filter(|event| matches!(event, Event::ProposalArchived { .. })).count()
}

#[test]
fn where_there_are_too_many_it_is_looked_further_and_no_more_leave_at_once_than_may() {
    assert_eq!(leave_at_once(KEPT_MAX + 100), 64);
    assert_eq!(leave_at_once(KEPT_MAX), 0, "those that must stay come first");
    assert_eq!(leave_at_once(100), 0);
}
