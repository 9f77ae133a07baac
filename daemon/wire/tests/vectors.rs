//! Everything the real server recorded reads, writes back to the same bytes, shows the same JSON and hashes
//! to the same hashes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::HashMap;

use serde_json::Value as Json;
use support::{bytes, steps, stories};
use xrpl_wire::{
    Hash256, LedgerEntryType, LedgerHeader, Metadata, NodeKind, Object, RippleTime, TxResult, sf, tree,
};

/// Bytes to object, back to bytes, to JSON, back to bytes: all the same. Returns the object.
fn round_trip(what: &str, blob: &[u8]) -> Object {
    let object =
        Object::decode(blob).unwrap_or_else(|error| panic!("{what}: {error}: {}", hex::encode_upper(blob)));
    assert_eq!(hex::encode_upper(object.encode().unwrap()), hex::encode_upper(blob), "{what}");
    let json = object.to_json();
    let again = Object::from_json(&json).unwrap_or_else(|error| panic!("{what}: {error}: {json}"));
    assert_eq!(again, object, "{what}");
    assert_eq!(again.encode().unwrap(), blob, "{what}");
    object
}

fn hash(json: &Json) -> Hash256 {
    json.as_str().unwrap().parse().unwrap()
}

fn u32_of(json: &Json) -> u32 {
    u32::try_from(json.as_u64().unwrap()).unwrap()
}

fn u8_of(json: &Json) -> u8 {
    u8::try_from(json.as_u64().unwrap()).unwrap()
}

#[test]
fn every_recorded_transaction_and_its_metadata_round_trips() {
    let mut count = 0;
    for (name, story) in stories() {
        for close in steps(&story, "close") {
            // Recorded in the order of the tree; the index tells the order of application.
            let transactions = close["expect"]["transactions"].as_array().unwrap();
            let mut places = Vec::new();
            for transaction in transactions {
                let blob = bytes(&transaction["tx_blob"]);
                round_trip(&name, &blob);
                let meta_blob = bytes(&transaction["meta"]);
                round_trip(&name, &meta_blob);
                let meta = Metadata::decode(&meta_blob).unwrap();
                places.push(meta.transaction_index);
                assert!(meta.result.is_tes() || meta.result.is_tec());
                assert_eq!(meta.encode().unwrap(), meta_blob);
                count += 1;
            }
            places.sort_unstable();
            assert!(places.iter().copied().eq(0..u32::try_from(transactions.len()).unwrap()), "{name}");
        }
    }
    assert!(count > 450, "only {count} transactions");
    println!("{count} transactions with metadata");
}

#[test]
fn every_submitted_transaction_has_the_recorded_id_and_result() {
    let (mut count, mut refused) = (0, 0);
    for (name, story) in stories() {
        for step in steps(&story, "submit") {
            let expect = &step["expect"];
            let Some(engine_result) = expect["engine_result"].as_str() else {
                // What the server itself could not read need not be readable; what is, must round-trip.
                let Some(blob) = step["tx_blob"].as_str().and_then(|text| hex::decode(text).ok()) else {
                    continue;
                };
                if let Ok(object) = Object::decode(&blob) {
                    assert_eq!(object.encode().unwrap(), blob, "{name}");
                }
                refused += 1;
                continue;
            };
            let result = TxResult::from_name(engine_result).unwrap();
            assert_eq!(i64::from(result.code()), expect["engine_result_code"].as_i64().unwrap(), "{name}");
            assert_eq!(result.message(), expect["engine_result_message"], "{name}");
            let blob = bytes(&step["tx_blob"]);
            round_trip(&format!("{name}: {}", step["note"]), &blob);
            assert_eq!(tree::transaction_id(&blob), hash(&expect["hash"]), "{name}");
            count += 1;
        }
    }
    assert!(count > 500, "only {count} submissions");
    println!("{count} submissions, {refused} that the server could not read");
}

#[test]
fn every_recorded_ledger_entry_round_trips() {
    let mut count = 0;
    for (name, story) in stories() {
        for state in [&story["genesis"]["state"], &story["final_state"]] {
            for entry in state.as_array().unwrap() {
                let object = round_trip(&name, &bytes(&entry["data"]));
                assert!(LedgerEntryType::from_code(object.u16(sf::LedgerEntryType).unwrap()).is_some());
                count += 1;
            }
        }
    }
    assert!(count > 200, "only {count} entries");
    println!("{count} ledger entries");
}

#[test]
fn the_state_trees_of_the_first_and_the_last_ledger_recompute() {
    for (name, story) in stories() {
        let root = |state: &Json| {
            tree::state_tree_root(
                state.as_array().unwrap().iter().map(|entry| (hash(&entry["index"]), bytes(&entry["data"]))),
            )
        };
        let genesis = &story["genesis"];
        assert_eq!(root(&genesis["state"]), hash(&genesis["ledger"]["account_hash"]), "{name}");
        let last = steps(&story, "close").last().unwrap();
        assert_eq!(root(&story["final_state"]), hash(&last["expect"]["account_hash"]), "{name}");
    }
}

#[test]
fn every_recorded_header_and_transaction_tree_recomputes() {
    let mut count = 0;
    for (name, story) in stories() {
        for close in steps(&story, "close") {
            let expect = &close["expect"];
            let header = LedgerHeader {
                index: u32_of(&expect["ledger_index"]),
                total_drops: expect["total_coins"].as_str().unwrap().parse().unwrap(),
                parent_hash: hash(&expect["parent_hash"]),
                transaction_hash: hash(&expect["transaction_hash"]),
                account_hash: hash(&expect["account_hash"]),
                parent_close_time: RippleTime(u32_of(&expect["parent_close_time"])),
                close_time: RippleTime(u32_of(&expect["close_time"])),
                close_time_resolution: u8_of(&expect["close_time_resolution"]),
                close_flags: u8_of(&expect["close_flags"]),
            };
            assert_eq!(header.hash(), hash(&expect["ledger_hash"]), "{name} {}", header.index);
            assert_eq!(LedgerHeader::decode(&header.encode()), Ok(header));
            let transactions = expect["transactions"].as_array().unwrap();
            let root = tree::transaction_tree_root(
                transactions
                    .iter()
                    .map(|transaction| (bytes(&transaction["tx_blob"]), bytes(&transaction["meta"]))),
            );
            assert_eq!(root, header.transaction_hash, "{name} {}", header.index);
            count += 1;
        }
    }
    assert!(count > 1_000, "only {count} headers");
    println!("{count} headers and transaction trees");
}

/// Everything the server added to a transaction or an entry in its JSON that is no field of it.
const ADDED: [&str; 16] = [
    "hash",
    "index",
    "date",
    "inLedger",
    "ledger_index",
    "ledger_hash",
    "meta",
    "metaData",
    "validated",
    "status",
    "ctid",
    "DeliverMax",
    "close_time_iso",
    "delivered_amount",
    "signer_lists",
    "urlgravatar",
];

/// The JSON of an object without what the server added, and with what version 2 renamed.
fn plain(json: &Json) -> Json {
    let mut map = json.as_object().unwrap().clone();
    if let (Some(amount), None) = (map.get("DeliverMax").cloned(), map.get("Amount")) {
        map.insert("Amount".to_owned(), amount);
    }
    map.retain(|key, _| !ADDED.contains(&key.as_str()));
    Json::Object(map)
}

/// Visits every object in JSON, with the hash that stands beside it where it is the value of a key.
fn visit(
    json: &Json,
    beside: Option<&Json>,
    f: &mut impl FnMut(&serde_json::Map<String, Json>, Option<&Json>),
) {
    match json {
        Json::Object(map) => {
            f(map, beside);
            map.values().for_each(|inner| visit(inner, map.get("hash"), f));
        }
        Json::Array(list) => list.iter().for_each(|inner| visit(inner, beside, f)),
        _ => {}
    }
}

#[test]
fn the_json_of_transactions_metadata_and_entries_is_the_servers() {
    let (mut transactions, mut metas, mut entries, mut alone) = (0, 0, 0, 0);
    for (name, story) in stories() {
        let mut by_id = HashMap::new();
        for close in steps(&story, "close") {
            for transaction in close["expect"]["transactions"].as_array().unwrap() {
                let blob = bytes(&transaction["tx_blob"]);
                let meta = Metadata::decode(&bytes(&transaction["meta"])).unwrap();
                by_id.insert(tree::transaction_id(&blob), (Object::decode(&blob).unwrap(), meta));
            }
        }
        for step in story["steps"].as_array().unwrap() {
            visit(&step["expect"], None, &mut |map, beside| {
                let json = Json::Object(map.clone());
                if map.get("TransactionType").is_some_and(Json::is_string) && map.contains_key("Account") {
                    let own = plain(&json);
                    let id = map.get("hash").or(beside).and_then(Json::as_str).and_then(|id| id.parse().ok());
                    let Some((object, _)) = id.and_then(|id: Hash256| by_id.get(&id)) else { return };
                    assert_eq!(object.to_json(), own, "{name}");
                    assert_eq!(Object::from_json(&own).as_ref(), Ok(object), "{name}");
                    transactions += 1;
                }
                if map.contains_key("AffectedNodes") {
                    let own = plain(&json);
                    let object =
                        Object::from_json(&own).unwrap_or_else(|error| panic!("{name}: {error}: {own}"));
                    assert_eq!(object.to_json(), own, "{name}");
                    let meta = Metadata::from_object(object).unwrap();
                    if by_id.values().any(|(_, recorded)| *recorded == meta) {
                        metas += 1;
                    }
                }
                if map.contains_key("LedgerEntryType") && map.contains_key("index") {
                    let own = plain(&json);
                    let object =
                        Object::from_json(&own).unwrap_or_else(|error| panic!("{name}: {error}: {own}"));
                    assert_eq!(object.to_json(), own, "{name}");
                    let blob = hex::encode_upper(object.encode().unwrap());
                    let same =
                        |entry: &Json| entry["index"] == map["index"] && entry["data"] == blob.as_str();
                    if story["final_state"].as_array().unwrap().iter().any(same) {
                        entries += 1;
                    } else {
                        alone += 1;
                    }
                }
            });
        }
    }
    println!(
        "{transactions} transactions, {metas} metadata, {entries} entries ({alone} without their bytes)"
    );
    assert!(transactions > 50 && metas > 50 && entries > 10, "{transactions} {metas} {entries}");
}

#[test]
fn every_other_binary_in_a_recorded_reply_round_trips() {
    /// The keys under which replies hold objects in binary.
    const KEYS: [&str; 4] = ["tx_blob", "meta_blob", "meta", "node_binary"];
    let mut count = 0;
    for (name, story) in stories() {
        for step in story["steps"].as_array().unwrap().iter().filter(|step| step["op"] != "close") {
            visit(&step["expect"], None, &mut |map, _| {
                for blob in KEYS.iter().filter_map(|key| map.get(*key)).filter(|json| json.is_string()) {
                    round_trip(&name, &bytes(blob));
                    count += 1;
                }
            });
        }
    }
    println!("{count} more objects in binary");
}

#[test]
fn metadata_tells_what_happened_to_entries() {
    let mut kinds = [0, 0, 0];
    for (_, story) in stories() {
        for close in steps(&story, "close") {
            for transaction in close["expect"]["transactions"].as_array().unwrap() {
                for node in Metadata::decode(&bytes(&transaction["meta"])).unwrap().nodes {
                    match node.kind {
                        NodeKind::Created => {
                            assert!(node.previous_fields.is_empty());
                            kinds[0] += 1;
                        }
                        NodeKind::Modified => kinds[1] += 1,
                        NodeKind::Deleted => {
                            assert!(!node.final_fields.is_empty());
                            kinds[2] += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(kinds.iter().all(|count| *count > 20), "{kinds:?}");
}
