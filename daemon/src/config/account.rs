//! What an account should have set on the ledger beside its SignerList.

use std::collections::BTreeMap;

use treasury_core::config::DeclaredSettings;
use treasury_core::settings::FLAGS;
use treasury_core::units::{AccountId, Amount};
use xrpl_wire::IssuedAmount;

use super::reader::Section;
use super::{keys, value};

/// A TransferRate that takes nothing, in billionths: the ledger has none then.
const PAR: u32 = 1_000_000_000;

/// The highest TransferRate that the ledger takes: as much again.
const RATE_MAX: u32 = 2_000_000_000;

/// A Domain of the ledger has at most so many bytes.
const DOMAIN_MAX: usize = 256;

/// Reads `[account.settings]`. What is left out is not declared.
pub(super) fn settings(account: &Section<'_>, address: Option<AccountId>) -> DeclaredSettings {
    let Some(section) = account.inner("settings", &keys::keys_of("account.settings")) else {
        return DeclaredSettings::default();
    };
    let declared = DeclaredSettings {
        domain: section.text("domain", domain).map(|domain| domain.value),
        transfer_rate: transfer_rate(&section),
        flags: flags(&section),
        trust_lines: section.has("trust_lines").then(|| trust_lines(&section, address)),
    };
    let keys = keys::keys_of("account.settings");
    if !keys.iter().any(|key| section.has(key)) {
        section.wrong(
            "domain",
            "is missing, and so are the other settings",
            "say one, or leave the table out",
        );
    }
    declared
}

/// The name of a host, as the ledger's Domain has it; empty: none.
fn domain(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let letters =
            label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        letters && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    if text.is_empty() || (text.len() <= DOMAIN_MAX && text.split('.').all(label)) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "\"{text}\" is not the name of a host; write it in small letters and without https://, such as \"example.com\", or \
         \"\" for none"
    ))
}

fn transfer_rate(section: &Section<'_>) -> Option<u32> {
    let rate = section.integer("transfer_rate", 0..=RATE_MAX)?;
    match rate.value {
        0 | PAR => Some(0),
        1..PAR => {
            let advice = "billionths of what arrives: 1005000000 takes half a percent; 0 for none";
            section.blame(
                &rate,
                format!("is between 0 and {PAR}, which the ledger takes from nobody"),
                advice,
            );
            None
        }
        rate => Some(rate),
    }
}

fn flags(section: &Section<'_>) -> Option<u32> {
    let named = section.texts("flags", |text| {
        let found = FLAGS.iter().find(|(name, _)| *name == text).map(|(_, flag)| *flag);
        found.ok_or_else(|| match text {
            "DisableMaster" | "PasswordSpent" => {
                format!("\"{text}\" is not compared; `key_beside_list` finds a master key that is enabled")
            }
            _ => {
                let names = FLAGS.map(|(name, _)| name);
                let said = text.strip_prefix("asf").or_else(|| text.strip_prefix("lsf")).unwrap_or(text);
                match names.contains(&said).then_some(said).or_else(|| keys::nearest(said, &names)) {
                    Some(near) => format!("\"{text}\" is not a flag; did you mean \"{near}\"?"),
                    None => format!("\"{text}\" is not a flag; one of {}", names.join(", ")),
                }
            }
        })
    })?;
    let mut flags = 0;
    for flag in named {
        if flags & flag.value != 0 {
            section.blame(&flag, "is there already", "write each flag once");
        }
        flags |= flag.value;
    }
    Some(flags)
}

fn trust_lines(
    section: &Section<'_>,
    address: Option<AccountId>,
) -> BTreeMap<treasury_core::units::Asset, xrpl_wire::IouValue> {
    let limits = section.texts("trust_lines", limit).unwrap_or_default();
    let mut lines = BTreeMap::new();
    for limit in limits {
        let asset = Amount::Issued(limit.value).issue();
        if address == Some(limit.value.issuer) {
            section.blame(&limit, "is the account's own issue", "an account trusts others");
        }
        if lines.insert(asset, limit.value.value).is_some() {
            section.blame(&limit, format!("{asset} is there already"), "write each trust line once");
        }
    }
    lines
}

/// How far an issuer is trusted for a currency.
fn limit(text: &str) -> Result<IssuedAmount, String> {
    match value::any_amount(text)? {
        Amount::Issued(limit) if limit.value.is_zero() => {
            Err("trusts nobody for anything; leave it out, as a line without a limit is not compared"
                .to_owned())
        }
        Amount::Issued(limit) => Ok(limit),
        Amount::Xrp(_) | Amount::Mpt(_) => Err(format!(
            "\"{text}\" is not of an issued currency; trust lines are, such as \"1000 USD.rIssuer…\""
        )),
    }
}
