//! Bodies, queries, ids and names, each refused with an error of our own.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use treasury_core::Treasury;
use treasury_core::units::{AccountId, HexBytes, ProposalId};
use treasury_tools::value::instead_of_an_address;
use xrpl_wire::PublicKey;

use super::App;
use super::error::ApiError;

/// A JSON body. The media type is not asked about: a token is needed in any case, so no web page can
/// make somebody's browser send one. An empty body counts as `{}`.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, app).await.map_err(|rejection| unreadable(&rejection))?;
        let bytes = if bytes.trim_ascii().is_empty() { b"{}".as_slice() } else { &bytes };
        if !bytes.trim_ascii_start().starts_with(b"{") {
            // A list would be read as the fields in their order, and a slip in it as another payment.
            let json: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| not_taken(&error))?;
            let found = if json.is_array() { "a list" } else { "a single value" };
            return Err(ApiError::BadBody(format!("it is {found}, and an object is needed")));
        }
        serde_json::from_slice(bytes).map(Self).map_err(|error| not_taken(&error))
    }
}

fn not_taken(error: &serde_json::Error) -> ApiError {
    match error.classify() {
        serde_json::error::Category::Data => ApiError::BadBody(error.to_string()),
        _ => ApiError::BadJson(error.to_string()),
    }
}

fn unreadable(rejection: &BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::BodyTooLarge
    } else {
        ApiError::BodyUnreadable(rejection.body_text())
    }
}

/// A query.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let query: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, app).await;
        query.map(|Query(query)| Self(query)).map_err(|rejection| ApiError::BadQuery(rejection.body_text()))
    }
}

/// The proposal that the path names.
#[derive(Debug)]
pub(super) struct Id(pub(super) ProposalId);

impl FromRequestParts<App> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let path: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, app).await;
        let Path(text) = path
            .map_err(|rejection| ApiError::BadId(format!("status {}", rejection.into_response().status())))?;
        id(&text).map(Self)
    }
}

/// Reads a proposal's id. It is written in one way, so that nobody takes one proposal for two.
pub(super) fn id(text: &str) -> Result<ProposalId, ApiError> {
    let id = text.parse().ok().filter(|id: &ProposalId| id.to_string() == text);
    // What came is quoted in the error; a screenful of it helps nobody, and neither does most of a token.
    id.ok_or_else(|| ApiError::BadId(text.chars().take(16).collect()))
}

/// An address or a name: of a treasury account, of a destination in the address book, or of a person who
/// has a signer account, in that order.
pub(super) fn party(treasury: &Treasury, field: &'static str, text: &str) -> Result<AccountId, ApiError> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let account = treasury.accounts.iter().find(|(_, declared)| declared.name == text).map(|(id, _)| *id);
    account
        .or_else(|| treasury.destinations.iter().find(|(_, name)| name.as_str() == text).map(|(id, _)| *id))
        .or_else(|| treasury.people.get(text).and_then(|person| person.signer))
        .ok_or_else(|| ApiError::UnknownName { field, what: no_party(text) })
}

fn no_party(text: &str) -> String {
    instead_of_an_address(text).unwrap_or_else(|| {
        let begin: String = text.chars().take(64).collect();
        format!("`{begin}` is neither an address nor a name from the configuration")
    })
}

/// A public key in hex.
pub(super) fn public_key(text: &str) -> Result<PublicKey, ApiError> {
    let bytes = text.parse::<HexBytes>().ok();
    bytes.and_then(|bytes| PublicKey::from_slice(&bytes.0).ok()).ok_or(ApiError::BadField {
        field: "signing_pub_key",
        problem: "a public key is 33 bytes, 66 hex digits, beginning with 02, 03 or ED",
    })
}

/// A signature in hex.
pub(super) fn hex_bytes(field: &'static str, text: &str) -> Result<HexBytes, ApiError> {
    text.parse().map_err(|_| ApiError::BadField { field, problem: "each signature is hex" })
}

/// A page's size: 100 where nothing is said.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, ApiError> {
    match asked {
        None => Ok(100),
        Some(limit @ 1..=500) => Ok(limit),
        Some(_) => Err(ApiError::BadField { field: "limit", problem: "from 1 to 500" }),
    }
}
