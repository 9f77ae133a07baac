//! What is signed with, and what signers are asked for.

use std::fmt;

use serde::{Deserialize, Serialize};
use xrpl_wire::PublicKey;

use crate::model::units::{AccountId, Amount, EscrowKey, HexBytes, RippleTime, SeqProxy};

/// One signer's signatures over every rung of a proposal, in the rungs' order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungSignatures {
    /// The account in the SignerList.
    pub signer: AccountId,
    /// The key that signed.
    pub signing_pub_key: PublicKey,
    /// One `TxnSignature` per rung.
    pub signatures: Vec<HexBytes>,
    /// And one per rung of the void, where there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub void_signatures: Vec<HexBytes>,
}

/// What a ladder is for. A proposal has one of each at most; they share its slot, so that at most one rung of all of them can
/// ever be applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To do what is asked for.
    #[default]
    Pay,
    /// To do nothing but use up the slot, so that nothing else signed over it can be applied.
    Void,
}

impl Purpose {
    pub(crate) fn is_pay(&self) -> bool {
        *self == Self::Pay
    }
}

/// What an escrow's preimage is derived from: HMAC-SHA256 with the release key over all of it. Each is
/// frozen before the first signature, so the same preimage can be derived again from the ledger alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseInputs {
    /// Owner and Ticket: no two escrows share them.
    pub escrow: EscrowKey,
    /// Who receives.
    pub destination: AccountId,
    /// `DestinationTag`.
    pub destination_tag: Option<u32>,
    /// How much.
    pub amount: Amount,
    /// Not before.
    pub finish_after: RippleTime,
    /// Not after.
    pub cancel_after: RippleTime,
    /// Which release key it is derived with; the first one where nothing is said. Whoever holds the keys says which when the
    /// condition is derived.
    #[serde(default = "first_key", skip_serializing_if = "is_first_key")]
    pub key_version: u32,
    /// Who holds that key, and is asked for condition and fulfillment.
    #[serde(default, skip_serializing_if = "Party::is_own")]
    pub party: Party,
}

/// Who can derive an escrow's preimage. Each answers for itself: what one says is taken for what another was asked by
/// nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The daemon's own signer.
    #[default]
    Own,
    /// The daemon's own signer and the guard together: each holds a part of the preimage, and neither has seen the other's
    /// before the guard gives its own for the release.
    Guarded,
}

impl Party {
    fn is_own(&self) -> bool {
        *self == Self::Own
    }
}

/// Why the guard gave no condition, or no share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardRefusal {
    /// A code that stays the same in every release.
    pub code: String,
    /// Why, for people; holds no secret.
    pub reason: String,
    /// Whether it was the guard that said so. Else nothing came of it that could be read.
    pub answered: bool,
}

/// What opens an escrow: a secret until it is sent, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    /// Which escrow.
    pub escrow: EscrowKey,
    /// Its condition.
    pub condition: HexBytes,
    /// The fulfillment of that condition.
    pub fulfillment: HexBytes,
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { escrow, condition, fulfillment: _ } = self;
        f.debug_struct("Opening")
            .field("escrow", escrow)
            .field("condition", condition)
            .finish_non_exhaustive()
    }
}

/// Signed transactions that were not sent yet. One of them may reveal a fulfillment, so `Debug` says how many there are.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsent(pub Vec<HexBytes>);

impl fmt::Debug for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} signed", self.0.len())
    }
}

impl Party {
    /// How long the fulfillment is that is made in this way, serialized: its fee is counted from that.
    #[must_use]
    pub fn fulfillment_bytes(self) -> usize {
        match self {
            Self::Own => OWN_FULFILLMENT_BYTES,
            Self::Guarded => xrpl_wire::split::FULFILLMENT_BYTES,
        }
    }
}

/// That of a 32-byte preimage.
const OWN_FULFILLMENT_BYTES: usize = 36;

/// The version of the first release key.
pub const FIRST_KEY: u32 = 1;

pub(crate) fn first_key() -> u32 {
    FIRST_KEY
}

pub(crate) fn is_first_key(version: &u32) -> bool {
    *version == FIRST_KEY
}

/// A condition, and the release key that its preimage was derived with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// PREIMAGE-SHA-256 condition.
    pub condition: HexBytes,
    /// Version of the release key.
    pub key_version: u32,
    /// Who can derive the preimage.
    pub party: Party,
}

/// What a proposal takes up on the account: a Ticket, or the account's next Sequence.
pub type Slot = SeqProxy;
