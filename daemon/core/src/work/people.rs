//! What people ask for: checked first, and only then a fact.

use crate::model::command::{Actor, Answer, Command, CommandError, Propose};
use crate::model::config::{Person, Role, Signing, Tier};
use crate::model::event::Event;
use crate::model::intent::{Asker, Intent, IntentKind, Origin, Pay};
use crate::model::proposal::{Rejection, Status};
use crate::model::signing::RungSignatures;
use crate::model::state::Sight;
use crate::model::units::{Asset, ProposalId, RippleTime};
use crate::model::wait::Wait;
use crate::rules::decide::Question;
use crate::rules::doomed;
use crate::rules::multisign;
use crate::work::asked::{checked_text, find, needs, stop_reason, wrong_state};
use crate::work::behaviour;
use crate::work::breaker;
use crate::work::cx::Cx;
use crate::work::drill;
use crate::work::flow::{self, Draft};
use crate::work::stopping;
use crate::work::submission::end_or_void;
use crate::work::{address_book, charter};

/// Proposals that may take a place of one account. Each takes a Ticket, of which an account may hold 250; this leaves room for the
/// daemon's own errands.
pub(crate) const PLACES_MAX: usize = 200;

/// And how many of these may be taken by what one person asked for, or by schedules: a program that asks for too much must not lock
/// the others out.
pub(crate) const PLACES_OF_ONE_MAX: usize = 100;

/// The most proposals of one person that may come to nothing within [`FOR_NOTHING_SECONDS`].
const FOR_NOTHING_MAX: usize = 100;

/// An hour of ledger time.
const FOR_NOTHING_SECONDS: u32 = 3_600;

/// The shortest deadline that may be asked for, in seconds: under a minute nobody can look and sign.
pub(crate) const DEADLINE_MIN_SECONDS: u32 = 60;

const IDEMPOTENCY_KEY_MAX: usize = 100;

/// Does what was asked, or says why not. A refusal changes nothing.
pub(crate) fn command(cx: &mut Cx<'_>, actor: &Actor, command: Command) -> Result<Answer, CommandError> {
    cx.origin = actor.origin;
    let answer = carried_out(cx, actor, command);
    // Whatever else follows in this step is the daemon's own doing.
    cx.origin = Origin::Daemon;
    answer
}

fn carried_out(cx: &mut Cx<'_>, actor: &Actor, command: Command) -> Result<Answer, CommandError> {
    let person = cx
        .config
        .people
        .get(&actor.person)
        .ok_or_else(|| CommandError::UnknownPerson(actor.person.clone()))?
        .clone();
    match command {
        Command::Propose(propose) => self::propose(cx, &person, propose),
        Command::Approve { proposal, signatures } => approve(cx, &person, proposal, signatures),
        Command::Retract { proposal } => retract(cx, &person, proposal),
        Command::Reject { proposal, reason } => reject(cx, &person, proposal, reason),
        Command::Withdraw { proposal } => withdraw(cx, &person, proposal),
        Command::Void { proposal, reason } => stopping::void(cx, &person, proposal, reason),
        Command::FlagDestination { destination, reason } => {
            stopping::flag_destination(cx, &person, destination, reason)
        }
        Command::Panic { reason } => stopping::panic(cx, &person, reason),
        Command::Flag { proposal, reason } => stopping::flag(cx, &person, proposal, reason),
        Command::Acknowledge { findings, reason } => stopping::acknowledge(cx, &person, &findings, reason),
        Command::AcknowledgeNotices { notices, reason } => {
            stopping::acknowledge_notices(cx, &person, notices, reason)
        }
        Command::Lift { stops, reason } => stopping::lift(cx, &person, &stops, reason),
        Command::Clear { proposal, reason } => stopping::clear(cx, &person, proposal, reason),
        Command::AnswerDrill { signing_pub_key, signature } => {
            drill::answer(cx, &person, &signing_pub_key, &signature)
        }
        Command::Freeze { account, reason } => stopping::freeze(cx, &person, account, reason),
        Command::Unfreeze { account, reason } => stopping::unfreeze(cx, &person, account, reason),
        Command::ActivatePolicy { policy, reason } => charter::activate(cx, &person, policy, reason),
        Command::ConfirmDestination { destination, reason } => {
            address_book::confirm(cx, &person, destination, reason)
        }
        Command::CloseBreaker { account } => {
            needs(&person, Role::Admin)?;
            Ok(Answer::Done { changed: breaker::close(cx, &person.name, account) })
        }
    }
}

/// The proposal that this person has made with the same key already: the answer to a request that is repeated,
/// whatever has changed meanwhile.
///
/// # Errors
/// Where it asks for something else.
fn repeated(cx: &Cx<'_>, person: &Person, propose: &Propose) -> Result<Option<ProposalId>, CommandError> {
    let Some(key) = &propose.idempotency_key else { return Ok(None) };
    let known = cx.state.idempotency.get(&(person.name.clone(), key.clone()));
    let asker = Asker::Person(person.name.clone());
    let archived = cx
        .archived
        .as_deref()
        .filter(|archived| archived.idempotency_key.as_ref() == Some(key) && archived.asker == asker);
    let Some(proposal) = known.and_then(|id| cx.state.proposals.get(id)).or(archived) else {
        return Ok(None);
    };
    let id = proposal.id;
    let same_deadline = match propose.deadline_seconds {
        Some(seconds) => seconds == proposal.deadline_seconds,
        None => proposal.deadline_asked.is_none(),
    };
    let same = proposal.account == propose.account
        && proposal.intent == wanted(propose)
        && proposal.note == propose.note
        && same_deadline;
    if same { Ok(Some(id)) } else { Err(CommandError::IdempotencyConflict(id)) }
}

fn wanted(propose: &Propose) -> Intent {
    Intent::Pay(Pay {
        destination: propose.destination,
        destination_tag: propose.destination_tag,
        amount: propose.amount,
    })
}

fn propose(cx: &mut Cx<'_>, person: &Person, propose: Propose) -> Result<Answer, CommandError> {
    if let Some(proposal) = repeated(cx, person, &propose)? {
        return Ok(Answer::Proposed { proposal });
    }
    needs(person, Role::Proposer)?;
    checked_text("note", &propose.note)?;
    let declared = cx
        .config
        .accounts
        .get(&propose.account)
        .filter(|account| account.signing == Signing::Multi)
        .filter(|account| matches!(account.tier, Tier::Cold | Tier::Warm | Tier::Hot));
    if declared.is_none() {
        return Err(CommandError::UnknownAccount(propose.account));
    }
    let bad = |field, problem: String| Err(CommandError::BadValue { field, problem });
    if propose.amount.is_zero() || propose.amount.is_negative() {
        return bad("amount", "must be more than zero".to_owned());
    }
    match propose.amount.issue() {
        Asset::Mpt(_) => {
            let problem = "must be of XRP or of an issued currency: multi-purpose tokens are not paid";
            return bad("amount", problem.to_owned());
        }
        Asset::Issued { issuer, .. } if issuer == propose.account => {
            return bad(
                "amount",
                "is of what the paying account issues itself: the daemon issues nothing".to_owned(),
            );
        }
        Asset::Issued { .. } | Asset::Xrp => {}
    }
    if propose.destination == propose.account {
        return bad("destination", "is the paying account itself".to_owned());
    }
    if doomed::is_black_hole(&propose.destination) {
        return bad("destination", "is an account that nobody has a key of".to_owned());
    }
    let intent = wanted(&propose);
    let payment = intent.movement();
    if let Some(Wait::Recipient(_, problem)) =
        payment.and_then(|payment| doomed::recipient(cx.state, &propose.account, &payment))
    {
        return bad("destination", format!("cannot be paid so: {problem}"));
    }
    let longest = cx.config.timing.deadline_max_seconds;
    let mut deadline_seconds = propose.deadline_seconds.unwrap_or(cx.config.timing.deadline_seconds);
    if !(DEADLINE_MIN_SECONDS..=longest).contains(&deadline_seconds) {
        return bad("deadline_seconds", format!("must be from {DEADLINE_MIN_SECONDS} to {longest}"));
    }
    if propose.idempotency_key.as_ref().is_some_and(|key| key.is_empty() || key.len() > IDEMPOTENCY_KEY_MAX) {
        return bad("idempotency_key", format!("must be 1 to {IDEMPOTENCY_KEY_MAX} bytes"));
    }
    if let Sight::Lost(reason) = &cx.state.sight {
        return Err(CommandError::NoSight(reason.clone()));
    }
    let asker = Asker::Person(person.name.clone());
    let (mut of_account, mut of_asker) = (0, 0);
    for proposal in cx.state.taking_a_place(propose.account) {
        of_account += 1;
        of_asker += usize::from(proposal.asker == asker && proposal.occurrence.is_none());
    }
    if of_account >= PLACES_MAX {
        return Err(CommandError::TooManyOpen(of_account));
    }
    if of_asker >= PLACES_OF_ONE_MAX {
        return Err(CommandError::TooManyOpenOfYours(of_asker));
    }
    // People are told of each, and what is told of nothing keeps them from hearing of what matters.
    let lately = RippleTime(cx.now().0.saturating_sub(FOR_NOTHING_SECONDS));
    let ended = cx.state.ended.iter().filter(|(_, at)| **at > lately);
    let for_nothing = ended
        .filter_map(|(id, _)| cx.state.proposals.get(id))
        .filter(|proposal| proposal.asker == asker && proposal.occurrence.is_none())
        .filter(|proposal| proposal.status.ended_without_effect())
        // What somebody's panic ended is not for nothing by the asker's doing.
        .filter(|proposal| !proposal.rejections.values().any(|rejection| rejection.panic))
        .count();
    if for_nothing >= FOR_NOTHING_MAX {
        return Err(CommandError::TooManyForNothing(for_nothing));
    }
    let question = Question::new(cx.config, cx.state, propose.account, &asker, &intent, cx.now());
    let decision = question.with(&propose.inquiry).decide_with_shadow();
    if decision.obligations.delay.is_some() {
        // FinishAfter is counted from the deadline, so a long one would only lengthen the delay. Asked
        // for in so many words it is refused; the default is shortened.
        let most = cx.config.timing.delayed_deadline_max_seconds;
        if deadline_seconds > most {
            if propose.deadline_seconds.is_some() {
                return bad("deadline_seconds", format!("must be at most {most} for a delayed payment"));
            }
            deadline_seconds = most;
        }
    }
    let draft = Draft {
        account: propose.account,
        intent,
        asker,
        note: propose.note,
        deadline_seconds,
        decision,
        idempotency_key: propose.idempotency_key,
        occurrence: None,
        inquiry: propose.inquiry,
    };
    Ok(Answer::Proposed { proposal: flow::draft_asked(cx, draft, propose.deadline_seconds) })
}

fn approve(
    cx: &mut Cx<'_>,
    person: &Person,
    id: ProposalId,
    given: RungSignatures,
) -> Result<Answer, CommandError> {
    let proposal = find(cx, id)?;
    if person.signer != Some(given.signer) {
        return Err(CommandError::NotYourSigner(given.signer));
    }
    let same = proposal.approvals.get(&given.signer).is_some_and(|known| {
        known.signing_pub_key == given.signing_pub_key
            && known.signatures == given.signatures
            && known.void_signatures == given.void_signatures
    });
    if same {
        return Ok(Answer::Done { changed: false });
    }
    if !matches!(proposal.status, Status::Collecting | Status::Ready) {
        return Err(wrong_state(proposal, "it takes no approvals now"));
    }
    let Some(plan) = proposal.plan.as_ref().filter(|plan| cx.state.now() <= plan.deadline) else {
        return Err(CommandError::DeadlinePassed(id));
    };
    if let Err(refused) = multisign::check(cx.state, &proposal.account, plan, &given) {
        behaviour::signature_refused(cx, &person.name, id);
        return Err(refused);
    }
    let approval = flow::approval(cx, given, Some(person.name.clone()));
    cx.emit(Event::Approved { proposal: id, approval });
    flow::advance(cx, id);
    Ok(Answer::Done { changed: true })
}

fn retract(cx: &mut Cx<'_>, person: &Person, id: ProposalId) -> Result<Answer, CommandError> {
    let proposal = find(cx, id)?;
    let Some(signer) = person.signer.filter(|signer| proposal.approvals.contains_key(signer)) else {
        return Ok(Answer::Done { changed: false });
    };
    if !matches!(proposal.status, Status::Collecting | Status::Ready) && !proposal.was_called_back() {
        return Err(wrong_state(proposal, "approvals can be taken back only before submission"));
    }
    let reason = format!("taken back by {}", person.name);
    cx.emit(Event::ApprovalDropped { proposal: id, signer, reason });
    flow::reopen(cx, id);
    Ok(Answer::Done { changed: true })
}

fn reject(cx: &mut Cx<'_>, person: &Person, id: ProposalId, reason: String) -> Result<Answer, CommandError> {
    let reason = stop_reason(reason);
    let proposal = find(cx, id)?;
    if proposal.intent.kind() == IntentKind::CancelEscrow {
        return Err(wrong_state(proposal, "it brings money back, and nothing stops that"));
    }
    if !proposal.can_be_ended() {
        return Err(wrong_state(proposal, "it can be rejected only before submission"));
    }
    let list = multisign::signer_list(cx.state, &proposal.account);
    let signer = person.signer.filter(|signer| list.is_some_and(|list| list.entries.contains_key(signer)));
    if signer.is_none() {
        needs(person, Role::Approver)?;
    }
    let withdrawn = signer.filter(|signer| proposal.approvals.contains_key(signer));
    if let Some(signer) = withdrawn {
        let reason = format!("{} rejects the proposal", person.name);
        cx.emit(Event::ApprovalDropped { proposal: id, signer, reason });
    }
    let at = cx.point();
    let is_first = !find(cx, id)?.rejections.contains_key(&person.name);
    // Said once it is said: each time more would be a record, and a notice to everybody.
    if !is_first && withdrawn.is_none() {
        return Ok(Answer::Done { changed: false });
    }
    let rejection = Rejection { signer, reason, origin: Some(cx.origin), panic: false, at };
    cx.emit(Event::Objected { proposal: id, person: person.name.clone(), rejection });
    if is_first {
        behaviour::rejected(cx, id);
    }
    flow::reopen(cx, id);
    let proposal = find(cx, id)?;
    let against = proposal.rejections.values().filter_map(|rejection| rejection.signer).collect();
    let (obligations, asker) = (&proposal.decision.obligations, &proposal.asker);
    let reachable = multisign::signer_list(cx.state, &proposal.account)
        .is_some_and(|list| multisign::reachable_without(cx.config, list, obligations, asker, &against));
    // A payment that a schedule asks for and the agents alone sign has nobody else who could say no to it.
    let unattended = proposal.occurrence.is_some() && obligations.agents_sign();
    let ends = unattended || !reachable;
    if ends {
        end_or_void(cx, id, Status::Rejected);
    }
    Ok(Answer::Rejected { ended: ends })
}

fn withdraw(cx: &mut Cx<'_>, person: &Person, id: ProposalId) -> Result<Answer, CommandError> {
    let proposal = find(cx, id)?;
    if proposal.asker != Asker::Person(person.name.clone()) {
        needs(person, Role::Admin)?;
    }
    match &proposal.status {
        Status::Withdrawn => Ok(Answer::Done { changed: false }),
        _ if proposal.can_be_ended() => {
            end_or_void(cx, id, Status::Withdrawn);
            Ok(Answer::Done { changed: true })
        }
        _ if proposal.is_being_voided() => Ok(Answer::Done { changed: false }),
        _ => Err(wrong_state(proposal, "it can be withdrawn only before submission")),
    }
}
