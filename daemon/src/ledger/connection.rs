//! One websocket to one server.
//!
//! A single task reads and writes. Every request has a number and one waiting caller; frames nobody waits
//! for are dropped; of the announced ledgers only the latest is kept, because it is a wake-up
//! and no more.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use super::error::in_short;
use super::reply::Announced;
use super::transport::{Body, BoxFuture, Link, Opened, RequestError, Transport};
use crate::config::Endpoint;
use crate::driver::Permit;
use crate::trust::{self, TlsClient};

/// Requests that wait to be written. The server answers one after another; more would only wait there.
const QUEUE_MAX: usize = 64;

/// Requests without a reply. More than that and the server is not answering.
const PENDING_MAX: usize = 256;

/// A full ledger of the public network is a few megabytes; ten times that is no honest reply.
const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How often the server is pinged. Keeps routers on the way from forgetting the connection.
const PING: Duration = Duration::from_secs(15);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Outcome = Result<Body, Refused>;

/// Why a request that was handed over has no result.
enum Refused {
    /// The server's word and sentence.
    Server(String, String),
    /// Its permit ended before it was written.
    NotPermitted,
}

/// What is looked at of every frame.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(default, borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    id: Option<u64>,
    #[serde(default, borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    error: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    error_message: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    result: Option<&'a RawValue>,
}

struct Outgoing {
    id: u64,
    text: String,
    permit: Option<Permit>,
    reply: oneshot::Sender<Outcome>,
}

/// Reaches servers by websocket.
#[derive(Clone, Copy, Debug)]
pub(super) struct WebSocket {
    /// A server that does not take a frame within this is as good as gone.
    pub(super) wait: Duration,
}

impl Transport for WebSocket {
    fn open<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, Result<Opened, RequestError>> {
        Box::pin(async move {
            let (connection, announced) = Connection::open(endpoint, self.wait).await?;
            let link: Arc<dyn Link> = Arc::new(connection);
            Ok((link, announced))
        })
    }
}

/// An open connection. Closes when dropped.
struct Connection {
    endpoint: Endpoint,
    requests: mpsc::Sender<Outgoing>,
    next_id: AtomicU64,
    task: JoinHandle<()>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    /// Connects. The receiver shows the ledger announced last; it ends when the connection does.
    async fn open(
        endpoint: &Endpoint,
        wait: Duration,
    ) -> Result<(Self, watch::Receiver<Option<Announced>>), RequestError> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let unreachable = |error: tungstenite::Error| {
            RequestError::Unreachable(in_short(&endpoint.scrub(error.to_string())))
        };
        let handshake = handshake(endpoint).map_err(unreachable)?;
        let connector = tls(endpoint).await.map_err(RequestError::Unreachable)?.map(Connector::Rustls);
        let (socket, _) = connect_async_tls_with_config(handshake, Some(config), true, connector)
            .await
            .map_err(unreachable)?;
        let (requests, queue) = mpsc::channel(QUEUE_MAX);
        let (announce, announced) = watch::channel(None);
        let pump = Pump { endpoint: endpoint.clone(), socket, pending: HashMap::new(), announce, wait };
        let task = tokio::spawn(pump.run(queue));
        let connection = Self { endpoint: endpoint.clone(), requests, next_id: AtomicU64::new(1), task };
        Ok((connection, announced))
    }

    async fn ask(
        &self,
        method: &'static str,
        params: Value,
        permit: Option<Permit>,
    ) -> Result<Body, RequestError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut frame = match params {
            Value::Object(params) => params,
            _ => Map::new(),
        };
        frame.insert("id".to_owned(), json!(id));
        frame.insert("command".to_owned(), json!(method));
        // Shapes differ between versions; never leave it to the server's default.
        frame.insert("api_version".to_owned(), json!(2));
        let (reply, answer) = oneshot::channel();
        let outgoing = Outgoing { id, text: Value::Object(frame).to_string(), permit, reply };
        self.requests.send(outgoing).await.map_err(|_| RequestError::Closed)?;
        let outcome = answer.await.map_err(|_| RequestError::Closed)?;
        // It may repeat what it was asked with.
        let scrub = |text| in_short(&self.endpoint.scrub(text));
        outcome.map_err(|refused| match refused {
            Refused::Server(code, message) => {
                RequestError::Server { method, code: scrub(code), message: scrub(message) }
            }
            Refused::NotPermitted => RequestError::NotPermitted,
        })
    }
}

/// How to speak TLS to it; `None`: not at all, or to whom this release believes.
async fn tls(endpoint: &Endpoint) -> Result<Option<TlsClient>, String> {
    match endpoint.trust() {
        Some(trust) => trust.client().map(Some).map_err(|error| error.to_string()),
        None if endpoint.has_tls() => trust::read_of_this_machine().await,
        None => Ok(None),
    }
}

/// The request that asks for the websocket, with the login that the server wants.
fn handshake(endpoint: &Endpoint) -> Result<Request, tungstenite::Error> {
    let mut request = endpoint.url().into_client_request()?;
    if let Some(login) = endpoint.login() {
        let mut login = HeaderValue::from_str(login)?;
        login.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, login);
    }
    Ok(request)
}

impl Link for Connection {
    fn request<'a>(
        &'a self,
        method: &'static str,
        params: Value,
    ) -> BoxFuture<'a, Result<Body, RequestError>> {
        Box::pin(self.ask(method, params, None))
    }

    fn request_permitted<'a>(
        &'a self,
        method: &'static str,
        params: Value,
        permit: Permit,
    ) -> BoxFuture<'a, Result<Body, RequestError>> {
        Box::pin(self.ask(method, params, Some(permit)))
    }
}

/// What the task owns.
struct Pump {
    endpoint: Endpoint,
    socket: Socket,
    pending: HashMap<u64, oneshot::Sender<Outcome>>,
    announce: watch::Sender<Option<Announced>>,
    wait: Duration,
}

impl Pump {
    async fn run(mut self, mut queue: mpsc::Receiver<Outgoing>) {
        let mut ping = interval_at(Instant::now() + PING, PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let alive = tokio::select! {
                biased;
                outgoing = queue.recv() => match outgoing {
                    Some(outgoing) => self.ask(outgoing).await,
                    None => false,
                },
                frame = self.socket.next() => match frame {
                    Some(Ok(frame)) => self.take(&frame),
                    Some(Err(error)) => {
                        tracing::debug!(%error, "the websocket failed");
                        false
                    }
                    None => false,
                },
                _ = ping.tick() => self.send(Message::Ping(Vec::new().into())).await,
            };
            if !alive {
                return;
            }
        }
    }

    async fn ask(&mut self, outgoing: Outgoing) -> bool {
        // The last place in which it can be kept back; a server that reads slowly may have let it wait for long.
        if outgoing.permit.as_ref().is_some_and(|permit| !permit.holds()) {
            // A caller that gave up does not need it.
            let _ = outgoing.reply.send(Err(Refused::NotPermitted));
            return true;
        }
        // Callers that gave up waiting.
        self.pending.retain(|_, reply| !reply.is_closed());
        if self.pending.len() >= PENDING_MAX {
            return true;
        }
        self.pending.insert(outgoing.id, outgoing.reply);
        self.send(Message::Text(outgoing.text.into())).await
    }

    /// A server that does not take what is sent to it is as good as gone.
    async fn send(&mut self, message: Message) -> bool {
        matches!(timeout(self.wait, self.socket.send(message)).await, Ok(Ok(())))
    }

    /// Takes a frame in; `false` where the connection is of no more use. A server that sends what is none is left, so that it fills
    /// neither the log nor the memory of whoever reads that.
    fn take(&mut self, frame: &Message) -> bool {
        let text = match frame {
            Message::Text(text) => text.as_str(),
            Message::Close(_) => return false,
            _ => return true,
        };
        let Ok(frame) = serde_json::from_str::<Frame<'_>>(text) else {
            tracing::warn!(endpoint = %self.endpoint, "a frame is not JSON, or not one of a server's");
            return false;
        };
        match &*frame.kind {
            "ledgerClosed" => match serde_json::from_str(text) {
                Ok(announced) => {
                    self.announce.send_replace(Some(announced));
                }
                Err(error) => {
                    let error = in_short(&self.endpoint.scrub(error.to_string()));
                    tracing::warn!(endpoint = %self.endpoint, error, "a ledgerClosed frame is malformed");
                    return false;
                }
            },
            "response" => {
                if let Some(reply) = frame.id.and_then(|id| self.pending.remove(&id)) {
                    let text_of = |text: Option<Cow<'_, str>>| text.unwrap_or_default().into_owned();
                    let outcome = if frame.status.as_deref() == Some("success") {
                        Ok(frame.result.map_or(Body::Value(Value::Null), |text| Body::Text(text.to_owned())))
                    } else {
                        Err(Refused::Server(text_of(frame.error), text_of(frame.error_message)))
                    };
                    // A caller that gave up does not need it.
                    let _ = reply.send(outcome);
                }
            }
            _ => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::trust::Trust;

    #[tokio::test]
    async fn user_and_password_are_sent_and_come_back_in_no_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(socket.read_u8().await.unwrap());
            }
            // A server that repeats what it was asked, in the one place of a refusal that is shown.
            socket.write_all(b"HTTP/1.1 KEY99 PASSWORD99\r\n\r\n").await.unwrap();
            String::from_utf8(head).unwrap()
        });
        let endpoint = Endpoint::parse(&format!("ws://op:PASSWORD99@{address}/v1/KEY99?k=KEY99")).unwrap();
        let wait = Duration::from_secs(5);
        let error = Connection::open(&endpoint, wait).await.map(|_| ()).unwrap_err();
        let head = server.await.unwrap();
        assert!(head.starts_with("GET /v1/KEY99?k=KEY99 HTTP/1.1\r\n"), "{head}");
        // Base64 of `op:PASSWORD99`.
        let login = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization:"));
        assert!(login.is_some_and(|line| line.ends_with("Basic b3A6UEFTU1dPUkQ5OQ==")), "{head}");
        assert!(head.contains(&format!("Host: {address}\r\n")), "{head}");
        let said = format!("{error} {error:?} {endpoint:?}");
        assert!(!said.contains("KEY99") && !said.contains("PASSWORD99") && !said.contains("b3A6"), "{said}");
    }

    /// Who gives out certificates.
    struct Authority {
        key: rcgen::KeyPair,
        certificate: rcgen::Certificate,
    }

    impl Authority {
        fn new() -> Self {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut params = rcgen::CertificateParams::default();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            Self { certificate: params.self_signed(&key).unwrap(), key }
        }

        fn trusted(&self) -> Trust {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("authority.pem");
            std::fs::write(&path, self.certificate.pem()).unwrap();
            Trust::read(&path).unwrap()
        }
    }

    /// Danger: a server of the organisation's own cannot be used, or whoever has a public certificate passes for it.
    #[tokio::test]
    async fn a_server_of_a_private_authority_is_believed_with_its_certificate_and_no_other() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (own, other) = (Authority::new(), Authority::new());
        let key = rcgen::KeyPair::generate().unwrap();
        let server = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        let server = server.signed_by(&key, &own.certificate, &own.key).unwrap();
        let config = rustls::ServerConfig::builder().with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = Arc::new(config.with_single_cert(vec![server.der().clone()], key).unwrap());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                use std::io::{Read, Write};
                let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = rustls::StreamOwned::new(session, stream.unwrap());
                // Whoever does not believe the certificate ends before it asks.
                if stream.read(&mut [0; 4_096]).is_ok() {
                    let _ = stream.write_all(b"HTTP/1.1 418 I am a teapot\r\ncontent-length: 0\r\n\r\n");
                }
            }
        });
        let url = format!("wss://localhost:{port}");
        let (own, other) = (own.trusted(), other.trusted());
        for (endpoint, wanted) in [
            (Endpoint::parse(&url).unwrap(), "UnknownIssuer"),
            (Endpoint::parse(&url).unwrap().trusting(own), "418"),
            (Endpoint::parse(&url).unwrap().trusting(other), "invalid peer certificate"),
        ] {
            let error = Connection::open(&endpoint, Duration::from_secs(5)).await.map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(wanted), "{wanted}: {error}");
        }
    }

    #[test]
    fn a_frame_is_read_whatever_else_is_in_it() {
        let frame = |text| serde_json::from_str::<Frame<'_>>(text);
        let reply = r#"{"id":7,"type":"response","status":"success","error":null,"warnings":[{"id":2001}],
            "api_version":2,"result":{"a":"\u0041"}}"#;
        let read = frame(reply).unwrap();
        assert_eq!((read.id, &*read.kind, read.status.as_deref()), (Some(7), "response", Some("success")));
        assert_eq!(read.result.unwrap().get(), r#"{"a":"\u0041"}"#);
        let refused = frame(r#"{"id":8,"type":"response","status":"error","error":"lgrNotFound"}"#).unwrap();
        assert_eq!((refused.error.as_deref(), refused.error_message), (Some("lgrNotFound"), None));
        assert_eq!(&*frame(r#"{"type":"ledgerClosed","id":null}"#).unwrap().kind, "ledgerClosed");
        for bad in ["", "7", "{", r#"{"id":-1}"#, r#"{"id":1,"result":{"a":}}"#] {
            assert!(frame(bad).is_err(), "{bad}");
        }
    }
}
