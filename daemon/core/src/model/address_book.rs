//! Which entries of the address book people have confirmed, where a file alone does not make a destination known.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::endorsement::Endorsement;
use crate::model::observe::LedgerPoint;
use crate::model::rule::Approvers;
use crate::model::units::{AccountId, RippleTime};

/// What it takes for an entry of the address book to make its destination known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Who confirms it, and how many of them.
    pub by: Approvers,
    /// How long it goes on as a new one after that, in seconds of ledger time.
    pub cooling_seconds: u32,
}

impl Confirmation {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        self.by.so_many()
    }
}

/// The entries that there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressBook {
    /// Whether those that were there when people came to confirm them have been taken as they were. That is done once.
    pub adopted: bool,
    /// Each by its address: with another address, a name is another entry.
    pub entries: BTreeMap<AccountId, Entry>,
}

/// An entry of the address book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Since when it is configured, by the ledger; a point of zeros where none had been seen.
    pub since: LedgerPoint,
    /// Who has confirmed it, by name.
    pub confirmed: BTreeMap<String, Endorsement>,
    /// How far it is.
    pub standing: Standing,
}

/// How far an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was there before people came to confirm entries.
    Adopted,
    /// It waits for people.
    Waiting,
    /// Enough of them have confirmed it, then.
    Confirmed(RippleTime),
}

impl AddressBook {
    /// From when on its destination is known, if anything is still to be waited for; `None`: for people.
    #[must_use]
    pub fn known_from(&self, destination: &AccountId, terms: &Confirmation) -> Option<RippleTime> {
        match self.entries.get(destination)?.standing {
            Standing::Adopted => Some(RippleTime(0)),
            Standing::Waiting => None,
            Standing::Confirmed(at) => Some(RippleTime(at.0.saturating_add(terms.cooling_seconds))),
        }
    }

    pub(crate) fn adopt(
        &mut self,
        destinations: &BTreeSet<AccountId>,
        at: LedgerPoint,
    ) -> Result<(), String> {
        if self.adopted {
            return Err("the entries that there were have been adopted before".to_owned());
        }
        self.adopted = true;
        for destination in destinations {
            self.add(*destination, Standing::Adopted, at)?;
        }
        Ok(())
    }

    pub(crate) fn propose(&mut self, destination: AccountId, at: LedgerPoint) -> Result<(), String> {
        self.add(destination, Standing::Waiting, at)
    }

    pub(crate) fn confirm(
        &mut self,
        destination: AccountId,
        by: &str,
        given: &Endorsement,
    ) -> Result<(), String> {
        self.waiting(destination)?.confirmed.insert(by.to_owned(), given.clone());
        Ok(())
    }

    pub(crate) fn admit(&mut self, destination: AccountId, at: LedgerPoint) -> Result<(), String> {
        self.waiting(destination)?.standing = Standing::Confirmed(at.close_time);
        Ok(())
    }

    pub(crate) fn withdraw(&mut self, destination: AccountId) -> Result<(), String> {
        self.entries.remove(&destination).map(|_| ()).ok_or_else(|| format!("{destination} was not there"))
    }

    fn add(&mut self, destination: AccountId, standing: Standing, since: LedgerPoint) -> Result<(), String> {
        let entry = Entry { since, confirmed: BTreeMap::new(), standing };
        match self.entries.insert(destination, entry) {
            None => Ok(()),
            Some(_) => Err(format!("{destination} was there before")),
        }
    }

    fn waiting(&mut self, destination: AccountId) -> Result<&mut Entry, String> {
        let entry = self.entries.get_mut(&destination).filter(|entry| entry.standing == Standing::Waiting);
        entry.ok_or_else(|| format!("{destination} does not wait"))
    }
}
