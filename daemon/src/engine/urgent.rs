//! Which commands others do not hold up.

use treasury_core::Command;

/// Whether it keeps something from leaving and can do nothing else.
pub(super) fn is_stop(command: &Command) -> bool {
    match command {
        Command::Flag { .. }
        | Command::FlagDestination { .. }
        | Command::Freeze { .. }
        | Command::Panic { .. }
        | Command::Void { .. }
        | Command::Reject { .. }
        | Command::Retract { .. }
        | Command::Withdraw { .. } => true,
        Command::Propose(_)
        | Command::Approve { .. }
        | Command::AnswerDrill { .. }
        | Command::Clear { .. }
        | Command::Acknowledge { .. }
        | Command::AcknowledgeNotices { .. }
        | Command::Lift { .. }
        | Command::Unfreeze { .. }
        | Command::ActivatePolicy { .. }
        | Command::ConfirmDestination { .. }
        | Command::CloseBreaker { .. } => false,
    }
}
