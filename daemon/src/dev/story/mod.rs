//! The story of a treasury in scenes. Each acts as people do and answers with what it saw on the validated ledger;
//! where it saw something else it fails and says both.

mod escrows;
mod payments;
mod whole;

use std::path::PathBuf;

use xrpl_wire::{AccountId, Hash256, TransactionType};

pub use escrows::{flagged, large_with_kills};
pub use payments::{middling, refill, small};
pub use whole::whole;

use super::process::DaemonProcess;
use super::seen::{self, Seen};
use super::{DevError, Sandbox};

/// Something that was seen on the validated ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What it shows.
    pub shows: String,
    /// The transaction.
    pub tx: Option<Hash256>,
    /// The ledger it was seen in.
    pub ledger: u32,
}

impl Evidence {
    fn of(shows: impl Into<String>, seen: &Seen) -> Self {
        Self { shows: shows.into(), tx: Some(seen.id), ledger: seen.ledger_index }
    }

    fn at(shows: impl Into<String>, ledger: u32) -> Self {
        Self { shows: shows.into(), tx: None, ledger }
    }
}

/// Where a scene plays: the sandbox, the daemon, and somebody who is told what happens.
pub struct Stage<'a> {
    sandbox: &'a Sandbox,
    daemon: Option<Attended>,
    tell: Box<dyn FnMut(&str) + 'a>,
}

struct Attended {
    exe: PathBuf,
    process: Option<DaemonProcess>,
}

impl std::fmt::Debug for Stage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("sandbox", &self.sandbox.dir()).finish_non_exhaustive()
    }
}

impl<'a> Stage<'a> {
    /// A stage whose daemon somebody else runs. Scenes that kill it cannot play here.
    #[must_use]
    pub fn over(sandbox: &'a Sandbox) -> Self {
        Self { sandbox, daemon: None, tell: Box::new(|_| {}) }
    }

    /// A stage with a daemon of its own, as a process; ready when this returns.
    ///
    /// # Errors
    /// As [`Sandbox::spawn_daemon`].
    pub async fn with_daemon(
        sandbox: &'a Sandbox,
        exe: PathBuf,
        tell: impl FnMut(&str) + 'a,
    ) -> Result<Self, DevError> {
        let process = Some(sandbox.spawn_daemon(&exe).await?);
        Ok(Self { sandbox, daemon: Some(Attended { exe, process }), tell: Box::new(tell) })
    }

    /// The sandbox.
    #[must_use]
    pub fn sandbox(&self) -> &'a Sandbox {
        self.sandbox
    }

    /// Says what happens.
    pub fn say(&mut self, text: &str) {
        (self.tell)(text);
    }

    /// Kills the daemon as `kill -9` does.
    ///
    /// # Errors
    /// [`DevError::Daemon`] where there is none to be killed.
    pub async fn kill(&mut self) -> Result<(), DevError> {
        let process = self.daemon.as_mut().and_then(|daemon| daemon.process.take());
        let process = process.ok_or_else(|| DevError::Daemon("there is none to be killed".to_owned()))?;
        let id = process.id();
        process.kill().await?;
        let id = id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        self.say(&format!("the daemon (process {id}) is killed: SIGKILL"));
        Ok(())
    }

    /// Starts the daemon again, and waits until it is ready.
    ///
    /// # Errors
    /// As [`Sandbox::spawn_daemon`].
    pub async fn restart(&mut self) -> Result<(), DevError> {
        let sandbox = self.sandbox;
        let Some(daemon) = self.daemon.as_mut() else {
            return Err(DevError::Daemon("it is somebody else's to start".to_owned()));
        };
        let process = sandbox.spawn_daemon(&daemon.exe).await?;
        let id = process.id().map_or_else(|| "-".to_owned(), |id| id.to_string());
        daemon.process = Some(process);
        self.say(&format!("it is started again (process {id}) and has caught up"));
        Ok(())
    }

    /// Waits until a proposal has transactions to sign.
    ///
    /// # Errors
    /// [`DevError::NotSeen`].
    pub async fn can_be_signed(&self, id: &str) -> Result<(), DevError> {
        let somebody = self.sandbox.people().get("alice")?;
        self.sandbox
            .until_told(&format!("{id} can be signed"), || async move {
                let view = somebody.client().proposal(id).await.map_err(|error| error.to_string())?;
                if view.rungs.is_empty() {
                    return Err(format!(
                        "it is {}, and waits for: {}",
                        view.status,
                        view.waits_for.join("; ")
                    ));
                }
                Ok(())
            })
            .await
    }

    /// Waits for the first successful transaction of that type that the account sends after ledger `after`.
    ///
    /// # Errors
    /// [`DevError::NotSeen`], with what it sent instead.
    pub async fn first_sent(
        &self,
        name: &str,
        account: &AccountId,
        after: u32,
        tx_type: TransactionType,
    ) -> Result<Seen, DevError> {
        let expected = format!("a validated {} of {name} after ledger {after}", tx_type.name());
        self.sandbox
            .until_told(&expected, || async move {
                let sent = seen::sent_by(self.sandbox.world(), account, after).await;
                let sent = sent.map_err(|error| error.to_string())?;
                match sent.iter().find(|seen| seen.did(tx_type)) {
                    Some(found) => Ok(found.clone()),
                    None if sent.is_empty() => Err("no transaction of it".to_owned()),
                    None => Err(sent.iter().map(Seen::words).collect::<Vec<_>>().join(", ")),
                }
            })
            .await
    }

    /// Proves that an account has sent nothing since.
    async fn nothing_sent(&self, name: &str, account: &AccountId, after: u32) -> Result<(), DevError> {
        let sent: Vec<String> =
            seen::sent_by(self.sandbox.world(), account, after).await?.iter().map(Seen::words).collect();
        super::same(&format!("transactions of {name} after ledger {after}"), &sent, &Vec::new())
    }

    /// Names, sorted, of those who signed.
    fn signer_names(&self, seen: &Seen) -> Result<Vec<String>, DevError> {
        let mut names: Vec<String> =
            seen.signers()?.iter().map(|signer| self.sandbox.name_of(signer)).collect();
        names.sort();
        Ok(names)
    }
}
