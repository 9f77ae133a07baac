//! Which commands others do not hold up, and what that must not turn round.

use std::collections::BTreeMap;

use treasury_core::units::{ProposalId, RequestId};
use treasury_core::{Command, Input};

/// So many are remembered: far more than is taken back while anything waits to be taken in.
const TAKEN_BACK_MAX: usize = 10_000;

/// What people took back while what they had asked for before may still wait, or is on its way here: it would be done after that,
/// and stand.
#[derive(Debug, Default)]
pub(super) struct TakenBack {
    by: BTreeMap<(String, ProposalId), RequestId>,
}

impl TakenBack {
    /// Notes that a person takes back, or rejects, what they may have approved.
    pub(super) fn note(&mut self, input: &Input) {
        if let Input::Command { request, actor, command, .. } = input
            && let Command::Retract { proposal } | Command::Reject { proposal, .. } = command
        {
            self.by.insert((actor.person.clone(), *proposal), *request);
            if self.by.len() > TAKEN_BACK_MAX
                && let Some(oldest) = self.by.values().min().copied()
            {
                self.by.retain(|_, request| *request != oldest);
            }
        }
    }

    /// The request, where it is an approval that the same person has taken back since, and of what.
    pub(super) fn overtook(&self, input: &Input) -> Option<(RequestId, ProposalId)> {
        let Input::Command { request, actor, command: Command::Approve { proposal, .. }, .. } = input else {
            return None;
        };
        let since = self.by.get(&(actor.person.clone(), *proposal))?;
        (request.0 < since.0).then_some((*request, *proposal))
    }
}

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
