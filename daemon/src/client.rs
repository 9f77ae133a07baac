//! The API from the other side: what `treasuryctl`, dev mode and tests speak to a daemon with.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::http::api::{
    AccountView, ApproveRequest, CloseBreakerRequest, DoneView, EmptyRequest, ErrorBody, ErrorView,
    EscrowView, EventsPage, EventsQuery, FindingView, FreezeRequest, LiftRequest, LiftedView, ProposalView,
    ProposalsQuery, ProposeRequest, ProposedView, ReadyView, ReasonRequest, StatusView, StoppedView,
    StopsView, UnfreezeRequest,
};

/// A little longer than the daemon takes at most, so that its own answer about a timeout arrives.
const TIMEOUT: Duration = Duration::from_secs(15);

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
    /// No answer: whether the request was carried out is not known.
    #[error("no answer from the daemon: {0}")]
    Transport(String),
    /// The answer is not one of this API's.
    #[error("the answer is not one of the daemon's: {0}")]
    BadAnswer(String),
}

impl ClientError {
    /// The daemon's code, where it refused.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api { error, .. } => Some(&error.code),
            _ => None,
        }
    }
}

impl Client {
    /// Speaks to the daemon at `base`, such as `http://127.0.0.1:8580`, with a person's token.
    ///
    /// # Errors
    /// Where the system lacks what an HTTP client needs.
    pub fn new(base: &str, token: Option<String>) -> Result<Self, ClientError> {
        // The HTTP library takes whichever provider the process has installed and panics without one; a
        // second installation changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            // A redirect would carry the token to wherever it points.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| transport(&error))?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token })
    }

    /// The whole at a glance.
    ///
    /// # Errors
    /// As every request here: refused, unanswered, or answered by something else.
    pub async fn status(&self) -> Result<StatusView, ClientError> {
        self.get("/v1/status").await
    }

    /// The treasury's accounts.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn accounts(&self) -> Result<Vec<AccountView>, ClientError> {
        self.get("/v1/accounts").await
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
        let mut path = format!("/v1/proposals?open={}", query.open);
        for (name, value) in [("account", &query.account), ("before", &query.before)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", escaped(value)));
            }
        }
        if let Some(limit) = query.limit {
            path.push_str(&format!("&limit={limit}"));
        }
        self.get(&path).await
    }

    /// One proposal, with the transactions to sign.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn proposal(&self, id: &str) -> Result<ProposalView, ClientError> {
        self.get(&of(id, "")).await
    }

    /// The newest hundred escrows of treasury accounts, newest first.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn escrows(&self) -> Result<Vec<EscrowView>, ClientError> {
        self.get("/v1/escrows").await
    }

    /// Findings, newest first.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn findings(&self) -> Result<Vec<FindingView>, ClientError> {
        self.get("/v1/findings").await
    }

    /// Stored records above `after`, at most `limit` (1 to 500).
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn events(&self, after: u64, limit: usize) -> Result<EventsPage, ClientError> {
        let EventsQuery { after, limit } = EventsQuery { after, limit: Some(limit) };
        self.get(&format!("/v1/events?after={after}&limit={}", limit.unwrap_or(100))).await
    }

    /// Asks for a payment.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn propose(&self, asked: &ProposeRequest) -> Result<ProposedView, ClientError> {
        self.post("/v1/proposals", asked).await
    }

    /// Brings signatures.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn approve(&self, id: &str, asked: &ApproveRequest) -> Result<DoneView, ClientError> {
        self.post(&of(id, "/approvals"), asked).await
    }

    /// Takes one's own approval back.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn retract(&self, id: &str) -> Result<DoneView, ClientError> {
        answer(self.request(Method::DELETE, &of(id, "/approvals"))).await
    }

    /// Speaks against a proposal.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn reject(&self, id: &str, reason: &str) -> Result<DoneView, ClientError> {
        self.post(&of(id, "/reject"), &ReasonRequest { reason: reason.to_owned() }).await
    }

    /// Takes one's own proposal back.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn withdraw(&self, id: &str) -> Result<DoneView, ClientError> {
        self.post(&of(id, "/withdraw"), &EmptyRequest {}).await
    }

    /// Puts a hold on a proposal or its escrow.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn flag(&self, id: &str, reason: &str) -> Result<StoppedView, ClientError> {
        self.post(&of(id, "/flag"), &ReasonRequest { reason: reason.to_owned() }).await
    }

    /// Lifts the one hold on a proposal or its escrow.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn clear(&self, id: &str, reason: &str) -> Result<LiftedView, ClientError> {
        self.post(&of(id, "/clear"), &ReasonRequest { reason: reason.to_owned() }).await
    }

    /// What must not leave and why.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn stops(&self) -> Result<StopsView, ClientError> {
        self.get("/v1/stops").await
    }

    /// Lifts stops by their ids, all of them or none.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn lift(&self, stops: &[String], reason: &str) -> Result<LiftedView, ClientError> {
        let asked = LiftRequest { stops: stops.to_vec(), reason: reason.to_owned() };
        self.post("/v1/stops/lift", &asked).await
    }

    /// Freezes one account, or everything.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn freeze(&self, account: Option<&str>, reason: &str) -> Result<StoppedView, ClientError> {
        let asked = FreezeRequest { account: account.map(str::to_owned), reason: reason.to_owned() };
        self.post("/v1/freeze", &asked).await
    }

    /// Lifts the one freeze that stands on an account, or on everything.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn unfreeze(&self, account: Option<&str>, reason: &str) -> Result<LiftedView, ClientError> {
        let asked = UnfreezeRequest { account: account.map(str::to_owned), reason: reason.to_owned() };
        self.post("/v1/unfreeze", &asked).await
    }

    /// Lets automated submissions go on, of one account or of every one.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn close_breaker(&self, account: Option<&str>) -> Result<DoneView, ClientError> {
        self.post("/v1/breaker/close", &CloseBreakerRequest { account: account.map(str::to_owned) }).await
    }

    /// Whether the daemon can act, and why not.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn readiness(&self) -> Result<ReadyView, ClientError> {
        let response = send(self.request(Method::GET, "/readyz")).await?;
        if ![StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE].contains(&response.0) {
            return Err(refused(response));
        }
        parse(&response.1).map_err(|_| refused(response))
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
        match send(self.request(Method::GET, "/metrics")).await? {
            (status, text) if status.is_success() => Ok(text),
            response => Err(refused(response)),
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        answer(self.request(Method::GET, path)).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, asked: &impl Serialize) -> Result<T, ClientError> {
        answer(self.request(Method::POST, path).json(asked)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

/// The path of something about a proposal.
fn of(id: &str, what: &str) -> String {
    format!("/v1/proposals/{}{what}", escaped(id))
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

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, ClientError> {
    match send(request).await? {
        (status, text) if status.is_success() => parse(&text),
        response => Err(refused(response)),
    }
}

async fn send(request: RequestBuilder) -> Result<(StatusCode, String), ClientError> {
    let response = request.send().await.map_err(|error| transport(&error))?;
    let status = response.status();
    let text = response.text().await.map_err(|error| transport(&error))?;
    Ok((status, text))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ClientError> {
    serde_json::from_str(text).map_err(|error| ClientError::BadAnswer(error.to_string()))
}

fn refused((status, text): (StatusCode, String)) -> ClientError {
    match serde_json::from_str::<ErrorBody>(&text) {
        Ok(body) => ClientError::Api { status: status.as_u16(), error: body.error },
        Err(_) => ClientError::BadAnswer(format!("{status}: {}", text.chars().take(200).collect::<String>())),
    }
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
    ClientError::Transport(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_another_path() {
        assert_eq!(of("P12", "/reject"), "/v1/proposals/P12/reject");
        assert_eq!(of("../freeze?x", ""), "/v1/proposals/%2E%2E%2Ffreeze%3Fx");
    }

    #[test]
    fn a_token_is_not_in_what_is_printed() {
        let client = Client::new("http://127.0.0.1:1/", Some("secret-token".to_owned())).unwrap();
        assert!(!format!("{client:?}").contains("secret"));
    }
}
