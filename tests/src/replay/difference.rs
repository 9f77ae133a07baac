//! Saying readably what differs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use xrpl_harness::embedded::{ClosedLedger, Ledger};
use xrpl_wire::{Hash256, Object};

use super::entries;

/// The first difference between a ledger and the recorded one.
pub fn compare(closed: &ClosedLedger, expected: &Value) -> Option<String> {
    let recorded = expected["transactions"].as_array().unwrap();
    let transactions = closed.transactions_by_id();
    let named = |blob: &str| Object::decode(&hex::decode(blob).unwrap()).unwrap().to_json();
    let ours: Vec<String> = transactions.iter().map(|tx| hex::encode_upper(tx.blob())).collect();
    let theirs: Vec<&str> = recorded.iter().map(|tx| tx["tx_blob"].as_str().unwrap()).collect();
    if ours != theirs {
        let missing = theirs.iter().filter(|blob| !ours.iter().any(|our| our == *blob));
        let extra = ours.iter().filter(|blob| !theirs.contains(&blob.as_str()));
        let missing: Vec<String> = missing.map(|blob| brief(&named(blob))).collect();
        let extra: Vec<String> = extra.map(|blob| brief(&named(blob))).collect();
        return Some(format!(
            "{} transactions, recorded {}\nmissing: {}\nnot recorded: {}",
            ours.len(),
            theirs.len(),
            missing.join("\n    "),
            extra.join("\n    ")
        ));
    }
    for (tx, recorded) in transactions.iter().zip(recorded) {
        let meta = recorded["meta"].as_str().unwrap();
        if hex::encode_upper(&tx.meta_blob) != meta {
            let difference = first_difference("meta", &tx.meta().to_json(), &named(meta));
            return Some(format!("{}\n{difference}", brief(&tx.tx().to_json())));
        }
    }
    let header = &closed.header;
    let figures = [
        ("total_coins", header.total_drops.to_string()),
        ("transaction_hash", header.transaction_hash.to_string()),
        ("account_hash", header.account_hash.to_string()),
        ("parent_hash", header.parent_hash.to_string()),
        ("ledger_hash", closed.hash.to_string()),
    ];
    figures
        .into_iter()
        .find(|(name, value)| expected[*name].as_str() != Some(value))
        .map(|(name, value)| format!("{name}: {value}, recorded {}", expected[name]))
}

/// The first entry that differs from the recorded state.
pub fn compare_state(ledger: &Ledger, recorded: &Value) -> Option<String> {
    let recorded: BTreeMap<Hash256, Vec<u8>> = entries(recorded).into_iter().collect();
    let state = &ledger.validated().state;
    let mut differences = Vec::new();
    for (index, blob) in &recorded {
        let theirs = Object::decode(blob).unwrap().to_json();
        match state.get(index) {
            None => differences.push(format!("{index} is missing: {theirs}")),
            Some(entry) if entry.blob() != blob => {
                let difference = first_difference("", &entry.object().to_json(), &theirs);
                differences.push(format!("{index} {} {difference}", theirs["LedgerEntryType"]));
            }
            Some(_) => {}
        }
    }
    for (index, entry) in state.iter().filter(|(index, _)| !recorded.contains_key(*index)) {
        differences.push(format!("{index} is too much: {}", entry.object().to_json()));
    }
    differences.truncate(4);
    (!differences.is_empty()).then(|| differences.join("\n"))
}

/// Where two JSON values first differ, and how.
pub fn first_difference(at: &str, ours: &Value, theirs: &Value) -> String {
    match (ours, theirs) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let (one, other) = (one.get(key), other.get(key));
                if one != other {
                    let null = Value::Null;
                    return first_difference(
                        &format!("{at}.{key}"),
                        one.unwrap_or(&null),
                        other.unwrap_or(&null),
                    );
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let differ = one.iter().zip(other).position(|(one, other)| one != other);
            if let Some(place) = differ {
                return first_difference(&format!("{at}[{place}]"), &one[place], &other[place]);
            }
        }
        _ => {}
    }
    let short = |value: &Value| value.to_string().chars().take(600).collect::<String>();
    format!("{at}: {}, recorded {}", short(ours), short(theirs))
}

/// What a step asks.
pub fn shown(step: &Value) -> String {
    let op = step["op"].as_str().unwrap_or_default();
    let Some(blob) = step["tx_blob"].as_str() else {
        let asked = ["method", "params", "request", "socket"].into_iter().filter_map(|key| step.get(key));
        return asked.fold(op.to_owned(), |text, part| format!("{text} {part}"));
    };
    match hex::decode(blob).ok().and_then(|bytes| Object::decode(&bytes).ok()) {
        Some(tx) => format!("{op} {}", brief(&tx.to_json())),
        None => format!("{op} {blob}"),
    }
}

/// A transaction without keys and signatures.
fn brief(tx: &Value) -> String {
    let mut tx = tx.clone();
    if let Some(fields) = tx.as_object_mut() {
        fields.remove("SigningPubKey");
        fields.remove("TxnSignature");
        if let Some(signers) = fields.get_mut("Signers").and_then(Value::as_array_mut) {
            for signer in signers {
                *signer = signer["Signer"]["Account"].clone();
            }
        }
    }
    tx.to_string()
}
