//! What the guard keeps: the terms that it made conditions for, what it gave, and what is stopped. No share, no key, and
//! nothing of the daemon's part is in it. Each change is durable before it is answered.

use std::collections::BTreeMap;
use std::path::Path;

use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use treasury_core::units::{AccountId, Amount, EscrowKey, Hash256, HexBytes, RippleTime};

use super::stops::{Stop, StopId, Subject};
use super::terms::Terms;
use crate::store::seam::{Engine, Ground, Pair};
use crate::store::{StoreError, StoreLock};

/// Version of what is stored.
const FORMAT: u32 = 1;

const META: &[u8] = b"m";
const RECORD: u8 = b'r';
const STOP: u8 = b's';
const DEED: u8 = b'd';

/// Entries that are read at a time.
const PAGE: usize = 1_000;

/// Changes in one batch: at a thousand the storage engine was seen to deadlock, at a hundred never.
const BATCH_MAX: usize = 90;

/// A condition that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// What for.
    pub terms: Terms,
    /// The condition.
    pub condition: HexBytes,
    /// The guard's key that its share comes from.
    pub key_version: u32,
    /// Ledger time when its share was given first.
    pub given: Option<RippleTime>,
}

/// Something that was done, and is kept for those who look back. It stays when a stop is lifted and a record is let go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// Its number: one more than the one before.
    pub number: u64,
    /// When, in seconds of the Unix epoch by the guard's clock.
    pub at_unix: u64,
    /// The operator who did it; `daemon` for what the daemon was given.
    pub by: String,
    /// What.
    pub what: What,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// A stop was set.
    Stopped {
        /// Its id.
        stop: StopId,
        /// What it is on.
        subject: Subject,
        /// Why.
        reason: String,
    },
    /// A stop was lifted.
    Lifted {
        /// Its id.
        stop: StopId,
        /// What it was on.
        subject: Subject,
    },
    /// The share of an escrow was given for the first time.
    Given {
        /// The escrow.
        escrow: EscrowKey,
        /// Whom it pays.
        destination: AccountId,
        /// How much.
        amount: Amount,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    format: u32,
    last_stop: u64,
    /// Stores of earlier versions have none.
    #[serde(default)]
    last_deed: u64,
    /// Random, from when the store was made: shares are made with it, so what one store made no other gives.
    nonce: Hash256,
}

/// All of it, in memory and on the disk.
pub struct Book {
    engine: Box<dyn Engine>,
    records: BTreeMap<(EscrowKey, Hash256), Record>,
    stops: BTreeMap<StopId, Stop>,
    last_stop: u64,
    last_deed: u64,
    nonce: Hash256,
    _lock: StoreLock,
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book")
            .field("records", &self.records.len())
            .field("stops", &self.stops.len())
            .finish_non_exhaustive()
    }
}

impl Book {
    /// Opens the store in a directory, or makes it. One process at a time.
    ///
    /// # Errors
    /// What the disk says; what is in it and is none of this program's.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        crate::private::create_dir_all(dir).map_err(StoreError::io("make", dir))?;
        let lock = StoreLock::take(dir)?;
        let engine = (Ground::system().engine)(&dir.join("guard"))?;
        let meta = engine.range(META, &[META, &[0]].concat(), 1)?;
        let (last_stop, last_deed, nonce) = match meta.first() {
            Some((_, value)) => {
                let meta: Meta = read(value)?;
                if meta.format != FORMAT {
                    return Err(StoreError::Engine("it is of another version of this program".to_owned()));
                }
                (meta.last_stop, meta.last_deed, meta.nonce)
            }
            None => {
                let mut nonce = Hash256([0; 32]);
                let random = OsRng.try_fill_bytes(&mut nonce.0);
                random.map_err(|_| StoreError::Engine("the system gives no random numbers".to_owned()))?;
                let meta = Meta { format: FORMAT, last_stop: 0, last_deed: 0, nonce };
                engine.apply(vec![(META.to_vec(), write(&meta)?)], Vec::new())?;
                (0, 0, nonce)
            }
        };
        let (records, stops) = (BTreeMap::new(), BTreeMap::new());
        let mut book = Self { engine, records, stops, last_stop, last_deed, nonce, _lock: lock };
        for value in book.all(RECORD)? {
            let record: Record = read(&value)?;
            book.records.insert((record.terms.key(), record.terms.id()), record);
        }
        for value in book.all(STOP)? {
            let stop: Stop = read(&value)?;
            book.stops.insert(stop.id, stop);
        }
        Ok(book)
    }

    fn all(&self, kind: u8) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut values = Vec::new();
        let mut from = vec![kind];
        loop {
            let page = self.engine.range(&from, &[kind.saturating_add(1)], PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(values) };
            from = [last.as_slice(), &[0]].concat();
            values.extend(page.into_iter().map(|(_, value)| value));
        }
    }

    /// What tells this store from any other.
    #[must_use]
    pub fn nonce(&self) -> Hash256 {
        self.nonce
    }

    /// The record of these terms.
    #[must_use]
    pub fn record(&self, terms: &Terms) -> Option<&Record> {
        self.records.get(&(terms.key(), terms.id()))
    }

    /// Whether there is one of the same escrow with any terms.
    #[must_use]
    pub fn knows(&self, escrow: EscrowKey) -> bool {
        self.records_of(escrow).next().is_some()
    }

    /// Those of an escrow: it may have been planned more than once.
    pub fn records_of(&self, escrow: EscrowKey) -> impl Iterator<Item = &Record> {
        let range = (escrow, Hash256([0; 32]))..=(escrow, Hash256([0xFF; 32]));
        self.records.range(range).map(|(_, record)| record)
    }

    /// Every record.
    pub fn records(&self) -> impl Iterator<Item = &Record> + Clone {
        self.records.values()
    }

    /// What was given, and when.
    pub fn given(&self) -> impl Iterator<Item = (RippleTime, &Amount)> + Clone {
        self.records.values().filter_map(|record| Some((record.given?, &record.terms.amount)))
    }

    /// Every stop that stands.
    pub fn stops(&self) -> impl Iterator<Item = &Stop> {
        self.stops.values()
    }

    /// A stop that covers these terms.
    #[must_use]
    pub fn stopped(&self, terms: &Terms) -> Option<&Stop> {
        self.stops.values().find(|stop| stop.subject.covers(terms))
    }

    /// Keeps a record, in the place of what was known of the same terms.
    ///
    /// # Errors
    /// Where it could not be made durable; nothing has changed then.
    pub fn put(&mut self, record: Record) -> Result<(), StoreError> {
        self.engine.apply(vec![(record_key(&record.terms), write(&record)?)], Vec::new())?;
        self.records.insert((record.terms.key(), record.terms.id()), record);
        Ok(())
    }

    /// Keeps that the record's share was given then.
    ///
    /// # Errors
    /// Where it could not be made durable; nothing has changed then.
    pub fn give(&mut self, record: Record, now: RippleTime, at_unix: u64) -> Result<(), StoreError> {
        let record = Record { given: Some(now), ..record };
        let terms = &record.terms;
        let what = What::Given { escrow: terms.key(), destination: terms.destination, amount: terms.amount };
        let deed = self.deed("daemon".to_owned(), what, at_unix);
        let mut puts = self.written(&deed, self.last_stop)?;
        puts.push((record_key(terms), write(&record)?));
        self.engine.apply(puts, Vec::new())?;
        self.last_deed = deed.number;
        self.records.insert((record.terms.key(), record.terms.id()), record);
        Ok(())
    }

    /// Deeds before the one of this number, or the last ones, newest first.
    ///
    /// # Errors
    /// What the disk says; what is there and is none of this program's.
    pub fn deeds(&self, before: Option<u64>, most: usize) -> Result<Vec<Deed>, StoreError> {
        // Of number 0 there is none, so there is none before 1.
        let newest = before.map_or(u64::MAX, |before| before.saturating_sub(1));
        let page = self.engine.range(&deed_key(newest), &[DEED.saturating_add(1)], most)?;
        page.iter().map(|(_, value)| read(value)).collect()
    }

    fn deed(&self, by: String, what: What, at_unix: u64) -> Deed {
        Deed { number: self.last_deed.saturating_add(1), at_unix, by, what }
    }

    /// What a deed puts into the store.
    fn written(&self, deed: &Deed, last_stop: u64) -> Result<Vec<Pair>, StoreError> {
        let meta = Meta { format: FORMAT, last_stop, last_deed: deed.number, nonce: self.nonce };
        Ok(vec![(META.to_vec(), write(&meta)?), (deed_key(deed.number), write(deed)?)])
    }

    /// Lets the record of an escrow go whose CancelAfter is the first, of those whose share was not given.
    ///
    /// # Errors
    /// Where it could not be made durable; nothing has changed then.
    pub fn drop_oldest(&mut self, escrow: EscrowKey) -> Result<(), StoreError> {
        let kept = self.records_of(escrow).filter(|record| record.given.is_none());
        let Some(oldest) =
            kept.min_by_key(|record| record.terms.cancel_after).map(|record| record.terms.clone())
        else {
            return Ok(());
        };
        self.engine.apply(Vec::new(), vec![record_key(&oldest)])?;
        self.records.remove(&(escrow, oldest.id()));
        Ok(())
    }

    /// Lets some of those go that nothing can come of any more: whose CancelAfter and all periods are long over.
    ///
    /// # Errors
    /// Where it could not be made durable; nothing has changed then.
    pub fn prune(&mut self, before: RippleTime) -> Result<(), StoreError> {
        let over = self.records.iter().filter(|(_, record)| record.terms.cancel_after < before);
        let over: Vec<_> =
            over.take(BATCH_MAX).map(|(key, record)| (*key, record_key(&record.terms))).collect();
        if over.is_empty() {
            return Ok(());
        }
        self.engine.apply(Vec::new(), over.iter().map(|(_, key)| key.clone()).collect())?;
        over.iter().for_each(|(key, _)| drop(self.records.remove(key)));
        Ok(())
    }

    /// Sets a stop.
    ///
    /// # Errors
    /// Where it could not be made durable; nothing has changed then.
    pub fn stop(
        &mut self,
        subject: Subject,
        reason: String,
        by: String,
        at_unix: u64,
    ) -> Result<Stop, StoreError> {
        let id = StopId(self.last_stop.saturating_add(1));
        let what = What::Stopped { stop: id, subject, reason: reason.clone() };
        let deed = self.deed(by.clone(), what, at_unix);
        let stop = Stop { id, subject, reason, by, at_unix };
        let mut puts = self.written(&deed, id.0)?;
        puts.push((stop_key(id), write(&stop)?));
        self.engine.apply(puts, Vec::new())?;
        (self.last_stop, self.last_deed) = (id.0, deed.number);
        self.stops.insert(id, stop.clone());
        Ok(stop)
    }

    /// One stop.
    #[must_use]
    pub fn stop_of(&self, id: StopId) -> Option<&Stop> {
        self.stops.get(&id)
    }

    /// Lifts a stop.
    ///
    /// # Errors
    /// Where it could not be made durable; nothing has changed then.
    pub fn lift(&mut self, stop: &Stop, by: &str, at_unix: u64) -> Result<(), StoreError> {
        let what = What::Lifted { stop: stop.id, subject: stop.subject };
        let deed = self.deed(by.to_owned(), what, at_unix);
        self.engine.apply(self.written(&deed, self.last_stop)?, vec![stop_key(stop.id)])?;
        self.last_deed = deed.number;
        self.stops.remove(&stop.id);
        Ok(())
    }
}

fn record_key(terms: &Terms) -> Vec<u8> {
    let mut key = vec![RECORD];
    key.extend(terms.owner.as_bytes());
    key.extend(terms.sequence.to_be_bytes());
    key.extend(terms.id().0);
    key
}

fn stop_key(id: StopId) -> Vec<u8> {
    [[STOP].as_slice(), &id.0.to_be_bytes()].concat()
}

/// The newest come first.
fn deed_key(number: u64) -> Vec<u8> {
    [[DEED].as_slice(), &(!number).to_be_bytes()].concat()
}

fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Engine(error.to_string()))
}

fn read<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes)
        .map_err(|error| StoreError::Engine(format!("an entry is malformed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_earlier_versions_stored_is_read() {
        let nonce = Hash256([7; 32]);
        let meta: Meta =
            read(format!("{{\"format\":1,\"last_stop\":3,\"nonce\":\"{nonce}\"}}").as_bytes()).unwrap();
        assert_eq!((meta.last_stop, meta.last_deed, meta.nonce), (3, 0, nonce));
    }
}
