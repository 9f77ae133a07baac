//! What is asked: bodies and queries.

use serde::{Deserialize, Serialize};

use super::AmountView;

/// `POST /v1/proposals`: ask for a payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposeRequest {
    /// The treasury account that pays: name or address.
    pub account: String,
    /// Who is paid: address, or a name from the configuration.
    pub destination: String,
    /// `DestinationTag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_tag: Option<u32>,
    /// How much: of XRP, or of an issued currency.
    pub amount: AmountView,
    /// What for, at most 500 bytes; stays off the ledger.
    #[serde(default)]
    pub note: String,
    /// Seconds of ledger time that people have to approve; as configured where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<u32>,
    /// The same key from the same person with the same content is the same proposal, so a request whose
    /// answer was lost can be sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// `POST /v1/proposals/{id}/approvals`: bring signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveRequest {
    /// Your signer account: name or address.
    pub signer: String,
    /// The key that signed, 33 bytes in hex.
    pub signing_pub_key: String,
    /// One `TxnSignature` per rung, in the rungs' order, in hex.
    pub signatures: Vec<String>,
    /// And one per rung of the void, where there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub void_signatures: Vec<String>,
}

/// `POST /v1/destinations/flag`: hold back whatever pays an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagDestinationRequest {
    /// Which: address, or a name from the configuration.
    pub destination: String,
    /// Why, for people; of more than 500 bytes the first are kept, what is no letter is a space, and where it is left out it is
    /// nothing: a stop is not refused for its words.
    #[serde(default, deserialize_with = "crate::text::or_nothing")]
    pub reason: String,
}

/// `POST /v1/proposals/{id}/reject`, `…/flag` and `…/void`, and `POST /v1/panic`: say why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonRequest {
    /// Why, for people; of more than 500 bytes the first are kept, what is no letter is a space, and where it is left out it is
    /// nothing: a stop is not refused for its words.
    #[serde(default, deserialize_with = "crate::text::or_nothing")]
    pub reason: String,
}

/// `POST /v1/proposals/{id}/clear`: lift the hold on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearRequest {
    /// Why, for people; at most 500 bytes.
    pub reason: String,
}

/// `POST /v1/stops/lift`: lift stops by their ids, all of them or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiftRequest {
    /// Which, such as `S3`.
    pub stops: Vec<String>,
    /// Why, for people; at most 500 bytes.
    pub reason: String,
}

/// `POST /v1/findings/acknowledge`: say that findings were looked at, all of them or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeRequest {
    /// Which, such as `F3`.
    pub findings: Vec<String>,
    /// What came of it, for people; at most 500 bytes, and not nothing.
    pub reason: String,
}

/// `POST /v1/breaker/close`: let automated submissions go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseBreakerRequest {
    /// Of this treasury account (name or address); of every one where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// `POST /v1/freeze`: turn the kill switch on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreezeRequest {
    /// On this treasury account (name or address); on everything where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Why, for people; of more than 500 bytes the first are kept, what is no letter is a space, and where it is left out it is
    /// nothing: a stop is not refused for its words.
    #[serde(default, deserialize_with = "crate::text::or_nothing")]
    pub reason: String,
}

/// `POST /v1/unfreeze`: turn the kill switch off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnfreezeRequest {
    /// On this treasury account (name or address); the one on everything where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Why, for people; at most 500 bytes.
    pub reason: String,
}

/// The body of requests that say nothing: nothing at all, or `{}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmptyRequest {}

/// Query of `GET /v1/proposals`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposalsQuery {
    /// Only those that have not ended.
    #[serde(default)]
    pub open: bool,
    /// Only those of this account: name or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Only those that this person, or `treasuryd`, asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker: Option<String>,
    /// Only those that this person can still sign: by deadline, the first to come first, and not with `before`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// Only those before this one (`P12`): for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// At most so many, newest first: 1 to 500; 100 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Query of `GET /v1/escrows`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscrowsQuery {
    /// Only those that stand on the ledger.
    #[serde(default)]
    pub standing: bool,
    /// At most so many, newest first: 1 to 500; 100 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Query of `GET /v1/events`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// Only records with numbers above this one.
    #[serde(default)]
    pub after: u64,
    /// At most so many records: 1 to 500; 100 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}
