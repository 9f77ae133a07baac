//! What people do about stops: flag, freeze, lift. Nothing that is asked here waits for sight, a breaker or
//! another stop: who wants to stop something can do so at any time.

use crate::rules::gate::{self, Act};
use crate::work::guard;
use std::collections::BTreeSet;

use crate::model::command::{Answer, CommandError};
use crate::model::config::{Person, Role};
use crate::model::event::Event;
use crate::model::proposal::{Proposal, Status};
use crate::model::state::Guard;
use crate::model::stops::{Stop, StopKind, StopSource, Subject};
use crate::model::units::{AccountId, ProposalId, StopId};
use crate::rules::findings::can_be_held;
use crate::work::anomaly::set_stop;
use crate::work::asked::{checked_text, find, needs, wrong_state};
use crate::work::cx::Cx;
use crate::work::flow;

pub(crate) fn flag(
    cx: &mut Cx<'_>,
    person: &Person,
    id: ProposalId,
    reason: String,
) -> Result<Answer, CommandError> {
    needs(person, Role::Security)?;
    checked_text("reason", &reason)?;
    let proposal = find(cx, id)?;
    let subject = subject_of(proposal);
    if let Some(stop) = own_stop(cx, person, &subject, StopKind::Hold, &reason) {
        return Ok(Answer::Stopped { stop, changed: false, warning: None });
    }
    if !can_be_held(cx.state, proposal) {
        return Err(too_late(cx, proposal));
    }
    let warning = match &proposal.status {
        Status::InFlight(submission) if submission.may_have_left() => Some(match &submission.last_reply {
            Some(reply) => format!("it has been sent ({reply}) and may be applied all the same"),
            None => "it may have been sent, and may be applied all the same".to_owned(),
        }),
        _ => None,
    };
    let stop = set_stop(cx, subject, StopKind::Hold, StopSource::Person(person.name.clone()), reason);
    guard::drive(cx);
    Ok(Answer::Stopped { stop, changed: true, warning })
}

/// What a flag on a proposal stops. An attempt to release an escrow is one of many that may follow each other,
/// so the escrow is what is meant.
fn subject_of(proposal: &Proposal) -> Subject {
    proposal.intent.ended_escrow().map_or(Subject::Proposal(proposal.id), Subject::Escrow)
}

/// The stop that this person has set already on the same subject, for the same reason.
fn own_stop(cx: &Cx<'_>, person: &Person, subject: &Subject, kind: StopKind, reason: &str) -> Option<StopId> {
    let own = StopSource::Person(person.name.clone());
    let standing = cx.state.stops.on(subject);
    let mut same = standing.filter(|stop| stop.kind == kind && stop.source == own && stop.reason == reason);
    same.next().map(|stop| stop.id)
}

fn too_late(cx: &Cx<'_>, proposal: &Proposal) -> CommandError {
    let made = proposal.release_inputs().map(|inputs| inputs.escrow);
    let escrow = proposal.intent.ended_escrow().or(made);
    let tracked = escrow.and_then(|key| cx.state.escrows.get(&key));
    match tracked.map(|tracked| (tracked.view.key, &tracked.guard)) {
        Some((escrow, Guard::Releasing { .. })) => CommandError::Revealed { escrow },
        Some((escrow, Guard::Released { .. })) => CommandError::EscrowEnded { escrow, how: "released" },
        Some((escrow, Guard::Cancelled { .. })) => CommandError::EscrowEnded { escrow, how: "cancelled" },
        _ => wrong_state(proposal, "a hold would stop nothing any more"),
    }
}

pub(crate) fn freeze(
    cx: &mut Cx<'_>,
    person: &Person,
    account: Option<AccountId>,
    reason: String,
) -> Result<Answer, CommandError> {
    needs(person, Role::Security)?;
    checked_text("reason", &reason)?;
    let subject = freezable(cx, account)?;
    if let Some(stop) = own_stop(cx, person, &subject, StopKind::Freeze, &reason) {
        return Ok(Answer::Stopped { stop, changed: false, warning: None });
    }
    let under_way = cx.state.open.iter().filter_map(|id| cx.state.proposals.get(id)).filter(|proposal| {
        matches!(&proposal.status, Status::InFlight(submission) if submission.may_have_left())
            && gate::touches(cx.state, Act::of(proposal), &subject)
    });
    let under_way: Vec<String> = under_way.map(|proposal| proposal.id.to_string()).collect();
    let warning = (!under_way.is_empty()).then(|| {
        format!(
            "sent before and not validated yet, so they may be applied all the same: {}",
            under_way.join(", ")
        )
    });
    let stop = set_stop(cx, subject, StopKind::Freeze, StopSource::Person(person.name.clone()), reason);
    guard::drive(cx);
    Ok(Answer::Stopped { stop, changed: true, warning })
}

fn freezable(cx: &Cx<'_>, account: Option<AccountId>) -> Result<Subject, CommandError> {
    match account {
        None => Ok(Subject::Everything),
        Some(account) if cx.config.accounts.contains_key(&account) => Ok(Subject::Account(account)),
        Some(unknown) => Err(CommandError::UnknownAccount(unknown)),
    }
}

/// Lifts stops by their ids: all of them, or none.
pub(crate) fn lift(
    cx: &mut Cx<'_>,
    person: &Person,
    stops: &BTreeSet<StopId>,
    reason: String,
) -> Result<Answer, CommandError> {
    checked_text("reason", &reason)?;
    if stops.is_empty() {
        needs(person, Role::Security)?;
    }
    let mut subjects = BTreeSet::new();
    for id in stops {
        let Some(stop) = cx.state.stops.get(*id) else {
            needs(person, Role::Security)?;
            return Err(CommandError::UnknownStop(*id));
        };
        needs(person, may_lift(stop))?;
        subjects.insert(stop.subject.clone());
    }
    let at = cx.point();
    for id in stops {
        cx.emit(Event::StopLifted { id: *id, by: person.name.clone(), reason: reason.clone(), at });
    }
    // Stops on everything bind whatever was lifted just now, too.
    subjects.insert(Subject::Everything);
    let standing = subjects.iter().flat_map(|subject| cx.state.stops.on(subject));
    let standing = standing.map(|stop| stop.id).collect();
    for id in cx.state.open.clone() {
        flow::advance(cx, id);
    }
    Ok(Answer::Lifted { lifted: stops.iter().copied().collect(), standing })
}

fn may_lift(stop: &Stop) -> Role {
    match stop.kind {
        StopKind::Hold => Role::Security,
        StopKind::Freeze => Role::Admin,
    }
}

/// Lifts the one hold on a proposal or its escrow. Where several stand, each has to be named.
pub(crate) fn clear(
    cx: &mut Cx<'_>,
    person: &Person,
    id: ProposalId,
    reason: String,
) -> Result<Answer, CommandError> {
    needs(person, Role::Security)?;
    let proposal = find(cx, id)?;
    let mut subjects = vec![subject_of(proposal)];
    // An expired proposal's Ticket may have made another's escrow since.
    let made = proposal.release_inputs().map(|inputs| inputs.escrow).filter(|escrow| {
        cx.state.escrows.get(escrow).is_none_or(|tracked| tracked.guard.proposal() == Some(id))
    });
    subjects.extend(made.map(Subject::Escrow));
    let stops: Vec<StopId> = subjects
        .iter()
        .flat_map(|subject| cx.state.stops.on(subject))
        .filter(|stop| stop.kind == StopKind::Hold)
        .map(|stop| stop.id)
        .collect();
    lift_the_one(cx, person, &id.to_string(), stops, reason)
}

/// Lifts the one freeze on an account, or on everything. Where several stand, each has to be named.
pub(crate) fn unfreeze(
    cx: &mut Cx<'_>,
    person: &Person,
    account: Option<AccountId>,
    reason: String,
) -> Result<Answer, CommandError> {
    needs(person, Role::Admin)?;
    let subject = freezable(cx, account)?;
    let stops = cx.state.stops.on(&subject).filter(|stop| stop.kind == StopKind::Freeze);
    let stops: Vec<StopId> = stops.map(|stop| stop.id).collect();
    let standing: Vec<StopId> = cx.state.stops.on(&Subject::Everything).map(|stop| stop.id).collect();
    if stops.is_empty() {
        return Ok(Answer::Lifted { lifted: Vec::new(), standing });
    }
    lift_the_one(cx, person, &subject.to_string(), stops, reason)
}

fn lift_the_one(
    cx: &mut Cx<'_>,
    person: &Person,
    subject: &str,
    stops: Vec<StopId>,
    reason: String,
) -> Result<Answer, CommandError> {
    if stops.len() > 1 {
        return Err(CommandError::SeveralStops { subject: subject.to_owned(), stops });
    }
    lift(cx, person, &stops.into_iter().collect(), reason)
}
