//! Passkeys: what the configuration holds of one, and the two ceremonies of WebAuthn.
//!
//! The half that signs is in the person's device and never comes here. The half that the daemon needs to look at a gesture
//! stands in the configuration, beside the person's token: whoever may write there says whose passkeys count, and a session
//! that was stolen can make none that does.

mod ceremony;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use treasury_tools::value;
use webauthn_rp::bin::Decode;
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, Backup, CredentialId};

pub(crate) use ceremony::{Asked, Enrolling, Site};

/// The form that is written. A later one would have another number, and this one be read for ever.
const FORM: u8 = 1;

/// Bytes of what the device said of itself when the passkey was made.
const MADE_BYTES: usize = 7;

/// A public key as it is kept.
type Key = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// One passkey of a person. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// What the person calls it.
    name: String,
    /// What the device knows it by.
    id: Vec<u8>,
    /// How the device is reached.
    transports: u8,
    /// What the device said of itself when it was made.
    made: [u8; MADE_BYTES],
    /// The public key.
    key: Vec<u8>,
}

impl Passkey {
    /// What the person calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first 20 digits of the SHA-256 of its line behind the name, for people to compare. It is of the key as well as of
    /// the id: another key under the same id is another passkey.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::digest(self.coded().as_bytes());
        let pairs: Vec<String> = hash.chunks(2).take(5).map(hex::encode).collect();
        pairs.join(" ")
    }

    /// Whether the same passkey may be on other devices as well, as the makers of some copy them.
    #[must_use]
    pub fn is_copied(&self) -> bool {
        self.made().is_some_and(|made| made.backup != Backup::NotEligible)
    }

    /// Whether it is the same one, whatever it is called.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.id == other.id
    }

    fn made(&self) -> Option<DynamicState> {
        DynamicState::decode(self.made).ok()
    }

    fn key(&self) -> Option<StaticState<Key>> {
        StaticState::decode(self.key.as_slice()).ok()
    }

    fn transports(&self) -> Option<AuthTransports> {
        AuthTransports::decode(self.transports).ok()
    }

    fn id(&self) -> Option<CredentialId<&[u8]>> {
        CredentialId::<&[u8]>::decode(self.id.as_slice()).ok()
    }

    /// All but the name, as the configuration has it.
    fn coded(&self) -> String {
        // An id has at most 1,023 bytes.
        let length = u16::try_from(self.id.len()).unwrap_or(u16::MAX).to_be_bytes();
        let parts: [&[u8]; 5] = [&[FORM, self.transports], &length, &self.id, &self.made, &self.key];
        URL_SAFE_NO_PAD.encode(parts.concat())
    }

    /// Whether all of it can be read.
    fn is_whole(&self) -> bool {
        let is_verified = self.made().is_some_and(|made| made.user_verified);
        is_verified && self.key().is_some() && self.transports().is_some() && self.id().is_some()
    }
}

/// As the configuration has it.
impl fmt::Display for Passkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.coded())
    }
}

impl FromStr for Passkey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "is no passkey as the console's page Passkeys writes them".to_owned();
        let (name, coded) = text.split_once(':').ok_or_else(wrong)?;
        let name = value::name(name)?;
        let bytes = URL_SAFE_NO_PAD.decode(coded).map_err(|_| wrong())?;
        let (&[form, transports, high, low], rest) = bytes.split_first_chunk().ok_or_else(wrong)?;
        if form != FORM {
            return Err(format!("is a passkey of the form {form}, which this release does not read"));
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (id, rest) = rest.split_at_checked(length).ok_or_else(wrong)?;
        let (made, key) = rest.split_first_chunk::<MADE_BYTES>().ok_or_else(wrong)?;
        let passkey = Self { name, id: id.to_vec(), transports, made: *made, key: key.to_vec() };
        if passkey.is_whole() { Ok(passkey) } else { Err(wrong()) }
    }
}

#[cfg(test)]
pub(crate) mod tests;
