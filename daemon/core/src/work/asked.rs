//! What every request of a person is checked for.

use crate::model::command::{CommandError, NOTE_MAX};
use crate::model::config::{Person, Role};
use crate::model::proposal::Proposal;
use crate::model::units::ProposalId;
use crate::work::cx::Cx;

pub(crate) fn needs(person: &Person, role: Role) -> Result<(), CommandError> {
    if person.roles.contains(&role) { Ok(()) } else { Err(CommandError::RoleMissing(role)) }
}

pub(crate) fn checked_text(field: &'static str, text: &str) -> Result<(), CommandError> {
    if text.len() > NOTE_MAX {
        let problem = format!("{} bytes; at most {NOTE_MAX}", text.len());
        return Err(CommandError::BadValue { field, problem });
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(CommandError::BadValue { field, problem: "holds control characters".to_owned() });
    }
    Ok(())
}

/// The reason of a stop, as it is kept. Nobody whose words are too long, or not as words should be, is left with money going
/// out: what does not fit is left out, and what is no letter is a space.
pub(crate) fn stop_reason(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(NOTE_MAX));
    if checked_text("reason", &reason).is_err() {
        let kept = |c: char| if c.is_control() && c != '\n' && c != '\t' { ' ' } else { c };
        reason = reason.replace("\r\n", "\n").chars().map(kept).collect();
    }
    reason
}

pub(crate) fn find<'a>(cx: &'a Cx<'_>, id: ProposalId) -> Result<&'a Proposal, CommandError> {
    // What has left the state has ended, and its end is what there is to say.
    let archived = cx.archived.as_deref().filter(|archived| archived.id == id);
    cx.state.proposals.get(&id).or(archived).ok_or(CommandError::UnknownProposal(id))
}

pub(crate) fn wrong_state(proposal: &Proposal, problem: &'static str) -> CommandError {
    CommandError::WrongState { proposal: proposal.id, status: proposal.status.word(), problem }
}
