//! Proposals and escrows as the API shows them: with everything a person needs to decide, and in words
//! what comes next.

use treasury_core::State;
use treasury_core::config::Treasury;
use treasury_core::effect::ReleaseInputs;
use treasury_core::escrow::{self, Phase};
use treasury_core::gate::{self, Act};
use treasury_core::intent::{CancelEscrow, FinishEscrow, Intent};
use treasury_core::multisign;
use treasury_core::multisign::Demand;
use treasury_core::policy::{Approvers, Assessment, Decision, Told};
use treasury_core::proposal::{Proposal, Status};
use treasury_core::signing::Purpose;
use treasury_core::state::Archived;
use treasury_core::state::{Guard, TrackedEscrow};
use treasury_core::stops::Stop;
use treasury_core::units::{Drops, HexBytes};
use treasury_core::wait::Wait;
use treasury_core::waits::{self, waits};
use xrpl_wire::Transaction;

use super::api::{
    ApprovalView, DecisionView, DemandTallyView, DemandView, EscrowView, IntentView, OccurrenceView,
    OutcomeView, ProposalView, RejectionView, RiskView, RungView, SignView, SubmissionView, TallyView,
};
use super::view::{ended, ledger, origin, party, slot, stop, time};
use crate::metrics::guard_word;
use crate::notify::can_sign;

/// How much of a proposal is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Without its transactions, for lists.
    Summary,
    /// All of it.
    Whole,
}

/// A proposal of the state.
pub(super) fn proposal(state: &State, treasury: &Treasury, shown: &Proposal, depth: Depth) -> ProposalView {
    let tracked = shown.release_inputs().and_then(|release| state.escrows.get(&release.escrow));
    with_escrow(state, treasury, shown, tracked, depth)
}

/// A proposal of the archive.
pub(super) fn archived(state: &State, treasury: &Treasury, shown: &Archived, depth: Depth) -> ProposalView {
    with_escrow(state, treasury, &shown.proposal, shown.escrow.as_ref(), depth)
}

fn with_escrow(
    state: &State,
    treasury: &Treasury,
    shown: &Proposal,
    tracked: Option<&TrackedEscrow>,
    depth: Depth,
) -> ProposalView {
    let plan = shown.plan.as_ref();
    let mut waits_for: Vec<String> = waits(treasury, state, shown).iter().map(ToString::to_string).collect();
    waits_for.extend(tracked.and_then(|tracked| escrow_waits(state, treasury, tracked)));
    let rungs = |purpose| match (plan.and_then(|plan| plan.ladder(purpose)), depth) {
        (Some((fees, rungs)), Depth::Whole) => {
            fees.iter().zip(rungs).map(|(fee, blob)| rung(*fee, blob)).collect()
        }
        _ => Vec::new(),
    };
    ProposalView {
        id: shown.id.to_string(),
        account: party(treasury, &shown.account),
        intent: intent(treasury, &shown.intent),
        asker: shown.asker.to_string(),
        origin: shown.origin.map(origin),
        note: shown.note.clone(),
        occurrence: shown.occurrence.as_ref().map(|occurrence| OccurrenceView {
            schedule: occurrence.schedule.clone(),
            due: occurrence.due.to_string(),
        }),
        status: shown.status.word().to_owned(),
        ended: ended(&shown.status),
        waits_for,
        drafted: time(&shown.drafted),
        deadline: plan.map(|plan| plan.deadline.to_string()),
        last_ledger_sequence: plan.map(|plan| plan.last_ledger_sequence.0),
        slot: plan.map(|plan| slot(plan.slot)),
        decision: decision(&shown.decision),
        approvals: approvals(state, treasury, shown),
        tally: tally(state, treasury, shown),
        signers: signers(treasury, state, shown),
        rejections: shown
            .rejections
            .iter()
            .map(|(person, rejection)| RejectionView {
                person: person.clone(),
                reason: rejection.reason.clone(),
                origin: rejection.origin.map(origin),
                at: time(&rejection.at),
            })
            .collect(),
        stops: binding(state, treasury, shown).into_iter().map(|standing| stop(treasury, standing)).collect(),
        rungs: rungs(Purpose::Pay),
        void_rungs: rungs(Purpose::Void),
        submission: submission(&shown.status),
        outcome: outcome(&shown.status),
        escrow: match (tracked, shown.release_inputs()) {
            (Some(tracked), _) => Some(self::escrow(state, treasury, tracked)),
            (None, Some(release)) => Some(coming_escrow(treasury, shown, release)),
            (None, None) => None,
        },
    }
}

/// The people who can still sign it, by name.
pub(super) fn signers(treasury: &Treasury, state: &State, shown: &Proposal) -> Vec<String> {
    match shown.status {
        Status::Collecting => can_sign(treasury, state, shown),
        _ => Vec::new(),
    }
}

/// The stops that bind it: while it is open its own, and then those of its escrow's release.
fn binding<'a>(state: &'a State, treasury: &Treasury, shown: &Proposal) -> Vec<&'a Stop> {
    let standing = shown.release_inputs().filter(|release| state.standing.contains(&release.escrow));
    match (standing, treasury.runner) {
        (Some(release), Some(runner)) => {
            let finish = Intent::FinishEscrow(FinishEscrow { escrow: release.escrow });
            gate::stops(treasury, state, Act::errand(runner, &finish))
        }
        _ if shown.status.is_final() => Vec::new(),
        _ => gate::stops(treasury, state, Act::of(shown)),
    }
}

/// An escrow that is or was on the ledger.
pub(super) fn escrow(state: &State, treasury: &Treasury, tracked: &TrackedEscrow) -> EscrowView {
    let view = &tracked.view;
    EscrowView {
        key: view.key.to_string(),
        owner: party(treasury, &view.key.owner),
        destination: party(treasury, &view.destination),
        destination_tag: view.destination_tag,
        amount: view.amount.map(Into::into),
        proposal: tracked.guard.proposal().map(|proposal| proposal.to_string()),
        guard: guard_word(treasury, state, tracked).to_owned(),
        stands: stands(state, treasury, tracked),
        can_be_stopped: can_be_stopped(tracked),
        seen: Some(time(&tracked.seen)),
        finish_after: view.finish_after.map(|at| at.to_string()),
        cancel_after: view.cancel_after.map(|at| at.to_string()),
    }
}

/// The escrow that a proposal will make.
fn coming_escrow(treasury: &Treasury, shown: &Proposal, release: &ReleaseInputs) -> EscrowView {
    let stands = if shown.status.is_final() {
        "It was not created, as far as the daemon has seen."
    } else {
        "It is not created yet: the proposal's transaction does that."
    };
    EscrowView {
        key: release.escrow.to_string(),
        owner: party(treasury, &release.escrow.owner),
        destination: party(treasury, &release.destination),
        destination_tag: release.destination_tag,
        amount: Some(release.amount.into()),
        proposal: Some(shown.id.to_string()),
        guard: "not_created".to_owned(),
        stands: stands.to_owned(),
        can_be_stopped: true,
        seen: None,
        finish_after: Some(release.finish_after.to_string()),
        cancel_after: Some(release.cancel_after.to_string()),
    }
}

/// Only an escrow whose fulfillment is held back can be stopped. One of somebody else's making is not in
/// the daemon's hands: without a Condition anyone can finish it, and with one whoever knows its preimage.
fn can_be_stopped(tracked: &TrackedEscrow) -> bool {
    matches!(tracked.guard, Guard::Locked { .. })
}

fn stands(state: &State, treasury: &Treasury, tracked: &TrackedEscrow) -> String {
    let finish =
        escrow::not_before(state, tracked).map_or_else(|| "any time".to_owned(), |at| at.to_string());
    let cancel = tracked.view.cancel_after.map(|at| at.to_string());
    match &tracked.guard {
        Guard::Foreign => match (&tracked.view.condition, cancel) {
            (None, _) => format!(
                "No proposal of the daemon's made it, and it has no Condition: anyone can finish it after {finish}. Nothing can stop that."
            ),
            (Some(_), Some(cancel)) => format!(
                "No proposal of the daemon's made it. Whoever knows the preimage of its Condition can finish it after {finish}; anyone can cancel it after {cancel}."
            ),
            (Some(_), None) => format!(
                "No proposal of the daemon's made it. Whoever knows the preimage of its Condition can finish it after {finish}; it can never be cancelled."
            ),
        },
        Guard::Locked { preparing, .. } => {
            let cancel = cancel.unwrap_or_else(|| "never".to_owned());
            let under_way = if preparing.is_some() { " That is being prepared." } else { "" };
            let over = escrow::phase(state, tracked) == Phase::Over;
            match (over, against_end(state, treasury, tracked)) {
                (true, against) if against.is_empty() => {
                    format!("CancelAfter ({cancel}) has passed: the money goes back to the owner.{under_way}")
                }
                (true, against) => format!(
                    "CancelAfter ({cancel}) has passed: the money goes back to the owner as soon as nothing is missing any more. It waits for {}.",
                    against.join("; for ")
                ),
                (false, against) if against.is_empty() => {
                    format!(
                        "Locked. It is released after {finish}, unless someone stops it before.{under_way}"
                    )
                }
                (false, against) => format!(
                    "{}: it waits for {}. Unless that is settled before {cancel}, the money goes back to the owner after it.",
                    // By a stop, as the word for it says, or because something is missing.
                    if guard_word(treasury, state, tracked) == "withheld" { "Withheld" } else { "Locked" },
                    against.join("; for ")
                ),
            }
        }
        Guard::Releasing { revealed_at, .. } => {
            let sent = format!(
                "Releasing: the fulfillment was sent at {}. It cannot be withheld any more",
                time(revealed_at)
            );
            match against_end(state, treasury, tracked) {
                against if against.is_empty() => format!("{sent}."),
                against => format!("{sent}; the daemon itself waits for {}.", against.join("; for ")),
            }
        }
        Guard::Released { at, .. } => format!("Released at {}: the destination has the money.", time(at)),
        Guard::Cancelled { at, .. } => format!("Cancelled at {}: the owner has the money back.", time(at)),
        Guard::Gone { at, .. } => {
            format!("Gone: at {} it was not on the ledger any more, and how it ended was not seen.", time(at))
        }
    }
}

/// What the gate has against releasing an escrow, or, after CancelAfter, against taking it back; its time, which is
/// said anyway, aside.
fn against_end(state: &State, treasury: &Treasury, tracked: &TrackedEscrow) -> Vec<String> {
    let Some(runner) = treasury.runner else { return vec!["a runner, which is not configured".to_owned()] };
    let escrow = tracked.view.key;
    let end = match escrow::phase(state, tracked) {
        Phase::Over => Intent::CancelEscrow(CancelEscrow { escrow }),
        Phase::Waiting | Phase::Open => Intent::FinishEscrow(FinishEscrow { escrow }),
    };
    let against = gate::may_leave(treasury, state, Act::errand(runner, &end));
    // A destination is looked at shortly before the release.
    let yet = |wait: &Wait| matches!(wait, Wait::FinishAfter(_) | Wait::Reading(_));
    let guard = tracked.guard.proposal().and_then(|maker| waits::guard(state, maker));
    let guard = guard.filter(|_| end.released_escrow().is_some() && !escrow::is_revealed(state, tracked));
    against.iter().filter(|wait| !yet(wait)).chain(&guard).map(ToString::to_string).collect()
}

/// What an escrow that stands waits for.
fn escrow_waits(state: &State, treasury: &Treasury, tracked: &TrackedEscrow) -> Option<String> {
    match &tracked.guard {
        Guard::Locked { .. } | Guard::Releasing { .. } => {
            Some(format!("its escrow: {}", stands(state, treasury, tracked)))
        }
        _ => None,
    }
}

fn intent(treasury: &Treasury, intent: &Intent) -> IntentView {
    let movement = intent.movement();
    IntentView {
        kind: intent.row().word.to_owned(),
        destination: movement.map(|movement| party(treasury, &movement.destination)),
        destination_tag: movement.and_then(|movement| movement.destination_tag),
        amount: movement.map(|movement| movement.amount.into()),
        link: intent.link().map(str::to_owned),
        ticket_count: intent.ticket_count(),
        escrow: intent.ended_escrow().map(|escrow| escrow.to_string()),
    }
}

fn roles(approvers: &Approvers) -> Vec<String> {
    approvers.roles.iter().map(|role| role.word().to_owned()).collect()
}

pub(super) fn decision(decision: &Decision) -> DecisionView {
    let obligations = &decision.obligations;
    let demand = |approvers: &Approvers| DemandView {
        weight: approvers.weight.0,
        signatures: approvers.signatures,
        roles: roles(approvers),
        people: approvers.people.iter().cloned().collect(),
        exclude_asker: approvers.exclude_asker,
        words: approvers.words(),
    };
    DecisionView {
        rules: decision.rules.clone(),
        policy_hash: decision.policy_hash.to_string(),
        action: obligations.word().to_owned(),
        delay_seconds: obligations.delay.map(|delay| delay.delay_seconds),
        window_seconds: obligations.delay.map(|delay| delay.window_seconds),
        approvals: obligations.approvals.iter().map(demand).collect(),
        told: obligations.told.as_ref().map(Told::words),
        destination_known: decision.inputs.destination_known,
        risk: decision.inputs.risk.as_ref().map(risk),
        at: decision.inputs.at.to_string(),
    }
}

/// How unusual it looks.
pub(super) fn risk(assessed: &Assessment) -> RiskView {
    let signs = assessed.seen.iter().map(|seen| SignView {
        sign: seen.sign.word().to_owned(),
        weight: seen.weight,
        evidence: seen.evidence.clone(),
    });
    RiskView { score: assessed.score, signs: signs.collect() }
}

fn approvals(state: &State, treasury: &Treasury, shown: &Proposal) -> Vec<ApprovalView> {
    let list = multisign::signer_list(state, &shown.account);
    shown
        .approvals
        .values()
        .map(|approval| ApprovalView {
            signer: party(treasury, &approval.signer),
            weight: list
                .and_then(|list| list.entries.get(&approval.signer))
                .map_or(0, |weight| u32::from(*weight)),
            signing_pub_key: approval.signing_pub_key.to_string(),
            person: approval.person.clone(),
            origin: approval.origin.map(origin),
            at: time(&approval.at),
        })
        .collect()
}

fn tally(state: &State, treasury: &Treasury, shown: &Proposal) -> Option<TallyView> {
    let list = multisign::signer_list(state, &shown.account)?;
    let tally = multisign::of_proposal(treasury, list, shown);
    let asked = shown.plan.iter().flat_map(|plan| &plan.approvers);
    let demand = |(approvers, demand): (&Approvers, &Demand)| DemandTallyView {
        roles: roles(approvers),
        people: approvers.people.iter().cloned().collect(),
        weight: demand.weight.0,
        asked: demand.asked.0,
        signatures: demand.people,
        signatures_asked: demand.people_asked,
        words: demand.words(approvers),
    };
    Some(TallyView {
        weight: tally.weight.0,
        quorum: tally.quorum.0,
        demands: asked.zip(&tally.demands).map(demand).collect(),
    })
}

fn rung(fee: Drops, blob: &HexBytes) -> RungView {
    // The daemon built it itself; were it ever unreadable, a signer must not see a friendly face of it.
    let tx_json = Transaction::decode(&blob.0).map(|tx| tx.to_json()).unwrap_or_default();
    RungView { fee_drops: fee.to_string(), blob: blob.to_string(), tx_json }
}

fn submission(status: &Status) -> Option<SubmissionView> {
    let Status::InFlight(submission) = status else { return None };
    let rung = submission.rungs.get(submission.current);
    Some(SubmissionView {
        rung: submission.current,
        voids: submission.purpose == Purpose::Void,
        fee_drops: rung.map(|rung| rung.fee.to_string()),
        tx_id: rung.map(|rung| rung.tx_id.to_string()),
        since: time(&submission.since),
        last_reply: submission.last_reply.clone(),
    })
}

fn outcome(status: &Status) -> Option<OutcomeView> {
    match status {
        Status::Validated(outcome) | Status::Failed(outcome) => Some(OutcomeView {
            tx_id: outcome.tx_id.to_string(),
            result: Some(outcome.result.clone()),
            ledger: Some(ledger(outcome.at)),
        }),
        Status::Superseded { tx_id } | Status::Voided { tx_id } => {
            Some(OutcomeView { tx_id: tx_id.to_string(), result: None, ledger: None })
        }
        _ => None,
    }
}
