//! One server that is connected: a link, and the port's patience and manners with it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::backoff::Backoff;
use super::reply::{Announced, is_busy, is_ledger_missing};
use super::transport::{Body, Link, RequestError, Transport};
use crate::config::Endpoint;
use crate::driver::Permit;

/// How often a request is made in all that is refused because there are too many. After that another server may have
/// more time.
const TRIES_MAX: u32 = 2;

/// Whoever is asked for a ledger that it has announced, or that it had a moment ago, may be a cluster of which the
/// next machine is a moment behind: it is asked once more after this.
const ONCE_MORE: Duration = Duration::from_millis(500);

/// The time between requests after the first refusal. Servers for everybody allow some twenty a second.
const INTERVAL_FIRST: Duration = Duration::from_millis(80);

/// The longest wait after a refusal: those who count requests mostly do so by the second.
const WAIT: Duration = Duration::from_secs(1);

/// The longest time between requests.
const INTERVAL_MAX: Duration = Duration::from_secs(1);

/// After so many requests without a refusal a little less time is left between them.
const CALM: u32 = 100;

/// A connected server. Closes when the last clone is dropped.
#[derive(Clone)]
pub(super) struct Server {
    link: Arc<dyn Link>,
    patience: Duration,
    pace: Arc<Mutex<Pace>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Server {
    /// Connects. The receiver shows the ledger announced last; it ends when the connection does.
    pub(super) async fn open(
        transport: &dyn Transport,
        endpoint: &Endpoint,
        patience: Duration,
        jitter_seed: u64,
    ) -> Result<(Self, watch::Receiver<Option<Announced>>), RequestError> {
        let late = || RequestError::Unreachable(format!("no connection in {} s", patience.as_secs()));
        let (link, announced) = timeout(patience, transport.open(endpoint)).await.map_err(|_| late())??;
        Ok((Self { link, patience, pace: Arc::new(Mutex::new(Pace::new(jitter_seed))) }, announced))
    }

    /// Asks at once and once, unless the permit ends before the request has left: what is sent to the network waits
    /// for nothing that is read.
    pub(super) async fn request_permitted(
        &self,
        method: &'static str,
        params: Value,
        permit: Permit,
    ) -> Result<Body, RequestError> {
        timeout(self.patience, self.link.request_permitted(method, params, permit))
            .await
            .unwrap_or(Err(RequestError::TimedOut { method, seconds: self.patience.as_secs() }))
    }

    /// Asks, and waits for the `result`. A server that says it is asked too much is asked again after a while, and
    /// less often from then on.
    pub(super) async fn request(&self, method: &'static str, params: Value) -> Result<Body, RequestError> {
        let mut tries = 1;
        loop {
            sleep_until(self.pace(Pace::turn)).await;
            let reply = self.request_now(method, params.clone()).await;
            match &reply {
                Err(RequestError::Server { code, .. }) if is_busy(code) => {
                    let wait = self.pace(Pace::refused);
                    if tries == TRIES_MAX {
                        return reply;
                    }
                    tries += 1;
                    sleep(wait).await;
                }
                _ => {
                    self.pace(Pace::served);
                    return reply;
                }
            }
        }
    }

    /// Asks about a ledger; once more after a moment, where the server does not have it.
    pub(super) async fn request_of_ledger(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<Body, RequestError> {
        match self.request(method, params.clone()).await {
            Err(RequestError::Server { code, .. }) if is_ledger_missing(&code) => {
                sleep(ONCE_MORE).await;
                self.request(method, params).await
            }
            reply => reply,
        }
    }

    async fn request_now(&self, method: &'static str, params: Value) -> Result<Body, RequestError> {
        timeout(self.patience, self.link.request(method, params))
            .await
            .unwrap_or(Err(RequestError::TimedOut { method, seconds: self.patience.as_secs() }))
    }

    fn pace<T>(&self, look: impl FnOnce(&mut Pace) -> T) -> T {
        look(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// When the next request may be made. A server that refuses nothing is asked without any wait; how many requests
/// one allows nobody says, so it is found out.
struct Pace {
    interval: Duration,
    next: Instant,
    /// Requests without a refusal since the interval changed.
    calm: u32,
    /// Requests that were on their way together are refused together: that counts once.
    refused_until: Instant,
    waits: Backoff,
}

impl Pace {
    fn new(jitter_seed: u64) -> Self {
        let now = Instant::now();
        let waits = Backoff::from(WAIT, jitter_seed);
        Self { interval: Duration::ZERO, next: now, calm: 0, refused_until: now, waits }
    }

    /// The time at which a request may be made.
    fn turn(&mut self) -> Instant {
        let at = self.next.max(Instant::now());
        self.next = at + self.interval;
        at
    }

    /// A request was refused: how long to wait before it is made again.
    fn refused(&mut self) -> Duration {
        let now = Instant::now();
        if now >= self.refused_until {
            self.interval = self.interval.saturating_mul(2).clamp(INTERVAL_FIRST, INTERVAL_MAX);
            self.waits.reset();
            let wait = self.waits.next();
            self.refused_until = now + wait;
            self.next = self.next.max(self.refused_until);
        }
        self.calm = 0;
        self.refused_until.saturating_duration_since(now)
    }

    fn served(&mut self) {
        self.calm = self.calm.saturating_add(1);
        if self.calm >= CALM && !self.interval.is_zero() {
            self.calm = 0;
            self.interval = self.interval.saturating_sub(self.interval / 4);
        }
    }
}
