//! A whole ledger as text, and back: every closed ledger with its state, what is open, what waits.
//!
//! One line of JSON for the beginning, one for each ledger after it, one for what is not closed yet. A ledger's line has
//! its header, its transactions with their metadata, and how its state differs from the one before, all in the ledger's
//! own bytes. Reading proves each of them by its hashes, so that a file that was changed is refused with its line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use xrpl_wire::{Hash256, LedgerHeader, Object, Transaction, TxResult, sf};

use super::amendment::{Amendment, Standing};
use super::closed::{self, ClosedLedger, ClosedTx};
use super::control::Base;
use super::escalation::QueueSetup;
use super::ledger::Ledger;
use super::open::OpenLedger;
use super::queue::Queue;
use super::rules::{Fees, ServerSetup};
use super::state::{Entry, StateMap};
use super::submitted::Submitted;
use super::waits::Waits;

/// What the first line calls itself.
const FORMAT: &str = "xrpl-harness ledger";

/// The version of the format. Files of other versions are refused: they are for minutes or days, not for years.
const VERSION: u32 = 2;

/// Why text is no ledger.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoadError {
    /// The text does not begin as a ledger does that was saved.
    #[error("this is not a saved ledger")]
    NotSaved,
    /// It was saved by another version of this program.
    #[error("this ledger was saved in format {0}, and {VERSION} is read")]
    Version(u32),
    /// It ends before its last line.
    #[error("the ledger is cut off after line {0}")]
    Cut(usize),
    /// A line is wrong.
    #[error("line {line}: {what}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

impl LoadError {
    /// A code that stays the same in every release.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSaved => "not_saved",
            Self::Version(_) => "version",
            Self::Cut(_) => "cut",
            Self::Line { .. } => "line",
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    format: String,
    version: u32,
    server: String,
    network_id: Option<u32>,
    features: Vec<String>,
    queue: QueueSetup,
    header: String,
    state: BTreeMap<String, String>,
}

/// A state, told by what is otherwise than in the one before.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    set: BTreeMap<String, String>,
    removed: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Next {
    header: String,
    /// Transactions with their metadata, in the order they were applied.
    transactions: Vec<(String, String)>,
    state: Changes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    /// What is open, in the order in which it was applied.
    open: Vec<String>,
    /// Which of those, by their place, were applied as of another index than that of the open ledger.
    #[serde(default)]
    applied_at: BTreeMap<usize, u32>,
    /// What of all that is open or waits was taken whoever had signed it, by id.
    #[serde(default)]
    unsigned: BTreeSet<String>,
    waits: Waits,
    impersonated: Vec<String>,
    load_factor: u32,
    /// All XRP and the state that the next ledger is built on, where that is not the last one.
    base: Option<(u64, Changes)>,
}

/// Any line but the first.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Ledger(Next),
    End(Box<End>),
}

impl Ledger {
    /// The whole ledger as text; see [`Ledger::load`]. Not in it: faults, and what is remembered of transactions that
    /// were refused.
    #[must_use]
    pub fn save(&self) -> String {
        let first_index = self.first_index();
        let last_index = self.validated().header.index;
        let mut closed = (first_index..=last_index).filter_map(|index| self.closed(index));
        let Some(first) = closed.next() else { return String::new() };
        let mut lines = vec![json(&self.begin_line(first))];
        let mut before = first;
        for next in closed {
            let hex_of =
                |tx: &Arc<ClosedTx>| (hex::encode_upper(tx.blob()), hex::encode_upper(&tx.meta_blob));
            lines.push(json(&Line::Ledger(Next {
                header: hex::encode_upper(next.header.encode()),
                transactions: next.transactions.iter().map(hex_of).collect(),
                state: changes(&before.state, &next.state),
            })));
            before = next;
        }
        let open = self.open.as_applied();
        let others = open.iter().map(|(_, at)| *at).enumerate().filter(|(_, at)| *at != self.open.index());
        let waiting = open.iter().map(|(tx, _)| tx).chain(self.pool.waiting());
        lines.push(json(&Line::End(Box::new(End {
            open: open.iter().map(|(tx, _)| hex::encode_upper(tx.tx.blob())).collect(),
            applied_at: others.collect(),
            unsigned: waiting.filter(|tx| tx.impersonated).map(|tx| tx.id.to_string()).collect(),
            waits: self.pool.waits(),
            impersonated: self.control.impersonated().map(ToString::to_string).collect(),
            load_factor: self.load_factor(),
            base: self
                .control
                .base
                .as_ref()
                .map(|base| (base.total_drops, changes(&before.state, &base.state))),
        }))));
        lines.push(String::new());
        lines.join("\n")
    }

    fn begin_line(&self, first: &ClosedLedger) -> Begin {
        let listed = first.state.object(&xrpl_wire::index::amendments());
        let listed = listed.and_then(|entry| entry.vector256(sf::Amendments)).unwrap_or_default();
        // What is in force for another reason than that the ledger or the generation says so.
        let forced = |amendment: &&Amendment| {
            self.rules.enabled(**amendment)
                && amendment.standing(self.rules.generation()) != Standing::Retired
                && !listed.contains(&amendment.id())
        };
        Begin {
            format: FORMAT.to_owned(),
            version: VERSION,
            server: self.rules.generation().name().to_owned(),
            network_id: self.rules.configured_network_id(),
            features: Amendment::ALL
                .iter()
                .filter(forced)
                .map(|amendment| amendment.name().to_owned())
                .collect(),
            queue: self.pool.queue.setup(),
            header: hex::encode_upper(first.header.encode()),
            state: first
                .state
                .iter()
                .map(|(key, entry)| (key.to_string(), hex::encode_upper(entry.blob())))
                .collect(),
        }
    }

    /// The ledger that text is which [`Ledger::save`] made. What is open is applied again in the order in which it was, and
    /// what waits goes on waiting.
    ///
    /// # Errors
    /// [`LoadError`]: what is not proven by its hashes is no ledger.
    pub fn load(text: &str) -> Result<Ledger, LoadError> {
        let mut lines = text.lines().enumerate().map(|(at, text)| (at.saturating_add(1), text));
        let Some((_, first)) = lines.next() else { return Err(LoadError::NotSaved) };
        let mut ledger = begin(first)?;
        let mut read = 1;
        for (number, text) in lines {
            let at = |what: String| LoadError::Line { line: number, what };
            match serde_json::from_str(text).map_err(|error| at(error.to_string()))? {
                Line::Ledger(next) => ledger.take_next(&next).map_err(at)?,
                Line::End(end) => {
                    ledger.take_end(&end).map_err(at)?;
                    return Ok(ledger);
                }
            }
            read = number;
        }
        Err(LoadError::Cut(read))
    }

    fn take_next(&mut self, next: &Next) -> Result<(), String> {
        let parent = Arc::clone(self.history.last());
        let header = header(&next.header)?;
        if header.index != parent.header.index.saturating_add(1) || header.parent_hash != parent.hash {
            return Err("the ledger does not follow the one before".to_owned());
        }
        let state = changed(&parent.state, &next.state)?;
        if state.root_hash() != header.account_hash {
            return Err("the state is not the one that the header names".to_owned());
        }
        let mut transactions = Vec::new();
        for (position, (blob, meta)) in next.transactions.iter().enumerate() {
            let position = u32::try_from(position).map_err(|_| "too many transactions".to_owned())?;
            transactions.push(Arc::new(closed_tx(blob, meta, header.index, position)?));
        }
        if closed::transaction_hash(&transactions) != header.transaction_hash {
            return Err("the transactions are not those that the header names".to_owned());
        }
        let fees = Fees::read(&state);
        let closed = Arc::new(ClosedLedger { header, hash: header.hash(), state, transactions, fees });
        self.open = OpenLedger::after(&closed, self.rules);
        self.history.push(closed);
        Ok(())
    }

    fn take_end(&mut self, end: &End) -> Result<(), String> {
        for account in &end.impersonated {
            let account = account.parse().map_err(|_| format!("{account} is not an account"))?;
            self.impersonate(account, true);
        }
        if let Some((total_drops, changes)) = &end.base {
            let state = changed(&self.history.last().state, changes)?;
            self.open.state = state.clone();
            self.control.base = Some(Base { state, total_drops: *total_drops });
        }
        let read = |blob: &str| {
            let mut submitted = Submitted::trusted(transaction(blob)?);
            submitted.impersonated = end.unsigned.contains(&submitted.id.to_string());
            Ok::<_, String>(Arc::new(submitted))
        };
        let index = self.open.index();
        let at = |place: usize| end.applied_at.get(&place).copied().unwrap_or(index);
        let open = end.open.iter().enumerate().map(|(place, blob)| Ok((read(blob)?, at(place))));
        self.open.apply_again(open.collect::<Result<_, String>>()?);
        self.pool.queue.set_load_factor(end.load_factor);
        self.pool.wait_again(&end.waits, read)
    }
}

fn begin(line: &str) -> Result<Ledger, LoadError> {
    let value: serde_json::Value = serde_json::from_str(line).map_err(|_| LoadError::NotSaved)?;
    if value.get("format").and_then(serde_json::Value::as_str) != Some(FORMAT) {
        return Err(LoadError::NotSaved);
    }
    let version = value.get("version").and_then(serde_json::Value::as_u64).unwrap_or_default();
    if version != u64::from(VERSION) {
        return Err(LoadError::Version(u32::try_from(version).unwrap_or(u32::MAX)));
    }
    let at = |what: String| LoadError::Line { line: 1, what };
    let begin: Begin = serde_json::from_value(value).map_err(|error| at(error.to_string()))?;
    begun(&begin).map_err(at)
}

fn begun(begin: &Begin) -> Result<Ledger, String> {
    let feature =
        |name: &String| Amendment::from_name(name).ok_or_else(|| format!("{name} is not an amendment"));
    let server = ServerSetup {
        generation: begin.server.parse().map_err(|_| format!("{} is not a server", begin.server))?,
        network_id: begin.network_id,
        features: begin.features.iter().map(feature).collect::<Result<_, _>>()?,
        forgets: Vec::new(),
        without_ledger_hashes: false,
    };
    let header = header(&begin.header)?;
    let mut entries = Vec::new();
    for (key, blob) in &begin.state {
        entries.push((index(key)?, bytes(blob)?));
    }
    let mut ledger = Ledger::from_recorded(header, entries, &server).map_err(|error| error.to_string())?;
    if ledger.validated().state.root_hash() != header.account_hash {
        return Err("the state is not the one that the header names".to_owned());
    }
    ledger.pool.queue = Queue::new(begin.queue);
    Ok(ledger)
}

fn closed_tx(blob: &str, meta: &str, ledger_index: u32, position: u32) -> Result<ClosedTx, String> {
    let submitted = Arc::new(Submitted::trusted(transaction(blob)?));
    let meta = Object::decode(&bytes(meta)?).map_err(|error| format!("metadata: {error}"))?;
    let result = meta.u8(sf::TransactionResult).and_then(|code| TxResult::from_code(i32::from(code)));
    let result = result.ok_or_else(|| "metadata without a result".to_owned())?;
    Ok(ClosedTx::new(submitted, ledger_index, position, &meta, result))
}

/// How a state differs from an earlier one. It is made of that, so that what they share is most of them.
fn changes(old: &StateMap, new: &StateMap) -> Changes {
    let mut changes = Changes::default();
    for key in new.differing(old) {
        match (old.get(&key), new.get(&key)) {
            (_, None) => changes.removed.push(key.to_string()),
            (Some(before), Some(entry)) if before.blob() == entry.blob() => {}
            (_, Some(entry)) => {
                changes.set.insert(key.to_string(), hex::encode_upper(entry.blob()));
            }
        }
    }
    changes
}

fn changed(state: &StateMap, changes: &Changes) -> Result<StateMap, String> {
    let mut state = state.clone();
    for key in &changes.removed {
        state.remove(&index(key)?);
    }
    for (key, blob) in &changes.set {
        let entry = Entry::decode(bytes(blob)?).map_err(|error| format!("entry {key}: {error}"))?;
        state.insert(index(key)?, entry);
    }
    Ok(state)
}

fn header(text: &str) -> Result<LedgerHeader, String> {
    LedgerHeader::decode(&bytes(text)?).map_err(|error| format!("header: {error}"))
}

/// A transaction as it was taken in: what waits to be tried again may be what no account could ever have.
fn transaction(text: &str) -> Result<Transaction, String> {
    Transaction::decode_as_server(&bytes(text)?).map_err(|error| format!("transaction: {error}"))
}

fn index(text: &str) -> Result<Hash256, String> {
    text.parse().map_err(|_| format!("{text} is not an index"))
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    hex::decode(text).map_err(|error| format!("hex: {error}"))
}

/// A line. All of it is text, numbers and lists of them, which always write.
fn json(line: &impl Serialize) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::{CloseTime, Generation, GenesisConfig};
    use crate::server::{genesis_keys, payment};
    use xrpl_wire::{AccountId, Drops, KeyPair, KeyType, RippleTime, Seed};

    fn pay(ledger: &mut Ledger, to: AccountId, xrp: u64) {
        let drops = Drops::new(xrp * 1_000_000).unwrap();
        let tx = payment(ledger, &genesis_keys().unwrap(), &to, drops).unwrap();
        ledger.submit(tx.blob());
    }

    /// Some ledgers, one transaction in the open one, one that waits, a balance that no transaction set.
    fn lived(generation: Generation) -> Ledger {
        let mut ledger = Ledger::genesis(GenesisConfig::of(generation));
        for number in 1..5 {
            pay(&mut ledger, AccountId([number; 20]), 50 + u64::from(number));
            ledger.close(CloseTime::At(RippleTime(830_000_000 + u32::from(number) * 7)));
        }
        ledger.set_balance(&AccountId([9; 20]), Drops::new(77).unwrap()).unwrap();
        pay(&mut ledger, AccountId([7; 20]), 70);
        ledger.impersonate(AccountId([1; 20]), true);
        ledger.set_load_factor(50);
        pay(&mut ledger, AccountId([8; 20]), 80);
        ledger
    }

    #[test]
    fn a_ledger_that_is_saved_and_loaded_goes_on_as_if_nothing_had_been() {
        for generation in Generation::ALL {
            let mut ledger = lived(generation);
            let text = ledger.save();
            let mut loaded = Ledger::load(&text).unwrap();
            assert_eq!(loaded.save(), text);
            assert_eq!((loaded.first_index(), loaded.rules()), (ledger.first_index(), ledger.rules()));
            assert_eq!(loaded.queue_metrics(), ledger.queue_metrics());
            let account = xrpl_wire::index::account_root(&AccountId([1; 20]));
            assert_eq!(
                loaded.closed(4).unwrap().state.object(&account),
                ledger.closed(4).unwrap().state.object(&account)
            );
            assert_eq!(
                loaded.account_transactions(&AccountId([3; 20])),
                ledger.account_transactions(&AccountId([3; 20]))
            );
            for _ in 0..2 {
                assert_eq!(loaded.close(CloseTime::Next).hash, ledger.close(CloseTime::Next).hash);
                loaded.set_load_factor(1);
                ledger.set_load_factor(1);
            }
            assert_eq!(loaded.validated().transactions.len(), 1, "what waited came in");
        }
    }

    /// Each is funded by the one before it, in one ledger that is open: more than the passes over a set bring in where
    /// those come first that are to come last.
    fn handed_on() -> (Ledger, Vec<AccountId>) {
        let mut keys: Vec<KeyPair> = (1..=9)
            .map(|number| KeyPair::from_seed(&Seed::from_entropy([number; 16], KeyType::Ed25519)))
            .collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.account_id()));
        let mut ledger = Ledger::genesis(GenesisConfig::default());
        let mut payer = genesis_keys().unwrap();
        let mut left = 100;
        for key in &keys {
            let drops = Drops::new(left * 1_000_000).unwrap();
            let tx = payment(&ledger, &payer, &key.account_id(), drops).unwrap();
            assert_eq!(ledger.submit(tx.blob()).result, TxResult::tesSUCCESS);
            payer = key.clone();
            left -= 10;
        }
        (ledger, keys.iter().map(KeyPair::account_id).collect())
    }

    #[test]
    fn what_is_open_is_open_again_in_whatever_order_it_came() {
        let (ledger, accounts) = handed_on();
        let loaded = Ledger::load(&ledger.save()).unwrap();
        assert_eq!(loaded.open().transactions().len(), accounts.len());
        assert_eq!(loaded.open().state().root_hash(), ledger.open().state().root_hash());
        let mut richer = ledger.clone();
        richer.set_balance(&AccountId([9; 20]), Drops::new(77).unwrap()).unwrap();
        assert_eq!(richer.open().transactions().len(), accounts.len());
    }

    #[test]
    fn a_file_that_was_changed_is_refused_with_its_line() {
        let text = lived(Generation::default()).save();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 6);
        let without = |at: usize| {
            let mut lines = lines.clone();
            lines.remove(at);
            lines.join("\n")
        };
        let line = |line, what: &str| LoadError::Line { line, what: what.to_owned() };
        let state = "the state is not the one that the header names";
        let other = "the transactions are not those that the header names";
        let long_ago = text.replacen("\"version\":2", "\"version\":0", 1);
        let poorer = {
            let mut first: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
            let root = xrpl_wire::index::account_root(&crate::embedded::GENESIS_ACCOUNT).to_string();
            let entry = Object::decode(&bytes(first["state"][&root].as_str().unwrap()).unwrap()).unwrap();
            let entry = entry.with(sf::Balance, Drops::ZERO).encode().unwrap();
            first["state"][&root] = hex::encode_upper(entry).into();
            first.to_string()
        };
        let robbed = {
            let mut robbed: Vec<String> = lines.iter().map(ToString::to_string).collect();
            let mut next: serde_json::Value = serde_json::from_str(lines[1]).unwrap();
            next["ledger"]["transactions"] = serde_json::json!([]);
            robbed[1] = next.to_string();
            robbed.join("\n")
        };
        for (text, error) in [
            (String::new(), LoadError::NotSaved),
            ("{}".to_owned(), LoadError::NotSaved),
            (long_ago, LoadError::Version(0)),
            (without(5), LoadError::Cut(5)),
            (without(2), line(3, "the ledger does not follow the one before")),
            (poorer, line(1, state)),
            (robbed, line(2, other)),
        ] {
            assert_eq!(Ledger::load(&text).map(|_| ()).unwrap_err(), error);
        }
    }
}
