//! Logging in at a provider of logins, by OpenID Connect: authorization code, PKCE, state, nonce.
//!
//! The provider says who somebody is, and nothing else: what they may do is what the configuration says of the person that
//! it names, and whom it does not name is nobody. The daemon asks over connections of its own (`notify::post`), keeps no
//! token of the provider's, and asks it for nothing after the login.
//!
//! What it does not guard against: whoever holds the provider is everybody that it knows, in the console. They sign nothing.

mod error;
mod provider;
mod ticket;

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{HeaderValue, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use self::error::LoginError;
use self::provider::Provider;
pub(crate) use self::provider::is_usable;
use self::ticket::{Ticket, Tickets};
use super::door::{Bounce, Next, is_from_elsewhere, login_path, own_path, read_cookie, with_cookie};
use super::frame::shown;
use super::{Console, ConsoleConfig, refusal};
use crate::trust::Trust;

/// Where the provider sends people back to, under `console.origin`.
pub(crate) const BACK: &str = "/console/login/oidc/back";

/// The longest code or state that is looked at.
const TEXT_MAX: usize = 2_048;

/// Where people log in, and whom it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcConfig {
    /// What the provider calls itself, and where it is found.
    pub issuer: String,
    /// What the provider calls the daemon.
    pub client_id: String,
    /// The file whose first line is the daemon's secret, if it has one; read for each login.
    pub secret_file: Option<PathBuf>,
    /// What of the provider's words names the person.
    pub claim: String,
    /// What it is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// What people call the provider.
    pub name: String,
    /// What its certificate must come from; `None`: whom this machine believes.
    pub(crate) trust: Option<Trust>,
    /// Whether it may be on this machine or in its network.
    pub allow_private: bool,
}

/// The way in by the provider.
#[derive(Clone)]
pub(super) struct Oidc {
    provider: Arc<Provider>,
    tickets: Arc<Tickets>,
}

impl Oidc {
    /// Where the configuration names a provider and says under which name the console is reached.
    pub(super) fn of(config: &ConsoleConfig) -> Option<Self> {
        let (oidc, origin) = (config.oidc.clone()?, config.origin.as_ref()?);
        let provider = Provider::new(oidc, format!("{origin}{BACK}"));
        Some(Self { provider: Arc::new(provider), tickets: Arc::default() })
    }

    /// What people call the provider.
    pub(super) fn name(&self) -> &str {
        self.provider.name()
    }
}

/// `__Host-`: no other host, path or plain HTTP can set it.
fn cookie_name(config: &ConsoleConfig) -> &'static str {
    if config.is_secure() { "__Host-treasuryd-login" } else { "treasuryd-login" }
}

/// The browser has to bring it along when the provider sends it back, so it is not as strict as a session's; it lives as
/// long as one login, and opens nothing by itself. An empty one takes it away.
fn with_ticket(response: &mut Response, config: &ConsoleConfig, sealed: &str) {
    let secure = if config.is_secure() { "; Secure" } else { "" };
    let age = if sealed.is_empty() { 0 } else { ticket::SECONDS };
    let name = cookie_name(config);
    let cookie = format!("{name}={sealed}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// Sends somebody to the provider.
pub(super) async fn begin(
    State(console): State<Console>,
    Query(asked): Query<Next>,
    parts: Parts,
) -> Response {
    let Some(oidc) = console.oidc.clone() else { return refusal::no_such_page().await };
    let next = own_path(&asked.next).unwrap_or("/console").to_owned();
    // Nobody else's page has somebody logged in.
    if is_from_elsewhere(&parts) {
        return Redirect::to(&login_path(&next)).into_response();
    }
    let before = super::door::session_of(&parts, &console);
    match oidc.provider.begin(next, before).await {
        Ok((url, ticket)) => {
            let mut response = Redirect::to(url.as_str()).into_response();
            with_ticket(&mut response, &console.config, &oidc.tickets.seal(&ticket));
            response
        }
        Err(error) => refused(&console, &parts, &error),
    }
}

/// What the provider sends along.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Brought {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    /// Who it is that sends them (RFC 9207).
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

/// Lets in whom the provider sends back.
///
/// They come from another site, so a page is shown that leads on: from there the session's cookie, which goes nowhere but
/// from page to page, comes along.
pub(super) async fn back(
    State(console): State<Console>,
    brought: Result<Query<Brought>, QueryRejection>,
    parts: Parts,
) -> Response {
    let Some(oidc) = console.oidc.clone() else { return refusal::no_such_page().await };
    let sealed = read_cookie(&parts, cookie_name(&console.config)).unwrap_or_default();
    let brought = brought.map(|Query(brought)| brought).unwrap_or_default();
    let came = finish(&oidc, sealed, brought).await;
    // Another site can lead somebody here who is at the provider: that takes nothing from the login under way.
    let is_over = !matches!(came, Err(LoginError::State));
    let mut response = match came {
        Ok((login, next, before)) => match console.door.login_of(&login, &parts) {
            Some(badge) => {
                // Whoever was here before in this browser is no more.
                before.iter().for_each(|before| console.sessions.end_of(before));
                let id = console.sessions.begin(badge);
                with_cookie(shown(&Bounce { to: next }), &console.config, &id)
            }
            None => refusal::page(&LoginError::Nobody.into()),
        },
        Err(error) => refused(&console, &parts, &error),
    };
    if is_over {
        with_ticket(&mut response, &console.config, "");
    }
    response
}

/// What the provider calls them, where they wanted to go, and the session that they had.
async fn finish(
    oidc: &Oidc,
    sealed: &str,
    brought: Brought,
) -> Result<(String, String, Option<String>), LoginError> {
    let Brought { code, state, iss, error } = brought;
    if state.len() > TEXT_MAX || code.len() > TEXT_MAX {
        return Err(LoginError::State);
    }
    // Nothing else counts before it is known that this browser began this login, and that it is not over.
    let ticket: Ticket = oidc.tickets.take(sealed, &state).ok_or(LoginError::State)?;
    if iss.is_some_and(|iss| !oidc.provider.is(&iss)) {
        return Err(LoginError::Oath("it comes from another issuer".to_owned()));
    }
    if let Some(error) = error {
        return Err(LoginError::denied(&error));
    }
    let (next, before) = (ticket.next.clone(), ticket.before.clone());
    let login = oidc.provider.finish(code, ticket).await?;
    Ok((login, next, before))
}

fn refused(console: &Console, parts: &Parts, error: &LoginError) -> Response {
    let code = error.code();
    console.door.no_login(parts, code, &error.to_string(), error.is_refusal());
    refusal::page(&error.clone().into())
}
