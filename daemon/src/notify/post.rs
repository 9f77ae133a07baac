//! A request or a letter to a receiver, bounded in everything: no redirect is followed, no proxy is asked, the certificate is
//! checked, the address is looked at that is connected to, and of the answer only the status is read.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

use super::address::is_public;
use super::smtp::{self, Letter, Tls};
use crate::trust::{self, TlsClient, Trust};

/// The longest that one attempt may take, from the name to the answer's status: what the convention advises at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// How much longer a letter may take: mail servers make those wait that they do not know, and look at what they take.
const MAIL_TIMES: u32 = 4;

/// The longest head of an answer that is read.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The most lines of it.
const HEAD_LINES_MAX: usize = 100;

/// Addresses of a receiver that are tried.
const ADDRESSES_MAX: usize = 4;

/// How long the authorities that this machine believes are taken as they were read.
const BELIEVED_FOR: Duration = Duration::from_secs(600);

/// Where to, and how far it is trusted. Its `Debug` shows scheme, host and port only: the rest may be a secret.
#[derive(Clone)]
pub(crate) struct Receiver {
    url: SecretString,
    label: String,
    /// What its certificate must come from; `None`: whom this machine believes.
    trust: Option<Trust>,
    /// Whether it may be on this machine or in its network, and spoken to without TLS.
    may_be_private: bool,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.label).finish()
    }
}

impl PartialEq for Receiver {
    fn eq(&self, other: &Self) -> bool {
        self.url.expose_secret() == other.url.expose_secret()
            && self.trust == other.trust
            && self.may_be_private == other.may_be_private
    }
}

impl Receiver {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, in words that do not quote it.
    pub(crate) fn parse(text: &str, trust: Option<Trust>, may_be_private: bool) -> Result<Self, String> {
        let url = Url::parse(text.trim()).map_err(|error| format!("is not an address: {error}"))?;
        match url.scheme() {
            "https" => {}
            "http" if trust.is_some() => {
                return Err("has no certificate to look at, and `ca_file` asks for one".to_owned());
            }
            "http" if may_be_private => {}
            "http" => {
                return Err("would go in the clear; write https:// (http:// is for a receiver on this machine or in its \
                            own network, with `allow_private = true`)"
                    .to_owned());
            }
            _ => return Err("is neither https:// nor http://".to_owned()),
        }
        let host = url.host_str().ok_or("names no host")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("has a user or password in it, which is not sent".to_owned());
        }
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let label = format!("{}://{host}{port}", url.scheme());
        Ok(Self { url: SecretString::from(url.to_string()), label, trust, may_be_private })
    }

    /// A mail server's, by a label such as `smtps://mail.example:465`.
    pub(crate) fn of_mail(label: String, trust: Option<Trust>, may_be_private: bool) -> Self {
        Self { url: SecretString::from(label.clone()), label, trust, may_be_private }
    }

    /// Scheme, host and port, which may be shown.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// The whole address. Never to be shown.
    pub(crate) fn url(&self) -> Result<Url, PostError> {
        // It was parsed from the same text before.
        Url::parse(self.url.expose_secret()).map_err(|_| PostError::BadRequest)
    }
}

/// What is sent.
pub(super) enum Parcel {
    /// By HTTP.
    Request(Request),
    /// By SMTP.
    Letter(Letter),
}

impl Parcel {
    /// What is left of it to send where those of these marks have it; `None`: nothing.
    pub(super) fn without(self, has: &[String]) -> Option<Self> {
        let Self::Letter(mut letter) = self else { return Some(self) };
        letter.to.retain(|address| !has.contains(&smtp::mark(address)));
        (!letter.to.is_empty()).then_some(Self::Letter(letter))
    }
}

/// A request of HTTP.
pub(crate) struct Request {
    pub(crate) method: hyper::Method,
    /// Where to, in place of the receiver's own address.
    pub(crate) url: Url,
    pub(crate) headers: Vec<(HeaderName, SecretString)>,
    pub(crate) body: Vec<u8>,
}

/// Why there was no answer. Never quotes what a receiver said, nor the address beyond its host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PostError {
    /// It cannot be put together, such as for a token that no header can hold.
    #[error("the request cannot be put together")]
    BadRequest,
    /// A secret cannot be read.
    #[error("{0}")]
    Secret(String),
    /// The file of a secret does not answer.
    #[error("the file of its secret was not read in time")]
    SecretHangs,
    /// Nobody knows the name.
    #[error("its name cannot be resolved")]
    Unresolved,
    /// It is where it must not be.
    #[error("its address is private; `allow_private = true` would allow that")]
    Private,
    /// No connection.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// Its certificate is not believed, or it speaks no TLS.
    #[error("no TLS with it: {0}")]
    Tls(String),
    /// The answer did not come, or is not HTTP.
    #[error("its answer is not one of HTTP, or too large")]
    Broken,
    /// It took too long.
    #[error("no answer in time")]
    TimedOut,
    /// The mail server speaks, and not as one.
    #[error("the mail server ended the connection, or said what is not SMTP, or too much")]
    Cut,
    /// Whoever is in between could take what is offered in the clear out of what it offers.
    #[error("the mail server offers no STARTTLS, and nothing goes to it in the clear")]
    NoStartTls,
    /// It offers no way to log in that is known here.
    #[error("the mail server takes no login by PLAIN or LOGIN")]
    NoLogin,
    /// It does not take the message now, or does not take us.
    #[error("the mail server answered with {0}")]
    PutOff(u16),
    /// It will never take this message.
    #[error("the mail server refuses the message for good, with {0}")]
    Refused(u16),
    /// It took the message for some, and not for others.
    #[error("the mail server took the message, but for {refused} of {all} addresses, with {code}")]
    Partly {
        /// How many it does not take it for.
        refused: usize,
        /// Of how many.
        all: usize,
        /// What it said of one of these.
        code: u16,
        /// Whether it never will, for all of these.
        for_good: bool,
        /// The marks of those it has taken it for: they must not get it again.
        has: Vec<String>,
    },
}

impl PostError {
    /// Whether what is tried again would fail again.
    pub(super) fn is_for_good(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Partly { for_good: true, .. })
    }
}

/// Sends parcels. In production over the network; in tests over whatever a test puts there.
pub(super) trait Post: Send + Sync {
    /// Sends one, and says with what status it was answered.
    fn post<'a>(&'a self, to: &'a Receiver, parcel: Parcel) -> BoxFuture<'a, Result<u16, PostError>>;
}

/// A connection, with TLS or without.
enum Stream {
    Plain(TcpStream),
    Secured(Box<TlsStream<TcpStream>>),
}

/// Sends parcels over the network.
pub(crate) struct Wire {
    patience: Duration,
    believed: Mutex<Option<(Instant, TlsClient)>>,
}

impl Default for Wire {
    fn default() -> Self {
        Self { patience: PATIENCE, believed: Mutex::default() }
    }
}

impl Post for Wire {
    fn post<'a>(&'a self, to: &'a Receiver, parcel: Parcel) -> BoxFuture<'a, Result<u16, PostError>> {
        Box::pin(async move {
            let sent = match parcel {
                Parcel::Request(request) => timeout(self.patience, self.send(to, request)).await,
                Parcel::Letter(letter) => {
                    timeout(self.patience.saturating_mul(MAIL_TIMES), self.mail(to, letter)).await
                }
            };
            sent.unwrap_or(Err(PostError::TimedOut))
        })
    }
}

impl Wire {
    /// One that waits so long for a whole answer.
    pub(crate) fn patient(patience: Duration) -> Self {
        Self { patience, ..Self::default() }
    }

    /// Sends a request, and answers with the status and the body, of which no more than so many bytes are read.
    pub(crate) async fn exchange(
        &self,
        to: &Receiver,
        request: Request,
        body_bytes_max: usize,
    ) -> Result<(u16, Bytes), PostError> {
        let exchange = async {
            match self.open(to, &request).await? {
                Stream::Plain(stream) => whole(stream, request, body_bytes_max).await,
                Stream::Secured(stream) => whole(*stream, request, body_bytes_max).await,
            }
        };
        timeout(self.patience, exchange).await.unwrap_or(Err(PostError::TimedOut))
    }

    async fn send(&self, to: &Receiver, request: Request) -> Result<u16, PostError> {
        match self.open(to, &request).await? {
            Stream::Plain(stream) => ask(stream, request).await,
            Stream::Secured(stream) => ask(*stream, request).await,
        }
    }

    async fn open(&self, to: &Receiver, request: &Request) -> Result<Stream, PostError> {
        let host = request.url.host().map(|host| host.to_owned()).ok_or(PostError::BadRequest)?;
        let port = request.url.port_or_known_default().ok_or(PostError::BadRequest)?;
        let stream = connect(&host, port, |ip| to.may_be_private || is_public(ip)).await?;
        if request.url.scheme() == "https" {
            let name = server_name(&host)?;
            let connector = TlsConnector::from(self.tls(to).await?);
            let secured = connector.connect(name, stream).await;
            let secured = secured.map_err(|error| PostError::Tls(error.to_string()))?;
            Ok(Stream::Secured(Box::new(secured)))
        } else {
            Ok(Stream::Plain(stream))
        }
    }

    async fn mail(&self, to: &Receiver, letter: Letter) -> Result<u16, PostError> {
        let in_the_clear = letter.tls == Tls::None;
        let allowed =
            |ip: IpAddr| (to.may_be_private || is_public(ip)) && (!in_the_clear || ip.is_loopback());
        let stream = connect(&letter.host, letter.port, allowed).await?;
        let secure = if in_the_clear {
            None
        } else {
            Some((TlsConnector::from(self.tls(to).await?), server_name(&letter.host)?))
        };
        smtp::send(stream, secure, letter).await
    }

    async fn tls(&self, to: &Receiver) -> Result<TlsClient, PostError> {
        if let Some(trust) = &to.trust {
            return trust.client().map_err(|error| PostError::Tls(error.to_string()));
        }
        let now = Instant::now();
        {
            let believed = self.believed.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((read, client)) = believed.as_ref()
                && now.duration_since(*read) < BELIEVED_FOR
            {
                return Ok(client.clone());
            }
        }
        let read = trust::read_of_this_machine().await.map_err(PostError::Tls)?;
        let client = read.unwrap_or_else(trust::of_this_release);
        let mut believed = self.believed.lock().unwrap_or_else(PoisonError::into_inner);
        *believed = Some((now, client.clone()));
        Ok(client)
    }
}

/// Connects to an address that was looked at before: what a name resolves to a second time counts for nothing.
async fn connect(
    host: &Host<String>,
    port: u16,
    is_allowed: impl Fn(IpAddr) -> bool,
) -> Result<TcpStream, PostError> {
    let found: Vec<SocketAddr> = match host {
        Host::Ipv4(address) => vec![(*address, port).into()],
        Host::Ipv6(address) => vec![(*address, port).into()],
        Host::Domain(name) => {
            let found = lookup_host((name.as_str(), port)).await;
            found.map_err(|_| PostError::Unresolved)?.take(ADDRESSES_MAX).collect()
        }
    };
    let allowed = found.iter().filter(|address| is_allowed(address.ip()));
    let allowed: Vec<SocketAddr> = allowed.copied().collect();
    if allowed.is_empty() {
        return Err(if found.is_empty() { PostError::Unresolved } else { PostError::Private });
    }
    TcpStream::connect(allowed.as_slice())
        .await
        .map_err(|error| PostError::Unreachable(error.kind().to_string()))
}

fn server_name(host: &Host<String>) -> Result<ServerName<'static>, PostError> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| PostError::BadRequest),
        Host::Ipv4(address) => Ok(ServerName::from(std::net::IpAddr::V4(*address))),
        Host::Ipv6(address) => Ok(ServerName::from(std::net::IpAddr::V6(*address))),
    }
}

/// Asks over a connection of its own, which ends with the answer's head: what comes after it is nobody's business.
async fn ask(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request,
) -> Result<u16, PostError> {
    over(stream, request, async |answer: hyper::Response<Incoming>| Ok(answer.status().as_u16())).await
}

/// Asks over a connection of its own, and reads the whole answer.
async fn whole(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request,
    body_bytes_max: usize,
) -> Result<(u16, Bytes), PostError> {
    let read = async |answer: hyper::Response<Incoming>| {
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), body_bytes_max).collect().await;
        Ok((status, body.map_err(|_| PostError::Broken)?.to_bytes()))
    };
    over(stream, request, read).await
}

/// Asks over a connection of its own, which ends when the answer has been read as far as somebody wants it.
async fn over<T>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request,
    read: impl AsyncFnOnce(hyper::Response<Incoming>) -> Result<T, PostError>,
) -> Result<T, PostError> {
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEAD_LINES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| PostError::Broken)?;
    let request = written(request)?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(|_| PostError::Broken)?;
        read(answer).await
    };
    tokio::pin!(connection, answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // It may have brought the answer with its last breath.
        _ = &mut connection => answer.await,
    }
}

fn written(request: Request) -> Result<hyper::Request<Full<Bytes>>, PostError> {
    let Request { method, url, headers, body } = request;
    let host = url.host_str().ok_or(PostError::BadRequest)?;
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut written = hyper::Request::builder()
        .method(method)
        .uri(target)
        .header(HOST, authority)
        .header(USER_AGENT, concat!("treasuryd/", env!("CARGO_PKG_VERSION")));
    if headers.iter().all(|(name, _)| *name != CONTENT_TYPE) {
        written = written.header(CONTENT_TYPE, "application/json");
    }
    for (name, value) in headers {
        let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| PostError::BadRequest)?;
        value.set_sensitive(true);
        written = written.header(name, value);
    }
    written.body(Full::new(Bytes::from(body))).map_err(|_| PostError::BadRequest)
}

#[cfg(test)]
pub(super) mod tests;
