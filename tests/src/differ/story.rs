//! A difference as a recorded story.

use serde_json::{Map, Value, json};
use xrpl_wire::{KeyPair, Seed};

use super::{Lived, Opponent, OpponentError};

/// The story of a life up to where something came out otherwise, with the server's answers.
///
/// # Errors
/// The server does not tell its last state.
pub fn story(opponent: &Opponent, name: &str, lived: &Lived) -> Result<Value, OpponentError> {
    let steps = lived.difference.iter().flat_map(|difference| difference.steps.clone());
    let steps: Vec<Value> = steps.collect();
    let text = lived.difference.as_ref().map_or("", |difference| difference.text.as_str());
    let closes = steps.iter().rev().filter(|step| step["op"] == "close");
    let last = closes.map(|step| step["expect"]["ledger_index"].clone()).next();
    let last = last.unwrap_or_else(|| lived.genesis["ledger"]["ledger_index"].clone());
    Ok(json!({
        "name": name,
        "about": format!("The last step came out otherwise on the embedded ledger: {text}"),
        "keys": keys(&lived.seeds),
        "genesis": lived.genesis,
        "steps": steps,
        "final_state": opponent.state(&last)?,
    }))
}

fn keys(seeds: &[(String, String)]) -> Map<String, Value> {
    let key = |(name, text): &(String, String)| {
        let seed: Seed = text.parse().ok()?;
        let pair = KeyPair::from_seed(&seed);
        let (address, key) = (pair.account_id().to_string(), pair.public_key().to_string());
        Some((name.clone(), json!({"seed": text, "address": address, "public_key": key})))
    };
    seeds.iter().filter_map(key).collect()
}
