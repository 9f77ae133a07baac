//! Which hosts opened a store.

use super::*;
use crate::store::{Host, Openings, backup, files, inspect};

fn opened(dir: &Path, host: &Host) -> Openings {
    DiskStore::open(dir).unwrap().note_opening(host.clone()).unwrap()
}

fn names(openings: &Openings) -> Vec<(&str, u64, u64)> {
    openings.by.iter().map(|by| (by.host.name.as_str(), by.first, by.last)).collect()
}

#[test]
fn each_opening_by_a_daemon_counts_and_names_its_host() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (Host::of("vault-1\n", "0123abcd"), Host::of("vault-2", "4567cdef"));
    for generation in 1..=3 {
        let openings = opened(dir.path(), &one);
        assert_eq!((openings.generation(), openings.changed_hosts()), (generation, false));
    }
    // Whoever looks at it, copies it or exports it opens it, too, and does not count.
    DiskStore::open(dir.path()).unwrap();
    assert_eq!(inspect(dir.path()).unwrap().opened.words(), "opened 3 times, by vault-1");
    let openings = opened(dir.path(), &other);
    assert!(openings.changed_hosts());
    assert_eq!(names(&openings), [("vault-1", 1, 3), ("vault-2", 4, 4)]);
    let openings = opened(dir.path(), &other);
    assert!(!openings.changed_hosts(), "it is said once");
    assert_eq!(openings.words(), "opened 5 times, since 4 by vault-2, before that by vault-1");
}

/// Danger: two daemons with one keystore act for one treasury.
#[test]
fn a_restored_backup_knows_the_host_that_it_was_taken_on() {
    let dir = tempfile::tempdir().unwrap();
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    opened(&data, &Host::of("vault-1", "0123"));
    backup(&data, &copy).unwrap();
    let openings = opened(&copy, &Host::of("vault-2", "4567"));
    assert!(openings.changed_hosts());
    assert_eq!(names(&openings), [("vault-1", 1, 1), ("vault-2", 2, 2)]);
    assert_eq!(names(&opened(&data, &Host::of("vault-1", "0123"))), [("vault-1", 1, 2)], "its own goes on");
}

#[test]
fn a_machine_that_is_called_otherwise_is_the_same_and_two_of_one_name_are_two() {
    let dir = tempfile::tempdir().unwrap();
    for (name, machine, changed) in [
        ("a", "01", false),
        ("b", "01", false),
        ("b", "02", true),
        // Without a machine's id the name tells, as in containers.
        ("b", "", false),
        ("c", "", true),
        ("", "", true),
    ] {
        let openings = opened(dir.path(), &Host::of(name, machine));
        assert_eq!(openings.changed_hosts(), changed, "{name} {machine}");
    }
}

#[test]
fn a_machines_id_is_not_told_and_neither_is_a_name_that_hides_something() {
    let id = "b08dfa6083e7567a1921a715000001fb";
    let host = Host::of("va\u{202e}ult\u{1b}[2J", id);
    assert_eq!(host.name, "va\\u{202e}ult\\u{1b}[2J");
    assert!(!id.contains(host.machine.as_deref().unwrap()));
    assert_eq!(Host::of("vault", "").machine, None);
    assert!(Host::of(&"x".repeat(500), "").name.len() <= 64);
    assert!(!Host::this().name.is_empty());
}

#[test]
fn a_store_that_says_nothing_of_hosts_opens_and_so_does_one_whose_file_is_no_such_file() {
    for store in recordings::old_stores().unwrap() {
        let dir = tempfile::tempdir().unwrap();
        store.lay_out(dir.path()).unwrap();
        let openings = opened(dir.path(), &Host::of("vault-1", "0123"));
        assert_eq!((openings.generation(), openings.changed_hosts()), (1, false));
    }
    let dir = tempfile::tempdir().unwrap();
    for text in [&b"\xFF\xFE"[..], b"", b"[]", b"{\"by\":[{}]}"] {
        fs::write(dir.path().join(files::OPENED), text).unwrap();
        assert_eq!(opened(dir.path(), &Host::of("vault-1", "0123")).generation(), 1);
    }
    assert_eq!(inspect(dir.path()).unwrap().damage, Vec::<String>::new());
}

#[test]
fn no_more_than_the_newest_hosts_are_remembered() {
    let dir = tempfile::tempdir().unwrap();
    for number in 1..=40 {
        opened(dir.path(), &Host::of(&format!("pod-{number}"), ""));
    }
    let openings = opened(dir.path(), &Host::of("pod-40", ""));
    assert_eq!((openings.generation(), openings.by.len()), (41, 16));
    assert_eq!(openings.by.last().map(|by| (by.first, by.last)), Some((40, 41)));
}
