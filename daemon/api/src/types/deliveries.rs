//! What people and programs are told, and how far that has come.

use serde::{Deserialize, Serialize};

use super::{AcknowledgedView, AmountView, PartyView};
use crate::notice::{Kind, Severity};

/// A place in the chain of validated ledgers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LedgerTime {
    /// Index of the validated ledger.
    pub index: u32,
    /// When it closed, ISO 8601 in UTC.
    pub close_time: String,
}

/// What is told: the one document of every channel. No token, seed, fulfillment, signature or signed transaction is in
/// one. A webhook's body is this, and so is what an event of the stream holds, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Notice {
    /// The same however often it is sent, and no other notice's: what a receiver has seen it can leave out.
    pub id: String,
    /// Version of this document.
    #[cfg_attr(feature = "schema", schemars(extend("const" = crate::notice::NOTICE_VERSION)))]
    pub version: u32,
    /// What it is about.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub kind: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// When it was told, ISO 8601 in UTC by the daemon's clock.
    pub timestamp: String,
    /// The validated ledger as of which it happened; none before the first was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerTime>,
    /// The person who caused it, by name; none where the daemon did, or what it found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The treasury's account that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<PartyView>,
    /// Who would receive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<PartyView>,
    /// How much is at stake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<AmountView>,
    /// The proposal, such as `P3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// The escrow, as `owner:sequence`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escrow: Option<String>,
    /// The finding, such as `F3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// The stop, such as `S3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
    /// The channel of people that it is about, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Until when people can sign, ISO 8601 in UTC by the ledger's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// The people who can still sign, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<String>,
    /// The people whom it is for, by name: those whom rules of the policy name to be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// A sentence for people.
    pub says: String,
    /// What can still be done about it, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub can_do: Vec<String>,
    /// The console's page of it, where the configuration says what people type into their browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// `GET /v1/deliveries`: which are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveriesQuery {
    /// Only those through this channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Only those that are `waiting`, `delivered` or `dead`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Only those of notices with a lower number: the lowest of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// At most about so many, up to 500: all of a notice come together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// A notice on its way through a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryView {
    /// The notice's number, in the order in which notices were told.
    pub number: u64,
    /// The channel.
    pub channel: String,
    /// `waiting`, `delivered`, or `dead`: given up.
    pub stage: String,
    /// How often it was tried since it was told or asked for again.
    pub attempts: u32,
    /// When it is tried next, or when it came to its end, ISO 8601 in UTC.
    pub at: String,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The notice.
    pub notice: Notice,
}

/// An alert that somebody has to answer: what goes on to the next where nobody does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertView {
    /// As it was told first.
    pub notice: Notice,
    /// Through which channels it went on already, in their order.
    pub went_to: Vec<String>,
    /// Through which it goes on, in their order.
    pub goes_to: Vec<String>,
    /// When it goes on next, ISO 8601 in UTC; none where it goes on to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Who looks after it; none where nobody does yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<AcknowledgedView>,
}

/// `POST /v1/notices/acknowledge`: say that you look after what was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeNoticesRequest {
    /// The ids of notices, of whichever of those that were told of the same matter.
    pub notices: Vec<String>,
    /// What is done about it.
    pub reason: String,
}

/// `POST /v1/deliveries/redeliver`: send again what was delivered or given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedeliverRequest {
    /// This notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Or those from this number on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// And up to this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// Only through this channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Only those that are `delivered` or `dead`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
}

/// What is sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedeliveredView {
    /// How many deliveries.
    pub deliveries: usize,
}

/// A channel that notices go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelView {
    /// Its name.
    pub name: String,
    /// `webhook`, `slack`, `teams` or `matrix`.
    pub form: String,
    /// Scheme, host and port of its receiver.
    pub receiver: String,
    /// How many notices wait.
    pub waiting: usize,
    /// How many were given up and not sent again.
    pub dead: usize,
}

/// `POST /v1/channels/test`: put a test message into a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestChannelRequest {
    /// Its name.
    pub channel: String,
}

/// A test message on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestedView {
    /// The notice's id; `GET /v1/deliveries` says what became of it.
    pub id: String,
}
