//! One websocket to a ledger server: a request at a time, each answered before the next is sent.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A server that is asked to close a ledger of many transactions may be busy for some seconds; one that says nothing
/// for so long is gone.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Why a server gave no result.
#[derive(Debug, Error)]
pub enum CallError {
    /// The websocket cannot be opened.
    #[error("{url} cannot be reached: {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        why: String,
    },
    /// It ended before the reply came.
    #[error("the connection ended while `{method}` was asked")]
    Ended {
        /// What was asked.
        method: String,
    },
    /// No reply in time.
    #[error("no reply to `{method}` in {} s", PATIENCE.as_secs())]
    TimedOut {
        /// What was asked.
        method: String,
    },
    /// The server said no.
    #[error("`{method}` is refused: {token} {message}")]
    Refused {
        /// What was asked.
        method: String,
        /// The server's word for the error, such as `lgrNotFound`.
        token: String,
        /// Its sentence.
        message: String,
    },
}

impl CallError {
    /// The server's word for the error, if it said no.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        match self {
            Self::Refused { token, .. } => Some(token),
            _ => None,
        }
    }
}

/// An open websocket.
#[derive(Debug)]
pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
}

impl Socket {
    pub(super) async fn open(url: &str) -> Result<Self, CallError> {
        let unreachable = |why: String| CallError::Unreachable { url: url.to_owned(), why };
        let (stream, _) = timeout(PATIENCE, connect_async(url))
            .await
            .map_err(|_| unreachable(format!("no connection in {} s", PATIENCE.as_secs())))?
            .map_err(|error| unreachable(error.to_string()))?;
        // Requests are small and wait for one another: Nagle's algorithm would cost 40 ms each.
        if let MaybeTlsStream::Plain(tcp) = stream.get_ref()
            && let Err(error) = tcp.set_nodelay(true)
        {
            tracing::debug!(%error, "a socket keeps Nagle's algorithm");
        }
        Ok(Self { stream, next_id: 1 })
    }

    /// Sends a request and does not wait for the reply; answers with its id.
    pub(super) async fn ask(
        &mut self,
        method: &str,
        mut params: Map<String, Value>,
    ) -> Result<u64, CallError> {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        params.insert("id".to_owned(), id.into());
        params.insert("command".to_owned(), method.into());
        // Shapes differ between versions; never leave it to the server's default.
        params.insert("api_version".to_owned(), 2.into());
        let frame = Message::Text(Value::Object(params).to_string().into());
        match timeout(PATIENCE, self.stream.send(frame)).await {
            Ok(Ok(())) => Ok(id),
            Ok(Err(_)) => Err(CallError::Ended { method: method.to_owned() }),
            Err(_) => Err(CallError::TimedOut { method: method.to_owned() }),
        }
    }

    /// The next frame that is JSON, whatever it is.
    pub(super) async fn frame(&mut self, method: &str) -> Result<Value, CallError> {
        let next = async {
            while let Some(Ok(frame)) = self.stream.next().await {
                if let Message::Text(text) = frame
                    && let Ok(value) = serde_json::from_str(text.as_str())
                {
                    return Some(value);
                }
            }
            None
        };
        match timeout(PATIENCE, next).await {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(CallError::Ended { method: method.to_owned() }),
            Err(_) => Err(CallError::TimedOut { method: method.to_owned() }),
        }
    }

    /// Asks and waits for the `result`.
    pub(super) async fn call(
        &mut self,
        method: &str,
        params: Map<String, Value>,
    ) -> Result<Value, CallError> {
        let id = self.ask(method, params).await?;
        loop {
            let mut frame = self.frame(method).await?;
            if frame.get("id").and_then(Value::as_u64) == Some(id) {
                return result(method, &mut frame);
            }
        }
    }
}

/// The result in a reply, or the error that it is.
pub(super) fn result(method: &str, frame: &mut Value) -> Result<Value, CallError> {
    if frame.get("status").and_then(Value::as_str) == Some("success") {
        return Ok(frame.get_mut("result").map(Value::take).unwrap_or_default());
    }
    let text = |key: &str| frame.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Err(CallError::Refused {
        method: method.to_owned(),
        token: text("error"),
        message: text("error_message"),
    })
}
