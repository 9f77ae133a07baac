//! What programs are told while they listen.

use serde::{Deserialize, Serialize};

/// `GET /v1/notices/stream`: from where on. The header `Last-Event-ID` says the same and goes before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamQuery {
    /// The id of the last notice that you have, or `start` for all that are kept. Without it: those that are told from now
    /// on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// An event of the stream that is no notice, and has no id: some that were told after the last one that you have are kept no
/// more, and what comes next are those that are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trimmed {
    /// Version of this document.
    #[cfg_attr(feature = "schema", schemars(extend("const" = crate::notice::TRIMMED_VERSION)))]
    pub version: u32,
    /// `trimmed`.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "schema", schemars(extend("const" = crate::notice::TRIMMED)))]
    pub kind: String,
    /// The id that you named, or that came last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many are kept no more; left out where nobody knows, because the id is none that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<u64>,
    /// A sentence for people.
    pub says: String,
}
