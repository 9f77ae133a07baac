//! Takes a person out of the outbox, as [`crate::store::forget`] does out of the store.
//!
//! It is written anew beside the old one, because a storage engine keeps for a while what was put over. Nobody may be working
//! on it. Deliveries, marks and alerts stay as they are; what was not told yet is told without the name.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::super::FOLDER;
use super::{BATCH_MAX, META, OutboxError};
use crate::store::seam::Ground;
use crate::store::{StoreError, names};

/// The outbox as it was, while the new one takes its place.
const OLD: &str = "outbox-old";

/// What stands for what was taken away.
const REMOVED: &str = "(removed)";

/// Fields that say what something is called here, or what channels are: the configuration's, and nobody's.
const NOT_PEOPLE: [&str; 14] = [
    "id",
    "version",
    "type",
    "severity",
    "timestamp",
    "channel",
    "to",
    "went",
    "stage",
    "has",
    "proposal",
    "finding",
    "stop",
    "escrow",
];

/// Writes the outbox of a data directory anew without this name, and without the texts in which it stands; answers with how many
/// entries were changed.
///
/// # Errors
/// [`OutboxError`]. Nothing has changed then, or it is as it was under another name, `outbox-old`, which the next try and the next start put back.
pub(crate) fn forget(data_dir: &Path, person: &str, instead: &str) -> Result<u64, OutboxError> {
    put_back(data_dir)?;
    let [folder, fresh, old] = [FOLDER, "outbox-new", OLD].map(|name| data_dir.join(name));
    if !folder.exists() {
        return Ok(0);
    }
    remove(&fresh)?;
    remove(&old)?;
    let changed = copy(&folder, &fresh, person, instead)?;
    if changed == 0 {
        remove(&fresh)?;
        return Ok(0);
    }
    rename(&folder, &old)?;
    rename(&fresh, &folder)?;
    let synced = fs::File::open(data_dir).and_then(|dir| dir.sync_all());
    synced.map_err(StoreError::io("sync", data_dir))?;
    remove(&old)?;
    Ok(changed)
}

/// Puts the outbox back where [`forget`] was broken off with it under another name. Asked before it is opened, too: what waits would
/// be told to nobody, and lost with the next try.
///
/// # Errors
/// Where it cannot be renamed.
pub(in crate::notify) fn put_back(data_dir: &Path) -> Result<(), StoreError> {
    let [folder, old] = [FOLDER, OLD].map(|name| data_dir.join(name));
    if folder.exists() || !old.exists() { Ok(()) } else { rename(&old, &folder) }
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(StoreError::io("rename", from))
}

fn remove(folder: &Path) -> Result<(), StoreError> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(StoreError::io("remove", folder))
    } else {
        Ok(())
    }
}

fn copy(from: &Path, to: &Path, person: &str, instead: &str) -> Result<u64, OutboxError> {
    let open = Ground::system().engine;
    let (from, to) = (open(from)?, open(to)?);
    let pen = Pen { person, instead };
    let (mut changed, mut next) = (0_u64, vec![0]);
    loop {
        let page = from.range(&next, &[u8::MAX], BATCH_MAX)?;
        let Some((last, _)) = page.last() else { return Ok(changed) };
        next.clone_from(last);
        next.push(0);
        let mut puts = Vec::with_capacity(page.len());
        for (key, value) in page {
            let rewritten = if key == META { None } else { pen.rewrite(&value) };
            changed = changed.saturating_add(u64::from(rewritten.is_some()));
            puts.push((key, rewritten.unwrap_or(value)));
        }
        to.apply(puts, Vec::new())?;
    }
}

struct Pen<'a> {
    person: &'a str,
    instead: &'a str,
}

impl Pen<'_> {
    /// `None` where the name is not in it, or it is damaged: that is shown to nobody.
    fn rewrite(&self, value: &[u8]) -> Option<Vec<u8>> {
        let mut value = serde_json::from_slice::<Value>(value).ok()?;
        self.replace(&mut value, "").then(|| value.to_string().into_bytes())
    }

    fn replace(&self, value: &mut Value, field: &str) -> bool {
        match value {
            Value::String(_) if NOT_PEOPLE.contains(&field) => false,
            Value::String(text) if text == self.person => {
                self.instead.clone_into(text);
                true
            }
            Value::String(text) if names(text, self.person) => {
                REMOVED.clone_into(text);
                true
            }
            Value::Array(items) => {
                items.iter_mut().fold(false, |found, item| self.replace(item, field) | found)
            }
            Value::Object(fields) => {
                // What they wrote need not name them.
                let is_theirs = fields.get("by").is_some_and(|by| by == self.person);
                if let Some(reason) = fields.get_mut("reason").filter(|_| is_theirs) {
                    *reason = REMOVED.into();
                }
                fields.iter_mut().fold(false, |found, (name, field)| self.replace(field, name) | found)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use treasury_api::notice::{Kind, Severity};
    use treasury_api::types::Notice;

    use super::super::{Addressed, Delivery, Mark, Outbox, Stage};
    use super::*;
    use crate::notify::Escalation;
    use crate::notify::escalate::{Alert, Answered};

    fn notice(id: &str, says: &str) -> Notice {
        Notice::new(
            id.to_owned(),
            Kind::Freeze,
            Severity::Warning,
            "2026-01-01T00:00:00Z".to_owned(),
            says.to_owned(),
        )
    }

    fn open(data: &Path) -> Outbox {
        Outbox::open((Ground::system().engine)(&data.join(FOLDER)).unwrap(), "s").unwrap()
    }

    /// Every byte of every file below.
    fn bytes(folder: &Path) -> String {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let texts = entries.map(|path| {
            if path.is_dir() {
                bytes(&path)
            } else {
                String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
            }
        });
        texts.collect()
    }

    /// Danger: whoever was forgotten stands in what people were told, with what they wrote, and is served for months.
    #[test]
    fn a_person_is_in_nothing_of_the_outbox_any_more_and_the_rest_is_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        assert_eq!(forget(data, "dave.m", "person-1").unwrap(), 0, "there is none");
        let mut first = notice("n-s-1-0", "Frozen by dave.m: call me at home, 044 123");
        first.people = vec!["dave.m".to_owned(), "sue".to_owned()];
        first.channel = Some("dave.m".to_owned());
        first.destination = Some(treasury_api::types::PartyView {
            address: "r1".to_owned(),
            name: Some("dave.m".to_owned()),
        });
        let answered = Answered {
            by: "dave.m".to_owned(),
            reason: "I was asleep".to_owned(),
            at: String::new(),
            severity: Severity::Warning,
        };
        let escalation = Escalation { after_seconds: 60, to: vec!["ops".to_owned()] };
        let alert = Alert {
            notice: notice("n-s-1-1", "Held by sue"),
            escalation,
            since_ms: 0,
            steps: 0,
            went: Vec::new(),
            answered: Some(answered),
        };
        let of = |notice: Notice, alerts| Addressed { notice, channels: vec![("ops".to_owned(), 7)], alerts };
        let told = vec![
            of(first, Vec::new()),
            of(notice("n-s-1-1", "Held by sue"), vec![("S1 > ops".to_owned(), alert)]),
        ];
        let mark = Mark { record: 1, digest: "d".to_owned(), ledger: None };
        let dead = Delivery { stage: Stage::Dead, ..Delivery::due(7) };
        let mut outbox = open(data);
        outbox.take(told, mark.clone()).unwrap();
        outbox.set("ops", 1, &dead).unwrap();
        drop(outbox);
        assert!(bytes(&data.join(FOLDER)).contains("call me at home"));

        assert_eq!(forget(data, "dave.m", "person-1").unwrap(), 2);
        assert_eq!(forget(data, "dave.m", "person-1").unwrap(), 0, "once is enough");
        let names: Vec<_> = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [FOLDER], "nothing is left beside it");
        let outbox = open(data);
        let (kept, delivery) = outbox.delivery("ops", 1).unwrap().unwrap();
        assert_eq!((kept.says.as_str(), kept.people.join(",")), ("(removed)", "person-1,sue".to_owned()));
        assert_eq!(kept.destination.unwrap().name.as_deref(), Some("person-1"));
        assert_eq!(
            (kept.channel.as_deref(), delivery),
            (Some("dave.m"), dead),
            "what a channel is called stays"
        );
        assert_eq!(
            outbox.delivery("ops", 2).unwrap().unwrap(),
            (notice("n-s-1-1", "Held by sue"), Delivery::due(7))
        );
        let [(name, alert)] = outbox.alerts.iter().collect::<Vec<_>>()[..] else { panic!("one alert") };
        let answered = alert.answered.as_ref().unwrap();
        assert_eq!(
            (name.as_str(), answered.by.as_str(), answered.reason.as_str()),
            ("S1 > ops", "person-1", "(removed)")
        );
        assert_eq!((outbox.series(), outbox.mark()), ("s", Some(&mark)));
        drop(outbox);
        let left = bytes(&data.join(FOLDER));
        for gone in ["call me", "asleep", "by dave.m"] {
            assert!(!left.contains(gone), "{gone}");
        }
    }

    /// Danger: it is broken off between its two renames, a daemon starts with an outbox in which nothing waits, and the next try
    /// takes away the one in which something does.
    #[test]
    fn what_was_broken_off_is_put_back_before_anything_else_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let [folder, old] = [FOLDER, OLD].map(|name| dir.path().join(name));
        put_back(dir.path()).unwrap();
        assert!(!folder.exists(), "there is none");
        let told = Addressed {
            notice: notice("n-s-1-0", "Frozen by sue"),
            channels: vec![("ops".to_owned(), 7)],
            alerts: Vec::new(),
        };
        let mark = Mark { record: 1, digest: "d".to_owned(), ledger: None };
        open(dir.path()).take(vec![told], mark).unwrap();
        fs::rename(&folder, &old).unwrap();
        put_back(dir.path()).unwrap();
        assert!(!old.exists());
        assert_eq!(open(dir.path()).waiting("ops"), 1);
        // What is there is never put over.
        fs::create_dir(&old).unwrap();
        put_back(dir.path()).unwrap();
        assert!(old.exists() && folder.join("db").exists());
    }
}
