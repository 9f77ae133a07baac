//! What a ledger's transactions took from order books: `book_changes`, and the stream of that name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use xrpl_wire::{
    Amount, Hash256, IouValue, LedgerEntryType, NodeKind, Object, TransactionType, TxResult, sf,
};

use super::book::{Book, Side, drops, value};
use super::error::RpcResult;
use super::select::{View, select};
use super::{Call, fields};
use crate::embedded::{ClosedLedger, ClosedTx, Ledger};

/// What one book saw in a ledger.
struct Tally {
    sides: [Side; 2],
    volumes: [IouValue; 2],
    high: IouValue,
    low: IouValue,
    open: IouValue,
    close: IouValue,
    domain: Option<Hash256>,
}

pub(super) fn book_changes<'a>(ledger: &'a Ledger, call: &Call<'a>) -> RpcResult {
    match select(ledger, call)? {
        View::Closed(closed) => Ok(changes(closed)),
        // Nothing has come of its transactions yet; it has its number, and its parent's hash and time.
        View::Open(_) => {
            let mut parent = about(ledger.validated());
            parent.insert("validated".to_owned(), false.into());
            parent.insert("ledger_index".to_owned(), ledger.open().index().into());
            parent.insert("changes".to_owned(), Vec::<Value>::new().into());
            Ok(parent)
        }
    }
}

/// The frame of a closed ledger, and the answer about it.
pub(super) fn changes(closed: &ClosedLedger) -> Map<String, Value> {
    let mut books: BTreeMap<String, Tally> = BTreeMap::new();
    for tx in closed.transactions_by_id() {
        take_transaction(tx, &mut books);
    }
    let list: Vec<Value> = books.values().map(Tally::json).collect();
    let mut changes = about(closed);
    changes.insert("changes".to_owned(), list.into());
    changes
}

fn about(closed: &ClosedLedger) -> Map<String, Value> {
    fields([
        ("type", "bookChanges".into()),
        ("validated", true.into()),
        ("ledger_index", closed.header.index.into()),
        ("ledger_hash", closed.hash.to_string().into()),
        ("ledger_time", closed.header.close_time.0.into()),
    ])
}

fn take_transaction(tx: &ClosedTx, books: &mut BTreeMap<String, Tally>) {
    let cancels = match tx.tx().tx_type() {
        TransactionType::OfferCancel | TransactionType::OfferCreate => {
            tx.tx().object().u32(sf::OfferSequence)
        }
        _ => None,
    };
    let Ok(meta) = xrpl_wire::Metadata::from_object(tx.meta()) else { return };
    for node in &meta.nodes {
        let gone = node.kind == NodeKind::Deleted;
        if node.entry_type != LedgerEntryType::Offer || node.kind == NodeKind::Created {
            continue;
        }
        // An offer that was cancelled traded nothing.
        if gone && cancels.is_some() && node.final_fields.u32(sf::Sequence) == cancels {
            continue;
        }
        if let Some((key, trade)) = trade(&node.previous_fields, &node.final_fields) {
            match books.get_mut(&key) {
                Some(tally) => tally.add(&trade),
                None => {
                    books.insert(key, trade);
                }
            }
        }
    }
}

/// What an offer gave and got between two states of it; none if it did not trade.
fn trade(before: &Object, after: &Object) -> Option<(String, Tally)> {
    let change = |field| -> Option<(Side, IouValue)> {
        let (before, after) = (before.amount(field)?, after.amount(field)?);
        let difference = value(&after).checked_sub(value(&before)).ok()?;
        Some((Side::of(&after)?, difference))
    };
    let (gets, pays) = (change(sf::TakerGets)?, change(sf::TakerPays)?);
    let ordered = gets.0.is_xrp() || (!pays.0.is_xrp() && name(&gets.0) < name(&pays.0));
    let (first, second) = if ordered { (gets, pays) } else { (pays, gets) };
    let rate = first.1.checked_div(second.1).ok().filter(|_| !second.1.is_zero())?;
    let domain = match after.get(sf::DomainID) {
        Some(xrpl_wire::Value::Hash256(domain)) => Some(*domain),
        _ => None,
    };
    let key = format!("{}|{}", name(&first.0), name(&second.0));
    let size = |value: IouValue| if value.is_negative() { value.negated() } else { value };
    let tally = Tally {
        sides: [first.0, second.0],
        volumes: [size(first.1), size(second.1)],
        high: rate,
        low: rate,
        open: rate,
        close: rate,
        domain,
    };
    Some((key, tally))
}

impl Tally {
    fn add(&mut self, trade: &Tally) {
        for (sum, more) in self.volumes.iter_mut().zip(trade.volumes) {
            *sum = sum.checked_add(more).unwrap_or(*sum);
        }
        self.high = self.high.max(trade.close);
        self.low = self.low.min(trade.close);
        self.close = trade.close;
        // Trades of a domain and of everybody are added up together, under the domain of the last.
        self.domain = trade.domain;
    }

    fn json(&self) -> Value {
        let [a, b] = &self.sides;
        let [volume_a, volume_b] = self.volumes;
        let volume = |side: &Side, volume: IouValue| {
            if side.is_xrp() { drops(volume).to_string() } else { volume.to_string() }
        };
        let mut json = fields([
            ("currency_a", currency(a).into()),
            ("currency_b", currency(b).into()),
            ("volume_a", volume(a, volume_a).into()),
            ("volume_b", volume(b, volume_b).into()),
            ("high", self.high.to_string().into()),
            ("low", self.low.to_string().into()),
            ("open", self.open.to_string().into()),
            ("close", self.close.to_string().into()),
        ]);
        if let Some(domain) = self.domain {
            json.insert("domain".to_owned(), domain.to_string().into());
        }
        Value::Object(json)
    }
}

/// A side as the books are sorted by: `XRP`, or issuer and currency.
fn name(side: &Side) -> String {
    if side.is_xrp() { "XRP".to_owned() } else { format!("{}/{}", side.issuer, side.currency) }
}

fn currency(side: &Side) -> String {
    if side.is_xrp() { "XRP_drops".to_owned() } else { name(side) }
}

/// The books whose followers hear of a transaction: of the offers that it made, took from or removed, where it succeeded.
/// As on the server, who follows a book hears of the offers of its other side, which take what it gets and pay what it
/// pays; and of an offer that is still there only what changed is looked at, and that is never its domain.
pub(super) fn books_of(tx: &ClosedTx) -> Vec<Book> {
    if tx.result != TxResult::tesSUCCESS {
        return Vec::new();
    }
    let Ok(meta) = xrpl_wire::Metadata::from_object(tx.meta()) else { return Vec::new() };
    let offers = meta.nodes.iter().filter(|node| node.entry_type == LedgerEntryType::Offer);
    offers
        .filter_map(|node| {
            let fields = match node.kind {
                NodeKind::Modified => &node.previous_fields,
                NodeKind::Created | NodeKind::Deleted => &node.final_fields,
            };
            let side = |field| fields.amount(field).as_ref().and_then(|amount: &Amount| Side::of(amount));
            let domain = fields.hash256(sf::DomainID);
            Some(Book { pays: side(sf::TakerGets)?, gets: side(sf::TakerPays)?, domain })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use xrpl_wire::{LedgerHeader, RippleTime, Transaction};

    use super::super::stream::frames_for;
    use super::super::subscribe::Stream;
    use super::super::{Request, ServerFacts, Subscription, handle_read};
    use super::*;
    use crate::embedded::submitted::Submitted;
    use crate::embedded::{Fees, Generation, GenesisConfig, ServerSetup, StateMap};

    const USD_ISSUER: &str = "rDT4o4d1cRPWygyX5VaRGCnhDdumKogtfe";

    fn bytes(value: &Value) -> Vec<u8> {
        hex::decode(value.as_str().unwrap()).unwrap()
    }

    fn number(value: &Value) -> u32 {
        value
            .as_u64()
            .or_else(|| value.as_str()?.parse().ok())
            .and_then(|number| u32::try_from(number).ok())
            .unwrap()
    }

    fn header(recorded: &Value) -> LedgerHeader {
        let hash = |name: &str| recorded[name].as_str().unwrap().parse().unwrap();
        LedgerHeader {
            index: number(&recorded["ledger_index"]),
            total_drops: recorded["total_coins"].as_str().unwrap().parse().unwrap(),
            parent_hash: hash("parent_hash"),
            transaction_hash: hash("transaction_hash"),
            account_hash: hash("account_hash"),
            parent_close_time: RippleTime(number(&recorded["parent_close_time"])),
            close_time: RippleTime(number(&recorded["close_time"])),
            close_time_resolution: u8::try_from(number(&recorded["close_time_resolution"])).unwrap(),
            close_flags: 0,
        }
    }

    /// A recorded ledger's transactions, without its state.
    fn closed(story: &Value, index: u32) -> ClosedLedger {
        let mut closes = story["steps"].as_array().unwrap().iter().filter(|step| step["op"] == "close");
        let recorded =
            &closes.find(|step| number(&step["expect"]["ledger_index"]) == index).unwrap()["expect"];
        let transactions = recorded["transactions"].as_array().unwrap().iter().map(|tx| {
            let meta = Object::decode(&bytes(&tx["meta"])).unwrap();
            let position = meta.u32(sf::TransactionIndex).unwrap();
            let blob = Transaction::decode(&bytes(&tx["tx_blob"])).unwrap();
            let submitted = Arc::new(Submitted::trusted(blob));
            Arc::new(ClosedTx::new(submitted, index, position, &meta, TxResult::tesSUCCESS))
        });
        let header = header(recorded);
        let fees: Fees = GenesisConfig::default().fees;
        ClosedLedger {
            header,
            hash: header.hash(),
            state: StateMap::new(),
            transactions: transactions.collect(),
            fees,
        }
    }

    #[test]
    fn trades_are_added_up_by_book_with_their_prices() {
        let story = recordings::load("3.2", "offers").unwrap();
        for (index, volumes, prices) in [
            (11, ["180000000", "180"], ["1000000", "1000000"]),
            (12, ["564333333", "553.333333"], ["1050000", "1000000"]),
        ] {
            let frame = changes(&closed(&story, index));
            let [change] = frame["changes"].as_array().unwrap().as_slice() else { panic!("{frame:?}") };
            assert_eq!(change["currency_a"], "XRP_drops");
            assert_eq!(change["currency_b"], format!("{USD_ISSUER}/USD"));
            assert_eq!([&change["volume_a"], &change["volume_b"]], volumes, "{index}");
            assert_eq!([&change["high"], &change["low"]], prices, "{index}");
            assert_eq!((&frame["type"], &frame["ledger_index"]), (&json!("bookChanges"), &json!(index)));
        }
        let quiet = changes(&closed(&story, 3));
        assert_eq!(quiet["changes"], json!([]));
    }

    #[test]
    fn trades_of_a_domain_and_of_everybody_are_added_up_together() {
        let offer = |gets: &str, pays: &str, more: Value| {
            let usd = json!({"currency": "USD", "issuer": USD_ISSUER, "value": pays});
            let mut offer = json!({"TakerGets": gets, "TakerPays": usd});
            offer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            Object::from_json(&offer).unwrap()
        };
        let domain = "AB".repeat(32);
        let before = offer("10000000", "10", json!({}));
        let (open_book, mut tally) = trade(&before, &offer("4000000", "4", json!({}))).unwrap();
        let (in_domain, more) = trade(&before, &offer("8000000", "9", json!({"DomainID": domain}))).unwrap();
        assert_eq!(open_book, in_domain);
        tally.add(&more);
        let told = tally.json();
        assert_eq!((&told["volume_a"], &told["volume_b"]), (&json!("8000000"), &json!("7")));
        assert_eq!((&told["open"], &told["close"]), (&json!("1000000"), &json!("2000000")));
        assert_eq!(told["domain"], json!(domain), "of the last");
    }

    #[test]
    fn followers_of_a_book_hear_of_what_touches_it() {
        let story = recordings::load("3.2", "offers").unwrap();
        let ledger = Ledger::genesis(GenesisConfig::of(Generation::V3_2));
        let subscribed = |params: Value| {
            let mut subscription = Subscription::default();
            let mut frame = params;
            frame["command"] = json!("subscribe");
            let request = Request::from_ws(&frame.to_string(), false).unwrap();
            let facts = ServerFacts::default();
            let outcome = handle_read(&ledger, Some(&mut subscription), &request, &facts);
            (subscription, outcome.result)
        };
        let usd = json!({"currency": "USD", "issuer": USD_ISSUER});
        let xrp = json!({"currency": "XRP"});
        let book = |pays: &Value, gets: &Value, more: Value| {
            let mut book = json!({"taker_pays": pays, "taker_gets": gets});
            book.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"books": [book]})
        };
        let closed = closed(&story, 12);
        let facts = ServerFacts::default();
        let heard = |params: Value| frames_for(&closed, &subscribed(params).0, &facts).len();
        let touching = closed.transactions.iter().filter(|tx| !books_of(tx).is_empty()).count();
        assert!(touching > 0 && touching < closed.transactions.len() + 1);
        assert_eq!(heard(book(&xrp, &usd, json!({}))), 1, "the one offer that took all others");
        assert_eq!(heard(book(&usd, &json!({"currency": "EUR", "issuer": USD_ISSUER}), json!({}))), 0);
        assert_eq!(heard(json!({"streams": [], "books": []})), 0);
        let both = subscribed(book(&usd, &xrp, json!({"both": true, "snapshot": true})));
        assert_eq!(both.0.books.len(), 2);
        assert_eq!(both.1.unwrap().get("asks"), Some(&json!([])));
        for (wrong, error) in [
            (book(&xrp, &xrp, json!({})), "badMarket"),
            (book(&xrp, &json!({"currency": "USD"}), json!({})), "dstIsrMalformed"),
            (json!({"books": 5}), "invalidParams"),
            (json!({"books": [5]}), "invalidParams"),
        ] {
            assert_eq!(subscribed(wrong.clone()).1.unwrap_err().token(), error, "{wrong}");
        }
        let mut changes = Subscription::default();
        changes.streams.insert(Stream::BookChanges);
        let frames = frames_for(&closed, &changes, &facts);
        assert_eq!((frames.len(), &frames[0]["type"]), (1, &json!("bookChanges")));
    }

    /// What a recorded server said of its books when its last ledger had closed.
    #[test]
    fn offers_are_told_with_what_their_owners_can_pay() {
        for folder in ["3.2", "3.3"] {
            let story = recordings::load(folder, "offers").unwrap();
            let steps = story["steps"].as_array().unwrap();
            let last = steps.iter().rposition(|step| step["op"] == "close").unwrap();
            let state = story["final_state"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| (entry["index"].as_str().unwrap().parse().unwrap(), bytes(&entry["data"])));
            let server = ServerSetup { generation: folder.parse().unwrap(), ..ServerSetup::default() };
            let ledger = Ledger::from_recorded(header(&steps[last]["expect"]), state, &server).unwrap();
            let mut told = 0;
            for step in &steps[last..] {
                let Some(method @ ("book_offers" | "account_offers")) = step["method"].as_str() else {
                    continue;
                };
                let body = json!({"method": method, "params": [step["params"]]}).to_string();
                let request = Request::from_json_rpc(body.as_bytes(), true).unwrap();
                let outcome = handle_read(&ledger, None, &request, &ServerFacts::default());
                let reply = request.reply(outcome)["result"].take();
                assert_eq!(reply, step["expect"], "{} {}", folder, step["params"]);
                told += reply["offers"].as_array().map_or(0, Vec::len);
            }
            assert!(told >= 12, "{told} offers");
        }
    }
}
