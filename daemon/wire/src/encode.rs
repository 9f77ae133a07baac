//! Objects to bytes.

use crate::{
    Amount, CodecError, Field, FieldType, Issue, MAX_BYTES, MAX_DEPTH, MptAmount, Object, OddAmount,
    PathStep, Value, XChainBridge,
};

/// Ends an object within an object.
pub(crate) const OBJECT_END: u8 = 0xE1;
/// Ends an array.
pub(crate) const ARRAY_END: u8 = 0xF1;
/// The longest blob a length can say.
pub(crate) const MAX_VL: usize = 918_744;
/// Set in the first byte of what is not XRP.
pub(crate) const AMOUNT_ISSUED: u64 = 1 << 63;
/// Set in the first byte of what is not below zero.
pub(crate) const AMOUNT_POSITIVE: u64 = 1 << 62;
/// The bits that drops have where there may be more than all XRP.
pub(crate) const ODD_DROPS: u64 = !(AMOUNT_ISSUED | AMOUNT_POSITIVE | AMOUNT_MPT);
/// Set in the first byte of what is neither XRP nor issued.
pub(crate) const AMOUNT_MPT: u64 = 1 << 61;
/// What is added to an exponent so that it is never below zero.
pub(crate) const EXPONENT_BIAS: i32 = 97;
/// How many bits the mantissa has.
pub(crate) const MANTISSA_BITS: u32 = 54;
/// Stands where the currency of an asset would: then comes a multi-purpose token.
pub(crate) const MPT_MARK: [u8; 20] = crate::AccountId::ONE.0;

/// The kinds of a path step, as bits; and what ends a path and all paths.
pub(crate) mod path {
    pub(crate) const ACCOUNT: u8 = 0x01;
    pub(crate) const CURRENCY: u8 = 0x10;
    pub(crate) const ISSUER: u8 = 0x20;
    pub(crate) const MPT: u8 = 0x40;
    pub(crate) const NEXT: u8 = 0xFF;
    pub(crate) const END: u8 = 0x00;
}

/// Room for what is written, in bytes: what nearly all transactions, entries and metadata fit in, and as much as the
/// usual allocators hand out without a search.
const ROOM_BYTES: usize = 1_000;

/// The bytes of an object: of all its fields, or of those that are signed.
pub(crate) fn object(object: &Object, signing_only: bool) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::with_capacity(ROOM_BYTES);
    fields(&mut out, object, signing_only, 0)?;
    within_bounds(&out)
}

/// The bytes of an object, all of them, and behind what `signing` holds already those that are signed: both in one
/// pass, since a transaction needs both.
pub(crate) fn object_and_signing(object: &Object, signing: &mut Vec<u8>) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::with_capacity(ROOM_BYTES);
    for (field, value) in object.iter().filter(|(field, _)| field.is_serialized()) {
        let start = out.len();
        header(&mut out, field);
        self::value(&mut out, field, value, 0)?;
        if field.is_signing() {
            signing.extend(out.get(start..).unwrap_or_default());
        }
    }
    within_bounds(&out)
}

/// The bytes without the room that was made for more: entries and metadata are kept as long as their ledger is.
fn within_bounds(out: &[u8]) -> Result<Vec<u8>, CodecError> {
    if out.len() > MAX_BYTES { Err(CodecError::TooLarge(out.len())) } else { Ok(out.to_vec()) }
}

fn fields(out: &mut Vec<u8>, object: &Object, signing_only: bool, depth: usize) -> Result<(), CodecError> {
    if depth > MAX_DEPTH {
        return Err(CodecError::TooDeep);
    }
    for (field, value) in object.iter() {
        if field.is_serialized() && (field.is_signing() || !signing_only) {
            header(out, field);
            self::value(out, field, value, depth)?;
        }
    }
    Ok(())
}

/// The type in the upper and the number in the lower half of a byte; what does not fit follows.
fn header(out: &mut Vec<u8>, field: Field) {
    // Serialized fields have a type and a number below 256.
    let kind = u8::try_from(field.field_type().code()).unwrap_or(0);
    let nth = u8::try_from(field.nth()).unwrap_or(0);
    match (kind < 16, nth < 16) {
        (true, true) => out.push(kind << 4 | nth),
        (true, false) => out.extend([kind << 4, nth]),
        (false, true) => out.extend([nth, kind]),
        (false, false) => out.extend([0, kind, nth]),
    }
}

fn value(out: &mut Vec<u8>, field: Field, value: &Value, depth: usize) -> Result<(), CodecError> {
    if value.field_type() != field.field_type() {
        return Err(CodecError::TypeMismatch { field, found: type_name(value.field_type()) });
    }
    match value {
        Value::U8(number) => out.push(*number),
        Value::U16(number) => out.extend(number.to_be_bytes()),
        Value::U32(number) => out.extend(number.to_be_bytes()),
        Value::U64(number) => out.extend(number.to_be_bytes()),
        Value::I32(number) => out.extend(number.to_be_bytes()),
        Value::I64(number) => out.extend(number.to_be_bytes()),
        Value::Hash128(bytes) => out.extend(bytes),
        Value::Hash160(bytes) => out.extend(bytes),
        Value::Hash192(bytes) => out.extend(bytes),
        Value::Hash256(hash) => out.extend(hash.0),
        Value::Amount(amount) => self::amount(out, field, amount)?,
        Value::OddAmount(amount) => odd_amount(out, amount),
        Value::Blob(bytes) => vl(out, bytes)?,
        Value::Account(account) => vl(out, &account.0)?,
        Value::AccountEmpty => vl(out, &[])?,
        Value::Number(number) => {
            if !number.is_normal() {
                return Err(CodecError::Invalid { field, what: "a number that is not in normal form" });
            }
            out.extend(number.mantissa.to_be_bytes());
            out.extend(number.exponent.to_be_bytes());
        }
        Value::Object(object) => {
            fields(out, object, false, depth + 1)?;
            out.push(OBJECT_END);
        }
        Value::Array(list) => array(out, field, list, depth + 1)?,
        Value::PathSet(paths) => path_set(out, field, paths)?,
        Value::Vector256(hashes) => vl(out, &hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>())?,
        Value::Currency(currency) => out.extend(currency.0),
        Value::Issue(issue) => self::issue(out, field, issue)?,
        Value::XChainBridge(bridge) => self::bridge(out, field, bridge)?,
        Value::Raw(raw) => out.extend(&raw.bytes),
    }
    Ok(())
}

fn array(out: &mut Vec<u8>, field: Field, list: &[(Field, Object)], depth: usize) -> Result<(), CodecError> {
    if depth > MAX_DEPTH {
        return Err(CodecError::TooDeep);
    }
    for (name, object) in list {
        if name.field_type() != FieldType::Object || !name.is_serialized() {
            return Err(CodecError::Invalid { field, what: "an array holds objects only" });
        }
        header(out, *name);
        fields(out, object, false, depth + 1)?;
        out.push(OBJECT_END);
    }
    out.push(ARRAY_END);
    Ok(())
}

/// Bytes after their length, which takes one to three bytes.
pub(crate) fn vl(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), CodecError> {
    let length = bytes.len();
    // Every part is below 256 by the bounds of its branch.
    let byte = |part: usize| u8::try_from(part).unwrap_or(u8::MAX);
    match length {
        0..=192 => out.push(byte(length)),
        193..=12_480 => {
            let rest = length - 193;
            out.extend([byte(193 + (rest >> 8)), byte(rest & 0xFF)]);
        }
        12_481..=MAX_VL => {
            let rest = length - 12_481;
            out.extend([byte(241 + (rest >> 16)), byte(rest >> 8 & 0xFF), byte(rest & 0xFF)]);
        }
        _ => return Err(CodecError::TooLarge(length)),
    }
    out.extend(bytes);
    Ok(())
}

fn odd_amount(out: &mut Vec<u8>, amount: &OddAmount) {
    match amount {
        OddAmount::Xrp { negative, drops } => {
            let sign = if *negative { 0 } else { AMOUNT_POSITIVE };
            out.extend((sign | drops & ODD_DROPS).to_be_bytes());
        }
        OddAmount::Mpt(mpt) => token(out, mpt),
    }
}

fn token(out: &mut Vec<u8>, mpt: &MptAmount) {
    out.push(if mpt.negative { 0x20 } else { 0x60 });
    out.extend(mpt.value.to_be_bytes());
    out.extend(mpt.issuance_id);
}

fn amount(out: &mut Vec<u8>, field: Field, amount: &Amount) -> Result<(), CodecError> {
    match amount {
        Amount::Xrp(drops) => out.extend((AMOUNT_POSITIVE | drops.get()).to_be_bytes()),
        Amount::Issued(issued) => {
            if issued.currency.is_xrp() {
                return Err(CodecError::Invalid { field, what: CodecError::ISSUED_XRP });
            }
            if issued.issuer == crate::AccountId::ZERO {
                return Err(CodecError::Invalid { field, what: CodecError::ISSUED_BY_NOBODY });
            }
            let value = issued.value;
            // The exponent is -96..=80, so the sum is 1..=177.
            let exponent = u64::try_from(value.exponent() + EXPONENT_BIAS).unwrap_or(0);
            let mut word = AMOUNT_ISSUED;
            if !value.is_zero() {
                word |= exponent << MANTISSA_BITS | value.mantissa();
                if !value.is_negative() {
                    word |= AMOUNT_POSITIVE;
                }
            }
            out.extend(word.to_be_bytes());
            out.extend(issued.currency.0);
            out.extend(issued.issuer.0);
        }
        Amount::Mpt(mpt) => {
            if mpt.value > i64::MAX.unsigned_abs() || (mpt.negative && mpt.value == 0) {
                return Err(CodecError::Invalid { field, what: "a token amount out of range" });
            }
            token(out, mpt);
        }
    }
    Ok(())
}

fn path_set(out: &mut Vec<u8>, field: Field, paths: &[Vec<PathStep>]) -> Result<(), CodecError> {
    if paths.is_empty() || paths.iter().any(Vec::is_empty) {
        return Err(CodecError::Invalid { field, what: "an empty path" });
    }
    for (at, steps) in paths.iter().enumerate() {
        if at > 0 {
            out.push(path::NEXT);
        }
        for step in steps {
            let parts: [(u8, Option<&[u8]>); 4] = [
                (path::ACCOUNT, step.account.as_ref().map(|account| account.0.as_slice())),
                (path::CURRENCY, step.currency.as_ref().map(|currency| currency.0.as_slice())),
                (path::MPT, step.mpt.as_ref().map(|id| id.as_slice())),
                (path::ISSUER, step.issuer.as_ref().map(|issuer| issuer.0.as_slice())),
            ];
            let kind = parts.iter().filter(|(_, part)| part.is_some()).fold(0, |kind, (bit, _)| kind | bit);
            if kind == 0 || kind & (path::CURRENCY | path::MPT) == path::CURRENCY | path::MPT {
                return Err(CodecError::Invalid {
                    field,
                    what: "a path step of no kind or of two currencies",
                });
            }
            out.push(kind);
            parts.iter().filter_map(|(_, part)| *part).for_each(|part| out.extend(part));
        }
    }
    out.push(path::END);
    Ok(())
}

fn issue(out: &mut Vec<u8>, field: Field, issue: &Issue) -> Result<(), CodecError> {
    match issue {
        Issue::Xrp => out.extend([0; 20]),
        Issue::Issued { currency, issuer } => {
            // Such an issuer would be read as the mark of a token.
            if currency.is_xrp() || issuer.0 == MPT_MARK || *issuer == crate::AccountId::ZERO {
                return Err(CodecError::Invalid {
                    field,
                    what: "an issued currency that is XRP, or no issuer",
                });
            }
            out.extend(currency.0);
            out.extend(issuer.0);
        }
        Issue::Mpt([a, b, c, d, issuer @ ..]) => {
            if *issuer == [0; 20] {
                return Err(CodecError::Invalid { field, what: "a token of no issuer" });
            }
            out.extend(issuer);
            out.extend(MPT_MARK);
            // The server writes the issuance's number here with its bytes turned round.
            out.extend([*d, *c, *b, *a]);
        }
    }
    Ok(())
}

fn bridge(out: &mut Vec<u8>, field: Field, bridge: &XChainBridge) -> Result<(), CodecError> {
    vl(out, &bridge.locking_chain_door.0)?;
    issue(out, field, &bridge.locking_chain_issue)?;
    vl(out, &bridge.issuing_chain_door.0)?;
    issue(out, field, &bridge.issuing_chain_issue)
}

/// The name of a type in errors.
pub(crate) fn type_name(kind: FieldType) -> &'static str {
    match kind {
        FieldType::U8 => "UInt8",
        FieldType::U16 => "UInt16",
        FieldType::U32 => "UInt32",
        FieldType::U64 => "UInt64",
        FieldType::I32 => "Int32",
        FieldType::I64 => "Int64",
        FieldType::Hash128 => "Hash128",
        FieldType::Hash160 => "Hash160",
        FieldType::Hash192 => "Hash192",
        FieldType::Hash256 => "Hash256",
        FieldType::U96 => "UInt96",
        FieldType::U384 => "UInt384",
        FieldType::U512 => "UInt512",
        FieldType::Amount => "Amount",
        FieldType::Blob => "Blob",
        FieldType::Account => "AccountID",
        FieldType::Number => "Number",
        FieldType::Object => "STObject",
        FieldType::Array => "STArray",
        FieldType::PathSet => "PathSet",
        FieldType::Vector256 => "Vector256",
        FieldType::Currency => "Currency",
        FieldType::Issue => "Issue",
        FieldType::XChainBridge => "XChainBridge",
    }
}
