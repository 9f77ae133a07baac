//! Notices as they are told, for programs that listen.
//!
//! What a stream costs is bounded: it has a place among few, reads a page when the one before it is on its way, and is cut
//! like any connection that takes nothing of its answer. It ends when its person's token is taken out of the configuration.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State as Shared};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::sleep;

use super::App;
use super::api::StreamQuery;
use super::auth::{Badge, Speaker, Tokens};
use super::connections::{Answering, Connection};
use super::error::ApiError;
use super::extract::Asked;
use super::limits::Limits;
use crate::metrics::Metrics;
use crate::notify::Listener;

/// How often something is sent where there is nothing to say: less than what proxies take for a connection that is dead.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);

/// A comment, which says nothing.
const BEAT: &str = ":\n\n";

pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Has proxies of a widespread kind pass on what comes at once.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Places for those who listen.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    room: Arc<Semaphore>,
    people: Arc<Mutex<BTreeMap<String, usize>>>,
    each: usize,
    metrics: Arc<Metrics>,
}

/// A place until it is dropped.
#[derive(Debug)]
struct Place {
    streams: Streams,
    person: String,
    _room: OwnedSemaphorePermit,
}

impl Streams {
    pub(super) fn new(limits: &Limits, metrics: Arc<Metrics>) -> Self {
        let room = Arc::new(Semaphore::new(limits.streams));
        Self { room, people: Arc::default(), each: (limits.streams / 4).max(1), metrics }
    }

    fn take(&self, person: &str) -> Result<Place, ApiError> {
        let mut people = self.people();
        let has = people.get(person).copied().unwrap_or_default();
        if has >= self.each {
            return Err(ApiError::RateLimited);
        }
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| ApiError::TooManyRequests)?;
        people.insert(person.to_owned(), has.saturating_add(1));
        self.metrics.streams(1);
        Ok(Place { streams: self.clone(), person: person.to_owned(), _room: room })
    }

    fn people(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        // Each count is changed in one step, whatever panics around it.
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut people = self.streams.people();
        if let Some(has) = people.get_mut(&self.person) {
            *has = has.saturating_sub(1);
            if *has == 0 {
                people.remove(&self.person);
            }
        }
        drop(people);
        self.streams.metrics.streams(-1);
    }
}

pub(super) async fn stream(
    Shared(app): Shared<App>,
    Speaker(actor, _): Speaker,
    badge: Badge,
    connection: Option<Extension<Arc<Connection>>>,
    headers: HeaderMap,
    Asked(asked): Asked<StreamQuery>,
) -> Result<Response, ApiError> {
    // Whoever comes again says in the header how far they came, and in the query still where they began.
    let last = headers.get(LAST_EVENT_ID).map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    let after = last.filter(|id| !id.is_empty()).or(asked.after);
    let Some(desk) = app.desk.clone() else {
        return Err(ApiError::Store("notices cannot be kept, and the log says why".to_owned()));
    };
    let place = app.streams.take(&actor.person)?;
    let listener = tokio::task::spawn_blocking(move || desk.listen(after.as_deref())).await;
    let listener = listener.map_err(|error| ApiError::Internal(error.to_string()))?;
    let (send, pages) = mpsc::channel(1);
    let connection = connection.map(|Extension(connection)| connection);
    let ends = connection.as_ref().map(|connection| connection.ends());
    let tokens = app.tokens.clone();
    tokio::spawn(async move {
        let over = over(&send, ends, &tokens, &badge);
        tokio::select! {
            biased;
            () = over => {}
            () = feed(listener, &send) => {}
        }
    });
    let began = Listening { pages, connection, _place: place, answering: None };
    let body = stream::unfold(began, |mut listening| async {
        if listening.answering.is_none() {
            // Only now: while the request was being answered, that kept the connection.
            listening.answering = listening.connection.as_ref().map(Connection::answering);
        }
        let page = listening.pages.recv().await?;
        Some((Ok::<_, Infallible>(page), listening))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (BUFFERING, "no")];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// What is there as long as somebody listens. It goes with the answer's body.
struct Listening {
    pages: mpsc::Receiver<Bytes>,
    connection: Option<Arc<Connection>>,
    _place: Place,
    /// While it is there, the connection is not cut to make room for another.
    answering: Option<Answering>,
}

/// Sends what is told until nobody takes it any more.
async fn feed(listener: Listener, send: &mpsc::Sender<Bytes>) {
    let mut listener = listener;
    let mut text = listener.greeting();
    loop {
        if !text.is_empty() && send.send(Bytes::from(text)).await.is_err() {
            return;
        }
        let read = tokio::task::spawn_blocking(move || {
            let read = listener.next();
            (listener, read)
        });
        let Ok((back, read)) = read.await else { return };
        listener = back;
        text = match read {
            Ok(text) => text,
            // Whoever comes again is told, or refused with a word.
            Err(error) => return tracing::warn!(%error, "what was told cannot be read"),
        };
        if text.is_empty() {
            tokio::select! {
                is_more = listener.more() => if !is_more { return },
                () = sleep(HEARTBEAT) => text.push_str(BEAT),
            }
        }
    }
}

/// Waits until nobody listens, the API ends, or the token is the person's no more.
async fn over(
    send: &mpsc::Sender<Bytes>,
    ends: Option<watch::Receiver<bool>>,
    tokens: &Tokens,
    badge: &Badge,
) {
    let ends = async {
        match ends {
            // An error means that nobody is left to say stop.
            Some(mut ends) => drop(ends.wait_for(|ends| *ends).await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = send.closed() => {}
        () = ends => {}
        () = tokens.bad(badge) => {}
    }
}
