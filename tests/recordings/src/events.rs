//! Events as earlier releases wrote them: what they say in the words of this one, and whether all of it is still there.

use serde_json::{Map, Value, json};

/// Whether everything that was written down is still there. What was added since may be more.
pub fn holds(now: &Value, then: &Value) -> bool {
    let is_nothing = |value: &Value| value.is_null() || value.as_object().is_some_and(|map| map.is_empty());
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            then.iter().all(|(name, value)| now.get(name).map_or(is_nothing(value), |now| holds(now, value)))
        }
        (Value::Array(now), Value::Array(then)) => {
            now.len() == then.len() && now.iter().zip(then).all(|(now, then)| holds(now, then))
        }
        (now, then) => now == then,
    }
}

/// What a line of an earlier version says in the words of this one: a decision named one rule and its action, and a plan
/// one demand at most.
pub fn in_present_words(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(in_present_words).collect(),
        Value::Object(fields) => {
            let mut fields: Map<String, Value> =
                fields.iter().map(|(name, value)| (name.clone(), in_present_words(value))).collect();
            if fields.contains_key("rule")
                && let (Some(rule), Some(action)) = (fields.remove("rule"), fields.remove("action"))
            {
                fields.insert("rules".to_owned(), json!([rule]));
                fields.insert("obligations".to_owned(), obligations(&action));
            }
            if fields.contains_key("last_ledger_sequence")
                && let Some(one) = fields.get_mut("approvers").filter(|approvers| !approvers.is_array())
            {
                *one = if one.is_null() { json!([]) } else { json!([one]) };
            }
            Value::Object(fields)
        }
        other => other.clone(),
    }
}

fn obligations(action: &Value) -> Value {
    let asked = json!([action["approvers"]]);
    match action["action"].as_str().unwrap_or_default() {
        "allow" => json!({}),
        "approve" => json!({ "approvals": [{ "weight": action["weight"], "roles": action["roles"] }] }),
        "delay" => {
            let (delay, window) = (&action["delay_seconds"], &action["window_seconds"]);
            json!({ "approvals": asked, "delay": { "delay_seconds": delay, "window_seconds": window } })
        }
        "deny" => json!({ "deny": true }),
        // No action that was ever written; whatever is compared with it differs.
        _ => Value::Null,
    }
}
