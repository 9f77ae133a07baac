//! Whose loss locks an account, and whose collusion spends it.

use serde::{Deserialize, Serialize};

use super::{PartyView, SignerProofView};

/// What it takes to lock an account, and to spend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockoutView {
    /// The account.
    pub account: PartyView,
    /// Its tier.
    pub tier: String,
    /// SignerQuorum; `null` where no SignerList is known.
    pub quorum: Option<u32>,
    /// Weight of those who can sign.
    pub weight: u32,
    /// By what it can be spent without its SignerList, in words: then the sets below are not all that there is.
    pub beside_list: Option<String>,
    /// By keys, people, vendors and places; empty where no SignerList is known.
    pub by: Vec<NeedsView>,
    /// The people who sign for it, and when the key of each was seen last.
    #[serde(default)]
    pub signers: Vec<SignerProofView>,
}

/// The same by one kind of thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedsView {
    /// `keys`, `people`, `vendors` or `places`.
    pub of: String,
    /// The smallest sets whose loss leaves the SignerQuorum out of reach.
    pub locks: SetsView,
    /// The smallest sets that reach it by themselves; `null`: not even all together do.
    pub spends: Option<SetsView>,
}

/// The smallest sets that suffice for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetsView {
    /// How many are in each; 0: none is needed.
    pub size: usize,
    /// The sets; at most 50.
    pub sets: Vec<Vec<String>>,
    /// Whether there are more of that size than are listed.
    pub cut: bool,
}
