//! Crypto-conditions of type PREIMAGE-SHA-256, the only type the ledger accepts in an escrow.
//!
//! The parsers accept exactly what the ledger server accepts, which is DER with one freedom: a length may be
//! written in more bytes than it needs. A condition that this module reads is therefore not always one that it
//! would write, and matching compares what the two sides mean, as the server does.

use sha2::{Digest, Sha256};
use thiserror::Error;

/// The longest preimage, in bytes, that the ledger server takes. An escrow whose condition asks for more could
/// never be finished.
pub const PREIMAGE_MAX_BYTES: usize = 128;

/// The longest serialized condition, in bytes, that the ledger server reads.
pub const CONDITION_MAX_BYTES: usize = 128;

/// The longest serialized fulfillment, in bytes, that the ledger server reads.
pub const FULFILLMENT_MAX_BYTES: usize = 256;

const FINGERPRINT_BYTES: usize = 32;

const CONSTRUCTED_0: u8 = 0xA0;
const PRIMITIVE_0: u8 = 0x80;
const PRIMITIVE_1: u8 = 0x81;
const LONG_TAG: u8 = 0x1F;
const TAG_MASK: u8 = 0x1F;
const LONG_LENGTH: u8 = 0x80;

/// Why bytes are not a condition or a fulfillment, or do not belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ConditionError {
    /// More bytes than the ledger server reads.
    #[error("a condition or fulfillment of {length_bytes} bytes is too long")]
    TooLong {
        /// The length that was given, in bytes.
        length_bytes: usize,
    },
    /// The bytes are not the expected DER structure, end early, or go on after it.
    #[error("not a well-formed condition or fulfillment")]
    Malformed,
    /// Another type of crypto-condition than PREIMAGE-SHA-256.
    #[error("crypto-condition type {tag} is not supported, only PREIMAGE-SHA-256 (0)")]
    UnsupportedType {
        /// The type's tag number.
        tag: u8,
    },
    /// The preimage is longer than [`PREIMAGE_MAX_BYTES`], or the condition asks for such a one.
    #[error("the preimage is longer than {PREIMAGE_MAX_BYTES} bytes")]
    PreimageTooLong,
    /// Both parse, and the fulfillment is for another condition.
    #[error("the fulfillment does not match the condition")]
    Mismatch,
}

impl ConditionError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "condition_too_long",
            Self::Malformed => "condition_malformed",
            Self::UnsupportedType { .. } => "condition_unsupported_type",
            Self::PreimageTooLong => "condition_preimage_too_long",
            Self::Mismatch => "condition_mismatch",
        }
    }
}

/// A PREIMAGE-SHA-256 condition, parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Condition {
    /// SHA-256 of the preimage.
    pub fingerprint: [u8; FINGERPRINT_BYTES],
    /// The preimage's length in bytes, 0 to [`PREIMAGE_MAX_BYTES`].
    pub cost: u32,
}

/// The condition that `preimage` fulfills, serialized.
///
/// The ledger server refuses it if the preimage is longer than [`PREIMAGE_MAX_BYTES`].
#[must_use]
pub fn condition_for_preimage(preimage: &[u8]) -> Vec<u8> {
    condition_for_digest(&Sha256::digest(preimage).into(), preimage.len())
}

/// The condition of a preimage of that length and with that SHA-256, serialized.
pub(crate) fn condition_for_digest(fingerprint: &[u8; FINGERPRINT_BYTES], preimage_bytes: usize) -> Vec<u8> {
    let mut body = vec![PRIMITIVE_0];
    push_length(&mut body, FINGERPRINT_BYTES);
    body.extend_from_slice(fingerprint);
    let cost = unsigned_integer(preimage_bytes);
    body.push(PRIMITIVE_1);
    push_length(&mut body, cost.len());
    body.extend_from_slice(&cost);
    wrap(&body)
}

/// The fulfillment that carries `preimage`, serialized. It is as secret as the preimage.
///
/// The ledger server refuses it if the preimage is longer than [`PREIMAGE_MAX_BYTES`].
#[must_use]
pub fn fulfillment_for_preimage(preimage: &[u8]) -> Vec<u8> {
    // Room for both preambles, so that no half-filled copy of the preimage is left behind by growing.
    let mut body = Vec::with_capacity(preimage.len().saturating_add(16));
    body.push(PRIMITIVE_0);
    push_length(&mut body, preimage.len());
    body.extend_from_slice(preimage);
    let fulfillment = wrap(&body);
    zeroize::Zeroize::zeroize(&mut body);
    fulfillment
}

/// Reads a serialized condition as the ledger server does.
///
/// # Errors
/// Every [`ConditionError`] except `Mismatch`.
pub fn parse_condition(bytes: &[u8]) -> Result<Condition, ConditionError> {
    let body = outer(bytes, CONDITION_MAX_BYTES)?;
    let (tag, length, rest) = preamble(body)?;
    if tag != PRIMITIVE_0 || length != FINGERPRINT_BYTES {
        return Err(ConditionError::Malformed);
    }
    let (fingerprint, rest) =
        rest.split_first_chunk::<FINGERPRINT_BYTES>().ok_or(ConditionError::Malformed)?;
    let (tag, length, rest) = preamble(rest)?;
    // One zero byte in front is allowed, and needed where the number would otherwise look negative.
    if tag != PRIMITIVE_1 || length != rest.len() || !(1..=5).contains(&length) {
        return Err(ConditionError::Malformed);
    }
    let first = rest.first().copied().unwrap_or(0);
    if first & 0x80 != 0 || (length == 5 && first != 0) {
        return Err(ConditionError::Malformed);
    }
    let cost = rest.iter().fold(0_u32, |value, byte| (value << 8) | u32::from(*byte));
    if usize::try_from(cost).map_or(true, |cost| cost > PREIMAGE_MAX_BYTES) {
        return Err(ConditionError::PreimageTooLong);
    }
    Ok(Condition { fingerprint: *fingerprint, cost })
}

/// Reads a serialized fulfillment as the ledger server does, and returns the preimage in it.
///
/// # Errors
/// Every [`ConditionError`] except `Mismatch`.
pub fn parse_fulfillment(bytes: &[u8]) -> Result<&[u8], ConditionError> {
    let body = outer(bytes, FULFILLMENT_MAX_BYTES)?;
    let (tag, length, preimage) = preamble(body)?;
    if tag != PRIMITIVE_0 || length != preimage.len() {
        return Err(ConditionError::Malformed);
    }
    if length > PREIMAGE_MAX_BYTES {
        return Err(ConditionError::PreimageTooLong);
    }
    Ok(preimage)
}

/// Whether `fulfillment` fulfills `condition`, both serialized.
///
/// # Errors
/// Every [`ConditionError`]: either side does not parse, or they do not match.
pub fn check_fulfillment(fulfillment: &[u8], condition: &[u8]) -> Result<(), ConditionError> {
    let condition = parse_condition(condition)?;
    let preimage = parse_fulfillment(fulfillment)?;
    let same_length = usize::try_from(condition.cost).is_ok_and(|cost| cost == preimage.len());
    let fingerprint: [u8; FINGERPRINT_BYTES] = Sha256::digest(preimage).into();
    if same_length && fingerprint == condition.fingerprint { Ok(()) } else { Err(ConditionError::Mismatch) }
}

/// Whether `fulfillment` fulfills `condition`; [`check_fulfillment`] says why not.
#[must_use]
pub fn fulfillment_matches(fulfillment: &[u8], condition: &[u8]) -> bool {
    check_fulfillment(fulfillment, condition).is_ok()
}

/// The contents of the outermost element, which must be all of `bytes` and of type PREIMAGE-SHA-256.
fn outer(bytes: &[u8], max_bytes: usize) -> Result<&[u8], ConditionError> {
    let (tag, length, body) = preamble(bytes)?;
    if tag & !TAG_MASK != CONSTRUCTED_0 || length != body.len() {
        return Err(ConditionError::Malformed);
    }
    // As the server counts: the contents, without the preamble.
    if body.len() > max_bytes {
        return Err(ConditionError::TooLong { length_bytes: bytes.len() });
    }
    if tag != CONSTRUCTED_0 {
        return Err(ConditionError::UnsupportedType { tag: tag & TAG_MASK });
    }
    Ok(body)
}

/// One identifier byte and a length: (identifier, length, the bytes after them).
fn preamble(bytes: &[u8]) -> Result<(u8, usize, &[u8]), ConditionError> {
    let (&[tag, length], rest) = bytes.split_first_chunk::<2>().ok_or(ConditionError::Malformed)?;
    if tag & TAG_MASK == LONG_TAG {
        return Err(ConditionError::Malformed);
    }
    if length & LONG_LENGTH == 0 {
        return Ok((tag, usize::from(length), rest));
    }
    let octets = usize::from(length & !LONG_LENGTH);
    // Eight bytes are the server's limit; more could not be counted.
    if octets == 0 || octets > 8 {
        return Err(ConditionError::Malformed);
    }
    let (octets, rest) = rest.split_at_checked(octets).ok_or(ConditionError::Malformed)?;
    let length = octets.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    match usize::try_from(length) {
        Ok(length) if length > 0 => Ok((tag, length, rest)),
        _ => Err(ConditionError::Malformed),
    }
}

fn wrap(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len().saturating_add(10));
    bytes.push(CONSTRUCTED_0);
    push_length(&mut bytes, body.len());
    bytes.extend_from_slice(body);
    bytes
}

/// The shortest DER form of a length.
fn push_length(bytes: &mut Vec<u8>, length: usize) {
    match u8::try_from(length) {
        Ok(short) if short < LONG_LENGTH => bytes.push(short),
        _ => {
            let be = length.to_be_bytes();
            let octets = be.iter().skip_while(|byte| **byte == 0);
            // A usize has at most eight bytes.
            bytes.push(LONG_LENGTH | u8::try_from(octets.clone().count()).unwrap_or(8));
            bytes.extend(octets);
        }
    }
}

/// The shortest two's complement form of a number that is not negative.
fn unsigned_integer(value: usize) -> Vec<u8> {
    let be = value.to_be_bytes();
    let mut bytes: Vec<u8> = be.iter().copied().skip_while(|byte| *byte == 0).collect();
    if bytes.first().is_none_or(|first| first & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_known_preimage_gives_the_known_condition() {
        let preimage = [0xAA; 32];
        let condition = condition_for_preimage(&preimage);
        assert_eq!(
            hex::encode_upper(&condition),
            "A0258020E0E77A507412B120F6EDE61F62295B1A7B2FF19D3DCC8F7253E51663470C888E810120"
        );
        let fulfillment = fulfillment_for_preimage(&preimage);
        assert_eq!(fulfillment[..4], [0xA0, 0x22, 0x80, 0x20]);
        assert_eq!(fulfillment[4..], preimage);
        assert_eq!(check_fulfillment(&fulfillment, &condition), Ok(()));
    }

    #[test]
    fn the_empty_preimage_has_the_shortest_condition_of_the_specification() {
        assert_eq!(
            hex::encode_upper(condition_for_preimage(&[])),
            "A0258020E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855810100"
        );
        assert_eq!(hex::encode_upper(fulfillment_for_preimage(&[])), "A0028000");
    }

    #[test]
    fn every_length_up_to_the_limit_round_trips_and_one_more_does_not() {
        for length in 0..=PREIMAGE_MAX_BYTES {
            let preimage = vec![7; length];
            let condition = condition_for_preimage(&preimage);
            let fulfillment = fulfillment_for_preimage(&preimage);
            assert_eq!(parse_fulfillment(&fulfillment), Ok(&preimage[..]));
            assert_eq!(usize::try_from(parse_condition(&condition).unwrap().cost).unwrap(), length);
            assert_eq!(check_fulfillment(&fulfillment, &condition), Ok(()), "{length} bytes");
        }
        let long = vec![7; PREIMAGE_MAX_BYTES + 1];
        assert_eq!(parse_condition(&condition_for_preimage(&long)), Err(ConditionError::PreimageTooLong));
        assert_eq!(parse_fulfillment(&fulfillment_for_preimage(&long)), Err(ConditionError::PreimageTooLong));
    }

    #[test]
    fn another_preimage_or_another_length_does_not_match() {
        let condition = condition_for_preimage(&[1; 32]);
        for other in [vec![2; 32], vec![1; 31], vec![1; 33], vec![]] {
            assert_eq!(
                check_fulfillment(&fulfillment_for_preimage(&other), &condition),
                Err(ConditionError::Mismatch)
            );
        }
        // The right fingerprint under a wrong cost.
        let mut wrong_cost = condition.clone();
        *wrong_cost.last_mut().unwrap() = 31;
        assert!(!fulfillment_matches(&fulfillment_for_preimage(&[1; 32]), &wrong_cost));
    }

    #[test]
    fn malformed_conditions_are_refused_by_kind() {
        let good = condition_for_preimage(&[1; 32]);
        let with = |index: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[index] = byte;
            parse_condition(&bytes)
        };
        for tag in 1..=4 {
            assert_eq!(with(0, 0xA0 | tag), Err(ConditionError::UnsupportedType { tag }));
        }
        for (index, byte) in
            [(0, 0x80), (0, 0xBF), (1, 0x24), (1, 0x26), (2, 0x81), (3, 0x1F), (36, 0x80), (37, 0)]
        {
            assert_eq!(with(index, byte), Err(ConditionError::Malformed), "byte {index} = {byte:02X}");
        }
        assert_eq!(with(38, 0x80), Err(ConditionError::Malformed), "a negative cost");
        let mut trailing = good.clone();
        trailing.push(0);
        assert_eq!(parse_condition(&trailing), Err(ConditionError::Malformed));
        for end in 0..good.len() {
            assert_eq!(parse_condition(&good[..end]), Err(ConditionError::Malformed));
        }
    }

    #[test]
    fn a_longer_form_of_the_same_length_is_read_as_the_server_reads_it() {
        let mut bytes = vec![0xA0, 0x81, 0x25];
        bytes.extend_from_slice(&condition_for_preimage(&[1; 32])[2..]);
        assert_eq!(parse_condition(&bytes), parse_condition(&condition_for_preimage(&[1; 32])));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parsers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_condition(&bytes);
            let _ = parse_fulfillment(&bytes);
        }

        #[test]
        fn no_mutation_makes_the_parsers_panic(
            preimage in proptest::collection::vec(any::<u8>(), 0..140),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut condition = condition_for_preimage(&preimage);
            let mut fulfillment = fulfillment_for_preimage(&preimage);
            let index = at.index(condition.len());
            condition[index] = byte;
            let index = at.index(fulfillment.len());
            fulfillment[index] = byte;
            let _ = check_fulfillment(&fulfillment, &condition);
        }
    }
}
