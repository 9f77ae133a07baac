//! What each single captured thing can take at most, in what time, and until whose stop.

use serde::{Deserialize, Serialize};

use super::{AmountView, PartyView};

/// What somebody can do who has captured one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposureView {
    /// `agent_key`, `agent_keys`, `runner`, `daemon`, `person`, `server` or `guard`.
    pub captured: String,
    /// Which of them: the agent, the person, the server; `null` where there is only one.
    pub which: Option<String>,
    /// What it can take, by account; empty: nothing.
    pub takes: Vec<TakeView>,
    /// What else it can do, in words.
    pub powers: Vec<String>,
}

/// What can be taken from an account, in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeView {
    /// Whose money.
    pub account: PartyView,
    /// `quorum`: by keys that reach the SignerQuorum. `alone`: by a key that needs no other. `policy`: by asking for what policy
    /// lets through. `escrows`: by releasing what waits, to those whom it was made for.
    pub way: String,
    /// Of what asset `to_new` and `to_anybody` are: `policy` is told for XRP and for whatever else the account can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// Whether nothing bounds it but what the account has.
    pub unbounded: bool,
    /// What the account has, or what waits; empty where it is not known.
    pub has: Vec<AmountView>,
    /// What links may bring into the account in the meantime.
    pub comes: Vec<ComesView>,
    /// How far policy lets it go to a destination of which nobody has heard; `null`: nowhere, or policy does not bind it.
    pub to_new: Option<ReachView>,
    /// How far to any; `null`: policy does not bind it.
    pub to_anybody: Option<ReachView>,
    /// `stop`: a stop of one of `stoppers` ends it. `other_signers`: the signers who are left, by another SignerList. `nobody`.
    pub until: String,
    /// Who can stop it.
    pub stoppers: Vec<String>,
    /// All of it in words.
    pub says: String,
}

/// What a link may bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComesView {
    /// The link.
    pub link: String,
    /// How much.
    pub most: AmountView,
    /// Within so many seconds.
    pub period_seconds: u32,
}

/// How far policy lets somebody go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachView {
    /// The largest payment; `null`: whatever the account has.
    pub one: Option<AmountView>,
    /// What leaves within rolling periods, others' payments counted; empty: payment after payment, as much as there is.
    pub periods: Vec<WithinView>,
}

/// What leaves within a rolling period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithinView {
    /// Its seconds.
    pub period_seconds: u32,
    /// How much at most.
    pub most: AmountView,
}
