//! Channels of e-mail, and the addresses of people.

use std::collections::BTreeMap;
use std::path::Path;

use lettre::message::Mailbox;
use treasury_tools::value;
use url::Host;

use super::path;
use crate::config::reader::Section;
use crate::notify::channel::Form;
use crate::notify::mail::Mail;
use crate::notify::post::Receiver;
use crate::notify::smtp::Tls;
use crate::trust::Trust;

/// A letter to more than these is a newsletter.
const TO_MAX: usize = 50;

/// The addresses of people, by name.
pub(super) type Addresses = BTreeMap<String, Mailbox>;

pub(super) fn addresses(root: &Section<'_>) -> Addresses {
    let sections = root.sections("person");
    let address = |section: &Section<'_>| {
        let email = section.text("email", mailbox)?;
        Some((section.text("name", value::name)?.value, email.value))
    };
    sections.iter().filter_map(address).collect()
}

/// An address, with or without a name before it. What servers take that know nothing of other letters.
fn mailbox(text: &str) -> Result<Mailbox, String> {
    let wrong =
        || "is not an address; write it as \"ops@example.org\" or \"Treasury <ops@example.org>\"".to_owned();
    if !text.is_ascii() || text.chars().any(|letter| letter.is_control()) {
        return Err("has letters that are not of ASCII, which not every mail server takes".to_owned());
    }
    text.parse().map_err(|_| wrong())
}

pub(super) fn read(
    section: &Section<'_>,
    base_dir: &Path,
    addresses: &Addresses,
    trust: Option<Trust>,
    may_be_private: bool,
) -> Option<(Receiver, Form)> {
    let host = section.required("server", |text| {
        Host::parse(text).map_err(|_| "is no name of a host, nor an address of one".to_owned())
    });
    let tls = section.text("tls", |text| match text {
        "implicit" => Ok(Tls::Implicit),
        "starttls" => Ok(Tls::Start),
        "none" => Ok(Tls::None),
        _ => Err(format!("\"{text}\" is not one of implicit, starttls, none")),
    });
    let is_tls_right = section.has("tls") == tls.is_some();
    let tls = tls.map_or(Tls::Implicit, |tls| tls.value);
    let port = section.integer("port", 1..=65_535);
    let is_port_right = section.has("port") == port.is_some();
    let usual = match tls {
        Tls::Implicit => 465,
        Tls::Start => 587,
        Tls::None => 25,
    };
    let port = port.and_then(|port| u16::try_from(port.value).ok()).unwrap_or(usual);
    let login = login(section, base_dir);
    let from = section.required("from", mailbox);
    let to = to(section, addresses);
    let host = host?.value;
    if tls == Tls::None && !(may_be_private && is_loopback(&host)) {
        let advice = "write \"starttls\" or \"implicit\"; \"none\" is for a server on 127.0.0.1, with `allow_private = true`";
        section.wrong("tls", "would go in the clear", advice);
        return None;
    }
    if tls == Tls::None && trust.is_some() {
        section.wrong("ca_file", "has no certificate to look at without TLS", "leave it out");
    }
    let (login, from, to) = (login?, from?.value, to?);
    let scheme = if tls == Tls::Implicit { "smtps" } else { "smtp" };
    let receiver = Receiver::of_mail(format!("{scheme}://{host}:{port}"), trust, may_be_private);
    let right = is_tls_right && is_port_right;
    right.then_some((receiver, Form::Email(Mail { host, port, tls, login, from, to })))
}

fn is_loopback(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// User and file of the password: both or neither.
#[expect(clippy::option_option, reason = "the outer one says whether what is there is right")]
fn login(section: &Section<'_>, base_dir: &Path) -> Option<Option<(String, std::path::PathBuf)>> {
    let user = section.text("user", |text| {
        let is_right = !text.is_empty() && !text.chars().any(|letter| letter.is_control());
        if is_right { Ok(text.to_owned()) } else { Err("is no name of a user".to_owned()) }
    });
    let file = section.text("password_file", |text| path(base_dir, text));
    match (section.has("user"), section.has("password_file")) {
        (false, false) => Some(None),
        (true, true) => Some(Some((user?.value, file?.value))),
        (true, false) => {
            section.missing("password_file");
            None
        }
        (false, true) => {
            section.missing("user");
            None
        }
    }
}

fn to(section: &Section<'_>, addresses: &Addresses) -> Option<Vec<Mailbox>> {
    if !section.has("to") {
        section.missing("to");
    }
    let to = section.texts("to", |text| match addresses.get(text) {
        Some(mailbox) => Ok(mailbox.clone()),
        None if text.contains('@') => mailbox(text),
        None => Err(format!("\"{text}\" is neither an address nor a person with an `email`")),
    })?;
    if to.is_empty() || to.len() > TO_MAX {
        section.wrong("to", format!("has {} addresses", to.len()), "name 1 to 50");
        return None;
    }
    Some(to.into_iter().map(|mailbox| mailbox.value).collect())
}
