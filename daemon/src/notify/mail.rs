//! Notices as e-mail: what a letter says, and who gets it.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use askama::Template;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use secrecy::SecretString;
use treasury_api::notice::Severity;
use treasury_api::types::Notice;
use url::Host;

use super::channel;
use super::post::PostError;
use super::smtp::{Letter, Tls};

/// The longest subject: what a telephone shows of one, twice.
const SUBJECT_CHARS_MAX: usize = 120;

/// How mail is sent, by whom, and to whom. Its `Debug` shows no address of a person.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    pub(crate) tls: Tls,
    /// A user, and the file of the password.
    pub(crate) login: Option<(String, PathBuf)>,
    pub(crate) from: Mailbox,
    pub(crate) to: Vec<Mailbox>,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("host", &self.host).field("tls", &self.tls).finish_non_exhaustive()
    }
}

/// What is known of a transaction, in rows.
struct Row {
    name: &'static str,
    value: String,
}

/// One notice of a letter.
struct Told<'a> {
    notice: &'a Notice,
    rows: Vec<Row>,
    colour: &'static str,
}

impl<'a> Told<'a> {
    fn of(notice: &'a Notice) -> Self {
        Self { notice, rows: rows(notice), colour: colour(notice.severity) }
    }
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Page<'a> {
    subject: &'a str,
    channel: &'a str,
    told: &'a [Told<'a>],
}

impl Mail {
    /// The password, where there is one. It is read for each letter: it changes while a daemon runs.
    ///
    /// # Errors
    /// What is wrong with its file, in words that do not quote it.
    pub(super) fn password(&self) -> Result<Option<(String, SecretString)>, String> {
        let read = |(user, file): &(String, PathBuf)| Ok((user.clone(), channel::token(file)?));
        self.login.as_ref().map(read).transpose()
    }

    /// The letter that carries notices, under an id by which a mailbox knows a repetition.
    pub(super) fn letter(
        &self,
        channel: &str,
        notices: &[Notice],
        id: &str,
        unix_seconds: u64,
    ) -> Result<Letter, PostError> {
        let login = self.password().map_err(PostError::Secret)?;
        let message = self.message(channel, notices, id, unix_seconds).ok_or(PostError::BadRequest)?;
        Ok(Letter {
            host: self.host.clone(),
            port: self.port,
            tls: self.tls,
            login,
            from: self.from.email.clone(),
            to: self.to.iter().map(|mailbox| mailbox.email.clone()).collect(),
            message: message.formatted(),
        })
    }

    /// How many bytes the letter has that carries them.
    pub(super) fn size(&self, channel: &str, notices: &[Notice]) -> usize {
        // As long as an id of several.
        let id = "b-00000000000000000000000000000000";
        self.message(channel, notices, id, 0).map_or(0, |message| message.formatted().len())
    }

    fn message(&self, channel: &str, notices: &[Notice], id: &str, unix_seconds: u64) -> Option<Message> {
        let told: Vec<Told<'_>> = notices.iter().map(Told::of).collect();
        let subject = subject(notices)?;
        let html = Page { subject: &subject, channel, told: &told }.render().ok()?;
        let domain = self.from.email.domain();
        let date = UNIX_EPOCH.checked_add(Duration::from_secs(unix_seconds))?;
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(subject)
            .date(date)
            .message_id(Some(format!("<{}@{domain}>", token(id))))
            // Nobody's holiday notice answers it.
            .raw_header(raw("Auto-Submitted", "auto-generated"));
        for mailbox in &self.to {
            builder = builder.to(mailbox.clone());
        }
        // What is told of one payment stands together in a mailbox.
        if let [notice] = notices
            && let Some(thread) = thread(notice)
        {
            builder = builder.references(format!("<{thread}@{domain}>"));
        }
        builder.multipart(MultiPart::alternative_plain_html(text(channel, &told), html)).ok()
    }
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// What an id of a message may hold.
fn token(id: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    id.chars().map(|letter| if plain(letter) { letter } else { '-' }).collect()
}

/// What a notice is about, under the series that its numbers are of.
fn thread(notice: &Notice) -> Option<String> {
    let about = [&notice.proposal, &notice.escrow, &notice.finding, &notice.stop];
    let about = about.into_iter().flatten().next()?;
    Some(token(&format!("{about}.{}", notice.id.split('-').nth(1)?)))
}

/// Severity, what it is about, and how much is at stake, on one line without control characters.
fn subject(notices: &[Notice]) -> Option<String> {
    let severity = notices.iter().map(|notice| notice.severity).max()?;
    let said = match notices {
        [notice] => {
            let about = [&notice.proposal, &notice.finding, &notice.stop, &notice.escrow];
            let about = about.into_iter().flatten().next().map(|id| format!("{id}: ")).unwrap_or_default();
            let kind = notice.kind.word().replace('_', " ");
            let amount = notice.amount.as_ref().map(|amount| format!(", {}", amount.words()));
            let from = notice.account.as_ref().map(|account| format!(", {}", account.short()));
            let to = notice.destination.as_ref().map(|account| format!(" to {}", account.short()));
            [Some(format!("{about}{kind}")), amount, from, to].into_iter().flatten().collect()
        }
        several => format!("{} notices", several.len()),
    };
    let line = format!("[{severity}] {said}");
    let clean = line.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    Some(clean.take(SUBJECT_CHARS_MAX).collect())
}

fn rows(notice: &Notice) -> Vec<Row> {
    let row = |name, value: Option<String>| value.map(|value| Row { name, value });
    let signers = (!notice.signers.is_empty()).then(|| notice.signers.join(", "));
    [
        row("Account", notice.account.as_ref().map(|account| account.whole())),
        row("Destination", notice.destination.as_ref().map(|account| account.whole())),
        row("Amount", notice.amount.as_ref().map(|amount| amount.words())),
        row("Proposal", notice.proposal.clone()),
        row("Escrow", notice.escrow.clone()),
        row("Finding", notice.finding.clone()),
        row("Stop", notice.stop.clone()),
        row("Deadline", notice.deadline.as_ref().map(|at| format!("{at}, by the ledger's clock"))),
        row("Can still sign", signers),
        row("For", (!notice.people.is_empty()).then(|| notice.people.join(", "))),
        row(
            "Ledger",
            notice.ledger.as_ref().map(|ledger| format!("{} of {}", ledger.index, ledger.close_time)),
        ),
        row("Told", Some(notice.timestamp.clone())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn text(channel: &str, told: &[Told<'_>]) -> String {
    let parts = told.iter().map(|told| {
        let mut lines = vec![format!("[{}] {}", told.notice.severity, told.notice.says), String::new()];
        lines.extend(told.rows.iter().map(|row| format!("{}: {}", row.name, row.value)));
        if !told.notice.can_do.is_empty() {
            lines.push(String::new());
        }
        lines.extend(told.notice.can_do.iter().cloned());
        lines.extend(told.notice.link.clone());
        lines.join("\r\n")
    });
    let parts: Vec<String> = parts.collect();
    format!(
        "{}\r\n\r\n-- \r\ntreasuryd, through its channel {channel}. Nobody can act by answering this.\r\n",
        parts.join("\r\n\r\n----------------------------------------\r\n\r\n")
    )
}

/// The colour of a severity, dark enough to be read on white.
fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "#33506b",
        Severity::Warning => "#8a5300",
        Severity::Critical => "#a4161a",
    }
}

#[cfg(test)]
mod tests;
