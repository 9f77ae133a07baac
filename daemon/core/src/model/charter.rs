//! Which table of rules is in force where a file alone may not change that: the one that was activated, and the one that
//! waits for it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use xrpl_wire::sha512_half;

use crate::model::address_book::Confirmation;
use crate::model::config::{Keeps, TierLink, Treasury};
pub use crate::model::endorsement::Endorsement;
use crate::model::list::List;
use crate::model::observe::LedgerPoint;
use crate::model::policy::{Policy, Risk};
use crate::model::role::Tier;
use crate::model::rule::{Approvers, DestinationMatch, Rule};
use crate::model::units::{AccountId, Hash256};

/// How a table is named.
const NAME: &[u8] = b"treasuryd policy: a table to be activated";

/// What is activated: everything that says what may leave, without who is on lists, and who can activate another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The rules. Accounts stand in them by address: what a configuration calls them later changes nothing.
    pub rules: Vec<Rule>,
    /// The signs of risk.
    pub risk: Risk,
    /// Who puts another table in force, and how many of them; `None`: whoever changes the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Approvers>,
    /// Who confirms whom the address book makes known; `None`: nobody needs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// What else says who is paid.
    pub declared: Declared,
}

/// What makes an account one that is paid as the treasury's own, and what is paid to new ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// The treasury's accounts and their tiers.
    pub accounts: BTreeMap<AccountId, Tier>,
    /// The links, each with its bounds and limits.
    pub links: Vec<TierLink>,
    /// Whether new destinations are screened.
    pub screening: bool,
    /// Which of the names that rules ask about are labels of the address book, and no lists.
    pub labels: BTreeSet<String>,
}

impl Table {
    /// The table of a treasury.
    #[must_use]
    pub fn of(treasury: &Treasury) -> Self {
        let policy = &treasury.policy;
        let declared = Declared {
            accounts: treasury.accounts.iter().map(|(account, config)| (*account, config.tier)).collect(),
            links: treasury.links.clone(),
            screening: treasury.screening,
            labels: labels(policy),
        };
        Self {
            declared,
            rules: policy.rules().to_vec(),
            risk: policy.risk().clone(),
            activation: policy.activation().cloned(),
            confirmation: policy.confirmation().cloned(),
        }
    }

    /// Names it. Zones count by their names: what their clocks show comes with the release, and a newer release must not
    /// ask people for what nobody has changed.
    #[must_use]
    pub fn hash(&self) -> Hash256 {
        // Plain types, whose serialization cannot fail; were it ever to, no two tables would be told apart, and the one that
        // is in force would stay.
        let mut text = serde_json::to_value(self).unwrap_or_default();
        by_name(&mut text);
        sha512_half(&[NAME, text.to_string().as_bytes()])
    }

    /// The policy that it makes, with the lists and the second policy of what is configured.
    fn policy(&self, configured: &Policy) -> Policy {
        let plain = Policy::new(self.rules.clone()).with_risk(self.risk.clone());
        let asked = plain.lists_asked_about();
        let missing = asked.iter().filter(|name| !configured.lists().contains_key(*name));
        let missing = missing.map(|name| List::unreadable(name, "it is not in the configuration any more"));
        let of_kind = |list: &List| {
            !asked.contains(list.name()) || self.declared.labels.contains(list.name()) == list.is_label()
        };
        let kept = configured.lists().values().map(|list| {
            if of_kind(list) {
                return list.clone();
            }
            List::unreadable(list.name(), "it was a label of the address book, or is one now")
        });
        let lists: Vec<List> = kept.chain(missing).collect();
        Policy::new(self.rules.clone())
            .with_lists(lists)
            .with_risk(self.risk.clone())
            .with_shadow(configured.shadow().cloned())
            .with_activation(self.activation.clone())
            .with_confirmation(self.confirmation.clone())
    }

    /// In which rules and what else it differs from another, in words.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> Vec<String> {
        let named = |table: &Self, name: &str| table.rules.iter().find(|rule| rule.name == name).cloned();
        let mut words = Vec::new();
        for rule in &self.rules {
            match named(other, &rule.name) {
                None => {
                    let paid =
                        whom(rule).map_or_else(String::new, |paid| format!(", for payments to {paid}"));
                    words.push(format!("rule \"{}\" is new{paid}", rule.name));
                }
                Some(before) if !is_same(&before, rule) => {
                    let paid = whom(rule).filter(|paid| whom(&before).as_ref() != Some(paid));
                    let paid =
                        paid.map_or_else(String::new, |paid| format!(", and is for payments to {paid}"));
                    words.push(format!("rule \"{}\" is changed{paid}", rule.name));
                }
                Some(_) => {}
            }
        }
        let gone = other.rules.iter().filter(|rule| named(self, &rule.name).is_none());
        words.extend(gone.map(|rule| format!("rule \"{}\" is gone", rule.name)));
        self.declared.differs_from(&other.declared, &mut words);
        if self.risk != other.risk {
            words.push("the signs of risk are changed".to_owned());
        }
        match (&self.confirmation, &other.confirmation) {
            (None, Some(_)) => words.push("entries of the address book need no confirmation".to_owned()),
            (Some(now), before) if before.as_ref() != Some(now) => words.push(format!(
                "entries of the address book are confirmed by {} and cool for {} s",
                now.words(),
                now.cooling_seconds
            )),
            _ => {}
        }
        match (&self.activation, &other.activation) {
            (None, Some(_)) => words.push("whoever changes the configuration changes the rules".to_owned()),
            (Some(now), before) if before.as_ref() != Some(now) => {
                words.push(format!("another table is put in force by {}", now.so_many()));
            }
            _ => {}
        }
        // Whatever else stands in it has no order.
        if words.is_empty() && self.hash() != other.hash() {
            words.push("rules or links stand in another order".to_owned());
        }
        words
    }
}

/// Whom a rule names as destinations, by address: a name in a file may be another's than it was.
fn whom(rule: &Rule) -> Option<String> {
    let Some(DestinationMatch::Accounts(accounts)) = &rule.destination else { return None };
    Some(accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

impl Declared {
    fn differs_from(&self, other: &Self, words: &mut Vec<String>) {
        for (account, tier) in &self.accounts {
            match other.accounts.get(account) {
                None => words.push(format!("account {account} ({}) is the treasury's own", tier.word())),
                Some(before) if before != tier => {
                    words.push(format!("account {account} is {}, and was {}", tier.word(), before.word()));
                }
                Some(_) => {}
            }
        }
        let gone = other.accounts.keys().filter(|account| !self.accounts.contains_key(*account));
        words.extend(gone.map(|account| format!("account {account} is the treasury's own no more")));
        for link in &self.links {
            match other.links.iter().find(|before| before.name == link.name) {
                None => words.push(format!("link \"{}\" is new: {}", link.name, said(link))),
                Some(before) if is_same(before, link) => {}
                Some(before) => {
                    words.push(format!("link \"{}\" is {}; it was {}", link.name, said(link), said(before)));
                }
            }
        }
        let gone = other.links.iter().filter(|before| self.links.iter().all(|link| link.name != before.name));
        words.extend(gone.map(|link| format!("link \"{}\" is gone", link.name)));
        match (self.screening, other.screening) {
            (true, false) => words.push("new destinations are screened".to_owned()),
            (false, true) => words.push("new destinations are screened no more".to_owned()),
            _ => {}
        }
        for name in self.labels.symmetric_difference(&other.labels) {
            let what = if self.labels.contains(name) { "a label of the address book" } else { "no label" };
            words.push(format!("\"{name}\" is {what}"));
        }
    }
}

/// The names that rules ask about and that are labels.
fn labels(policy: &Policy) -> BTreeSet<String> {
    let asked = policy.lists_asked_about().into_iter();
    let is_label = |name: &String| policy.lists().get(name).is_some_and(List::is_label);
    asked.filter(is_label).collect()
}

/// Whether two rules or links are the same, zones by their names.
fn is_same<T: PartialEq + Serialize>(one: &T, other: &T) -> bool {
    let named = |it: &T| {
        // Plain types, whose serialization cannot fail; were it ever to, none would be told from another.
        let mut text = serde_json::to_value(it).unwrap_or_default();
        by_name(&mut text);
        text
    };
    one == other || named(one) == named(other)
}

/// What a link does, in words, with accounts by address.
fn said(link: &TierLink) -> String {
    let keeps = match link.keeps {
        Keeps::Filled { floor, target } => {
            format!("fills it below {} up to {}", floor.words(), target.words())
        }
        Keeps::Swept { ceiling, target } => {
            format!("sweeps it above {} down to {}", ceiling.words(), target.words())
        }
    };
    let limits =
        link.all_limits().map(|limit| format!("{} in {} s", limit.most.words(), limit.period_seconds));
    let hours = if link.hours.is_some() { ", at its hours" } else { "" };
    format!(
        "from {} to {}, {keeps}, {} to {} at a time, at most {}, and leaves {}{hours}",
        link.from,
        link.to,
        link.move_min.words(),
        link.move_max.words(),
        limits.collect::<Vec<_>>().join(" and "),
        link.source_floor.words()
    )
}

fn by_name(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::Object(zone)) = fields.get_mut("zone") {
                zone.retain(|field, _| field == "name");
            }
            fields.values_mut().for_each(by_name);
        }
        Value::Array(items) => items.iter_mut().for_each(by_name),
        _ => {}
    }
}

/// The tables that there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charter {
    /// The one in force; `None`: what is configured is.
    pub active: Option<Active>,
    /// The one that is configured, and waits to be put in force.
    pub candidate: Option<Candidate>,
}

/// A table in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Active {
    /// Names it.
    pub hash: Hash256,
    /// What it says.
    pub table: Table,
    /// Since when, by the ledger; a point of zeros where none had been seen.
    pub since: LedgerPoint,
    /// Who put it in force; nobody where it was configured when tables came to be activated.
    pub by: BTreeMap<String, Endorsement>,
}

/// A table that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Names it.
    pub hash: Hash256,
    /// What it says.
    pub table: Table,
    /// Since when it waits.
    pub since: LedgerPoint,
    /// Who wants it in force, by name.
    pub endorsed: BTreeMap<String, Endorsement>,
}

impl Charter {
    /// Who puts another table in force, and how many of them; `None`: whoever changes the configuration.
    #[must_use]
    pub fn activation(&self) -> Option<&Approvers> {
        self.active.as_ref()?.table.activation.as_ref()
    }

    /// The treasury as it decides, where this one is configured: by the table that was activated, with the lists and the second
    /// policy of the configuration. A list that the table asks about and that is not configured any more counts as one that
    /// cannot be read: whoever takes it out of a file must not let through whom it stops. Accounts that are not in it are
    /// nobody's as destinations; links and tiers are as it has them.
    #[must_use]
    pub fn in_force(&self, configured: &Treasury) -> Treasury {
        let Some(active) = &self.active else { return configured.clone() };
        if active.hash == Table::of(configured).hash() {
            return configured.clone();
        }
        let table = &active.table;
        let mut decides = Treasury { policy: table.policy(&configured.policy), ..configured.clone() };
        for (account, config) in &mut decides.accounts {
            match table.declared.accounts.get(account) {
                Some(tier) => config.tier = *tier,
                None => {
                    decides.newcomers.insert(*account);
                }
            }
        }
        let is_there = |link: &&TierLink| {
            decides.accounts.contains_key(&link.from) && decides.accounts.contains_key(&link.to)
        };
        decides.links = table.declared.links.iter().filter(is_there).cloned().collect();
        decides.screening |= table.declared.screening;
        decides
    }

    pub(crate) fn adopt(&mut self, table: &Table, at: LedgerPoint) -> Result<(), String> {
        if self.active.is_some() {
            return Err("another table is in force".to_owned());
        }
        let (hash, table) = (table.hash(), table.clone());
        self.active = Some(Active { hash, table, since: at, by: BTreeMap::new() });
        Ok(())
    }

    pub(crate) fn propose(&mut self, table: &Table, at: LedgerPoint) -> Result<(), String> {
        if self.active.is_none() {
            return Err("no table is in force that another could be put in the place of".to_owned());
        }
        let (hash, table) = (table.hash(), table.clone());
        self.candidate = Some(Candidate { hash, table, since: at, endorsed: BTreeMap::new() });
        Ok(())
    }

    pub(crate) fn endorse(&mut self, hash: Hash256, by: &str, given: &Endorsement) -> Result<(), String> {
        self.waiting(hash)?.endorsed.insert(by.to_owned(), given.clone());
        Ok(())
    }

    pub(crate) fn activate(&mut self, hash: Hash256, at: LedgerPoint) -> Result<(), String> {
        self.waiting(hash)?;
        let Some(Candidate { table, endorsed, .. }) = self.candidate.take() else { return Ok(()) };
        // Where the new one leaves it to the configuration, that is in force, and nothing is kept of it.
        let asks = table.activation.is_some();
        self.active = asks.then_some(Active { hash, table, since: at, by: endorsed });
        Ok(())
    }

    pub(crate) fn withdraw(&mut self, hash: Hash256) -> Result<(), String> {
        self.waiting(hash)?;
        self.candidate = None;
        Ok(())
    }

    fn waiting(&mut self, hash: Hash256) -> Result<&mut Candidate, String> {
        let candidate = self.candidate.as_mut().filter(|candidate| candidate.hash == hash);
        candidate.ok_or_else(|| format!("no table {hash} waits"))
    }
}
