//! How a record, and what else happens, becomes the text of an entry.
//!
//! The text has what an auditor needs and nothing that is secret: no signature, no signed transaction, no seed, no password
//! of a ledger server. Ledgers and accounts as they were read are named and not repeated. What is personal is committed to.

use std::collections::{BTreeMap, BTreeSet};

use rand::random;
use serde_json::{Map, Value, json};
use treasury_api::types::AuditOpened;
use treasury_core::command::Asked;
use treasury_core::intent::Origin;
use treasury_core::observe::LedgerPoint;
use treasury_core::{Event, Treasury};
use treasury_tools::text::without_seeds;
use treasury_verify::audit::{commitment, kinds};

use super::book::Draft;
use crate::http::without_signatures;
use crate::redact;
use crate::store::{self, Record};

/// Fields that hold what people wrote.
const TEXTS: [&str; 5] = ["note", "reason", "idempotency_key", "evidence", "reply"];

/// Fields that hold a name.
const NAMES: [&str; 2] = ["person", "by"];

/// Whether anything follows from a record but that a ledger was seen.
fn is_of_note(event: &Event) -> bool {
    !matches!(event, Event::LedgerTaken { .. } | Event::AccountsRead { .. })
}

/// Whether a record becomes an entry.
pub(super) fn is_told(record: &Record) -> bool {
    record.events.iter().any(is_of_note)
}

/// The entry of a record; none where all it says is how the ledger is. `ledger` is moved on by it.
pub(super) fn record(
    record: &Record,
    ledger: &mut Option<LedgerPoint>,
    treasury: &Treasury,
) -> Option<Draft> {
    let mut by_ledger = false;
    for event in &record.events {
        if let Event::LedgerTaken { observation, .. } = event {
            (*ledger, by_ledger) = (Some(observation.point), true);
        } else if let Event::AccountsRead { at, .. } = event {
            (*ledger, by_ledger) = (Some(ledger.map_or(*at, |known| newer(known, *at))), true);
        }
    }
    if !is_told(record) {
        return None;
    }
    let asked = record.events.iter().find_map(|event| match event {
        Event::CommandTaken { asked } => Some(asked),
        _ => None,
    });
    let events: Vec<Value> = record.events.iter().map(shown).collect();
    let about: BTreeSet<String> = events.iter().flat_map(about).collect();
    let at = asked.map(|asked| asked.utc.to_string());
    let at = at.or_else(|| ledger.map(|ledger| ledger.close_time.to_string())).unwrap_or_default();
    let text = json!({
        "at": at,
        "kind": "facts",
        "record": record.number,
        "ledger": ledger.map(|point| point_json(&point)),
        "who": who(asked, by_ledger),
        "about": about,
        "names": names(&events, treasury),
        "events": events,
    });
    Some(Writer::new(treasury).with_record(record).write(text))
}

/// Of what is no record.
pub(super) fn other(text: Value, treasury: &Treasury) -> Draft {
    Writer::new(treasury).write(text)
}

/// Whether a record is the one that was committed to.
pub(super) fn is_record(record: &Record, salt: &str, name: &str) -> bool {
    let text = serde_json::to_string(record).unwrap_or_default();
    commitment(salt, &text) == name
}

fn newer(one: LedgerPoint, other: LedgerPoint) -> LedgerPoint {
    if other.index > one.index { other } else { one }
}

pub(super) fn point_json(point: &LedgerPoint) -> Value {
    json!({ "index": point.index.0, "hash": point.hash.to_string(), "closed": point.close_time.to_string() })
}

fn who(asked: Option<&Asked>, by_ledger: bool) -> Value {
    match asked {
        Some(asked) => json!({
            "person": asked.person,
            "origin": asked.origin.word(),
            "token": asked.token,
            "address": asked.address,
            "request": asked.request,
            "operation": asked.operation,
        }),
        None if by_ledger => json!({ "origin": Origin::Ledger.word() }),
        None => json!({ "origin": Origin::Daemon.word() }),
    }
}

/// A fact without what is secret, and without what the ledger has anyway.
fn shown(event: &Event) -> Value {
    match event {
        Event::LedgerTaken { observation, .. } => {
            let transactions = observation.transactions.iter();
            let transactions: Vec<Value> = transactions
                .map(|tx| serde_json::to_value(tx).map(without_signatures).unwrap_or_default())
                .collect();
            json!({
                "event": event.word(),
                "index": observation.point.index.0,
                "hash": observation.point.hash.to_string(),
                "transactions": transactions,
            })
        }
        Event::AccountsRead { at, accounts, .. } => {
            json!({ "event": event.word(), "index": at.index.0, "accounts": accounts.len() })
        }
        other => serde_json::to_value(other).map(without_signatures).unwrap_or_default(),
    }
}

/// What a fact is about, by the ids that people use.
fn about(event: &Value) -> Vec<String> {
    let number = |value: Option<&Value>| value.and_then(Value::as_u64);
    let id_of = |field: &str| number(event.get(field).and_then(|value| value.get("id")));
    let word = event.get("event").and_then(Value::as_str).unwrap_or_default();
    let proposal = number(event.get("proposal")).or_else(|| id_of("proposal"));
    let attempt = number(event.get("attempt"));
    let stop = id_of("stop").or_else(|| number(event.get("id")).filter(|_| word == "stop_lifted"));
    let finding = id_of("finding").or_else(|| {
        number(event.get("id")).filter(|_| ["finding_acknowledged", "finding_over"].contains(&word))
    });
    let on = event.get("stop").and_then(|stop| stop.get("subject")).and_then(|on| number(on.get("proposal")));
    let found = [("P", proposal), ("P", attempt), ("P", on), ("S", stop), ("F", finding)];
    found.into_iter().filter_map(|(letter, id)| id.map(|id| format!("{letter}{id}"))).collect()
}

/// What the organisation calls the accounts that occur. Those of people are not among them: a name beside an address would
/// tell whose it is after the name was taken away.
fn names(events: &[Value], treasury: &Treasury) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let text = serde_json::to_string(events).unwrap_or_default();
    let accounts = treasury.accounts.iter().map(|(account, declared)| (account, &declared.name));
    for (account, name) in accounts.chain(&treasury.destinations) {
        let address = account.to_string();
        if text.contains(&address) {
            found.insert(address, name.clone());
        }
    }
    found
}

/// Writes a text, and commits to what is personal in it.
struct Writer {
    people: BTreeSet<String>,
    open: BTreeMap<String, AuditOpened>,
    /// What was committed to in this text already, so that one name is one commitment.
    known: BTreeMap<String, String>,
    facts: Option<String>,
}

impl Writer {
    fn new(treasury: &Treasury) -> Self {
        let people = treasury.people.keys().cloned().collect();
        Self { people, open: BTreeMap::new(), known: BTreeMap::new(), facts: None }
    }

    /// Binds the record itself, signatures included, so that the store can be held against the log.
    fn with_record(mut self, record: &Record) -> Self {
        let salt = salt();
        let text = serde_json::to_string(record).unwrap_or_default();
        let name = commitment(&salt, &text);
        self.open.insert(name.clone(), AuditOpened { kind: "record".to_owned(), salt, value: None });
        self.facts = Some(format!("#{name}"));
        self
    }

    fn write(mut self, mut text: Value) -> Draft {
        self.commit(&mut text, "");
        if let (Value::Object(fields), Some(facts)) = (&mut text, self.facts.take()) {
            fields.insert("facts".to_owned(), Value::String(facts));
        }
        if let (Value::Object(fields), false) = (&mut text, self.open.is_empty()) {
            fields.insert("kinds".to_owned(), json!(kinds(&self.open)));
        }
        Draft { text: text.to_string(), open: self.open }
    }

    fn commit(&mut self, value: &mut Value, field: &str) {
        match value {
            Value::String(text) => {
                if let Some(kind) = self.kind(field, text) {
                    *text = self.name_of(kind, text);
                } else {
                    *text = safe(text);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.commit(item, field)),
            Value::Object(fields) => {
                let mut committed = Map::new();
                for (name, mut field) in std::mem::take(fields) {
                    self.commit(&mut field, &name);
                    let name = if self.people.contains(&name) { self.name_of("person", &name) } else { name };
                    committed.insert(name, field);
                }
                *fields = committed;
            }
            _ => {}
        }
    }

    /// As what a text is committed to, if it is.
    fn kind(&self, field: &str, text: &str) -> Option<&'static str> {
        if text.is_empty() {
            return None;
        }
        if NAMES.contains(&field) || self.people.contains(text) {
            return Some("person");
        }
        if field == "address" || field == "token" {
            return Some(if field == "token" { "token" } else { "address" });
        }
        // Where an address of a server stands: what is shown of such a text elsewhere is looked through for passwords, and
        // that must not change what was hashed.
        if text.contains("://") {
            return Some("text");
        }
        let names_somebody = || self.people.iter().any(|person| store::names(text, person));
        (TEXTS.contains(&field) || names_somebody()).then_some("text")
    }

    fn name_of(&mut self, kind: &str, value: &str) -> String {
        let value = safe(value);
        if let Some(name) = self.known.get(&value) {
            return name.clone();
        }
        let salt = salt();
        let name = commitment(&salt, &value);
        let opened = AuditOpened { kind: kind.to_owned(), salt, value: Some(value.clone()) };
        self.open.insert(name.clone(), opened);
        let name = format!("#{name}");
        self.known.insert(value, name.clone());
        name
    }
}

/// A text without seeds, and without passwords in addresses of servers.
fn safe(text: &str) -> String {
    without_seeds(&redact::addresses(text)).into_owned()
}

fn salt() -> String {
    hex::encode(random::<[u8; 16]>())
}
