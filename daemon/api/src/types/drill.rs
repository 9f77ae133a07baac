//! Whether people still have their keys.

use serde::{Deserialize, Serialize};

use super::PartyView;

/// When a key was last seen to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofView {
    /// When, by the ledger.
    pub at: String,
    /// The proposal that was approved with it, such as `P7`, or `drill`.
    pub by: String,
}

/// A person whose key an account needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignerProofView {
    /// Their signer account.
    pub signer: PartyView,
    /// Its weight in the SignerList.
    pub weight: u32,
    /// When their key signed last, by a key that may still sign; absent: nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<ProofView>,
    /// Since when they have been asked to show that they have it; absent: they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
}

/// Whether you are asked to show that you have your key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillView {
    /// Your signer account, if you have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<PartyView>,
    /// What makes this drill another one than the last, 64 hex digits; absent: you are not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// The text to sign, which is made of signer and challenge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When you were asked, by the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// When it is found that you have not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// When your key signed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<ProofView>,
}

/// `POST /v1/drill`: show that you have your key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillRequest {
    /// The key that signed, 33 bytes in hex.
    pub signing_pub_key: String,
    /// Its signature over the text, in hex.
    pub signature: String,
}
