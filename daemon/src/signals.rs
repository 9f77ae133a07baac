//! The signals that people, terminals and supervisors end processes with, and the one that has the configuration read.

use std::future::pending;
use std::io::IsTerminal;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// To end, by this signal.
    Stop(&'static str),
    /// To read the configuration anew.
    Reload,
}

/// Notices them from when it is made, so that none is lost while something else is done. All of them end a process in
/// the same order: requests under way, inputs that wait, the store.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    /// From now on.
    ///
    /// # Errors
    /// Where the system takes no handler.
    pub(crate) fn watch() -> std::io::Result<Self> {
        // `nohup` starts processes with that signal ignored, which a handler would undo.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let hangup = if ignores_hangup(&status) { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup,
        })
    }

    /// Waits until the process is told something. SIGHUP has the configuration read, unless somebody sits at the
    /// terminal of the process: then it says that the terminal is gone.
    pub(crate) async fn told(&mut self) -> Told {
        match self.told_to_stop().await {
            "SIGHUP" if !std::io::stdin().is_terminal() => Told::Reload,
            signal => Told::Stop(signal),
        }
    }

    /// Waits until the process is told to end, and says by what.
    pub(crate) async fn told_to_stop(&mut self) -> &'static str {
        tokio::select! {
            () = came(Some(&mut self.interrupt)) => "SIGINT",
            () = came(Some(&mut self.terminate)) => "SIGTERM",
            () = came(self.hangup.as_mut()) => "SIGHUP",
        }
    }
}

async fn came(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => pending().await,
    }
}

/// Whether the first bit, that of SIGHUP, is set in what the system says of ignored signals.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nohup_started_does_not_end_with_its_terminal() {
        assert!(ignores_hangup("Name:\tx\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\n"));
        assert!(!ignores_hangup("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\n"));
        assert!(!ignores_hangup(""));
    }
}
