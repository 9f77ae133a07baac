//! The HTTP API. Its operations are a table in `treasury-api`; what each does is in `routes.rs`.

mod activation;
mod attempts;
mod audit;
mod auth;
mod connections;
mod deliveries;
mod destinations;
mod door;
mod drill;
mod error;
mod exposure;
mod extract;
mod fair;
mod forecast;
mod inquiry;
mod knocks;
mod limits;
mod lockout;
mod policy;
mod proposal_view;
mod rates;
mod reference;
mod routes;
mod rule_words;
mod seeds;
mod shadow;
mod shown;
mod stream;
mod view;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State as Shared};
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, any, on};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use treasury_api::operations::{Class, Method, Operation, Spec, Who};
use treasury_core::command::CommandError;
use treasury_core::config::Role;
use treasury_core::exposure::Surroundings;

pub use treasury_api::types as api;

pub(crate) use attempts::watch as watch_logins;
pub(crate) use auth::Badge;
pub use auth::Tokens;
pub(crate) use door::{Door, Refused};
pub use error::ApiError;
pub use limits::Limits;
pub use reference::reference;
pub(crate) use shown::without_signatures;
#[cfg(test)]
pub(crate) use stream::HEARTBEAT;

use self::attempts::Attempts;
use self::auth::Speaker;
pub(crate) use self::connections::Connection;
use self::fair::Fair;
use self::knocks::Caller;
use self::limits::Places;
use self::rates::{Rates, Turn};
pub(crate) use self::seeds::legible;
use self::stream::Streams;
use crate::apart::Apart;
use crate::audit::Audit;
use crate::config::PriceFile;
use crate::console::{self, ConsoleConfig};
use crate::engine::EngineHandle;
use crate::ledger::PortHandle;
use crate::lines;
use crate::metrics::Metrics;
use crate::notify::Desk;
use crate::screening::{Screener, ScreeningConfig};
use crate::store::Openings;

/// The largest body. The largest request is an approval: a signature of at most 72 bytes for each of a
/// handful of rungs, a few kilobytes with everything.
pub const BODY_MAX_BYTES: usize = 64 * 1024;

/// The longest that a request may take once it has been read. The engine answers in milliseconds; whoever waits longer
/// waits for a disk that hangs.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// What the routes share.
#[derive(Clone, Debug)]
pub struct App {
    engine: EngineHandle,
    /// Where ledgers come from, if from anywhere.
    port: Option<PortHandle>,
    /// Where notices are, if any are told.
    desk: Option<Arc<Desk>>,
    /// Which hosts have opened the store.
    openings: Arc<Openings>,
    /// The console, where it is served.
    console: Option<ConsoleConfig>,
    /// The audit log, if it is written.
    audit: Option<Arc<Audit>>,
    /// Logins that were refused.
    attempts: Arc<Attempts>,
    /// Where prices come from, if there are any.
    prices: Option<Arc<(PriceFile, Apart)>>,
    /// What is declared of what stands around the core.
    around: Arc<Surroundings>,
    metrics: Arc<Metrics>,
    tokens: Tokens,
    limits: Limits,
    places: Places,
    streams: Streams,
    rates: Rates,
    /// Places for questions about destinations.
    inquiries: Fair,
    /// Who screens destinations, where somebody does, and places for asking.
    screener: Option<Screener>,
    screenings: Fair,
    /// One at a time looks at whole tables: that takes seconds of a processor.
    thinking: Arc<Semaphore>,
    /// Where what is neither a stop nor a probe is answered: long lists and pages take their time.
    elsewhere: Handle,
}

impl App {
    /// An API for this engine; within a runtime, which answers what may take its time.
    #[must_use]
    pub fn new(engine: EngineHandle, metrics: Arc<Metrics>, tokens: Tokens, limits: Limits) -> Self {
        Self {
            engine,
            port: None,
            desk: None,
            openings: Arc::default(),
            console: None,
            audit: None,
            attempts: Arc::default(),
            streams: Streams::new(&limits, Arc::clone(&metrics)),
            prices: None,
            around: Arc::default(),
            metrics,
            tokens,
            limits,
            places: Places::new(&limits),
            rates: Rates::new(&limits),
            inquiries: Fair::new(inquiry::AT_ONCE),
            screener: None,
            screenings: Fair::new(inquiry::AT_ONCE),
            thinking: Arc::new(Semaphore::new(1)),
            elsewhere: Handle::current(),
        }
    }

    /// Does it on the threads of the runtime that the App was made in; given up with this future.
    async fn elsewhere<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, ApiError> {
        let mut one = JoinSet::new();
        one.spawn_on(work, &self.elsewhere);
        let done = one.join_next().await.transpose();
        let done = done.map_err(|error| ApiError::Internal(error.to_string()))?;
        done.ok_or_else(|| ApiError::Internal("it was not done".to_owned()))
    }

    /// The same, and its metrics tell of the ledger servers.
    #[must_use]
    pub fn with_port(self, port: PortHandle) -> Self {
        Self { port: Some(port), ..self }
    }

    /// The same, and it shows what people are told.
    #[must_use]
    pub(crate) fn with_desk(self, desk: Option<Arc<Desk>>) -> Self {
        Self { desk, ..self }
    }

    /// The same, and people may use it with a browser.
    #[must_use]
    pub fn with_console(self, console: Option<ConsoleConfig>) -> Self {
        Self { console, ..self }
    }

    /// The same, and it shows the audit log, and has counted there what becomes no record.
    #[must_use]
    pub(crate) fn with_audit(self, audit: Option<Arc<Audit>>) -> Self {
        Self { audit, ..self }
    }

    /// The same, and it tells in money what there is.
    #[must_use]
    pub(crate) fn with_prices(self, prices: Option<PriceFile>) -> Self {
        Self { prices: prices.map(|file| Arc::new((file, Apart::default()))), ..self }
    }

    /// The same, and it knows what stands around the daemon.
    #[must_use]
    pub fn with_surroundings(self, around: Surroundings) -> Self {
        Self { around: Arc::new(around), ..self }
    }

    /// The same, and it has destinations screened.
    #[must_use]
    pub(crate) fn with_screening(self, screening: Option<ScreeningConfig>) -> Self {
        Self { screener: screening.map(Screener::new), ..self }
    }

    /// The logins that are refused here.
    pub(crate) fn attempts(&self) -> Arc<Attempts> {
        Arc::clone(&self.attempts)
    }

    /// The people's tokens.
    #[cfg(test)]
    pub(crate) fn tokens(&self) -> Tokens {
        self.tokens.clone()
    }

    /// The same, and its status tells who has opened the store.
    #[must_use]
    pub fn with_openings(self, openings: Openings) -> Self {
        Self { openings: Arc::new(openings), ..self }
    }
}

/// Every path, with what answers there: one of the API's operations for each method.
fn table() -> BTreeMap<&'static str, MethodRouter<App>> {
    let mut table = BTreeMap::new();
    for operation in Operation::ALL {
        let path = table.entry(operation.spec().path).or_insert_with(MethodRouter::new);
        *path = std::mem::take(path).merge(answering(*operation));
    }
    table
}

/// What answers an operation.
fn answering(operation: Operation) -> MethodRouter<App> {
    let method = match operation.spec().method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Delete => MethodFilter::DELETE,
    };
    match operation {
        Operation::Healthz => on(method, routes::healthz),
        Operation::Readyz => on(method, routes::readyz),
        Operation::Metrics => on(method, routes::metrics),
        Operation::Status => on(method, routes::status),
        Operation::Accounts => on(method, routes::accounts),
        Operation::Tiers => on(method, routes::tiers),
        Operation::Schedules => on(method, routes::schedules),
        Operation::Forecast => on(method, forecast::forecast),
        Operation::Lockout => on(method, lockout::lockout),
        Operation::Exposure => on(method, exposure::exposure),
        Operation::Drill => on(method, drill::drill),
        Operation::AnswerDrill => on(method, drill::answer),
        Operation::Proposals => on(method, routes::proposals),
        Operation::PolicyCheck => on(method, policy::check),
        Operation::PolicyExplain => on(method, policy::explain),
        Operation::PolicyTest => on(method, policy::test),
        Operation::PolicyProve => on(method, policy::prove),
        Operation::PolicyActivate => on(method, activation::activate),
        Operation::Destinations => on(method, destinations::all),
        Operation::ConfirmDestination => on(method, destinations::confirm),
        Operation::PolicyShadow => on(method, shadow::shadow),
        Operation::Propose => on(method, routes::propose),
        Operation::Proposal => on(method, routes::proposal),
        Operation::Approve => on(method, routes::approve),
        Operation::Retract => on(method, routes::retract),
        Operation::Reject => on(method, routes::reject),
        Operation::Withdraw => on(method, routes::withdraw),
        Operation::Flag => on(method, routes::flag),
        Operation::FlagDestination => on(method, routes::flag_destination),
        Operation::Void => on(method, routes::void),
        Operation::Panic => on(method, routes::panic),
        Operation::Clear => on(method, routes::clear),
        Operation::Stops => on(method, routes::stops),
        Operation::Lift => on(method, routes::lift),
        Operation::Escrows => on(method, routes::escrows),
        Operation::Findings => on(method, routes::findings),
        Operation::Events => on(method, routes::events),
        Operation::Audit => on(method, audit::page),
        Operation::AuditReport => on(method, audit::report),
        Operation::Acknowledge => on(method, routes::acknowledge),
        Operation::Freeze => on(method, routes::freeze),
        Operation::Unfreeze => on(method, routes::unfreeze),
        Operation::CloseBreaker => on(method, routes::close_breaker),
        Operation::Channels => on(method, deliveries::channels),
        Operation::TestChannel => on(method, deliveries::test_channel),
        Operation::Deliveries => on(method, deliveries::deliveries),
        Operation::Alerts => on(method, deliveries::alerts),
        Operation::AcknowledgeNotices => on(method, deliveries::acknowledge),
        Operation::Stream => on(method, stream::stream),
        Operation::Redeliver => on(method, deliveries::redeliver),
    }
}

/// The whole API, and the console where it is served.
pub fn router(app: App) -> Router {
    let api = api_router(app.clone());
    match app.console.clone() {
        Some(config) => api.clone().merge(console::router(Door::new(app, api), config)),
        None => api,
    }
}

fn api_router(app: App) -> Router {
    let mut router = Router::new();
    for (path, answers) in table() {
        let count = from_fn_with_state((app.clone(), path), count);
        router = router.route(path, answers.fallback(routes::method_not_allowed).layer(count));
    }
    let unmatched = any(routes::no_such_route).layer(from_fn_with_state((app.clone(), "unmatched"), count));
    router
        .fallback_service(unmatched.with_state(app.clone()))
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(from_fn(never_cached))
        .with_state(app)
}

/// Connections that may wait to be taken in. Where there are more, the system drops the newcomer, who tries again after a
/// second: too long for whoever stops something while thousands come back at once.
const BACKLOG: u32 = 4_096;

/// Takes the address, for [`Serving`]; within a runtime.
///
/// # Errors
/// The system does not give it.
pub fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As any server does, so that a restart need not wait for what the last one left behind.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// The API being served, on a thread of its own: what the daemon reads of the ledger, signs and sends is not what somebody
/// who stops something waits for, and neither is a long list that somebody else asked for.
#[derive(Debug)]
pub struct Serving {
    stop: watch::Sender<bool>,
    cut: oneshot::Sender<Infallible>,
    thread: JoinHandle<()>,
}

impl Serving {
    /// Serves on that listener from now on.
    ///
    /// # Errors
    /// The system gives no thread, or nothing to wait for sockets with.
    pub fn start(listener: std::net::TcpListener, app: App) -> io::Result<Self> {
        let limits = app.limits;
        Self::of(listener, router(app), limits)
    }

    /// Serves any routes in the same way.
    ///
    /// # Errors
    /// As [`Serving::start`].
    pub(crate) fn of(listener: std::net::TcpListener, router: Router, limits: Limits) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _within = runtime.enter();
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)?
        };
        let (stop, stopped) = watch::channel(false);
        let (cut, is_cut) = oneshot::channel::<Infallible>();
        let thread = std::thread::Builder::new().name("api".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = connections::serve(listener, router, limits, stopped) => {}
                    _ = is_cut => {}
                }
            });
            runtime.shutdown_background();
        })?;
        Ok(Self { stop, cut, thread })
    }

    /// Takes no new requests, and gives those under way this long.
    pub async fn shutdown(self, grace: Duration) {
        let Self { stop, cut, thread } = self;
        // Nobody listens: then it has ended already.
        let _ = stop.send(true);
        let mut ended = tokio::task::spawn_blocking(move || thread.join());
        if tokio::time::timeout(grace, &mut ended).await.is_err() {
            drop(cut);
            let _ = ended.await;
        }
    }
}

/// Serves plain HTTP: on a network that others reach, a reverse proxy with TLS belongs in front. Whoever is slow, or
/// says nothing, is cut in time, and before that when there is no room for others.
///
/// Serves until `stop` becomes true or its sender is gone; then lets requests under way end.
pub async fn serve(listener: TcpListener, app: App, stop: watch::Receiver<bool>) {
    let limits = app.limits;
    connections::serve(listener, router(app), limits, stop).await;
}

/// Bounds a request in time and number, and counts its answer under its route's pattern: a path that
/// somebody makes up must not become a label.
async fn count(
    Shared((app, route)): Shared<(App, &'static str)>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = Arc::new(Caller::of(&request, &app.tokens));
    request.extensions_mut().insert(Arc::clone(&caller));
    // HEAD asks for the same and wants less of it: monitors do.
    let method = request.method().as_str();
    let operation = Operation::at(if method == "HEAD" { "GET" } else { method }, route);
    let answered = bounded(&app, operation, request, next).await;
    let mut response = answered.unwrap_or_else(IntoResponse::into_response);
    app.metrics.answered(route, response.status().as_u16());
    caller.answered(&app, operation, &mut response);
    response
}

/// A request takes a place when all of it is there: how slowly it comes is its connection's matter, and costs nobody
/// else a place. Nor does a stop of somebody who may not stop anything.
async fn bounded(
    app: &App,
    operation: Option<Operation>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let body = whole(body, app.limits.body).await?;
    let class = operation.map_or(Class::Other, |operation| operation.spec().class);
    let _turn = match operation {
        Some(operation) => turn(app, operation, &mut parts)?,
        None => None,
    };
    let person = parts.extensions.get::<Speaker>().map(|speaker| speaker.0.person.as_str());
    let _place = app.places.take(class, person.unwrap_or_default()).await?;
    let _answering = parts.extensions.get::<Arc<Connection>>().map(Connection::answering);
    let body = match operation {
        Some(_) => {
            seeds::not_asked(class, &parts, &app.tokens)?;
            seeds::kept_out(class, body, &app.tokens)?
        }
        None => body,
    };
    let request = Request::from_parts(parts, Body::from(body));
    let answered = async {
        match class {
            Class::Stop | Class::Probe => Ok(next.run(request).await),
            Class::Other => app.elsewhere(next.run(request)).await,
        }
    };
    timeout(TIMEOUT, answered).await.map_err(|_| ApiError::Timeout)?
}

/// Who asks, for the route to know, and whether it is their turn.
fn turn(app: &App, operation: Operation, parts: &mut Parts) -> Result<Option<Turn>, ApiError> {
    let spec = operation.spec();
    if spec.who == Who::Anybody {
        return Ok(None);
    }
    // One that is there already is the console's, which asks from within: nothing that comes over a connection has one.
    let mut speaker = match parts.extensions.get::<Speaker>() {
        Some(speaker) => speaker.clone(),
        None => Speaker::of(parts, &app.tokens).inspect_err(|error| {
            if *error == ApiError::TokenWrong {
                token_refused(app, spec.name, parts);
            }
        })?,
    };
    if let Some(caller) = parts.extensions.get::<Arc<Caller>>() {
        let token = speaker.1.token.take().or_else(|| app.tokens.name_of(&speaker.0.person));
        speaker.1 = caller.is(&speaker.0, token);
    }
    has_role(app, &speaker.0.person, operation)?;
    let turn = app.rates.turn(&speaker.0.person, spec.class).map_err(|(error, is_time)| {
        if is_time {
            lines::requests_limited(&speaker.0.person, spec.name);
        }
        error
    })?;
    parts.extensions.insert(speaker);
    Ok(turn)
}

/// Whether a stop that needs a role comes from somebody who has it. The core asks again, of what is declared by then.
fn has_role(app: &App, person: &str, operation: Operation) -> Result<(), ApiError> {
    let Spec { name, class: Class::Stop, who: Who::Role(word), .. } = operation.spec() else { return Ok(()) };
    let treasury = app.engine.treasury();
    // Whom it does not know, the core refuses by another name.
    let Some(known) = treasury.people.get(person) else { return Ok(()) };
    let roles = [Role::Proposer, Role::Approver, Role::Security, Role::Admin];
    match roles.into_iter().find(|role| role.word() == word) {
        Some(role) if !known.roles.contains(&role) => {
            let refused = CommandError::RoleMissing(role);
            lines::request_forbidden(person, name, refused.code());
            Err(refused.into())
        }
        _ => Ok(()),
    }
}

/// A token was nobody's: counted, and from time to time said.
fn token_refused(app: &App, asked: &'static str, parts: &Parts) {
    app.metrics.token_refused();
    if let Some(count) = app.rates.refused() {
        lines::token_refused(asked, peer(parts), count);
    }
}

/// Where a request comes from, for the log.
fn peer(parts: &Parts) -> String {
    let peer = parts.extensions.get::<Arc<Connection>>().map(|connection| connection.peer());
    peer.map(|peer| peer.to_string()).unwrap_or_default()
}

async fn whole(body: Body, within: Duration) -> Result<Bytes, ApiError> {
    match timeout(within, Limited::new(body, BODY_MAX_BYTES).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::BodyTooLarge),
        Ok(Err(error)) => Err(ApiError::BodyUnreadable(error.to_string())),
        Err(_) => Err(ApiError::BodyTooSlow),
    }
}

/// What a treasury holds belongs in nobody's cache.
async fn never_cached(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
