//! What a configuration may say and hardly anybody means: right by every rule, and dangerous.

use std::fmt;

use treasury_core::config::{FindingKind, Role, Severity, Tier, Treasury};
use treasury_core::intent::{Asker, IntentKind};
use treasury_core::policy::{Action, Rule};
use treasury_core::units::{AccountId, Weight};

use super::{DaemonConfig, Verify};

/// Something dangerous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The key, or the part of the file.
    pub key: String,
    /// What is dangerous about it.
    pub what: String,
    /// What would be safe.
    pub advice: &'static str,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    accounts(&config.treasury, &mut found);
    rules(&config.treasury, &mut found);
    findings(&config.treasury, &mut found);
    found.0
}

#[derive(Default)]
struct Found(Vec<Warning>);

impl Found {
    fn warn(&mut self, key: impl Into<String>, what: impl Into<String>, advice: &'static str) {
        self.0.push(Warning { key: key.into(), what: what.into(), advice });
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
    let speaks = |name: &str| config.tokens.contains_key(name);
    for (role, what) in [
        (Role::Security, "nobody with a token has the role `security`: nobody can flag or freeze anything"),
        (Role::Admin, "nobody with a token has the role `admin`: a freeze can be lifted by nobody"),
    ] {
        if !treasury.people.values().any(|person| speaks(&person.name) && person.roles.contains(&role)) {
            found.warn("person.roles", what, "give the role to somebody who has a token");
        }
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

fn rules(treasury: &Treasury, found: &mut Found) {
    for rule in treasury.policy.rules() {
        let key = format!("rule \"{}\"", rule.name);
        if rule.action == Action::Allow {
            let is_own =
                rule.askers.as_ref().is_some_and(|askers| askers.iter().all(|asker| *asker == Asker::Daemon));
            let others = || treasury.policy.rules().iter().filter(|other| asks_more_of(other, rule));
            if rule.amount_max.is_none() && !others().any(takes_over_above) {
                let what = "allows any amount: what it matches leaves without people";
                found.warn(key.clone(), what, "write amount_max");
            }
            // The daemon's own moves have the limits of their links.
            let counted = rule.rolling.is_some() || rule.count.is_some();
            if !counted && !is_own && pays(rule) && !others().any(takes_over_beyond_a_sum) {
                let what = "allows any number of payments: many small ones are a large one";
                found.warn(key.clone(), what, "write rolling = { period = \"24h\", amount_max = \"…\" }");
            }
        }
        let asks = matches!(rule.action, Action::Approve(_) | Action::Delay { .. });
        let denied = || treasury.policy.rules().iter().any(|other| denies_above(other, rule));
        if asks && rule.amount_max.is_none() && !denied() {
            let what = "lets any amount leave that people sign for, also what no other rule matches";
            found.warn(key.clone(), what, "write amount_max, or a rule that denies what is above");
        }
        if let Action::Approve(approvers) | Action::Delay { approvers, .. } = &rule.action {
            if approvers.weight < Weight(2) {
                found.warn(
                    key.clone(),
                    "one person's signature is enough",
                    "write weight = 2, so that whoever asks needs somebody else",
                );
            } else if !approvers.exclude_asker {
                let what = "whoever asks is one of those who approve";
                found.warn(key.clone(), what, "leave exclude_asker out");
            }
        }
        if let Action::Delay { delay_seconds, .. } = rule.action
            && delay_seconds < DELAY_LEAST_SECONDS
        {
            let what = "the delay is shorter than anybody needs to notice and flag";
            found.warn(key, what, "write at least \"1h\"");
        }
    }
}

/// Nobody notices and flags in less.
const DELAY_LEAST_SECONDS: u32 = 3_600;

/// Whether the other rule matches whatever this one does, amounts aside, and asks for more.
fn asks_more_of(other: &Rule, rule: &Rule) -> bool {
    fn covers<T: PartialEq>(other: &Option<Vec<T>>, rule: &Option<Vec<T>>) -> bool {
        match (other, rule) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(other), Some(rule)) => rule.iter().all(|one| other.contains(one)),
        }
    }
    other.action != Action::Allow
        && covers(&other.askers, &rule.askers)
        && covers(&other.accounts, &rule.accounts)
        && covers(&other.kinds, &rule.kinds)
        && (other.destination.is_none() || other.destination == rule.destination)
        && (other.asker_roles.is_none() || other.asker_roles == rule.asker_roles)
        && (other.tiers.is_none() || other.tiers == rule.tiers)
        && (other.listed.is_none() || other.listed == rule.listed)
        && (other.unlisted.is_none() || other.unlisted == rule.unlisted)
        && (other.paid_for.is_none() || other.paid_for == rule.paid_for)
        && (other.during.is_none() || other.during == rule.during)
        && (other.outside.is_none() || other.outside == rule.outside)
        && other.count.is_none()
        && other.amount_max.is_none()
}

/// Whether the other rule denies what of this one's payments is above a bound.
fn denies_above(other: &Rule, rule: &Rule) -> bool {
    other.action == Action::Deny && asks_more_of(other, rule) && takes_over_above(other)
}

fn takes_over_above(other: &Rule) -> bool {
    other.rolling.is_none() && other.amount_above.or(other.amount_min).is_some()
}

fn takes_over_beyond_a_sum(other: &Rule) -> bool {
    other.amount_above.is_none()
        && other.amount_min.is_none()
        && other.rolling.is_some_and(|rolling| rolling.amount_above.is_some() && rolling.amount_max.is_none())
}

fn pays(rule: &Rule) -> bool {
    rule.kinds.as_ref().is_none_or(|kinds| kinds.contains(&IntentKind::Pay))
}

fn findings(treasury: &Treasury, found: &mut Found) {
    for kind in FindingKind::ALL {
        let usual = kind.default_severity();
        let said = treasury.severity(kind);
        if said < usual && usual >= Severity::Hold {
            found.warn(
                format!("severity.{}", kind.word()),
                "what points at a stolen key stops nothing",
                "leave the key out",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Nothing in it is dangerous.
    const SAFE: &str = r#"
[network]
endpoints = ["wss://a.example", "wss://b.example"]
read_quorum = 2
network_id = 0
[daemon]
data_dir = "d"
keystore = "k"
[[account]]
name = "hot"
address = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"
tier = "hot"
quorum = 2
signers = { alice = 1, bob = 1 }
[[person]]
name = "alice"
signer = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe"
roles = ["proposer", "approver", "security"]
token_sha256 = "1111111111111111111111111111111111111111111111111111111111111111"
[[person]]
name = "bob"
signer = "rPMh7Pi9ct699iZUTWaytJUoHcJ7cgyziK"
roles = ["approver", "admin"]
token_sha256 = "2222222222222222222222222222222222222222222222222222222222222222"
[[rule]]
name = "small"
amount_max = "10 XRP"
rolling = { period = "24h", amount_max = "100 XRP" }
action = "allow"
"#;

    fn warned(text: &str) -> Vec<String> {
        let config = DaemonConfig::parse(text, Path::new("")).unwrap();
        of(&config).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_right_and_dangerous_is_said_and_what_is_safe_is_not() {
        assert_eq!(warned(SAFE), Vec::<String>::new());
        for (from, to, key) in [
            ("keystore = \"k\"", "keystore = \"k\"\nlisten = \"0.0.0.0:8580\"", "daemon.listen: "),
            ("read_quorum = 2", "read_quorum = 1", "network.read_quorum: "),
            ("network_id = 0", "verify = \"headers\"\nnetwork_id = 0", "network.verify: "),
            ("network_id = 0", "", "network.network_id: "),
            ("wss://b.example", "ws://b.example", "network.endpoints: ws://b.example"),
            ("[[rule]]", "[timing]\nledger_age_max = \"any\"\n[[rule]]", "timing.ledger_age_max: "),
            (", \"security\"]", "]", "person.roles: nobody with a token has the role `security`"),
            (", \"admin\"]", "]", "person.roles: nobody with a token has the role `admin`"),
            (", \"security\"]", ", \"security\", \"admin\"]", "person \"alice\": proposes, stops and lifts"),
            (
                "token_sha256 = \"2222222222222222222222222222222222222222222222222222222222222222\"",
                "",
                "person \"bob\": has roles and no token",
            ),
            ("quorum = 2\nsigners = { alice = 1, bob = 1 }", "", "account \"hot\": declares no signers"),
            ("{ alice = 1, bob = 1 }", "{ alice = 2, bob = 1 }", "account \"hot\": \"alice\" alone"),
            ("amount_max = \"10 XRP\"", "", "rule \"small\": allows any amount"),
            ("rolling = {", "# {", "rule \"small\": allows any number"),
            ("action = \"allow\"", "action = \"approve\"\nweight = 1", "rule \"small\": one person's"),
            (
                "action = \"allow\"",
                "action = \"approve\"\nweight = 2\nexclude_asker = false",
                "rule \"small\": whoever asks",
            ),
            (
                "[[rule]]",
                "[severity]\nspend_without_proposal = \"log\"\n[[rule]]",
                "severity.spend_without_proposal: ",
            ),
        ] {
            assert!(SAFE.contains(from), "{from}");
            let found = warned(&SAFE.replacen(from, to, 1));
            assert!(found.iter().any(|warning| warning.starts_with(key)), "{key}: {found:?}");
        }
    }

    #[test]
    fn what_other_rules_ask_people_for_beyond_a_bound_is_no_danger() {
        let unbounded = SAFE.replace(
            "amount_max = \"10 XRP\"\nrolling = { period = \"24h\", amount_max = \"100 XRP\" }\n",
            "",
        );
        assert_ne!(unbounded, SAFE);
        let two = "action = \"approve\"\nweight = 2\n";
        let larger = format!("[[rule]]\nname = \"larger\"\namount_above = \"10 XRP\"\n{two}");
        let sum = "rolling = { period = \"24h\", amount_above = \"100 XRP\" }";
        let busy = format!("[[rule]]\nname = \"busy\"\n{sum}\n{two}");
        let most = "[[rule]]\nname = \"most\"\namount_above = \"1000 XRP\"\naction = \"deny\"\n";
        assert_eq!(warned(&format!("{unbounded}{larger}{busy}{most}")), Vec::<String>::new());
        for (rules, expected) in [
            (larger.clone(), "rule \"small\": allows any number"),
            (busy.clone(), "rule \"small\": allows any amount"),
            (format!("{larger}{busy}"), "rule \"larger\": lets any amount leave"),
            (format!("{larger}{busy}"), "rule \"busy\": lets any amount leave"),
            // Not of everybody, and not of every amount.
            (
                format!("{}{busy}", larger.replace("action", "askers = [\"alice\"]\naction")),
                "allows any amount",
            ),
            (
                format!("{larger}{}", busy.replace("rolling", "amount_min = \"1 XRP\"\nrolling")),
                "allows any number",
            ),
        ] {
            let found = warned(&format!("{unbounded}{rules}"));
            assert!(found.iter().any(|warning| warning.contains(expected)), "{rules}: {found:?}");
        }
    }

    #[test]
    fn the_hash_of_an_empty_token_is_refused() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let text = SAFE.replace("1111111111111111111111111111111111111111111111111111111111111111", empty);
        let error = DaemonConfig::parse(&text, Path::new("")).unwrap_err();
        assert!(error.to_string().contains("empty token"), "{error}");
    }

    /// Danger: a reload takes half of a file, or what the daemon is built around is changed under it.
    #[test]
    fn what_only_a_start_takes_is_named() {
        let read = |text: &str| DaemonConfig::parse(text, Path::new("")).unwrap();
        let begun = read(SAFE);
        for (from, to, keys) in [
            ("amount_max = \"10 XRP\"", "amount_max = \"20 XRP\"", vec![]),
            ("\"proposer\", ", "", vec![]),
            ("wss://b.example", "wss://c.example", vec!["network.endpoints"]),
            ("read_quorum = 2", "read_quorum = 1", vec!["network.read_quorum"]),
            (
                "data_dir = \"d\"",
                "data_dir = \"e\"\nlisten = \"127.0.0.1:1\"",
                vec!["daemon.data_dir", "daemon.listen"],
            ),
            ("name = \"hot\"", "name = \"hotter\"", vec!["account"]),
            ("tier = \"hot\"", "tier = \"warm\"", vec!["account"]),
            (
                "[[rule]]",
                "[[agent]]\nname = \"a\"\nsigner = \"rrrrrrrrrrrrrrrrrrrrrhoLvTp\"\n[[rule]]",
                vec!["agent"],
            ),
        ] {
            assert!(SAFE.contains(from), "{from}");
            assert_eq!(read(&SAFE.replacen(from, to, 1)).differs_for_good(&begun), keys, "{to}");
        }
    }
}
