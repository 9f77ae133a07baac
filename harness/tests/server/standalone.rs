//! The command-line ledger as its user meets it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::json;

use crate::support::{Ws, call};

struct Standalone {
    child: Child,
    lines: Vec<String>,
    out: BufReader<ChildStdout>,
}

impl Standalone {
    fn start(arguments: &[&str]) -> Standalone {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xrpl-standalone"))
            .args(["--ws-port", "0", "--rpc-port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut started =
            Standalone { out: BufReader::new(child.stdout.take().unwrap()), child, lines: Vec::new() };
        loop {
            let line = started.line();
            let last = line.contains("ledger_accept") || line.is_empty();
            started.lines.push(line.trim_end().to_owned());
            if last {
                return started;
            }
        }
    }

    /// The next line it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    fn word(&self, start: &str) -> &str {
        self.lines.iter().find_map(|line| line.strip_prefix(start)).unwrap().trim()
    }

    fn stop(mut self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert!(self.child.wait().unwrap().success(), "a clean stop");
    }
}

impl Drop for Standalone {
    fn drop(&mut self) {
        drop(self.child.kill());
    }
}

#[tokio::test]
async fn it_prints_funded_accounts_and_serves_them() {
    let ledger = Standalone::start(&["--accounts", "3", "--balance", "50", "--seed", "x"]);
    let accounts: Vec<&str> = ledger
        .lines
        .iter()
        .filter(|line| line.starts_with('r'))
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(accounts.len(), 3);
    for account in &accounts {
        let info = call(ledger.word("JSON-RPC"), "account_info", json!({"account": account})).await;
        assert_eq!(info["account_data"]["Balance"], "50000000");
    }
    let mut ws = Ws::connect(ledger.word("websocket")).await;
    ws.ask("subscribe", json!({"streams": ["ledger"]})).await;
    call(ledger.word("JSON-RPC"), "ledger_accept", json!({})).await;
    assert_eq!(ws.frame().await["ledger_index"], 4);
    let again = Standalone::start(&["--accounts", "3", "--seed", "x"]);
    for account in accounts {
        assert!(again.lines.iter().any(|line| line.starts_with(account)), "the same seed, the same accounts");
    }
    ledger.stop("-TERM");
    again.stop("-INT");
}

#[tokio::test]
async fn it_closes_by_itself_from_the_time_it_is_given() {
    let arguments = [
        "--accounts",
        "0",
        "--close-every",
        "20ms",
        "--close-step-seconds",
        "7",
        "--start-time",
        "1800000000",
    ];
    let ledger = Standalone::start(&arguments);
    let mut ws = Ws::connect(ledger.word("websocket")).await;
    ws.ask("subscribe", json!({"streams": ["ledger"]})).await;
    let frame = ws.frame().await;
    let (index, time) = (frame["ledger_index"].as_u64().unwrap(), frame["ledger_time"].as_u64().unwrap());
    assert_eq!(time, 1_800_000_000 - 946_684_800 + 7 * (index - 2));
    ledger.stop("-TERM");
}

#[tokio::test]
async fn amendments_are_switched_on_by_name_where_they_are_known() {
    let ledger = Standalone::start(&["--accounts", "0", "--server", "3.3", "--amendment", "Cosign"]);
    let all = call(ledger.word("JSON-RPC"), "feature", json!({})).await;
    let id = xrpl_harness::embedded::amendment_id("Cosign").to_string();
    assert_eq!(all["features"][&id]["enabled"], true, "{all}");
    ledger.stop("-TERM");
    for arguments in
        [["--server", "3.2", "--amendment", "Cosign"], ["--server", "3.3", "--amendment", "Nosuch"]]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_xrpl-standalone")).args(arguments).output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("amendment"), "{said}");
    }
}

#[test]
fn it_ends_quietly_when_nobody_reads_what_it_prints() {
    let unread = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let arguments = ["--ws-port", "0", "--rpc-port", "0", "--accounts", "200"];
    let mut ledger = Command::new(env!("CARGO_BIN_EXE_xrpl-standalone"));
    let status = ledger.args(arguments).stdout(unread()).stderr(unread()).status().unwrap();
    assert_eq!(status.code(), Some(0), "{status}");
    // As `| head -1` does: it reads a little, and then no more.
    let mut ledger = ledger.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(ledger.stdout.take().unwrap()).lines();
    assert!(said.next().unwrap().unwrap().starts_with("websocket"));
    drop(said);
    assert_eq!(ledger.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn it_prints_a_line_for_each_ledger_and_transaction() {
    let mut ledger = Standalone::start(&["--accounts", "1", "--close-on-submit", "--seed", "x"]);
    let url = ledger.word("JSON-RPC").to_owned();
    let to = ledger.lines.iter().find(|line| line.starts_with('r')).unwrap()[..34].trim().to_owned();
    let payment = |amount: &str| {
        json!({"secret": "masterpassphrase", "tx_json": {"TransactionType": "Payment",
            "Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "Destination": to, "Amount": amount}})
    };
    let paid = call(&url, "submit", payment("7000000")).await;
    assert!(ledger.line().starts_with("ledger 4  2026-01-01T00:00:08Z  1 transaction  "));
    let hash = paid["tx_json"]["hash"].as_str().unwrap();
    let expected = format!("  tesSUCCESS Payment rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh → {to} 7 XRP  {hash}\n");
    assert_eq!(ledger.line().replace("tesSUCCESS  ", "tesSUCCESS "), expected);
    assert_eq!(call(&url, "submit", payment("0")).await["engine_result"], "temBAD_AMOUNT");
    let refused = ledger.line();
    assert!(
        refused.starts_with("  refused  Payment rHb9CJ") && refused.contains("temBAD_AMOUNT"),
        "{refused}"
    );
    ledger.stop("-TERM");

    let mut quiet = Standalone::start(&["--accounts", "0", "--quiet"]);
    call(quiet.word("JSON-RPC"), "ledger_accept", json!({})).await;
    let sent = Command::new("kill").arg(quiet.child.id().to_string()).status().unwrap();
    assert!(sent.success());
    assert_eq!(quiet.line(), "", "nothing until its end");
}

#[test]
fn it_ends_with_whoever_started_it() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_xrpl-standalone"))
        .args(["--ws-port", "0", "--rpc-port", "0", "--accounts", "0", "--end-with-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn a_port_in_use_is_said_plainly_with_what_to_do() {
    let ledger = Standalone::start(&["--accounts", "0"]);
    let port = ledger.word("JSON-RPC").rsplit(':').next().unwrap().to_owned();
    let other = Command::new(env!("CARGO_BIN_EXE_xrpl-standalone"))
        .args(["--rpc-port", &port, "--ws-port", "0"])
        .output();
    let other = other.unwrap();
    assert_eq!(other.status.code(), Some(1));
    let said = String::from_utf8(other.stderr).unwrap();
    let first = format!("xrpl-standalone: cannot listen on 127.0.0.1:{port}: the port is in use");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], first);
    assert!(lines[1].contains("--rpc-port") && lines.len() == 2, "{said}");
    ledger.stop("-TERM");
}

#[tokio::test]
async fn a_ledger_is_saved_at_the_end_or_when_asked_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.jsonl");
    let file = file.to_str().unwrap();
    let first = Standalone::start(&["--accounts", "2", "--seed", "x", "--server", "3.2", "--save", file]);
    let url = first.word("JSON-RPC").to_owned();
    call(&url, "standalone_advance_time", json!({"seconds": 86_400})).await;
    let saved = call(&url, "standalone_save", json!({})).await;
    assert_eq!(saved["ledger_index"], 4);
    call(&url, "ledger_accept", json!({})).await;
    let loaded = call(&url, "standalone_load", json!({})).await;
    assert_eq!(
        (&loaded["ledger_index"], &loaded["ledger_hash"]),
        (&saved["ledger_index"], &saved["ledger_hash"])
    );
    call(&url, "ledger_accept", json!({})).await;
    let last = call(&url, "ledger_closed", json!({})).await;
    first.stop("-TERM");

    let second = Standalone::start(&["--accounts", "2", "--seed", "x", "--load", file]);
    let url = second.word("JSON-RPC").to_owned();
    let now = call(&url, "ledger_closed", json!({})).await;
    assert_eq!(now, last, "nothing happened at the start: the accounts are there already");
    let info = call(&url, "server_info", json!({})).await;
    assert_eq!(
        (&info["info"]["build_version"], &info["info"]["complete_ledgers"]),
        (&json!("3.2.0"), &json!("2-5"))
    );
    assert_eq!(call(&url, "standalone_save", json!({})).await["error"], "notEnabled");
    second.stop("-TERM");
}

/// As many connections as the system allows are no reason to lose the ledger.
#[tokio::test]
async fn a_ledger_is_saved_at_the_end_however_many_hold_on_to_their_connections() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.jsonl");
    let limited = format!("ulimit -n 48 && exec {} \"$@\"", env!("CARGO_BIN_EXE_xrpl-standalone"));
    let mut child = Command::new("sh")
        .args(["-c", &limited, "sh", "--ws-port", "0", "--rpc-port", "0", "--accounts", "0", "--save"])
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("JSON-RPC") {
        line.clear();
        said.read_line(&mut line).unwrap();
    }
    let address = line.trim().rsplit('/').next().unwrap().to_owned();
    // Half a request each, so that none of them is idle. The system takes them up before the server does.
    let mut held = Vec::new();
    for _ in 0..64 {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n").unwrap();
        held.push(stream);
    }
    // Until it can take up no other.
    let open = format!("/proc/{}/fd", child.id());
    while std::fs::read_dir(&open).unwrap().count() < 48 {
        std::thread::yield_now();
    }
    let sent = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(xrpl_harness::server::file::load(&file).is_ok());
}

#[test]
fn a_file_that_cannot_be_saved_to_is_named_before_there_is_a_ledger_to_be_lost() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("nowhere/ledger")] {
        let path = path.to_str().unwrap();
        let arguments = ["--save", path, "--ws-port", "0", "--rpc-port", "0", "--end-with-stdin"];
        let output =
            Command::new(env!("CARGO_BIN_EXE_xrpl-standalone")).args(arguments).stdin(Stdio::null()).output();
        let output = output.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("cannot write ") && said.contains("--save"), "{said}");
        assert!(output.stdout.is_empty());
    }
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing is left of the trial");
}

#[test]
fn a_file_that_is_no_ledger_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x");
    let start = || {
        let arguments = ["--load", file.to_str().unwrap(), "--ws-port", "0", "--rpc-port", "0"];
        Command::new(env!("CARGO_BIN_EXE_xrpl-standalone")).args(arguments).output().unwrap()
    };
    for (content, said) in [(None, "cannot read "), (Some("{}"), "x: this is not a saved ledger")] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let output = start();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && error.contains(said), "{error}");
    }
}

#[test]
fn wrong_arguments_are_named() {
    for arguments in
        [["--close-every", "0s"], ["--close-every", "soon"], ["--start-time", "1"], ["--balance", "x"]]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_xrpl-standalone")).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(arguments[0]));
    }
}

#[tokio::test]
async fn it_has_the_fees_and_the_ports_that_it_is_told() {
    let money = ["--base-fee", "200", "--reserve", "20", "--owner-reserve", "5"];
    let ledger = Standalone::start(
        &[&money[..], &["--accounts", "1", "--balance", "30", "--public-port", "0"]].concat(),
    );
    let state = call(ledger.word("JSON-RPC"), "server_state", json!({})).await["state"].take();
    let validated = &state["validated_ledger"];
    assert_eq!(
        (&validated["base_fee"], &validated["reserve_base"], &validated["reserve_inc"]),
        (&json!(200), &json!(20_000_000), &json!(5_000_000))
    );
    let number = |word: &str| ledger.word(word).rsplit(':').next().unwrap().to_owned();
    let port = |word: &str, protocol: &str| json!({"port": number(word), "protocol": [protocol]});
    let public = port("public", "ws");
    assert_eq!(state["ports"], json!([port("JSON-RPC", "http"), public, port("websocket", "ws")]));
    let seen = call(&format!("http://{}", ledger.word("public")), "server_state", json!({})).await;
    assert_eq!(
        seen["state"]["ports"],
        json!([public]),
        "an administrator's ports are nobody else's business"
    );
    ledger.stop("-TERM");
}
