//! How processes end, and whom they take with them.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::Signal;
use treasuryd::store::StoreLock;

use crate::support::{Process, daemon, sandbox, treasuryd, until};

/// Danger: whoever supervises the daemon ends it without the end of its store.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_daemon_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    for signal in [Signal::TERM, Signal::INT] {
        let mut process = Process::start(daemon(&sandbox).stdout(Stdio::piped()).stderr(Stdio::piped()));
        sandbox.daemon_has_seen(sandbox.begun_at()).await.unwrap();
        process.signal(signal);
        assert_eq!(process.ended().await.code(), Some(0), "{signal:?}");
        let log = std::io::read_to_string(process.child().stderr.take().unwrap()).unwrap();
        assert!(log.contains("line=\"stopping\"") && log.contains("line=\"stopped\""), "{log}");
        let journal = std::fs::metadata(sandbox.dir().join("data/journal")).unwrap();
        assert_eq!(journal.len(), 0, "the journal is emptied at an orderly end");
    }
}

/// Danger: dev mode is killed, and a daemon with its keys and its port goes on without anybody.
#[tokio::test(flavor = "multi_thread")]
async fn dev_mode_takes_its_daemon_with_it_however_it_ends() {
    for signal in [Signal::HUP, Signal::KILL, Signal::TERM] {
        let dir = tempfile::tempdir().unwrap();
        let mut dev = Process::start(
            treasuryd()
                .arg("dev")
                .arg("--dir")
                .arg(dir.path())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let mut said = BufReader::new(dev.child().stdout.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().contains("Ctrl-C")), "it says how to end it");
        let data = dir.path().join("data");
        assert!(StoreLock::take(&data).is_err(), "its daemon runs");
        dev.signal(signal);
        let status = dev.ended().await;
        assert_eq!(status.success(), signal != Signal::KILL, "{status}");
        until("the daemon is gone", || StoreLock::take(&data).ok()).await;
        // Whoever writes the log is behind whoever lets go of the store.
        let log = || std::fs::read_to_string(dir.path().join("treasuryd.log")).unwrap();
        until("it says that it stopped", || log().contains("line=\"stopped\"").then_some(())).await;
    }
}
