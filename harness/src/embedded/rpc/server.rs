//! The server about itself: `server_info`, `server_state`, `fee`, `ping`, `random`, `version`, `feature`,
//! `wallet_propose`.

use serde_json::{Map, Value};
use xrpl_wire::{Drops, Hash256, KeyPair, KeyType, Seed, index, sf, sha512_half};

use super::error::{Failure, RpcError, RpcResult};
use super::{Call, Port, fields, text};
use crate::embedded::Ledger;
use crate::embedded::{Amendment, Generation, Standing};

/// The node's key, which a standalone server has and never uses. The same for all.
pub(super) const PUBKEY_NODE: &str = "n9L6mAa1rSwjxxwRnAgosQTXLuq7xTi7Wfit4suRjnKg7eC2SHrM";

/// The load level of an idle server, in which all levels are counted.
const LEVEL_BASE: u64 = 256;

/// What `wallet_propose` says of a seed made from a text that people think of: of one that is short or repeats itself,
/// and of any other.
const WEAK_PASSPHRASE: &str = "This wallet was generated using a user-supplied passphrase that has low entropy and is \
                               vulnerable to brute-force attacks.";
const PASSPHRASE: &str = "This wallet was generated using a user-supplied passphrase. It may be vulnerable to \
                          brute-force attacks.";

/// So many bits are enough for the milder of the two.
const PASSPHRASE_BITS: f64 = 80.0;

/// So many seconds old a ledger never is: the server takes that for a clock that is not set, and says 0.
const AGE_MAX: u32 = 1_000_000;

/// How many transactions may wait at a standalone server before its first ledger says so.
const QUEUE_SIZE_MAX: u64 = 20_000;

pub(super) fn server_info<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let mut info = common(ledger, call);
    let closed = ledger.validated();
    let age = call.facts.now.0.saturating_sub(closed.header.close_time.0);
    let age = if age < AGE_MAX { age } else { 0 };
    info.insert("hostid".to_owned(), "embedded".into());
    info.insert("last_close".to_owned(), last_close("converge_time_s", "0.1"));
    let metrics = ledger.queue_metrics();
    let load = metrics.open_ledger_level.max(LEVEL_BASE);
    info.insert("load_factor".to_owned(), in_base_fees(load));
    if load != LEVEL_BASE {
        // The part that is the server's own, which is at rest.
        info.insert("load_factor_server".to_owned(), 1.into());
        if call.admin {
            info.insert("load_factor_fee_escalation".to_owned(), in_base_fees(load));
        }
    }
    if metrics.minimum_level != LEVEL_BASE {
        info.insert("load_factor_fee_queue".to_owned(), in_base_fees(metrics.minimum_level));
    }
    info.insert(
        "validated_ledger".to_owned(),
        Value::Object(fields([
            ("age", age.into()),
            ("base_fee_xrp", xrp(closed.fees.base_fee)),
            ("hash", closed.hash.to_string().into()),
            ("reserve_base_xrp", xrp(closed.fees.reserve_base)),
            ("reserve_inc_xrp", xrp(closed.fees.reserve_inc)),
            ("seq", closed.header.index.into()),
        ])),
    );
    if call.admin {
        let list =
            fields([("count", 0.into()), ("expiration", "unknown".into()), ("status", "unknown".into())]);
        info.insert("validator_list".to_owned(), Value::Object(list));
    }
    Ok(fields([("info", Value::Object(info))]))
}

pub(super) fn server_state<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let mut state = common(ledger, call);
    let closed = ledger.validated();
    state.insert("last_close".to_owned(), last_close("converge_time", "100"));
    let metrics = ledger.queue_metrics();
    for (name, level) in [
        ("load_base", LEVEL_BASE),
        ("load_factor", metrics.open_ledger_level.max(LEVEL_BASE)),
        ("load_factor_fee_escalation", metrics.open_ledger_level),
        ("load_factor_fee_queue", metrics.minimum_level),
        ("load_factor_fee_reference", LEVEL_BASE),
        ("load_factor_server", LEVEL_BASE),
    ] {
        state.insert(name.to_owned(), level.into());
    }
    state.insert(
        "validated_ledger".to_owned(),
        Value::Object(fields([
            ("base_fee", closed.fees.base_fee.get().into()),
            ("close_time", closed.header.close_time.0.into()),
            ("hash", closed.hash.to_string().into()),
            ("reserve_base", closed.fees.reserve_base.get().into()),
            ("reserve_inc", closed.fees.reserve_inc.get().into()),
            ("seq", closed.header.index.into()),
        ])),
    );
    if call.admin {
        state.insert("validator_list_expires".to_owned(), 0.into());
    }
    Ok(fields([("state", Value::Object(state))]))
}

/// What both methods say. The figures about peers, load and time in each state are those of a server that
/// does nothing else.
fn common(ledger: &Ledger, call: &Call<'_>) -> Map<String, Value> {
    let facts = call.facts;
    let micros = facts.uptime_seconds.saturating_mul(1_000_000).to_string();
    let state = |duration: &str, transitions: &str| {
        Value::Object(fields([("duration_us", duration.into()), ("transitions", transitions.into())]))
    };
    let port = |port: &Port| {
        let protocols: Vec<Value> = vec![port.protocol.into()];
        Value::Object(fields([("port", port.number.to_string().into()), ("protocol", protocols.into())]))
    };
    // An administrator's ports are nobody else's business.
    let ports = facts.ports.iter().filter(|port| call.admin || !port.admin);
    let last = ledger.validated().header.index;
    let mut info = fields([
        ("build_version", ledger.rules().generation().version().into()),
        ("complete_ledgers", text::complete_ledgers(facts.first_held(), last).into()),
        ("initial_sync_duration_us", "0".into()),
        ("io_latency_ms", 1.into()),
        ("jq_trans_overflow", "0".into()),
        ("peer_disconnects", "0".into()),
        ("peer_disconnects_resources", "0".into()),
        ("peers", 0.into()),
        ("ports", ports.map(port).collect()),
        ("pubkey_node", PUBKEY_NODE.into()),
        ("server_state", "full".into()),
        ("server_state_duration_us", micros.clone().into()),
        (
            "state_accounting",
            Value::Object(fields([
                ("connected", state("0", "0")),
                ("disconnected", state("0", "1")),
                ("full", state(&micros, "1")),
                ("syncing", state("0", "0")),
                ("tracking", state("0", "0")),
            ])),
        ),
        ("time", text::human_time_micros(facts.now).into()),
        ("uptime", facts.uptime_seconds.into()),
        ("validation_quorum", 0.into()),
    ]);
    // Who is configured with network 0 says so; who is not configured says nothing.
    if let Some(network_id) = facts.network_id {
        info.insert("network_id".to_owned(), network_id.into());
    }
    if call.admin {
        let load = fields([("job_types", Value::Array(Vec::new())), ("threads", 1.into())]);
        info.insert("load".to_owned(), Value::Object(load));
        info.insert("node_size".to_owned(), "small".into());
        info.insert("pubkey_validator".to_owned(), "none".into());
    }
    info
}

fn last_close(name: &str, time: &str) -> Value {
    Value::Object(fields([(name, decimal(time)), ("proposers", 0.into())]))
}

/// A fee level as a number of least fees. A 256th has no more than eight decimals.
fn in_base_fees(level: u64) -> Value {
    let (whole, rest) = (level / LEVEL_BASE, level % LEVEL_BASE);
    let decimals = format!("{:08}", rest.saturating_mul(100_000_000) / LEVEL_BASE);
    match decimals.trim_end_matches('0') {
        "" => whole.into(),
        decimals => decimal(&format!("{whole}.{decimals}")),
    }
}

/// Drops as a number of XRP.
fn xrp(drops: Drops) -> Value {
    decimal(&drops.to_xrp_string())
}

/// A decimal number written out, without going through arithmetic on floats.
fn decimal(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

pub(super) fn fee(ledger: &Ledger, _: &Call<'_>) -> RpcResult {
    let base = ledger.validated().fees.base_fee.get();
    // What is only told of is rounded down. What gets into the open ledger has to be enough for it.
    let drops = |level: u64| (base.saturating_mul(level) / LEVEL_BASE).to_string();
    let enough = |level: u64| base.saturating_mul(level).div_ceil(LEVEL_BASE).to_string();
    let metrics = ledger.queue_metrics();
    Ok(fields([
        ("current_ledger_size", metrics.ledger_size.to_string().into()),
        ("current_queue_size", metrics.queue_size.to_string().into()),
        (
            "drops",
            Value::Object(fields([
                ("base_fee", base.to_string().into()),
                ("median_fee", drops(metrics.median_level).into()),
                ("minimum_fee", drops(metrics.minimum_level).into()),
                ("open_ledger_fee", enough(metrics.open_ledger_level).into()),
            ])),
        ),
        ("expected_ledger_size", metrics.ledger_size_expected.to_string().into()),
        ("ledger_current_index", ledger.open().index().into()),
        (
            "levels",
            Value::Object(fields([
                ("median_level", metrics.median_level.to_string().into()),
                ("minimum_level", metrics.minimum_level.to_string().into()),
                ("open_ledger_level", metrics.open_ledger_level.to_string().into()),
                ("reference_level", LEVEL_BASE.to_string().into()),
            ])),
        ),
        ("max_queue_size", metrics.queue_size_max.unwrap_or(QUEUE_SIZE_MAX).to_string().into()),
    ]))
}

pub(super) fn ping(_: &Ledger, call: &Call<'_>) -> RpcResult {
    let mut result = Map::new();
    if call.admin {
        result.insert("role".to_owned(), "admin".into());
        if call.ws {
            result.insert("unlimited".to_owned(), true.into());
        }
    }
    Ok(result)
}

pub(super) fn random(_: &Ledger, call: &Call<'_>) -> RpcResult {
    Ok(fields([("random", hex::encode_upper(call.facts.entropy).into())]))
}

pub(super) fn version(_: &Ledger, call: &Call<'_>) -> RpcResult {
    let version = if call.api_version > 1 {
        fields([("first", 1.into()), ("last", 2.into())])
    } else {
        fields([("first", "1.0.0".into()), ("good", "1.0.0".into()), ("last", "1.0.0".into())])
    };
    Ok(fields([("version", Value::Object(version))]))
}

/// Amendments that came to nothing, and which a server goes on supporting as long as it knows them.
const OBSOLETE: [Amendment; 4] = [
    Amendment::CryptoConditionsSuite,
    Amendment::NonFungibleTokensV1,
    Amendment::FixNFTokenDirV1,
    Amendment::FixNFTokenNegOffer,
];

/// Whether a server of this generation would go on working if an amendment were enabled.
fn is_supported(amendment: Amendment, generation: Generation) -> bool {
    match amendment.standing(generation) {
        Standing::Genesis | Standing::Retired => true,
        Standing::Off => OBSOLETE.contains(&amendment),
        Standing::Unknown => false,
    }
}

pub(super) fn feature<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    let generation = ledger.rules().generation();
    let enabled: Vec<Hash256> = ledger
        .validated()
        .state
        .object(&index::amendments())
        .and_then(|entry| entry.vector256(sf::Amendments))
        .unwrap_or_default()
        .to_vec();
    let supported: Vec<Amendment> =
        Amendment::ALL.iter().copied().filter(|amendment| is_supported(*amendment, generation)).collect();
    let named = |id: &Hash256| supported.iter().find(|amendment| amendment.id() == *id);
    let describe = |id: &Hash256| {
        let amendment = named(id).copied();
        let mut json =
            fields([("enabled", enabled.contains(id).into()), ("supported", amendment.is_some().into())]);
        if let Some(amendment) = amendment {
            json.insert("name".to_owned(), amendment.name().into());
        }
        if call.admin && !enabled.contains(id) {
            // Nobody can vote for what is obsolete or in force anyway; a server votes against all else.
            let votable =
                amendment.is_none_or(|amendment| amendment.standing(generation) == Standing::Genesis);
            let vetoed = if votable { true.into() } else { Value::from("Obsolete") };
            json.insert("vetoed".to_owned(), vetoed);
        }
        Value::Object(json)
    };
    if !call.params.has("feature") {
        let mut ids: Vec<Hash256> = supported.iter().map(|amendment| amendment.id()).collect();
        ids.extend(&enabled);
        let features: Map<String, Value> = ids.iter().map(|id| (id.to_string(), describe(id))).collect();
        return Ok(fields([("features", Value::Object(features))]));
    }
    if call.params.has("vetoed") {
        // Votes are for validators.
        return Err(if call.admin { RpcError::NotSupported } else { RpcError::NoPermission }.into());
    }
    let asked = call.params.get("feature").as_str().ok_or(RpcError::InvalidParams)?;
    let id = match supported.iter().find(|amendment| amendment.name() == asked) {
        Some(amendment) => amendment.id(),
        None => super::params::hash(asked).ok_or(RpcError::BadFeature)?,
    };
    if !enabled.contains(&id) && named(&id).is_none() {
        return Err(RpcError::BadFeature.into());
    }
    Ok(fields([(id.to_string().as_str(), describe(&id))]))
}

pub(super) fn wallet_propose(_: &Ledger, call: &Call<'_>) -> RpcResult {
    let params = call.params;
    let key_type = match params.get("key_type") {
        Value::Null if !params.has("key_type") => None,
        Value::String(name) => Some(super::secret::key_type(name).ok_or(RpcError::InvalidParams)?),
        _ => return Err(Failure::expected_field("key_type", "string")),
    };
    let seed = if ["passphrase", "seed", "seed_hex"].iter().any(|name| params.has(name)) {
        super::secret::seed(&params, key_type)?
    } else {
        // The entropy of the request is hashed, so that `random` in the same moment does not tell it.
        let Hash256(hash) = sha512_half(&[b"wallet_propose", &call.facts.entropy]);
        let mut entropy = [0; 16];
        entropy.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Seed::from_entropy(entropy, key_type.unwrap_or(KeyType::Secp256k1))
    };
    let keys = KeyPair::from_seed(&seed);
    let entropy = super::secret::entropy(&seed).unwrap_or_default();
    // The seed is shown in the form that says nothing of the kind of key.
    let plain = Seed::from_entropy(entropy, KeyType::Secp256k1);
    let mut result = fields([
        ("account_id", keys.account_id().to_string().into()),
        ("key_type", seed.key_type().name().into()),
        ("master_key", super::english::from_seed(entropy).into()),
        ("master_seed", plain.to_base58().as_str().into()),
        ("master_seed_hex", hex::encode_upper(entropy).into()),
        ("public_key", super::secret::write_account_public(keys.public_key().as_bytes()).into()),
        ("public_key_hex", keys.public_key().to_string().into()),
    ]);
    if let Some(passphrase) = params.get("passphrase").as_str()
        // A seed in the form of client libraries is no passphrase.
        && passphrase.parse::<Seed>().is_err()
        && ![plain.to_base58().as_str(), &hex::encode_upper(entropy), &super::english::from_seed(entropy)]
            .contains(&passphrase)
    {
        let warning = if bits_of(passphrase) < PASSPHRASE_BITS { WEAK_PASSPHRASE } else { PASSPHRASE };
        result.insert("warning".to_owned(), warning.into());
    }
    Ok(result)
}

/// The bits that it takes to write a text, if each of its bytes comes as often as it does in it; whole ones.
#[expect(clippy::float_arithmetic, reason = "an estimate that only chooses a warning, and no money")]
fn bits_of(text: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::new();
    let mut length = 0.0;
    for byte in text.bytes() {
        *counts.entry(byte).or_insert(0.0) += 1.0;
        length += 1.0;
    }
    let by_byte = counts.values().map(|count: &f64| count / length * (count / length).log2());
    (-by_byte.sum::<f64>() * length).floor()
}
