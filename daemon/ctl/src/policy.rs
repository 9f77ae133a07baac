//! What people ask of a policy before they make it the one that decides.
//!
//! A table means the people, accounts, address book and lists of a configuration, and sums of what has left, all of which
//! the daemon has: so it is the daemon that reads the table, by what it would decide with.

use std::path::PathBuf;

use treasury_api::client::Client;
use treasury_api::types::{
    AcknowledgedView, ActivationView, AmountView, ExplainRequest, ExplainView, PolicyCheckView,
    PolicyRequest, PolicyShadowView, PolicyTestRequest, PolicyTestView, ProveRequest, ProveView, RemarkView,
};
use treasury_tools::console;
use treasury_tools::text::{clean, has_seed};

use crate::cli::Policy;
use crate::show::Rows;
use crate::{CtlError, answer};

pub(crate) async fn run(client: &Client, json: bool, asked: Policy) -> Result<String, CtlError> {
    match asked {
        Policy::Check { file, strict } => {
            let checked = client.policy_check(&PolicyRequest { policy: read(file)? }).await?;
            let amiss = !checked.problems.is_empty() || (strict && !checked.warnings.is_empty());
            let text = answer(json, &checked, check);
            refuse(amiss, "the table is not right", text)
        }
        Policy::Explain { file, account, to, amount, asker } => {
            let policy = read(file)?;
            let request = ExplainRequest { policy, account, destination: to, amount: amount.into(), asker };
            Ok(answer(json, &client.policy_explain(&request).await?, explain))
        }
        Policy::Test { file, since } => {
            let policy = read(Some(file))?.unwrap_or_default();
            let tested = client.policy_test(&PolicyTestRequest { policy, since }).await?;
            Ok(answer(json, &tested, test))
        }
        Policy::Prove { file, outcome, above, to, account, asker, listed, never } => {
            let (policy, above) = (read(file)?, above.map(AmountView::from));
            let request = ProveRequest { policy, outcome, above, destination: to, account, asker, listed };
            let proved = client.policy_prove(&request).await?;
            let text = answer(json, &proved, prove);
            refuse(never && proved.possible, "it can happen", text)
        }
        Policy::Activate { policy, reason } => {
            let done = client.policy_activate(&policy, &reason).await?;
            Ok(answer(json, &done, |done| format!("{}\n", done.words())))
        }
        Policy::Shadow => Ok(answer(json, &client.policy_shadow().await?, shadow)),
    }
}

fn refuse(amiss: bool, what: &'static str, answer: String) -> Result<String, CtlError> {
    if amiss { Err(CtlError::PolicyAmiss { what, answer }) } else { Ok(answer) }
}

/// The table's text; nothing where none is named.
fn read(file: Option<PathBuf>) -> Result<Option<String>, CtlError> {
    let Some(path) = file else { return Ok(None) };
    let unread = |reason| CtlError::Unread { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(&path).map_err(unread)?;
    if has_seed(&text) {
        return Err(CtlError::Usage("there is a seed in that file, and nothing was sent".to_owned()));
    }
    Ok(Some(text))
}

fn check(checked: &PolicyCheckView) -> String {
    let mut text = String::new();
    for (kind, remarks) in [("error", &checked.problems), ("warning", &checked.warnings)] {
        remarks.iter().for_each(|remark| text.push_str(&line(kind, remark)));
    }
    for (name, list) in &checked.lists {
        let fault =
            list.fault.as_ref().map(|fault| format!("; NOT GOOD: {}", clean(fault))).unwrap_or_default();
        text.push_str(&format!("list {}: {} destinations{fault}\n", clean(name), list.entries));
    }
    match &checked.policy_hash {
        Some(hash) => text.push_str(&format!("{} rules, policy {}\n", checked.rules, clean(hash))),
        None => text.push_str("the daemon would refuse it\n"),
    }
    if let Some(hash) = &checked.table_hash {
        text.push_str(&format!("put in force by people it is called {}\n", clean(hash)));
    }
    if let Some(activation) = &checked.activation {
        activated(&mut text, activation);
    }
    text
}

/// Which table is in force, and which waits.
fn activated(text: &mut String, activation: &ActivationView) {
    let wanted = |text: &mut String, by: &[AcknowledgedView]| {
        for one in by {
            let (by, at, reason) = (clean(&one.by), clean(&one.at), clean(&one.reason));
            text.push_str(&format!("  {by}, {at}: {reason}\n"));
        }
    };
    let since = |since: &Option<String>| {
        since.as_deref().map_or_else(String::new, |at| format!(" since {}", clean(at)))
    };
    text.push_str(&format!("in force: {}{}\n", clean(&activation.policy), since(&activation.since)));
    wanted(text, &activation.by);
    let (who, people) = (clean(&activation.who), clean(&activation.people.join(", ")));
    text.push_str(&format!("another is put in force by {who} ({people})\n"));
    let Some(candidate) = &activation.candidate else {
        text.push_str("none waits\n");
        return;
    };
    text.push_str(&format!("waits: {}{}\n", clean(&candidate.policy), since(&candidate.since)));
    candidate.differs.iter().for_each(|one| text.push_str(&format!("  {}\n", clean(one))));
    text.push_str(&format!("wanted by {} of {}\n", candidate.endorsed.len(), activation.wants));
    wanted(text, &candidate.endorsed);
}

fn line(kind: &str, remark: &RemarkView) -> String {
    let place = match (remark.line, remark.column) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: "),
        _ => String::new(),
    };
    let key = if remark.key.is_empty() { String::new() } else { format!("{}: ", clean(&remark.key)) };
    let advice =
        if remark.advice.is_empty() { String::new() } else { format!(" ({})", clean(&remark.advice)) };
    format!("{kind}: {place}{key}{}{advice}\n", clean(&remark.what))
}

fn explain(explained: &ExplainView) -> String {
    let decision = &explained.decision;
    let rules = decision.rules.join(", ");
    let mut text = format!("{}: {}\n", clean(&decision.action), clean(&rules));
    for demand in &decision.approvals {
        text.push_str(&format!("  {}\n", clean(&demand.words)));
    }
    if let (Some(delay), Some(window)) = (decision.delay_seconds, decision.window_seconds) {
        text.push_str(&format!("  it waits in an escrow for {delay} s and can be released for {window} s\n"));
    }
    if let Some(told) = &decision.told {
        text.push_str(&format!("  {}\n", clean(told)));
    }
    text.push_str(&format!("  risk {} of 100\n", explained.risk.score));
    for sign in &explained.risk.signs {
        text.push_str(&format!("    {} ({}): {}\n", clean(&sign.sign), sign.weight, clean(&sign.evidence)));
    }
    for rule in &explained.rules {
        let matches = if rule.matches { "matches" } else { "does not match" };
        text.push_str(&format!("{} ({}) {matches}\n", clean(&rule.rule), clean(&rule.action)));
        for miss in &rule.misses {
            text.push_str(&format!("  {}: {}\n", clean(&miss.key), clean(&miss.why)));
        }
    }
    text
}

fn test(tested: &PolicyTestView) -> String {
    let money = |amounts: &[AmountView]| {
        amounts.iter().map(|amount| clean(&amount.words())).collect::<Vec<_>>().join(", ")
    };
    let mut sums = Rows::new(["was", "would be", "count", "money"]);
    for sum in &tested.sums {
        sums.row([sum.was.clone(), sum.would.clone(), sum.count.to_string(), money(&sum.amounts)]);
    }
    let mut text = sums.shown(console::width());
    if tested.changed.is_empty() {
        text.push_str(&format!(
            "of {} proposals none would have been asked anything else\n",
            tested.proposals
        ));
        return text;
    }
    let mut changed = Rows::new(["proposal", "at", "amount", "was", "would be", "money"]);
    for change in &tested.changed {
        changed.row([
            change.proposal.clone(),
            change.at.clone(),
            money(std::slice::from_ref(&change.amount)),
            format!("{}: {}", change.was, change.rules_then),
            format!("{}: {}", change.would, change.rules),
            if change.left { "left".to_owned() } else { "did not leave".to_owned() },
        ]);
    }
    text.push_str(&changed.shown(console::width()));
    if tested.left_off > 0 {
        text.push_str(&format!("and {} older ones\n", tested.left_off));
    }
    text
}

fn prove(proved: &ProveView) -> String {
    match &proved.example {
        Some(example) if proved.possible => {
            let rules = if proved.rules.is_empty() { "no rule".to_owned() } else { proved.rules.join(", ") };
            let action = proved.action.as_deref().unwrap_or_default();
            format!("yes: {}\n  {} by {}\n", clean(example), clean(action), clean(&rules))
        }
        _ => "no: no payment that can be asked for\n".to_owned(),
    }
}

fn shadow(said: &PolicyShadowView) -> String {
    let Some(hash) = &said.policy_hash else {
        return "no second policy decides beside the one in force (`shadow` in the configuration)\n"
            .to_owned();
    };
    let mut text = format!("{} rules, policy {}\n", said.rules, clean(hash));
    let since = said.since.as_deref().map_or_else(String::new, |at| format!(" since {}", clean(at)));
    text.push_str(&format!(
        "asked about {} payments and moves{since}: {} stricter, {} laxer, {} otherwise\n",
        said.decided, said.stricter, said.laxer, said.otherwise
    ));
    if said.differences.is_empty() {
        return text;
    }
    let mut rows = Rows::new(["proposal", "at", "account", "amount", "was", "would be", "which is"]);
    for one in &said.differences {
        rows.row([
            one.proposal.clone(),
            one.at.clone(),
            one.account.short().to_owned(),
            one.amount.as_ref().map_or_else(String::new, AmountView::words),
            format!("{}: {}", one.was, one.rules_then),
            format!("{}: {}", one.would, one.rules),
            one.turn.clone(),
        ]);
    }
    text.push_str(&rows.shown(console::width()));
    if said.left_off > 0 {
        text.push_str(&format!("and {} older ones\n", said.left_off));
    }
    text
}
