//! The audit log, read.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::HeaderName;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use treasury_verify::audit;

use super::App;
use super::api::{AuditChain, AuditPage, AuditQuery};
use super::auth::Speaker;
use super::error::ApiError;
use super::extract::{Asked, limit};
use crate::audit::{Audit, AuditError};
use crate::clock;

/// A text with its headers.
type Written<const N: usize> = ([(HeaderName, &'static str); N], String);

pub(super) async fn page(
    Shared(app): Shared<App>,
    _: Speaker,
    Asked(asked): Asked<AuditQuery>,
) -> Result<Written<1>, ApiError> {
    let limit = limit(asked.limit)?;
    let Some(audit) = app.audit else {
        let problem = "it is not being written; the daemon's log says why";
        let chain = AuditChain { problem: Some(problem.to_owned()), ..AuditChain::default() };
        return json(&AuditPage { chain, ..AuditPage::default() });
    };
    json(&ask(audit, move |audit| audit.page(&asked, limit)).await?)
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
    Asked(asked): Asked<AuditQuery>,
) -> Result<Written<2>, ApiError> {
    let (what, made) = (asked.words(), clock::utc().to_string());
    let page = match app.audit {
        None => audit::report(&[], &what, &made),
        Some(log) => {
            let report = move |log: &Audit| {
                let (entries, is_cut) = log.selection(&asked)?;
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

/// Asks the log, which reads a disk, beside everything else.
async fn ask<T: Send + 'static>(
    audit: Arc<Audit>,
    question: impl FnOnce(&Audit) -> Result<T, AuditError> + Send + 'static,
) -> Result<T, ApiError> {
    let answer = tokio::task::spawn_blocking(move || question(&audit)).await;
    let answer = answer.map_err(|error| ApiError::Internal(error.to_string()))?;
    answer.map_err(|error| ApiError::Internal(error.to_string()))
}
