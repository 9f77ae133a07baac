//! The journal: what a process that was killed had not moved is there again, whole, and in its place.

use super::*;
use crate::store::files;
use crate::store::journal::Journal;
use crate::store::record::Raw;

const BLOCK: usize = 4_096;

/// Puts these reasons into a new store whose process is then killed.
fn killed(dir: &Path, reasons: &[String]) {
    let mut store = DiskStore::open(dir).unwrap();
    for reason in reasons {
        store.append(&sight(reason)).unwrap();
    }
}

fn numbered(count: usize) -> Vec<String> {
    (1..=count).map(|n| n.to_string()).collect()
}

fn journal(dir: &Path) -> std::path::PathBuf {
    dir.join(files::JOURNAL)
}

#[test]
fn what_was_not_moved_is_there_after_a_kill_and_the_journal_is_empty_then() {
    let dir = tempfile::tempdir().unwrap();
    for run in 1..=4 {
        let mut store = DiskStore::open(dir.path()).unwrap();
        assert_eq!(fs::metadata(journal(dir.path())).unwrap().len(), 0);
        assert_eq!(reasons(&store), numbered((run - 1) * 3));
        for n in (run - 1) * 3 + 1..=run * 3 {
            store.append(&sight(&n.to_string())).unwrap();
        }
        assert_eq!(reasons(&store), numbered(run * 3), "before anything is moved");
    }
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.append(&sight("13")).unwrap();
    assert_eq!(store.tree().len(), 13);
    assert_eq!(reasons(&store), numbered(13), "after everything is moved");
}

/// Danger: a half is written anew before its records are moved, or what an earlier turn left is taken for
/// something new. Method: records of all sizes, so that both halves are filled many times and some records go
/// past the journal; a kill at any point of it.
#[test]
fn its_halves_are_used_in_turn_and_nothing_is_lost_or_comes_twice() {
    let sizes = [10, 7_000, 3_900, 30_000, 4_096, 70_000, 600, 45_000, 300, 20_000];
    let all: Vec<String> =
        (0..60).map(|n| format!("{n} {}", "j".repeat(sizes[(n * 7 + n / 10) % sizes.len()]))).collect();
    for killed_after in [3, 8, 17, 26, 40, 60] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = DiskStore::open(dir.path()).unwrap();
        store.shrink_journal(64 * 1_024);
        for reason in &all[..killed_after] {
            store.append(&sight(reason)).unwrap();
        }
        assert!(reasons(&store) == all[..killed_after]);
        drop(store);
        let store = DiskStore::open(dir.path()).unwrap();
        assert!(reasons(&store) == all[..killed_after], "killed after {killed_after}");
        drop(store);
        assert!(inspect(dir.path()).unwrap().is_whole());
    }
}

#[test]
fn pages_go_over_what_is_moved_and_what_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    let long = "p".repeat(1_000);
    // They are moved while this reads.
    for n in 1..=600_u64 {
        store.append(&sight(&format!("{n} {long}"))).unwrap();
        if n.is_multiple_of(97) {
            store.tidy();
            for after in [0, n / 2, n - 1, n] {
                let page = store.read(after, 20).unwrap();
                let numbers: Vec<u64> = page.iter().map(|record| record.number).collect();
                assert_eq!(numbers, (after + 1..=n.min(after + 20)).collect::<Vec<_>>());
            }
        }
    }
    assert_eq!(reasons(&store).len(), 600);
}

#[test]
fn a_frame_torn_anywhere_never_was_and_the_ones_before_it_are_whole() {
    let origin = tempfile::tempdir().unwrap();
    let long = "t".repeat(3 * BLOCK);
    killed(origin.path(), &[numbered(4), vec![long]].concat());
    let bytes = fs::read(journal(origin.path())).unwrap();
    // Four frames of a block each, and one of four blocks: any of its blocks may be missing.
    for lost in 0..4 {
        let dir = tempfile::tempdir().unwrap();
        copy(origin.path(), dir.path());
        let mut torn = bytes.clone();
        torn[(4 + lost) * BLOCK..(5 + lost) * BLOCK].fill(0);
        fs::write(journal(dir.path()), torn).unwrap();
        // Its entry in the second log comes after it, so it is not there either.
        cut_last_entry(dir.path());
        let mut store = DiskStore::open(dir.path()).unwrap();
        assert_eq!(reasons(&store), numbered(4), "block {lost} is lost");
        assert_eq!(store.append(&sight("5")).unwrap(), 5);
        drop(store);
        assert_eq!(reasons(&DiskStore::open(dir.path()).unwrap()), numbered(5));
    }
}

/// Takes the last line off the second log.
fn cut_last_entry(dir: &Path) {
    let path = dir.join(files::INTENTS);
    let log = fs::read(&path).unwrap();
    let end = log[..log.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    fs::write(&path, &log[..end]).unwrap();
}

#[test]
fn damage_that_what_counted_stands_behind_is_named_and_nothing_is_taken() {
    for block in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        killed(dir.path(), &numbered(4));
        let mut bytes = fs::read(journal(dir.path())).unwrap();
        bytes[block * BLOCK + 30] ^= 1;
        fs::write(journal(dir.path()), &bytes).unwrap();
        let record = u64::try_from(block).unwrap() + 1;
        let error = DiskStore::open(dir.path()).err().unwrap();
        assert!(matches!(error, StoreError::Damaged { record: found, .. } if found == record), "{error}");
        assert!(error.to_string().contains("treasuryd rebuild"), "{error}");
        assert_eq!(fs::read(journal(dir.path())).unwrap(), bytes, "it is left as it was");
        let report = inspect(dir.path()).unwrap();
        assert_eq!((report.last, report.whole), (4, 0));
        assert!(report.damage[0].contains(&format!("record {record} is damaged")), "{:?}", report.damage);
        assert!(report.can_be_rebuilt());
        // The second log has it all.
        let mut builder = crate::store::StoreBuilder::begin(dir.path()).unwrap();
        let salvaged = crate::store::salvage(dir.path(), &mut builder).unwrap();
        assert_eq!((builder.number(), salvaged.entries.len()), (0, 4));
        assert!(salvaged.problem.is_some());
    }
}

#[test]
fn a_journal_that_has_lost_what_the_log_knows_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path(), &numbered(3));
    fs::remove_file(journal(dir.path())).unwrap();
    let error = DiskStore::open(dir.path()).err().unwrap();
    assert!(matches!(error, StoreError::Lost { stored: 0, known: 3, .. }), "{error}");
}

#[test]
fn what_the_storage_engine_has_lost_is_taken_from_the_journal_where_it_is_there() {
    let dir = tempfile::tempdir().unwrap();
    lose_the_last(dir.path());
    assert_eq!(reasons(&DiskStore::open(dir.path()).unwrap()), numbered(3));
}

#[test]
fn a_frame_of_another_format_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path(), &numbered(1));
    let mut bytes = fs::read(journal(dir.path())).unwrap();
    bytes[7] = 9;
    let length = usize::try_from(u32::from_be_bytes(bytes[16..20].try_into().unwrap())).unwrap();
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[6..20]);
    hasher.update(&bytes[24..24 + length]);
    bytes[20..24].copy_from_slice(&hasher.finalize().to_be_bytes());
    fs::write(journal(dir.path()), &bytes).unwrap();
    let error = DiskStore::open(dir.path()).err().unwrap();
    assert!(matches!(error, StoreError::Format { record: 1, version: 9, .. }), "{error}");
}

#[test]
fn a_store_that_is_replaced_takes_its_journal_with_it() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path(), &numbered(5));
    let mut builder = crate::store::StoreBuilder::begin(dir.path()).unwrap();
    builder.push(&sight("new")).unwrap();
    let aside = builder.install().unwrap().aside.unwrap();
    assert_eq!(reasons(&DiskStore::open(dir.path()).unwrap()), ["new"]);
    assert_eq!(reasons(&DiskStore::open(&aside).unwrap()), numbered(5));
}

#[test]
fn a_thread_that_cannot_write_to_the_storage_engine_stops_the_store_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.fail_tail();
    let mut kept = 0;
    let error = loop {
        match store.append(&sight(&(kept + 1).to_string())) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        store.tidy();
        assert!(kept < 100_000, "it is never noticed");
    };
    assert!(matches!(error, StoreError::Injected), "{error}");
    let more = store.append(&sight("more")).unwrap_err();
    assert!(more.to_string().contains("an earlier append failed"), "{more}");
    drop(store);
    // The one that was refused is in the journal, as after a crash.
    assert_eq!(reasons(&DiskStore::open(dir.path()).unwrap()), numbered(kept + 1));
}

#[test]
fn a_record_longer_than_a_half_is_none_for_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(&*seam::system(), &journal(dir.path()), 16 * 1_024 * 1_024).unwrap();
    let record = |bytes| Raw { number: 1, events: vec![b' '; bytes] };
    let half = 16 * 1_024 * 1_024;
    assert!(journal.holds(&record(0)) && journal.holds(&record(half - 24)));
    assert!(!journal.holds(&record(half - 23)));
}

/// Nothing is acknowledged or released before it is durable.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_under_the_journal_stops_the_engine_before_anything_is_released() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.fill_journal_disk();
    is_stopped_by_a_full_disk(store).await;
}
