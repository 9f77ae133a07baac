//! What runs as long as a daemon does: the outbox of its data directory, and the thread that tells.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::Rng;
use tokio::sync::{oneshot, watch};

use super::host::Room;
use super::outbox::{self, Outbox, OutboxError};
use super::post::Wire;
use super::{Desk, FOLDER, NotifyConfig, work};
use crate::clock::Clock;
use crate::engine::EngineHandle;
use crate::lines;
use crate::metrics::Metrics;
use crate::store::Host;
use crate::store::seam::Ground;

/// How long the end of the daemon waits for the end of what tells people.
const GRACE: Duration = Duration::from_secs(5);

/// Tells until it is stopped.
#[derive(Debug)]
pub(crate) struct Notifier {
    desk: Arc<Desk>,
    stop: watch::Sender<bool>,
    /// Comes when the thread has put down the last that it did.
    ended: oneshot::Receiver<()>,
}

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
enum NotifyStartError {
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The system gives no thread.
    #[error("cannot start the thread that tells people: {0}")]
    Thread(#[from] std::io::Error),
}

impl Notifier {
    /// Opens the outbox of a data directory and tells what comes after what was told last: into it, where programs find it
    /// that listen, and through the channels, where there are any. What goes wrong keeps no daemon from guarding the treasury: it is said, and
    /// nobody is told of anything. Blocks.
    pub(crate) fn start(
        config: NotifyConfig,
        data_dir: &Path,
        engine: EngineHandle,
        metrics: &Arc<Metrics>,
    ) -> Option<Self> {
        Self::try_start(config, data_dir, engine, metrics)
            .inspect_err(|error| {
                metrics.notices_stuck(true);
                lines::notices_stuck(error);
            })
            .ok()
    }

    fn try_start(
        config: NotifyConfig,
        data_dir: &Path,
        engine: EngineHandle,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, NotifyStartError> {
        let folder = data_dir.join(FOLDER);
        // A daemon whose store is elsewhere may have no such folder yet.
        crate::private::create_dir_all(data_dir)?;
        outbox::put_back(data_dir).map_err(OutboxError::from)?;
        let engine_of_outbox = (Ground::system().engine)(&folder).map_err(OutboxError::from)?;
        let outbox = Outbox::open(engine_of_outbox, &new_series())?;
        let clock = Clock::new(unix_ms);
        let jitter = Box::new(|| rand::rng().random_range(0..=1_000));
        let name = config.instance.unwrap_or_else(|| Host::this().name);
        let config = NotifyConfig { instance: Some(name), ..config };
        let mut desk =
            Desk::new(config, outbox, clock, Box::new(Wire::default()), jitter, Arc::clone(metrics));
        desk.room = Box::new(move || Room::of(&folder));
        let desk = Arc::new(desk);
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // Looked at before anything is spoken to: what happens from now on is told, however late the thread gets to it.
        let last = *engine.records().borrow();
        let at_work = Arc::clone(&desk);
        let (end, ended) = oneshot::channel();
        std::thread::Builder::new().name("notify".to_owned()).spawn(move || {
            runtime.block_on(work(at_work, engine, last, stopped));
            // A name that is being resolved may hang: it is left alone.
            runtime.shutdown_background();
            let _ = end.send(());
        })?;
        Ok(Self { desk, stop, ended })
    }

    /// For whoever wants to see what was told.
    pub(crate) fn desk(&self) -> Arc<Desk> {
        Arc::clone(&self.desk)
    }

    /// Stops, and gives up what is being sent: it is sent again after the next start. A thread that hangs in the system, such as
    /// in a file on another host, is left alone: the outbox has what was told.
    pub(crate) async fn shutdown(self) {
        let _ = self.stop.send(true);
        if tokio::time::timeout(GRACE, self.ended).await.is_err() {
            tracing::warn!("what tells people did not end in time, and is left alone");
        }
    }
}

pub(super) fn new_series() -> String {
    format!("{:08x}", rand::rng().random::<u32>())
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::super::outbox::tests::Disk;
    use super::super::tests::world;
    use super::*;

    /// Goal: the daemon ends though what tells people hangs in the system.
    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_what_tells_people_no_longer_than_it_may() {
        let world = world(&Disk::default(), &["ops"]);
        let (_never, ended) = oneshot::channel();
        let (stop, _) = watch::channel(false);
        let began = Instant::now();
        Notifier { desk: Arc::clone(&world.desk), stop, ended }.shutdown().await;
        assert_eq!(began.elapsed(), GRACE);
    }
}
