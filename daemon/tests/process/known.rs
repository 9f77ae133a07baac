//! What the daemon tells while it runs, and what it takes in: its log, its configuration, copies of its store.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use rustix::process::Signal;
use serde_json::Value;
use treasuryd::client::Client;
use treasuryd::dev::xrp;
use treasuryd::lines::LINES;
use xrpl_harness::network::Network;

use crate::support::{Logging, sandbox, treasuryd, until, validated};

/// What is shown where, to whoever may look.
const SHOWN: [&str; 20] = [
    "/v1/status",
    "/v1/accounts",
    "/v1/tiers",
    "/v1/proposals",
    "/v1/proposals/P1",
    "/v1/escrows",
    "/v1/stops",
    "/v1/findings",
    "/v1/events?limit=500",
    "/v1/audit?limit=500",
    "/v1/deliveries",
    "/v1/schedules",
    "/v1/destinations",
    "/v1/forecast",
    "/v1/exposure",
    "/v1/lockout",
    "/v1/policy/shadow",
    "/v1/notices/none/deliveries",
    "/console",
    "/metrics",
];

/// What the daemon answers to whoever has the token, head and body.
fn answer(url: &str, path: &str, token: &str) -> String {
    let mut socket = TcpStream::connect(url.trim_start_matches("http://").trim_end_matches('/')).unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Danger: something happens that people must know, and the log has no line of it, half a line, or a secret; or a secret is anywhere
/// else where people look. Method: a short life with everything in it that a person can do, at the most talkative level.
#[tokio::test(flavor = "multi_thread")]
async fn what_people_must_know_is_a_line_of_the_log_and_nothing_secret_is() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    let mut daemon = Logging::with_sight(&sandbox).await;
    sandbox.let_pass(1).await.unwrap();
    let person = |name| sandbox.people().get(name).unwrap();
    let (alice, bob, carol, dave) = (person("alice"), person("bob"), person("carol"), person("dave"));
    let id = alice.propose("warm", "supplier", xrp(300), "turned \u{202e} round").await.unwrap();
    let view = alice.client().proposal(&id).await.unwrap();
    let signed = treasuryctl::check(&view).unwrap().sign(bob.signer(), bob.key()).unwrap();
    bob.client().approve(&id, &signed).await.unwrap();
    alice.flag(&id, "not mine").await.unwrap_err();
    dave.flag(&id, "who is \u{202e} that?\nreally").await.unwrap();
    dave.client().clear(&id, "a colleague").await.unwrap();
    carol.client().reject(&id, "no").await.unwrap();
    carol.approve(&id).await.unwrap();
    validated(&sandbox, &id).await;
    let nobody = Client::new(sandbox.url(), Some("a-token-of-nobodys-99".to_owned())).unwrap();
    assert_eq!(nobody.status().await.unwrap_err().code(), Some("TOKEN_WRONG"));
    let token = fs::read_to_string(sandbox.dir().join("dave.token")).unwrap();
    let mut shown: Vec<(String, String)> = Vec::new();
    for path in SHOWN {
        let (url, token) = (sandbox.url().to_string(), token.trim().to_owned());
        let said = tokio::task::spawn_blocking(move || answer(&url, path, &token)).await.unwrap();
        shown.push((path.to_owned(), said));
    }
    let other: Vec<&str> = shown
        .iter()
        .filter(|(_, said)| !said.starts_with("HTTP/1.1 200"))
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(other, ["/v1/notices/none/deliveries", "/console"], "nothing of that name, and a login");
    let is_told = shown.iter().any(|(path, said)| path == "/v1/proposals/P1" && said.contains("tesSUCCESS"));
    assert!(is_told, "{shown:?}");
    let log = daemon.ends().await;
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if let Some(name) = line["line"].as_str() {
            let known = LINES.iter().find(|known| known.name == name).unwrap();
            assert!(known.fields.iter().all(|(field, _)| line[*field].is_string()), "{line}");
        }
    }
    for (name, field, value) in [
        ("started", "accounts", "5"),
        ("endpoint_connected", "endpoint", sandbox.world().ws_url().as_str()),
        ("sight_clear", "", ""),
        ("proposal_drafted", "asker", "alice"),
        ("approval_taken", "by", "bob"),
        ("request_forbidden", "operation", "flag"),
        ("stop_set", "reason", "who is \\u{202e} that?\\nreally"),
        ("stop_lifted", "by", "dave"),
        ("objection", "by", "carol"),
        ("submission_recorded", "proposal", id.as_str()),
        ("submission_answered", "reply", "tesSUCCESS"),
        ("proposal_ended", "result", "tesSUCCESS"),
        ("token_refused", "from", "127.0.0.1"),
        ("stopping", "told_by", "SIGTERM"),
        ("stopped", "", ""),
    ] {
        let lines = daemon.named(name);
        assert!(lines.iter().any(|line| field.is_empty() || line[field] == value), "{name}: {lines:?}");
    }
    let mut secrets = vec!["a-token-of-nobodys-99".to_owned()];
    secrets.extend(signed.signatures.iter().cloned());
    for file in fs::read_dir(sandbox.dir()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "token" || kind == "seed")
            || path.ends_with("passphrase")
        {
            secrets.push(fs::read_to_string(path).unwrap().trim().to_owned());
        }
    }
    assert!(secrets.len() >= 10, "{}", secrets.len());
    for file in fs::read_dir(sandbox.dir().join("data").join("audit")).unwrap() {
        let path = file.unwrap().path();
        shown.push((path.display().to_string(), fs::read_to_string(path).unwrap()));
    }
    assert!(shown.last().is_some_and(|(_, lines)| lines.contains("really")), "{shown:?}");
    shown.push(("the log".to_owned(), log));
    for secret in secrets {
        for (place, said) in &shown {
            assert!(!said.to_lowercase().contains(&secret.to_lowercase()), "a secret is in {place}");
        }
    }
}

#[test]
fn a_daemon_that_does_not_start_says_so_in_json_where_json_is_read() {
    let output = treasuryd().args(["run", "--log-json", "--config", "/nonexistent"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert_eq!(lines[0]["line"], "not_started");
    assert!(lines[0]["reason"].as_str().unwrap().contains("/nonexistent"), "{said}");
}

/// Danger: a reload ends the daemon, takes half a file, or leaves a token good that was taken away.
#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_has_the_configuration_read_and_taken_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    let mut daemon = Logging::with_sight(&sandbox).await;
    let alice = sandbox.people().get("alice").unwrap();
    let begun = fs::read_to_string(sandbox.config_path()).unwrap();
    let policy = alice.client().status().await.unwrap().policy_hash;
    let write = |text: &str| fs::write(sandbox.config_path(), text).unwrap();
    // Wrong in itself; what only a start takes, beside a rule that could change.
    let changed = begun.replace("amount_max = \"100 XRP\"", "amount_max = \"90 XRP\"");
    assert_ne!(changed, begun);
    for (refused, text, part) in [
        (1, changed.replace("action = \"allow\"", "action = \"allowed\""), "is not an action"),
        (2, changed.replace("data_dir = \"data\"", "data_dir = \"elsewhere\""), "daemon.data_dir"),
    ] {
        write(&text);
        daemon.signal(Signal::HUP);
        let lines = until("it is refused", || {
            Some(daemon.named("config_refused")).filter(|lines| lines.len() == refused)
        });
        let lines = lines.await;
        assert!(lines[refused - 1]["reason"].as_str().unwrap().contains(part), "{lines:?}");
        assert_eq!(alice.client().status().await.unwrap().policy_hash, policy);
    }
    // Another rule, and bob's token is another's now.
    let bob = sandbox.people().get("bob").unwrap();
    let token = fs::read_to_string(sandbox.dir().join("bob.token")).unwrap();
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(token.trim()));
    write(&changed.replace(&hash, &"12".repeat(32)));
    bob.client().status().await.unwrap();
    daemon.signal(Signal::HUP);
    until("it is taken", || daemon.named("config_reloaded").pop()).await;
    assert_ne!(alice.client().status().await.unwrap().policy_hash, policy);
    assert_eq!(bob.client().status().await.unwrap_err().code(), Some("TOKEN_WRONG"));
    // It sees again, and acts.
    sandbox.let_pass(2).await.unwrap();
    let id = alice.propose("hot", "exchange", xrp(5), "").await.unwrap();
    validated(&sandbox, &id).await;
    assert!(daemon.is_running());
    daemon.ends().await;
}

/// Danger: the store can be copied only while nobody looks after the treasury.
#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_copied_and_proven_while_the_daemon_runs() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path()).await;
    let mut daemon = Logging::with_sight(&sandbox).await;
    let dave = sandbox.people().get("dave").unwrap();
    dave.client().freeze(None, "a drill").await.unwrap();
    let (data, to) = (sandbox.dir().join("data"), dir.path().join("backups/one"));
    let backup = || {
        treasuryd().args(["store", "backup", "--data-dir"]).arg(&data).arg("--to").arg(&to).output().unwrap()
    };
    let output = tokio::task::block_in_place(backup);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("taken while it runs"), "{output:?}");
    let again = tokio::task::block_in_place(backup);
    assert!(!again.status.success(), "what is there is not written over");
    assert!(daemon.is_running() && dave.client().status().await.unwrap().stops.len() == 1);
    assert_eq!(daemon.named("store_copied").len(), 1);
    daemon.ends().await;
    let check = treasuryd().args(["store", "check", "--data-dir"]).arg(&to).output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{check:?}");
    let copied = |data: &std::path::Path| {
        let output = treasuryd().args(["store", "export", "--data-dir"]).arg(data).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let (original, copy) = (copied(&data), copied(&to));
    assert!(copy.contains("a drill") && original.starts_with(&copy), "the copy is the store as it was");
    assert!(!data.join("control").exists(), "the socket goes with the daemon");
}
