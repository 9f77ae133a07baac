//! The recorded ledgers of the real server, for tests.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use treasury_core::units::{AccountId, HexBytes};
use xrpl_wire::{Hash256, LedgerEntry, LedgerHeader, Metadata, Object, RippleTime, Transaction, tree};

use super::reply::TxData;

/// A transaction of the wire crate's folder `later`: what servers newer than this program may put into a ledger.
macro_rules! later {
    ($name:literal) => {{
        let file = concat!("daemon/wire/tests/later/", $name, ".json");
        let text = std::fs::read_to_string(recordings::repository().join(file)).unwrap();
        let story: serde_json::Value = serde_json::from_str(&text).unwrap();
        let bytes =
            |key: &str| treasury_core::units::HexBytes(hex::decode(story[key].as_str().unwrap()).unwrap());
        $crate::ledger::reply::TxData { tx_blob: bytes("tx_blob"), meta_blob: bytes("meta_blob") }
    }};
}
pub(super) use later;

/// Whom the payments there pay.
pub(super) const PAYEE: &str = "A8EA04BACE21F9869660AF44455E92E6F3F0AD91";
/// Who sends them.
pub(super) const PAYER: &str = "B5F762798A53D543A014CAF8B297CFF8F2F937E8";

/// The account of an id in hex.
pub(super) fn account(id: &str) -> AccountId {
    let mut bytes = [0; 20];
    hex::decode_to_slice(id, &mut bytes).unwrap();
    AccountId(bytes)
}

/// One recorded story.
pub(super) struct Story {
    pub(super) name: String,
    pub(super) genesis: LedgerHeader,
    pub(super) genesis_state: BTreeMap<Hash256, LedgerEntry>,
    pub(super) ledgers: Vec<Recorded>,
    pub(super) final_state: BTreeMap<Hash256, LedgerEntry>,
}

/// One closed ledger.
#[derive(Clone)]
pub(super) struct Recorded {
    pub(super) header: LedgerHeader,
    pub(super) hash: Hash256,
    /// Blob and metadata of each transaction, in hex.
    pub(super) transactions: Vec<(String, String)>,
}

impl Recorded {
    /// The result of `ledger` for it.
    pub(super) fn reply(&self) -> Value {
        let transactions: Vec<Value> =
            self.transactions.iter().map(|(tx, meta)| json!({ "tx_blob": tx, "meta_blob": meta })).collect();
        json!({
            "ledger": {
                "closed": true,
                "ledger_data": hex::encode_upper(self.header.encode()),
                "transactions": transactions,
            },
            "ledger_hash": self.hash,
            "ledger_index": self.header.index,
            "validated": true,
        })
    }

    /// Puts one more transaction into it. What follows has another parent then.
    pub(super) fn add(&mut self, tx: &TxData) {
        let text = |bytes: &HexBytes| hex::encode_upper(&bytes.0);
        self.transactions.push((text(&tx.tx_blob), text(&tx.meta_blob)));
        let bytes = |text: &String| hex::decode(text).unwrap();
        let all = self.transactions.iter().map(|(tx, meta)| (bytes(tx), bytes(meta)));
        self.header.transaction_hash = tree::transaction_tree_root(all);
        self.hash = self.header.hash();
    }

    pub(super) fn decoded(&self) -> Vec<(Transaction, Metadata)> {
        let decode = |(tx, meta): &(String, String)| {
            let bytes = |text: &str| hex::decode(text).unwrap();
            (Transaction::decode(&bytes(tx)).unwrap(), Metadata::decode(&bytes(meta)).unwrap())
        };
        self.transactions.iter().map(decode).collect()
    }
}

/// One story of server 3.1.2 by name.
pub(super) fn story(name: &str) -> Story {
    read(name, &recordings::load("3.1", name).unwrap())
}

/// Every story of server 3.1.2, and those of `CONFORMANCE_VECTORS`.
pub(super) fn stories() -> Vec<Story> {
    let ours = recordings::in_folder("3.1").unwrap();
    assert!(ours.len() >= 20, "only {} stories found", ours.len());
    let all = ours.into_iter().chain(recordings::further().unwrap());
    all.map(|recording| read(recording.name(), &recording.load().unwrap())).collect()
}

fn read(name: &str, story: &Value) -> Story {
    let closes = story["steps"].as_array().unwrap().iter().filter(|step| step["op"] == "close");
    Story {
        name: name.to_owned(),
        genesis: header(&story["genesis"]["ledger"]),
        genesis_state: state(&story["genesis"]["state"]),
        ledgers: closes.map(|step| recorded(&step["expect"])).collect(),
        final_state: state(&story["final_state"]),
    }
}

fn recorded(close: &Value) -> Recorded {
    let text = |tx: &Value, key: &str| tx[key].as_str().unwrap().to_owned();
    let transactions = close["transactions"].as_array().unwrap();
    Recorded {
        header: header(close),
        hash: close["ledger_hash"].as_str().unwrap().parse().unwrap(),
        transactions: transactions.iter().map(|tx| (text(tx, "tx_blob"), text(tx, "meta"))).collect(),
    }
}

/// A header as the server shows it. Numbers are texts in some places.
fn header(json: &Value) -> LedgerHeader {
    let number =
        |key: &str| -> u64 { json[key].as_u64().or_else(|| json[key].as_str()?.parse().ok()).unwrap() };
    let hash = |key: &str| -> Hash256 { json[key].as_str().unwrap().parse().unwrap() };
    let small = |key: &str| u32::try_from(number(key)).unwrap();
    LedgerHeader {
        index: small("ledger_index"),
        total_drops: number("total_coins"),
        parent_hash: hash("parent_hash"),
        transaction_hash: hash("transaction_hash"),
        account_hash: hash("account_hash"),
        parent_close_time: RippleTime(small("parent_close_time")),
        close_time: RippleTime(small("close_time")),
        close_time_resolution: u8::try_from(number("close_time_resolution")).unwrap(),
        close_flags: u8::try_from(number("close_flags")).unwrap(),
    }
}

fn state(entries: &Value) -> BTreeMap<Hash256, LedgerEntry> {
    let entry = |entry: &Value| {
        let data = hex::decode(entry["data"].as_str().unwrap()).unwrap();
        let place = entry["index"].as_str().unwrap().parse().unwrap();
        (place, LedgerEntry::from_object(&Object::decode(&data).unwrap()).unwrap())
    };
    entries.as_array().unwrap().iter().map(entry).collect()
}
