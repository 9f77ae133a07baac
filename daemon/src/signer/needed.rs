//! The keys that the configuration asks the keystore for, and what is said where one is not there.

use std::fmt;
use std::path::PathBuf;

use treasury_core::config::Signing;
use treasury_core::units::AccountId;
use xrpl_wire::{KeyPair, KeyType, Seed};

use super::Keystore;
use crate::config::DaemonConfig;

/// An account that the daemon signs for, and what the configuration calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOf {
    /// The signer account, or the account itself.
    pub account: AccountId,
    /// `the agent "name"`, or `the account "name"`.
    pub who: String,
}

/// Every account that the daemon has to sign for: the agents, and the accounts that sign with a key of their own.
#[must_use]
pub fn needed(config: &DaemonConfig) -> Vec<KeyOf> {
    let agents = config.treasury.agents.iter().map(|account| KeyOf {
        account: *account,
        who: match config.agent_names.get(account) {
            Some(name) => format!("the agent \"{name}\""),
            None => "an agent".to_owned(),
        },
    });
    let single = config.treasury.accounts.iter().filter(|(_, declared)| declared.signing == Signing::Single);
    let accounts = single.map(|(account, declared)| KeyOf {
        account: *account,
        who: format!("the account \"{}\"", declared.name),
    });
    agents.chain(accounts).collect()
}

/// Keys are missing: the daemon would run, and could not sign when it has to.
#[derive(Debug, PartialEq, Eq)]
pub struct MissingKeys {
    /// The keystore.
    pub keystore: PathBuf,
    /// Each with the account that one of its seeds would have been right for, read as the other type of key.
    pub missing: Vec<(KeyOf, Option<AccountId>)>,
}

impl fmt::Display for MissingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the keystore {} lacks keys:", self.keystore.display())?;
        for (KeyOf { account, who }, twin) in &self.missing {
            write!(f, "\n  {who} ({account}): ")?;
            match twin {
                None => f.write_str(
                    "add its seed with `treasuryd keystore add`, or, if another key signs for it as RegularKey, with \
                     `treasuryd keystore add --account` and the address; or take it out of the configuration",
                )?,
                Some(twin) => write!(
                    f,
                    "the seed that signs for {twin} in this keystore is this account's, read as the other type of \
                     key; add it again with --key-type"
                )?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for MissingKeys {}

/// Makes sure that the keystore has a key for everything that the daemon has to sign.
///
/// # Errors
/// Which are missing, in words.
pub fn check_keys(config: &DaemonConfig, keystore: &Keystore) -> Result<(), MissingKeys> {
    let twin_of = |wanted: AccountId| {
        let mut seeds = keystore.seeds();
        seeds.find(|(_, seed)| account_of(&seed.other_reading()) == wanted).map(|(account, _)| account)
    };
    let held = keystore.list();
    let missing: Vec<(KeyOf, Option<AccountId>)> = needed(config)
        .into_iter()
        .filter(|key| !held.contains(&key.account))
        .map(|key| {
            let twin = twin_of(key.account);
            (key, twin)
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(MissingKeys { keystore: config.keystore.clone(), missing }) }
}

/// What is odd about a seed that is to be added as the master key of its own account.
#[derive(Debug, PartialEq, Eq)]
pub enum SeedProblem {
    /// The configuration asks for the account of the same seed with the other type of key.
    OtherReading {
        /// The account as the seed was read.
        account: AccountId,
        /// The one that is declared.
        declared: KeyOf,
        /// The type of key that makes it so.
        key_type: KeyType,
    },
    /// The configuration asks for no key of this account.
    NotDeclared(AccountId),
}

impl fmt::Display for SeedProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherReading { account, declared, key_type } => write!(
                f,
                "this seed does not say its type of key: read as it is written, it signs for {account}, which nothing \
                 in the configuration asks for; as {} it signs for {}, which is {}. Add it with `--key-type {}`",
                word(*key_type),
                declared.account,
                declared.who,
                word(*key_type)
            ),
            Self::NotDeclared(account) => write!(
                f,
                "{account} is neither an agent nor an account with signing = \"single\" of the configuration"
            ),
        }
    }
}

/// Compares the account of a seed with what the configuration asks for.
///
/// # Errors
/// What is odd.
pub fn check_seed(config: &DaemonConfig, seed: &Seed) -> Result<(), SeedProblem> {
    let wanted = needed(config);
    let account = account_of(seed);
    if wanted.iter().any(|key| key.account == account) {
        return Ok(());
    }
    let other = seed.other_reading();
    let twin = account_of(&other);
    match wanted.into_iter().find(|key| key.account == twin) {
        Some(declared) => Err(SeedProblem::OtherReading { account, declared, key_type: other.key_type() }),
        None => Err(SeedProblem::NotDeclared(account)),
    }
}

fn account_of(seed: &Seed) -> AccountId {
    KeyPair::from_seed(seed).account_id()
}

fn word(key_type: KeyType) -> &'static str {
    match key_type {
        KeyType::Ed25519 => "ed25519",
        KeyType::Secp256k1 => "secp256k1",
    }
}
