//! The encrypted file of the daemon's own keys.
//!
//! An age file with a passphrase (scrypt), holding JSON. It guards keys at rest: against a stolen disk or
//! backup, not against whoever can read the daemon's memory or its passphrase.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use age::scrypt::{Identity, Recipient};
use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use treasury_core::effect::FIRST_KEY;
use treasury_core::units::AccountId;
use xrpl_wire::{KeyPair, KeyType, Seed};
use zeroize::{Zeroize, Zeroizing};

use crate::private::{self, Place, ReadError};

/// Length of the key that preimages are derived from: that of HMAC-SHA256's output, beyond which more
/// does not help.
pub const RELEASE_KEY_BYTES: usize = 32;

/// The form of the file's contents.
const VERSION: u32 = 1;

/// Opening a file that asks for more than 2^20 (1 GiB of memory) is refused: it is not ours.
const WORK_FACTOR_MAX: u8 = 20;

/// How much work each guess at the passphrase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkFactor {
    /// 2^17: some tenths of a second and 128 MiB for each.
    Normal,
    /// 2^4: for tests and the development mode, whose keys guard nothing.
    Quick,
}

impl WorkFactor {
    fn log_n(self) -> u8 {
        match self {
            Self::Normal => 17,
            Self::Quick => 4,
        }
    }
}

fn if_there_is_none(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::NotFound => "; where there was none ever, `treasuryd keystore create` makes one",
        _ => "",
    }
}

/// Why a keystore cannot be used. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// A new one would overwrite a file.
    #[error("{} exists already; a keystore is never overwritten", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("the keystore {} cannot be read: {source}{}", path.display(), if_there_is_none(source))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others could read it.
    #[error(
        "the keystore {} can be read by others than its owner; make it yours alone: chmod 600 {}",
        path.display(), path.display()
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("the keystore {} cannot be written: {source}", path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The passphrase does not open it.
    #[error("the passphrase does not open the keystore {}", path.display())]
    Passphrase {
        /// Which file.
        path: PathBuf,
    },
    /// It is not a keystore, or it is damaged.
    #[error("{} is not an intact keystore: {what}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// There is a key for the account already.
    #[error("the keystore has a key for {account} already")]
    HasKey {
        /// The account.
        account: AccountId,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
}

impl KeystoreError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "keystore_exists",
            Self::Unreadable { .. } => "keystore_unreadable",
            Self::Exposed { .. } => "keystore_exposed",
            Self::Unwritable { .. } => "keystore_unwritable",
            Self::Passphrase { .. } => "keystore_passphrase",
            Self::Damaged { .. } => "keystore_damaged",
            Self::HasKey { .. } => "keystore_has_key",
            Self::NoRandomness => "keystore_no_randomness",
        }
    }
}

/// An open keystore.
pub struct Keystore {
    path: PathBuf,
    passphrase: SecretString,
    log_n: u8,
    seeds: BTreeMap<AccountId, Seed>,
    release_keys: ReleaseKeys,
}

/// Release keys by version. Escrows are made with the newest, and released with the one that they were made with.
pub type ReleaseKeys = BTreeMap<u32, Zeroizing<[u8; RELEASE_KEY_BYTES]>>;

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystore")
            .field("path", &self.path)
            .field("accounts", &self.list())
            .finish_non_exhaustive()
    }
}

impl Keystore {
    /// Makes a new one with a release key drawn at random, and no other keys.
    ///
    /// Escrows that wait for release can be released with this very key only: back the file up.
    ///
    /// # Errors
    /// [`KeystoreError::Exists`], [`KeystoreError::Unwritable`], [`KeystoreError::NoRandomness`].
    pub fn create(path: &Path, passphrase: &SecretString, work: WorkFactor) -> Result<Self, KeystoreError> {
        let keystore = Self {
            path: path.to_owned(),
            passphrase: passphrase.clone(),
            log_n: work.log_n(),
            seeds: BTreeMap::new(),
            release_keys: BTreeMap::from([(FIRST_KEY, random()?)]),
        };
        keystore.write(false)?;
        Ok(keystore)
    }

    /// Opens one.
    ///
    /// # Errors
    /// `Unreadable`, `Exposed`, `Passphrase`, `Damaged` of [`KeystoreError`].
    pub fn open(path: &Path, passphrase: &SecretString) -> Result<Self, KeystoreError> {
        let damaged = |what| KeystoreError::Damaged { path: path.to_owned(), what };
        let mut encrypted = Vec::new();
        let read = private::open(path).and_then(|mut file| Ok(file.read_to_end(&mut encrypted)?));
        read.map_err(|error| match error {
            ReadError::Exposed => KeystoreError::Exposed { path: path.to_owned() },
            ReadError::Io(source) => KeystoreError::Unreadable { path: path.to_owned(), source },
        })?;
        let mut identity = Identity::new(passphrase.clone());
        identity.set_max_work_factor(WORK_FACTOR_MAX);
        let plain = Zeroizing::new(age::decrypt(&identity, &encrypted).map_err(|error| match error {
            age::DecryptError::DecryptionFailed
            | age::DecryptError::KeyDecryptionFailed
            | age::DecryptError::NoMatchingKeys => KeystoreError::Passphrase { path: path.to_owned() },
            age::DecryptError::ExcessiveWork { .. } => damaged("it asks for too much work to open"),
            age::DecryptError::InvalidMac => damaged("its checksum is wrong"),
            _ => damaged("it is not a file encrypted with a passphrase"),
        })?);
        // The error of serde_json may quote the text, so it goes no further.
        let contents: Contents =
            serde_json::from_slice(&plain).map_err(|_| damaged("its contents are not a keystore's"))?;
        if contents.version != VERSION {
            return Err(damaged("it is of another version of this program"));
        }
        let first = std::iter::once((&FIRST_KEY, &contents.release_key));
        let release_keys = first.chain(&contents.later_release_keys).map(|(version, text)| {
            let mut key = Zeroizing::new([0; RELEASE_KEY_BYTES]);
            hex::decode_to_slice(text, key.as_mut_slice())
                .map_err(|_| damaged("one of its release keys is malformed"))?;
            Ok((*version, key))
        });
        let release_keys = release_keys.collect::<Result<_, _>>()?;
        let seeds = contents.seeds.iter().map(|(account, seed)| {
            seed.parse().map(|seed| (*account, seed)).map_err(|_| damaged("one of its seeds is malformed"))
        });
        Ok(Self {
            path: path.to_owned(),
            passphrase: passphrase.clone(),
            log_n: contents.log_n.clamp(1, WORK_FACTOR_MAX),
            seeds: seeds.collect::<Result<_, _>>()?,
            release_keys,
        })
    }

    /// Adds a key for the account that it is the master key of.
    ///
    /// # Errors
    /// [`KeystoreError::HasKey`], [`KeystoreError::Unwritable`]; nothing has changed then.
    pub fn add(&mut self, seed: Seed) -> Result<AccountId, KeystoreError> {
        let account = KeyPair::from_seed(&seed).account_id();
        self.add_for(account, seed)?;
        Ok(account)
    }

    /// Adds a key that signs for another account, as its RegularKey.
    ///
    /// # Errors
    /// [`KeystoreError::HasKey`], [`KeystoreError::Unwritable`]; nothing has changed then.
    pub fn add_for(&mut self, account: AccountId, seed: Seed) -> Result<(), KeystoreError> {
        if self.seeds.contains_key(&account) {
            return Err(KeystoreError::HasKey { account });
        }
        self.seeds.insert(account, seed);
        self.write(true).inspect_err(|_| {
            self.seeds.remove(&account);
        })
    }

    /// Draws a new key at random, adds it, and returns its account. The seed is in the keystore alone.
    ///
    /// # Errors
    /// [`KeystoreError::Unwritable`], [`KeystoreError::NoRandomness`].
    pub fn generate(&mut self, key_type: KeyType) -> Result<AccountId, KeystoreError> {
        self.add(Seed::from_entropy(*random()?, key_type))
    }

    /// Draws a new release key, with which escrows are made from now on, and returns its version. The earlier ones stay:
    /// what was made with them is released with them.
    ///
    /// # Errors
    /// [`KeystoreError::Unwritable`], [`KeystoreError::NoRandomness`]; nothing has changed then.
    pub fn rotate_release_key(&mut self) -> Result<u32, KeystoreError> {
        let version =
            self.release_keys.keys().next_back().map_or(FIRST_KEY, |newest| newest.saturating_add(1));
        self.release_keys.insert(version, random()?);
        self.write(true).inspect_err(|_| {
            self.release_keys.remove(&version);
        })?;
        Ok(version)
    }

    /// The accounts it has keys for. Seeds are never shown.
    #[must_use]
    pub fn list(&self) -> Vec<AccountId> {
        self.seeds.keys().copied().collect()
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn seeds(&self) -> impl Iterator<Item = (AccountId, &Seed)> {
        self.seeds.iter().map(|(account, seed)| (*account, seed))
    }

    pub(crate) fn release_keys(&self) -> &ReleaseKeys {
        &self.release_keys
    }

    /// Writes a new file beside the old one and puts it in its place, so that a crash leaves one or the
    /// other whole.
    fn write(&self, replace: bool) -> Result<(), KeystoreError> {
        let unwritable = |source| KeystoreError::Unwritable { path: self.path.clone(), source };
        let mut plain = Zeroizing::new(Vec::with_capacity(PLAIN_BYTES));
        serde_json::to_writer(&mut *plain, &self.contents())
            .map_err(|error| unwritable(io::Error::other(error)))?;
        let mut recipient = Recipient::new(self.passphrase.clone());
        recipient.set_work_factor(self.log_n);
        let encrypted =
            age::encrypt(&recipient, &plain).map_err(|error| unwritable(io::Error::other(error)))?;
        // Made with mode 0600: the operating system keeps others out, the passphrase whoever gets a copy.
        let place = if replace { Place::AlsoTaken } else { Place::Free };
        private::write_whole(&self.path, &encrypted, place).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => KeystoreError::Exists { path: self.path.clone() },
            _ => unwritable(error),
        })
    }

    fn contents(&self) -> Contents {
        let mut keys = self.release_keys.iter().map(|(version, key)| (*version, hex::encode(key.as_slice())));
        Contents {
            version: VERSION,
            log_n: self.log_n,
            release_key: keys.next().map(|(_, first)| first).unwrap_or_default(),
            later_release_keys: keys.collect(),
            seeds: self
                .seeds
                .iter()
                .map(|(account, seed)| (*account, seed.to_base58().to_string()))
                .collect(),
        }
    }
}

/// Room for the contents with some hundred keys. A vector that grows leaves copies of secrets behind.
const PLAIN_BYTES: usize = 16 * 1024;

/// What is encrypted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    /// The work factor, kept when the file is written again.
    log_n: u8,
    /// The first.
    release_key: String,
    /// Those that were drawn later, by version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    later_release_keys: BTreeMap<u32, String>,
    seeds: BTreeMap<AccountId, String>,
}

impl Drop for Contents {
    fn drop(&mut self) {
        self.release_key.zeroize();
        self.later_release_keys.values_mut().for_each(Zeroize::zeroize);
        self.seeds.values_mut().for_each(Zeroize::zeroize);
    }
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, KeystoreError> {
    let mut bytes = Zeroizing::new([0; N]);
    OsRng.try_fill_bytes(bytes.as_mut_slice()).map_err(|_| KeystoreError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase() -> SecretString {
        SecretString::from("correct horse")
    }

    fn seed(number: u8) -> Seed {
        Seed::from_entropy([number; 16], KeyType::Ed25519)
    }

    #[test]
    fn what_was_added_is_there_when_it_is_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keystore.age");
        let mut keystore = Keystore::create(&path, &passphrase(), WorkFactor::Quick).unwrap();
        let one = keystore.add(seed(1)).unwrap();
        let two = keystore.generate(KeyType::Secp256k1).unwrap();
        keystore.add_for(AccountId([9; 20]), seed(3)).unwrap();
        let opened = Keystore::open(&path, &passphrase()).unwrap();
        let mut expected = vec![one, two, AccountId([9; 20])];
        expected.sort();
        assert_eq!(opened.list(), expected);
        assert_eq!(opened.release_keys(), keystore.release_keys());
        assert_eq!(opened.log_n, WorkFactor::Quick.log_n());
        let key = |keystore: &Keystore, account| {
            keystore
                .seeds()
                .find(|(of, _)| *of == account)
                .map(|(_, seed)| KeyPair::from_seed(seed).public_key())
        };
        for account in expected {
            assert_eq!(key(&opened, account), key(&keystore, account));
        }
    }

    #[test]
    fn a_wrong_passphrase_and_a_damaged_file_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keystore.age");
        drop(Keystore::create(&path, &passphrase(), WorkFactor::Quick).unwrap());
        let wrong = Keystore::open(&path, &SecretString::from("battery staple")).unwrap_err();
        assert_eq!(wrong.code(), "keystore_passphrase");
        assert_eq!(
            Keystore::open(&dir.path().join("none"), &passphrase()).unwrap_err().code(),
            "keystore_unreadable"
        );
        let whole = std::fs::read(&path).unwrap();
        for (name, bytes) in [("cut", &whole[..whole.len() - 1]), ("empty", &[][..]), ("text", b"{}")] {
            let path = dir.path().join(name);
            drop(private::create(&path).unwrap());
            std::fs::write(&path, bytes).unwrap();
            let code = Keystore::open(&path, &passphrase()).unwrap_err().code();
            assert!(matches!(code, "keystore_damaged" | "keystore_passphrase"), "{name}: {code}");
        }
    }

    #[test]
    fn a_file_that_is_there_is_never_overwritten_by_a_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keystore.age");
        let first = Keystore::create(&path, &passphrase(), WorkFactor::Quick).unwrap();
        let error = Keystore::create(&path, &passphrase(), WorkFactor::Quick).unwrap_err();
        assert_eq!(error.code(), "keystore_exists");
        assert_eq!(Keystore::open(&path, &passphrase()).unwrap().release_keys(), first.release_keys());
    }

    #[test]
    fn a_rotated_release_key_is_added_and_the_earlier_ones_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k");
        let mut keystore = Keystore::create(&path, &passphrase(), WorkFactor::Quick).unwrap();
        let first = keystore.release_keys()[&1].clone();
        assert_eq!((keystore.rotate_release_key().unwrap(), keystore.rotate_release_key().unwrap()), (2, 3));
        let mut opened = Keystore::open(&path, &passphrase()).unwrap();
        assert_eq!(opened.release_keys(), keystore.release_keys());
        assert_eq!(opened.release_keys().len(), 3);
        assert_eq!(opened.release_keys()[&1], first);
        // A key that is added later loses none of them.
        opened.add(seed(1)).unwrap();
        assert_eq!(Keystore::open(&path, &passphrase()).unwrap().release_keys(), keystore.release_keys());
    }

    #[test]
    fn an_account_has_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let mut keystore = Keystore::create(&dir.path().join("k"), &passphrase(), WorkFactor::Quick).unwrap();
        keystore.add(seed(1)).unwrap();
        assert_eq!(keystore.add(seed(1)).unwrap_err().code(), "keystore_has_key");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_file_and_it_holds_nothing_in_the_clear() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keystore.age");
        let mut keystore = Keystore::create(&path, &passphrase(), WorkFactor::Quick).unwrap();
        let account = keystore.add(seed(1)).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let bytes = std::fs::read(&path).unwrap();
        for text in [account.to_string(), seed(1).to_base58().to_string(), "release_key".to_owned()] {
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text}");
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no file is left behind");
    }

    #[test]
    fn a_keystore_that_others_can_read_is_not_opened() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k");
        drop(Keystore::create(&path, &passphrase(), WorkFactor::Quick).unwrap());
        for (mode, code) in
            [(0o644, Some("keystore_exposed")), (0o660, Some("keystore_exposed")), (0o400, None)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let opened = Keystore::open(&path, &passphrase());
            assert_eq!(opened.err().map(|error| error.code()), code, "{mode:o}");
        }
    }

    #[test]
    fn nothing_secret_is_shown_in_debug() {
        let dir = tempfile::tempdir().unwrap();
        let mut keystore = Keystore::create(&dir.path().join("k"), &passphrase(), WorkFactor::Quick).unwrap();
        keystore.add(seed(1)).unwrap();
        let text = format!("{keystore:?}");
        assert!(!text.contains(seed(1).to_base58().as_str()) && !text.contains("correct"), "{text}");
        assert!(!text.contains(&hex::encode(keystore.release_keys()[&FIRST_KEY].as_slice())), "{text}");
    }
}
