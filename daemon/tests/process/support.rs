//! Processes and the pipes around them.

use std::ffi::OsStr;
use std::fs;
use std::io::PipeWriter;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use treasuryd::client::Client;
use treasuryd::dev::{Options, Sandbox};
use xrpl_harness::network::Network;

/// How long something may take that takes no time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The daemon's program. What the machine of the tests says of authorities does not count.
pub(crate) fn treasuryd() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_treasuryd"));
    program.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    program
}

/// A pipe whose reader has ended.
pub(crate) fn unread() -> PipeWriter {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer
}

/// A process that does not outlive its test.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        until("the process ends", || self.0.try_wait().unwrap()).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Looks again and again until there is an answer.
pub(crate) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    until_told(what, || std::future::ready(look())).await
}

/// The same of what has to be asked for.
pub(crate) async fn until_told<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = ask().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "never seen: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A ledger in this process with a treasury on it, and everything a daemon runs from in `dir`.
pub(crate) async fn sandbox(dir: &Path) -> Sandbox {
    Sandbox::start(dir, Options::default()).await.unwrap()
}

/// A daemon on it.
pub(crate) fn daemon(sandbox: &Sandbox) -> Command {
    let mut command = treasuryd();
    command.arg("run").arg("--config").arg(sandbox.config_path()).stdin(Stdio::null());
    command
}

/// A daemon on it that logs JSON into a file.
pub(crate) struct Logging {
    process: Process,
    log: PathBuf,
}

impl Logging {
    /// Starts it, and says nothing of whether it sees anything.
    pub(crate) fn start(sandbox: &Sandbox, environment: &[(&str, &OsStr)]) -> Self {
        let log = sandbox.dir().join("log");
        let process = Process::start(
            treasuryd()
                .args(["run", "--log-json", "--config"])
                .arg(sandbox.config_path())
                .env("RUST_LOG", "trace")
                .envs(environment.iter().copied())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(fs::File::create(&log).unwrap()),
        );
        Self { process, log }
    }

    /// Starts it and waits until it has seen the ledger.
    pub(crate) async fn with_sight(sandbox: &Sandbox) -> Self {
        let daemon = Self::start(sandbox, &[]);
        sandbox.daemon_has_seen(sandbox.begun_at()).await.unwrap();
        daemon
    }

    /// Everything it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The lines with this name so far; the last one may be half written.
    pub(crate) fn named(&self, name: &str) -> Vec<Value> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["line"] == name).collect()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// Ends it in order. Answers with everything it has logged.
    pub(crate) async fn ends(&mut self) -> String {
        self.signal(Signal::TERM);
        assert!(self.process.ended().await.success());
        self.log()
    }
}

/// Has the daemon speak to another server than the sandbox's own.
pub(crate) fn speak_to(sandbox: &Sandbox, endpoint: &str) {
    let config = fs::read_to_string(sandbox.config_path()).unwrap();
    let own = format!("endpoints = [\"{}\"]", sandbox.world().ws_url());
    assert!(config.contains(&own), "{config}");
    fs::write(sandbox.config_path(), config.replace(&own, &format!("endpoints = [\"{endpoint}\"]"))).unwrap();
}

/// Waits until the daemon says that it has no sight for a reason in which this stands.
pub(crate) async fn lacks_sight(sandbox: &Sandbox, part: &str) -> String {
    let nobody = Client::new(sandbox.url(), None).unwrap();
    until_told("it says what it lacks", || async {
        let reason = nobody.readiness().await.ok()?.reason;
        reason.filter(|reason| reason.contains(part))
    })
    .await
}

/// Waits until a payment is validated.
pub(crate) async fn validated(sandbox: &Sandbox, id: &str) {
    let alice = sandbox.people().get("alice").unwrap().client();
    sandbox
        .until_told("the payment is validated", || async {
            let shown = alice.proposal(id).await.map_err(|error| error.to_string())?;
            if shown.status == "validated" { Ok(()) } else { Err(shown.status) }
        })
        .await
        .unwrap();
}
