//! Anomaly rules: what they see, and what follows.

use crate::rules::findings::{self, can_be_withheld, drift};
use std::collections::{BTreeMap, BTreeSet};

use crate::model::config::{FindingKind, Severity};
use crate::model::effect::Effect;
use crate::model::event::Event;
use crate::model::observe::{Change, EscrowView, LedgerObservation, OpaqueTx, RootView};
use crate::model::state::{Finding, Guard};
use crate::model::stops::{FINDING_STOPS_MAX, Stop, StopKind, StopSource, Subject};
use crate::model::units::{AccountId, EscrowKey, FindingId, Hash256, StopId};
use crate::rules::escrow::is_revealed;
use crate::work::cx::Cx;

/// Writes a finding down and lets its severity's consequence follow: a stop on its subject, which binds what
/// comes later, too, until somebody lifts it.
pub(crate) fn find(cx: &mut Cx<'_>, kind: FindingKind, account: AccountId, evidence: String) {
    find_about(cx, kind, account, Subject::Account(account), evidence);
}

/// The same of the daemon as a whole: a stop stands on everything.
pub(crate) fn find_of_all(cx: &mut Cx<'_>, kind: FindingKind, evidence: String) {
    write_down(cx, kind, None, Subject::Everything, evidence);
}

/// The same of something of the account's, on which a stop is to stand.
pub(crate) fn find_about(
    cx: &mut Cx<'_>,
    kind: FindingKind,
    account: AccountId,
    subject: Subject,
    evidence: String,
) {
    write_down(cx, kind, Some(account), subject, evidence);
}

fn write_down(
    cx: &mut Cx<'_>,
    kind: FindingKind,
    account: Option<AccountId>,
    subject: Subject,
    evidence: String,
) {
    let severity = cx.config.severity(kind);
    let at = cx.point();
    let id = FindingId(cx.state.last_finding.saturating_add(1));
    let (acknowledged, over, about) = (None, None, None);
    let said = evidence.clone();
    let finding = Finding { id, kind, severity, account, evidence: said, at, acknowledged, over, about };
    let about = Some(subject.clone()).filter(|subject| *subject != finding.subject());
    cx.emit(Event::Found { finding: Finding { about, ..finding } });
    let Some(kind) = stop_kind(severity) else { return };
    let standing = cx.state.stops.on(&subject);
    let alike = standing.filter(|stop| stop.kind == kind && matches!(stop.source, StopSource::Finding(_)));
    if alike.count() < FINDING_STOPS_MAX {
        set_stop(cx, subject, kind, StopSource::Finding(id), evidence);
    }
}

/// The stop that follows from a finding of this severity.
pub(crate) fn stop_kind(severity: Severity) -> Option<StopKind> {
    match severity {
        Severity::Log | Severity::Alert => None,
        Severity::Hold => Some(StopKind::Hold),
        Severity::Freeze => Some(StopKind::Freeze),
    }
}

/// Sets a stop, and gives up what was being prepared for its subject and has not left.
pub(crate) fn set_stop(
    cx: &mut Cx<'_>,
    subject: Subject,
    kind: StopKind,
    source: StopSource,
    reason: String,
) -> StopId {
    let id = cx.state.stops.next_id();
    let at = cx.point();
    cx.emit(Event::StopSet { stop: Stop { id, subject, kind, source, origin: Some(cx.origin), reason, at } });
    cx.effect(Effect::Recall);
    id
}

/// The escrows that this ledger says are finished and whose fulfillment had not left the daemon. Asked before the ledger
/// is taken in.
pub(crate) fn finished_by_others(cx: &Cx<'_>, observation: &LedgerObservation) -> Vec<(EscrowKey, Hash256)> {
    let finished = observation.changes.iter().filter_map(|change| match change {
        Change::EscrowDeleted { key, tx_id, tx_type } if tx_type == "EscrowFinish" => Some((*key, *tx_id)),
        _ => None,
    });
    let withheld = |key: &EscrowKey| {
        cx.state.escrows.get(key).is_some_and(|tracked| match tracked.guard {
            Guard::Locked { .. } => true,
            Guard::Releasing { .. } => !is_revealed(cx.state, tracked),
            _ => false,
        })
    };
    finished.filter(|(key, _)| withheld(key)).collect()
}

/// A fulfillment that only this daemon can derive is in other hands, and with it perhaps the release key: then every
/// escrow that stands can be finished by them.
pub(crate) fn fulfilled_elsewhere(cx: &mut Cx<'_>, escrows: Vec<(EscrowKey, Hash256)>) {
    for (key, tx_id) in escrows {
        let evidence = format!(
            "escrow {key} was finished by {tx_id}, with a fulfillment that had not left this daemon: its release key is in \
             other hands, or another daemon has it"
        );
        find(cx, FindingKind::KeysElsewhere, key.owner, evidence);
    }
}

/// What the rules see in a ledger that was just taken in.
pub(crate) fn after_ledger(cx: &mut Cx<'_>, observation: &LedgerObservation) {
    let mut lists_changed = BTreeSet::new();
    for change in &observation.changes {
        match change {
            Change::EscrowCreated { escrow } => escrow_came(cx, escrow),
            Change::SignerList { account, .. } => {
                lists_changed.insert(*account);
            }
            _ => {}
        }
    }
    signer_list_drift(cx, &lists_changed, true);
}

/// Transactions that cannot be read whole touched these accounts: what they did to them is not known.
pub(crate) fn opaque(cx: &mut Cx<'_>, transactions: &[OpaqueTx]) {
    for tx in transactions {
        let ours: Vec<AccountId> =
            tx.accounts.iter().filter(|account| cx.config.accounts.contains_key(account)).copied().collect();
        for account in ours {
            let evidence =
                format!("transaction {} touches the account and cannot be read: {}", tx.id, tx.reason);
            find(cx, FindingKind::OpaqueTransaction, account, evidence);
        }
    }
}

/// Looks at an escrow that came to be: one that no proposal made is found.
pub(crate) fn escrow_came(cx: &mut Cx<'_>, escrow: &EscrowView) {
    let ours = cx.config.accounts.contains_key(&escrow.key.owner);
    let tracked = cx.state.escrows.get(&escrow.key);
    if !ours || !tracked.is_some_and(|tracked| tracked.guard == Guard::Foreign) {
        return;
    }
    let stoppable = match (&escrow.condition, escrow.cancel_after) {
        (None, _) => "it has no Condition, so nobody can stop it once FinishAfter has passed",
        (Some(_), None) => "whoever holds its fulfillment can finish it; it can never be cancelled",
        (Some(_), Some(_)) => "whoever holds its fulfillment can finish it until CancelAfter",
    };
    let evidence =
        format!("escrow {} to {} was made by no proposal; {stoppable}", escrow.key, escrow.destination);
    find(cx, FindingKind::ForeignEscrow, escrow.key.owner, evidence);
}

/// Ledgers are gone that were not taken in: each account may have done anything in them.
pub(crate) fn history_missing(cx: &mut Cx<'_>, reason: &str) {
    let accounts: Vec<AccountId> = cx.config.accounts.keys().copied().collect();
    for account in accounts {
        find(cx, FindingKind::HistoryMissing, account, reason.to_owned());
    }
}

/// Compares the SignerLists of these accounts with what is declared.
pub(crate) fn signer_list_drift(cx: &mut Cx<'_>, accounts: &BTreeSet<AccountId>, changed: bool) {
    over(cx, accounts, |kind| kind == FindingKind::SignerListDrift);
    let drifted: Vec<(AccountId, String)> = accounts
        .iter()
        .filter_map(|account| Some((*account, drift(cx.config, cx.state, account)?)))
        .collect();
    for (account, evidence) in drifted {
        let known = cx
            .state
            .findings
            .values()
            .rev()
            .find(|finding| finding.kind == FindingKind::SignerListDrift && finding.account == Some(account))
            .is_some_and(|finding| finding.evidence == evidence && finding.over.is_none());
        // A list that has just become so is found anew, whatever was found before; one that is read anew is not.
        if changed || !known {
            find(cx, FindingKind::SignerListDrift, account, evidence);
        }
    }
}

/// Whether it has been found already of what the evidence begins with.
pub(crate) fn is_found(cx: &Cx<'_>, kind: FindingKind, begins: &str) -> bool {
    let known = |finding: &Finding| finding.kind == kind && finding.evidence.starts_with(begins);
    cx.state.findings.values().any(known)
}

/// How accounts of the treasury stood that a ledger changes, before it was taken in; and what it changes of those that
/// escrows wait to pay.
pub(crate) struct Before {
    standing: BTreeMap<AccountId, BTreeMap<FindingKind, String>>,
    recipients: BTreeMap<AccountId, String>,
}

/// Looks before the ledger is taken in.
pub(crate) fn before_ledger(cx: &Cx<'_>, observation: &LedgerObservation) -> Before {
    let mut touched = BTreeSet::new();
    let mut recipients = BTreeMap::new();
    for change in &observation.changes {
        match change {
            Change::Root { account, root } => {
                let known = cx.state.accounts.get(account).and_then(|view| view.root);
                if cx.config.runner == Some(*account) || may_stand_otherwise(known.as_ref(), root.as_ref()) {
                    touched.insert(*account);
                }
                if let Some(what) = known.and_then(|known| findings::recipient_changed(&known, root.as_ref()))
                    // Last, because escrows are many and such changes few.
                    && is_waited_for(cx, account)
                {
                    recipients.insert(*account, what);
                }
            }
            Change::SignerList { account, .. } | Change::Settings { account, .. } => {
                touched.insert(*account);
            }
            // What is on a line changes with every payment, and how far it is trusted hardly ever.
            Change::TrustLine { account, asset, line } => {
                let view = cx.state.accounts.get(account);
                let known = view.and_then(|view| view.trust_lines.as_ref()?.get(asset));
                if known.map(|line| line.limit) != line.map(|line| line.limit) {
                    touched.insert(*account);
                }
            }
            _ => {}
        }
    }
    let declared = touched.iter().filter(|account| cx.config.accounts.contains_key(account));
    Before {
        recipients,
        standing: declared
            .map(|account| (*account, findings::standing(cx.config, cx.state, account)))
            .collect(),
    }
}

/// Whether how an account stands may be another after this: most payments change a balance and nothing else.
fn may_stand_otherwise(known: Option<&RootView>, root: Option<&RootView>) -> bool {
    let keys = |root: &RootView| (root.flags, root.regular_key);
    known.map(keys) != root.map(keys)
}

/// Whether an escrow of the daemon's own that stands pays this account, and can still be held back.
fn is_waited_for(cx: &Cx<'_>, account: &AccountId) -> bool {
    !cx.config.accounts.contains_key(account)
        && cx.state.own_escrows_for(account).any(|tracked| can_be_withheld(cx.state, tracked))
}

/// Finds what came to be wrong with the ledger that was taken in.
pub(crate) fn since(cx: &mut Cx<'_>, before: Before) {
    let changed = before.standing.iter().filter(|(_, known)| !known.is_empty());
    over(cx, &changed.map(|(account, _)| *account).collect(), |kind| findings::STANDING.contains(&kind));
    for (account, known) in before.standing {
        for (kind, evidence) in findings::standing(cx.config, cx.state, &account) {
            // What the runner has is told in the evidence, and changes with every fee.
            let as_before =
                known.get(&kind).is_some_and(|known| kind == FindingKind::RunnerPoor || *known == evidence);
            if !as_before {
                find(cx, kind, account, evidence);
            }
        }
    }
    for (account, what) in before.recipients {
        find(cx, FindingKind::RecipientChanged, account, format!("an escrow waits to pay it, and {what}"));
    }
}

/// Everything is decided by another configuration from now on: what differs from it is found before anything else is.
pub(crate) fn declared_anew(cx: &mut Cx<'_>) {
    let accounts = cx.config.accounts.keys().copied().collect();
    signer_list_drift(cx, &accounts, false);
    standing_of(cx, &accounts);
}

/// Finds what is wrong with accounts that were read, or declared otherwise, unless that has been found already.
pub(crate) fn standing_of(cx: &mut Cx<'_>, accounts: &BTreeSet<AccountId>) {
    over(cx, accounts, |kind| findings::STANDING.contains(&kind));
    // Nothing differs of an account that is declared no longer.
    let named = cx.state.findings.values().filter_map(|finding| finding.account);
    let undeclared = named.filter(|account| !cx.config.accounts.contains_key(account)).collect();
    over(cx, &undeclared, |_| true);
    for account in accounts {
        for (kind, evidence) in findings::standing(cx.config, cx.state, account) {
            let mut found = cx.state.findings.values().rev();
            let last = found.find(|finding| finding.kind == kind && finding.account == Some(*account));
            // What the runner has is told in the evidence, and changes with every fee.
            let is_other = |last: &Finding| kind != FindingKind::RunnerPoor && last.evidence != evidence;
            if last.is_none_or(|last| last.over.is_some() || is_other(last)) {
                find(cx, kind, *account, evidence);
            }
        }
    }
}

/// Notes of what was found last of these accounts, of such kinds, that it is so no longer, where it is not: when it is so again it
/// is found again. Of an account that has not been read nothing is known.
fn over(cx: &mut Cx<'_>, accounts: &BTreeSet<AccountId>, of: impl Fn(FindingKind) -> bool) {
    if accounts.is_empty() {
        return;
    }
    let (config, state) = (cx.config, &*cx.state);
    let is_compared =
        |kind: FindingKind| kind == FindingKind::SignerListDrift || findings::STANDING.contains(&kind);
    let mut last = BTreeMap::new();
    for finding in state.findings.values().filter(|finding| is_compared(finding.kind) && of(finding.kind)) {
        if let Some(account) = finding.account.filter(|account| accounts.contains(account)) {
            last.insert((account, finding.kind), finding);
        }
    }
    let stands = |account: &AccountId, kind: FindingKind| {
        let is_read = || state.accounts.get(account).is_some_and(|view| view.root.is_some());
        config.accounts.contains_key(account)
            && (!is_read()
                || match kind {
                    FindingKind::SignerListDrift => drift(config, state, account).is_some(),
                    kind => findings::standing(config, state, account).contains_key(&kind),
                })
    };
    let gone: Vec<FindingId> = last
        .into_iter()
        .filter(|((account, kind), finding)| finding.over.is_none() && !stands(account, *kind))
        .map(|(_, finding)| finding.id)
        .collect();
    let at = cx.point();
    for id in gone {
        cx.emit(Event::FindingOver { id, at });
    }
}
