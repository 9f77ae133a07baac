//! The ledger port's way to the simulated network.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Duration, Instant, sleep};
use treasuryd::config::Endpoint;
use treasuryd::ledger::{Body, BoxFuture, Link, Opened, RequestError, Transport};

use super::network::{Network, Reply};

/// The network, shared by everything in the one thread.
#[derive(Clone)]
pub struct Shared {
    network: Arc<Mutex<Network>>,
    began: Instant,
}

impl Shared {
    /// Shares a network whose time begins now.
    #[must_use]
    pub fn new(network: Network) -> Self {
        Self { network: Arc::new(Mutex::new(network)), began: Instant::now() }
    }

    /// The network, for a moment.
    pub fn lock(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds of wall time since the run began.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// One daemon's way to the servers.
pub struct SimTransport {
    /// Which daemon.
    pub daemon: usize,
    /// The network.
    pub shared: Shared,
}

impl Transport for SimTransport {
    fn open<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, Result<Opened, RequestError>> {
        Box::pin(async move {
            let number = endpoint.label().strip_prefix("ws://server-").and_then(|number| number.parse().ok());
            let opened = number.and_then(|number| Some((number, self.shared.lock().connect(number)?)));
            let Some((server, (id, (announced, closed)))) = opened else {
                return Err(RequestError::Unreachable("connection refused".to_owned()));
            };
            let link = SimLink { daemon: self.daemon, server, id, closed, shared: self.shared.clone() };
            let link: Arc<dyn Link> = Arc::new(link);
            Ok((link, announced))
        })
    }
}

struct SimLink {
    daemon: usize,
    server: usize,
    id: u64,
    closed: watch::Receiver<bool>,
    shared: Shared,
}

impl Drop for SimLink {
    fn drop(&mut self) {
        self.shared.lock().disconnect(self.server, self.id);
    }
}

impl Link for SimLink {
    fn request<'a>(
        &'a self,
        method: &'static str,
        params: Value,
    ) -> BoxFuture<'a, Result<Body, RequestError>> {
        Box::pin(async move {
            if *self.closed.borrow() {
                return Err(RequestError::Closed);
            }
            let now = self.shared.now_ms();
            let reply = self.shared.lock().request(self.daemon, self.server, method, params, now);
            let result = match reply {
                Reply::Now(result) => result,
                Reply::After(wait, result) => {
                    self.open_for(Some(wait)).await?;
                    result
                }
                Reply::Never => {
                    self.open_for(None).await?;
                    return Err(RequestError::Closed);
                }
            };
            result.map(Body::from).map_err(|(code, message)| RequestError::Server { method, code, message })
        })
    }
}

impl SimLink {
    /// Waits so long, or for ever; an error where the connection ends before.
    async fn open_for(&self, wait: Option<Duration>) -> Result<(), RequestError> {
        let mut closed = self.closed.clone();
        let ended = async {
            // An error means that the server has forgotten the connection, which is its end too.
            let _ = closed.wait_for(|closed| *closed).await;
        };
        match wait {
            None => {
                ended.await;
                Err(RequestError::Closed)
            }
            Some(wait) => tokio::select! {
                biased;
                () = ended => Err(RequestError::Closed),
                () = sleep(wait) => Ok(()),
            },
        }
    }
}
