//! What somebody looks for in the audit log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use treasury_api::types::{AuditEntry, AuditPage, AuditQuery};
use treasury_verify::audit::{MOMENT, about, moment, opened, since, until};

use super::Audit;
use super::book::AuditError;

/// Files that one search reads, newest first, of two thousand entries each: some tenths of a second. Whoever wants to go
/// further back goes on from there.
const FILES: usize = 10;

/// Entries that one page in the order of the log looks through.
const LOOKS: usize = 20_000;

/// The most entries of a report.
pub(crate) const REPORT_MAX: usize = 10_000;

/// Searches that read the log at once: each has a thread and a disk, of which others need some.
pub(super) const SEARCHES: usize = 2;

/// Somebody waits for an answer; nobody does any more when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    /// For the search, to ask whether it still has to.
    pub(crate) fn asked(&self) -> Asked {
        Asked(Arc::clone(&self.0))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a search knows of whoever waits for it.
#[derive(Debug)]
pub(crate) struct Asked(Arc<AtomicBool>);

impl Asked {
    /// Goes on where somebody waits.
    pub(crate) fn go_on(&self) -> Result<(), AuditError> {
        if self.0.load(Ordering::Relaxed) { Err(AuditError::NobodyWaits) } else { Ok(()) }
    }
}

/// What is looked for: its dates are dates, in the form that entries have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted(AuditQuery);

/// What should be a date or a time is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}: {MOMENT}")]
pub(crate) struct NoMoment(pub(crate) &'static str);

impl Wanted {
    /// As it is asked for.
    pub(crate) fn of(asked: AuditQuery) -> Result<Self, NoMoment> {
        let from = asked.since.as_deref().map(since).transpose().map_err(|_| NoMoment("since"))?;
        let to = asked.until.as_deref().map(until).transpose().map_err(|_| NoMoment("until"))?;
        Ok(Self(AuditQuery { since: from, until: to, ..asked }))
    }

    /// What it is, for whoever reads what was found.
    pub(crate) fn words(&self) -> String {
        self.0.words()
    }

    /// Whether an entry is among it. One that does not say when it was is of no period.
    pub(crate) fn has(&self, entry: &AuditEntry) -> bool {
        let Self(AuditQuery { person, about: id, since, until, .. }) = self;
        if [person, id, since, until].into_iter().all(Option::is_none) {
            return true;
        }
        let Some(said) = opened(entry) else { return false };
        // By what is opened alone: as what it is labelled is hashed nowhere in entries of earlier versions.
        let names = |person: &String| entry.open.values().any(|opened| opened.value.as_ref() == Some(person));
        let at = moment(&said);
        person.as_ref().is_none_or(names)
            && id.as_ref().is_none_or(|id| about(&said).contains(id))
            && since.as_ref().is_none_or(|since| at >= since.as_str())
            && until.as_ref().is_none_or(|until| !at.is_empty() && at <= until.as_str())
    }
}

/// What became of something, as far as it was told: a proposal, the escrow that it made, what releases that or takes it
/// back, and the stops that were set on any of them. What comes later in the log refers to what came before.
struct Story {
    ids: BTreeSet<String>,
    escrows: BTreeSet<String>,
}

impl Story {
    /// Of `P3`, `S1`, `F2`, or an escrow as `rOwner:5`.
    fn of(id: &str) -> Self {
        let one = BTreeSet::from([id.to_owned()]);
        let (escrows, ids) = if id.contains(':') { (one, BTreeSet::new()) } else { (BTreeSet::new(), one) };
        Self { ids, escrows }
    }

    fn goes_on_in(&mut self, entry: &AuditEntry) -> bool {
        let Some(said) = opened(entry) else { return false };
        let events = || said.get("events").and_then(Value::as_array).into_iter().flatten();
        // One event of a record may be of it by what the next one says.
        while events().filter(|event| self.learns_from(event)).count() > 0 {}
        about(&said).iter().any(|id| self.ids.contains(id))
            || events().filter_map(escrow).any(|escrow| self.escrows.contains(escrow))
    }

    /// Takes in whatever an event relates to it; whether that was new.
    fn learns_from(&mut self, event: &Value) -> bool {
        let id = |letter: char, value: &Value| value.as_u64().map(|id| format!("{letter}{id}"));
        let at = |path: &str| event.pointer(path);
        let named = |letter, path: &str| at(path).and_then(|value| id(letter, value));
        let mut learnt = false;
        // By the plan, or where the records of the plan were lost and it was recognised on the ledger.
        let planned = (at("/plan/delay/escrow"), named('P', "/proposal"));
        let recognised = (at("/escrow"), named('P', "/proposal/id"));
        for (made, proposal) in [planned, recognised] {
            let (Some(escrow), Some(proposal)) = (made.and_then(Value::as_str), proposal) else { continue };
            if self.ids.contains(&proposal) {
                learnt |= self.escrows.insert(escrow.to_owned());
            }
            if self.escrows.contains(escrow) {
                learnt |= self.ids.insert(proposal);
            }
        }
        let escrow_of_it = escrow(event).is_some_and(|escrow| self.escrows.contains(escrow));
        let proposal_of_it =
            named('P', "/stop/subject/proposal").is_some_and(|proposal| self.ids.contains(&proposal));
        if escrow_of_it {
            learnt |= named('P', "/attempt").is_some_and(|attempt| self.ids.insert(attempt));
        }
        if escrow_of_it || proposal_of_it {
            learnt |= named('S', "/stop/id").is_some_and(|stop| self.ids.insert(stop));
        }
        learnt
    }
}

/// The escrow that an event is about.
fn escrow(event: &Value) -> Option<&str> {
    let named = event.get("escrow").or_else(|| event.pointer("/stop/subject/escrow"));
    named.and_then(Value::as_str)
}

impl Audit {
    /// A page of entries. Blocks.
    pub(crate) fn page(&self, asked: &Wanted, limit: usize, by: &Asked) -> Result<AuditPage, AuditError> {
        by.go_on()?;
        // Before what is read: whoever reads to the end has all that there is by this.
        let chain = self.chain();
        let shelf = self.shelf();
        let wanted = |entry: &AuditEntry| asked.has(entry);
        let (entries, next) = match asked.0.after {
            None => shelf.back(asked.0.before.unwrap_or(u64::MAX), limit, FILES, &wanted)?,
            Some(after) => {
                let below = asked.0.before.unwrap_or(u64::MAX);
                let (mut found, mut last, mut looked) = (Vec::new(), None, 0_usize);
                for entry in shelf.entries(after) {
                    by.go_on()?;
                    let entry = entry?;
                    if entry.number >= below || found.len() >= limit || looked >= LOOKS {
                        break;
                    }
                    looked = looked.saturating_add(1);
                    last = Some(entry.number);
                    if wanted(&entry) {
                        found.push(entry);
                    }
                }
                let is_last =
                    last.is_none_or(|last| last >= shelf.count() || last.saturating_add(1) >= below);
                (found, last.filter(|_| !is_last))
            }
        };
        Ok(AuditPage { entries, next, chain })
    }

    /// All entries that are asked for, in their order, as many as a report has; and whether there are more. Blocks.
    pub(crate) fn selection(
        &self,
        asked: &Wanted,
        by: &Asked,
    ) -> Result<(Vec<AuditEntry>, bool), AuditError> {
        let mut found = Vec::new();
        let mut story = asked.0.about.as_deref().map(Story::of);
        let others = Wanted(AuditQuery { about: None, ..asked.0.clone() });
        for entry in self.shelf().entries(asked.0.after.unwrap_or(0)) {
            by.go_on()?;
            let entry = entry?;
            // What is related to it is learnt from every entry, also from those of which nothing is shown.
            let is_of_it = story.as_mut().is_none_or(|story| story.goes_on_in(&entry));
            if is_of_it && others.has(&entry) {
                if found.len() >= REPORT_MAX {
                    return Ok((found, true));
                }
                found.push(entry);
            }
        }
        Ok((found, false))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use treasury_api::types::AuditOpened;
    use treasury_verify::audit::{Checker, commitment, sealed};

    use super::*;

    fn entry(number: u64, about: &[&str], events: &Value) -> AuditEntry {
        let text = json!({ "kind": "facts", "about": about, "events": events }).to_string();
        let none = String::new();
        AuditEntry {
            number,
            before: none.clone(),
            digest: none.clone(),
            hash: none,
            text: Some(text),
            open: BTreeMap::new(),
        }
    }

    /// Danger: whoever can write to the log relabels somebody's name, no proof fails, and the entry is missing in their record.
    #[test]
    fn an_entry_is_of_a_person_however_somebody_has_labelled_their_name() {
        let (salt, sue) = ("0".repeat(32), "sue".to_owned());
        let name = commitment(&salt, &sue);
        let text = json!({ "kind": "facts", "events": [{ "event": "stop_set", "by": format!("#{name}") }] });
        for kind in ["person", "text", "record", "address", ""] {
            let opened = AuditOpened { kind: kind.to_owned(), salt: salt.clone(), value: Some(sue.clone()) };
            let entry = sealed(None, text.to_string(), BTreeMap::from([(name.clone(), opened)]));
            Checker::whole().take(&entry).unwrap();
            let has = |person: &str| {
                let person = Some(person.to_owned());
                Wanted::of(AuditQuery { person, ..AuditQuery::default() }).unwrap().has(&entry)
            };
            assert!(has("sue") && !has("bob"), "labelled {kind:?}");
        }
    }

    /// An auditor is given a report on a payment: whether it was released is what they want to know.
    #[test]
    fn the_story_of_a_payment_goes_on_to_its_stops_and_to_the_end_of_its_escrow() {
        let (ours, other) = ("rOwner:5", "rOwner:6");
        let plan = |p: u64, escrow: &str| json!([{ "event": "proposal_planned", "proposal": p, "plan": { "delay": { "escrow": escrow } } }]);
        let stop = |id: u64, escrow: &str| json!([{ "event": "stop_set", "stop": { "id": id, "subject": { "escrow": escrow } } }]);
        let lifted = |id: u64| json!([{ "event": "stop_lifted", "id": id }]);
        let release = |p: u64, escrow: &str| {
            json!([
                { "event": "proposal_drafted", "proposal": { "id": p } },
                { "event": "attempt_changed", "escrow": escrow, "attempt": p },
            ])
        };
        let entries = [
            (["P1"], plan(1, ours), true),
            (["P2"], plan(2, other), false),
            (["S1"], stop(1, ours), true),
            (["S2"], stop(2, other), false),
            (["S1"], lifted(1), true),
            (["S2"], lifted(2), false),
            (["P8"], release(8, other), false),
            (["P9"], release(9, ours), true),
            (["P9"], json!([{ "event": "proposal_ended", "proposal": 9 }]), true),
        ];
        for begins in ["P1", ours] {
            let mut story = Story::of(begins);
            for (number, (about, events, expected)) in (1..).zip(&entries) {
                let is_of_it = story.goes_on_in(&entry(number, about, events));
                // The plan names the escrow, and so begins its story.
                assert_eq!(is_of_it, *expected, "{begins}: {events}");
            }
        }
        let mut stop = Story::of("S2");
        let found = entries.iter().filter(|(about, events, _)| stop.goes_on_in(&entry(1, about, events)));
        assert_eq!(found.count(), 2, "a stop is its own story");
    }
}
