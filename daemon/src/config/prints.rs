//! What the configuration says, by hashes: so that the audit log can tell when it was another one, and in which of its parts.
//!
//! A hash is of what a section says without anything secret: passwords, and of addresses all but scheme, host and port are left
//! out before, so that nobody can try what they may be. The hash of a token is hashed once more instead: a token has 256
//! random bits, which nobody can try, and another one lets somebody else in.
//!
//! Files that the configuration names are not looked into, but those of the policy and of the one beside it, in which there
//! is nothing secret. So another secret, password, key or list in its file is not seen, and neither is what is left out above.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};
use toml::de::{DeTable, DeValue};
use treasury_tools::text::without_seeds;
use url::Url;

/// Parts of names of keys whose values are secret.
const SECRETS: [&str; 4] = ["token", "password", "passphrase", "secret"];

/// The end of names of keys whose values are the hash of a token.
const TOKEN: &str = "token_sha256";

/// Ends of names of keys that only say where a secret is.
const PLACES: [&str; 2] = ["_file", "_header"];

/// The hash of each section that there is, by name, in hex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prints(pub BTreeMap<String, String>);

impl Prints {
    pub(super) fn of(document: &DeTable<'_>) -> Self {
        let prints = document.iter().map(|(name, value)| {
            let name = name.get_ref().as_ref().to_owned();
            let mut text = String::new();
            write(value.get_ref(), &mut text);
            (name, digest(&text))
        });
        Self(prints.collect())
    }

    /// With the hashes of texts of files, by the keys that name these.
    pub(super) fn with_texts(mut self, texts: &BTreeMap<&str, String>) -> Self {
        for (name, text) in texts {
            if let Some(print) = self.0.get_mut(*name) {
                *print = digest(&format!("{print} {text}"));
            }
        }
        self
    }

    /// One hash for all of it: that of a line for each section, in the order of their names.
    #[must_use]
    pub fn whole(&self) -> String {
        let lines = self.0.iter().map(|(name, print)| format!("{name} {print}\n"));
        digest(&lines.collect::<String>())
    }

    /// Names of the sections that are others than before, or that only one of the two has.
    #[must_use]
    pub fn changed_since(&self, before: &Self) -> Vec<String> {
        let names = self.0.keys().chain(before.0.keys().filter(|name| !self.0.contains_key(*name)));
        let mut changed: Vec<String> =
            names.filter(|name| self.0.get(*name) != before.0.get(*name)).cloned().collect();
        changed.sort();
        changed
    }
}

pub(super) fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// Writes a value as it is whatever the order of its keys; without what is secret.
fn write(value: &DeValue<'_>, text: &mut String) {
    match value {
        DeValue::String(said) => {
            // Quoted, so that no two values are written alike.
            let _ = write!(text, "{:?}", shown(said));
        }
        DeValue::Array(items) => {
            text.push('[');
            for item in items.iter() {
                write(item.get_ref(), text);
                text.push(',');
            }
            text.push(']');
        }
        DeValue::Table(table) => {
            let keys: BTreeMap<&str, &DeValue<'_>> =
                table.iter().map(|(key, value)| (key.get_ref().as_ref(), value.get_ref())).collect();
            text.push('{');
            for (key, value) in keys.into_iter().filter(|(key, _)| !is_secret(key)) {
                let _ = write!(text, "{key:?}:");
                match value {
                    // However it is written.
                    DeValue::String(hash) if key.ends_with(TOKEN) => {
                        text.push_str(&digest(&hash.to_ascii_lowercase()));
                    }
                    value => write(value, text),
                }
                text.push(',');
            }
            text.push('}');
        }
        DeValue::Integer(number) => text.push_str(number.as_str()),
        DeValue::Float(number) => text.push_str(number.as_str()),
        DeValue::Boolean(is_so) => text.push_str(if *is_so { "true" } else { "false" }),
        DeValue::Datetime(time) => text.push_str(&time.to_string()),
    }
}

fn is_secret(key: &str) -> bool {
    let is_shown = key.ends_with(TOKEN) || PLACES.iter().any(|place| key.ends_with(place));
    !is_shown && SECRETS.iter().any(|secret| key.contains(secret))
}

/// Of an address scheme, host and port: the rest of it may be what lets somebody in.
fn shown(said: &str) -> String {
    if !said.contains("://") {
        return without_seeds(said).into_owned();
    }
    match Url::parse(said.trim()) {
        Ok(url) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
        }
        Err(_) => String::new(),
    }
}
