//! Telling people: channels, routes and reminders.

use std::collections::BTreeSet;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use treasury_api::notice::{Kind, Severity};

use super::parties::Parties;
use super::reader::Section;
use super::value;
use crate::notify::channel::{self, Channel, Form};
use crate::notify::post::Receiver;
use crate::notify::{NotifyConfig, REMIND_SECONDS, Route};
use crate::trust::Trust;

/// Reminding more often than this wakes nobody and annoys everybody.
const REMIND_LEAST_SECONDS: u32 = 900;

/// What `notify.remind` says where nobody is to be reminded.
const NEVER: &str = "never";

/// Reads all of it.
pub(super) fn read(root: &Section<'_>, parties: &Parties, base_dir: &Path) -> NotifyConfig {
    let channels = channels(root, base_dir);
    let names: BTreeSet<String> = channels.iter().map(|channel| channel.name.clone()).collect();
    let routes =
        root.sections("route").iter().filter_map(|section| route(section, parties, &names)).collect();
    NotifyConfig { channels, routes, remind_seconds: remind(root) }
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
    let mut names = BTreeSet::new();
    let sections = root.sections("channel");
    let channels = sections.iter().map(|section| {
        let channel = channel(section, base_dir);
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

fn channel(section: &Section<'_>, base_dir: &Path) -> Option<Channel> {
    let name = section.required("name", value::name);
    let trust = section.text("ca_file", |text| Trust::read(&base_dir.join(text)));
    let allow_private = section.flag("allow_private");
    let form = form(section, base_dir);
    let receiver = receiver(
        section,
        base_dir,
        trust.as_ref().map(|trust| trust.value.clone()),
        allow_private.as_ref().is_some_and(|allowed| allowed.value),
    );
    let right =
        section.has("ca_file") == trust.is_some() && section.has("allow_private") == allow_private.is_some();
    let channel = Channel { name: name?.value, receiver: receiver.filter(|_| right)?, form: form? };
    if let Err(what) = channel.check() {
        let key = if matches!(channel.form, Form::Matrix { .. }) { "token_file" } else { "secrets_file" };
        section.wrong(key, what, "see docs/how-to/notifications.md");
    }
    Some(channel)
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

fn form(section: &Section<'_>, base_dir: &Path) -> Option<Form> {
    let word = section.text("form", |text| {
        if ["webhook", "slack", "teams", "matrix"].contains(&text) {
            Ok(text.to_owned())
        } else {
            Err(format!("\"{text}\" is not a form; one of webhook, slack, teams, matrix"))
        }
    });
    if section.has("form") && word.is_none() {
        return None;
    }
    let word = word.map_or_else(|| "webhook".to_owned(), |word| word.value);
    let path = |text: &str| {
        if text.is_empty() { Err("the path is empty".to_owned()) } else { Ok(base_dir.join(text)) }
    };
    for (key, of) in [("secrets_file", "webhook"), ("room", "matrix"), ("token_file", "matrix")] {
        if section.has(key) && word != of {
            section.wrong(key, format!("belongs to the form {of}"), "leave it out");
        }
    }
    match word.as_str() {
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
        _ => Some(Form::Webhook { secrets_file: section.required("secrets_file", path)?.value }),
    }
}

fn route(section: &Section<'_>, parties: &Parties, names: &BTreeSet<String>) -> Option<Route> {
    if !section.has("channels") {
        section.missing("channels");
    }
    let channels = section.texts("channels", |text| {
        if names.contains(text) {
            Ok(text.to_owned())
        } else {
            Err(format!("there is no channel \"{text}\""))
        }
    });
    let kinds = section.texts("kinds", |text| {
        Kind::of(text).ok_or_else(|| format!("\"{text}\" is not a kind of notice; the reference lists them"))
    });
    let severity = section.text("severity", |text| {
        Severity::of(text)
            .ok_or_else(|| format!("\"{text}\" is not a severity; one of info, warning, critical"))
    });
    let accounts = section.texts("accounts", |text| parties.resolve_account(text));
    let signers = section.texts("signers", |text| {
        let is_signer = parties.people.get(text).is_some_and(|person| person.signer.is_some());
        if is_signer { Ok(text.to_owned()) } else { Err(format!("\"{text}\" is not a person who signs")) }
    });
    let amount_above = section.text("amount_above", value::any_amount);
    for (key, is_empty) in [
        ("channels", channels.as_ref().is_some_and(Vec::is_empty)),
        ("kinds", kinds.as_ref().is_some_and(Vec::is_empty)),
        ("accounts", accounts.as_ref().is_some_and(Vec::is_empty)),
        ("signers", signers.as_ref().is_some_and(Vec::is_empty)),
    ] {
        // A list whose every entry was wrong has been reported already; saying so again does no harm.
        if is_empty {
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
        amount_above: amount_above.map(|amount| amount.value),
    })
}

#[cfg(test)]
mod tests;
