//! The terms of a guarded escrow, as the daemon and the guard speak of it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use treasury_core::effect::ReleaseInputs;
use treasury_core::observe::EscrowView;
use treasury_core::units::{AccountId, Amount, EscrowKey, Hash256, HexBytes, RippleTime};

/// Keeps what is made of terms apart from anything else that is hashed.
const DOMAIN: &[u8] = b"treasuryd guarded terms 1\0";

/// What an escrow will be. All of it is bound to the condition: other terms are another escrow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The network's id, where the daemon is told which it is on.
    pub network_id: Option<u32>,
    /// Who pays.
    pub owner: AccountId,
    /// Sequence or Ticket of its EscrowCreate.
    pub sequence: u32,
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
    /// What SHA-256 carries on after the daemon's part of the preimage: says nothing of the part itself.
    pub first_digest: Hash256,
}

impl Terms {
    /// Who gets it, in words: behind many addresses the tag is who it is.
    #[must_use]
    pub fn recipient(&self) -> String {
        match self.destination_tag {
            Some(tag) => format!("{} tag {tag}", self.destination),
            None => self.destination.to_string(),
        }
    }

    /// Those of an escrow that the daemon plans or has made.
    #[must_use]
    pub fn of(inputs: &ReleaseInputs, first_digest: [u8; 32], network_id: Option<u32>) -> Self {
        Self {
            network_id,
            owner: inputs.escrow.owner,
            sequence: inputs.escrow.sequence,
            destination: inputs.destination,
            destination_tag: inputs.destination_tag,
            amount: inputs.amount,
            finish_after: inputs.finish_after,
            cancel_after: inputs.cancel_after,
            first_digest: Hash256(first_digest),
        }
    }

    /// What names the escrow.
    #[must_use]
    pub fn key(&self) -> EscrowKey {
        EscrowKey { owner: self.owner, sequence: self.sequence }
    }

    /// Every term, so that no two different escrows are the same bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = DOMAIN.to_vec();
        let optional = |bytes: &mut Vec<u8>, value: Option<u32>| {
            bytes.push(u8::from(value.is_some()));
            bytes.extend(value.unwrap_or_default().to_be_bytes());
        };
        optional(&mut bytes, self.network_id);
        bytes.extend(self.owner.as_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.destination.as_bytes());
        optional(&mut bytes, self.destination_tag);
        bytes.extend(self.finish_after.0.to_be_bytes());
        bytes.extend(self.cancel_after.0.to_be_bytes());
        bytes.extend(self.first_digest.0);
        // The only one without a width of its own comes last.
        bytes.extend(self.amount.words().as_bytes());
        bytes
    }

    /// What they are called in the store.
    #[must_use]
    pub fn id(&self) -> Hash256 {
        Hash256(Sha256::digest(self.bytes()).into())
    }

    /// What of an escrow on the ledger is another than agreed, in words; `None` where nothing is.
    #[must_use]
    pub fn differs(&self, escrow: &EscrowView, condition: &HexBytes) -> Option<String> {
        let mut words = String::new();
        for (name, is_same) in [
            ("Owner or Sequence", escrow.key == self.key()),
            ("Destination", escrow.destination == self.destination),
            ("DestinationTag", escrow.destination_tag == self.destination_tag),
            ("Amount", escrow.amount == Some(self.amount)),
            ("FinishAfter", escrow.finish_after == Some(self.finish_after)),
            ("CancelAfter", escrow.cancel_after == Some(self.cancel_after)),
            ("Condition", escrow.condition.as_ref() == Some(condition)),
        ] {
            if !is_same {
                let comma = if words.is_empty() { "" } else { ", " };
                // Writing to a String cannot fail.
                let _ = write!(words, "{comma}{name}");
            }
        }
        (!words.is_empty()).then_some(words)
    }
}
