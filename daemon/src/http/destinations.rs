//! The address book, and making its entries known.

use axum::extract::State as Shared;
use treasury_core::address_book::Standing;
use treasury_core::decide::is_known;
use treasury_core::units::AccountId;
use treasury_core::{Answer, Command, State, Treasury, multisign};

use super::App;
use super::activation::{endorsed, since};
use super::api::{ConfirmRequest, ConfirmationView, ConfirmedView, DestinationView, DestinationsView};
use super::auth::Speaker;
use super::error::ApiError;
use super::extract::Body;
use super::routes::{carry_out, unexpected};
use super::shown::Shown;

pub(super) async fn all(Shared(app): Shared<App>, _: Speaker) -> Result<Shown<DestinationsView>, ApiError> {
    Ok(Shown(app.engine.query(view).await?))
}

pub(super) async fn confirm(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<ConfirmRequest>,
) -> Result<Shown<ConfirmedView>, ApiError> {
    let problem = "the address of an entry of the address book, r…";
    let destination: AccountId =
        asked.address.parse().map_err(|_| ApiError::BadField { field: "address", problem })?;
    let command = Command::ConfirmDestination { destination, reason: asked.reason };
    match carry_out(&app, speaker, command).await? {
        Answer::Confirmed { changed, enough, has, wants } => {
            Ok(Shown(ConfirmedView { changed, enough, has, wants }))
        }
        other => Err(unexpected(&other)),
    }
}

fn view(state: &State, treasury: &Treasury) -> DestinationsView {
    let terms = treasury.policy.confirmation();
    let confirmation = terms.map(|terms| ConfirmationView {
        wants: terms.by.signatures,
        who: terms.words(),
        people: multisign::names(&terms.by, treasury),
        cooling_seconds: terms.cooling_seconds,
    });
    let of = |(address, name): (&AccountId, &String)| {
        let entry = state.address_book.entries.get(address).filter(|_| terms.is_some());
        let known = is_known(treasury, state, address, state.now());
        let from = terms.and_then(|terms| state.address_book.known_from(address, terms));
        let standing = match entry.map(|entry| entry.standing) {
            _ if known => "known",
            Some(Standing::Confirmed(_)) => "cooling",
            _ => "waiting",
        };
        DestinationView {
            name: name.clone(),
            address: address.to_string(),
            standing: standing.to_owned(),
            since: entry.and_then(|entry| since(&entry.since)),
            confirmed: entry.map_or_else(Vec::new, |entry| {
                entry.confirmed.iter().map(|(by, given)| endorsed(by, &given.reason, &given.at)).collect()
            }),
            known_from: from.filter(|_| !known).map(|from| from.to_string()),
        }
    };
    let mut destinations: Vec<DestinationView> = treasury.destinations.iter().map(of).collect();
    destinations.sort_by(|one, other| one.name.cmp(&other.name));
    DestinationsView { confirmation, destinations }
}
