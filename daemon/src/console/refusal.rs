//! What is said where something is not done: the API's own error, as a page.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::door::refuse;
use super::frame::shown;
use crate::http::Refused;
use crate::http::api::ErrorView;

#[derive(Template)]
#[template(path = "refused.html")]
struct Page<'a> {
    error: &'a ErrorView,
    status: u16,
    /// Whether there is somewhere to go back to.
    login: bool,
    /// Whether there is too much to do for this, but not for what stops something.
    is_busy: bool,
}

/// The page of an error.
pub(super) fn page(refused: &Refused) -> Response {
    let login = refused.status == StatusCode::UNAUTHORIZED;
    let is_busy = is_busy(refused);
    let page = Page { error: &refused.error, status: refused.status.as_u16(), login, is_busy };
    let mut response = shown(&page);
    if response.status() == StatusCode::OK {
        *response.status_mut() = refused.status;
    }
    response
}

/// Whether the API has too much to do to answer this, which says nothing about what is asked for.
pub(super) fn is_busy(refused: &Refused) -> bool {
    use crate::http::ApiError::{RateLimited, Timeout, TooManyRequests};
    [RateLimited, TooManyRequests, Timeout].iter().any(|busy| busy.code() == refused.error.code)
}

/// A page that cannot be shown, after something that was done.
pub(super) fn after(refused: Refused, said: &[String]) -> Refused {
    if said.is_empty() {
        return refused;
    }
    let message =
        format!("Done: {}. The page after it cannot be shown: {}.", said.join("; "), refused.error.message);
    Refused { error: ErrorView { message, ..refused.error }, ..refused }
}

/// A token that is nobody's. The advice of the API is for programs; here it was typed.
pub(super) fn at_the_door(refused: &Refused) -> Response {
    page(&Refused {
        status: refused.status,
        error: ErrorView {
            message: "This token is nobody's.".to_owned(),
            advice: "Paste the whole token that you were given, and nothing else. Who has lost theirs is given another one."
                .to_owned(),
            ..refused.error.clone()
        },
    })
}

pub(super) fn session_ended() -> Refused {
    let message = "Your session has ended. Nothing was changed.";
    refuse(StatusCode::UNAUTHORIZED, "SESSION_ENDED", message, "Log in and do it again.")
}

pub(super) fn wrong_form() -> Refused {
    let message = "The form is not of your session. Nothing was changed.";
    let advice = "Open the page anew and send its form. If you did not send one, somebody else's page did: tell your security people.";
    refuse(StatusCode::FORBIDDEN, "WRONG_FORM", message, advice)
}

pub(super) fn no_passkey() -> Refused {
    let message = "This needs a gesture with a passkey, and you have none that counts. Nothing was changed.";
    let advice = "Make one on the page Passkeys and have it written into the configuration, or do this with treasuryctl, which needs none.";
    refuse(StatusCode::FORBIDDEN, "PASSKEY_MISSING", message, advice)
}

pub(super) fn gesture_over() -> Refused {
    let message = "What this gesture was for is over: it was used, took too long, or is of another session. Nothing was changed.";
    refuse(StatusCode::CONFLICT, "GESTURE_OVER", message, "Begin again from the page that the form was on.")
}

pub(super) fn gesture_wrong() -> Refused {
    let message = "This is no gesture with a passkey of yours for what was asked. Nothing was changed.";
    let advice =
        "Begin again, with a passkey that the page Passkeys shows, and let the device look who you are.";
    refuse(StatusCode::FORBIDDEN, "GESTURE_WRONG", message, advice)
}

pub(super) fn wrong_origin() -> Refused {
    let message = "The form comes from somewhere else. Nothing was changed.";
    let advice = "Use the console under the address that the configuration names as console.origin.";
    refuse(StatusCode::FORBIDDEN, "WRONG_ORIGIN", message, advice)
}

pub(super) async fn no_such_page() -> Response {
    refuse(StatusCode::NOT_FOUND, "NO_SUCH_PAGE", "There is nothing at this path.", "Begin at the inbox.")
        .into_response()
}
