//! The gate: the one place that says whether something may leave.
//!
//! It is asked before the daemon signs, before the first sending, before every sending after that, and in the
//! step that records a reveal; and what people are shown as the reason why something waits is its answer. It
//! looks at everything that the act touches: both ends of a movement, the link, the escrow, the proposal that
//! made it. So a stop that was set on any of them binds what comes later, too.
//!
//! What it never stops is taking money back: an EscrowCancel after CancelAfter, the Tickets it needs, and the void of what
//! was signed.

use std::collections::BTreeSet;

use crate::model::config::{TierLink, Treasury};
use crate::model::intent::{AskedBy, Asker, Ending, Intent, IntentKind};
use crate::model::proposal::{Occurrence, Proposal, Status};
use crate::model::state::{Guard, Sight, State, TrackedEscrow};
use crate::model::stops::{Stop, StopKind, Subject};
use crate::model::units::{AccountId, Asset, EscrowKey};
use crate::model::wait::Wait;
use crate::rules::escrow::{self, Phase};
use crate::rules::{decide, doomed, lacking, multisign};

/// `lsfDepositAuth`: only the account itself and those it has preauthorized may pay it or finish an escrow
/// to it.
const LSF_DEPOSIT_AUTH: u32 = 0x0100_0000;

/// Something that would leave: a proposal, or an errand that is only being thought of.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// The account that would send it.
    pub account: AccountId,
    /// What it would do.
    pub intent: &'a Intent,
    /// Who wants it.
    pub asker: &'a Asker,
    /// The proposal, where there is one already.
    pub proposal: Option<&'a Proposal>,
    /// The declared link that it is a move of, where that is known and need not be looked for.
    link: Option<&'a TierLink>,
}

impl<'a> Act<'a> {
    /// What a proposal would do.
    #[must_use]
    pub fn of(proposal: &'a Proposal) -> Self {
        Self {
            account: proposal.account,
            intent: &proposal.intent,
            asker: &proposal.asker,
            proposal: Some(proposal),
            link: None,
        }
    }

    /// An errand of the daemon's own that has not been drafted.
    #[must_use]
    pub fn errand(account: AccountId, intent: &'a Intent) -> Self {
        Self { account, intent, asker: &Asker::Daemon, proposal: None, link: None }
    }

    /// A move along a declared link that has not been drafted.
    #[must_use]
    pub fn along(link: &'a TierLink, intent: &'a Intent) -> Self {
        Self { link: Some(link), ..Self::errand(link.from, intent) }
    }

    /// Whether it is the void of a proposal that would leave: it moves nothing and lets nothing else move.
    fn voids(&self) -> bool {
        self.proposal.is_some_and(Proposal::is_being_voided)
    }

    /// The time at which a schedule has it due, where one asks for it.
    fn occurrence(&self) -> Option<&'a Occurrence> {
        self.proposal?.occurrence.as_ref()
    }

    /// Whether nobody has asked for it but a schedule, and nobody looks when it leaves.
    fn is_scheduled(&self) -> bool {
        self.occurrence().is_some()
    }

    fn in_flight(&self) -> bool {
        self.proposal.is_some_and(
            |proposal| matches!(&proposal.status, Status::InFlight(submission) if submission.may_have_left()),
        )
    }
}

/// What speaks against it now. It may leave only where this is empty.
#[must_use]
pub fn may_leave(config: &Treasury, state: &State, act: Act<'_>) -> Vec<Wait> {
    let mut against = Vec::new();
    if let Sight::Lost(reason) = &state.sight {
        against.push(Wait::Sight(reason.clone()));
    }
    let taking_back = takes_back(config, state, &act);
    if act.voids() {
        against.extend(in_doubt(state, &act).map(Wait::Reading));
        return against;
    }
    if !taking_back {
        against.extend(stops(config, state, act).into_iter().map(Wait::stop));
        // What is in flight has been counted; sending the same bytes again fails for no new reason.
        if (*act.asker == Asker::Daemon || act.is_scheduled()) && !act.in_flight() {
            let open = state.open_breakers(&act.account).next();
            against.extend(open.map(|(_, _, reason)| Wait::Breaker(reason.to_owned())));
        }
        if let Some(movement) = act.intent.movement()
            && let Some(link) = movement.link
            && drained(config, state, link, &movement.destination)
        {
            against.push(Wait::Drained(movement.destination));
        }
        against.extend(link(config, &act));
        against.extend(due(state, &act));
    }
    against.extend(unapproved(config, state, &act));
    against.extend(policy(config, state, &act));
    if !act.in_flight() {
        against.extend(doomed::doomed(state, &act.account, act.intent, act.proposal));
    }
    against.extend(in_doubt(state, &act).map(Wait::Reading));
    let over = act
        .proposal
        .filter(|_| !act.in_flight())
        .and_then(|proposal| proposal.plan.as_ref())
        .is_some_and(|plan| state.now() > plan.deadline);
    let too_late = act.occurrence().is_some_and(|occurrence| state.now() > occurrence.until);
    if over || too_late {
        against.push(Wait::Deadline);
    }
    if let Some((escrow, how)) = act.intent.ends()
        && let Some(tracked) = state.escrows.get(&escrow)
    {
        against.extend(against_end(config, state, tracked, how == Ending::Finish));
    }
    against
}

/// The approvals that what was recorded for sending, and was called back before it left, lacks by now: somebody has taken theirs back, or
/// counts no more. Of what may have left nothing is asked, the signatures are out.
fn unapproved(config: &Treasury, state: &State, act: &Act<'_>) -> Option<Wait> {
    let proposal = act.proposal?;
    let (Status::InFlight(submission), Some(plan)) = (&proposal.status, &proposal.plan) else { return None };
    if submission.may_have_left() || submission.signers.is_empty() {
        return None;
    }
    let list = multisign::signer_list(state, &proposal.account)?;
    let given = submission.signers.iter().filter(|signer| proposal.approvals.contains_key(*signer));
    let suffices = given.clone().count() == submission.signers.len()
        && multisign::tally(config, list, &plan.approvers, &proposal.asker, given).smallest_set().is_some();
    (!suffices).then(|| lacking::of(config, state, proposal))
}

/// The time at which a scheduled payment is due, if that is still to come. An escrow carries the time itself, as its
/// FinishAfter, and may be made before.
fn due(state: &State, act: &Act<'_>) -> Option<Wait> {
    let proposal = act.proposal.filter(|_| !act.in_flight())?;
    let due = proposal.occurrence.as_ref()?.due;
    let waits = proposal.decision.obligations.delay.is_none() && state.now() < due;
    waits.then_some(Wait::Due(due))
}

/// What policy says by now, where it, or how those whom it concerns are declared, is another than when the act was decided
/// on, and it asks for more. For an escrow's release it is asked
/// about the payment that made it: whatever else it may ask for has been done, but a denial still counts.
fn policy(config: &Treasury, state: &State, act: &Act<'_>) -> Option<Wait> {
    let (decided, for_release) = match (act.intent.row().asked_by, act.intent.released_escrow()) {
        (AskedBy::People | AskedBy::Links, _) => (act.proposal?, false),
        (AskedBy::Errands, Some(escrow)) => {
            // Also where its release was recorded and called back before it left.
            let tracked =
                state.escrows.get(&escrow).filter(|tracked| !escrow::is_revealed(state, tracked))?;
            (state.proposals.get(&tracked.guard.proposal()?)?, true)
        }
        (AskedBy::Errands, None) => return None,
    };
    if decide::stands(config, state, decided) {
        return None;
    }
    let again = if for_release { decide::again_in_escrow } else { decide::again };
    let now = again(config, state, decided);
    let stricter = if for_release {
        now.obligations.deny
    } else {
        now.obligations.is_stricter_than(&decided.decision.obligations)
    };
    stricter.then(|| Wait::Policy(now.rule()))
}

/// The link of a move that was drafted, where it is declared no more, for other accounts, or to move less at a time.
fn link(config: &Treasury, act: &Act<'_>) -> Option<Wait> {
    let movement = act.intent.movement().filter(|_| !act.in_flight())?;
    let name = movement.link?;
    let allows = |link: &TierLink| {
        let between = link.from == act.account && link.to == movement.destination;
        link.name == name && between && movement.amount <= link.move_max
    };
    let allowed = act.link.map_or_else(|| config.links.iter().any(allows), allows);
    (!allowed).then(|| Wait::Link(name.to_owned()))
}

/// An account that the act rests on and of which something may be unknown: one that it touches, or one that
/// signs for it, and whose keys may have changed.
fn in_doubt(state: &State, act: &Act<'_>) -> Option<AccountId> {
    if state.doubtful.is_empty() {
        return None;
    }
    // A void moves nothing: it rests on the account and on who signs for it.
    let subjects =
        if act.voids() { BTreeSet::from([Subject::Account(act.account)]) } else { subjects(state, act) };
    let movement = act.intent.movement();
    // Of an issuer's account its flags alone count, and those as they were proven last.
    let is_issuer_alone = |account: &AccountId| {
        movement.as_ref().is_some_and(|movement| {
            let issues =
                matches!(movement.amount.issue(), Asset::Issued { issuer, .. } if issuer == *account);
            issues && movement.destination != *account
        })
    };
    let touched = subjects.into_iter().filter_map(|subject| match subject {
        Subject::Account(account) | Subject::Destination(account) => Some(account),
        _ => None,
    });
    let touched = touched.filter(|account| !is_issuer_alone(account));
    let list = state.accounts.get(&act.account).and_then(|view| view.signer_list.as_ref());
    let signers = list.into_iter().flat_map(|list| list.entries.keys().copied());
    touched.chain(signers).find(|account| state.doubtful.contains(account))
}

/// The stops that bind it: those on whatever it touches. Nobody can stop taking back, and what is revealed is
/// stopped only by a freeze: then nothing more is sent for it.
#[must_use]
pub fn stops<'a>(config: &Treasury, state: &'a State, act: Act<'_>) -> Vec<&'a Stop> {
    if state.stops.is_empty() || takes_back(config, state, &act) {
        return Vec::new();
    }
    let released = act.intent.released_escrow().and_then(|escrow| state.escrows.get(&escrow));
    let revealed = released.is_some_and(|tracked| escrow::is_revealed(state, tracked));
    subjects(state, &act)
        .iter()
        .flat_map(|subject| state.stops.on(subject))
        .filter(|stop| !revealed || stop.kind == StopKind::Freeze)
        .collect()
}

/// Whether a stop on this subject would be one on the act.
#[must_use]
pub fn touches(state: &State, act: Act<'_>, subject: &Subject) -> bool {
    subjects(state, &act).contains(subject)
}

/// Everything that an act touches and that a stop can be on.
fn subjects(state: &State, act: &Act<'_>) -> BTreeSet<Subject> {
    let mut subjects = BTreeSet::from([Subject::Everything, Subject::Account(act.account)]);
    subjects.extend(act.proposal.map(|proposal| Subject::Proposal(proposal.id)));
    let mut receives = |to: AccountId| {
        subjects.insert(Subject::Destination(to));
        // A stop on an account binds also when the account is not declared any more.
        subjects.insert(Subject::Account(to));
    };
    if let Some(movement) = act.intent.movement() {
        receives(movement.destination);
        // What is issued goes over its issuer's account: whoever has that one's keys has what it issues.
        if let Asset::Issued { issuer, .. } = movement.amount.issue() {
            receives(issuer);
        }
    }
    let ended = act.intent.ended_escrow();
    let tracked = ended.and_then(|escrow| state.escrows.get(&escrow));
    if let Some(tracked) = tracked {
        receives(tracked.view.destination);
    }
    if let Some(escrow) = ended {
        subjects.insert(Subject::Account(escrow.owner));
        subjects.insert(Subject::Escrow(escrow));
    }
    let maker = tracked.and_then(|tracked| tracked.guard.proposal());
    subjects.extend(maker.map(Subject::Proposal));
    let made_by = maker.and_then(|maker| state.proposals.get(&maker)).map(|maker| &maker.intent);
    let links = [Some(act.intent), made_by].into_iter().flatten().filter_map(Intent::link);
    subjects.extend(links.map(|link| Subject::Link(link.to_owned())));
    // An escrow that a proposal would make is the proposal's; a stop may have been set on its key already.
    let made = act.proposal.and_then(Proposal::release_inputs).map(|inputs| inputs.escrow);
    subjects.extend(made.map(Subject::Escrow));
    subjects
}

/// Whether it brings money back and moves none: a void, an EscrowCancel, which the ledger takes only after CancelAfter,
/// and the runner's Tickets while an escrow waits for one.
fn takes_back(config: &Treasury, state: &State, act: &Act<'_>) -> bool {
    match (act.intent.ends(), act.intent.kind()) {
        _ if act.voids() => true,
        (Some((_, how)), _) => how == Ending::Cancel,
        (None, IntentKind::CreateTickets) => config.runner == Some(act.account) && waits_for_cancel(state),
        (None, _) => false,
    }
}

/// Whether an escrow of the daemon's own stands after its CancelAfter.
fn waits_for_cancel(state: &State) -> bool {
    let now = state.now();
    let due = (now, EscrowKey { owner: AccountId([0; 20]), sequence: 0 });
    state
        .by_finish_after
        .range(..due)
        .filter_map(|(_, key)| state.escrows.get(key))
        .any(|tracked| escrow::phase(state, tracked) == Phase::Over)
}

/// What speaks against ending an escrow in this way, beside stops.
fn against_end(config: &Treasury, state: &State, tracked: &TrackedEscrow, finish: bool) -> Vec<Wait> {
    let mut against = Vec::new();
    if !matches!(tracked.guard, Guard::Locked { .. } | Guard::Releasing { .. }) {
        against.push(Wait::Ended);
    }
    match (escrow::phase(state, tracked), finish) {
        (Phase::Open, true) | (Phase::Over, false) => {}
        (Phase::Waiting, true) => against.extend(escrow::not_before(state, tracked).map(Wait::FinishAfter)),
        (Phase::Over, true) => against.push(Wait::Over),
        (Phase::Waiting | Phase::Open, false) => {
            against.extend(tracked.view.cancel_after.map(Wait::CancelAfter))
        }
    }
    // After the reveal nothing is left to be protected: the fulfillment is public.
    if !finish || escrow::is_revealed(state, tracked) {
        return against;
    }
    if let Some(maker) = tracked.guard.proposal().and_then(|maker| state.proposals.get(&maker)) {
        // Signatures over a payment that people took back can still be sent by whoever has them. The
        // escrow then stands, and what stands against the people's will is not released.
        if !matches!(maker.status, Status::Validated(_)) {
            against.push(Wait::Unwanted(maker.status.word()));
        }
        let movement = maker.intent.movement();
        if let Some((link, to)) = movement.and_then(|movement| Some((movement.link?, movement.destination)))
            && drained(config, state, link, &to)
        {
            against.push(Wait::Drained(to));
        }
    }
    against.extend(destination(config, state, tracked));
    against
}

/// What at the destination would make the EscrowFinish fail. A reveal that cannot succeed is not made: the
/// fulfillment would be public and the money would still be there for whoever can finish it later.
fn destination(config: &Treasury, state: &State, tracked: &TrackedEscrow) -> Option<Wait> {
    let to = tracked.view.destination;
    let Some(view) = state.accounts.get(&to) else { return Some(Wait::Reading(to)) };
    let Some(root) = view.root else { return Some(Wait::Recipient(to, "it is not on the ledger")) };
    let authorized = config.runner == Some(to);
    if root.flags & LSF_DEPOSIT_AUTH != 0 && !authorized {
        return Some(Wait::Recipient(to, "it uses DepositAuth, and has not preauthorized the runner"));
    }
    None
}

/// Whether the account that the link fills has lost money to a spend that nobody proposed within the link's
/// period, and nobody has looked at it since: what is poured into it may leave in the same way.
fn drained(config: &Treasury, state: &State, link: &str, to: &AccountId) -> bool {
    let Some(robbed) = state.robbed.get(to) else { return false };
    let period = config.links.iter().find(|declared| declared.name == link).map(|link| link.period_seconds);
    robbed.close_time.0 >= state.now().0.saturating_sub(period.unwrap_or(u32::MAX))
}
