//! Why nobody was let in.

use axum::http::StatusCode;

use crate::console::door::refuse;
use crate::http::Refused;

/// Why a login at the provider came to nothing. Its words are for the log; people are told what they can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LoginError {
    /// Another browser began it, or nobody did, or it is over.
    #[error("the login did not begin in that browser, is over, or took too long")]
    State,
    /// The provider let nobody in.
    #[error("the provider let nobody in: {0}")]
    Denied(String),
    /// The provider does not take its own code.
    #[error("the provider takes the code for none of its own: {0}")]
    Code(String),
    /// What it swears to is not what was asked for.
    #[error("the provider's ID token is not taken: {0}")]
    Oath(String),
    /// It says who somebody is, and that is nobody here.
    #[error("whom the provider means is nobody in the configuration")]
    Nobody,
    /// There is no answer.
    #[error("the provider does not answer: {0}")]
    Silent(String),
    /// There is one, and it is not what a provider should say; or the secret is missing.
    #[error("nobody can log in at the provider: {0}")]
    Unfit(String),
    /// So many are logging in already.
    #[error("too many are logging in at once")]
    Busy,
}

impl LoginError {
    /// What the provider said instead of a code, as far as it is one of the words for that.
    pub(super) fn denied(word: &str) -> Self {
        let known = [
            "access_denied",
            "login_required",
            "consent_required",
            "interaction_required",
            "account_selection_required",
            "invalid_request",
            "invalid_scope",
            "unauthorized_client",
            "unsupported_response_type",
            "server_error",
            "temporarily_unavailable",
        ];
        let word = known.into_iter().find(|one| *one == word).unwrap_or("for a reason of its own");
        Self::Denied(word.to_owned())
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::State => "OIDC_STATE_WRONG",
            Self::Denied(_) => "OIDC_DENIED",
            Self::Code(_) => "OIDC_CODE_REFUSED",
            Self::Oath(_) => "OIDC_TOKEN_WRONG",
            Self::Nobody => "OIDC_NOBODY",
            Self::Silent(_) => "OIDC_PROVIDER_SILENT",
            Self::Unfit(_) => "OIDC_PROVIDER_UNFIT",
            Self::Busy => "OIDC_BUSY",
        }
    }

    /// Whether somebody was turned away, and not for want of a provider.
    pub(super) fn is_refusal(&self) -> bool {
        !matches!(self, Self::Silent(_) | Self::Unfit(_) | Self::Busy)
    }
}

impl From<LoginError> for Refused {
    fn from(error: LoginError) -> Self {
        let (status, message, advice) = match &error {
            LoginError::State => (
                StatusCode::UNAUTHORIZED,
                "This login did not begin in this browser, or it is over.",
                "Begin again from the page where you log in, and let the browser keep cookies. If you did not begin it, tell your security people.",
            ),
            LoginError::Denied(_) => (
                StatusCode::UNAUTHORIZED,
                "The provider did not let you in.",
                "Log in there with an account that may use treasuryd, or log in with your token.",
            ),
            LoginError::Code(_) => (
                StatusCode::UNAUTHORIZED,
                "The provider takes this login for none of its own, or for one that is over.",
                "Begin again from the page where you log in.",
            ),
            LoginError::Oath(_) => (
                StatusCode::UNAUTHORIZED,
                "What the provider says of you cannot be taken for its word.",
                "Begin again; if it stays so, whoever keeps the configuration finds the reason in the daemon's log (login_failed).",
            ),
            LoginError::Nobody => (
                StatusCode::FORBIDDEN,
                "The provider knows you, and the treasury does not.",
                "Whoever keeps the configuration can write you into it; until then you are nobody here, whatever you are elsewhere.",
            ),
            LoginError::Silent(_) => (
                StatusCode::BAD_GATEWAY,
                "The provider does not answer.",
                "Try again, or log in with your token.",
            ),
            LoginError::Unfit(_) => (
                StatusCode::BAD_GATEWAY,
                "Nobody can log in at the provider as it is set up.",
                "Log in with your token. Whoever keeps the configuration finds the reason in the daemon's log (login_failed).",
            ),
            LoginError::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many are logging in at once.",
                "Try again in some seconds, or log in with your token.",
            ),
        };
        refuse(status, error.code(), message, advice)
    }
}
