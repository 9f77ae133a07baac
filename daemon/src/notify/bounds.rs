//! How much of a message a receiver takes, by form. What is more goes in the next message; and a notice that is longer than a
//! whole one is cut, and says so, for a receiver that refuses it would refuse it every time.

use serde_json::Value;
use treasury_api::types::Notice;

use super::channel::{Channel, Form, text};

/// What is counted of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// The letters of its text, as they are sent.
    Letters,
    /// Its body in UTF-16, in units of two bytes.
    Units,
    /// All of it in bytes.
    Bytes,
}

/// The most that a form's receivers take.
#[derive(Clone, Copy, Debug)]
struct Bound {
    form: &'static str,
    most: usize,
    of: Of,
}

/// The table. What is not in it carries one notice, as a document for a program.
const BOUNDS: [Bound; 4] = [
    // Slack's `chat.postMessage`: a text is to have no more than 4,000 letters; a longer one comes in pieces that part words, and
    // what is beyond 40,000 is left out without a word. Blocks, of which there can be 50 with 3,000 letters each, are not sent.
    Bound { form: "slack", most: 4_000, of: Of::Letters },
    // Teams takes 28 KB of a message (28,672 bytes, its error says), and counts them after it has put it into its own form: a card
    // of 24,453 bytes had 28,897 (MicrosoftDocs/msteams-docs, issue 11274), and in UTF-16 where the request's type does not say
    // otherwise, so that 14,000 letters were the most. A seventh less.
    Bound { form: "teams", most: 12_000, of: Of::Units },
    // Matrix's client-server API, size limits: 65,536 bytes of a whole event, with what the server puts around what is sent.
    Bound { form: "matrix", most: 60_000, of: Of::Bytes },
    // RFC 5321, 4.5.3.1.7: every mail server takes 64 kilobytes, and many a good deal more.
    Bound { form: "email", most: 65_536, of: Of::Bytes },
];

/// What stands below a notice that is cut.
const CUT: &str =
    "(Cut here: this channel takes no more in one message. `treasuryctl deliveries list` has all of it.)";

impl Bound {
    fn of(form: &Form) -> Option<&'static Self> {
        BOUNDS.iter().find(|bound| bound.form == form.word())
    }

    fn takes(&self, body: &Value) -> bool {
        let size = match self.of {
            Of::Letters => body.get("text").and_then(Value::as_str).unwrap_or_default().chars().count(),
            Of::Units => body.to_string().encode_utf16().count(),
            Of::Bytes => body.to_string().len(),
        };
        size <= self.most
    }
}

impl Channel {
    /// Whether the receiver takes these in one message.
    pub(super) fn takes(&self, notices: &[Notice]) -> bool {
        let Some(bound) = Bound::of(&self.form) else { return notices.len() <= 1 };
        match &self.form {
            Form::Email(mail) => mail.size(&self.name, notices) <= bound.most,
            form => form.says(&text(notices), notices).is_none_or(|body| bound.takes(&body)),
        }
    }
}

/// The body of a message for a chat, cut where even one notice is more than it takes; `None`: another form.
pub(super) fn chat(form: &Form, notices: &[Notice]) -> Option<Value> {
    let whole = text(notices);
    let body = form.says(&whole, notices)?;
    let Some(bound) = Bound::of(form).filter(|bound| !bound.takes(&body)) else { return Some(body) };
    let link = notices.first().and_then(|notice| notice.link.as_ref());
    let cut = |letters: usize| {
        let begin: String = whole.chars().take(letters).collect();
        let below = link.map_or_else(String::new, |link| format!("\n{link}"));
        form.says(&format!("{begin}…\n{CUT}{below}"), notices)
    };
    // The most letters that fit: with each further one the body is longer.
    let (mut fits, mut too_many) = (0, whole.chars().count());
    while too_many.saturating_sub(fits) > 1 {
        let middle = fits.midpoint(too_many);
        if cut(middle).is_some_and(|body| bound.takes(&body)) {
            fits = middle;
        } else {
            too_many = middle;
        }
    }
    cut(fits)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use treasury_api::notice::{Kind, Severity};

    use super::*;

    fn long(letters: &str, times: usize) -> Notice {
        let says = letters.repeat(times);
        let time = "2026-01-01T00:00:00Z".to_owned();
        let mut notice = Notice::new("n-1".to_owned(), Kind::PolicyCandidate, Severity::Warning, time, says);
        notice.link = Some("https://treasury.example/console/policy".to_owned());
        notice
    }

    /// Danger: one long notice is refused by the chat, again and again, and nobody reads even its beginning.
    #[test]
    fn a_notice_that_is_longer_than_a_message_is_cut_to_fit_and_says_so() {
        let matrix = Form::Matrix { room: "!a:b".to_owned(), token_file: PathBuf::new() };
        for (form, most) in [(Form::Slack, 4_000), (Form::Teams, 12_000), (matrix, 60_000)] {
            for letters in ["word ", "\"&<>", "ä\u{1f600}", "a line\n"] {
                let body = chat(&form, &[long(letters, 20_000)]).unwrap();
                let size = match form {
                    Form::Slack => body["text"].as_str().unwrap().chars().count(),
                    Form::Teams => body.to_string().encode_utf16().count(),
                    _ => body.to_string().len(),
                };
                assert!((most * 9 / 10..=most).contains(&size), "{form:?} {letters:?}: {size}");
                let said = body.to_string();
                assert!(said.contains("Cut here") && said.contains("/console/policy"), "{form:?}");
            }
            let short = chat(&form, &[long("word ", 10)]).unwrap().to_string();
            assert!(!short.contains("Cut here"), "{short}");
        }
        assert_eq!(chat(&Form::Alertmanager { token_file: None }, &[long("word ", 10)]), None);
    }
}
