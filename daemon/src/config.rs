//! The configuration file: read, checked and typed at once, so that everything behind it can trust it.
//!
//! Every problem names its key and line, says what is wrong and what would be right, and all problems of
//! a file are reported together. A key that does not exist is a problem too: a misspelt limit must not
//! silently be no limit.

mod account;
mod activation;
mod confirmation;
mod console;
mod endpoint;
mod endpoints;
mod fixed;
mod forecast;
mod guard;
mod keys;
mod lists;
mod matchers;
mod notify;
mod parties;
mod prints;
mod reader;
mod risk;
mod rule_keys;
mod rule_warnings;
mod rules;
mod schedules;
mod screening;
mod settings;
pub mod table;
#[cfg(test)]
mod tests;
pub mod warnings;
mod zones;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use toml::de::DeTable;
use treasury_core::Treasury;
use treasury_core::config::FindingKind;
use treasury_core::effect::Party;
use treasury_core::exposure::Surroundings;
use treasury_core::units::AccountId;
use zeroize::Zeroizing;

use treasury_tools::value;

use crate::console::ConsoleConfig;
use crate::guard::GuardConfig;
use crate::notify::NotifyConfig;
use crate::passkey::Passkey;
use crate::private::{self, ReadError};
use crate::screening::ScreeningConfig;

pub use endpoint::Endpoint;
pub use forecast::PriceFile;
pub use keys::reference;
pub use lists::ListFile;
pub(crate) use lists::moment;
pub use prints::Prints;
pub use reader::Place;

/// The environment variable that may hold the keystore's passphrase.
pub const PASSPHRASE_VARIABLE: &str = "TREASURYD_PASSPHRASE";

/// Everything the daemon is told before it starts.
#[derive(Clone, Debug)]
pub struct DaemonConfig {
    /// What the organisation has declared.
    pub treasury: Treasury,
    /// What the agents are called, by their signer accounts.
    pub agent_names: BTreeMap<AccountId, String>,
    /// The ledger servers.
    pub network: NetworkConfig,
    /// Where the store is.
    pub data_dir: PathBuf,
    /// Where the HTTP API listens.
    pub listen: SocketAddr,
    /// The encrypted file of the daemon's own keys.
    pub keystore: PathBuf,
    /// Where the keystore's passphrase comes from.
    pub passphrase: PassphraseSource,
    /// SHA-256 of each person's bearer token, by the person's name. Who has none cannot use the API.
    pub tokens: BTreeMap<String, [u8; 32]>,
    /// What the provider of logins calls a person, and who that is.
    pub logins: BTreeMap<String, String>,
    /// Each person's passkeys.
    pub passkeys: BTreeMap<String, Vec<Passkey>>,
    /// Requests a second of one person, but for stops.
    pub requests_per_second: u32,
    /// How the console is served, where it is.
    pub console: Option<ConsoleConfig>,
    /// The second party, where there is one.
    pub guard: Option<GuardConfig>,
    /// Who screens destinations, where somebody does.
    pub screening: Option<ScreeningConfig>,
    /// For how many days the audit log keeps its texts; `None`: for ever.
    pub audit_keep_days: Option<u32>,
    /// Whom to tell what.
    pub notify: NotifyConfig,
    /// Where each rule of the policy stands, by its name.
    pub rule_places: BTreeMap<String, Place>,
    /// Where it stands what follows from findings, by their kinds.
    pub severity_places: BTreeMap<FindingKind, Place>,
    /// The file of the policy, where it has one of its own.
    pub policy_file: Option<PathBuf>,
    /// The file of the policy that decides beside it, and where its rules stand, where there is one.
    pub shadow: Option<(PathBuf, BTreeMap<String, Place>)>,
    /// The files of the policy's lists.
    pub list_files: Vec<ListFile>,
    /// The file of prices, where there is one.
    pub prices: Option<PriceFile>,
    /// What it was read from, by hashes.
    pub prints: Prints,
}

/// The ledger servers and how long to wait for them.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// Servers on hosts of their own. All are connected; ledgers are fetched from the first of them that can give
    /// them.
    pub endpoints: Vec<Endpoint>,
    /// How many endpoints have to name a ledger before it is believed to be validated; at least 1 and at
    /// most as many as there are endpoints.
    pub read_quorum: usize,
    /// How much of a ledger is recomputed.
    pub verify: Verify,
    /// With [`Verify::Headers`]: gaps longer than this many ledgers are closed from headers and
    /// `account_tx`.
    pub gap_ledgers: usize,
    /// The network that every server must be on; `None`: not checked.
    pub network_id: Option<u32>,
    /// The longest wait for any one reply.
    pub request_timeout: Duration,
    /// No validated ledger from a server for this long: its connection is given up.
    pub silence_max: Duration,
    /// After so many ledgers every watched account is read anew and compared with the view that the ledgers
    /// built.
    pub reread_ledgers: u32,
}

/// How much of a ledger is recomputed before it is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Every ledger comes whole: its header's hash, its place in the chain, and the root of its
    /// transactions.
    #[default]
    Full,
    /// In long gaps, the headers' hashes and their chain only. That the server left none of the watched
    /// accounts' transactions out is its word.
    Headers,
}

impl NetworkConfig {
    /// These servers, the rest as where the file says nothing.
    #[must_use]
    pub fn new(endpoints: Vec<Endpoint>) -> Self {
        Self {
            endpoints,
            read_quorum: 1,
            verify: Verify::Full,
            // About an hour on the public network: as long as that, whole ledgers come in minutes.
            gap_ledgers: 1_000,
            network_id: None,
            // A whole ledger of the public network is a few megabytes and comes within a second or two;
            // ten seconds are for a server under load. A dead one is noticed by silence sooner or later.
            request_timeout: Duration::from_secs(10),
            silence_max: Duration::from_secs(20),
            // About once an hour on the public network: often enough to notice a defect before it costs
            // something, and some dozens of requests.
            reread_ledgers: 1_000,
        }
    }
}

/// Where the keystore's passphrase comes from.
#[derive(Clone, Debug)]
pub enum PassphraseSource {
    /// The first line of this file.
    File(PathBuf),
    /// The environment variable [`PASSPHRASE_VARIABLE`].
    Environment,
    /// Given by whoever built the configuration.
    Given(SecretString),
}

impl PassphraseSource {
    /// The passphrase.
    ///
    /// # Errors
    /// Every [`PassphraseError`].
    pub fn read(&self) -> Result<SecretString, PassphraseError> {
        let text = match self {
            Self::Given(passphrase) => return Ok(passphrase.clone()),
            Self::Environment => Zeroizing::new(
                std::env::var(PASSPHRASE_VARIABLE).map_err(|_| PassphraseError::NotInEnvironment)?,
            ),
            Self::File(path) => private::read_text(path).map_err(|error| match error {
                ReadError::Exposed => PassphraseError::Exposed { path: path.clone() },
                ReadError::Io(source) => PassphraseError::Unreadable { path: path.clone(), source },
            })?,
        };
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() { Err(PassphraseError::Empty) } else { Ok(SecretString::from(line)) }
    }
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// Neither a file nor the environment has it.
    #[error(
        "no passphrase: set {PASSPHRASE_VARIABLE} in the environment, or `passphrase_file` under [daemon]"
    )]
    NotInEnvironment,
    /// The file cannot be read.
    #[error("the passphrase file {} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others could read it.
    #[error(
        "the passphrase file {} can be read by others than its owner; make it yours alone: chmod 600 {}",
        path.display(), path.display()
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
    },
    /// It is there and empty.
    #[error("the passphrase is empty")]
    Empty,
}

impl PassphraseError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotInEnvironment => "passphrase_missing",
            Self::Unreadable { .. } => "passphrase_unreadable",
            Self::Exposed { .. } => "passphrase_exposed",
            Self::Empty => "passphrase_empty",
        }
    }
}

/// One thing wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, where it is another one than the configuration.
    pub file: Option<PathBuf>,
    /// The key, such as `account[2].signers`; empty where the text is not TOML at all.
    pub key: String,
    /// Its line, from 1.
    pub line: usize,
    /// The letter of that line, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}, ", file.display())?;
        }
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, " ({})", self.advice) }
    }
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum ConfigError {
    /// The file cannot be read.
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It can, and this is wrong with it, in the order of its lines.
    Wrong {
        /// Which file, if it came from one.
        path: Option<PathBuf>,
        /// At least one.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// A code that stays the same in every release.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "config_unreadable",
            Self::Wrong { .. } => "config_wrong",
        }
    }

    /// What is wrong with the file's text; nothing where it could not be read.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Unreadable { .. } => &[],
            Self::Wrong { problems, .. } => problems,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, source } => {
                write!(f, "the configuration {} cannot be read: {source}", path.display())
            }
            Self::Wrong { path, problems } => {
                match path {
                    Some(path) => write!(f, "the configuration {} is wrong:", path.display())?,
                    None => f.write_str("the configuration is wrong:")?,
                }
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::Wrong { .. } => None,
        }
    }
}

impl DaemonConfig {
    /// What stands around the daemon, as far as it says what a captured part of it can do.
    #[must_use]
    pub fn surroundings(&self) -> Surroundings {
        Surroundings {
            servers: self.network.endpoints.iter().map(ToString::to_string).collect(),
            read_quorum: self.network.read_quorum,
            has_guard: self.guard.is_some(),
        }
    }

    /// Reads and checks a file. Paths in it are relative to the folder it is in.
    ///
    /// # Errors
    /// Every [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let base_dir = path.parent().unwrap_or_else(|| Path::new(""));
        Self::parse(&text, base_dir).map_err(|error| match error {
            ConfigError::Wrong { problems, .. } => {
                ConfigError::Wrong { path: Some(path.to_owned()), problems }
            }
            other => other,
        })
    }

    /// Reads and checks a file's text. Paths in it are relative to `base_dir`.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`].
    pub fn parse(text: &str, base_dir: &Path) -> Result<Self, ConfigError> {
        let report = reader::Report::new(text);
        let wrong = |problems| Err(ConfigError::Wrong { path: None, problems });
        let Some(document) = reader::parse_toml(text, &report) else {
            return wrong(report.into_problems());
        };
        let read = read(&document, &report, base_dir);
        let mut problems = report.into_problems();
        let read = read.map(|(config, of_policy)| {
            problems.extend(of_policy);
            config
        });
        match read {
            Some(config) if problems.is_empty() => Ok(config),
            _ => wrong(problems),
        }
    }
}

/// Reads every section, so that every problem is found. `None` only after a problem was reported.
fn read(
    document: &DeTable<'_>,
    report: &reader::Report,
    base_dir: &Path,
) -> Option<(DaemonConfig, Vec<Problem>)> {
    let root = &reader::Section::root(document, report);
    let network = settings::network(root, base_dir);
    let daemon = settings::daemon(root, base_dir);
    let parties = parties::read(root);
    let table = table::read(root, &parties, base_dir);
    let fees = settings::fees(root);
    let links = settings::links(root, &parties, &fees);
    let tickets = settings::tickets(root);
    let timing = settings::timing(root);
    let schedules = schedules::read(root, &parties, timing.deadline_max_seconds);
    let (severities, severity_places) = settings::severities(root);
    let alarms = risk::alarms(root);
    let (outlook, prices) = forecast::read(root, base_dir);
    let console = console::read(root, base_dir);
    let guard = guard::read(root, base_dir);
    let screening = screening::read(root, base_dir);
    let origin = console.as_ref().and_then(|console| console.origin.clone());
    let notify = notify::read(root, &parties, base_dir, origin);
    let (network, daemon) = (network?, daemon?);
    let silence_max = Duration::from_secs(u64::from(timing.silence_max_seconds));
    let config = DaemonConfig {
        treasury: Treasury {
            // The ledger refuses the field on networks numbered up to 1024, and demands it above.
            network_id: network.network_id.filter(|id| *id > 1_024),
            runner: parties.runner(),
            accounts: parties.accounts,
            people: parties.people,
            agents: parties.agents,
            key_labels: parties.key_labels,
            destinations: parties.destinations,
            policy: table.policy,
            links,
            schedules,
            fees,
            tickets,
            timing,
            severities,
            alarms,
            outlook,
            screening: screening.is_some(),
            newcomers: Default::default(),
            new_escrows: if guard.as_ref().is_some_and(|guard| guard.new_escrows) {
                Party::Guarded
            } else {
                Party::Own
            },
        },
        agent_names: parties.agent_names,
        network: NetworkConfig { silence_max, ..network },
        data_dir: daemon.data_dir,
        listen: daemon.listen,
        keystore: daemon.keystore,
        passphrase: daemon.passphrase,
        tokens: parties.tokens,
        logins: parties.logins,
        passkeys: parties.passkeys,
        requests_per_second: daemon.requests_per_second,
        console,
        guard,
        screening,
        audit_keep_days: settings::audit_keep_days(root),
        notify,
        rule_places: table.places,
        severity_places,
        policy_file: table.file,
        shadow: table.shadow,
        list_files: table.lists,
        prices,
        prints: Prints::of(document).with_texts(&table.texts),
    };
    Some((config, table.problems))
}
