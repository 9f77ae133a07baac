//! Memos: notes that travel with a transaction and that the ledger keeps.

use crate::field::{Field, sf};
use crate::object::Object;
use crate::tx::TxError;

/// The most bytes that Memos may take, serialized without the array's own header and end.
pub const MEMOS_MAX_BYTES: usize = 1024;

/// One memo of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Memo {
    /// What kind of note it is. Only characters that URLs may have (RFC 3986).
    pub memo_type: Option<String>,
    /// How the data is to be read, a media type as a rule. Only characters that URLs may have (RFC 3986).
    pub memo_format: Option<String>,
    /// The note itself: any bytes.
    pub memo_data: Option<Vec<u8>>,
}

impl Memo {
    /// The object that stands for it in Memos. Nothing is checked; see [`check_memos`].
    #[must_use]
    pub fn to_object(&self) -> Object {
        Object::new()
            .with_some(sf::MemoType, self.memo_type.clone().map(String::into_bytes))
            .with_some(sf::MemoFormat, self.memo_format.clone().map(String::into_bytes))
            .with_some(sf::MemoData, self.memo_data.clone())
    }

    /// Reads the object that stands for a memo.
    ///
    /// # Errors
    /// `MemoCharacter` and `MemoMalformed` of [`TxError`].
    pub fn from_object(object: &Object) -> Result<Self, TxError> {
        let mut memo = Self::default();
        for (field, _) in object.iter() {
            let bytes = object.blob(field).ok_or(TxError::MemoMalformed)?;
            match field {
                sf::MemoType => memo.memo_type = Some(url_text(field, bytes)?),
                sf::MemoFormat => memo.memo_format = Some(url_text(field, bytes)?),
                sf::MemoData => memo.memo_data = Some(bytes.to_vec()),
                _ => return Err(TxError::MemoMalformed),
            }
        }
        Ok(memo)
    }
}

/// Reads the Memos of a transaction's object; empty where there are none. Their length is not checked.
///
/// # Errors
/// `MemoCharacter` and `MemoMalformed` of [`TxError`].
pub fn memos(object: &Object) -> Result<Vec<Memo>, TxError> {
    object
        .array(sf::Memos)
        .unwrap_or_default()
        .iter()
        .map(
            |(field, memo)| {
                if *field == sf::Memo { Memo::from_object(memo) } else { Err(TxError::MemoMalformed) }
            },
        )
        .collect()
}

/// Checks the Memos of a transaction's object as a server does before it takes the transaction in.
///
/// # Errors
/// `MemosTooLong`, `MemoCharacter`, `MemoMalformed` of [`TxError`].
pub fn check_memos(object: &Object) -> Result<(), TxError> {
    let mut length_bytes = 0_usize;
    for (_, memo) in object.array(sf::Memos).unwrap_or_default() {
        // One byte each for the entry's header and its end.
        length_bytes = length_bytes.saturating_add(memo.encode()?.len()).saturating_add(2);
    }
    if length_bytes > MEMOS_MAX_BYTES {
        return Err(TxError::MemosTooLong { length_bytes });
    }
    memos(object).map(drop)
}

/// Text of the characters of RFC 3986 alone.
fn url_text(field: Field, bytes: &[u8]) -> Result<String, TxError> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(byte);
    match String::from_utf8(bytes.to_vec()) {
        Ok(text) if bytes.iter().all(allowed) => Ok(text),
        _ => Err(TxError::MemoCharacter { field }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn with_memos(memos: &[Memo]) -> Object {
        let list = memos.iter().map(|memo| (sf::Memo, memo.to_object())).collect();
        Object::new().with(sf::Memos, Value::Array(list))
    }

    fn data(bytes: usize) -> Memo {
        Memo { memo_data: Some(vec![0; bytes]), ..Memo::default() }
    }

    #[test]
    fn memos_of_1024_bytes_are_the_most() {
        // Header and end of the entry, header of the field, two bytes of length.
        let room = MEMOS_MAX_BYTES - 5;
        assert_eq!(check_memos(&with_memos(&[data(room)])), Ok(()));
        assert_eq!(
            check_memos(&with_memos(&[data(room + 1)])),
            Err(TxError::MemosTooLong { length_bytes: MEMOS_MAX_BYTES + 1 })
        );
        assert!(check_memos(&with_memos(&[data(room), data(0)])).is_err(), "they count together");
    }

    #[test]
    fn types_and_formats_hold_url_characters_and_data_holds_any() {
        let memo = |text: &str| Memo {
            memo_type: Some(text.to_owned()),
            memo_format: Some("text/plain".to_owned()),
            memo_data: Some(vec![0xFF, 0]),
        };
        assert_eq!(check_memos(&with_memos(&[memo("http://example.com/?a=b#c%20[~]")])), Ok(()));
        for bad in ["a b", "é", "\"", "<", "{", "\\", "^", "`", "\0"] {
            assert_eq!(
                check_memos(&with_memos(&[memo(bad)])),
                Err(TxError::MemoCharacter { field: sf::MemoType }),
                "{bad}"
            );
        }
    }

    #[test]
    fn anything_else_among_the_memos_is_refused() {
        let stray = Object::new().with(sf::Memos, Value::Array(vec![(sf::Signer, Object::new())]));
        assert_eq!(check_memos(&stray), Err(TxError::MemoMalformed));
        let inner = Object::new().with(sf::Domain, vec![1_u8]);
        let inner = Object::new().with(sf::Memos, Value::Array(vec![(sf::Memo, inner)]));
        assert_eq!(check_memos(&inner), Err(TxError::MemoMalformed));
    }
}
