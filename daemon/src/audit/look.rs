//! What somebody looks for in the audit log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
        let names = |person: &String| {
            entry.open.values().any(|opened| opened.kind == "person" && opened.value.as_ref() == Some(person))
        };
        let at = moment(&said);
        person.as_ref().is_none_or(names)
            && id.as_ref().is_none_or(|id| about(&said).contains(id))
            && since.as_ref().is_none_or(|since| at >= since.as_str())
            && until.as_ref().is_none_or(|until| !at.is_empty() && at <= until.as_str())
    }
}

impl Audit {
    /// A page of entries. Blocks.
    pub(crate) fn page(&self, asked: &Wanted, limit: usize, by: &Asked) -> Result<AuditPage, AuditError> {
        by.go_on()?;
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
        Ok(AuditPage { entries, next, chain: self.chain() })
    }

    /// All entries that are asked for, in their order, as many as a report has; and whether there are more. Blocks.
    pub(crate) fn selection(
        &self,
        asked: &Wanted,
        by: &Asked,
    ) -> Result<(Vec<AuditEntry>, bool), AuditError> {
        let mut found = Vec::new();
        for entry in self.shelf().entries(asked.0.after.unwrap_or(0)) {
            by.go_on()?;
            let entry = entry?;
            if asked.has(&entry) {
                if found.len() >= REPORT_MAX {
                    return Ok((found, true));
                }
                found.push(entry);
            }
        }
        Ok((found, false))
    }
}
