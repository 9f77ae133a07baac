//! What should be sent for an escrow.

use crate::model::config::Treasury;
use crate::model::intent::Intent;
use crate::model::state::State;
use crate::model::units::EscrowKey;
use crate::rules::escrow::due;
use crate::rules::gate::{self, Act};

/// What should be sent for this escrow now, if anything.
#[must_use]
pub fn wanted(config: &Treasury, state: &State, key: &EscrowKey) -> Option<Intent> {
    let intent = due(state, key)?;
    let runner = config.runner?;
    gate::may_leave(config, state, Act::errand(runner, &intent)).is_empty().then_some(intent)
}
