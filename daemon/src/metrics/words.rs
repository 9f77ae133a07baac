//! The words of labels.

use treasury_core::Treasury;
use treasury_core::gate::{self, Act};
use treasury_core::input::Input;
use treasury_core::intent::{FinishEscrow, Intent};
use treasury_core::state::{Guard, State, TrackedEscrow};

/// Where an escrow stands, in the words of the labels.
pub const GUARD_WORDS: [&str; 7] =
    ["foreign", "locked", "withheld", "releasing", "released", "cancelled", "gone"];

/// The word for where an escrow stands.
#[must_use]
pub fn guard_word(treasury: &Treasury, state: &State, escrow: &TrackedEscrow) -> &'static str {
    match &escrow.guard {
        Guard::Foreign => "foreign",
        Guard::Locked { .. } => {
            let finish = Intent::FinishEscrow(FinishEscrow { escrow: escrow.view.key });
            let act = Act::errand(treasury.runner.unwrap_or(escrow.view.key.owner), &finish);
            let held = !gate::stops(treasury, state, act).is_empty();
            if held { "withheld" } else { "locked" }
        }
        Guard::Releasing { .. } => "releasing",
        Guard::Released { .. } => "released",
        Guard::Cancelled { .. } => "cancelled",
        Guard::Gone { .. } => "gone",
    }
}

/// The kind of an input.
pub(super) fn input_word(input: &Input) -> &'static str {
    match input {
        Input::Command { .. } => "command",
        Input::Ledger { .. } => "ledger",
        Input::Reconciled { .. } => "reconciled",
        Input::SightLost { .. } => "sight_lost",
        Input::HistoryMissing { .. } => "history_missing",
        Input::EscrowDerived { .. } => "escrow_derived",
        Input::ConditionDerived { .. } => "condition_derived",
        Input::FulfillmentDerived { .. } => "fulfillment_derived",
        Input::GuardRefused { .. } => "guard_refused",
        Input::AgentSigned { .. } => "agent_signed",
        Input::SingleSigned { .. } => "single_signed",
        Input::SignFailed { .. } => "sign_failed",
        Input::SubmitAnswered { .. } => "submit_answered",
        Input::Tick { .. } => "tick",
        Input::LoginsRefused { .. } => "logins_refused",
        Input::Configured { .. } => "configured",
        Input::OpenLedgerFee { .. } => "open_ledger_fee",
    }
}
