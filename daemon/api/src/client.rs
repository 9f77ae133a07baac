//! The API from the other side: what `treasuryctl`, dev mode and tests speak to a daemon with.

mod deliveries;
mod policy;
mod stopping;
mod watch;

use std::net::IpAddr;
use std::time::Duration;

pub use watch::{Told, Watch};

use reqwest::{RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Host, Url};

use crate::operations::{Call, Method, Operation, Who, calls};
use crate::types::{
    AccountView, ApproveRequest, AuditPage, AuditQuery, DoneView, DrillRequest, DrillView, EmptyRequest,
    ErrorBody, ErrorView, EscrowView, EscrowsQuery, EventsPage, EventsQuery, ExposureView, FindingView,
    ForecastView, LinkView, LockoutView, ProposalView, ProposalsQuery, ProposeRequest, ProposedView,
    ReadyView, ReasonRequest, ScheduleView, StatusView,
};

/// A little longer than the daemon takes at most, so that its own answer about a timeout arrives.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The largest answer that is read. A page of five hundred proposals or records has a few megabytes; a daemon's address
/// that leads to something else may have no end.
const ANSWER_MAX_BYTES: usize = 64 * 1024 * 1024;

/// The longest silence: three of the beats that a stream has where there is nothing to say.
const SILENCE: Duration = Duration::from_secs(45);

/// How long a connection may be kept for the next request: less than the daemon keeps it.
const IDLE: Duration = Duration::from_secs(5);

/// Speaks to one daemon, as one person or as nobody.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

/// Why a request brought no answer, or another than hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The daemon refused.
    #[error("{}: {} {}", error.code, error.message, error.advice)]
    Api {
        /// HTTP status.
        status: u16,
        /// What it said.
        error: ErrorView,
    },
    /// What is given as the daemon's address is none, or cannot be used. Never quotes it.
    #[error("the daemon's address {0}")]
    BadUrl(String),
    /// The token would be sent where others can read it.
    #[error("{host} is not this machine, and plain http would show your token to everybody on the way there")]
    PlainHttp {
        /// Where the daemon is.
        host: String,
    },
    /// There is no connection, so nothing was sent.
    #[error("the daemon cannot be reached: {0}")]
    Unreached(String),
    /// No answer: whether the request was carried out is not known.
    #[error("no answer from the daemon: {0}")]
    Transport(String),
    /// The answer is not one of this API's. Where it came instead of one, as from a proxy that lost the daemon, it is not
    /// known whether the request was carried out.
    #[error("the answer is not one of the daemon's: {0}")]
    BadAnswer(String),
}

impl ClientError {
    /// Whether the request may have been carried out all the same.
    #[must_use]
    pub fn leaves_it_open(&self) -> bool {
        match self {
            Self::Api { error, .. } => {
                matches!(error.code.as_str(), "TIMEOUT" | "ENGINE_STOPPED" | "INTERNAL")
            }
            Self::Transport(_) | Self::BadAnswer(_) => true,
            Self::BadUrl(_) | Self::PlainHttp { .. } | Self::Unreached(_) => false,
        }
    }

    /// The daemon's code, where it refused.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api { error, .. } => Some(&error.code),
            _ => None,
        }
    }
}

/// How a daemon may be reached, where the safe way is not enough.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// A proxy to go through. What the environment says of proxies never counts: a token is for the daemon alone.
    pub proxy: Option<SecretString>,
    /// Plain http is right beyond this machine, too: somebody else sees to it that nobody reads along.
    pub plain_http: bool,
}

impl Client {
    /// Speaks to the daemon at `base`, such as `http://127.0.0.1:8580`, with a person's token: to this machine, or
    /// by https, and through no proxy.
    ///
    /// # Errors
    /// [`ClientError::BadUrl`], [`ClientError::PlainHttp`]; where the system lacks what an HTTP client needs.
    pub fn new(base: &str, token: Option<String>) -> Result<Self, ClientError> {
        Self::by(&Way::default(), base, token)
    }

    /// As [`Client::new`], in the way that somebody has chosen.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn by(way: &Way, base: &str, token: Option<String>) -> Result<Self, ClientError> {
        let base = address(base)?;
        if token.is_some() && base.scheme() == "http" && !way.plain_http && !is_this_machine(&base) {
            return Err(ClientError::PlainHttp { host: base.host_str().unwrap_or_default().to_owned() });
        }
        // The HTTP library takes whichever provider the process has installed and panics without one; a
        // second installation changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .read_timeout(SILENCE)
            .pool_idle_timeout(IDLE)
            .no_proxy()
            // A redirect would carry the token to wherever it points.
            .redirect(reqwest::redirect::Policy::none());
        if let Some(proxy) = &way.proxy {
            let proxy = reqwest::Proxy::all(proxy.expose_secret())
                .map_err(|_| ClientError::BadUrl("has a proxy before it that is no address".to_owned()))?;
            http = http.proxy(proxy);
        }
        let http = http.build().map_err(|error| transport(&error))?;
        Ok(Self { http, base: base.as_str().trim_end_matches('/').to_owned(), token })
    }

    /// The whole at a glance.
    ///
    /// # Errors
    /// As every request here: refused, unanswered, or answered by something else.
    pub async fn status(&self) -> Result<StatusView, ClientError> {
        self.read(calls::STATUS).await
    }

    /// The treasury's accounts.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn accounts(&self) -> Result<Vec<AccountView>, ClientError> {
        self.read(calls::ACCOUNTS).await
    }

    /// What the tier links keep, what they would move now, and why, or why not.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn tiers(&self) -> Result<Vec<LinkView>, ClientError> {
        self.read(calls::TIERS).await
    }

    /// The scheduled payments, when each is due next, and what has been asked for.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn schedules(&self) -> Result<Vec<ScheduleView>, ClientError> {
        self.read(calls::SCHEDULES).await
    }

    /// How long the money of each account lasts, what may still leave, and what there is.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn forecast(&self) -> Result<ForecastView, ClientError> {
        self.read(calls::FORECAST).await
    }

    /// Whose loss locks each account, and whose collusion spends it.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn lockout(&self) -> Result<Vec<LockoutView>, ClientError> {
        self.read(calls::LOCKOUT).await
    }

    /// What each single captured thing can take at most, in what time, and until whose stop.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn exposure(&self) -> Result<Vec<ExposureView>, ClientError> {
        self.read(calls::EXPOSURE).await
    }

    /// Whether whoever asks has to show that they have their key.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn drill(&self) -> Result<DrillView, ClientError> {
        self.read(calls::DRILL).await
    }

    /// Shows that one has one's key.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn answer_drill(&self, asked: &DrillRequest) -> Result<DoneView, ClientError> {
        self.call(calls::ANSWER_DRILL, "", asked).await
    }

    /// The newest hundred proposals, newest first.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn proposals(
        &self,
        open_only: bool,
        account: Option<&str>,
    ) -> Result<Vec<ProposalView>, ClientError> {
        let query =
            ProposalsQuery { open: open_only, account: account.map(str::to_owned), ..Default::default() };
        self.proposals_page(&query).await
    }

    /// A page of proposals, newest first.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn proposals_page(&self, query: &ProposalsQuery) -> Result<Vec<ProposalView>, ClientError> {
        self.call(calls::PROPOSALS, "", query).await
    }

    /// One proposal, with the transactions to sign.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn proposal(&self, id: &str) -> Result<ProposalView, ClientError> {
        self.call(calls::PROPOSAL, id, &()).await
    }

    /// The newest hundred escrows of treasury accounts, newest first.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn escrows(&self) -> Result<Vec<EscrowView>, ClientError> {
        self.call(calls::ESCROWS, "", &EscrowsQuery::default()).await
    }

    /// Findings, newest first.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn findings(&self) -> Result<Vec<FindingView>, ClientError> {
        self.read(calls::FINDINGS).await
    }

    /// Stored records above `after`, at most `limit` (1 to 500).
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn events(&self, after: u64, limit: usize) -> Result<EventsPage, ClientError> {
        self.call(calls::EVENTS, "", &EventsQuery { after, limit: Some(limit) }).await
    }

    /// Entries of the audit log.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn audit(&self, asked: &AuditQuery) -> Result<AuditPage, ClientError> {
        self.call(calls::AUDIT, "", asked).await
    }

    /// The same as a page.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn audit_report(&self, asked: &AuditQuery) -> Result<String, ClientError> {
        match send(self.request(Operation::AuditReport, "", asked)?).await? {
            (status, text) if status.is_success() => Ok(text),
            response => Err(self.refused(response)),
        }
    }

    /// Asks for a payment.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn propose(&self, asked: &ProposeRequest) -> Result<ProposedView, ClientError> {
        self.call(calls::PROPOSE, "", asked).await
    }

    /// Brings signatures.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn approve(&self, id: &str, asked: &ApproveRequest) -> Result<DoneView, ClientError> {
        self.call(calls::APPROVE, id, asked).await
    }

    /// Takes one's own approval back.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn retract(&self, id: &str) -> Result<DoneView, ClientError> {
        self.call(calls::RETRACT, id, &EmptyRequest {}).await
    }

    /// Speaks against a proposal.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn reject(&self, id: &str, reason: &str) -> Result<DoneView, ClientError> {
        self.call(calls::REJECT, id, &ReasonRequest { reason: reason.to_owned() }).await
    }

    /// Takes one's own proposal back.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn withdraw(&self, id: &str) -> Result<DoneView, ClientError> {
        self.call(calls::WITHDRAW, id, &EmptyRequest {}).await
    }

    /// Whether the daemon can act, and why not.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn readiness(&self) -> Result<ReadyView, ClientError> {
        let response = send(self.request(Operation::Readyz, "", &())?).await?;
        if ![StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE].contains(&response.0) {
            return Err(self.refused(response));
        }
        parse(&response.1).map_err(|_| self.refused(response))
    }

    /// Whether the daemon can act.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn ready(&self) -> Result<bool, ClientError> {
        Ok(self.readiness().await?.ready)
    }

    /// The metrics, as Prometheus reads them.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn metrics(&self) -> Result<String, ClientError> {
        match send(self.request(Operation::Metrics, "", &())?).await? {
            (status, text) if status.is_success() => Ok(text),
            response => Err(self.refused(response)),
        }
    }

    async fn read<G: DeserializeOwned>(&self, call: Call<(), G>) -> Result<G, ClientError> {
        self.call(call, "", &()).await
    }

    /// Asks, of the proposal with this id where the operation is about one.
    async fn call<T: Serialize, G: DeserializeOwned>(
        &self,
        call: Call<T, G>,
        id: &str,
        asked: &T,
    ) -> Result<G, ClientError> {
        match send(self.request(call.operation, id, asked)?).await? {
            (status, text) if status.is_success() => parse(&text),
            response => Err(self.refused(response)),
        }
    }

    fn refused(&self, (status, text): (StatusCode, String)) -> ClientError {
        if let Ok(body) = serde_json::from_str::<ErrorBody>(&text) {
            return ClientError::Api { status: status.as_u16(), error: body.error };
        }
        // A proxy's page may repeat what it was sent.
        let text = match &self.token {
            Some(token) if !token.is_empty() => text.replace(token, "…"),
            _ => text,
        };
        ClientError::BadAnswer(format!("{status}: {}", text.chars().take(200).collect::<String>()))
    }

    fn request(
        &self,
        operation: Operation,
        id: &str,
        asked: &impl Serialize,
    ) -> Result<RequestBuilder, ClientError> {
        let spec = operation.spec();
        let mut address = format!("{}{}", self.base, spec.path.replace("{id}", &escaped(id)));
        let request = match spec.method {
            Method::Get => {
                address.push_str(&query(asked)?);
                self.http.get(address)
            }
            Method::Post => self.http.post(address).json(asked),
            Method::Delete => self.http.delete(address),
        };
        Ok(match &self.token {
            Some(token) if spec.who != Who::Anybody => request.bearer_auth(token),
            _ => request,
        })
    }
}

/// What is asked for, as the part of an address after its path.
fn query(asked: &impl Serialize) -> Result<String, ClientError> {
    let asked = serde_json::to_value(asked).map_err(|error| ClientError::BadAnswer(error.to_string()))?;
    let mut text = String::new();
    for (name, value) in asked.as_object().into_iter().flatten() {
        let value = match value {
            Value::Null => continue,
            Value::String(value) => escaped(value),
            value => escaped(&value.to_string()),
        };
        text.push_str(&format!("{}{name}={value}", if text.is_empty() { '?' } else { '&' }));
    }
    Ok(text)
}

/// An address with nothing secret in it.
fn address(text: &str) -> Result<Url, ClientError> {
    let wrong =
        |what: &str| Err(ClientError::BadUrl(format!("{what}; write http://host:port or https://host")));
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return wrong(&format!("cannot be read: {error}")),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return wrong("is neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("has a user or password in it, which belongs into no address");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("has a query or fragment");
    }
    Ok(url)
}

/// Whether it does not leave this machine.
fn is_this_machine(url: &Url) -> bool {
    let local = |address: IpAddr| address.is_loopback() || address.is_unspecified();
    match url.host() {
        Some(Host::Domain(name)) => name.trim_end_matches('.') == "localhost",
        Some(Host::Ipv4(address)) => local(address.into()),
        Some(Host::Ipv6(address)) => local(IpAddr::V6(address).to_canonical()),
        None => false,
    }
}

/// Everything but letters and digits percent-encoded, so that no text becomes another path or query.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

async fn send(request: RequestBuilder) -> Result<(StatusCode, String), ClientError> {
    whole(request.send().await.map_err(|error| transport(&error))?).await
}

async fn whole(mut response: Response) -> Result<(StatusCode, String), ClientError> {
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| transport(&error))? {
        if bytes.len().saturating_add(piece.len()) > ANSWER_MAX_BYTES {
            return Err(ClientError::BadAnswer(format!("it is larger than {ANSWER_MAX_BYTES} bytes")));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok((response.status(), String::from_utf8_lossy(&bytes).into_owned()))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ClientError> {
    serde_json::from_str(text).map_err(|error| ClientError::BadAnswer(error.to_string()))
}

fn transport(error: &reqwest::Error) -> ClientError {
    // The outermost message says what failed and the innermost why.
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    if error.is_connect() { ClientError::Unreached(text) } else { ClientError::Transport(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_another_path() {
        let client = Client::new("http://127.0.0.1:1/", None).unwrap();
        let address = |operation, id| {
            let request = client.request(operation, id, &()).unwrap().build().unwrap();
            request.url().as_str().to_owned()
        };
        assert_eq!(address(Operation::Reject, "P12"), "http://127.0.0.1:1/v1/proposals/P12/reject");
        assert_eq!(
            address(Operation::Proposal, "../freeze?x"),
            "http://127.0.0.1:1/v1/proposals/%2E%2E%2Ffreeze%3Fx"
        );
    }

    #[test]
    fn what_is_asked_for_is_in_the_query_and_no_text_becomes_another() {
        let asked = ProposalsQuery {
            open: true,
            account: Some("a&b=c".to_owned()),
            limit: Some(7),
            ..ProposalsQuery::default()
        };
        let mut parts: Vec<String> = query(&asked).unwrap()[1..].split('&').map(str::to_owned).collect();
        parts.sort();
        assert_eq!(parts, ["account=a%26b%3Dc", "limit=7", "open=true"]);
        assert_eq!(query(&()).unwrap(), "");
    }

    #[test]
    fn a_token_is_not_sent_in_the_clear_beyond_this_machine() {
        let token = || Some("secret-token".to_owned());
        let open = Way { plain_http: true, ..Way::default() };
        for base in [
            "http://daemon.example:8580",
            "http://10.0.0.1",
            "http://[2001:db8::1]:8580",
            "http://localhost.example",
            "http://127.0.0.1.example",
        ] {
            let error = Client::new(base, token()).unwrap_err();
            assert!(matches!(error, ClientError::PlainHttp { .. }), "{base}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
            assert!(Client::by(&open, base, token()).is_ok(), "{base}");
            assert!(Client::new(base, None).is_ok(), "without a token there is nothing to lose: {base}");
        }
        for base in [
            "http://127.0.0.1:8580",
            "http://127.9.9.9",
            "http://localhost:8580/",
            "http://[::1]:1",
            "http://[::ffff:127.0.0.1]",
            "http://0.0.0.0:1",
            "https://daemon.example",
        ] {
            assert!(Client::new(base, token()).is_ok(), "{base}");
        }
    }

    #[test]
    fn an_address_with_a_password_in_it_is_refused_and_not_quoted() {
        for base in ["http://u:PASS@127.0.0.1", "ftp://PASS", "127.0.0.1:PASS", "", "http://127.0.0.1/?PASS"]
        {
            let error = Client::new(base, None).unwrap_err();
            assert!(matches!(error, ClientError::BadUrl(_)), "{base}: {error}");
            assert!(!error.to_string().contains("PASS"), "{error}");
        }
    }

    #[test]
    fn a_token_is_not_in_what_is_printed() {
        let client = Client::new("http://127.0.0.1:1/", Some("secret-token".to_owned())).unwrap();
        assert!(!format!("{client:?}").contains("secret"));
    }
}
