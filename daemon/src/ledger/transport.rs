//! What the port needs of a way to ledger servers. The websocket is one; a simulated network is another,
//! and runs the port's very code in one thread under virtual time.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::watch;

use super::reply::Announced;
use crate::config::Endpoint;
use crate::driver::Permit;

pub use futures_util::future::BoxFuture;

/// Opens connections to servers. The port bounds every wait by its own timeouts.
pub trait Transport: Send + Sync + 'static {
    /// Connects to a server of `network.endpoints`. Dropping the future gives up. Nothing of the endpoint but its label
    /// may come back in an error.
    ///
    /// # Errors
    /// [`RequestError::Unreachable`].
    fn open<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, Result<Opened, RequestError>>;
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
    ) -> BoxFuture<'a, Result<Body, RequestError>>;

    /// As [`Link::request`], but what has not left when the permit ends does not leave. A transport that queues
    /// what it sends looks at the permit behind its queue.
    ///
    /// # Errors
    /// As [`Link::request`], and [`RequestError::NotPermitted`].
    fn request_permitted<'a>(
        &'a self,
        method: &'static str,
        params: Value,
        permit: Permit,
    ) -> BoxFuture<'a, Result<Body, RequestError>> {
        if permit.holds() {
            self.request(method, params)
        } else {
            Box::pin(async { Err(RequestError::NotPermitted) })
        }
    }
}

/// The `result` of a reply, not looked into yet.
#[derive(Debug)]
pub enum Body {
    /// As it came. Reading a ledger out of its text at once takes a third of the time that it takes by way of
    /// values.
    Text(Box<RawValue>),
    /// Where nobody wrote it down.
    Value(Value),
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl Body {
    /// Reads it.
    ///
    /// # Errors
    /// What is missing or is not what it should be.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, serde_json::Error> {
        match self {
            Self::Text(text) => serde_json::from_str(text.get()),
            Self::Value(value) => serde_json::from_value(value),
        }
    }
}

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The connection could not be made.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// It was not sent: it may not leave any more.
    #[error("it was stopped before it was sent")]
    NotPermitted,
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
