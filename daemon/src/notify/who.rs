//! Who can still sign.

use treasury_core::config::{Signing, Treasury};
use treasury_core::intent::Asker;
use treasury_core::multisign;
use treasury_core::policy::Told;
use treasury_core::proposal::{Proposal, Status};
use treasury_core::stops::{Stop, StopSource};
use treasury_core::{Event, State, config::Person};

/// The people who can sign it and have neither signed nor spoken against it, by name.
pub(crate) fn can_sign(treasury: &Treasury, state: &State, proposal: &Proposal) -> Vec<String> {
    let Some(list) = multisign::signer_list(state, &proposal.account) else { return Vec::new() };
    let can = |person: &&Person| {
        let signer = person.signer.filter(|signer| list.entries.contains_key(signer));
        signer.is_some_and(|signer| !proposal.approvals.contains_key(&signer))
            && !proposal.rejections.contains_key(&person.name)
    };
    treasury.people.values().filter(can).map(|person| person.name.clone()).collect()
}

/// The people whom rules name to be told, by name.
pub(crate) fn told_of(treasury: &Treasury, told: &Told) -> Vec<String> {
    let named = |person: &&Person| {
        told.people.contains(&person.name) || person.roles.iter().any(|role| told.roles.contains(role))
    };
    treasury.people.values().filter(named).map(|person| person.name.clone()).collect()
}

/// The person who caused what a fact says, by name. What follows from it later is nobody's: the account's.
pub(super) fn caused(event: &Event) -> Option<String> {
    let by = match event {
        Event::StopSet { stop: Stop { source: StopSource::Person(name), .. } } => name,
        Event::StopLifted { by, .. } | Event::BreakerClosed { by, .. } => by,
        Event::FindingAcknowledged { acknowledged, .. } | Event::NoticesAcknowledged { acknowledged, .. } => {
            &acknowledged.by
        }
        Event::ProposalDrafted { proposal, .. } => match &proposal.asker {
            Asker::Person(name) => name,
            Asker::Daemon => return None,
        },
        Event::Approved { approval, .. } => approval.person.as_ref()?,
        Event::Objected { person, .. } => person,
        _ => return None,
    };
    Some(by.clone())
}

/// Whether it waits for people, and not for the daemon's own keys alone.
pub(super) fn needs_people(treasury: &Treasury, state: &State, proposal: &Proposal) -> bool {
    let is_single =
        treasury.accounts.get(&proposal.account).is_some_and(|account| account.signing == Signing::Single);
    if is_single || proposal.status != Status::Collecting {
        return false;
    }
    let Some(list) = multisign::signer_list(state, &proposal.account) else { return false };
    let of_agents = list.entries.iter().filter(|(signer, _)| treasury.agents.contains(*signer));
    let weight: u32 = of_agents.map(|(_, weight)| u32::from(*weight)).sum();
    !proposal.decision.obligations.agents_sign() || weight < list.quorum.0
}
