mod activated;
mod listened;
mod told;

use std::collections::BTreeMap;
use std::path::Path;
use tokio::net::TcpListener;

use super::*;
use crate::client::Client;
use crate::config::ListFile;
use crate::config::{Endpoint, NetworkConfig, PassphraseSource};
use crate::signer::{SeedProblem, WorkFactor, check_seed};
use crate::store::MemoryStore;
use crate::testing;
use xrpl_wire::{AccountId, KeyType, Seed};

/// A daemon's configuration in a directory, with an empty keystore and nobody at its ledger endpoint.
async fn config(dir: &Path) -> DaemonConfig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("ws://{}", listener.local_addr().unwrap());
    drop(listener);
    let passphrase: secrecy::SecretString = "correct horse".to_owned().into();
    let keystore = dir.join("keystore.age");
    if !keystore.exists() {
        let mut made = Keystore::create(&keystore, &passphrase, WorkFactor::Quick).unwrap();
        for own in [testing::AGENT, 101] {
            made.add(Seed::from_entropy([own; 16], KeyType::Ed25519)).unwrap();
        }
    }
    DaemonConfig {
        treasury: testing::treasury(),
        agent_names: [(testing::signer(testing::AGENT), "agent-1".to_owned())].into(),
        network: NetworkConfig::new(vec![Endpoint::parse(&nobody).unwrap()]),
        data_dir: dir.join("data"),
        listen: "127.0.0.1:0".parse().unwrap(),
        keystore,
        passphrase: PassphraseSource::Given(passphrase),
        tokens: testing::tokens(),
        logins: BTreeMap::new(),
        passkeys: BTreeMap::new(),
        requests_per_second: 200,
        console: Some(crate::console::ConsoleConfig::default()),
        guard: None,
        screening: None,
        audit_keep_days: None,
        notify: crate::notify::NotifyConfig::default(),
        rule_places: BTreeMap::new(),
        policy_file: None,
        shadow: None,
        list_files: Vec::new(),
        prices: None,
        severity_places: BTreeMap::new(),
        prints: crate::config::Prints::default(),
    }
}

fn client(daemon: &Daemon, person: &str) -> Client {
    Client::new(&daemon.url(), Some(testing::token_of(person))).unwrap()
}

#[tokio::test]
async fn a_daemon_without_a_ledger_answers_says_it_is_blind_and_stops_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(config(dir.path()).await).await.unwrap();
    let alice = client(&daemon, "alice");
    assert!(!alice.ready().await.unwrap());
    assert_eq!(alice.status().await.unwrap().ledger, None);
    let url = daemon.url();
    daemon.shutdown().await;
    Client::new(&url, None).unwrap().readiness().await.unwrap_err();
}

#[tokio::test]
async fn only_one_daemon_runs_on_a_store_and_the_next_one_finds_what_it_left() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(config(dir.path()).await).await.unwrap();
    assert!(client(&daemon, "sue").freeze(Some("warm"), "a drill").await.unwrap().changed);
    let second = Daemon::start(config(dir.path()).await).await.unwrap_err();
    assert!(matches!(second, StartError::Store(StoreError::Locked { .. })), "{second}");
    daemon.shutdown().await;

    let daemon = Daemon::start(config(dir.path()).await).await.unwrap();
    let status = client(&daemon, "sue").status().await.unwrap();
    assert_eq!(status.stops.len(), 1);
    daemon.shutdown().await;
}

/// Danger: a backup was restored, or a disk copied, and two daemons with one keystore act for one treasury.
#[tokio::test]
async fn a_store_that_another_host_opened_is_said_to_be_that_and_is_not_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path()).await;
    for generation in 1..=2 {
        let daemon = Daemon::start(config.clone()).await.unwrap();
        let store = client(&daemon, "alice").status().await.unwrap().store.unwrap();
        assert_eq!((store.generation, store.since_generation, &store.before), (generation, 1, &None));
        assert_eq!(store.host, Host::this().name);
        daemon.shutdown().await;
    }
    let elsewhere = DiskStore::open(&config.data_dir).unwrap();
    elsewhere.note_opening(Host::of("vault-9", "another machine")).unwrap();
    drop(elsewhere);
    // Said at every start from then on; the log says it at the first.
    for generation in 4..=5 {
        let daemon = Daemon::start(config.clone()).await.unwrap();
        let store = client(&daemon, "alice").status().await.unwrap().store.unwrap();
        assert_eq!((store.generation, store.since_generation), (generation, 4));
        let before = store.before.unwrap();
        assert_eq!((before.host.as_str(), before.generation), ("vault-9", 3));
        daemon.shutdown().await;
    }
    // A store in memory has no host.
    let daemon = Daemon::start_on(config, Box::new(MemoryStore::new())).await.unwrap();
    assert_eq!(client(&daemon, "alice").status().await.unwrap().store, None);
    daemon.shutdown().await;
}

#[tokio::test]
async fn a_failed_append_is_told_to_whoever_runs_the_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let store = MemoryStore::new();
    let mut daemon = Daemon::start_on(config(dir.path()).await, Box::new(store.clone())).await.unwrap();
    store.fail_after(0);
    client(&daemon, "sue").freeze(None, "the last one").await.unwrap_err();
    let why = daemon.stopped().await;
    assert!(why.contains("append failed on purpose"), "{why}");
    daemon.shutdown().await;
}

#[tokio::test]
async fn what_keeps_a_daemon_from_starting_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut taken = config(dir.path()).await;
    let holder = TcpListener::bind("127.0.0.1:0").await.unwrap();
    taken.listen = holder.local_addr().unwrap();
    let error = Daemon::start(taken).await.unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }), "{error}");

    let mut wrong = config(dir.path()).await;
    wrong.passphrase = PassphraseSource::Given("wrong".to_owned().into());
    let error = Daemon::start(wrong).await.unwrap_err();
    assert!(matches!(error, StartError::Keystore(_)), "{error}");

    let mut missing = config(dir.path()).await;
    missing.keystore = dir.path().join("none.age");
    let error = Daemon::start(missing).await.unwrap_err();
    assert!(matches!(error, StartError::Keystore(_)), "{error}");

    // Keys of the configuration's own are missing, one of them because its seed was read as the other type.
    let mut lacking = config(dir.path()).await;
    lacking.keystore = dir.path().join("other.age");
    let passphrase = lacking.passphrase.read().unwrap();
    let mut other = Keystore::create(&lacking.keystore, &passphrase, WorkFactor::Quick).unwrap();
    let twin = other.add(Seed::from_entropy([101; 16], KeyType::Secp256k1)).unwrap();
    let error = Daemon::start(lacking).await.unwrap_err();
    assert!(matches!(error, StartError::MissingKeys(_)), "{error}");
    let said = error.to_string();
    for part in [
        "the agent \"agent-1\"",
        &testing::signer(testing::AGENT).to_string(),
        "treasuryd keystore add",
        "the account \"runner\"",
        &testing::runner().to_string(),
        &twin.to_string(),
        "--key-type",
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }

    // Whatever failed has let go of the store again.
    Daemon::start(config(dir.path()).await).await.unwrap().shutdown().await;
}

/// Danger: a seed written with a plain `s` is read as the wrong type of key, its account signs for nobody, and that
/// shows when a payment has to leave.
#[tokio::test]
async fn a_seed_that_says_no_type_of_key_is_compared_with_what_is_declared() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path()).await;
    let seed = |n, key_type| Seed::from_entropy([n; 16], key_type);
    assert_eq!(check_seed(&config, &seed(testing::AGENT, KeyType::Ed25519)), Ok(()));
    let problem = check_seed(&config, &seed(testing::AGENT, KeyType::Secp256k1)).unwrap_err();
    assert!(matches!(problem, SeedProblem::OtherReading { key_type: KeyType::Ed25519, .. }), "{problem}");
    let said = problem.to_string();
    for part in ["agent-1", &testing::signer(testing::AGENT).to_string(), "--key-type ed25519"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    let stranger = check_seed(&config, &seed(99, KeyType::Ed25519)).unwrap_err();
    assert!(matches!(stranger, SeedProblem::NotDeclared(_)), "{stranger}");
}

/// Danger: somebody comes to stand on a list of sanctions and the daemon goes on by the list that it has; or the list is
/// damaged, and who was on it counts as nobody.
#[tokio::test]
async fn a_list_whose_file_changes_decides_from_then_on_and_a_damaged_one_keeps_who_was_on_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sanctions.txt");
    let [first, second] = [[41; 20], [42; 20]].map(AccountId);
    std::fs::write(&path, format!("{first}\n")).unwrap();
    let file =
        ListFile { name: "sanctions".to_owned(), path: path.clone(), age_max_seconds: None, sha256: None };
    let mut declared = config(dir.path()).await;
    declared.treasury.policy = declared.treasury.policy.clone().with_lists([file.load()]);
    declared.list_files = vec![file];
    let daemon = Daemon::start(declared).await.unwrap();
    let list = || daemon.engine().treasury().policy.lists()["sanctions"].clone();
    daemon.reload_lists().await.unwrap();
    let before = daemon.engine().treasury().policy.hash();
    assert!(list().has(&first) && !list().has(&second));
    std::fs::write(&path, format!("{first}\n{second}\n")).unwrap();
    daemon.reload_lists().await.unwrap();
    assert!(list().has(&second));
    assert_ne!(daemon.engine().treasury().policy.hash(), before, "what waits is asked about again");
    for damaged in ["rHalf", ""] {
        match damaged {
            "" => std::fs::remove_file(&path).unwrap(),
            text => std::fs::write(&path, text).unwrap(),
        }
        daemon.reload_lists().await.unwrap();
        assert!(list().has(&first) && list().has(&second) && !list().is_good(crate::clock::utc()));
    }
    std::fs::write(&path, "").unwrap();
    daemon.reload_lists().await.unwrap();
    assert!(list().is_good(crate::clock::utc()) && list().entries().is_empty(), "an empty list is a list");
    daemon.shutdown().await;
}

/// Danger: somebody has the daemon work by another configuration, and nobody can find out afterwards that it did.
#[tokio::test]
async fn a_start_by_another_configuration_than_the_last_is_in_the_audit_log_and_one_by_the_same_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path()).await;
    for (print, expected) in [("01", 1), ("01", 1), ("02", 2)] {
        config.prints = crate::config::Prints([("rule".to_owned(), print.to_owned())].into());
        let daemon = Daemon::start(config.clone()).await.unwrap();
        daemon.shutdown().await;
        let files = std::fs::read_dir(config.data_dir.join("audit")).unwrap();
        let files = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
        let text: String = files.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
        assert_eq!(text.matches("configuration").count(), expected, "{print}: {text}");
    }
}
