//! Account ids and their classic addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The 20 bytes that name an account. Ordered by bytes, as the ledger orders Signers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AccountId(pub [u8; 20]);

/// A text that is no classic address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a classic address")]
pub struct AddressError;

impl AddressError {
    /// A stable name of the error, for machines.
    pub fn code(&self) -> &'static str {
        "bad_address"
    }
}

/// An address has 25 to 35 characters; base58 decoding takes time in the square of the length, so
/// longer texts are refused before it.
const MAX_ADDRESS_CHARS: usize = 64;

impl AccountId {
    /// Twenty zero bytes (`rrrrrrrrrrrrrrrrrrrrrhoLvTp`): the sender of pseudo-transactions.
    pub const ZERO: AccountId = AccountId([0; 20]);

    /// The number one (`rrrrrrrrrrrrrrrrrrrrBZbvji`): the issuer in the balance of a trust line.
    pub const ONE: AccountId = {
        let mut bytes = [0; 20];
        bytes[19] = 1;
        AccountId(bytes)
    };

    /// The account id of 20 bytes; none of any other number.
    pub fn from_slice(bytes: &[u8]) -> Option<AccountId> {
        bytes.try_into().ok().map(AccountId)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            bs58::encode(self.0).with_alphabet(bs58::Alphabet::RIPPLE).with_check_version(0).into_string();
        f.pad(&text)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AccountId {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<AccountId, AddressError> {
        if text.len() > MAX_ADDRESS_CHARS {
            return Err(AddressError);
        }
        let bytes = bs58::decode(text)
            .with_alphabet(bs58::Alphabet::RIPPLE)
            .with_check(Some(0))
            .into_vec()
            .map_err(|_| AddressError)?;
        // The version byte comes first.
        let payload = bytes.get(1..).ok_or(AddressError)?;
        AccountId::from_slice(payload).ok_or(AddressError)
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AccountId, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_addresses_read_and_write() {
        assert_eq!(AccountId::ZERO.to_string(), "rrrrrrrrrrrrrrrrrrrrrhoLvTp");
        assert_eq!(AccountId::ONE.to_string(), "rrrrrrrrrrrrrrrrrrrrBZbvji");
        let genesis: AccountId = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh".parse().unwrap();
        assert_eq!(hex::encode_upper(genesis.0), "B5F762798A53D543A014CAF8B297CFF8F2F937E8");
        assert_eq!(genesis.to_string(), "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh");
    }

    #[test]
    fn a_wrong_checksum_length_or_kind_is_refused() {
        for text in [
            "",
            "r",
            "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi",
            "snoPBrXtMeMyMHUVTgbuqAfg1SUTb",
            "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh ",
            "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr",
            "0OIl",
            "é",
        ] {
            assert_eq!(text.parse::<AccountId>(), Err(AddressError), "{text}");
        }
    }
}
