//! The HTTP API. Its routes are a table here; what each does is in `routes.rs`.

pub mod api;
mod auth;
mod error;
mod extract;
mod proposal_view;
mod reference;
mod routes;
mod shown;
mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State as Shared};
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

pub use auth::Tokens;
pub use error::ApiError;
pub use reference::reference;

use crate::engine::EngineHandle;
use crate::metrics::Metrics;

/// The largest body. The largest request is an approval: a signature of at most 72 bytes for each of a
/// handful of rungs, a few kilobytes with everything.
pub const BODY_MAX_BYTES: usize = 64 * 1024;

/// The longest that a request may take, reading its body included. The engine answers in milliseconds;
/// whoever waits longer waits for a disk that hangs.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Requests answered at the same time. More find out at once that it is too much, instead of queueing in
/// memory.
const AT_ONCE: usize = 256;

/// What the routes share.
#[derive(Clone, Debug)]
pub struct App {
    engine: EngineHandle,
    metrics: Arc<Metrics>,
    tokens: Tokens,
    places: Arc<Semaphore>,
}

impl App {
    /// An API for this engine.
    #[must_use]
    pub fn new(engine: EngineHandle, metrics: Arc<Metrics>, tokens: Tokens) -> Self {
        Self { engine, metrics, tokens, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

/// Every route: its path and what answers there.
fn table() -> [(&'static str, MethodRouter<App>); 20] {
    [
        ("/healthz", get(routes::healthz)),
        ("/readyz", get(routes::readyz)),
        ("/metrics", get(routes::metrics)),
        ("/v1/status", get(routes::status)),
        ("/v1/accounts", get(routes::accounts)),
        ("/v1/proposals", get(routes::proposals).post(routes::propose)),
        ("/v1/proposals/{id}", get(routes::proposal)),
        ("/v1/proposals/{id}/approvals", post(routes::approve).delete(routes::retract)),
        ("/v1/proposals/{id}/reject", post(routes::reject)),
        ("/v1/proposals/{id}/withdraw", post(routes::withdraw)),
        ("/v1/proposals/{id}/flag", post(routes::flag)),
        ("/v1/proposals/{id}/clear", post(routes::clear)),
        ("/v1/escrows", get(routes::escrows)),
        ("/v1/findings", get(routes::findings)),
        ("/v1/events", get(routes::events)),
        ("/v1/stops", get(routes::stops)),
        ("/v1/stops/lift", post(routes::lift)),
        ("/v1/freeze", post(routes::freeze)),
        ("/v1/unfreeze", post(routes::unfreeze)),
        ("/v1/breaker/close", post(routes::close_breaker)),
    ]
}

/// The whole API.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for (path, answers) in table() {
        let count = from_fn_with_state((app.clone(), path), count);
        router = router.route(path, answers.fallback(routes::method_not_allowed).layer(count));
    }
    let unmatched = get(routes::no_such_route)
        .fallback(routes::no_such_route)
        .layer(from_fn_with_state((app.clone(), "unmatched"), count));
    router
        .fallback_service(unmatched.with_state(app.clone()))
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(from_fn(never_cached))
        .with_state(app)
}

/// Serves plain HTTP. Who sends a request's head slowly can hold a connection open: on a network that
/// others reach, a reverse proxy with TLS belongs in front.
///
/// Serves until `stop` becomes true or its sender is gone; then lets requests under way end.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(listener: TcpListener, app: App, mut stop: watch::Receiver<bool>) -> std::io::Result<()> {
    axum::serve(listener, router(app))
        .with_graceful_shutdown(async move {
            // An error means that nobody is left to say stop.
            let _ = stop.wait_for(|stop| *stop).await;
        })
        .await
}

/// Bounds a request in time and number, and counts its answer under its route's pattern: a path that
/// somebody makes up must not become a label.
async fn count(Shared((app, route)): Shared<(App, &'static str)>, request: Request, next: Next) -> Response {
    let response = match app.places.try_acquire() {
        Err(_) => ApiError::TooManyRequests.into_response(),
        Ok(_place) => match tokio::time::timeout(TIMEOUT, next.run(request)).await {
            Ok(response) => response,
            Err(_) => ApiError::Timeout.into_response(),
        },
    };
    app.metrics.answered(route, response.status().as_u16());
    response
}

/// What a treasury holds belongs in nobody's cache.
async fn never_cached(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
