//! Asks somebody else's program whether a destination may be paid: one request for each payment to a destination that is in
//! nobody's book, over a connection of our own (`notify::post`), bounded in time and size.
//!
//! Every answer that is not exactly what was asked for counts as none, and without one nothing leaves to a new destination.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::header::HeaderName;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use treasury_core::inquiry::Screening;
use treasury_core::policy::SCORE_MAX;
use treasury_core::units::AccountId;
use treasury_tools::text::clean;
use zeroize::Zeroizing;

use crate::apart::{Apart, READ_FOR};
use crate::notify::post::{Receiver, Request, Wire};
use crate::private;

/// The largest answer that is read.
const ANSWER_MAX_BYTES: usize = 16 * 1024;

/// The longest label or reference: what is longer is no answer.
const TEXT_MAX: usize = 128;

/// Who screens destinations.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreeningConfig {
    /// Its address.
    pub(crate) receiver: Receiver,
    /// A header that shows who asks, and the file of what stands in it, read for each request.
    pub header: Option<(HeaderName, PathBuf)>,
    /// How long an answer may take.
    pub patience: Duration,
}

/// Asks it.
#[derive(Clone)]
pub(crate) struct Screener {
    wire: Arc<Wire>,
    config: ScreeningConfig,
    /// Where the file of its secret is read.
    secrets: Apart,
}

impl std::fmt::Debug for Screener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screener").field("receiver", &self.config.receiver).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Question {
    version: u32,
    destination: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_tag: Option<u32>,
}

/// What is read of an answer. There may be more in it.
#[derive(Deserialize)]
struct Answer {
    /// Of whom it is: an answer to another question is none.
    destination: String,
    deny: bool,
    #[serde(default)]
    score: u8,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    reference: Option<String>,
}

impl Screener {
    pub(crate) fn new(config: ScreeningConfig) -> Self {
        Self { wire: Arc::new(Wire::patient(config.patience)), config, secrets: Apart::default() }
    }

    /// How long an answer may take.
    pub(crate) fn patience(&self) -> Duration {
        self.config.patience
    }

    /// What it says of a destination.
    pub(crate) async fn screen(&self, destination: AccountId, destination_tag: Option<u32>) -> Screening {
        let destination = destination.to_string();
        match self.ask(&Question { version: 1, destination, destination_tag }).await {
            Ok(screening) => screening,
            Err(why) => failed(why),
        }
    }

    async fn ask(&self, question: &Question) -> Result<Screening, String> {
        let mut headers = Vec::new();
        if let Some((name, path)) = self.config.header.clone() {
            let read = self.secrets.read(READ_FOR, move || private::read_file(&path)).await;
            let Ok(Ok(text)) = read else { return Err("its secret cannot be read".to_owned()) };
            let secret = Zeroizing::new(text.lines().next().unwrap_or_default().trim().to_owned());
            headers.push((name, SecretString::from(secret.as_str())));
        }
        let url = self.config.receiver.url().map_err(|error| error.to_string())?;
        let body = serde_json::to_vec(question).map_err(|_| "the question cannot be written".to_owned())?;
        let request = Request { method: Method::POST, url, headers, body };
        let asked = self.wire.exchange(&self.config.receiver, request, ANSWER_MAX_BYTES).await;
        let (status, body) = asked.map_err(|error| error.to_string())?;
        if status != 200 {
            return Err(format!("it answered with status {status}"));
        }
        read(&body, &question.destination)
    }
}

/// No answer.
pub(crate) fn failed(why: impl Into<String>) -> Screening {
    Screening::Failed { why: why.into() }
}

fn read(body: &[u8], destination: &str) -> Result<Screening, String> {
    let unfit = |what: &str| format!("its answer is none: {what}");
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| unfit("it is not JSON with `destination` and `deny`"))?;
    if answer.destination != destination {
        return Err(unfit("it is of another destination"));
    }
    if answer.score > SCORE_MAX {
        return Err(unfit("its score is above 100"));
    }
    let texts = [&answer.label, &answer.reference];
    if texts.into_iter().flatten().any(|text| text.is_empty() || text.len() > TEXT_MAX) {
        return Err(unfit("a text in it is empty, or longer than 128 bytes"));
    }
    let shown = |text: Option<String>| text.map(|text| clean(&text));
    let (label, reference) = (shown(answer.label), shown(answer.reference));
    Ok(Screening::Answered { deny: answer.deny, score: answer.score, label, reference })
}

#[cfg(test)]
pub(crate) mod tests;
