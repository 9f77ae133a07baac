//! The way of a proposal from draft to submission, and its ends.

use crate::rules::sealing::{make_plan, release_for, sealed_void, sufficient, transaction};
use crate::rules::{decide, doomed};
use crate::work::{behaviour, ending, guarded, reconcile};

use crate::model::command::CommandError;
use crate::model::config::Signing;
use crate::model::effect::Effect;
use crate::model::event::Event;
use crate::model::inquiry::Inquiry;
use crate::model::intent::{AskedBy, Asker, Intent, Origin};
use crate::model::observe::intent_digest;
use crate::model::policy::{Decision, Obligations};
use crate::model::proposal::{Approval, Occurrence, Proposal, Status};
use crate::model::signing::{Derived, FIRST_KEY, Party, RungSignatures};
use crate::model::units::{AccountId, Asset, Hash256, HexBytes, ProposalId};
use crate::rules::multisign;
use crate::work::cx::Cx;
use crate::work::submission;

/// A new proposal, before it has an id.
pub(crate) struct Draft {
    pub(crate) account: AccountId,
    pub(crate) intent: Intent,
    pub(crate) asker: Asker,
    pub(crate) note: String,
    pub(crate) deadline_seconds: u32,
    pub(crate) decision: Decision,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) occurrence: Option<Occurrence>,
    pub(crate) inquiry: Inquiry,
}

/// Drafts a proposal and takes it as far as it goes now.
pub(crate) fn draft(cx: &mut Cx<'_>, draft: Draft) -> ProposalId {
    draft_asked(cx, draft, None)
}

/// The same, with the deadline in the words of whoever asks.
pub(crate) fn draft_asked(cx: &mut Cx<'_>, draft: Draft, deadline_asked: Option<u32>) -> ProposalId {
    let id = ProposalId(cx.state.last_proposal.saturating_add(1));
    let status = if draft.decision.obligations.deny { Status::Denied } else { Status::Drafted };
    let proposal = Proposal {
        idempotency_key: None,
        id,
        account: draft.account,
        intent: draft.intent,
        // What the daemon drafts while it carries out what somebody asked for is its own.
        origin: Some(if draft.asker == Asker::Daemon { Origin::Daemon } else { cx.origin }),
        asker: draft.asker,
        note: draft.note,
        deadline_seconds: draft.deadline_seconds,
        deadline_asked,
        occurrence: draft.occurrence,
        inquiry: draft.inquiry,
        drafted: cx.point(),
        decision: draft.decision,
        plan: None,
        approvals: std::collections::BTreeMap::new(),
        kept_for_void: std::collections::BTreeMap::new(),
        rejections: std::collections::BTreeMap::new(),
        status,
    };
    let movement = proposal.intent.movement().filter(|_| !proposal.status.is_final());
    if let Some(movement) = movement {
        if movement.link.is_none() {
            reconcile::look_at(cx, movement.destination);
        }
        // Who has issued it may have frozen all of it.
        if let Asset::Issued { issuer, .. } = movement.amount.issue() {
            reconcile::look_at(cx, issuer);
        }
    }
    cx.emit(Event::ProposalDrafted { proposal: Box::new(proposal), idempotency_key: draft.idempotency_key });
    behaviour::drafted(cx, id);
    advance(cx, id);
    id
}

/// The decision on the daemon's own errands, which no rule of the table needs to name.
pub(crate) fn built_in(cx: &Cx<'_>, rule: &str) -> Decision {
    Decision {
        rules: vec![rule.to_owned()],
        policy_hash: cx.config.policy.hash(),
        obligations: Obligations::default(),
        inputs: crate::model::policy::DecisionInputs {
            destination_known: true,
            outflows: Vec::new(),
            risk: None,
            at: cx.now(),
            declared: None,
        },
        shadow: None,
    }
}

/// Takes every open proposal as far as it goes now.
pub(crate) fn drive(cx: &mut Cx<'_>) {
    for id in cx.state.open.clone() {
        salvage(cx, id);
        advance(cx, id);
    }
}

/// Takes a proposal as far as it goes now.
pub(crate) fn advance(cx: &mut Cx<'_>, id: ProposalId) {
    loop {
        let Some(proposal) = cx.state.proposals.get(&id) else { return };
        let before = proposal.status.word();
        match &proposal.status {
            Status::Drafted => plan(cx, id),
            Status::Assessed => freeze_or_ask(cx, id),
            Status::Collecting => collect(cx, id),
            Status::Ready => submit(cx, id),
            _ => return,
        }
        if cx.state.proposals.get(&id).is_none_or(|proposal| proposal.status.word() == before) {
            return;
        }
    }
}

/// What policy says by now of a draft, where that was decided otherwise and it asks for more. A void can still be sealed.
fn stricter_by_now(cx: &Cx<'_>, proposal: &Proposal) -> Option<Decision> {
    let asked = proposal.intent.row().asked_by != AskedBy::Errands;
    if !asked || decide::stands(cx.config, cx.state, proposal) {
        return None;
    }
    let (now, before) = (decide::again(cx.config, cx.state, proposal), &proposal.decision.obligations);
    let more = now.obligations.is_stricter_than(before) || (now.obligations.void && !before.void);
    more.then_some(now)
}

fn denied_by_now(cx: &Cx<'_>, proposal: &Proposal) -> Option<Decision> {
    stricter_by_now(cx, proposal).filter(|now| now.obligations.deny)
}

/// A new decision that takes nothing off what was asked for before: another policy can ask for more people and for no
/// delay, and the delay was promised to whoever looked at the draft.
fn beside(before: &Decision, now: Decision) -> Decision {
    let obligations = now.obligations.and(&before.obligations);
    let mut rules = now.rules;
    if obligations != now.obligations {
        let earlier: Vec<String> =
            before.rules.iter().filter(|rule| !rules.contains(rule)).cloned().collect();
        rules.extend(earlier);
    }
    Decision { rules, obligations, shadow: before.shadow.clone(), ..now }
}

/// Gives a drafted proposal its slot and its terms.
fn plan(cx: &mut Cx<'_>, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    // A draft may have waited for long. Where policy denies it by now, that is its end; where policy asks for more,
    // it is not sealed on the old terms.
    if let Some(now) = denied_by_now(cx, proposal) {
        cx.emit(Event::Redecided { proposal: id, decision: now });
        ending::end(cx, id, Status::Denied, true);
        return;
    }
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    if let Some(stricter) = stricter_by_now(cx, proposal) {
        let decision = beside(&proposal.decision, stricter);
        cx.emit(Event::Redecided { proposal: id, decision });
    }
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    // Nobody is asked to sign what the recipient cannot get, or what is frozen; the draft's deadline ends it.
    if doomed::before_signing(cx.state, proposal).is_some() {
        return;
    }
    if let Ok(plan) = make_plan(cx.config, cx.state, proposal) {
        cx.emit(Event::ProposalPlanned { proposal: id, plan });
    }
}

/// Fixes the transactions, or asks for the escrow's condition first.
fn freeze_or_ask(cx: &mut Cx<'_>, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    match proposal.release_inputs().cloned() {
        Some(inputs) => {
            if !cx.rests(id) && cx.runtime.asked.insert(id) {
                cx.effect(Effect::DeriveCondition { proposal: id, inputs });
            }
        }
        None => freeze(cx, id, None),
    }
}

/// The signer's answer with the condition of the escrow-to-be.
pub(crate) fn condition_derived(cx: &mut Cx<'_>, id: ProposalId, party: Party, derived: Derived) {
    let proposal = cx.state.proposals.get(&id);
    let asked = proposal.and_then(Proposal::release_inputs).is_some_and(|inputs| inputs.party == party);
    if !asked {
        return;
    }
    cx.runtime.asked.remove(&id);
    let waiting = proposal.is_some_and(|proposal| proposal.status == Status::Assessed);
    guarded::gave(cx, id, party);
    if waiting && xrpl_wire::condition::parse_condition(&derived.condition.0).is_ok() {
        freeze(cx, id, Some(derived));
        advance(cx, id);
    }
}

fn freeze(cx: &mut Cx<'_>, id: ProposalId, derived: Option<Derived>) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let Some(plan) = &proposal.plan else { return };
    let key_version = derived.as_ref().map_or(FIRST_KEY, |derived| derived.key_version);
    let condition = derived.map(|derived| derived.condition);
    let made: Option<Vec<(HexBytes, Hash256)>> = plan
        .fees
        .iter()
        .map(|fee| {
            let tx = transaction(cx.config, proposal, plan, condition.as_ref(), *fee)?;
            Some((HexBytes(tx.encode()), intent_digest(&tx).ok()?))
        })
        .collect();
    let void = sealed_void(cx.config, proposal, plan);
    match made.filter(|_| plan.void.is_some() == void.is_some()) {
        Some(made) => {
            let (rungs, digests) = made.into_iter().unzip();
            cx.emit(Event::RungsFrozen { proposal: id, rungs, digests, condition, key_version, void });
        }
        // Its values were checked when it was drafted; what the ledger could not take ends here.
        None => ending::end(cx, id, Status::Withdrawn, true),
    }
}

/// Asks the daemon's own signers where policy lets them sign, and sees whether it is enough.
fn collect(cx: &mut Cx<'_>, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let Some(plan) = &proposal.plan else { return };
    let account = proposal.account;
    let single = cx.config.accounts.get(&account).is_some_and(|declared| declared.signing == Signing::Single);
    if !single && sufficient(cx.config, cx.state, proposal) {
        cx.emit(Event::StatusChanged { proposal: id, ready: true });
        return;
    }
    if !proposal.decision.obligations.agents_sign() || cx.rests(id) || !cx.may_leave(proposal) {
        return;
    }
    let effect = if single {
        match release_for(cx.state, &proposal.intent) {
            // Not the daemon's own.
            None => return,
            Some(Some(inputs)) => Effect::DeriveFulfillment { proposal: id, inputs },
            Some(None) => {
                Effect::SignSingle { proposal: id, account, rungs: plan.rungs.clone(), opening: None }
            }
        }
    } else {
        let Some(list) = multisign::signer_list(cx.state, &account) else { return };
        let signers: Vec<AccountId> = cx
            .config
            .agents
            .iter()
            .filter(|agent| list.entries.contains_key(*agent) && !proposal.approvals.contains_key(*agent))
            .copied()
            .collect();
        if signers.is_empty() {
            return;
        }
        let void = plan.void_rungs().to_vec();
        Effect::SignAsAgents { proposal: id, signers, rungs: plan.rungs.clone(), void }
    };
    if cx.runtime.asked.insert(id) {
        cx.effect(effect);
    }
}

pub(crate) fn approval(cx: &Cx<'_>, given: RungSignatures, person: Option<String>) -> Approval {
    Approval {
        signer: given.signer,
        signing_pub_key: given.signing_pub_key,
        signatures: given.signatures,
        void_signatures: given.void_signatures,
        person,
        origin: Some(cx.origin),
        at: cx.point(),
    }
}

/// Sends a ready proposal unless something keeps it.
fn submit(cx: &mut Cx<'_>, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    if !sufficient(cx.config, cx.state, proposal) {
        cx.emit(Event::StatusChanged { proposal: id, ready: false });
        return;
    }
    if cx.may_leave(proposal) {
        submission::begin(cx, id);
    }
}

/// Drops approvals that the ledger would no longer take, and keeps the rest. One dead signature among
/// the Signers would make the whole transaction invalid.
fn salvage(cx: &mut Cx<'_>, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    if !matches!(proposal.status, Status::Collecting | Status::Ready) {
        return;
    }
    let dead: Vec<(AccountId, CommandError)> = proposal
        .approvals
        .values()
        .filter_map(|approval| {
            let error = multisign::still_good(cx.state, &proposal.account, approval).err()?;
            Some((approval.signer, error))
        })
        .collect();
    if dead.is_empty() {
        return;
    }
    for (signer, error) in dead {
        cx.emit(Event::ApprovalDropped { proposal: id, signer, reason: error.to_string() });
    }
    reopen(cx, id);
}

/// Back to collecting where the approvals no longer suffice.
pub(crate) fn reopen(cx: &mut Cx<'_>, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    if proposal.status == Status::Ready && !sufficient(cx.config, cx.state, proposal) {
        cx.emit(Event::StatusChanged { proposal: id, ready: false });
    }
}

/// Ends drafts that nobody could seal before their deadline.
pub(crate) fn expire_drafts(cx: &mut Cx<'_>) {
    let now = cx.now();
    let open = cx.state.open.iter().filter_map(|id| cx.state.proposals.get(id));
    let over = open.filter(|proposal| {
        let until = proposal.drafted.close_time.0.saturating_add(proposal.deadline_seconds);
        // What is assessed has terms, and a LastLedgerSequence that ends it.
        proposal.status == Status::Drafted && now.0 > until
    });
    let over: Vec<ProposalId> = over.map(|proposal| proposal.id).collect();
    for id in over {
        ending::end(cx, id, Status::Expired, true);
    }
}

/// Ends what can never be applied any more: every ledger up to LastLedgerSequence has been taken in
/// without it. Slots of proposals that people ended earlier become free at the same moment. Where one of those ledgers
/// may have left it out, nothing ends before the accounts have been read and their Tickets stand as they should.
pub(crate) fn expire(cx: &mut Cx<'_>) {
    if cx.state.unproven {
        return;
    }
    let index = cx.point().index;
    let over: Vec<ProposalId> = cx
        .state
        .slots
        .values()
        .filter(|id| {
            cx.state
                .proposals
                .get(*id)
                .and_then(|proposal| proposal.plan.as_ref())
                .is_some_and(|plan| index >= plan.last_ledger_sequence)
        })
        .copied()
        .collect();
    for id in over {
        if cx.state.open.contains(&id) {
            ending::end(cx, id, Status::Expired, true);
        } else {
            cx.emit(Event::SlotFreed { proposal: id, paid: None });
        }
    }
}
