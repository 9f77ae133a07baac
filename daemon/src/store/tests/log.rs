//! The second log: nothing acknowledged is lost, and nothing comes back that never counted.

use super::*;
use crate::store::intents::Entries;
use crate::store::{Entry, files};

fn entries(dir: &Path) -> Vec<Entry> {
    Entries::open(&*seam::system(), &dir.join(files::INTENTS)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn records(dir: &Path) -> Vec<u64> {
    entries(dir).iter().map(|entry| entry.record).collect()
}

fn ledger(index: u32) -> Vec<Event> {
    let treasury_core::Input::Ledger { observation, .. } = testing::ledger(index) else { panic!() };
    vec![Event::LedgerTaken { observation, taken: None }]
}

fn read_accounts(index: u32) -> Vec<Event> {
    let treasury_core::Input::Reconciled { at, accounts, .. } = testing::reconciled_at(index) else {
        panic!()
    };
    vec![Event::AccountsRead { at, accounts, taken: None }]
}

#[test]
fn it_holds_what_the_ledger_cannot_give_back_and_where_it_belongs() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.append(&sight("before any ledger")).unwrap();
    store.append(&read_accounts(100)).unwrap();
    store.append(&ledger(101)).unwrap();
    store.append(&[ledger(102), sight("at 102")].concat()).unwrap();
    store.append(&read_accounts(102)).unwrap();
    drop(store);
    // A new process knows what has been read before.
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.append(&[read_accounts(102), sight("again")].concat()).unwrap();
    let watched: Vec<_> = testing::treasury().watched().into_iter().collect();
    let entry = |record, cursor: Option<u32>, read, events| Entry {
        record,
        cursor: cursor.map(testing::point),
        read,
        events,
    };
    assert_eq!(
        entries(dir.path()),
        [
            entry(1, None, vec![], sight("before any ledger")),
            entry(2, Some(100), watched, vec![]),
            entry(4, Some(102), vec![], sight("at 102")),
            entry(6, Some(102), vec![], sight("again")),
        ]
    );
}

/// The store is written first: what a crash leaves between the two is in the store, so it is a fact, and the log
/// gets it at the next start.
#[test]
fn a_crash_between_store_and_log_is_made_up_for() {
    for before in [0, 1, 70] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = DiskStore::open(dir.path()).unwrap();
        for n in 0..before {
            store.append(&if n == 0 { read_accounts(100) } else { ledger(100 + n) }).unwrap();
        }
        store.append_without_entry(&sight("cut off")).unwrap();
        drop(store);
        let store = DiskStore::open(dir.path()).unwrap();
        assert_eq!(reasons(&store), ["cut off"]);
        drop(store);
        let entry = entries(dir.path()).pop().unwrap();
        let cursor = before.checked_sub(1).map(|n| testing::point(100 + n));
        assert_eq!((entry.record, entry.cursor), (u64::from(before) + 1, cursor));
        assert_eq!(entry.events, sight("cut off"));
        // Once and not twice.
        let count = records(dir.path()).len();
        drop(DiskStore::open(dir.path()).unwrap());
        assert_eq!(records(dir.path()).len(), count);
    }
}

/// Nobody was answered and nothing was sent: where the disk is lost in that very moment, it never was.
#[test]
fn what_is_in_neither_does_not_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.append(&sight("counted")).unwrap();
    store.append_without_entry(&sight("never counted")).unwrap();
    drop(store);
    fs::remove_dir_all(dir.path().join(files::TAIL)).unwrap();
    fs::remove_file(dir.path().join(files::JOURNAL)).unwrap();
    let mut builder = crate::store::StoreBuilder::begin(dir.path()).unwrap();
    let salvaged = crate::store::salvage(dir.path(), &mut builder).unwrap();
    assert_eq!(
        salvaged.entries.iter().flat_map(|entry| entry.events.clone()).collect::<Vec<_>>(),
        sight("counted")
    );
}

#[test]
fn an_end_of_the_log_cut_off_anywhere_is_written_again_from_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.append(&sight("1")).unwrap();
    let first = fs::metadata(dir.path().join(files::INTENTS)).unwrap().len();
    store.append(&sight("2")).unwrap();
    store.append(&read_accounts(100)).unwrap();
    store.append(&ledger(101)).unwrap();
    drop(store);
    let path = dir.path().join(files::INTENTS);
    let whole = fs::read(&path).unwrap();
    let wanted = records(dir.path());
    assert_eq!(wanted, [1, 2, 3]);
    let second = usize::try_from(first).unwrap();
    for cut in (second + 1..whole.len()).step_by(7).chain([whole.len() - 1]) {
        fs::write(&path, &whole[..cut]).unwrap();
        drop(DiskStore::open(dir.path()).unwrap());
        assert_eq!(records(dir.path()), wanted, "cut at {cut}");
    }
    let mut changed = whole.clone();
    let last = changed.len() - 10;
    changed[last] ^= 1;
    fs::write(&path, changed).unwrap();
    drop(DiskStore::open(dir.path()).unwrap());
    assert_eq!(records(dir.path()), wanted);
}

#[test]
fn a_store_that_has_lost_what_the_log_knows_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    lose_the_last(dir.path());
    fs::write(dir.path().join(files::JOURNAL), b"").unwrap();
    let error = DiskStore::open(dir.path()).err().unwrap();
    assert!(matches!(error, StoreError::Lost { stored: 2, known: 3, .. }), "{error}");
    assert!(error.to_string().contains("treasuryd rebuild"), "{error}");
    assert_eq!(records(dir.path()), [1, 2, 3], "the log is left as it was");
}

#[test]
fn a_missing_or_damaged_log_is_named() {
    let dir = tempfile::tempdir().unwrap();
    drop(DiskStore::open(dir.path()).unwrap());
    let path = dir.path().join(files::INTENTS);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&b"x"[..], &whole[1..]].concat()).unwrap();
    assert_eq!(DiskStore::open(dir.path()).err().unwrap().code(), "STORE_LOG_DAMAGED");
    fs::remove_file(&path).unwrap();
    assert_eq!(DiskStore::open(dir.path()).err().unwrap().code(), "STORE_LOG_MISSING");
}

#[test]
fn it_is_durable_when_asked_for_and_before_the_next_step_at_the_latest() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.append(&sight("1")).unwrap();
    assert!(!store.is_secured());
    store.secure().unwrap();
    assert!(store.is_secured());
    store.append(&sight("2")).unwrap();
    store.append(&ledger(101)).unwrap();
    assert!(store.is_secured(), "what came before the last step");
    store.append(&sight("4")).unwrap();
    store.close(&replay(&store, |_| {}).unwrap());
    assert!(store.is_secured());
    assert_eq!(records(dir.path()), [1, 2, 4]);
}

/// Nothing is acknowledged or released before it is in both.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_under_the_log_stops_the_engine_before_anything_is_released() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.fill_log_disk();
    is_stopped_by_a_full_disk(store).await;
}
