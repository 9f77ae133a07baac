//! The audit log, read.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Shared;
use axum::http::HeaderName;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use tokio::time::timeout;
use treasury_verify::audit;

use super::App;
use super::api::{AuditChain, AuditPage, AuditQuery};
use super::auth::Speaker;
use super::error::ApiError;
use super::extract::{self, limit};
use crate::audit::look::{Asked, NoMoment, Waiting, Wanted};
use crate::audit::{Audit, AuditError};
use crate::clock;

/// How long a search waits for a place.
const PATIENCE: Duration = Duration::from_secs(3);

/// A text with its headers.
type Written<const N: usize> = ([(HeaderName, &'static str); N], String);

pub(super) async fn page(
    Shared(app): Shared<App>,
    _: Speaker,
    extract::Asked(asked): extract::Asked<AuditQuery>,
) -> Result<Written<1>, ApiError> {
    let limit = limit(asked.limit)?;
    let wanted = wanted(asked)?;
    let Some(audit) = app.audit else {
        let problem = "it is not being written; the daemon's log says why";
        let chain = AuditChain { problem: Some(problem.to_owned()), ..AuditChain::default() };
        return json(&AuditPage { chain, ..AuditPage::default() });
    };
    json(&ask(audit, move |audit, by| audit.page(&wanted, limit, by)).await?)
}

fn wanted(asked: AuditQuery) -> Result<Wanted, ApiError> {
    Wanted::of(asked).map_err(|NoMoment(field)| ApiError::BadField { field, problem: audit::MOMENT })
}

/// As it stands: passwords in addresses were taken out before it was hashed, and whatever is changed now is not what can be
/// proven.
fn json(page: &AuditPage) -> Result<Written<1>, ApiError> {
    let text = serde_json::to_string(page).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(([(CONTENT_TYPE, "application/json")], text))
}

/// A page of its own, with its style in it: for reading elsewhere, so it comes as a file.
pub(super) async fn report(
    Shared(app): Shared<App>,
    _: Speaker,
    extract::Asked(asked): extract::Asked<AuditQuery>,
) -> Result<Written<2>, ApiError> {
    let (what, made) = (asked.words(), clock::utc().to_string());
    let wanted = wanted(asked)?;
    let page = match app.audit {
        None => audit::report(&[], &what, &made),
        Some(log) => {
            let report = move |log: &Audit, by: &Asked| {
                let (entries, is_cut) = log.selection(&wanted, by)?;
                let what = if is_cut { format!("{what}, the first {} entries", entries.len()) } else { what };
                Ok(audit::report(&entries, &what, &made))
            };
            ask(log, report).await?
        }
    };
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"audit.html\""),
    ];
    Ok((headers, page))
}

/// Asks the log, which reads a disk, beside everything else, and only so many at once. The search holds its place until it
/// ends, and it ends soon where nobody waits for it any more: whoever asks and hangs up gets no more threads than others.
async fn ask<T: Send + 'static>(
    audit: Arc<Audit>,
    question: impl FnOnce(&Audit, &Asked) -> Result<T, AuditError> + Send + 'static,
) -> Result<T, ApiError> {
    let place = timeout(PATIENCE, Arc::clone(&audit.searches).acquire_owned()).await;
    let place = place.ok().and_then(Result::ok).ok_or(ApiError::TooManyRequests)?;
    let waiting = Waiting::default();
    let asked = waiting.asked();
    let answer = tokio::task::spawn_blocking(move || {
        // Held to the end, also where nobody waits for the answer any more.
        let _place = place;
        question(&audit, &asked)
    });
    let answer = answer.await;
    drop(waiting);
    let answer = answer.map_err(|error| ApiError::Internal(error.to_string()))?;
    answer.map_err(|error| ApiError::Internal(error.to_string()))
}

#[cfg(test)]
mod tests;
