//! Who puts another table of rules in force.

use std::collections::BTreeSet;

use treasury_core::config::{Person, Role};
use treasury_core::multisign;
use treasury_core::policy::Approvers;

use super::parties::{Parties, role};
use super::reader::{At, Section};

/// Two, where nothing is said: whoever changes the file alone must not change what the daemon lets leave.
const SIGNATURES: u32 = 2;

/// Reads it, if the people there are can reach it.
pub(super) fn read(root: &Section<'_>, parties: &Parties) -> Option<Approvers> {
    let section = root.section("activation")?;
    Some(terms(&section, parties, Role::Admin, "nobody could change the policy any more"))
}

/// So many of some people who can be reached: two of those with a role, where nothing is said.
pub(super) fn terms(section: &Section<'_>, parties: &Parties, of: Role, otherwise: &str) -> Approvers {
    let roles = section.texts("roles", role);
    let people = section.texts("people", |name| parties.resolve_person(name));
    let signatures = section.integer("signatures", 1..=u32::MAX);
    for (key, is_empty) in [
        ("roles", roles.as_ref().is_some_and(Vec::is_empty)),
        ("people", people.as_ref().is_some_and(Vec::is_empty)),
    ] {
        if is_empty {
            section.wrong(key, "an empty list names nobody", "leave it out, or name somebody");
        }
    }
    let terms = Approvers {
        signatures: signatures.map_or(SIGNATURES, |signatures| signatures.value),
        roles: match roles {
            Some(roles) => values(roles),
            None if people.is_some() => BTreeSet::new(),
            None => BTreeSet::from([of]),
        },
        people: people.map(values).unwrap_or_default(),
        ..Approvers::default()
    };
    // Whoever has neither a token nor a login cannot say anything.
    let speaks = |person: &&Person| {
        parties.tokens.contains_key(&person.name) || parties.logins.values().any(|name| *name == person.name)
    };
    let count = multisign::count(&terms, parties.people.values().filter(speaks));
    if count < terms.signatures {
        let what = format!(
            "{} can never be reached: {count} of those who count have a token or a login",
            terms.signatures
        );
        let key = if section.has("signatures") { "signatures" } else { "roles" };
        section.wrong(key, what, &format!("lower it, or let more people count: {otherwise}"));
    }
    terms
}

fn values<T: Ord>(items: Vec<At<T>>) -> BTreeSet<T> {
    items.into_iter().map(|item| item.value).collect()
}
