//! The guard's API: two questions for the daemon, and what those who guard do.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State as Shared};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use treasury_api::types::{ErrorBody, ErrorView};
use treasury_core::units::{EscrowKey, Hash256, HexBytes, RippleTime};
use treasury_tools::text::{clean, without_seeds};

use super::declined::Declined;
use super::service::{Guard, NotLifted};
use super::stops::{Stop, StopId, Subject};
use super::store::{Deed, Record};
use super::terms::Terms;
use crate::http::{Connection, legible};
use crate::redact;
use crate::store::StoreError;

/// The largest body: terms are half a kilobyte, and a reason is a few sentences.
const BODY_MAX_BYTES: usize = 16 * 1024;

/// The largest body of a stop, as the daemon's: a log that is pasted whole as a reason is no reason to let money go.
const STOP_BODY_MAX_BYTES: usize = 64 * 1024;

/// So much of a stop's reason is kept.
const REASON_MAX_CHARS: usize = 1_000;

/// Entries of a list where nothing is said, and at most.
const LIMIT: usize = 50;
const LIMIT_MAX: usize = 500;

/// The longest that a request may take, the look at the ledger included.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Who may ask what, by SHA-256 of their tokens.
#[derive(Clone, Debug)]
pub struct GuardTokens {
    /// The daemon.
    pub daemon: [u8; 32],
    /// Those who guard, by name.
    pub operators: Vec<(String, [u8; 32])>,
}

#[derive(Clone)]
struct App {
    guard: Arc<Guard>,
    tokens: Arc<GuardTokens>,
    /// For what the daemon asks: whoever stops something waits for no more than so many of it.
    places: Arc<Semaphore>,
}

/// Requests of the daemon at the same time. It asks for no more at once.
const DAEMON_AT_ONCE: usize = 16;

/// The condition that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionAnswer {
    /// Serialized.
    pub condition: HexBytes,
}

/// The guard's share. A secret, though of no use without the daemon's part.
#[derive(Serialize, Deserialize)]
pub struct ShareAnswer {
    /// Its bytes.
    pub share: HexBytes,
}

impl Drop for ShareAnswer {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.share.0);
    }
}

/// What is to be stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopRequest {
    /// `everything`, `destination rAddress`, `owner rAddress` or `escrow rOwner:sequence`.
    pub subject: Subject,
    /// Why, for whoever lifts it. It may be nothing: nobody who stops something is refused for the words.
    #[serde(default, deserialize_with = "treasury_api::text::or_nothing")]
    pub reason: String,
}

/// How the guard stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// Version of the program.
    pub version: String,
    /// Conditions that are kept.
    pub records: usize,
    /// How many of them a share was given for.
    pub given: usize,
    /// What is stopped.
    pub stops: Vec<Stop>,
}

/// A condition that was made, for those who look whether an escrow is guarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordAnswer {
    /// What for.
    pub terms: Terms,
    /// The condition.
    pub condition: HexBytes,
    /// When its share was given first.
    pub given: Option<RippleTime>,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    /// Deeds before the one of this number.
    before: Option<u64>,
    /// At most so many.
    limit: Option<usize>,
}

impl Part {
    fn of(query: Result<Query<Self>, QueryRejection>) -> Result<(Option<u64>, usize), Problem> {
        let Query(Self { before, limit }) = query.map_err(|_| Problem::BadPath)?;
        Ok((before, limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX)))
    }
}

/// Why a request was not carried out.
enum Problem {
    TokenMissing,
    TokenWrong,
    BadJson(String),
    BadBody(String),
    BadPath,
    NoSuchRoute,
    MethodNotAllowed,
    Timeout,
    TooMany,
    Declined(Declined),
    NotLifted(NotLifted),
    Failed,
}

impl Problem {
    fn view(&self) -> (StatusCode, &'static str, String, &'static str) {
        match self {
            Self::TokenMissing => (
                StatusCode::UNAUTHORIZED,
                "guard_token_missing",
                "the request carries no bearer token".to_owned(),
                "send `Authorization: Bearer …`",
            ),
            Self::TokenWrong => (
                StatusCode::UNAUTHORIZED,
                "guard_token_wrong",
                "the bearer token is not one that may ask for this".to_owned(),
                "the daemon and those who guard have tokens of their own; use the right one",
            ),
            Self::BadJson(problem) => (
                StatusCode::BAD_REQUEST,
                "guard_bad_json",
                format!("the body is not JSON: {problem}"),
                "send JSON",
            ),
            Self::BadBody(problem) => (
                StatusCode::BAD_REQUEST,
                "guard_bad_body",
                format!("the body is not what this request takes: {problem}"),
                "see docs/reference/guard.md",
            ),
            Self::BadPath => (
                StatusCode::BAD_REQUEST,
                "guard_bad_path",
                "the path does not name what it should".to_owned(),
                "see docs/reference/guard.md",
            ),
            Self::NoSuchRoute => (
                StatusCode::NOT_FOUND,
                "guard_no_such_route",
                "there is nothing at this path".to_owned(),
                "see docs/reference/guard.md",
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "guard_method_not_allowed",
                "this path does not take this method".to_owned(),
                "see docs/reference/guard.md",
            ),
            Self::Timeout => (
                StatusCode::SERVICE_UNAVAILABLE,
                "guard_timeout",
                format!("the answer took longer than {} s", TIMEOUT.as_secs()),
                "see the guard's ledger servers",
            ),
            Self::TooMany => (
                StatusCode::TOO_MANY_REQUESTS,
                "guard_too_many",
                format!("the daemon may ask {DAEMON_AT_ONCE} things at once"),
                "ask again",
            ),
            Self::Declined(declined) => {
                (StatusCode::CONFLICT, declined.code(), declined.to_string(), declined.advice())
            }
            Self::NotLifted(NotLifted::Unknown(id)) => (
                StatusCode::NOT_FOUND,
                "guard_no_such_stop",
                NotLifted::Unknown(*id).to_string(),
                "`treasuryd guard status` lists those that stand",
            ),
            Self::NotLifted(not @ NotLifted::Own(_)) => (
                StatusCode::FORBIDDEN,
                "guard_lift_by_another",
                not.to_string(),
                "the configuration says so: `lift_by_another`",
            ),
            Self::NotLifted(NotLifted::Store) | Self::Failed => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "guard_store",
                "the guard's store failed".to_owned(),
                "see the guard's disk",
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code, message, advice) = self.view();
        let error = ErrorView {
            code: code.to_owned(),
            // It may quote what came.
            message: without_seeds(&clean(&message)).into_owned(),
            advice: advice.to_owned(),
        };
        (status, axum::Json(ErrorBody { error })).into_response()
    }
}

/// The whole API.
pub(super) fn router(guard: Arc<Guard>, tokens: GuardTokens) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/metrics", get(metrics))
        .route("/v1/conditions", post(condition))
        .route("/v1/conditions/known", post(known))
        .route("/v1/shares", post(share))
        .route("/v1/status", get(status))
        .route("/v1/stops", post(stop).layer(DefaultBodyLimit::max(STOP_BODY_MAX_BYTES)))
        .route("/v1/stops/{id}/lift", post(lift))
        .route("/v1/escrows", get(escrows))
        .route("/v1/escrows/{escrow}", get(escrow))
        .route("/v1/history", get(history))
        .fallback(async || Problem::NoSuchRoute)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(from_fn(bounded))
        .with_state(App { guard, tokens: Arc::new(tokens), places: Arc::new(Semaphore::new(DAEMON_AT_ONCE)) })
}

/// Bounds a request in time, and keeps its answer out of every cache.
async fn bounded(request: Request, next: Next) -> Result<Response, Infallible> {
    // Where there are too many connections, it is none that is being answered that is cut.
    let _answering = request.extensions().get::<Arc<Connection>>().map(Connection::answering);
    let answer = timeout(TIMEOUT, next.run(request)).await;
    let mut answer = answer.unwrap_or_else(|_| Problem::Timeout.into_response());
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

/// SHA-256 of the bearer token.
fn token(headers: &HeaderMap) -> Result<[u8; 32], Problem> {
    let header = headers.get(AUTHORIZATION).ok_or(Problem::TokenMissing)?;
    let text = header.to_str().map_err(|_| Problem::TokenWrong)?;
    let (scheme, token) = text.split_once(' ').ok_or(Problem::TokenMissing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::TokenMissing);
    }
    Ok(Sha256::digest(token.trim().as_bytes()).into())
}

impl App {
    /// Whether the daemon asks.
    fn daemon(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let is_daemon = |hash: [u8; 32]| bool::from(hash.ct_eq(&self.tokens.daemon));
        match token(headers).map(is_daemon) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.refused("daemon", Problem::TokenWrong)),
            Err(problem) => Err(self.refused("daemon", problem)),
        }
    }

    /// Who of those who guard asks.
    fn operator(&self, headers: &HeaderMap) -> Result<String, Problem> {
        let hash = token(headers).map_err(|problem| self.refused("operator", problem))?;
        // Each is compared, whoever's it is.
        let own = self.tokens.operators.iter().filter(|(_, known)| bool::from(known.ct_eq(&hash)));
        let own: Vec<&String> = own.map(|(name, _)| name).collect();
        own.first().map(|name| (*name).clone()).ok_or_else(|| self.refused("operator", Problem::TokenWrong))
    }

    /// A place for something that the daemon asks.
    fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| Problem::TooMany)
    }

    /// What somebody wrote, without seeds and tokens that they pasted into it: it is stored, told in the log and to the daemon. What is
    /// longer than a reason may be is left out: nobody who stops something is refused for its length.
    fn legible(&self, text: &str) -> String {
        let is_token = |word: &str| {
            let hash: [u8; 32] = Sha256::digest(word.as_bytes()).into();
            let operators = self.tokens.operators.iter().map(|(_, known)| known);
            operators.chain([&self.tokens.daemon]).any(|known| bool::from(known.ct_eq(&hash)))
        };
        redact::legible(text, &is_token).chars().take(REASON_MAX_CHARS).collect()
    }

    fn refused(&self, who: &'static str, problem: Problem) -> Problem {
        self.guard.metrics().token_refused(who);
        problem
    }
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => Problem::BadBody(error.to_string()),
        Category::Io | Category::Syntax | Category::Eof => Problem::BadJson(error.to_string()),
    })
}

/// Does what waits for the store on a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::Failed)
}

async fn metrics(Shared(app): Shared<App>) -> Result<String, Problem> {
    app.guard.metrics().text().map_err(|_| Problem::Failed)
}

async fn condition(
    Shared(app): Shared<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<axum::Json<ConditionAnswer>, Problem> {
    of_terms(app, &headers, &body, Guard::condition).await
}

async fn known(
    Shared(app): Shared<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<axum::Json<ConditionAnswer>, Problem> {
    of_terms(app, &headers, &body, Guard::known_condition).await
}

/// The condition of the terms that the daemon sends, in one way or the other.
async fn of_terms(
    app: App,
    headers: &HeaderMap,
    body: &Bytes,
    ask: fn(&Guard, &Terms) -> Result<HexBytes, Declined>,
) -> Result<axum::Json<ConditionAnswer>, Problem> {
    app.daemon(headers)?;
    let terms: Terms = read(body)?;
    let _place = app.place()?;
    let condition = blocking(move || ask(&app.guard, &terms)).await?.map_err(Problem::Declined)?;
    Ok(axum::Json(ConditionAnswer { condition }))
}

async fn share(
    Shared(app): Shared<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<axum::Json<ShareAnswer>, Problem> {
    app.daemon(&headers)?;
    let terms: Terms = read(&body)?;
    let _place = app.place()?;
    let share = app.guard.share(terms).await.map_err(Problem::Declined)?;
    Ok(axum::Json(ShareAnswer { share: HexBytes(share.to_vec()) }))
}

async fn status(Shared(app): Shared<App>, headers: HeaderMap) -> Result<axum::Json<StatusAnswer>, Problem> {
    app.operator(&headers)?;
    let guard = Arc::clone(&app.guard);
    let (records, stops) = blocking(move || (guard.records(None), guard.stops())).await?;
    Ok(axum::Json(StatusAnswer {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        records: records.len(),
        given: records.iter().filter(|record| record.given.is_some()).count(),
        stops,
    }))
}

async fn stop(
    Shared(app): Shared<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<axum::Json<Stop>, Problem> {
    let by = app.operator(&headers)?;
    let StopRequest { subject, reason } = read(&legible(body))?;
    let reason = app.legible(&reason);
    let stopped = blocking(move || app.guard.stop(subject, &reason, &by)).await?;
    stopped.map(axum::Json).map_err(broken)
}

async fn lift(
    Shared(app): Shared<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<axum::Json<StatusAnswer>, Problem> {
    let by = app.operator(&headers)?;
    let id: StopId = id.parse().map_err(|_| Problem::BadPath)?;
    let guard = Arc::clone(&app.guard);
    blocking(move || guard.lift(id, &by)).await?.map_err(Problem::NotLifted)?;
    status(Shared(app), headers).await
}

async fn escrow(
    Shared(app): Shared<App>,
    headers: HeaderMap,
    Path(escrow): Path<String>,
) -> Result<axum::Json<Vec<RecordAnswer>>, Problem> {
    app.operator(&headers)?;
    let escrow: EscrowKey = escrow.parse().map_err(|_| Problem::BadPath)?;
    let records = blocking(move || app.guard.records(Some(escrow))).await?;
    Ok(axum::Json(records.into_iter().map(answer).collect()))
}

async fn escrows(
    Shared(app): Shared<App>,
    headers: HeaderMap,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<axum::Json<Vec<RecordAnswer>>, Problem> {
    app.operator(&headers)?;
    let (_, most) = Part::of(part)?;
    let records = blocking(move || app.guard.list(most)).await?;
    Ok(axum::Json(records.into_iter().map(answer).collect()))
}

async fn history(
    Shared(app): Shared<App>,
    headers: HeaderMap,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<axum::Json<Vec<Deed>>, Problem> {
    app.operator(&headers)?;
    let (before, most) = Part::of(part)?;
    blocking(move || app.guard.deeds(before, most)).await?.map(axum::Json).map_err(broken)
}

fn answer(Record { terms, condition, given, .. }: Record) -> RecordAnswer {
    RecordAnswer { terms, condition, given }
}

fn broken(error: StoreError) -> Problem {
    tracing::error!(%error, "the guard's store failed");
    Problem::Failed
}

/// SHA-256 of a token as the configuration has it.
pub(super) fn token_hash(text: &str) -> Result<[u8; 32], String> {
    let hash: Result<Hash256, _> = text.parse();
    hash.map(|hash| hash.0).map_err(|_| {
        "is not the SHA-256 of a token, 64 hexadecimal digits: printf %s \"$TOKEN\" | sha256sum".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt as _;
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;
    use serde_json::{Value, json};

    use super::super::service::tests::guard;
    use super::*;

    /// Danger: somebody stops everything and pastes the log as the reason, or has no time for one, and the guard goes on giving shares.
    #[tokio::test]
    async fn nobody_who_stops_something_is_refused_for_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let operators = vec![("gina".to_owned(), Sha256::digest("x").into())];
        let tokens = GuardTokens { daemon: Sha256::digest("y").into(), operators };
        let api = TowerToHyperService::new(router(guard(&dir), tokens));
        let with = |reason: &str| json!({ "subject": "everything", "reason": reason }).to_string();
        let long = "word ".repeat(STOP_BODY_MAX_BYTES / 5 - 20);
        let kept = long.chars().take(REASON_MAX_CHARS).collect::<String>();
        for (body, why) in [
            (with("word ".repeat(3_400).trim()), kept.as_str()),
            (with(&long), &kept),
            (with(""), ""),
            (with(" \n"), ""),
            (r#"{"subject":"everything"}"#.to_owned(), ""),
            (r#"{"subject":"everything","reason":null}"#.to_owned(), ""),
            ("{\"subject\":\"everything\",\"reason\":\"two\nlines\"}".to_owned(), "two lines"),
        ] {
            let request = Request::post("/v1/stops").header(AUTHORIZATION, "Bearer x");
            let shown = body.chars().take(80).collect::<String>();
            let answer = api.call(request.body(Body::from(body)).unwrap()).await.unwrap();
            let status = answer.status();
            let text = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(status, StatusCode::OK, "{shown}: {text:?}");
            let stop: Value = serde_json::from_slice(&text).unwrap();
            assert_eq!(stop["reason"], why, "{shown}");
        }
    }
}
