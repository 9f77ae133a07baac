//! Takes a person out of a store.
//!
//! The state is the sum of the records, so every record is replayed as it is written anew, with another name in the place of
//! the person's and without what people wrote in records in which it stands. What does not fit is found, and then nothing has
//! changed. The store that was there goes aside: it still has the name, and so have backups.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::{Map, Value};
use treasury_core::Event;

use super::{Salvage, StoreBuilder, StoreError, salvage};

/// What stands for what was taken away.
const REMOVED: &str = "(removed)";

/// Fields with what people wrote, where they were, and what tells them apart.
const TEXTS: [&str; 4] = ["note", "reason", "address", "token"];

/// Fields whose names are the organisation's, and nobody's.
const NOT_PEOPLE: [&str; 7] = ["event", "link", "rule", "rules", "operation", "origin", "idempotency_key"];

/// Writes the store of a data directory, on which no daemon may be running, anew without this name. Before it takes the place of
/// the one that is there, `elsewhere` is called with the numbers of the records that are others then: where that is broken off,
/// the next try finds them again. Answers with where the store went that was there before; `None`: nothing was changed.
///
/// # Errors
/// [`StoreError::Locked`]; where something in it is damaged, or does not fit any more; what cannot be written; what `elsewhere`
/// answers. The store has not changed then.
pub fn forget<E: From<StoreError>>(
    data_dir: &Path,
    person: &str,
    instead: &str,
    elsewhere: impl FnOnce(&BTreeSet<u64>) -> Result<(), E>,
) -> Result<Option<PathBuf>, E> {
    let changed = Rc::new(RefCell::new(BTreeSet::new()));
    let (noted, person, instead) = (Rc::clone(&changed), person.to_owned(), instead.to_owned());
    let mut builder = StoreBuilder::begin(data_dir)?.rewriting(Box::new(move |number, events| {
        let pen = Pen { person: &person, instead: &instead, number };
        let rewritten = pen.rewrite(events)?;
        if rewritten.is_some() {
            noted.borrow_mut().insert(number);
        }
        Ok(rewritten)
    }));
    let Salvage { problem, .. } = salvage(data_dir, &mut builder)?;
    if let Some(problem) = problem {
        return Err(problem.into());
    }
    let records = changed.borrow().clone();
    elsewhere(&records)?;
    Ok(if records.is_empty() { None } else { builder.install()?.aside })
}

/// Whether the person's name stands in a text, as a word. A dot may be of a name and may end a sentence, so that of
/// `bob.smith` is found, and that of `bob` in it as well: rather one text too many is taken away.
pub(crate) fn names(text: &str, person: &str) -> bool {
    let is_of_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    let ends = |letter: Option<char>| !letter.is_some_and(is_of_word);
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(person)) {
        let (before, rest) = text.split_at(from + at);
        let after = rest.strip_prefix(person).unwrap_or_default();
        if ends(before.chars().next_back()) && ends(after.chars().next()) {
            return true;
        }
        // The next one may begin within this one.
        from += at + rest.chars().next().map_or(1, char::len_utf8);
    }
    false
}

struct Pen<'a> {
    person: &'a str,
    instead: &'a str,
    number: u64,
}

impl Pen<'_> {
    fn rewrite(&self, events: &[Event]) -> Result<Option<Vec<Event>>, StoreError> {
        let json = |error: serde_json::Error| StoreError::Json(error.to_string());
        let mut values = events.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>().map_err(json)?;
        if !values.iter().any(|value| self.is_in(value, "")) {
            return Ok(None);
        }
        for (place, value) in values.iter_mut().enumerate() {
            self.replace_key(value, place);
            self.replace(value, "");
        }
        serde_json::from_value(Value::Array(values)).map(Some).map_err(json)
    }

    /// What they wrote as an idempotency key goes, and each of theirs is another. By anybody else's, a program knows that it asked
    /// before: those stay.
    fn replace_key(&self, event: &mut Value, place: usize) {
        let asker = event.pointer("/proposal/asker/person").and_then(Value::as_str);
        if asker != Some(self.person) {
            return;
        }
        for at in ["/idempotency_key", "/proposal/idempotency_key"] {
            if let Some(Value::String(key)) = event.pointer_mut(at) {
                *key = format!("removed-{}-{place}", self.number);
            }
        }
    }

    fn names(&self, text: &str) -> bool {
        names(text, self.person)
    }

    fn is_in(&self, value: &Value, field: &str) -> bool {
        match value {
            Value::String(text) => !NOT_PEOPLE.contains(&field) && self.names(text),
            Value::Array(items) => items.iter().any(|item| self.is_in(item, field)),
            Value::Object(fields) => {
                fields.iter().any(|(name, value)| name == self.person || self.is_in(value, name))
            }
            _ => false,
        }
    }

    fn replace(&self, value: &mut Value, field: &str) {
        match value {
            Value::String(_) if NOT_PEOPLE.contains(&field) => {}
            Value::String(text) if text == self.person => self.instead.clone_into(text),
            Value::String(text) if TEXTS.contains(&field) || self.names(text) => REMOVED.clone_into(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace(item, field)),
            Value::Object(fields) => {
                let mut replaced = Map::new();
                for (name, mut value) in std::mem::take(fields) {
                    self.replace(&mut value, &name);
                    let name = if name == self.person { self.instead.to_owned() } else { name };
                    replaced.insert(name, value);
                }
                *fields = replaced;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Danger: a name with a dot is one that no text is found to have, and stays in those of others for ever.
    #[test]
    fn a_name_is_found_in_a_text_whatever_letters_it_has() {
        for (person, text, is_there) in [
            ("bob.smith", "bob.smith called me at home, 044 123", true),
            ("bob.smith", "it was bob.smith.", true),
            ("bob.smith", "(bob.smith)", true),
            ("bob.smith", "bob.smithson and bob smith and abob.smith", false),
            ("bob.smith", "bob.smith-2 bob.smith", true),
            ("x.x", "ax.x.x", true),
            ("bob", "it was bob.", true),
            ("bob", "bob.smith called", true),
            ("bob", "bobby, bob-2, bob_3, \u{e9}bob", false),
            ("bob", "\u{e9} bob\u{2026}", true),
            ("a-b", "x-a-b, a-b", true),
            ("bob", "", false),
        ] {
            assert_eq!(names(text, person), is_there, "{person} in {text}");
        }
    }
}
