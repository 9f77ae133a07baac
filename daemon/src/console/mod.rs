//! The console: pages for people with a browser.
//!
//! A page asks the API from within (`http::door`) and shows what it answers, in the words of its types; an act of a page is
//! an operation of the API. Nothing here looks at the state by itself. What is here alone: sessions, forms, and pages.
//!
//! Everything works without JavaScript. The one script that there is counts the time down and saves a click.
//!
//! What it does not guard against: whoever holds the daemon decides what its pages say. A signer therefore looks at the
//! bytes with a tool of their own, and signs there; no key is ever asked for here.

mod acts;
mod audit;
mod code;
mod door;
mod forms;
mod frame;
mod history;
pub(crate) mod oidc;
mod pages;
pub(crate) mod passkeys;
mod refusal;
mod sessions;
mod signed;
mod standing;
mod stop;
mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};

use self::oidc::Oidc;
pub use self::oidc::OidcConfig;
use self::passkeys::Passkeys;
pub use self::passkeys::PasskeysConfig;
use self::sessions::Sessions;
use crate::http::Door;

/// A session that nobody uses ends after this, where nothing is said.
pub const IDLE_SECONDS: u32 = 30 * 60;

/// And every session after this: somebody logs in once a working day.
pub const SESSION_SECONDS: u32 = 12 * 3_600;

/// Everything that a page may do: show itself, in its own style, with its own script, and send forms here.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

const STYLE: &str = include_str!("console.css");
const SCRIPT: &str = include_str!("console.js");

/// How the console is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// What people type into their browser, such as `https://treasury.example`: forms come from there alone, and with
    /// `https` the cookie goes over nothing else. Where it is not said: whatever name the request came to.
    pub origin: Option<String>,
    /// A session that nobody uses ends after this.
    pub idle: Duration,
    /// Every session ends after this.
    pub session: Duration,
    /// The provider of logins, where there is one; with an origin.
    pub oidc: Option<OidcConfig>,
    /// Which acts need a passkey, where any do; with an origin.
    pub passkeys: Option<PasskeysConfig>,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        let seconds = |seconds| Duration::from_secs(u64::from(seconds));
        Self {
            origin: None,
            idle: seconds(IDLE_SECONDS),
            session: seconds(SESSION_SECONDS),
            oidc: None,
            passkeys: None,
        }
    }
}

impl ConsoleConfig {
    fn is_secure(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.starts_with("https://"))
    }
}

/// What the pages share.
#[derive(Clone)]
struct Console {
    door: Door,
    sessions: Sessions,
    oidc: Option<Oidc>,
    passkeys: Option<Passkeys>,
    config: Arc<ConsoleConfig>,
}

/// The pages, on their paths.
pub(crate) fn router(door: Door, config: ConsoleConfig) -> Router {
    let (sessions, oidc) = (Sessions::new(&config), Oidc::of(&config));
    let passkeys = Passkeys::of(&config);
    let console = Console { door, sessions, oidc, passkeys, config: Arc::new(config) };
    Router::new()
        .route("/", get(|| async { Redirect::to("/console") }))
        .route("/console", get(pages::inbox))
        .route("/console/login", get(door::asked).post(door::login))
        .route("/console/login/oidc", get(oidc::begin))
        .route(oidc::BACK, get(oidc::back))
        .route("/console/logout", post(door::logout).get(|| async { Redirect::to("/console") }))
        .route("/console/console.css", get(|| file("text/css; charset=utf-8", STYLE)))
        .route("/console/console.js", get(|| file("text/javascript; charset=utf-8", SCRIPT)))
        .route("/console/proposals", get(pages::proposals))
        .route("/console/proposals/{id}", get(pages::proposal))
        .route("/console/proposals/{id}/package.json", get(pages::package))
        .route("/console/proposals/{id}/{act}", post(acts::proposal).get(acts::back_to_proposal))
        .route("/console/escrows", get(standing::escrows))
        .route("/console/findings", get(standing::findings))
        .route("/console/accounts", get(standing::accounts))
        .route("/console/history", get(history::page))
        .route("/console/history.csv", get(history::csv))
        .route("/console/audit", get(audit::page))
        .route("/console/audit.csv", get(audit::csv))
        .route("/console/audit.jsonl", get(audit::lines))
        .route("/console/audit/report.html", get(audit::report))
        .route("/console/policy", get(standing::policy))
        .route("/console/deliveries", get(standing::deliveries))
        .route("/console/system", get(standing::system))
        .route(stop::PATH, get(stop::page).post(stop::send))
        .route("/console/confirm", post(passkeys::confirm).get(|| async { Redirect::to("/console") }))
        .route("/console/passkeys", get(passkeys::own))
        .route("/console/passkeys/new", post(passkeys::make).get(to_passkeys))
        .route("/console/passkeys/made", post(passkeys::made).get(to_passkeys))
        .route("/console/do/{act}", post(acts::other).get(|| async { Redirect::to("/console") }))
        .route("/console/{*path}", any(refusal::no_such_page))
        .layer(from_fn_with_state(console.clone(), dress))
        .with_state(console)
}

async fn to_passkeys() -> Redirect {
    Redirect::to("/console/passkeys")
}

async fn file(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], text).into_response()
}

/// What every answer says to the browser.
async fn dress(State(console): State<Console>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let asked = console.door.not_asked(&parts.uri);
    let request = Request::from_parts(parts.clone(), body);
    let answer = async move {
        // A page shows what was asked.
        match asked {
            Ok(()) => next.run(request).await,
            Err(refused) => refusal::page(&refused),
        }
    };
    let answered = console.door.on_behalf(&parts, answer).await;
    let mut response = answered.unwrap_or_else(IntoResponse::into_response);
    let mut say = |name: &'static str, value: &'static str| {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    };
    say("content-security-policy", POLICY);
    say("x-content-type-options", "nosniff");
    // Nothing of an address goes to another site. With `no-referrer` a browser would hide where a form comes from, too
    // (`Origin: null`), and that is looked at.
    say("referrer-policy", "same-origin");
    say("x-frame-options", "DENY");
    say("cross-origin-opener-policy", "same-origin");
    say("cross-origin-resource-policy", "same-origin");
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
