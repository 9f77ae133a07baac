//! What a second policy said beside the one in force.

use axum::extract::State as Shared;
use treasury_core::Treasury;
use treasury_core::shadow::{Difference, Shadowing};

use super::App;
use super::api::{DifferenceView, PolicyShadowView};
use super::auth::Speaker;
use super::error::ApiError;
use super::shown::Shown;
use super::view::party;

pub(super) async fn shadow(
    Shared(app): Shared<App>,
    _: Speaker,
) -> Result<Shown<PolicyShadowView>, ApiError> {
    let answer = app.engine.query(|state, treasury| view(treasury, state.shadowing.as_ref())).await?;
    Ok(Shown(answer))
}

fn view(treasury: &Treasury, said: Option<&Shadowing>) -> PolicyShadowView {
    let Some(policy) = treasury.policy.shadow() else { return PolicyShadowView::default() };
    let named = PolicyShadowView {
        policy_hash: Some(policy.hash().to_string()),
        rules: policy.rules().len(),
        ..PolicyShadowView::default()
    };
    // What another one said before says nothing of this one.
    let Some(said) = said.filter(|said| said.policy_hash == policy.hash()) else { return named };
    let differences: Vec<_> = said.last.iter().rev().map(|one| difference(treasury, one)).collect();
    let all = said.stricter.saturating_add(said.laxer).saturating_add(said.otherwise);
    PolicyShadowView {
        since: Some(said.since.to_string()),
        decided: said.decided,
        stricter: said.stricter,
        laxer: said.laxer,
        otherwise: said.otherwise,
        left_off: all.saturating_sub(u64::try_from(differences.len()).unwrap_or(u64::MAX)),
        differences,
        ..named
    }
}

fn difference(treasury: &Treasury, one: &Difference) -> DifferenceView {
    DifferenceView {
        proposal: one.proposal.to_string(),
        at: one.at.to_string(),
        account: party(treasury, &one.account),
        amount: one.amount.map(Into::into),
        was: one.was.0.clone(),
        rules_then: one.was.1.clone(),
        would: one.would.0.clone(),
        rules: one.would.1.clone(),
        turn: one.turn.word().to_owned(),
    }
}
