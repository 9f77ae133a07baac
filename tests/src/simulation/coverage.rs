//! What a run has reached, and what it should have: a simulator that injects nothing and reaches nothing finds
//! nothing, and looks as if all were well.

use std::collections::{BTreeMap, BTreeSet};

use treasury_core::Event;
use treasury_core::config::{FindingKind, Treasury};
use treasury_core::proposal::Status;
use treasury_core::state::{Guard, Sight, State};
use treasury_core::stops::{StopSource, Subject};
use treasury_core::units::AccountId;
use treasury_core::wait::Wait;
use treasury_core::waits::waits;

use super::cast::DESK;
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
        ("behind your", "servers behind"),
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
    of_workload(treasury, state, record);
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

/// Kinds of work that every range of runs is to have had; see [`of_workload`] and the checker's own. That a delayed move is taken
/// back is counted, and not asked for: it happens in one of two hundred lives.
const WORKLOAD: [&str; 29] = [
    "a guard gives its share",
    "a guarded escrow went back",
    "a schedule's payment is stopped until it is too late",
    "a schedule's payment came",
    "a schedule asks late",
    "a schedule catches up after its daemon was dead",
    "a link fills for what a schedule asked for",
    "money on its way over two links into one account",
    "a delayed move came",
    "an account that was drained waits for people",
    "a recipient refuses",
    "two people and a finding stop one account",
    "one agent of two cannot sign",
    "two stores with one keystore",
    "a daemon is fenced",
    "a reading is disputed",
    "what one captured thing opens was taken",
    "agents signed what one person asked for",
    "an issued asset is paid by hand",
    "an issued asset is paid by a daemon",
    "an issued asset is moved along a link",
    "a schedule pays an issued asset",
    "a delay of an issued asset is denied",
    "a payment of a multi-purpose token is refused",
    "a trust line is frozen",
    "a trust line is gone",
    "an issued asset runs out within a year",
    "what usually leaves of an issued asset ends it",
    "what usually leaves of XRP ends it",
];

/// Counts kinds of work that can be seen in a state.
fn of_workload(treasury: &Treasury, state: &State, record: &mut Record) {
    let open = || state.open.iter().filter_map(|id| state.proposals.get(id));
    let links: BTreeSet<(AccountId, &str)> = open()
        .filter_map(|proposal| proposal.intent.movement())
        .filter_map(|movement| Some((movement.destination, movement.link?)))
        .collect();
    let accounts: BTreeSet<AccountId> = links.iter().map(|(account, _)| *account).collect();
    if accounts.len() < links.len() {
        record.reach("workload", "money on its way over two links into one account");
    }
    if !state.robbed.is_empty() {
        record.reach("workload", "an account that was drained waits for people");
    }
    let refuses = |to: &AccountId| {
        let root = state.accounts.get(to).and_then(|view| view.root);
        root.is_some_and(|root| root.flags & xrpl_wire::flags::lsfDepositAuth != 0)
    };
    let mut locked = state.standing.iter().filter_map(|key| state.escrows.get(key)).filter(|tracked| {
        let over = tracked.view.finish_after.is_some_and(|finish_after| state.now() > finish_after);
        over && matches!(tracked.guard, Guard::Locked { .. })
    });
    if locked.any(|tracked| refuses(&tracked.view.destination)) {
        record.reach("workload", "a recipient refuses");
    }
    for (account, _) in treasury.accounts.iter().filter(|(_, declared)| declared.name == DESK) {
        let lines = state.accounts.get(account).and_then(|view| view.trust_lines.as_ref());
        if lines.is_some_and(BTreeMap::is_empty) {
            record.reach("workload", "a trust line is gone");
        }
    }
    if treasury.accounts.keys().flat_map(|account| state.trust_lines(account)).any(|(_, line)| line.frozen) {
        record.reach("workload", "a trust line is frozen");
    }
    if !state.unable.is_empty() {
        record.reach("workload", "one agent of two cannot sign");
    }
    for account in treasury.accounts.keys() {
        let subject = Subject::Account(*account);
        let sources: BTreeSet<&StopSource> = state.stops.on(&subject).map(|stop| &stop.source).collect();
        let people = sources.iter().filter(|source| matches!(source, StopSource::Person(_))).count();
        let findings = sources.iter().any(|source| matches!(source, StopSource::Finding(_)));
        if people > 1 && findings {
            record.reach("workload", "two people and a finding stop one account");
        }
    }
    if let Sight::Lost(reason) = &state.sight
        && reason.contains("differs from the proven ledgers")
    {
        record.reach("workload", "a reading is disputed");
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
        Wait::Due(_) => "due",
        Wait::FinishAfter(_) => "finish after",
        Wait::CancelAfter(_) => "cancel after",
        Wait::Over => "over",
        Wait::Reading(_) => "reading",
        Wait::Recipient(..) => "recipient",
        Wait::Drained(_) => "drained",
        Wait::Link(_) => "link",
        Wait::Funds(..) => "funds",
        Wait::Frozen(..) => "frozen",
        Wait::Policy(_) => "policy",
        Wait::Ended => "ended",
        Wait::Signer(..) => "signer",
        Wait::GuardRefuses(..) => "guard refuses",
        Wait::GuardSilent(_) => "guard silent",
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
    // The simulated ledger applies only what it knows, nobody there takes the runner's money, and its lists are long.
    let elsewhere = [
        FindingKind::OpaqueTransaction,
        FindingKind::RunnerPoor,
        FindingKind::FewSigners,
        // Everybody who is paid is in the address book, and on no list.
        FindingKind::LargeToNew,
        FindingKind::ListedDestination,
        // Lists there are long enough to lose somebody.
        FindingKind::OneLossLocks,
        // Nobody speaks HTTP there, and every rule tells.
        FindingKind::FailedLogins,
        FindingKind::RuleSilenced,
        // Nobody is asked to show that they have their keys.
        FindingKind::DrillOverdue,
    ];
    let kinds = FindingKind::ALL.iter().filter(|kind| !elsewhere.contains(kind));
    expected.extend(kinds.map(|kind| ("finding", kind.word())));
    expected.extend(WORKLOAD.map(|word| ("workload", word)));
    expected.extend(["death while starting", "death while nobody waits"].map(|word| ("store", word)));
    expected.extend(["foreign", "locked", "releasing", "released", "cancelled"].map(|word| ("guard", word)));
    expected.extend(["validated", "rejected", "expired"].map(|word| ("schedule", word)));
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
