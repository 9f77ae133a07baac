//! What an account's owner has set of it on the ledger beside who signs, and what is declared of that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xrpl_wire::{IouValue, flags};

use crate::model::units::{Asset, HexBytes};

/// What rules need of an AccountRoot beside its `RootView`: of the treasury's accounts, whose owner is to notice when it is
/// another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsView {
    /// `Domain`, as the bytes that the ledger has; empty where it has none.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub domain: HexBytes,
    /// `TransferRate`: what somebody has to send, in billionths of what arrives; 0: as much.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub transfer_rate: u32,
}

fn is_empty(bytes: &HexBytes) -> bool {
    bytes.0.is_empty()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_nothing(rate: &u32) -> bool {
    *rate == 0
}

/// The settings that an account should have. What is `None` is not declared, and not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredSettings {
    /// `Domain`; empty: it should have none.
    pub domain: Option<String>,
    /// `TransferRate` as the ledger has it; 0: it should have none.
    pub transfer_rate: Option<u32>,
    /// The flags of [`FLAGS`] that should stand, as their bits; the others of them should not.
    pub flags: Option<u32>,
    /// Its limits of trust by what is trusted; it should have no other that is above nothing.
    pub trust_lines: Option<BTreeMap<Asset, IouValue>>,
}

impl DeclaredSettings {
    /// Whether nothing is declared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The flags of an account that AccountSet sets and clears, by their names. Who may sign is not among them: the rules about keys
/// look at `lsfDisableMaster`, and `lsfPasswordSpent` is the ledger's own note that a free SetRegularKey was used.
pub const FLAGS: [(&str, u32); 13] = [
    ("RequireDestTag", flags::lsfRequireDestTag),
    ("RequireAuth", flags::lsfRequireAuth),
    ("DisallowXRP", flags::lsfDisallowXRP),
    ("NoFreeze", flags::lsfNoFreeze),
    ("GlobalFreeze", flags::lsfGlobalFreeze),
    ("DefaultRipple", flags::lsfDefaultRipple),
    ("DepositAuth", flags::lsfDepositAuth),
    ("DisallowIncomingNFTokenOffer", flags::lsfDisallowIncomingNFTokenOffer),
    ("DisallowIncomingCheck", flags::lsfDisallowIncomingCheck),
    ("DisallowIncomingPayChan", flags::lsfDisallowIncomingPayChan),
    ("DisallowIncomingTrustline", flags::lsfDisallowIncomingTrustline),
    ("AllowTrustLineLocking", flags::lsfAllowTrustLineLocking),
    ("AllowTrustLineClawback", flags::lsfAllowTrustLineClawback),
];
