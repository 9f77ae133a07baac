//! What people must know of the facts that have become durable.

use std::collections::BTreeMap;

use treasury_api::notice::{Kind, Severity};
use treasury_api::types::{LedgerTime, Notice, PartyView};
use treasury_core::config::{Severity as FindingSeverity, Treasury};
use treasury_core::drill::Drill;
use treasury_core::model::signing::Purpose;
use treasury_core::observe::{Change, EscrowView, LedgerPoint};
use treasury_core::proposal::{Approval, Proposal, Status};
use treasury_core::state::{Acknowledged, Finding, Guard, Sight};
use treasury_core::stops::{Stop, StopKind, StopSource, Subject};
use treasury_core::units::{AccountId, EscrowKey, ProposalId, RippleTime, StopId};
use treasury_core::{Event, State};

use super::{runway, who};
use crate::lines::shown;
use crate::sight::is_routine;
use crate::store::Record;

/// Tells facts, with what is known by now of what they are about.
pub(super) struct Teller<'a> {
    /// What is declared.
    pub(super) treasury: &'a Treasury,
    /// What is known, which is at least what the facts say.
    pub(super) state: &'a State,
    /// Proposals that the facts are about and that have left the state.
    pub(super) archived: &'a BTreeMap<ProposalId, Proposal>,
    /// How grave the notices are that people say they look after, by id, where they are kept.
    pub(super) answered: &'a BTreeMap<String, Severity>,
    /// What ids begin with.
    pub(super) series: &'a str,
    /// UTC, ISO 8601.
    pub(super) utc: &'a str,
}

/// The proposals that records are about and that the state has no more.
pub(super) fn missing(records: &[Record], state: &State) -> Vec<ProposalId> {
    let events = records.iter().flat_map(|record| &record.events);
    let mut missing: Vec<ProposalId> =
        events.filter_map(about).filter(|id| !state.proposals.contains_key(id)).collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

/// The proposal that a fact is about, where its notice needs to know more of it.
fn about(event: &Event) -> Option<ProposalId> {
    match event {
        Event::Redecided { proposal, .. }
        | Event::RungsFrozen { proposal, .. }
        | Event::Approved { proposal, .. }
        | Event::ApprovalDropped { proposal, .. }
        | Event::Objected { proposal, .. }
        | Event::StatusChanged { proposal, .. }
        | Event::SubmissionRecorded { proposal, .. }
        | Event::SubmissionRenewed { proposal, .. }
        | Event::ProposalEnded { proposal, .. } => Some(*proposal),
        Event::StopSet { stop: Stop { subject: Subject::Proposal(proposal), .. } } => Some(*proposal),
        _ => None,
    }
}

impl Teller<'_> {
    /// What is told of a record. `ledger` is the newest validated ledger of the records before it, and then of this one.
    pub(super) fn record(&self, record: &Record, ledger: &mut Option<LedgerPoint>) -> Vec<Notice> {
        let mut notices = Vec::new();
        for (number, event) in record.events.iter().enumerate() {
            match event {
                Event::LedgerTaken { observation, .. } => *ledger = Some(observation.point),
                Event::AccountsRead { at, .. } if ledger.is_none_or(|known| known.index < at.index) => {
                    *ledger = Some(*at);
                }
                _ => {}
            }
            let mut told = self.event(event);
            let several = told.len() > 1;
            for (part, notice) in told.iter_mut().enumerate() {
                notice.id = format!("n-{}-{}-{number}", self.series, record.number);
                if several {
                    notice.id.push_str(&format!("-{part}"));
                }
                notice.ledger = ledger.map(ledger_time);
                notice.by = who::caused(event);
            }
            notices.append(&mut told);
        }
        notices
    }

    fn event(&self, event: &Event) -> Vec<Notice> {
        let one = match event {
            Event::LedgerTaken { observation, .. } => {
                return observation.changes.iter().filter_map(|change| self.change(change)).collect();
            }
            Event::SightChanged { sight } => Some(self.sight(sight)),
            Event::Found { finding } => Some(self.finding(finding)),
            Event::StopSet { stop } => Some(self.stop_set(stop)),
            Event::StopLifted { id, by, reason, .. } => Some(self.stop_lifted(*id, by, reason)),
            Event::FindingAcknowledged { id, acknowledged } => {
                let found = self.state.findings.get(id);
                let severity = found.map(|finding| severity_of(finding.severity));
                let mut notice = self.acknowledged(&id.to_string(), acknowledged, severity);
                notice.finding = Some(id.to_string());
                notice.account =
                    found.and_then(|finding| finding.account).map(|account| self.party(&account));
                Some(notice)
            }
            Event::NoticesAcknowledged { notices, acknowledged } => {
                let severity = notices.iter().filter_map(|id| self.answered.get(id).copied()).max();
                Some(self.acknowledged(&notices.join(", "), acknowledged, severity))
            }
            Event::BreakerOpened { account, reason, .. } => {
                Some(self.breaker(account.as_ref(), Kind::BreakerOpened, reason))
            }
            Event::BreakerClosed { account, by } => {
                Some(self.breaker(account.as_ref(), Kind::BreakerClosed, by))
            }
            Event::PolicyProposed { table, .. } => Some(self.candidate(table)),
            Event::PolicyActivated { policy, .. } => Some(self.activated(policy)),
            Event::DestinationProposed { destination, .. } => Some(self.to_confirm(destination)),
            Event::DestinationAdmitted { destination, .. } => Some(self.confirmed(destination)),
            Event::SignerUnable { signer, reason } => Some(self.signer(signer, reason.as_deref())),
            Event::EscrowRevealed { escrow, .. } => Some(self.revealed(*escrow)),
            Event::DrillAsked { signer, drill } => Some(self.drill(signer, drill)),
            Event::ProposalDrafted { proposal, .. } => {
                return std::iter::once(self.drafted(proposal)).chain(self.matched(proposal)).collect();
            }
            other => self.proposed(other),
        };
        one.into_iter().collect()
    }

    /// What becomes of a proposal.
    fn proposed(&self, event: &Event) -> Option<Notice> {
        let proposal = self.proposal(about(event)?)?;
        let (kind, severity, what) = match event {
            Event::Redecided { decision, .. } => {
                let (word, rule) = (decision.obligations.word(), decision.rule());
                (Kind::Redecided, Severity::Warning, format!("policy asks for more by now: {word} ({rule})"))
            }
            Event::RungsFrozen { .. } if who::needs_people(self.treasury, self.state, proposal) => {
                let lasts = runway::of_move(self.treasury, self.state, proposal);
                let lasts = lasts.map_or_else(String::new, |short| short.words);
                (Kind::Wanted, Severity::Warning, format!("waits for signatures{lasts}"))
            }
            Event::Approved { approval, .. } => (Kind::Approved, Severity::Info, self.approved(approval)),
            Event::ApprovalDropped { signer, reason, .. } => {
                let what = format!("the approval of {} counts no more: {reason}", self.name(signer));
                (Kind::ApprovalDropped, Severity::Warning, what)
            }
            Event::Objected { person, rejection, .. } => (
                Kind::Objection,
                Severity::Warning,
                format!("{person} speaks against it: {}", rejection.reason),
            ),
            Event::StatusChanged { ready: true, .. } => {
                (Kind::Quorum, Severity::Info, "has the approvals that it needs".to_owned())
            }
            Event::StatusChanged { ready: false, .. } => {
                (Kind::QuorumLost, Severity::Warning, "has the approvals that it needs no more".to_owned())
            }
            Event::SubmissionRecorded { submission, .. } | Event::SubmissionRenewed { submission, .. }
                if submission.purpose == Purpose::Void =>
            {
                let what = "is being voided, so that what was signed of it is worthless".to_owned();
                (Kind::Submitted, Severity::Warning, what)
            }
            Event::SubmissionRecorded { .. } => (Kind::Submitted, Severity::Info, "is being sent".to_owned()),
            Event::SubmissionRenewed { .. } => {
                let what = "is being sent anew with the approvals that the ledger still takes".to_owned();
                (Kind::Renewed, Severity::Warning, what)
            }
            Event::ProposalEnded { status, .. } => ended(status)?,
            _ => return None,
        };
        let mut notice = self.of_proposal(proposal, kind, severity, &what);
        if matches!(kind, Kind::Wanted | Kind::QuorumLost) {
            notice.signers = who::can_sign(self.treasury, self.state, proposal);
            notice.deadline = proposal.plan.as_ref().map(|plan| plan.deadline.to_string());
        }
        if matches!(kind, Kind::Wanted | Kind::Quorum | Kind::QuorumLost | Kind::Approved | Kind::Redecided) {
            notice.can_do = stopping(proposal);
        }
        Some(notice)
    }

    fn approved(&self, approval: &Approval) -> String {
        let signer = self.name(&approval.signer);
        match approval.person.as_deref() {
            None => format!("{signer} has signed, whose key the daemon holds"),
            Some(person) if person == signer => format!("{signer} has signed"),
            Some(person) => format!("{signer} has signed, brought by {person}"),
        }
    }

    fn drafted(&self, proposal: &Proposal) -> Notice {
        let (rule, word) = (proposal.decision.rule(), proposal.decision.obligations.word());
        let asker = match &proposal.occurrence {
            Some(occurrence) => {
                format!("schedule \"{}\" in the name of {}", occurrence.schedule, proposal.asker)
            }
            None => proposal.asker.to_string(),
        };
        if proposal.status == Status::Denied {
            let what = format!("was asked for by {asker} and is denied ({rule})");
            return self.of_proposal(proposal, Kind::Denied, Severity::Warning, &what);
        }
        let what = format!("was asked for by {asker}; policy says {word} ({rule})");
        let mut notice = self.of_proposal(proposal, Kind::Created, Severity::Info, &what);
        notice.can_do = stopping(proposal);
        notice
    }

    /// Whom rules that match it name to be told.
    fn matched(&self, proposal: &Proposal) -> Option<Notice> {
        let obligations = &proposal.decision.obligations;
        let told = obligations.told.as_ref()?;
        let (asker, rule, word) = (&proposal.asker, proposal.decision.rule(), obligations.word());
        let what = format!(
            "is asked for by {asker}, and a rule says that {}; policy says {word} ({rule})",
            told.words()
        );
        let mut notice = self.of_proposal(proposal, Kind::RuleMatched, Severity::Warning, &what);
        notice.people = who::told_of(self.treasury, told);
        notice.can_do = if proposal.status.is_final() { Vec::new() } else { stopping(proposal) };
        Some(notice)
    }

    /// A notice about a proposal: who pays whom what, and what is to be said.
    pub(super) fn of_proposal(
        &self,
        proposal: &Proposal,
        kind: Kind,
        severity: Severity,
        what: &str,
    ) -> Notice {
        let wanted = proposal.intent.words(&|account| self.name(account));
        let (id, account) = (proposal.id, self.name(&proposal.account));
        let mut notice = self.notice(kind, severity, &format!("{id} on {account} ({wanted}): {what}."));
        notice.proposal = Some(id.to_string());
        notice.account = Some(self.party(&proposal.account));
        notice.destination = proposal.intent.destination().map(|account| self.party(&account));
        notice.amount = proposal.intent.amount().map(Into::into);
        notice.escrow = proposal.intent.ended_escrow().map(|escrow| escrow.to_string());
        notice
    }

    fn sight(&self, sight: &Sight) -> Notice {
        match sight {
            Sight::Clear => {
                self.notice(Kind::SightClear, Severity::Info, "The validated ledger can be seen again.")
            }
            Sight::Lost(reason) => {
                let is_routine = is_routine(reason);
                let severity = if is_routine { Severity::Info } else { Severity::Critical };
                let says = format!(
                    "The validated ledger cannot be seen ({reason}): nothing is signed, sent or released meanwhile."
                );
                let mut notice = self.notice(Kind::SightLost, severity, &says);
                if !is_routine {
                    notice.can_do = vec!["See `treasuryctl status` and the ledger servers.".to_owned()];
                }
                notice
            }
        }
    }

    fn drill(&self, signer: &AccountId, drill: &Drill) -> Notice {
        let last = self.state.proofs.get(signer).map_or_else(
            || "nothing that it signed is known".to_owned(),
            |proof| format!("the last that it signed was at {}", proof.at.close_time),
        );
        let name = self.name(signer);
        let says =
            format!("{name} is asked to show that they still have their key: {last}. It moves nothing.");
        let mut notice = self.notice(Kind::DrillAsked, Severity::Warning, &says);
        let until = drill.at.close_time.0.saturating_add(self.treasury.alarms.drills.answer_seconds);
        notice.deadline = Some(RippleTime(until).to_string());
        notice.signers = vec![name];
        notice.can_do = vec!["Run `treasuryctl drill`.".to_owned()];
        notice
    }

    fn finding(&self, finding: &Finding) -> Notice {
        // What it is about may be one payment of the account's, and then that alone is stopped.
        let lifted = self.state.stops.lifted().map(|lifted| &lifted.stop);
        let by_it = |stop: &&Stop| stop.source == StopSource::Finding(finding.id);
        let stopped = match self.state.stops.all().chain(lifted).find(by_it).map(|stop| &stop.subject) {
            Some(Subject::Proposal(id)) => id.to_string(),
            Some(Subject::Account(_)) | None => "The account".to_owned(),
            Some(Subject::Everything) => "Everything".to_owned(),
            Some(other) => format!("What it is about ({})", self.subject(other)),
        };
        let follows = match finding.severity {
            FindingSeverity::Log | FindingSeverity::Alert => String::new(),
            FindingSeverity::Hold => format!(" {stopped} is held."),
            FindingSeverity::Freeze => format!(" {stopped} is frozen."),
        };
        let (id, severity) = (finding.id, severity_of(finding.severity));
        let (on, frozen) = match finding.account.map(|account| self.name(&account)) {
            Some(account) => {
                (format!(" on {account}"), format!(" on it: `treasuryctl freeze --account {account}"))
            }
            None => (String::new(), ": `treasuryctl freeze".to_owned()),
        };
        let says = format!("Finding {id} ({}){on}: {}.{follows}", finding.kind.word(), finding.evidence);
        let mut notice = self.notice(Kind::Finding, severity, &says);
        notice.finding = Some(id.to_string());
        notice.account = finding.account.map(|account| self.party(&account));
        notice.can_do = vec![
            "See `treasuryctl findings` and `treasuryctl stops`.".to_owned(),
            format!("Stop everything{frozen} --reason …`."),
        ];
        notice
    }

    /// As grave as what it answers, so that it comes to whoever was told of that.
    fn acknowledged(&self, what: &str, acknowledged: &Acknowledged, severity: Option<Severity>) -> Notice {
        let Acknowledged { by, reason, .. } = acknowledged;
        let severity = severity.unwrap_or(Severity::Warning);
        self.notice(Kind::Acknowledged, severity, &format!("{by} looks after {what}: {reason}."))
    }

    fn stop_set(&self, stop: &Stop) -> Notice {
        let (kind, severity) = match stop.kind {
            StopKind::Hold => (Kind::StopSet, Severity::Warning),
            StopKind::Freeze => (Kind::Freeze, Severity::Critical),
        };
        let (id, subject, by) = (stop.id, self.subject(&stop.subject), &stop.source);
        let says = format!("{by} set a {} on {subject} ({id}): {}.", stop.kind.word(), stop.reason);
        let mut notice = self.notice(kind, severity, &says);
        self.concerns(&mut notice, &stop.subject);
        notice.stop = Some(id.to_string());
        notice.can_do = vec![format!("Lift it once it is understood: `treasuryctl lift {id} --reason …`.")];
        notice
    }

    fn stop_lifted(&self, id: StopId, by: &str, reason: &str) -> Notice {
        let lifted = self.state.stops.lifted().find(|lifted| lifted.stop.id == id).map(|lifted| &lifted.stop);
        let what = lifted.map_or_else(
            || format!("stop {id}"),
            |stop| format!("the {} {id} on {}", stop.kind.word(), self.subject(&stop.subject)),
        );
        let says = format!("{by} lifted {what}: {reason}.");
        let mut notice = self.notice(Kind::StopLifted, Severity::Warning, &says);
        if let Some(stop) = lifted {
            self.concerns(&mut notice, &stop.subject);
        }
        notice.stop = Some(id.to_string());
        notice
    }

    /// Says what a stop's subject is.
    fn concerns(&self, notice: &mut Notice, subject: &Subject) {
        match subject {
            Subject::Account(account) => notice.account = Some(self.party(account)),
            Subject::Destination(account) => notice.destination = Some(self.party(account)),
            Subject::Proposal(id) => {
                notice.proposal = Some(id.to_string());
                if let Some(proposal) = self.proposal(*id) {
                    notice.account = Some(self.party(&proposal.account));
                    notice.amount = proposal.intent.amount().map(Into::into);
                }
            }
            Subject::Escrow(key) => {
                notice.escrow = Some(key.to_string());
                notice.account = Some(self.party(&key.owner));
            }
            Subject::Everything | Subject::Link(_) => {}
        }
    }

    fn breaker(&self, account: Option<&AccountId>, kind: Kind, why: &str) -> Notice {
        let whose = account.map_or_else(|| "every account".to_owned(), |account| self.name(account));
        let (severity, says) = if kind == Kind::BreakerOpened {
            (Severity::Critical, format!("Automated submissions of {whose} are stopped: {why}."))
        } else {
            (Severity::Warning, format!("{why} lets automated submissions of {whose} go on."))
        };
        let mut notice = self.notice(kind, severity, &says);
        notice.account = account.map(|account| self.party(account));
        if kind == Kind::BreakerOpened {
            notice.can_do =
                vec!["Once the cause is gone: `treasuryctl close-breaker` (role `admin`).".to_owned()];
        }
        notice
    }

    fn signer(&self, signer: &AccountId, reason: Option<&str>) -> Notice {
        let name = self.name(signer);
        let mut notice = match reason {
            Some(reason) => {
                let says = format!("{name}, whose key the daemon holds, does not sign: {reason}.");
                self.notice(Kind::SignerUnable, Severity::Critical, &says)
            }
            None => self.notice(Kind::SignerAble, Severity::Info, &format!("{name} signs again.")),
        };
        notice.account = Some(self.party(signer));
        notice
    }

    fn revealed(&self, key: EscrowKey) -> Notice {
        let says =
            format!("The fulfillment of escrow {} is being sent: there is no way back.", self.key(&key));
        let mut notice = self.notice(Kind::EscrowRevealed, Severity::Warning, &says);
        notice.escrow = Some(key.to_string());
        notice.account = Some(self.party(&key.owner));
        if let Some(escrow) = self.state.escrows.get(&key) {
            self.of_escrow(&mut notice, &escrow.view);
        }
        notice
    }

    fn change(&self, change: &Change) -> Option<Notice> {
        match change {
            Change::EscrowCreated { escrow } => Some(self.escrow_seen(escrow)),
            Change::EscrowDeleted { key, tx_type, .. } => {
                let how = match tx_type.as_str() {
                    "EscrowFinish" => "is released: its destination has the money",
                    "EscrowCancel" => "is cancelled: the money is back",
                    _ => "is gone from the ledger",
                };
                let mut notice = self.notice(
                    Kind::EscrowEnded,
                    Severity::Info,
                    &format!("Escrow {} {how}.", self.key(key)),
                );
                notice.escrow = Some(key.to_string());
                notice.account = Some(self.party(&key.owner));
                if let Some(escrow) = self.state.escrows.get(key) {
                    self.of_escrow(&mut notice, &escrow.view);
                }
                Some(notice)
            }
            _ => None,
        }
    }

    fn escrow_seen(&self, escrow: &EscrowView) -> Notice {
        let amount = escrow.amount.map_or_else(|| "a token".to_owned(), |amount| amount.words());
        let says = format!(
            "Escrow {} holds {amount} for {}.",
            self.key(&escrow.key),
            self.name(&escrow.destination)
        );
        let mut notice = self.notice(Kind::EscrowSeen, Severity::Info, &says);
        self.of_escrow(&mut notice, escrow);
        let made_by = self.state.escrows.get(&escrow.key).and_then(|tracked| match &tracked.guard {
            Guard::Locked { proposal, .. } | Guard::Releasing { proposal, .. } => Some(*proposal),
            _ => None,
        });
        if let Some(proposal) = made_by {
            notice.proposal = Some(proposal.to_string());
            notice.can_do = vec![format!(
                "Until it is released it can be held: `treasuryctl flag {proposal} --reason …`; then the money comes back."
            )];
        }
        notice
    }

    /// What an escrow holds and for whom.
    pub(super) fn of_escrow(&self, notice: &mut Notice, escrow: &EscrowView) {
        notice.escrow = Some(escrow.key.to_string());
        notice.account = Some(self.party(&escrow.key.owner));
        notice.destination = Some(self.party(&escrow.destination));
        notice.amount = escrow.amount.map(Into::into);
    }

    /// One without an id yet.
    pub(super) fn notice(&self, kind: Kind, severity: Severity, says: &str) -> Notice {
        // Reasons may end in a stop of their own.
        let says = shown(&says).replace("..", ".");
        Notice::new(String::new(), kind, severity, self.utc.to_owned(), says)
    }

    fn proposal(&self, id: ProposalId) -> Option<&Proposal> {
        self.state.proposals.get(&id).or_else(|| self.archived.get(&id))
    }

    fn subject(&self, subject: &Subject) -> String {
        match subject {
            Subject::Account(account) => format!("account {}", self.name(account)),
            Subject::Destination(account) => format!("destination {}", self.name(account)),
            Subject::Escrow(key) => format!("escrow {}", self.key(key)),
            other => other.to_string(),
        }
    }

    fn key(&self, key: &EscrowKey) -> String {
        format!("{}:{}", self.name(&key.owner), key.sequence)
    }

    fn name(&self, account: &AccountId) -> String {
        self.treasury.name_of(account).map_or_else(|| account.to_string(), str::to_owned)
    }

    pub(super) fn party(&self, account: &AccountId) -> PartyView {
        PartyView { address: account.to_string(), name: self.treasury.name_of(account).map(str::to_owned) }
    }
}

/// How grave a finding is to whoever is told of it.
fn severity_of(severity: FindingSeverity) -> Severity {
    match severity {
        FindingSeverity::Log => Severity::Info,
        FindingSeverity::Alert => Severity::Warning,
        FindingSeverity::Hold | FindingSeverity::Freeze => Severity::Critical,
    }
}

/// How the end of a proposal is told.
fn ended(status: &Status) -> Option<(Kind, Severity, String)> {
    let (kind, severity, what) = match status {
        Status::Validated(outcome) => {
            (Kind::Validated, Severity::Info, format!("done, in ledger {}", outcome.at.index))
        }
        Status::Failed(outcome) => (
            Kind::Failed,
            Severity::Warning,
            format!("failed in ledger {} with {}: only the fee is spent", outcome.at.index, outcome.result),
        ),
        Status::Expired => (
            Kind::Expired,
            Severity::Warning,
            "expired: its time is over, and it can never be applied".to_owned(),
        ),
        Status::Denied => (Kind::Denied, Severity::Warning, "policy denies it by now".to_owned()),
        Status::Rejected => (Kind::Rejected, Severity::Warning, "rejected".to_owned()),
        Status::Withdrawn => (Kind::Withdrawn, Severity::Info, "taken back".to_owned()),
        Status::Voided { .. } => (
            Kind::Voided,
            Severity::Warning,
            "voided: what was signed of it is worthless, and it can never be applied".to_owned(),
        ),
        Status::Superseded { tx_id } => (
            Kind::Superseded,
            Severity::Warning,
            format!("another transaction used its Ticket ({tx_id}); it can never be applied"),
        ),
        Status::Drafted | Status::Assessed | Status::Collecting | Status::Ready | Status::InFlight(_) => {
            return None;
        }
    };
    Some((kind, severity, what))
}

/// How a proposal that is under way can be stopped.
fn stopping(proposal: &Proposal) -> Vec<String> {
    let id = proposal.id;
    vec![format!(
        "See `treasuryctl show {id}`; speak against it: `treasuryctl reject {id} --reason …`; hold it: `treasuryctl flag {id} --reason …`."
    )]
}

pub(super) fn ledger_time(point: LedgerPoint) -> LedgerTime {
    LedgerTime { index: point.index.0, close_time: point.close_time.to_string() }
}
