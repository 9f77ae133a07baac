//! What somebody who guards has stopped.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use treasury_core::units::{AccountId, EscrowKey};

use super::terms::Terms;

/// What a stop is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Everything.
    Everything,
    /// Whatever pays that account.
    Destination(AccountId),
    /// Whatever is of that account's.
    Owner(AccountId),
    /// One escrow.
    Escrow(EscrowKey),
}

impl Subject {
    /// Whether an escrow with these terms is stopped by it.
    #[must_use]
    pub fn covers(&self, terms: &Terms) -> bool {
        match self {
            Self::Everything => true,
            Self::Destination(account) => terms.destination == *account,
            Self::Owner(account) => terms.owner == *account,
            Self::Escrow(escrow) => terms.key() == *escrow,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Destination(account) => write!(f, "destination {account}"),
            Self::Owner(account) => write!(f, "owner {account}"),
            Self::Escrow(escrow) => write!(f, "escrow {escrow}"),
        }
    }
}

/// Not a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write `everything`, `destination rAddress`, `owner rAddress` or `escrow rOwner:sequence`")]
pub struct BadSubject;

impl FromStr for Subject {
    type Err = BadSubject;

    fn from_str(text: &str) -> Result<Self, BadSubject> {
        if text == "everything" {
            return Ok(Self::Everything);
        }
        match text.split_once(' ').ok_or(BadSubject)? {
            ("destination", account) => account.parse().map(Self::Destination).map_err(|_| BadSubject),
            ("owner", account) => account.parse().map(Self::Owner).map_err(|_| BadSubject),
            ("escrow", escrow) => escrow.parse().map(Self::Escrow).map_err(|_| BadSubject),
            _ => Err(BadSubject),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A stop that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Its id, such as `G3`.
    pub id: StopId,
    /// What it is on.
    pub subject: Subject,
    /// Why.
    pub reason: String,
    /// Who set it.
    pub by: String,
    /// When, in seconds of the Unix epoch by the guard's clock.
    pub at_unix: u64,
}

/// What a stop is lifted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StopId(pub u64);

impl fmt::Display for StopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "G{}", self.0)
    }
}

impl FromStr for StopId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix('G').unwrap_or_default().parse().map(Self)
    }
}

impl Serialize for StopId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StopId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
