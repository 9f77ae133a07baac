//! The way of a proposal from draft to submission, and its ends.

use xrpl_wire::typed::{EscrowCancel, EscrowCreate, EscrowFinish, Payment, TicketCreate};
use xrpl_wire::{Amount, PublicKey, Transaction, TxBody, TxCommon, sf};

use crate::command::CommandError;
use crate::config::{Signing, Treasury};
use crate::effect::{Effect, ReleaseInputs, Slot};
use crate::event::Event;
use crate::failure::Cause;
use crate::fee;
use crate::gate::{self, Act};
use crate::input::RungSignatures;
use crate::intent::{Asker, Intent};
use crate::multisign;
use crate::observe::intent_digest;
use crate::policy::{Action, Decision};
use crate::proposal::{Approval, Plan, Proposal, SignedRung, Status};
use crate::state::{Guard, Sight, State};
use crate::step::Cx;
use crate::units::{AccountId, Drops, EscrowKey, Hash256, HexBytes, ProposalId, RippleTime};
use crate::wait::Wait;
use crate::{escrow, submission, ticket};

/// A fulfillment of a 32-byte preimage, in bytes: what its fee is counted from.
const FULFILLMENT_BYTES: usize = 36;

/// A new proposal, before it has an id.
pub(crate) struct Draft {
    pub(crate) account: AccountId,
    pub(crate) intent: Intent,
    pub(crate) asker: Asker,
    pub(crate) note: String,
    pub(crate) deadline_seconds: u32,
    pub(crate) decision: Decision,
    pub(crate) idempotency_key: Option<String>,
}

/// Drafts a proposal and takes it as far as it goes now.
pub(crate) fn draft(cx: &mut Cx<'_>, draft: Draft) -> ProposalId {
    let id = ProposalId(cx.state.last_proposal.saturating_add(1));
    let status = if draft.decision.action == Action::Deny { Status::Denied } else { Status::Drafted };
    let proposal = Proposal {
        id,
        account: draft.account,
        intent: draft.intent,
        asker: draft.asker,
        note: draft.note,
        deadline_seconds: draft.deadline_seconds,
        drafted: cx.point(),
        decision: draft.decision,
        plan: None,
        approvals: std::collections::BTreeMap::new(),
        rejections: std::collections::BTreeMap::new(),
        status,
    };
    cx.emit(Event::ProposalDrafted { proposal: Box::new(proposal), idempotency_key: draft.idempotency_key });
    advance(cx, id);
    id
}

/// The decision on the daemon's own errands, which no rule of the table needs to name.
pub(crate) fn built_in(cx: &Cx<'_>, rule: &str) -> Decision {
    Decision {
        rule: rule.to_owned(),
        policy_hash: cx.config.policy.hash(),
        action: Action::Allow,
        inputs: crate::policy::DecisionInputs { destination_known: true, outflows: Vec::new(), at: cx.now() },
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

/// Gives a drafted proposal its slot and its terms.
fn plan(cx: &mut Cx<'_>, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    if let Ok(plan) = make_plan(cx.config, cx.state, proposal) {
        cx.emit(Event::ProposalPlanned { proposal: id, plan });
    }
}

/// The plan of a drafted proposal, or what it waits for.
pub(crate) fn make_plan(config: &Treasury, state: &State, proposal: &Proposal) -> Result<Plan, Wait> {
    if let Sight::Lost(reason) = &state.sight {
        return Err(Wait::Sight(reason.clone()));
    }
    let (Some(point), Some(fees)) = (state.ledger, state.fees) else {
        // Fees come with the first ledger that closes after the accounts were read.
        return Err(Wait::Ledger);
    };
    let account = proposal.account;
    let slot = match &proposal.intent {
        Intent::CreateTickets { .. } => {
            let root = state.accounts.get(&account).and_then(|view| view.root).ok_or(Wait::Ticket)?;
            let slot = Slot::Sequence(root.sequence);
            if state.slots.contains_key(&(account, slot)) {
                return Err(Wait::Ticket);
            }
            slot
        }
        _ => Slot::Ticket(state.free_tickets(&account).next().ok_or(Wait::Ticket)?),
    };
    let signers = match config.accounts.get(&account).map(|declared| declared.signing) {
        Some(Signing::Single) => 0,
        // Whoever of the list signs in the end, the first rung is enough for all of them.
        _ => multisign::signer_list(state, &account).ok_or(Wait::SignerList)?.entries.len(),
    };
    let fulfillment = matches!(proposal.intent, Intent::FinishEscrow { .. }).then_some(FULFILLMENT_BYTES);
    let ladder = fee::ladder(fees.base_fee, fee::reference_units(signers, fulfillment), &config.fees);
    if ladder.is_empty() {
        return Err(Wait::FeeAboveCap);
    }
    let (approvers, terms) = match &proposal.decision.action {
        Action::Delay { delay_seconds, window_seconds, approvers } => {
            (Some(approvers.clone()), Some((*delay_seconds, *window_seconds)))
        }
        Action::Approve(approvers) => (Some(approvers.clone()), None),
        Action::Allow | Action::Deny => (None, None),
    };
    let deadline = RippleTime(point.close_time.0.saturating_add(proposal.deadline_seconds));
    let ledgers = if proposal.asker == Asker::Daemon && approvers.is_none() {
        config.timing.agent_ledgers
    } else {
        (proposal.deadline_seconds / config.timing.close_interval_seconds.max(1)).max(1)
    };
    let delay = match (terms, proposal.intent.destination()) {
        (Some((delay_seconds, window_seconds)), Some(destination)) => {
            let finish_after = RippleTime(deadline.0.saturating_add(delay_seconds));
            Some(ReleaseInputs {
                escrow: EscrowKey { owner: account, sequence: slot.value() },
                destination,
                destination_tag: tag_of(&proposal.intent),
                amount: proposal.intent.amount(),
                finish_after,
                cancel_after: RippleTime(finish_after.0.saturating_add(window_seconds.max(1))),
            })
        }
        _ => None,
    };
    Ok(Plan {
        slot,
        last_ledger_sequence: point.index.plus(ledgers),
        deadline,
        fees: ladder,
        delay,
        condition: None,
        approvers,
        rungs: Vec::new(),
        digests: Vec::new(),
    })
}

fn tag_of(intent: &Intent) -> Option<u32> {
    match intent {
        Intent::Pay { destination_tag, .. } => *destination_tag,
        _ => None,
    }
}

/// Fixes the transactions, or asks for the escrow's condition first.
fn freeze_or_ask(cx: &mut Cx<'_>, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    match proposal.release_inputs().cloned() {
        Some(inputs) => {
            if cx.runtime.asked.insert(id) {
                cx.effect(Effect::DeriveCondition { proposal: id, inputs });
            }
        }
        None => freeze(cx, id, None),
    }
}

/// The signer's answer with the condition of the escrow-to-be.
pub(crate) fn condition_derived(cx: &mut Cx<'_>, id: ProposalId, condition: HexBytes) {
    cx.runtime.asked.remove(&id);
    let waiting = cx.state.proposals.get(&id).is_some_and(|proposal| proposal.status == Status::Assessed);
    if waiting && xrpl_wire::condition::parse_condition(&condition.0).is_ok() {
        freeze(cx, id, Some(condition));
        advance(cx, id);
    }
}

fn freeze(cx: &mut Cx<'_>, id: ProposalId, condition: Option<HexBytes>) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let Some(plan) = &proposal.plan else { return };
    let made: Option<Vec<(HexBytes, Hash256)>> = plan
        .fees
        .iter()
        .map(|fee| {
            let tx = transaction(cx.config, proposal, plan, condition.as_ref(), *fee)?;
            Some((HexBytes(tx.encode()), intent_digest(&tx).ok()?))
        })
        .collect();
    match made {
        Some(made) => {
            let (rungs, digests) = made.into_iter().unzip();
            cx.emit(Event::RungsFrozen { proposal: id, rungs, digests, condition });
        }
        // Its values were checked when it was drafted; what the ledger could not take ends here.
        None => end(cx, id, Status::Withdrawn, true),
    }
}

/// The unsigned transaction of a proposal at one fee.
fn transaction(
    config: &Treasury,
    proposal: &Proposal,
    plan: &Plan,
    condition: Option<&HexBytes>,
    fee: Drops,
) -> Option<Transaction> {
    let common = TxCommon {
        account: proposal.account,
        seq: plan.slot,
        fee,
        last_ledger_sequence: Some(plan.last_ledger_sequence.0),
        source_tag: None,
        network_id: config.network_id,
        memos: Vec::new(),
        flags: 0,
    };
    let body = match (&proposal.intent, &plan.delay) {
        (Intent::Pay { .. } | Intent::Move { .. }, Some(delay)) => TxBody::EscrowCreate(EscrowCreate {
            destination: delay.destination,
            destination_tag: delay.destination_tag,
            amount: Amount::Xrp(delay.amount),
            condition: Some(condition?.0.clone()),
            finish_after: Some(delay.finish_after),
            cancel_after: Some(delay.cancel_after),
        }),
        (Intent::Pay { destination, amount, .. } | Intent::Move { destination, amount, .. }, None) => {
            TxBody::Payment(Payment {
                destination: *destination,
                destination_tag: tag_of(&proposal.intent),
                amount: Amount::Xrp(*amount),
                send_max: None,
                deliver_min: None,
            })
        }
        (Intent::CreateTickets { count }, _) => TxBody::TicketCreate(TicketCreate { count: *count }),
        (Intent::FinishEscrow { escrow }, _) => TxBody::EscrowFinish(EscrowFinish {
            owner: escrow.owner,
            offer_sequence: escrow.sequence,
            condition: None,
            fulfillment: None,
        }),
        (Intent::CancelEscrow { escrow }, _) => {
            TxBody::EscrowCancel(EscrowCancel { owner: escrow.owner, offer_sequence: escrow.sequence })
        }
    };
    xrpl_wire::typed::build(&common, &body).ok()
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
    if proposal.decision.action != Action::Allow || !may_leave(cx, proposal) {
        return;
    }
    let effect = if single {
        let Some(release) = release_for(cx.state, &proposal.intent) else { return };
        Effect::SignSingle { proposal: id, account, rungs: plan.rungs.clone(), release }
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
        Effect::SignAsAgents { proposal: id, signers, rungs: plan.rungs.clone() }
    };
    if cx.runtime.asked.insert(id) {
        cx.effect(effect);
    }
}

/// Asks the gate.
pub(crate) fn may_leave(cx: &Cx<'_>, proposal: &Proposal) -> bool {
    gate::may_leave(cx.config, cx.state, Act::of(proposal)).is_empty()
}

/// What the signer needs for this intent: `Some(None)` where nothing is released, `None` where the
/// escrow is not the daemon's.
fn release_for(state: &State, intent: &Intent) -> Option<Option<ReleaseInputs>> {
    let Intent::FinishEscrow { escrow } = intent else { return Some(None) };
    let maker = state.escrows.get(escrow)?.guard.proposal()?;
    state.proposals.get(&maker)?.release_inputs().cloned().map(Some)
}

/// Whether the approvals reach the ledger's quorum and the rule's.
fn sufficient(config: &Treasury, state: &State, proposal: &Proposal) -> bool {
    let Some(plan) = &proposal.plan else { return false };
    let Some(list) = multisign::signer_list(state, &proposal.account) else { return false };
    let (tally, candidates) =
        multisign::tally(config, list, plan.approvers.as_ref(), proposal.approvals.keys());
    multisign::smallest_set(&candidates, tally.quorum, tally.approver_quorum).is_some()
}

/// The agents' signatures: checked like anybody's.
pub(crate) fn agents_signed(cx: &mut Cx<'_>, id: ProposalId, signatures: Vec<RungSignatures>) {
    cx.runtime.asked.remove(&id);
    for given in signatures {
        let Some(proposal) = cx.state.proposals.get(&id) else { return };
        let Some(plan) = &proposal.plan else { return };
        let agent = cx.config.agents.contains(&given.signer);
        if proposal.status != Status::Collecting
            || !agent
            || multisign::check(cx.state, &proposal.account, plan, &given).is_err()
        {
            continue;
        }
        let approval = approval(cx, given, None);
        cx.emit(Event::Approved { proposal: id, approval });
    }
    advance(cx, id);
}

pub(crate) fn approval(cx: &Cx<'_>, given: RungSignatures, person: Option<String>) -> Approval {
    Approval {
        signer: given.signer,
        signing_pub_key: given.signing_pub_key,
        signatures: given.signatures,
        person,
        at: cx.point(),
    }
}

/// The account's own key has signed. What keeps the proposal from being sent is looked at again, because
/// for an EscrowFinish this is the last moment: the next thing to happen is that the fulfillment leaves.
pub(crate) fn single_signed(cx: &mut Cx<'_>, id: ProposalId, blobs: &[HexBytes]) {
    cx.runtime.asked.remove(&id);
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    if proposal.status != Status::Collecting || !may_leave(cx, proposal) {
        return;
    }
    let Some(rungs) = check_single(cx.state, proposal, blobs) else {
        sign_failed(cx, id, "the signed transaction is not the one that was asked for");
        return;
    };
    if let Intent::FinishEscrow { escrow } = proposal.intent.clone() {
        let locked = cx
            .state
            .escrows
            .get(&escrow)
            .is_some_and(|tracked| matches!(tracked.guard, Guard::Locked { .. }));
        if locked {
            let at = cx.point();
            cx.emit(Event::EscrowRevealed { escrow, attempt: id, at });
        }
    }
    submission::record(cx, id, rungs, Vec::new());
}

/// Checks what the signer made against what it was asked for.
fn check_single(state: &State, proposal: &Proposal, blobs: &[HexBytes]) -> Option<Vec<SignedRung>> {
    let plan = proposal.plan.as_ref()?;
    if blobs.len() != plan.rungs.len() {
        return None;
    }
    let mut rungs = Vec::with_capacity(blobs.len());
    for ((blob, digest), fee) in blobs.iter().zip(&plan.digests).zip(&plan.fees) {
        let tx = Transaction::decode(&blob.0).ok()?;
        xrpl_wire::sign::verify_signatures(&tx).ok()?;
        let key = PublicKey::from_slice(tx.object().blob(sf::SigningPubKey)?).ok()?;
        multisign::key_allowed(state, &proposal.account, &key).ok()?;
        let mut bare = tx.object().clone();
        let condition = bare.remove(sf::Condition);
        let fulfillment = bare.remove(sf::Fulfillment);
        let bare = Transaction::from_object(bare).ok()?;
        if intent_digest(&bare).ok()? != *digest {
            return None;
        }
        if let Intent::FinishEscrow { escrow } = &proposal.intent {
            let expected = state.escrows.get(escrow)?.view.condition.as_ref()?;
            let given = tx.object().blob(sf::Condition)?;
            let opens = tx.object().blob(sf::Fulfillment)?;
            if given != expected.0.as_slice() || !xrpl_wire::condition::fulfillment_matches(opens, given) {
                return None;
            }
        } else if condition.is_some() || fulfillment.is_some() {
            return None;
        }
        rungs.push(SignedRung { fee: *fee, tx_id: tx.id(), blob: blob.clone() });
    }
    Some(rungs)
}

/// A signer could not sign. The daemon's own errands end, so that they are tried anew later with a fresh
/// LastLedgerSequence; what people wait for stays and is asked for again with the next ledger.
pub(crate) fn sign_failed(cx: &mut Cx<'_>, id: ProposalId, reason: &str) {
    cx.runtime.asked.remove(&id);
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    if proposal.asker != Asker::Daemon || proposal.status.is_final() {
        return;
    }
    if matches!(proposal.status, Status::InFlight(_) | Status::Ready) {
        return;
    }
    let account = proposal.account;
    submission::count_failure(cx, account, Cause::Keys, &format!("{id} could not be signed: {reason}"));
    let unsigned = cx.state.proposals.get(&id).is_some_and(|proposal| proposal.approvals.is_empty());
    end(cx, id, Status::Withdrawn, unsigned);
}

/// Sends a ready proposal unless something keeps it.
fn submit(cx: &mut Cx<'_>, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    if !sufficient(cx.config, cx.state, proposal) {
        cx.emit(Event::StatusChanged { proposal: id, ready: false });
        return;
    }
    if may_leave(cx, proposal) {
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

/// Ends what can never be applied any more: every ledger up to LastLedgerSequence has been taken in
/// without it. Slots of proposals that people ended earlier become free at the same moment.
pub(crate) fn expire(cx: &mut Cx<'_>) {
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
            end(cx, id, Status::Expired, true);
        } else {
            cx.emit(Event::SlotFreed { proposal: id });
        }
    }
}

/// Ends a proposal and lets what depends on it know.
pub(crate) fn end(cx: &mut Cx<'_>, id: ProposalId, status: Status, frees_slot: bool) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let (intent, account, asker) = (proposal.intent.clone(), proposal.account, proposal.asker.clone());
    cx.runtime.asked.remove(&id);
    submission::count_end(cx, account, &asker, &intent, &status);
    let effective = matches!(status, Status::Validated(_));
    cx.emit(Event::ProposalEnded { proposal: id, status, frees_slot });
    if effective {
        return;
    }
    match intent {
        Intent::FinishEscrow { escrow } | Intent::CancelEscrow { escrow } => {
            escrow::attempt_failed(cx, id, escrow)
        }
        Intent::CreateTickets { .. } => ticket::refill_failed(cx, account),
        Intent::Pay { .. } | Intent::Move { .. } => {}
    }
}
