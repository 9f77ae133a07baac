//! A ledger server's address, and what it is asked with. Of both only the scheme, host and port are ever shown.

use std::cell::RefCell;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, SyntaxViolation, Url};

use crate::trust::Trust;

/// Parts of an address shorter than this are no secrets, and too common to be struck out of what a server says.
const SECRET_CHARS_LEAST: usize = 4;

/// What a right address looks like.
pub(super) const FORM: &str = "write \"ws://host:port\" or \"wss://host:port\"";

/// A ledger server. Its `Display` and `Debug` are its label.
#[derive(Clone)]
pub struct Endpoint {
    label: Arc<str>,
    /// Without user and password.
    url: SecretString,
    /// The value of the header `Authorization`.
    login: Option<SecretString>,
    /// What must not be repeated, the longest first.
    secrets: Arc<[SecretString]>,
    voice: Voice,
    /// What its certificate must come from; `None`: whom this machine believes.
    trust: Option<Trust>,
}

/// Who speaks: endpoints with the same voice are one witness, however many they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// A machine, by its name or address.
    Host(String),
    /// A server on this machine, by its port: test ledgers stand side by side there.
    Loopback(u16),
}

impl Endpoint {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it. Never quotes it: it may hold secrets.
    pub fn parse(text: &str) -> Result<Self, String> {
        Address::parse(text)?.endpoint(None)
    }

    /// A server of a transport that knows it by another name than an address.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            label: name.into(),
            url: SecretString::from(name),
            login: None,
            secrets: Arc::default(),
            voice: Voice::Host(name.to_owned()),
            trust: None,
        }
    }

    /// What it is called wherever it is shown.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Believes its certificate only where it comes from one of these.
    pub(crate) fn trusting(self, trust: Trust) -> Self {
        Self { trust: Some(trust), ..self }
    }

    /// What its certificate must come from.
    pub(crate) fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// Whether it has a certificate to look at.
    pub(crate) fn has_tls(&self) -> bool {
        self.url().starts_with("wss://")
    }

    /// Whether it is reached in the same way, under the same name.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.label(), self.url(), self.login(), &self.trust)
            == (other.label(), other.url(), other.login(), &other.trust)
    }

    /// Where to connect to. Never to be shown.
    pub(crate) fn url(&self) -> &str {
        self.url.expose_secret()
    }

    /// The value of the header `Authorization`. Never to be shown.
    pub(crate) fn login(&self) -> Option<&str> {
        self.login.as_ref().map(ExposeSecret::expose_secret)
    }

    /// What the server said, without what it was asked with.
    pub(crate) fn scrub(&self, said: String) -> String {
        self.secrets.iter().fold(said, |said, secret| {
            let secret = secret.expose_secret();
            if said.contains(secret) { said.replace(secret, "…") } else { said }
        })
    }

    /// Whether it is on this machine.
    pub(super) fn is_on_this_machine(&self) -> bool {
        matches!(self.voice, Voice::Loopback(_))
    }

    /// Whether whoever is in between can read along and answer in its place.
    pub(super) fn is_in_the_clear(&self) -> bool {
        !self.is_on_this_machine() && self.url().starts_with("ws://")
    }

    pub(crate) fn voice(&self) -> &Voice {
        &self.voice
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoint").field(&self.label).finish()
    }
}

/// An address on its way to an endpoint: its secret parts may still come from elsewhere.
pub(super) struct Address {
    url: Url,
    user: String,
    password: Option<SecretString>,
}

impl Address {
    /// Reads it strictly: what a browser would mend is refused.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("is not a websocket address: {what}; {FORM}"));
        if text.contains(char::is_whitespace) {
            return wrong("there is white space in it");
        }
        let violation = RefCell::new(None);
        let note = |seen: SyntaxViolation| {
            if seen != SyntaxViolation::EmbeddedCredentials {
                violation.borrow_mut().get_or_insert(seen);
            }
        };
        let parsed = Url::options().syntax_violation_callback(Some(&note)).parse(text);
        let mut url = match parsed {
            Ok(url) => url,
            Err(error) => return wrong(&error.to_string()),
        };
        if !matches!(url.scheme(), "ws" | "wss") {
            return wrong("the scheme is neither ws nor wss");
        }
        if let Some(seen) = violation.borrow().as_ref() {
            return wrong(seen.description());
        }
        if url.fragment().is_some() {
            return wrong("it has a part after #");
        }
        if url.port() == Some(0) {
            return wrong("no server listens on port 0");
        }
        let decoded = |part: &str| {
            let bytes = percent_decode_str(part);
            bytes.decode_utf8().map(|text| text.into_owned()).map_err(|_| {
                "is not a websocket address: its user or password is not UTF-8; encode it with percent signs"
                    .to_owned()
            })
        };
        let user = decoded(url.username())?;
        let password = url.password().map(decoded).transpose()?.map(SecretString::from);
        // What is connected to has neither; a websocket address always can do without.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let address = Self { url, user, password };
        match address.host() {
            None => wrong("it names no host"),
            Some(_) => Ok(address),
        }
    }

    /// The server's user and password come from elsewhere.
    pub(super) fn with_login(mut self, user: String, password: SecretString) -> Self {
        (self.user, self.password) = (user, Some(password));
        self
    }

    /// What follows the host comes from elsewhere: a path that begins with a slash, perhaps with a query.
    pub(super) fn with_path(self, path: &str) -> Result<Self, String> {
        if self.has_path() {
            return Err("has a path, and so has the address".to_owned());
        }
        if !path.starts_with('/') {
            return Err("holds no path: it begins with a slash".to_owned());
        }
        let whole = format!("{}{path}", self.url.as_str().trim_end_matches('/'));
        let Self { url, .. } = Self::parse(&whole).map_err(|_| "holds no path of an address".to_owned())?;
        Ok(Self { url, ..self })
    }

    /// Whether it says by itself whom to log in as.
    pub(super) fn has_login(&self) -> bool {
        !self.user.is_empty() || self.password.is_some()
    }

    /// Whether there is something after the host.
    pub(super) fn has_path(&self) -> bool {
        self.url.path() != "/" || self.url.query().is_some()
    }

    /// Whether there is a certificate to look at.
    pub(super) fn has_tls(&self) -> bool {
        self.url.scheme() == "wss"
    }

    /// Whether what is sent can be read by others on the way.
    pub(super) fn is_in_the_clear(&self) -> bool {
        self.url.scheme() == "ws" && !matches!(self.voice(), Some(Voice::Loopback(_)))
    }

    /// The endpoint, under a name if it has one.
    pub(super) fn endpoint(self, name: Option<&str>) -> Result<Endpoint, String> {
        if self.user.contains(':') {
            return Err("has a user with a colon in the name, which cannot be logged in".to_owned());
        }
        if self.has_login() && self.is_in_the_clear() {
            return Err("would send its password in the clear; write wss://".to_owned());
        }
        let Some(voice) = self.voice() else { return Err("names no host".to_owned()) };
        let login = self.has_login().then(|| {
            let password = self.password.as_ref().map_or("", ExposeSecret::expose_secret);
            SecretString::from(format!("Basic {}", STANDARD.encode(format!("{}:{password}", self.user))))
        });
        Ok(Endpoint {
            label: self.label(name).into(),
            secrets: self.secrets(login.as_ref()).into(),
            url: SecretString::from(self.url.as_str()),
            login,
            voice,
            trust: None,
        })
    }

    fn host(&self) -> Option<Host<&str>> {
        self.url
            .host()
            .filter(|host| !matches!(host, Host::Domain(name) if name.trim_matches('.').is_empty()))
    }

    fn voice(&self) -> Option<Voice> {
        let address = match self.host()? {
            Host::Domain(name) => {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                let local = name == "localhost" || name.ends_with(".localhost");
                if !local {
                    return Some(Voice::Host(name));
                }
                IpAddr::from([127, 0, 0, 1])
            }
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address).to_canonical(),
        };
        if address.is_loopback() || address.is_unspecified() {
            return Some(Voice::Loopback(self.url.port_or_known_default()?));
        }
        Some(Voice::Host(address.to_string()))
    }

    fn label(&self, name: Option<&str>) -> String {
        let mut shown = format!("{}://{}", self.url.scheme(), self.url.host_str().unwrap_or_default());
        if let Some(port) = self.url.port() {
            shown.push_str(&format!(":{port}"));
        }
        if self.has_path() {
            shown.push_str("/…");
        }
        match name {
            Some(name) => format!("{name} ({shown})"),
            None => shown,
        }
    }

    /// Everything of it that a server might repeat: whole and in pieces, as it was sent and as it is read.
    fn secrets(&self, login: Option<&SecretString>) -> Vec<SecretString> {
        let login = login.map(|login| login.expose_secret().trim_start_matches("Basic "));
        let password = self.password.as_ref().map(ExposeSecret::expose_secret);
        let path = self.url.path();
        let after_host = self.url.as_str().get(self.url.origin().ascii_serialization().len()..);
        let mut parts: Vec<&str> = [login, password, Some(&self.user), after_host, Some(path)]
            .into_iter()
            .flatten()
            .chain(path.split('/'))
            .chain(self.url.query().into_iter().flat_map(|query| query.split(['&', '='])))
            .collect();
        parts.retain(|part| part.chars().count() >= SECRET_CHARS_LEAST);
        let mut all: Vec<String> = parts
            .iter()
            .flat_map(|part| [(*part).to_owned(), percent_decode_str(part).decode_utf8_lossy().into_owned()])
            .collect();
        all.sort_by_key(|part| std::cmp::Reverse(part.len()));
        all.dedup();
        all.into_iter().map(SecretString::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: [&str; 4] = ["operator", "PASSWORD99", "SECRETKEY0123", "apikey"];

    fn hides_all(text: &str) {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{text}");
        }
    }

    #[test]
    fn only_scheme_host_and_port_are_ever_shown() {
        let text = "wss://operator:PASSWORD99@Ledger.Example:51233/v1/SECRETKEY0123/?apikey=SECRETKEY0123";
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!(endpoint.to_string(), "wss://ledger.example:51233/…");
        hides_all(&format!(
            "{endpoint} {endpoint:?} {:?}",
            Address::parse(text).unwrap().endpoint(Some("own"))
        ));
        assert_eq!(endpoint.url(), "wss://ledger.example:51233/v1/SECRETKEY0123/?apikey=SECRETKEY0123");
        assert_eq!(
            endpoint.login(),
            Some(format!("Basic {}", STANDARD.encode("operator:PASSWORD99")).as_str())
        );
        for said in [
            "no such path /v1/SECRETKEY0123/?apikey=SECRETKEY0123".to_owned(),
            "SECRETKEY0123 is not known, operator".to_owned(),
            format!("who is {}?", STANDARD.encode("operator:PASSWORD99")),
        ] {
            let scrubbed = endpoint.scrub(said);
            hides_all(&scrubbed);
            assert!(scrubbed.contains('…') && !scrubbed.contains(&STANDARD.encode("operator:PASSWORD99")));
        }
    }

    #[test]
    fn an_address_without_secrets_is_shown_as_it_is_written() {
        for text in ["ws://127.0.0.1:6006", "wss://ledger.example", "ws://[::1]:6006", "ws://server-0"] {
            assert_eq!(Endpoint::parse(text).unwrap().label(), text);
        }
        assert_eq!(Endpoint::parse("wss://ledger.example:443/").unwrap().label(), "wss://ledger.example");
        assert_eq!(
            Address::parse("wss://a.example").unwrap().endpoint(Some("own")).unwrap().label(),
            "own (wss://a.example)"
        );
    }

    #[test]
    fn what_is_no_address_is_refused_without_quoting_it() {
        for (text, part) in [
            ("ws://127.0.0.1:65536", "invalid port"),
            ("ws://127.0.0.1:0", "port 0"),
            ("ws://host name:6006", "white space"),
            (" ws://host:6006", "white space"),
            ("ws://host:6006/a\u{7f}b", "URL code point"),
            ("ws://", "empty host"),
            ("ws:///SECRETKEY0123", "expected //"),
            ("ws://:6006", "empty host"),
            ("ws://.:6006", "names no host"),
            ("ws:host:6006", "expected //"),
            ("ws:\\\\host", "expected //"),
            ("http://operator:PASSWORD99@host", "the scheme"),
            ("127.0.0.1:6006", "relative URL"),
            ("", "relative URL"),
            ("ws://host:port", "invalid port"),
            ("ws://host/#SECRETKEY0123", "after #"),
            ("ws://256.0.0.1:1", "IPv4"),
            ("ws://operator:PASSWORD99@:1/SECRETKEY0123", "empty host"),
            ("wss://%ff:PASSWORD99@host", "not UTF-8"),
            ("wss://oper%3Aator:PASSWORD99@host", "a colon"),
            ("ws://operator:PASSWORD99@ledger.example", "in the clear"),
        ] {
            let error = Endpoint::parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
            hides_all(&error);
        }
    }

    #[test]
    fn a_host_has_one_voice_and_this_machine_one_for_each_port() {
        let voice = |text: &str| Endpoint::parse(text).unwrap().voice().clone();
        for same in [
            ["wss://a.example", "wss://A.Example.:443/other?key=1"],
            ["wss://a.example", "ws://a.example:6006"],
            ["ws://10.0.0.1:1", "ws://[::ffff:10.0.0.1]:2"],
            ["ws://10.1:1", "ws://10.0.0.1:1"],
            ["ws://localhost:6006", "ws://127.0.0.1:6006"],
            ["ws://[::1]:80", "ws://0.0.0.0"],
        ] {
            assert_eq!(voice(same[0]), voice(same[1]), "{same:?}");
        }
        for other in [
            ["ws://127.0.0.1:1", "ws://127.0.0.1:2"],
            ["wss://a.example", "wss://b.example"],
            ["ws://a", "ws://a.b"],
        ] {
            assert_ne!(voice(other[0]), voice(other[1]), "{other:?}");
        }
    }
}
