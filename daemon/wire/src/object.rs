//! Objects: what transactions, ledger entries and metadata are made of.

use std::fmt;

use crate::{AccountId, Amount, CodecError, Currency, Drops, Field, Hash256, Value, json, sf};
use crate::{decode, encode};

/// Room for so many fields is made at once where an object is collected: few have more.
const FIELDS_EXPECTED: usize = 16;

/// Fields and their values, kept in canonical order.
///
/// Its Debug form leaves out what a Fulfillment holds: until an EscrowFinish is sent that is a secret, which no log
/// should hold.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Object(Vec<(Field, Value)>);

impl Object {
    /// Without fields.
    pub const fn new() -> Object {
        Object(Vec::new())
    }

    /// The value of a field.
    pub fn get(&self, field: Field) -> Option<&Value> {
        self.place(field).ok().and_then(|at| self.0.get(at)).map(|(_, value)| value)
    }

    /// The value of a field, to change in place.
    pub fn get_mut(&mut self, field: Field) -> Option<&mut Value> {
        let at = self.place(field).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Sets a field, in place of what it held. A value of another type than the field's is found when the
    /// object is written.
    pub fn set(&mut self, field: Field, value: impl Into<Value>) {
        let value = value.into();
        match self.place(field) {
            Ok(at) => {
                if let Some(slot) = self.0.get_mut(at) {
                    slot.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (field, value)),
        }
    }

    /// Adds a field that stands after all that are there, as they do in what is read. Nothing is searched for.
    #[inline(always)]
    pub(crate) fn push(&mut self, field: Field, value: Value) {
        debug_assert!(self.0.last().is_none_or(|(last, _)| *last < field), "{field} is out of order");
        self.0.push((field, value));
    }

    /// Without fields, with room for so many.
    pub fn with_capacity(fields: usize) -> Object {
        Object(Vec::with_capacity(fields))
    }

    /// The same object with one more field.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<Value>) -> Object {
        self.set(field, value);
        self
    }

    /// The same object with one more field if there is a value.
    #[must_use]
    pub fn with_some(self, field: Field, value: Option<impl Into<Value>>) -> Object {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    /// Takes a field out.
    pub fn remove(&mut self, field: Field) -> Option<Value> {
        self.place(field).ok().map(|at| self.0.remove(at).1)
    }

    /// Whether the field is there.
    pub fn has(&self, field: Field) -> bool {
        self.place(field).is_ok()
    }

    /// The fields in canonical order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Field, &Value)> {
        self.0.iter().map(|(field, value)| (*field, value))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of all fields that are written.
    ///
    /// # Errors
    /// [`CodecError::TypeMismatch`] or [`CodecError::Invalid`] for a value its field cannot hold,
    /// [`CodecError::TooLarge`], [`CodecError::TooDeep`].
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        encode::object(self, false)
    }

    /// The bytes of the fields that are signed. As on the server, fields inside of fields are all written.
    ///
    /// # Errors
    /// As [`Object::encode`].
    pub fn encode_signing(&self) -> Result<Vec<u8>, CodecError> {
        encode::object(self, true)
    }

    /// Reads what [`Object::encode`] writes, and nothing else: fields in canonical order, none twice, every
    /// header, length and value in its one form, nothing behind the end.
    ///
    /// # Errors
    /// The first thing that is wrong, and where.
    pub fn decode(bytes: &[u8]) -> Result<Object, CodecError> {
        decode::object(bytes)
    }

    /// Reads what a validated ledger holds, which may be younger than this program. A field that the table does not
    /// hold is kept, and so is a value that its type does not allow, where the type tells how long it is;
    /// [`Object::encode`] writes both back as they were. All else is as in [`Object::decode`].
    ///
    /// # Errors
    /// As [`Object::decode`]. [`CodecError::UnknownFieldCode`] only for a field of a type that is not known.
    pub fn decode_lenient(bytes: &[u8]) -> Result<Object, CodecError> {
        decode::object_lenient(bytes)
    }

    /// A field, here or further in, that is not known or whose value is not understood; none in what
    /// [`Object::decode`] has read.
    pub fn not_understood(&self) -> Option<Field> {
        self.0.iter().find_map(|(field, value)| match value {
            _ if !field.is_known() => Some(*field),
            Value::Raw(_) => Some(*field),
            Value::Object(inner) => inner.not_understood(),
            Value::Array(list) => list
                .iter()
                .find_map(|(name, inner)| if name.is_known() { inner.not_understood() } else { Some(*name) }),
            _ => None,
        })
    }

    /// As the server shows it.
    pub fn to_json(&self) -> serde_json::Value {
        json::object_to_json(self, Field::name)
    }

    /// As a server shows it that calls some fields otherwise: under the names that this tells, at any depth.
    pub fn to_json_named(&self, names: fn(Field) -> &'static str) -> serde_json::Value {
        json::object_to_json(self, names)
    }

    /// Reads what [`Object::to_json`] writes; numbers may also stand as text, kinds and results as numbers.
    ///
    /// # Errors
    /// [`CodecError::UnknownFieldName`], or what is wrong with a field's value.
    pub fn from_json(json: &serde_json::Value) -> Result<Object, CodecError> {
        json::object_from_json(json)
    }

    /// Where the field is, or should be inserted.
    fn place(&self, field: Field) -> Result<usize, usize> {
        // Objects are mostly built in order.
        if self.0.last().is_none_or(|(last, _)| *last < field) {
            return Err(self.0.len());
        }
        self.0.binary_search_by_key(&field, |(field, _)| *field)
    }
}

/// Declares getters of plain values.
macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident: $variant:ident -> $type:ty;)*) => {
        impl Object {
            $($(#[$doc])*
            pub fn $name(&self, field: Field) -> Option<$type> {
                match self.get(field) {
                    Some(Value::$variant(value)) => Some(*value),
                    _ => None,
                }
            })*
        }
    };
}

getters! {
    /// The 8-bit number of a field; none if it is absent or holds something else.
    u8: U8 -> u8;
    /// The 16-bit number of a field; none if it is absent or holds something else.
    u16: U16 -> u16;
    /// The 32-bit number of a field; none if it is absent or holds something else.
    u32: U32 -> u32;
    /// The 64-bit number of a field; none if it is absent or holds something else.
    u64: U64 -> u64;
    /// The hash of a field; none if it is absent or holds something else.
    hash256: Hash256 -> Hash256;
    /// The account of a field; none if it is absent or holds something else.
    account: Account -> AccountId;
    /// The amount of a field; none if it is absent or holds something else.
    amount: Amount -> Amount;
    /// The currency of a field; none if it is absent or holds something else.
    currency: Currency -> Currency;
}

impl Object {
    /// The drops of a field; none if it is absent or holds something else.
    pub fn drops(&self, field: Field) -> Option<Drops> {
        self.amount(field).and_then(|amount| amount.drops())
    }

    /// The bytes of a field; none if it is absent or holds something else.
    pub fn blob(&self, field: Field) -> Option<&[u8]> {
        match self.get(field) {
            Some(Value::Blob(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The object of a field; none if it is absent or holds something else.
    pub fn object(&self, field: Field) -> Option<&Object> {
        match self.get(field) {
            Some(Value::Object(object)) => Some(object),
            _ => None,
        }
    }

    /// The list of a field; none if it is absent or holds something else.
    pub fn array(&self, field: Field) -> Option<&[(Field, Object)]> {
        match self.get(field) {
            Some(Value::Array(list)) => Some(list),
            _ => None,
        }
    }

    /// The hashes of a field; none if it is absent or holds something else.
    pub fn vector256(&self, field: Field) -> Option<&[Hash256]> {
        match self.get(field) {
            Some(Value::Vector256(list)) => Some(list),
            _ => None,
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (field, value) in &self.0 {
            match (*field, value) {
                (sf::Fulfillment, Value::Blob(bytes)) => {
                    map.entry(field, &format_args!("({} bytes)", bytes.len()))
                }
                _ => map.entry(field, value),
            };
        }
        map.finish()
    }
}

impl FromIterator<(Field, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (Field, Value)>>(fields: I) -> Object {
        let fields = fields.into_iter();
        // Mostly part of another object's fields: never more than those.
        let mut object = Object::with_capacity(fields.size_hint().1.unwrap_or(0).min(FIELDS_EXPECTED));
        for (field, value) in fields {
            object.set(field, value);
        }
        object
    }
}

impl Extend<(Field, Value)> for Object {
    fn extend<I: IntoIterator<Item = (Field, Value)>>(&mut self, fields: I) {
        fields.into_iter().for_each(|(field, value)| self.set(field, value));
    }
}

impl IntoIterator for Object {
    type Item = (Field, Value);
    type IntoIter = std::vec::IntoIter<(Field, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fulfillment_is_not_in_debug_output() {
        let inner = Object::new().with(sf::Fulfillment, vec![0xAB; 36]).with(sf::Condition, vec![0xCD; 2]);
        let object = Object::new().with(sf::Flags, 3_u32).with(sf::NewFields, inner);
        let shown = format!("{object:?}");
        assert_eq!(
            shown,
            "{Flags: U32(3), NewFields: Object({Fulfillment: (36 bytes), Condition: Blob([205, 205])})}"
        );
    }

    #[test]
    fn fields_stand_in_canonical_order_however_they_are_set() {
        let mut object = Object::new()
            .with(sf::Account, AccountId::ZERO)
            .with(sf::Fee, Drops::ZERO)
            .with(sf::Sequence, 2_u32)
            .with(sf::Flags, 1_u32)
            .with(sf::TransactionType, 0_u16);
        let order: Vec<Field> = object.iter().map(|(field, _)| field).collect();
        assert_eq!(order, [sf::TransactionType, sf::Flags, sf::Sequence, sf::Fee, sf::Account]);
        object.set(sf::Flags, 9_u32);
        assert_eq!((object.len(), object.u32(sf::Flags)), (5, Some(9)));
        assert_eq!(object.remove(sf::Flags), Some(Value::U32(9)));
        assert_eq!(object.remove(sf::Flags), None);
        assert!(!object.has(sf::Flags));
        assert_eq!(object.u16(sf::Sequence), None);
    }
}
