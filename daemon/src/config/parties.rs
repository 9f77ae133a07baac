//! Who there is: accounts, people, agents, destinations, and the names they go by.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use treasury_core::Treasury;
use treasury_core::config::{AccountConfig, DeclaredSigners, KeyLabels, Person, Role, Signing, Tier};
use treasury_core::multisign;
use treasury_core::policy::Approvers;
use treasury_core::units::{AccountId, Weight};

use super::reader::{At, Section};
use super::{account, value};
use crate::passkey::Passkey;

/// Names with a meaning of their own.
const RESERVED: [&str; 4] = ["treasuryd", "known", "new", "treasury"];

/// As many entries as a SignerList can have.
const SIGNERS_MAX: usize = 32;

/// A laptop, a phone, two security keys, and what comes in their place.
const PASSKEYS_MAX: usize = 8;

/// Everybody declared.
#[derive(Default)]
pub(super) struct Parties {
    pub(super) accounts: BTreeMap<AccountId, AccountConfig>,
    pub(super) people: BTreeMap<String, Person>,
    pub(super) agents: BTreeSet<AccountId>,
    pub(super) agent_names: BTreeMap<AccountId, String>,
    /// What is said of where keys are, by their signers.
    pub(super) key_labels: BTreeMap<AccountId, KeyLabels>,
    pub(super) destinations: BTreeMap<AccountId, String>,
    pub(super) tokens: BTreeMap<String, [u8; 32]>,
    /// What the provider of logins calls a person, and who that is.
    pub(super) logins: BTreeMap<String, String>,
    pub(super) passkeys: BTreeMap<String, Vec<Passkey>>,
    /// Who of the address book has a label.
    pub(super) labels: BTreeMap<String, Vec<AccountId>>,
    /// Every name, and whose it is. A person without a signer has no address.
    names: BTreeMap<String, Option<AccountId>>,
    /// Signers of people and agents, for messages.
    signers: BTreeMap<AccountId, String>,
}

impl Parties {
    /// Those of a treasury that has been declared: a table of another file means the same people and accounts.
    pub(super) fn of(treasury: &Treasury) -> Self {
        let accounts = treasury.accounts.iter().map(|(address, account)| (&account.name, Some(*address)));
        let people = treasury.people.values().map(|person| (&person.name, person.signer));
        let destinations = treasury.destinations.iter().map(|(address, name)| (name, Some(*address)));
        let names = accounts.chain(people).chain(destinations);
        Self {
            names: names.map(|(name, address)| (name.clone(), address)).collect(),
            accounts: treasury.accounts.clone(),
            people: treasury.people.clone(),
            agents: treasury.agents.clone(),
            destinations: treasury.destinations.clone(),
            ..Self::default()
        }
    }
}

/// Reads everybody. What is wrong is reported and left out.
pub(super) fn read(root: &Section<'_>) -> Parties {
    let mut parties = Parties::default();
    let sections = root.sections("account");
    if sections.is_empty() && !root.has("account") {
        root.missing("account");
    }
    let accounts: Vec<_> = sections.iter().map(|section| (section, parties.account(section))).collect();
    for section in root.sections("person") {
        parties.person(&section);
    }
    for section in root.sections("agent") {
        parties.agent(&section);
    }
    for section in root.sections("destination") {
        parties.destination(&section);
    }
    // Signers are named by the names of people and agents, which are all known only now.
    for (section, account) in accounts {
        if let Some(account) = account {
            parties.signers_of(section, account);
        }
    }
    parties
}

impl Parties {
    /// The account that pays for EscrowFinish and EscrowCancel.
    pub(super) fn runner(&self) -> Option<AccountId> {
        self.accounts.iter().find(|(_, account)| account.tier == Tier::Runner).map(|(account, _)| *account)
    }

    /// The account of that name or address.
    pub(super) fn resolve(&self, text: &str) -> Result<AccountId, String> {
        match self.names.get(text) {
            Some(Some(account)) => Ok(*account),
            Some(None) => Err(format!("\"{text}\" has no `signer`, and so no address")),
            None => text.parse().map_err(|_| {
                value::instead_of_an_address(text)
                    .unwrap_or_else(|| format!("\"{text}\" is neither a name in this file nor an address"))
            }),
        }
    }

    /// One of the people, by name.
    pub(super) fn resolve_person(&self, name: &str) -> Result<String, String> {
        if self.people.contains_key(name) {
            return Ok(name.to_owned());
        }
        let names: Vec<&str> = self.people.keys().map(String::as_str).collect();
        Err(format!("\"{name}\" is not one of the people ({})", names.join(", ")))
    }

    /// One of the treasury's accounts, by name or address.
    pub(super) fn resolve_account(&self, text: &str) -> Result<AccountId, String> {
        let account = self.resolve(text)?;
        if self.accounts.contains_key(&account) {
            return Ok(account);
        }
        let names: Vec<&str> = self.accounts.values().map(|account| account.name.as_str()).collect();
        Err(format!("\"{text}\" is not one of the accounts ({})", names.join(", ")))
    }

    /// The SignerWeight that people who count have together on an account, and how many of them sign for it; `None` where
    /// its signers are not declared.
    pub(super) fn most_of(&self, account: &AccountConfig, asked: &Approvers) -> Option<(Weight, u32)> {
        let declared = account.signers.as_ref()?;
        let counted = self.people.values().filter(|person| multisign::is_one_of(asked, person));
        let weights = counted.filter_map(|person| declared.entries.get(&person.signer?));
        Some(
            weights
                .fold((Weight(0), 0), |(sum, people), weight| (sum.plus(*weight), people.saturating_add(1))),
        )
    }

    fn account(&mut self, section: &Section<'_>) -> Option<AccountId> {
        let name = self.name(section);
        let address = section.required("address", value::address);
        let tier = section.required("tier", tier);
        let signing = section.text("signing", signing);
        let settings = account::settings(section, address.as_ref().map(|address| address.value));
        let (name, address, tier) = (name?, address?, tier?);
        let runner = tier.value == Tier::Runner;
        let usual = if runner { Signing::Single } else { Signing::Multi };
        match (runner, signing.as_ref().map_or(usual, |signing| signing.value)) {
            (true, Signing::Multi) => section.wrong(
                "signing",
                "the runner must be single",
                "its transactions must not wait for people; leave the key out",
            ),
            (false, Signing::Single) => section.wrong(
                "signing",
                "only the runner may be single",
                "one key must not decide over the treasury; leave the key out and declare `signers`",
            ),
            _ => {}
        }
        if runner && let Some(other) = self.runner().and_then(|runner| self.accounts.get(&runner)) {
            let what = format!("\"{}\" is the runner already", other.name);
            section.blame(&tier, what, "there can be one");
        }
        if let Some(other) = self.accounts.get(&address.value) {
            let what = format!("\"{}\" has this address already", other.name);
            section.blame(&address, what, "write each account once");
            return None;
        }
        self.names.insert(name.clone(), Some(address.value));
        let account = AccountConfig { name, tier: tier.value, signing: usual, signers: None, settings };
        self.accounts.insert(address.value, account);
        Some(address.value)
    }

    fn person(&mut self, section: &Section<'_>) {
        let name = self.name(section);
        let signer = section.text("signer", value::address);
        let roles = section.texts("roles", role).unwrap_or_default();
        let token = section.text("token_sha256", value::digest);
        let login = section.text("oidc", login);
        let drill_seconds = section.text("drill_every", value::duration).map(|every| every.value);
        if drill_seconds.is_some() && signer.is_none() {
            section.wrong(
                "drill_every",
                "is of somebody who signs with nothing",
                "leave it out, or name their `signer`",
            );
        }
        self.key_labels(section, signer.as_ref());
        let passkeys = section.texts("passkeys", str::parse::<Passkey>).unwrap_or_default();
        let Some(name) = name else { return };
        if let Some(signer) = &signer {
            self.signer(section, signer, &name);
        }
        if let Some(token) = token {
            if token.value == <[u8; 32]>::from(Sha256::digest(b"")) {
                let what = "is that of an empty token, which everybody knows";
                section.blame(&token, what, "make a long random token, and write its SHA-256");
            }
            match self.tokens.iter().find(|(_, other)| **other == token.value) {
                Some((other, _)) => section.blame(
                    &token,
                    format!("\"{other}\" has the same token"),
                    "a token says who is speaking; give each person another",
                ),
                None => {
                    self.tokens.insert(name.clone(), token.value);
                }
            }
        }
        self.passkeys_of(section, &name, passkeys);
        if let Some(login) = login {
            match self.logins.get(&login.value) {
                Some(other) => section.blame(
                    &login,
                    format!("is \"{other}\" already"),
                    "the provider means one person by it; give each another",
                ),
                None => {
                    self.logins.insert(login.value, name.clone());
                }
            }
        }
        let signer = signer.map(|signer| signer.value);
        self.names.insert(name.clone(), signer);
        let roles = roles.into_iter().map(|role| role.value).collect();
        self.people.insert(name.clone(), Person { name, signer, roles, drill_seconds });
    }

    fn passkeys_of(&mut self, section: &Section<'_>, name: &str, passkeys: Vec<At<Passkey>>) {
        if passkeys.len() > PASSKEYS_MAX {
            let what = format!("has {} entries", passkeys.len());
            section.wrong("passkeys", what, "at most 8; take out those that nobody has any more");
        }
        for passkey in passkeys {
            let others = self.passkeys.iter();
            let same = others.flat_map(|(person, own)| own.iter().map(move |one| (person, one)));
            let same = same.into_iter().find(|(person, one)| {
                one.is(&passkey.value) || *person == name && one.name() == passkey.value.name()
            });
            match same {
                Some((person, one)) => section.blame(
                    &passkey,
                    format!("is there already: \"{}\" of \"{person}\"", one.name()),
                    "each is one person's, under a name of its own",
                ),
                None => self.passkeys.entry(name.to_owned()).or_default().push(passkey.value),
            }
        }
    }

    fn agent(&mut self, section: &Section<'_>) {
        let name = self.name(section);
        let signer = section.required("signer", value::address);
        self.key_labels(section, signer.as_ref());
        let (Some(name), Some(signer)) = (name, signer) else { return };
        self.signer(section, &signer, &name);
        self.agents.insert(signer.value);
        self.agent_names.insert(signer.value, name.clone());
        self.names.insert(name, Some(signer.value));
    }

    /// What is said of where somebody's key is.
    fn key_labels(&mut self, section: &Section<'_>, signer: Option<&At<AccountId>>) {
        let vendor = section.text("vendor", value::name);
        let place = section.text("place", value::name);
        let first = vendor.as_ref().or(place.as_ref());
        if let (Some(label), None, false) = (first, signer, section.has("signer")) {
            section.blame(label, "is of no key", "say the `signer` whose key it is of, or leave it out");
        }
        let labels =
            KeyLabels { vendor: vendor.map(|label| label.value), place: place.map(|label| label.value) };
        if let Some(signer) = signer.filter(|_| labels != KeyLabels::default()) {
            self.key_labels.insert(signer.value, labels);
        }
    }

    fn destination(&mut self, section: &Section<'_>) {
        let name = self.name(section);
        let address = section.required("address", value::address);
        let labels = section.texts("labels", value::name).unwrap_or_default();
        let (Some(name), Some(address)) = (name, address) else { return };
        for label in labels {
            self.labels.entry(label.value).or_default().push(address.value);
        }
        if let Some(account) = self.accounts.get(&address.value) {
            let what = format!("is the treasury's own account \"{}\"", account.name);
            section.blame(&address, what, "the treasury's accounts are known anyhow; leave it out");
        } else if let Some(other) = self.destinations.get(&address.value) {
            let what = format!("\"{other}\" has this address already");
            section.blame(&address, what, "write each destination once");
        } else {
            self.destinations.insert(address.value, name.clone());
        }
        self.names.insert(name, Some(address.value));
    }

    /// The section's name, if it is there and nobody else's.
    fn name(&self, section: &Section<'_>) -> Option<String> {
        let name = section.required("name", value::name)?;
        if RESERVED.contains(&name.value.as_str()) {
            let what = format!("\"{}\" has a meaning of its own", name.value);
            section.blame(&name, what, "choose another name");
            return None;
        }
        if self.names.contains_key(&name.value) {
            let what = format!("\"{}\" is taken", name.value);
            section.blame(&name, what, "accounts, people, agents and destinations share one list of names");
            return None;
        }
        Some(name.value)
    }

    /// A signer is one person's or one agent's, and none of the treasury's accounts.
    fn signer(&mut self, section: &Section<'_>, signer: &At<AccountId>, name: &str) {
        if let Some(account) = self.accounts.get(&signer.value) {
            let what = format!("is the treasury's own account \"{}\"", account.name);
            section.blame(signer, what, "sign with an account that holds none of the treasury's money");
        } else if let Some(other) = self.signers.get(&signer.value) {
            let what = format!("\"{other}\" signs with this account already");
            section.blame(signer, what, "a signature must say whose it is; give each their own");
        } else {
            self.signers.insert(signer.value, name.to_owned());
        }
    }

    /// Reads the SignerList that an account should have.
    fn signers_of(&mut self, section: &Section<'_>, account: AccountId) {
        let quorum = section.integer("quorum", 1..=u32::MAX);
        let weights = section.weights("signers", &(1..=u32::from(u16::MAX)));
        let Some(declared) = self.accounts.get(&account) else { return };
        if declared.tier == Tier::Runner {
            for name in ["quorum", "signers"].into_iter().filter(|name| section.has(name)) {
                section.wrong(name, "the runner has no signers", "leave it out");
            }
            return;
        }
        match (section.has("quorum"), section.has("signers")) {
            (true, false) => section.missing("signers"),
            (false, true) => section.missing("quorum"),
            _ => {}
        }
        let (Some(quorum), Some(weights)) = (quorum, weights) else { return };
        let mut entries = BTreeMap::new();
        for (name, weight) in weights {
            let signer = match self.resolve(&name.value) {
                Ok(signer) => signer,
                Err(what) => {
                    section.blame(&name, what, "name a person or an agent, or write an address");
                    continue;
                }
            };
            if signer == account {
                section.blame(&name, "an account cannot be its own signer", "the ledger refuses it");
            }
            if entries.insert(signer, u16::try_from(weight).unwrap_or(u16::MAX)).is_some() {
                section.blame(&name, "is the account of another entry", "write each signer once");
            }
        }
        let declared = DeclaredSigners { quorum: Weight(quorum.value), entries };
        self.check_signers(section, account, &declared);
        if let Some(account) = self.accounts.get_mut(&account) {
            account.signers = Some(declared);
        }
    }

    fn check_signers(&self, section: &Section<'_>, account: AccountId, declared: &DeclaredSigners) {
        let sum = |entries: &mut dyn Iterator<Item = &u16>| {
            entries.fold(Weight(0), |sum, weight| sum.plus(*weight))
        };
        let all = sum(&mut declared.entries.values());
        if declared.entries.is_empty() || declared.entries.len() > SIGNERS_MAX {
            let what = format!("a SignerList has 1 to {SIGNERS_MAX} entries");
            section.wrong("signers", what, "the ledger refuses others");
        } else if declared.quorum > all {
            let what = format!("{} cannot be reached: all weights together are {all}", declared.quorum);
            section.wrong("quorum", what, "lower it or add signers");
        }
        let agents = declared.entries.iter().filter(|(signer, _)| self.agents.contains(signer));
        let agents = sum(&mut agents.map(|(_, weight)| weight));
        let cold = self.accounts.get(&account).is_some_and(|account| account.tier == Tier::Cold);
        if cold && agents >= declared.quorum {
            let what = format!("the agents alone reach the quorum of {} with {agents}", declared.quorum);
            section.wrong(
                "signers",
                what,
                "a cold account must need people; raise the quorum or take agents out",
            );
        }
    }
}

/// What a provider of logins calls somebody.
fn login(text: &str) -> Result<String, String> {
    let is_one =
        (1..=255).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control);
    if is_one { Ok(text.to_owned()) } else { Err("is nothing that a provider calls anybody".to_owned()) }
}

pub(super) fn tier(text: &str) -> Result<Tier, String> {
    Ok(match text {
        "cold" => Tier::Cold,
        "warm" => Tier::Warm,
        "hot" => Tier::Hot,
        "board" => Tier::Board,
        "runner" => Tier::Runner,
        _ => return Err(format!("\"{text}\" is not a tier; one of cold, warm, hot, board, runner")),
    })
}

fn signing(text: &str) -> Result<Signing, String> {
    match text {
        "multi" => Ok(Signing::Multi),
        "single" => Ok(Signing::Single),
        _ => Err(format!("\"{text}\" is not a way of signing; multi or single")),
    }
}

/// What a person may do.
pub(super) fn role(text: &str) -> Result<Role, String> {
    Ok(match text {
        "proposer" => Role::Proposer,
        "approver" => Role::Approver,
        "security" => Role::Security,
        "admin" => Role::Admin,
        _ => return Err(format!("\"{text}\" is not a role; one of proposer, approver, security, admin")),
    })
}
