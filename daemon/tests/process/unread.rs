//! Output that nobody reads.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::{Process, daemon, sandbox, treasuryd, unread, until, validated};

/// Danger: printing panics where the reader has ended, and a panic that cannot be printed aborts.
#[test]
fn a_command_whose_output_nobody_reads_ends_quietly() {
    for (mut program, words, code) in [
        (treasuryd(), &["config", "reference"][..], 0),
        (treasuryd(), &["--help"], 0),
        (treasuryd(), &["config", "check", "--config", "/nonexistent"], 1),
        (treasuryd(), &["store", "check", "--data-dir", "/nonexistent"], 1),
    ] {
        let status = program.args(words).stdout(unread()).stderr(unread()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{words:?}: {status}");
    }
    let output = treasuryd().args(["config", "reference"]).stdout(unread()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "nothing is said about it");
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_mode_ends_quietly_when_nobody_reads_what_it_says() {
    let mut dev =
        Process::start(treasuryd().arg("dev").stdin(Stdio::null()).stdout(unread()).stderr(unread()));
    assert_eq!(dev.ended().await.code(), Some(0));
    // As `| head -3` does: it reads a little, and then no more.
    let mut dev =
        Process::start(treasuryd().arg("dev").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(unread()));
    let mut said = BufReader::new(dev.child().stdout.take().unwrap()).lines();
    assert!(said.by_ref().take(3).all(|line| line.is_ok()));
    drop(said);
    assert_eq!(dev.ended().await.code(), Some(0));
}

/// Danger: whoever reads the log ends, and with the next line so does the daemon, in the middle of a submission.
#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_outlives_the_reader_of_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    let mut process =
        Process::start(daemon(&sandbox).env("RUST_LOG", "debug").stdout(unread()).stderr(Stdio::piped()));
    let mut log = BufReader::new(process.child().stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    assert!(line.contains("INFO") || line.contains("DEBUG"), "{line}");
    drop(log);
    // What is logged from now on has nowhere to go: a ledger connection, requests, a payment that is signed and sent.
    sandbox.daemon_has_seen(sandbox.begun_at()).await.unwrap();
    sandbox.let_pass(1).await.unwrap();
    let alice = sandbox.people().get("alice").unwrap();
    let id = alice.propose("hot", "exchange", xrpl_wire::Drops::new(5_000_000).unwrap(), "").await.unwrap();
    validated(&sandbox, &id).await;
    assert!(process.is_running());
    process.signal(Signal::TERM);
    assert_eq!(process.ended().await.code(), Some(0));
    until("the store is free", || treasuryd::store::StoreLock::take(&sandbox.dir().join("data")).ok()).await;
}
