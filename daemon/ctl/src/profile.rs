//! Where the daemon is, who speaks, and with what key: from the command line, a profile file or the environment.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use xrpl_wire::{AccountId, KeyPair, KeyType, Seed};
use zeroize::Zeroizing;

use treasury_api::client::Way;
use treasury_tools::private::{self, ReadError};
use treasury_tools::text::is_hidden;

/// Where the daemon listens unless it is said otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8580";

/// A profile file, as it is written. Paths in it are relative to the file.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileFile {
    /// Where the daemon listens: `http://127.0.0.1:8580`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A file that holds the bearer token and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// The address of a proxy to go through, which may have user and password. Those of the environment do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Whether the token may be sent by plain http beyond this machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain_http: bool,
    /// The signer account. Where it is left out, that of the seed's own key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<AccountId>,
    /// A file that holds the seed which signs: of the signer account's master key, or of its RegularKey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed_file: Option<PathBuf>,
    /// The type of key that the seed is for, where it begins with a plain `s` and so does not say: `ed25519` or
    /// `secp256k1`. Left out, it is the one whose account is the signer's, or secp256k1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_type: Option<KeyType>,
}

impl fmt::Debug for ProfileFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The proxy's address may have a password in it.
        f.debug_struct("ProfileFile")
            .field("url", &self.url)
            .field("token_file", &self.token_file)
            .field("signer", &self.signer)
            .field("seed_file", &self.seed_file)
            .field("key_type", &self.key_type)
            .finish_non_exhaustive()
    }
}

/// What one run of the tool works with.
#[derive(Debug)]
pub struct Profile {
    /// Where the daemon listens.
    pub url: String,
    /// How to get there.
    pub way: Way,
    /// The bearer token.
    pub token: Option<SecretString>,
    /// The signer account.
    pub signer: Option<AccountId>,
    /// Where the seed is. It is read only when something is signed.
    pub seed_file: Option<PathBuf>,
    /// The type of key that the seed is for, where somebody said so.
    pub key_type: Option<KeyType>,
}

/// What the command line says about it.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// `--url`.
    pub url: Option<String>,
    /// `--token-file`.
    pub token_file: Option<PathBuf>,
    /// `--profile`.
    pub profile: Option<PathBuf>,
    /// `--plain-http`.
    pub plain_http: bool,
}

/// What is wrong with a profile or a file that it names. Never holds what is in a secret file.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The profile is not what it should be.
    #[error("{path}: {problem}")]
    Profile {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Others could read a secret.
    #[error("{path} can be read by others than its owner; make it yours alone: chmod 600 {path}")]
    Exposed {
        /// Which.
        path: PathBuf,
    },
    /// The seed file holds no seed.
    #[error("{path} holds no seed; write the seed that starts with `s`, and nothing else")]
    NoSeed {
        /// Which.
        path: PathBuf,
    },
    /// The seed says another type of key than the profile.
    #[error("{path} holds a seed for an ed25519 key, and `key_type` says otherwise; leave it out")]
    OtherType {
        /// Which.
        path: PathBuf,
    },
    /// Something is needed that nobody gave.
    #[error("{0}")]
    Missing(&'static str),
}

impl Profile {
    /// Puts together what the command line, the profile and the environment (`TREASURYD_URL`, `TREASURYD_TOKEN`)
    /// say; what comes first in that order counts.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn resolve(given: &Given, env: impl Fn(&str) -> Option<String>) -> Result<Self, ProfileError> {
        let (file, base) = match &given.profile {
            Some(path) => (read_profile(path)?, path.parent().map(Path::to_path_buf).unwrap_or_default()),
            None => (ProfileFile::default(), PathBuf::new()),
        };
        let token_file = given.token_file.clone().or_else(|| file.token_file.map(|path| base.join(path)));
        let token = match token_file {
            Some(path) => Some(SecretString::from(bare(&read_secret(&path)?))),
            None => env("TREASURYD_TOKEN").map(SecretString::from),
        };
        let url = given.url.clone().or(file.url).or_else(|| env("TREASURYD_URL"));
        Ok(Self {
            url: url.unwrap_or_else(|| DEFAULT_URL.to_owned()),
            way: Way {
                proxy: file.proxy.map(SecretString::from),
                plain_http: given.plain_http || file.plain_http,
            },
            token,
            signer: file.signer,
            seed_file: file.seed_file.map(|path| base.join(path)),
            key_type: file.key_type,
        })
    }

    /// Reads the key that signs, and the signer account it signs for.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn key(&self) -> Result<(AccountId, KeyPair), ProfileError> {
        let path = self.seed_file.as_ref().ok_or(ProfileError::Missing(
            "signing needs a key: use --profile with a file that has `seed_file`",
        ))?;
        let text = read_secret(path)?;
        let text = bare(&text);
        let seed = Seed::from_str(text).map_err(|_| ProfileError::NoSeed { path: path.clone() })?;
        let says_its_type = text.starts_with("sEd");
        if says_its_type && self.key_type.is_some_and(|asked| asked != seed.key_type()) {
            return Err(ProfileError::OtherType { path: path.clone() });
        }
        let key = KeyPair::from_seed(&seed);
        let other = KeyPair::from_seed(&seed.other_reading());
        let is_other = match self.key_type {
            _ if says_its_type => false,
            Some(asked) => asked != seed.key_type(),
            None => self.signer == Some(other.account_id()),
        };
        let key = if is_other { other } else { key };
        Ok((self.signer.unwrap_or_else(|| key.account_id()), key))
    }

    /// The token's text.
    #[must_use]
    pub fn token_text(&self) -> Option<String> {
        self.token.as_ref().map(|token| token.expose_secret().to_owned())
    }
}

fn read_profile(path: &Path) -> Result<ProfileFile, ProfileError> {
    let text =
        fs::read_to_string(path).map_err(|source| ProfileError::Read { path: path.to_path_buf(), source })?;
    let file: ProfileFile = toml::from_str(&text).map_err(|error| ProfileError::Profile {
        path: path.to_path_buf(),
        // The whole error quotes the line.
        problem: error.message().to_owned(),
    })?;
    // A profile holds no secret but this one.
    if file.proxy.as_ref().is_some_and(|proxy| proxy.contains('@')) {
        drop(read_secret(path)?);
    }
    Ok(file)
}

/// What is in a file of one word, without what editors put around it: the end of the line, a mark of the encoding.
fn bare(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_whitespace() || is_hidden(letter))
}

/// Reads a file that only its owner may read.
fn read_secret(path: &Path) -> Result<Zeroizing<String>, ProfileError> {
    private::read_text(path).map_err(|error| match error {
        ReadError::Exposed => ProfileError::Exposed { path: path.to_path_buf() },
        ReadError::Io(source) => ProfileError::Read { path: path.to_path_buf(), source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_command_line_comes_before_the_profile_and_that_before_the_environment() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "alice.token", "\u{feff}from-profile \r\n", 0o600);
        let profile =
            write(dir.path(), "alice.toml", "url = \"http://b\"\ntoken_file = \"alice.token\"\n", 0o644);
        let env = |name: &str| match name {
            "TREASURYD_URL" => Some("http://c".to_owned()),
            "TREASURYD_TOKEN" => Some("from-env".to_owned()),
            _ => None,
        };
        let given = |url: Option<&str>, profile: Option<&PathBuf>| Given {
            url: url.map(str::to_owned),
            token_file: None,
            profile: profile.cloned(),
            plain_http: false,
        };
        for (given, url, token) in [
            (given(Some("http://a"), Some(&profile)), "http://a", "from-profile"),
            (given(None, Some(&profile)), "http://b", "from-profile"),
            (given(None, None), "http://c", "from-env"),
        ] {
            let resolved = Profile::resolve(&given, env).unwrap();
            assert_eq!((resolved.url.as_str(), resolved.token_text().as_deref()), (url, Some(token)));
        }
        let nothing = Profile::resolve(&given(None, None), |_| None).unwrap();
        assert_eq!((nothing.url.as_str(), nothing.token_text()), (DEFAULT_URL, None));
    }

    #[test]
    fn a_seed_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let seed = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";
        for (mode, refused) in [(0o644, true), (0o660, true), (0o600, false), (0o400, false)] {
            let path = write(dir.path(), &format!("seed-{mode:o}"), seed, mode);
            let profile = Profile {
                url: String::new(),
                way: Way::default(),
                token: None,
                signer: None,
                seed_file: Some(path),
                key_type: None,
            };
            assert_eq!(matches!(profile.key(), Err(ProfileError::Exposed { .. })), refused, "{mode:o}");
        }
    }

    /// Danger: a seed that does not say its type signs as somebody whom nobody has in a SignerList.
    #[test]
    fn a_seed_that_does_not_say_its_type_is_read_as_the_signers() {
        let dir = tempfile::tempdir().unwrap();
        let plain: Seed = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb".parse().unwrap();
        let account = |seed: &Seed| KeyPair::from_seed(seed).account_id();
        let (usual, twin) = (account(&plain), account(&plain.other_reading()));
        let stranger = AccountId([7; 20]);
        let typed = plain.other_reading().to_base58().to_string();
        for (number, (text, signer, key_type, expected)) in [
            ("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", None, None, Some(usual)),
            ("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", Some(usual), None, Some(usual)),
            ("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", Some(twin), None, Some(twin)),
            // A RegularKey's.
            ("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", Some(stranger), None, Some(usual)),
            ("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", Some(stranger), Some(KeyType::Ed25519), Some(twin)),
            (typed.as_str(), Some(usual), None, Some(twin)),
            (typed.as_str(), Some(twin), Some(KeyType::Secp256k1), None),
        ]
        .into_iter()
        .enumerate()
        {
            let seed_file = Some(write(dir.path(), &format!("seed-{number}"), text, 0o600));
            let url = String::new();
            let profile = Profile { url, way: Way::default(), token: None, signer, seed_file, key_type };
            match (profile.key(), expected) {
                (Ok((signs_for, key)), Some(expected)) => {
                    assert_eq!(key.account_id(), expected, "{number}");
                    assert_eq!(signs_for, signer.unwrap_or(expected));
                }
                (Err(ProfileError::OtherType { .. }), None) => {}
                (other, _) => panic!("{number}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_profile_with_the_password_of_a_proxy_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let text = "proxy = \"http://u:PASSWORD99@proxy.example:3128\"\nplain_http = true\n";
        let given =
            |mode| Given { profile: Some(write(dir.path(), "p.toml", text, mode)), ..Given::default() };
        let exposed = Profile::resolve(&given(0o644), |_| None).unwrap_err();
        assert!(matches!(exposed, ProfileError::Exposed { .. }), "{exposed}");
        let profile = Profile::resolve(&given(0o600), |_| None).unwrap();
        assert!(profile.way.plain_http && profile.way.proxy.is_some());
        assert!(!format!("{profile:?}").contains("PASSWORD99"));
    }

    #[test]
    fn a_profile_with_an_unknown_word_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let profile = write(dir.path(), "p.toml", "urll = \"http://b\"\n", 0o600);
        let given = Given { profile: Some(profile), ..Given::default() };
        let error = Profile::resolve(&given, |_| None).unwrap_err();
        assert!(error.to_string().contains("urll"), "{error}");
    }
}
