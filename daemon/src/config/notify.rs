//! Telling people: channels, routes and reminders.

mod mail;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use treasury_api::notice::{Kind, Severity};

use self::mail::Addresses;
use super::parties::Parties;
use super::reader::Section;
use super::{matchers, value};
use crate::notify::channel::{self, Channel, Form};
use crate::notify::post::Receiver;
use crate::notify::when::{BATCH_SECONDS_MAX, Batch};
use crate::notify::{Escalation, NotifyConfig, REMIND_SECONDS, Route};
use crate::trust::Trust;

/// Reminding more often than this wakes nobody and annoys everybody.
const REMIND_LEAST_SECONDS: u32 = 900;

/// Whom an alert can go on to, one after the other.
const STEPS_MAX: usize = 10;

/// Each notice is kept together with every channel that it goes to, in one change of the outbox, which is bounded.
const CHANNELS_MAX: usize = 40;

/// A notice may begin an alert for each list of people that it goes on to, and is kept together with these, too.
const LISTS_MAX: usize = 40;

/// What `notify.remind` says where nobody is to be reminded.
const NEVER: &str = "never";

/// Reads all of it. `console` is what people type into their browser.
pub(super) fn read(
    root: &Section<'_>,
    parties: &Parties,
    base_dir: &Path,
    console: Option<String>,
) -> NotifyConfig {
    let channels = channels(root, base_dir);
    let names: BTreeSet<String> = channels.iter().map(|channel| channel.name.clone()).collect();
    let sections = root.sections("route");
    let read = |section: &Section<'_>| route(section, parties, &names);
    // Every one is looked at before those that are wrong are left out.
    let routes: Vec<Option<Route>> = sections.iter().map(read).collect();
    few_lists(&sections, &routes);
    let routes = routes.into_iter().flatten().collect();
    NotifyConfig { channels, routes, remind_seconds: remind(root), console, instance: instance(root) }
}

/// Two routes with the same list are one alert of the same matter.
fn few_lists(sections: &[Section<'_>], routes: &[Option<Route>]) {
    let mut lists: BTreeSet<&[String]> = BTreeSet::new();
    for (section, route) in sections.iter().zip(routes) {
        let Some(escalation) = route.as_ref().and_then(|route| route.escalation.as_ref()) else { continue };
        lists.insert(&escalation.to);
        if lists.len() > LISTS_MAX {
            section.wrong(
                "escalate_to",
                format!(
                    "is list {} of whom notices go on to: a notice is kept with all of its alerts at once",
                    lists.len()
                ),
                "have at most 40 different lists; let routes share one, or let a channel be a group",
            );
            return;
        }
    }
}

fn instance(root: &Section<'_>) -> Option<String> {
    root.section("notify")?.text("instance", value::name).map(|name| name.value)
}

fn remind(root: &Section<'_>) -> u32 {
    let Some(section) = root.section("notify") else { return REMIND_SECONDS };
    let parse = |text: &str| if text == NEVER { Ok(0) } else { value::duration(text) };
    let Some(every) = section.text("remind", parse) else { return REMIND_SECONDS };
    if every.value > 0 && every.value < REMIND_LEAST_SECONDS {
        section.blame(&every, "is too often", "write at least \"15m\", or \"never\"");
    }
    every.value
}

fn channels(root: &Section<'_>, base_dir: &Path) -> Vec<Channel> {
    let addresses = mail::addresses(root);
    let mut names = BTreeSet::new();
    let sections = root.sections("channel");
    if sections.len() > CHANNELS_MAX {
        root.wrong(
            "channel",
            format!("is there {} times: a notice is kept with all of its channels at once", sections.len()),
            "declare at most 40 channels; let one of them be a group, a list of addresses or a relay",
        );
    }
    let channels = sections.iter().map(|section| {
        let channel = channel(section, base_dir, &addresses);
        if let Some(name) = section.text("name", value::name)
            && !names.insert(name.value.clone())
        {
            section.blame(
                &name,
                format!("\"{}\" is taken", name.value),
                "choose another name for the channel",
            );
        }
        channel
    });
    // Every one is looked at before those that are wrong are left out.
    channels.collect::<Vec<_>>().into_iter().flatten().collect()
}

/// Which form has which keys beside `url`, `url_file` and those of every form.
const KEYS: [(&str, &[&str]); 11] = [
    ("secrets_file", &["webhook"]),
    ("room", &["matrix"]),
    ("token_file", &["matrix", "alertmanager"]),
    ("server", &["email"]),
    ("port", &["email"]),
    ("tls", &["email"]),
    ("user", &["email"]),
    ("password_file", &["email"]),
    ("from", &["email"]),
    ("to", &["email"]),
    ("batch", &["slack", "teams", "matrix", "email"]),
];

const FORMS: [&str; 6] = ["webhook", "slack", "teams", "matrix", "email", "alertmanager"];

fn channel(section: &Section<'_>, base_dir: &Path, addresses: &Addresses) -> Option<Channel> {
    let name = section.required("name", value::name);
    let trust = section.text("ca_file", |text| Trust::read(&base_dir.join(text)));
    let allow_private = section.flag("allow_private");
    let may_be_private = allow_private.as_ref().is_some_and(|allowed| allowed.value);
    let trusted = trust.as_ref().map(|trust| trust.value.clone());
    let word = word(section);
    let batch = batch(section);
    let reached = match word.as_deref() {
        None => None,
        Some("email") => mail::read(section, base_dir, addresses, trusted, may_be_private),
        Some(word) => {
            let form = form(section, base_dir, word);
            let receiver = receiver(section, base_dir, trusted, may_be_private);
            receiver.zip(form)
        }
    };
    let right =
        section.has("ca_file") == trust.is_some() && section.has("allow_private") == allow_private.is_some();
    let (receiver, form) = reached.filter(|_| right)?;
    let channel = Channel { name: name?.value, receiver, form, batch };
    if let Err(what) = channel.check() {
        let key = match channel.form {
            Form::Matrix { .. } | Form::Alertmanager { .. } => "token_file",
            Form::Email(_) => "password_file",
            _ => "secrets_file",
        };
        section.wrong(key, what, "see docs/how-to/notifications.md");
    }
    Some(channel)
}

/// The form, where it is one, and nothing is said that belongs to another.
fn word(section: &Section<'_>) -> Option<String> {
    let word = section.text("form", |text| {
        if FORMS.contains(&text) {
            Ok(text.to_owned())
        } else {
            Err(format!("\"{text}\" is not a form; one of {}", FORMS.join(", ")))
        }
    });
    if section.has("form") && word.is_none() {
        return None;
    }
    let word = word.map_or_else(|| "webhook".to_owned(), |word| word.value);
    for (key, of) in KEYS {
        if section.has(key) && !of.contains(&word.as_str()) {
            let what = match of {
                [one] => format!("belongs to the form {one}"),
                several => format!("belongs to the forms {}", several.join(", ")),
            };
            section.wrong(key, what, "leave it out");
        }
    }
    for key in ["url", "url_file"] {
        if section.has(key) && word == "email" {
            section.wrong(key, "belongs to every form but email", "write `server` for a mail server");
        }
    }
    Some(word)
}

fn batch(section: &Section<'_>) -> Option<Batch> {
    let period = section.text("batch", value::duration);
    let below = section.text("batch_below", severity);
    if section.has("batch_below") && !section.has("batch") {
        section.wrong(
            "batch_below",
            "says nothing without `batch`",
            "write `batch = \"15m\"`, or leave it out",
        );
    }
    let period = period?;
    if !(60..=BATCH_SECONDS_MAX).contains(&period.value) {
        section.blame(&period, "is too short or too long", "write \"1m\" to \"24h\"");
    }
    let below = below.map_or(Severity::Critical, |below| below.value);
    Some(Batch { period_seconds: period.value, below })
}

fn receiver(
    section: &Section<'_>,
    base_dir: &Path,
    trust: Option<Trust>,
    allow_private: bool,
) -> Option<Receiver> {
    let parse = |text: &str| Receiver::parse(text, trust.clone(), allow_private);
    match (section.has("url"), section.has("url_file")) {
        (true, true) => {
            section.wrong("url_file", "names an address, and so does `url`", "leave one of them out");
            None
        }
        (false, true) => {
            let from_file = |text: &str| {
                let text = channel::read(&base_dir.join(text))?;
                let line = SecretString::from(text.lines().next().unwrap_or_default());
                parse(line.expose_secret()).map_err(|what| format!("the address in it {what}"))
            };
            section.text("url_file", from_file).map(|receiver| receiver.value)
        }
        _ => section.required("url", parse).map(|receiver| receiver.value),
    }
}

fn form(section: &Section<'_>, base_dir: &Path, word: &str) -> Option<Form> {
    let path = |text: &str| path(base_dir, text);
    match word {
        "slack" => Some(Form::Slack),
        "teams" => Some(Form::Teams),
        "matrix" => {
            let room = section.required("room", |text| match text {
                "" => Err("is empty".to_owned()),
                text => Ok(text.to_owned()),
            });
            let token_file = section.required("token_file", path);
            Some(Form::Matrix { room: room?.value, token_file: token_file?.value })
        }
        "alertmanager" => {
            let token_file = section.text("token_file", path).map(|file| file.value);
            (section.has("token_file") == token_file.is_some()).then_some(Form::Alertmanager { token_file })
        }
        _ => Some(Form::Webhook { secrets_file: section.required("secrets_file", path)?.value }),
    }
}

fn path(base_dir: &Path, text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("the path is empty".to_owned()) } else { Ok(base_dir.join(text)) }
}

fn severity(text: &str) -> Result<Severity, String> {
    let wrong = || format!("\"{text}\" is not a severity; one of info, warning, critical");
    Severity::of(text).ok_or_else(wrong)
}

fn route(section: &Section<'_>, parties: &Parties, names: &BTreeSet<String>) -> Option<Route> {
    if !section.has("channels") {
        section.missing("channels");
    }
    let named = |text: &str| {
        if names.contains(text) {
            Ok(text.to_owned())
        } else {
            Err(format!("there is no channel \"{text}\""))
        }
    };
    let channels = section.texts("channels", named);
    let kinds = section.texts("kinds", |text| {
        Kind::of(text).ok_or_else(|| format!("\"{text}\" is not a kind of notice; the reference lists them"))
    });
    let severity = section.text("severity", severity);
    let accounts = section.texts("accounts", |text| parties.resolve_account(text));
    let signers = section.texts("signers", |text| {
        let is_signer = parties.people.get(text).is_some_and(|person| person.signer.is_some());
        if is_signer { Ok(text.to_owned()) } else { Err(format!("\"{text}\" is not a person who signs")) }
    });
    let people = section.texts("people", |text| parties.resolve_person(text));
    let amount_above = section.text("amount_above", value::any_amount);
    for key in ["channels", "kinds", "accounts", "signers", "people"] {
        if section.is_empty_list(key) {
            section.wrong(
                key,
                "an empty list matches nothing",
                "name something, or leave the key or the route out",
            );
        }
    }
    Some(Route {
        channels: channels?.into_iter().map(|channel| channel.value).collect(),
        kinds: kinds.map(|kinds| kinds.into_iter().map(|kind| kind.value).collect()),
        severity: severity.map_or(Severity::Info, |severity| severity.value),
        accounts: accounts
            .map(|accounts| accounts.into_iter().map(|account| account.value.to_string()).collect()),
        signers: signers.map(|signers| signers.into_iter().map(|signer| signer.value).collect()),
        people: people.map(|people| people.into_iter().map(|person| person.value).collect()),
        amount_above: amount_above.map(|amount| amount.value),
        quiet: section
            .inner("quiet", &["zone", "hours", "weekdays"])
            .and_then(|inner| matchers::times_of(&inner)),
        escalation: escalation(section, named),
    })
}

fn escalation(section: &Section<'_>, named: impl Fn(&str) -> Result<String, String>) -> Option<Escalation> {
    let after = section.text("escalate_after", value::duration);
    let to = section.texts("escalate_to", named);
    for (key, other) in [("escalate_after", "escalate_to"), ("escalate_to", "escalate_after")] {
        if section.has(key) && !section.has(other) {
            section.wrong(key, format!("says nothing without `{other}`"), "write both, or neither");
        }
    }
    let (after, to) = (after?, to?);
    if !(60..=86_400).contains(&after.value) {
        section.blame(&after, "is too short or too long", "write \"1m\" to \"24h\"");
    }
    if to.is_empty() || to.len() > STEPS_MAX {
        section.wrong("escalate_to", format!("has {} entries", to.len()), "name 1 to 10 channels");
    }
    Some(Escalation { after_seconds: after.value, to: to.into_iter().map(|channel| channel.value).collect() })
}

#[cfg(test)]
mod tests;
