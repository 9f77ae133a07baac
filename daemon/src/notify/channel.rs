//! Channels: where notices go, in what form, and with which secrets.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Method;
use hyper::header::{AUTHORIZATION, HeaderName};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use treasury_api::types::Notice;
use url::Url;

use super::post::{PostError, Receiver, Request};
use super::sign;
use crate::private::{self, ReadError};

/// Where notices go.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Its name.
    pub name: String,
    pub(crate) receiver: Receiver,
    pub(crate) form: Form,
}

/// In what form.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// The notice itself, signed by the Standard Webhooks convention with the secrets of this file.
    Webhook { secrets_file: PathBuf },
    /// A message for an incoming webhook of Slack.
    Slack,
    /// A card for a workflow of Microsoft Teams.
    Teams,
    /// A message for a room of Matrix, sent with the token of this file.
    Matrix { room: String, token_file: PathBuf },
}

impl Form {
    /// The word of the configuration.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Matrix { .. } => "matrix",
        }
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Channel {
    /// What its receiver is, as far as that may be shown.
    #[must_use]
    pub fn label(&self) -> &str {
        self.receiver.label()
    }

    /// Whether its secrets can be read.
    ///
    /// # Errors
    /// What is wrong, in words that quote none.
    pub(crate) fn check(&self) -> Result<(), String> {
        match &self.form {
            Form::Webhook { secrets_file } => {
                read(secrets_file).and_then(|text| sign::secrets(&text)).map(drop)
            }
            Form::Matrix { token_file, .. } => token(token_file).map(drop),
            Form::Slack | Form::Teams => Ok(()),
        }
    }

    /// The request that carries a notice. Secrets are read for each: they change while a daemon runs.
    pub(super) fn request(&self, notice: &Notice, unix_seconds: u64) -> Result<Request, PostError> {
        let post = |body: &Value, headers| {
            Ok(Request { method: Method::POST, url: self.receiver.url()?, headers, body: bytes(body)? })
        };
        match &self.form {
            Form::Webhook { secrets_file } => {
                let body = serde_json::to_vec(notice).map_err(|_| PostError::BadRequest)?;
                let secrets = read(secrets_file).and_then(|text| sign::secrets(&text));
                let signature = secrets
                    .and_then(|secrets| sign::signature(&secrets, &notice.id, unix_seconds, &body))
                    .map_err(PostError::Secret)?;
                let header = |name, value: String| (HeaderName::from_static(name), SecretString::from(value));
                let headers = vec![
                    header("webhook-id", notice.id.clone()),
                    header("webhook-timestamp", unix_seconds.to_string()),
                    header("webhook-signature", signature),
                ];
                Ok(Request { method: Method::POST, url: self.receiver.url()?, headers, body })
            }
            Form::Slack => post(&slack(notice), Vec::new()),
            Form::Teams => post(&teams(notice), Vec::new()),
            Form::Matrix { room, token_file } => {
                let token = token(token_file).map_err(PostError::Secret)?;
                let bearer = SecretString::from(format!("Bearer {}", token.expose_secret()));
                Ok(Request {
                    method: Method::PUT,
                    url: matrix_url(self.receiver.url()?, room, &notice.id)?,
                    headers: vec![(AUTHORIZATION, bearer)],
                    body: bytes(&matrix(notice))?,
                })
            }
        }
    }
}

fn bytes(body: &Value) -> Result<Vec<u8>, PostError> {
    serde_json::to_vec(body).map_err(|_| PostError::BadRequest)
}

/// What people wrote must not become a link, a mention or a heading of the message.
fn slack(notice: &Notice) -> Value {
    let text = notice.text().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({ "text": text, "mrkdwn": false, "unfurl_links": false })
}

/// A card of text runs, in which nothing is markup.
fn teams(notice: &Notice) -> Value {
    let lines: Vec<Value> = notice
        .text()
        .lines()
        .map(|line| json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": line }] }))
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": lines,
            },
        }],
    })
}

fn matrix(notice: &Notice) -> Value {
    json!({ "msgtype": "m.text", "body": notice.text() })
}

/// Where a message is put: under the notice's id, so that the server itself takes it once.
fn matrix_url(mut url: Url, room: &str, id: &str) -> Result<Url, PostError> {
    let transaction = URL_SAFE_NO_PAD.encode(id);
    url.path_segments_mut().map_err(|()| PostError::BadRequest)?.pop_if_empty().extend([
        "_matrix",
        "client",
        "v3",
        "rooms",
        room,
        "send",
        "m.room.message",
        &transaction,
    ]);
    Ok(url)
}

fn token(path: &Path) -> Result<SecretString, String> {
    let text = read(path)?;
    match text.lines().next().map(str::trim) {
        None | Some("") => Err(format!("{} has nothing on its first line", path.display())),
        Some(line) => Ok(SecretString::from(line)),
    }
}

/// A file that only its owner may read.
pub(crate) fn read(path: &Path) -> Result<zeroize::Zeroizing<String>, String> {
    let shown = path.display();
    private::read_text(path).map_err(|error| match error {
        ReadError::Exposed => {
            format!("{shown} can be read by others than its owner; make it yours alone: chmod 600 {shown}")
        }
        ReadError::Io(error) => format!("{shown} cannot be read: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use treasury_api::notice::{Kind, Severity};

    fn notice() -> Notice {
        let says = "<!channel> [click](http://evil) & more".to_owned();
        Notice::new("n-1".to_owned(), Kind::Test, Severity::Info, "2026-01-01T00:00:00Z".to_owned(), says)
    }

    #[test]
    fn what_people_wrote_is_no_markup_in_any_chat() {
        let text = slack(&notice())["text"].as_str().unwrap().to_owned();
        assert!(text.contains("&lt;!channel&gt;") && !text.contains('<'), "{text}");
        let card = teams(&notice());
        let block = &card["attachments"][0]["content"]["body"][0];
        assert_eq!(block["type"], "RichTextBlock");
        assert!(block["inlines"][0]["text"].as_str().unwrap().contains("[click]"));
        assert_eq!(matrix(&notice())["msgtype"], "m.text");
        assert!(matrix(&notice()).get("formatted_body").is_none());
    }

    #[test]
    fn a_matrix_server_gets_a_notice_under_an_id_of_its_own() {
        let base = Url::parse("https://matrix.example/").unwrap();
        let url = matrix_url(base, "!room/x:example", "n-1").unwrap();
        assert_eq!(
            url.path(),
            format!(
                "/_matrix/client/v3/rooms/!room%2Fx:example/send/m.room.message/{}",
                URL_SAFE_NO_PAD.encode("n-1")
            )
        );
    }
}
