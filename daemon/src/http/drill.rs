//! Whether people still have their keys.

use axum::extract::State as Shared;
use treasury_core::config::Treasury;
use treasury_core::drill::Proof;
use treasury_core::drills;
use treasury_core::units::{AccountId, RippleTime};
use treasury_core::{Command, State};

use super::App;
use super::api::{DoneView, DrillRequest, DrillView, ProofView, SignerProofView};
use super::auth::Speaker;
use super::error::ApiError;
use super::extract::{Body, hex_bytes, public_key};
use super::routes;
use super::shown::Shown;
use super::view::party;

pub(super) async fn drill(
    Shared(app): Shared<App>,
    Speaker(speaker, _): Speaker,
) -> Result<Shown<DrillView>, ApiError> {
    let look = move |state: &State, treasury: &Treasury| {
        let person = treasury.people.get(&speaker.person);
        let Some(signer) = person.and_then(|person| person.signer) else { return DrillView::default() };
        let drill = state.drills.get(&signer);
        let answer_seconds = treasury.alarms.drills.answer_seconds;
        DrillView {
            signer: Some(party(treasury, &signer)),
            challenge: drill.map(|drill| drill.challenge.to_string()),
            text: drill.map(|drill| xrpl_wire::drill::text(&signer, &drill.challenge)),
            asked: drill.map(|drill| drill.at.close_time.to_string()),
            until: drill
                .map(|drill| RippleTime(drill.at.close_time.0.saturating_add(answer_seconds)).to_string()),
            proven: drills::last(state, &signer).map(proof),
        }
    };
    Ok(Shown(app.engine.query(look).await?))
}

pub(super) async fn answer(
    Shared(app): Shared<App>,
    speaker: Speaker,
    Body(asked): Body<DrillRequest>,
) -> Result<Shown<DoneView>, ApiError> {
    let signing_pub_key = public_key(&asked.signing_pub_key)?;
    let signature = hex_bytes("signature", &asked.signature)?;
    routes::done(&app, speaker, Command::AnswerDrill { signing_pub_key, signature }).await
}

/// The people who sign for an account.
pub(super) fn of_account(state: &State, treasury: &Treasury, account: &AccountId) -> Vec<SignerProofView> {
    let list = state.accounts.get(account).and_then(|view| view.signer_list.as_ref());
    let entries = list.into_iter().flat_map(|list| &list.entries);
    let people = entries.filter(|(signer, _)| treasury.person_of(signer).is_some());
    people
        .map(|(signer, weight)| SignerProofView {
            signer: party(treasury, signer),
            weight: u32::from(*weight),
            proven: drills::last(state, signer).map(proof),
            asked: state.drills.get(signer).map(|drill| drill.at.close_time.to_string()),
        })
        .collect()
}

fn proof(proof: &Proof) -> ProofView {
    ProofView {
        at: proof.at.close_time.to_string(),
        by: proof.approved.map_or_else(|| "drill".to_owned(), |approved| approved.to_string()),
    }
}
