//! The audit log: who did what and when, chained so that nobody can change it afterwards unnoticed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `GET /v1/audit`: which entries are wanted. The newest come first, or with `after` the oldest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Only entries above this number, the oldest first: for whoever reads all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Only entries below this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Only those in which this person is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Only those about this proposal, stop or finding, such as `P3`, `S1` or `F2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Only those from this date (in UTC) or time on: `2026-11-01` or `2026-11-01T08:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only those up to this date (in UTC), the whole day, or this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// At most so many, up to 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Entries of the audit log, and the state of its chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// Where to go on, as `after` or `before`; null at the end.
    pub next: Option<u64>,
    /// The chain.
    pub chain: AuditChain,
}

/// How far the chain has come, and what its last proof came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditChain {
    /// How many entries there are.
    pub count: u64,
    /// The hash of the last one. Who has noted it down elsewhere can prove later that nothing before it was changed.
    pub head: String,
    /// When all of it was proven last, ISO 8601 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<String>,
    /// How many entries there were then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_count: Option<u64>,
    /// What is wrong with it, if anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// An entry of the audit log. `digest` is the SHA-256 of `text`, and `hash` that of three lines: `before`, `number` and
/// `digest`, each ended by a line feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// From 1, without gaps.
    pub number: u64,
    /// The hash of the entry before it; of the first, 64 zeros.
    pub before: String,
    /// The digest of its text, which stays when the text is removed.
    pub digest: String,
    /// Its hash.
    pub hash: String,
    /// What happened, as JSON. What is personal in it stands there as `#` and a commitment. Null where it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// By commitment, what it stands for. What was removed is not there any more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<String, AuditOpened>,
}

/// What a commitment stands for: it is the SHA-256 of `salt`, a line feed and `value`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditOpened {
    /// `person`, `text`, `address`, `token`, or `record`: a record of the store, which is not repeated here.
    pub kind: String,
    /// 128 random bits in hex, so that nobody finds the value by trying.
    pub salt: String,
    /// The value; null for a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}
