//! The daemon as a process of its own, so that it can be killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};

use super::DevError;
use crate::private;

/// How long a daemon that is told to stop may take, before it is killed: which harms nothing, it only ends less
/// politely.
const GRACE: Duration = Duration::from_secs(3);

/// How much of the end of the log an error quotes.
const LOG_LINES: usize = 20;

/// A running daemon. Dropping it kills it.
#[derive(Debug)]
pub struct DaemonProcess {
    child: Child,
    /// Not the child's: waiting for it would close it.
    stdin: Option<ChildStdin>,
    log: PathBuf,
}

impl DaemonProcess {
    /// Starts `exe run --config config`; what it logs is added to `log`.
    ///
    /// # Errors
    /// [`DevError::Daemon`], [`DevError::File`].
    pub fn spawn(exe: &Path, config: &Path, log: &Path) -> Result<Self, DevError> {
        Self::spawn_as(exe, &["run"], config, log)
    }

    /// The same of `exe guard run`: a guard.
    ///
    /// # Errors
    /// As [`DaemonProcess::spawn`].
    pub fn spawn_guard(exe: &Path, config: &Path, log: &Path) -> Result<Self, DevError> {
        Self::spawn_as(exe, &["guard", "run"], config, log)
    }

    fn spawn_as(exe: &Path, words: &[&str], config: &Path, log: &Path) -> Result<Self, DevError> {
        let out = append(log)?;
        let err = out.try_clone().map_err(|source| DevError::File { path: log.to_path_buf(), source })?;
        let mut child = Command::new(exe)
            .args(words)
            .arg("--config")
            .arg(config)
            // It ends with this process, however that ends: the system closes the other side of the pipe.
            .arg("--end-with-stdin")
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(err)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| DevError::Daemon(format!("cannot start {}: {error}", exe.display())))?;
        Ok(Self { stdin: child.stdin.take(), child, log: log.to_path_buf() })
    }

    /// Its process id; none once it has ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it has ended, with its exit status and the end of its log.
    ///
    /// # Errors
    /// [`DevError::Daemon`] where it has, or where the system does not say.
    pub fn check_running(&mut self) -> Result<(), DevError> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.ended(status)),
            Err(error) => Err(DevError::Daemon(error.to_string())),
        }
    }

    /// Waits until it ends by itself.
    pub async fn ended_by_itself(&mut self) -> DevError {
        match self.child.wait().await {
            Ok(status) => self.ended(status),
            Err(error) => DevError::Daemon(error.to_string()),
        }
    }

    /// Kills it at once, as `kill -9` does, and waits until it is gone.
    ///
    /// # Errors
    /// [`DevError::Daemon`] where it had ended before: then nothing was proven by killing it.
    pub async fn kill(mut self) -> Result<(), DevError> {
        self.check_running()?;
        self.child.kill().await.map_err(|error| DevError::Daemon(format!("cannot kill it: {error}")))
    }

    /// Tells it to stop, waits, and kills it if it does not.
    pub async fn stop(mut self) {
        drop(self.stdin.take());
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            // It is gone either way.
            let _ = self.child.kill().await;
        }
    }

    fn ended(&self, status: ExitStatus) -> DevError {
        DevError::Daemon(format!("ended with {status}\n{}", tail(&self.log)))
    }
}

/// The last lines of a log.
pub(super) fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(LOG_LINES);
    let last: Vec<String> = lines.iter().skip(from).map(|line| format!("  | {line}")).collect();
    format!("the end of {}:\n{}", log.display(), last.join("\n"))
}

fn append(log: &Path) -> Result<File, DevError> {
    private::options()
        .create(true)
        .append(true)
        .open(log)
        .map_err(|source| DevError::File { path: log.to_path_buf(), source })
}
