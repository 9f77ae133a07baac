//! The daemon at a glance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LedgerView, PartyView, StopView};

/// The whole at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// Version of the daemon.
    pub version: String,
    /// Which hosts have opened the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreView>,
    /// Whether the validated ledger can be seen.
    pub sight: ReadyView,
    /// The last validated ledger taken in.
    pub ledger: Option<LedgerView>,
    /// Seconds since it was taken in.
    pub ledger_age_seconds: u64,
    /// Fees and reserves as of that ledger, in drops.
    pub fees: Option<FeesView>,
    /// The policy that decides now.
    pub policy_hash: String,
    /// Open proposals by status.
    pub open_proposals: BTreeMap<String, usize>,
    /// Escrows that stand on the ledger, by guard.
    pub standing_escrows: BTreeMap<String, usize>,
    /// Findings that nobody has acknowledged, by severity.
    #[serde(default)]
    pub open_findings: BTreeMap<String, usize>,
    /// Stops that stand.
    pub stops: Vec<StopView>,
    /// Circuit breakers that count failures or are open.
    pub breakers: Vec<BreakerView>,
    /// The ledger servers.
    #[serde(default)]
    pub servers: Vec<ServerView>,
}

/// A ledger server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerView {
    /// Scheme, host and port.
    pub server: String,
    /// Why it is not believed: it said what others contradict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// Which hosts have opened the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreView {
    /// How often a daemon has opened it.
    pub generation: u64,
    /// The name of this host.
    pub host: String,
    /// A digest of its machine id, where it has one.
    pub machine: Option<String>,
    /// The first of the openings by this host without another's in between.
    pub since_generation: u64,
    /// The host that opened it before that: a backup was restored, or a disk copied. Two daemons with one keystore act for
    /// one treasury without knowing of each other.
    pub before: Option<OtherHostView>,
}

/// A host that opened the store before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherHostView {
    /// Its name.
    pub host: String,
    /// A digest of its machine id, where it has one.
    pub machine: Option<String>,
    /// How often the store had been opened when it did so last.
    pub generation: u64,
}

/// Fees and reserves, in drops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeesView {
    /// Cost of a reference transaction.
    pub base_fee_drops: String,
    /// What every account must keep.
    pub reserve_base_drops: String,
    /// What it must keep for each object it owns.
    pub reserve_inc_drops: String,
}

/// A circuit breaker: one for each account and cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerView {
    /// Whose automated submissions it stops; `null`: everybody's, from a record of an earlier version.
    pub account: Option<PartyView>,
    /// What they fail for: `keys`, `funds`, `network` or `errand`.
    pub cause: String,
    /// Whether automated submissions are stopped.
    pub open: bool,
    /// Why.
    pub reason: Option<String>,
    /// Since when, by the ledger.
    pub since: Option<String>,
    /// Failures in a row.
    pub failures: u32,
}

/// Whether the daemon is ready to act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyView {
    /// Whether the validated ledger can be seen.
    pub ready: bool,
    /// Why not.
    pub reason: Option<String>,
}
