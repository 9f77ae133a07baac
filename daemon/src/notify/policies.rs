//! What is told of policies and destinations that wait for people.

use treasury_api::notice::{Kind, Severity};
use treasury_api::types::Notice;
use treasury_core::address_book::Confirmation;
use treasury_core::charter::Table;
use treasury_core::multisign;
use treasury_core::policy::Approvers;
use treasury_core::units::{AccountId, Hash256};

use super::tell::Teller;

impl Teller<'_> {
    /// Another policy waits for people.
    pub(super) fn candidate(&self, table: &Table) -> Notice {
        let charter = &self.state.charter;
        // By now it may be in force, or the one in force may leave it to the configuration.
        let differs =
            charter.active.as_ref().map_or_else(Vec::new, |active| table.differs_from(&active.table));
        let terms = charter.activation();
        let wants = terms.map_or_else(|| "people".to_owned(), Approvers::so_many);
        let hash = table.hash();
        let says = format!(
            "Another policy is configured than the one in force, and waits for {wants}: {}.",
            differs.join(", ")
        );
        let mut notice = self.notice(Kind::PolicyCandidate, Severity::Warning, &says);
        notice.people = terms.map_or_else(Vec::new, |terms| multisign::names(terms, self.treasury));
        notice.can_do = vec![
            "See what it says: `treasuryctl policy check`.".to_owned(),
            format!("Put it in force: `treasuryctl policy activate {hash} --reason …`."),
        ];
        notice
    }

    /// Another policy is in force.
    pub(super) fn activated(&self, policy: &Hash256) -> Notice {
        let says = format!("Another policy is in force: {policy}.");
        self.notice(Kind::PolicyActivated, Severity::Warning, &says)
    }

    /// An entry of the address book waits for people.
    pub(super) fn to_confirm(&self, destination: &AccountId) -> Notice {
        let terms = self.treasury.policy.confirmation();
        let wants = terms.map_or_else(|| "people".to_owned(), Confirmation::words);
        let says = format!(
            "{} has come to the address book and waits for {wants}: until then it is as new as anybody.",
            self.called(destination)
        );
        let mut notice = self.notice(Kind::DestinationWaits, Severity::Warning, &says);
        notice.people = terms.map_or_else(Vec::new, |terms| multisign::names(&terms.by, self.treasury));
        notice.can_do = vec![
            "Ask whose account it is, by a way that you know to be theirs.".to_owned(),
            format!("Confirm it: `treasuryctl destination confirm {destination} --reason …`."),
            "Otherwise have it taken out of the address book.".to_owned(),
        ];
        notice
    }

    /// Enough people have confirmed it.
    pub(super) fn confirmed(&self, destination: &AccountId) -> Notice {
        let entry = self.state.address_book.entries.get(destination);
        let by: Vec<&str> =
            entry.map_or_else(Vec::new, |entry| entry.confirmed.keys().map(String::as_str).collect());
        let terms = self.treasury.policy.confirmation();
        let from = terms.and_then(|terms| self.state.address_book.known_from(destination, terms));
        let from = from.map_or_else(String::new, |from| format!(", and is known from {from} on"));
        let says = format!("{} is confirmed by {}{from}.", self.called(destination), by.join(", "));
        self.notice(Kind::DestinationConfirmed, Severity::Warning, &says)
    }

    /// By its name and address: whoever reads it must see which account it is.
    fn called(&self, destination: &AccountId) -> String {
        match self.treasury.destinations.get(destination) {
            Some(name) => format!("{name} ({destination})"),
            None => destination.to_string(),
        }
    }
}
