//! Making destinations known, where the address book in the configuration does not do that alone.

use std::collections::BTreeSet;

use crate::model::address_book::{Confirmation, Standing};
use crate::model::charter::Endorsement;
use crate::model::command::{Answer, CommandError};
use crate::model::config::Person;
use crate::model::event::Event;
use crate::model::state::Sight;
use crate::model::units::AccountId;
use crate::rules::multisign;
use crate::work::asked::checked_text;
use crate::work::cx::Cx;

/// Holds the address book that is configured against what people have confirmed. The first time, what is there is taken as it
/// is; whatever comes later waits for people. What is taken out is written down also while nobody has to confirm anything: it
/// would come back as it went.
pub(crate) fn configured(cx: &mut Cx<'_>, terms: Option<&Confirmation>) {
    if terms.is_none() && !cx.state.address_book.adopted {
        return;
    }
    let at = cx.point();
    let declared: BTreeSet<AccountId> = cx.config.destinations.keys().copied().collect();
    if !cx.state.address_book.adopted {
        cx.emit(Event::DestinationsAdopted { destinations: declared, at });
        return;
    }
    let known: BTreeSet<AccountId> = cx.state.address_book.entries.keys().copied().collect();
    for destination in known.difference(&declared) {
        cx.emit(Event::DestinationWithdrawn { destination: *destination });
    }
    if terms.is_none() {
        return;
    }
    for destination in declared.difference(&known) {
        cx.emit(Event::DestinationProposed { destination: *destination, at });
    }
}

/// Somebody has looked whether it is whom it is said to be. With enough of them, it is known when it has cooled.
pub(crate) fn confirm(
    cx: &mut Cx<'_>,
    person: &Person,
    destination: AccountId,
    reason: String,
) -> Result<Answer, CommandError> {
    checked_text("reason", &reason)?;
    if reason.trim().is_empty() {
        let problem = "says nothing; say how you know that it is theirs".to_owned();
        return Err(CommandError::BadValue { field: "reason", problem });
    }
    let terms = cx.config.policy.confirmation();
    let entry = cx.state.address_book.entries.get(&destination);
    let (Some(terms), Some(entry)) = (terms, entry) else {
        return Err(CommandError::UnknownDestination(destination));
    };
    if !multisign::is_one_of(&terms.by, person) {
        return Err(CommandError::NotAConfirmer(terms.words()));
    }
    let wants = terms.by.signatures;
    if entry.standing != Standing::Waiting {
        return Ok(Answer::Confirmed { changed: false, enough: true, has: wants, wants });
    }
    // The time from which it cools is the ledger's: one that was seen long ago would let it cool in the past.
    if let Sight::Lost(reason) = &cx.state.sight {
        return Err(CommandError::NoSight(reason.clone()));
    }
    let changed = !entry.confirmed.contains_key(&person.name);
    let at = cx.point();
    if changed {
        let (by, origin) = (person.name.clone(), cx.origin);
        let endorsement = Endorsement { reason, at };
        cx.emit(Event::DestinationConfirmed { destination, by, endorsement, origin });
    }
    // Whoever has lost since what made them count does not.
    let entry = cx.state.address_book.entries.get(&destination);
    let confirmed = entry.into_iter().flat_map(|entry| entry.confirmed.keys());
    let has = multisign::count(&terms.by, confirmed.filter_map(|name| cx.config.people.get(name)));
    let enough = has >= wants;
    if enough {
        cx.emit(Event::DestinationAdmitted { destination, at });
    }
    Ok(Answer::Confirmed { changed, enough, has, wants })
}
