//! What entries say, in sentences.

use std::collections::BTreeSet;

use serde_json::Value;

/// The text at a path of fields; empty where there is none.
fn at<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    find(value, path).and_then(Value::as_str).unwrap_or_default()
}

fn find<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, field| value.get(field))
}

/// A number or a text as it is shown.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// When an entry was made: UTC.
#[must_use]
pub fn moment(said: &Value) -> &str {
    at(said, &["at"])
}

/// Who is named in what was said as having done it.
#[must_use]
pub fn people(said: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather(said, &mut found);
    found
}

fn gather(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(person) if matches!(name.as_str(), "person" | "by") => {
                        found.insert(person.clone());
                    }
                    field => gather(field, found),
                }
            }
        }
        _ => {}
    }
}

/// The proposals, stops and findings that it is about.
#[must_use]
pub fn about(said: &Value) -> Vec<String> {
    let listed = said.get("about").and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What it says, a sentence for each thing that happened.
#[must_use]
pub fn sentences(said: &Value) -> Vec<String> {
    let of_events = said.get("events").and_then(Value::as_array).into_iter().flatten();
    let mut told: Vec<String> = of_events.map(|event| sentence(said, event)).collect();
    match at(said, &["kind"]) {
        "began" => told.push(format!(
            "The audit log begins after record {}: {}",
            shown(said.get("record")),
            at(said, &["reason"])
        )),
        "started" => told.push(format!(
            "The daemon started: version {}, policy {}",
            at(said, &["version"]),
            at(said, &["policy"])
        )),
        "configured" => {
            told.push(format!("The configuration was read anew: policy {}", at(said, &["policy"])))
        }
        "configuration" => told.push(configuration(said)),
        "stopped" => told.push("The daemon stopped in order".to_owned()),
        "removed" => told.push(format!("Removed from the audit log: {}", at(said, &["what"]))),
        "knocks" => {
            let rows = said.get("rows").and_then(Value::as_array).into_iter().flatten();
            told.extend(rows.map(knock));
        }
        _ => {}
    }
    told
}

fn configuration(said: &Value) -> String {
    let hash = at(said, &["hash"]);
    let Some(changed) = said.get("changed").and_then(Value::as_array) else {
        return format!("The configuration that the daemon works by is {hash}; none before it is known here");
    };
    let changed: Vec<&str> = changed.iter().filter_map(Value::as_str).collect();
    format!(
        "The configuration that the daemon works by is another one, {hash}: {} changed",
        changed.join(", ")
    )
}

fn knock(row: &Value) -> String {
    let person = at(row, &["person"]);
    let who = if person.is_empty() { "Somebody without a name" } else { person };
    let times = match row.get("times").and_then(Value::as_u64) {
        Some(1) | None => String::new(),
        Some(times) => format!(", {times} times until {}", at(row, &["last"])),
    };
    let (origin, source) = (at(row, &["origin"]), at(row, &["address"]));
    let place = if source.is_empty() { String::new() } else { format!(" from {source}") };
    let came = match at(row, &["code"]) {
        "DONE" => "was let in, or did it".to_owned(),
        "UNCHANGED" => "changed nothing by it".to_owned(),
        code => format!("was refused with {code}"),
    };
    let operation = at(row, &["operation"]);
    format!("{who} asked for {operation} by {origin}{place} and {came}{times}")
}

fn named(said: &Value, address: &str) -> String {
    match at(said, &["names", address]) {
        "" => address.to_owned(),
        name => format!("{name} ({address})"),
    }
}

fn reason(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

fn source(value: Option<&Value>) -> String {
    match value {
        Some(Value::Object(fields)) => {
            fields.values().next().map(|value| shown(Some(value))).unwrap_or_default()
        }
        other => shown(other),
    }
}

fn intent(said: &Value, proposal: &Value) -> String {
    let intent = proposal.get("intent").cloned().unwrap_or_default();
    let account = named(said, at(proposal, &["account"]));
    let to = match at(&intent, &["destination"]) {
        "" => String::new(),
        address => format!(" to {}", named(said, address)),
    };
    let amount = match intent.get("amount") {
        None => String::new(),
        // Whole drops of XRP.
        Some(Value::String(drops)) if drops.bytes().all(|digit| digit.is_ascii_digit()) => {
            let xrp = drops.parse::<xrpl_wire::Drops>();
            xrp.map_or_else(|_| format!(" {drops} drops"), |drops| format!(" {} XRP", drops.to_xrp_string()))
        }
        Some(amount) => match serde_json::from_value::<xrpl_wire::Amount>(amount.clone()) {
            Ok(amount) => format!(" {}", amount.words()),
            Err(_) => format!(" {}", shown(Some(amount))),
        },
    };
    format!("{}{amount} from {account}{to}", at(&intent, &["type"]).replace('_', " "))
}

fn decision(decision: &Value) -> String {
    let rules: Vec<String> = match decision.get("rules").and_then(Value::as_array) {
        Some(rules) => rules.iter().map(|rule| shown(Some(rule))).collect(),
        None => vec![shown(decision.get("rule"))],
    };
    format!("{} by rule {} of policy {}", asks(decision), rules.join(", "), at(decision, &["policy_hash"]))
}

/// What a decision asks for, and whether people are told of it.
fn asks(decision: &Value) -> String {
    let told = if decision.get("obligations").and_then(|asked| asked.get("told")).is_some() {
        ", people are told"
    } else {
        ""
    };
    format!("{}{told}", demands(decision))
}

fn demands(decision: &Value) -> String {
    let Some(asked) = decision.get("obligations") else {
        // As records of earlier versions have it.
        return at(decision, &["action", "action"]).to_owned();
    };
    let is = |field: &str| asked.get(field).is_some_and(|value| *value == Value::Bool(true));
    if is("deny") {
        return "denied".to_owned();
    }
    let mut parts = Vec::new();
    let approvals = asked.get("approvals").and_then(Value::as_array).map_or(0, Vec::len);
    if approvals > 0 {
        parts.push("people have to sign".to_owned());
    }
    if let Some(delay) = asked.get("delay") {
        let seconds = shown(delay.get("delay_seconds").or_else(|| delay.get("seconds")));
        parts.push(format!("through an escrow of {seconds} s").replace(" of  s", ""));
    }
    if is("void") {
        parts.push("with a void".to_owned());
    }
    if parts.is_empty() { "allowed".to_owned() } else { parts.join(", ") }
}

fn sentence(said: &Value, event: &Value) -> String {
    let proposal = format!("P{}", shown(event.get("proposal")));
    let text = |path: &[&str]| at(event, path).to_owned();
    match at(event, &["event"]) {
        "command_taken" => {
            let asked = event.get("asked").cloned().unwrap_or_default();
            let place = match at(&asked, &["address"]) {
                "" => String::new(),
                address => format!(" from {address}"),
            };
            let (person, operation) = (at(&asked, &["person"]), at(&asked, &["operation"]));
            format!("{person} asked for {operation} by {}{place}", at(&asked, &["origin"]))
        }
        "proposal_drafted" => {
            let drafted = event.get("proposal").cloned().unwrap_or_default();
            let asker = source(drafted.get("asker"));
            let note = reason(at(&drafted, &["note"]));
            let decided = drafted.get("decision").map(decision).unwrap_or_default();
            let id = shown(drafted.get("id"));
            let schedule = match drafted.get("occurrence") {
                Some(occurrence) => format!(" for schedule \"{}\"", shown(occurrence.get("schedule"))),
                None => String::new(),
            };
            format!(
                "P{id} was asked for by {asker}{schedule}: {}{note}. Decided: {decided}",
                intent(said, &drafted)
            )
        }
        "redecided" => {
            format!(
                "{proposal} was decided anew: {}",
                event.get("decision").map(decision).unwrap_or_default()
            )
        }
        "proposal_planned" => format!("{proposal} was planned, with a place in the account's order"),
        "rungs_frozen" => format!("The transaction of {proposal} was fixed, to be signed"),
        "approved" => {
            let person = text(&["approval", "person"]);
            let signer = named(said, at(event, &["approval", "signer"]));
            let who = if person.is_empty() { "an agent of the daemon".to_owned() } else { person };
            format!("{proposal} was signed by {who}, as {signer}")
        }
        "approval_dropped" => {
            let signer = named(said, at(event, &["signer"]));
            format!("The approval of {proposal} by {signer} counts no more{}", reason(&text(&["reason"])))
        }
        "objected" => {
            let why = reason(&text(&["rejection", "reason"]));
            format!("{} spoke against {proposal}{why}", text(&["person"]))
        }
        "status_changed" => match event.get("ready").and_then(Value::as_bool) {
            Some(true) => format!("{proposal} has the approvals that it needs"),
            _ => format!("{proposal} lacks approvals"),
        },
        "submission_recorded" | "submission_renewed" => format!("{proposal} is about to be sent"),
        "submit_replied" => format!("A server said of {proposal}: {}", text(&["reply"])),
        "proposal_ended" => {
            let (status, result) = (text(&["status", "status"]), text(&["status", "result"]));
            let tx = text(&["status", "tx_id"]);
            let tx = if tx.is_empty() { tx } else { format!(", transaction {tx}") };
            let result = if result.is_empty() { result } else { format!(" with {result}") };
            format!("{proposal} ended: {status}{result}{tx}{}", reason(&text(&["status", "reason"])))
        }
        "stop_set" => {
            let stop = event.get("stop").cloned().unwrap_or_default();
            let by = source(stop.get("source"));
            let (id, kind, why) = (shown(stop.get("id")), at(&stop, &["kind"]), at(&stop, &["reason"]));
            format!("Stop S{id} ({kind}) was set on {} by {by}{}", subject(said, &stop), reason(why))
        }
        "stop_lifted" => {
            let id = shown(event.get("id"));
            format!("Stop S{id} was lifted by {}{}", text(&["by"]), reason(&text(&["reason"])))
        }
        "found" => {
            let finding = event.get("finding").cloned().unwrap_or_default();
            let (id, kind) = (shown(finding.get("id")), at(&finding, &["kind"]));
            let severity = at(&finding, &["severity"]);
            format!("Finding F{id} ({kind}, {severity}){}", reason(at(&finding, &["evidence"])))
        }
        "finding_acknowledged" => {
            let done = event.get("acknowledged").cloned().unwrap_or_default();
            let (id, by) = (shown(event.get("id")), at(&done, &["by"]));
            format!("Finding F{id} was looked at by {by}{}", reason(at(&done, &["reason"])))
        }
        "finding_over" => format!("Finding F{} is so no longer", shown(event.get("id"))),
        "notices_acknowledged" => {
            let done = event.get("acknowledged").cloned().unwrap_or_default();
            let notices = event.get("notices").and_then(Value::as_array).cloned().unwrap_or_default();
            let notices: Vec<String> = notices.iter().map(|id| shown(Some(id))).collect();
            let by = at(&done, &["by"]);
            format!("{by} looks after {}{}", notices.join(", "), reason(at(&done, &["reason"])))
        }
        "breaker_opened" => format!("A circuit breaker opened{}", reason(&text(&["reason"]))),
        "breaker_closed" => format!("A circuit breaker was closed by {}", text(&["by"])),
        "schedule_reached" => format!("Schedule \"{}\" has come to its next time", text(&["schedule"])),
        "schedule_gone" => format!("Schedule \"{}\" is not declared any more", text(&["schedule"])),
        "policy_adopted" => {
            "The policy that is configured is in force, and others are put in force by people".to_owned()
        }
        "policy_proposed" => "Another policy is configured, and waits for people".to_owned(),
        "policy_endorsed" => {
            let why = reason(&text(&["endorsement", "reason"]));
            format!("{} wants policy {} in force{why}", text(&["by"]), text(&["policy"]))
        }
        "policy_activated" => format!("Policy {} is in force", text(&["policy"])),
        "destinations_adopted" => {
            "Whoever is in the address book is known, and whoever comes to be there is confirmed by people"
                .to_owned()
        }
        "destination_proposed" => {
            format!("{} has come to the address book, and waits for people", text(&["destination"]))
        }
        "destination_confirmed" => {
            let why = reason(&text(&["endorsement", "reason"]));
            format!("{} confirms {}{why}", text(&["by"]), text(&["destination"]))
        }
        "destination_admitted" => {
            format!("{} is confirmed, and known when it has cooled", text(&["destination"]))
        }
        "destination_withdrawn" => format!("{} is in the address book no more", text(&["destination"])),
        "policy_withdrawn" => {
            format!("Policy {} waits no more: the one in force is configured again", text(&["policy"]))
        }
        "guard_said" => match event.get("refusal") {
            Some(Value::Null) | None => format!("The guard agrees to {proposal} again"),
            Some(refusal) => format!(
                "The guard does not give its part of {proposal}: {} ({})",
                shown(refusal.get("reason")),
                shown(refusal.get("code"))
            ),
        },
        "escrow_revealed" => format!("The release of escrow {} was begun", shown(event.get("escrow"))),
        "sight_changed" => match event.get("sight") {
            Some(Value::String(sight)) => format!("Sight of the ledger: {sight}"),
            other => format!("Sight of the ledger: {}", shown(other)),
        },
        "ledger_taken" => format!("Ledger {} was taken in", shown(find(event, &["index"]))),
        "accounts_read" => format!("{} accounts were read anew", shown(event.get("accounts"))),
        "slot_freed" => format!("The place of {proposal} in its account's order is free again"),
        "proposal_archived" => format!("{proposal} went to the archive"),
        other => {
            let of = if event.get("proposal").is_some() { format!(" ({proposal})") } else { String::new() };
            format!("{}{of}", other.replace('_', " "))
        }
    }
}

fn subject(said: &Value, stop: &Value) -> String {
    match stop.get("subject") {
        Some(Value::String(word)) => word.clone(),
        Some(Value::Object(fields)) => fields
            .iter()
            .map(|(kind, value)| match value {
                Value::String(text) => format!("{kind} {}", named(said, text)),
                other => format!("{kind} {other}"),
            })
            .collect::<Vec<_>>()
            .join(" "),
        other => shown(other),
    }
}
