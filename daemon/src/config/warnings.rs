//! What a configuration may say and hardly anybody means: right by every rule, and dangerous.

use std::fmt;
use std::path::{Path, PathBuf};

use treasury_core::config::{FindingKind, Role, Severity, Tier, Treasury};
use treasury_core::multisign;
use treasury_core::policy::Action;
use treasury_core::units::{AccountId, Weight};

use super::table::Places;
use super::{DaemonConfig, Place, Verify, rule_warnings};
use crate::clock;
use crate::console::passkeys::STOPS;
use crate::notify::{self, Kind, Route, told_of};

/// Something dangerous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The key, or the part of the file.
    pub key: String,
    /// What is dangerous about it.
    pub what: String,
    /// What would be safe.
    pub advice: &'static str,
    /// Where it stands, where that is known, and in which file, where that is another one than the configuration.
    pub place: Option<(Option<PathBuf>, Place)>,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((file, place)) = &self.place {
            if let Some(file) = file {
                write!(f, "{}, ", file.display())?;
            }
            write!(f, "line {}, column {}: ", place.line, place.column)?;
        }
        write!(f, "{}: {} ({})", self.key, self.what, self.advice)
    }
}

/// Everything dangerous in a configuration.
#[must_use]
pub fn of(config: &DaemonConfig) -> Vec<Warning> {
    let mut found = Found::default();
    edges(config, &mut found);
    network(config, &mut found);
    people(config, &mut found);
    logins(config, &mut found);
    passkeys(config, &mut found);
    accounts(&config.treasury, &mut found);
    found.0.extend(rule_warnings::of(&config.treasury, &config.rule_places, config.policy_file.as_deref()));
    activation(&config.treasury, &mut found);
    confirmation(&config.treasury, &mut found);
    if let (Some(shadow), Some((file, places))) = (config.treasury.policy.shadow(), &config.shadow) {
        let beside = Treasury { policy: shadow.clone(), ..config.treasury.clone() };
        found.0.extend(rule_warnings::of(&beside, places, Some(file)));
    }
    lists(&config.treasury, &mut found);
    findings(config, &mut found);
    forecast(config, &mut found);
    telling(config, &mut found);
    found.0
}

/// What the whole table says that nobody may have meant: rules that never match or change nothing, and gaps. Every kind of
/// payment is tried for it, which takes a while where the table is long.
#[must_use]
pub fn of_table(treasury: &Treasury, places: &Places, file: Option<&Path>) -> Vec<Warning> {
    rule_warnings::of_all_payments(treasury, places, file)
}

/// What one look at each rule of a table tells.
#[must_use]
pub fn of_rules(treasury: &Treasury, places: &Places, file: Option<&Path>) -> Vec<Warning> {
    rule_warnings::of(treasury, places, file)
}

#[derive(Default)]
struct Found(Vec<Warning>);

impl Found {
    fn warn(&mut self, key: impl Into<String>, what: impl Into<String>, advice: &'static str) {
        self.0.push(Warning { key: key.into(), what: what.into(), advice, place: None });
    }
}

fn edges(config: &DaemonConfig, found: &mut Found) {
    if !config.listen.ip().is_loopback() {
        found.warn(
            "daemon.listen",
            format!(
                "{} is reached from beyond this machine, by plain HTTP: tokens can be read on the way",
                config.listen
            ),
            "listen on 127.0.0.1 behind a proxy that ends TLS, or see to it that nobody is in between",
        );
    }
}

/// Money that runs out under nobody's eyes, and prices that nobody can be told by.
fn forecast(config: &DaemonConfig, found: &mut Found) {
    if config.treasury.outlook.warn_days.is_empty() {
        let what = "is empty: nobody is told that an account will soon have nothing left";
        found.warn("forecast.warn_days", what, "name some days, such as [14, 7, 3, 1]");
    }
    let prices = config.prices.as_ref().map(super::PriceFile::load);
    match prices {
        Some(Err(problem)) => {
            found.warn("forecast.prices", problem, "nothing is told in money until it is right")
        }
        Some(Ok(prices)) if prices.are_stale(clock::utc()) => {
            let what = format!("are of {}, and older than prices_age_max", prices.at);
            found.warn("forecast.prices", what, "nothing is told in money until there are newer ones");
        }
        Some(Ok(_)) | None => {}
    }
}

/// Who puts another policy in force.
fn activation(treasury: &Treasury, found: &mut Found) {
    let Some(terms) = treasury.policy.activation() else { return };
    let count = multisign::count(terms, treasury.people.values());
    if terms.signatures < 2 {
        let what = "one person puts another policy in force";
        found.warn("activation.signatures", what, "write at least 2");
    }
    if count <= terms.signatures {
        let what = format!("it takes all {count} who count: with one of them gone nobody changes the policy");
        found.warn("activation.signatures", what, "let more people count");
    }
}

/// Who confirms whom the address book makes known.
fn confirmation(treasury: &Treasury, found: &mut Found) {
    let Some(terms) = treasury.policy.confirmation() else { return };
    if terms.by.signatures < 2 {
        let what = "one person makes a destination known, and may have written the entry";
        found.warn("confirmation.signatures", what, "write at least 2");
    }
    if terms.cooling_seconds < 3_600 {
        let what = "a destination is known within an hour of its confirmation";
        found.warn("confirmation.cooling", what, "leave people the time to hear of it and to object");
    }
    if treasury.policy.activation().is_none() {
        let what = "whoever changes the configuration can take this table out of it";
        found.warn("confirmation", what, "have people put policies in force: write [activation]");
    }
}

/// Channels that nothing goes through, and what wakes nobody.
fn telling(config: &DaemonConfig, found: &mut Found) {
    let (channels, routes) = (&config.notify.channels, &config.notify.routes);
    for channel in channels {
        let goes_on = |route: &Route| {
            route.escalation.as_ref().is_some_and(|escalation| escalation.to.contains(&channel.name))
        };
        if !routes.iter().any(|route| route.channels.contains(&channel.name) || goes_on(route)) {
            let what = format!("no route names \"{}\": nothing goes through it", channel.name);
            found.warn("channel", what, "name it in the `channels` of a route, or take it out");
        }
    }
    // Findings, freezes, lost sight: of any account, whoever can still sign, whatever the amount.
    let takes_all = |route: &Route| {
        route.kinds.is_none()
            && route.accounts.is_none()
            && route.signers.is_none()
            && route.people.is_none()
            && route.amount_above.is_none()
    };
    let treasury = &config.treasury;
    for rule in treasury.policy.rules() {
        let Action::Notify(told) = &rule.action else { continue };
        let names = told_of(treasury, told);
        if !routes.iter().any(|route| route.leads(Kind::RuleMatched, notify::Severity::Warning, &names)) {
            let what = "no route takes the notices of it (rule_matched): only programs that listen are told";
            let place = config.rule_places.get(&rule.name).map(|place| (config.policy_file.clone(), *place));
            found.0.push(Warning {
                key: format!("rule \"{}\"", rule.name),
                what: what.to_owned(),
                advice: "write a [[route]] for it",
                place,
            });
        }
    }
    if !channels.is_empty() && !routes.iter().any(takes_all) {
        let what = "no route takes everything that is critical: something of it may be told to nobody";
        found.warn("route", what, "write one with `severity = \"critical\"` and no other matcher");
    }
}

fn network(config: &DaemonConfig, found: &mut Found) {
    let network = &config.network;
    let is_local = network.endpoints.iter().all(|endpoint| endpoint.is_on_this_machine());
    if is_local {
        return;
    }
    if network.read_quorum < 2 {
        found.warn(
            "network.read_quorum",
            "one server alone says which ledger is validated",
            "name servers that different people run, and write 2 or more",
        );
    }
    if network.network_id.is_none() {
        found.warn(
            "network.network_id",
            "a server of another network is believed",
            "write the network's id: 0 is the main network's",
        );
    }
    if network.verify == Verify::Headers {
        found.warn(
            "network.verify",
            "in long gaps, a server that leaves a transaction out is believed",
            "write \"full\" unless gaps are too long for it",
        );
    }
    for endpoint in network.endpoints.iter().filter(|endpoint| endpoint.is_in_the_clear()) {
        found.warn(
            "network.endpoints",
            format!("{endpoint} is reached without TLS: whoever is in between can be the server"),
            "write wss://, or go through a tunnel",
        );
    }
    if config.treasury.timing.ledger_age_max_seconds.is_none() {
        found.warn(
            "timing.ledger_age_max",
            "nobody notices that a ledger is old",
            "\"any\" is for test ledgers; leave the key out",
        );
    }
}

fn people(config: &DaemonConfig, found: &mut Found) {
    let treasury = &config.treasury;
    let logs_in = config.console.as_ref().is_some_and(|console| console.oidc.is_some());
    let speaks = |name: &str| {
        config.tokens.contains_key(name) || logs_in && config.logins.values().any(|one| one == name)
    };
    for (role, what) in [
        (Role::Security, "nobody with a token has the role `security`: nobody can flag or freeze anything"),
        (Role::Admin, "nobody with a token has the role `admin`: a freeze can be lifted by nobody"),
    ] {
        if !treasury.people.values().any(|person| speaks(&person.name) && person.roles.contains(&role)) {
            found.warn("person.roles", what, "give the role to somebody who has a token");
        }
    }
    let stops_by_token = |name: &str| config.tokens.contains_key(name);
    let can_stop = |can: &dyn Fn(&str) -> bool| {
        treasury.people.values().any(|person| can(&person.name) && person.roles.contains(&Role::Security))
    };
    if can_stop(&speaks) && !can_stop(&stops_by_token) {
        found.warn(
            "person.roles",
            "whoever could flag or freeze logs in at the provider alone: while it does not answer, or too many log in, nobody can",
            "give somebody with the role `security` a token, too",
        );
    }
    for person in treasury.people.values() {
        let has = |role| person.roles.contains(&role);
        if has(Role::Security) && has(Role::Admin) && has(Role::Proposer) {
            found.warn(
                format!("person \"{}\"", person.name),
                "proposes, stops and lifts stops alone",
                "give `admin` to somebody who does not propose",
            );
        }
        if !person.roles.is_empty() && !speaks(&person.name) {
            found.warn(
                format!("person \"{}\"", person.name),
                "has roles and no token, and so cannot use them",
                "write token_sha256, or take the roles away",
            );
        }
    }
}

fn logins(config: &DaemonConfig, found: &mut Found) {
    let oidc = config.console.as_ref().and_then(|console| console.oidc.as_ref());
    match oidc {
        Some(oidc) if !matches!(oidc.claim.as_str(), "sub" | "email") => found.warn(
            "console.oidc.claim",
            format!("whoever can change their \"{}\" at the provider can be anybody here", oidc.claim),
            "\"sub\" is given to nobody else",
        ),
        None if !config.logins.is_empty() => found.warn(
            "person.oidc",
            "names people at a provider of logins, and there is none",
            "write [console.oidc], or leave it out",
        ),
        _ => {}
    }
}

fn passkeys(config: &DaemonConfig, found: &mut Found) {
    let asked = config.console.as_ref().and_then(|console| console.passkeys.as_ref());
    let Some(asked) = asked else {
        if !config.passkeys.is_empty() {
            found.warn(
                "person.passkeys",
                "nothing needs a passkey",
                "write [console.passkeys], or leave them out",
            );
        }
        return;
    };
    let holds = ["lift", "clear"].map(|act| asked.acts.contains(act));
    if holds[0] != holds[1] {
        found.warn(
            "console.passkeys.acts",
            "a hold on a proposal is lifted by `lift` as well as by `clear`, and one of the two asks for no passkey",
            "name both, or neither",
        );
    }
    let stops: Vec<&str> = STOPS.into_iter().filter(|stop| asked.acts.contains(*stop)).collect();
    if !stops.is_empty() {
        found.warn(
            "console.passkeys.acts",
            format!(
                "{}: whoever has no passkey at hand cannot stop anything by the console",
                stops.join(", ")
            ),
            "let what stops need none",
        );
    }
}

fn accounts(treasury: &Treasury, found: &mut Found) {
    for account in treasury.accounts.values().filter(|account| account.tier != Tier::Runner) {
        let key = format!("account \"{}\"", account.name);
        let Some(declared) = &account.signers else {
            let what = "declares no signers: nobody notices that its SignerList changes";
            found.warn(key, what, "write `quorum` and `signers`");
            continue;
        };
        let weight_of = |signer: &AccountId| Weight(u32::from(*declared.entries.get(signer).unwrap_or(&0)));
        let entry = |agent| declared.entries.get(agent).copied().unwrap_or_default();
        let agents = treasury.agents.iter().fold(Weight(0), |sum, agent| sum.plus(entry(agent)));
        if account.tier == Tier::Warm && agents >= declared.quorum {
            let moves = treasury
                .links
                .iter()
                .any(|link| treasury.accounts.get(&link.from).is_some_and(|from| from.name == account.name));
            if !moves {
                let what = "the daemon's own keys reach its quorum, and no link takes anything from it";
                found.warn(key.clone(), what, "take agents out of its signers");
            }
        }
        let alone = treasury
            .people
            .values()
            .find(|person| person.signer.is_some_and(|signer| weight_of(&signer) >= declared.quorum));
        if let Some(person) = alone {
            found.warn(
                key,
                format!("\"{}\" alone reaches the quorum, past every rule of the policy", person.name),
                "raise the quorum, or lower the weight",
            );
        }
    }
}

fn lists(treasury: &Treasury, found: &mut Found) {
    for list in treasury.policy.lists().values() {
        if let Some(fault) = list.fault(clock::utc()) {
            let advice = if list.is_unread() && treasury.policy.asks_about(list.name()) {
                "mend the file; until then nothing leaves to anybody outside of the treasury"
            } else {
                "mend the file; until then nothing leaves to a new destination"
            };
            found.warn(format!("list \"{}\"", list.name()), fault, advice);
        }
    }
}

fn findings(config: &DaemonConfig, found: &mut Found) {
    for kind in FindingKind::ALL {
        let usual = kind.default_severity();
        let said = config.treasury.severity(kind);
        let (what, advice) = if said < usual && usual >= Severity::Hold {
            ("what points at a stolen key stops nothing".to_owned(), "leave the key out")
        } else if kind == FindingKind::FailedLogins && said >= Severity::Hold {
            let stops = if said == Severity::Freeze { "freezes" } else { "holds" };
            let what = format!(
                "{stops} everything for wrong tokens: whoever reaches the daemon's address, or the console's, can stop the treasury without knowing any"
            );
            (
                what,
                "write \"alert\", and stop what is strange by hand; or let nobody reach it whom you do not know",
            )
        } else {
            continue;
        };
        let place = config.severity_places.get(&kind).map(|place| (None, *place));
        found.0.push(Warning { key: format!("severity.{}", kind.word()), what, advice, place });
    }
}

#[cfg(test)]
mod tests;
