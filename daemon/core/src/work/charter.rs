//! Putting another table of rules in force, where the one in force does not leave that to whoever changes a file.

use crate::model::charter::{Endorsement, Table};
use crate::model::command::{Answer, CommandError};
use crate::model::config::Person;
use crate::model::effect::Effect;
use crate::model::event::Event;
use crate::model::units::Hash256;
use crate::rules::multisign;
use crate::work::address_book;
use crate::work::asked::checked_text;
use crate::work::cx::Cx;

/// This table is configured from now on. Where the one in force asks for people, it waits for them.
pub(crate) fn configured(cx: &mut Cx<'_>, table: Table) {
    let (hash, at) = (table.hash(), cx.point());
    let charter = &cx.state.charter;
    let waits = charter.candidate.as_ref().map(|candidate| candidate.hash);
    match &charter.active {
        None if table.activation.is_none() => {}
        None => cx.emit(Event::PolicyAdopted { table: Box::new(table), at }),
        Some(active) if active.hash == hash => {
            if let Some(policy) = waits {
                cx.emit(Event::PolicyWithdrawn { policy });
            }
        }
        Some(_) if waits == Some(hash) => {}
        Some(_) => cx.emit(Event::PolicyProposed { table: Box::new(table), at }),
    }
    // Whether people confirm who is in the address book is said by the table in force.
    let active = cx.state.charter.active.as_ref().map(|active| active.table.confirmation.clone());
    let terms = active.unwrap_or_else(|| cx.config.policy.confirmation().cloned());
    address_book::configured(cx, terms.as_ref());
}

/// Somebody wants the table in force that waits. With enough of them it is.
pub(crate) fn activate(
    cx: &mut Cx<'_>,
    person: &Person,
    policy: Hash256,
    reason: String,
) -> Result<Answer, CommandError> {
    checked_text("reason", &reason)?;
    if reason.trim().is_empty() {
        let problem = "says nothing; say why".to_owned();
        return Err(CommandError::BadValue { field: "reason", problem });
    }
    let charter = &cx.state.charter;
    let active = charter.active.as_ref().filter(|active| active.table.activation.is_some());
    let terms = active.and_then(|active| active.table.activation.clone());
    let Some(terms) = terms else { return Err(CommandError::UnknownPolicy(policy)) };
    if !multisign::is_one_of(&terms, person) {
        return Err(CommandError::NotAnActivator(terms.so_many()));
    }
    if active.is_some_and(|active| active.hash == policy) {
        let has = terms.signatures;
        return Ok(Answer::Endorsed { changed: false, in_force: true, has, wants: terms.signatures });
    }
    let candidate = charter.candidate.as_ref().filter(|candidate| candidate.hash == policy);
    let candidate = candidate.ok_or(CommandError::UnknownPolicy(policy))?;
    let confirmation = candidate.table.confirmation.clone();
    let changed = !candidate.endorsed.contains_key(&person.name);
    let at = cx.point();
    if changed {
        let (by, origin) = (person.name.clone(), cx.origin);
        cx.emit(Event::PolicyEndorsed { policy, by, endorsement: Endorsement { reason, at }, origin });
    }
    // Whoever has lost since what made them count does not.
    let endorsed = cx.state.charter.candidate.iter().flat_map(|candidate| candidate.endorsed.keys());
    let has = multisign::count(&terms, endorsed.filter_map(|name| cx.config.people.get(name)));
    let in_force = has >= terms.signatures;
    if in_force {
        cx.emit(Event::PolicyActivated { policy, at });
        // Nothing that the one before let go leaves after people have been told that another is in force.
        cx.effect(Effect::Recall);
        address_book::configured(cx, confirmation.as_ref());
    }
    Ok(Answer::Endorsed { changed, in_force, has, wants: terms.signatures })
}
