//! Asks a guard: for the daemon, and for those who guard.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::header::AUTHORIZATION;
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use treasury_api::types::ErrorBody;
use treasury_core::effect::{GuardRefusal, ReleaseInputs};
use treasury_core::units::HexBytes;
use url::{Host, Url};
use xrpl_wire::condition::parse_condition;
use xrpl_wire::split::PREIMAGE_BYTES;
use zeroize::Zeroizing;

use super::http::{ConditionAnswer, ShareAnswer};
use super::terms::Terms;
use crate::apart::{Apart, READ_FOR};
use crate::driver::{GuardPort, Reply, Share};
use crate::http::Tokens;
use crate::notify::post::{Receiver, Request, Wire};
use crate::private;
use crate::redact;
use crate::trust::Trust;

/// The largest answer that is read: a status with some thousand stops.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

/// As much of what a guard says is kept and shown.
const REASON_MAX_CHARS: usize = 300;

/// Where the guard is, and what the daemon shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardConfig {
    /// Its address.
    pub(crate) receiver: Receiver,
    /// The file of the token, read for each request.
    pub token_file: PathBuf,
    /// How long an answer may take.
    pub patience: Duration,
    /// Whether escrows that are planned from now on are guarded.
    pub new_escrows: bool,
}

/// An address of a guard: with TLS, or on this machine.
///
/// # Errors
/// What is wrong with it, in words that do not quote it.
pub(crate) fn address(text: &str, trust: Option<Trust>) -> Result<Receiver, String> {
    let receiver = Receiver::parse(text, trust, true)?;
    let url = Url::parse(text.trim()).map_err(|error| format!("is not an address: {error}"))?;
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() == "http" && !is_here {
        return Err(
            "would send a token in the clear; write https:// (http:// is for a guard on this machine)"
                .to_owned(),
        );
    }
    Ok(receiver)
}

/// Speaks to a guard with one token.
#[derive(Clone)]
pub(crate) struct GuardClient {
    wire: Arc<Wire>,
    receiver: Receiver,
    token_file: PathBuf,
    own: Apart,
    /// What its people show to the daemon.
    tokens: Tokens,
    network_id: Option<u32>,
}

impl fmt::Debug for GuardClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardClient").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}

impl GuardClient {
    pub(crate) fn new(config: &GuardConfig, network_id: Option<u32>, tokens: Tokens) -> Self {
        Self {
            wire: Arc::new(Wire::patient(config.patience)),
            receiver: config.receiver.clone(),
            token_file: config.token_file.clone(),
            own: Apart::default(),
            tokens,
            network_id,
        }
    }

    fn legible(&self, text: &str) -> String {
        redact::legible(text, &|word| self.tokens.is_one(word))
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, GuardRefusal> {
        let url = self.receiver.url().map_err(|error| silent("guard_unreachable", error))?;
        let url = url.join(path).map_err(|error| silent("guard_unreachable", error))?;
        let path = self.token_file.clone();
        let token = self.own.read(READ_FOR, move || private::read_file(&path)).await;
        let token = match token {
            Ok(Ok(text)) => Zeroizing::new(text.lines().next().unwrap_or_default().trim().to_owned()),
            _ => return Err(silent("guard_token_unreadable", "the guard's token_file cannot be read")),
        };
        let bearer = SecretString::from(format!("Bearer {}", token.as_str()));
        let request = Request { method, url, headers: vec![(AUTHORIZATION, bearer)], body };
        let (status, body) = self
            .wire
            .exchange(&self.receiver, request, ANSWER_MAX_BYTES)
            .await
            .map_err(|error| silent("guard_unreachable", error))?;
        if status == 200 {
            return serde_json::from_slice(&body)
                .map_err(|_| silent("guard_unreadable", "its answer is not what was asked for"));
        }
        match serde_json::from_slice::<ErrorBody>(&body) {
            Ok(ErrorBody { error }) if is_code(&error.code) => Err(GuardRefusal {
                code: error.code,
                // What its operators wrote is in it, and it knows nobody's token of this daemon.
                reason: self.legible(&error.message).chars().take(REASON_MAX_CHARS).collect(),
                answered: true,
            }),
            _ => Err(silent(
                "guard_unreadable",
                format!("its answer, with status {status}, is none of a guard's"),
            )),
        }
    }

    /// The same with a body of JSON.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, GuardRefusal> {
        let body = serde_json::to_vec(body).map_err(|error| silent("guard_unreachable", error))?;
        self.ask(Method::POST, path, body).await
    }
}

impl GuardPort for GuardClient {
    fn condition(&self, inputs: ReleaseInputs, first: [u8; 32]) -> Reply<Result<HexBytes, GuardRefusal>> {
        let client = self.clone();
        Box::pin(async move {
            let terms = Terms::of(&inputs, first, client.network_id);
            let ConditionAnswer { condition } = client.post("/v1/conditions", &terms).await?;
            // One with another length could cost more than the release was reckoned to, or never be released.
            let fits = parse_condition(&condition.0)
                .is_ok_and(|condition| usize::try_from(condition.cost) == Ok(PREIMAGE_BYTES));
            if fits { Ok(condition) } else { Err(unfit("its condition is not one of both parts")) }
        })
    }

    fn known(&self, inputs: ReleaseInputs, first: [u8; 32]) -> Reply<Result<HexBytes, GuardRefusal>> {
        let client = self.clone();
        Box::pin(async move {
            let terms = Terms::of(&inputs, first, client.network_id);
            let ConditionAnswer { condition } = client.post("/v1/conditions/known", &terms).await?;
            Ok(condition)
        })
    }

    fn share(&self, inputs: ReleaseInputs, first: [u8; 32]) -> Reply<Result<Share, GuardRefusal>> {
        let client = self.clone();
        Box::pin(async move {
            let terms = Terms::of(&inputs, first, client.network_id);
            let answer: ShareAnswer = client.post("/v1/shares", &terms).await?;
            let bytes =
                answer.share.0.as_slice().try_into().map_err(|_| unfit("its share is not 32 bytes"))?;
            Ok(Share::new(bytes))
        })
    }
}

/// Codes are shown and logged, so they are words.
fn is_code(code: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    (1..=64).contains(&code.len()) && code.chars().all(is_word)
}

fn silent(code: &str, reason: impl fmt::Display) -> GuardRefusal {
    crate::driver::silent(code, reason.to_string())
}

fn unfit(reason: &str) -> GuardRefusal {
    GuardRefusal { code: "guard_unfit".to_owned(), reason: reason.to_owned(), answered: true }
}
