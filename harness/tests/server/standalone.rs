//! The command-line ledger as its user meets it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::support::{Ws, call};

struct Standalone {
    child: Child,
    lines: Vec<String>,
}

impl Standalone {
    fn start(arguments: &[&str]) -> Standalone {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xrpl-standalone"))
            .args(["--ws-port", "0", "--rpc-port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            lines.push(line.unwrap());
            if lines.last().unwrap().contains("ledger_accept") {
                break;
            }
        }
        Standalone { child, lines }
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
