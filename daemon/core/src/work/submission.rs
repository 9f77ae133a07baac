//! From a complete set of signatures to the validated outcome.
//!
//! The record of all rungs is durable before the first is sent. What a server answers is provisional;
//! only a validated ledger decides, and only LastLedgerSequence, passed without it, ends the waiting.

use std::collections::BTreeMap;

use crate::work::{breaker, ending};
use xrpl_wire::{Signer, Transaction};

use crate::model::config::{FindingKind, Signing, Treasury};
use crate::model::effect::Effect;
use crate::model::event::Event;
use crate::model::failure::{self, Cause, may_come_good};
use crate::model::input::SubmitReply;
use crate::model::observe::ObservedTx;
use crate::model::proposal::{
    NO_REPLY_YET, NOT_SENT, Outcome, Plan, Proposal, SENDING, SignedRung, Status, Submission,
};
use crate::model::signing::Purpose;
use crate::model::stops::{StopKind, StopSource, Subject};
use crate::model::units::{AccountId, Drops, Hash256, HexBytes, ProposalId, Weight};
use crate::rules::fee;
use crate::rules::multisign;
use crate::work::anomaly;
use crate::work::cx::Cx;

/// Looks what the ledger's transactions mean for proposals. An intent is followed by account and slot;
/// whether the transaction is the intent's is told by its id, or by its digest where other signers of the
/// same list put the same transaction together.
pub(crate) fn settle(cx: &mut Cx<'_>, transactions: &[ObservedTx]) {
    let at = cx.point();
    for tx in transactions.iter().filter(|tx| cx.config.accounts.contains_key(&tx.account)) {
        let Some(id) = cx.state.slots.get(&(tx.account, tx.slot)).copied() else {
            let evidence = format!("{} {} ({}) was asked for by no proposal", tx.tx_type, tx.id, tx.result);
            not_ours(cx, FindingKind::SpendWithoutProposal, tx, evidence);
            continue;
        };
        let Some(proposal) = cx.state.proposals.get(&id) else { continue };
        let own = is_own(proposal, tx);
        let word = proposal.status.word();
        let void = proposal.plan.as_ref().and_then(|plan| plan.purpose_of(&tx.digest)) == Some(Purpose::Void);
        if proposal.status.is_final() {
            let what = if void { format!("the void of {id}") } else { format!("{} {id}", tx.tx_type) };
            let (kind, evidence) = if own {
                let evidence = format!("{what} had ended as {word}, and was sent all the same: {}", tx.id);
                let evidence = if void {
                    evidence + "; it moved nothing, and what was signed is worthless"
                } else {
                    evidence
                };
                (FindingKind::SentElsewhere, evidence)
            } else {
                let evidence = format!("{} {} used the slot that {id} had held", tx.tx_type, tx.id);
                (FindingKind::SpendWithoutProposal, evidence)
            };
            let paid = (own && !void && tx.succeeded()).then_some(at);
            cx.emit(Event::SlotFreed { proposal: id, paid });
            not_ours(cx, kind, tx, evidence);
            continue;
        }
        let sent = sent_by_us(proposal, tx);
        let outcome = Outcome { tx_id: tx.id, result: tx.result.clone(), at };
        let status = match (own, void, tx.succeeded()) {
            // Whatever its result, the slot is used up.
            (true, true, _) => Status::Voided { tx_id: tx.id },
            (true, false, true) => Status::Validated(outcome),
            (true, false, false) => Status::Failed(outcome),
            (false, ..) => Status::Superseded { tx_id: tx.id },
        };
        let outran = proposal.is_being_voided() && matches!(status, Status::Validated(_));
        let delayed = proposal.release_inputs().is_some();
        ending::end(cx, id, status, true);
        if outran && delayed {
            // It was taken back, and its escrow stands all the same: whoever wanted it has to say so anew.
            let reason = "the payment was quicker than its void".to_owned();
            anomaly::set_stop(cx, Subject::Proposal(id), StopKind::Hold, StopSource::Daemon, reason);
        }
        if !own {
            let evidence = format!("{} {} used the slot of {id}", tx.tx_type, tx.id);
            not_ours(cx, FindingKind::TicketTaken, tx, evidence);
        } else if !sent {
            // Its signatures are in other hands, or the daemon's keys are: whichever it is, what else they
            // can sign must not wait for somebody to notice.
            let evidence =
                format!("{} {id} was {word} here, and somebody else sent it: {}", tx.tx_type, tx.id);
            anomaly::find(cx, FindingKind::SentElsewhere, tx.account, evidence);
        }
    }
}

/// Finds a transaction that the daemon did not send. Where its own keys signed it, they are at work elsewhere: in a
/// daemon with another store, or in one that this store is an older copy of. Each spends what the other has promised,
/// so that outweighs what else it is.
fn not_ours(cx: &mut Cx<'_>, kind: FindingKind, tx: &ObservedTx, mut evidence: String) {
    let signed = own_keys(cx.config, tx);
    if signed.is_empty() || kind == FindingKind::SentElsewhere {
        anomaly::find(cx, kind, tx.account, evidence);
        return;
    }
    let names: Vec<String> = signed
        .iter()
        .map(|signer| cx.config.name_of(signer).map_or_else(|| signer.to_string(), str::to_owned))
        .collect();
    evidence.push_str("; it is signed by the key of ");
    evidence.push_str(&names.join(", "));
    evidence.push_str(", which this daemon holds: does another one run with the same keystore?");
    anomaly::find(cx, FindingKind::KeysElsewhere, tx.account, evidence);
}

/// Whose keys that the daemon holds signed a transaction: its agents', or that of an account that signs by itself.
fn own_keys(config: &Treasury, tx: &ObservedTx) -> Vec<AccountId> {
    let single = config.accounts.get(&tx.account).is_some_and(|account| account.signing == Signing::Single);
    if tx.signers.is_empty() && single {
        return vec![tx.account];
    }
    tx.signers.iter().copied().filter(|signer| config.agents.contains(signer)).collect()
}

/// Whether it is a transaction that the daemon put together and recorded for sending.
fn sent_by_us(proposal: &Proposal, tx: &ObservedTx) -> bool {
    matches!(&proposal.status, Status::InFlight(submission)
        if submission.rungs.iter().any(|rung| rung.tx_id == tx.id) || submission.earlier.contains(&tx.id))
}

fn is_own(proposal: &Proposal, tx: &ObservedTx) -> bool {
    sent_by_us(proposal, tx)
        || proposal.plan.as_ref().is_some_and(|plan| plan.purpose_of(&tx.digest).is_some())
}

/// Puts the signatures together, records the submission and sends its first rung. The caller has made
/// sure that nothing keeps the proposal from being sent.
pub(crate) fn begin(cx: &mut Cx<'_>, id: ProposalId) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let Some(plan) = proposal.plan.clone() else { return };
    let account = proposal.account;
    let Some(list) = multisign::signer_list(cx.state, &account) else { return };
    let Some(set) = multisign::of_proposal(cx.config, list, proposal).smallest_set() else { return };
    match assemble(proposal, &plan, Purpose::Pay, &set) {
        Some(rungs) => record(cx, id, rungs, set),
        None => {
            // Every signature was verified on arrival, so this cannot happen to an intact store.
            let evidence = format!("the signatures of {id} no longer make a valid transaction");
            ending::end(cx, id, Status::Withdrawn, false);
            anomaly::find(cx, FindingKind::SubmissionRefused, account, evidence);
        }
    }
}

fn assemble(
    proposal: &Proposal,
    plan: &Plan,
    purpose: Purpose,
    set: &[AccountId],
) -> Option<Vec<SignedRung>> {
    let (fees, rungs) = plan.ladder(purpose)?;
    let mut signed = Vec::with_capacity(rungs.len());
    for (number, (blob, fee)) in rungs.iter().zip(fees).enumerate() {
        let unsigned = Transaction::decode(&blob.0).ok()?;
        let signers: Option<Vec<Signer>> = set
            .iter()
            .map(|signer| {
                let approval = proposal.approvals_for(purpose).find(|given| given.signer == *signer)?;
                Some(Signer {
                    account: *signer,
                    public_key: approval.signing_pub_key,
                    signature: approval.signatures_for(purpose).get(number)?.0.clone(),
                })
            })
            .collect();
        let tx = xrpl_wire::sign::assemble(&unsigned, signers?).ok()?;
        signed.push(SignedRung { fee: *fee, tx_id: tx.id(), blob: HexBytes(tx.encode()) });
    }
    Some(signed)
}

/// Records the signed rungs and sends the one that the network accepts now.
pub(crate) fn record(cx: &mut Cx<'_>, id: ProposalId, rungs: Vec<SignedRung>, signers: Vec<AccountId>) {
    let since = cx.point();
    let current = best_rung(cx, &rungs, signers.len());
    let (purpose, earlier) = (Purpose::Pay, Vec::new());
    let submission = Submission { purpose, rungs, signers, current, since, last_reply: None, earlier };
    cx.emit(Event::SubmissionRecorded { proposal: id, submission });
    send(cx, id, false);
}

/// Puts what is in flight together anew where the ledger no longer takes it, and its other approvals suffice: a
/// signer's key was changed, or the SignerQuorum was raised. It shares its slot with what was sent before, so at most
/// one of them is ever applied. Says whether it was.
fn renew(cx: &mut Cx<'_>, id: ProposalId) -> bool {
    let Some(proposal) = cx.state.proposals.get(&id) else { return false };
    let (Status::InFlight(submission), Some(plan)) = (&proposal.status, &proposal.plan) else { return false };
    let Some(list) = multisign::signer_list(cx.state, &proposal.account) else { return false };
    let purpose = submission.purpose;
    let dead: BTreeMap<AccountId, String> = proposal
        .approvals_for(purpose)
        .filter_map(|approval| {
            let error = multisign::still_good(cx.state, &proposal.account, approval).err()?;
            Some((approval.signer, error.to_string()))
        })
        .collect();
    let weights = submission.signers.iter().filter_map(|signer| list.entries.get(signer));
    let weight = weights.fold(Weight(0), |sum, weight| sum.plus(*weight));
    let stands = weight >= list.quorum && !submission.signers.iter().any(|signer| dead.contains_key(signer));
    // A single-signed one has no signers: its own key is asked anew when it has expired.
    if stands || submission.signers.is_empty() || !cx.may_leave(proposal) {
        return false;
    }
    let given = proposal.approvals_for(purpose).map(|approval| &approval.signer);
    let good = given.filter(|signer| !dead.contains_key(signer));
    // To make something worthless the ledger's quorum is enough.
    let demanded = if purpose == Purpose::Void { &[][..] } else { &plan.approvers };
    let set = multisign::tally(cx.config, list, demanded, &proposal.asker, good).smallest_set();
    let Some((rungs, signers)) = set.and_then(|set| Some((assemble(proposal, plan, purpose, &set)?, set)))
    else {
        return false;
    };
    let sent = submission.rungs.iter().map(|rung| rung.tx_id);
    let earlier = submission.earlier.iter().copied().chain(sent).collect();
    let current = best_rung(cx, &rungs, signers.len());
    let since = cx.point();
    let renewed = Submission { purpose, rungs, signers, current, since, last_reply: None, earlier };
    let dropped = dead.into_iter().filter(|(signer, _)| proposal.approvals.contains_key(signer));
    for (signer, reason) in dropped.collect::<Vec<_>>() {
        cx.emit(Event::ApprovalDropped { proposal: id, signer, reason });
    }
    cx.emit(Event::SubmissionRenewed { proposal: id, submission: renewed });
    send(cx, id, true);
    true
}

/// Whether the void of a proposal can be sent now: it is open and not sent already, and signatures over it reach the
/// SignerQuorum.
pub(crate) fn can_void(cx: &Cx<'_>, proposal: &Proposal) -> bool {
    void_of(cx, proposal).is_some()
}

fn void_of(cx: &Cx<'_>, proposal: &Proposal) -> Option<(Vec<SignedRung>, Vec<AccountId>)> {
    let takes = match &proposal.status {
        Status::Collecting | Status::Ready => true,
        Status::InFlight(submission) => submission.purpose == Purpose::Pay,
        _ => false,
    };
    let plan = proposal.plan.as_ref().filter(|_| takes)?;
    plan.void.as_ref()?;
    let list = multisign::signer_list(cx.state, &proposal.account)?;
    let good = proposal
        .approvals_for(Purpose::Void)
        .filter(|approval| multisign::still_good(cx.state, &proposal.account, approval).is_ok());
    let good = good.map(|approval| &approval.signer);
    let set = multisign::tally(cx.config, list, &[], &proposal.asker, good).smallest_set()?;
    Some((assemble(proposal, plan, Purpose::Void, &set)?, set))
}

/// Records the void of a proposal and sends it: whichever of the two gets into a ledger first, the other is worthless.
/// Says whether it was recorded.
pub(crate) fn void(cx: &mut Cx<'_>, id: ProposalId) -> bool {
    let Some(proposal) = cx.state.proposals.get(&id) else { return false };
    let Some((rungs, signers)) = void_of(cx, proposal) else { return false };
    let paying = match &proposal.status {
        Status::InFlight(submission) => Some(submission),
        _ => None,
    };
    let earlier = paying.map_or_else(Vec::new, |paying| {
        let sent = paying.rungs.iter().map(|rung| rung.tx_id);
        paying.earlier.iter().copied().chain(sent).collect()
    });
    // A queue that has the payment takes the void in its place only at more than the rung that it has.
    let current = best_rung(cx, &rungs, signers.len()).max(paying.map_or(0, |paying| paying.current));
    let is_renewal = paying.is_some();
    let (purpose, since) = (Purpose::Void, cx.point());
    let submission = Submission { purpose, rungs, signers, current, since, last_reply: None, earlier };
    cx.emit(if is_renewal {
        Event::SubmissionRenewed { proposal: id, submission }
    } else {
        Event::SubmissionRecorded { proposal: id, submission }
    });
    cx.runtime.asked.remove(&id);
    send(cx, id, false);
    true
}

/// Ends what people want no more. Where signatures over its void suffice, that is sent, so that those over the payment are
/// worthless, and the ledger ends it; elsewhere its slot stays taken as long as somebody can have signed it.
pub(crate) fn end_or_void(cx: &mut Cx<'_>, id: ProposalId, status: Status) {
    if void(cx, id) {
        return;
    }
    let proposal = cx.state.proposals.get(&id);
    let unseen =
        proposal.is_some_and(|proposal| matches!(proposal.status, Status::Drafted | Status::Assessed));
    ending::end(cx, id, status, unseen);
}

/// The cheapest rung that so many signatures are paid for by, and that enters the open ledger at once.
fn best_rung(cx: &Cx<'_>, rungs: &[SignedRung], signers: usize) -> usize {
    let fees: Vec<Drops> = rungs.iter().map(|rung| rung.fee).collect();
    let base = cx.state.fees.map_or(Drops::ZERO, |fees| fees.base_fee);
    let units = match (fees.first(), base.get()) {
        (Some(first), base) if base > 0 => first.get() / base,
        _ => 1,
    };
    let units = units.max(fee::reference_units(signers, None));
    fee::rung_for(&fees, units, cx.runtime.open_ledger_fee.max(Some(base)))
}

/// Sends the current rung; every sending goes through here, and through the gate. What the gate stops is sent
/// with the next ledger that is seen after nothing speaks against it any more.
fn send(cx: &mut Cx<'_>, id: ProposalId, again: bool) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let Status::InFlight(submission) = &proposal.status else { return };
    if !cx.may_leave(proposal) {
        return;
    }
    let Some(rung) = submission.rungs.get(submission.current) else { return };
    let effect = Effect::Submit { proposal: id, tx_id: rung.tx_id, blob: rung.blob.clone() };
    let word = match submission.last_reply.as_deref() {
        Some(NOT_SENT) => Some(SENDING),
        // Of one that was sent before, nothing is known: that a later one is called back says nothing about it.
        None | Some(SENDING) if again => Some(NO_REPLY_YET),
        _ => None,
    };
    if let Some(word) = word {
        cx.emit(Event::SubmitReplied { proposal: id, reply: word.to_owned() });
    }
    cx.effect(effect);
}

/// Sends what is in flight again, at a dearer rung where the network asks for one. The same blob twice is
/// the same transaction; another rung shares its slot; so at most one is ever applied.
pub(crate) fn drive(cx: &mut Cx<'_>) {
    // What was called back in this step is sent again only when it is known whether it had left.
    if cx.is_recalled() {
        return;
    }
    for id in cx.state.open.clone() {
        if renew(cx, id) {
            continue;
        }
        let Some(proposal) = cx.state.proposals.get(&id) else { continue };
        let Status::InFlight(submission) = &proposal.status else { continue };
        // Of a void nobody's word is taken that it is in vain: what it makes worthless may be in the hands of who said so.
        let is_void = submission.purpose == Purpose::Void;
        if !is_void && submission.last_reply.as_deref().is_some_and(|reply| !may_come_good(reply)) {
            continue;
        }
        let waited = cx.point().index.0.saturating_sub(submission.since.index.0);
        let queued = submission.last_reply.as_deref() == Some("terQUEUED");
        let best = best_rung(cx, &submission.rungs, submission.signers.len());
        // Two ledgers: the one that was open when it was sent, and one more for the way there.
        if best > submission.current && (waited >= 2 || queued) {
            cx.emit(Event::RungChosen { proposal: id, rung: best });
        }
        send(cx, id, true);
    }
}

/// What a server said. Provisional: it changes what is tried next, never what has happened.
pub(crate) fn answered(cx: &mut Cx<'_>, id: ProposalId, tx_id: Hash256, reply: &SubmitReply) {
    let Some(proposal) = cx.state.proposals.get(&id) else { return };
    let (account, asker) = (proposal.account, proposal.asker.clone());
    let Status::InFlight(submission) = &proposal.status else { return };
    let Some(current) = submission.rungs.get(submission.current) else { return };
    if current.tx_id != tx_id {
        return;
    }
    let word = match reply {
        SubmitReply::Engine(result) => result.clone(),
        SubmitReply::Busy(code) => format!("busy: {code}"),
        SubmitReply::NotSent => NOT_SENT.to_owned(),
        SubmitReply::Unknown(reason) => format!("no reply: {reason}"),
    };
    let is_void = submission.purpose == Purpose::Void;
    let next = submission.current.saturating_add(1);
    let dearer = next < submission.rungs.len();
    let repeated = submission.last_reply.as_deref() == Some(word.as_str());
    if !repeated {
        cx.emit(Event::SubmitReplied { proposal: id, reply: word.clone() });
    }
    if word == "telINSUF_FEE_P" && dearer {
        cx.emit(Event::RungChosen { proposal: id, rung: next });
        send(cx, id, true);
    }
    if repeated {
        return;
    }
    // A void that was called back, because something more was stopped, goes at once: what it makes worthless may be on its way.
    if *reply == SubmitReply::NotSent && is_void {
        send(cx, id, true);
    }
    // A server that says the same again, or says two things in turn, shows no more than one failure.
    let counts = failure::of_reply(reply).filter(|class| class.counts(&asker));
    if let Some(class) = counts.filter(|_| cx.runtime.counted.insert((id, word.clone()))) {
        let cause = match reply {
            SubmitReply::Engine(result) => Cause::of(result),
            SubmitReply::Busy(_) | SubmitReply::Unknown(_) | SubmitReply::NotSent => Cause::Network,
        };
        breaker::count_failure(cx, account, cause, &format!("{id}: {word} ({class})"));
    }
    if !may_come_good(&word) {
        let evidence = if is_void {
            format!(
                "no server takes the void of {id}: {word}; it is sent again with each ledger, until either is in one or expires"
            )
        } else {
            format!("no server takes {id}: {word}; it stays recorded until it expires")
        };
        anomaly::find(cx, FindingKind::SubmissionRefused, account, evidence);
    }
}
