//! Processes and the pipes around them.

use std::io::PipeWriter;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use treasuryd::dev::{Options, Sandbox};

/// How long something may take that takes no time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The daemon's program.
pub(crate) fn treasuryd() -> Command {
    Command::new(env!("CARGO_BIN_EXE_treasuryd"))
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
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
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
