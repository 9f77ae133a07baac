//! What the port needs of a way to ledger servers. The websocket is one; a simulated network is another,
//! and runs the port's very code in one thread under virtual time.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use super::reply::Announced;

pub use futures_util::future::BoxFuture;

/// Opens connections to servers. The port bounds every wait by its own timeouts.
pub trait Transport: Send + Sync + 'static {
    /// Connects to a server, named as in `network.endpoints`. Dropping the future gives up.
    ///
    /// # Errors
    /// [`RequestError::Unreachable`].
    fn open<'a>(&'a self, endpoint: &'a str) -> BoxFuture<'a, Result<Opened, RequestError>>;
}

/// An open connection, and the validated ledger that it announced last. The receiver ends when the
/// connection does.
pub type Opened = (Arc<dyn Link>, watch::Receiver<Option<Announced>>);

/// An open connection. It closes when the last reference is dropped.
pub trait Link: Send + Sync + 'static {
    /// Asks, and waits for the `result`. Dropping the future gives up waiting; the server may still carry
    /// the request out. Requests may be under way at the same time.
    ///
    /// # Errors
    /// [`RequestError::Closed`], or what the server said as [`RequestError::Server`].
    fn request<'a>(
        &'a self,
        method: &'static str,
        params: Value,
    ) -> BoxFuture<'a, Result<Value, RequestError>>;
}

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The connection could not be made.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The connection ended before the reply came.
    #[error("the connection ended")]
    Closed,
    /// No reply in time.
    #[error("no reply to `{method}` in {seconds} s")]
    TimedOut {
        /// The method.
        method: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The server said no.
    #[error("refused `{method}`: {code} {message}")]
    Server {
        /// The method.
        method: &'static str,
        /// Its word for the error, such as `lgrNotFound`.
        code: String,
        /// Its sentence.
        message: String,
    },
}
