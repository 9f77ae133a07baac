use std::fs;

use treasury_core::event::Event;
use treasury_core::state::Sight;
use treasury_core::{Runtime, State, step};

use super::record::{CHUNK_BYTES, key};
use super::*;
use crate::testing;

fn sight(reason: &str) -> Vec<Event> {
    vec![Event::SightChanged { sight: Sight::Lost(reason.to_owned()) }]
}

/// The reasons of all records, in order.
fn reasons(store: &dyn Store) -> Vec<String> {
    let mut reasons = Vec::new();
    replay(store, |record| {
        for event in &record.events {
            if let Event::SightChanged { sight: Sight::Lost(reason) } = event {
                reasons.push(reason.clone());
            }
        }
    })
    .unwrap();
    reasons
}

/// One body for every implementation.
fn check_in_order(store: &mut dyn Store) {
    for n in 1..=600_u64 {
        assert_eq!(store.append(&sight(&n.to_string())).unwrap(), n);
    }
    assert_eq!(reasons(store), (1..=600).map(|n| n.to_string()).collect::<Vec<_>>());
    let page = store.read(597, 2).unwrap();
    assert_eq!(page.iter().map(|record| record.number).collect::<Vec<_>>(), [598, 599]);
    assert_eq!(store.read(600, 10).unwrap(), []);
    assert_eq!(store.read(u64::MAX, 10).unwrap(), []);
}

#[test]
fn records_come_back_in_order_and_without_gaps() {
    check_in_order(&mut MemoryStore::new());
    let dir = tempfile::tempdir().unwrap();
    check_in_order(&mut DiskStore::open(dir.path()).unwrap());
}

#[test]
fn what_was_appended_is_there_after_reopening_and_the_numbers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let long = "x".repeat(5 * CHUNK_BYTES);
    {
        let mut store = DiskStore::open(dir.path()).unwrap();
        store.append(&sight("one")).unwrap();
        store.append(&sight(&long)).unwrap();
    }
    let mut store = DiskStore::open(dir.path()).unwrap();
    assert_eq!(store.last(), 2);
    assert_eq!(store.append(&sight("three")).unwrap(), 3);
    assert_eq!(reasons(&store), ["one", long.as_str(), "three"]);
}

#[test]
fn a_step_larger_than_one_batch_is_stored_whole() {
    let dir = tempfile::tempdir().unwrap();
    let long = "y".repeat(130 * CHUNK_BYTES);
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.append(&sight(&long)).unwrap();
    assert_eq!(reasons(&store), [long]);
}

#[test]
fn every_flipped_bit_is_found_and_the_record_named() {
    for byte in [0, 3, 5, 8, 20] {
        let mut store = MemoryStore::new();
        for n in 1..=3 {
            store.append(&sight(&n.to_string())).unwrap();
        }
        store.damage(2, 0, byte);
        let error = store.read(0, 10).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { record: 2, .. }), "byte {byte}: {error}");
        assert_eq!(error.code(), "STORE_DAMAGED");
        assert!(error.to_string().contains("record 2"), "{error}");
    }
}

#[test]
fn a_missing_record_is_found_and_both_neighbours_named() {
    let mut store = MemoryStore::new();
    for n in 1..=3 {
        store.append(&sight(&n.to_string())).unwrap();
    }
    store.lose(2, 0);
    assert!(matches!(store.read(0, 10), Err(StoreError::Gap { expected: 2, found: 3 })));
    let mut store = MemoryStore::new();
    store.append(&sight("1")).unwrap();
    store.append(&sight("2")).unwrap();
    store.lose(1, 0);
    assert!(matches!(store.read(0, 10), Err(StoreError::Gap { expected: 1, found: 2 })));
}

#[test]
fn a_record_without_one_of_its_parts_is_damaged() {
    for lost in 0..3 {
        let mut store = MemoryStore::new();
        store.append(&sight(&"z".repeat(2 * CHUNK_BYTES + 1))).unwrap();
        store.append(&sight("2")).unwrap();
        store.lose(1, lost);
        assert!(matches!(store.read(0, 10), Err(StoreError::Damaged { record: 1, .. })), "part {lost}");
    }
}

#[test]
fn a_record_of_another_format_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    {
        let mut store = DiskStore::open(dir.path()).unwrap();
        store.append(&sight("1")).unwrap();
        // A whole chunk of format 9: version, one part, its checksum, its bytes.
        let mut hasher = crc32fast::Hasher::new();
        let key = key(2, 0);
        let (version, parts) = (9_u16.to_be_bytes(), 1_u16.to_be_bytes());
        for part in [key.as_slice(), &version, &parts, b"?"] {
            hasher.update(part);
        }
        let value = [version.as_slice(), &parts, &hasher.finalize().to_be_bytes(), b"?"].concat();
        store.tree().insert(key, value).unwrap();
    }
    let error = DiskStore::open(dir.path()).err().unwrap();
    assert!(matches!(error, StoreError::Format { record: 2, version: 9, .. }), "{error}");
}

#[test]
fn a_step_that_a_crash_left_half_written_is_taken_away_whole() {
    let dir = tempfile::tempdir().unwrap();
    {
        let mut store = DiskStore::open(dir.path()).unwrap();
        store.append(&sight("1")).unwrap();
        store.append_without_entry(&sight(&"w".repeat(4 * CHUNK_BYTES))).unwrap();
        // The last parts never reached the disk.
        store.tree().remove(key(2, 4)).unwrap();
        store.tree().remove(key(2, 3)).unwrap();
    }
    // Nor its frame in the journal.
    fs::write(dir.path().join(files::JOURNAL), b"").unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    assert_eq!(reasons(&store), ["1"]);
    assert_eq!(store.append(&sight("2 again")).unwrap(), 2);
    drop(store);
    assert_eq!(reasons(&DiskStore::open(dir.path()).unwrap()), ["1", "2 again"]);
}

/// Goal: a power cut during a write never shows half a step. Danger: the storage engine reads a torn log
/// as if it were whole. Method: cut the log at many places, open it, and look at what is there.
#[test]
fn a_torn_log_shows_whole_steps_or_an_error_and_never_half_a_step() {
    let origin = tempfile::tempdir().unwrap();
    {
        let mut store = DiskStore::open(origin.path()).unwrap();
        for n in 1..=40 {
            store.append(&sight(&format!("{n} {}", "t".repeat(200)))).unwrap();
        }
        // All of it is in the storage engine, and no journal makes up for what is cut off there.
        assert_eq!(store.tree().len(), 40);
    }
    let log = fs::read(origin.path().join("store/db")).unwrap();
    let used = log.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut opened = 0;
    for cut in (0..20).map(|n| used - 1 - n * 97) {
        let dir = tempfile::tempdir().unwrap();
        copy(&origin.path().join("store"), &dir.path().join("store"));
        // What was never written reads as zeros, as after a power cut.
        let mut torn = log.clone();
        torn[cut..].fill(0);
        fs::write(dir.path().join("store/db"), &torn).unwrap();
        let Ok(store) = DiskStore::open(dir.path()) else { continue };
        opened += 1;
        let seen = reasons(&store);
        for (reason, n) in seen.iter().zip(1..) {
            assert_eq!(*reason, format!("{n} {}", "t".repeat(200)), "cut at {cut}");
        }
        assert_eq!(u64::try_from(seen.len()).unwrap(), store.last(), "cut at {cut}");
    }
    assert!(opened > 0, "no torn log could be opened at all");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_second_daemon_on_a_store_is_told_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = DiskStore::open(dir.path()).unwrap();
    let error = DiskStore::open(dir.path()).err().unwrap();
    assert_eq!(error.code(), "STORE_LOCKED");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(first);
    DiskStore::open(dir.path()).unwrap();
}

#[test]
fn a_failed_append_stores_nothing() {
    let mut store = MemoryStore::new();
    store.fail_after(1);
    store.append(&sight("1")).unwrap();
    assert!(matches!(store.append(&sight("2")), Err(StoreError::Injected)));
    assert_eq!(reasons(&store), ["1"]);
    assert_eq!(store.last(), 1);
}

#[test]
fn replay_of_what_a_life_stored_is_the_state_it_ended_with() {
    let treasury = testing::treasury();
    let (mut state, mut runtime) = (State::default(), Runtime::new());
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    let command = |n, person: &str, command| treasury_core::Input::Command {
        request: treasury_core::units::RequestId(n),
        actor: testing::actor(person),
        command,
        archived: None,
        asked: None,
    };
    let inputs = [
        testing::now(),
        testing::reconciled(),
        command(1, "alice", testing::pay(testing::xrp(5))),
        testing::ledger(101),
        command(2, "sue", testing::freeze("a drill")),
        command(3, "alice", testing::pay(testing::xrp(5_000))),
        testing::ledger(102),
    ];
    for input in inputs {
        let output = step(&treasury, &mut state, &mut runtime, input).unwrap();
        if !output.events.is_empty() {
            store.append(&output.events).unwrap();
        }
    }
    assert_eq!(state.proposals.len(), 2);
    assert_eq!(state.stops.all().count(), 1);
    assert_eq!(replay(&store, |_| {}).unwrap(), state);
    drop(store);
    assert_eq!(replay(&DiskStore::open(dir.path()).unwrap(), |_| {}).unwrap(), state);
}

#[test]
fn a_record_that_contradicts_the_ones_before_it_is_named() {
    let mut store = MemoryStore::new();
    store.append(&sight("1")).unwrap();
    store.append(&[Event::SlotFreed { proposal: treasury_core::units::ProposalId(9), paid: None }]).unwrap();
    assert!(matches!(replay(&store, |_| {}), Err(StoreError::DoesNotFit { record: 2, .. })));
}

/// Three records, of which the storage engine then loses the last.
fn lose_the_last(dir: &Path) {
    let mut store = DiskStore::open(dir).unwrap();
    for n in 1..=3 {
        store.append(&sight(&n.to_string())).unwrap();
    }
    store.tree().remove(key(3, 0)).unwrap();
}

/// An engine on this store is given a command: it stops, and nobody hears of it.
#[cfg(target_os = "linux")]
async fn is_stopped_by_a_full_disk(store: DiskStore) {
    let (mut engine, _, fatals) = testing::engine(store);
    let effects = testing::carry_nothing_out(&mut engine);
    let frozen = engine.handle.command(testing::actor("sue"), testing::freeze("the last one")).await;
    assert!(frozen.is_err(), "{frozen:?}");
    engine.thread.join().unwrap();
    assert!(effects.await.unwrap().is_empty());
    let fatals = fatals.lock().unwrap();
    assert!(fatals[0].to_string().contains("No space left"), "{}", fatals[0]);
}

/// Danger: a store of a later release is called damaged, and somebody rebuilds it.
#[test]
fn an_event_of_a_later_release_is_named_and_is_no_damage() {
    let store = MemoryStore::new();
    let raw = super::record::Raw { number: 1, events: br#"[{"event":"later_kind","of":1}]"#.to_vec() };
    store.put(raw.chunks().unwrap());
    let error = replay(&store, |_| {}).unwrap_err();
    assert_eq!(error.code(), "STORE_UNKNOWN_EVENT");
    assert_eq!(
        error.to_string(),
        "record 1 holds `later_kind`, which this treasuryd does not know; use a newer one"
    );
}

mod archive;
mod earlier;
mod journal;
mod log;
mod opened;
mod snapshots;
mod tools;
