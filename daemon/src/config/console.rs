//! Reads `[console]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::keys;
use super::reader::Section;
use crate::console::oidc::is_usable;
use crate::console::passkeys::ACTS;
use crate::console::{ConsoleConfig, OidcConfig, PasskeysConfig};
use crate::notify::channel;
use crate::passkey::Site;
use crate::trust::Trust;

const DAY_SECONDS: u32 = 86_400;

/// How the console is served; where nothing is said of it, as it is meant to be.
pub(super) fn read(root: &Section<'_>, base_dir: &Path) -> Option<ConsoleConfig> {
    let unsaid = ConsoleConfig::default();
    let Some(section) = root.section("console") else { return Some(unsaid) };
    let enabled = section.flag("enabled").is_none_or(|enabled| enabled.value);
    let origin = section.text("origin", origin);
    let seconds = |key, most, unsaid| {
        section.integer(key, 60..=most).map_or(unsaid, |said| Duration::from_secs(u64::from(said.value)))
    };
    let config = ConsoleConfig {
        origin: origin.map(|origin| origin.value),
        idle: seconds("idle_seconds", DAY_SECONDS, unsaid.idle),
        session: seconds("session_seconds", 7 * DAY_SECONDS, unsaid.session),
        oidc: oidc(&section, base_dir),
        passkeys: passkeys(&section),
    };
    for (table, what) in [
        ("oidc", "is missing, and the provider of logins sends people back there"),
        ("passkeys", "is missing, and passkeys are made for it"),
    ] {
        if section.has(table) && !section.has("origin") {
            let advice = "write what people type into their browser, such as \"https://treasury.example\"";
            section.wrong("origin", what, advice);
        }
    }
    if config.passkeys.is_some()
        && let Some(Err(what)) = config.origin.as_deref().map(Site::of)
    {
        section.wrong("origin", what, "passkeys need a name and https:// (http:// for localhost alone)");
    }
    enabled.then_some(config)
}

/// What a browser says where its forms come from: scheme, host and port, and nothing else.
fn origin(text: &str) -> Result<String, String> {
    let wrong = || format!("\"{text}\" is no origin; write it as \"https://treasury.example\"");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let origin = url.origin().ascii_serialization();
    let is_web = matches!(url.scheme(), "https" | "http");
    if is_web && origin == text.to_ascii_lowercase() { Ok(origin) } else { Err(wrong()) }
}

/// The provider of logins; `None` where there is none, or after a problem was reported.
fn oidc(console: &Section<'_>, base_dir: &Path) -> Option<OidcConfig> {
    let section = console.inner("oidc", &keys::keys_of("console.oidc"))?;
    let path = |text: &str| -> Result<PathBuf, String> {
        if text.is_empty() { Err("the path is empty".to_owned()) } else { Ok(base_dir.join(text)) }
    };
    let allow_private = section.flag("allow_private").is_some_and(|allowed| allowed.value);
    let issuer = section.required("issuer", |text| issuer(text, allow_private));
    let client_id = section.required("client_id", word);
    // It is read for each login; that it can be is found out now.
    let secret_file = section.text("client_secret_file", |text| {
        let path = path(text)?;
        channel::read(&path).map(|_| path)
    });
    let claim = section.text("claim", word);
    let scopes = section.texts("scopes", word);
    let name = section.text("name", word);
    let trust = section.text("ca_file", |text| path(text).and_then(|path| Trust::read(&path)));
    let (issuer, client_id) = (issuer?.value, client_id?.value);
    let claim = claim.map_or_else(|| "sub".to_owned(), |claim| claim.value);
    let scopes = scopes.map(|scopes| scopes.into_iter().map(|scope| scope.value).collect());
    let host = Url::parse(&issuer).ok().and_then(|url| url.host_str().map(str::to_owned));
    Some(OidcConfig {
        scopes: scopes.unwrap_or_else(|| scopes_for(&claim)),
        name: name.map(|name| name.value).or(host).unwrap_or_default(),
        secret_file: secret_file.map(|file| file.value),
        trust: trust.map(|trust| trust.value),
        issuer,
        client_id,
        claim,
        allow_private,
    })
}

/// Which acts need a passkey; `None` where none do, or after a problem was reported.
fn passkeys(console: &Section<'_>) -> Option<PasskeysConfig> {
    let section = console.inner("passkeys", &keys::keys_of("console.passkeys"))?;
    if !section.has("acts") {
        section.missing("acts");
    }
    let acts = section.texts("acts", |text| {
        let known = ACTS.iter().any(|(name, _)| *name == text);
        let names = || ACTS.map(|(name, _)| name).join(", ");
        known
            .then(|| text.to_owned())
            .ok_or_else(|| format!("\"{text}\" is no act of the console; one of {}", names()))
    })?;
    if acts.is_empty() {
        section.wrong(
            "acts",
            "is empty, so nothing needs a passkey",
            "name what does, or leave the table out",
        );
    }
    Some(PasskeysConfig { acts: acts.into_iter().map(|act| act.value).collect() })
}

fn scopes_for(claim: &str) -> Vec<String> {
    let scope = match claim {
        "sub" => None,
        "email" => Some("email"),
        _ => Some("profile"),
    };
    scope.map(str::to_owned).into_iter().collect()
}

fn issuer(text: &str, allow_private: bool) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("is not an address: {error}"))?;
    is_usable(&url, allow_private)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query, which no issuer has".to_owned());
    }
    Ok(text.to_owned())
}

fn word(text: &str) -> Result<String, String> {
    let is_one =
        (1..=255).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control);
    if is_one { Ok(text.to_owned()) } else { Err("is empty, too long, or has spaces around it".to_owned()) }
}
