//! Ledger headers.

use serde::{Deserialize, Serialize};

use crate::decode::Reader;
use crate::{CodecError, Hash256, RippleTime, prefix, sha512_half};

/// What a ledger's hash is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerHeader {
    /// The ledger's number.
    pub index: u32,
    /// All XRP there is, in drops.
    pub total_drops: u64,
    /// The hash of the ledger before.
    pub parent_hash: Hash256,
    /// The root of the tree of transactions.
    pub transaction_hash: Hash256,
    /// The root of the tree of ledger entries.
    pub account_hash: Hash256,
    /// When the ledger before closed.
    pub parent_close_time: RippleTime,
    /// When this ledger closed.
    pub close_time: RippleTime,
    /// To how many seconds close times are rounded.
    pub close_time_resolution: u8,
    /// 1 if there was no agreement on the close time, else 0.
    pub close_flags: u8,
}

impl LedgerHeader {
    /// How many bytes a header has.
    pub const BYTES: usize = 118;

    /// The header's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LedgerHeader::BYTES);
        out.extend(self.index.to_be_bytes());
        out.extend(self.total_drops.to_be_bytes());
        out.extend(self.parent_hash.0);
        out.extend(self.transaction_hash.0);
        out.extend(self.account_hash.0);
        out.extend(self.parent_close_time.0.to_be_bytes());
        out.extend(self.close_time.0.to_be_bytes());
        out.extend([self.close_time_resolution, self.close_flags]);
        out
    }

    /// Reads exactly one header.
    ///
    /// # Errors
    /// [`CodecError::Truncated`] and [`CodecError::Trailing`] for any other length.
    pub fn decode(bytes: &[u8]) -> Result<LedgerHeader, CodecError> {
        let mut reader = Reader::new(bytes);
        let header = LedgerHeader {
            index: reader.u32()?,
            total_drops: reader.u64()?,
            parent_hash: Hash256(reader.array()?),
            transaction_hash: Hash256(reader.array()?),
            account_hash: Hash256(reader.array()?),
            parent_close_time: RippleTime(reader.u32()?),
            close_time: RippleTime(reader.u32()?),
            close_time_resolution: reader.u8()?,
            close_flags: reader.u8()?,
        };
        reader.finish()?;
        Ok(header)
    }

    /// The ledger's hash.
    pub fn hash(&self) -> Hash256 {
        hash_of(&self.encode())
    }
}

/// The hash of a ledger by the bytes of its header, whether or not this program can read them.
pub fn hash_of(header: &[u8]) -> Hash256 {
    sha512_half(&[&prefix::LEDGER, header])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_from_exactly_its_bytes() {
        let header = LedgerHeader {
            index: 7,
            total_drops: 99_999_999_999_999_980,
            parent_hash: Hash256([1; 32]),
            transaction_hash: Hash256([2; 32]),
            account_hash: Hash256([3; 32]),
            parent_close_time: RippleTime(10),
            close_time: RippleTime(20),
            close_time_resolution: 10,
            close_flags: 1,
        };
        let bytes = header.encode();
        assert_eq!(bytes.len(), LedgerHeader::BYTES);
        assert_eq!(LedgerHeader::decode(&bytes), Ok(header));
        for length in 0..bytes.len() {
            assert_eq!(LedgerHeader::decode(&bytes[..length]).unwrap_err().code(), "codec_truncated");
        }
        let longer = [bytes, vec![0]].concat();
        assert_eq!(LedgerHeader::decode(&longer), Err(CodecError::Trailing { offset: 118 }));
    }
}
