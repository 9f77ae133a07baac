//! What systemd is told: ready when the validated ledger is seen, alive as long as the engine answers.
//!
//! Without systemd (no `NOTIFY_SOCKET`) nothing is sent. See `systemd/treasuryd.service`; a guard says that it is ready and ends.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::engine::EngineHandle;
use crate::{clock, redact, sight};

/// How often the state is looked at where no watchdog asks for more.
const LOOK: Duration = Duration::from_secs(1);

/// Starts telling. A daemon whose engine does not answer within half of the watchdog's time says nothing
/// more, and is then killed and started again: which is what a stuck disk or a deadlock needs.
pub(crate) fn spawn(engine: EngineHandle) -> JoinHandle<()> {
    tokio::spawn(async move {
        let watchdog = sd_notify::watchdog_enabled();
        let look = watchdog.map_or(LOOK, |within| within / 2).clamp(Duration::from_millis(10), LOOK);
        let mut ready = false;
        let mut said = None;
        loop {
            let asked = engine.probe(|state, treasury| {
                let ledger = state.ledger.map(|point| point.index);
                (ledger, sight::why_not(state, treasury, clock::utc()))
            });
            match timeout(look, asked).await {
                Ok(Ok((ledger, why_not))) => {
                    if watchdog.is_some() {
                        tell(NotifyState::Watchdog);
                    }
                    if why_not.is_none() && !std::mem::replace(&mut ready, true) {
                        tell(NotifyState::Ready);
                    }
                    let status = match (&why_not, ledger) {
                        (None, Some(ledger)) => format!("sees validated ledger {ledger}"),
                        (None, None) => "sees the ledger".to_owned(),
                        (Some(reason), _) => format!("no sight: {}", redact::addresses(reason)),
                    };
                    if said.as_ref() != Some(&status) {
                        tell(NotifyState::Status(&status));
                        said = Some(status);
                    }
                }
                Ok(Err(_)) => return,
                Err(_) => tracing::error!("the engine does not answer; the watchdog is not told otherwise"),
            }
            tokio::time::sleep(look).await;
        }
    })
}

/// The configuration is being read anew.
pub(crate) fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(NotifyState::Reloading);
        tell(now);
    }
}

/// All that was asked for stands: after a start, or when the configuration has been read, or was refused.
pub(crate) fn ready() {
    tell(NotifyState::Ready);
}

/// The daemon is ending by its own will.
pub(crate) fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}
