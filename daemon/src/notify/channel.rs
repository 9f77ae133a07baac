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

use super::mail::Mail;
use super::post::{Parcel, PostError, Receiver, Request};
use super::sign;
use super::when::Batch;
use super::{alertmanager, bounds};
use crate::private::{self, ReadError};

/// Where notices go.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Its name.
    pub name: String,
    pub(crate) receiver: Receiver,
    pub(crate) form: Form,
    /// What is gathered into one message; `None`: each notice is a message of its own.
    pub(crate) batch: Option<Batch>,
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
    /// An e-mail.
    Email(Mail),
    /// An alert for Prometheus's Alertmanager, sent with the token of this file where there is one.
    Alertmanager { token_file: Option<PathBuf> },
}

impl Form {
    /// The word of the configuration.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Matrix { .. } => "matrix",
            Self::Email(_) => "email",
            Self::Alertmanager { .. } => "alertmanager",
        }
    }
}

impl Form {
    /// The body of a message that says this of these notices, where it is one for a chat.
    pub(super) fn says(&self, text: &str, notices: &[Notice]) -> Option<Value> {
        match self {
            Self::Slack => Some(slack(text)),
            Self::Teams => Some(teams(text, notices)),
            Self::Matrix { .. } => Some(matrix(text)),
            Self::Webhook { .. } | Self::Email(_) | Self::Alertmanager { .. } => None,
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
            Form::Matrix { token_file, .. } | Form::Alertmanager { token_file: Some(token_file) } => {
                token(token_file).map(drop)
            }
            Form::Email(mail) => mail.password().map(drop),
            Form::Slack | Form::Teams | Form::Alertmanager { token_file: None } => Ok(()),
        }
    }

    /// What carries notices under this id. Secrets are read for each: they change while a daemon runs. Only the forms for
    /// people carry several. `known_by` are the labels of an Alertmanager's alerts.
    pub(super) fn parcel(
        &self,
        notices: &[Notice],
        id: &str,
        unix_seconds: u64,
        known_by: &[Value],
    ) -> Result<Parcel, PostError> {
        let url = self.receiver.url()?;
        let post = |url: Url, body: &Value, headers| {
            Ok(Parcel::Request(Request { method: Method::POST, url, headers, body: bytes(body)? }))
        };
        let first = notices.first().ok_or(PostError::BadRequest)?;
        let chat = |form, notices| bounds::chat(form, notices).ok_or(PostError::BadRequest);
        match &self.form {
            Form::Webhook { secrets_file } => webhook(secrets_file, url, first, unix_seconds),
            Form::Slack | Form::Teams => post(url, &chat(&self.form, notices)?, Vec::new()),
            Form::Matrix { room, token_file } => Ok(Parcel::Request(Request {
                method: Method::PUT,
                url: matrix_url(url, room, id)?,
                headers: vec![bearer(token_file)?],
                body: bytes(&chat(&self.form, notices)?)?,
            })),
            Form::Alertmanager { token_file } => {
                let headers = token_file.as_deref().map(bearer).transpose()?;
                post(
                    alertmanager::address(url)?,
                    &alertmanager::body(first, known_by),
                    headers.into_iter().collect(),
                )
            }
            Form::Email(mail) => mail.letter(&self.name, notices, id, unix_seconds).map(Parcel::Letter),
        }
    }
}

fn webhook(secrets_file: &Path, url: Url, notice: &Notice, unix_seconds: u64) -> Result<Parcel, PostError> {
    let body = notice.document().map_err(|_| PostError::BadRequest)?.into_bytes();
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
    Ok(Parcel::Request(Request { method: Method::POST, url, headers, body }))
}

fn bearer(token_file: &Path) -> Result<(HeaderName, SecretString), PostError> {
    let token = token(token_file).map_err(PostError::Secret)?;
    Ok((AUTHORIZATION, SecretString::from(format!("Bearer {}", token.expose_secret()))))
}

/// What several notices say, one under the other.
pub(super) fn text(notices: &[Notice]) -> String {
    let texts: Vec<String> = notices.iter().map(Notice::text).collect();
    match texts.len() {
        0 | 1 => texts.concat(),
        several => format!("{several} notices:\n\n{}", texts.join("\n\n")),
    }
}

fn bytes(body: &Value) -> Result<Vec<u8>, PostError> {
    serde_json::to_vec(body).map_err(|_| PostError::BadRequest)
}

/// What people wrote must not become a link, a mention or a heading of the message.
fn slack(text: &str) -> Value {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({ "text": text, "mrkdwn": false, "unfurl_links": false })
}

/// A card of text runs, in which nothing is markup.
fn teams(text: &str, notices: &[Notice]) -> Value {
    let lines: Vec<Value> = text
        .lines()
        .map(|line| json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": line }] }))
        .collect();
    // In a text run an address is no link.
    let links: Vec<Value> = notices
        .iter()
        .filter_map(|notice| notice.link.as_ref())
        .take(TEAMS_LINKS_MAX)
        .map(|link| json!({ "type": "Action.OpenUrl", "title": "Open in the console", "url": link }))
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
                "actions": links,
            },
        }],
    })
}

/// More than these are not shown on a card.
const TEAMS_LINKS_MAX: usize = 6;

/// With whom it mentions, which is nobody: without that, a room's server looks for `@room` and for names in the text (MSC3952,
/// Matrix 1.7).
fn matrix(text: &str) -> Value {
    json!({ "msgtype": "m.text", "body": text, "m.mentions": {} })
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

/// The first line of a file of a secret.
pub(super) fn token(path: &Path) -> Result<SecretString, String> {
    let text = read(path)?;
    match text.lines().next().map(str::trim) {
        None | Some("") => Err(format!("{} has nothing on its first line", path.display())),
        Some(line) => Ok(SecretString::from(line)),
    }
}

/// A file that only its owner may read.
pub(crate) fn read(path: &Path) -> Result<zeroize::Zeroizing<String>, String> {
    let shown = path.display();
    private::read_file(path).map_err(|error| match error {
        ReadError::Exposed => {
            format!("{shown} can be read by others than its owner; make it yours alone: chmod 600 {shown}")
        }
        ReadError::Io(error) => format!("{shown} cannot be read: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use treasury_api::notice::{Kind, Severity};

    use super::*;

    fn notice() -> Notice {
        let says = "<!channel> [click](http://evil) & more".to_owned();
        Notice::new("n-1".to_owned(), Kind::Test, Severity::Info, "2026-01-01T00:00:00Z".to_owned(), says)
    }

    #[test]
    fn what_people_wrote_is_no_markup_in_any_chat() {
        let text = slack(&notice().text())["text"].as_str().unwrap().to_owned();
        assert!(text.contains("&lt;!channel&gt;") && !text.contains('<'), "{text}");
        let card = teams(&notice().text(), &[notice()]);
        let block = &card["attachments"][0]["content"]["body"][0];
        assert_eq!(block["type"], "RichTextBlock");
        assert!(block["inlines"][0]["text"].as_str().unwrap().contains("[click]"));
        assert_eq!(matrix(&notice().text())["msgtype"], "m.text");
        assert!(matrix(&notice().text()).get("formatted_body").is_none());
        // Without it, `@room` in a reason rings with everybody who is in the room.
        assert_eq!(matrix("out, @room")["m.mentions"], json!({}));
    }

    #[test]
    fn several_notices_are_one_message_with_their_links() {
        let link = "https://treasury.example/console/proposals/P1".to_owned();
        let with_link = Notice { link: Some(link.clone()), ..notice() };
        let said = text(&[with_link.clone(), notice()]);
        assert!(said.starts_with("2 notices:\n\n[info] <!channel>"), "{said}");
        assert!(said.contains(&link) && !text(&[notice()]).contains("notices:"), "{said}");
        let card = &teams(&said, &[with_link, notice()])["attachments"][0]["content"];
        assert_eq!(
            card["actions"],
            json!([{ "type": "Action.OpenUrl", "title": "Open in the console", "url": link }])
        );
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
