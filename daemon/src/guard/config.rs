//! The guard's configuration: a file of its own, with servers, keys and a policy of its own.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use treasury_core::units::{AccountId, Amount};
use treasury_tools::value;

use super::http::{GuardTokens, token_hash};
use super::policy::{Limit, Policy};
use super::sight::Sight;
use crate::config::{Endpoint, PassphraseSource};

/// Everything a guard is told before it starts.
#[derive(Clone, Debug)]
pub struct GuardSettings {
    /// Where its store is.
    pub data_dir: PathBuf,
    /// Where its API listens.
    pub listen: SocketAddr,
    /// The encrypted file of its keys.
    pub keystore: PathBuf,
    /// Where the keystore's passphrase comes from.
    pub passphrase: PassphraseSource,
    /// Who may ask what.
    pub tokens: GuardTokens,
    /// Whether a stop is lifted by somebody else than whoever set it.
    pub lift_by_another: bool,
    /// Its ledger servers.
    pub sight: Sight,
    /// What it gives shares for.
    pub policy: Policy,
}

/// What is wrong with a guard's configuration, in words that name key and line.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the configuration {} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("the guard's configuration is wrong: {0}")]
    Wrong(String),
}

impl SettingsError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "guard_config_unreadable",
            Self::Wrong(_) => "guard_config_wrong",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    guard: GuardTable,
    network: NetworkTable,
    policy: PolicyTable,
    #[serde(default)]
    limit: Vec<LimitTable>,
    #[serde(default)]
    operator: Vec<OperatorTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GuardTable {
    data_dir: PathBuf,
    listen: Option<SocketAddr>,
    keystore: PathBuf,
    passphrase_file: Option<PathBuf>,
    #[serde(deserialize_with = "hash")]
    daemon_token_sha256: [u8; 32],
    #[serde(default = "yes")]
    lift_by_another: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkTable {
    endpoints: Vec<Server>,
    network_id: Option<u32>,
    #[serde(default = "age", deserialize_with = "age_max")]
    ledger_age_max: Option<u32>,
    #[serde(default = "patience")]
    timeout: Seconds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyTable {
    owners: Vec<AccountId>,
    destinations: Option<Vec<AccountId>>,
    escrow_max: Vec<Sum>,
    delay_min: Seconds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitTable {
    most: Sum,
    period: Seconds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatorTable {
    name: String,
    #[serde(deserialize_with = "hash")]
    token_sha256: [u8; 32],
}

struct Server(Endpoint);
struct Seconds(u32);
struct Sum(Amount);

/// Reads a text of the file as `parse` does; the file's reader adds the line.
macro_rules! texts {
    ($($name:ident $parse:expr;)+) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $parse(&text).map(Self).map_err(D::Error::custom)
            }
        }
    )+};
}

texts! {
    Server Endpoint::parse;
    Seconds value::duration;
    Sum value::any_amount;
}

fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    token_hash(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn age_max<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "any" => Ok(None),
        text => value::duration(text).map(Some).map_err(D::Error::custom),
    }
}

fn yes() -> bool {
    true
}

/// As the daemon's.
#[expect(clippy::unnecessary_wraps, reason = "the default of a key that may say `any`")]
fn age() -> Option<u32> {
    Some(60)
}

fn patience() -> Seconds {
    Seconds(10)
}

impl GuardSettings {
    /// Reads and checks a file. Paths in it are relative to the folder it is in.
    ///
    /// # Errors
    /// Every [`SettingsError`].
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path.parent().unwrap_or_else(|| Path::new("")))
    }

    /// Reads and checks a file's text.
    ///
    /// # Errors
    /// [`SettingsError::Wrong`].
    pub fn parse(text: &str, base_dir: &Path) -> Result<Self, SettingsError> {
        let wrong = |what: String| SettingsError::Wrong(what);
        let file: File = toml::from_str(text).map_err(|error| {
            // It quotes the line, and somebody may have written a seed there.
            wrong(treasury_tools::text::without_seeds(error.to_string().trim_end()).into_owned())
        })?;
        let File { guard, network, policy, limit, operator } = file;
        let endpoints: Vec<Endpoint> = network.endpoints.into_iter().map(|server| server.0).collect();
        if endpoints.is_empty() {
            return Err(wrong("network.endpoints names no server".to_owned()));
        }
        let voices = |at: usize| endpoints.iter().take(at).map(Endpoint::voice);
        if endpoints.iter().enumerate().any(|(at, one)| voices(at).any(|other| other == one.voice())) {
            return Err(wrong("network.endpoints names a host twice, and a host is one witness".to_owned()));
        }
        let owners: BTreeSet<AccountId> = policy.owners.into_iter().collect();
        if owners.is_empty() {
            return Err(wrong("policy.owners names nobody, so no share would ever be given".to_owned()));
        }
        let escrow_max: Vec<Amount> = policy.escrow_max.into_iter().map(|sum| sum.0).collect();
        let issues: Vec<_> = escrow_max.iter().map(Amount::issue).collect();
        if issues.iter().enumerate().any(|(at, issue)| issues.iter().take(at).any(|other| other == issue)) {
            return Err(wrong("policy.escrow_max names an asset twice".to_owned()));
        }
        if let Some(limit) = limit.iter().find(|limit| !issues.contains(&limit.most.0.issue())) {
            let what = format!(
                "a limit on {} is of an asset that policy.escrow_max does not name",
                limit.most.0.issue()
            );
            return Err(wrong(what));
        }
        let operators: Vec<(String, [u8; 32])> =
            operator.into_iter().map(|operator| (operator.name, operator.token_sha256)).collect();
        check_operators(&operators, guard.lift_by_another, &guard.daemon_token_sha256).map_err(wrong)?;
        let passphrase = match guard.passphrase_file {
            Some(path) => PassphraseSource::File(base_dir.join(path)),
            None => PassphraseSource::Environment,
        };
        Ok(Self {
            data_dir: base_dir.join(guard.data_dir),
            listen: guard.listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8_581))),
            keystore: base_dir.join(guard.keystore),
            passphrase,
            tokens: GuardTokens { daemon: guard.daemon_token_sha256, operators },
            lift_by_another: guard.lift_by_another,
            sight: Sight {
                endpoints,
                patience: Duration::from_secs(u64::from(network.timeout.0)),
                age_max_seconds: network.ledger_age_max,
            },
            policy: Policy {
                network_id: network.network_id,
                owners,
                destinations: policy.destinations.map(|allowed| allowed.into_iter().collect()),
                escrow_max,
                limits: limit
                    .into_iter()
                    .map(|limit| Limit { most: limit.most.0, period_seconds: limit.period.0 })
                    .collect(),
                delay_min_seconds: policy.delay_min.0,
            },
        })
    }
}

/// Nobody able to lift what can be set, or one token for two, is found here and not in the night in which it matters.
fn check_operators(
    operators: &[(String, [u8; 32])],
    lift_by_another: bool,
    daemon: &[u8; 32],
) -> Result<(), String> {
    let names: BTreeSet<&String> = operators.iter().map(|(name, _)| name).collect();
    let tokens: BTreeSet<&[u8; 32]> = operators.iter().map(|(_, token)| token).collect();
    if names.len() != operators.len() || tokens.len() != operators.len() {
        return Err("two operators have the same name or the same token".to_owned());
    }
    if tokens.contains(daemon) {
        return Err("an operator has the daemon's token, so the daemon could lift stops".to_owned());
    }
    match operators.len() {
        0 => Err("no operator is named, so nobody could stop anything".to_owned()),
        1 if lift_by_another => {
            Err("one operator alone could never lift what they stopped; name another, or write lift_by_another = false"
                .to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WARM: &str = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";

    /// What the how-to says, with hashes.
    fn whole() -> String {
        format!(
            r#"
[guard]
data_dir = "data"
keystore = "guard.age"
daemon_token_sha256 = "{daemon}"

[network]
endpoints = ["wss://one.example", "wss://two.example"]

[policy]
owners = ["{WARM}"]
escrow_max = ["10000 XRP", "5 USD.{WARM}"]
delay_min = "48h"

[[limit]]
most = "20000 XRP"
period = "24h"

[[operator]]
name = "gina"
token_sha256 = "{gina}"

[[operator]]
name = "hugo"
token_sha256 = "{hugo}"
"#,
            daemon = "01".repeat(32),
            gina = "02".repeat(32),
            hugo = "03".repeat(32),
        )
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let settings = GuardSettings::parse(&whole(), Path::new("/etc/guard")).unwrap();
        assert_eq!(settings.listen, SocketAddr::from((Ipv4Addr::LOCALHOST, 8_581)));
        assert_eq!(settings.keystore, Path::new("/etc/guard/guard.age"));
        assert!(settings.lift_by_another && matches!(settings.passphrase, PassphraseSource::Environment));
        assert_eq!(settings.sight.age_max_seconds, Some(60));
        assert_eq!(settings.sight.patience, Duration::from_secs(10));
        assert_eq!((settings.policy.network_id, settings.policy.destinations), (None, None));
        assert_eq!(settings.policy.delay_min_seconds, 48 * 3_600);
    }

    #[test]
    fn what_would_guard_nothing_or_could_never_be_lifted_is_refused() {
        let hugo = format!("\n[[operator]]\nname = \"hugo\"\ntoken_sha256 = \"{}\"\n", "03".repeat(32));
        for (from, to, said) in [
            (
                "endpoints = [\"wss://one.example\", \"wss://two.example\"]",
                "endpoints = []",
                "names no server",
            ),
            ("wss://two.example", "wss://one.example:2", "a host is one witness"),
            ("wss://two.example", "http://two.example", "line 8"),
            (&*format!("owners = [\"{WARM}\"]"), "owners = []", "names nobody"),
            ("[\"10000 XRP\"", "[\"10000 XRP\", \"7 XRP\"", "an asset twice"),
            ("\"20000 XRP\"", &*format!("\"2 EUR.{WARM}\""), "does not name"),
            ("\"10000 XRP\"", "\"10000\"", "line 12"),
            ("delay_min = \"48h\"", "", "delay_min"),
            ("delay_min = \"48h\"", "delay_min = 48", "line 13"),
            (&hugo, "", "could never lift"),
            (&"02".repeat(32), &"03".repeat(32), "the same token"),
            (&"02".repeat(32), &"01".repeat(32), "the daemon's token"),
            (&"02".repeat(32), "02", "SHA-256"),
            ("[policy]", "[policy]\ndestination = []", "destination"),
        ] {
            let text = whole().replace(from, to);
            assert_ne!(text, whole(), "{from}");
            let error = GuardSettings::parse(&text, Path::new("")).unwrap_err();
            assert_eq!(error.code(), "guard_config_wrong");
            assert!(error.to_string().contains(said), "{to}: {error}");
        }
        let alone = whole().replace(&hugo, "").replace("[guard]", "[guard]\nlift_by_another = false");
        assert!(GuardSettings::parse(&alone, Path::new("")).is_ok());
    }
}
