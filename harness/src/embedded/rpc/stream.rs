//! The frames of the streams, made once per closed ledger and API version.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};
use xrpl_wire::{AccountId, Amount, sf};

use super::book::Book;
use super::subscribe::{Stream, Subscription};
use super::{Proposed, ServerFacts, book_changes, fields, funds, text, tx_json};
use crate::embedded::{ClosedLedger, ClosedTx, Ledger};

/// The frames of one closed ledger in one API version.
#[derive(Debug, Clone)]
pub struct CloseFrames {
    /// `ledgerClosed`, then one frame for each transaction in the ledger's order.
    pub frames: Vec<Value>,
    /// The accounts that each transaction touched.
    accounts: Vec<Vec<AccountId>>,
    /// The transactions, for the books that they touched.
    transactions: Vec<(Arc<ClosedTx>, OnceLock<Vec<Book>>)>,
    /// Which frame tells of the changes of books, if one does.
    changes: Option<usize>,
}

impl CloseFrames {
    /// Makes the frames; that of the stream `book_changes` if somebody wants it.
    #[must_use]
    pub fn new(closed: &ClosedLedger, facts: &ServerFacts, api_version: u32, with_changes: bool) -> Self {
        let mut frames = vec![ledger_closed(closed, facts)];
        let mut accounts = Vec::new();
        for tx in &closed.transactions {
            frames.push(validated_transaction(closed, tx, facts, api_version));
            accounts.push(tx.affected_accounts().to_vec());
        }
        let changes = with_changes.then_some(frames.len());
        if with_changes {
            frames.push(Value::Object(book_changes::changes(closed)));
        }
        let transactions = closed.transactions.iter().map(|tx| (Arc::clone(tx), OnceLock::new())).collect();
        Self { frames, accounts, transactions, changes }
    }

    /// Which of [`frames`](Self::frames) a subscription wants, in order. A transaction comes twice to
    /// who subscribes both to all and to one of its accounts, as from the server.
    #[must_use]
    pub fn wanted(&self, subscription: &Subscription) -> Vec<usize> {
        let mut wanted = Vec::new();
        if subscription.wants(Stream::Ledger) {
            wanted.push(0);
        }
        wanted.extend(self.changes.filter(|_| subscription.wants(Stream::BookChanges)));
        for (position, accounts) in self.accounts.iter().enumerate() {
            let frame = position.saturating_add(1);
            for stream in [Stream::Transactions, Stream::TransactionsProposed] {
                if subscription.wants(stream) {
                    wanted.push(frame);
                }
            }
            let follows = |set: &BTreeSet<AccountId>| accounts.iter().any(|account| set.contains(account));
            if follows(&subscription.accounts) || follows(&subscription.accounts_proposed) {
                wanted.push(frame);
            }
            if !subscription.books.is_empty()
                && self.books_of(position).iter().any(|book| subscription.books.contains(book))
            {
                wanted.push(frame);
            }
        }
        wanted
    }

    /// The books that a transaction touched. They stand in its metadata, which is read once, however many ask.
    fn books_of(&self, position: usize) -> &[Book] {
        match self.transactions.get(position) {
            Some((tx, books)) => books.get_or_init(|| book_changes::books_of(tx)),
            None => &[],
        }
    }
}

/// The frames that one subscription gets for one closed ledger.
#[must_use]
pub fn frames_for(closed: &ClosedLedger, subscription: &Subscription, facts: &ServerFacts) -> Vec<Value> {
    if subscription.is_empty() {
        return Vec::new();
    }
    let with_changes = subscription.wants(Stream::BookChanges);
    let frames = CloseFrames::new(closed, facts, subscription.api_version, with_changes);
    frames.wanted(subscription).into_iter().filter_map(|index| frames.frames.get(index).cloned()).collect()
}

/// How often a subscription wants a transaction that the open ledger took: once for the stream of all, and once for
/// the accounts that it names.
#[must_use]
pub fn wants_proposed(proposed: &Proposed, subscription: &Subscription) -> usize {
    // Without metadata the server knows only the accounts that the transaction itself names.
    let follows = !subscription.accounts_proposed.is_empty()
        && mentioned_accounts(proposed).any(|account| subscription.accounts_proposed.contains(&account));
    usize::from(subscription.wants(Stream::TransactionsProposed)).saturating_add(usize::from(follows))
}

/// The frame of a transaction that the open ledger took.
#[must_use]
pub fn proposed_frame(proposed: &Proposed, api_version: u32) -> Value {
    let mut frame = fields([
        ("ledger_current_index", proposed.ledger_index.into()),
        ("validated", false.into()),
        ("status", "proposed".into()),
    ]);
    let about = About { result: proposed.result, date: None, owner_funds: proposed.owner_funds.clone() };
    finish_transaction(&mut frame, &proposed.tx, about, api_version);
    Value::Object(frame)
}

/// What `subscribe` answers for the ledger stream.
pub(super) fn ledger_now(ledger: &Ledger, facts: &ServerFacts) -> Map<String, Value> {
    ledger_fields(ledger.validated(), facts)
}

fn ledger_closed(closed: &ClosedLedger, facts: &ServerFacts) -> Value {
    let mut frame = ledger_fields(closed, facts);
    frame.insert("type".to_owned(), "ledgerClosed".into());
    frame.insert("txn_count".to_owned(), closed.transactions.len().into());
    Value::Object(frame)
}

fn ledger_fields(closed: &ClosedLedger, facts: &ServerFacts) -> Map<String, Value> {
    fields([
        ("ledger_index", closed.header.index.into()),
        ("ledger_hash", closed.hash.to_string().into()),
        ("ledger_time", closed.header.close_time.0.into()),
        ("network_id", facts.network_id().into()),
        ("fee_base", closed.fees.base_fee.get().into()),
        ("reserve_base", closed.fees.reserve_base.get().into()),
        ("reserve_inc", closed.fees.reserve_inc.get().into()),
        ("validated_ledgers", text::complete_ledgers(facts.first_held(), closed.header.index).into()),
    ])
}

fn validated_transaction(
    closed: &ClosedLedger,
    tx: &ClosedTx,
    facts: &ServerFacts,
    api_version: u32,
) -> Value {
    let mut frame = fields([
        ("ledger_index", closed.header.index.into()),
        ("ledger_hash", closed.hash.to_string().into()),
        ("close_time_iso", closed.header.close_time.to_string().into()),
        ("validated", true.into()),
        ("status", "closed".into()),
        ("meta", tx_json::metadata(closed, tx, tx_json::Delivered::Any)),
    ]);
    let network_id = tx.tx().object().u32(sf::NetworkID).unwrap_or(facts.network_id());
    if let Some(ctid) = text::ctid(closed.header.index, tx.index, network_id) {
        frame.insert("ctid".to_owned(), ctid.into());
    }
    let about = About {
        result: tx.result,
        date: Some(closed.header.close_time.0),
        owner_funds: funds::of_offer(&closed.state, &closed.fees, tx.tx()),
    };
    finish_transaction(&mut frame, tx.tx(), about, api_version);
    Value::Object(frame)
}

/// What a frame says of a transaction beside its fields.
struct About {
    result: xrpl_wire::TxResult,
    /// When its ledger closed.
    date: Option<u32>,
    /// What who makes an offer has of what it gives.
    owner_funds: Option<String>,
}

fn finish_transaction(
    frame: &mut Map<String, Value>,
    tx: &xrpl_wire::Transaction,
    about: About,
    api_version: u32,
) {
    frame.insert("type".to_owned(), "transaction".into());
    tx_json::insert_engine_result(frame, about.result);
    let mut json = tx_json::transaction(tx);
    tx_json::insert_deliver_max(&mut json, tx.tx_type(), api_version);
    if let Some(date) = about.date {
        json.insert("date".to_owned(), date.into());
    }
    if let Some(funds) = about.owner_funds {
        json.insert("owner_funds".to_owned(), funds.into());
    }
    let hash = tx.id().to_string();
    if api_version > 1 {
        frame.insert("hash".to_owned(), hash.into());
        frame.insert("tx_json".to_owned(), Value::Object(json));
    } else {
        json.insert("hash".to_owned(), hash.into());
        frame.insert("transaction".to_owned(), Value::Object(json));
    }
}

fn mentioned_accounts(proposed: &Proposed) -> impl Iterator<Item = AccountId> {
    proposed.tx.object().iter().filter_map(|(_, value)| match value {
        xrpl_wire::Value::Account(account) => Some(*account),
        xrpl_wire::Value::Amount(Amount::Issued(amount)) => Some(amount.issuer),
        // An issuance is its number and its issuer.
        xrpl_wire::Value::Amount(Amount::Mpt(amount)) => {
            amount.issuance_id.last_chunk::<20>().map(|issuer| AccountId(*issuer))
        }
        _ => None,
    })
}
