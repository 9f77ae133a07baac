//! The stored format: every form in which an event was ever written is still read.
//!
//! `tests/golden/events.jsonl` holds such forms, those of earlier releases first. A line is never changed or taken away.
//! What a test emits must have been written down: a form that is new fails, and `UPDATE_GOLDEN=1` adds a line for it.
//! A field may come with a default; whatever else changes gets a new word, and the old one stays to be read
//! ([decision 13](../../../../docs/decisions/0013-events-are-read-for-ever.md)).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::Value;
use treasury_core::Event;

/// Paths by word.
type Forms = BTreeMap<String, BTreeSet<String>>;

static FORMS: LazyLock<Mutex<Forms>> = LazyLock::new(|| {
    let mut forms = Forms::new();
    lines().iter().for_each(|line| note(&mut forms, &serde_json::from_str(line).unwrap()));
    Mutex::new(forms)
});

fn path() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("tests/golden/events.jsonl")
}

fn lines() -> Vec<String> {
    std::fs::read_to_string(path()).unwrap().lines().map(str::to_owned).collect()
}

/// Maps whose keys are names and addresses.
const MAPS: [&str; 5] = ["approvals", "rejections", "entries", "holds", "trust_lines"];

/// Fields whose values are words of the format.
const WORDS: [&str; 9] =
    ["event", "type", "status", "change", "guard", "action", "kind", "severity", "cause"];

/// Every path to a value, with the values that are words of the format.
fn paths(value: &Value, name: &str, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(field, value)| {
            let shown = if MAPS.contains(&name) { "*" } else { field };
            paths(value, field, &format!("{path}.{shown}"), found);
        }),
        Value::Array(values) => values.iter().for_each(|value| paths(value, "", &format!("{path}[]"), found)),
        Value::Null => {}
        Value::String(word) if WORDS.contains(&name) => drop(found.insert(format!("{path}={word}"))),
        _ => drop(found.insert(path.to_owned())),
    }
}

/// Whether the event has something that no line has.
fn note(forms: &mut Forms, event: &Value) {
    let word = event["event"].as_str().unwrap().to_owned();
    paths(event, "", "", forms.entry(word).or_default());
}

/// Fails where the event has a form that is not written down.
pub(crate) fn check(event: &Event) {
    let value = serde_json::to_value(event).unwrap();
    let mut found = BTreeSet::new();
    paths(&value, "", "", &mut found);
    // A failing test elsewhere leaves the forms whole.
    let mut forms = FORMS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = forms.entry(event.word().to_owned()).or_default();
    if found.is_subset(known) {
        return;
    }
    let new: Vec<&String> = found.difference(known).collect();
    assert!(
        std::env::var_os("UPDATE_GOLDEN").is_some(),
        "{} is written in a form that tests/golden/events.jsonl does not have; UPDATE_GOLDEN=1 adds it: {new:?}",
        event.word()
    );
    let mut file = OpenOptions::new().append(true).open(path()).unwrap();
    writeln!(file, "{}", serde_json::to_string(event).unwrap()).unwrap();
    note(&mut forms, &value);
}

#[test]
fn every_form_of_every_event_that_was_ever_written_is_read_as_what_it_was() {
    for line in lines() {
        let event: Event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let now = serde_json::to_value(&event).unwrap();
        let then = recordings::events::in_present_words(&serde_json::from_str(&line).unwrap());
        assert!(recordings::events::holds(&now, &then), "{line}\nis now {now}");
    }
}

#[test]
fn every_kind_of_event_is_written_down() {
    let written: BTreeSet<String> = lines()
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    // The reader itself lists the words that it knows.
    let error = serde_json::from_str::<Event>(r#"{"event":"no such"}"#).unwrap_err().to_string();
    let known: BTreeSet<String> = error.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert!(known.len() > 30, "{error}");
    assert_eq!(written, known);
}
