//! What a run has reached, and what it should have: a simulator that injects nothing and reaches nothing finds
//! nothing, and looks as if all were well.

use std::collections::BTreeSet;

use treasury_core::Event;
use treasury_core::config::{FindingKind, Treasury};
use treasury_core::proposal::Status;
use treasury_core::state::{Guard, Sight, State};
use treasury_core::stops::StopSource;
use treasury_core::wait::Wait;
use treasury_core::waits::waits;

use super::faults::Allowed;
use super::record::Record;

/// Sight that came or went, in words.
pub(super) fn sight_line(events: &[Event]) -> Option<String> {
    events.iter().rev().find_map(|event| match event {
        Event::SightChanged { sight } => Some(format!("{sight:?}")),
        _ => None,
    })
}

/// Counts what a step's events reach.
pub(super) fn of_events(events: &[Event], record: &mut Record) {
    for event in events {
        record.mix(event.word().as_bytes());
        record.reach("event", event.word());
        match event {
            Event::LedgerTaken { observation, .. } => record.mix(&observation.point.hash.0),
            Event::ProposalEnded { status, .. } => record.reach("status", status.word()),
            Event::ProposalDrafted { proposal, .. } => record.reach("status", proposal.status.word()),
            Event::ProposalPlanned { .. } => record.reach("status", "assessed"),
            Event::RungsFrozen { .. } => record.reach("status", "collecting"),
            Event::StatusChanged { ready: true, .. } => record.reach("status", "ready"),
            Event::SubmissionRecorded { .. } | Event::SubmissionRenewed { .. } => {
                record.reach("status", "in_flight")
            }
            Event::StopSet { stop } => {
                record.reach("stop", source_word(&stop.source));
                record.reach("stop", stop.kind.word());
            }
            Event::Found { finding } => record.reach("finding", finding.kind.word()),
            Event::SubmitReplied { reply, .. } => {
                let word = reply.split_once(": ").map_or(reply.as_str(), |(head, _)| head);
                record.reach("reply", word);
            }
            Event::SightChanged { sight: Sight::Lost(reason) } => {
                record.reach("sight lost", sight_word(reason))
            }
            _ => {}
        }
    }
}

fn source_word(source: &StopSource) -> &'static str {
    match source {
        StopSource::Person(_) => "person",
        StopSource::Finding(_) => "finding",
        StopSource::Daemon => "daemon",
    }
}

/// What kind of loss of sight it is.
fn sight_word(reason: &str) -> &'static str {
    let kinds = [
        ("starting", "starting"),
        ("two validated ledgers", "two ledgers"),
        ("cannot be fetched", "withheld"),
        ("history is missing", "history missing"),
        ("no validated ledger for", "silence noticed by time"),
        ("closed", "old"),
        ("reading of", "misread"),
        ("no new validated ledger", "silence of the servers"),
        ("not proven", "not proven"),
        ("cannot be reached", "unreachable"),
        ("the connection ended", "connection ended"),
        ("no reply", "no reply"),
        ("does not have ledger", "history missing"),
        ("malformed", "malformed reply"),
        ("refused", "refused"),
        ("does not follow", "gap"),
        ("asks to be asked less", "busy"),
    ];
    kinds.iter().find(|(part, _)| reason.contains(part)).map_or("other", |(_, word)| word)
}

/// Counts what a state shows.
pub(super) fn of_state(treasury: &Treasury, state: &State, record: &mut Record) {
    for tracked in state.escrows.values() {
        record.reach("guard", guard_word(&tracked.guard));
    }
    for id in &state.open {
        if let Some(proposal) = state.proposals.get(id) {
            for wait in waits(treasury, state, proposal) {
                record.reach("wait", wait_word(&wait));
            }
        }
    }
}

fn guard_word(guard: &Guard) -> &'static str {
    match guard {
        Guard::Foreign => "foreign",
        Guard::Locked { .. } => "locked",
        Guard::Releasing { .. } => "releasing",
        Guard::Released { .. } => "released",
        Guard::Cancelled { .. } => "cancelled",
        Guard::Gone { .. } => "gone",
    }
}

fn wait_word(wait: &Wait) -> &'static str {
    match wait {
        Wait::Sight(_) => "sight",
        Wait::Ticket => "ticket",
        Wait::SignerList => "signer list",
        Wait::FeeAboveCap => "fee above cap",
        Wait::Condition => "condition",
        Wait::Signatures(..) => "signatures",
        Wait::OwnKey => "own key",
        Wait::Stop(_, kind, ..) => kind.word(),
        Wait::Breaker(_) => "breaker",
        Wait::Deadline => "deadline",
        Wait::Ledger => "ledger",
        Wait::Unwanted(_) => "unwanted",
        Wait::FinishAfter(_) => "finish after",
        Wait::CancelAfter(_) => "cancel after",
        Wait::Over => "over",
        Wait::Reading(_) => "reading",
        Wait::Recipient(..) => "recipient",
        Wait::Drained(_) => "drained",
        Wait::Funds(..) => "funds",
        Wait::Policy(_) => "policy",
        Wait::Ended => "ended",
        Wait::Signer(..) => "signer",
    }
}

/// What a range of runs should have reached and has not.
#[must_use]
pub fn silent(record: &Record, allowed: &Allowed) -> Vec<String> {
    let mut silent: Vec<String> = allowed
        .iter()
        .filter(|fault| !record.faults.contains_key(fault))
        .map(|fault| format!("fault: {}", fault.word()))
        .collect();
    let mut expected: BTreeSet<(&str, &str)> = Status::WORDS.iter().map(|word| ("status", *word)).collect();
    // The simulated ledger applies only what it knows.
    let kinds = FindingKind::ALL.iter().filter(|kind| **kind != FindingKind::OpaqueTransaction);
    expected.extend(kinds.map(|kind| ("finding", kind.word())));
    expected.extend(["foreign", "locked", "releasing", "released", "cancelled"].map(|word| ("guard", word)));
    expected.extend(["person", "finding", "hold", "freeze"].map(|word| ("stop", word)));
    expected.extend(["tesSUCCESS", "terQUEUED", "busy", "no reply"].map(|word| ("reply", word)));
    expected.extend(["signatures", "hold", "freeze", "deadline", "ledger"].map(|word| ("wait", word)));
    expected.extend(["starting", "silence noticed by time", "two ledgers"].map(|word| ("sight lost", word)));
    expected.extend(
        ["Payment", "EscrowCreate", "EscrowFinish", "EscrowCancel", "TicketCreate"]
            .map(|word| ("sent", word)),
    );
    let missing = expected
        .into_iter()
        .filter(|(heading, word)| !record.coverage.contains_key(&(*heading, (*word).to_owned())));
    silent.extend(missing.map(|(heading, word)| format!("{heading}: {word}")));
    silent
}
