//! Dev mode: a whole treasury on a ledger of its own, in one command, and the tour that plays its story.
//!
//! The ledger runs in this process and lives in its memory (tests may name another); the daemon runs as a child process, so that it can be
//! killed like any other. [`Sandbox`] is the stage, [`People`] act on it with their own keys, [`story`] holds the
//! scenes. What happened is read from the validated ledger itself, never from the daemon.

pub mod cast;
pub mod cli;
mod files;
mod people;
mod process;
mod provision;
mod sandbox;
pub mod seen;
pub mod story;
mod tour;

use std::path::PathBuf;

use xrpl_harness::ServerError;
use xrpl_harness::network::NetworkError;
use xrpl_wire::SignError;

pub use cast::{Cast, Identity, xrp};
pub use cli::DevArgs;
pub use files::{CONFIG, profile_path};
pub use people::{People, Person};
pub use process::DaemonProcess;
pub use sandbox::{Options, Sandbox, free_port};
pub use seen::{Books, Seen};

use crate::client::ClientError;
use crate::signer::KeystoreError;
use treasury_tools::console::Unwritten;
use treasuryctl::CheckError;

/// Why dev mode cannot go on, or what the story did not see.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// A file cannot be written or read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is a treasury in that directory already.
    #[error(
        "{dir} already holds a treasury ({CONFIG}). The ledger of dev mode lives in memory and ended with its \
         process, so there is nothing to resume: the daemon's store there speaks of ledgers that no longer exist. \
         Take another directory, or remove this one."
    )]
    Occupied {
        /// Which.
        dir: PathBuf,
    },
    /// No free port.
    #[error("no free port on loopback: {0}")]
    Port(std::io::Error),
    /// The ledger's server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The ledger, wherever it is.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A transaction cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The ledger did not take a transaction that sets the treasury up.
    #[error("setting up the treasury: {what}: {result}")]
    Provision {
        /// Which.
        what: String,
        /// What the ledger said.
        result: String,
    },
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// A profile cannot be written.
    #[error("a profile cannot be written: {0}")]
    Profile(String),
    /// The daemon refused or did not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A proposal's transaction is not what the proposal says.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The daemon's process.
    #[error("the daemon: {0}")]
    Daemon(String),
    /// What was asked for cannot be written to standard output.
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    /// Nobody of that name is there.
    #[error("there is no {0}")]
    Nobody(String),
    /// Something did not come in time.
    #[error("waited {seconds} s for this and did not see it: {expected}\n  there is instead: {found}")]
    NotSeen {
        /// What was waited for.
        expected: String,
        /// What there is instead.
        found: String,
        /// How long.
        seconds: u64,
    },
    /// What was seen is wrong.
    #[error("expected: {expected}\n  found: {found}")]
    Wrong {
        /// What should be.
        expected: String,
        /// What is.
        found: String,
    },
}

impl DevError {
    /// Whether whoever read the output has seen enough, which is no failure.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

impl From<Unwritten> for DevError {
    fn from(error: Unwritten) -> Self {
        Self::Output(error.into())
    }
}

/// Says what should be and what is, unless they are the same.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    found: &T,
    expected: &T,
) -> Result<(), DevError> {
    if found == expected {
        return Ok(());
    }
    Err(DevError::Wrong { expected: format!("{what}: {expected:?}"), found: format!("{found:?}") })
}

#[cfg(test)]
mod tests;
