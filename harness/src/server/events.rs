//! What happens on a server, for whoever watches it from this process.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::embedded::{ClosedLedger, SubmitOutcome};

/// So many events wait for a watcher that is busy; more are counted and lost.
const WAITING_MAX: usize = 4096;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A transaction came in; its result is provisional.
    Submitted(Arc<SubmitOutcome>),
    /// A ledger closed.
    Closed(Arc<ClosedLedger>),
    /// So many events were lost because the watcher was too slow.
    Missed(u64),
}

/// Where events go out.
#[derive(Debug)]
pub(super) struct Sender(broadcast::Sender<Event>);

impl Sender {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(WAITING_MAX))
    }

    /// Tells those who watch, if anybody does.
    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        if self.0.receiver_count() > 0 {
            // Nobody may be left by now, and then nobody misses it.
            let _ = self.0.send(event());
        }
    }

    pub(super) fn subscribe(&self) -> Events {
        Events(self.0.subscribe())
    }
}

/// The events of a server from the moment it was asked for them.
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Event>);

impl Events {
    /// The next event; none once the server is gone.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(missed)) => Some(Event::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}
