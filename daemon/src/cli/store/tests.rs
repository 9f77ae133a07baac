use treasury_core::Event;
use treasury_core::state::Sight;

use super::*;

fn some(data_dir: &Path) -> Vec<u8> {
    let mut store = DiskStore::open(data_dir).unwrap();
    for n in 0..5 {
        store.append(&[Event::SightChanged { sight: Sight::Lost(n.to_string()) }]).unwrap();
    }
    drop(store);
    let mut lines = Vec::new();
    export(data_dir, &mut lines).unwrap();
    lines
}

#[test]
fn what_was_exported_is_imported_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let lines = some(&dir.path().join("old"));
    let new = dir.path().join("new");
    import(&new, lines.as_slice()).unwrap();
    let mut again = Vec::new();
    export(&new, &mut again).unwrap();
    assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(lines.clone()).unwrap());
    let error = import(&new, lines.as_slice()).unwrap_err();
    assert!(error.to_string().contains("nothing is overwritten"), "{error}");
}

#[test]
fn an_export_of_an_old_store_has_no_secrets_of_ledger_servers() {
    let dir = tempfile::tempdir().unwrap();
    let old = dir.path().join("old");
    let mut store = DiskStore::open(&old).unwrap();
    let reason = "ws://op:PASSWORD99@127.0.0.1:6006/v1/KEY99?k=KEY99: cannot be reached";
    store.append(&[Event::SightChanged { sight: Sight::Lost(reason.to_owned()) }]).unwrap();
    drop(store);
    let mut lines = Vec::new();
    export(&old, &mut lines).unwrap();
    let text = String::from_utf8(lines.clone()).unwrap();
    assert!(text.contains("ws://127.0.0.1:6006/…: cannot be reached"), "{text}");
    assert!(!text.contains("PASSWORD99") && !text.contains("KEY99"), "{text}");
    import(&dir.path().join("new"), lines.as_slice()).unwrap();
}

#[test]
fn a_line_that_is_no_record_or_in_the_wrong_place_leaves_no_store() {
    let dir = tempfile::tempdir().unwrap();
    let lines = String::from_utf8(some(&dir.path().join("old"))).unwrap();
    let without_second: String =
        lines.lines().enumerate().filter(|(n, _)| *n != 1).map(|(_, line)| format!("{line}\n")).collect();
    for (text, wanted) in [
        (without_second, "line 2 is record 3"),
        (format!("{lines}{{}}\n"), "line 6 is no record"),
        (String::new(), "there is no record to import"),
    ] {
        let new = dir.path().join("new");
        let error = import(&new, text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(there(&new).is_err());
        assert!(!new.join("incoming").exists());
        std::fs::remove_dir_all(&new).unwrap();
    }
}

#[test]
fn looking_at_a_store_that_is_not_there_does_not_make_one() {
    let dir = tempfile::tempdir().unwrap();
    let none = dir.path().join("none");
    assert!(run(StoreCommand::Check { data_dir: none.clone() }).is_err());
    assert!(run(StoreCommand::Export { data_dir: none.clone(), to: None }).is_err());
    assert!(run(StoreCommand::Backup { data_dir: none.clone(), to: dir.path().join("to") }).is_err());
    assert!(!none.exists());
}

#[test]
fn the_exit_code_says_whether_a_rebuild_helps() {
    let dir = tempfile::tempdir().unwrap();
    some(dir.path());
    let code = || format!("{:?}", run(StoreCommand::Check { data_dir: dir.path().to_owned() }).unwrap());
    assert_eq!(code(), format!("{:?}", ExitCode::SUCCESS));
    std::fs::remove_dir_all(dir.path().join("store")).unwrap();
    assert_eq!(code(), format!("{:?}", ExitCode::from(DAMAGED)));
    std::fs::write(dir.path().join("intents.log"), b"gone").unwrap();
    std::fs::write(dir.path().join("snapshots").join(format!("{:020}.snapshot", 5)), b"gone").unwrap();
    assert_eq!(code(), format!("{:?}", ExitCode::from(LOST)));
}
