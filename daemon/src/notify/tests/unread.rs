//! Records of the store that cannot be read any more.

use treasury_core::{Command, Event};

use super::*;
use crate::engine::Engine;
use crate::store::{Archive, MemoryStore, Store};
use crate::testing;

/// A store in which some records cannot be read: from the first to the last of these; and whether the first hides the others.
#[derive(Clone, Default)]
struct Torn {
    inner: MemoryStore,
    torn: Arc<Mutex<Option<(u64, u64, bool)>>>,
    reads: Arc<AtomicU64>,
}

impl Store for Torn {
    fn append(&mut self, events: &[Event]) -> Result<u64, StoreError> {
        self.inner.append(events)
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let found = self.inner.read(after, limit)?;
        let Some((first, last, hides)) = *self.torn.lock().unwrap() else { return Ok(found) };
        match found.iter().find(|record| (first..=last).contains(&record.number)) {
            Some(record) => {
                let record = if hides { first } else { record.number };
                Err(StoreError::Damaged { record, problem: "torn".to_owned() })
            }
            None => Ok(found),
        }
    }

    fn archive(&self) -> Arc<Archive> {
        self.inner.archive()
    }
}

/// A desk that has told all of a store so far, of which nothing more is told but by hand.
struct Behind {
    world: World,
    handle: EngineHandle,
    store: Torn,
    _work: JoinSet<()>,
}

impl Behind {
    async fn new() -> Self {
        let store = Torn::default();
        let (mut engine, _, _) = testing::engine(store.clone());
        testing::carry_nothing_out(&mut engine);
        let Engine { handle, .. } = engine;
        let world = world(&Disk::default(), &["ops"]);
        let last = *handle.records().borrow();
        world.desk.begin(&handle, last).await.unwrap();
        testing::look(&handle).await;
        let work = world.work();
        let behind = Self { world, handle, store, _work: work };
        behind.tell().await;
        behind
    }

    async fn tell(&self) {
        while !self.world.desk.tell(&self.handle).await.unwrap() {}
    }

    /// Freezes an account, or all of them; answers with the number of the record.
    async fn freeze(&self, is_all: bool) -> u64 {
        let account = (!is_all).then(testing::warm);
        let command = Command::Freeze { account, reason: "a stranger called".to_owned() };
        let before = self.store.inner.last();
        self.handle.command(testing::actor("sue"), command).await.unwrap().unwrap();
        before + 1
    }

    async fn lift(&self, stop: &str) {
        let stops = [stop.parse().unwrap()].into();
        let command = Command::Lift { stops, reason: "it was the auditor".to_owned() };
        self.handle.command(testing::actor("adam"), command).await.unwrap().unwrap();
    }

    /// Of which stops people were told.
    fn stops(&self) -> Vec<String> {
        let mut listed = self.world.desk.list(u64::MAX, None, None, 500).unwrap();
        listed.reverse();
        listed
            .into_iter()
            .filter_map(|one| Some(format!("{} {}", one.notice.kind, one.notice.stop?)))
            .collect()
    }

    fn untold(&self, records: u64) -> bool {
        let text = self.world.metrics.text().unwrap();
        text.contains(&format!("\ntreasuryd_records_untold_total {records}\n"))
    }
}

/// Danger: one record that the disk has damaged keeps everybody from hearing of anything that comes after it, for ever.
#[tokio::test]
async fn a_record_that_cannot_be_read_is_said_and_passed_over_and_what_comes_after_it_is_told() {
    let behind = Behind::new().await;
    assert!(behind.untold(0), "it is there before it rises");
    behind.freeze(false).await;
    let damaged = behind.freeze(true).await;
    behind.lift("S1").await;
    behind.store.inner.damage(damaged, 0, 20);
    behind.tell().await;
    assert_eq!(behind.stops(), ["freeze_set S1", "stop_lifted S1"]);
    assert!(behind.untold(1));
    behind.freeze(false).await;
    behind.tell().await;
    assert_eq!(behind.stops().len(), 3, "and it goes on");
    assert!(behind.untold(1));
}

/// Danger: a file of ten thousand records is cut off, and the engine reads it from its beginning for each of them.
#[tokio::test]
async fn what_is_hidden_behind_a_torn_record_is_passed_over_without_looking_at_each() {
    for hides in [true, false] {
        let behind = Behind::new().await;
        let first = behind.freeze(false).await;
        let mut ledger = 102;
        let last = loop {
            behind.handle.input(testing::ledger(ledger)).await.unwrap();
            ledger += 1;
            if behind.store.inner.last() >= first + 200 {
                break behind.store.inner.last();
            }
        };
        let after = behind.freeze(true).await;
        assert!(after > last);
        behind.lift("S1").await;
        *behind.store.torn.lock().unwrap() = Some((first, last, hides));
        behind.store.reads.store(0, Ordering::SeqCst);
        behind.tell().await;
        assert_eq!(behind.stops(), ["freeze_set S2", "stop_lifted S1"], "{hides}");
        assert!(behind.untold(last - first + 1));
        let reads = behind.store.reads.load(Ordering::SeqCst);
        assert_eq!(reads < 40, hides, "{reads}");
    }
}

/// Danger: the record that was told last is damaged, and the next start takes the store for another one, or begins never.
#[tokio::test]
async fn a_start_goes_on_where_it_was_though_the_record_told_last_cannot_be_read() {
    let behind = Behind::new().await;
    behind.freeze(false).await;
    behind.tell().await;
    let desk = &behind.world.desk;
    let place = || {
        let outbox = desk.outbox();
        (outbox.series().to_owned(), outbox.mark().unwrap().clone())
    };
    let (series, mark) = place();
    behind.freeze(true).await;
    let torn = |first, last| *behind.store.torn.lock().unwrap() = Some((first, last, false));
    torn(mark.record, mark.record);
    let newest = behind.store.inner.last();
    assert!(desk.begin(&behind.handle, newest).await.unwrap());
    assert_eq!(place(), (series.clone(), mark));
    behind.tell().await;
    assert_eq!(behind.stops(), ["freeze_set S1", "freeze_set S2"]);
    // And where the last was passed over.
    let passed = behind.store.inner.last() + 1;
    behind.lift("S1").await;
    torn(passed, u64::MAX);
    behind.tell().await;
    *behind.store.torn.lock().unwrap() = None;
    assert!(desk.begin(&behind.handle, passed).await.unwrap());
    assert_eq!((place().0, place().1.record), (series, passed));
}
