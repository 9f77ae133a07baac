//! What holds in every life of a ledger, whatever its accounts do: the books balance, every hash follows from the
//! bytes, a snapshot is a snapshot, and the same calls give the same ledgers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod books;

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use xrpl_harness::embedded::{
    ABSENT_TYPES, Amendment, CloseTime, ClosedLedger, ClosedTx, Generation, GenesisConfig, Ledger, OpenTx,
    QueueSetup, ServerSetup,
};
use xrpl_wire::{Hash256, RippleTime, SeqProxy, TransactionType, TxResult, index, proposal, sf};

use lives::{Life, World};

/// Lives are long rather than many: what goes wrong late needs a ledger that much has happened to.
fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// What is random about a life: each number is one thing that somebody does.
fn life(acts: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(any::<u64>(), acts)
}

/// One call that changed the ledger, so that it can be made again.
#[derive(Debug, Clone)]
enum Call {
    /// A transaction's bytes.
    Submit(Vec<u8>),
    /// A ledger closed.
    Close(CloseTime),
}

/// A ledger by itself, and what was done to it.
struct Alone {
    ledger: Ledger,
    calls: Vec<Call>,
}

impl World for Alone {
    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn submit(&mut self, blob: Vec<u8>) {
        self.ledger.submit(&blob);
        self.calls.push(Call::Submit(blob));
    }

    fn close(&mut self, seconds: u32) {
        let now = self.ledger.validated().header.close_time.0;
        let at = CloseTime::At(RippleTime(now.saturating_add(seconds)));
        self.ledger.close(at);
        self.calls.push(Call::Close(at));
    }
}

/// The server whose ledger they live in: the newest, with batches and proposals switched on.
fn server() -> ServerSetup {
    let features = vec![Amendment::BatchV1_1, Amendment::Cosign];
    ServerSetup { generation: Generation::V3_3, features, ..ServerSetup::default() }
}

fn begin() -> Life<Alone> {
    let config = GenesisConfig { server: server(), ..GenesisConfig::default() };
    Life::begin(Alone { ledger: Ledger::genesis(config), calls: Vec::new() }, 1)
}

/// The types of transactions that this ledger has, but for those of the network itself.
fn types() -> impl Iterator<Item = TransactionType> {
    let pseudo = [TransactionType::EnableAmendment, TransactionType::SetFee, TransactionType::UNLModify];
    let there = move |kind: &TransactionType| !ABSENT_TYPES.contains(kind) && !pseudo.contains(kind);
    TransactionType::ALL.iter().copied().filter(there)
}

/// What a proposal carried that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Carried {
    Alone,
    Batch,
    Delegated,
}

/// Whether a transaction is one that a proposal of the ledger before held a Ticket for.
fn carried(parent: &ClosedLedger, tx: &ClosedTx) -> Option<Carried> {
    let SeqProxy::Ticket(ticket) = tx.tx().seq() else { return None };
    let held = parent.state.object(&index::transaction_proposal(&tx.tx().account(), ticket))?;
    let proposed = held.object(sf::ProposedTransaction)?;
    // It may have been cancelled in between.
    proposal::is_same(proposed, tx.tx().object()).then(|| match tx.tx().tx_type() {
        TransactionType::Batch => Carried::Batch,
        _ if tx.tx().object().has(sf::Delegate) => Carried::Delegated,
        _ => Carried::Alone,
    })
}

#[test]
fn the_books_balance_after_every_ledger_of_every_life() {
    let succeeded: RefCell<BTreeSet<TransactionType>> = RefCell::default();
    let failed: RefCell<BTreeSet<&str>> = RefCell::default();
    let sent: RefCell<BTreeSet<(Carried, bool)>> = RefCell::default();
    let mut runner = TestRunner::new(config(20));
    let run = runner.run(&life(200..300), |acts| {
        let mut life = begin();
        for act in acts {
            let parent = std::sync::Arc::clone(life.world.ledger.validated());
            life.act(act);
            let closed = life.world.ledger.validated();
            // Where many were closed at once, most of them empty, the last one is looked at by itself.
            match closed.header.index - parent.header.index {
                0 => continue,
                1 => books::check(Some(&parent), closed),
                _ => books::check(None, closed),
            }
            for tx in &closed.transactions {
                assert!(tx.result != TxResult::tecINTERNAL, "{:?}", tx.tx().object());
                if tx.result.is_tes() {
                    succeeded.borrow_mut().insert(tx.tx().tx_type());
                } else {
                    failed.borrow_mut().insert(tx.result.name());
                }
                if let Some(carried) = carried(&parent, tx) {
                    sent.borrow_mut().insert((carried, tx.result.is_tes()));
                }
            }
        }
        Ok(())
    });
    run.unwrap();
    for carried in [Carried::Alone, Carried::Batch, Carried::Delegated] {
        assert!(sent.borrow().contains(&(carried, true)), "no proposal of this kind was sent: {carried:?}");
    }
    let missing: Vec<_> = types().filter(|kind| !succeeded.borrow().contains(kind)).collect();
    assert!(missing.is_empty(), "never succeeded: {missing:?}");
    assert!(failed.borrow().len() >= 12, "lives were too easy: {:?}", failed.borrow());
}

#[test]
fn the_same_calls_give_the_same_ledgers_from_the_start_and_from_any_snapshot() {
    let mut runner = TestRunner::new(config(8));
    let run = runner.run(&(life(60..120), any::<prop::sample::Index>()), |(acts, at)| {
        let mut life = begin();
        let start = life.world.ledger.clone();
        let began = life.world.calls.len();
        let halfway = at.index(acts.len());
        for act in &acts[..halfway] {
            life.act(*act);
        }
        let (snapshot, taken) = (life.world.ledger.clone(), life.world.calls.len());
        let before = history(&snapshot);
        for act in &acts[halfway..] {
            life.act(*act);
        }
        // What happens to the ledger does not happen to its snapshot.
        prop_assert_eq!(&history(&snapshot), &before);
        books::check(None, snapshot.validated());

        for (mut ledger, calls) in
            [(start, &life.world.calls[began..]), (snapshot, &life.world.calls[taken..])]
        {
            for call in calls {
                replay(&mut ledger, call);
            }
            prop_assert_eq!(history(&ledger), history(&life.world.ledger));
            prop_assert_eq!(ledger.open().state().root_hash(), life.world.ledger.open().state().root_hash());
        }
        Ok(())
    });
    run.unwrap();
}

#[test]
fn a_ledger_read_back_from_its_bytes_is_the_same_and_goes_on_the_same() {
    let mut runner = TestRunner::new(config(6));
    let run = runner.run(&life(60..120), |acts| {
        let mut life = begin();
        for act in acts {
            life.act(act);
        }
        // What is held or retried stands in no ledger: it is given the time to be applied or to be dropped.
        for _ in 0..10 {
            life.close(1);
        }
        let closed = life.world.ledger.validated();
        let state = closed.state.iter().map(|(index, entry)| (*index, entry.blob().to_vec()));
        let mut read = Ledger::from_recorded(closed.header, state, &server()).unwrap();
        prop_assert_eq!(read.validated().hash, closed.hash);
        prop_assert_eq!(read.validated().state.root_hash(), closed.header.account_hash);
        prop_assert_eq!(read.validated().fees, closed.fees);
        let before = life.world.calls.len();
        // A payment of somebody who never did anything but hold XRP, so that it succeeds in any life.
        life.pay_from_genesis();
        life.close(5);
        for call in &life.world.calls[before..] {
            replay(&mut read, call);
        }
        prop_assert_eq!(read.validated().hash, life.world.ledger.validated().hash);
        Ok(())
    });
    run.unwrap();
}

#[test]
fn a_ledger_that_is_saved_and_loaded_at_any_moment_goes_on_the_same() {
    let mut runner = TestRunner::new(config(24));
    let run = runner.run(&(life(20..60), any::<prop::sample::Index>()), |(acts, at)| {
        let mut life = begin();
        // Half of them in a ledger that is full all the time, so that much waits.
        if acts.len() % 2 == 0 {
            life.world.ledger.set_queue(QueueSetup { minimum_txn_in_ledger: 2, ..QueueSetup::default() });
        }
        let halfway = at.index(acts.len());
        for act in &acts[..halfway] {
            life.act(*act);
        }
        let (kept, taken) = (&life.world.ledger, life.world.calls.len());
        let text = kept.save();
        let mut loaded = Ledger::load(&text).unwrap();
        let open = |ledger: &Ledger| {
            let ids: Vec<Hash256> = ledger.open().transactions().map(OpenTx::id).collect();
            (ledger.open().state().root_hash(), ids, ledger.queue_metrics())
        };
        prop_assert_eq!(open(&loaded), open(kept));
        prop_assert_eq!(history(&loaded), history(kept));
        prop_assert!(loaded.save() == text, "it would be saved otherwise");
        for act in &acts[halfway..] {
            life.act(*act);
        }
        for call in &life.world.calls[taken..] {
            replay(&mut loaded, call);
        }
        prop_assert_eq!(history(&loaded), history(&life.world.ledger));
        prop_assert_eq!(open(&loaded), open(&life.world.ledger));
        Ok(())
    });
    run.unwrap();
}

/// The hashes of all ledgers there are.
fn history(ledger: &Ledger) -> Vec<Hash256> {
    let last = ledger.validated().header.index;
    (ledger.first_index()..=last).map(|index| ledger.closed(index).unwrap().hash).collect()
}

fn replay(ledger: &mut Ledger, call: &Call) {
    match call {
        Call::Submit(blob) => drop(ledger.submit(blob)),
        Call::Close(at) => drop(ledger.close(*at)),
    }
}
