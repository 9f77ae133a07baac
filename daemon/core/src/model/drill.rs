//! When a signer last showed that they have their key, and drills, which ask for it.

use serde::{Deserialize, Serialize};

use crate::model::observe::LedgerPoint;
use crate::model::units::{AccountId, Hash256, ProposalId};

/// How often a person who signs has to show that they have their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drills {
    /// Who has shown nothing for so many seconds is asked to; `None`: nobody is.
    pub every_seconds: Option<u32>,
    /// So many seconds after they were asked it is found that they have not.
    pub answer_seconds: u32,
}

impl Default for Drills {
    fn default() -> Self {
        Self { every_seconds: None, answer_seconds: 7 * 86_400 }
    }
}

/// Something that was signed with a signer's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The account that the key is the master key of.
    pub key: AccountId,
    /// When.
    pub at: LedgerPoint,
    /// The proposal that was approved; `None`: it was for a drill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<ProposalId>,
}

/// A signer is asked to sign something that is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// What makes it another one than the last.
    pub challenge: Hash256,
    /// When it was asked for.
    pub at: LedgerPoint,
}
