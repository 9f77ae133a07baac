//! By which configuration the daemon works: an entry whenever it is another one than that which was written down last.
//!
//! Whoever has a configuration can find out whether it is the one: its hashes are of what it says. What it leaves to be as the
//! version has it, the entry `started` says by naming that.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use serde_json::{Value, json};
use treasury_api::types::AuditEntry;
use treasury_verify::audit::opened;

use super::{Audit, Trouble};
use crate::config::Prints;
use crate::engine::EngineHandle;

/// The kind of its entries.
const KIND: &str = "configuration";

/// Files of the log that are searched for the last one, the newest first: a start must not take longer the older the log is.
/// Where there is none in them, it is written down once more.
const FILES_MAX: usize = 64;

impl Audit {
    /// Writes down what the configuration is, where that is another one than the last.
    pub(crate) fn say_configuration(&self, engine: &EngineHandle, prints: &Prints) -> Result<(), Trouble> {
        let mut known = self.configured.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match known.take() {
            Some(before) => Some(before),
            None => self.last_configuration()?,
        };
        let changed = before.as_ref().map(|before| prints.changed_since(before));
        if changed.as_ref().is_none_or(|changed| !changed.is_empty()) {
            let sections = prints.0.iter().map(|(name, print)| format!("{name} {print}"));
            let text = json!({
                "kind": KIND,
                "hash": prints.whole(),
                "changed": changed,
                "sections": sections.collect::<Vec<_>>(),
                "policy": engine.treasury().policy.hash().to_string(),
            });
            self.say(engine, text)?;
        }
        *known = Some(prints.clone());
        Ok(())
    }

    fn last_configuration(&self) -> Result<Option<Prints>, Trouble> {
        let wanted = |entry: &AuditEntry| prints_of(entry).is_some();
        let (found, _) = self.shelf().back(u64::MAX, 1, FILES_MAX, &wanted)?;
        Ok(found.first().and_then(prints_of))
    }
}

/// What an entry says, if it is of a configuration and its text is there.
fn prints_of(entry: &AuditEntry) -> Option<Prints> {
    // Cheaper than to read each as JSON.
    if !entry.text.as_deref()?.contains(KIND) {
        return None;
    }
    let said = opened(entry)?;
    if said.get("kind").and_then(Value::as_str) != Some(KIND) {
        return None;
    }
    let sections = said.get("sections")?.as_array()?.iter().filter_map(Value::as_str);
    let prints = sections.filter_map(|section| section.split_once(' '));
    let prints: BTreeMap<String, String> =
        prints.map(|(name, print)| (name.to_owned(), print.to_owned())).collect();
    Some(Prints(prints))
}
