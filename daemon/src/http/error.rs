//! Errors of the edge, and how the core's refusals become HTTP.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use treasury_core::CommandError;
use treasury_core::command::Refusal;
use treasury_tools::text::without_seeds;

use super::api::{ErrorBody, ErrorView};
use super::shown::Shown;
use crate::engine::EngineError;
use crate::store::StoreError;

/// Why a request was refused before or beside the core.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// There is no bearer token.
    #[error("the request carries no bearer token")]
    TokenMissing,
    /// The token is nobody's.
    #[error("the bearer token is nobody's")]
    TokenWrong,
    /// The body is not JSON.
    #[error("the body is not JSON: {0}")]
    BadJson(String),
    /// The body is JSON of another shape.
    #[error("the body is not what this request takes: {0}")]
    BadBody(String),
    /// The query is not what this request takes.
    #[error("the query is not what this request takes: {0}")]
    BadQuery(String),
    /// A value in the body or query is not what it should be.
    #[error("{field}: {problem}")]
    BadField {
        /// Which.
        field: &'static str,
        /// What would be right.
        problem: &'static str,
    },
    /// There is a seed in what was sent.
    #[error(
        "there is a seed in what was sent: the secret of a key, which would be stored and shown to everybody"
    )]
    SeedGiven,
    /// There is somebody's token in what was sent.
    #[error(
        "there is somebody's token in what was sent: whoever has it speaks for them, and it would be stored and shown to everybody"
    )]
    TokenGiven,
    /// The id in the path is not one.
    #[error("`{0}` is not the id of a proposal")]
    BadId(String),
    /// The name is nobody's.
    #[error("{field}: {what}")]
    UnknownName {
        /// Which field.
        field: &'static str,
        /// What is there instead.
        what: String,
    },
    /// The body is too large.
    #[error("the body is larger than {} bytes", super::BODY_MAX_BYTES)]
    BodyTooLarge,
    /// The body takes too long to come.
    #[error("the body did not come in time")]
    BodyTooSlow,
    /// The body could not be read.
    #[error("the body could not be read: {0}")]
    BodyUnreadable(String),
    /// No such path.
    #[error("there is nothing at this path")]
    NoSuchRoute,
    /// The path does not take this method.
    #[error("this path does not take this method")]
    MethodNotAllowed,
    /// It took too long.
    #[error("the answer took longer than {} s", super::TIMEOUT.as_secs())]
    Timeout,
    /// Too many requests at once.
    #[error("too many requests at once")]
    TooManyRequests,
    /// More than one person may ask for.
    #[error("you ask for more than one person may at once")]
    RateLimited,
    /// The engine has stopped.
    #[error("the engine has stopped; the daemon has to be started again")]
    EngineStopped,
    /// The store could not be read.
    #[error("the store could not be read: {0}")]
    Store(String),
    /// A defect.
    #[error("{0}")]
    Internal(String),
    /// The core refused.
    #[error(transparent)]
    Refused(#[from] CommandError),
}

impl ApiError {
    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TokenMissing => "TOKEN_MISSING",
            Self::TokenWrong => "TOKEN_WRONG",
            Self::BadJson(_) => "BAD_JSON",
            Self::BadBody(_) => "BAD_BODY",
            Self::BadQuery(_) => "BAD_QUERY",
            // The same as the core's own.
            Self::BadField { .. } => "BAD_VALUE",
            Self::SeedGiven => "SEED_GIVEN",
            Self::TokenGiven => "TOKEN_GIVEN",
            Self::BadId(_) => "BAD_ID",
            Self::UnknownName { .. } => "UNKNOWN_NAME",
            Self::BodyTooLarge => "BODY_TOO_LARGE",
            Self::BodyTooSlow => "BODY_TOO_SLOW",
            Self::BodyUnreadable(_) => "BODY_UNREADABLE",
            Self::NoSuchRoute => "NO_SUCH_ROUTE",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::Timeout => "TIMEOUT",
            Self::TooManyRequests => "TOO_MANY_REQUESTS",
            Self::RateLimited => "RATE_LIMITED",
            Self::EngineStopped => "ENGINE_STOPPED",
            Self::Store(_) => "STORE_UNREADABLE",
            Self::Internal(_) => "INTERNAL",
            Self::Refused(error) => error.code(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::TokenMissing => "Send the header `Authorization: Bearer <your token>`.",
            Self::TokenWrong => {
                "Use the token whose SHA-256 is declared as your token_sha256 in the configuration."
            }
            Self::BadJson(_) => "Send one JSON object.",
            Self::BadBody(_) => "Look at the message for the field, correct it and send the request again.",
            Self::BadQuery(_) => "Correct the part after the question mark.",
            Self::BadField { .. } => "Correct the value and send the request again.",
            Self::SeedGiven => {
                "Nothing was stored. Leave the seed out and send the request again; and use another key, since this one was typed where others may have seen it."
            }
            Self::TokenGiven => {
                "Nothing was stored. Leave the token out and send the request again; and have another one declared, since this one was typed where others may have seen it."
            }
            Self::BadId(_) => "Use an id such as P12; GET /v1/proposals lists them.",
            Self::UnknownName { .. } => {
                "Use an address, or the name of an account, destination, person or channel of the configuration."
            }
            Self::BodyTooLarge => "No request of this API needs so much; send less.",
            Self::BodyTooSlow => "Send the request again, all of it at once; nothing was changed.",
            Self::BodyUnreadable(_) => "Send the request again.",
            Self::NoSuchRoute => "See the API reference for the paths.",
            Self::MethodNotAllowed => "See the API reference for the methods of this path.",
            Self::Timeout => {
                "It is not known whether the request was carried out: look first, then send it again with the same idempotency key."
            }
            Self::TooManyRequests => "Wait a moment and send the request again; nothing was changed.",
            Self::RateLimited => {
                "Send fewer requests a second; nothing was changed. What only stops something is not counted."
            }
            Self::EngineStopped => {
                "Start the daemon again and look whether the request was carried out; its log says why it stopped."
            }
            Self::Store(_) => "Run `treasuryd store check` on the data directory.",
            Self::Internal(_) => "Report it with the daemon's log.",
            Self::Refused(error) => error.advice(),
        }
    }

    /// One of each but the core's own, for the reference.
    pub(super) fn examples() -> [Self; 21] {
        [
            Self::TokenMissing,
            Self::TokenWrong,
            Self::BadJson(String::new()),
            Self::BadBody(String::new()),
            Self::BadQuery(String::new()),
            Self::BadField { field: "", problem: "" },
            Self::SeedGiven,
            Self::TokenGiven,
            Self::BadId(String::new()),
            Self::UnknownName { field: "", what: String::new() },
            Self::BodyTooLarge,
            Self::BodyTooSlow,
            Self::BodyUnreadable(String::new()),
            Self::NoSuchRoute,
            Self::MethodNotAllowed,
            Self::Timeout,
            Self::TooManyRequests,
            Self::RateLimited,
            Self::EngineStopped,
            Self::Store(String::new()),
            Self::Internal(String::new()),
        ]
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TokenMissing | Self::TokenWrong => StatusCode::UNAUTHORIZED,
            Self::BadJson(_)
            | Self::BadBody(_)
            | Self::BadQuery(_)
            | Self::BadField { .. }
            | Self::SeedGiven
            | Self::TokenGiven
            | Self::BadId(_)
            | Self::UnknownName { .. }
            | Self::BodyUnreadable(_) => StatusCode::BAD_REQUEST,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NoSuchRoute => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::TooManyRequests | Self::EngineStopped => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Refused(error) => match error.refusal() {
                Refusal::Invalid => StatusCode::BAD_REQUEST,
                Refusal::Forbidden => StatusCode::FORBIDDEN,
                Refusal::Missing => StatusCode::NOT_FOUND,
                Refusal::Conflict => StatusCode::CONFLICT,
                Refusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            },
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Refused(CommandError::ArchiveUnreadable(error.to_string()))
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Stopped => Self::EngineStopped,
        }
    }
}

impl ApiError {
    /// As it is told.
    pub(super) fn view(&self) -> ErrorView {
        ErrorView {
            code: self.code().to_owned(),
            // It may quote what came.
            message: without_seeds(&self.to_string()).into_owned(),
            advice: self.advice().to_owned(),
        }
    }
}

/// The code of a refusal, for whoever counts them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code(pub(super) &'static str);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody { error: self.view() };
        let mut response = (self.status(), Shown(body)).into_response();
        response.extensions_mut().insert(Code(self.code()));
        if self.status() == StatusCode::UNAUTHORIZED {
            let scheme = axum::http::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(axum::http::header::WWW_AUTHENTICATE, scheme);
        }
        if matches!(self, Self::BodyTooLarge | Self::BodyTooSlow | Self::BodyUnreadable(_)) {
            // The rest of the body is not read, so the connection ends here; a client that is not told
            // sends its next request into nothing.
            let close = axum::http::HeaderValue::from_static("close");
            response.headers_mut().insert(axum::http::header::CONNECTION, close);
        }
        response
    }
}
