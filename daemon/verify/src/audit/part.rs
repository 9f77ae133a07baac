//! The last line of an export that is not of the whole log: where it begins and ends, and how long the log was. What is cut off
//! from the file later is so found out, and nobody takes it for all there is.

use serde::{Deserialize, Serialize};
use treasury_api::types::{AuditChain, AuditEntry};

use super::{AuditFault, Checker};

/// What an export that is a part says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The number of its first entry.
    pub first: u64,
    /// The hash of the entry before that.
    pub before: String,
    /// The number of its last entry.
    pub last: u64,
    /// The hash of that.
    pub hash: String,
    /// How many entries it has.
    pub entries: u64,
    /// How many the log had when it was made.
    pub of: u64,
    /// The hash of the last of those.
    pub head: String,
}

/// As it stands on a line.
#[derive(Serialize, Deserialize)]
struct Line {
    part: Part,
}

/// What an export has so far.
#[derive(Clone, Debug, Default)]
pub struct Exported(Option<Part>);

impl Exported {
    /// One entry more, in the order of the log.
    pub fn take(&mut self, entry: &AuditEntry) {
        let part = self.0.get_or_insert_with(|| Part {
            first: entry.number,
            before: entry.before.clone(),
            last: 0,
            hash: String::new(),
            entries: 0,
            of: 0,
            head: String::new(),
        });
        part.last = entry.number;
        part.hash.clone_from(&entry.hash);
        part.entries = part.entries.saturating_add(1);
    }

    /// How many entries there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, |part| part.entries)
    }

    /// The line that ends an export from a log of this length; none where it is of all of it, or of nothing.
    #[must_use]
    pub fn end(self, of: u64, head: &str) -> Option<String> {
        let part = self.0?;
        // The log may have become longer since.
        let (of, head) = if part.last > of { (part.last, part.hash.clone()) } else { (of, head.to_owned()) };
        let part = Part { of, head, ..part };
        let line = (!part.is_all()).then_some(Line { part })?;
        // Numbers and texts: it cannot fail.
        Some(format!("{}\n", serde_json::to_string(&line).unwrap_or_default()))
    }

    /// The same where the chain is known.
    #[must_use]
    pub fn end_of(self, chain: &AuditChain) -> Option<String> {
        self.end(chain.count, &chain.head)
    }
}

impl Part {
    /// What a line says, if it is one of a part.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok().map(|Line { part }| part)
    }

    /// Whether it is no part.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.first == 1 && self.last >= self.of && self.entries == self.last
    }

    /// Whether entries between its first and its last were left out.
    #[must_use]
    pub fn is_selection(&self) -> bool {
        self.entries != self.last.saturating_sub(self.first).saturating_add(1)
    }

    /// Whether these are the entries that it is of.
    ///
    /// # Errors
    /// Where others are there, or fewer.
    pub fn check(&self, checker: &Checker) -> Result<(), AuditFault> {
        let found = (checker.first(), checker.head(), checker.count);
        if found == (Some((self.first, &self.before)), Some((self.last, &self.hash)), self.entries) {
            return Ok(());
        }
        let first = checker.first().map_or(0, |(number, _)| number);
        let last = checker.head().map_or(0, |(number, _)| number);
        Err(AuditFault::Part { first, last, said_first: self.first, said_last: self.last })
    }
}
