//! Goal: what people type works, and what they mistype is explained.
//! Danger: an error without the place; an exit code that says success.
//! Method: the binaries, as a person would run them.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Output};
use std::time::Duration;

use crate::scene::{Scene, exe};

fn run(args: &[&str]) -> (Output, String) {
    let output = Command::new(exe()).args(args).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output, said)
}

pub(crate) async fn a_bad_configuration_is_refused_by_key_and_line() {
    let scene = Scene::start().await;
    let path = scene.sandbox.config_path();
    let path_text = path.to_str().unwrap();
    let (output, said) = run(&["config", "check", "--config", path_text]);
    assert!(output.status.success(), "{said}");

    let good = std::fs::read_to_string(&path).unwrap();
    let number = |needle: &str| {
        good.lines().position(|line| line.trim_start().starts_with(needle)).map(|n| n + 1).unwrap()
    };
    for (key, replacement) in [
        ("quorum", "quorum = 99"),
        ("tier", "tier = \"lukewarm\""),
        ("listen", "listen = \"nowhere\""),
        ("floor", "floor = \"500\""),
        ("action", "action = \"perhaps\""),
        ("data_dir", "datadir = \"data\""),
    ] {
        let line = number(key);
        let bad: Vec<&str> = good
            .lines()
            .enumerate()
            .map(|(n, text)| if n + 1 == line { replacement } else { text })
            .collect();
        std::fs::write(&path, bad.join("\n")).unwrap();
        let (output, said) = run(&["config", "check", "--config", path_text]);
        assert!(!output.status.success(), "{key}");
        let named = replacement.split_whitespace().next().unwrap();
        assert!(said.contains(named), "{key}: {said}");
        assert!(said.contains(&line.to_string()), "{key} is on line {line}: {said}");
        let (output, _) = run(&["run", "--config", path_text]);
        assert!(!output.status.success(), "{key}: a daemon must not start from it");
    }
}

pub(crate) async fn the_store_can_be_checked_and_read_after_a_kill() {
    let scene = Scene::start().await;
    let mut stage = scene.stage().await;
    scene.sandbox.let_pass(2).await.unwrap();
    stage.kill().await.unwrap();
    let data = scene.sandbox.daemon_config().unwrap().data_dir;
    let data = data.to_str().unwrap();
    let (output, said) = run(&["store", "check", "--data-dir", data]);
    assert!(output.status.success(), "{said}");
    let (output, said) = run(&["store", "export", "--data-dir", data]);
    assert!(output.status.success());
    assert!(said.lines().any(|line| line.contains("ledger_taken")), "{said}");
}

/// Reads what the daemon tells systemd, up to and with the first message that `enough` likes.
fn told(socket: &UnixDatagram, enough: impl Fn(&str) -> bool) -> Vec<String> {
    let mut messages = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{error}; told: {messages:?}"));
        let message = String::from_utf8_lossy(&buffer[..length]).trim().to_owned();
        let last = enough(&message);
        messages.push(message);
        if last {
            return messages;
        }
    }
}

pub(crate) async fn systemd_is_told_when_the_daemon_is_ready_alive_and_stopping() {
    let scene = Scene::start().await;
    let path = scene.sandbox.dir().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut daemon = tokio::process::Command::new(exe())
        .args(["run", "--config", scene.sandbox.config_path().to_str().unwrap()])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "2000000")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let socket = tokio::task::spawn_blocking(move || {
        let before = told(&socket, |message| message == "READY=1");
        assert!(before.iter().any(|message| message == "WATCHDOG=1"), "alive before it is ready: {before:?}");
        let seen = told(&socket, |message| message.starts_with("STATUS=sees validated ledger"));
        assert!(!seen.iter().any(|message| message == "READY=1"), "once is enough: {seen:?}");
        // Twice, so that it was not the start that said it.
        told(&socket, |message| message == "WATCHDOG=1");
        told(&socket, |message| message == "WATCHDOG=1");
        socket
    })
    .await
    .unwrap();
    let pid = daemon.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(daemon.wait().await.unwrap().success(), "SIGTERM is a clean stop");
    tokio::task::spawn_blocking(move || told(&socket, |message| message == "STOPPING=1")).await.unwrap();
}
