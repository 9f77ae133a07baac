//! Server addresses in texts of an earlier version, which stored and showed them whole: with users, passwords and keys; and
//! seeds that somebody typed where a reason or a note belongs.
//!
//! What is stored stays as it is, because the state follows from it. What is shown of it, or exported, goes through
//! here.

use std::borrow::Cow;

use serde_json::Value;
use treasury_tools::text::{has_seed, without_seeds};

/// How an address begins that may hold a secret.
const SCHEMES: [&str; 2] = ["ws://", "wss://"];

/// What may follow an address in a sentence.
const PUNCTUATION: [char; 6] = [':', ';', ',', '.', ')', '`'];

/// Leaves seeds out of every text; whether there were any.
pub(crate) fn seeds(value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            let is_there = has_seed(text);
            if is_there {
                *text = without_seeds(text).into_owned();
            }
            is_there
        }
        Value::Array(items) => items.iter_mut().fold(false, |found, item| seeds(item) | found),
        // Under a name that is none of its fields nothing is taken.
        Value::Object(fields) => {
            fields.iter_mut().fold(false, |found, (name, field)| seeds(field) | has_seed(name) | found)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The text, which may be JSON, with websocket addresses cut down to scheme, host and port.
pub(crate) fn addresses(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut rest = text;
    let mut is_changed = false;
    while let Some((at, scheme)) = next_address(rest) {
        let (before, address) = rest.split_at(at);
        let (address, after) = address.split_at(end_of(address));
        let cut = cut(scheme, address.get(scheme.len()..).unwrap_or_default());
        is_changed |= cut != address;
        shown.push_str(before);
        shown.push_str(&cut);
        rest = after;
    }
    if !is_changed {
        return Cow::Borrowed(text);
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// Where the next address begins, and how.
fn next_address(text: &str) -> Option<(usize, &'static str)> {
    // The longer one of two that begin at the same place cannot be missed: they differ in their second letters.
    SCHEMES.iter().filter_map(|scheme| Some((text.find(scheme)?, *scheme))).min_by_key(|(at, _)| *at)
}

/// Where the address ends: at white space, or at a quotation mark that is not escaped. What is taken for a part of it
/// and is none is not shown, which is better than the other way round.
fn end_of(address: &str) -> usize {
    let mut is_escaped = false;
    for (at, letter) in address.char_indices() {
        if letter.is_whitespace() || letter.is_control() || (letter == '"' && !is_escaped) {
            return at;
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    address.len()
}

/// What is shown of an address. A password with a slash in it was no address, and is hidden all the same.
fn cut(scheme: &str, after: &str) -> String {
    let sentence_end = after.trim_end_matches(PUNCTUATION).len();
    let (after, sentence) = after.split_at(sentence_end);
    let authority_end = after.find(['/', '?', '#', '\\']).unwrap_or(after.len());
    let (authority, hidden) = after.split_at(authority_end);
    let host = match hidden.contains('@') {
        true => "…",
        false => authority.rsplit('@').next().unwrap_or_default(),
    };
    let more = if matches!(hidden, "" | "/") { hidden } else { "/…" };
    format!("{scheme}{host}{more}{sentence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_version_wrote_down_is_shown_without_its_secrets() {
        for (text, shown) in [
            (
                "ws://u:PASS@127.0.0.1:6006/v1/KEY/?k=KEY: cannot be reached",
                "ws://127.0.0.1:6006/…: cannot be reached",
            ),
            ("wss://a.example/KEY; ws://b:1: no", "wss://a.example/…; ws://b:1: no"),
            (
                "wss://KEY@a.example announced AB, wss://b announced CD",
                "wss://a.example announced AB, wss://b announced CD",
            ),
            (r#"{"reason":"wss://u:P\"ASS@a/KEY","n":1}"#, r#"{"reason":"wss://…/…","n":1}"#),
            (r#"{"reason":"wss://u:PASS@a"}"#, r#"{"reason":"wss://a"}"#),
            ("ws://u:PA/SS@host:1/x", "ws://…/…"),
            ("(ws://host?KEY)", "(ws://host/…)"),
            ("ws://", "ws://"),
            ("wss://u:PASS@", "wss://"),
        ] {
            let redacted = addresses(text);
            assert_eq!(redacted, shown);
            assert!(!redacted.contains("KEY") && !redacted.contains("PASS"), "{redacted}");
            assert_eq!(addresses(&redacted), redacted, "what is cut stays so");
        }
    }

    #[test]
    fn a_text_without_secrets_is_the_same() {
        for text in
            ["", "ws://127.0.0.1:6006: the connection ended", "wss://a.example/", "news://x", "{\"a\":1}"]
        {
            assert!(matches!(addresses(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
