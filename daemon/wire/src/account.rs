//! Account ids and their classic addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::recent::Recent;

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
        let shown = SHOWN.with(|shown| shown.get(&self.0, || Shown::of(self)));
        let text = shown.room.get(shown.begins..).unwrap_or_default();
        f.pad(std::str::from_utf8(text).map_err(|_| fmt::Error)?)
    }
}

thread_local! {
    static SHOWN: Recent<20, Shown> = const { Recent::new() };
}

/// An address as it was written.
#[derive(Clone, Copy)]
struct Shown {
    room: [u8; ADDRESS_DIGITS],
    /// Where in the room the address begins; it ends where the room does.
    begins: usize,
}

impl Shown {
    fn of(account: &AccountId) -> Shown {
        let mut room = [0; ADDRESS_DIGITS];
        let length = address(account, &mut room).len();
        Shown { room, begins: ADDRESS_DIGITS - length }
    }
}

/// The digits of addresses, from none to 57.
const DIGITS: &[u8; 58] = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";

/// As many digits as one division brings out: their product is the greatest below 2^32.
const AT_ONCE: usize = 5;
const FIVE_DIGITS: u64 = 58 * 58 * 58 * 58 * 58;

/// The words of 32 bits that hold what an address says: a version, the account, and four bytes of a hash.
const WORDS: usize = 7;

/// The most digits there are: one division for each word brings out all of them.
const ADDRESS_DIGITS: usize = WORDS * AT_ONCE;

/// The classic address of an account. Where a server shows much it mostly shows addresses, and the ready-made encoders
/// divide byte by byte, which took a quarter of the time of listing anything.
fn address<'r>(account: &AccountId, room: &'r mut [u8; ADDRESS_DIGITS]) -> &'r [u8] {
    // Three bytes that fill up the first word, and the version, which is 0.
    let mut bytes = [0_u8; 4 * WORDS];
    bytes[4..24].copy_from_slice(&account.0);
    let hash = Sha256::digest(Sha256::digest(&bytes[3..24]));
    bytes[24..].copy_from_slice(&hash[..4]);
    // Each zero byte in front is a digit of its own, the version first.
    let zeros = bytes[3..].iter().take_while(|byte| **byte == 0).count();

    let mut words = [0_u64; WORDS];
    for (word, four) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = four.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    for digits in room.rchunks_exact_mut(AT_ONCE) {
        let mut rest = words.iter_mut().fold(0, |rest, word| {
            let part = rest << 32 | *word;
            *word = part / FIVE_DIGITS;
            part % FIVE_DIGITS
        });
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[usize::try_from(rest % 58).unwrap_or_default()];
            rest /= 58;
        }
    }
    let nothing = room.iter().take_while(|digit| **digit == DIGITS[0]).count();
    // A byte has more than a digit, so there are at least as many zero digits as zero bytes.
    &room[nothing.saturating_sub(zeros)..]
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
    fn addresses_are_those_of_the_ready_made_encoder() {
        let known = |account: &AccountId| {
            bs58::encode(account.0).with_alphabet(bs58::Alphabet::RIPPLE).with_check_version(0).into_string()
        };
        for number in 0..20_000_u32 {
            let hash = Sha256::digest(number.to_be_bytes());
            let mut bytes = [0; 20];
            bytes.copy_from_slice(&hash[..20]);
            // With zeros in front, and with nothing but the greatest.
            let zeros = usize::try_from(number % 21).unwrap();
            bytes[..zeros].fill(if number % 3 == 0 { 0xFF } else { 0 });
            let account = AccountId(bytes);
            assert_eq!(account.to_string(), known(&account));
        }
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
