//! The console's way in. It asks from within what the API answers: of the same routes, with the same checks, turns and
//! places, so that a page can neither do nor know anything that the API does not.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use treasury_api::operations::{Call, Method, Operation};
use treasury_core::intent::Origin;
use treasury_core::{Actor, Treasury};
use treasury_tools::text::{clean, without_seeds};
use url::form_urlencoded::Serializer;

use super::api::{ErrorBody, ErrorView};
use super::auth::{Badge, Speaker, Whence};
use super::connections::Connection;
use super::error::ApiError;
use super::{App, knocks, peer, seeds, token_refused, whole};
use crate::lines;
use crate::passkey::Passkey;
use crate::redact::without_tokens;

/// The largest answer that is read: that of the API which is largest, a page of 500 records, is far below it.
const ANSWER_MAX_BYTES: usize = 64 * 1024 * 1024;

tokio::task_local! {
    /// For whom the API is asked.
    static ASKING: Asking;
}

/// A request to the console, as long as it is answered.
#[derive(Clone, Default)]
struct Asking {
    /// Its connection: while the API answers, that is not cut, and at no other time. How slowly a form comes is its client's
    /// matter, as it is with the API's bodies.
    connection: Option<Arc<Connection>>,
    /// What the person has shown, once that was looked at.
    shown: Arc<Mutex<Option<String>>>,
}

impl Asking {
    fn shown(&self) -> MutexGuard<'_, Option<String>> {
        // It is written in one piece.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The API, asked from within.
#[derive(Clone)]
pub(crate) struct Door {
    app: App,
    api: TowerToHyperService<Router>,
}

/// Why something was not done, as the API says it.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    /// HTTP's word for it.
    pub(crate) status: StatusCode,
    /// Code, message and advice.
    pub(crate) error: ErrorView,
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self { status: error.status(), error: error.view() }
    }
}

impl Door {
    /// To this API, which `api` serves.
    pub(super) fn new(app: App, api: Router) -> Self {
        Self { app, api: TowerToHyperService::new(api) }
    }

    /// Refuses a question in which a seed or a token stands: a page shows what was asked.
    pub(crate) fn not_asked(&self, uri: &Uri) -> Result<(), Refused> {
        seeds::in_query(uri, &self.app.tokens).map_or(Ok(()), |given| Err(given.into()))
    }

    /// What stands in a text that belongs nowhere: a seed or a token.
    pub(crate) fn secret_in(&self, text: &str) -> Option<Refused> {
        seeds::in_text(text, &self.app.tokens).map(Refused::from)
    }

    /// The text without it.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        without_tokens(&without_seeds(text), &|word| self.app.tokens.is_one(word)).into_owned()
    }

    /// Whose token it is. One that is nobody's is counted and said as the API's are.
    pub(crate) fn login(&self, token: &str, parts: &Parts) -> Result<Badge, Refused> {
        let badge = self.app.tokens.badge(token);
        let person = badge.as_ref().map(|badge| badge.person.as_str());
        self.note(
            parts,
            person,
            "login",
            if person.is_some() { "DONE" } else { ApiError::TokenWrong.code() },
        );
        badge.ok_or_else(|| {
            token_refused(&self.app, "login", parts);
            ApiError::TokenWrong.into()
        })
    }

    /// Whom the provider of logins means, by what it calls them. Nobody's is counted and said as a token of nobody's is.
    pub(crate) fn login_of(&self, login: &str, parts: &Parts) -> Option<Badge> {
        let badge = self.app.tokens.badge_of_login(login);
        match &badge {
            Some(badge) => self.note(parts, Some(&badge.person), "login", "DONE"),
            None => self.no_login(parts, "OIDC_NOBODY", "whom the provider means is nobody here", true),
        }
        badge
    }

    /// A login failed that was not by token: counted, and from time to time said. Who was turned away counts beside tokens
    /// that are nobody's.
    pub(crate) fn no_login(&self, parts: &Parts, code: &str, why: &str, is_refusal: bool) {
        self.note(parts, None, "login", code);
        if is_refusal {
            self.app.metrics.token_refused();
        }
        if let Some(count) = self.app.rates.refused() {
            lines::login_failed(code, why, peer(parts), count);
        }
    }

    /// Has records say what the person has shown whose request this is.
    pub(crate) fn shows(&self, badge: &Badge) {
        // Outside of a request nothing is asked for.
        let _ = ASKING.try_with(|asking| *asking.shown() = Some(badge.name()));
    }

    /// The person's passkeys that count.
    pub(crate) fn passkeys_of(&self, person: &str) -> Arc<[Passkey]> {
        self.app.tokens.passkeys_of(person)
    }

    /// Has records say with which passkey the person has confirmed what is asked for now.
    pub(crate) fn shows_gesture(&self, passkey: &str) {
        let _ = ASKING.try_with(|asking| {
            let mut shown = asking.shown();
            let before = shown.take().unwrap_or_default();
            *shown = Some(format!("{before}+passkey:{passkey}"));
        });
    }

    /// Has something counted in the audit log that the API does not hear of.
    pub(crate) fn note(&self, parts: &Parts, person: Option<&str>, operation: &'static str, code: &str) {
        let peer = parts.extensions.get::<Arc<Connection>>().map(|connection| connection.peer());
        knocks::note(&self.app, person, Origin::Console, peer, operation, code);
    }

    /// Whether its token is still the person's.
    pub(crate) fn is_good(&self, badge: &Badge) -> bool {
        self.app.tokens.is_good(badge)
    }

    /// What the organisation has declared.
    pub(crate) fn treasury(&self) -> Arc<Treasury> {
        self.app.engine.treasury()
    }

    /// Does what answers a request. Whatever is asked within it is asked for whoever the request came from.
    ///
    /// A page takes its time, elsewhere than on the API's thread. A form does not: most of them stop something, and wait for
    /// no page of somebody else's. What takes long of what it asks for, the API does elsewhere by itself.
    pub(crate) async fn on_behalf<T: Send + 'static>(
        &self,
        parts: &Parts,
        answer: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Refused> {
        let connection = parts.extensions.get::<Arc<Connection>>().map(Arc::clone);
        let answer = ASKING.scope(Asking { connection, ..Asking::default() }, answer);
        if parts.method == axum::http::Method::POST {
            return Ok(answer.await);
        }
        self.app.elsewhere(answer).await.map_err(Refused::from)
    }

    /// A body that came over the connection, within its size and time.
    pub(crate) async fn body(&self, body: Body) -> Result<Bytes, Refused> {
        whole(body, self.app.limits.body).await.map_err(Refused::from)
    }

    /// What the API answers a person.
    pub(crate) async fn ask<T: Serialize, G: DeserializeOwned>(
        &self,
        person: &str,
        call: Call<T, G>,
        id: &str,
        asked: &T,
    ) -> Result<G, Refused> {
        let asked = serde_json::to_value(asked).map_err(internal)?;
        let text = self.raw(person, call.operation, id, &asked).await?;
        let mut answer: Value = serde_json::from_slice(&text).map_err(internal)?;
        // Whatever a page shows of it: nothing in it turns the direction of writing, or cannot be seen.
        clean_texts(&mut answer);
        serde_json::from_value(answer).map_err(internal)
    }

    /// The same, as it came.
    pub(crate) async fn raw(
        &self,
        person: &str,
        operation: Operation,
        id: &str,
        asked: &Value,
    ) -> Result<Bytes, Refused> {
        let spec = operation.spec();
        let mut path = spec.path.replace("{id}", &percent_encode(id));
        let mut body = Body::empty();
        match spec.method {
            Method::Get => path.push_str(&query(asked)),
            Method::Post | Method::Delete => body = Body::from(asked.to_string()),
        }
        let request = Request::builder().method(spec.method.word()).uri(path);
        let mut request = request.body(body).map_err(internal)?;
        let actor = Actor { person: person.to_owned(), origin: Origin::Console };
        let asking = ASKING.try_with(Clone::clone).unwrap_or_default();
        let token = asking.shown().clone();
        request.extensions_mut().insert(Speaker(actor, Whence { token, ..Whence::default() }));
        if let Some(connection) = asking.connection {
            request.extensions_mut().insert(connection);
        }
        // It cannot fail: every error is a response.
        let response = self.api.call(request).await.map_err(internal)?;
        let status = response.status();
        let body = http_body_util::Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect().await;
        let body = body.map_err(|error| Refused::from(ApiError::Internal(error.to_string())))?.to_bytes();
        if status.is_success() {
            return Ok(body);
        }
        let mut refused: Value = serde_json::from_slice(&body).map_err(internal)?;
        clean_texts(&mut refused);
        let ErrorBody { error } = serde_json::from_value(refused).map_err(internal)?;
        Err(Refused { status, error })
    }
}

fn internal(error: impl std::fmt::Display) -> Refused {
    ApiError::Internal(error.to_string()).into()
}

/// An id comes out of a path that was decoded, and goes into another one.
fn percent_encode(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The fields that say something, as a query.
fn query(asked: &Value) -> String {
    let Value::Object(fields) = asked else { return String::new() };
    let mut query = Serializer::for_suffix("?".to_owned(), 1);
    for (name, value) in fields {
        match value {
            Value::String(text) => query.append_pair(name, text),
            Value::Number(_) | Value::Bool(_) => query.append_pair(name, &value.to_string()),
            _ => &mut query,
        };
    }
    query.finish()
}

fn clean_texts(value: &mut Value) {
    match value {
        Value::String(text) => *text = clean(text),
        Value::Array(items) => items.iter_mut().for_each(clean_texts),
        Value::Object(fields) => fields.values_mut().for_each(clean_texts),
        _ => {}
    }
}
