//! Where a person's token goes, and where not; and output that nobody reads.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output, Stdio};
use std::thread::JoinHandle;

/// A server that answers one request, and says what it was sent.
fn answering(status: &'static str, headers: String) -> (SocketAddr, JoinHandle<String>) {
    answering_with(status, headers, |_| String::new())
}

/// The same with a body that follows from the head it was sent.
fn answering_with(
    status: &'static str,
    headers: String,
    body: impl FnOnce(&str) -> String + Send + 'static,
) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
        let head: Vec<String> =
            lines.by_ref().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        let head = head.join("\n");
        let body = body(&head);
        let length = body.len();
        write!(
            socket,
            "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .unwrap();
        head
    });
    (address, served)
}

/// A server that nobody should speak to.
struct Trap(TcpListener);

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    fn is_untouched(&self) -> bool {
        matches!(self.0.accept(), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

fn status_at(url: &str, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_treasuryctl"));
    command.args(["--url", url, "status"]).env("TREASURYD_TOKEN", "TOKEN99");
    command.envs(environment.iter().copied()).output().unwrap()
}

/// Danger: the environment of a workstation names a proxy, and the token goes there in the clear.
#[test]
fn a_token_goes_through_no_proxy_of_the_environment() {
    let proxy = Trap::set();
    let (daemon, served) = answering("503 Service Unavailable", String::new());
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let url = proxy.url();
    let environment: Vec<(&str, &str)> = names.iter().map(|name| (*name, url.as_str())).collect();
    let output = status_at(&format!("http://{daemon}"), &environment);
    assert_eq!(output.status.code(), Some(1));
    let head = served.join().unwrap();
    assert!(head.starts_with("GET /v1/status ") && head.contains("Bearer TOKEN99"), "{head}");
    assert!(proxy.is_untouched());
}

#[test]
fn a_token_does_not_follow_a_redirect() {
    let elsewhere = Trap::set();
    let to = format!("location: {}/v1/status\r\n", elsewhere.url());
    let (daemon, served) = answering("307 Temporary Redirect", to);
    let output = status_at(&format!("http://{daemon}"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(served.join().unwrap().contains("Bearer TOKEN99"));
    assert!(elsewhere.is_untouched());
}

/// Danger: a proxy before the daemon answers in its place with what it was sent, and the token is in the log of whatever
/// ran the tool.
#[test]
fn a_page_that_repeats_the_token_is_shown_without_it() {
    let page = |head: &str| format!("<html>upstream is gone\n{head}</html>");
    let (proxy, served) = answering_with("502 Bad Gateway", String::new(), page);
    let output = status_at(&format!("http://{proxy}"), &[]);
    assert!(served.join().unwrap().contains("Bearer TOKEN99"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("BAD_ANSWER") && said.contains("upstream is gone"), "{said}");
    assert!(said.contains("Bearer …") && !said.contains("TOKEN99"), "{said}");
}

/// Danger: the daemon has taken a proposal, and what comes back does not say so; whoever asks again pays twice.
#[test]
fn a_proposal_of_which_nothing_is_known_is_named_by_its_key() {
    let error = |code| format!("{{\"error\":{{\"code\":\"{code}\",\"message\":\"m\",\"advice\":\"a\"}}}}");
    for (status, body, is_open) in [
        ("502 Bad Gateway", "<html>upstream is gone</html>".to_owned(), true),
        ("504 Gateway Timeout", error("TIMEOUT"), true),
        ("503 Service Unavailable", error("ENGINE_STOPPED"), true),
        ("500 Internal Server Error", error("INTERNAL"), true),
        ("201 Created", "{}".to_owned(), true),
        ("503 Service Unavailable", error("TOO_MANY_REQUESTS"), false),
        ("403 Forbidden", error("ROLE_MISSING"), false),
    ] {
        let (daemon, served) = answering_with(status, String::new(), move |_| body);
        let output = Command::new(env!("CARGO_BIN_EXE_treasuryctl"))
            .args(["--url", &format!("http://{daemon}"), "propose", "--account", "hot", "--to", "supplier"])
            .args(["--amount", "1 XRP"])
            .output()
            .unwrap();
        assert!(served.join().unwrap().starts_with("POST /v1/proposals "));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.contains("Ask again with --key ctl-"), is_open, "{status}: {said}");
    }
    let nobody = ["--url", "http://127.0.0.1:1", "propose", "--account", "hot", "--to", "supplier"];
    let mut unheard = Command::new(env!("CARGO_BIN_EXE_treasuryctl"));
    let output = unheard.args(nobody).args(["--amount", "1 XRP"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("Nothing was sent") && !said.contains("--key"), "{said}");
}

/// Danger: somebody does not want to wait any longer, and the key of a proposal that may exist is lost.
#[test]
fn whoever_stops_waiting_for_a_proposal_is_told_its_key() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let daemon = listener.local_addr().unwrap();
    let tool = Command::new(env!("CARGO_BIN_EXE_treasuryctl"))
        .args(["--url", &format!("http://{daemon}"), "propose", "--account", "hot", "--to", "supplier"])
        .args(["--amount", "1 XRP"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It has asked, and nobody answers.
    let (socket, _) = listener.accept().unwrap();
    let asked = BufReader::new(socket.try_clone().unwrap()).lines().next().unwrap().unwrap();
    assert!(asked.starts_with("POST /v1/proposals "));
    let interrupted = Command::new("kill").args(["-INT", &tool.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = tool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("may or may not exist") && said.contains("Ask again with --key ctl-"), "{said}");
}

/// Nothing is sent: the name does not even have to be one.
#[test]
fn plain_http_beyond_this_machine_is_refused_with_what_to_do() {
    let output = status_at("http://daemon.invalid:8580", &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("PLAIN_HTTP") && said.contains("daemon.invalid") && said.contains("--plain-http"),
        "{said}"
    );
    assert!(!said.contains("TOKEN99"), "{said}");
}

#[test]
fn a_command_whose_output_nobody_reads_ends_quietly() {
    let unread = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    for (words, code) in [(&["--help"][..], 0), (&["status", "--token-file", "/nonexistent"], 2)] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_treasuryctl"));
        let status = program.args(words).stdout(unread()).stderr(unread()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{words:?}: {status}");
    }
}
