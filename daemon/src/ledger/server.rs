//! One server that is connected: a link, and the port's patience with it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::timeout;

use super::reply::Announced;
use super::transport::{Body, Link, RequestError, Transport};
use crate::config::Endpoint;
use crate::driver::Permit;

/// A connected server. Closes when the last clone is dropped.
#[derive(Clone)]
pub(super) struct Server {
    link: Arc<dyn Link>,
    patience: Duration,
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
    ) -> Result<(Self, watch::Receiver<Option<Announced>>), RequestError> {
        let late = || RequestError::Unreachable(format!("no connection in {} s", patience.as_secs()));
        let (link, announced) = timeout(patience, transport.open(endpoint)).await.map_err(|_| late())??;
        Ok((Self { link, patience }, announced))
    }

    /// Asks, unless the permit ends before the request has left.
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

    /// Asks, and waits for the `result`.
    pub(super) async fn request(&self, method: &'static str, params: Value) -> Result<Body, RequestError> {
        timeout(self.patience, self.link.request(method, params))
            .await
            .unwrap_or(Err(RequestError::TimedOut { method, seconds: self.patience.as_secs() }))
    }
}
