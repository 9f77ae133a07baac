//! Coming in and going out.

use askama::Template;
use axum::extract::{FromRequest, FromRequestParts, Query, Request, State};
use axum::http::header::{COOKIE, HOST, HeaderValue, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use subtle::ConstantTimeEq;
use url::form_urlencoded::byte_serialize;

use super::forms::Form;
use super::frame::shown;
use super::sessions::{Sessions, Visitor};
use super::{Console, ConsoleConfig, refusal};

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    next: String,
    /// What people call the provider of logins, where there is one.
    provider: Option<String>,
}

/// Whoever follows a link from elsewhere comes without the cookie, which goes nowhere but from page to page. One more
/// step from here, and it is there.
#[derive(Template)]
#[template(path = "bounce.html")]
pub(super) struct Bounce {
    pub(super) to: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    pub(super) next: String,
}

pub(super) async fn asked(State(console): State<Console>, Query(asked): Query<Next>) -> Response {
    let provider = console.oidc.as_ref().map(|oidc| oidc.name().to_owned());
    shown(&Login { next: own_path(&asked.next).unwrap_or_default().to_owned(), provider })
}

pub(super) async fn login(State(console): State<Console>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Err(refused) = from_here(&parts, &console.config) {
        console.door.note(&parts, None, "login", &refused.error.code);
        return refused.into_response();
    }
    let form = match Form::read(&console.door, &parts, body).await {
        Ok(form) => form,
        Err(refused) => return refused.into_response(),
    };
    let badge = match console.door.login(form.text("token").trim(), &parts) {
        Ok(badge) => badge,
        Err(refused) => return refusal::at_the_door(&refused),
    };
    // Whoever was here before in this browser is no more.
    if let Some(before) = visitor(&parts, &console) {
        console.sessions.end(&before);
    }
    let id = console.sessions.begin(badge);
    let to = own_path(form.text("next")).unwrap_or("/console").to_owned();
    with_cookie(Redirect::to(&to).into_response(), &console.config, &id)
}

pub(super) async fn logout(State(console): State<Console>, Sent { visitor, parts, .. }: Sent) -> Response {
    console.sessions.end(&visitor);
    console.door.note(&parts, Some(&visitor.person), "logout", "DONE");
    with_cookie(Redirect::to("/console/login").into_response(), &console.config, "")
}

/// `__Host-`: no other host, path or plain HTTP can set it.
fn cookie_name(config: &ConsoleConfig) -> &'static str {
    if config.is_secure() { "__Host-treasuryd" } else { "treasuryd" }
}

/// An empty id takes it away.
pub(super) fn with_cookie(mut response: Response, config: &ConsoleConfig, id: &str) -> Response {
    let secure = if config.is_secure() { "; Secure" } else { "" };
    let gone = if id.is_empty() { "; Max-Age=0" } else { "" };
    let name = cookie_name(config);
    let cookie = format!("{name}={id}; Path=/; HttpOnly; SameSite=Strict{secure}{gone}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// The value of the request's cookie.
pub(super) fn read_cookie<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let texts = parts.headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// What the session is called in the table that the browser has.
pub(super) fn session_of(parts: &Parts, console: &Console) -> Option<String> {
    read_cookie(parts, cookie_name(&console.config)).map(Sessions::called)
}

pub(super) fn visitor(parts: &Parts, console: &Console) -> Option<Visitor> {
    console.sessions.enter(read_cookie(parts, cookie_name(&console.config))?, &console.door)
}

impl FromRequestParts<Console> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        visitor(parts, console).ok_or_else(|| stranger(parts))
    }
}

fn stranger(parts: &Parts) -> Response {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return refusal::session_ended().into_response();
    }
    let here = parts.uri.path_and_query().map_or("/console", |here| here.as_str());
    match own_path(here) {
        Some(here) if is_from_elsewhere(parts) => shown(&Bounce { to: here.to_owned() }),
        here => Redirect::to(&login_path(here.unwrap_or("/console"))).into_response(),
    }
}

/// Whether another site leads here.
pub(super) fn is_from_elsewhere(parts: &Parts) -> bool {
    parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}

/// Where somebody logs in who wants to go there.
pub(super) fn login_path(next: &str) -> String {
    let next: String = byte_serialize(next.as_bytes()).collect();
    format!("/console/login?next={next}")
}

/// A path of the console, if it is one: nobody is sent elsewhere from here.
pub(super) fn own_path(path: &str) -> Option<&str> {
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let rest = path.strip_prefix("/console")?;
    let is_own = rest.is_empty() || rest.starts_with('/') || rest.starts_with('?');
    (is_plain && is_own).then_some(path)
}

/// A form that somebody sent who is logged in, from one of our pages.
pub(super) struct Sent {
    pub(super) visitor: Visitor,
    pub(super) form: Form,
    /// The head of its request.
    pub(super) parts: Parts,
}

impl FromRequest<Console> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        from_here(&parts, &console.config).map_err(|refused| {
            console.door.note(&parts, None, "form", &refused.error.code);
            refused.into_response()
        })?;
        let visitor = Visitor::from_request_parts(&mut parts, console).await?;
        let form = Form::read(&console.door, &parts, body).await.map_err(IntoResponse::into_response)?;
        is_ours(console, &parts, &form, &visitor).map_err(IntoResponse::into_response)?;
        Ok(Self { visitor, form, parts })
    }
}

/// Whether the form is of the visitor's session.
pub(super) fn is_ours(
    console: &Console,
    parts: &Parts,
    form: &Form,
    visitor: &Visitor,
) -> Result<(), crate::http::Refused> {
    if bool::from(form.text("csrf").as_bytes().ct_eq(visitor.csrf.as_bytes())) {
        return Ok(());
    }
    let refused = refusal::wrong_form();
    console.door.note(parts, Some(&visitor.person), "form", &refused.error.code);
    Err(refused)
}

/// Browsers say where a form comes from. One that does not say so, or that comes from elsewhere, is not looked at.
pub(super) fn from_here(parts: &Parts, config: &ConsoleConfig) -> Result<(), crate::http::Refused> {
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let origin = header(ORIGIN);
    let is_here = match (&config.origin, origin, header(HOST)) {
        (Some(own), Some(origin), _) => own == origin,
        (None, Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, found)| found == host),
        _ => false,
    };
    let site = parts.headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if is_here && matches!(site, None | Some("same-origin")) { Ok(()) } else { Err(refusal::wrong_origin()) }
}

/// So that an answer can be made of it alone.
impl IntoResponse for crate::http::Refused {
    fn into_response(self) -> Response {
        refusal::page(&self)
    }
}

/// What a page answers.
pub(super) type Answered = Result<Response, crate::http::Refused>;

/// A refusal of our own.
pub(super) fn refuse(status: StatusCode, code: &str, message: &str, advice: &str) -> crate::http::Refused {
    let error = crate::http::api::ErrorView {
        code: code.to_owned(),
        message: message.to_owned(),
        advice: advice.to_owned(),
    };
    crate::http::Refused { status, error }
}
