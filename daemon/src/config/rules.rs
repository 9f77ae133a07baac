//! The policy table.

use std::collections::BTreeSet;

use treasury_core::config::{AccountConfig, Role, Tier};
use treasury_core::intent::{AskedBy, Asker, Intent, IntentKind};
use treasury_core::matching::Matcher;
use treasury_core::policy::{Action, Approvers, DestinationMatch, Rule, Told};
use treasury_core::units::{AccountId, Asset, Weight};

use super::parties::{Parties, role};
use super::reader::{At, Place, Section};
use super::{matchers, value};

/// Reads the rules in their order.
pub(super) fn read(root: &Section<'_>, parties: &Parties, lists: &BTreeSet<String>) -> Vec<(Rule, Place)> {
    let mut names = BTreeSet::new();
    let sections = root.sections("rule");
    let rules = sections.iter().map(|section| {
        let name = section.required("name", value::name);
        if let Some(name) = &name
            && !names.insert(name.value.clone())
        {
            section.blame(name, format!("\"{}\" is taken", name.value), "decisions quote it; choose another");
        }
        Some((rule(section, name.map(|name| name.value), parties, lists)?, section.place()))
    });
    rules.collect::<Vec<_>>().into_iter().flatten().collect()
}

fn rule(
    section: &Section<'_>,
    name: Option<String>,
    parties: &Parties,
    lists: &BTreeSet<String>,
) -> Option<Rule> {
    let askers = section.texts("askers", |text| asker(text, parties));
    let accounts = section.texts("accounts", |text| parties.resolve_account(text));
    let kinds = section.texts("kinds", kind);
    let assets = matchers::set(section, "assets", asset);
    let destination = destination(section, parties);
    let amount_above = section.text("amount_above", value::any_amount);
    let amount_min = section.text("amount_min", value::any_amount);
    let amount_max = section.text("amount_max", value::any_amount);
    matchers::band(section, "amount_min", amount_min.as_ref(), amount_max.as_ref(), |least, most| {
        least > most
    });
    matchers::band(section, "amount_above", amount_above.as_ref(), amount_max.as_ref(), |least, most| {
        least >= most
    });
    matchers::not_empty(section, "askers");
    matchers::not_empty(section, "accounts");
    matchers::not_empty(section, "kinds");
    let accounts: Option<Vec<AccountId>> = accounts.map(values);
    let action = action(section, parties, accounts.as_deref());
    let void = section.flag("void");
    if let (Some(void), Some(Action::Deny | Action::Notify(_))) = (&void, &action) {
        let what = match action {
            Some(Action::Deny) => "means nothing for the action deny",
            _ => "means nothing for the action notify",
        };
        section.blame(void, what, "leave it out: nothing is signed for it");
    }
    let mut rule = Rule {
        askers: askers.map(values),
        accounts,
        kinds: kinds.map(values),
        assets,
        destination,
        amount_above: amount_above.map(|amount| amount.value),
        amount_min: amount_min.map(|amount| amount.value),
        amount_max: amount_max.map(|amount| amount.value),
        void: void.is_some_and(|void| void.value),
        ..Rule::new(name.clone().unwrap_or_default(), action.clone().unwrap_or(Action::Deny))
    };
    matchers::read(section, parties, lists, &mut rule);
    let anything = !Matcher::ALL.iter().any(|matcher| matcher.is_in(&rule));
    if anything && action == Some(Action::Deny) {
        section.wrong(
            "action",
            "denies everything, whatever other rules allow",
            "leave the rule out: what no rule matches is denied",
        );
    }
    name.and(action).map(|_| rule)
}

fn values<T>(items: Vec<At<T>>) -> Vec<T> {
    items.into_iter().map(|item| item.value).collect()
}

fn asker(text: &str, parties: &Parties) -> Result<Asker, String> {
    if text == "treasuryd" {
        return Ok(Asker::Daemon);
    }
    if parties.people.contains_key(text) {
        return Ok(Asker::Person(text.to_owned()));
    }
    Err(format!("\"{text}\" is not a person of this file, and not \"treasuryd\", the daemon itself"))
}

fn kind(text: &str) -> Result<IntentKind, String> {
    let mut decided = Intent::ROWS.into_iter().filter(|row| row.asked_by != AskedBy::Errands);
    let row = decided.find(|row| row.word == text);
    row.map(|row| row.kind)
        .ok_or_else(|| format!("\"{text}\" is not a kind that policy decides about; pay or move"))
}

fn asset(text: &str) -> Result<Asset, String> {
    match text.parse() {
        Ok(Asset::Mpt(_)) => Err(format!("\"{text}\" is a multi-purpose token, and none is paid")),
        Ok(asset) => Ok(asset),
        Err(_) => Err(format!(
            "\"{text}\" is not an asset; write \"XRP\", or a currency and its issuer as in \"USD.rIssuer…\""
        )),
    }
}

fn destination(section: &Section<'_>, parties: &Parties) -> Option<DestinationMatch> {
    if section.is_text("destination") {
        let word = section.text("destination", |text| {
            Ok(match text {
                "known" => DestinationMatch::Known,
                "new" => DestinationMatch::New,
                "treasury" => DestinationMatch::Treasury,
                _ => {
                    return Err(format!(
                        "\"{text}\" is not known, new or treasury; write [\"{text}\"] for one account"
                    ));
                }
            })
        });
        return word.map(|word| word.value);
    }
    let accounts = section.texts("destination", |text| parties.resolve(text))?;
    matchers::not_empty(section, "destination");
    Some(DestinationMatch::Accounts(values(accounts)))
}

fn action(section: &Section<'_>, parties: &Parties, accounts: Option<&[AccountId]>) -> Option<Action> {
    let word = section.required("action", |text| match text {
        "allow" | "approve" | "delay" | "deny" | "notify" => Ok(text.to_owned()),
        _ => Err(format!("\"{text}\" is not an action; one of allow, approve, delay, deny, notify")),
    })?;
    let uses: &[&str] = match word.value.as_str() {
        "approve" => &["weight", "signatures", "roles", "people", "exclude_asker"],
        "delay" => &["weight", "signatures", "roles", "people", "exclude_asker", "delay", "window"],
        "notify" => &["roles", "people"],
        _ => &[],
    };
    for key in ["weight", "signatures", "roles", "people", "exclude_asker", "delay", "window"] {
        if section.has(key) && !uses.contains(&key) {
            let what = format!("means nothing for the action {}", word.value);
            section.wrong(key, what, "leave it out, or choose the action that uses it");
        }
    }
    match word.value.as_str() {
        "allow" => Some(Action::Allow),
        "deny" => Some(Action::Deny),
        "approve" => approvers(section, parties, accounts).map(Action::Approve),
        "notify" => told(section, parties).map(Action::Notify),
        _ => {
            let delay = section.required("delay", value::duration);
            let window = section.required("window", value::duration);
            let approvers = approvers(section, parties, accounts);
            if parties.runner().is_none() {
                section.blame(
                    &word,
                    "needs a runner, and there is none",
                    "declare an [[account]] with tier = \"runner\": it sends EscrowFinish and EscrowCancel",
                );
            }
            Some(Action::Delay {
                delay_seconds: delay?.value,
                window_seconds: window?.value,
                approvers: approvers?,
            })
        }
    }
}

/// Who is told.
fn told(section: &Section<'_>, parties: &Parties) -> Option<Told> {
    let people = section.texts("people", |name| parties.resolve_person(name));
    let roles = section.texts("roles", role);
    for (key, is_empty) in [
        ("people", people.as_ref().is_some_and(Vec::is_empty)),
        ("roles", roles.as_ref().is_some_and(Vec::is_empty)),
    ] {
        if is_empty {
            section.wrong(key, "an empty list names nobody", "leave it out for whoever reads such notices");
        }
    }
    let right = section.has("people") == people.is_some() && section.has("roles") == roles.is_some();
    let told = Told {
        roles: roles.map(values).unwrap_or_default().into_iter().collect(),
        people: people.map(values).unwrap_or_default().into_iter().collect(),
    };
    right.then_some(told)
}

/// Who must sign, if the people there are can reach it.
fn approvers(section: &Section<'_>, parties: &Parties, accounts: Option<&[AccountId]>) -> Option<Approvers> {
    if !section.has("weight") && !section.has("signatures") {
        section.missing("weight");
    }
    let (weight, signatures) =
        (section.integer("weight", 1..=u32::MAX), section.integer("signatures", 1..=u32::MAX));
    let people = section.texts("people", |name| parties.resolve_person(name));
    let names_people = people.is_some();
    let people: BTreeSet<String> = people.map(values).unwrap_or_default().into_iter().collect();
    let roles: BTreeSet<Role> = match section.texts("roles", role) {
        Some(roles) => values(roles).into_iter().collect(),
        None if names_people => BTreeSet::new(),
        None => BTreeSet::from([Role::Approver]),
    };
    if names_people && people.is_empty() {
        section.wrong("people", "nobody could approve", "leave it out for whoever has one of the roles");
        return None;
    }
    if roles.is_empty() && !names_people {
        section.wrong("roles", "nobody could approve", "leave it out for [\"approver\"]");
    }
    let weight = match weight {
        Some(weight) => Weight(weight.value),
        None if section.has("weight") => return None,
        None => Weight(0),
    };
    let signatures = match signatures {
        Some(signatures) => signatures.value,
        None if section.has("signatures") => return None,
        None => 0,
    };
    let asked = Approvers { weight, signatures, roles, people, exclude_asker: false };
    let most_of = |account: &AccountConfig| parties.most_of(account, &asked);
    let short = |account: &&AccountId| {
        let most = parties.accounts.get(account).and_then(most_of);
        most.is_some_and(|(weight, count)| weight < asked.weight || count < asked.signatures)
    };
    let unreachable = match accounts {
        // Accounts that the rule names must all be able to reach it.
        Some(accounts) => accounts.iter().find(short),
        // Where it names none, it is for whoever can; it is wrong where nobody can.
        None => {
            let mut paying =
                parties.accounts.iter().filter(|(_, account)| account.tier != Tier::Runner).peekable();
            let first = paying.peek().map(|(account, _)| *account);
            first.filter(|_| paying.all(|(account, _)| short(&account)))
        }
    };
    if let Some(account) = unreachable.and_then(|account| parties.accounts.get(account)) {
        let (most, people) = most_of(account).unwrap_or_default();
        if most < asked.weight {
            let what = format!(
                "{weight} can never be reached on \"{}\": people who count have {most} there",
                account.name
            );
            section.wrong("weight", what, "lower it, or let more of the account's signers count");
        } else {
            let what = format!(
                "{signatures} can never be reached on \"{}\": {people} of its signers are people who count",
                account.name
            );
            section.wrong("signatures", what, "lower it, or let more of the account's signers count");
        }
    }
    let several = weight >= Weight(2) || signatures >= 2;
    let exclude_asker = section.flag("exclude_asker").map_or(several, |said| said.value);
    Some(Approvers { exclude_asker, ..asked })
}
