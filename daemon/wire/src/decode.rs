//! Bytes to objects: strict, bounded, and without a panic on any input.

use crate::encode::{
    AMOUNT_ISSUED, AMOUNT_POSITIVE, ARRAY_END, EXPONENT_BIAS, MANTISSA_BITS, MPT_MARK, OBJECT_END, ODD_DROPS,
    path,
};
use crate::{
    AccountId, Amount, CodecError, Currency, Drops, Field, FieldType, Hash256, IouValue, Issue, IssuedAmount,
    MAX_BYTES, MAX_DEPTH, MptAmount, Number, Object, OddAmount, PathStep, RawValue, Value, XChainBridge,
};

/// Reads one object from all of the bytes.
pub(crate) fn object(bytes: &[u8]) -> Result<Object, CodecError> {
    read(Reader::new(bytes), |_, _| ())
}

/// Reads one object from all of the bytes, fields and values that are not known included.
pub(crate) fn object_lenient(bytes: &[u8]) -> Result<Object, CodecError> {
    read(Reader { lenient: true, ..Reader::new(bytes) }, |_, _| ())
}

/// Reads one object from all of the bytes, and puts those of them that are signed behind what `signing` holds
/// already. What was read would be written as the same bytes, so nothing has to be written again to get them. With
/// `odd_amounts` amounts are read that nobody can have.
pub(crate) fn object_and_signing(
    bytes: &[u8],
    odd_amounts: bool,
    signing: &mut Vec<u8>,
) -> Result<Object, CodecError> {
    read(Reader { odd_amounts, ..Reader::new(bytes) }, |field, bytes| {
        if field.is_signing() {
            signing.extend(bytes);
        }
    })
}

/// Reads one object, and shows each of its fields with the bytes it was read from.
fn read(mut reader: Reader<'_>, mut seen: impl FnMut(Field, &[u8])) -> Result<Object, CodecError> {
    let bytes = reader.bytes;
    if bytes.len() > MAX_BYTES {
        return Err(CodecError::TooLarge(bytes.len()));
    }
    // As many as an AccountRoot has: entries are kept, and most of them are that.
    let mut object = Object::with_capacity(8);
    let mut last = None;
    while reader.offset < bytes.len() {
        let (field, offset) = reader.field()?;
        reader.next_field(&mut object, &mut last, field, offset, 0)?;
        seen(field, bytes.get(offset..reader.offset).unwrap_or_default());
    }
    Ok(object)
}

/// Reads the fixed parts of other formats too: a cursor that cannot leave the bytes.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
    /// Whether fields and values that are not known are kept, as far as their type tells where they end.
    lenient: bool,
    /// Whether amounts are read that nobody can have.
    odd_amounts: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, offset: 0, lenient: false, odd_amounts: false }
    }

    /// The next so many bytes.
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let taken = rest.get(..length).ok_or(CodecError::Truncated {
            offset: self.bytes.len(),
            needed: length.saturating_sub(rest.len()),
        })?;
        self.offset += length;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, CodecError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, CodecError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, CodecError> {
        self.array().map(u64::from_be_bytes)
    }

    /// Nothing is left.
    pub(crate) fn finish(&self) -> Result<(), CodecError> {
        if self.offset < self.bytes.len() {
            return Err(CodecError::Trailing { offset: self.offset });
        }
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.offset).copied()
    }

    /// A field header, and where it began.
    fn field(&mut self) -> Result<(Field, usize), CodecError> {
        let offset = self.offset;
        let first = self.u8()?;
        let (mut kind, mut nth) = (first >> 4, first & 0x0F);
        if kind == 0 {
            kind = self.u8()?;
            if kind < 16 {
                return Err(CodecError::NotShortest { offset });
            }
        }
        if nth == 0 {
            nth = self.u8()?;
            if nth < 16 {
                return Err(CodecError::NotShortest { offset });
            }
        }
        let (type_code, number) = (u32::from(kind), u32::from(nth));
        if nth == 1 && (type_code == FieldType::Object.code() || type_code == FieldType::Array.code()) {
            return Err(CodecError::UnexpectedEnd { offset });
        }
        let known = Field::from_code(type_code << 16 | number).filter(|field| field.is_serialized());
        let unknown = || FieldType::from_code(type_code).map(|kind| Field::unknown(kind, nth));
        let field = known
            .or_else(|| if self.lenient { unknown() } else { None })
            .ok_or(CodecError::UnknownFieldCode { type_code, nth: number, offset })?;
        Ok((field, offset))
    }

    /// Reads a field's value into the object; the field must come after the last.
    fn next_field(
        &mut self,
        object: &mut Object,
        last: &mut Option<Field>,
        field: Field,
        offset: usize,
        depth: usize,
    ) -> Result<(), CodecError> {
        match *last {
            Some(last) if last == field => return Err(CodecError::Duplicate { field, offset }),
            Some(last) if last > field => {
                // Out of order or there already: the latter says more.
                let twice = object.has(field);
                return Err(if twice {
                    CodecError::Duplicate { field, offset }
                } else {
                    CodecError::Order { field, offset }
                });
            }
            _ => *last = Some(field),
        }
        self.value(object, field, depth)
    }

    /// Fields up to the end marker.
    fn inner_object(&mut self, depth: usize) -> Result<Object, CodecError> {
        if depth > MAX_DEPTH {
            return Err(CodecError::TooDeep);
        }
        let mut object = Object::new();
        let mut last = None;
        while self.peek() != Some(OBJECT_END) {
            let (field, offset) = self.field()?;
            self.next_field(&mut object, &mut last, field, offset, depth)?;
        }
        self.offset += 1;
        Ok(object)
    }

    /// Objects up to the end marker.
    fn list(&mut self, field: Field, depth: usize) -> Result<Vec<(Field, Object)>, CodecError> {
        if depth > MAX_DEPTH {
            return Err(CodecError::TooDeep);
        }
        let mut list = Vec::new();
        while self.peek() != Some(ARRAY_END) {
            let (name, _) = self.field()?;
            if name.field_type() != FieldType::Object {
                return Err(CodecError::Invalid { field, what: "an array holds objects only" });
            }
            list.push((name, self.inner_object(depth + 1)?));
        }
        self.offset += 1;
        Ok(list)
    }

    /// Reads a field's value into the object, behind all that are there.
    fn value(&mut self, object: &mut Object, field: Field, depth: usize) -> Result<(), CodecError> {
        let start = self.offset;
        match self.understood(object, field, depth) {
            Err(error @ CodecError::Invalid { .. }) if self.lenient => {
                self.offset = start;
                self.skip(field.field_type()).ok_or(error)?;
                let bytes = self.bytes.get(start..self.offset).unwrap_or_default().to_vec();
                object.push(field, Value::Raw(RawValue { kind: field.field_type(), bytes }));
                Ok(())
            }
            read => read,
        }
    }

    /// Goes to the end of a value whose meaning is of no concern; none where its type does not tell the end.
    fn skip(&mut self, kind: FieldType) -> Option<()> {
        let length = match kind {
            FieldType::U96 | FieldType::Number => 12,
            FieldType::U384 => 48,
            FieldType::U512 => 64,
            FieldType::Amount => match self.peek()? {
                first if first & 0x80 != 0 => 48,
                first if first & 0x20 != 0 => 33,
                _ => 8,
            },
            FieldType::Account | FieldType::Vector256 => return self.vl().ok().map(|_| ()),
            FieldType::PathSet => return self.skip_paths(),
            FieldType::Issue => return self.skip_issue(),
            FieldType::XChainBridge => {
                self.vl().ok()?;
                self.skip_issue()?;
                self.vl().ok()?;
                return self.skip_issue();
            }
            // Nothing that has the length of one of these is refused, and what is in an object or an array
            // has been skipped where it can be.
            _ => return None,
        };
        self.take(length).ok().map(|_| ())
    }

    fn skip_paths(&mut self) -> Option<()> {
        let parts = [(path::ACCOUNT, 20), (path::CURRENCY, 20), (path::MPT, 24), (path::ISSUER, 20)];
        loop {
            let kind = self.u8().ok()?;
            if kind == path::END {
                return Some(());
            }
            if kind == path::NEXT {
                continue;
            }
            if kind & !parts.iter().fold(0, |known, (bit, _)| known | bit) != 0 {
                return None;
            }
            for (_, length) in parts.iter().filter(|(bit, _)| kind & bit != 0) {
                self.take(*length).ok()?;
            }
        }
    }

    fn skip_issue(&mut self) -> Option<()> {
        if self.take(20).ok()? != [0; 20] && self.take(20).ok()? == MPT_MARK {
            self.take(4).ok()?;
        }
        Some(())
    }

    /// Reads a value that its type allows into the object. Each is made where it stays: to hand it on and put it there
    /// costs more than to read it.
    fn understood(&mut self, object: &mut Object, field: Field, depth: usize) -> Result<(), CodecError> {
        match field.field_type() {
            FieldType::U8 => object.push(field, Value::U8(self.u8()?)),
            FieldType::U16 => object.push(field, Value::U16(self.array().map(u16::from_be_bytes)?)),
            FieldType::U32 => object.push(field, Value::U32(self.u32()?)),
            FieldType::U64 => object.push(field, Value::U64(self.u64()?)),
            FieldType::I32 => object.push(field, Value::I32(self.array().map(i32::from_be_bytes)?)),
            FieldType::I64 => object.push(field, Value::I64(self.array().map(i64::from_be_bytes)?)),
            FieldType::Hash128 => object.push(field, Value::Hash128(self.array()?)),
            FieldType::Hash160 => object.push(field, Value::Hash160(self.array()?)),
            FieldType::Hash192 => object.push(field, Value::Hash192(self.array()?)),
            FieldType::Hash256 => object.push(field, Value::Hash256(Hash256(self.array()?))),
            FieldType::U96 | FieldType::U384 | FieldType::U512 => {
                return Err(CodecError::Invalid { field, what: "of a type that no known field has" });
            }
            FieldType::Amount => {
                let amount = self.amount(field)?;
                object.push(field, amount);
            }
            FieldType::Blob => object.push(field, Value::Blob(self.vl()?.to_vec())),
            FieldType::Account => match self.vl()? {
                [] => object.push(field, Value::AccountEmpty),
                bytes => {
                    let account = AccountId::from_slice(bytes)
                        .ok_or(CodecError::Invalid { field, what: "an account has 20 bytes" })?;
                    object.push(field, Value::Account(account));
                }
            },
            FieldType::Number => object.push(field, Value::Number(self.number(field)?)),
            FieldType::Object => object.push(field, Value::Object(self.inner_object(depth + 1)?)),
            FieldType::Array => object.push(field, Value::Array(self.list(field, depth + 1)?)),
            FieldType::PathSet => object.push(field, Value::PathSet(self.path_set(field)?)),
            FieldType::Vector256 => object.push(field, Value::Vector256(self.vector256(field)?)),
            FieldType::Currency => object.push(field, Value::Currency(Currency(self.array()?))),
            FieldType::Issue => object.push(field, Value::Issue(self.issue(field)?)),
            FieldType::XChainBridge => {
                let bridge = XChainBridge {
                    locking_chain_door: self.door(field)?,
                    locking_chain_issue: self.issue(field)?,
                    issuing_chain_door: self.door(field)?,
                    issuing_chain_issue: self.issue(field)?,
                };
                object.push(field, Value::from(bridge));
            }
        }
        Ok(())
    }

    /// Bytes after their length; the length in its shortest form.
    fn vl(&mut self) -> Result<&'a [u8], CodecError> {
        let offset = self.offset;
        let first = usize::from(self.u8()?);
        let length = match first {
            0..=192 => first,
            193..=240 => 193 + ((first - 193) << 8) + usize::from(self.u8()?),
            241..=254 => {
                let (middle, low) = (usize::from(self.u8()?), usize::from(self.u8()?));
                12_481 + ((first - 241) << 16) + (middle << 8) + low
            }
            _ => return Err(CodecError::NotShortest { offset }),
        };
        // The ranges of the three forms do not overlap, so each length has one form only.
        self.take(length)
    }

    fn amount(&mut self, field: Field) -> Result<Value, CodecError> {
        let invalid = |what| CodecError::Invalid { field, what };
        let first = self.peek().unwrap_or(0);
        if first & 0x80 != 0 {
            return self.issued(field).map(|issued| Value::Amount(Amount::Issued(issued)));
        }
        if first & 0x20 != 0 {
            // Bit 61 says token; of the first byte all else but the sign is zero.
            let negative = match self.u8()? {
                0x60 => false,
                0x20 => true,
                _ => return Err(invalid("a token amount with unknown bits")),
            };
            let (value, issuance_id) = (self.u64()?, self.array()?);
            let mpt = MptAmount { negative, value, issuance_id };
            return match value > i64::MAX.unsigned_abs() || (negative && value == 0) {
                false => Ok(Value::Amount(Amount::Mpt(mpt))),
                true if self.odd_amounts => Ok(Value::OddAmount(OddAmount::Mpt(mpt))),
                true => Err(invalid("a token amount out of range")),
            };
        }
        let word = self.u64()?;
        let (negative, drops) = (word & AMOUNT_POSITIVE == 0, word & ODD_DROPS);
        match Drops::new(drops) {
            Ok(drops) if !negative => Ok(Value::Amount(Amount::Xrp(drops))),
            Ok(Drops::ZERO) => Err(invalid(CodecError::NEGATIVE_ZERO)),
            _ if self.odd_amounts => Ok(Value::OddAmount(OddAmount::Xrp { negative, drops })),
            Ok(_) => Err(invalid("less than no XRP")),
            Err(_) => Err(invalid("more XRP than there is")),
        }
    }

    fn issued(&mut self, field: Field) -> Result<IssuedAmount, CodecError> {
        let invalid = |what| CodecError::Invalid { field, what };
        let word = self.u64()?;
        let currency = Currency(self.array()?);
        let issuer = AccountId(self.array()?);
        if currency.is_xrp() {
            return Err(invalid(CodecError::ISSUED_XRP));
        }
        if issuer == AccountId::ZERO {
            return Err(invalid(CodecError::ISSUED_BY_NOBODY));
        }
        let value = if word == AMOUNT_ISSUED {
            IouValue::ZERO
        } else {
            let mantissa = word & ((1 << MANTISSA_BITS) - 1);
            let biased = (word & !(AMOUNT_ISSUED | AMOUNT_POSITIVE)) >> MANTISSA_BITS;
            // Eight bits.
            let exponent = i32::try_from(biased).unwrap_or(i32::MAX).saturating_sub(EXPONENT_BIAS);
            IouValue::from_normal(word & AMOUNT_POSITIVE == 0, mantissa, exponent)
                .ok_or(invalid(CodecError::ISSUED_NOT_NORMAL))?
        };
        Ok(IssuedAmount { value, currency, issuer })
    }

    fn number(&mut self, field: Field) -> Result<Number, CodecError> {
        let mantissa = self.array().map(i64::from_be_bytes)?;
        let exponent = self.array().map(i32::from_be_bytes)?;
        let number = Number { mantissa, exponent };
        if !number.is_normal() {
            return Err(CodecError::Invalid { field, what: "a number that is not in normal form" });
        }
        Ok(number)
    }

    fn path_set(&mut self, field: Field) -> Result<Vec<Vec<PathStep>>, CodecError> {
        let mut paths = Vec::new();
        let mut steps = Vec::new();
        loop {
            let kind = self.u8()?;
            if kind == path::NEXT || kind == path::END {
                if steps.is_empty() {
                    return Err(CodecError::Invalid { field, what: "an empty path" });
                }
                paths.push(std::mem::take(&mut steps));
                if kind == path::END {
                    return Ok(paths);
                }
                continue;
            }
            let known = path::ACCOUNT | path::CURRENCY | path::ISSUER | path::MPT;
            let two = path::CURRENCY | path::MPT;
            if kind & !known != 0 || kind & two == two {
                return Err(CodecError::Invalid { field, what: "a path step of an unknown kind" });
            }
            let mut step = PathStep::default();
            if kind & path::ACCOUNT != 0 {
                step.account = Some(AccountId(self.array()?));
            }
            if kind & path::CURRENCY != 0 {
                step.currency = Some(Currency(self.array()?));
            }
            if kind & path::MPT != 0 {
                step.mpt = Some(self.array()?);
            }
            if kind & path::ISSUER != 0 {
                step.issuer = Some(AccountId(self.array()?));
            }
            steps.push(step);
        }
    }

    fn vector256(&mut self, field: Field) -> Result<Vec<Hash256>, CodecError> {
        let (hashes, rest) = self.vl()?.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(CodecError::Invalid { field, what: "a list of hashes has a multiple of 32 bytes" });
        }
        Ok(hashes.iter().map(|hash| Hash256(*hash)).collect())
    }

    fn issue(&mut self, field: Field) -> Result<Issue, CodecError> {
        let first: [u8; 20] = self.array()?;
        if first == [0; 20] {
            return Ok(Issue::Xrp);
        }
        let second: [u8; 20] = self.array()?;
        if second != MPT_MARK {
            if second == [0; 20] {
                return Err(CodecError::Invalid { field, what: "an issued currency without an issuer" });
            }
            return Ok(Issue::Issued { currency: Currency(first), issuer: AccountId(second) });
        }
        // First the issuer, the mark, then the issuance's number with its bytes turned round.
        let mut sequence: [u8; 4] = self.array()?;
        sequence.reverse();
        let mut id = [0; 24];
        for (to, from) in id.iter_mut().zip(sequence.iter().chain(&first)) {
            *to = *from;
        }
        Ok(Issue::Mpt(id))
    }

    fn door(&mut self, field: Field) -> Result<AccountId, CodecError> {
        AccountId::from_slice(self.vl()?)
            .ok_or(CodecError::Invalid { field, what: "an account has 20 bytes" })
    }
}
