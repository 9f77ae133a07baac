//! Which commands others do not hold up, and what that must not turn round.

use std::collections::BTreeMap;

use treasury_core::stops::{StopKind, Subject};
use treasury_core::units::{ProposalId, RequestId, StopId};
use treasury_core::{Answer, Command, CommandError, Input, State};

/// So many are remembered of each: far more than is stopped or taken back while anything waits to be taken in.
const REMEMBERED_MAX: usize = 10_000;

/// What stopped something while what people had asked for before may still wait, or is on its way here: that would be done after it,
/// and stand.
#[derive(Debug, Default)]
pub(super) struct Overtaken {
    /// What people took back of what they may have approved.
    taken_back: BTreeMap<(String, ProposalId), RequestId>,
    /// What people were told that it stands, because they asked for it: a new one, or one that had been set before.
    stopped: BTreeMap<StopId, RequestId>,
    /// What people wanted voided. Where the signatures over the void did not suffice yet, one that waits must not make it leave.
    voided: BTreeMap<ProposalId, RequestId>,
    /// The last panic.
    panicked: Option<RequestId>,
}

impl Overtaken {
    /// Notes that a person takes back, or rejects, what they may have approved. Whether that is refused does not matter: they do not
    /// want it any more.
    pub(super) fn asked(&mut self, input: &Input) {
        if let Input::Command { request, actor, command, .. } = input
            && let Command::Retract { proposal } | Command::Reject { proposal, .. } = command
        {
            self.taken_back.insert((actor.person.clone(), *proposal), *request);
            forget_the_oldest(&mut self.taken_back);
        }
    }

    /// Notes what is said to stand.
    pub(super) fn answered(&mut self, request: RequestId, answer: &Result<Answer, CommandError>) {
        match answer {
            Ok(Answer::Stopped { stop, .. }) => {
                self.stopped.insert(*stop, request);
                forget_the_oldest(&mut self.stopped);
            }
            Ok(Answer::Panicked(_)) => self.panicked = Some(request),
            Err(CommandError::NoVoid { proposal, .. }) => {
                self.voided.insert(*proposal, request);
                forget_the_oldest(&mut self.voided);
            }
            _ => {}
        }
    }

    /// The request and why it is refused, where it is an approval that the same person has taken back since, or would lift what
    /// somebody was told since that it stands.
    pub(super) fn refuses(&self, state: &State, input: &Input) -> Option<(RequestId, CommandError)> {
        let Input::Command { request, actor, command, .. } = input else { return None };
        let is_since = |since: &RequestId| request.0 < since.0;
        if let Command::Approve { proposal, .. } = command {
            let proposal = *proposal;
            let own = self.taken_back.get(&(actor.person.clone(), proposal)).filter(|since| is_since(since));
            let problem = match (own, self.voided.get(&proposal).filter(|since| is_since(since))) {
                (Some(_), _) => "you have taken it back, or rejected it, since you asked for this",
                (None, Some(_)) => "somebody has asked for its void since you asked for this",
                (None, None) => return None,
            };
            let status = state.proposals.get(&proposal).map_or("gone", |proposal| proposal.status.word());
            return Some((*request, CommandError::WrongState { proposal, status, problem }));
        }
        let since = self.stopped.iter().filter(|(_, since)| is_since(since)).map(|(stop, _)| *stop);
        let stops: Vec<StopId> = since.filter(|stop| would_lift(state, command, *stop)).collect();
        let panicked = self.panicked.filter(is_since).is_some() && lifts(command);
        (panicked || !stops.is_empty()).then_some((*request, CommandError::StoppedSince(stops)))
    }
}

/// The commands that let go of what is stopped.
fn lifts(command: &Command) -> bool {
    matches!(command, Command::Lift { .. } | Command::Unfreeze { .. } | Command::Clear { .. })
}

/// Whether it would lift this stop, or might.
fn would_lift(state: &State, command: &Command, id: StopId) -> bool {
    let Some(stop) = state.stops.get(id) else { return false };
    match command {
        Command::Lift { stops, .. } => stops.contains(&id),
        Command::Unfreeze { account, .. } => {
            stop.kind == StopKind::Freeze
                && stop.subject == account.map_or(Subject::Everything, Subject::Account)
        }
        // Of a proposal or of the escrow that came of it.
        Command::Clear { proposal, .. } => {
            let known = state.proposals.get(proposal);
            let made = known.and_then(|known| known.release_inputs()).map(|inputs| inputs.escrow);
            let ended = known.and_then(|known| known.intent.ended_escrow());
            let escrows = made.into_iter().chain(ended).map(Subject::Escrow);
            let mut subjects = escrows.chain([Subject::Proposal(*proposal)]);
            stop.kind == StopKind::Hold && subjects.any(|subject| subject == stop.subject)
        }
        _ => false,
    }
}

fn forget_the_oldest<K: Ord>(of: &mut BTreeMap<K, RequestId>) {
    if of.len() > REMEMBERED_MAX
        && let Some(oldest) = of.values().min().copied()
    {
        of.retain(|_, request| *request != oldest);
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
