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

/// Fields that hold the name of a person. A schedule, a link or a rule may be called the same: whoever is forgotten, it is that one.
const PEOPLE: [&str; 3] = ["person", "people", "by"];

/// Fields whose fields are names of people.
const BY_PERSON: &str = "rejections";

/// Fields with what people wrote, where they were, and what tells them apart: they go with every record in which the name stands.
const WRITTEN: [&str; 4] = ["note", "reason", "address", "token"];

/// Fields with what else is said in words: they go where the name stands in them.
const TOLD: [&str; 5] = ["evidence", "reply", "reference", "why", "lost"];

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
        let mut values =
            events.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>().map_err(json)?;
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

    fn is_in(&self, value: &Value, field: &str) -> bool {
        match value {
            Value::String(text) if PEOPLE.contains(&field) => text == self.person,
            Value::String(text) if WRITTEN.contains(&field) || TOLD.contains(&field) => {
                names(text, self.person)
            }
            Value::Array(items) => items.iter().any(|item| self.is_in(item, field)),
            Value::Object(fields) => fields
                .iter()
                .any(|(name, value)| (field == BY_PERSON && name == self.person) || self.is_in(value, name)),
            _ => false,
        }
    }

    fn replace(&self, value: &mut Value, field: &str) {
        match value {
            Value::String(text) if PEOPLE.contains(&field) && text == self.person => {
                self.instead.clone_into(text);
            }
            Value::String(text) if WRITTEN.contains(&field) => REMOVED.clone_into(text),
            Value::String(text) if TOLD.contains(&field) && names(text, self.person) => {
                REMOVED.clone_into(text);
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace(item, field)),
            Value::Object(fields) => {
                let mut replaced = Map::new();
                for (name, mut value) in std::mem::take(fields) {
                    self.replace(&mut value, &name);
                    let is_theirs = field == BY_PERSON && name == self.person;
                    replaced.insert(if is_theirs { self.instead.to_owned() } else { name }, value);
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

    /// Fields with names of anything but people, with words of ours, and with what ledgers and keys say. A new field of an event
    /// is put here or beside [`PEOPLE`], [`WRITTEN`] or [`TOLD`], by whoever knows what stands in it.
    const OTHERS: &str = "account accounts action amount amount_max asker asker_roles asset balance base_fee blob cause challenge \
        change code condition currency destination destinations digest digests domain earlier escrow event fee fees floor from \
        hash id idempotency_key issuer key kind label labels limit link listed move_max move_min name notices operation \
        origin outflows parent_hash party per period_max policy policy_hash purpose regular_key request reserve_base \
        reserve_inc result roles rule rules rungs schedule screening severity sight sign signatures signer signers \
        signing_pub_key source source_floor status subject sum target tier to tx_id tx_type type value void_signatures";

    /// Each event of every form that was ever written.
    fn every_event() -> Vec<Value> {
        let path = recordings::repository().join("daemon/core/tests/golden/events.jsonl");
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Every text of a value, with the field in which it stands.
    fn texts<'a>(value: &'a Value, field: &'a str, into: &mut Vec<(&'a str, &'a str)>) {
        match value {
            Value::String(text) => into.push((field, text)),
            Value::Array(items) => items.iter().for_each(|item| texts(item, field, into)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| texts(value, name, into)),
            _ => {}
        }
    }

    fn without(person: &str, event: &Value) -> Option<Value> {
        let events = [serde_json::from_value(event.clone()).unwrap()];
        let pen = Pen { person, instead: "person-1", number: 7 };
        let [event] = <[Event; 1]>::try_from(pen.rewrite(&events).unwrap()?).unwrap();
        Some(serde_json::to_value(&event).unwrap())
    }

    /// Danger: somebody is called like a schedule, a link or a rule, is forgotten, and the daemon takes that for another one.
    #[test]
    fn only_names_of_people_are_taken_for_names_of_people() {
        for event in every_event() {
            let event = serde_json::to_value(serde_json::from_value::<Event>(event).unwrap()).unwrap();
            let mut found = Vec::new();
            texts(&event, "", &mut found);
            for (field, text) in &found {
                let is_personal = [&PEOPLE[..], &WRITTEN, &TOLD].concat().contains(field);
                let is_by_account = field.parse::<treasury_core::units::AccountId>().is_ok();
                let is_other = is_by_account || OTHERS.split_whitespace().any(|other| other == *field);
                assert!(is_personal != is_other, "what stands in `{field}`? {text}");
                let stands_elsewhere = |(field, other): &(&str, &str)| {
                    [&PEOPLE[..], &WRITTEN, &TOLD].concat().contains(field) && names(other, text)
                };
                if is_other && !text.is_empty() && !found.iter().any(stands_elsewhere) {
                    assert_eq!(without(text, &event), None, "`{text}` stands in `{field}` of {event}");
                }
                if PEOPLE.contains(field) {
                    let rewritten = without(text, &event).unwrap();
                    let mut left = Vec::new();
                    texts(&rewritten, "", &mut left);
                    let is_left = left.iter().any(|(field, other)| PEOPLE.contains(field) && other == text);
                    assert!(!is_left, "`{text}` is in {rewritten}");
                }
            }
        }
    }
}
