//! Units and typed ids, so that a ledger index is never taken for a Sequence or a weight.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
pub use xrpl_wire::{AccountId, Amount, Drops, Hash256, Issue as Asset, RippleTime, SeqProxy};

/// The number of a ledger in the chain (`ledger_index`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LedgerIndex(pub u32);

impl LedgerIndex {
    /// The index `n` ledgers later; stays at the greatest index rather than wrap.
    #[must_use]
    pub fn plus(self, n: u32) -> Self {
        Self(self.0.saturating_add(n))
    }
}

impl fmt::Display for LedgerIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A sum of SignerWeights, or a SignerQuorum. One weight is a u16; 32 of them fit with room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weight(pub u32);

impl Weight {
    /// The sum of two weights; saturates, which can only make a quorum harder to doubt, never easier to
    /// reach: 32 weights of 65,535 are far below the limit.
    #[must_use]
    pub fn plus(self, other: u16) -> Self {
        Self(self.0.saturating_add(u32::from(other)))
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! numbered_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            /// Takes the number with or without its prefix letter.
            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix($prefix).unwrap_or(text).parse().map(Self).map_err(|_| BadId)
            }
        }
    };
}

numbered_id!(
    /// One proposal, numbered from 1 in the order they were drafted. Written `P12`.
    ProposalId,
    "P"
);
numbered_id!(
    /// One hold in records of earlier versions. Written `H3`.
    HoldId,
    "H"
);
numbered_id!(
    /// One stop: a reason why something must not leave. Written `S3`.
    StopId,
    "S"
);
numbered_id!(
    /// One finding of an anomaly rule. Written `F7`.
    FindingId,
    "F"
);
numbered_id!(
    /// Ties an answer to the request it belongs to. Lives as long as the request.
    RequestId,
    "R"
);

/// The text is not an id of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected a number, with or without its letter")]
pub struct BadId;

/// What names an escrow on the ledger: its owner and the Sequence or Ticket of the transaction that
/// created it (`Owner` and `OfferSequence` of EscrowFinish and EscrowCancel).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EscrowKey {
    /// The account whose money is in it.
    pub owner: AccountId,
    /// Sequence or Ticket number of its EscrowCreate.
    pub sequence: u32,
}

impl fmt::Display for EscrowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.owner, self.sequence)
    }
}

impl FromStr for EscrowKey {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let (owner, sequence) = text.split_once(':').ok_or(BadId)?;
        Ok(Self { owner: owner.parse().map_err(|_| BadId)?, sequence: sequence.parse().map_err(|_| BadId)? })
    }
}

impl Serialize for EscrowKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EscrowKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Bytes that are hexadecimal text in JSON.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HexBytes(pub Vec<u8>);

impl fmt::Debug for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&faster_hex::hex_string_upper(&self.0))
    }
}

impl FromStr for HexBytes {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let mut bytes = vec![0; text.len() / 2];
        faster_hex::hex_decode(text.as_bytes(), &mut bytes).map_err(|_| BadId)?;
        Ok(Self(bytes))
    }
}

impl Serialize for HexBytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HexVisitor)
    }
}

/// Reads the text where it stands: a ledger is hundreds of kilobytes of it.
struct HexVisitor;

impl serde::de::Visitor<'_> for HexVisitor {
    type Value = HexBytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hexadecimal text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HexBytes, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_bytes_read_either_case_and_write_upper() {
        let bytes: HexBytes = "00fF7a".parse().unwrap();
        assert_eq!(bytes, HexBytes(vec![0, 0xFF, 0x7A]));
        assert_eq!(bytes.to_string(), "00FF7A");
        assert_eq!(serde_json::to_string(&bytes).unwrap(), "\"00FF7A\"");
        let long = "0123456789ABCDEF".repeat(40);
        assert_eq!(long.parse::<HexBytes>().unwrap().to_string(), long);
        assert_eq!("".parse(), Ok(HexBytes::default()));
        for bad in ["0", "0g", "0x00", " 00", "00 ", "é", &format!("{long}0"), &format!("{long}0G")] {
            assert_eq!(bad.parse::<HexBytes>(), Err(BadId), "{bad}");
        }
        // Wherever the text stands: borrowed, with an escape in it, or owned.
        for json in ["\"0A0b\"", "\"\\u0030A0b\""] {
            assert_eq!(serde_json::from_str::<HexBytes>(json).unwrap(), HexBytes(vec![10, 11]));
        }
        assert_eq!(serde_json::from_value::<HexBytes>("0A0b".into()).unwrap(), HexBytes(vec![10, 11]));
        assert!(serde_json::from_str::<HexBytes>("7").is_err());
    }
}
