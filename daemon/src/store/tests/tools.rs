//! Backup, check, building anew and putting in place.

use super::*;
use crate::store::{Built, StoreBuilder, backup, files, forget, inspect, salvage, snapshot, swap};

/// A store with files, snapshots, newest records and a second log.
fn store(dir: &Path) -> State {
    let mut store = DiskStore::open(dir).unwrap();
    let treasury = testing::treasury();
    let (mut state, mut runtime) = (State::default(), Runtime::new());
    store.resume(&mut |_| {}).unwrap();
    store.snapshot_every(8);
    let ledgers = (101..130).map(testing::ledger);
    for input in [testing::now(), testing::reconciled()].into_iter().chain(ledgers) {
        let pay = treasury_core::Input::Command {
            request: treasury_core::units::RequestId(1),
            actor: testing::actor("alice"),
            command: testing::pay(testing::xrp(1)),
            archived: None,
            asked: None,
        };
        for input in [input, pay] {
            let output = step(&treasury, &mut state, &mut runtime, input).unwrap();
            if !output.events.is_empty() {
                let number = store.append(&output.events).unwrap();
                store.settled(number, &state);
            }
        }
    }
    assert!(store.tree().len() > 1 && store.last() > 50, "{} records", store.last());
    state
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn first_file(dir: &Path) -> std::path::PathBuf {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names.remove(0)
}

#[test]
fn a_backup_is_proven_and_can_be_used_and_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let state = store(&data);
    let to = dir.path().join("copies/today");
    assert_eq!(backup(&data, &to).unwrap().state, state);
    assert_eq!(DiskStore::open(&to).unwrap().resume(&mut |_| {}).unwrap().state, state);
    assert!(inspect(&to).unwrap().is_whole());
    assert!(matches!(backup(&data, &to), Err(StoreError::Occupied { .. })));
    let running = DiskStore::open(&data).unwrap();
    assert!(matches!(backup(&data, &dir.path().join("other")), Err(StoreError::Locked { .. })));
    drop(running);
    flip(&data.join(files::INTENTS), 3);
    assert!(backup(&data, &dir.path().join("bad")).is_err());
    assert!(!dir.path().join("bad").exists() && !dir.path().join("bad.part").exists());
}

#[test]
fn a_whole_store_is_found_whole() {
    let dir = tempfile::tempdir().unwrap();
    let state = store(dir.path());
    let report = inspect(dir.path()).unwrap();
    assert_eq!(report.damage, Vec::<String>::new());
    assert_eq!((report.whole, &report.state), (report.last, &state));
    assert_eq!(report.snapshots.len(), 2);
    assert!(report.entries > 20 && report.entries_beyond == 0 && report.log_whole);
}

#[test]
fn damage_is_named_piece_by_piece_with_what_a_rebuild_does_about_it() {
    let dir = tempfile::tempdir().unwrap();
    store(dir.path());
    let last = inspect(dir.path()).unwrap().last;
    let records = dir.path().join(files::RECORDS);
    let file = first_file(&records);
    // Inside the JSON of a record in the middle of the first file.
    let text = fs::read_to_string(&file).unwrap();
    let at = text.find("{\"number\":5,").unwrap() + 60;
    flip(&file, at);
    let numbers = |after: u64| {
        let read = DiskStore::open(dir.path()).unwrap().read(after, 3);
        read.map(|found| found.into_iter().map(|record| record.number).collect::<Vec<u64>>())
    };
    assert!(matches!(numbers(4), Err(StoreError::Damaged { record: 5, .. })));
    assert_eq!(numbers(5).unwrap(), [6, 7, 8], "it hides none of those behind it");
    let snapshots = dir.path().join(files::SNAPSHOTS);
    let newest = *snapshot::numbers(&*seam::system(), &snapshots).unwrap().last().unwrap();
    flip(&snapshot::path_of(&snapshots, newest), 200);
    DiskStore::open(dir.path()).unwrap().tree().remove(key(last - 1, 0)).unwrap();
    let report = inspect(dir.path()).unwrap();
    assert!(!report.is_whole() && report.can_be_rebuilt());
    assert_eq!(report.whole, 4);
    let all = report.damage.join("\n");
    for piece in [
        "record 5 is damaged: its checksum is wrong",
        &format!("record {} is missing", last - 1),
        &format!("snapshot {newest}: its checksum is wrong"),
        &format!("records 5 to {last} are damaged or lost"),
    ] {
        assert!(all.contains(piece), "no \"{piece}\" in:\n{all}");
    }
    assert!(report.entries_beyond > 20);
    assert_eq!(report.ledgers_to_fetch.map(|(_, last)| last), Some(129));

    flip(&dir.path().join(files::INTENTS), 400);
    let report = inspect(dir.path()).unwrap();
    assert!(!report.can_be_rebuilt());
    assert!(
        report.damage.iter().any(|piece| piece.contains("intents.log is damaged")),
        "{:?}",
        report.damage
    );
}

#[test]
fn an_import_is_replayed_and_refused_where_something_is() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let state = store(&data);
    let events: Vec<_> = DiskStore::open(&data).unwrap().read(0, 1_000).unwrap();
    let new = dir.path().join("new");
    let mut builder = StoreBuilder::begin_empty(&new).unwrap();
    for record in &events {
        assert_eq!(builder.push(&record.events).unwrap(), record.number);
    }
    let Built { records, aside, state: built } = builder.install().unwrap();
    assert_eq!((records, aside, &built), (events.last().unwrap().number, None, &state));
    let (store, mut read) = (DiskStore::open(&new).unwrap(), 0);
    assert_eq!(replay(&store, |_| read += 1).unwrap(), state);
    assert_eq!(read, events.len());
    drop(store);
    assert!(inspect(&new).unwrap().is_whole());
    assert!(matches!(StoreBuilder::begin_empty(&new).err(), Some(StoreError::Occupied { .. })));

    let mut builder = StoreBuilder::begin_empty(&dir.path().join("other")).unwrap();
    let misfit = [Event::SlotFreed { proposal: treasury_core::units::ProposalId(9), paid: None }];
    assert!(matches!(builder.push(&misfit), Err(StoreError::DoesNotFit { record: 1, .. })));
    drop(builder);
    assert_eq!(DiskStore::open(&dir.path().join("other")).unwrap().last(), 0);
}

/// Danger: a crash among the renames that leaves half of each store. Method: stop after each part.
#[test]
fn a_new_store_is_in_place_whole_or_waits_to_be() {
    for stop in 0..=files::PARTS.len() {
        let dir = tempfile::tempdir().unwrap();
        let old = store(dir.path());
        let mut builder = StoreBuilder::begin(dir.path()).unwrap();
        builder.push(&sight("new")).unwrap();
        let built = builder.install().unwrap();
        let aside = built.aside.unwrap();
        // Undo the last moves, as if the process had ended before them.
        let stage = dir.path().join("incoming");
        fs::create_dir(&stage).unwrap();
        fs::write(stage.join("whole"), aside.file_name().unwrap().to_str().unwrap()).unwrap();
        for part in &files::PARTS[stop..] {
            fs::rename(dir.path().join(part), stage.join(part)).unwrap();
            fs::rename(aside.join(part), dir.path().join(part)).unwrap();
        }
        let error = DiskStore::open(dir.path()).err().unwrap();
        assert!(matches!(error, StoreError::Interrupted { .. }), "{error}");
        assert!(matches!(StoreBuilder::begin(dir.path()).err(), Some(StoreError::Interrupted { .. })));
        assert_eq!(StoreBuilder::finish_interrupted(dir.path()).unwrap(), Some(Some(aside.clone())));
        assert!(!swap::is_interrupted(&*seam::system(), dir.path()));
        assert_eq!(reasons(&DiskStore::open(dir.path()).unwrap()), ["new"], "stopped after {stop}");
        assert_eq!(DiskStore::open(&aside).unwrap().resume(&mut |_| {}).unwrap().state, old);
    }
}

#[test]
fn salvage_takes_whole_records_and_then_what_the_log_has() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let state = store(&data);
    let last = DiskStore::open(&data).unwrap().last();
    let read = |data: &Path| {
        let mut builder = StoreBuilder::begin(data).unwrap();
        let salvaged = salvage(data, &mut builder);
        (builder.number(), builder.state().clone(), salvaged)
    };
    let (number, read_state, salvaged) = read(&data);
    assert_eq!((number, read_state), (last, state));
    assert!(salvaged.unwrap().problem.is_none());

    // The storage engine's newest records are gone with its directory.
    fs::remove_dir_all(data.join(files::TAIL)).unwrap();
    let (number, _, salvaged) = read(&data);
    let salvaged = salvaged.unwrap();
    assert!(number < last && number > 30);
    assert!(salvaged.problem.unwrap().to_string().contains("store is missing"));
    assert!(!salvaged.entries.is_empty() && salvaged.entries.iter().all(|entry| entry.record > number));

    // Neither: then nothing may be made up.
    fs::remove_file(data.join(files::INTENTS)).unwrap();
    assert!(matches!(read(&data).2, Err(StoreError::LogMissing { .. })));
}

/// Danger: a person is taken out of a store, the process ends before they are taken out of the log beside it, and the next try does
/// not know which entries are of records that were written anew.
#[test]
fn where_taking_a_person_out_is_broken_off_the_next_try_finds_the_same_records() {
    let dir = tempfile::tempdir().unwrap();
    let state = store(dir.path());
    let known = || DiskStore::open(dir.path()).unwrap().resume(&mut |_| {}).unwrap().state;
    let mut told = Vec::new();
    let broken_off = forget(dir.path(), "alice", "person-1", |records| {
        assert!(DiskStore::open(dir.path()).is_err(), "no daemon comes between");
        told.push(records.clone());
        Err(StoreError::Injected)
    });
    assert!(matches!(broken_off, Err(StoreError::Injected)));
    assert_eq!(known(), state);
    let aside = forget(dir.path(), "alice", "person-2", |records| {
        told.push(records.clone());
        Ok::<_, StoreError>(())
    });
    let aside = aside.unwrap().unwrap();
    assert!(told[0].len() > 10 && told[0] == told[1], "{told:?}");
    let now = known();
    assert_eq!(now.proposals.len(), state.proposals.len());
    let texts = [now, state].map(|state| format!("{:?}", state.proposals));
    assert_eq!(
        texts.map(|text| (text.contains("alice"), text.contains("person-2"))),
        [(false, true), (true, false)]
    );
    assert!(aside.exists());
    let nothing = forget(dir.path(), "alice", "person-3", |records| {
        assert!(records.is_empty());
        Ok::<_, StoreError>(())
    });
    assert_eq!(nothing.unwrap(), None);
}

/// What is asked for after bob was taken out of the store, by a daemon whose policy and schedule name him.
struct WithoutBob {
    before: State,
    after: State,
    /// What is drafted of what programs and the schedule ask for again.
    drafted: Vec<Event>,
}

/// Alice asks with a key, bob with two, and a schedule is due. Then bob is forgotten, and alice and the schedule ask again.
fn without_bob(schedule: &str) -> WithoutBob {
    use std::sync::Arc;
    use treasury_core::config::{Due, Schedule};
    use treasury_core::policy::{Action, Approvers, Policy, Rule};
    use treasury_core::units::{RippleTime, Weight};

    let dir = tempfile::tempdir().unwrap();
    let mut treasury = testing::treasury();
    let people = std::collections::BTreeSet::from(["bob".to_owned()]);
    let approvers = Approvers { weight: Weight(1), people, ..Default::default() };
    treasury.policy = Policy::new(vec![Rule::new("small", Action::Approve(approvers))]);
    treasury.people.get_mut("bob").unwrap().roles.insert(treasury_core::config::Role::Proposer);
    let (mut before, mut runtime) = (State::default(), Runtime::new());
    let asked = |person: &str, key: &str| {
        let treasury_core::Command::Propose(pay) = testing::pay(testing::xrp(1)) else { panic!("it pays") };
        treasury_core::Input::Command {
            request: treasury_core::units::RequestId(1),
            actor: testing::actor(person),
            command: treasury_core::Command::Propose(treasury_core::command::Propose {
                idempotency_key: Some(key.to_owned()),
                ..pay
            }),
            archived: None,
            asked: None,
        }
    };
    let mut store = DiskStore::open(dir.path()).unwrap();
    store.resume(&mut |_| {}).unwrap();
    let mut take = |treasury: &treasury_core::Treasury, state: &mut State, input| {
        let events = step(treasury, state, &mut runtime, input).unwrap().events;
        if !events.is_empty() {
            store.append(&events).unwrap();
        }
    };
    for input in [testing::now(), testing::reconciled(), testing::ledger(101)] {
        take(&treasury, &mut before, input);
    }
    for (person, key) in [("alice", "K"), ("alice", "bob-7"), ("bob", "K"), ("bob", "L")] {
        take(&treasury, &mut before, asked(person, key));
    }
    treasury.schedules = vec![Schedule {
        name: schedule.to_owned(),
        from: testing::warm(),
        to: testing::exchange(),
        destination_tag: None,
        amount: testing::xrp(7).into(),
        by: "alice".to_owned(),
        note: "for what was done".to_owned(),
        due: Arc::from(vec![Due { at: RippleTime(before.now().0 + 7_200), day: 100 }]),
        lead_seconds: 86_400,
        late_max_seconds: 3_600,
    }];
    take(&treasury, &mut before, testing::ledger(102));
    drop(store);
    forget(dir.path(), "bob", "person-1", |_| Ok::<_, StoreError>(())).unwrap().unwrap();
    let after = DiskStore::open(dir.path()).unwrap().resume(&mut |_| {}).unwrap().state;

    treasury.people.remove("bob");
    let (mut state, mut runtime, mut drafted) = (after.clone(), Runtime::new(), Vec::new());
    let ledgers = [103, 104].map(testing::ledger);
    let again = [asked("alice", "K"), asked("alice", "bob-7")];
    for input in [testing::now()].into_iter().chain(ledgers).chain(again) {
        drafted.extend(step(&treasury, &mut state, &mut runtime, input).unwrap().events);
    }
    drafted.retain(|event| matches!(event, Event::ProposalDrafted { .. }));
    WithoutBob { before, after, drafted }
}

/// Danger: bob is forgotten, whom the rule of alice's payment names, and alice's program repeats its request with the same key:
/// it is paid twice.
#[test]
fn a_key_of_somebody_else_is_kept_whoever_is_forgotten() {
    let WithoutBob { before, after, drafted } = without_bob("salary");
    let ours = |state: &State, person: &str| -> Vec<_> {
        let keys = state.idempotency.iter().filter(|((whose, _), _)| whose == person);
        keys.map(|((_, key), proposal)| (key.clone(), *proposal)).collect()
    };
    assert_eq!(ours(&after, "alice"), ours(&before, "alice"));
    assert_eq!(ours(&after, "alice").len(), 2);
    // What bob wrote is gone, and each of his is under a key of its own as before.
    let proposals =
        |keys: Vec<(String, _)>| keys.into_iter().map(|(_, proposal)| proposal).collect::<Vec<_>>();
    let (theirs, were) = (ours(&after, "person-1"), ours(&before, "bob"));
    assert!(theirs.iter().all(|(key, _)| key.starts_with("removed-")), "{theirs:?}");
    assert_eq!((proposals(theirs), were.len()), (proposals(were), 2));
    assert!(ours(&after, "bob").is_empty());
    assert!(drafted.is_empty(), "{drafted:?}");
}

/// Danger: a schedule is called like somebody who is forgotten, is taken for another one then, and its payment is asked for again.
#[test]
fn a_schedule_is_known_whoever_is_forgotten() {
    for name in ["salary", "bob", "bob.salary", " bob"] {
        let WithoutBob { before, after, drafted } = without_bob(name);
        assert!(before.scheduled.contains_key(name) && after.scheduled.contains_key(name), "{name}");
        assert!(drafted.is_empty(), "{name}: {drafted:?}");
    }
}
