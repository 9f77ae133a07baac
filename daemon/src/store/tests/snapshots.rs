//! Snapshots and files of older records: whatever becomes of them, the state is what all records say.

use proptest::prelude::*;
use treasury_core::Input;
use treasury_core::units::RequestId;

use super::*;
use crate::store::{files, snapshot};

/// What happens to a small treasury; each number is one of a few inputs.
fn life(acts: &[u8]) -> Vec<(Vec<Event>, State)> {
    let treasury = testing::treasury();
    let (mut state, mut runtime) = (State::default(), Runtime::new());
    let mut ledger = 100;
    let mut steps = Vec::new();
    let first = [testing::reconciled()];
    let acts = acts.iter().zip(1..).map(|(act, n)| {
        let command = |person: &str, command| Input::Command {
            request: RequestId(n),
            actor: testing::actor(person),
            command,
            archived: None,
            asked: None,
        };
        match act % 8 {
            0 => command("alice", testing::pay(testing::xrp(5))),
            1 => command("alice", testing::pay(testing::xrp(5_000))),
            2 => command("sue", testing::freeze("a drill")),
            3 => Input::SightLost { reason: format!("reason {n}") },
            4 => testing::reconciled_at(ledger),
            _ => {
                ledger += 1;
                testing::ledger(ledger)
            }
        }
    });
    for input in first.into_iter().chain(acts.collect::<Vec<_>>()) {
        let output = step(&treasury, &mut state, &mut runtime, input).unwrap();
        if !output.events.is_empty() {
            steps.push((output.events, state.clone()));
        }
    }
    steps
}

fn many(count: u8) -> Vec<(Vec<Event>, State)> {
    life(&(0..count).map(|n| if n < 6 { n } else { n % 3 + 5 }).collect::<Vec<_>>())
}

/// Stores a life; the store takes a snapshot every `every` records.
fn live(store: &mut DiskStore, steps: &[(Vec<Event>, State)], every: u64) {
    store.resume(&mut |_| {}).unwrap();
    store.snapshot_every(every);
    for (events, state) in steps {
        let number = store.append(events).unwrap();
        store.settled(number, state);
    }
}

fn resumed(dir: &Path) -> (Resumed, u64) {
    let mut read = 0;
    let resumed = DiskStore::open(dir).unwrap().resume(&mut |_| read += 1).unwrap();
    (resumed, read)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Danger: a snapshot that leaves something out, or a tail that begins one record early or late.
    #[test]
    fn a_snapshot_and_the_records_after_it_are_all_records(
        acts in prop::collection::vec(any::<u8>(), 1..60),
        every in 1..20_u64,
    ) {
        let steps = life(&acts);
        let last = u64::try_from(steps.len()).unwrap();
        let wanted = &steps.last().unwrap().1;
        let dir = tempfile::tempdir().unwrap();
        let mut store = DiskStore::open(dir.path()).unwrap();
        live(&mut store, &steps, every);
        prop_assert_eq!(&replay(&store, |_| {}).unwrap(), wanted);
        drop(store);
        let (resumed, read) = resumed(dir.path());
        prop_assert_eq!(&resumed.state, wanted);
        prop_assert_eq!(resumed.last, last);
        prop_assert_eq!(read, last % every);
    }
}

#[test]
fn records_come_back_across_files_and_the_storage_engine_in_pages_of_any_size() {
    let steps = many(40);
    let last = u64::try_from(steps.len()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    live(&mut store, &steps, 7);
    assert!(store.tree().len() < 7, "older records have left the storage engine");
    for (after, limit) in
        [(0, 3), (0, 100), (5, 4), (6, 1), (7, 1), (13, 30), (2, 2), (last - 1, 5), (last, 5)]
    {
        let numbers: Vec<u64> =
            store.read(after, limit).unwrap().iter().map(|record| record.number).collect();
        let wanted: Vec<u64> = (after + 1..=last).take(limit).collect();
        assert_eq!(numbers, wanted, "{limit} after {after}");
    }
    let events: Vec<Vec<Event>> =
        store.read(0, 1_000).unwrap().into_iter().map(|record| record.events).collect();
    assert_eq!(events, steps.into_iter().map(|(events, _)| events).collect::<Vec<_>>());
}

#[test]
fn a_damaged_or_missing_snapshot_costs_time_and_nothing_else() {
    let steps = many(40);
    let wanted = steps.last().unwrap().1.clone();
    let last = u64::try_from(steps.len()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    live(&mut DiskStore::open(dir.path()).unwrap(), &steps, 10);
    let snapshots = dir.path().join(files::SNAPSHOTS);
    let numbers = snapshot::numbers(&*seam::system(), &snapshots).unwrap();
    let [older, newest] = numbers[..] else { panic!("{numbers:?}") };
    assert_eq!(resumed(dir.path()), (Resumed { last, state: wanted.clone() }, last - newest));

    let path = snapshot::path_of(&snapshots, newest);
    let whole = fs::read(&path).unwrap();
    for at in [0, 5, 30, 80, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        assert_eq!(resumed(dir.path()), (Resumed { last, state: wanted.clone() }, last - older), "byte {at}");
    }
    for cut in [0, 3, 40, whole.len() - 1] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(
            resumed(dir.path()),
            (Resumed { last, state: wanted.clone() }, last - older),
            "cut at {cut}"
        );
    }
    fs::remove_dir_all(&snapshots).unwrap();
    assert_eq!(resumed(dir.path()), (Resumed { last, state: wanted }, last));
}

#[test]
fn a_snapshot_of_another_program_is_not_believed() {
    let steps = many(10);
    let dir = tempfile::tempdir().unwrap();
    live(&mut DiskStore::open(dir.path()).unwrap(), &steps, 5);
    let snapshots = dir.path().join(files::SNAPSHOTS);
    let number = *snapshot::numbers(&*seam::system(), &snapshots).unwrap().last().unwrap();
    let path = snapshot::path_of(&snapshots, number);
    // The same bytes under another record's name: whole, and about something else.
    fs::rename(&path, snapshot::path_of(&snapshots, number - 1)).unwrap();
    let why = snapshot::read(&*seam::system(), &snapshots, number - 1).unwrap_err().to_string();
    assert!(why.contains(&format!("record {number}")), "{why}");
}

#[test]
fn a_snapshot_that_other_sources_of_the_same_version_added_up_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    live(&mut DiskStore::open(dir.path()).unwrap(), &many(10), 5);
    let snapshots = dir.path().join(files::SNAPSHOTS);
    let number = *snapshot::numbers(&*seam::system(), &snapshots).unwrap().last().unwrap();
    let path = snapshot::path_of(&snapshots, number);
    let mut file = fs::read(&path).unwrap();
    file.truncate(file.len() - 4);
    let end = file.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let head = String::from_utf8(file[18..end - 1].to_vec()).unwrap();
    let other = head.replace(treasury_core::SOURCES, "of others");
    assert_ne!(head, other);
    let mut written = frame::frame(other.as_bytes()).unwrap();
    written.extend(&file[end..]);
    written.extend(crc32fast::hash(&written).to_be_bytes());
    fs::write(&path, written).unwrap();
    let why = snapshot::read(&*seam::system(), &snapshots, number).unwrap_err();
    assert!(matches!(&why, snapshot::Unusable::OtherForm(why) if why.contains("of others")), "{why}");
    drop(DiskStore::open(dir.path()).unwrap());
}

/// Danger: a crash between any two writes of a snapshot and of the move to a file. Method: what each leaves is laid
/// out by hand, and the store must say the same as before and take the next record.
#[test]
fn a_crash_anywhere_in_a_snapshot_leaves_every_record() {
    let steps = many(20);
    let wanted = steps.last().unwrap().1.clone();
    for crash in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let (records, snapshots) = (dir.path().join(files::RECORDS), dir.path().join(files::SNAPSHOTS));
        let mut store = DiskStore::open(dir.path()).unwrap();
        live(&mut store, &steps, 6);
        let last = store.last();
        let in_files = last - u64::try_from(store.tree().len()).unwrap();
        match crash {
            // Half a snapshot, without its name.
            0 => fs::write(snapshots.join(format!("{last:020}.snapshot.part")), b"half").unwrap(),
            // The snapshot, and no record moved.
            1 => snapshot::write(&seam::system(), &snapshots, last, &wanted).unwrap(),
            // Half a file of records, without its name.
            2 => fs::write(records.join(format!("{:020}.part", in_files + 1)), b"half").unwrap(),
            // The file, and its records in the storage engine still: all, or some.
            3 => store.seal_only().unwrap(),
            _ => {
                store.seal_only().unwrap();
                store.tree().remove(key(in_files + 1, 0)).unwrap();
            }
        }
        drop(store);
        assert_eq!(resumed(dir.path()).0, Resumed { last, state: wanted.clone() }, "crash {crash}");
        for dir in [&records, &snapshots] {
            let left = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
            assert_eq!(left.filter(|path| path.extension().is_some_and(|kind| kind == "part")).count(), 0);
        }
        let mut store = DiskStore::open(dir.path()).unwrap();
        assert_eq!(replay(&store, |_| {}).unwrap(), wanted, "crash {crash}");
        assert_eq!(store.append(&sight("on")).unwrap(), last + 1);
    }
}

#[test]
fn a_snapshot_that_cannot_be_written_stops_nothing() {
    let steps = many(20);
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    let snapshots = dir.path().join(files::SNAPSHOTS);
    fs::remove_dir(&snapshots).unwrap();
    fs::write(&snapshots, b"in the way").unwrap();
    store.position_at_start();
    store.snapshot_every(3);
    for (events, state) in &steps {
        let number = store.append(events).unwrap();
        store.settled(number, state);
    }
    fs::remove_file(&snapshots).unwrap();
    drop(store);
    assert_eq!(resumed(dir.path()).0.state, steps.last().unwrap().1);
}

#[test]
fn the_end_of_a_run_leaves_nothing_to_read_for_the_next() {
    let steps = many(12);
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    live(&mut store, &steps, 1_000);
    store.close(&steps.last().unwrap().1);
    drop(store);
    let (found, read) = resumed(dir.path());
    assert_eq!((found.state, read), (steps.last().unwrap().1.clone(), 0));
}

#[test]
fn a_store_of_version_1_is_brought_up_to_date_and_a_newer_one_refused() {
    let steps = many(30);
    let dir = tempfile::tempdir().unwrap();
    let mut store = DiskStore::open(dir.path()).unwrap();
    live(&mut store, &steps, 1_000);
    assert_eq!(store.tree().len(), steps.len());
    drop(store);
    // Version 1 had the storage engine's directory and the lock, and nothing else.
    for part in [files::RECORDS, files::SNAPSHOTS] {
        fs::remove_dir_all(dir.path().join(part)).unwrap();
    }
    let log = fs::read(dir.path().join(files::INTENTS)).unwrap();
    for part in [files::INTENTS, files::JOURNAL, files::VERSION] {
        fs::remove_file(dir.path().join(part)).unwrap();
    }
    let (found, read) = resumed(dir.path());
    assert_eq!(found.state, steps.last().unwrap().1);
    assert_eq!(read, u64::try_from(steps.len()).unwrap());
    assert_eq!(fs::read_to_string(dir.path().join(files::VERSION)).unwrap(), "4\n");
    assert_eq!(
        fs::read(dir.path().join(files::INTENTS)).unwrap(),
        log,
        "the second log is made from the records"
    );

    // Version 2 had everything but the journal. Its log is never made anew.
    fs::remove_file(dir.path().join(files::JOURNAL)).unwrap();
    fs::write(dir.path().join(files::VERSION), "2\n").unwrap();
    assert!(inspect(dir.path()).unwrap().is_whole());
    fs::rename(dir.path().join(files::INTENTS), dir.path().join("log")).unwrap();
    assert_eq!(DiskStore::open(dir.path()).err().unwrap().code(), "STORE_LOG_MISSING");
    fs::rename(dir.path().join("log"), dir.path().join(files::INTENTS)).unwrap();
    assert_eq!(resumed(dir.path()).0.state, steps.last().unwrap().1);
    assert_eq!(fs::read_to_string(dir.path().join(files::VERSION)).unwrap(), "4\n");

    for (text, advice) in
        [("5\n", "use a newer one"), ("12", "use a newer one"), ("two", "treasuryd rebuild")]
    {
        fs::write(dir.path().join(files::VERSION), text).unwrap();
        let error = DiskStore::open(dir.path()).err().unwrap();
        assert_eq!(error.code(), "STORE_VERSION");
        assert!(error.to_string().contains("this treasuryd reads layouts 1 to 4"), "{error}");
        assert!(error.to_string().contains(advice), "{error}");
        let mut builder = crate::store::StoreBuilder::begin(dir.path()).unwrap();
        let salvaged = crate::store::salvage(dir.path(), &mut builder);
        assert_eq!(salvaged.is_err(), text != "two", "only what is damaged is rebuilt");
    }
}

#[test]
fn a_restart_does_not_make_a_file_of_records() {
    let dir = tempfile::tempdir().unwrap();
    for run in 1..=4 {
        let mut store = DiskStore::open(dir.path()).unwrap();
        let state = store.resume(&mut |_| {}).unwrap().state;
        store.append(&sight("a reason")).unwrap();
        store.append(&sight(&format!("of run {run}"))).unwrap();
        let now = replay(&store, |_| {}).unwrap();
        assert_ne!(now.sight, state.sight);
        store.close(&now);
        assert_eq!(store.tree().len(), 2 * run);
    }
    assert_eq!(fs::read_dir(dir.path().join(files::RECORDS)).unwrap().count(), 0);
    assert_eq!(resumed(dir.path()).1, 0);
}
