//! Where a person's token goes, and where not; and output that nobody reads.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};
use std::thread::JoinHandle;

/// A server that answers one request, and says what it was sent.
fn answering(status: &'static str, headers: String) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
        let head: Vec<String> =
            lines.by_ref().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        write!(socket, "HTTP/1.1 {status}\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
        head.join("\n")
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
