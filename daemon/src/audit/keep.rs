//! What is taken out of the audit log again: texts that are old enough, and what is personal. The hashes stay, so what is
//! left is as provable as before.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use treasury_api::types::{AuditEntry, AuditOpened};
use treasury_verify::audit::{Checker, Gone, Numbers, is_removal, moment, opened};

use super::book::{AuditError, Book, Draft, FOLDER, Shelf};
use super::{PAGE, form, last_record, record_of};
use crate::clock;
use crate::store::{Store, StoreError, names};

/// Runs of numbers that one entry names: a name may stand in every second entry of a long log.
const RUNS_MAX: usize = 1_000;

impl Shelf {
    /// Takes the texts of all entries away that were made before this time, which is written as entries have it; answers with
    /// how many those are. That of the last record stays, because the daemon goes on after it. The newest file is left alone
    /// where somebody writes to it.
    ///
    /// `say` writes down that they are taken away, and before they are: what is broken off in between is not held against
    /// anybody, and counts the next time.
    pub(crate) fn trim<E: From<AuditError>>(
        &self,
        before: &str,
        but_newest: bool,
        say: impl FnMut(Taken) -> Result<(), E>,
    ) -> Result<u64, E> {
        let last = last_record(self)?.map(|(record, ..)| record);
        self.take_away(but_newest, say, Taken::Texts, |gone| &gone.texts, &mut |entry| {
            let is_it = is_old(entry, before, last);
            if is_it {
                entry.text = None;
                entry.open.clear();
            }
            is_it
        })
    }

    /// How many texts that would take away.
    pub(crate) fn older(&self, before: &str) -> Result<u64, AuditError> {
        let last = last_record(self)?.map(|(record, ..)| record);
        self.entries(0).try_fold(0_u64, |count, entry| {
            Ok(count.saturating_add(u64::from(is_old(&entry?, before, last))))
        })
    }

    /// Says what is taken away, and takes it away.
    fn take_away<E: From<AuditError>>(
        &self,
        but_newest: bool,
        mut say: impl FnMut(Taken) -> Result<(), E>,
        taken: fn(Numbers) -> Taken,
        of: fn(&Checker) -> &Gone,
        change: &mut dyn FnMut(&mut AuditEntry) -> bool,
    ) -> Result<u64, E> {
        let due = self.would_change(but_newest, change)?;
        if due.count() == 0 {
            return Ok(0);
        }
        let mut checker = Checker::part();
        for entry in self.entries(0) {
            checker.reckon(&entry?);
        }
        // What was said before and not done is done now.
        for part in due.without(&of(&checker).said).in_parts(RUNS_MAX) {
            say(taken(part))?;
        }
        Ok(self.change(but_newest, change)?)
    }

    /// Takes a person away: the name wherever it stands, and what else is personal in entries in which it does. Answers
    /// with how many entries those are. Records that were written anew in the store are not those that were committed to any
    /// more, so what would tell is taken away as well.
    pub(crate) fn forget<E: From<AuditError>>(
        &self,
        person: &str,
        records: &BTreeSet<u64>,
        say: impl FnMut(Taken) -> Result<(), E>,
    ) -> Result<u64, E> {
        self.take_away(false, say, Taken::Entries, |gone| &gone.openings, &mut |entry| {
            let is_anew = record_of(entry).is_some_and(|(record, ..)| records.contains(&record));
            if is_anew {
                entry.open.retain(|_, opened| opened.value.is_some());
            }
            forget(entry, person) || is_anew
        })
    }
}

/// From what something is taken away, and from which entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Whole texts.
    Texts(Numbers),
    /// Something within entries.
    Entries(Numbers),
}

impl Taken {
    /// The entry that says so. Whoever proves the log holds what is missing against it.
    pub(super) fn text(&self, what: &str) -> Value {
        let (field, numbers) = match self {
            Self::Texts(numbers) => ("texts", numbers),
            Self::Entries(numbers) => ("entries", numbers),
        };
        json!({ "kind": "removed", "what": what, field: numbers.count(), "of": numbers.json() })
    }
}

/// Writes down that something is taken away. Nobody else may be writing.
pub(crate) fn say_taken(data_dir: &Path, what: &str, taken: Taken) -> Result<(), AuditError> {
    let mut book = Book::open(&data_dir.join(FOLDER))?;
    let mut text = taken.text(what);
    if let Value::Object(fields) = &mut text {
        fields.insert("at".to_owned(), clock::utc().to_string().into());
        fields.insert("who".to_owned(), json!({ "origin": "daemon" }));
    }
    book.add(vec![Draft { text: text.to_string(), ..Draft::default() }])
}

/// Holds the log against the records of a store: how many entries are of records that are there, and the first whose record
/// is another one.
pub(crate) fn against(shelf: &Shelf, store: &dyn Store) -> Result<(u64, Option<u64>), AgainstError> {
    let mut held = 0_u64;
    for entry in shelf.entries(0) {
        let entry = entry?;
        let Some((record, _, Some((name, salt)))) = record_of(&entry) else { continue };
        let Some(before) = record.checked_sub(1) else { continue };
        let found = store.read(before, 1)?;
        if !found.first().is_some_and(|found| form::is_record(found, &salt, &name)) {
            return Ok((held, Some(entry.number)));
        }
        held = held.saturating_add(1);
    }
    Ok((held, None))
}

/// How many records of a store that are of note come after the last that the log has: those that a daemon that was killed had not
/// written down yet, or that somebody has cut off with the log's end.
pub(crate) fn behind(shelf: &Shelf, store: &dyn Store) -> Result<u64, AgainstError> {
    let mut after = last_record(shelf)?.map_or(0, |(record, ..)| record);
    let mut lacks = 0_u64;
    loop {
        let records = store.read(after, PAGE)?;
        let Some(last) = records.last() else { return Ok(lacks) };
        after = last.number;
        let of_note = records.iter().filter(|record| form::is_told(record)).count();
        lacks = lacks.saturating_add(u64::try_from(of_note).unwrap_or(u64::MAX));
    }
}

/// Why the log cannot be held against the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgainstError {
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a text was made before this time. One that does not say when it was stays, and so do that of the last record and
/// those that say what was taken away, in which nothing is personal.
fn is_old(entry: &AuditEntry, before: &str, last: Option<u64>) -> bool {
    let is_old = opened(entry).is_some_and(|said| {
        let at = moment(&said);
        !at.is_empty() && at < before && !is_removal(&said)
    });
    let is_last = last.is_some() && record_of(entry).map(|(record, ..)| record) == last;
    is_old && !is_last
}

fn forget(entry: &mut AuditEntry, person: &str) -> bool {
    let is_it = |opened: &AuditOpened| match (opened.kind.as_str(), opened.value.as_deref()) {
        ("person", Some(value)) => value == person,
        // What a name is labelled is hashed nowhere in entries of earlier versions.
        (_, Some(value)) => value == person || names(value, person),
        (_, None) => false,
    };
    if !entry.open.values().any(is_it) {
        return false;
    }
    // Texts, addresses and the salt of the record, too: with that, whoever knows the rest of a record could find a name
    // in it by trying. Other people's names stay.
    entry.open.retain(|_, opened| opened.kind == "person" && !is_it(opened));
    true
}
