//! The address book, and who makes its entries known.

use serde::{Deserialize, Serialize};

use super::AcknowledgedView;

/// The address book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationsView {
    /// What makes an entry known; `null`: that it is configured.
    pub confirmation: Option<ConfirmationView>,
    /// Its entries, by name.
    pub destinations: Vec<DestinationView>,
}

impl DestinationsView {
    /// How many entries are known.
    #[must_use]
    pub fn known(&self) -> usize {
        self.destinations.iter().filter(|one| one.standing == "known").count()
    }
}

/// What makes an entry of the address book known (`[confirmation]`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmationView {
    /// How many people it takes.
    pub wants: u32,
    /// Of whom, in words.
    pub who: String,
    /// Who counts now, by name.
    pub people: Vec<String>,
    /// How long it goes on as a new one after that, in seconds of ledger time.
    pub cooling_seconds: u32,
}

/// An entry of the address book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationView {
    /// What it is called.
    pub name: String,
    /// The account.
    pub address: String,
    /// `known`: policy calls it known; `cooling`: people have confirmed it, and it is known from `known_from` on; `waiting`: for
    /// people. Until it is known it is as new as any that nobody has named.
    pub standing: String,
    /// Since when it is configured, by the ledger, where people confirm entries.
    pub since: Option<String>,
    /// Who has confirmed it, and how they know.
    pub confirmed: Vec<AcknowledgedView>,
    /// From when on it is known, while it cools.
    pub known_from: Option<String>,
}

/// `POST /v1/destinations/confirm`: say that an entry of the address book is whose it is said to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRequest {
    /// Its address: a name may be another's by then.
    pub address: String,
    /// How you know, for people.
    pub reason: String,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedView {
    /// Whether you had not said so before.
    pub changed: bool,
    /// Whether enough people have.
    pub enough: bool,
    /// How many have who count.
    pub has: u32,
    /// How many it takes.
    pub wants: u32,
}

impl ConfirmedView {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        if self.enough {
            return "confirmed; it is known when it has cooled".to_owned();
        }
        let said = if self.changed { "" } else { "you have said so already; " };
        format!("{said}{} of {} have confirmed it", self.has, self.wants)
    }
}
