//! What happened, from the facts that have become durable.

use treasury_core::intent::Intent;
use treasury_core::observe::Change;
use treasury_core::policy::Approvers;
use treasury_core::proposal::{Status, Submission};
use treasury_core::state::Sight;
use treasury_core::stops::Subject;
use treasury_core::units::{AccountId, ProposalId};
use treasury_core::{Event, State, Treasury};

use super::TARGET;

/// Says what people and programs must know of these facts, which the state has taken in already.
pub(crate) fn happened(treasury: &Treasury, state: &State, events: &[Event]) {
    if !tracing::enabled!(target: TARGET, tracing::Level::ERROR) {
        return;
    }
    let told = Told { treasury, state };
    events.iter().for_each(|event| told.tell(event));
}

struct Told<'a> {
    treasury: &'a Treasury,
    state: &'a State,
}

impl Told<'_> {
    fn tell(&self, event: &Event) {
        match event {
            Event::SightChanged { sight: Sight::Clear } => {
                super::sight_clear(self.state.ledger.map_or(0, |point| point.index.0));
            }
            Event::SightChanged { sight: Sight::Lost(reason) } => super::sight_lost(reason),
            Event::Found { finding } => super::finding(
                finding.id,
                finding.kind.word(),
                finding.severity.word(),
                finding.account.map_or_else(|| "all".to_owned(), |account| self.name(&account)),
                &finding.evidence,
            ),
            Event::StopSet { stop } => super::stop_set(
                stop.id,
                stop.kind.word(),
                self.subject(&stop.subject),
                &stop.source,
                &stop.reason,
            ),
            Event::StopLifted { id, by, reason, .. } => super::stop_lifted(id, by, reason),
            Event::FindingAcknowledged { id, acknowledged } => {
                super::finding_acknowledged(id, &acknowledged.by, &acknowledged.reason);
            }
            Event::NoticesAcknowledged { notices, acknowledged } => {
                super::notices_acknowledged(notices.join(", "), &acknowledged.by, &acknowledged.reason);
            }
            Event::BreakerOpened { account, cause, reason, .. } => {
                super::breaker_opened(self.whose(account.as_ref()), cause.word(), reason);
            }
            Event::BreakerClosed { account, by } => super::breaker_closed(self.whose(account.as_ref()), by),
            Event::SignerUnable { signer, reason: Some(reason) } => {
                super::signer_unable(self.name(signer), reason);
            }
            Event::SignerUnable { signer, reason: None } => super::signer_able(self.name(signer)),
            Event::GuardSaid { proposal, refusal: Some(refusal) } => {
                super::guard_refuses(proposal, &refusal.code, &refusal.reason);
            }
            Event::GuardSaid { proposal, refusal: None } => super::guard_gives(proposal),
            Event::LedgerTaken { observation, .. } => {
                observation.changes.iter().for_each(|change| self.changed(change));
            }
            Event::PolicyProposed { table, .. } => super::policy_candidate(
                table.hash(),
                self.state.charter.activation().map(Approvers::so_many).unwrap_or_default(),
            ),
            Event::PolicyEndorsed { policy, by, endorsement, .. } => {
                super::policy_endorsed(policy, by, &endorsement.reason);
            }
            Event::PolicyActivated { policy, .. } => super::policy_activated(policy),
            Event::DestinationProposed { destination, .. } => super::destination_waits(destination),
            Event::DestinationAdmitted { destination, .. } => super::destination_confirmed(destination),
            Event::EscrowRevealed { escrow, attempt, .. } => super::escrow_revealed(escrow, attempt),
            other => self.proposed(other),
        }
    }

    /// What becomes of proposals.
    fn proposed(&self, event: &Event) {
        match event {
            Event::ProposalDrafted { proposal, .. } => super::proposal_drafted(
                proposal.id,
                self.name(&proposal.account),
                self.wanted(&proposal.intent),
                &proposal.asker,
                proposal.decision.rule(),
                proposal.decision.obligations.word(),
            ),
            Event::Redecided { proposal, decision } => {
                super::proposal_redecided(proposal, decision.rule(), decision.obligations.word());
            }
            Event::Approved { proposal, approval } => super::approval_taken(
                proposal,
                self.name(&approval.signer),
                approval.person.as_deref().unwrap_or("treasuryd"),
            ),
            Event::ApprovalDropped { proposal, signer, reason } => {
                super::approval_dropped(proposal, self.name(signer), reason);
            }
            Event::Objected { proposal, person, rejection } => {
                super::objection(proposal, person, &rejection.reason);
            }
            Event::StatusChanged { proposal, ready: true } => super::proposal_ready(proposal),
            Event::SubmissionRecorded { proposal, submission }
            | Event::SubmissionRenewed { proposal, submission } => self.recorded(*proposal, submission),
            Event::ProposalEnded { proposal, status, .. } => ended(*proposal, status),
            // The rest is how the daemon does it, and in the events of the API.
            _ => {}
        }
    }

    fn recorded(&self, proposal: ProposalId, submission: &Submission) {
        let rung = submission.rungs.get(submission.current);
        let (tx_id, fee) =
            rung.map(|rung| (rung.tx_id.to_string(), rung.fee.to_string())).unwrap_or_default();
        let plan = self.state.proposals.get(&proposal).and_then(|known| known.plan.as_ref());
        let last = plan.map_or(0, |plan| plan.last_ledger_sequence.0);
        super::submission_recorded(proposal, tx_id, fee, last);
    }

    fn changed(&self, change: &Change) {
        match change {
            Change::EscrowCreated { escrow } => super::escrow_seen(
                escrow.key,
                self.name(&escrow.destination),
                escrow.amount.map_or_else(|| "a token".to_owned(), |amount| amount.words()),
            ),
            Change::EscrowDeleted { key, tx_id, tx_type } => super::escrow_ended(key, tx_type, tx_id),
            _ => {}
        }
    }

    fn wanted(&self, intent: &Intent) -> String {
        intent.words(&|account| self.name(account))
    }

    fn subject(&self, subject: &Subject) -> String {
        match subject {
            Subject::Account(account) => format!("account {}", self.name(account)),
            Subject::Destination(account) => format!("destination {}", self.name(account)),
            other => other.to_string(),
        }
    }

    fn whose(&self, account: Option<&AccountId>) -> String {
        account.map_or_else(|| "every account".to_owned(), |account| self.name(account))
    }

    fn name(&self, account: &AccountId) -> String {
        self.treasury.name_of(account).map_or_else(|| account.to_string(), str::to_owned)
    }
}

fn ended(proposal: ProposalId, status: &Status) {
    let (result, tx_id) = match status {
        Status::Validated(outcome) | Status::Failed(outcome) => {
            (outcome.result.as_str(), outcome.tx_id.to_string())
        }
        Status::Superseded { tx_id } | Status::Voided { tx_id } => ("", tx_id.to_string()),
        _ => ("", String::new()),
    };
    super::proposal_ended(proposal, status.word(), result, tx_id);
}
