//! Which table of rules is in force, which waits to be, and putting that in force.

use axum::extract::State as Shared;
use treasury_core::charter::{Candidate, Charter};
use treasury_core::observe::LedgerPoint;
use treasury_core::units::Hash256;
use treasury_core::{Answer, Command, Treasury, multisign};

use super::App;
use super::api::{AcknowledgedView, ActivateRequest, ActivatedView, ActivationView, CandidateView};
use super::auth::Speaker;
use super::error::ApiError;
use super::extract::Body;
use super::routes::{carry_out, unexpected};
use super::rule_words;
use super::shown::Shown;

pub(super) async fn activate(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<ActivateRequest>,
) -> Result<Shown<ActivatedView>, ApiError> {
    let problem = "the hash of the table that waits, as POST /v1/policy/check has it";
    let policy: Hash256 =
        asked.policy.parse().map_err(|_| ApiError::BadField { field: "policy", problem })?;
    let command = Command::ActivatePolicy { policy, reason: asked.reason };
    match carry_out(&app, speaker, command).await? {
        Answer::Endorsed { changed, in_force, has, wants } => {
            Ok(Shown(ActivatedView { changed, in_force, has, wants }))
        }
        other => Err(unexpected(&other)),
    }
}

/// What there is to say where people put tables in force.
pub(super) fn view(charter: &Charter, treasury: &Treasury) -> Option<ActivationView> {
    let (active, terms) = (charter.active.as_ref()?, charter.activation()?);
    Some(ActivationView {
        policy: active.hash.to_string(),
        since: since(&active.since),
        by: active.by.iter().map(|(by, given)| endorsed(by, &given.reason, &given.at)).collect(),
        wants: terms.signatures,
        who: terms.so_many(),
        people: multisign::names(terms, treasury),
        candidate: charter.candidate.as_ref().map(|candidate| CandidateView {
            policy: candidate.hash.to_string(),
            since: since(&candidate.since),
            endorsed: named(candidate),
            differs: candidate.table.differs_from(&active.table),
            table: candidate.table.rules.iter().map(|rule| rule_words::rule(treasury, rule)).collect(),
        }),
    })
}

fn named(candidate: &Candidate) -> Vec<AcknowledgedView> {
    candidate.endorsed.iter().map(|(by, given)| endorsed(by, &given.reason, &given.at)).collect()
}

pub(super) fn endorsed(by: &str, reason: &str, at: &LedgerPoint) -> AcknowledgedView {
    AcknowledgedView { by: by.to_owned(), reason: reason.to_owned(), at: at.close_time.to_string() }
}

/// When, unless no ledger had been seen then.
pub(super) fn since(at: &LedgerPoint) -> Option<String> {
    (at.index.0 > 0).then(|| at.close_time.to_string())
}
