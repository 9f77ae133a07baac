//! The audit log as whoever checks it sees it: entries, each with the hash of the one before it.
//!
//! All of it can be done again with `sha256sum`. An entry's text is hashed as it stands; the hash that binds it is that of
//! three lines, the hash before it, its number and the digest of its text. What is personal stands in the text as a
//! commitment, and beside it what that opens: so a text or a name can be taken away, and the chain is as whole as before.
//!
//! What this does not guard against: whoever holds the machine can write the whole chain anew. It is noticed by whoever has
//! noted down an earlier hash elsewhere, and by nobody else.

mod gone;
mod part;
mod report;
mod times;
mod words;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use treasury_api::types::{AuditEntry, AuditOpened};

use gone::taken_away;

pub use gone::{Gone, Numbers};
pub use part::{Exported, Part};
pub use report::{csv_head, csv_row, report};
pub use times::{MOMENT, since, until};
pub use words::{about, moment, people, sentences};

/// What stands before the first entry.
pub const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What stands in a text for something that was taken away.
const REMOVED: &str = "(removed)";

/// The kind of commitment whose value stands in the store.
const RECORD: &str = "record";

/// 128 bits.
const SALT_DIGITS: usize = 32;

/// Why an entry is not what was written, or not in its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    /// An entry is missing.
    #[error("entry {expected} is missing: entry {found} comes in its place")]
    Gap {
        /// The number that should be next.
        expected: u64,
        /// The number that is.
        found: u64,
    },
    /// It does not follow the one before it.
    #[error("entry {0} does not follow the one before it: that has another hash")]
    NotLinked(u64),
    /// Its hash is not that of what it says.
    #[error("entry {0} has another hash than what it says")]
    Hash(u64),
    /// Its text was changed.
    #[error("the text of entry {0} is not what was written")]
    Text(u64),
    /// What was opened was changed, or is not of its text.
    #[error("entry {0} says of something in it what was not written")]
    Opened(u64),
    /// An export of a part has not what it says.
    #[error(
        "the export says that it is entries {said_first} to {said_last}, and entries {first} to {last} are there"
    )]
    Part {
        /// The first that is there.
        first: u64,
        /// The last.
        last: u64,
        /// The first that it says.
        said_first: u64,
        /// The last.
        said_last: u64,
    },
    /// An earlier hash, noted elsewhere, is not in the chain.
    #[error("entry {number} has the hash {found}, and {noted} was noted")]
    Noted {
        /// Which.
        number: u64,
        /// What the chain has there.
        found: String,
        /// What was noted.
        noted: String,
    },
}

impl AuditFault {
    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gap { .. } => "AUDIT_GAP",
            Self::NotLinked(_) => "AUDIT_NOT_LINKED",
            Self::Hash(_) => "AUDIT_HASH",
            Self::Text(_) => "AUDIT_TEXT",
            Self::Opened(_) => "AUDIT_OPENED",
            Self::Part { .. } => "AUDIT_PART",
            Self::Noted { .. } => "AUDIT_NOTED",
        }
    }
}

/// Digest of a text.
#[must_use]
pub fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// The hash of an entry: of three lines.
#[must_use]
pub fn link(before: &str, number: u64, digest: &str) -> String {
    hex::encode(Sha256::digest(format!("{before}\n{number}\n{digest}\n").as_bytes()))
}

/// What a value is committed to with. The salt has 32 digits, always: where it ends is thus no matter of opinion.
#[must_use]
pub fn commitment(salt: &str, value: &str) -> String {
    hex::encode(Sha256::digest(format!("{salt}\n{value}").as_bytes()))
}

/// The entry that follows `last`, the number and hash of the one before it; of none, nothing.
#[must_use]
pub fn sealed(last: Option<(u64, &str)>, text: String, open: BTreeMap<String, AuditOpened>) -> AuditEntry {
    let (before, number) = last.map_or((NOTHING, 1), |(number, hash)| (hash, number.saturating_add(1)));
    let digest = digest(&text);
    let hash = link(before, number, &digest);
    AuditEntry { number, before: before.to_owned(), digest, hash, text: Some(text), open }
}

/// Proves entries, one after another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checker {
    last: Option<(u64, String)>,
    first: Option<(u64, String)>,
    /// Entries so far.
    pub count: u64,
    /// Those among them whose text is not there any more.
    pub texts: Gone,
    /// Those whose text is there, and of which something that it commits to is not.
    pub openings: Gone,
    /// Hashes that were noted elsewhere, by number.
    noted: BTreeMap<u64, String>,
}

impl Checker {
    /// For a whole log.
    #[must_use]
    pub fn whole() -> Self {
        Self { last: Some((0, NOTHING.to_owned())), ..Self::default() }
    }

    /// For a part of one, whose first entry is believed as to what comes before it.
    #[must_use]
    pub fn part() -> Self {
        Self::default()
    }

    /// Has to find this hash there.
    #[must_use]
    pub fn noted(mut self, number: u64, hash: &str) -> Self {
        self.noted.insert(number, hash.to_ascii_lowercase());
        self
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// Where it is not what was written, or not the next one.
    pub fn take(&mut self, entry: &AuditEntry) -> Result<(), AuditFault> {
        let number = entry.number;
        if let Some((last, hash)) = &self.last {
            let expected = last.saturating_add(1);
            if number != expected {
                return Err(AuditFault::Gap { expected, found: number });
            }
            if entry.before != *hash {
                return Err(AuditFault::NotLinked(number));
            }
        }
        check(entry)?;
        if let Some(noted) = self.noted.remove(&number)
            && noted != entry.hash
        {
            return Err(AuditFault::Noted { number, found: entry.hash.clone(), noted });
        }
        self.first.get_or_insert_with(|| (number, entry.before.clone()));
        self.last = Some((number, entry.hash.clone()));
        self.reckon(entry);
        Ok(())
    }

    /// Counts what is gone of an entry, and what it says was taken away; it proves nothing.
    pub fn reckon(&mut self, entry: &AuditEntry) {
        self.count = self.count.saturating_add(1);
        match entry.text.as_deref() {
            None => self.texts.missing.add(entry.number),
            Some(text) => {
                if commitments(text).any(|name| !entry.open.contains_key(name)) {
                    self.openings.missing.add(entry.number);
                }
                taken_away(text, &mut self.texts, &mut self.openings);
            }
        }
    }

    /// What is gone though the log does not say that it was taken away, a line for each kind. The chain holds without it: it
    /// was lost, or somebody took it away who is not the program.
    #[must_use]
    pub fn unaccounted(&self) -> Vec<String> {
        let openings = self.openings.words("names or texts within entries");
        [self.texts.words("texts"), openings].into_iter().flatten().collect()
    }

    /// The number and hash of the last entry so far.
    #[must_use]
    pub fn head(&self) -> Option<(u64, &str)> {
        self.last.as_ref().filter(|(number, _)| *number > 0).map(|(number, hash)| (*number, hash.as_str()))
    }

    /// The number of the first entry, and what it follows.
    #[must_use]
    pub fn first(&self) -> Option<(u64, &str)> {
        self.first.as_ref().map(|(number, before)| (*number, before.as_str()))
    }

    /// Nothing follows.
    ///
    /// # Errors
    /// Where a noted hash is of an entry that is not there.
    pub fn finish(&self) -> Result<(), AuditFault> {
        match self.noted.first_key_value() {
            None => Ok(()),
            Some((number, _)) => {
                let found = self.head().map_or(0, |(number, _)| number);
                Err(AuditFault::Gap { expected: *number, found })
            }
        }
    }
}

/// What an entry says of itself.
fn check(entry: &AuditEntry) -> Result<(), AuditFault> {
    let number = entry.number;
    if link(&entry.before, number, &entry.digest) != entry.hash {
        return Err(AuditFault::Hash(number));
    }
    if let Some(text) = &entry.text
        && digest(text) != entry.digest
    {
        return Err(AuditFault::Text(number));
    }
    if entry.open.is_empty() {
        return Ok(());
    }
    let text = entry.text.as_deref().unwrap_or_default();
    let bound = serde_json::from_str::<Bound>(text).unwrap_or_default();
    for (name, opened) in &entry.open {
        let is_it = match &opened.value {
            Some(value) => commitment(&opened.salt, value) == *name.as_str(),
            // A record is proven against the store that has it; of everything else the value stands here. In entries of earlier
            // versions what kind it is is not hashed, so that alone must not excuse it.
            None => opened.kind == RECORD && bound.is_facts(name),
        };
        if !is_it
            || !bound.is_kind(name, &opened.kind)
            || !is_salt(&opened.salt)
            || !text.contains(&format!("#{name}"))
        {
            return Err(AuditFault::Opened(number));
        }
    }
    Ok(())
}

/// What of a text binds what it opens.
#[derive(Default, Deserialize)]
struct Bound {
    facts: Option<String>,
    kinds: Option<BTreeMap<String, Vec<String>>>,
}

impl Bound {
    /// Whether this is the commitment to the record that the text is made of: of no other may the value be elsewhere.
    fn is_facts(&self, name: &str) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.strip_prefix('#') == Some(name))
    }

    /// Whether what it opens is of this kind. Texts of earlier versions do not say.
    fn is_kind(&self, name: &str, kind: &str) -> bool {
        let begins = |begin: &String| begin.len() == KIND_DIGITS && name.starts_with(begin.as_str());
        self.kinds.as_ref().is_none_or(|kinds| kinds.get(kind).is_some_and(|names| names.iter().any(begins)))
    }
}

/// How much of a commitment stands beside its kind: enough to tell those of one text apart.
const KIND_DIGITS: usize = 8;

/// What a text says of the kinds of what it opens, so that they are hashed with it: the beginnings of the commitments, by kind.
#[must_use]
pub fn kinds(open: &BTreeMap<String, AuditOpened>) -> BTreeMap<&str, Vec<&str>> {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, opened) in open {
        kinds.entry(&opened.kind).or_default().push(name.get(..KIND_DIGITS).unwrap_or(name));
    }
    kinds
}

/// The commitments in a text: whole strings of it, `#` and 64 digits.
fn commitments(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("\"#").filter_map(|(at, _)| {
        let name = text.get(at.checked_add(2)?..)?.get(..=NOTHING.len())?.strip_suffix('"')?;
        is_commitment(name).then_some(name)
    })
}

fn is_commitment(name: &str) -> bool {
    name.len() == NOTHING.len() && name.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Whether an entry says that something was taken away.
#[must_use]
pub fn is_removal(said: &Value) -> bool {
    said.get("kind").and_then(Value::as_str) == Some("removed")
}

/// Whether a salt is one that the daemon makes. With salts of any length, the first lines of a value could be moved into its
/// salt, and the commitment would be the same.
fn is_salt(salt: &str) -> bool {
    salt.len() == SALT_DIGITS && salt.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// What an entry says, with what stands for commitments in its place; none where the text is gone.
#[must_use]
pub fn opened(entry: &AuditEntry) -> Option<Value> {
    let mut said: Value = serde_json::from_str(entry.text.as_deref()?).ok()?;
    put_back(&mut said, &entry.open);
    Some(said)
}

fn put_back(value: &mut Value, open: &BTreeMap<String, AuditOpened>) {
    match value {
        Value::String(text) => {
            if let Some(said) = meant(text, open) {
                *text = said;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| put_back(item, open)),
        Value::Object(fields) => {
            let names: Vec<String> = fields.keys().filter(|name| name.starts_with('#')).cloned().collect();
            for name in names {
                if let (Some(said), Some(field)) = (meant(&name, open), fields.remove(&name)) {
                    fields.insert(apart(said, fields), field);
                }
            }
            fields.values_mut().for_each(|field| put_back(field, open));
        }
        _ => {}
    }
}

/// A name that no other field has: of two people who were taken away, neither hides the other.
fn apart(name: String, fields: &Map<String, Value>) -> String {
    let numbered = (2_u64..).map(|number| format!("{name} {number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    names.find(|name| !fields.contains_key(name)).unwrap_or(name)
}

/// What a commitment stands for; none where the text is no commitment.
fn meant(text: &str, open: &BTreeMap<String, AuditOpened>) -> Option<String> {
    let name = text.strip_prefix('#').filter(|name| is_commitment(name))?;
    match open.get(name) {
        Some(AuditOpened { value: Some(value), .. }) => Some(value.clone()),
        Some(AuditOpened { value: None, .. }) => Some(text.to_owned()),
        None => Some(REMOVED.to_owned()),
    }
}

#[cfg(test)]
mod tests;
