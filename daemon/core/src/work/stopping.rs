//! What people do about stops: flag, freeze, lift, and about what is signed: void, panic. Nothing that is asked here waits
//! for sight, a breaker or another stop: who wants to stop something can do so at any time. A void itself is a transaction,
//! and is sent while the ledger can be seen.

use crate::rules::gate::{self, Act};
use crate::work::guard;
use std::collections::BTreeSet;
use std::ops::Bound;

use crate::model::command::{Answer, CommandError, NOTICES_MAX, Panicked, WHO_ARE_WOKEN};
use crate::model::config::{Person, Role};
use crate::model::effect::Effect;
use crate::model::event::Event;
use crate::model::intent::{AskedBy, FinishEscrow, Intent};
use crate::model::proposal::{Proposal, Rejection, Status};
use crate::model::state::{Acknowledged, Guard, TrackedEscrow};
use crate::model::stops::{
    FINDING_STOPS_MAX, PERSON_DESTINATIONS_MAX, PERSON_STOPS_MAX, SAME_STOP_SECONDS, Stop, StopKind,
    StopSource, Subject,
};
use crate::model::units::{AccountId, EscrowKey, FindingId, ProposalId, StopId};
use crate::rules::findings::{can_be_held, can_be_withheld, may_be_called_back};
use crate::work::anomaly::{self, set_stop};
use crate::work::asked::{checked_text, find, needs, stop_reason, wrong_state};
use crate::work::cx::Cx;
use crate::work::{flow, submission};

pub(crate) fn flag(
    cx: &mut Cx<'_>,
    person: &Person,
    id: ProposalId,
    reason: String,
) -> Result<Answer, CommandError> {
    needs(person, Role::Security)?;
    let reason = stop_reason(reason);
    let proposal = find(cx, id)?;
    let subject = subject_of(proposal);
    let released = proposal.intent.ended_escrow().or(proposal.release_inputs().map(|inputs| inputs.escrow));
    // An expired proposal's Ticket may have made another's escrow since.
    let is_its_own = |tracked: &&TrackedEscrow| {
        proposal.intent.ended_escrow().is_some() || tracked.guard.proposal() == Some(id)
    };
    let released = released.and_then(|escrow| cx.state.escrows.get(&escrow)).filter(is_its_own);
    if released.is_some_and(|tracked| may_be_called_back(cx.state, tracked)) {
        let warning = "its fulfillment is on its way out, and unless this comes in time the money can be released all the same";
        return Ok(set(cx, person, subject, StopKind::Hold, reason, Some(warning.to_owned())));
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
    Ok(set(cx, person, subject, StopKind::Hold, reason, warning))
}

/// Sets a person's stop, unless they have set the same one already.
fn set(
    cx: &mut Cx<'_>,
    person: &Person,
    subject: Subject,
    kind: StopKind,
    reason: String,
    warning: Option<String>,
) -> Answer {
    if let Some(standing) = own_stop(cx, person, &subject, kind, &reason) {
        let says_else = cx.state.stops.get(standing).is_some_and(|stop| stop.reason != reason);
        let not_added = says_else.then(|| {
            format!("{PERSON_STOPS_MAX} of your stops stand on it; it is stopped, and this one was not added")
        });
        let warnings: Vec<String> = not_added.into_iter().chain(warning).collect();
        let warning = (!warnings.is_empty()).then(|| warnings.join("; "));
        return Answer::Stopped { stop: standing, changed: false, warning };
    }
    let stop = set_stop(cx, subject, kind, StopSource::Person(person.name.clone()), reason);
    guard::drive(cx);
    Answer::Stopped { stop, changed: true, warning }
}

/// Holds back whatever pays an account: one stop for what stands and for what comes.
pub(crate) fn flag_destination(
    cx: &mut Cx<'_>,
    person: &Person,
    destination: AccountId,
    reason: String,
) -> Result<Answer, CommandError> {
    needs(person, Role::Security)?;
    let (reason, subject) = (stop_reason(reason), Subject::Destination(destination));
    let own = StopSource::Person(person.name.clone());
    let is_held = |stop: &&Stop| matches!(stop.subject, Subject::Destination(_)) && stop.source == own;
    let held = cx.state.stops.all().filter(is_held).count();
    if held >= PERSON_DESTINATIONS_MAX
        && cx.state.stops.on(&subject).next().is_none()
        && !is_paid(cx, &subject)
    {
        return Err(CommandError::TooManyHeld(held));
    }
    stop(cx, person, subject, StopKind::Hold, reason)
}

/// Whether something that is under way touches the subject, or the configuration says that it is paid.
fn is_paid(cx: &Cx<'_>, subject: &Subject) -> bool {
    let mut open = cx.state.open.iter().filter_map(|id| cx.state.proposals.get(id));
    let Subject::Destination(destination) = subject else { return true };
    open.any(|proposal| gate::touches(cx.state, Act::of(proposal), subject))
        || cx.state.own_escrows_for(destination).next().is_some()
        || cx.config.destinations.contains_key(destination)
        || cx.config.accounts.contains_key(destination)
        || cx.config.schedules.iter().any(|schedule| schedule.to == *destination)
}

/// Sets a stop, and says what it comes too late for.
fn stop(
    cx: &mut Cx<'_>,
    person: &Person,
    subject: Subject,
    kind: StopKind,
    reason: String,
) -> Result<Answer, CommandError> {
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
    Ok(set(cx, person, subject, kind, reason, warning))
}

/// Sends the void of a proposal.
pub(crate) fn void(
    cx: &mut Cx<'_>,
    person: &Person,
    id: ProposalId,
    reason: String,
) -> Result<Answer, CommandError> {
    needs(person, Role::Security)?;
    let reason = stop_reason(reason);
    let proposal = find(cx, id)?;
    if proposal.is_being_voided() || matches!(proposal.status, Status::Voided { .. }) {
        return Ok(Answer::Done { changed: false });
    }
    if proposal.status.is_final() {
        return Err(wrong_state(proposal, "nothing of it can be sent any more by the daemon"));
    }
    if proposal.plan.is_none() {
        let problem = "nobody can have signed it yet";
        return Err(CommandError::NoVoid { proposal: id, problem });
    }
    if proposal.plan.as_ref().is_none_or(|plan| plan.void.is_none()) {
        let problem = "policy did not ask for a void when it was sealed";
        return Err(CommandError::NoVoid { proposal: id, problem });
    }
    if !submission::can_void(cx, proposal) {
        let problem = "the signatures over its void do not reach the SignerQuorum";
        return Err(CommandError::NoVoid { proposal: id, problem });
    }
    // What has not left is not sent before its void.
    cx.effect(Effect::Recall);
    object(cx, person, id, reason, false);
    submission::void(cx, id);
    Ok(Answer::Done { changed: true })
}

/// Keeps with the proposal who ended it and why.
fn object(cx: &mut Cx<'_>, person: &Person, id: ProposalId, reason: String, panic: bool) {
    let rejection = Rejection { signer: None, reason, origin: Some(cx.origin), panic, at: cx.point() };
    cx.emit(Event::Objected { proposal: id, person: person.name.clone(), rejection });
}

/// Stops everything and takes back what can be taken back. All of it is in one step: what is answered has happened.
pub(crate) fn panic(cx: &mut Cx<'_>, person: &Person, reason: String) -> Result<Answer, CommandError> {
    needs(person, Role::Security)?;
    let reason = stop_reason(reason);
    let source = StopSource::Person(person.name.clone());
    let freeze = match own_stop(cx, person, &Subject::Everything, StopKind::Freeze, &reason) {
        Some(standing) => standing,
        None => set_stop(cx, Subject::Everything, StopKind::Freeze, source.clone(), reason.clone()),
    };
    // Who lifts the freeze has not looked at each of them: so each has a hold of its own.
    let own = cx.state.by_finish_after.iter().filter_map(|(_, key)| cx.state.escrows.get(key));
    let (open, out): (Vec<&TrackedEscrow>, Vec<&TrackedEscrow>) =
        own.partition(|tracked| can_be_withheld(cx.state, tracked));
    let revealed = out.iter().filter(|tracked| matches!(tracked.guard, Guard::Releasing { .. }));
    // This may call them back.
    let coming_back = out.iter().filter(|tracked| may_be_called_back(cx.state, tracked));
    let coming_back: Vec<EscrowKey> = coming_back.map(|tracked| tracked.view.key).collect();
    let mut found = Panicked {
        freeze,
        withheld: open.iter().map(|tracked| tracked.view.key).collect(),
        revealed: revealed.map(|tracked| tracked.view.key).collect(),
        ended: Vec::new(),
        voiding: Vec::new(),
        under_way: Vec::new(),
    };
    for key in found.withheld.iter().copied().chain(coming_back).collect::<Vec<_>>() {
        let subject = Subject::Escrow(key);
        if own_stop(cx, person, &subject, StopKind::Hold, &reason).is_none() {
            set_stop(cx, subject, StopKind::Hold, source.clone(), reason.clone());
        }
    }
    // Voids last: what is stopped after one was handed out would call it back.
    let can_void = |id: &ProposalId| {
        cx.state.proposals.get(id).is_some_and(|proposal| submission::can_void(cx, proposal))
    };
    let (voided, others): (Vec<_>, Vec<_>) = cx.state.open.iter().copied().partition(can_void);
    for id in others.into_iter().chain(voided) {
        close(cx, person, id, &reason, &mut found);
    }
    for told in [&mut found.ended, &mut found.voiding, &mut found.under_way] {
        told.sort_unstable();
    }
    guard::drive(cx);
    Ok(Answer::Panicked(found))
}

/// Ends an open proposal in the way that is left for it. The daemon's own errands that bring money back go on.
fn close(cx: &mut Cx<'_>, person: &Person, id: ProposalId, reason: &str, found: &mut Panicked) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    if proposal.intent.row().asked_by == AskedBy::Errands {
        return;
    }
    if proposal.is_being_voided() {
        found.voiding.push(id);
    } else if matches!(proposal.status, Status::InFlight(_)) && !submission::can_void(cx, proposal) {
        found.under_way.push(id);
        // Who lifts the freeze has not looked at it: it is not sent again, and where it is applied all the same, the escrow
        // that may come of it waits.
        let subject = Subject::Proposal(id);
        if own_stop(cx, person, &subject, StopKind::Hold, reason).is_none() {
            let source = StopSource::Person(person.name.clone());
            set_stop(cx, subject, StopKind::Hold, source, reason.to_owned());
        }
    } else {
        object(cx, person, id, reason.to_owned(), true);
        submission::end_or_void(cx, id, Status::Withdrawn);
        let is_open = cx.state.open.contains(&id);
        if is_open { &mut found.voiding } else { &mut found.ended }.push(id);
    }
}

/// What a flag on a proposal stops. An attempt to release an escrow is one of many that may follow each other,
/// so the escrow is what is meant.
fn subject_of(proposal: &Proposal) -> Subject {
    proposal.intent.ended_escrow().map_or(Subject::Proposal(proposal.id), Subject::Escrow)
}

/// The stop that this person has just set on the same subject, for the same reason; or the newest of theirs, where there are
/// so many that one more would stop nothing and only be in the way of whoever lifts them.
fn own_stop(cx: &Cx<'_>, person: &Person, subject: &Subject, kind: StopKind, reason: &str) -> Option<StopId> {
    let own = StopSource::Person(person.name.clone());
    let standing: Vec<_> =
        cx.state.stops.on(subject).filter(|stop| stop.kind == kind && stop.source == own).collect();
    // While nothing is seen no time passes by the ledger, and nobody knows how long ago it was.
    let is_recent =
        |stop: &Stop| cx.state.sees() && cx.now().0 <= stop.at.close_time.0.saturating_add(SAME_STOP_SECONDS);
    let same = standing.iter().rev().find(|stop| stop.reason == reason && is_recent(stop));
    let newest = standing.last().filter(|_| standing.len() >= PERSON_STOPS_MAX);
    same.or(newest).map(|stop| stop.id)
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
    let reason = stop_reason(reason);
    let subject = freezable(cx, account)?;
    stop(cx, person, subject, StopKind::Freeze, reason)
}

fn freezable(cx: &Cx<'_>, account: Option<AccountId>) -> Result<Subject, CommandError> {
    match account {
        None => Ok(Subject::Everything),
        Some(account) if cx.config.accounts.contains_key(&account) => Ok(Subject::Account(account)),
        Some(unknown) => Err(CommandError::UnknownAccount(unknown)),
    }
}

/// Notes that findings were looked at: all of them, or none. Whoever watches may say so, and the first who does is kept.
pub(crate) fn acknowledge(
    cx: &mut Cx<'_>,
    person: &Person,
    findings: &BTreeSet<FindingId>,
    reason: String,
) -> Result<Answer, CommandError> {
    needs(person, Role::Security)?;
    says_something(&reason)?;
    if let Some(unknown) = findings.iter().find(|id| !cx.state.findings.contains_key(*id)) {
        return Err(CommandError::UnknownFinding(*unknown));
    }
    let new = |id: &&FindingId| cx.state.findings.get(*id).is_some_and(|found| found.acknowledged.is_none());
    let new: Vec<FindingId> = findings.iter().filter(new).copied().collect();
    for id in &new {
        let acknowledged = Acknowledged { by: person.name.clone(), reason: reason.clone(), at: cx.point() };
        cx.emit(Event::FindingAcknowledged { id: *id, acknowledged });
    }
    Ok(Answer::Done { changed: !new.is_empty() })
}

fn says_something(reason: &str) -> Result<(), CommandError> {
    checked_text("reason", reason)?;
    if reason.trim().is_empty() {
        let problem = "says nothing; say what came of it".to_owned();
        return Err(CommandError::BadValue { field: "reason", problem });
    }
    Ok(())
}

/// The longest id of a notice.
const NOTICE_ID_MAX: usize = 200;

/// Notes who looks after what was told. It keeps others from being woken, so it is for those who are there to be woken:
/// nobody who may only ask for payments.
pub(crate) fn acknowledge_notices(
    cx: &mut Cx<'_>,
    person: &Person,
    notices: BTreeSet<String>,
    reason: String,
) -> Result<Answer, CommandError> {
    if !WHO_ARE_WOKEN.iter().any(|role| person.roles.contains(role)) {
        return Err(CommandError::RoleMissing(Role::Security));
    }
    says_something(&reason)?;
    let is_plain = |id: &String| {
        (1..=NOTICE_ID_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if notices.is_empty() || notices.len() > NOTICES_MAX || !notices.iter().all(is_plain) {
        let problem = format!("one id of a notice, or at most {NOTICES_MAX}");
        return Err(CommandError::BadValue { field: "notices", problem });
    }
    let acknowledged = Acknowledged { by: person.name.clone(), reason, at: cx.point() };
    cx.emit(Event::NoticesAcknowledged { notices: notices.into_iter().collect(), acknowledged });
    Ok(Answer::Done { changed: true })
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
    let full = full_of_findings(cx, &subjects);
    let at = cx.point();
    for id in stops {
        cx.emit(Event::StopLifted { id: *id, by: person.name.clone(), reason: reason.clone(), at });
    }
    for (subject, kind, last) in full {
        stop_of_the_rest(cx, subject, kind, last);
    }
    let standing = still_binding(cx, subjects).into_iter().collect();
    for id in cx.state.open.clone() {
        flow::advance(cx, id);
    }
    Ok(Answer::Lifted { lifted: stops.iter().copied().collect(), standing })
}

/// Of these subjects those on which so many stops of findings stand that what was found since set none, with the last finding
/// that did.
fn full_of_findings(cx: &Cx<'_>, subjects: &BTreeSet<Subject>) -> Vec<(Subject, StopKind, FindingId)> {
    let full = |subject: &Subject, kind: StopKind| {
        let alike = cx.state.stops.on(subject).filter(|stop| stop.kind == kind);
        let of: Vec<FindingId> = alike
            .filter_map(|stop| match stop.source {
                StopSource::Finding(id) => Some(id),
                StopSource::Person(_) | StopSource::Daemon => None,
            })
            .collect();
        let last = of.iter().max().copied()?;
        (of.len() >= FINDING_STOPS_MAX).then(|| (subject.clone(), kind, last))
    };
    let kinds = [StopKind::Hold, StopKind::Freeze];
    subjects
        .iter()
        .flat_map(|subject| kinds.into_iter().filter_map(move |kind| full(subject, kind)))
        .collect()
}

/// Sets a stop for each finding that set none because there were so many, unless somebody has looked at it: who lifts the others
/// has not. The oldest first, and as many as there may be: where more are left, they have theirs when these are lifted.
fn stop_of_the_rest(cx: &mut Cx<'_>, subject: Subject, kind: StopKind, last: FindingId) {
    let had: BTreeSet<&StopSource> = cx.state.stops.lifted().map(|lifted| &lifted.stop.source).collect();
    let since = (Bound::Excluded(last), Bound::Unbounded);
    let since = cx.state.findings.range(since).map(|(_, finding)| finding).filter(|finding| {
        let sets = anomaly::stop_kind(finding.severity) == Some(kind);
        let had_its_own = || had.contains(&StopSource::Finding(finding.id));
        sets && finding.subject() == subject && finding.acknowledged.is_none() && !had_its_own()
    });
    let since = since.take(FINDING_STOPS_MAX).map(|finding| (finding.id, finding.evidence.clone()));
    for (id, evidence) in since.collect::<Vec<_>>() {
        set_stop(cx, subject.clone(), kind, StopSource::Finding(id), evidence);
    }
}

/// The stops that go on binding these subjects, or anything under way that a stop on one of them bound: by the gate's own
/// answer, so that nobody takes for free what is held by another stop.
fn still_binding(cx: &Cx<'_>, mut subjects: BTreeSet<Subject>) -> BTreeSet<StopId> {
    let (config, state) = (cx.config, &*cx.state);
    let open = state.open.iter().filter_map(|id| state.proposals.get(id));
    let bound = |act: Act<'_>| {
        let touched = subjects.iter().any(|subject| gate::touches(state, act, subject));
        let stops = if touched { gate::stops(config, state, act) } else { Vec::new() };
        stops.into_iter().map(|stop| stop.id).collect::<Vec<_>>()
    };
    let mut standing: BTreeSet<StopId> = open.flat_map(|proposal| bound(Act::of(proposal))).collect();
    if let Some(runner) = config.runner {
        for escrow in &state.standing {
            let finish = Intent::FinishEscrow(FinishEscrow { escrow: *escrow });
            standing.extend(bound(Act::errand(runner, &finish)));
        }
    }
    // And where nothing is under way that they would hold.
    subjects.insert(Subject::Everything);
    standing.extend(subjects.iter().flat_map(|subject| state.stops.on(subject)).map(|stop| stop.id));
    standing
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
